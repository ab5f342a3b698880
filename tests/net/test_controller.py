"""The controller's networks, by frames: on Weft's switch and on Open vSwitch.

    web .10   db .20 and .21   iso .30, alone .31 (isolated)     blue
    twin .20 (the same addresses)                                red
    fw: VLAN 100 blue, VLAN 101 red                              a trunk
    far (VLAN 20), near (VLAN 30), lan0 the LAN                  bridged
    odd: its sources are not checked                             loose
    six: addresses by DHCPv6                                     given

Every frame is made by scapy and sent by the NIC that a guest would have.  Who
heard it is known from a marker that is sent behind it and flooded to all."""

import os
import select
import signal
import socket
import subprocess

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_Release, DHCP6_Reply,
                                DHCP6_Request, DHCP6_Solicit,
                                DHCP6OptClientId, DHCP6OptIA_NA,
                                DHCP6OptIAAddress, DHCP6OptServerId,
                                DUID_LL)
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptPrefixInfo,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

import ovs
import weft
from netns import eventually, run

INTENTS = """
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
  red: {subnet: 10.1.0.0/24}
  east: {segment: {vlan: 20, uplink: lan}}
  west: {segment: {vlan: 30, uplink: lan}}
  loose: {subnet: 10.9.0.0/24, storm-cap: 50}
  given: {subnet6: "fd00:6::/64", ra: stateful}
ports:
  web: {network: blue, tap: web, mac: "02:00:00:00:00:01", address: 10.1.0.10}
  db: {network: blue, tap: db, mac: "02:00:00:00:00:02", address: 10.1.0.20,
       allow: [{mac: "02:00:00:00:0a:02", address: 10.1.0.21}]}
  iso: {network: blue, tap: iso, mac: "02:00:00:00:00:03",
        address: 10.1.0.30, isolated: true}
  alone: {network: blue, tap: alone, mac: "02:00:00:00:00:04",
          address: 10.1.0.31, isolated: true}
  twin: {network: red, tap: twin, mac: "02:00:00:00:00:05",
         address: 10.1.0.20}
  fw: {trunk: {100: blue, 101: red}, tap: fw, mac: "02:00:00:00:00:06"}
  far: {network: east, tap: far, mac: "02:00:00:00:00:07"}
  near: {network: west, tap: near, mac: "02:00:00:00:00:08"}
  odd: {network: loose, tap: odd, mac: "02:00:00:00:00:09",
        anti-spoof: false}
  six: {network: given, tap: six, mac: "02:00:00:00:00:0b",
        address6: "fd00:6::10"}
"""
NAMES = ["web", "db", "iso", "alone", "twin", "fw", "far", "near", "odd",
         "lan0", "six"]
MAC = {name: "02:00:00:00:00:%02x" % (i + 1)
       for i, name in enumerate(NAMES)}
NESTED = "02:00:00:00:0a:02"
IP4 = {"web": "10.1.0.10", "db": "10.1.0.20", "iso": "10.1.0.30",
       "alone": "10.1.0.31", "twin": "10.1.0.20"}
GATEWAY = "10.1.0.1"
BROADCAST = "ff:ff:ff:ff:ff:ff"
MARKER_TYPE = 0x88b6
COMMAND_TIMEOUT = 20


class Controller:
    """controller_driver, and what it says."""

    def __init__(self, bench):
        self.path = os.path.join(bench.lab.dir, "cloud.yaml")
        self.write(bench.intents)
        resolv_conf = os.path.join(bench.lab.dir, "resolv.conf")
        with open(resolv_conf, "w") as f:
            f.write("nameserver 127.0.0.1\n")
        self.process = bench.lab.host.popen(
            bench.lab.program("tests/controller_driver"), bench.method,
            self.path, resolv_conf, stdout=subprocess.PIPE, text=True)

    def write(self, text):
        with open(self.path, "w") as f:
            f.write(text)

    def apply(self, text):
        self.write(text)
        self.process.send_signal(signal.SIGHUP)
        return self.synced()

    def synced(self):
        """What it sent in all, when it has nothing left to send."""
        ready, _, _ = select.select([self.process.stdout], [], [],
                                    COMMAND_TIMEOUT)
        assert ready, "the controller does not come to an end"
        words = self.process.stdout.readline().split()
        assert words and words[0] == "synced", words
        return dict(zip(("generation", "flows", "mods", "bundles",
                         "refused"), map(int, words[1:])))

    def stop(self):
        self.process.terminate()
        assert self.process.wait(COMMAND_TIMEOUT) == 0
        self.process.stdout.close()


