"""The way out through the host's own stack.

    web .10 --+                                      outside
              +-- blue -- weft-wan | host | up0 ------ o0 203.0.113.9
    db  .20 --+          .2      .1  203.0.113.5          198.51.100.9

What the host does for it: a device, one nft table, forwarding; and all of it
given back."""

import json
import os
import signal
import socket

import pytest

import ovs
from netns import eventually, move_file, run

CLOUD = """\
version: 1
uplinks:
  wan: {host: true, transfer: 169.254.7.0/30}
networks:
  blue: {subnet: 10.1.0.0/24, nat: wan}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
  db: {network: blue, netns: db, address: 10.1.0.20, configure: true}
forwards:
  https: {listen: "203.0.113.5:443/tcp", to: "web:8443"}
  echo: {listen: 7000-7009/udp, to: db}
"""
EMPTY = "version: 1\n"
LEG, TABLE = "weft-wan", "weft-br0"


def apply(lab, text):
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(text)
    lab.weft("apply", path)


def table(lab):
    """What the host's table holds; "": there is none."""
    done = lab.host.run("nft", "list", "table", "inet", TABLE, check=False)
    return done.stdout if done.returncode == 0 else ""


def forwards(lab):
    return lab.host.run("sysctl", "-n", "net.ipv4.ip_forward") \
        .stdout.strip() == "1"


def addresses(lab, device=LEG):
    shown = json.loads(lab.host.run("ip", "-j", "-4", "addr").stdout)
    return ["%s/%d" % (a["local"], a["prefixlen"]) for link in shown
            if link["ifname"] == device for a in link["addr_info"]]


def in_force(lab):
    def probe():
        shown = lab.weft("controller", "show")
        return shown["synced"] and not shown["ports_missing"]
    eventually(probe, "the controller is in sync")


def build(lab, *options):
    for name in ("web", "db"):
        lab.netns(name)
    lab.veth("up0", "outside", peer="o0", addr="203.0.113.9/24")
    lab.netns("outside").run("ip", "addr", "add", "198.51.100.9/32", "dev",
                             "lo")
    lab.host.run("ip", "addr", "add", "203.0.113.5/24", "dev", "up0")
    lab.host.run("ip", "route", "add", "default", "via", "203.0.113.9")
    lab.start_daemon(*options)
    apply(lab, CLOUD)
    in_force(lab)
    return lab


def wait_for_another(lab, main):
    def probe():
        done = lab.weft("status", status=None)
        return done.returncode == 0 and json.loads(done.stdout)["pid"] != main
    eventually(probe, "another main answers")


@pytest.fixture
def cloud(lab):
    return build(lab)


@pytest.fixture
def vswitch(lab):
    if not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    switch = ovs.Ovs(lab.host, os.path.join(lab.dir, "ovs"))
    switch.start(bridge=None)
    yield switch
    lab.stop()
    switch.vsctl("--if-exists", "del-br", "br0")
    switch.stop()
    for name in set(lab.host.links()) - {"lo"} - set(lab._made):
        lab.host.run("ip", "link", "del", name, check=False)


def test_what_the_host_is_given_and_gives_back(cloud):
    assert addresses(cloud) == ["169.254.7.1/30"]
    assert "ip saddr 169.254.7.2 masquerade" in table(cloud)
    assert "203.0.113.5 tcp dport 443 dnat ip to 169.254.7.2" in table(cloud)
    assert forwards(cloud)
    assert cloud.weft("status")["host_nat"] == {
        "legs": [{"device": LEG, "address": "169.254.7.2",
                  "address6": None}],
        "table": TABLE, "error": None}

    # A change of something else, and of one thing.
    was = cloud.host.run("nft", "-a", "list", "ruleset").stdout
    apply(cloud, CLOUD.replace("  db: {", "  dc: {").replace("to: db",
                                                             "to: dc"))
    assert cloud.host.run("nft", "-a", "list", "ruleset").stdout == was
    apply(cloud, CLOUD.replace("7009", "7019"))
    eventually(lambda: "7000-7019" in table(cloud), "the forward is wider")

    # Without a network that leads out nothing is left of it.
    apply(cloud, "version: 1\nuplinks: {wan: {host: true}}\n")
    cloud.host.wait_link(LEG, there=False)
    eventually(lambda: not table(cloud), "the table is gone")
    assert not forwards(cloud)
    apply(cloud, CLOUD.replace(", transfer: 169.254.7.0/30", ""))
    eventually(lambda: addresses(cloud), "an address of its own choice")
    assert addresses(cloud) != ["169.254.7.1/30"] and forwards(cloud)


