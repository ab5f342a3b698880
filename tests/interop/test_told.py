"""What a switch says unasked, and what it counts, in four versions at once.

    of1 | of2      two taps on br0; a session in each version listens

Every session is told of everything, each in its version's words."""

import contextlib

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from controller import OF_NAMES
from osken import Session

VERSIONS = tuple(OF_NAMES)
IDLE, HARD, DELETE, GROUP_DELETE = range(4)
TABLE_MISS, ACTION, INVALID_TTL, ACTION_SET, GROUP, PACKET_OUT = range(6)
ADDED, DELETED, MODIFIED = range(3)
LINK_DOWN, PORT_DOWN = 1, 1
NO_COOKIE = 2 ** 64 - 1


class Told:
    """Sessions in all versions, who want to know."""

    def __init__(self, stack, where):
        self.of = {version: stack.enter_context(Session(where, version))
                   for version in VERSIONS}
        for of in self.of.values():
            of.tell(of.parser.OFPSetConfig(of.desc, 0, 0xffff))
            of.commit()

    def each(self, name, count=1):
        """{version: the next messages of that name}"""
        return {version: [of.await_type(getattr(of.ofp, "OFPT_" + name))
                          for _ in range(count)]
                for version, of in self.of.items()}

    def silent(self):
        """Nobody was told anything."""
        for of in self.of.values():
            of.tell(of.parser.OFPBarrierRequest(of.desc))
            said = of.next()
            assert said.msg_type == of.ofp.OFPT_BARRIER_REPLY, said


@pytest.fixture
def told(switch):
    with contextlib.ExitStack() as stack:
        yield Told(stack, switch.mgmt)


def frame(ttl=64, size=100):
    packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") \
        / IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl) / UDP(sport=7, dport=8)
    return bytes(packet / bytes(size - len(packet)))


# --- Flow-removed ---------------------------------------------------------


def removed(version, msg):
    """What of a flow-removed all versions can say, the same for all."""
    counted = msg.stats if version == 6 else {
        "packet_count": msg.packet_count, "byte_count": msg.byte_count,
        "duration": (msg.duration_sec, msg.duration_nsec)}
    return {"cookie": msg.cookie, "priority": msg.priority,
            "reason": msg.reason, "idle": msg.idle_timeout,
            "packets": counted["packet_count"],
            "bytes": counted["byte_count"],
            "duration": counted["duration"][0]
            + counted["duration"][1] / 1e9}


def test_entries_that_time_out_are_told(lab, told):
    of = told.of[4]
    tell = of.ofp.OFPFF_SEND_FLOW_REM
    a, b = lab.host.nic("of1"), lab.host.nic("of2")
    of.commit(
        of.flow_mod(of.match(in_port=1), of.apply(of.output(2)), cookie=1,
                    priority=101, idle_timeout=1, flags=tell),
        of.flow_mod(of.match(in_port=2), cookie=2, priority=102,
                    hard_timeout=1, flags=tell),
        of.flow_mod(of.match(in_port=3), cookie=3, hard_timeout=1))
    for _ in range(3):
        a.send(frame(size=200))
        b.expect(frame(size=200))
    for version, messages in told.each("FLOW_REMOVED", 2).items():
        by = {row["cookie"]: row for row in
              (removed(version, msg) for msg in messages)}
        assert by[1]["reason"] == IDLE and by[2]["reason"] == HARD, version
        assert (by[1]["packets"], by[1]["bytes"]) == (3, 600)
        assert (by[2]["packets"], by[2]["bytes"]) == (0, 0)
        assert (by[1]["priority"], by[1]["idle"]) == (101, 1)
        assert (by[2]["priority"], by[2]["idle"]) == (102, 0)
        assert 1 <= by[1]["duration"] < 10 and 1 <= by[2]["duration"] < 10
    # The third did not ask to be told of.
    told.silent()


def test_entries_that_are_deleted_are_told(told):
    of = told.of[6]
    tell = of.ofp.OFPFF_SEND_FLOW_REM
    of.commit(of.group_mod(1, of.ofp.OFPGT_INDIRECT, [[of.output(2)]]),
              of.flow_mod(of.match(in_port=12), cookie=12, flags=tell),
              of.flow_mod(of.match(in_port=13), cookie=13),
              of.flow_mod(of.match(in_port=14), of.apply(
                  of.parser.OFPActionGroup(1)), cookie=14, flags=tell))
    of.tell(of.flow_mod(of.match(in_port=13), command=of.ofp.OFPFC_DELETE),
            of.flow_mod(of.match(in_port=12), command=of.ofp.OFPFC_DELETE),
            of.parser.OFPGroupMod(
                of.desc, of.ofp.OFPGC_DELETE, of.ofp.OFPGT_ALL, 1,
                **of.no_buckets()))
    for version, messages in told.each("FLOW_REMOVED", 2).items():
        rows = [removed(version, msg) for msg in messages]
        assert [row["cookie"] for row in rows] == [12, 14]
        assert rows[0]["reason"] == DELETE
        # 1.0 knows no groups.
        assert rows[1]["reason"] == (DELETE if version == 1
                                     else GROUP_DELETE)
    told.silent()


