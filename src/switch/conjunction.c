#include "switch/conjunction.h"

#include <stdlib.h>

/* One clause that matches. */
struct part {
    uint32_t id;
    uint8_t n_clauses, clause;
    const struct entry *entry;
};

struct parts {
    size_t n, size;
    struct part *list;
};

static void
add_part(struct parts *parts, const struct entry *entry,
         const struct action_conjunction *a)
{
    if (parts->n == parts->size) {
        parts->size = MAX(2 * parts->size, (size_t) 32);
        parts->list = xrealloc(parts->list,
                               parts->size * sizeof *parts->list);
    }
    parts->list[parts->n++] = (struct part) { a->id, a->n_clauses, a->clause,
                                              entry };
}

static void
add_parts(struct parts *parts, const struct entry *entry)
{
    const struct action_list *apply = &entry->e.instructions.apply;

    ACTION_FOR_EACH (a, apply) {
        if (a->type == ACTION_CONJUNCTION) {
            add_part(parts, entry, (const void *) a);
        }
    }
}

/* By conjunction and clause; the entry makes the order the same every time. */
static int
compare_parts(const void *a_, const void *b_)
{
    const struct part *a = a_, *b = b_;

    if (a->id != b->id) {
        return a->id < b->id ? -1 : 1;
    }
    if (a->n_clauses != b->n_clauses) {
        return a->n_clauses < b->n_clauses ? -1 : 1;
    }
    if (a->clause != b->clause) {
        return a->clause < b->clause ? -1 : 1;
    }
    return a->entry->e.id < b->entry->e.id ? -1
           : a->entry->e.id > b->entry->e.id;
}

static bool
is_same_conjunction(const struct part *a, const struct part *b)
{
    return a->id == b->id && a->n_clauses == b->n_clauses;
}

/* Parts [first, end) are of one conjunction: are all its clauses there?  Takes
 * the first entry of each. */
static bool
take_clauses(const struct part *first, const struct part *end,
             struct conjunction *found)
{
    found->id = first->id;
    found->n_entries = 0;
    for (const struct part *part = first; part < end; part++) {
        if (part->clause == found->n_entries) {
            found->entries[found->n_entries++] = part->entry->e.id;
        }
    }
    return found->n_entries == first->n_clauses;
}

struct search {
    const struct classifier *cls;
    uint64_t version;
    const struct flow *flow;
    struct flow_mask *wc;
};

static const struct entry *
look_up_id(const struct search *s, uint32_t id)
{
    struct flow flow = *s->flow;

    flow.conj_id = htobe32(id);
    return classifier_lookup(s->cls, s->version, &flow, s->wc);
}

/* What the parts, all of one priority, lead to. */
static const struct entry *
complete(const struct search *s, struct parts *parts,
         struct conjunction *found)
{
    const struct part *end = parts->list + parts->n, *first, *behind;
    const struct entry *best = NULL;

    qsort(parts->list, parts->n, sizeof parts->list[0], compare_parts);
    for (first = parts->list; first < end; first = behind) {
        struct conjunction candidate;
        const struct entry *entry;

        behind = first;
        while (behind < end && is_same_conjunction(first, behind)) {
            behind++;
        }
        if (!take_clauses(first, behind, &candidate)) {
            continue;
        }
        entry = look_up_id(s, candidate.id);
        if (entry && (!best || entry->priority > best->priority)) {
            best = entry;
            *found = candidate;
        }
    }
    return best;
}

/* The highest priority below `bound` of a clause; -1: none. */
static int
next_priority(const struct clauses *clauses, int bound)
{
    int priority = -1;

    for (size_t i = 0; i < clauses->n; i++) {
        int p = clauses->list[i]->priority;

        if (p < bound && p > priority) {
            priority = p;
        }
    }
    return priority;
}

const struct entry *
conjunction_lookup(const struct classifier *cls, uint64_t version,
                   const struct flow *flow, struct flow_mask *wc,
                   struct conjunction *found)
{
    struct search search = { cls, version, flow, wc };
    struct clauses clauses = { 0, 0, NULL };
    struct parts parts = { 0, 0, NULL };
    const struct entry *hard = classifier_lookup_clauses(cls, version, flow,
                                                         wc, &clauses);
    const struct entry *entry = NULL;
    int bound = INT_MAX;

    found->n_entries = 0;
    if (LIKELY(!clauses.n)) {
        return hard;
    }
    while (!entry) {
        bound = next_priority(&clauses, bound);
        if (bound < 0 || (hard && bound <= hard->priority)) {
            break;
        }
        parts.n = 0;
        for (size_t i = 0; i < clauses.n; i++) {
            if (clauses.list[i]->priority == bound) {
                add_parts(&parts, clauses.list[i]);
            }
        }
        entry = complete(&search, &parts, found);
    }
    free(parts.list);
    free(clauses.list);
    return entry ? entry : hard;
}
