"""Two hosts, one LAN: what a VLAN joins, and what it keeps apart.

    host a: web (east 20), far (west 30), cust (tenant 100, QinQ)
       |  lan0                            other (rival 101, QinQ)
     the LAN: a bridge of Linux, which knows nothing of VLANs; eve listens
       |  lan0
    host b: db (east 20), near (west 30), cust2 (tenant), other2 (rival),
            fw (a trunk: VLAN 5 is east, VLAN 6 is west)

One file for both hosts; each plugs in its own ports.  The second host's switch
is Weft's own, or Open vSwitch."""

import os

import pytest
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

import ovs
import weft
from netns import Netns, eventually

CLOUD = """\
version: 1
uplinks:
  lan: {device: lan0}
networks:
  east: {segment: {vlan: 20, uplink: lan}}
  west: {segment: {vlan: 30, uplink: lan}}
  tenant: {segment: {vlan: 100, uplink: lan, protocol: 802.1ad}}
  rival: {segment: {vlan: 101, uplink: lan, protocol: 802.1ad}}
ports:
  web: {network: east, host: a, netns: web, mac: "02:00:00:00:00:01"}
  far: {network: west, host: a, netns: far, mac: "02:00:00:00:00:02"}
  cust: {network: tenant, host: a, netns: cust, mac: "02:00:00:00:00:03"}
  other: {network: rival, host: a, netns: other, mac: "02:00:00:00:00:04"}
  db: {network: east, host: b, netns: db, mac: "02:00:00:00:00:11"}
  near: {network: west, host: b, netns: near, mac: "02:00:00:00:00:12"}
  cust2: {network: tenant, host: b, netns: cust2, mac: "02:00:00:00:00:13"}
  other2: {network: rival, host: b, netns: other2, mac: "02:00:00:00:00:14"}
  fw: {trunk: {5: east, 6: west}, host: b, netns: fw,
       mac: "02:00:00:00:00:15"}
"""
MAC = {"web": "02:00:00:00:00:01", "far": "02:00:00:00:00:02",
       "cust": "02:00:00:00:00:03", "other": "02:00:00:00:00:04",
       "db": "02:00:00:00:00:11", "near": "02:00:00:00:00:12",
       "cust2": "02:00:00:00:00:13", "other2": "02:00:00:00:00:14",
       "fw": "02:00:00:00:00:15"}
HERE, THERE = ("web", "far", "cust", "other"), ("db", "near", "cust2",
                                               "other2", "fw")
EVE = "eve"
# A port of the same network on the other host.
PEER = {"web": "db", "far": "near", "cust": "cust2", "other": "other2",
        "db": "web", "near": "far", "cust2": "cust", "other2": "other",
        "fw": "web"}
BROADCAST = "ff:ff:ff:ff:ff:ff"
MARK, DATA = 0x88b6, 0x88b5


class Hosts:
    def __init__(self, kind, build):
        self.build = build
        self.kind = kind
        self.a = weft.Lab(build)
        self.b = weft.Lab(build, host=Netns("host-b"))
        self.ovs = None
        self.nics = {}

    def start(self):
        street = self.a.netns("street")
        street.run("ip", "link", "add", "name", "lan", "type", "bridge",
                   "forward_delay", "0", "ageing_time", "0",
                   "mcast_snooping", "0")
        street.run("ip", "link", "set", "lan", "up")
        for lab, end in ((self.a, "to-a"), (self.b, "to-b")):
            lab._netns["street"] = street
            lab.veth("lan0", "street", peer=end)
            street.run("ip", "link", "set", end, "master", "lan")
        del self.b._netns["street"]
        street.run("ip", "link", "add", EVE, "type", "veth", "peer", "name",
                   "eve-br")
        street.run("ip", "link", "set", "eve-br", "master", "lan", "up")
        street.run("ip", "link", "set", EVE, "up")
        for name in MAC:
            self.a.netns(name)
        self._daemon(self.a, "a", "weft")
        self._daemon(self.b, "b", self.kind)
        for lab in (self.a, self.b):
            path = os.path.join(lab.dir, "cloud.yaml")
            with open(path, "w") as f:
                f.write(CLOUD)
            lab.weft("apply", path)
        for lab in (self.a, self.b):
            eventually(lambda: self._is_in_force(lab), "it is in force")
        if self.ovs:
            self.ovs.settle()
        for name in MAC:
            self.a.netns(name).wait_link("eth0")
            self.nics[name] = self.a.netns(name).nic("eth0")
        self.nics[EVE] = street.nic(EVE)

    def _daemon(self, lab, name, kind):
        options = ["--host", name]
        if kind == "ovs":
            self.ovs = ovs.Ovs(lab.host, os.path.join(lab.dir, "ovs"))
            self.ovs.start(bridge=None)
            # It looks at one tag only when it is not told so.
            self.ovs.vsctl("set", "Open_vSwitch", ".",
                           "other_config:vlan-limit=2")
            options += ["--controller-only", "--ovsdb",
                        "unix:" + self.ovs.file("db.sock")]
        lab.start_daemon(*options)

    @staticmethod
    def _is_in_force(lab):
        shown = lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]

    def heard(self, sender, frame):
        """{name: [frames]}: who hears it, on both hosts; eve hears all that is
        on the LAN.  Each listener reads up to a marker that came behind it by
        the same way: eve's from the sender, the others' from a port of their
        own network on the other host."""
        self.nics[sender].send(frame)
        self._mark(sender, EVE)
        got = {}
        for name in (EVE,) + HERE + THERE:
            if name == sender:
                continue
            if name != EVE:
                self._mark(PEER[name], name)
            for one in self.nics[name].frames():
                if b"mark-" + name.encode() + b"." in one.raw:
                    break
                if b"data" in one.raw:
                    got.setdefault(name, []).append(one)
        return got

    def _mark(self, sender, name):
        made = Ether(src=MAC[sender], dst=BROADCAST)
        if sender == "fw":
            made = made / Dot1Q(vlan=5)
        made.lastlayer().type = MARK
        self.nics[sender].send(made / Raw(b"mark-" + name.encode() + b"."
                                          + bytes(46)))

    def close(self):
        try:
            for nic in self.nics.values():
                nic.close()
            self.b.stop()
            if self.ovs:
                self.ovs.vsctl("--if-exists", "del-br", "br0")
                self.ovs.stop()
                for name in set(self.b.host.links()) - {"lan0", "lo"}:
                    self.b.host.run("ip", "link", "del", name)
        finally:
            try:
                self.b.close()
            finally:
                self.a.close()
                self.b.host.close()


