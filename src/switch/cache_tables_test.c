/* The cache against the tables.
 *
 * A real switch (tables, translation, flow cache, executor) and its naive twin
 * get the same random tables and the same random packets, and must send the same
 * bytes to the same ports.  For each packet the mask of its answer is taken, and
 * random other packets that agree in those bits, which the cache answers without
 * asking anybody, are sent as well.  In between tables change, now and then
 * while a packet is just being translated.
 *
 *     WEFT_PAIRS   how many packets to compare (default 1,000,000)
 *     WEFT_SEED    which random numbers (default 1) */
#include <inttypes.h>

#include "lib/rcu.h"
#include "port/ring.h"
#include "switch/mutant.h"
#include "switch/naive_switch.h"
#include "switch/random_frames.h"
#include "switch/random_rules.h"
#include "switch/random_tunnels.h"
#include "switch/switch_impl.h"
#include "unit.h"

enum {
    N_FRAMES = 40,                /* of one set of tables */
    N_INSIDE = 12,                /* packets inside of each one's entry */
    N_CHANGES = 6,                /* of the tables */
};

struct rig {
    struct rng rng;
    uint64_t seed;
    struct switch_ *sw;
    struct packet_pool *pool;
    struct naive_switch naive;
    struct random_rules random;
    struct random_frame frames[N_FRAMES];
    struct flow flows[N_FRAMES];
    uint16_t next_priority;
    msec now;

    bool is_verbose;
    bool race_armed, raced;       /* a change during a translation */
    uint64_t n_pairs, n_hits, n_skipped, n_races, n_conjunctive;
    uint64_t n_tracked;           /* packets of connections that there are */
    uint64_t n_tunnelled;         /* left by the tunnel */
};

/* ---- Rules, in both ---- */

static bool
refused(enum of_error error)
{
    return error != OF_OK;
}

/* Clauses share a priority; one with a match that there is would replace it. */
static bool
is_there(const struct naive_switch *naive, const struct flow_mod *mod)
{
    for (unsigned int i = 0; i < naive->n_rules; i++) {
        const struct flow_mod *rule = naive->rules[i];

        if (rule->table == mod->table && rule->priority == mod->priority
            && match_equal(&rule->match, &mod->match)) {
            return true;
        }
    }
    return false;
}

static void
add_rule(struct rig *rig, uint8_t table, uint16_t priority)
{
    struct naive_switch *naive = &rig->naive;
    struct flow_mod *mod;

    if (naive->n_rules == NAIVE_MAX_RULES) {
        return;
    }
    mod = xzalloc(sizeof *mod);
    for (unsigned int tries = 0; tries < 20; tries++) {
        random_rule(&rig->random, table, priority, mod);
        if (!is_there(naive, mod)
            && !refused(switch_flow_mod(rig->sw, mod, rig->now, NULL))) {
            naive->rules[naive->n_rules++] = mod;
            return;
        }
        flow_mod_fini(mod);
    }
    free(mod);
}

static void
delete_rule(struct rig *rig)
{
    struct naive_switch *naive = &rig->naive;
    unsigned int i;
    struct flow_mod mod;

    if (!naive->n_rules) {
        return;
    }
    i = rng_below(&rig->rng, naive->n_rules);
    flow_mod_init(&mod);
    mod.command = FLOW_MOD_DELETE_STRICT;
    mod.table = naive->rules[i]->table;
    mod.priority = naive->rules[i]->priority;
    mod.match = naive->rules[i]->match;
    CHECK(!refused(switch_flow_mod(rig->sw, &mod, rig->now, NULL)));
    flow_mod_fini(naive->rules[i]);
    free(naive->rules[i]);
    naive->rules[i] = naive->rules[--naive->n_rules];
}

static void
modify_rule(struct rig *rig)
{
    struct naive_switch *naive = &rig->naive;
    struct flow_mod mod, *rule;
    unsigned int i;

    if (!naive->n_rules) {
        return;
    }
    i = rng_below(&rig->rng, naive->n_rules);
    rule = naive->rules[i];
    if (action_list_is_clause(rule->instructions.apply)) {
        return;
    }
    flow_mod_init(&mod);
    mod.command = FLOW_MOD_MODIFY_STRICT;
    mod.table = rule->table;
    mod.priority = rule->priority;
    mod.match = rule->match;
    random_instructions(&rig->random, &mod);
    if (refused(switch_flow_mod(rig->sw, &mod, rig->now, NULL))) {
        flow_mod_fini(&mod);
        return;
    }
    mod.cookie = rule->cookie;
    flow_mod_fini(rule);
    *rule = mod;
}

