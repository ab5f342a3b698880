#include "conntrack/nat_ports.h"

#include <stdlib.h>

#include "lib/str.h"

enum { N_PLACES = 2 * NAT_MAX_POOLS };

static const uint64_t EVEN = UINT64_C(0x5555555555555555);

void
nat_ports_init(struct nat_ports *ports, struct hash_key key)
{
    ports->key = key;
    pthread_mutex_init(&ports->lock, NULL);
    ports->n_pools = 0;
    ports->pools = xcalloc(N_PLACES, sizeof *ports->pools);
}

void
nat_ports_fini(struct nat_ports *ports)
{
    for (unsigned int i = 0; i < N_PLACES; i++) {
        free(atomic_load(&ports->pools[i]));
    }
    free(ports->pools);
    pthread_mutex_destroy(&ports->lock);
}

/* The pool's place, or the free one where it would be. */
static uint32_t
place_of(struct nat_ports *ports, uint16_t zone, uint8_t family, uint8_t proto,
         const struct ip6_addr *addr)
{
    struct {
        struct ip6_addr addr;
        uint16_t zone;
        uint8_t family, proto;
    } key = { *addr, zone, family, proto };
    uint32_t i = (uint32_t) hash_bytes(ports->key, &key, sizeof key)
                 % N_PLACES;

    for (;; i = (i + 1) % N_PLACES) {
        const struct nat_pool *pool
            = atomic_load_explicit(&ports->pools[i], memory_order_acquire);

        if (!pool || (pool->zone == zone && pool->family == family
                      && pool->proto == proto
                      && !memcmp(&pool->addr, addr, sizeof *addr))) {
            return i;
        }
    }
}

static struct nat_pool *
add_pool(struct nat_ports *ports, uint16_t zone, uint8_t family, uint8_t proto,
         const struct ip6_addr *addr)
{
    struct nat_pool *pool;
    uint32_t i;

    pthread_mutex_lock(&ports->lock);
    i = place_of(ports, zone, family, proto, addr);
    pool = atomic_load(&ports->pools[i]);
    if (!pool && ports->n_pools < NAT_MAX_POOLS) {
        pool = xzalloc(sizeof *pool);
        pool->zone = zone;
        pool->family = family;
        pool->proto = proto;
        pool->addr = *addr;
        ports->n_pools++;
        atomic_store_explicit(&ports->pools[i], pool, memory_order_release);
    }
    pthread_mutex_unlock(&ports->lock);
    return pool;
}

struct nat_pool *
nat_ports_pool(struct nat_ports *ports, uint16_t zone, uint8_t family,
               uint8_t proto, const struct ip6_addr *addr, bool make)
{
    struct nat_pool *pool
        = atomic_load_explicit(&ports->pools[place_of(ports, zone, family,
                                                      proto, addr)],
                               memory_order_acquire);

    return pool || !make ? pool : add_pool(ports, zone, family, proto, addr);
}

/* A free one of the bits of `among`; -1: there is none. */
static int
claim_in_word(_Atomic uint64_t *word, uint64_t among)
{
    uint64_t taken = atomic_load_explicit(word, memory_order_relaxed);

    while (among & ~taken) {
        uint64_t bit = among & ~taken;

        bit &= -bit;
        if (atomic_compare_exchange_weak_explicit(word, &taken, taken | bit,
                                                  memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            return __builtin_ctzll(bit);
        }
    }
    return -1;
}

/* The bits of word w that lie in min..max. */
static uint64_t
range_bits(unsigned int w, uint16_t min, uint16_t max)
{
    uint64_t bits = UINT64_MAX;

    if (w == min / 64u) {
        bits &= UINT64_MAX << min % 64;
    }
    if (w == max / 64u) {
        bits &= UINT64_MAX >> (63 - max % 64);
    }
    return bits;
}

static bool
search(struct nat_pool *pool, uint16_t min, uint16_t max, uint32_t start,
       uint64_t among, uint16_t *port)
{
    unsigned int first = min / 64u, n = max / 64u - first + 1;

    for (unsigned int i = 0; i < n; i++) {
        unsigned int w = first + (start + i) % n;
        int bit = claim_in_word(&pool->words[w],
                                among & range_bits(w, min, max));

        if (bit >= 0) {
            *port = (uint16_t) (w * 64 + (unsigned int) bit);
            return true;
        }
    }
    return false;
}

bool
nat_pool_claim(struct nat_pool *pool, uint16_t wanted, bool is_kept,
               uint16_t min, uint16_t max, uint32_t start, uint16_t *port)
{
    uint64_t parity = wanted & 1 ? EVEN << 1 : EVEN;

    if (is_kept && wanted >= min && wanted <= max
        && claim_in_word(&pool->words[wanted / 64],
                         UINT64_C(1) << wanted % 64) >= 0) {
        *port = wanted;
    } else if (!search(pool, min, max, start, parity, port)
               && !search(pool, min, max, start, UINT64_MAX, port)) {
        return false;
    }
    atomic_fetch_add_explicit(&pool->n_used, 1, memory_order_relaxed);
    return true;
}

void
nat_pool_release(struct nat_pool *pool, uint16_t port)
{
    atomic_store_explicit(&pool->owners[port], 0, memory_order_relaxed);
    atomic_fetch_and_explicit(&pool->words[port / 64],
                              ~(UINT64_C(1) << port % 64),
                              memory_order_release);
    atomic_fetch_sub_explicit(&pool->n_used, 1, memory_order_relaxed);
}
