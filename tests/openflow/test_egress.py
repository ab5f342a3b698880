"""Egress tables (OpenFlow 1.5.1 section 5.1): real packets, expected as the
specification says.

    of1 | of2 | of3      three taps on br0, which starts empty
"""

import shutil
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from conftest import Switch
from netns import eventually
from peer import Peer
from test_packets import Monitor
from test_tables import (FIRST_EGRESS, MULTIPART_REPLY, MULTIPART_REQUEST,
                         TABLE_FEATURES, features)

INGRESS, EGRESS = 1, 2
FIRST = 100
OF15 = "OpenFlow15"
FRAME = (Ether(src="02:00:00:00:00:21", dst="02:00:00:00:00:22")
         / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=7, dport=8)
         / b"on its way out")
MARK = FRAME / b", later"


def vlan(vid, frame=FRAME):
    return (Ether(src=frame.src, dst=frame.dst) / Dot1Q(vlan=vid)
            / frame[IP])


@pytest.fixture
def switch(lab):
    if not shutil.which("ovs-ofctl"):
        pytest.skip("ovs-ofctl is missing (Debian openvswitch-switch)")
    return Switch(lab, ports=("1=tap:of1", "2=tap:of2", "3=tap:of3"))


@pytest.fixture
def nics(lab, switch):
    return [lab.host.nic("of%d" % n) for n in (1, 2, 3)]


def set_tables(switch, *tables):
    """None, or (type, code) of the refusal."""
    with Peer(switch.mgmt) as peer:
        peer.hello(6)
        said = peer.ask(MULTIPART_REQUEST, TABLE_FEATURES + b"".join(tables))
        return None if said.type == MULTIPART_REPLY \
            else struct.unpack_from("!HH", said.body)


def first(table=FIRST):
    return features(table, 1000, kind=INGRESS | EGRESS | FIRST_EGRESS)


def flows(switch, text, version=OF15):
    switch.ofctl(version, "add-flows", "-", stdin=text)


def shown(switch):
    """{table: its features' flags} of a reply."""
    with Peer(switch.mgmt) as peer:
        peer.hello(6)
        body, result, more = b"", {}, True
        said = peer.ask(MULTIPART_REQUEST, TABLE_FEATURES)
        while more:
            more = struct.unpack_from("!H", said.body, 2)[0] & 1
            body += said.body[8:]
            said = peer.receive() if more else None
    while body:
        length, table, _, flags = struct.unpack_from("!HBBI", body)
        result[table] = flags
        body = body[length:]
    return result


def test_features_tell_of_them(lab, switch):
    assert set(shown(switch).values()) == {INGRESS, INGRESS | EGRESS}
    assert set_tables(switch, first()) is None
    said = shown(switch)
    assert said[0] == INGRESS
    assert said[FIRST] == INGRESS | EGRESS | FIRST_EGRESS
    assert sum(1 for flags in said.values() if flags & FIRST_EGRESS) == 1
    assert lab.weft("switch", "show")["first_egress_table"] == FIRST
    text = switch.ofctl(OF15, "dump-table-features")
    before, at = text.split("table 100:")
    before, last = before.split("table 99:")
    assert "next tables: 1-99\n" in before
    assert "write_metadata\n" in last                   # and no goto_table
    assert "next tables: 101-254\n" in at
    assert "actions: output group set_field" in before
    assert "Write-Actions features:\n        actions: set_field" in at
    assert "Apply-Actions features:\n        actions: output group" in at
    # Another one instead; then none.
    assert set_tables(switch, first(50)) is None
    assert [t for t, flags in shown(switch).items()
            if flags & FIRST_EGRESS] == [50]
    assert set_tables(switch, features(50, 1000)) is None
    assert not any(flags & FIRST_EGRESS for flags in shown(switch).values())
    assert lab.weft("switch", "show")["first_egress_table"] is None


def test_requests_that_contradict_themselves(switch):
    """OFPTFFC_BAD_FEATURES; and nothing of them is done."""
    assert set_tables(switch, first(5), first(6)) == (13, 8)
    assert set_tables(switch, first(5),
                      features(6, 1000, kind=INGRESS)) == (13, 8)
    assert set_tables(switch, first(5),
                      features(4, 1000, kind=EGRESS)) == (13, 8)
    assert set_tables(switch, first(5), features(7, 0)) == (13, 7)
    assert not any(flags & FIRST_EGRESS for flags in shown(switch).values())
    assert set_tables(switch, first(5), features(6, 1000, kind=EGRESS),
                      features(4, 1000, kind=INGRESS)) is None


