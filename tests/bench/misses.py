"""Packets that nothing is cached for: how many a switch can translate in a
second.  A container sends frames from ever new stations to a learning switch,
then ever new 5-tuples to one that looks at all of it."""

import re

from bench import output, program
from networks import Ovs, Standing, Weft

TARGET = "02:00:00:00:00:99"
ALL_BITS = ("udp,in_port=1,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],"
            "move:NXM_OF_UDP_DST[]->NXM_NX_REG0[16..31],"
            "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],"
            "move:NXM_OF_IP_DST[]->NXM_NX_REG2[],output:2")
# (what, kind of flood, flow entry)
KINDS = [
    ("misses, a new station each", "stations", "priority=0,actions=normal"),
    ("misses, a new 5-tuple each", "flows", "priority=1," + ALL_BITS),
]
# So that the tables' limits are not what is measured.
NO_LIMITS = ["--upcalls-per-second", "0", "--fdb-max", "1000000",
             "--fdb-max-per-port", "1000000", "--max-cache-entries",
             "1000000", "--port-share", "1"]


def translations(network):
    """So far."""
    if isinstance(network, Weft):
        return int(re.search(r"^weft_datapath_inserts_total (\d+)",
                             network.weft("metrics"), re.M)[1])
    return int(re.search(r"missed:(\d+)",
                         network.appctl("dpctl/show", "-s"))[1])


def forget(network):
    if isinstance(network, Ovs):
        network.appctl("revalidator/purge")


def measure(network, kind, seconds):
    """Thousands a second."""
    forget(network)
    before = translations(network)
    network.run(0, program("traffic"), "flood", "eth0", TARGET, kind,
                str(seconds), "0")
    return (translations(network) - before) / seconds / 1e3


def in_memory(bench):
    said = output(program("weft-bench"), "misses", "--rounds=1",
                  "--ms=%d" % (500 * bench.seconds))
    for (what, _, _), (_, figures) in zip(KINDS, bench.results_in(said)):
        bench.add("weft in memory", what, figures["entries/s"] / 1e3,
                  "k/s")


def run(bench):
    networks = [Ovs("ovs veth", "veth")]
    if program("weftd"):
        networks += [Weft("weft " + kind, kind, options=NO_LIMITS)
                     for kind in ("tap", "veth")]
    with Standing(bench, networks) as networks:
        for network in networks:
            if isinstance(network, Ovs):
                network.vsctl("set", "bridge", "br0",
                              "other_config:mac-table-size=1000000")
        for what, kind, flow in KINDS:
            for network in networks:
                network.delete_flows()
                network.add_flow(flow)
            for _ in bench.rounds():
                for network in networks:
                    bench.add(network.label, what,
                              measure(network, kind, bench.seconds), "k/s")
        for _ in bench.rounds():
            in_memory(bench)
    for what, _, _ in KINDS:
        for ours in "weft in memory", "weft tap", "weft veth":
            bench.compare("%s (%s)" % (what, ours.replace("weft ", "")),
                          (ours, what), [("ovs veth", what)], 3)
