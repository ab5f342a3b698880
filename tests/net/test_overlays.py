"""Networks that span hosts: one table of cases, whatever carries them.

    h1: web 10.1.0.5 (blue), far 10.1.0.5 (red)      both 10.1.0.0/24
    h2: db 10.1.0.6 (blue), log (blue, no address planned), near (red),
        app (green, joined with blue by a router), cell (isolated, blue)
    h3: idle (blue, on demand)
"""

import os
import socket

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import overlay
import ovs
from netns import eventually, move_file

SEGMENTS = {"vxlan": ("{vxlan: 5001}", "{vxlan: 5002}", "{vxlan: 5003}"),
            "gre": ("{gre: 77}", "{gre: 78}", "{gre: 79}"),
            "geneve": ("{geneve: 9}", "{geneve: 10}", "{geneve: 11}")}

CLOUD = """\
version: 1
%(hosts)snetworks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64", segment: %(blue)s}
  red: {subnet: 10.1.0.0/24, segment: %(red)s}
  green: {subnet: 10.2.0.0/24, subnet6: "fd00:2::/64", segment: %(green)s}
routers:
  r: {networks: [blue, green]}
security-groups:
  open: {in: [{protocol: icmp}]}
  front: {in: [{protocol: icmp, from: front}]}
ports:
  web: {network: blue, host: h1, netns: web, address: 10.1.0.5,
        configure: true}
  far: {network: red, host: h1, netns: far, address: 10.1.0.5,
        configure: true}
  cell1: {network: blue, host: h1, netns: cell1, address: 10.1.0.8,
          isolated: true, configure: true}
  db: {network: blue, host: h2, netns: db, address: 10.1.0.6,
       configure: true}
  log: {network: blue, host: h2, netns: log, configure: true}
  near: {network: red, host: h2, netns: near, address: 10.1.0.6,
         configure: true}
  app: {network: green, host: h2, netns: app, address: 10.2.0.5,
        configure: true}
  cell2: {network: blue, host: h2, netns: cell2, address: 10.1.0.9,
          isolated: true, configure: true}
%(more)s"""

GUESTS = ("web", "far", "cell1", "db", "log", "near", "app", "cell2")


def cloud(hosts, kind, family=4, more=""):
    blue, red, green = SEGMENTS[kind]
    return CLOUD % {"hosts": hosts.hosts(family), "blue": blue, "red": red,
                    "green": green, "more": more}


@pytest.fixture
def hosts(request):
    made = overlay.Overlay(request.config.getoption("--build"))
    for name in GUESTS:
        made.guest(name)
    yield made
    made.close()


def address_of(netns):
    text = netns.run("ip", "-o", "-4", "addr", "show", "dev", "eth0").stdout
    return text.split("inet ")[1].split("/")[0] if "inet " in text else ""


def reaches(source, address, **kwargs):
    return eventually(lambda: source.ping(address, deadline=1, **kwargs),
                      "%s answers %s" % (address, source.name))


def sent_by(hosts, name):
    """Frames on the underlay."""
    return int(hosts.labs[name].host.run(
        "cat", "/sys/class/net/u0/statistics/tx_packets").stdout)


@pytest.mark.parametrize("family", (
    4, pytest.param(6, marks=pytest.mark.slow)))
@pytest.mark.parametrize("kind", SEGMENTS)
def test_a_network_spans_two_hosts(hosts, kind, family):
    hosts.start(cloud(hosts, kind, family))
    web, db, log, app, far, near, cell1, cell2 = (
        hosts.guest(n) for n in ("web", "db", "log", "app", "far", "near",
                                 "cell1", "cell2"))
    reaches(web, "10.1.0.6")
    reaches(db, "10.1.0.5")
    # The MTU that guests have is the one that fits.
    mtu = int(web.run("cat", "/sys/class/net/eth0/mtu").stdout)
    overhead = {"gre": 42}.get(kind, 50) + (20 if family == 6 else 0)
    assert mtu == 1500 - overhead
    assert web.ping("10.1.0.6", size=mtu - 28, df=True)
    assert move_file(web, db, "10.1.0.6", size=4 << 20)
    assert move_file(db, web, "10.1.0.5", size=4 << 20)
    # Nobody here knows that address; who has it is asked.
    address = eventually(lambda: address_of(log), "log has an address")
    reaches(web, address)
    reaches(log, "10.1.0.5")
    # IPv6 by derived addresses.
    ip6 = eventually(lambda: db.run(
        "ip", "-o", "-6", "addr", "show", "dev", "eth0", "scope",
        "global").stdout, "db has a global address")
    reaches(web, ip6.split("inet6 ")[1].split("/")[0])
    # By the router, each at its own host.
    reaches(web, "10.2.0.5")
    reaches(app, "10.1.0.5")
    # The other tenant's addresses are the same, and its own.
    reaches(far, "10.1.0.6")
    near_mac = near.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    assert near_mac in far.run("ip", "neigh").stdout
    assert near_mac not in web.run("ip", "neigh").stdout
    # Isolated ports stay apart across hosts, too.
    reaches(cell1, "10.1.0.6")
    assert not cell1.ping("10.1.0.9", deadline=1)
    assert web.run("ping", "-c1", "-W1", "10.1.0.1", check=False
                   ).returncode == 0


