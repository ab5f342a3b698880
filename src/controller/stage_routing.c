/* Routing: what is sent to the gateway's MAC.
 *
 * The gateway answers pings, at its own address and at those of the networks
 * that a router joins with this one.  Else the longest prefix says where a
 * packet goes: into a network, to a station there (the packet's destination, or
 * the next router).  A network's own prefix is among them: what a guest sends to
 * the gateway for its neighbour arrives.
 *
 * What goes nowhere is no-route, and the sender is told (serve_route.c). */
#include "controller/stage_routing.h"

#include "packet/address.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { PRIORITY_ANSWER = 20000, PRIORITY_OWN = 19000, PRIORITY_SCOPE = 18000,
       PRIORITY_EXPIRED = 17000, PRIORITY_PREFIX = 1000,
       PRIORITY_NO_ROUTE = 50, PRIORITY_REST = 40 };

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO6_REQUEST = 128,
       ECHO6_REPLY = 129, REPLY_TTL = 64, ETH_LEN = 14 };

static void
begin(struct writer *w, uint16_t priority,
      const struct topology_network *network)
{
    stage_begin_network(w, STAGE_ROUTING, priority, network);
    writer_match_eth(w, FIELD_ETH_DST, network->intent->gateway_mac);
}

/* ---- The gateway's own ---- */

static void
send_back(struct writer *w, const struct topology_network *network)
{
    writer_set(w, FIELD_IP_TTL, REPLY_TTL);
    writer_move(w, FIELD_ETH_SRC, FIELD_ETH_DST);
    writer_set_eth(w, FIELD_ETH_SRC, network->intent->gateway_mac);
    stage_send_back(w);
    writer_end(w);
}

/* Fragments are not put together: their later ones have no ICMP header. */
static void
ping(struct writer *w, const struct topology_network *network, be32 gateway)
{
    begin(w, PRIORITY_ANSWER, network);
    writer_match_icmp(w, ECHO_REQUEST);
    writer_match_ip4(w, FIELD_IPV4_DST, gateway);
    writer_match(w, FIELD_IP_FRAG, 0);
    writer_set(w, FIELD_ICMPV4_TYPE, ECHO_REPLY);
    writer_move(w, FIELD_IPV4_SRC, FIELD_IPV4_DST);
    writer_set_ip4(w, FIELD_IPV4_SRC, gateway);
    send_back(w, network);

    begin(w, PRIORITY_OWN, network);
    writer_match_ip(w);
    writer_match_ip4(w, FIELD_IPV4_DST, gateway);
    stage_to_service(w, SERVICE_CLOSED, network->id);
    writer_end(w);
}

static void
ping6(struct writer *w, const struct topology_network *network,
      const struct ip6_addr *gateway)
{
    begin(w, PRIORITY_ANSWER, network);
    writer_match_icmp6(w, ECHO6_REQUEST);
    writer_match_ip6(w, FIELD_IPV6_DST, gateway);
    writer_match(w, FIELD_IP_FRAG, 0);
    writer_set(w, FIELD_ICMPV6_TYPE, ECHO6_REPLY);
    writer_move(w, FIELD_IPV6_SRC, FIELD_IPV6_DST);
    writer_set_ip6(w, FIELD_IPV6_SRC, gateway);
    send_back(w, network);

    begin(w, PRIORITY_OWN, network);
    writer_match_ipv6(w);
    writer_match_ip6(w, FIELD_IPV6_DST, gateway);
    stage_to_service(w, SERVICE_CLOSED, network->id);
    writer_end(w);
}

/* ---- Routes ---- */

static uint16_t
priority_of(enum route_kind kind, uint8_t len)
{
    return (uint16_t) (PRIORITY_PREFIX + N_ROUTE_KINDS * len + kind);
}

static void
begin_route(struct writer *w, const struct topology_network *network,
            uint64_t cookie, enum route_kind kind, uint8_t len)
{
    writer_begin(w, STAGE_ROUTING, priority_of(kind, len), cookie);
    writer_match(w, FIELD_METADATA, network->id);
    writer_match_eth(w, FIELD_ETH_DST, network->intent->gateway_mac);
}

void
route_begin4(struct writer *w, const struct topology_network *network,
             uint64_t cookie, enum route_kind kind,
             const struct subnet4 *prefix)
{
    begin_route(w, network, cookie, kind, prefix->len);
    writer_match_ip(w);
    if (prefix->len) {
        writer_match_subnet4(w, FIELD_IPV4_DST, prefix);
    }
}

void
route_begin6(struct writer *w, const struct topology_network *network,
             uint64_t cookie, enum route_kind kind,
             const struct subnet6 *prefix)
{
    begin_route(w, network, cookie, kind, prefix->len);
    writer_match_ipv6(w);
    if (prefix->len) {
        writer_match_subnet6(w, FIELD_IPV6_DST, prefix);
    }
}

