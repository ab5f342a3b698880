#include <stdlib.h>

#include "switch/action_set.h"
#include "switch/translate_ctx.h"

/* A state is bytes, so that equal ones are found equal:
 *
 *     struct head
 *     userdata_len bytes: what the packet-in repeats
 *     n_stack values of 16 bytes
 *     set_len bytes: the action set
 *     n_steps times: struct step, apply_len bytes, write_len bytes
 *
 * everything a multiple of 8 long, padding zero. */
struct head {
    struct flow value;            /* pipeline fields and the like, and which */
    struct flow_mask known;       /* of them are not the packet's */
    uint32_t n_lookups;
    uint32_t n_stack, set_len, n_steps;
    be64 set_cookie;
    uint8_t set_table;
    uint8_t no_action_set;
    uint8_t is_paused;            /* waits for the controller */
    uint8_t n_leaving;
    uint8_t pad[2];
    uint16_t userdata_len;
    uint32_t leaving[TRANSLATE_MAX_LEAVING];
};

struct step {
    be64 cookie;
    uint64_t entry;
    be64 metadata, metadata_mask;
    uint32_t apply_len, write_len;
    uint8_t table, origin;
    uint8_t clear, has_goto, goto_table;
    uint8_t pad[3];
};

static struct action_list
copy_list(struct action_list list)
{
    list.first = list.len ? xmemdup(list.first, list.len) : NULL;
    return list;
}

void
translate_add_step(struct translation *t, const struct instructions *ins)
{
    struct frozen_steps *steps = &t->steps;
    struct frozen_step *step;

    if (!ins->apply.len && !ins->write.len && !ins->clear
        && !ins->metadata_mask && !ins->has_goto) {
        return;
    }
    if (steps->n == steps->size) {
        steps->size = MAX(8u, steps->size * 2);
        steps->list = xrealloc(steps->list,
                               steps->size * sizeof *steps->list);
    }
    step = &steps->list[steps->n++];
    step->table = t->table;
    step->origin = t->origin;
    step->cookie = t->cookie;
    step->entry = t->entry;
    step->ins = *ins;
    step->ins.apply = copy_list(ins->apply);
    step->ins.write = copy_list(ins->write);
}

static uint32_t
padded(uint32_t len)
{
    return (len + 7) & ~UINT32_C(7);
}

static void
add_userdata(struct str *bytes, const struct action_controller *action)
{
    static const uint8_t zeros[8];
    uint32_t len = action ? action->userdata_len : 0;

    if (len) {
        str_add_bytes(bytes, action->userdata, len);
        str_add_bytes(bytes, zeros, padded(len) - len);
    }
}

static void
add_head(struct translation *t, struct str *bytes)
{
    struct head head;

    memset(&head, 0, sizeof head);
    flow_view_save(&t->view, &head.value, &head.known);
    head.n_lookups = t->n_lookups;
    head.n_stack = t->n_stack;
    head.set_len = t->set.len;
    head.set_table = t->set_table;
    head.set_cookie = t->set_cookie;
    head.n_steps = t->steps.n;
    head.no_action_set = t->no_action_set;
    head.n_leaving = (uint8_t) t->n_leaving;
    memcpy(head.leaving, t->leaving, t->n_leaving * sizeof t->leaving[0]);
    head.is_paused = t->pause != NULL;
    head.userdata_len = t->pause ? t->pause->userdata_len : 0;
    str_add_bytes(bytes, &head, sizeof head);
    add_userdata(bytes, t->pause);
    str_add_bytes(bytes, t->stack, t->n_stack * sizeof t->stack[0]);
    str_add_bytes(bytes, t->set.data, head.set_len);
}

static void
add_steps(struct str *bytes, const struct frozen_steps *steps)
{
    for (unsigned int i = 0; i < steps->n; i++) {
        const struct frozen_step *from = &steps->list[i];
        struct step step;

        memset(&step, 0, sizeof step);
        step.cookie = from->cookie;
        step.entry = from->entry;
        step.metadata = from->ins.metadata;
        step.metadata_mask = from->ins.metadata_mask;
        step.apply_len = from->ins.apply.len;
        step.write_len = from->ins.write.len;
        step.table = from->table;
        step.origin = from->origin;
        step.clear = from->ins.clear;
        step.has_goto = from->ins.has_goto;
        step.goto_table = from->ins.goto_table;
        str_add_bytes(bytes, &step, sizeof step);
        str_add_bytes(bytes, from->ins.apply.first, from->ins.apply.len);
        str_add_bytes(bytes, from->ins.write.first, from->ins.write.len);
    }
}

