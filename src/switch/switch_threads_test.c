/* A switch with all its threads: workers that learn, a control thread that
 * changes tables and ports, the revalidator.  For the thread sanitizer, and for
 * counts that must add up. */
#include "lib/clock.h"
#include "lib/rcu.h"
#include "lib/rng.h"
#include "port/ring.h"
#include "switch/switch.h"
#include "switch/switch_impl.h"
#include "unit.h"

enum { N_PORTS = 4 };

struct rig {
    struct switch_ *sw;
    struct packet_pool *pool;
    uint64_t n_pushed;
};

static void
add_port(struct rig *rig, uint32_t number)
{
    struct port_config config = { .type = "ring" };
    struct switch_port *port;

    snprintf(config.name, sizeof config.name, "p%u", number);
    CHECK(!switch_add_port(rig->sw, &config, number, &port, NULL));
}

static void
rig_init(struct rig *rig)
{
    struct switch_config config = {
        .name = "br0", .datapath = { .n_workers = 2 },
    };

    memset(rig, 0, sizeof *rig);
    rig->pool = packet_pool_create(4096, 0);
    rig->sw = switch_create(&config, clock_msec());
    for (uint32_t i = 1; i <= N_PORTS; i++) {
        add_port(rig, i);
    }
}

/* Takes what came out; returns how many. */
static unsigned int
drain(struct rig *rig)
{
    unsigned int n = 0;

    for (uint32_t i = 1; i <= N_PORTS; i++) {
        struct switch_port *port = switch_port_by_number(rig->sw, i);
        struct batch batch;

        do {
            batch.n = 0;
            ring_pop(port->port, &batch);
            n += batch.n;
            for (unsigned int k = 0; k < batch.n; k++) {
                packet_free(batch.pkts[k]);
            }
        } while (batch.n);
    }
    return n;
}

static void
push(struct rig *rig, struct rng *rng)
{
    uint8_t frame[64] = { 2, 0, 0, 0, 0, (uint8_t) rng_below(rng, 20),
                          2, 0, 0, 0, 0, (uint8_t) rng_below(rng, 20),
                          0x88, 0xb5 };
    struct packet *pkt = packet_alloc(rig->pool, sizeof frame);
    struct port *port;

    if (!pkt) {
        return;
    }
    memcpy(pkt->data, frame, sizeof frame);
    pkt->len = sizeof frame;
    port = switch_port_by_number(rig->sw, 1 + rng_below(rng, N_PORTS))->port;
    if (ring_push(port, &pkt, 1) == 1) {
        rig->n_pushed++;
    } else {
        packet_free(pkt);
    }
}

static uint64_t
n_received(const struct rig *rig)
{
    uint64_t n = 0;

    for (uint32_t i = 1; i <= N_PORTS; i++) {
        n += switch_port_by_number(rig->sw, i)->port->counters.rx_packets;
    }
    return n;
}

static void
wait_until_received(struct rig *rig)
{
    msec end = clock_msec() + 20000;

    rcu_offline();
    while (n_received(rig) < rig->n_pushed && clock_msec() < end) {
        struct timespec ts = { 0, 1000 * 1000 };

        drain(rig);
        nanosleep(&ts, NULL);
    }
    rcu_online();
    CHECK(n_received(rig) == rig->n_pushed);
}

static void
change_flow(struct rig *rig, enum flow_mod_command command, uint16_t priority)
{
    struct flow_mod mod;

    flow_mod_init(&mod);
    mod.command = command;
    mod.priority = priority;
    match_set(&mod.match, FIELD_ETH_SRC, UINT64_C(0x020000000000) + priority,
              UINT64_C(0xffffffffffff));
    actions_add_output(&mod.storage[0], 1 + priority % N_PORTS);
    flow_mod_seal(&mod);
    CHECK(!switch_flow_mod(rig->sw, &mod, clock_msec(), NULL));
    flow_mod_fini(&mod);
}

static bool
add_lookups(void *n_, const struct flow_entry *entry)
{
    *(uint64_t *) n_ += entry->credit.packets;
    return true;
}

