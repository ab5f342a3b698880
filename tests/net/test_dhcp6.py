"""DHCPv6 as guests see it: Debian's clients, and scapy for what no client sends.

    web --+
    db  --+-- red fd02::/64, stateful       own --- blue fd01::/64, SLAAC
    fw, allows a MAC more --+
"""

import json
import os
import subprocess

import pytest
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_InfoRequest,
                                DHCP6_RelayForward, DHCP6_RelayReply,
                                DHCP6_Reply, DHCP6_Request, DHCP6_Solicit,
                                DHCP6OptBootFileUrl, DHCP6OptClientId,
                                DHCP6OptDNSDomains, DHCP6OptDNSServers,
                                DHCP6OptIA_NA, DHCP6OptIA_PD,
                                DHCP6OptIAAddress, DHCP6OptIfaceId,
                                DHCP6OptInfoRefreshTime, DHCP6OptOptReq,
                                DHCP6OptRapidCommit, DHCP6OptRelayMsg, DHCP6OptServerId,
                                DHCP6OptStatusCode, DUID_LL)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from netns import eventually

NESTED = "02:00:00:00:aa:01"
CLOUD = """\
version: 1
networks:
  red:
    subnet6: fd02::/64
    ra: stateful
    mtu: 1400
    dhcp6: {lease: 10m, ntp: "fd02::20", boot: "tftp://[fd02::5]/boot"}
  blue: {subnet6: "fd01::/64"}
ports:
  web: {network: red, netns: web, address6: "fd02::10"}
  db: {network: red, netns: db, address6: "fd02::20"}
  fw: {network: red, netns: fw, allow: [{mac: "%s"}]}
  own: {network: blue, netns: own}
""" % NESTED
GUESTS = ("web", "db", "fw", "own")
EVERY_SERVER = "ff02::1:2"
EVERY_SERVER_MAC = "33:33:00:01:00:02"

# Writes down what it was told, and does it: dhcpcd does it by itself.
SCRIPT = """\
#!/bin/sh
case "$reason" in
BOUND6 | RENEW6 | REBIND6)
    [ -z "$new_ip6_address" ] || ip -6 address replace \\
        "$new_ip6_address/$new_ip6_prefixlen" dev eth0 nodad
    { echo "happened=$reason"; env; } >$OUT.new
    mv $OUT.new $OUT ;;
esac
"""


def write(lab, text, name="cloud.yaml"):
    path = os.path.join(lab.dir, name)
    with open(path, "w") as f:
        f.write(text)
    return path


@pytest.fixture
def cloud(lab):
    for name in GUESTS:
        netns = lab.netns(name, ipv6=True)
        netns.sysctl("net/ipv6/conf/default/accept_dad", "0")
        netns.sysctl("net/ipv6/conf/default/router_solicitation_delay", "0")
    lab.start_daemon()
    lab.weft("apply", write(lab, CLOUD))
    for name in GUESTS:
        netns = lab.netns(name)
        netns.wait_link("eth0")
        netns.run("ip", "link", "set", "dev", "eth0", "up")
    return lab


def leases(lab, *options):
    return [r for r in lab.weft("lease", "list", *options)["leases"]
            if ":" in r["address"]]


class Client:
    def __init__(self, lab, guest):
        self.netns = lab.netns(guest)
        self.out = os.path.join(lab.dir, guest + ".told")
        self.script = write(lab, SCRIPT.replace("$OUT", self.out),
                            guest + ".script")
        os.chmod(self.script, 0o755)
        self.conf = write(lab, "also request dhcp6.domain-search, "
                          "dhcp6.name-servers;\ntimeout 20;\n",
                          "dhclient6.conf")
        self.files = ["-cf", self.conf, "-sf", self.script, "-lf",
                      self.out + ".leases", "-pf", self.out + ".pid"]

    def told(self):
        with open(self.out) as f:
            return dict(line.rstrip("\n").split("=", 1) for line in f
                        if "=" in line)

    def run_dhclient(self, *options):
        self.netns.run("dhclient", "-6", "-1", *options, *self.files, "eth0")
        return self.told()

    def stop_dhclient(self, how="-x"):
        self.netns.run("dhclient", "-6", how, *self.files, "eth0")

    def run_dhcpcd(self):
        """In directories of its own: it keeps leases by the device's name."""
        self.netns.run(
            "sh", "-ec",
            "mkdir -p /run/dhcpcd /var/lib/dhcpcd\n"
            "mount -t tmpfs none /run/dhcpcd\n"
            "mount -t tmpfs none /var/lib/dhcpcd\n"
            "exec dhcpcd -1 -B -6 -t 20 -f /dev/null -c \"$0\" "
            "-o dhcp6_name_servers,dhcp6_domain_search eth0", self.script)
        return self.told()