class Bench:
    def __init__(self, kind, build, intents=INTENTS):
        self.kind = kind
        self.intents = intents
        self.lab = weft.Lab(build)
        self.ovs = None
        self.nics = {}

    def start(self):
        for name in NAMES:
            self.lab.veth(name, "g-" + name)
            self.lab.netns("g-" + name).run("ip", "link", "set", "dev",
                                            "eth0", "address", MAC[name])
        if self.kind == "ovs":
            self.ovs = ovs.Ovs(self.lab.host,
                               os.path.join(self.lab.dir, "ovs"))
            self.ovs.start()
            for number, name in enumerate(NAMES, 1):
                self.ovs.add_port(name, number)
            self.method = self.ovs.method
        else:
            self.lab.start(*("%d=%s=netdev:%s" % (number, name, name)
                             for number, name in enumerate(NAMES, 1)),
                           options=("--fail-mode", "secure"))
            self.method = "unix:" + os.path.join(self.lab.run_dir,
                                                 "br0.mgmt")
        self.nics = {name: self.lab.netns("g-" + name).nic("eth0")
                     for name in NAMES}
        # Something that is not the controller's: it goes.
        self.ofctl("add-flow", "table=7,priority=3,actions=drop")
        self.controller = Controller(self)
        self.first = self.controller.synced()
        self.mark()

    def apply(self, text):
        synced = self.controller.apply(text)
        if self.ovs:
            self.ovs.settle()
        return synced

    def mark(self):
        """Frames of this type reach everybody, the sender too."""
        self.ofctl("add-flow", "table=0,priority=65535,dl_type=0x%x,"
                   "actions=in_port,all" % MARKER_TYPE)

    def ofctl(self, verb, *args):
        return run("ovs-ofctl", "-O", "OpenFlow15", verb, self.method,
                   *args).stdout

    def flows(self):
        return [line for line in self.ofctl("dump-flows", "--no-stats")
                .splitlines() if "dl_type=0x%x" % MARKER_TYPE not in line]

    def heard(self, sender, frame):
        """{name: [frames]} of those who heard it, the sender's answers
        included."""
        nic = self.nics[sender]
        nic.send(frame)
        nic.send(Ether(src=nic.mac, dst=BROADCAST, type=MARKER_TYPE)
                 / Raw(bytes(50)))
        got = {}
        for name in NAMES:
            for one in self.nics[name].frames():
                if one.type == MARKER_TYPE:
                    break
                if one.vnet is None and not _is_noise(one):
                    got.setdefault(name, []).append(one)
        return got

    def who(self, sender, frame):
        return set(self.heard(sender, frame))

    def close(self):
        try:
            self.controller.stop()
            for nic in self.nics.values():
                nic.close()
            if self.ovs:
                self.ovs.stop()
                # The devices of its bridges, which it does not take along.
                for name in set(self.lab.host.links()) - set(NAMES) - {"lo"}:
                    self.lab.host.run("ip", "link", "del", name)
        finally:
            self.lab.close()


def _is_noise(frame):
    """What the machine's own network devices say by themselves."""
    return frame.src not in list(MAC.values()) + [NESTED] \
        and not frame.src.startswith("02:00:00:00:bb") \
        and not _is_gateway(frame)


def _is_gateway(frame):
    """What it answers; it asks by itself who hears groups (MLD, which begins
    with options; IGMP is none of these)."""
    return frame.haslayer(ARP) or frame.haslayer(ICMP) \
        or frame.haslayer(ICMPv6EchoRequest) \
        or (frame.haslayer(IPv6) and frame[IPv6].nh != 0)


@pytest.fixture(scope="module", params=["weft", "ovs"])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"))
    bench.start()
    yield bench
    bench.close()


def frame(src, dst, payload=None, mac=None):
    return Ether(src=mac or MAC[src], dst=MAC.get(dst, dst)) \
        / (payload or Raw(bytes(50)))


def udp(src, dst, sport=4000, dport=4000):
    return IP(src=src, dst=dst) / UDP(sport=sport, dport=dport) / Raw(b"x")


