#include "frames.h"

#include <stdlib.h>

#include "packet/eth.h"
#include "packet/crc32c.h"
#include "packet/nd.h"

static void
fill(uint8_t *p, size_t len, struct rng *rng)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t) rng_u32(rng);
    }
}

static void
put16(uint8_t *p, unsigned int v)
{
    p[0] = (uint8_t) (v >> 8);
    p[1] = (uint8_t) v;
}

static unsigned int
get16(const uint8_t *p)
{
    return (unsigned int) p[0] << 8 | p[1];
}

uint16_t
frame_sum(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i & 1 ? p[i] : (uint64_t) p[i] << 8;
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t) sum;
}

/* ---- Taking frames apart, naively ---- */

struct layout {
    size_t l3, l4, end;
    unsigned int type;
    int proto;                    /* -1: none, or not in this fragment */
    bool is_fragment;
    uint8_t pseudo[40];
    size_t pseudo_len;
};

static void
lay_out_ip6(const uint8_t *f, struct layout *l)
{
    size_t at = l->l3 + 40;
    const uint8_t *dst = f + l->l3 + 24;
    int next = f[l->l3 + 6];

    l->end = at + get16(f + l->l3 + 4);
    while (next == 0 || next == 43 || next == 44 || next == 60) {
        size_t len = next == 44 ? 8 : (f[at + 1] + 1u) * 8;

        if (next == 43 && f[at + 3]) {
            dst = f + at + len - 16;
        }
        if (next == 44) {
            l->is_fragment = true;
        }
        next = f[at];
        at += len;
    }
    l->l4 = at;
    l->proto = next;
    memcpy(l->pseudo, f + l->l3 + 8, 16);
    memcpy(l->pseudo + 16, dst, 16);
    put16(l->pseudo + 32, 0);
    put16(l->pseudo + 34, (unsigned int) (l->end - at));
    put16(l->pseudo + 36, 0);
    put16(l->pseudo + 38, (unsigned int) next);
    l->pseudo_len = 40;
}

static struct layout
lay_out(const uint8_t *f, size_t len)
{
    struct layout l = { .l3 = 12, .end = len, .proto = -1 };

    while (get16(f + l.l3) == 0x8100 || get16(f + l.l3) == 0x88a8
           || get16(f + l.l3) == 0x88e7) {
        l.l3 += get16(f + l.l3) == 0x88e7 ? 18 : 4;
    }
    l.type = get16(f + l.l3);
    l.l3 += 2;
    if (l.type == 0x8847 || l.type == 0x8848) {
        while (!(f[l.l3 + 2] & 1)) {
            l.l3 += 4;
        }
        l.l3 += 4;
        l.type = f[l.l3] >> 4 == 4 ? 0x0800 : f[l.l3] >> 4 == 6 ? 0x86dd : 0;
    }
    if (l.type == 0x0800) {
        l.l4 = l.l3 + (f[l.l3] & 15) * 4u;
        l.end = l.l3 + get16(f + l.l3 + 2);
        l.proto = f[l.l3 + 9];
        l.is_fragment = f[l.l3 + 6] & 0x20;
        memcpy(l.pseudo, f + l.l3 + 12, 8);
        put16(l.pseudo + 8, (unsigned int) l.proto);
        put16(l.pseudo + 10, (unsigned int) (l.end - l.l4));
        l.pseudo_len = 12;
    } else if (l.type == 0x86dd) {
        lay_out_ip6(f, &l);
    }
    return l;
}

static size_t
csum_ofs_of(const struct layout *l)
{
    switch (l->proto) {
    case IP_PROTO_TCP: return l->l4 + 16;
    case IP_PROTO_UDP: return l->l4 + 6;
    case IP_PROTO_ICMPV6: case IP_PROTO_ICMP: return l->l4 + 2;
    default: return 0;
    }
}

/* Of the transport with its pseudo-header; 0xffff when the checksum in it is
 * right. */
static uint16_t
l4_sum(const uint8_t *f, const struct layout *l)
{
    uint32_t sum = frame_sum(f + l->l4, l->end - l->l4);

    if (l->proto != IP_PROTO_ICMP) {
        sum += frame_sum(l->pseudo, l->pseudo_len);
    }
    return (uint16_t) (sum > 0xffff ? sum - 0xffff : sum);
}

/* In a first fragment the sum of what is elsewhere is stood for by a constant:
 * only differences matter. */
