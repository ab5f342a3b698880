"""Every field is matched: by itself, masked, and in a later table.

For each row of the product's table of fields there is a frame that has the
value and one that differs in just that field.  Where packets do not carry the
field, table 0 sets it, by the source address of the frame."""

import copy
import ipaddress
import os
import re

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

import testbench
import weft
from testbench import A, B, C

FIELD_H = os.path.join(weft.ROOT, "src", "packet", "field.h")
DATA = Raw(bytes(range(64)))
HIT, MISS = 3, 4                        # Ports


def product_fields():
    """{name: (bits, is maskable, is writable)} of the product's table."""
    with open(FIELD_H) as f:
        rows = re.sub(r"\\\n", " ", f.read())
    fields = {}
    for name, bits, flags in re.findall(
            r'X\(\w+, "(\w+)", [^,]+, [\w.\[\]]+, (\d+), \d+,\s+'
            r'\w+, \w+, ([\w|]+),', rows):
        fields[name] = int(bits), "M" in flags, "W" in flags
    for stem, count, bits in (("reg", 16, 32), ("xreg", 8, 64),
                              ("xxreg", 4, 128)):
        for i in range(count):
            fields["%s%d" % (stem, i)] = bits, True, True
    return fields


FIELDS = product_fields()


def l2(payload, **changes):
    return Ether(**dict({"src": A, "dst": B}, **changes)) / payload


def v4(payload=UDP(sport=1, dport=2), **changes):
    return l2(IP(**dict({"src": "10.0.0.1", "dst": "10.0.0.2"}, **changes))
              / payload / DATA)


def v6(payload=UDP(sport=1, dport=2), **changes):
    return l2(IPv6(**dict({"src": "fd00::1", "dst": "fd00::2"}, **changes))
              / payload / DATA)


def arp(**changes):
    return l2(ARP(**dict({"op": 1, "hwsrc": A, "psrc": "10.0.0.1",
                          "hwdst": C, "pdst": "10.0.0.2"}, **changes)))


def tagged(**changes):
    return l2(Dot1Q(**dict({"vlan": 9, "prio": 1}, **changes))
              / IP() / UDP() / DATA)


def mpls(**changes):
    return l2(MPLS(**dict({"label": 5, "cos": 1, "s": 1, "ttl": 9},
                          **changes)) / IP() / UDP() / DATA)


def nd(message, option, target="fd00::7", lladdr=C, reserved=0):
    return l2(IPv6(src="fd00::1", dst="fd00::2", hlim=255)
              / message(tgt=target, res=reserved) / option(lladdr=lladdr))


def solicit(option=ICMPv6NDOptSrcLLAddr, **changes):
    return nd(ICMPv6ND_NS, option, **changes)


def advert(option=ICMPv6NDOptDstLLAddr, **changes):
    return nd(ICMPv6ND_NA, option, **changes)


def pbb(isid=0x123456, bits=0, frame=None, **changes):
    """802.1ah: a frame in a backbone frame."""
    tag = (bits << 24 | isid).to_bytes(4, "big")
    return l2(Raw(tag + bytes(frame or v4())), type=0x88e7, **changes)


HOP, DST, FRAG = IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), \
    IPv6ExtHdrFragment(m=1)
ROUTER = IPv6ExtHdrRouting(addresses=["fd00::7"], segleft=0)
PORTS = UDP(sport=1, dport=2)


def chain(*headers, **changes):
    """IPv6 with these extension headers before UDP's."""
    headers = [copy.deepcopy(h) for h in headers]
    packet = headers[0]
    for header in headers[1:]:
        packet = packet / header
    return v6(packet / PORTS, **changes)


def fragment(offset, flags, proto=17):
    return l2(IP(src="10.0.0.1", dst="10.0.0.2", frag=offset, flags=flags,
                 proto=proto) / DATA)



