/* Topology: the way out of networks, and what comes in by it. */
#include <stdlib.h>

#include "controller/topology_impl.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/ip.h"

/* ---- Zones ---- */

/* (That there are more of them than numbers is refused nowhere: the last ones
 * share.) */
static uint16_t
zone_of(struct topology *t, enum number_kind kind, uint32_t first,
        uint32_t last, uint64_t id)
{
    uint32_t zone = numbers_assign(t->numbers->of[kind], id);

    return (uint16_t) (zone ? zone : first + id % (last - first + 1));
}

static void
number_uplinks(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        struct uplink_nat *nat = t->uplinks[i].nat;

        if (nat) {
            nat->zone = zone_of(t, NUMBER_UPLINK_ZONE,
                                FIRST_NUMBER_UPLINK_ZONE,
                                LAST_NUMBER_UPLINK_ZONE, t->uplinks[i].id);
            nat->number = nat->zone - FIRST_NUMBER_UPLINK_ZONE + 1u;
        }
    }
}

static void
number_networks(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];

        if (network->nat) {
            network->zone = zone_of(t, NUMBER_NETWORK_ZONE,
                                    FIRST_NUMBER_NETWORK_ZONE,
                                    LAST_NUMBER_NETWORK_ZONE, network->id);
        }
    }
}

/* A switch that looks into one zone only has all of an uplink's networks in the
 * uplink's. */
static void
share_zones(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];

        if (network->nat) {
            network->zone = network->nat->nat->zone;
        }
    }
}

static bool
overlap(const struct intent_network *a, const struct intent_network *b)
{
    return (a->subnet.is_set && b->subnet.is_set
            && ip4_is_within(a->subnet.addr, b->subnet.addr,
                             MIN(a->subnet.len, b->subnet.len)))
           || (a->subnet6.is_set && b->subnet6.is_set
               && ip6_is_within(a->subnet6.addr, b->subnet6.addr,
                                MIN(a->subnet6.len, b->subnet6.len)));
}

const struct topology_network *
topology_nat_rival(const struct topology *t,
                   const struct topology_network *network)
{
    const struct intent_uplink *uplink = network->intent->nat;

    for (unsigned int i = 0; t->names_are_devices && uplink
                             && &t->networks[i] != network; i++) {
        const struct topology_network *other = &t->networks[i];

        if (other->nat && other->intent->nat == uplink
            && overlap(other->intent, network->intent)) {
            return other;
        }
    }
    return NULL;
}

/* ---- Forwards ---- */

static struct ip6_addr
target_of(const struct topology *t, const struct intent_forward *forward,
          const struct topology_network *network)
{
    const struct topology_member *member = topology_member_of(
        t, network->id, forward->to.port->object.id);
    struct ip6_addr address = intent_forward_address(forward);

    if (member && ip6_is_mapped4(&address)) {
        return member->address ? ip6_of_ip4(member->address)
                               : (struct ip6_addr) { { 0 } };
    }
    /* The first one is link-local. */
    return member && member->n_planned6 > 1 ? member->addresses6[1]
                                            : (struct ip6_addr) { { 0 } };
}

static void
add_address(struct uplink_nat *nat, struct ip6_addr address)
{
    for (unsigned int i = 0; i < nat->n_addresses; i++) {
        if (ip6_addr_eq(nat->addresses[i], address)) {
            return;
        }
    }
    nat->addresses[nat->n_addresses++] = address;
}

static void
add_forward(struct topology *t, const struct intent_forward *intent)
{
    const struct intent_network *inside = intent_forward_network(intent);
    struct topology_forward *forward;

    if (!inside || !id_map_find(&t->by_id, inside->nat->object.id)) {
        return;
    }
    forward = &t->forwards[t->n_forwards++];
    *forward = (struct topology_forward) {
        .intent = intent, .id = intent->object.id,
        .uplink = id_map_find(&t->by_id, inside->nat->object.id),
        .network = id_map_find(&t->by_id, inside->object.id),
    };
    forward->target = target_of(t, intent, forward->network);
    id_map_set(&t->by_id, forward->id, forward);
    forward->uplink->nat->n_forwards++;
}

