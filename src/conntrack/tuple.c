#include "conntrack/tuple.h"

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/eth.h"
#include "packet/ip6_ext.h"

/* RFC 792, RFC 4443. */
enum {
    ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_QUENCH = 4,
    ICMP_REDIRECT = 5, ICMP_ECHO = 8, ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12, ICMP_TIMESTAMP = 13, ICMP_TIMESTAMP_REPLY = 14,
    ICMP_INFO = 15, ICMP_INFO_REPLY = 16,

    ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER = 4, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129,
};

/* ---- ICMP ---- */

enum { NO_ANSWER = 0xff };

/* The type that answers a query, and the other way; NO_ANSWER: it is neither. */
static uint8_t
icmp_counterpart(uint8_t proto, uint8_t type)
{
    if (proto == IP_PROTO_ICMPV6) {
        return type == ICMP6_ECHO ? ICMP6_ECHO_REPLY
               : type == ICMP6_ECHO_REPLY ? ICMP6_ECHO : NO_ANSWER;
    }
    switch (type) {
    case ICMP_ECHO_REPLY: return ICMP_ECHO;
    case ICMP_ECHO: return ICMP_ECHO_REPLY;
    case ICMP_TIMESTAMP: case ICMP_INFO:
        return type + 1;
    case ICMP_TIMESTAMP_REPLY: case ICMP_INFO_REPLY:
        return type - 1;
    default: return NO_ANSWER;
    }
}

static bool
icmp_is_error(uint8_t proto, uint8_t type)
{
    if (proto == IP_PROTO_ICMPV6) {
        return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
    }
    return type == ICMP_UNREACHABLE || type == ICMP_QUENCH
           || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED
           || type == ICMP_PARAMETER;
}

bool
ct_icmp_is_query(uint8_t proto, uint8_t type)
{
    return proto == IP_PROTO_ICMPV6
           ? type == ICMP6_ECHO
           : type == ICMP_ECHO || type == ICMP_TIMESTAMP || type == ICMP_INFO;
}

struct ct_tuple
ct_tuple_reverse(const struct ct_tuple *t)
{
    struct ct_tuple reverse = *t;

    reverse.src = t->dst;
    reverse.dst = t->src;
    if (ct_proto_is_icmp(t->proto)) {
        uint16_t type_code = be16toh(t->dst_port);

        reverse.dst_port = htobe16((uint16_t)
            (icmp_counterpart(t->proto, (uint8_t) (type_code >> 8)) << 8
             | (type_code & 0xff)));
    } else {
        reverse.src_port = t->dst_port;
        reverse.dst_port = t->src_port;
    }
    return reverse;
}

/* ---- Checksums ---- */

static bool
is_checked(const struct packet *pkt)
{
    return pkt->offload.flags & (OFFLOAD_NEEDS_CSUM | OFFLOAD_DATA_VALID);
}

static uint32_t
pseudo_sum(const struct ct_tuple *t, uint8_t proto, uint32_t len)
{
    return t->family == 4
           ? checksum_pseudo4(get_be32(t->src.b), get_be32(t->dst.b), proto,
                              (uint16_t) len)
           : checksum_pseudo6(t->src.b, t->dst.b, proto, len);
}

static bool
sum_is_right(const struct packet *pkt, const struct ct_packet *p,
             bool has_pseudo)
{
    uint32_t sum;

    if (is_checked(pkt) || p->fragment.is_one) {
        return true;
    }
    sum = has_pseudo ? pseudo_sum(&p->tuple, p->tuple.proto, p->l4_len) : 0;
    return !checksum_fold(checksum_add(checksum_reduce(sum), p->l4,
                                       p->l4_len));
}

/* ---- Transports ---- */

static bool
parse_tcp(const struct packet *pkt, struct ct_packet *p)
{
    unsigned int header_len;

    if (p->l4_len < TCP_HEADER_LEN) {
        return false;
    }
    header_len = (p->l4[12] >> 4) * 4u;
    return header_len >= TCP_HEADER_LEN && header_len <= p->l4_len
           && sum_is_right(pkt, p, true);
}

static bool
parse_udp(const struct packet *pkt, struct ct_packet *p)
{
    uint16_t len;

    if (p->l4_len < UDP_HEADER_LEN) {
        return false;
    }
    /* Of a super-frame it may say anything; less than there is, is as wrong as
     * it is common. */
    len = be16toh(get_be16(p->l4 + 4));
    if ((len < UDP_HEADER_LEN || len > p->l4_len) && !pkt->offload.gso_size
        && !p->fragment.is_one) {
        return false;
    }
    if (!get_be16(p->l4 + UDP_CSUM_OFS) && p->tuple.family == 4) {
        return true;              /* the sender made none */
    }
    return sum_is_right(pkt, p, true);
}

