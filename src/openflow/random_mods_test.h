/* Random flow-mods and group-mods over all that can be said, for the tests of
 * text and wire.  All are in order: what their actions need, they match. */
#ifndef WEFT_OPENFLOW_RANDOM_MODS_TEST_H
#define WEFT_OPENFLOW_RANDOM_MODS_TEST_H

#include "lib/rng.h"
#include "openflow/flow_mod.h"
#include "unit.h"

static u128
random_u128(struct rng *rng)
{
    u128 v = (u128) rng_u64(rng) << 64 | rng_u64(rng);

    switch (rng_below(rng, 4)) {
    case 0: return v;
    case 1: return v >> rng_below(rng, 128);
    case 2: return rng_below(rng, 4);
    default: return ~(u128) 0 << rng_below(rng, 128);
    }
}

/* ---- Matches ---- */

static void
set(struct match *match, enum field_id id, u128 value)
{
    match_set(match, id, value, ~(u128) 0);
}

static void
random_protocol(struct rng *rng, struct match *match)
{
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x8035, 0x8847,
                                      0x8848, 0x88cc };
    static const uint8_t protos[] = { 1, 6, 17, 58, 132, 47, 0 };

    if (rng_one_in(rng, 6)) {
        return;
    }
    set(match, FIELD_ETH_TYPE, types[rng_below(rng, ARRAY_SIZE(types))]);
    if (rng_one_in(rng, 4)) {
        return;
    }
    set(match, FIELD_IP_PROTO, protos[rng_below(rng, ARRAY_SIZE(protos))]);
    if (rng_one_in(rng, 2)) {
        set(match, FIELD_ICMPV6_TYPE, 135 + rng_below(rng, 2));
    }
}

static void
random_match(struct rng *rng, struct match *match)
{
    do {
        match_init(match);
        random_protocol(rng, match);
        for (unsigned int n = rng_below(rng, 6); n > 0; n--) {
            const struct field *field = field_by_id(rng_below(rng, N_FIELDS));
            u128 mask = ~(u128) 0;

            if (field->flags & FIELD_MASKABLE && rng_one_in(rng, 2)) {
                mask = random_u128(rng);
            }
            if (field_prereq_met(field, &match->value)) {
                match_set(match, field->id, random_u128(rng), mask);
            }
        }
    } while (match_check(match, NULL) != OF_OK);
}

/* ---- Actions ---- */

static uint32_t
random_port(struct rng *rng)
{
    return rng_one_in(rng, 3) ? OFPP_IN_PORT + rng_below(rng, 8)
           : rng_one_in(rng, 3) ? rng_u32(rng) : 1 + rng_below(rng, 99);
}

static struct subfield
random_subfield(struct rng *rng)
{
    const struct field *field = field_by_id(rng_below(rng, N_FIELDS));
    struct subfield sub = { .field = (uint16_t) field->id };

    sub.ofs = (uint8_t) rng_below(rng, field->n_bits);
    sub.n_bits = (uint8_t) (1 + rng_below(rng, field->n_bits - sub.ofs));
    return sub;
}

