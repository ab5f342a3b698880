#include "openflow/wire_action_impl.h"

enum { TYPE_EXPERIMENTER = 0xffff };

/* Standard types of 1.0. */
enum {
    OF10_OUTPUT = 0, OF10_SET_VLAN_VID, OF10_SET_VLAN_PCP, OF10_STRIP_VLAN,
    OF10_SET_DL_SRC, OF10_SET_DL_DST, OF10_SET_NW_SRC, OF10_SET_NW_DST,
    OF10_SET_NW_TOS, OF10_SET_TP_SRC, OF10_SET_TP_DST, OF10_ENQUEUE,
};

/* Of 1.3 and later. */
enum {
    OF13_OUTPUT = 0, OF11_SET_TP_SRC = 9, OF11_SET_TP_DST = 10,
    OF13_COPY_TTL_OUT = 11, OF13_COPY_TTL_IN = 12, OF13_SET_MPLS_TTL = 15, OF13_DEC_MPLS_TTL = 16, OF13_PUSH_VLAN = 17,
    OF13_POP_VLAN = 18, OF13_PUSH_MPLS = 19, OF13_POP_MPLS = 20,
    OF13_SET_QUEUE = 21, OF13_GROUP = 22, OF13_SET_NW_TTL = 23,
    OF13_DEC_NW_TTL = 24, OF13_SET_FIELD = 25, OF13_PUSH_PBB = 26,
    OF13_POP_PBB = 27, OF15_COPY_FIELD = 28,
    OF15_METER = 29,
};

enum of_error
set_subfield(struct action_decoder *d, const struct field *field,
             unsigned int ofs, unsigned int n_bits, struct subfield *sub)
{
    if (!n_bits || ofs + n_bits > field->n_bits) {
        str_setf(d->why, "%s has no %u bits from bit %u", field->name, n_bits,
                 ofs);
        return OF_BAD_ACTION_BAD_SET_LEN;
    }
    *sub = (struct subfield) { (uint16_t) field->id, (uint8_t) ofs,
                               (uint8_t) n_bits };
    return OF_OK;
}

enum of_error
set_packed_subfield(struct action_decoder *d, const struct field *field,
                    uint16_t ofs_nbits, struct subfield *sub)
{
    return set_subfield(d, field, ofs_nbits >> 6, (ofs_nbits & 0x3f) + 1u,
                        sub);
}

enum of_error
get_set_field(struct action_decoder *d, struct cursor *c, bool may_mask)
{
    unsigned int n_bytes;
    bool has_mask;
    const struct field *field = field_header_decode(c, &has_mask, &n_bytes);
    u128 value, mask;

    if (!field) {
        return bad_field(d);
    }
    if (has_mask && !may_mask) {
        str_setf(d->why, "set_field of %s with a mask", field->name);
        return OF_BAD_ACTION_BAD_SET_MASK;
    }
    n_bytes = has_mask ? n_bytes / 2 : n_bytes;
    if (!field_length_fits(field, n_bytes)) {
        return OF_BAD_ACTION_BAD_SET_LEN;
    }
    if (field->id == FIELD_IN_PORT && n_bytes != 2) {
        str_setf(d->why, "set_field of in_port, which NXM's form alone has");
        return OF_BAD_ACTION_BAD_SET_TYPE;
    }
    value = wire_value(c, n_bytes);
    mask = has_mask ? wire_value(c, n_bytes) : field_ones(field);
    if (field->id == FIELD_IN_PORT && !has_mask) {
        value = port_from_of10((uint16_t) value);
    }
    if (value & ~mask || value & ~field_ones(field)) {
        str_setf(d->why, "set_field: the value does not fit %s", field->name);
        return OF_BAD_ACTION_BAD_SET_ARGUMENT;
    }
    cursor_skip(c, MIN(cursor_left(c), 7u));
    add_set(d, field->id, value, mask);
    return OF_OK;
}

