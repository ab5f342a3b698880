/* UDP in whole frames: what services are asked, and what they answer.
 *
 * Untagged Ethernet, IPv4 or IPv6 without fragments; a checksum that is given
 * must be right.  IPv4 addresses are handled as mapped ones. */
#ifndef WEFT_CONTROLLER_UDP_FRAME_H
#define WEFT_CONTROLLER_UDP_FRAME_H

#include "lib/types.h"

enum { UDP_FRAME_MAX = 14 + 40 + 8 + 4096 };

struct udp_frame {
    struct eth_addr eth_src, eth_dst;
    bool is_ip6;
    struct ip6_addr src, dst;     /* ::ffff:a.b.c.d for IPv4 */
    uint16_t src_port, dst_port;
    const uint8_t *data;          /* borrowed */
    size_t len;
};

/* False: it is no such thing. */
bool udp_frame_decode(const void *frame, size_t len, struct udp_frame *);
/* Writes it to `out`; how many bytes, 0: it does not fit. */
size_t udp_frame_encode(const struct udp_frame *, uint8_t out[UDP_FRAME_MAX]);

struct ip6_addr udp_ip4_mapped(be32);

#endif
