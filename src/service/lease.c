#include "service/lease.h"

#include <stdlib.h>

#include "lib/str.h"
#include "service/lease_impl.h"

enum {
    MAX_LEASES = 1000000,
    EXPIRE_BUDGET = 64,           /* leases found expired by one question */
};

static void
expire_some(struct lease_table *t, unix_sec now, unsigned int budget)
{
    while (budget-- && lease_expire_one(t, now)) {
        continue;
    }
}

static bool
port_has_room(struct lease_table *t, const char *name,
              const struct lease *mine, unix_sec now)
{
    struct lease_port *port = lease_find_port(t, name);
    unsigned int n_others = 0;

    if (!t->max_per_port || !port || port->n_live < t->max_per_port) {
        return true;
    }
    for (struct lease_link *link = port->live.next; link != &port->live;
         link = link->next) {
        const struct lease *l = CONTAINER_OF(link, struct lease, in_port);

        n_others += l != mine && l->expires > now;
    }
    return n_others < t->max_per_port;
}

/* --- Changes ------------------------------------------------------------ */

static struct lease_record
record_of(const struct lease *l)
{
    struct lease_record r = {
        .addr = l->addr,
        .state = l->state,
        .expires = l->expires,
        .mac = l->mac,
        .client.len = l->client_len,
    };

    if (l->port) {
        strcpy(r.port, l->port->name);
    }
    strcpy(r.hostname, l->hostname);
    memcpy(r.client.bytes, l->client, l->client_len);
    return r;
}

/* What the address is now; `is_removal` and the record come when it changed. */
static struct lease_change
change_begin(const struct lease *l)
{
    struct lease_change c = { .was_there = l };

    if (l) {
        c.was = record_of(l);
        c.was_stored = l->is_stored;
    }
    return c;
}

static struct lease_change
change_set(struct lease_table *t, struct lease_change c, struct lease *l)
{
    c.record = record_of(l);
    c.serial = l->serial = ++t->serial;
    l->is_stored = true;
    return c;
}

/* Drops it. */
static struct lease_change
change_remove(struct lease_table *t, struct lease *l)
{
    struct lease_change c = change_begin(l);

    c.is_removal = true;
    c.record = c.was;
    lease_drop(t, l);
    return c;
}

/* Its holder has it no more, and the store is to know at once: what a store
 * says of one holder must not be two things after a restart. */
static void
give_up(struct lease_table *t, struct lease *l, struct lease_changes *changes)
{
    bool was_stored = l->is_stored;
    struct lease_change c = change_remove(t, l);

    if (was_stored) {
        changes->at[changes->n++] = c;
    }
}

static void
remove_and_say(struct lease_table *t, struct lease *l, lease_changed *changed,
               void *aux)
{
    bool was_stored = l->is_stored;
    struct lease_change c = change_remove(t, l);

    if (was_stored && changed) {
        changed(&c, aux);
    }
}

static void
restore(struct lease_table *t, const struct lease_record *r, bool is_stored)
{
    struct lease_holder who = { r->port, &r->client, r->mac };
    struct lease *l = lease_add(t, r->addr, &who, r->state, r->expires,
                                is_stored);

    strcpy(l->hostname, r->hostname);
}

/* The store has a record of an address whose holder has another. */
static void
restore_leaving(struct lease_table *t, const struct lease_record *r)
{
    struct lease_record nobodys = *r;

    nobodys.state = LEASE_PAST;
    nobodys.port[0] = '\0';
    nobodys.client.len = 0;
    restore(t, &nobodys, true);
    lease_detach(t, lease_find_at(t, r->addr));
}

void
lease_undo(struct lease_table *t, const struct lease_change *c)
{
    struct lease_holder who = { c->was.port, &c->was.client, c->was.mac };
    struct lease *l = lease_find_at(t, c->record.addr), *other;

    if (c->is_removal ? l != NULL : !l || l->serial != c->serial) {
        return;
    }
    if (l) {
        lease_drop(t, l);
    }
    if (!c->was_there) {
        return;
    }
    other = c->was.client.len ? lease_find_of(t, &who) : NULL;
    if (other && other->state == LEASE_OFFERED && !other->is_stored) {
        lease_drop(t, other);     /* What it was to have instead. */
        other = NULL;
    }
    if (!other) {
        restore(t, &c->was, c->was_stored);
    } else if (c->was_stored) {
        restore_leaving(t, &c->was);      /* It was given another since. */
    }
}

