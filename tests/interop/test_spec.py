"""Every match field, instruction and action of OpenFlow 1.3 and 1.5, programmed
over the wire by a codec that is not ours, met by real packets, and judged by
spec.py.  (testbench.py in tests/net has the network.)

Each is tried in every place where it may stand (PLACES), and what spec.py
lists and no case has fails a test."""

import copy
import itertools
import os

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP

import spec
import testbench
from osken import Session
from test_actions import V4, V6, eth, ip, ip6, mpls, vlan
from test_match_fields import WIRE, pbb

HIT, MISS, OLD = 3, 4, 5                # Ports
VERSIONS = pytest.mark.parametrize("version", (4, 6),
                                   ids=("OpenFlow13", "OpenFlow15"))

# Weft's names of fields that have others in the specification.
OXM_NAMES = {"dl_dst": "eth_dst", "dl_src": "eth_src", "dl_type": "eth_type",
             "nw_ecn": "ip_ecn", "nw_proto": "ip_proto",
             "nw_src": "ipv4_src", "nw_dst": "ipv4_dst",
             "icmp_type": "icmpv4_type", "icmp_code": "icmpv4_code",
             "ipv6_label": "ipv6_flabel", "nd_target": "ipv6_nd_target",
             "nd_sll": "ipv6_nd_sll", "nd_tll": "ipv6_nd_tll"}
# (field, a frame, another that differs in it)
CASES = [(OXM_NAMES.get(field, field), has, differs)
         for field, _words, _value, has, differs in WIRE
         if OXM_NAMES.get(field, field) in spec.fields_of(bytes(has), 1)]
# Those that frames do not carry have tests of their own below.
APART = {"in_port", "in_phy_port", "metadata", "tunnel_id", "actset_output",
         "packet_type"}


def since(version, name):
    return spec.FIELDS[name][4] <= version


def test_no_field_is_forgotten():
    tested = {case[0] for case in CASES}
    assert tested | APART == set(spec.FIELDS)
    assert not tested & APART


# --- The switch -----------------------------------------------------------


