#include <inttypes.h>

#include "packet/eth.h"
#include "switch/normal.h"
#include "switch/translate_ctx.h"

/* ---- Sending ---- */

static void
emit_output(struct translation *t, uint32_t port, uint32_t max_len)
{
    struct dp_action_output *output;
    struct dp_action_trunc *trunc;

    if (max_len) {
        trunc = translate_emit(t, DP_ACTION_TRUNC, sizeof *trunc);
        trunc->max_len = max_len;
    }
    output = translate_emit(t, DP_ACTION_OUTPUT, sizeof *output);
    output->port = port_id(port);
}

bool
translate_send(struct translation *t, const struct port_settings *port,
               uint32_t max_len)
{
    if (port->no_fwd || port->admin_down) {
        DROP(t, DROP_PORT_BLOCKED, "not sent: port %s is configured not to "
             "forward", port->name);
        return false;
    }
    if (UNLIKELY(t->first_egress != N_TABLES)
        && !translate_is_leaving(t, port->number)) {
        translate_egress(t, port, max_len);
    } else {
        if (UNLIKELY(port->is_tunnel)) {
            translate_tunnel(t);
        }
        emit_output(t, port->number, max_len);
    }
    return true;
}

static void
send_to_number(struct translation *t, uint32_t number, uint32_t max_len)
{
    const struct port_settings *port = port_map_find(t->ports, number);

    if (!port) {
        DROP(t, DROP_NO_PORT, "not sent: there is no port %s",
             port_number_text(number).text);
        return;
    }
    SAY(t, "output: port %s (%s)", port->name,
        port_number_text(number).text);
    translate_send(t, port, max_len);
}

/* OFPP_FLOOD and OFPP_ALL: as the tables say it, without VLANs. */
static void
send_to_all(struct translation *t, bool flood, uint32_t max_len)
{
    uint32_t in_port = flow_view_in_port(&t->view);
    unsigned int n = 0;

    PORT_MAP_FOR_EACH (port, t->ports) {
        if (port->number == in_port || (flood && port->no_flood)
            || port->no_fwd || port->admin_down) {
            continue;
        }
        translate_send(t, port, max_len);
        n++;
    }
    if (n) {
        SAY(t, "output: %u ports", n);
    } else {
        DROP(t, DROP_NO_OUTPUT, "not sent: there is no other port");
    }
}

/* The reason that a packet-in gives: an action of no particular one has that of
 * the list it stands in. */
static uint8_t
reason_of(const struct translation *t, uint8_t reason)
{
    return reason == REASON_APPLY_ACTION ? t->origin : reason;
}

/* May packets from here go to the controller? */
static bool
may_go_up(struct translation *t, uint8_t reason)
{
    const struct port_settings *from
        = port_map_find(t->ports, flow_view_in_port(&t->view));

    if (from && from->no_packet_in
        && reason_of(t, reason) == REASON_TABLE_MISS) {
        DROP(t, DROP_PORT_BLOCKED, "not sent to the controller: port %s is "
             "configured so for what misses a table", from->name);
        return false;
    }
    return true;
}

static struct dp_action_controller *
emit_controller(struct translation *t, uint16_t max_len,
                uint16_t controller_id, uint8_t reason)
{
    struct dp_action_controller *a = translate_emit(t, DP_ACTION_CONTROLLER,
                                                    sizeof *a);

    a->max_len = max_len;
    a->controller_id = controller_id;
    a->reason = reason_of(t, reason);
    a->table = t->table;
    a->cookie = t->cookie;
    return a;
}

/* A meter is for the packet-ins alone, so it stands in a clone with them. */
struct metered {
    bool is_metered;
    uint32_t mark;
};

/* By the action's own meter, or the one of all packet-ins. */
static struct metered
begin_metered(struct translation *t, uint32_t meter)
{
    struct metered m = { .mark = 0 };

    if (!meter && meter_map_find(t->env->meters, OFPM_CONTROLLER)
                  != METER_NO_SLOT) {
        meter = OFPM_CONTROLLER;
    }
    if (meter) {
        m.is_metered = true;
        m.mark = translate_begin(t, DP_ACTION_CLONE);
        translate_meter(t, meter);
    }
    return m;
}

