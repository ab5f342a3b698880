"""Multicast reaches who asked for it: on Weft's switch and on Open vSwitch.

    web .10   db .20   iso .30, alone .31 (isolated)   blue
    fw: VLAN 100 blue                                  a trunk
    far (VLAN 20), lan0 the LAN                        bridged
    odd, twin                                          loud: multicast: flood

Who listens are Linux kernels, by sockets; odd messages are scapy's.  A group
reaches somebody when a datagram of this test's does."""

import itertools
import os
import re
import socket
import struct
import sys

import pytest
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mr
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (ICMPv6MLQuery, ICMPv6MLReport, IPv6,
                                IPv6ExtHdrHopByHop, RouterAlert)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import make_membership_frames                       # noqa: E402
import ovs                                          # noqa: E402
from netns import eventually                        # noqa: E402
from test_controller import MAC, Bench, Controller, link_local    # noqa: E402

INTENTS = """
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
  east: {segment: {vlan: 20, uplink: lan}}
  loud: {subnet: 10.9.0.0/24, multicast: flood}
ports:
  web: {network: blue, tap: web, mac: "02:00:00:00:00:01", address: 10.1.0.10}
  db: {network: blue, tap: db, mac: "02:00:00:00:00:02", address: 10.1.0.20}
  iso: {network: blue, tap: iso, mac: "02:00:00:00:00:03",
        address: 10.1.0.30, isolated: true}
  alone: {network: blue, tap: alone, mac: "02:00:00:00:00:04",
          address: 10.1.0.31, isolated: true}
  twin: {network: loud, tap: twin, mac: "02:00:00:00:00:05",
         address: 10.9.0.20}
  fw: {trunk: {100: blue}, tap: fw, mac: "02:00:00:00:00:06"}
  far: {network: east, tap: far, mac: "02:00:00:00:00:07"}
  near: {network: east, tap: near, mac: "02:00:00:00:00:08"}
  odd: {network: loud, tap: odd, mac: "02:00:00:00:00:09",
        address: 10.9.0.9}
"""
IP4 = {"web": "10.1.0.10", "db": "10.1.0.20", "iso": "10.1.0.30",
       "alone": "10.1.0.31", "twin": "10.9.0.20", "odd": "10.9.0.9",
       "far": "192.168.20.7", "near": "192.168.20.8"}
LAN_MAC = "02:00:00:00:bb:01"
IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP = 39, 40
ALERT = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])
serial = itertools.count(1)


@pytest.fixture(scope="module", params=["weft", "ovs"])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"), INTENTS)
    bench.start()
    for name in ("web", "db", "iso", "alone", "far", "near"):
        guest = bench.lab.netns("g-" + name)
        guest.run("ip", "addr", "add", IP4[name] + "/24", "dev", "eth0")
    # What is new hears all, until it was asked.
    settled(bench, "web", "239.255.0.1", set())
    settled(bench, "lan0", "239.255.0.1", set(), vid=20)
    yield bench
    bench.close()


@pytest.fixture
def group():
    """Another one for each test."""
    return "239.7.%d.%d" % divmod(next(serial), 250)


@pytest.fixture
def group6():
    return "ff15::%x" % next(serial)


# --- Sending ----------------------------------------------------------------

def group_mac(group):
    if ":" in group:
        last = socket.inet_pton(socket.AF_INET6, group)[-4:]
        return "33:33:" + ":".join("%02x" % b for b in last)
    a, b, c = [int(x) for x in group.split(".")[1:]]
    return "01:00:5e:%02x:%02x:%02x" % (a & 0x7f, b, c)


def datagram(sender, group, text, vid=None):
    """What `sender` says to the group."""
    mac = MAC.get(sender) if sender != "lan0" else LAN_MAC
    ether = Ether(src=mac, dst=group_mac(group))
    if vid:
        ether /= Dot1Q(vlan=vid)
    if ":" in group:
        ip = IPv6(src=link_local(sender), dst=group, hlim=8)
    else:
        ip = IP(src=IP4.get(sender, "192.168.20.1"), dst=group, ttl=8)
    return ether / ip / UDP(sport=4000, dport=4000) / Raw(text)


