#include "packet/edit.h"

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/eth.h"
#include "packet/ip6_ext.h"
#include "packet/nd.h"

/* ---- Where things lie ---- */

/* The Ethertype of the header at l3_ofs, or 0.  Below an MPLS label stack there
 * is none: fields of what it carries are out of reach until it is popped. */
static uint16_t
l3_type(const struct packet *pkt)
{
    if (pkt->l3_ofs == PACKET_NO_OFS || pkt->l2_5_ofs != PACKET_NO_OFS) {
        return 0;
    }
    return be16toh(get_be16(pkt->data + pkt->l3_ofs - 2));
}

static struct ip4_header *
find_ip4(const struct packet *pkt)
{
    struct ip4_header *ip = (void *) (pkt->data + pkt->l3_ofs);

    return l3_type(pkt) == ETH_TYPE_IP
           && ip4_is_sound(ip, pkt->len - pkt->l3_ofs) ? ip : NULL;
}

static struct ip6_header *
find_ip6(const struct packet *pkt)
{
    struct ip6_header *ip = (void *) (pkt->data + pkt->l3_ofs);

    return l3_type(pkt) == ETH_TYPE_IPV6
           && ip6_is_sound(ip, pkt->len - pkt->l3_ofs) ? ip : NULL;
}

static struct arp_header *
find_arp(const struct packet *pkt)
{
    struct arp_header *arp = (void *) (pkt->data + pkt->l3_ofs);
    uint16_t type = l3_type(pkt);

    return (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP)
           && arp_is_sound(arp, pkt->len - pkt->l3_ofs) ? arp : NULL;
}

/* The transport header; not in a later fragment. */
struct l4 {
    uint8_t *p;
    uint32_t len;             /* up to the end of the IP packet */
    uint8_t proto;
    bool is_ip6;
    bool is_fragment;         /* the first: its data goes on elsewhere */
    bool is_routed;           /* see struct ip6_chain */
};

/* Behind an IPv4 or an IPv6 header, the other is NULL. */
static bool
find_l4(const struct packet *pkt, const struct ip4_header *ip4,
        const struct ip6_header *ip6, struct l4 *l4)
{
    *l4 = (struct l4) { .is_ip6 = ip6 };
    if (pkt->l4_ofs == PACKET_NO_OFS || (!ip4 && !ip6)) {
        return false;
    }
    l4->p = pkt->data + pkt->l4_ofs;
    l4->len = pkt->len - pkt->pad_len - pkt->l4_ofs;
    if (ip4) {
        l4->proto = ip4->proto;
        l4->is_fragment = ip4->frag & htobe16(IP4_FRAG_MORE);
    } else {
        struct cursor c = cursor_init(ip6 + 1, (size_t) (l4->p
                                               - (uint8_t *) (ip6 + 1)));
        struct ip6_chain chain;

        l4->proto = (uint8_t) ip6_skip_extensions(&c, ip6->next, &chain);
        l4->is_fragment = chain.frag;
        l4->is_routed = chain.is_routed;
    }
    return true;
}

/* The transport header of that protocol with at least `min_len` bytes. */
static bool
find_proto(const struct packet *pkt, uint8_t proto, uint32_t min_len,
           struct l4 *l4)
{
    const struct ip4_header *ip4 = find_ip4(pkt);

    return find_l4(pkt, ip4, ip4 ? NULL : find_ip6(pkt), l4)
           && l4->proto == proto && l4->len >= min_len;
}

/* ---- Checksums ---- */

/* Is the checksum at `field` still owed?  Then it holds the pseudo-header sum,
 * not complemented. */
static bool
is_owed(const struct packet *pkt, const uint8_t *field)
{
    const struct offload *ol = &pkt->offload;

    return ol->flags & OFFLOAD_NEEDS_CSUM
           && field == pkt->data + ol->csum_start + ol->csum_offset;
}

