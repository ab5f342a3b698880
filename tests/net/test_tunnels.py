"""Tunnel ports, and far ends nobody here wrote.

    web 10.0.0.1               db 10.0.0.2
      | tap                      | behind: weft, ovs, or the kernel's own device
    --+---  br0, in 'host'       |
      | vxlan, geneve, gre       |
     192.0.2.1 ------------- 192.0.2.2      in 'far'
     2001:db8::1           2001:db8::2
"""

import os
import socket
import struct

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import GRE, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

import ovs
from netns import eventually, move_file, run
from weft import Lab

KINDS = ("vxlan", "geneve", "gre")
ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
UDP_PORTS = {"vxlan": 4789, "geneve": 6081}
KEY = 5001
WEB, DB = "02:00:00:00:00:01", "02:00:00:00:00:02"


def underlay(lab, mtu=1500):
    """The link between 'host' and 'far'."""
    far = lab.netns("far", ipv6=True)
    host = lab.host
    host.run("ip", "link", "add", "u0", "type", "veth", "peer", "name", "u0",
             "netns", "far")
    lab._devices = lab._made + ["u0"]
    host.sysctl("net/ipv6/conf/u0/disable_ipv6", "0")
    for netns, i in ((host, 0), (far, 1)):
        netns.run("ip", "link", "set", "u0", "mtu", str(mtu), "up")
        netns.run("ip", "addr", "add", ENDS[4][i] + "/24", "dev", "u0")
        netns.run("ip", "addr", "add", ENDS[6][i] + "/64", "dev", "u0",
                  "nodad")
    return far


def port(kind, family, ours=0, more=""):
    return "2=t=%s:local=%s,remote=%s,key=%d%s" % (
        kind, ENDS[family][ours], ENDS[family][1 - ours], KEY, more)


def guest(lab, name, address):
    return "1=%s=tap:eth0,netns=%s,mtu=1400,addr=%s/24" % (
        name, lab.netns(name).name, address)


@pytest.fixture
def street(lab):
    underlay(lab)
    others = []

    class Street:
        def start(self, kind, family, more="", **kwargs):
            lab.start(guest(lab, "web", "10.0.0.1"),
                      port(kind, family, more=more), **kwargs)
            return lab.netns("web")

        def weft(self, kind, family, more=""):
            other = Lab(os.path.basename(lab.build), host=lab.netns("far"))
            others.append(other)
            other._devices = ["u0"]
            other._netns["db"] = lab.netns("db")
            other.start(guest(lab, "db", "10.0.0.2"),
                        port(kind, family, 1, more), switch="br1")
            return lab.netns("db")

        def kernel(self, kind, family, options=()):
            """Its vxlan device: the only tunnel that this kernel has."""
            assert kind == "vxlan"
            far = lab.netns("far")
            far.run("ip", "link", "add", "vx0", "type", "vxlan", "id",
                    str(KEY), "dstport", "4789", "dev", "u0", "local",
                    ENDS[family][1], *(options or ("remote",
                                                   ENDS[family][0])))
            far.run("ip", "addr", "add", "10.0.0.2/24", "dev", "vx0")
            far.run("ip", "link", "set", "vx0", "mtu", "1400", "up")
            return far

        def ovs(self, kind, family, more=()):
            vswitch = ovs.Ovs(lab.netns("far"), os.path.join(lab.dir, "ovs"))
            others.append(vswitch)
            far, db = lab.netns("far"), lab.netns("db")
            vswitch.start()
            # Its userspace data path sends by bridges of its own.
            vswitch.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                          "datapath_type=netdev", "--", "add-port", "phy",
                          "u0")
            far.run("ip", "addr", "flush", "dev", "u0")
            far.run("ip", "addr", "add", ENDS[4][1] + "/24", "dev", "phy")
            far.run("ip", "addr", "add", ENDS[6][1] + "/64", "dev", "phy",
                    "nodad")
            far.run("ip", "link", "set", "phy", "up")
            far.run("ip", "link", "add", "db0", "type", "veth", "peer",
                    "name", "eth0", "netns", "db")
            far.run("ip", "link", "set", "db0", "up")
            db.run("ip", "addr", "add", "10.0.0.2/24", "dev", "eth0")
            db.run("ip", "link", "set", "eth0", "mtu", "1400", "up")
            # It takes checksums that a NIC is still to write for wrong ones.
            for netns, device in ((db, "eth0"), (lab.host, "u0")):
                netns.run("ethtool", "-K", device, "tx", "off")
            vswitch.add_port("db0", 1)
            vswitch.vsctl("add-port", "br0", "t", "--", "set", "interface",
                          "t", "type=" + kind, "ofport_request=2",
                          "options:local_ip=" + ENDS[family][1],
                          "options:remote_ip=" + ENDS[family][0],
                          "options:key=%d" % KEY, *more)
            run("ovs-ofctl", "add-flow", vswitch.method, "actions=normal")
            return db

        def close(self):
            for other in reversed(others):
                (other.close if isinstance(other, Lab) else other.stop)()

    street = Street()
    yield street
    street.close()


