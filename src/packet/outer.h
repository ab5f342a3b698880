/* The headers around a tunnel's: Ethernet, IP, and UDP where a tunnel uses it.
 *
 *     Ethernet (IEEE 802.3) | IPv4 (RFC 791) or IPv6 (RFC 8200)
 *         | UDP (RFC 768), or GRE's protocol number 47 | the tunnel's header
 *
 * For tunnels that write and read whole frames, past the kernel
 * (port/underlay.h).  What is read is what travels nearly always; whatever is odd
 * (fragments, IP options, tags, wrong checksums) is none, and stays for who knows
 * more.
 *
 * Pure. */
#ifndef WEFT_PACKET_OUTER_H
#define WEFT_PACKET_OUTER_H

#include "packet/packet.h"

enum { OUTER_MAX_LEN = 14 + 40 + 8 };

struct outer {
    struct eth_addr eth_dst, eth_src;
    struct ip6_addr src, dst;     /* both of one family, IPv4 as mapped */
    uint8_t proto;                /* IP_PROTO_UDP or IP_PROTO_GRE */
    uint8_t tos, ttl;
    bool df;                      /* IPv6: always so */
    bool has_csum;                /* UDP's */
    uint16_t id;                  /* IPv4's identification, of the first one */
    uint16_t src_port, dst_port;  /* UDP's */
    uint32_t label;               /* IPv6's flow label */

    /* What is behind: */
    uint32_t ofs, len;            /* in the packet */
    uint32_t segment;             /* bytes of each datagram but the last, if they
                                     are many; 0: one */
};

/* How long they are. */
uint32_t outer_len(const struct outer *);

/* Writes them in front of the packet, for which it has headroom.  A checksum of
 * UDP is owed afterwards; with `segment` the packet is a super-frame of UDP.
 * Only `ofs` and `len` are not looked at. */
void outer_push(const struct outer *, struct packet *);

/* False: none, or not of this kind.  Checksums are not looked at. */
bool outer_parse(const struct packet *, struct outer *);
/* Are IP's and UDP's checksums right, owed, or known to be right? */
bool outer_is_intact(const struct packet *, const struct outer *);

#endif
