#include "bench.h"

#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "lib/clock.h"

uint64_t
bench_ticks(void)
{
#ifdef __x86_64__
    return __rdtsc();
#else
    return (uint64_t) clock_nsec();
#endif
}

nsec
bench_cpu_nsec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (nsec) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

double
bench_ticks_per_second(void)
{
    nsec t0 = clock_nsec(), t1;
    uint64_t c0 = bench_ticks();

    do {
        t1 = clock_nsec();
    } while (t1 - t0 < 50 * 1000 * 1000);
    return (double) (bench_ticks() - c0) * 1e9 / (double) (t1 - t0);
}

static int
compare_doubles(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;

    return a < b ? -1 : a > b;
}

double
bench_median(double *values, unsigned int n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
bench_percentile(const double *values, unsigned int n, double p)
{
    return n ? values[MIN((unsigned int) (p * n), n - 1)] : 0;
}

const char *
bench_option_text(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);

    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--", 2) && !strncmp(argv[i] + 2, name, len)
            && argv[i][2 + len] == '=') {
            return argv[i] + 3 + len;
        }
    }
    return NULL;
}

long
bench_option(int argc, char **argv, const char *name, long otherwise)
{
    const char *text = bench_option_text(argc, argv, name);

    return text ? strtol(text, NULL, 0) : otherwise;
}
