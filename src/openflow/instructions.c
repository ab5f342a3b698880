/* Do a flow entry's instructions make sense for what it matches?
 *
 * The actions are followed with what is known about the packet: a copy of the
 * match, in which pushes, pops and written fields leave their mark, so that
 * every field is judged by the packet as it is at that point. */
#include "openflow/flow_mod.h"

#include "packet/eth.h"
#include "packet/ip.h"

struct check {
    struct flow flow;             /* what is known about the packet */
    enum actions_context context;
    unsigned int depth;
    bool in_ct;                   /* what stands here is done to a connection */
    bool has_trigger;
    struct str *why;
};

static enum of_error check_list(struct check *, struct action_list);

static enum of_error
refuse(const struct check *c, enum of_error error, const char *format, ...)
    PRINTF_FORMAT(3, 4);

static enum of_error
refuse(const struct check *c, enum of_error error, const char *format, ...)
{
    va_list args;

    if (c->why) {
        str_clear(c->why);
        va_start(args, format);
        str_addv(c->why, format, args);
        va_end(args);
    }
    return error;
}

static enum of_error
need_field(const struct check *c, const char *action,
           const struct field *field)
{
    /* A bucket meets the packets of any entry that names its group. */
    if (c->context != ACTIONS_BUCKET && !field_prereq_met(field, &c->flow)) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "%s: %s needs %s here", action, field->name,
                      field_prereq_text(field));
    }
    return OF_OK;
}

/* What conntrack keeps belongs to the connection, not to the packet. */
static bool
is_of_connection(const struct field *field)
{
    return field->id == FIELD_CT_MARK || field->id == FIELD_CT_LABEL;
}

static enum of_error
need_writable(const struct check *c, const char *action,
              const struct field *field)
{
    if (!(field->flags & FIELD_WRITABLE)) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_TYPE,
                      "%s: %s cannot be written", action, field->name);
    }
    if (c->in_ct ? !is_of_connection(field) : is_of_connection(field)) {
        return c->in_ct
               ? refuse(c, OF_BAD_ACTION_BAD_ARGUMENT,
                        "ct: %s is not the connection's", field->name)
               : refuse(c, OF_BAD_ACTION_BAD_SET_ARGUMENT,
                      "%s: %s can only be set as its connection is committed",
                      action, field->name);
    }
    return need_field(c, action, field);
}

static enum of_error
need_subfield(const struct check *c, const char *action,
              const struct subfield *sub, bool to_write)
{
    const struct field *field;

    if (sub->field >= N_FIELDS) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_TYPE, "%s: unknown field",
                      action);
    }
    field = field_by_id(sub->field);
    if (!sub->n_bits || sub->ofs + sub->n_bits > field->n_bits) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_ARGUMENT,
                      "%s: %s has no bits %u..%u", action, field->name,
                      sub->ofs, sub->ofs + sub->n_bits - 1);
    }
    return to_write ? need_writable(c, action, field)
                    : need_field(c, action, field);
}

static u128
ones(unsigned int n_bits)
{
    return n_bits == 128 ? ~(u128) 0 : ((u128) 1 << n_bits) - 1;
}

static uint16_t
eth_type(const struct check *c)
{
    return be16toh(c->flow.key.eth_type);
}

static enum of_error
need_mpls(const struct check *c, const char *action)
{
    if (c->context != ACTIONS_BUCKET && !eth_type_is_mpls(eth_type(c))) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "%s needs mpls or mplsm here", action);
    }
    return OF_OK;
}

/* ---- One function per kind of action ---- */

typedef enum of_error check_action(struct check *, const struct action *);

static enum of_error
check_port(const struct check *c, uint32_t port)
{
    bool is_reserved = port >= OFPP_IN_PORT && port <= OFPP_LOCAL;

    if (!port || (port >= OFPP_MAX && !is_reserved)) {
        return refuse(c, OF_BAD_ACTION_BAD_OUT_PORT,
                      "output: %u is not a port", port);
    }
    if (port == OFPP_TABLE && c->context != ACTIONS_PACKET_OUT) {
        return refuse(c, OF_BAD_ACTION_BAD_OUT_PORT,
                      "output to TABLE is for packet-outs only");
    }
    return OF_OK;
}

