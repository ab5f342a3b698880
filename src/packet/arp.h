/* ARP frames of our own making. */
#ifndef WEFT_PACKET_ARP_H
#define WEFT_PACKET_ARP_H

#include "packet/eth.h"

/* "This station is here", for switches and neighbours to learn: a request about
 * its own address (RFC 5227 3), or with none, a reverse one (RFC 903) about its
 * MAC. */
void arp_encode_announcement(struct eth_addr, be32 address,
                             uint8_t frame[ETH_MIN_LEN]);

#endif
