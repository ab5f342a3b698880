/* How many entries have which priority: tells the highest there is.
 *
 * Mostly all entries of a tuple have the same priority, and then this takes no
 * memory; with several, a kilobyte for each 256 priorities that are in use.
 * Every call takes the same short time.
 *
 * Owned by whoever it is part of; no locking inside. */
#ifndef WEFT_SWITCH_PRIORITY_COUNTS_H
#define WEFT_SWITCH_PRIORITY_COUNTS_H

#include "lib/types.h"

struct priority_pages;

/* All zero: empty. */
struct priority_counts {
    uint32_t n;                         /* entries */
    uint16_t highest;                   /* if there are any */
    struct priority_pages *pages;       /* NULL: all are of the highest */
    size_t memory;                      /* bytes of the pages */
};

void priority_counts_add(struct priority_counts *, uint16_t priority);
/* One that was added; the last one takes the memory with it. */
void priority_counts_remove(struct priority_counts *, uint16_t priority);

/* -1: there are none. */
static inline int
priority_counts_highest(const struct priority_counts *counts)
{
    return counts->n ? counts->highest : -1;
}

#endif