def ask(sender, spa, tpa):
    return Ether(src=MAC[sender], dst=BROADCAST) / ARP(
        op=1, hwsrc=MAC[sender], psrc=spa, pdst=tpa)


def experimental(src, dst, mac=None):
    return Ether(src=mac or MAC[src], dst=MAC.get(dst, dst), type=0x88b5) \
        / Raw(bytes(50))


def link_local(name):
    mac = [int(b, 16) for b in MAC[name].split(":")]
    return "fe80::%x:%xff:fe%02x:%x" % (
        (mac[0] ^ 2) << 8 | mac[1], mac[2] << 8, mac[3],
        mac[4] << 8 | mac[5])


# --- Who reaches whom -------------------------------------------------------

def test_a_network_s_ports_reach_each_other(bench):
    assert bench.who("web", frame("web", "db", udp("10.1.0.10",
                                                   "10.1.0.20"))) == {"db"}
    assert bench.who("db", frame("db", "web", udp("10.1.0.20",
                                                  "10.1.0.10"))) == {"web"}


def test_networks_do_not(bench):
    for dst in ("twin", "far", "near", "odd"):
        assert bench.who("web", frame("web", dst)) == set(), dst
    assert bench.who("far", experimental("far", "near")) == {"lan0"}


def test_isolated_ports_reach_others_but_not_each_other(bench):
    assert bench.who("iso", experimental("iso", "web")) == {"web"}
    assert bench.who("web", experimental("web", "iso")) == {"iso"}
    assert bench.who("iso", experimental("iso", "alone")) == set()


def test_a_broadcast_reaches_the_network_and_nobody_else(bench):
    said = bench.heard("web", frame("web", BROADCAST,
                                    udp("10.1.0.10", "10.1.0.255")))
    assert set(said) == {"db", "iso", "alone", "fw"}
    assert said["fw"][0][Dot1Q].vlan == 100
    said = bench.who("iso", frame("iso", BROADCAST,
                                  udp("10.1.0.30", "10.1.0.255")))
    assert said == {"web", "db", "fw"}


def test_a_trunk_is_in_each_of_its_networks(bench):
    def tagged(vid, dst):
        return Ether(src=MAC["fw"], dst=MAC[dst]) / Dot1Q(vlan=vid,
                                                          type=0x88b5) \
            / Raw(bytes(50))
    assert bench.who("fw", tagged(100, "web")) == {"web"}
    assert bench.who("fw", tagged(101, "twin")) == {"twin"}
    assert bench.who("fw", tagged(101, "web")) == set()
    assert bench.who("fw", tagged(102, "web")) == set()
    assert bench.who("fw", experimental("fw", "web")) == set()
    said = bench.heard("web", experimental("web", "fw"))
    assert set(said) == {"fw"} and said["fw"][0][Dot1Q].vlan == 100


def test_guests_do_not_tag(bench):
    for vid in (0, 20, 100):
        tagged = Ether(src=MAC["web"], dst=MAC["db"]) \
            / Dot1Q(vlan=vid, type=0x88b5) / Raw(bytes(50))
        assert bench.who("web", tagged) == ({"db"} if not vid else set())


# --- The LAN ----------------------------------------------------------------

def test_a_bridged_network_has_its_tag_on_the_lan(bench):
    said = bench.heard("far", experimental("far", "02:00:00:00:bb:01"))
    assert set(said) == {"lan0"} and said["lan0"][0][Dot1Q].vlan == 20
    inside = Ether(src="02:00:00:00:bb:01", dst=MAC["far"]) \
        / Dot1Q(vlan=20, type=0x88b5) / Raw(bytes(50))
    said = bench.heard("lan0", inside)
    assert set(said) == {"far"} and not said["far"][0].haslayer(Dot1Q)


def test_another_tag_is_another_network(bench):
    for vid, heard in ((20, {"far"}), (30, {"near"}), (40, set())):
        broadcast = Ether(src="02:00:00:00:bb:01", dst=BROADCAST) \
            / Dot1Q(vlan=vid, type=0x88b5) / Raw(bytes(50))
        assert bench.who("lan0", broadcast) == heard
    untagged = Ether(src="02:00:00:00:bb:01", dst=BROADCAST, type=0x88b5)
    assert bench.who("lan0", untagged / Raw(bytes(50))) == set()


