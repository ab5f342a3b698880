#include "controller/dhcp_scope.h"

#include <stdlib.h>

#include "packet/address.h"

/* How a server is called in a network that has no gateway: nobody can ask it
 * by that address, so that renewals are broadcasts (RFC 2131, 4.4.5). */
enum { NAMELESS_SERVER = 0xa9fea9fe };       /* 169.254.169.254 */

static_assert((int) INTENT_NAME_MAX <= (int) LEASE_PORT_MAX,
              "leases keep ports' names whole");

struct dhcp_scope *
dhcp_scope_create(const struct topology_network *network)
{
    const struct lease_options options = {
        .key = hash_key_random(),
    };
    struct dhcp_scope *s = xzalloc(sizeof *s);

    s->id = network->id;
    memcpy(s->name, network->intent->object.name, sizeof s->name);
    s->server = dhcp_server_create();
    s->leases = lease_table_create(&options);
    return s;
}

void
dhcp_scope_destroy(struct dhcp_scope *s)
{
    if (s) {
        dhcp_server_destroy(s->server);
        lease_table_destroy(s->leases);
        free(s->members);
        free(s);
    }
}

static int
compare_members(const void *a, const void *b)
{
    const struct dhcp_scope_member *x = a, *y = b;

    return strcmp(x->name, y->name);
}

const struct dhcp_scope_member *
dhcp_scope_member(const struct dhcp_scope *s, const char *name)
{
    size_t low = 0, high = s->n_members;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, s->members[middle].name);

        if (!order) {
            return &s->members[middle];
        } else if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* ---- Options ---- */

static int
configure(struct dhcp_scope *s, const struct intent_network *network,
          struct str *error)
{
    const struct network_dhcp *dhcp = &network->dhcp;
    struct address_span ranges[NETWORK_MAX_RANGES];
    struct dhcp_static_route routes[NETWORK_MAX_ROUTES];
    struct dhcp_item *extras = xcalloc(dhcp->n_options + 1, sizeof *extras);
    struct dhcp_subnet subnet = {
        .network = network->subnet.addr, .prefix_len = network->subnet.len,
        .leases = s->leases, .default_time = dhcp->lease_time,
        .max_time = dhcp->lease_time, .router = network->gateway,
        .mtu = network->mtu, .n_dns = network->n_dns, .dns = network->dns,
        .n_ntp = dhcp->n_ntp, .ntp = dhcp->ntp,
        .domain = *network->domain ? network->domain : NULL,
        .n_ranges = dhcp->n_ranges, .ranges = ranges,
        .n_routes = dhcp->n_routes, .routes = routes,
        .boot_server = *dhcp->boot_server ? dhcp->boot_server : NULL,
        .boot_file = *dhcp->boot_file ? dhcp->boot_file : NULL,
        .n_extras = dhcp->n_options, .extras = extras,
    };
    const struct dhcp_server_config config = {
        .address = network->gateway ? network->gateway
                                    : htobe32(NAMELESS_SERVER),
        .mac = network->gateway_mac, .n_subnets = 1, .subnets = &subnet,
    };
    int err;

    for (unsigned int i = 0; i < dhcp->n_ranges; i++) {
        ranges[i] = (struct address_span) { dhcp->ranges[i].first,
                                            dhcp->ranges[i].last };
    }
    for (unsigned int i = 0; i < dhcp->n_routes; i++) {
        routes[i] = (struct dhcp_static_route) {
            dhcp->routes[i].destination.addr,
            dhcp->routes[i].destination.len, dhcp->routes[i].gateway,
        };
    }
    for (unsigned int i = 0; i < dhcp->n_options; i++) {
        extras[i] = (struct dhcp_item) { dhcp->options[i].code,
                                         dhcp->options[i].len,
                                         dhcp->options[i].value };
    }
    /* Nobody else was named: then the gateway answers. */
    if (!network->n_dns && network->gateway) {
        subnet.n_dns = 1;
        subnet.dns = &network->gateway;
    }
    lease_set_max_per_port(s->leases, dhcp->per_port);
    err = dhcp_server_configure(s->server, &config, error);
    free(extras);
    return err;
}

/* ---- Reservations ---- */

