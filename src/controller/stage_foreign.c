/* Foreign: which end of a tunnel is a station behind that is no host's?
 *
 * Nobody planned it, so the switch learns from what it sends: at ingress, only
 * from ends that are not ours, for as long as it is heard of, and so many for a
 * network.  Planned stations were looked up before.  Who is not known is flooded
 * for. */
#include "controller/stage_tunnel.h"
#include "packet/address.h"

enum { PRIORITY_LEARNED = 100, PRIORITY_UNKNOWN = 10, LEARNED_IDLE = 300,
       LEARNED_MAX = 1024 };

void
tunnel_learn(struct writer *w, uint32_t number,
             const struct topology_network *network, bool is_ip6)
{
    const struct writer_learn learn = {
        .table = STAGE_FOREIGN, .priority = PRIORITY_LEARNED,
        .idle_timeout = LEARNED_IDLE, .limit = LEARNED_MAX,
        .cookie = network->id,
    };
    const struct learn_spec specs[] = {
        writer_learn_constant(LEARN_MATCH, FIELD_METADATA, network->id),
        writer_learn_match(FIELD_ETH_SRC, FIELD_ETH_DST),
        writer_learn_constant(LEARN_LOAD, FIELD_TUN_ID,
                              network->intent->segment.key),
        is_ip6 ? writer_learn_load(FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST)
               : writer_learn_load(FIELD_TUN_SRC, FIELD_TUN_DST),
        writer_learn_output(FIELD_REG15),
    };

    writer_set(w, FIELD_REG15, number);
    writer_learn(w, &learn, specs, ARRAY_SIZE(specs));
}

void
stage_foreign(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_FOREIGN, 0);
        writer_end(w);
    } else if (subject->kind == SUBJECT_NETWORK
               && topology_is_foreign(subject->network)) {
        stage_begin_network(w, STAGE_FOREIGN, PRIORITY_UNKNOWN,
                            subject->network);
        stage_flood_to(w, FLOOD_UNKNOWN);
        writer_end(w);
    }
}
