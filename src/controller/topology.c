#include "controller/topology.h"

#include <stdlib.h>

#include "lib/str.h"

/* A port of the switch, as it told us. */
struct switch_port {
    char name[16];
    uint32_t number;
    bool has_link;
    bool is_held;                 /* as if the switch did not have it */
    struct eth_addr mac;
};

struct topology {
    char *host;
    struct ipam *ipam;
    const struct multicast *multicast;
    bool names_are_devices;
    struct intent *intent;        /* NULL: none */

    unsigned int n_networks, n_ports, n_uplinks;
    struct topology_network *networks;
    struct topology_port *ports;
    struct topology_uplink *uplinks;
    struct id_map by_id;          /* any of the three, by object id */
    struct id_map by_name;        /* ports, by their name on the switch */
    struct id_map by_number;      /* ports */
    struct id_map switch_ports;   /* by name */
};

/* Names of ports are ids here by their hash; a name that is not the one asked
 * for is not found. */
static uint64_t
name_id(const char *name)
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
    t->names_are_devices = config->names_are_devices;
    id_map_init(&t->by_id);
    id_map_init(&t->by_name);
    id_map_init(&t->by_number);
    id_map_init(&t->switch_ports);
    return t;
}

static void
clear_model(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        free(t->networks[i].members);
    }
    for (unsigned int i = 0; i < t->n_ports; i++) {
        free(t->ports[i].members);
    }
    free(t->networks);
    free(t->ports);
    free(t->uplinks);
    id_map_fini(&t->by_id);
    id_map_fini(&t->by_name);
    id_map_fini(&t->by_number);
    intent_unref(t->intent);
}

static void
clear_switch_ports(struct topology *t)
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
    clear_model(t);
    clear_switch_ports(t);
    free(t->host);
    free(t);
}

const struct intent *
topology_intent(const struct topology *t)
{
    return t->intent;
}

const struct multicast *
topology_multicast(const struct topology *t)
{
    return t->multicast;
}

static const struct switch_port *
find_switch_port(const struct topology *t, const char *name)
{
    const struct switch_port *port = id_map_find(&t->switch_ports,
                                                 name_id(name));

    return port && !strncmp(port->name, name, sizeof port->name) ? port
                                                                 : NULL;
}

static uint32_t
number_of(const struct topology *t, const char *name)
{
    const struct switch_port *port = find_switch_port(t, name);

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

static bool
is_here(const struct topology *t, const struct intent_port *port)
{
    return !port->host[0] || (t->host && !strcmp(t->host, port->host));
}

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
    member->network->n_members++;
}

/* How the switch calls it. */
static const char *
name_of(const struct topology *t, const struct intent_port *port)
{
    return t->names_are_devices ? intent_port_device(port)
                                : port->switch_name;
}