@pytest.fixture(scope="module")
def bench(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def of(bench, version):
    with Session(os.path.join(bench.lab.run_dir, "br0.mgmt"),
                 version) as of:
        yield of


def judge(bench, frame, expected, what="", port=1):
    """`expected` is {port: bytes or [bytes]}; translated, and cached."""
    want = {number: out if isinstance(out, list) else [out]
            for number, out in expected.items()}
    for attempt in ("translated", "cached"):
        got = bench.send(frame, port=port)
        assert got == want, "%s, %s:\n%s" % (
            what, attempt, testbench.difference(got, want))


# --- Places ---------------------------------------------------------------
#
# Each is a function that carries out "packets that match do these actions,
# others leave by MISS" and yields when packets are to do so.

BUNDLE = itertools.count(1)
ATOMIC_ORDERED = 3


def others(of, table=0):
    return of.flow_mod(of.match(), of.apply(of.output(MISS)), priority=1,
                       table_id=table)


def reset(of):
    marker = of.apply(of.output(of.ofp.OFPP_ALL))
    return [*of.delete_all(), of.flow_mod(
        of.match(eth_type=testbench.MARKER_TYPE), marker, priority=65535)]


def in_table_0(of, match, actions):
    of.commit(*reset(of), others(of),
              of.flow_mod(match, of.apply(*actions), priority=9))
    yield


def behind_goto(of, match, actions):
    of.commit(*reset(of), of.flow_mod(of.match(), of.goto(1)),
              of.flow_mod(of.match(), of.goto(9), table_id=1),
              others(of, 9),
              of.flow_mod(match, of.apply(*actions), priority=9,
                          table_id=9))
    yield


def in_the_action_set(of, match, actions):
    of.commit(*reset(of), of.flow_mod(of.match(), of.goto(2)),
              others(of, 2),
              of.flow_mod(match, of.write(*actions), priority=9,
                          table_id=2))
    yield


def in_a_group(of, match, actions):
    of.commit(*reset(of), others(of),
              of.group_mod(7, of.ofp.OFPGT_ALL, [actions]),
              of.flow_mod(match, of.apply(of.parser.OFPActionGroup(7)),
                          priority=9))
    yield


def in_a_group_of_the_action_set(of, match, actions):
    of.commit(*reset(of), others(of),
              of.group_mod(8, of.ofp.OFPGT_INDIRECT, [actions]),
              of.flow_mod(match, of.write(of.parser.OFPActionGroup(8)),
                          priority=9))
    yield


def behind_a_meter(of, match, actions):
    if of.version < 6:
        does = [of.parser.OFPInstructionMeter(3), of.apply(*actions)]
    else:
        does = [of.apply(of.parser.OFPActionMeter(3), *actions)]
    of.commit(*reset(of), others(of), of.meter_mod(3, 1000000),
              of.flow_mod(match, *does, priority=9))
    yield


def control(of, number, kind):
    if of.version < 6:
        return of.parser.ONFBundleCtrlMsg(
            of.desc, number, getattr(of.ofp, "ONF_BCT_" + kind), ATOMIC_ORDERED,
            [])
    return of.parser.OFPBundleCtrlMsg(
        of.desc, number, getattr(of.ofp, "OFPBCT_" + kind), ATOMIC_ORDERED, [])


def added(of, number, message):
    if of.version < 6:
        return of.parser.ONFBundleAddMsg(of.desc, number, ATOMIC_ORDERED, message,
                                         [])
    return of.parser.OFPBundleAddMsg(of.desc, number, ATOMIC_ORDERED, message,
                                         [])


def old_ways(of):
    """Everything leaves by OLD."""
    return [*reset(of), of.flow_mod(of.match(), of.apply(of.output(OLD)),
                                    priority=5)]


def bundled(of, match, actions):
    number = next(BUNDLE)
    of.commit(*old_ways(of))
    of.commit(control(of, number, "OPEN_REQUEST"),
              added(of, number, of.flow_mod(
                  of.match(), command=of.ofp.OFPFC_DELETE_STRICT,
                  priority=5)),
              added(of, number, others(of)),
              added(of, number, of.flow_mod(match, of.apply(*actions),
                                            priority=9)))
    return number


def in_a_bundle_that_commits(of, match, actions):
    number = bundled(of, match, actions)
    yield "old"
    of.commit(control(of, number, "COMMIT_REQUEST"))
    yield


def in_a_bundle_that_is_discarded(of, match, actions):
    number = bundled(of, match, actions)
    of.commit(control(of, number, "DISCARD_REQUEST"))
    yield "old"


PLACES = {place.__name__: place for place in (
    in_table_0, behind_goto, in_the_action_set, in_a_group,
    in_a_group_of_the_action_set, behind_a_meter, in_a_bundle_that_commits,
    in_a_bundle_that_is_discarded)}
PLACE = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def try_out(bench, of, place, match, actions, rows, what):
    """`rows` are (frame, {port: bytes} once it is in force)."""
    match = of.match(**spec.texts(match))
    for state in place(of, match, actions):
        for frame, expected in rows:
            judge(bench, frame, {OLD: bytes(frame)} if state else expected,
                  "%s, %s" % (what, place.__name__))


# --- Match fields ---------------------------------------------------------


def as_other(name, number, other):
    """A mask under which only one of the two numbers matches, and one under
    which both do."""
    ones = (1 << spec.FIELDS[name][1]) - 1
    differ = number ^ other
    return differ & -differ, ones & ~differ


@VERSIONS
@PLACE
def test_every_field_is_matched(bench, of, place, version):
    for name, has, differs in CASES:
        if not since(version, name):
            continue
        here, there = (spec.fields_of(bytes(f), 1) for f in (has, differs))
        match = dict(spec.needed(name, here), **{name: here[name]})
        # As the model has it, the case is one.
        assert spec.matches(match, here) and not spec.matches(match, there)
        try_out(bench, of, place, match, [of.output(HIT)],
                [(has, {HIT: bytes(has)}), (differs, {MISS: bytes(differs)})],
                name)


@VERSIONS
@PLACE
def test_every_field_that_has_a_mask_is_matched_by_it(bench, of, place,
                                                      version):
    tried = set()
    for name, has, differs in CASES:
        if not since(version, name) or not spec.FIELDS[name][2]:
            continue
        here, there = (spec.fields_of(bytes(f), 1) for f in (has, differs))
        for mask in as_other(name, here[name], there.get(name, 0)):
            match = dict(spec.needed(name, here),
                         **{name: (here[name] & mask, mask)})
            rows = [(f, {HIT if spec.matches(match, fields) else MISS:
                         bytes(f)})
                    for f, fields in ((has, here), (differs, there))]
            try_out(bench, of, place, match, [of.output(HIT)], rows, name)
            tried.add(name)
    assert tried | APART >= {
        name for name, row in spec.FIELDS.items()
        if row[2] and since(version, name)}


@VERSIONS
@PLACE
def test_the_port_is_matched(bench, of, place, version):
    for match in ({"in_port": 2}, {"in_port": 2, "in_phy_port": 2}):
        for state in place(of, of.match(**match), [of.output(HIT)]):
            for port in (2, 1):
                out = OLD if state else HIT if port == 2 else MISS
                judge(bench, V4, {out: bytes(V4)}, "in_port", port=port)


@pytest.mark.parametrize("version", (6,))
@PLACE
def test_the_type_of_packets_is_matched(bench, of, place, version):
    try_out(bench, of, place, {"packet_type": 0}, [of.output(HIT)],
            [(V4, {HIT: bytes(V4)})], "packet_type")


@pytest.mark.parametrize("version", (6,))
@PLACE
def test_no_packet_is_of_another_type(bench, of, place, version):
    """Ports bring Ethernet; an entry of bare IPv4 is fine, and idle."""
    try_out(bench, of, place, {"packet_type": 1 << 16 | 0x800},
            [of.output(HIT)], [(V4, {MISS: bytes(V4)})], "packet_type")


@VERSIONS
def test_metadata_and_the_tunnel_are_matched(bench, of, version):
    """Written in one table, whole and in part, matched in the next."""
    one, other = 0xfedcba9876543210, 0xfedcba9876543310
    here, there = bytes(V4), bytes(eth(ip(), src=testbench.C))
    sources = ((here, one), (there, other))

    def metadata(number):
        return [of.parser.OFPInstructionWriteMetadata(number, 2 ** 64 - 1)]

    def tunnel(number):
        return [of.apply(of.parser.OFPActionSetField(tunnel_id=number))]

    for name, write in (("metadata", metadata), ("tunnel_id", tunnel)):
        for mask, both in ((2 ** 64 - 1, False), (0x100, False),
                           (0xff, True)):
            of.commit(*reset(of), others(of, 1),
                      of.flow_mod(of.match(**{name: (one & mask, mask)}),
                                  of.apply(of.output(HIT)), priority=9,
                                  table_id=1),
                      *[of.flow_mod(of.match(eth_src=spec.text(
                          "eth_src", int.from_bytes(frame[6:12], "big"))),
                          *write(number), of.goto(1))
                        for frame, number in sources])
            judge(bench, here, {HIT: here}, name)
            judge(bench, there, {HIT if both else MISS: there}, name)


@VERSIONS
def test_metadata_is_written_by_its_mask(bench, of, version):
    write = of.parser.OFPInstructionWriteMetadata
    of.commit(*reset(of), of.flow_mod(of.match(), write(0xffff, 0xffff),
                                      of.goto(1)),
              of.flow_mod(of.match(), write(0x1234, 0x0ff0), of.goto(2),
                          table_id=1),
              of.flow_mod(of.match(metadata=0xf23f),
                          of.apply(of.output(HIT)), table_id=2))
    judge(bench, V4, {HIT: bytes(V4)})


@pytest.mark.parametrize("version", (6,))
def test_the_output_of_the_action_set_is_matched(bench, of, version):
    for port, out in ((HIT, OLD), (MISS, None)):
        of.commit(*reset(of),
                  of.flow_mod(of.match(), of.write(of.output(port)),
                              of.goto(1)),
                  of.flow_mod(of.match(actset_output=HIT),
                              of.apply(of.output(OLD)), table_id=1),
                  of.flow_mod(of.match(), priority=0, table_id=1))
        judge(bench, V4, {port: bytes(V4), **({out: bytes(V4)} if out
                                              else {})})


BAD_MATCH, BAD_PREREQ = 4, 9


@VERSIONS
def test_prerequisites_are_asked_for(bench, of, version):
    for name, has, _differs in CASES:
        if spec.NEEDS.get(name) and since(version, name):
            number = spec.fields_of(bytes(has), 1)[name]
            assert of.refusal(of.flow_mod(of.match(
                **spec.texts({name: number})))) == (BAD_MATCH, BAD_PREREQ), \
                name


# --- Set-field ------------------------------------------------------------

# Where scapy keeps a field: (layers, attribute).
SCAPY = {
    "eth_dst": (Ether, "dst"), "eth_src": (Ether, "src"),
    "vlan_pcp": (Dot1Q, "prio"), "ipv4_src": (IP, "src"),
    "ipv4_dst": (IP, "dst"), "ipv6_src": (IPv6, "src"),
    "ipv6_dst": (IPv6, "dst"), "ipv6_flabel": (IPv6, "fl"),
    "icmpv4_type": (ICMP, "type"), "icmpv4_code": (ICMP, "code"),
    "arp_op": (ARP, "op"), "arp_spa": (ARP, "psrc"), "arp_tpa": (ARP, "pdst"),
    "arp_sha": (ARP, "hwsrc"), "arp_tha": (ARP, "hwdst"),
    "icmpv6_type": (ICMPv6EchoRequest, "type"),
    "icmpv6_code": (ICMPv6EchoRequest, "code"),
    "ipv6_nd_sll": (ICMPv6NDOptSrcLLAddr, "lladdr"),
    "ipv6_nd_tll": (ICMPv6NDOptDstLLAddr, "lladdr"),
    "mpls_label": (MPLS, "label"), "mpls_tc": (MPLS, "cos"),
}
for layer_ in (TCP, UDP, SCTP):
    for side_ in ("src", "dst"):
        SCAPY["%s_%s" % (layer_.__name__.lower(), side_)] = (
            layer_, side_[0] + "port")


def fresh(frame):
    """With lengths and checksums as they must be."""
    for layer in (IP, TCP, UDP, SCTP, ICMP, ICMPv6EchoRequest, ICMPv6ND_NS,
                  ICMPv6ND_NA):
        for name in ("chksum", "cksum"):
            if layer in frame and name in frame[layer].fields:
                delattr(frame[layer], name)
    return bytes(frame)


def with_field(frame, name, number):
    """The frame's bytes once the field was set."""
    frame = copy.deepcopy(frame)
    head = frame[IP] if IP in frame else frame[IPv6] if IPv6 in frame else None
    tos = {IP: "tos", IPv6: "tc"}.get(type(head))
    if name == "vlan_vid":
        frame[Dot1Q].vlan = number & 0xfff
    elif name == "ip_dscp":
        setattr(head, tos, getattr(head, tos) & 3 | number << 2)
    elif name == "ip_ecn":
        setattr(head, tos, getattr(head, tos) & ~3 | number)
    elif name == "ipv6_nd_target":
        frame[ICMPv6ND_NS if ICMPv6ND_NS in frame
              else ICMPv6ND_NA].tgt = spec.text(name, number)
    elif name.startswith("pbb_"):
        raw = bytearray(bytes(frame))
        tag = int.from_bytes(raw[14:18], "big")
        tag = (tag & ~(1 << 27) | number << 27 if name == "pbb_uca"
               else tag & ~0xffffff | number)
        raw[14:18] = tag.to_bytes(4, "big")
        return bytes(raw)
    elif name != "tunnel_id":
        layer, attribute = SCAPY[name]
        setattr(frame[layer], attribute, spec.text(name, number))
    return fresh(frame)


SETTABLE = [case for case in CASES if spec.FIELDS[case[0]][3]]


@VERSIONS
@PLACE
def test_every_field_is_set(bench, of, place, version):
    tried = {"tunnel_id"}               # Above.
    for name, has, differs in SETTABLE:
        if not since(version, name):
            continue
        here, there = (spec.fields_of(bytes(f), 1) for f in (has, differs))
        out = with_field(has, name, there[name])
        assert spec.fields_of(out, 1)[name] == there[name]
        match = dict(spec.needed(name, here), eth_src=here["eth_src"])
        if name == "vlan_vid":
            match["vlan_vid"] = here["vlan_vid"]
        try_out(bench, of, place, match, [
            of.parser.OFPActionSetField(
                **spec.texts({name: there[name]})), of.output(HIT)],
            [(has, {HIT: out})], "set " + name)
        tried.add(name)
    assert tried == {name for name, row in spec.FIELDS.items()
                     if row[3] and since(version, name)}


@pytest.mark.parametrize("version", (6,))
@PLACE
def test_every_field_is_set_in_part(bench, of, place, version):
    """1.5: by a mask."""
    for name, has, differs in SETTABLE:
        here, there = (spec.fields_of(bytes(f), 1) for f in (has, differs))
        if not spec.FIELDS[name][2] or name == "vlan_vid":
            continue
        number, mask = there[name], 0x5555555555555555 * ((1 << 64) + 1) \
            & (1 << spec.FIELDS[name][1]) - 1
        match = dict(spec.needed(name, here), eth_src=here["eth_src"])
        out = with_field(has, name, here[name] & ~mask | number & mask)
        try_out(bench, of, place, match, [
            of.parser.OFPActionSetField(
                **spec.texts({name: (number & mask, mask)})),
            of.output(HIT)], [(has, {HIT: out})], "set a part of " + name)


@pytest.mark.parametrize("version", (6,))
@PLACE
def test_every_field_is_copied(bench, of, place, version):
    """1.5: each settable field from its neighbour of the same kind, or from
    itself, by some of its bits."""
    sources = {"eth_dst": "eth_src", "ipv4_dst": "ipv4_src",
               "ipv6_dst": "ipv6_src", "tcp_dst": "tcp_src",
               "udp_dst": "udp_src", "sctp_dst": "sctp_src",
               "arp_tpa": "arp_spa", "arp_tha": "arp_sha"}
    for name, has, _differs in SETTABLE:
        if name == "vlan_vid":
            continue
        here = spec.fields_of(bytes(has), 1)
        bits = spec.FIELDS[name][1]
        source = sources.get(name, name)
        n, src_ofs, dst_ofs = max(1, bits // 2), bits - max(1, bits // 2), 0
        moved = here[source] >> src_ofs & (1 << n) - 1
        number = here[name] & ~((1 << n) - 1 << dst_ofs) | moved << dst_ofs
        match = dict(spec.needed(name, here), eth_src=here["eth_src"])
        try_out(bench, of, place, match, [
            of.parser.OFPActionCopyField(n, src_ofs, dst_ofs,
                                         [source, name]), of.output(HIT)],
            [(has, {HIT: with_field(has, name, number)})], "copy to " + name)


# --- The other actions ----------------------------------------------------

LABELLED = eth(mpls(99, ip(), 5, ttl=20), type=0x8847)
TAGGED = eth(vlan(7, ip(), 6))
CUSTOMER = eth(vlan(9, ip(), 2), src=testbench.C, dst=testbench.A)


def on(kind):
    return {"eth_type": kind}


# name: [(match, (action's class, its arguments)..., frame, what comes out)]
OTHERS = {
    "COPY_TTL_OUT": [(on(0x8847), [("CopyTtlOut",)], LABELLED,
                      eth(mpls(99, ip(), 5, ttl=64), type=0x8847))],
    "COPY_TTL_IN": [(on(0x8847), [("CopyTtlIn",)], LABELLED,
                     eth(mpls(99, ip(ttl=20), 5, ttl=20), type=0x8847))],
    "SET_MPLS_TTL": [(on(0x8847), [("SetMplsTtl", 7)], LABELLED,
                      eth(mpls(99, ip(), 5, ttl=7), type=0x8847))],
    "DEC_MPLS_TTL": [(on(0x8847), [("DecMplsTtl",)], LABELLED,
                      eth(mpls(99, ip(), 5, ttl=19), type=0x8847))],
    "PUSH_VLAN": [({}, [("PushVlan", 0x8100)], V4, eth(vlan(0, ip()))),
                  ({}, [("PushVlan", 0x88a8)], TAGGED,
                   eth(Dot1AD(vlan=7, prio=6) / vlan(7, ip(), 6)))],
    "POP_VLAN": [({"vlan_vid": (0x1000, 0x1000)}, [("PopVlan",)], TAGGED,
                  V4)],
    "PUSH_MPLS": [(on(0x0800), [("PushMpls", 0x8847)], V4,
                   eth(mpls(0, ip(), 0), type=0x8847)),
                  (on(0x8847), [("PushMpls", 0x8847)], LABELLED,
                   eth(mpls(99, mpls(99, ip(), 5, ttl=20), 5, s=0, ttl=20),
                       type=0x8847))],
    "POP_MPLS": [(on(0x8847), [("PopMpls", 0x0800)], LABELLED, V4)],
    # The priority of the VLAN tag, the service of an I-TAG.
    "PUSH_PBB": [({}, [("PushPbb", 0x88e7)], V4, pbb(0, frame=V4)),
                 ({"vlan_vid": (0x1000, 0x1000)}, [("PushPbb", 0x88e7)],
                  TAGGED, pbb(0, bits=6 << 5, frame=TAGGED)),
                 (on(0x88e7), [("PushPbb", 0x88e7)], pbb(5, bits=0xef),
                  pbb(5, frame=pbb(5, bits=0xef))),
                 ({}, [("PushPbb", 0x88e7), ("PushVlan", 0x88a8)], V4,
                  eth(Dot1AD(vlan=0, type=0x88e7) / bytes(pbb(0, frame=V4))[14:]))],
    # Tags of the backbone stay.
    "POP_PBB": [(on(0x88e7), [("PopPbb",)], pbb(frame=CUSTOMER), CUSTOMER),
                (on(0x88e7), [("PopPbb",)],
                 eth(Dot1AD(vlan=5, type=0x88e7)
                     / bytes(pbb(frame=CUSTOMER))[14:]),
                 bytes(CUSTOMER)[:12] + b"\x88\xa8\0\5"
                 + bytes(CUSTOMER)[12:]),
                (on(0x88e7), [("PopVlan",), ("PopPbb",)],
                 eth(Dot1AD(vlan=5, type=0x88e7)
                     / bytes(pbb(frame=CUSTOMER))[14:]), CUSTOMER)],
    "SET_QUEUE": [({}, [("SetQueue", 0)], V4, V4)],
    "SET_NW_TTL": [(on(0x0800), [("SetNwTtl", 9)], V4, eth(ip(ttl=9))),
                   (on(0x86dd), [("SetNwTtl", 9)], V6, eth(ip6(hlim=9)))],
    "DEC_NW_TTL": [(on(0x0800), [("DecNwTtl",)], V4, eth(ip(ttl=63))),
                   (on(0x86dd), [("DecNwTtl",)], V6, eth(ip6(hlim=63)))],
}
# By the tests above, or below.
ELSEWHERE = {"OUTPUT", "GROUP", "METER", "SET_FIELD", "COPY_FIELD"}


def test_no_action_is_forgotten():
    assert set(OTHERS) | ELSEWHERE == set(spec.ACTIONS)


@VERSIONS
@PLACE
def test_every_action(bench, of, place, version):
    for name, cases in OTHERS.items():
        for match, actions, frame, out in cases:
            try_out(bench, of, place, match, [
                getattr(of.parser, "OFPAction" + kind)(*args)
                for kind, *args in actions] + [of.output(HIT)],
                [(frame, {HIT: bytes(out)})], name)


@VERSIONS
@PLACE
def test_every_port_to_output_to(bench, of, place, version):
    v4 = bytes(V4)
    everywhere = {number: v4 for number in testbench.PORT_NUMBERS}
    flooded = {number: v4 for number in everywhere if number != 1}
    for port, expected in ((HIT, {HIT: v4}), (of.ofp.OFPP_IN_PORT, {1: v4}),
                           (of.ofp.OFPP_ALL, flooded),
                           (of.ofp.OFPP_FLOOD, flooded), (1, {}),
                           (of.ofp.OFPP_NORMAL, None)):
        if expected is None:
            # Where the bridge sends it is the bridge's to say; it floods
            # what it does not know.
            bench.lab.weft("fdb", "flush")
            expected = flooded
        try_out(bench, of, place, {"eth_type": 0x0800}, [of.output(port)],
                [(V4, expected)], "output to %#x" % port)


# --- Instructions ---------------------------------------------------------


@VERSIONS
def test_the_action_set_has_an_order(bench, of, version):
    """1.3.5 section 5.10: copy in, pop, push MPLS, push VLAN, copy out,
    decrement, set, queue, group or output; whatever order it was written
    in."""
    a = of.parser
    of.commit(*reset(of), of.flow_mod(
        of.match(eth_type=0x0800), of.write(
            of.output(HIT), a.OFPActionSetQueue(0),
            a.OFPActionSetField(ipv4_dst="1.1.1.1"), a.OFPActionDecNwTtl(),
            a.OFPActionPushVlan(0x8100))))
    judge(bench, V4, {HIT: bytes(eth(vlan(0, ip(dst="1.1.1.1", ttl=63))))})
    # A group takes the output's place.
    of.commit(*reset(of), of.group_mod(1, of.ofp.OFPGT_INDIRECT,
                                       [[of.output(HIT)]]),
              of.flow_mod(of.match(), of.write(
                  of.output(MISS), a.OFPActionGroup(1))))
    judge(bench, V4, {HIT: bytes(V4)})


@VERSIONS
def test_the_action_set_is_cleared_and_overwritten(bench, of, version):
    clear = of.parser.OFPInstructionActions(of.ofp.OFPIT_CLEAR_ACTIONS, [])
    for does, expected in (([clear], {}), ([], {MISS: bytes(V4)}),
                           ([of.write(of.output(HIT))], {HIT: bytes(V4)}),
                           ([clear, of.write(of.output(OLD))],
                            {OLD: bytes(V4)})):
        of.commit(*reset(of), of.flow_mod(
            of.match(), of.write(of.output(MISS)), of.goto(1)),
            of.flow_mod(of.match(), *does, table_id=1))
        judge(bench, V4, expected)


@VERSIONS
def test_instructions_are_carried_out_in_their_order(bench, of, version):
    """Meter, apply, clear, write, metadata, goto (section 5.9)."""
    meter = [of.parser.OFPInstructionMeter(2)] if version < 6 else []
    of.commit(*reset(of), of.meter_mod(2, 1000000), of.flow_mod(
        of.match(eth_type=0x0800),
        of.goto(1), of.parser.OFPInstructionWriteMetadata(5, 7),
        of.write(of.parser.OFPActionDecNwTtl(), of.output(HIT)),
        of.parser.OFPInstructionActions(of.ofp.OFPIT_CLEAR_ACTIONS, []),
        of.apply(of.output(OLD)), *meter),
        of.flow_mod(of.match(metadata=5, eth_type=0x0800),
                    of.apply(of.output(MISS)), table_id=1))
    judge(bench, V4, {OLD: bytes(V4), MISS: bytes(V4),
                      HIT: bytes(eth(ip(ttl=63)))})


@VERSIONS
def test_a_miss_drops(bench, of, version):
    of.commit(*reset(of), of.flow_mod(of.match(), of.write(of.output(HIT)),
                                      of.goto(1)))
    judge(bench, V4, {})
    of.commit(of.flow_mod(of.match(), priority=0, table_id=1))
    judge(bench, V4, {HIT: bytes(V4)})


@VERSIONS
def test_a_meter_drops_what_is_too_much(bench, of, version):
    meter = ([of.parser.OFPInstructionMeter(1), of.apply(of.output(HIT))]
             if version < 6 else
             [of.apply(of.parser.OFPActionMeter(1), of.output(HIT))])
    of.commit(*reset(of), of.parser.OFPMeterMod(
        of.desc, of.ofp.OFPMC_ADD,
        of.ofp.OFPMF_PKTPS | of.ofp.OFPMF_BURST, 1,
        [of.parser.OFPMeterBandDrop(1, 5)]),
        of.flow_mod(of.match(eth_type=0x0800), *meter))
    n = len(bench.send(*[V4] * 40)[HIT])
    assert 5 <= n <= 10
