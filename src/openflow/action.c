#include "openflow/action.h"

#include <stdlib.h>

void
actions_fini(struct actions *actions)
{
    free(actions->data);
    *actions = (struct actions) { NULL, 0, 0 };
}

void
actions_clear(struct actions *actions)
{
    actions->len = 0;
}

static void *
reserve(struct actions *actions, uint32_t len)
{
    if (actions->size - actions->len < len) {
        actions->size = MAX(actions->size * 2, actions->len + len + 64);
        actions->data = xrealloc(actions->data, actions->size);
    }
    return actions->data + actions->len;
}

void *
actions_add(struct actions *actions, enum action_type type, size_t len)
{
    uint32_t rounded = (uint32_t) (len + 7) & ~UINT32_C(7);
    struct action *action;

    assert(len >= sizeof *action && rounded <= ACTION_MAX_LEN);
    action = reserve(actions, rounded);
    memset(action, 0, rounded);
    action->type = (uint16_t) type;
    action->len = (uint16_t) rounded;
    actions->len += rounded;
    return action;
}

void
actions_add_output(struct actions *actions, uint32_t port)
{
    struct action_output *output = actions_add(actions, ACTION_OUTPUT,
                                               sizeof *output);

    output->port = port;
}

void
actions_add_controller(struct actions *actions, uint16_t max_len,
                       enum packet_in_reason reason)
{
    struct action_controller *controller =
        actions_add(actions, ACTION_CONTROLLER, sizeof *controller);

    controller->max_len = max_len;
    controller->reason = (uint8_t) reason;
}

struct action_controller *
actions_add_userdata(struct actions *actions, const void *userdata,
                     uint16_t len)
{
    struct action_controller *controller
        = actions_add(actions, ACTION_CONTROLLER, sizeof *controller + len);

    controller->userdata_len = len;
    if (len) {
        memcpy(controller->userdata, userdata, len);
    }
    return controller;
}

void
actions_add_set_field(struct actions *actions, enum field_id field,
                      u128 value, u128 mask)
{
    struct action_set_field *set = actions_add(actions, ACTION_SET_FIELD,
                                               sizeof *set);

    mask &= field_ones(field_by_id(field));
    value &= mask;
    set->field = (uint16_t) field;
    set->value[0] = (uint64_t) value;
    set->value[1] = (uint64_t) (value >> 64);
    set->mask[0] = (uint64_t) mask;
    set->mask[1] = (uint64_t) (mask >> 64);
}

uint32_t
actions_begin(struct actions *actions, enum action_type type, size_t len)
{
    uint32_t mark = actions->len;

    actions_add(actions, type, len);
    return mark;
}

uint32_t
actions_begin_clone(struct actions *actions)
{
    return actions_begin(actions, ACTION_CLONE, sizeof(struct action_clone));
}

bool
actions_end(struct actions *actions, uint32_t mark)
{
    struct action *outer = (struct action *) (void *) (actions->data + mark);
    uint32_t len = actions->len - mark;

    if (len > ACTION_MAX_LEN) {
        actions->len = mark;
        return false;
    }
    outer->len = (uint16_t) len;
    return true;
}

struct action_list
actions_list(const struct actions *actions)
{
    return (struct action_list) {
        (const struct action *) (const void *) actions->data, actions->len
    };
}

bool
action_list_equal(struct action_list a, struct action_list b)
{
    return a.len == b.len && (!a.len || !memcmp(a.first, b.first, a.len));
}

const struct action_stat_trigger *
action_list_trigger(struct action_list list)
{
    ACTION_FOR_EACH (action, &list) {
        if (action->type == ACTION_STAT_TRIGGER) {
            return (const void *) action;
        }
    }
    return NULL;
}

bool
action_list_is_clause(struct action_list list)
{
    ACTION_FOR_EACH (action, &list) {
        if (action->type == ACTION_CONJUNCTION) {
            return true;
        }
    }
    return false;
}
