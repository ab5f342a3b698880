/* learn on the wire, both ways: Nicira's learn, and learn2 with a limit.
 *
 * What the learned entry gets is a row of items of no fixed length, each behind
 * 16 bits that say where from, where to, and how many bits. */
#include "openflow/wire_action_impl.h"

#include <stdlib.h>

enum {
    SPEC_BITS = 0x03ff,
    SPEC_DST_SHIFT = 11, SPEC_DST = 3,
    SPEC_IMMEDIATE = 1 << 13,
    SPEC_RESERVED = 0xc400,
};

enum { LEARN_WRITE_RESULT = 4 };            /* a flag of the wire only */

struct specs {
    uint32_t n, size;
    struct learn_spec *list;
};

static enum of_error
refuse(struct action_decoder *d, const char *what)
{
    str_setf(d->why, "learn: %s", what);
    return OF_BAD_ACTION_BAD_ARGUMENT;
}

static enum of_error
get_part(struct action_decoder *d, struct cursor *c, unsigned int n_bits,
         struct subfield *sub)
{
    const struct field *field;
    enum of_error error = get_field(d, c, &field);

    return error ? error : set_subfield(d, field, cursor_u16(c), n_bits, sub);
}

/* Zero bits that the value does not need come first. */
static enum of_error
get_immediate(struct action_decoder *d, struct cursor *c, unsigned int n_bits,
              struct learn_spec *spec)
{
    u128 value;

    if (n_bits > 128) {
        return refuse(d, "a value of more than 128 bits");
    }
    value = wire_value(c, (n_bits + 15) / 16 * 2);
    if (value & ~low_bits(n_bits)) {
        return refuse(d, "a value that has more bits than it says");
    }
    spec->is_immediate = true;
    spec->value[0] = (uint64_t) value;
    spec->value[1] = (uint64_t) (value >> 64);
    return OF_OK;
}

static enum of_error
get_spec(struct action_decoder *d, struct cursor *c, uint16_t header,
         struct learn_spec *spec)
{
    unsigned int n_bits = header & SPEC_BITS;
    enum of_error error;

    memset(spec, 0, sizeof *spec);
    spec->dst_kind = header >> SPEC_DST_SHIFT & SPEC_DST;
    if (header & SPEC_RESERVED || spec->dst_kind > LEARN_OUTPUT || !n_bits) {
        return refuse(d, "an item of an unknown kind");
    }
    error = header & SPEC_IMMEDIATE ? get_immediate(d, c, n_bits, spec)
            : get_part(d, c, n_bits, &spec->src);
    if (!error && spec->dst_kind != LEARN_OUTPUT) {
        error = get_part(d, c, n_bits, &spec->dst);
    } else if (!error && spec->is_immediate) {
        error = refuse(d, "output to a value");
    }
    return error;
}

static enum of_error
get_specs(struct action_decoder *d, struct cursor *c, struct specs *specs)
{
    const uint32_t max = (ACTION_MAX_LEN - sizeof(struct action_learn))
                         / sizeof(struct learn_spec);

    while (cursor_left(c) >= 2) {
        uint16_t header = cursor_u16(c);
        enum of_error error;

        if (!header) {
            break;
        }
        if (specs->n == max) {
            return OF_BAD_ACTION_TOO_MANY;
        }
        if (specs->n == specs->size) {
            specs->size = MAX(8u, 2 * specs->size);
            specs->list = xrealloc(specs->list,
                                   specs->size * sizeof specs->list[0]);
        }
        error = get_spec(d, c, header, &specs->list[specs->n++]);
        if (cursor_overrun(c)) {
            return OF_BAD_ACTION_BAD_LEN;
        }
        if (error) {
            return error;
        }
    }
    while (cursor_left(c)) {
        if (cursor_u8(c)) {
            return refuse(d, "padding that is not zero");
        }
    }
    return OF_OK;
}

static enum of_error
get_result(struct action_decoder *d, struct cursor *c, unsigned int ofs,
           struct subfield *dst)
{
    const struct field *field;
    enum of_error error = get_field(d, c, &field);

    return error ? error : set_subfield(d, field, ofs, 1, dst);
}

static enum of_error
get_head(struct action_decoder *d, struct cursor *c, bool is_learn2,
         struct action_learn *a)
{
    unsigned int flags, pad, pad2 = 0;
    unsigned int result_ofs = 0;

