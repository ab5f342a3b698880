#include "packet/field.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "packet/eth.h"
#include "packet/ip.h"

/* Fields wider than their member span its neighbours (xreg). */
#define MEMBER_BYTES(MEMBER, BITS, SHIFT)                                    \
    MAX(sizeof(((struct flow *) 0)->MEMBER), ((BITS) + (SHIFT) + 7) / 8)

#define W FIELD_WRITABLE
#define M FIELD_MASKABLE
#define P FIELD_WIRE
#define L FIELD_PIPELINE
static const struct field fields[N_FIELDS] = {
#define X(ID, NAME, ALIAS, MEMBER, BITS, SHIFT, PREREQ, FORMAT, FLAGS, NXM,  \
          OXM)                                                               \
    [FIELD_##ID] = {                                                         \
        .id = FIELD_##ID, .name = NAME, .alias = ALIAS,                      \
        .ofs = offsetof(struct flow, MEMBER),                                \
        .n_bytes = MEMBER_BYTES(MEMBER, BITS, SHIFT),                        \
        .n_bits = BITS, .shift = SHIFT, .prereq = PREREQ_##PREREQ,           \
        .format = FORMAT_##FORMAT, .flags = FLAGS, .nxm = NXM, .oxm = OXM    \
    },
    FIELDS(X)
#undef X
};
#undef W
#undef M
#undef P
#undef L

const uint8_t field_words[N_FIELDS][2] = {
#define X(ID, NAME, ALIAS, MEMBER, BITS, SHIFT, PREREQ, FORMAT, FLAGS, NXM,  \
          OXM)                                                               \
    [FIELD_##ID] = {                                                         \
        offsetof(struct flow, MEMBER) / 8,                                   \
        (offsetof(struct flow, MEMBER)                                       \
         + MEMBER_BYTES(MEMBER, BITS, SHIFT) - 1) / 8 },
    FIELDS(X)
#undef X
};

/* Bits of the flag fields, for +flag-flag text. */
struct flag_name {
    uint32_t bit;
    const char *name;
};

static const struct flag_name tcp_flag_names[] = {
    { 0x001, "fin" }, { 0x002, "syn" }, { 0x004, "rst" }, { 0x008, "psh" },
    { 0x010, "ack" }, { 0x020, "urg" }, { 0x040, "ece" }, { 0x080, "cwr" },
    { 0x100, "ns" }, { 0x200, "[200]" }, { 0x400, "[400]" },
    { 0x800, "[800]" }, { 0, NULL },
};
static const struct flag_name ct_state_names[] = {
    { FLOW_CT_NEW, "new" }, { FLOW_CT_EST, "est" }, { FLOW_CT_REL, "rel" },
    { FLOW_CT_RPL, "rpl" }, { FLOW_CT_INV, "inv" }, { FLOW_CT_TRK, "trk" },
    { FLOW_CT_SNAT, "snat" }, { FLOW_CT_DNAT, "dnat" },
    { 0, NULL },
};
static const struct flag_name tun_flag_names[] = {
    { TUNNEL_F_OAM, "oam" }, { TUNNEL_F_DF, "df" },
    { TUNNEL_F_CSUM, "csum" }, { TUNNEL_F_KEY, "key" }, { 0, NULL },
};

static const struct flag_name exthdr_names[] = {
    { FLOW_EXT_NONEXT, "nonext" }, { FLOW_EXT_ESP, "esp" },
    { FLOW_EXT_AUTH, "auth" }, { FLOW_EXT_DEST, "dest" },
    { FLOW_EXT_FRAG, "frag" }, { FLOW_EXT_ROUTER, "router" },
    { FLOW_EXT_HOP, "hop" }, { FLOW_EXT_UNREP, "unrep" },
    { FLOW_EXT_UNSEQ, "unseq" }, { 0, NULL },
};

const struct field *
field_by_id(enum field_id id)
{
    assert((unsigned int) id < N_FIELDS);
    return &fields[id];
}

/* Where the wire's name is not just the field's in capitals.  Of several names
 * for a field the first is printed. */
