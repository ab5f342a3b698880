"""Security groups: who may open connections to a port, and from it; on Weft's own
switch and on Open vSwitch.

    web .10 [web]   lb .20 [lb]   any .30 [] ----- blue 10.1.0.0/24, fd00:1::/64
                                                     | r1
    shut .10 [shut]   far .20 [] ----------------- red 10.2.0.0/24

Real stacks in namespaces.  What must not arrive is told by what is sent behind
it, or by a connection that nobody answers."""

import os
import socket

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import ovs
import weft
from netns import TIMEOUT, eventually
from weft import DONE, NEGATIVE

CLOUD = """\
version: 1
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
  red: {subnet: 10.2.0.0/24}
routers:
  r1: {networks: [blue, red]}
security-groups:
  web:
    in:
      - {protocol: tcp, port: 443}
      - {protocol: tcp, port: 8000-8080, from: 10.2.0.0/24}
      - {protocol: tcp, port: 5000, cut: true}
      - {protocol: tcp, port: 5001}
      - {protocol: icmp, type: 8}
      - {protocol: icmp6, type: 128, from: "fd00:1::/64"}
      - {protocol: udp, port: 53, from: lb}
      - {protocol: udp, port: 7000, from: 10.1.0.30}
      - {protocol: tcp, port: 6443, from: "fd00:1::30"}
  lb:
    in: [{protocol: any, from: web}]
  shut:
    in: [{protocol: any}]
    out: [{protocol: tcp, port: 443, to: web}, {protocol: icmp, to: 10.2.0.20}]
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, address6: "fd00:1::10",
        configure: true, security-groups: [web]}
  lb: {network: blue, netns: lb, address: 10.1.0.20, configure: true,
       security-groups: [lb]}
  any: {network: blue, netns: any, address: 10.1.0.30, address6: "fd00:1::30",
        configure: true}
  shut: {network: red, netns: shut, address: 10.2.0.10, configure: true,
         security-groups: [shut]}
  far: {network: red, netns: far, address: 10.2.0.20, configure: true}
"""
GUESTS = ("web", "lb", "any", "shut", "far")
WEB, LB, ANY = "10.1.0.10", "10.1.0.20", "10.1.0.30"
SHUT, FAR = "10.2.0.10", "10.2.0.20"
SILENCE = 0.3                   # of an answer that must not come


