#include "switch/random_rules.h"

#include <stdlib.h>

#include "packet/eth.h"
#include "switch/random_fields.h"
#include "switch/random_tunnels.h"

uint32_t
random_port_number(unsigned int n)
{
    return n == RANDOM_PORTS ? (uint32_t) OFPP_LOCAL : n;
}

/* ---- Matches ---- */

/* Pins what the field needs, with the values of the packet. */
static void
match_prereqs(struct match *match, const struct field *field,
              const struct flow *flow)
{
    struct flow_mask mask = { 0 };

    field_prereq_mask(field, &mask);
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        match->mask.bits.w[i] |= mask.bits.w[i];
        match->value.w[i] |= flow->w[i] & mask.bits.w[i];
    }
}

static bool
is_matchable(const struct field *field, const struct flow *flow)
{
    switch (field->id) {
    case FIELD_IN_PHY_PORT: case FIELD_CONJ_ID: case FIELD_PACKET_TYPE:
    case FIELD_SKB_PRIORITY:
        return false;
    default:
        return field_prereq_met(field, flow);
    }
}

static void
random_match(const struct random_rules *r, uint8_t table, struct match *match)
{
    const struct flow *flow = random_flow(r);
    unsigned int n = rng_below(r->rng, 4) + (table ? 0 : 1);

    match_init(match);
    if (rng_one_in(r->rng, 2)) {
        match_set(match, FIELD_ETH_TYPE,
                  field_get(field_by_id(FIELD_ETH_TYPE), flow), 0xffff);
    }
    for (unsigned int tries = 0; n && tries < 200; tries++) {
        const struct field *field = random_field(r);
        bool is_written = field->flags & FIELD_PIPELINE
                          && field->id != FIELD_ACTSET_OUTPUT;
        u128 mask;

        if (!is_matchable(field, flow)
            || (is_written && (!table || field->id >= FIELD_REG4))) {
            continue;
        }
        mask = field->flags & FIELD_MASKABLE ? random_mask(r, field)
                                             : field_ones(field);
        match_prereqs(match, field, flow);
        match_set(match, field->id,
                  field->flags & FIELD_PIPELINE ? random_value(r, field)
                                                : field_get(field, flow),
                  mask);
        n--;
    }
}

/* ---- Actions ---- */

static const struct field *
random_writable(const struct random_rules *r)
{
    const struct field *field;

    do {
        field = rng_one_in(r->rng, 8) ? random_tunnel_field(r->rng)
                                      : random_field(r);
    } while (!(field->flags & FIELD_WRITABLE)
             || (field->id >= FIELD_REG4 && field->id <= FIELD_XXREG3)
             || field->id == FIELD_CT_MARK || field->id == FIELD_CT_LABEL);
    return field;
}

static uint32_t
random_port(const struct random_rules *r)
{
    switch (rng_below(r->rng, 12)) {
    case 0: return OFPP_IN_PORT;
    case 1: return OFPP_FLOOD;
    case 2: return OFPP_ALL;
    default: return random_port_number(1 + rng_below(r->rng,
                                                     RANDOM_PORTS + 1));
    }
}

static void
add_set_field(const struct random_rules *r, struct actions *actions)
{
    const struct field *field = random_writable(r);
    struct action_set_field *a = actions_add(actions, ACTION_SET_FIELD,
                                             sizeof *a);
    u128 mask = random_mask(r, field);
    u128 value = random_value(r, field) & mask;

    if (field->id == FIELD_VLAN_VID && mask & FLOW_VLAN_PRESENT) {
        value |= FLOW_VLAN_PRESENT;
    }
    a->field = field->id;
    a->is_load = rng_one_in(r->rng, 2);
    a->is_mod = !a->is_load && rng_one_in(r->rng, 2);
    a->value[0] = (uint64_t) value;
    a->value[1] = (uint64_t) (value >> 64);
    a->mask[0] = (uint64_t) mask;
    a->mask[1] = (uint64_t) (mask >> 64);
}

static struct subfield
random_subfield(const struct random_rules *r, const struct field *field,
                unsigned int n_bits)
{
    return (struct subfield) {
        .field = field->id, .n_bits = (uint8_t) n_bits,
        .ofs = (uint8_t) rng_below(r->rng, field->n_bits - n_bits + 1),
    };
}