def speak(web, db):
    """ARP, ping, and TCP with super-frames, both ways."""
    eventually(lambda: web.ping("10.0.0.2", deadline=1), "the far end answers")
    assert db.ping("10.0.0.1")
    assert web.ping("10.0.0.2", size=1372, df=True)
    assert move_file(web, db, "10.0.0.2", size=4 << 20)
    assert move_file(db, web, "10.0.0.1", size=4 << 20)


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_two_of_our_own(street, kind, family):
    speak(street.start(kind, family), street.weft(kind, family))


@pytest.mark.parametrize("family", (4, 6))
def test_the_kernels_vxlan_is_the_far_end(street, family):
    speak(street.start("vxlan", family), street.kernel("vxlan", family))


@pytest.mark.skipif(not ovs.is_installed(), reason="no ovs-vswitchd here")
@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_open_vswitch_is_the_far_end(street, kind, family):
    speak(street.start(kind, family), street.ovs(kind, family))


@pytest.mark.parametrize("more", (",csum=yes", ",seq=yes",
                                  ",csum=yes,seq=yes"))
def test_gre_with_checksums_and_numbers(street, more):
    speak(street.start("gre", 4, more), street.weft("gre", 4, more))


# --- What flows say, and see --------------------------------------------------

def by_flow(lab, kind, more="", ours="local=" + ENDS[4][0]):
    """One port for all far ends; what 'far' gets is read off its link."""
    lab.start(guest(lab, "web", "10.0.0.1"),
              "2=t=%s:%s,remote=flow,key=flow%s" % (kind, ours, more))
    lab.weft("flow", "delete", "--all")
    return lab.netns("web").nic("eth0"), lab.netns("far").nic("u0")


def frame(text, src=WEB, dst=DB, tos=0):
    return Ether(src=src, dst=dst) / IP(src="10.0.0.1", dst="10.0.0.2",
                                        tos=tos) \
        / UDP(sport=7, dport=9) / Raw(text)


def carries(text):
    return lambda f: (f.haslayer(IP) or f.haslayer(IPv6)) and text in f.raw


HEADERS = {"vxlan": VXLAN, "geneve": GENEVE, "gre": GRE}


def key_of(kind, outer):
    header = outer[HEADERS[kind]]
    return header.key if kind == "gre" else header.vni


def around(kind, inner, key=KEY, src=ENDS[4][1], dst=ENDS[4][0], sport=50000,
           tos=0, ttl=64):
    """The packet in which a far end sends a frame."""
    outer = IP(src=src, dst=dst, tos=tos, ttl=ttl) if ":" not in src \
        else IPv6(src=src, dst=dst, tc=tos, hlim=ttl)
    if kind == "gre":
        return outer / GRE(proto=0x6558, key_present=1, key=key) / inner
    header = VXLAN(flags=8, vni=key) if kind == "vxlan" \
        else GENEVE(proto=0x6558, vni=key)
    return outer / UDP(sport=sport, dport=UDP_PORTS[kind]) / header / inner


@pytest.fixture
def link(lab):
    underlay(lab)
    lab.mac = lab.host.run("cat", "/sys/class/net/u0/address").stdout.strip()
    return lab


def send(lab, nic, packet):
    nic.send(Ether(src=nic.mac, dst=lab.mac) / packet)


