#include "controller/explain_nat.h"

#include <stdlib.h>

#include "intent/diag.h"
#include "packet/address.h"

/* Whoever is not planned: RFC 7042 section 2.1.2 keeps these for examples. */
static const struct eth_addr stranger_mac = { { 0x00, 0x00, 0x5e, 0x00, 0x53,
                                                0x01 } };

/* ---- Names ---- */

static int
unknown_name(const struct topology *t, const char *noun, const char *name,
             enum intent_kind kind, struct str *error)
{
    const struct intent *intent = topology_intent(t);
    unsigned int n = intent ? intent_count(intent, kind) : 0;
    const char **names = xcalloc(n + 1, sizeof *names);

    for (unsigned int i = 0; i < n; i++) {
        names[i] = intent_at(intent, kind, i)->name;
    }
    str_setf(error, "there is no %s '%s'", noun, name);
    diag_add_nearest(error, name, names);
    free(names);
    return -ENOENT;
}

static int
find_port(const struct topology *t, const char *name,
          struct explain_end *end, struct str *error)
{
    const struct intent *intent = topology_intent(t);
    const struct topology_port *here = topology_port(
        t, intent_object_id(INTENT_PORT, name));
    const struct topology_port *port
        = here ? here : topology_away(t, intent_object_id(INTENT_PORT,
                                                          name));
    const struct intent_port *wanted
        = intent ? intent_port_cast(intent_find(intent, INTENT_PORT, name))
                 : NULL;

    if (!port && wanted) {
        end->elsewhere = wanted->host;
        str_setf(error, "port '%s' is on host '%s': ask there", name,
                 wanted->host);
        return -ENODATA;
    }
    if (!port) {
        return unknown_name(t, "port", name, INTENT_PORT, error);
    }
    if (!port->n_members) {
        str_setf(error, "port '%s' is in no network", name);
        return -ENODATA;
    }
    end->port = port;
    end->mac = port->intent->mac;
    return 0;
}

static bool
take_literal(const char *text, struct explain_end *end)
{
    if (ip4_parse(text, &end->address)) {
        end->has_literal = true;
    } else if (ip6_parse(text, &end->address6)) {
        end->has_literal = end->is_v6 = true;
    }
    return end->has_literal;
}

/* The MAC of a group is made of its address (RFC 1112 section 6.4, RFC 2464
 * section 7). */
static void
take_group(struct explain_end *end)
{
    struct ip6_addr a = end->is_v6 ? end->address6 : ip6_of_ip4(end->address);
    struct eth_addr mac4 = { { 0x01, 0x00, 0x5e, a.b[13] & 0x7f, a.b[14],
                               a.b[15] } };
    struct eth_addr mac6 = { { 0x33, 0x33, a.b[12], a.b[13], a.b[14],
                               a.b[15] } };

    end->is_group = ip6_is_group(&a);
    end->mac = !end->is_group ? end->mac : end->is_v6 ? mac6 : mac4;
}

/* "blue/web" or "lan/192.0.2.7": what is before the slash. */
static int
take_place(const struct topology *t, const char *name,
           struct explain_end *end, struct str *error)
{
    end->uplink = topology_uplink(t, intent_object_id(INTENT_UPLINK, name));
    end->network = topology_network(t, intent_object_id(INTENT_NETWORK,
                                                        name));
    if (!end->uplink && !end->network) {
        return unknown_name(t, "network or uplink", name, INTENT_NETWORK,
                            error);
    }
    return 0;
}

static int
parse_station(const char *text, struct explain_end *end, struct str *error)
{
    if (!take_literal(text, end)) {
        str_setf(error, "'%s' is no address: behind an uplink there are no "
                 "names", text);
        return -EINVAL;
    }
    end->mac = stranger_mac;
    return 0;
}

static int
parse_port(const struct topology *t, char *text, struct explain_end *end,
           struct str *error)
{
    char *at = strchr(text, '@');
    int err;

    if (at) {
        *at++ = '\0';
        end->is_spoofed = true;
        if (!take_literal(at, end)) {
            str_setf(error, "'%s' is no address", at);
            return -EINVAL;
        }
    }
    err = find_port(t, text, end, error);
    if (err || !end->network) {
        return err;
    }
    for (unsigned int i = 0; i < end->port->n_members; i++) {
        if (end->port->members[i].network == end->network) {
            end->member = &end->port->members[i];
            return 0;
        }
    }
    str_setf(error, "port '%s' is not in network '%s'", text,
             end->network->intent->object.name);
    return -ENOENT;
}

