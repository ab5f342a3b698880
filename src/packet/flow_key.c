#include "packet/flow_key.h"

#include "packet/cursor.h"
#include "packet/eth.h"
#include "packet/flow.h"
#include "packet/ip6_ext.h"
#include "packet/nd.h"

/* Set once the header was read; the map then claims the words. */
#define PRESENT(KEY, MEMBER) ((KEY)->map |= FLOW_WORD_BIT(MEMBER))
#define WORD(KEY, MEMBER) ((KEY)->w[FLOW_WORD(MEMBER)])

static uint16_t
ofs_of(const struct packet *pkt, const struct cursor *c)
{
    return (uint16_t) MIN(c->p - pkt->data, PACKET_NO_OFS);
}

/* Up to two VLAN tags and the Ethertype below them. */
static uint16_t
extract_eth_type(struct cursor *c, struct flow_key *key)
{
    uint16_t type = cursor_u16(c);

    key->f.vlan_tci = 0;
    if (eth_type_is_vlan(type) && cursor_left(c) >= 4) {
        key->f.vlan_tci = htobe16(cursor_u16(c) | FLOW_VLAN_PRESENT);
        WORD(key, vlan_tpid) = 0;
        PRESENT(key, vlan_tpid);
        key->f.vlan_tpid = htobe16(type);
        type = cursor_u16(c);
        if (eth_type_is_vlan(type) && cursor_left(c) >= 4) {
            key->f.vlan_inner.tpid = htobe16(type);
            key->f.vlan_inner.tci = htobe16(cursor_u16(c)
                                            | FLOW_VLAN_PRESENT);
            type = cursor_u16(c);
        }
    }
    if (type < ETH_TYPE_MIN) {
        /* 802.3: an LLC/SNAP header with OUI 0 carries an Ethertype. */
        static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };

        if (cursor_left(c) >= 8 && !memcmp(c->p, snap, sizeof snap)) {
            cursor_skip(c, sizeof snap);
            type = cursor_u16(c);
            if (type < ETH_TYPE_MIN) {
                type = FLOW_ETH_TYPE_NONE;
            }
        } else {
            type = FLOW_ETH_TYPE_NONE;
        }
    }
    key->f.eth_type = htobe16(type);
    return type;
}

static void
extract_mpls(struct cursor *c, struct flow_key *key)
{
    key->w[FLOW_WORD(mpls_lse[0])] = 0;
    key->w[FLOW_WORD(mpls_lse[2])] = 0;
    key->map |= FLOW_WORD_BIT(mpls_lse[0]) | FLOW_WORD_BIT(mpls_lse[2]);
    for (unsigned int i = 0; i < FLOW_MAX_MPLS && cursor_left(c) >= 4; i++) {
        uint32_t lse = cursor_u32(c);

        key->f.mpls_lse[i] = htobe32(lse);
        if (lse & MPLS_BOS) {
            break;
        }
    }
}

static void
extract_pbb(struct cursor *c, struct flow_key *key)
{
    if (cursor_left(c) >= PBB_TCI_LEN + ETH_HEADER_LEN) {
        WORD(key, pbb_itag) = 0;
        key->f.pbb_itag = htobe32(cursor_u32(c));
        PRESENT(key, pbb_itag);
    }
}

static void
extract_arp(struct cursor *c, struct flow_key *key)
{
    const struct arp_header *arp = (const void *) c->p;

    if (!arp_is_sound(arp, cursor_left(c))) {
        return;
    }
    WORD(key, nw_proto) = 0;
    key->f.arp_op = get_be16(arp->op);
    key->f.nw_src = get_be32(arp->spa);
    key->f.nw_dst = get_be32(arp->tpa);
    WORD(key, arp_sha) = 0;
    WORD(key, arp_tha) = 0;
    memcpy(&key->f.arp_sha, arp->sha, 6);
    memcpy(&key->f.arp_tha, arp->tha, 6);
    key->map |= FLOW_WORD_BIT(nw_src) | FLOW_WORD_BIT(nw_proto)
                | FLOW_WORD_BIT(arp_sha) | FLOW_WORD_BIT(arp_tha);
}

