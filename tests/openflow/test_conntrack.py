"""Connection tracking: the same flow entries and packets on Weft's switch and on
ovs-vswitchd with its user-space data path, and the same answers.

    a | b | c      three guests, by veth pairs

Everything is tracked, and table 1 sends what it sees of the connection to c: in
the frame's Ethernet source address, which each of its entries writes."""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply,
                                ICMPv6EchoRequest, ICMPv6ND_NS, IPv6)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import ovs
import weft
from netns import run

NAMES = ("a", "b", "c")
A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
MARKER = 0x88b6
STATES = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")


class Bench:
    def __init__(self, kind, build):
        self.kind = kind
        self.lab = weft.Lab(build)
        self.ovs = None
        self.nics = {}
        for name in NAMES:
            self.lab.veth(name, "g-" + name)
        if kind == "ovs":
            self.ovs = ovs.Ovs(self.lab.host,
                               os.path.join(self.lab.dir, "ovs"))
            self.ovs.start()
            for number, name in enumerate(NAMES, 1):
                self.ovs.add_port(name, number)
            self.method = self.ovs.method
        else:
            self.lab.start(*("%d=%s=netdev:%s" % (number, name, name)
                             for number, name in enumerate(NAMES, 1)),
                           options=("--fail-mode", "secure"))
            self.method = "unix:" + os.path.join(self.lab.run_dir,
                                                 "br0.mgmt")
        self.nics = {name: self.lab.netns("g-" + name).nic("eth0")
                     for name in NAMES}

    def ofctl(self, verb, *args, status=0):
        return run("ovs-ofctl", "-O", "OpenFlow15", verb, self.method, *args,
                   check=status == 0)

    def flows(self, *flows):
        """Tables of just these."""
        path = os.path.join(self.lab.dir, "flows")
        with open(path, "w") as f:
            f.write("priority=65535,dl_type=0x%x,actions=all\n" % MARKER)
            f.write("\n".join(flows) + "\n")
        self.ofctl("replace-flows", path)
        if self.ovs:
            self.ovs.settle()
        self.ofctl("ct-flush")

    def seen(self, sender, *frames, at="c"):
        """What arrives at c of frames that a or b sends."""
        nic = self.nics[sender]
        marker = Ether(src=A, dst=B, type=MARKER) / Raw(bytes(50))
        got, n_markers = [], 0
        for frame in frames + (marker,):
            nic.send(frame)
        for one in self.nics[at].frames():
            if one.type == MARKER:
                n_markers += 1
                if n_markers == 2:
                    return got
                # Open vSwitch may send what went through its tables again
                # behind what did not.
                nic.send(marker)
            elif one.dst in (A, B, C):
                got.append(one)

    def close(self):
        try:
            for nic in self.nics.values():
                nic.close()
            if self.ovs:
                self.ovs.stop()
                for name in set(self.lab.host.links()) - set(NAMES) - {"lo"}:
                    self.lab.host.run("ip", "link", "del", name)
        finally:
            self.lab.close()


@pytest.fixture(scope="module", params=("weft", "ovs"))
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"))
    yield bench
    bench.close()


def shown(ip="ip"):
    """Entries of table 1: eth_src becomes 02:ct:STATE:MARK with bits copied
    from the fields of the connection."""
    return ("table=1,priority=1,%s,actions="
            "move:NXM_NX_CT_STATE[0..7]->NXM_OF_ETH_SRC[0..7],"
            "move:NXM_NX_CT_MARK[0..15]->NXM_OF_ETH_SRC[8..23],"
            "move:NXM_NX_CT_LABEL[0..7]->NXM_OF_ETH_SRC[24..31],"
            "move:NXM_NX_CT_ZONE[0..7]->NXM_OF_ETH_SRC[32..39],output:3"
            % ip)


# Looked at in zone 5, and committed there by who sends from port 1.
def tracked(commit="", ip="ip"):
    return ["priority=1,%s,actions=ct(zone=5,table=1)" % ip,
            "priority=2,%s,in_port=1,actions=ct(zone=5,commit,table=1%s)"
            % (ip, commit), shown(ip)]