static enum of_error
check_enqueue(struct check *c, const struct action *action)
{
    uint32_t port = ((const struct action_enqueue *) action)->port;

    if (port >= OFPP_MAX && port != OFPP_IN_PORT && port != OFPP_LOCAL) {
        return refuse(c, OF_BAD_ACTION_BAD_OUT_PORT,
                      "enqueue: port %u has no queues", port);
    }
    return check_port(c, port);
}

static enum of_error
check_output(struct check *c, const struct action *action)
{
    return check_port(c, ((const struct action_output *) action)->port);
}

static enum of_error
check_ok(struct check *c UNUSED, const struct action *action UNUSED)
{
    return OF_OK;
}

static enum of_error
check_output_reg(struct check *c, const struct action *action)
{
    const struct action_output_reg *reg = (const void *) action;

    return need_subfield(c, "output", &reg->src, false);
}

static bool
is_written(const struct action_set_field *set, u128 bits)
{
    return (action_u128(set->mask) & bits) == bits;
}

/* What a write leaves known, for the fields that decide over others. */
static void
note_write(struct check *c, const struct action_set_field *set)
{
    const struct field *field = field_by_id(set->field);

    if (!field_prereq_met(field, &c->flow)) {
        return;                   /* nothing was written */
    }
    field_set(field, &c->flow, action_u128(set->value),
              action_u128(set->mask));
}

static enum of_error
check_set_field(struct check *c, const struct action *action)
{
    const struct action_set_field *set = (const void *) action;
    const char *name = set->is_load ? "load" : "set_field";
    const struct field *field;
    enum of_error error;

    if (set->field >= N_FIELDS) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_TYPE, "%s: unknown field",
                      name);
    }
    field = field_by_id(set->field);
    if (action_u128(set->mask) & ~field_ones(field)
        || action_u128(set->value) & ~action_u128(set->mask)) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_ARGUMENT,
                      "%s: the value does not fit %s", name, field->name);
    }
    if (field->id == FIELD_VLAN_VID && is_written(set, FLOW_VLAN_PRESENT)
        && !(set->value[0] & FLOW_VLAN_PRESENT)) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_ARGUMENT,
                      "%s: a vlan_vid includes 0x%x", name,
                      FLOW_VLAN_PRESENT);
    }
    error = set->is_mod ? OF_OK : need_writable(c, name, field);
    if (!error && !set->is_mod && field->id == FIELD_VLAN_VID) {
        error = need_field(c, name, field_by_id(FIELD_VLAN_PCP));
    }
    if (!error) {
        note_write(c, set);
    }
    return error;
}

static enum of_error
check_move(struct check *c, const struct action *action)
{
    const struct action_move *move = (const void *) action;
    enum of_error error = need_subfield(c, "move", &move->src, false);

    error = error ? error : need_subfield(c, "move", &move->dst, true);
    if (!error && move->src.n_bits != move->dst.n_bits) {
        error = refuse(c, OF_BAD_ACTION_BAD_SET_ARGUMENT,
                       "move: from %u bits to %u", move->src.n_bits,
                       move->dst.n_bits);
    }
    return error;
}

static enum of_error
check_push_vlan(struct check *c, const struct action *action)
{
    const struct action_push *push = (const void *) action;

    if (!eth_type_is_vlan(push->eth_type)) {
        return refuse(c, OF_BAD_ACTION_BAD_TAG,
                      "push_vlan: 0x%04x is no VLAN tag", push->eth_type);
    }
    c->flow.key.vlan_inner.tci = c->flow.key.vlan_tci;
    c->flow.key.vlan_tci |= htobe16(FLOW_VLAN_PRESENT);
    return OF_OK;
}

/* Packets without a tag pass unchanged, so the match need not ask for one (nor
 * does dec_ttl for IP). */
static enum of_error
check_pop_vlan(struct check *c, const struct action *action UNUSED)
{
    c->flow.key.vlan_tci = c->flow.key.vlan_inner.tci;
    c->flow.key.vlan_inner.tci = 0;
    return OF_OK;
}

static enum of_error
check_push_mpls(struct check *c, const struct action *action)
{
    const struct action_push *push = (const void *) action;

    if (!eth_type_is_mpls(push->eth_type)) {
        return refuse(c, OF_BAD_ACTION_BAD_TAG,
                      "push_mpls: 0x%04x is no MPLS tag", push->eth_type);
    }
    c->flow.key.eth_type = htobe16(push->eth_type);
    c->flow.key.nw_proto = 0;
    return OF_OK;
}

