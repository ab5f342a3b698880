"""Guests that pose as the LAN's DHCP server or router: on Weft's switch and on
Open vSwitch.

    far, near   VLAN 20    east      web, db   untagged   flat      lan0

dnsmasq in a guest is a rogue as one finds them; scapy makes what only an
attacker sends.  The LAN's own server and router are heard."""

import json
import os
import re
import subprocess

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_Reply,
                                DHCP6_Solicit, DHCP6OptServerId)
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (ICMPv6ND_RA, ICMPv6ND_Redirect,
                                ICMPv6NDOptPrefixInfo, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN,
                                fragment6)
from scapy.layers.l2 import LLC, SNAP, Dot1Q, Dot3, Ether
from scapy.packet import Raw

import ovs
from netns import eventually
from test_controller import BROADCAST, MAC, Bench, experimental, link_local

INTENTS = """
version: 1
uplinks:
  lan: {device: lan0}
networks:
  east: {segment: {vlan: 20, uplink: lan}}
  flat: {segment: {vlan: 0, uplink: lan}}
ports:
  far: {network: east, tap: far, mac: "02:00:00:00:00:07"}
  near: {network: east, tap: near, mac: "02:00:00:00:00:08"}
  web: {network: flat, tap: web, mac: "02:00:00:00:00:01"}
  db: {network: flat, tap: db, mac: "02:00:00:00:00:02"}
"""
# Who lies, who would believe it, the LAN's tag.
SEGMENTS = {"vlan": ("far", "near", 20), "flat": ("web", "db", None)}
LAN_MAC = "02:00:00:00:bb:01"
ALL_NODES = "33:33:00:00:00:01"
GUARD = 16


def test_a_trace_names_the_guard(lab):
    """Of the whole daemon; first, since the others' namespaces stay."""
    lab.veth("lan0", "lan")
    for name in ("far", "near"):
        lab.netns(name)
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write("""version: 1
uplinks: {lan: {device: lan0}}
networks: {east: {segment: {vlan: 20, uplink: lan}}}
ports:
  far: {network: east, netns: far, mac: "02:00:00:00:00:07"}
  near: {network: east, netns: near}
""")
    lab.start_daemon()
    lab.weft("apply", path)
    for packet in ("udp,dl_dst=ff:ff:ff:ff:ff:ff,nw_src=192.168.66.1,"
                   "nw_dst=255.255.255.255,tp_src=67,tp_dst=68",
                   "icmp6,dl_dst=33:33:00:00:00:01,ipv6_src=%s,"
                   "ipv6_dst=ff02::1,nw_ttl=255,icmp_type=134,icmp_code=0"
                   % link_local("far")):
        traced = lab.weft("trace", "far",
                          "dl_src=02:00:00:00:00:07," + packet,
                          status=None).stdout
        steps = [step["text"] for step in json.loads(traced)["steps"]]
        last = [step for step in steps if "cookie" in step][-1]
        assert last.startswith("table %d: priority" % GUARD)
        assert not json.loads(traced)["forwarded"]


@pytest.fixture(scope="module", params=["weft", "ovs"])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"), INTENTS)
    bench.start()
    yield bench
    bench.close()


@pytest.fixture(params=sorted(SEGMENTS))
def segment(request):
    return SEGMENTS[request.param]


def guarded(bench, match):
    """How many packets met the guard's flows with this text."""
    flows = bench.ofctl("dump-flows", "table=%d" % GUARD).splitlines()
    return sum(int(re.search(r"n_packets=(\d+)", line).group(1))
               for line in flows if match in line)


def is_stopped(bench, rogue, frame, match):
    """Nobody hears it, and the guard counts why."""
    before = guarded(bench, match)
    assert bench.who(rogue, frame) == set()
    if bench.ovs:
        bench.ovs.settle()
    eventually(lambda: guarded(bench, match) > before,
               "the guard's flow with %s counts it" % match)


def from_lan(vid, dst=BROADCAST):
    ether = Ether(src=LAN_MAC, dst=dst)
    return ether / Dot1Q(vlan=vid) if vid else ether


# --- DHCP -------------------------------------------------------------------

def discover(name):
    return (Ether(src=MAC[name], dst=BROADCAST)
            / IP(src="0.0.0.0", dst="255.255.255.255")
            / UDP(sport=68, dport=67)
            / BOOTP(chaddr=bytes.fromhex(MAC[name].replace(":", "")), xid=9,
                    flags=0x8000)
            / DHCP(options=[("message-type", "discover"), "end"]))


