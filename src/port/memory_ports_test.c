/* null, ring, patch and impair: ports without a device. */
#include <poll.h>

#include "frames.h"
#include "lib/clock.h"
#include "packet/flow.h"
#include "port/registry.h"
#include "port/ring.h"
#include "unit.h"

struct world {
    struct port_env env;
    struct packet_pool *pool;
    struct str error;
};

static struct world
world_create(void)
{
    return (struct world) {
        .env = { .registry = port_registry_create() },
        .pool = packet_pool_create(256, 4),
    };
}

/* Checks that nothing was leaked. */
static void
world_destroy(struct world *w)
{
    port_registry_destroy(w->env.registry);
    CHECK(!packet_pool_in_use(w->pool));
    packet_pool_destroy(w->pool);
    str_fini(&w->error);
}

static int
try_port(struct world *w, uint32_t id, const char *text, struct port **port)
{
    struct port_config config;

    CHECK_MSG(!port_config_parse(text, &config, &w->error), "%s",
              str_text(&w->error));
    return port_create(&config, id, &w->env, port, &w->error);
}

static struct port *
make_port(struct world *w, uint32_t id, const char *text)
{
    struct port *port;

    CHECK_MSG(!try_port(w, id, text, &port), "%s", str_text(&w->error));
    CHECK(port_is_up(port));
    return port;
}

static struct batch
make_batch(struct world *w, unsigned int n)
{
    struct rng rng = { 1 };
    struct batch batch = { 0 };

    for (unsigned int i = 0; i < n; i++) {
        struct frame_spec spec = frame_random_super_spec(&rng);
        struct packet *pkt = packet_alloc(w->pool, 1500);

        pkt->len = (uint32_t) frame_build(pkt->data, &spec, &rng);
        pkt->in_port = 77;
        pkt->recirc_id = 5;
        batch_add(&batch, pkt);
    }
    return batch;
}

