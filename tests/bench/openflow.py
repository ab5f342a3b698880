"""Switches as a controller meets them: how fast requests are taken on one
connection, how long the answer to a barrier takes, what an entry costs in
memory, packets to and from the controller, and what forwarding notices of it.

All by weft-bench openflow, with the same requests, encoded before the clock
starts, on the switch's local socket."""

import os
import subprocess

from bench import output, program
from networks import Ovs, Standing, Weft

N, MANY = 100000, 1000000
PACKET_IN_RATE = "400000"               # Frames a second that are offered.
CHANGES = 10000                         # Flow-mods a second.
TARGET = "02:00:00:00:00:99"
ONE_BY_ONE = "flow-mods one by one, %d"
BARRIER = "barrier with %d entries, %s"
BUNDLE = "bundle of %d flow-mods" % N
LIST = "list of %d entries"
MEMORY = "memory of one of %d entries"
PACKET_OUTS, PACKET_INS = "packet-outs", "packet-ins"
QUIET, BUSY = "UDP of 64 bytes", "UDP of 64 bytes during %d flow-mods/s" \
    % CHANGES


def socket_of(network):
    return "unix:" + os.path.join(network.dir, "br0.mgmt")


def ask(bench, network, what, *options, timeout=600):
    said = output(program("weft-bench"), "openflow", socket_of(network), what,
                  *options, timeout=timeout)
    return dict(bench.results_in(said))


def resident_bytes(network):
    total = 0
    for pid in network.pids:
        with open("/proc/%d/statm" % pid) as f:
            total += int(f.read().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


def measure_flows(bench, network, n, is_first):
    before = resident_bytes(network)
    peak = [before]
    argv = [program("weft-bench"), "openflow", socket_of(network), "flows",
            "--entries=%d" % n, "--bundle=%d" % N]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as asker:
        said = []
        for line in asker.stdout:
            said.append(line)
            if "barrier-when-full" in line:
                peak.append(resident_bytes(network))
    if asker.returncode:
        raise RuntimeError("%s: %s" % (network.label, " ".join(argv)))
    found = dict(bench.results_in("".join(said)))
    bench.add(network.label, ONE_BY_ONE % n,
              found["one-by-one"]["per_second"] / 1e3, "k/s")
    for share in "p50", "p99":
        bench.add(network.label, BARRIER % (n, share),
                  found["barrier-when-full"][share + "_us"], "us")
    bench.add(network.label, LIST % n, found["list"]["seconds"], "s")
    bench.add(network.label, BUNDLE, found["bundle"]["per_second"] / 1e3,
              "k/s")
    if is_first:                # Later rounds use memory freed before.
        bench.add(network.label, MEMORY % n, (peak[-1] - before) / n, "B")


def measure_packet_ins(bench, network):
    network.delete_flows()
    network.add_flow("priority=0,actions=controller:128")
    asker = subprocess.Popen(
        [program("weft-bench"), "openflow", socket_of(network), "packet-ins",
         "--ms=%d" % (1000 * bench.seconds)], stdout=subprocess.PIPE,
        text=True)
    with asker:
        asker.stdout.readline()
        network.run(0, program("traffic"), "flood", "eth0", TARGET, "flows",
                    str(bench.seconds), PACKET_IN_RATE)
        found = dict(bench.results_in(asker.stdout.read()))
    bench.add(network.label, PACKET_INS,
              found["packet-ins"]["per_second"] / 1e3, "k/s")


def received(network, seconds):
    receiver = network.spawn(network.containers[1], program("traffic"),
                             "count", "7001", str(seconds + 0.7),
                             stdout=subprocess.PIPE, text=True)
    try:
        network.run(0, program("traffic"), "send", network.address(1), "7001",
                    str(seconds))
        return float(receiver.communicate(timeout=30)[0]) / 1e3
    finally:
        network.processes.remove(receiver)


def measure_forwarding(bench, network):
    """Established traffic, alone and while entries come and go."""
    network.delete_flows()
    network.add_flow("priority=1,in_port=1,actions=output:2")
    network.add_flow("priority=1,in_port=2,actions=output:1")
    bench.add(network.label, QUIET, received(network, bench.seconds), "kpps")
    changer = subprocess.Popen(
        [program("weft-bench"), "openflow", socket_of(network), "changes",
         "--rate=%d" % CHANGES, "--ms=%d" % (1000 * (bench.seconds + 1))],
        stdout=subprocess.DEVNULL)
    with changer:
        bench.add(network.label, BUSY, received(network, bench.seconds),
                  "kpps")


def run(bench):
    networks = [Ovs("ovs veth", "veth")]
    if program("weftd"):
        networks.append(Weft("weft veth", "veth", options=[
            "--upcalls-per-second", "0", "--packet-ins-per-second", "0"]))
    with Standing(bench, networks) as networks:
        for i in bench.rounds():
            for network in networks:
                measure_flows(bench, network, N, i == 0)
                bench.add(network.label, PACKET_OUTS, ask(
                    bench, network, "packet-outs")["packet-outs"]
                    ["per_second"] / 1e3, "k/s")
                measure_packet_ins(bench, network)
                measure_forwarding(bench, network)
                network.delete_flows()
        for i in bench.rounds(1):
            for network in networks:
                measure_flows(bench, network, MANY, i == 0)

    ours, peers = "weft veth", "ovs veth"
    for n in N, MANY:
        bench.compare(ONE_BY_ONE % n, (ours, ONE_BY_ONE % n),
                      [(peers, ONE_BY_ONE % n)], 3)
        bench.compare(LIST % n, (ours, LIST % n), [(peers, LIST % n)], 1,
                      less_is_better=True)
        for share in "p50", "p99":
            what = BARRIER % (n, share)
            bench.compare(what, (ours, what), [(peers, what)], 1,
                          less_is_better=True)
    bench.limit(ONE_BY_ONE % MANY, (ours, ONE_BY_ONE % MANY), at_least=250)
    bench.limit(BARRIER % (MANY, "p99"), (ours, BARRIER % (MANY, "p99")),
                at_most=2000)
    bench.limit(MEMORY % MANY, (ours, MEMORY % MANY), at_most=400)
    bench.compare(BUNDLE, (ours, BUNDLE), [(peers, BUNDLE)], 3)
    bench.compare(PACKET_INS, (ours, PACKET_INS), [(peers, PACKET_INS)], 2)
    bench.compare(PACKET_OUTS, (ours, PACKET_OUTS), [(peers, PACKET_OUTS)], 1)
    bench.compare(BUSY, (ours, BUSY), [(peers, BUSY)], 1)
    bench.compare(BUSY + ", beside quiet", (ours, BUSY), [(ours, QUIET)], 0.9)