def test_a_frame_that_comes_back_goes_no_further(bench):
    looped = Ether(src=MAC["far"], dst=BROADCAST) \
        / Dot1Q(vlan=20, type=0x88b5) / Raw(bytes(50))
    assert bench.who("lan0", looped) == set()


def test_bridges_own_frames_stop_here(bench):
    bpdu = Ether(src=MAC["far"], dst="01:80:c2:00:00:00", type=0x88b5) \
        / Raw(bytes(50))
    assert bench.who("far", bpdu) == set()


def test_rogue_servers_are_stopped(bench):
    offer = udp("192.168.0.1", "255.255.255.255", 67, 68)
    ra = IPv6(src=link_local("far"), dst="ff02::1", hlim=255) / ICMPv6ND_RA()
    assert bench.who("far", frame("far", BROADCAST, offer)) == set()
    assert bench.who("far", frame("far", "33:33:00:00:00:01", ra)) == set()
    assert bench.who("web", frame("web", BROADCAST, udp(
        "10.1.0.10", "255.255.255.255", 67, 68))) == set()
    # The LAN's own may.
    offer = Ether(src="02:00:00:00:bb:01", dst=BROADCAST) / Dot1Q(vlan=20) \
        / offer
    assert bench.who("lan0", offer) == {"far"}


# --- Who may say what -------------------------------------------------------

def test_sources_are_the_port_s_own(bench):
    assert bench.who("web", experimental("web", "db", NESTED)) == set()
    assert bench.who("web", frame("web", "db", udp("10.1.0.20",
                                                   "10.1.0.20"))) == set()
    assert bench.who("web", frame("web", "db", udp("10.7.0.1",
                                                   "10.1.0.20"))) == set()


def test_nested_guests_are_allowed(bench):
    assert bench.who("db", frame("db", "web", udp(
        "10.1.0.21", "10.1.0.10"), mac=NESTED)) == {"web"}
    assert bench.who("db", frame("db", "web", udp(
        "10.1.0.22", "10.1.0.10"), mac=NESTED)) == set()
    assert bench.who("web", experimental("web", NESTED)) == {"db"}


def test_nobody_lies_about_addresses(bench):
    for op in (1, 2):
        lie = Ether(src=MAC["web"], dst=MAC["db"]) / ARP(
            op=op, hwsrc=MAC["web"], psrc="10.1.0.30", pdst="10.1.0.20",
            hwdst=MAC["db"])
        assert bench.who("web", lie) == set()
    lie = Ether(src=MAC["web"], dst=MAC["db"]) / ARP(
        op=2, hwsrc=NESTED, psrc="10.1.0.10", pdst="10.1.0.20",
        hwdst=MAC["db"])
    assert bench.who("web", lie) == set()
    lie = frame("web", "db", IPv6(src=link_local("web"),
                                  dst=link_local("db"), hlim=255)
                / ICMPv6ND_NA(tgt=link_local("iso"))
                / ICMPv6NDOptDstLLAddr(lladdr=MAC["web"]))
    assert bench.who("web", lie) == set()


def test_where_sources_are_not_checked_they_are_not(bench):
    # There is nobody else in the network; what is unknown may be behind it.
    assert bench.who("odd", experimental("odd", BROADCAST,
                                         "02:00:00:00:bb:07")) == set()


# --- ARP and ND -------------------------------------------------------------

def test_arp_is_answered_from_the_plan(bench):
    for address, mac in (("10.1.0.20", MAC["db"]), ("10.1.0.30", MAC["iso"])):
        said = bench.heard("web", ask("web", "10.1.0.10", address))
        assert set(said) == {"web"}
        answer = said["web"][0][ARP]
        assert (answer.op, answer.hwsrc, answer.psrc) == (2, mac, address)
        assert (answer.hwdst, answer.pdst) == (MAC["web"], "10.1.0.10")
        assert said["web"][0].dst == MAC["web"]


def test_the_same_address_is_somebody_else_elsewhere(bench):
    question = Ether(src=MAC["fw"], dst=BROADCAST) / Dot1Q(vlan=101) / ARP(
        op=1, hwsrc=MAC["fw"], psrc="0.0.0.0", pdst="10.1.0.20")
    said = bench.heard("fw", question)
    assert set(said) == {"fw"}
    assert said["fw"][0][Dot1Q].vlan == 101
    assert said["fw"][0][ARP].hwsrc == MAC["twin"]


