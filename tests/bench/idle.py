"""CPU time of a switch with ten ports and nothing to do."""

import time

from networks import Ovs, Standing, weft_networks

SECONDS = 5


def run(bench):
    networks = weft_networks(bench, ["tap"], n_containers=10) + [
        Ovs("ovs tap", "tap", n_containers=10),
    ]
    what = "idle CPU, 10 ports"
    with Standing(bench, networks) as networks:
        time.sleep(2)           # ARP and the first revalidation are over.
        for _ in bench.rounds(3):
            before = [network.cpu_seconds() for network in networks]
            time.sleep(SECONDS)
            for network, used in zip(networks, before):
                bench.add(network.label, what,
                          100 * (network.cpu_seconds() - used) / SECONDS, "%")
    bench.limit(what, ("weft tap", what), at_most=1.0)