static void
clear_steps(struct frozen_steps *steps)
{
    for (unsigned int i = 0; i < steps->n; i++) {
        free((void *) (uintptr_t) steps->list[i].ins.apply.first);
        free((void *) (uintptr_t) steps->list[i].ins.write.first);
    }
    steps->n = 0;
}

static uint32_t
state_id(struct translation *t, const struct str *bytes)
{
    uint32_t id = recirc_id(t->env->recirc, bytes->text,
                            (uint32_t) bytes->len, t->opt->now);

    if (id) {
        credit_list_add(t->credits, CREDIT_RECIRC, id, 0);
    } else {
        translate_limit(t, "too many packets go through the tables again");
    }
    return id;
}

/* Freezes everything that is left; returns its id, 0: there is no room. */
static uint32_t
freeze_steps(struct translation *t)
{
    struct str bytes = STR_INIT;
    uint32_t id;

    add_head(t, &bytes);
    add_steps(&bytes, &t->steps);
    id = state_id(t, &bytes);
    str_fini(&bytes);
    return id;
}

static void
tell_recirculated(struct translation *t, uint32_t id)
{
    if (t->opt->recirculated) {
        struct flow flow = t->view.flow;

        flow.key.recirc_id = id;
        t->opt->recirculated(t->opt->aux, id, &flow);
    }
}

void
translate_check_pkt_larger(struct translation *t, const struct action *action)
{
    const struct action_check_pkt_larger *check = (const void *) action;
    u128 bit = (u128) 1 << check->dst.ofs;
    struct actions load = { 0 };
    struct instructions ins = { .clear = false };

    actions_add_set_field(&load, check->dst.field, bit, bit);
    ins.apply = actions_list(&load);
    t->freezing = true;
    t->asks_len = true;
    t->larger_than = check->pkt_len;
    translate_add_step(t, &ins);
    actions_fini(&load);
}

/* Two states, which differ in what their first step loads. */
static void
freeze_by_len(struct translation *t)
{
    struct action_set_field *load = (void *) (uintptr_t)
                                    t->steps.list[0].ins.apply.first;
    uint32_t larger = freeze_steps(t), other;
    struct dp_action_recirc_by_len *a;

    load->value[0] = load->value[1] = 0;
    other = freeze_steps(t);
    t->asks_len = false;
    if (!larger || !other) {
        return;
    }
    SAY(t, "goes through again: as pass 0x%x if longer than %u bytes, else "
        "as pass 0x%x", larger, t->larger_than, other);
    a = translate_emit(t, DP_ACTION_RECIRC_BY_LEN, sizeof *a);
    a->max_len = t->larger_than;
    a->id_longer = larger;
    a->id = other;
    tell_recirculated(t, larger);
    tell_recirculated(t, other);
}

static void
freeze_for_headers(struct translation *t)
{
    uint32_t id = freeze_steps(t);
    struct dp_action_recirc *a;

    if (!id) {
        return;
    }
    SAY(t, "goes through again, as pass 0x%x: its inner headers are needed",
        id);
    a = translate_emit(t, DP_ACTION_RECIRC, sizeof *a);
    a->id = id;
    tell_recirculated(t, id);
}

void
translate_fork(struct translation *t, uint8_t table, const struct flow *shown)
{
    struct instructions ins = { .has_goto = true, .goto_table = table };
    struct dp_action_recirc *a;
    struct flow flow = *shown;
    uint32_t id;

    translate_add_step(t, &ins);
    id = freeze_steps(t);
    clear_steps(&t->steps);
    if (!id) {
        return;
    }
    SAY(t, "a copy goes through again, as pass 0x%x, from table %u on", id,
        table);
    a = translate_emit(t, DP_ACTION_RECIRC, sizeof *a);
    a->id = id;
    if (t->opt->recirculated) {
        flow.key.recirc_id = id;
        t->opt->recirculated(t->opt->aux, id, &flow);
    }
}

