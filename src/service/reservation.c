#include "service/reservation.h"

#include <stdlib.h>

#include "lib/str.h"
#include "packet/address.h"

struct entry {
    struct hmap_node by_addr, by_who;
    struct lease_reservation r;
};

/* What the index by who goes by. */
enum kind { BY_PORT = 1, BY_CLIENT, BY_MAC };

void
reservations_init(struct reservations *all, struct hash_key key)
{
    *all = (struct reservations) { .key = key };
}

void
reservations_fini(struct reservations *all)
{
    HMAP_FOR_EACH_SAFE (node, &all->by_addr) {
        free(CONTAINER_OF(node, struct entry, by_addr));
    }
    hmap_fini(&all->by_addr);
    hmap_fini(&all->by_who);
}

static uint64_t
hash_who(const struct reservations *all, enum kind kind, const void *p,
         size_t len)
{
    return hash_step(all->key, kind, hash_bytes(all->key, p, len));
}

static uint64_t
hash_of(const struct reservations *all, const struct lease_reservation *r)
{
    if (r->port[0]) {
        return hash_who(all, BY_PORT, r->port, strlen(r->port));
    }
    if (r->client.len) {
        return hash_who(all, BY_CLIENT, r->client.bytes, r->client.len);
    }
    return hash_who(all, BY_MAC, r->mac.b, sizeof r->mac.b);
}

static struct entry *
find(const struct reservations *all, be32 addr)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_u64(all->key, addr), &all->by_addr) {
        struct entry *e = CONTAINER_OF(node, struct entry, by_addr);

        if (e->r.addr == addr) {
            return e;
        }
    }
    return NULL;
}

int
reservations_insert(struct reservations *all,
                    const struct lease_reservation *r)
{
    struct entry *e;

    if (!r->addr || (!r->port[0] && !r->client.len
                     && !eth_addr_is_set(r->mac))) {
        return -EINVAL;
    }
    if (find(all, r->addr)) {
        return -EEXIST;
    }
    e = xzalloc(sizeof *e);
    e->r = *r;
    hmap_insert(&all->by_addr, &e->by_addr, hash_u64(all->key, r->addr));
    hmap_insert(&all->by_who, &e->by_who, hash_of(all, r));
    return 0;
}

int
reservations_remove(struct reservations *all, be32 addr)
{
    struct entry *e = find(all, addr);

    if (!e) {
        return -ENOENT;
    }
    hmap_remove(&all->by_addr, &e->by_addr);
    hmap_remove(&all->by_who, &e->by_who);
    free(e);
    return 0;
}

const struct lease_reservation *
reservations_at(const struct reservations *all, be32 addr)
{
    const struct entry *e = find(all, addr);

    return e ? &e->r : NULL;
}

const struct lease_reservation *
reservations_next(const struct reservations *all,
                  const struct lease_reservation *r)
{
    const struct entry *e = r ? CONTAINER_OF(r, const struct entry, r) : NULL;
    struct hmap_node *node = hmap_next(&all->by_addr, e ? &e->by_addr : NULL);

    return node ? &CONTAINER_OF(node, struct entry, by_addr)->r : NULL;
}

bool
reservation_matches(const struct lease_reservation *r,
                    const struct lease_holder *who)
{
    if (r->port[0] && strcmp(r->port, who->port)) {
        return false;
    }
    if (eth_addr_is_set(r->mac) && !eth_addr_eq(r->mac, who->mac)) {
        return false;
    }
    return !r->client.len
           || (r->client.len == who->client->len
               && !memcmp(r->client.bytes, who->client->bytes,
                          r->client.len));
}

static const struct lease_reservation *
best_with(const struct reservations *all, uint64_t hash,
          const struct lease_holder *who)
{
    const struct lease_reservation *best = NULL;

    HMAP_FOR_EACH_WITH_HASH (node, hash, &all->by_who) {
        const struct entry *e = CONTAINER_OF(node, struct entry, by_who);

        if (reservation_matches(&e->r, who)
            && (!best || eth_addr_is_set(e->r.mac))) {
            best = &e->r;
        }
    }
    return best;
}

const struct lease_reservation *
reservations_for(const struct reservations *all,
                 const struct lease_holder *who)
{
    const struct lease_reservation *r;

    r = best_with(all, hash_who(all, BY_PORT, who->port, strlen(who->port)),
                  who);
    if (!r) {
        r = best_with(all, hash_who(all, BY_CLIENT, who->client->bytes,
                                    who->client->len), who);
    }
    return r ? r
             : best_with(all, hash_who(all, BY_MAC, who->mac.b,
                                       sizeof who->mac.b), who);
}
