/* ARP and ND: who has an address is in the plan, so that nobody needs to be
 * asked.
 *
 * An ARP request for a planned address is answered here.  A solicitation is led
 * to the one port that has the address, whatever address it was sent to: the
 * answer is the port's own.  Requests for other addresses reach those whose
 * addresses are not planned, and nobody else. */
#include "controller/stage_tunnel.h"
#include "controller/userdata.h"
#include "packet/address.h"
#include "packet/ip.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

enum { PRIORITY_SELF = 110, PRIORITY_PLANNED = 100, PRIORITY_SUBNET = 60,
       PRIORITY_SUBNET6 = 40, PRIORITY_OTHER = 20 };

static void
begin(struct writer *w, uint16_t priority, uint64_t cookie,
      const struct topology_network *network)
{
    writer_begin(w, STAGE_ARP_ND, priority, cookie);
    writer_match(w, FIELD_METADATA, network->id);
}

/* The request becomes its answer. */
static void
answer_arp(struct writer *w, be32 address, struct eth_addr mac)
{
    writer_move(w, FIELD_ETH_SRC, FIELD_ETH_DST);
    writer_set_eth(w, FIELD_ETH_SRC, mac);
    writer_set(w, FIELD_ARP_OP, ARP_REPLY);
    writer_move(w, FIELD_ARP_SHA, FIELD_ARP_THA);
    writer_set_eth(w, FIELD_ARP_SHA, mac);
    writer_move(w, FIELD_ARP_SPA, FIELD_ARP_TPA);
    writer_set_ip4(w, FIELD_ARP_SPA, address);
    stage_send_back(w);
    writer_end(w);
}

static void
match_request(struct writer *w, be32 address)
{
    writer_match_arp(w, ARP_REQUEST);
    writer_match_ip4(w, FIELD_ARP_TPA, address);
}

/* Shall others than its ports hear of who has an address? */
static bool
is_open(const struct topology_network *network)
{
    return network->uplink || topology_is_foreign(network);
}

/* Is my own address taken?  No; but a LAN shall hear of it. */
static void
self(struct writer *w, const struct topology_member *member)
{
    stage_begin_from(w, STAGE_ARP_ND, PRIORITY_SELF, member);
    match_request(w, member->address);
    if (is_open(member->network)) {
        stage_flood_to(w, FLOOD_ASK);
    }
    writer_end(w);
}

static void
planned(struct writer *w, const struct topology_member *member)
{
    begin(w, PRIORITY_PLANNED, member->port->id, member->network);
    match_request(w, member->address);
    answer_arp(w, member->address, member->port->intent->mac);
}

static void
match_solicit(struct writer *w, const struct subnet6 *target)
{
    writer_match_icmp6(w, ND_SOLICIT);
    writer_match_subnet6(w, FIELD_ND_TARGET, target);
}

static void
planned6(struct writer *w, const struct topology_member *member,
         const struct ip6_addr *address)
{
    struct subnet6 one = { true, 128, *address };

    if (is_open(member->network)) {
        stage_begin_from(w, STAGE_ARP_ND, PRIORITY_SELF, member);
        match_solicit(w, &one);
        stage_flood_to(w, FLOOD_ASK);
        writer_end(w);
    }
    begin(w, PRIORITY_PLANNED, member->port->id, member->network);
    match_solicit(w, &one);
    stage_send_to(w, member->port->number);
    writer_end(w);
}

/* Nested guests: whoever asks for one of them asks the port. */
static void
allowed(struct writer *w, const struct topology_member *member,
        const struct port_allow *allow)
{
    uint32_t number = member->port->number;

    if (allow->subnet.is_set) {
        begin(w, PRIORITY_SUBNET + allow->subnet.len, member->port->id,
              member->network);
        writer_match_arp(w, ARP_REQUEST);
        writer_match_subnet4(w, FIELD_ARP_TPA, &allow->subnet);
        stage_send_to(w, number);
        writer_end(w);
    }
    if (allow->subnet6.is_set) {
        begin(w, (uint16_t) (PRIORITY_SUBNET6 + allow->subnet6.len / 3),
              member->port->id, member->network);
        match_solicit(w, &allow->subnet6);
        stage_send_to(w, number);
        writer_end(w);
    }
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    if (member->address) {
        self(w, member);
        planned(w, member);
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        planned6(w, member, &member->addresses6[i]);
    }
    for (unsigned int i = 0; i < port->n_allow; i++) {
        allowed(w, member, &port->allow[i]);
    }
}

/* At another host, which answers its own network's tunnels itself. */
static void
begin_away(struct writer *w, uint16_t priority,
           const struct topology_member *member)
{
    begin(w, priority, member->port->id, member->network);
    stage_match_flag(w, FROM_TUNNEL, false);
}

static void
allowed_away(struct writer *w, const struct topology_member *member,
             uint32_t number, const struct port_allow *allow)
{
    if (allow->subnet.is_set) {
        begin_away(w, PRIORITY_SUBNET + allow->subnet.len, member);
        writer_match_arp(w, ARP_REQUEST);
        writer_match_subnet4(w, FIELD_ARP_TPA, &allow->subnet);
        tunnel_to_member(w, number, member);
    }
    if (allow->subnet6.is_set) {
        begin_away(w, (uint16_t) (PRIORITY_SUBNET6 + allow->subnet6.len / 3),
                   member);
        match_solicit(w, &allow->subnet6);
        tunnel_to_member(w, number, member);
    }
}

