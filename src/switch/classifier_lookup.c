#include "switch/mask_tree.h"
#include "switch/prefixes.h"

#include <stdlib.h>

enum {
    /* So many ways are tried at a time: first all are hashed, then what the
     * hashes lead to is looked at, so that the memory's latency for one passes
     * while the others are worked on. */
    BATCH = 16,
    /* And reasons are looked for together, for so many ways. */
    MAX_FAILED = 32,
};

struct probe {
    uint64_t hash;
    struct cell_probe cells;
};

/* A way on which nothing was found, and how far its reason was looked for. */
struct failed_way {
    const struct way *way;
    const struct mask_word *words;
    uint32_t level;               /* up to here prefixes exist, or were not
                                     asked for */
    struct probe probe;           /* at this level */
};

struct lookup {
    const struct classifier *cls;
    const struct flow *flow;
    struct flow_mask *wc;
    uint64_t version;
    struct clauses *clauses;      /* NULL: nobody asks for them */
    const struct entry *best;
    int best_priority;
    unsigned int n_refine;        /* probes left for shorter reasons */
    uint32_t n_failed;
    struct failed_way failed[MAX_FAILED];
};

/* ---- What decided ---- */

static bool
is_marked(const struct flow_mask *wc, const struct mask_word *words,
          uint32_t n)
{
    uint64_t new = 0;

    for (uint32_t i = 0; i < n; i++) {
        new |= words[i].bits & ~wc->bits.w[words[i].word];
    }
    return !new;
}

static void
mark(struct flow_mask *wc, const struct mask_word *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        wc->bits.w[words[i].word] |= words[i].bits;
    }
}

static void
mark_level(struct flow_mask *wc, const struct tuple *tuple, uint32_t level)
{
    const struct path_word *words = tuple->steps + tuple->levels[level].first;

    for (uint32_t i = 0; i < tuple->levels[level].n; i++) {
        wc->bits.w[words[i].word] |= words[i].bits;
    }
}

static bool
level_is_marked(const struct flow_mask *wc, const struct tuple *tuple,
                uint32_t level)
{
    const struct path_word *words = tuple->steps + tuple->levels[level].first;

    for (uint32_t i = 0; i < tuple->levels[level].n; i++) {
        if (words[i].bits & ~wc->bits.w[words[i].word]) {
            return false;
        }
    }
    return true;
}

static bool
probe_prefix(const struct probe *probe)
{
    return cell_probe_find(&probe->cells, PREFIX_TAG_MASK,
                           prefix_tag(probe->hash), NULL, NULL, NULL) != 0;
}

/* Marks up to the next level that tells something new: of those that are marked
 * already only the last does.  False: there is none. */
static bool
failed_way_go_on(struct failed_way *f, const struct lookup *l)
{
    const struct tuple *tuple = f->way->tuple;

    for (;;) {
        uint32_t level = f->level++;
        bool was_marked = level_is_marked(l->wc, tuple, level);

        if (!was_marked) {
            mark_level(l->wc, tuple, level);
        }
        if (f->level == f->way->n_levels) {
            return false;
        }
        f->probe.hash += hash_level(tuple, level, l->flow);
        if (!was_marked || !level_is_marked(l->wc, tuple, f->level)) {
            f->probe.cells = cell_table_probe(&l->cls->prefixes,
                                              f->probe.hash);
            cell_probe_fetch(&f->probe.cells);
            return true;
        }
    }
}

/* One step further for the ways on the list; drops those whose reason is
 * found. */
static unsigned int
go_on_with_reasons(struct lookup *l, uint8_t *list, unsigned int n)
{
    unsigned int n_asked = 0, n_good = 0, n_left = 0;

    for (unsigned int i = 0; i < n; i++) {
        struct failed_way *f = &l->failed[list[i]];

        if (!l->n_refine) {
            mark(l->wc, f->words, f->way->n);
        } else if (failed_way_go_on(f, l)) {
            l->n_refine--;
            list[n_asked++] = list[i];
        }
    }
    for (unsigned int i = 0; i < n_asked; i++) {
        list[n_good] = list[i];
        n_good += cell_probe_looks_good(&l->failed[list[i]].probe.cells);
    }
    for (unsigned int i = 0; i < n_good; i++) {
        list[n_left] = list[i];
        n_left += probe_prefix(&l->failed[list[i]].probe);
    }
    return n_left;
}

/* For each way that failed, marks as much of it as suffices to say so.  All of
 * them are followed down together, level by level, so that waiting for the
 * memory is shared.
 *
 * The ways that could not have led to anything better than what was found in
 * the end are none of the reasons, and leave no marks. */
static void
mark_reasons(struct lookup *l)
{
    uint8_t list[MAX_FAILED];
    unsigned int n = 0;

    for (unsigned int i = 0; i < l->n_failed; i++) {
        const struct failed_way *f = &l->failed[i];

        list[n] = (uint8_t) i;
        n += f->way->max_priority >= l->best_priority &&
             !is_marked(l->wc, f->words, f->way->n);
    }
    while (n) {
        n = go_on_with_reasons(l, list, n);
    }
    l->n_failed = 0;
}