static void
link_forwards(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        struct uplink_nat *nat = t->uplinks[i].nat;

        if (nat) {
            nat->forwards = xcalloc(nat->n_forwards + 1,
                                    sizeof *nat->forwards);
            /* Own of both families, and two of each forward: where it comes in,
             * and what it is called from inside. */
            nat->addresses = xcalloc(2 * nat->n_forwards + 2,
                                     sizeof *nat->addresses);
            nat->n_forwards = 0;
        }
    }
    for (unsigned int i = 0; i < t->n_forwards; i++) {
        struct topology_forward *forward = &t->forwards[i];
        struct uplink_nat *nat = forward->uplink->nat;

        nat->forwards[nat->n_forwards++] = forward;
    }
}

static void
find_addresses(struct topology_uplink *uplink)
{
    struct ip6_addr own6 = intent_uplink_external6(uplink->intent);
    be32 own = intent_uplink_external(uplink->intent);
    struct uplink_nat *nat = uplink->nat;

    if (own) {
        add_address(nat, ip6_of_ip4(own));
    }
    if (ip6_addr_is_set(own6)) {
        add_address(nat, own6);
    }
    for (unsigned int i = 0; i < nat->n_forwards; i++) {
        add_address(nat, intent_forward_arrival(nat->forwards[i]->intent));
    }
}

/* ---- Ports that source NAT may use ---- */

static int
compare_ports(const void *a, const void *b)
{
    const struct forward_listen *x = *(const struct forward_listen *const *) a,
                                *y = *(const struct forward_listen *const *) b;

    return (int) x->first - (int) y->first;
}

enum { FIRST_PORT = 1024, LAST_PORT = 65535 };

/* The largest range without those of forwards: an answer to somebody inside who
 * had one would be taken for a client's of the forward, and he for it. */
static void
find_range(struct uplink_nat *nat, uint8_t protocol, uint16_t *first,
           uint16_t *last)
{
    const struct forward_listen **used = xcalloc(nat->n_forwards + 1,
                                                 sizeof *used);
    uint32_t from = FIRST_PORT, best = 0, best_from = 0;
    unsigned int n = 0;

    for (unsigned int i = 0; i < nat->n_forwards; i++) {
        if (nat->forwards[i]->intent->listen.protocol == protocol) {
            used[n++] = &nat->forwards[i]->intent->listen;
        }
    }
    qsort(used, n, sizeof *used, compare_ports);
    for (unsigned int i = 0; i <= n; i++) {
        uint32_t end = i < n ? used[i]->first : LAST_PORT + 1;

        if (end > from && end - from > best) {
            best = end - from;
            best_from = from;
        }
        from = i < n ? MAX(from, used[i]->last + 1u) : from;
    }
    *first = n && best ? (uint16_t) best_from : 0;
    *last = n && best ? (uint16_t) (best_from + best - 1) : 0;
    free(used);
}

static void
find_ranges(struct uplink_nat *nat)
{
    static const uint8_t protocols[N_NAT_PROTOCOLS] = {
        [NAT_TCP] = IP_PROTO_TCP, [NAT_UDP] = IP_PROTO_UDP,
        [NAT_SCTP] = IP_PROTO_SCTP,
    };

    for (unsigned int i = 0; i < N_NAT_PROTOCOLS; i++) {
        find_range(nat, protocols[i], &nat->ports[i].first,
                   &nat->ports[i].last);
    }
}

/* ---- All of it ---- */

static void
find_ways(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];
        const struct intent_uplink *uplink = network->intent->nat;

        /* Those who have their way already are compared with. */
        if (uplink && !topology_nat_rival(t, network)) {
            network->nat = id_map_find(&t->by_id, uplink->object.id);
            network->mark = intent_network_mark(network->id);
        }
    }
}

