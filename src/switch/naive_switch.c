#include "switch/naive_switch.h"

#include <stdlib.h>

#include "switch/action_set.h"
#include "switch/naive_walk.h"

/* ---- Tables ---- */

static const struct flow_mod *
lookup(struct walk *w, uint8_t table, uint32_t in_port)
{
    struct flow flow = walk_flow(w);
    const struct flow_mod *best;

    if (++w->sw->n_lookups > TRANSLATE_MAX_LOOKUPS) {
        w->sw->overflow = true;
        return NULL;
    }
    flow.key.in_port = htobe32(in_port);
    if (w->by_original) {
        /* As that packet has it: nothing else of it is known. */
        flow.key.nw_proto = flow.key.ct_nw_proto;
        flow.key.tp_src = flow.key.ct_tp_src;
        flow.key.tp_dst = flow.key.ct_tp_dst;
        if (walk_has(w, FIELD_IPV6_SRC)) {
            flow.key.ipv6_src = flow.key.ct_src;
            flow.key.ipv6_dst = flow.key.ct_dst;
        } else {
            flow.key.nw_src = flow.key.ct_src4;
            flow.key.nw_dst = flow.key.ct_dst4;
        }
    }
    if (w->sw->fragments == FRAG_NORMAL && flow.key.nw_frag
        && !w->by_original) {
        flow.key.tp_src = flow.key.tp_dst = 0;
    }
    w->by_original = false;
    best = naive_lookup(w->sw, table, &flow);
    w->sw->hit |= best && best->priority;
    return best;
}

static void
do_rule(struct walk *w, const struct flow_mod *rule)
{
    const struct instructions *ins = &rule->instructions;
    struct match any;

    match_init(&any);
    w->table = rule->table;
    w->cookie = rule->cookie;
    w->origin = !rule->priority && match_equal(&rule->match, &any)
                ? REASON_TABLE_MISS : REASON_APPLY_ACTION;
    walk_actions(w, ins->apply);
    if (walk_is_stopped(w)) {
        return;
    }
    if (ins->clear) {
        actions_clear(&w->set);
    }
    if (ins->write.len) {
        actions_append(&w->set, ins->write, UINT32_MAX);
        w->set_table = rule->table;
        w->set_cookie = rule->cookie;
    }
    if (ins->metadata_mask) {
        walk_set(w, FIELD_METADATA, be64toh(ins->metadata),
                 be64toh(ins->metadata_mask));
    }
}

static void
miss(struct walk *w, uint8_t table)
{
    if (w->sw->unasked & UNASKED_MISSES) {
        w->table = table;
        w->cookie = PACKET_IN_NO_COOKIE;
        w->origin = REASON_TABLE_MISS;
        walk_to_controller(w, OFPCML_NO_BUFFER, 0, REASON_APPLY_ACTION);
    }
}

bool
walk_table(struct walk *w, uint8_t table, uint32_t in_port)
{
    const struct flow_mod *rule = lookup(w, table, in_port);
    bool matched = rule != NULL;
    uint8_t old_table = w->table, old_origin = w->origin;
    be64 old_cookie = w->cookie;

    if (w->sw->depth == NAIVE_MAX_DEPTH) {
        w->sw->overflow = true;
        return matched;
    }
    w->sw->depth++;
    while (rule) {
        do_rule(w, rule);
        if (walk_is_stopped(w) || !rule->instructions.has_goto) {
            break;
        }
        table = rule->instructions.goto_table;
        rule = lookup(w, table, walk_in_port(w));
        if (!rule) {
            actions_clear(&w->set);
            miss(w, table);
        }
    }
    w->sw->depth--;
    w->table = old_table;
    w->origin = old_origin;
    w->cookie = old_cookie;
    return matched;
}

static void
do_action_set(struct walk *w)
{
    struct actions ordered = { 0 };

    action_set_order(actions_list(&w->set), &ordered);
    actions_clear(&w->set);
    w->exit = false;
    w->is_copy = true;            /* what is written to it now is lost */
    w->origin = REASON_ACTION_SET;
    w->table = w->set_table;
    w->cookie = w->set_cookie;
    walk_actions(w, actions_list(&ordered));
    actions_fini(&ordered);
}