static void
end_metered(struct translation *t, struct metered m)
{
    if (m.is_metered) {
        dp_actions_end(&t->up->actions, m.mark);
    }
}

static void
to_controller(struct translation *t, uint16_t max_len)
{
    struct metered m;
    uint32_t id;

    if (may_go_up(t, REASON_APPLY_ACTION)) {
        SAY(t, "packet-in to the controller");
        id = translate_freeze_shown(t, NULL);
        m = begin_metered(t, 0);
        emit_controller(t, max_len, 0, REASON_APPLY_ACTION)->recirc = id;
        end_metered(t, m);
    }
}

void
translate_output(struct translation *t, uint32_t port, uint32_t max_len)
{
    uint32_t in_port = flow_view_in_port(&t->view);

    switch (port) {
    case OFPP_IN_PORT:
        send_to_number(t, in_port, max_len);
        return;
    case OFPP_TABLE:
        if (t->opt->packet_out) {
            translate_pipeline(t);
        }
        return;
    case OFPP_NORMAL:
        normal_translate(t);
        return;
    case OFPP_FLOOD: case OFPP_ALL:
        send_to_all(t, port == OFPP_FLOOD, max_len);
        return;
    case OFPP_CONTROLLER:
        to_controller(t, max_len ? (uint16_t) MIN(max_len, UINT16_MAX)
                                 : OFPCML_NO_BUFFER);
        return;
    case OFPP_ANY: case OFPP_UNSET:
        return;
    default:
        break;
    }
    if (port == in_port && !translate_is_leaving(t, port)) {
        DROP(t, DROP_SAME_PORT, "not sent: port %s is where it came from",
             port_number_text(port).text);
        return;
    }
    send_to_number(t, port, max_len);
}

static void
do_output(struct translation *t, const struct action *action)
{
    const struct action_output *a = (const void *) action;

    translate_output(t, a->port, a->trunc);
}

static void
do_controller(struct translation *t, const struct action *action)
{
    const struct action_controller *a = (const void *) action;
    struct dp_action_controller *out;
    struct metered m;
    uint32_t id = 0;

    if (!may_go_up(t, a->reason)) {
        t->dropped = a->pause;    /* nobody will resume it */
        return;
    }
    SAY(t, "packet-in to the controller");
    if (!a->pause) {
        id = translate_freeze_shown(t, a);
    }
    m = begin_metered(t, a->meter);
    out = emit_controller(t, a->max_len, a->controller_id, a->reason);
    out->recirc = id;
    t->pause_ofs = (uint32_t) ((char *) out - t->up->actions.data);
    end_metered(t, m);
    if (a->pause && !t->failed) {
        t->pause = a;
        t->freezing = true;
    }
}

static void
do_output_reg(struct translation *t, const struct action *action)
{
    const struct action_output_reg *a = (const void *) action;
    uint32_t port = (uint32_t) flow_view_get_subfield(&t->view, &t->looks,
                                                      &a->src);

    /* 16-bit reserved numbers are those of OpenFlow 1.0. */
    if (a->src.n_bits <= 16 && port >= 0xff00) {
        port |= UINT32_C(0xffff0000);
    }
    translate_output(t, port, port == OFPP_CONTROLLER ? a->max_len : 0);
}

/* ---- Fields ---- */

