/* How long an intent file takes: read, sealed, exported, compared.
 *
 *     weft-bench intent [--ports=5000] [--rounds=9]
 *
 * One network for every 50 ports; half of the ports say an address, a MAC and a
 * rate. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "intent/diff.h"
#include "intent/export.h"
#include "intent/parse.h"

enum { PORTS_PER_NETWORK = 50, MAX_ROUNDS = 99 };

enum step { STEP_PARSE, STEP_SEAL, STEP_EXPORT, STEP_DIFF, STEP_CHANGE,
            N_STEPS };

static const char *const step_names[] = {
    [STEP_PARSE] = "parse", [STEP_SEAL] = "seal", [STEP_EXPORT] = "export",
    [STEP_DIFF] = "diff-same", [STEP_CHANGE] = "change-one",
};

static void
make_file(struct str *text, long n_ports)
{
    long n_networks = (n_ports + PORTS_PER_NETWORK - 1) / PORTS_PER_NETWORK;

    str_add(text, "version: 1\nnetworks:\n");
    for (long i = 0; i < n_networks; i++) {
        str_addf(text, "  net-%ld: {subnet: 10.%ld.%ld.0/24}\n", i, i / 256,
                 i % 256);
    }
    str_add(text, "ports:\n");
    for (long i = 0; i < n_ports; i++) {
        long network = i / PORTS_PER_NETWORK, host = i % PORTS_PER_NETWORK;

        str_addf(text, "  guest-%ld: {network: net-%ld, netns: guest-%ld", i,
                 network, i);
        if (i & 1) {
            str_addf(text, ", address: 10.%ld.%ld.%ld, rate: 100M, mac: "
                     "02:00:00:%02lx:%02lx:%02lx", network / 256,
                     network % 256, host + 10, i >> 16 & 0xff, i >> 8 & 0xff,
                     i & 0xff);
        }
        str_add(text, "}\n");
    }
}

static struct intent *
read_set(const struct str *text, struct diagnostics *diagnostics,
         double took[N_STEPS])
{
    struct intent *set = intent_create();
    nsec began = bench_cpu_nsec(), parsed;
    bool good = intent_parse(set, "bench.yaml", str_text(text), text->len,
                             diagnostics);

    parsed = bench_cpu_nsec();
    took[STEP_PARSE] = (double) (parsed - began);
    if (!good || !intent_seal(set, diagnostics)) {
        intent_unref(set);
        return NULL;
    }
    took[STEP_SEAL] = (double) (bench_cpu_nsec() - parsed);
    return set;
}

/* One port of the set gets another rate, by the API: a new set, and the
 * plan. */
static bool
change_one(const struct intent *set, struct diagnostics *diagnostics)
{
    json_t *members = json_pack("{s:s, s:s, s:s}", "network", "net-0",
                                "netns", "guest-0", "rate", "1G");
    struct intent_object *port = intent_parse_object(
        INTENT_PORT, "guest-0", members, diagnostics);
    struct intent *changed = intent_copy(set);
    bool good = port != NULL;

    if (port) {
        intent_set(changed, port);
        good = intent_seal(changed, diagnostics);
    }
    if (good) {
        struct diff *diff = diff_create(set, changed);

        good = diff->n_changes == 1;
        diff_destroy(diff);
    }
    intent_unref(changed);
    json_decref(members);
    return good;
}

static bool
run_round(const struct str *text, struct diagnostics *diagnostics,
          double took[N_STEPS], size_t *bytes)
{
    struct intent *set = read_set(text, diagnostics, took);
    size_t before = mallinfo2().uordblks;
    struct intent *same = set ? read_set(text, diagnostics, took) : NULL;
    struct str out = STR_INIT;
    bool good = same;
    struct diff *diff;
    nsec began;

    if (same) {
        *bytes = mallinfo2().uordblks - before;
        began = bench_cpu_nsec();
        intent_export(set, &out);
        took[STEP_EXPORT] = (double) (bench_cpu_nsec() - began);
        began = bench_cpu_nsec();
        diff = diff_create(set, same);
        took[STEP_DIFF] = (double) (bench_cpu_nsec() - began);
        good = !diff->n_changes;
        diff_destroy(diff);
        began = bench_cpu_nsec();
        good = change_one(set, diagnostics) && good;
        took[STEP_CHANGE] = (double) (bench_cpu_nsec() - began);
    }
    intent_unref(set);
    intent_unref(same);
    str_fini(&out);
    return good;
}

int
bench_intent(int argc, char **argv)
{
    long n_ports = bench_option(argc, argv, "ports", 5000);
    long n_rounds = bench_option(argc, argv, "rounds", 9);
    struct diagnostics *diagnostics = diag_create();
    struct str text = STR_INIT, said = STR_INIT;
    double took[N_STEPS][MAX_ROUNDS];
    size_t bytes = 0;
    bool good = true;

    n_rounds = MIN(MAX(n_rounds, 1), MAX_ROUNDS);
    make_file(&text, n_ports);
    for (long round = 0; good && round < n_rounds; round++) {
        double now[N_STEPS];

        good = run_round(&text, diagnostics, now, &bytes);
        for (int step = 0; good && step < N_STEPS; step++) {
            took[step][round] = now[step];
        }
    }
    for (int step = 0; good && step < N_STEPS; step++) {
        printf("RESULT intent %ld ports %-10s %8.2f ms\n", n_ports,
               step_names[step],
               bench_median(took[step], (unsigned int) n_rounds) / 1e6);
    }
    if (good) {
        printf("RESULT intent %ld ports memory     %8.2f MB\n", n_ports,
               (double) bytes / 1e6);
    } else {
        diag_format(diagnostics, &said);
        fprintf(stderr, "weft-bench: %s", said.len ? str_text(&said)
                        : "the plan is not the one expected\n");
    }
    diag_destroy(diagnostics);
    str_fini(&text);
    str_fini(&said);
    return good ? 0 : 1;
}
