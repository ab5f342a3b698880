#include "controller/dhcp_scope.h"

#include <stdlib.h>

#include "packet/address.h"

/* How a server is called in a network that has no gateway: nobody can ask it
 * by that address, so that renewals are broadcasts (RFC 2131, 4.4.5). */
enum { NAMELESS_SERVER = 0xa9fea9fe };       /* 169.254.169.254 */

static_assert((int) INTENT_NAME_MAX <= (int) LEASE_PORT_MAX,
              "leases keep ports' names whole");

static_assert((int) DHCP_SCOPE_MAX_SUBNETS <= (int) DHCP_MAX_SUBNETS,
              "the server serves them all");

static bool
same_subnet(const struct subnet4 *a, const struct subnet4 *b)
{
    return a->addr == b->addr && a->len == b->len;
}

static struct dhcp_scope_subnet
open_subnet(const struct subnet4 *subnet)
{
    const struct lease_options options = { .key = hash_key_random() };

    return (struct dhcp_scope_subnet) { *subnet,
                                        lease_table_create(&options) };
}

struct dhcp_scope *
dhcp_scope_create(const struct topology_network *network)
{
    const struct network_dhcp *dhcp = &network->intent->dhcp;
    struct dhcp_scope *s = xzalloc(sizeof *s);

    s->id = network->id;
    memcpy(s->name, network->intent->object.name, sizeof s->name);
    s->server = dhcp_server_create();
    s->subnets[s->n_subnets++] = open_subnet(&network->intent->subnet);
    for (unsigned int i = 0; i < dhcp->n_relays; i++) {
        s->subnets[s->n_subnets++] = open_subnet(&dhcp->relays[i].subnet);
    }
    return s;
}

struct lease_table *
dhcp_scope_leases(const struct dhcp_scope *s, be32 addr)
{
    for (unsigned int i = 1; i < s->n_subnets; i++) {
        if (ip4_is_within(addr, s->subnets[i].subnet.addr,
                          s->subnets[i].subnet.len)) {
            return s->subnets[i].leases;
        }
    }
    return s->subnets[0].leases;
}