void
route_by4(struct writer *w, be32 address)
{
    writer_set(w, FIELD_REG4, be32toh(address));
}

void
route_by6(struct writer *w, const struct ip6_addr *address)
{
    writer_set_ip6(w, FIELD_XXREG1, address);
}

void
route_by_destination(struct writer *w, bool is_v6)
{
    if (is_v6) {
        writer_move(w, FIELD_IPV6_DST, FIELD_XXREG1);
    } else {
        writer_move(w, FIELD_IPV4_DST, FIELD_REG4);
    }
}

void
route_check_mtu(struct writer *w, const struct topology_network *from,
                uint16_t mtu)
{
    if (mtu < from->intent->mtu) {
        writer_set(w, FIELD_REG11, (uint64_t) mtu << MTU_SHIFT);
        writer_check_larger(w, (uint16_t) (mtu + ETH_LEN), FIELD_REG11, 0);
    }
}

void
route_on(struct writer *w)
{
    writer_dec_ttl(w);
    /* A switch sends nothing out by the port that it came in by. */
    writer_set(w, FIELD_IN_PORT, 0);
}

/* Into that network.  Isolated ports of one network stay apart by way of the
 * gateway, too; other networks' they may reach. */
static void
enter(struct writer *w, const struct topology_network *from,
      const struct topology_network *to)
{
    route_on(w);
    writer_set_eth(w, FIELD_ETH_SRC, to->intent->gateway_mac);
    if (from == to) {
        writer_set_masked(w, FIELD_REG0, 0, FROM_UPLINK);
    } else {
        writer_set(w, FIELD_REG0, 0);
        writer_metadata(w, to->id);
    }
    route_check_mtu(w, from, to->intent->mtu);
    writer_goto(w, to->intent->mtu < from->intent->mtu ? STAGE_MTU
                                                       : STAGE_NEXT_HOP);
    writer_end(w);
}

static void
joined(struct writer *w, const struct topology_network *from,
       const struct topology_network *to)
{
    if (topology_has_gateway(from) && topology_has_gateway(to)) {
        route_begin4(w, from, to->id, ROUTE_JOINED, &to->intent->subnet);
        route_by_destination(w, false);
        enter(w, from, to);
    }
    if (topology_has_gateway6(from) && topology_has_gateway6(to)) {
        route_begin6(w, from, to->id, ROUTE_JOINED, &to->intent->subnet6);
        route_by_destination(w, true);
        enter(w, from, to);
    }
}

static void
by_router(struct writer *w, const struct topology *t,
          const struct topology_network *from,
          const struct router_route *route)
{
    const struct topology_router *router = from->router;
    const struct topology_network *to = topology_network(
        t, router_network_of(router->intent, route)->object.id);

    if (route->via && topology_has_gateway(from)) {
        route_begin4(w, from, router->id, ROUTE_STATIC, &route->to);
        route_by4(w, route->via);
        enter(w, from, to);
    } else if (!route->via && topology_has_gateway6(from)) {
        route_begin6(w, from, router->id, ROUTE_STATIC, &route->to6);
        route_by6(w, &route->via6);
        enter(w, from, to);
    }
}

/* ---- What ends here ---- */

static void
match_family(struct writer *w, bool is_v6)
{
    if (is_v6) {
        writer_match_ipv6(w);
    } else {
        writer_match_ip(w);
    }
}

/* Groups are not routed, and addresses of a link do not leave it (RFC 4291,
 * 2.5.6). */
static void
scope(struct writer *w, const struct topology_network *network)
{
    const struct subnet4 groups4 = { true, 3, htobe32(0xe0000000) };
    static const struct subnet6 groups6 = { true, 8, { { 0xff } } };
    static const struct subnet6 link = { true, 10, { { 0xfe, 0x80 } } };

    begin(w, PRIORITY_SCOPE, network);
    writer_match_ip(w);
    writer_match_subnet4(w, FIELD_IPV4_DST, &groups4);
    writer_end(w);

    begin(w, PRIORITY_SCOPE, network);
    writer_match_ipv6(w);
    writer_match_subnet6(w, FIELD_IPV6_DST, &groups6);
    writer_end(w);

    begin(w, PRIORITY_SCOPE, network);
    writer_match_ipv6(w);
    writer_match_subnet6(w, FIELD_IPV6_DST, &link);
    writer_end(w);

    begin(w, PRIORITY_SCOPE, network);
    writer_match_ipv6(w);
    writer_match_subnet6(w, FIELD_IPV6_SRC, &link);
    writer_end(w);
}

/* A LAN does not speak for the other networks that it is joined with
 * (RFC 2827); nor do ports, whose sources are checked. */
