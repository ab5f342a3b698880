"""Who hears what: rows made from intents, which verdict_model.py judges.

`rows()` makes the table:

    Row: number, sender, about, frame, its bytes, verdict (who hears it, by which
         tag; why nobody does)

A row's frame carries its number, so that all rows are sent at once and heard
together (test_verdicts.py).  New promises are new rows: a generator in ROWS,
and what decides it in Model."""

import ipaddress
import re

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Solicit, DHCP6OptClientId, \
    DHCP6OptIA_NA, DHCP6_Reply, DUID_LL
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                ICMPv6NDOptUnknown, IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

import verdicts_security
from verdict_model import (BROADCAST, EXPERIMENTAL, EXTERNAL, INTENTS, LAN,
                           NESTED, NETWORKS, OUT, OUT_IP, OUT_MAC, PORTS, Model,
                           Row, STATION, STATION_IP, eui64, link_local)


# --- Frames, and what they are called in ------------------------------------

TOKEN = re.compile(rb"row(\d{5})")
FIRST_ID = 20000                        # of DNS, DHCP


def token(number):
    return b"row%05d" % number


# What a gateway tells senders, by type and code of ICMP and ICMPv6.
TOLD = {(4, 11, 0): "expired", (4, 3, 0): "no-route", (4, 3, 1): "no-answer",
        (4, 3, 3): "closed", (4, 3, 4): "too-big",
        (6, 3, 0): "expired", (6, 1, 0): "no-route", (6, 1, 3): "no-answer",
        (6, 1, 4): "closed", (6, 2, 0): "too-big"}


def told(data):
    """What the frame says as an ICMP error; None: it is none."""
    at = 18 if data[12:14] == b"\x81\x00" else 14
    if data[at - 2:at] == b"\x08\x00" and data[at + 9] == 1:
        return TOLD.get((4, data[at + 20], data[at + 21]))
    if data[at - 2:at] == b"\x86\xdd" and data[at + 6] == 58:
        return TOLD.get((6, data[at + 40], data[at + 41]))
    return None


def identify(data):
    """The number of the row that this frame belongs to, an answer included; or
    what tells an answer without a number."""
    found = TOKEN.search(data)
    if found:
        about = told(data)
        return ("told " + about, int(found.group(1))) if about \
            else int(found.group(1))
    frame = Ether(data)
    if frame.haslayer(BOOTP):
        return frame[BOOTP].xid - FIRST_ID
    if frame.haslayer(DNS):
        return frame[DNS].id - FIRST_ID
    if frame.haslayer(UDP) and hasattr(frame[UDP].payload, "trid"):
        return frame[UDP].payload.trid - FIRST_ID
    if frame.haslayer(ICMPv6ND_RA):
        return ("router", frame.dst)
    if frame.haslayer(ICMPv6ND_NA):
        return ("neighbour", frame.dst, frame[ICMPv6ND_NA].tgt)
    return None


def answer_key(row):
    """By which identify() knows the row's answer by a service."""
    frame = row.frame
    if row.verdict.reason == "answered":
        if frame.haslayer(ICMPv6ND_RS):
            return ("router", frame.src)
        if frame.haslayer(ICMPv6ND_NS):
            return ("neighbour", frame.src, frame[ICMPv6ND_NS].tgt)
    if row.verdict.reason.startswith("told "):
        return (row.verdict.reason, row.number)
    return row.number


