#include "openflow/match.h"

#include "packet/eth.h"

/* Values of tun_family in a key (see field_tun_family), which tells the two
 * kinds of tunnel address apart where their bits are the same. */
enum { FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

void
match_init(struct match *match)
{
    memset(match, 0, sizeof *match);
}

static bool
is_zero(const void *p, size_t n)
{
    static const uint8_t zeros[sizeof(struct flow_mask)];

    return !memcmp(p, zeros, n);
}

/* An IPv4 tunnel address lies in the last bytes of an IPv6 one.  Without the
 * family, 10.0.0.1 would also be met by any IPv6 address that ends so.  Values
 * of zero stay true for packets that came through no tunnel. */
static void
set_tun_family(struct match *match, uint8_t family)
{
    const struct flow_key_fields *value = &match->value.key;
    bool has_family = !is_zero(&value->tun_src, sizeof value->tun_src)
                      || !is_zero(&value->tun_dst, sizeof value->tun_dst);

    match->value.key.tun_family = has_family ? family : 0;
    match->mask.bits.key.tun_family = has_family ? 0xff : 0;
}

void
match_set(struct match *match, enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);
    uint8_t family = match->value.key.tun_family;

    mask &= field_ones(field);
    value &= mask;
    field_set(field, &match->mask.bits, mask, mask);
    field_set(field, &match->value, value, mask);
    if (field_tun_family(field)) {
        set_tun_family(match, value ? field_tun_family(field) : family);
    }
}

bool
match_equal(const struct match *a, const struct match *b)
{
    return !memcmp(a, b, sizeof *a);
}

bool
match_holds(const struct match *match, const struct flow *flow)
{
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if ((flow->w[i] & match->mask.bits.w[i]) != match->value.w[i]) {
            return false;
        }
    }
    return true;
}

bool
match_overlaps(const struct match *a, const struct match *b)
{
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if ((a->value.w[i] ^ b->value.w[i])
            & a->mask.bits.w[i] & b->mask.bits.w[i]) {
            return false;
        }
    }
    return true;
}

bool
match_covers(const struct match *wide, const struct match *narrow)
{
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        uint64_t mask = wide->mask.bits.w[i];

        if (mask & ~narrow->mask.bits.w[i]
            || (narrow->value.w[i] & mask) != wide->value.w[i]) {
            return false;
        }
    }
    return true;
}

/* ---- Which fields a match consists of ---- */

/* Can vlan_vid and vlan_pcp together say what vlan_tci's bits say? */
static bool
tci_is_vid_and_pcp(const struct match *match)
{
    uint16_t mask = be16toh(match->mask.bits.key.vlan_tci);
    uint16_t pcp_mask = mask >> VLAN_PCP_SHIFT;

    return !pcp_mask
           || (pcp_mask == 7
               && match->value.key.vlan_tci & htobe16(FLOW_VLAN_PRESENT));
}

/* Several fields may lie on the same bits: is this the one that is meant? */
static bool
is_meant(const struct field *field, const struct match *match)
{
    const struct flow_key_fields *mask = &match->mask.bits.key;
    bool is_tun6 = match->value.key.tun_family == FAMILY_IPV6;

    switch (field->id) {
    case FIELD_VLAN_TCI:
        return !tci_is_vid_and_pcp(match);
    case FIELD_NW_TOS:
        return false;             /* ip_dscp and nw_ecn */
    case FIELD_TUN_SRC:
        return !is_tun6 && is_zero(mask->tun_src_prefix, 12);
    case FIELD_TUN_DST:
        return !is_tun6 && is_zero(mask->tun_dst_prefix, 12);
    default:
        return field_prereq_met(field, &match->value);
    }
}

/* Splits the match into fields; the bits that no field accounts for are left in
 * `left`. */
static unsigned int
split(const struct match *match, struct match_field *out,
      struct flow_mask *left)
{
    unsigned int n = 0;

    *left = match->mask;
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field;
        u128 mask;

        if (field_words_are_zero(i, &left->bits)) {
            continue;
        }
        field = field_by_id(i);
        mask = field_get(field, &left->bits);
        if (mask && is_meant(field, match)) {
            out[n++] = (struct match_field) {
                field, field_get(field, &match->value) & mask, mask
            };
            field_set(field, &left->bits, 0, mask);
        }
    }
    left->bits.key.tun_family = 0;
    return n;
}

unsigned int
match_fields(const struct match *match, struct match_field out[N_FIELDS])
{
    struct flow_mask left;

    return split(match, out, &left);
}

const char *
field_prereq_text(const struct field *field)
{
    switch (field->prereq) {
    case PREREQ_NONE: return "nothing";
    case PREREQ_VLAN: return "a VLAN tag (dl_vlan or vlan_vid)";
    case PREREQ_ARP: return "arp or rarp";
    case PREREQ_IPV4: return "ip";
    case PREREQ_IPV6: return "ipv6";
    case PREREQ_IP: return "ip or ipv6";
    case PREREQ_MPLS: return "mpls or mplsm";
    case PREREQ_PBB: return "pbb";
    case PREREQ_TCP: return "tcp or tcp6, and not later fragments";
    case PREREQ_UDP: return "udp or udp6, and not later fragments";
    case PREREQ_SCTP: return "sctp or sctp6, and not later fragments";
    case PREREQ_ICMPV4: return "icmp, and not later fragments";
    case PREREQ_ICMPV6: return "icmp6, and not later fragments";
    case PREREQ_ND: return "icmp6 with icmp_type 135 or 136, icmp_code 0";
    case PREREQ_ND_SOLICIT: return "icmp6 with icmp_type 135, icmp_code 0";
    case PREREQ_ND_ADVERT: return "icmp6 with icmp_type 136, icmp_code 0";
    }
    return "something else";
}

/* Bits are left over: because their field lacks what it requires, or because
 * they belong to no field at all? */
static enum of_error
check_left(const struct flow_mask *left, struct str *why)
{
    if (is_zero(left, sizeof *left)) {
        return OF_OK;
    }
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);

        if (field_get(field, &left->bits)) {
            str_setf(why, "%s needs %s", field->name,
                     field_prereq_text(field));
            return OF_BAD_MATCH_BAD_PREREQ;
        }
    }
    str_setf(why, "the match has bits of no known field");
    return OF_BAD_MATCH_BAD_FIELD;
}

enum of_error
match_check(const struct match *match, struct str *why)
{
    struct match_field fields[N_FIELDS];
    struct flow_mask left;
    unsigned int n = split(match, fields, &left);

    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (match->value.w[i] & ~match->mask.bits.w[i]) {
            str_setf(why, "the match has value bits outside of its mask");
            return OF_BAD_MATCH_BAD_VALUE;
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        const struct field *field = fields[i].field;

        if (!(field->flags & FIELD_MASKABLE)
            && fields[i].mask != field_ones(field)) {
            str_setf(why, "%s cannot be masked", field->name);
            return OF_BAD_MATCH_BAD_MASK;
        }
    }
    if (match->value.key.tun_family == FAMILY_IPV4
        && (!is_zero(match->mask.bits.key.tun_src_prefix, 12)
            || !is_zero(match->mask.bits.key.tun_dst_prefix, 12))) {
        str_setf(why, "a tunnel has IPv4 or IPv6 addresses, not both");
        return OF_BAD_MATCH_BAD_VALUE;
    }
    return check_left(&left, why);
}
