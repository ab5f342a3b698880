"""Controllers: which there are, their auxiliary connections, and what the
switch does without one.

    of1 | of2      two taps on br0
"""

import os
import socket
import struct

import pytest
from scapy.layers.l2 import Ether

import peer as of
from conftest import Switch
from netns import eventually
from peer import Peer
from test_errors import packet_out

PACKET_IN = 10
FRAME = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02",
              type=0x88b5) / b"frame"
MARK = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02",
             type=0x88b6) / b"mark"


class Controller:
    """A listening Unix socket that switches connect to."""

    def __init__(self, lab, name="controller"):
        self.path = os.path.join(lab.dir, name)
        self.method = "unix:" + self.path
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen()
        self.sock.settimeout(20)

    def accept(self, version=4):
        peer = Peer(self.sock.accept()[0])
        peer.hello(version)
        return peer

    def close(self):
        self.sock.close()
        os.unlink(self.path)


@pytest.fixture
def controller(lab):
    made = Controller(lab)
    yield made
    made.sock.close()


def listed(lab, kind="controller"):
    return [c for c in lab.weft("controller", "list")["controllers"]
            if c["kind"] == kind]


def wait_state(lab, state):
    eventually(lambda: [c["state"] for c in listed(lab)] == [state],
               "the controller is " + state)


def test_controllers_change_while_the_switch_runs(lab, controller):
    other = Controller(lab, "other")
    Switch(lab)
    assert listed(lab) == []
    lab.weft("controller", "set", controller.method)
    with controller.accept(5) as peer:
        peer.role(of.MASTER, 1)
        said = listed(lab)[0]
        assert said["name"] == controller.method
        assert said["state"] == "connected" and said["role"] == "master"
        assert said["version"] == "OpenFlow14" and said["since"] < 20
        assert said["last_error"] is None and said["requests"] >= 1
        # The one that stays is not disturbed by another.
        lab.weft("controller", "set", controller.method, other.method)
        with other.accept() as second:
            second.barrier()
            peer.barrier()
            assert [c["role"] for c in listed(lab)] == ["master", "equal"]
            lab.weft("controller", "delete", other.method)
            assert second.receive() is None
        peer.barrier()
        lab.weft("controller", "delete", "--all")
        assert peer.receive() is None
    assert listed(lab) == []
    other.close()


def test_mistakes_are_told(lab):
    Switch(lab)
    assert "expected tcp:" in lab.weft(
        "controller", "set", "carrier-pigeon:1", status=2)["error"]["what"]
    assert "there twice" in lab.weft(
        "controller", "set", "tcp:127.0.0.1", "tcp:127.0.0.1",
        status=2)["error"]["what"]
    assert "--private-key" in lab.weft(
        "controller", "set", "tls:127.0.0.1", status=2)["error"]["what"]
    lab.weft("controller", "set", "--fail-mode", "perhaps", status=2)
    lab.weft("controller", "set", status=2)
    lab.weft("controller", "delete", "tcp:127.0.0.1", status=1)
    assert listed(lab) == []


def test_why_it_is_not_connected_is_a_sentence(lab):
    path = os.path.join(lab.dir, "nobody")
    Switch(lab, "--controller", "unix:" + path)
    wait_state(lab, "waiting")
    assert listed(lab)[0]["last_error"] == "No such file or directory"
    controller = Controller(lab, "nobody")
    with Peer(controller.sock.accept()[0]) as peer:
        peer.send_bytes(b"GET / HTTP/1.0\r\n\r\n")
        eventually(lambda: "not OpenFlow" in listed(lab)[0]["last_error"],
                   "the reason is told")
    controller.close()


def features_id(peer):
    return peer.ask(of.FEATURES_REQUEST).body[13]