static bool
is_readable(struct port *port)
{
    struct pollfd fd = { .fd = port->class->rx_fd(port, 0),
                         .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

TEST(bad_options_are_refused_with_a_reason)
{
    static const char *const rows[][2] = {
        { "p=null:frame=59", "frame=59 is not a number from 60 to 1514" },
        { "p=null:frame=x", "frame=x" },
        { "p=null:frame=+70", "frame=+70" },
        { "p=null:flows=0", "flows=0" },
        { "p=null:flows=99999999999999999999", "flows=9" },
        { "p=null:rx=maybe", "rx=maybe is not yes or no" },
        { "p=null:eth_src=1", "eth_src=1" },
        { "p=null:eth_dst=02:00:00:00:00:0g", "not an Ethernet address" },
        { "p=ring:size=0", "size=0" },
        { "p=patch:", "needs peer=NAME" },
        { "p=patch:peer=p", "cannot be its peer" },
        { "p=impair:", "needs peer=NAME" },
        { "p=impair:peer=q,loss=1", "loss=1 is not a percentage" },
        { "p=impair:peer=q,loss=101%", "loss=101%" },
        { "p=impair:peer=q,loss=-1%", "loss=-1%" },
        { "p=impair:peer=q,corrupt=nan%", "corrupt=nan%" },
        { "p=impair:peer=q,delay=10", "delay=10 is not a time" },
        { "p=impair:peer=q,delay=1e3ms", "delay=1e3ms" },
        { "p=impair:peer=q,jitter=2000s", "jitter=2000s" },
        { "p=impair:peer=q,limit=0", "limit=0" },
    };
    struct world w = world_create();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct port *port = NULL;

        CHECK(try_port(&w, 1, rows[i][0], &port) == -EINVAL);
        CHECK(!port);
        CHECK_MSG(strstr(str_text(&w.error), rows[i][1]), "%s: %s",
                  rows[i][0], str_text(&w.error));
    }
    world_destroy(&w);
}

TEST(null_makes_whole_frames_of_each_flow_as_often_as_of_any_other)
{
    enum { N_FLOWS = 96 };
    struct world w = world_create();
    struct port *port = make_port(&w, 9, "p=null:frame=200,flows=96,"
                                         "eth_dst=02:00:00:00:00:77");
    unsigned int seen[N_FLOWS] = { 0 };

    for (int i = 0; i < 3 * N_FLOWS / BATCH_MAX; i++) {
        struct batch batch = { 0 };

        CHECK(port->class->next_rx(port, 0) == 0);
        CHECK(port_rx(port, 0, w.pool, &batch) == BATCH_MAX);
        for (unsigned int j = 0; j < batch.n; j++) {
            struct packet *pkt = batch.pkts[j];
            struct flow_key key;
            uint32_t flow;

            CHECK(pkt->len == 200 && pkt->in_port == 9);
            CHECK(frame_is_whole(pkt->data, pkt->len, NULL));
            CHECK(!flow_key_extract(pkt, &key));
            CHECK(key.f.eth_dst.b[5] == 0x77);
            CHECK(pkt->l4_ofs == 34);
            flow = be32toh(key.f.nw_src) - 0x0a000000;
            CHECK(flow < N_FLOWS);
            seen[flow]++;
        }
        port_tx(port, 0, &batch, false);
    }
    for (unsigned int i = 0; i < N_FLOWS; i++) {
        CHECK(seen[i] == 3);
    }
    CHECK(port->counters.rx_packets == 3 * N_FLOWS);
    CHECK(port->counters.tx_packets == 3 * N_FLOWS);
    port_destroy(port);
    world_destroy(&w);
}

TEST(null_can_be_a_sink_only_and_borrows)
{
    struct world w = world_create();
    struct port *port = make_port(&w, 1, "p=null:rx=no");
    struct batch batch = make_batch(&w, 3), rx = { 0 };

    CHECK(port->class->next_rx(port, 0) == INT64_MAX);
    CHECK(port->class->rx_fd(port, 0) == -1);
    CHECK(port_rx(port, 0, w.pool, &rx) == 0);
    CHECK(port->features & PORT_F_TX_BORROWS);
    port_tx(port, 0, &batch, true);
    CHECK(packet_pool_in_use(w.pool) == 3);
    batch_free_all(&batch);
    port_destroy(port);
    world_destroy(&w);
}

TEST(a_ring_carries_packets_both_ways)
{
    struct world w = world_create();
    struct port *port = make_port(&w, 4, "p=ring:size=16");
    struct batch batch = make_batch(&w, 20), rx = { 0 }, tx = { 0 };

    CHECK(port->class->next_rx(port, 0) == INT64_MAX);
    CHECK(ring_push(port, batch.pkts, 20) == 16);
    CHECK(is_readable(port));
    CHECK(port->class->next_rx(port, 0) == 0);
    CHECK(port_rx(port, 0, w.pool, &rx) == 16);
    CHECK(rx.pkts[0] == batch.pkts[0] && rx.pkts[0]->in_port == 4);
    CHECK(rx.pkts[0]->recirc_id == 0);
    CHECK(!is_readable(port));
    CHECK(port_rx(port, 0, w.pool, &tx) == 0);

    port_tx(port, 0, &batch, false);        /* all 20: four do not fit */
    CHECK(ring_wait(port, 0));
    CHECK(port->counters.tx_packets == 16);
    CHECK(port->counters.tx_dropped == 4 && port->counters.tx_full == 4);
    CHECK(ring_pop(port, &tx) == 16);
    batch_free_all(&tx);

    CHECK(!ring_wait(port, 0));
    rx = make_batch(&w, 5);
    port_tx(port, 0, &rx, false);           /* left inside */
    port_destroy(port);
    world_destroy(&w);
}

TEST(what_one_end_of_a_patch_is_sent_comes_in_at_the_other)
{
    struct world w = world_create();
    struct port *a = make_port(&w, 1, "a=patch:peer=b");
    struct port *b = make_port(&w, 2, "b=patch:peer=a");
    struct batch batch = make_batch(&w, 3), rx = { 0 };
    struct batch was = batch;

    CHECK(b->class->next_rx(b, 0) == INT64_MAX);
    port_tx(a, 0, &batch, false);
    CHECK(is_readable(b) && !is_readable(a));
    CHECK(port_rx(a, 0, w.pool, &rx) == 0);
    CHECK(port_rx(b, 0, w.pool, &rx) == 3);
    CHECK(!is_readable(b));
    for (unsigned int i = 0; i < 3; i++) {
        CHECK(rx.pkts[i] == was.pkts[i] && rx.pkts[i]->in_port == 2);
    }
    port_tx(b, 0, &rx, false);
    rx.n = 0;
    CHECK(port_rx(a, 0, w.pool, &rx) == 3);
    batch_free_all(&rx);
    port_destroy(a);
    port_destroy(b);
    world_destroy(&w);
}

TEST(a_patch_without_its_peer_drops_and_says_why)
{
    struct world w = world_create();
    struct port *a = make_port(&w, 1, "a=patch:peer=b"), *b, *other = NULL;
    struct batch batch = make_batch(&w, 3), rx = { 0 };
    struct str text = STR_INIT;

    port_tx(a, 0, &batch, false);
    CHECK(a->counters.tx_dropped == 3 && a->counters.tx_link_down == 3);
    a->class->describe(a, &text);
    CHECK(strstr(str_text(&text), "peer b (not there)"));

    b = make_port(&w, 2, "b=patch:peer=a");
    str_clear(&text);
    a->class->describe(a, &text);
    CHECK(!strcmp(str_text(&text), ", peer b"));
    CHECK(try_port(&w, 3, "b=patch:peer=a", &other) == -EEXIST && !other);

    /* The peer leaves with packets inside, and comes back without. */
    batch = make_batch(&w, 3);
    port_tx(a, 0, &batch, false);
    port_destroy(b);
    CHECK(!packet_pool_in_use(w.pool));
    b = make_port(&w, 2, "b=patch:peer=a");
    CHECK(port_rx(b, 0, w.pool, &rx) == 0);
    batch = make_batch(&w, 1);
    port_tx(a, 0, &batch, false);
    CHECK(port_rx(b, 0, w.pool, &rx) == 1);
    batch_free_all(&rx);
    port_destroy(a);
    port_destroy(b);
    str_fini(&text);
    world_destroy(&w);
}

TEST(an_impaired_packet_comes_in_when_it_is_due)
{
    struct world w = world_create();
    struct port *a = make_port(&w, 1, "a=impair:peer=b");
    struct port *b = make_port(&w, 2, "b=impair:peer=a,delay=20ms");
    struct batch batch = make_batch(&w, 3), rx = { 0 };
    struct str text = STR_INIT;
    usec sent = clock_usec(), next;

    CHECK(!a->features);
    CHECK(b->class->next_rx(b, 0) == INT64_MAX);
    port_tx(a, 0, &batch, false);
    CHECK(is_readable(b));
    CHECK(port_rx(b, 0, w.pool, &rx) == 0);
    CHECK(!is_readable(b));
    next = b->class->next_rx(b, 0);
    CHECK(next >= sent + 20000 && next < sent + 10000000);
    while (clock_usec() < next) {
        poll(NULL, 0, 1);
    }
    CHECK(port_rx(b, 0, w.pool, &rx) == 3);
    CHECK(rx.pkts[0]->in_port == 2);
    batch_free_all(&rx);

    b->class->describe(b, &text);
    CHECK(!strcmp(str_text(&text), ", peer a, lost 0, over_limit 0, "
                                   "duplicated 0, corrupted 0, reordered 0"));
    batch = make_batch(&w, 2);
    port_tx(a, 0, &batch, false);
    CHECK(port_rx(b, 0, w.pool, &rx) == 0);     /* left inside */
    port_destroy(a);
    port_destroy(b);
    str_fini(&text);
    world_destroy(&w);
}

TEST(thousand_pairs_come_and_go)
{
    struct world w = world_create();

    for (int i = 0; i < 1000; i++) {
        struct port *a = make_port(&w, 1, "a=patch:peer=b");
        struct port *b = make_port(&w, 2, "b=patch:peer=a");
        struct port *c = make_port(&w, 3, "c=null:");
        struct port *d = make_port(&w, 4, "d=ring:");
        struct batch batch = make_batch(&w, 2);

        port_tx(a, 0, &batch, false);
        port_destroy(i & 1 ? a : b);
        port_destroy(i & 1 ? b : a);
        port_destroy(c);
        port_destroy(d);
    }
    world_destroy(&w);
}

TESTS(
    RUN(bad_options_are_refused_with_a_reason),
    RUN(null_makes_whole_frames_of_each_flow_as_often_as_of_any_other),
    RUN(null_can_be_a_sink_only_and_borrows),
    RUN(a_ring_carries_packets_both_ways),
    RUN(what_one_end_of_a_patch_is_sent_comes_in_at_the_other),
    RUN(a_patch_without_its_peer_drops_and_says_why),
    RUN(an_impaired_packet_comes_in_when_it_is_due),
    RUN(thousand_pairs_come_and_go),
)
