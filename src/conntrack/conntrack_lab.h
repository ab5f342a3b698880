/* Packets for the tests of connection tracking, with right checksums. */
#ifndef WEFT_CONNTRACK_CONNTRACK_LAB_H
#define WEFT_CONNTRACK_CONNTRACK_LAB_H

#include "conntrack/conntrack.h"
#include "packet/ip.h"

enum {
    LAB_FIN = 0x01, LAB_SYN = 0x02, LAB_RST = 0x04, LAB_PSH = 0x08,
    LAB_ACK = 0x10,
};

struct lab_frame {
    bool is_ip6;
    uint8_t proto;
    uint32_t src, dst;            /* IPv4 address, or the end of an IPv6 one */
    uint16_t src_port, dst_port;  /* ICMP: identifier, and type << 8 | code */
    uint8_t flags;
    uint32_t seq, ack;
    uint16_t window;              /* 0: 65535 */
    uint8_t scale;                /* of a SYN; 0: no option */
    uint32_t tag, own_tag;        /* SCTP; own_tag: in INIT, INIT ACK */
    uint8_t chunk;                /* SCTP's first */
    uint16_t payload;             /* bytes */
    uint16_t id, frag;            /* the IPv4 header's */
    bool bad_sum;
    const struct lab_frame *about;        /* ICMP error: what it is about */
};

/* The frame with offsets set; the caller's. */
struct packet *lab_packet(struct packet_pool *, const struct lab_frame *);
/* What the packet is now: addresses and ports.  Checks its sums. */
struct lab_frame lab_read(const struct packet *);
/* The same of the packet inside of an ICMP error. */
struct lab_frame lab_read_inner(const struct packet *);
/* The other way: addresses, ports. */
struct lab_frame lab_reverse(const struct lab_frame *);

#endif
