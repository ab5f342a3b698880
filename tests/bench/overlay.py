"""TCP between containers of two hosts, through a tunnel.

    container 0 -- switch -- u0 ===== u0 -- switch -- container 1

Each of Weft's and Open vSwitch's switches is a process of its own; the kernel's
is its vxlan device in a bridge.  With its userspace TSO, Open vSwitch is measured
as it comes, and when it then drops what containers send (Debian 12's version
does, and says so: a note at the end) with containers that offload nothing."""

import os
import subprocess

from bench import program
from networks import Network, Ovs, Standing, Weft, eventually, ip, output
from tcp import stream

MTU = 1450
KEY = 5001


class Ends(Network):
    """Two of `end` (a class with plug() for one container), joined."""

    def __init__(self, label, kind, make):
        super().__init__(label)
        self.kind = kind
        self.ends = [make("%s-%d" % (label, i), i) for i in range(2)]
        self.containers = [end.containers[0] for end in self.ends]

    def start(self):
        for end in self.ends:
            end.far = self.ends[1 - end.index]
        self.dir = self.ends[0].prepare()
        self.ends[1].prepare()
        a, b = (end.host for end in self.ends)
        ip("-n", a, "link", "add", "u0", "type", "veth", "peer", "name",
           "u0", "netns", b)
        for end in self.ends:
            ip("-n", end.host, "link", "set", "u0", "up")
            ip("-n", end.host, "addr", "add", end.underlay + "/24", "dev",
               "u0")
        for end in self.ends:
            end.join(self.kind)
            self.pids += end.pids
        self.check(0, 1)
        return self

    def close(self):
        super().close()
        for end in self.ends:
            end.close()


class End:
    """Of one host, mixed into a Network with one container."""

    def place(self, index):
        self.index = index
        self.underlay = "192.0.2.%d" % (index + 1)

    def address(self, i):
        return "10.0.0.%d" % (self.index + 1 + i)

    def prepare(self):
        import tempfile
        self.dir = tempfile.mkdtemp(prefix="bench-")
        for name in [self.host] + self.containers:
            self._add_netns(name)
        return self.dir

    def configure(self, i):
        super().configure(i)
        ip("-n", self.containers[i], "link", "set", "eth0", "mtu", str(MTU))


class WeftEnd(End, Weft):
    def __init__(self, label, index):
        super().__init__(label, "tap", 1)
        self.place(index)

    def join(self, kind):
        self.options = ("--port", "9=t=%s:local=%s,remote=%s,key=%d" % (
            kind, self.underlay, self.far.underlay, KEY))
        self.plug()


class KernelEnd(End, Network):
    def __init__(self, label, index):
        super().__init__(label, 1)
        self.place(index)

    def join(self, kind):
        ip("-n", self.host, "link", "add", "name", "br0", "type", "bridge")
        ip("-n", self.host, "link", "add", "vx0", "type", kind, "id",
           str(KEY), "dstport", "4789", "local", self.underlay, "remote",
           self.far.underlay, "dev", "u0")
        for name in self.veth(0), "vx0":
            ip("-n", self.host, "link", "set", name, "master", "br0")
            ip("-n", self.host, "link", "set", name, "mtu", str(MTU), "up")
        ip("-n", self.host, "link", "set", "br0", "up")
        self.configure(0)


class OvsEnd(End, Ovs):
    def __init__(self, label, index, tso=False):
        super().__init__(label, "tap", tso, n_containers=1)
        self.place(index)

    def join(self, kind):
        self.plug()
        self.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                   "datapath_type=netdev", "--", "add-port", "phy", "u0")
        # It takes checksums that a NIC is still to write for wrong ones.
        output("ip", "netns", "exec", self.host, "ethtool", "-K", "u0", "tx",
               "off")
        ip("-n", self.host, "addr", "flush", "dev", "u0")
        ip("-n", self.host, "addr", "add", self.underlay + "/24", "dev",
           "phy")
        ip("-n", self.host, "link", "set", "phy", "up")
        self.vsctl("add-port", "br0", "t", "--", "set", "interface", "t",
                   "type=" + kind, "options:remote_ip=" + self.far.underlay,
                   "options:local_ip=" + self.underlay,
                   "options:key=%d" % KEY)


class OvsTsoEnd(OvsEnd):
    def __init__(self, label, index):
        super().__init__(label, index, tso=True)

    def join(self, kind):
        super().join(kind)
        self.appctl("vlog/set", "console:warn")

    def complaints(self):
        """What it says of packets that it drops, without time and number."""
        return {line.split("|", 4)[-1].strip()
                for line in self.said().splitlines() if "drop" in line}

    def offload_nothing(self):
        self.run(0, "ethtool", "-K", "eth0", "tx", "off")


def make_tso_pass(bench, network):
    """TCP that nothing comes of would be measured for ever."""
    done = subprocess.run(
        ("ip", "netns", "exec", network.containers[0], "timeout", "4",
         "iperf3", "-c", network.address(1), "-t", "1"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode:
        for text in sorted(set.union(*(end.complaints()
                                       for end in network.ends))):
            bench.note("%s: TCP does not pass until the containers offload "
                       "nothing: \"%s\"" % (network.label, text))
        for end in network.ends:
            end.offload_nothing()


KINDS = ("vxlan", "geneve", "gre")


def run(bench):
    networks = [Ends("kernel vxlan", "vxlan", KernelEnd)]
    for kind in KINDS:
        if program("weftd"):
            networks.append(Ends("weft " + kind, kind, WeftEnd))
        networks.append(Ends("ovs " + kind, kind, OvsEnd))
    networks.append(Ends("ovs-tso vxlan", "vxlan", OvsTsoEnd))
    with Standing(bench, networks) as networks:
        for network in networks:
            network.spawn(network.containers[1], "iperf3", "-s")
            if network.label.startswith("ovs-tso"):
                make_tso_pass(bench, network)
            network.pause(True)
        for _ in bench.rounds():
            for n_streams in 1, 4:
                what = "tunnel TCP x%d" % n_streams
                for network in networks:
                    network.pause(False)
                    eventually(lambda: network.check(0, 1) is None,
                               "it answers again")
                    rate, efficiency = stream(network, bench.seconds,
                                              n_streams)
                    network.pause(True)
                    bench.add(network.label, what, rate, "Gbit/s")
                    bench.add(network.label, what + " for a CPU second",
                              efficiency, "Gbit")
    for n_streams in 1, 4:
        what = "tunnel TCP x%d" % n_streams
        for kind, budget in ("vxlan", 5), ("geneve", 5), ("gre", 1.5):
            bench.compare("%s %s" % (kind, what), ("weft " + kind, what),
                          [("ovs " + kind, what), ("ovs-tso " + kind, what)],
                          budget)
        bench.compare("vxlan %s" % what, ("weft vxlan", what),
                      [("kernel vxlan", what)], 0.6)
