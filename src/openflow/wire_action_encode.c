/* Actions to the wire, and the instructions around them both ways. */
#include "openflow/wire_action.h"

#include "openflow/wire_match.h"

/* Each function appends one action and says whether the version can. */

static size_t
begin(struct buf *buf, uint16_t type)
{
    size_t mark = buf->len;

    buf_put_u16(buf, type);
    buf_put_u16(buf, 0);
    return mark;
}

static size_t
begin_nx(struct buf *buf, uint16_t subtype)
{
    size_t mark = begin(buf, 0xffff);

    buf_put_u32(buf, EXPERIMENTER_NICIRA);
    buf_put_u16(buf, subtype);
    return mark;
}

static void
end(struct buf *buf, size_t mark)
{
    buf_pad8(buf, mark);
    buf_patch_u16(buf, mark + 2, (uint16_t) (buf->len - mark));
}

static bool
put_plain(struct buf *buf, size_t mark)
{
    end(buf, mark);
    return true;
}

static uint16_t
ofs_nbits(const struct subfield *sub)
{
    return (uint16_t) (sub->ofs << 6 | (sub->n_bits - 1));
}

static bool
put_output(struct buf *buf, enum of_version version, uint32_t port,
           uint16_t max_len)
{
    size_t mark = begin(buf, 0);
    uint16_t port10;

    if (version != OF10) {
        buf_put_u32(buf, port);
        buf_put_u16(buf, max_len);
        return put_plain(buf, mark);
    }
    buf_put_u16(buf, 0);
    buf_put_u16(buf, max_len);
    end(buf, mark);
    if (!port_to_of10(port, &port10)) {
        return false;
    }
    buf_patch_u16(buf, mark + 4, port10);
    return true;
}

static bool
put_action_output(struct buf *buf, enum of_version version,
                  const struct action_output *a)
{
    uint16_t port;
    size_t mark;

    if (!a->trunc) {
        return put_output(buf, version, a->port, 0);
    }
    if (!port_to_of10(a->port, &port)) {
        return false;
    }
    mark = begin_nx(buf, 39);
    buf_put_u16(buf, port);
    buf_put_u32(buf, a->trunc);
    return put_plain(buf, mark);
}

static bool
put_controller(struct buf *buf, enum of_version version,
               const struct action_controller *a)
{
    size_t mark;

    if (a->reason == REASON_APPLY_ACTION && !a->controller_id) {
        return put_output(buf, version, OFPP_CONTROLLER, a->max_len);
    }
    mark = begin_nx(buf, 20);
    buf_put_u16(buf, a->max_len);
    buf_put_u16(buf, a->controller_id);
    buf_put_u8(buf, a->reason);
    return put_plain(buf, mark);
}

static bool
put_output_reg(struct buf *buf, enum of_version version,
               const struct action_output_reg *a)
{
    size_t mark = begin_nx(buf, 15);

    if (a->src.n_bits > 64) {
        return false;
    }
    buf_put_u16(buf, ofs_nbits(&a->src));
    if (!field_header_encode(buf, version, field_by_id(a->src.field))) {
        return false;
    }
    buf_put_u16(buf, a->max_len);
    buf_put_zeros(buf, 6);
    return put_plain(buf, mark);
}

/* ---- Fields ---- */

struct set {
    const struct field *field;
    u128 value, mask;
};

static bool
put_set_oxm(struct buf *buf, enum of_version version, const struct set *set)
{
    size_t mark = version == OF10 || (set->mask != field_ones(set->field)
                                      && version < OF15)
                  ? begin_nx(buf, 33) : begin(buf, 25);
    size_t header = buf->len;
    unsigned int n_bytes = field_wire_bytes(set->field);

    if (!field_header_encode(buf, version, set->field)) {
        return false;
    }
    wire_put_value(buf, set->value, n_bytes);
    if (set->mask != field_ones(set->field)) {
        /* has a mask, and twice the length */
        buf->data[header + 2] |= 1;
        buf->data[header + 3] = (uint8_t) (2 * n_bytes);
        wire_put_value(buf, set->mask, n_bytes);
    }
    return put_plain(buf, mark);
}

