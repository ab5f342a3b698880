#include "packet/outer.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

static bool
is_ip6(const struct outer *outer)
{
    return !ip6_is_mapped4(&outer->dst);
}

static uint32_t
ip_len(const struct outer *outer)
{
    return is_ip6(outer) ? sizeof(struct ip6_header)
                         : sizeof(struct ip4_header);
}

uint32_t
outer_len(const struct outer *outer)
{
    return ETH_HEADER_LEN + ip_len(outer)
           + (outer->proto == IP_PROTO_UDP ? (uint32_t) UDP_HEADER_LEN : 0);
}

/* ---- Writing ---- */

/* Of UDP, with so many bytes from its header on. */
static uint32_t
pseudo_sum(const struct outer *outer, uint32_t l4_len)
{
    return is_ip6(outer)
           ? checksum_pseudo6(outer->src.b, outer->dst.b, IP_PROTO_UDP, l4_len)
           : checksum_pseudo4(get_be32(&outer->src.b[12]),
                              get_be32(&outer->dst.b[12]), IP_PROTO_UDP,
                              (uint16_t) l4_len);
}

static void
write_ip(const struct outer *outer, uint8_t *p, uint32_t l4_len)
{
    if (is_ip6(outer)) {
        struct ip6_header ip = {
            .ver_tc_label = htobe32(UINT32_C(6) << 28
                                    | (uint32_t) outer->tos << 20
                                    | (outer->label & 0xfffff)),
            .payload_len = htobe16((uint16_t) l4_len),
            .next = outer->proto, .hop_limit = outer->ttl,
        };

        memcpy(ip.src, outer->src.b, sizeof ip.src);
        memcpy(ip.dst, outer->dst.b, sizeof ip.dst);
        memcpy(p, &ip, sizeof ip);
    } else {
        struct ip4_header ip = {
            .ver_ihl = 0x45, .tos = outer->tos,
            .total_len = htobe16((uint16_t) (sizeof ip + l4_len)),
            .id = htobe16(outer->id),
            .frag = htobe16(outer->df ? IP4_FRAG_DONT : 0),
            .ttl = outer->ttl, .proto = outer->proto,
        };

        memcpy(ip.src, &outer->src.b[12], sizeof ip.src);
        memcpy(ip.dst, &outer->dst.b[12], sizeof ip.dst);
        ip.csum = checksum_fold(checksum_add(0, &ip, sizeof ip));
        memcpy(p, &ip, sizeof ip);
    }
}

static void
write_udp(const struct outer *outer, struct packet *pkt, uint32_t ofs)
{
    uint8_t *udp = pkt->data + ofs;
    uint32_t len = pkt->len - ofs;

    put_be16(udp, htobe16(outer->src_port));
    put_be16(udp + 2, htobe16(outer->dst_port));
    put_be16(udp + 4, htobe16((uint16_t) len));
    put_be16(udp + UDP_CSUM_OFS, 0);
    if (!outer->has_csum) {
        return;
    }
    put_be16(udp + UDP_CSUM_OFS, checksum_reduce(pseudo_sum(outer, len)));
    pkt->offload.flags = OFFLOAD_NEEDS_CSUM;
    pkt->offload.csum_start = (uint16_t) ofs;
    pkt->offload.csum_offset = UDP_CSUM_OFS;
    if (outer->segment) {
        pkt->offload.gso_type = GSO_UDP_L4;
        pkt->offload.gso_size = (uint16_t) outer->segment;
        pkt->offload.hdr_len = (uint16_t) (ofs + UDP_HEADER_LEN);
    }
}

