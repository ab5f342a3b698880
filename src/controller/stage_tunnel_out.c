/* Tunnel-out: a copy for every other host whom it concerns.
 *
 * By head-end replication: to those that have ports in the network, or to its
 * group of the underlay.  Flood comes by here, by resubmit. */
#include "controller/stage_tunnel.h"
#include "packet/address.h"

enum { PRIORITY_LIST = 100 };

static bool
hears(const struct network_host *host, enum flood_kind kind)
{
    return kind == FLOOD_ALL || host->is_gateway || host->n_unknown
           || (kind == FLOOD_ASK && host->n_asked);
}

static void
list(struct writer *w, const struct topology_network *network,
     uint32_t number, enum flood_kind kind)
{
    const struct segment *segment = &network->intent->segment;
    bool has_group = ip6_addr_is_set(segment->group);

    stage_begin_network(w, STAGE_TUNNEL_OUT, PRIORITY_LIST, network);
    writer_match(w, FIELD_REG13, kind);
    stage_match_flag(w, FROM_TUNNEL, false);
    for (unsigned int i = 0; !has_group && i < network->n_hosts; i++) {
        if (hears(&network->hosts[i], kind)) {
            tunnel_copy_to(w, number, network,
                           &network->hosts[i].host->intent->tunnel);
        }
    }
    for (unsigned int i = 0; i < segment->n_remotes; i++) {
        tunnel_copy_to(w, number, network, &segment->remotes[i]);
    }
    if (has_group) {
        tunnel_copy_to(w, number, network, &segment->group);
    }
    writer_end(w);
}

void
stage_tunnel_out(struct writer *w, const struct subject *subject)
{
    uint32_t number;

    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_TUNNEL_OUT, 0);
        writer_end(w);
        return;
    }
    number = subject->kind == SUBJECT_NETWORK
             ? tunnel_of(subject->topology, subject->network) : 0;
    for (enum flood_kind kind = FLOOD_ALL; number && kind <= FLOOD_UNKNOWN;
         kind++) {
        list(w, subject->network, number, kind);
    }
}
