/* Trace: drives the translation through all passes of a packet. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/rcu.h"
#include "switch/switch_impl.h"

/* Passes that are still to be traced. */
struct passes {
    unsigned int n, done;
    struct flow flows[DP_MAX_RECIRC];
    unsigned int n_outputs;       /* of all passes so far */
    uint32_t last_output;
    unsigned int n_packet_ins;
};

static void
add_pass(void *passes_, uint32_t id UNUSED, const struct flow *flow)
{
    struct passes *passes = passes_;

    if (passes->n < DP_MAX_RECIRC) {
        passes->flows[passes->n++] = *flow;
    }
}

static const char *
name_of(void *sw, uint32_t number)
{
    const struct switch_port *port = switch_port_by_number(sw, number);

    return port ? port->port->config.name : NULL;
}

/* Counts what the list sends. */
static void
look_through(struct dp_action_list list, struct passes *passes,
             struct trace *trace)
{
    DP_ACTION_FOR_EACH (a, &list) {
        if (a->type == DP_ACTION_OUTPUT) {
            passes->n_outputs++;
            passes->last_output = ((const struct dp_action_output *) a)->port;
        } else if (a->type == DP_ACTION_CONTROLLER) {
            passes->n_packet_ins++;
        } else if (a->type == DP_ACTION_CLONE) {
            look_through(dp_action_clone_list(a), passes, trace);
        } else if (a->type == DP_ACTION_DROP) {
            trace->drop_reason = (enum drop_reason)
                ((const struct dp_action_drop *) a)->reason;
        }
    }
}

static void
format_megaflow(const struct flow *flow, struct trace *trace)
{
    struct match match;

    match.mask = trace->mask;
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (i >= FLOW_KEY_WORDS) {
            match.mask.bits.w[i] = 0;
        }
        match.value.w[i] = flow->w[i] & match.mask.bits.w[i];
    }
    match_format(&match, &trace->megaflow);
}

static void
trace_pass(struct switch_ *sw, const struct translate_options *opt,
           const struct flow *flow, struct passes *passes)
{
    struct credit_list credits = { 0 };
    struct trace *trace = opt->trace;
    struct upcall up = { .now = opt->now };
    struct dp_action_list list;

    translate(&sw->pipeline.env, opt, flow, &up, &credits);
    list = dp_actions_list(&up.actions);
    look_through(list, passes, trace);
    if (!flow->key.recirc_id) {
        trace->mask = up.mask;
        format_megaflow(flow, trace);
    } else {
        str_addf(&trace->actions, ", then pass 0x%x: ", flow->key.recirc_id);
    }
    dp_action_list_format(list, name_of, sw, &trace->actions);
    credit_list_fini(&credits);
    dp_actions_fini(&up.actions);
}

static void
give_verdict(struct switch_ *sw, const struct passes *passes,
             struct trace *trace)
{
    struct str *s = &trace->verdict;

    trace->is_dropped = !passes->n_outputs && !passes->n_packet_ins;
    if (trace->is_dropped) {
        str_addf(s, "dropped (%s): %s", drop_reason_name(trace->drop_reason),
                 drop_reason_text(trace->drop_reason));
        return;
    }
    if (passes->n_outputs == 1) {
        const char *name = name_of(sw, passes->last_output);

        str_addf(s, "sent to port %s (%" PRIu32 ")", name ? name : "?",
                 passes->last_output);
    } else if (passes->n_outputs) {
        str_addf(s, "sent to %u ports", passes->n_outputs);
    }
    if (passes->n_packet_ins) {
        str_addf(s, "%ssent to the controller", s->len ? ", and " : "");
    }
}

int
switch_trace(struct switch_ *sw, const struct flow *flow, bool with_effects,
             struct trace *trace, struct str *error)
{
    struct passes passes = { .n = 1, .flows = { *flow } };
    struct translate_options opt = {
        .now = sw->now, .no_effects = !with_effects, .trace = trace,
        .recirculated = add_pass, .aux = &passes,
    };
    bool was_online = rcu_is_online();

    if (!switch_port_by_number(sw, flow_in_port(flow))) {
        str_setf(error, "there is no port %" PRIu32, flow_in_port(flow));
        return -ENODEV;
    }
    memset(trace, 0, sizeof *trace);
    trace->drop_reason = DROP_ACTIONS;
    passes.flows[0].key.recirc_id = 0;

    if (!was_online) {
        rcu_online();
    }
    while (passes.done < passes.n) {
        struct flow pass = passes.flows[passes.done++];

        /* What the pipeline added to it is kept in the frozen state. */
        memset(&pass.w[FLOW_KEY_WORDS], 0,
               sizeof pass - sizeof pass.w[0] * FLOW_KEY_WORDS);
        trace_pass(sw, &opt, &pass, &passes);
    }
    if (!was_online) {
        rcu_offline();
    }
    give_verdict(sw, &passes, trace);
    return 0;
}