/* What lies below the label is as the action says, but not yet parsed. */
static enum of_error
check_pop_mpls(struct check *c, const struct action *action)
{
    const struct action_push *pop = (const void *) action;

    enum of_error error = need_mpls(c, "pop_mpls");

    if (error) {
        return error;
    }
    c->flow.key.eth_type = htobe16(pop->eth_type);
    c->flow.key.nw_proto = 0;
    return OF_OK;
}

static enum of_error
check_push_pbb(struct check *c, const struct action *action)
{
    const struct action_push *push = (const void *) action;

    if (push->eth_type != ETH_TYPE_PBB) {
        return refuse(c, OF_BAD_ACTION_BAD_TAG,
                      "push_pbb: 0x%04x is no I-TAG", push->eth_type);
    }
    c->flow.key.eth_type = htobe16(push->eth_type);
    c->flow.key.vlan_tci = c->flow.key.vlan_inner.tci = 0;
    c->flow.key.nw_proto = 0;
    return OF_OK;
}

/* Whatever the customer's frame is, it is known only once it is parsed. */
static enum of_error
check_pop_pbb(struct check *c, const struct action *action UNUSED)
{
    if (c->context != ACTIONS_BUCKET && eth_type(c) != ETH_TYPE_PBB) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "pop_pbb needs pbb here");
    }
    c->flow.key.eth_type = 0;
    c->flow.key.nw_proto = 0;
    return OF_OK;
}

static enum of_error
check_mpls_ttl(struct check *c, const struct action *action)
{
    static const char *const names[] = {
        [ACTION_DEC_MPLS_TTL] = "dec_mpls_ttl",
        [ACTION_COPY_TTL_OUT] = "copy_ttl_out",
        [ACTION_COPY_TTL_IN] = "copy_ttl_in",
    };

    return need_mpls(c, names[action->type]);
}

static enum of_error
check_group(struct check *c, const struct action *action)
{
    const struct action_number *group = (const void *) action;

    return group->number <= OFPG_MAX ? OF_OK
           : refuse(c, OF_BAD_ACTION_BAD_OUT_GROUP,
                    "group: %u is not a group", group->number);
}

static enum of_error
check_meter_number(const struct check *c, uint32_t meter)
{
    return meter && meter <= OFPM_MAX ? OF_OK
           : refuse(c, OF_BAD_ACTION_BAD_METER, "meter: %u is not a meter",
                    meter);
}

static enum of_error
check_meter(struct check *c, const struct action *action)
{
    return check_meter_number(c, ((const struct action_number *) action)
                                 ->number);
}

static enum of_error
check_clone(struct check *c, const struct action *action)
{
    struct flow before = c->flow;
    enum of_error error;

    if (c->depth == ACTIONS_MAX_DEPTH) {
        return refuse(c, OF_BAD_ACTION_TOO_MANY,
                      "clones are nested deeper than %d", ACTIONS_MAX_DEPTH);
    }
    c->depth++;
    error = check_list(c, action_clone_list((const void *) action));
    c->depth--;
    c->flow = before;
    return error;
}

static enum of_error
check_stack(struct check *c, const struct action *action)
{
    const struct action_stack *stack = (const void *) action;

    if (action->type == ACTION_STACK_PUSH) {
        return need_subfield(c, "push", &stack->sub, false);
    }
    return need_subfield(c, "pop", &stack->sub, true);
}

static enum of_error
check_delete_field(struct check *c, const struct action *action)
{
    const struct action_field *del = (const void *) action;

    if (del->field >= N_FIELDS || !field_is_tun_metadata(del->field)) {
        return refuse(c, OF_BAD_ACTION_BAD_SET_TYPE,
                      "delete_field: only a tunnel's options can go");
    }
    return OF_OK;
}

static enum of_error
check_resubmit(struct check *c, const struct action *action)
{
    const struct action_resubmit *resubmit = (const void *) action;

    uint32_t state = be32toh(c->flow.key.ct_state);
    uint32_t valid = FLOW_CT_NEW | FLOW_CT_EST | FLOW_CT_REL | FLOW_CT_TRK;

    if (resubmit->with_ct && c->context != ACTIONS_BUCKET
        && (!(state & valid) || state & FLOW_CT_INV)) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "resubmit: ct needs a valid ct_state here, such as "
                      "+trk-inv");
    }
    return OF_OK;
}

