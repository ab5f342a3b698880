/* UDP over IPv4 in an Ethernet frame, whole: for what we answer ourselves.
 *
 * The data path does not come here: it changes packets where they lie. */
#ifndef WEFT_PACKET_UDP4_H
#define WEFT_PACKET_UDP4_H

#include "lib/types.h"

enum { UDP4_HEADERS_LEN = 14 + 20 + 8 };

struct udp4 {
    struct eth_addr eth_src, eth_dst;
    be32 ip_src, ip_dst;
    uint16_t src_port, dst_port;
    const uint8_t *payload;       /* within the frame */
    size_t payload_len;
};

/* Reads an untagged frame.  -EPROTO: something else, or a fragment; -EBADMSG:
 * lengths that contradict each other; -EILSEQ: a wrong checksum (a UDP checksum
 * of 0 says that there is none). */
int udp4_decode(const void *frame, size_t len, struct udp4 *);

/* Writes the headers in front of `payload_len` bytes that are already in place
 * at frame + UDP4_HEADERS_LEN, with both checksums; returns the frame's length.
 * `payload` is not read. */
size_t udp4_encode(uint8_t *frame, const struct udp4 *);

#endif
