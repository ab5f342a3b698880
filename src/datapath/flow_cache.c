#include "datapath/flow_cache.h"

#include <stdlib.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "packet/ip.h"

enum {
    L1_WAYS = 7,
    SORT_INTERVAL = 4096,         /* level 2 hits of a port between sorts */
    EVICT_TRIES = 24,
    SWEEP_SLOTS = 512,
};

/* tags[0] is unused so that a zero tag can mean "empty"; tags of entries are
 * never zero. */
struct l1_bucket {
    uint8_t tags[8];
    struct cache_entry *entries[L1_WAYS];
};
static_assert(sizeof(struct l1_bucket) == CACHE_LINE,
              "a level 1 bucket is a cache line");

static void *
big_alloc(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    if (size >= 4 << 20) {
        madvise(p, size, MADV_HUGEPAGE);
    }
    return p;
}

static void
big_free(void *p, size_t size)
{
    if (p) {
        munmap(p, size);
    }
}

static uint64_t
power_of_2_above(uint64_t n)
{
    uint64_t p = 64;

    while (p < n) {
        p *= 2;
    }
    return p;
}

int
flow_cache_init(struct flow_cache *cache, const struct datapath_config *config)
{
    uint32_t n = config->max_entries;

    memset(cache, 0, sizeof *cache);
    cache->key = hash_key_random();
    cache->rng = cache->key.seed | 1;
    cache->max_entries = n;
    cache->max_masks = config->max_masks;
    cache->port_max_entries = MAX(n / config->port_share, 16u);
    cache->port_max_masks = MAX(config->max_masks / config->port_share, 1u);
    cache->l1_mask = power_of_2_above(n / 4) - 1;
    cache->l2_mask = (uint32_t) power_of_2_above(n) - 1;

    cache->l1 = big_alloc((cache->l1_mask + 1) * sizeof *cache->l1);
    cache->l2 = big_alloc((cache->l2_mask + UINT64_C(1))
                          * sizeof *cache->l2);
    cache->slots = big_alloc(n * sizeof *cache->slots);
    cache->slab = big_alloc(n * sizeof *cache->slab);
    cache->ports = big_alloc(DP_MAX_PORTS * sizeof *cache->ports);
    if (!cache->l1 || !cache->l2 || !cache->slots || !cache->slab
        || !cache->ports) {
        flow_cache_fini(cache);
        return -ENOMEM;
    }
    cache->mask_by_id = xcalloc(cache->max_masks * 2 + 64,
                                sizeof *cache->mask_by_id);
    pthread_mutex_init(&cache->visit, NULL);
    return 0;
}

static void
free_entry_parts(struct cache_entry *e)
{
    free(e->key_more);
    e->key_more = NULL;
    if (e->actions_len > CACHE_ACTIONS_INLINE) {
        free(e->actions);
    }
    e->actions_len = 0;
}

static void
free_limbo(struct flow_cache *cache)
{
    while (cache->limbo) {
        struct cache_entry *e = cache->limbo;

        cache->limbo = e->next;
        free_entry_parts(e);
        e->next = cache->free_entries;
        cache->free_entries = e;
    }
    while (cache->limbo_masks) {
        struct cache_mask *mask = cache->limbo_masks;

        cache->limbo_masks = mask->next;
        cache->mask_by_id[mask->id] = NULL;
        free(mask);
    }
}

void
flow_cache_fini(struct flow_cache *cache)
{
    uint32_t n = cache->max_entries;

    if (cache->slab) {
        for (uint32_t i = 0; i < cache->n_slab; i++) {
            free_entry_parts(&cache->slab[i]);
        }
    }
    if (cache->mask_by_id) {
        cache->limbo = NULL;
        free_limbo(cache);
        while (cache->masks) {
            struct cache_mask *mask = cache->masks;

            cache->masks = mask->next;
            free(mask);
        }
        free(cache->mask_by_id);
    }
    if (cache->ports) {
        for (unsigned int i = 0; i < DP_MAX_PORTS; i++) {
            free(cache->ports[i].list);
        }
    }
    big_free(cache->l1, (cache->l1_mask + 1) * sizeof *cache->l1);
    big_free(cache->l2, (cache->l2_mask + UINT64_C(1)) * sizeof *cache->l2);
    big_free(cache->slots, n * sizeof *cache->slots);
    big_free(cache->slab, n * sizeof *cache->slab);
    big_free(cache->ports, DP_MAX_PORTS * sizeof *cache->ports);
}

