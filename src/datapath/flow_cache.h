/* The flow cache: seen it before?
 *
 * One per worker.  An entry says: packets whose key, under this mask, has this
 * value, get these actions.  Entries never overlap in meaning, because each was
 * translated from the same tables: whichever is found is right.
 *
 *   Level 1  buckets of one cache line: seven one-byte tags and entries, chosen
 *            by a keyed hash of the packet's addresses and ports.  What is found
 *            is verified by comparing the key under the entry's mask, so a slot
 *            may point anywhere: evicted, reused or wrong slots cost a miss.
 *   Level 2  one hash table of all entries by (mask, masked key); a packet is
 *            looked up under the masks of its port, most used first, at most
 *            FLOW_CACHE_PROBES of them.
 *
 * Quotas.  A port owns at most its share of entries and masks.  Over its mask
 * quota it gets exact entries only (all masks with every present bit share the
 * port's last places); over its entry quota it evicts its own.
 *
 * Threads.  The worker is the only writer.  Other threads visit, mark entries
 * stale or ask for removal, holding `visit` (flow_cache_visit_begin); the worker
 * never waits for it: what it unlinks goes to a limbo list that is emptied when
 * nobody visits.  Memory of entries is type-stable: it is reused for entries
 * only, so that level 1 may keep old pointers. */
#ifndef WEFT_DATAPATH_FLOW_CACHE_H
#define WEFT_DATAPATH_FLOW_CACHE_H

#include <pthread.h>
#include <stdatomic.h>

#include "datapath/datapath.h"

enum {
    FLOW_CACHE_PROBES = 8,
    CACHE_KEY_INLINE = 6,
    CACHE_ACTIONS_INLINE = 32,
};

enum cache_entry_flags {
    CACHE_STALE = 1,              /* tables changed: translate again */
    CACHE_DEAD = 2,               /* free, or in limbo */
};

/* Interned; shared by all entries of a cache that have it. */
struct cache_mask {
    uint32_t id;                  /* small, reused */
    uint32_t n_entries;
    uint64_t map;                 /* words that count */
    unsigned int n_words;
    uint8_t index[FLOW_KEY_WORDS];
    uint64_t bits[FLOW_KEY_WORDS];  /* of word index[i], first n_words */
    struct cache_mask *next;      /* in the intern list */
};

struct cache_entry {
    /* First line: is it this one? */
    const struct cache_mask *mask;
    _Atomic uint32_t flags;       /* enum cache_entry_flags */
    uint32_t hash;                /* of level 2 */
    uint64_t key[CACHE_KEY_INLINE];

    /* Second line: what every hit writes and does. */
    _Atomic uint64_t packets, bytes;
    _Atomic msec used;
    uint16_t actions_len;
    bool is_output;               /* the actions are one output */
    bool is_exact;
    uint32_t out_port;            /* of that output */
    union {
        struct dp_action *actions;
        uint64_t actions_inline[CACHE_ACTIONS_INLINE / 8];
    };

    /* Cold. */
    struct cache_entry *next;     /* level 2 chain, free list or limbo */
    uint64_t *key_more;           /* words beyond the inline ones */
    uint64_t credit;
    msec created;
    uint32_t slot;
    uint32_t in_port;
} __attribute__((aligned(CACHE_LINE)));
static_assert(offsetof(struct cache_entry, packets) == CACHE_LINE,
              "the first line of an entry decides a hit");
static_assert(offsetof(struct cache_entry, next) <= 2 * CACHE_LINE,
              "the second line of an entry serves a hit");

static inline uint64_t
cache_entry_key(const struct cache_entry *e, unsigned int i)
{
    return i < CACHE_KEY_INLINE ? e->key[i]
                                : e->key_more[i - CACHE_KEY_INLINE];
}

static inline struct dp_action_list
cache_entry_actions(const struct cache_entry *e)
{
    return (struct dp_action_list) {
        e->actions_len <= CACHE_ACTIONS_INLINE
            ? (const struct dp_action *) e->actions_inline : e->actions,
        e->actions_len
    };
}

/* A port's masks, most used first. */
struct port_masks {
    unsigned int n;
    uint32_t n_entries;
    struct port_mask {
        struct cache_mask *mask;
        uint32_t n_entries;
        uint32_t hits;            /* since the last sort; halved then */
    } *list;
    unsigned int size;
    uint32_t until_sort;          /* level 2 hits to go */
};

/* What other threads see of an entry's place. */
struct cache_slot {
    _Atomic(struct cache_entry *) entry;
    _Atomic uint64_t tables;      /* bitmap of table % 64 */
    _Atomic uint64_t rewritten;   /* as in struct upcall */
    _Atomic bool remove;          /* asked for by another thread */
    uint32_t next_free;
};

struct l1_bucket;

struct flow_cache {
    struct hash_key key;
    uint32_t max_entries, max_masks;
    uint32_t port_max_entries, port_max_masks;