def listeners(bench, sender, group, vid=None):
    """Who gets what is sent to the group."""
    text = b"datagram %d." % next(serial)
    heard = bench.heard(sender, datagram(sender, group, text, vid))
    return {name for name, frames in heard.items()
            if any(text in bytes(frame) for frame in frames)}


def settled(bench, sender, group, who, vid=None):
    """A report has its way by the controller."""
    def probe():
        if bench.ovs:
            bench.ovs.settle()
        return listeners(bench, sender, group, vid) == who
    eventually(probe, "%s reaches %s" % (group, sorted(who)))


def keeps(bench, sender, group, name):
    """It hears the group still.  Open vSwitch has several threads for misses, so
    that a marker may overtake the first datagram of a new flow."""
    if bench.ovs:
        listeners(bench, sender, group)
        bench.ovs.settle()
    assert name in listeners(bench, sender, group)


# --- Listening --------------------------------------------------------------

def join(bench, name, group, source=None):
    """A socket in the guest's kernel that listens; closing it leaves."""
    guest = bench.lab.netns("g-" + name)

    def listen():
        index = socket.if_nametoindex("eth0")
        if ":" in group:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            socket.inet_pton(socket.AF_INET6, group)
                            + struct.pack("@i", index))
            return sock
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own = socket.inet_aton(IP4[name])
        if source:
            sock.setsockopt(socket.IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP,
                            socket.inet_aton(group) + own
                            + socket.inet_aton(source))
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(group) + own
                            + struct.pack("@i", index))
        return sock
    return guest.call(listen)


def report(bench, name, *groups, kind=4):
    """By scapy: as many records as are wanted."""
    bench.nics[name].send(
        Ether(src=MAC[name], dst="01:00:5e:00:00:16")
        / IP(src=IP4[name], dst="224.0.0.22", ttl=1, proto=2)
        / IGMPv3(type=0x22) / IGMPv3mr(records=[
            IGMPv3gr(rtype=kind, maddr=group) for group in groups]))


def group_flows(bench):
    """{address} of the groups that somebody hears."""
    return set(re.findall(r"table=44, priority=30,.*?(?:nw_dst|ipv6_dst)="
                          r"([0-9a-f.:]+)", "\n".join(bench.flows())))


def test_a_group_reaches_who_joined_and_nobody_else(bench, group):
    assert listeners(bench, "web", group) == set()
    with join(bench, "db", group):
        settled(bench, "web", group, {"db"})
        # Who sends does not hear itself.
        assert listeners(bench, "db", group) == set()
        with join(bench, "iso", group):
            settled(bench, "web", group, {"db", "iso"})
    settled(bench, "web", group, set())
    assert group not in group_flows(bench)


def test_so_it_is_with_ipv6(bench, group6):
    guest = bench.lab.netns("g-db")
    assert listeners(bench, "web", group6) == set()
    guest.sysctl("net/ipv6/conf/eth0/disable_ipv6", "0")
    try:
        eventually(lambda: "tentative" not in guest.run(
            "ip", "-6", "addr", "show", "dev", "eth0").stdout, "DAD is over")
        with join(bench, "db", group6):
            settled(bench, "web", group6, {"db"})
        settled(bench, "web", group6, set())
    finally:
        guest.sysctl("net/ipv6/conf/eth0/disable_ipv6", "1")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_of_igmp_is_understood(bench, group, version):
    guest = bench.lab.netns("g-db")
    guest.sysctl("net/ipv4/conf/eth0/force_igmp_version", str(version))
    try:
        with join(bench, "db", group):
            settled(bench, "web", group, {"db"})
        if version > 1:                     # It does not say that it leaves.
            settled(bench, "web", group, set())
    finally:
        guest.sysctl("net/ipv4/conf/eth0/force_igmp_version", "0")


