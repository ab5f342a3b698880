#include "controller/topology_impl.h"

#include <stdlib.h>

#include "lib/str.h"

/* Names of ports are ids here by their hash; a name that is not the one asked
 * for is not found. */
uint64_t
topology_name_id(const char *name)
{
    return XXH3_64bits(name, strnlen(name, 16));
}

struct topology *
topology_create(const struct topology_config *config)
{
    struct topology *t = xzalloc(sizeof *t);

    t->host = config->host ? xstrdup(config->host) : NULL;
    t->ipam = config->ipam;
    t->multicast = config->multicast;
    t->next_hops = config->next_hops;
    t->remote = config->remote;
    t->names_are_devices = config->names_are_devices;
    t->has_own_numbers = !config->numbers;
    t->numbers = config->numbers ? config->numbers : number_set_create(NULL);
    id_map_init(&t->by_security);
    id_map_init(&t->by_group);
    id_map_init(&t->by_id);
    id_map_init(&t->by_name);
    id_map_init(&t->by_number);
    id_map_init(&t->switch_ports);
    return t;
}

void
topology_clear_model(struct topology *t)
{
    topology_clear_nat(t);
    for (unsigned int i = 0; i < t->n_networks; i++) {
        free(t->networks[i].members);
        free(t->networks[i].aways);
        free(t->networks[i].hosts);
    }
    topology_clear_hosts(t);
    for (unsigned int i = 0; i < t->n_ports + t->n_aways; i++) {
        free(t->ports[i].members);
    }
    for (unsigned int i = 0; i < t->n_routers; i++) {
        free(t->routers[i].networks);
    }
    free(t->networks);
    free(t->ports);
    free(t->uplinks);
    free(t->routers);
    topology_clear_securities(t);
    id_map_fini(&t->by_id);
    id_map_fini(&t->by_name);
    id_map_fini(&t->by_number);
    intent_unref(t->intent);
}

void
topology_forget_switch_ports(struct topology *t)
{
    struct switch_port *port;

    ID_MAP_FOR_EACH (port, &t->switch_ports) {
        free(port);
    }
    id_map_fini(&t->switch_ports);
}

void
topology_destroy(struct topology *t)
{
    if (!t) {
        return;
    }
    topology_clear_model(t);
    topology_forget_switch_ports(t);
    if (t->has_own_numbers) {
        number_set_destroy(t->numbers);
    }
    free(t->host);
    free(t);
}

const struct intent *
topology_intent(const struct topology *t)
{
    return t->intent;
}

const struct next_hops *
topology_next_hops(const struct topology *t)
{
    return t->next_hops;
}

const struct remote *
topology_remote(const struct topology *t)
{
    return t->remote;
}

const struct multicast *
topology_multicast(const struct topology *t)
{
    return t->multicast;
}

const struct switch_port *
topology_find_switch_port(const struct topology *t, const char *name)
{
    const struct switch_port *port = id_map_find(&t->switch_ports,
                                                 topology_name_id(name));

    return port && !strncmp(port->name, name, sizeof port->name) ? port
                                                                 : NULL;
}

uint32_t
topology_number_of(const struct topology *t, const char *name)
{
    const struct switch_port *port = topology_find_switch_port(t, name);

    return port && !port->is_held ? port->number : 0;
}

/* ---- IPv6 addresses ---- */

static void
put_identifier(uint8_t *iid, struct eth_addr mac)
{
    const uint8_t bytes[8] = { mac.b[0] ^ 2, mac.b[1], mac.b[2], 0xff, 0xfe,
                               mac.b[3], mac.b[4], mac.b[5] };

    memcpy(iid, bytes, sizeof bytes);
}

struct ip6_addr
topology_link_local(struct eth_addr mac)
{
    struct ip6_addr addr = { { 0xfe, 0x80 } };

    put_identifier(&addr.b[8], mac);
    return addr;
}

struct ip6_addr
topology_slaac(const struct subnet6 *subnet, struct eth_addr mac)
{
    struct ip6_addr addr = { { 0 } };

    put_identifier(&addr.b[8], mac);
    for (unsigned int bit = 0; bit < subnet->len; bit++) {
        uint8_t mask = (uint8_t) (0x80 >> bit % 8);

        addr.b[bit / 8] = (uint8_t) ((addr.b[bit / 8] & ~mask)
                                     | (subnet->addr.b[bit / 8] & mask));
    }
    return addr;
}

static bool
is_zero6(const struct ip6_addr *addr)
{
    static const struct ip6_addr zero;

    return !memcmp(addr, &zero, sizeof zero);
}

bool
topology_has_gateway6(const struct topology_network *network)
{
    return !is_zero6(&network->intent->gateway6);
}

/* ---- Building the model ---- */