/* ---- Level 1 ---- */

/* TTL, TOS and TCP flags are left out: they change within a connection. */
uint64_t
flow_cache_hash(const struct flow_cache *cache, const struct flow_key *key)
{
    uint64_t w[10];

    w[0] = key->w[0];
    w[1] = key->w[1];
    w[2] = key->w[2];
    if (LIKELY(key->map & FLOW_WORD_BIT(nw_src))) {
        w[3] = key->w[FLOW_WORD(nw_src)];
        w[4] = key->w[FLOW_WORD(nw_proto)]
               & htobe64(UINT64_C(0xff0000ffffffffff));
        return hash_bytes(cache->key, w, 40);
    }
    if (key->map & FLOW_WORD_BIT(ipv6_src)) {
        memcpy(&w[3], &key->f.ipv6_src, 32);
        w[7] = key->w[FLOW_WORD(nw_proto)]
               & htobe64(UINT64_C(0xff0000ffffffffff));
        return hash_bytes(cache->key, w, 64);
    }
    w[3] = flow_key_word(key, FLOW_WORD(mpls_lse[0]));
    return hash_bytes(cache->key, w, 32);
}

static struct l1_bucket *
l1_bucket(const struct flow_cache *cache, uint64_t hash)
{
    return &cache->l1[hash & cache->l1_mask];
}

static uint8_t
l1_tag(uint64_t hash)
{
    return (uint8_t) (hash >> 56) | 1;
}

/* Bit i: entries[i] has the tag. */
static unsigned int
l1_match(const struct l1_bucket *b, uint8_t tag)
{
#ifdef __SSE2__
    __m128i tags = _mm_loadl_epi64((const __m128i *) b->tags);

    return ((unsigned int) _mm_movemask_epi8(
                _mm_cmpeq_epi8(tags, _mm_set1_epi8((char) tag))) >> 1)
           & ((1u << L1_WAYS) - 1);
#else
    unsigned int bits = 0;

    for (unsigned int i = 0; i < L1_WAYS; i++) {
        bits |= (unsigned int) (b->tags[i + 1] == tag) << i;
    }
    return bits;
#endif
}

void
flow_cache_prefetch(const struct flow_cache *cache, uint64_t hash)
{
    __builtin_prefetch(l1_bucket(cache, hash));
}

struct cache_entry *
flow_cache_candidate(const struct flow_cache *cache, uint64_t hash)
{
    const struct l1_bucket *b = l1_bucket(cache, hash);
    unsigned int bits = l1_match(b, l1_tag(hash));
    struct cache_entry *e;

    if (!bits) {
        return NULL;
    }
    e = b->entries[__builtin_ctz(bits)];
    __builtin_prefetch(e);
    __builtin_prefetch((const char *) e + CACHE_LINE, 1);
    return e;
}

struct cache_entry *
flow_cache_lookup_l1(const struct flow_cache *cache,
                     const struct flow_key *key, uint64_t hash)
{
    const struct l1_bucket *b = l1_bucket(cache, hash);

    for (unsigned int bits = l1_match(b, l1_tag(hash)); bits;
         bits &= bits - 1) {
        struct cache_entry *e = b->entries[__builtin_ctz(bits)];

        if (cache_entry_is_alive(e) && cache_entry_holds(e, key)) {
            return e;
        }
    }
    return NULL;
}

