"""Uplinks of several links: active-backup and LACP, with real devices.

    web, db (VLAN 20, and one untagged: flat)
       |
    weftd's host: a bond of up0 and up1
       |     |
      m0    m1      street: Open vSwitch (LACP: a bond of both), or a bridge of
       +--+--+      Linux that knows of no bond
         lan -- eve

The far end is nobody's work of ours.  The host's switch is Weft's own, or Open
vSwitch under our controller."""

import os
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

import ovs
import weft
from netns import eventually

CLOUD = """\
version: 1
uplinks:
  lan: {bond: [up0, up1]%s}
networks:
  flat: {segment: {vlan: 0, uplink: lan}}
  east: {segment: {vlan: 20, uplink: lan}}
ports:
  web: {network: flat, netns: web, mac: "02:00:00:00:00:01"}
  db: {network: east, netns: db, mac: "02:00:00:00:00:02"}
"""
WEB, DB = "02:00:00:00:00:01", "02:00:00:00:00:02"
EVE = "02:00:00:00:00:99"
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Street:
    def __init__(self, lab, kind):
        self.lab = lab
        self.kind = kind
        self.netns = lab.netns("street")
        self.far = None           # Open vSwitch as the far end
        self.near = None          # as the host's switch
        self.nics = []

    def cable(self):
        for i in range(2):
            self.lab.veth("up%d" % i, "street", peer="m%d" % i)
        self.netns.run("ip", "link", "add", "eve", "address", EVE, "type",
                       "veth", "peer", "name", "eve-sw")
        for name in ("eve", "eve-sw"):
            self.netns.run("ip", "link", "set", name, "up")

    def far_bridge(self):
        self.netns.run("ip", "link", "add", "lan", "type", "bridge",
                       "forward_delay", "0", "mcast_snooping", "0")
        self.netns.run("ip", "link", "set", "lan", "up")
        for name in ("m0", "m1", "eve-sw"):
            self.netns.run("ip", "link", "set", name, "master", "lan")

    def far_bond(self, *settings):
        self.far = ovs.Ovs(self.netns, os.path.join(self.lab.dir, "far"))
        self.far.start(bridge=None)
        self.far.vsctl("add-br", "lan", "--", "set", "bridge", "lan",
                       "datapath_type=netdev", "fail_mode=standalone")
        self.far.vsctl("add-port", "lan", "eve-sw")
        self.far.vsctl("add-bond", "lan", "bond0", "m0", "m1",
                       "bond_mode=balance-tcp", "lacp=active",
                       "other_config:lacp-time=fast", *settings)

    def start(self, cloud):
        options = []
        if self.kind == "ovs":
            self.near = ovs.Ovs(self.lab.host,
                                os.path.join(self.lab.dir, "near"))
            self.near.start(bridge=None)
            options = ["--controller-only", "--ovsdb",
                       "unix:" + self.near.file("db.sock")]
        for name in ("web", "db"):
            self.lab.netns(name)
        self.lab.start_daemon(*options)
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(CLOUD % cloud)
        self.lab.weft("apply", path)
        eventually(self._is_in_force, "it is in force")
        for name in ("web", "db"):
            self.lab.netns(name).wait_link("eth0")

    def _is_in_force(self):
        shown = self.lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]

    def nic(self, where):
        nic = (self.netns.nic("eve") if where == "eve"
               else self.lab.netns(where).nic("eth0"))
        self.nics.append(nic)
        return nic

    def links(self):
        """{device: the link}"""
        return {link["device"]: link for link in
                self.lab.api("GET", "/v1/controller/uplinks")["links"]}

    def uses(self):
        return {name: link["use"] for name, link in self.links().items()}

    def wait_use(self, **uses):
        eventually(lambda: self._is_in_force() and self.uses() == uses,
                   "the uplink's links are %s" % uses)
        if self.near:
            self.near.settle()

    def set_link(self, name, state):
        self.netns.run("ip", "link", "set", name, state)

    def received(self, name):
        """Frames of UDP that came by that link of the street's."""
        return int(self.netns.run(
            "cat", "/sys/class/net/%s/statistics/rx_packets" % name).stdout)

    def close(self):
        for nic in self.nics:
            nic.close()
        self.lab.stop()
        for switch in (self.far, self.near):
            if switch:
                switch.vsctl("--if-exists", "del-br", "lan", "--",
                             "--if-exists", "del-br", "br0")
                switch.stop()
        if self.near:
            for name in ("web", "db"):
                self.lab.host.run("ip", "link", "del", name, check=False)


@pytest.fixture(params=["weft", "ovs"])
def street(lab, request):
    if not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    street = Street(lab, request.param)
    street.cable()
    try:
        yield street
    finally:
        street.close()


def frame(text, src=WEB, dst=BROADCAST, flow=0):
    return (Ether(src=src, dst=dst)
            / IP(src="10.0.0.%d" % (1 + flow % 7), dst="10.0.0.200")
            / UDP(sport=1000 + flow, dport=2000) / Raw(text.encode()))


def by_vlan(made, vid):
    tagged = Ether(src=made.src, dst=made.dst) / Dot1Q(vlan=vid)
    return tagged / made.payload


def reaches(web, eve):
    """The far end takes its links some time after we do."""
    web.send(frame("here"))
    try:
        return eve.expect(lambda f: b"here" in f.raw, timeout=0.3)
    except AssertionError:
        return None


def pass_both_ways(web, eve):
    web.send(frame("out"))
    eve.expect(lambda f: b"out" in f.raw)
    eve.send(frame("in", src=EVE, dst=WEB))
    web.expect(lambda f: b"in" in f.raw)


