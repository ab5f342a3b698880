"""Source NAT: TCP, small packets, new connections, beside nftables and Open
vSwitch; and in memory, new sessions beside Open vSwitch's own tracker.

    10.0.0.1 --- switch or router --- server
    seen there as 10.0.0.100, of nftables as the router"""

import os
import re
import tempfile
import time

import dpdk
import hugepages
import tcp
import udp64
from bench import output, program
from networks import Network, Ovs, Standing, Weft, eventually, ip

PORT = "7100"
OUTSIDE = "10.0.0.100"
FLOWS = [
    "priority=100,arp,actions=normal",
    "priority=50,ip,actions=ct(zone=1,nat,table=1)",
    "table=1,priority=50,in_port=1,ct_state=+new+trk,ip,"
    "actions=ct(commit,zone=1,nat(src=%s)),output:2" % OUTSIDE,
    "table=1,priority=50,in_port=1,ct_state=+est+trk,ip,actions=output:2",
    "table=1,priority=50,in_port=2,ct_state=+est+trk,ip,actions=output:1",
]
TCP, SMALL, CONNECTIONS = "NAT: TCP", "NAT: UDP of 64 bytes", \
    "NAT: TCP connections"
SESSIONS = "NAT: new sessions in memory"
MANY_PORTS = "net.ipv4.ip_local_port_range=1024 65535"
PCAP_FLOWS = 100000


class Nft(Network):
    """The kernel as router."""

    def address(self, i):
        return "10.%d.0.2" % i

    def plug(self):
        for i in range(2):
            name = self.veth(i)
            self.configure(i)
            ip("-n", self.host, "addr", "add", "10.%d.0.1/24" % i, "dev",
               name)
            ip("-n", self.containers[i], "link", "set", "eth0", "up")
        ip("-n", self.containers[0], "route", "add", "default", "via",
           "10.0.0.1")
        output("ip", "netns", "exec", self.host, "sysctl", "-qw",
               "net.ipv4.ip_forward=1",
               "net.netfilter.nf_conntrack_tcp_timeout_time_wait=1")
        output("ip", "netns", "exec", self.host, "nft",
               "add table ip nat; add chain ip nat post { type nat hook "
               "postrouting priority srcnat; }; "
               "add rule ip nat post oifname v1 masquerade")


def translate(network):
    """On a switch, where both ends are on one segment."""
    if isinstance(network, Nft):
        return
    ip("-n", network.containers[1], "neigh", "add", OUTSIDE, "lladdr",
       network.mac(0), "dev", "eth0")
    network.delete_flows()
    for flow in FLOWS:
        network.add_flow(flow)
    network.check(0, 1)


def connections(network, seconds):
    """Thousands a second: connect, a byte to and fro, close."""
    return float(network.run(0, program("traffic"), "connect",
                             network.address(1), PORT, str(seconds),
                             timeout=seconds + 30)) / 1e3


# ---- In memory ----


def weft_sessions(bench):
    said = output(program("weft-bench"), "conntrack", "--nat=1", timeout=120)
    rates = dict(re.findall(r"^RESULT conntrack (.*?) +\d+ cycles +(\S+) M/s",
                            said, re.M))
    bench.add("weft in memory", SESSIONS,
              1e3 * float(rates["new, in the place of the oldest"]), "k/s")
    each, = re.findall(r"live take (\d+) bytes each", said)
    bench.add("weft in memory", "NAT: a session takes", float(each), "bytes")
    worst, = re.findall(r"the longest took (\d+) us", said)
    bench.add("weft in memory", "NAT: longest sweep as 1M end",
              float(worst), "us")


class OvsSessions(dpdk.OvsDpdk):
    """Packets of so many sessions from memory; none is tracked at first."""

    def __init__(self, huge_dir, path):
        super().__init__("ovs-dpdk", huge_dir, "net_pcap0,rx_pcap=%s,"
                         "infinite_rx=1" % path,
                         "priority=1,in_port=1,actions=output:2")

    def tracked(self):
        return int(self.appctl("dpctl/ct-get-nconns").split()[-1])

    def rate(self):
        """Thousands of new sessions a second, from none to nearly all."""
        self.delete_flows()
        self.add_flow("priority=1,in_port=1,actions=output:2")
        self.appctl("dpctl/flush-conntrack")
        self.add_flow("priority=2,udp,in_port=1,actions=ct(commit,zone=1,"
                      "nat(src=198.51.100.0-198.51.100.15)),output:2")
        first = eventually(self.tracked, "sessions begin"), time.monotonic()
        last = first
        while True:
            n = self.tracked(), time.monotonic()
            if n[0] > 0.9 * PCAP_FLOWS or n[0] == last[0]:
                break
            last = n
        if last is first:
            last = n
        return (last[0] - first[0]) / (last[1] - first[1]) / 1e3


def in_memory(bench):
    def ours():
        for _ in bench.rounds():
            weft_sessions(bench)

    try:
        if not dpdk.available():
            raise hugepages.Unavailable("DPDK's programs are not installed")
        with hugepages.mounted(dpdk.OVS_PAGES) as huge_dir, \
                tempfile.TemporaryDirectory(prefix="bench-") as directory:
            path = os.path.join(directory, "flows.pcap")
            dpdk.write_flows(path, PCAP_FLOWS)
            with Standing(bench, [OvsSessions(huge_dir, path)]) as switches:
                for _ in bench.rounds():
                    for switch in switches:
                        bench.add(switch.label, SESSIONS, switch.rate(),
                                  "k/s")
                        switch.pause(True)
                    weft_sessions(bench)
                    for switch in switches:
                        switch.pause(False)
    except hugepages.Unavailable as e:
        bench.note("%s: OVS-DPDK is not measured" % e)
        ours()


def run(bench):
    networks = [Nft("nft"), Ovs("ovs tap-tso", "tap", tso=True),
                Ovs("ovs veth-tso", "veth", tso=True)]
    if program("weftd"):
        networks += [Weft("weft " + kind, kind) for kind in ("tap", "netdev")]
    with Standing(bench, networks) as networks:
        for network in networks:
            translate(network)
            network.run(0, "sysctl", "-qw", MANY_PORTS)
            network.spawn(network.containers[1], "iperf3", "-s")
            network.spawn(network.containers[1], program("traffic"),
                          "accept", PORT)
        for _ in bench.rounds():
            for network in networks:
                bench.add(network.label, TCP,
                          tcp.gbits(network, bench.seconds, 1), "Gbit/s")
            for network in networks:
                bench.add(network.label, SMALL,
                          udp64.received(network, bench.seconds), "kpps")
            for network in networks:
                bench.add(network.label, CONNECTIONS,
                          connections(network, bench.seconds), "k/s")
    in_memory(bench)
    peers = "ovs tap-tso", "ovs veth-tso"
    for what, at_least in (TCP, 1.2), (SMALL, 1.0), (CONNECTIONS, 1.0):
        bench.compare(what, ("weft tap", what),
                      [(peer, what) for peer in peers], at_least)
        bench.compare(what + ", nftables (aim)", ("weft tap", what),
                      [("nft", what)], 0.9 if what is TCP else 1.0)
    bench.compare(SESSIONS, ("weft in memory", SESSIONS),
                  [("ovs-dpdk", SESSIONS)], 3.0)
