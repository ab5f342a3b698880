/* Meters: rates that packets may not exceed (OpenFlow 1.3.5 section 5.7).
 *
 * A band is a token bucket kept as a theoretical arrival time (GCRA, ITU-T I.371):
 * one atomic word, so that workers share meters without a lock.  Of the bands
 * whose rate is exceeded the one with the highest rate acts. */
#ifndef WEFT_DATAPATH_METER_H
#define WEFT_DATAPATH_METER_H

#include <stdatomic.h>

#include "datapath/datapath.h"

struct dp_meter {
    struct dp_meter_config config;
    _Atomic nsec tat[8];                /* theoretical arrival time */
    _Atomic uint64_t packets, bytes;
    _Atomic uint64_t band_packets[8], band_bytes[8];
};

struct dp_meter *dp_meter_create(const struct dp_meter_config *);

/* Passes a packet.  False: drop it.  A remarking band edits the packet. */
bool dp_meter_pass(struct dp_meter *, struct packet *, nsec now);

#endif
