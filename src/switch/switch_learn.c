/* What packets teach: the control thread's part (learn.h). */
#include <stdlib.h>

#include "lib/log.h"
#include "lib/rcu.h"
#include "switch/switch_impl.h"

/* The entry is there afterwards, unless the limit or the tables forbid it. */
static void
apply(struct switch_ *sw, const struct learn_request *request, msec now)
{
    const struct flow_mod *mod = &request->mod;
    const struct flow_entry *e = tables_find(sw->tables, mod);
    struct str why = STR_INIT;

    if (!e || !learn_is_same(e, mod)) {
        if (!e && request->limit
            && tables_count_cookie(sw->tables, mod->table, mod->cookie,
                                   TABLES_NEWEST)
               >= request->limit) {
            return;
        }
        if (switch_flow_mod(sw, mod, now, &why)) {
            log_limited(LOG_LEVEL_WARN, "switch", "%s: nothing learned: "
                        "%s", sw->config.name, str_text(&why));
        }
        str_fini(&why);
        e = tables_find(sw->tables, mod);
    }
    if (e) {
        tables_refresh(e, now);
        learning_register(sw->learning, mod, e->id);
    }
}

void
switch_apply_learns(struct switch_ *sw, const struct learn_list *learns,
                    msec now)
{
    for (unsigned int i = 0; i < learns->n; i++) {
        apply(sw, &learns->list[i], now);
    }
}

/* Goes on where the worker left it, with the new tables. */
static void
let_go(struct switch_ *sw, struct held_packet *held, msec now)
{
    struct translate_options opt = { .now = now };
    struct upcall up = { .pkt = &held->pkt, .now = now };
    struct credit_list credits = { 0 };
    struct flow_key key;
    struct flow flow;

    if (!flow_key_extract(&held->pkt, &key)) {
        port_map_flow(&flow, &key);
        translate(&sw->pipeline.env, &opt, &flow, &up, &credits);
        credit_once(sw->pipeline.credits, &credits,
                    packet_n_wire(&held->pkt), packet_wire_bytes(&held->pkt),
                    now);
        datapath_inject_packet(sw->dp, &held->pkt,
                               dp_actions_list(&up.actions));
        dp_actions_fini(&up.actions);
    }
}

static void
let_all_go(struct switch_ *sw, struct held_packet *held, msec now)
{
    bool was_online = rcu_is_online();

    if (!was_online) {
        rcu_online();
    }
    while (held) {
        struct held_packet *next = held->next;

        let_go(sw, held, now);
        held_packet_free(held);
        held = next;
    }
    if (!was_online) {
        rcu_offline();
    }
}

static void
finish_connections(struct switch_ *sw, msec now)
{
    struct finished *finished = learning_take_finished(sw->learning);

    while (finished) {
        struct finished *next = finished->next;

        if (tables_reduce_timeouts(sw->tables, finished->entry,
                                   finished->idle_timeout,
                                   finished->hard_timeout)) {
            switch_stage(sw, now);
            sw->next_expire = MIN(sw->next_expire, now + 1000);
        }
        free(finished);
        finished = next;
    }
}

void
switch_learn(struct switch_ *sw, msec now)
{
    struct held_packet *held;

    if (switch_has_bundle(sw)) {
        return;
    }
    held = learning_take(sw->learning);
    finish_connections(sw, now);
    for (const struct held_packet *h = held; h; h = h->next) {
        switch_apply_learns(sw, &h->learns, now);
    }
    if (held) {
        switch_publish(sw);
        let_all_go(sw, held, now);
    }
}