def test_auxiliary_connections(lab, controller):
    Switch(lab, "--controller", controller.method, "--auxiliary", "2")
    main = controller.accept()
    assert features_id(main) == 0
    others = [controller.accept() for _ in range(2)]
    assert sorted(features_id(p) for p in others) == [1, 2]
    assert [c["auxiliary_id"] for c in listed(lab)] == [0, 1, 2]

    # The role is the controller's, whichever connection says it.
    said = others[0].role(of.MASTER, 5)
    assert said.type == of.ROLE_REPLY
    assert struct.unpack_from("!I", main.role(0).body)[0] == of.MASTER
    main.role(of.SLAVE, 6)
    assert others[1].error(16, bytes(32)) == (1, 10)
    main.role(of.EQUAL)

    # Packets of one port go by one connection, in order.
    lab.weft("flow", "add", "actions=controller")
    nics = [lab.host.nic("of1"), lab.host.nic("of2")]
    for n in range(20):
        for nic in nics:
            nic.send(bytes(FRAME) + bytes((n,)))
    heard = []
    for peer in [main] + others:
        peer.sock.setblocking(True)
        while not peer.quiet(0.3):
            said = peer.receive()
            assert said.type == PACKET_IN
            heard.append((peer, said.body[-1], said.body))
    assert len(heard) == 40
    for port in (1, 2):
        mine = [(peer, n) for peer, n, body in heard
                if struct.unpack_from("!I", body, 24)[0] == port]
        assert [n for _, n in mine] == list(range(20))
        assert len({id(peer) for peer, _ in mine}) == 1

    # They end with the main one, and come again after it.
    main.sock.close()
    assert all(p.receive() is None for p in others)
    with controller.accept() as main:
        assert features_id(main) == 0
        again = [controller.accept() for _ in range(2)]
        lab.weft("controller", "set", "--auxiliary", "1")
        gone = [p for p in again if features_id_or_none(p) is None]
        assert len(gone) == 1
        main.barrier()


def features_id_or_none(peer):
    """None: the connection ends."""
    said = peer.ask(of.FEATURES_REQUEST)
    if said is None:
        return None
    if said.body[13] == 2:
        assert peer.receive() is None
        return None
    return said.body[13]


def test_openflow_10_has_no_auxiliary_connections(lab, controller):
    Switch(lab, "--controller", controller.method, "--auxiliary", "2")
    with controller.accept(1) as main:
        main.ask(of.FEATURES_REQUEST)
        wait_state(lab, "connected")
        assert len(listed(lab)) == 1


def test_generations_are_compared_as_a_circle(switch):
    with Peer(switch.mgmt) as a:
        a.hello(4)
        far = (1 << 64) - 2
        assert a.role(of.MASTER, far).type == of.ROLE_REPLY
        assert a.role(of.MASTER, 1).type == of.ROLE_REPLY
        said = a.role(of.SLAVE, far)
        assert said.type == of.ERROR
        assert struct.unpack_from("!HH", said.body) == (11, 0)
        # Who is equal needs no generation.
        assert a.role(of.EQUAL, 0).type == of.ROLE_REPLY


@pytest.mark.parametrize("version", (4, 5, 6))
def test_two_fight_over_mastership(lab, switch, version):
    with Peer(switch.mgmt) as a, Peer(switch.mgmt) as b:
        a.hello(version)
        b.hello(version)
        for n in range(200):
            winner, loser = (a, b) if n % 2 else (b, a)
            assert winner.role(of.MASTER, n).type == of.ROLE_REPLY
            assert struct.unpack_from(
                "!I", winner.role(0).body)[0] == of.MASTER
            assert struct.unpack_from("!I", loser.role(0).body)[0] in (
                of.SLAVE, of.EQUAL)
        assert loser.error(16, bytes(32 if version == 4 else 24)) == (1, 10)


def flows(lab):
    return [(f["priority"], f["actions"])
            for f in lab.weft("flow", "list")["flows"]]


@pytest.mark.parametrize("version", (4, 5, 6))
def test_a_slave_gets_no_packets(switch, version):
    to_controller = packet_out(version, actions=struct.pack(
        "!HHIHxxxxxx", 0, 16, 0xfffffffd, 0xffff))

    def packets_before_a_barrier(peer):
        xid = peer.send(20)
        kinds = []
        while True:
            said = peer.receive()
            if said.xid == xid:
                return kinds.count(PACKET_IN)
            kinds.append(said.type)

    with Peer(switch.mgmt) as slave, Peer(switch.mgmt) as equal:
        for peer in (slave, equal):
            peer.hello(version)
            peer.send(9, struct.pack("!HH", 0, 128))
            peer.barrier()
        for role, n_packets in ((3, 0), (1, 1)):
            slave.role(role, 1)
            equal.send(13, to_controller)
            while equal.receive().type != PACKET_IN:
                pass
            assert packets_before_a_barrier(slave) == n_packets