/* Tags come and go by writing the VLAN fields. */
static void
set_vlan(struct translation *t, uint16_t tci, uint16_t mask)
{
    bool is_tagged = flow_view_get_bits(&t->view, &t->looks, FIELD_VLAN_TCI,
                                        FLOW_VLAN_PRESENT);
    struct dp_action_set_field *set;
    struct dp_action_push_vlan *push;

    if (mask & FLOW_VLAN_PRESENT && !(tci & FLOW_VLAN_PRESENT)) {
        if (is_tagged) {
            translate_emit(t, DP_ACTION_POP_VLAN,
                           sizeof(struct dp_action_plain));
            flow_view_pop_vlan(&t->view, &t->looks);
        }
        return;
    }
    if (!is_tagged) {
        if (mask & FLOW_VLAN_PRESENT) {
            push = translate_emit(t, DP_ACTION_PUSH_VLAN, sizeof *push);
            push->tpid = ETH_TYPE_VLAN;
            push->tci = tci & mask & (uint16_t) ~FLOW_VLAN_PRESENT;
            flow_view_push_vlan(&t->view, &t->looks, push->tpid, push->tci);
        } else {
            SAY(t, "skipped: the packet has no VLAN tag");
        }
        return;
    }
    mask &= (uint16_t) ~FLOW_VLAN_PRESENT;
    if (mask) {
        set = translate_emit(t, DP_ACTION_SET_FIELD, sizeof *set);
        set->field = FIELD_VLAN_TCI;
        set->value[0] = tci & mask;
        set->mask[0] = mask;
        flow_view_set(&t->view, &t->looks, FIELD_VLAN_TCI, tci, mask);
    }
}

static void
set_field(struct translation *t, enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);
    struct dp_action_set_field *a;

    value &= mask;
    if (id == FIELD_VLAN_TCI || id == FIELD_VLAN_VID) {
        set_vlan(t, (uint16_t) value, (uint16_t) mask);
        return;
    }
    if (!flow_view_has(&t->view, &t->looks, id)) {
        SAY(t, "skipped: the packet has no %s", field->name);
        return;
    }
    if (field->flags & FIELD_WIRE) {
        a = translate_emit(t, DP_ACTION_SET_FIELD, sizeof *a);
        a->field = id;
        a->value[0] = (uint64_t) value;
        a->value[1] = (uint64_t) (value >> 64);
        a->mask[0] = (uint64_t) mask;
        a->mask[1] = (uint64_t) (mask >> 64);
    }
    flow_view_set(&t->view, &t->looks, id, value, mask);
}

void
translate_set_subfield(struct translation *t, const struct subfield *sub,
                       u128 value)
{
    u128 ones = sub->n_bits == 128 ? ~(u128) 0
                                   : ((u128) 1 << sub->n_bits) - 1;

    set_field(t, sub->field, value << sub->ofs, ones << sub->ofs);
}

/* mod_tp_src and mod_tp_dst mean the port of whichever transport there is. */
static enum field_id
transport_port(struct translation *t, enum field_id id)
{
    bool is_src = id == FIELD_TCP_SRC;
    enum field_id udp = is_src ? FIELD_UDP_SRC : FIELD_UDP_DST;
    enum field_id sctp = is_src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;

    return flow_view_has(&t->view, &t->looks, udp) ? udp
           : flow_view_has(&t->view, &t->looks, sctp) ? sctp : id;
}

static void
do_set_field(struct translation *t, const struct action *action)
{
    const struct action_set_field *a = (const void *) action;
    enum field_id id = a->field;

    if (a->is_mod && (id == FIELD_TCP_SRC || id == FIELD_TCP_DST)) {
        id = transport_port(t, id);
    }
    set_field(t, id, action_u128(a->value), action_u128(a->mask));
}

static void
do_move(struct translation *t, const struct action *action)
{
    const struct action_move *a = (const void *) action;

    if (!flow_view_has(&t->view, &t->looks, a->src.field)) {
        SAY(t, "skipped: the packet has no %s",
            field_by_id(a->src.field)->name);
        return;
    }
    translate_set_subfield(t, &a->dst,
                           flow_view_get_subfield(&t->view, &t->looks,
                                                  &a->src));
}

static void
do_stack_push(struct translation *t, const struct action *action)
{
    const struct action_stack *a = (const void *) action;

    if (t->n_stack == TRANSLATE_MAX_STACK) {
        translate_limit(t, "too many values pushed");
        return;
    }
    t->stack[t->n_stack++] = flow_view_get_subfield(&t->view, &t->looks,
                                                    &a->sub);
}

static void
do_stack_pop(struct translation *t, const struct action *action)
{
    const struct action_stack *a = (const void *) action;

    if (!t->n_stack) {
        SAY(t, "skipped: nothing was pushed");
        return;
    }
    translate_set_subfield(t, &a->sub, t->stack[--t->n_stack]);
}

/* ---- Tags and labels ---- */