/* Nothing is there for this packet; `above` and `hash` tell of the list. */
static void
add_failed(struct lookup *l, const struct ways *from, const struct way *way,
           uint32_t above, uint64_t hash)
{
    const struct mask_word *words = from->words + way->first;
    struct failed_way *f;

    if (!l->wc || is_marked(l->wc, words, way->n)) {
        return;
    }
    if (!l->n_refine) {
        mark(l->wc, words, way->n);
        return;
    }
    if (l->n_failed == MAX_FAILED) {
        mark_reasons(l);
    }
    f = &l->failed[l->n_failed++];
    f->way = way;
    f->words = words;
    f->level = above;
    f->probe.hash = hash;
}

/* ---- Ways ---- */

struct match_ref {
    const struct mask_words *mask;
    const struct flow *flow;
    int best_priority;
    bool *is_passed_over;
};

/* The cell tells the priority: where many entries match a packet, nearly all
 * are passed over without a look at the entry itself, which is far away. */
static bool
entry_matches(const void *ref_, uint64_t cell)
{
    const struct match_ref *ref = ref_;

    if (classifier_cell_priority(cell) <= ref->best_priority) {
        *ref->is_passed_over = true;
        return false;
    }
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

/* Is there an entry with the packet's values, visible or not?  Also when it may
 * only look like one, and would not be good enough. */
static bool
lookup_tuple(struct lookup *l, const struct tuple *tuple,
             const struct probe *probe)
{
    bool is_passed_over = false;
    struct match_ref ref = { tuple->mask, l->flow, l->best_priority,
                             &is_passed_over };
    uint64_t cell = cell_probe_find(&probe->cells, CLASSIFIER_TAG_MASK,
                                    classifier_tag(probe->hash),
                                    entry_matches, &ref, NULL);
    const struct entry *entry = classifier_cell_entry(cell);

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
    return cell || is_passed_over;
}

static bool lookup_ways(struct lookup *, const struct ways *, uint32_t above,
                        uint64_t hash);

/* A way that looks good.  Did the answer depend on it? */
static bool
lookup_way(struct lookup *l, const struct ways *from, const struct way *way,
           const struct probe *probe, uint32_t above, uint64_t above_hash)
{
    bool is_found;

    if (way->below) {
        is_found = probe_prefix(probe);
        if (is_found &&
            !lookup_ways(l, way->below, way->n_levels, probe->hash)) {
            return false;
        }
    } else {
        is_found = lookup_tuple(l, way->tuple, probe);
    }
    if (!is_found) {
        add_failed(l, from, way, above, above_hash);
    } else if (l->wc) {
        mark(l->wc, from->words + way->first, way->n);
    }
    return true;
}

/* Where the next ways lead, as far as they can matter; returns how many. */
static uint32_t
probe_ways(const struct lookup *l, const struct ways *ways, uint32_t first,
           uint64_t hash, struct probe probes[BATCH])
{
    uint64_t settled = hash_flow(l->cls, ways->words, ways->n_settled,
                                 l->flow);
    const struct way *list = &ways->list[first];
    uint32_t n = 0;

    while (n < BATCH && first + n < ways->n &&
           list[n].max_priority > l->best_priority) {
        probes[n].hash = (list[n].below ? list[n].salt + hash : settled)
                         + hash_flow(l->cls, ways->words + list[n].first,
                                     list[n].n, l->flow);
        n++;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (first + i + BATCH < ways->n) {
            __builtin_prefetch(list[i + BATCH].tuple);
        }
        probes[i].cells = cell_table_probe(list[i].below
                                               ? &l->cls->prefixes
                                               : &list[i].tuple->cells,
                                           probes[i].hash);
        cell_probe_fetch(&probes[i].cells);
    }
    return n;
}

/* The ways from here on, by falling priority.  `above`: how many levels of
 * their paths led here, and `hash` is the hash of those.  Did the answer depend
 * on any? */
static bool
lookup_ways(struct lookup *l, const struct ways *ways, uint32_t above,
            uint64_t hash)
{
    struct probe probes[BATCH];
    bool has_looked = false;
    uint32_t n = BATCH;

    for (uint32_t first = 0; first < ways->n && n == BATCH; first += BATCH) {
        uint32_t good = 0;

        n = probe_ways(l, ways, first, hash, probes);
        for (uint32_t i = 0; i < n; i++) {
            good |= (uint32_t) cell_probe_looks_good(&probes[i].cells) << i;
        }
        for (uint32_t i = 0; i < n; i++) {
            const struct way *way = &ways->list[first + i];

            if (way->max_priority <= l->best_priority) {
                return has_looked;
            }
            if (good >> i & 1) {
                has_looked |= lookup_way(l, ways, way, &probes[i], above,
                                         hash);
            } else {
                add_failed(l, ways, way, above, hash);
                has_looked = true;
            }
        }
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
    struct lookup l;

    /* Not all of it: it is large. */
    l.cls = cls;
    l.flow = flow;
    l.wc = wc;
    l.version = version;
    l.clauses = clauses;
    l.best = NULL;
    l.best_priority = -1;
    l.n_refine = CLASSIFIER_REFINE_MAX;
    l.n_failed = 0;

    lookup_ways(&l, atomic_load_explicit(&cls->ways, memory_order_acquire), 0,
                0);
    if (l.n_failed) {
        mark_reasons(&l);
    }
    return l.best;
}
