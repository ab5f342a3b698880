/* Nicira's actions from the wire. */
#include "openflow/wire_action_impl.h"

static enum of_error
nx_reg_load(struct action_decoder *d, struct cursor *c)
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
nx_reg_load2(struct action_decoder *d, struct cursor *c)
{
    return get_set_field(d, c, true);
}

static enum of_error
nx_reg_move(struct action_decoder *d, struct cursor *c)
{
    return get_move(d, c, false);
}

static enum of_error
nx_resubmit(struct action_decoder *d, struct cursor *c)
{
    struct action_resubmit *a = actions_add(d->out, ACTION_RESUBMIT,
                                            sizeof *a);

    a->in_port = port_from_of10(cursor_u16(c));
    a->table = 0xff;
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_resubmit_table(struct action_decoder *d, struct cursor *c)
{
    struct action_resubmit *a = actions_add(d->out, ACTION_RESUBMIT,
                                            sizeof *a);

    a->in_port = port_from_of10(cursor_u16(c));
    a->table = cursor_u8(c);
    cursor_skip(c, 3);
    return OF_OK;
}

static enum of_error
nx_resubmit_ct(struct action_decoder *d, struct cursor *c)
{
    struct action_resubmit *a = actions_add(d->out, ACTION_RESUBMIT,
                                            sizeof *a);

    a->in_port = port_from_of10(cursor_u16(c));
    a->table = cursor_u8(c);
    a->with_ct = true;
    cursor_skip(c, 3);
    return OF_OK;
}

static enum of_error
nx_set_tunnel(struct action_decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_mod(d, FIELD_TUN_ID, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_set_tunnel64(struct action_decoder *d, struct cursor *c)
{
    struct action_set_field *set;

    cursor_skip(c, 6);
    set = add_set(d, FIELD_TUN_ID, cursor_u64(c), UINT64_MAX);
    set->is_mod = set->is_64 = true;
    return OF_OK;
}

static enum of_error
nx_set_queue(struct action_decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_number(d, ACTION_SET_QUEUE, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_group(struct action_decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_number(d, ACTION_GROUP, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_pop_queue(struct action_decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_POP_QUEUE, 6);
}

static enum of_error
nx_exit(struct action_decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_EXIT, 6);
}

static enum of_error
nx_dec_ttl(struct action_decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_DEC_TTL, 6);
}

static enum of_error
nx_dec_mpls_ttl(struct action_decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_DEC_MPLS_TTL, 6);
}

static enum of_error
nx_ct_clear(struct action_decoder *d, struct cursor *c)
{
    return get_plain(d, c, ACTION_CT_CLEAR, 6);
}

static enum of_error
nx_dec_ttl_ids(struct action_decoder *d, struct cursor *c)
{
    unsigned int n = cursor_u16(c);
    struct action_ids *a;

    cursor_skip(c, 4);
    if (!n || 2 * n > cursor_left(c)) {
        str_setf(d->why, "dec_ttl of %u controllers", n);
        return n ? OF_BAD_ACTION_BAD_LEN : OF_BAD_ACTION_BAD_ARGUMENT;
    }
    a = actions_add(d->out, ACTION_DEC_TTL_IDS, sizeof *a + 2 * n);
    a->n = (uint16_t) n;
    for (unsigned int i = 0; i < n; i++) {
        a->ids[i] = cursor_u16(c);
    }
    cursor_skip(c, MIN(cursor_left(c), 7u));
    return OF_OK;
}

static enum of_error
nx_delete_field(struct action_decoder *d, struct cursor *c)
{
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_field *a;

    if (!error) {
        a = actions_add(d->out, ACTION_DELETE_FIELD, sizeof *a);
        a->field = (uint16_t) field->id;
    }
    cursor_skip(c, MIN(cursor_left(c), 10u));
    return error;
}

static enum of_error
nx_note(struct action_decoder *d, struct cursor *c)
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
nx_output_reg(struct action_decoder *d, struct cursor *c)
{
    uint16_t ofs_n = cursor_u16(c);
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_output_reg *a;
    struct subfield sub;

    error = error ? error : set_packed_subfield(d, field, ofs_n, &sub);
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
nx_output_reg2(struct action_decoder *d, struct cursor *c)
{
    unsigned int ofs_n = cursor_u16(c), max_len = cursor_u16(c);
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct action_output_reg *a;
    struct subfield sub;

    error = error ? error : set_packed_subfield(d, field, ofs_n, &sub);
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
nx_output_trunc(struct action_decoder *d, struct cursor *c)
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
nx_write_metadata(struct action_decoder *d, struct cursor *c)
{
    if (!d->in || d->depth) {
        str_setf(d->why, "write_metadata does not belong here");
        return OF_BAD_ACTION_UNSUPPORTED_ORDER;
    }
    cursor_skip(c, 6);
    d->in->metadata = htobe64(cursor_u64(c));
    d->in->metadata_mask = htobe64(cursor_u64(c));
    return OF_OK;
}

static enum of_error
nx_push_mpls(struct action_decoder *d, struct cursor *c)
{
    add_push(d, ACTION_PUSH_MPLS, cursor_u16(c));
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_pop_mpls(struct action_decoder *d, struct cursor *c)
{
    add_push(d, ACTION_POP_MPLS, cursor_u16(c));
    cursor_skip(c, 4);
    return OF_OK;
}

static enum of_error
nx_set_mpls_ttl(struct action_decoder *d, struct cursor *c)
{
    add_mod(d, FIELD_MPLS_TTL, cursor_u8(c));
    cursor_skip(c, 5);
    return OF_OK;
}

static enum of_error
nx_set_mpls_label(struct action_decoder *d, struct cursor *c)
{
    cursor_skip(c, 2);
    add_mod(d, FIELD_MPLS_LABEL, cursor_u32(c));
    return OF_OK;
}

static enum of_error
nx_set_mpls_tc(struct action_decoder *d, struct cursor *c)
{
    add_mod(d, FIELD_MPLS_TC, cursor_u8(c));
    cursor_skip(c, 5);
    return OF_OK;
}

static enum of_error
get_stack(struct action_decoder *d, struct cursor *c, enum action_type type)
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
nx_stack_push(struct action_decoder *d, struct cursor *c)
{
    return get_stack(d, c, ACTION_STACK_PUSH);
}

static enum of_error
nx_stack_pop(struct action_decoder *d, struct cursor *c)
{
    return get_stack(d, c, ACTION_STACK_POP);
}

static enum of_error
nx_clone(struct action_decoder *d, struct cursor *c)
{
    uint32_t mark = actions_begin_clone(d->out);
    enum of_error error;

    if (d->depth == ACTIONS_MAX_DEPTH) {
        return OF_BAD_ACTION_TOO_MANY;
    }
    cursor_skip(c, 6);
    d->depth++;
    error = decode_actions(d, c);
    d->depth--;
    if (!error && !actions_end(d->out, mark)) {
        error = OF_BAD_ACTION_TOO_MANY;
    }
    return error;
}

static enum of_error
nx_conjunction(struct action_decoder *d, struct cursor *c)
{
    unsigned int clause = cursor_u8(c), n_clauses = cursor_u8(c);
    struct action_conjunction *a;

    if (n_clauses < CONJUNCTION_MIN_CLAUSES
        || n_clauses > CONJUNCTION_MAX_CLAUSES || clause >= n_clauses) {
        str_setf(d->why, "conjunction: clause %u of %u", clause + 1,
                 n_clauses);
        return OF_BAD_ACTION_BAD_CONJUNCTION;
    }
    a = actions_add(d->out, ACTION_CONJUNCTION, sizeof *a);
    a->clause = (uint8_t) clause;
    a->n_clauses = (uint8_t) n_clauses;
    a->id = cursor_u32(c);
    return OF_OK;
}

static enum of_error
nx_check_pkt_larger(struct action_decoder *d, struct cursor *c)
{
    unsigned int pkt_len = cursor_u16(c), ofs = cursor_u16(c);
    struct action_check_pkt_larger *a;
    const struct field *field;
    enum of_error error = get_field(d, c, &field);
    struct subfield dst;

    error = error ? error : set_subfield(d, field, ofs, 1, &dst);
    if (!error) {
        a = actions_add(d->out, ACTION_CHECK_PKT_LARGER, sizeof *a);
        a->pkt_len = (uint16_t) pkt_len;
        a->dst = dst;
        cursor_skip(c, MIN(cursor_left(c), 7u));
    }
    return error;
}

static enum of_error
get_sample(struct action_decoder *d, struct cursor *c, uint16_t subtype)
{
    struct action_sample *a = actions_add(d->out, ACTION_SAMPLE, sizeof *a);

    a->probability = cursor_u16(c);
    a->collector_set = cursor_u32(c);
    a->obs_domain = cursor_u32(c);
    a->obs_point = cursor_u32(c);
    a->sampling_port = OFPP_ANY;
    if (subtype != NX_SAMPLE) {
        a->sampling_port = port_from_of10(cursor_u16(c));
        a->direction = subtype == NX_SAMPLE3 ? cursor_u8(c) : 0;
        cursor_skip(c, subtype == NX_SAMPLE3 ? 5 : 6);
    }
    if (!a->probability || a->direction > SAMPLE_EGRESS) {
        str_setf(d->why, "sample: a probability of %u, direction %u",
                 a->probability, a->direction);
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    return OF_OK;
}

static enum of_error
nx_sample(struct action_decoder *d, struct cursor *c)
{
    return get_sample(d, c, NX_SAMPLE);
}

static enum of_error
nx_sample2(struct action_decoder *d, struct cursor *c)
{
    return get_sample(d, c, NX_SAMPLE2);
}

static enum of_error
nx_sample3(struct action_decoder *d, struct cursor *c)
{
    return get_sample(d, c, NX_SAMPLE3);
}

static enum of_error
nx_fin_timeout(struct action_decoder *d, struct cursor *c)
{
    struct action_fin_timeout *a = actions_add(d->out, ACTION_FIN_TIMEOUT,
                                               sizeof *a);

    a->idle_timeout = cursor_u16(c);
    a->hard_timeout = cursor_u16(c);
    cursor_skip(c, 2);
    return OF_OK;
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
    [NX_CLONE] = nx_clone, [NX_DEC_TTL_IDS] = nx_dec_ttl_ids,
    [NX_CT] = nx_ct, [NX_NAT] = nx_nat, [NX_CT_CLEAR] = nx_ct_clear,
    [NX_RESUBMIT_CT] = nx_resubmit_ct, [NX_DELETE_FIELD] = nx_delete_field,
    [NX_MULTIPATH] = nx_multipath,
    [NX_BUNDLE] = nx_bundle, [NX_BUNDLE_LOAD] = nx_bundle_load,
    [NX_LEARN] = nx_learn, [NX_LEARN2] = nx_learn2,
    [NX_FIN_TIMEOUT] = nx_fin_timeout, [NX_SAMPLE] = nx_sample,
    [NX_SAMPLE2] = nx_sample2, [NX_SAMPLE3] = nx_sample3,
    [NX_CONJUNCTION] = nx_conjunction,
    [NX_CHECK_PKT_LARGER] = nx_check_pkt_larger,
};

/* 1.5's copy_field, as the ONF gave it to 1.3 and 1.4. */
enum { ONF_COPY_FIELD = 3200 };

static enum of_error
decode_onf(struct action_decoder *d, struct cursor *c)
{
    uint16_t subtype = cursor_u16(c);

    cursor_skip(c, 2);
    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    if (subtype != ONF_COPY_FIELD || (d->version != OF13
                                      && d->version != OF14)) {
        str_setf(d->why, "the ONF's action %u is not known", subtype);
        return OF_BAD_ACTION_BAD_EXP_TYPE;
    }
    return get_move(d, c, true);
}

enum of_error
decode_experimenter(struct action_decoder *d, struct cursor *c)
{
    uint32_t experimenter = cursor_u32(c);
    uint16_t subtype;

    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    if (experimenter == EXPERIMENTER_ONF) {
        return decode_onf(d, c);
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
