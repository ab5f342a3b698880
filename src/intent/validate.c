#include "intent/validate.h"

#include <stdlib.h>

#include "intent/schema.h"
#include "lib/hash.h"

/* Sorted by hash, which is quicker than by text; few have the same. */
struct claimed {
    uint64_t hash;
    const char *what;             /* in `texts`, once all are there */
    const struct intent_object *object;
    const char *member;
    const struct intent_object *owner;    /* who has it; NULL: this object */
    const char *owner_member;
    unsigned int order;
};

struct validation {
    const struct intent *intent;
    struct intent_underlay underlay;
    struct diagnostics *diagnostics;
    bool is_good;
    struct claimed *claims;
    unsigned int n_claims, size;
    struct str texts;             /* of the claims, each with its NUL */
};

const struct intent *
validation_intent(const struct validation *v)
{
    return v->intent;
}

const struct intent_underlay *
validation_underlay(const struct validation *v)
{
    return &v->underlay;
}

void
validation_name(struct validation *v, const struct intent_object *object,
                const char *member, enum intent_kind kind, const char *name)
{
    unsigned int n = intent_count(v->intent, kind);
    struct str hint = STR_INIT;
    const char **names;

    if (!*name || !n || intent_find(v->intent, kind, name)) {
        return;
    }
    names = xcalloc(n + 1, sizeof names[0]);
    for (unsigned int i = 0; i < n; i++) {
        names[i] = intent_at(v->intent, kind, i)->name;
    }
    diag_add_nearest(&hint, name, names);
    validation_error(v, object, member, "there is no %s '%s'%s",
                     intent_kind_noun(kind), name, str_text(&hint));
    str_fini(&hint);
    free(names);
}

void
validation_error(struct validation *v, const struct intent_object *object,
        const char *member, const char *format, ...)
{
    struct str what = STR_INIT;
    va_list args;

    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);
    object_error(object, member, v->diagnostics, "%s", str_text(&what));
    str_fini(&what);
    v->is_good = false;
}

void
validation_claim(struct validation *v, const struct intent_object *object,
      const char *member, const char *format, ...)
{
    static const struct hash_key key = { 0 };
    size_t at = v->texts.len;
    va_list args;

    if (v->n_claims == v->size) {
        v->size = MAX(v->size * 2, 64u);
        v->claims = xrealloc(v->claims, v->size * sizeof v->claims[0]);
    }
    va_start(args, format);
    str_addv(&v->texts, format, args);
    va_end(args);
    v->claims[v->n_claims] = (struct claimed) {
        .hash = hash_bytes(key, v->texts.text + at, v->texts.len - at),
        .object = object, .member = member, .order = v->n_claims,
    };
    v->n_claims++;
    str_add_char(&v->texts, '\0');
}

/* What a command says comes after all files. */
static uint32_t
line_of(const struct claimed *c)
{
    uint32_t line = object_place(c->object, c->member).line;

    return line ? line : UINT32_MAX;
}

/* Who wrote it first, had it first. */
static int
compare_claims(const void *a, const void *b)
{
    const struct claimed *x = a, *y = b;
    int order = x->hash != y->hash ? 0 : strcmp(x->what, y->what);

    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
           : order ? order
           : line_of(x) != line_of(y) ? (line_of(x) < line_of(y) ? -1 : 1)
           : x->order < y->order ? -1 : 1;
}

static int
compare_order(const void *a, const void *b)
{
    const struct claimed *x = a, *y = b;

    return x->order < y->order ? -1 : 1;
}

/* Most sets claim nothing twice, and that is quicker to see than to sort. */
static bool
may_be_twice(const struct validation *v)
{
    unsigned int size = 64, n;
    uint64_t *seen;

    while (size < 2 * v->n_claims) {
        size *= 2;
    }
    seen = xcalloc(size, sizeof *seen);
    for (n = 0; n < v->n_claims; n++) {
        uint64_t hash = v->claims[n].hash | 1;
        unsigned int i = (unsigned int) (hash >> 32) & (size - 1);

        while (seen[i] && seen[i] != hash) {
            i = (i + 1) & (size - 1);
        }
        if (seen[i]) {
            break;
        }
        seen[i] = hash;
    }
    free(seen);
    return n < v->n_claims;
}

/* Finds the owner of what is claimed twice; returns how many others want it. */
static unsigned int
find_owners(struct validation *v)
{
    unsigned int first = 0, n = 0;

    if (!may_be_twice(v)) {
        return 0;
    }
    qsort(v->claims, v->n_claims, sizeof v->claims[0], compare_claims);
    for (unsigned int i = 1; i < v->n_claims; i++) {
        const struct claimed *a = &v->claims[first];
        struct claimed *b = &v->claims[i];

        if (a->hash != b->hash || strcmp(a->what, b->what)) {
            first = i;
        } else {
            b->owner = a->object;
            b->owner_member = a->member;
            n++;
        }
    }
    return n;
}

static void
refuse_claim(struct validation *v, const struct claimed *c)
{
    struct place here = object_place(c->object, c->member);
    struct place there = object_place(c->owner, c->owner_member);
    struct str related = STR_INIT;

    diag_add_related(&related, &here, &there);
    validation_error(v, c->object, c->member,
                     "%s is already used by %s '%s'%s", c->what,
                     intent_kind_noun(c->owner->kind), c->owner->name,
                     str_text(&related));
    str_fini(&related);
}

static void
settle_claims(struct validation *v)
{
    const char *text = v->n_claims ? str_text(&v->texts) : "";

    for (unsigned int i = 0; i < v->n_claims; i++) {
        v->claims[i].what = text;
        text += strlen(text) + 1;
    }
    if (!find_owners(v)) {
        return;
    }
    qsort(v->claims, v->n_claims, sizeof v->claims[0], compare_order);
    for (unsigned int i = 0; i < v->n_claims; i++) {
        if (v->claims[i].owner) {
            refuse_claim(v, &v->claims[i]);
        }
    }
}

bool
validate(const struct intent *set, struct diagnostics *diagnostics)
{
    struct validation v = {
        .intent = set, .underlay = intent_underlay(set),
        .diagnostics = diagnostics, .is_good = true,
    };

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;
        const struct intent_object *object;

        for (unsigned int i = 0; intent_noun(kind)->check
                                 && (object = intent_at(set, kind, i)); i++) {
            intent_noun(kind)->check(object, &v);
        }
    }
    settle_claims(&v);
    free(v.claims);
    str_fini(&v.texts);
    return v.is_good;
}
