"""pcap, patch and impair ports, and set-field by what scapy makes of a frame.

    in.pcap      +-- patch --+  +-- impair -+      out.pcap
       |         |           |  |           |         |
     1 in      3 a         4 b  5 c       6 d       2 out
    ---+---------+-----------+--+-----------+---------+---  br0
"""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.contrib.mpls import MPLS
from scapy.packet import Raw
from scapy.utils import PcapReader, wrpcap

from netns import eventually

A, B, C = ("02:00:00:00:00:%02x" % i for i in (1, 2, 3))


@pytest.fixture
def files(lab):
    names = [os.path.join(lab.dir, name) for name in ("in.pcap", "out.pcap")]
    os.chmod(lab.dir, 0o777)
    return names


def recorded(path):
    """Frames in a file that is perhaps still written."""
    try:
        with PcapReader(path) as reader:
            return [bytes(frame) for frame in reader]
    except Exception:               # No header yet, or half a frame.
        return []


def replay(lab, files, frames, options=""):
    """Replays the frames and returns as many recorded ones as come."""
    wrpcap(files[0], frames)
    lab.weft("port", "add", "1=in=pcap:in=%s%s" % (files[0], options))
    eventually(lambda: len(recorded(files[1])) >= len(frames),
               "%d frames are recorded" % len(frames))
    return recorded(files[1])


def test_frames_cross_every_port_without_a_device(lab, files):
    lab.start("2=out=pcap:out=%s" % files[1],
              "3=a=patch:peer=b", "4=b=patch:peer=a",
              "5=c=impair:peer=d", "6=d=impair:peer=c,delay=20ms")
    lab.weft("flow", "delete", "--all")
    for src, dst in ((1, 3), (4, 5), (6, 2)):
        lab.weft("flow", "add", "in_port=%d,actions=output:%d" % (src, dst))
    frames = [Ether(src=A, dst=B) / IP() / UDP() / Raw(os.urandom(n))
              for n in range(40, 1400, 7)]
    assert replay(lab, files, frames) == [bytes(f) for f in frames]


def test_a_line_that_loses_everything(lab, files):
    lab.start("2=out=pcap:out=%s" % files[1],
              "5=c=impair:peer=d", "6=d=impair:peer=c,loss=100%")
    lab.weft("flow", "delete", "--all")
    lab.weft("flow", "add", "in_port=6,actions=output:2")
    lab.weft("flow", "add", "in_port=1,dl_type=0x800,actions=output:5")
    lab.weft("flow", "add", "in_port=1,dl_type=0x806,actions=output:2")
    lost = Ether(src=A, dst=B) / IP() / UDP()
    kept = Ether(src=A, dst=B) / ARP()
    wrpcap(files[0], [lost] * 50 + [kept])
    lab.weft("port", "add", "1=in=pcap:in=" + files[0])
    eventually(lambda: "lost 50" in lab.text("port", "show", "d"),
               "fifty frames are lost")
    eventually(lambda: recorded(files[1]) == [bytes(kept)], "one is kept")


# --- set-field ----------------------------------------------------------------

