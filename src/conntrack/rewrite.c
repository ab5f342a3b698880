#include "conntrack/rewrite.h"

#include "packet/checksum.h"
#include "packet/edit.h"
#include "packet/ip6_ext.h"

static u128
number_of(const struct ct_tuple *t, const struct ip6_addr *addr)
{
    return t->family == 4 ? be32toh(get_be32(addr->b))
                          : (u128) be64toh(get_be64(addr->b)) << 64
                            | be64toh(get_be64(addr->b + 8));
}

static bool
same_addr(const struct ip6_addr *a, const struct ip6_addr *b)
{
    return !memcmp(a, b, sizeof *a);
}

static bool
set_address(struct packet *pkt, const struct ct_tuple *t, bool is_dst,
            const struct ip6_addr *addr)
{
    enum field_id id = t->family == 4
                       ? is_dst ? FIELD_IPV4_DST : FIELD_IPV4_SRC
                       : is_dst ? FIELD_IPV6_DST : FIELD_IPV6_SRC;

    return packet_set_field(pkt, id, number_of(t, addr), ~(u128) 0);
}

static bool
set_port(struct packet *pkt, uint8_t proto, bool is_dst, be16 port)
{
    enum field_id id;

    switch (proto) {
    case IP_PROTO_TCP: id = is_dst ? FIELD_TCP_DST : FIELD_TCP_SRC; break;
    case IP_PROTO_UDP: id = is_dst ? FIELD_UDP_DST : FIELD_UDP_SRC; break;
    case IP_PROTO_SCTP: id = is_dst ? FIELD_SCTP_DST : FIELD_SCTP_SRC; break;
    default: return true;
    }
    return packet_set_field(pkt, id, be16toh(port), UINT16_MAX);
}

/* Of a query or its reply. */
static bool
set_icmp_id(struct packet *pkt, be16 id)
{
    uint8_t *icmp = pkt->data + pkt->l4_ofs;
    be16 sum;

    if (pkt->l4_ofs == PACKET_NO_OFS
        || pkt->len < (uint32_t) pkt->l4_ofs + ICMP_HEADER_LEN) {
        return false;
    }
    sum = get_be16(icmp + ICMP_CSUM_OFS);
    put_be16(icmp + ICMP_CSUM_OFS,
             checksum_update16(sum, get_be16(icmp + 4), id));
    put_be16(icmp + 4, id);
    return true;
}

bool
ct_rewrite(struct packet *pkt, const struct ct_tuple *have,
           const struct ct_tuple *want)
{
    if (!same_addr(&have->src, &want->src)
        && !set_address(pkt, have, false, &want->src)) {
        return false;
    }
    if (!same_addr(&have->dst, &want->dst)
        && !set_address(pkt, have, true, &want->dst)) {
        return false;
    }
    if (pkt->l4_ofs == PACKET_NO_OFS) {
        return true;              /* a later fragment */
    }
    if (ct_proto_is_icmp(have->proto)) {
        return have->src_port == want->src_port
               || set_icmp_id(pkt, want->src_port);
    }
    return (have->src_port == want->src_port
            || set_port(pkt, have->proto, false, want->src_port))
           && (have->dst_port == want->dst_port
               || set_port(pkt, have->proto, true, want->dst_port));
}

/* ---- Inside of an error ---- */

/* The inner packet, as much of it as there is. */
struct inner {
    uint8_t *addrs;           /* source and destination, one behind the other */
    size_t addr_len;
    be16 *header_sum;         /* IPv4's; NULL */
    uint8_t *l4;
    uint32_t l4_len;
    uint8_t proto;
};