/* --- Table -------------------------------------------------------------- */

struct lease_table *
lease_table_create(const struct lease_options *options)
{
    struct lease_table *t = xzalloc(sizeof *t);

    t->key = options->key;
    t->max_leases = options->max_leases ? options->max_leases : MAX_LEASES;
    t->max_per_port = options->max_per_port;
    t->pool = address_pool_create(NULL, 0, NULL, 0);
    lease_index_init(t);
    return t;
}

void
lease_set_max_per_port(struct lease_table *t, unsigned int max)
{
    t->max_per_port = max;
}

void
lease_table_destroy(struct lease_table *t)
{
    if (!t) {
        return;
    }
    lease_index_fini(t);
    address_pool_destroy(t->pool);
    free(t);
}

void
lease_set_ranges(struct lease_table *t, const struct address_span *ranges,
                 unsigned int n_ranges, const struct address_span *exclusions,
                 unsigned int n_exclusions)
{
    address_pool_destroy(t->pool);
    t->pool = address_pool_create(ranges, n_ranges, exclusions, n_exclusions);
    RESERVATIONS_FOR_EACH (r, &t->reserved) {
        address_pool_take(t->pool, r->addr);
    }
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        struct lease *l = CONTAINER_OF(node, struct lease, by_addr);

        address_pool_take(t->pool, l->addr);
        if (l->state == LEASE_PAST) {
            lease_set_state(t, l, LEASE_PAST, l->expires);
        }
    }
}

int
lease_reserve(struct lease_table *t, const struct lease_reservation *r,
              lease_changed *changed, void *aux)
{
    struct lease *l = lease_find_at(t, r->addr);
    int err = reservations_insert(&t->reserved, r);

    if (err) {
        return err;
    }
    if (l) {
        struct lease_record record = record_of(l);
        struct lease_holder who = { record.port, &record.client, l->mac };

        if (!l->client_len || l->state == LEASE_PAST
            || !reservation_matches(r, &who)) {
            remove_and_say(t, l, changed, aux);
        }
    }
    address_pool_take(t->pool, r->addr);
    return 0;
}

int
lease_unreserve(struct lease_table *t, be32 addr)
{
    int err = reservations_remove(&t->reserved, addr);

    if (!err && !lease_find_at(t, addr)) {
        address_pool_give_back(t->pool, addr);
    }
    return err;
}

/* --- Who gets what ------------------------------------------------------ */

/* May it take the address from whoever has it?  `r` is the address's own
 * reservation, which matches `who`, or NULL. */
static bool
can_replace(const struct lease *l, const struct lease_reservation *r,
            const struct lease_holder *who, unix_sec now)
{
    struct lease_record record;
    struct lease_holder other;

    if (!lease_is_live(l, now)) {
        return true;
    }
    if (!r) {
        return false;
    }
    if (!l->client_len || r->port[0] || !strcmp(l->port->name, who->port)) {
        return true;
    }
    record = record_of(l);
    other = (struct lease_holder) { record.port, &record.client, l->mac };
    return !reservation_matches(r, &other);
}

static be32
reserved_for(const struct lease_table *t, const struct lease_holder *who,
             const struct lease *mine, unix_sec now)
{
    const struct lease_reservation *r = reservations_for(&t->reserved, who);
    const struct lease *l = r ? lease_find_at(t, r->addr) : NULL;

    return r && (!l || l == mine || can_replace(l, r, who, now)) ? r->addr
                                                                 : 0;
}

be32
lease_reserved_for(const struct lease_table *t,
                   const struct lease_holder *who)
{
    const struct lease_reservation *r = reservations_for(&t->reserved, who);

    return r ? r->addr : 0;
}

/* The same every time, so that a client gets the address that it had even
 * where nobody remembers it. */
static uint64_t
usual_place(const struct lease_holder *who)
{
    return lease_hash_holder((struct hash_key) { 0 }, who->port,
                             who->client->bytes, who->client->len);
}