static void
add_port(struct topology *t, const struct intent_port *intent)
{
    struct topology_port *port = &t->ports[t->n_ports++];

    *port = (struct topology_port) {
        .intent = intent, .id = intent->object.id,
        .number = number_of(t, name_of(t, intent)),
        .members = xcalloc(count_members(intent) + 1,
                           sizeof *port->members),
    };
    if (intent->network) {
        add_member(t, port, intent->network, 0);
    }
    for (unsigned int i = 0; i < intent->n_trunk; i++) {
        add_member(t, port, intent->trunk[i].network, intent->trunk[i].vid);
    }
    id_map_set(&t->by_id, port->id, port);
    id_map_set(&t->by_name, name_id(name_of(t, intent)), port);
    if (port->number) {
        id_map_set(&t->by_number, port->number, port);
    }
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

/* Which members the switch has, and what a plain device comes to. */
static void
find_ports(const struct topology *t, struct topology_uplink *uplink)
{
    const struct intent_uplink *intent = uplink->intent;

    uplink->n_ports = uplink->up = 0;
    for (unsigned int i = 0; i < intent->n_members; i++) {
        const struct switch_port *port
            = find_switch_port(t, intent->members[i].switch_name);

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

static const struct switch_port *
host_leg(const struct topology *t, const struct intent_uplink *uplink)
{
    const struct switch_port *port = uplink->host_leg[0]
                                     ? find_switch_port(t, uplink->host_leg)
                                     : NULL;

    return port && port->has_link ? port : NULL;
}

static void
add_uplink(struct topology *t, const struct intent_uplink *intent)
{
    struct topology_uplink *uplink = &t->uplinks[t->n_uplinks++];
    const struct switch_port *leg = host_leg(t, intent);

    *uplink = (struct topology_uplink) {
        .intent = intent, .id = intent->object.id,
        .host_number = leg ? leg->number : 0,
        .host_mac = leg ? leg->mac : (struct eth_addr) { { 0 } },
    };
    find_ports(t, uplink);
    id_map_set(&t->by_id, uplink->id, uplink);
}

static void
add_network(struct topology *t, const struct intent_network *intent)
{
    struct topology_network *network = &t->networks[t->n_networks++];

    *network = (struct topology_network) {
        .intent = intent, .id = intent->object.id,
        .uplink = intent->segment.uplink
                  ? id_map_find(&t->by_id,
                                intent->segment.uplink->object.id) : NULL,
    };
    id_map_set(&t->by_id, network->id, network);
}

/* Now that all is counted, every network gets its members' list. */
static void
link_members(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];

        network->members = xcalloc(network->n_members + 1,
                                   sizeof *network->members);
        network->n_members = 0;
    }
    for (unsigned int i = 0; i < t->n_ports; i++) {
        for (unsigned int j = 0; j < t->ports[i].n_members; j++) {
            struct topology_member *member = &t->ports[i].members[j];
            struct topology_network *network = member->network;

            network->members[network->n_members++] = member;
        }
    }
}

static void
assign_addresses(struct topology *t, struct topology_network *network)
{
    struct ipam_want *wants = xcalloc(network->n_members + 1, sizeof *wants);
    unsigned int n = 0;

    for (unsigned int i = 0; i < network->n_members; i++) {
        wants[n++] = (struct ipam_want) { network->members[i]->port->id,
                                          network->members[i]->address };
    }
    ipam_assign(t->ipam, network->intent, wants, n);
    for (unsigned int i = 0; i < n; i++) {
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
    }
}

static void
build(struct topology *t, const struct intent *intent)
{
    id_map_init(&t->by_id);
    id_map_init(&t->by_name);
    id_map_init(&t->by_number);
    t->n_networks = t->n_ports = t->n_uplinks = 0;
    t->intent = intent ? intent_ref(intent) : NULL;
    t->uplinks = NULL;
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
    id_map_reserve(&t->by_id, intent_count(intent, INTENT_UPLINK)
                              + intent_count(intent, INTENT_NETWORK)
                              + intent_count(intent, INTENT_PORT));
    id_map_reserve(&t->by_name, intent_count(intent, INTENT_PORT));
    id_map_reserve(&t->by_number, intent_count(intent, INTENT_PORT));
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        add_uplink(t, uplink);
    }
    INTENT_FOR_EACH_NETWORK (network, intent) {
        add_network(t, network);
    }
    INTENT_FOR_EACH_PORT (port, intent) {
        if (is_here(t, port)) {
            add_port(t, port);
        }
    }
    link_mirrors(t);
    link_members(t);
    for (unsigned int i = 0; i < t->n_networks; i++) {
        assign_addresses(t, &t->networks[i]);
        count_kinds(&t->networks[i]);
    }
}

/* ---- What a change touches ---- */

unsigned int
topology_chunk(const struct topology_member *member)
{
    return (unsigned int) (member->port->id % FLOOD_N_CHUNKS);
}

bool
topology_is_chunked(const struct topology_network *network)
{
    return network->n_members > FLOOD_MAX_DIRECT;
}

bool
topology_has_isolated(const struct topology_network *network)
{
    return network->n_isolated || topology_is_chunked(network);
}

static void
add_unit(struct unit_set *units, enum unit_kind kind, uint64_t id,
         unsigned int chunk)
{
    unit_set_add(units, (struct unit) { id, (uint8_t) kind,
                                        (uint8_t) chunk });
}

/* Where a member is heard of in floods. */
static void
add_flood(const struct topology_member *member, struct unit_set *units)
{
    if (topology_is_chunked(member->network)) {
        add_unit(units, UNIT_FLOOD_CHUNK, member->network->id,
                 topology_chunk(member));
    } else {
        add_unit(units, UNIT_FLOOD, member->network->id, 0);
    }
}

static void
add_port_units(const struct topology_port *port, struct unit_set *units)
{
    add_unit(units, UNIT_PORT, port->id, 0);
    for (unsigned int i = 0; i < port->n_members; i++) {
        add_flood(&port->members[i], units);
    }
}

