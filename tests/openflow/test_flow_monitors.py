"""Flow monitors: who watches entries is told what becomes of them."""

import os
import struct

import pytest

import peer as of
from conftest import Switch
from netns import eventually
from peer import Peer

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
FROM14 = pytest.mark.parametrize("version", (5, 6))
FLOW_MOD, MULTIPART_REQUEST, MULTIPART_REPLY = 14, 18, 19
FLOW_MONITOR = 16
ADD, MODIFY, DELETE = 0, 1, 2
INITIAL, ADDED, REMOVED, MODIFIED, INSTRUCTIONS, NO_ABBREV, ONLY_OWN = (
    1 << n for n in range(7))
ALL = INITIAL | ADDED | REMOVED | MODIFIED
ANY = 0xffffffff
EVENTS = ("INITIAL", "ADDED", "REMOVED", "MODIFIED", "ABBREV", "PAUSED",
          "RESUMED")
FAILED = 16                             # OFPET_FLOW_MONITOR_FAILED


@VERSIONS
def test_ovs_ofctl_watches(lab, switch, ofctl, version):
    ofctl(version, "add-flow", "priority=5,in_port=1,actions=output:2")
    path = os.path.join(lab.dir, "watch")
    with open(path, "w") as said:
        watch = lab.host.popen(
            "stdbuf", "-oL", "ovs-ofctl", "-O", version, "monitor",
            "unix:" + switch.mgmt, "watch:!own", stdout=said, stderr=said,
            env=dict(os.environ, OVS_RUNDIR=lab.dir))

    def events():
        with open(path) as f:
            return [line.strip() for line in f if "event=" in line]

    first = "ADDED" if version < "OpenFlow14" else "INITIAL"
    try:
        eventually(events, "what is there is told")
        ofctl(version, "add-flow", "table=2,udp,actions=output:2")
        ofctl(version, "mod-flows", "table=2,udp,actions=output:1")
        ofctl(version, "del-flows", "table=2")
        eventually(lambda: len(events()) == 4, "and what changes")
    finally:
        watch.kill()
        watch.wait()
    assert events() == [
        "event=%s table=0 cookie=0 in_port=1 actions=output:2" % first,
        "event=ADDED table=2 cookie=0 udp actions=output:2",
        "event=MODIFIED table=2 cookie=0 udp actions=output:1",
        "event=DELETED reason=delete table=2 cookie=0 udp actions=output:1"]


def request(number, flags, command=ADD, table=0xff, out_port=ANY,
            out_group=ANY):
    return struct.pack("!HHxxxxIIIHBBHHxxxx", FLOW_MONITOR, 0, number,
                       out_port, out_group, flags, table, command, 1, 4)


def flow_mod(priority, command=0, port=None, flags=0):
    actions = b"" if port is None else struct.pack(
        "!HHxxxxHHIHxxxxxx", 4, 24, 0, 16, port, 0)
    return struct.pack("!QQBBHHHIIIHHHHxxxx", 0, 0, 0, command, 0, 0,
                       priority, ANY, ANY, ANY, flags, 0, 1, 4) + actions


def updates(said):
    """(event, priority or xid) of each update in a reply."""
    assert said.type == MULTIPART_REPLY, said
    body, out = said.body[8:], []
    while body:
        length, event = struct.unpack_from("!HH", body)
        name = EVENTS[event]
        value = None
        if name == "ABBREV":
            value = struct.unpack_from("!I", body, 4)[0]
        elif name not in ("PAUSED", "RESUMED"):
            value = struct.unpack_from("!H", body, 10)[0]
        out.append((name, value))
        body = body[length:]
    return out


def watch(peer, *args, **kwargs):
    """What is there at first."""
    xid = peer.send(MULTIPART_REQUEST, request(*args, **kwargs))
    out, more = [], True
    while more:
        said = peer.receive()
        assert said.xid == xid, said
        out += updates(said)
        more = struct.unpack_from("!H", said.body, 2)[0] & 1
    return out


def until_barrier(peer):
    """What is told before the answer to a barrier."""
    xid, out = peer.send(of.BARRIER_REQUEST), []
    while True:
        said = peer.receive()
        if said.xid == xid:
            return out
        out += updates(said)


@FROM14
def test_own_changes_are_short_and_come_before_the_barrier(switch, version):
    with Peer(switch.mgmt) as mine, Peer(switch.mgmt) as other:
        mine.hello(version)
        other.hello(version)
        other.send(FLOW_MOD, flow_mod(5))
        other.barrier()
        assert watch(mine, 1, ALL) == [("INITIAL", 5)]
        xid = mine.send(FLOW_MOD, flow_mod(6))
        assert until_barrier(mine) == [("ABBREV", xid)]
        # Two entries, one request: told once.
        xid = mine.send(FLOW_MOD, flow_mod(0, command=1, port=1))
        assert until_barrier(mine) == [("ABBREV", xid)]
        other.send(FLOW_MOD, flow_mod(0, command=3))
        other.barrier()
        assert sorted(until_barrier(mine)) == [("REMOVED", 5),
                                               ("REMOVED", 6)]
        # In full, and only what it wants.
        assert watch(mine, 1, ADDED | NO_ABBREV, command=MODIFY) == []
        mine.send(FLOW_MOD, flow_mod(7))
        mine.send(FLOW_MOD, flow_mod(0, command=3))
        mine.send(FLOW_MOD, flow_mod(8))
        assert until_barrier(mine) == [("ADDED", 8)]
        # Nobody else's.
        watch(mine, 1, ALL | NO_ABBREV | ONLY_OWN, command=MODIFY)
        other.send(FLOW_MOD, flow_mod(9))
        other.barrier()
        mine.send(FLOW_MOD, flow_mod(10))
        assert until_barrier(mine) == [("ADDED", 10)]
        assert watch(mine, 1, 0, command=DELETE) == []
        other.send(FLOW_MOD, flow_mod(11))
        other.barrier()
        assert until_barrier(mine) == []