static bool
pick(struct lease_table *t, const struct lease_holder *who, be32 wanted,
     unix_sec now, be32 *addr)
{
    const struct lease *l;

    if (wanted && lease_is_common(t, wanted)) {
        l = lease_find_at(t, wanted);
        if (l ? !lease_is_live(l, now) : t->by_addr.n < t->max_leases) {
            *addr = wanted;
            return true;
        }
    }
    do {
        if (t->by_addr.n < t->max_leases
            && address_pool_find(t->pool, usual_place(who), addr)) {
            return true;
        }
        if (!lease_link_is_alone(&t->remembered)) {
            l = CONTAINER_OF(t->remembered.next, struct lease, in_list);
            *addr = l->addr;
            return true;
        }
    } while (lease_expire_one(t, now));
    return false;
}

/* The lease at `addr`, taken over from whoever had it, or new. */
static struct lease *
take(struct lease_table *t, be32 addr, const struct lease_holder *who,
     enum lease_state state, unix_sec expires)
{
    struct lease *l = lease_find_at(t, addr);
    bool is_stored = l && l->is_stored;

    if (l) {
        lease_drop(t, l);
    }
    return lease_add(t, addr, who, state, expires, is_stored);
}

int
lease_offer(struct lease_table *t, const struct lease_holder *who,
            be32 wanted, unix_sec now, be32 *addr,
            struct lease_changes *changes)
{
    struct lease *mine;
    be32 choice;

    changes->n = 0;
    expire_some(t, now, EXPIRE_BUDGET);
    mine = lease_find_of(t, who);
    if (!(mine && lease_is_live(mine, now))
        && !port_has_room(t, who->port, mine, now)) {
        return -EDQUOT;
    }
    choice = reserved_for(t, who, mine, now);
    if (!choice && mine && lease_is_common(t, mine->addr)) {
        choice = mine->addr;
    }
    if (!choice) {
        if (!pick(t, who, wanted, now, &choice)) {
            return -ENOSPC;
        }
        mine = lease_find_of(t, who);   /* pick() may have let it expire. */
    }

    if (!mine || mine->addr != choice) {
        if (mine) {
            give_up(t, mine, changes);
        }
        take(t, choice, who, LEASE_OFFERED, now + LEASE_OFFER_HOLD);
    } else if (mine->state != LEASE_BOUND || !lease_is_live(mine, now)) {
        lease_set_state(t, mine, LEASE_OFFERED, now + LEASE_OFFER_HOLD);
    }
    *addr = choice;
    return 0;
}

void
lease_withdraw(struct lease_table *t, const struct lease_holder *who)
{
    struct lease *mine = lease_find_of(t, who);

    if (mine && mine->state == LEASE_OFFERED) {
        lease_expire(t, mine);
    }
}

/* Could `who` have `addr` now? */
static int
check_bind(struct lease_table *t, const struct lease_holder *who, be32 addr,
           const struct lease *mine, unix_sec now)
{
    const struct lease_reservation *r = reservations_at(&t->reserved, addr);
    const struct lease *l = lease_find_at(t, addr);
    be32 planned;

    if (r && !reservation_matches(r, who)) {
        return -EADDRINUSE;
    }
    if (!r && !address_pool_has(t->pool, addr)) {
        return -EADDRNOTAVAIL;
    }
    planned = reserved_for(t, who, mine, now);
    if (planned && planned != addr) {
        return -EADDRNOTAVAIL;
    }
    if (l && l != mine && !can_replace(l, r, who, now)) {
        return -EADDRINUSE;
    }
    if (!(mine && lease_is_live(mine, now))
        && !port_has_room(t, who->port, mine, now)) {
        return -EDQUOT;
    }
    return !l && !mine && t->by_addr.n >= t->max_leases ? -ENOSPC : 0;
}

int
lease_bind(struct lease_table *t, const struct lease_holder *who, be32 addr,
           const char *hostname, unix_sec now, unix_sec expires,
           struct lease_changes *changes)
{
    struct lease *mine, *l;
    struct lease_change c;
    int err;

