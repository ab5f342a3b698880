/* Random fields, and values of them that meet others, for random rules. */
#ifndef WEFT_SWITCH_RANDOM_FIELDS_H
#define WEFT_SWITCH_RANDOM_FIELDS_H

#include "packet/field.h"
#include "switch/random_rules.h"

u128 random_u128(struct rng *);
/* One of the given packets. */
const struct flow *random_flow(const struct random_rules *);

/* Any field, but often one of those that translation treats apart. */
const struct field *random_field(const struct random_rules *);
/* A value that occurs: in some packet, or what actions write. */
u128 random_value(const struct random_rules *, const struct field *);
u128 random_mask(const struct random_rules *, const struct field *);

#endif
