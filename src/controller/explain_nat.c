#include "controller/explain_nat.h"

#include "packet/address.h"
#include "packet/npt6.h"

static struct ip6_addr
address_of(const struct explain_end *end)
{
    return end->is_v6 ? end->address6 : ip6_of_ip4(end->address);
}

/* As it is called outside, or as it comes in. */
static bool
listens_at(const struct topology_forward *forward, struct ip6_addr address)
{
    return ip6_addr_eq(intent_forward_address(forward->intent), address)
           || ip6_addr_eq(intent_forward_arrival(forward->intent), address);
}

static bool
has_address(const struct topology_uplink *uplink, struct ip6_addr address)
{
    for (unsigned int i = 0; i < uplink->nat->n_addresses; i++) {
        if (ip6_addr_eq(uplink->nat->addresses[i], address)) {
            return true;
        }
    }
    for (unsigned int i = 0; i < uplink->nat->n_forwards; i++) {
        if (listens_at(uplink->nat->forwards[i], address)) {
            return true;
        }
    }
    return false;
}

static const struct topology_uplink *
uplink_of(const struct topology *t, const struct explain_end *to)
{
    const struct intent *intent = topology_intent(t);

    if (!to->has_literal || to->port || !intent) {
        return NULL;
    }
    INTENT_FOR_EACH_UPLINK (wanted, intent) {
        const struct topology_uplink *uplink
            = topology_uplink(t, wanted->object.id);

        if (uplink->nat && has_address(uplink, address_of(to))) {
            return uplink;
        }
    }
    return NULL;
}

bool
explain_nat_settle(const struct topology *t, struct explain_end *from,
                   struct explain_end *to)
{
    const struct topology_uplink *uplink = from->uplink;

    if (from->port || !from->has_literal || from->network || to->is_gateway
        || to->is_group) {
        return false;
    }
    uplink = uplink ? uplink : uplink_of(t, to);
    if (!uplink || !uplink->nat || (!to->port && !uplink_of(t, to))) {
        return false;
    }
    /* A station of a network that the uplink carries is meant otherwise. */
    for (unsigned int i = 0; to->port && i < to->port->n_members; i++) {
        if (to->port->members[i].network->uplink == uplink) {
            return false;
        }
    }
    from->uplink = NULL;
    from->outside = uplink;
    to->mac = uplink->intent->mac;
    for (unsigned int i = 0; to->port && i < to->port->n_members; i++) {
        if (to->port->members[i].network->nat == uplink) {
            to->member = &to->port->members[i];
            to->network = to->member->network;
        }
    }
    if (to->port && !to->member) {
        to->member = &to->port->members[0];
        to->network = to->member->network;
    }
    return true;
}

static bool
is_about(const struct topology_forward *forward, const struct explain_end *to,
         bool is_v6)
{
    struct ip6_addr address = intent_forward_address(forward->intent);

    return to->port ? forward->intent->to.port == to->port->intent
                      && ip6_is_mapped4(&address) == !is_v6
                    : listens_at(forward, address_of(to));
}

static bool
listens_on(const struct topology_forward *forward, uint8_t protocol,
           uint16_t port)
{
    const struct forward_listen *listen = &forward->intent->listen;

    return listen->protocol == protocol && port >= listen->first
           && port <= listen->last;
}

const struct topology_forward *
explain_nat_forward(const struct topology_uplink *uplink,
                    const struct explain_end *to, bool is_v6,
                    uint8_t protocol, uint16_t port)
{
    const struct topology_forward *floating = NULL;

    for (unsigned int i = 0; i < uplink->nat->n_forwards; i++) {
        const struct topology_forward *forward = uplink->nat->forwards[i];

        if (!is_about(forward, to, is_v6)) {
            continue;
        }
        if (port && listens_on(forward, protocol, port)) {
            return forward;
        }
        if (intent_forward_is_floating(forward->intent)) {
            floating = forward;
        }
    }
    return floating;
}

struct ip6_addr
explain_nat_source6(const struct topology_uplink *uplink,
                    const struct explain_end *from)
{
    const struct intent_network *network = from->network->intent;
    struct ip6_addr outside = { { 0 } };

    switch (network->nat6) {
    case NAT6_NONE:
        return from->address6;
    case NAT6_MASQUERADE:
        return intent_uplink_external6(uplink->intent);
    case NAT6_PREFIX:
        break;
    }
    return npt6_map(from->address6, network->prefix6.addr,
                    network->prefix6.len, &outside)
           ? outside : (struct ip6_addr) { { 0 } };
}

bool
explain_nat_is_own(const struct topology_uplink *uplink,
                   const struct explain_end *end)
{
    return end->is_v6
           ? ip6_addr_eq(end->address6,
                         intent_uplink_external6(uplink->intent))
           : end->address == intent_uplink_external(uplink->intent);
}
