#include "controller/udp_frame.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/udp4.h"

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
    if (checksum_fold(checksum_add(checksum_add(pseudo, udp + 4, 2), udp,
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
decode_ip4(const uint8_t *frame, size_t len, struct udp_frame *f)
{
    struct udp4 u;

    if (udp4_decode(frame, len, &u)) {
        return false;
    }
    f->src = udp_ip4_mapped(u.ip_src);
    f->dst = udp_ip4_mapped(u.ip_dst);
    f->src_port = u.src_port;
    f->dst_port = u.dst_port;
    f->data = u.payload;
    f->len = u.payload_len;
    return true;
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
    return type == ETH_TYPE_IP
           ? decode_ip4(frame, len, f)
           : f->is_ip6 && decode_ip6(p + ETH_HEADER_LEN,
                                     len - ETH_HEADER_LEN, f);
}

/* A checksum of zero would mean that there is none. */
static be16
udp_sum(uint32_t pseudo, const uint8_t *udp, size_t len)
{
    be16 sum = checksum_fold(checksum_add(pseudo, udp, len));

    return sum ? sum : UINT16_MAX;
}

static size_t
encode_ip4(const struct udp_frame *f, uint8_t *out)
{
    const struct udp4 u = {
        .eth_src = f->eth_src, .eth_dst = f->eth_dst,
        .ip_src = ip4_of(&f->src), .ip_dst = ip4_of(&f->dst),
        .src_port = f->src_port, .dst_port = f->dst_port,
        .payload_len = f->len,
    };

    memcpy(out + UDP4_HEADERS_LEN, f->data, f->len);
    return udp4_encode(out, &u);
}

static size_t
encode_ip6(const struct udp_frame *f, uint8_t *out)
{
    uint16_t udp_len = (uint16_t) (UDP_HEADER_LEN + f->len);
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28), .hop_limit = REPLY_TTL,
        .next = IP_PROTO_UDP, .payload_len = htobe16(udp_len),
    };
    uint8_t *udp = out + ETH_HEADER_LEN + sizeof ip;

    memcpy(out, &f->eth_dst, 6);
    memcpy(out + 6, &f->eth_src, 6);
    put_be16(out + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(ip.src, &f->src, sizeof ip.src);
    memcpy(ip.dst, &f->dst, sizeof ip.dst);
    memcpy(out + ETH_HEADER_LEN, &ip, sizeof ip);
    put_be16(udp, htobe16(f->src_port));
    put_be16(udp + 2, htobe16(f->dst_port));
    put_be16(udp + 4, htobe16(udp_len));
    put_be16(udp + UDP_CSUM_OFS, 0);
    memcpy(udp + UDP_HEADER_LEN, f->data, f->len);
    put_be16(udp + UDP_CSUM_OFS,
             udp_sum(checksum_pseudo6(ip.src, ip.dst, IP_PROTO_UDP, udp_len),
                     udp, udp_len));
    return ETH_HEADER_LEN + sizeof ip + udp_len;
}

size_t
udp_frame_encode(const struct udp_frame *f, uint8_t out[UDP_FRAME_MAX])
{
    size_t ip_len = f->is_ip6 ? sizeof(struct ip6_header)
                              : sizeof(struct ip4_header);

    if (ETH_HEADER_LEN + ip_len + UDP_HEADER_LEN + f->len > UDP_FRAME_MAX) {
        return 0;
    }
    return f->is_ip6 ? encode_ip6(f, out) : encode_ip4(f, out);
}
