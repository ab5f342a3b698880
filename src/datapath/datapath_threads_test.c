/* What must hold between the control thread and workers that never stop. */
#include <stdatomic.h>
#include <unistd.h>

#include "datapath/datapath.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "unit.h"

/* Gives a batch of small UDP packets of `n_flows` flows whenever asked, and
 * counts what is sent to it. */
struct busy_port {
    struct port port;
    uint32_t n_flows;                   /* 0: receives nothing */
    uint32_t next;
    _Atomic uint64_t n_sent;
};

static int
busy_rx(struct port *port, unsigned int queue UNUSED,
        struct packet_pool *pool, struct batch *batch)
{
    static const uint8_t frame[60] = {
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        4, 0, 4, 0, 0, 26, 0, 0,
    };
    struct busy_port *b = (struct busy_port *) port;

    for (unsigned int i = 0; b->n_flows && i < 8; i++) {
        struct packet *pkt = packet_alloc(pool, sizeof frame);

        if (!pkt) {
            break;
        }
        memcpy(pkt->data, frame, sizeof frame);
        put_be32(pkt->data + 26, htobe32(b->next++ % b->n_flows));
        pkt->len = sizeof frame;
        pkt->in_port = port->id;
        batch_add(batch, pkt);
    }
    return (int) batch->n;
}

static void
busy_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
        bool borrow UNUSED)
{
    struct busy_port *b = (struct busy_port *) port;

    atomic_fetch_add(&b->n_sent, batch->n);
    batch_free_all(batch);
}

static usec
busy_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    return ((const struct busy_port *) port)->n_flows ? 0 : INT64_MAX;
}

static const struct port_class busy_class = {
    .type = "busy", .rx = busy_rx, .tx = busy_tx, .next_rx = busy_next_rx,
};

struct rig {
    struct datapath *dp;
    struct busy_port *ports[5];         /* [1], [2] send; [3], [4] receive */
    _Atomic uint64_t version;
    _Atomic uint64_t credited;
};

/* Even versions send to port 3, odd ones to 4. */
static void
rig_upcall(void *rig_, struct upcall *upcall)
{
    struct rig *rig = rig_;
    struct dp_action_output *out;

    upcall->version = atomic_load(&rig->version);
    upcall->mask.bits.key.eth_type = 0xffff;
    upcall->mask.bits.key.nw_src = 0xffffffff;
    upcall->tables[0] = 1;
    out = dp_actions_add(&upcall->actions, DP_ACTION_OUTPUT, sizeof *out);
    out->port = upcall->version % 2 ? 4 : 3;
}

static void
rig_credit(void *rig_, uint64_t credit UNUSED, uint64_t packets,
           uint64_t bytes UNUSED, msec used UNUSED)
{
    atomic_fetch_add(&((struct rig *) rig_)->credited, packets);
}

static uint64_t
rig_version(void *rig_)
{
    return atomic_load(&((struct rig *) rig_)->version);
}

static struct rig *
rig_create(unsigned int n_workers, uint32_t n_flows)
{
    struct datapath_config config = { .n_workers = n_workers };
    struct rig *rig = xzalloc(sizeof *rig);
    struct datapath_calls calls = {
        .upcall = rig_upcall, .credit_done = rig_credit,
        .version = rig_version, .aux = rig,
    };

    rig->dp = datapath_create(&config, &calls);
    CHECK(rig->dp);
    for (unsigned int i = 1; i <= 4; i++) {
        struct busy_port *b = xzalloc_aligned(sizeof *b);

        b->port.class = &busy_class;
        b->port.id = i;
        b->port.n_rxq = b->port.n_txq = 1;
        b->port.state = PORT_UP;
        b->n_flows = i <= 2 ? n_flows : 0;
        rig->ports[i] = b;
        CHECK(!datapath_add_port(rig->dp, &b->port));
    }
    return rig;
}

static void
rig_destroy(struct rig *rig)
{
    for (unsigned int i = 1; i <= 4; i++) {
        datapath_remove_port(rig->dp, &rig->ports[i]->port);
        free(rig->ports[i]);
    }
    datapath_destroy(rig->dp);
    free(rig);
}

static uint64_t
sent(const struct rig *rig, unsigned int port)
{
    return atomic_load(&rig->ports[port]->n_sent);
}

/* Until that many more packets were sent. */
static void
let_run(const struct rig *rig, uint64_t n)
{
    uint64_t from = sent(rig, 3) + sent(rig, 4);

    while (sent(rig, 3) + sent(rig, 4) < from + n) {
        usleep(50);
    }
}