@pytest.fixture(scope="module", params=["weft", "ovs"])
def hosts(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    hosts = Hosts(request.param, request.config.getoption("--build"))
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.close()


def frame(sender, dst, *tags):
    made = Ether(src=MAC[sender], dst=MAC.get(dst, dst))
    for vlan in tags:
        made = made / Dot1Q(vlan=vlan)
    made.lastlayer().type = DATA
    return made / Raw(b"data" + bytes(46))



def tags(one):
    """[(type, VLAN)] from the outside in."""
    found, at = [], 12
    while one.raw[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        found.append((int.from_bytes(one.raw[at:at + 2], "big"),
                      int.from_bytes(one.raw[at + 2:at + 4], "big") & 0xfff))
        at += 4
    return found


def who(heard):
    """{name: its copies' tags}"""
    return {name: [tags(one) for one in frames]
            for name, frames in heard.items()}


def test_the_same_vlan_joins_and_another_does_not(hosts):
    assert who(hosts.heard("web", frame("web", BROADCAST))) == {
        EVE: [[(0x8100, 20)]], "db": [[]], "fw": [[(0x8100, 5)]]}
    assert who(hosts.heard("far", frame("far", BROADCAST))) == {
        EVE: [[(0x8100, 30)]], "near": [[]], "fw": [[(0x8100, 6)]]}
    assert who(hosts.heard("db", frame("db", "web"))) == {
        EVE: [[(0x8100, 20)]], "web": [[]]}
    # The other VLAN's station is nobody here.
    assert who(hosts.heard("web", frame("web", "near"))) == {
        EVE: [[(0x8100, 20)]]}


def test_a_guest_that_tags_is_in_the_networks_of_its_trunk(hosts):
    assert who(hosts.heard("fw", frame("fw", "web", 5))) == {
        EVE: [[(0x8100, 20)]], "web": [[]]}
    assert who(hosts.heard("fw", frame("fw", BROADCAST, 6))) == {
        EVE: [[(0x8100, 30)]], "near": [[]], "far": [[]]}
    # Nothing of what is not its own: no tag, the LAN's, two.
    for tag in ((), (20,), (30,), (7,)):
        assert who(hosts.heard("fw", frame("fw", BROADCAST, *tag))) == {}, tag
    # What a guest hides under its tag stays in that network, as it is.
    assert who(hosts.heard("web", frame("web", "fw"))) == {
        EVE: [[(0x8100, 20)]], "fw": [[(0x8100, 5)]]}


def test_a_customer_s_tags_travel_inside_of_one(hosts):
    for inner in (7, 20, 100, 4094):
        assert who(hosts.heard("cust", frame("cust", BROADCAST, inner))) == {
            EVE: [[(0x88a8, 100), (0x8100, inner)]],
            "cust2": [[(0x8100, inner)]]}, inner
        assert who(hosts.heard("other2", frame("other2", "other", inner))) \
            == {EVE: [[(0x88a8, 101), (0x8100, inner)]],
                "other": [[(0x8100, inner)]]}, inner
    # Without a tag of its own.
    assert who(hosts.heard("cust2", frame("cust2", "cust"))) == {
        EVE: [[(0x88a8, 100)]], "cust": [[]]}


def test_tags_of_one_kind_are_not_the_other(hosts):
    """VLAN 100 as a customer's tag on the LAN is not the service's, and what is
    below another service tag is nobody's."""
    def on_the_lan(kind, *vlans):
        made = Ether(src="02:00:00:00:bb:01", dst=BROADCAST)
        for vlan in vlans:
            made = made / (kind if vlan == vlans[0] else Dot1Q)(vlan=vlan)
        made.lastlayer().type = DATA
        return made / Raw(b"data" + bytes(46))

    def hear(sent):
        hosts.nics[EVE].send(sent)
        got = {}
        for name in HERE + THERE:
            hosts._mark(PEER[name], name)
            for one in hosts.nics[name].frames():
                if b"mark-" + name.encode() + b"." in one.raw:
                    break
                if b"data" in one.raw:
                    got[name] = tags(one)
        return got
    assert hear(on_the_lan(Dot1AD, 100, 7)) == {
        "cust": [(0x8100, 7)], "cust2": [(0x8100, 7)]}
    assert hear(on_the_lan(Dot1AD, 102, 100)) == {}
    assert hear(on_the_lan(Dot1Q, 20)) == {
        "web": [], "db": [], "fw": [(0x8100, 5)]}
