/* Between the files that know actions on the wire: wire_action.c and
 * wire_action_encode.c have the standard's, wire_nicira.c and
 * wire_nicira_encode.c have Nicira's, which every version knows. */
#ifndef WEFT_OPENFLOW_WIRE_ACTION_IMPL_H
#define WEFT_OPENFLOW_WIRE_ACTION_IMPL_H

#include "openflow/wire_action.h"
#include "openflow/wire_match.h"

/* Nicira's subtypes. */
enum {
    NX_RESUBMIT = 1, NX_SET_TUNNEL = 2, NX_SET_QUEUE = 4, NX_POP_QUEUE = 5,
    NX_REG_MOVE = 6, NX_REG_LOAD = 7, NX_NOTE = 8, NX_SET_TUNNEL64 = 9,
    NX_MULTIPATH = 10, NX_BUNDLE = 12, NX_BUNDLE_LOAD = 13,
    NX_RESUBMIT_TABLE = 14, NX_OUTPUT_REG = 15, NX_LEARN = 16, NX_EXIT = 17,
    NX_DEC_TTL = 18, NX_FIN_TIMEOUT = 19, NX_CONTROLLER = 20,
    NX_DEC_TTL_IDS = 21, NX_WRITE_METADATA = 22, NX_PUSH_MPLS = 23,
    NX_POP_MPLS = 24,
    NX_SET_MPLS_TTL = 25, NX_DEC_MPLS_TTL = 26, NX_STACK_PUSH = 27,
    NX_STACK_POP = 28, NX_SAMPLE = 29, NX_SET_MPLS_LABEL = 30,
    NX_SET_MPLS_TC = 31, NX_OUTPUT_REG2 = 32, NX_REG_LOAD2 = 33,
    NX_CONJUNCTION = 34, NX_CT = 35, NX_NAT = 36, NX_CONTROLLER2 = 37,
    NX_SAMPLE2 = 38, NX_OUTPUT_TRUNC = 39, NX_GROUP = 40, NX_SAMPLE3 = 41,
    NX_CLONE = 42, NX_CT_CLEAR = 43, NX_RESUBMIT_CT = 44, NX_LEARN2 = 45,
    NX_CHECK_PKT_LARGER = 49, NX_DELETE_FIELD = 50,
};

/* ---- Decode ---- */

struct action_decoder {
    enum of_version version;
    unsigned int depth;           /* of actions in actions */
    struct actions *out;
    struct instructions *in;      /* NULL: the list is not a flow entry's */
    struct str *why;
};

/* Takes an action's body from the cursor, without its header.  What the body
 * is short of, or what is left, is noticed by the caller. */
typedef enum of_error decode_action(struct action_decoder *, struct cursor *);

/* To the cursor's end. */
decode_action decode_actions;
/* From the experimenter's number on. */
decode_action decode_experimenter;

/* wire_ct.c, wire_controller.c */
decode_action nx_ct, nx_nat, nx_controller, nx_controller2;

/* A subfield of `n_bits`, if the field has it. */
enum of_error set_subfield(struct action_decoder *, const struct field *,
                           unsigned int ofs, unsigned int n_bits,
                           struct subfield *);
/* The same where offset and width share 16 bits. */
enum of_error set_packed_subfield(struct action_decoder *,
                                  const struct field *, uint16_t ofs_nbits,
                                  struct subfield *);
enum of_error bad_number(struct action_decoder *, const char *action,
                           unsigned int value);
/* "Set this field to that": header, value, maybe mask. */
enum of_error get_set_field(struct action_decoder *, struct cursor *,
                            bool may_mask);
enum of_error get_move(struct action_decoder *, struct cursor *,
                       bool is_padded);

static inline struct action_set_field *
add_set(struct action_decoder *d, enum field_id id, u128 value, u128 mask)
{
    uint32_t at = d->out->len;

    actions_add_set_field(d->out, id, value, mask);
    return (struct action_set_field *) (void *) (d->out->data + at);
}

static inline void
add_mod(struct action_decoder *d, enum field_id id, u128 value)
{
    add_set(d, id, value, ~(u128) 0)->is_mod = true;
}

