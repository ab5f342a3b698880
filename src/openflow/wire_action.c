#include "openflow/wire_action.h"

#include "openflow/wire_match.h"

enum { TYPE_EXPERIMENTER = 0xffff };

/* Standard types of 1.0. */
enum {
    OF10_OUTPUT = 0, OF10_SET_VLAN_VID, OF10_SET_VLAN_PCP, OF10_STRIP_VLAN,
    OF10_SET_DL_SRC, OF10_SET_DL_DST, OF10_SET_NW_SRC, OF10_SET_NW_DST,
    OF10_SET_NW_TOS, OF10_SET_TP_SRC, OF10_SET_TP_DST, OF10_ENQUEUE,
};

/* Of 1.3 and later. */
enum {
    OF13_OUTPUT = 0, OF13_COPY_TTL_OUT = 11, OF13_COPY_TTL_IN = 12,
    OF13_SET_MPLS_TTL = 15, OF13_DEC_MPLS_TTL = 16, OF13_PUSH_VLAN = 17,
    OF13_POP_VLAN = 18, OF13_PUSH_MPLS = 19, OF13_POP_MPLS = 20,
    OF13_SET_QUEUE = 21, OF13_GROUP = 22, OF13_SET_NW_TTL = 23,
    OF13_DEC_NW_TTL = 24, OF13_SET_FIELD = 25, OF15_COPY_FIELD = 28,
    OF15_METER = 29,
};

/* Nicira's subtypes. */
enum {
    NX_RESUBMIT = 1, NX_SET_TUNNEL = 2, NX_SET_QUEUE = 4, NX_POP_QUEUE = 5,
    NX_REG_MOVE = 6, NX_REG_LOAD = 7, NX_NOTE = 8, NX_SET_TUNNEL64 = 9,
    NX_RESUBMIT_TABLE = 14, NX_OUTPUT_REG = 15, NX_EXIT = 17,
    NX_DEC_TTL = 18, NX_CONTROLLER = 20, NX_WRITE_METADATA = 22,
    NX_PUSH_MPLS = 23, NX_POP_MPLS = 24, NX_SET_MPLS_TTL = 25,
    NX_DEC_MPLS_TTL = 26, NX_STACK_PUSH = 27, NX_STACK_POP = 28,
    NX_SET_MPLS_LABEL = 30, NX_SET_MPLS_TC = 31, NX_OUTPUT_REG2 = 32,
    NX_REG_LOAD2 = 33, NX_CONTROLLER2 = 37, NX_OUTPUT_TRUNC = 39,
    NX_GROUP = 40, NX_CLONE = 42,
};

/* ---- Decode ---- */

struct decoder {
    enum of_version version;
    unsigned int depth;
    struct actions *out;
    struct instructions *in;
    struct str *why;
};

typedef enum of_error decode_action(struct decoder *, struct cursor *);

static struct action_set_field *
add_set(struct decoder *d, enum field_id id, u128 value, u128 mask)
{
    uint32_t at = d->out->len;

    actions_add_set_field(d->out, id, value, mask);
    return (struct action_set_field *) (void *) (d->out->data + at);
}

static void
add_mod(struct decoder *d, enum field_id id, u128 value)
{
    add_set(d, id, value, ~(u128) 0)->is_mod = true;
}

static void
add_number(struct decoder *d, enum action_type type, uint32_t number)
{
    struct action_number *a = actions_add(d->out, type, sizeof *a);

    a->number = number;
}

static void
add_plain(struct decoder *d, enum action_type type)
{
    actions_add(d->out, type, sizeof(struct action_plain));
}

static void
add_push(struct decoder *d, enum action_type type, uint16_t eth_type)
{
    struct action_push *a = actions_add(d->out, type, sizeof *a);

    a->eth_type = eth_type;
}

/* Only the controller takes part of a packet by plain output. */
static void
add_output(struct decoder *d, uint32_t port, uint16_t max_len)
{
    if (port == OFPP_CONTROLLER) {
        actions_add_controller(d->out, max_len, REASON_APPLY_ACTION);
    } else {
        actions_add_output(d->out, port);
    }
}

static enum of_error
bad_field(struct decoder *d)
{
    str_setf(d->why, "an action on a field that is not known");
    return OF_BAD_ACTION_BAD_SET_TYPE;
}