static void
add_network_units(const struct topology_network *network,
                  struct unit_set *units)
{
    add_unit(units, UNIT_NETWORK, network->id, 0);
    add_unit(units, UNIT_FLOOD, network->id, 0);
    add_unit(units, UNIT_HEARERS, network->id, 0);
}

bool
topology_group_is_chunked(unsigned int n_members)
{
    return n_members > FLOOD_MAX_DIRECT;
}

static void
add_groups(const struct topology *t, struct unit_set *units)
{
    const struct multicast_group *group = NULL;

    while (t->multicast
           && (group = multicast_next(t->multicast, group)) != NULL) {
        add_unit(units, UNIT_GROUP, group->id, 0);
        if (topology_group_is_chunked(group->n)) {
            for (unsigned int i = 0; i < FLOOD_N_CHUNKS; i++) {
                add_unit(units, UNIT_GROUP_CHUNK, group->id, i);
            }
        }
    }
}

void
topology_units(const struct topology *t, struct unit_set *units)
{
    add_unit(units, UNIT_BASE, 0, 0);
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        add_unit(units, UNIT_UPLINK, t->uplinks[i].id, 0);
    }
    for (unsigned int i = 0; i < t->n_networks; i++) {
        add_network_units(&t->networks[i], units);
    }
    for (unsigned int i = 0; i < t->n_ports; i++) {
        add_port_units(&t->ports[i], units);
    }
    add_groups(t, units);
}

static bool
same_members(const struct topology_port *a, const struct topology_port *b)
{
    if (a->n_members != b->n_members) {
        return false;
    }
    for (unsigned int i = 0; i < a->n_members; i++) {
        const struct topology_member *x = &a->members[i];
        const struct topology_member *y = &b->members[i];

        if (x->address != y->address || x->vid != y->vid
            || x->network->id != y->network->id) {
            return false;
        }
    }
    return true;
}

static bool
same_port(const struct topology_port *a, const struct topology_port *b)
{
    return a->intent == b->intent && a->number == b->number
           && (a->mirror ? a->mirror->number : 0)
              == (b->mirror ? b->mirror->number : 0)
           && same_members(a, b);
}

/* What floods look like to those that did not change. */
static bool
same_floods(const struct topology_network *a,
            const struct topology_network *b)
{
    return topology_is_chunked(a) == topology_is_chunked(b)
           && topology_has_isolated(a) == topology_has_isolated(b);
}

static void
compare_networks(const struct topology *was, const struct topology *is,
                 struct unit_set *dirty)
{
    for (unsigned int i = 0; i < is->n_networks; i++) {
        const struct topology_network *network = &is->networks[i];
        const struct topology_network *old = topology_network(was,
                                                              network->id);

        if (!old || old->intent != network->intent
            || (old->uplink ? old->uplink->intent : NULL)
               != (network->uplink ? network->uplink->intent : NULL)) {
            add_network_units(network, dirty);
        }
        if (old && !same_floods(old, network)) {
            for (unsigned int j = 0; j < old->n_members; j++) {
                add_flood(old->members[j], dirty);
            }
            for (unsigned int j = 0; j < network->n_members; j++) {
                add_flood(network->members[j], dirty);
            }
            add_network_units(network, dirty);
        }
    }
    for (unsigned int i = 0; i < was->n_networks; i++) {
        if (!topology_network(is, was->networks[i].id)) {
            add_network_units(&was->networks[i], dirty);
        }
    }
}

/* A port that comes, goes or changes may be the first or last of its kind in
 * its networks. */
static void
touch_port(const struct topology_port *port, struct unit_set *dirty)
{
    add_port_units(port, dirty);
    for (unsigned int i = 0; i < port->n_members; i++) {
        add_network_units(port->members[i].network, dirty);
    }
}

static void
compare_ports(const struct topology *was, const struct topology *is,
              struct unit_set *dirty)
{
    for (unsigned int i = 0; i < is->n_ports; i++) {
        const struct topology_port *old = topology_port(was,
                                                        is->ports[i].id);

        if (!old || !same_port(old, &is->ports[i])) {
            touch_port(&is->ports[i], dirty);
            if (old) {
                touch_port(old, dirty);
            }
        }
    }
    for (unsigned int i = 0; i < was->n_ports; i++) {
        if (!topology_port(is, was->ports[i].id)) {
            touch_port(&was->ports[i], dirty);
        }
    }
}