static void
find_inner(const struct ct_packet *p, uint8_t family, struct inner *in)
{
    *in = (struct inner) { .proto = p->tuple.proto };
    if (family == 4) {
        struct ip4_header *ip = (void *) p->inner;

        in->addrs = ip->src;
        in->addr_len = 4;
        in->header_sum = (void *) (p->inner + 10);
        in->l4 = p->inner + ip4_header_len(ip);
    } else {
        struct ip6_header *ip = (void *) p->inner;
        struct cursor c = cursor_init(ip + 1, p->inner_len - sizeof *ip);
        struct ip6_chain chain;

        in->addrs = ip->src;
        in->addr_len = 16;
        if (ip6_is_extension(ip->next)) {
            ip6_skip_extensions(&c, ip->next, &chain);
        }
        in->l4 = p->inner + (c.p - p->inner);
    }
    in->l4_len = p->inner_len - (uint32_t) (in->l4 - p->inner);
}

/* The inner transport's own checksum, if it is there and was made. */
static uint8_t *
sum_of_inner(const struct inner *in)
{
    unsigned int ofs = in->proto == IP_PROTO_TCP ? TCP_CSUM_OFS
                       : in->proto == IP_PROTO_UDP ? UDP_CSUM_OFS
                       : ct_proto_is_icmp(in->proto) ? ICMP_CSUM_OFS : 0;

    if (!ofs || in->l4_len < ofs + 2u
        || (in->proto == IP_PROTO_UDP && !get_be16(in->l4 + ofs))) {
        return NULL;
    }
    return in->l4 + ofs;
}

static void
replace(struct inner *in, uint8_t *at, const void *bytes, size_t len,
        bool in_header)
{
    uint8_t *sum = sum_of_inner(in);

    if (in_header && in->header_sum) {
        put_be16(in->header_sum,
                 checksum_update_bytes(get_be16(in->header_sum), at, bytes,
                                       len));
    }
    if (sum && !(in_header && in->proto == IP_PROTO_ICMP)) {
        put_be16(sum, checksum_update_bytes(get_be16(sum), at, bytes, len));
    }
    memcpy(at, bytes, len);
}

static void
rewrite_inner(struct ct_packet *p, const struct ct_tuple *want)
{
    struct inner in;

    find_inner(p, want->family, &in);
    replace(&in, in.addrs, want->src.b, in.addr_len, true);
    replace(&in, in.addrs + in.addr_len, want->dst.b, in.addr_len, true);
    if (in.l4_len < 8) {
        return;
    }
    if (ct_proto_is_icmp(in.proto)) {
        replace(&in, in.l4 + 4, &want->src_port, 2, false);
    } else if (in.proto == IP_PROTO_TCP || in.proto == IP_PROTO_UDP
               || in.proto == IP_PROTO_SCTP) {
        replace(&in, in.l4, &want->src_port, 2, false);
        replace(&in, in.l4 + 2, &want->dst_port, 2, false);
    }
}

static void
renew_icmp_sum(struct packet *pkt, const struct ct_packet *p,
               const struct ct_tuple *t)
{
    uint32_t sum = 0;

    put_be16(p->l4 + ICMP_CSUM_OFS, 0);
    if (t->family == 6) {
        const uint8_t *ip = pkt->data + pkt->l3_ofs;

        sum = checksum_pseudo6(ip + 8, ip + 24, IP_PROTO_ICMPV6, p->l4_len);
    }
    put_be16(p->l4 + ICMP_CSUM_OFS,
             checksum_fold(checksum_add(checksum_reduce(sum), p->l4,
                                        p->l4_len)));
}

bool
ct_rewrite_error(struct packet *pkt, struct ct_packet *p,
                 const struct ct_tuple *have, const struct ct_tuple *want)
{
    struct ct_tuple sent = ct_tuple_reverse(want);

    if (!same_addr(&have->src, &want->src)
        && !set_address(pkt, have, false, &want->src)) {
        return false;
    }
    if (!same_addr(&have->dst, &want->dst)
        && !set_address(pkt, have, true, &want->dst)) {
        return false;
    }
    rewrite_inner(p, &sent);
    renew_icmp_sum(pkt, p, have);
    return true;
}
