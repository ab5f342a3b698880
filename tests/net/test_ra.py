"""IPv6 from the network: a guest's own kernel hears the gateway's router
advertisements and takes its address from them.

    web --+-- blue fd01::/64, MTU 1400      one --- red fd02::/64, stateful
    db  --+
"""

import json
import os

import pytest
from scapy.layers.inet6 import (ICMPv6ND_RA, ICMPv6ND_RS,
                                 ICMPv6NDOptDNSSL, ICMPv6NDOptMTU,
                                 ICMPv6NDOptPrefixInfo, ICMPv6NDOptRDNSS,
                                 IPv6)
from scapy.layers.l2 import Ether

from netns import eventually

CLOUD = """\
version: 1
networks:
  blue: {subnet6: "fd01::/64", mtu: 1400}
  red: {subnet6: "fd02::/64", ra: stateful}
ports:
  web: {network: blue, netns: web}
  db: {network: blue, netns: db}
  one: {network: red, netns: one}
"""


def write(lab, text):
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


@pytest.fixture
def cloud(lab):
    for name in ("web", "db", "one"):
        # What a guest does when it comes up; no duplicates to wait for.
        netns = lab.netns(name, ipv6=True)
        netns.sysctl("net/ipv6/conf/default/accept_dad", "0")
        netns.sysctl("net/ipv6/conf/default/router_solicitation_delay", "0")
    lab.start_daemon()
    lab.weft("apply", write(lab, CLOUD))
    for name in ("web", "db", "one"):
        netns = lab.netns(name)
        netns.wait_link("eth0")
        netns.run("ip", "link", "set", "dev", "eth0", "up")
    return lab


def addresses(netns):
    """Global ones."""
    said = json.loads(netns.run("ip", "-6", "-j", "addr", "show", "dev",
                                "eth0", "scope", "global").stdout)
    return [a["local"] for link in said for a in link.get("addr_info", ())
            if "local" in a]


def slaac(netns, prefix):
    """RFC 4291, appendix A."""
    mac = bytes.fromhex(netns.nic("eth0").mac.replace(":", ""))
    last = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return prefix + ":".join("%x" % int.from_bytes(last[i:i + 2], "big")
                             for i in range(0, 8, 2))


def test_a_guest_takes_the_planned_address_and_works(cloud):
    web, db = cloud.netns("web"), cloud.netns("db")
    for netns in (web, db):
        eventually(lambda: addresses(netns), "an address")
        assert addresses(netns) == [slaac(netns, "fd01::")]
    assert web.ping(addresses(db)[0])
    assert web.ping("fd01::1")


def test_it_learns_no_way_out(cloud):
    web = cloud.netns("web")
    eventually(lambda: addresses(web), "an address")
    assert not web.run("ip", "-6", "route", "show", "default").stdout


def test_stateful_networks_have_no_slaac(cloud):
    one = cloud.netns("one").nic("eth0")
    one.send(Ether(src=one.mac, dst="33:33:00:00:00:02")
             / IPv6(src="::", dst="ff02::2", hlim=255) / ICMPv6ND_RS())
    advert = one.expect(lambda f: f.haslayer(ICMPv6ND_RA))
    assert advert[ICMPv6ND_RA].M and advert[ICMPv6ND_RA].routerlifetime == 0
    assert not advert[ICMPv6NDOptPrefixInfo].A
    assert not addresses(cloud.netns("one"))


def test_a_changed_network_is_announced(cloud):
    """Nobody asked: the gateway says what is new."""
    web = cloud.netns("web")
    eventually(lambda: addresses(web), "an address")
    nic = web.nic("eth0")
    cloud.weft("network", "set", "blue", "--domain", "new.weft")
    advert = nic.expect(lambda f: ICMPv6NDOptDNSSL in f)
    assert advert[IPv6].dst == "ff02::1"
    assert advert[ICMPv6NDOptDNSSL].searchlist == ["new.weft."]
    assert advert[ICMPv6NDOptRDNSS].dns == ["fd01::1"]
    assert advert[ICMPv6NDOptMTU].mtu == 1400


