"""What Nicira's messages set for a connection, byte by byte."""

import struct

import pytest

import peer as of
from conftest import Switch
from peer import Peer
from scapy.layers.l2 import Ether

VERSIONS = pytest.mark.parametrize("version", (1, 4, 5, 6))
EXPERIMENTER, SET_CONFIG, PACKET_IN, FLOW_REMOVED = 4, 9, 10, 11
FLOW_MOD = 14
NICIRA = 0x2320
FLOW_REMOVED_NXM, SET_FLOW_FORMAT, TABLE_ID, SET_ASYNC, CONTROLLER_ID, \
    SET_ASYNC2 = 14, 12, 15, 19, 20, 27
ANY = 0xffffffff


def nicira(peer, kind, body):
    peer.send(EXPERIMENTER, struct.pack("!II", NICIRA, kind) + body)


def listening(peer, version):
    peer.hello(version)
    peer.send(SET_CONFIG, struct.pack("!HH", 0, 128))
    barrier(peer)
    return peer


def barrier(peer):
    """What is told before its answer."""
    xid = peer.send(18 if peer.version == 1 else of.BARRIER_REQUEST)
    out = []
    while True:
        said = peer.receive()
        if said.xid == xid:
            return out
        out.append(said)


def flow_mod10(command=0, priority=5, flags=0):
    """1.0's, of everything."""
    return struct.pack("!I36xQHHHHIHH", 0x3820ff, 0, command, 0, 0, priority,
                       ANY, 0xffff, flags)


def test_a_flow_mod_of_1_0_names_its_table(lab, switch):
    def tables():
        return sorted((f["table"], f["priority"])
                      for f in lab.weft("flow", "list")["flows"])

    with Peer(switch.mgmt) as peer:
        peer.hello(1)
        peer.send(FLOW_MOD, flow_mod10(priority=1))
        assert peer.error(FLOW_MOD, flow_mod10(0x0300)) == (3, 4)
        nicira(peer, TABLE_ID, b"\x01" + bytes(7))
        peer.send(FLOW_MOD, flow_mod10(0x0300, 2))
        barrier(peer)
        assert tables() == [(0, 1), (3, 2)]
        peer.send(FLOW_MOD, flow_mod10(0x0303))         # Delete in table 3.
        barrier(peer)
        assert tables() == [(0, 1)]
        peer.send(FLOW_MOD, flow_mod10(0x0100, 3))
        peer.send(FLOW_MOD, flow_mod10(0xff03))         # And in all.
        barrier(peer)
        assert tables() == []


def test_the_form_of_flow_removed_follows_the_flow_format(switch):
    with Peer(switch.mgmt) as peer:
        listening(peer, 1)
        for form, kind in ((0, FLOW_REMOVED), (2, EXPERIMENTER),
                           (0, FLOW_REMOVED)):
            nicira(peer, SET_FLOW_FORMAT, struct.pack("!I", form))
            peer.send(FLOW_MOD, flow_mod10(flags=1))
            peer.send(FLOW_MOD, flow_mod10(3))
            [said] = barrier(peer)
            assert said.type == kind
            if kind == EXPERIMENTER:
                assert struct.unpack_from("!II", said.body) == (
                    NICIRA, FLOW_REMOVED_NXM)
        assert peer.error(EXPERIMENTER, struct.pack(
            "!III", NICIRA, SET_FLOW_FORMAT, 7)) == (1, 5)


@VERSIONS
@pytest.mark.parametrize("kind", (SET_ASYNC, SET_ASYNC2))
def test_what_is_told_is_chosen(switch, ofctl, version, kind):
    def add_and_delete():
        ofctl("OpenFlow13", "add-flow", "send_flow_rem,actions=drop")
        ofctl("OpenFlow13", "del-flows")
        return [m.type for m in barrier(peer)]

    def choose(flow_removed):
        if kind == SET_ASYNC:
            nicira(peer, kind, struct.pack("!IIIIII", 0, 0, 0, 0,
                                           flow_removed, 0))
        else:
            nicira(peer, kind, struct.pack("!HHI", 5, 8, flow_removed))
        barrier(peer)

    with Peer(switch.mgmt) as peer:
        listening(peer, version)
        assert add_and_delete() == [FLOW_REMOVED]
        choose(3)                       # Time-outs only.
        assert add_and_delete() == []
        choose(7)
        assert add_and_delete() == [FLOW_REMOVED]


@VERSIONS
def test_packets_go_to_the_controller_that_is_named(lab, switch, ofctl,
                                                    version):
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02",
                  type=0x88b5) / bytes(50)
    with Peer(switch.mgmt) as nobody, Peer(switch.mgmt) as named:
        listening(nobody, version)
        listening(named, version)
        nicira(named, CONTROLLER_ID, struct.pack("!6xH", 9))
        barrier(named)
        ofctl("OpenFlow13", "add-flow",
              "dl_type=0x88b5,actions=controller(id=9)")
        lab.host.nic("of1").send(frame)
        while True:
            said = named.receive()
            if said.type == PACKET_IN and bytes(frame) in said.body:
                break
        assert PACKET_IN not in [m.type for m in barrier(nobody)]


def test_unknown_settings_are_refused(switch):
    with Peer(switch.mgmt) as peer:
        peer.hello(4)

        def code(kind, body):
            return peer.error(EXPERIMENTER, struct.pack("!II", NICIRA, kind)
                              + body)

        assert code(16, struct.pack("!I", 9)) == (1, 5)
        assert code(CONTROLLER_ID, bytes(7)) == (1, 6)
        assert code(SET_ASYNC, bytes(20)) == (1, 6)
        assert code(TABLE_ID, bytes(4)) == (1, 6)
