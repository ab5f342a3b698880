/* Tunnel-to: a packet for one station at another host, where to is known.
 *
 * Who sends more than guests were told that fits is told again by the gateway, or
 * has it cut (serve_route.c): the tunnel itself could only lose it. */
#include "controller/stage_tunnel.h"
#include "packet/eth.h"

enum { PRIORITY_LARGER = 100, PRIORITY_SEND = 50 };

static void
too_long(struct writer *w, const struct topology_network *network, bool is_ip6)
{
    stage_begin_network(w, STAGE_TUNNEL_TO, PRIORITY_LARGER, network);
    writer_match(w, FIELD_ETH_TYPE, is_ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    writer_match_masked(w, FIELD_REG11, MTU_IS_LARGER, MTU_IS_LARGER);
    stage_to_service(w, SERVICE_TOO_LONG, network->id);
    writer_end(w);
}

static void
base(struct writer *w, const struct topology *t)
{
    for (enum segment_type type = SEGMENT_VXLAN; type < N_SEGMENT_TYPES;
         type++) {
        uint32_t number = topology_tunnel(t, type);

        if (number) {
            stage_begin_base(w, STAGE_TUNNEL_TO, PRIORITY_SEND);
            writer_match(w, FIELD_REG15, number);
            writer_output(w, number);
            writer_end(w);
        }
    }
    stage_begin_base(w, STAGE_TUNNEL_TO, 0);
    writer_end(w);
}

void
stage_tunnel_to(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        base(w, subject->topology);
    } else if (subject->kind == SUBJECT_NETWORK
               && tunnel_of(subject->topology, subject->network)) {
        too_long(w, subject->network, false);
        too_long(w, subject->network, true);
    }
}
