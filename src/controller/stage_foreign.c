/* Foreign: which end of a tunnel is a station behind that is no host's?
 *
 * Nobody planned it, so the switch learns from what it sends: at ingress, only
 * from ends that are not ours, for as long as it is heard of, and so many for a
 * network.  Planned stations were looked up before.  Who is not known is flooded
 * for.
 *
 * Nobody takes back what was learned, and who sends there keeps it alive.  So it
 * holds for the segment only as it was (reg15): one with another key or other
 * ends never comes to what was learned before. */
#include "controller/stage_tunnel.h"
#include "lib/hash.h"
#include "packet/address.h"

enum { PRIORITY_LEARNED = 100, PRIORITY_UNKNOWN = 10, LEARNED_IDLE = 300,
       LEARNED_MAX = 1024 };

/* Of everything that what is learned depends on; the same after a restart. */
static uint32_t
stamp_of(const struct topology_network *network, uint32_t number)
{
    const struct segment *segment = &network->intent->segment;
    struct hash_key key = { 0 };
    uint64_t h = hash_bytes(key, &segment->group, sizeof segment->group);

    for (unsigned int i = 0; i < segment->n_remotes; i++) {
        h = hash_step(key, h, hash_bytes(key, &segment->remotes[i],
                                         sizeof segment->remotes[i]));
    }
    return (uint32_t) hash_step(key, h, (uint64_t) segment->key << 32 | number);
}

void
tunnel_to_learned(struct writer *w, uint32_t number,
                  const struct topology_network *network)
{
    writer_set(w, FIELD_REG15, stamp_of(network, number));
    writer_goto(w, STAGE_FOREIGN);
}

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
        writer_learn_constant(LEARN_MATCH, FIELD_REG15,
                              stamp_of(network, number)),
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
