#!/usr/bin/python3
"""Prints tests/scapy_frames.h: frames made by scapy, an implementation that
knows nothing of ours, and what a flow key must say of each.

    tests/make_frames.py > tests/scapy_frames.h"""

from scapy.all import (ARP, GRE, ICMP, IP, LLC, SCTP, SNAP, STP, TCP, UDP,
                       AH, Dot1AD, Dot1Q, Dot3, Ether, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                       ICMPv6NDOptSrcLLAddr, IPOption_Router_Alert, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Padding, Raw)
from scapy.contrib.igmp import IGMP
from scapy.contrib.mpls import MPLS

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
E = Ether(src=A, dst=B)
ETH = "dl_src=%s,dl_dst=%s" % (A, B)


def ip4(**fields):
    return IP(src="10.0.0.1", dst="192.0.2.9", ttl=63, tos=0xb9, **fields)


def ip6(**fields):
    return IPv6(src="fd00::1", dst="2001:db8::9", hlim=62, tc=0x2e,
                fl=0x12345, **fields)


V4, V6 = ip4(), ip6()
K4 = ETH + (",dl_type=0x800,nw_src=10.0.0.1,nw_dst=192.0.2.9,nw_ttl=63,"
            "nw_tos=185")
K6 = ETH + (",dl_type=0x86dd,ipv6_src=fd00::1,ipv6_dst=2001:db8::9,nw_ttl=62,"
            "nw_tos=46,ipv6_label=0x12345")
T = TCP(sport=40000, dport=443, flags="SEC")
KT = ",nw_proto=6,tcp_src=40000,tcp_dst=443,tcp_flags=0xc2"
U = UDP(sport=53, dport=5353)
KU = ",nw_proto=17,udp_src=53,udp_dst=5353"
HOP = IPv6ExtHdrHopByHop()
DST = IPv6ExtHdrDestOpt()