enum { ELSEWHERE = 0x1234 };

static uint16_t
wanted_sum(const struct layout *l)
{
    return l->is_fragment ? 0xffff - ELSEWHERE : 0xffff;
}

bool
frame_is_whole(const uint8_t *f, size_t len, const char **why)
{
    struct layout l = lay_out(f, len);
    const char *ignored;
    size_t csum;

    why = why ? why : &ignored;
    *why = "IPv4 header checksum";
    if (l.type == 0x0800 && frame_sum(f + l.l3, l.l4 - l.l3) != 0xffff) {
        return false;
    }
    *why = "SCTP checksum";
    if (l.proto == IP_PROTO_SCTP) {
        uint8_t copy[4096];

        memcpy(copy, f + l.l4, l.end - l.l4);
        memset(copy + 8, 0, 4);
        return get_be32(f + l.l4 + 8)
               == htole32(~crc32c_add_by_table(~0u, copy, l.end - l.l4));
    }
    csum = csum_ofs_of(&l);
    *why = "transport checksum";
    if (!csum || (l.proto == IP_PROTO_UDP && !get16(f + csum))) {
        return true;
    }
    return l4_sum(f, &l) == wanted_sum(&l);
}

size_t
frame_csum_ofs(const uint8_t *f, size_t len, size_t *l4_ofs)
{
    struct layout l = lay_out(f, len);

    *l4_ofs = l.l4;
    return csum_ofs_of(&l);
}

static void
write_checksums(uint8_t *f, size_t len, bool no_udp_csum)
{
    struct layout l = lay_out(f, len);
    size_t csum = csum_ofs_of(&l);

    if (l.type == 0x0800) {
        put16(f + l.l3 + 10, 0);
        put16(f + l.l3 + 10,
              0xffffu - frame_sum(f + l.l3, l.l4 - l.l3));
    }
    if (l.proto == IP_PROTO_SCTP) {
        memset(f + l.l4 + 8, 0, 4);
        put_be32(f + l.l4 + 8, htole32(~crc32c_add_by_table(~0u, f + l.l4,
                                                        l.end - l.l4)));
    } else if (csum) {
        uint32_t sum;

        put16(f + csum, 0);
        sum = l4_sum(f, &l) + (l.is_fragment ? ELSEWHERE : 0);
        sum = 0xffff - (sum > 0xffff ? sum - 0xffff : sum);
        put16(f + csum, no_udp_csum && l.proto == IP_PROTO_UDP ? 0
              : !sum && l.proto == IP_PROTO_UDP ? 0xffff : sum);
    }
}

void
frame_owe_checksum(struct packet *pkt)
{
    struct layout l = lay_out(pkt->data, pkt->len);
    size_t csum = csum_ofs_of(&l);

    put16(pkt->data + csum, l.proto == IP_PROTO_ICMP ? 0
          : frame_sum(l.pseudo, l.pseudo_len));
    pkt->offload.flags = OFFLOAD_NEEDS_CSUM;
    pkt->offload.csum_start = (uint16_t) l.l4;
    pkt->offload.csum_offset = (uint16_t) (csum - l.l4);
}

/* ---- Making frames ---- */

struct frame_spec
frame_random_super_spec(struct rng *rng)
{
    struct frame_spec spec = {
        .n_vlans = rng_below(rng, 3),
        .is_ip6 = rng_one_in(rng, 2),
        .proto = rng_one_in(rng, 2) ? IP_PROTO_TCP : IP_PROTO_UDP,
        .n_options = rng_one_in(rng, 3) ? 1 + rng_below(rng, 3) : 0,
        .payload_len = rng_below(rng, 300),
    };

    spec.is_routed = spec.is_ip6 && rng_one_in(rng, 6);
    return spec;
}

