#include "controller/serve_binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "packet/address.h"
#include "service/nd.h"

#define PREFIX "binding/"

static_assert((int) BINDING_MAX <= (int) MEMBER_MAX_BOUND,
              "what is bound can be told");

/* What a port announced in a network. */
struct bound {
    uint64_t network, port;
    struct binding_list list;
};

struct serve_binding {
    const struct service_host *host;
    struct store *store;          /* NULL: none */
    struct id_map bound;          /* struct bound, by network and port */
    unix_sec epoch;               /* of the monotonic clock's 0 */
    uint64_t n[N_BINDING_RESULTS];
};

static unix_sec
now_of(const struct serve_binding *s)
{
    return s->epoch + clock_msec() / 1000;
}

static uint64_t
key_of(uint64_t network, uint64_t port)
{
    const uint64_t ids[] = { network, port };

    return XXH3_64bits(ids, sizeof ids);
}

static struct bound *
find(const struct serve_binding *s, uint64_t network, uint64_t port)
{
    return id_map_find(&s->bound, key_of(network, port));
}

static struct bound *
find_or_make(struct serve_binding *s, uint64_t network, uint64_t port)
{
    struct bound *bound = find(s, network, port);

    if (!bound) {
        bound = xzalloc(sizeof *bound);
        bound->network = network;
        bound->port = port;
        id_map_set(&s->bound, key_of(network, port), bound);
    }
    return bound;
}

/* ---- The store ---- */

static void
on_done(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "nd",
                    "a guest's own address is not kept: %s", result->text);
    }
}

/* Nobody waits for it: what is lost is announced again. */
static void
keep(struct serve_binding *s, const struct bound *bound)
{
    uint8_t value[BINDING_BYTES_MAX];
    struct store_txn *txn;
    char key[64];

    if (!s->store) {
        return;
    }
    snprintf(key, sizeof key, PREFIX "%016llx/%016llx",
             (unsigned long long) bound->network,
             (unsigned long long) bound->port);
    txn = store_txn_create(STORE_PROCESS);
    if (bound->list.n) {
        store_txn_put(txn, key, value, binding_encode(&bound->list, value),
                      STORE_ANY);
    } else {
        store_txn_delete(txn, key, STORE_ANY);
    }
    if (store_commit(s->store, txn, on_done, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "nd",
                    "a guest's own address is not kept: the store is busy");
    }
}

static void
load(struct serve_binding *s)
{
    STORE_FOR_EACH (entry, s->store, PREFIX) {
        unsigned long long network, port;
        struct binding_list list;

        if (sscanf(entry->key, PREFIX "%16llx/%16llx", &network, &port) == 2
            && !binding_decode(entry->value, entry->value_size, &list)) {
            find_or_make(s, network, port)->list = list;
        } else {
            log_limited(LOG_LEVEL_WARN, "nd",
                        "the store's '%s' is not understood", entry->key);
        }
    }
}

/* ---- Announcements ---- */

static bool
has_address(const struct topology_member *member,
            const struct ip6_addr *addr)
{
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        if (ip6_addr_eq(member->addresses6[i], *addr)) {
            return true;
        }
    }
    return false;
}

static bool
is_taken(const struct topology_network *network,
         const struct topology_member *by, const struct ip6_addr *addr)
{
    if (ip6_addr_eq(*addr, network->intent->gateway6)
        || ip6_addr_eq(*addr,
                       topology_link_local(network->intent->gateway_mac))) {
        return true;
    }
    for (unsigned int i = 0; i < network->n_members; i++) {
        if (network->members[i]->port != by->port
            && has_address(network->members[i], addr)) {
            return true;
        }
    }
    return false;
}

static void
bind_member(struct serve_binding *s, const struct topology_member *member,
            const struct binding_list *list)
{
    struct ip6_addr at[BINDING_MAX];

    for (unsigned int i = 0; i < list->n; i++) {
        at[i] = list->at[i].addr;
    }
    service_bind6(s->host, member, BOUND_ANNOUNCED, at, list->n);
}

