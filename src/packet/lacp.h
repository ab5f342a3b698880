/* Slow protocols' frames (IEEE 802.3 annex 57A) that links which act as one
 * need: LACPDUs and markers (IEEE 802.1AX clauses 6.4.2, 6.5.3). */
#ifndef WEFT_PACKET_LACP_H
#define WEFT_PACKET_LACP_H

#include "lib/types.h"

enum { LACP_FRAME_LEN = 124 };    /* of either kind, without FCS */

/* Where all of them are sent; no bridge passes it on. */
extern const struct eth_addr lacp_group_address;

/* What one end says of itself, or of the other. */
enum lacp_state {
    LACP_ACTIVE = 0x01,           /* it speaks first */
    LACP_SHORT = 0x02,            /* it wants to hear every second, not every
                                     thirty */
    LACP_AGGREGATES = 0x04,       /* this link may be one of several */
    LACP_SYNC = 0x08,             /* it is in the right aggregate */
    LACP_COLLECTS = 0x10,         /* frames from this link are taken */
    LACP_DISTRIBUTES = 0x20,      /* frames are sent by this link */
    LACP_DEFAULTED = 0x40,        /* it never heard of the other */
    LACP_EXPIRED = 0x80,          /* it has not heard of it for too long */
};

struct lacp_info {
    uint16_t system_priority;
    struct eth_addr system;
    uint16_t key;                 /* links with one key may act as one */
    uint16_t port_priority;
    uint16_t port;
    uint8_t state;                /* enum lacp_state */
};

struct lacp_pdu {
    struct lacp_info actor, partner;        /* from the sender's view */
};

enum slow_frame { SLOW_FOREIGN, SLOW_LACP, SLOW_MARKER };

/* What kind of frame it is; SLOW_FOREIGN: neither, or not whole.  Fills `pdu`
 * of an LACPDU. */
enum slow_frame lacp_decode(const void *frame, size_t len, struct lacp_pdu *);

void lacp_encode(const struct lacp_pdu *, struct eth_addr src,
                 uint8_t frame[LACP_FRAME_LEN]);
/* The answer to a marker: the same, from `src`. */
void lacp_answer_marker(const void *marker, struct eth_addr src,
                        uint8_t frame[LACP_FRAME_LEN]);

#endif