def test_entries_and_the_border_agree(switch):
    def add(flow, **kwargs):
        return switch.ofctl(OF15, "add-flow", flow, **kwargs)

    add("table=3,actions=goto_table:100")
    assert set_tables(switch, first()) == (13, 5)       # EPERM
    assert set_tables(switch, first(3)) is None         # beyond it now
    assert set_tables(switch, features(3, 1000)) is None
    add("table=3,actions=drop")
    add("table=100,actions=write_actions(output:1)")
    assert set_tables(switch, first()) == (13, 5)
    add("table=100,actions=output:1")
    assert set_tables(switch, first()) is None
    assert "BAD_TABLE_ID" in add("table=3,actions=goto_table:100", status=1)
    assert "BAD_TABLE_ID" in switch.ofctl(
        OF15, "mod-flows", "table=3,actions=goto_table:254", status=1)
    add("table=3,actions=goto_table:99")
    add("table=100,actions=goto_table:254")
    for bad in ("output:2", "controller", "group:1"):
        if bad == "group:1":
            switch.ofctl(OF15, "add-group", "group_id=1,type=all")
        assert "OFPBAC_BAD_TYPE" in add(
            "table=100,actions=write_actions(%s)" % bad, status=1)
    # Of a bundle with such an entry nothing is done.
    switch.ofctl(OF15, "add-flows", "--bundle", "-", status=1,
                 stdin="table=3,priority=7,actions=drop\n"
                       "table=3,priority=8,actions=goto_table:100\n")
    assert "priority=7" not in switch.ofctl(OF15, "dump-flows")


def test_packets_are_matched_by_their_port(switch, nics):
    """Per port: a field set, a tag pushed, a drop; and what misses."""
    of1, of2, of3 = nics
    assert set_tables(switch, first()) is None
    flows(switch, """
        in_port=1,udp,udp_dst=8,actions=output:2,output:3,IN_PORT
        table=100,priority=2,actset_output=2,udp,actions=set_field:99->udp_src
        table=100,priority=2,actset_output=3,actions=push_vlan:0x8100,set_field:4101->vlan_vid
        """)
    of1.send(FRAME)
    changed = FRAME.copy()
    changed[UDP].sport = 99
    del changed[UDP].chksum
    of2.expect(changed)
    of3.expect(vlan(5))
    # To port 1 it missed; an entry without instructions lets it pass.
    flows(switch, "table=100,priority=0,actions=")
    of1.send(MARK)
    of1.absent(FRAME, behind=MARK)
    # clear_actions takes the output away.
    flows(switch, "table=100,priority=5,actset_output=3,actions=clear_actions")
    of1.send(FRAME)
    of1.send(MARK)
    of3.drain()
    of2.expect(changed)
    of2.drain()
    of1.send(FRAME)
    of1.expect(FRAME)
    text = switch.lab.trace("of1", "udp,udp_dst=8")
    assert "egress processing for port of3 (3)" in text
    assert "egress table 100: priority 5 actset_output=3" in text
    assert "clear_actions" in text
    assert set_tables(switch, features(FIRST, 1000)) is None
    of1.send(FRAME)
    of3.expect(FRAME)


def test_what_is_seen_on_the_way(switch, nics):
    """in_port, metadata and registers stay; the table after the first; what one
    port's entries do is not seen by the next."""
    of1, of2, of3 = nics
    assert set_tables(switch, first()) is None
    flows(switch, """
        in_port=1,actions=set_field:7->reg1,write_metadata:5,goto_table:1
        table=1,actions=output:2,output:3
        table=100,in_port=1,metadata=5,reg1=7,actions=set_field:8->reg1,set_field:02:00:00:00:00:77->eth_dst,write_actions(set_field:02:00:00:00:00:78->eth_src),goto_table:200
        table=200,reg1=8,actset_output=2,actions=set_field:9->reg1,goto_table:201
        table=200,reg1=8,actset_output=3,actions=
        table=201,reg1=9,eth_src=02:00:00:00:00:21,actions=
        """)
    of1.send(FRAME)
    gone = FRAME.copy()
    gone.src, gone.dst = "02:00:00:00:00:78", "02:00:00:00:00:77"
    of2.expect(gone)
    of3.expect(gone)


@pytest.mark.parametrize("output", ("FLOOD", "ALL", "NORMAL", "group:1",
                                    "write_actions(group:1)",
                                    "write_actions(output:3),output:2",
                                    "resubmit(,7)"))
