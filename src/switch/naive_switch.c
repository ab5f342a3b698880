#include "switch/naive_switch.h"

#include <stdlib.h>

#include "packet/edit.h"
#include "packet/eth.h"
#include "switch/action_set.h"
#include "switch/balance.h"
#include "switch/translate_ctx.h"

/* A packet on its way, with what the pipeline knows of it. */
struct walk {
    struct naive_switch *sw;
    struct packet *pkt;
    bool is_dead;                 /* an edit failed: it is dropped here */
    bool exit;
    unsigned int depth;

    /* Values that the bytes do not carry, and which of them were written. */
    struct flow extra, written;

    uint8_t table, origin;
    be64 cookie;
    struct actions set;
    uint8_t set_table;            /* who wrote to it last */
    be64 set_cookie;
    unsigned int n_stack;
    u128 stack[TRANSLATE_MAX_STACK];
};

static void do_list(struct walk *, struct action_list);

static struct flow
flow_of(struct walk *w)
{
    struct flow_key key;
    struct flow flow;

    flow_key_extract(w->pkt, &key);
    flow_from_key(&flow, &key);
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        flow.w[i] = (flow.w[i] & ~w->written.w[i])
                    | (w->extra.w[i] & w->written.w[i]);
    }
    flow.actset_output = htobe32(action_set_output(actions_list(&w->set)));
    return flow;
}

static u128
get(struct walk *w, enum field_id id)
{
    struct flow flow = flow_of(w);

    return field_get(field_by_id(id), &flow);
}

static bool
has(struct walk *w, enum field_id id)
{
    struct flow flow = flow_of(w);

    return field_prereq_met(field_by_id(id), &flow);
}

static uint32_t
in_port_of(struct walk *w)
{
    return (uint32_t) get(w, FIELD_IN_PORT);
}

/* ---- Copies ---- */

static void
in_copy(struct walk *w, void (*body)(struct walk *, const void *),
        const void *aux)
{
    struct walk copy = *w;

    if (w->is_dead || w->exit) {
        return;
    }
    copy.pkt = packet_clone(w->sw->pool, w->pkt);
    copy.set = (struct actions) { 0 };
    body(&copy, aux);
    actions_fini(&copy.set);
    packet_free(copy.pkt);
}

/* ---- Leaving ---- */

static struct naive_output *
add_output(struct walk *w, uint32_t port, uint32_t max_len)
{
    struct naive_output *out;

    if (w->sw->n_outputs == NAIVE_MAX_OUTPUTS) {
        w->sw->overflow = true;
        return NULL;
    }
    out = &w->sw->outputs[w->sw->n_outputs++];
    memset(out, 0, sizeof *out);
    out->port = port;
    out->len = max_len ? MIN(max_len, w->pkt->len) : w->pkt->len;
    out->bytes = xmemdup(w->pkt->data, out->len);
    return out;
}

static void
send(struct walk *w, uint32_t number, uint32_t max_len)
{
    const struct port_settings *port = naive_port(w->sw, number);

    if (port && !port->no_fwd && !port->admin_down) {
        add_output(w, number, max_len);
    }
}

/* Returns what it noted, to be added to. */
static struct naive_output *
to_controller(struct walk *w, uint16_t max_len, uint16_t id, uint8_t reason)
{
    const struct port_settings *from = naive_port(w->sw, in_port_of(w));
    struct flow flow = flow_of(w);
    struct naive_output *out;

    if (from && from->no_packet_in
        && (reason == REASON_APPLY_ACTION ? w->origin : reason)
               == REASON_TABLE_MISS) {
        return NULL;
    }
    out = add_output(w, 0, 0);
    if (out) {
        if (max_len != OFPCML_NO_BUFFER) {
            out->len = MIN(out->len, max_len);
        }
        out->reason = reason == REASON_APPLY_ACTION ? w->origin : reason;
        out->controller_id = id;
        out->table = w->table;
        out->cookie = w->cookie;
        out->metadata = flow.metadata;
        memcpy(out->regs, flow.regs, sizeof out->regs);
    }
    return out;
}

