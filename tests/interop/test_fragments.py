"""What becomes of fragments (OpenFlow's OFPC_FRAG_*, as Open vSwitch has them):
with real ones of IPv4 and IPv6.

  normal    tables see zero in place of every fragment's ports, and of its ICMP
            type and code
  nx-match  the first fragment has its ports, later ones have zero
  drop      no fragment goes further"""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment

import testbench
from osken import Session
from test_actions import eth
from test_spec import HIT, MISS, OLD, VERSIONS, judge, others, reset

DATA = bytes(range(64))
NORMAL, DROP, NX_MATCH = 0, 1, 3
# (match of the protocol, field, its number in frames, the header)
KINDS = [({"eth_type": 0x800, "ip_proto": 17}, "udp_dst", 2,
          UDP(sport=1, dport=2)),
         ({"eth_type": 0x800, "ip_proto": 6}, "tcp_src", 7,
          TCP(sport=7, dport=2)),
         ({"eth_type": 0x800, "ip_proto": 1}, "icmpv4_type", 8, ICMP()),
         ({"eth_type": 0x86dd, "ip_proto": 17}, "udp_src", 1,
          UDP(sport=1, dport=2)),
         ({"eth_type": 0x86dd, "ip_proto": 58}, "icmpv6_type", 128,
          ICMPv6EchoRequest())]


@pytest.fixture(scope="module")
def bench(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def of(bench, version):
    with Session(os.path.join(bench.lab.run_dir, "br0.mgmt"), version) as of:
        yield of
        set_frags(of, NORMAL)


def set_frags(of, how):
    of.commit(of.parser.OFPSetConfig(of.desc, how, 128))
    of.tell(of.parser.OFPGetConfigRequest(of.desc))
    assert of.await_type(of.ofp.OFPT_GET_CONFIG_REPLY).flags == how


def frames(match, header):
    """(whole, first fragment, later fragment)"""
    proto = match["ip_proto"]
    if match["eth_type"] == 0x800:
        def packet(**fields):
            return IP(src="10.0.0.1", dst="10.0.0.2", proto=proto, **fields)
        return (eth(packet() / header / DATA),
                eth(packet(flags="MF") / header / DATA),
                eth(packet(frag=10) / DATA))
    packet = IPv6(src="fd00::1", dst="fd00::2")
    return (eth(packet / header / DATA),
            eth(packet / IPv6ExtHdrFragment(m=1, nh=proto) / header / DATA),
            eth(packet / IPv6ExtHdrFragment(offset=10, nh=proto) / DATA))


@VERSIONS
@pytest.mark.parametrize("how,first,later", [
    (NORMAL, OLD, OLD), (NX_MATCH, HIT, OLD), (DROP, None, None)],
    ids=("normal", "nx-match", "drop"))
@pytest.mark.parametrize("table", (0, 5))
def test_ports_of_fragments(bench, of, version, how, first, later, table):
    set_frags(of, how)
    for match, field, number, header in KINDS:
        whole_frame, first_frame, later_frame = frames(match, header)
        goto = [of.flow_mod(of.match(), of.goto(table))] if table else []
        of.commit(*reset(of), *goto, others(of, table),
                  *[of.flow_mod(of.match(**match, **{field: n}),
                                of.apply(of.output(port)), priority=9,
                                table_id=table)
                    for n, port in ((number, HIT), (0, OLD))])
        for frame, port in ((whole_frame, HIT), (first_frame, first),
                            (later_frame, later), (whole_frame, HIT)):
            judge(bench, frame, {port: bytes(frame)} if port else {}, field)


@VERSIONS
def test_how_fragments_fare_is_changed_under_way(bench, of, version):
    """Nothing cached outlives it."""
    match, field, number, header = KINDS[0]
    _whole, frame, _later = frames(match, header)
    of.commit(*reset(of), others(of), of.flow_mod(
        of.match(**match, **{field: number}), of.apply(of.output(HIT)),
        priority=9))
    for how, port in ((NX_MATCH, HIT), (NORMAL, MISS), (DROP, None),
                      (NX_MATCH, HIT), (DROP, None), (NORMAL, MISS)):
        set_frags(of, how)
        judge(bench, frame, {port: bytes(frame)} if port else {})