def test_an_overlay_is_quiet(hosts):
    """Who is planned is not asked; hosts without the network hear nothing."""
    hosts.start(cloud(hosts, "vxlan"))
    web = hosts.guest("web").nic("eth0")
    reaches(hosts.guest("web"), "10.1.0.6")
    db = hosts.guest("db").nic("eth0")
    for i in range(20):
        web.send(Ether(src=web.mac, dst="ff:ff:ff:ff:ff:ff")
                 / ARP(hwsrc=web.mac, psrc="10.1.0.5", pdst="10.1.0.6"))
        web.expect(lambda f: f.haslayer(ARP) and f[ARP].op == 2)
    mark = Ether(src=web.mac, dst=db.mac) \
        / IP(src="10.1.0.5", dst="10.1.0.6") / UDP(dport=9) / Raw(b"mark")
    web.send(mark)
    db.absent(lambda f: f.haslayer(ARP) and f[ARP].op == 1
              and f[ARP].pdst == "10.1.0.6", behind=mark)


def test_isolated_ports_do_not_hear_each_other_from_afar(hosts):
    """Nor what is for everybody: whose frame it is, is told by its MAC."""
    hosts.start(cloud(hosts, "vxlan"))
    reaches(hosts.guest("cell1"), "10.1.0.6")
    cell1, web, cell2, db = (hosts.guest(n).nic("eth0")
                             for n in ("cell1", "web", "cell2", "db"))

    def cry(nic, text):
        nic.send(Ether(src=nic.mac, dst="ff:ff:ff:ff:ff:ff", type=0x88b5)
                 / Raw(text.ljust(46, b".")))

    cry(cell1, b"from a cell")
    db.expect(lambda f: b"from a cell" in f.raw)
    cry(web, b"behind it")
    cell2.absent(lambda f: b"from a cell" in f.raw,
                 behind=lambda f: b"behind it" in f.raw)


def test_what_comes_from_nowhere_is_dropped(hosts):
    hosts.start(cloud(hosts, "vxlan"))
    reaches(hosts.guest("web"), "10.1.0.6")
    hosts.street.run("ip", "addr", "add", "192.0.2.66/24", "dev", "lan")
    h1 = hosts.labs["h1"]
    rows = h1.weft("flow", "list")["flows"]
    assert rows
    said = h1.trace("vxlan", "tun_id=5001,tun_src=192.0.2.66,"
                    "tun_dst=192.0.2.1,dl_src=02:00:00:00:00:01,"
                    "dl_dst=02:00:00:00:00:02")
    assert "drop" in said


def test_security_groups_know_who_is_elsewhere(hosts):
    text = cloud(hosts, "vxlan").replace(
        "db: {network: blue,", "db: {network: blue, security-groups: "
        "[front],").replace(
        "web: {network: blue,", "web: {network: blue, security-groups: "
        "[front],")
    hosts.start(text)
    reaches(hosts.guest("web"), "10.1.0.6")
    assert not hosts.guest("cell1").ping("10.1.0.6", deadline=1)


def test_a_port_that_moves_is_reached_there(hosts):
    text = cloud(hosts, "vxlan")
    hosts.start(text)
    web = hosts.guest("web")
    reaches(web, "10.1.0.6")
    hosts.apply(text.replace("db: {network: blue, host: h2",
                             "db: {network: blue, host: h1"), ["h2", "h1"])
    reaches(web, "10.1.0.6")
    shown = hosts.labs["h1"].weft("port", "list")["ports"]
    assert "db" in [p["name"] for p in shown]


def verdict(lab, *question):
    done = lab.weft("explain", *question, status=None)
    return done.returncode, done.stdout