/* ---- Connections ---- */

/* Without commit, only translation as it was set up before goes with it. */
static bool
needs_commit(struct action_list list)
{
    ACTION_FOR_EACH (a, &list) {
        if (a->type != ACTION_NAT
            || ((const struct action_nat *) a)->flags & (NAT_SRC | NAT_DST)) {
            return true;
        }
    }
    return false;
}

static enum of_error
check_ct(struct check *c, const struct action *action)
{
    const struct action_ct *ct = (const void *) action;
    struct action_list nested = action_ct_list(ct);
    enum of_error error = OF_OK;
    unsigned int n_nats = 0;

    if (ct->alg) {
        return refuse(c, OF_BAD_ACTION_BAD_ARGUMENT, "ct: nobody here reads "
                      "what applications say (alg)");
    }
    if (ct->force && !ct->commit) {
        return refuse(c, OF_BAD_ACTION_BAD_ARGUMENT, "ct: force goes with "
                      "commit");
    }
    if (!ct->commit && needs_commit(nested)) {
        return refuse(c, OF_BAD_ACTION_BAD_ARGUMENT, "ct: only a plain nat "
                      "goes without commit");
    }
    ACTION_FOR_EACH (a, &nested) {
        if (a->type != ACTION_SET_FIELD && a->type != ACTION_MOVE
            && (a->type != ACTION_NAT || n_nats++)) {
            return refuse(c, OF_BAD_ACTION_BAD_ARGUMENT, "ct: one nat, and "
                          "writes of ct_mark and ct_label");
        }
    }
    if (c->context != ACTIONS_BUCKET
        && (!field_prereq_met(field_by_id(FIELD_IP_PROTO), &c->flow)
            || (ct->commit
                && c->flow.key.ct_state & htobe32(FLOW_CT_INV)))) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "ct needs ip or ipv6 here, and no ct_state=+inv to "
                      "commit");
    }
    if (ct->zone_src.n_bits) {
        error = need_subfield(c, "ct", &ct->zone_src, false);
    }
    if (!error) {
        c->in_ct = true;
        error = check_list(c, nested);
        c->in_ct = false;
    }
    return error;
}

static enum of_error
check_nat(struct check *c, const struct action *action)
{
    const struct action_nat *nat = (const void *) action;
    unsigned int kind = nat->flags & (NAT_SRC | NAT_DST);
    unsigned int choice = nat->flags & (NAT_HASH | NAT_RANDOM);
    unsigned int all = NAT_SRC | NAT_DST | NAT_PERSISTENT | NAT_HASH
                       | NAT_RANDOM;

    if (!c->in_ct || nat->flags & ~all || kind == (NAT_SRC | NAT_DST)
        || choice == (NAT_HASH | NAT_RANDOM)
        || (!kind && (nat->flags || nat->family || nat->has_ports))
        || memcmp(&nat->addr_min, &nat->addr_max, sizeof nat->addr_min) > 0
        || nat->port_min > nat->port_max) {
        return refuse(c, OF_BAD_ACTION_BAD_ARGUMENT,
                      "nat: what it says makes no sense here");
    }
    if (c->context != ACTIONS_BUCKET && nat->family
        && eth_type(c) != (nat->family == 4 ? ETH_TYPE_IP : ETH_TYPE_IPV6)) {
        return refuse(c, OF_BAD_ACTION_MATCH_INCONSISTENT,
                      "nat: the packets have no such addresses");
    }
    return OF_OK;
}

/* ---- Open vSwitch's ---- */

/* A learned entry's own match and actions are judged as it is learned; here, as
 * far as every packet's would be the same. */
