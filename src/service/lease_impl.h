/* The inside of a lease table: its leases, and the lists that each is in.
 *
 * lease_index.c keeps the lists right, whatever happens to a lease; lease.c
 * decides what happens.  A lease is always in by_addr, and
 *
 *     with a client     in by_holder; has a port
 *     with a port       in that port's `live`, or in its `past`
 *     not PAST          in the heap, by when it expires
 *     PAST              in `remembered`, or in `leaving`: the ranges have its
 *                       address no more, or it is reserved, or its holder went
 *                       elsewhere
 *
 * Its address is taken in the pool.  For lease*.c only. */
#ifndef WEFT_SERVICE_LEASE_IMPL_H
#define WEFT_SERVICE_LEASE_IMPL_H

#include "lib/hmap.h"
#include "service/lease.h"
#include "service/reservation.h"

/* A ring through its members and its head. */
struct lease_link {
    struct lease_link *prev, *next;
};

struct lease_port {
    struct hmap_node node;
    struct lease_link live;       /* offered, bound, declined */
    struct lease_link past;       /* the oldest first */
    unsigned int n_live, n_past;
    char name[LEASE_PORT_MAX];
};

struct lease {
    struct hmap_node by_addr, by_holder;
    struct lease_link in_port;
    struct lease_link in_list;
    struct lease_port *port;      /* NULL: nobody's */
    uint64_t serial;              /* of the newest change to it */
    unix_sec expires;
    uint32_t in_heap;             /* its place there */
    be32 addr;
    enum lease_state state;
    bool is_stored;               /* the store has a record of the address */
    bool is_leaving;
    struct eth_addr mac;
    char hostname[LEASE_HOSTNAME_MAX];
    uint8_t client_len;
    uint8_t client[];
};

struct lease_table {
    struct hash_key key;
    unsigned int max_leases, max_per_port;
    struct address_pool *pool;
    struct reservations reserved;
    struct hmap by_addr, by_holder, ports;
    struct lease_link remembered; /* free to be taken: the oldest first */
    struct lease_link leaving;    /* lease_sweep() removes them */
    struct lease **heap;          /* the first to expire at [0] */
    uint32_t n_heap, heap_size;
    uint32_t n_in_state[4];
    uint64_t serial;
};

static inline bool
lease_link_is_alone(const struct lease_link *head)
{
    return head->next == head;
}

static inline bool
lease_is_live(const struct lease *l, unix_sec now)
{
    return l->state != LEASE_PAST && l->expires > now;
}

/* May the address be handed to whoever comes? */
static inline bool
lease_is_common(const struct lease_table *t, be32 addr)
{
    return address_pool_has(t->pool, addr)
           && !reservations_at(&t->reserved, addr);
}

void lease_index_init(struct lease_table *);
void lease_index_fini(struct lease_table *);

uint64_t lease_hash_holder(struct hash_key, const char *port,
                           const uint8_t *client, size_t client_len);
/* NULL: none. */
struct lease *lease_find_at(const struct lease_table *, be32 addr);
struct lease *lease_find_of(const struct lease_table *,
                            const struct lease_holder *);
struct lease_port *lease_find_port(const struct lease_table *,
                                   const char *name);

/* At an address that has none. */
struct lease *lease_add(struct lease_table *, be32 addr,
                        const struct lease_holder *, enum lease_state,
                        unix_sec expires, bool is_stored);
void lease_drop(struct lease_table *, struct lease *);
/* It has no holder any more, and the store is to forget it. */
void lease_detach(struct lease_table *, struct lease *);
/* May detach another lease of the same port, its oldest past one. */
void lease_set_state(struct lease_table *, struct lease *, enum lease_state,
                     unix_sec expires);
/* The same client no more, but the same port. */
void lease_forget_client(struct lease_table *, struct lease *);

/* It becomes past; what was only an offer is dropped. */
void lease_expire(struct lease_table *, struct lease *);
/* The first that is due.  False: none is. */
bool lease_expire_one(struct lease_table *, unix_sec now);

#endif
