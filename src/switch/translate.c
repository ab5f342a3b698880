#include "switch/translate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "switch/action_set.h"
#include "switch/translate_ctx.h"

/* ---- The list under construction ---- */

void *
translate_emit(struct translation *t, enum dp_action_type type, size_t len)
{
    void *a = dp_actions_add(&t->up->actions, type, len);

    if (!a) {
        translate_limit(t, "the action list is too long");
        assert(len <= sizeof t->spare);
        a = t->spare;
    }
    return a;
}

uint32_t
translate_begin(struct translation *t, enum dp_action_type type)
{
    uint32_t mark = dp_actions_begin(&t->up->actions, type);

    if (t->up->actions.too_long) {
        translate_limit(t, "the action list is too long");
    }
    return mark;
}

void
translate_limit(struct translation *t, const char *what)
{
    if (!t->failed) {
        SAY(t, "dropped: %s", what);
    }
    t->failed = true;
}

/* Does the action do anything but change the packet for those behind it? */
static bool
has_effect(const struct dp_action *a)
{
    switch (a->type) {
    case DP_ACTION_OUTPUT: case DP_ACTION_CLONE: case DP_ACTION_METER:
    case DP_ACTION_CONTROLLER: case DP_ACTION_RECIRC: case DP_ACTION_DROP:
    case DP_ACTION_RECIRC_BY_LEN: case DP_ACTION_SAMPLE: case DP_ACTION_CT:
        return true;
    case DP_ACTION_DEC_TTL: case DP_ACTION_DEC_MPLS_TTL:
        return dp_action_nested(a).len;
    default:
        return false;
    }
}

/* The field that shows the action set's output (OpenFlow 1.5). */
static void
set_actset_output(struct translation *t)
{
    uint32_t port = action_set_output(actions_list(&t->set));

    flow_view_set(&t->view, &t->looks, FIELD_ACTSET_OUTPUT, port,
                  UINT32_MAX);
}

/* The actions from byte `start` on. */
static struct dp_action_list
actions_from(const struct translation *t, uint32_t start)
{
    struct dp_action_list list = dp_actions_list(&t->up->actions);

    if (start) {                  /* there is no list before the first */
        list.first = (const struct dp_action *) ((const char *) list.first
                                                 + start);
        list.len -= start;
    }
    return list;
}

/* Cuts what changes a packet that then goes nowhere. */
static void
cut_tail(struct translation *t, uint32_t start)
{
    struct dp_action_list list = actions_from(t, start);
    uint32_t end = start, at = start;

    DP_ACTION_FOR_EACH (a, &list) {
        at += a->len;
        if (has_effect(a)) {
            end = at;
        }
    }
    t->up->actions.len = end;
}

static bool
leaves_packet_alone(const struct dp_action_list *list)
{
    DP_ACTION_FOR_EACH (a, list) {
        if (a->type != DP_ACTION_OUTPUT && a->type != DP_ACTION_TRUNC
            && a->type != DP_ACTION_CONTROLLER
            && a->type != DP_ACTION_SAMPLE) {
            return false;
        }
    }
    return true;
}

/* Takes the header off a clone at byte `start`, so that its actions work on the
 * packet itself. */
static void
unwrap(struct translation *t, uint32_t start)
{
    struct dp_actions *actions = &t->up->actions;
    uint32_t header = sizeof(struct dp_action_clone);

    memmove(actions->data + start, actions->data + start + header,
            actions->len - start - header);
    actions->len -= header;
}

void
translate_in_clone(struct translation *t,
                   void (*body)(struct translation *, const void *aux),
                   const void *aux)
{
    uint32_t start = t->up->actions.len;
    struct flow_view view = t->view;
    struct actions set = t->set;
    unsigned int n_stack = t->n_stack;
    u128 stack[TRANSLATE_MAX_STACK];
    struct dp_action_list inside;
    uint8_t table = t->table, origin = t->origin, set_table = t->set_table;
    bool no_action_set = t->no_action_set;
    unsigned int n_leaving = t->n_leaving;
    be64 cookie = t->cookie, set_cookie = t->set_cookie;
    uint64_t entry = t->entry;
    uint32_t mark;

    if (++t->depth > TRANSLATE_MAX_DEPTH) {
        translate_limit(t, "groups, clones and resubmits nest too deeply");
    }
    memcpy(stack, t->stack, n_stack * sizeof stack[0]);
    t->set = (struct actions) { 0 };
    t->no_action_set = true;
    set_actset_output(t);
    mark = translate_begin(t, DP_ACTION_CLONE);

    if (!t->failed) {
        body(t, aux);
    }
    if (t->freezing) {
        translate_freeze(t);
    }

    if (!t->up->actions.too_long) {
        cut_tail(t, start + (uint32_t) sizeof(struct dp_action_clone));
        inside = actions_from(t, start
                                 + (uint32_t) sizeof(struct dp_action_clone));
        if (leaves_packet_alone(&inside)) {
            unwrap(t, start);
        } else {
            dp_actions_end(&t->up->actions, mark);
        }
    }
    actions_fini(&t->set);
    t->set = set;
    t->set_table = set_table;
    t->set_cookie = set_cookie;
    t->no_action_set = no_action_set;
    t->n_leaving = n_leaving;
    t->view = view;
    t->n_stack = n_stack;
    memcpy(t->stack, stack, n_stack * sizeof stack[0]);
    t->table = table;
    t->origin = origin;
    t->cookie = cookie;
    t->entry = entry;
    t->exit = t->dropped = false;
    t->depth--;
}

