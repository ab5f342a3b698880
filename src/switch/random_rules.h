/* Random flow entries, groups and actions for property tests.
 *
 * Matches are built from the values of given packets, so that packets hit them;
 * actions write values of other packets, so that later tables' matches hit what
 * was written. */
#ifndef WEFT_SWITCH_RANDOM_RULES_H
#define WEFT_SWITCH_RANDOM_RULES_H

#include "lib/rng.h"
#include "openflow/flow_mod.h"

enum {
    RANDOM_TABLES = 5,
    RANDOM_GROUPS = 6,
    RANDOM_PORTS = 6,             /* 1 to 5 and LOCAL; 7 does not exist */
    RANDOM_TUNNEL = 5,            /* the port that is one */
    RANDOM_CLAUSE_PRIORITY = 15,  /* of all clauses of conjunctions */
};

/* The number of the nth, from 1 on. */
uint32_t random_port_number(unsigned int n);

struct random_rules {
    struct rng *rng;
    unsigned int n_flows;
    const struct flow *flows;     /* packets to build from */
};

/* An add into `table`. */
void random_rule(const struct random_rules *, uint8_t table,
                 uint16_t priority, struct flow_mod *);
/* Other instructions for an entry of that match. */
void random_instructions(const struct random_rules *, struct flow_mod *);
void random_group(const struct random_rules *, uint32_t id,
                  struct group_mod *);

#endif
