/* Labels and backbone tags: MPLS and PBB (802.1ah) headers put on and taken
 * off, as 1.3.5 section 5.12.1 says what they begin with. */
#include "packet/eth.h"
#include "switch/translate_ctx.h"

void
translate_push_mpls(struct translation *t, const struct action *action)
{
    const struct action_push *a = (const void *) action;
    struct flow_view *v = &t->view;
    struct dp_action_mpls *push;
    uint32_t lse;

    /* 1.3.5 section 5.12.1: label, TC and TTL of the outer entry; below the
     * first one, the TTL of IP. */
    if (flow_view_has(v, &t->looks, FIELD_MPLS_LABEL)) {
        lse = (uint32_t) (flow_view_get(v, &t->looks, FIELD_MPLS_LABEL) << 12
                          | flow_view_get(v, &t->looks, FIELD_MPLS_TC) << 9
                          | flow_view_get(v, &t->looks, FIELD_MPLS_TTL));
    } else if (flow_view_has(v, &t->looks, FIELD_IP_TTL)) {
        lse = MPLS_BOS | (uint32_t) flow_view_get(v, &t->looks, FIELD_IP_TTL);
    } else {
        lse = MPLS_BOS | 64;
    }
    push = translate_emit(t, DP_ACTION_PUSH_MPLS, sizeof *push);
    push->eth_type = a->eth_type;
    push->lse = lse;
    flow_view_push_mpls(v, &t->looks, a->eth_type, lse);
}

bool
translate_is_mpls(struct translation *t)
{
    if (flow_view_has(&t->view, &t->looks, FIELD_MPLS_LABEL)) {
        return true;
    }
    SAY(t, "skipped: the packet has no MPLS label");
    return false;
}

void
translate_pop_mpls(struct translation *t, const struct action *action)
{
    const struct action_push *a = (const void *) action;
    struct dp_action_mpls *pop;

    if (translate_is_mpls(t)) {
        pop = translate_emit(t, DP_ACTION_POP_MPLS, sizeof *pop);
        pop->eth_type = a->eth_type;
        flow_view_pop_mpls(&t->view, &t->looks, a->eth_type);
    }
}

/* 1.3.5 section 5.12.1: the service of an outer tag that is there, the priority
 * of the VLAN tag. */
void
translate_push_pbb(struct translation *t, const struct action *action UNUSED)
{
    struct flow_view *v = &t->view;
    struct dp_action_pbb *push;
    uint32_t tci = 0;

    if (flow_view_has(v, &t->looks, FIELD_PBB_ISID)) {
        tci = (uint32_t) flow_view_get(v, &t->looks, FIELD_PBB_ISID);
    }
    if (flow_view_has(v, &t->looks, FIELD_VLAN_PCP)) {
        tci |= (uint32_t) flow_view_get(v, &t->looks, FIELD_VLAN_PCP)
               << PBB_PCP_SHIFT;
    }
    push = translate_emit(t, DP_ACTION_PUSH_PBB, sizeof *push);
    push->tci = tci;
    flow_view_push_pbb(v, tci);
}

void
translate_pop_pbb(struct translation *t, const struct action *action UNUSED)
{
    if (!flow_view_has(&t->view, &t->looks, FIELD_PBB_ISID)) {
        SAY(t, "skipped: the packet has no I-TAG");
        return;
    }
    translate_emit(t, DP_ACTION_POP_PBB, sizeof(struct dp_action_plain));
    flow_view_pop_pbb(&t->view);
}

void
translate_copy_ttl_out(struct translation *t, const struct action *action UNUSED)
{
    if (translate_is_mpls(t)) {
        translate_emit(t, DP_ACTION_COPY_TTL_OUT,
                       sizeof(struct dp_action_plain));
        flow_view_copy_ttl_out(&t->view, &t->looks);
    }
}

void
translate_copy_ttl_in(struct translation *t, const struct action *action UNUSED)
{
    if (translate_is_mpls(t)) {
        translate_emit(t, DP_ACTION_COPY_TTL_IN,
                       sizeof(struct dp_action_plain));
        flow_view_copy_ttl_in(&t->view, &t->looks);
    }
}