def test_it_outlives_what_others_and_we_do_to_it(cloud):
    is_same = table(cloud)
    index = cloud.host.links()[LEG]
    for deed in (["flush", "ruleset"], ["delete", "table", "inet", TABLE],
                 ["flush", "chain", "inet", TABLE, "input"]):
        cloud.host.run("nft", *deed)
        eventually(lambda: table(cloud) == is_same, "it is back after %s"
                   % " ".join(deed))

    handles = cloud.host.run("nft", "-a", "list", "ruleset").stdout
    main = cloud.weft("status")["pid"]
    os.kill(main, 9)
    wait_for_another(cloud, main)
    assert cloud.host.run("nft", "-a", "list", "ruleset").stdout == handles
    assert cloud.host.links()[LEG] == index

    cloud.kill()
    assert table(cloud) == is_same and forwards(cloud)
    cloud.restart()
    assert table(cloud) == is_same and forwards(cloud)
    assert cloud.host.links()[LEG] == index
    cloud.stop()
    assert table(cloud) == is_same, "connections by the host are not reset"
    cloud.restart()
    assert cloud.host.links()[LEG] == index
    cloud.kill()
    cloud.restart()
    apply(cloud, EMPTY)
    cloud.host.wait_link(LEG, there=False)
    eventually(lambda: not table(cloud), "the table is gone")
    assert not forwards(cloud), "as it was before the first start"


def test_on_open_vswitch_it_is_an_internal_port(lab, vswitch):
    build(lab, "--controller-only", "--ovsdb",
          "unix:" + vswitch.file("db.sock"))
    eventually(lambda: addresses(lab) == ["169.254.7.1/30"],
               "the device has its address")
    assert vswitch.vsctl("get", "interface", LEG, "type").strip() \
        == "internal"
    was = table(lab)
    assert was and forwards(lab)
    vswitch.settle()
    web, outside = lab.netns("web"), lab.netns("outside")
    with Server(outside, 80), Server(web, 8443), Server(lab.host, 22):
        assert ask(web, "198.51.100.9", 80) == "you are 203.0.113.5"
        assert ask(outside, "203.0.113.5", 443) == "you are 203.0.113.9"
        assert not ask(web, "203.0.113.5", 22, timeout=0.3)

    # A restart of either takes nothing away.
    lab.kill()
    lab.restart()
    assert addresses(lab) == ["169.254.7.1/30"] and table(lab) == was
    run("ovs-appctl", "-t", vswitch.file("ctl"), "exit", "--cleanup",
        env=vswitch.environment())
    vswitch.daemons.pop().wait()
    lab.host.wait_link(LEG, there=False)
    vswitch.start_vswitchd()
    eventually(lambda: addresses(lab) == ["169.254.7.1/30"],
               "the new device has the address")
    apply(lab, EMPTY)
    lab.host.wait_link(LEG, there=False)
    eventually(lambda: not table(lab), "the table is gone")
    assert not forwards(lab)


def findings(lab):
    """Run where the host's rules are."""
    done = lab.host.run(lab.program("weft"), "-j", "--run-dir", lab.run_dir,
                        "doctor", check=False)
    return {f["name"]: f for f in json.loads(done.stdout)}


def test_doctor_names_what_is_in_the_way(cloud):
    host = cloud.host
    ours = ("forwarding", "host-nat", "host-firewall", "masquerade",
            "reverse-path", "second-nat")
    found = findings(cloud)
    assert [found[name]["verdict"] for name in ours] == ["ok"] * len(ours), \
        found
    assert "169.254.7.2" in found["second-nat"]["what"]

    # As Docker does: what it does not know is dropped.
    host.run("nft", "add table ip filter; add chain ip filter FORWARD "
             "{ type filter hook forward priority 0; policy drop; }; "
             "add rule ip filter FORWARD ct state established accept; "
             "add rule ip filter FORWARD iifname docker0 accept")
    found = findings(cloud)["host-firewall"]
    assert found["verdict"] == "problem"
    assert "ip filter FORWARD (policy drop) drops" in found["what"]
    # Its own remedy mends it.
    host.run("sh", "-c", found["fix"])
    assert findings(cloud)["host-firewall"]["verdict"] == "ok"
    host.run("nft", "delete", "table", "ip", "filter")

    host.run("nft", "add table ip nat; add chain ip nat early "
             "{ type nat hook postrouting priority 0; }; "
             "add rule ip nat early oifname up0 masquerade")
    found = findings(cloud)["masquerade"]
    assert found["verdict"] == "warning" and "ip nat early" in found["what"]
    host.run("nft", "delete", "table", "ip", "nat")

    host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    assert findings(cloud)["forwarding"]["verdict"] == "problem"
    host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    host.run("ip", "route", "del", "default")
    assert findings(cloud)["reverse-path"]["verdict"] == "warning"
    apply(cloud, EMPTY)
    assert "no network" in findings(cloud)["host-nat"]["what"]