static enum of_error
check_learn(struct check *c, const struct action *action)
{
    const struct action_learn *learn = (const void *) action;
    struct check learned = { .context = ACTIONS_APPLY, .why = c->why };
    enum of_error error = OF_OK;

    if (learn->result_dst.n_bits) {
        error = need_subfield(c, "learn", &learn->result_dst, true);
    }
    for (uint32_t i = 0; i < learn->n_specs && !error; i++) {
        const struct learn_spec *spec = &learn->specs[i];

        if (!spec->is_immediate) {
            error = need_subfield(c, "learn", &spec->src, false);
        }
        if (error || spec->dst_kind == LEARN_OUTPUT) {
            continue;
        }
        error = need_subfield(&learned, "learn", &spec->dst,
                              spec->dst_kind == LEARN_LOAD);
        if (!error && spec->dst_kind == LEARN_MATCH && spec->is_immediate) {
            field_set(field_by_id(spec->dst.field), &learned.flow,
                      action_u128(spec->value) << spec->dst.ofs,
                      ones(spec->dst.n_bits) << spec->dst.ofs);
        } else if (!error && spec->dst_kind == LEARN_MATCH
                   && spec->dst.field == spec->src.field) {
            field_set(field_by_id(spec->dst.field), &learned.flow,
                      field_get(field_by_id(spec->src.field), &c->flow),
                      ~(u128) 0);
        }
    }
    return error;
}

static enum of_error
check_multipath(struct check *c, const struct action *action)
{
    const struct action_multipath *multipath = (const void *) action;

    return need_subfield(c, "multipath", &multipath->dst, true);
}

static enum of_error
check_bundle(struct check *c, const struct action *action)
{
    const struct action_bundle *bundle = (const void *) action;
    enum of_error error = OF_OK;

    if (bundle->dst.n_bits) {
        error = need_subfield(c, "bundle_load", &bundle->dst, true);
    }
    for (unsigned int i = 0; i < bundle->n_members && !error; i++) {
        if (bundle->members[i] == OFPP_CONTROLLER) {
            return refuse(c, OF_BAD_ACTION_BAD_OUT_PORT,
                          "bundle: the controller is no member");
        }
        if (bundle->members[i] != OFPP_ANY) {
            error = check_port(c, bundle->members[i]);
        }
    }
    return error;
}

static enum of_error
check_pkt_larger(struct check *c, const struct action *action)
{
    const struct action_check_pkt_larger *larger = (const void *) action;

    return need_subfield(c, "check_pkt_larger", &larger->dst, true);
}

/* An entry that is a clause does nothing itself. */
static enum of_error
check_conjunction(struct check *c, const struct action *action UNUSED)
{
    if (c->context != ACTIONS_APPLY || c->depth) {
        return refuse(c, OF_BAD_ACTION_BAD_CONJUNCTION,
                      "conjunction belongs into a flow entry's own actions");
    }
    return OF_OK;
}

static enum of_error
check_clauses(const struct check *c, struct action_list list)
{
    if (!action_list_is_clause(list)) {
        return OF_OK;
    }
    ACTION_FOR_EACH (action, &list) {
        if (action->type != ACTION_CONJUNCTION
            && action->type != ACTION_NOTE) {
            return refuse(c, OF_BAD_ACTION_BAD_CONJUNCTION,
                          "only notes may stand beside conjunction");
        }
    }
    return OF_OK;
}

/* An instruction: of a flow entry, once. */
static enum of_error
check_stat_trigger(struct check *c, const struct action *action)
{
    const struct action_stat_trigger *trigger = (const void *) action;

    if (c->context != ACTIONS_APPLY || c->depth || c->in_ct
        || c->has_trigger) {
        return refuse(c, OF_BAD_INSTRUCTION_DUP_INST,
                      "stat_trigger belongs into a flow entry, once");
    }
    c->has_trigger = true;
    for (unsigned int i = 0; i < N_STAT_THRESHOLDS; i++) {
        if (trigger->present >> i & 1 && !trigger->threshold[i]) {
            return refuse(c, OF_BAD_INSTRUCTION_UNSUP_INST,
                          "stat_trigger: a threshold of 0 is never crossed");
        }
    }
    return trigger->present ? OF_OK
           : refuse(c, OF_BAD_INSTRUCTION_UNSUP_INST,
                    "stat_trigger: without a threshold");
}