def state_of(frame):
    n = int(frame.src.split(":")[5], 16)
    return "+".join(s for i, s in enumerate(STATES) if n >> i & 1)


def states(bench, *sends):
    """The states of packets that a ("a", frame) or b sends, in turn."""
    said = []
    for sender, frame in sends:
        got = bench.seen(sender, frame)
        said.append(state_of(got[0]) if got else None)
    return said


def v4(payload, back=False, **fields):
    src, dst = ("10.0.0.2", "10.0.0.1") if back else ("10.0.0.1", "10.0.0.2")
    return Ether(src=B if back else A, dst=A if back else B) \
        / IP(**dict({"src": src, "dst": dst}, **fields)) / payload


def v6(payload, back=False):
    src, dst = ("fd00::2", "fd00::1") if back else ("fd00::1", "fd00::2")
    return Ether(src=B if back else A, dst=A if back else B) \
        / IPv6(src=src, dst=dst) / payload


def udp(back=False, **fields):
    sport, dport = (53, 1000) if back else (1000, 53)
    return UDP(**dict({"sport": sport, "dport": dport}, **fields)) \
        / Raw(bytes(20))


def tcp(flags, seq=0, ack=0, back=False, n=0, **fields):
    sport, dport = (80, 1000) if back else (1000, 80)
    return TCP(**dict({"sport": sport, "dport": dport, "flags": flags,
                       "seq": seq, "ack": ack, "window": 8192}, **fields)) \
        / Raw(bytes(n))


def test_udp_becomes_established_by_its_answer(bench):
    bench.flows(*tracked())
    assert states(bench, ("b", v4(udp(True), True)), ("a", v4(udp())),
                  ("b", v4(udp(True), True)), ("a", v4(udp())),
                  ("a", v4(udp()))) \
        == ["new+trk", "new+trk", "est+rpl+trk", "est+trk", "est+trk"]


def test_udp_by_ipv6(bench):
    bench.flows(*tracked(ip="ipv6"))
    assert states(bench, ("a", v6(udp())), ("b", v6(udp(True), True)),
                  ("a", v6(udp()))) == ["new+trk", "est+rpl+trk", "est+trk"]


def test_what_is_not_committed_stays_new(bench):
    bench.flows("ip,actions=ct(zone=5,table=1)", shown())
    assert states(bench, *[("a", v4(udp()))] * 3) == ["new+trk"] * 3


def test_a_whole_tcp_connection(bench):
    bench.flows(*tracked())
    assert states(
        bench, ("a", v4(tcp("S", 100))),
        ("a", v4(tcp("S", 100))),
        ("b", v4(tcp("SA", 900, 101, True), True)),
        ("a", v4(tcp("A", 101, 901))),
        ("a", v4(tcp("PA", 101, 901, n=50))),
        ("b", v4(tcp("A", 901, 151, True), True)),
        ("b", v4(tcp("FA", 901, 151, True), True)),
        ("a", v4(tcp("FA", 151, 902))),
        ("b", v4(tcp("A", 902, 152, True), True)),
        ("a", v4(tcp("S", 5000)))) == [
            "new+trk", "new+trk", "est+rpl+trk", "est+trk", "est+trk",
            "est+rpl+trk", "est+rpl+trk", "est+trk", "est+rpl+trk",
            "new+trk"]


@pytest.mark.parametrize("flags,expected", [
    ("S", "new+trk"), ("SA", "inv+trk"), ("A", "new+trk"),
    ("PA", "new+trk"), ("R", "new+trk"), ("FA", "new+trk"), ("F", "inv+trk"),
    ("SF", "inv+trk"), ("SR", "inv+trk"), ("", "inv+trk"),
    ("FPU", "inv+trk")])
def test_what_may_begin(bench, flags, expected):
    bench.flows("tcp,actions=ct(zone=5,table=1)", shown("tcp"))
    assert states(bench, ("a", v4(tcp(flags, 100, 5)))) == [expected]


