/* Flow tables: how fast entries come and go, how large they are, and what a
 * lookup on a miss costs.
 *
 *     weft-bench tables [--entries=N] [--rounds=N]
 *     weft-bench classifier [--kind=N] [--entries=N] [--masks=N]
 *                           [--lookups=N]
 *
 * Rules come in three kinds:
 *   mixed    prefixes of both addresses, ports and protocol or not, as a policy
 *            has them; random values
 *   nested   an adversary's: prefixes of two addresses around a few points, so
 *            that every prefix of a packet's addresses exists, in other
 *            combinations than the packet's: no tuple can be ruled out early
 *   bits     an adversary's: masks of any bits
 *   full     an adversary's: masks of few bits each, with nearly all values, so
 *            that a packet matches an entry of nearly every mask
 * Half of the packets, and of the nested ones all, are made to match a rule or
 * nearly. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "lib/rng.h"
#include "lib/str.h"
#include "switch/tables.h"

enum { PUBLISH_EVERY = 1000000 };       /* ns */

/* Of this thread: the machine may do other things, too. */
static nsec
cpu_nsec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (nsec) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static long
resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (f) {
        if (fscanf(f, "%ld %ld", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(f);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

static void
publish(struct tables *t)
{
    struct table_changes changes;

    tables_publish(t, &changes);
    rcu_quiescent();
}

/* ---- Entries come and go ---- */

static void
set_word(struct match *match, size_t ofs, size_t size, uint64_t value)
{
    memcpy((char *) &match->value + ofs, &value, size);
    memset((char *) &match->mask + ofs, 0xff, size);
}

#define SET(MATCH, MEMBER, VALUE)                                            \
    set_word(MATCH, offsetof(struct flow, MEMBER),                           \
             sizeof((MATCH)->value.MEMBER), VALUE)

void
bench_make_5tuple(struct flow_mod *fm, uint64_t i)
{
    struct rng rng = { i };
    uint64_t r = rng_u64(&rng);

    SET(&fm->match, key.eth_type, htobe16(0x0800));
    SET(&fm->match, key.nw_proto, 6);
    SET(&fm->match, key.nw_src, r);
    SET(&fm->match, key.nw_dst, r >> 32);
    r = rng_u64(&rng);
    SET(&fm->match, key.tp_src, r);
    SET(&fm->match, key.tp_dst, r >> 16);
}

struct add_figures {
    double rate, bytes, resident, worst_us;
};

static bool
add_all(struct tables *t, uint64_t n, bool is_bundle,
        struct add_figures *figures)
{
    struct flow_mod fm;
    nsec start, last, worst = 0;
    long before = resident_bytes();

    flow_mod_init(&fm);
    actions_add_output(&fm.storage[0], 2);
    flow_mod_seal(&fm);
    start = last = cpu_nsec();
    if (is_bundle) {
        tables_begin(t);
    }
    for (uint64_t i = 0; i < n; i++) {
        nsec now;

        bench_make_5tuple(&fm, i);
        if (tables_flow_mod(t, &fm, 0, NULL)) {
            return false;
        }
        if (i & 15) {
            continue;
        }
        now = cpu_nsec();
        if (!is_bundle && now - last > PUBLISH_EVERY) {
            publish(t);
            now = cpu_nsec();
        }
        worst = MAX(worst, now - last);
        last = now;
    }
    if (is_bundle) {
        tables_commit(t);
    }
    publish(t);
    figures->rate = (double) n * 1e9 / (double) (cpu_nsec() - start);
    figures->bytes = (double) tables_memory(t) / (double) n;
    figures->resident = (double) (resident_bytes() - before) / (double) n;
    figures->worst_us = (double) worst / 1000;
    flow_mod_fini(&fm);
    return true;
}

static double
delete_all(struct tables *t)
{
    struct flow_mod fm;
    nsec start = cpu_nsec();

    flow_mod_init(&fm);
    fm.command = FLOW_MOD_DELETE;
    fm.table = OFPTT_ALL;
    tables_flow_mod(t, &fm, 0, NULL);
    publish(t);
    return (double) (cpu_nsec() - start) / 1e6;
}

/* Until all that was removed is freed; how long the longest turn took. */
static double
bury_all(struct tables *t)
{
    nsec worst = 0;
    bool is_done = false;

    while (!is_done) {
        nsec start, taken;

        rcu_quiescent();
        start = cpu_nsec();
        is_done = tables_expire(t, 0) > 1000;
        taken = cpu_nsec() - start;
        worst = MAX(worst, taken);
    }
    return (double) worst / 1000;
}

static int
run_inserts(uint64_t n, unsigned int n_rounds, bool is_bundle)
{
    double *rates = xcalloc(n_rounds, sizeof *rates);
    double *deletes = xcalloc(n_rounds, sizeof *deletes);
    struct add_figures figures = { 0 };
    double worst_bury = 0;

    for (unsigned int i = 0; i < n_rounds; i++) {
        struct tables *t = tables_create(&(struct tables_config) {
            .max_entries = 8000000 });
        double bury_us;

        if (!add_all(t, n, is_bundle, &figures)) {
            return 1;
        }
        rates[i] = figures.rate;
        deletes[i] = delete_all(t);
        bury_us = bury_all(t);
        worst_bury = MAX(worst_bury, bury_us);
        tables_destroy(t);
    }
    printf("RESULT tables %s entries=%llu per_second=%.0f "
           "bytes_per_entry=%.0f resident_per_entry=%.0f "
           "longest_16_us=%.0f delete_all_ms=%.1f bury_turn_us=%.0f\n",
           is_bundle ? "bundle" : "one-by-one", (unsigned long long) n,
           bench_median(rates, n_rounds), figures.bytes, figures.resident,
           figures.worst_us, bench_median(deletes, n_rounds), worst_bury);
    free(rates);
    free(deletes);
    return 0;
}

int
bench_tables(int argc, char **argv)
{
    long n = bench_option(argc, argv, "entries", 1000000);
    long n_rounds = bench_option(argc, argv, "rounds", 3);
    int status;

    rcu_thread_begin();
    status = run_inserts((uint64_t) n, (unsigned int) n_rounds, false);
    if (!status) {
        status = run_inserts((uint64_t) n, (unsigned int) n_rounds, true);
    }
    rcu_thread_end();
    return status;
}

/* ---- Lookups ---- */

static const char *const kinds[] = { "mixed", "nested", "bits", "full" };
enum { MIXED, NESTED, BITS, FULL, N_KINDS };
enum { N_CORES = 8, N_PACKETS = 1 << 16 };

struct rules {
    unsigned int kind;
    unsigned int n_masks, n;
    struct match *masks;          /* the mask of each, and what is common */
    struct rng rng;
};

static be32
prefix_mask(unsigned int len)
{
    return len ? htobe32(UINT32_MAX << (32 - len)) : 0;
}

static be32
core(unsigned int which, unsigned int side)
{
    struct rng rng = { which * 2 + side };

    return rng_u32(&rng);
}

static void
make_mask(struct rules *rules, unsigned int i)
{
    struct match *m = &rules->masks[i];
    struct rng *rng = &rules->rng;
    uint32_t r = rng_u32(rng);

    match_init(m);
    SET(m, key.eth_type, htobe16(0x0800));
    switch (rules->kind) {
    case MIXED:
        m->mask.bits.key.nw_dst = prefix_mask(r & 1 ? 32
                                              : 8 + rng_below(rng, 25));
        m->mask.bits.key.nw_src = prefix_mask(r & 2 ? 0
                                              : 8 + rng_below(rng, 25));
        if (r & 12) {
            SET(m, key.nw_proto, r & 4 ? 6 : 17);
            m->mask.bits.key.tp_dst = r & 48 ? UINT16_MAX : 0;
            m->mask.bits.key.tp_src = (r & 192) == 192 ? UINT16_MAX : 0;
        }
        break;
    case NESTED:
        /* From 15 bits on there is room for a thousand of each. */
        m->mask.bits.key.nw_dst = prefix_mask(15 + i % 18);
        m->mask.bits.key.nw_src = prefix_mask(15 + i / 18 % 18);
        break;
    case BITS:
        m->mask.bits.w[FLOW_WORD(nw_src)] = rng_u64(rng);
        SET(m, key.nw_proto, 6);
        m->mask.bits.key.tp_dst = (be16) rng_u32(rng);
        break;
    case FULL:
        for (unsigned int n = 1; n < rules->n / rules->n_masks; n *= 2) {
            m->mask.bits.w[FLOW_WORD(nw_src)] |= UINT64_C(1)
                                                 << rng_below(rng, 64);
        }
        break;
    }
}

/* The bits of `value`, one after the other, to where the mask has bits. */
static uint64_t
spread(uint64_t value, uint64_t mask)
{
    uint64_t spread = 0;

    for (; mask; mask &= mask - 1, value >>= 1) {
        spread |= value & 1 ? mask & -mask : 0;
    }
    return spread;
}

/* Rule `i`, always the same: the mask's `i % n`, its values as the kind wants
 * them; returns its priority. */
static uint16_t
make_rule(const struct rules *rules, unsigned int i, struct match *m)
{
    struct rng ground = { i };
    struct rng *rng = &ground;

    *m = rules->masks[i % rules->n_masks];
    if (rules->kind == NESTED) {
        /* Near a point; one address agrees with it, the other only in what
         * its own prefix leaves out. */
        unsigned int which = rng_below(rng, N_CORES);
        be32 dst = core(which, 0), src = core(which, 1);

        if (rng_below(rng, 2)) {
            dst ^= m->mask.bits.key.nw_dst & htobe32(rng_u32(rng));
        } else {
            src ^= m->mask.bits.key.nw_src & htobe32(rng_u32(rng));
        }
        m->value.key.nw_dst = dst & m->mask.bits.key.nw_dst;
        m->value.key.nw_src = src & m->mask.bits.key.nw_src;
    } else if (rules->kind == FULL) {
        m->value.w[FLOW_WORD(nw_src)] =
            spread(i / rules->n_masks, m->mask.bits.w[FLOW_WORD(nw_src)]);
    } else {
        m->value.w[FLOW_WORD(nw_src)] = rng_u64(rng)
                                        & m->mask.bits.w[FLOW_WORD(nw_src)];
        m->value.key.tp_dst = (be16) rng_u32(rng) & m->mask.bits.key.tp_dst;
        m->value.key.tp_src = (be16) rng_u32(rng) & m->mask.bits.key.tp_src;
    }
    return (uint16_t) (1 + rng_below(rng, 65000));
}

/* A packet: made from a rule, or for nested ones from a point. */
static void
make_packet(struct rules *rules, struct flow *flow)
{
    struct rng *rng = &rules->rng;

    memset(flow, 0, sizeof *flow);
    flow->key.eth_type = htobe16(0x0800);
    flow->key.nw_proto = rng_below(rng, 2) ? 6 : 17;
    flow->w[FLOW_WORD(nw_src)] = rng_u64(rng);
    flow->key.tp_src = (be16) rng_u32(rng);
    flow->key.tp_dst = (be16) rng_u32(rng);
    if (rules->kind == NESTED) {
        unsigned int which = rng_below(rng, N_CORES);

        flow->key.nw_dst = core(which, 0);
        flow->key.nw_src = core(which, 1);
    } else if (rng_below(rng, 2)) {
        struct match m;

        make_rule(rules, rng_below(rng, rules->n), &m);
        for (unsigned int i = 0; i < FLOW_WORDS; i++) {
            flow->w[i] = (flow->w[i] & ~m.mask.bits.w[i]) | m.value.w[i];
        }
    }
}

static int
compare_u32(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;

    return a < b ? -1 : a > b;
}

/* Times that other threads had this one's CPU. */
static long
n_switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw + usage.ru_nvcsw;
}

struct lookups {
    struct tables *tables;
    uint64_t version;
    struct flow *packets;
    uint32_t i;
    uint64_t n, n_found, n_bits;
};

/* In ticks.  The flow was just extracted from its packet: it is in the CPU's
 * cache; what the lookup reads may not be. */
static uint32_t
measure_one(struct lookups *l)
{
    struct flow flow = l->packets[l->i++ * UINT32_C(2654435761) >> 16];
    struct flow_mask wc;
    const struct flow_entry *e;
    uint64_t start, ticks;

    memset(&wc, 0, sizeof wc);
    start = bench_ticks();
    e = tables_lookup(l->tables, 0, l->version, &flow, &wc);
    ticks = bench_ticks() - start;
    l->n++;
    l->n_found += e && e->priority > 0;
    for (unsigned int j = FLOW_WORD(nw_src); j <= FLOW_WORD(tp_src); j++) {
        l->n_bits += (unsigned int) __builtin_popcountll(wc.bits.w[j]);
    }
    return (uint32_t) MIN(ticks, (uint64_t) UINT32_MAX);
}

/* Lookups between which another thread had the CPU do not count. */
static void
measure(struct tables *t, struct rules *rules, unsigned int n_lookups)
{
    enum { BLOCK = 32 };
    double ns_per_tick = 1e9 / bench_ticks_per_second();
    struct lookups l = { .tables = t, .version = tables_version(t) };
    uint32_t *ticks = xcalloc(n_lookups + BLOCK, sizeof *ticks);
    unsigned int n = 0;
    uint64_t sum = 0;

    l.packets = xcalloc(N_PACKETS, sizeof *l.packets);
    for (unsigned int i = 0; i < N_PACKETS; i++) {
        make_packet(rules, &l.packets[i]);
    }
    while (n < n_lookups) {
        long before = n_switches();

        for (unsigned int i = 0; i < BLOCK; i++) {
            ticks[n + i] = measure_one(&l);
        }
        if (n_switches() == before) {
            n += BLOCK;
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        sum += ticks[i];
    }
    qsort(ticks, n, sizeof *ticks, compare_u32);
    printf("RESULT classifier %s entries=%u masks=%u mean_ns=%.0f "
           "p50_ns=%.0f p99_ns=%.0f p999_ns=%.0f found=%.2f bits=%.1f\n",
           kinds[rules->kind], rules->n, rules->n_masks,
           (double) sum * ns_per_tick / n, ticks[n / 2] * ns_per_tick,
           ticks[n * 99ull / 100] * ns_per_tick,
           ticks[n * 999ull / 1000] * ns_per_tick,
           (double) l.n_found / (double) l.n,
           (double) l.n_bits / (double) l.n);
    fflush(stdout);
    free(l.packets);
    free(ticks);
}

static void
run_lookups(unsigned int kind, unsigned int n_rules, unsigned int n_masks,
            unsigned int n_lookups)
{
    struct rules rules = { .kind = kind, .n_masks = n_masks, .n = n_rules,
                           .rng = { 7 } };
    struct tables *t = tables_create(&(struct tables_config) {
        .max_entries = 8000000 });
    struct flow_mod fm;

    rules.masks = xcalloc(n_masks, sizeof *rules.masks);
    for (unsigned int i = 0; i < n_masks; i++) {
        make_mask(&rules, i);
    }
    flow_mod_init(&fm);
    actions_add_output(&fm.storage[0], 2);
    flow_mod_seal(&fm);
    fm.priority = 0;
    tables_flow_mod(t, &fm, 0, NULL);
    for (unsigned int i = 0; i < n_rules; i++) {
        fm.priority = make_rule(&rules, i, &fm.match);
        tables_flow_mod(t, &fm, 0, NULL);
    }
    flow_mod_fini(&fm);
    publish(t);
    measure(t, &rules, n_lookups);
    tables_destroy(t);
    free(rules.masks);
}

int
bench_classifier(int argc, char **argv)
{
    static const unsigned int entries[] = { 1000, 100000, 500000 };
    static const unsigned int masks[] = { 1, 10, 300 };
    long only_entries = bench_option(argc, argv, "entries", 0);
    long only_masks = bench_option(argc, argv, "masks", 0);
    long n_lookups = bench_option(argc, argv, "lookups", 200000);
    long only_kind = bench_option(argc, argv, "kind", -1);

    rcu_thread_begin();
    for (unsigned int kind = MIXED; kind < N_KINDS; kind++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(masks); i++) {
            for (unsigned int j = 0; j < ARRAY_SIZE(entries); j++) {
                if ((only_kind < 0 || only_kind == (long) kind) &&
                    (!only_masks || only_masks == (long) masks[i]) &&
                    (!only_entries || only_entries == (long) entries[j])) {
                    run_lookups(kind, entries[j], masks[i],
                                (unsigned int) n_lookups);
                }
            }
        }
    }
    rcu_thread_end();
    return 0;
}
