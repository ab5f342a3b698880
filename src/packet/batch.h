/* Up to BATCH_MAX packets that move together.  Whoever is given a batch
 * accounts for every packet in it: kept, passed on, or dropped for a named
 * reason. */
#ifndef WEFT_PACKET_BATCH_H
#define WEFT_PACKET_BATCH_H

#include "packet/packet.h"

enum { BATCH_MAX = 32 };

struct batch {
    unsigned int n;
    struct packet *pkts[BATCH_MAX];
};

static inline bool
batch_is_full(const struct batch *batch)
{
    return batch->n == BATCH_MAX;
}

static inline void
batch_add(struct batch *batch, struct packet *pkt)
{
    assert(batch->n < BATCH_MAX);
    batch->pkts[batch->n++] = pkt;
}

/* Frees all packets: what close and clean-up do; a drop has a reason. */
static inline void
batch_free_all(struct batch *batch)
{
    for (unsigned int i = 0; i < batch->n; i++) {
        packet_free(batch->pkts[i]);
    }
    batch->n = 0;
}

#endif