TEST(counts_add_up_while_stations_are_learned_and_the_revalidator_runs)
{
    uint64_t n = 0;
    struct rng rng = { 7 };
    struct rig rig;

    rig_init(&rig);
    for (unsigned int i = 0; i < 20000; i++) {
        push(&rig, &rng);
        if (i % 64 == 0) {
            drain(&rig);
            switch_run(rig.sw, clock_msec());
            switch_refresh_counters(rig.sw);
            rcu_quiescent();
        }
    }
    wait_until_received(&rig);
    switch_barrier(rig.sw);
    switch_refresh_counters(rig.sw);
    /* Every packet met the one entry, NORMAL, but those over the budget of
     * misses. */
    {
        uint64_t drops[N_DROP_REASONS];

        datapath_read_drops(switch_datapath(rig.sw), NULL, drops);
        n = drops[DROP_UPCALL_BUDGET];
    }
    tables_visit(switch_tables(rig.sw), OFPTT_ALL, NULL, add_lookups,
                 &n);
    CHECK_MSG(n == rig.n_pushed, "%llu of %llu",
              (unsigned long long) n,
              (unsigned long long) rig.n_pushed);
    drain(&rig);
    switch_destroy(rig.sw);
    packet_pool_destroy(rig.pool);
}

TEST(tables_ports_and_stations_change_under_traffic)
{
    struct rng rng = { 9 };
    struct rig rig;

    rig_init(&rig);
    for (unsigned int i = 0; i < 10000; i++) {
        push(&rig, &rng);
        if (i % 16 == 0) {
            uint16_t priority = (uint16_t) (1 + rng_below(&rng, 19));

            change_flow(&rig, rng_one_in(&rng, 2) ? FLOW_MOD_ADD
                                                  : FLOW_MOD_DELETE_STRICT,
                        priority);
            drain(&rig);
            switch_run(rig.sw, clock_msec());
            rcu_quiescent();
        }
        if (i % 400 == 0) {
            fdb_flush(switch_fdb(rig.sw), 0, -1, NULL);
            switch_set_port_flags(rig.sw, switch_port_by_number(rig.sw, 2),
                                  rng_one_in(&rng, 2), false, false, false,
                                  false, false, false);
            switch_barrier(rig.sw);
        }
        if (i % 1000 == 999) {
            drain(&rig);
            wait_until_received(&rig);
            rig.n_pushed -= switch_port_by_number(rig.sw, 3)
                                ->port->counters.rx_packets;
            drain(&rig);
            CHECK(!switch_delete_port(rig.sw, 3));
            add_port(&rig, 3);
        }
    }
    wait_until_received(&rig);
    drain(&rig);
    switch_destroy(rig.sw);
    packet_pool_destroy(rig.pool);
}

static void
flow(struct rig *rig, enum flow_mod_command command, const char *text)
{
    struct flow_mod mod;

    CHECK(!flow_mod_parse(text, command, NULL, &mod, NULL));
    CHECK(!switch_flow_mod(rig->sw, &mod, clock_msec(), NULL));
    flow_mod_fini(&mod);
}

static uint64_t
n_counted(struct rig *rig)
{
    uint64_t drops[N_DROP_REASONS], n = 0;

    switch_refresh_counters(rig->sw);
    datapath_read_drops(switch_datapath(rig->sw), NULL, drops);
    tables_visit(switch_tables(rig->sw), 0, NULL, add_lookups, &n);
    return n + drops[DROP_UPCALL_BUDGET] + drops[DROP_LEARN_QUEUE];
}

/* Packets wait for entries, go on, and are counted once each; now and then the
 * entries are taken away. */
TEST(packets_make_entries_under_traffic)
{
    msec end = clock_msec() + 20000;
    struct rng rng = { 11 };
    struct rig rig;

    rig_init(&rig);
    flow(&rig, FLOW_MOD_DELETE, "");
    flow(&rig, FLOW_MOD_ADD, "table=0,actions=learn(table=1,hard_timeout=9,"
         "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),"
         "resubmit(,1)");
    switch_barrier(rig.sw);
    for (unsigned int i = 0; i < 10000; i++) {
        push(&rig, &rng);
        if (i % 32 == 0) {
            drain(&rig);
            switch_run(rig.sw, clock_msec());
            rcu_quiescent();
        }
        if (i % 2000 == 1999) {
            flow(&rig, FLOW_MOD_DELETE, "table=1");
            revalidate_once(rig.sw->revalidator, clock_msec());
        }
    }
    wait_until_received(&rig);
    while (n_counted(&rig) < rig.n_pushed && clock_msec() < end) {
        drain(&rig);
        switch_run(rig.sw, clock_msec());
        rcu_quiescent();
    }
    CHECK(n_counted(&rig) == rig.n_pushed);
    CHECK(tables_stats(switch_tables(rig.sw), 1)->n_entries > 0);
    drain(&rig);
    switch_destroy(rig.sw);
    packet_pool_destroy(rig.pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(counts_add_up_while_stations_are_learned_and_the_revalidator_runs),
        RUN(tables_ports_and_stations_change_under_traffic),
        RUN(packets_make_entries_under_traffic),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
