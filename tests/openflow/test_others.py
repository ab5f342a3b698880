"""What controllers hear of each other, and what only 1.5 asks."""

import os
import socket
import struct

import pytest

import peer as of
from conftest import Switch
from peer import Peer

MULTIPART_REQUEST, MULTIPART_REPLY = 18, 19
SET_CONFIG, GROUP_MOD, SET_ASYNC, METER_MOD, REQUESTFORWARD = 9, 15, 28, 29, 32
CONTROLLER_STATUS = 35
FORWARD, STATUS = 11, 15                # Properties of a set-async.


def listen(peer, prop, mask):
    peer.send(SET_CONFIG, struct.pack("!HH", 0, 128))
    peer.send(SET_ASYNC, struct.pack("!HHI", prop, 8, mask))
    peer.barrier()


@pytest.mark.parametrize("version", (5, 6))
def test_others_hear_of_groups_and_meters(switch, ofctl, version):
    with Peer(switch.mgmt) as hears:
        hears.hello(version)
        listen(hears, FORWARD, 3)
        ofctl("OpenFlow13", "add-group", "group_id=7,type=all,bucket=output:2")
        said = hears.receive()
        assert said.type == REQUESTFORWARD
        # The request itself, in the version of who hears it.
        inner_version, inner, length = struct.unpack_from("!BBH", said.body)
        assert (inner_version, inner) == (version, GROUP_MOD)
        assert length == len(said.body)
        assert struct.unpack_from("!HBxI", said.body, 8) == (0, 0, 7)
        ofctl("OpenFlow10", "mod-group", "group_id=7,type=all,bucket=output:1")
        assert struct.unpack_from("!H", hears.receive().body, 8) == (1,)
        ofctl("OpenFlow15", "add-meter",
              "meter=3,kbps,bands=type=drop,rate=9")
        said = hears.receive()
        assert said.type == REQUESTFORWARD and said.body[1] == METER_MOD
        # In a bundle: when it is done, and not when it is not.
        ofctl("OpenFlow14", "bundle", "-", status=1,
              stdin="group add group_id=8,type=all,bucket=output:1\n"
                    "flow add actions=group:99\n")
        ofctl("OpenFlow14", "bundle", "-",
              stdin="group add group_id=9,type=all,bucket=output:1\n")
        said = hears.receive()
        assert struct.unpack_from("!HBxI", said.body, 8) == (0, 0, 9)
        # What failed, and its own, it does not hear of.
        ofctl("OpenFlow13", "add-group", "group_id=7,type=all", status=1)
        hears.send(GROUP_MOD, struct.pack("!HBxI", 2, 0, 7) + (
            b"" if version == 5 else bytes(4) + b"\xff" * 4))
        hears.send(of.BARRIER_REQUEST)
        assert hears.receive().type == of.BARRIER_REPLY


def multipart(peer, kind, body=b""):
    said = peer.ask(MULTIPART_REQUEST, struct.pack("!HHxxxx", kind, 0) + body)
    assert said.type == MULTIPART_REPLY
    assert struct.unpack_from("!H", said.body)[0] == kind
    return said.body[8:]


def status(data):
    """(short id, role, reason, down, uri) of a controller."""
    length, short, role, reason, down = struct.unpack_from("!HHIBB", data)
    kind, size = struct.unpack_from("!HH", data, 16)
    assert kind == 0
    return short, role, reason, down, data[20:16 + size].decode()


def test_who_controls_the_switch(lab):
    path = os.path.join(lab.dir, "controller")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(20)
    switch = Switch(lab, "--controller", "unix:" + path)
    uri = "unix:" + path
    with Peer(switch.mgmt) as asks:
        asks.hello(6)
        with Peer(listener.accept()[0]) as controller:
            controller.hello(6)
            controller.barrier()
            listen(asks, STATUS, 0x3f)
            assert status(multipart(asks, 18)) == (0, of.EQUAL, 0, 0, uri)
            controller.ask(of.ROLE_REQUEST, struct.pack("!IHxxQ", of.MASTER,
                                                        77, 5))
            said = asks.receive()
            assert said.type == CONTROLLER_STATUS
            assert status(said.body) == (0, of.MASTER, 2, 0, uri)
            assert status(asks.receive().body) == (77, of.MASTER, 5, 0, uri)
            # A short id is somebody's.
            assert asks.error(of.ROLE_REQUEST, struct.pack(
                "!IHxxQ", of.EQUAL, 77, 5)) == (11, 4)
            asks.send(of.ROLE_REQUEST, struct.pack("!IxxxxQ", of.MASTER, 6))
            assert status(asks.receive().body) == (77, of.SLAVE, 2, 0, uri)
            assert asks.receive().type == of.ROLE_REPLY
        assert status(asks.receive().body) == (77, of.SLAVE, 4, 1, uri)
        assert multipart(asks, 18) == b""
        with Peer(listener.accept()[0]) as controller:
            controller.hello(6)
            controller.barrier()
            assert status(asks.receive().body) == (0, of.EQUAL, 3, 0, uri)
    listener.close()


def test_descriptions_statistics_and_features_of_bundles(switch, ofctl):
    ofctl("OpenFlow15", "add-flow", "table=3,priority=9,actions=output:2")
    match = struct.pack("!HHxxxx", 1, 4)
    everything = struct.pack("!BxxxIIxxxxQQ", 0xff, 0xffffffff, 0xffffffff,
                             0, 0) + match
    with Peer(switch.mgmt) as peer:
        peer.hello(6)
        item = multipart(peer, 17, everything)
        length, table, reason, priority = struct.unpack_from("!HxxBBH", item)
        assert (length, table, reason, priority) == (len(item), 3, 0, 9)
        assert item[8:16] == match
        # Duration, idle time, packets, bytes; no instructions.
        assert struct.unpack_from("!H", item, 18)[0] + 16 + 4 == length
        description = multipart(peer, 1, everything)
        assert len(description) > length
        assert multipart(peer, 17, struct.pack(
            "!BxxxIIxxxxQQ", 4, 0xffffffff, 0xffffffff, 0, 0) + match) == b""
        assert multipart(peer, 19, bytes(8)) == struct.pack("!Hxxxxxx", 3)

        def error(flags, more=b""):
            return peer.error(MULTIPART_REQUEST, struct.pack(
                "!HHxxxxIxxxx", 19, 0, flags) + more)

        assert error(2) == (17, 16)                     # SCHED_NOT_SUPPORTED
        assert error(8) == (17, 7)
        assert error(0, struct.pack("!HHxxxx", 9, 8)) == (14, 0)
        for unknown in (20, 0xfffe):
            assert peer.error(MULTIPART_REQUEST, struct.pack(
                "!HHxxxx", unknown, 0)) == (1, 2)
