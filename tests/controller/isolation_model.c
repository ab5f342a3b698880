#include "controller/isolation_model.h"

#include "packet/address.h"
#include "unit.h"

const struct intent_network *
model_network(const struct rig *rig, uint32_t number, int tag)
{
    const struct intent_port *port = rig_port(rig, number);

    if (number > UPLINK) {
        return NULL;
    }
    if (number == UPLINK) {
        INTENT_FOR_EACH_NETWORK (network, rig->intent) {
            if (intent_network_is_bridged(network)
                && network->segment.vid == MAX(tag, 0)) {
                return network;
            }
        }
        return NULL;
    }
    for (unsigned int i = 0; port && tag > 0 && i < port->n_trunk; i++) {
        if (port->trunk[i].vid == tag) {
            return port->trunk[i].network;
        }
    }
    if (!port || !port->network
        || (tag > 0 && !port->network->segment.is_service_tag)) {
        return NULL;
    }
    return port->network;
}

bool
model_may_send_as(const struct intent_port *port, struct eth_addr mac)
{
    if (port->is_spoof_ok || eth_addr_eq(mac, port->mac)) {
        return true;
    }
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac && eth_addr_eq(mac, port->allow[i].mac)) {
            return true;
        }
    }
    return false;
}

bool
model_is_member(const struct intent_port *port,
                const struct intent_network *network)
{
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (port->trunk[i].network == network) {
            return true;
        }
    }
    return port->network == network;
}

bool
model_may_hear(const struct intent_port *from, const struct intent_port *port,
               const struct intent_network *network)
{
    return model_is_member(port, network)
           && !(from && from != port && from->is_isolated
                && port->is_isolated);
}

static const struct intent_router *
router_of(const struct rig *rig, const struct intent_network *network)
{
    INTENT_FOR_EACH_ROUTER (router, rig->intent) {
        for (unsigned int i = 0; i < router->n_networks; i++) {
            if (router->networks[i].network == network) {
                return router;
            }
        }
    }
    return NULL;
}

/* Does some port of the network, or some route by a station of it, speak for
 * the address? */
static bool
has_address(const struct rig *rig, const struct intent_network *network,
            const struct sent *sent)
{
    const struct intent_router *router = router_of(rig, network);

    if (sent->ip_dst ? network->subnet.is_set
                       && ip4_is_within(sent->ip_dst, network->subnet.addr,
                                        network->subnet.len)
                     : network->subnet6.is_set
                       && ip6_is_within(sent->ip6_dst, network->subnet6.addr,
                                        network->subnet6.len)) {
        return true;
    }
    INTENT_FOR_EACH_PORT (port, rig->intent) {
        for (unsigned int i = 0; i < port->n_allow; i++) {
            if (model_is_member(port, network) && port->allow[i].subnet.is_set
                && ip4_is_within(sent->ip_dst, port->allow[i].subnet.addr,
                                 port->allow[i].subnet.len)) {
                return true;
            }
        }
    }
    for (unsigned int i = 0; router && i < router->n_routes; i++) {
        const struct router_route *route = &router->routes[i];

        if (router_network_of(router, route) == network
            && ip4_is_within(sent->ip_dst, route->to.addr, route->to.len)) {
            return true;
        }
    }
    return false;
}

/* May the frame come to be one of that network? */
static bool
may_enter(const struct rig *rig, const struct sent *sent,
          const struct intent_network *network)
{
    const struct intent_router *router = router_of(rig, network);
    bool is_joined = network == sent->network
                     || (router && router == router_of(rig, sent->network));

    return sent->is_to_gateway && is_joined
           && (sent->ip_dst || ip6_addr_is_set(sent->ip6_dst))
           && has_address(rig, network, sent);
}

/* Might `port` hear the frame, as one of this network? */
static bool
may_hear_in(const struct rig *rig, const struct sent *sent,
            const struct intent_port *port,
            const struct intent_network *network)
{
    if (network == sent->network) {
        return model_may_hear(sent->from, port, network);
    }
    return may_enter(rig, sent, network) && model_is_member(port, network);
}

/* ---- What is translated ---- */

const struct intent_uplink *
model_uplink(const struct rig *rig, uint32_t number)
{
    const char *name = number == WAN ? "wan" : number == OUT ? "out" : "";

    return intent_uplink_cast(intent_find(rig->intent, INTENT_UPLINK, name));
}

static bool
is_address(struct ip6_addr address, be32 ip4)
{
    return ip4 && ip6_addr_eq(address, ip6_of_ip4(ip4));
}

/* The forward that may lead the frame to that port; NULL: none does.  From
 * inside it is called as from outside. */
static const struct intent_forward *
forward_to(const struct rig *rig, const struct sent *sent,
           const struct intent_port *port)
{
    const struct intent_uplink *uplink
        = sent->uplink ? sent->uplink
          : sent->is_to_gateway && sent->is_rightful ? sent->network->nat
                                                     : NULL;

    INTENT_FOR_EACH_FORWARD (forward, rig->intent) {
        bool is_at = is_address(intent_forward_arrival(forward), sent->ip_dst)
                     || is_address(intent_forward_address(forward),
                                   sent->ip_dst);

        if (uplink && forward->to.port == port && is_at
            && intent_forward_uplink(forward) == uplink
            && (intent_forward_is_floating(forward)
                || (forward->listen.protocol == sent->ip_proto
                    && sent->dport >= forward->listen.first
                    && sent->dport <= forward->listen.last))) {
            return forward;
        }
    }
    return NULL;
}

