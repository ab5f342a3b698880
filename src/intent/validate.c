#include "intent/validate.h"

#include <stdlib.h>

#include "intent/schema.h"

struct claimed {
    char *what;
    const struct intent_object *object;
    const char *member;
    unsigned int order;
};

struct validation {
    struct diagnostics *diagnostics;
    bool is_good;
    struct claimed *claims;
    unsigned int n_claims, size;
};

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
    struct str what = STR_INIT;
    va_list args;

    if (v->n_claims == v->size) {
        v->size = MAX(v->size * 2, 64u);
        v->claims = xrealloc(v->claims, v->size * sizeof v->claims[0]);
    }
    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);
    v->claims[v->n_claims] = (struct claimed) {
        str_steal(&what), object, member, v->n_claims,
    };
    v->n_claims++;
}

static uint32_t
line_of(const struct claimed *c)
{
    return object_place(c->object, c->member).line;
}

/* Who wrote it first, had it first. */
static int
compare_claims(const void *a, const void *b)
{
    const struct claimed *x = a, *y = b;
    int order = strcmp(x->what, y->what);

    return order ? order
           : line_of(x) != line_of(y) ? (line_of(x) < line_of(y) ? -1 : 1)
           : x->order < y->order ? -1 : 1;
}

static void
settle_claims(struct validation *v)
{
    unsigned int first = 0;

    if (v->n_claims) {
        qsort(v->claims, v->n_claims, sizeof v->claims[0], compare_claims);
    }
    for (unsigned int i = 1; i < v->n_claims; i++) {
        const struct claimed *a = &v->claims[first], *b = &v->claims[i];
        struct str related = STR_INIT;
        struct place here, there;

        if (strcmp(a->what, b->what)) {
            first = i;
            continue;
        }
        here = object_place(b->object, b->member);
        there = object_place(a->object, a->member);
        diag_add_related(&related, &here, &there);
        validation_error(v, b->object, b->member, "%s is already used by %s '%s'%s",
                b->what, intent_kind_noun(a->object->kind), a->object->name,
                str_text(&related));
        str_fini(&related);
    }
}

bool
validate(const struct intent *set, struct diagnostics *diagnostics)
{
    struct validation v = { .diagnostics = diagnostics, .is_good = true };

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;
        const struct intent_object *object = NULL;

        while ((object = intent_next(set, kind, object)) != NULL) {
            intent_noun(kind)->check(object, &v);
        }
    }
    settle_claims(&v);
    for (unsigned int i = 0; i < v.n_claims; i++) {
        free(v.claims[i].what);
    }
    free(v.claims);
    return v.is_good;
}