/* Where the transport has its Internet checksum; 0: it has none. */
static unsigned int
l4_csum_ofs(const struct l4 *l4)
{
    switch (l4->proto) {
    case IP_PROTO_TCP: return TCP_CSUM_OFS;
    case IP_PROTO_UDP: case IP_PROTO_UDPLITE: return UDP_CSUM_OFS;
    case IP_PROTO_DCCP: return DCCP_CSUM_OFS;
    case IP_PROTO_ICMP: return l4->is_ip6 ? 0 : ICMP_CSUM_OFS;
    case IP_PROTO_ICMPV6: return l4->is_ip6 ? ICMP_CSUM_OFS : 0;
    default: return 0;
    }
}

/* Bytes that the transport checksum covers change `from` -> `to`; they lie in
 * the pseudo-header or else in the segment itself. */
static void
adjust_l4_csum(struct packet *pkt, const struct l4 *l4, bool in_pseudo,
               const uint8_t *from, const uint8_t *to, size_t len)
{
    unsigned int ofs = l4->p ? l4_csum_ofs(l4) : 0;
    bool is_udp = l4->proto == IP_PROTO_UDP || l4->proto == IP_PROTO_UDPLITE;
    uint8_t *field;
    be16 sum;

    if (!ofs || ofs + sizeof sum > l4->len
        || (in_pseudo && l4->proto == IP_PROTO_ICMP)) {
        return;
    }
    field = l4->p + ofs;
    sum = get_be16(field);
    if (is_owed(pkt, field)) {
        if (in_pseudo) {
            sum = (be16) ~checksum_update_bytes((be16) ~sum, from, to, len);
            put_be16(field, sum);
        }
        return;
    }
    if (is_udp && !sum) {
        return;               /* the sender made none */
    }
    sum = checksum_update_bytes(sum, from, to, len);
    put_be16(field, is_udp && !sum ? 0xffff : sum);
}

/* ---- Fields ---- */

/* Which checksums cover a field. */
enum cover {
    COVER_NONE = 0,
    COVER_IP4 = 1,            /* the IPv4 header's */
    COVER_PSEUDO = 2,         /* the transport's, by its pseudo-header */
    COVER_L4 = 4,             /* the transport's */
    COVER_SCTP = 8,
};

/* Where a field lies: in `n` bytes, `shift` bits above the last one's least
 * significant bit.  Under a checksum, whole 16-bit words of what it sums. */
struct place {
    uint8_t *p;
    unsigned int n;
    unsigned int shift;
    unsigned int cover;       /* enum cover */
    struct ip4_header *ip4;   /* under COVER_IP4 */
    struct l4 l4;             /* under the others; p NULL: none there */
};

static u128
load(const uint8_t *p, unsigned int n)
{
    switch (n) {
    case 2: return be16toh(get_be16(p));
    case 4: return be32toh(get_be32(p));
    case 6: return (u128) be16toh(get_be16(p)) << 32
                   | be32toh(get_be32(p + 2));
    case 16: return (u128) be64toh(get_be64(p)) << 64
                    | be64toh(get_be64(p + 8));
    default: return *p;
    }
}

static void
store(uint8_t *p, unsigned int n, u128 value)
{
    be64 halves[2] = { htobe64((uint64_t) (value >> 64)),
                       htobe64((uint64_t) value) };
    const uint8_t *end = (const uint8_t *) halves + sizeof halves;

    switch (n) {
    case 2: memcpy(p, end - 2, 2); return;
    case 4: memcpy(p, end - 4, 4); return;
    case 6: memcpy(p, end - 6, 6); return;
    case 16: memcpy(p, end - 16, 16); return;
    default: *p = end[-1]; return;
    }
}

/* CRC-32C is linear: what the packet carries, right or wrong, stays as right or
 * as wrong as it was. */
static void
write_sctp(const struct place *place, u128 value)
{
    const struct l4 *l4 = &place->l4;
    be32 before = crc32c_sctp(l4->p, l4->len);
    uint8_t *field = l4->p + SCTP_CSUM_OFS;

    store(place->p, place->n, value);
    put_be32(field, get_be32(field) ^ before ^ crc32c_sctp(l4->p, l4->len));
}

