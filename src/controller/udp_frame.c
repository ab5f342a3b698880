#include "controller/udp_frame.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { REPLY_TTL = 64, MAPPED_OFS = 12 };

struct ip6_addr
udp_ip4_mapped(be32 addr)
{
    struct ip6_addr mapped = { { [10] = 0xff, [11] = 0xff } };

    memcpy(&mapped.b[MAPPED_OFS], &addr, sizeof addr);
    return mapped;
}

static be32
ip4_of(const struct ip6_addr *mapped)
{
    return get_be32(&mapped->b[MAPPED_OFS]);
}

/* `pseudo` is without the length, which is UDP's own. */
static bool
decode_udp(const uint8_t *udp, size_t len, uint32_t pseudo,
           struct udp_frame *f)
{
    uint16_t udp_len;

    if (len < UDP_HEADER_LEN) {
        return false;
    }
    udp_len = be16toh(get_be16(udp + 4));
    if (udp_len < UDP_HEADER_LEN || udp_len > len) {
        return false;
    }
    if ((get_be16(udp + UDP_CSUM_OFS) || f->is_ip6)
        && checksum_fold(checksum_add(checksum_add(pseudo, udp + 4, 2), udp,
                                      udp_len))) {
        return false;
    }
    f->src_port = be16toh(get_be16(udp));
    f->dst_port = be16toh(get_be16(udp + 2));
    f->data = udp + UDP_HEADER_LEN;
    f->len = udp_len - UDP_HEADER_LEN;
    return true;
}

static bool
decode_ip4(const uint8_t *p, size_t left, struct udp_frame *f)
{
    struct ip4_header ip;
    unsigned int header_len;
    uint16_t l4_len;
    be32 src, dst;

    if (!ip4_is_sound((const void *) p, left)) {
        return false;
    }
    memcpy(&ip, p, sizeof ip);
    header_len = ip4_header_len(&ip);
    l4_len = (uint16_t) (be16toh(ip.total_len) - header_len);
    if (ip.proto != IP_PROTO_UDP
        || be16toh(ip.frag) & (IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        return false;
    }
    src = get_be32(ip.src);
    dst = get_be32(ip.dst);
    f->src = udp_ip4_mapped(src);
    f->dst = udp_ip4_mapped(dst);
    return decode_udp(p + header_len, l4_len,
                      checksum_pseudo4(src, dst, IP_PROTO_UDP, 0), f);
}

static bool
decode_ip6(const uint8_t *p, size_t left, struct udp_frame *f)
{
    struct ip6_header ip;
    uint16_t l4_len;

    if (!ip6_is_sound((const void *) p, left)) {
        return false;
    }
    memcpy(&ip, p, sizeof ip);
    if (ip.next != IP_PROTO_UDP) {
        return false;
    }
    memcpy(&f->src, ip.src, sizeof f->src);
    memcpy(&f->dst, ip.dst, sizeof f->dst);
    l4_len = be16toh(ip.payload_len);
    return decode_udp(p + sizeof ip, l4_len,
                      checksum_pseudo6(ip.src, ip.dst, IP_PROTO_UDP, 0), f);
}

bool
udp_frame_decode(const void *frame, size_t len, struct udp_frame *f)
{
    const uint8_t *p = frame;
    uint16_t type;

    memset(f, 0, sizeof *f);
    if (len < ETH_HEADER_LEN) {
        return false;
    }
    memcpy(&f->eth_dst, p, sizeof f->eth_dst);
    memcpy(&f->eth_src, p + 6, sizeof f->eth_src);
    type = be16toh(get_be16(p + 12));
    f->is_ip6 = type == ETH_TYPE_IPV6;
    p += ETH_HEADER_LEN;
    len -= ETH_HEADER_LEN;
    return type == ETH_TYPE_IP ? decode_ip4(p, len, f)
           : f->is_ip6 && decode_ip6(p, len, f);
}

/* A checksum of zero would mean that there is none. */
static be16
udp_sum(uint32_t pseudo, const uint8_t *udp, size_t len)
{
    be16 sum = checksum_fold(checksum_add(pseudo, udp, len));

    return sum ? sum : UINT16_MAX;
}

static size_t
encode_ip4(const struct udp_frame *f, uint8_t *p, uint16_t udp_len)
{
    struct ip4_header ip = {
        .ver_ihl = 0x45, .ttl = REPLY_TTL, .proto = IP_PROTO_UDP,
        .total_len = htobe16((uint16_t) (sizeof ip + udp_len)),
        .frag = htobe16(IP4_FRAG_DONT),
    };
    be32 src = ip4_of(&f->src), dst = ip4_of(&f->dst);

    memcpy(ip.src, &src, sizeof src);
    memcpy(ip.dst, &dst, sizeof dst);
    ip.csum = checksum_fold(checksum_add(0, &ip, sizeof ip));
    memcpy(p, &ip, sizeof ip);
    p += sizeof ip;
    put_be16(p + UDP_CSUM_OFS,
             udp_sum(checksum_pseudo4(src, dst, IP_PROTO_UDP, udp_len), p,
                     udp_len));
    return sizeof ip + udp_len;
}

static size_t
encode_ip6(const struct udp_frame *f, uint8_t *p, uint16_t udp_len)
{
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28), .hop_limit = REPLY_TTL,
        .next = IP_PROTO_UDP, .payload_len = htobe16(udp_len),
    };

    memcpy(ip.src, &f->src, sizeof ip.src);
    memcpy(ip.dst, &f->dst, sizeof ip.dst);
    memcpy(p, &ip, sizeof ip);
    p += sizeof ip;
    put_be16(p + UDP_CSUM_OFS,
             udp_sum(checksum_pseudo6(ip.src, ip.dst, IP_PROTO_UDP, udp_len),
                     p, udp_len));
    return sizeof ip + udp_len;
}

size_t
udp_frame_encode(const struct udp_frame *f, uint8_t out[UDP_FRAME_MAX])
{
    size_t ip_len = f->is_ip6 ? sizeof(struct ip6_header)
                              : sizeof(struct ip4_header);
    uint8_t *udp = out + ETH_HEADER_LEN + ip_len;
    uint16_t udp_len = (uint16_t) (UDP_HEADER_LEN + f->len);

    if (ETH_HEADER_LEN + ip_len + UDP_HEADER_LEN + f->len > UDP_FRAME_MAX) {
        return 0;
    }
    memcpy(out, &f->eth_dst, 6);
    memcpy(out + 6, &f->eth_src, 6);
    put_be16(out + 12, htobe16(f->is_ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
    put_be16(udp, htobe16(f->src_port));
    put_be16(udp + 2, htobe16(f->dst_port));
    put_be16(udp + 4, htobe16(udp_len));
    put_be16(udp + UDP_CSUM_OFS, 0);
    memcpy(udp + UDP_HEADER_LEN, f->data, f->len);
    return ETH_HEADER_LEN
           + (f->is_ip6 ? encode_ip6(f, out + ETH_HEADER_LEN, udp_len)
                        : encode_ip4(f, out + ETH_HEADER_LEN, udp_len));
}