static const struct {
    const char *wire;
    enum field_id field;
} wire_names[] = {
    { "ETH_DST", FIELD_ETH_DST }, { "ETH_SRC", FIELD_ETH_SRC },
    { "ETH_TYPE", FIELD_ETH_TYPE }, { "IP_SRC", FIELD_IPV4_SRC },
    { "IP_DST", FIELD_IPV4_DST }, { "IPV4_SRC", FIELD_IPV4_SRC },
    { "IPV4_DST", FIELD_IPV4_DST }, { "IP_PROTO", FIELD_IP_PROTO },
    { "IP_TOS", FIELD_NW_TOS }, { "IP_ECN", FIELD_IP_ECN },
    { "IP_TTL", FIELD_IP_TTL }, { "ICMP_TYPE", FIELD_ICMPV4_TYPE },
    { "ICMP_CODE", FIELD_ICMPV4_CODE }, { "ICMPV4_TYPE", FIELD_ICMPV4_TYPE },
    { "ICMPV4_CODE", FIELD_ICMPV4_CODE }, { "TUN_IPV4_SRC", FIELD_TUN_SRC },
    { "TUN_IPV4_DST", FIELD_TUN_DST }, { "TUN_ID", FIELD_TUN_ID },
    { "TUNNEL_ID", FIELD_TUN_ID }, { "PKT_REG0", FIELD_XREG0 },
    { "PKT_REG1", FIELD_XREG1 }, { "PKT_REG2", FIELD_XREG2 },
    { "PKT_REG3", FIELD_XREG3 }, { "PKT_REG4", FIELD_XREG4 },
    { "PKT_REG5", FIELD_XREG5 }, { "PKT_REG6", FIELD_XREG6 },
    { "PKT_REG7", FIELD_XREG7 },
};

/* "OXM_OF_ETH_DST", "NXM_OF_IP_SRC", "NXM_NX_REG0": the wire's own names. */
static const struct field *
field_by_wire_name(const char *name)
{
    const char *rest = name + 7;

    if (!strncasecmp(name, "ERICOXM_OF_ICMPV6_", 18)) {
        rest = name + 18;
    } else if (strncasecmp(name, "NXM_OF_", 7) && strncasecmp(name, "NXM_NX_", 7)
        && strncasecmp(name, "OXM_OF_", 7)) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(wire_names); i++) {
        if (!strcasecmp(rest, wire_names[i].wire)) {
            return &fields[wire_names[i].field];
        }
    }
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        if (!strcasecmp(rest, fields[i].name)) {
            return &fields[i];
        }
    }
    return NULL;
}

void
field_format_wire_name(const struct field *field, struct str *s)
{
    const char *name = field->name;

    if (field->nxm == OXM_NONE && field->oxm == OXM_NONE) {
        str_add(s, name);
        return;
    }
    str_add(s, field->oxm >> 16 == OXM_ERICSSON(0) >> 16
               ? "ERICOXM_OF_ICMPV6_"
               : field->nxm == OXM_NONE ? "OXM_OF_"
               : field->nxm >> 16 ? "NXM_NX_" : "NXM_OF_");
    for (size_t i = 0; i < ARRAY_SIZE(wire_names); i++) {
        if (wire_names[i].field == field->id) {
            str_add(s, wire_names[i].wire);
            return;
        }
    }
    for (; *name; name++) {
        str_add_char(s, (char) toupper((unsigned char) *name));
    }
}

const struct field *
field_by_name(const char *name)
{
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *f = &fields[i];

        if (!strcmp(name, f->name) || (f->alias && !strcmp(name, f->alias))) {
            return f;
        }
    }
    return field_by_wire_name(name);
}

static u128
load(const uint8_t *p, unsigned int n)
{
    uint64_t v = 0;

    switch (n) {
    case 1: return *p;
    case 2: return be16toh(get_be16(p));
    case 4: return be32toh(get_be32(p));
    case 8: return be64toh(get_be64(p));
    case 16: return (u128) be64toh(get_be64(p)) << 64
                    | be64toh(get_be64(p + 8));
    default:
        for (unsigned int i = 0; i < n; i++) {
            v = v << 8 | p[i];
        }
        return v;
    }
}

static void
store(uint8_t *p, unsigned int n, u128 v)
{
    uint64_t low = (uint64_t) v;

    switch (n) {
    case 1: *p = (uint8_t) low; return;
    case 2: put_be16(p, htobe16((uint16_t) low)); return;
    case 4: put_be32(p, htobe32((uint32_t) low)); return;
    case 16:
        low = htobe64((uint64_t) (v >> 64));
        memcpy(p, &low, 8);
        low = htobe64((uint64_t) v);
        memcpy(p + 8, &low, 8);
        return;
    default:
        while (n-- > 0) {
            p[n] = (uint8_t) low;
            low >>= 8;
        }
    }
}

