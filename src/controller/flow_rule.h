/* Flow rules: what a flow entry is, as the controller keeps it.
 *
 * A rule is what a flow-mod adds, packed: of the match only the words that have
 * a mask.  A network of 5,000 ports has some 100,000 of them, so they are
 * shared by the sets that hold them (flow_set.h) and never change.
 *
 *     identity   table, priority, match: the switch has at most one of each
 *     effect     instructions, cookie, timeouts, flags: what a difference in
 *                means that the entry is to be replaced
 *
 * References are counted for one thread. */
#ifndef WEFT_CONTROLLER_FLOW_RULE_H
#define WEFT_CONTROLLER_FLOW_RULE_H

#include "openflow/flow_mod.h"

struct flow_rule {
    unsigned int n_refs;
    uint8_t table;
    bool has_goto, clear;
    uint8_t goto_table;
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout;
    uint16_t flags;               /* enum flow_mod_flags */
    uint16_t n_words;             /* of the match */
    uint64_t cookie;
    uint32_t apply_len, write_len;
    uint32_t meter;
    be64 metadata, metadata_mask;
    struct flow_map map;          /* which words the match has */
    uint64_t data[];              /* their masks, their values, then the two
                                     lists of actions */
};

/* What the flow-mod would add; one reference. */
struct flow_rule *flow_rule_create(const struct flow_mod *);
struct flow_rule *flow_rule_ref(struct flow_rule *);
/* Accepts NULL. */
void flow_rule_unref(struct flow_rule *);

bool flow_rule_same_identity(const struct flow_rule *,
                             const struct flow_rule *);
bool flow_rule_same_effect(const struct flow_rule *,
                           const struct flow_rule *);
/* An order of rules of one identity that depends on nothing else: which of two
 * intents wins that want different things of the same packets. */
int flow_rule_compare_effect(const struct flow_rule *,
                             const struct flow_rule *);

/* A flow-mod that adds it.  Its lists are borrowed from the rule; it needs no
 * flow_mod_fini(). */
void flow_rule_to_mod(const struct flow_rule *, struct flow_mod *);
void flow_rule_format(const struct flow_rule *, struct str *);

/* Bytes of memory. */
size_t flow_rule_size(const struct flow_rule *);

/* Rules in a row, each with a reference that the list holds. */
struct flow_rules {
    unsigned int n, size;
    struct flow_rule **rules;
};

/* Takes the reference over. */
void flow_rules_add(struct flow_rules *, struct flow_rule *);
void flow_rules_fini(struct flow_rules *);

#endif
