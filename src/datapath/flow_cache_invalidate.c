/* Which cache entries can a change of the tables touch?
 *
 * The writer does this work, once per publish, so that packets never do.  An
 * entry is touched when it looked into the changed table and when some packet
 * can meet both the entry and the changed match: where both have a bit, the bits
 * agree.  Words that were rewritten before a later lookup say nothing and are
 * left out.
 *
 * Changes are grouped by mask.  For a group and a cache mask the bits in common
 * are the same for all, so a group of many changes is a small hash set of their
 * values under these bits: one pass over the entries serves all. */
#include "datapath/flow_cache.h"

#include <stdlib.h>

enum {
    SET_MIN = 4,                  /* below that many changes: compare each */
    PREFETCH = 16,                /* slots ahead */
};

struct change_group {
    const struct flow_mask *mask; /* NULL: the whole table */
    uint64_t tables;              /* folded like struct cache_slot's */
    unsigned int n;
    const struct flow **values;
    struct common **by_mask;      /* by cache mask id; made when needed */
};

/* A group's changes as seen through one cache mask. */
struct common {
    unsigned int n_words;
    uint8_t index[FLOW_KEY_WORDS];      /* of the key word */
    uint8_t position[FLOW_KEY_WORDS];   /* of that word in the entry */
    uint64_t bits[FLOW_KEY_WORDS];
    uint32_t *set;                /* hash table of values + 1, or NULL */
    uint32_t set_mask;
};

static uint64_t
fold(uint8_t table)
{
    return UINT64_C(1) << (table % 64);
}

static bool
same_mask(const struct flow_mask *a, const struct flow_mask *b)
{
    return a == b || (a && b && !memcmp(a, b, sizeof *a));
}

static unsigned int
group_changes(const struct datapath_change *changes, unsigned int n,
              struct change_group *groups)
{
    unsigned int n_groups = 0;

    for (unsigned int i = 0; i < n; i++) {
        const struct datapath_change *c = &changes[i];
        const struct flow_mask *mask = c->value ? c->mask : NULL;
        unsigned int g = 0;

        while (g < n_groups && (!same_mask(groups[g].mask, mask)
                                || groups[g].tables != fold(c->table))) {
            g++;
        }
        if (g == n_groups) {
            groups[n_groups++] = (struct change_group) {
                .mask = mask, .tables = fold(c->table),
                .values = xcalloc(n - i, sizeof *groups[g].values),
            };
        }
        groups[g].values[groups[g].n++] = c->value;
    }
    return n_groups;
}

static uint32_t
hash_value(const struct flow_cache *cache, const struct common *c,
           const struct flow *value)
{
    uint64_t words[FLOW_KEY_WORDS];

    for (unsigned int i = 0; i < c->n_words; i++) {
        words[i] = value->w[c->index[i]] & c->bits[i];
    }
    return (uint32_t) hash_bytes(cache->key, words,
                                 c->n_words * sizeof *words);
}

static void
make_set(const struct flow_cache *cache, const struct change_group *g,
         struct common *c)
{
    c->set_mask = 15;
    while (c->set_mask < g->n * 2) {
        c->set_mask = c->set_mask * 2 + 1;
    }
    c->set = xcalloc(c->set_mask + 1, sizeof *c->set);
    for (unsigned int i = 0; i < g->n; i++) {
        uint32_t h = hash_value(cache, c, g->values[i]);

        while (c->set[h & c->set_mask]) {
            h++;
        }
        c->set[h & c->set_mask] = i + 1;
    }
}

static const struct common *
common_of(const struct flow_cache *cache, struct change_group *g,
          const struct cache_mask *mask)
{
    struct common *c = g->by_mask[mask->id];

    if (c) {
        return c;
    }
    c = g->by_mask[mask->id] = xzalloc(sizeof *c);
    for (unsigned int i = 0; i < mask->n_words; i++) {
        uint64_t bits = mask->bits[i] & g->mask->bits.w[mask->index[i]];

        if (bits) {
            c->index[c->n_words] = mask->index[i];
            c->position[c->n_words] = (uint8_t) i;
            c->bits[c->n_words++] = bits;
        }
    }
    if (g->n >= SET_MIN) {
        make_set(cache, g, c);
    }
    return c;
}

