/* The whole switch in memory: ports are rings, this thread is the worker.
 *
 *     weft-bench misses [--rounds=7] [--ms=300]
 *     weft-bench victim [--rounds=7] [--ms=300] [--attack=20000]
 *
 * misses: every packet needs a translation and a cache entry of its own.
 *
 * victim: 1000 flows of one port, beside another port whose packets differ from
 * what a policy allows in one chosen bit of each field, so that every one wants
 * a mask of its own; `attack` of them a second.  The policy allows some and
 * drops the rest.
 *
 * Only the switch's turns are timed, not the making of packets. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "lib/rng.h"
#include "port/ring.h"
#include "switch/switch.h"

enum {
    OUT = 2,                      /* where everything goes that goes on */
    N_PORTS = 3,
    BURST = 256,
    MAX_ROUNDS = 64,
    N_VICTIM_FLOWS = 1000,
};

static const uint32_t allowed_ip = 0x0a00000a;
static const uint16_t allowed_src = 12345, allowed_dst = 80;

static const char *const policy[] = {
    "priority=30,ip,nw_src=10.1.0.0/16,actions=output:2",   /* the victim */
    "priority=20,udp,tp_dst=80,actions=output:2",
    "priority=20,udp,nw_src=10.0.0.10,actions=output:2",
    "priority=20,udp,tp_src=12345,actions=output:2",
    "priority=1,actions=drop",
};

static const uint8_t template[60] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
    0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 128, 0, 1,
    4, 0, 4, 0, 0, 26, 0, 0,
};

struct bed {
    struct switch_ *sw;
    struct packet_pool *pool;
    struct rng rng;
    uint64_t n_made;
    double seconds;               /* of the switch's turns */
};

typedef void make_fn(struct bed *, uint8_t *frame);

/* ---- Packets ---- */

static void
set_flow(uint8_t *frame, uint32_t src, uint16_t sport, uint16_t dport)
{
    put_be32(frame + 26, htobe32(src));
    put_be16(frame + 34, htobe16(sport));
    put_be16(frame + 36, htobe16(dport));
}

static void
make_station(struct bed *bed, uint8_t *frame)
{
    put_be32(frame + 8, rng_u32(&bed->rng));
}

static void
make_flow(struct bed *bed, uint8_t *frame)
{
    uint64_t r = rng_u64(&bed->rng);

    set_flow(frame, (uint32_t) r, (uint16_t) (r >> 32),
             (uint16_t) (r >> 48));
}

static void
make_victim(struct bed *bed, uint8_t *frame)
{
    uint32_t i = (uint32_t) (bed->n_made * 617 % N_VICTIM_FLOWS);

    set_flow(frame, 0x0a010000 + i, (uint16_t) (1024 + i), 443);
}

/* Equal to `allowed` above bit `bit`, different in it, random below. */
static uint32_t
differ_at(uint32_t allowed, unsigned int bit, uint32_t noise)
{
    uint32_t below = (1u << bit) - 1;

    return ((allowed ^ 1u << bit) & ~below) | (noise & below);
}

static void
make_attack(struct bed *bed, uint8_t *frame)
{
    uint64_t r = rng_u64(&bed->rng), n = bed->n_made;

    set_flow(frame, differ_at(allowed_ip, n % 32, (uint32_t) r),
             (uint16_t) differ_at(allowed_src, n / 32 % 16,
                                  (uint32_t) (r >> 32)),
             (uint16_t) differ_at(allowed_dst, n / 512 % 16,
                                  (uint32_t) (r >> 48)));
}

/* ---- The switch ---- */

static struct port *
port_of(struct bed *bed, uint32_t number)
{
    return switch_port_by_number(bed->sw, number)->port;
}

static bool
add_port(struct bed *bed, uint32_t number)
{
    struct str error = STR_INIT;
    struct switch_port *port;
    struct port_config config;
    char text[32];
    int err;

    snprintf(text, sizeof text, "p%u=ring:", number);
    err = port_config_parse(text, &config, &error);
    if (!err) {
        err = switch_add_port(bed->sw, &config, number, &port, &error);
    }
    if (err) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
    }
    str_fini(&error);
    return !err;
}

static bool
add_flow(struct bed *bed, const char *text)
{
    struct str error = STR_INIT;
    struct flow_mod fm;
    bool done;

    if (flow_mod_parse(text, FLOW_MOD_ADD, switch_names(bed->sw), &fm, &error)) {
        fprintf(stderr, "weft-bench: %s: %s\n", text, str_text(&error));
        str_fini(&error);
        return false;
    }
    done = !switch_flow_mod(bed->sw, &fm, clock_msec(), &error);
    if (!done) {
        fprintf(stderr, "weft-bench: %s: %s\n", text, str_text(&error));
    }
    flow_mod_fini(&fm);
    str_fini(&error);
    return done;
}

static void
push(struct bed *bed, uint32_t number, make_fn *make, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        struct packet *pkt = packet_alloc(bed->pool, sizeof template);

        if (!pkt) {
            return;
        }
        memcpy(pkt->data, template, sizeof template);
        pkt->len = sizeof template;
        make(bed, pkt->data);
        bed->n_made++;
        if (!ring_push(port_of(bed, number), &pkt, 1)) {
            packet_free(pkt);
        }
    }
}

