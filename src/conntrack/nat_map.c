#include "conntrack/nat_map.h"

#include <stdlib.h>

#include "lib/huge.h"
#include "lib/str.h"

enum {
    N_SHARDS = 256,
    CHUNK = 64,                   /* mappings that a shard takes at once */
    MAX_ADDRESSES = 64,           /* tried for one mapping */
};

struct mapping {
    _Atomic uint32_t hash;        /* of the inside; whose shard it is of */
    _Atomic uint16_t zone;        /* the inside's, for who has no lock */
    uint32_t next;                /* id: chain of the bucket, or free ones */
    uint32_t refs;                /* 0: free */
    uint16_t port;                /* of the outside */
    _Atomic bool is_open;
    struct nat_inside inside;
    struct nat_pool *pool;        /* the outside's address */
};

struct shard {
    pthread_mutex_t lock;         /* of the chains, and of mappings in them */
    uint32_t free;
    _Atomic uint32_t n;
} __attribute__((aligned(CACHE_LINE)));

/* Ids are places + 1 in memory that is reserved at once and touched when it is
 * used: a mapping never moves, and its memory is never given back. */
struct nat_map {
    bool is_shared;               /* zones have no ports of their own */
    struct nat_ports ports;
    struct hash_key key;
    struct shard shards[N_SHARDS];
    uint32_t n_buckets;
    _Atomic uint32_t *heads;      /* read without the lock to prefetch */
    uint32_t max;
    _Atomic uint32_t n_places;
    struct mapping *places;
};

struct nat_map *
nat_map_create(uint32_t max, bool is_shared, struct hash_key key)
{
    struct nat_map *m = xzalloc_aligned(sizeof *m);

    m->is_shared = is_shared;
    m->key = key;
    nat_ports_init(&m->ports, key);
    for (unsigned int i = 0; i < N_SHARDS; i++) {
        pthread_mutex_init(&m->shards[i].lock, NULL);
    }
    m->n_buckets = N_SHARDS;
    while (m->n_buckets < 2 * (uint64_t) max) {
        m->n_buckets *= 2;
    }
    m->heads = huge_zalloc(m->n_buckets * sizeof *m->heads);
    m->max = max + N_SHARDS * CHUNK;
    m->places = huge_zalloc(m->max * sizeof *m->places);
    return m;
}

void
nat_map_destroy(struct nat_map *m)
{
    if (m) {
        nat_ports_fini(&m->ports);
        for (unsigned int i = 0; i < N_SHARDS; i++) {
            pthread_mutex_destroy(&m->shards[i].lock);
        }
        huge_free(m->heads, m->n_buckets * sizeof *m->heads);
        huge_free(m->places, m->max * sizeof *m->places);
        free(m);
    }
}

static struct mapping *
mapping_at(const struct nat_map *m, uint32_t id)
{
    return &m->places[id - 1];
}

static uint32_t
hash_inside(const struct nat_map *m, const struct nat_inside *in)
{
    struct {
        struct ip6_addr addr;
        uint16_t zone;
        be16 port;
        uint8_t family, proto;
        uint16_t zero;
    } words = { in->addr, in->zone, in->port, in->family, in->proto, 0 };

    return (uint32_t) hash_bytes(m->key, &words, sizeof words);
}

/* Low bits choose the shard and, with more, the bucket: all of a bucket's chain
 * is of one shard. */
static struct shard *
shard_of(struct nat_map *m, uint32_t hash)
{
    return &m->shards[hash % N_SHARDS];
}

static _Atomic uint32_t *
bucket_of(const struct nat_map *m, uint32_t hash)
{
    return &m->heads[hash & (m->n_buckets - 1)];
}

static uint32_t
first_of(const struct nat_map *m, uint32_t hash)
{
    return atomic_load_explicit(bucket_of(m, hash), memory_order_relaxed);
}