/* Does every packet get somewhere, or its drop a reason? */
static bool
sends(const struct dp_action_list *list)
{
    DP_ACTION_FOR_EACH (a, list) {
        bool is_for_some = a->type == DP_ACTION_METER
                           || a->type == DP_ACTION_SAMPLE
                           || a->type == DP_ACTION_CT
                           || a->type == DP_ACTION_DEC_TTL
                           || a->type == DP_ACTION_DEC_MPLS_TTL;

        if (!is_for_some && has_effect(a)) {
            return true;
        }
    }
    return false;
}

/* The last action may work on the packet itself: nobody needs it any more. */
static void
unwrap_last(struct translation *t)
{
    for (;;) {
        struct dp_action_list list = dp_actions_list(&t->up->actions);
        uint32_t at = 0, last = 0;

        DP_ACTION_FOR_EACH (a, &list) {
            last = at;
            at += a->len;
        }
        if (!list.len
            || ((const struct dp_action *) ((const char *) list.first
                                            + last))->type
                   != DP_ACTION_CLONE) {
            return;
        }
        unwrap(t, last);
    }
}

static void
finish_list(struct translation *t)
{
    struct dp_action_list list;
    struct dp_action_drop *drop;

    if (t->failed || t->up->actions.too_long) {
        t->up->actions.len = 0;
        t->up->actions.too_long = false;
        t->drop = DROP_TRANSLATE_LIMIT;
    }
    cut_tail(t, 0);
    unwrap_last(t);
    list = dp_actions_list(&t->up->actions);
    if (list.len > DP_ACTIONS_MAX_CACHED) {
        t->up->no_cache = true;
    }
    if (!sends(&list)) {
        drop = translate_emit(t, DP_ACTION_DROP, sizeof *drop);
        drop->reason = t->drop;
    }
}

/* ---- Tables and instructions ---- */

static bool
is_table_miss_entry(const struct flow_entry *entry)
{
    struct match match;
    struct flow_map map;

    if (entry->priority) {
        return false;
    }
    flow_entry_match(entry, &match);
    map = flow_mask_map(&match.mask);
    return !map.map[0] && !map.map[1];
}

static const char *
kind_of_table(const struct translation *t, uint8_t table)
{
    return table >= t->first_egress ? "egress table" : "table";
}

static void
say_entry(struct translation *t, const struct flow_entry *entry)
{
    struct str text = STR_INIT;
    struct match match;

    flow_entry_match(entry, &match);
    match_format(&match, &text);
    SAY(t, "%s %u: priority %u %s%s%s(cookie 0x%" PRIx64 ")",
        kind_of_table(t, entry->table), entry->table, entry->priority,
        str_text(&text), text.len ? " " : "",
        text.len ? "" : "any packet ", be64toh(entry->cookie));
    trace_add_entry(t->opt->trace, entry->table, be64toh(entry->cookie));
    str_fini(&text);
}

/* Its clauses were met as well. */
static void
credit_clauses(struct translation *t, const struct conjunction *found)
{
    if (found->n_entries) {
        SAY(t, "all %u clauses of conjunction %" PRIu32 " match",
            found->n_entries, found->id);
    }
    for (unsigned int i = 0; i < found->n_entries; i++) {
        credit_list_add(t->credits, CREDIT_ENTRY, found->entries[i], 0);
    }
}

static const struct flow_entry *
look_up(struct translation *t, uint8_t table, uint32_t in_port)
{
    const struct flow_entry *entry;
    struct conjunction found;

    if (++t->n_lookups > TRANSLATE_MAX_LOOKUPS) {
        translate_limit(t, "too many lookups for one packet");
        return NULL;
    }
    t->up->tables[table / 64] |= UINT64_C(1) << (table % 64);
    entry = (t->by_original ? flow_view_lookup_original : flow_view_lookup)(
        &t->view, &t->looks, t->env->tables, table, t->version, in_port,
        &found);
    t->by_original = false;
    credit_clauses(t, &found);
    if (!entry) {
        credit_list_add(t->credits, CREDIT_TABLE_MISSED, table, 0);
        DROP(t, DROP_TABLE_MISS, "%s %u: no entry matches",
             kind_of_table(t, table), table);
        return NULL;
    }
    credit_list_add(t->credits, CREDIT_TABLE_MATCHED, table, 0);
    credit_list_add(t->credits, CREDIT_ENTRY, entry->id, 0);
    if (UNLIKELY(t->opt->trace)) {
        say_entry(t, entry);
    }
    return entry;
}