static void
add_move(const struct random_rules *r, struct actions *actions)
{
    const struct field *src = random_writable(r), *dst = random_writable(r);
    unsigned int max = MIN(src->n_bits, dst->n_bits);
    unsigned int n = rng_one_in(r->rng, 2) ? max
                                           : 1 + rng_below(r->rng, max);
    struct action_move *a = actions_add(actions, ACTION_MOVE, sizeof *a);

    a->src = random_subfield(r, src, n);
    a->dst = random_subfield(r, dst, n);
}

static void
add_stack(const struct random_rules *r, struct actions *actions,
          enum action_type type)
{
    const struct field *field = random_writable(r);
    struct action_stack *a = actions_add(actions, type, sizeof *a);

    a->sub = random_subfield(r, field, field->n_bits);
}

static void
add_push(const struct random_rules *r, struct actions *actions,
         enum action_type type)
{
    struct action_push *a = actions_add(actions, type, sizeof *a);

    switch (type) {
    case ACTION_PUSH_VLAN:
        a->eth_type = rng_one_in(r->rng, 2) ? ETH_TYPE_VLAN : ETH_TYPE_QINQ;
        break;
    case ACTION_PUSH_MPLS:
        a->eth_type = rng_one_in(r->rng, 4) ? ETH_TYPE_MPLS_MCAST
                                            : ETH_TYPE_MPLS;
        break;
    case ACTION_PUSH_PBB:
        a->eth_type = ETH_TYPE_PBB;
        break;
    default:
        a->eth_type = rng_one_in(r->rng, 3) ? ETH_TYPE_IPV6 : ETH_TYPE_IP;
        break;
    }
}

static void
add_number(struct actions *actions, enum action_type type, uint32_t number)
{
    struct action_number *a = actions_add(actions, type, sizeof *a);

    a->number = number;
}

static void
add_output(const struct random_rules *r, struct actions *actions)
{
    struct action_output *a = actions_add(actions, ACTION_OUTPUT, sizeof *a);

    a->port = random_port(r);
    a->trunc = rng_one_in(r->rng, 8) ? 14 + rng_below(r->rng, 60) : 0;
}

static void
add_output_reg(struct actions *actions)
{
    struct action_output_reg *a = actions_add(actions, ACTION_OUTPUT_REG,
                                              sizeof *a);

    a->src = (struct subfield) { .field = FIELD_REG0, .n_bits = 16 };
    a->max_len = 64;
}

static void
add_resubmit(const struct random_rules *r, struct actions *actions,
             uint8_t table)
{
    struct action_resubmit *a;

    if (table + 1 >= RANDOM_TABLES) {
        return;
    }
    a = actions_add(actions, ACTION_RESUBMIT, sizeof *a);
    a->table = (uint8_t) (table + 1
                          + rng_below(r->rng, RANDOM_TABLES - table - 1u));
    a->with_ct = rng_one_in(r->rng, 3);
    a->in_port = rng_one_in(r->rng, 4)
                 ? random_port_number(1 + rng_below(r->rng, RANDOM_PORTS))
                 : (uint32_t) OFPP_IN_PORT;
}

/* Tables whose number is not above `table` are not resubmitted to, and groups
 * only to groups of a higher number: everything ends. */
struct where {
    uint8_t table;
    uint32_t group;               /* lowest that may be used */
    unsigned int depth;
};

static void random_actions(const struct random_rules *, struct actions *,
                           unsigned int n, struct where);

static void
add_clone(const struct random_rules *r, struct actions *actions,
          struct where where)
{
    uint32_t mark;

    if (where.depth > 2) {
        return;
    }
    where.depth++;
    mark = actions_begin_clone(actions);
    random_actions(r, actions, 1 + rng_below(r->rng, 3), where);
    actions_end(actions, mark);
}

static void
add_group(const struct random_rules *r, struct actions *actions,
          struct where where)
{
    if (where.group <= RANDOM_GROUPS) {
        add_number(actions, ACTION_GROUP,
                   where.group + rng_below(r->rng,
                                           RANDOM_GROUPS + 1 - where.group));
    }
}