TEST(after_a_barrier_no_packet_is_forwarded_by_older_tables)
{
    struct rig *rig = rig_create(2, 100);
    struct flow value = { 0 };
    struct flow_mask mask = { 0 };
    struct datapath_change whole = { 0, NULL, NULL };
    struct datapath_change change = { 0, &value, &mask };

    for (unsigned int round = 0; round < 300; round++) {
        unsigned int old_port = round % 2 ? 4 : 3;
        uint64_t before;

        let_run(rig, 500);
        atomic_fetch_add(&rig->version, 1);
        datapath_invalidate(rig->dp, round % 3 ? &whole : &change, 1);
        datapath_quiesce(rig->dp);
        before = sent(rig, old_port);
        let_run(rig, 200);
        CHECK_MSG(sent(rig, old_port) == before, "round %u", round);
    }
    rig_destroy(rig);
}

struct sum {
    uint64_t packets;
    unsigned int n;
    struct datapath *dp;
};

static bool
add_up(void *sum_, const struct dp_entry_view *view)
{
    struct sum *sum = sum_;

    sum->packets += view->packets;
    if (sum->n++ % 3 == 0) {
        datapath_remove_entry(sum->dp, view->worker, view->entry);
    }
    return true;
}

TEST(entries_are_visited_and_removed_while_packets_use_them)
{
    struct rig *rig = rig_create(2, 3000);

    for (unsigned int round = 0; round < 50; round++) {
        struct sum sum = { .dp = rig->dp };

        datapath_visit_entries(rig->dp, round % 2, add_up, &sum);
        let_run(rig, 2000);
    }
    CHECK(atomic_load(&rig->credited) > 0);
    rig_destroy(rig);
}

TEST(ports_come_and_go_while_packets_flow)
{
    struct rig *rig = rig_create(2, 50);

    for (unsigned int round = 0; round < 100; round++) {
        datapath_remove_port(rig->dp, &rig->ports[2]->port);
        datapath_remove_port(rig->dp, &rig->ports[4]->port);
        CHECK(!datapath_add_port(rig->dp, &rig->ports[4]->port));
        CHECK(!datapath_add_port(rig->dp, &rig->ports[2]->port));
        let_run(rig, 100);
    }
    rig_destroy(rig);
}

TEST(paused_nothing_is_received_until_it_goes_on)
{
    struct rig *rig = rig_create(2, 50);

    for (unsigned int round = 0; round < 100; round++) {
        uint64_t before;

        let_run(rig, 200);
        datapath_pause(rig->dp);
        before = sent(rig, 3) + sent(rig, 4);
        /* It minds ports meanwhile. */
        datapath_remove_port(rig->dp, &rig->ports[2]->port);
        CHECK(!datapath_add_port(rig->dp, &rig->ports[2]->port));
        CHECK(sent(rig, 3) + sent(rig, 4) == before);
        datapath_resume(rig->dp);
    }
    let_run(rig, 200);
    rig_destroy(rig);
}

TEST(a_worker_with_nothing_to_do_sleeps_and_wakes_for_a_packet_out)
{
    struct rig *rig = rig_create(1, 0);
    struct dp_action_output out = {
        .h = { DP_ACTION_OUTPUT, sizeof out }, .port = 3,
    };
    struct datapath_counters c;
    uint8_t frame[60] = { 0 };

    do {
        datapath_read_counters(rig->dp, &c);
        usleep(100);
    } while (!c.sleeps);
    for (unsigned int i = 1; i <= 50; i++) {
        CHECK(!datapath_inject(rig->dp, frame, sizeof frame, 0,
                               (struct dp_action_list) { &out.h,
                                                         sizeof out }));
        while (sent(rig, 3) < i) {
            usleep(10);
        }
    }
    datapath_read_counters(rig->dp, &c);
    /* It slept in between instead of polling. */
    CHECK(c.polls < 50 * 20);
    rig_destroy(rig);
}

TESTS(
    RUN(after_a_barrier_no_packet_is_forwarded_by_older_tables),
    RUN(entries_are_visited_and_removed_while_packets_use_them),
    RUN(ports_come_and_go_while_packets_flow),
    RUN(paused_nothing_is_received_until_it_goes_on),
    RUN(a_worker_with_nothing_to_do_sleeps_and_wakes_for_a_packet_out),
)