enum of_error
get_move(struct action_decoder *d, struct cursor *c, bool is_padded)
{
    unsigned int n = cursor_u16(c), src_ofs = cursor_u16(c), dst_ofs;
    const struct field *src, *dst;
    struct action_move move = { .h = { .len = 0 } }, *out;
    enum of_error error;

    dst_ofs = cursor_u16(c);
    cursor_skip(c, is_padded ? 2 : 0);
    error = get_field(d, c, &src);
    error = error ? error : get_field(d, c, &dst);
    error = error ? error : set_subfield(d, src, src_ofs, n, &move.src);
    error = error ? error : set_subfield(d, dst, dst_ofs, n, &move.dst);
    if (!error) {
        out = actions_add(d->out, ACTION_MOVE, sizeof *out);
        out->src = move.src;
        out->dst = move.dst;
    }
    cursor_skip(c, is_padded ? MIN(cursor_left(c), 7u) : 0);
    return error;
}

static enum of_error
unknown_action(struct action_decoder *d, uint16_t type)
{
    str_setf(d->why, "an action of type %u", type);
    return OF_BAD_ACTION_BAD_TYPE;
}

enum of_error
bad_number(struct action_decoder *d, const char *action, unsigned int value)
{
    str_setf(d->why, "%s: %u does not fit", action, value);
    return OF_BAD_ACTION_BAD_ARGUMENT;
}

/* A tag is put on packets that have none, so the value says "present". */
static enum of_error
of10_set_vlan(struct action_decoder *d, struct cursor *c, bool is_pcp)
{
    unsigned int value = is_pcp ? cursor_u8(c) : cursor_u16(c);

    cursor_skip(c, is_pcp ? 3 : 2);
    if (value > (is_pcp ? 7u : 4095u)) {
        return bad_number(d, is_pcp ? "set_vlan_pcp" : "set_vlan_vid",
                            value);
    }
    add_set(d, FIELD_VLAN_TCI,
            FLOW_VLAN_PRESENT | (is_pcp ? value << 13 : value),
            is_pcp ? 0xf000 : 0x1fff)->is_mod = true;
    return OF_OK;
}

static enum of_error
of10_enqueue(struct action_decoder *d, struct cursor *c)
{
    struct action_enqueue *a = actions_add(d->out, ACTION_ENQUEUE, sizeof *a);
    uint32_t port = port_from_of10(cursor_u16(c));

    cursor_skip(c, 6);
    a->port = port;
    a->queue = cursor_u32(c);
    return OF_OK;
}

static void
of10_set_dl(struct action_decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, wire_value(c, 6));
    cursor_skip(c, 6);
}

static void
of10_set_tp(struct action_decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, cursor_u16(c));
    cursor_skip(c, 2);
}

static enum of_error
decode_of10(struct action_decoder *d, uint16_t type, struct cursor *c)
{
    uint32_t port;
    uint8_t tos;

    switch (type) {
    case OF10_OUTPUT:
        port = port_from_of10(cursor_u16(c));
        add_output(d, port, cursor_u16(c));
        return OF_OK;
    case OF10_SET_VLAN_VID: return of10_set_vlan(d, c, false);
    case OF10_SET_VLAN_PCP: return of10_set_vlan(d, c, true);
    case OF10_STRIP_VLAN: return get_plain(d, c, ACTION_POP_VLAN, 4);
    case OF10_SET_DL_SRC: of10_set_dl(d, c, FIELD_ETH_SRC); return OF_OK;
    case OF10_SET_DL_DST: of10_set_dl(d, c, FIELD_ETH_DST); return OF_OK;
    case OF10_SET_NW_SRC: add_mod(d, FIELD_IPV4_SRC, cursor_u32(c));
        return OF_OK;
    case OF10_SET_NW_DST: add_mod(d, FIELD_IPV4_DST, cursor_u32(c));
        return OF_OK;
    case OF10_SET_NW_TOS:
        tos = cursor_u8(c);
        cursor_skip(c, 3);
        if (tos & 3) {
            return bad_number(d, "set_nw_tos", tos);
        }
        add_mod(d, FIELD_IP_DSCP, tos >> 2);
        return OF_OK;
    case OF10_SET_TP_SRC: of10_set_tp(d, c, FIELD_TCP_SRC); return OF_OK;
    case OF10_SET_TP_DST: of10_set_tp(d, c, FIELD_TCP_DST); return OF_OK;
    case OF10_ENQUEUE: return of10_enqueue(d, c);
    default: return unknown_action(d, type);
    }
}

static void
of13_output(struct action_decoder *d, struct cursor *c)
{
    uint32_t port = cursor_u32(c);

    add_output(d, port, cursor_u16(c));
    cursor_skip(c, 6);
}

