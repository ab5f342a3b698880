"""TCP from one container to another, by iperf3: one stream, and four."""

import json

from networks import Bridge, Ovs, Standing, weft_networks

# What a newer Open vSwitch reaches beside the one of Debian 12.
OVS_TAP, OVS_VETH = 1.12, 1.49


def stream(network, seconds, n_streams):
    """(Gbit/s, Gbit for a second of CPU time).  The latter counts sender,
    receiver and switch, and is what moves least when others are busy too."""
    used = network.cpu_seconds()
    end = json.loads(network.run(
        0, "iperf3", "-J", "-c", network.address(1), "-t", str(seconds),
        "-P", str(n_streams), timeout=seconds + 30))["end"]
    used = network.cpu_seconds() - used
    shares = end["cpu_utilization_percent"]
    used += seconds * (shares["host_total"] + shares["remote_total"]) / 100
    gbits_a_second = end["sum_received"]["bits_per_second"] / 1e9
    return gbits_a_second, gbits_a_second * seconds / used


def gbits(network, seconds, n_streams):
    return stream(network, seconds, n_streams)[0]


def run(bench):
    networks = weft_networks(bench, ["tap", "veth", "netdev"]) + [
        Bridge("bridge"),
        Ovs("ovs tap", "tap"), Ovs("ovs tap-tso", "tap", tso=True),
        Ovs("ovs veth", "veth"), Ovs("ovs veth-tso", "veth", tso=True),
    ]
    with Standing(bench, networks) as networks:
        for network in networks:
            network.spawn(network.containers[1], "iperf3", "-s")
            network.check(0, 1)
        for _ in bench.rounds():
            for n_streams in 1, 4:
                what = "TCP x%d" % n_streams
                for network in networks:
                    rate, efficiency = stream(network, bench.seconds,
                                              n_streams)
                    bench.add(network.label, what, rate, "Gbit/s")
                    bench.add(network.label, what + " for a CPU second",
                              efficiency, "Gbit")
    for n_streams in 1, 4:
        what = "TCP x%d" % n_streams
        bench.compare(what + " by tap", ("weft tap", what),
                      [("bridge", what)], 1.0)
        bench.compare(what + " by tap", ("weft tap", what),
                      [("ovs tap", what), ("ovs tap-tso", what)], 1.0,
                      factor=OVS_TAP)
        for kind in "veth", "netdev":
            bench.compare("%s by %s" % (what, kind), ("weft " + kind, what),
                          [("ovs veth", what), ("ovs veth-tso", what)], 1.1,
                          factor=OVS_VETH)