# (field, words it needs, value of the frame that has it, as a number or text,
#  frame that has it, frame that differs in it)
WIRE = [
    ("dl_dst", "", B, v4(), l2(v4()[IP], dst=C)),
    ("dl_src", "", A, v4(), l2(v4()[IP], src=C)),
    ("dl_type", "", 0x88b5, l2(DATA, type=0x88b5), l2(DATA, type=0x88b7)),
    ("dl_type", "", 0x0806, arp(), v4()),
    ("vlan_tci", "", 1 << 13 | 0x1000 | 9, tagged(), tagged(prio=2)),
    ("vlan_tci", "", 0, v4(), tagged(vlan=0, prio=0)),
    ("vlan_vid", "", 0x1000 | 9, tagged(), tagged(vlan=10)),
    ("vlan_pcp", "dl_vlan=9", 1, tagged(), tagged(prio=3)),
    ("mpls_label", "mpls", 5, mpls(), mpls(label=0xfffff)),
    ("mpls_tc", "mpls", 1, mpls(), mpls(cos=7)),
    ("mpls_bos", "mpls", 1, mpls(),
     l2(MPLS(label=5, cos=1, s=0, ttl=9) / MPLS(s=1) / IP() / UDP() / DATA)),
    ("mpls_ttl", "mpls", 9, mpls(), mpls(ttl=8)),
    ("nw_src", "ip", "10.0.0.1", v4(), v4(src="10.0.0.3")),
    ("nw_dst", "ip", "10.0.0.2", v4(), v4(dst="138.0.0.2")),
    ("ipv6_src", "ipv6", "fd00::1", v6(), v6(src="fd00::3")),
    ("ipv6_dst", "ipv6", "fd00::2", v6(), v6(dst="fd80::2")),
    ("ipv6_label", "ipv6", 0x12345, v6(fl=0x12345), v6(fl=0x92345)),
    ("pbb_isid", "pbb", 0x123456, pbb(), pbb(0x923456)),
    ("pbb_uca", "pbb", 1, pbb(bits=8), pbb(bits=0xf7)),
    # One bit each (OFPIEH_*).
    ("ipv6_exthdr", "ipv6", 0x040, chain(HOP), v6()),
    ("ipv6_exthdr", "ipv6", 0x008, chain(DST), chain(HOP)),
    ("ipv6_exthdr", "ipv6", 0x008, chain(DST, DST), v6()),
    ("ipv6_exthdr", "ipv6", 0x010, chain(FRAG), v6()),
    ("ipv6_exthdr", "ipv6", 0x060, chain(HOP, ROUTER), chain(HOP)),
    ("ipv6_exthdr", "ipv6", 0x068, chain(HOP, DST, ROUTER, DST),
     chain(HOP, DST, DST)),
    ("ipv6_exthdr", "ipv6", 0x004,
     v6(Raw(bytes([17, 4]) + bytes(22)), nh=51), v6()),
    ("ipv6_exthdr", "ipv6", 0x002, v6(nh=50), v6(nh=61)),
    ("ipv6_exthdr", "ipv6", 0x001, v6(nh=59), v6(nh=61)),
    ("ipv6_exthdr", "ipv6", 0x041,
     v6(Raw(bytes([59, 0, 1, 4, 0, 0, 0, 0])), nh=0), v6(nh=59)),
    ("ipv6_exthdr", "ipv6", 0x0c0, chain(HOP, HOP), chain(HOP)),
    ("ipv6_exthdr", "ipv6", 0x088, chain(DST, DST, DST),
     chain(DST, DST)),
    ("ipv6_exthdr", "ipv6", 0x148, chain(DST, HOP),
     chain(HOP, DST)),
    ("ipv6_exthdr", "ipv6", 0x130, chain(FRAG, ROUTER),
     chain(ROUTER, FRAG)),
    ("ipv6_exthdr", "ipv6", 0x1e0, chain(ROUTER, HOP, HOP),
     chain(HOP, ROUTER)),
    ("nw_proto", "ip", 17, v4(), v4(TCP())),
    ("nw_proto", "ipv6", 17, v6(), v6(TCP())),
    ("ip_dscp", "ip", 10, v4(tos=0x28), v4(tos=0x2c)),
    ("ip_dscp", "ipv6", 10, v6(tc=0x28), v6(tc=0xa8)),
    ("nw_tos", "ip", 0x28, v4(tos=0x28), v4(tos=0x2c)),
    ("nw_ecn", "ip", 2, v4(tos=0x2a), v4(tos=0x2b)),
    ("nw_ecn", "ipv6", 2, v6(tc=0x2a), v6(tc=0x28)),
    ("nw_ttl", "ip", 64, v4(ttl=64), v4(ttl=63)),
    ("nw_ttl", "ipv6", 64, v6(hlim=64), v6(hlim=1)),
    ("ip_frag", "ip", "no", v4(), fragment(0, "MF")),
    ("ip_frag", "ip", "first", fragment(0, "MF"), fragment(8, "MF")),
    ("ip_frag", "ip", "later", fragment(8, 0), fragment(0, "MF")),
    ("ip_frag", "ip", "yes", fragment(8, 0), v4()),
    ("ip_frag", "ip", "not_later", fragment(0, "MF"), fragment(8, 0)),
    ("arp_op", "arp", 1, arp(), arp(op=2)),
    ("arp_op", "arp", 0x101, arp(op=0x101), arp(op=1)),
    ("arp_op", "arp", 0, arp(op=0), arp(op=0x100)),
    ("arp_op", "rarp", 3, l2(ARP(op=3), type=0x8035),
     l2(ARP(op=4), type=0x8035)),
    ("arp_spa", "arp", "10.0.0.1", arp(), arp(psrc="10.0.0.3")),
    ("arp_tpa", "arp", "10.0.0.2", arp(), arp(pdst="10.0.0.3")),
    ("arp_sha", "arp", A, arp(), arp(hwsrc=B)),
    ("arp_tha", "arp", C, arp(), arp(hwdst=B)),
    ("tcp_flags", "tcp", "syn|ack", v4(TCP(flags="SA")), v4(TCP(flags="S"))),
    ("tcp_flags", "tcp6", "+syn-ack", v6(TCP(flags="SE")),
     v6(TCP(flags="SA"))),
    ("tcp_flags", "tcp", 0x029, v4(TCP(flags="UPF")), v4(TCP(flags="UPFR"))),
    ("icmp_type", "icmp", 8, v4(ICMP(type=8)), v4(ICMP(type=0))),
    ("icmp_code", "icmp", 1, v4(ICMP(type=3, code=1)),
     v4(ICMP(type=3, code=0))),
    ("icmpv6_type", "icmp6", 128, v6(ICMPv6EchoRequest()),
     v6(ICMPv6EchoRequest(type=129))),
    ("icmpv6_code", "icmp6", 1, v6(ICMPv6EchoRequest(code=1)),
     v6(ICMPv6EchoRequest(code=0))),
    ("nd_target", "icmp6,icmpv6_type=135,icmpv6_code=0", "fd00::7",
     solicit(), solicit(target="fd00::8")),
    ("nd_target", "icmp6,icmpv6_type=136,icmpv6_code=0", "fd00::7",
     advert(), advert(target="7d00::7")),
    ("nd_sll", "icmp6,icmpv6_type=135,icmpv6_code=0", C, solicit(),
     solicit(lladdr=B)),
    ("nd_tll", "icmp6,icmpv6_type=136,icmpv6_code=0", C, advert(),
     advert(lladdr=B)),
    ("nd_reserved", "icmp6,icmpv6_type=135,icmpv6_code=0", 0x30,
     solicit(reserved=0x30), solicit(reserved=0x31)),
    ("nd_options_type", "icmp6,icmpv6_type=135,icmpv6_code=0", 1,
     solicit(), solicit(ICMPv6NDOptDstLLAddr)),
] + [
    ("%s_%s" % (layer.__name__.lower(), side),
     layer.__name__.lower() + suffix, 515,
     v(layer(**{"sport": 9, "dport": 9, key: 515})),
     v(layer(**{"sport": 9, "dport": 9, key: 516})))
    for layer in (TCP, UDP, SCTP) for side, key in (("src", "sport"),
                                                    ("dst", "dport"))
    for v, suffix in ((v4, ""), (v6, "6"))
]