static void
ingress_filter(struct writer *w, const struct topology_network *lan,
               const struct topology_network *other)
{
    const struct intent_network *intent = other->intent;

    if (intent->subnet.is_set) {
        begin(w, PRIORITY_SCOPE, lan);
        stage_match_flag(w, FROM_UPLINK, true);
        writer_match_ip(w);
        writer_match_subnet4(w, FIELD_IPV4_SRC, &intent->subnet);
        writer_end(w);
    }
    if (intent->subnet6.is_set) {
        begin(w, PRIORITY_SCOPE, lan);
        stage_match_flag(w, FROM_UPLINK, true);
        writer_match_ipv6(w);
        writer_match_subnet6(w, FIELD_IPV6_SRC, &intent->subnet6);
        writer_end(w);
    }
}

static void
ends(struct writer *w, const struct topology_network *network)
{
    for (unsigned int is_v6 = 0; is_v6 < 2; is_v6++) {
        for (unsigned int ttl = 0; ttl < 2; ttl++) {
            begin(w, PRIORITY_EXPIRED, network);
            match_family(w, is_v6);
            writer_match(w, FIELD_IP_TTL, ttl);
            stage_to_service(w, SERVICE_EXPIRED, network->id);
            writer_end(w);
        }
        begin(w, PRIORITY_NO_ROUTE, network);
        match_family(w, is_v6);
        stage_to_service(w, SERVICE_NO_ROUTE, network->id);
        writer_end(w);
    }
    scope(w, network);
    begin(w, PRIORITY_REST, network);
    writer_end(w);
}

/* ---- Subjects ---- */

static void
gateway_of(struct writer *w, const struct topology_network *from,
           const struct topology_network *to)
{
    if (topology_has_gateway(from) && topology_has_gateway(to)) {
        ping(w, from, to->intent->gateway);
    }
    if (topology_has_gateway6(from) && topology_has_gateway6(to)) {
        ping6(w, from, &to->intent->gateway6);
    }
}

static void
network_flows(struct writer *w, const struct topology *t,
              const struct topology_network *network)
{
    const struct topology_router *router = network->router;

    if (!topology_is_gateway(network)) {
        return;
    }
    gateway_of(w, network, network);
    joined(w, network, network);
    if (topology_has_gateway6(network)) {
        struct ip6_addr link_local
            = topology_link_local(network->intent->gateway_mac);

        ping6(w, network, &link_local);
    }
    for (unsigned int i = 0; router && i < router->n_networks; i++) {
        if (router->networks[i] != network) {
            gateway_of(w, network, router->networks[i]);
            joined(w, network, router->networks[i]);
            if (network->uplink) {
                ingress_filter(w, network, router->networks[i]);
            }
        }
    }
    for (unsigned int i = 0; router && i < router->intent->n_routes; i++) {
        by_router(w, t, network, &router->intent->routes[i]);
    }
    ends(w, network);
}

static bool
is_inside4(const struct subnet4 *a, const struct subnet4 *b)
{
    return b->is_set && a->len >= b->len
           && ip4_is_within(a->addr, b->addr, b->len);
}

static bool
is_inside6(const struct subnet6 *a, const struct subnet6 *b)
{
    return b->is_set && a->len >= b->len
           && ip6_is_within(a->addr, b->addr, b->len);
}

/* What a port may use beyond its network's subnet is behind it.  Who may send
 * from anywhere at all is not the way to everywhere. */
static void
behind(struct writer *w, const struct topology_network *from,
       const struct topology_member *member, const struct port_allow *allow)
{
    const struct topology_network *to = member->network;

    if (allow->subnet.is_set && allow->subnet.len
        && !is_inside4(&allow->subnet, &to->intent->subnet)
        && topology_has_gateway(from) && topology_has_gateway(to)) {
        route_begin4(w, from, member->port->id, ROUTE_ALLOWED,
                     &allow->subnet);
        route_by_destination(w, false);
        enter(w, from, to);
    }
    if (allow->subnet6.is_set && allow->subnet6.len
        && !is_inside6(&allow->subnet6, &to->intent->subnet6)
        && topology_has_gateway6(from) && topology_has_gateway6(to)) {
        route_begin6(w, from, member->port->id, ROUTE_ALLOWED,
                     &allow->subnet6);
        route_by_destination(w, true);
        enter(w, from, to);
    }
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;
    const struct topology_network *network = member->network;
    const struct topology_router *router = network->router;

    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (!router) {
            behind(w, network, member, &port->allow[i]);
        }
        for (unsigned int k = 0; router && k < router->n_networks; k++) {
            behind(w, router->networks[k], member, &port->allow[i]);
        }
    }
}

void
stage_routing(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_ROUTING, STAGE_L2_LOOKUP);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->topology, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER
               || subject->kind == SUBJECT_AWAY) {
        member_flows(w, subject->member);
    }
}