static void
add_exec(const struct random_rules *r, struct actions *actions)
{
    u128 value = rng_below(r->rng, 4), mask = 1 + rng_below(r->rng, 3);

    if (rng_one_in(r->rng, 2)) {
        actions_add_set_field(actions, FIELD_CT_MARK, value & mask, mask);
    }
    if (rng_one_in(r->rng, 4)) {
        struct action_move *move = actions_add(actions, ACTION_MOVE,
                                               sizeof *move);

        move->src = (struct subfield) { .field = FIELD_CT_MARK,
                                        .n_bits = 16 };
        move->dst = (struct subfield) { .field = FIELD_CT_LABEL, .ofs = 40,
                                        .n_bits = 16 };
        if (rng_one_in(r->rng, 2)) {
            move->src.field = FIELD_REG1;
        }
    }
}

/* A bare one, or with few addresses and ports. */
static void
add_nat(const struct random_rules *r, struct actions *actions, bool commit)
{
    struct action_nat *nat = actions_add(actions, ACTION_NAT, sizeof *nat);
    unsigned int kind = commit ? rng_below(r->rng, 3) : 0;

    if (!kind) {
        return;
    }
    nat->flags = kind == 1 ? NAT_SRC : NAT_DST;
    nat->family = rng_one_in(r->rng, 4) ? 6 : 4;
    nat->addr_min.b[0] = nat->family == 4 ? 10 : 0xfd;
    nat->addr_min.b[nat->family == 4 ? 3 : 15] = (uint8_t)
                                                 rng_below(r->rng, 3);
    nat->addr_max = nat->addr_min;
    nat->addr_max.b[nat->family == 4 ? 3 : 15]
        += (uint8_t) rng_below(r->rng, 2);
    nat->has_ports = rng_one_in(r->rng, 2);
    if (nat->has_ports) {
        nat->port_min = (uint16_t) (80 + rng_below(r->rng, 3));
        nat->port_max = nat->port_min + (uint16_t) rng_below(r->rng, 3);
    }
}

/* What is tracked goes to tables of higher numbers: everything ends. */
static void
add_ct(const struct random_rules *r, struct actions *actions, uint8_t table)
{
    uint32_t mark = actions_begin(actions, ACTION_CT,
                                  sizeof(struct action_ct));
    struct action_ct *ct = (void *) (actions->data + mark);

    ct->table = CT_NO_TABLE;
    if (table + 1 < RANDOM_TABLES && !rng_one_in(r->rng, 4)) {
        ct->table = (uint8_t) (table + 1
                               + rng_below(r->rng,
                                           RANDOM_TABLES - table - 1u));
    }
    ct->zone = (uint16_t) rng_below(r->rng, 2);
    if (rng_one_in(r->rng, 4)) {
        ct->zone_src = (struct subfield) { .field = FIELD_REG0,
                                           .n_bits = 16 };
    }
    ct->commit = rng_one_in(r->rng, 2);
    ct->force = ct->commit && rng_one_in(r->rng, 4);
    if (rng_one_in(r->rng, 2)) {
        add_nat(r, actions, ct->commit);
        ct = (void *) (actions->data + mark);
    }
    if (ct->commit) {
        add_exec(r, actions);
    }
    actions_end(actions, mark);
}

static void
add_dec_ttl_ids(struct actions *actions)
{
    struct action_ids *ids = actions_add(actions, ACTION_DEC_TTL_IDS,
                                         sizeof *ids + 4);

    ids->n = 2;
    ids->ids[1] = 7;
}

static void
add_delete_field(const struct random_rules *r, struct actions *actions)
{
    struct action_field *field = actions_add(actions, ACTION_DELETE_FIELD,
                                             sizeof *field);

    field->field = (uint16_t) (FIELD_TUN_METADATA0 + rng_below(r->rng, 2));
}

static void
add_enqueue(const struct random_rules *r, struct actions *actions)
{
    struct action_enqueue *enqueue = actions_add(actions, ACTION_ENQUEUE,
                                                 sizeof *enqueue);

    enqueue->port = random_port_number(1 + rng_below(r->rng,
                                                     RANDOM_PORTS + 1));
    enqueue->queue = 3;
}