def addresses(netns):
    """Global ones that may be used."""
    said = json.loads(netns.run("ip", "-6", "-j", "addr", "show", "dev",
                                "eth0", "scope", "global").stdout)
    return [a["local"] for link in said for a in link.get("addr_info", ())
            if "local" in a]


def link_local(netns):
    return netns.run("ip", "-6", "-o", "addr", "show", "dev", "eth0",
                     "scope", "link").stdout.split()[3].split("/")[0]


def test_dhclient_gets_the_planned_address_and_works(cloud):
    web, db = Client(cloud, "web"), Client(cloud, "db")
    told = web.run_dhclient()
    try:
        assert told["new_ip6_address"] == "fd02::10"
        assert told["new_dhcp6_name_servers"] == "fd02::1"
        assert told["new_dhcp6_domain_search"].rstrip(".") == "red.weft"
        assert told["new_max_life"] == "600"
        db.run_dhclient()
        # The gateway's advertisement says what is on the link.
        eventually(lambda: web.netns.ping("fd02::20"), "db answers")
        assert web.netns.ping("fd02::1")
        [row] = [r for r in leases(cloud) if r["port"] == "web"]
        assert row["network"] == "red" and row["address"] == "fd02::10"
        assert row["state"] == "bound" and 500 < row["seconds_left"] <= 600
    finally:
        web.stop_dhclient()
        db.stop_dhclient()


def test_dhcpcd_gets_the_planned_address_and_works(cloud):
    web = Client(cloud, "web")
    told = web.run_dhcpcd()
    assert "fd02::10" in told.values()
    assert told["new_dhcp6_name_servers"] == "fd02::1"
    assert addresses(web.netns) == ["fd02::10"]
    assert web.netns.ping("fd02::1")


@pytest.mark.skipif(not os.path.exists("/lib/systemd/systemd-networkd"),
                    reason="no systemd-networkd here")
def test_systemd_networkd_gets_the_planned_address_and_works(cloud):
    """With a /sys that it cannot write to it waits for no udev."""
    web = cloud.netns("web")
    conf = write(cloud, "[Match]\nName=eth0\n[Network]\nIPv6AcceptRA=yes\n"
                 "LinkLocalAddressing=ipv6\n", "eth0.network")
    networkd = web.popen(
        "sh", "-ec",
        "mount -o remount,bind,ro /sys || mount -t sysfs -o ro none /sys\n"
        "mkdir -p /run/systemd\n"
        "mount -t tmpfs none /run/systemd\n"
        "mkdir -p /run/systemd/network /run/systemd/netif/links "
        "/run/systemd/netif/leases /run/systemd/netif/lldp\n"
        "cp \"$0\" /run/systemd/network/eth0.network\n"
        "exec /lib/systemd/systemd-networkd", conf,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: "fd02::10" in addresses(web), "the address")
        assert web.ping("fd02::1")
        assert [r["port"] for r in leases(cloud)] == ["web"]
    finally:
        networkd.terminate()
        networkd.wait()


def test_a_released_lease_is_over_and_comes_back(cloud):
    web = Client(cloud, "web")
    web.run_dhclient()
    assert len(leases(cloud)) == 1
    web.stop_dhclient("-r")
    eventually(lambda: not leases(cloud), "the lease is over")
    assert web.run_dhclient()["new_ip6_address"] == "fd02::10"
    web.stop_dhclient()


