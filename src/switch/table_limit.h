/* Limits of single tables (1.4 sections 6.3.3 and 6.3.4): how many entries one
 * takes, what gives way when it is full, and when it gets tight.
 *
 * Eviction.  The entry of least importance goes; of several the oldest.  While a
 * table evicts, its entries stand in a heap, by id: those that left since are
 * passed over when they come up.
 *
 * Vacancy is how many percent of a table's places are free.  Falling below `down`
 * is told once, until it has risen above `up`, which is told in its turn.
 *
 * The writer's. */
#ifndef WEFT_SWITCH_TABLE_LIMIT_H
#define WEFT_SWITCH_TABLE_LIMIT_H

#include "switch/flow_entry.h"

struct table_limit {
    struct table_policy policy;
    bool is_tight;                /* what is told next is that there is room */
    size_t n, size;
    struct candidate {
        uint16_t importance;
        msec created;
        uint64_t id;
    } *heap;
};

/* The entry is in the table, perhaps again. */
void table_limit_note(struct table_limit *, const struct flow_entry *);
/* Which one gives way to an entry of this importance; NULL: none. */
struct entry *table_limit_victim(struct table_limit *, const struct tables *,
                                 uint8_t table, uint16_t importance);
uint8_t table_limit_vacancy(uint32_t max, uint32_t n);

#endif