static int
parse_end(const struct topology *t, const char *text,
          struct explain_end *end, struct str *error)
{
    char *copy, *name;
    int err = 0;

    *end = (struct explain_end) { .text = text, .mac = stranger_mac };
    if (take_literal(text, end)) {
        take_group(end);
        return 0;
    }
    if (!strcmp(text, "gateway")) {
        end->is_gateway = true;
        return 0;
    }
    copy = xstrdup(text);
    name = strchr(copy, '/');
    if (name) {
        *name++ = '\0';
        err = take_place(t, copy, end, error);
    }
    if (!err && end->uplink) {
        err = parse_station(name, end, error);
    } else if (!err) {
        err = parse_port(t, name ? name : copy, end, error);
    }
    free(copy);
    return err;
}

/* ---- Places ---- */

static const struct topology_member *
access_member(const struct topology_port *port)
{
    for (unsigned int i = 0; i < port->n_members; i++) {
        if (!port->members[i].vid) {
            return &port->members[i];
        }
    }
    return &port->members[0];
}

/* The one in that network, or the untagged one. */
static void
settle_port(struct explain_end *end, const struct topology_network *other)
{
    for (unsigned int i = 0; end->port && !end->member && other
                             && i < end->port->n_members; i++) {
        if (end->port->members[i].network == other) {
            end->member = &end->port->members[i];
        }
    }
    if (end->port && !end->member) {
        end->member = access_member(end->port);
    }
    end->network = end->member ? end->member->network : end->network;
}

/* The network that the port's other end is in, when only one can be meant. */
static const struct topology_network *
network_of(const struct explain_end *end)
{
    return end->network            ? end->network
           : end->port && end->port->n_members == 1
               ? end->port->members[0].network : NULL;
}

static bool
allows(const struct intent_port *port, const struct explain_end *end)
{
    for (unsigned int i = 0; i < port->n_allow; i++) {
        const struct port_allow *a = &port->allow[i];

        if (end->is_v6 ? a->subnet6.is_set
                         && ip6_addr_eq(ip6_masked(end->address6,
                                                   a->subnet6.len),
                                        ip6_masked(a->subnet6.addr,
                                                   a->subnet6.len))
                       : a->subnet.is_set
                         && ip4_is_within(end->address, a->subnet.addr,
                                          a->subnet.len)) {
            return true;
        }
    }
    return false;
}

static bool
has_address(const struct topology_member *member,
            const struct explain_end *end)
{
    if (!end->is_v6) {
        return member->address == end->address;
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        if (ip6_addr_eq(member->addresses6[i], end->address6)) {
            return true;
        }
    }
    return false;
}

static bool
is_gateway(const struct topology_network *network,
           const struct explain_end *end)
{
    return end->is_v6 ? topology_has_gateway6(network)
                        && ip6_addr_eq(network->intent->gateway6,
                                       end->address6)
                      : network->intent->gateway
                        && network->intent->gateway == end->address;
}

static bool
is_within(const struct topology_network *network,
          const struct explain_end *end)
{
    const struct intent_network *n = network->intent;

    return end->is_v6 ? n->subnet6.is_set
                        && ip6_addr_eq(ip6_masked(end->address6,
                                                  n->subnet6.len),
                                       ip6_masked(n->subnet6.addr,
                                                  n->subnet6.len))
                      : n->subnet.is_set
                        && ip4_is_within(end->address, n->subnet.addr,
                                         n->subnet.len);
}

static void
take_member(struct explain_end *end, const struct topology_member *member)
{
    end->port = member->port;
    end->member = member;
    end->network = member->network;
    end->mac = member->port->intent->mac;
}

/* An address alone, as the other's network sees it. */
static void
settle_inside(struct explain_end *end, const struct topology_network *network)
{
    const struct topology_member *allowing = NULL;

    if (is_gateway(network, end)) {
        end->is_gateway = true;
        end->network = network;
        return;
    }
    for (unsigned int i = 0; i < network->n_members; i++) {
        const struct topology_member *member = network->members[i];

        if (has_address(member, end)) {
            take_member(end, member);
            return;
        }
        if (!allowing && allows(member->port->intent, end)) {
            allowing = member;
        }
    }
    for (unsigned int i = 0; i < network->n_aways; i++) {
        if (has_address(network->aways[i], end)) {
            take_member(end, network->aways[i]);
            return;
        }
    }
    if (allowing) {
        take_member(end, allowing);
        end->is_spoofed = true;
        return;
    }
    /* Where we are no gateway, the LAN's router may be. */
    if (network->uplink
        && (is_within(network, end) || !topology_has_gateway(network))) {
        end->uplink = network->uplink;
    }
    if (end->uplink || is_within(network, end)) {
        end->network = network;
    }
}