static void
write_actions(struct translation *t, struct action_list list)
{
    if (!list.len) {
        return;
    }
    t->set_table = t->table;
    t->set_cookie = t->cookie;
    if (!actions_append(&t->set, list, TRANSLATE_MAX_SET)) {
        translate_limit(t, "the action set is too long");
    }
    if (UNLIKELY(t->opt->trace)) {
        struct str text = STR_INIT;

        action_list_format(list, &text);
        SAY(t, "write_actions(%s)", str_text(&text));
        str_fini(&text);
    }
}

/* What an entry says, but for its meter and the table that it goes to. */
static void
carry_out(struct translation *t, const struct instructions *ins)
{
    translate_actions(t, ins->apply);
    if (translate_stopped(t)) {
        if (t->freezing) {
            struct instructions rest = *ins;

            rest.apply = (struct action_list) { 0 };
            translate_add_step(t, &rest);
        }
        return;
    }
    if (ins->clear) {
        SAY(t, "clear_actions");
        actions_clear(&t->set);
    }
    write_actions(t, ins->write);
    if (ins->clear || ins->write.len) {
        set_actset_output(t);
    }
    if (ins->metadata_mask) {
        SAY(t, "write_metadata:0x%" PRIx64 "/0x%" PRIx64,
            be64toh(ins->metadata), be64toh(ins->metadata_mask));
        flow_view_set(&t->view, &t->looks, FIELD_METADATA,
                      be64toh(ins->metadata), be64toh(ins->metadata_mask));
    }
}

/* Sets where we are to `entry` and carries it out. */
static void
enter(struct translation *t, const struct flow_entry *entry)
{
    t->table = entry->table;
    t->cookie = entry->cookie;
    t->entry = entry->id;
    t->origin = is_table_miss_entry(entry) ? REASON_TABLE_MISS
                                           : REASON_APPLY_ACTION;
    if (!entry->instructions.apply.len && !entry->instructions.write.len
        && !entry->instructions.has_goto
        && (!t->set.len || entry->instructions.clear)) {
        DROP(t, DROP_ACTIONS, "drop");
    }
    if (entry->instructions.meter) {
        translate_meter(t, entry->instructions.meter);
    }
    carry_out(t, &entry->instructions);
}

/* The pipeline ends here.  (A resubmit that misses just goes on.) */
static void
miss(struct translation *t, uint8_t table)
{
    if (atomic_load(&t->env->unasked) & UNASKED_MISSES && !t->failed) {
        t->table = table;
        t->cookie = PACKET_IN_NO_COOKIE;
        t->origin = REASON_TABLE_MISS;
        translate_output(t, OFPP_CONTROLLER, 0);
    }
}

/* Follows goto_table from `ins` on, which was carried out. */
static void
follow_goto(struct translation *t, const struct instructions *ins)
{
    while (!translate_stopped(t) && ins->has_goto) {
        const struct flow_entry *entry;

        if (t->view.unparsed) {
            struct instructions rest = { .has_goto = true,
                                         .goto_table = ins->goto_table };

            t->freezing = true;
            translate_add_step(t, &rest);
            return;
        }
        SAY(t, "goto_table:%u", ins->goto_table);
        entry = look_up(t, ins->goto_table, flow_view_in_port(&t->view));
        if (!entry) {
            /* A table miss drops the packet (1.3.5 section 5.4): nothing is
             * left of the action set. */
            actions_clear(&t->set);
            set_actset_output(t);
            miss(t, ins->goto_table);
            return;
        }
        enter(t, entry);
        ins = &entry->instructions;
    }
}

void
translate_from_table(struct translation *t, uint8_t table)
{
    struct instructions ins = { .has_goto = true, .goto_table = table };

    set_actset_output(t);
    follow_goto(t, &ins);
}

void
translate_instructions(struct translation *t, const struct instructions *ins)
{
    carry_out(t, ins);
    follow_goto(t, ins);
}

bool
translate_table(struct translation *t, uint8_t table, uint32_t in_port)
{
    uint8_t old_table = t->table, old_origin = t->origin;
    be64 old_cookie = t->cookie;
    uint64_t old_entry = t->entry;
    const struct flow_entry *entry;

    if (++t->depth > TRANSLATE_MAX_DEPTH) {
        translate_limit(t, "groups, clones and resubmits nest too deeply");
    }
    entry = t->failed ? NULL : look_up(t, table, in_port);
    if (entry) {
        enter(t, entry);
        follow_goto(t, &entry->instructions);
    }
    t->table = old_table;
    t->origin = old_origin;
    t->cookie = old_cookie;
    t->entry = old_entry;
    t->depth--;
    return entry != NULL;
}