static void
controller(struct walk *w, const struct action_controller *a)
{
    struct naive_output *out = to_controller(w, a->max_len, a->controller_id,
                                             a->reason);

    if (out) {
        assert(a->userdata_len <= sizeof out->userdata);
        memcpy(out->userdata, a->userdata, a->userdata_len);
        out->userdata_len = a->userdata_len;
    }
}

/* ---- The bridge ---- */

static struct naive_station *
station(struct naive_switch *sw, struct fdb_key key)
{
    for (unsigned int i = 0; i < sw->n_stations; i++) {
        if (eth_addr_eq(sw->stations[i].key.mac, key.mac)
            && sw->stations[i].key.vid == key.vid) {
            return &sw->stations[i];
        }
    }
    return NULL;
}

struct bridged {
    uint16_t vid;
    uint32_t to;
};

/* The frame as port `to` wants it. */
static void
leave_bridge(struct walk *w, const void *aux)
{
    const struct bridged *b = aux;
    const struct port_settings *out = naive_port(w->sw, b->to);
    bool untagged = out->vlan.mode == VLAN_ACCESS || !b->vid
                    || (out->vlan.mode == VLAN_NATIVE_UNTAGGED
                        && out->vlan.vid == b->vid);
    uint16_t tci = (uint16_t) get(w, FIELD_VLAN_TCI);

    if (untagged && tci) {
        packet_vlan_pop(w->pkt);
    } else if (!untagged && !tci) {
        packet_vlan_push(w->pkt, ETH_TYPE_VLAN, b->vid);
    } else if (!untagged && (tci & VLAN_VID_MASK) != b->vid) {
        packet_set_field(w->pkt, FIELD_VLAN_TCI, b->vid, VLAN_VID_MASK);
    }
    send(w, b->to, 0);
}

static bool
may_pass(const struct port_settings *in, const struct port_settings *out,
         uint16_t vid)
{
    return (!in || (in->number != out->number
                    && !(in->is_protected && out->is_protected)))
           && port_vlan_carries(&out->vlan, vid);
}

static void
bridge(struct walk *w)
{
    static const uint8_t reserved[5] = { 1, 0x80, 0xc2 };
    struct flow flow = flow_of(w);
    struct eth_addr src = flow.key.eth_src, dst = flow.key.eth_dst;
    const struct port_settings *in = naive_port(w->sw, in_port_of(w));
    uint16_t tci = be16toh(flow.key.vlan_tci), vid = tci & VLAN_VID_MASK;
    struct naive_station *s;

    if (in && in->vlan.mode == VLAN_ACCESS && vid) {
        return;
    }
    if (in && !vid && in->vlan.mode != VLAN_TRUNK) {
        vid = in->vlan.vid;
    }
    if ((in && !port_vlan_carries(&in->vlan, vid))
        || (!memcmp(dst.b, reserved, 5) && dst.b[5] < 16)
        || eth_addr_is_group(src)) {
        return;
    }

    s = station(w->sw, (struct fdb_key) { src, vid });
    if (in && !s) {
        assert(w->sw->n_stations < NAIVE_MAX_STATIONS);
        s = &w->sw->stations[w->sw->n_stations++];
        s->key = (struct fdb_key) { src, vid };
    }
    if (in) {
        s->port = in->number;
    }

    s = station(w->sw, (struct fdb_key) { dst, vid });
    for (unsigned int i = 0; i < NAIVE_MAX_PORTS; i++) {
        const struct port_settings *out = &w->sw->ports[i];
        struct bridged b = { vid, out->number };
        bool known = !eth_addr_is_group(dst) && s
                     && naive_port(w->sw, s->port);

        if (out->number && may_pass(in, out, vid)
            && (known ? s->port == out->number : !out->no_flood)) {
            in_copy(w, leave_bridge, &b);
        }
    }
}

