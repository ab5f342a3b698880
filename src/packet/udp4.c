#include "packet/udp4.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { TTL = 64 };

static int
check_checksums(const struct ip4_header *ip, const uint8_t *udp,
                uint16_t udp_len)
{
    uint32_t sum;

    if (checksum_fold(checksum_add(0, ip, ip4_header_len(ip)))) {
        return -EILSEQ;
    }
    if (get_be16(udp + UDP_CSUM_OFS)) {
        sum = checksum_pseudo4(get_be32(ip->src), get_be32(ip->dst),
                               IP_PROTO_UDP, udp_len);
        if (checksum_fold(checksum_add(sum, udp, udp_len))) {
            return -EILSEQ;
        }
    }
    return 0;
}

int
udp4_decode(const void *frame, size_t len, struct udp4 *u)
{
    const uint8_t *eth = frame, *l3 = eth + ETH_HEADER_LEN, *udp;
    const struct ip4_header *ip = (const struct ip4_header *) l3;
    uint16_t l4_len, udp_len;
    int err;

    if (len < ETH_HEADER_LEN + sizeof *ip
        || get_be16(eth + 12) != htobe16(ETH_TYPE_IP)) {
        return -EPROTO;
    }
    if (!ip4_is_sound(ip, len - ETH_HEADER_LEN)) {
        return -EBADMSG;
    }
    if (ip->proto != IP_PROTO_UDP
        || ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        return -EPROTO;
    }
    udp = l3 + ip4_header_len(ip);
    l4_len = (uint16_t) (be16toh(ip->total_len) - ip4_header_len(ip));
    if (l4_len < UDP_HEADER_LEN) {
        return -EBADMSG;
    }
    udp_len = be16toh(get_be16(udp + 4));
    if (udp_len < UDP_HEADER_LEN || udp_len > l4_len) {
        return -EBADMSG;
    }
    err = check_checksums(ip, udp, udp_len);
    if (err) {
        return err;
    }

    memcpy(u->eth_dst.b, eth, sizeof u->eth_dst.b);
    memcpy(u->eth_src.b, eth + 6, sizeof u->eth_src.b);
    u->ip_src = get_be32(ip->src);
    u->ip_dst = get_be32(ip->dst);
    u->src_port = be16toh(get_be16(udp));
    u->dst_port = be16toh(get_be16(udp + 2));
    u->payload = udp + UDP_HEADER_LEN;
    u->payload_len = (size_t) udp_len - UDP_HEADER_LEN;
    return 0;
}

size_t
udp4_encode(uint8_t *frame, const struct udp4 *u)
{
    uint16_t udp_len = (uint16_t) (UDP_HEADER_LEN + u->payload_len);
    uint8_t *l3 = frame + ETH_HEADER_LEN;
    struct ip4_header *ip = (struct ip4_header *) l3;
    uint8_t *udp = l3 + sizeof *ip;
    uint32_t sum;
    be16 csum;

    memcpy(frame, u->eth_dst.b, sizeof u->eth_dst.b);
    memcpy(frame + 6, u->eth_src.b, sizeof u->eth_src.b);
    put_be16(frame + 12, htobe16(ETH_TYPE_IP));

    *ip = (struct ip4_header) {
        .ver_ihl = 0x45,
        .total_len = htobe16((uint16_t) (sizeof *ip + udp_len)),
        .frag = htobe16(IP4_FRAG_DONT),
        .ttl = TTL,
        .proto = IP_PROTO_UDP,
    };
    put_be32(ip->src, u->ip_src);
    put_be32(ip->dst, u->ip_dst);
    ip->csum = checksum_fold(checksum_add(0, ip, sizeof *ip));

    put_be16(udp, htobe16(u->src_port));
    put_be16(udp + 2, htobe16(u->dst_port));
    put_be16(udp + 4, htobe16(udp_len));
    put_be16(udp + UDP_CSUM_OFS, 0);
    sum = checksum_pseudo4(u->ip_src, u->ip_dst, IP_PROTO_UDP, udp_len);
    csum = checksum_fold(checksum_add(sum, udp, udp_len));
    /* 0 would say that there is none (RFC 768). */
    put_be16(udp + UDP_CSUM_OFS, csum ? csum : 0xffff);
    return UDP4_HEADERS_LEN + u->payload_len;
}
