/* Entries that packets make, in a switch whose ports are rings. */
#include "switch/learn.h"

#include "lib/clock.h"
#include "lib/rcu.h"
#include "port/ring.h"
#include "switch/switch_impl.h"
#include "unit.h"

enum { N_PORTS = 3 };

struct rig {
    struct switch_ *sw;
    struct packet_pool *pool;
    msec now;
    unsigned int n_awaited;       /* something called for switch_run() */
    unsigned int n_got[N_PORTS + 1];
};

static void
wake(void *rig)
{
    ((struct rig *) rig)->n_awaited++;
}

static void
rig_init(struct rig *rig)
{
    struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true }, .wake = wake, .wake_aux = rig,
    };

    memset(rig, 0, sizeof *rig);
    rig->pool = packet_pool_create(256, 0);
    rig->now = clock_msec();
    rig->sw = switch_create(&config, rig->now);
    for (unsigned int i = 1; i <= N_PORTS; i++) {
        struct port_config port = { .type = "ring" };
        struct switch_port *added;

        snprintf(port.name, sizeof port.name, "p%u", i);
        CHECK(!switch_add_port(rig->sw, &port, i, &added, NULL));
    }
    switch_run(rig->sw, rig->now);
}

static void
rig_fini(struct rig *rig)
{
    switch_destroy(rig->sw);
    CHECK(packet_pool_in_use(rig->pool) == 0);
    packet_pool_destroy(rig->pool);
}

static void
flow_mod(struct rig *rig, enum flow_mod_command command, const char *text)
{
    struct str error = STR_INIT;
    struct flow_mod mod;

    CHECK_MSG(!flow_mod_parse(text, command, switch_names(rig->sw), &mod,
                              &error), "%s", str_text(&error));
    CHECK_MSG(switch_flow_mod(rig->sw, &mod, rig->now, &error) == OF_OK,
              "%s", str_text(&error));
    flow_mod_fini(&mod);
    str_fini(&error);
    switch_barrier(rig->sw);
}

static void
poll_ports(struct rig *rig)
{
    while (datapath_poll_once(switch_datapath(rig->sw))) {
    }
    for (unsigned int i = 1; i <= N_PORTS; i++) {
        struct batch batch = { .n = 0 };

        ring_pop(switch_port_by_number(rig->sw, i)->port, &batch);
        rig->n_got[i] += batch.n;
        batch_free_all(&batch);
    }
}

/* From station `src` to `dst`, TCP with `flags`. */
static void
receive(struct rig *rig, uint32_t in_port, uint8_t src, uint8_t dst,
        uint8_t flags)
{
    uint8_t frame[64] = {
        2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0,
        0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, src, 10, 0, 0, dst,
        0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags,
    };
    struct packet *pkt = packet_alloc(rig->pool, sizeof frame);

    memset(rig->n_got, 0, sizeof rig->n_got);
    memcpy(pkt->data, frame, sizeof frame);
    pkt->len = sizeof frame;
    CHECK(ring_push(switch_port_by_number(rig->sw, in_port)->port, &pkt, 1)
          == 1);
    poll_ports(rig);
}

/* The control thread's turn. */
static void
run(struct rig *rig)
{
    switch_run(rig->sw, rig->now);
    poll_ports(rig);
    rcu_quiescent();
}

static void
teach(struct rig *rig, uint32_t in_port, uint8_t src, uint8_t dst)
{
    receive(rig, in_port, src, dst, 0x10);
    run(rig);
}

static void
revalidate(struct rig *rig)
{
    revalidate_once(rig->sw->revalidator, rig->now);
    rcu_quiescent();
    poll_ports(rig);
    run(rig);
}

static unsigned int
n_entries(struct rig *rig, uint8_t table)
{
    return tables_stats(switch_tables(rig->sw), table)->n_entries;
}

static uint64_t
upcalls(struct rig *rig)
{
    struct datapath_counters c;

    datapath_read_counters(switch_datapath(rig->sw), &c);
    return c.upcalls;
}