def test_explain_follows_to_another_host(hosts):
    text = cloud(hosts, "vxlan").replace(
        "db: {network: blue,", "db: {network: blue, security-groups: "
        "[open],")
    hosts.start(text)
    reaches(hosts.guest("web"), "10.1.0.6")
    for name, lab in hosts.labs.items():
        for question in (("web", "db", "icmp"), ("db", "web", "tcp/80"),
                         ("web", "app", "icmp"), ("app", "web", "udp/53"),
                         ("web", "app", "icmp6")):
            status, said = verdict(lab, *question)
            assert status == 0, (name, question, said)
            assert "by vxlan 500" in said and "192.0.2." in said
        # What its groups say at the other end is in the plan.
        status, said = verdict(lab, "web", "db", "tcp/22")
        assert status == 1 and "open" in said, said
        status, said = verdict(lab, "cell1", "cell2", "any")
        assert status == 1, said
    h1 = hosts.labs["h1"]
    status, said = verdict(h1, "10.1.0.6", "web", "udp/9")
    assert status == 0 and "h2" in said, said
    # By IPv6, of which every host knows who has which address.
    status, said = verdict(h1, "web", "log", "icmp")
    assert status == 0 and "icmp6" in said, said
    status, said = verdict(h1, "db", "log", "icmp")
    assert status == 2 and "ask there" in said, said


def test_who_sends_more_than_fits_is_told(hosts):
    """A guest that does not do as it was told about the MTU."""
    hosts.start(cloud(hosts, "vxlan"))
    web = hosts.guest("web")
    reaches(web, "10.1.0.6")
    web.run("ip", "link", "set", "eth0", "mtu", "1500")

    def ping(how):
        return web.run("ping", "-M", how, "-c", "1", "-W", "3", "-s", "1472",
                       "10.1.0.6", check=False).stdout

    # What may be cut is, and arrives.
    assert "1 received" in ping("dont")
    said = ping("do")
    assert "Frag needed" in said and "mtu = 1450" in said, said
    # From then on it knows.
    assert "message too long, mtu=1450" in ping("do").lower()


# --- Others on the overlay, and the LAN ---------------------------------------

FOREIGN = """\
version: 1
%snetworks:
  blue: {subnet: 10.1.0.0/24, segment: {vxlan: 5001, %s}}
ports:
  web: {network: blue, host: h1, netns: web, address: 10.1.0.5,
        configure: true}
  db: {network: blue, host: h2, netns: db, address: 10.1.0.6,
       configure: true}
"""


def kernel_vxlan(hosts, *options):
    """A host of somebody else's: 192.0.2.9, and 10.1.0.99 behind it."""
    street = hosts.street
    street.run("ip", "addr", "add", "192.0.2.9/24", "dev", "lan")
    street.run("ip", "link", "add", "vx0", "type", "vxlan", "id", "5001",
               "dstport", "4789", "local", "192.0.2.9", "dev", "lan",
               *options)
    street.run("ip", "addr", "add", "10.1.0.99/24", "dev", "vx0")
    street.run("ip", "link", "set", "vx0", "mtu", "1450", "up")
    return street


@pytest.mark.parametrize("segment, options", (
    ("remotes: [192.0.2.9]", ()),
    ("group: 239.1.1.1", ("group", "239.1.1.1"))), ids=("remotes", "group"))
def test_somebody_else_is_on_the_network(hosts, segment, options):
    hosts.start(FOREIGN % (hosts.hosts(), segment))
    other = kernel_vxlan(hosts, *options)
    if not options:
        for end in ("192.0.2.1", "192.0.2.2"):
            other.run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev",
                      "vx0", "dst", end)
    for name in ("web", "db"):
        reaches(hosts.guest(name), "10.1.0.99")
        reaches(other, {"web": "10.1.0.5", "db": "10.1.0.6"}[name])
    reaches(hosts.guest("web"), "10.1.0.6")
    # Where it is was learned from what it sent.
    mac = other.run("cat", "/sys/class/net/vx0/address").stdout.strip()
    for lab in hosts.labs.values():
        learned = lab.weft("flow", "list", "dl_dst=" + mac)["flows"]
        assert [f["table"] for f in learned] == [42]
    assert move_file(hosts.guest("web"), other, "10.1.0.99")
    assert move_file(other, hosts.guest("db"), "10.1.0.6")