def test_a_connection_picked_up_in_the_middle(bench):
    bench.flows(*tracked())
    assert states(
        bench, ("a", v4(tcp("A", 70000, 5000, n=100))),
        ("b", v4(tcp("A", 5000, 70100, True, n=100), True)),
        ("a", v4(tcp("A", 70100, 5100, n=100)))) \
        == ["new+trk", "est+rpl+trk", "est+trk"]


def test_numbers_outside_of_the_window(bench):
    bench.flows(*tracked())
    assert states(
        bench, ("a", v4(tcp("S", 100))),
        ("b", v4(tcp("SA", 900, 101, True), True)),
        ("a", v4(tcp("A", 101, 901))),
        ("a", v4(tcp("A", 101 + 9000, 901, n=10))),
        ("b", v4(tcp("A", 901, 1000000, True, n=10), True)),
        ("a", v4(tcp("R", 4000, 0))),
        ("a", v4(tcp("R", 101, 0)))) == [
            "new+trk", "est+rpl+trk", "est+trk", "inv+trk", "inv+trk",
            "inv+trk", "est+trk"]


def test_udp_without_an_answer(bench):
    bench.flows(*tracked())
    assert states(bench, *[("a", v4(udp()))] * 4) == ["new+trk"] * 4


def test_pings(bench):
    bench.flows(*tracked())
    assert states(
        bench, ("a", v4(ICMP(type=8, id=7))),
        ("b", v4(ICMP(type=0, id=7), True)),
        ("a", v4(ICMP(type=8, id=7))), ("b", v4(ICMP(type=0, id=8), True)),
        ("b", v4(ICMP(type=8, id=7), True)),
        ("a", v4(ICMP(type=9)))) == [
            "new+trk", "est+rpl+trk", "est+trk", "inv+trk", "new+trk",
            "inv+trk"]


def test_pings_by_ipv6(bench):
    bench.flows(*tracked(ip="ipv6"))
    assert states(
        bench, ("a", v6(ICMPv6EchoRequest(id=7))),
        ("b", v6(ICMPv6EchoReply(id=7), True)),
        ("a", v6(ICMPv6EchoRequest(id=7))),
        ("a", v6(ICMPv6ND_NS(tgt="fd00::2")))) == [
            "new+trk", "est+rpl+trk", "est+trk", "inv+trk"]


def test_errors_are_related(bench):
    bench.flows(*tracked())
    about = IP(src="10.0.0.1", dst="10.0.0.2") / udp()
    error = ICMP(type=3, code=3) / about
    other = ICMP(type=3, code=3) / IP(src="10.0.0.1", dst="10.0.0.2") \
        / UDP(sport=1, dport=2) / Raw(bytes(20))
    assert states(
        bench, ("a", v4(udp())),
        ("b", v4(error, True, src="10.0.0.99")),
        ("b", v4(other, True)),
        ("b", v4(udp(True), True))) == [
            "new+trk", "rel+rpl+trk", "inv+trk", "est+rpl+trk"]


def test_errors_are_related_by_ipv6(bench):
    bench.flows(*tracked(ip="ipv6"))
    about = IPv6(src="fd00::1", dst="fd00::2") / udp()
    assert states(
        bench, ("a", v6(udp())),
        ("b", v6(ICMPv6DestUnreach(code=4) / about, True))) == [
            "new+trk", "rel+rpl+trk"]


@pytest.mark.parametrize("frame", [
    v4(udp(chksum=0x1234)), v4(udp(len=40)), v4(udp(), chksum=0x1234),
    v4(tcp("S", 1, chksum=0x1234)), v4(tcp("S", 1, dataofs=4)),
    v4(ICMP(type=8, id=7, chksum=0x1234))],
    ids=["udp-sum", "udp-length", "ip-sum", "tcp-sum", "tcp-offset",
         "icmp-sum"])
def test_broken_packets_are_invalid(bench, frame):
    bench.flows("ip,actions=ct(zone=5,table=1)", shown())
    assert states(bench, ("a", frame)) == ["inv+trk"]


