"""Ports on devices: settings, super-frames, VLAN tags, what is left behind.

      a  10.0.0.1        b  10.0.0.2
       | CLASS            | CLASS
    ---+------------------+---  br0, in 'host'
"""

import os
import re
import signal

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from netns import GSO_TCPV4, NEEDS_CSUM, Vnet, eventually, move_file, run

CLASSES = ("tap", "veth", "netdev")


def plug(lab, kind, number, name, options=""):
    """The --port argument that plugs eth0 of a namespace in."""
    lab.netns(name)
    if kind == "netdev":
        lab.veth("h-" + name, name)
        return "%d=%s=netdev:h-%s%s" % (number, name, name, options)
    return "%d=%s=%s:eth0,netns=%s%s" % (number, name, kind, name, options)


def start(lab, a="tap", b="tap"):
    lab.start(plug(lab, a, 1, "a"), plug(lab, b, 2, "b"))
    for name, address in (("a", "10.0.0.1/24"), ("b", "10.0.0.2/24")):
        lab.netns(name).run("ip", "addr", "add", address, "dev", "eth0")
    return lab.netns("a"), lab.netns("b")


@pytest.mark.parametrize("b", CLASSES)
@pytest.mark.parametrize("a", CLASSES)
def test_any_two_classes_join_containers(lab, a, b):
    web, db = start(lab, a, b)
    assert web.ping("10.0.0.2")
    assert move_file(web, db, "10.0.0.2")
    assert move_file(db, web, "10.0.0.1")


def super_frame(src, dst, length, is_tagged):
    frame = Ether(src=src.mac, dst=dst.mac)
    if is_tagged:
        frame = frame / Dot1Q(vlan=5)
    frame = frame / IP(src="10.0.0.1", dst="10.0.0.2")
    csum_start = len(frame)
    frame = frame / TCP(dport=9, chksum=0)
    hdr_len = len(frame)
    frame = frame / Raw(os.urandom(length - hdr_len))
    vnet = Vnet(NEEDS_CSUM, GSO_TCPV4, hdr_len=hdr_len, gso_size=1448,
                csum_start=csum_start, csum_offset=16)
    return frame, vnet


@pytest.mark.parametrize("is_tagged", (False, True))
@pytest.mark.parametrize("b", CLASSES)
@pytest.mark.parametrize("a", CLASSES)
def test_a_64_kb_frame_travels_whole(lab, a, b, is_tagged):
    web, db = start(lab, a, b)
    tx, rx = web.nic("eth0", vnet=True), db.nic("eth0", vnet=True)
    frame, vnet = super_frame(tx, rx, 65000, is_tagged)
    tx.send(frame, vnet)
    got = rx.expect(lambda f: f.haslayer(TCP) and f[TCP].dport == 9)
    assert got.raw == bytes(frame)
    assert (got.vnet.flags & NEEDS_CSUM, got.vnet.gso_type,
            got.vnet.gso_size) == (NEEDS_CSUM, GSO_TCPV4, 1448)


@pytest.mark.parametrize("kind", CLASSES)
def test_vlan_tags_pass(lab, kind):
    web, db = start(lab, kind, kind)
    tx, rx = web.nic("eth0"), db.nic("eth0")
    for tags in (Dot1Q(vlan=5, prio=3), Dot1Q(vlan=7) / Dot1Q(vlan=8)):
        frame = Ether(src=tx.mac, dst=rx.mac) / tags / IP(
            src="10.0.0.1", dst="10.0.0.2") / Raw(b"x" * 60)
        tx.send(frame)
        rx.expect(frame)


def test_a_containers_device_gets_what_was_asked_for(lab):
    web = lab.netns("web", ipv6=True)
    for kind in ("tap", "veth"):
        port = "p=%s:eth0,netns=web,mtu=1400,queues=2," \
            "mac=02:00:00:00:00:42,addr=10.0.0.1/24+fd00::1/64" % kind
        if not lab.weftd:
            lab.start("1=" + port)
        else:
            lab.weft("port", "add", port)
        shown = web.run("ip", "addr", "show", "dev", "eth0").stdout
        for setting in ("mtu 1400", "02:00:00:00:00:42", "10.0.0.1/24",
                        "fd00::1/64", ",UP"):
            assert setting in shown, setting
        assert "alias weft:br0:p" in web.run("ip", "link", "show").stdout
        lab.weft("port", "delete", "p")
        web.wait_link("eth0", there=False)