static bool
allows_any(const struct topology_network *network,
           const struct explain_end *end)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        if (allows(network->members[i]->port->intent, end)) {
            return true;
        }
    }
    return false;
}

/* The port by which a static route leads there; NULL: none, or by nobody whom
 * we know. */
static const struct topology_member *
by_route(const struct topology_router *router, const struct explain_end *end)
{
    const struct topology_member *found = NULL;
    int longest = -1;

    for (unsigned int i = 0; i < router->intent->n_routes; i++) {
        const struct router_route *route = &router->intent->routes[i];
        const struct explain_end via = { .is_v6 = !route->via,
                                         .address = route->via,
                                         .address6 = route->via6 };
        int len = route->via ? route->to.len : route->to6.len;

        if (via.is_v6 != end->is_v6 || len <= longest
            || !(route->via ? ip4_is_within(end->address, route->to.addr,
                                            route->to.len)
                            : ip6_is_within(end->address6, route->to6.addr,
                                            route->to6.len))) {
            continue;
        }
        longest = len;
        found = NULL;
        for (unsigned int k = 0; k < router->n_networks; k++) {
            const struct topology_network *network = router->networks[k];

            for (unsigned int m = 0; m < network->n_members; m++) {
                if (has_address(network->members[m], &via)) {
                    found = network->members[m];
                }
            }
        }
    }
    return found;
}

/* In its own network, or in one that a router joins with it. */
static void
settle_address(struct explain_end *end,
               const struct topology_network *network)
{
    const struct topology_router *router = network->router;
    const struct topology_member *behind;

    for (unsigned int i = 0; router && !is_within(network, end)
                             && i < router->n_networks; i++) {
        if (is_within(router->networks[i], end)
            || allows_any(router->networks[i], end)) {
            settle_inside(end, router->networks[i]);
            return;
        }
    }
    settle_inside(end, network);
    behind = router && !end->network ? by_route(router, end) : NULL;
    if (behind) {
        end->port = behind->port;
        end->member = behind;
        end->network = behind->network;
        end->mac = behind->port->intent->mac;
        end->is_spoofed = true;
    }
}

/* Where the LAN's station is: in the other's network, or in one that is joined
 * with it; NULL: in neither. */
static const struct topology_network *
bridged_by(const struct topology_network *network,
           const struct explain_end *end)
{
    const struct topology_router *router = network->router;

    if (network->uplink == end->uplink) {
        return network;
    }
    for (unsigned int i = 0; router && i < router->n_networks; i++) {
        if (router->networks[i]->uplink == end->uplink
            && is_within(router->networks[i], end)) {
            return router->networks[i];
        }
    }
    return NULL;
}

static int
settle(struct explain_end *end, const struct explain_end *other,
       struct str *error)
{
    const struct topology_network *network = network_of(other);

    if (end->port) {
        settle_port(end, network);
        return 0;
    }
    if (!network && other->port) {
        network = access_member(other->port)->network;
    }
    if (!network) {
        str_setf(error, "one of the two has to be a port");
        return -EINVAL;
    }
    if (end->uplink && !bridged_by(network, end)) {
        str_setf(error, "network '%s' is not bridged by uplink '%s'",
                 network->intent->object.name,
                 end->uplink->intent->object.name);
        return -EINVAL;
    }
    if (end->uplink) {
        end->network = bridged_by(network, end);
    } else if (end->is_gateway || end->is_group) {
        end->network = network;
    } else {
        settle_address(end, network);
        end->outside = end->network ? NULL : network->nat;
    }
    if (end->is_gateway) {
        end->mac = end->network->intent->gateway_mac;
    }
    return 0;
}

static int
find_tunnels(const struct topology *t, struct explain_end *from,
             struct explain_end *to, struct str *error)
{
    struct explain_end *ends[] = { from, to };

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends[i]->port && ends[i]->port->host && ends[i]->network) {
            ends[i]->tunnel = topology_tunnel(
                t, ends[i]->network->intent->segment.type);
        }
    }
    if (from->port && from->port->host
        && (!to->port || to->port->host)) {
        from->elsewhere = from->port->host->intent->object.name;
        str_setf(error, "port '%s' is on host '%s': ask there",
                 from->port->intent->object.name,
                 from->port->host->intent->object.name);
        return -ENODATA;
    }
    return 0;
}

