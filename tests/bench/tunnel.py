"""Encapsulation and decapsulation in memory, beside Open vSwitch's data path
with DPDK, on the same core in turn.

    encapsulation     source -- br0 -- t:vxlan ...  phy -- sink
    decapsulation     source -- phy ... t:vxlan -- br0 -- sink
    neither           source -- br0 -- sink

What a tunnel costs Open vSwitch is what it needs more than for neither: a
decapsulated packet is looked up twice there.  What it costs Weft is what its
port needs more than one that does nothing, `null`.  All copy each frame that
they receive once, with a tunnel or without.  Open vSwitch writes and reads the
outer Ethernet, IP and UDP headers, which the kernel does for Weft's ports by
their sockets: that is in the former's figures only."""

import ipaddress
import os
import struct
import tempfile

import dpdk
import hugepages
from bench import output, program
from networks import ip

KEY = 5001
AIM = 60
UNDERLAY = {4: ("192.0.2.1", "192.0.2.2", 24),
            6: ("2001:db8::1", "2001:db8::2", 64)}
MACS = "02:00:00:00:00:51", "02:00:00:00:00:52"     # Ours, and the far end's.
ROWS = [(kind, family, length) for kind in ("vxlan", "geneve", "gre")
        for family in (4, 6) for length in (64, 512, 1400)]
PEER_ROWS = [("vxlan", 4, 64), ("vxlan", 4, 1400),
             ("vxlan", 6, 64), ("geneve", 4, 64), ("gre", 4, 64)]
MEGABYTES = 512
LOOKS = 10
BUDGET = 1.3


def packed(address):
    return ipaddress.ip_address(address).packed


def encapsulate(kind, family, frame):
    """The frame as it comes from the far end, checksums of zero: none."""
    proto = 17
    if kind == "gre":
        proto = 47
        body = struct.pack("!HHI", 0x2000, 0x6558, KEY) + frame
    else:
        header = struct.pack("!II", 0x08000000 if kind == "vxlan"
                             else 0x00006558, KEY << 8)
        port = 4789 if kind == "vxlan" else 6081
        body = struct.pack("!HHHH", 50000, port, 16 + len(frame), 0) \
            + header + frame
    ours, far, _ = UNDERLAY[family]
    if family == 4:
        outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000,
                            64, proto, 0) + packed(far) + packed(ours)
        total = sum(struct.unpack("!10H", outer))
        total = (total & 0xffff) + (total >> 16)
        outer = outer[:10] + struct.pack("!H", ~(total + (total >> 16))
                                         & 0xffff) + outer[12:]
    else:
        outer = struct.pack("!IHBB", 0x60000000, len(body), proto, 64) \
            + packed(far) + packed(ours)
    return (bytes.fromhex(MACS[0].replace(":", ""))
            + bytes.fromhex(MACS[1].replace(":", ""))
            + struct.pack("!H", 0x0800 if family == 4 else 0x86dd)
            + outer + body)


class OvsTunnel(dpdk.OvsDpdk):
    MEGABYTES = MEGABYTES

    def __init__(self, label, huge_dir, source, row, is_encap):
        super().__init__(label, huge_dir, source, None)
        self.row = row
        self.is_encap = is_encap

    def plug(self):
        kind, family, _ = self.row
        ours, far, prefix = UNDERLAY[family]
        self.start_daemons()
        self.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                   "datapath_type=netdev", "fail_mode=secure",
                   "protocols=OpenFlow13",
                   "other_config:hwaddr=\"%s\"" % MACS[0])
        output("ip", "netns", "exec", self.host, "sysctl", "-qw",
               "net.ipv6.conf.phy.disable_ipv6=0")
        ip("-n", self.host, "link", "set", "phy", "up")
        ip("-n", self.host, "addr", "add", "%s/%d" % (ours, prefix), "dev",
           "phy", *(["nodad"] if family == 6 else []))
        self.vsctl("add-port", "br0", "t", "--", "set", "interface", "t",
                   "type=" + kind, "ofport_request=9",
                   "options:remote_ip=" + far, "options:local_ip=" + ours,
                   "options:key=%d" % KEY)
        self.appctl("tnl/neigh/set", "phy", far, MACS[1])
        if self.is_encap:
            self.ofctl("add-flow", "in_port=1,actions=output:9")
            self.ofctl("add-flow", "in_port=LOCAL,actions=output:2",
                       bridge="phy")
            self.add_ports("br0", "phy")
        else:
            self.ofctl("add-flow", "in_port=1,actions=LOCAL", bridge="phy")
            self.ofctl("add-flow", "in_port=9,actions=output:2")
            self.add_ports("phy", "br0")


