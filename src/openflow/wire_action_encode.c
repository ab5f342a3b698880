/* Actions to the wire. */
#include "openflow/wire_action_impl.h"

/* Each function appends one action and says whether the version can. */

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
    mark = begin_nx(buf, NX_OUTPUT_TRUNC);
    buf_put_u16(buf, port);
    buf_put_u32(buf, a->trunc);
    return put_plain(buf, mark);
}

static bool
put_controller(struct buf *buf, enum of_version version,
               const struct action_controller *a)
{
    return action_controller_is_plain(a)
           ? put_output(buf, version, OFPP_CONTROLLER, a->max_len)
           : put_nx_controller(buf, a);
}

/* ---- Fields ---- */

struct set {
    const struct field *field;
    u128 value, mask;
};

/* What set_field writes of in_port are NXM's 16 bits: a whole port among
 * those, or bits of one.  What is neither is left to load. */
static bool
narrow_port(struct set *set)
{
    uint16_t port;

    if (set->field->id != FIELD_IN_PORT || set->mask <= UINT16_MAX) {
        return true;
    }
    if (set->mask != UINT32_MAX
        || !port_to_of10((uint32_t) set->value, &port)) {
        return false;
    }
    set->value = port;
    return true;
}

static bool
put_set_oxm(struct buf *buf, enum of_version version, const struct set *set)
{
    size_t mark = version == OF10 || (set->mask != field_ones(set->field)
                                      && version < OF15)
                  ? begin_nx(buf, NX_REG_LOAD2) : begin(buf, 25);
    size_t header = buf->len;
    unsigned int n_bytes;

    if (!set_header_encode(buf, version, set->field, &n_bytes)) {
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
    size_t mark = begin_nx(buf, NX_REG_LOAD);
    uint64_t value = (uint64_t) (set->value >> sub->ofs);
    struct subfield dst = *sub;
    uint16_t port;

    dst.field = (uint16_t) set->field->id;
    if (dst.field == FIELD_IN_PORT && dst.n_bits == 32
        && port_to_of10((uint32_t) value, &port)) {
        dst.n_bits = 16;
        value = port;
    }
    buf_put_u16(buf, ofs_nbits(&dst));
    if (!put_subfield_header(buf, version, &dst)) {
        return false;
    }
    buf_put_u64(buf, value);
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
put_set_tunnel(struct buf *buf, const struct action_set_field *a)
{
    bool is_64 = a->is_64 || a->value[0] > UINT32_MAX;
    size_t mark = begin_nx(buf, is_64 ? NX_SET_TUNNEL64 : NX_SET_TUNNEL);

    if (is_64) {
        buf_put_zeros(buf, 6);
        buf_put_u64(buf, a->value[0]);
    } else {
        buf_put_u16(buf, 0);
        buf_put_u32(buf, (uint32_t) a->value[0]);
    }
    return put_plain(buf, mark);
}

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
    case FIELD_MPLS_TTL: return put_nx_u8(buf, NX_SET_MPLS_TTL, set->value);
    case FIELD_MPLS_LABEL:
        return put_nx_u32(buf, NX_SET_MPLS_LABEL, set->value);
    case FIELD_MPLS_TC: return put_nx_u8(buf, NX_SET_MPLS_TC, set->value);
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
    case FIELD_TCP_SRC: return put_u16(buf, 9, (uint16_t) set->value);
    case FIELD_TCP_DST: return put_u16(buf, 10, (uint16_t) set->value);
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

    if (a->is_mod && a->field == FIELD_TUN_ID && version == OF10) {
        return put_set_tunnel(buf, a);
    }
    if (a->is_mod) {
        return version == OF10 ? put_mod_of10(buf, &set)
               : put_mod_of13(buf, version, &set);
    }
    if (((a->is_load && version < OF15) || !narrow_port(&set))
        && is_run(set.mask, &sub)) {
        return put_load(buf, version, &set, &sub);
    }
    return put_set_oxm(buf, version, &set);
}

static bool
put_move(struct buf *buf, enum of_version version,
         const struct action_move *a)
{
    bool is_standard = version >= OF15;
    size_t mark = is_standard ? begin(buf, 28) : begin_nx(buf, NX_REG_MOVE);

    buf_put_u16(buf, a->src.n_bits);
    buf_put_u16(buf, a->src.ofs);
    buf_put_u16(buf, a->dst.ofs);
    buf_put_zeros(buf, is_standard ? 2 : 0);
    return put_subfield_header(buf, version, &a->src)
           && put_subfield_header(buf, version, &a->dst)
           && put_plain(buf, mark);
}

/* ---- The rest ---- */

static bool
put_push(struct buf *buf, enum of_version version,
         const struct action_push *a)
{
    bool is_pop = a->h.type == ACTION_POP_MPLS;
    size_t mark;

    if (version != OF10) {
        return put_u16(buf, a->h.type == ACTION_PUSH_VLAN ? 17
                            : a->h.type == ACTION_PUSH_PBB ? 26
                            : is_pop ? 20 : 19, a->eth_type);
    }
    if (a->h.type == ACTION_PUSH_VLAN || a->h.type == ACTION_PUSH_PBB) {
        return false;
    }
    mark = begin_nx(buf, is_pop ? NX_POP_MPLS : NX_PUSH_MPLS);
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
        [ACTION_POP_VLAN] = { 3, 18, 0 },
        [ACTION_POP_PBB] = { 0, 27, 0 },
        [ACTION_DEC_TTL] = { 0, 24, NX_DEC_TTL },
        [ACTION_DEC_MPLS_TTL] = { 0, 16, NX_DEC_MPLS_TTL },
        [ACTION_COPY_TTL_OUT] = { 0, 11, 0 },
        [ACTION_COPY_TTL_IN] = { 0, 12, 0 },
        [ACTION_POP_QUEUE] = { 0, 0, NX_POP_QUEUE },
        [ACTION_EXIT] = { 0, 0, NX_EXIT },
        [ACTION_CT_CLEAR] = { 0, 0, NX_CT_CLEAR },
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
        return version == OF10 ? put_nx_u32(buf, NX_GROUP, a->number)
               : put_u32(buf, 22, a->number);
    }
    return version == OF10 ? put_nx_u32(buf, NX_SET_QUEUE, a->number)
           : put_u32(buf, 21, a->number);
}