# ---- End to end ----

SAY = ("import socket, sys\n"
       "family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET\n"
       "s = socket.create_server((sys.argv[1], int(sys.argv[2])),\n"
       "                         family=family)\n"
       "print('ready', flush=True)\n"
       "while True:\n"
       "    c, peer = s.accept()\n"
       "    c.sendall(('you are %s' % peer[0]).encode())\n"
       "    c.close()\n")


class Server:
    """Tells everybody who asks by TCP by which address he came."""

    def __init__(self, netns, port, address="0.0.0.0"):
        self.process = netns.popen("/usr/bin/python3", "-c", SAY, address,
                                   str(port), stdout=-1)
        assert self.process.stdout.readline() == b"ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ask(netns, address, port, timeout=3):
    """What it answers; "": nothing."""
    def talk():
        with socket.create_connection((address, port), timeout) as s:
            return s.recv(100).decode()
    try:
        return netns.call(talk)
    except OSError:
        return ""


class Stream:
    """A connection over which bytes go both ways."""

    def __init__(self, client, address, port, server, listen):
        with server.call(socket.create_server, ("0.0.0.0", listen)) as s:
            self.ours = client.call(socket.create_connection,
                                    (address, port), 5)
            s.settimeout(5)
            self.theirs, self.peer = s.accept()
        self.theirs.settimeout(10)
        self.ours.settimeout(10)

    def works(self):
        for one, other in ((self.ours, self.theirs),
                           (self.theirs, self.ours)):
            one.sendall(b"x")
            if other.recv(1) != b"x":
                return False
        return True

    def close(self):
        self.ours.close()
        self.theirs.close()