static void
do_push_vlan(struct translation *t, const struct action *action)
{
    const struct action_push *a = (const void *) action;
    struct dp_action_push_vlan *push;
    uint16_t tci;

    /* A new tag takes over what the outer one says (1.3.5 section 5.12.1). */
    tci = (uint16_t) flow_view_get(&t->view, &t->looks, FIELD_VLAN_TCI)
          & (uint16_t) ~FLOW_VLAN_PRESENT;
    push = translate_emit(t, DP_ACTION_PUSH_VLAN, sizeof *push);
    push->tpid = a->eth_type;
    push->tci = tci;
    flow_view_push_vlan(&t->view, &t->looks, push->tpid, tci);
}

static void
do_pop_vlan(struct translation *t, const struct action *action UNUSED)
{
    set_vlan(t, 0, FLOW_VLAN_PRESENT);
}

/* ---- TTL ---- */

/* To decrement, and whom to tell when that cannot be. */
static void
emit_dec_ttl(struct translation *t, enum dp_action_type type,
             const uint16_t *ids, unsigned int n)
{
    uint32_t mark = translate_begin(t, type);

    if (atomic_load(&t->env->unasked) & UNASKED_EXPIRED) {
        uint32_t state = translate_freeze_shown(t, NULL);
        struct metered m = begin_metered(t, 0);

        for (unsigned int i = 0; i < n; i++) {
            emit_controller(t, OFPCML_NO_BUFFER, ids[i], REASON_INVALID_TTL)
                ->recirc = state;
        }
        end_metered(t, m);
    }
    dp_actions_end(&t->up->actions, mark);
}

static const uint16_t default_id[] = { 0 };

static void
dec_ttl(struct translation *t, const uint16_t *ids, unsigned int n)
{
    if (!flow_view_has(&t->view, &t->looks, FIELD_IP_TTL)) {
        SAY(t, "skipped: the packet is not IP");
        return;
    }
    emit_dec_ttl(t, DP_ACTION_DEC_TTL, ids, n);
    flow_view_dec_ttl(&t->view);
}

static void
do_dec_ttl(struct translation *t, const struct action *action UNUSED)
{
    dec_ttl(t, default_id, ARRAY_SIZE(default_id));
}

static void
do_dec_ttl_ids(struct translation *t, const struct action *action)
{
    const struct action_ids *ids = (const void *) action;

    dec_ttl(t, ids->ids, ids->n);
}

static void
do_dec_mpls_ttl(struct translation *t, const struct action *action UNUSED)
{
    if (translate_is_mpls(t)) {
        emit_dec_ttl(t, DP_ACTION_DEC_MPLS_TTL, default_id,
                     ARRAY_SIZE(default_id));
        flow_view_dec_mpls_ttl(&t->view);
    }
}

/* ---- Elsewhere ---- */

void
translate_meter(struct translation *t, uint32_t id)
{
    uint32_t slot = meter_map_find(t->env->meters, id);
    struct dp_action_meter *a;

    if (slot == METER_NO_SLOT) {
        SAY(t, "skipped: there is no meter %" PRIu32, id);
        return;
    }
    if (id == OFPM_CONTROLLER) {
        SAY(t, "the meter of all packet-ins");
    } else {
        SAY(t, "meter %" PRIu32, id);
    }
    a = translate_emit(t, DP_ACTION_METER, sizeof *a);
    a->meter = slot;
}

static void
do_meter(struct translation *t, const struct action *action)
{
    translate_meter(t, ((const struct action_number *) action)->number);
}

static void
do_group(struct translation *t, const struct action *action)
{
    translate_group(t, ((const struct action_number *) action)->number);
}

static void
set_queue(struct translation *t, uint32_t queue)
{
    flow_view_set(&t->view, &t->looks, FIELD_SKB_PRIORITY, queue, UINT32_MAX);
}

static void
do_set_queue(struct translation *t, const struct action *action)
{
    set_queue(t, ((const struct action_number *) action)->number);
}

static void
do_pop_queue(struct translation *t, const struct action *action UNUSED)
{
    set_queue(t, 0);
}

