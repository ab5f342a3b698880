#include "openflow/wire_match.h"

#include "packet/eth.h"
#include "packet/ip.h"

enum { CLASS_NXM1 = 0x0001, CLASS_OXM = 0x8000, CLASS_EXPERIMENTER = 0xffff };

/* ---- A field's header ---- */

/* Headers without length of the ONF's fields, which became OXM's own in 1.5. */
static bool
is_onf_field(enum field_id id)
{
    return id == FIELD_TCP_FLAGS || id == FIELD_ACTSET_OUTPUT;
}

/* A switch statement finds them faster than a walk.  A row without code gets a
 * number that no header has. */
#define NO_HEADER(ID) (UINT32_C(0xfffe0000) + FIELD_##ID)

static int
find_nxm(uint32_t header)
{
    switch (header) {
    case NXM0(0):                 /* which looks like "none" in the table */
        return FIELD_IN_PORT;
#define X(ID, NAME, ALIAS, MEMBER, BITS, SHIFT, PREREQ, FORMAT, FLAGS, NXM,  \
          OXM)                                                               \
    case NXM ? NXM : NO_HEADER(ID): return FIELD_##ID;
    FIELDS(X)
#undef X
    default: return -1;
    }
}

static int
find_oxm(uint32_t header)
{
    switch (header) {
#define X(ID, NAME, ALIAS, MEMBER, BITS, SHIFT, PREREQ, FORMAT, FLAGS, NXM,  \
          OXM)                                                               \
    case OXM ? OXM : NO_HEADER(ID): return FIELD_##ID;
    FIELDS(X)
#undef X
    default: return -1;
    }
}

static const struct field *
find_onf(uint32_t header)
{
    int id = find_oxm(header - OXM_ONF(0) + OXM(0));

    return id >= 0 && is_onf_field((enum field_id) id)
           ? field_by_id((enum field_id) id) : NULL;
}

unsigned int
field_wire_bytes(const struct field *field)
{
    switch (field->id) {
    case FIELD_MPLS_LABEL: case FIELD_IPV6_LABEL: return 4;
    default: return (field->n_bits + 7u) / 8;
    }
}

/* NXM's ports have 16 bits, and its nw_tos stands for what is ip_dscp. */
static bool
is_nxm_port(const struct field *field, unsigned int n_bytes)
{
    return field->id == FIELD_IN_PORT && n_bytes == 2;
}

bool
field_length_fits(const struct field *field, unsigned int n_bytes)
{
    return field_is_tun_metadata(field->id)
           ? n_bytes && n_bytes <= field_wire_bytes(field)
           : n_bytes == field_wire_bytes(field) || is_nxm_port(field, n_bytes);
}

bool
field_header_is_unmapped(uint32_t header)
{
    return header >> 16 == CLASS_NXM1 && (header >> 9 & 0x7f) >= 72
           && (header >> 9 & 0x7f) < 104;
}

const struct field *
field_header_decode(struct cursor *c, bool *has_mask, unsigned int *n_bytes)
{
    uint32_t header = cursor_u32(c), key = header & ~UINT32_C(0x1ff);
    uint32_t class = header >> 16;
    int id;

    *has_mask = header & 0x100;
    *n_bytes = header & 0xff;
    if (class == CLASS_EXPERIMENTER) {
        uint32_t experimenter = cursor_u32(c);

        *n_bytes -= MIN(*n_bytes, 4u);
        return experimenter == EXPERIMENTER_ONF ? find_onf(key) : NULL;
    }
    id = class <= CLASS_NXM1 ? find_nxm(key)
         : class == 0xfffe ? -1 : find_oxm(key);
    return id >= 0 ? field_by_id((enum field_id) id) : NULL;
}

static bool
has_header(const struct field *field)
{
    return field->nxm != OXM_NONE || field->oxm != OXM_NONE
           || field->id == FIELD_IN_PORT;
}