def datagram(client, address, port, server, listen):
    """One each way; by which address the server was asked."""
    with client.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as c, \
            server.call(socket.socket, socket.AF_INET,
                        socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", listen))
        s.settimeout(5)
        c.settimeout(5)
        c.connect((address, port))
        c.send(b"ask")
        data, peer = s.recvfrom(100)
        s.sendto(data, peer)
        assert c.recv(100) == b"ask"
        return peer[0]


def test_in_and_out(cloud):
    """The data path translates, then the host does."""
    web, db, outside = (cloud.netns(n) for n in ("web", "db", "outside"))
    host = cloud.host
    assert web.ping("198.51.100.9")
    assert move_file(web, outside, "198.51.100.9")
    with Server(outside, 80), Server(web, 8443), Server(host, 22):
        assert ask(web, "198.51.100.9", 80) == "you are 203.0.113.5"
        # Who comes in keeps his address.
        assert ask(outside, "203.0.113.5", 443) == "you are 203.0.113.9"
        assert ask(host, "203.0.113.5", 443) == "you are 203.0.113.5"
        # From inside it is called as from outside, by the guest itself, too.
        for inside in (db, web):
            assert ask(inside, "203.0.113.5", 443) == "you are 169.254.7.2"
        # Nothing of the host's own but pings, at none of its addresses.
        assert ask(outside, "203.0.113.5", 22)
        assert not ask(web, "203.0.113.5", 22, timeout=0.3)
        assert not ask(web, "169.254.7.1", 22, timeout=0.3)
        assert web.ping("203.0.113.5")
        # Nobody outside reaches the leg by himself.
        outside.run("ip", "route", "add", "169.254.7.0/30", "via",
                    "203.0.113.5")
        assert not ask(outside, "169.254.7.2", 443, timeout=0.3)
    assert datagram(outside, "203.0.113.5", 7005, db, 7005) == "203.0.113.9"
    assert datagram(db, "203.0.113.9", 53, outside, 53) == "203.0.113.5"
    # What the host says of a packet reaches the guest that sent it.
    host.run("ip", "route", "add", "prohibit", "192.0.2.0/24")
    assert "Packet filtered" in web.run("ping", "-n", "-c", "1", "-w", "3",
                                        "192.0.2.1", check=False).stdout
    # From inside, to a forward at whatever address the host has.
    for guest in (web, db):
        assert datagram(guest, "203.0.113.5", 7005, db, 7005) \
            == "169.254.7.1"
    outside.run("ip", "link", "set", "o0", "mtu", "1300")
    host.run("ip", "link", "set", "up0", "mtu", "1300")
    web.ping("198.51.100.9", size=1400, df=True, deadline=1)
    assert "mtu 1300" in web.run("ip", "route", "get", "198.51.100.9").stdout
    assert move_file(web, outside, "198.51.100.9")


def test_a_floating_address(cloud):
    """One to one, both ways, though the host has its network only."""
    db, outside = cloud.netns("db"), cloud.netns("outside")
    apply(cloud, CLOUD + "  vm: {listen: 203.0.113.7, to: db}\n")
    in_force(cloud)
    eventually(lambda: "203.0.113.7" in cloud.host.run(
        "ip", "neigh", "show", "proxy").stdout, "the host answers for it")
    with Server(outside, 80), Server(db, 25), Server(cloud.host, 25):
        assert ask(db, "198.51.100.9", 80) == "you are 203.0.113.7"
        assert ask(outside, "203.0.113.7", 25) == "you are 203.0.113.9"
        assert ask(cloud.host, "203.0.113.7", 25)
    # The host's own cannot float; everything else goes on.
    apply(cloud, CLOUD + "  vm: {listen: 203.0.113.5, to: db}\n")
    eventually(lambda: "203.0.113.5 cannot float" in str(
        cloud.weft("status")["host_nat"]["error"]), "the host has it")
    assert findings(cloud)["host-nat"]["verdict"] == "problem"
    assert cloud.netns("web").ping("198.51.100.9")
    apply(cloud, CLOUD)
    eventually(lambda: not cloud.weft("status")["host_nat"]["error"],
               "nothing is wrong")
    assert "203.0.113" not in cloud.host.run("ip", "neigh", "show",
                                             "proxy").stdout


def test_what_runs_goes_on(cloud):
    """Through whatever happens to the table, to main and to everything."""
    web, outside = cloud.netns("web"), cloud.netns("outside")
    streams = [Stream(web, "198.51.100.9", 80, outside, 80),
               Stream(outside, "203.0.113.5", 443, web, 8443)]
    try:
        assert streams[0].peer[0] == "203.0.113.5"
        assert streams[1].peer[0] == "203.0.113.9"
        was = table(cloud)
        cloud.host.run("nft", "flush", "ruleset")
        eventually(lambda: table(cloud) == was, "it is back")
        assert all(s.works() for s in streams)
        apply(cloud, CLOUD.replace("7009", "7010"))
        assert all(s.works() for s in streams)
        main = cloud.weft("status")["pid"]
        cloud.weftd.send_signal(signal.SIGHUP)
        wait_for_another(cloud, main)
        assert all(s.works() for s in streams)
        cloud.stop()
        cloud.restart()
        assert all(s.works() for s in streams)
    finally:
        for stream in streams:
            stream.close()


CLOUD6 = """\
version: 1
uplinks:
  wan: {host: true, transfer: 169.254.7.0/30}
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64", nat: wan,
         nat6: masquerade}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10,
        address6: "fd00:1::10", configure: true}
forwards:
  https: {listen: "[2001:db8:9::5]:443/tcp", to: "web:8443"}
"""


def test_ipv6_by_choice(lab):
    """The host forwards IPv6 as long as a network leads it out."""
    lab.host.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0",
                 "net.ipv6.conf.default.disable_ipv6=0")
    web, outside = lab.netns("web", ipv6=True), lab.netns("outside",
                                                          ipv6=True)
    lab.veth("up0", "outside", peer="o0", addr="203.0.113.9/24")
    for ns, address, device in ((lab.host, "2001:db8:9::5/64", "up0"),
                                (outside, "2001:db8:9::9/64", "o0")):
        ns.run("ip", "addr", "add", address, "dev", device, "nodad")
    lab.start_daemon()
    apply(lab, CLOUD6)
    in_force(lab)

    def forwards6():
        return lab.host.run("sysctl", "-n", "net.ipv6.conf.all.forwarding",
                            "net.ipv6.conf.up0.accept_ra").stdout.split()
    eventually(lambda: forwards6() == ["1", "2"], "the host forwards IPv6")
    eventually(lambda: web.ping("2001:db8:9::9", deadline=1),
               "the way out works")
    with Server(outside, 80, "::"), Server(web, 8443, "::"), \
            Server(lab.host, 22, "::"):
        assert ask(web, "2001:db8:9::9", 80) == "you are 2001:db8:9::5"
        assert ask(outside, "2001:db8:9::5", 443) == "you are 2001:db8:9::9"
        assert ask(outside, "2001:db8:9::5", 22)
        assert not ask(web, "2001:db8:9::5", 22, timeout=0.3)
    assert findings(lab)["forwarding"]["verdict"] == "ok"
    lab.host.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=0")
    assert "IPv6" in findings(lab)["forwarding"]["what"]
    apply(lab, EMPTY)
    eventually(lambda: forwards6() == ["0", "1"], "as it was")