@pytest.mark.parametrize("kind", KINDS)
def test_flows_say_where_to_and_how(link, kind):
    web, far = by_flow(link, kind, ",ttl=flow,tos=flow,df=flow")
    link.weft("flow", "add", "in_port=1,udp,actions=set_field:%s->tun_dst,"
              "set_field:77->tun_id,load:9->tun_ttl,"
              "load:0x48->tun_tos,load:2->tun_flags,output:2"
              % ENDS[4][1])
    link.weft("flow", "add", "in_port=1,arp,actions=set_field:%s->tun_dst,"
              "set_field:78->tun_id,output:2" % ENDS[4][1])
    web.send(frame(b"first", tos=2))            # ECT(0)
    got = far.expect(carries(b"first"))
    assert (got[IP].src, got[IP].dst) == ENDS[4]
    # What its sender says of congestion goes along (RFC 6040).
    assert (got[IP].ttl, got[IP].tos, got[IP].flags) == (9, 0x48 | 2, "DF")
    assert key_of(kind, got) == 77
    assert bytes(got.getlayer(Ether, 2)) == bytes(frame(b"first", tos=2))
    web.send(Ether(src=WEB, dst=DB) / ARP(pdst="10.0.0.9"))
    got = far.expect(lambda f: f.haslayer(HEADERS[kind]) and f.haslayer(ARP))
    assert (got[IP].ttl, got[IP].tos, int(got[IP].flags)) == (64, 0, 0)
    assert key_of(kind, got) == 78
    assert "tunnel" in link.trace("web", "udp")


@pytest.mark.parametrize("kind", KINDS)
def test_flows_see_what_the_outer_header_said(link, kind):
    web, far = by_flow(link, kind)
    link.weft("flow", "add", "in_port=2,tun_id=%d,tun_src=%s,tun_dst=%s,"
              "ip,actions=mod_nw_tos:28,output:1"
              % (KEY, ENDS[4][1], ENDS[4][0]))
    link.weft("flow", "add", "in_port=2,ip,tun_id=5,actions="
              "mod_nw_tos:32,output:1")
    send(link, far, around(kind, frame(b"other key", DB, WEB), key=4))
    send(link, far, around(kind, frame(b"one", DB, WEB), key=5))
    got = web.expect(carries(b"one"))
    assert got[IP].tos == 32
    # Flows said who may: the first one is counted, nobody's fault.
    send(link, far, around(kind, frame(b"two", DB, WEB)))
    web.expect(carries(b"two"))
    assert not [f for f in web.drain() if b"other key" in f.raw]


def test_geneve_options_are_fields(link):
    web, far = by_flow(link, "geneve")
    method = "unix:" + os.path.join(link.run_dir, "br0.mgmt")
    run("ovs-ofctl", "add-tlv-map", method,
        "{class=0x102,type=3,len=4}->tun_metadata0")
    link.weft("flow", "add", "in_port=1,udp,actions=set_field:%s->tun_dst,"
              "set_field:9->tun_id,set_field:0xcafe->tun_metadata0,output:2"
              % ENDS[4][1])
    link.weft("flow", "add", "in_port=2,tun_metadata0=0xbeef,"
              "actions=output:1")
    web.send(frame(b"out"))
    got = far.expect(carries(b"out"))
    raw = bytes(got[GENEVE])
    assert raw[0] & 0x3f == 2
    assert raw[8:16] == bytes.fromhex("010203010000cafe")

    def optioned(kind, value, text):
        option = struct.pack("!HBBI", 0x102, kind, 1, value)
        return IP(src=ENDS[4][1], dst=ENDS[4][0]) \
            / UDP(sport=1, dport=6081) \
            / Raw(struct.pack("!BBHI", 2, 0, 0x6558, 9 << 8) + option) \
            / frame(text, DB, WEB)

    send(link, far, optioned(3, 0xdead, b"wrong"))
    send(link, far, optioned(0x83, 0xbeef, b"critical"))
    send(link, far, optioned(3, 0xbeef, b"right"))
    web.expect(carries(b"right"))
    assert link.drops("tunnel-option") == 1


# --- What is refused, under its own reason ------------------------------------

def counted(lab, counter, n=1):
    eventually(lambda: lab.port("t")["counters"].get(counter) == n,
               "%s is %d" % (counter, n))