static void
output(struct walk *w, uint32_t port, uint32_t max_len)
{
    uint32_t in_port = in_port_of(w);

    if (port == OFPP_IN_PORT) {
        send(w, in_port, max_len);
    } else if (port == OFPP_NORMAL) {
        bridge(w);
    } else if (port == OFPP_FLOOD || port == OFPP_ALL) {
        for (unsigned int i = 0; i < NAIVE_MAX_PORTS; i++) {
            const struct port_settings *p = &w->sw->ports[i];

            if (p->number && p->number != in_port
                && !(port == OFPP_FLOOD && p->no_flood)) {
                send(w, p->number, max_len);
            }
        }
    } else if (port == OFPP_CONTROLLER) {
        to_controller(w, max_len ? (uint16_t) max_len : OFPCML_NO_BUFFER, 0,
                      REASON_APPLY_ACTION);
    } else if (port != in_port) {
        send(w, port, max_len);
    }
}

/* ---- Fields ---- */

static void
edit(struct walk *w, bool done)
{
    w->is_dead |= !done;
}

/* `ids`: of the controllers to tell; NULL: just 0. */
static void
after_dec_ttl(struct walk *w, bool alive, const struct action_ids *ids)
{
    unsigned int n = ids ? ids->n : 1;

    if (!alive && w->sw->unasked & UNASKED_EXPIRED) {
        for (unsigned int i = 0; i < n; i++) {
            to_controller(w, OFPCML_NO_BUFFER, ids ? ids->ids[i] : 0,
                          REASON_INVALID_TTL);
        }
    }
    edit(w, alive);
}

static void
set_vlan(struct walk *w, uint16_t tci, uint16_t mask)
{
    bool is_tagged = get(w, FIELD_VLAN_TCI);

    if (mask & FLOW_VLAN_PRESENT && !(tci & FLOW_VLAN_PRESENT)) {
        if (is_tagged) {
            edit(w, packet_vlan_pop(w->pkt));
        }
    } else if (is_tagged) {
        edit(w, packet_set_field(w->pkt, FIELD_VLAN_TCI, tci & mask & 0xefff,
                                 mask & 0xefff));
    } else if (mask & FLOW_VLAN_PRESENT) {
        edit(w, packet_vlan_push(w->pkt, ETH_TYPE_VLAN,
                                 tci & mask & 0xefff));
    }
}

static void
set(struct walk *w, enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);

    value &= mask;
    if (id == FIELD_VLAN_TCI || id == FIELD_VLAN_VID) {
        set_vlan(w, (uint16_t) value, (uint16_t) mask);
    } else if (!has(w, id)) {
        return;
    } else if (field->flags & FIELD_WIRE) {
        edit(w, packet_set_field(w->pkt, id, value, mask));
    } else {
        field_set(field, &w->extra, value, mask);
        field_set(field, &w->written, mask, mask);
        if (field_tun_family(field)) {
            w->extra.key.tun_family = field_tun_family(field);
            w->written.key.tun_family = UINT8_MAX;
        }
    }
}

/* mod_tp_src and mod_tp_dst are stored on TCP's ports and mean any transport's. */
static enum field_id
field_of_mod(struct walk *w, enum field_id id)
{
    if (id == FIELD_TCP_SRC) {
        return has(w, FIELD_UDP_SRC) ? FIELD_UDP_SRC
               : has(w, FIELD_SCTP_SRC) ? FIELD_SCTP_SRC : id;
    }
    if (id == FIELD_TCP_DST) {
        return has(w, FIELD_UDP_DST) ? FIELD_UDP_DST
               : has(w, FIELD_SCTP_DST) ? FIELD_SCTP_DST : id;
    }
    return id;
}

