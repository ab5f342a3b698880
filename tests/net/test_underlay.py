"""Tunnels past the kernel: the host's only NIC is a port of its switch.

    h1: web 10.1.0.5 -- vxlan, geneve, gre ...... u0 -- taken over, its addresses
                        |                         |     on weft-lan
                        +-------------------------+
    h2: db 10.1.0.6, its tunnels by sockets, or as h1
"""

import pytest

import overlay
from netns import eventually, move_file
from test_tunnels import ENDS, KEY, guest
from test_tunnels import underlay as make_underlay

LEG = "weft-lan"
SEGMENTS = {"vxlan": "{vxlan: 5001}", "geneve": "{geneve: 9}",
            "gre": "{gre: 77}"}
CLOUD = """\
version: 1
%(hosts)suplinks:
  lan: {device: u0%(at)s}
networks:
  blue: {subnet: 10.1.0.0/24, segment: %(segment)s}
ports:
  web: {network: blue, host: h1, netns: web, address: 10.1.0.5,
        configure: true}
  db: {network: blue, host: h2, netns: db, address: 10.1.0.6,
       configure: true}
"""
BULK = 4 << 20


@pytest.fixture
def hosts(request):
    yield from overlay.lend(request, "web", "db")


def cloud(hosts, kind, family=4, at=", at: h1"):
    return CLOUD % {"hosts": hosts.hosts(family), "at": at,
                    "segment": SEGMENTS[kind]}


def counters(lab, port):
    return lab.port(port)["counters"]


def goes_past_the_kernel(lab, guest, address, tunnel):
    """A ping, and its answer."""
    def probe():
        was = counters(lab, tunnel)
        answered = guest.ping(address, deadline=1)
        now = counters(lab, tunnel)
        return answered and now["tx_underlay"] > was["tx_underlay"] \
            and now["rx_underlay"] > was["rx_underlay"]
    eventually(probe, "%s answers past the kernel" % address)


def moves_files_past_the_kernel(lab, leg, tunnel, one, other, one_address,
                                other_address):
    before, was = counters(lab, tunnel), counters(lab, leg)
    assert move_file(one, other, other_address, size=BULK)
    assert move_file(other, one, one_address, size=BULK)
    after, now = counters(lab, tunnel), counters(lab, leg)
    assert after["tx_underlay"] - before["tx_underlay"] > BULK // 1500
    # Somebody's super-frame is one packet, or many.
    assert after["rx_underlay"] - before["rx_underlay"] > BULK // 65536
    # What the port that stands in for the NIC saw is next to nothing.
    assert now["tx_bytes"] - was["tx_bytes"] < BULK // 10
    assert now["rx_bytes"] - was["rx_bytes"] < BULK // 10


@pytest.mark.parametrize("kind, family", [
    ("vxlan", 4), ("vxlan", 6), ("geneve", 4), ("gre", 4), ("gre", 6)])
def test_one_host_is_past_the_kernel_and_the_other_is_not(hosts, kind, family):
    hosts.start(cloud(hosts, kind, family))
    lab, web, db = hosts.labs["h1"], hosts.guest("web"), hosts.guest("db")
    goes_past_the_kernel(lab, web, "10.1.0.6", kind)
    assert "underlay u0" in lab.port(kind)["details"]
    assert counters(hosts.labs["h2"], kind)["tx_underlay"] == 0
    moves_files_past_the_kernel(lab, LEG, kind, web, db, "10.1.0.5",
                                "10.1.0.6")
    # The network's MTU, to the byte.
    link = web.run("ip", "-o", "link", "show", "eth0").stdout
    mtu = int(link.split(" mtu ")[1].split()[0])
    assert db.ping("10.1.0.5", size=mtu - 28, df=True)
    assert web.ping("10.1.0.6", size=mtu - 28, df=True)
    assert not counters(lab, kind)["tx_dropped"]


