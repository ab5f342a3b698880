/* L2 lookup: which port is this station behind?
 *
 * Stations are planned, not learned.  One that is not planned may be on the
 * LAN, or behind a port whose sources are not checked; where there is neither,
 * it is nowhere. */
#include "controller/stage.h"

enum { PRIORITY_STATION = 100, PRIORITY_GROUP = 60, PRIORITY_UNKNOWN = 10 };

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
network_flows(struct writer *w, const struct topology_network *network)
{
    if (topology_host_number(network)) {
        stage_begin_network(w, STAGE_L2_LOOKUP, PRIORITY_STATION, network);
        writer_match_eth(w, FIELD_ETH_DST, network->uplink->host_mac);
        stage_send_to(w, topology_host_number(network));
        writer_end(w);
    }
    stage_begin_network(w, STAGE_L2_LOOKUP, PRIORITY_UNKNOWN, network);
    if (network->uplink || network->n_unknown) {
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
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat
               && subject->uplink->number) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
