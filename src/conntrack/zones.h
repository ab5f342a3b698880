/* How many connections a zone has, and how many it may have.
 *
 * A zone that rises above 80 % of its limit raises an alarm, once; below 60 % it
 * may raise the next.  Any thread may call everything. */
#ifndef WEFT_CONNTRACK_ZONES_H
#define WEFT_CONNTRACK_ZONES_H

#include <stdatomic.h>

#include "lib/types.h"

enum { CT_N_ZONES = 65536 };

struct ct_zones {
    uint32_t default_limit;               /* 0: none */
    _Atomic uint32_t *counts;
    _Atomic uint32_t *limits;             /* 0: the default */
    _Atomic uint64_t alarms[CT_N_ZONES / 64];     /* to be told */
    _Atomic uint64_t raised[CT_N_ZONES / 64];
};

void ct_zones_init(struct ct_zones *, uint32_t default_limit);
void ct_zones_fini(struct ct_zones *);

/* One connection more; false: there are as many as there may be. */
bool ct_zones_add(struct ct_zones *, uint16_t zone);
void ct_zones_subtract(struct ct_zones *, uint16_t zone);
uint32_t ct_zones_limit(const struct ct_zones *, uint16_t zone);
/* Those whose alarm is not over. */
unsigned int ct_zones_raised(const struct ct_zones *, uint16_t *zones,
                             unsigned int n);
/* Those that raised one since the last call. */
unsigned int ct_zones_take_alarms(struct ct_zones *, uint16_t *zones,
                                  unsigned int n);

#endif