static u128
ones(unsigned int n)
{
    return n == 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

static u128
get_sub(struct walk *w, const struct subfield *sub)
{
    return get(w, sub->field) >> sub->ofs & ones(sub->n_bits);
}

static void
set_sub(struct walk *w, const struct subfield *sub, u128 value)
{
    set(w, sub->field, value << sub->ofs, ones(sub->n_bits) << sub->ofs);
}

/* ---- Tags and TTLs ---- */

static void
push_mpls(struct walk *w, uint16_t eth_type)
{
    uint32_t lse = MPLS_BOS | 64;

    if (has(w, FIELD_MPLS_LABEL)) {
        lse = (uint32_t) (get(w, FIELD_MPLS_LABEL) << 12
                          | get(w, FIELD_MPLS_TC) << 9
                          | get(w, FIELD_MPLS_TTL));
    } else if (has(w, FIELD_IP_TTL)) {
        lse = MPLS_BOS | (uint32_t) get(w, FIELD_IP_TTL);
    }
    edit(w, packet_mpls_push(w->pkt, eth_type, lse));
}

/* Actions on MPLS that pass by packets without a label. */
static void
on_label(struct walk *w, const struct action *a)
{
    if (!has(w, FIELD_MPLS_LABEL)) {
        return;
    }
    if (a->type == ACTION_POP_MPLS) {
        edit(w, packet_mpls_pop(w->pkt, ((const struct action_push *) a)
                                            ->eth_type));
    } else if (a->type == ACTION_DEC_MPLS_TTL) {
        after_dec_ttl(w, packet_dec_mpls_ttl(w->pkt), NULL);
    } else if (a->type == ACTION_COPY_TTL_OUT) {
        edit(w, packet_copy_ttl_out(w->pkt));
    } else {
        edit(w, packet_copy_ttl_in(w->pkt));
    }
}

/* ---- Groups ---- */

static void
do_bucket(struct walk *w, const void *aux)
{
    const struct bucket *b = aux;
    struct actions ordered = { 0 };

    w->origin = REASON_GROUP;
    action_set_order(actions_list(&b->actions), &ordered);
    do_list(w, actions_list(&ordered));
    actions_fini(&ordered);
}

/* The hash of the packet as it is now; the choice itself is the switch's. */
static int
pick(struct walk *w, uint32_t id)
{
    uint64_t version = tables_version(w->sw->env->tables);
    const struct group *group = tables_group(w->sw->env->tables, id, version);
    struct flow_mask mask = { 0 };
    struct flow_looks looks = { .mask = &mask };
    struct flow flow = flow_of(w);
    struct flow_view view;

    flow_view_init(&view, &flow, &looks);
    return translate_pick_bucket(
        w->sw->env, group, version,
        translate_flow_hash(w->sw->env->group_key, &group->selection,
                            &view, &looks));
}

static void
do_group(struct walk *w, uint32_t id)
{
    const struct group_mod *group = naive_group(w->sw, id);
    int picked = -1;

    if (!group) {
        return;
    }
    if (group->type == GROUP_SELECT) {
        picked = pick(w, id);
    }
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        if (group->type == GROUP_SELECT && (int) i != picked) {
            continue;
        }
        if (group->type == GROUP_FAST_FAILOVER
            && !naive_bucket_is_live(w->sw, &group->buckets[i])) {
            continue;
        }
        in_copy(w, do_bucket, &group->buckets[i]);
        if (group->type != GROUP_ALL) {
            return;
        }
    }
}

/* ---- Spreading ---- */

/* The hash of the packet as it is now, by the switch's own arithmetic. */
static uint32_t
hash_of(struct walk *w, uint16_t fields, uint16_t basis)
{
    struct flow_mask mask = { 0 };
    struct flow_looks looks = { .mask = &mask };
    struct flow flow = flow_of(w);
    struct flow_view view;

    flow_view_init(&view, &flow, &looks);
    return balance_hash(w->sw->env->group_key, fields, basis, &view, &looks);
}

static void
do_bundle(struct walk *w, const struct action_bundle *a)
{
    uint32_t hash = a->algorithm == BUNDLE_HRW
                    ? hash_of(w, a->fields, a->basis) : 0;
    uint32_t port = balance_member(a, hash, naive_member_is_live, w->sw);

    if (a->dst.n_bits) {
        set_sub(w, &a->dst, port & 0xffff);
    } else if (port != OFPP_ANY) {
        output(w, port, 0);
    }
}

/* ---- Tables ---- */

static const struct flow_mod *
lookup(struct walk *w, uint8_t table, uint32_t in_port)
{
    struct flow flow = flow_of(w);
    const struct flow_mod *best;

    flow.key.in_port = htobe32(in_port);
    best = naive_lookup(w->sw, table, &flow);
    w->sw->hit |= best && best->priority;
    return best;
}

