"""Hosts that talk: what one says of its ports, and what others make of it.

    h1: web 10.1.0.5, and vm before it moves      h2: db, log      h3: idle
"""

import json
import socket
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import overlay
from netns import eventually
from test_overlays import address_of, reaches

CLOUD = """\
version: 1
%(hosts)snetworks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64", segment: {%(kind)s: 5001}}
ports:
  web: {network: blue, host: h1, netns: web, address: 10.1.0.5,
        configure: true}
  vm: {network: blue, host: %(vm)s, netns: vm, configure: true}
  db: {network: blue, host: h2, netns: db, configure: true}
  idle: {network: blue, host: h3, netns: idle, address: 10.1.0.7,
         configure: true}
"""
MULTICAST = 44
GUESTS = ("web", "vm", "db", "idle")


@pytest.fixture
def hosts(request):
    made = overlay.Overlay(request.config.getoption("--build"), n=3)
    made.start_daemons()
    for name in GUESTS:
        made.guest(name)
    yield made
    made.close()


def cloud(hosts, vm="h1", kind="vxlan", family=4, certificates=None):
    return CLOUD % {"hosts": hosts.hosts(family, certificates
                                         or hosts.certificates()),
                    "vm": vm, "kind": kind}


def flows(hosts, name):
    """What that host's switch was told, but for who listens to groups: that is
    asked meanwhile."""
    return sorted((f["table"], f["priority"], f["match"], str(f["actions"]))
                  for f in hosts.labs[name].weft("flow", "list")["flows"]
                  if f["table"] != MULTICAST)


def doctor(hosts, name):
    """What it finds of that host's channels."""
    lab = hosts.labs[name]
    done = lab.host.run(lab.program("weft"), "-j", "--run-dir", lab.run_dir,
                        "doctor", check=False)
    return {f["name"]: f for f in
            json.loads(done.stdout)}["tunnel-peers"]


def all_talk(hosts, n_ports):
    """Each hears of so many ports of the others."""
    return all(hosts.peers(name) == {
        other: ("up", n) for other, n in n_ports.items() if other != name}
        for name in hosts.labs)


@pytest.mark.parametrize("family", (4, 6))
def test_hosts_say_which_ports_they_have(hosts, family):
    hosts.apply(cloud(hosts, family=family))
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "all have heard of all")
    web, db = hosts.guest("web"), hosts.guest("db")
    address = eventually(lambda: address_of(db), "db has an address")
    # Chosen by h2, known at h1: asked for there, and answered there.
    reaches(web, address)
    nic, street = web.nic("eth0"), hosts.street.nic("s1")
    for _ in range(10):
        nic.send(Ether(src=nic.mac, dst="ff:ff:ff:ff:ff:ff")
                 / ARP(hwsrc=nic.mac, psrc="10.1.0.5", pdst=address))
        nic.expect(lambda f: f.haslayer(ARP) and f[ARP].op == 2
                   and f[ARP].psrc == address)
    nic.send(Ether(src=nic.mac, dst=db.nic("eth0").mac)
             / IP(src="10.1.0.5", dst=address) / UDP(dport=9) / Raw(b"mark"))
    # An inner header of ARP, after an outer one of VXLAN.
    asked = bytes.fromhex("08060001080006040001")
    for raw in street.raw_frames():
        assert asked not in raw[42:]
        if raw.endswith(b"mark"):
            break
    street.close()
    nic.close()


def test_a_port_that_moves_is_reached_at_once(hosts):
    certificates = hosts.certificates()
    hosts.apply(cloud(hosts, certificates=certificates))
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "all have heard of all")
    vm, idle = hosts.guest("vm"), hosts.guest("idle")
    address = eventually(lambda: address_of(vm), "vm has an address")
    reaches(idle, address)
    # Only its new host is told; the old one still has it by its file.
    vm.run("ip", "link", "del", "eth0")
    hosts.apply(cloud(hosts, vm="h2", certificates=certificates), ["h2"])
    eventually(lambda: address_of(vm) == address,
               "vm has the address that it had")
    reaches(idle, address)
    reaches(hosts.guest("web"), address)
    reaches(hosts.guest("db"), address)
    reaches(vm, "10.1.0.5")
    # A restart of either does not bring it back.
    hosts.labs["h1"].stop()
    hosts.labs["h1"].restart()
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 2, "h3": 1}),
               "all have heard of all")
    reaches(hosts.guest("web"), address)
    # The old host hears of it last, and nothing is interrupted.
    hosts.apply(cloud(hosts, vm="h2", certificates=certificates))
    eventually(lambda: all_talk(hosts, {"h1": 1, "h2": 2, "h3": 1}),
               "h1 gave it up")
    reaches(hosts.guest("web"), address)
    reaches(idle, address)


