/* L2 lookup: which port is this station behind?
 *
 * Stations are planned, not learned.  One that is not planned may be on the
 * LAN, or behind a port whose sources are not checked; where there is neither,
 * it is nowhere.  One at another host is behind the tunnel there. */
#include "controller/stage_tunnel.h"
#include "packet/eth.h"

enum { PRIORITY_ISOLATED = 110, PRIORITY_STATION = 100, PRIORITY_GROUP = 60, PRIORITY_UNKNOWN = 10 };

static void
station(struct writer *w, const struct topology_member *member,
        struct eth_addr mac)
{
    writer_begin(w, STAGE_L2_LOOKUP, PRIORITY_STATION, member->port->id);
    writer_match(w, FIELD_METADATA, member->network->id);
    writer_match_eth(w, FIELD_ETH_DST, mac);
    stage_send_to_member(w, member);
    writer_end(w);
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    station(w, member, port->mac);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac) {
            station(w, member, port->allow[i].mac);
        }
    }
}

static void
begin_away(struct writer *w, uint16_t priority,
           const struct topology_member *member, struct eth_addr mac)
{
    writer_begin(w, STAGE_L2_LOOKUP, priority, member->port->id);
    writer_match(w, FIELD_METADATA, member->network->id);
    writer_match_eth(w, FIELD_ETH_DST, mac);
}

/* There is somebody who can say what does not fit. */
static void
fit_member(struct writer *w, uint32_t number,
           const struct topology_member *member)
{
    uint16_t mtu = member->network->intent->mtu;

    tunnel_aim(w, member->network, &member->port->host->intent->tunnel);
    writer_set(w, FIELD_REG15, number);
    writer_set(w, FIELD_REG11, (uint64_t) mtu << MTU_SHIFT);
    writer_check_larger(w, (uint16_t) (mtu + ETH_HEADER_LEN), FIELD_REG11, 0);
    writer_goto(w, STAGE_TUNNEL_TO);
    writer_end(w);
}

static void
away_station(struct writer *w, uint32_t number,
             const struct topology_member *member, struct eth_addr mac)
{
    if (member->port->intent->is_isolated) {
        begin_away(w, PRIORITY_ISOLATED, member, mac);
        stage_match_flag(w, FROM_ISOLATED, true);
        writer_end(w);
    }
    begin_away(w, PRIORITY_STATION, member, mac);
    stage_match_flag(w, FROM_TUNNEL, false);
    if (topology_is_gateway(member->network)) {
        fit_member(w, number, member);
    } else {
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
    away_station(w, number, member, port->mac);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac) {
            away_station(w, number, member, port->allow[i].mac);
        }
    }
}

static void
network_flows(struct writer *w, const struct topology *t,
              const struct topology_network *network)
{
    if (topology_host_number(network)) {
        stage_begin_network(w, STAGE_L2_LOOKUP, PRIORITY_STATION, network);
        writer_match_eth(w, FIELD_ETH_DST, network->uplink->host_mac);
        stage_send_to(w, topology_host_number(network));
        writer_end(w);
    }
    stage_begin_network(w, STAGE_L2_LOOKUP, PRIORITY_UNKNOWN, network);
    if (topology_is_foreign(network)) {
        tunnel_to_learned(w, tunnel_of(t, network), network);
    } else if (topology_has_strangers(network)) {
        stage_flood_to(w, FLOOD_UNKNOWN);
    }
    writer_end(w);
}

/* Outside: the host, where it is a station beside us; else whoever it is. */
static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    if (uplink->host_number) {
        writer_begin(w, STAGE_L2_LOOKUP, PRIORITY_STATION, uplink->id);
        writer_match(w, FIELD_METADATA, uplink->id);
        writer_match_eth(w, FIELD_ETH_DST, uplink->host_mac);
        stage_send_to(w, uplink->host_number);
        writer_end(w);
    }
    writer_begin(w, STAGE_L2_LOOKUP, PRIORITY_UNKNOWN, uplink->id);
    writer_match(w, FIELD_METADATA, uplink->id);
    stage_send_to(w, uplink->number);
    writer_end(w);
}

void
stage_l2_lookup(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_L2_LOOKUP, PRIORITY_GROUP);
        stage_match_group_address(w);
        writer_goto(w, STAGE_MULTICAST);
        writer_end(w);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->topology, subject->network);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat
               && subject->uplink->number) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    } else if (subject->kind == SUBJECT_AWAY) {
        away_flows(w, subject->topology, subject->member);
    }
}
