/* A flow: a whole key plus what the OpenFlow pipeline adds to it.
 *
 * Flow tables match it, translation carries it.  The same layout serves as a
 * mask (struct flow_mask): a bit that is 1 counts.  Everything is in network
 * byte order (registers too: xreg0 is reg0 followed by reg1, as its bytes lie),
 * except recirc_id. */
#ifndef WEFT_PACKET_FLOW_H
#define WEFT_PACKET_FLOW_H

#include "packet/flow_key.h"

enum { FLOW_N_REGS = 16 };

struct flow {
    union {
        struct {
            struct flow_key_fields key;
            /* 64 */
            be64 metadata;
            /* 65..72 */
            be32 regs[FLOW_N_REGS];
            /* 73 */
            be32 conj_id;
            be32 actset_output;     /* port of the action set's output */
            /* 74 */
            be32 skb_priority;      /* queue chosen by set_queue */
            be32 packet_type;       /* 0: Ethernet (OpenFlow 1.5) */
        };
        uint64_t w[FLOW_KEY_WORDS + 11];
    };
};

enum { FLOW_WORDS = FLOW_KEY_WORDS + 11 };
static_assert(sizeof(struct flow) == FLOW_WORDS * 8,
              "flow layout changed: revisit field.c and flow_map");

struct flow_mask {
    struct flow bits;
};

/* Which words of a flow or mask matter: bit i % 64 of map[i / 64]. */
struct flow_map {
    uint64_t map[2];
};

static inline bool
flow_map_has(const struct flow_map *map, unsigned int i)
{
    return map->map[i / 64] >> (i % 64) & 1;
}

static inline void
flow_map_add(struct flow_map *map, unsigned int i)
{
    map->map[i / 64] |= UINT64_C(1) << (i % 64);
}

/* The words of `mask` that are not zero. */
struct flow_map flow_mask_map(const struct flow_mask *);

/* All words of the key, absent ones as zero; the pipeline's part zero. */
void flow_from_key(struct flow *, const struct flow_key *);

static inline uint32_t
flow_in_port(const struct flow *flow)
{
    return be32toh(flow->key.in_port);
}

#endif
