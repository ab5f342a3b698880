#include "packet/offload.h"

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/ip6_ext.h"

/* What the frame is as far as offloads go. */
struct shape {
    bool is_ip6;
    bool is_ip;                   /* a whole IP packet, not a fragment */
    uint32_t l4_ofs, end;         /* of the transport; of the IP packet */
    uint8_t proto;
    uint32_t hdr_len;             /* TCP, UDP, SCTP: all headers; 0: the
                                     transport's is not there in full */
};

uint32_t
offload_l3_ofs_behind_tags(const struct packet *pkt, uint32_t end)
{
    uint32_t ofs = ETH_HEADER_LEN;
    uint16_t type;

    if (end < ETH_HEADER_LEN) {
        return 0;
    }
    type = be16toh(get_be16(pkt->data + ofs - 2));
    for (;;) {
        while (eth_type_is_vlan(type) && ofs + VLAN_TAG_LEN <= end) {
            type = be16toh(get_be16(pkt->data + ofs + 2));
            ofs += VLAN_TAG_LEN;
        }
        if (type != ETH_TYPE_PBB
            || ofs + PBB_TCI_LEN + ETH_HEADER_LEN > end) {
            break;
        }
        ofs += PBB_TCI_LEN + ETH_HEADER_LEN;
        type = be16toh(get_be16(pkt->data + ofs - 2));
    }
    while (eth_type_is_mpls(type) && ofs + MPLS_LSE_LEN <= end) {
        if (be32toh(get_be32(pkt->data + ofs)) & MPLS_BOS) {
            type = ETH_TYPE_IP;   /* or IPv6: its version says */
        }
        ofs += MPLS_LSE_LEN;
    }
    return (type == ETH_TYPE_IP || type == ETH_TYPE_IPV6) && ofs < end ? ofs
                                                                       : 0;
}

static void
find_transport4(const struct packet *pkt, uint32_t l3, struct shape *shape)
{
    const struct ip4_header *ip = (const void *) (pkt->data + l3);

    if (ip4_is_sound(ip, pkt->len - l3)) {
        shape->is_ip = !(ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS));
        shape->l4_ofs = l3 + ip4_header_len(ip);
        shape->end = l3 + be16toh(ip->total_len);
        shape->proto = ip->proto;
    }
}

static void
find_transport6(const struct packet *pkt, uint32_t l3, struct shape *shape)
{
    const struct ip6_header *ip = (const void *) (pkt->data + l3);
    struct ip6_chain chain;
    struct cursor c;
    int proto;

    if (!ip6_is_sound(ip, pkt->len - l3)) {
        return;
    }
    /* Payload length 0: a super-frame of more than 64 KB ("big TCP"). */
    shape->end = ip->payload_len || !pkt->offload.gso_type
                 ? l3 + (uint32_t) sizeof *ip + be16toh(ip->payload_len)
                 : pkt->len;
    c = cursor_init(ip + 1, shape->end - l3 - sizeof *ip);
    proto = ip6_skip_extensions(&c, ip->next, &chain);
    shape->is_ip6 = true;
    shape->is_ip = proto >= 0 && !chain.frag;
    shape->l4_ofs = (uint32_t) (c.p - pkt->data);
    shape->proto = (uint8_t) proto;
}

static struct shape
shape_of(const struct packet *pkt)
{
    struct shape shape = { .is_ip = false };
    uint32_t l3 = offload_l3_ofs(pkt, pkt->len), left, len = 0;

    if (l3 && pkt->data[l3] >> 4 == 4) {
        find_transport4(pkt, l3, &shape);
    } else if (l3 && pkt->data[l3] >> 4 == 6) {
        find_transport6(pkt, l3, &shape);
    }
    if (!shape.is_ip) {
        return shape;
    }
    left = shape.end - shape.l4_ofs;
    if (shape.proto == IP_PROTO_UDP) {
        len = UDP_HEADER_LEN;
    } else if (shape.proto == IP_PROTO_SCTP) {
        len = SCTP_HEADER_LEN;
    } else if (shape.proto == IP_PROTO_TCP && left >= TCP_HEADER_LEN) {
        len = (pkt->data[shape.l4_ofs + 12] >> 4) * 4u;
        len = MAX(len, TCP_HEADER_LEN);
    }
    shape.hdr_len = len && len <= left ? shape.l4_ofs + len : 0;
    return shape;
}

static bool
owes(const struct packet *pkt, const struct shape *shape, uint8_t proto,
     unsigned int csum_offset)
{
    return shape->hdr_len && shape->proto == proto
           && pkt->offload.csum_start == shape->l4_ofs
           && pkt->offload.csum_offset == csum_offset;
}

static bool
owes_transport(const struct packet *pkt, const struct shape *shape)
{
    return owes(pkt, shape, IP_PROTO_TCP, TCP_CSUM_OFS)
           || owes(pkt, shape, IP_PROTO_UDP, UDP_CSUM_OFS);
}

static bool
complete_now(struct packet *pkt, const struct shape *shape)
{
    struct offload *ol = &pkt->offload;

    if (owes(pkt, shape, IP_PROTO_SCTP, SCTP_CSUM_OFS)) {
        uint8_t *sctp = pkt->data + shape->l4_ofs;

        put_be32(sctp + SCTP_CSUM_OFS,
                 crc32c_sctp(sctp, pkt->len - shape->l4_ofs));
        *ol = (struct offload) { 0 };
        return true;
    }
    /* Nobody honest sums from within Ethernet's or IP's header. */
    return ol->csum_start >= (shape->is_ip ? shape->l4_ofs : ETH_HEADER_LEN)
           && packet_complete_checksum(pkt);
}