def test_every_way_out_goes_through_them(switch, nics, output):
    of1, of2, of3 = nics
    assert set_tables(switch, first()) is None
    switch.ofctl(OF15, "add-group", "group_id=1,type=all,"
                 "bucket=bucket_id=0,actions=output:2,"
                 "bucket=bucket_id=1,actions=output:3")
    if "write" in output and output.endswith("output:2"):
        output = "output:2,write_actions(output:3)"
    flows(switch, """
        in_port=1,actions=%s
        table=7,actions=bundle(eth_src,0,active_backup,ofport,members:2),load:3->NXM_NX_REG0[],output:NXM_NX_REG0[]
        table=100,actset_output=2,actions=push_vlan:0x8100,set_field:4098->vlan_vid
        table=100,actset_output=3,actions=push_vlan:0x8100,set_field:4099->vlan_vid
        """ % output)
    of1.send(FRAME)
    of2.expect(vlan(2))
    of3.expect(vlan(3))


def test_packet_outs_go_through_them(switch, nics):
    assert set_tables(switch, first()) is None
    flows(switch, "table=100,actset_output=2,actions=push_vlan:0x8100,"
                  "set_field:4098->vlan_vid")
    switch.ofctl(OF15, "packet-out", "in_port=CONTROLLER,packet=%s,"
                 "actions=output:2" % bytes(FRAME).hex())
    nics[1].expect(vlan(2))


def test_mirrors(switch, nics):
    """Outputs in egress tables start egress processing for their port, and come
    to an end though both mirror to each other."""
    of1, of2, of3 = nics
    assert set_tables(switch, first()) is None
    flows(switch, """
        in_port=1,actions=output:2
        table=100,actset_output=2,actions=output:3
        table=100,actset_output=3,actions=output:2,push_vlan:0x8100,set_field:4099->vlan_vid
        """)
    of1.send(FRAME)
    of3.expect(vlan(3))
    of2.expect(FRAME)
    of2.expect(FRAME)
    # To itself: done at once.
    flows(switch, "table=100,actset_output=2,actions=output:2,"
                  "push_vlan:0x8100,set_field:4098->vlan_vid")
    of1.send(MARK)
    of2.expect(MARK)
    of2.expect(vlan(2, MARK))


def test_packet_ins_from_there(lab, switch, nics):
    assert set_tables(switch, first()) is None
    flows(switch, """
        in_port=1,udp,actions=set_field:7->reg1,output:2
        table=100,actset_output=2,cookie=0x77,actions=controller
        """)
    with Monitor(lab, switch, OF15, "65534") as monitor:
        monitor.sees(FRAME, "table_id=100", "cookie=0x77", "in_port=1",
                     "reg1=0x7")
        # Packets for the controller themselves have no port.
        flows(switch, "in_port=1,udp,cookie=0x78,actions=controller")
        monitor.sees(FRAME, "cookie=0x78")


def test_what_misses_is_dropped(lab, switch, nics):
    assert set_tables(switch, first()) is None
    flows(switch, "in_port=1,udp,actions=output:3")
    nics[0].send(FRAME)
    eventually(lambda: lab.drops("table-miss"), "the drop is counted")
    text = lab.trace("of1", "udp")
    assert "egress table 100: no entry matches" in text
    assert "dropped (table-miss)" in text


def test_headers_below_labels(switch, nics):
    """What the key does not show is parsed in another pass, which goes on in
    the egress tables and with their action set."""
    of1, of2, of3 = nics
    assert set_tables(switch, first()) is None
    flows(switch, """
        in_port=1,udp,actions=push_mpls:0x8847,output:2
        in_port=2,mpls,actions=pop_mpls:0x0800,output:3,output:1
        table=100,priority=1,actset_output=2,actions=
        table=100,udp,udp_dst=8,actset_output=3,actions=push_vlan:0x8100,set_field:4099->vlan_vid
        table=100,udp,udp_dst=8,actset_output=1,actions=write_actions(set_field:02:00:00:00:00:99->eth_dst),goto_table:101
        table=101,actions=
        """)
    of1.send(FRAME)
    of2.send(of2.expect(lambda f: f.type == 0x8847))
    of3.expect(vlan(3))
    changed = FRAME.copy()
    changed.dst = "02:00:00:00:00:99"
    of1.expect(changed)


def test_the_border_moves_between_two_packets(switch, nics):
    """Established traffic too: after the reply nothing goes the old way."""
    of1, of2, of3 = nics
    flows(switch, """
        in_port=1,actions=output:2
        table=100,actset_output=2,actions=push_vlan:0x8100,set_field:4098->vlan_vid
        """)
    for _ in range(10):
        of1.send(FRAME)
        of2.expect(FRAME)
        assert set_tables(switch, first()) is None
        of1.send(FRAME)
        of2.expect(vlan(2))
        assert set_tables(switch, features(FIRST, 1000)) is None