/* Is it an address by which something of ours is known out there? */
static bool
is_external(const struct rig *rig, const struct intent_uplink *uplink,
            const struct got *got)
{
    if (!got->ip_src) {
        return ip6_addr_eq(got->ip6_src, intent_uplink_external6(uplink));
    }
    if (got->ip_src == intent_uplink_external(uplink)) {
        return true;
    }
    INTENT_FOR_EACH_FORWARD (forward, rig->intent) {
        if (intent_forward_uplink(forward) == uplink
            && is_address(intent_forward_arrival(forward), got->ip_src)) {
            return true;
        }
    }
    return false;
}

/* May it have left there?  Somebody outside gets answers by his own way only. */
static bool
may_leave(const struct rig *rig, const struct sent *sent,
          const struct got *got)
{
    const struct intent_uplink *uplink = model_uplink(rig, got->port);
    const struct intent_network *network = sent->network;

    if (!network) {
        return sent->in_port == got->port;
    }
    return sent->is_rightful && sent->is_to_gateway && network->nat == uplink
           && !got->tag
           && (is_external(rig, uplink, got)
               || (!got->ip_src && network->nat6 == NAT6_NONE
                   && ip6_is_within(got->ip6_src, network->subnet6.addr,
                                    network->subnet6.len)));
}

/* The network of a guest on that port (NULL: behind the bridged uplink) that was
 * seen outside as what the frame is for; NULL: there is none. */
static const struct intent_network *
mapped_to(const struct rig *rig, const struct sent *sent,
          const struct intent_port *port)
{
    for (unsigned int i = 0; i < rig->n_mappings; i++) {
        const struct mapping *m = &rig->mappings[i];

        if (m->address == sent->ip_dst && m->ip_proto == sent->ip_proto
            && m->port == htobe16(sent->dport)
            && (port ? model_is_member(port, m->network)
                     : intent_network_is_bridged(m->network))) {
            return m->network;
        }
    }
    return NULL;
}

/* A copy for whoever watches the sender, or one who might hear it. */
static bool
is_watcher(const struct rig *rig, const struct sent *sent,
           const struct intent_port *port)
{
    if (sent->from && sent->from->mirror == port) {
        return true;
    }
    if (!sent->is_rightful) {
        return false;
    }
    INTENT_FOR_EACH_PORT (other, rig->intent) {
        if (other->mirror == port && (forward_to(rig, sent, other)
                                      || mapped_to(rig, sent, other))) {
            return true;
        }
        INTENT_FOR_EACH_NETWORK (network, rig->intent) {
            if (other->mirror == port
                && may_hear_in(rig, sent, other, network)) {
                return true;
            }
        }
    }
    return false;
}

/* The tag that a frame of the network has on that port. */
static bool
is_right_tag(const struct intent_port *port, const struct got *got,
             const struct intent_network *network)
{
    if (got->port == UPLINK) {
        return network->segment.vid == got->tag
               || (network->segment.is_service_tag && !network->segment.vid);
    }
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (port->trunk[i].network == network) {
            return got->tag == port->trunk[i].vid;
        }
    }
    return !got->tag || network->segment.is_service_tag;
}

static bool
is_right(const struct rig *rig, const struct sent *sent,
         const struct got *got)
{
    const struct intent_port *port = rig_port(rig, got->port);
    const struct intent_forward *forward = port ? forward_to(rig, sent, port)
                                                : NULL;
    const struct intent_network *seen = mapped_to(rig, sent, port);

    if (got->port > UPLINK) {
        return may_leave(rig, sent, got);
    }
    if ((forward
         && is_right_tag(port, got, intent_forward_network(forward)))
        || (seen && is_right_tag(port, got, seen))) {
        return true;
    }
    INTENT_FOR_EACH_NETWORK (network, rig->intent) {
        if (port ? may_hear_in(rig, sent, port, network)
                   && is_right_tag(port, got, network)
                 : intent_network_is_bridged(network)
                   && (network == sent->network
                       || may_enter(rig, sent, network))
                   && is_right_tag(port, got, network)) {
            return true;
        }
    }
    return false;
}

static void
count(struct rig *rig, const struct sent *sent, const struct got *got)
{
    const struct intent_port *port = rig_port(rig, got->port);

    rig->n_left += sent->network && got->port > UPLINK;
    rig->n_led += !sent->network && port;
    if (sent->network && sent->network->nat && got->sport
        && is_external(rig, sent->network->nat, got)
        && rig->n_mappings < MAX_MAPPINGS) {
        rig->mappings[rig->n_mappings++] = (struct mapping) {
            sent->network, got->ip_src, got->ip_proto, got->sport,
        };
    }
}

void
model_judge(struct rig *rig, const struct sent *sent)
{
    for (unsigned int i = 0; i < rig->n_got; i++) {
        const struct got *got = &rig->got[i];
        const struct intent_port *port = rig_port(rig, got->port);

        if (port && is_watcher(rig, sent, port)) {
            continue;
        }
        CHECK_MSG(sent->is_rightful, "%s: heard by port %u", sent->what,
                  got->port);
        CHECK_MSG(is_right(rig, sent, got), "%s: heard by port %u with tag "
                  "%u", sent->what, got->port, got->tag);
        count(rig, sent, got);
    }
}