# --- Packet-ins -----------------------------------------------------------


def packet_in(version, msg):
    row = {"reason": msg.reason, "len": msg.total_len,
           "data": bytes(msg.data),
           "in_port": msg.in_port if version == 1 else msg.match["in_port"]}
    if version > 1:
        row.update(table=msg.table_id, cookie=msg.cookie,
                   metadata=msg.match.get("metadata"))
    return row


def check_packet_ins(told, reason, data, **fields):
    for version, (msg,) in told.each("PACKET_IN").items():
        row = packet_in(version, msg)
        # Earlier versions know what 1.4 tells apart as actions.
        want = dict(fields, in_port=1, data=data, reason=ACTION
                    if version < 5 and reason > INVALID_TTL else reason)
        for name, value in want.items():
            assert version == 1 and name not in row or row[name] == value, \
                (version, name, row)


def test_packets_say_why_they_come(lab, told):
    of = told.of[6]
    controller = of.output(of.ofp.OFPP_CONTROLLER)
    nic = lab.host.nic("of1")
    whole = frame()
    for reason, mods in (
            (ACTION, [of.flow_mod(of.match(in_port=1), of.apply(controller),
                                  cookie=0x77)]),
            (ACTION_SET, [of.flow_mod(of.match(in_port=1),
                                      of.write(controller), cookie=0x77)]),
            (GROUP, [of.group_mod(1, of.ofp.OFPGT_INDIRECT, [[controller]]),
                     of.flow_mod(of.match(in_port=1), of.apply(
                         of.parser.OFPActionGroup(1)), cookie=0x77)]),
            # The entry of the lowest priority that matches everything.
            (TABLE_MISS, [of.flow_mod(of.match(), of.apply(controller),
                                      priority=0, cookie=0x77)])):
        of.commit(*of.delete_all(), *mods)
        nic.send(whole)
        check_packet_ins(told, reason, whole, len=100, table=0, cookie=0x77)
    of.commit(*of.delete_all())
    of.tell(of.parser.OFPPacketOut(
        of.desc, of.ofp.OFP_NO_BUFFER, match=of.match(in_port=1),
        actions=[controller], data=whole))
    check_packet_ins(told, PACKET_OUT, whole, len=100)


def test_packets_bring_where_they_were(lab, told):
    """The table, the metadata, and as many bytes as were asked for."""
    of = told.of[4]
    of.commit(of.flow_mod(of.match(in_port=1),
                          of.parser.OFPInstructionWriteMetadata(0x1234,
                                                                0xffff),
                          of.goto(7)),
              of.flow_mod(of.match(), of.apply(of.output(
                  of.ofp.OFPP_CONTROLLER, 60)), cookie=5, table_id=7,
                  priority=1))
    lab.host.nic("of1").send(frame())
    check_packet_ins(told, ACTION, frame()[:60], len=100, table=7, cookie=5,
                     metadata=0x1234)


def test_packets_that_miss_are_told_to_1_0_only(lab, told):
    nic = lab.host.nic("of1")
    nic.send(frame())
    row = packet_in(1, told.of[1].await_type(10))
    assert row == {"reason": TABLE_MISS, "len": 100, "data": frame(),
                   "in_port": 1}
    told.silent()
    # And a port that is set so keeps them to itself.
    of = told.of[4]
    mac = of_port(of, 1).hw_addr
    of.tell(of.parser.OFPPortMod(of.desc, 1, mac,
                                 of.ofp.OFPPC_NO_PACKET_IN,
                                 of.ofp.OFPPC_NO_PACKET_IN, 0))
    told.each("PORT_STATUS")
    of.commit()
    nic.send(frame())
    of.commit(of.flow_mod(of.match(in_port=1), of.apply(of.output(
        of.ofp.OFPP_CONTROLLER)), cookie=9, priority=9))
    nic.send(frame())
    check_packet_ins(told, ACTION, frame(), cookie=9)


def test_packets_whose_ttl_ends_are_told_to_who_asks(lab, told):
    of = told.of[4]
    of.commit(of.flow_mod(of.match(eth_type=0x0800), of.apply(
        of.parser.OFPActionDecNwTtl(), of.output(2)), cookie=3))
    nic, behind = lab.host.nic("of1"), lab.host.nic("of2")
    nic.send(frame(ttl=1))
    # Before anybody asked: behind it comes one that lives.
    nic.send(frame(ttl=2))
    behind.expect(frame(ttl=1))
    told.silent()
    of.commit(of.parser.OFPSetAsync(of.desc, [7, 0], [7, 0], [15, 0]))
    nic.send(frame(ttl=1))
    row = packet_in(4, of.await_type(of.ofp.OFPT_PACKET_IN))
    assert row["reason"] == INVALID_TTL and row["data"] == frame(ttl=1)
    assert row["cookie"] == 3 and row["in_port"] == 1
    told.silent()


# --- Ports ----------------------------------------------------------------


