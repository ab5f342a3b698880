/* Units: what is computed at once.
 *
 * The desired flows are kept by unit, each the flows of one intent object, or
 * of a part of it: a network's floods are cut into chunks (topology.h), and each
 * multicast group of it is a unit.  A change marks units; a unit's flows are
 * then computed anew and compared. */
#ifndef WEFT_CONTROLLER_FLOW_UNIT_H
#define WEFT_CONTROLLER_FLOW_UNIT_H

#include "lib/types.h"

enum unit_kind {
    UNIT_BASE,                    /* what holds for every network */
    UNIT_UPLINK,
    UNIT_NETWORK,
    UNIT_FLOOD,                   /* the entries that lead to the chunks, or all
                                     of a small network's floods */
    UNIT_FLOOD_CHUNK,
    UNIT_HEARERS,                 /* who hears all of a network's groups */
    UNIT_GROUP,                   /* a multicast group: as with floods */
    UNIT_GROUP_CHUNK,
    UNIT_PORT,
    UNIT_FORWARD,
    UNIT_NEXT_HOP,                /* a station that is not planned */
    UNIT_SECURITY,                /* ports with the same security groups */
};

struct unit {
    uint64_t id;                  /* of the intent object; UNIT_BASE: 0; groups'
                                     next hops' and security's are their own */
    uint8_t kind;                 /* enum unit_kind */
    uint8_t chunk;
};

/* Each unit once, in order of being added. */
struct unit_set {
    unsigned int n, size;
    struct unit *units;
    unsigned int index_size;      /* 0 or a power of two */
    uint32_t *index;              /* position + 1; 0: free */
};

void unit_set_add(struct unit_set *, struct unit);
void unit_set_clear(struct unit_set *);
void unit_set_fini(struct unit_set *);

static inline bool
unit_equal(struct unit a, struct unit b)
{
    return a.id == b.id && a.kind == b.kind && a.chunk == b.chunk;
}

/* One number for a unit, to look it up by.  (An object's id has room: two units
 * of one object differ in what is mixed in.) */
static inline uint64_t
unit_key(struct unit unit)
{
    return unit.id ^ ((uint64_t) unit.kind << 8 | unit.chunk)
                     * UINT64_C(0x9e3779b97f4a7c15);
}

#endif