    struct l1_bucket *l1;
    uint64_t l1_mask;
    struct cache_entry **l2;
    uint32_t l2_mask;

    _Atomic uint32_t n_entries, n_masks;
    struct cache_mask *masks;     /* all, for interning */
    struct cache_mask **mask_by_id;
    struct port_masks *ports;     /* by port id */

    struct cache_slot *slots;     /* max_entries; n_slots were ever used */
    _Atomic uint32_t n_slots;
    uint32_t free_slot;           /* index + 1; 0: none */
    struct cache_entry *free_entries;
    struct cache_entry *slab;     /* max_entries, touched as used */
    uint32_t n_slab;

    pthread_mutex_t visit;        /* held by visitors; the worker only tries */
    struct cache_entry *limbo;
    struct cache_mask *limbo_masks;
    _Atomic bool has_requests;    /* some slot's `remove` is set */
    uint32_t sweep;               /* next slot to sweep */
    uint64_t rng;
};

int flow_cache_init(struct flow_cache *, const struct datapath_config *);
/* No packets are in it and nobody visits. */
void flow_cache_fini(struct flow_cache *);

/* ---- Worker ---- */

/* Level 1 by hash; flow_cache_verify() then decides.  The three steps are apart
 * so that a batch overlaps its memory accesses. */
uint64_t flow_cache_hash(const struct flow_cache *, const struct flow_key *);
void flow_cache_prefetch(const struct flow_cache *, uint64_t hash);
/* The entry a tag points to, prefetched, or NULL. */
struct cache_entry *flow_cache_candidate(const struct flow_cache *,
                                         uint64_t hash);
/* The entry of this packet in level 1, or NULL. */
struct cache_entry *flow_cache_lookup_l1(const struct flow_cache *,
                                         const struct flow_key *,
                                         uint64_t hash);
/* Level 2; counts the masks probed.  The caller inserts what is found into
 * level 1. */
struct cache_entry *flow_cache_lookup_l2(struct flow_cache *,
                                         const struct flow_key *,
                                         unsigned int *n_probed);
void flow_cache_insert_l1(struct flow_cache *, struct cache_entry *,
                          uint64_t hash);

/* An entry that is not alive has no mask to compare with. */
static inline bool
cache_entry_is_alive(const struct cache_entry *e)
{
    return !(atomic_load_explicit(&e->flags, memory_order_relaxed)
             & CACHE_DEAD);
}

static inline bool
cache_entry_is_stale(const struct cache_entry *e)
{
    return atomic_load_explicit(&e->flags, memory_order_acquire)
           & CACHE_STALE;
}

/* Does the (living) entry hold for this key? */
static inline bool
cache_entry_holds(const struct cache_entry *e, const struct flow_key *key)
{
    const struct cache_mask *mask = e->mask;
    uint64_t diff = 0;
    unsigned int i, n = MIN(mask->n_words, CACHE_KEY_INLINE);

    for (i = 0; i < n; i++) {
        diff |= (flow_key_word(key, mask->index[i]) & mask->bits[i])
                ^ e->key[i];
    }
    if (UNLIKELY(mask->n_words > CACHE_KEY_INLINE)) {
        for (; i < mask->n_words; i++) {
            diff |= (flow_key_word(key, mask->index[i]) & mask->bits[i])
                    ^ e->key_more[i - CACHE_KEY_INLINE];
        }
    }
    return !diff;
}

/* Called for each entry that goes, before its memory is reused. */
typedef void cache_gone(void *aux, struct cache_entry *);

/* Makes an entry of an answered upcall and puts it into both levels; an entry
 * of the same mask and value is replaced.  NULL when the port is over its quota
 * and nothing could be evicted.  `is_exact` tells that the mask quota made it
 * exact. */
struct cache_entry *flow_cache_insert(struct flow_cache *,
                                      const struct flow_key *, uint64_t hash,
                                      const struct upcall *, cache_gone *,
                                      void *aux, unsigned int *n_evicted,
                                      bool *is_exact);
void flow_cache_remove(struct flow_cache *, struct cache_entry *,
                       cache_gone *, void *aux);
/* Carries out removal requests and empties the limbo: a bounded piece of work;
 * returns how many entries went. */
unsigned int flow_cache_housekeep(struct flow_cache *, cache_gone *,
                                  void *aux);

/* ---- Visitors ---- */

void flow_cache_visit_begin(struct flow_cache *);
void flow_cache_visit_end(struct flow_cache *);
static inline struct cache_entry *
flow_cache_slot(const struct flow_cache *cache, uint32_t i)
{
    return atomic_load(&cache->slots[i].entry);     /* see check_version() */
}
/* Marks stale what the changes can touch; returns how many entries. */
unsigned int flow_cache_invalidate(struct flow_cache *,
                                   const struct datapath_change *,
                                   unsigned int n);
unsigned int flow_cache_invalidate_all(struct flow_cache *);
void flow_cache_request_removal(struct flow_cache *, uint32_t slot);

#endif
