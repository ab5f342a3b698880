#include "controller/ipam.h"

#include <stdlib.h>

#include "controller/id_map.h"
#include "lib/str.h"

struct choice {
    uint64_t port;
    be32 address;
    bool is_wanted;               /* by the present call of assign */
};

/* One network's. */
struct pool {
    uint64_t network;
    struct id_map by_port;        /* struct choice */
};

struct ipam {
    struct ipam_watch watch;
    struct id_map pools;          /* struct pool, by network */
};

struct ipam *
ipam_create(const struct ipam_watch *watch)
{
    struct ipam *ipam = xzalloc(sizeof *ipam);

    if (watch) {
        ipam->watch = *watch;
    }
    id_map_init(&ipam->pools);
    return ipam;
}

static void
pool_destroy(struct pool *pool)
{
    struct choice *choice;

    ID_MAP_FOR_EACH (choice, &pool->by_port) {
        free(choice);
    }
    id_map_fini(&pool->by_port);
    free(pool);
}

void
ipam_destroy(struct ipam *ipam)
{
    struct pool *pool;

    if (!ipam) {
        return;
    }
    ID_MAP_FOR_EACH (pool, &ipam->pools) {
        pool_destroy(pool);
    }
    id_map_fini(&ipam->pools);
    free(ipam);
}

static struct pool *
pool_of(struct ipam *ipam, uint64_t network)
{
    struct pool *pool = id_map_find(&ipam->pools, network);

    if (!pool) {
        pool = xzalloc(sizeof *pool);
        pool->network = network;
        id_map_init(&pool->by_port);
        id_map_set(&ipam->pools, network, pool);
    }
    return pool;
}

static struct choice *
choice_of(struct pool *pool, uint64_t port)
{
    struct choice *choice = id_map_find(&pool->by_port, port);

    if (!choice) {
        choice = xzalloc(sizeof *choice);
        choice->port = port;
        id_map_set(&pool->by_port, port, choice);
    }
    return choice;
}

void
ipam_keep(struct ipam *ipam, uint64_t network, uint64_t port, be32 address)
{
    choice_of(pool_of(ipam, network), port)->address = address;
}

be32
ipam_find(const struct ipam *ipam, uint64_t network, uint64_t port)
{
    const struct pool *pool = id_map_find(&ipam->pools, network);
    const struct choice *choice
        = pool ? id_map_find(&pool->by_port, port) : NULL;

    return choice ? choice->address : 0;
}

/* ---- Ranges ---- */

bool
ipam_is_in_range(const struct intent_network *network, be32 address)
{
    static const struct address_share all = { 0 };
    struct address_piece pieces[NETWORK_MAX_RANGES];
    unsigned int n = address_share_pieces(network, all, pieces);

    if (!address || address == network->gateway) {
        return false;
    }
    for (unsigned int i = 0; i < n; i++) {
        if (be32toh(address) - pieces[i].first < pieces[i].n) {
            return true;
        }
    }
    return false;
}

static be32
address_at(const struct address_piece *pieces, unsigned int n,
           uint64_t position)
{
    for (unsigned int i = 0; i < n; i++) {
        if (position < pieces[i].n) {
            return htobe32(pieces[i].first + (uint32_t) position);
        }
        position -= pieces[i].n;
    }
    return 0;
}

/* ---- Choosing ---- */

/* Any value that is not NULL marks an address as taken. */
static void
take(struct id_map *taken, be32 address, void *owner)
{
    if (address) {
        id_map_set(taken, address, owner);
    }
}

static be32
choose(const struct intent_network *network, struct address_share share,
       const struct id_map *taken, uint64_t port)
{
    struct address_piece pieces[NETWORK_MAX_RANGES];
    unsigned int n = address_share_pieces(network, share, pieces);
    uint64_t total = 0, start;

    for (unsigned int i = 0; i < n; i++) {
        total += pieces[i].n;
    }
    if (!total) {
        return 0;
    }
    start = hash_u64((struct hash_key) { 0 }, port) % total;
    /* As many tries as there are addresses taken, and one, find a free one. */
    for (uint64_t i = 0; i < total && i <= taken->n + 1u; i++) {
        be32 address = address_at(pieces, n, (start + i) % total);

        if (ipam_is_in_range(network, address)
            && !id_map_find(taken, address)) {
            return address;
        }
    }
    return 0;
}

static void
tell(const struct ipam *ipam, const struct pool *pool, uint64_t port,
     be32 address)
{
    if (ipam->watch.changed) {
        ipam->watch.changed(ipam->watch.aux, pool->network, port, address);
    }
}

static void
drop_unwanted(struct ipam *ipam, struct pool *pool)
{
    struct choice *choice;
    unsigned int n = 0;
    uint64_t *gone = xcalloc(pool->by_port.n + 1, sizeof *gone);

    ID_MAP_FOR_EACH (choice, &pool->by_port) {
        if (!choice->is_wanted || !choice->address) {
            gone[n++] = choice->port;
        }
        choice->is_wanted = false;
    }
    for (unsigned int i = 0; i < n; i++) {
        choice = id_map_remove(&pool->by_port, gone[i]);
        tell(ipam, pool, choice->port, 0);
        free(choice);
    }
    free(gone);
}

void
ipam_assign(struct ipam *ipam, const struct intent_network *network,
            struct address_share share, struct ipam_want *wants,
            unsigned int n)
{
    struct pool *pool = pool_of(ipam, network->object.id);
    struct id_map taken;

    id_map_init(&taken);
    take(&taken, network->gateway, pool);
    for (unsigned int i = 0; i < n; i++) {
        take(&taken, wants[i].address, pool);
    }
    /* Choices that still hold, before any new one. */
    for (unsigned int i = 0; i < n; i++) {
        struct choice *choice = id_map_find(&pool->by_port, wants[i].port);

        if (!wants[i].address && choice
            && ipam_is_in_range(network, choice->address)
            && !id_map_find(&taken, choice->address)) {
            wants[i].address = choice->address;
            choice->is_wanted = true;
            take(&taken, choice->address, pool);
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        struct choice *choice;

        if (wants[i].address) {
            continue;
        }
        wants[i].address = choose(network, share, &taken, wants[i].port);
        if (!wants[i].address) {
            continue;
        }
        choice = choice_of(pool, wants[i].port);
        choice->address = wants[i].address;
        choice->is_wanted = true;
        take(&taken, choice->address, pool);
        tell(ipam, pool, choice->port, choice->address);
    }
    id_map_fini(&taken);
    drop_unwanted(ipam, pool);
}

void
ipam_forget(struct ipam *ipam, uint64_t network)
{
    struct pool *pool = id_map_remove(&ipam->pools, network);
    struct choice *choice;

    if (!pool) {
        return;
    }
    ID_MAP_FOR_EACH (choice, &pool->by_port) {
        tell(ipam, pool, choice->port, 0);
    }
    pool_destroy(pool);
}
