/* What each action means to the naive switch. */
#include "switch/naive_walk.h"

#include "packet/edit.h"
#include "packet/eth.h"
#include "switch/action_set.h"
#include "switch/balance.h"

/* mod_tp_src and mod_tp_dst are stored on TCP's ports and mean any
 * transport's. */
static enum field_id
field_of_mod(struct walk *w, enum field_id id)
{
    if (id == FIELD_TCP_SRC) {
        return walk_has(w, FIELD_UDP_SRC) ? FIELD_UDP_SRC
               : walk_has(w, FIELD_SCTP_SRC) ? FIELD_SCTP_SRC : id;
    }
    if (id == FIELD_TCP_DST) {
        return walk_has(w, FIELD_UDP_DST) ? FIELD_UDP_DST
               : walk_has(w, FIELD_SCTP_DST) ? FIELD_SCTP_DST : id;
    }
    return id;
}

/* `ids`: of the controllers to tell; NULL: just 0. */
static void
after_dec_ttl(struct walk *w, bool alive, const struct action_ids *ids)
{
    unsigned int n = ids ? ids->n : 1;

    if (!alive && w->sw->unasked & UNASKED_EXPIRED) {
        for (unsigned int i = 0; i < n; i++) {
            walk_to_controller(w, OFPCML_NO_BUFFER, ids ? ids->ids[i] : 0,
                               REASON_INVALID_TTL);
        }
    }
    walk_edit(w, alive);
}

/* ---- Tags and TTLs ---- */

static void
do_push_mpls(struct walk *w, const struct action *action)
{
    const struct action_push *a = (const void *) action;
    uint32_t lse = MPLS_BOS | 64;

    if (walk_has(w, FIELD_MPLS_LABEL)) {
        lse = (uint32_t) (walk_get(w, FIELD_MPLS_LABEL) << 12
                          | walk_get(w, FIELD_MPLS_TC) << 9
                          | walk_get(w, FIELD_MPLS_TTL));
    } else if (walk_has(w, FIELD_IP_TTL)) {
        lse = MPLS_BOS | (uint32_t) walk_get(w, FIELD_IP_TTL);
    }
    walk_edit(w, packet_mpls_push(w->pkt, a->eth_type, lse));
}

static void
do_push_pbb(struct walk *w, const struct action *action UNUSED)
{
    uint32_t isid = walk_has(w, FIELD_PBB_ISID)
                    ? (uint32_t) walk_get(w, FIELD_PBB_ISID) : 0;
    uint32_t pcp = walk_has(w, FIELD_VLAN_PCP)
                   ? (uint32_t) walk_get(w, FIELD_VLAN_PCP) : 0;

    walk_edit(w, packet_pbb_push(w->pkt, pcp << 29 | isid));
}

static void
do_pop_pbb(struct walk *w, const struct action *action UNUSED)
{
    if (walk_has(w, FIELD_PBB_ISID)) {
        walk_edit(w, packet_pbb_pop(w->pkt));
    }
}

static void
do_push_vlan(struct walk *w, const struct action *action)
{
    const struct action_push *a = (const void *) action;

    walk_edit(w, packet_vlan_push(w->pkt, a->eth_type,
                                  (uint16_t) walk_get(w, FIELD_VLAN_TCI)
                                      & 0xefff));
}

static void
do_pop_vlan(struct walk *w, const struct action *action UNUSED)
{
    walk_set_vlan(w, 0, FLOW_VLAN_PRESENT);
}

static void
do_dec_ttl(struct walk *w, const struct action *action UNUSED)
{
    if (walk_has(w, FIELD_IP_TTL)) {
        after_dec_ttl(w, packet_dec_ttl(w->pkt), NULL);
    }
}

static void
do_dec_ttl_ids(struct walk *w, const struct action *action)
{
    if (walk_has(w, FIELD_IP_TTL)) {
        after_dec_ttl(w, packet_dec_ttl(w->pkt), (const void *) action);
    }
}

