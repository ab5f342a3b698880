"""UDP in frames of 64 bytes: how many arrive."""

import subprocess

from bench import program
from networks import Bridge, Ovs, Relay, Standing, weft_networks

PORT = "7001"


def received(network, seconds):
    """Thousands of datagrams a second, at the receiver."""
    receiver = network.spawn(network.containers[1], program("traffic"),
                             "count", PORT, str(seconds + 0.7),
                             stdout=subprocess.PIPE, text=True)
    try:
        # Whatever is sent before the receiver listens is not counted.
        network.run(0, program("traffic"), "send", network.address(1), PORT,
                    str(seconds))
        return float(receiver.communicate(timeout=30)[0]) / 1e3
    finally:
        network.processes.remove(receiver)


def run(bench):
    networks = weft_networks(bench, ["tap", "veth"]) + [
        Bridge("bridge"), Ovs("ovs tap", "tap"), Relay("relay"),
    ]
    what = "UDP of 64 bytes"
    with Standing(bench, networks) as networks:
        for _ in bench.rounds():
            for network in networks:
                bench.add(network.label, what,
                          received(network, bench.seconds), "kpps")
    bench.compare(what + " by tap", ("weft tap", what), [("relay", what)],
                  0.9)
    bench.compare(what + " by tap", ("weft tap", what), [("ovs tap", what)],
                  1.1)
    bench.compare(what + " by veth", ("weft veth", what),
                  [("ovs tap", what)], 1.1)