static enum binding_result
announce(struct serve_binding *s, const struct packet_in *in)
{
    const struct intent_network *network = in->network->intent;
    struct ip6_addr addr;
    enum binding_result result;
    struct eth_addr mac;
    struct bound *bound;

    if (!nd_announced(in->frame, in->len, &mac, &addr)
        || !eth_addr_eq(mac, in->member->port->intent->mac)) {
        return BINDING_NOT_OWN;
    }
    if (topology_is_planned6(in->member, &addr)) {
        return BINDING_PLANNED;
    }
    if (!binding_is_choice(&addr, &network->subnet6.addr,
                           network->subnet6.len, network->ra == RA_SLAAC)) {
        return BINDING_OUTSIDE;
    }
    if (is_taken(in->network, in->member, &addr)) {
        return BINDING_TAKEN;
    }
    bound = find_or_make(s, in->network->id, in->member->port->id);
    result = binding_announce(&bound->list, &addr, now_of(s));
    if (result != BINDING_TOO_MANY) {
        keep(s, bound);
    }
    if (result == BINDING_NEW) {
        bind_member(s, in->member, &bound->list);
    }
    return result;
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_binding *s = aux;

    s->n[announce(s, in)]++;
}

/* ---- Networks ---- */

static const struct topology_member *
find_member(const struct serve_binding *s, const struct bound *bound)
{
    const struct topology_port *port = topology_port(s->host->topology,
                                                     bound->port);

    for (unsigned int i = 0; port && i < port->n_members; i++) {
        if (port->members[i].network->id == bound->network) {
            return &port->members[i];
        }
    }
    return NULL;
}

/* What may not be chosen any more, or is planned now. */
static void
prune(struct serve_binding *s, struct bound *bound,
      const struct topology_member *member)
{
    const struct intent_network *network
        = member ? member->network->intent : NULL;
    struct binding_list *list = &bound->list;
    unsigned int n = list->n;

    list->n = 0;
    for (unsigned int i = 0; i < n; i++) {
        const struct ip6_addr *addr = &list->at[i].addr;

        if (topology_learns6(network)
            && binding_is_choice(addr, &network->subnet6.addr,
                                 network->subnet6.len,
                                 network->ra == RA_SLAAC)
            && !topology_is_planned6(member, addr)
            && !is_taken(member->network, member, addr)) {
            list->at[list->n++] = list->at[i];
        }
    }
    if (list->n != n) {
        keep(s, bound);
    }
}

void
serve_binding_changed(struct serve_binding *s)
{
    struct bound *bound, **gone = xcalloc(s->bound.n + 1, sizeof *gone);
    unsigned int n = 0;

    ID_MAP_FOR_EACH (bound, &s->bound) {
        const struct topology_member *member = find_member(s, bound);

        prune(s, bound, member);
        if (bound->list.n) {
            bind_member(s, member, &bound->list);
        } else {
            gone[n++] = bound;
        }
    }
    while (n > 0) {
        bound = gone[--n];
        id_map_remove(&s->bound, key_of(bound->network, bound->port));
        free(bound);
    }
    free(gone);
}

const uint64_t *
serve_binding_counters(const struct serve_binding *s)
{
    return s->n;
}

/* ---- Making and ending ---- */

/* The wall clock is read once: ages do not follow its jumps. */
struct serve_binding *
serve_binding_create(const struct service_host *host, struct store *store)
{
    struct serve_binding *s = xzalloc(sizeof *s);

    s->host = host;
    s->store = store;
    s->epoch = time(NULL) - clock_msec() / 1000;
    id_map_init(&s->bound);
    if (store) {
        load(s);
    }
    packet_in_serve(host->packet_ins, SERVICE_BINDING, on_packet, s);
    return s;
}

void
serve_binding_destroy(struct serve_binding *s)
{
    struct bound *bound;

    if (!s) {
        return;
    }
    ID_MAP_FOR_EACH (bound, &s->bound) {
        free(bound);
    }
    id_map_fini(&s->bound);
    free(s);
}