/* One run of bits, of at most 64? */
static bool
is_run(u128 mask, struct subfield *sub)
{
    unsigned int n = 0, ofs = 0;

    while (mask && !(mask & 1)) {
        mask >>= 1;
        ofs++;
    }
    while (mask & 1) {
        mask >>= 1;
        n++;
    }
    sub->ofs = (uint8_t) ofs;
    sub->n_bits = (uint8_t) n;
    return n && n <= 64 && !mask;
}

static bool
put_load(struct buf *buf, enum of_version version, const struct set *set,
         const struct subfield *sub)
{
    size_t mark = begin_nx(buf, 7);

    buf_put_u16(buf, ofs_nbits(sub));
    if (!field_header_encode(buf, version, set->field)) {
        return false;
    }
    buf_put_u64(buf, (uint64_t) (set->value >> sub->ofs));
    return put_plain(buf, mark);
}

static bool
put_u16(struct buf *buf, uint16_t type, uint16_t value)
{
    size_t mark = begin(buf, type);

    buf_put_u16(buf, value);
    return put_plain(buf, mark);
}

static bool
put_u8(struct buf *buf, uint16_t type, u128 value)
{
    size_t mark = begin(buf, type);

    buf_put_u8(buf, (uint8_t) value);
    return put_plain(buf, mark);
}

static bool
put_u32(struct buf *buf, uint16_t type, u128 value)
{
    size_t mark = begin(buf, type);

    buf_put_u32(buf, (uint32_t) value);
    return put_plain(buf, mark);
}

static bool
put_address(struct buf *buf, uint16_t type, u128 value)
{
    size_t mark = begin(buf, type);

    wire_put_value(buf, value, 6);
    return put_plain(buf, mark);
}

static bool
put_nx_u8(struct buf *buf, uint16_t subtype, u128 value)
{
    size_t mark = begin_nx(buf, subtype);

    buf_put_u8(buf, (uint8_t) value);
    return put_plain(buf, mark);
}

static bool
put_nx_u32(struct buf *buf, uint16_t subtype, u128 value)
{
    size_t mark = begin_nx(buf, subtype);

    buf_put_u16(buf, 0);
    buf_put_u32(buf, (uint32_t) value);
    return put_plain(buf, mark);
}

/* 1.0's own ways to write a field; others have Nicira's. */
static bool
put_mod_of10(struct buf *buf, const struct set *set)
{
    switch (set->field->id) {
    case FIELD_VLAN_TCI:
        return set->mask == 0x1fff
               ? put_u16(buf, 1, (uint16_t) (set->value & 0xfff))
               : put_u8(buf, 2, set->value >> 13);
    case FIELD_ETH_SRC: return put_address(buf, 4, set->value);
    case FIELD_ETH_DST: return put_address(buf, 5, set->value);
    case FIELD_IPV4_SRC: return put_u32(buf, 6, set->value);
    case FIELD_IPV4_DST: return put_u32(buf, 7, set->value);
    case FIELD_IP_DSCP: return put_u8(buf, 8, set->value << 2);
    case FIELD_TCP_SRC: return put_u16(buf, 9, (uint16_t) set->value);
    case FIELD_TCP_DST: return put_u16(buf, 10, (uint16_t) set->value);
    case FIELD_MPLS_TTL: return put_nx_u8(buf, 25, set->value);
    case FIELD_MPLS_LABEL: return put_nx_u32(buf, 30, set->value);
    case FIELD_MPLS_TC: return put_nx_u8(buf, 31, set->value);
    default: return put_set_oxm(buf, OF10, set);
    }
}

/* Later versions set a tag's parts as fields, and only where there is one. */
static bool
put_mod_of13(struct buf *buf, enum of_version version, const struct set *set)
{
    struct set part;

    switch (set->field->id) {
    case FIELD_IP_TTL: return put_u8(buf, 23, set->value);
    case FIELD_MPLS_TTL: return put_u8(buf, 15, set->value);
    case FIELD_VLAN_TCI:
        part.field = field_by_id(set->mask == 0x1fff ? FIELD_VLAN_VID
                                                     : FIELD_VLAN_PCP);
        part.value = set->value >> part.field->shift
                     & field_ones(part.field);
        part.mask = field_ones(part.field);
        return put_set_oxm(buf, version, &part);
    default: return put_set_oxm(buf, version, set);
    }
}

