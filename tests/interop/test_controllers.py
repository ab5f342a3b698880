"""Controllers written with os-ken's library, and hosts behind the switch that
they drive.

    h1 10.0.0.1 | tap    h2 10.0.0.2 | tap    h3 10.0.0.3 | tap    on br0
"""

import json
import socket

import pytest
from scapy.contrib.lacp import LACP, SlowProtocol
from scapy.layers.l2 import Ether

from controller import OF_NAMES, Controller
from netns import eventually

VERSIONS = pytest.mark.parametrize("version", OF_NAMES,
                                   ids=OF_NAMES.values())
SOME = pytest.mark.parametrize("version", (4, 6),
                               ids=("OpenFlow13", "OpenFlow15"))
# Those that os-ken's helpers know.
HELPED = pytest.mark.parametrize("version", (1, 4),
                                 ids=("OpenFlow10", "OpenFlow13"))
HOSTS = ("h1", "h2", "h3")
LONG = 30.0                             # Seconds, under sanitizers.
ONE_NET = ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24")


def start(lab, controller, *addresses):
    """The hosts, once the switch is under control."""
    lab.start(*[lab.plug("tap", number, name, address)
                for number, name, address
                in zip(range(1, 9), HOSTS, addresses or ONE_NET)],
              options=controller.options)
    controller.wait("switch")
    return [lab.netns(name) for name in HOSTS]


@VERSIONS
def test_a_learning_switch(lab, version):
    with Controller.app(lab, "learning_switch", version) as controller:
        h1, h2, h3 = start(lab, controller)
        assert controller.events("switch")[0]["version"] == version
        for source, target in ((h1, "10.0.0.2"), (h2, "10.0.0.3"),
                               (h3, "10.0.0.1")):
            assert source.ping(target)
        # What is known passes the controller by.
        n = len(controller.wait("packet"))
        assert h1.ping("10.0.0.2", count=3)
        assert len(controller.events("packet")) == n
        assert not controller.events("error")


# --- Firewall -------------------------------------------------------------


def connects(source, target, address, port, timeout):
    """Whether a TCP connection comes about."""
    def listen():
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(1)
        return sock

    def connect():
        try:
            socket.create_connection((address, port), timeout).close()
        except OSError:
            return False
        return True

    with target.call(listen):
        return source.call(connect)


@SOME
def test_a_firewall(lab, version):
    def between(one, other, **fields):
        return [dict(fields, eth_type=0x0800, ipv4_src=one, ipv4_dst=other),
                dict(fields, eth_type=0x0800, ipv4_src=other, ipv4_dst=one)]

    a, b, c = (address.partition("/")[0] for address in ONE_NET)
    web = between(a, b, ip_proto=6)
    web[0]["tcp_dst"] = web[1]["tcp_src"] = 80
    rules = between(a, b, ip_proto=1) + between(b, c, ip_proto=1) + web
    with Controller.app(lab, "firewall", version,
                        rules=json.dumps(rules)) as controller:
        h1, h2, h3 = start(lab, controller)
        controller.wait("barrier")

        def n_denied():
            return next(flow["packets"] for flow
                        in lab.weft("flow", "list")["flows"]
                        if int(str(flow["cookie"]), 0) == 0xdead)

        assert h1.ping(b) and h2.ping(c)
        assert connects(h1, h2, b, 80, timeout=5)
        assert n_denied() == 0
        assert not connects(h1, h2, b, 81, timeout=0.3)
        assert not connects(h2, h1, a, 80, timeout=0.3)
        assert not h1.ping(c, deadline=1)
        eventually(lambda: n_denied() >= 3, "what is denied is counted")
        # The first table decides, the second one asks.
        assert {row["table"] for row in controller.events("packet")} == {1}
        assert not controller.events("error")


# --- Router ---------------------------------------------------------------