void
walk_from_table(struct walk *w, uint8_t table)
{
    if (!walk_table(w, table, walk_in_port(w))) {
        actions_clear(&w->set);
        miss(w, table);
    }
    if (!w->is_dead && !w->is_copy) {
        do_action_set(w);
    }
}

/* ---- Egress tables ---- */

bool
walk_is_leaving(const struct walk *w, uint32_t port)
{
    for (unsigned int i = 0; i < w->n_leaving; i++) {
        if (w->leaving[i] == port) {
            return true;
        }
    }
    return false;
}

void
walk_egress(struct walk *w, const struct action_output *output)
{
    uint8_t first = (uint8_t) w->sw->first_egress;

    if (w->n_leaving == TRANSLATE_MAX_LEAVING) {
        w->sw->overflow = true;
        return;
    }
    w->leaving[w->n_leaving++] = output->port;
    w->is_copy = false;           /* a copy, but with an action set */
    actions_append(&w->set, (struct action_list) { &output->h,
                                                   output->h.len },
                   UINT32_MAX);
    w->set_table = w->table;
    w->set_cookie = w->cookie;
    if (!walk_table(w, first, walk_in_port(w))) {
        actions_clear(&w->set);
        miss(w, first);
    }
    if (!w->is_dead) {
        do_action_set(w);
    }
}

/* RFC 8926, 3.5: such a packet is dropped. */
static bool
has_unknown_critical(const struct naive_switch *sw,
                     const struct tunnel_key *tun)
{
    unsigned int at = 0;

    while (tun && at < tun->n_options) {
        const uint8_t *o = &tun->options[at];
        unsigned int len = 4u * (o[3] & TUNNEL_OPTION_LEN_MASK);
        bool is_known = false;

        for (unsigned int i = 0; i < TUNNEL_N_FIELDS; i++) {
            const struct tunnel_option *field = &sw->options.options[i];

            is_known |= sw->options.mapped >> i & 1
                        && field->class == (o[0] << 8 | o[1])
                        && field->type == o[2] && field->len == len;
        }
        if (!is_known && o[2] & TUNNEL_OPTION_CRITICAL) {
            return true;
        }
        at += TUNNEL_OPTION_HEADER + len;
    }
    return false;
}

void
naive_clear(struct naive_switch *sw)
{
    for (unsigned int i = 0; i < sw->n_outputs; i++) {
        free(sw->outputs[i].bytes);
    }
    sw->n_outputs = sw->n_lookups = 0;
    sw->hit = sw->conjunctive = sw->overflow = false;
}

void
naive_run(struct naive_switch *sw, const void *frame, uint32_t len,
          uint32_t in_port, const struct tunnel_key *tun)
{
    static const uint8_t stp[6] = { 1, 0x80, 0xc2 };
    const struct port_settings *port = naive_port(sw, in_port);
    struct walk w = { .sw = sw };

    naive_clear(sw);
    w.pkt = packet_alloc(sw->pool, len);
    memcpy(w.pkt->data, frame, len);
    w.pkt->len = len;
    w.pkt->offload.flags = OFFLOAD_DATA_VALID;
    w.pkt->in_port = port_id(in_port);
    w.pkt->tun.family = TUNNEL_NONE;
    if (tun) {
        tunnel_key_copy(&w.pkt->tun, tun);
    }
    if (port && !port->admin_down && !has_unknown_critical(sw, tun)
        && !(memcmp(frame, stp, 6) ? port->no_recv : port->no_recv_stp)
        && !(sw->fragments == FRAG_DROP && walk_flow(&w).key.nw_frag)) {
        if (!walk_table(&w, 0, in_port)) {
            miss(&w, 0);
        }
        if (!w.is_dead) {
            do_action_set(&w);
        }
    }
    actions_fini(&w.set);
    packet_free(w.pkt);
}