/* Lets the switch work off what was pushed; returns how many came out. */
static unsigned int
work(struct bed *bed)
{
    struct datapath *dp = switch_datapath(bed->sw);
    nsec start = bench_cpu_nsec();
    struct batch batch = { 0 };
    unsigned int n = 0;

    while (datapath_poll_once(dp)) {
        rcu_quiescent();
    }
    bed->seconds += (double) (bench_cpu_nsec() - start) / 1e9;
    while (ring_pop(port_of(bed, OUT), &batch)) {
        n += batch.n;
        batch_free_all(&batch);
    }
    return n;
}

static bool
bed_init(struct bed *bed, enum fail_mode fail_mode)
{
    struct switch_config config = {
        .name = "bench", .fail_mode = fail_mode,
        .datapath = { .inline_only = true },
        .fdb_max = 1 << 20, .fdb_max_per_port = 1 << 20,
    };

    *bed = (struct bed) { .rng = { 1 } };
    bed->pool = packet_pool_create(8 * BURST, 0);
    bed->sw = switch_create(&config, clock_msec());
    for (uint32_t i = 1; i <= N_PORTS; i++) {
        if (!add_port(bed, i)) {
            return false;
        }
    }
    return true;
}

static void
bed_fini(struct bed *bed)
{
    switch_destroy(bed->sw);
    packet_pool_destroy(bed->pool);
}

/* ---- Rows ---- */

struct options {
    unsigned int rounds;
    double seconds;               /* of each */
    double attack;                /* packets a second */
};

static bool
parse_options(int argc, char **argv, struct options *options)
{
    long rounds = bench_option(argc, argv, "rounds", 7);

    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "weft-bench: --rounds is 1 to %d\n", MAX_ROUNDS);
        return false;
    }
    options->rounds = (unsigned int) rounds;
    options->seconds = (double) bench_option(argc, argv, "ms", 300) / 1e3;
    options->attack = (double) bench_option(argc, argv, "attack", 20000);
    return true;
}

static bool
measure_misses(const char *label, make_fn *make, const char *flow,
               const struct options *options)
{
    double rates[MAX_ROUNDS];
    struct datapath_counters before, after;
    struct bed bed;
    bool done = bed_init(&bed, flow ? FAIL_SECURE : FAIL_STANDALONE)
                && (!flow || add_flow(&bed, flow));

    if (done) {
        switch_barrier(bed.sw);
    }
    for (unsigned int r = 0; done && r < options->rounds; r++) {
        datapath_read_counters(switch_datapath(bed.sw), &before);
        bed.seconds = 0;
        while (bed.seconds < options->seconds) {
            push(&bed, 1, make, BURST);
            work(&bed);
        }
        datapath_read_counters(switch_datapath(bed.sw), &after);
        rates[r] = (double) (after.inserts - before.inserts) / bed.seconds;
    }
    if (done) {
        printf("RESULT misses %s: median %.0f entries/s\n", label,
               bench_median(rates, options->rounds));
        fflush(stdout);
    }
    bed_fini(&bed);
    return done;
}

int
bench_misses(int argc, char **argv)
{
    struct options options;
    bool done;

    if (!parse_options(argc, argv, &options)) {
        return 2;
    }
    rcu_thread_begin();
    done = measure_misses("NORMAL, a new station each", make_station, NULL,
                          &options)
           && measure_misses("a new 5-tuple each", make_flow,
                             "udp,in_port=1,actions="
                             "move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],"
                             "move:NXM_OF_UDP_DST[]->NXM_NX_REG0[16..31],"
                             "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],"
                             "move:NXM_OF_IP_DST[]->NXM_NX_REG2[],output:2",
                             &options);
    rcu_thread_end();
    return done ? 0 : 1;
}

/* Packets of the victim that pass in a second; the attack keeps its rate. */
static double
victim_rate(struct bed *bed, const struct options *options, double attack)
{
    uint64_t n = 0, n_attack = 0;

    bed->seconds = 0;
    while (bed->seconds < options->seconds) {
        push(bed, 1, make_victim, BURST);
        while ((double) n_attack < attack * bed->seconds) {
            push(bed, 3, make_attack, 1);
            n_attack++;
        }
        n += work(bed);
    }
    return (double) n / bed->seconds;
}

int
bench_victim(int argc, char **argv)
{
    double alone[MAX_ROUNDS], attacked[MAX_ROUNDS], ratio[MAX_ROUNDS];
    struct dp_cache_size size;
    struct options options;
    struct bed bed;
    bool done;

    if (!parse_options(argc, argv, &options)) {
        return 2;
    }
    rcu_thread_begin();
    done = bed_init(&bed, FAIL_SECURE);
    for (size_t i = 0; done && i < ARRAY_SIZE(policy); i++) {
        done = add_flow(&bed, policy[i]);
    }
    if (done) {
        switch_barrier(bed.sw);
    }
    for (unsigned int r = 0; done && r < options.rounds; r++) {
        alone[r] = victim_rate(&bed, &options, 0) / 1e6;
        attacked[r] = victim_rate(&bed, &options, options.attack) / 1e6;
        ratio[r] = attacked[r] / alone[r];
    }
    if (done) {
        datapath_cache_size(switch_datapath(bed.sw), &size);
        printf("RESULT victim alone: median %.2f Mpps\n"
               "RESULT victim under attack: median %.2f Mpps\n"
               "RESULT victim ratio: median %.3f times (%u entries under"
               " %u masks)\n", bench_median(alone, options.rounds),
               bench_median(attacked, options.rounds),
               bench_median(ratio, options.rounds), size.n_entries,
               size.n_masks);
    }
    bed_fini(&bed);
    rcu_thread_end();
    return done ? 0 : 1;
}