/* 1.0's tools know NXM, the others' OXM; where only one exists, both take it. */
static uint32_t
header_of(enum of_version version, const struct field *field)
{
    if (version == OF10) {
        return field->nxm != OXM_NONE || field->id == FIELD_IN_PORT
               ? field->nxm : field->oxm;
    }
    if (is_onf_field(field->id) && version < OF15) {
        return field->oxm - OXM(0) + OXM_ONF(0);
    }
    return field->oxm != OXM_NONE ? field->oxm : field->nxm;
}

static void
put_header(struct buf *buf, uint32_t header, bool has_mask,
           unsigned int n_bytes)
{
    bool is_exp = header >> 16 == CLASS_EXPERIMENTER;

    n_bytes = (has_mask ? 2 * n_bytes : n_bytes) + (is_exp ? 4 : 0);
    buf_put_u32(buf, header | (has_mask ? 0x100 : 0) | n_bytes);
    if (is_exp) {
        buf_put_u32(buf, EXPERIMENTER_ONF);
    }
}

bool
field_header_encode(struct buf *buf, enum of_version version,
                    const struct field *field)
{
    uint32_t header = field->id == FIELD_IN_PORT ? field->oxm
                      : header_of(version, field);

    if (!has_header(field) || header >> 16 == CLASS_EXPERIMENTER) {
        return false;
    }
    put_header(buf, header, false, field_wire_bytes(field));
    return true;
}

bool
set_header_encode(struct buf *buf, enum of_version version,
                  const struct field *field, unsigned int *n_bytes)
{
    if (field->id == FIELD_IN_PORT) {
        *n_bytes = 2;
        put_header(buf, NXM0(0), false, *n_bytes);
        return true;
    }
    *n_bytes = field_wire_bytes(field);
    return field_header_encode(buf, version, field);
}

u128
wire_value(struct cursor *c, unsigned int n_bytes)
{
    u128 v = 0;

    while (n_bytes-- > 0) {
        v = v << 8 | cursor_u8(c);
    }
    return v;
}

void
wire_put_value(struct buf *buf, u128 value, unsigned int n_bytes)
{
    uint8_t *p = buf_put_zeros(buf, n_bytes);

    while (n_bytes-- > 0) {
        p[n_bytes] = (uint8_t) value;
        value >>= 8;
    }
}

/* ---- NXM and OXM ---- */

static enum of_error
check_value(const struct field *field, u128 value, u128 mask, bool has_mask,
            struct str *why)
{
    if (value & ~mask) {
        str_setf(why, "%s has value bits outside of its mask", field->name);
        return OF_BAD_MATCH_BAD_WILDCARDS;
    }
    if (value & ~field_ones(field)) {
        str_setf(why, "a value is too wide for %s", field->name);
        return OF_BAD_MATCH_BAD_VALUE;
    }
    if (has_mask && !(field->flags & FIELD_MASKABLE)
        && (mask & field_ones(field)) != field_ones(field)
        && mask & field_ones(field)) {
        str_setf(why, "%s cannot be masked", field->name);
        return OF_BAD_MATCH_BAD_MASK;
    }
    return OF_OK;
}

static enum of_error
check_place(const struct field *field, u128 value, u128 mask, bool strict,
            const struct match *match, struct str *why)
{
    u128 both = field_get(field, &match->mask.bits) & mask;

    if (both && field->id != FIELD_IN_PHY_PORT) {
        str_setf(why, "%s occurs twice", field->name);
        return OF_BAD_MATCH_DUP_FIELD;
    }
    if ((field_get(field, &match->value) ^ value) & both) {
        str_setf(why, "%s is another port than in_port", field->name);
        return OF_BAD_MATCH_BAD_VALUE;
    }
    if (strict && !field_prereq_met(field, &match->value)) {
        str_setf(why, "%s needs %s before it", field->name,
                 field_prereq_text(field));
        return OF_BAD_MATCH_BAD_PREREQ;
    }
    if (strict && !both && field->id == FIELD_IN_PHY_PORT) {
        str_setf(why, "%s needs in_port before it", field->name);
        return OF_BAD_MATCH_BAD_PREREQ;
    }
    return OF_OK;
}