static void
compare_uplinks(const struct topology *was, const struct topology *is,
                struct unit_set *dirty)
{
    for (unsigned int i = 0; i < is->n_uplinks; i++) {
        const struct topology_uplink *old = topology_uplink(
            was, is->uplinks[i].id);

        if (!old || old->intent != is->uplinks[i].intent) {
            add_unit(dirty, UNIT_UPLINK, is->uplinks[i].id, 0);
        }
    }
    for (unsigned int i = 0; i < was->n_uplinks; i++) {
        if (!topology_uplink(is, was->uplinks[i].id)) {
            add_unit(dirty, UNIT_UPLINK, was->uplinks[i].id, 0);
        }
    }
}

void
topology_set_intent(struct topology *t, const struct intent *intent,
                    struct unit_set *dirty)
{
    struct topology was = *t;

    build(t, intent);
    compare_uplinks(&was, t, dirty);
    compare_networks(&was, t, dirty);
    compare_ports(&was, t, dirty);
    for (unsigned int i = 0; i < was.n_networks; i++) {
        if (!topology_network(t, was.networks[i].id)) {
            ipam_forget(t->ipam, was.networks[i].id);
        }
    }
    clear_model(&was);
}

/* ---- The switch's ports ---- */

static void
renumber_port(struct topology *t, struct topology_port *port,
              uint32_t number, struct unit_set *dirty)
{
    if (port->number == number) {
        return;
    }
    if (port->number
        && id_map_find(&t->by_number, port->number) == port) {
        id_map_remove(&t->by_number, port->number);
    }
    port->number = number;
    if (number) {
        id_map_set(&t->by_number, number, port);
    }
    add_port_units(port, dirty);
    if (port->is_mirror) {
        for (unsigned int i = 0; i < t->n_ports; i++) {
            if (t->ports[i].mirror == port) {
                add_port_units(&t->ports[i], dirty);
            }
        }
    }
}

/* Whoever is bridged by this uplink: floods to it, and what comes from it. */
static void
touch_uplink(const struct topology *t, const struct topology_uplink *uplink,
             struct unit_set *dirty)
{
    add_unit(dirty, UNIT_UPLINK, uplink->id, 0);
    for (unsigned int i = 0; i < t->n_networks; i++) {
        if (t->networks[i].uplink == uplink) {
            add_network_units(&t->networks[i], dirty);
        }
    }
}

static bool
same_ports(const struct topology_uplink *a, const struct topology_uplink *b)
{
    return a->n_ports == b->n_ports && a->up == b->up
           && !memcmp(a->ports, b->ports, a->n_ports * sizeof a->ports[0]);
}

static void
renumber_uplink(struct topology *t, struct topology_uplink *uplink,
                struct unit_set *dirty)
{
    const struct topology_uplink was = *uplink;
    const struct switch_port *leg = host_leg(t, uplink->intent);

    find_ports(t, uplink);
    uplink->host_number = leg ? leg->number : 0;
    uplink->host_mac = leg ? leg->mac : (struct eth_addr) { { 0 } };
    if (!same_ports(&was, uplink) || was.number != uplink->number
        || was.host_number != uplink->host_number
        || !eth_addr_eq(was.host_mac, uplink->host_mac)) {
        touch_uplink(t, uplink, dirty);
    }
}

static bool
same_links(const struct uplink_links *a, const struct uplink_links *b)
{
    return a->n_rx == b->n_rx && a->n_tx == b->n_tx
           && a->is_spread == b->is_spread
           && !memcmp(a->rx, b->rx, a->n_rx * sizeof a->rx[0])
           && !memcmp(a->tx, b->tx, a->n_tx * sizeof a->tx[0]);
}

void
topology_set_links(struct topology *t, uint64_t id,
                   const struct uplink_links *links, struct unit_set *dirty)
{
    struct topology_uplink *uplink = id_map_find(&t->by_id, id);

    if (!same_links(&uplink->links, links)) {
        uplink->links = *links;
        uplink->number = links->n_rx || links->n_tx ? BOND_NUMBER : 0;
        touch_uplink(t, uplink, dirty);
    }
}

bool
topology_switch_port(const struct topology *t, const char *name,
                     struct topology_switch_port *out)
{
    const struct switch_port *port = find_switch_port(t, name);

    if (port) {
        *out = (struct topology_switch_port) { port->number, port->has_link,
                                               port->mac };
    }
    return port != NULL;
}

