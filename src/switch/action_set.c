#include "switch/action_set.h"

/* Place in the set, and whether all of a type are kept. */
enum rank {
    RANK_METER, RANK_COPY_TTL_IN, RANK_POP_VLAN, RANK_POP_MPLS,
    RANK_POP_PBB, RANK_PUSH_MPLS, RANK_PUSH_PBB, RANK_PUSH_VLAN, RANK_COPY_TTL_OUT, RANK_DEC_TTL,
    RANK_DEC_MPLS_TTL, RANK_SET, RANK_QUEUE,
    /* One of these: the highest there is. */
    RANK_CT, RANK_CT_CLEAR, RANK_RESUBMIT, RANK_OUTPUT, RANK_GROUP,
    RANK_NEVER,
};

static const enum rank ranks[N_ACTIONS] = {
    [ACTION_METER] = RANK_METER,
    [ACTION_COPY_TTL_IN] = RANK_COPY_TTL_IN,
    [ACTION_POP_VLAN] = RANK_POP_VLAN,
    [ACTION_POP_MPLS] = RANK_POP_MPLS,
    [ACTION_PUSH_MPLS] = RANK_PUSH_MPLS,
    [ACTION_PUSH_VLAN] = RANK_PUSH_VLAN,
    [ACTION_PUSH_PBB] = RANK_PUSH_PBB,
    [ACTION_POP_PBB] = RANK_POP_PBB,
    [ACTION_COPY_TTL_OUT] = RANK_COPY_TTL_OUT,
    [ACTION_DEC_TTL] = RANK_DEC_TTL,
    [ACTION_DEC_TTL_IDS] = RANK_DEC_TTL,
    [ACTION_DEC_MPLS_TTL] = RANK_DEC_MPLS_TTL,
    [ACTION_SET_FIELD] = RANK_SET,
    [ACTION_MOVE] = RANK_SET,
    [ACTION_STACK_PUSH] = RANK_SET,
    [ACTION_STACK_POP] = RANK_SET,
    [ACTION_CLONE] = RANK_SET,
    [ACTION_SET_QUEUE] = RANK_QUEUE,
    [ACTION_POP_QUEUE] = RANK_QUEUE,
    [ACTION_ENQUEUE] = RANK_OUTPUT,
    [ACTION_DELETE_FIELD] = RANK_SET,
    [ACTION_CT] = RANK_CT,
    [ACTION_CT_CLEAR] = RANK_CT_CLEAR,
    [ACTION_NAT] = RANK_NEVER,
    [ACTION_RESUBMIT] = RANK_RESUBMIT,
    [ACTION_OUTPUT] = RANK_OUTPUT,
    [ACTION_CONTROLLER] = RANK_OUTPUT,
    [ACTION_OUTPUT_REG] = RANK_OUTPUT,
    [ACTION_GROUP] = RANK_GROUP,
    [ACTION_EXIT] = RANK_NEVER,
    [ACTION_NOTE] = RANK_NEVER,
    [ACTION_LEARN] = RANK_NEVER,
    [ACTION_CONJUNCTION] = RANK_NEVER,
    [ACTION_MULTIPATH] = RANK_NEVER,
    [ACTION_BUNDLE] = RANK_NEVER,
    [ACTION_CHECK_PKT_LARGER] = RANK_NEVER,
    [ACTION_SAMPLE] = RANK_NEVER,
    [ACTION_FIN_TIMEOUT] = RANK_NEVER,
    [ACTION_STAT_TRIGGER] = RANK_NEVER,
};

static void
add_copy(struct actions *actions, const struct action *a)
{
    memcpy(actions_add(actions, a->type, a->len), a, a->len);
}

static const struct action *
last_of(struct action_list set, enum rank rank)
{
    const struct action *last = NULL;

    ACTION_FOR_EACH (a, &set) {
        if (ranks[a->type] == rank) {
            last = a;
        }
    }
    return last;
}

static const struct action *
last_action(struct action_list set)
{
    const struct action *a = NULL;

    for (enum rank rank = RANK_GROUP; !a && rank >= RANK_CT; rank--) {
        a = last_of(set, rank);
    }
    return a;
}

void
action_set_order(struct action_list set, struct actions *ordered)
{
    const struct action *a;

    for (enum rank rank = 0; rank < RANK_CT; rank++) {
        if (rank == RANK_SET) {
            ACTION_FOR_EACH (each, &set) {
                if (ranks[each->type] == RANK_SET) {
                    add_copy(ordered, each);
                }
            }
        } else if ((a = last_of(set, rank))) {
            add_copy(ordered, a);
        }
    }
    if ((a = last_action(set))) {
        add_copy(ordered, a);
    }
}

uint32_t
action_set_output(struct action_list set)
{
    const struct action *a = last_action(set);

    if (a && a->type == ACTION_OUTPUT) {
        return ((const struct action_output *) a)->port;
    }
    return a && a->type == ACTION_CONTROLLER ? OFPP_CONTROLLER : OFPP_UNSET;
}

bool
actions_append(struct actions *actions, struct action_list list, uint32_t max)
{
    if (actions->len + list.len > max) {
        return false;
    }
    ACTION_FOR_EACH (a, &list) {
        add_copy(actions, a);
    }
    return true;
}
