/* Matches: which packets a flow entry is for.
 *
 * A value and a mask over struct flow.  Always true: value bits outside of the
 * mask are zero.  A match whose fields lack their prerequisites is refused when
 * it is built from outside (match_check), never stored. */
#ifndef WEFT_OPENFLOW_MATCH_H
#define WEFT_OPENFLOW_MATCH_H

#include "openflow/error.h"
#include "packet/field.h"

struct match {
    struct flow value;
    struct flow_mask mask;
};

/* Matches everything. */
void match_init(struct match *);
/* Adds a field; bits of `value` outside of `mask` are ignored.  A second call
 * for the same bits replaces. */
void match_set(struct match *, enum field_id, u128 value, u128 mask);
bool match_equal(const struct match *, const struct match *);
/* Does the match hold for the packet that `flow` describes? */
bool match_holds(const struct match *, const struct flow *);
/* Can some packet meet both? */
bool match_overlaps(const struct match *, const struct match *);
/* Does every packet of `narrow` meet `wide`, judged by masks (the OpenFlow
 * non-strict rule, 1.3.5 section 6.4)? */
bool match_covers(const struct match *wide, const struct match *narrow);
/* OF_OK, or what is wrong with it, with the field named in `why`. */
enum of_error match_check(const struct match *, struct str *why);

/* A match taken apart: each bit of the mask belongs to one field, the one that
 * the match's other fields make meaningful (tcp_dst or udp_dst...), in the
 * order of FIELDS, in which prerequisites come first.  For codecs and text. */
struct match_field {
    const struct field *field;
    u128 value, mask;
};
unsigned int match_fields(const struct match *,
                          struct match_field out[N_FIELDS]);

/* What a field needs, in the words of flow text: "tcp or tcp6, and ...". */
const char *field_prereq_text(const struct field *);

/* "tcp,in_port=1,nw_dst=10.0.0.0/24": the field's usual text; an empty match
 * is the empty string. */
void match_format(const struct match *, struct str *);
struct flow_text_names;
void match_format_names(const struct match *, const struct flow_text_names *,
                        struct str *);

#endif