static void
set_first(struct nat_map *m, uint32_t hash, uint32_t id)
{
    atomic_store_explicit(bucket_of(m, hash), id, memory_order_relaxed);
}

static bool
same_inside(const struct nat_inside *a, const struct nat_inside *b)
{
    return a->port == b->port && a->zone == b->zone && a->proto == b->proto
           && a->family == b->family
           && !memcmp(&a->addr, &b->addr, sizeof a->addr);
}

/* A free place; 0: there is none.  The shard is locked. */
static uint32_t
take_place(struct nat_map *m, struct shard *shard)
{
    uint32_t id = shard->free, first;

    if (id) {
        shard->free = mapping_at(m, id)->next;
        if (shard->free) {
            __builtin_prefetch(mapping_at(m, shard->free), 1);
        }
        return id;
    }
    first = atomic_fetch_add(&m->n_places, CHUNK);
    if (first + CHUNK > m->max) {
        atomic_fetch_sub(&m->n_places, CHUNK);
        return 0;
    }
    for (uint32_t i = first + 1; i < first + CHUNK; i++) {
        mapping_at(m, i + 1)->next = shard->free;
        shard->free = i + 1;
    }
    return first + 1;
}

void
nat_map_prefetch(const struct nat_map *m, const struct nat_inside *in)
{
    __builtin_prefetch(bucket_of(m, hash_inside(m, in)), 1);
}

void
nat_map_prefetch_mapping(const struct nat_map *m, const struct nat_inside *in)
{
    uint32_t id = first_of(m, hash_inside(m, in));

    if (id) {
        __builtin_prefetch(mapping_at(m, id));
    }
}

static bool
lies_in(const struct mapping *mapping, const struct nat_range *range)
{
    return memcmp(&mapping->pool->addr, &range->min, sizeof range->min) >= 0
           && memcmp(&mapping->pool->addr, &range->max, sizeof range->max) <= 0
           && mapping->port >= range->port_min
           && mapping->port <= range->port_max;
}

static uint32_t
find_inside(struct nat_map *m, const struct nat_inside *in, uint32_t hash,
            const struct nat_range *range)
{
    for (uint32_t id = first_of(m, hash); id;
         id = mapping_at(m, id)->next) {
        const struct mapping *mapping = mapping_at(m, id);

        if (same_inside(&mapping->inside, in)
            && (!range || lies_in(mapping, range))) {
            return id;
        }
    }
    return 0;
}

/* ---- Which address ---- */

/* The last eight bytes of an address that count, as a number. */
static uint64_t
low_part(uint8_t family, const struct ip6_addr *addr)
{
    return family == 4 ? be32toh(get_be32(addr->b))
                       : be64toh(get_be64(addr->b + 8));
}

static struct ip6_addr
address_at(uint8_t family, const struct nat_range *range, uint64_t i)
{
    struct ip6_addr addr = range->min;
    uint64_t low = low_part(family, &addr) + i;

    if (family == 4) {
        put_be32(addr.b, htobe32((uint32_t) low));
    } else {
        be64 word = htobe64(low);

        memcpy(addr.b + 8, &word, sizeof word);
    }
    return addr;
}

static struct nat_pool *
pool_of(struct nat_map *m, const struct nat_inside *who,
        const struct ip6_addr *addr, bool make)
{
    return nat_ports_pool(&m->ports, m->is_shared ? 0 : who->zone,
                          who->family, who->proto, addr, make);
}

/* An inside host has one external address for all it does ("paired", RFC 4787
 * REQ-2), while that has ports left. */
