/* Connections in memory.
 *
 *     weft-bench conntrack [--live=1000000] [--nat=1 | --flood=10000000]
 *
 * UDP sessions of 15,873 inside hosts with 63 ports each, in batches of 32, with
 * complete checksums, translated to 16 external addresses if asked for: how many
 * begin in a second until there are so many (memory is touched for the first time),
 * beside them, or in the place of the oldest when there are ports for no more; what a packet of an established one costs, one
 * after the other and at random; what all of them take; and how long the sweep
 * keeps a worker when all of them end at once.  Or: what is left to a neighbour's
 * thousand while a guest begins so many, and how much memory he gets. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "conntrack/conntrack.h"
#include "lib/clock.h"
#include "lib/rng.h"
#include "packet/batch.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { PORTS_PER_HOST = 63, FRAME_LEN = 60, SWEEP_BUDGET = 256 };

static const struct ct_nat sixteen_addresses = {
    .kind = CT_NAT_SRC, .family = 4, .min = { { 198, 51, 100, 0 } },
    .max = { { 198, 51, 100, 15 } },
};

struct bench {
    uint16_t zone;
    struct ct_nat nat;
    struct conntrack *ct;
    struct packet_pool *pool;
    struct batch batch;
    msec now, step;               /* and by how much a batch moves it */
};

/* The i-th session's packet, or its answer. */
static void
make_packet(struct packet *pkt, uint32_t i, bool is_answer)
{
    uint8_t *ip = pkt->data + ETH_HEADER_LEN, *udp = ip + 20;
    be32 host = htobe32(0x0a000000 + i / PORTS_PER_HOST), peer = htobe32(0xcb007105);
    be16 port = htobe16((uint16_t) (1024 + i % PORTS_PER_HOST * 1021));
    be16 service = htobe16(443);

    memset(pkt->data, 0, FRAME_LEN);
    put_be16(pkt->data + 12, htobe16(ETH_TYPE_IP));
    ip[0] = 0x45;
    put_be16(ip + 2, htobe16(FRAME_LEN - ETH_HEADER_LEN));
    ip[8] = 64;
    ip[9] = IP_PROTO_UDP;
    put_be32(ip + 12, is_answer ? peer : host);
    put_be32(ip + 16, is_answer ? host : peer);
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    put_be16(udp, is_answer ? service : port);
    put_be16(udp + 2, is_answer ? port : service);
    put_be16(udp + 4, htobe16(FRAME_LEN - ETH_HEADER_LEN - 20));
    put_be16(udp + 6, checksum_fold(checksum_add(
        checksum_reduce(checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16),
                                         IP_PROTO_UDP, FRAME_LEN - 34)),
        udp, FRAME_LEN - 34)));
    pkt->len = FRAME_LEN;
    pkt->l3_ofs = ETH_HEADER_LEN;
    pkt->l4_ofs = ETH_HEADER_LEN + 20;
    pkt->pad_len = 0;
    pkt->ct_state = 0;
}

/* Without the time in which others had the processor, as far as that is known. */
struct stopwatch {
    nsec wall, thread;
};

static struct stopwatch
stopwatch_start(void)
{
    return (struct stopwatch) { clock_nsec(), clock_thread_nsec() };
}

static uint64_t
own_ticks(const struct stopwatch *since, uint64_t ticks)
{
    double wall = (double) (clock_nsec() - since->wall);
    double own = (double) (clock_thread_nsec() - since->thread);

    return (uint64_t) ((double) ticks * MIN(own / wall, 1.0));
}

/* Ticks that the tracker took for n packets; which(i) says of which session. */
static uint64_t
run(struct bench *b, uint32_t n, uint32_t first, struct rng *rng,
    uint32_t n_sessions, bool is_answer, bool commit)
{
    struct ct_request req = { .zone = b->zone, .commit = commit,
                              .nat = b->nat };
    enum ct_verdict verdicts[BATCH_MAX];
    struct stopwatch watch = stopwatch_start();
    uint64_t ticks = 0, start;

    for (uint32_t done = 0; done < n; done += BATCH_MAX) {
        for (unsigned int k = 0; k < BATCH_MAX; k++) {
            make_packet(b->batch.pkts[k],
                        rng ? rng_below(rng, n_sessions)
                            : first + done + k, is_answer);
        }
        start = bench_ticks();
        conntrack_execute(b->ct, 0, b->batch.pkts, BATCH_MAX, &req, b->now,
                          verdicts);
        ticks += bench_ticks() - start;
        b->now += b->step;
    }
    return own_ticks(&watch, ticks);
}

static void
fill_batch(struct bench *b)
{
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        batch_add(&b->batch, packet_alloc(b->pool, FRAME_LEN));
    }
}

static void
report(const char *what, uint64_t ticks, uint32_t n)
{
    double each = (double) ticks / n;

    printf("RESULT conntrack %-34s %7.0f cycles %6.2f M/s\n", what, each,
           bench_ticks_per_second() / each / 1e6);
}

/* The oldest end by their time, and as many begin in their place: so many are
 * live, and their ports are as scarce as they will be. */
static void
renew(struct bench *b, uint32_t n, uint32_t part)
{
    uint64_t ticks = 0;
    uint32_t n_done = 0;

    b->now = 1 + (msec) 1000 * 120;
    for (uint32_t first = 0; first + part <= n / 2; first += part) {
        uint32_t n_live = conntrack_count(b->ct);

        b->now += part / BATCH_MAX;
        b->step = 0;
        conntrack_sweep(b->ct, 0, UINT32_MAX, b->now);
        if (n_live - conntrack_count(b->ct) < part) {
            printf("RESULT conntrack only %u ended\n",
                   n_live - conntrack_count(b->ct));
        }
        ticks += run(b, part, first, NULL, 0, false, true);
        n_done += part;
    }
    report("new, in the place of the oldest", ticks, n_done);
}