static unsigned int
count_members(const struct intent_port *port)
{
    return (port->network ? 1 : 0) + port->n_trunk;
}

static void
add_addresses(struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;
    const struct intent_network *network = member->network->intent;

    member->addresses6[member->n_addresses6++]
        = topology_link_local(port->mac);
    if (!member->vid && !is_zero6(&port->address6)) {
        member->addresses6[member->n_addresses6++] = port->address6;
    } else if (network->subnet6.is_set) {
        member->addresses6[member->n_addresses6++]
            = topology_slaac(&network->subnet6, port->mac);
    }
    member->n_planned6 = member->n_addresses6;
    /* A trunk's own address is of the network that it is in untagged. */
    member->address = member->vid ? 0 : port->address;
}

static void
add_member(struct topology *t, struct topology_port *port,
           const struct intent_network *network, uint16_t vid)
{
    struct topology_member *member = &port->members[port->n_members++];

    *member = (struct topology_member) {
        .port = port, .vid = vid,
        .network = id_map_find(&t->by_id, network->object.id),
    };
    add_addresses(member);
    if (port->host) {
        topology_add_said(t, member);
        member->network->n_aways++;
    } else {
        member->network->n_members++;
    }
}

/* How the switch calls it. */
const char *
topology_name_of(const struct topology *t, const struct intent_port *port)
{
    return t->names_are_devices ? intent_port_device(port)
                                : port->switch_name;
}

static void
add_members(struct topology *t, struct topology_port *port)
{
    const struct intent_port *intent = port->intent;

    port->members = xcalloc(count_members(intent) + 1, sizeof *port->members);
    if (intent->network) {
        add_member(t, port, intent->network, 0);
    }
    for (unsigned int i = 0; i < intent->n_trunk; i++) {
        add_member(t, port, intent->trunk[i].network, intent->trunk[i].vid);
    }
}

static void
add_port(struct topology *t, const struct intent_port *intent)
{
    struct topology_port *port = &t->ports[t->n_ports++];

    *port = (struct topology_port) {
        .intent = intent, .id = intent->object.id,
        .number = topology_number_of(t, topology_name_of(t, intent)),
    };
    add_members(t, port);
    id_map_set(&t->by_id, port->id, port);
    id_map_set(&t->by_name, topology_name_id(topology_name_of(t, intent)),
               port);
    if (port->number) {
        id_map_set(&t->by_number, port->number, port);
    }
}

static bool
concerns_us(const struct topology *t, const struct intent_network *network)
{
    const struct topology_network *n
        = network ? id_map_find(&t->by_id, network->object.id) : NULL;

    return n && topology_concerns_us(n);
}

/* One at another host, if that is anything to us. */
static void
add_away(struct topology *t, const struct intent_port *intent,
         const struct topology_host *host)
{
    bool is_ours = concerns_us(t, intent->network);
    struct topology_port *port = &t->ports[t->n_ports + t->n_aways];

    for (unsigned int i = 0; i < intent->n_trunk; i++) {
        is_ours |= concerns_us(t, intent->trunk[i].network);
    }
    if (!is_ours) {
        return;
    }
    t->n_aways++;
    *port = (struct topology_port) {
        .intent = intent, .id = intent->object.id, .host = host,
    };
    add_members(t, port);
    id_map_set(&t->by_away, port->id, port);
}

static void
link_mirrors(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_ports; i++) {
        const struct intent_port *mirror = t->ports[i].intent->mirror;
        struct topology_port *to
            = mirror ? id_map_find(&t->by_id, mirror->object.id) : NULL;

        t->ports[i].mirror = to;
        if (to) {
            to->is_mirror = true;
        }
    }
}

/* Nobody but the host is beyond that port. */
static void
find_transfer(const struct topology *t, struct topology_uplink *uplink)
{
    const struct switch_port *port
        = topology_find_switch_port(t, uplink->intent->transfer.port);

    uplink->number = port ? port->number : 0;
    uplink->n_ports = port ? 1 : 0;
    uplink->ports[0] = uplink->number;
    uplink->links = (struct uplink_links) {
        .n_rx = uplink->n_ports, .n_tx = uplink->n_ports,
        .rx = { uplink->number }, .tx = { uplink->number },
    };
}

/* Which members the switch has, and what a plain device comes to. */
void
topology_find_ports(const struct topology *t, struct topology_uplink *uplink)
{
    const struct intent_uplink *intent = uplink->intent;

    if (intent->is_host) {
        find_transfer(t, uplink);
        return;
    }
    uplink->n_ports = uplink->up = 0;
    for (unsigned int i = 0; i < intent->n_members; i++) {
        const struct switch_port *port
            = topology_find_switch_port(t, intent->members[i].switch_name);

        if (port) {
            uplink->ports[uplink->n_ports++] = port->number;
            uplink->up |= (unsigned int) (intent->is_bond && port->has_link)
                          << i;
        }
    }
    if (!intent->is_bond) {
        unsigned int n = uplink->n_ports;

        uplink->number = n ? uplink->ports[0] : 0;
        uplink->links = (struct uplink_links) {
            .n_rx = n, .n_tx = n, .rx = { uplink->number },
            .tx = { uplink->number },
        };
    }
}