u128
field_get(const struct field *field, const struct flow *flow)
{
    const uint8_t *p = (const uint8_t *) flow + field->ofs;

    return load(p, field->n_bytes) >> field->shift & field_ones(field);
}

void
field_set(const struct field *field, struct flow *flow, u128 value, u128 mask)
{
    uint8_t *p = (uint8_t *) flow + field->ofs;
    u128 v = load(p, field->n_bytes);

    mask = (mask & field_ones(field)) << field->shift;
    v = (v & ~mask) | (value << field->shift & mask);
    store(p, field->n_bytes, v);
}

uint8_t
field_tun_family(const struct field *field)
{
    switch (field->id) {
    case FIELD_TUN_SRC: case FIELD_TUN_DST:
        return 4;
    case FIELD_TUN_IPV6_SRC: case FIELD_TUN_IPV6_DST:
        return 6;
    default:
        return 0;
    }
}

static bool
is_first_l4(const struct flow *flow, uint8_t proto)
{
    return flow->key.nw_proto == proto
           && !(flow->key.nw_frag & FLOW_FRAG_LATER);
}

bool
field_prereq_met(const struct field *field, const struct flow *flow)
{
    uint16_t type = be16toh(flow->key.eth_type);
    bool is_ip4 = type == ETH_TYPE_IP, is_ip6 = type == ETH_TYPE_IPV6;
    bool is_ip = is_ip4 || is_ip6;
    bool is_nd = is_ip6 && is_first_l4(flow, IP_PROTO_ICMPV6)
                 && !flow->key.tp_dst;
    bool is_ns = is_nd && flow->key.tp_src == htobe16(ND_SOLICIT);
    bool is_na = is_nd && flow->key.tp_src == htobe16(ND_ADVERT);

    switch (field->prereq) {
    case PREREQ_NONE: return true;
    case PREREQ_VLAN: return flow->key.vlan_tci & htobe16(FLOW_VLAN_PRESENT);
    case PREREQ_ARP: return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
    case PREREQ_IPV4: return is_ip4;
    case PREREQ_IPV6: return is_ip6;
    case PREREQ_IP: return is_ip;
    case PREREQ_MPLS: return eth_type_is_mpls(type);
    case PREREQ_PBB: return type == ETH_TYPE_PBB;
    case PREREQ_TCP: return is_ip && is_first_l4(flow, IP_PROTO_TCP);
    case PREREQ_UDP: return is_ip && is_first_l4(flow, IP_PROTO_UDP);
    case PREREQ_SCTP: return is_ip && is_first_l4(flow, IP_PROTO_SCTP);
    case PREREQ_ICMPV4: return is_ip4 && is_first_l4(flow, IP_PROTO_ICMP);
    case PREREQ_ICMPV6: return is_ip6 && is_first_l4(flow, IP_PROTO_ICMPV6);
    case PREREQ_ND: return is_ns || is_na;
    case PREREQ_ND_SOLICIT: return is_ns;
    case PREREQ_ND_ADVERT: return is_na;
    }
    return false;
}

void
field_prereq_mask(const struct field *field, struct flow_mask *mask)
{
    struct flow_key_fields *bits = &mask->bits.key;

    switch (field->prereq) {
    case PREREQ_NONE:
        return;
    case PREREQ_VLAN:
        bits->vlan_tci |= htobe16(FLOW_VLAN_PRESENT);
        return;
    case PREREQ_ND: case PREREQ_ND_SOLICIT: case PREREQ_ND_ADVERT:
        bits->tp_src = bits->tp_dst = 0xffff;
        /* fall through */
    case PREREQ_TCP: case PREREQ_UDP: case PREREQ_SCTP: case PREREQ_ICMPV4:
    case PREREQ_ICMPV6:
        bits->nw_proto = 0xff;
        bits->nw_frag |= FLOW_FRAG_LATER;
        /* fall through */
    case PREREQ_ARP: case PREREQ_IPV4: case PREREQ_IPV6: case PREREQ_IP:
    case PREREQ_MPLS: case PREREQ_PBB:
        bits->eth_type = 0xffff;
        return;
    }
}