/* in_set: may it stand in an action set? */
static const struct {
    check_action *check;
    bool in_set;
} checks[N_ACTIONS] = {
    [ACTION_OUTPUT] = { check_output, true },
    [ACTION_CONTROLLER] = { check_ok, true },
    [ACTION_OUTPUT_REG] = { check_output_reg, false },
    [ACTION_SET_FIELD] = { check_set_field, true },
    [ACTION_MOVE] = { check_move, true },
    [ACTION_PUSH_VLAN] = { check_push_vlan, true },
    [ACTION_POP_VLAN] = { check_pop_vlan, true },
    [ACTION_PUSH_MPLS] = { check_push_mpls, true },
    [ACTION_POP_MPLS] = { check_pop_mpls, true },
    [ACTION_PUSH_PBB] = { check_push_pbb, true },
    [ACTION_POP_PBB] = { check_pop_pbb, true },
    [ACTION_DEC_TTL] = { check_ok, true },
    [ACTION_DEC_TTL_IDS] = { check_ok, true },
    [ACTION_DEC_MPLS_TTL] = { check_mpls_ttl, true },
    [ACTION_COPY_TTL_OUT] = { check_mpls_ttl, true },
    [ACTION_COPY_TTL_IN] = { check_mpls_ttl, true },
    [ACTION_GROUP] = { check_group, true },
    [ACTION_METER] = { check_meter, true },
    [ACTION_SET_QUEUE] = { check_ok, true },
    [ACTION_POP_QUEUE] = { check_ok, false },
    [ACTION_ENQUEUE] = { check_enqueue, false },
    [ACTION_RESUBMIT] = { check_resubmit, true },
    [ACTION_CLONE] = { check_clone, true },
    [ACTION_STACK_PUSH] = { check_stack, false },
    [ACTION_STACK_POP] = { check_stack, false },
    [ACTION_DELETE_FIELD] = { check_delete_field, false },
    [ACTION_CT] = { check_ct, true },
    [ACTION_NAT] = { check_nat, false },
    [ACTION_CT_CLEAR] = { check_ok, true },
    [ACTION_EXIT] = { check_ok, false },
    [ACTION_NOTE] = { check_ok, false },
    [ACTION_LEARN] = { check_learn, false },
    [ACTION_CONJUNCTION] = { check_conjunction, false },
    [ACTION_MULTIPATH] = { check_multipath, false },
    [ACTION_BUNDLE] = { check_bundle, false },
    [ACTION_CHECK_PKT_LARGER] = { check_pkt_larger, false },
    [ACTION_SAMPLE] = { check_ok, false },
    [ACTION_FIN_TIMEOUT] = { check_ok, false },
    [ACTION_STAT_TRIGGER] = { check_stat_trigger, false },
};

static enum of_error
check_list(struct check *c, struct action_list list)
{
    if (list.len > ACTIONS_MAX_LEN) {
        return refuse(c, OF_BAD_ACTION_TOO_MANY, "more than %d bytes of "
                      "actions", ACTIONS_MAX_LEN);
    }
    ACTION_FOR_EACH (action, &list) {
        enum of_error error;

        if (action->type >= N_ACTIONS
            || (c->context == ACTIONS_SET && !checks[action->type].in_set)) {
            return refuse(c, OF_BAD_ACTION_BAD_TYPE, "an action that an "
                          "action set cannot hold");
        }
        error = checks[action->type].check(c, action);
        if (error) {
            return error;
        }
    }
    return check_clauses(c, list);
}

enum of_error
actions_check(struct action_list list, enum actions_context context,
              const struct match *match, struct str *why)
{
    struct check c = { .context = context, .why = why };

    if (match) {
        c.flow = match->value;
    }
    return check_list(&c, list);
}

enum of_error
instructions_check(const struct instructions *in, const struct match *match,
                   uint8_t table, struct str *why)
{
    struct check c = { .flow = match->value, .context = ACTIONS_APPLY,
                       .why = why };
    enum of_error error = OF_OK;

    if (in->meter) {
        error = check_meter_number(&c, in->meter);
    }
    error = error ? error : check_list(&c, in->apply);
    if (!error && action_list_is_clause(in->apply)
        && (in->meter || in->clear || in->write.len || in->metadata_mask
            || in->has_goto)) {
        error = refuse(&c, OF_BAD_ACTION_BAD_CONJUNCTION,
                       "no instructions may stand beside conjunction");
    }
    if (!error) {
        c.context = ACTIONS_SET;
        error = check_list(&c, in->write);
    }
    if (!error && in->has_goto
        && (in->goto_table > OFPTT_MAX
            || (table != OFPTT_ALL && in->goto_table <= table))) {
        error = refuse(&c, OF_BAD_INSTRUCTION_BAD_TABLE_ID,
                       "goto_table:%u does not lead to a table after %u",
                       in->goto_table, table);
    }
    return error;
}