static enum of_error
decode_field(struct cursor *c, bool strict, struct match *match,
             struct str *why)
{
    unsigned int n_bytes, n_left;
    bool has_mask;
    struct cursor peek = *c;
    const struct field *field = field_header_decode(c, &has_mask, &n_bytes);
    enum of_error error;
    u128 value, mask;

    if (cursor_overrun(c)) {
        return OF_BAD_MATCH_BAD_LEN;
    }
    if (!field && field_header_is_unmapped(cursor_u32(&peek))) {
        str_setf(why, "no option of tunnels can be mapped to the field");
        return OF_FLOW_MOD_FAILED_INVALID_TLV_FIELD;
    }
    if (!field) {
        str_setf(why, "a field that is not known");
        return OF_BAD_MATCH_BAD_FIELD;
    }
    n_left = has_mask ? n_bytes / 2 : n_bytes;
    if ((has_mask && n_bytes % 2)
        || !field_length_fits(field, n_left)
        || n_bytes > cursor_left(c)) {
        str_setf(why, "%s: the length is wrong", field->name);
        return OF_BAD_MATCH_BAD_LEN;
    }
    value = wire_value(c, n_left);
    mask = has_mask ? wire_value(c, n_left)
           : n_left == 16 || field_is_tun_metadata(field->id) ? ~(u128) 0 : ((u128) 1 << 8 * n_left) - 1;
    if (is_nxm_port(field, n_left)) {
        value = port_from_of10((uint16_t) value);
        mask = mask ? UINT32_MAX : 0;
    } else if (field->id == FIELD_NW_TOS) {
        if (value & 3) {
            str_setf(why, "nw_tos has ECN's bits");
            return OF_BAD_MATCH_BAD_VALUE;
        }
        field = field_by_id(FIELD_IP_DSCP);
        value >>= 2;
        mask = mask >> 2 & field_ones(field);
    }
    error = check_value(field, value, mask, has_mask, why);
    mask &= field_ones(field);
    error = error ? error : check_place(field, value, mask, strict, match,
                                        why);
    if (!error && mask) {
        match_set(match, field->id,
                  value | field_get(field, &match->value),
                  mask | field_get(field, &match->mask.bits));
    }
    return error;
}

enum of_error
match_fields_decode(struct cursor *c, bool strict, struct match *match,
                    struct str *why)
{
    enum of_error error = OF_OK;

    match_init(match);
    while (!error && cursor_left(c)) {
        error = decode_field(c, strict, match, why);
    }
    return !error && strict ? match_check(match, why) : error;
}

/* Bytes without those in front that are zero. */
static unsigned int
n_needed(u128 value)
{
    unsigned int n = 1;

    while (value >>= 8) {
        n++;
    }
    return n;
}

static void
encode_field(struct buf *buf, enum of_version version,
             const struct field *field, u128 value, u128 mask)
{
    unsigned int n_bytes = field_wire_bytes(field);
    uint32_t header = header_of(version, field);
    bool has_mask = mask != field_ones(field);

    if (field_is_tun_metadata(field->id) && !has_mask) {
        n_bytes = n_needed(value);
    }
    if (version == OF10 && field->id == FIELD_IN_PORT) {
        uint16_t port;

        if (!has_mask && port_to_of10((uint32_t) value, &port)) {
            value = port;
            n_bytes = 2;
        } else {
            header = field->oxm;
        }
    }
    put_header(buf, header, has_mask, n_bytes);
    wire_put_value(buf, value, n_bytes);
    if (has_mask) {
        wire_put_value(buf, mask, n_bytes);
    }
}

/* NXM has vlan_tci instead of vlan_vid and vlan_pcp, and nw_tos instead of
 * ip_dscp. */
static bool
is_vlan(const struct field *field)
{
    return field->id == FIELD_VLAN_VID || field->id == FIELD_VLAN_PCP;
}

