/* Which of the data path's meter slots a meter has.
 *
 * The control thread sets, translation looks up under RCU.  A slot that was
 * given up is free again only after the answers that name it were dropped:
 * meter_map_settle(). */
#ifndef WEFT_SWITCH_METER_MAP_H
#define WEFT_SWITCH_METER_MAP_H

#include <stdatomic.h>

#include "datapath/datapath.h"

#define METER_NO_SLOT UINT32_MAX

struct meter_slots;

struct meter_map {
    _Atomic(struct meter_slots *) slots;
    /* Control thread. */
    uint64_t used[DP_MAX_METERS / 64];
    uint64_t given_up[DP_MAX_METERS / 64];
};

void meter_map_init(struct meter_map *);
void meter_map_fini(struct meter_map *);
/* The meter's slot; a free one if it has none; METER_NO_SLOT: all in use. */
uint32_t meter_map_claim(struct meter_map *, uint32_t id);
/* Returns the slot that the meter had, or METER_NO_SLOT. */
uint32_t meter_map_release(struct meter_map *, uint32_t id);
/* No answer names a released slot any more. */
void meter_map_settle(struct meter_map *);

/* Reader, under RCU. */
uint32_t meter_map_find(const struct meter_map *, uint32_t id);

#endif