/* ---- Text ---- */

static void
format_hex(u128 value, struct str *s)
{
    uint64_t high = (uint64_t) (value >> 64), low = (uint64_t) value;

    if (high) {
        str_addf(s, "0x%" PRIx64 "%016" PRIx64, high, low);
    } else {
        str_addf(s, "0x%" PRIx64, low);
    }
}

static void
format_ip6(u128 value, struct str *s)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t b[16];

    for (int i = 15; i >= 0; i--, value >>= 8) {
        b[i] = (uint8_t) value;
    }
    str_add(s, inet_ntop(AF_INET6, b, text, sizeof text));
}

static void
format_plain(const struct field *field, u128 value, struct str *s)
{
    uint64_t v = (uint64_t) value;

    switch (field->format) {
    case FORMAT_ETH:
        str_addf(s, "%02x:%02x:%02x:%02x:%02x:%02x",
                 (unsigned int) (v >> 40 & 0xff),
                 (unsigned int) (v >> 32 & 0xff),
                 (unsigned int) (v >> 24 & 0xff),
                 (unsigned int) (v >> 16 & 0xff),
                 (unsigned int) (v >> 8 & 0xff), (unsigned int) (v & 0xff));
        return;
    case FORMAT_IPV4:
        str_addf(s, "%u.%u.%u.%u", (unsigned int) (v >> 24 & 0xff),
                 (unsigned int) (v >> 16 & 0xff),
                 (unsigned int) (v >> 8 & 0xff), (unsigned int) (v & 0xff));
        return;
    case FORMAT_IPV6:
        format_ip6(value, s);
        return;
    case FORMAT_PORT:
        switch (v) {
        case 0xfffffff8: str_add(s, "IN_PORT"); return;
        case 0xfffffffa: str_add(s, "NORMAL"); return;
        case 0xfffffffd: str_add(s, "CONTROLLER"); return;
        case 0xfffffffe: str_add(s, "LOCAL"); return;
        case 0xffffffff: str_add(s, "ANY"); return;
        default: str_addf(s, "%" PRIu64, v); return;
        }
    case FORMAT_DECIMAL:
        str_addf(s, "%" PRIu64, v);
        return;
    case FORMAT_PACKET_TYPE:
        str_addf(s, "(%" PRIu64 ",0x%" PRIx64 ")", v >> 16, v & 0xffff);
        return;
    case FORMAT_HEX: case FORMAT_FRAG: case FORMAT_TCP_FLAGS:
    case FORMAT_CT_STATE: case FORMAT_TUN_FLAGS: case FORMAT_EXTHDR:
        format_hex(value, s);
        return;
    }
}

static const struct flag_name *
flag_names(const struct field *field)
{
    switch (field->format) {
    case FORMAT_TCP_FLAGS: return tcp_flag_names;
    case FORMAT_CT_STATE: return ct_state_names;
    case FORMAT_TUN_FLAGS: return tun_flag_names;
    case FORMAT_EXTHDR: return exthdr_names;
    default: return NULL;
    }
}

static void
format_flags(const struct flag_name *names, u128 value, u128 mask,
             struct str *s)
{
    for (; names->name; names++) {
        if (mask & names->bit) {
            str_addf(s, "%c%s", value & names->bit ? '+' : '-', names->name);
        }
    }
}

/* "syn|ack": these and no others. */
static void
format_set_flags(const struct flag_name *names, u128 value, struct str *s)
{
    const char *bar = "";

    for (; names->name; names++) {
        if (value & names->bit) {
            str_addf(s, "%s%s", bar, names->name);
            bar = "|";
        }
    }
}

/* Names of ip_frag values, as {value, mask}. */
static const struct {
    const char *name;
    uint8_t value, mask;
} frag_names[] = {
    { "no", 0, 3 }, { "yes", 1, 1 }, { "first", 1, 3 }, { "later", 3, 3 },
    { "not_later", 0, 2 },
};

/* The prefix length of a mask that is one, or -1. */
static int
prefix_len(const struct field *field, u128 mask)
{
    u128 rest = ~mask & field_ones(field);
    int n = field->n_bits;

    if (rest & (rest + 1)) {
        return -1;
    }
    for (; rest; rest >>= 1) {
        n--;
    }
    return n;
}

