/* Next hop: which station has the address that routing chose?
 *
 * Planned ones are known; what a port may use beside its own address is behind
 * it.  Beyond an uplink through the host's stack there is nobody but the host;
 * what is for an outside address of our own comes in again.  Others are asked
 * for by a service (serve_next_hop.c); what it learned is written here. */
#include "controller/stage_next_hop.h"

#include "controller/stage_nat.h"
#include "packet/address.h"
#include "packet/eth.h"

enum { PRIORITY_OURSELVES = 500, PRIORITY_BROADCAST = 400,
       PRIORITY_PLANNED = 300, PRIORITY_LEARNED = 250,
       PRIORITY_ALLOWED = 100, PRIORITY_UNKNOWN = 10 };

static void
begin(struct writer *w, uint16_t priority, uint64_t cookie, uint64_t place,
      bool is_v6)
{
    writer_begin(w, STAGE_NEXT_HOP, priority, cookie);
    writer_match(w, FIELD_METADATA, place);
    if (is_v6) {
        writer_match_ipv6(w);
    } else {
        writer_match_ip(w);
    }
}

static void
to_station(struct writer *w, struct eth_addr mac)
{
    writer_set_eth(w, FIELD_ETH_DST, mac);
    writer_goto(w, STAGE_L2_LOOKUP);
    writer_end(w);
}

static void
planned(struct writer *w, const struct topology_member *member)
{
    const struct topology_port *port = member->port;

    if (member->address && topology_has_gateway(member->network)) {
        begin(w, PRIORITY_PLANNED, port->id, member->network->id, false);
        writer_match_ip4(w, FIELD_REG4, member->address);
        to_station(w, port->intent->mac);
    }
    if (!topology_has_gateway6(member->network)) {
        return;
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        /* Link-local ones are nobody's next hop. */
        if (member->addresses6[i].b[0] != 0xfe) {
            begin(w, PRIORITY_PLANNED, port->id, member->network->id, true);
            writer_match_ip6(w, FIELD_XXREG1, &member->addresses6[i]);
            to_station(w, port->intent->mac);
        }
    }
}

static void
allowed(struct writer *w, const struct topology_member *member,
        const struct port_allow *allow)
{
    const struct topology_port *port = member->port;
    struct eth_addr mac = allow->has_mac ? allow->mac : port->intent->mac;

    if (allow->subnet.is_set && allow->subnet.len
        && topology_has_gateway(member->network)) {
        begin(w, (uint16_t) (PRIORITY_ALLOWED + allow->subnet.len), port->id,
              member->network->id, false);
        writer_match_subnet4(w, FIELD_REG4, &allow->subnet);
        to_station(w, mac);
    }
    if (allow->subnet6.is_set && allow->subnet6.len
        && topology_has_gateway6(member->network)) {
        begin(w, (uint16_t) (PRIORITY_ALLOWED + allow->subnet6.len), port->id,
              member->network->id, true);
        writer_match_subnet6(w, FIELD_XXREG1, &allow->subnet6);
        to_station(w, mac);
    }
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    planned(w, member);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        allowed(w, member, &port->allow[i]);
    }
}

static void
learned(struct writer *w, const struct next_hop *hop)
{
    bool is_v6 = !ip6_is_mapped4(&hop->address);

    begin(w, PRIORITY_LEARNED, hop->place, hop->place, is_v6);
    if (is_v6) {
        writer_match_ip6(w, FIELD_XXREG1, &hop->address);
    } else {
        writer_match_ip4(w, FIELD_REG4, get_be32(&hop->address.b[12]));
    }
    to_station(w, hop->mac);
}

/* `place`: of a network, or an uplink. */
static void
unknown(struct writer *w, uint64_t place, bool is_v6)
{
    begin(w, PRIORITY_UNKNOWN, place, place, is_v6);
    stage_to_service(w, SERVICE_NEXT_HOP, place);
    writer_end(w);
}

