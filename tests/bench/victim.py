"""What an attack on the tuple space leaves of a neighbour's rate.

The policy allows some packets and drops the rest.  A third container sends
packets that differ from what is allowed in one chosen bit of each field
(traffic.c): each wants a cache entry under a mask of its own."""

from bench import output, program
from networks import Ovs, Standing, Weft
from tcp import gbits

ATTACK = 20000                  # Packets a second: 10 Mbit/s.
TARGET = "02:00:00:00:00:99"
POLICY = [
    "priority=50,arp,actions=normal",
    "priority=30,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2,actions=output:2",
    "priority=30,ip,nw_src=10.0.0.2,nw_dst=10.0.0.1,actions=output:1",
    "priority=20,udp,tp_dst=80,actions=output:2",
    "priority=20,udp,nw_src=10.0.0.10,actions=output:2",
    "priority=20,udp,tp_src=12345,actions=output:2",
    "priority=1,actions=drop",
]
ALONE, ATTACKED, LEFT = "TCP alone", "TCP under attack", "left under attack"


def measure(bench, network):
    alone = gbits(network, bench.seconds, 1)
    attacker = network.spawn(network.containers[2], program("traffic"),
                             "flood", "eth0", TARGET, "bits",
                             str(bench.seconds + 2), str(ATTACK))
    try:
        attacked = gbits(network, bench.seconds, 1)
    finally:
        attacker.terminate()
        attacker.wait()
        network.processes.remove(attacker)
    bench.add(network.label, ALONE, alone, "Gbit/s")
    bench.add(network.label, ATTACKED, attacked, "Gbit/s")
    bench.add(network.label, LEFT, attacked / alone, "times")


def in_memory(bench):
    said = output(program("weft-bench"), "victim", "--rounds=1",
                  "--ms=%d" % (500 * bench.seconds), "--attack=%d" % ATTACK)
    figures = dict(bench.results_in(said))
    bench.add("weft in memory", LEFT, figures["ratio"]["times"], "times")


def run(bench):
    networks = [Ovs("ovs tap-tso", "tap", tso=True, n_containers=3)]
    if program("weftd"):
        networks.append(Weft("weft tap", "tap", n_containers=3))
    with Standing(bench, networks) as networks:
        for network in networks:
            network.spawn(network.containers[1], "iperf3", "-s")
            network.delete_flows()
            for flow in POLICY:
                network.add_flow(flow)
            network.check(0, 1)
        for _ in bench.rounds():
            for network in networks:
                measure(bench, network)
            in_memory(bench)
    bench.compare("victim: TCP under attack", ("weft tap", ATTACKED),
                  [("ovs tap-tso", ATTACKED)], 1.0)
    for ours in "weft tap", "weft in memory":
        bench.limit("victim: " + LEFT + ours.replace("weft", ","),
                    (ours, LEFT), at_least=0.8)
