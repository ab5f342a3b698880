#include "conntrack/conntrack_lab.h"

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/eth.h"

static void
put_address(uint8_t *p, bool is_ip6, uint32_t address)
{
    static const uint8_t prefix[12] = { 0x20, 0x01, 0x0d, 0xb8 };

    if (is_ip6) {
        memcpy(p, prefix, sizeof prefix);
        p += sizeof prefix;
    }
    put_be32(p, htobe32(address));
}

static size_t
put_l4(uint8_t *p, const struct lab_frame *f)
{
    size_t len;

    switch (f->proto) {
    case IP_PROTO_TCP:
        len = f->scale ? 24 : 20;
        put_be16(p, htobe16(f->src_port));
        put_be16(p + 2, htobe16(f->dst_port));
        put_be32(p + 4, htobe32(f->seq));
        put_be32(p + 8, htobe32(f->ack));
        p[12] = (uint8_t) (len / 4 << 4);
        p[13] = f->flags;
        put_be16(p + 14, htobe16(f->window ? f->window : 65535));
        if (f->scale) {
            p[20] = 1;
            p[21] = 3;
            p[22] = 3;
            p[23] = f->scale;
        }
        return len;
    case IP_PROTO_UDP:
        put_be16(p, htobe16(f->src_port));
        put_be16(p + 2, htobe16(f->dst_port));
        put_be16(p + 4, htobe16((uint16_t) (8 + f->payload)));
        return 8;
    case IP_PROTO_ICMP: case IP_PROTO_ICMPV6:
        put_be16(p, htobe16(f->dst_port));
        put_be16(p + 4, htobe16(f->src_port));
        return 8;
    case IP_PROTO_SCTP:
        put_be16(p, htobe16(f->src_port));
        put_be16(p + 2, htobe16(f->dst_port));
        put_be32(p + 4, htobe32(f->tag));
        p[12] = f->chunk;
        put_be16(p + 14, htobe16(20));
        put_be32(p + 16, htobe32(f->own_tag));
        return 32;
    default:
        return 0;
    }
}

static void
put_sum(uint8_t *ip, uint8_t *l4, size_t len, const struct lab_frame *f)
{
    uint8_t proto = f->proto;
    uint32_t sum = 0;
    size_t ofs = proto == IP_PROTO_TCP ? TCP_CSUM_OFS
                 : proto == IP_PROTO_UDP ? UDP_CSUM_OFS : ICMP_CSUM_OFS;

    if (proto == IP_PROTO_SCTP) {
        put_be32(l4 + SCTP_CSUM_OFS, crc32c_sctp(l4, len));
        l4[SCTP_CSUM_OFS] ^= f->bad_sum;
        return;
    }
    if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP
        && proto != IP_PROTO_ICMP && proto != IP_PROTO_ICMPV6) {
        return;
    }
    if (f->is_ip6) {
        sum = checksum_pseudo6(ip + 8, ip + 24, proto, (uint32_t) len);
    } else if (proto != IP_PROTO_ICMP) {
        sum = checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16), proto,
                               (uint16_t) len);
    }
    put_be16(l4 + ofs, checksum_fold(checksum_add(checksum_reduce(sum), l4,
                                                  len)));
    l4[ofs] ^= f->bad_sum;
}

/* From the IP header on; returns its length. */
static size_t
put_ip(uint8_t *ip, const struct lab_frame *f)
{
    size_t header_len = f->is_ip6 ? 40 : 20;
    uint8_t *l4 = ip + header_len;
    size_t len = put_l4(l4, f);

    if (f->about) {
        uint8_t inner[256] = { 0 };
        size_t inner_len = put_ip(inner, f->about);

        inner_len = MIN(inner_len, header_len + 28u);
        memcpy(l4 + len, inner, inner_len);
        len += inner_len;
    }
    for (size_t i = 0; i < f->payload; i++) {
        l4[len + i] = (uint8_t) i;
    }
    len += f->payload;
    if (f->is_ip6) {
        ip[0] = 0x60;
        put_be16(ip + 4, htobe16((uint16_t) len));
        ip[6] = f->proto;
        ip[7] = 64;
        put_address(ip + 8, true, f->src);
        put_address(ip + 24, true, f->dst);
    } else {
        ip[0] = 0x45;
        put_be16(ip + 2, htobe16((uint16_t) (header_len + len)));
        put_be16(ip + 4, htobe16(f->id));
        put_be16(ip + 6, htobe16(f->frag));
        ip[8] = 64;
        ip[9] = f->proto;
        put_address(ip + 12, false, f->src);
        put_address(ip + 16, false, f->dst);
        put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    }
    put_sum(ip, l4, len, f);
    return header_len + len;
}