static uint32_t
cache_random(struct flow_cache *cache)
{
    cache->rng ^= cache->rng << 13;
    cache->rng ^= cache->rng >> 7;
    cache->rng ^= cache->rng << 17;
    return (uint32_t) (cache->rng >> 32);
}

void
flow_cache_insert_l1(struct flow_cache *cache, struct cache_entry *e,
                     uint64_t hash)
{
    struct l1_bucket *b = l1_bucket(cache, hash);
    unsigned int way = cache_random(cache) % L1_WAYS;

    for (unsigned int i = 0; i < L1_WAYS; i++) {
        if (!b->tags[i + 1] || b->entries[i] == e
            || !cache_entry_is_alive(b->entries[i])) {
            way = i;
            break;
        }
    }
    b->tags[way + 1] = l1_tag(hash);
    b->entries[way] = e;
}

/* ---- Level 2 ---- */

static uint32_t
l2_hash(const struct flow_cache *cache, const struct cache_mask *mask,
        const uint64_t *words)
{
    struct hash_key key = { cache->key.seed + mask->id };

    return (uint32_t) hash_bytes(key, words, mask->n_words * sizeof *words);
}

static unsigned int
mask_key(const struct cache_mask *mask, const struct flow_key *key,
         uint64_t *words)
{
    for (unsigned int i = 0; i < mask->n_words; i++) {
        words[i] = flow_key_word(key, mask->index[i]) & mask->bits[i];
    }
    return mask->n_words;
}

static bool
words_equal(const struct cache_entry *e, const uint64_t *words)
{
    for (unsigned int i = 0; i < e->mask->n_words; i++) {
        if (cache_entry_key(e, i) != words[i]) {
            return false;
        }
    }
    return true;
}

static struct cache_entry *
l2_find(const struct flow_cache *cache, const struct cache_mask *mask,
        const uint64_t *words, uint32_t hash)
{
    struct cache_entry *e = cache->l2[hash & cache->l2_mask];

    while (e && (e->hash != hash || e->mask != mask
                 || !words_equal(e, words))) {
        e = e->next;
    }
    return e;
}

static int
compare_hits(const void *a_, const void *b_)
{
    const struct port_mask *a = a_, *b = b_;

    return a->hits < b->hits ? 1 : a->hits > b->hits ? -1 : 0;
}

/* Most used first; old use counts half. */
static void
sort_masks(struct port_masks *pm)
{
    qsort(pm->list, pm->n, sizeof *pm->list, compare_hits);
    for (unsigned int i = 0; i < pm->n; i++) {
        pm->list[i].hits /= 2;
    }
    pm->until_sort = SORT_INTERVAL;
}

struct cache_entry *
flow_cache_lookup_l2(struct flow_cache *cache, const struct flow_key *key,
                     unsigned int *n_probed)
{
    struct port_masks *pm = &cache->ports[be32toh(key->f.in_port)];
    unsigned int n = MIN(pm->n, FLOW_CACHE_PROBES);
    uint64_t words[FLOW_KEY_WORDS];

    for (unsigned int i = 0; i < n; i++) {
        struct cache_mask *mask = pm->list[i].mask;
        struct cache_entry *e;

        mask_key(mask, key, words);
        e = l2_find(cache, mask, words, l2_hash(cache, mask, words));
        ++*n_probed;
        if (e) {
            pm->list[i].hits++;
            if (!--pm->until_sort) {
                sort_masks(pm);
            }
            return e;
        }
    }
    return NULL;
}

/* ---- Masks ---- */