void
outer_push(const struct outer *outer, struct packet *pkt)
{
    uint32_t len = outer_len(outer);
    uint32_t l4_ofs = ETH_HEADER_LEN + ip_len(outer);
    uint8_t *p;

    assert(packet_headroom(pkt) >= len);
    pkt->data -= len;
    pkt->len += len;
    pkt->offload = (struct offload) { 0 };
    p = pkt->data;
    memcpy(p, &outer->eth_dst, sizeof outer->eth_dst);
    memcpy(p + 6, &outer->eth_src, sizeof outer->eth_src);
    put_be16(p + 12, htobe16(is_ip6(outer) ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
    write_ip(outer, p + ETH_HEADER_LEN, pkt->len - l4_ofs);
    if (outer->proto == IP_PROTO_UDP) {
        write_udp(outer, pkt, l4_ofs);
    }
}

/* ---- Reading ---- */

/* Both set ofs and len to what is behind the IP header. */
static bool
parse_ip4(const struct packet *pkt, struct outer *outer)
{
    const struct ip4_header *ip = (const void *) (pkt->data + ETH_HEADER_LEN);

    if (!ip4_is_sound(ip, pkt->len - ETH_HEADER_LEN)
        || ip4_header_len(ip) != sizeof *ip
        || ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        return false;
    }
    outer->src = ip6_of_ip4(get_be32(ip->src));
    outer->dst = ip6_of_ip4(get_be32(ip->dst));
    outer->proto = ip->proto;
    outer->tos = ip->tos;
    outer->ttl = ip->ttl;
    outer->df = ip->frag & htobe16(IP4_FRAG_DONT);
    outer->id = be16toh(ip->id);
    outer->len = be16toh(ip->total_len) - (uint32_t) sizeof *ip;
    return true;
}

static bool
parse_ip6(const struct packet *pkt, struct outer *outer)
{
    const struct ip6_header *ip = (const void *) (pkt->data + ETH_HEADER_LEN);
    uint32_t first;

    if (!ip6_is_sound(ip, pkt->len - ETH_HEADER_LEN)) {
        return false;
    }
    first = be32toh(ip->ver_tc_label);
    memcpy(outer->src.b, ip->src, sizeof ip->src);
    memcpy(outer->dst.b, ip->dst, sizeof ip->dst);
    outer->proto = ip->next;
    outer->tos = (uint8_t) (first >> 20);
    outer->label = first & 0xfffff;
    outer->ttl = ip->hop_limit;
    outer->df = true;
    outer->len = be16toh(ip->payload_len);
    /* IPv4 in disguise belongs to no wire. */
    return !ip6_is_mapped4(&outer->src) && !ip6_is_mapped4(&outer->dst);
}

static bool
parse_udp(const struct packet *pkt, struct outer *outer)
{
    const struct offload *ol = &pkt->offload;
    const uint8_t *udp = pkt->data + outer->ofs;

    if (outer->len < UDP_HEADER_LEN
        || be16toh(get_be16(udp + 4)) != outer->len) {
        return false;
    }
    outer->src_port = be16toh(get_be16(udp));
    outer->dst_port = be16toh(get_be16(udp + 2));
    outer->has_csum = get_be16(udp + UDP_CSUM_OFS);
    if (ol->gso_size) {
        /* What was validated, and still is where it was. */
        if (ol->gso_type != GSO_UDP_L4
            || ol->hdr_len != outer->ofs + UDP_HEADER_LEN) {
            return false;
        }
        outer->segment = ol->gso_size;
    }
    outer->ofs += UDP_HEADER_LEN;
    outer->len -= UDP_HEADER_LEN;
    return true;
}

bool
outer_parse(const struct packet *pkt, struct outer *outer)
{
    uint16_t type;

    if (pkt->len < ETH_HEADER_LEN) {
        return false;
    }
    memset(outer, 0, sizeof *outer);
    memcpy(&outer->eth_dst, pkt->data, sizeof outer->eth_dst);
    memcpy(&outer->eth_src, pkt->data + 6, sizeof outer->eth_src);
    type = be16toh(get_be16(pkt->data + 12));
    if (!(type == ETH_TYPE_IP && parse_ip4(pkt, outer))
        && !(type == ETH_TYPE_IPV6 && parse_ip6(pkt, outer))) {
        return false;
    }
    outer->ofs = ETH_HEADER_LEN + ip_len(outer);
    return outer->proto == IP_PROTO_UDP
           ? parse_udp(pkt, outer)
           : outer->proto == IP_PROTO_GRE && !pkt->offload.gso_size;
}

bool
outer_is_intact(const struct packet *pkt, const struct outer *outer)
{
    const struct offload *ol = &pkt->offload;
    const uint8_t *l4 = pkt->data + outer->ofs - UDP_HEADER_LEN;
    uint32_t len = outer->len + UDP_HEADER_LEN;

    if (!is_ip6(outer)
        && checksum_fold(checksum_add(0, pkt->data + ETH_HEADER_LEN,
                                      sizeof(struct ip4_header)))) {
        return false;
    }
    /* Tunnels may do without, over IPv6, too (RFC 7348, 5; RFC 8926, 3.3). */
    return outer->proto != IP_PROTO_UDP || !outer->has_csum
           || ol->flags & (OFFLOAD_NEEDS_CSUM | OFFLOAD_DATA_VALID)
           || !checksum_fold(checksum_add(pseudo_sum(outer, len), l4, len));
}
