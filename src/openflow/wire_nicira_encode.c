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
    size_t mark = begin_nx(buf, a->table == 0xff ? NX_RESUBMIT
                                : NX_RESUBMIT_TABLE);
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
    default: return false;
    }
}