static bool
is_stopped(const struct walk *w)
{
    return w->is_dead || w->exit;
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
    do_list(w, ins->apply);
    if (is_stopped(w)) {
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
        set(w, FIELD_METADATA, be64toh(ins->metadata),
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
        to_controller(w, OFPCML_NO_BUFFER, 0, REASON_APPLY_ACTION);
    }
}

/* Returns whether an entry of the first table matched. */
static bool
do_table(struct walk *w, uint8_t table, uint32_t in_port)
{
    const struct flow_mod *rule = lookup(w, table, in_port);
    bool matched = rule != NULL;
    uint8_t old_table = w->table, old_origin = w->origin;
    be64 old_cookie = w->cookie;

    while (rule) {
        do_rule(w, rule);
        if (is_stopped(w) || !rule->instructions.has_goto) {
            break;
        }
        table = rule->instructions.goto_table;
        rule = lookup(w, table, in_port_of(w));
        if (!rule) {
            actions_clear(&w->set);
            miss(w, table);
        }
    }
    w->table = old_table;
    w->origin = old_origin;
    w->cookie = old_cookie;
    return matched;
}

/* ---- Actions ---- */

static void
do_clone(struct walk *w, const void *clone)
{
    do_list(w, action_clone_list(clone));
}

static void
do_output_reg(struct walk *w, const struct action_output_reg *a)
{
    uint32_t port = (uint32_t) get_sub(w, &a->src);

    if (a->src.n_bits <= 16 && port >= 0xff00) {
        port |= 0xffff0000;
    }
    output(w, port, port == OFPP_CONTROLLER ? a->max_len : 0);
}

/* Every bit that a tracker would have written. */
static void
ct_clear(struct walk *w)
{
    for (size_t i = FLOW_WORD(ct_state); i < FLOW_WORD(tun_metadata); i++) {
        w->extra.w[i] = 0;
        w->written.w[i] = UINT64_MAX;
    }
}

static void
do_resubmit(struct walk *w, const struct action_resubmit *a)
{
    if (a->with_ct) {
        return;                   /* nothing here belongs to a connection */
    }
    do_table(w, a->table == OFPTT_ALL ? w->table : a->table,
             a->in_port == OFPP_IN_PORT ? in_port_of(w) : a->in_port);
}

static void
do_action(struct walk *w, const struct action *a)
{
    const struct action_output *out = (const void *) a;
    const struct action_set_field *set_field = (const void *) a;
    const struct action_move *move = (const void *) a;
    const struct action_stack *stack = (const void *) a;
    const struct action_push *push = (const void *) a;
    const struct action_number *number = (const void *) a;
    const struct action_multipath *multipath = (const void *) a;
    const struct action_check_pkt_larger *larger = (const void *) a;

    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT:
        output(w, out->port, out->trunc);
        return;
    case ACTION_CONTROLLER:
        controller(w, (const void *) a);
        return;
    case ACTION_OUTPUT_REG:
        do_output_reg(w, (const void *) a);
        return;
    case ACTION_SET_FIELD:
        set(w, set_field->is_mod ? field_of_mod(w, set_field->field)
                                 : set_field->field,
            action_u128(set_field->value), action_u128(set_field->mask));
        return;
    case ACTION_MOVE:
        if (has(w, move->src.field)) {
            set_sub(w, &move->dst, get_sub(w, &move->src));
        }
        return;
    case ACTION_STACK_PUSH:
        w->stack[w->n_stack++] = get_sub(w, &stack->sub);
        return;
    case ACTION_STACK_POP:
        if (w->n_stack) {
            set_sub(w, &stack->sub, w->stack[--w->n_stack]);
        }
        return;
    case ACTION_PUSH_VLAN:
        edit(w, packet_vlan_push(w->pkt, push->eth_type,
                                 (uint16_t) get(w, FIELD_VLAN_TCI) & 0xefff));
        return;
    case ACTION_POP_VLAN:
        set_vlan(w, 0, FLOW_VLAN_PRESENT);
        return;
    case ACTION_PUSH_MPLS:
        push_mpls(w, push->eth_type);
        return;
    case ACTION_POP_MPLS: case ACTION_DEC_MPLS_TTL: case ACTION_COPY_TTL_OUT:
    case ACTION_COPY_TTL_IN:
        on_label(w, a);
        return;
    case ACTION_DEC_TTL: case ACTION_DEC_TTL_IDS:
        if (has(w, FIELD_IP_TTL)) {
            after_dec_ttl(w, packet_dec_ttl(w->pkt),
                          a->type == ACTION_DEC_TTL_IDS ? (const void *) a
                                                        : NULL);
        }
        return;
    case ACTION_GROUP:
        do_group(w, number->number);
        return;
    case ACTION_RESUBMIT:
        do_resubmit(w, (const void *) a);
        return;
    case ACTION_CLONE:
        in_copy(w, do_clone, a);
        return;
    case ACTION_ENQUEUE:
        output(w, ((const struct action_enqueue *) a)->port, 0);
        return;
    case ACTION_DELETE_FIELD:
        set(w, ((const struct action_field *) a)->field, 0, ~(u128) 0);
        return;
    case ACTION_CT:
        w->is_dead = true;
        return;
    case ACTION_CT_CLEAR:
        ct_clear(w);
        return;
    case ACTION_EXIT:
        w->exit = true;
        return;
    case ACTION_MULTIPATH:
        set_sub(w, &multipath->dst,
                balance_link(multipath, hash_of(w, multipath->fields,
                                                multipath->basis)));
        return;
    case ACTION_BUNDLE:
        do_bundle(w, (const void *) a);
        return;
    case ACTION_CHECK_PKT_LARGER:
        set_sub(w, &larger->dst, w->pkt->len > larger->pkt_len);
        return;
    case ACTION_LEARN: case ACTION_FIN_TIMEOUT:
    case ACTION_CONJUNCTION: case ACTION_SAMPLE:
    case ACTION_METER:            /* the test's meters let everything pass */
    case ACTION_SET_QUEUE: case ACTION_POP_QUEUE: case ACTION_NOTE:
    case ACTION_NAT:
    case N_ACTIONS:
        return;
    }
}