#define BRIDGE                                                               \
    "table=0,actions=learn(table=1,hard_timeout=10,"                         \
    "NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"              \
    "output:NXM_OF_IN_PORT[]),resubmit(,1)"

static void
add_bridge(struct rig *rig)
{
    flow_mod(rig, FLOW_MOD_ADD, BRIDGE);
    flow_mod(rig, FLOW_MOD_ADD, "table=1,priority=0,actions=FLOOD");
}

TEST(the_packet_waits_until_its_entry_is_there)
{
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    receive(&rig, 1, 1, 2, 0x10);
    CHECK(rig.n_awaited > 0);
    CHECK(!rig.n_got[2] && !rig.n_got[3]);
    CHECK(n_entries(&rig, 1) == 1);
    run(&rig);
    CHECK(rig.n_got[2] == 1 && rig.n_got[3] == 1);
    CHECK(n_entries(&rig, 1) == 2);
    /* The answer meets it, and so does the next packet. */
    teach(&rig, 2, 2, 1);
    CHECK(rig.n_got[1] == 1 && !rig.n_got[3]);
    teach(&rig, 1, 1, 2);
    CHECK(rig.n_got[2] == 1 && !rig.n_got[3]);
    rig_fini(&rig);
}

TEST(what_is_learned_is_asked_for_once)
{
    uint64_t n_before;
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    teach(&rig, 1, 1, 2);
    teach(&rig, 1, 1, 2);
    n_before = upcalls(&rig);
    for (unsigned int i = 0; i < 10; i++) {
        receive(&rig, 1, 1, 2, 0x10);
        CHECK(rig.n_got[2] == 1);
    }
    CHECK(upcalls(&rig) == n_before);
    CHECK(n_entries(&rig, 1) == 2);
    rig_fini(&rig);
}

static const struct flow_entry *
learned(struct rig *rig, const char *text)
{
    const struct flow_entry *entry;
    struct flow_mod mod;

    CHECK(!flow_mod_parse(text, FLOW_MOD_ADD, NULL, &mod, NULL));
    entry = tables_find(switch_tables(rig->sw), &mod);
    flow_mod_fini(&mod);
    return entry;
}

TEST(a_learned_entry_says_what_the_action_says)
{
    struct str text = STR_INIT;
    const struct flow_entry *e;
    struct rig rig;

    rig_init(&rig);
    flow_mod(&rig, FLOW_MOD_ADD,
             "table=0,tcp,actions=load:7->NXM_NX_REG1[],learn(table=3,"
             "priority=9,idle_timeout=5,hard_timeout=6,cookie=0x12,"
             "send_flow_rem,fin_idle_timeout=1,eth_type=0x800,nw_proto=6,"
             "in_port=2,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],tcp_dst=tcp_src,"
             "load:NXM_NX_REG1[0..7]->NXM_NX_REG2[8..15],"
             "load:5->NXM_NX_REG3[],output:NXM_OF_IN_PORT[]),output:2");
    teach(&rig, 1, 1, 2);
    CHECK(rig.n_got[2] == 1);
    e = learned(&rig, "table=3,priority=9,tcp,in_port=2,nw_dst=10.0.0.1,"
                "tp_dst=80,actions=drop");
    CHECK(e);
    flow_entry_format(e, NULL, &text);
    assert_string_equal(
        str_text(&text),
        "table=3,cookie=0x12,priority=9,idle_timeout=5,hard_timeout=6,"
        "send_flow_rem,tcp,in_port=2,nw_dst=10.0.0.1,tp_dst=80,"
        "actions=fin_timeout(idle_timeout=1),load:0x7->NXM_NX_REG2[8..15],"
        "load:0x5->NXM_NX_REG3[],output:1");
    str_fini(&text);
    rig_fini(&rig);
}