struct packet *
lab_packet(struct packet_pool *pool, const struct lab_frame *f)
{
    struct packet *pkt = packet_alloc(pool, PACKET_SMALL_ROOM);
    struct flow_key key;

    assert(pkt);
    memset(pkt->data, 0, PACKET_SMALL_ROOM);
    put_be16(pkt->data + 12, htobe16(f->is_ip6 ? ETH_TYPE_IPV6
                                               : ETH_TYPE_IP));
    pkt->len = (uint32_t) (ETH_HEADER_LEN
                           + put_ip(pkt->data + ETH_HEADER_LEN, f));
    flow_key_extract(pkt, &key);
    return pkt;
}

struct lab_frame
lab_reverse(const struct lab_frame *f)
{
    struct lab_frame r = *f;

    r.src = f->dst;
    r.dst = f->src;
    if (f->proto == IP_PROTO_ICMP) {
        r.dst_port = f->dst_port == 0x0800 ? 0 : 0x0800;
    } else if (f->proto == IP_PROTO_ICMPV6) {
        r.dst_port = f->dst_port == 0x8000 ? 0x8100 : 0x8000;
    } else {
        r.src_port = f->dst_port;
        r.dst_port = f->src_port;
    }
    return r;
}

static bool
sum_is_right(const uint8_t *ip, bool is_ip6, uint8_t proto, const uint8_t *l4,
             size_t len)
{
    uint32_t sum = 0;

    if (proto == IP_PROTO_SCTP) {
        return crc32c_sctp(l4, len) == get_be32(l4 + SCTP_CSUM_OFS);
    }
    if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP
        && proto != IP_PROTO_ICMP && proto != IP_PROTO_ICMPV6) {
        return true;
    }
    if (is_ip6) {
        sum = checksum_pseudo6(ip + 8, ip + 24, proto, (uint32_t) len);
    } else if (proto != IP_PROTO_ICMP) {
        sum = checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16), proto,
                               (uint16_t) len);
    }
    return !checksum_fold(checksum_add(checksum_reduce(sum), l4, len));
}

static struct lab_frame
read_ip(const uint8_t *ip, size_t len, bool is_whole)
{
    struct lab_frame f = { .is_ip6 = ip[0] >> 4 == 6 };
    size_t header_len = f.is_ip6 ? 40 : 20;
    const uint8_t *l4 = ip + header_len;

    f.proto = f.is_ip6 ? ip[6] : ip[9];
    f.src = be32toh(get_be32(ip + (f.is_ip6 ? 20 : 12)));
    f.dst = be32toh(get_be32(ip + (f.is_ip6 ? 36 : 16)));
    if (f.proto == IP_PROTO_ICMP || f.proto == IP_PROTO_ICMPV6) {
        f.src_port = be16toh(get_be16(l4 + 4));
        f.dst_port = be16toh(get_be16(l4));
    } else if (f.proto != IP_PROTO_GRE) {
        f.src_port = be16toh(get_be16(l4));
        f.dst_port = be16toh(get_be16(l4 + 2));
    }
    assert(f.is_ip6 || !checksum_fold(checksum_add(0, ip, 20)));
    assert(!is_whole
           || sum_is_right(ip, f.is_ip6, f.proto, l4, len - header_len));
    return f;
}

struct lab_frame
lab_read(const struct packet *pkt)
{
    return read_ip(pkt->data + pkt->l3_ofs, pkt->len - pkt->l3_ofs, true);
}

struct lab_frame
lab_read_inner(const struct packet *pkt)
{
    return read_ip(pkt->data + pkt->l4_ofs + 8, pkt->len - pkt->l4_ofs - 8u,
                   false);
}