def test_nobody_is_asked_for_what_is_not_planned(bench):
    assert bench.who("web", ask("web", "10.1.0.10", "10.1.0.99")) == set()
    # But nested guests are behind their port.
    assert bench.who("web", ask("web", "10.1.0.10", "10.1.0.21")) == {"db"}


def test_one_s_own_address_is_free(bench):
    assert bench.who("web", ask("web", "0.0.0.0", "10.1.0.10")) == set()
    assert bench.who("web", ask("web", "10.1.0.10", "10.1.0.10")) == set()


def test_a_lan_without_a_plan_is_asked(bench):
    said = bench.heard("far", ask("far", "192.168.0.7", "192.168.0.1"))
    assert set(said) == {"lan0"} and said["lan0"][0][Dot1Q].vlan == 20


def test_a_solicitation_reaches_whom_it_is_about(bench):
    solicit = Ether(src=MAC["web"], dst="33:33:ff:00:00:02") / IPv6(
        src=link_local("web"), dst="ff02::1:ff00:2", hlim=255) \
        / ICMPv6ND_NS(tgt=link_local("db")) \
        / ICMPv6NDOptSrcLLAddr(lladdr=MAC["web"])
    assert bench.who("web", solicit) == {"db"}


# --- The gateway ------------------------------------------------------------

def gateway_mac(bench):
    said = bench.heard("web", ask("web", "10.1.0.10", GATEWAY))
    assert set(said) == {"web"} and said["web"][0][ARP].psrc == GATEWAY
    return said["web"][0][ARP].hwsrc


def test_the_gateway_answers_pings(bench):
    echo = Ether(src=MAC["web"], dst=gateway_mac(bench)) / IP(
        src="10.1.0.10", dst=GATEWAY, ttl=1) / ICMP(id=7, seq=3) / b"hello"
    said = bench.heard("web", echo)
    assert set(said) == {"web"}
    answer = said["web"][0]
    assert answer[ICMP].type == 0 and answer[ICMP].id == 7
    assert (answer[IP].src, answer[IP].dst) == (GATEWAY, "10.1.0.10")
    # Checksums are right: scapy's own of the same packet agree.
    again = answer[IP].copy()
    del again.chksum, again[ICMP].chksum
    assert bytes(IP(bytes(again)))[:28] == bytes(answer[IP])[:28]


def test_the_gateway_answers_ipv6_pings(bench):
    echo = Ether(src=MAC["web"], dst=gateway_mac(bench)) / IPv6(
        src=link_local("web"), dst="fd00:1::1") / ICMPv6EchoRequest(id=7)
    said = bench.heard("web", echo)
    assert set(said) == {"web"}
    assert said["web"][0][IPv6].src == "fd00:1::1"
    assert said["web"][0].payload.payload.type == 129


def test_there_is_no_way_to_other_networks(bench):
    away = Ether(src=MAC["web"], dst=gateway_mac(bench)) \
        / udp("10.1.0.10", "10.9.0.2")
    heard = bench.heard("web", away)
    # The controller tells the sender, in its own time.
    told = heard.pop("web", None) or [
        next(f for f in bench.nics["web"].frames() if ICMP in f)]
    assert not heard
    assert told[0][IP].src == GATEWAY
    assert (told[0][ICMP].type, told[0][ICMP].code) == (3, 0)


def test_nobody_is_the_gateway_but_the_gateway(bench):
    mac = gateway_mac(bench)
    question = Ether(src=MAC["odd"], dst=BROADCAST) / ARP(
        op=1, hwsrc=MAC["odd"], psrc="10.9.0.7", pdst="10.9.0.1")
    loose = bench.heard("odd", question)["odd"][0][ARP].hwsrc
    assert loose != mac
    assert bench.who("odd", experimental("odd", BROADCAST, loose)) == set()


# --- Services ---------------------------------------------------------------

def expect(bench, name, match):
    """What a service answers comes later than the marker."""
    return bench.nics[name].expect(match)