static void
of13_push(struct action_decoder *d, struct cursor *c, enum action_type type)
{
    add_push(d, type, cursor_u16(c));
    cursor_skip(c, 2);
}

static void
of13_set_ttl(struct action_decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, cursor_u8(c));
    cursor_skip(c, 3);
}

static enum of_error
decode_of13(struct action_decoder *d, uint16_t type, struct cursor *c)
{
    switch (type) {
    case OF13_OUTPUT: of13_output(d, c); return OF_OK;
    case OF13_COPY_TTL_OUT: return get_plain(d, c, ACTION_COPY_TTL_OUT, 4);
    case OF13_COPY_TTL_IN: return get_plain(d, c, ACTION_COPY_TTL_IN, 4);
    case OF13_SET_MPLS_TTL: of13_set_ttl(d, c, FIELD_MPLS_TTL);
        return OF_OK;
    case OF13_DEC_MPLS_TTL: return get_plain(d, c, ACTION_DEC_MPLS_TTL, 4);
    case OF13_PUSH_VLAN: of13_push(d, c, ACTION_PUSH_VLAN); return OF_OK;
    case OF13_POP_VLAN: return get_plain(d, c, ACTION_POP_VLAN, 4);
    case OF13_PUSH_MPLS: of13_push(d, c, ACTION_PUSH_MPLS); return OF_OK;
    case OF13_POP_MPLS: of13_push(d, c, ACTION_POP_MPLS); return OF_OK;
    case OF13_PUSH_PBB: of13_push(d, c, ACTION_PUSH_PBB); return OF_OK;
    case OF13_POP_PBB: return get_plain(d, c, ACTION_POP_PBB, 4);
    case OF13_SET_QUEUE: add_number(d, ACTION_SET_QUEUE, cursor_u32(c));
        return OF_OK;
    case OF13_GROUP: add_number(d, ACTION_GROUP, cursor_u32(c));
        return OF_OK;
    case OF13_SET_NW_TTL: of13_set_ttl(d, c, FIELD_IP_TTL); return OF_OK;
    case OF13_DEC_NW_TTL: return get_plain(d, c, ACTION_DEC_TTL, 4);
    /* Of 1.1; ovs-ofctl uses them where it does not know which transport. */
    case OF11_SET_TP_SRC: of10_set_tp(d, c, FIELD_TCP_SRC); return OF_OK;
    case OF11_SET_TP_DST: of10_set_tp(d, c, FIELD_TCP_DST); return OF_OK;
    case OF13_SET_FIELD: return get_set_field(d, c, d->version >= OF15);
    default: break;
    }
    if (d->version >= OF15 && type == OF15_COPY_FIELD) {
        return get_move(d, c, true);
    }
    if (d->version >= OF15 && type == OF15_METER) {
        add_number(d, ACTION_METER, cursor_u32(c));
        return OF_OK;
    }
    return unknown_action(d, type);
}

enum of_error
decode_actions(struct action_decoder *d, struct cursor *c)
{
    while (cursor_left(c)) {
        uint16_t type = cursor_u16(c);
        uint16_t len = cursor_u16(c);
        struct cursor body;
        enum of_error error;

        if (len < 8 || len % 8 || len - 4u > cursor_left(c)) {
            str_setf(d->why, "an action of %u bytes", len);
            return OF_BAD_ACTION_BAD_LEN;
        }
        body = cursor_sub(c, len - 4u);
        error = type == TYPE_EXPERIMENTER ? decode_experimenter(d, &body)
                : d->version == OF10 ? decode_of10(d, type, &body)
                : decode_of13(d, type, &body);
        if (cursor_overrun(&body) || (!error && cursor_left(&body))) {
            str_setf(d->why, "the length of an action of type %u", type);
            return OF_BAD_ACTION_BAD_LEN;
        }
        if (!error && d->out->len > ACTIONS_MAX_LEN) {
            error = OF_BAD_ACTION_TOO_MANY;
        }
        if (error) {
            return error;
        }
    }
    return OF_OK;
}

enum of_error
actions_decode(enum of_version version, struct cursor *c,
               struct actions *actions, struct instructions *in,
               struct str *why)
{
    struct action_decoder d = { .version = version, .out = actions, .in = in,
                         .why = why };

    return decode_actions(&d, c);
}