/* The packet-in is there already, and waits for the id. */
static void
freeze_for_controller(struct translation *t)
{
    uint32_t id = freeze_steps(t);
    struct dp_action_controller *a
        = (void *) (t->up->actions.data + t->pause_ofs);

    t->pause = NULL;
    if (id) {
        SAY(t, "paused: what is left is done when a controller resumes it");
        a->recirc = id;
    }
}

void
translate_freeze(struct translation *t)
{
    t->freezing = false;
    if (t->pause) {
        freeze_for_controller(t);
    } else if (t->asks_len) {
        freeze_by_len(t);
    } else {
        freeze_for_headers(t);
    }
    clear_steps(&t->steps);
}

/* Pipeline fields that a packet-in shows: metadata and registers. */
static bool
has_fields(const struct flow *flow)
{
    uint64_t any = flow->metadata;

    for (unsigned int i = 0; i < FLOW_N_REGS; i++) {
        any |= flow->regs[i];
    }
    return any;
}

uint32_t
translate_freeze_shown(struct translation *t,
                       const struct action_controller *action)
{
    struct str bytes = STR_INIT;
    struct head head;
    uint32_t id;

    if (!has_fields(&t->view.flow) && !(action && action->userdata_len)) {
        return 0;
    }
    memset(&head, 0, sizeof head);
    flow_view_save(&t->view, &head.value, &head.known);
    head.userdata_len = action ? action->userdata_len : 0;
    str_add_bytes(&bytes, &head, sizeof head);
    add_userdata(&bytes, action);
    id = state_id(t, &bytes);
    str_fini(&bytes);
    return id;
}

void
translate_frozen_shown(const struct recirc_state *state,
                       struct packet_in_extra *extra)
{
    const struct head *head = (const void *) state->data;

    extra->value = &head->value;
    extra->known = &head->known;
    extra->userdata = head + 1;
    extra->userdata_len = head->userdata_len;
    extra->paused_id = head->is_paused ? state->id : 0;
}

static struct action_list
take_list(const char **p, uint32_t len)
{
    struct action_list list = { (const struct action *) *p, len };

    *p += len;
    return list;
}

/* Reads a step and goes to where it is; returns what is behind it. */
static const char *
take_step(struct translation *t, const char *p, struct instructions *ins)
{
    const struct step *step = (const void *) p;

    memset(ins, 0, sizeof *ins);
    ins->metadata = step->metadata;
    ins->metadata_mask = step->metadata_mask;
    ins->clear = step->clear;
    ins->has_goto = step->has_goto;
    ins->goto_table = step->goto_table;
    t->table = step->table;
    t->origin = step->origin;
    t->cookie = step->cookie;
    t->entry = step->entry;

    p += sizeof *step;
    ins->apply = take_list(&p, step->apply_len);
    ins->write = take_list(&p, step->write_len);
    return p;
}

void
translate_resume(struct translation *t, const struct recirc_state *state)
{
    const struct head *head = (const void *) state->data;
    const char *p = (const char *) (head + 1) + padded(head->userdata_len);
    struct instructions ins;
    uint32_t i;

    if (head->is_paused) {
        flow_view_resume(&t->view, &head->value);
    } else {
        flow_view_restore(&t->view, &head->value, &head->known);
    }
    t->n_lookups = head->n_lookups;
    t->no_action_set = head->no_action_set;
    t->n_leaving = head->n_leaving;
    memcpy(t->leaving, head->leaving, sizeof t->leaving);
    t->set_table = head->set_table;
    t->set_cookie = head->set_cookie;
    t->n_stack = head->n_stack;
    memcpy(t->stack, p, head->n_stack * sizeof t->stack[0]);
    p += head->n_stack * sizeof t->stack[0];
    actions_append(&t->set, take_list(&p, head->set_len), TRANSLATE_MAX_SET);

    for (i = 0; i < head->n_steps && !translate_stopped(t); i++) {
        p = take_step(t, p, &ins);
        translate_instructions(t, &ins);
    }
    if (t->freezing) {
        /* Frozen once more: the steps behind are left as they were. */
        for (; i < head->n_steps; i++) {
            p = take_step(t, p, &ins);
            translate_add_step(t, &ins);
        }
    }
}
