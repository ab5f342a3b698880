#include "service/lease6.h"

#include <stdlib.h>

#include "lib/hmap.h"
#include "lib/str.h"
#include "packet/address.h"

struct lease6 {
    struct hmap_node by_addr, by_holder, by_port;
    uint64_t serial;
    struct lease6_record record;
};

struct lease6_table {
    struct hash_key key;
    unsigned int max_per_port, max_per_station;
    struct hmap by_addr, by_holder, by_port;
    uint64_t serial;
};

struct lease6_table *
lease6_table_create(const struct lease6_options *options)
{
    struct lease6_table *t = xzalloc(sizeof *t);

    t->key = options->key;
    t->max_per_port = options->max_per_port;
    t->max_per_station = options->max_per_station;
    return t;
}

void
lease6_table_destroy(struct lease6_table *t)
{
    if (!t) {
        return;
    }
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        free(CONTAINER_OF(node, struct lease6, by_addr));
    }
    hmap_fini(&t->by_addr);
    hmap_fini(&t->by_holder);
    hmap_fini(&t->by_port);
    free(t);
}

/* --- Finding ------------------------------------------------------------ */

static uint64_t
hash_port(const struct lease6_table *t, const char *port)
{
    return hash_bytes(t->key, port, strlen(port));
}

static uint64_t
hash_holder(struct hash_key key, const struct lease6_holder *h)
{
    uint64_t hash = hash_bytes(key, h->port, strlen(h->port));

    hash = hash_step(key, hash, hash_bytes(key, h->client->bytes,
                                           h->client->len));
    return hash_step(key, hash, h->iaid);
}

static struct lease6_holder
holder_of(const struct lease6_record *r)
{
    return (struct lease6_holder) { r->port, &r->client, r->iaid, r->mac };
}

static bool
same_client(const struct lease_client *a, const struct lease_client *b)
{
    return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static bool
is_holder(const struct lease6_record *r, const struct lease6_holder *h)
{
    return r->state == LEASE_BOUND && r->iaid == h->iaid
           && !strcmp(r->port, h->port) && same_client(&r->client, h->client);
}

static struct lease6 *
find_addr(const struct lease6_table *t, const struct ip6_addr *addr)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_bytes(t->key, addr, sizeof *addr),
                             &t->by_addr) {
        struct lease6 *l = CONTAINER_OF(node, struct lease6, by_addr);

        if (ip6_addr_eq(l->record.addr, *addr)) {
            return l;
        }
    }
    return NULL;
}

static struct lease6 *
find_holder(const struct lease6_table *t, const struct lease6_holder *h)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_holder(t->key, h), &t->by_holder) {
        struct lease6 *l = CONTAINER_OF(node, struct lease6, by_holder);

        if (is_holder(&l->record, h)) {
            return l;
        }
    }
    return NULL;
}

/* Those behind a relay have no MAC that we know. */
static bool
has_share(const struct lease6_table *t, const struct lease6_holder *h)
{
    unsigned int n = 0, n_station = 0;

    HMAP_FOR_EACH_WITH_HASH (node, hash_port(t, h->port), &t->by_port) {
        struct lease6 *l = CONTAINER_OF(node, struct lease6, by_port);
        bool is_his = !strcmp(l->record.port, h->port);

        n += is_his;
        n_station += is_his && eth_addr_eq(l->record.mac, h->mac);
    }
    return n >= t->max_per_port
           || (eth_addr_is_set(h->mac) && n_station >= t->max_per_station);
}

/* --- Changing ----------------------------------------------------------- */

static struct lease6 *
insert(struct lease6_table *t, const struct lease6_record *record)
{
    struct lease6 *l = xzalloc(sizeof *l);
    struct lease6_holder h;

    l->record = *record;
    l->serial = ++t->serial;
    h = holder_of(&l->record);
    hmap_insert(&t->by_addr, &l->by_addr,
                hash_bytes(t->key, &record->addr, sizeof record->addr));
    hmap_insert(&t->by_holder, &l->by_holder, hash_holder(t->key, &h));
    hmap_insert(&t->by_port, &l->by_port, hash_port(t, record->port));
    return l;
}

static void
take_out(struct lease6_table *t, struct lease6 *l)
{
    hmap_remove(&t->by_addr, &l->by_addr);
    hmap_remove(&t->by_holder, &l->by_holder);
    hmap_remove(&t->by_port, &l->by_port);
    free(l);
}

static void
describe_removal(const struct lease6 *l, struct lease6_change *change)
{
    *change = (struct lease6_change) {
        .is_removal = true, .was_there = true, .record = l->record,
        .was = l->record, .serial = l->serial,
    };
}