@SOME
def test_a_router(lab, version):
    """
        h1 10.1.0.2/24 -- .1 | r | 10.2.0.1 -- h2 10.2.0.2/24
                             | r | 10.3.0.1 -- h3 10.3.0.2/24
    """
    interfaces = {n: "10.%d.0.1" % n for n in (1, 2, 3)}
    with Controller.app(lab, "router", version,
                        interfaces=json.dumps(interfaces)) as controller:
        hosts = start(lab, controller, *["10.%d.0.2/24" % n
                                         for n in interfaces])
        for host, gateway in zip(hosts, interfaces.values()):
            host.run("ip", "route", "add", "default", "via", gateway)
        h1, h2, h3 = hosts
        controller.wait("barrier")
        assert h1.ping("10.1.0.1")
        assert h1.ping("10.2.0.2") and h3.ping("10.1.0.2")
        # One hop, and the entry is the fast way.
        said = h1.run("ping", "-n", "-c", "1", "-w", "5", "10.3.0.2").stdout
        assert "ttl=63" in said
        # No hop is left: the controller is told, and answers.
        said = h1.run("ping", "-n", "-c", "1", "-t", "1", "-w", "5",
                      "10.2.0.2", check=False).stdout
        assert "From 10.1.0.1" in said and "Time to live exceeded" in said
        assert controller.events("expired", src="10.1.0.2", dst="10.2.0.2")
        assert not h1.ping("10.9.0.2", deadline=1)
        assert controller.events("unreachable", dst="10.9.0.2")
        assert not controller.events("error")


# --- Link aggregation -----------------------------------------------------


def lacpdu(nic, port):
    """An active partner with the short timeout, whose view of us is empty."""
    SHORT = 0b00000111                  # activity, timeout, aggregation
    return Ether(src=nic.mac, dst="01:80:c2:00:00:02", type=0x8809) \
        / SlowProtocol() / LACP(actor_system="02:00:00:00:00:99",
                                actor_key=7, actor_port_number=port,
                                actor_state=SHORT)


def lacp_answer(nic, port):
    """Partners repeat what they say; the first may come before the controller
    has asked for it."""
    for _ in range(40):
        nic.send(lacpdu(nic, port))
        try:
            return nic.expect(lambda frame: LACP in frame, timeout=0.5)[LACP]
        except AssertionError:
            pass
    raise AssertionError("no LACPDU comes back")


@HELPED
def test_links_of_a_bond(lab, version):
    with Controller.app(lab, "bond", version, ports="1,2", dpid=9) \
            as controller:
        lab.start(*[lab.plug("tap", number, name) for number, name
                    in zip((1, 2, 3), HOSTS)],
                  options=controller.options + ("--datapath-id", "9"))
        controller.wait("switch")
        for port, name in ((1, "h1"), (2, "h2")):
            answer = lacp_answer(lab.netns(name).nic("eth0"), port)
            assert answer.partner_system == "02:00:00:00:00:99"
            assert answer.partner_key == 7
            assert answer.actor_port_number == port
            controller.wait("link", port=port, enabled=True)
        # The entry that brings LACPDUs idles out, and its end is told.
        controller.wait("link", port=1, enabled=False)
        controller.wait("link", port=2, enabled=False)
        assert not controller.events("error")


# --- Two switches ---------------------------------------------------------


def cable(lab, second, name, number):
    """--port arguments for the ends of a veth pair between two switches."""
    ends = [name + "a", name + "b"]
    lab.host.run("ip", "link", "add", ends[0], "type", "veth", "peer",
                 "name", ends[1])
    for end in ends:
        lab.host.run("ip", "link", "set", end, "up")
    for one in (lab, second):
        one._devices = one._made + ends
    return ["%d=netdev:%s" % (number, end) for end in ends]


def start_two(lab, second, controller, n_cables):
    """
        h1 -- br0 == br1 -- h2        ports 1; n_cables between ports 11, 12...
    """
    cables = [cable(lab, second, "cable%d" % n, 11 + n)
              for n in range(n_cables)]
    for dpid, (one, host, address) in enumerate(
            ((lab, "h1", "10.0.0.1/24"), (second, "h2", "10.0.0.2/24"))):
        one.start(one.plug("tap", 1, host, address),
                  *[ends[dpid] for ends in cables], switch="br%d" % dpid,
                  options=controller.options
                  + ("--datapath-id", str(dpid + 1)))
    for dpid in (1, 2):
        controller.wait("switch", dpid=dpid)
    return lab.netns("h1"), second.netns("h2")


