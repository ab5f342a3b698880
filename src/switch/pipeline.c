#include "switch/pipeline.h"

#include "lib/clock.h"
#include "switch/learn.h"
#include "switch/mutant.h"
#include "switch/translate_ctx.h"

/* The packet waits for what it is to teach, and its answer is made anew. */
static void
hold(struct pipeline *p, struct upcall *up, struct learn_list *learns)
{
    struct dp_action_drop *drop;

    up->no_cache = true;
    up->actions.len = 0;
    up->is_held = learning_hold(p->learning, up->pkt, learns);
    if (!up->is_held) {
        drop = dp_actions_add(&up->actions, DP_ACTION_DROP, sizeof *drop);
        drop->reason = DROP_LEARN_QUEUE;
        learn_list_fini(learns);
    }
}

static void
pipeline_upcall(void *pipeline_, struct upcall *up)
{
    struct pipeline *p = pipeline_;
    struct learn_list learns = { 0, NULL };
    struct translate_options opt = { .now = up->now, .learns = &learns };
    struct credit_list credits = { 0 };
    struct flow flow;

    /* Before anything else is read. */
    up->version = atomic_load(&p->epoch);

    port_map_flow(&flow, up->key);
    translate(&p->env, &opt, &flow, up, &credits);
    if (UNLIKELY(learns.n)) {
        hold(p, up, &learns);
        credit_list_fini(&credits);
    } else {
        up->credit = credit_begin(p->credits, up->worker, &credits);
    }
}

static bool
pipeline_packet_in(void *pipeline_, const struct packet *pkt,
                   const struct flow_key *key,
                   const struct dp_action_controller *action)
{
    struct pipeline *p = pipeline_;
    const struct recirc_state *state
        = action->recirc ? recirc_find(p->env.recirc, action->recirc) : NULL;
    struct packet_in_extra extra = { 0 };

    if (state) {
        translate_frozen_shown(state, &extra);
        extra.paused_token = recirc_token(p->env.recirc, state);
        if (extra.paused_id) {
            recirc_tell(p->env.recirc, extra.paused_id, clock_msec());
        }
    }
    return packet_in_put(p->packet_ins, pkt, key, &extra, action,
                         packet_in_has_rate(p->packet_ins) ? clock_nsec()
                                                           : 0);
}

static void
pipeline_credit_done(void *pipeline_, uint64_t credit, uint64_t packets,
                     uint64_t bytes, msec used)
{
    struct pipeline *p = pipeline_;

    credit_end(p->credits, credit, packets, bytes, used);
}

static uint64_t
pipeline_version(void *pipeline_)
{
    struct pipeline *p = pipeline_;

    return atomic_load(&p->epoch);
}

struct datapath_calls
pipeline_calls(struct pipeline *p)
{
    return (struct datapath_calls) {
        .upcall = pipeline_upcall,
        .packet_in = pipeline_packet_in,
        .credit_done = pipeline_credit_done,
        .version = pipeline_version,
        .aux = p,
    };
}

void
pipeline_new_epoch(struct pipeline *p)
{
    if (!MUTANT(STALE_VERSION)) {
        atomic_fetch_add(&p->epoch, 1);
    }
}