static void
do_list(struct walk *w, struct action_list list)
{
    ACTION_FOR_EACH (a, &list) {
        if (is_stopped(w)) {
            return;
        }
        do_action(w, a);
    }
}

static void
do_action_set(struct walk *w)
{
    struct actions ordered = { 0 };

    action_set_order(actions_list(&w->set), &ordered);
    actions_clear(&w->set);
    w->exit = false;
    w->origin = REASON_ACTION_SET;
    w->table = w->set_table;
    w->cookie = w->set_cookie;
    do_list(w, actions_list(&ordered));
    actions_fini(&ordered);
}

void
naive_clear(struct naive_switch *sw)
{
    for (unsigned int i = 0; i < sw->n_outputs; i++) {
        free(sw->outputs[i].bytes);
    }
    sw->n_outputs = 0;
    sw->hit = sw->conjunctive = sw->overflow = false;
}

void
naive_run(struct naive_switch *sw, const void *frame, uint32_t len,
          uint32_t in_port)
{
    static const uint8_t stp[6] = { 1, 0x80, 0xc2 };
    const struct port_settings *port = naive_port(sw, in_port);
    struct walk w = { .sw = sw };

    naive_clear(sw);
    w.pkt = packet_alloc(sw->pool, len);
    memcpy(w.pkt->data, frame, len);
    w.pkt->len = len;
    w.pkt->in_port = in_port;
    if (port && !port->admin_down
        && !(memcmp(frame, stp, 6) ? port->no_recv : port->no_recv_stp)
        && !(sw->drops_fragments && flow_of(&w).key.nw_frag)) {
        if (!do_table(&w, 0, in_port)) {
            miss(&w, 0);
        }
        if (!w.is_dead) {
            do_action_set(&w);
        }
    }
    actions_fini(&w.set);
    packet_free(w.pkt);
}