SECURED = """\
security-groups:
  closed: {in: [{protocol: tcp, port: 22}]}
"""


def test_both_hosts_explain(hosts):
    """What the other host would drop is known here, in its words."""
    text = cloud(hosts).replace("networks:", SECURED + "networks:").replace(
        "db: {network: blue,", "db: {network: blue, security-groups: "
        "[closed],")
    hosts.apply(text)
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "all have heard of all")
    h1, h2 = hosts.labs["h1"], hosts.labs["h2"]
    eventually(lambda: address_of(hosts.guest("db")), "db has an address")
    answer = h1.weft("explain", "web", "db", "tcp/22")
    assert answer["far"]["host"] == "h2" and answer["far"]["verdict"] == "yes"
    assert answer["far"]["there"]["path"][0]["stage"] == "ingress"
    answer = h2.weft("explain", "web", "db", "tcp/22")
    assert answer["far"]["host"] == "h1" and answer["verdict"] == "yes"
    # Of what neither end is here, a host is asked that knows.
    answer = hosts.labs["h3"].weft("explain", "web", "db", "tcp/22")
    assert answer["verdict"] == "yes" and any(
        "host 'h1' says so" in n for n in answer["notes"])
    # h2 has a file of its own mind.
    hosts.apply(text.replace("port: 22", "port: 23"), ["h2"])
    answer = json.loads(h1.weft("explain", "web", "db", "tcp/22",
                                status=None).stdout)
    assert answer["verdict"] == "no" and not answer["passes"]
    assert answer["why"].startswith("host 'h2' says: ")
    assert "closed" in answer["why"] + answer["fix"]
    hosts.apply(text, ["h2"])
    # Nobody answers there.
    h2.stop()
    answer = h1.weft("explain", "web", "db", "tcp/22")
    assert answer["far"] is None
    assert any("host 'h2' was not asked" in n for n in answer["notes"])


def test_a_lost_channel_changes_no_flow(hosts):
    hosts.apply(cloud(hosts))
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "all have heard of all")
    address = eventually(lambda: address_of(hosts.guest("db")),
                         "db has an address")
    reaches(hosts.guest("web"), address)
    before = flows(hosts, "h1")
    h2 = hosts.labs["h2"]
    h2.host.run("nft", "add table inet cut; add chain inet cut in { type "
                "filter hook input priority 0; policy accept; tcp dport 6650 "
                "reject with tcp reset; tcp sport 6650 reject with tcp reset;"
                " }")
    for name in ("h1", "h3"):
        eventually(lambda: hosts.peers(name)["h2"][0] != "up",
                   "%s has lost h2" % name, timeout=30)
    assert hosts.peers("h1")["h3"] == ("up", 1)
    assert hosts.peers("h1")["h2"][1] == 1
    assert hosts.guest("web").ping(address, deadline=1)
    assert flows(hosts, "h1") == before
    h2.host.run("nft", "delete", "table", "inet", "cut")
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "they talk again", timeout=40)


