"""The host's only NIC becomes an uplink, and nobody is cut off.

     host (weftd)              lan
     eth0 192.168.1.5 --------- l0 192.168.1.1     8.8.8.8 behind it
          fd00:9::5                fd00:9::1
"""

import json
import socket
import threading

import pytest

from netns import eventually, move_file

AWAY = "8.8.8.8"
LEG = "weft-lan"


@pytest.fixture
def only_nic(lab):
    """The host, whose ways out all lead by eth0."""
    host, lan = lab.host, lab.netns("lan", ipv6=True)
    for ns in (host, lan):
        ns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0",
               "net.ipv6.conf.default.disable_ipv6=0")
        ns.run("ip", "link", "set", "lo", "up")
    host.run("ip", "link", "add", "eth0", "type", "veth", "peer", "l0",
             "netns", "lan")
    lan.run("ip", "link", "set", "l0", "up")
    for address in ("192.168.1.1/24", "fd00:9::1/64"):
        lan.run("ip", "addr", "add", address, "dev", "l0", *nodad(address))
    lan.run("ip", "addr", "add", AWAY + "/32", "dev", "lo")
    for words in (
            ["addr", "add", "192.168.1.5/24", "brd", "+", "dev", "eth0"],
            ["addr", "add", "192.168.1.6/24", "dev", "eth0", "label",
             "eth0:six"],
            ["addr", "add", "fd00:9::5/64", "dev", "eth0", "nodad"],
            ["link", "set", "eth0", "mtu", "1400", "up"],
            ["route", "add", "default", "via", "192.168.1.1", "metric",
             "100"],
            ["route", "add", "10.9.0.0/16", "via", "192.168.1.1", "src",
             "192.168.1.6"],
            ["route", "add", "10.8.0.0/16", "dev", "eth0", "table", "77"],
            ["-6", "route", "add", "default", "via", "fd00:9::1"]):
        host.run("ip", *words)
    lan.run("ip", "link", "set", "l0", "mtu", "1400")
    eventually(lambda: not tentative(host), "no address is tentative")
    yield host
    lan.run("ip", "link", "delete", "l0")


def nodad(address):
    return ["nodad"] if ":" in address else []


def tentative(host):
    return [a for link in json.loads(host.run("ip", "-j", "addr").stdout)
            for a in link["addr_info"] if a.get("tentative")]


def state(host):
    """Addresses and routes, as ip shows them; what counts down left out."""
    addresses = [
        (link["ifname"], link["address"], link["mtu"],
         sorted(str({k: v for k, v in a.items() if "life_time" not in k})
                for a in link["addr_info"]))
        for link in json.loads(host.run("ip", "-j", "addr").stdout)]
    routes = sorted(
        host.run("ip", family, "route", "show", "table", "all").stdout
        for family in ("-4", "-6"))
    return addresses, routes


def addresses_of(host, device):
    links = json.loads(host.run("ip", "-j", "addr").stdout)
    return [a["local"] for link in links if link["ifname"] == device
            for a in link["addr_info"] if a["scope"] == "global"]


def take(lab):
    said = lab.text("uplink", "add", "lan", "--device", "eth0")
    eventually(lambda: lab.port(LEG)["state"] == "up"
               and lab.port("eth0")["state"] == "up", "both are plugged in")
    return said


def settled(host, before):
    eventually(lambda: not tentative(host) and state(host) == before,
               "everything is as it was: %s, now %s" % (before, state(host)))


def test_the_address_moves_and_comes_back(lab, only_nic):
    before = state(only_nic)
    mac = lab.netns("lan").run("ip", "neigh").stdout
    assert only_nic.ping(AWAY)
    lab.start_daemon()
    assert "not there yet" not in take(lab)
    assert addresses_of(only_nic, "eth0") == []
    assert addresses_of(only_nic, LEG) == ["192.168.1.5", "192.168.1.6",
                                           "fd00:9::5"]
    links = {name: (mac, mtu) for name, mac, mtu, _ in state(only_nic)[0]}
    assert links[LEG] == links["eth0"] and links[LEG][1] == 1400, mac
    routes = only_nic.run("ip", "route").stdout
    assert "default via 192.168.1.1 dev %s metric 100" % LEG in routes
    assert "10.9.0.0/16 via 192.168.1.1 dev %s src 192.168.1.6" % LEG in routes
    assert "10.8.0.0/16 dev " + LEG in only_nic.run(
        "ip", "route", "show", "table", "77").stdout
    assert only_nic.ping(AWAY)
    assert only_nic.ping("fd00:9::1")
    assert lab.netns("lan").ping("192.168.1.6")

    lab.weft("uplink", "delete", "lan")
    only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)
    assert only_nic.ping(AWAY)


def test_connections_go_on(lab, only_nic):
    lab.start_daemon()
    lan = lab.netns("lan")
    assert only_nic.ping("192.168.1.1")

    def listen():
        sock = socket.create_server(("192.168.1.1", 22))
        sock.settimeout(20)
        return sock

    def echo(server):
        conn = server.accept()[0]
        conn.settimeout(20)
        with conn:
            while data := conn.recv(4096):
                conn.sendall(data)

    with lan.call(listen) as server:
        thread = threading.Thread(target=echo, args=(server,))
        thread.start()
        with only_nic.call(socket.create_connection,
                           ("192.168.1.1", 22)) as conn:
            conn.settimeout(20)

            def says(word):
                conn.sendall(word)
                assert conn.recv(4096) == word

            says(b"before")
            take(lab)
            says(b"while it stands in")
            lab.weft("uplink", "delete", "lan")
            only_nic.wait_link(LEG, there=False)
            says(b"after")
        thread.join()


