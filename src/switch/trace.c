#include "switch/trace.h"

#include <stdlib.h>

void
trace_say(struct trace *trace, unsigned int depth, const char *format, ...)
{
    struct str text = STR_INIT;
    va_list args;

    if (!trace) {
        return;
    }
    va_start(args, format);
    str_addv(&text, format, args);
    va_end(args);

    trace->steps = xrealloc(trace->steps, (trace->n_steps + 1)
                                              * sizeof *trace->steps);
    trace->steps[trace->n_steps++] = (struct trace_step) {
        depth, str_steal(&text),
    };
}

void
trace_add_entry(struct trace *trace, uint8_t table, uint64_t cookie)
{
    if (!trace) {
        return;
    }
    trace->entries = xrealloc(trace->entries, (trace->n_entries + 1)
                                                  * sizeof *trace->entries);
    trace->entries[trace->n_entries++] = (struct trace_entry) { table,
                                                                cookie };
}

void
trace_add_output(struct trace *trace, uint32_t number)
{
    if (!(trace->n_outputs & (trace->n_outputs - 1))) {
        trace->outputs = xrealloc(trace->outputs,
                                  MAX(1, 2 * trace->n_outputs)
                                      * sizeof *trace->outputs);
    }
    trace->outputs[trace->n_outputs++] = number;
}

void
trace_fini(struct trace *trace)
{
    for (unsigned int i = 0; i < trace->n_steps; i++) {
        free(trace->steps[i].text);
    }
    free(trace->steps);
    free(trace->entries);
    free(trace->outputs);
    str_fini(&trace->megaflow);
    str_fini(&trace->actions);
    str_fini(&trace->verdict);
    memset(trace, 0, sizeof *trace);
}
