/* Nicira's actions to the wire. */
#include "openflow/wire_action_impl.h"

bool
put_subfield_header(struct buf *buf, enum of_version version,
                    const struct subfield *sub)
{
    enum { NXM_OF_IN_PORT = 0x00000002 };

    /* What fits into NXM's 16 bits of a port says so. */
    if (sub->field == FIELD_IN_PORT && sub->ofs + sub->n_bits <= 16) {
        buf_put_u32(buf, NXM_OF_IN_PORT);
        return true;
    }
    return field_header_encode(buf, version, field_by_id(sub->field));
}

/* Each function appends one action and says whether the version can. */

static bool
put_output_reg(struct buf *buf, enum of_version version,
               const struct action_output_reg *a)
{
    size_t mark = begin_nx(buf, NX_OUTPUT_REG);

    if (a->src.n_bits > 64) {
        return false;
    }
    buf_put_u16(buf, ofs_nbits(&a->src));
    if (!put_subfield_header(buf, version, &a->src)) {
        return false;
    }
    buf_put_u16(buf, a->max_len);
    buf_put_zeros(buf, 6);
    return put_plain(buf, mark);
}

static bool
put_stack(struct buf *buf, enum of_version version,
          const struct action_stack *a)
{
    size_t mark = begin_nx(buf, a->h.type == ACTION_STACK_PUSH
                                ? NX_STACK_PUSH : NX_STACK_POP);

    buf_put_u16(buf, a->sub.ofs);
    if (!put_subfield_header(buf, version, &a->sub)) {
        return false;
    }
    buf_put_u16(buf, a->sub.n_bits);
    buf_put_zeros(buf, 6);
    return put_plain(buf, mark);
}

static bool
put_resubmit(struct buf *buf, const struct action_resubmit *a)
{
    bool is_plain = a->table == 0xff && !a->with_ct;
    size_t mark = begin_nx(buf, is_plain ? NX_RESUBMIT
                                : a->with_ct ? NX_RESUBMIT_CT
                                : NX_RESUBMIT_TABLE);
    uint16_t port;

    if (!port_to_of10(a->in_port, &port)) {
        return false;
    }
    buf_put_u16(buf, port);
    buf_put_u8(buf, is_plain ? 0 : a->table);
    return put_plain(buf, mark);
}

static bool
put_clone(struct buf *buf, enum of_version version,
          const struct action_clone *a)
{
    size_t mark = begin_nx(buf, NX_CLONE);
    bool all;

    buf_put_zeros(buf, 6);
    all = actions_encode(buf, version, action_clone_list(a));
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark) && all;
}

static bool
put_note(struct buf *buf, const struct action_note *a)
{
    size_t mark = begin_nx(buf, NX_NOTE);

    buf_put(buf, a->bytes, a->n_bytes);
    return put_plain(buf, mark);
}

static bool
put_ids(struct buf *buf, const struct action_ids *a)
{
    size_t mark = begin_nx(buf, NX_DEC_TTL_IDS);

    buf_put_u16(buf, a->n);
    buf_put_zeros(buf, 4);
    for (unsigned int i = 0; i < a->n; i++) {
        buf_put_u16(buf, a->ids[i]);
    }
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark);
}

static bool
put_delete_field(struct buf *buf, enum of_version version,
                 const struct action_field *a)
{
    size_t mark = begin_nx(buf, NX_DELETE_FIELD);

    if (!field_header_encode(buf, version, field_by_id(a->field))) {
        return false;
    }
    buf_put_zeros(buf, 10);
    return put_plain(buf, mark);
}

static bool
put_conjunction(struct buf *buf, const struct action_conjunction *a)
{
    size_t mark = begin_nx(buf, NX_CONJUNCTION);

    buf_put_u8(buf, a->clause);
    buf_put_u8(buf, a->n_clauses);
    buf_put_u32(buf, a->id);
    return put_plain(buf, mark);
}

static bool
put_check_pkt_larger(struct buf *buf, enum of_version version,
                     const struct action_check_pkt_larger *a)
{
    size_t mark = begin_nx(buf, NX_CHECK_PKT_LARGER);

    buf_put_u16(buf, a->pkt_len);
    buf_put_u16(buf, a->dst.ofs);
    return put_subfield_header(buf, version, &a->dst)
           && put_plain(buf, mark);
}

/* The shortest of the three forms that says all. */
static bool
put_sample(struct buf *buf, const struct action_sample *a)
{
    uint16_t subtype = a->direction ? NX_SAMPLE3
                       : a->sampling_port != OFPP_ANY ? NX_SAMPLE2
                       : NX_SAMPLE;
    size_t mark = begin_nx(buf, subtype);
    uint16_t port;

    buf_put_u16(buf, a->probability);
    buf_put_u32(buf, a->collector_set);
    buf_put_u32(buf, a->obs_domain);
    buf_put_u32(buf, a->obs_point);
    if (subtype != NX_SAMPLE) {
        if (!port_to_of10(a->sampling_port, &port)) {
            return false;
        }
        buf_put_u16(buf, port);
        buf_put_u8(buf, a->direction);
    }
    return put_plain(buf, mark);
}

static bool
put_fin_timeout(struct buf *buf, const struct action_fin_timeout *a)
{
    size_t mark = begin_nx(buf, NX_FIN_TIMEOUT);

    buf_put_u16(buf, a->idle_timeout);
    buf_put_u16(buf, a->hard_timeout);
    return put_plain(buf, mark);
}

bool
nicira_encode(struct buf *buf, enum of_version version, const struct action *a)
{
    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT_REG: return put_output_reg(buf, version,
                                                  (const void *) a);
    case ACTION_RESUBMIT: return put_resubmit(buf, (const void *) a);
    case ACTION_CLONE: return put_clone(buf, version, (const void *) a);
    case ACTION_STACK_PUSH: case ACTION_STACK_POP:
        return put_stack(buf, version, (const void *) a);
    case ACTION_NOTE: return put_note(buf, (const void *) a);
    case ACTION_DEC_TTL_IDS: return put_ids(buf, (const void *) a);
    case ACTION_CT: return put_ct(buf, version, (const void *) a);
    case ACTION_NAT: return put_nat(buf, (const void *) a);
    case ACTION_DELETE_FIELD: return put_delete_field(buf, version,
                                                      (const void *) a);
    case ACTION_LEARN: return put_learn(buf, version, (const void *) a);
    case ACTION_CONJUNCTION: return put_conjunction(buf, (const void *) a);
    case ACTION_MULTIPATH: return put_multipath(buf, version,
                                                (const void *) a);
    case ACTION_BUNDLE: return put_bundle(buf, version, (const void *) a);
    case ACTION_CHECK_PKT_LARGER:
        return put_check_pkt_larger(buf, version, (const void *) a);
    case ACTION_SAMPLE: return put_sample(buf, (const void *) a);
    case ACTION_FIN_TIMEOUT: return put_fin_timeout(buf, (const void *) a);
    default: return false;
    }
}