def test_a_source_is_an_interest_in_the_group(bench, group):
    with join(bench, "db", group, source=IP4["web"]):
        settled(bench, "web", group, {"db"})
    # "No more from it" is asked about: two seconds.
    settled(bench, "web", group, set())


def test_isolated_ports_do_not_hear_each_other(bench, group):
    with join(bench, "alone", group), join(bench, "db", group):
        settled(bench, "web", group, {"alone", "db"})
        assert listeners(bench, "iso", group) == {"db"}


def test_a_trunk_listens_with_its_tag(bench, group):
    bench.nics["fw"].send(
        Ether(src=MAC["fw"], dst=group_mac(group)) / Dot1Q(vlan=100)
        / IP(src="0.0.0.0", dst=group, ttl=1) / IGMP(type=0x16, gaddr=group))
    settled(bench, "web", group, {"fw"})
    bench.nics["fw"].send(
        Ether(src=MAC["fw"], dst=group_mac("224.0.0.2")) / Dot1Q(vlan=100)
        / IP(src="0.0.0.0", dst="224.0.0.2", ttl=1)
        / IGMP(type=0x17, gaddr=group))
    settled(bench, "web", group, set())


def test_what_never_leaves_a_link_reaches_everybody(bench):
    everybody = {"db", "iso", "alone", "fw"}
    for group in ("224.0.0.251", "224.0.0.1", "ff02::fb", "ff02::1:3",
                  "ff12::1"):
        assert listeners(bench, "web", group) == everybody, group
    other = Ether(src=MAC["web"], dst="01:00:0c:cc:cc:cd", type=0x88b5)
    assert bench.who("web", other / Raw(bytes(50))) == everybody


def test_reports_are_no_other_host_s_business(bench, group):
    nic = bench.nics["web"]
    for text in (Ether(src=nic.mac, dst=group_mac(group))
                 / IP(src=IP4["web"], dst=group, ttl=1)
                 / IGMP(type=0x16, gaddr=group),
                 Ether(src=nic.mac, dst="33:33:00:00:00:99")
                 / IPv6(src=link_local("web"), dst="ff15::99", hlim=1)
                 / ALERT / ICMPv6MLReport(mladdr="ff15::99")):
        assert bench.who("web", text) == set()


def test_a_network_may_want_its_multicast_flooded(bench, group):
    assert listeners(bench, "odd", group) == {"twin"}
    assert listeners(bench, "odd", "ff15::1234") == {"twin"}


# --- Router ports and the LAN -----------------------------------------------

def query(src, mac, group=None, vid=None):
    ether = Ether(src=mac, dst=group_mac(group or "224.0.0.1"))
    if vid:
        ether /= Dot1Q(vlan=vid)
    return ether / IP(src=src, dst=group or "224.0.0.1", ttl=1) \
        / IGMP(type=0x11, gaddr=group or "0.0.0.0", mrcode=10)


def test_the_lan_hears_groups_and_reports(bench, group):
    assert listeners(bench, "far", group) == {"lan0"}
    said = bench.heard("far", Ether(src=MAC["far"], dst=group_mac(group))
                       / IP(src=IP4["far"], dst=group, ttl=1)
                       / IGMP(type=0x16, gaddr=group))
    assert set(said) == {"lan0"} and said["lan0"][0][Dot1Q].vlan == 20
    settled(bench, "near", group, {"far", "lan0"})
    settled(bench, "lan0", group, {"far"}, vid=20)
    assert listeners(bench, "lan0", "239.200.0.1", vid=20) == set()
    bench.nics["far"].send(
        Ether(src=MAC["far"], dst=group_mac("224.0.0.2"))
        / IP(src=IP4["far"], dst="224.0.0.2", ttl=1)
        / IGMP(type=0x17, gaddr=group))
    settled(bench, "lan0", group, set(), vid=20)