static void
encode_nxm_dscp(struct buf *buf, u128 value)
{
    put_header(buf, field_by_id(FIELD_NW_TOS)->nxm, false, 1);
    buf_put_u8(buf, (uint8_t) (value << 2));
}

bool
match_fields_encode(struct buf *buf, enum of_version version,
                    const struct match *match)
{
    const struct field *tci = field_by_id(FIELD_VLAN_TCI);
    struct match_field fields[N_FIELDS];
    unsigned int n = match_fields(match, fields);
    size_t start = buf->len;
    bool has_tci = false;

    for (unsigned int i = 0; i < n; i++) {
        const struct match_field *f = &fields[i];

        if (!has_header(f->field)) {
            buf->len = start;
            return false;
        }
        if (version != OF10) {
            encode_field(buf, version, f->field, f->value, f->mask);
        } else if (is_vlan(f->field)) {
            if (!has_tci) {
                encode_field(buf, version, tci,
                             field_get(tci, &match->value),
                             field_get(tci, &match->mask.bits));
            }
            has_tci = true;
        } else if (f->field->id == FIELD_IP_DSCP) {
            encode_nxm_dscp(buf, f->value);
        } else {
            encode_field(buf, version, f->field, f->value, f->mask);
        }
    }
    return true;
}

/* ---- NXM with a cookie among the fields ---- */

enum { NXM_COOKIE = 0x00013c08, NXM_COOKIE_MASKED = 0x00013d10 };

enum of_error
match_nxm_decode(struct cursor *c, size_t len, struct match *match,
                 struct match_cookie *cookie, struct str *why)
{
    struct cursor fields = cursor_sub(c, len);
    enum of_error error = OF_OK;

    match_init(match);
    *cookie = (struct match_cookie) { 0, 0 };
    cursor_skip(c, -len & 7);
    if (cursor_overrun(c)) {
        return OF_BAD_MATCH_BAD_LEN;
    }
    while (!error && cursor_left(&fields)) {
        struct cursor peek = fields;
        uint32_t header = cursor_u32(&peek);

        if (header == NXM_COOKIE || header == NXM_COOKIE_MASKED) {
            cookie->cookie = htobe64(cursor_u64(&peek));
            cookie->mask = header == NXM_COOKIE ? UINT64_MAX
                           : htobe64(cursor_u64(&peek));
            cookie->cookie &= cookie->mask;
            error = cursor_overrun(&peek) ? OF_BAD_MATCH_BAD_LEN : OF_OK;
            fields = peek;
        } else {
            error = decode_field(&fields, true, match, why);
        }
    }
    return error ? error : match_check(match, why);
}

int
match_nxm_encode(struct buf *buf, size_t len_ofs, const struct match *match,
                 const struct match_cookie *cookie)
{
    size_t start = buf->len;

    if (!match_fields_encode(buf, OF10, match)) {
        buf->len = start;
        return -EOPNOTSUPP;
    }
    if (cookie && cookie->mask) {
        buf_put_u32(buf, NXM_COOKIE_MASKED);
        buf_put_u64(buf, be64toh(cookie->cookie));
        buf_put_u64(buf, be64toh(cookie->mask));
    }
    buf_patch_u16(buf, len_ofs, (uint16_t) (buf->len - start));
    buf_pad8(buf, start);
    return 0;
}

/* ---- struct ofp_match of 1.3+ ---- */

enum { MATCH_TYPE_OXM = 1 };

enum of_error
match_oxm_decode(struct cursor *c, bool strict, struct match *match,
                 struct str *why)
{
    uint16_t type = cursor_u16(c);
    uint16_t len = cursor_u16(c);
    struct cursor fields;

    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (type != MATCH_TYPE_OXM) {
        str_setf(why, "a match of type %u", type);
        return OF_BAD_MATCH_BAD_TYPE;
    }
    if (len < 4 || ((len + 7u) & ~7u) - 4u > cursor_left(c)) {
        str_setf(why, "a match of %u bytes", len);
        return OF_BAD_MATCH_BAD_LEN;
    }
    fields = cursor_sub(c, len - 4u);
    cursor_skip(c, -len & 7u);
    return match_fields_decode(&fields, strict, match, why);
}