static bool
put_set_field(struct buf *buf, enum of_version version,
              const struct action_set_field *a)
{
    struct set set = { field_by_id(a->field), action_u128(a->value),
                       action_u128(a->mask) };
    struct subfield sub;

    if (a->is_mod) {
        return version == OF10 ? put_mod_of10(buf, &set)
               : put_mod_of13(buf, version, &set);
    }
    if (a->is_load && version < OF15 && is_run(set.mask, &sub)) {
        return put_load(buf, version, &set, &sub);
    }
    return put_set_oxm(buf, version, &set);
}

static bool
put_move(struct buf *buf, enum of_version version,
         const struct action_move *a)
{
    bool is_standard = version >= OF15;
    size_t mark = is_standard ? begin(buf, 28) : begin_nx(buf, 6);

    buf_put_u16(buf, a->src.n_bits);
    buf_put_u16(buf, a->src.ofs);
    buf_put_u16(buf, a->dst.ofs);
    buf_put_zeros(buf, is_standard ? 2 : 0);
    return field_header_encode(buf, version, field_by_id(a->src.field))
           && field_header_encode(buf, version, field_by_id(a->dst.field))
           && put_plain(buf, mark);
}

static bool
put_stack(struct buf *buf, enum of_version version,
          const struct action_stack *a)
{
    size_t mark = begin_nx(buf, a->h.type == ACTION_STACK_PUSH ? 27 : 28);

    buf_put_u16(buf, a->sub.ofs);
    if (!field_header_encode(buf, version, field_by_id(a->sub.field))) {
        return false;
    }
    buf_put_u16(buf, a->sub.n_bits);
    buf_put_zeros(buf, 6);
    return put_plain(buf, mark);
}

/* ---- The rest ---- */

static bool
put_resubmit(struct buf *buf, const struct action_resubmit *a)
{
    size_t mark = begin_nx(buf, a->table == 0xff ? 1 : 14);
    uint16_t port;

    if (!port_to_of10(a->in_port, &port)) {
        return false;
    }
    buf_put_u16(buf, port);
    buf_put_u8(buf, a->table == 0xff ? 0 : a->table);
    return put_plain(buf, mark);
}

static bool
put_clone(struct buf *buf, enum of_version version,
          const struct action_clone *a)
{
    size_t mark = begin_nx(buf, 42);
    bool all;

    buf_put_zeros(buf, 6);
    all = actions_encode(buf, version, action_clone_list(a));
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark) && all;
}

static bool
put_note(struct buf *buf, const struct action_note *a)
{
    size_t mark = begin_nx(buf, 8);

    buf_put(buf, a->bytes, a->n_bytes);
    return put_plain(buf, mark);
}

static bool
put_push(struct buf *buf, enum of_version version,
         const struct action_push *a)
{
    bool is_pop = a->h.type == ACTION_POP_MPLS;
    size_t mark;

    if (version != OF10) {
        return put_u16(buf, a->h.type == ACTION_PUSH_VLAN ? 17
                            : is_pop ? 20 : 19, a->eth_type);
    }
    if (a->h.type == ACTION_PUSH_VLAN) {
        return false;
    }
    mark = begin_nx(buf, is_pop ? 24 : 23);
    buf_put_u16(buf, a->eth_type);
    return put_plain(buf, mark);
}

/* Actions without arguments: standard types, 0 where there is none, and
 * Nicira's subtypes. */
static bool
put_simple(struct buf *buf, enum of_version version, enum action_type type)
{
    static const struct {
        uint16_t of10, of13, nicira;
    } rows[N_ACTIONS] = {
        [ACTION_POP_VLAN] = { 3, 18, 0 }, [ACTION_DEC_TTL] = { 0, 24, 18 },
        [ACTION_DEC_MPLS_TTL] = { 0, 16, 26 },
        [ACTION_COPY_TTL_OUT] = { 0, 11, 0 },
        [ACTION_COPY_TTL_IN] = { 0, 12, 0 },
        [ACTION_POP_QUEUE] = { 0, 0, 5 }, [ACTION_EXIT] = { 0, 0, 17 },
    };
    uint16_t standard = version == OF10 ? rows[type].of10 : rows[type].of13;
    size_t mark;

    if (standard) {
        return put_u32(buf, standard, 0);
    }
    if (!rows[type].nicira) {
        return false;
    }
    mark = begin_nx(buf, rows[type].nicira);
    return put_plain(buf, mark);
}