def test_the_gateway_says_who_it_is_in_ipv6(bench):
    mac = gateway_mac(bench)
    bench.nics["web"].send(
        Ether(src=MAC["web"], dst="33:33:ff:00:00:01")
        / IPv6(src=link_local("web"), dst="ff02::1:ff00:1", hlim=255)
        / ICMPv6ND_NS(tgt="fd00:1::1")
        / ICMPv6NDOptSrcLLAddr(lladdr=MAC["web"]))
    said = expect(bench, "web", lambda f: f.haslayer(ICMPv6ND_NA))
    assert said[ICMPv6ND_NA].tgt == "fd00:1::1"
    assert said[ICMPv6NDOptDstLLAddr].lladdr == mac == said.src


def test_a_guest_is_told_its_prefix_and_no_way_out(bench):
    bench.nics["web"].send(
        Ether(src=MAC["web"], dst="33:33:00:00:00:02")
        / IPv6(src=link_local("web"), dst="ff02::2", hlim=255)
        / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=MAC["web"]))
    said = expect(bench, "web", lambda f: f.haslayer(ICMPv6ND_RA))
    assert said[ICMPv6ND_RA].routerlifetime == 0
    assert said[ICMPv6NDOptPrefixInfo].prefix == "fd00:1::"
    assert said.dst == MAC["web"]


def dhcp(bench, name, kind, *options, mac=None):
    mac = mac or MAC[name]
    bench.nics[name].send(
        Ether(src=mac, dst=BROADCAST)
        / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
        / BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=7)
        / DHCP(options=[("message-type", kind)] + list(options) + ["end"]))


def dhcp_answer(bench, name):
    said = expect(bench, name, lambda f: f.haslayer(DHCP) and f[BOOTP].op == 2)
    options = dict(o[:2] for o in said[DHCP].options if len(o) > 1)
    return said[BOOTP].yiaddr, options


def test_a_guest_is_given_its_planned_address(bench):
    for name in ("web", "twin"):
        dhcp(bench, name, "discover")
        address, options = dhcp_answer(bench, name)
        assert address == IP4[name] and options["message-type"] == 2
        assert options["server_id"] == options["router"] == GATEWAY
        dhcp(bench, name, "request", ("requested_addr", address),
             ("server_id", GATEWAY))
        address, options = dhcp_answer(bench, name)
        assert address == IP4[name] and options["message-type"] == 5
        assert options["subnet_mask"] == "255.255.255.0"


def test_an_address_that_is_another_s_is_refused(bench):
    dhcp(bench, "web", "request", ("requested_addr", IP4["db"]))
    assert dhcp_answer(bench, "web")[1]["message-type"] == 6


def test_the_lan_s_own_server_is_asked_on_the_lan(bench):
    bench.nics["lan0"].drain()
    dhcp(bench, "far", "discover")
    said = expect(bench, "lan0", lambda f: f.haslayer(DHCP))
    assert said[Dot1Q].vlan == 20


def ask_dhcp6(bench, name, message, kind):
    bench.nics[name].send(
        Ether(src=MAC[name], dst="33:33:00:01:00:02")
        / IPv6(src=link_local(name), dst="ff02::1:2")
        / UDP(sport=546, dport=547) / message)
    return expect(bench, name, lambda f: f.haslayer(kind))


def leased(said):
    return said[DHCP6OptIA_NA].ianaopts[0].addr


def test_ipv6_addresses_are_leased_and_pass(bench):
    duid = DHCP6OptClientId(duid=DUID_LL(lladdr=MAC["six"]))
    said = ask_dhcp6(bench, "six", DHCP6_Solicit(trid=1) / duid
                     / DHCP6OptIA_NA(iaid=1), DHCP6_Advertise)
    assert leased(said) == "fd00:6::10"
    server = DHCP6OptServerId(duid=said[DHCP6OptServerId].duid)
    for iaid in (1, 2):
        said = ask_dhcp6(bench, "six", DHCP6_Request(trid=2) / duid / server
                         / DHCP6OptIA_NA(iaid=iaid), DHCP6_Reply)
    second = leased(said)
    assert second != "fd00:6::10"
    router = said[Ether].src

    def answers(source):
        bench.nics["six"].drain()
        bench.nics["six"].send(
            Ether(src=MAC["six"], dst=router)
            / IPv6(src=source, dst="fd00:6::1") / ICMPv6EchoRequest(id=6))
        # From its planned address it is always answered.
        bench.nics["six"].send(
            Ether(src=MAC["six"], dst=router)
            / IPv6(src="fd00:6::10", dst="fd00:6::1")
            / ICMPv6EchoRequest(id=66))
        heard = []
        expect(bench, "six", lambda f: heard.append(f) or (
            f.haslayer(ICMPv6EchoReply) and f[ICMPv6EchoReply].id == 66))
        return any(f.haslayer(ICMPv6EchoReply) and f[ICMPv6EchoReply].id == 6
                   for f in heard)

    eventually(lambda: answers(second), "what was leased passes")
    assert not answers("fd00:6::bad")
    release = DHCP6_Release(trid=3) / duid / server / DHCP6OptIA_NA(
        iaid=2, ianaopts=[DHCP6OptIAAddress(addr=second)])
    ask_dhcp6(bench, "six", release, DHCP6_Reply)
    eventually(lambda: not answers(second), "what was given back does not")