IP4 = {"src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 64, "tos": 0x28}
IP6 = {"src": "fd00::1", "dst": "fd00::2", "hlim": 64, "tc": 0x28,
       "fl": 0x12345}
DATA = Raw(bytes(range(33)))


def v4(**changes):
    return IP(**dict(IP4, **changes))


def v6(**changes):
    return IPv6(**dict(IP6, **changes))


def nd(message, option, lladdr=C, **changes):
    return (v6(hlim=255) / message(**dict({"tgt": "fd00::7"}, **changes))
            / option(lladdr=lladdr))


def arp(**changes):
    return ARP(**dict({"op": 1, "hwsrc": A, "psrc": "10.0.0.1", "hwdst": C,
                       "pdst": "10.0.0.2"}, **changes))


def ports(layer, ip):
    return [("%s_src" % layer.__name__.lower(),
             ip() / layer(sport=1, dport=2) / DATA,
             ip() / layer(sport=777, dport=2) / DATA, "777"),
            ("%s_dst" % layer.__name__.lower(),
             ip() / layer(sport=1, dport=2) / DATA,
             ip() / layer(sport=1, dport=0xfffe) / DATA, "65534")]


# (field, frame, the frame it becomes, value): without Ethernet.  The match of
# the flow entry is what the frame has in that field before.
CASES = [
    ("nw_src", v4() / TCP() / DATA, v4(src="1.2.3.4") / TCP() / DATA,
     "1.2.3.4"),
    ("nw_src", v4() / UDP() / DATA, v4(src="1.2.3.4") / UDP() / DATA,
     "1.2.3.4"),
    ("nw_dst", v4() / UDP() / DATA, v4(dst="1.2.3.4") / UDP() / DATA,
     "1.2.3.4"),
    ("nw_dst", v4() / ICMP() / DATA, v4(dst="1.2.3.4") / ICMP() / DATA,
     "1.2.3.4"),
    ("nw_ttl", v4() / TCP(), v4(ttl=9) / TCP(), "9"),
    ("ip_dscp", v4() / TCP(), v4(tos=0xb8) / TCP(), "46"),
    ("nw_ecn", v4() / TCP(), v4(tos=0x2b) / TCP(), "3"),
    ("ipv6_src", v6() / TCP() / DATA, v6(src="fd01::9") / TCP() / DATA,
     "fd01::9"),
    ("ipv6_dst", v6() / UDP() / DATA, v6(dst="fd01::9") / UDP() / DATA,
     "fd01::9"),
    ("ipv6_dst", v6() / ICMPv6EchoRequest() / DATA,
     v6(dst="fd01::9") / ICMPv6EchoRequest() / DATA, "fd01::9"),
    ("ipv6_label", v6() / TCP(), v6(fl=0x54321) / TCP(), "0x54321"),
    ("nw_ttl", v6() / TCP(), v6(hlim=9) / TCP(), "9"),
    ("ip_dscp", v6() / TCP(), v6(tc=0xb8) / TCP(), "46"),
    *ports(TCP, v4), *ports(TCP, v6), *ports(UDP, v4), *ports(UDP, v6),
    *ports(SCTP, v4), *ports(SCTP, v6),
    ("icmp_type", v4() / ICMP(type=8, code=0) / DATA,
     v4() / ICMP(type=0, code=0) / DATA, "0"),
    ("icmp_code", v4() / ICMP(type=3, code=0) / DATA,
     v4() / ICMP(type=3, code=1) / DATA, "1"),
    ("icmpv6_code", v6() / ICMPv6EchoRequest(code=0) / DATA,
     v6() / ICMPv6EchoRequest(code=7) / DATA, "7"),
    ("arp_op", arp(), arp(op=2), "2"),
    ("arp_spa", arp(), arp(psrc="1.2.3.4"), "1.2.3.4"),
    ("arp_tpa", arp(), arp(pdst="1.2.3.4"), "1.2.3.4"),
    ("arp_sha", arp(), arp(hwsrc=B), B),
    ("arp_tha", arp(), arp(hwdst=B), B),
    ("nd_target", nd(ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr),
     nd(ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, tgt="fd01::8"), "fd01::8"),
    ("nd_sll", nd(ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr),
     nd(ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, lladdr=B), B),
    ("nd_tll", nd(ICMPv6ND_NA, ICMPv6NDOptDstLLAddr),
     nd(ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, lladdr=B), B),
    ("vlan_pcp", Dot1Q(vlan=9, prio=1) / v4() / TCP(),
     Dot1Q(vlan=9, prio=6) / v4() / TCP(), "6"),
    ("vlan_vid", Dot1Q(vlan=9, prio=1) / v4() / TCP(),
     Dot1Q(vlan=77, prio=1) / v4() / TCP(), "4173"),
    ("mpls_label", MPLS(label=5, cos=1, s=1, ttl=9) / v4() / TCP(),
     MPLS(label=99, cos=1, s=1, ttl=9) / v4() / TCP(), "99"),
    ("mpls_tc", MPLS(label=5, cos=1, s=1, ttl=9) / v4() / TCP(),
     MPLS(label=5, cos=4, s=1, ttl=9) / v4() / TCP(), "4"),
]

TYPES = {IP: "ip", IPv6: "ipv6", ARP: "arp", MPLS: "mpls",
         Dot1Q: "dl_vlan=9"}
PROTOS = ((TCP, "tcp"), (UDP, "udp"), (SCTP, "sctp"), (ICMP, "icmp"),
          (ICMPv6ND_NS, "icmp6,icmp_type=135,icmp_code=0"),
          (ICMPv6ND_NA, "icmp6,icmp_type=136,icmp_code=0"),
          (ICMPv6EchoRequest, "icmp6"))


def match_of(frame):
    """The prerequisites of any field of that frame."""
    kind = TYPES[type(frame)]
    if kind in ("ip", "ipv6"):
        for layer, proto in PROTOS:
            if layer in frame:
                return proto if kind == "ip" else proto.replace(
                    "tcp", "tcp6").replace("udp", "udp6").replace(
                    "sctp", "sctp6")
    return kind


def test_what_set_field_makes_of_a_frame_is_what_scapy_makes(lab, files):
    lab.start("2=out=pcap:out=" + files[1])
    lab.weft("flow", "delete", "--all")
    before, after = [], []
    for i, (field, frame, becomes, value) in enumerate(CASES):
        source = "02:00:00:00:01:%02x" % i
        before.append(Ether(src=source, dst=B) / frame)
        after.append(bytes(Ether(src=source, dst=B) / becomes))
        lab.weft("flow", "add",
                 "in_port=1,dl_src=%s,%s,actions=set_field:%s->%s,output:2"
                 % (source, match_of(frame), value, field))
    # The CRC of SCTP and all other checksums are scapy's on both sides.
    got = replay(lab, files, before)
    for case, is_, should in zip(CASES, got, after):
        assert Ether(is_).show2(dump=True) == Ether(should).show2(dump=True), \
            case[0]
        assert is_ == should, case[0]