TEST(a_station_that_moves_is_learned_anew)
{
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    teach(&rig, 1, 1, 2);
    teach(&rig, 1, 1, 2);
    teach(&rig, 3, 1, 2);
    teach(&rig, 2, 2, 1);
    CHECK(!rig.n_got[1] && rig.n_got[3] == 1);
    /* And back, though its first answer is cached: the revalidator sees that
     * the entry is another one. */
    teach(&rig, 1, 1, 2);
    revalidate(&rig);
    teach(&rig, 1, 1, 2);
    teach(&rig, 2, 2, 1);
    CHECK(rig.n_got[1] == 1 && !rig.n_got[3]);
    rig_fini(&rig);
}

TEST(packets_that_teach_keep_the_entry_alive)
{
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    teach(&rig, 1, 1, 2);
    for (unsigned int i = 0; i < 5; i++) {
        const struct flow_entry *e;

        teach(&rig, 1, 1, 2);
        revalidate(&rig);
        e = learned(&rig, "table=1,vlan_tci=0/0xfff,"
                    "dl_dst=02:00:00:00:00:01,actions=drop");
        CHECK(e);
        /* Workers' time is the clock's; the hard timeout counts from there. */
        tables_refresh(e, rig.now);
        rig.now += 9000;
        switch_run(rig.sw, rig.now);
        CHECK(n_entries(&rig, 1) == 2);
    }
    rig.now += 11000;
    switch_run(rig.sw, rig.now);
    rig.now += 1000;
    switch_run(rig.sw, rig.now);
    CHECK(n_entries(&rig, 1) == 1);
    rig_fini(&rig);
}

TEST(an_entry_that_went_is_learned_again)
{
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    teach(&rig, 1, 1, 2);
    teach(&rig, 1, 1, 2);
    flow_mod(&rig, FLOW_MOD_DELETE, "table=1,dl_dst=02:00:00:00:00:01");
    CHECK(n_entries(&rig, 1) == 1);
    teach(&rig, 1, 1, 2);
    revalidate(&rig);
    teach(&rig, 1, 1, 2);
    CHECK(n_entries(&rig, 1) == 2);
    rig_fini(&rig);
}

TEST(a_limit_is_kept_and_told)
{
    struct rig rig;

    rig_init(&rig);
    flow_mod(&rig, FLOW_MOD_ADD,
             "table=0,actions=learn(table=1,cookie=0x9,limit=2,"
             "result_dst=NXM_NX_REG0[0],NXM_OF_ETH_SRC[]),resubmit(,2)");
    flow_mod(&rig, FLOW_MOD_ADD, "table=2,reg0=1,actions=output:2");
    flow_mod(&rig, FLOW_MOD_ADD, "table=2,reg0=0,actions=output:3");
    for (uint8_t station = 1; station <= 4; station++) {
        teach(&rig, 1, station, 9);
        CHECK(rig.n_got[station <= 2 ? 2 : 3] == 1);
        teach(&rig, 1, station, 9);
        CHECK(rig.n_got[station <= 2 ? 2 : 3] == 1);
    }
    CHECK(n_entries(&rig, 1) == 2);
    /* Room again: what was refused is asked for again. */
    flow_mod(&rig, FLOW_MOD_DELETE, "table=1,dl_src=02:00:00:00:00:01");
    teach(&rig, 1, 3, 9);
    revalidate(&rig);
    teach(&rig, 1, 3, 9);
    CHECK(rig.n_got[2] == 1);
    CHECK(n_entries(&rig, 1) == 2);
    rig_fini(&rig);
}