@HELPED
def test_a_spanning_tree(lab, second, version):
    with Controller.app(lab, "spanning_tree", version) as controller:
        h1, h2 = start_two(lab, second, controller, 2)

        def states():
            """What each port is, by what was said of it last."""
            return {(row["dpid"], row["port"]): row["state"]
                    for row in controller.events("port")}

        def settled(*closed):
            want = {(1, 11): "forward", (1, 12): "forward",
                    (2, 11): "forward", (2, 12): "forward"}
            want.update(closed)
            return lambda: want.items() <= states().items()

        # Switch 1 is the root; switch 2 closes one of its ways there.
        eventually(settled(((2, 12), "block")), "one loop is open",
                   LONG)
        assert h1.ping("10.0.0.2", deadline=5)
        # A broadcast does not go round.
        nic = h2.nic("eth0")
        shout = Ether(src=h1.nic("eth0").mac, dst="ff:ff:ff:ff:ff:ff",
                      type=0x88b5) / bytes(50)
        h1.nic("eth0").send(shout)
        nic.expect(shout)
        assert h1.ping("10.0.0.2", deadline=5)
        assert not [f for f in nic.drain() if f.raw == bytes(shout)]
        # The other way is taken when the first one is cut.
        lab.host.run("ip", "link", "set", "cable0a", "down")
        eventually(settled(((1, 11), "disable"), ((2, 11), "disable")),
                   "the other way is open", LONG)
        assert h1.ping("10.0.0.2", deadline=10)
        assert not controller.events("error")


@HELPED
def test_topology_is_discovered(lab, second, version):
    with Controller.app(lab, "topology", version,
                        arguments=("--observe-links",
                                   "os_ken.topology.switches")) \
            as controller:
        start_two(lab, second, controller, 1)
        controller.wait("link", dpid=1, port=11, to=2, to_port=11)
        controller.wait("link", dpid=2, port=11, to=1, to_port=11)
        assert len(controller.events("link")) == 2
        lab.host.run("ip", "link", "set", "cable0a", "down")
        controller.wait("link gone", dpid=1, to=2)
        assert not controller.events("error")


# --- Statistics -----------------------------------------------------------


@VERSIONS
def test_statistics_are_polled(lab, version):
    with Controller.app(lab, "poller", version) as controller:
        h1, h2, _h3 = start(lab, controller)
        assert controller.wait("desc")[0]["maker"] == "Weft"
        a, b = h1.nic("eth0"), h2.nic("eth0")
        frame = Ether(src=a.mac, dst=b.mac, type=0x88b5) / bytes(86)
        for _ in range(20):
            a.send(frame)
        for _ in range(20):
            b.expect(frame)
        controller.wait("flow", cookie=1, packets=20, bytes=2000)
        controller.wait("flow", cookie=2, packets=0, bytes=0)
        controller.wait("sum", packets=20, bytes=2000, flows=2)
        controller.wait("table", active=2, lookups=20, matched=20)
        controller.wait("port", port=1, rx=20, rx_bytes=2000)
        controller.wait("port", port=2, tx=20, tx_bytes=2000)
        assert not controller.events("error")


# --- ovs-testcontroller ---------------------------------------------------


@VERSIONS
def test_ovs_testcontroller(lab, version):
    with Controller.ovs(lab, version) as controller:
        lab.start(*[lab.plug("tap", number, name, address)
                    for number, name, address
                    in zip(range(1, 9), HOSTS, ONE_NET)],
                  options=controller.options)
        h1, h2, h3 = [lab.netns(name) for name in HOSTS]
        assert h1.ping("10.0.0.2", deadline=10)
        assert h2.ping("10.0.0.3") and h3.ping("10.0.0.1")
        # It wrote entries for what it learned.
        assert any("output" in flow["actions"].lower()
                   for flow in lab.weft("flow", "list")["flows"])


@pytest.mark.parametrize("option", ("--hub", "--noflow", "--normal"))
def test_ovs_testcontroller_as_something_else(lab, option):
    with Controller.ovs(lab, 4, option) as controller:
        lab.start(*[lab.plug("tap", number, name, address)
                    for number, name, address
                    in zip(range(1, 9), HOSTS, ONE_NET)],
                  options=controller.options)
        h1, h2, h3 = [lab.netns(name) for name in HOSTS]
        assert h1.ping("10.0.0.2", deadline=10)
        assert h2.ping("10.0.0.3") and h3.ping("10.0.0.1")