# (field, value, another): table 0 writes them.
PIPELINE = [
    ("tun_id", 0x123456789abc, 0x123456789abd),
    ("tun_tos", 4, 5), ("tun_ttl", 64, 65),
    ("tun_src", "10.0.0.1", "10.0.0.3"), ("tun_dst", "10.0.0.2", "10.0.0.3"),
    ("tun_ipv6_src", "fd00::1", "fd00::3"),
    ("tun_ipv6_dst", "fd00::2", "7d00::2"),
    ("tun_gbp_id", 0x1ff, 0xff), ("tun_gbp_flags", 0x48, 0x40),
    ("pkt_mark", 0xdeadbeef, 0xdeadbeee),
    ("metadata", 0xfedcba9876543210, 0x7edcba9876543210),
] + [("reg%d" % i, 0x80000000 | i, i + 1) for i in range(16)] \
  + [("xreg%d" % i, 0x8000000000000000 | i, 0x4000000000000000 | i)
     for i in range(8)] \
  + [("xxreg%d" % i, 1 << 127 | i << 64, 1 << 126 | i << 64)
     for i in range(4)]

# Set by what the issue of connection tracking brings, or of tunnels.
UNTRACKED = {"ct_state", "ct_zone", "ct_nw_proto", "ct_nw_src", "ct_nw_dst",
             "ct_ipv6_src", "ct_ipv6_dst", "ct_tp_src", "ct_tp_dst",
             "ct_mark", "ct_label", "tun_flags", "conj_id", "skb_priority"}