/* A field by its header alone, as Nicira's actions name it. */
static enum of_error
get_field(struct decoder *d, struct cursor *c, const struct field **field)
{
    unsigned int n_bytes;
    bool has_mask;

    *field = field_header_decode(c, &has_mask, &n_bytes);
    return *field ? OF_OK : bad_field(d);
}

static enum of_error
set_subfield(struct decoder *d, const struct field *field, unsigned int ofs,
             unsigned int n_bits, struct subfield *sub)
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

/* "set this field to that": header, value, maybe mask. */
static enum of_error
get_set_field(struct decoder *d, struct cursor *c, bool may_mask)
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
    if (n_bytes != field_wire_bytes(field)) {
        return OF_BAD_ACTION_BAD_SET_LEN;
    }
    value = wire_value(c, n_bytes);
    mask = has_mask ? wire_value(c, n_bytes) : field_ones(field);
    if (value & ~mask || value & ~field_ones(field)) {
        str_setf(d->why, "set_field: the value does not fit %s", field->name);
        return OF_BAD_ACTION_BAD_SET_ARGUMENT;
    }
    cursor_skip(c, MIN(cursor_left(c), 7u));
    add_set(d, field->id, value, mask);
    return OF_OK;
}

static u128
low_bits(unsigned int n)
{
    return n == 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

static enum of_error
nx_reg_load(struct decoder *d, struct cursor *c)
{
    uint16_t ofs_n = cursor_u16(c);
    unsigned int ofs = ofs_n >> 6, n = (ofs_n & 0x3f) + 1u, n_bytes;
    bool has_mask;
    const struct field *field = field_header_decode(c, &has_mask, &n_bytes);
    uint64_t value = cursor_u64(c);
    struct subfield sub;
    enum of_error error;

    if (!field) {
        return bad_field(d);
    }
    if (field->id == FIELD_IN_PORT && n_bytes == 2 && !ofs && n == 16) {
        value = port_from_of10((uint16_t) value);
        n = 32;
    }
    error = set_subfield(d, field, ofs, n, &sub);
    if (error) {
        return error;
    }
    if (value & ~low_bits(n)) {
        str_setf(d->why, "load: the value has more than %u bits", n);
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    add_set(d, field->id, (u128) value << ofs, low_bits(n) << ofs)->is_load =
        true;
    return OF_OK;
}

static enum of_error
nx_reg_load2(struct decoder *d, struct cursor *c)
{
    return get_set_field(d, c, true);
}

static enum of_error
get_move(struct decoder *d, struct cursor *c, bool is_padded)
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
nx_reg_move(struct decoder *d, struct cursor *c)
{
    return get_move(d, c, false);
}

static enum of_error
nx_resubmit(struct decoder *d, struct cursor *c)
{
    struct action_resubmit *a = actions_add(d->out, ACTION_RESUBMIT,
                                            sizeof *a);

    a->in_port = port_from_of10(cursor_u16(c));
    a->table = 0xff;
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_resubmit_table(struct decoder *d, struct cursor *c)
{
    struct action_resubmit *a = actions_add(d->out, ACTION_RESUBMIT,
                                            sizeof *a);

    a->in_port = port_from_of10(cursor_u16(c));
    a->table = cursor_u8(c);
    cursor_skip(c, 3);
    return OF_OK;
}

static enum of_error
nx_set_tunnel(struct decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_set(d, FIELD_TUN_ID, cursor_u32(c), UINT64_MAX);
    return OF_OK;
}

static enum of_error
nx_set_tunnel64(struct decoder *d, struct cursor *c)
{
    cursor_skip(c, 6);
    add_set(d, FIELD_TUN_ID, cursor_u64(c), UINT64_MAX);
    return OF_OK;
}

static enum of_error
nx_set_queue(struct decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_number(d, ACTION_SET_QUEUE, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_group(struct decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_number(d, ACTION_GROUP, cursor_u32(c));
    return OF_OK;
}

static enum of_error
get_plain(struct decoder *d, struct cursor *c, enum action_type type,
          size_t padding)
{
    cursor_skip(c, padding);
    add_plain(d, type);
    return OF_OK;
}

static enum of_error
nx_pop_queue(struct decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_POP_QUEUE, 6);
}

static enum of_error
nx_exit(struct decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_EXIT, 6);
}

static enum of_error
nx_dec_ttl(struct decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_DEC_TTL, 6);
}

static enum of_error
nx_dec_mpls_ttl(struct decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_DEC_MPLS_TTL, 6);
}

static enum of_error
nx_note(struct decoder *d, struct cursor *c)
{
    size_t n = cursor_left(c);
    struct action_note *a;

    a = actions_add(d->out, ACTION_NOTE,
                    MAX(offsetof(struct action_note, bytes) + n, sizeof *a));
    a->n_bytes = (uint16_t) n;
    memcpy(a->bytes, cursor_take(c, n), n);
    return OF_OK;
}

static enum of_error
nx_output_reg(struct decoder *d, struct cursor *c)
{
    uint16_t ofs_n = cursor_u16(c);
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_output_reg *a;
    struct subfield sub;

    error = error ? error : set_subfield(d, field, ofs_n >> 6,
                                         (ofs_n & 0x3f) + 1u, &sub);
    if (error) {
        return error;
    }
    a = actions_add(d->out, ACTION_OUTPUT_REG, sizeof *a);
    a->src = sub;
    a->max_len = cursor_u16(c);
    cursor_skip(c, 6);
    return OF_OK;
}

static enum of_error
nx_output_reg2(struct decoder *d, struct cursor *c)
{
    unsigned int ofs_n = cursor_u16(c), max_len = cursor_u16(c);
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_output_reg *a;
    struct subfield sub;

    error = error ? error : set_subfield(d, field, ofs_n >> 6,
                                         (ofs_n & 0x3f) + 1u, &sub);
    if (error) {
        return error;
    }
    a = actions_add(d->out, ACTION_OUTPUT_REG, sizeof *a);
    a->src = sub;
    a->max_len = (uint16_t) max_len;
    cursor_skip(c, MIN(cursor_left(c), 6u));
    return OF_OK;
}

static enum of_error
add_controller(struct decoder *d, unsigned int max_len, unsigned int id,
               unsigned int reason)
{
    struct action_controller *a;

    if (reason > REASON_PACKET_OUT) {
        str_setf(d->why, "controller: unknown reason %u", reason);
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    a = actions_add(d->out, ACTION_CONTROLLER, sizeof *a);
    a->max_len = (uint16_t) max_len;
    a->controller_id = (uint16_t) id;
    a->reason = (uint8_t) reason;
    return OF_OK;
}

static enum of_error
nx_controller(struct decoder *d, struct cursor *c)
{
    unsigned int max_len = cursor_u16(c), id = cursor_u16(c);
    unsigned int reason = cursor_u8(c);

    cursor_skip(c, 1);
    return add_controller(d, max_len, id, reason);
}

enum { CONTROLLER_MAX_LEN, CONTROLLER_ID, CONTROLLER_REASON };

static enum of_error
nx_controller2(struct decoder *d, struct cursor *c)
{
    unsigned int max_len = OFPCML_NO_BUFFER, id = 0;
    unsigned int reason = REASON_APPLY_ACTION;
    struct wire_property prop;
    enum of_error error;

    cursor_skip(c, 6);
    while (wire_next_property(c, &prop, &error)) {
        switch (prop.type) {
        case CONTROLLER_MAX_LEN: max_len = cursor_u16(&prop.body); break;
        case CONTROLLER_ID: id = cursor_u16(&prop.body); break;
        case CONTROLLER_REASON: reason = cursor_u8(&prop.body); break;
        default: return wire_unknown_property(&prop, d->why);
        }
        if (cursor_overrun(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error ? error : add_controller(d, max_len, id, reason);
}

static enum of_error
nx_output_trunc(struct decoder *d, struct cursor *c)
{
    uint32_t port = port_from_of10(cursor_u16(c)), trunc = cursor_u32(c);
    struct action_output *a;

    if (trunc < 14 || port == OFPP_CONTROLLER) {
        str_setf(d->why, "output cut to %u bytes", trunc);
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    a = actions_add(d->out, ACTION_OUTPUT, sizeof *a);
    a->port = port;
    a->trunc = trunc;
    return OF_OK;
}

static enum of_error
nx_write_metadata(struct decoder *d, struct cursor *c)
{
    if (!d->in || d->depth) {
        str_setf(d->why, "write_metadata does not belong here");
        return OF_BAD_ACTION_UNSUPPORTED_ORDER;
    }
    cursor_skip(c, 6);
    d->in->metadata = htobe64(cursor_u64(c));
    d->in->metadata_mask = htobe64(cursor_u64(c));
    d->in->metadata &= d->in->metadata_mask;
    return OF_OK;
}

static enum of_error
nx_push_mpls(struct decoder *d, struct cursor *c)
{
    add_push(d, ACTION_PUSH_MPLS, cursor_u16(c));
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_pop_mpls(struct decoder *d, struct cursor *c)
{
    add_push(d, ACTION_POP_MPLS, cursor_u16(c));
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_set_mpls_ttl(struct decoder *d, struct cursor *c)
{
    add_mod(d, FIELD_MPLS_TTL, cursor_u8(c));
    cursor_skip(c, 5);
    return OF_OK;
}

static enum of_error
nx_set_mpls_label(struct decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_mod(d, FIELD_MPLS_LABEL, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_set_mpls_tc(struct decoder *d, struct cursor *c)
{
    add_mod(d, FIELD_MPLS_TC, cursor_u8(c));
    cursor_skip(c, 5);
    return OF_OK;
}

static enum of_error
get_stack(struct decoder *d, struct cursor *c, enum action_type type)
{
    unsigned int ofs = cursor_u16(c);
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_stack *a;
    struct subfield sub;

    error = error ? error : set_subfield(d, field, ofs, cursor_u16(c), &sub);
    if (error) {
        return error;
    }
    a = actions_add(d->out, type, sizeof *a);
    a->sub = sub;
    cursor_skip(c, 6);
    return OF_OK;
}

static enum of_error
nx_stack_push(struct decoder *d, struct cursor *c)
{
    return get_stack(d, c, ACTION_STACK_PUSH);
}

static enum of_error
nx_stack_pop(struct decoder *d, struct cursor *c)
{
    return get_stack(d, c, ACTION_STACK_POP);
}

static enum of_error decode_list(struct decoder *, struct cursor *);

static enum of_error
nx_clone(struct decoder *d, struct cursor *c)
{
    uint32_t mark = actions_begin_clone(d->out);
    enum of_error error;

    if (d->depth == ACTIONS_MAX_DEPTH) {
        return OF_BAD_ACTION_TOO_MANY;
    }
    cursor_skip(c, 6);
    d->depth++;
    error = decode_list(d, c);
    d->depth--;
    if (!error && !actions_end_clone(d->out, mark)) {
        error = OF_BAD_ACTION_TOO_MANY;
    }
    return error;
}

static decode_action *const nicira[] = {
    [NX_RESUBMIT] = nx_resubmit, [NX_SET_TUNNEL] = nx_set_tunnel,
    [NX_SET_QUEUE] = nx_set_queue, [NX_POP_QUEUE] = nx_pop_queue,
    [NX_REG_MOVE] = nx_reg_move, [NX_REG_LOAD] = nx_reg_load,
    [NX_NOTE] = nx_note, [NX_SET_TUNNEL64] = nx_set_tunnel64,
    [NX_RESUBMIT_TABLE] = nx_resubmit_table,
    [NX_OUTPUT_REG] = nx_output_reg, [NX_EXIT] = nx_exit,
    [NX_DEC_TTL] = nx_dec_ttl, [NX_CONTROLLER] = nx_controller,
    [NX_WRITE_METADATA] = nx_write_metadata, [NX_PUSH_MPLS] = nx_push_mpls,
    [NX_POP_MPLS] = nx_pop_mpls, [NX_SET_MPLS_TTL] = nx_set_mpls_ttl,
    [NX_DEC_MPLS_TTL] = nx_dec_mpls_ttl, [NX_STACK_PUSH] = nx_stack_push,
    [NX_STACK_POP] = nx_stack_pop, [NX_SET_MPLS_LABEL] = nx_set_mpls_label,
    [NX_SET_MPLS_TC] = nx_set_mpls_tc, [NX_OUTPUT_REG2] = nx_output_reg2,
    [NX_REG_LOAD2] = nx_reg_load2, [NX_CONTROLLER2] = nx_controller2,
    [NX_OUTPUT_TRUNC] = nx_output_trunc, [NX_GROUP] = nx_group,
    [NX_CLONE] = nx_clone,
};

static enum of_error
decode_experimenter(struct decoder *d, struct cursor *c)
{
    uint32_t experimenter = cursor_u32(c);
    uint16_t subtype;

    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    if (experimenter != EXPERIMENTER_NICIRA) {
        str_setf(d->why, "an action of the unknown experimenter 0x%08x",
                 experimenter);
        return OF_BAD_ACTION_BAD_EXPERIMENTER;
    }
    subtype = cursor_u16(c);
    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    if (subtype >= ARRAY_SIZE(nicira) || !nicira[subtype]) {
        str_setf(d->why, "Nicira's action %u is not known", subtype);
        return OF_BAD_ACTION_BAD_EXP_TYPE;
    }
    return nicira[subtype](d, c);
}

static enum of_error
unknown_action(struct decoder *d, uint16_t type)
{
    str_setf(d->why, "an action of type %u", type);
    return OF_BAD_ACTION_BAD_TYPE;
}

static enum of_error
bad_argument(struct decoder *d, const char *action, unsigned int value)
{
    str_setf(d->why, "%s: %u does not fit", action, value);
    return OF_BAD_ACTION_BAD_ARGUMENT;
}

/* A tag is put on packets that have none, so the value says "present". */
static enum of_error
of10_set_vlan(struct decoder *d, struct cursor *c, bool is_pcp)
{
    unsigned int value = is_pcp ? cursor_u8(c) : cursor_u16(c);

    cursor_skip(c, is_pcp ? 3 : 2);
    if (value > (is_pcp ? 7u : 4095u)) {
        return bad_argument(d, is_pcp ? "set_vlan_pcp" : "set_vlan_vid",
                            value);
    }
    add_set(d, FIELD_VLAN_TCI,
            FLOW_VLAN_PRESENT | (is_pcp ? value << 13 : value),
            is_pcp ? 0xf000 : 0x1fff)->is_mod = true;
    return OF_OK;
}

static enum of_error
of10_enqueue(struct decoder *d, struct cursor *c)
{
    uint32_t port = port_from_of10(cursor_u16(c));

    cursor_skip(c, 6);
    add_number(d, ACTION_SET_QUEUE, cursor_u32(c));
    add_output(d, port, OFPCML_NO_BUFFER);
    add_plain(d, ACTION_POP_QUEUE);
    return OF_OK;
}

static void
of10_set_dl(struct decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, wire_value(c, 6));
    cursor_skip(c, 6);
}

static void
of10_set_tp(struct decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, cursor_u16(c));
    cursor_skip(c, 2);
}

static enum of_error
decode_of10(struct decoder *d, uint16_t type, struct cursor *c)
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
            return bad_argument(d, "set_nw_tos", tos);
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
of13_output(struct decoder *d, struct cursor *c)
{
    uint32_t port = cursor_u32(c);

    add_output(d, port, cursor_u16(c));
    cursor_skip(c, 6);
}

static void
of13_push(struct decoder *d, struct cursor *c, enum action_type type)
{
    add_push(d, type, cursor_u16(c));
    cursor_skip(c, 2);
}

static void
of13_set_ttl(struct decoder *d, struct cursor *c, enum field_id id)
{
    add_mod(d, id, cursor_u8(c));
    cursor_skip(c, 3);
}

static enum of_error
decode_of13(struct decoder *d, uint16_t type, struct cursor *c)
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
    case OF13_SET_QUEUE: add_number(d, ACTION_SET_QUEUE, cursor_u32(c));
        return OF_OK;
    case OF13_GROUP: add_number(d, ACTION_GROUP, cursor_u32(c));
        return OF_OK;
    case OF13_SET_NW_TTL: of13_set_ttl(d, c, FIELD_IP_TTL); return OF_OK;
    case OF13_DEC_NW_TTL: return get_plain(d, c, ACTION_DEC_TTL, 4);
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

static enum of_error
decode_list(struct decoder *d, struct cursor *c)
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
    struct decoder d = { .version = version, .out = actions, .in = in,
                         .why = why };

    return decode_list(&d, c);
}