class Table:
    def __init__(self, gateways):
        self.model = Model(INTENTS, gateways)
        self.gateways = gateways
        self.rows = []
        self.phase = 0                  # those before have arrived

    def add(self, sender, about, make, vid=None):
        """`make(number, token)` is the frame without its tag."""
        number = len(self.rows)
        frame = make(number)
        if vid is not None:
            frame = Ether(bytes(frame))         # to know its type
            frame = Ether(src=frame.src, dst=frame.dst) \
                / Dot1Q(vlan=vid, type=frame.type) / frame.payload
        self.rows.append(Row(number, sender, about, frame, bytes(frame),
                             self.model.judge(sender, frame), self.phase))

    # --- Kinds of frames ---

    def ethernet(self, sender, about, dst, src=None, vid=None):
        self.add(sender, about, lambda n: Ether(
            src=src or mac_of(sender), dst=dst, type=EXPERIMENTAL)
            / Raw(token(n) + bytes(42)), vid)

    def ip(self, sender, about, dst, packet, src=None, vid=None):
        self.add(sender, about, lambda n: Ether(
            src=src or mac_of(sender), dst=dst) / packet / Raw(token(n)), vid)

    def arp(self, sender, about, dst, src=None, vid=None, **fields):
        fields.setdefault("hwsrc", src or mac_of(sender))
        self.add(sender, about, lambda n: Ether(
            src=src or mac_of(sender), dst=dst)
            / ARP(**fields) / Raw(token(n) + bytes(10)), vid)

    def nd(self, sender, about, dst, ip, message, vid=None):
        self.add(sender, about, lambda n: Ether(
            src=mac_of(sender), dst=dst) / ip / message
            / ICMPv6NDOptUnknown(type=253, len=2,
                                 data=token(n) + bytes(6)), vid)


def mac_of(name):
    return STATION if name == LAN else OUT_MAC if name == OUT \
        else PORTS[name]["mac"]


def address_of(name):
    return STATION_IP if name == LAN else PORTS[name].get("address")


def subnet6_of(name):
    network = PORTS[name].get("network")
    return NETWORKS[network].get("subnet6") if network else None


def all_pairs(table):
    """Everybody to everybody, by Ethernet alone."""
    for a in PORTS:
        for b in PORTS:
            if a != b and a != "fw":
                table.ethernet(a, "ethernet to " + b, mac_of(b))


def internet(table):
    """Whoever has an address to whoever has one."""
    kinds = {
        "icmp": lambda: ICMP(id=7),
        "tcp": lambda: TCP(sport=40000, dport=443),
        "udp": lambda: UDP(sport=40000, dport=9999),
    }
    known = [name for name in PORTS if address_of(name)]
    for i, a in enumerate(known):
        for k, b in enumerate(known):
            if a != b:
                kind = list(kinds)[(i + k) % len(kinds)]
                table.ip(a, "%s to %s" % (kind, b), mac_of(b), IP(
                    src=address_of(a), dst=address_of(b)) / kinds[kind]())


def internet6(table):
    known = [name for name in PORTS if subnet6_of(name)] + ["far", "far2",
                                                            "near", "flat1"]
    for a in known:
        for b in known:
            if a != b:
                table.ip(a, "icmp6 to " + b, mac_of(b), IPv6(
                    src=link_local(mac_of(a)), dst=link_local(mac_of(b)))
                    / ICMPv6EchoRequest(id=7))


def groups(table):
    for name in PORTS:
        if name == "fw":
            continue
        table.ethernet(name, "broadcast", BROADCAST)
        source = address_of(name) or "192.168.0.%d" % (len(name) + 50)
        floods = NETWORKS[PORTS[name]["network"]].get("multicast") == "flood"
        for group in ("224.0.0.251", "239.1.2.3")[:1 + floods]:
            table.ip(name, "udp to " + group, "01:00:5e:%02x:%02x:%02x" % (
                int(group.split(".")[1]) & 0x7f, *map(int, group.split(".")[2:])),
                IP(src=source, dst=group) / UDP(sport=4444, dport=4444))
        table.ip(name, "udp to ff02::fb", "33:33:00:00:00:fb", IPv6(
            src=link_local(mac_of(name)), dst="ff02::fb")
            / UDP(sport=4444, dport=4444))
        if floods:
            table.ip(name, "udp to ff05::1:3", "33:33:00:01:00:03", IPv6(
                src=link_local(mac_of(name)), dst="ff05::1:3")
                / UDP(sport=4444, dport=4444))
        table.ethernet(name, "to nobody", "02:00:00:00:ee:ee")
        table.ethernet(name, "spanning tree", "01:80:c2:00:00:00")
        table.ethernet(name, "link discovery", "01:80:c2:00:00:0e")