/* Nobody's packets are broadcast in another network (RFC 2644). */
static void
broadcast(struct writer *w, const struct topology_network *network)
{
    const struct subnet4 *subnet = &network->intent->subnet;
    const be32 all[] = { subnet->addr, subnet->addr | ~ip4_mask(subnet->len) };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        begin(w, PRIORITY_BROADCAST, network->id, network->id, false);
        writer_match_ip4(w, FIELD_REG4, all[i]);
        writer_end(w);
    }
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    if (topology_has_gateway(network)) {
        broadcast(w, network);
        unknown(w, network->id, false);
    }
    if (topology_has_gateway6(network)) {
        unknown(w, network->id, true);
    }
    if (network->nat && network->intent->nat6 == NAT6_PREFIX) {
        struct subnet6 outside = intent_network_outside6(network->intent);

        /* Addresses that its own have outside. */
        nat_begin(w, STAGE_NEXT_HOP, PRIORITY_OURSELVES, network->id,
                  network->nat);
        writer_match_ipv6(w);
        writer_match_subnet6(w, FIELD_IPV6_DST, &outside);
        nat_hairpin(w, network->nat);
    }
}

static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    const struct uplink_nat *nat = uplink->nat;

    for (unsigned int i = 0; i < nat->n_addresses; i++) {
        nat_begin(w, STAGE_NEXT_HOP, PRIORITY_OURSELVES, uplink->id, uplink);
        nat_match(w, false, &nat->addresses[i]);
        nat_hairpin(w, uplink);
    }
    if (uplink->intent->is_host) {
        nat_begin(w, STAGE_NEXT_HOP, PRIORITY_UNKNOWN, uplink->id, uplink);
        to_station(w, uplink->host_mac);
        return;
    }
    unknown(w, uplink->id, false);
    unknown(w, uplink->id, true);
}

/* A host's address, of which it has some ports lead to us. */
static void
forward_flows(struct writer *w, const struct topology_forward *forward)
{
    const struct forward_listen *listen = &forward->intent->listen;
    struct ip6_addr address = intent_forward_address(forward->intent);
    struct ip6_addr arrival = intent_forward_arrival(forward->intent);
    struct port_block blocks[NAT_MAX_BLOCKS];
    unsigned int n;

    if (ip6_addr_eq(address, arrival)) {
        return;
    }
    n = nat_port_blocks(listen->first, listen->last, blocks);
    for (unsigned int i = 0; i < n; i++) {
        nat_begin(w, STAGE_NEXT_HOP, PRIORITY_OURSELVES, forward->id,
                  forward->uplink);
        nat_match(w, false, &address);
        nat_match_ports(w, forward->intent, blocks[i]);
        nat_hairpin(w, forward->uplink);
    }
}

void
stage_next_hop(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_NEXT_HOP, 0);
        writer_end(w);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER
               || subject->kind == SUBJECT_AWAY) {
        member_flows(w, subject->member);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_FORWARD) {
        forward_flows(w, subject->forward);
    } else if (subject->kind == SUBJECT_NEXT_HOP) {
        learned(w, subject->next_hop);
    }
}

/* ---- Read back ---- */

static struct ip6_addr
ip6_of_value(u128 value)
{
    struct ip6_addr addr;

    for (unsigned int i = sizeof addr.b; i-- > 0; value >>= 8) {
        addr.b[i] = (uint8_t) value;
    }
    return addr;
}

bool
stage_next_hop_read(const struct flow_rule *rule, struct learned_rule *out)
{
    const struct flow *value;
    struct flow_mod mod;
    bool has_mac = false;

    if (rule->table != STAGE_NEXT_HOP || rule->priority != PRIORITY_LEARNED) {
        return false;
    }
    flow_rule_to_mod(rule, &mod);
    value = &mod.match.value;
    out->place = (uint64_t) field_get(field_by_id(FIELD_METADATA), value);
    out->address = field_get(field_by_id(FIELD_ETH_TYPE), value)
                   == ETH_TYPE_IPV6
        ? ip6_of_value(field_get(field_by_id(FIELD_XXREG1), value))
        : ip6_of_ip4(htobe32((uint32_t) field_get(field_by_id(FIELD_REG4),
                                                  value)));
    ACTION_FOR_EACH (a, &mod.instructions.apply) {
        const struct action_set_field *set = (const void *) a;

        if (a->type == ACTION_SET_FIELD && set->field == FIELD_ETH_DST) {
            struct ip6_addr mac = ip6_of_value(set->value[0]);

            memcpy(out->mac.b, &mac.b[10], sizeof out->mac.b);
            has_mac = true;
        }
    }
    return has_mac;
}