void
translate_pipeline(struct translation *t)
{
    uint8_t old_table = t->table, old_origin = t->origin;
    be64 old_cookie = t->cookie;

    if (!translate_table(t, 0, flow_view_in_port(&t->view))) {
        miss(t, 0);
    }
    t->table = old_table;
    t->origin = old_origin;
    t->cookie = old_cookie;
}

/* The end of the pipeline. */
static void
run_action_set(struct translation *t)
{
    struct actions ordered = { 0 };

    if (!t->set.len) {
        return;
    }
    t->no_action_set = true;
    action_set_order(actions_list(&t->set), &ordered);
    actions_clear(&t->set);
    set_actset_output(t);
    SAY(t, "action set:");
    t->table = t->set_table;
    t->cookie = t->set_cookie;
    t->origin = REASON_ACTION_SET;
    translate_actions(t, actions_list(&ordered));
    actions_fini(&ordered);
}

void
translate_end(struct translation *t)
{
    if (!t->freezing && !t->failed && !t->dropped && !t->no_action_set) {
        t->exit = false;
        run_action_set(t);
    }
}

/* ---- The whole ---- */

/* Only a port that treats them apart makes the answer depend on it. */
static bool
is_blocked(struct translation *t, const struct port_settings *port)
{
    bool is_stp;

    if (port->admin_down || port->no_recv == port->no_recv_stp) {
        return port->admin_down || port->no_recv;
    }
    is_stp = flow_view_get(&t->view, &t->looks, FIELD_ETH_DST)
             == STP_ADDRESS;
    return is_stp ? port->no_recv_stp : port->no_recv;
}

static bool
may_receive(struct translation *t)
{
    uint32_t number = flow_view_in_port(&t->view);
    const struct port_settings *port = port_map_find(t->ports, number);

    if (port && is_blocked(t, port)) {
        DROP(t, DROP_PORT_BLOCKED, "dropped: port %s is configured not to "
             "receive", port->name);
        return false;
    }
    if (t->ports->fragments == FRAG_DROP
        && flow_view_has(&t->view, &t->looks, FIELD_IP_FRAG)
        && flow_view_get(&t->view, &t->looks, FIELD_IP_FRAG)) {
        DROP(t, DROP_FRAGMENT, "dropped: fragments are not taken");
        return false;
    }
    return true;
}

/* A packet that goes through again is where it was. */
static void
resume(struct translation *t, uint32_t id)
{
    const struct recirc_state *state = recirc_find(t->env->recirc, id);

    if (!state) {
        DROP(t, DROP_RECIRC_UNKNOWN, "dropped: the state of pass 0x%x is "
             "gone", id);
        t->up->no_cache = true;
        return;
    }
    translate_resume(t, state);
}

static void
run(struct translation *t, const struct flow *flow)
{
    if (t->opt->resumed) {
        translate_resume(t, t->opt->resumed);
    } else if (flow->key.recirc_id) {
        resume(t, flow->key.recirc_id);
    } else if (t->opt->packet_out) {
        t->origin = REASON_PACKET_OUT;
        translate_actions(t, *t->opt->packet_out);
    } else if (may_receive(t)) {
        translate_pipeline(t);
    }
    translate_end(t);
    if (t->freezing && !t->failed) {
        translate_freeze(t);
    }
}

static void
free_steps(struct frozen_steps *steps)
{
    for (unsigned int i = 0; i < steps->n; i++) {
        free((void *) (uintptr_t) steps->list[i].ins.apply.first);
        free((void *) (uintptr_t) steps->list[i].ins.write.first);
    }
    free(steps->list);
}

void
translate(const struct translate_env *env, const struct translate_options *opt,
          const struct flow *flow, struct upcall *up,
          struct credit_list *credits)
{
    struct translation t = {
        .env = env, .opt = opt, .up = up, .credits = credits,
        .ports = port_maps_get(env->ports),
        .version = tables_version(env->tables),
        .looks.mask = &up->mask,
        .drop = DROP_ACTIONS,
    };

    t.first_egress = tables_first_egress(env->tables, t.version);

    flow_view_init(&t.view, flow, &t.looks);
    t.view.hides_ports = t.ports->fragments == FRAG_NORMAL;
    set_actset_output(&t);
    run(&t, flow);
    finish_list(&t);
    up->rewritten = flow_looks_rewritten(&t.looks);
    actions_fini(&t.set);
    free_steps(&t.steps);
}
