#include "packet/offload.h"

#include "packet/cursor.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum {
    IP_PROTO_IPIP = 4,
    IP_PROTO_IPV6 = 41,
};

/* The outermost transport header of a frame. */
struct transport {
    uint32_t ofs;
    uint8_t proto;
    bool v6;
};

static uint16_t
skip_tags(struct cursor *c, uint16_t type)
{
    while (eth_type_is_vlan(type)) {
        cursor_skip(c, 2);
        type = cursor_u16(c);
    }
    if (eth_type_is_mpls(type)) {
        while (!cursor_overrun(c) && !(cursor_u32(c) & MPLS_BOS)) {
            continue;
        }
        type = !cursor_left(c) ? 0 : *c->p >> 4 == 4 ? ETH_TYPE_IP
                                                     : ETH_TYPE_IPV6;
    }
    return type;
}

static bool
find_transport4(struct cursor *c, struct transport *t)
{
    const uint8_t *start = c->p;
    const struct ip4_header *ip
        = (const void *) cursor_take(c, sizeof *ip);
    uint32_t header_len;

    if (!ip || ip->ver_ihl >> 4 != 4
        || be16toh(ip->frag) & (IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        return false;
    }
    header_len = (ip->ver_ihl & 15) * 4u;
    if (header_len < sizeof *ip) {
        return false;
    }
    cursor_skip(c, header_len - sizeof *ip);
    t->proto = ip->proto;
    t->v6 = false;
    return !cursor_overrun(c) && c->p == start + header_len;
}

static bool
find_transport6(struct cursor *c, struct transport *t)
{
    const struct ip6_header *ip
        = (const void *) cursor_take(c, sizeof *ip);

    if (!ip || be32toh(ip->ver_tc_label) >> 28 != 6) {
        return false;
    }
    t->proto = ip->next;
    t->v6 = true;
    while (ip6_is_extension(t->proto) && !cursor_overrun(c)) {
        uint8_t next = cursor_u8(c);
        uint8_t len = cursor_u8(c);

        if (t->proto == IP_PROTO_FRAGMENT) {
            return false;
        }
        cursor_skip(c, t->proto == IP_PROTO_AH ? (len + 2u) * 4 - 2
                                               : (len + 1u) * 8 - 2);
        t->proto = next;
    }
    return !cursor_overrun(c);
}

static bool
find_transport(const struct packet *pkt, struct transport *t)
{
    struct cursor c = cursor_init(pkt->data, pkt->len);
    uint16_t type;
    bool found;

    cursor_skip(&c, 12);
    type = skip_tags(&c, cursor_u16(&c));
    if (type == ETH_TYPE_IP) {
        found = find_transport4(&c, t);
    } else if (type == ETH_TYPE_IPV6) {
        found = find_transport6(&c, t);
    } else {
        return false;
    }
    t->ofs = (uint32_t) (c.p - pkt->data);
    return found;
}

/* Where the transport's own checksum is; 0: not one that offloads know. */
static uint16_t
own_csum_offset(uint8_t proto)
{
    return proto == IP_PROTO_TCP ? TCP_CSUM_OFS
           : proto == IP_PROTO_UDP ? UDP_CSUM_OFS : 0;
}

static uint32_t
min_header_len(uint8_t proto)
{
    return proto == IP_PROTO_TCP ? TCP_HEADER_LEN : UDP_HEADER_LEN;
}

static bool
carries_tunnels(uint8_t proto)
{
    return proto == IP_PROTO_UDP || proto == IP_PROTO_GRE
           || proto == IP_PROTO_IPIP || proto == IP_PROTO_IPV6;
}

static bool
csum_is_sane(const struct packet *pkt, const struct transport *t)
{
    const struct offload *ol = &pkt->offload;
    uint32_t payload_ofs = t->ofs
                           + (t->proto == IP_PROTO_UDP ? UDP_HEADER_LEN : 4);

    if ((uint32_t) ol->csum_start + ol->csum_offset + 2 > pkt->len) {
        return false;
    }
    if (ol->csum_start == t->ofs) {
        return ol->csum_offset
               && ol->csum_offset == own_csum_offset(t->proto)
               && t->ofs + min_header_len(t->proto) <= pkt->len;
    }
    return carries_tunnels(t->proto) && ol->csum_start >= payload_ofs;
}

static bool
gso_is_sane(struct packet *pkt, const struct transport *t)
{
    struct offload *ol = &pkt->offload;
    uint32_t hdr_len, payload_len;

    switch (ol->gso_type & ~GSO_ECN) {
    case GSO_TCPV4:
    case GSO_TCPV6:
        if (t->proto != IP_PROTO_TCP || t->ofs + TCP_HEADER_LEN > pkt->len
            || t->v6 != ((ol->gso_type & ~GSO_ECN) == GSO_TCPV6)) {
            return false;
        }
        hdr_len = (pkt->data[t->ofs + 12] >> 4) * 4u;
        if (hdr_len < TCP_HEADER_LEN) {
            return false;
        }
        break;
    case GSO_UDP_L4:
        if (t->proto != IP_PROTO_UDP || ol->gso_type & GSO_ECN) {
            return false;
        }
        hdr_len = UDP_HEADER_LEN;
        break;
    default:
        return false;
    }
    hdr_len += t->ofs;
    if (ol->csum_start != t->ofs || hdr_len >= pkt->len || !ol->gso_size) {
        return false;
    }
    payload_len = pkt->len - hdr_len;
    if (payload_len > (uint32_t) ol->gso_size * OFFLOAD_MAX_SEGMENTS) {
        return false;
    }
    if (payload_len <= ol->gso_size) {
        ol->gso_type = GSO_NONE;
        ol->gso_size = ol->hdr_len = 0;
    } else {
        ol->hdr_len = (uint16_t) hdr_len;
    }
    return true;
}

bool
offload_validate(struct packet *pkt)
{
    struct offload *ol = &pkt->offload;
    struct transport t;

    ol->flags &= OFFLOAD_NEEDS_CSUM | OFFLOAD_DATA_VALID;
    if (!(ol->flags & OFFLOAD_NEEDS_CSUM)) {
        bool plain = ol->gso_type == GSO_NONE;

        *ol = (struct offload) { .flags = ol->flags };
        return plain;
    }
    if (!find_transport(pkt, &t) || !csum_is_sane(pkt, &t)) {
        return false;
    }
    if (ol->gso_type == GSO_NONE) {
        ol->gso_size = ol->hdr_len = 0;
        return true;
    }
    return gso_is_sane(pkt, &t);
}