# Tests of their own, below.
APART = {"in_port", "in_phy_port", "actset_output", "packet_type"}


@pytest.fixture(scope="module")
def bench(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


def test_the_cases_are_all_fields():
    tested = {row[0] for row in WIRE} | {row[0] for row in PIPELINE}
    assert tested | UNTRACKED | APART == set(FIELDS)
    assert not tested & (UNTRACKED | APART)


def ident(value):
    return value.replace(",", "_") if isinstance(value, str) and value else ""


def number(value):
    """A value as the product prints it, as a number; None: only text."""
    if isinstance(value, int):
        return value
    if re.fullmatch(r"(\w\w:){5}\w\w", value):
        return int(value.replace(":", ""), 16)
    if re.fullmatch(r"[\d.]+", value):
        return int.from_bytes(map(int, value.split(".")), "big")
    if re.fullmatch(r"[\da-f]*::[\da-f]*", value):
        return int(ipaddress.ip_address(value))
    return None


def text_like(example, value, bits):
    """'value' written as 'example' is."""
    if isinstance(example, int):
        return hex(value)
    if ":" in example and "::" not in example:
        return ":".join("%02x" % b for b in value.to_bytes(6, "big"))
    if bits == 32:
        return ".".join(map(str, value.to_bytes(4, "big")))
    return str(ipaddress.IPv6Address(value))


def text(value):
    return value if isinstance(value, str) else hex(value)


def masks_of(field, value, other):
    """(value/mask texts that only 'value' matches, that both match)."""
    bits, maskable, _writable = FIELDS[field]
    value_n, other_n = number(value), number(other)
    if not maskable or value_n is None or other_n is None:
        return [], []
    ones = (1 << bits) - 1
    differ = (value_n ^ other_n) & ones
    lowest = differ & -differ

    def masked(mask):
        return "%s/%s" % (text_like(value, value_n & mask, bits),
                          text_like(value, mask, bits))
    return [masked(lowest), masked(ones & ~(ones >> 1) | lowest)], \
        [masked(ones & ~differ)]


def entry(match, words, value, field):
    """field=value with the words it needs, as a match."""
    return ",".join(filter(None, (match, words, "%s=%s" % (field, value))))


def judge(bench, has, differs, both=False):
    """Cold and from the cache, in both orders."""
    there, away = ({HIT: [bytes(has)]}, {MISS: [bytes(differs)]})
    if both:
        away = {HIT: [bytes(differs)]}
    for frame, want in ((has, there), (differs, away), (has, there),
                        (differs, away)):
        got = bench.send(frame)
        assert got == want, testbench.difference(got, want)


@pytest.mark.parametrize("field,words,value,has,differs", WIRE, ids=ident)
def test_a_field_of_the_wire_is_matched(bench, field, words, value, has,
                                        differs):
    for before, table in (((), 0), (("table=0,actions=goto_table:9",), 9)):
        bench.only(*before,
                   "table=%d,%s,actions=output:%d" % (
                       table, entry("", words, text(value), field), HIT),
                   "table=%d,priority=1,actions=output:%d" % (table, MISS))
        judge(bench, has, differs)


def value_in(field, differs):
    """What scapy's frame has in the field."""
    known = {"dl_dst": lambda f: f.dst, "dl_src": lambda f: f.src,
             "vlan_tci": lambda f: (f[Dot1Q].prio << 13 | 0x1000
                                    | f[Dot1Q].vlan) if Dot1Q in f else 0,
             "vlan_vid": lambda f: 0x1000 | f[Dot1Q].vlan,
             "pbb_isid": lambda f: int.from_bytes(bytes(f)[15:18], "big"),
             "nw_src": lambda f: f[IP].src, "nw_dst": lambda f: f[IP].dst,
             "ipv6_src": lambda f: f[IPv6].src,
             "ipv6_dst": lambda f: f[IPv6].dst,
             "ipv6_label": lambda f: f[IPv6].fl,
             "arp_spa": lambda f: f.psrc, "arp_tpa": lambda f: f.pdst,
             "arp_sha": lambda f: f.hwsrc, "arp_tha": lambda f: f.hwdst,
             "tcp_flags": lambda f: int(f[TCP].flags),
             "nd_target": lambda f: f.tgt, "nd_sll": lambda f: f.lladdr,
             "nd_tll": lambda f: f.lladdr, "nd_reserved": lambda f: f.res,
             "nd_options_type": lambda f: 2 if ICMPv6NDOptDstLLAddr in f
             else 1}
    if field.endswith("_src") and field[:-4] in ("tcp", "udp", "sctp"):
        return differs.sport
    if field.endswith("_dst") and field[:-4] in ("tcp", "udp", "sctp"):
        return differs.dport
    return known[field](differs) if field in known else None


MASKED = [(field, words, value, has, differs) for field, words, value, has,
          differs in WIRE if FIELDS[field][1] and number(value) is not None
          # (Which needs a walk of the headers: see tests/interop.)
          and field != "ipv6_exthdr"]


@pytest.mark.parametrize("field,words,value,has,differs", MASKED, ids=ident)
def test_a_field_is_matched_by_some_of_its_bits(bench, field, words, value,
                                                has, differs):
    other = value_in(field, differs)
    assert other is not None, "say how to read %s" % field
    one, both = masks_of(field, value, other)
    assert one and both
    for masked in one + both:
        bench.only("table=0,actions=goto_table:1",
                   "table=1,%s,actions=output:%d" % (
                       entry("", words, masked, field), HIT),
                   "table=1,priority=1,actions=output:%d" % MISS)
        judge(bench, has, differs, both=masked in both)


@pytest.mark.parametrize("field,value,other", PIPELINE, ids=ident)
def test_a_field_of_the_pipeline_is_matched(bench, field, value, other):
    has, differs = v4(), l2(v4()[IP], src=C)
    one, both = masks_of(field, value, other)
    for match in [text(value)] + one + both:
        bench.only(
            "dl_src=%s,actions=set_field:%s->%s,goto_table:1" % (
                A, text(value), field),
            "dl_src=%s,actions=set_field:%s->%s,goto_table:1" % (
                C, text(other), field),
            "table=1,%s=%s,actions=output:%d" % (field, match, HIT),
            "table=1,priority=1,actions=output:%d" % MISS)
        judge(bench, has, differs, both=match in both)


@pytest.mark.parametrize("field", ["in_port", "in_phy_port"])
def test_the_port_is_matched(bench, field):
    words = "in_port=2," if field == "in_phy_port" else ""
    for before, table in (((), 0), (("table=0,actions=goto_table:1",), 1)):
        bench.only(*before, "table=%d,%s%s=2,actions=output:%d" % (
                       table, words, field, HIT),
                   "table=%d,priority=1,actions=output:%d" % (table, MISS))
        for _ in range(2):
            assert bench.send(v4(), port=2) == {HIT: [bytes(v4())]}
            assert bench.send(v4(), port=1) == {MISS: [bytes(v4())]}


def test_the_output_of_the_action_set_is_matched(bench):
    bench.only("dl_src=%s,actions=write_actions(output:%d),goto_table:1"
               % (A, HIT),
               "dl_src=%s,actions=write_actions(output:%d),goto_table:1"
               % (C, MISS),
               "table=1,actset_output=%d,actions=output:5" % HIT,
               "table=1,priority=1,actions=")
    has, differs = v4(), l2(v4()[IP], src=C)
    bench.check(has, {HIT: has, 5: has})
    bench.check(differs, {MISS: differs})


def test_packets_are_ethernet(bench):
    bench.only("packet_type=(0,0),actions=output:%d" % HIT)
    bench.check(v4(), {HIT: v4()})


def test_connections_are_not_tracked_yet(bench):
    """What conntrack will set reads as zero until then."""
    for field, words, zero, one in (
            ("ct_state", "", "-trk", "+trk"), ("ct_zone", "", "0", "1"),
            ("ct_mark", "", "0", "1"), ("ct_label", "", "0", "1"),
            ("conj_id", "", "0", "1"), ("skb_priority", "", "0", "1"),
            ("tun_flags", "", "0", "1"),
            ("ct_nw_proto", "ip", "0", "6"),
            ("ct_nw_src", "ip", "0.0.0.0", "10.0.0.1"),
            ("ct_nw_dst", "ip", "0.0.0.0", "10.0.0.2"),
            ("ct_tp_src", "ip", "0", "1"), ("ct_tp_dst", "ip", "0", "2")):
        bench.only("%s,actions=output:%d" % (entry("", words, one, field),
                                             MISS))
        bench.check(v4(), {}, what=field)
        bench.only("%s,actions=output:%d" % (entry("", words, zero, field),
                                             HIT))
        bench.check(v4(), {HIT: v4()}, what=field)


def test_what_lies_behind_two_tags_is_matched(bench):
    inner = v4(TCP(sport=7, dport=80))[IP]
    for frame in (l2(Dot1Q(vlan=9) / inner),
                  l2(Dot1Q(vlan=9) / Dot1Q(vlan=10) / inner, type=0x88a8)):
        bench.only("tcp,dl_vlan=9,tp_dst=80,actions=output:%d" % HIT,
                   "priority=1,actions=output:%d" % MISS)
        bench.check(frame, {HIT: frame})
        other = copy.deepcopy(frame)
        other[TCP].dport = 81
        bench.check(other, {MISS: other})
