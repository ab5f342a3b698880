#include "switch/random_frames.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/flow_key.h"
#include "packet/ip.h"

static uint8_t *
grow(struct random_frame *f, uint32_t len)
{
    uint8_t *p = f->bytes + f->len;

    assert(f->len + len <= RANDOM_FRAME_MAX);
    memset(p, 0, len);
    f->len += len;
    return p;
}

static void
add16(struct random_frame *f, uint16_t v)
{
    put_be16(grow(f, 2), htobe16(v));
}

static void
add32(struct random_frame *f, uint32_t v)
{
    put_be32(grow(f, 4), htobe32(v));
}

static void
add_payload(struct rng *rng, struct random_frame *f)
{
    uint32_t len = rng_below(rng, 24);
    uint8_t *p = grow(f, len);

    for (uint32_t i = 0; i < len; i++) {
        p[i] = (uint8_t) rng_u32(rng);
    }
}

static void
add_mac(struct rng *rng, struct random_frame *f, bool may_be_group)
{
    uint8_t *p = grow(f, 6);

    p[0] = 2;
    p[5] = (uint8_t) (1 + rng_below(rng, 6));
    if (may_be_group && rng_one_in(rng, 12)) {
        memset(p, 0xff, 6);
    } else if (rng_one_in(rng, 100)) {
        static const uint8_t reserved[5] = { 1, 0x80, 0xc2 };

        memcpy(p, reserved, 5);
        p[5] = rng_one_in(rng, 2) ? 0 : 14;   /* spanning tree, LLDP */
    }
}

/* TCP, UDP, SCTP or ICMP. */
static void
add_l4(struct rng *rng, struct random_frame *f, uint8_t proto)
{
    uint8_t *p;

    switch (proto) {
    case IP_PROTO_TCP:
        add16(f, (uint16_t) (1000 + rng_below(rng, 3)));
        add16(f, (uint16_t) (80 + rng_below(rng, 3)));
        p = grow(f, 16);
        p[8] = 5 << 4;
        p[9] = (uint8_t) (rng_u32(rng) & 0x1f);
        break;
    case IP_PROTO_UDP: case IP_PROTO_SCTP:
        add16(f, (uint16_t) (1000 + rng_below(rng, 3)));
        add16(f, (uint16_t) (80 + rng_below(rng, 3)));
        p = grow(f, proto == IP_PROTO_UDP ? 4 : 8);
        if (proto == IP_PROTO_UDP) {
            p[1] = 8;
            p[2] = rng_one_in(rng, 2) ? 0x12 : 0;
        }
        break;
    case IP_PROTO_ICMP: case IP_PROTO_IGMP:
        p = grow(f, 8);
        p[0] = rng_one_in(rng, 2) ? 8 : 0;
        p[1] = (uint8_t) rng_below(rng, 2);
        break;
    case IP_PROTO_ICMPV6:
        p = grow(f, 4);
        p[0] = (uint8_t) (133 + rng_below(rng, 5));
        p[1] = rng_one_in(rng, 8);
        grow(f, 4);
        p = grow(f, 16);
        p[0] = 0xfd;
        p[15] = (uint8_t) rng_below(rng, 3);
        for (unsigned int i = rng_below(rng, 3); i > 0; i--) {
            p = grow(f, 8);
            p[0] = (uint8_t) (1 + rng_below(rng, 3));
            p[1] = 1;
            p[7] = (uint8_t) rng_below(rng, 3);
        }
        break;
    default:
        break;
    }
}

static uint8_t
random_ttl(struct rng *rng)
{
    static const uint8_t ttls[] = { 64, 64, 64, 63, 65, 2, 1, 0 };

    return ttls[rng_below(rng, ARRAY_SIZE(ttls))];
}

static void
add_ip4(struct rng *rng, struct random_frame *f)
{
    static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_TCP,
                                      IP_PROTO_UDP, IP_PROTO_ICMP,
                                      IP_PROTO_SCTP, IP_PROTO_IGMP, 47 };
    uint8_t proto = protos[rng_below(rng, ARRAY_SIZE(protos))];
    bool has_options = rng_one_in(rng, 8);
    uint32_t start = f->len;
    uint8_t *ip = grow(f, has_options ? 24 : 20);

    ip[0] = has_options ? 0x46 : 0x45;
    ip[1] = (uint8_t) (rng_below(rng, 3) << 2 | rng_below(rng, 2));
    if (rng_one_in(rng, 8)) {
        ip[6] = rng_one_in(rng, 2) ? 0x20 : 0;
        ip[7] = (uint8_t) rng_below(rng, 2);
    }
    ip[8] = random_ttl(rng);
    ip[9] = proto;
    ip[12] = ip[16] = 10;
    ip[15] = (uint8_t) rng_below(rng, 4);
    ip[18] = (uint8_t) rng_below(rng, 2);
    ip[19] = (uint8_t) rng_below(rng, 4);
    add_l4(rng, f, proto);
    add_payload(rng, f);
    put_be16(ip + 2, htobe16((uint16_t) (f->len - start)));
}