def test_guests_on_the_lan_and_the_host(lab, only_nic):
    """A bridged guest, the LAN and the host are one segment."""
    lab.netns("web")
    lab.start_daemon()
    take(lab)
    lab.weft("network", "create", "flat", "--segment",
             "{vlan: 0, uplink: lan}")
    lab.weft("port", "add", "web", "--network", "flat", "--netns", "web")
    web = lab.netns("web")
    web.wait_link("eth0")
    web.run("ip", "addr", "add", "192.168.1.50/24", "dev", "eth0")
    assert web.ping("192.168.1.1")
    assert web.ping("192.168.1.5")
    assert only_nic.ping("192.168.1.50")
    assert lab.netns("lan").ping("192.168.1.50")
    assert only_nic.ping(AWAY)
    # The host's frames to a guest do not leave by the wire.
    assert move_file(only_nic, web, "192.168.1.50", size=1 << 16)
    lab.weft("port", "delete", "web")
    lab.weft("network", "delete", "flat")
    assert only_nic.ping(AWAY)


def test_tagged_networks_beside_the_host(lab, only_nic):
    """No network is untagged: those frames are the LAN's and the host's."""
    lab.netns("web")
    lab.start_daemon()
    take(lab)
    lab.weft("network", "create", "red", "--segment",
             "{vlan: 20, uplink: lan}", "--subnet", "10.2.0.0/24")
    lab.weft("port", "add", "web", "--network", "red", "--netns", "web",
             "--address", "10.2.0.9", "--configure", "true")
    eventually(lambda: lab.netns("web").ping("10.2.0.1"), "the gateway")
    assert only_nic.ping(AWAY)
    assert not lab.netns("web").ping("192.168.1.5", deadline=1)


def test_the_daemon_ends_and_the_host_does_not(lab, only_nic):
    before = state(only_nic)
    lab.start_daemon()
    take(lab)
    lab.stop()
    settled(only_nic, before)
    lab.restart()
    eventually(lambda: addresses_of(only_nic, LEG), "it stands in again")
    eventually(lambda: lab.port("eth0")["state"] == "up", "it is plugged in")
    assert only_nic.ping(AWAY)
    lab.weft("uplink", "delete", "lan")
    only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)


def test_kill_nine_and_another_start(lab, only_nic):
    before = state(only_nic)
    lab.start_daemon()
    take(lab)
    lab.kill()
    lab.restart()
    eventually(lambda: lab.port("eth0")["state"] == "up"
               and lab.port(LEG)["state"] == "up", "both are plugged in")
    assert only_nic.ping(AWAY)
    lab.weft("uplink", "delete", "lan")
    only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)


def test_kill_nine_and_the_intents_are_gone(lab, only_nic):
    """What is found of an earlier run gives back before it goes."""
    before = state(only_nic)
    lab.start_daemon()
    take(lab)
    lab.kill()
    lab.start_daemon("--state-dir", lab.dir + "/other")
    only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)
    assert only_nic.ping(AWAY)


def test_contact_is_lost_and_everything_goes_back(lab, only_nic):
    """The LAN does not answer any more: it rolls back by itself."""
    before = state(only_nic)
    lan = lab.netns("lan")
    assert only_nic.ping(AWAY)
    assert only_nic.ping("fd00:9::1")
    lab.start_daemon()
    lan.run("ip", "link", "set", "l0", "arp", "off")
    lab.weft("uplink", "add", "lan", "--device", "eth0")
    eventually(lambda: "contact was lost" in lab.log(), "it is noticed",
               timeout=20)
    eventually(lambda: addresses_of(only_nic, "eth0")
               == ["192.168.1.5", "192.168.1.6", "fd00:9::5"],
               "the addresses are back")
    lan.run("ip", "link", "set", "l0", "arp", "on")
    assert only_nic.ping(AWAY)
    eventually(lambda: any("contact was lost" in (p["error"] or "")
                           for p in lab.api("GET", "/v1/host")["ports"]),
               "the port says why")
    lab.weft("uplink", "delete", "lan")
    only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)


def test_again_and_again(lab, only_nic):
    before = state(only_nic)
    lab.start_daemon()
    for _ in range(5):
        take(lab)
        lab.weft("uplink", "delete", "lan")
        only_nic.wait_link(LEG, there=False)
    settled(only_nic, before)


def test_a_nic_without_addresses_needs_no_stand_in(lab):
    lab.netns("lan")
    lab.host.run("ip", "link", "add", "eth1", "type", "veth", "peer", "l1",
                 "netns", "lan")
    lab.start_daemon()
    said = lab.text("uplink", "add", "lan", "--device", "eth1")
    assert "not there yet" not in said
    assert [p["name"] for p in lab.weft("port", "list")["ports"]] == ["eth1"]
    lab.host.run("ip", "link", "delete", "eth1")