# (name, frame, key, l3_ofs, l4_ofs, pad_len); no offset: -1.
FRAMES = [
    ("TCP over IPv4", E / V4 / T, K4 + KT, 14, 34, 0),
    ("padding", E / V4 / T / Padding(b"\xff" * 6), K4 + KT, 14, 34, 6),
    ("IPv4 options", E / ip4(options=[IPOption_Router_Alert()]) / U, K4 + KU,
     14, 38, 0),
    ("UDP over IPv4", E / V4 / U / b"data", K4 + KU, 14, 34, 0),
    ("SCTP over IPv4", E / V4 / SCTP(sport=7, dport=9),
     K4 + ",nw_proto=132,sctp_src=7,sctp_dst=9", 14, 34, 0),
    ("ICMP", E / V4 / ICMP(type=3, code=4),
     K4 + ",nw_proto=1,icmp_type=3,icmp_code=4", 14, 34, 0),
    # Its second byte is a response time, no code.
    ("IGMP", E / V4 / IGMP(type=0x11, mrcode=20),
     K4 + ",nw_proto=2,tp_src=17", 14, 34, 0),
    ("GRE", E / V4 / GRE() / IP(), K4 + ",nw_proto=47", 14, 34, 0),
    ("first fragment", E / ip4(flags="MF") / U / bytes(8),
     K4 + KU + ",ip_frag=first", 14, 34, 0),
    ("later fragment", E / ip4(frag=3, proto=17) / bytes(16),
     K4 + ",nw_proto=17,ip_frag=later", 14, -1, 0),
    ("TCP header cut short", E / ip4(proto=6) / bytes(T)[:12],
     K4 + ",nw_proto=6", 14, 34, 0),
    ("TCP over IPv6", E / V6 / T, K6 + KT, 14, 54, 0),
    ("UDP over IPv6, padded", E / V6 / U / Padding(b"x" * 3), K6 + KU, 14, 54,
     3),
    ("IPv6 extensions", E / V6 / HOP / DST
     / IPv6ExtHdrRouting(addresses=["fd00::7"], segleft=1) / DST / T,
     K6 + KT + ",ipv6_exthdr=dest|router|hop", 14, 54 + 8 + 8 + 24 + 8, 0),
    ("IPv6 authentication header",
     E / V6 / AH(nh=17, payloadlen=4, icv=bytes(12)) / U,
     K6 + KU + ",ipv6_exthdr=auth", 14, 54 + 24, 0),
    ("IPv6 first fragment", E / V6 / IPv6ExtHdrFragment(m=1) / U / bytes(8),
     K6 + KU + ",ip_frag=first,ipv6_exthdr=frag", 14, 62, 0),
    ("IPv6 later fragment",
     E / V6 / IPv6ExtHdrFragment(offset=4, nh=17) / bytes(8),
     K6 + ",nw_proto=17,ip_frag=later,ipv6_exthdr=frag", 14, -1, 0),
    ("IPv6 atomic fragment", E / V6 / IPv6ExtHdrFragment() / U,
     K6 + KU + ",ipv6_exthdr=frag", 14, 62, 0),
    ("IPv6 without next header", E / ip6(nh=59),
     K6 + ",nw_proto=59,ipv6_exthdr=nonext", 14, 54, 0),
    ("IPv6 with nothing behind an extension", E / V6 / IPv6ExtHdrDestOpt(nh=59),
     K6 + ",nw_proto=59,ipv6_exthdr=nonext|dest", 14, 62, 0),
    ("IPv6 with a repeated extension", E / V6 / HOP / HOP / U,
     K6 + KU + ",ipv6_exthdr=hop|unrep", 14, 70, 0),
    ("IPv6 with a third of the destination's", E / V6 / DST / DST / DST / U,
     K6 + KU + ",ipv6_exthdr=dest|unrep", 14, 78, 0),
    ("IPv6 with a fragment header before the routing header", E / V6
     / IPv6ExtHdrFragment()
     / IPv6ExtHdrRouting(addresses=["fd00::7"], segleft=1) / U,
     K6 + KU + ",ipv6_exthdr=frag|router|unseq", 14, 54 + 8 + 24, 0),
    ("IPv6 that hops late, and twice", E / V6 / DST / HOP / HOP / U,
     K6 + KU + ",ipv6_exthdr=dest|hop|unrep|unseq", 14, 78, 0),
    ("IPv6 with ESP", E / ip6(nh=50) / bytes(16),
     K6 + ",nw_proto=50,ipv6_exthdr=esp", 14, 54, 0),
    ("PBB", Ether(src=A, dst=B, type=0x88e7)
     / Raw(bytes.fromhex("08123456") + bytes(Ether(src=C, dst=A) / V4 / T)),
     ETH + ",dl_type=0x88e7,pbb_isid=0x123456,pbb_uca=1",
     -1, -1, 0),
    ("ICMPv6", E / V6 / ICMPv6EchoRequest(),
     K6 + ",nw_proto=58,icmpv6_type=128", 14, 54, 0),
    ("neighbour solicitation",
     E / V6 / ICMPv6ND_NS(tgt="fd00::7") / ICMPv6NDOptSrcLLAddr(lladdr=C),
     K6 + ",nw_proto=58,icmpv6_type=135,nd_target=fd00::7,"
     "nd_options_type=1,nd_sll=" + C, 14, 54, 0),
    ("neighbour advertisement",
     E / V6 / ICMPv6ND_NA(tgt="fd00::7", R=0, S=1, O=1) / ICMPv6NDOptMTU()
     / ICMPv6NDOptDstLLAddr(lladdr=C),
     K6 + ",nw_proto=58,icmpv6_type=136,nd_target=fd00::7,"
     "nd_reserved=0x60000000,nd_options_type=2,nd_tll=" + C, 14, 54, 0),
    ("a solicitation that says its address twice",
     E / V6 / ICMPv6ND_NS(tgt="fd00::7") / ICMPv6NDOptSrcLLAddr(lladdr=C)
     / ICMPv6NDOptSrcLLAddr(lladdr=A),
     K6 + ",nw_proto=58,icmpv6_type=135", 14, 54, 0),
    ("router advertisement",
     E / V6 / ICMPv6ND_RA() / ICMPv6NDOptSrcLLAddr(lladdr=C),
     K6 + ",nw_proto=58,icmpv6_type=134", 14, 54, 0),
    ("ARP", E / ARP(op=2, hwsrc=A, psrc="10.0.0.1", hwdst=C, pdst="10.0.0.2"),
     ETH + ",dl_type=0x806,arp_op=2,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,"
     "arp_sha=%s,arp_tha=%s" % (A, C), 14, -1, 0),
    ("ARP of another protocol", E / ARP(ptype=0x86dd),
     ETH + ",dl_type=0x806", 14, -1, 0),
    ("a VLAN", E / Dot1Q(vlan=100, prio=5) / V4 / T,
     K4 + KT + ",vlan_tci=0xb064,vlan_tpid=0x8100", 18, 38, 0),
    ("two VLANs", E / Dot1AD(vlan=7) / Dot1Q(vlan=8, prio=1) / V6 / U,
     K6 + KU + ",vlan_tci=0x1007,vlan_tpid=0x88a8,inner_tpid=0x8100,"
     "inner_tci=0x3008", 22, 62, 0),
    ("three VLANs", E / Dot1AD(vlan=7) / Dot1Q(vlan=8) / Dot1Q(vlan=9) / V4,
     ETH + ",dl_type=0x8100,vlan_tci=0x1007,vlan_tpid=0x88a8,"
     "inner_tpid=0x8100,inner_tci=0x1008", -1, -1, 0),
    ("one MPLS label", E / MPLS(label=16, cos=3, s=1, ttl=64) / V4 / T,
     ETH + ",dl_type=0x8847,mpls_label=16,mpls_tc=3,mpls_bos=1,mpls_ttl=64",
     -1, -1, 0),
    ("four MPLS labels", E / MPLS(label=1, s=0, ttl=1)
     / MPLS(label=2, s=0, ttl=2) / MPLS(label=3, s=0, ttl=3)
     / MPLS(label=4, s=1, ttl=4) / V4,
     ETH + ",dl_type=0x8847,mpls_label=1,mpls_ttl=1,lse1=0x2002,lse2=0x3003",
     -1, -1, 0),
    ("802.3 with LLC", Dot3(src=A, dst=B) / LLC(dsap=0x42, ssap=0x42, ctrl=3)
     / STP(), ETH + ",dl_type=0x5ff", -1, -1, 0),
    ("802.3 with SNAP", Dot3(src=A, dst=B) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3)
     / SNAP(OUI=0, code=0x0800) / V4 / T, K4 + KT, 22, 42, 0),
    ("an unknown Ethertype", Ether(src=A, dst=B, type=0x1234) / b"data",
     ETH + ",dl_type=0x1234", -1, -1, 0),
    ("IPv4 longer than the frame", Raw(bytes(E / V4 / T)[:-1]),
     ETH + ",dl_type=0x800", 14, -1, 0),
    ("IPv6 longer than the frame", Raw(bytes(E / V6 / T)[:-1]),
     ETH + ",dl_type=0x86dd", 14, -1, 0),
    ("IPv4 of version 5", E / ip4(version=5) / T, ETH + ",dl_type=0x800", 14,
     -1, 0),
    ("IPv4 with a header of four words", E / ip4(ihl=4) / T,
     ETH + ",dl_type=0x800", 14, -1, 0),
    ("an IPv6 chain cut short", E / ip6(nh=60) / bytes([17, 1] + [0] * 6),
     K6 + ",nw_proto=59", 14, -1, 0),
]


def c_string(data):
    rows = [data[i:i + 16] for i in range(0, len(data), 16)]
    return "\n".join('      "%s"' % "".join("\\x%02x" % x for x in row)
                     for row in rows)


def main():
    print("/* Made by tests/make_frames.py: do not edit. */")
    print("static const struct scapy_frame {")
    print("    const char *name, *bytes;")
    print("    size_t len;")
    print("    const char *key;              /* FIELD=VALUE,... */")
    print("    int l3_ofs, l4_ofs;           /* -1: none */")
    print("    unsigned int pad_len;")
    print("} scapy_frames[] = {")
    for name, packet, key, l3_ofs, l4_ofs, pad_len in FRAMES:
        data = bytes(packet)
        words = key.split(",")
        text = "\n".join('      "%s%s"' % (w, "," * (w is not words[-1]))
                         for w in words)
        print('    { "%s",\n%s, %d,\n%s,\n      %d, %d, %d },'
              % (name, c_string(data), len(data), text, l3_ofs, l4_ofs,
                 pad_len))
    print("};")


main()