TEST(what_was_learned_goes_with_its_last_teacher)
{
    struct rig rig;

    rig_init(&rig);
    flow_mod(&rig, FLOW_MOD_ADD,
             "table=0,in_port=1,actions=learn(table=1,cookie=0x9,"
             "delete_learned,NXM_OF_ETH_SRC[])");
    flow_mod(&rig, FLOW_MOD_ADD,
             "table=0,in_port=2,actions=clone(learn(table=1,cookie=0x9,"
             "delete_learned,NXM_OF_ETH_SRC[]))");
    flow_mod(&rig, FLOW_MOD_ADD, "table=1,cookie=0x8,in_port=3,actions=drop");
    teach(&rig, 1, 1, 9);
    teach(&rig, 2, 2, 9);
    CHECK(n_entries(&rig, 1) == 3);
    flow_mod(&rig, FLOW_MOD_DELETE, "table=0,in_port=1");
    CHECK(n_entries(&rig, 1) == 3);
    flow_mod(&rig, FLOW_MOD_MODIFY, "table=0,in_port=2,actions=drop");
    CHECK(n_entries(&rig, 1) == 1);
    rig_fini(&rig);
}

TEST(a_learn_that_cannot_be_holds_nobody)
{
    struct rig rig;

    rig_init(&rig);
    /* The learned entry would match TCP's port without saying TCP. */
    flow_mod(&rig, FLOW_MOD_ADD,
             "table=0,tcp,actions=learn(table=1,eth_type=0x800,"
             "NXM_OF_IP_PROTO[],nw_proto=17),output:2");
    receive(&rig, 1, 1, 2, 0x10);
    run(&rig);
    CHECK(rig.n_got[2] == 1);
    rig_fini(&rig);
}

TEST(a_connection_that_ends_brings_the_timeouts_down)
{
    const struct flow_entry *e;
    struct rig rig;

    rig_init(&rig);
    flow_mod(&rig, FLOW_MOD_ADD, "table=0,tcp,idle_timeout=60,"
             "actions=fin_timeout(idle_timeout=2,hard_timeout=9),output:2");
    teach(&rig, 1, 1, 2);
    revalidate(&rig);
    e = learned(&rig, "table=0,tcp,actions=drop");
    CHECK(e->idle_timeout == 60 && !e->hard_timeout);
    receive(&rig, 1, 1, 2, 0x11);
    CHECK(rig.n_got[2] == 1);
    revalidate(&rig);
    e = learned(&rig, "table=0,tcp,actions=drop");
    CHECK(e->idle_timeout == 2 && e->hard_timeout == 9);
    /* Counters move when nobody reads the old entry any more. */
    rcu_flush();
    rig.now += 1000;
    run(&rig);
    CHECK(atomic_load(&e->credit.packets) == 2);
    rig.now += 20000;
    switch_run(rig.sw, rig.now);
    rig.now += 1000;
    switch_run(rig.sw, rig.now);
    CHECK(n_entries(&rig, 0) == 0);
    rig_fini(&rig);
}

TEST(a_flood_of_teachers_is_bounded)
{
    uint64_t drops[N_DROP_REASONS];
    struct rig rig;

    rig_init(&rig);
    add_bridge(&rig);
    for (unsigned int i = 0; i < LEARN_MAX_HELD_PER_PORT + 3; i++) {
        receive(&rig, 1, 1, 2, 0x10);
    }
    datapath_read_drops(switch_datapath(rig.sw), NULL, drops);
    CHECK(drops[DROP_LEARN_QUEUE] == 3);
    memset(rig.n_got, 0, sizeof rig.n_got);
    run(&rig);
    CHECK(rig.n_got[2] > 0);
    CHECK(n_entries(&rig, 1) == 2);
    rig_fini(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_packet_waits_until_its_entry_is_there),
        RUN(what_is_learned_is_asked_for_once),
        RUN(a_learned_entry_says_what_the_action_says),
        RUN(a_station_that_moves_is_learned_anew),
        RUN(packets_that_teach_keep_the_entry_alive),
        RUN(an_entry_that_went_is_learned_again),
        RUN(a_limit_is_kept_and_told),
        RUN(what_was_learned_goes_with_its_last_teacher),
        RUN(a_learn_that_cannot_be_holds_nobody),
        RUN(a_connection_that_ends_brings_the_timeouts_down),
        RUN(a_flood_of_teachers_is_bounded),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
