/* NAT in, state: does it belong to a connection of somebody inside?
 *
 * The connection's mark says of which network; its destination is an address
 * there by now.  Without one it may be what a forward lets in; if a forward, or
 * a floating address, was its way already, there was no room for it. */
#include "controller/stage_nat.h"

enum { PRIORITY_IN = 100, PRIORITY_NO_ROOM = 50 };

/* OpenFlow's ct_state, as ovs-fields(7) numbers its bits. */
enum { CT_STATE_INVALID = 1 << 4, CT_STATE_TRACKED = 1 << 5 };

static void
begin(struct writer *w, const struct topology_network *network)
{
    nat_begin(w, STAGE_NAT_IN_STATE, PRIORITY_IN, network->id, network->nat);
    writer_match(w, FIELD_CT_MARK, network->mark);
    writer_match_masked(w, FIELD_CT_STATE, CT_STATE_TRACKED,
                        CT_STATE_TRACKED | CT_STATE_INVALID);
}

/* As if a guest had sent it to the gateway. */
static void
enter(struct writer *w, const struct topology_network *network)
{
    writer_set_eth(w, FIELD_ETH_DST, network->intent->gateway_mac);
    writer_set(w, FIELD_REG0, 0);
    writer_set(w, FIELD_REG8, 0);
    writer_metadata(w, network->id);
    writer_goto(w, STAGE_ROUTING);
    writer_end(w);
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    if (topology_has_gateway(network)) {
        begin(w, network);
        writer_match_ip(w);
        writer_match_subnet4(w, FIELD_IPV4_DST, &network->intent->subnet);
        enter(w, network);
    }
    if (topology_has_gateway6(network)) {
        begin(w, network);
        writer_match_ipv6(w);
        writer_match_subnet6(w, FIELD_IPV6_DST, &network->intent->subnet6);
        enter(w, network);
    }
}

void
stage_nat_in_state(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_NAT_IN_STATE, PRIORITY_NO_ROOM);
        writer_match(w, FIELD_REG8, NAT_LED);
        writer_end(w);
        stage_else(w, STAGE_NAT_IN_STATE, STAGE_FORWARD);
    } else if (subject->kind == SUBJECT_NETWORK && subject->network->nat) {
        network_flows(w, subject->network);
    }
}