def test_lacp_uses_all_links_and_loses_one(street):
    street.far_bond()
    street.start(", mode: lacp")
    street.wait_use(up0="in use", up1="in use")
    lacp = street.links()["up0"]["lacp"]
    assert lacp["state"] == "current"
    assert {"sync", "collects", "distributes"} <= set(lacp["partner_flags"])
    assert lacp["partner"] == street.links()["up1"]["lacp"]["partner"]

    for said in (street.lab.text("uplink", "list"),
                 street.lab.text("uplink", "show", "lan")):
        rows = [line.split() for line in said.splitlines()]
        assert ["lan", "lacp", "up1", "in", "use", "current", "port"] in [
            row[:7] for row in rows], said

    web, db, eve = (street.nic(name) for name in ("web", "db", "eve"))
    eventually(lambda: reaches(web, eve), "the far bond is up")
    pass_both_ways(web, eve)
    db.send(frame("tagged", src=DB))
    assert eve.expect(lambda f: b"tagged" in f.raw)[Dot1Q].vlan == 20
    eve.send(by_vlan(frame("for db", src=EVE, dst=DB), 20))
    db.expect(lambda f: b"for db" in f.raw)

    # Many flows use both links, each of them one.
    eve.drain()
    before = [street.received("m0"), street.received("m1")]
    for flow in range(64):
        web.send(frame("flow%02d." % flow, dst=EVE, flow=flow))
    wanted = {b"flow%02d." % flow for flow in range(64)}
    while wanted:                           # in whichever order
        raw = eve.expect(lambda f: b"flow" in f.raw).raw
        wanted.discard(raw[raw.index(b"flow"):][:7])
    n = [street.received(m) - was for m, was in zip(("m0", "m1"), before)]
    assert min(n) >= 16, n

    # What comes by one does not go back by the other, nor come twice.
    eve.drain()
    web.drain()
    eve.send(frame("broadcast", src=EVE))
    eve.send(frame("end", src=EVE))
    heard = []
    while not heard or b"end" not in heard[-1]:
        heard.append(web.expect(lambda f: b"broadcast" in f.raw
                                or b"end" in f.raw).raw)
    assert len(heard) == 2, heard
    web.send(frame("back"))
    eve.absent(lambda f: b"broadcast" in f.raw, behind=lambda f:
               b"back" in f.raw)

    street.set_link("m0", "down")
    street.wait_use(up0="no link", up1="in use")
    for flow in range(16):
        web.send(frame("left%02d." % flow, dst=EVE, flow=flow))
        eve.expect(lambda f: b"left%02d." % flow in f.raw)
    street.set_link("m0", "up")
    street.wait_use(up0="in use", up1="in use")


def test_silence_of_a_partner_ends_a_link_in_three_seconds(street):
    if street.kind == "ovs":
        pytest.skip("the machines are the same")
    street.far_bond()
    street.start(", mode: lacp")
    street.wait_use(up0="in use", up1="in use")
    # The link stays, but nobody is behind it.
    street.far.vsctl("del-port", "lan", "bond0", "--", "add-port", "lan",
                     "m1")
    eventually(lambda: "in use" not in street.uses().values(),
               "silence is noticed")
    # And then one is used alone, as with a switch that knows no LACP.
    eventually(lambda: list(street.uses().values()).count("in use") == 1,
               "one is used alone")


def test_no_link_of_a_bond_leads_back_into_another(street):
    """The far end knows of no bond: each broadcast comes by both links."""
    street.far_bridge()
    street.start("")
    street.wait_use(up0="in use", up1="standby")
    web, eve = street.nic("web"), street.nic("eve")
    pass_both_ways(web, eve)
    web.drain()
    for text in ("one", "two"):
        eve.send(frame(text, src=EVE))
        web.send(frame("mine " + text))
    eve.send(frame("end", src=EVE))
    heard = []
    while not heard or b"end" not in heard[-1]:
        heard.append(web.expect(lambda f: f.haslayer(UDP)
                                and f.src in (EVE, WEB)).raw)
    assert sum(b"one" in raw and b"mine" not in raw for raw in heard) == 1
    assert not any(b"mine" in raw for raw in heard)


def test_a_backup_takes_over_and_says_who_is_there(street):
    street.far_bridge()
    street.start(", primary: up1, fail-back: 1s")
    street.wait_use(up0="standby", up1="in use")
    web, eve = street.nic("web"), street.nic("eve")
    pass_both_ways(web, eve)
    eve.drain()

    # A stream counts what the change costs.
    stop = threading.Event()

    def stream():
        n = 0
        while not stop.is_set():
            web.send(frame("n%06d." % n, dst=EVE))
            n += 1
            time.sleep(0.001)

    sender = threading.Thread(target=stream)
    sender.start()
    try:
        eve.expect(lambda f: b"n000050." in f.raw)
        street.set_link("m1", "down")
        street.wait_use(up0="in use", up1="no link")
        told = eve.expect(lambda f: f.src == WEB and f.type in (0x806,
                                                               0x8035))
        assert told.dst == BROADCAST
        again = eve.expect(lambda f: f.haslayer(UDP))
        first = int(again.raw.split(b"n")[-1][:6])
        eve.expect(lambda f: b"n%06d." % (first + 100) in f.raw)
    finally:
        stop.set()
        sender.join()
    pass_both_ways(web, eve)
    street.set_link("m1", "up")
    street.wait_use(up0="standby", up1="in use")
    pass_both_ways(web, eve)