static bool
parse_sctp(const struct packet *pkt, struct ct_packet *p)
{
    if (p->l4_len < SCTP_HEADER_LEN + 4) {
        return false;
    }
    return is_checked(pkt) || p->fragment.is_one
           || crc32c_sctp(p->l4, p->l4_len)
              == get_be32(p->l4 + SCTP_CSUM_OFS);
}

/* Fills in the ports of the packet whose transport header has at least eight
 * bytes at `l4`; of the inner packet of an error no more is needed. */
static bool
read_ports(struct ct_tuple *t, const uint8_t *l4, uint32_t len)
{
    switch (t->proto) {
    case IP_PROTO_TCP: case IP_PROTO_UDP: case IP_PROTO_SCTP:
        if (len < 8) {
            return false;
        }
        t->src_port = get_be16(l4);
        t->dst_port = get_be16(l4 + 2);
        return true;
    case IP_PROTO_ICMP: case IP_PROTO_ICMPV6:
        if (len < ICMP_HEADER_LEN
            || icmp_counterpart(t->proto, l4[0]) == NO_ANSWER || l4[1]) {
            return false;
        }
        t->src_port = get_be16(l4 + 4);
        t->dst_port = get_be16(l4);
        return true;
    default:
        return true;              /* by addresses alone */
    }
}

/* ---- The packet inside of an error ---- */

static bool
read_inner4(struct ct_tuple *t, const uint8_t *p, uint32_t len)
{
    const struct ip4_header *ip = (const void *) p;
    uint32_t header_len;

    if (len < sizeof *ip || ip->ver_ihl >> 4 != 4) {
        return false;
    }
    header_len = ip4_header_len(ip);
    if (header_len < sizeof *ip || header_len > len
        || ip->frag & htobe16(IP4_FRAG_OFS)) {
        return false;
    }
    memcpy(t->src.b, ip->src, 4);
    memcpy(t->dst.b, ip->dst, 4);
    t->proto = ip->proto;
    return t->proto != IP_PROTO_ICMPV6
           && read_ports(t, p + header_len, len - header_len);
}

static bool
read_inner6(struct ct_tuple *t, const uint8_t *p, uint32_t len)
{
    const struct ip6_header *ip = (const void *) p;
    struct ip6_chain chain = { 0 };
    struct cursor c;
    int proto;

    if (len < sizeof *ip || be32toh(ip->ver_tc_label) >> 28 != 6) {
        return false;
    }
    memcpy(t->src.b, ip->src, 16);
    memcpy(t->dst.b, ip->dst, 16);
    c = cursor_init(p + sizeof *ip, len - sizeof *ip);
    proto = ip->next;
    if (ip6_is_extension(ip->next) || ip6_is_last_extension(ip->next)) {
        proto = ip6_skip_extensions(&c, ip->next, &chain);
    }
    if (proto < 0 || proto == IP_PROTO_ICMP
        || chain.frag & FLOW_FRAG_LATER) {
        return false;
    }
    t->proto = (uint8_t) proto;
    return read_ports(t, c.p, (uint32_t) cursor_left(&c));
}

/* The error goes to who sent the packet that it is about. */
static bool
parse_error(struct ct_packet *p)
{
    struct ct_tuple about = { .zone = p->tuple.zone,
                              .family = p->tuple.family };
    uint8_t *inner = p->l4 + ICMP_HEADER_LEN;
    uint32_t len = p->l4_len - ICMP_HEADER_LEN;
    size_t addr_len = p->tuple.family == 4 ? 4 : 16;

    if (!(p->tuple.family == 4 ? read_inner4(&about, inner, len)
                               : read_inner6(&about, inner, len))
        || memcmp(about.src.b, p->tuple.dst.b, addr_len)) {
        return false;
    }
    p->tuple = ct_tuple_reverse(&about);
    p->is_related = true;
    p->inner = inner;
    p->inner_len = len;
    return true;
}

static bool
parse_icmp(const struct packet *pkt, struct ct_packet *p)
{
    if (p->l4_len < ICMP_HEADER_LEN
        || (p->tuple.family == 6) != (p->tuple.proto == IP_PROTO_ICMPV6)
        || !sum_is_right(pkt, p, p->tuple.family == 6)) {
        return false;
    }
    return icmp_is_error(p->tuple.proto, p->l4[0])
           ? parse_error(p) : read_ports(&p->tuple, p->l4, p->l4_len);
}