def offer(sport=67):
    return (IP(src="192.168.66.1", dst="255.255.255.255")
            / UDP(sport=sport, dport=68)
            / BOOTP(op=2, yiaddr="192.168.66.7", xid=9,
                    chaddr=bytes.fromhex("020000000008"))
            / DHCP(options=[("message-type", "offer"),
                            ("server_id", "192.168.66.1"), "end"]))


def test_a_real_server_in_a_guest_gives_nobody_an_address(bench, segment):
    rogue, victim, vid = segment
    guest = bench.lab.netns("g-" + rogue)
    guest.run("ip", "addr", "add", "192.168.66.1/24", "dev", "eth0")
    log = os.path.join(bench.lab.dir, "dnsmasq-" + rogue)
    server = guest.popen(
        "dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null",
        "--interface=eth0", "--bind-interfaces", "--no-ping", "--no-daemon",
        "--dhcp-range=192.168.66.10,192.168.66.20", "--dhcp-authoritative",
        "--dhcp-leasefile=" + log + ".leases", "--log-dhcp",
        "--log-facility=" + log, "--user=root",
        stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: os.path.exists(log)
                   and "DHCP, IP range" in open(log).read(),
                   "dnsmasq serves")
        before = guarded(bench, "tp_dst=68")
        bench.nics[victim].send(discover(victim))
        # It heard the question, and answered.
        eventually(lambda: "DHCPOFFER" in open(log).read(), "it answers")
        eventually(lambda: guarded(bench, "tp_dst=68") > before,
                   "the guard saw the answer")
        end = experimental(rogue, victim)
        bench.nics[rogue].send(end)
        bench.nics[victim].absent(
            lambda f: f.haslayer(BOOTP) and f[BOOTP].op == 2, behind=end)
    finally:
        server.terminate()
        server.wait(20)
        guest.run("ip", "addr", "flush", "dev", "eth0")
    # The LAN's own server, meanwhile, is heard.
    assert bench.who("lan0", from_lan(vid) / offer()) >= {victim}


@pytest.mark.parametrize("sport", [67, 68, 1067])
def test_no_offer_by_whatever_port(bench, segment, sport):
    rogue, _, _ = segment
    is_stopped(bench, rogue, Ether(src=MAC[rogue], dst=BROADCAST)
               / offer(sport), "tp_dst=68")


def server6(kind, sport=547):
    return UDP(sport=sport, dport=546) / kind(trid=1) / DHCP6OptServerId(
        duid=bytes.fromhex("00030001020000000007"))


@pytest.mark.parametrize("kind,sport", [(DHCP6_Advertise, 547),
                                        (DHCP6_Reply, 547),
                                        (DHCP6_Reply, 999)])
def test_no_dhcpv6_server(bench, segment, kind, sport):
    rogue, victim, vid = segment
    answer = IPv6(src=link_local(rogue), dst=link_local(victim)) \
        / server6(kind, sport)
    is_stopped(bench, rogue, Ether(src=MAC[rogue], dst=MAC[victim]) / answer,
               "tp_dst=546")
    answer[IPv6].src = "fe80::bb:1"
    assert bench.who("lan0", from_lan(vid, MAC[victim]) / answer) == {victim}


def test_clients_are_heard_by_the_lan(bench, segment):
    rogue, victim, _ = segment
    solicit = Ether(src=MAC[victim], dst="33:33:00:01:00:02") / IPv6(
        src=link_local(victim), dst="ff02::1:2") / UDP(sport=546, dport=547) \
        / DHCP6_Solicit(trid=1)
    assert bench.who(victim, solicit) == {rogue, "lan0"}


# --- Router advertisements --------------------------------------------------

def advert(rogue):
    return ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptPrefixInfo(
        prefix="2001:db8:bad::", prefixlen=64)


def headers(rogue, dst="ff02::1"):
    return IPv6(src=link_local(rogue), dst=dst, hlim=255)


OPTIONS = [PadN(optdata=bytes(4))]
HOP, DEST = IPv6ExtHdrHopByHop(options=OPTIONS), IPv6ExtHdrDestOpt(
    options=OPTIONS)
