"""Routers: networks reach each other by address, on Weft's switch and on Open
vSwitch.

    web 10.1.0.10 -- blue --+          +-- red --- db  10.2.0.20
                            +-- r1 ----+        \\- rt  10.2.0.77: 10.9.0.0/16
    tin 10.3.0.30 -- thin --+          +-- plan -- lan0 --- outside 10.4.0.9:
                    (MTU 1300)                              10.8.0.0/16
    solo 10.5.0.50 -- lone: no router

Real guests: the kernel's ping, TCP and path MTU discovery, and traceroute."""

import json
import os
import re
import subprocess
import threading

import pytest

import ovs
import weft
from netns import eventually, move_file
from weft import NEGATIVE

CLOUD = """\
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
  red: {subnet: 10.2.0.0/24, subnet6: "fd00:2::/64"}
  thin: {subnet: 10.3.0.0/24, subnet6: "fd00:3::/64", mtu: 1300}
  plan: {subnet: 10.4.0.0/24, segment: {vlan: 0, uplink: lan}}
  lone: {subnet: 10.5.0.0/24}
routers:
  r1:
    networks: [blue, red, thin, plan]
    routes:
      - {to: 10.9.0.0/16, via: 10.2.0.77}
      - {to: 10.8.0.0/16, via: 10.4.0.9}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
  pal: {network: blue, netns: pal, address: 10.1.0.11, configure: true}
  db: {network: red, netns: db, address: 10.2.0.20, configure: true}
  rt: {network: red, netns: rt, address: 10.2.0.77, allow: 10.9.0.0/16,
       configure: true}
  tin: {network: thin, netns: tin, address: 10.3.0.30, configure: true}
  solo: {network: lone, netns: solo, address: 10.5.0.50, configure: true}
"""
GUESTS = ("web", "pal", "db", "rt", "tin", "solo")


class Cloud:
    def __init__(self, kind, build):
        self.lab = weft.Lab(build)
        self.ovs = None
        if kind == "ovs":
            self.ovs = ovs.Ovs(self.lab.host,
                               os.path.join(self.lab.dir, "ovs"))

    def start(self):
        for name in GUESTS:
            self.lab.netns(name, ipv6=True)
        outside = self.lab.veth("lan0", "outside", addr="10.4.0.9/24")
        # Not every switch completes checksums.
        outside.run("ethtool", "-K", "eth0", "tx", "off")
        outside.run("ip", "addr", "add", "10.8.0.1/32", "dev", "lo")
        outside.run("ip", "route", "add", "default", "via", "10.4.0.1")
        if self.ovs:
            self.ovs.start(bridge=None)
            self.lab.start_daemon("--controller-only", "--ovsdb",
                                  "unix:" + self.ovs.file("db.sock"))
        else:
            self.lab.start_daemon()
        self.apply(CLOUD)
        for name in GUESTS:
            self.lab.netns(name).wait_link("eth0")
        self.settle()
        self["rt"].run("ip", "addr", "add", "10.9.0.1/32", "dev", "lo")
        for name in ("web", "db", "tin"):
            eventually(lambda n=name: self.address6(n),
                       "%s has an address of IPv6" % name)
            eventually(lambda n=name: "default" in self[n].run(
                "ip", "-6", "route").stdout, "%s has a way out" % name)

    def __getitem__(self, name):
        return self.lab.netns(name)

    def apply(self, text):
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.lab.weft("apply", path)

    def settle(self):
        def is_in_force():
            shown = self.lab.weft("controller", "show")
            return shown["connected"] and shown["synced"] \
                and not shown["ports_missing"]
        eventually(is_in_force, "the intents are in force")
        if self.ovs:
            self.ovs.settle()

    def address6(self, name):
        """The network's own, and it is no longer tentative."""
        shown = json.loads(self[name].run("ip", "-j", "-6", "addr", "show",
                                          "dev", "eth0").stdout)
        for info in shown[0]["addr_info"]:
            if info["scope"] == "global" and not info.get("tentative"):
                return info["local"]
        return None

    def ping(self, name, *args):
        return self[name].run("ping", "-n", "-c", "1", "-w", "6", *args,
                              check=False).stdout

    def close(self):
        try:
            self.lab.stop()
            if self.ovs:
                self.ovs.vsctl("--if-exists", "del-br", "br0")
                self.ovs.stop()
                for name in set(self.lab.host.links()) \
                        - {"lo"} - set(self.lab._made):
                    self.lab.host.run("ip", "link", "del", name, check=False)
        finally:
            self.lab.close()