def test_what_was_learned_ends_with_the_segment(hosts):
    """And not with time only: who sends there would keep it alive."""
    text = FOREIGN % (hosts.hosts(), "remotes: [192.0.2.9]")
    hosts.start(text)
    other, h1 = kernel_vxlan(hosts), hosts.labs["h1"]
    other.run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0",
              "dst", "192.0.2.1")
    reaches(hosts.guest("web"), "10.1.0.99")
    packet = "dl_src=%s,dl_dst=%s,ip,nw_src=10.1.0.5,nw_dst=10.1.0.99" % tuple(
        n.run("cat", "/sys/class/net/%s/address" % device).stdout.strip()
        for n, device in ((hosts.guest("web"), "eth0"), (other, "vx0")))
    there, learned = "->192.0.2.9,id=5001", "table 42: priority 100"
    said = h1.trace("web", packet)
    assert there in said and learned in said, said
    for segment in ("vxlan: 5002, remotes: [192.0.2.9]",
                    "vxlan: 5001, remotes: [192.0.2.8]", "vxlan: 5001"):
        hosts.apply(text.replace("vxlan: 5001, remotes: [192.0.2.9]",
                                 segment))
        said = h1.trace("web", packet)
        assert there not in said and learned not in said, said


GATEWAY = """\
version: 1
%suplinks:
  lan: {device: lan0, at: h1}
networks:
  floor: {segment: {vxlan: 5020, vlan: 20, uplink: lan}}
  other: {segment: {vxlan: 5021, vlan: 21, uplink: lan}}
ports:
  web: {network: floor, host: h1, netns: web}
  db: {network: floor, host: h2, netns: db}
  near: {network: other, host: h2, netns: near}
"""


def test_a_vlan_and_an_overlay_are_one_network(hosts):
    """VLAN 20 of h1's LAN is VNI 5020: the printer there, db at h2."""
    h1 = hosts.labs["h1"]
    printer = hosts.guest("printer")
    h1.host.run("ip", "link", "add", "name", "lan0", "type", "veth", "peer",
                "name", "eth0", "netns", "printer")
    h1._devices.append("lan0")
    h1.host.run("ip", "link", "set", "lan0", "up")
    # Its own tags, as in a rack.
    printer.run("ip", "link", "set", "eth0", "up")
    rack = overlay.weft.Lab(os.path.basename(h1.build), host=printer)
    rack._devices = ["eth0"]
    rack.start("1=netdev:eth0", "2=tap:p0,netns=desk,addr=10.9.0.9/24"
               .replace("netns=desk", "netns=" + hosts.guest("desk").name),
               switch="rack")
    rack.weft("port", "set", "2", "tag=20")
    try:
        hosts.start(GATEWAY % hosts.hosts())
        for name, address in (("web", "10.9.0.1"), ("db", "10.9.0.2"),
                              ("near", "10.9.0.3")):
            guest = hosts.guest(name)
            guest.wait_link("eth0")
            guest.run("ip", "addr", "add", address + "/24", "dev", "eth0")
        desk = hosts.guest("desk")
        reaches(hosts.guest("db"), "10.9.0.9")
        reaches(desk, "10.9.0.2")
        reaches(hosts.guest("web"), "10.9.0.9")
        reaches(hosts.guest("web"), "10.9.0.2")
        assert not hosts.guest("near").ping("10.9.0.9", deadline=1)
        assert move_file(hosts.guest("db"), desk, "10.9.0.9")
    finally:
        rack.close()


# --- A bad underlay, and a restart --------------------------------------------

def test_a_bad_line_between_hosts(hosts):
    """What is lost, repeated, damaged or late is that packet, and nothing else."""
    street = hosts.street
    for end in ("s1", "s2"):
        street.run("ip", "link", "set", end, "nomaster")
    bad = "loss=1%,duplicate=1%,corrupt=1%,reorder=2%,jitter=1ms,limit=10000"
    line = overlay.weft.Lab(os.path.basename(hosts.labs["h1"].build),
                            host=street)
    line._devices = ["s1", "s2", "lan"]
    line.start("1=netdev:s1", "2=netdev:s2", "3=a=impair:peer=b," + bad,
               "4=b=impair:peer=a,seed=2," + bad, switch="line")
    try:
        line.weft("flow", "delete", "--all")
        for a, b in ((1, 3), (4, 2), (2, 4), (3, 1)):
            line.weft("flow", "add", "in_port=%d,actions=output:%d" % (a, b))
        hosts.start(cloud(hosts, "vxlan"))
        web, db = hosts.guest("web"), hosts.guest("db")
        reaches(web, "10.1.0.6")
        spy = hosts.guest("near").nic("eth0")
        assert move_file(web, db, "10.1.0.6", size=2 << 20)
        assert move_file(db, web, "10.1.0.5", size=2 << 20)
        assert not [f for f in spy.drain() if f.haslayer(IP)
                    and f[IP].src == "10.1.0.5"]
        told = line.port("a")["details"]
        assert "corrupted 0" not in told and "lost 0" not in told, told
    finally:
        line.close()