def test_udp_without_a_checksum_or_with_something_behind(bench):
    bench.flows("ip,actions=ct(zone=5,table=1)", shown())
    assert states(bench, ("a", v4(udp(chksum=0))), ("a", v4(udp(len=20)))) \
        == ["new+trk", "new+trk"]


def test_mark_and_label_are_kept(bench):
    bench.flows(*tracked(",exec(set_field:0x1234->ct_mark,"
                         "set_field:0x56/0xff->ct_label)"))
    assert [bench.seen(who, frame)[0].src[3:] for who, frame in (
        ("a", v4(udp())), ("b", v4(udp(True), True)))] \
        == ["05:56:12:34:21", "05:56:12:34:2a"]


def test_a_mark_from_a_register(bench):
    bench.flows("ip,actions=load:0xabcd->NXM_NX_REG0[],"
                "ct(zone=5,commit,table=1,exec(move:NXM_NX_REG0[0..7]->"
                "NXM_NX_CT_MARK[8..15]))", shown())
    assert bench.seen("a", v4(udp()))[0].src[6:] == "00:cd:00:21"


def test_zones_are_apart(bench):
    bench.flows("ip,in_port=1,actions=ct(zone=5,commit,table=1)",
                "ip,in_port=2,actions=ct(zone=6,table=1)", shown())
    assert states(bench, ("a", v4(udp())), ("b", v4(udp(True), True))) \
        == ["new+trk", "new+trk"]


def test_a_zone_from_a_register(bench):
    bench.flows("ip,in_port=1,actions=load:7->NXM_NX_REG3[8..23],"
                "ct(zone=NXM_NX_REG3[8..23],commit,table=1)",
                "ip,in_port=2,actions=ct(zone=7,table=1)", shown())
    assert states(bench, ("a", v4(udp())), ("b", v4(udp(True), True))) \
        == ["new+trk", "est+rpl+trk"]


def test_force_turns_a_connection_round(bench):
    bench.flows("ip,in_port=1,actions=ct(zone=5,commit,table=1)",
                "ip,in_port=2,actions=ct(zone=5,commit,force,table=1)",
                shown())
    assert states(bench, ("a", v4(udp())), ("b", v4(udp(True), True)),
                  ("a", v4(udp()))) == ["new+trk", "new+trk", "est+rpl+trk"]


def test_ct_clear(bench):
    bench.flows("ip,actions=ct(zone=5,commit,table=1)",
                "table=1,ip,ct_state=+trk,actions=ct_clear,resubmit(,2)",
                shown().replace("table=1", "table=2"))
    assert bench.seen("a", v4(udp()))[0].src[3:] == "00:00:00:00:00"


def test_what_goes_on_here_is_not_tracked(bench):
    bench.flows("ip,actions=ct(zone=5,commit,table=1),resubmit(,1)", shown())
    assert sorted(f.src[6:] for f in bench.seen("a", v4(udp()))) \
        == ["00:00:00:00", "00:00:00:21"]


def test_states_are_matched(bench):
    bench.flows("ip,in_port=1,actions=ct(commit,table=1)",
                "ip,in_port=2,actions=ct(table=1)",
                "table=1,ct_state=+trk+new,ip,actions=mod_dl_src:%s,output:3"
                % A,
                "table=1,ct_state=+est+rpl-inv,ip,"
                "actions=mod_dl_src:%s,output:3" % B)
    assert [bench.seen(who, f)[0].src for who, f in (
        ("a", v4(udp())), ("b", v4(udp(True), True)))] == [A, B]


def test_the_original_tuple_is_matched(bench):
    bench.flows("ip,in_port=1,actions=ct(commit,table=1)",
                "ip,in_port=2,actions=ct(table=1)",
                "table=1,priority=9,ip,ct_state=+trk-inv,ct_nw_src=10.0.0.1,"
                "ct_nw_dst=10.0.0.2,ct_nw_proto=17,ct_tp_src=1000,"
                "ct_tp_dst=53,actions=output:3")
    assert len(bench.seen("a", v4(udp()))) == 1
    assert len(bench.seen("b", v4(udp(True), True))) == 1


