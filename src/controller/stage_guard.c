/* Guard: what no guest may do to its network, and no LAN to ours.
 *
 *   - tag its frames, behind the tag that is its port's;
 *   - speak as the gateway;
 *   - answer as a DHCP server or a router, where addresses are somebody else's
 *     business: ours, or the LAN's;
 *   - send more broadcasts than the network's storm cap;
 *   - go round: where anybody may be behind two places of a network, probes look
 *     for loops (serve_loop.h);
 *   - come back: a frame from an uplink with the MAC of a port of ours has been
 *     around a loop, and goes no further. */
#include "controller/stage.h"
#include "controller/userdata.h"
#include "packet/dhcp.h"
#include "packet/dhcp6.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { PRIORITY_PROBE = 220, PRIORITY_TAGGED = 210, PRIORITY_GATEWAY = 200,
       PRIORITY_LOOP = 190, PRIORITY_ROGUE = 180,
       PRIORITY_STORM = 100 };

enum { ROUTER_ADVERT = 134, REDIRECT = 137, ND_HOP_LIMIT = 255 };

static void
begin_rogue(struct writer *w, const struct topology_network *network)
{
    stage_begin_network(w, STAGE_GUARD, PRIORITY_ROGUE, network);
    stage_match_flag(w, FROM_UPLINK, false);
}

/* Only servers send to a client's port, from whichever of theirs. */
static void
rogue_dhcp(struct writer *w, const struct topology_network *network)
{
    begin_rogue(w, network);
    writer_match_udp(w, 0, DHCP_CLIENT_PORT);
    writer_end(w);
}

static void
begin_fragment(struct writer *w, const struct topology_network *network)
{
    begin_rogue(w, network);
    writer_match_ipv6(w);
    writer_match_masked(w, FIELD_IP_FRAG, FLOW_FRAG_ANY, FLOW_FRAG_ANY);
}

/* What would show who speaks may be hidden in a later fragment, or behind more
 * headers than are read (RFC 7113, 7610).  A router's word has hop limit 255,
 * or no host believes it (RFC 4861, 6.1.2), and is no fragment for a host that
 * knows RFC 6980; a DHCPv6 server speaks to link-local addresses.  Nobody else
 * needs such fragments, and nobody at all a packet of which it cannot be said
 * what it is: Weft's switch calls that 59, Open vSwitch 0. */
static void
hidden(struct writer *w, const struct topology_network *network)
{
    static const uint8_t unreadable[] = { IP_PROTO_HOPOPTS, IP_PROTO_NONE };
    static const struct subnet6 link_local = {
        .is_set = true, .len = 10, .addr = { { 0xfe, 0x80 } },
    };

    begin_fragment(w, network);
    writer_match(w, FIELD_IP_TTL, ND_HOP_LIMIT);
    writer_end(w);

    begin_fragment(w, network);
    writer_match_subnet6(w, FIELD_IPV6_DST, &link_local);
    writer_end(w);

    for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
        begin_rogue(w, network);
        writer_match_ipv6(w);
        writer_match(w, FIELD_IP_PROTO, unreadable[i]);
        writer_end(w);
    }
}

static void
rogue_router(struct writer *w, const struct topology_network *network)
{
    begin_rogue(w, network);
    writer_match_udp6(w, 0, DHCP6_CLIENT_PORT);
    writer_end(w);

    begin_rogue(w, network);
    writer_match_icmp6(w, ROUTER_ADVERT);
    writer_end(w);

    begin_rogue(w, network);
    writer_match_icmp6(w, REDIRECT);
    writer_end(w);
    hidden(w, network);
}

/* Where a loop is possible: probes that come back, and the LAN's floods within
 * bounds, of which the ports' are anyway. */
static void
loops(struct writer *w, const struct topology_network *network)
{
    struct userdata u = { SERVICE_LOOP, network->id };
    uint8_t bytes[USERDATA_LEN];

    stage_begin_network(w, STAGE_GUARD, PRIORITY_PROBE, network);
    writer_match(w, FIELD_ETH_TYPE, STAGE_PROBE_TYPE);
    writer_match(w, FIELD_ETH_DST, STAGE_PROBE_MAC);
    userdata_encode(&u, bytes);
    writer_controller(w, bytes, sizeof bytes);
    writer_end(w);

    if (network->uplink && network->uplink->number) {
        stage_begin_network(w, STAGE_GUARD, PRIORITY_STORM, network);
        stage_match_flag(w, FROM_UPLINK, true);
        stage_match_group_address(w);
        writer_meter(w, METER_STORM + network->uplink->number);
        writer_goto(w, STAGE_SERVICE);
        writer_end(w);
    }
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;
    bool is_bridged = intent_network_is_bridged(intent);

    if (topology_is_at_risk(network)) {
        loops(w, network);
    }

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

static void
begin_tagged(struct writer *w)
{
    stage_begin_base(w, STAGE_GUARD, PRIORITY_TAGGED);
    stage_match_flag(w, FROM_UPLINK, false);
}

/* A second tag would hide what is behind it from whoever reads one, and a guest
 * takes one with VLAN 0 for none.  Weft's switch calls it a tag, Open vSwitch,
 * which reads one unless told else, the frame's type. */
static void
tagged(struct writer *w)
{
    begin_tagged(w);
    writer_match_masked(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT,
                        FLOW_VLAN_PRESENT);
    writer_end(w);

    begin_tagged(w);
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_VLAN);
    writer_end(w);

    begin_tagged(w);
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_QINQ);
    writer_end(w);
}

void
stage_guard(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        tagged(w);
        stage_else(w, STAGE_GUARD, STAGE_SERVICE);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
