/* The largest segment that TCPs agree on (RFC 9293, 3.7.1), held down to what
 * fits.  A net under path MTU discovery, which somebody on the way may break. */
#ifndef WEFT_PACKET_MSS_H
#define WEFT_PACKET_MSS_H

#include "packet/packet.h"

/* A SYN's MSS is not larger afterwards than what IP packets of `mtu` bytes carry;
 * one that says nothing is left alone (it means 536 or 1220). */
void packet_clamp_mss(struct packet *, uint32_t mtu);

#endif