/* RFC 4861 sections 4.3, 4.4 and 4.6: target and link-layer options. */
static void
extract_nd(const uint8_t *icmp, size_t len, struct flow_key *key)
{
    struct nd_options options;

    if (len < ND_HEADER_LEN
        || !nd_options_decode(&options, icmp + ND_HEADER_LEN,
                              len - ND_HEADER_LEN)) {
        return;
    }
    memcpy(&key->f.nd_target, icmp + ND_TARGET_OFS, 16);
    WORD(key, nd_reserved) = 0;
    key->f.nd_reserved = get_be32(icmp + ND_RESERVED_OFS);
    WORD(key, arp_sha) = 0;
    WORD(key, arp_tha) = 0;
    if (options.sll) {
        memcpy(&key->f.arp_sha, options.sll, 6);
    }
    if (options.tll) {
        memcpy(&key->f.arp_tha, options.tll, 6);
    }
    key->f.nd_options_type = options.type;
    key->map |= FLOW_WORD_BIT(nd_target) | FLOW_WORD_BIT(nd_target) << 1
                | FLOW_WORD_BIT(nd_reserved) | FLOW_WORD_BIT(arp_sha)
                | FLOW_WORD_BIT(arp_tha);
}

static void
extract_l4(struct cursor *c, struct flow_key *key, uint8_t proto, bool is_ip6)
{
    if (LIKELY(proto == IP_PROTO_TCP)) {
        const uint8_t *tcp = cursor_take(c, TCP_HEADER_LEN);

        if (tcp) {
            memcpy(&key->f.tp_src, tcp, 4);
            if (!is_ip6) {
                WORD(key, tcp_flags) = 0;
                PRESENT(key, tcp_flags);
            }
            key->f.tcp_flags = get_be16(tcp + 12) & htobe16(0x0fff);
        }
    } else if (proto == IP_PROTO_UDP) {
        const uint8_t *udp = cursor_take(c, UDP_HEADER_LEN);

        if (udp) {
            memcpy(&key->f.tp_src, udp, 4);
        }
    } else if (proto == IP_PROTO_SCTP) {
        const uint8_t *sctp = cursor_take(c, SCTP_HEADER_LEN);

        if (sctp) {
            memcpy(&key->f.tp_src, sctp, 4);
        }
    } else if ((proto == IP_PROTO_ICMP && !is_ip6)
               || (proto == IP_PROTO_ICMPV6 && is_ip6)
               || (proto == IP_PROTO_IGMP && !is_ip6)) {
        const uint8_t *icmp = c->p;
        size_t len = cursor_left(c);

        if (cursor_take(c, 4)) {
            key->f.tp_src = htobe16(icmp[0]);
            key->f.tp_dst = htobe16(proto == IP_PROTO_IGMP ? 0 : icmp[1]);
            if (is_ip6 && nd_is_message(icmp)) {
                extract_nd(icmp, len, key);
            }
        }
    }
}

/* What lies behind the length that the IP header names is Ethernet padding. */
static void
cut_padding(struct packet *pkt, struct cursor *c, size_t len)
{
    if (cursor_left(c) > len) {
        pkt->pad_len = (uint16_t) MIN(cursor_left(c) - len, UINT16_MAX);
        c->end = c->p + len;
    }
}

static void
extract_ip4(struct packet *pkt, struct cursor *c, struct flow_key *key)
{
    const struct ip4_header *ip = (const void *) c->p;
    uint16_t frag;

    if (!ip4_is_sound(ip, cursor_left(c))) {
        return;
    }
    cut_padding(pkt, c, be16toh(ip->total_len));
    cursor_skip(c, ip4_header_len(ip));

    memcpy(&key->f.nw_src, ip->src, 8);
    WORD(key, nw_proto) = 0;
    key->f.nw_proto = ip->proto;
    key->f.nw_tos = ip->tos;
    key->f.nw_ttl = ip->ttl;
    key->map |= FLOW_WORD_BIT(nw_src) | FLOW_WORD_BIT(nw_proto);
    frag = be16toh(ip->frag);
    if (UNLIKELY(frag & (IP4_FRAG_MORE | IP4_FRAG_OFS))) {
        key->f.nw_frag = FLOW_FRAG_ANY;
        if (frag & IP4_FRAG_OFS) {
            key->f.nw_frag |= FLOW_FRAG_LATER;
            return;
        }
    }
    pkt->l4_ofs = ofs_of(pkt, c);
    extract_l4(c, key, ip->proto, false);
}