def test_what_the_bridge_cached_does_not_outlive_it(lab, controller):
    """A standalone switch forwards by NORMAL until its controller is there,
    and not one packet more."""
    lab.start("1=tap:of1", "2=tap:of2",
              options=("--controller", "unix:/nowhere"))
    left, right = lab.host.nic("of1"), lab.host.nic("of2")
    for _ in range(20):
        left.send(FRAME)
        right.expect(FRAME)
    lab.weft("controller", "set", controller.method)
    peer = controller.accept()
    peer.barrier()
    assert flows(lab) == []
    lab.weft("flow", "add", "dl_type=0x88b6,actions=output:2")
    for _ in range(20):
        left.send(FRAME)
    left.send(MARK)
    right.absent(FRAME, MARK)
    # What it said stays when it goes, and the bridge is back below it.
    lab.weft("flow", "add", "priority=9,dl_type=0x88b6,actions=drop")
    lab.weft("flow", "delete", "--strict", "dl_type=0x88b6")
    peer.sock.close()
    eventually(lambda: (0, "NORMAL") in flows(lab), "the bridge is back")
    left.send(MARK)
    left.send(FRAME)
    right.absent(MARK, FRAME)
    # The next controller finds it gone again.
    with controller.accept() as peer:
        peer.barrier()
        left.send(FRAME)
        lab.weft("flow", "add", "priority=10,dl_type=0x88b6,"
                 "actions=output:2")
        left.send(MARK)
        right.absent(FRAME, MARK)


def test_the_bridge_stands_in_for_what_asks_a_controller(lab, controller):
    """As controllers of 1.3 and later have it, who add an entry for what no
    other entry matches."""
    lab.start("1=tap:of1", "2=tap:of2",
              options=("--controller", controller.method))
    left, right = lab.host.nic("of1"), lab.host.nic("of2")
    asks = "CONTROLLER:64"

    def cookies():
        return [f["cookie"] for f in lab.weft("flow", "list")["flows"]]

    peer = controller.accept()
    peer.barrier()
    lab.weft("flow", "add", "cookie=0x77,priority=0,actions=controller:64")
    was = cookies()
    left.send(FRAME)
    assert peer.receive().type == PACKET_IN
    peer.sock.close()
    eventually(lambda: flows(lab) == [(0, "NORMAL")], "the bridge is back")
    left.send(MARK)
    right.expect(MARK)
    with controller.accept() as peer:
        peer.barrier()
        assert flows(lab) == [(0, asks)] and cookies() == was
        left.send(FRAME)
        assert peer.receive().type == PACKET_IN
        # Any other entry there is what the controller wants without it.
        lab.weft("flow", "add", "priority=0,actions=drop")
    wait_state(lab, "waiting")
    assert flows(lab) == [(0, "drop")]
    # Who deletes the bridge finds nothing when the controller is back.
    with controller.accept() as peer:
        peer.barrier()
        lab.weft("flow", "add", "priority=0,actions=controller:64")
    eventually(lambda: flows(lab) == [(0, "NORMAL")], "the bridge is back")
    lab.weft("flow", "delete", "--strict", "priority=0")
    with controller.accept() as peer:
        peer.barrier()
        assert flows(lab) == []


def test_a_secure_switch_keeps_what_it_was_told(lab, controller):
    Switch(lab, "--controller", controller.method)
    left, right = lab.host.nic("of1"), lab.host.nic("of2")
    with controller.accept() as peer:
        peer.barrier()
        lab.weft("flow", "add", "dl_type=0x88b6,actions=output:2")
    wait_state(lab, "waiting")
    assert flows(lab) == [(32768, "output:2")]
    left.send(FRAME)
    left.send(MARK)
    right.absent(FRAME, MARK)
    # Until the operator wants a bridge.
    lab.weft("controller", "set", "--fail-mode", "standalone")
    assert (0, "NORMAL") in flows(lab)
    left.send(FRAME)
    right.expect(FRAME)
    lab.weft("controller", "set", "--fail-mode", "secure")
    assert flows(lab) == [(32768, "output:2")]
    assert lab.weft("switch", "show")["fail_mode"] == "secure"