static bool
write_place(struct packet *pkt, const struct place *place, u128 value,
            u128 mask)
{
    u128 old = load(place->p, place->n);
    uint8_t from[16], to[16];

    mask <<= place->shift;
    value = (old & ~mask) | (value << place->shift & mask);
    if (value == old) {
        return true;
    }
    if (place->cover == COVER_NONE) {
        store(place->p, place->n, value);
        return true;
    }
    if (place->cover & COVER_SCTP) {
        if (place->l4.is_fragment) {
            return false;     /* the checksum covers what is elsewhere */
        }
        write_sctp(place, value);
        return true;
    }
    memcpy(from, place->p, place->n);
    store(to, place->n, value);
    if (place->cover & COVER_IP4) {
        place->ip4->csum = checksum_update_bytes(place->ip4->csum, from, to,
                                                 place->n);
    }
    if (place->cover & (COVER_PSEUDO | COVER_L4)) {
        adjust_l4_csum(pkt, &place->l4, place->cover & COVER_PSEUDO, from, to,
                       place->n);
    }
    memcpy(place->p, to, place->n);
    return true;
}

static bool
place_eth(struct packet *pkt, enum field_id id, struct place *place)
{
    if (pkt->len < ETH_HEADER_LEN) {
        return false;
    }
    place->p = pkt->data + (id == FIELD_ETH_SRC ? 6 : 0);
    place->n = 6;
    place->shift = 0;
    place->cover = COVER_NONE;
    return true;
}

/* The Ethertype of what lies at l2_5_ofs, with at least `len` bytes. */
static uint16_t
l2_5_type(const struct packet *pkt, uint32_t len)
{
    return pkt->l2_5_ofs != PACKET_NO_OFS && pkt->len >= pkt->l2_5_ofs + len
           ? be16toh(get_be16(pkt->data + pkt->l2_5_ofs - 2)) : 0;
}

static bool
has_lse(const struct packet *pkt)
{
    return eth_type_is_mpls(l2_5_type(pkt, MPLS_LSE_LEN));
}

static bool
has_pbb(const struct packet *pkt)
{
    return l2_5_type(pkt, PBB_TCI_LEN + ETH_HEADER_LEN) == ETH_TYPE_PBB;
}

static bool
place_mpls(struct packet *pkt, enum field_id id, struct place *place)
{
    if (!has_lse(pkt)) {
        return false;
    }
    place->p = pkt->data + pkt->l2_5_ofs;
    place->n = MPLS_LSE_LEN;
    place->shift = field_by_id(id)->shift;
    place->cover = COVER_NONE;
    return true;
}

static bool
place_pbb(struct packet *pkt, enum field_id id, struct place *place)
{
    if (!has_pbb(pkt)) {
        return false;
    }
    place->p = pkt->data + pkt->l2_5_ofs;
    place->n = PBB_TCI_LEN;
    place->shift = field_by_id(id)->shift;
    place->cover = COVER_NONE;
    return true;
}

static bool
place_ip4(struct packet *pkt, enum field_id id, struct place *place)
{
    struct ip4_header *ip = find_ip4(pkt);

    if (!ip) {
        return false;
    }
    place->ip4 = ip;
    place->shift = 0;
    place->cover = COVER_IP4;
    switch (id) {
    case FIELD_IPV4_SRC: case FIELD_IPV4_DST:
        place->p = id == FIELD_IPV4_SRC ? ip->src : ip->dst;
        place->n = 4;
        place->cover |= COVER_PSEUDO;
        find_l4(pkt, ip, NULL, &place->l4);
        return true;
    case FIELD_IP_TTL:        /* with the protocol one 16-bit word */
        place->p = &ip->ttl;
        place->n = 2;
        place->shift = 8;
        return true;
    default:                  /* in the TOS byte, behind version and length */
        place->p = &ip->ver_ihl;
        place->n = 2;
        place->shift = field_by_id(id)->shift;
        return true;
    }
}

