"""Flow tables: how fast entries come, what they cost in memory, and what a
lookup costs on a miss.

Weft's figures are of its tables in memory (weft-bench tables, classifier),
Open vSwitch's of ovs-ofctl and the daemon together: an encoder and a socket
more, which is little beside a factor of ten."""

import os
import time

from bench import output, program
from networks import Ovs, Standing

N = 100000
ONE_BY_ONE, BUNDLE = "flow-mods one by one", "flow-mods in a bundle"
MEMORY = "memory of an entry"
# (rules, what is looked up)
FEW, MANY, N_MASKS = 1000, 500000, 300


def write_flows(path):
    with open(path, "w") as f:
        for i in range(N):
            f.write("priority=100,tcp,nw_src=10.%d.%d.%d,nw_dst=10.200.%d.%d,"
                    "tp_src=%d,tp_dst=%d,actions=output:2\n" % (
                        i >> 16, i >> 8 & 255, i & 255, i >> 8 & 255,
                        i & 255, 1024 + i % 60000, 80 + i % 7))


def resident_bytes(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_ovs(bench, ovs, path):
    for what, options in (ONE_BY_ONE, []), (BUNDLE, ["--bundle"]):
        before = resident_bytes(ovs.pids[0])
        start = time.monotonic()
        ovs.ofctl("add-flows", path, options=options)
        bench.add("ovs", what, N / (time.monotonic() - start) / 1e3, "k/s")
        if what == ONE_BY_ONE and not bench.values.get(("ovs", MEMORY)):
            # Later rounds use memory that was freed before.
            bench.add("ovs", MEMORY,
                      (resident_bytes(ovs.pids[0]) - before) / N, "B")
        ovs.delete_flows()


def measure_weft(bench, n):
    said = output(program("weft-bench"), "tables", "--rounds=1",
                  "--entries=%d" % n, timeout=300)
    figures = dict(bench.results_in(said))
    for what, row in (ONE_BY_ONE, "one-by-one"), (BUNDLE, "bundle"):
        bench.add("weft", "%s, %d" % (what, n),
                  figures[row]["per_second"] / 1e3, "k/s")
    bench.add("weft", "%s of %d" % (MEMORY, n),
              figures["one-by-one"]["bytes_per_entry"], "B")


def measure_lookups(bench, n):
    said = output(program("weft-bench"), "classifier", "--entries=%d" % n,
                  "--masks=%d" % N_MASKS, timeout=300)
    for kind, figures in bench.results_in(said):
        what = "lookup on a miss, %s rules" % kind
        bench.add("%d" % n, what, figures["mean_ns"], "ns")
        bench.add("%d" % n, what + ", p99", figures["p99_ns"], "ns")


def run(bench):
    with Standing(bench, [Ovs("ovs", "veth", n_containers=0)]) as networks:
        for ovs in networks:
            path = ovs.file("flows")
            write_flows(path)
        for _ in bench.rounds():
            for ovs in networks:
                measure_ovs(bench, ovs, path)
            measure_weft(bench, N)
    for _ in bench.rounds(3):
        measure_weft(bench, 10 * N)
        for n in FEW, MANY:
            measure_lookups(bench, n)

    bench.compare(ONE_BY_ONE, ("weft", "%s, %d" % (ONE_BY_ONE, N)),
                  [("ovs", ONE_BY_ONE)], 3)
    bench.compare(BUNDLE, ("weft", "%s, %d" % (BUNDLE, N)),
                  [("ovs", BUNDLE)], 3)
    bench.limit(ONE_BY_ONE + ", to 1M",
                ("weft", "%s, %d" % (ONE_BY_ONE, 10 * N)), at_least=250)
    bench.limit(MEMORY, ("weft", "%s of %d" % (MEMORY, 10 * N)), at_most=400)
    for kind in "mixed", "nested", "bits", "full":
        what = "lookup on a miss, %s rules" % kind
        # A packet can match all of 300 masks only with many rules.
        if kind != "full":
            bench.compare("%s, 500k beside 1k" % what, ("%d" % MANY, what),
                          [("%d" % FEW, what)], 0.5, less_is_better=True)
        bench.limit("%s, 500k, p99" % what, ("%d" % MANY, what + ", p99"),
                    at_most=10000)