    changes->n = 0;
    expire_some(t, now, EXPIRE_BUDGET);
    mine = lease_find_of(t, who);
    err = check_bind(t, who, addr, mine, now);
    if (err) {
        return err;
    }
    if (mine && mine->addr != addr) {
        give_up(t, mine, changes);
        mine = NULL;
    }
    c = change_begin(lease_find_at(t, addr));
    if (mine) {
        l = mine;
        lease_set_state(t, l, LEASE_BOUND, expires);
    } else {
        l = take(t, addr, who, LEASE_BOUND, expires);
    }
    l->mac = who->mac;
    if (hostname) {
        strncpy(l->hostname, hostname, sizeof l->hostname - 1);
    }
    changes->at[changes->n++] = change_set(t, c, l);
    return 0;
}

/* The lease that `who` holds now, at `addr`; or NULL. */
static struct lease *
held_at(struct lease_table *t, const struct lease_holder *who, be32 addr,
        unix_sec now)
{
    struct lease *mine = lease_find_of(t, who);

    return mine && mine->addr == addr && lease_is_live(mine, now) ? mine : NULL;
}

int
lease_release(struct lease_table *t, const struct lease_holder *who,
              be32 addr, unix_sec now, struct lease_changes *changes)
{
    struct lease *mine = held_at(t, who, addr, now);
    struct lease_change c;

    changes->n = 0;
    if (!mine) {
        return -ENOENT;
    }
    if (mine->state == LEASE_OFFERED) {
        lease_expire(t, mine);
        return 0;
    }
    if (!lease_is_common(t, addr)) {
        give_up(t, mine, changes);
        return 0;
    }
    c = change_begin(mine);
    lease_set_state(t, mine, LEASE_PAST, now);
    changes->at[changes->n++] = change_set(t, c, mine);
    return 0;
}

int
lease_decline(struct lease_table *t, const struct lease_holder *who,
              be32 addr, unix_sec now, struct lease_changes *changes)
{
    struct lease *mine = held_at(t, who, addr, now);
    struct lease_change c;

    changes->n = 0;
    if (!mine) {
        return -ENOENT;
    }
    if (!lease_is_common(t, addr)) {
        give_up(t, mine, changes);
        return 0;
    }
    c = change_begin(mine);
    lease_forget_client(t, mine);
    mine->hostname[0] = '\0';
    lease_set_state(t, mine, LEASE_DECLINED, now + LEASE_DECLINE_HOLD);
    changes->at[changes->n++] = change_set(t, c, mine);
    return 0;
}

/* --- The caller's turn -------------------------------------------------- */

void
lease_release_port(struct lease_table *t, const char *name,
                   lease_changed *changed, void *aux)
{
    struct lease_port *port = lease_find_port(t, name);
    unsigned int n_left = port ? port->n_live + port->n_past : 0;

    /* The last one takes the port with it. */
    while (n_left--) {
        struct lease_link *link = port->n_live ? port->live.next
                                               : port->past.next;

        remove_and_say(t, CONTAINER_OF(link, struct lease, in_port), changed,
                       aux);
    }
}

void
lease_sweep(struct lease_table *t, unix_sec now, unsigned int budget,
            lease_changed *changed, void *aux)
{
    expire_some(t, now, budget);
    while (budget-- && !lease_link_is_alone(&t->leaving)) {
        remove_and_say(t, CONTAINER_OF(t->leaving.next, struct lease,
                                       in_list), changed, aux);
    }
}

int
lease_import(struct lease_table *t, const struct lease_record *r,
             unix_sec now)
{
    struct lease_holder who = { r->port, &r->client, r->mac };
    struct lease_record now_is = *r;
    const struct lease_reservation *reserved;
    struct lease *twin;

    if (!r->addr || (unsigned int) r->state > LEASE_DECLINED
        || r->state == LEASE_OFFERED || (r->client.len && !r->port[0])
        || (r->state == LEASE_BOUND && !r->client.len)
        || !memchr(r->port, 0, sizeof r->port)
        || !memchr(r->hostname, 0, sizeof r->hostname)) {
        return -EINVAL;
    }
    if (lease_find_at(t, r->addr)) {
        return -EEXIST;
    }
    if (t->by_addr.n >= t->max_leases) {
        return -ENOSPC;
    }
    if (r->expires <= now) {
        now_is.state = LEASE_PAST;
    }
    twin = r->client.len ? lease_find_of(t, &who) : NULL;
    reserved = reservations_at(&t->reserved, r->addr);
    if ((twin && twin->expires > r->expires)
        || (reserved && (!r->client.len
                         || !reservation_matches(reserved, &who)))) {
        restore_leaving(t, r);    /* Until the next sweep. */
        return 0;
    }
    if (twin) {
        lease_detach(t, twin);
    }
    restore(t, &now_is, true);
    return 0;
}

