/* Ingress: which network is this packet in?
 *
 * By the port that it came in by and by its VLAN tag, which is taken off: from
 * here to output a packet has no tag, but in networks with a service tag, where
 * customers' own tags stay. */
#include "controller/stage_tunnel.h"
#include "controller/userdata.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/lacp.h"

enum { PRIORITY_LACP = 210, PRIORITY_RESERVED = 200, PRIORITY_OWN = 100, PRIORITY_TAGGED = 90,
       PRIORITY_HOST = 50, PRIORITY_REST = 10 };

/* Bridges never forward what is sent to these addresses (802.1Q table 8-1):
 * spanning tree, LACP, LLDP, PAUSE. */
static void
base(struct writer *w)
{
    stage_begin_base(w, STAGE_INGRESS, PRIORITY_RESERVED);
    writer_match_masked(w, FIELD_ETH_DST, (u128) 0x0180c2000000,
                        (u128) 0xfffffffffff0);
    writer_end(w);

    stage_begin_base(w, STAGE_INGRESS, 0);
    writer_end(w);
}

static void
mirror(struct writer *w, const struct topology_port *port)
{
    if (port->mirror && port->mirror->number) {
        writer_output(w, port->mirror->number);
    }
}

static uint32_t
flags_of(const struct topology_member *member)
{
    return member->port->intent->is_isolated ? FROM_ISOLATED : 0;
}

/* What follows a match on port and tag. */
static void
enter(struct writer *w, const struct topology_network *network,
      uint32_t number, uint32_t flags, bool has_tag, enum stage_table next)
{
    if (has_tag) {
        writer_pop_vlan(w);
    }
    writer_set(w, FIELD_REG14, number);
    if (flags) {
        writer_set(w, FIELD_REG0, flags);
    }
    writer_metadata(w, network->id);
    writer_goto(w, (uint8_t) next);
    writer_end(w);
}

static void
begin(struct writer *w, uint16_t priority, const struct topology_port *port)
{
    writer_begin(w, STAGE_INGRESS, priority, port->id);
    writer_match(w, FIELD_IN_PORT, port->number);
    mirror(w, port);
    if (port->intent->rate_out) {
        writer_meter(w, METER_RATE_OUT + port->number);
    }
}

/* Untagged, or with a tag that has a priority only. */
static void
access_member(struct writer *w, const struct topology_member *member)
{
    const struct topology_port *port = member->port;

    for (unsigned int has_tag = 0; has_tag < 2; has_tag++) {
        begin(w, PRIORITY_OWN, port);
        writer_match(w, FIELD_VLAN_VID, has_tag ? FLOW_VLAN_PRESENT : 0);
        enter(w, member->network, port->number, flags_of(member), has_tag,
              STAGE_PORT_SECURITY);
    }
    if (member->network->intent->segment.is_service_tag) {
        begin(w, PRIORITY_TAGGED, port);
        writer_match_masked(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT,
                            FLOW_VLAN_PRESENT);
        enter(w, member->network, port->number, flags_of(member) | WITH_TAG,
              false, STAGE_PORT_SECURITY);
    }
}

static void
trunk_member(struct writer *w, const struct topology_member *member)
{
    begin(w, PRIORITY_OWN, member->port);
    writer_match(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT | member->vid);
    enter(w, member->network, member->port->number, flags_of(member), true,
          STAGE_PORT_SECURITY);
}

/* Drops, of a port or an uplink: a tag that it does not carry. */
static void
rest(struct writer *w, uint64_t cookie, uint32_t number)
{
    writer_begin(w, STAGE_INGRESS, PRIORITY_REST, cookie);
    writer_match(w, FIELD_IN_PORT, number);
    writer_end(w);
}

static void
begin_uplink(struct writer *w, uint16_t priority,
             const struct topology_network *network, uint32_t number)
{
    writer_begin(w, STAGE_INGRESS, priority, network->id);
    writer_match(w, FIELD_IN_PORT, number);
}

/* Frames without a tag are the LAN's and the host's, unless a network claims
 * them. */
static void
host_leg(struct writer *w, const struct topology_uplink *uplink,
         uint32_t from, uint32_t to)
{
    writer_begin(w, STAGE_INGRESS, PRIORITY_HOST, uplink->id);
    writer_match(w, FIELD_IN_PORT, from);
    writer_match(w, FIELD_VLAN_VID, 0);
    writer_output(w, to);
    writer_end(w);
}

