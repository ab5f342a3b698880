/* Congestion marks across tunnels (RFC 6040).
 *
 * A packet's two bits are copied into the outer header; on the way out of the
 * tunnel what routers wrote there is brought back.  A mark on a packet whose
 * sender does not know marks is a loss. */
#ifndef WEFT_PACKET_ECN_H
#define WEFT_PACKET_ECN_H

#include "packet/packet.h"

enum { ECN_NOT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* The TOS or traffic class of the IP header behind any number of tags; 0: there
 * is none. */
uint8_t packet_ip_tos(const struct packet *);
/* Section 4.2: what the packet's bits become that came behind an outer header of
 * that TOS.  False: it is to be dropped. */
bool packet_ecn_decapsulate(struct packet *, uint8_t outer_tos);

#endif
