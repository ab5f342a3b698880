/* What the benchmarks share: rows for weft_bench.c, a clock, medians. */
#ifndef WEFT_CMD_BENCH_H
#define WEFT_CMD_BENCH_H

#include "lib/types.h"

struct flow_mod;

int bench_conntrack(int argc, char **argv);
int bench_controller(int argc, char **argv);
int bench_forward(int argc, char **argv);
int bench_intent(int argc, char **argv);
int bench_packet(int argc, char **argv);
int bench_wire(int argc, char **argv);
int bench_misses(int argc, char **argv);
int bench_victim(int argc, char **argv);
int bench_invalidate(int argc, char **argv);
int bench_tables(int argc, char **argv);
int bench_classifier(int argc, char **argv);
int bench_openflow(int argc, char **argv);
int bench_store(int argc, char **argv);
int bench_dhcp(int argc, char **argv);
int bench_tunnel(int argc, char **argv);

/* Time stamp counter where there is one, else nanoseconds: for ratios. */
uint64_t bench_ticks(void);
/* CPU time of the calling thread: other processes do not count. */
nsec bench_cpu_nsec(void);
/* Ticks per second, measured once. */
double bench_ticks_per_second(void);
/* Sorts. */
double bench_median(double *values, unsigned int n);
/* The value that the share `p` of them (sorted) do not exceed. */
double bench_percentile(const double *values, unsigned int n, double p);
/* Matches the i-th of the TCP flows, in no order. */
void bench_make_5tuple(struct flow_mod *, uint64_t i);
/* --NAME=VALUE among the arguments, or NULL; as a number, or `otherwise`. */
const char *bench_option_text(int argc, char **argv, const char *name);
long bench_option(int argc, char **argv, const char *name, long otherwise);

#endif