/* --- Looking ------------------------------------------------------------ */

static struct lease_record
view(const struct lease *l, unix_sec now)
{
    struct lease_record r = record_of(l);

    if (!lease_is_live(l, now)) {
        r.state = LEASE_PAST;
    }
    return r;
}

bool
lease_lookup(const struct lease_table *t, be32 addr, unix_sec now,
             struct lease_record *r)
{
    const struct lease *l = lease_find_at(t, addr);

    if (l) {
        *r = view(l, now);
    }
    return l;
}

bool
lease_of(const struct lease_table *t, const struct lease_holder *who,
         unix_sec now, struct lease_record *r)
{
    const struct lease *l = lease_find_of(t, who);

    if (l) {
        *r = view(l, now);
    }
    return l;
}

void
lease_for_each(const struct lease_table *t, unix_sec now,
               void (*each)(const struct lease_record *, void *aux),
               void *aux)
{
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        struct lease_record r = view(CONTAINER_OF(node, struct lease,
                                                  by_addr), now);

        each(&r, aux);
    }
}

struct lease_counts
lease_table_counts(const struct lease_table *t)
{
    return (struct lease_counts) {
        .n_addresses = address_pool_size(t->pool),
        .n_untouched = address_pool_n_free(t->pool),
        .n_leases = (uint32_t) t->by_addr.n,
        .n_offered = t->n_in_state[LEASE_OFFERED],
        .n_bound = t->n_in_state[LEASE_BOUND],
        .n_declined = t->n_in_state[LEASE_DECLINED],
        .n_past = t->n_in_state[LEASE_PAST],
        .n_reserved = (uint32_t) t->reserved.by_addr.n,
    };
}

static bool
is_sound(const struct lease_table *t, struct lease *l)
{
    struct lease_record r = record_of(l);
    struct lease_holder who = { r.port, &r.client, r.mac };

    if (lease_find_at(t, l->addr) != l
        || (l->client_len && lease_find_of(t, &who) != l)
        || (l->state == LEASE_OFFERED && !l->client_len)
        || (l->state == LEASE_BOUND && (!l->client_len || !l->is_stored))) {
        return false;
    }
    if (l->state != LEASE_PAST) {
        return l->in_heap < t->n_heap && t->heap[l->in_heap] == l
               && (!l->in_heap
                   || t->heap[(l->in_heap - 1) / 2]->expires <= l->expires);
    }
    return l->is_leaving || lease_is_common(t, l->addr);
}

bool
lease_table_is_sound(const struct lease_table *t)
{
    uint32_t n = 0, n_not_past = 0, n_taken = 0;

    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        struct lease *l = CONTAINER_OF(node, struct lease, by_addr);

        if (!is_sound(t, l)) {
            return false;
        }
        n++;
        n_not_past += l->state != LEASE_PAST;
        n_taken += address_pool_has(t->pool, l->addr);
    }
    RESERVATIONS_FOR_EACH (r, &t->reserved) {
        n_taken += address_pool_has(t->pool, r->addr)
                   && !lease_find_at(t, r->addr);
    }
    HMAP_FOR_EACH_SAFE (node, &t->ports) {
        struct lease_port *port = CONTAINER_OF(node, struct lease_port, node);

        if ((!port->n_live && !port->n_past)
            || (t->max_per_port && port->n_past > t->max_per_port)) {
            return false;
        }
    }
    return n == t->by_addr.n && n_not_past == t->n_heap
           && n_taken == address_pool_size(t->pool)
                         - address_pool_n_free(t->pool);
}