static void
add_controller(const struct random_rules *r, struct actions *actions)
{
    static const uint8_t userdata[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct action_controller *a = actions_add_userdata(
        actions, userdata, (uint16_t) rng_below(r->rng, 9));

    a->max_len = rng_one_in(r->rng, 2) ? OFPCML_NO_BUFFER : 30;
    a->reason = REASON_APPLY_ACTION;
    a->controller_id = (uint16_t) rng_below(r->rng, 2);
    a->meter = rng_below(r->rng, 2);
}

static void
random_extension(const struct random_rules *r, struct actions *actions,
                 uint8_t table)
{
    switch (rng_below(r->rng, 6)) {
    case 0:
        add_ct(r, actions, table);
        return;
    case 1:
        actions_add(actions, ACTION_CT_CLEAR, sizeof(struct action_plain));
        return;
    case 2:
        add_delete_field(r, actions);
        return;
    case 3:
        add_enqueue(r, actions);
        return;
    case 4:
        add_controller(r, actions);
        return;
    default:
        add_dec_ttl_ids(actions);
        return;
    }
}

static struct subfield
random_part(const struct random_rules *r, unsigned int min_bits)
{
    const struct field *field;

    do {
        field = random_writable(r);
    } while (field->n_bits < min_bits);
    return random_subfield(r, field, MIN(field->n_bits, min_bits));
}

static void
add_multipath(const struct random_rules *r, struct actions *actions)
{
    struct action_multipath *a = actions_add(actions, ACTION_MULTIPATH,
                                             sizeof *a);

    a->fields = (uint16_t) rng_below(r->rng, N_HASH_FIELDS);
    a->basis = (uint16_t) rng_below(r->rng, 3);
    a->algorithm = (uint16_t) rng_below(r->rng, N_MULTIPATH_ALGORITHMS);
    a->max_link = (uint16_t) rng_below(r->rng, 4);
    a->arg = rng_below(r->rng, 100);
    a->dst = random_part(r, 2);
}

static void
add_bundle(const struct random_rules *r, struct actions *actions)
{
    uint16_t n = (uint16_t) rng_below(r->rng, 4);
    struct action_bundle *a = actions_add(actions, ACTION_BUNDLE, sizeof *a
                                          + n * sizeof a->members[0]);

    a->fields = (uint16_t) rng_below(r->rng, N_HASH_FIELDS);
    a->basis = (uint16_t) rng_below(r->rng, 3);
    a->algorithm = (uint16_t) rng_below(r->rng, N_BUNDLE_ALGORITHMS);
    a->n_members = n;
    if (rng_one_in(r->rng, 2)) {
        a->dst = random_part(r, 16);
    }
    for (unsigned int i = 0; i < n; i++) {
        a->members[i] = random_port(r);
    }
}

static void
add_check_pkt_larger(const struct random_rules *r, struct actions *actions)
{
    struct action_check_pkt_larger *a
        = actions_add(actions, ACTION_CHECK_PKT_LARGER, sizeof *a);

    a->pkt_len = (uint16_t) rng_below(r->rng, 120);
    a->dst = random_part(r, 1);
}

static void
random_balance(const struct random_rules *r, struct actions *actions)
{
    struct action_sample *sample;

    switch (rng_below(r->rng, 4)) {
    case 0:
        add_multipath(r, actions);
        return;
    case 1:
        add_bundle(r, actions);
        return;
    case 2:
        add_check_pkt_larger(r, actions);
        return;
    default:
        sample = actions_add(actions, ACTION_SAMPLE, sizeof *sample);
        sample->probability = 1;
        sample->sampling_port = OFPP_ANY;
        return;
    }
}

static void
random_action(const struct random_rules *r, struct actions *actions,
              struct where where)
{
    static const enum action_type plain[] = {
        ACTION_POP_VLAN, ACTION_POP_VLAN, ACTION_DEC_TTL, ACTION_DEC_TTL,
        ACTION_DEC_MPLS_TTL, ACTION_COPY_TTL_OUT, ACTION_COPY_TTL_IN,
        ACTION_POP_QUEUE, ACTION_POP_PBB,
    };

    switch (rng_below(r->rng, 23)) {
    case 21: case 22:
        random_balance(r, actions);
        return;
    case 0: case 1: case 2: case 3:
        add_set_field(r, actions);
        return;
    case 4: case 5: case 6:
        add_output(r, actions);
        return;
    case 7: case 8:
        add_move(r, actions);
        return;
    case 9:
        add_push(r, actions, rng_one_in(r->rng, 6) ? ACTION_PUSH_PBB
                                                   : ACTION_PUSH_VLAN);
        return;
    case 10:
        add_push(r, actions, rng_one_in(r->rng, 2) ? ACTION_PUSH_MPLS
                                                   : ACTION_POP_MPLS);
        return;
    case 11: case 12: {
        enum action_type type = plain[rng_below(r->rng, ARRAY_SIZE(plain))];

        actions_add(actions, type, sizeof(struct action_plain));
        return;
    }
    case 13:
        add_group(r, actions, where);
        return;
    case 14:
        add_resubmit(r, actions, where.table);
        return;
    case 15:
        add_clone(r, actions, where);
        return;
    case 16:
        add_stack(r, actions, rng_one_in(r->rng, 2) ? ACTION_STACK_PUSH
                                                    : ACTION_STACK_POP);
        return;
    case 17:
        actions_add_controller(actions, rng_one_in(r->rng, 2)
                                        ? OFPCML_NO_BUFFER : 30,
                               REASON_APPLY_ACTION);
        return;
    case 18:
        if (rng_one_in(r->rng, 4)) {
            actions_add(actions, ACTION_EXIT, sizeof(struct action_plain));
        } else {
            add_output_reg(actions);
        }
        return;
    case 19:
        random_extension(r, actions, where.table);
        return;
    default:
        add_number(actions, rng_one_in(r->rng, 2) ? ACTION_METER
                                                  : ACTION_SET_QUEUE, 1);
        return;
    }
}

static void
random_actions(const struct random_rules *r, struct actions *actions,
               unsigned int n, struct where where)
{
    while (n--) {
        random_action(r, actions, where);
    }
}

/* NORMAL comes before anything that may drop the packet: learning is not
 * undone by what fails later, neither here nor in the switch, but only one of
 * them would come to it. */
static void
maybe_add_normal(const struct random_rules *r, const struct flow_mod *mod,
                 struct actions *actions)
{
    if (!mod->table && rng_one_in(r->rng, 3)) {
        if (rng_one_in(r->rng, 3)) {
            actions_add_set_field(actions, FIELD_ETH_DST,
                                  random_value(r, field_by_id(FIELD_ETH_DST)),
                                  field_ones(field_by_id(FIELD_ETH_DST)));
        }
        actions_add_output(actions, OFPP_NORMAL);
    }
}

void
random_instructions(const struct random_rules *r, struct flow_mod *mod)
{
    /* Buckets may lead to the last table, so that uses no groups. */
    struct where where = {
        mod->table, mod->table + 1 < RANDOM_TABLES ? 1 : RANDOM_GROUPS + 1, 0
    };
    struct instructions *ins = &mod->instructions;

    actions_clear(&mod->storage[0]);
    actions_clear(&mod->storage[1]);
    memset(ins, 0, sizeof *ins);
    maybe_add_normal(r, mod, &mod->storage[0]);
    random_actions(r, &mod->storage[0], rng_below(r->rng, 5), where);
    if (rng_one_in(r->rng, 3)) {
        random_actions(r, &mod->storage[1], 1 + rng_below(r->rng, 3), where);
    }
    ins->clear = rng_one_in(r->rng, 10);
    if (rng_one_in(r->rng, 4)) {
        ins->metadata_mask = htobe64(rng_u64(r->rng));
        ins->metadata = htobe64(rng_below(r->rng, 4)) & ins->metadata_mask;
    }
    if (mod->table + 1 < RANDOM_TABLES && !rng_one_in(r->rng, 3)) {
        ins->has_goto = true;
        ins->goto_table = (uint8_t) (
            mod->table + 1 + rng_below(r->rng,
                                       RANDOM_TABLES - mod->table - 1u));
    }
    ins->meter = rng_one_in(r->rng, 20);
    flow_mod_seal(mod);
}

/* One or two clauses of conjunctions; they meet at one priority. */
static void
random_clauses(const struct random_rules *r, struct flow_mod *mod)
{
    mod->priority = RANDOM_CLAUSE_PRIORITY;
    for (unsigned int n = 1 + rng_below(r->rng, 2); n > 0; n--) {
        struct action_conjunction *a
            = actions_add(&mod->storage[0], ACTION_CONJUNCTION, sizeof *a);

        a->id = 1 + rng_below(r->rng, 2);
        a->n_clauses = (uint8_t) (2 + !rng_below(r->rng, 4));
        a->clause = (uint8_t) rng_below(r->rng, a->n_clauses);
    }
    flow_mod_seal(mod);
}

/* All IP of one version, and perhaps a state: what ct may stand behind. */
static bool
random_tracker(const struct random_rules *r, uint8_t table,
               struct flow_mod *mod)
{
    const struct field *proto = field_by_id(FIELD_IP_PROTO);
    const struct flow *flow = random_flow(r);
    struct where where = { table, 1, 0 };

    if (!field_prereq_met(proto, flow)) {
        return false;
    }
    match_prereqs(&mod->match, proto, flow);
    if (rng_one_in(r->rng, 2)) {
        match_set(&mod->match, FIELD_CT_STATE,
                  FLOW_CT_TRK * rng_below(r->rng, 2), FLOW_CT_TRK);
    }
    add_ct(r, &mod->storage[0], table);
    random_actions(r, &mod->storage[0], rng_below(r->rng, 4), where);
    flow_mod_seal(mod);
    return true;
}

void
random_rule(const struct random_rules *r, uint8_t table, uint16_t priority,
            struct flow_mod *mod)
{
    flow_mod_init(mod);
    mod->table = table;
    mod->priority = priority;
    mod->cookie = htobe64((uint64_t) table << 16 | priority);
    if (priority && rng_one_in(r->rng, 8) && random_tracker(r, table, mod)) {
        return;
    }
    if (priority) {
        random_match(r, table, &mod->match);
    }
    if (priority && rng_one_in(r->rng, 6)) {
        random_clauses(r, mod);
        return;
    }
    if (priority && rng_one_in(r->rng, 8)) {
        match_set(&mod->match, FIELD_CONJ_ID, 1 + rng_below(r->rng, 2),
                  UINT32_MAX);
    }
    random_instructions(r, mod);
}

/* Which fields choose the bucket: the usual ones, or some that are named. */
static void
random_selection(const struct random_rules *r, struct group_selection *sel)
{
    static const enum field_id ids[] = { FIELD_ETH_DST, FIELD_IPV4_DST,
                                         FIELD_IPV4_SRC, FIELD_TCP_DST,
                                         FIELD_IN_PORT };

    strcpy(sel->method, "hash");
    sel->param = rng_below(r->rng, 3);
    sel->n_fields = rng_below(r->rng, 3);
    for (unsigned int i = 0; i < sel->n_fields; i++) {
        const struct field *field =
            field_by_id(ids[rng_below(r->rng, ARRAY_SIZE(ids))]);

        sel->fields[i].id = field->id;
        sel->fields[i].mask = rng_one_in(r->rng, 2) ? field_ones(field) : 3;
    }
}

void
random_group(const struct random_rules *r, uint32_t id, struct group_mod *mod)
{
    memset(mod, 0, sizeof *mod);
    mod->command = GROUP_MOD_ADD;
    mod->id = id;
    mod->type = (enum group_type) rng_below(r->rng, 4);
    mod->n_buckets = mod->type == GROUP_INDIRECT ? 1
                                                 : rng_below(r->rng, 4);
    if (mod->type == GROUP_SELECT && rng_one_in(r->rng, 2)) {
        random_selection(r, &mod->selection);
    }
    mod->buckets = xcalloc(MAX(mod->n_buckets, 1u), sizeof *mod->buckets);
    for (unsigned int i = 0; i < mod->n_buckets; i++) {
        struct bucket *b = &mod->buckets[i];
        struct where where = { RANDOM_TABLES - 2, id + 1, 0 };

        b->id = i;
        b->weight = mod->type == GROUP_SELECT
                    ? (uint16_t) rng_below(r->rng, 4) : 0;
        b->watch_port = OFPP_ANY;
        b->watch_group = OFPG_ANY;
        if (mod->type == GROUP_FAST_FAILOVER
            || (mod->type == GROUP_SELECT && rng_one_in(r->rng, 3))) {
            b->watch_port = random_port_number(
                1 + rng_below(r->rng, RANDOM_PORTS + 1));
        }
        random_actions(r, &b->actions, 1 + rng_below(r->rng, 3), where);
    }
}