static void
add_group(struct rig *rig, uint32_t id)
{
    struct naive_switch *naive = &rig->naive;
    struct group_mod *mod = xzalloc(sizeof *mod);

    random_group(&rig->random, id, mod);
    if (!refused(switch_group_mod(rig->sw, mod, rig->now, NULL))) {
        naive->groups[naive->n_groups++] = mod;
        return;
    }
    group_mod_fini(mod);
    free(mod);
}

static void
modify_group(struct rig *rig)
{
    struct naive_switch *naive = &rig->naive;
    struct group_mod mod;
    unsigned int i;

    if (!naive->n_groups) {
        return;
    }
    i = rng_below(&rig->rng, naive->n_groups);
    random_group(&rig->random, naive->groups[i]->id, &mod);
    mod.command = GROUP_MOD_MODIFY;
    if (refused(switch_group_mod(rig->sw, &mod, rig->now, NULL))) {
        group_mod_fini(&mod);
        return;
    }
    group_mod_fini(naive->groups[i]);
    *naive->groups[i] = mod;
}

/* ---- What the controller gets unasked, in both ---- */

static void
set_unasked(struct rig *rig, unsigned int what)
{
    switch_set_unasked(rig->sw, what);
    rig->naive.unasked = what;
}

static void
set_fragments(struct rig *rig, enum of_frag fragments)
{
    switch_set_fragments(rig->sw, fragments);
    rig->naive.fragments = fragments;
}

/* ---- Where egress begins, in both ---- */

static void
change_egress(struct rig *rig)
{
    unsigned int first = 1 + rng_below(&rig->rng, RANDOM_TABLES - 1);

    if (rng_one_in(&rig->rng, 2)) {
        first = N_TABLES;
    }

    if (!refused(switch_set_first_egress(rig->sw, first))) {
        rig->naive.first_egress = first;
    }
}

/* ---- Ports, in both ---- */

static void
copy_port(struct rig *rig, unsigned int n, const struct switch_port *port)
{
    rig->naive.ports[n] = (struct port_settings) {
        .number = port->number, .vlan = port->vlan,
        .is_protected = port->is_protected,
        .is_tunnel = port->port->class->is_tunnel,
        .no_flood = port->no_flood,
        .no_recv = port->no_recv, .no_recv_stp = port->no_recv_stp,
        .no_fwd = port->no_fwd,
        .no_packet_in = port->no_packet_in, .admin_down = port->admin_down,
        .is_up = port->is_up,
    };
}

static void
change_port_flags(struct rig *rig, unsigned int n)
{
    struct switch_port *port = switch_port_by_number(rig->sw,
                                                     random_port_number(n));
    struct rng *rng = &rig->rng;

    switch_set_port_flags(rig->sw, port, rng_one_in(rng, 4),
                          rng_one_in(rng, 6), rng_one_in(rng, 12),
                          rng_one_in(rng, 8), rng_one_in(rng, 8),
                          rng_one_in(rng, 8), rng_one_in(rng, 12));
    copy_port(rig, n, port);
}

static void
add_port(struct rig *rig, unsigned int n)
{
    struct port_config config = { .type = "ring" };
    struct port_vlan vlan = { .mode = VLAN_TRUNK };
    struct switch_port *port;
    struct str error = STR_INIT;

    snprintf(config.name, sizeof config.name, "p%u", n);
    CHECK_MSG(!switch_add_port(rig->sw, &config, random_port_number(n), &port,
                               &error),
              "%s", str_text(&error));
    str_fini(&error);
    if (n == RANDOM_TUNNEL) {
        port->port->class = &random_tunnel_class;
    }
    vlan.mode = (enum vlan_mode) rng_below(&rig->rng, 4);
    vlan.vid = (uint16_t) (10 * (1 + rng_below(&rig->rng, 2)));
    if (rng_one_in(&rig->rng, 2)) {
        vlan.trunks[0] = UINT64_C(1) << 10 | UINT64_C(1);
    }
    if (rng_one_in(&rig->rng, 3)) {
        vlan.mode = VLAN_TRUNK;
    }
    CHECK(!switch_set_port_vlan(rig->sw, port, &vlan));
    change_port_flags(rig, n);
}

/* ---- Packets ---- */