def query(bench, name, kind="A", sender="web"):
    bench.nics[sender].send(
        Ether(src=MAC[sender], dst=gateway_mac(bench))
        / IP(src=IP4[sender], dst=GATEWAY) / UDP(sport=4053, dport=53)
        / DNS(id=77, rd=1, qd=DNSQR(qname=name, qtype=kind)))


def answer(bench, sender="web"):
    said = expect(bench, sender, lambda f: f.haslayer(DNS) and f[DNS].qr)
    assert said[UDP].dport == 4053 and said[DNS].id == 77
    return said[DNS]


def test_ports_have_names(bench):
    query(bench, "db.blue.weft")
    said = answer(bench)
    assert (said.rcode, said.an.rdata) == (0, "10.1.0.20")
    query(bench, "20.0.1.10.in-addr.arpa", "PTR")
    assert answer(bench).an.rdata == b"db.blue.weft."


def test_names_of_other_networks_are_not_there(bench):
    query(bench, "twin.red.weft")
    said = answer(bench)
    assert (said.rcode, said.ancount) == (3, 0)


def test_other_names_are_asked_of_the_machine_s_resolver(bench):
    def resolver():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 53))
        sock.settimeout(10)
        return sock
    with bench.lab.host.call(resolver) as sock:
        query(bench, "www.example.net")
        data, client = sock.recvfrom(4096)
        asked = DNS(data)
        assert asked.qd.qname == b"www.example.net."
        sock.sendto(bytes(DNS(id=asked.id, qr=1, ra=1, qd=asked.qd,
                              an=DNSRR(rrname=asked.qd.qname, ttl=60,
                                       rdata="192.0.2.7"))), client)
    assert answer(bench).an.rdata == "192.0.2.7"


# --- Changes ----------------------------------------------------------------

def test_what_was_not_ours_went_at_the_first_connection(bench):
    assert not [line for line in bench.flows() if "table=7" in line]
    assert bench.first["refused"] == 0
    assert bench.first["flows"] == len(bench.flows())
    assert bench.first["bundles"] == 1


def test_a_file_that_says_the_same_sends_nothing(bench):
    before = bench.apply(INTENTS)
    after = bench.apply(INTENTS + "# A remark.\n")
    assert after["mods"] == before["mods"]
    assert after["bundles"] == before["bundles"]


def test_a_port_that_is_isolated_is_so_at_once_and_back_again(bench):
    before = bench.apply(INTENTS)
    after = bench.apply(INTENTS.replace(
        "address: 10.1.0.10}", "address: 10.1.0.10, isolated: true}"))
    assert 0 < after["mods"] - before["mods"] < 20
    assert bench.who("web", experimental("web", "iso")) == set()
    assert bench.who("web", experimental("web", "db")) == {"db"}
    bench.apply(INTENTS)
    assert bench.who("web", experimental("web", "iso")) == {"iso"}


def lasting(flows):
    """But for who hears all groups: a port does for as long as it is new, which
    may be over in between."""
    return sorted(line for line in flows
                  if "table=44, priority=200" not in line)


def test_a_new_controller_finds_all_in_order(bench):
    flows = lasting(bench.flows())
    bench.controller.stop()
    assert bench.who("web", experimental("web", "db")) == {"db"}
    bench.controller = Controller(bench)
    synced = bench.controller.synced()
    # The marker is not ours.
    assert synced["mods"] == 1 and synced["bundles"] == 1
    bench.mark()
    assert lasting(bench.flows()) == flows