struct frame_spec
frame_random_spec(struct rng *rng)
{
    static const uint8_t protos4[] = { IP_PROTO_TCP, IP_PROTO_UDP,
                                       IP_PROTO_ICMP, IP_PROTO_SCTP,
                                       IP_PROTO_GRE, 0 };
    static const uint8_t protos6[] = { IP_PROTO_TCP, IP_PROTO_UDP,
                                       IP_PROTO_ICMPV6, IP_PROTO_SCTP,
                                       IP_PROTO_GRE, IP_PROTO_ICMPV6 };
    struct frame_spec spec = frame_random_super_spec(rng);

    spec.proto = spec.is_ip6 ? protos6[rng_below(rng, sizeof protos6)]
                             : protos4[rng_below(rng, sizeof protos4)];
    spec.icmp_type = spec.is_ip6 && rng_one_in(rng, 2)
                     ? (uint8_t) (ND_SOLICIT + rng_below(rng, 2))
                     : (uint8_t) rng_below(rng, 130);
    spec.first_fragment = spec.proto && spec.proto != IP_PROTO_SCTP
                          && rng_one_in(rng, 8);
    spec.no_udp_csum = rng_one_in(rng, 8);
    spec.pad_len = rng_one_in(rng, 4) ? rng_below(rng, 20) : 0;
    return spec;
}

static size_t
build_arp(uint8_t *p, struct rng *rng)
{
    static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

    fill(p, 28, rng);
    memcpy(p, head, sizeof head);
    if (rng_one_in(rng, 8)) {
        p[6] = 1;                 /* an opcode above 255 */
    }
    return 28;
}

static size_t
build_l4(uint8_t *p, const struct frame_spec *spec, struct rng *rng)
{
    unsigned int n_words = 5 + rng_below(rng, 4);
    size_t len = spec->payload_len;

    switch (spec->proto) {
    case IP_PROTO_TCP:
        len += n_words * 4;
        fill(p, len, rng);
        p[12] = (uint8_t) (n_words << 4 | (p[12] & 0xf));
        return len;
    case IP_PROTO_UDP:
        len += 8;
        fill(p, len, rng);
        put16(p + 4, (unsigned int) len);
        return len;
    case IP_PROTO_ICMPV6:
        if (spec->icmp_type == ND_SOLICIT || spec->icmp_type == ND_ADVERT) {
            fill(p, 24 + 8 * 3, rng);
            p[0] = spec->icmp_type;
            p[1] = 0;
            p[24] = 14;           /* a nonce (RFC 3971) */
            p[32] = ND_OPTION_SLL;
            p[40] = ND_OPTION_TLL;
            p[25] = p[33] = p[41] = 1;
            return 24 + 8 * (1 + rng_below(rng, 3));
        }
        /* fall through */
    case IP_PROTO_ICMP:
        len += 8;
        fill(p, len, rng);
        p[0] = spec->icmp_type;
        return len;
    default:
        len += 12;
        fill(p, len, rng);
        return len;
    }
}

/* Extension headers; `*next` points at the byte that names the first. */
static size_t
build_extensions(uint8_t *p, uint8_t *next, const struct frame_spec *spec,
                 struct rng *rng)
{
    size_t at = 0;

    for (unsigned int i = 0; i < spec->n_options; i++) {
        size_t len = 8 * (1 + rng_below(rng, 2));

        *next = i ? IP_PROTO_DSTOPTS : IP_PROTO_HOPOPTS;
        fill(p + at, len, rng);
        p[at + 1] = (uint8_t) (len / 8 - 1);
        next = p + at;
        at += len;
    }
    if (spec->is_routed) {
        *next = IP_PROTO_ROUTING;
        fill(p + at, 8 + 32, rng);
        p[at + 1] = 4;
        p[at + 2] = 0;
        p[at + 3] = 1;
        next = p + at;
        at += 8 + 32;
    }
    if (spec->first_fragment) {
        *next = IP_PROTO_FRAGMENT;
        fill(p + at, 8, rng);
        p[at + 2] = 0;
        p[at + 3] = 1;
        next = p + at;
        at += 8;
    }
    *next = spec->proto;
    return at;
}

static size_t
build_ip(uint8_t *p, const struct frame_spec *spec, struct rng *rng)
{
    size_t l4;

    if (spec->is_ip6) {
        fill(p, 40, rng);
        p[0] = (uint8_t) (0x60 | (p[0] & 0xf));
        l4 = 40 + build_extensions(p + 40, p + 6, spec, rng);
        l4 += build_l4(p + l4, spec, rng);
        put16(p + 4, (unsigned int) l4 - 40);
        return l4;
    }
    fill(p, 40, rng);
    p[0] = (uint8_t) (0x45 + spec->n_options);
    p[9] = spec->proto;
    put16(p + 6, spec->first_fragment ? 0x2000 : 0x4000);
    l4 = 20 + 4 * spec->n_options;
    l4 += build_l4(p + l4, spec, rng);
    put16(p + 2, (unsigned int) l4);
    return l4;
}