static void
drop(struct lease6_table *t, struct lease6 *l, struct lease6_changes *changes)
{
    assert(changes->n < LEASE6_MAX_CHANGES);
    describe_removal(l, &changes->at[changes->n++]);
    take_out(t, l);
}

/* The record takes its address's place, whatever is there. */
static void
set(struct lease6_table *t, const struct lease6_record *record,
    struct lease6_changes *changes)
{
    struct lease6 *was = find_addr(t, &record->addr);
    struct lease6_change *change = &changes->at[changes->n++];

    assert(changes->n <= LEASE6_MAX_CHANGES);
    *change = (struct lease6_change) { .was_there = was != NULL,
                                       .record = *record };
    if (was) {
        change->was = was->record;
        take_out(t, was);
    }
    change->serial = insert(t, record)->serial;
}

void
lease6_bind(struct lease6_table *t, const struct lease6_holder *h,
            const struct lease6_record *record,
            struct lease6_changes *changes)
{
    struct lease6 *old = find_holder(t, h);

    if (old && !ip6_addr_eq(old->record.addr, record->addr)) {
        drop(t, old, changes);
    }
    set(t, record, changes);
}

static struct lease6 *
find_held(const struct lease6_table *t, const struct lease6_holder *h,
          const struct ip6_addr *addr, unix_sec now)
{
    struct lease6 *l = find_holder(t, h);

    return l && ip6_addr_eq(l->record.addr, *addr) && l->record.expires > now
           ? l : NULL;
}

int
lease6_release(struct lease6_table *t, const struct lease6_holder *h,
               const struct ip6_addr *addr, unix_sec now,
               struct lease6_changes *changes)
{
    struct lease6 *l = find_held(t, h, addr, now);

    if (!l) {
        return -ENOENT;
    }
    drop(t, l, changes);
    return 0;
}

int
lease6_decline(struct lease6_table *t, const struct lease6_holder *h,
               const struct ip6_addr *addr, unix_sec now,
               struct lease6_changes *changes)
{
    struct lease6 *l = find_held(t, h, addr, now);
    struct lease6_record record;

    if (!l) {
        return -ENOENT;
    }
    record = l->record;
    record.state = LEASE_DECLINED;
    record.expires = now + LEASE_DECLINE_HOLD;
    record.client.len = 0;
    set(t, &record, changes);
    return 0;
}

/* What was changed since is left alone. */
void
lease6_undo(struct lease6_table *t, const struct lease6_change *change)
{
    struct lease6 *l = find_addr(t, &change->record.addr);

    if (change->is_removal ? l != NULL : !l || l->serial != change->serial) {
        return;
    }
    if (l) {
        take_out(t, l);
    }
    if (change->was_there) {
        struct lease6_holder h = holder_of(&change->was);

        if (!find_holder(t, &h)) {
            insert(t, &change->was);
        }
    }
}

void
lease6_release_port(struct lease6_table *t, const char *port,
                    lease6_changed *changed, void *aux)
{
    struct hmap_node *node = hmap_first_with_hash(&t->by_port,
                                                  hash_port(t, port));

    while (node) {
        struct lease6 *l = CONTAINER_OF(node, struct lease6, by_port);
        struct lease6_change change;

        node = hmap_next_with_hash(node);
        if (!strcmp(l->record.port, port)) {
            describe_removal(l, &change);
            take_out(t, l);
            changed(&change, aux);
        }
    }
}

void
lease6_sweep(struct lease6_table *t, unix_sec now, lease6_changed *changed,
             void *aux)
{
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        struct lease6 *l = CONTAINER_OF(node, struct lease6, by_addr);
        struct lease6_change change;

        if (l->record.expires <= now) {
            describe_removal(l, &change);
            take_out(t, l);
            changed(&change, aux);
        }
    }
}

int
lease6_import(struct lease6_table *t, const struct lease6_record *record)
{
    struct lease6_holder h = holder_of(record);

    if ((record->state != LEASE_BOUND && record->state != LEASE_DECLINED)
        || (record->state == LEASE_BOUND && !record->client.len)
        || !ip6_addr_is_set(record->addr) || !record->port[0]) {
        return -EINVAL;
    }
    if (find_addr(t, &record->addr)
        || (record->state == LEASE_BOUND && find_holder(t, &h))) {
        return -EEXIST;
    }
    insert(t, record);
    return 0;
}

/* --- Choosing ----------------------------------------------------------- */

/* Bits behind the prefix that are the same for all of a walk's addresses. */
enum { SMALL_BITS = 12, LARGE_TRIES = 64 };