static bool
place_ip6(struct packet *pkt, enum field_id id, struct place *place)
{
    struct ip6_header *ip = find_ip6(pkt);

    if (!ip) {
        return false;
    }
    place->shift = 0;
    place->cover = COVER_NONE;
    switch (id) {
    case FIELD_IPV6_SRC: case FIELD_IPV6_DST:
        place->p = id == FIELD_IPV6_SRC ? ip->src : ip->dst;
        place->n = 16;
        find_l4(pkt, NULL, ip, &place->l4);
        if (id == FIELD_IPV6_SRC || !place->l4.is_routed) {
            place->cover = COVER_PSEUDO;
        }
        return true;
    case FIELD_IP_TTL:
        place->p = &ip->hop_limit;
        place->n = 1;
        return true;
    case FIELD_IPV6_LABEL:
        place->p = (uint8_t *) ip;
        place->n = 4;
        return true;
    default:                  /* in the traffic class, above the label */
        place->p = (uint8_t *) ip;
        place->n = 4;
        place->shift = 20u + field_by_id(id)->shift;
        return true;
    }
}

static bool
place_arp(struct packet *pkt, enum field_id id, struct place *place)
{
    struct arp_header *arp = find_arp(pkt);

    if (!arp) {
        return false;
    }
    place->shift = 0;
    place->cover = COVER_NONE;
    switch (id) {
    case FIELD_ARP_OP: place->p = arp->op; place->n = 2; break;
    case FIELD_ARP_SPA: place->p = arp->spa; place->n = 4; break;
    case FIELD_ARP_TPA: place->p = arp->tpa; place->n = 4; break;
    case FIELD_ARP_SHA: place->p = arp->sha; place->n = 6; break;
    default: place->p = arp->tha; place->n = 6; break;
    }
    return true;
}

static bool
place_port(struct packet *pkt, uint8_t proto, bool is_dst,
           struct place *place)
{
    uint32_t min_len = proto == IP_PROTO_TCP ? TCP_HEADER_LEN
                       : proto == IP_PROTO_UDP ? UDP_HEADER_LEN
                       : SCTP_HEADER_LEN;

    if (!find_proto(pkt, proto, min_len, &place->l4)) {
        return false;
    }
    place->p = place->l4.p + (is_dst ? 2 : 0);
    place->n = 2;
    place->shift = 0;
    place->cover = proto == IP_PROTO_SCTP ? COVER_SCTP : COVER_L4;
    return true;
}

static bool
place_icmp(struct packet *pkt, uint8_t proto, bool is_code,
           struct place *place)
{
    if (!find_proto(pkt, proto, 4, &place->l4)
        || place->l4.is_ip6 != (proto == IP_PROTO_ICMPV6)) {
        return false;
    }
    place->p = place->l4.p;
    place->n = 2;
    place->shift = is_code ? 0 : 8;
    place->cover = COVER_L4;
    return true;
}

static bool
place_nd(struct packet *pkt, enum field_id id, struct place *place)
{
    const struct l4 *l4 = &place->l4;
    struct nd_options options;

    if (!find_proto(pkt, IP_PROTO_ICMPV6, ND_HEADER_LEN, &place->l4)
        || !l4->is_ip6 || !nd_is_message(l4->p)
        || !nd_options_decode(&options, l4->p + ND_HEADER_LEN,
                              l4->len - ND_HEADER_LEN)) {
        return false;
    }
    place->shift = 0;
    place->cover = COVER_L4;
    switch (id) {
    case FIELD_ND_TARGET:
        place->p = l4->p + ND_TARGET_OFS;
        place->n = 16;
        return true;
    case FIELD_ND_RESERVED:
        place->p = l4->p + ND_RESERVED_OFS;
        place->n = 4;
        return true;
    default:
        place->p = (uint8_t *) (id == FIELD_ND_SLL ? options.sll
                                                   : options.tll);
        if (l4->p[0] != (id == FIELD_ND_SLL ? ND_SOLICIT : ND_ADVERT)) {
            return false;
        }
        place->n = 6;
        return place->p;
    }
}