@pytest.fixture(scope="module", params=["weft", "ovs"])
def cloud(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    cloud = Cloud(request.param, request.config.getoption("--build"))
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.close()


def hops(cloud, *args):
    """What traceroute shows from web."""
    out = cloud["web"].run("traceroute", "-n", "-q", "1", "-w", "3",
                           *args).stdout
    return re.findall(r"^ *\d+  (\S+)", out, re.M)


def test_joined_networks_reach_each_other(cloud):
    web, db = cloud["web"], cloud["db"]
    assert web.ping("10.2.0.20")
    assert db.ping("10.1.0.10")
    assert web.ping(cloud.address6("db"))
    assert web.ping("10.2.0.1") and web.ping("fd00:2::1"), "other gateways"
    assert web.ping("10.1.0.11")
    said = cloud.ping("web", "10.2.0.20")
    assert "ttl=63" in said
    assert move_file(web, db, "10.2.0.20", size=8 << 20)
    assert move_file(web, db, cloud.address6("db"), size=8 << 20)


def test_others_stay_apart(cloud):
    assert not cloud["web"].ping("10.5.0.50", deadline=1)
    assert not cloud["solo"].ping("10.1.0.10", deadline=1)
    assert not cloud["solo"].ping("10.2.0.1", deadline=1)


def test_a_lan_and_what_is_behind_others(cloud):
    web = cloud["web"]
    assert web.ping("10.9.0.1"), "behind a port"
    assert web.ping("10.4.0.9"), "a station that nobody planned"
    assert web.ping("10.8.0.1"), "behind it"
    assert cloud["outside"].ping("10.1.0.10")
    assert cloud["outside"].ping("10.4.0.1")
    assert move_file(web, cloud["outside"], "10.8.0.1", size=4 << 20)


def test_a_guest_may_ask_the_gateway_for_its_neighbour(cloud):
    web = cloud["web"]
    web.run("ip", "route", "add", "10.1.0.11/32", "via", "10.1.0.1")
    assert hops(cloud, "10.1.0.11") == ["10.1.0.1", "10.1.0.11"]
    web.run("ip", "route", "del", "10.1.0.11/32")


def test_names_are_told_by_all_gateways(cloud):
    said = cloud["web"].run("dig", "+short", "+tries=1", "@10.2.0.1",
                            "pal.blue.weft").stdout
    assert said.strip() == "10.1.0.11"


def test_traceroute_shows_the_gateway(cloud):
    assert hops(cloud, "10.2.0.20") == ["10.1.0.1", "10.2.0.20"]
    assert hops(cloud, "-I", "10.2.0.20") == ["10.1.0.1", "10.2.0.20"]
    assert hops(cloud, "-T", "10.2.0.20") == ["10.1.0.1", "10.2.0.20"]
    db6 = cloud.address6("db")
    assert hops(cloud, "-6", db6) == ["fd00:1::1", db6]
    assert hops(cloud, "10.2.0.1") == ["10.2.0.1"], "a closed port of a gateway"
    assert hops(cloud, "10.8.0.1") == ["10.1.0.1", "10.8.0.1"]


def test_who_lives_too_long_or_goes_nowhere_is_told(cloud):
    for to, args, told in (
            ("10.2.0.20", ["-t", "1"],
             "From 10.1.0.1 icmp_seq=1 Time to live exceeded"),
            ("10.77.0.1", [],
             "From 10.1.0.1 icmp_seq=1 Destination Net Unreachable"),
            ("10.2.0.99", [],
             "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable"),
            ("10.4.0.99", [],
             "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable"),
            (cloud.address6("db"), ["-t", "1"],
             "From fd00:1::1 icmp_seq=1 Time exceeded: Hop limit"),
            ("fd00:77::1", [],
             "From fd00:1::1 icmp_seq=1 Destination unreachable: No route"),
            ("fd00:2::99", [],
             "From fd00:1::1 icmp_seq=1 Destination unreachable: "
             "Address unreachable")):
        said = cloud.ping("web", *args, to)
        assert told in said, "%s %s: %s" % (to, args, said)


def test_what_is_too_big(cloud):
    web, tin = cloud["web"], cloud["tin"]
    tin6 = cloud.address6("tin")
    assert "mtu = 1300" in cloud.ping("web", "-M", "do", "-s", "1400",
                                      "10.3.0.30")
    assert "mtu=1300" in cloud.ping("web", "-M", "do", "-s", "1400",
                                    tin6).replace(": ", "=")
    web.run("ip", "route", "flush", "cache")
    web.run("ip", "-6", "route", "flush", "cache")
    # What may be cut is cut.
    assert "1408 bytes from 10.3.0.30" in cloud.ping(
        "web", "-M", "dont", "-s", "1400", "10.3.0.30")
    # Who says that it takes more finds out on the way what fits.
    tin.run("ip", "link", "set", "eth0", "mtu", "1500")
    assert move_file(web, tin, "10.3.0.30", size=8 << 20)
    assert "mtu 1300" in web.run("ip", "route", "get", "10.3.0.30").stdout
    assert move_file(web, tin, tin6, size=8 << 20)


def test_a_change_elsewhere_disturbs_nobody(cloud):
    moved = []

    def move():
        moved.append(move_file(cloud["web"], cloud["db"], "10.2.0.20",
                               size=128 << 20))
    thread = threading.Thread(target=move)
    thread.start()
    for i in range(3):
        cloud.lab.weft("network", "create", "more%d" % i, "--subnet",
                       "10.6%d.0.0/24" % i)
        cloud.lab.weft("router", "create", "x%d" % i, "--networks",
                       "[more%d]" % i)
        cloud.lab.weft("router", "set", "r1", "--routes",
                       "[{to: 10.7%d.0.0/16, via: 10.2.0.77}, "
                       "{to: 10.9.0.0/16, via: 10.2.0.77}, "
                       "{to: 10.8.0.0/16, via: 10.4.0.9}]" % i)
    thread.join()
    assert moved == [True]
    assert "{to: 10.72.0.0/16, via: 10.2.0.77}" in cloud.lab.text("export")
    cloud.apply(CLOUD)


def test_what_is_parted_is_cut_and_explained(cloud):
    lab = cloud.lab
    assert lab.weft("explain", "web", "db", "tcp/80")["verdict"] == "yes"
    assert lab.weft("explain", "web", "10.2.0.20")["verdict"] == "yes"
    assert lab.weft("explain", "web", "tin", "icmp6")["verdict"] == "yes"
    lab.weft("router", "delete", "r1")
    cloud.settle()
    assert not cloud["web"].ping("10.2.0.20", deadline=1)
    said = lab.weft("explain", "web", "db", status=NEGATIVE)
    assert "no router joins network 'blue' with network 'red'" in said["why"]
    assert said["fix"] == "weft router create blue-red " \
        "--networks '[blue, red]'"
    lab.weft("router", "create", "blue-red", "--networks", "[blue, red]")
    cloud.settle()
    assert cloud["web"].ping("10.2.0.20")
    said = lab.weft("explain", "web", "tin", status=NEGATIVE)
    assert said["fix"] == "weft router set blue-red " \
        "--networks '[blue, red, thin]'"
    assert lab.text("router", "list").split("\n")[1].split()[:4] == [
        "blue-red", "blue,", "red", "0"]
    cloud.apply(CLOUD)


def test_who_is_closed_is_told_as_well(cloud):
    """Errors belong to what a guest with security groups sent itself."""
    lab = cloud.lab
    lab.weft("security-group", "create", "shut", "--in",
             "[{protocol: tcp, port: 9}]")
    lab.weft("port", "set", "web", "--security-groups", "[shut]")
    cloud.settle()
    assert "Time to live exceeded" in cloud.ping("web", "-t", "1",
                                                 "10.2.0.20")
    assert "Net Unreachable" in cloud.ping("web", "10.77.0.1")
    cloud["web"].run("ip", "route", "flush", "cache")
    assert "mtu = 1300" in cloud.ping("web", "-M", "do", "-s", "1400",
                                      "10.3.0.30")
    assert hops(cloud, "10.2.0.20") == ["10.1.0.1", "10.2.0.20"]
    assert not cloud["db"].ping("10.1.0.10", deadline=1)
    cloud.apply(CLOUD)
    cloud.settle()


def test_a_restart_is_not_noticed(cloud):
    """A station of the LAN, which nobody planned, among them."""
    web = cloud["web"]
    assert web.ping("10.4.0.9") and web.ping("10.2.0.20")
    pings = [web.popen("ping", "-n", "-q", "-i", "0.01", "-c", "150", to,
                       stdout=subprocess.PIPE, text=True)
             for to in ("10.4.0.9", "10.8.0.1", "10.2.0.20")]
    cloud.lab.stop()
    cloud.lab.restart()
    cloud.settle()
    for ping in pings:
        said = ping.communicate()[0]
        lost = float(re.search(r"([\d.]+)% packet loss", said).group(1))
        # Weft's switch is the daemon itself: it is away while it starts.
        assert lost == 0 if cloud.ovs else lost < 100, said
    assert web.ping("10.8.0.1")
