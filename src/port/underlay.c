#include "port/underlay.h"

#include <pthread.h>
#include <stdlib.h>

#include "packet/address.h"
#include "packet/outer.h"
#include "port/host_route.h"
#include "port/registry.h"
#include "port/tunnel_endpoint.h"

struct underlay {
    struct underlay *next;        /* in the registry */
    char name[PORT_NAME_MAX];
    struct host_routes *routes;       /* NULL: no endpoint */
    pthread_mutex_t locks[PORT_MAX_QUEUES];
    /* Under all the locks; any of them is enough to look. */
    struct tunnel_endpoint *endpoints;
};

const char *
underlay_of(const struct port *port)
{
    return port->class->is_tunnel
           ? port_config_get(&port->config, "underlay") : NULL;
}

static struct underlay *
find(const struct port_registry *registry, const char *name)
{
    struct underlay *underlay = registry->underlays;

    while (underlay && strcmp(underlay->name, name)) {
        underlay = underlay->next;
    }
    return underlay;
}

struct underlay *
underlay_find(const struct port *port)
{
    return port->registry && !port->class->is_tunnel
           ? find(port->registry, port->config.name) : NULL;
}

/* ---- Receiving ---- */

void
underlay_take(struct underlay *underlay, const struct port *port,
              unsigned int queue, struct packet_pool *pool,
              struct batch *batch)
{
    struct outer outers[BATCH_MAX];
    bool is_any = false;
    unsigned int n = 0;

    for (unsigned int i = 0; i < batch->n; i++) {
        if (!outer_parse(batch->pkts[i], &outers[i])
            || !eth_addr_eq(outers[i].eth_dst, port->mac)) {
            outers[i].proto = 0;
        }
        is_any |= outers[i].proto != 0;
    }
    if (!is_any) {
        return;
    }
    pthread_mutex_lock(&underlay->locks[queue]);
    for (struct tunnel_endpoint *e = underlay->endpoints; e;
         e = e->next_of_underlay) {
        tunnel_take(e, pool, batch, outers);
    }
    pthread_mutex_unlock(&underlay->locks[queue]);
    for (unsigned int i = 0; i < batch->n; i++) {
        if (batch->pkts[i]) {
            batch->pkts[n++] = batch->pkts[i];
        }
    }
    batch->n = n;
}

const struct port *
underlay_taker(const struct port *port, const struct outer *outer)
{
    const struct underlay *underlay = underlay_find(port);
    const struct tunnel_endpoint *e = underlay ? underlay->endpoints : NULL;

    if (!eth_addr_eq(outer->eth_dst, port->mac)) {
        return NULL;
    }
    while (e && !tunnel_is_to(&e->spec, outer)) {
        e = e->next_of_underlay;
    }
    return e && e->members ? &e->members->port : NULL;
}

/* ---- Who is on it ---- */

void
underlay_lock(struct underlay *underlay)
{
    for (unsigned int q = 0; q < PORT_MAX_QUEUES; q++) {
        pthread_mutex_lock(&underlay->locks[q]);
    }
}

void
underlay_unlock(struct underlay *underlay)
{
    for (unsigned int q = 0; q < PORT_MAX_QUEUES; q++) {
        pthread_mutex_unlock(&underlay->locks[q]);
    }
}

const char *
underlay_name(const struct underlay *underlay)
{
    return underlay->name;
}

struct host_routes *
underlay_routes(const struct underlay *underlay)
{
    return underlay->routes;
}

static struct underlay *
create(struct port_registry *registry, const char *name)
{
    struct underlay *underlay = xzalloc(sizeof *underlay);

    strncpy(underlay->name, name, sizeof underlay->name - 1);
    for (unsigned int q = 0; q < PORT_MAX_QUEUES; q++) {
        pthread_mutex_init(&underlay->locks[q], NULL);
    }
    underlay->next = registry->underlays;
    registry->underlays = underlay;
    return underlay;
}

int
underlay_join(struct port_registry *registry, const char *name,
              struct tunnel_endpoint *endpoint, struct str *error)
{
    struct underlay *underlay = find(registry, name);
    int err = 0;

    if (!underlay) {
        underlay = create(registry, name);
    }
    if (!underlay->routes) {
        err = host_routes_create(&underlay->routes);
    }
    if (err) {
        str_setf(error, "ask the kernel for routes: %s", strerror(-err));
        return err;
    }
    underlay_lock(underlay);
    endpoint->next_of_underlay = underlay->endpoints;
    underlay->endpoints = endpoint;
    underlay_unlock(underlay);
    endpoint->underlay = underlay;
    return 0;
}

void
underlay_leave(struct tunnel_endpoint *endpoint)
{
    struct underlay *underlay = endpoint->underlay;
    struct tunnel_endpoint **place = &underlay->endpoints;

    underlay_lock(underlay);
    while (*place != endpoint) {
        place = &(*place)->next_of_underlay;
    }
    *place = endpoint->next_of_underlay;
    underlay_unlock(underlay);
    if (!underlay->endpoints) {
        host_routes_destroy(underlay->routes);
        underlay->routes = NULL;
    }
    endpoint->underlay = NULL;
}

void
underlays_destroy(struct underlay *list)
{
    while (list) {
        struct underlay *next = list->next;

        for (unsigned int q = 0; q < PORT_MAX_QUEUES; q++) {
            pthread_mutex_destroy(&list->locks[q]);
        }
        free(list);
        list = next;
    }
}