/* Do entry and change agree wherever both have bits? */
static bool
agrees(const struct cache_entry *e, uint64_t rewritten,
       const struct common *c, const struct flow *value)
{
    for (unsigned int i = 0; i < c->n_words; i++) {
        uint64_t diff = (cache_entry_key(e, c->position[i])
                         ^ value->w[c->index[i]]) & c->bits[i];

        if (diff && !(rewritten >> c->index[i] & 1)) {
            return false;
        }
    }
    return true;
}

static bool
touches(const struct flow_cache *cache, struct change_group *g,
        const struct cache_entry *e, uint64_t rewritten)
{
    const struct common *c;

    if (!g->mask) {
        return true;
    }
    c = common_of(cache, g, e->mask);
    if (c->set && !rewritten) {
        uint64_t words[FLOW_KEY_WORDS];
        uint32_t h;

        for (unsigned int i = 0; i < c->n_words; i++) {
            words[i] = cache_entry_key(e, c->position[i]) & c->bits[i];
        }
        h = (uint32_t) hash_bytes(cache->key, words,
                                  c->n_words * sizeof *words);
        for (; c->set[h & c->set_mask]; h++) {
            if (agrees(e, 0, c, g->values[c->set[h & c->set_mask] - 1])) {
                return true;
            }
        }
        return false;
    }
    for (unsigned int i = 0; i < g->n; i++) {
        if (agrees(e, rewritten, c, g->values[i])) {
            return true;
        }
    }
    return false;
}

static bool
mark_stale(struct cache_entry *e)
{
    return !(atomic_fetch_or_explicit(&e->flags, CACHE_STALE,
                                      memory_order_release) & CACHE_STALE);
}

unsigned int
flow_cache_invalidate(struct flow_cache *cache,
                      const struct datapath_change *changes, unsigned int n)
{
    struct change_group *groups = xcalloc(n, sizeof *groups);
    unsigned int n_groups = group_changes(changes, n, groups);
    unsigned int n_ids = cache->max_masks * 2 + 64, n_stale = 0;
    uint64_t tables = 0;
    uint32_t n_slots;

    for (unsigned int g = 0; g < n_groups; g++) {
        tables |= groups[g].tables;
        groups[g].by_mask = xcalloc(n_ids, sizeof *groups[g].by_mask);
    }

    flow_cache_visit_begin(cache);
    n_slots = atomic_load_explicit(&cache->n_slots, memory_order_acquire);
    for (uint32_t i = 0; i < n_slots; i++) {
        struct cache_entry *e = flow_cache_slot(cache, i);
        uint64_t looked_into = atomic_load_explicit(&cache->slots[i].tables,
                                                    memory_order_relaxed);

        /* Entries lie anywhere: fetch those of the next slots meanwhile. */
        if (i + PREFETCH < n_slots) {
            __builtin_prefetch(flow_cache_slot(cache, i + PREFETCH));
        }
        if (!e || !(looked_into & tables)
            || atomic_load_explicit(&e->flags, memory_order_relaxed)) {
            continue;
        }
        for (unsigned int g = 0; g < n_groups; g++) {
            if ((looked_into & groups[g].tables)
                && touches(cache, &groups[g], e,
                           atomic_load_explicit(&cache->slots[i].rewritten,
                                                memory_order_relaxed))) {
                n_stale += mark_stale(e);
                break;
            }
        }
    }
    flow_cache_visit_end(cache);

    for (unsigned int g = 0; g < n_groups; g++) {
        for (unsigned int i = 0; i < n_ids; i++) {
            if (groups[g].by_mask[i]) {
                free(groups[g].by_mask[i]->set);
                free(groups[g].by_mask[i]);
            }
        }
        free(groups[g].by_mask);
        free(groups[g].values);
    }
    free(groups);
    return n_stale;
}

unsigned int
flow_cache_invalidate_all(struct flow_cache *cache)
{
    unsigned int n_stale = 0;
    uint32_t n_slots;

    flow_cache_visit_begin(cache);
    n_slots = atomic_load_explicit(&cache->n_slots, memory_order_acquire);
    for (uint32_t i = 0; i < n_slots; i++) {
        struct cache_entry *e = flow_cache_slot(cache, i);

        if (e) {
            n_stale += mark_stale(e);
        }
    }
    flow_cache_visit_end(cache);
    return n_stale;
}