class Cloud:
    def __init__(self, kind, build):
        self.lab = weft.Lab(build)
        self.ovs = None
        self.kind = kind
        for name in GUESTS:
            self.lab.netns(name, ipv6=True)
        if kind == "ovs":
            self.ovs = ovs.Ovs(self.lab.host,
                               os.path.join(self.lab.dir, "ovs"))
            self.ovs.start(bridge=None)
            self.lab.start_daemon("--controller-only", "--ovsdb",
                                  "unix:" + self.ovs.file("db.sock"))
        else:
            self.lab.start_daemon()
        self.servers = {}

    def apply(self, text):
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.lab.weft("apply", path)
        self.settle()

    def settle(self):
        def probe():
            shown = self.lab.weft("controller", "show")
            return shown["connected"] and shown["synced"] \
                and not shown["ports_missing"] and shown["flows_desired"] \
                and all(p["state"] == "up" for p
                        in self.lab.weft("port", "list")["ports"])
        eventually(probe, "the intents are in force")
        if self.ovs:
            self.ovs.settle()

    def ns(self, name):
        return self.lab.netns(name)

    def listen(self, name, port, kind=socket.SOCK_STREAM,
               family=socket.AF_INET):
        """Once for all tests."""
        key = name, port, kind, family
        if key in self.servers:
            return self.servers[key]

        def make():
            sock = socket.socket(family, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", port))
            sock.settimeout(TIMEOUT)
            if kind == socket.SOCK_STREAM:
                sock.listen(8)
            return sock
        sock = self.ns(name).call(make)
        self.servers[key] = sock
        return sock

    def connect(self, name, address, port, timeout=TIMEOUT, source=""):
        """A socket; None: nobody answered."""
        def make():
            try:
                return socket.create_connection((address, port), timeout,
                                                (source, 0))
            except socket.timeout:
                return None
        sock = self.ns(name).call(make)
        if sock:
            sock.settimeout(TIMEOUT)
        return sock

    def opens(self, name, address, port, source=""):
        sock = self.connect(name, address, port, source=source)
        if sock:
            sock.close()
        return sock is not None

    def stays_closed(self, name, address, port):
        sock = self.connect(name, address, port, SILENCE)
        if sock:
            sock.close()
        return sock is None

    def close(self):
        try:
            for sock in self.servers.values():
                sock.close()
            self.lab.stop()
            if self.ovs:
                self.ovs.vsctl("--if-exists", "del-br", "br0")
                self.ovs.stop()
                for name in set(self.lab.host.links()) - {"lo"}:
                    self.lab.host.run("ip", "link", "del", name, check=False)
        finally:
            self.lab.close()


@pytest.fixture(scope="module", params=["weft", "ovs"])
def cloud(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    cloud = Cloud(request.param, request.config.getoption("--build"))
    try:
        cloud.apply(CLOUD)
        yield cloud
    finally:
        cloud.close()


def test_tcp_opens_where_a_rule_says_so(cloud):
    for port in (443, 444, 8000, 8080, 8081):
        cloud.listen("web", port)
    assert cloud.opens("any", WEB, 443)
    assert cloud.stays_closed("any", WEB, 444)
    assert cloud.opens("far", WEB, 443)
    assert cloud.opens("far", WEB, 8000) and cloud.opens("far", WEB, 8080)
    assert cloud.stays_closed("far", WEB, 8081)
    assert cloud.stays_closed("any", WEB, 8080)


def test_who_has_no_out_rules_opens_what_it_likes(cloud):
    cloud.listen("any", 9000)
    cloud.listen("far", 9000)
    assert cloud.opens("web", ANY, 9000)
    assert cloud.opens("web", FAR, 9000)


def test_members_of_a_group_are_let_in(cloud):
    cloud.listen("lb", 9001)
    assert cloud.opens("web", LB, 9001)
    assert cloud.stays_closed("any", LB, 9001)
    assert cloud.stays_closed("far", LB, 9001)


def test_out_rules_are_all_that_leaves(cloud):
    cloud.listen("far", 9002)
    cloud.listen("shut", 9002)
    assert cloud.opens("shut", WEB, 443)
    assert cloud.stays_closed("shut", FAR, 9002)
    assert cloud.stays_closed("shut", ANY, 9000)
    assert cloud.opens("far", SHUT, 9002), "its answers leave"
    assert cloud.ns("shut").ping(FAR)
    assert cloud.ns("shut").ping("10.2.0.1"), "the gateway is always there"
    assert not cloud.ns("shut").ping(ANY, deadline=1)


def test_pings_by_their_type(cloud):
    assert cloud.ns("any").ping(WEB)
    assert cloud.ns("far").ping(WEB)
    assert cloud.ns("any").ping(WEB, size=4000), "fragments go along"
    assert not cloud.ns("any").ping(LB, deadline=1)
    assert cloud.ns("lb").ping(ANY), "answers come in"


def test_six_is_judged_like_four(cloud):
    cloud.listen("web", 6443, family=socket.AF_INET6)
    cloud.listen("web", 6444, family=socket.AF_INET6)
    assert cloud.ns("any").ping("fd00:1::10")
    assert cloud.opens("any", "fd00:1::10", 6443, "fd00:1::30")
    assert cloud.stays_closed("any", "fd00:1::10", 6444)
    assert cloud.stays_closed("lb", "fd00:1::10", 6443)
    cloud.listen("any", 9003, family=socket.AF_INET6)
    assert cloud.opens("web", "fd00:1::30", 9003)


def datagrams(cloud, name, address, port, payload, source=0):
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("", source))
            sock.sendto(payload, (address, port))
    cloud.ns(name).call(send)


def test_udp_and_its_answers(cloud):
    dns = cloud.listen("web", 53, socket.SOCK_DGRAM)
    datagrams(cloud, "any", WEB, 53, b"no")
    datagrams(cloud, "lb", WEB, 53, b"yes", source=5353)
    got, who = dns.recvfrom(100)
    assert (got, who) == (b"yes", (LB, 5353))
    back = cloud.listen("lb", 5353, socket.SOCK_DGRAM)
    dns.sendto(b"answer", who)
    assert back.recvfrom(100) == (b"answer", (WEB, 53))


def test_errors_are_related(cloud):
    def ask():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(TIMEOUT)
        sock.connect((ANY, 9))
        sock.send(b"is anybody there?")
        with sock, pytest.raises(ConnectionRefusedError):
            sock.recv(1)
    cloud.ns("web").call(ask)


def test_later_fragments_go_with_their_datagram(cloud):
    sink = cloud.listen("web", 7000, socket.SOCK_DGRAM)
    datagrams(cloud, "any", WEB, 7000, b"x" * 5000)
    assert len(sink.recv(10000)) == 5000


def test_broadcasts_are_judged_one_by_one(cloud):
    """By rules for everybody or for an address, without a connection."""
    web, any_ = cloud.ns("web").nic("eth0"), cloud.ns("any").nic("eth0")
    web.drain()
    for port in (7001, 7000):
        any_.send(Ether(src=any_.mac, dst="ff:ff:ff:ff:ff:ff")
                  / IP(src=ANY, dst="10.1.0.255")
                  / UDP(sport=1, dport=port) / Raw(b"to many"))
    web.absent(lambda f: f.haslayer(UDP) and f[UDP].dport == 7001,
               behind=lambda f: f.haslayer(UDP) and f[UDP].dport == 7000)
    web.close()
    any_.close()


# --- What runs when a rule goes ---------------------------------------------

class Stream:
    """Bytes under way from a client to a server and back, one exchange at a
    time."""

    def __init__(self, cloud, name, address, port, listener):
        self.client = cloud.connect(name, address, port)
        assert self.client, "it opens"
        while True:
            self.server, who = listener.accept()
            if who[1] == self.client.getsockname()[1]:
                return
            self.server.close()         # Of some test before.

    def works(self):
        for end, other in ((self.client, self.server),
                           (self.server, self.client)):
            end.settimeout(TIMEOUT)
            other.settimeout(TIMEOUT)
            end.sendall(b"x" * 1000)
            left = 1000
            while left:
                got = other.recv(left)
                assert got, "it is open"
                left -= len(got)
        return True

    def is_cut(self):
        """In both directions."""
        for end, other in ((self.client, self.server),
                           (self.server, self.client)):
            end.sendall(b"y" * 1000)
            other.settimeout(SILENCE)
            try:
                other.recv(1)
                return False
            except socket.timeout:
                pass
        return True

    def close(self):
        self.client.close()
        self.server.close()


def rule(cloud, verb, *words):
    cloud.lab.weft("security-group", verb, "web", "in", *words)
    cloud.settle()


def test_a_rule_that_goes_lets_what_runs_finish_or_cuts_it(cloud):
    stay, cut = cloud.listen("web", 5001), cloud.listen("web", 5000)
    stays = Stream(cloud, "any", WEB, 5001, stay)
    ends = Stream(cloud, "any", WEB, 5000, cut)
    other = Stream(cloud, "far", WEB, 5000, cut)
    assert stays.works() and ends.works() and other.works()
    rule(cloud, "add-rule", "protocol=tcp", "port=5000", "from=10.2.0.20",
         "cut=true")
    rule(cloud, "remove-rule", "protocol=tcp", "port=5001")
    rule(cloud, "remove-rule", "protocol=tcp", "port=5000")
    assert stays.works(), "without cut it finishes"
    assert cloud.stays_closed("any", WEB, 5001)
    assert ends.is_cut()
    assert cloud.stays_closed("any", WEB, 5000)
    assert other.works(), "another rule lets it in"
    rule(cloud, "remove-rule", "protocol=tcp", "port=5000", "from=10.2.0.20")
    assert other.is_cut()
    for stream in (stays, ends, other):
        stream.close()
    cloud.apply(CLOUD)


def test_changes_of_others_are_not_noticed(cloud):
    stream = Stream(cloud, "any", WEB, 5000, cloud.listen("web", 5000))
    assert stream.works()
    cloud.lab.weft("security-group", "add-rule", "lb", "in", "protocol=sctp")
    cloud.lab.weft("port", "set", "far", "--security-groups", "lb")
    cloud.settle()
    assert stream.works()
    cloud.apply(CLOUD)
    assert stream.works()
    stream.close()


def test_an_audit_drops_nothing_until_it_ends(cloud):
    closed = cloud.listen("web", 9100)
    assert cloud.stays_closed("any", WEB, 9100)
    cloud.lab.weft("security-group", "set", "web", "--audit", "true")
    cloud.settle()
    stream = Stream(cloud, "any", WEB, 9100, closed)
    assert stream.works()
    cloud.lab.weft("security-group", "set", "web", "--audit=")
    cloud.settle()
    assert stream.is_cut(), "no rule allows it"
    stream.close()
    cloud.apply(CLOUD)


def test_connections_survive_a_restart_of_weftd(cloud):
    stream = Stream(cloud, "any", WEB, 443, cloud.listen("web", 443))
    assert stream.works()
    cloud.lab.stop()
    cloud.lab.restart()
    cloud.settle()
    if cloud.ovs:
        assert cloud.lab.weft("controller", "show")["flow_mods"] == 0
    assert stream.works()
    stream.close()


# --- What is said of it ------------------------------------------------------

def explain(cloud, a, b, what, passes):
    status = DONE if passes else NEGATIVE
    return cloud.lab.weft("explain", a, b, what, status=status)


def test_explain_names_the_rule(cloud):
    said = explain(cloud, "any", "web", "tcp/443", True)
    assert any("security group 'web' lets it in: protocol=tcp port=443" in n
               for n in said["notes"]), said["notes"]
    said = explain(cloud, "web", "lb", "udp/9", True)
    assert any("lets it in: protocol=any from=web" in n
               for n in said["notes"])
    said = explain(cloud, "shut", "web", "tcp/443", True)
    assert any("security group 'shut' lets it out" in n
               for n in said["notes"])
    assert any("security group 'web' lets it in" in n for n in said["notes"])
    explain(cloud, "web", "any", "tcp/99", True)
    explain(cloud, "any", "web", "icmp", True)
    explain(cloud, "any", "web", "icmp6", True)
    explain(cloud, "far", "shut", "tcp/7", True)
    explain(cloud, "shut", "gateway", "icmp", True)
    explain(cloud, "web", "gateway", "udp/53", True)


def test_explain_says_what_would_open_it(cloud):
    said = explain(cloud, "any", "web", "tcp/444", False)
    assert said["why"] == "no rule of security group 'web' lets tcp/444 in " \
        "from 10.1.0.30"
    assert "security-group 'web'" in said["origin"] or not cloud.ovs
    said = explain(cloud, "shut", "far", "udp/53", False)
    assert said["why"] == "no rule of security group 'shut' lets udp/53 out " \
        "to 10.2.0.20"
    cloud.lab.text(*said["fix"].split()[1:])
    cloud.settle()
    explain(cloud, "shut", "far", "udp/53", True)
    sink = cloud.listen("far", 53, socket.SOCK_DGRAM)
    datagrams(cloud, "shut", FAR, 53, b"out")
    assert sink.recv(10) == b"out"
    cloud.lab.weft("security-group", "set", "shut", "--audit", "true")
    cloud.settle()
    said = explain(cloud, "shut", "any", "tcp/9", True)
    assert any("audit only counts" in n for n in said["notes"])
    cloud.apply(CLOUD)


def shown(cloud, name):
    return cloud.lab.weft("security-group", "show", name)


def test_what_they_did_is_counted(cloud):
    cloud.listen("web", 443)
    before = shown(cloud, "web")
    assert [r["rule"] for r in before["rules"]][:1] == ["protocol=tcp port=443"]
    if cloud.ovs:
        assert before["rules"][0]["connections"] is None
        return
    assert cloud.opens("any", WEB, 443)
    assert cloud.stays_closed("any", WEB, 1)

    def counted():
        now = shown(cloud, "web")
        return now["rules"][0]["connections"] \
            == before["rules"][0]["connections"] + 1 \
            and now["ports"][0]["dropped_in"] \
            > before["ports"][0]["dropped_in"]
    eventually(counted, "the rule's connection, and the drop, are counted")
    assert "security-group-in" in cloud.lab.text("drops", "web")
    metrics = cloud.lab.text("metrics")
    assert 'weft_security_group_packets_total{port="web",direction="in",' \
        'result="dropped"}' in metrics
    assert "protocol=udp port=53 from=lb" in cloud.lab.text(
        "security-group", "show", "web")
    table = cloud.lab.text("security-group", "list")
    assert [line.split()[0] for line in table.splitlines()[1:]] \
        == ["lb", "shut", "web"]
