#include "switch/mask_tree.h"
#include "switch/prefixes.h"

#include <stdlib.h>

enum { AHEAD = 8 };

struct lookup {
    const struct classifier *cls;
    const struct flow *flow;
    struct flow_mask *wc;
    uint64_t version;
    struct clauses *clauses;      /* NULL: nobody asks for them */
    const struct entry *best;
    int best_priority;
    unsigned int n_refine;        /* probes left for shorter reasons */
};

/* ---- Tuples ---- */

struct match_ref {
    const struct mask_words *mask;
    const struct flow *flow;
};

static bool
entry_matches(const void *ref_, uint64_t cell)
{
    const struct match_ref *ref = ref_;

    return mask_words_hold(ref->mask, classifier_cell_entry(cell)->values,
                           ref->flow);
}

static void
add_clause(struct clauses *clauses, const struct entry *entry)
{
    if (clauses->n == clauses->size) {
        clauses->size = MAX(2 * clauses->size, (size_t) 16);
        clauses->list = xrealloc(clauses->list,
                                 clauses->size * sizeof *clauses->list);
    }
    clauses->list[clauses->n++] = entry;
}

/* Is there an entry with the packet's values, visible or not? */
static bool
lookup_tuple(struct lookup *l, const struct tuple *tuple, uint64_t hash)
{
    struct match_ref ref = { tuple->mask, l->flow };
    uint64_t cell = cell_table_find(&tuple->cells, hash,
                                    classifier_entry_tag(hash), entry_matches,
                                    &ref, NULL);
    const struct entry *entry;

    if (!cell) {
        return false;
    }
    entry = classifier_cell_entry(cell);
    while (entry && entry->priority > l->best_priority) {
        if (!entry_visible(entry, l->version)) {
            /* Not yet, or not any more. */
        } else if (LIKELY(!entry->is_clause)) {
            l->best = entry;
            l->best_priority = entry->priority;
            break;
        } else if (l->clauses) {
            add_clause(l->clauses, entry);
        }
        entry = atomic_load_explicit(&entry->next, memory_order_acquire);
    }
    return true;
}

/* ---- What decided ---- */

static void
mark_tuple(struct flow_mask *wc, const struct tuple *tuple)
{
    for (uint32_t i = 0; i < tuple->mask->n; i++) {
        wc->bits.w[tuple->mask->list[i].word] |= tuple->mask->list[i].bits;
    }
}

static uint64_t
hash_level(const struct tuple *tuple, uint32_t level, const struct flow *flow)
{
    return hash_flow(tuple->steps + tuple->levels[level].first,
                     tuple->levels[level].n, flow);
}

static void
mark_level(struct flow_mask *wc, const struct tuple *tuple, uint32_t level)
{
    const struct keyed_word *words = tuple->steps
                                     + tuple->levels[level].first;

    for (uint32_t i = 0; i < tuple->levels[level].n; i++) {
        wc->bits.w[words[i].word] |= words[i].bits;
    }
}

static bool
level_is_marked(const struct flow_mask *wc, const struct tuple *tuple,
                uint32_t level)
{
    const struct keyed_word *words = tuple->steps
                                     + tuple->levels[level].first;

    for (uint32_t i = 0; i < tuple->levels[level].n; i++) {
        if (words[i].bits & ~wc->bits.w[words[i].word]) {
            return false;
        }
    }
    return true;
}

/* Nothing was found on this way, down from level `above`: marks as much of it as
 * suffices to say so.  `hash` is that of the path above. */
static void
mark_reason(struct lookup *l, const struct way *way, uint32_t above,
            uint64_t hash)
{
    const struct tuple *tuple = way->tuple;

    for (uint32_t i = above; i < way->n_levels; i++) {
        bool was_marked = level_is_marked(l->wc, tuple, i);

        mark_level(l->wc, tuple, i);
        if (i + 1 == way->n_levels || !l->n_refine) {
            continue;
        }
        hash += hash_level(tuple, i, l->flow);
        /* Of what is marked already, only the last tells something new. */
        if (!was_marked || !level_is_marked(l->wc, tuple, i + 1)) {
            l->n_refine--;
            if (!prefixes_have(&l->cls->prefixes, hash)) {
                return;
            }
        }
    }
}

