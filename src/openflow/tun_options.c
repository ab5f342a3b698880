#include "openflow/tun_options.h"

static uint32_t
option(unsigned int field)
{
    return field < N_FIELDS && field_is_tun_metadata(field)
           ? UINT32_C(1) << (field - FIELD_TUN_METADATA0) : 0;
}

uint32_t
match_tun_options(const struct match *match)
{
    uint32_t options = 0;

    for (unsigned int id = FIELD_TUN_METADATA0; id <= FIELD_TUN_METADATA31;
         id++) {
        if (field_get(field_by_id(id), &match->mask.bits)) {
            options |= option(id);
        }
    }
    return options;
}

static uint32_t
learn_options(const struct action_learn *learn)
{
    uint32_t options = option(learn->result_dst.field);

    for (unsigned int i = 0; i < learn->n_specs; i++) {
        const struct learn_spec *spec = &learn->specs[i];

        options |= option(spec->dst.field);
        options |= spec->is_immediate ? 0 : option(spec->src.field);
    }
    return options;
}

static uint32_t
action_options(const struct action *a)
{
    const void *p = a;

    switch ((enum action_type) a->type) {
    case ACTION_SET_FIELD:
        return option(((const struct action_set_field *) p)->field);
    case ACTION_DELETE_FIELD:
        return option(((const struct action_field *) p)->field);
    case ACTION_MOVE:
        return option(((const struct action_move *) p)->src.field)
               | option(((const struct action_move *) p)->dst.field);
    case ACTION_STACK_PUSH: case ACTION_STACK_POP:
        return option(((const struct action_stack *) p)->sub.field);
    case ACTION_OUTPUT_REG:
        return option(((const struct action_output_reg *) p)->src.field);
    case ACTION_MULTIPATH:
        return option(((const struct action_multipath *) p)->dst.field);
    case ACTION_BUNDLE:
        return option(((const struct action_bundle *) p)->dst.field);
    case ACTION_CHECK_PKT_LARGER:
        return option(((const struct action_check_pkt_larger *) p)
                          ->dst.field);
    case ACTION_LEARN:
        return learn_options(p);
    case ACTION_CLONE:
        return action_list_tun_options(action_clone_list(p));
    case ACTION_CT:
        return option(((const struct action_ct *) p)->zone_src.field)
               | action_list_tun_options(action_ct_list(p));
    default:
        return 0;
    }
}

uint32_t
action_list_tun_options(struct action_list list)
{
    uint32_t options = 0;

    ACTION_FOR_EACH (a, &list) {
        options |= action_options(a);
    }
    return options;
}