void
topology_build_nat(struct topology *t)
{
    t->forwards = NULL;
    t->n_forwards = 0;
    if (!t->intent) {
        return;
    }
    t->forwards = xcalloc(intent_count(t->intent, INTENT_FORWARD) + 1,
                          sizeof *t->forwards);
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        if (intent_uplink_is_transit(t->uplinks[i].intent)) {
            t->uplinks[i].nat = xzalloc(sizeof *t->uplinks[i].nat);
        }
    }
    find_ways(t);
    number_uplinks(t);
    if (t->names_are_devices) {
        share_zones(t);
    } else {
        number_networks(t);
    }
    INTENT_FOR_EACH_FORWARD (forward, t->intent) {
        add_forward(t, forward);
    }
    link_forwards(t);
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        if (t->uplinks[i].nat) {
            find_addresses(&t->uplinks[i]);
            find_ranges(t->uplinks[i].nat);
        }
    }
}

void
topology_clear_nat(struct topology *t)
{
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        struct uplink_nat *nat = t->uplinks[i].nat;

        if (nat) {
            free(nat->addresses);
            free(nat->forwards);
            free(nat);
        }
    }
    free(t->forwards);
}

/* ---- What a change touches ---- */

static void
add_unit(struct unit_set *units, enum unit_kind kind, uint64_t id)
{
    unit_set_add(units, (struct unit) { id, (uint8_t) kind, 0 });
}

void
topology_nat_units(const struct topology *t, struct unit_set *units)
{
    for (unsigned int i = 0; i < t->n_forwards; i++) {
        add_unit(units, UNIT_FORWARD, t->forwards[i].id);
    }
}

static bool
same_addresses(const struct uplink_nat *a, const struct uplink_nat *b)
{
    return a->n_addresses == b->n_addresses
           && !memcmp(a->addresses, b->addresses,
                      a->n_addresses * sizeof a->addresses[0]);
}

static void
compare_uplink(const struct topology *was, const struct topology *is,
               const struct topology_uplink *uplink, struct unit_set *dirty)
{
    const struct topology_uplink *old = topology_uplink(was, uplink->id);

    if (!uplink->nat || !old || !old->nat) {
        return;                   /* then its intent is another one */
    }
    if (!same_addresses(old->nat, uplink->nat)) {
        add_unit(dirty, UNIT_UPLINK, uplink->id);
    }
    if (memcmp(old->nat->ports, uplink->nat->ports,
               sizeof old->nat->ports)) {
        for (unsigned int i = 0; i < is->n_networks; i++) {
            if (is->networks[i].nat == uplink) {
                add_unit(dirty, UNIT_NETWORK, is->networks[i].id);
            }
        }
    }
}

static bool
same_forward(const struct topology_forward *a,
             const struct topology_forward *b)
{
    return a->intent == b->intent && ip6_addr_eq(a->target, b->target)
           && !a->network->nat == !b->network->nat;
}

void
topology_compare_nat(const struct topology *was, const struct topology *is,
                     struct unit_set *dirty)
{
    for (unsigned int i = 0; i < is->n_uplinks; i++) {
        compare_uplink(was, is, &is->uplinks[i], dirty);
    }
    for (unsigned int i = 0; i < is->n_networks; i++) {
        const struct topology_network *old
            = topology_network(was, is->networks[i].id);

        if (old && !old->nat != !is->networks[i].nat) {
            add_unit(dirty, UNIT_NETWORK, old->id);
        }
    }
    for (unsigned int i = 0; i < is->n_forwards; i++) {
        const struct topology_forward *old
            = topology_forward(was, is->forwards[i].id);

        if (!old || !same_forward(old, &is->forwards[i])) {
            add_unit(dirty, UNIT_FORWARD, is->forwards[i].id);
        }
    }
    for (unsigned int i = 0; i < was->n_forwards; i++) {
        if (!topology_forward(is, was->forwards[i].id)) {
            add_unit(dirty, UNIT_FORWARD, was->forwards[i].id);
        }
    }
}
