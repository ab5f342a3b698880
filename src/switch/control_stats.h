/* What the files that answer multipart requests share. */
#ifndef WEFT_SWITCH_CONTROL_STATS_H
#define WEFT_SWITCH_CONTROL_STATS_H

#include "switch/control_impl.h"

struct stats_request {
    struct session *s;
    struct control *control;
    const struct of_multipart_request *what;
    struct of_reply reply;
};

/* Adds its items to the reply.  After an error nothing of it is sent. */
typedef enum of_error stats_answer(struct stats_request *);

/* How long ago: whole seconds, and the rest in ns. */
void stats_age(const struct stats_request *, msec created, uint32_t *sec,
               uint32_t *rest);

/* control_flows.c: goes on in later turns, by control_dump_more(). */
stats_answer stats_flows, stats_aggregate;

/* control_table.c */
stats_answer stats_tables, stats_table_desc, stats_table_features;

/* control_others.c */
stats_answer stats_controllers;

/* control_bundle.c */
stats_answer stats_bundle_features;

/* control_monitor.c */
stats_answer stats_flow_monitor;

/* control_group_meter.c */
stats_answer stats_group_stats, stats_group_desc, stats_group_features,
             stats_meter_stats, stats_meter_config, stats_meter_features;

#endif
