/* 1.5's list of statistics (OXS): fields with headers, as a match has them. */
#ifndef WEFT_OPENFLOW_WIRE_OXS_H
#define WEFT_OPENFLOW_WIRE_OXS_H

#include "openflow/wire.h"

/* Bit per field's number on the wire. */
enum { OXS_DURATION = 1 << 0, OXS_IDLE_TIME = 1 << 1, OXS_FLOWS = 1 << 3,
       OXS_PACKETS = 1 << 4, OXS_BYTES = 1 << 5 };

struct oxs {
    unsigned int present;
    uint32_t duration_sec, duration_nsec, idle_sec, flows;
    uint64_t packets, bytes;
};

void oxs_encode(struct buf *, const struct oxs *);
/* Fields that are not known are stepped over. */
enum of_error oxs_decode(struct cursor *, struct oxs *);

#endif
