#include <stdlib.h>

#include "lib/str.h"
#include "service/lease_impl.h"

static void
ring_init(struct lease_link *head)
{
    head->prev = head->next = head;
}

static void
ring_append(struct lease_link *head, struct lease_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static void
ring_remove(struct lease_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

/* --- What expires first ------------------------------------------------- */

static void
heap_put(struct lease_table *t, uint32_t i, struct lease *l)
{
    t->heap[i] = l;
    l->in_heap = i;
}

/* Finds the place for what is at `i` now. */
static void
heap_settle(struct lease_table *t, uint32_t i)
{
    struct lease *l = t->heap[i];

    while (i && t->heap[(i - 1) / 2]->expires > l->expires) {
        heap_put(t, i, t->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < t->n_heap
            && t->heap[child + 1]->expires < t->heap[child]->expires) {
            child++;
        }
        if (child >= t->n_heap || t->heap[child]->expires >= l->expires) {
            break;
        }
        heap_put(t, i, t->heap[child]);
        i = child;
    }
    heap_put(t, i, l);
}

static void
heap_insert(struct lease_table *t, struct lease *l)
{
    if (t->n_heap == t->heap_size) {
        t->heap_size = t->heap_size ? 2 * t->heap_size : 64;
        t->heap = xrealloc(t->heap, t->heap_size * sizeof *t->heap);
    }
    heap_put(t, t->n_heap, l);
    heap_settle(t, t->n_heap++);
}

static void
heap_remove(struct lease_table *t, struct lease *l)
{
    uint32_t i = l->in_heap;
    struct lease *last = t->heap[--t->n_heap];

    if (last != l) {
        heap_put(t, i, last);
        heap_settle(t, i);
    }
}

/* --- Leases, and the lists they are in ---------------------------------- */

uint64_t
lease_hash_holder(struct hash_key key, const char *port, const uint8_t *client,
            size_t client_len)
{
    return hash_step(key, hash_bytes(key, client, client_len),
                     hash_bytes(key, port, strlen(port)));
}

struct lease *
lease_find_at(const struct lease_table *t, be32 addr)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_u64(t->key, addr), &t->by_addr) {
        struct lease *l = CONTAINER_OF(node, struct lease, by_addr);

        if (l->addr == addr) {
            return l;
        }
    }
    return NULL;
}

struct lease *
lease_find_of(const struct lease_table *t, const struct lease_holder *who)
{
    const struct lease_client *client = who->client;
    uint64_t hash = lease_hash_holder(t->key, who->port, client->bytes,
                                client->len);

    HMAP_FOR_EACH_WITH_HASH (node, hash, &t->by_holder) {
        struct lease *l = CONTAINER_OF(node, struct lease, by_holder);

        if (l->client_len == client->len
            && !memcmp(l->client, client->bytes, client->len)
            && !strcmp(l->port->name, who->port)) {
            return l;
        }
    }
    return NULL;
}