void
field_format(const struct field *field, u128 value, u128 mask, struct str *s)
{
    const struct flag_name *names = flag_names(field);
    bool exact = (mask & field_ones(field)) == field_ones(field);
    int prefix;

    if (field->format == FORMAT_FRAG) {
        for (size_t i = 0; i < ARRAY_SIZE(frag_names); i++) {
            if (frag_names[i].value == value && frag_names[i].mask == mask) {
                str_add(s, frag_names[i].name);
                return;
            }
        }
    }
    if (names) {
        u128 known = 0;

        for (const struct flag_name *n = names; n->name; n++) {
            known |= n->bit;
        }
        if (exact && value && !(value & ~known)) {
            format_set_flags(names, value, s);
            return;
        }
        if (!exact && mask && !(mask & ~known)) {
            format_flags(names, value, mask, s);
            return;
        }
    }
    format_plain(field, value, s);
    if (exact) {
        return;
    }
    prefix = prefix_len(field, mask);
    str_add_char(s, '/');
    if (prefix >= 0
        && (field->format == FORMAT_IPV4 || field->format == FORMAT_IPV6)) {
        str_addf(s, "%d", prefix);
    } else if (field->format == FORMAT_DECIMAL
               || field->format == FORMAT_PORT) {
        format_hex(mask, s);
    } else {
        format_plain(field, mask, s);
    }
}

static bool
parse_number(const char *text, u128 *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    u128 v = 0;

    text += hex ? 2 : 0;
    if (!*text) {
        return false;
    }
    for (; *text; text++) {
        unsigned int digit;

        if (*text >= '0' && *text <= '9') {
            digit = (unsigned int) (*text - '0');
        } else if (hex && isxdigit((unsigned char) *text)) {
            digit = (unsigned int) (tolower((unsigned char) *text) - 'a' + 10);
        } else {
            return false;
        }
        /* No division by what is not constant: 128 bits make it slow. */
        if (hex ? v >> 124 != 0
                : v >= ~(u128) 0 / 10 && (v > ~(u128) 0 / 10 || digit > 5)) {
            return false;
        }
        v = v * (hex ? 16 : 10) + digit;
    }
    *value = v;
    return true;
}

static bool
parse_port(const char *text, u128 *value)
{
    static const struct {
        const char *name;
        uint32_t port;
    } names[] = {
        { "in_port", 0xfffffff8 }, { "table", 0xfffffff9 },
        { "normal", 0xfffffffa }, { "flood", 0xfffffffb },
        { "all", 0xfffffffc }, { "controller", 0xfffffffd },
        { "local", 0xfffffffe }, { "any", 0xffffffff },
        { "none", 0xffffffff },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcasecmp(text, names[i].name)) {
            *value = names[i].port;
            return true;
        }
    }
    return parse_number(text, value);
}

static bool
parse_eth(const char *text, u128 *value)
{
    u128 v = 0;

    for (int i = 0; i < 6; i++) {
        char *end;
        unsigned long byte;

        if (!isxdigit((unsigned char) *text)) {
            return false;
        }
        byte = strtoul(text, &end, 16);
        if (byte > 255 || end - text > 2 || *end != (i < 5 ? ':' : '\0')) {
            return false;
        }
        v = v << 8 | byte;
        text = end + 1;
    }
    *value = v;
    return true;
}

static bool
parse_plain(const struct field *field, const char *text, u128 *value)
{
    uint8_t b[16];

    switch (field->format) {
    case FORMAT_ETH:
        return parse_eth(text, value);
    case FORMAT_IPV4:
        if (inet_pton(AF_INET, text, b) != 1) {
            return false;
        }
        *value = load(b, 4);
        return true;
    case FORMAT_IPV6:
        if (inet_pton(AF_INET6, text, b) != 1) {
            return false;
        }
        *value = load(b, 16);
        return true;
    case FORMAT_PORT:
        return parse_port(text, value);
    case FORMAT_PACKET_TYPE: {
        int ns, type, n = 0;

        if (sscanf(text, "(%9i,%9i)%n", &ns, &type, &n) == 2 && !text[n]
            && !((ns | type) & ~0xffff)) {
            *value = (u128) ns << 16 | (unsigned int) type;
            return true;
        }
        break;
    }
    default:
        break;
    }
    return parse_number(text, value);
}