bool
match_oxm_encode(struct buf *buf, enum of_version version,
                 const struct match *match)
{
    size_t start = buf->len;

    buf_put_u16(buf, MATCH_TYPE_OXM);
    buf_put_u16(buf, 0);
    if (!match_fields_encode(buf, version, match)) {
        buf->len = start;
        return false;
    }
    buf_patch_u16(buf, start + 2, (uint16_t) (buf->len - start));
    buf_pad8(buf, start);
    return true;
}

/* ---- 1.0's ---- */

enum wildcards {
    FW_IN_PORT = 1 << 0, FW_DL_VLAN = 1 << 1, FW_DL_SRC = 1 << 2,
    FW_DL_DST = 1 << 3, FW_DL_TYPE = 1 << 4, FW_NW_PROTO = 1 << 5,
    FW_TP_SRC = 1 << 6, FW_TP_DST = 1 << 7, FW_NW_SRC_SHIFT = 8,
    FW_NW_DST_SHIFT = 14, FW_NW_BITS = 0x3f, FW_DL_VLAN_PCP = 1 << 20,
    FW_NW_TOS = 1 << 21, FW_ALL = (1 << 22) - 1,
};

enum { OF10_VLAN_NONE = 0xffff };

struct match10 {
    uint32_t wildcards;
    uint16_t in_port;
    u128 dl_src, dl_dst;
    uint16_t dl_vlan, dl_type;
    uint8_t dl_vlan_pcp, nw_tos, nw_proto;
    uint32_t nw_src, nw_dst;
    uint16_t tp_src, tp_dst;
};

static void
set_exact(struct match *match, enum field_id id, u128 value)
{
    match_set(match, id, value, ~(u128) 0);
}

static void
set_vlan10(const struct match10 *m, struct match *match)
{
    bool has_vlan = !(m->wildcards & FW_DL_VLAN);
    bool has_pcp = !(m->wildcards & FW_DL_VLAN_PCP);
    u128 value = FLOW_VLAN_PRESENT, mask = 0;

    if (has_vlan && m->dl_vlan == OF10_VLAN_NONE) {
        set_exact(match, FIELD_VLAN_TCI, 0);
        return;
    }
    if (has_vlan) {
        value |= m->dl_vlan & VLAN_VID_MASK;
        mask |= FLOW_VLAN_PRESENT | VLAN_VID_MASK;
    }
    if (has_pcp) {
        value |= (u128) (m->dl_vlan_pcp & 7) << VLAN_PCP_SHIFT;
        mask |= FLOW_VLAN_PRESENT | 7 << VLAN_PCP_SHIFT;
    }
    match_set(match, FIELD_VLAN_TCI, value, mask);
}

static void
set_prefix(struct match *match, enum field_id id, uint32_t value,
           uint32_t n_wild)
{
    if (n_wild < 32) {
        match_set(match, id, value, UINT32_MAX << n_wild);
    }
}

static void
set_transport10(const struct match10 *m, struct match *match)
{
    static const struct {
        uint8_t proto;
        enum field_id src, dst;
    } rows[] = {
        { IP_PROTO_TCP, FIELD_TCP_SRC, FIELD_TCP_DST },
        { IP_PROTO_UDP, FIELD_UDP_SRC, FIELD_UDP_DST },
        { IP_PROTO_SCTP, FIELD_SCTP_SRC, FIELD_SCTP_DST },
        { IP_PROTO_ICMP, FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].proto != m->nw_proto) {
            continue;
        }
        if (!(m->wildcards & FW_TP_SRC)) {
            set_exact(match, rows[i].src, m->tp_src);
        }
        if (!(m->wildcards & FW_TP_DST)) {
            set_exact(match, rows[i].dst, m->tp_dst);
        }
    }
}