static void
add_ip6(struct rng *rng, struct random_frame *f)
{
    static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_UDP,
                                      IP_PROTO_ICMPV6, IP_PROTO_ICMPV6, 59 };
    uint8_t proto = protos[rng_below(rng, ARRAY_SIZE(protos))];
    uint8_t *ip = grow(f, 40), *ext = NULL;
    uint32_t start = f->len;

    ip[0] = 0x60 | (uint8_t) rng_below(rng, 2);
    ip[1] = (uint8_t) (rng_below(rng, 2) << 4);
    ip[3] = (uint8_t) rng_below(rng, 2);
    ip[6] = proto;
    ip[7] = random_ttl(rng);
    ip[8] = ip[24] = 0xfd;
    ip[23] = (uint8_t) rng_below(rng, 4);
    ip[39] = (uint8_t) rng_below(rng, 4);
    if (rng_one_in(rng, 5)) {
        ip[6] = rng_one_in(rng, 2) ? IP_PROTO_HOPOPTS : IP_PROTO_FRAGMENT;
        ext = grow(f, 8);
        ext[0] = proto;
        ext[3] = ip[6] == IP_PROTO_FRAGMENT ? (uint8_t) rng_below(rng, 10)
                                            : 0;
    }
    add_l4(rng, f, proto);
    add_payload(rng, f);
    put_be16(ip + 4, htobe16((uint16_t) (f->len - start)));
}

static void
add_arp(struct rng *rng, struct random_frame *f)
{
    uint8_t *arp;

    add16(f, 1);
    add16(f, ETH_TYPE_IP);
    add16(f, 0x0604);
    add16(f, (uint16_t) (1 + rng_below(rng, 2)));
    arp = grow(f, 20);
    arp[5] = (uint8_t) rng_below(rng, 4);
    arp[6] = arp[16] = 10;
    arp[9] = (uint8_t) rng_below(rng, 4);
    arp[15] = (uint8_t) rng_below(rng, 4);
    arp[19] = (uint8_t) rng_below(rng, 4);
}

static void
add_mpls(struct rng *rng, struct random_frame *f)
{
    unsigned int n = 1 + rng_below(rng, 4);

    for (unsigned int i = 0; i < n; i++) {
        add32(f, (16 + rng_below(rng, 3)) << 12 | rng_below(rng, 2) << 9
                 | (i + 1 == n ? MPLS_BOS : 0) | random_ttl(rng));
    }
    switch (rng_below(rng, 3)) {
    case 0: add_ip6(rng, f); break;
    case 1: add_payload(rng, f); break;
    default: add_ip4(rng, f); break;
    }
}

static void add_network(struct rng *, struct random_frame *);

static void
add_pbb(struct rng *rng, struct random_frame *f)
{
    add32(f, rng_below(rng, 2) << PBB_PCP_SHIFT | rng_below(rng, 2) << 27
             | (0xfffffe + rng_below(rng, 2)));
    add_mac(rng, f, true);
    add_mac(rng, f, false);
    if (rng_one_in(rng, 3)) {
        add16(f, ETH_TYPE_VLAN);
        add16(f, 10);
    }
    add_network(rng, f);
}

static void
add_network(struct rng *rng, struct random_frame *f)
{
    switch (rng_below(rng, 14)) {
    case 0: case 1: case 2: case 3: case 13:
        add16(f, ETH_TYPE_IP);
        add_ip4(rng, f);
        return;
    case 4: case 5: case 6:
        add16(f, ETH_TYPE_IPV6);
        add_ip6(rng, f);
        return;
    case 7:
        add16(f, ETH_TYPE_ARP);
        add_arp(rng, f);
        return;
    case 8: case 9:
        add16(f, rng_one_in(rng, 4) ? ETH_TYPE_MPLS_MCAST : ETH_TYPE_MPLS);
        add_mpls(rng, f);
        return;
    case 12:
        add16(f, ETH_TYPE_PBB);
        add_pbb(rng, f);
        return;
    case 10:
        add16(f, 0x88b5);
        add_payload(rng, f);
        return;
    default:
        /* A length, and LLC. */
        add16(f, 8);
        add_payload(rng, f);
        return;
    }
}

void
random_frame(struct rng *rng, struct random_frame *f)
{
    static const uint8_t tags[] = { 0, 0, 0, 1, 1, 2, 3 };
    unsigned int n_tags = tags[rng_below(rng, ARRAY_SIZE(tags))];

    f->len = 0;
    add_mac(rng, f, true);
    add_mac(rng, f, rng_one_in(rng, 10));
    for (unsigned int i = 0; i < n_tags; i++) {
        add16(f, rng_one_in(rng, 4) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
        add16(f, (uint16_t) (rng_below(rng, 2) << VLAN_PCP_SHIFT
                             | rng_below(rng, 3) * 10));
    }
    add_network(rng, f);
    if (rng_one_in(rng, 25)) {
        f->len -= rng_below(rng, f->len - ETH_HEADER_LEN + 1);
    }
}

void
random_frame_settle(struct random_frame *f)
{
    struct packet pkt = { .data = f->bytes, .len = f->len };
    struct flow_key key;
    uint8_t *ip, *l4;

    if (flow_key_extract(&pkt, &key) || pkt.l4_ofs == PACKET_NO_OFS) {
        return;
    }
    ip = pkt.data + pkt.l3_ofs;
    l4 = pkt.data + pkt.l4_ofs;
    if (ip[0] >> 4 == 4) {
        put_be16(ip + 10, 0);
        put_be16(ip + 10, checksum_fold(checksum_add(0, ip,
                                                     (ip[0] & 0xf) * 4u)));
    }
    if (key.f.nw_proto == IP_PROTO_UDP
        && pkt.l4_ofs + UDP_HEADER_LEN + 0u <= pkt.len - pkt.pad_len) {
        put_be16(l4 + 4, htobe16((uint16_t) (pkt.len - pkt.pad_len
                                             - pkt.l4_ofs)));
    }
}