def of_port(of, number):
    """PORT_DESC's entry."""
    of.tell(of.parser.OFPPortDescStatsRequest(of.desc, 0))
    said = of.await_type(of.ofp.OFPT_MULTIPART_REPLY)
    return next(port for port in said.body if port.port_no == number)


def check_port_status(told, reason, number, **fields):
    for version, (msg,) in told.each("PORT_STATUS").items():
        assert (msg.reason, msg.desc.port_no) == (reason, number), version
        for name, (value, mask) in fields.items():
            assert getattr(msg.desc, name) & mask == value, (version, name)


def test_ports_that_change_are_told(lab, told):
    lab.host.run("ip", "link", "set", "of2", "down")
    check_port_status(told, MODIFIED, 2, state=(LINK_DOWN, LINK_DOWN))
    lab.host.run("ip", "link", "set", "of2", "up")
    check_port_status(told, MODIFIED, 2, state=(0, LINK_DOWN))
    lab.weft("port", "add", "9=tap:of9")
    check_port_status(told, ADDED, 9, state=(0, LINK_DOWN))
    lab.weft("port", "set", "of9", "admin=down")
    check_port_status(told, MODIFIED, 9, config=(PORT_DOWN, PORT_DOWN))
    lab.weft("port", "delete", "of9")
    check_port_status(told, DELETED, 9)
    of = told.of[6]
    of.tell(of.parser.OFPPortMod(of.desc, 1, of_port(of, 1).hw_addr,
                                 PORT_DOWN, PORT_DOWN, []))
    check_port_status(told, MODIFIED, 1, config=(PORT_DOWN, PORT_DOWN))
    told.silent()


def test_fast_failover_follows_the_link(lab, told):
    of, nic = told.of[4], lab.host.nic("of1")
    lab.weft("port", "add", "3=tap:of3")
    check_port_status(told, ADDED, 3)
    bucket = of.parser.OFPBucket
    of.commit(of.parser.OFPGroupMod(
        of.desc, of.ofp.OFPGC_ADD, of.ofp.OFPGT_FF, 1,
        [bucket(0, n, of.ofp.OFPG_ANY, [of.output(n)]) for n in (2, 3)]),
        of.flow_mod(of.match(in_port=1),
                    of.apply(of.parser.OFPActionGroup(1))))
    second, third = lab.host.nic("of2"), lab.host.nic("of3")
    nic.send(frame())
    second.expect(frame())
    lab.host.run("ip", "link", "set", "of2", "down")
    check_port_status(told, MODIFIED, 2, state=(LINK_DOWN, LINK_DOWN))
    nic.send(frame(size=101))
    third.expect(frame(size=101))
    lab.host.run("ip", "link", "set", "of2", "up")
    check_port_status(told, MODIFIED, 2, state=(0, LINK_DOWN))
    second = lab.host.nic("of2")        # The other one's socket went down.
    nic.send(frame(size=102))
    second.expect(frame(size=102))


# --- Statistics -----------------------------------------------------------


def ask(of, request):
    of.tell(request)
    return of.await_type(of.ofp.OFPT_MULTIPART_REPLY).body


@pytest.mark.parametrize("version", (4, 5))
def test_groups_and_meters_are_counted(lab, told, version):
    of, p = told.of[version], told.of[version].parser
    of.commit(of.group_mod(1, of.ofp.OFPGT_ALL,
                           [[of.output(2)], [of.output(2)]]),
              p.OFPMeterMod(of.desc, of.ofp.OFPMC_ADD,
                            of.ofp.OFPMF_PKTPS | of.ofp.OFPMF_STATS, 5,
                            [p.OFPMeterBandDrop(1000000, 0)]),
              of.flow_mod(of.match(in_port=1), p.OFPInstructionMeter(5),
                          of.apply(p.OFPActionGroup(1))))
    a, b = lab.host.nic("of1"), lab.host.nic("of2")
    for _ in range(10):
        a.send(frame(size=150))
    for _ in range(20):
        b.expect(frame(size=150))
    group, = ask(of, p.OFPGroupStatsRequest(of.desc, 0, 1))
    assert (group.packet_count, group.byte_count, group.ref_count) \
        == (10, 1500, 1)
    assert [(s.packet_count, s.byte_count) for s in group.bucket_stats] \
        == [(10, 1500)] * 2
    meter, = ask(of, p.OFPMeterStatsRequest(of.desc, 0, 5))
    assert (meter.packet_in_count, meter.byte_in_count, meter.flow_count) \
        == (10, 1500, 1)
    assert [(s.packet_band_count, s.byte_band_count)
            for s in meter.band_stats] == [(0, 0)]
    flow, = ask(of, p.OFPFlowStatsRequest(of.desc))
    assert (flow.packet_count, flow.byte_count) == (10, 1500)
    described, = ask(of, p.OFPGroupDescStatsRequest(of.desc, 0))
    assert described.group_id == 1 and len(described.buckets) == 2
    config, = ask(of, p.OFPMeterConfigStatsRequest(of.desc, 0, 5))
    assert config.bands[0].rate == 1000000