static bool
validate_super_frame(struct packet *pkt, const struct shape *shape)
{
    struct offload *ol = &pkt->offload;
    bool fits;

    switch (ol->gso_type & ~GSO_ECN) {
    case GSO_TCPV4:
        fits = !shape->is_ip6 && shape->proto == IP_PROTO_TCP;
        break;
    case GSO_TCPV6:
        fits = shape->is_ip6 && shape->proto == IP_PROTO_TCP;
        break;
    case GSO_UDP_L4:
        fits = shape->proto == IP_PROTO_UDP && ol->gso_type == GSO_UDP_L4;
        break;
    default:
        return false;
    }
    if (!fits || !ol->gso_size || !owes_transport(pkt, shape)) {
        return false;
    }
    ol->hdr_len = (uint16_t) shape->hdr_len;
    if (packet_n_wire(pkt) == 1) {
        ol->gso_type = GSO_NONE;
        ol->gso_size = ol->hdr_len = 0;
        return true;
    }
    return packet_n_wire(pkt) <= OFFLOAD_MAX_SEGMENTS;
}

/* Segments of TCP inside a UDP or GRE tunnel, which only another kernel on this
 * machine sends, by a veth. */
static bool
is_inside_tunnel(const struct packet *pkt, const struct shape *shape)
{
    const struct offload *ol = &pkt->offload;
    uint8_t type = ol->gso_type & (uint8_t) ~GSO_ECN;

    return shape->is_ip && (type == GSO_TCPV4 || type == GSO_TCPV6)
           && (shape->proto == IP_PROTO_UDP || shape->proto == IP_PROTO_GRE)
           && ol->csum_start > shape->l4_ofs
           && ol->csum_offset == TCP_CSUM_OFS
           && ol->csum_start + (uint32_t) TCP_HEADER_LEN <= pkt->len;
}

bool
offload_validate_owed(struct packet *pkt)
{
    struct offload *ol = &pkt->offload;
    struct shape shape;

    if (!(ol->flags & OFFLOAD_NEEDS_CSUM)) {
        return false;             /* segments need it (virtio 1.2, 5.1.6.2.1) */
    }
    ol->flags = OFFLOAD_NEEDS_CSUM;
    shape = shape_of(pkt);
    if (shape.is_ip) {
        pkt->len = shape.end;     /* cuts padding */
    }
    if (ol->gso_type != GSO_NONE && is_inside_tunnel(pkt, &shape)) {
        *ol = (struct offload) { .flags = OFFLOAD_DATA_VALID };
        return true;
    }
    if (ol->gso_type != GSO_NONE) {
        return validate_super_frame(pkt, &shape);
    }
    ol->gso_size = ol->hdr_len = 0;
    return owes_transport(pkt, &shape) || complete_now(pkt, &shape);
}

/* A TCP packet that no link of that MTU carried is segments that nobody has made
 * yet. */
static void
find_segments(struct packet *pkt, const struct shape *shape,
              const uint8_t *ip, uint32_t mtu)
{
    uint32_t headers = shape->hdr_len - (uint32_t) (ip - pkt->data);

    if (shape->proto == IP_PROTO_TCP && mtu > headers
        && pkt->len - (uint32_t) (ip - pkt->data) > mtu) {
        pkt->offload.gso_type = shape->is_ip6 ? GSO_TCPV6 : GSO_TCPV4;
        pkt->offload.gso_size = (uint16_t) (mtu - headers);
        pkt->offload.hdr_len = (uint16_t) shape->hdr_len;
    }
}

void
offload_find_owed(struct packet *pkt, uint32_t mtu)
{
    struct shape shape = shape_of(pkt);
    const uint8_t *ip, *l4;
    uint32_t sum, l4_len, csum_ofs;

    if (!shape.hdr_len || (shape.proto != IP_PROTO_TCP
                           && shape.proto != IP_PROTO_UDP)) {
        return;
    }
    ip = pkt->data + offload_l3_ofs(pkt, pkt->len);
    l4 = pkt->data + shape.l4_ofs;
    l4_len = shape.end - shape.l4_ofs;
    csum_ofs = shape.proto == IP_PROTO_TCP ? TCP_CSUM_OFS : UDP_CSUM_OFS;
    sum = shape.is_ip6
          ? checksum_pseudo6(ip + offsetof(struct ip6_header, src),
                             ip + offsetof(struct ip6_header, dst),
                             shape.proto, l4_len)
          : checksum_pseudo4(
                get_be32(ip + offsetof(struct ip4_header, src)),
                get_be32(ip + offsetof(struct ip4_header, dst)),
                shape.proto, (uint16_t) l4_len);
    if (get_be16(l4 + csum_ofs) == checksum_reduce(sum)) {
        pkt->offload = (struct offload) {
            .flags = OFFLOAD_NEEDS_CSUM,
            .csum_start = (uint16_t) shape.l4_ofs,
            .csum_offset = (uint16_t) csum_ofs,
        };
        pkt->len = shape.end;     /* cuts padding */
        find_segments(pkt, &shape, ip, mtu);
    }
}
