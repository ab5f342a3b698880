/* Connection tracking, as translation sees it.
 *
 * The tracker is asked by the data path, packet by packet.  The packet goes on
 * here as if it had never been asked: who wants to know the answer sends a copy
 * through again (table=N), and there the fields are part of the key. */
#include "switch/translate_ctx.h"

static uint32_t
get_mark(const struct flow *flow)
{
    return be32toh(flow->key.ct_mark);
}

/* What exec() makes of mark and label: written to the view one by one, since they
 * may read each other, with the bits remembered that were written. */
static void
carry_out_exec(struct translation *t, struct action_list list,
               struct flow *written)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_set_field *set = (const void *) a;
        const struct action_move *move = (const void *) a;
        u128 value, mask;
        enum field_id id;

        if (a->type == ACTION_SET_FIELD) {
            id = (enum field_id) set->field;
            value = action_u128(set->value);
            mask = action_u128(set->mask);
        } else if (a->type == ACTION_MOVE
                   && flow_view_has(&t->view, &t->looks, move->src.field)) {
            u128 ones = move->dst.n_bits == 128
                        ? ~(u128) 0 : ((u128) 1 << move->dst.n_bits) - 1;

            id = (enum field_id) move->dst.field;
            value = flow_view_get_subfield(&t->view, &t->looks, &move->src)
                    << move->dst.ofs;
            mask = ones << move->dst.ofs;
        } else {
            continue;
        }
        flow_view_set(&t->view, &t->looks, id, value & mask, mask);
        field_set(field_by_id(id), written, mask, mask);
    }
}

static void
fill_nat(struct action_list list, struct ct_nat *nat)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_nat *from = (const void *) a;

        if (a->type != ACTION_NAT) {
            continue;
        }
        nat->kind = from->flags & NAT_SRC ? CT_NAT_SRC
                    : from->flags & NAT_DST ? CT_NAT_DST : CT_NAT_EXISTING;
        nat->family = from->family;
        nat->has_ports = from->has_ports;
        nat->is_random = from->flags & NAT_RANDOM;
        nat->port_min = from->port_min;
        nat->port_max = from->port_max;
        nat->min = from->addr_min;
        nat->max = from->addr_max;
    }
}

static void
fill_request(struct translation *t, const struct action_ct *ct,
             struct ct_request *req)
{
    struct flow written = { .w = { 0 } };

    req->zone = ct->zone_src.n_bits
                ? (uint16_t) flow_view_get_subfield(&t->view, &t->looks,
                                                    &ct->zone_src)
                : ct->zone;
    req->commit = ct->commit;
    req->force = ct->force;
    fill_nat(action_ct_list(ct), &req->nat);
    carry_out_exec(t, action_ct_list(ct), &written);
    req->mark_mask = get_mark(&written);
    req->mark = get_mark(&t->view.flow) & req->mark_mask;
    req->label_mask = written.key.ct_label;
    for (unsigned int i = 0; i < sizeof req->label.b; i++) {
        req->label.b[i] = t->view.flow.key.ct_label.b[i]
                          & req->label_mask.b[i];
    }
}

void
translate_ct(struct translation *t, const struct action *action)
{
    const struct action_ct *ct = (const void *) action;
    struct dp_action_ct *a;
    struct ct_request req;
    struct flow shown;

    memset(&req, 0, sizeof req);
    fill_request(t, ct, &req);
    a = translate_emit(t, DP_ACTION_CT, sizeof *a);
    a->request = req;
    flow_view_track(&t->view);
    if (ct->table != CT_NO_TABLE) {
        shown = t->view.flow;
        if (t->opt->track) {
            t->opt->track(t->opt->aux, &req, &shown);
        }
        translate_fork(t, ct->table, &shown);
    }
    flow_view_clear_ct(&t->view);
}

void
translate_ct_clear(struct translation *t, const struct action *action UNUSED)
{
    translate_emit(t, DP_ACTION_CT_CLEAR, sizeof(struct dp_action_plain));
    flow_view_clear_ct(&t->view);
}