struct lease_port *
lease_find_port(const struct lease_table *t, const char *name)
{
    uint64_t hash = hash_bytes(t->key, name, strlen(name));

    HMAP_FOR_EACH_WITH_HASH (node, hash, &t->ports) {
        struct lease_port *port = CONTAINER_OF(node, struct lease_port, node);

        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

static struct lease_port *
need_port(struct lease_table *t, const char *name)
{
    struct lease_port *port = lease_find_port(t, name);

    if (!port) {
        port = xzalloc(sizeof *port);
        strcpy(port->name, name);
        ring_init(&port->live);
        ring_init(&port->past);
        hmap_insert(&t->ports, &port->node,
                    hash_bytes(t->key, name, strlen(name)));
    }
    return port;
}

static void
leave_lists(struct lease_table *t, struct lease *l)
{
    t->n_in_state[l->state]--;
    if (l->state == LEASE_PAST) {
        ring_remove(&l->in_list);
    } else {
        heap_remove(t, l);
    }
    if (l->port) {
        ring_remove(&l->in_port);
        *(l->state == LEASE_PAST ? &l->port->n_past : &l->port->n_live) -= 1;
    }
}

static void
enter_lists(struct lease_table *t, struct lease *l)
{
    t->n_in_state[l->state]++;
    if (l->state == LEASE_PAST) {
        l->is_leaving = l->is_leaving || !lease_is_common(t, l->addr);
        ring_append(l->is_leaving ? &t->leaving : &t->remembered,
                    &l->in_list);
    } else {
        l->is_leaving = false;
        heap_insert(t, l);
    }
    if (l->port) {
        ring_append(l->state == LEASE_PAST ? &l->port->past : &l->port->live,
                    &l->in_port);
        *(l->state == LEASE_PAST ? &l->port->n_past : &l->port->n_live) += 1;
    }
}

void
lease_forget_client(struct lease_table *t, struct lease *l)
{
    if (l->client_len) {
        hmap_remove(&t->by_holder, &l->by_holder);
        l->client_len = 0;
    }
}

/* Only with the lease in no list. */
static void
forget_port(struct lease_table *t, struct lease *l)
{
    struct lease_port *port = l->port;

    lease_forget_client(t, l);
    l->port = NULL;
    if (port && !port->n_live && !port->n_past) {
        hmap_remove(&t->ports, &port->node);
        free(port);
    }
}

void
lease_drop(struct lease_table *t, struct lease *l)
{
    leave_lists(t, l);
    forget_port(t, l);
    hmap_remove(&t->by_addr, &l->by_addr);
    if (!reservations_at(&t->reserved, l->addr)) {
        address_pool_give_back(t->pool, l->addr);
    }
    free(l);
}

void
lease_detach(struct lease_table *t, struct lease *l)
{
    if (!l->is_stored) {
        lease_drop(t, l);
        return;
    }
    leave_lists(t, l);
    forget_port(t, l);
    l->state = LEASE_PAST;
    l->is_leaving = true;
    enter_lists(t, l);
}

/* A guest that comes under ever new names is not remembered for ever. */
static void
trim_port(struct lease_table *t, struct lease_port *port)
{
    if (port && t->max_per_port && port->n_past > t->max_per_port) {
        lease_detach(t, CONTAINER_OF(port->past.next, struct lease, in_port));
    }
}

void
lease_set_state(struct lease_table *t, struct lease *l,
                enum lease_state state, unix_sec expires)
{
    leave_lists(t, l);
    l->state = state;
    l->expires = expires;
    enter_lists(t, l);
    trim_port(t, l->port);
}

struct lease *
lease_add(struct lease_table *t, be32 addr, const struct lease_holder *who,
    enum lease_state state, unix_sec expires, bool is_stored)
{
    const struct lease_client *client = who->client;
    struct lease *l = xzalloc(sizeof *l + client->len);

    l->addr = addr;
    l->state = state;
    l->expires = expires;
    l->is_stored = is_stored;
    l->mac = who->mac;
    l->client_len = client->len;
    memcpy(l->client, client->bytes, client->len);
    if (client->len || who->port[0]) {
        l->port = need_port(t, who->port);
    }
    hmap_insert(&t->by_addr, &l->by_addr, hash_u64(t->key, addr));
    if (l->client_len) {
        hmap_insert(&t->by_holder, &l->by_holder,
                    lease_hash_holder(t->key, who->port, client->bytes,
                                client->len));
    }
    address_pool_take(t->pool, addr);
    enter_lists(t, l);
    trim_port(t, l->port);
    return l;
}

void
lease_expire(struct lease_table *t, struct lease *l)
{
    if (l->state == LEASE_OFFERED && !l->is_stored) {
        lease_drop(t, l);
    } else {
        lease_set_state(t, l, LEASE_PAST, l->expires);
    }
}

bool
lease_expire_one(struct lease_table *t, unix_sec now)
{
    if (!t->n_heap || t->heap[0]->expires > now) {
        return false;
    }
    lease_expire(t, t->heap[0]);
    return true;
}

void
lease_index_init(struct lease_table *t)
{
    ring_init(&t->remembered);
    ring_init(&t->leaving);
    reservations_init(&t->reserved, t->key);
}

void
lease_index_fini(struct lease_table *t)
{
    HMAP_FOR_EACH_SAFE (node, &t->by_addr) {
        free(CONTAINER_OF(node, struct lease, by_addr));
    }
    HMAP_FOR_EACH_SAFE (node, &t->ports) {
        free(CONTAINER_OF(node, struct lease_port, node));
    }
    hmap_fini(&t->by_addr);
    hmap_fini(&t->by_holder);
    hmap_fini(&t->ports);
    reservations_fini(&t->reserved);
    free(t->heap);
}