void
dhcp_scope_destroy(struct dhcp_scope *s)
{
    if (s) {
        dhcp_server_destroy(s->server);
        for (unsigned int i = 0; i < s->n_subnets; i++) {
            lease_table_destroy(s->subnets[i].leases);
        }
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

/* What this host may offer; nothing may be left of a small range. */
static unsigned int
find_ranges(const struct topology_network *network,
            struct address_span ranges[NETWORK_MAX_RANGES])
{
    struct address_piece pieces[NETWORK_MAX_RANGES];
    unsigned int n = address_share_pieces(network->intent, network->share,
                                          pieces);

    for (unsigned int i = 0; i < n; i++) {
        ranges[i] = (struct address_span) {
            htobe32(pieces[i].first),
            htobe32(pieces[i].first + pieces[i].n - 1),
        };
    }
    return n;
}

static int
configure(struct dhcp_scope *s, const struct topology_network *topology,
          struct str *error)
{
    const struct intent_network *network = topology->intent;
    const struct network_dhcp *dhcp = &network->dhcp;
    struct address_span ranges[NETWORK_MAX_RANGES];
    unsigned int n_ranges = find_ranges(topology, ranges);
    /* No range would be all of them. */
    const struct address_span everything = { 0, htobe32(UINT32_MAX) };
    struct dhcp_static_route routes[NETWORK_MAX_ROUTES];
    struct dhcp_item *extras = xcalloc(dhcp->n_options + 1, sizeof *extras);
    struct address_span relayed[NETWORK_MAX_RELAYS];
    struct dhcp_subnet subnets[DHCP_SCOPE_MAX_SUBNETS] = { {
        .network = network->subnet.addr, .prefix_len = network->subnet.len,
        .leases = s->subnets[0].leases, .default_time = dhcp->lease_time,
        .max_time = dhcp->lease_time, .router = network->gateway,
        .mtu = network->mtu, .n_dns = network->n_dns, .dns = network->dns,
        .n_ntp = dhcp->n_ntp, .ntp = dhcp->ntp,
        .domain = *network->domain ? network->domain : NULL,
        .n_ranges = n_ranges, .ranges = ranges,
        .n_exclusions = n_ranges ? 0 : 1, .exclusions = &everything,
        .n_routes = dhcp->n_routes, .routes = routes,
        .boot_server = *dhcp->boot_server ? dhcp->boot_server : NULL,
        .boot_file = *dhcp->boot_file ? dhcp->boot_file : NULL,
        .n_extras = dhcp->n_options, .extras = extras,
    } };
    const struct dhcp_server_config config = {
        .address = network->gateway ? network->gateway
                                    : htobe32(NAMELESS_SERVER),
        .mac = network->gateway_mac, .n_subnets = s->n_subnets,
        .subnets = subnets,
    };
    int err;

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
        subnets[0].n_dns = 1;
        subnets[0].dns = &network->gateway;
    }
    for (unsigned int i = 1; i < s->n_subnets; i++) {
        const struct dhcp_relay *relay = &dhcp->relays[i - 1];

        relayed[i - 1] = (struct address_span) { relay->range.first,
                                                 relay->range.last };
        subnets[i] = subnets[0];
        subnets[i].network = relay->subnet.addr;
        subnets[i].prefix_len = relay->subnet.len;
        subnets[i].router = relay->router;
        subnets[i].n_routes = 0;
        subnets[i].leases = s->subnets[i].leases;
        subnets[i].n_exclusions = 0;
        subnets[i].n_ranges = relay->range.first ? 1 : 0;
        subnets[i].ranges = &relayed[i - 1];
    }
    for (unsigned int i = 0; i < s->n_subnets; i++) {
        lease_set_max_per_port(s->subnets[i].leases, dhcp->per_port);
    }
    err = dhcp_server_configure(s->server, &config, error);
    free(extras);
    return err;
}

/* ---- Reservations ---- */

static void
read_member(const struct topology_member *member,
            struct dhcp_scope_member *m)
{
    memcpy(m->name, member->port->intent->object.name, sizeof m->name);
    m->mac = member->port->intent->mac;
    m->address = member->address;
}

/* Those at other hosts as well, whose addresses are nobody else's. */
static void
read_members(const struct topology_network *network,
             struct dhcp_scope *into)
{
    struct dhcp_scope_member *list = xcalloc(network->n_members
                                             + network->n_aways + 1,
                                             sizeof *list);
    unsigned int n = 0;

    for (unsigned int i = 0; i < network->n_members; i++) {
        read_member(network->members[i], &list[n++]);
    }
    for (unsigned int i = 0; i < network->n_aways; i++) {
        if (network->aways[i]->address) {
            read_member(network->aways[i], &list[n++]);
        }
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
    lease_reserve(dhcp_scope_leases(s, m->address), &r, changed, aux);
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

static void
release_port(struct dhcp_scope *s, const char *name, lease_changed *changed,
             void *aux)
{
    for (unsigned int i = 0; i < s->n_subnets; i++) {
        lease_release_port(s->subnets[i].leases, name, changed, aux);
    }
}

/* Whoever left while nobody kept books. */
static void
release_strangers(struct dhcp_scope *s, lease_changed *changed, void *aux)
{
    struct strangers strangers = { .scope = s };

    for (unsigned int i = 0; i < s->n_subnets; i++) {
        lease_for_each(s->subnets[i].leases, 0, note_stranger, &strangers);
    }
    for (unsigned int i = 0; i < strangers.n; i++) {
        release_port(s, strangers.names[i], changed, aux);
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
                lease_unreserve(dhcp_scope_leases(s, m->address),
                                m->address);
            }
            if (!is) {
                release_port(s, m->name, changed, aux);
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

/* ---- Subnets ---- */

struct ending {
    lease_changed *changed;
    void *aux;
};

static void
tell_end(const struct lease_record *record, void *aux)
{
    const struct ending *ending = aux;

    ending->changed(&(struct lease_change) { .is_removal = true,
                                             .record = *record },
                    ending->aux);
}

/* Leases of subnets that stay are kept, those of others end.  True: there were
 * some of those. */
static bool
change_subnets(struct dhcp_scope *s, const struct intent_network *network,
               lease_changed *changed, void *aux)
{
    struct ending ending = { changed, aux };
    struct dhcp_scope was = *s;
    bool are_gone = false;

    /* The network's own may have another prefix: what does not fit ends when
     * it is renewed. */
    s->subnets[0].subnet = network->subnet;
    s->n_subnets = 1;
    for (unsigned int i = 0; i < network->dhcp.n_relays; i++) {
        const struct subnet4 *subnet = &network->dhcp.relays[i].subnet;
        struct dhcp_scope_subnet *is = &s->subnets[s->n_subnets++];

        is->leases = NULL;
        for (unsigned int j = 1; j < was.n_subnets; j++) {
            if (same_subnet(&was.subnets[j].subnet, subnet)) {
                *is = was.subnets[j];
                was.subnets[j].leases = NULL;
            }
        }
        if (!is->leases) {
            *is = open_subnet(subnet);
        }
    }
    for (unsigned int j = 1; j < was.n_subnets; j++) {
        if (was.subnets[j].leases) {
            lease_for_each(was.subnets[j].leases, 0, tell_end, &ending);
            lease_table_destroy(was.subnets[j].leases);
            are_gone = true;
        }
    }
    return are_gone;
}

int
dhcp_scope_update(struct dhcp_scope *s, const struct topology_network *network,
                  lease_changed *changed, void *aux, struct str *error)
{
    struct dhcp_scope was = *s;
    bool are_gone = change_subnets(s, network->intent, changed, aux);
    int err = configure(s, network, error);

    /* What holds must not be what is no more. */
    if (err && are_gone) {
        dhcp_server_destroy(s->server);
        s->server = dhcp_server_create();
    }
    read_members(network, s);
    if (!was.members) {
        release_strangers(s, changed, aux);
    }
    change_members(s, &was, changed, aux);
    free(was.members);
    return err;
}