/* LACPDUs and markers are for whoever speaks for the bond. */
static void
lacp(struct writer *w, const struct topology_uplink *uplink, uint32_t number)
{
    struct userdata u = { SERVICE_LACP, uplink->id };
    uint8_t bytes[USERDATA_LEN];

    userdata_encode(&u, bytes);
    writer_begin(w, STAGE_INGRESS, PRIORITY_LACP, uplink->id);
    writer_match(w, FIELD_IN_PORT, number);
    writer_match_eth(w, FIELD_ETH_DST, lacp_group_address);
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_SLOW);
    writer_controller(w, bytes, sizeof bytes);
    writer_end(w);
}

/* What follows a match on a frame for us, as a station outside. */
static void
outside(struct writer *w, const struct topology_uplink *uplink,
        uint32_t number, bool has_tag)
{
    if (has_tag) {
        writer_pop_vlan(w);
    }
    writer_set(w, FIELD_REG14, number);
    writer_set(w, FIELD_REG0, FROM_UPLINK);
    writer_metadata(w, uplink->id);
    writer_goto(w, STAGE_ARP_ND);
    writer_end(w);
}

/* Nobody else is there: whatever has no tag, or one with a priority only. */
static void
to_us_alone(struct writer *w, const struct topology_uplink *uplink,
            uint32_t link)
{
    for (unsigned int has_tag = 0; has_tag < 2; has_tag++) {
        writer_begin(w, STAGE_INGRESS, PRIORITY_OWN, uplink->id);
        writer_match(w, FIELD_IN_PORT, link);
        writer_match(w, FIELD_VLAN_VID, has_tag ? FLOW_VLAN_PRESENT : 0);
        outside(w, uplink, uplink->number, has_tag);
    }
}

static void
begin_beside(struct writer *w, const struct topology_uplink *uplink,
             uint32_t link)
{
    writer_begin(w, STAGE_INGRESS, PRIORITY_OWN, uplink->id);
    writer_match(w, FIELD_IN_PORT, link);
    writer_match(w, FIELD_VLAN_VID, 0);
}

/* The host is a station on the same wire: ours are frames to our MAC, and who
 * asks for our addresses. */
static void
to_us_beside(struct writer *w, const struct topology_uplink *uplink,
             uint32_t link, uint32_t number)
{
    const struct uplink_nat *nat = uplink->nat;

    begin_beside(w, uplink, link);
    writer_match_eth(w, FIELD_ETH_DST, uplink->intent->mac);
    outside(w, uplink, number, false);
    for (unsigned int i = 0; i < nat->n_addresses; i++) {
        const struct ip6_addr *address = &nat->addresses[i];

        begin_beside(w, uplink, link);
        if (ip6_is_mapped4(address)) {
            writer_match_arp(w, 0);
            writer_match_ip4(w, FIELD_ARP_TPA, get_be32(&address->b[12]));
        } else {
            writer_match_icmp6(w, ND_SOLICIT);
            writer_match_ip6(w, FIELD_ND_TARGET, address);
        }
        outside(w, uplink, number, false);
    }
}

static void
transit(struct writer *w, const struct topology_uplink *uplink)
{
    for (unsigned int i = 0; i < uplink->links.n_rx; i++) {
        if (uplink->host_number) {
            to_us_beside(w, uplink, uplink->links.rx[i], uplink->number);
        } else {
            to_us_alone(w, uplink, uplink->links.rx[i]);
        }
    }
    if (uplink->host_number) {
        to_us_beside(w, uplink, uplink->host_number, uplink->host_number);
    }
}

/* What comes by a member that is not in use ends here, too. */
static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    for (unsigned int i = 0; i < uplink->n_ports; i++) {
        rest(w, uplink->id, uplink->ports[i]);
        if (uplink->intent->is_bond && uplink->intent->mode == BOND_LACP) {
            lacp(w, uplink, uplink->ports[i]);
        }
    }
    if (uplink->host_number) {
        rest(w, uplink->id, uplink->host_number);
        host_leg(w, uplink, uplink->number, uplink->host_number);
        host_leg(w, uplink, uplink->host_number, uplink->number);
    }
    if (uplink->nat && uplink->number) {
        transit(w, uplink);
    }
}

/* The host is a station of the LAN. */
static void
from_host(struct writer *w, const struct topology_network *network)
{
    uint32_t number = topology_host_number(network);

    if (number) {
        begin_uplink(w, PRIORITY_OWN, network, number);
        writer_match(w, FIELD_VLAN_VID, 0);
        enter(w, network, number, FROM_UPLINK, false, STAGE_GUARD);
    }
}

