"""Bundles: all or nothing, also when the peer dies in the middle."""

import struct

import pytest

import peer as of
from conftest import Switch
from peer import Peer

FROM13 = pytest.mark.parametrize("version", Switch.VERSIONS[1:])
BUNDLE_CONTROL, BUNDLE_ADD, FLOW_MOD = 33, 34, 14
OPEN, CLOSE, COMMIT, DISCARD = 0, 2, 4, 6
FAILED = 17                             # The error's type, OFPET_BUNDLE_FAILED.


def n_flows(lab):
    return len(lab.weft("flow", "list")["flows"])


@FROM13
def test_ovs_ofctl_adds_a_bundle(lab, ofctl, version):
    text = "".join("priority=9,ip,nw_dst=10.0.%d.%d,actions=output:2\n"
                   % (n // 256, n % 256) for n in range(1000))
    ofctl(version, "add-flows", "--bundle", "-", stdin=text)
    assert n_flows(lab) == 1000
    # The last line is wrong, so nothing of it happens.
    ofctl(version, "add-flows", "--bundle", "-", status=1,
          stdin="priority=1,actions=drop\npriority=2,actions=output:65000\n")
    assert n_flows(lab) == 1000


def control(peer, kind, bundle=1, flags=3):
    return peer.ask(BUNDLE_CONTROL, struct.pack("!IHH", bundle, kind, flags))


def failure(said):
    assert said.type == of.ERROR, said
    return struct.unpack_from("!HH", said.body)


def add(peer, priority, bundle=1, flags=3, xid=None):
    """A flow-mod that adds an entry, 1.4's form."""
    xid = xid or peer.xid + 1
    mod = struct.pack("!QQBBHHHIIIHH", 0, 0, 0, 0, 0, 0, priority,
                      0xffffffff, 0xffffffff, 0xffffffff, 0, 0)
    mod += struct.pack("!HHxxxx", 1, 4)
    mod = struct.pack("!BBHI", peer.version, FLOW_MOD, 8 + len(mod), xid) + mod
    peer.send(BUNDLE_ADD, struct.pack("!IHH", bundle, 0, flags) + mod,
              xid=xid)
    peer.xid = xid


@pytest.mark.parametrize("version", (5, 6))
def test_commit_and_discard(lab, switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        assert control(peer, OPEN).type == BUNDLE_CONTROL
        for n in range(10):
            add(peer, 100 + n)
        peer.barrier()
        assert n_flows(lab) == 0
        assert control(peer, DISCARD).type == BUNDLE_CONTROL
        peer.barrier()
        assert n_flows(lab) == 0
        # Open by the first message, closed, then carried out.
        for n in range(10):
            add(peer, 100 + n)
        assert control(peer, CLOSE).type == BUNDLE_CONTROL
        assert control(peer, COMMIT).type == BUNDLE_CONTROL
        assert n_flows(lab) == 10


@pytest.mark.parametrize("version", (5, 6))
def test_bundles_used_wrongly(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        assert failure(control(peer, COMMIT)) == (FAILED, 2)     # BAD_ID
        assert failure(control(peer, CLOSE)) == (FAILED, 2)
        control(peer, OPEN)
        assert failure(control(peer, OPEN)) == (FAILED, 3)       # EXIST
        control(peer, OPEN)
        control(peer, CLOSE)
        assert failure(control(peer, CLOSE)) == (FAILED, 4)      # CLOSED
        control(peer, OPEN)
        assert failure(control(peer, COMMIT, flags=0)) == (FAILED, 7)


def test_a_peer_that_dies_in_a_bundle_changes_nothing(lab, switch):
    with Peer(switch.mgmt) as peer:
        peer.hello(5)
        control(peer, OPEN)
        for n in range(1000):
            add(peer, n)
        peer.barrier()
        peer.send_bytes(b"\x05\x22\x00\x80")        # And half a message.
    with Peer(switch.mgmt) as peer:
        peer.hello(5)
        peer.barrier()
        assert n_flows(lab) == 0
        # Its number is free: bundles belong to a session.
        assert control(peer, OPEN).type == BUNDLE_CONTROL


def add_many(peer, n):
    """Entries that differ in their metadata, in bundle 1."""
    adds = []
    for i in range(n):
        mod = struct.pack("!BBHIQQBBHHHIIIHHHHIQ", peer.version, FLOW_MOD, 64,
                          i, 0, 0, 0, 0, 0, 0, 1, 0xffffffff, 0xffffffff,
                          0xffffffff, 0, 0, 1, 16, 0x80000408, i)
        adds.append(struct.pack("!BBHIIHH", peer.version, BUNDLE_ADD, 80, i,
                                1, 0, 3) + mod)
    peer.send_bytes(b"".join(adds))


def test_a_long_commit_holds_up_nobody_else(lab, switch):
    with Peer(switch.mgmt) as peer, Peer(switch.mgmt) as other:
        peer.hello(5)
        other.hello(5)
        add_many(peer, 60000)
        peer.barrier()
        peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 1, COMMIT, 3))
        echoes = 0
        while peer.quiet(0):
            assert other.ask(of.ECHO_REQUEST).type == of.ECHO_REPLY
            echoes += 1
        assert peer.receive().type == BUNDLE_CONTROL
        # At once, it would be one or two.
        assert echoes > 5
        assert lab.weft("status")["flows"] == 60000
