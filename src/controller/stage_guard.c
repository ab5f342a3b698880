/* Guard: what no guest may do to its network, and no LAN to ours.
 *
 *   - speak as the gateway;
 *   - answer as a DHCP server or a router, where addresses are somebody else's
 *     business: ours, or the LAN's;
 *   - send more broadcasts than the network's storm cap;
 *   - come back: a frame from an uplink with the MAC of a port of ours has been
 *     around a loop, and goes no further. */
#include "controller/stage.h"
#include "packet/ip.h"

enum { PRIORITY_GATEWAY = 200, PRIORITY_LOOP = 190, PRIORITY_ROGUE = 180,
       PRIORITY_STORM = 100 };

enum { DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68, DHCP6_SERVER_PORT = 547,
       DHCP6_CLIENT_PORT = 546, ROUTER_ADVERT = 134, REDIRECT = 137 };

static void
begin_rogue(struct writer *w, const struct topology_network *network)
{
    stage_begin_network(w, STAGE_GUARD, PRIORITY_ROGUE, network);
    stage_match_flag(w, FROM_UPLINK, false);
}

static void
rogue_dhcp(struct writer *w, const struct topology_network *network)
{
    begin_rogue(w, network);
    writer_match_udp(w, DHCP_SERVER_PORT, DHCP_CLIENT_PORT);
    writer_end(w);
}

static void
rogue_router(struct writer *w, const struct topology_network *network)
{
    begin_rogue(w, network);
    writer_match_udp6(w, DHCP6_SERVER_PORT, DHCP6_CLIENT_PORT);
    writer_end(w);

    begin_rogue(w, network);
    writer_match_icmp6(w, ROUTER_ADVERT);
    writer_end(w);

    begin_rogue(w, network);
    writer_match_icmp6(w, REDIRECT);
    writer_end(w);
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;
    bool is_bridged = intent_network_is_bridged(intent);

    if (topology_has_gateway(network) || topology_has_gateway6(network)) {
        stage_begin_network(w, STAGE_GUARD, PRIORITY_GATEWAY, network);
        writer_match_eth(w, FIELD_ETH_SRC, intent->gateway_mac);
        writer_end(w);
    }
    if (is_bridged || (intent->subnet.is_set && !intent->dhcp.is_off)) {
        rogue_dhcp(w, network);
    }
    if (is_bridged || (intent->subnet6.is_set && intent->ra != RA_OFF)) {
        rogue_router(w, network);
    }
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct topology_network *network = member->network;

    if (network->uplink) {
        writer_begin(w, STAGE_GUARD, PRIORITY_LOOP, member->port->id);
        writer_match(w, FIELD_METADATA, network->id);
        stage_match_flag(w, FROM_UPLINK, true);
        writer_match_eth(w, FIELD_ETH_SRC, member->port->intent->mac);
        writer_end(w);
    }
    if (network->intent->storm_cap) {
        stage_begin_from(w, STAGE_GUARD, PRIORITY_STORM, member);
        stage_match_group_address(w);
        writer_meter(w, METER_STORM + member->port->number);
        writer_goto(w, STAGE_SERVICE);
        writer_end(w);
    }
}

void
stage_guard(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_GUARD, STAGE_SERVICE);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
