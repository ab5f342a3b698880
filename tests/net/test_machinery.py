"""The tests' own tools, on a Linux bridge: when these fail, look here first.

      a  10.0.0.1        b  10.0.0.2       vm  10.0.0.3
        \\ eth0             | eth0            | TAP
      ---+-----------------+-----------------+---  br0, in 'host'
"""

import os
import signal
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from netns import GSO_TCPV4, NEEDS_CSUM, Netns, Vnet, eventually, move_file
from vm import Vm

SANDBOX = os.path.join(os.path.dirname(__file__), "..", "sandbox")


@pytest.fixture
def bridge():
    host = Netns("host")
    host.run("ip", "link", "add", "name", "br0", "type", "bridge",
             "mcast_snooping", "0")
    host.run("ip", "link", "set", "br0", "up")
    guests = []
    for name, addr in (("a", "10.0.0.1/24"), ("b", "10.0.0.2/24")):
        guest = Netns(name)
        host.run("ip", "link", "add", "name", name, "type", "veth",
                 "peer", "name", "eth0", "netns", name)
        host.run("ip", "link", "set", "dev", name, "up", "master", "br0")
        guest.run("ip", "link", "set", "eth0", "up")
        guest.run("ip", "addr", "add", addr, "dev", "eth0")
        guests.append(guest)
    yield [host] + guests
    for netns in [host] + guests:
        netns.close()


def test_frames_travel_and_absence_is_seen(bridge):
    _host, a, b = bridge
    tx, rx = a.nic("eth0"), b.nic("eth0")
    frame = Ether(dst=rx.mac, src=tx.mac) / Dot1Q(vlan=5) / IP() / UDP()
    other = Ether(dst=rx.mac, src=tx.mac) / IP() / UDP(dport=9)

    tx.send(frame)
    assert rx.expect(frame)[Dot1Q].vlan == 5
    tx.send(other)
    rx.absent(frame, behind=other)
    tx.send(frame)
    tx.send(other)
    with pytest.raises(AssertionError):
        rx.absent(frame, behind=other)


def test_super_frames_travel_with_what_they_owe(bridge):
    _host, a, b = bridge
    tx, rx = a.nic("eth0", vnet=True), b.nic("eth0", vnet=True)
    frame = (Ether(dst=rx.mac, src=tx.mac)
             / bytes(IP(src="10.0.0.1", dst="10.0.0.2", proto=6, len=8040))
             / (b"\0" * 12 + b"\x50" + b"\0" * 7) / (b"x" * 8000))
    frame.type = 0x0800
    owed = Vnet(NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16)
    tx.send(frame, owed)
    got = rx.expect(lambda f: len(f.raw) > 8000)
    assert got.vnet.gso_size == 1448 and got.vnet.gso_type == GSO_TCPV4


def test_pings_and_files(bridge):
    _host, a, b = bridge
    assert a.ping("10.0.0.2")
    assert move_file(a, b, "10.0.0.2")


def test_a_vm_boots_and_answers(bridge, tmp_path):
    host, a, _b = bridge
    host.run("ip", "tuntap", "add", "vm1", "mode", "tap", "vnet_hdr")
    host.run("ip", "link", "set", "vm1", "up", "master", "br0")
    vm = Vm(str(tmp_path))
    vm.start("vm1", "10.0.0.3/24", netns="host")
    try:
        assert vm.run("echo hello; exit 3") == (3, "hello\n")
        assert a.ping("10.0.0.3")
        assert vm.run("ping -c 1 -w 3 10.0.0.1")[0] == 0
    finally:
        vm.stop()


def test_nothing_outlives_a_killed_sandbox(tmp_path):
    alive = tmp_path / "alive"
    sandbox = subprocess.Popen(
        [SANDBOX, "sh", "-c",
         "setsid sh -c 'while echo . >>%s; do sleep 0.02; done' & wait"
         % alive])
    eventually(alive.exists, "it runs")
    sandbox.send_signal(signal.SIGKILL)
    sandbox.wait()

    def stopped(sizes=[None]):
        last, sizes[0] = sizes[0], alive.stat().st_size
        return last == sizes[0]

    # Two equal sizes, further apart than the writer's pause.
    eventually(lambda: stopped() and not subprocess.run(
        ["sleep", "0.1"]).returncode and stopped(), "all inside is dead")