const struct switch_port *
topology_host_leg(const struct topology *t, const struct intent_uplink *uplink)
{
    const struct switch_port *port
        = uplink->host_leg[0]
          ? topology_find_switch_port(t, uplink->host_leg) : NULL;

    return port && port->has_link ? port : NULL;
}

void
topology_find_host(const struct topology *t, struct topology_uplink *uplink)
{
    const struct intent_uplink *intent = uplink->intent;
    const struct switch_port *leg
        = intent->is_host
          ? topology_find_switch_port(t, intent->transfer.port)
          : topology_host_leg(t, intent);

    uplink->host_number = leg && !intent->is_host ? leg->number : 0;
    uplink->host_mac = leg ? leg->mac : (struct eth_addr) { { 0 } };
}

static void
add_uplink(struct topology *t, const struct intent_uplink *intent)
{
    struct topology_uplink *uplink = &t->uplinks[t->n_uplinks++];

    *uplink = (struct topology_uplink) {
        .intent = intent, .id = intent->object.id,
    };
    topology_find_ports(t, uplink);
    topology_find_host(t, uplink);
    id_map_set(&t->by_id, uplink->id, uplink);
}

static void
add_network(struct topology *t, const struct intent_network *intent)
{
    struct topology_network *network = &t->networks[t->n_networks++];

    *network = (struct topology_network) {
        .intent = intent, .id = intent->object.id,
        .share = address_share_of(t->intent, intent, t->host),
        .uplink = intent->segment.uplink
                  ? id_map_find(&t->by_id,
                                intent->segment.uplink->object.id) : NULL,
    };
    id_map_set(&t->by_id, network->id, network);
}

static void
add_router(struct topology *t, const struct intent_router *intent)
{
    struct topology_router *router = &t->routers[t->n_routers++];

    *router = (struct topology_router) {
        .intent = intent, .id = intent->object.id,
        .n_networks = intent->n_networks,
        .networks = xcalloc(intent->n_networks, sizeof *router->networks),
    };
    for (unsigned int i = 0; i < router->n_networks; i++) {
        const struct intent_network *joined = intent->networks[i].network;
        struct topology_network *network = id_map_find(&t->by_id,
                                                       joined->object.id);

        router->networks[i] = network;
        network->router = router;
    }
    id_map_set(&t->by_id, router->id, router);
}

/* Now that all is counted, every network gets its members' list. */
static void
link_members(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];

        network->members = xcalloc(network->n_members + 1,
                                   sizeof *network->members);
        network->aways = xcalloc(network->n_aways + 1,
                                 sizeof *network->aways);
        network->n_members = network->n_aways = 0;
    }
    for (unsigned int i = 0; i < t->n_ports + t->n_aways; i++) {
        for (unsigned int j = 0; j < t->ports[i].n_members; j++) {
            struct topology_member *member = &t->ports[i].members[j];
            struct topology_network *network = member->network;

            if (member->port->host) {
                network->aways[network->n_aways++] = member;
            } else {
                network->members[network->n_members++] = member;
            }
        }
    }
}

/* A port that moved here keeps the address that it was given where it was. */
static void
adopt_address(const struct topology *t, const struct topology_member *member)
{
    uint64_t network = member->network->id, port = member->port->id;
    be32 address = !t->remote || member->address
                   || ipam_find(t->ipam, network, port)
                   ? 0
                   : remote_last_address(t->remote,
                                         t->own_host ? t->own_host->id : 0,
                                         port, network);

    if (address) {
        ipam_keep(t->ipam, network, port, address);
    }
}

static void
assign_addresses(struct topology *t, struct topology_network *network)
{
    struct ipam_want *wants = xcalloc(network->n_members + network->n_aways
                                      + 1, sizeof *wants);
    unsigned int n = 0;

    for (unsigned int i = 0; i < network->n_members; i++) {
        wants[n++] = (struct ipam_want) { network->members[i]->port->id,
                                          network->members[i]->address };
        adopt_address(t, network->members[i]);
    }
    /* What others have is not chosen. */
    for (unsigned int i = 0; i < network->n_aways; i++) {
        if (network->aways[i]->address) {
            wants[n++] = (struct ipam_want) { network->aways[i]->port->id,
                                              network->aways[i]->address };
        }
    }
    ipam_assign(t->ipam, network->intent, network->share, wants, n);
    for (unsigned int i = 0; i < network->n_members; i++) {
        network->members[i]->address = wants[i].address;
    }
    free(wants);
}