static inline void
add_number(struct action_decoder *d, enum action_type type, uint32_t number)
{
    struct action_number *a = actions_add(d->out, type, sizeof *a);

    a->number = number;
}

static inline void
add_plain(struct action_decoder *d, enum action_type type)
{
    actions_add(d->out, type, sizeof(struct action_plain));
}

static inline void
add_push(struct action_decoder *d, enum action_type type, uint16_t eth_type)
{
    struct action_push *a = actions_add(d->out, type, sizeof *a);

    a->eth_type = eth_type;
}

/* Only the controller takes part of a packet by plain output. */
static inline void
add_output(struct action_decoder *d, uint32_t port, uint16_t max_len)
{
    if (port == OFPP_CONTROLLER) {
        actions_add_controller(d->out, max_len, REASON_APPLY_ACTION);
    } else {
        actions_add_output(d->out, port);
    }
}

static inline enum of_error
bad_field(struct action_decoder *d)
{
    str_setf(d->why, "an action on a field that is not known");
    return OF_BAD_ACTION_BAD_SET_TYPE;
}

/* A field by its header alone, as Nicira's actions name it. */
static inline enum of_error
get_field(struct action_decoder *d, struct cursor *c,
          const struct field **field)
{
    unsigned int n_bytes;
    bool has_mask;

    *field = field_header_decode(c, &has_mask, &n_bytes);
    return *field ? OF_OK : bad_field(d);
}

static inline enum of_error
get_plain(struct action_decoder *d, struct cursor *c, enum action_type type,
          size_t padding)
{
    cursor_skip(c, padding);
    add_plain(d, type);
    return OF_OK;
}

static inline u128
low_bits(unsigned int n)
{
    return n == 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

/* ---- Encode ---- */

static inline size_t
begin(struct buf *buf, uint16_t type)
{
    size_t mark = buf->len;

    buf_put_u16(buf, type);
    buf_put_u16(buf, 0);
    return mark;
}

static inline size_t
begin_nx(struct buf *buf, uint16_t subtype)
{
    size_t mark = begin(buf, 0xffff);

    buf_put_u32(buf, EXPERIMENTER_NICIRA);
    buf_put_u16(buf, subtype);
    return mark;
}

static inline void
end(struct buf *buf, size_t mark)
{
    buf_pad8(buf, mark);
    buf_patch_u16(buf, mark + 2, (uint16_t) (buf->len - mark));
}

static inline bool
put_plain(struct buf *buf, size_t mark)
{
    end(buf, mark);
    return true;
}

static inline bool
put_u8(struct buf *buf, uint16_t type, u128 value)
{
    size_t mark = begin(buf, type);

    buf_put_u8(buf, (uint8_t) value);
    return put_plain(buf, mark);
}

static inline bool
put_u32(struct buf *buf, uint16_t type, u128 value)
{
    size_t mark = begin(buf, type);

    buf_put_u32(buf, (uint32_t) value);
    return put_plain(buf, mark);
}

static inline uint16_t
ofs_nbits(const struct subfield *sub)
{
    return (uint16_t) (sub->ofs << 6 | (sub->n_bits - 1));
}

/* wire_ct.c, wire_controller.c */
bool put_ct(struct buf *, enum of_version, const struct action_ct *);
bool put_nat(struct buf *, const struct action_nat *);
bool put_nx_controller(struct buf *, const struct action_controller *);
/* The header of the field that a subfield is part of. */
bool put_subfield_header(struct buf *, enum of_version,
                         const struct subfield *);

/* wire_learn.c, wire_balance.c */
decode_action nx_learn, nx_learn2, nx_multipath, nx_bundle, nx_bundle_load;
bool put_learn(struct buf *, enum of_version, const struct action_learn *);
bool put_multipath(struct buf *, enum of_version,
                   const struct action_multipath *);
bool put_bundle(struct buf *, enum of_version, const struct action_bundle *);

/* Appends one of Nicira's own actions.  False: that version cannot. */
bool nicira_encode(struct buf *, enum of_version, const struct action *);

#endif
