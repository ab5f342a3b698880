/* ct and nat on the wire, both ways. */
#include "openflow/wire_action_impl.h"

enum { CT_COMMIT = 1 << 0, CT_FORCE = 1 << 1 };

/* Which parts of a range follow, in this order. */
enum {
    RANGE_IPV4_MIN = 1 << 0, RANGE_IPV4_MAX = 1 << 1, RANGE_IPV6_MIN = 1 << 2,
    RANGE_IPV6_MAX = 1 << 3, RANGE_PORT_MIN = 1 << 4, RANGE_PORT_MAX = 1 << 5,
    RANGE_IPV4 = RANGE_IPV4_MIN | RANGE_IPV4_MAX,
    RANGE_IPV6 = RANGE_IPV6_MIN | RANGE_IPV6_MAX,
};

static enum of_error
bad_argument(struct action_decoder *d, const char *what)
{
    str_setf(d->why, "%s", what);
    return OF_BAD_ACTION_BAD_ARGUMENT;
}

/* ---- Decode ---- */

/* A field's header, where 0 means that the zone is a number. */
static enum of_error
get_zone(struct action_decoder *d, struct cursor *c, struct action_ct *ct)
{
    struct cursor peek = *c;
    const struct field *field;
    enum of_error error;
    unsigned int ofs_n;

    if (!cursor_u32(&peek)) {
        *c = peek;
        ct->zone = cursor_u16(c);
        return OF_OK;
    }
    error = get_field(d, c, &field);
    ofs_n = cursor_u16(c);
    error = error ? error : set_subfield(d, field, ofs_n >> 6,
                                         (ofs_n & 0x3f) + 1u, &ct->zone_src);
    if (!error && ct->zone_src.n_bits != 16) {
        str_setf(d->why, "ct: a zone has 16 bits");
        return OF_BAD_ACTION_BAD_SET_LEN;
    }
    return error;
}

enum of_error
nx_ct(struct action_decoder *d, struct cursor *c)
{
    struct action_ct ct = { .h = { .len = 0 } }, *out;
    unsigned int flags = cursor_u16(c);
    enum of_error error;
    uint32_t mark;

    if (d->depth == ACTIONS_MAX_DEPTH) {
        return OF_BAD_ACTION_TOO_MANY;
    }
    error = get_zone(d, c, &ct);
    if (error) {
        return error;
    }
    ct.table = cursor_u8(c);
    cursor_skip(c, 3);
    ct.alg = cursor_u16(c);
    if (flags & ~(unsigned int) (CT_COMMIT | CT_FORCE)) {
        return bad_argument(d, "ct: unknown flags");
    }
    mark = actions_begin(d->out, ACTION_CT, sizeof *out);
    out = (struct action_ct *) (void *) (d->out->data + mark);
    ct.h = out->h;
    *out = ct;
    out->commit = flags & CT_COMMIT;
    out->force = flags & CT_FORCE;
    d->depth++;
    error = decode_actions(d, c);
    d->depth--;
    return error ? error
           : actions_end(d->out, mark) ? OF_OK : OF_BAD_ACTION_TOO_MANY;
}

static void
get_address(struct cursor *c, struct ip6_addr *addr, size_t len)
{
    const uint8_t *p = cursor_take(c, len);

    if (p) {
        memcpy(addr->b, p, len);
    }
}

static void
get_addresses(struct cursor *c, unsigned int parts, struct action_nat *nat)
{
    size_t len = parts & RANGE_IPV4 ? 4 : 16;

    nat->family = parts & RANGE_IPV4 ? 4 : parts & RANGE_IPV6 ? 6 : 0;
    if (!nat->family) {
        return;
    }
    get_address(c, &nat->addr_min, len);
    nat->addr_max = nat->addr_min;
    if (parts & (RANGE_IPV4_MAX | RANGE_IPV6_MAX)) {
        get_address(c, &nat->addr_max, len);
    }
}

static bool
ranges_begin(unsigned int parts)
{
    return !(parts & RANGE_IPV4_MAX && !(parts & RANGE_IPV4_MIN))
           && !(parts & RANGE_IPV6_MAX && !(parts & RANGE_IPV6_MIN))
           && !(parts & RANGE_PORT_MAX && !(parts & RANGE_PORT_MIN));
}

enum of_error
nx_nat(struct action_decoder *d, struct cursor *c)
{
    struct action_nat *nat = actions_add(d->out, ACTION_NAT, sizeof *nat);
    unsigned int parts;

    cursor_skip(c, 2);
    nat->flags = cursor_u16(c);
    parts = cursor_u16(c);
    if (parts & ~UINT32_C(0x3f) || !ranges_begin(parts)
        || (parts & RANGE_IPV4 && parts & RANGE_IPV6)) {
        return bad_argument(d, "nat: the range makes no sense");
    }
    get_addresses(c, parts, nat);
    nat->has_ports = parts & RANGE_PORT_MIN;
    if (nat->has_ports) {
        nat->port_min = nat->port_max = cursor_u16(c);
    }
    if (parts & RANGE_PORT_MAX) {
        nat->port_max = cursor_u16(c);
    }
    cursor_skip(c, MIN(cursor_left(c), 7u));
    return OF_OK;
}

/* ---- Encode ---- */

bool
put_ct(struct buf *buf, enum of_version version, const struct action_ct *ct)
{
    size_t mark = begin_nx(buf, NX_CT);
    bool all;

    buf_put_u16(buf, (uint16_t) ((ct->commit ? CT_COMMIT : 0)
                                 | (ct->force ? CT_FORCE : 0)));
    if (!ct->zone_src.n_bits) {
        buf_put_u32(buf, 0);
        buf_put_u16(buf, ct->zone);
    } else if (field_header_encode(buf, version,
                                   field_by_id(ct->zone_src.field))) {
        buf_put_u16(buf, ofs_nbits(&ct->zone_src));
    } else {
        return false;
    }
    buf_put_u8(buf, ct->table);
    buf_put_zeros(buf, 3);
    buf_put_u16(buf, ct->alg);
    all = actions_encode(buf, version, action_ct_list(ct));
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark) && all;
}

static bool
is_range(const struct action_nat *nat)
{
    return memcmp(&nat->addr_min, &nat->addr_max, sizeof nat->addr_min) != 0;
}

bool
put_nat(struct buf *buf, const struct action_nat *nat)
{
    size_t mark = begin_nx(buf, NX_NAT);
    size_t len = nat->family == 4 ? 4 : 16;
    unsigned int parts = 0;

    if (nat->family) {
        parts = nat->family == 4 ? RANGE_IPV4_MIN : RANGE_IPV6_MIN;
        parts |= is_range(nat) ? parts << 1 : 0;
    }
    if (nat->has_ports) {
        parts |= RANGE_PORT_MIN;
        parts |= nat->port_max != nat->port_min ? RANGE_PORT_MAX : 0;
    }
    buf_put_u16(buf, 0);
    buf_put_u16(buf, nat->flags);
    buf_put_u16(buf, (uint16_t) parts);
    if (nat->family) {
        buf_put(buf, nat->addr_min.b, len);
    }
    if (parts & (RANGE_IPV4_MAX | RANGE_IPV6_MAX)) {
        buf_put(buf, nat->addr_max.b, len);
    }
    if (parts & RANGE_PORT_MIN) {
        buf_put_u16(buf, nat->port_min);
    }
    if (parts & RANGE_PORT_MAX) {
        buf_put_u16(buf, nat->port_max);
    }
    return put_plain(buf, mark);
}