static struct cache_mask *
mask_intern(struct flow_cache *cache, const uint64_t bits[FLOW_KEY_WORDS])
{
    struct cache_mask *mask, m = { 0 };

    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        if (bits[i]) {
            m.map |= UINT64_C(1) << i;
            m.index[m.n_words] = (uint8_t) i;
            m.bits[m.n_words++] = bits[i];
        }
    }
    for (mask = cache->masks; mask; mask = mask->next) {
        if (mask->map == m.map
            && !memcmp(mask->bits, m.bits, m.n_words * sizeof m.bits[0])) {
            return mask;
        }
    }
    for (m.id = 0; cache->mask_by_id[m.id]; m.id++) {
        if (m.id + 1 >= cache->max_masks * 2 + 64) {
            return NULL;
        }
    }
    mask = xmemdup(&m, sizeof m);
    mask->next = cache->masks;
    cache->masks = mask;
    cache->mask_by_id[mask->id] = mask;
    cache->n_masks++;
    return mask;
}

static void
mask_unref(struct flow_cache *cache, struct cache_mask *mask)
{
    struct cache_mask **p = &cache->masks;

    if (--mask->n_entries) {
        return;
    }
    while (*p != mask) {
        p = &(*p)->next;
    }
    *p = mask->next;
    cache->n_masks--;
    /* Visitors may look at it until they are gone. */
    mask->next = cache->limbo_masks;
    cache->limbo_masks = mask;
}

static struct port_mask *
port_mask_find(struct port_masks *pm, const struct cache_mask *mask)
{
    for (unsigned int i = 0; i < pm->n; i++) {
        if (pm->list[i].mask == mask) {
            return &pm->list[i];
        }
    }
    return NULL;
}

static void
port_mask_ref(struct port_masks *pm, struct cache_mask *mask)
{
    struct port_mask *m = port_mask_find(pm, mask);

    if (!m) {
        if (pm->n == pm->size) {
            pm->size = MAX(4u, pm->size * 2);
            pm->list = xrealloc(pm->list, pm->size * sizeof *pm->list);
        }
        if (!pm->n) {
            pm->until_sort = SORT_INTERVAL;
        }
        m = &pm->list[pm->n++];
        *m = (struct port_mask) { .mask = mask };
    }
    m->n_entries++;
    pm->n_entries++;
}

static void
port_mask_unref(struct port_masks *pm, const struct cache_mask *mask)
{
    struct port_mask *m = port_mask_find(pm, mask);

    pm->n_entries--;
    if (!--m->n_entries) {
        /* Keep the order of the others. */
        memmove(m, m + 1, (size_t) (&pm->list[--pm->n] - m) * sizeof *m);
    }
}

/* The bits that the answer depended on, always with the port; widened to all
 * bits of what the packet has when the port (or cache) has no mask to spare. */
static struct cache_mask *
choose_mask(struct flow_cache *cache, const struct flow_key *key,
            const struct flow_mask *wanted, bool *is_exact)
{
    struct port_masks *pm = &cache->ports[be32toh(key->f.in_port)];
    uint64_t bits[FLOW_KEY_WORDS];
    struct cache_mask *mask;

    memcpy(bits, wanted->bits.w, sizeof bits);
    bits[FLOW_WORD(in_port)] = UINT64_MAX;
    *is_exact = false;
    if (pm->n < cache->port_max_masks && cache->n_masks < cache->max_masks) {
        return mask_intern(cache, bits);
    }
    mask = mask_intern(cache, bits);
    if (mask && mask->n_entries && port_mask_find(pm, mask)) {
        return mask;
    }
    if (mask && !mask->n_entries) {
        mask->n_entries = 1;
        mask_unref(cache, mask);
    }
    *is_exact = true;
    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        if (key->map >> i & 1) {
            bits[i] = UINT64_MAX;
        }
    }
    return mask_intern(cache, bits);
}

/* ---- Entries ---- */

static void
l2_unlink(struct flow_cache *cache, struct cache_entry *e)
{
    struct cache_entry **p = &cache->l2[e->hash & cache->l2_mask];

    while (*p != e) {
        p = &(*p)->next;
    }
    *p = e->next;
}