static void
read_members(const struct topology_network *network,
             struct dhcp_scope *into)
{
    struct dhcp_scope_member *list = xcalloc(network->n_members + 1,
                                             sizeof *list);
    unsigned int n = 0;

    for (unsigned int i = 0; i < network->n_members; i++) {
        const struct topology_member *member = network->members[i];
        struct dhcp_scope_member *m = &list[n++];

        memcpy(m->name, member->port->intent->object.name, sizeof m->name);
        m->mac = member->port->intent->mac;
        m->address = member->address;
    }
    qsort(list, n, sizeof *list, compare_members);
    /* A trunk may carry a network both tagged and untagged. */
    into->members = list;
    into->n_members = 0;
    for (unsigned int i = 0; i < n; i++) {
        struct dhcp_scope_member *last
            = into->n_members ? &list[into->n_members - 1] : NULL;

        if (last && !strcmp(last->name, list[i].name)) {
            last->address = last->address ? last->address : list[i].address;
        } else {
            list[into->n_members++] = list[i];
        }
    }
}

/* Both lists are in order: `at` is where the last one's name would be. */
static const struct dhcp_scope_member *
next_member(const struct dhcp_scope *s, const char *name, unsigned int *at)
{
    while (*at < s->n_members && strcmp(s->members[*at].name, name) < 0) {
        (*at)++;
    }
    return *at < s->n_members && !strcmp(s->members[*at].name, name)
           ? &s->members[*at] : NULL;
}

static bool
is_same_member(const struct dhcp_scope_member *is,
               const struct dhcp_scope_member *m)
{
    return is && is->address == m->address && eth_addr_eq(is->mac, m->mac);
}

static void
reserve(struct dhcp_scope *s, const struct dhcp_scope_member *m,
        lease_changed *changed, void *aux)
{
    struct lease_reservation r = { .addr = m->address, .mac = m->mac };

    memcpy(r.port, m->name, sizeof m->name);
    lease_reserve(s->leases, &r, changed, aux);
}

struct strangers {
    const struct dhcp_scope *scope;
    unsigned int n, size;
    char (*names)[LEASE_PORT_MAX];
};

static void
note_stranger(const struct lease_record *record, void *aux)
{
    struct strangers *s = aux;

    if (!record->port[0] || dhcp_scope_member(s->scope, record->port)) {
        return;
    }
    if (s->n == s->size) {
        s->size = MAX(16u, s->size * 2);
        s->names = xrealloc(s->names, s->size * sizeof *s->names);
    }
    memcpy(s->names[s->n++], record->port, sizeof record->port);
}

/* Whoever left while nobody kept books. */
static void
release_strangers(struct dhcp_scope *s, lease_changed *changed, void *aux)
{
    struct strangers strangers = { .scope = s };

    lease_for_each(s->leases, 0, note_stranger, &strangers);
    for (unsigned int i = 0; i < strangers.n; i++) {
        lease_release_port(s->leases, strangers.names[i], changed, aux);
    }
    free(strangers.names);
}

/* Two walks, since one port's address may now be another's. */
static void
change_members(struct dhcp_scope *s, const struct dhcp_scope *was,
               lease_changed *changed, void *aux)
{
    for (unsigned int i = 0, at = 0; i < was->n_members; i++) {
        const struct dhcp_scope_member *m = &was->members[i];
        const struct dhcp_scope_member *is = next_member(s, m->name, &at);

        if (!is_same_member(is, m)) {
            if (m->address) {
                lease_unreserve(s->leases, m->address);
            }
            if (!is) {
                lease_release_port(s->leases, m->name, changed, aux);
            }
        }
    }
    for (unsigned int i = 0, at = 0; i < s->n_members; i++) {
        const struct dhcp_scope_member *m = &s->members[i];
        const struct dhcp_scope_member *old = next_member(was, m->name, &at);

        if (m->address && !is_same_member(old, m)) {
            reserve(s, m, changed, aux);
        }
    }
}

int
dhcp_scope_update(struct dhcp_scope *s, const struct topology_network *network,
                  lease_changed *changed, void *aux, struct str *error)
{
    struct dhcp_scope was = *s;
    int err = configure(s, network->intent, error);

    read_members(network, s);
    if (!was.members) {
        release_strangers(s, changed, aux);
    }
    change_members(s, &was, changed, aux);
    free(was.members);
    return err;
}
