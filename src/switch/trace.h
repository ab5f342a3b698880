/* Trace: the real translation, telling what it does.
 *
 * Translation is given a struct trace or NULL, and says each step as it takes
 * it; there is no second implementation that could disagree. */
#ifndef WEFT_SWITCH_TRACE_H
#define WEFT_SWITCH_TRACE_H

#include "datapath/drop.h"
#include "lib/str.h"
#include "packet/flow.h"

/* One step, outermost first; `depth` indents. */
struct trace_step {
    unsigned int depth;
    char *text;
};

struct trace {
    unsigned int n_steps;
    struct trace_step *steps;
    /* Result. */
    struct flow_mask mask;              /* what a cache entry would match */
    struct str megaflow;                /* the same as match text */
    struct str actions;                 /* dp_action_list_format() */
    bool is_dropped;
    enum drop_reason drop_reason;
    struct str verdict;                 /* one sentence */
};

/* Adds a step; NULL: nobody listens. */
void trace_say(struct trace *, unsigned int depth, const char *format, ...)
    PRINTF_FORMAT(3, 4);
void trace_fini(struct trace *);

#endif