static void
flow_of_frame(struct rig *rig, const struct random_frame *frame,
              uint32_t in_port, struct flow *flow)
{
    struct packet *pkt = packet_alloc(rig->pool, frame->len);
    struct flow_key key;

    memcpy(pkt->data, frame->bytes, frame->len);
    pkt->len = frame->len;
    pkt->in_port = port_id(in_port);
    flow_key_extract(pkt, &key);
    if (in_port == RANDOM_TUNNEL) {
        tunnel_key_extract(&frame->tun, &key);
        tunnel_key_extract_options(&frame->tun, &rig->naive.options, &key);
    }
    port_map_flow(flow, &key);
    packet_free(pkt);
}

static void
send_frame(struct rig *rig, const struct random_frame *frame,
           uint32_t in_port)
{
    struct packet *pkt = packet_alloc(rig->pool, frame->len);
    struct port *port = switch_port_by_number(rig->sw, in_port)->port;

    memcpy(pkt->data, frame->bytes, frame->len);
    pkt->len = frame->len;
    pkt->offload.flags = OFFLOAD_DATA_VALID;
    if (in_port == RANDOM_TUNNEL) {
        random_tunnel_arrive(pkt, &frame->tun);
    }
    CHECK(ring_push(port, &pkt, 1) == 1);
    while (datapath_poll_once(rig->sw->dp)) {
    }
    rcu_quiescent();
}

/* ---- Comparing ---- */

static const struct naive_output *
next_output(const struct naive_switch *naive, unsigned int *i, uint32_t port)
{
    while (*i < naive->n_outputs) {
        const struct naive_output *out = &naive->outputs[(*i)++];

        if (out->port == port) {
            return out;
        }
    }
    return NULL;
}

static void
print_bytes(const char *what, uint32_t port, const uint8_t *bytes,
            uint32_t len)
{
    struct str s = STR_INIT;

    for (uint32_t i = 0; i < len; i++) {
        str_addf(&s, "%02x", bytes[i]);
    }
    print_error("%s: port %u %s\n", what, port, str_text(&s));
    str_fini(&s);
}

static bool
same_frames(struct rig *rig, uint32_t number)
{
    struct port *port = switch_port_by_number(rig->sw, number)->port;
    bool same = true;
    unsigned int i = 0, n;
    struct batch batch;

    do {
        batch.n = 0;
        ring_pop(port, &batch);
        for (unsigned int k = 0; k < batch.n; k++) {
            const struct naive_output *out = next_output(&rig->naive, &i,
                                                         number);

            same &= out && out->len == batch.pkts[k]->len
                    && !memcmp(out->bytes, batch.pkts[k]->data, out->len)
                    && (number != RANDOM_TUNNEL
                        || random_tunnel_is(&batch.pkts[k]->tun, &out->tun,
                                            rig->is_verbose));
            rig->n_tunnelled += number == RANDOM_TUNNEL;
            if (rig->is_verbose) {
                print_bytes("sent", number, batch.pkts[k]->data,
                            batch.pkts[k]->len);
            }
        }
        n = batch.n;
        batch_free_all(&batch);
    } while (n);
    return same && !next_output(&rig->naive, &i, number);
}

static bool
same_packet_in(const struct naive_output *out, const struct packet_in *msg)
{
    return out && out->len == msg->len
           && !memcmp(out->bytes, msg->data, out->len)
           && out->reason == msg->reason && out->table == msg->table
           && out->cookie == msg->cookie
           && out->controller_id == msg->controller_id
           && out->userdata_len == msg->userdata_len
           && !memcmp(out->userdata, packet_in_userdata(msg),
                      out->userdata_len)
           && out->metadata == msg->flow.metadata
           && !memcmp(out->regs, msg->flow.regs, sizeof out->regs);
}

static bool
same_packet_ins(struct rig *rig)
{
    struct packet_in_queue *queue = switch_packet_ins(rig->sw);
    struct packet_in *msg;
    bool same = true;
    unsigned int i = 0;

    while ((msg = packet_in_take(queue))) {
        same &= same_packet_in(next_output(&rig->naive, &i, 0), msg);
        packet_in_free(msg);
    }
    return same && !next_output(&rig->naive, &i, 0);
}

static bool
same_result(struct rig *rig)
{
    bool same = true;

    for (unsigned int n = 1; n <= RANDOM_PORTS; n++) {
        same &= same_frames(rig, random_port_number(n));
    }
    return same & same_packet_ins(rig);
}

