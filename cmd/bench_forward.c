/* Forwarding in memory: a generator port, the data path, a port that counts.
 *
 *     weft-bench forward [--rounds=7] [--ms=300] [--max-flows=1000000]
 *                        [--only=TEXT]    rows whose label begins so
 *
 * Everything a packet meets is real (key, cache, actions, port calls); misses
 * are answered by a few lines here instead of flow tables, so that the figures
 * are those of the data path alone.  Packets are 64 bytes of UDP; flows are hit
 * evenly, in an order that defeats prefetching. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "datapath/datapath.h"
#include "lib/clock.h"
#include "lib/rcu.h"

struct generator {
    struct port port;
    uint32_t n_flows;             /* 0: all packets are alike */
    uint32_t next;
    bool two_stations;            /* swaps nothing, alternates addresses */
};

struct counter_port {
    struct port port;
    uint64_t n;
};

static const uint8_t frame[64] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
    0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 128, 0, 1,
    4, 0, 4, 0, 0, 30, 0, 0,
};

static int
generator_rx(struct port *port, unsigned int queue UNUSED,
             struct packet_pool *pool, struct batch *batch)
{
    struct generator *g = (struct generator *) port;

    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        struct packet *pkt = packet_alloc(pool, sizeof frame);

        memcpy(pkt->data, frame, sizeof frame);
        pkt->len = sizeof frame;
        pkt->in_port = port->id;
        if (g->n_flows) {
            /* A multiplicative walk over all flows; n_flows is odd. */
            uint32_t flow = g->next;

            g->next += 617;
            if (g->next >= g->n_flows) {
                g->next -= g->n_flows;
            }
            put_be32(pkt->data + 26, htobe32(0x0a000000 + (flow >> 8)));
            put_be16(pkt->data + 34, htobe16((uint16_t) (1024 + flow % 256)));
        }
        batch_add(batch, pkt);
    }
    return BATCH_MAX;
}

static void
counter_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
           bool borrow UNUSED)
{
    ((struct counter_port *) port)->n += batch->n;
    batch_free_all(batch);
}

static const struct port_class generator_class = {
    .type = "generator", .rx = generator_rx,
};
static const struct port_class counter_class = {
    .type = "counter", .tx = counter_tx,
};

enum mode { MODE_PORT, MODE_L2, MODE_5TUPLE };

struct bench {
    enum mode mode;
    unsigned int n_masks;
};

static void
bench_upcall(void *bench_, struct upcall *upcall)
{
    struct bench *bench = bench_;
    struct flow_key_fields *m = &upcall->mask.bits.key;
    struct dp_action_output *out;

    m->eth_type = 0xffff;
    upcall->tables[0] = 1;
    if (bench->mode == MODE_L2) {
        memset(&m->eth_dst, 0xff, 6);
        memset(&m->eth_src, 0xff, 6);
        m->vlan_tci = 0xffff;
    } else if (bench->mode == MODE_5TUPLE) {
        m->nw_src = m->nw_dst = 0xffffffff;
        m->nw_proto = 0xff;
        m->nw_frag = 3;
        m->tp_src = m->tp_dst = 0xffff;
        /* Several masks: the flow's number decides under which it lies. */
        m->ipv6_label = bench->n_masks > 1
                        ? htobe32(be32toh(upcall->key->f.nw_src)
                                  % bench->n_masks) : 0;
    }
    out = dp_actions_add(&upcall->actions, DP_ACTION_OUTPUT, sizeof *out);
    out->port = 2;
}

static void
bench_credit(void *aux UNUSED, uint64_t credit UNUSED,
             uint64_t packets UNUSED, uint64_t bytes UNUSED,
             msec used UNUSED)
{
}

static uint64_t
bench_version(void *aux UNUSED)
{
    return 0;
}

static void
init_port(struct port *port, const struct port_class *class, uint32_t id)
{
    port->class = class;
    port->id = id;
    port->n_rxq = class->rx ? 1 : 0;
    port->n_txq = 1;
    port->state = PORT_UP;
}

struct options {
    unsigned int rounds;
    msec duration;                /* of each */
    const char *only;             /* NULL: all rows */
};