def test_leases_outlive_a_kill_and_end_with_their_port(cloud):
    web, db = Client(cloud, "web"), Client(cloud, "db")
    for client in (web, db):
        client.run_dhclient()
        client.stop_dhclient()
    before = leases(cloud)
    cloud.kill()
    cloud.restart()
    after = leases(cloud)
    for row in before + after:
        row.pop("seconds_left")
    assert before == after and len(after) == 2
    cloud.weft("port", "delete", "web")
    assert [r["port"] for r in leases(cloud)] == ["db"]
    cloud.kill()
    cloud.restart()
    assert [r["port"] for r in leases(cloud)] == ["db"]


# --- What no client sends ---------------------------------------------------

def duid(nic, mac=None):
    return DHCP6OptClientId(duid=DUID_LL(lladdr=mac or nic.mac))


def frame(netns, nic, message, src=None, mac=None):
    return (Ether(src=mac or nic.mac, dst=EVERY_SERVER_MAC)
            / IPv6(src=src or link_local(netns), dst=EVERY_SERVER)
            / UDP(sport=546, dport=547) / message)


def ask(netns, message, layer, **kwargs):
    nic = netns.nic("eth0")
    nic.send(frame(netns, nic, message, **kwargs))
    return nic.expect(lambda f: layer in f)


def request(netns, *ias, mac=None, layer=DHCP6_Reply):
    """Asks for leases, two messages first."""
    nic = netns.nic("eth0")
    solicit = DHCP6_Solicit(trid=1) / duid(nic, mac)
    for iaid in ias:
        solicit /= DHCP6OptIA_NA(iaid=iaid)
    advert = ask(netns, solicit, DHCP6_Advertise, mac=mac)
    message = (DHCP6_Request(trid=2) / duid(nic, mac)
               / DHCP6OptServerId(duid=advert[DHCP6OptServerId].duid))
    for iaid in ias:
        message /= DHCP6OptIA_NA(iaid=iaid)
    return ask(netns, message, layer, mac=mac)


def given(reply):
    """The addresses of all its IAs, in order."""
    out, layer = [], reply
    while DHCP6OptIA_NA in layer:
        ia = layer[DHCP6OptIA_NA]
        out += [o.addr for o in ia.ianaopts
                if isinstance(o, DHCP6OptIAAddress)]
        layer = ia.payload
    return out


def pings_from(netns, source):
    """Does the gateway answer what comes from this address?"""
    netns.run("ip", "-6", "addr", "replace", source + "/64", "dev", "eth0",
              "nodad")
    return netns.run("ping", "-6", "-c", "1", "-W", "1", "-I", source,
                     "fd02::1", check=False).returncode == 0


def test_what_is_leased_beside_the_plan_may_be_used(cloud):
    web = cloud.netns("web")
    planned, further = given(request(web, 1, 2))
    assert planned == "fd02::10" and further != planned
    eventually(lambda: pings_from(web, further), "the leased address passes")
    assert not pings_from(web, "fd02::bad")
    cloud.kill()
    cloud.restart()
    web.wait_link("eth0")
    eventually(lambda: pings_from(web, further), "it passes again")
    assert sorted(r["address"] for r in leases(cloud)) \
        == sorted([planned, further])


def test_a_nested_guest_gets_an_address_of_its_own(cloud):
    fw = cloud.netns("fw")
    [planned] = given(request(fw, 1))
    [nested] = given(request(fw, 1, mac=NESTED))
    assert nested != planned
    assert {r["mac"] for r in leases(cloud)} == {NESTED,
                                                 fw.nic("eth0").mac}


def test_rapid_commit_and_what_is_refused(cloud):
    web = cloud.netns("web")
    nic = web.nic("eth0")
    reply = ask(web, DHCP6_Solicit(trid=9) / duid(nic) / DHCP6OptRapidCommit()
                / DHCP6OptIA_NA(iaid=1) / DHCP6OptIA_PD(iaid=2), DHCP6_Reply)
    assert DHCP6OptRapidCommit in reply and given(reply) == ["fd02::10"]
    [status] = [o for o in reply[DHCP6OptIA_PD].iapdopt
                if isinstance(o, DHCP6OptStatusCode)]
    assert status.statuscode == 6