/* Packets without a label are passed by. */

static void
do_pop_mpls(struct walk *w, const struct action *action)
{
    if (walk_has(w, FIELD_MPLS_LABEL)) {
        const struct action_push *a = (const void *) action;

        walk_edit(w, packet_mpls_pop(w->pkt, a->eth_type));
    }
}

static void
do_dec_mpls_ttl(struct walk *w, const struct action *action UNUSED)
{
    if (walk_has(w, FIELD_MPLS_LABEL)) {
        after_dec_ttl(w, packet_dec_mpls_ttl(w->pkt), NULL);
    }
}

static void
do_copy_ttl_out(struct walk *w, const struct action *action UNUSED)
{
    if (walk_has(w, FIELD_MPLS_LABEL)) {
        walk_edit(w, packet_copy_ttl_out(w->pkt));
    }
}

static void
do_copy_ttl_in(struct walk *w, const struct action *action UNUSED)
{
    if (walk_has(w, FIELD_MPLS_LABEL)) {
        walk_edit(w, packet_copy_ttl_in(w->pkt));
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
    walk_actions(w, actions_list(&ordered));
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
    struct flow flow = walk_flow(w);
    struct flow_view view;

    flow_view_init(&view, &flow, &looks);
    return translate_pick_bucket(
        w->sw->env, group, version,
        translate_flow_hash(w->sw->env->group_key, &group->selection,
                            &view, &looks));
}

static void
do_group(struct walk *w, const struct action *action)
{
    uint32_t id = ((const struct action_number *) action)->number;
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
        walk_in_copy(w, do_bucket, &group->buckets[i]);
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
    struct flow flow = walk_flow(w);
    struct flow_view view;

    flow_view_init(&view, &flow, &looks);
    return balance_hash(w->sw->env->group_key, fields, basis, &view, &looks);
}

static void
do_bundle(struct walk *w, const struct action *action)
{
    const struct action_bundle *a = (const void *) action;
    uint32_t hash = a->algorithm == BUNDLE_HRW
                    ? hash_of(w, a->fields, a->basis) : 0;
    uint32_t port = balance_member(a, hash, naive_member_is_live, w->sw);

    if (a->dst.n_bits) {
        walk_set_sub(w, &a->dst, port & 0xffff);
    } else if (port != OFPP_ANY) {
        walk_output(w, port, 0);
    }
}

/* ---- Actions ---- */

static void
clone_body(struct walk *w, const void *clone)
{
    walk_actions(w, action_clone_list(clone));
}

static void
do_clone(struct walk *w, const struct action *action)
{
    walk_in_copy(w, clone_body, action);
}

static void
do_output_reg(struct walk *w, const struct action *action)
{
    const struct action_output_reg *a = (const void *) action;
    uint32_t port = (uint32_t) walk_get_sub(w, &a->src);

    if (a->src.n_bits <= 16 && port >= 0xff00) {
        port |= 0xffff0000;
    }
    walk_output(w, port, port == OFPP_CONTROLLER ? a->max_len : 0);
}

/* ---- Connections ---- */

/* Are what a tracker writes zero, whatever the packet says? */
static void
hide_ct(struct walk *w, bool is_hidden)
{
    for (size_t i = FLOW_WORD(ct_state); i < FLOW_WORD(tun_metadata); i++) {
        w->extra.w[i] = 0;
        w->written.w[i] = is_hidden ? UINT64_MAX : 0;
    }
}

static void
do_ct_clear(struct walk *w, const struct action *action UNUSED)
{
    w->pkt->ct_state = 0;
    hide_ct(w, true);
}

static void
read_nat(const struct action_nat *a, struct ct_nat *nat)
{
    *nat = (struct ct_nat) {
        .kind = !(a->flags & (NAT_SRC | NAT_DST)) ? CT_NAT_EXISTING
                : a->flags & NAT_SRC ? CT_NAT_SRC : CT_NAT_DST,
        .family = a->family, .has_ports = a->has_ports,
        .is_random = a->flags & NAT_RANDOM, .port_min = a->port_min,
        .port_max = a->port_max, .min = a->addr_min, .max = a->addr_max,
    };
}

/* The mark and label that the connection is to have: what the nested actions
 * write to a packet's. */
static void
read_exec(struct walk *w, struct action_list list, struct ct_request *req)
{
    struct walk after = *w;
    struct flow flow;

    hide_ct(&after, false);
    ACTION_FOR_EACH (a, &list) {
        const struct action_move *move = (const void *) a;
        const struct action_set_field *set = (const void *) a;

        if (a->type == ACTION_SET_FIELD) {
            walk_set(&after, set->field, action_u128(set->value),
                     action_u128(set->mask));
        } else if (a->type == ACTION_NAT) {
            read_nat((const void *) a, &req->nat);
        } else if (a->type == ACTION_MOVE && walk_has(w, move->src.field)) {
            walk_set_sub(&after, &move->dst,
                         walk_get_sub(&after, &move->src));
        }
    }
    flow = walk_flow(&after);
    req->mark_mask = be32toh(after.written.key.ct_mark);
    req->mark = be32toh(flow.key.ct_mark) & req->mark_mask;
    req->label_mask = after.written.key.ct_label;
    req->label = flow.key.ct_label;
}

/* The packet is tracked where it is; what wants to know of it is a copy. */
static void
do_ct(struct walk *w, const struct action *action)
{
    const struct action_ct *ct = (const void *) action;
    struct ct_request req = {
        .zone = ct->zone_src.n_bits
                ? (uint16_t) walk_get_sub(w, &ct->zone_src) : ct->zone,
        .commit = ct->commit, .force = ct->force,
    };
    enum ct_verdict verdict;
    struct packet *waited;
    struct flow_key key;
    struct walk copy;

    read_exec(w, action_ct_list(ct), &req);
    flow_key_extract(w->pkt, &key);       /* sets offsets */
    waited = conntrack_execute(w->sw->ct, 0, &w->pkt, 1, &req, w->sw->now,
                               &verdict);
    assert(!waited);              /* the tests' fragments come alone */
    if (verdict != CT_PASS) {
        w->is_dead = true;
        return;
    }
    if (ct->table != CT_NO_TABLE) {
        copy = *w;
        copy.pkt = packet_clone(w->sw->pool, w->pkt);
        copy.set = (struct actions) { 0 };
        actions_append(&copy.set, actions_list(&w->set), UINT32_MAX);
        hide_ct(&copy, false);
        walk_from_table(&copy, ct->table);
        actions_fini(&copy.set);
        packet_free(copy.pkt);
    }
    hide_ct(w, true);
}

static void
do_resubmit(struct walk *w, const struct action *action)
{
    const struct action_resubmit *a = (const void *) action;

    if (a->with_ct && !walk_get(w, FIELD_CT_NW_PROTO)) {
        return;                   /* it belongs to no connection */
    }
    w->by_original = a->with_ct;
    walk_table(w, a->table == OFPTT_ALL ? w->table : a->table,
               a->in_port == OFPP_IN_PORT ? walk_in_port(w) : a->in_port);
}

static void
do_output(struct walk *w, const struct action *action)
{
    const struct action_output *a = (const void *) action;

    walk_output(w, a->port, a->trunc);
}

static void
do_controller(struct walk *w, const struct action *action)
{
    walk_controller(w, (const void *) action);
}

static void
do_enqueue(struct walk *w, const struct action *action)
{
    walk_output(w, ((const struct action_enqueue *) action)->port, 0);
}

static void
do_set_field(struct walk *w, const struct action *action)
{
    const struct action_set_field *a = (const void *) action;

    walk_set(w, a->is_mod ? field_of_mod(w, a->field) : a->field,
             action_u128(a->value), action_u128(a->mask));
}

static void
do_delete_field(struct walk *w, const struct action *action)
{
    walk_set(w, ((const struct action_field *) action)->field, 0,
             ~(u128) 0);
}

static void
do_move(struct walk *w, const struct action *action)
{
    const struct action_move *a = (const void *) action;

    if (walk_has(w, a->src.field)) {
        walk_set_sub(w, &a->dst, walk_get_sub(w, &a->src));
    }
}

static void
do_stack_push(struct walk *w, const struct action *action)
{
    const struct action_stack *a = (const void *) action;

    w->stack[w->n_stack++] = walk_get_sub(w, &a->sub);
}

static void
do_stack_pop(struct walk *w, const struct action *action)
{
    const struct action_stack *a = (const void *) action;

    if (w->n_stack) {
        walk_set_sub(w, &a->sub, w->stack[--w->n_stack]);
    }
}

static void
do_check_pkt_larger(struct walk *w, const struct action *action)
{
    const struct action_check_pkt_larger *a = (const void *) action;

    walk_set_sub(w, &a->dst, w->pkt->len > a->pkt_len);
}

static void
do_multipath(struct walk *w, const struct action *action)
{
    const struct action_multipath *a = (const void *) action;

    walk_set_sub(w, &a->dst,
                 balance_link(a, hash_of(w, a->fields, a->basis)));
}

static void
do_exit(struct walk *w, const struct action *action UNUSED)
{
    w->exit = true;
}

typedef void do_action(struct walk *, const struct action *);

/* Without a row: what leaves the packet and its way alone.  (The test's meters
 * let everything pass.) */
static do_action *const doers[N_ACTIONS] = {
    [ACTION_OUTPUT] = do_output,
    [ACTION_CONTROLLER] = do_controller,
    [ACTION_OUTPUT_REG] = do_output_reg,
    [ACTION_ENQUEUE] = do_enqueue,
    [ACTION_SET_FIELD] = do_set_field,
    [ACTION_DELETE_FIELD] = do_delete_field,
    [ACTION_MOVE] = do_move,
    [ACTION_STACK_PUSH] = do_stack_push,
    [ACTION_STACK_POP] = do_stack_pop,
    [ACTION_CHECK_PKT_LARGER] = do_check_pkt_larger,
    [ACTION_PUSH_VLAN] = do_push_vlan,
    [ACTION_POP_VLAN] = do_pop_vlan,
    [ACTION_PUSH_MPLS] = do_push_mpls,
    [ACTION_POP_MPLS] = do_pop_mpls,
    [ACTION_PUSH_PBB] = do_push_pbb,
    [ACTION_POP_PBB] = do_pop_pbb,
    [ACTION_DEC_TTL] = do_dec_ttl,
    [ACTION_DEC_TTL_IDS] = do_dec_ttl_ids,
    [ACTION_DEC_MPLS_TTL] = do_dec_mpls_ttl,
    [ACTION_COPY_TTL_OUT] = do_copy_ttl_out,
    [ACTION_COPY_TTL_IN] = do_copy_ttl_in,
    [ACTION_GROUP] = do_group,
    [ACTION_MULTIPATH] = do_multipath,
    [ACTION_BUNDLE] = do_bundle,
    [ACTION_RESUBMIT] = do_resubmit,
    [ACTION_CLONE] = do_clone,
    [ACTION_CT] = do_ct,
    [ACTION_CT_CLEAR] = do_ct_clear,
    [ACTION_EXIT] = do_exit,
};

void
walk_actions(struct walk *w, struct action_list list)
{
    ACTION_FOR_EACH (a, &list) {
        if (walk_is_stopped(w)) {
            return;
        }
        if (doers[a->type]) {
            doers[a->type](w, a);
        }
    }
}