static uint32_t
find_flag(const struct flag_name *names, const char *text, size_t len)
{
    for (; names->name; names++) {
        if (strlen(names->name) == len && !strncmp(names->name, text, len)) {
            return names->bit;
        }
    }
    return 0;
}

/* "+syn-ack" */
static bool
parse_flags(const struct flag_name *names, const char *text, u128 *value,
            u128 *mask)
{
    u128 v = 0, m = 0;

    while (*text) {
        char sign = *text++;
        size_t len = strcspn(text, "+-");
        uint32_t bit = find_flag(names, text, len);

        if ((sign != '+' && sign != '-') || !bit || (m & bit)) {
            return false;
        }
        m |= bit;
        v |= sign == '+' ? bit : 0;
        text += len;
    }
    *value = v;
    *mask = m;
    return true;
}

/* "syn|ack" */
static bool
parse_set_flags(const struct flag_name *names, const char *text, u128 *value)
{
    u128 v = 0;

    for (;;) {
        size_t len = strcspn(text, "|");
        uint32_t bit = find_flag(names, text, len);

        if (!bit) {
            return false;
        }
        v |= bit;
        if (!text[len]) {
            *value = v;
            return true;
        }
        text += len + 1;
    }
}

static bool
parse_prefix(const struct field *field, const char *text, u128 *mask)
{
    u128 n;

    if (field->format != FORMAT_IPV4 && field->format != FORMAT_IPV6) {
        return false;
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return false;
    }
    if (!parse_number(text, &n) || n > field->n_bits) {
        return false;
    }
    *mask = n ? field_ones(field) << (field->n_bits - (unsigned int) n)
                & field_ones(field) : 0;
    return true;
}

static const char *
format_hint(const struct field *field)
{
    switch (field->format) {
    case FORMAT_ETH: return "an Ethernet address such as 02:00:00:00:00:01";
    case FORMAT_IPV4: return "an IPv4 address such as 10.0.0.1";
    case FORMAT_IPV6: return "an IPv6 address such as fd00::1";
    case FORMAT_PORT: return "a port number";
    case FORMAT_FRAG: return "no, yes, first, later or not_later";
    case FORMAT_TCP_FLAGS: return "flags such as +syn-ack, or a number";
    case FORMAT_EXTHDR: return "flags such as +hop-frag, or a number";
    case FORMAT_CT_STATE: return "flags such as +trk+est, or a number";
    default: return "a number";
    }
}

/* Values that have names: of fragments, of flags. */
static bool
parse_by_name(const struct field *field, const char *text, u128 *value,
              u128 *mask)
{
    const struct flag_name *names = flag_names(field);

    if (field->format == FORMAT_FRAG) {
        for (size_t i = 0; i < ARRAY_SIZE(frag_names); i++) {
            if (!strcmp(text, frag_names[i].name)) {
                *value = frag_names[i].value;
                *mask = frag_names[i].mask;
                return true;
            }
        }
    }
    if (names && (*text == '+' || *text == '-')) {
        return parse_flags(names, text, value, mask);
    }
    if (names && parse_set_flags(names, text, value)) {
        *mask = field_ones(field);
        return true;
    }
    return false;
}

int
field_parse(const struct field *field, const char *text, u128 *value,
            u128 *mask, struct str *error)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t) (slash - text) : strlen(text);
    u128 v, m = field_ones(field);
    char first[80];

    if (parse_by_name(field, text, value, mask)) {
        return 0;
    }
    if (len >= sizeof first) {
        goto bad;
    }
    memcpy(first, text, len);
    first[len] = '\0';
    if (!parse_plain(field, first, &v)) {
        goto bad;
    }
    if (slash && !parse_prefix(field, slash + 1, &m)
        && !parse_plain(field, slash + 1, &m)) {
        goto bad;
    }
    if (v & ~field_ones(field)) {
        str_setf(error, "%s: '%s' is wider than %u bits", field->name, first,
                 field->n_bits);
        return -EINVAL;
    }
    if (m & ~field_ones(field)) {
        str_setf(error, "%s: mask '%s' is wider than %u bits", field->name,
                 slash + 1, field->n_bits);
        return -EINVAL;
    }
    *value = v & m;
    *mask = m;
    return 0;

bad:
    str_setf(error, "%s: '%s' is not %s", field->name, text,
             format_hint(field));
    return -EINVAL;
}
