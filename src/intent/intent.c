#include "intent/intent.h"

#include <stdlib.h>

#include "intent/schema.h"
#include "intent/validate.h"

/* Those of one kind, in order of name. */
struct kind_set {
    struct intent_object **list;
    unsigned int n, size;
};

struct by_id {
    uint64_t id;
    const struct intent_object *object;
};

/* Objects of the sealed set that this one began as which are not in it any
 * more.  Only where they were, never what: they may be gone. */
enum { MAX_DROPPED = 16 };

struct intent {
    unsigned int n_refs;          /* atomic */
    bool is_sealed;
    /* What sealed objects point to is in this set, but for those dropped; false:
     * nothing is known of it. */
    bool is_derived;
    unsigned int n_dropped;       /* above MAX_DROPPED: many */
    const void *dropped[MAX_DROPPED];
    struct kind_set kinds[N_INTENT_KINDS];
    struct by_id *ids;            /* once sealed, in order of id */
    unsigned int n_ids;
};

struct intent *
intent_create(void)
{
    struct intent *set = xzalloc(sizeof *set);

    set->n_refs = 1;
    return set;
}

struct intent *
intent_ref(const struct intent *set)
{
    struct intent *s = (struct intent *) (uintptr_t) set;

    __atomic_add_fetch(&s->n_refs, 1, __ATOMIC_RELAXED);
    return s;
}