def questions(table):
    for name in PORTS:
        own = address_of(name)
        if not own:
            continue
        asked = [p for p in PORTS if address_of(p)]
        for other in asked[::2] if name != "web" else asked:
            table.arp(name, "arp for " + other, BROADCAST, psrc=own,
                      pdst=address_of(other))
        gateway = table.model.gateway(PORTS[name]["network"])
        table.arp(name, "arp for the gateway", BROADCAST, psrc=own,
                  pdst=gateway or "10.5.0.1")
        table.arp(name, "arp probe of its own", BROADCAST, psrc="0.0.0.0",
                  pdst=own)
        table.arp(name, "arp for nobody", BROADCAST, psrc=own,
                  pdst=own.rsplit(".", 1)[0] + ".99")
    for address in ("10.1.0.21", "10.1.0.66", "10.1.0.200", "10.3.0.1"):
        table.arp("web", "arp for " + address, BROADCAST, psrc="10.1.0.10",
                  pdst=address)
    for name in ("far", "near", "flat1"):
        table.arp(name, "arp on the LAN", BROADCAST, psrc="192.168.0.50",
                  pdst="192.168.0.1")
    for a, b in (("web", "db"), ("db", "web"), ("web", "twin"),
                 ("iso", "alone"), ("six1", "six2"), ("far", "far2")):
        solicit(table, a, link_local(mac_of(b)), b)
    solicit(table, "six1", eui64("fd00:6::/64", mac_of("six2")), "six2")
    solicit(table, "web", "fd00:1::64:0:0:1", "a nested guest")
    solicit(table, "web", "fd00:1::dead", "nobody")


def solicit(table, sender, target, about):
    low = ipaddress.ip_address(target).packed[-3:]
    table.nd(sender, "solicitation for " + about,
             "33:33:ff:%02x:%02x:%02x" % tuple(low),
             IPv6(src=link_local(mac_of(sender)), dst="ff02::1:ff%02x:%02x%02x"
                  % tuple(low), hlim=255), ICMPv6ND_NS(tgt=target)
             / ICMPv6NDOptSrcLLAddr(lladdr=mac_of(sender)))


def gateways(table):
    for name in PORTS:
        network, own = PORTS[name].get("network"), address_of(name)
        router = table.gateways.get(network)
        if own and router:
            for about, to in (("its gateway", table.model.gateway(network)),
                              ("another gateway", "10.3.0.1"
                               if network != "green" else "10.9.0.1"),
                              ("outside", "192.0.2.1"),
                              ("another network", "10.3.0.10"
                               if network != "green" else "10.9.0.10")):
                table.ip(name, "icmp to " + about, router,
                         IP(src=own, dst=to) / ICMP(id=len(table.rows)))
            table.ip(name, "tcp to its gateway", router, IP(
                src=own, dst=table.model.gateway(network))
                / TCP(sport=40000, dport=80))
            table.ethernet(name, "as the gateway", BROADCAST, src=router)
        if subnet6_of(name) and router:
            source = eui64(subnet6_of(name), mac_of(name))
            for to in table.model.gateways6(network) + ["2001:db8::1"]:
                table.ip(name, "icmp6 to " + to, router, IPv6(
                    src=source, dst=to) / ICMPv6EchoRequest(id=7))


def spoofers(table):
    for name, victim in (("web", "db"), ("tree", "leaf"), ("plan1", "web"),
                         ("twin", "pal"), ("calm", "odd"), ("odd", "calm"),
                         ("bare1", "bare2"), ("iso", "web")):
        to = mac_of("db") if name == "web" else mac_of(victim)
        own, other = address_of(name), address_of(victim)
        table.ethernet(name, "with another's MAC", to, src=mac_of(victim))
        table.ethernet(name, "with nobody's MAC", to,
                       src="02:00:00:00:ee:01")
        for source in (other, "203.0.113.9", "0.0.0.0", "255.255.255.255"):
            table.ip(name, "udp from " + source, to, IP(
                src=source, dst=other) / UDP(sport=4000, dport=4000))
        for op in (1, 2):
            table.arp(name, "arp %d with another's address" % op, to, op=op,
                      psrc=other if name != "web" else "10.1.0.30",
                      pdst="10.1.0.77" if op == 1 else other,
                      hwdst=to if op == 2 else "00:00:00:00:00:00")
        table.arp(name, "arp reply with another's MAC", to, op=2, psrc=own,
                  hwsrc=mac_of(victim), pdst=other, hwdst=to)
        table.arp(name, "arp reply", to, op=2, psrc=own, pdst=other,
                  hwdst=to)
    for name, to in (("web", "db"), ("six1", "six2"), ("far", "far2")):
        own, other = link_local(mac_of(name)), link_local(mac_of(to))
        for about, target, mac_said in (
                ("its own", own, mac_of(name)),
                ("another's", link_local("02:00:00:00:77:77"), mac_of(name)),
                ("its own with another's MAC", own, mac_of("tree"))):
            table.nd(name, "advertisement of " + about, mac_of(to),
                     IPv6(src=own, dst=other, hlim=255),
                     ICMPv6ND_NA(tgt=target)
                     / ICMPv6NDOptDstLLAddr(lladdr=mac_said))
        for source in (other, "fd00:dead::1"):
            table.ip(name, "icmp6 from " + source, mac_of(to), IPv6(
                src=source, dst=other) / ICMPv6EchoRequest(id=7))


