/* What is counted of OpenFlow sessions, of each and of all. */
#ifndef WEFT_SWITCH_CONTROL_COUNTERS_H
#define WEFT_SWITCH_CONTROL_COUNTERS_H

#include "lib/types.h"

/* X(NAME, text) */
#define CONTROL_COUNTERS(X)                                                  \
    X(requests, "requests of controllers and tools")                         \
    X(errors, "requests answered with an error")                             \
    X(packet_ins, "packets sent to controllers and tools")                   \
    X(packet_ins_dropped, "packets not sent: the peer did not read")

struct control_counters {
#define X(NAME, TEXT) uint64_t NAME;
    CONTROL_COUNTERS(X)
#undef X
};

#endif