def test_two_zones_one_after_the_other(bench):
    bench.flows("ip,in_port=1,actions=ct(zone=5,commit,table=4)",
                "ip,in_port=2,actions=ct(zone=5,table=4)",
                "table=4,ip,actions=ct(zone=6,table=1)", shown())
    assert states(bench, ("a", v4(udp())), ("b", v4(udp(True), True))) \
        == ["new+trk", "new+trk"]


def natted(nat, ip="ip"):
    """Committed with this nat by who sends from port 1; answers come by 2."""
    return ["priority=1,%s,actions=ct(zone=5,nat,table=1)" % ip,
            "priority=2,%s,in_port=1,ct_state=-trk,"
            "actions=ct(zone=5,nat,table=2)" % ip,
            "table=2,priority=2,%s,ct_state=+new,"
            "actions=ct(zone=5,commit,%s,table=1)" % (ip, nat),
            "table=2,priority=1,%s,actions=resubmit(,1)" % ip, shown(ip)]


def ends(frame):
    """Who it is from and to, by IP and ports, and the state."""
    ip = frame[IP] if IP in frame else frame[IPv6]
    four = [ip.src, ip.dst]
    for layer in (UDP, TCP):
        if layer in ip and ip[layer] is ip.payload:
            four = ["%s:%d" % (ip.src, ip[layer].sport),
                    "%s:%d" % (ip.dst, ip[layer].dport)]
    whole = ip.__class__(bytes(ip))
    again = whole.copy()
    for layer in (IP, UDP, TCP, ICMP):
        if layer in again:
            del again[layer].chksum
            if layer is not IP:
                break
    assert bytes(again) == bytes(whole), "a checksum is wrong"
    return tuple(four) + (state_of(frame),)


def passes(bench, *sends):
    said = []
    for sender, frame in sends:
        got = bench.seen(sender, frame)
        said.append(ends(got[0]) if got else None)
    return said


E, OUT = "198.51.100.1", "203.0.113.5"


def going(payload):
    return "a", v4(payload, src="10.0.0.1", dst=OUT)


def snat_pair(payload, answer):
    return going(payload), ("b", v4(answer, True, src=OUT, dst=E))


def test_source_nat(bench):
    bench.flows(*natted("nat(src=%s)" % E))
    there, back = snat_pair(udp(), udp(True))
    assert passes(bench, there, back, there) == [
        (E + ":1000", OUT + ":53", "new+trk+snat"),
        (OUT + ":53", "10.0.0.1:1000", "est+rpl+trk+dnat"),
        (E + ":1000", OUT + ":53", "est+trk+snat")]


def test_source_nat_of_tcp(bench):
    bench.flows(*natted("nat(src=%s)" % E))
    there, back = snat_pair(tcp("S", 100), tcp("SA", 900, 101, True))
    more = going(tcp("PA", 101, 901, n=9))
    assert passes(bench, there, back, more) == [
        (E + ":1000", OUT + ":80", "new+trk+snat"),
        (OUT + ":80", "10.0.0.1:1000", "est+rpl+trk+dnat"),
        (E + ":1000", OUT + ":80", "est+trk+snat")]


def test_source_nat_to_a_port(bench):
    bench.flows(*natted("nat(src=%s:7000)" % E))
    there = going(udp())
    back = ("b", v4(UDP(sport=53, dport=7000) / Raw(bytes(9)), True, src=OUT,
                    dst=E))
    assert passes(bench, there, back) == [
        (E + ":7000", OUT + ":53", "new+trk+snat"),
        (OUT + ":53", "10.0.0.1:1000", "est+rpl+trk+dnat")]


def test_source_nat_of_pings(bench):
    bench.flows(*natted("nat(src=%s)" % E))
    there, back = snat_pair(ICMP(type=8, id=7) / Raw(bytes(20)),
                            ICMP(type=0, id=7) / Raw(bytes(20)))
    assert passes(bench, there, back) == [
        (E, OUT, "new+trk+snat"), (OUT, "10.0.0.1", "est+rpl+trk+dnat")]