def nested(table):
    for source, hw, about in (
            ("10.1.0.21", NESTED, "a nested guest"),
            ("10.1.0.22", NESTED, "a nested guest with another address"),
            ("10.1.0.20", NESTED, "a nested guest with its host's address"),
            ("10.1.0.66", None, "an allowed network"),
            ("10.1.0.80", None, "just outside of an allowed network"),
            ("10.1.0.66", NESTED, "an allowed network with a nested MAC")):
        table.ip("db", "udp from " + about, mac_of("web"), IP(
            src=source, dst="10.1.0.10") / UDP(sport=4000, dport=4000), src=hw)
    for source in ("fd00:1::64:0:0:9", "fd00:1::65:0:0:9"):
        table.ip("db", "icmp6 from " + source, mac_of("web"), IPv6(
            src=source, dst=link_local(mac_of("web")))
            / ICMPv6EchoRequest(id=7))
    table.ethernet("web", "ethernet to a nested guest", NESTED)
    table.ethernet("twin", "ethernet to another network's nested guest",
                   NESTED)


def tags(table):
    for vid in (None, 0, 100, 101, 102):
        for to in ("web", "twin", "tree"):
            table.ethernet("fw", "tag %s to %s" % (vid, to), mac_of(to),
                           vid=vid)
        table.ethernet("fw", "tag %s broadcast" % vid, BROADCAST, vid=vid)
    for vid in (100, 101):
        table.ip("fw", "udp, tag %d" % vid, mac_of("web" if vid == 100
                                                   else "pal"),
                 IP(src="10.1.0.200", dst="10.1.0.10")
                 / UDP(sport=4000, dport=4000), vid=vid)
        table.arp("fw", "arp, tag %d" % vid, BROADCAST, psrc="10.1.0.200",
                  pdst="10.1.0.20", vid=vid)
        table.arp("fw", "arp for the gateway, tag %d" % vid, BROADCAST,
                  psrc="10.1.0.200", pdst="10.1.0.1", vid=vid)
    for name, to in (("web", "db"), ("far", "far2"), ("flat1", LAN)):
        for vid in (0, 20, 30, 100, 4095):
            table.ethernet(name, "tag %d to %s" % (vid, to), mac_of(to),
                           vid=vid)
    table.ethernet("web", "ethernet to the trunk", mac_of("fw"))
    table.ethernet("pal", "ethernet to the trunk", mac_of("fw"))
    table.ethernet("tree", "ethernet to the trunk", mac_of("fw"))