static struct nat_pool *
claim(struct nat_map *m, const struct nat_inside *in,
      const struct nat_range *range, uint32_t start, uint16_t *port)
{
    uint64_t n = low_part(in->family, &range->max)
                 - low_part(in->family, &range->min) + 1;
    uint64_t first = hash_bytes(m->key, &in->addr, sizeof in->addr);

    for (uint64_t i = 0; i < MIN(n ? n : UINT64_MAX,
                                 (uint64_t) MAX_ADDRESSES); i++) {
        struct ip6_addr addr = address_at(in->family, range,
                                          n ? (first + i) % n : first + i);
        struct nat_pool *pool = pool_of(m, in, &addr, true);

        if (pool && nat_pool_claim(pool, be16toh(in->port),
                                   range->is_port_kept, range->port_min,
                                   range->port_max, start, port)) {
            return pool;
        }
    }
    return NULL;
}

/* ---- Mappings ---- */

static uint32_t
add(struct nat_map *m, const struct nat_inside *in, uint32_t hash,
    struct nat_pool *pool, uint16_t port)
{
    struct shard *shard = shard_of(m, hash);
    uint32_t id = take_place(m, shard);
    struct mapping *mapping;

    if (!id) {
        return 0;
    }
    mapping = mapping_at(m, id);
    mapping->inside = *in;
    mapping->pool = pool;
    mapping->port = port;
    mapping->refs = 1;
    atomic_store_explicit(&mapping->is_open, false, memory_order_relaxed);
    mapping->next = first_of(m, hash);
    set_first(m, hash, id);
    atomic_store(&mapping->hash, hash);
    atomic_store_explicit(&mapping->zone, in->zone, memory_order_relaxed);
    atomic_store_explicit(&pool->owners[port], id, memory_order_release);
    atomic_fetch_add(&shard->n, 1);
    return id;
}

static uint32_t
get(struct nat_map *m, const struct nat_inside *in,
    const struct nat_range *range, uint32_t hint, bool is_open,
    struct ip6_addr *addr, be16 *port)
{
    uint32_t hash = hash_inside(m, in);
    struct shard *shard = shard_of(m, hash);
    struct nat_pool *pool;
    uint16_t claimed;
    uint32_t id;