def test_who_chooses_its_address_is_told_the_rest(cloud):
    own = cloud.netns("own")
    nic = own.nic("eth0")
    reply = ask(own, DHCP6_InfoRequest(trid=3) / duid(nic)
                / DHCP6OptOptReq(reqopts=[23, 24, 59]), DHCP6_Reply)
    assert reply[DHCP6OptDNSServers].dnsservers == ["fd01::1"]
    assert reply[DHCP6OptDNSDomains].dnsdomains == ["blue.weft."]
    assert reply[DHCP6OptInfoRefreshTime].reftime == 86400
    assert DHCP6OptBootFileUrl not in reply
    web = cloud.netns("web")
    reply = ask(web, DHCP6_InfoRequest(trid=3)
                / DHCP6OptOptReq(reqopts=[59]), DHCP6_Reply)
    assert reply[DHCP6OptBootFileUrl].optdata == b"tftp://[fd02::5]/boot"


def test_a_relay_behind_a_port_is_served(cloud):
    fw = cloud.netns("fw")
    nic = fw.nic("eth0")
    inner = (DHCP6_Solicit(trid=5) / duid(nic, "02:00:00:00:bb:01")
             / DHCP6OptIA_NA(iaid=1))
    relayed = (Ether(src=nic.mac, dst=EVERY_SERVER_MAC)
               / IPv6(src=link_local(fw), dst=EVERY_SERVER)
               / UDP(sport=547, dport=547)
               / DHCP6_RelayForward(linkaddr="fd02::7", peeraddr="fe80::9")
               / DHCP6OptIfaceId(ifaceid=b"tap3")
               / DHCP6OptRelayMsg(message=inner))
    nic.send(relayed)
    reply = nic.expect(lambda f: DHCP6_RelayReply in f)
    assert reply[UDP].dport == 547
    assert reply[DHCP6_RelayReply].peeraddr == "fe80::9"
    assert reply[DHCP6OptIfaceId].ifaceid == b"tap3"
    assert DHCP6_Advertise in reply


def test_nonsense_is_not_answered(cloud):
    web = cloud.netns("web")
    nic = web.nic("eth0")
    whole = bytes(DHCP6_Solicit(trid=6) / duid(nic)
                  / DHCP6OptIA_NA(iaid=1))
    nonsense = [whole[:n] for n in range(5, len(whole))]
    nonsense += [whole[:7] + b"\xff" + whole[8:], b"", b"\x0c" * 33,
                 b"\x0c" + bytes(33) + b"\x00\x09\x00\x04\x0c\0\0\0"]
    for data in nonsense:
        nic.send(frame(web, nic, Raw(data)))
    nic.send(frame(web, nic, Raw(whole[:1] + b"\0\0\x77" + whole[4:])))
    nic.absent(lambda f: DHCP6_Advertise in f
               and f[DHCP6_Advertise].trid == 6 and not given(f)
               and DHCP6OptIA_NA in f,
               behind=lambda f: DHCP6_Advertise in f
               and f[DHCP6_Advertise].trid == 0x77)
    assert not leases(cloud)


def test_messages_are_counted_by_what_became_of_them(cloud):
    request(cloud.netns("web"), 1)
    seen = dict(line.rsplit(" ", 1)
                for line in cloud.text("metrics").splitlines()
                if not line.startswith("#"))
    assert seen['weft_dhcp6_messages_total{result="leased"}'] == "1"
    assert seen['weft_dhcp6_messages_total{result="advertised"}'] == "1"
    assert int(seen['weft_service_packets_total{service="dhcp6"}']) >= 2
    assert seen['weft_dhcp_messages_total{result="leased"}'] == "0"
    assert 'weft_dns_messages_total{result="answered"}' in seen
    assert 'weft_nd_messages_total{result="advertised"}' in seen


def test_a_guest_is_no_server(cloud):
    web, db = cloud.netns("web").nic("eth0"), cloud.netns("db").nic("eth0")
    rogue = (Ether(src=web.mac, dst=db.mac)
             / IPv6(src=link_local(cloud.netns("web")),
                    dst=link_local(cloud.netns("db")))
             / UDP(sport=547, dport=546) / DHCP6_Advertise(trid=1))
    web.send(rogue)
    Client(cloud, "db").run_dhclient()
    Client(cloud, "db").stop_dhclient()
    assert not [f for f in db.drain() if DHCP6_Advertise in f
                and f[Ether].src == web.mac]
