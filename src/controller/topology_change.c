/* Topology: which units a change touches, whether of intents, of the switch's
 * ports or of addresses beside the plan. */
#include <stdlib.h>

#include "controller/topology_impl.h"
#include "lib/str.h"

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

void
topology_touch_network(const struct topology_network *network,
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

static void
add_next_hops(const struct topology *t, struct unit_set *units)
{
    const struct next_hop *hop = NULL;

    while (t->next_hops && (hop = next_hops_next(t->next_hops, hop))) {
        add_unit(units, UNIT_NEXT_HOP, hop->id, 0);
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
        topology_touch_network(&t->networks[i], units);
    }
    for (unsigned int i = 0; i < t->n_ports; i++) {
        add_port_units(&t->ports[i], units);
    }
    topology_nat_units(t, units);
    topology_host_units(t, units);
    for (unsigned int i = 0; i < t->n_securities; i++) {
        add_unit(units, UNIT_SECURITY, t->securities[i].id, 0);
    }
    add_groups(t, units);
    add_next_hops(t, units);
}

bool
topology_same_members(const struct topology_port *a,
                      const struct topology_port *b)
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
           && topology_same_security(a, b) && topology_same_members(a, b);
}

/* What floods look like to those that did not change. */
static bool
same_floods(const struct topology_network *a,
            const struct topology_network *b)
{
    return topology_is_chunked(a) == topology_is_chunked(b)
           && topology_has_isolated(a) == topology_has_isolated(b);
}

/* Do they lead to the same places?  Objects that did not change are the same:
 * a network that a router joins is not, when it has another subnet, and then
 * neither is the router. */
static bool
same_routes(const struct topology_network *a,
            const struct topology_network *b)
{
    return (a->router ? a->router->intent : NULL)
           == (b->router ? b->router->intent : NULL);
}

/* What is behind ports of the network is written for all that the router
 * joins. */
static void
add_routes(const struct topology_network *network, struct unit_set *dirty)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        if (network->members[i]->port->intent->n_allow) {
            add_unit(dirty, UNIT_PORT, network->members[i]->port->id, 0);
        }
    }
    for (unsigned int i = 0; i < network->n_aways; i++) {
        if (network->aways[i]->port->intent->n_allow) {
            add_unit(dirty, UNIT_PORT, network->aways[i]->port->id, 0);
        }
    }
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
               != (network->uplink ? network->uplink->intent : NULL)
            || !same_routes(old, network)) {
            topology_touch_network(network, dirty);
        }
        if (old && !same_routes(old, network)) {
            add_routes(network, dirty);
        }
        if (old && !same_floods(old, network)) {
            for (unsigned int j = 0; j < old->n_members; j++) {
                add_flood(old->members[j], dirty);
            }
            for (unsigned int j = 0; j < network->n_members; j++) {
                add_flood(network->members[j], dirty);
            }
            topology_touch_network(network, dirty);
        }
    }
    for (unsigned int i = 0; i < was->n_networks; i++) {
        if (!topology_network(is, was->networks[i].id)) {
            topology_touch_network(&was->networks[i], dirty);
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
        topology_touch_network(port->members[i].network, dirty);
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

static bool
is_place(const struct topology *t, uint64_t id)
{
    return topology_network(t, id) || topology_uplink(t, id);
}

/* Stations of places that come or go. */
static void
compare_next_hops(const struct topology *was, const struct topology *is,
                  struct unit_set *dirty)
{
    const struct next_hop *hop = NULL;

    while (is->next_hops && (hop = next_hops_next(is->next_hops, hop))) {
        if (is_place(was, hop->place) != is_place(is, hop->place)) {
            add_unit(dirty, UNIT_NEXT_HOP, hop->id, 0);
        }
    }
}

void
topology_set_intent(struct topology *t, const struct intent *intent,
                    struct unit_set *dirty)
{
    struct topology was = *t;

    topology_build(t, intent);
    topology_build_nat(t);
    compare_uplinks(&was, t, dirty);
    compare_networks(&was, t, dirty);
    compare_ports(&was, t, dirty);
    topology_compare_hosts(&was, t, dirty);
    compare_next_hops(&was, t, dirty);
    topology_compare_nat(&was, t, dirty);
    topology_compare_securities(&was, t, dirty);
    topology_sweep_numbers(t);
    for (unsigned int i = 0; i < was.n_networks; i++) {
        if (!topology_network(t, was.networks[i].id)) {
            ipam_forget(t->ipam, was.networks[i].id);
        }
    }
    topology_clear_model(&was);
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
            topology_touch_network(&t->networks[i], dirty);
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

    topology_find_ports(t, uplink);
    topology_find_host(t, uplink);
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
    const struct switch_port *port = topology_find_switch_port(t, name);

    if (port) {
        *out = (struct topology_switch_port) { port->number, port->has_link,
                                               port->mac };
    }
    return port != NULL;
}

static void
renumber(struct topology *t, const char *name, struct unit_set *dirty)
{
    struct topology_port *port = id_map_find(&t->by_name,
                                             topology_name_id(name));

    if (port && !strncmp(topology_name_of(t, port->intent), name, 16)) {
        renumber_port(t, port, topology_number_of(t, name), dirty);
    }
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        renumber_uplink(t, &t->uplinks[i], dirty);
    }
    if (segment_name_is_reserved(name)) {
        topology_touch_tunnels(t, dirty);
    }
}

void
topology_set_switch_port(struct topology *t, const char *name,
                         uint32_t number, bool has_link,
                         struct unit_set *dirty)
{
    struct switch_port *port = id_map_find(&t->switch_ports,
                                           topology_name_id(name));

    if (!number) {
        free(id_map_remove(&t->switch_ports, topology_name_id(name)));
    } else {
        if (!port) {
            port = xzalloc(sizeof *port);
            id_map_set(&t->switch_ports, topology_name_id(name), port);
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
    struct switch_port *port = id_map_find(&t->switch_ports,
                                           topology_name_id(name));

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
    struct switch_port *record = id_map_find(&t->switch_ports,
                                             topology_name_id(name));

    if (record && record->is_held != is_held) {
        record->is_held = is_held;
        renumber(t, name, dirty);
    }
}

void
topology_clear_switch_ports(struct topology *t, struct unit_set *dirty)
{
    topology_forget_switch_ports(t);
    id_map_init(&t->switch_ports);
    for (unsigned int i = 0; i < t->n_ports; i++) {
        renumber_port(t, &t->ports[i], 0, dirty);
    }
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        renumber_uplink(t, &t->uplinks[i], dirty);
    }
    topology_touch_tunnels(t, dirty);
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