def test_destination_nat(bench):
    bench.flows(*natted("nat(dst=10.0.0.7:8080)"))
    there = ("a", v4(udp(), src=OUT, dst=E))
    back = ("b", v4(UDP(sport=8080, dport=1000) / Raw(bytes(9)), True,
                    src="10.0.0.7", dst=OUT))
    assert passes(bench, there, back, there) == [
        (OUT + ":1000", "10.0.0.7:8080", "new+trk+dnat"),
        (E + ":53", OUT + ":1000", "est+rpl+trk+snat"),
        (OUT + ":1000", "10.0.0.7:8080", "est+trk+dnat")]


def test_nat_by_ipv6(bench):
    bench.flows(*natted("nat(src=fd00::99)", "ipv6"))
    there = ("a", v6(udp()))
    back = ("b", Ether(src=B, dst=A) / IPv6(src="fd00::2", dst="fd00::99")
            / udp(True))
    assert passes(bench, there, back) == [
        ("fd00::99:1000", "fd00::2:53", "new+trk+snat"),
        ("fd00::2:53", "fd00::1:1000", "est+rpl+trk+dnat")]


def test_errors_are_translated(bench):
    bench.flows(*natted("nat(src=%s)" % E))
    there = going(udp())
    about = IP(src=E, dst=OUT) / udp()
    error = ("b", v4(ICMP(type=3, code=3) / about, True, src="192.0.2.1",
                     dst=E))
    bench.seen(*there)
    got, = bench.seen(*error)
    assert (got[IP].src, got[IP].dst, state_of(got)) == (
        "192.0.2.1", "10.0.0.1", "rel+rpl+trk+dnat")
    inner = IP(bytes(got[ICMP].payload))
    assert (inner.src, inner.dst, inner[UDP].sport) == (
        "10.0.0.1", OUT, 1000)


def test_nat_in_place(bench):
    bench.flows("ip,in_port=1,actions=ct(commit,nat(src=%s)),output:3" % E)
    frame, = bench.seen("a", v4(udp(), dst=OUT))
    assert (frame[IP].src, frame[UDP].sport) == (E, 1000)


def pieces(frame):
    """Of a datagram of UDP, in order."""
    eth = frame.copy()
    eth.remove_payload()
    return [eth / IP(bytes(p)) for p in
            IP(bytes(frame.payload)).fragment(fragsize=1200)]


BIG = UDP(sport=1000, dport=53) / Raw(bytes(3000))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)],
                         ids=str)
def test_fragments_are_of_one_connection(bench, order):
    bench.flows(*tracked())
    parts = pieces(v4(BIG, id=77 + order[0]))
    got = bench.seen("a", *[parts[i] for i in order])
    assert [state_of(f) for f in got] == ["new+trk"] * 3
    assert sorted((f[IP].frag, f[IP].len) for f in got) \
        == [(p[IP].frag, p[IP].len) for p in parts]
    answer = UDP(sport=53, dport=1000) / Raw(bytes(3000))
    got = bench.seen("b", *pieces(v4(answer, True, id=90 + order[0])))
    assert [state_of(f) for f in got] == ["est+rpl+trk"] * 3


def test_fragments_are_translated(bench):
    bench.flows(*natted("nat(src=%s)" % E))
    got = bench.seen("a", *pieces(v4(BIG, dst=OUT, id=100)))
    assert [f[IP].src for f in got] == [E] * 3
    whole = b"".join(bytes(f[IP].payload) for f in
                     sorted(got, key=lambda f: f[IP].frag))
    expected = IP(bytes(IP(src=E, dst=OUT) / BIG))
    assert whole == bytes(expected.payload)


def test_resubmit_of_the_first_packet(bench):
    bench.flows("ip,in_port=1,actions=ct(commit,table=1)",
                "ip,in_port=2,actions=ct(table=1)",
                "table=1,ip,ct_state=+trk-inv,actions=resubmit(,2,ct)",
                "table=2,udp,nw_src=10.0.0.1,tp_dst=53,actions=output:3")
    assert len(bench.seen("a", v4(udp()))) == 1
    assert len(bench.seen("b", v4(udp(True), True))) == 1
