"""What a guest that floods the connection tracker leaves of his neighbours.

    neighbour .1 ---+
                    +--- switch, all of it tracked, each guest in a zone
    server    .2 ---+
    attacker  .3 ---+    translated

He sends packets that begin connections, each another one: UDP, TCP's SYN, pings,
fragments whose first never comes.  His zone has a limit, and so has the tracker;
what he has no room for is dropped.  In memory: ten million of them."""

import re

from bench import output, program
from networks import Standing, Weft
from tcp import gbits

RATE = 20000                    # Packets a second.
TARGET = "02:00:00:00:00:99"
LIMITS = ["--max-connections", "200000", "--zone-connections", "50000"]
KINDS = ["flows", "syns", "pings", "fragments"]
FLOWS = [
    "priority=100,arp,actions=normal",
    "priority=50,ip,in_port=1,actions=ct(commit,zone=1,table=1)",
    "priority=50,ip,in_port=2,actions=ct(zone=1,table=1)",
    "priority=50,ip,in_port=3,"
    "actions=ct(commit,zone=3,nat(src=10.0.0.100),table=1)",
    "table=1,priority=50,ip,nw_dst=10.0.0.1,actions=output:1",
    "table=1,priority=50,ip,nw_dst=10.0.0.2,actions=output:2",
]
ALONE = "TCP alone"
FLOODED = 10000000
FIGURES = {"neighbour's packets left": ("times", "left"),
           "memory beyond its cap": ("times", "memory"),
           "a refused packet costs": ("cycles", "refused")}


def resident(network):
    """MB, of the processes of the switch."""
    pages = 0
    for pid in network.pids:
        with open("/proc/%d/statm" % pid) as f:
            pages += int(f.read().split()[1])
    return pages * 4096 / 1e6


def measure(bench, network, kind):
    alone = gbits(network, bench.seconds, 1)
    attacker = network.spawn(network.containers[2], program("traffic"),
                             "flood", "eth0", TARGET, kind,
                             str(bench.seconds + 2), str(RATE))
    try:
        flooded = gbits(network, bench.seconds, 1)
    finally:
        attacker.terminate()
        attacker.wait()
        network.processes.remove(attacker)
    bench.add(network.label, ALONE, alone, "Gbit/s")
    bench.add(network.label, "TCP under " + kind, flooded, "Gbit/s")
    bench.add(network.label, "left under " + kind, flooded / alone, "times")
    bench.add(network.label, "resident after " + kind, resident(network),
              "MB")


def in_memory(bench):
    said = output(program("weft-bench"), "conntrack", "--flood=%d" % FLOODED,
                  timeout=120)
    for what, (unit, name) in FIGURES.items():
        value, = re.findall(r" %s=([0-9.]+)" % name, said)
        bench.add("weft in memory", what, float(value), unit)


def run(bench):
    networks = []
    if program("weftd"):
        networks.append(Weft("weft tap", "tap", n_containers=3,
                             options=LIMITS))
    with Standing(bench, networks) as networks:
        for network in networks:
            network.spawn(network.containers[1], "iperf3", "-s")
            network.delete_flows()
            for flow in FLOWS:
                network.add_flow(flow)
            network.check(0, 1)
        for _ in bench.rounds():
            for network in networks:
                for kind in KINDS:
                    measure(bench, network, kind)
            in_memory(bench)
    for kind in KINDS:
        bench.limit("floods: TCP left under " + kind,
                    ("weft tap", "left under " + kind), at_least=0.8)
    bench.limit("floods: packets left, 10M flows in memory",
                ("weft in memory", "neighbour's packets left"), at_least=0.8)
    bench.limit("floods: memory, 10M flows in memory",
                ("weft in memory", "memory beyond its cap"), at_most=1.0)