def bare(kind, data):
    """What is no tunnel's header, where one belongs."""
    ip = IP(src=ENDS[4][1], dst=ENDS[4][0])
    return IP(src=ip.src, dst=ip.dst, proto=47) / Raw(data) if kind == "gre" \
        else ip / UDP(sport=1, dport=UDP_PORTS[kind]) / Raw(data)


BAD = {
    "vxlan": (("rx_bad_length", b"\x08\0\0\0\0\0"),
              ("rx_bad_header", bytes(8) + bytes(60)),
              ("rx_bad_length", b"\x08" + bytes(7) + bytes(13))),
    "geneve": (("rx_bad_length", b"\0\0\x65\x58"),
               ("rx_bad_header", b"\x40\0\x65\x58" + bytes(64)),
               ("rx_bad_header", b"\0\0\x08\0" + bytes(64)),
               ("rx_bad_header", b"\1\0\x65\x58" + bytes(4)
                + b"\1\2\3\5" + bytes(60))),
    "gre": (("rx_bad_header", b"\x40\0\x65\x58" + bytes(64)),
            ("rx_bad_header", b"\0\1\x65\x58" + bytes(64)),
            ("rx_bad_length", b"\x20\0\x65\x58"),
            ("rx_bad_checksum", b"\x80\0\x65\x58\0\1\0\0" + bytes(60))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_is_counted_as_what_it_is(link, kind):
    link.start(guest(link, "web", "10.0.0.1"), port(kind, 4))
    web = link.netns("web").nic("eth0")
    far = link.netns("far").nic("u0")
    seen = {}
    for counter, data in BAD[kind]:
        if kind != "gre" and counter == "rx_bad_length" and len(data) > 20:
            # A frame too short for Ethernet, of the key that is known.
            data = data[:4] + struct.pack("!I", KEY << 8) + data[8:]
        seen[counter] = seen.get(counter, 0) + 1
        send(link, far, bare(kind, data))
        counted(link, counter, seen[counter])
    inner = frame(b"lost", DB, WEB)
    send(link, far, around(kind, inner, key=KEY + 1))
    counted(link, "rx_unknown_key")
    send(link, far, around(kind, inner, src="192.0.2.99"))
    counted(link, "rx_unknown_key", 2)
    # To itself: a tunnel in the tunnel.
    send(link, far, around(kind, Ether(src=DB, dst=WEB)
                           / around(kind, inner)))
    counted(link, "rx_nested")
    # Marked by a router, of a sender that knows no marks (RFC 6040).
    send(link, far, around(kind, inner, tos=3))
    counted(link, "rx_congested")
    whole = bytes(around(kind, frame(b"x" * 900, DB, WEB)))
    first, second = whole[:20 + 512], whole[20 + 512:]
    for data, flags, offset in ((first[20:], 1, 0), (second, 0, 64)):
        send(link, far, IP(src=ENDS[4][1], dst=ENDS[4][0], id=7,
                           flags=flags, frag=offset,
                           proto=47 if kind == "gre" else 17) / Raw(data))
    counted(link, "rx_fragment")
    send(link, far, around(kind, frame(b"whole", DB, WEB)))
    web.expect(carries(b"whole"))
    assert not [f for f in web.drain() if b"lost" in f.raw]
    row = link.port("t")["counters"]
    assert row["rx_dropped"] == sum(
        row[c] for c in ("rx_bad_length", "rx_bad_header", "rx_bad_checksum",
                         "rx_unknown_key", "rx_nested", "rx_congested",
                         "rx_fragment") if c in row)


def test_numbers_out_of_order_are_dropped(link):
    link.start(guest(link, "web", "10.0.0.1"), port("gre", 4, 0, ",seq=yes"))
    web, far = link.netns("web").nic("eth0"), link.netns("far").nic("u0")
    for number, text in ((5, b"five"), (4, b"four"), (5, b"again"),
                         (6, b"six")):
        send(link, far, IP(src=ENDS[4][1], dst=ENDS[4][0])
             / GRE(proto=0x6558, key_present=1, key=KEY, seqnum_present=1,
                   sequence_number=number) / frame(text, DB, WEB))
    got = [web.expect(carries(t)) and t for t in (b"five", b"six")]
    assert got == [b"five", b"six"]
    counted(link, "rx_out_of_order", 2)


@pytest.mark.parametrize("kind", ("vxlan", "geneve"))
def test_frames_to_the_far_end_itself_do_not_go_in_circles(link, kind):
    link.start(guest(link, "web", "10.0.0.1"), port(kind, 4))
    web = link.netns("web").nic("eth0")
    web.send(Ether(src=WEB, dst=DB) / around(kind, frame(b"x"),
                                             dst=ENDS[4][1]))
    counted(link, "tx_nested")


def test_without_a_remote_nothing_leaves(link):
    web, _ = by_flow(link, "vxlan")
    link.weft("flow", "add", "in_port=1,actions=output:2")
    web.send(frame(b"where"))
    counted(link, "tx_no_remote")


# --- Ports that share sockets -------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_the_best_fit_gets_the_frame(link, kind):
    """In Open vSwitch's order: key and remote, key, remote, neither."""
    options = ("key=1,remote=" + ENDS[4][1], "key=1,remote=flow",
               "key=flow,remote=" + ENDS[4][1], "key=flow,remote=flow")
    link.start(guest(link, "web", "10.0.0.1"),
               *("%d=t%d=%s:local=%s,%s" % (2 + i, i, kind, ENDS[4][0], o)
                 for i, o in enumerate(options)))
    link.weft("flow", "delete", "--all")
    for i in range(4):
        link.weft("flow", "add", "in_port=%d,ip,actions=mod_nw_tos:%d,output:1"
                  % (2 + i, 4 * i + 4))
    web, far = link.netns("web").nic("eth0"), link.netns("far").nic("u0")
    cases = ((1, ENDS[4][1]), (1, "192.0.2.77"), (2, ENDS[4][1]),
             (2, "192.0.2.77"))

    def check(expected):
        for (key, src), i in zip(cases, expected):
            send(link, far, around(kind, frame(b"case", DB, WEB), key, src))
            assert web.expect(carries(b"case"))[IP].tos == 4 * i + 4

    check((0, 1, 2, 3))
    # The one that read for all goes, and the next reads.
    for gone, expected in ((0, (1, 1, 2, 3)), (2, (1, 1, 3, 3)),
                           (1, (3, 3, 3, 3))):
        link.weft("port", "delete", "t%d" % gone)
        check(expected)


def test_two_of_the_same_key_and_remote_are_refused(link):
    link.start(guest(link, "web", "10.0.0.1"), port("vxlan", 4))
    for spec, reason in ((port("vxlan", 4)[4:], "same remote and key"),
                         ("geneve:local=%s,remote=%s,dst_port=4789"
                          % ENDS[4], "another type"),
                         ("vxlan:remote=192.0.2.9,key=16777216",
                          "number from 0 to 16777215"),
                         ("vxlan:key=5", "remote= is needed"),
                         ("vxlan:remote=nobody", "an address"),
                         ("vxlan:remote=2001:db8::2,local=192.0.2.1",
                          "two families"),
                         ("gre:remote=flow,seq=yes", "one remote"),
                         ("vxlan:remote=flow,groups=10.0.0.1",
                          "multicast")):
        done = link.weft("port", "add", "x=" + spec, status=None)
        assert done.returncode and reason in done.stdout, done.stdout


@pytest.mark.parametrize("family", (4, 6))
def test_a_group_of_the_kernels(street, lab, family):
    """Broadcasts to an underlay group, answers straight back."""
    group = {4: "239.1.1.1", 6: "ff05::101"}[family]
    lab.start(guest(lab, "web", "10.0.0.1"),
              "2=t=vxlan:local=%s,remote=%s,key=%d"
              % (ENDS[family][0], group, KEY))
    db = street.kernel("vxlan", family, ("group", group))
    eventually(lambda: lab.netns("web").ping("10.0.0.2", deadline=1),
               "the far end answers")
    assert db.ping("10.0.0.1")
    web = lab.netns("web").nic("eth0")
    far = lab.netns("far").nic("u0")
    # To others' addresses of this host, the tunnel is deaf.
    lab.host.run("ip", "addr", "add", "192.0.2.50/24", "dev", "u0")
    lab.mac = lab.host.run("cat", "/sys/class/net/u0/address").stdout.strip()
    if family == 4:
        send(lab, far, around("vxlan", frame(b"astray", DB, WEB),
                              dst="192.0.2.50"))
        counted(lab, "rx_not_ours")
        assert not [f for f in web.drain() if b"astray" in f.raw]