/* What the packet's type does not have is ignored (1.0.1 section 3.4). */
static void
set_network10(const struct match10 *m, struct match *match)
{
    uint32_t src_wild = m->wildcards >> FW_NW_SRC_SHIFT & FW_NW_BITS;
    uint32_t dst_wild = m->wildcards >> FW_NW_DST_SHIFT & FW_NW_BITS;
    bool has_proto = !(m->wildcards & FW_NW_PROTO);

    if (m->dl_type == ETH_TYPE_ARP || m->dl_type == ETH_TYPE_RARP) {
        if (has_proto) {
            set_exact(match, FIELD_ARP_OP, m->nw_proto);
        }
        set_prefix(match, FIELD_ARP_SPA, m->nw_src, src_wild);
        set_prefix(match, FIELD_ARP_TPA, m->nw_dst, dst_wild);
    }
    if (m->dl_type != ETH_TYPE_IP) {
        return;
    }
    set_prefix(match, FIELD_IPV4_SRC, m->nw_src, src_wild);
    set_prefix(match, FIELD_IPV4_DST, m->nw_dst, dst_wild);
    if (!(m->wildcards & FW_NW_TOS)) {
        set_exact(match, FIELD_IP_DSCP, m->nw_tos >> 2);
    }
    if (has_proto) {
        set_exact(match, FIELD_IP_PROTO, m->nw_proto);
        set_transport10(m, match);
    }
}

static void
set_match10(const struct match10 *m, struct match *match)
{
    match_init(match);
    if (!(m->wildcards & FW_IN_PORT)) {
        set_exact(match, FIELD_IN_PORT, port_from_of10(m->in_port));
    }
    if (!(m->wildcards & FW_DL_SRC)) {
        set_exact(match, FIELD_ETH_SRC, m->dl_src);
    }
    if (!(m->wildcards & FW_DL_DST)) {
        set_exact(match, FIELD_ETH_DST, m->dl_dst);
    }
    set_vlan10(m, match);
    if (!(m->wildcards & FW_DL_TYPE)) {
        set_exact(match, FIELD_ETH_TYPE, m->dl_type);
        set_network10(m, match);
    }
}