def test_a_restart_and_a_far_end_with_another_mac(hosts):
    """Both are past the kernel, whose neighbours they follow."""
    hosts.start(cloud(hosts, "vxlan", at=""))
    h1, h2 = hosts.labs["h1"], hosts.labs["h2"]
    web, db = hosts.guest("web"), hosts.guest("db")
    goes_past_the_kernel(h1, web, "10.1.0.6", "vxlan")
    goes_past_the_kernel(h2, db, "10.1.0.5", "vxlan")

    pings = web.popen("ping", "-q", "-i", "0.01", "-c", "200", "-W", "5",
                      "10.1.0.6", stdout=-1, text=True)
    h2.host.run("kill", "-HUP", str(h2.weftd.pid))
    said = pings.communicate(timeout=30)[0]
    assert " 200 received" in said, said
    goes_past_the_kernel(h2, db, "10.1.0.5", "vxlan")

    # Nobody tells h1: its kernel has to find out, since one packet in a while
    # goes by it.
    for name, value in (("base_reachable_time_ms", "300"),
                        ("delay_first_probe_time", "0"),
                        ("retrans_time_ms", "100"), ("ucast_solicit", "1")):
        h1.host.sysctl("net/ipv4/neigh/%s/%s" % (LEG, name), value)
    hosts.apply(cloud(hosts, "vxlan"), names=["h2"])
    eventually(lambda: LEG not in h2.host.links(), "h2 has its NIC again")
    h2.host.run("ip", "link", "set", "u0", "address", "02:00:00:00:00:99")
    goes_past_the_kernel(h1, web, "10.1.0.6", "vxlan")
    assert "02:00:00:00:00:99" in h1.host.run("ip", "neigh").stdout


@pytest.mark.parametrize("family", (4, 6))
def test_the_kernels_vxlan_is_the_far_end(lab, family):
    far = make_underlay(lab)
    far.run("ip", "link", "add", "vx0", "type", "vxlan", "id", str(KEY),
            "dstport", "4789", "dev", "u0", "local", ENDS[family][1],
            "remote", ENDS[family][0])
    far.run("ip", "addr", "add", "10.0.0.2/24", "dev", "vx0")
    far.run("ip", "link", "set", "vx0", "mtu", "1400", "up")
    lab.start(guest(lab, "web", "10.0.0.1"), "2=u0=netdev:u0",
              "3=%s=internal:%s,from=u0" % (LEG, LEG),
              "4=t=vxlan:local=%s,remote=%s,key=%d,underlay=u0"
              % (*ENDS[family], KEY))
    lab.weft("flow", "delete", "--all")
    for a, b in ((1, 4), (4, 1), (2, 3), (3, 2)):
        lab.weft("flow", "add", "in_port=%d,actions=output:%d" % (a, b))
    web = lab.netns("web")
    goes_past_the_kernel(lab, web, "10.0.0.2", "t")
    moves_files_past_the_kernel(lab, LEG, "t", web, far, "10.0.0.1",
                                "10.0.0.2")
    assert far.ping("10.0.0.1", size=1372, df=True)

    # No table has a say in it, and trace knows.
    lab.weft("flow", "add", "in_port=2,udp,priority=65535,actions=drop")
    lab.weft("flow", "add", "in_port=2,udp6,priority=65535,actions=drop")
    assert far.ping("10.0.0.1")
    mac = lab.host.run("cat", "/sys/class/net/%s/address" % LEG).stdout.strip()
    packet = "%s,eth_dst=%s,%s=%s,udp_dst=%%d" % (
        *(("udp", mac, "nw_dst") if family == 4 else ("udp6", mac, "ipv6_dst")),
        ENDS[family][0])
    assert "taken off by the tunnels of port t: " \
        in lab.trace("u0", packet % 4789)
    assert "dropped (" in lab.trace("u0", packet % 4790)
    assert "sent to port t (4), whose underlay is u0" \
        in lab.trace("web", "udp")
