/* Is what a device promises about a frame's offload true of its bytes?
 *
 * A guest writes the virtio-net header of its frames itself.  Unchecked, a
 * checksum "still owed" is a way to change two bytes of the frame after it was
 * classified (csum_start in the IP header), and a GSO size of 1 a way to make
 * 64,000 frames from one. */
#ifndef WEFT_PACKET_OFFLOAD_H
#define WEFT_PACKET_OFFLOAD_H

#include "packet/packet.h"

/* Checks pkt->offload against the frame and brings it into one form: hdr_len is
 * counted from the frame (senders give a hint at best), a GSO frame of one
 * segment becomes a plain one, and what has no meaning is zero.
 *
 * After true:
 *   - with OFFLOAD_NEEDS_CSUM, csum_start is the TCP or UDP header of an
 *     unfragmented datagram and csum_offset its checksum, or both lie in the
 *     payload of a tunnel packet; never in anything that is classified;
 *   - with gso_size, OFFLOAD_NEEDS_CSUM is set, gso_type fits the headers,
 *     hdr_len < len, and there are at most OFFLOAD_MAX_SEGMENTS.
 *
 * False: nonsense, to be dropped; the offload state is unspecified. */
bool offload_validate(struct packet *);

enum {
    OFFLOAD_MAX_SEGMENTS = 2048,    /* 64 KB at the least MSS that TCPs use */
};

#endif
