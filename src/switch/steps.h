/* In which order a lookup looks at the bits of a flow.
 *
 * The classifier cuts every mask into these steps.  Early steps are what few
 * values occur of and caches key on anyway; addresses come a few bits at a time
 * so that a packet far from all entries is told apart by its first bits. */
#ifndef WEFT_SWITCH_STEPS_H
#define WEFT_SWITCH_STEPS_H

#include "switch/mask_words.h"

enum { MAX_STEPS = 32 };

struct steps {
    unsigned int n;
    struct flow_mask list[MAX_STEPS];   /* disjoint; together: all bits */
};

void steps_init(struct steps *);

#endif