static void
do_resubmit(struct translation *t, const struct action *action)
{
    const struct action_resubmit *a = (const void *) action;

    /* The protocol of its first packet says whether it has a connection. */
    if (a->with_ct
        && !flow_view_get(&t->view, &t->looks, FIELD_CT_NW_PROTO)) {
        SAY(t, "skipped: the packet belongs to no connection");
        return;
    }
    t->by_original = a->with_ct;
    translate_table(t, a->table == OFPTT_ALL ? t->table : a->table,
                    a->in_port == OFPP_IN_PORT ? flow_view_in_port(&t->view)
                                               : a->in_port);
}

static void
clone_body(struct translation *t, const void *aux)
{
    translate_actions(t, action_clone_list(aux));
}

static void
do_clone(struct translation *t, const struct action *action)
{
    translate_in_clone(t, clone_body, action);
}

static void
do_exit(struct translation *t, const struct action *action UNUSED)
{
    t->exit = true;
}

static void
do_note(struct translation *t UNUSED, const struct action *action UNUSED)
{
    /* For whoever reads the tables. */
}

static void
do_enqueue(struct translation *t, const struct action *action)
{
    const struct action_enqueue *a = (const void *) action;
    uint32_t queue = (uint32_t) flow_view_get(&t->view, &t->looks,
                                              FIELD_SKB_PRIORITY);

    set_queue(t, a->queue);
    translate_output(t, a->port, 0);
    set_queue(t, queue);
}

static void
do_delete_field(struct translation *t, const struct action *action)
{
    set_field(t, ((const struct action_field *) action)->field, 0,
              ~(u128) 0);
}

/* ---- Others ---- */

static void
do_nat(struct translation *t UNUSED, const struct action *action UNUSED)
{
    /* Part of ct, which carries it out. */
}

static void
do_conjunction(struct translation *t UNUSED,
               const struct action *action UNUSED)
{
    /* A lookup finds no entry with it; a packet-out may hold it. */
}

static void
do_sample(struct translation *t, const struct action *action)
{
    struct dp_action_sample *a = translate_emit(t, DP_ACTION_SAMPLE,
                                                sizeof *a);

    a->probability = ((const struct action_sample *) action)->probability;
    SAY(t, "%u of 65535 packets are counted as samples; there is no "
        "collector", a->probability);
}

static void
do_stat_trigger(struct translation *t UNUSED,
                const struct action *action UNUSED)
{
    /* Of the entry's counters, to which the packet adds. */
}

typedef void do_action(struct translation *, const struct action *);

static do_action *const doers[N_ACTIONS] = {
    [ACTION_OUTPUT] = do_output,
    [ACTION_CONTROLLER] = do_controller,
    [ACTION_OUTPUT_REG] = do_output_reg,
    [ACTION_SET_FIELD] = do_set_field,
    [ACTION_MOVE] = do_move,
    [ACTION_PUSH_VLAN] = do_push_vlan,
    [ACTION_POP_VLAN] = do_pop_vlan,
    [ACTION_PUSH_MPLS] = translate_push_mpls,
    [ACTION_POP_MPLS] = translate_pop_mpls,
    [ACTION_PUSH_PBB] = translate_push_pbb,
    [ACTION_POP_PBB] = translate_pop_pbb,
    [ACTION_DEC_TTL] = do_dec_ttl,
    [ACTION_DEC_TTL_IDS] = do_dec_ttl_ids,
    [ACTION_DEC_MPLS_TTL] = do_dec_mpls_ttl,
    [ACTION_COPY_TTL_OUT] = translate_copy_ttl_out,
    [ACTION_COPY_TTL_IN] = translate_copy_ttl_in,
    [ACTION_GROUP] = do_group,
    [ACTION_METER] = do_meter,
    [ACTION_SET_QUEUE] = do_set_queue,
    [ACTION_POP_QUEUE] = do_pop_queue,
    [ACTION_RESUBMIT] = do_resubmit,
    [ACTION_CLONE] = do_clone,
    [ACTION_STACK_PUSH] = do_stack_push,
    [ACTION_STACK_POP] = do_stack_pop,
    [ACTION_ENQUEUE] = do_enqueue,
    [ACTION_DELETE_FIELD] = do_delete_field,
    [ACTION_CT] = translate_ct,
    [ACTION_CT_CLEAR] = translate_ct_clear,
    [ACTION_NAT] = do_nat,
    [ACTION_EXIT] = do_exit,
    [ACTION_NOTE] = do_note,
    [ACTION_CONJUNCTION] = do_conjunction,
    [ACTION_MULTIPATH] = translate_multipath,
    [ACTION_BUNDLE] = translate_bundle,
    [ACTION_CHECK_PKT_LARGER] = translate_check_pkt_larger,
    [ACTION_SAMPLE] = do_sample,
    [ACTION_LEARN] = translate_learn,
    [ACTION_FIN_TIMEOUT] = translate_fin_timeout,
    [ACTION_STAT_TRIGGER] = do_stat_trigger,
};

