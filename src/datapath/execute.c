/* Carrying out an action list on packets that share it. */
#include "datapath/worker.h"
#include "packet/edit.h"

/* Applies an edit to each packet; those it does not fit are dropped. */
static void
edit_all(struct worker *w, struct run *run,
         bool (*edit)(struct packet *, const struct dp_action *),
         const struct dp_action *a)
{
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < run->n; i++) {
        if (LIKELY(edit(run->pkts[i], a))) {
            run->pkts[n_kept] = run->pkts[i];
            run->keys[n_kept++] = run->keys[i];
        } else {
            worker_drop(w, run->pkts[i], DROP_ACTION_INVALID);
        }
    }
    run->n = n_kept;
}

static bool
edit_set_field(struct packet *pkt, const struct dp_action *a)
{
    const struct dp_action_set_field *s = (const void *) a;

    return packet_set_field(pkt, (enum field_id) s->field,
                            (u128) s->value[1] << 64 | s->value[0],
                            (u128) s->mask[1] << 64 | s->mask[0]);
}

static bool
edit_set_tunnel(struct packet *pkt, const struct dp_action *a)
{
    tunnel_key_copy(&pkt->tun,
                    &((const struct dp_action_set_tunnel *) (const void *) a)
                        ->key);
    return true;
}

static bool
edit_push_vlan(struct packet *pkt, const struct dp_action *a)
{
    const struct dp_action_push_vlan *v = (const void *) a;

    return packet_vlan_push(pkt, v->tpid, v->tci);
}

static bool
edit_pop_vlan(struct packet *pkt, const struct dp_action *a UNUSED)
{
    return packet_vlan_pop(pkt);
}

static bool
edit_push_mpls(struct packet *pkt, const struct dp_action *a)
{
    const struct dp_action_mpls *m = (const void *) a;

    return packet_mpls_push(pkt, m->eth_type, m->lse);
}

static bool
edit_pop_mpls(struct packet *pkt, const struct dp_action *a)
{
    const struct dp_action_mpls *m = (const void *) a;

    return packet_mpls_pop(pkt, m->eth_type);
}

static bool
edit_push_pbb(struct packet *pkt, const struct dp_action *a)
{
    return packet_pbb_push(pkt, ((const struct dp_action_pbb *)
                                 (const void *) a)->tci);
}

static bool
edit_pop_pbb(struct packet *pkt, const struct dp_action *a UNUSED)
{
    return packet_pbb_pop(pkt);
}

static bool
edit_copy_ttl_out(struct packet *pkt, const struct dp_action *a UNUSED)
{
    return packet_copy_ttl_out(pkt);
}

static bool
edit_copy_ttl_in(struct packet *pkt, const struct dp_action *a UNUSED)
{
    return packet_copy_ttl_in(pkt);
}

static bool
edit_trunc(struct packet *pkt, const struct dp_action *a)
{
    const struct dp_action_trunc *t = (const void *) a;

    pkt->n_trunc = t->max_len;
    return true;
}

static void
send_up(struct worker *w, struct run *run,
        const struct dp_action_controller *c)
{
    const struct datapath_calls *calls = datapath_calls(w->dp);

    for (unsigned int i = 0; i < run->n; i++) {
        struct packet *pkt = run->pkts[i];

        if (!calls->packet_in(calls->aux, pkt, run->keys[i], c)) {
            count(&worker_port(w, pkt->in_port)
                       ->drops[DROP_CONTROLLER_QUEUE], 1);
        }
    }
}

static void
copy_run(struct worker *w, const struct run *run, struct run *copy)
{
    copy->n = 0;
    for (unsigned int i = 0; i < run->n; i++) {
        struct packet *pkt = packet_clone(w->pool, run->pkts[i]);

        if (pkt) {
            copy->pkts[copy->n] = pkt;
            copy->keys[copy->n++] = run->keys[i];
        } else {
            count(&worker_port(w, run->pkts[i]->in_port)
                       ->drops[DROP_NO_BUFFER], 1);
        }
    }
}