static void
measure(const char *label, struct bench bench, uint32_t n_flows,
        const struct options *options)
{
    unsigned int rounds = options->rounds;
    struct datapath_config config = {
        .inline_only = true, .max_entries = 2 * 1024 * 1024, .port_share = 1,
        .max_masks = 512,
    };
    struct datapath_calls calls = {
        .upcall = bench_upcall, .credit_done = bench_credit,
        .version = bench_version, .aux = &bench,
    };
    struct generator *in;
    struct counter_port *out;
    struct datapath *dp;
    double cycles[64], mpps[64];
    struct datapath_counters c;
    uint32_t warm = 0;

    if (options->only
        && strncmp(label, options->only, strlen(options->only))) {
        return;
    }
    dp = datapath_create(&config, &calls);
    in = xzalloc_aligned(sizeof *in);
    out = xzalloc_aligned(sizeof *out);
    init_port(&in->port, &generator_class, 1);
    init_port(&out->port, &counter_class, 2);
    in->n_flows = n_flows;
    if (datapath_add_port(dp, &in->port)
        || datapath_add_port(dp, &out->port)) {
        abort();
    }
    do {
        warm += datapath_poll_once(dp);
    } while (warm < 2 * n_flows + 100000);
    for (unsigned int r = 0; r < rounds; r++) {
        uint64_t n0 = out->n, t0 = bench_ticks(), t1;
        nsec start = clock_nsec(), end;

        do {
            for (unsigned int i = 0; i < 1000; i++) {
                datapath_poll_once(dp);
            }
            end = clock_nsec();
        } while (end - start < options->duration * 1000000);
        t1 = bench_ticks();
        cycles[r] = (double) (t1 - t0) / (double) (out->n - n0);
        mpps[r] = (double) (out->n - n0) * 1e3 / (double) (end - start);
    }
    datapath_read_counters(dp, &c);
    printf("RESULT forward %s: median %.1f cycles/packet, %.2f Mpps"
           " (level 1 %.1f%%, level 2 %.1f%%, misses %llu)\n", label,
           bench_median(cycles, rounds), bench_median(mpps, rounds),
           100.0 * (double) c.hits_l1 / (double) c.packets,
           100.0 * (double) c.hits_l2 / (double) c.packets,
           (unsigned long long) c.misses);
    fflush(stdout);
    datapath_remove_port(dp, &in->port);
    datapath_remove_port(dp, &out->port);
    datapath_destroy(dp);
    free(in);
    free(out);
}

/* What one publish costs the writer: finding the entries that a batch of changes
 * can touch, when it touches none. */
static void
measure_invalidate(uint32_t n_flows, unsigned int n_changes)
{
    struct bench bench = { MODE_5TUPLE, 1 };
    struct datapath_config config = {
        .inline_only = true, .max_entries = 2 * 1024 * 1024, .port_share = 1,
    };
    struct datapath_calls calls = {
        .upcall = bench_upcall, .credit_done = bench_credit,
        .version = bench_version, .aux = &bench,
    };
    struct datapath *dp = datapath_create(&config, &calls);
    struct generator *in = xzalloc_aligned(sizeof *in);
    struct datapath_change *changes = xcalloc(n_changes, sizeof *changes);
    struct flow *values = xcalloc(n_changes, sizeof *values);
    struct flow_mask mask = { 0 };
    double usecs[21];
    uint32_t warm = 0;

    init_port(&in->port, &generator_class, 1);
    in->n_flows = n_flows;
    if (datapath_add_port(dp, &in->port)) {
        abort();
    }
    do {
        warm += datapath_poll_once(dp);
    } while (warm < 2 * n_flows);
    mask.bits.key.eth_type = 0xffff;
    mask.bits.key.nw_src = mask.bits.key.nw_dst = 0xffffffff;
    mask.bits.key.tp_dst = 0xffff;
    for (unsigned int i = 0; i < n_changes; i++) {
        values[i].key.eth_type = htobe16(0x0800);
        values[i].key.nw_src = htobe32(0x0b000000 + i);
        changes[i] = (struct datapath_change) { 0, &values[i], &mask };
    }
    for (unsigned int r = 0; r < ARRAY_SIZE(usecs); r++) {
        nsec start = clock_nsec();

        datapath_invalidate(dp, changes, n_changes);
        usecs[r] = (double) (clock_nsec() - start) / 1e3;
    }
    printf("RESULT invalidate %u entries, %u changes: median %.0f us\n",
           n_flows - 1, n_changes, bench_median(usecs, ARRAY_SIZE(usecs)));
    fflush(stdout);
    datapath_remove_port(dp, &in->port);
    datapath_destroy(dp);
    free(in);
    free(changes);
    free(values);
}

int
bench_invalidate(int argc UNUSED, char **argv UNUSED)
{
    static const uint32_t flows[] = { 1001, 20001, 100001, 250001 };
    static const unsigned int changes[] = { 1, 10, 1000 };

    rcu_thread_begin();
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(changes); k++) {
            measure_invalidate(flows[i], changes[k]);
        }
    }
    rcu_thread_end();
    return 0;
}

int
bench_forward(int argc, char **argv)
{
    static const uint32_t flows[] = { 1001, 20001, 100001, 1000001 };
    static const unsigned int masks[] = { 1, 8, 64 };
    struct options options = {
        .rounds = (unsigned int) bench_option(argc, argv, "rounds", 7),
        .duration = bench_option(argc, argv, "ms", 300),
        .only = bench_option_text(argc, argv, "only"),
    };
    long max_flows = bench_option(argc, argv, "max-flows", 1000001);
    char label[80];

    if (options.rounds < 1 || options.rounds > 64) {
        fputs("weft-bench: --rounds is 1 to 64\n", stderr);
        return 2;
    }
    rcu_thread_begin();
    measure("one entry in_port -> out", (struct bench) { MODE_PORT, 1 }, 0,
            &options);
    measure("L2, one pair of stations", (struct bench) { MODE_L2, 1 }, 0,
            &options);
    measure("5-tuple, 1 flow", (struct bench) { MODE_5TUPLE, 1 }, 0,
            &options);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(masks); k++) {
            if ((long) flows[i] > max_flows) {
                continue;
            }
            snprintf(label, sizeof label, "5-tuple, %u flows, %u masks",
                     flows[i] - 1, masks[k]);
            measure(label, (struct bench) { MODE_5TUPLE, masks[k] },
                    flows[i], &options);
        }
    }
    rcu_thread_end();
    return 0;
}