static bool
find_place(struct packet *pkt, enum field_id id, struct place *place)
{
    switch (id) {
    case FIELD_ETH_DST: case FIELD_ETH_SRC:
        return place_eth(pkt, id, place);
    case FIELD_MPLS_LABEL: case FIELD_MPLS_TC: case FIELD_MPLS_TTL:
        return place_mpls(pkt, id, place);
    case FIELD_PBB_ISID: case FIELD_PBB_UCA:
        return place_pbb(pkt, id, place);
    case FIELD_IPV4_SRC: case FIELD_IPV4_DST:
        return place_ip4(pkt, id, place);
    case FIELD_IPV6_SRC: case FIELD_IPV6_DST: case FIELD_IPV6_LABEL:
        return place_ip6(pkt, id, place);
    case FIELD_IP_DSCP: case FIELD_NW_TOS: case FIELD_IP_ECN:
    case FIELD_IP_TTL:
        return place_ip4(pkt, id, place) || place_ip6(pkt, id, place);
    case FIELD_ARP_OP: case FIELD_ARP_SPA: case FIELD_ARP_TPA:
    case FIELD_ARP_SHA: case FIELD_ARP_THA:
        return place_arp(pkt, id, place);
    case FIELD_TCP_SRC: case FIELD_TCP_DST:
        return place_port(pkt, IP_PROTO_TCP, id == FIELD_TCP_DST, place);
    case FIELD_UDP_SRC: case FIELD_UDP_DST:
        return place_port(pkt, IP_PROTO_UDP, id == FIELD_UDP_DST, place);
    case FIELD_SCTP_SRC: case FIELD_SCTP_DST:
        return place_port(pkt, IP_PROTO_SCTP, id == FIELD_SCTP_DST, place);
    case FIELD_ICMPV4_TYPE: case FIELD_ICMPV4_CODE:
        return place_icmp(pkt, IP_PROTO_ICMP, id == FIELD_ICMPV4_CODE, place);
    case FIELD_ICMPV6_TYPE: case FIELD_ICMPV6_CODE:
        return place_icmp(pkt, IP_PROTO_ICMPV6, id == FIELD_ICMPV6_CODE,
                          place);
    case FIELD_ND_TARGET: case FIELD_ND_SLL: case FIELD_ND_TLL:
    case FIELD_ND_RESERVED:
        return place_nd(pkt, id, place);
    default:
        return false;         /* not a field of the packet's bytes */
    }
}

static bool
has_vlan(const struct packet *pkt)
{
    return pkt->len >= ETH_HEADER_LEN + VLAN_TAG_LEN
           && eth_type_is_vlan(be16toh(get_be16(pkt->data + 12)));
}

/* By the tag's form in a flow key, where the DEI bit says "present". */
static bool
set_vlan(struct packet *pkt, enum field_id id, uint16_t value, uint16_t mask)
{
    uint16_t wire = has_vlan(pkt) ? be16toh(get_be16(pkt->data + 14)) : 0;
    uint16_t old = has_vlan(pkt) ? wire | FLOW_VLAN_PRESENT : 0;
    uint16_t tci = (uint16_t) ((old & ~mask) | (value & mask));

    if (id == FIELD_VLAN_PCP && !old) {
        return false;
    }
    if (id == FIELD_VLAN_VID) {
        tci |= FLOW_VLAN_PRESENT;
    }
    if (!(tci & FLOW_VLAN_PRESENT)) {
        return !old || packet_vlan_pop(pkt);
    }
    if (!old) {
        return packet_vlan_push(pkt, ETH_TYPE_VLAN,
                                tci & (uint16_t) ~FLOW_VLAN_PRESENT);
    }
    tci = (uint16_t) ((tci & ~FLOW_VLAN_PRESENT) | (wire & FLOW_VLAN_PRESENT));
    put_be16(pkt->data + 14, htobe16(tci));
    return true;
}

