/* Nicira's actions to the wire. */
#include "openflow/wire_action_impl.h"

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
    if (!field_header_encode(buf, version, field_by_id(a->src.field))) {
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
    if (!field_header_encode(buf, version, field_by_id(a->sub.field))) {
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

    return field_header_encode(buf, version, field_by_id(a->field))
           && put_plain(buf, mark);
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
    default: return false;
    }
}