def rogues(table):
    for name in ("web", "tree", "six1", "bare1", "far", "near", "flat1",
                 "plan1", "odd"):
        network = PORTS[name]["network"]
        source = address_of(name) or "192.168.0.1"
        own6 = link_local(mac_of(name))
        table.add(name, "DHCP offer", lambda n, s=source, a=name: Ether(
            src=mac_of(a), dst=BROADCAST)
            / IP(src=s, dst="255.255.255.255") / UDP(sport=67, dport=68)
            / BOOTP(op=2, xid=FIRST_ID + n)
            / DHCP(options=[("message-type", "offer"), "end"]))
        if "subnet6" not in NETWORKS[network] \
                and not table.model.has_lan(network):
            continue
        for about, message in (
                ("router advertisement", ICMPv6ND_RA(routerlifetime=1800)),
                ("redirect", ICMPv6ND_Redirect(tgt=own6, dst="fd00::1"))):
            table.nd(name, about, "33:33:00:00:00:01",
                     IPv6(src=own6, dst="ff02::1", hlim=255), message)
        table.add(name, "DHCPv6 reply", lambda n, s=own6, a=name: Ether(
            src=mac_of(a), dst="33:33:00:00:00:01")
            / IPv6(src=s, dst="ff02::1") / UDP(sport=547, dport=546)
            / DHCP6_Reply(trid=FIRST_ID + n))


def the_lan(table):
    for vid in (None, 20, 30, 40, 99):
        for to in ("far", "near", "flat1", "plan1", "web"):
            table.ethernet(LAN, "tag %s to %s" % (vid, to), mac_of(to),
                           vid=vid)
        table.ethernet(LAN, "tag %s broadcast" % vid, BROADCAST, vid=vid)
        table.ethernet(LAN, "tag %s to nobody" % vid, "02:00:00:00:ee:ee",
                       vid=vid)
        table.ethernet(LAN, "tag %s, looped" % vid, BROADCAST,
                       src=mac_of("far"), vid=vid)
        table.add(LAN, "tag %s, DHCP offer" % vid, lambda n: Ether(
            src=STATION, dst=BROADCAST)
            / IP(src=STATION_IP, dst="255.255.255.255")
            / UDP(sport=67, dport=68) / BOOTP(op=2, xid=FIRST_ID + n)
            / DHCP(options=[("message-type", "offer"), "end"]), vid=vid)
        table.nd(LAN, "tag %s, router advertisement" % vid,
                 "33:33:00:00:00:01", IPv6(src=link_local(STATION),
                                           dst="ff02::1", hlim=255),
                 ICMPv6ND_RA(), vid=vid)
        table.arp(LAN, "tag %s, arp for plan1" % vid, BROADCAST,
                  psrc="10.4.0.99", pdst="10.4.0.10", vid=vid)
        table.arp(LAN, "tag %s, arp for the gateway" % vid, BROADCAST,
                  psrc="10.4.0.99", pdst="10.4.0.1", vid=vid)
        table.arp(LAN, "tag %s, arp for a guest" % vid, BROADCAST,
                  psrc="192.168.0.9", pdst="192.168.0.50", vid=vid)
    for name in ("far", "far2", "near", "flat1", "plan1", "web"):
        table.ethernet(name, "to the LAN's station", STATION)
    for name in ("far", "flat1"):
        table.ip(name, "udp to the LAN's station", STATION, IP(
            src="192.168.0.50", dst=STATION_IP)
            / UDP(sport=4000, dport=4000))


def services(table):
    for name in ("web", "twin", "tree", "calm", "far", "flat1", "plan1",
                 "bare1"):
        client = bytes.fromhex(mac_of(name).replace(":", ""))
        table.add(name, "DHCP discover", lambda n, a=name, c=client: Ether(
            src=mac_of(a), dst=BROADCAST)
            / IP(src="0.0.0.0", dst="255.255.255.255")
            / UDP(sport=68, dport=67) / BOOTP(chaddr=c, xid=FIRST_ID + n)
            / DHCP(options=[("message-type", "discover"), "end"]))
    for name in ("web", "twin", "tree", "calm"):
        network = PORTS[name]["network"]
        table.add(name, "DNS", lambda n, a=name, w=network: Ether(
            src=mac_of(a), dst=table.gateways[w])
            / IP(src=address_of(a), dst=table.model.gateway(w))
            / UDP(sport=4053, dport=53)
            / DNS(id=FIRST_ID + n, rd=1,
                  qd=DNSQR(qname="%s.%s.weft" % (a, w))))
    for name in ("web", "six1", "far"):
        own6 = link_local(mac_of(name))
        table.nd(name, "router solicitation", "33:33:00:00:00:02",
                 IPv6(src=own6, dst="ff02::2", hlim=255), ICMPv6ND_RS())
        table.add(name, "DHCPv6 solicit", lambda n, a=name, s=own6: Ether(
            src=mac_of(a), dst="33:33:00:01:00:02")
            / IPv6(src=s, dst="ff02::1:2") / UDP(sport=546, dport=547)
            / DHCP6_Solicit(trid=FIRST_ID + n)
            / DHCP6OptClientId(duid=DUID_LL(lladdr=mac_of(a)))
            / DHCP6OptIA_NA(iaid=1))
    for name in ("web", "six1"):
        solicit(table, name,
                table.model.gateways6(PORTS[name]["network"])[0],
                "its gateway")