static void
renumber(struct topology *t, const char *name, struct unit_set *dirty)
{
    struct topology_port *port = id_map_find(&t->by_name, name_id(name));

    if (port && !strncmp(name_of(t, port->intent), name, 16)) {
        renumber_port(t, port, number_of(t, name), dirty);
    }
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        renumber_uplink(t, &t->uplinks[i], dirty);
    }
}

void
topology_set_switch_port(struct topology *t, const char *name,
                         uint32_t number, bool has_link,
                         struct unit_set *dirty)
{
    struct switch_port *port = id_map_find(&t->switch_ports, name_id(name));

    if (!number) {
        free(id_map_remove(&t->switch_ports, name_id(name)));
    } else {
        if (!port) {
            port = xzalloc(sizeof *port);
            id_map_set(&t->switch_ports, name_id(name), port);
        }
        memset(port->name, 0, sizeof port->name);
        memcpy(port->name, name, strnlen(name, sizeof port->name - 1));
        port->number = number;
        port->has_link = has_link;
    }
    renumber(t, name, dirty);
}

void
topology_set_switch_mac(struct topology *t, const char *name,
                        struct eth_addr mac, struct unit_set *dirty)
{
    struct switch_port *port = id_map_find(&t->switch_ports, name_id(name));

    if (port && !eth_addr_eq(port->mac, mac)) {
        port->mac = mac;
        renumber(t, name, dirty);
    }
}

void
topology_hold_port(struct topology *t, const struct topology_port *port,
                   bool is_held, struct unit_set *dirty)
{
    const char *name = port->intent->switch_name;
    struct switch_port *record = id_map_find(&t->switch_ports, name_id(name));

    if (record && record->is_held != is_held) {
        record->is_held = is_held;
        renumber(t, name, dirty);
    }
}

void
topology_clear_switch_ports(struct topology *t, struct unit_set *dirty)
{
    clear_switch_ports(t);
    id_map_init(&t->switch_ports);
    for (unsigned int i = 0; i < t->n_ports; i++) {
        renumber_port(t, &t->ports[i], 0, dirty);
    }
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        renumber_uplink(t, &t->uplinks[i], dirty);
    }
}

unsigned int
topology_count_missing(const struct topology *t)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < t->n_ports; i++) {
        n += !t->ports[i].number;
    }
    return n;
}

/* ---- Addresses beside the plan ---- */

bool
topology_is_planned6(const struct topology_member *member,
                     const struct ip6_addr *addr)
{
    for (unsigned int i = 0; i < member->n_planned6; i++) {
        if (!memcmp(&member->addresses6[i], addr, sizeof *addr)) {
            return true;
        }
    }
    return false;
}

/* False: these are what it has. */
static bool
set_bound(struct topology_member *member, enum bound_kind kind,
          const struct ip6_addr *addresses, unsigned int n)
{
    struct ip6_addr *at = &member->addresses6[member->n_planned6];
    unsigned int n_was = member->n_bound6[kind];
    unsigned int n_behind = 0;

    for (unsigned int k = 0; k < N_BOUND_KINDS; k++) {
        at += k < kind ? member->n_bound6[k] : 0;
        n_behind += k > kind ? member->n_bound6[k] : 0;
    }
    if (n == n_was && !memcmp(at, addresses, n * sizeof *at)) {
        return false;
    }
    memmove(at + n, at + n_was, n_behind * sizeof *at);
    memcpy(at, addresses, n * sizeof *at);
    member->n_bound6[kind] = n;
    member->n_addresses6 += n - n_was;
    return true;
}

/* A trunk may have the network more than once. */
void
topology_set_bound(struct topology *t, const struct topology_member *of,
                   enum bound_kind kind, const struct ip6_addr *addresses,
                   unsigned int n, struct unit_set *dirty)
{
    struct topology_port *port = id_map_find(&t->by_id, of->port->id);
    bool is_news = false;

    assert(n <= MEMBER_MAX_BOUND);
    for (unsigned int i = 0; i < port->n_members; i++) {
        if (port->members[i].network == of->network) {
            is_news |= set_bound(&port->members[i], kind, addresses, n);
        }
    }
    if (is_news) {
        add_unit(dirty, UNIT_PORT, port->id, 0);
    }
}

/* ---- Look-ups ---- */

/* The kind of an object is in its id, so that one map holds all three. */
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