void
flow_cache_remove(struct flow_cache *cache, struct cache_entry *e,
                  cache_gone *gone, void *aux)
{
    struct cache_slot *slot = &cache->slots[e->slot];

    l2_unlink(cache, e);
    atomic_store_explicit(&slot->entry, NULL, memory_order_release);
    atomic_store_explicit(&slot->remove, false, memory_order_relaxed);
    slot->next_free = cache->free_slot;
    cache->free_slot = e->slot + 1;
    atomic_fetch_or_explicit(&e->flags, CACHE_DEAD, memory_order_relaxed);
    port_mask_unref(&cache->ports[e->in_port], e->mask);
    cache->n_entries--;
    if (gone) {
        gone(aux, e);
    }
    mask_unref(cache, cache->mask_by_id[e->mask->id]);
    e->next = cache->limbo;
    cache->limbo = e;
}

/* Makes room by dropping an entry of this port (or, with `port` 0, of any):
 * of a few random ones the longest unused. */
static bool
evict(struct flow_cache *cache, uint32_t port, cache_gone *gone, void *aux)
{
    uint32_t n = atomic_load_explicit(&cache->n_slots, memory_order_relaxed);
    struct cache_entry *victim = NULL;
    unsigned int n_seen = 0;

    for (unsigned int i = 0; i < EVICT_TRIES && n_seen < 4; i++) {
        struct cache_entry *e = flow_cache_slot(cache,
                                                cache_random(cache) % n);

        if (!e || (port && e->in_port != port)) {
            continue;
        }
        n_seen++;
        if (!victim || e->used < victim->used) {
            victim = e;
        }
    }
    if (!victim) {
        return false;
    }
    flow_cache_remove(cache, victim, gone, aux);
    return true;
}

static void
try_free_limbo(struct flow_cache *cache)
{
    if ((cache->limbo || cache->limbo_masks)
        && !pthread_mutex_trylock(&cache->visit)) {
        free_limbo(cache);
        pthread_mutex_unlock(&cache->visit);
    }
}

static struct cache_entry *
entry_alloc(struct flow_cache *cache)
{
    struct cache_entry *e;

    if (!cache->free_entries) {
        if (cache->n_slab < cache->max_entries) {
            return &cache->slab[cache->n_slab++];
        }
        try_free_limbo(cache);
    }
    e = cache->free_entries;
    if (e) {
        cache->free_entries = e->next;
    }
    return e;
}

static bool
slot_alloc(struct flow_cache *cache, uint32_t *slot)
{
    uint32_t n = atomic_load_explicit(&cache->n_slots, memory_order_relaxed);

    if (cache->free_slot) {
        *slot = cache->free_slot - 1;
        cache->free_slot = cache->slots[*slot].next_free;
        return true;
    }
    if (n == cache->max_entries) {
        return false;
    }
    *slot = n;
    atomic_store_explicit(&cache->n_slots, n + 1, memory_order_release);
    return true;
}

static void
entry_set_actions(struct cache_entry *e, struct dp_action_list list)
{
    const struct dp_action_output *out = (const void *) list.first;

    e->actions_len = (uint16_t) list.len;
    if (list.len <= CACHE_ACTIONS_INLINE) {
        if (list.len) {
            memcpy(e->actions_inline, list.first, list.len);
        }
    } else {
        e->actions = xmemdup(list.first, list.len);
    }
    e->is_output = list.len == sizeof *out
                   && out->h.type == DP_ACTION_OUTPUT;
    e->out_port = e->is_output ? out->port : 0;
}