static bool
parse_l4(const struct packet *pkt, struct ct_packet *p)
{
    switch (p->tuple.proto) {
    case IP_PROTO_TCP:
        if (!parse_tcp(pkt, p)) {
            return false;
        }
        break;
    case IP_PROTO_UDP:
        if (!parse_udp(pkt, p)) {
            return false;
        }
        break;
    case IP_PROTO_SCTP:
        if (!parse_sctp(pkt, p)) {
            return false;
        }
        break;
    case IP_PROTO_ICMP: case IP_PROTO_ICMPV6:
        return parse_icmp(pkt, p);
    case IP_PROTO_IGMP:
        return false;
    default:
        break;
    }
    return read_ports(&p->tuple, p->l4, p->l4_len);
}

/* ---- The packet ---- */

static bool
parse_ip4(const struct packet *pkt, struct ct_packet *p)
{
    const struct ip4_header *ip = (const void *) (pkt->data + pkt->l3_ofs);

    if (!ip4_is_sound(ip, pkt->len - pkt->l3_ofs)
        || checksum_fold(checksum_add(0, ip, ip4_header_len(ip)))) {
        return false;
    }
    p->tuple.family = 4;
    p->tuple.proto = ip->proto;
    memcpy(p->tuple.src.b, ip->src, 4);
    memcpy(p->tuple.dst.b, ip->dst, 4);
    if (ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        p->fragment.is_one = true;
        p->fragment.is_more = ip->frag & htobe16(IP4_FRAG_MORE);
        p->fragment.id = be16toh(ip->id);
        p->fragment.ofs = (be16toh(ip->frag) & IP4_FRAG_OFS) * 8u;
        p->fragment.len = be16toh(ip->total_len) - ip4_header_len(ip);
    }
    return true;
}

/* Finds the fragment header; what is behind it is the datagram's. */
static bool
read_fragment6(const struct ip6_header *ip, struct ct_packet *p)
{
    struct cursor c = cursor_init(ip + 1, be16toh(ip->payload_len));
    uint8_t next = ip->next;

    while (next != IP_PROTO_FRAGMENT) {
        uint8_t type = next, len;

        if (!ip6_is_extension(type)) {
            return false;
        }
        next = cursor_u8(&c);
        len = cursor_u8(&c);
        cursor_skip(&c, type == IP_PROTO_AH ? (len + 2u) * 4 - 2
                                            : (len + 1u) * 8 - 2);
        if (cursor_overrun(&c)) {
            return false;
        }
    }
    cursor_skip(&c, 2);
    p->fragment.ofs = cursor_u16(&c);
    p->fragment.is_more = p->fragment.ofs & IP6_FRAG_MORE;
    p->fragment.ofs &= IP6_FRAG_OFS;
    /* A whole datagram may have the header, too (RFC 6946). */
    p->fragment.is_one = p->fragment.ofs || p->fragment.is_more;
    p->fragment.id = cursor_u32(&c);
    p->fragment.len = (uint32_t) cursor_left(&c);
    return !cursor_overrun(&c);
}

static bool
parse_ip6(const struct packet *pkt, struct ct_packet *p)
{
    const struct ip6_header *ip = (const void *) (pkt->data + pkt->l3_ofs);
    struct ip6_chain chain = { 0 };
    struct cursor c;
    int proto;

    if (!ip6_is_sound(ip, pkt->len - pkt->l3_ofs)) {
        return false;
    }
    p->tuple.family = 6;
    memcpy(p->tuple.src.b, ip->src, 16);
    memcpy(p->tuple.dst.b, ip->dst, 16);
    proto = ip->next;
    if (ip6_is_extension(ip->next) || ip6_is_last_extension(ip->next)) {
        c = cursor_init(ip + 1, pkt->len - pkt->l3_ofs - sizeof *ip);
        proto = ip6_skip_extensions(&c, ip->next, &chain);
    }
    p->tuple.proto = (uint8_t) proto;
    if (chain.frag & FLOW_FRAG_ANY && !read_fragment6(ip, p)) {
        return false;
    }
    return proto >= 0 && !chain.is_routed;
}

bool
ct_packet_parse(const struct packet *pkt, uint16_t zone, struct ct_packet *p)
{
    uint16_t type;

    memset(p, 0, sizeof *p);
    p->tuple.zone = zone;
    if (pkt->l3_ofs == PACKET_NO_OFS || pkt->l2_5_ofs != PACKET_NO_OFS) {
        return false;
    }
    type = be16toh(get_be16(pkt->data + pkt->l3_ofs - 2));
    if (!(type == ETH_TYPE_IP ? parse_ip4(pkt, p)
          : type == ETH_TYPE_IPV6 && parse_ip6(pkt, p))) {
        return false;
    }
    if (ct_packet_is_later(p)) {
        return true;
    }
    if (pkt->l4_ofs == PACKET_NO_OFS) {
        return false;
    }
    p->l4 = pkt->data + pkt->l4_ofs;
    p->l4_len = pkt->len - pkt->pad_len - pkt->l4_ofs;
    return parse_l4(pkt, p);
}