size_t
frame_build(uint8_t *frame, const struct frame_spec *spec, struct rng *rng)
{
    size_t at = 12;

    fill(frame, 12, rng);
    for (unsigned int i = 0; i < spec->n_vlans; i++) {
        put16(frame + at, rng_one_in(rng, 2) ? 0x8100 : 0x88a8);
        put16(frame + at + 2, rng_u32(rng) & 0xffff);
        at += 4;
    }
    put16(frame + at, !spec->proto ? 0x0806 : spec->is_ip6 ? 0x86dd : 0x0800);
    at += 2;
    at += spec->proto ? build_ip(frame + at, spec, rng)
                      : build_arp(frame + at, rng);
    write_checksums(frame, at, spec->no_udp_csum);
    fill(frame + at, spec->pad_len, rng);
    return at + spec->pad_len;
}

/* ---- Editing ---- */

struct edit
edit_random(struct rng *rng)
{
    struct edit edit = {
        .kind = rng_one_in(rng, 3) ? rng_below(rng, N_EDITS)
                                   : EDIT_SET_FIELD,
        .value = (u128) rng_u64(rng) << 64 | rng_u64(rng),
        .mask = rng_one_in(rng, 2) ? ~(u128) 0
                : (u128) rng_u64(rng) << 64 | rng_u64(rng),
    };

    do {
        edit.field = rng_below(rng, N_FIELDS);
    } while ((field_by_id(edit.field)->flags & (FIELD_WIRE | FIELD_WRITABLE))
             != (FIELD_WIRE | FIELD_WRITABLE));
    edit.value &= field_ones(field_by_id(edit.field));
    edit.mask &= field_ones(field_by_id(edit.field));
    return edit;
}

bool
edit_apply(struct packet *pkt, const struct edit *edit)
{
    uint16_t value = (uint16_t) edit->value;
    uint32_t lse = (uint32_t) (edit->value >> 16);

    switch (edit->kind) {
    case EDIT_SET_FIELD:
        return packet_set_field(pkt, edit->field, edit->value, edit->mask);
    case EDIT_VLAN_PUSH:
        if (get16(pkt->data + 12 + 4) == 0x8100
            || get16(pkt->data + 12 + 4) == 0x88a8) {
            return false;         /* a third tag hides what is below */
        }
        return packet_vlan_push(pkt, value & 1 ? ETH_TYPE_VLAN
                                               : ETH_TYPE_QINQ, value);
    case EDIT_VLAN_POP:
        return packet_vlan_pop(pkt);
    case EDIT_MPLS_PUSH:
        if (pkt->l2_5_ofs != PACKET_NO_OFS
            && get16(pkt->data + pkt->l2_5_ofs - 2) == ETH_TYPE_PBB) {
            return false;         /* labels carry no I-TAG */
        }
        lse = pkt->l2_5_ofs == PACKET_NO_OFS ? lse | MPLS_BOS
                                             : lse & ~(uint32_t) MPLS_BOS;
        return packet_mpls_push(pkt, ETH_TYPE_MPLS, lse);
    case EDIT_MPLS_POP:
        return packet_mpls_pop(pkt, value & 1 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    case EDIT_DEC_TTL:
        return packet_dec_ttl(pkt);
    case EDIT_DEC_MPLS_TTL:
        return packet_dec_mpls_ttl(pkt);
    case EDIT_COPY_TTL_OUT:
        return packet_copy_ttl_out(pkt);
    case EDIT_COPY_TTL_IN:
        return packet_copy_ttl_in(pkt);
    case EDIT_PBB_PUSH:
        return packet_pbb_push(pkt, lse);
    case EDIT_PBB_POP:
        return packet_pbb_pop(pkt);
    case N_EDITS:
        break;
    }
    abort();
}

const char *
edit_name(const struct edit *edit)
{
    static const char *const names[N_EDITS] = {
        "set_field", "push_vlan", "pop_vlan", "push_mpls", "pop_mpls",
        "dec_ttl", "dec_mpls_ttl", "copy_ttl_out", "copy_ttl_in",
        "push_pbb", "pop_pbb",
    };

    return edit->kind == EDIT_SET_FIELD ? field_by_id(edit->field)->name
                                        : names[edit->kind];
}
