/* Sets of flow rules: what is desired, what is installed.
 *
 * A hash table of references.  Several rules of one identity may be in a set
 * (two intents that want different things of the same packets); which of them
 * counts is a matter of the rules alone (flow_rule_compare_effect()), never of
 * the order in which they came.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_FLOW_SET_H
#define WEFT_CONTROLLER_FLOW_SET_H

#include "controller/flow_rule.h"
#include "lib/hash.h"

struct flow_set {
    struct hash_key key;
    unsigned int n;
    unsigned int size;            /* slots: 0 or a power of two */
    struct flow_slot {
        uint32_t hash;
        struct flow_rule *rule;   /* NULL: free */
    } *slots;
};

void flow_set_init(struct flow_set *);
void flow_set_fini(struct flow_set *);

/* Takes a reference. */
void flow_set_insert(struct flow_set *, struct flow_rule *);
/* This very rule; false: it is not in the set. */
bool flow_set_remove(struct flow_set *, const struct flow_rule *);
/* The rule of this identity that counts; NULL: there is none. */
struct flow_rule *flow_set_find(const struct flow_set *,
                                const struct flow_rule *identity);

/* The next rule from slot *i on; NULL ends.  Those that do not count come
 * too. */
struct flow_rule *flow_set_next(const struct flow_set *, unsigned int *i);

#define FLOW_SET_FOR_EACH(RULE, SET)                                         \
    for (unsigned int i__ = 0; ((RULE) = flow_set_next(SET, &i__));)

#endif
