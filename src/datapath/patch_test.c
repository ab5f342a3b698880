/* Ports without devices under workers that sleep: what one worker sends into a
 * patch wakes the one that receives from it.
 *
 *     in -> [a = b] -> [c ~ d] -> out       ring, patch, impair, ring */
#include "datapath/datapath.h"
#include "frames.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "packet/offload.h"
#include "port/registry.h"
#include "port/ring.h"
#include "unit.h"

enum { IN = 1, A, B, C, D, OUT, N_PORTS };

struct rig {
    struct datapath *dp;
    struct port_env env;
    struct packet_pool *pool;
    struct port *ports[N_PORTS];
};

/* Each port's packets go on to the next of the chain. */
static void
chain(void *rig UNUSED, struct upcall *upcall)
{
    static const uint32_t next[N_PORTS] = { [IN] = A, [B] = C, [D] = OUT };
    struct dp_action_output *o = dp_actions_add(&upcall->actions,
                                                DP_ACTION_OUTPUT, sizeof *o);

    upcall->tables[0] = 1;
    o->port = next[be32toh(upcall->key->f.in_port)];
}

static bool
no_packet_in(void *rig UNUSED, const struct packet *pkt UNUSED,
             const struct flow_key *key UNUSED,
             const struct dp_action_controller *action UNUSED)
{
    return false;
}

static void
no_credit(void *rig UNUSED, uint64_t credit UNUSED, uint64_t packets UNUSED,
          uint64_t bytes UNUSED, msec used UNUSED)
{
}

static uint64_t
version(void *rig UNUSED)
{
    return 1;
}

static void
add_port(struct rig *rig, uint32_t id, const char *text)
{
    struct port_config config;
    struct str error = STR_INIT;

    CHECK(!port_config_parse(text, &config, &error));
    CHECK_MSG(!port_create(&config, id, &rig->env, &rig->ports[id], &error),
              "%s", str_text(&error));
    CHECK(!datapath_add_port(rig->dp, rig->ports[id]));
}

static struct rig *
rig_create(unsigned int n_workers)
{
    struct datapath_config config = { .n_workers = n_workers };
    struct rig *rig = xzalloc(sizeof *rig);
    struct datapath_calls calls = {
        .upcall = chain, .packet_in = no_packet_in, .credit_done = no_credit,
        .version = version, .aux = rig,
    };

    rig->dp = datapath_create(&config, &calls);
    CHECK(rig->dp);
    rig->env.registry = port_registry_create();
    rig->pool = packet_pool_create(512, 8);
    add_port(rig, IN, "in=ring:");
    add_port(rig, A, "a=patch:peer=b");
    add_port(rig, B, "b=patch:peer=a");
    add_port(rig, C, "c=impair:peer=d");
    add_port(rig, D, "d=impair:peer=c,delay=2ms");
    add_port(rig, OUT, "out=ring:");
    return rig;
}

static void
rig_destroy(struct rig *rig)
{
    for (uint32_t i = IN; i < N_PORTS; i++) {
        datapath_remove_port(rig->dp, rig->ports[i]);
        port_destroy(rig->ports[i]);
    }
    datapath_destroy(rig->dp);
    port_registry_destroy(rig->env.registry);
    CHECK(!packet_pool_in_use(rig->pool));
    packet_pool_destroy(rig->pool);
    free(rig);
}

static struct packet *
make_packet(struct rig *rig, uint32_t payload)
{
    struct frame_spec spec = { .proto = 6, .payload_len = payload };
    struct packet *pkt = packet_alloc(rig->pool, payload + 100);
    struct rng rng = { payload };

    pkt->len = (uint32_t) frame_build(pkt->data, &spec, &rng);
    return pkt;
}

/* Receives `n` packets, or as many as come within ten seconds. */
static unsigned int
receive(struct rig *rig, unsigned int n)
{
    unsigned int n_got = 0;

    while (n_got < n && ring_wait(rig->ports[OUT], 10000)) {
        struct batch batch = { 0 };

        n_got += ring_pop(rig->ports[OUT], &batch);
        for (unsigned int i = 0; i < batch.n; i++) {
            CHECK(frame_is_whole(batch.pkts[i]->data, batch.pkts[i]->len,
                                 NULL));
        }
        batch_free_all(&batch);
    }
    return n_got;
}

static void
packets_pass(unsigned int n_workers)
{
    struct rig *rig = rig_create(n_workers);

    /* One by one: everybody sleeps in between. */
    for (uint32_t i = 0; i < 50; i++) {
        struct packet *pkt = make_packet(rig, i);
        usec begin = clock_usec();

        CHECK(ring_push(rig->ports[IN], &pkt, 1) == 1);
        CHECK(receive(rig, 1) == 1);
        CHECK(clock_usec() - begin >= 2000);
    }
    /* Many at once. */
    for (uint32_t i = 0; i < 20; i++) {
        struct packet *pkts[20];

        for (uint32_t j = 0; j < ARRAY_SIZE(pkts); j++) {
            pkts[j] = make_packet(rig, j);
        }
        CHECK(ring_push(rig->ports[IN], pkts, ARRAY_SIZE(pkts))
              == ARRAY_SIZE(pkts));
        CHECK(receive(rig, ARRAY_SIZE(pkts)) == ARRAY_SIZE(pkts));
    }
    rig_destroy(rig);
}

TEST(one_sleeping_worker_passes_packets_through_all_ports)
{
    packets_pass(1);
}

TEST(sleeping_workers_wake_each_other)
{
    packets_pass(3);
}

TEST(a_super_frame_is_cut_only_before_the_bad_line)
{
    struct rig *rig = rig_create(1);
    struct packet *pkt = make_packet(rig, 10000);

    frame_owe_checksum(pkt);
    pkt->offload.gso_type = GSO_TCPV4;
    pkt->offload.gso_size = 1000;
    CHECK(offload_validate(pkt));
    CHECK(ring_push(rig->ports[IN], &pkt, 1) == 1);
    CHECK(receive(rig, 10) == 10);
    CHECK(rig->ports[B]->counters.rx_super_frames == 1);
    CHECK(rig->ports[B]->counters.rx_packets == 10);
    CHECK(rig->ports[D]->counters.rx_super_frames == 0);
    CHECK(rig->ports[D]->counters.rx_packets == 10);
    rig_destroy(rig);
}

TEST(idle_workers_do_not_turn)
{
    struct rig *rig = rig_create(1);
    struct datapath_counters before, after;
    struct packet *pkt = make_packet(rig, 1);

    CHECK(ring_push(rig->ports[IN], &pkt, 1) == 1);
    CHECK(receive(rig, 1) == 1);
    CHECK(!ring_wait(rig->ports[OUT], 100));
    datapath_read_counters(rig->dp, &before);
    CHECK(!ring_wait(rig->ports[OUT], 300));
    datapath_read_counters(rig->dp, &after);
    CHECK_MSG(after.polls - before.polls < 20, "%llu turns in 300 ms",
              (unsigned long long) (after.polls - before.polls));
    rig_destroy(rig);
}

TESTS(
    RUN(one_sleeping_worker_passes_packets_through_all_ports),
    RUN(sleeping_workers_wake_each_other),
    RUN(a_super_frame_is_cut_only_before_the_bad_line),
    RUN(idle_workers_do_not_turn),
)