static u128
ones(unsigned int n)
{
    return n == 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

static void
add_set_field(struct rng *rng, struct actions *actions)
{
    static const enum field_id mods[] = {
        FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_IPV4_SRC, FIELD_IPV4_DST,
        FIELD_IP_DSCP, FIELD_IP_ECN, FIELD_IP_TTL, FIELD_TCP_SRC,
        FIELD_TCP_DST, FIELD_MPLS_LABEL, FIELD_MPLS_TC, FIELD_MPLS_TTL,
    };
    struct subfield sub = random_subfield(rng);
    const struct field *field = field_by_id(sub.field);
    unsigned int kind = rng_below(rng, 4);
    uint32_t at = actions->len;
    u128 mask = field_ones(field);
    struct action_set_field *out;

    if (kind == 0) {
        mask = ones(sub.n_bits) << sub.ofs;
    } else if (kind == 1) {
        field = field_by_id(mods[rng_below(rng, ARRAY_SIZE(mods))]);
        mask = field_ones(field);
    } else if (field->flags & FIELD_MASKABLE && rng_one_in(rng, 2)) {
        mask = random_u128(rng);
    }
    actions_add_set_field(actions, field->id, random_u128(rng), mask);
    out = (struct action_set_field *) (void *) (actions->data + at);
    out->is_load = kind == 0;
    out->is_mod = kind == 1;
}

/* mod_vlan_vid, mod_vlan_pcp */
static void
add_mod_vlan(struct rng *rng, struct actions *actions)
{
    uint32_t at = actions->len;

    if (rng_one_in(rng, 2)) {
        actions_add_set_field(actions, FIELD_VLAN_TCI,
                              FLOW_VLAN_PRESENT | rng_below(rng, 4096),
                              0x1fff);
    } else {
        actions_add_set_field(actions, FIELD_VLAN_TCI,
                              FLOW_VLAN_PRESENT | rng_below(rng, 8) << 13,
                              0xf000);
    }
    ((struct action_set_field *) (void *) (actions->data + at))->is_mod = true;
}

static void add_actions(struct rng *, struct actions *,
                        enum actions_context, const struct match *,
                        unsigned int depth);

static void
add_output(struct rng *rng, struct actions *actions)
{
    uint32_t port = random_port(rng), at = actions->len;

    if (port == OFPP_CONTROLLER) {
        return;                   /* has an action of its own */
    }
    actions_add_output(actions, port);
    if (rng_one_in(rng, 3)) {
        ((struct action_output *) (void *) (actions->data + at))->trunc =
            14 + rng_below(rng, 2000);
    }
}

static void
add_controller(struct rng *rng, struct actions *actions)
{
    static const uint8_t bytes[] = { 1, 0x23, 0xff, 0, 0, 0 };
    struct action_controller *c = actions_add_userdata(
        actions, bytes, rng_one_in(rng, 3) ? (uint16_t) rng_below(rng, 7) : 0);

    c->pause = rng_one_in(rng, 4);
    c->meter = rng_one_in(rng, 4) ? rng_u32(rng) : 0;
    c->max_len = rng_one_in(rng, 2) ? 0xffff : (uint16_t) rng_u32(rng);
    c->reason = (uint8_t) (rng_one_in(rng, 2) ? REASON_APPLY_ACTION
                                              : rng_below(rng, 6));
    c->controller_id = (uint16_t) (rng_one_in(rng, 2) ? 0 : rng_u32(rng));
}

static void
add_nat(struct rng *rng, struct actions *actions)
{
    struct action_nat *nat = actions_add(actions, ACTION_NAT, sizeof *nat);
    static const uint8_t families[] = { 0, 4, 6 };
    static const uint16_t choices[] = { 0, NAT_HASH, NAT_RANDOM };

    if (rng_one_in(rng, 3)) {
        return;                   /* as the connection was set up */
    }
    nat->flags = (uint16_t) ((rng_one_in(rng, 2) ? NAT_SRC : NAT_DST)
                             | choices[rng_below(rng, 3)]
                             | (rng_one_in(rng, 2) ? NAT_PERSISTENT : 0));
    nat->family = families[rng_below(rng, 3)];
    for (unsigned int i = 0; i < (nat->family == 4 ? 4u : 16u); i++) {
        nat->addr_min.b[i] = nat->family ? (uint8_t) rng_u32(rng) : 0;
    }
    nat->addr_max = nat->addr_min;
    if (nat->family && rng_one_in(rng, 2)) {
        nat->addr_max.b[0] = 255;
    }
    nat->has_ports = rng_one_in(rng, 2);
    if (nat->has_ports) {
        nat->port_min = (uint16_t) rng_u32(rng);
        nat->port_max = rng_one_in(rng, 2) ? nat->port_min : 0xffff;
    }
}

static void
add_ct(struct rng *rng, struct actions *actions)
{
    static const uint16_t algs[] = { 0, ALG_FTP, ALG_TFTP };
    uint32_t mark = actions_begin(actions, ACTION_CT,
                                  sizeof(struct action_ct));
    struct action_ct *ct = (void *) (actions->data + mark);

    ct->commit = !rng_one_in(rng, 3);
    ct->force = rng_one_in(rng, 4);
    ct->table = rng_one_in(rng, 2) ? CT_NO_TABLE
                                   : (uint8_t) rng_below(rng, 255);
    ct->alg = algs[rng_below(rng, 3)];
    if (rng_one_in(rng, 3)) {
        ct->zone_src = (struct subfield) { FIELD_REG3, 8, 16 };
    } else {
        ct->zone = (uint16_t) rng_u32(rng);
    }
    if (rng_one_in(rng, 2)) {
        add_nat(rng, actions);
    }
    for (unsigned int n = rng_below(rng, 3); n > 0; n--) {
        actions_add_set_field(actions, rng_one_in(rng, 2) ? FIELD_CT_MARK
                              : FIELD_CT_LABEL, random_u128(rng),
                              rng_one_in(rng, 2) ? ~(u128) 0
                                                 : random_u128(rng));
    }
    CHECK(actions_end(actions, mark));
}

static void
add_ids(struct rng *rng, struct actions *actions)
{
    uint16_t n = (uint16_t) (1 + rng_below(rng, 5));
    struct action_ids *ids = actions_add(actions, ACTION_DEC_TTL_IDS,
                                         sizeof *ids + 2 * n);

    ids->n = n;
    for (unsigned int i = 0; i < n; i++) {
        ids->ids[i] = (uint16_t) rng_u32(rng);
    }
}

static void
add_note(struct rng *rng, struct actions *actions)
{
    uint16_t n = (uint16_t) (6 + 8 * rng_below(rng, 3));
    struct action_note *note = actions_add(
        actions, ACTION_NOTE, offsetof(struct action_note, bytes) + n);

    note->n_bytes = n;
    for (unsigned int i = 0; i < n; i++) {
        note->bytes[i] = (uint8_t) rng_u32(rng);
    }
}

static struct subfield
random_wide_subfield(struct rng *rng, unsigned int min, unsigned int max)
{
    struct subfield sub;

    do {
        sub = random_subfield(rng);
    } while (sub.n_bits < min || sub.n_bits > max);
    return sub;
}

static void
random_spec(struct rng *rng, struct learn_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->dst_kind = (uint8_t) rng_below(rng, 3);
    spec->src = random_subfield(rng);
    spec->is_immediate = spec->dst_kind != LEARN_OUTPUT && rng_one_in(rng, 2);
    if (spec->dst_kind == LEARN_OUTPUT) {
        return;
    }
    spec->dst = random_subfield(rng);
    if (rng_one_in(rng, 4)) {
        spec->dst.n_bits = (uint8_t) field_by_id(spec->dst.field)->n_bits;
        spec->dst.ofs = 0;
    }
    spec->src.n_bits = spec->dst.n_bits = MIN(spec->src.n_bits,
                                              spec->dst.n_bits);
    if (spec->is_immediate) {
        u128 value = random_u128(rng) & ones(spec->dst.n_bits);

        memset(&spec->src, 0, sizeof spec->src);
        spec->value[0] = (uint64_t) value;
        spec->value[1] = (uint64_t) (value >> 64);
    }
}

static void
add_learn(struct rng *rng, struct actions *actions)
{
    uint32_t n = rng_below(rng, 4);
    struct action_learn *a = actions_add(actions, ACTION_LEARN, sizeof *a
                                         + n * sizeof a->specs[0]);

    a->idle_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    a->hard_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    a->fin_idle_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    a->fin_hard_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    a->priority = (uint16_t) rng_u32(rng);
    a->table = (uint8_t) rng_below(rng, 255);
    a->flags = (uint8_t) rng_below(rng, 4);
    a->cookie = rng_one_in(rng, 2) ? rng_u64(rng) : 0;
    a->limit = rng_one_in(rng, 2) ? rng_u32(rng) : 0;
    if (rng_one_in(rng, 2)) {
        a->result_dst = random_wide_subfield(rng, 1, 1);
    }
    a->n_specs = n;
    for (uint32_t i = 0; i < n; i++) {
        random_spec(rng, &a->specs[i]);
    }
}

static void
add_multipath(struct rng *rng, struct actions *actions)
{
    struct action_multipath *a = actions_add(actions, ACTION_MULTIPATH,
                                             sizeof *a);

    a->fields = (uint16_t) rng_below(rng, N_HASH_FIELDS);
    a->basis = (uint16_t) rng_u32(rng);
    a->algorithm = (uint16_t) rng_below(rng, N_MULTIPATH_ALGORITHMS);
    a->arg = rng_u32(rng);
    a->dst = random_wide_subfield(rng, 1, 64);
    a->max_link = (uint16_t) (rng_u32(rng) & ones(a->dst.n_bits));
}

static void
add_bundle(struct rng *rng, struct actions *actions)
{
    uint16_t n = (uint16_t) rng_below(rng, 5);
    struct action_bundle *a = actions_add(actions, ACTION_BUNDLE, sizeof *a
                                          + n * sizeof a->members[0]);

    a->fields = (uint16_t) rng_below(rng, N_HASH_FIELDS);
    a->basis = (uint16_t) rng_u32(rng);
    a->algorithm = (uint16_t) rng_below(rng, N_BUNDLE_ALGORITHMS);
    a->n_members = n;
    if (rng_one_in(rng, 2)) {
        a->dst = random_wide_subfield(rng, 16, 64);
    }
    for (unsigned int i = 0; i < n; i++) {
        a->members[i] = rng_one_in(rng, 3) ? OFPP_IN_PORT + rng_below(rng, 8)
                                           : 1 + rng_below(rng, 65279);
    }
}

static void
add_conjunction(struct rng *rng, struct actions *actions)
{
    struct action_conjunction *a = actions_add(actions, ACTION_CONJUNCTION,
                                               sizeof *a);

    a->id = rng_u32(rng);
    a->n_clauses = (uint8_t) (2 + rng_below(rng, 63));
    a->clause = (uint8_t) rng_below(rng, a->n_clauses);
}

static void
add_sample(struct rng *rng, struct actions *actions)
{
    struct action_sample *a = actions_add(actions, ACTION_SAMPLE, sizeof *a);

    a->probability = (uint16_t) (1 + rng_below(rng, 65535));
    a->collector_set = rng_u32(rng);
    a->obs_domain = rng_u32(rng);
    a->obs_point = rng_u32(rng);
    a->sampling_port = rng_one_in(rng, 2) ? OFPP_ANY
                                          : 1 + rng_below(rng, 65279);
    a->direction = (uint8_t) rng_below(rng, 3);
}

static void
add_action(struct rng *rng, struct actions *actions,
           enum actions_context context, const struct match *match,
           unsigned int depth)
{
    static const uint16_t eth_types[] = { 0x8100, 0x88a8, 0x8847, 0x8848,
                                          0x0800, 0x86dd };
    enum action_type type = rng_below(rng, N_ACTIONS);
    struct action_output_reg *reg;
    struct action_resubmit *resubmit;
    struct action_enqueue *enqueue;
    struct action_field *field;
    struct action_stack *stack;
    struct action_number *number;
    struct action_push *push;
    struct action_move *move;
    struct action_check_pkt_larger *larger;
    struct action_fin_timeout *fin;
    uint32_t mark;

    switch (type) {
    case ACTION_OUTPUT:
        add_output(rng, actions);
        return;
    case ACTION_CONTROLLER:
        add_controller(rng, actions);
        return;
    case ACTION_OUTPUT_REG:
        reg = actions_add(actions, type, sizeof *reg);
        reg->src = random_subfield(rng);
        reg->max_len = 0xffff;
        return;
    case ACTION_SET_FIELD:
        if (rng_one_in(rng, 5)) {
            add_mod_vlan(rng, actions);
        } else {
            add_set_field(rng, actions);
        }
        return;
    case ACTION_MOVE:
        move = actions_add(actions, type, sizeof *move);
        move->src = random_subfield(rng);
        move->dst = random_subfield(rng);
        move->src.n_bits = move->dst.n_bits = MIN(move->src.n_bits,
                                                  move->dst.n_bits);
        return;
    case ACTION_PUSH_VLAN: case ACTION_PUSH_MPLS: case ACTION_POP_MPLS:
    case ACTION_PUSH_PBB:
        push = actions_add(actions, type, sizeof *push);
        push->eth_type = eth_types[rng_below(rng, ARRAY_SIZE(eth_types))];
        return;
    case ACTION_POP_VLAN: case ACTION_DEC_TTL: case ACTION_DEC_MPLS_TTL:
    case ACTION_COPY_TTL_OUT: case ACTION_COPY_TTL_IN: case ACTION_POP_QUEUE:
    case ACTION_EXIT: case ACTION_CT_CLEAR: case ACTION_POP_PBB:
        actions_add(actions, type, sizeof(struct action_plain));
        return;
    case ACTION_GROUP: case ACTION_METER: case ACTION_SET_QUEUE:
        number = actions_add(actions, type, sizeof *number);
        number->number = rng_u32(rng) >> rng_below(rng, 32);
        return;
    case ACTION_RESUBMIT:
        resubmit = actions_add(actions, type, sizeof *resubmit);
        resubmit->in_port = random_port(rng);
        resubmit->table = (uint8_t) (rng_one_in(rng, 3) ? 0xff
                                                        : rng_u32(rng));
        resubmit->with_ct = rng_one_in(rng, 3);
        return;
    case ACTION_ENQUEUE:
        enqueue = actions_add(actions, type, sizeof *enqueue);
        enqueue->port = random_port(rng);
        enqueue->queue = rng_u32(rng);
        return;
    case ACTION_DELETE_FIELD:
        field = actions_add(actions, type, sizeof *field);
        field->field = (uint16_t) (FIELD_TUN_METADATA0 + rng_below(rng, 32));
        return;
    case ACTION_DEC_TTL_IDS:
        add_ids(rng, actions);
        return;
    case ACTION_CT: case ACTION_NAT:
        add_ct(rng, actions);
        return;
    case ACTION_CLONE:
        if (depth < 3) {
            mark = actions_begin_clone(actions);
            add_actions(rng, actions, context, match, depth + 1);
            CHECK(actions_end(actions, mark));
        }
        return;
    case ACTION_STACK_PUSH: case ACTION_STACK_POP:
        stack = actions_add(actions, type, sizeof *stack);
        stack->sub = random_subfield(rng);
        return;
    case ACTION_STAT_TRIGGER:
        return;               /* an entry has one, below */
    case ACTION_NOTE:
        add_note(rng, actions);
        return;
    case ACTION_LEARN:
        add_learn(rng, actions);
        return;
    case ACTION_CONJUNCTION:
        if (!actions->len || rng_one_in(rng, 9)) {
            add_conjunction(rng, actions);
        }
        return;
    case ACTION_MULTIPATH:
        add_multipath(rng, actions);
        return;
    case ACTION_BUNDLE:
        add_bundle(rng, actions);
        return;
    case ACTION_CHECK_PKT_LARGER:
        larger = actions_add(actions, type, sizeof *larger);
        larger->pkt_len = (uint16_t) rng_u32(rng);
        larger->dst = random_wide_subfield(rng, 1, 1);
        return;
    case ACTION_SAMPLE:
        add_sample(rng, actions);
        return;
    case ACTION_FIN_TIMEOUT:
        fin = actions_add(actions, type, sizeof *fin);
        fin->idle_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
        fin->hard_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
        return;
    case N_ACTIONS:
        break;
    }
    fail();
}

/* Adds some actions, each kept only if the whole stays in order. */
static void
add_actions(struct rng *rng, struct actions *actions,
            enum actions_context context, const struct match *match,
            unsigned int depth)
{
    uint32_t start = actions->len;

    for (unsigned int n = rng_below(rng, 7); n > 0; n--) {
        uint32_t before = actions->len;
        struct action_list list;

        add_action(rng, actions, context, match, depth);
        if (actions->len == before) {
            continue;
        }
        list = (struct action_list) {
            (const struct action *) (const void *) (actions->data + start),
            actions->len - start
        };
        if (actions_check(list, context, match, NULL) != OF_OK) {
            actions->len = before;
        }
    }
}

/* ---- Flow-mods ---- */

static void
add_stat_trigger(struct rng *rng, struct actions *actions)
{
    struct action_stat_trigger *a = actions_add(actions, ACTION_STAT_TRIGGER,
                                                sizeof *a);

    a->is_periodic = rng_one_in(rng, 2);
    a->only_first = rng_one_in(rng, 2);
    a->present = (uint8_t) (1 + rng_below(rng, 7));
    for (unsigned int i = 0; i < N_STAT_THRESHOLDS; i++) {
        uint64_t value = rng_u64(rng) >> (1 + rng_below(rng, 62));

        a->threshold[i] = a->present >> i & 1 ? 1 + value : 0;
    }
    if (a->present >> STAT_DURATION & 1) {
        a->threshold[STAT_DURATION] %= UINT64_C(1) << 60;
        a->threshold[STAT_DURATION]++;
    }
}

static void
random_instructions(struct rng *rng, struct flow_mod *fm)
{
    struct instructions *in = &fm->instructions;
    const struct action *first;

    add_actions(rng, &fm->storage[0], ACTIONS_APPLY, &fm->match, 0);
    if (rng_one_in(rng, 3)) {
        add_actions(rng, &fm->storage[1], ACTIONS_SET, &fm->match, 0);
    }
    if (rng_one_in(rng, 3)) {
        uint64_t mask = (uint64_t) random_u128(rng);

        in->metadata_mask = htobe64(mask);
        in->metadata = htobe64((uint64_t) random_u128(rng) & mask);
    }
    in->clear = rng_one_in(rng, 4);
    if (fm->table < OFPTT_MAX && rng_one_in(rng, 3)) {
        in->has_goto = true;
        in->goto_table = (uint8_t) (fm->table + 1u
                                    + rng_below(rng, OFPTT_MAX - fm->table));
    }
    if (rng_one_in(rng, 6)
        && !action_list_is_clause(actions_list(&fm->storage[0]))) {
        add_stat_trigger(rng, &fm->storage[0]);
    }
    flow_mod_seal(fm);
    if (action_list_is_clause(in->apply)) {
        *in = (struct instructions) { .apply = in->apply };
        actions_clear(&fm->storage[1]);
        return;
    }
    /* The second list must suit what the first made of the packet. */
    if (instructions_check(in, &fm->match, fm->table, NULL) != OF_OK) {
        actions_clear(&fm->storage[1]);
        flow_mod_seal(fm);
    }
    /* A meter at the very beginning is the instruction. */
    first = in->apply.first;
    if (rng_one_in(rng, 4)
        || (in->apply.len && first->type == ACTION_METER)) {
        in->meter = 1 + rng_below(rng, 1000);
    }
}

static void
random_cookie(struct rng *rng, struct flow_mod *fm)
{
    bool is_delete = fm->command == FLOW_MOD_DELETE
                     || fm->command == FLOW_MOD_DELETE_STRICT;
    uint64_t mask = (uint64_t) random_u128(rng);

    fm->cookie = htobe64((uint64_t) random_u128(rng));
    if (fm->command == FLOW_MOD_ADD) {
        return;
    }
    fm->cookie_mask = is_delete || rng_one_in(rng, 2) ? htobe64(mask) : 0;
    fm->cookie &= fm->cookie_mask;
    if (!is_delete && rng_one_in(rng, 2)) {
        fm->modify_cookie = true;
        fm->new_cookie = htobe64((uint64_t) random_u128(rng));
    }
}

static UNUSED void
random_flow_mod(struct rng *rng, enum flow_mod_command command,
                struct flow_mod *fm)
{
    bool is_delete = command == FLOW_MOD_DELETE
                     || command == FLOW_MOD_DELETE_STRICT;
    bool is_strict = command == FLOW_MOD_DELETE_STRICT
                     || command == FLOW_MOD_MODIFY_STRICT;

    flow_mod_init(fm);
    fm->command = command;
    random_match(rng, &fm->match);
    fm->table = (uint8_t) rng_below(rng, command == FLOW_MOD_ADD ? 255 : 256);
    if (rng_one_in(rng, 2)) {
        random_cookie(rng, fm);
    }
    if ((command == FLOW_MOD_ADD || is_strict) && rng_one_in(rng, 2)) {
        fm->priority = (uint16_t) rng_u32(rng);
    }
    if (is_delete) {
        fm->out_port = rng_one_in(rng, 2) ? OFPP_ANY : random_port(rng);
        fm->out_group = rng_one_in(rng, 2) ? OFPG_ANY : rng_u32(rng);
        flow_mod_seal(fm);
        return;
    }
    fm->idle_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    fm->hard_timeout = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    fm->importance = (uint16_t) (rng_u32(rng) >> rng_below(rng, 32));
    fm->flags = rng_below(rng, 32);
    random_instructions(rng, fm);
}

static bool
instructions_equal(const struct instructions *a, const struct instructions *b)
{
    return action_list_equal(a->apply, b->apply)
           && action_list_equal(a->write, b->write)
           && a->metadata == b->metadata
           && a->metadata_mask == b->metadata_mask && a->meter == b->meter
           && a->clear == b->clear && a->has_goto == b->has_goto
           && a->goto_table == b->goto_table;
}

static UNUSED bool
flow_mod_equal(const struct flow_mod *a, const struct flow_mod *b)
{
    return a->command == b->command && match_equal(&a->match, &b->match)
           && a->cookie == b->cookie && a->cookie_mask == b->cookie_mask
           && a->modify_cookie == b->modify_cookie
           && a->new_cookie == b->new_cookie && a->table == b->table
           && a->priority == b->priority
           && a->idle_timeout == b->idle_timeout
           && a->hard_timeout == b->hard_timeout
           && a->importance == b->importance && a->out_port == b->out_port
           && a->out_group == b->out_group && a->flags == b->flags
           && instructions_equal(&a->instructions, &b->instructions);
}

/* ---- Groups ---- */

static void
random_bucket(struct rng *rng, struct bucket *bucket)
{
    *bucket = (struct bucket) {
        .id = rng_below(rng, 5), .weight = (uint16_t) rng_below(rng, 3),
        .watch_port = rng_one_in(rng, 2) ? OFPP_ANY : random_port(rng),
        .watch_group = rng_one_in(rng, 2) ? OFPG_ANY : rng_u32(rng),
    };
    add_actions(rng, &bucket->actions, ACTIONS_BUCKET, NULL, 0);
}

static UNUSED void
random_group_mod(struct rng *rng, struct group_mod *gm)
{
    bool is_bucket_command, takes_buckets;

    *gm = (struct group_mod) {
        .command = rng_below(rng, GROUP_MOD_REMOVE_BUCKET + 1),
        .id = rng_below(rng, 100),
    };
    is_bucket_command = gm->command == GROUP_MOD_INSERT_BUCKET
                        || gm->command == GROUP_MOD_REMOVE_BUCKET;
    takes_buckets = gm->command != GROUP_MOD_DELETE
                    && gm->command != GROUP_MOD_REMOVE_BUCKET;
    if (is_bucket_command) {
        gm->command_bucket = rng_one_in(rng, 2) ? rng_below(rng, 9)
                             : BUCKET_FIRST + rng_below(rng, 3);
    } else if (gm->command != GROUP_MOD_DELETE) {
        gm->type = rng_below(rng, 4);
    } else if (rng_one_in(rng, 3)) {
        gm->id = OFPG_ALL;
    }
    if (takes_buckets) {
        gm->n_buckets = gm->type == GROUP_INDIRECT ? 1 : rng_below(rng, 4);
        gm->buckets = xcalloc(gm->n_buckets, sizeof *gm->buckets);
        for (unsigned int i = 0; i < gm->n_buckets; i++) {
            random_bucket(rng, &gm->buckets[i]);
        }
    }
}

static UNUSED bool
group_mod_equal(const struct group_mod *a, const struct group_mod *b)
{
    bool equal = a->command == b->command && a->type == b->type
                 && a->id == b->id && a->command_bucket == b->command_bucket
                 && a->n_buckets == b->n_buckets;

    for (unsigned int i = 0; equal && i < a->n_buckets; i++) {
        const struct bucket *x = &a->buckets[i], *y = &b->buckets[i];

        equal = x->id == y->id && x->weight == y->weight
                && x->watch_port == y->watch_port
                && x->watch_group == y->watch_group
                && action_list_equal(actions_list(&x->actions),
                                     actions_list(&y->actions));
    }
    return equal;
}

#endif
