"""What is for everybody, in a network of 1,000 ports: how many frames leave
the switch for one that a guest sends, beside a plain Linux bridge.

    guests' ends p0..p999 ----- s0..s999 [ switch ]

The mix is what guests say when nobody wants anything of them: ARP and
neighbour solicitations for others, DHCP, mDNS, SSDP, reports of groups.  What
leaves is counted by the kernel: the transmit counters of the switch's ends.
Sixteen of the guests speak, so that no storm cap matters."""

import ctypes
import json
import os
import random
import socket
import struct
import subprocess
import time

from bench import output, program
from networks import Network, Standing, eventually, ip

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (ICMPv6ND_NS, ICMPv6ND_RS,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.contrib.igmp import IGMP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

libc = ctypes.CDLL(None, use_errno=True)

N_PORTS, N_SENDERS = 1000, 16
PACE = 0.0005                   # Seconds between frames: below any storm cap.
QUIET = 0.4                     # No frame for so long: all have arrived.
GATEWAY = "10.80.0.1"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def address(i):
    return "10.80.%d.%d" % (1 + i // 250, 1 + i % 250)


def mac(i):
    return "02:50:00:00:%02x:%02x" % (i >> 8, i & 255)


def link_local(i):
    return "fe80::50:ff:fe00:%x" % i


# --- What guests say --------------------------------------------------------

def arp(sender, target):
    return Ether(src=mac(sender), dst=BROADCAST) / ARP(
        op=1, hwsrc=mac(sender), psrc=address(sender), pdst=target)


def solicit(sender, target):
    last = struct.pack(">I", target)[1:]
    return Ether(src=mac(sender), dst="33:33:ff:%02x:%02x:%02x"
                 % tuple(last)) \
        / IPv6(src=link_local(sender), dst="ff02::1:ff00:%x" % target,
               hlim=255) \
        / ICMPv6ND_NS(tgt=link_local(target)) \
        / ICMPv6NDOptSrcLLAddr(lladdr=mac(sender))


def discover(sender):
    return Ether(src=mac(sender), dst=BROADCAST) \
        / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) \
        / BOOTP(chaddr=bytes.fromhex(mac(sender).replace(":", "")),
                xid=random.getrandbits(32)) \
        / DHCP(options=[("message-type", "discover"), "end"])


def router_solicit(sender):
    return Ether(src=mac(sender), dst="33:33:00:00:00:02") \
        / IPv6(src=link_local(sender), dst="ff02::2", hlim=255) \
        / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=mac(sender))


def mdns(sender, is_ip6):
    question = UDP(sport=5353, dport=5353) / DNS(
        qd=DNSQR(qname="_ipp._tcp.local", qtype="PTR"))
    if is_ip6:
        return Ether(src=mac(sender), dst="33:33:00:00:00:fb") / IPv6(
            src=link_local(sender), dst="ff02::fb", hlim=255) / question
    return Ether(src=mac(sender), dst="01:00:5e:00:00:fb") / IP(
        src=address(sender), dst="224.0.0.251", ttl=255) / question


def ssdp(sender):
    return Ether(src=mac(sender), dst="01:00:5e:7f:ff:fa") / IP(
        src=address(sender), dst="239.255.255.250", ttl=2) \
        / UDP(sport=1900, dport=1900) / Raw(b"M-SEARCH * HTTP/1.1\r\n\r\n")


def report(sender):
    return Ether(src=mac(sender), dst="01:00:5e:7f:ff:fa") / IP(
        src=address(sender), dst="239.255.255.250", ttl=1) \
        / IGMP(type=0x16, gaddr="239.255.255.250")


def mix():
    """[(kind, [(sender, frame)])]; the same for everybody, 1,000 in all.  The
    reports come last: what they ask for is not asked for before."""
    rng = random.Random(4711)
    random.seed(4711)

    def some(n, make):
        return [(s, bytes(make(s))) for s in
                (rng.randrange(N_SENDERS) for _ in range(n))]

    def other(sender):
        return (sender + rng.randrange(1, N_PORTS)) % N_PORTS

    return [
        ("ARP for a neighbour", some(
            480, lambda s: arp(s, address(other(s))))),
        ("ARP for the gateway", some(80, lambda s: arp(s, GATEWAY))),
        ("ARP for nobody", some(
            40, lambda s: arp(s, "10.80.200.%d" % rng.randrange(1, 250)))),
        ("neighbour solicitation", some(
            150, lambda s: solicit(s, other(s)))),
        ("DHCP discovery", some(60, discover)),
        ("router solicitation", some(20, router_solicit)),
        ("mDNS", some(50, lambda s: mdns(s, False))
         + some(50, lambda s: mdns(s, True))),
        ("SSDP", some(40, ssdp)),
        ("report of a group", some(30, report)),
    ]