def test_a_guests_own_advertisement_reaches_nobody(cloud):
    web, db = cloud.netns("web").nic("eth0"), cloud.netns("db").nic("eth0")
    for name in ("web", "db"):
        eventually(lambda: addresses(cloud.netns(name)), "an address")
    source = cloud.netns("web").run(
        "ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope",
        "link").stdout.split()[3].split("/")[0]
    to_all = (Ether(src=web.mac, dst="33:33:00:00:00:01")
              / IPv6(src=source, dst="ff02::1", hlim=255))
    db.drain()
    web.send(to_all / ICMPv6ND_RA(routerlifetime=1800)
             / ICMPv6NDOptPrefixInfo(prefix="fd66::", prefixlen=64))
    assert cloud.netns("web").ping(addresses(cloud.netns("db"))[0])
    assert not [f for f in db.drain() if f.haslayer(ICMPv6ND_RA)
                and f[Ether].src == web.mac]
    assert not [a for a in addresses(cloud.netns("db"))
                if a.startswith("fd66")]


def flags(netns, address):
    """Of one address, as `ip` says them; None: it is not there."""
    said = json.loads(netns.run("ip", "-6", "-j", "addr", "show", "dev",
                                "eth0").stdout)
    for link in said:
        for a in link.get("addr_info", ()):
            if a.get("local") == address:
                return {k for k in ("tentative", "dadfailed") if a.get(k)}
    return None


def choose(netns, address):
    """Takes an address as a guest does: it asks whether it is free."""
    netns.sysctl("net/ipv6/conf/eth0/accept_dad", "1")
    netns.run("ip", "-6", "addr", "add", address + "/64", "dev", "eth0")
    eventually(lambda: flags(netns, address) in (set(), {"dadfailed"},
                                                 {"tentative", "dadfailed"}),
               "it has asked")
    return not flags(netns, address)


def pings_from(netns, source):
    return netns.run("ping", "-6", "-c", "1", "-W", "1", "-I", source,
                     "fd01::1", check=False).returncode == 0


def test_a_guest_may_use_an_address_that_it_chose_and_announced(cloud):
    web, db = cloud.netns("web"), cloud.netns("db")
    eventually(lambda: addresses(web) and addresses(db), "addresses")
    assert choose(web, "fd01::cafe")
    assert pings_from(web, "fd01::cafe")
    # It is reached there, too.
    assert db.ping("fd01::cafe")
    # What was not announced is spoofed, and what is another's is not free.
    web.run("ip", "-6", "addr", "add", "fd01::bad/64", "dev", "eth0",
            "nodad")
    assert not pings_from(web, "fd01::bad")
    assert not choose(db, "fd01::cafe")
    cloud.kill()
    cloud.restart()
    web.wait_link("eth0")
    eventually(lambda: pings_from(web, "fd01::cafe"), "it passes again")
    assert not pings_from(web, "fd01::bad")


def test_privacy_addresses_work(cloud):
    """RFC 8981, by the kernel."""
    web = cloud.netns("web")
    eventually(lambda: addresses(web), "an address")
    web.run("ip", "link", "set", "dev", "eth0", "down")
    web.sysctl("net/ipv6/conf/eth0/use_tempaddr", "2")
    web.sysctl("net/ipv6/conf/eth0/accept_dad", "1")
    web.run("ip", "link", "set", "dev", "eth0", "up")

    def temporary():
        said = json.loads(web.run("ip", "-6", "-j", "addr", "show", "dev",
                                  "eth0", "temporary").stdout)
        return [a["local"] for link in said
                for a in link.get("addr_info", ()) if "local" in a
                and not a.get("tentative")]
    eventually(temporary, "a temporary address")
    assert pings_from(web, temporary()[0])
