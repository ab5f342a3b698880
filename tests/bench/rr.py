"""TCP, one byte to and fro: how long an answer takes."""

from bench import program
from networks import Bridge, Ovs, Relay, Standing, weft_networks

PORT = "7002"


def run(bench):
    networks = weft_networks(bench, ["tap", "veth"]) + [
        Ovs("ovs tap", "tap"), Bridge("bridge"), Relay("relay"),
    ]
    with Standing(bench, networks) as networks:
        for network in networks:
            network.spawn(network.containers[1], program("traffic"), "pong",
                          PORT)
        for _ in bench.rounds():
            for network in networks:
                _rate, p50, p99 = map(float, network.run(
                    0, program("traffic"), "ping", network.address(1), PORT,
                    str(bench.seconds)).split())
                bench.add(network.label, "round trip p50", p50, "us")
                bench.add(network.label, "round trip p99", p99, "us")
    for what in "round trip p50", "round trip p99":
        for kind in "tap", "veth":
            bench.compare("TCP %s by %s" % (what, kind),
                          ("weft " + kind, what), [("ovs tap", what)], 1.0,
                          less_is_better=True)