static void
from_link(struct writer *w, const struct topology_network *network,
          uint32_t link)
{
    uint32_t number = network->uplink->number;
    uint16_t vid = network->intent->segment.vid;

    if (!vid) {
        begin_uplink(w, PRIORITY_OWN, network, link);
        writer_match(w, FIELD_VLAN_VID, 0);
        enter(w, network, number, FROM_UPLINK, false, STAGE_GUARD);
    }
    begin_uplink(w, PRIORITY_OWN, network, link);
    writer_match(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT | vid);
    if (!network->intent->segment.is_service_tag) {
        enter(w, network, number, FROM_UPLINK, true, STAGE_GUARD);
        return;
    }
    /* What is below the tag shows when it is off. */
    writer_pop_vlan(w);
    writer_set(w, FIELD_REG14, number);
    writer_set(w, FIELD_REG0, FROM_UPLINK);
    writer_metadata(w, network->id);
    writer_goto(w, STAGE_PORT_SECURITY);
    writer_end(w);
}

static void
bridged_network(struct writer *w, const struct topology_network *network)
{
    const struct uplink_links *links = &network->uplink->links;

    from_host(w, network);
    for (unsigned int i = 0; i < links->n_rx; i++) {
        from_link(w, network, links->rx[i]);
    }
}

/* ---- Tunnels ---- */

static void
to_tunnel_in(struct writer *w)
{
    writer_goto(w, STAGE_TUNNEL_IN);
    writer_end(w);
}

static void
begin_tunnel(struct writer *w, uint64_t cookie, uint32_t number)
{
    writer_begin(w, STAGE_INGRESS, PRIORITY_OWN, cookie);
    writer_match(w, FIELD_IN_PORT, number);
}

/* From hosts that the file has. */
static void
from_hosts(struct writer *w, const struct topology *t, uint32_t number)
{
    unsigned int n;
    const struct topology_host *hosts = topology_hosts(t, &n);

    for (unsigned int i = 0; i < n; i++) {
        if (!hosts[i].is_here) {
            begin_tunnel(w, hosts[i].id, number);
            tunnel_match_end(w, &hosts[i].intent->tunnel);
            to_tunnel_in(w);
        }
    }
}

static void
tunnels(struct writer *w, const struct topology *t)
{
    for (enum segment_type type = SEGMENT_VXLAN; type < N_SEGMENT_TYPES;
         type++) {
        uint32_t number = topology_tunnel(t, type);

        if (number) {
            from_hosts(w, t, number);
            rest(w, STAGE_COOKIE | STAGE_INGRESS, number);
        }
    }
}

/* From others, into their network only; who has joined its group is not known. */
static void
foreign_ends(struct writer *w, const struct topology *t,
             const struct topology_network *network)
{
    const struct segment *segment = &network->intent->segment;
    uint32_t number = tunnel_of(t, network);

    for (unsigned int i = 0; number && i < segment->n_remotes; i++) {
        begin_tunnel(w, network->id, number);
        writer_match(w, FIELD_TUN_ID, segment->key);
        tunnel_match_end(w, &segment->remotes[i]);
        tunnel_learn(w, number, network,
                     !ip6_is_mapped4(&segment->remotes[i]));
        to_tunnel_in(w);
    }
    if (number && ip6_addr_is_set(segment->group)) {
        writer_begin(w, STAGE_INGRESS, PRIORITY_TAGGED, network->id);
        writer_match(w, FIELD_IN_PORT, number);
        writer_match(w, FIELD_TUN_ID, segment->key);
        tunnel_learn(w, number, network, !ip6_is_mapped4(&segment->group));
        to_tunnel_in(w);
    }
}

void
stage_ingress(struct writer *w, const struct subject *subject)
{
    switch (subject->kind) {
    case SUBJECT_BASE:
        base(w);
        tunnels(w, subject->topology);
        return;
    case SUBJECT_UPLINK:
        uplink_flows(w, subject->uplink);
        return;
    case SUBJECT_NETWORK:
        if (subject->network->uplink && subject->network->uplink->number) {
            bridged_network(w, subject->network);
        }
        foreign_ends(w, subject->topology, subject->network);
        return;
    case SUBJECT_PORT:
        rest(w, subject->port->id, subject->port->number);
        return;
    case SUBJECT_MEMBER:
        if (subject->member->vid) {
            trunk_member(w, subject->member);
        } else {
            access_member(w, subject->member);
        }
        return;
    case SUBJECT_FLOOD: case SUBJECT_HEARERS: case SUBJECT_GROUP:
    case SUBJECT_FORWARD: case SUBJECT_NEXT_HOP: case SUBJECT_SECURITY:
    case SUBJECT_AWAY:
        return;
    }
}