static struct ip6_addr
with_host(const struct lease6_subnet *subnet, const uint64_t host[2])
{
    be64 words[2] = { htobe64(host[0]), htobe64(host[1]) };
    struct ip6_addr addr;

    memcpy(&addr, words, sizeof addr);
    for (unsigned int bit = 0; bit < subnet->len; bit++) {
        uint8_t mask = (uint8_t) (0x80 >> bit % 8);

        addr.b[bit / 8] = (uint8_t) ((addr.b[bit / 8] & ~mask)
                                     | (subnet->prefix.b[bit / 8] & mask));
    }
    return addr;
}

/* Not the routers' (RFC 4291, 2.6.1), and of a /64 not the highest, which are
 * anycast addresses too (RFC 2526). */
static bool
is_usable(const struct lease6_subnet *subnet, const struct ip6_addr *addr)
{
    static const uint8_t anycast[] = { 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff };

    return !ip6_addr_eq(*addr, ip6_masked(*addr, subnet->len))
           && !ip6_addr_eq(*addr, subnet->gateway)
           && (subnet->len != 64 || addr->b[15] < 0x80
               || memcmp(&addr->b[8], anycast, sizeof anycast));
}

static bool
is_free(const struct lease6_table *t, const struct lease6_subnet *subnet,
        const struct ip6_addr *addr, unix_sec now)
{
    const struct lease6 *l = find_addr(t, addr);

    return (!l || l->record.expires <= now) && is_usable(subnet, addr)
           && !subnet->is_planned(subnet->aux, addr);
}

/* The planned one may be held by what ran behind the port before (another
 * DUID), or by who had it before the plan; not by another IA of one client. */
static bool
planned_is_his(const struct lease6_table *t, const struct lease6_holder *h,
               const struct lease6_subnet *subnet, unix_sec now)
{
    const struct lease6 *l;

    if (!ip6_addr_is_set(subnet->planned)) {
        return false;
    }
    l = find_addr(t, &subnet->planned);
    return !l || l->record.expires <= now || strcmp(l->record.port, h->port)
           || l->record.iaid == h->iaid
           || !same_client(&l->record.client, h->client);
}

/* Of a small subnet every address is looked at, of a large one some. */
static int
pick(const struct lease6_table *t, const struct lease6_holder *h,
     const struct lease6_subnet *subnet, unix_sec now, struct ip6_addr *out)
{
    const struct hash_key seed = { subnet->seed };
    unsigned int bits = 128u - subnet->len;
    uint64_t start = hash_holder(seed, h);
    unsigned int n = bits <= SMALL_BITS ? 1u << bits : LARGE_TRIES;

    for (unsigned int i = 0; i < n; i++) {
        uint64_t host[2] = { hash_u64(seed, start + 2 * i + 1), start + i };
        struct ip6_addr addr;

        if (bits > SMALL_BITS) {
            host[1] = hash_u64(seed, start + 2 * i);
        }
        addr = with_host(subnet, host);
        if (is_free(t, subnet, &addr, now)) {
            *out = addr;
            return 0;
        }
    }
    return -ENOSPC;
}

int
lease6_choose(const struct lease6_table *t, const struct lease6_holder *h,
              const struct lease6_subnet *subnet, unix_sec now,
              struct ip6_addr *out)
{
    const struct lease6 *held = find_holder(t, h);

    if (planned_is_his(t, h, subnet, now)) {
        *out = subnet->planned;
        return 0;
    }
    if (held && ip6_is_within(held->record.addr, subnet->prefix, subnet->len)
        && is_usable(subnet, &held->record.addr)
        && !subnet->is_planned(subnet->aux, &held->record.addr)) {
        *out = held->record.addr;
        return 0;
    }
    if (!held && has_share(t, h)) {
        return -EDQUOT;
    }
    return pick(t, h, subnet, now, out);
}

/* --- Looking ------------------------------------------------------------ */

bool
lease6_of(const struct lease6_table *t, const struct lease6_holder *h,
          unix_sec now, struct lease6_record *out)
{
    const struct lease6 *l = find_holder(t, h);

    if (!l || l->record.expires <= now) {
        return false;
    }
    *out = l->record;
    return true;
}

unsigned int
lease6_count(const struct lease6_table *t)
{
    return (unsigned int) t->by_addr.n;
}

void
lease6_for_port(const struct lease6_table *t, const char *port, unix_sec now,
                void (*each)(const struct lease6_record *, void *aux),
                void *aux)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_port(t, port), &t->by_port) {
        const struct lease6 *l = CONTAINER_OF(node, struct lease6, by_port);

        if (!strcmp(l->record.port, port) && l->record.expires > now) {
            each(&l->record, aux);
        }
    }
}

void
lease6_for_each(const struct lease6_table *t, unix_sec now,
                void (*each)(const struct lease6_record *, void *aux),
                void *aux)
{
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        const struct lease6 *l = CONTAINER_OF(node, struct lease6, by_addr);

        if (l->record.expires > now) {
            each(&l->record, aux);
        }
    }
}