static void
extract_ip6(struct packet *pkt, struct cursor *c, struct flow_key *key)
{
    const struct ip6_header *ip = (const void *) c->p;
    struct ip6_chain chain;
    uint16_t payload_len;
    uint32_t first;
    int proto;

    if (!ip6_is_sound(ip, cursor_left(c))) {
        return;
    }
    first = be32toh(ip->ver_tc_label);
    payload_len = be16toh(ip->payload_len);
    cursor_skip(c, sizeof *ip);
    /* A super-frame of more than 64 KB has length 0 (RFC 2675 and "big TCP");
     * then nothing is known of padding. */
    if (payload_len || !pkt->offload.gso_size) {
        cut_padding(pkt, c, payload_len);
    }

    memcpy(&key->f.ipv6_src, ip->src, 32);
    WORD(key, nw_proto) = 0;
    key->f.nw_tos = (uint8_t) (first >> 20);
    key->f.nw_ttl = ip->hop_limit;
    WORD(key, ipv6_label) = 0;
    key->f.ipv6_label = htobe32(first & 0xfffff);
    key->map |= (UINT64_C(15) << FLOW_WORD(ipv6_src)) | FLOW_WORD_BIT(nw_proto)
                | FLOW_WORD_BIT(ipv6_label);

    proto = ip->next;
    if (UNLIKELY(ip6_is_extension(ip->next)
                 || ip6_is_last_extension(ip->next))) {
        proto = ip6_skip_extensions(c, ip->next, &chain);
        key->f.nw_frag = chain.frag;
        key->f.ipv6_exthdr = htobe16(chain.ext);
        if (proto < 0) {
            /* As OpenFlow says "no next header". */
            key->f.nw_proto = IP_PROTO_NONE;
            return;
        }
    }
    key->f.nw_proto = (uint8_t) proto;
    if (key->f.nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    pkt->l4_ofs = ofs_of(pkt, c);
    extract_l4(c, key, (uint8_t) proto, true);
}

/* What a tracker found in an earlier pass. */
static void
extract_ct(const struct packet *pkt, struct flow_key *key)
{
    const struct packet_ct *ct = &pkt->ct;

    key->f.ct_state = htobe32(pkt->ct_state);
    key->f.ct_zone = htobe16(ct->zone);
    key->f.ct_nw_proto = ct->proto;
    key->f.zero6 = 0;
    key->f.ct_mark = htobe32(ct->mark);
    key->f.ct_tp_src = ct->tp_src;
    key->f.ct_tp_dst = ct->tp_dst;
    key->f.ct_label = ct->label;
    key->f.ct_src = ct->src;
    key->f.ct_dst = ct->dst;
    key->map |= UINT64_C(0xff) << FLOW_WORD(ct_state);
    static_assert(FLOW_WORD(ct_dst) + 1 == FLOW_WORD(ct_state) + 7,
                  "the map above");
}

int
flow_key_extract(struct packet *pkt, struct flow_key *key)
{
    struct cursor c = cursor_init(pkt->data, pkt->len);
    uint16_t type;

    pkt->l2_5_ofs = pkt->l3_ofs = pkt->l4_ofs = PACKET_NO_OFS;
    pkt->pad_len = 0;
    key->map = 7;
    static_assert(FLOW_WORD(in_port) == 0 && FLOW_WORD(eth_dst) == 1
                  && FLOW_WORD(eth_type) == 2, "the map above");
    key->f.in_port = htobe32(pkt->in_port);
    key->f.recirc_id = pkt->recirc_id;
    if (UNLIKELY(pkt->ct_state)) {
        extract_ct(pkt, key);
    }
    if (UNLIKELY(pkt->tun.family)) {
        tunnel_key_extract(&pkt->tun, key);
    }
    if (UNLIKELY(pkt->len < ETH_HEADER_LEN)) {
        key->w[1] = key->w[2] = 0;
        return -EBADMSG;
    }
    memcpy(&key->f.eth_dst, cursor_take(&c, 12), 12);
    type = extract_eth_type(&c, key);

    if (LIKELY(type == ETH_TYPE_IP)) {
        pkt->l3_ofs = ofs_of(pkt, &c);
        extract_ip4(pkt, &c, key);
    } else if (type == ETH_TYPE_IPV6) {
        pkt->l3_ofs = ofs_of(pkt, &c);
        extract_ip6(pkt, &c, key);
    } else if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        pkt->l3_ofs = ofs_of(pkt, &c);
        extract_arp(&c, key);
    } else if (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST) {
        pkt->l2_5_ofs = ofs_of(pkt, &c);
        extract_mpls(&c, key);
    } else if (type == ETH_TYPE_PBB) {
        pkt->l2_5_ofs = ofs_of(pkt, &c);
        extract_pbb(&c, key);
    }
    return 0;
}

void
flow_from_key(struct flow *flow, const struct flow_key *key)
{
    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        flow->w[i] = flow_key_word(key, i);
    }
    memset(&flow->w[FLOW_KEY_WORDS], 0,
           sizeof *flow - sizeof flow->w[0] * FLOW_KEY_WORDS);
}

struct flow_map
flow_mask_map(const struct flow_mask *mask)
{
    struct flow_map map = { { 0, 0 } };

    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (mask->bits.w[i]) {
            flow_map_add(&map, i);
        }
    }
    return map;
}
