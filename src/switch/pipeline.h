/* The pipeline: what the data path calls.
 *
 *     upcall       a miss: translate, and remember whom to credit
 *     packet_in    a packet for the controller: into its queue
 *     credit_done  a cache entry is gone: its final counts
 *     version      is an answer still the newest?
 *
 * The epoch.  An answer depends on more than the flow tables: on the ports and
 * on the fdb too.  So its version is an epoch that the control thread raises
 * *after* any change of these became visible and *before* it drops the cached
 * answers that the change touches.  An answer made from the old state either is
 * in the cache by then and is dropped, or finds that the epoch has moved on when
 * it gets there. */
#ifndef WEFT_SWITCH_PIPELINE_H
#define WEFT_SWITCH_PIPELINE_H

#include "switch/packet_in.h"
#include "switch/translate.h"

struct pipeline {
    struct translate_env env;
    struct credits *credits;
    struct packet_in_queue *packet_ins;
    struct learning *learning;
    _Atomic uint64_t epoch;
};

/* For datapath_create(); the pipeline outlives the data path. */
struct datapath_calls pipeline_calls(struct pipeline *);

/* Control thread; see above. */
void pipeline_new_epoch(struct pipeline *);

#endif