def test_offload_that_is_nonsense_is_dropped_and_counted(lab):
    web, db = start(lab)
    tx, rx = web.nic("eth0", vnet=True), db.nic("eth0")
    frame = Ether(src=tx.mac, dst=rx.mac) / IP(
        src="10.0.0.1", dst="10.0.0.2") / TCP(dport=9) / Raw(b"x" * 600)
    # A checksum to be put over the IP header's own addresses.
    tx.send(frame, Vnet(NEEDS_CSUM, csum_start=20, csum_offset=10))
    honest = Ether(src=tx.mac, dst=rx.mac, type=0x88b5) / Raw(b"y" * 60)
    tx.send(honest)
    rx.absent(lambda f: f.haslayer(TCP), behind=honest)
    assert "rx_bad_offload" in lab.text("port", "show", "a")


def test_a_netdev_that_is_set_down_is_not_lost(lab):
    web, _db = start(lab, "netdev")
    assert web.ping("10.0.0.2")
    lab.host.run("ip", "link", "set", "dev", "h-a", "down")
    assert not web.ping("10.0.0.2", deadline=1)
    lab.host.run("ip", "link", "set", "dev", "h-a", "up")
    assert eventually(lambda: web.ping("10.0.0.2", deadline=1), "a is back")


def test_what_a_killed_helper_leaves_goes_with_the_next_start(lab):
    lab.start(plug(lab, "netdev", 1, "a"), "2=vm0=tap:vm0,vm=yes",
              plug(lab, "tap", 3, "b"), plug(lab, "veth", 4, "c"))
    host = lab.host
    # The helper alone: main notices, and ends.
    os.kill(lab.weftd.pid, signal.SIGKILL)
    lab.weftd.wait()
    lab.weftd = None
    eventually(lambda: not lab.weftd_pids(), "main has ended")
    # Closed is the safe side.
    assert "weft/br0/" in host.run("nft", "list", "tables").stdout
    host.wait_link("vm0")

    lab.start(plug(lab, "tap", 1, "d"))
    assert not host.run("nft", "list", "tables").stdout.strip()
    host.wait_link("vm0", there=False)
    for name in "bc":
        lab.netns(name).wait_link("eth0", there=False)


def test_one_name_runs_once_per_namespace(lab):
    start(lab)
    done = run("ip", "netns", "exec", lab.host.name, lab.program("weftd"),
               "--switch-only", "--switch", "br0", "--run-dir",
               lab.run_dir + "2", "--state-dir", lab.run_dir + "3",
               check=False)
    assert done.returncode not in (0, None)
    assert "runs already" in done.stdout
    assert lab.netns("a").ping("10.0.0.2")


@pytest.mark.parametrize("is_bulk", (False, True))
def test_a_layer_3_nic_talks_to_an_ethernet_one(lab, is_bulk):
    """[a: tun0 10.0.0.1] --- br0 --- [b: eth0 10.0.0.2]; b knows who answers
    for a, since nobody behind a tun does."""
    a, b = lab.netns("a", ipv6=True), lab.netns("b", ipv6=True)
    lab.start("1=a=tun:tun0,netns=a,addr=10.0.0.1/24+fd00::1/64,"
              "mac=02:00:00:00:00:0a,peer=02:00:00:00:00:0b",
              "2=b=tap:eth0,netns=b,addr=10.0.0.2/24+fd00::2/64,"
              "mac=02:00:00:00:00:0b")
    lab.wait_port("a", "up")
    lab.wait_port("b", "up")
    b.run("ip", "neigh", "add", "10.0.0.1", "lladdr", "02:00:00:00:00:0a",
          "dev", "eth0")
    b.run("ip", "-6", "neigh", "add", "fd00::1", "lladdr",
          "02:00:00:00:00:0a", "dev", "eth0")
    if is_bulk:
        # Super-frames with checksums owed, both ways.
        assert move_file(a, b, "10.0.0.2")
        assert move_file(b, a, "10.0.0.1")
        return
    assert a.ping("10.0.0.2")
    assert b.ping("10.0.0.1")
    assert a.ping("fd00::2")
    nic = b.nic("eth0")
    nic.send(Ether(src=nic.mac, dst="02:00:00:00:00:0a", type=0x88b5)
             / Raw(b"x" * 50))
    eventually(lambda: re.search(r"tx_not_ip +1\n",
                                 lab.text("port", "show", "a")),
               "the frame that is not IP is counted")