int
explain_ends_parse(const struct topology *t, const char *from_text,
                   const char *to_text, struct explain_end *from,
                   struct explain_end *to, struct str *error)
{
    int err = parse_end(t, from_text, from, error);

    if (!err) {
        err = parse_end(t, to_text, to, error);
    }
    if (!err && explain_nat_settle(t, from, to)) {
        return 0;
    }
    if (!err && !from->port && !from->uplink && to->port) {
        err = settle(from, to, error);
    } else if (!err) {
        err = settle(from, to->port || to->uplink ? to : from, error);
    }
    if (!err) {
        err = settle(to, from, error);
    }
    if (!err && !from->port && !from->uplink) {
        str_setf(error, "'%s' is none of ours: what it sends enters nowhere "
                 "that is known", from_text);
        err = -ENODATA;
    }
    return err ? err : find_tunnels(t, from, to, error);
}

/* ---- Addresses ---- */

static bool
is_set6(const struct ip6_addr *addr)
{
    return ip6_addr_is_set(*addr);
}

static struct ip6_addr
planned6(const struct explain_end *end)
{
    static const struct ip6_addr none;

    if (end->is_gateway && end->network) {
        return end->network->intent->gateway6;
    }
    if (end->has_literal) {
        return end->is_v6 ? end->address6 : none;
    }
    for (unsigned int i = 0; end->member && i < end->member->n_addresses6;
         i++) {
        if (end->member->addresses6[i].b[0] != 0xfe) {
            return end->member->addresses6[i];
        }
    }
    return none;
}

static be32
planned4(const struct explain_end *end)
{
    if (end->is_gateway && end->network) {
        return end->network->intent->gateway;
    }
    if (end->has_literal) {
        return end->is_v6 ? 0 : end->address;
    }
    return end->member ? end->member->address : 0;
}

bool
explain_ends_have(const struct explain_end *from,
                  const struct explain_end *to, bool is_v6)
{
    struct ip6_addr a = planned6(from), b = planned6(to);

    return is_v6 ? is_set6(&a) && is_set6(&b)
                 : planned4(from) && planned4(to);
}

static bool
is_unplanned(const struct explain_end *end)
{
    return end->port && end->network && !end->network->intent->subnet.is_set;
}

/* Its only address may be the link's own, which neighbours reach. */
static void
take_link_local(struct explain_end *end)
{
    end->address6 = topology_link_local(end->mac);
}

static void
take_address(struct explain_end *end, bool is_v6, uint8_t stand_in)
{
    end->address = planned4(end);
    end->address6 = planned6(end);
    if (!is_v6 && !end->address && is_unplanned(end)) {
        end->address = htobe32(0xc0000200u | stand_in);
        end->is_stand_in = true;
    }
}

bool
explain_ends_address(struct explain_end *from, struct explain_end *to,
                     bool is_v6, struct str *error)
{
    const struct explain_end *bad = NULL;

    if (is_v6 && from->network == to->network && from->port && to->port
        && !from->has_literal && !to->has_literal
        && !explain_ends_have(from, to, true)) {
        take_link_local(from);
        take_link_local(to);
        return true;
    }
    take_address(from, is_v6, 1);
    take_address(to, is_v6, 2);
    if (is_v6) {
        bad = !is_set6(&from->address6) ? from
              : !is_set6(&to->address6) ? to : NULL;
    } else {
        bad = !from->address ? from : !to->address ? to : NULL;
    }
    if (bad) {
        str_setf(error, "nobody knows an IPv%s address of '%s'",
                 is_v6 ? "6" : "4", bad->text);
    }
    return !bad;
}

uint32_t
explain_end_number(const struct explain_end *end)
{
    const struct topology_uplink *outside = end->outside;

    return end->port && end->port->host ? end->tunnel
           : end->port ? end->port->number
           : end->uplink ? end->uplink->number
           : outside && outside->number == BOND_NUMBER ? outside->links.rx[0]
           : outside ? outside->number : 0;
}

bool
explain_end_owns(const struct explain_end *end, const char *address)
{
    struct explain_end other = { .text = address };

    if (!take_literal(address, &other)) {
        return false;
    }
    for (unsigned int i = 0; i < end->port->n_members; i++) {
        if (has_address(&end->port->members[i], &other)) {
            return true;
        }
    }
    return allows(end->port->intent, &other);
}