static void
count_kinds(struct topology_network *network)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        const struct topology_member *member = network->members[i];

        network->n_isolated += member->port->intent->is_isolated;
        network->n_unknown += topology_is_unknown(member);
        network->n_asked += topology_is_asked(member);
        network->n_secured += member->port->security != NULL;
    }
}

void
topology_build(struct topology *t, const struct intent *intent)
{
    id_map_init(&t->by_id);
    id_map_init(&t->by_name);
    id_map_init(&t->by_number);
    id_map_init(&t->by_away);
    t->n_networks = t->n_ports = t->n_uplinks = t->n_routers = 0;
    t->n_hosts = t->n_aways = 0;
    t->hosts = NULL;
    t->own_host = NULL;
    t->intent = intent ? intent_ref(intent) : NULL;
    t->uplinks = NULL;
    t->routers = NULL;
    t->securities = NULL;
    t->n_securities = 0;
    id_map_init(&t->by_security);
    id_map_init(&t->by_group);
    t->networks = NULL;
    t->ports = NULL;
    if (!intent) {
        return;
    }
    t->uplinks = xcalloc(intent_count(intent, INTENT_UPLINK) + 1,
                         sizeof *t->uplinks);
    t->networks = xcalloc(intent_count(intent, INTENT_NETWORK) + 1,
                          sizeof *t->networks);
    t->ports = xcalloc(intent_count(intent, INTENT_PORT) + 1,
                       sizeof *t->ports);
    t->routers = xcalloc(intent_count(intent, INTENT_ROUTER) + 1,
                         sizeof *t->routers);
    id_map_reserve(&t->by_id, intent_count(intent, INTENT_UPLINK)
                              + intent_count(intent, INTENT_NETWORK)
                              + intent_count(intent, INTENT_ROUTER)
                              + intent_count(intent, INTENT_FORWARD)
                              + intent_count(intent, INTENT_HOST)
                              + intent_count(intent, INTENT_PORT));
    id_map_reserve(&t->by_name, intent_count(intent, INTENT_PORT));
    id_map_reserve(&t->by_number, intent_count(intent, INTENT_PORT));
    topology_build_hosts(t);
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        if (intent_uplink_is_at(uplink, t->host)) {
            add_uplink(t, uplink);
        }
    }
    INTENT_FOR_EACH_NETWORK (network, intent) {
        add_network(t, network);
    }
    INTENT_FOR_EACH_ROUTER (router, intent) {
        add_router(t, router);
    }
    INTENT_FOR_EACH_PORT (port, intent) {
        if (topology_is_here(t, port)) {
            add_port(t, port);
        }
    }
    INTENT_FOR_EACH_PORT (port, intent) {
        const struct topology_host *host = topology_place(t, port);

        if (host && !topology_is_here(t, port)) {
            add_away(t, port, host);
        }
    }
    link_mirrors(t);
    topology_build_securities(t);
    link_members(t);
    for (unsigned int i = 0; i < t->n_networks; i++) {
        assign_addresses(t, &t->networks[i]);
        count_kinds(&t->networks[i]);
        topology_build_network_hosts(t, &t->networks[i]);
    }
}

/* ---- Look-ups ---- */

/* The kind of an object is in its id, so that one map holds all four. */
static void *
find(const struct topology *t, enum intent_kind kind, uint64_t id)
{
    return id >> 60 == (uint64_t) kind + 1 ? id_map_find(&t->by_id, id)
                                           : NULL;
}

const struct topology_network *
topology_network(const struct topology *t, uint64_t id)
{
    return find(t, INTENT_NETWORK, id);
}

const struct topology_port *
topology_port(const struct topology *t, uint64_t id)
{
    return find(t, INTENT_PORT, id);
}

const struct topology_uplink *
topology_uplink(const struct topology *t, uint64_t id)
{
    return find(t, INTENT_UPLINK, id);
}

const struct topology_forward *
topology_forward(const struct topology *t, uint64_t id)
{
    return find(t, INTENT_FORWARD, id);
}

const struct topology_router *
topology_router(const struct topology *t, uint64_t id)
{
    return find(t, INTENT_ROUTER, id);
}

static const struct topology_member *
member_in(const struct topology_port *port, uint64_t network)
{
    for (unsigned int i = 0; port && i < port->n_members; i++) {
        if (port->members[i].network->id == network) {
            return &port->members[i];
        }
    }
    return NULL;
}

const struct topology_member *
topology_member(const struct topology *t, uint64_t network, uint32_t number)
{
    return member_in(id_map_find(&t->by_number, number), network);
}

const struct topology_member *
topology_member_of(const struct topology *t, uint64_t network, uint64_t port)
{
    return member_in(topology_port(t, port), network);
}