static void
expire(struct bench *b)
{
    struct ct_counters c;
    struct stopwatch watch = stopwatch_start();
    uint64_t ticks = 0, worst = 0;
    uint32_t n = conntrack_count(b->ct), n_ended = 0, n_calls = 0;

    b->now += INT64_C(1000) * 86400 * 2;
    while (n_ended < n) {
        uint64_t start = bench_ticks();

        n_ended += conntrack_sweep(b->ct, 0, SWEEP_BUDGET, b->now);
        start = bench_ticks() - start;
        ticks += start;
        worst = MAX(worst, start);
        n_calls++;
    }
    conntrack_read_counters(b->ct, &c);
    report("expired by the sweep", own_ticks(&watch, ticks), n_ended);
    printf("RESULT conntrack %u sweeps of %d places, the longest took %.0f us\n",
           n_calls, SWEEP_BUDGET,
           (double) worst * 1e6 / bench_ticks_per_second());
}

/* One zone's guest begins connections without end, another's thousand go on: a batch
 * of his, a batch of theirs. */
static void
flood(uint32_t n)
{
    enum { NEIGHBOURS = 1024, ZONE_LIMIT = 100000 };
    struct ct_config config = { .max_connections = 1000000,
                                .zone_limit = ZONE_LIMIT };
    struct bench b = { .ct = conntrack_create(&config), .now = 1000,
                       .pool = packet_pool_create(BATCH_MAX, 0) };
    struct ct_counters c;
    uint64_t alone, beside = 0, attack = 0, before, cap;
    uint32_t n_rounds = n / BATCH_MAX;

    fill_batch(&b);
    run(&b, NEIGHBOURS, 0, NULL, 0, false, true);
    run(&b, NEIGHBOURS, 0, NULL, 0, true, false);
    alone = 0;
    for (uint32_t i = 0; i < n_rounds; i++) {
        alone += run(&b, BATCH_MAX, i * BATCH_MAX % NEIGHBOURS, NULL, 0,
                     false, false);
    }
    before = conntrack_memory(b.ct);
    for (uint32_t i = 0; i < n_rounds; i++) {
        b.zone = 3;
        b.nat = sixteen_addresses;
        attack += run(&b, BATCH_MAX, NEIGHBOURS + i * BATCH_MAX, NULL, 0,
                      false, true);
        b.zone = 0;
        b.nat.kind = CT_NAT_NONE;
        beside += run(&b, BATCH_MAX, i * BATCH_MAX % NEIGHBOURS, NULL, 0,
                      false, false);
    }
    conntrack_read_counters(b.ct, &c);
    /* What so many take, with NAT, and 16 pools of ports. */
    cap = before + (uint64_t) ZONE_LIMIT * 256 + (16u << 20);
    printf("RESULT conntrack flood refused=%.0f left=%.3f memory=%.3f "
           "n_refused=%llu\n", (double) attack / n,
           (double) alone / (double) beside,
           (double) conntrack_memory(b.ct) / (double) cap,
           (unsigned long long) (c.zone_full + c.no_port));
    batch_free_all(&b.batch);
    packet_pool_destroy(b.pool);
    conntrack_destroy(b.ct);
}

int
bench_conntrack(int argc, char **argv)
{
    uint32_t n = (uint32_t) bench_option(argc, argv, "live", 1000000)
                 / BATCH_MAX * BATCH_MAX;
    struct ct_config config = { .max_connections = n + n / 8 };
    struct bench b = { .ct = conntrack_create(&config), .now = 1000,
                       .pool = packet_pool_create(BATCH_MAX, 0) };
    struct rng rng = { 1 };
    uint64_t before = conntrack_memory(b.ct);
    uint32_t tenth = n / 10 / BATCH_MAX * BATCH_MAX;
    uint32_t n_flood = (uint32_t) bench_option(argc, argv, "flood", 0);

    fill_batch(&b);
    if (n_flood) {
        flood(n_flood);
        goto done;
    }
    if (bench_option(argc, argv, "nat", 0)) {
        b.nat = sixteen_addresses;
    }
    b.now = b.step = 1;
    report("new, from none to all", run(&b, n, 0, NULL, 0, false, true), n);
    b.step = 0;
    printf("RESULT conntrack %u live take %.0f bytes each, %.0f MB in all\n",
           conntrack_count(b.ct),
           (double) (conntrack_memory(b.ct) - before) / n,
           (double) conntrack_memory(b.ct) / 1e6);
    if (b.nat.kind) {
        printf("RESULT conntrack %u mappings, %u without a port\n",
               conntrack_n_mappings(b.ct), n - conntrack_count(b.ct));
        renew(&b, n, n / 20 / BATCH_MAX * BATCH_MAX);
        b.nat.kind = CT_NAT_EXISTING;
    } else {
        report("new, with all live",
               run(&b, tenth, n, NULL, 0, false, true), tenth);
        report("answered, in turn", run(&b, n, 0, NULL, 0, true, false), n);
    }
    report("established, in turn", run(&b, n, 0, NULL, 0, false, false), n);
    report("established, at random",
           run(&b, n, 0, &rng, n, false, false), n);
    report("established, 1000 of them",
           run(&b, n, 0, &rng, 1000, false, false), n);
    expire(&b);

done:
    batch_free_all(&b.batch);
    packet_pool_destroy(b.pool);
    conntrack_destroy(b.ct);
    return 0;
}
