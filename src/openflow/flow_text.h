/* The field's usual flow text: what is common to parsing its parts.
 *
 * A text is a row of items, separated by commas or white space:
 *
 *     word   word=value   word:value   word(value)
 *
 * where a value may hold anything in brackets or double quotes.  flow_text.c
 * cuts out items, numbers, ports and fields; each kind of item has its file:
 *
 *     flow_text_match.c         match fields          (parse and format)
 *     flow_text_action.c        the table of actions, nesting
 *     flow_text_output.c        actions that send packets somewhere
 *     flow_text_field.c         actions that work on fields
 *     flow_text_ct.c            ct and nat
 *     flow_text_learn.c  flow_text_balance.c  flow_text_extension.c   those
 *                               that Open vSwitch adds
 *     flow_text_instruction.c   instructions and their order
 *     flow_text_flow.c  flow_text_group.c  flow_text_meter.c   whole requests
 *
 * All functions return 0 or -EINVAL with a sentence and the byte position
 * (counted from 1) in the error.  The public functions are in flow_mod.h,
 * match.h and action.h. */
#ifndef WEFT_OPENFLOW_FLOW_TEXT_H
#define WEFT_OPENFLOW_FLOW_TEXT_H

#include "openflow/flow_mod.h"

struct flow_text {
    const char *start;                      /* positions count from here */
    const struct flow_text_names *names;    /* may be NULL */
    struct str *error;                      /* may be NULL */
    unsigned int depth;                     /* of nested actions */
    /* Words that may stand beside actions here (weight, goto_table...), for
     * did-you-mean; NULL at the end. */
    const char *const *more_words;
};

struct span {
    const char *s;
    size_t len;
};

struct item {
    struct span word;
    char mark;                    /* = : ( or 0: no value */
    struct span value;
    struct span to;               /* word(value)->to, of the words that take
                                     it so */
};

/* Sets the error; returns -EINVAL. */
int flow_text_fail(const struct flow_text *, const char *at,
                   const char *format, ...) PRINTF_FORMAT(3, 4);
/* "unknown KIND 'WORD'; did you mean 'NEAREST'?" */
int flow_text_unknown(const struct flow_text *, struct span word,
                      const char *kind, const char *const *names);

bool span_is(struct span, const char *);
bool span_is_nocase(struct span, const char *);

/* Takes the next item off `rest`: 1, 0 at the end, -EINVAL. */
int flow_text_next(const struct flow_text *, struct span *rest,
                   struct item *);
/* An item that must have a value, or must have none. */
int flow_text_want_value(const struct flow_text *, const struct item *);
int flow_text_want_none(const struct flow_text *, const struct item *);

/* Decimal or 0x hexadecimal, `what` is named in the error. */
int flow_text_number(const struct flow_text *, struct span, const char *what,
                     uint64_t max, uint64_t *);
int flow_text_u128(const struct flow_text *, struct span, const char *what,
                   u128 *);
/* A 64-bit VALUE or VALUE/MASK; "-1" is all ones.  `mask` is all ones where
 * none is written, and `has_mask` says which. */
int flow_text_masked(const struct flow_text *, struct span, const char *what,
                     uint64_t *value, uint64_t *mask, bool *has_mask);
/* A number, a reserved name (LOCAL...) or a port's name. */
int flow_text_port(const struct flow_text *, struct span, uint32_t *);
/* A port that may be unknown, without an error. */
bool flow_text_try_port(const struct flow_text *, struct span, uint32_t *);
/* By its name, if `names` has one (NULL: never) that reads as a name alone. */
void flow_text_format_port(uint32_t port, const struct flow_text_names *,
                           struct str *);
/* A value of the field, perhaps with a mask. */
int flow_text_value(const struct flow_text *, const struct field *,
                    struct span, u128 *value, u128 *mask);