bool
packet_set_field(struct packet *pkt, enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);
    struct place place;

    mask &= field_ones(field);
    if (id == FIELD_VLAN_TCI || id == FIELD_VLAN_VID
        || id == FIELD_VLAN_PCP) {
        return set_vlan(pkt, id, (uint16_t) (value << field->shift),
                        (uint16_t) (mask << field->shift));
    }
    if (!find_place(pkt, id, &place)) {
        return false;
    }
    return write_place(pkt, &place, value, mask);
}

/* ---- Tags and labels ---- */

static void
shift_ofs(uint16_t *ofs, int by)
{
    if (*ofs != PACKET_NO_OFS) {
        *ofs = (uint16_t) (*ofs + by);
    }
}

/* Makes (by > 0) or takes away room behind the first `at` bytes. */
static bool
move_front(struct packet *pkt, uint32_t at, int by)
{
    struct offload *ol = &pkt->offload;

    if (by > 0 && packet_headroom(pkt) < (uint32_t) by) {
        return false;
    }
    memmove(pkt->data - by, pkt->data, at);
    pkt->data -= by;
    pkt->len = (uint32_t) ((int) pkt->len + by);
    shift_ofs(&pkt->l2_5_ofs, by);
    shift_ofs(&pkt->l3_ofs, by);
    shift_ofs(&pkt->l4_ofs, by);
    if (ol->flags & OFFLOAD_NEEDS_CSUM) {
        ol->csum_start = (uint16_t) (ol->csum_start + by);
    }
    if (ol->gso_size) {
        ol->hdr_len = (uint16_t) (ol->hdr_len + by);
    }
    return true;
}

bool
packet_vlan_push(struct packet *pkt, uint16_t tpid, uint16_t tci)
{
    if (pkt->len < ETH_HEADER_LEN || !move_front(pkt, 12, VLAN_TAG_LEN)) {
        return false;
    }
    put_be16(pkt->data + 12, htobe16(tpid));
    put_be16(pkt->data + 14, htobe16(tci));
    return true;
}

bool
packet_vlan_pop(struct packet *pkt)
{
    return has_vlan(pkt) && move_front(pkt, 12, -VLAN_TAG_LEN);
}

/* Of the Ethertype behind as many tags as a flow key has; 0: none, the frame is
 * 802.3 or cut short. */
static uint32_t
eth_type_ofs(const struct packet *pkt)
{
    uint32_t ofs = 12;

    if (pkt->len < ETH_HEADER_LEN) {
        return 0;
    }
    for (unsigned int i = 0; i < FLOW_MAX_VLANS; i++) {
        if (!eth_type_is_vlan(be16toh(get_be16(pkt->data + ofs)))
            || pkt->len < ofs + 2 + VLAN_TAG_LEN) {
            break;
        }
        ofs += VLAN_TAG_LEN;
    }
    return be16toh(get_be16(pkt->data + ofs)) < ETH_TYPE_MIN ? 0 : ofs;
}

bool
packet_mpls_push(struct packet *pkt, uint16_t eth_type, uint32_t lse)
{
    uint32_t ofs = eth_type_ofs(pkt);

    if (!ofs || !move_front(pkt, ofs + 2, MPLS_LSE_LEN)) {
        return false;
    }
    put_be16(pkt->data + ofs, htobe16(eth_type));
    put_be32(pkt->data + ofs + 2, htobe32(lse));
    pkt->l2_5_ofs = (uint16_t) (ofs + 2);
    return true;
}

bool
packet_mpls_pop(struct packet *pkt, uint16_t eth_type)
{
    uint16_t ofs = pkt->l2_5_ofs;
    struct flow_key key;
    uint32_t lse;

    if (!has_lse(pkt)) {
        return false;
    }
    lse = be32toh(get_be32(pkt->data + ofs));
    move_front(pkt, ofs, -MPLS_LSE_LEN);
    pkt->l2_5_ofs = ofs;
    if (lse & MPLS_BOS) {
        /* Only now does anybody know what the stack carried. */
        put_be16(pkt->data + ofs - 2, htobe16(eth_type));
        flow_key_extract(pkt, &key);
    }
    return true;
}

enum { PBB_LEN = 2 * 6 + 2 + PBB_TCI_LEN };