static void
away_flows(struct writer *w, const struct topology *t,
           const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;
    uint32_t number = tunnel_of(t, member->network);

    if (!number) {
        return;
    }
    if (member->address) {
        begin_away(w, PRIORITY_PLANNED, member);
        match_request(w, member->address);
        answer_arp(w, member->address, port->mac);
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        struct subnet6 one = { true, 128, member->addresses6[i] };

        begin_away(w, PRIORITY_PLANNED, member);
        match_solicit(w, &one);
        tunnel_to_member(w, number, member);
    }
    for (unsigned int i = 0; i < port->n_allow; i++) {
        allowed_away(w, member, number, &port->allow[i]);
    }
}

/* The gateway is at each of its network's ports; a LAN sees it only where it
 * leads somewhere. */
static void
begin_gateway(struct writer *w, const struct topology_network *network)
{
    begin(w, PRIORITY_SELF, network->id, network);
    writer_match_masked(w, FIELD_REG0, 0,
                        FROM_TUNNEL | (network->router ? 0 : FROM_UPLINK));
}

static void
begin_answer(struct writer *w, uint64_t place, struct eth_addr mac)
{
    writer_begin(w, STAGE_ARP_ND, PRIORITY_SELF, place);
    writer_match(w, FIELD_METADATA, place);
    writer_match_eth(w, FIELD_ETH_DST, mac);
}

/* Answers to what we asked ourselves, by this MAC (serve_next_hop.c). */
static void
answers(struct writer *w, uint64_t place, struct eth_addr mac)
{
    begin_answer(w, place, mac);
    writer_match_arp(w, ARP_REPLY);
    stage_to_service(w, SERVICE_NEIGHBOUR, place);
    writer_end(w);

    begin_answer(w, place, mac);
    writer_match_icmp6(w, ND_ADVERT);
    stage_to_service(w, SERVICE_NEIGHBOUR, place);
    writer_end(w);
}

static void
gateway6(struct writer *w, const struct topology_network *network,
         const struct ip6_addr *address)
{
    struct subnet6 one = { true, 128, *address };
    struct userdata u = { SERVICE_ND, network->id };
    uint8_t bytes[USERDATA_LEN];

    userdata_encode(&u, bytes);
    begin_gateway(w, network);
    match_solicit(w, &one);
    writer_controller(w, bytes, sizeof bytes);
    writer_end(w);
}

static void
other(struct writer *w, const struct topology_network *network)
{
    begin(w, PRIORITY_OTHER, network->id, network);
    writer_match_arp(w, ARP_REQUEST);
    stage_match_group_address(w);
    stage_flood_to(w, FLOOD_ASK);
    writer_end(w);

    begin(w, PRIORITY_OTHER, network->id, network);
    writer_match_icmp6(w, ND_SOLICIT);
    stage_match_group_address(w);
    stage_flood_to(w, FLOOD_ASK);
    writer_end(w);
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;

    if (topology_has_gateway(network)) {
        begin_gateway(w, network);
        match_request(w, intent->gateway);
        answer_arp(w, intent->gateway, intent->gateway_mac);
    }
    if (topology_has_gateway6(network)) {
        struct ip6_addr link_local
            = topology_link_local(intent->gateway_mac);

        gateway6(w, network, &intent->gateway6);
        gateway6(w, network, &link_local);
    }
    if (topology_is_gateway(network) && topology_has_strangers(network)) {
        answers(w, network->id, intent->gateway_mac);
    }
    other(w, network);
}

static void
outside6(struct writer *w, const struct topology_uplink *uplink,
         const struct ip6_addr *address)
{
    struct subnet6 one = { true, 128, *address };

    writer_begin(w, STAGE_ARP_ND, PRIORITY_PLANNED, uplink->id);
    writer_match(w, FIELD_METADATA, uplink->id);
    match_solicit(w, &one);
    stage_to_service(w, SERVICE_ND, uplink->id);
    writer_end(w);
}

static void
outside4(struct writer *w, const struct topology_uplink *uplink, be32 address)
{
    writer_begin(w, STAGE_ARP_ND, PRIORITY_PLANNED, uplink->id);
    writer_match(w, FIELD_METADATA, uplink->id);
    match_request(w, address);
    answer_arp(w, address, uplink->intent->mac);
}

/* Outside, we are a station with these addresses. */
static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    const struct uplink_nat *nat = uplink->nat;
    struct ip6_addr link_local = topology_link_local(uplink->intent->mac);

    for (unsigned int i = 0; i < nat->n_addresses; i++) {
        const struct ip6_addr *address = &nat->addresses[i];

        if (ip6_is_mapped4(address)) {
            outside4(w, uplink, get_be32(&address->b[12]));
        } else {
            outside6(w, uplink, address);
        }
    }
    if (ip6_addr_is_set(intent_uplink_external6(uplink->intent))) {
        outside6(w, uplink, &link_local);
    }
    if (!uplink->intent->is_host) {
        answers(w, uplink->id, uplink->intent->mac);
    }
}

void
stage_arp_nd(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_ARP_ND, STAGE_ACL_OUT);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    } else if (subject->kind == SUBJECT_AWAY) {
        away_flows(w, subject->topology, subject->member);
    }
}
