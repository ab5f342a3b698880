/* Impairments: what a bad line does to packets.
 *
 * Packets go in by impairment_put() and come out by impairment_take() when they
 * are due: lost, late, out of order, twice, or with a bit turned.  Time is a
 * parameter and chance a seed: the same calls give the same result.
 *
 * One thread. */
#ifndef WEFT_PORT_IMPAIRMENT_H
#define WEFT_PORT_IMPAIRMENT_H

#include "packet/batch.h"

/* Chances are shares of IMPAIRMENT_ALWAYS. */
#define IMPAIRMENT_ALWAYS (UINT64_C(1) << 32)

struct impairment_config {
    uint64_t loss, duplicate, corrupt;
    uint64_t reorder;             /* chance to overtake: no delay for this one */
    usec delay, jitter;           /* each packet waits delay +- jitter, and may
                                     thereby pass others */
    uint32_t limit;               /* packets that wait; more are lost */
    uint64_t seed;
};

#define IMPAIRMENT_COUNTERS(X)                                               \
    X(lost) X(over_limit) X(duplicated) X(corrupted) X(reordered)

/* Written by the one thread, read by any. */
struct impairment_counters {
#define X(NAME) _Atomic uint64_t NAME;
    IMPAIRMENT_COUNTERS(X)
#undef X
};

struct impairment;

struct impairment *impairment_create(const struct impairment_config *);
/* Frees the packets that wait. */
void impairment_destroy(struct impairment *);

/* Takes the packet.  A duplicate is made in `pool`. */
void impairment_put(struct impairment *, struct packet *,
                    struct packet_pool *, usec now);
/* Appends those that are due to the batch, oldest first; returns how many. */
unsigned int impairment_take(struct impairment *, struct batch *, usec now);
/* When the next one is due; INT64_MAX: none waits. */
usec impairment_next(const struct impairment *);

const struct impairment_counters *
impairment_read_counters(const struct impairment *);

#endif