def routed(table):
    """By the gateway: into all networks, and whatever ends there."""
    kinds = [lambda: ICMP(id=len(table.rows)),
             lambda: TCP(sport=40000, dport=443),
             lambda: UDP(sport=40000, dport=9999)]
    for i, a in enumerate(PORTS):
        network, own = PORTS[a].get("network"), address_of(a)
        router = table.gateways.get(network)
        if not own or not router:
            continue
        for k, b in enumerate(p for p in PORTS if address_of(p)):
            table.ip(a, "routed to " + b, router,
                     IP(src=own, dst=address_of(b)) / kinds[(i + k) % 3]())
        if network in ("blue", "green", "red"):
            for to in ROUTED_TO:
                table.ip(a, "routed to " + to, router,
                         IP(src=own, dst=to) / kinds[i % 3]())
            for ttl in (0, 1, 2):
                table.ip(a, "with ttl %d" % ttl, router,
                         IP(src=own, dst="10.3.0.10", ttl=ttl) / ICMP(id=7))
    for to in ("web", "iso", "tree", "thin1", "plan1"):
        for source in ("10.4.0.99", "10.99.0.1", "10.1.0.20", "10.7.0.10"):
            table.ip(LAN, "routed to %s from %s" % (to, source),
                     table.gateways["plan"],
                     IP(src=source, dst=address_of(to)) / ICMP(id=7), vid=40)
    routed6(table)
    for flags, size in ((0, 1400), ("DF", 1400), ("DF", 1200)):
        table.add("web", "%d bytes %s" % (size, flags), lambda n, f=flags,
                  s=size: Ether(src=mac_of("web"),
                                dst=table.gateways["blue"])
                  / IP(src="10.1.0.10", dst="10.7.0.10", flags=f)
                  / UDP(sport=4000, dport=4000) / Raw(token(n) + bytes(s)))


ROUTED_TO = ("10.20.1.1", "10.20.9.1", "10.21.0.1", "172.16.5.9", "10.3.0.255",
             "10.3.0.0", "10.1.0.66", "10.1.0.21", "10.3.0.77", "224.0.0.9",
             "255.255.255.255", "10.7.0.1", "10.9.0.1", "198.51.100.1")


def routed6(table):
    source = {a: PORTS[a].get("address6") or eui64(subnet6_of(a), mac_of(a))
              for a in PORTS if subnet6_of(a)}
    for a in source:
        router = table.gateways[PORTS[a]["network"]]
        for to in list(source.values()) + [
                "fd00:6::1", "fd00:7::1", "fd00:20::7", "fd00:6::dead",
                "fd00:9::1", "ff05::9", link_local(mac_of("web"))]:
            table.ip(a, "icmp6 routed to " + to, router, IPv6(
                src=source[a], dst=to) / ICMPv6EchoRequest(id=7))
        table.ip(a, "icmp6 with hop limit 1", router, IPv6(
            src=source[a], dst="fd00:6::1:2", hlim=1)
            / ICMPv6EchoRequest(id=7))
        table.ip(a, "udp6 to a gateway", router, IPv6(
            src=source[a], dst="fd00:7::1") / UDP(sport=4000, dport=4000))
    table.add("web", "1400 bytes of IPv6", lambda n: Ether(
        src=mac_of("web"), dst=table.gateways["blue"])
        / IPv6(src=source["web"], dst="fd00:7::10")
        / UDP(sport=4000, dport=4000) / Raw(token(n) + bytes(1400)))