enum of_error
match_of10_decode(struct cursor *c, struct match *match, struct str *why)
{
    struct match10 m;

    m.wildcards = cursor_u32(c);
    m.in_port = cursor_u16(c);
    m.dl_src = wire_value(c, 6);
    m.dl_dst = wire_value(c, 6);
    m.dl_vlan = cursor_u16(c);
    m.dl_vlan_pcp = cursor_u8(c);
    cursor_skip(c, 1);
    m.dl_type = cursor_u16(c);
    m.nw_tos = cursor_u8(c);
    m.nw_proto = cursor_u8(c);
    cursor_skip(c, 2);
    m.nw_src = cursor_u32(c);
    m.nw_dst = cursor_u32(c);
    m.tp_src = cursor_u16(c);
    m.tp_dst = cursor_u16(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    set_match10(&m, match);
    return match_check(match, why);
}

/* Wildcard bits of an address; 33 where the mask is no prefix. */
static uint32_t
n_wild(const struct match *match, enum field_id id)
{
    uint32_t rest = ~(uint32_t) field_get(field_by_id(id), &match->mask.bits);
    uint32_t n = 0;

    if (rest & (rest + 1)) {
        return 33;
    }
    for (; rest; rest >>= 1) {
        n++;
    }
    return n;
}

static bool
is_exact(const struct match *match, enum field_id id)
{
    const struct field *field = field_by_id(id);

    return field_get(field, &match->mask.bits) == field_ones(field);
}

static u128
value_of(const struct match *match, enum field_id id)
{
    return field_get(field_by_id(id), &match->value);
}

/* The nearest that 1.0 can say; whether that is the same, its caller sees by
 * reading it back. */
static struct match10
nearest10(const struct match *match)
{
    static const struct {
        enum field_id field;
        uint32_t bit;
    } bits[] = {
        { FIELD_IN_PORT, FW_IN_PORT }, { FIELD_ETH_SRC, FW_DL_SRC },
        { FIELD_ETH_DST, FW_DL_DST }, { FIELD_ETH_TYPE, FW_DL_TYPE },
        { FIELD_IP_PROTO, FW_NW_PROTO }, { FIELD_IP_DSCP, FW_NW_TOS },
        { FIELD_TCP_SRC, FW_TP_SRC }, { FIELD_TCP_DST, FW_TP_DST },
        { FIELD_VLAN_VID, FW_DL_VLAN }, { FIELD_VLAN_PCP, FW_DL_VLAN_PCP },
    };
    uint32_t src = n_wild(match, FIELD_IPV4_SRC);
    uint32_t dst = n_wild(match, FIELD_IPV4_DST);
    uint16_t tci = (uint16_t) value_of(match, FIELD_VLAN_TCI);
    struct match10 m = { .wildcards = 0 };

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        m.wildcards |= is_exact(match, bits[i].field) ? 0 : bits[i].bit;
    }
    m.wildcards |= MIN(src, 32u) << FW_NW_SRC_SHIFT
                   | MIN(dst, 32u) << FW_NW_DST_SHIFT;
    (void) port_to_of10((uint32_t) value_of(match, FIELD_IN_PORT),
                        &m.in_port);
    m.dl_src = value_of(match, FIELD_ETH_SRC);
    m.dl_dst = value_of(match, FIELD_ETH_DST);
    m.dl_vlan = m.wildcards & FW_DL_VLAN ? 0
                : tci & FLOW_VLAN_PRESENT ? tci & VLAN_VID_MASK
                : OF10_VLAN_NONE;
    m.dl_vlan_pcp = m.wildcards & FW_DL_VLAN_PCP ? 0
                    : (uint8_t) (tci >> VLAN_PCP_SHIFT);
    m.dl_type = (uint16_t) value_of(match, FIELD_ETH_TYPE);
    m.nw_tos = (uint8_t) (value_of(match, FIELD_IP_DSCP) << 2);
    m.nw_proto = (uint8_t) value_of(match, FIELD_IP_PROTO);
    m.nw_src = (uint32_t) value_of(match, FIELD_IPV4_SRC);
    m.nw_dst = (uint32_t) value_of(match, FIELD_IPV4_DST);
    m.tp_src = (uint16_t) value_of(match, FIELD_TCP_SRC);
    m.tp_dst = (uint16_t) value_of(match, FIELD_TCP_DST);
    /* ICMP's type and code are a byte in the match, two on the wire. */
    if (m.nw_proto == IP_PROTO_ICMP && m.dl_type == ETH_TYPE_IP) {
        m.wildcards &= ~(uint32_t) (FW_TP_SRC | FW_TP_DST);
        m.wildcards |= is_exact(match, FIELD_ICMPV4_TYPE) ? 0 : FW_TP_SRC;
        m.wildcards |= is_exact(match, FIELD_ICMPV4_CODE) ? 0 : FW_TP_DST;
    }
    return m;
}

static void
put_match10(struct buf *buf, const struct match10 *m)
{
    buf_put_u32(buf, m->wildcards);
    buf_put_u16(buf, m->in_port);
    wire_put_value(buf, m->dl_src, 6);
    wire_put_value(buf, m->dl_dst, 6);
    buf_put_u16(buf, m->dl_vlan);
    buf_put_u8(buf, m->dl_vlan_pcp);
    buf_put_u8(buf, 0);
    buf_put_u16(buf, m->dl_type);
    buf_put_u8(buf, m->nw_tos);
    buf_put_u8(buf, m->nw_proto);
    buf_put_u16(buf, 0);
    buf_put_u32(buf, m->nw_src);
    buf_put_u32(buf, m->nw_dst);
    buf_put_u16(buf, m->tp_src);
    buf_put_u16(buf, m->tp_dst);
}

bool
match_of10_encode(struct buf *buf, const struct match *match)
{
    struct match10 m = nearest10(match);
    struct match again;

    set_match10(&m, &again);
    if (!match_equal(match, &again)) {
        return false;
    }
    put_match10(buf, &m);
    return true;
}