/* Takes the packet. */
static void
expire(struct worker *w, struct packet *pkt, const struct flow_key *key,
       struct dp_action_list told)
{
    struct run one = { 1, { pkt }, { key } }, copy;

    if (told.len) {
        copy_run(w, &one, &copy);
        execute(w, &copy, told, 0);
    }
    worker_drop(w, pkt, DROP_TTL_EXPIRED);
}

static void
dec_ttl(struct worker *w, struct run *run, const struct dp_action *a)
{
    struct dp_action_list told = dp_action_nested(a);
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < run->n; i++) {
        struct packet *pkt = run->pkts[i];
        bool alive = a->type == DP_ACTION_DEC_TTL ? packet_dec_ttl(pkt)
                                                  : packet_dec_mpls_ttl(pkt);

        if (LIKELY(alive)) {
            run->pkts[n_kept] = pkt;
            run->keys[n_kept++] = run->keys[i];
            continue;
        }
        expire(w, pkt, run->keys[i], told);
    }
    run->n = n_kept;
}

static void
pass_meter(struct worker *w, struct run *run, uint32_t slot)
{
    struct dp_meter *meter = datapath_meter(w->dp, slot);
    unsigned int n_kept = 0;

    if (!meter) {
        return;                   /* deleted meanwhile: no limit any more */
    }
    for (unsigned int i = 0; i < run->n; i++) {
        if (dp_meter_pass(meter, run->pkts[i], w->now)) {
            run->pkts[n_kept] = run->pkts[i];
            run->keys[n_kept++] = run->keys[i];
        } else {
            worker_drop(w, run->pkts[i], DROP_METER);
        }
    }
    run->n = n_kept;
}

static void
recirculate(struct worker *w, struct run *run, uint32_t id,
            unsigned int depth)
{
    struct batch batch = { .n = 0 };

    for (unsigned int i = 0; i < run->n; i++) {
        if (depth + 1 >= DP_MAX_RECIRC) {
            worker_drop(w, run->pkts[i], DROP_RECIRC_DEPTH);
        } else {
            run->pkts[i]->recirc_id = id;
            batch_add(&batch, run->pkts[i]);
        }
    }
    run->n = 0;
    count(&w->counters.recirculations, batch.n);
    if (batch.n) {
        worker_process(w, &batch, depth + 1);
    }
}

/* Runs `f` on the packets themselves when nothing comes behind, else on
 * copies. */
static void
branch(struct worker *w, struct run *run, bool is_last,
       const struct dp_action *a, unsigned int depth,
       void (*f)(struct worker *, struct run *, const struct dp_action *,
                 unsigned int depth))
{
    if (is_last) {
        f(w, run, a, depth);
        run->n = 0;
    } else {
        struct run copy;

        copy_run(w, run, &copy);
        f(w, &copy, a, depth);
    }
}

static void
branch_clone(struct worker *w, struct run *run, const struct dp_action *a,
             unsigned int depth)
{
    execute(w, run, dp_action_nested(a), depth);
}

static void
branch_recirc(struct worker *w, struct run *run, const struct dp_action *a,
              unsigned int depth)
{
    recirculate(w, run, ((const struct dp_action_recirc *) (const void *) a)
                            ->id, depth);
}

/* The longer ones one way, then the others the other. */
static void
branch_recirc_by_len(struct worker *w, struct run *run,
                     const struct dp_action *a, unsigned int depth)
{
    const struct dp_action_recirc_by_len *r = (const void *) a;
    struct run longer = { .n = 0 };
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < run->n; i++) {
        if (packet_wire_len(run->pkts[i]) > r->max_len) {
            longer.pkts[longer.n] = run->pkts[i];
            longer.keys[longer.n++] = run->keys[i];
        } else {
            run->pkts[n_kept] = run->pkts[i];
            run->keys[n_kept++] = run->keys[i];
        }
    }
    run->n = n_kept;
    recirculate(w, &longer, r->id_longer, depth);
    recirculate(w, run, r->id, depth);
}