class OvsNeither(dpdk.OvsDpdk):
    MEGABYTES = MEGABYTES


def name_of(row):
    return "%s/%d/%d" % row


def ovs_switches(row, huge_dir, directory):
    """[neither, encapsulation, decapsulation]"""
    frame = dpdk.udp_frame(0, row[2])
    sources = []
    for i, content in enumerate((frame, encapsulate(*row[:2], frame))):
        path = os.path.join(directory, "%s-%d.pcap"
                            % (name_of(row).replace("/", "-"), i))
        dpdk.write_capture(path, [content] * 64)
        sources.append("net_pcap0,rx_pcap=%s,infinite_rx=1" % path)
    return [
        OvsNeither("ovs-neither", huge_dir, sources[0],
                   "in_port=1,actions=output:2"),
        OvsTunnel("ovs-encap", huge_dir, sources[0], row, True),
        OvsTunnel("ovs-decap", huge_dir, sources[1], row, False),
    ]


def weft_bench(bench, row):
    """The least of several looks, as of Open vSwitch."""
    looks = []
    for _ in range(LOOKS):
        said = output("taskset", "-c", str(dpdk.POLLING_CORE),
                      program("weft-bench"), "tunnel",
                      "--bursts=%d" % (1000 * bench.seconds),
                      "--only=" + name_of(row))
        (_, figures), = bench.results_in(said)
        looks.append(figures)
    return {name: min(look[name] for look in looks) for name in looks[0]}


def measure_weft(bench, row):
    neither = weft_bench(bench, ("null", 0, row[2]))
    figures = weft_bench(bench, row)
    for way in "encap", "decap":
        what = "%s %s" % (name_of(row), way)
        bench.add("weft", what, figures[way] - neither[way], "cycles")
        bench.add("weft, each another flow", what,
                  figures[way + "_n"] - neither[way], "cycles")
        bench.add("weft, all of it", what, figures[way], "cycles")


def undisturbed(switch, seconds):
    """The least of several looks: its clock runs on while others have its
    core."""
    return min(switch.per_packet(seconds / LOOKS)[1] for _ in range(LOOKS))


def measure_ovs(bench, row, switches):
    cycles = []
    for switch in switches:
        switch.pause(False)
        cycles.append(undisturbed(switch, bench.seconds))
        switch.pause(True)
    neither, *ways = cycles
    bench.add("ovs-dpdk", name_of(row) + " neither", neither, "cycles")
    for way, total in zip(("encap", "decap"), ways):
        what = "%s %s" % (name_of(row), way)
        bench.add("ovs-dpdk", what, total - neither, "cycles")
        bench.add("ovs-dpdk, all of it", what, total, "cycles")


def measure_row(bench, row, huge_dir, directory):
    switches = ovs_switches(row, huge_dir, directory) \
        if huge_dir and row in PEER_ROWS else []
    try:
        for switch in switches:
            # One core polls for all: each is quiet while the next starts.
            switch.start()
            switch.pause(True)
        for _ in bench.rounds():
            if switches:
                measure_ovs(bench, row, switches)
            measure_weft(bench, row)
    finally:
        for switch in switches:
            switch.close()


def measure(bench, huge_dir):
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for row in ROWS:
            measure_row(bench, row, huge_dir, directory)


def run(bench):
    try:
        if not dpdk.available():
            raise hugepages.Unavailable("DPDK's programs are not installed")
        with hugepages.mounted(3 * MEGABYTES // 2) as huge_dir:
            measure(bench, huge_dir)
    except hugepages.Unavailable as e:
        bench.note("%s: OVS-DPDK is not measured" % e)
        measure(bench, None)
    for row in ROWS:
        for way in "encap", "decap":
            what = "%s %s" % (name_of(row), way)
            if row in PEER_ROWS:
                bench.compare(what, ("weft", what), [("ovs-dpdk", what)],
                              BUDGET, less_is_better=True)
            elif row[2] == 64:
                bench.limit(what, ("weft", what), at_most=AIM)
