/* Port security: a port sends with its own MAC, or with one that its intent
 * allows.
 *
 * Frames with a customer's own tag (in a network with a service tag) are judged
 * by their MACs alone: what is below the tag is the customer's. */
#include "controller/stage.h"

enum { PRIORITY_TAGGED = 110, PRIORITY_OWN = 100, PRIORITY_REST = 10 };

static void
own(struct writer *w, const struct topology_member *member,
    struct eth_addr mac)
{
    stage_begin_from(w, STAGE_PORT_SECURITY, PRIORITY_OWN, member);
    writer_match_eth(w, FIELD_ETH_SRC, mac);
    writer_goto(w, STAGE_ADDRESS_SECURITY);
    writer_end(w);

    if (member->network->intent->segment.is_service_tag) {
        stage_begin_from(w, STAGE_PORT_SECURITY, PRIORITY_TAGGED, member);
        writer_match_eth(w, FIELD_ETH_SRC, mac);
        stage_match_flag(w, WITH_TAG, true);
        writer_goto(w, STAGE_L2_LOOKUP);
        writer_end(w);
    }
}

static void
anybody(struct writer *w, const struct topology_member *member)
{
    stage_begin_from(w, STAGE_PORT_SECURITY, PRIORITY_OWN, member);
    writer_goto(w, STAGE_GUARD);
    writer_end(w);

    if (member->network->intent->segment.is_service_tag) {
        stage_begin_from(w, STAGE_PORT_SECURITY, PRIORITY_TAGGED, member);
        stage_match_flag(w, WITH_TAG, true);
        writer_goto(w, STAGE_L2_LOOKUP);
        writer_end(w);
    }
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    if (port->is_spoof_ok) {
        anybody(w, member);
        return;
    }
    own(w, member, port->mac);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac) {
            own(w, member, port->allow[i].mac);
        }
    }
    stage_begin_from(w, STAGE_PORT_SECURITY, PRIORITY_REST, member);
    writer_end(w);
}

/* From an uplink, by a service tag: only here can be seen what was below it. */
static void
service_tag(struct writer *w, const struct topology_network *network)
{
    for (unsigned int has_tag = 0; has_tag < 2; has_tag++) {
        stage_begin_network(w, STAGE_PORT_SECURITY, PRIORITY_OWN, network);
        writer_match(w, FIELD_REG14, network->uplink->number);
        if (has_tag) {
            writer_match_masked(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT,
                                FLOW_VLAN_PRESENT);
            writer_set(w, FIELD_REG0, FROM_UPLINK | WITH_TAG);
        } else {
            writer_match(w, FIELD_VLAN_VID, 0);
        }
        writer_goto(w, has_tag ? STAGE_L2_LOOKUP : STAGE_GUARD);
        writer_end(w);
    }
}

void
stage_port_security(struct writer *w, const struct subject *subject)
{
    const struct topology_network *network = subject->network;

    if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    } else if (subject->kind == SUBJECT_NETWORK && network->uplink
               && network->uplink->number
               && network->intent->segment.is_service_tag) {
        service_tag(w, network);
    }
}