static bool
put_number(struct buf *buf, enum of_version version,
           const struct action_number *a)
{
    if (a->h.type == ACTION_METER) {
        return version >= OF15 && put_u32(buf, 29, a->number);
    }
    if (a->h.type == ACTION_GROUP) {
        return version == OF10 ? put_nx_u32(buf, 40, a->number)
               : put_u32(buf, 22, a->number);
    }
    return version == OF10 ? put_nx_u32(buf, 4, a->number)
           : put_u32(buf, 21, a->number);
}

static bool
put_action(struct buf *buf, enum of_version version, const struct action *a)
{
    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT: return put_action_output(buf, version,
                                                 (const void *) a);
    case ACTION_CONTROLLER: return put_controller(buf, version,
                                                  (const void *) a);
    case ACTION_OUTPUT_REG: return put_output_reg(buf, version,
                                                  (const void *) a);
    case ACTION_SET_FIELD: return put_set_field(buf, version,
                                                (const void *) a);
    case ACTION_MOVE: return put_move(buf, version, (const void *) a);
    case ACTION_PUSH_VLAN: case ACTION_PUSH_MPLS: case ACTION_POP_MPLS:
        return put_push(buf, version, (const void *) a);
    case ACTION_POP_VLAN: case ACTION_DEC_TTL: case ACTION_DEC_MPLS_TTL:
    case ACTION_COPY_TTL_OUT: case ACTION_COPY_TTL_IN:
    case ACTION_POP_QUEUE: case ACTION_EXIT:
        return put_simple(buf, version, a->type);
    case ACTION_GROUP: case ACTION_METER: case ACTION_SET_QUEUE:
        return put_number(buf, version, (const void *) a);
    case ACTION_RESUBMIT: return put_resubmit(buf, (const void *) a);
    case ACTION_CLONE: return put_clone(buf, version, (const void *) a);
    case ACTION_STACK_PUSH: case ACTION_STACK_POP:
        return put_stack(buf, version, (const void *) a);
    case ACTION_NOTE: return put_note(buf, (const void *) a);
    case N_ACTIONS: break;
    }
    return false;
}

bool
actions_encode(struct buf *buf, enum of_version version,
               struct action_list list)
{
    bool all = true;

    ACTION_FOR_EACH (action, &list) {
        size_t start = buf->len;

        if (!put_action(buf, version, action)) {
            buf->len = start;
            all = false;
        }
    }
    return all;
}

/* ---- Instructions ---- */

enum {
    INST_GOTO = 1, INST_METADATA, INST_WRITE, INST_APPLY, INST_CLEAR,
    INST_METER, INST_STAT_TRIGGER, INST_EXPERIMENTER = 0xffff,
    NX_WRITE_METADATA = 22,
};

static enum of_error
decode_instruction(enum of_version version, uint16_t type, struct cursor *c,
                   struct flow_mod *fm, struct str *why)
{
    struct instructions *in = &fm->instructions;

    switch (type) {
    case INST_GOTO:
        in->has_goto = true;
        in->goto_table = cursor_u8(c);
        cursor_skip(c, 3);
        return OF_OK;
    case INST_METADATA:
        cursor_skip(c, 4);
        in->metadata = htobe64(cursor_u64(c));
        in->metadata_mask = htobe64(cursor_u64(c));
        in->metadata &= in->metadata_mask;
        return OF_OK;
    case INST_WRITE: case INST_APPLY:
        cursor_skip(c, 4);
        return actions_decode(version, c, &fm->storage[type == INST_WRITE],
                              NULL, why);
    case INST_CLEAR:
        cursor_skip(c, 4);
        in->clear = true;
        return OF_OK;
    case INST_METER:
        in->meter = cursor_u32(c);
        return OF_OK;
    case INST_STAT_TRIGGER:
        return version >= OF15 ? OF_BAD_INSTRUCTION_UNSUP_INST
               : OF_BAD_INSTRUCTION_UNKNOWN_INST;
    case INST_EXPERIMENTER:
        return OF_BAD_INSTRUCTION_BAD_EXPERIMENTER;
    default:
        str_setf(why, "an instruction of type %u", type);
        return OF_BAD_INSTRUCTION_UNKNOWN_INST;
    }
}