/* Later versions say it in three words. */
static bool
put_enqueue(struct buf *buf, enum of_version version,
            const struct action_enqueue *a)
{
    size_t mark;
    uint16_t port;

    if (version != OF10) {
        return put_u32(buf, 21, a->queue)
               && put_output(buf, version, a->port, 0)
               && put_simple(buf, version, ACTION_POP_QUEUE);
    }
    if (!port_to_of10(a->port, &port)) {
        return false;
    }
    mark = begin(buf, 11);
    buf_put_u16(buf, port);
    buf_put_zeros(buf, 6);
    buf_put_u32(buf, a->queue);
    return put_plain(buf, mark);
}

static bool
put_action(struct buf *buf, enum of_version version, const struct action *a)
{
    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT: return put_action_output(buf, version,
                                                 (const void *) a);
    case ACTION_CONTROLLER: return put_controller(buf, version,
                                                  (const void *) a);
    case ACTION_SET_FIELD: return put_set_field(buf, version,
                                                (const void *) a);
    case ACTION_MOVE: return put_move(buf, version, (const void *) a);
    case ACTION_PUSH_VLAN: case ACTION_PUSH_MPLS: case ACTION_POP_MPLS:
    case ACTION_PUSH_PBB:
        return put_push(buf, version, (const void *) a);
    case ACTION_POP_VLAN: case ACTION_DEC_TTL: case ACTION_DEC_MPLS_TTL:
    case ACTION_COPY_TTL_OUT: case ACTION_COPY_TTL_IN: case ACTION_POP_PBB:
    case ACTION_POP_QUEUE: case ACTION_EXIT: case ACTION_CT_CLEAR:
        return put_simple(buf, version, a->type);
    case ACTION_ENQUEUE: return put_enqueue(buf, version, (const void *) a);
    case ACTION_GROUP: case ACTION_METER: case ACTION_SET_QUEUE:
        return put_number(buf, version, (const void *) a);
    case ACTION_STAT_TRIGGER:     /* an instruction of its own */
        return version >= OF15;
    default: return nicira_encode(buf, version, a);
    }
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