bool
packet_pbb_push(struct packet *pkt, uint32_t tci)
{
    if (pkt->len < ETH_HEADER_LEN || !move_front(pkt, 0, PBB_LEN)) {
        return false;
    }
    memcpy(pkt->data, pkt->data + PBB_LEN, 12);
    put_be16(pkt->data + 12, htobe16(ETH_TYPE_PBB));
    put_be32(pkt->data + 14, htobe32(tci));
    pkt->l2_5_ofs = ETH_HEADER_LEN;
    return true;
}

bool
packet_pbb_pop(struct packet *pkt)
{
    uint32_t inner = pkt->l2_5_ofs + PBB_TCI_LEN;
    uint8_t addresses[12];
    struct flow_key key;

    if (!has_pbb(pkt)) {
        return false;
    }
    memcpy(addresses, pkt->data + inner, sizeof addresses);
    /* Tags between the backbone's addresses and its Ethertype stay. */
    move_front(pkt, pkt->l2_5_ofs - 2u, -PBB_LEN);
    memcpy(pkt->data, addresses, sizeof addresses);
    flow_key_extract(pkt, &key);
    return true;
}

/* ---- TTL ---- */

/* Writes the byte and keeps the IPv4 checksum; `ip` is NULL for others. */
static void
write_ttl(uint8_t *p, uint8_t ttl, struct ip4_header *ip)
{
    if (ip) {
        uint8_t from[2] = { ip->ttl, ip->proto }, to[2] = { ttl, ip->proto };

        ip->csum = checksum_update_bytes(ip->csum, from, to, sizeof from);
    }
    *p = ttl;
}

static bool
decrement(uint8_t *p, struct ip4_header *ip)
{
    if (*p <= 1) {
        return false;
    }
    write_ttl(p, *p - 1, ip);
    return true;
}

bool
packet_dec_ttl(struct packet *pkt)
{
    struct ip4_header *ip4 = find_ip4(pkt);
    struct ip6_header *ip6;

    if (ip4) {
        return decrement(&ip4->ttl, ip4);
    }
    ip6 = find_ip6(pkt);
    return ip6 && decrement(&ip6->hop_limit, NULL);
}

bool
packet_dec_mpls_ttl(struct packet *pkt)
{
    return has_lse(pkt) && decrement(pkt->data + pkt->l2_5_ofs + 3, NULL);
}

/* The TTL byte of the header behind the outermost label stack entry: the next
 * entry's, or that of the IP packet which the bottom of the stack is taken to
 * carry.  `*ip` is set for IPv4. */
static uint8_t *
second_ttl(struct packet *pkt, struct ip4_header **ip)
{
    uint8_t *p = pkt->data + pkt->l2_5_ofs;
    size_t left;

    *ip = NULL;
    if (!has_lse(pkt)) {
        return NULL;
    }
    left = pkt->len - pkt->l2_5_ofs - MPLS_LSE_LEN;
    if (!(be32toh(get_be32(p)) & MPLS_BOS)) {
        return left >= MPLS_LSE_LEN ? p + MPLS_LSE_LEN + 3 : NULL;
    }
    p += MPLS_LSE_LEN;
    if (ip4_is_sound((void *) p, left)) {
        *ip = (void *) p;
        return &(*ip)->ttl;
    }
    return ip6_is_sound((void *) p, left)
           ? p + offsetof(struct ip6_header, hop_limit) : NULL;
}

bool
packet_copy_ttl_out(struct packet *pkt)
{
    struct ip4_header *ip;
    const uint8_t *second = second_ttl(pkt, &ip);

    if (!second) {
        return false;
    }
    write_ttl(pkt->data + pkt->l2_5_ofs + 3, *second, NULL);
    return true;
}

bool
packet_copy_ttl_in(struct packet *pkt)
{
    struct ip4_header *ip;
    uint8_t *second = second_ttl(pkt, &ip);

    if (!second) {
        return false;
    }
    write_ttl(second, pkt->data[pkt->l2_5_ofs + 3], ip);
    return true;
}