void
intent_unref(const struct intent *set)
{
    struct intent *s = (struct intent *) (uintptr_t) set;

    if (!s || __atomic_sub_fetch(&s->n_refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        for (unsigned int i = 0; i < s->kinds[kind].n; i++) {
            intent_object_unref(s->kinds[kind].list[i]);
        }
        free(s->kinds[kind].list);
    }
    free(s->ids);
    free(s);
}

/* ---- Look-up ---- */

/* Where it is, or belongs. */
static unsigned int
position(const struct kind_set *set, const char *name, bool *is_there)
{
    unsigned int low = 0, high = set->n;

    *is_there = false;
    while (low < high) {
        unsigned int middle = low + (high - low) / 2;
        int order = strcmp(set->list[middle]->name, name);

        if (!order) {
            *is_there = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct intent_object *
intent_find(const struct intent *set, enum intent_kind kind, const char *name)
{
    bool is_there;
    unsigned int i = position(&set->kinds[kind], name, &is_there);

    return is_there ? set->kinds[kind].list[i] : NULL;
}

const struct intent_object *
intent_at(const struct intent *set, enum intent_kind kind, unsigned int i)
{
    return i < set->kinds[kind].n ? set->kinds[kind].list[i] : NULL;
}

const struct intent_object *
intent_next(const struct intent *set, enum intent_kind kind,
            const struct intent_object *before)
{
    const struct kind_set *in = &set->kinds[kind];
    unsigned int i = 0;
    bool is_there;

    if (before) {
        i = position(in, before->name, &is_there);
        i += is_there;
    }
    return i < in->n ? in->list[i] : NULL;
}

unsigned int
intent_count(const struct intent *set, enum intent_kind kind)
{
    return set->kinds[kind].n;
}

const struct intent_object *
intent_find_id(const struct intent *set, uint64_t id)
{
    unsigned int low = 0, high = set->n_ids;

    while (low < high) {
        unsigned int middle = low + (high - low) / 2;

        if (set->ids[middle].id == id) {
            return set->ids[middle].object;
        }
        if (set->ids[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- Change ---- */

static void
drop(struct intent *set, const struct intent_object *object)
{
    if (set->n_dropped < MAX_DROPPED) {
        set->dropped[set->n_dropped] = object;
    }
    set->n_dropped = MIN(set->n_dropped + 1, MAX_DROPPED + 1u);
    intent_object_unref(object);
}

void
intent_set(struct intent *set, struct intent_object *object)
{
    struct kind_set *in = &set->kinds[object->kind];
    bool is_there;
    unsigned int i = position(in, object->name, &is_there);

    assert(!set->is_sealed);
    set->is_derived &= !object->is_sealed;
    if (is_there) {
        drop(set, in->list[i]);
        in->list[i] = object;
        return;
    }
    if (in->n == in->size) {
        in->size = MAX(in->size * 2, 16u);
        in->list = xrealloc(in->list, in->size * sizeof in->list[0]);
    }
    memmove(&in->list[i + 1], &in->list[i], (in->n - i) * sizeof in->list[0]);
    in->list[i] = object;
    in->n++;
}

bool
intent_remove(struct intent *set, enum intent_kind kind, const char *name)
{
    struct kind_set *in = &set->kinds[kind];
    bool is_there;
    unsigned int i = position(in, name, &is_there);

    assert(!set->is_sealed);
    if (!is_there) {
        return false;
    }
    drop(set, in->list[i]);
    in->n--;
    memmove(&in->list[i], &in->list[i + 1], (in->n - i) * sizeof in->list[0]);
    return true;
}

struct intent *
intent_copy(const struct intent *from)
{
    struct intent *set = intent_create();

    set->is_derived = from->is_sealed;
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct kind_set *in = &from->kinds[kind];
        struct kind_set *out = &set->kinds[kind];

        out->n = out->size = in->n;
        out->list = xcalloc(in->n, sizeof out->list[0]);
        for (unsigned int i = 0; i < in->n; i++) {
            out->list[i] = intent_object_ref(in->list[i]);
        }
    }
    return set;
}

/* Do both say the same, at the same places? */
static bool
is_same_text(const struct intent_object *a, const struct intent_object *b)
{
    const struct member *members = intent_noun(a->kind)->members;

    if (a->given != b->given || !a->place.file || !b->place.file
        || strcmp(a->place.file, b->place.file)
        || a->place.line != b->place.line
        || a->place.column != b->place.column || !a->places || !b->places) {
        return false;
    }
    for (unsigned int i = 0; members[i].name; i++) {
        if (a->given >> i & 1
            && (a->places[i].line != b->places[i].line
                || a->places[i].column != b->places[i].column
                || !member_is_same(&members[i], a, b))) {
            return false;
        }
    }
    return true;
}

static void
share_kind(struct intent *set, const struct intent *sealed,
           enum intent_kind kind)
{
    struct kind_set *in = &set->kinds[kind];
    const struct kind_set *from = &sealed->kinds[kind];
    unsigned int i = 0, k = 0;

    while (k < from->n) {
        int order = i == in->n ? 1 : strcmp(in->list[i]->name,
                                            from->list[k]->name);

        if (!order && is_same_text(in->list[i], from->list[k])) {
            intent_object_unref(in->list[i]);
            in->list[i] = intent_object_ref(from->list[k]);
        } else if (order >= 0) {
            drop(set, intent_object_ref(from->list[k]));
        }
        i += order <= 0;
        k += order >= 0;
    }
}

void
intent_share(struct intent *set, const struct intent *sealed)
{
    assert(!set->is_sealed && sealed->is_sealed);
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        share_kind(set, sealed, (enum intent_kind) kind);
    }
    set->is_derived = true;
}

/* ---- Sealing ---- */

/* A copy that may be changed. */
static struct intent_object *
clone(const struct intent_object *object)
{
    const struct noun *noun = intent_noun(object->kind);
    struct intent_object *copy = xmemdup(object, noun->size);
    size_t n_members = 0;

    while (noun->members[n_members].name) {
        n_members++;
    }
    copy->n_refs = 1;
    if (copy->place.file) {
        copy->place.file = xstrdup(copy->place.file);
    }
    if (copy->places) {
        copy->places = xmemdup(copy->places,
                               n_members * sizeof copy->places[0]);
    }
    if (noun->unshare) {
        noun->unshare(copy);
    }
    return copy;
}

static void
unknown_name(const struct intent *set, const struct intent_object *object,
             const struct reference *ref, struct diagnostics *diagnostics)
{
    const struct kind_set *in = &set->kinds[ref->kind];
    const char **names = xcalloc(in->n + 1, sizeof names[0]);
    struct str hint = STR_INIT;

    if (!diag_is_full(diagnostics)) {
        for (unsigned int i = 0; i < in->n; i++) {
            names[i] = in->list[i]->name;
        }
        diag_add_nearest(&hint, ref->name, names);
    }
    object_error(object, ref->member, diagnostics, "there is no %s '%s'%s",
                 intent_kind_noun(ref->kind), ref->name, str_text(&hint));
    str_fini(&hint);
    free(names);
}

enum { MAX_USERS_SAID = 5 };

enum resolution { RESOLVED, RESOLVED_IN_COPY, UNRESOLVED };

static bool
is_there(const struct intent *set, const struct reference *ref)
{
    return intent_noun(ref->kind)->is_free_name || !*ref->name
           || intent_find(set, ref->kind, ref->name);
}

/* Is nothing that it points to dropped?  Then there is nothing to look up. */
static bool
is_resolved(const struct intent *set, struct intent_object *object)
{
    const struct noun *noun = intent_noun(object->kind);
    struct reference refs[NOUN_MAX_REFERENCES];
    unsigned int n;

    if (!object->is_sealed || !set->is_derived
        || set->n_dropped > MAX_DROPPED) {
        return false;
    }
    n = set->n_dropped && noun->references ? noun->references(object, refs)
                                           : 0;
    for (unsigned int i = 0; i < n; i++) {
        const void *target = NULL;

        if (!refs[i].target) {
            if (!is_there(set, &refs[i])) {
                return false;
            }
            continue;
        }
        memcpy(&target, refs[i].target, sizeof target);
        for (unsigned int k = 0; k < set->n_dropped; k++) {
            if (set->dropped[k] == target) {
                return false;
            }
        }
    }
    return true;
}

/* Points the object at what it names, in a copy when it was sealed before. */
static enum resolution
resolve_object(struct intent *set, struct intent_object **slot,
               struct diagnostics *diagnostics)
{
    const struct noun *noun = intent_noun((*slot)->kind);
    struct reference refs[NOUN_MAX_REFERENCES];
    enum resolution result = RESOLVED;
    unsigned int n = noun->references ? noun->references(*slot, refs) : 0;

    for (unsigned int i = 0; i < n; i++) {
        const struct intent_object *target = NULL, *now = NULL;

        if (intent_noun(refs[i].kind)->is_free_name) {
            continue;
        }
        if (refs[i].target) {
            memcpy(&now, refs[i].target, sizeof now);
        }
        if (*refs[i].name) {
            target = intent_find(set, refs[i].kind, refs[i].name);
            if (!target) {
                unknown_name(set, *slot, &refs[i], diagnostics);
                result = UNRESOLVED;
            }
        }
        if (target == now || !refs[i].target) {
            continue;
        }
        if ((*slot)->is_sealed) {
            struct intent_object *copy = clone(*slot);

            copy->is_sealed = false;
            drop(set, *slot);
            *slot = copy;
            noun->references(copy, refs);
            result = MAX(result, RESOLVED_IN_COPY);
        }
        memcpy(refs[i].target, &target, sizeof target);
    }
    return result;
}

/* What points at an object that was copied must point at the copy: again,
 * until nothing moves. */
static bool
resolve(struct intent *set, struct diagnostics *diagnostics)
{
    enum resolution worst;

    do {
        worst = RESOLVED;
        for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
            for (unsigned int i = 0; i < set->kinds[kind].n; i++) {
                struct intent_object **slot = &set->kinds[kind].list[i];

                if (!is_resolved(set, *slot)) {
                    enum resolution one = resolve_object(set, slot,
                                                         diagnostics);

                    worst = MAX(worst, one);
                }
            }
        }
    } while (worst == RESOLVED_IN_COPY);
    return worst == RESOLVED;
}

static bool
is_user(const struct intent_object *user, const struct intent_object *object)
{
    const struct noun *noun = intent_noun(user->kind);
    struct reference refs[NOUN_MAX_REFERENCES];
    unsigned int n;

    if (user == object || !noun->references) {
        return false;
    }
    n = noun->references((struct intent_object *) (uintptr_t) user, refs);
    for (unsigned int i = 0; i < n; i++) {
        if (refs[i].kind == object->kind
            && !strcmp(refs[i].name, object->name)) {
            return true;
        }
    }
    return false;
}

unsigned int
intent_users(const struct intent *set, const struct intent_object *object,
             struct str *text)
{
    unsigned int n = 0;

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        for (unsigned int i = 0; i < set->kinds[kind].n; i++) {
            const struct intent_object *user = set->kinds[kind].list[i];

            if (!is_user(user, object)) {
                continue;
            }
            if (n++ < MAX_USERS_SAID) {
                str_addf(text, "%s%s '%s'", n > 1 ? ", " : "",
                         intent_kind_noun(user->kind), user->name);
            }
        }
    }
    if (n > MAX_USERS_SAID) {
        str_addf(text, " and %u more", n - MAX_USERS_SAID);
    }
    return n;
}

/* Objects that were sealed follow in a copy; names are looked up after that. */
static void
follow(struct intent *set)
{
    const struct intent_underlay underlay = intent_underlay(set);

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct noun *noun = intent_noun((enum intent_kind) kind);

        for (unsigned int i = 0; noun->follow && i < set->kinds[kind].n; i++) {
            struct intent_object **slot = &set->kinds[kind].list[i];

            if (noun->follow(*slot, &underlay) && (*slot)->is_sealed) {
                struct intent_object *copy = clone(*slot);

                copy->is_sealed = false;
                drop(set, *slot);
                *slot = copy;
                noun->follow(copy, &underlay);
            }
        }
    }
}

static int
compare_ids(const void *a, const void *b)
{
    const struct by_id *x = a, *y = b;

    return x->id != y->id ? (x->id < y->id ? -1 : 1)
                          : strcmp(x->object->name, y->object->name);
}

/* Flows, MAC addresses and short names are made of ids: two objects must not
 * share one. */
static bool
index_ids(struct intent *set, struct diagnostics *diagnostics)
{
    unsigned int n = 0;
    bool good = true;

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        n += set->kinds[kind].n;
    }
    set->ids = xcalloc(n, sizeof set->ids[0]);
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        for (unsigned int i = 0; i < set->kinds[kind].n; i++) {
            const struct intent_object *object = set->kinds[kind].list[i];

            set->ids[set->n_ids++] = (struct by_id) { object->id, object };
        }
    }
    qsort(set->ids, n, sizeof set->ids[0], compare_ids);
    for (unsigned int i = 1; i < n; i++) {
        if (set->ids[i - 1].id == set->ids[i].id) {
            object_error(set->ids[i].object, NULL, diagnostics,
                         "'%s' and '%s' happen to have the same number: "
                         "rename one", set->ids[i].object->name,
                         set->ids[i - 1].object->name);
            good = false;
        }
    }
    return good;
}

/* Objects that were sealed before have it all, and others read them now. */
static void
fill_defaults(struct intent *set)
{
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct noun *noun = intent_noun((enum intent_kind) kind);

        for (unsigned int i = 0; i < set->kinds[kind].n; i++) {
            struct intent_object *object = set->kinds[kind].list[i];

            if (!object->is_sealed) {
                if (noun->fill) {
                    noun->fill(object);
                }
                object->is_sealed = true;
            }
        }
    }
}

bool
intent_seal(struct intent *set, struct diagnostics *diagnostics)
{
    bool is_whole;

    assert(!set->is_sealed);
    follow(set);
    is_whole = resolve(set, diagnostics);
    fill_defaults(set);
    set->is_sealed = index_ids(set, diagnostics)
                     && validate(set, diagnostics) && is_whole;
    return set->is_sealed;
}