static void
sample(struct worker *w, const struct run *run,
       const struct dp_action_sample *s)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < run->n; i++) {
        for (uint32_t k = packet_n_wire(run->pkts[i]); k > 0; k--) {
            n += rng_below(&w->rng, 65535) < s->probability;
        }
    }
    count(&w->counters.samples, n);
}

static void
output(struct worker *w, struct run *run, const struct dp_action *a,
       bool is_last)
{
    const struct dp_action_output *o = (const void *) a;

    if (!is_last) {
        output_copies(w, o->port, run);
        return;
    }
    for (unsigned int i = 0; i < run->n; i++) {
        output_packet(w, o->port, run->pkts[i]);
    }
    run->n = 0;
}

static void
drop_all(struct worker *w, struct run *run, enum drop_reason reason)
{
    for (unsigned int i = 0; i < run->n; i++) {
        worker_drop(w, run->pkts[i], reason);
    }
    run->n = 0;
}

void
execute(struct worker *w, struct run *run, struct dp_action_list list,
        unsigned int depth)
{
    const char *end = (const char *) list.first + list.len;

    if (!list.len) {
        drop_all(w, run, DROP_ACTIONS);
        return;
    }
    DP_ACTION_FOR_EACH (a, &list) {
        bool is_last = (const char *) a + a->len == end;

        if (!run->n) {
            return;
        }
        switch ((enum dp_action_type) a->type) {
        case DP_ACTION_OUTPUT:
            output(w, run, a, is_last);
            break;
        case DP_ACTION_SET_FIELD:
            edit_all(w, run, edit_set_field, a);
            break;
        case DP_ACTION_SET_TUNNEL:
            edit_all(w, run, edit_set_tunnel, a);
            break;
        case DP_ACTION_PUSH_VLAN:
            edit_all(w, run, edit_push_vlan, a);
            break;
        case DP_ACTION_POP_VLAN:
            edit_all(w, run, edit_pop_vlan, a);
            break;
        case DP_ACTION_PUSH_MPLS:
            edit_all(w, run, edit_push_mpls, a);
            break;
        case DP_ACTION_POP_MPLS:
            edit_all(w, run, edit_pop_mpls, a);
            break;
        case DP_ACTION_PUSH_PBB:
            edit_all(w, run, edit_push_pbb, a);
            break;
        case DP_ACTION_POP_PBB:
            edit_all(w, run, edit_pop_pbb, a);
            break;
        case DP_ACTION_COPY_TTL_OUT:
            edit_all(w, run, edit_copy_ttl_out, a);
            break;
        case DP_ACTION_COPY_TTL_IN:
            edit_all(w, run, edit_copy_ttl_in, a);
            break;
        case DP_ACTION_TRUNC:
            edit_all(w, run, edit_trunc, a);
            break;
        case DP_ACTION_DEC_TTL:
        case DP_ACTION_DEC_MPLS_TTL:
            dec_ttl(w, run, a);
            break;
        case DP_ACTION_METER:
            pass_meter(w, run, ((const struct dp_action_meter *)
                                (const void *) a)->meter);
            break;
        case DP_ACTION_CONTROLLER:
            send_up(w, run, (const void *) a);
            break;
        case DP_ACTION_CLONE:
            branch(w, run, is_last, a, depth, branch_clone);
            break;
        case DP_ACTION_RECIRC:
            branch(w, run, is_last, a, depth, branch_recirc);
            break;
        case DP_ACTION_RECIRC_BY_LEN:
            branch(w, run, is_last, a, depth, branch_recirc_by_len);
            break;
        case DP_ACTION_SAMPLE:
            sample(w, run, (const void *) a);
            break;
        case DP_ACTION_CT:
            act_ct(w, run, (const void *) a);
            break;
        case DP_ACTION_CT_CLEAR:
            act_ct_clear(run);
            break;
        case DP_ACTION_DROP:
            drop_all(w, run, ((const struct dp_action_drop *)
                              (const void *) a)->reason);
            break;
        case N_DP_ACTIONS:
            break;
        }
    }
    /* Whatever was to happen has happened: the originals end here. */
    for (unsigned int i = 0; i < run->n; i++) {
        packet_free(run->pkts[i]);
    }
    run->n = 0;
}