def outside(table):
    """Out of networks by NAT, in by forwards, and what is closed."""
    uplink = table.gateways["out"]

    def kinds():
        """Each from another port: two connections must not become alike by
        what is done to them."""
        port = 41000 + len(table.rows)
        return (("icmp", ICMP(id=len(table.rows))),
                ("tcp/443", TCP(sport=port, dport=443)),
                ("tcp/8443", TCP(sport=port, dport=8443)),
                ("udp/7005", UDP(sport=port, dport=7005)),
                ("udp/53", UDP(sport=port, dport=53)))

    for name in ("cafe1", "cafe2", "pub1"):
        router, own = table.gateways[PORTS[name]["network"]], address_of(name)
        for to in ("198.51.100.7", "169.254.169.254", EXTERNAL,
                   "203.0.113.7", "203.0.113.8"):
            for about, packet in kinds():
                if about != "udp/53" or to != "203.0.113.7":
                    table.ip(name, "%s to %s" % (about, to), router,
                             IP(src=own, dst=to) / packet)
        table.ip(name, "with a stranger's address", router,
                 IP(src="198.51.100.8", dst="198.51.100.7") / UDP(dport=9))
        table.ip(name, "with ttl 1", router,
                 IP(src=own, dst="198.51.100.7", ttl=1) / UDP(dport=9))
    for to in (EXTERNAL, "203.0.113.6", "203.0.113.7", "203.0.113.8",
               "10.6.0.10", "10.8.0.10", "10.1.0.10"):
        for about, packet in kinds():
            table.ip(OUT, "%s to %s" % (about, to), uplink,
                     IP(src="198.51.100.9", dst=to) / packet)
        table.arp(OUT, "arp for " + to, BROADCAST, psrc=OUT_IP, pdst=to)
    for vid in (None, 0, 20):
        table.ip(OUT, "as an inside host, tag %s" % vid, uplink,
                 IP(src="10.6.0.20", dst="10.6.0.10")
                 / UDP(sport=4000, dport=4000), vid=vid)
    table.ip(OUT, "tcp/443 to another MAC", "02:00:00:00:bb:03",
             IP(src="198.51.100.9", dst=EXTERNAL)
             / TCP(sport=40002, dport=443))


def security(table):
    verdicts_security.security(table, mac_of, address_of)


ROWS = [all_pairs, internet, internet6, groups, questions, gateways, routed,
        spoofers, nested, tags, rogues, the_lan, services,
        outside, security]


def rows(gateway_macs):
    """`gateway_macs`: {network: MAC}."""
    table = Table(gateway_macs)
    for generate in ROWS:
        generate(table)
    return table.rows


# --- Questions for `weft explain` -------------------------------------------

WHATS = {
    "icmp": lambda back: ICMP(type=0 if back else 8, id=7),
    "tcp/443": lambda back: TCP(sport=443 if back else 40000,
                                dport=40000 if back else 443),
    "udp/9999": lambda back: UDP(sport=9999 if back else 40000,
                                 dport=40000 if back else 9999),
}


def questions_by_name(gateway_macs):
    """[(from, to, what, whether it passes there and back)]"""
    model = Model(INTENTS, gateway_macs)
    known = [name for name in PORTS if address_of(name)]
    asked = []
    for i, a in enumerate(known):
        for k, b in enumerate(known):
            near = PORTS[b]["network"] in model.joined(PORTS[a]["network"])
            if a != b and (near or (i + 3 * k) % 5 == 0):
                what = list(WHATS)[(i + k) % len(WHATS)]
                asked.append((a, b, what, near
                              and _arrives(model, a, b, what, False)
                              and _arrives(model, b, a, what, True)))
        if model.gateway(PORTS[a]["network"]):
            asked += [(a, "gateway", "icmp", True),
                      (a, "gateway", "tcp/443", False)]
    return asked


def _arrives(model, a, b, what, is_back):
    near = PORTS[a]["network"] == PORTS[b]["network"]
    to = mac_of(b) if near else model.gateways.get(PORTS[a]["network"])
    frame = Ether(src=mac_of(a), dst=to) / IP(
        src=address_of(a), dst=address_of(b)) / WHATS[what](is_back)
    return b in model.judge(a, frame).heard