@FROM14
def test_filters(switch, version):
    with Peer(switch.mgmt) as mine, Peer(switch.mgmt) as other:
        mine.hello(version)
        other.hello(version)
        watch(mine, 1, ALL, out_port=2)
        watch(mine, 2, ALL, table=9)
        other.send(FLOW_MOD, flow_mod(1, port=1))
        other.send(FLOW_MOD, flow_mod(2, port=2))
        other.send(FLOW_MOD, flow_mod(3)[:16] + b"\x09" + flow_mod(3)[17:])
        other.barrier()
        assert until_barrier(mine) == [("ADDED", 2), ("ADDED", 3)]


@FROM14
def test_monitors_used_wrongly(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        watch(peer, 1, ALL)

        def code(*args, **kwargs):
            kind, code = peer.error(MULTIPART_REQUEST,
                                    request(*args, **kwargs))
            assert kind == FAILED
            return code

        assert code(1, ALL) == 1                        # EXISTS
        assert code(2, ALL, command=MODIFY) == 3        # UNKNOWN
        assert code(2, ALL, command=DELETE) == 3
        assert code(2, ALL, command=7) == 4             # BAD_COMMAND
        assert code(2, 0x8000) == 5                     # BAD_FLAGS
        assert code(2, ALL, out_port=0x00ffffff) == 7   # BAD_OUT
        assert code(2, ALL, out_group=0xffffff01) == 7


def test_a_bundle_is_told_when_it_is_committed(switch, ofctl):
    with Peer(switch.mgmt) as mine:
        mine.hello(5)
        watch(mine, 1, ALL)
        ofctl("OpenFlow14", "add-flows", "--bundle", "-", status=1,
              stdin="priority=1,actions=drop\n"
                    "priority=2,actions=output:65000\n")
        assert until_barrier(mine) == []
        ofctl("OpenFlow14", "add-flows", "--bundle", "-",
              stdin="priority=1,actions=drop\npriority=2,actions=drop\n")
        assert until_barrier(mine) == [("ADDED", 1), ("ADDED", 2)]


@FROM14
def test_who_does_not_read_is_paused_and_misses_nothing(lab, switch, version):
    with Peer(switch.mgmt) as deaf, Peer(switch.mgmt) as other:
        deaf.hello(version)
        other.hello(version)
        for n in range(3000):
            other.send(FLOW_MOD, flow_mod(n, port=1))
        other.barrier()
        known = {value for _, value in watch(deaf, 1, ALL | INSTRUCTIONS)}
        assert len(known) == 3000
        # So many that neither the sockets' nor our buffer takes them.
        for _ in range(3):
            for n in range(3000, 13000):
                other.send(FLOW_MOD, flow_mod(n, port=2))
            other.barrier()
        for n in range(1000):
            other.send(FLOW_MOD, flow_mod(n, command=4))
        other.barrier()
        states = []
        while not states or states[-1] != "RESUMED":
            for event, value in updates(deaf.receive()):
                if value is None:
                    states.append(event)
                elif event == "REMOVED":
                    known.discard(value)
                else:
                    known.add(value)
        assert states[0] == "PAUSED"
        assert known == set(range(1000, 13000))
        # And all is as before.
        other.send(FLOW_MOD, flow_mod(20000))
        other.barrier()
        assert until_barrier(deaf) == [("ADDED", 20000)]


@pytest.mark.parametrize("version", (1, 4))
def test_monitors_of_earlier_versions_are_cancelled(switch, version):
    nicira = struct.pack("!I", 0x2320)
    onf = struct.pack("!I", 0x4f4e4600)
    with Peer(switch.mgmt) as mine:
        mine.hello(version)
        if version == 1:
            cancel = nicira + struct.pack("!II", 21, 7)
            said = mine.ask(16, struct.pack("!HHIIxxxxIHHHBxxxxx", 0xffff, 0,
                                            0x2320, 2, 7, 1, 0xffff, 0, 0xff))
            assert said.type == 17
        else:
            cancel = onf + struct.pack("!II", 1870, 7)
            said = mine.ask(MULTIPART_REQUEST, struct.pack(
                "!HHxxxxIIIHHIBxxxHHxxxx", 0xffff, 0, 0x4f4e4600, 1870, 7, 1,
                4, ANY, 0xff, 1, 4))
            assert said.type == MULTIPART_REPLY
        mine.send(4, cancel)
        said = mine.ask(4, cancel)
        assert said.type == of.ERROR    # The second finds nothing.
        if version == 1:
            assert struct.unpack_from("!HHIHH", said.body) == (
                0xb0c2, 0, 0x2320, 1, 519)
        else:
            assert struct.unpack_from("!HHI", said.body) == (0xffff, 8,
                                                             0x2320)
