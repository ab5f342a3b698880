/* Tunnel-in: which network is this packet in, that came by a tunnel?
 *
 * Its key says.  One key is no network's: what hosts ask each other about the
 * way between them (serve_probe.h).  Where it came from everything was looked at
 * that a port's packets are: here it goes to its station, or to whoever it
 * concerns.  Who has an address is answered by the host that has it. */
#include "controller/stage_tunnel.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "service/path_frame.h"

enum { PRIORITY_PROBE = 100, PRIORITY_ISOLATED = 40, PRIORITY_QUESTION = 30,
       PRIORITY_NETWORK = 20 };

/* What it is. */
enum content { ANY, ARP, SOLICIT, ADVERT, N_CONTENTS };

static void
match_content(struct writer *w, enum content content)
{
    switch (content) {
    case ARP: writer_match_arp(w, 0); return;
    case SOLICIT: writer_match_icmp6(w, ND_SOLICIT); return;
    case ADVERT: writer_match_icmp6(w, ND_ADVERT); return;
    default: return;
    }
}

/* `from`: an isolated port's; NULL: anybody's. */
static void
network_flow(struct writer *w, const struct topology_network *network,
             uint32_t number, const struct topology_member *from,
             enum content content)
{
    writer_begin(w, STAGE_TUNNEL_IN,
                 (uint16_t) ((from ? PRIORITY_ISOLATED : PRIORITY_NETWORK)
                             + (content != ANY ? PRIORITY_QUESTION
                                                 - PRIORITY_NETWORK : 0)),
                 from ? from->port->id : network->id);
    writer_match(w, FIELD_IN_PORT, number);
    writer_match(w, FIELD_TUN_ID, network->intent->segment.key);
    if (from) {
        writer_match_eth(w, FIELD_ETH_SRC, from->port->intent->mac);
    }
    match_content(w, content);
    writer_set(w, FIELD_REG14, number);
    writer_set(w, FIELD_REG0, FROM_TUNNEL | (from ? FROM_ISOLATED : 0));
    writer_metadata(w, network->id);
    writer_goto(w, content == ANY ? STAGE_L2_LOOKUP : STAGE_ARP_ND);
    writer_end(w);
}

static void
probes(struct writer *w, const struct topology *t)
{
    for (enum segment_type type = SEGMENT_VXLAN; type < N_SEGMENT_TYPES;
         type++) {
        uint32_t number = topology_tunnel(t, type);

        if (number) {
            stage_begin_base(w, STAGE_TUNNEL_IN, PRIORITY_PROBE);
            writer_match(w, FIELD_IN_PORT, number);
            writer_match(w, FIELD_TUN_ID, SEGMENT_PROBE_KEY);
            writer_match(w, FIELD_ETH_TYPE, PATH_FRAME_TYPE);
            writer_meter(w, METER_PROBE + number);
            stage_to_service(w, SERVICE_PROBE, 0);
            writer_end(w);
        }
    }
}

void
stage_tunnel_in(struct writer *w, const struct subject *subject)
{
    const struct topology_member *from = subject->member;
    uint32_t number;

    if (subject->kind == SUBJECT_BASE) {
        probes(w, subject->topology);
        stage_begin_base(w, STAGE_TUNNEL_IN, 0);
        writer_end(w);
        return;
    }
    if (subject->kind != SUBJECT_NETWORK
        && (subject->kind != SUBJECT_AWAY
            || !from->port->intent->is_isolated)) {
        return;
    }
    number = tunnel_of(subject->topology, subject->network);
    for (enum content content = ANY; number && content < N_CONTENTS;
         content++) {
        network_flow(w, subject->network, number, from, content);
    }
}