def test_questions_of_the_lan_reach_those_who_answer(bench, group):
    with join(bench, "far", group):
        settled(bench, "lan0", group, {"far"}, vid=20)
        assert bench.who("lan0", query("192.168.20.1", LAN_MAC,
                                       vid=20)) >= {"far", "near"}
        # About one group: by way of the controller.
        bench.nics["near"].drain()
        bench.nics["lan0"].send(query("192.168.20.1", LAN_MAC, group, 20))
        bench.nics["far"].expect(
            lambda f: f.haslayer(IGMP) and f[IP].dst == group)
        assert not [f for f in bench.nics["near"].drain()
                    if f.haslayer(IGMP) and f[IP].dst == group]
        # And the guest's kernel answers.
        bench.nics["lan0"].expect(
            lambda f: f.haslayer(IP) and f[IP].proto == 2
            and f.src == MAC["far"])


def test_a_guest_that_asks_hears_all(bench, group):
    """The last of blue: from now on iso is a router port there."""
    said = bench.heard("iso", query(IP4["iso"], MAC["iso"]))
    assert {name for name, frames in said.items()
            if any(f.src == MAC["iso"] for f in frames)} == {"web", "db",
                                                             "fw"}
    settled(bench, "web", group, {"iso"})
    with join(bench, "db", group):
        settled(bench, "web", group, {"iso", "db"})
        assert "iso" in bench.who(
            "web", Ether(src=MAC["web"], dst=group_mac(group))
            / IP(src=IP4["web"], dst=group, ttl=1)
            / IGMP(type=0x16, gaddr=group))
        settled(bench, "alone", group, {"web", "db"})


# --- Those who lie, and those who say too much ------------------------------

def test_what_is_malformed_joins_nothing(bench):
    before = group_flows(bench)
    for name, frame, read in make_membership_frames.FRAMES:
        if " " in read:
            continue
        data = bytearray(bytes(frame))
        data[6:12] = bytes.fromhex(MAC["db"].replace(":", ""))
        bench.nics["db"].send(Ether(bytes(data)))
    # Behind them, one that is sound.
    report(bench, "db", "239.99.0.1")
    settled(bench, "web", "239.99.0.1", listeners(bench, "web", "239.99.0.2")
            | {"db"})
    assert group_flows(bench) - before == {"239.99.0.1"}
    report(bench, "db", "239.99.0.1", kind=3)


def test_who_joins_too_much_costs_nobody_else(bench, group):
    before = len(group_flows(bench))
    for i in range(4):
        report(bench, "web", *("239.50.%d.%d" % (i, j) for j in range(100)))
    report(bench, "db", group)
    eventually(lambda: group in group_flows(bench), "db's report is heard")
    assert len(group_flows(bench)) - before <= 128 + 1
    report(bench, "db", group, kind=3)
    for i in range(4):
        report(bench, "web", *("239.50.%d.%d" % (i, j) for j in range(100)),
               kind=3)


# --- Another controller -----------------------------------------------------

def test_a_port_that_comes_hears_all_until_it_was_asked(bench, group):
    """A guest may be older than its port: it does not say again what it
    hears, if it is not asked."""
    without = INTENTS.replace("  db: {network: blue", "  db: {network: loud")
    without = without.replace("address: 10.1.0.20}", "address: 10.9.0.2}")
    bench.apply(without)
    with join(bench, "db", group):
        bench.apply(INTENTS)
        assert "db" in listeners(bench, "web", "239.255.0.2")
        settled(bench, "web", "239.255.0.2",
                listeners(bench, "web", "239.255.0.2") - {"db"})
        assert group in group_flows(bench)
        assert "db" in listeners(bench, "web", group)


def test_a_new_controller_takes_no_group_from_anybody(bench, group):
    with join(bench, "db", group):
        settled(bench, "web", group, listeners(bench, "web", "239.255.0.3")
                | {"db"})
        flows = sorted(bench.flows())
        bench.controller.stop()
        keeps(bench, "web", group, "db")
        bench.controller = Controller(bench)
        synced = bench.controller.synced()
        # The marker is not ours; else nothing is touched.
        assert synced["mods"] == 1 and synced["bundles"] == 1
        bench.mark()
        assert sorted(bench.flows()) == flows
        keeps(bench, "web", group, "db")
