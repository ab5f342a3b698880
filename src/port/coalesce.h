/* Coalescing: TCP segments that follow each other become one super-frame.
 *
 * The opposite of gso.h, for who receives small frames and has consumers that
 * take large ones.  Two frames are one when a NIC could have made both of it: the
 * same headers and options, consecutive sequence numbers and IPv4
 * identifications, equal length but for the last, nothing set but ACK (PSH ends
 * it), and checksums that are right.  Frames are never reordered: only the packet
 * that came last can grow.
 *
 * What comes out obeys offload.h: gso_write() makes of it what went in. */
#ifndef WEFT_PORT_COALESCE_H
#define WEFT_PORT_COALESCE_H

#include "packet/packet.h"

/* The packet that may grow; zero: none. */
struct coalesce {
    struct packet **slot;         /* where its owner keeps it */
    bool is_ip6, is_verified;     /* are its own checksums right? */
    uint32_t l3, l4, hdr_len;
    uint32_t segment;             /* payload of each but the last */
    uint32_t next_seq;
    uint16_t next_id;
    unsigned int n;               /* segments */
};

/* The packet in `slot`, which stays its owner's, may grow from now on, if it is
 * of that kind; the one before no more. */
void coalesce_begin(struct coalesce *, struct packet **slot);
/* Appends the frame to that packet, which may move to a larger buffer.  False: it
 * does not go on there, and the frame is to be a packet of its own. */
bool coalesce_append(struct coalesce *, struct packet_pool *,
                     const uint8_t *frame, uint32_t len);
/* The packet is whole; before its owner passes it on. */
void coalesce_end(struct coalesce *);

#endif