# --- Switches ---------------------------------------------------------------

class Crowd(Network):
    """Sub-classes attach() the devices."""

    def __init__(self, label):
        super().__init__(label, 1)
        self.sockets = []

    def plug(self):
        ports = range(N_PORTS)
        self.batch(self.host, [
            "link add s%d type veth peer name p%d netns %s"
            % (i, i, self.containers[0]) for i in ports]
            + ["link set s%d up" % i for i in ports])
        self.batch(self.containers[0], ["link set p%d arp off up" % i
                                        for i in ports])
        self.attach()
        self.open_sockets()

    def batch(self, netns, lines):
        path = os.path.join(self.dir, "batch")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        output("ip", "-n", netns, "-batch", path, timeout=120)

    def open_sockets(self):
        """Each speaks by its own end, from within the guests' namespace."""
        with open("/run/netns/" + self.containers[0]) as there, \
                open("/proc/self/ns/net") as here:
            libc.setns(there.fileno(), 0)
            try:
                for i in range(N_SENDERS):
                    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                    sock.bind(("p%d" % i, 0))
                    self.sockets.append(sock)
            finally:
                libc.setns(here.fileno(), 0)

    def sent(self):
        """Frames that the switch gave to its ports, so far."""
        links = json.loads(ip("-n", self.host, "-s", "-j", "link", "show"))
        return sum(link["stats64"]["tx"]["packets"] for link in links
                   if link["ifname"][0] == "s")

    def settled(self):
        last, since = self.sent(), time.monotonic()
        while time.monotonic() - since < QUIET:
            time.sleep(0.1)
            now = self.sent()
            if now != last:
                last, since = now, time.monotonic()
        return last

    def play(self, frames):
        before = self.settled()
        for sender, frame in frames:
            self.sockets[sender].send(frame)
            time.sleep(PACE)
        return self.settled() - before

    def close(self):
        for sock in self.sockets:
            sock.close()
        self.sockets = []
        super().close()


class PlainBridge(Crowd):
    def attach(self):
        ip("-n", self.host, "link", "add", "br0", "type", "bridge")
        self.batch(self.host, ["link set br0 up"] + [
            "link set s%d master br0" % i for i in range(N_PORTS)])


class WeftNetwork(Crowd):
    def attach(self):
        os.chmod(self.dir, 0o755)
        path = os.path.join(self.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write("version: 1\nnetworks:\n  blue: {subnet: 10.80.0.0/16, "
                    "subnet6: \"fd00:80::/64\"}\nports:\n")
            for i in range(N_PORTS):
                f.write("  s%d: {network: blue, device: s%d, mac: \"%s\", "
                        "address: %s}\n" % (i, i, mac(i), address(i)))
        self.spawn(self.host, program("weftd"), "--run-dir", self.dir,
                   "--state-dir", os.path.join(self.dir, "state"))
        eventually(lambda: subprocess.run(
            (program("weft"), "--run-dir", self.dir, "status"),
            capture_output=True).returncode == 0, "weftd answers")
        output(program("weft"), "--run-dir", self.dir, "apply", path,
               timeout=180)
        eventually(self.is_quiet, "all ports are there, and were asked what "
                   "they hear")

    def is_quiet(self):
        listed = json.loads(output(program("weft"), "-j", "--run-dir",
                                   self.dir, "status", timeout=60))
        asked = subprocess.run(
            (program("weft"), "-j", "--run-dir", self.dir, "explain", "s0",
             "239.255.255.250", "udp/1900"), capture_output=True)
        return listed["ports_up"] >= N_PORTS and asked.returncode == 1


def run(bench):
    with Standing(bench, [WeftNetwork("weft"), PlainBridge("bridge")]) \
            as networks:
        for _ in bench.rounds(1):
            for network in networks:
                sent = delivered = 0
                for kind, frames in mix():
                    n = network.play(frames)
                    bench.add(network.label, kind, n / len(frames), "frames")
                    sent += len(frames)
                    delivered += n
                bench.add(network.label, "the whole mix", delivered / sent,
                          "frames")
    bench.compare("delivered for one frame, among %d ports" % N_PORTS,
                  ("weft", "the whole mix"), [("bridge", "the whole mix")],
                  at_least=5, less_is_better=True)
    # What never leaves a link is everybody's (RFC 4541, 2.1.2).
    for kind, _ in mix():
        bench.limit("delivered for one: " + kind, ("weft", kind),
                    at_most=N_PORTS - 1 if kind == "mDNS" else 1)