CHAINS = {
    "plain": [],
    "hop-by-hop": [HOP],
    "destination": [DEST],
    "both": [HOP, DEST],
    "routing": [IPv6ExtHdrRouting(addresses=[], segleft=0)],
    "twelve": [DEST] * 12,
    "an atomic fragment": [IPv6ExtHdrFragment(id=7)],
    "options in an atomic fragment": [IPv6ExtHdrFragment(id=7), DEST],
}


@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_no_advertisement_behind_any_headers(bench, segment, chain):
    rogue, _, _ = segment
    packet = headers(rogue)
    for header in CHAINS[chain]:
        packet /= header.copy()
    is_stopped(bench, rogue, Ether(src=MAC[rogue], dst=ALL_NODES) / packet
               / advert(rogue), "icmp_type=134")


def test_nor_behind_more_than_are_read(bench, segment):
    rogue, _, _ = segment
    packet = headers(rogue)
    for _ in range(60):
        packet /= DEST.copy()
    packet /= advert(rogue)
    assert bench.who(rogue, Ether(src=MAC[rogue], dst=ALL_NODES)
                     / packet) == set()
    # Nor where they say that they are longer than the packet.
    cut = headers(rogue) / IPv6ExtHdrDestOpt(len=200, autopad=0) \
        / advert(rogue)
    assert bench.who(rogue, Ether(src=MAC[rogue], dst=ALL_NODES)
                     / cut) == set()


def fragments(packet, size):
    return fragment6(packet, size)


# What comes first may be too short to tell what it is (RFC 7113, 2.2).
@pytest.mark.parametrize("n_options", [0, 1, 12])
def test_nor_in_fragments(bench, segment, n_options):
    rogue, victim, _ = segment
    for dst, mac in (("ff02::1", ALL_NODES),
                     (link_local(victim), MAC[victim])):
        packet = headers(rogue, dst) / IPv6ExtHdrFragment(id=n_options)
        for _ in range(n_options):
            packet /= DEST.copy()
        packet /= advert(rogue)
        pieces = fragments(packet, 40 + 8 + 16)
        assert len(pieces) > 1
        for piece in pieces:
            assert bench.who(rogue, Ether(src=MAC[rogue], dst=mac)
                             / piece) == set()


def test_no_dhcpv6_server_in_fragments(bench, segment):
    rogue, victim, _ = segment
    packet = IPv6(src=link_local(rogue), dst=link_local(victim)) \
        / IPv6ExtHdrFragment(id=5) / server6(DHCP6_Reply) / Raw(bytes(64))
    for piece in fragments(packet, 40 + 8 + 32):
        is_stopped(bench, rogue, Ether(src=MAC[rogue], dst=MAC[victim])
                   / piece, "frag=")


def test_fragments_of_others_pass(bench, segment):
    rogue, victim, _ = segment
    packet = IPv6(src="2001:db8::7", dst="2001:db8::8", hlim=64) \
        / IPv6ExtHdrFragment(id=6) / UDP(sport=1, dport=2) / Raw(bytes(200))
    for piece in fragments(packet, 40 + 8 + 64):
        assert bench.who(rogue, Ether(src=MAC[rogue], dst=MAC[victim])
                         / piece) == {victim}


def test_no_redirect(bench, segment):
    rogue, victim, _ = segment
    redirect = headers(rogue, link_local(victim)) / ICMPv6ND_Redirect(
        tgt=link_local(rogue), dst="2001:db8::9")
    is_stopped(bench, rogue, Ether(src=MAC[rogue], dst=MAC[victim])
               / redirect, "icmp_type=137")


def test_no_advertisement_in_another_frame(bench, segment):
    """Priority tags, and IPv6 behind an LLC/SNAP header."""
    rogue, _, _ = segment
    packet = headers(rogue) / advert(rogue)
    tagged = Ether(src=MAC[rogue], dst=ALL_NODES) / Dot1Q(vlan=0, prio=5)
    is_stopped(bench, rogue, tagged / packet, "icmp_type=134")
    assert bench.who(rogue, tagged / Dot1Q(vlan=0) / packet) == set()
    snap = Dot3(src=MAC[rogue], dst=ALL_NODES) / LLC(
        dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(OUI=0, code=0x86dd)
    assert bench.who(rogue, snap / packet) == set()


def test_the_lan_s_own_router_is_heard(bench, segment):
    rogue, victim, vid = segment
    packet = IPv6(src="fe80::bb:1", dst="ff02::1", hlim=255) / advert(rogue)
    assert bench.who("lan0", from_lan(vid, ALL_NODES) / packet) == {rogue,
                                                                    victim}
