/* MTU: does the packet fit where routing sends it?
 *
 * Asked only where the next network carries smaller packets than the sender's
 * (route_check_mtu()).  The service tells the sender, or cuts what may be cut.
 * Up to here the Ethernet destination is the gateway that the sender knows. */
#include "controller/stage_routing.h"

enum { PRIORITY_LARGER = 100 };

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    if (!topology_is_gateway(network)) {
        return;
    }
    writer_begin(w, STAGE_MTU, PRIORITY_LARGER, network->id);
    writer_match_eth(w, FIELD_ETH_DST, network->intent->gateway_mac);
    writer_match_masked(w, FIELD_REG11, MTU_IS_LARGER, MTU_IS_LARGER);
    stage_to_service(w, SERVICE_TOO_BIG, network->id);
    writer_end(w);
}

void
stage_mtu(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_MTU, STAGE_NAT_OUT);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    }
}
