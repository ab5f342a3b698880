"""Packets from memory to memory: Weft's data path beside OVS-DPDK's, on the
same core in turn, and testpmd as the floor."""

import os
import tempfile

import dpdk
import hugepages
from bench import output, program
from networks import Standing

ALL_TO_2 = "in_port=1,actions=output:2"
# Reading the whole 5-tuple makes each flow a cache entry of its own.
EACH_TO_2 = ("udp,in_port=1,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],"
             "move:NXM_OF_UDP_DST[]->NXM_NX_REG0[16..31],"
             "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],"
             "move:NXM_OF_IP_DST[]->NXM_NX_REG2[],output:2")

# (row of weft-bench forward, flows that OVS sees, cycles at most)
ROWS = [
    ("one entry in_port -> out", 0, 93),
    ("L2, one pair of stations", None, 130),
    ("5-tuple, 1 flow", 1, 110),
    ("5-tuple, 1000 flows, 1 masks", 1000, 150),
    ("5-tuple, 1000 flows, 8 masks", None, None),
    ("5-tuple, 1000 flows, 64 masks", None, None),
    ("5-tuple, 20000 flows, 1 masks", 20000, 270),
    ("5-tuple, 100000 flows, 1 masks", 100000, 300),
    ("5-tuple, 1000000 flows, 1 masks", None, 400),
]


def weft_cycles(bench, label):
    """One round on the core on which OVS polls."""
    said = output("taskset", "-c", str(dpdk.POLLING_CORE),
                  program("weft-bench"), "forward", "--rounds=1",
                  "--ms=%d" % (500 * bench.seconds), "--only=" + label,
                  timeout=120)
    (_, figures), = bench.results_in(said)
    return figures["cycles/packet"]


def ovs_switch(label, n_flows, huge_dir, directory):
    if n_flows == 0:
        return dpdk.OvsDpdk(label, huge_dir, "net_null0,size=64", ALL_TO_2)
    path = os.path.join(directory, "%d.pcap" % n_flows)
    dpdk.write_flows(path, n_flows)
    return dpdk.OvsDpdk(label, huge_dir, "net_pcap0,rx_pcap=%s,"
                        "infinite_rx=1" % path, EACH_TO_2)


def measure_row(bench, label, n_flows, huge_dir, directory):
    ovs = []
    if n_flows is not None and huge_dir:
        ovs = [ovs_switch("ovs-dpdk", n_flows, huge_dir, directory)]
    with Standing(bench, ovs) as ovs:
        for _ in bench.rounds():
            for switch in ovs:
                bench.add("ovs-dpdk", label,
                          switch.per_packet(bench.seconds)[1], "cycles")
                switch.pause(True)
            bench.add("weft", label, weft_cycles(bench, label), "cycles")
            for switch in ovs:
                switch.pause(False)


def measure_testpmd(bench, huge_dir):
    hertz = tsc_hertz()
    for _ in bench.rounds(3):
        bench.add("testpmd", "no switching at all", hertz / 1e6
                  / dpdk.testpmd(huge_dir, bench.seconds), "cycles")


def tsc_hertz():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("cpu MHz"):
                return float(line.split(":")[1]) * 1e6
    return 1.0


def measure(bench, huge_dir):
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for label, n_flows, _ in ROWS:
            measure_row(bench, label, n_flows, huge_dir, directory)
    if huge_dir:
        measure_testpmd(bench, huge_dir)


def run(bench):
    try:
        if not dpdk.available():
            raise hugepages.Unavailable("DPDK's programs are not installed")
        with hugepages.mounted(dpdk.OVS_PAGES
                               + dpdk.TESTPMD_PAGES) as huge_dir:
            measure(bench, huge_dir)
    except hugepages.Unavailable as e:
        bench.note("%s: OVS-DPDK is not measured" % e)
        measure(bench, None)
    for label, n_flows, budget in ROWS:
        if n_flows is not None:
            bench.compare(label, ("weft", label), [("ovs-dpdk", label)], 1.0,
                          less_is_better=True)
        if budget:
            bench.limit(label, ("weft", label), at_most=budget)
