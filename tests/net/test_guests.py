"""Guests of every kind of port talk to each other.

      a  10.0.0.1     b  10.0.0.2     vm  10.0.0.3
       | eth0          | eth0          | virtio-net
    ---+---------------+---------------+---  br0
"""

import itertools

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from netns import GSO_TCPV4, NEEDS_CSUM, Vnet, move_file

KINDS = ["tap", "veth", "netdev"]


def two(lab, kind_a, kind_b, **kwargs):
    lab.start(lab.plug(kind_a, 1, "a", "10.0.0.1/24"),
              lab.plug(kind_b, 2, "b", "10.0.0.2/24"), **kwargs)
    return lab.netns("a"), lab.netns("b")


@pytest.mark.parametrize("kinds", itertools.product(KINDS, KINDS),
                         ids="-".join)
def test_guests_ping_and_move_files(lab, kinds):
    a, b = two(lab, *kinds)
    assert a.ping("10.0.0.2")
    assert b.ping("10.0.0.1", size=1472, df=True)
    assert move_file(a, b, "10.0.0.2", 16 << 20)
    assert move_file(b, a, "10.0.0.1", 16 << 20)


@pytest.mark.parametrize("kinds", itertools.product(KINDS, KINDS),
                         ids="-".join)
def test_a_super_frame_travels_whole(lab, kinds):
    a, b = two(lab, *kinds)
    tx, rx = a.nic("eth0", vnet=True), b.nic("eth0", vnet=True)
    payload = 60000
    header = (Ether(dst=rx.mac, src=tx.mac)
              / IP(src="10.0.0.1", dst="10.0.0.2", len=40 + payload)
              / TCP(sport=1, dport=2, flags="A", chksum=0))
    frame = bytes(header) + b"x" * payload
    tx.send(frame, Vnet(NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16))
    got = rx.expect(lambda f: len(f.raw) == len(frame))
    assert got.raw == frame
    assert got.vnet.gso_type == GSO_TCPV4 and got.vnet.gso_size == 1448
    assert got.vnet.flags & NEEDS_CSUM and got.vnet.csum_start == 34

    counters = lab.port("a")["counters"]
    assert counters["rx_super_frames"] >= 1
    # Wire packets are counted, not pieces.
    assert counters["rx_packets"] >= payload // 1448 + 1


@pytest.mark.slow
def test_a_virtual_machine_talks(lab):
    lab.start(lab.plug("tap", 1, "a", "10.0.0.1/24"), "3=vm=tap:vm1,vm=yes")
    a, vm = lab.netns("a"), lab.vm("vm1", "10.0.0.3/24")
    assert a.ping("10.0.0.3", deadline=10)
    assert vm.run("ping -c 1 -w 5 10.0.0.1")[0] == 0
    assert lab.port("vm")["state"] == "up"
    vm.run("nc -l -p 5001 </dev/null | sha256sum >/tmp/sum &")
    vm.run("until grep -q ':1389 .* 0A ' /proc/net/tcp*; do usleep 9999; done")
    a.run("bash", "-c", "head -c 4000000 /dev/zero >/dev/tcp/10.0.0.3/5001")
    status, said = vm.run("until [ -s /tmp/sum ]; do usleep 9999; done;"
                          "cat /tmp/sum")
    _status, wanted = vm.run("head -c 4000000 /dev/zero | sha256sum")
    assert status == 0 and said == wanted


def test_several_workers_forward_alike(lab):
    a, b = two(lab, "tap", "tap", options=("--workers", "2"))
    assert a.ping("10.0.0.2")
    assert move_file(a, b, "10.0.0.2", 8 << 20)


def test_stations_are_learned_and_forgotten_with_their_port(lab):
    a, b = two(lab, "tap", "veth")
    assert a.ping("10.0.0.2")
    stations = {(s["mac"], s["port"]) for s in lab.weft("fdb", "list")["fdb"]}
    assert (a.nic("eth0").mac, "a") in stations
    assert (b.nic("eth0").mac, "b") in stations
    lab.weft("port", "delete", "a")
    assert {s["port"] for s in lab.weft("fdb", "list")["fdb"]} == {"b"}
    a.wait_link("eth0", there=False)