def test_who_has_no_place_in_the_file_is_not_heard(hosts):
    right = hosts.certificates()
    # h3 shows a certificate that is not the file's, and so cannot call h2.
    wrong = dict(right, h3="sha256:" + "ab" * 32)
    hosts.apply(cloud(hosts, certificates=wrong))
    eventually(lambda: hosts.peers("h1")["h2"] == ("up", 1), "h1 and h2 talk")
    eventually(lambda: [
        p for p in hosts.labs["h1"].weft("host", "certificate")["peers"]
        if p["host"] == "h3" and "certificate" in p["reason"]],
        "h1 says why not h3")
    assert hosts.peers("h2")["h3"] == ("calling", 0)
    complaint = hosts.labs["h3"].weft("host", "certificate")["complaint"]
    assert "another certificate" in complaint and right["h3"] in complaint
    assert "another certificate" in doctor(hosts, "h3")["what"]
    assert "no channel with host 'h3'" in doctor(hosts, "h1")["what"]
    # Networks span the hosts all the same, by the file.
    reaches(hosts.guest("web"), "10.1.0.7")
    # Once the file is right, it is heard.
    hosts.apply(cloud(hosts, certificates=right))
    eventually(lambda: all_talk(hosts, {"h1": 2, "h2": 1, "h3": 1}),
               "all have heard of all")
    assert doctor(hosts, "h1")["verdict"] == "ok"


def listeners(hosts, name):
    """Who hears 239.1.2.3, as that host knows."""
    return {row["port"] for row in hosts.labs[name].weft(
        "multicast", "list")["listeners"] if row["group"] == "239.1.2.3"}


def listen(guest, address):
    def join():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton("239.1.2.3")
                        + socket.inet_aton(address)
                        + struct.pack("@i", socket.if_nametoindex("eth0")))
        sock.bind(("239.1.2.3", 5000))
        sock.settimeout(10)
        return sock

    return guest.call(join)


def routers_known(hosts, name):
    """Nobody but the groups' listeners is sent anything."""
    lists = [f for f in hosts.labs[name].weft("flow", "list")["flows"]
             if f["table"] == MULTICAST and f["priority"] == 200]
    return lists and not any("tun" in str(f["actions"]) for f in lists)


def test_groups_go_to_hosts_that_listen(hosts):
    hosts.apply(cloud(hosts))
    web, db = hosts.guest("web"), hosts.guest("db")
    address = eventually(lambda: address_of(db), "db has an address")
    # Ports that are new hear all until they were asked.
    eventually(lambda: all(routers_known(hosts, n) for n in hosts.labs),
               "all hosts have said who listens", timeout=30)
    nic = web.nic("eth0")
    doors = {n: hosts.labs["h%d" % n].host.nic("u0") for n in (2, 3)}

    def send(text):
        """To the group, and a mark to each host; who got the former."""
        for raw in doors.values():
            raw.drain()
        nic.send(Ether(src=nic.mac, dst="01:00:5e:01:02:03")
                 / IP(src="10.1.0.5", dst="239.1.2.3", ttl=4)
                 / UDP(sport=5000, dport=5000) / Raw(text))
        for to, name in ((address, "db"), ("10.1.0.7", "idle")):
            nic.send(Ether(src=nic.mac, dst=hosts.guest(name).nic("eth0").mac)
                     / IP(src="10.1.0.5", dst=to) / UDP(dport=9)
                     / Raw(b"mark"))
        return {n for n in doors if any_before_mark(doors[n], text)}

    reaches(web, address)
    reaches(web, "10.1.0.7")
    assert send(b"nobody") == set()
    sock = listen(db, address)
    eventually(lambda: listeners(hosts, "h1") == {"h2"}, "h1 knows of h2")
    assert send(b"somebody") == {2}
    assert sock.recv(100) == b"somebody"
    # Another at home as well.
    own = listen(hosts.guest("vm"), address_of(hosts.guest("vm")))
    eventually(lambda: listeners(hosts, "h1") == {"h2", "vm"}, "vm listens")
    eventually(lambda: listeners(hosts, "h3") == {"h1", "h2"}, "h3 knows")
    assert send(b"both") == {2}
    assert sock.recv(100) == b"both" and own.recv(100) == b"both"
    sock.close()
    eventually(lambda: listeners(hosts, "h1") == {"vm"}, "db left")
    assert send(b"home") == set()
    assert own.recv(100) == b"home"
    own.close()
    for raw in doors.values():
        raw.close()


def any_before_mark(door, text):
    """Does it come to that host?"""
    found = False
    for raw in door.raw_frames():
        found |= raw.endswith(text)
        if raw.endswith(b"mark"):
            return found
    return found
