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

/* A flow entry that the packet met. */
struct trace_entry {
    uint8_t table;
    uint64_t cookie;
};

struct trace {
    unsigned int n_steps;
    struct trace_step *steps;
    unsigned int n_entries;
    struct trace_entry *entries;
    /* Result. */
    struct flow_mask mask;              /* what a cache entry would match */
    struct str megaflow;                /* the same as match text */
    struct str actions;                 /* dp_action_list_format() */
    unsigned int n_outputs;
    uint32_t *outputs;                  /* ports' numbers, as often as it is
                                           sent there */
    bool to_controller;
    bool is_dropped;
    enum drop_reason drop_reason;
    struct str verdict;                 /* one sentence */
};

/* Adds a step; NULL: nobody listens. */
void trace_say(struct trace *, unsigned int depth, const char *format, ...)
    PRINTF_FORMAT(3, 4);
/* NULL: nobody listens. */
void trace_add_entry(struct trace *, uint8_t table, uint64_t cookie);
void trace_add_output(struct trace *, uint32_t number);
void trace_fini(struct trace *);

#endif
