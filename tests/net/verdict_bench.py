"""Who sends what in test_verdicts.py and hears what came of it: guests at one
host, or at two with a tunnel between them."""

import os
import re
import select
import time

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6ND_RA, ICMPv6ND_RS,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import overlay
import ovs
import verdicts
import weft
from netns import TIMEOUT, eventually, run
from verdict_model import (BROADCAST, EXTERNAL, INTENTS, LAN, NETWORKS, OUT,
                           OUT_IP, OUT_MAC, PORTS, SENDERS, Model, link_local)

MARKER_TYPE = 0x88b6
MARKER = MARKER_TYPE.to_bytes(2, "big")
BURST = 8                               # of each sender


def yaml(value):
    """Flow style, which needs no indentation."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, yaml(v))
                                  for k, v in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(yaml, value))
    if isinstance(value, bool):
        return str(value).lower()
    return '"%s"' % value if ":" in str(value) else str(value)


# What an overlay takes of a host's MTU, so that guests have 1500 all the same.
OVERHEAD = {"vxlan": 50, "gre": 42, "geneve": 50}


def on_overlays(kind):
    """The intents with an overlay for each network that has no segment."""
    networks = {name: dict(network, segment={kind: i + 1})
                if "segment" not in network else network
                for i, (name, network) in enumerate(NETWORKS.items())}
    hosts = {"h1": {"tunnel": "192.0.2.1", "mtu": 1500 + OVERHEAD[kind]}}
    return dict(INTENTS, hosts=hosts, networks=networks)


class Bench:
    """The daemon with its switch, guests, and what they hear."""

    def __init__(self, kind, build):
        self.kind, _, self.segment = kind.partition("-")
        self.lab = weft.Lab(build)
        self.ovs = None
        self.nics = {}
        self.n_bursts = 0

    def lab_of(self, name):
        """Of the host at which that sender is."""
        return self.lab

    def plug(self):
        for name in SENDERS:
            inside = self.lab_of(name).veth(name, "g-" + name)
            inside.run("ip", "link", "set", "dev", "eth0", "address",
                       verdicts.mac_of(name))
            if name == OUT:             # Its kernel is the uplink's gateway.
                inside.run("ip", "addr", "add", OUT_IP + "/24", "dev", "eth0")

    def start(self):
        self.plug()
        if self.kind == "ovs":
            self.ovs = ovs.Ovs(self.lab.host,
                               os.path.join(self.lab.dir, "ovs"))
            self.ovs.start(bridge=None)
            self.method = self.ovs.method
            self.lab.start_daemon("--controller-only", "--ovsdb",
                                  "unix:" + self.ovs.file("db.sock"))
        else:
            self.lab.host.run("ip", "addr", "add", "192.0.2.1/32", "dev",
                              "lo")
            self.lab.start_daemon("--host", "h1")
            self.method = "unix:" + os.path.join(self.lab.run_dir,
                                                 "br0.mgmt")
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(yaml(on_overlays(self.segment) if self.segment
                         else INTENTS) + "\n")
        self.lab.weft("apply", path)
        eventually(self._is_in_force, "the intents are in force")
        self.open()
        run("ovs-ofctl", "-O", "OpenFlow15", "add-flow", self.method,
            "table=0,priority=65535,dl_type=0x%x,actions=in_port,all"
            % MARKER_TYPE)
        if self.ovs:
            self.ovs.settle()
        self.find_gateways()

    def open(self):
        self.nics = {name: self.lab_of(name).netns("g-" + name).nic("eth0")
                     for name in SENDERS}

    def find_gateways(self):
        self.gateways = {}
        for name in PORTS:
            self._find_gateway(name)
        self._find_uplink()

    def _is_in_force(self):
        shown = self.lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]

    def _find_gateway(self, name):
        """Its MAC is not in the intents: by asking for it, as a guest does."""
        network = PORTS[name].get("network")
        model = Model(INTENTS, {})
        if not network or network in self.gateways:
            return
        own, mac, nic = (verdicts.address_of(name), verdicts.mac_of(name),
                         self.nics[name])
        if model.gateway(network):
            nic.send(Ether(src=mac, dst=BROADCAST) / ARP(
                op=1, hwsrc=mac, psrc=own, pdst=model.gateway(network)))
            said = nic.expect(lambda f: f.haslayer(ARP) and f[ARP].op == 2)
            self.gateways[network] = said[ARP].hwsrc
        elif "subnet6" in NETWORKS[network]:
            nic.send(Ether(src=mac, dst="33:33:00:00:00:02")
                     / IPv6(src=link_local(mac), dst="ff02::2",
                            hlim=255)
                     / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=mac))
            said = nic.expect(lambda f: f.haslayer(ICMPv6ND_RA)
                              and f.dst == mac)
            self.gateways[network] = said.src

    def _find_uplink(self):
        """Its MAC; and that it knows its gateway."""
        nic = self.nics[OUT]
        nic.send(Ether(src=OUT_MAC, dst=BROADCAST) / ARP(
            op=1, hwsrc=OUT_MAC, psrc=OUT_IP, pdst=EXTERNAL))
        self.gateways["out"] = nic.expect(
            lambda f: f.haslayer(ARP) and f[ARP].op == 2
            and f[ARP].psrc == EXTERNAL)[ARP].hwsrc
        self.nics["cafe1"].send(
            Ether(src=verdicts.mac_of("cafe1"), dst=self.gateways["cafe"])
            / IP(src=verdicts.address_of("cafe1"), dst="198.51.100.7")
            / UDP(sport=1, dport=1))
        nic.expect(lambda f: f.haslayer(UDP) and f[UDP].dport == 1)

    def mark(self, name):
        self.nics[name].send(Ether(src=verdicts.mac_of(name), dst=BROADCAST,
                                   type=MARKER_TYPE)
                             / Raw(self._marker() + name.encode()
                                   + bytes(46)))

    def _marker(self):
        return b"mark %d " % self.n_bursts

    def send(self, rows):
        """{row's number, or what tells its answer: {(name, vid)}}"""
        heard = {}
        by_sender = {name: [r for r in rows if r.sender == name]
                     for name in SENDERS}
        while any(by_sender.values()):
            burst = []
            for own in by_sender.values():
                burst += own[:BURST]
                del own[:BURST]
            self._send_all(burst, heard)
        return heard

    def _send_all(self, burst, heard):
        """In halves, if it is too much at once."""
        half = len(burst) // 2
        if self._send_burst(burst, heard):
            return
        if half < BURST:
            eventually(lambda: self._send_burst(burst, heard),
                       "a burst is no overload")
            return
        self._send_all(burst[:half], heard)
        self._send_all(burst[half:], heard)

    def _send_burst(self, burst, heard):
        """False: some were misses too many (weftd's protection of its other
        ports, which a loaded machine or a sanitizer makes work): that is no
        verdict, and they are sent again."""
        before = self._overload()
        self.n_bursts += 1
        for row in burst:
            self.nics[row.sender].send(row.wire)
        for name in SENDERS:
            self.mark(name)
        try:
            for name in SENDERS:
                self._hear(name, heard, len(SENDERS))
        except AssertionError:
            if self._overload() == before:
                raise
        return self._overload() == before

    def _overload(self):
        return 0 if self.ovs else self.lab.drops("upcall-budget")

    def _hear(self, name, heard, n_marks):
        """Until as many markers came."""
        for frame in self.nics[name].raw_frames():
            if frame[12:14] == MARKER:
                n_marks -= self._marker() in frame
                if not n_marks:
                    return
            else:
                self._note(name, frame, heard)

    def _note(self, name, frame, heard):
        row = verdicts.identify(frame)
        if row is not None:
            tag = int.from_bytes(frame[14:16], "big") & 0xfff \
                if frame[12:14] == b"\x81\x00" else 0
            heard.setdefault(row, set()).add((name, tag))

    def wait_for(self, keys, heard):
        """What services answer comes later than the markers."""
        deadline = time.monotonic() + TIMEOUT
        socks = {nic._sock: name for name, nic in self.nics.items()}
        while not keys <= set(heard) and time.monotonic() < deadline:
            for sock in select.select(list(socks), [], [], 0.1)[0]:
                name = socks[sock]
                self._note(name, self.nics[name].receive_raw()[0], heard)

    def is_drawn(self, row):
        """Is a port that is closed from outside one that the other switch has,
        by chance, drawn for somebody who left?  Then it is his."""
        if not self.ovs or row.verdict.reason != "closed from outside":
            return False
        port = row.frame.getlayer(TCP) or row.frame.getlayer(UDP)
        return bool(port and re.search(
            r"reply=\([^)]*dst=%s,sport=\d+,dport=%d[,)]"
            % (re.escape(row.frame[IP].dst), port.dport),
            self.ovs.appctl("dpctl/dump-conntrack")))

    def close(self):
        try:
            for nic in self.nics.values():
                nic.close()
            self.lab.stop()
            if self.ovs:
                self.ovs.vsctl("--if-exists", "del-br", "br0")
                self.ovs.stop()
                for name in set(self.lab.host.links()) - set(SENDERS) \
                        - {"lo"}:
                    self.lab.host.run("ip", "link", "del", name)
        finally:
            self.lab.close()


# Bridged, or with a way out that only one host has.
AT_H1 = ("east", "west", "plan", "flat", "cafe", "pub")
# Of tunnels from h1 to h2 that only markers use.
MARKER_KEY = 0xabcdef


class TwoHosts(Bench):
    """The same cloud at two hosts, every other port at the second; networks are
    overlays, and the bridged one that others are routed to is a VLAN at one host
    and an overlay between them.  `kind`: "vxlan-6", by an underlay of
    IPv6."""

    def __init__(self, kind, build):
        self.segment, family = kind.split("-")
        self.family = int(family)
        # Guests have 1500 all the same.
        self.mtu = 1500 + OVERHEAD[self.segment] \
            + (20 if self.family == 6 else 0)
        self.hosts = overlay.Overlay(build, mtu=self.mtu)
        self.lab, self.ovs, self.nics, self.n_bursts = (
            self.hosts.labs["h1"], None, {}, 0)

    def host_of(self, name):
        network = PORTS.get(name, {}).get("network")
        if network is None or network in AT_H1:
            return "h1"
        return "h%d" % (list(PORTS).index(name) % 2 + 1)

    def lab_of(self, name):
        return self.hosts.labs[self.host_of(name)]

    def intents(self):
        certificates = self.hosts.certificates()
        hosts = {name: {"tunnel": overlay.ADDRESSES[self.family]
                        % int(name[1:]), "mtu": self.mtu,
                        "certificate": certificates[name]}
                 for name in self.hosts.labs}
        networks = {}
        for i, (name, network) in enumerate(NETWORKS.items()):
            segment = dict(network.get("segment", {self.segment: i + 1}))
            if name == "plan":
                segment[self.segment] = i + 1
            networks[name] = dict(network, segment=segment)
        return dict(INTENTS, hosts=hosts, networks=networks, uplinks={
            name: dict(uplink, at="h1")
            for name, uplink in INTENTS["uplinks"].items()}, ports={
            name: dict(port, host=self.host_of(name))
            for name, port in PORTS.items()})

    def start(self):
        self.plug()
        self.hosts.start_daemons()
        self.hosts.apply(yaml(self.intents()) + "\n")
        for name, other in (("h1", "h2"), ("h2", "h1")):
            eventually(lambda: self.hosts.peers(name)[other][0] == "up",
                       "they talk")
        self.open()
        self._open_way(1, 2)
        self._open_way(2, 1)
        self.find_gateways()

    def _open_way(self, own, other):
        """Markers go to all NICs of both hosts, behind what was sent before."""
        lab = self.hosts.labs["h%d" % own]
        method = "unix:" + os.path.join(lab.run_dir, "h%d.mgmt" % own)
        field = "tun_dst" if self.family == 4 else "tun_ipv6_dst"
        flows = ("priority=65535,in_port=%d,dl_type=0x%x,actions=all"
                 % (lab.port(self.segment)["number"], MARKER_TYPE),
                 "priority=65534,dl_type=0x%x,actions=set_field:%d->tun_id,"
                 "set_field:%s->%s,in_port,all"
                 % (MARKER_TYPE, MARKER_KEY,
                    overlay.ADDRESSES[self.family] % other, field))
        for flow in flows:
            run("ovs-ofctl", "-O", "OpenFlow15", "add-flow", method, flow)

    def _overload(self):
        return sum(lab.drops("upcall-budget")
                   for lab in self.hosts.labs.values())

    def close(self):
        for nic in self.nics.values():
            nic.close()
        self.hosts.close()


def lend(made_by, request):
    """For a fixture."""
    bench = made_by(request.param, request.config.getoption("--build"))
    try:
        bench.start()
        yield bench
    finally:
        bench.close()