    pthread_mutex_lock(&shard->lock);
    id = find_inside(m, in, hash, range);
    if (id) {
        mapping_at(m, id)->refs++;
    } else {
        pool = claim(m, in, range, hint + (hash >> 8), &claimed);
        id = pool ? add(m, in, hash, pool, claimed) : 0;
        if (pool && !id) {
            nat_pool_release(pool, claimed);
        }
    }
    if (id) {
        struct mapping *mapping = mapping_at(m, id);

        *addr = mapping->pool->addr;
        *port = htobe16(mapping->port);
        if (is_open) {
            atomic_store_explicit(&mapping->is_open, true,
                                  memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return id;
}

uint32_t
nat_map_get(struct nat_map *m, const struct nat_inside *in,
            const struct nat_range *range, uint32_t hint,
            struct ip6_addr *addr, be16 *port)
{
    return get(m, in, range, hint, true, addr, port);
}

static uint32_t
get_just(struct nat_map *m, const struct nat_inside *in,
         const struct ip6_addr *addr, be16 port, bool is_open)
{
    struct nat_range just = {
        .min = *addr, .max = *addr, .port_min = be16toh(port),
        .port_max = be16toh(port),
    };
    struct ip6_addr got_addr;
    be16 got_port;

    return get(m, in, &just, 0, is_open, &got_addr, &got_port);
}

uint32_t
nat_map_restore(struct nat_map *m, const struct nat_inside *in,
                const struct ip6_addr *addr, be16 port)
{
    return get_just(m, in, addr, port, true);
}

static bool
is_open_mapping(const struct nat_map *m, uint32_t id)
{
    return atomic_load_explicit(&mapping_at(m, id)->is_open,
                                memory_order_relaxed);
}

/* An inside does not change while there are references. */
bool
nat_map_is_open(const struct nat_map *m, uint32_t id,
                const struct nat_inside *in)
{
    return is_open_mapping(m, id)
           && same_inside(&mapping_at(m, id)->inside, in);
}

/* 0: nobody has that external address and port. */
static uint32_t
owner_of(struct nat_map *m, const struct nat_inside *out,
         const struct nat_pool **pool)
{
    *pool = pool_of(m, out, &out->addr, false);
    return *pool ? atomic_load_explicit(&(*pool)->owners[be16toh(out->port)],
                                        memory_order_acquire) : 0;
}

bool
nat_map_zone(struct nat_map *m, const struct nat_inside *out, uint16_t *zone)
{
    const struct nat_pool *pool;
    uint32_t id = owner_of(m, out, &pool);

    if (id) {
        *zone = atomic_load_explicit(&mapping_at(m, id)->zone,
                                     memory_order_relaxed);
    }
    return id;
}

/* That of the outside's owner, if he is of that zone.  One reference more. */
static uint32_t
find_outside(struct nat_map *m, const struct nat_inside *out, bool is_open,
             struct ip6_addr *addr, be16 *port)
{
    const struct nat_pool *pool;
    uint32_t id = owner_of(m, out, &pool);
    uint16_t number = be16toh(out->port);
    struct mapping *mapping;
    struct shard *shard;

    if (!id) {
        return 0;
    }
    /* It may end, or become another, until its shard is locked. */
    mapping = mapping_at(m, id);
    shard = shard_of(m, atomic_load(&mapping->hash));
    pthread_mutex_lock(&shard->lock);
    if (shard == shard_of(m, atomic_load(&mapping->hash)) && mapping->refs
        && mapping->pool == pool && mapping->port == number
        && mapping->inside.zone == out->zone
        && (!is_open || is_open_mapping(m, id))) {
        mapping->refs++;
        *addr = mapping->inside.addr;
        *port = mapping->inside.port;
    } else {
        id = 0;
    }
    pthread_mutex_unlock(&shard->lock);
    return id;
}

uint32_t
nat_map_find(struct nat_map *m, const struct nat_inside *out,
             struct ip6_addr *addr, be16 *port)
{
    return find_outside(m, out, true, addr, port);
}

uint32_t
nat_map_hold(struct nat_map *m, const struct nat_inside *in,
             const struct ip6_addr *addr, be16 port)
{
    struct nat_inside out = *in;
    struct ip6_addr had_addr;
    be16 had_port;
    uint32_t id = get_just(m, in, addr, port, false);

    out.addr = *addr;
    out.port = port;
    return id ? id : find_outside(m, &out, false, &had_addr, &had_port);
}

static void
unlink_mapping(struct nat_map *m, uint32_t hash, uint32_t id)
{
    uint32_t next = mapping_at(m, id)->next, at = first_of(m, hash);

    if (at == id) {
        set_first(m, hash, next);
        return;
    }
    while (mapping_at(m, at)->next != id) {
        at = mapping_at(m, at)->next;
    }
    mapping_at(m, at)->next = next;
}

void
nat_map_put(struct nat_map *m, uint32_t id)
{
    struct mapping *mapping = mapping_at(m, id);
    uint32_t hash = atomic_load(&mapping->hash);
    struct shard *shard = shard_of(m, hash);

    pthread_mutex_lock(&shard->lock);
    if (!--mapping->refs) {
        unlink_mapping(m, hash, id);
        nat_pool_release(mapping->pool, mapping->port);
        mapping->next = shard->free;
        shard->free = id;
        atomic_fetch_sub(&shard->n, 1);
    }
    pthread_mutex_unlock(&shard->lock);
}

uint32_t
nat_map_count(const struct nat_map *m)
{
    uint32_t n = 0;

    for (unsigned int i = 0; i < N_SHARDS; i++) {
        n += atomic_load(&m->shards[i].n);
    }
    return n;
}

uint64_t
nat_map_memory(const struct nat_map *m)
{
    return sizeof *m + m->n_buckets * sizeof *m->heads
           + atomic_load(&m->n_places) * sizeof *m->places
           + m->ports.n_pools * sizeof(struct nat_pool);
}