    a->idle_timeout = cursor_u16(c);
    a->hard_timeout = cursor_u16(c);
    a->priority = cursor_u16(c);
    a->cookie = htobe64(cursor_u64(c));
    flags = cursor_u16(c);
    a->table = cursor_u8(c);
    pad = cursor_u8(c);
    a->fin_idle_timeout = cursor_u16(c);
    a->fin_hard_timeout = cursor_u16(c);
    if (is_learn2) {
        a->limit = cursor_u32(c);
        result_ofs = cursor_u16(c);
        pad2 = cursor_u16(c);
    }
    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    a->flags = flags & (LEARN_SEND_FLOW_REM | LEARN_DELETE_LEARNED);
    if (pad || pad2) {
        return refuse(d, "padding that is not zero");
    }
    if (flags & ~(is_learn2 ? 7u : 3u)) {
        return refuse(d, "an unknown flag");
    }
    if (a->table > OFPTT_MAX) {
        return refuse(d, "no table");
    }
    return flags & LEARN_WRITE_RESULT ? get_result(d, c, result_ofs,
                                                   &a->result_dst) : OF_OK;
}

static enum of_error
get_learn(struct action_decoder *d, struct cursor *c, bool is_learn2)
{
    struct action_learn head = { .n_specs = 0 }, *a;
    struct specs specs = { 0, 0, NULL };
    enum of_error error = get_head(d, c, is_learn2, &head);

    error = error ? error : get_specs(d, c, &specs);
    if (!error) {
        size_t size = specs.n * sizeof specs.list[0];

        a = actions_add(d->out, ACTION_LEARN, sizeof *a + size);
        head.h = a->h;
        head.n_specs = specs.n;
        *a = head;
        if (size) {
            memcpy(a->specs, specs.list, size);
        }
    }
    free(specs.list);
    return error;
}

enum of_error
nx_learn(struct action_decoder *d, struct cursor *c)
{
    return get_learn(d, c, false);
}

enum of_error
nx_learn2(struct action_decoder *d, struct cursor *c)
{
    return get_learn(d, c, true);
}

/* ---- Encode ---- */

static bool
put_part(struct buf *buf, enum of_version version,
         const struct subfield *sub)
{
    if (!put_subfield_header(buf, version, sub)) {
        return false;
    }
    buf_put_u16(buf, sub->ofs);
    return true;
}

static bool
put_spec(struct buf *buf, enum of_version version,
         const struct learn_spec *spec)
{
    unsigned int n_bits = spec->is_immediate ? spec->dst.n_bits
                                             : spec->src.n_bits;

    buf_put_u16(buf, (uint16_t) (n_bits | spec->dst_kind << SPEC_DST_SHIFT
                                 | (spec->is_immediate ? SPEC_IMMEDIATE
                                                       : 0)));
    if (spec->is_immediate) {
        wire_put_value(buf, action_u128(spec->value),
                       (n_bits + 15) / 16 * 2);
    } else if (!put_part(buf, version, &spec->src)) {
        return false;
    }
    return spec->dst_kind == LEARN_OUTPUT
           || put_part(buf, version, &spec->dst);
}

bool
put_learn(struct buf *buf, enum of_version version,
          const struct action_learn *a)
{
    bool has_result = a->result_dst.n_bits;
    bool is_learn2 = a->limit || has_result;
    size_t mark = begin_nx(buf, is_learn2 ? NX_LEARN2 : NX_LEARN);

    buf_put_u16(buf, a->idle_timeout);
    buf_put_u16(buf, a->hard_timeout);
    buf_put_u16(buf, a->priority);
    buf_put_u64(buf, be64toh(a->cookie));
    buf_put_u16(buf, (uint16_t) (a->flags | (has_result ? LEARN_WRITE_RESULT
                                                        : 0)));
    buf_put_u8(buf, a->table);
    buf_put_u8(buf, 0);
    buf_put_u16(buf, a->fin_idle_timeout);
    buf_put_u16(buf, a->fin_hard_timeout);
    if (is_learn2) {
        buf_put_u32(buf, a->limit);
        buf_put_u16(buf, a->result_dst.ofs);
        buf_put_u16(buf, 0);
        if (has_result && !put_subfield_header(buf, version,
                                               &a->result_dst)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->n_specs; i++) {
        if (!put_spec(buf, version, &a->specs[i])) {
            return false;
        }
    }
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark);
}
