"""Floods of packets for controllers, and peers that do not read, hang up or
fight: who is well behaved notices nothing, and memory stays.

    of1 | of2      two taps on br0, which starts empty
"""

import os
import re
import struct
import threading

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

import peer as of
from conftest import Switch
from netns import eventually
from peer import Peer
from test_connections import rss_kb

SET_CONFIG, PACKET_IN, FLOW_MOD = 9, 10, 14
MB = 1024


def frame(n):
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
                 / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=n, dport=8)
                 / bytes(1000))


def wants_packets(peer):
    """A tool says so by its miss_send_len."""
    peer.hello(4)
    peer.send(SET_CONFIG, struct.pack("!HH", 0, 0xffff))
    peer.barrier()


def check_growth(lab, before, most):
    """A sanitizer keeps what was freed, on purpose."""
    grown = rss_kb(lab) - before
    assert grown < most or "san" in os.path.basename(lab.build), \
        "grown by %d kB" % grown


class Flood:
    """Threads that send into both ports until they are told to end."""

    def __init__(self, lab):
        self.nics = [lab.host.nic("of1"), lab.host.nic("of2")]
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(nic,))
                        for nic in self.nics]

    def _send(self, nic):
        frames = [frame(n) for n in range(64)]
        while not self.over.is_set():
            for data in frames:
                try:
                    nic.send(data)
                except OSError:                 # The device's queue is full.
                    pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def add_flow(peer, priority):
    """An entry that no packet of the flood meets, then a barrier."""
    match = struct.pack("!HHIHxx4x", 1, 10, 0x80000a02, 0x88cc)
    peer.send(FLOW_MOD, struct.pack(
        "!QQBBHHHIIIHxx", 0, 0, 1, 0, 0, 0, priority, 0xffffffff, 0xffffffff,
        0xffffffff, 0) + match)
    peer.barrier()


def metric(lab, name, port=None):
    for row in lab.weft("metrics"):
        if row["name"] == name and (not port or port in row["labels"]):
            return float(row["value"])
    raise AssertionError("no metric " + name)


def test_a_flood_holds_up_nobody_and_costs_bounded_memory(lab, switch):
    lab.weft("flow", "add", "actions=controller")
    with Peer(switch.mgmt) as deaf, Peer(switch.mgmt) as slow, \
            Peer(switch.mgmt) as other:
        for peer in (deaf, slow):
            wants_packets(peer)
        other.hello(4)
        before = rss_kb(lab)
        with Flood(lab):
            eventually(lambda: metric(
                lab, "weft_openflow_packet_ins_dropped_total") > 1000,
                "packets are dropped, since nobody reads")
            for n in range(200):
                add_flow(other, n)
                said = slow.receive()           # One at a time.
                assert said.type == PACKET_IN
        check_growth(lab, before, 60 * MB)
        tools = [c for c in lab.weft("controller", "list")["controllers"]
                 if c["kind"] == "tool"]
        assert sum(c["packet_ins_dropped"] > 0 for c in tools) >= 1
        assert all(c["backlog"] < 2 * MB * 1024 for c in tools)
        assert len(lab.weft("flow", "list", "dl_type=0x88cc",
                            "--table", "1")["flows"]) == 200
        for port in ("of1", "of2"):
            assert metric(lab, "weft_packet_ins_taken_total", port) > 0


def test_the_rate_of_a_port_is_limited(lab, switch):
    lab.weft("controller", "set", "--packet-ins-per-second", "10")
    lab.weft("flow", "add", "actions=controller")
    with Peer(switch.mgmt) as peer:
        wants_packets(peer)
        nic = lab.host.nic("of1")
        for n in range(50):
            nic.send(frame(n))
        eventually(lambda: metric(lab, "weft_packet_ins_limited_total", "of1")
                   + metric(lab, "weft_packet_ins_queued_total", "of1") == 50,
                   "all are counted")
        assert metric(lab, "weft_packet_ins_limited_total", "of1") >= 40
        assert lab.drops("controller-queue") >= 40
        # Another port has a rate of its own.
        lab.host.nic("of2").send(frame(1))
        eventually(lambda: metric(lab, "weft_packet_ins_queued_total",
                                  "of2") == 1, "of2's packet passes")


def test_peers_that_come_and_die_leave_no_memory(lab, switch):
    """Bundles left open, lists not read, half a message, and gone."""
    mod = struct.pack("!QQBBHHHIIIHxx", 0, 0, 0, 0, 0, 0, 5, 0xffffffff,
                      0xffffffff, 0xffffffff, 0)
    mod += struct.pack("!HHxxxx", 1, 4)

    def round_of_them():
        for n in range(20):
            with Peer(switch.mgmt) as peer:
                peer.hello(5)
                peer.role(of.MASTER, round_of_them.generation)
                round_of_them.generation += 1
                inner = struct.pack("!BBHI", 5, FLOW_MOD, 8 + len(mod), 7)
                add = struct.pack("!IHH", 1, 0, 0) + inner + mod
                for _ in range(2000):
                    peer.send(34, add, xid=7)
                peer.send(18, struct.pack("!HHxxxxBxxxIIxxxxQQHHxxxx", 1, 0,
                                          255, 0xffffffff, 0xffffffff, 0, 0,
                                          1, 4))
                peer.send_bytes(b"\x05\x0e\x00\x80")

    round_of_them.generation = 1
    text = "\n".join("priority=%d,actions=drop" % n for n in range(1, 3000))
    path = lab.dir + "/flows"
    with open(path, "w") as f:
        f.write(text + "\n")
    lab.weft("flow", "add", "--file", path)
    round_of_them()
    before = rss_kb(lab)
    for _ in range(4):
        round_of_them()
    check_growth(lab, before, 8 * MB)
    assert len(lab.weft("flow", "list")["flows"]) == 2999


@pytest.mark.parametrize("version", Switch.VERSIONS)
def test_counters_are_those_of_the_wire(lab, ofctl, version):
    """`weft flow list` and ovs-ofctl, after traffic, say the same."""
    lab.weft("flow", "add", "priority=5,udp,tp_src=1,actions=output:2",
             "priority=4,udp,actions=drop")
    nic, other = lab.host.nic("of1"), lab.host.nic("of2")
    for n in range(30):
        nic.send(frame(1 if n % 3 else 2))
    for n in range(20):
        other.expect(lambda got: bytes(got) == frame(1))

    def by_weft():
        return sorted((f["priority"], f["packets"], f["bytes"])
                      for f in lab.weft("flow", "list")["flows"])

    eventually(lambda: [n for _, n, _ in by_weft()] == [10, 20],
               "all are counted")
    said = ofctl(version, "dump-flows")
    by_wire = sorted((int(p), int(n), int(b)) for n, b, p in re.findall(
        r"n_packets=(\d+), n_bytes=(\d+), .*priority=(\d+)", said))
    assert by_wire == by_weft()
    assert by_wire[0][2] == 10 * len(frame(1))