struct cache_entry *
flow_cache_insert(struct flow_cache *cache, const struct flow_key *key,
                  uint64_t hash, const struct upcall *upcall,
                  cache_gone *gone, void *aux, unsigned int *n_evicted,
                  bool *is_exact)
{
    uint32_t port = be32toh(key->f.in_port), slot, h;
    struct port_masks *pm = &cache->ports[port];
    uint64_t words[FLOW_KEY_WORDS];
    struct cache_mask *mask;
    struct cache_entry *e;

    mask = choose_mask(cache, key, &upcall->mask, is_exact);
    if (!mask) {
        return NULL;
    }
    mask->n_entries++;            /* ours, so that eviction cannot free it */
    mask_key(mask, key, words);
    h = l2_hash(cache, mask, words);
    e = l2_find(cache, mask, words, h);
    if (e) {
        flow_cache_remove(cache, e, gone, aux);
    }
    if (pm->n_entries >= cache->port_max_entries) {
        if (!evict(cache, port, gone, aux)) {
            goto no_room;
        }
        ++*n_evicted;
    } else if (cache->n_entries >= cache->max_entries) {
        if (!evict(cache, 0, gone, aux)) {
            goto no_room;
        }
        ++*n_evicted;
    }
    e = entry_alloc(cache);
    if (!e) {
        goto no_room;
    }
    if (!slot_alloc(cache, &slot)) {
        e->next = cache->free_entries;
        cache->free_entries = e;
        goto no_room;
    }

    e->mask = mask;
    e->hash = h;
    memcpy(e->key, words, MIN(mask->n_words, CACHE_KEY_INLINE)
                          * sizeof *words);
    if (mask->n_words > CACHE_KEY_INLINE) {
        e->key_more = xmemdup(words + CACHE_KEY_INLINE,
                              (mask->n_words - CACHE_KEY_INLINE)
                              * sizeof *words);
    }
    e->packets = e->bytes = 0;
    e->used = e->created = upcall->now;
    e->is_exact = *is_exact;
    e->credit = upcall->credit;
    e->slot = slot;
    e->in_port = port;
    entry_set_actions(e, dp_actions_list(&upcall->actions));
    atomic_store_explicit(&e->flags, 0, memory_order_relaxed);

    e->next = cache->l2[h & cache->l2_mask];
    cache->l2[h & cache->l2_mask] = e;
    port_mask_ref(pm, mask);
    cache->n_entries++;
    atomic_store_explicit(&cache->slots[slot].tables,
                          upcall->tables[0] | upcall->tables[1]
                              | upcall->tables[2] | upcall->tables[3],
                          memory_order_relaxed);
    atomic_store_explicit(&cache->slots[slot].rewritten, upcall->rewritten,
                          memory_order_relaxed);
    atomic_store(&cache->slots[slot].entry, e);     /* see check_version() */
    flow_cache_insert_l1(cache, e, hash);
    return e;

no_room:
    mask_unref(cache, mask);
    return NULL;
}

unsigned int
flow_cache_housekeep(struct flow_cache *cache, cache_gone *gone, void *aux)
{
    uint32_t n = atomic_load_explicit(&cache->n_slots, memory_order_relaxed);
    unsigned int n_gone = 0;

    if (atomic_load_explicit(&cache->has_requests, memory_order_acquire)) {
        if (!cache->sweep) {
            /* A request made during the sweep is found by the next one. */
            atomic_store(&cache->has_requests, false);
            cache->sweep = n;
        }
    }
    for (unsigned int i = 0; cache->sweep && i < SWEEP_SLOTS; i++) {
        struct cache_slot *slot = &cache->slots[--cache->sweep];

        if (atomic_load_explicit(&slot->remove, memory_order_relaxed)) {
            struct cache_entry *e = flow_cache_slot(cache, cache->sweep);

            if (e) {
                flow_cache_remove(cache, e, gone, aux);
                n_gone++;
            }
            atomic_store_explicit(&slot->remove, false, memory_order_relaxed);
        }
    }
    try_free_limbo(cache);
    return n_gone;
}

/* ---- Visitors ---- */

void
flow_cache_visit_begin(struct flow_cache *cache)
{
    pthread_mutex_lock(&cache->visit);
}

void
flow_cache_visit_end(struct flow_cache *cache)
{
    pthread_mutex_unlock(&cache->visit);
}

void
flow_cache_request_removal(struct flow_cache *cache, uint32_t slot)
{
    atomic_store_explicit(&cache->slots[slot].remove, true,
                          memory_order_relaxed);
    atomic_store_explicit(&cache->has_requests, true, memory_order_release);
}
