/* IPv4 (RFC 791), IPv6 (RFC 8200) and the transports' headers on the wire. */
#ifndef WEFT_PACKET_IP_H
#define WEFT_PACKET_IP_H

#include "lib/types.h"

enum {
    IP_PROTO_HOPOPTS = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_DCCP = 33,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_GRE = 47,
    IP_PROTO_ESP = 50,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_NONE = 59,
    IP_PROTO_DSTOPTS = 60,
    IP_PROTO_SCTP = 132,
    IP_PROTO_UDPLITE = 136,

    IP4_FRAG_DONT = 0x4000,
    IP4_FRAG_MORE = 0x2000,
    IP4_FRAG_OFS = 0x1fff,
    IP6_FRAG_OFS = 0xfff8,
    IP6_FRAG_MORE = 1,

    TCP_HEADER_LEN = 20,
    TCP_CSUM_OFS = 16,
    UDP_HEADER_LEN = 8,
    UDP_CSUM_OFS = 6,
    DCCP_CSUM_OFS = 6,
    SCTP_HEADER_LEN = 12,
    SCTP_CSUM_OFS = 8,
    ICMP_HEADER_LEN = 8,
    ICMP_CSUM_OFS = 2,

    ND_SOLICIT = 135,
    ND_ADVERT = 136,
    ND_OPTION_SLL = 1,
    ND_OPTION_TLL = 2,
};

struct ip4_header {
    uint8_t ver_ihl;
    uint8_t tos;
    be16 total_len;
    be16 id;
    be16 frag;
    uint8_t ttl;
    uint8_t proto;
    be16 csum;
    uint8_t src[4];
    uint8_t dst[4];
} __attribute__((packed));
static_assert(sizeof(struct ip4_header) == 20, "RFC 791");

struct ip6_header {
    be32 ver_tc_label;
    be16 payload_len;
    uint8_t next;
    uint8_t hop_limit;
    uint8_t src[16];
    uint8_t dst[16];
} __attribute__((packed));
static_assert(sizeof(struct ip6_header) == 40, "RFC 8200");

static inline unsigned int
ip4_header_len(const struct ip4_header *ip)
{
    return (ip->ver_ihl & 0xf) * 4u;
}

/* Do version and lengths agree with each other and with the `left` bytes that
 * there are?  Nothing else of a header that is not sound may be trusted. */
static inline bool
ip4_is_sound(const struct ip4_header *ip, size_t left)
{
    uint16_t total_len;

    if (left < sizeof *ip) {
        return false;
    }
    total_len = be16toh(ip->total_len);
    return ip->ver_ihl >> 4 == 4 && ip4_header_len(ip) >= sizeof *ip
           && total_len >= ip4_header_len(ip) && total_len <= left;
}

static inline bool
ip6_is_sound(const struct ip6_header *ip, size_t left)
{
    return left >= sizeof *ip && be32toh(ip->ver_tc_label) >> 28 == 6
           && be16toh(ip->payload_len) <= left - sizeof *ip;
}

/* Not the mobility header (135): what it carries is its own (RFC 6275). */
static inline bool
ip6_is_extension(uint8_t next)
{
    return next == IP_PROTO_HOPOPTS || next == IP_PROTO_ROUTING
           || next == IP_PROTO_FRAGMENT || next == IP_PROTO_AH
           || next == IP_PROTO_DSTOPTS;
}

/* The end of a chain: nothing can be read behind it. */
static inline bool
ip6_is_last_extension(uint8_t next)
{
    return next == IP_PROTO_ESP || next == IP_PROTO_NONE;
}

#endif