/* Packets that go beyond a bound are dropped by the switch only. */
static uint64_t
n_beyond_bounds(struct rig *rig)
{
    uint64_t drops[N_DROP_REASONS];

    datapath_read_drops(rig->sw->dp, NULL, drops);
    return drops[DROP_RECIRC_DEPTH] + drops[DROP_TRANSLATE_LIMIT];
}

/* ---- Saying what went wrong ---- */

static void
print_failure(struct rig *rig, const struct random_frame *frame,
              uint32_t in_port)
{
    struct str s = STR_INIT;
    struct trace trace;
    struct flow flow;

    print_error("seed %" PRIu64 ", pair %" PRIu64 "\n", rig->seed,
                rig->n_pairs);
    for (unsigned int i = 0; i < rig->naive.n_rules; i++) {
        str_clear(&s);
        flow_mod_format(rig->naive.rules[i], &s);
        print_error("rule %s\n", str_text(&s));
    }
    for (unsigned int i = 0; i < rig->naive.n_groups; i++) {
        str_clear(&s);
        group_mod_format(rig->naive.groups[i], &s);
        print_error("group %s\n", str_text(&s));
    }
    print_bytes("received", in_port, frame->bytes, frame->len);
    for (unsigned int i = 0; i < rig->naive.n_outputs; i++) {
        const struct naive_output *out = &rig->naive.outputs[i];

        print_bytes(out->port ? "expected" : "expected to controller",
                    out->port, out->bytes, out->len);
    }
    rig->is_verbose = true;
    send_frame(rig, frame, in_port);
    same_result(rig);
    flow_of_frame(rig, frame, in_port, &flow);
    if (!switch_trace(rig->sw, &flow, false, &trace, NULL)) {
        for (unsigned int i = 0; i < trace.n_steps; i++) {
            print_error("trace: %*s%s\n", 2 * (int) trace.steps[i].depth, "",
                        trace.steps[i].text);
        }
        print_error("megaflow %s\nactions %s\n%s\n", str_text(&trace.megaflow),
                    str_text(&trace.actions), str_text(&trace.verdict));
        trace_fini(&trace);
    }
    str_fini(&s);
}

/* Both trackers are empty then: one may have seen more packets. */
static void
forget_connections(struct rig *rig)
{
    struct datapath *dp = rig->sw->dp;

    conntrack_flush(datapath_conntrack(dp), datapath_ct_slot(dp), 0, NULL,
                    NULL);
    conntrack_flush(rig->naive.ct, 0, 0, NULL, NULL);
}

static void
check_frame(struct rig *rig, const struct random_frame *frame,
            uint32_t in_port)
{
    struct random_frame settled = *frame;
    bool same;

    random_frame_settle(&settled);
    frame = &settled;
    naive_run(&rig->naive, frame->bytes, frame->len, in_port,
              in_port == RANDOM_TUNNEL ? &frame->tun : NULL);
    rig->raced = false;
    send_frame(rig, frame, in_port);
    rig->n_pairs++;
    rig->n_hits += rig->naive.hit;
    rig->n_conjunctive += rig->naive.conjunctive;
    same = same_result(rig);
    if (rig->raced) {
        /* This one went by the old tables or the new; the next must not. */
        rig->n_races++;
        forget_connections(rig);
        switch_barrier(rig->sw);
        return;
    }
    switch_run(rig->sw, rig->now);
    if (!same) {
        uint64_t before = n_beyond_bounds(rig);

        /* Or does it do what cannot be compared? */
        send_frame(rig, frame, in_port);
        same_result(rig);
        if (rig->naive.overflow || n_beyond_bounds(rig) > before) {
            rig->n_skipped++;
            forget_connections(rig);
            return;
        }
        print_failure(rig, frame, in_port);
        fail_msg("the data path and the tables disagree");
    }
}

/* Changes the frame at random places, but no bit of the key that the mask
 * says was looked at. */
