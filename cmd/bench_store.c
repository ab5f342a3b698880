/* How many puts a second become durable, and how long each waits.
 *
 *     weft-bench store [--directory=.] [--seconds=2]
 *
 * So many requests are kept in flight: as one is answered the next is made.
 * Each puts a lease of 10,000. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "lib/clock.h"
#include "store/store.h"

enum { N_LEASES = 10000, N_TIMES = 1 << 20 };

struct request {
    struct bench *bench;
    nsec began;
};

struct bench {
    uv_loop_t loop;
    struct store *store;
    enum store_durability durability;
    nsec until;
    uint64_t n_puts;
    unsigned int n_in_flight;
    unsigned int n_times;
    int err;
    double *times;                /* usec, of the newest N_TIMES */
};

static void on_done(const struct store_result *, void *aux);

static void
ask(struct request *r)
{
    struct bench *b = r->bench;
    struct store_txn *txn = store_txn_create(b->durability);
    unsigned int i = (unsigned int) (b->n_puts++ % N_LEASES);
    char key[32], value[96];

    snprintf(key, sizeof key, "lease/blue/10.1.%u.%u", i / 250, i % 250);
    memset(value, (int) i, sizeof value);
    store_txn_put(txn, key, value, sizeof value, STORE_ANY);
    r->began = clock_nsec();
    b->n_in_flight++;
    store_commit(b->store, txn, on_done, r);
}

static void
on_done(const struct store_result *result, void *aux)
{
    struct request *r = aux;
    struct bench *b = r->bench;
    nsec now = clock_nsec();

    b->times[b->n_times++ % N_TIMES] = (double) (now - r->began) / 1000;
    b->err = b->err ? b->err : result->err;
    b->n_in_flight--;
    if (now < b->until) {
        ask(r);
    }
}

static int
compare(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;

    return a < b ? -1 : a > b;
}

static void
run(struct bench *b, enum store_durability durability,
    unsigned int n_in_flight, nsec duration)
{
    struct request *requests = xcalloc(n_in_flight, sizeof *requests);
    struct store_counters before = store_get_counters(b->store), after;
    nsec began = clock_nsec();
    unsigned int n;

    b->durability = durability;
    b->until = began + duration;
    b->n_times = 0;
    for (unsigned int i = 0; i < n_in_flight; i++) {
        requests[i].bench = b;
        ask(&requests[i]);
    }
    while (b->n_in_flight) {
        uv_run(&b->loop, UV_RUN_ONCE);
    }
    after = store_get_counters(b->store);
    n = MIN(b->n_times, (unsigned int) N_TIMES);
    qsort(b->times, n, sizeof *b->times, compare);
    printf("RESULT store %-7s in-flight=%-5u %9.0f puts/s  %7.0f groups/s"
           "  p50 %.0f us  p99 %.0f us\n",
           durability == STORE_DISK ? "disk" : "process", n_in_flight,
           (double) b->n_times * 1e9 / (double) (clock_nsec() - began),
           (double) (after.n_groups - before.n_groups) * 1e9
           / (double) (clock_nsec() - began),
           bench_percentile(b->times, n, 0.5),
           bench_percentile(b->times, n, 0.99));
    fflush(stdout);
    free(requests);
}

static void
remove_files(const char *directory, const char *path)
{
    char lock[160];

    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    unlink(path);
    rmdir(directory);
}

int
bench_store(int argc, char **argv)
{
    static const unsigned int in_flight[] = { 1, 100, 10000 };
    const char *parent = bench_option_text(argc, argv, "directory");
    nsec duration = bench_option(argc, argv, "seconds", 2) * 1000000000;
    char directory[96], path[128];
    struct str error = STR_INIT;
    struct bench b = { .err = 0 };
    struct store_options options = { .loop = &b.loop, .path = path };

    snprintf(directory, sizeof directory, "%s/weft-bench-XXXXXX",
             parent ? parent : ".");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(path, sizeof path, "%s/store", directory);
    uv_loop_init(&b.loop);
    if (store_open(&options, &b.store, &error)) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
        return 1;
    }
    b.times = xcalloc(N_TIMES, sizeof *b.times);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(in_flight); i++) {
        run(&b, i < ARRAY_SIZE(in_flight) ? STORE_PROCESS : STORE_DISK,
            in_flight[i % ARRAY_SIZE(in_flight)], duration);
    }
    store_close(b.store, NULL, NULL);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    uv_loop_close(&b.loop);
    free(b.times);
    remove_files(directory, path);
    if (b.err) {
        fprintf(stderr, "weft-bench: %s\n", strerror(-b.err));
    }
    return b.err != 0;
}