/* FIELD, FIELD[], FIELD[n] or FIELD[a..b], in plain or wire names. */
int flow_text_subfield(const struct flow_text *, struct span,
                       struct subfield *);
void flow_text_format_subfield(const struct subfield *, struct str *);
/* Is it all of a field?  (The low 16 bits are all of the port that the packet
 * came in by, where NXM names it.) */
bool flow_text_is_whole(const struct subfield *);
/* As learn and set_field name it, who speak of eth_dst where matches speak of
 * dl_dst. */
const char *flow_text_field_name(const struct field *);
/* The field named so, or NULL. */
const struct field *flow_text_field(struct span name);
/* The field named so, which must be one that actions may write. */
int flow_text_writable(const struct flow_text *, struct span,
                       const struct field **);
/* Splits at "->". */
int flow_text_arrow(const struct flow_text *, struct span, struct span *from,
                    struct span *to);

/* ---- Matches ---- */

enum { MATCH_TEXT_MAX = 192 };              /* items in one match */

/* A match under construction; prerequisites are judged at the end, because
 * fields come in any order. */
struct match_text {
    struct match match;
    unsigned int n;
    struct {
        struct span word;
        const struct match_word *special;   /* NULL: just the field */
        const struct field *field;
    } seen[MATCH_TEXT_MAX];
};

/* 1 when the item was a match field, 0 when it is none, -EINVAL. */
int match_text_item(const struct flow_text *, const struct item *,
                    struct match_text *);
int match_text_finish(const struct flow_text *, struct match_text *);
/* Every word of matches: fields, shorthands; for did-you-mean. */
size_t match_text_words(const char **words, size_t max);

/* ---- Actions ---- */

/* Appends what one item of an action list says. */
int action_text_item(struct flow_text *, const struct item *,
                     struct actions *);
/* A whole list; "drop" or nothing is the empty one. */
int action_text_list(struct flow_text *, struct span, struct actions *);

/* Parses what one keyword stands for; `arg` says what that is where several
 * keywords share a parser: an action type, a port. */
typedef int action_parse(struct flow_text *, const struct item *,
                         uint32_t arg, struct actions *);
typedef void action_format(const struct action *,
                           const struct flow_text_names *, struct str *);

/* flow_text_output.c */
action_parse parse_output, parse_reserved, parse_controller, parse_resubmit,
             parse_enqueue;
action_format format_output, format_controller, format_output_reg,
              format_resubmit, format_enqueue;
/* Pairs of hex digits, perhaps with dots between them. */
int flow_text_hex(const struct flow_text *, struct span, const char *what,
                  size_t max, uint8_t **bytes, size_t *n);
void flow_text_format_hex(const uint8_t *, size_t n, struct str *);

/* flow_text_ct.c */
action_parse parse_ct;
action_format format_ct, format_nat;

/* flow_text_field.c */
action_parse parse_set_field, parse_set_tunnel, parse_load, parse_move,
             parse_stack, parse_delete_field;
action_format format_set_field, format_move, format_stack,
              format_delete_field;

/* flow_text_learn.c, flow_text_balance.c, flow_text_extension.c */
action_parse parse_learn, parse_multipath, parse_bundle, parse_conjunction,
             parse_check_pkt_larger, parse_sample, parse_fin_timeout,
             parse_stat_trigger;
action_format format_learn, format_multipath, format_bundle,
              format_conjunction, format_check_pkt_larger, format_sample,
              format_stat_trigger,
              format_fin_timeout;

/* The older actions that set one field: mod_dl_src, set_mpls_ttl...  1 when the
 * item is one of them, 0 when not, -EINVAL. */
int mod_text_item(const struct flow_text *, const struct item *,
                  struct actions *);
size_t mod_text_words(const char **words, size_t max);

/* ---- Instructions ---- */

/* What is behind "actions=": into fm->instructions and fm->storage. */
int instructions_text(struct flow_text *, struct span, struct flow_mod *);

#endif