static void
vary_inside(struct rig *rig, struct random_frame *frame, uint32_t in_port,
            const struct flow *flow, const struct flow_mask *mask)
{
    unsigned int n = 1 + rng_below(&rig->rng, 12);

    while (n--) {
        struct random_frame old = *frame;
        uint32_t at = rng_below(&rig->rng, MIN(frame->len, 90u));
        struct flow now;

        if (in_port == RANDOM_TUNNEL && rng_one_in(&rig->rng, 3)) {
            random_tunnel_vary(&rig->rng, &frame->tun);
        } else if (rng_one_in(&rig->rng, 2)) {
            frame->bytes[at] ^= (uint8_t) (1u << rng_below(&rig->rng, 8));
        } else {
            frame->bytes[at] = (uint8_t) rng_u32(&rig->rng);
        }
        flow_of_frame(rig, frame, in_port, &now);
        for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
            if ((now.w[i] ^ flow->w[i]) & mask->bits.w[i]) {
                *frame = old;
                break;
            }
        }
    }
}

static void
mask_of(struct rig *rig, const struct flow *flow, struct flow_mask *mask)
{
    struct translate_options opt = { .now = rig->now, .no_effects = true };
    struct credit_list credits = { 0 };
    struct upcall up = { .now = rig->now };

    translate(&rig->sw->pipeline.env, &opt, flow, &up, &credits);
    *mask = up.mask;
    credit_list_fini(&credits);
    dp_actions_fini(&up.actions);
}

static void
check_entry(struct rig *rig, const struct random_frame *frame)
{
    uint32_t in_port = random_port_number(1 + rng_below(&rig->rng,
                                                        RANDOM_PORTS));
    struct flow_mask mask;
    struct flow flow;

    check_frame(rig, frame, in_port);
    flow_of_frame(rig, frame, in_port, &flow);
    mask_of(rig, &flow, &mask);
    for (unsigned int i = 0; i < N_INSIDE; i++) {
        struct random_frame other = *frame;

        vary_inside(rig, &other, in_port, &flow, &mask);
        check_frame(rig, &other, in_port);
    }
}

/* ---- Changes ---- */

static void
change_something(struct rig *rig)
{
    if (rng_one_in(&rig->rng, 16)) {
        change_egress(rig);
        return;
    }
    switch (rng_below(&rig->rng, 8)) {
    case 0:
        modify_group(rig);
        return;
    case 1:
        change_port_flags(rig, 1 + rng_below(&rig->rng, RANDOM_PORTS));
        return;
    case 2: case 3:
        delete_rule(rig);
        return;
    case 4: case 5:
        modify_rule(rig);
        return;
    default:
        add_rule(rig, (uint8_t) rng_below(&rig->rng, RANDOM_TABLES),
                 rig->next_priority++);
        return;
    }
}

/* Called in the midst of a translation that learns: as if the control thread
 * had published just then. */
static void
wake(void *rig_)
{
    struct rig *rig = rig_;

    if (rig->race_armed) {
        rig->race_armed = false;
        rig->raced = true;
        for (unsigned int i = 0; i < 4; i++) {
            change_something(rig);
        }
        rig->now += SWITCH_PUBLISH_MS;
        switch_run(rig->sw, rig->now);
    }
}

/* ---- One set of tables ---- */

/* The twin has no clock. */
static void
never_expire(struct conntrack *ct)
{
    for (unsigned int i = 0; i < N_CT_TIMEOUTS; i++) {
        conntrack_set_timeout(ct, (enum ct_timeout) i, INT64_MAX / 4);
    }
}