/* ---- The loop ---- */

static bool
can(const struct translation *t, unsigned int field)
{
    return flow_view_can(&t->view, field);
}

/* Must the packet be parsed again before the action can be translated?  Asked
 * only while the view is unparsed. */
static bool
needs_headers(const struct translation *t, const struct action *a)
{
    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT: {
        uint32_t port = ((const struct action_output *) a)->port;

        return port == OFPP_NORMAL || port == OFPP_TABLE;
    }
    case ACTION_SET_FIELD:
        return !can(t, ((const struct action_set_field *) a)->field);
    case ACTION_MOVE:
        return !can(t, ((const struct action_move *) a)->src.field)
               || !can(t, ((const struct action_move *) a)->dst.field);
    case ACTION_STACK_PUSH: case ACTION_STACK_POP:
        return !can(t, ((const struct action_stack *) a)->sub.field);
    case ACTION_GROUP:
        return translate_group_needs_headers(
            t, ((const struct action_number *) a)->number);
    case ACTION_CONTROLLER: case ACTION_METER: case ACTION_SET_QUEUE:
    case ACTION_POP_QUEUE: case ACTION_CLONE: case ACTION_EXIT:
    case ACTION_NOTE: case ACTION_STAT_TRIGGER: case ACTION_ENQUEUE:
    case ACTION_DELETE_FIELD: case ACTION_NAT: case ACTION_CT_CLEAR:
    case ACTION_CONJUNCTION: case ACTION_SAMPLE:
    case ACTION_CHECK_PKT_LARGER:
        return false;
    case ACTION_LEARN: case ACTION_MULTIPATH: case ACTION_BUNDLE:
    case ACTION_FIN_TIMEOUT: case ACTION_CT:
    case ACTION_OUTPUT_REG:       /* the register may say NORMAL */
    case ACTION_PUSH_VLAN: case ACTION_POP_VLAN: case ACTION_PUSH_MPLS:
    case ACTION_POP_MPLS: case ACTION_PUSH_PBB: case ACTION_POP_PBB:
    case ACTION_DEC_TTL: case ACTION_DEC_TTL_IDS:
    case ACTION_DEC_MPLS_TTL:
    case ACTION_COPY_TTL_OUT: case ACTION_COPY_TTL_IN: case ACTION_RESUBMIT:
    case N_ACTIONS:
        return true;
    }
    return true;
}

static void
say_action(struct translation *t, const struct action *a)
{
    struct str text = STR_INIT;

    action_list_format((struct action_list) { a, a->len }, &text);
    SAY(t, "%s", str_text(&text));
    str_fini(&text);
}

void
translate_actions(struct translation *t, struct action_list list)
{
    t->indent++;
    ACTION_FOR_EACH (a, &list) {
        uint32_t ofs = (uint32_t) ((const char *) a
                                   - (const char *) list.first);

        if (t->view.unparsed && needs_headers(t, a)) {
            t->freezing = true;
        } else {
            if (UNLIKELY(t->opt->trace)) {
                say_action(t, a);
            }
            doers[a->type](t, a);
            ofs += a->len;
        }
        if (translate_stopped(t)) {
            struct instructions rest = {
                .apply = {
                    (const struct action *) ((const char *) list.first + ofs),
                    list.len - ofs
                },
            };

            if (t->freezing) {
                translate_add_step(t, &rest);
            }
            break;
        }
    }
    t->indent--;
}