static void
mark_way(struct lookup *l, const struct way *way, uint32_t above)
{
    for (uint32_t i = above; i < way->n_levels; i++) {
        mark_level(l->wc, way->tuple, i);
    }
}

/* ---- Ways ---- */

/* A tuple's own hash, or that of a gate's prefix. */
static uint64_t
way_hash(const struct lookup *l, const struct way *way, uint32_t above,
         uint64_t hash)
{
    if (!way->below) {
        return hash_flow(way->tuple->words, way->tuple->mask->n, l->flow);
    }
    for (uint32_t i = above; i < way->n_levels; i++) {
        hash += hash_level(way->tuple, i, l->flow);
    }
    return hash;
}

static void
prefetch_way(const struct way *way)
{
    const struct tuple *tuple = way->tuple;

    if (!way->below) {
        __builtin_prefetch(tuple);
        __builtin_prefetch((const char *) tuple + CACHE_LINE);
        __builtin_prefetch(tuple->words);
        __builtin_prefetch((const char *) tuple->words + CACHE_LINE);
    }
}

static bool lookup_ways(struct lookup *, const struct ways *, uint32_t above,
                        uint64_t hash);

/* Did the answer depend on this way? */
static bool
lookup_way(struct lookup *l, const struct way *way, uint64_t hash,
           uint32_t above, uint64_t above_hash)
{
    if (!way->below) {
        if (lookup_tuple(l, way->tuple, hash)) {
            if (l->wc) {
                mark_tuple(l->wc, way->tuple);
            }
            return true;
        }
    } else if (prefixes_have(&l->cls->prefixes, hash)) {
        if (!lookup_ways(l, way->below, way->n_levels, hash)) {
            return false;
        }
        if (l->wc) {
            mark_way(l, way, above);
        }
        return true;
    }
    if (l->wc && l->n_refine) {
        mark_reason(l, way, above, above_hash);
    } else if (l->wc && way->below) {
        mark_way(l, way, above);
    } else if (l->wc) {
        mark_tuple(l->wc, way->tuple);
    }
    return true;
}

/* The ways from here on, by falling priority.  `above`: how many levels of their
 * paths led here, and `hash` is the hash of those.  What each will read is
 * fetched ahead: with hundreds of masks the memory's latency would be what
 * counts. */
static bool
lookup_ways(struct lookup *l, const struct ways *ways, uint32_t above,
            uint64_t hash)
{
    uint64_t hashes[AHEAD];
    bool has_looked = false;

    for (uint32_t i = 0; i < ways->n; i++) {
        const struct way *way = &ways->list[i];
        uint64_t own;

        if (way->max_priority <= l->best_priority) {
            break;
        }
        own = i < AHEAD ? way_hash(l, way, above, hash) : hashes[i % AHEAD];
        if (i + 2 * AHEAD < ways->n) {
            prefetch_way(&ways->list[i + 2 * AHEAD]);
        }
        if (i + AHEAD < ways->n) {
            const struct way *next = &ways->list[i + AHEAD];

            hashes[i % AHEAD] = way_hash(l, next, above, hash);
            cell_table_prefetch(next->below ? &l->cls->prefixes
                                            : &next->tuple->cells,
                                hashes[i % AHEAD]);
        }
        has_looked |= lookup_way(l, way, own, above, hash);
    }
    return has_looked;
}

const struct entry *
classifier_lookup(const struct classifier *cls, uint64_t version,
                  const struct flow *flow, struct flow_mask *wc)
{
    return classifier_lookup_clauses(cls, version, flow, wc, NULL);
}

const struct entry *
classifier_lookup_clauses(const struct classifier *cls, uint64_t version,
                          const struct flow *flow, struct flow_mask *wc,
                          struct clauses *clauses)
{
    struct lookup l = {
        .cls = cls,
        .flow = flow,
        .wc = wc,
        .version = version,
        .clauses = clauses,
        .best_priority = -1,
        .n_refine = CLASSIFIER_REFINE_MAX,
    };

    lookup_ways(&l, atomic_load_explicit(&cls->ways, memory_order_acquire), 0,
                0);
    return l.best;
}