static void
rig_init(struct rig *rig, uint64_t seed)
{
    /* Both choose alike; fragments that wait for others are fragments_test.c's. */
    struct ct_config tracker = { .hash_seed = 7, .no_fragments = true };
    struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true, .ct = tracker },
        .wake = wake, .wake_aux = rig,
    };
    struct meter_mod meter = {
        .command = METER_MOD_ADD, .id = 1, .flags = METER_PKTPS,
        .n_bands = 1,
        .bands = { { .type = METER_BAND_DROP, .rate = UINT32_MAX } },
    };

    rig->rng = (struct rng) { seed };
    rig->seed = seed;
    rig->now = 1;
    rig->next_priority = 1;
    rig->race_armed = rig->raced = false;
    rig->sw = switch_create(&config, rig->now);
    memset(&rig->naive, 0, sizeof rig->naive);
    rig->naive.env = &rig->sw->pipeline.env;
    rig->naive.pool = rig->pool;
    rig->naive.ct = conntrack_create(&tracker);
    never_expire(rig->naive.ct);
    never_expire(datapath_conntrack(rig->sw->dp));
    rig->naive.first_egress = N_TABLES;
    if (rng_one_in(&rig->rng, 3)) {
        rig->naive.first_egress = 1 + rng_below(&rig->rng, RANDOM_TABLES - 1);
        CHECK(!refused(switch_set_first_egress(rig->sw,
                                               rig->naive.first_egress)));
    }
    rig->random = (struct random_rules) { &rig->rng, N_FRAMES, rig->flows };

    for (unsigned int n = 1; n <= RANDOM_PORTS; n++) {
        add_port(rig, n);
    }
    random_tunnel_map(&rig->rng, rig->sw, &rig->naive.options);
    for (unsigned int i = 0; i < N_FRAMES; i++) {
        random_frame(&rig->rng, &rig->frames[i]);
        random_tunnel(&rig->rng, &rig->frames[i].tun);
        flow_of_frame(rig, &rig->frames[i],
                      random_port_number(1 + rng_below(&rig->rng,
                                                       RANDOM_PORTS)),
                      &rig->flows[i]);
    }
    CHECK(!refused(switch_meter_mod(rig->sw, &meter, rig->now, NULL)));
    set_fragments(rig, rng_one_in(&rig->rng, 8) ? FRAG_DROP
                       : rng_one_in(&rig->rng, 2) ? FRAG_NORMAL
                       : FRAG_NX_MATCH);
    set_unasked(rig, rng_below(&rig->rng,
                               (UNASKED_MISSES | UNASKED_EXPIRED) + 1));
    for (uint32_t id = RANDOM_GROUPS; id > 0; id--) {
        add_group(rig, id);
    }
    for (uint8_t table = 0; table < RANDOM_TABLES; table++) {
        unsigned int n = 3 + rng_below(&rig->rng, 12);

        if (rng_one_in(&rig->rng, 2)) {
            add_rule(rig, table, 0);
        }
        while (n--) {
            add_rule(rig, table, rig->next_priority++);
        }
    }
    switch_barrier(rig->sw);
}

static void
rig_fini(struct rig *rig)
{
    struct naive_switch *naive = &rig->naive;
    struct ct_counters ct;

    conntrack_read_counters(naive->ct, &ct);
    rig->n_tracked += ct.packets - ct.invalid;
    naive_clear(naive);
    conntrack_destroy(naive->ct);
    for (unsigned int i = 0; i < naive->n_rules; i++) {
        flow_mod_fini(naive->rules[i]);
        free(naive->rules[i]);
    }
    for (unsigned int i = 0; i < naive->n_groups; i++) {
        group_mod_fini(naive->groups[i]);
        free(naive->groups[i]);
    }
    switch_destroy(rig->sw);
    CHECK(packet_pool_in_use(rig->pool) == 0);
}

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(the_cache_says_what_the_tables_say)
{
    uint64_t n_pairs = number_from("WEFT_PAIRS", 1000000);
    uint64_t seed = number_from("WEFT_SEED", 1);
    struct rig *rig = xzalloc(sizeof *rig);

    rig->pool = packet_pool_create(4096, 0);
    for (; rig->n_pairs < n_pairs; seed++) {
        rig_init(rig, seed);
        for (unsigned int change = 0; change < N_CHANGES; change++) {
            for (unsigned int i = 0; i < N_FRAMES; i++) {
                rig->race_armed = rng_one_in(&rig->rng, 40);
                check_entry(rig, &rig->frames[i]);
            }
            rig->race_armed = false;
            for (unsigned int i = 0; i < 5; i++) {
                change_something(rig);
            }
            switch_barrier(rig->sw);
        }
        rig_fini(rig);
    }
    print_message("%" PRIu64 " pairs, %" PRIu64 "%% hit an entry of their "
                  "own, %" PRIu64 " a conjunction, %" PRIu64 " raced, %" PRIu64
                  " beyond bounds, %" PRIu64 " tracked, %" PRIu64
                  " by the tunnel\n",
                  rig->n_pairs, rig->n_hits * 100 / rig->n_pairs,
                  rig->n_conjunctive, rig->n_races, rig->n_skipped,
                  rig->n_tracked, rig->n_tunnelled);
    CHECK(rig->n_hits * 20 >= rig->n_pairs * 9 && rig->n_races > 0);
    CHECK(rig->n_skipped * 20 < rig->n_pairs);
    CHECK(rig->n_tracked * 100 > rig->n_pairs);
    CHECK(rig->n_conjunctive * 1000 > rig->n_pairs);
    CHECK(rig->n_tunnelled * 50 > rig->n_pairs);
    packet_pool_destroy(rig->pool);
    free(rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_cache_says_what_the_tables_say),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