LEAVES = """\
version: 1
%suplinks:
  wan: {host: true}
networks:
  own: {subnet: 10.9.0.0/24, nat: wan}
  blue: {subnet: 10.1.0.0/24, segment: {vxlan: 5001}}
  green: {subnet: 10.2.0.0/24, segment: {geneve: 9}}
  red: {subnet: 10.3.0.0/24, segment: {gre: 77}}
ports:
  web: {network: own, host: h1, netns: web, address: 10.9.0.5,
        configure: true}
  cell1: {network: blue, host: h1, netns: cell1, configure: true}
  db: {network: blue, host: h2, netns: db, address: 10.1.0.6,
       configure: true}
  app: {network: green, host: h2, netns: app, configure: true}
  near: {network: red, host: h2, netns: near, configure: true}
"""


def test_a_guest_that_leaves_by_its_host_does_not_speak_for_it(hosts):
    """Translated to the host's address, its packets would come from a tunnel's
    end that is known, with a key of its choice."""
    hosts.start(LEAVES % hosts.hosts())
    web, h1 = hosts.guest("web"), hosts.labs["h1"]
    nics = {n: hosts.guest(n).nic("eth0") for n in ("db", "app", "near")}
    # The host itself is reached, and by the same address.
    reaches(web, "192.0.2.2")

    def forge():
        frames = {n: bytes(Ether(src="02:00:00:00:00:99", dst=nic.mac,
                                 type=0x88b6) / Raw(b"forged".ljust(50)))
                  for n, nic in nics.items()}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(bytes.fromhex("0800000000138900") + frames["db"],
                       ("192.0.2.2", 4789))
            udp.sendto(bytes.fromhex("0000655800000900") + frames["app"],
                       ("192.0.2.2", 6081))
            udp.sendto(b"else", ("192.0.2.2", 4790))
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, 47) as gre:
            gre.sendto(bytes.fromhex("200065580000004d") + frames["near"],
                       ("192.0.2.2", 0))

    def dropped():
        return [f for f in h1.weft("flow", "list", "ip,nw_dst=192.0.2.2")
                ["flows"] if f["table"] == 36 and f["packets"]]

    web.call(forge)
    eventually(lambda: len(dropped()) == 3, "each is dropped")
    # What is sent behind it by the tunnel is all that comes.
    cell1 = hosts.guest("cell1").nic("eth0")
    cell1.send(Ether(src=cell1.mac, dst=nics["db"].mac, type=0x88b6)
               / Raw(b"behind".ljust(50)))
    nics["db"].absent(lambda f: b"forged" in f.raw,
                      behind=lambda f: b"behind" in f.raw)


def test_a_restart_loses_nothing_that_arrives(hosts):
    hosts.start(cloud(hosts, "vxlan"))
    web = hosts.guest("web")
    reaches(web, "10.1.0.6")
    h2 = hosts.labs["h2"]
    web.run("ping", "-q", "-c", "1", "10.1.0.6")
    pings = web.popen("ping", "-q", "-i", "0.01", "-c", "200", "-W", "5",
                      "10.1.0.6", stdout=-1, text=True)
    h2.host.run("kill", "-HUP", str(h2.weftd.pid))
    said = pings.communicate(timeout=30)[0]
    assert " 200 received" in said, said


@pytest.mark.skipif(not ovs.is_installed(), reason="no ovs-vswitchd here")
@pytest.mark.parametrize("kind", SEGMENTS)
def test_a_host_whose_switch_is_open_vswitch(hosts, kind):
    """The same file; its flows are our controller's."""
    hosts.use_ovs("h2")
    hosts.start(cloud(hosts, kind), more=("--tunnel-probe-interval", "200ms"))
    web, db, app, far = (hosts.guest(n) for n in ("web", "db", "app", "far"))
    reaches(web, "10.1.0.6")
    reaches(db, "10.1.0.5")
    reaches(web, "10.2.0.5")
    reaches(app, "10.1.0.5")
    reaches(far, "10.1.0.6")
    reaches(web, eventually(lambda: address_of(hosts.guest("log")),
                            "log has an address"))
    assert not hosts.guest("cell1").ping("10.1.0.9", deadline=1)
    # Both ask the other, through whichever switch, by packets of all sizes.
    for name in ("h1", "h2"):
        eventually(lambda: [t for t in hosts.labs[name].weft(
            "tunnel", "list")["tunnels"] if t["state"] == "up" and t["mtu"]
            == t["mtu_wanted"] == 1500 - {"gre": 42}.get(kind, 50)],
            "%s has its answers" % name)