/* 1.5 made a meter an action; at the very beginning that is the instruction. */
static void
take_first_meter(struct flow_mod *fm)
{
    struct actions *apply = &fm->storage[0];
    const struct action_number *first = (const void *) apply->data;

    if (apply->len && first->h.type == ACTION_METER
        && !fm->instructions.meter) {
        uint32_t len = first->h.len;

        fm->instructions.meter = first->number;
        apply->len -= len;
        memmove(apply->data, apply->data + len, apply->len);
    }
}

enum of_error
instructions_decode(enum of_version version, struct cursor *c,
                    struct flow_mod *fm, struct str *why)
{
    unsigned int seen = 0;

    if (version == OF10) {
        return actions_decode(version, c, &fm->storage[0], &fm->instructions,
                              why);
    }
    while (cursor_left(c)) {
        uint16_t type = cursor_u16(c);
        uint16_t len = cursor_u16(c);
        struct cursor body;
        enum of_error error;

        if (len < 8 || len % 8 || len - 4u > cursor_left(c)) {
            str_setf(why, "an instruction of %u bytes", len);
            return OF_BAD_INSTRUCTION_BAD_LEN;
        }
        if (type < 32 && seen & 1u << type) {
            return OF_BAD_INSTRUCTION_DUP_INST;
        }
        seen |= type < 32 ? 1u << type : 0;
        body = cursor_sub(c, len - 4u);
        error = decode_instruction(version, type, &body, fm, why);
        if (error || cursor_overrun(&body) || cursor_left(&body)) {
            return error ? error : OF_BAD_INSTRUCTION_BAD_LEN;
        }
    }
    if (version >= OF15) {
        take_first_meter(fm);
    }
    return OF_OK;
}

static bool
encode_actions(struct buf *buf, enum of_version version, uint16_t type,
               const struct instructions *in, uint32_t meter)
{
    size_t mark = begin(buf, type);
    bool all;

    buf_put_u32(buf, 0);
    if (meter) {
        put_u32(buf, 29, meter);
    }
    all = actions_encode(buf, version,
                         type == INST_APPLY ? in->apply : in->write);
    if (buf->len - mark > ACTION_MAX_LEN) {
        buf->len = mark;
        return false;
    }
    end(buf, mark);
    return all;
}

static bool
encode_of10(struct buf *buf, const struct instructions *in)
{
    bool all = actions_encode(buf, OF10, in->apply);
    size_t mark;

    if (in->metadata_mask) {
        mark = begin_nx(buf, NX_WRITE_METADATA);
        buf_put_zeros(buf, 6);
        buf_put_u64(buf, be64toh(in->metadata));
        buf_put_u64(buf, be64toh(in->metadata_mask));
        end(buf, mark);
    }
    return all && !in->write.len && !in->meter && !in->clear && !in->has_goto;
}

bool
instructions_encode(struct buf *buf, enum of_version version,
                    const struct instructions *in)
{
    uint32_t meter_action = version >= OF15 ? in->meter : 0;
    bool all = true;
    size_t mark;

    if (version == OF10) {
        return encode_of10(buf, in);
    }
    if (in->meter && !meter_action) {
        put_u32(buf, INST_METER, in->meter);
    }
    if (in->apply.len || meter_action) {
        all = encode_actions(buf, version, INST_APPLY, in, meter_action);
    }
    if (in->clear) {
        put_u32(buf, INST_CLEAR, 0);
    }
    if (in->write.len) {
        all = encode_actions(buf, version, INST_WRITE, in, 0) && all;
    }
    if (in->metadata_mask) {
        mark = begin(buf, INST_METADATA);
        buf_put_u32(buf, 0);
        buf_put_u64(buf, be64toh(in->metadata));
        buf_put_u64(buf, be64toh(in->metadata_mask));
        end(buf, mark);
    }
    if (in->has_goto) {
        put_u8(buf, INST_GOTO, in->goto_table);
    }
    return all;
}
