"""Random packets of tunnels, made by scapy: any outer headers around any frame,
and some that are not quite right."""

import random
import struct

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import (GRE, ICMP, IP, TCP, UDP, IPOption_EOL,
                               IPOption_NOP)
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import ARP, LLC, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from scapy.utils import checksum

OURS = {4: "192.0.2.1", 6: "2001:db8::1"}
UDP_PORTS = {"vxlan": 4789, "geneve": 6081}
KINDS = ("vxlan", "geneve", "gre")
TEB = 0x6558
N_INNER = 512                           # Frames of which inner ones are made.


def mac(rng):
    return "02:%02x:00:00:00:%02x" % (rng.randrange(4), rng.randrange(256))


def remote(rng, family):
    """Beside ours; .9 and ::9 have ports of their own."""
    last = rng.choice((2, 3, 9, 9, rng.randrange(2, 250)))
    return "192.0.2.%d" % last if family == 4 else "2001:db8::%x" % last


# --- Frames ---------------------------------------------------------------

def inner_ip(rng):
    if rng.random() < 0.6:
        options = ([IPOption_NOP(), IPOption_EOL()]
                   if rng.random() < 0.1 else [])
        return 4, IP(src="10.0.0.%d" % rng.randrange(256),
                     dst="10.0.1.%d" % rng.randrange(256),
                     tos=rng.randrange(256), ttl=rng.randrange(1, 256),
                     id=rng.randrange(65536), options=options,
                     flags=rng.choice(("", "DF")))
    ip = IPv6(src="fd00::%x" % rng.randrange(1, 256),
              dst="fd00:1::%x" % rng.randrange(1, 256),
              tc=rng.randrange(256), hlim=rng.randrange(256),
              fl=rng.randrange(1 << 20))
    for ext in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt):
        if rng.random() < 0.1:
            ip /= ext()
    return 6, ip


def inner_packet(rng):
    kind = rng.random()
    if kind < 0.1:
        return ARP(op=rng.randrange(1, 3), hwsrc=mac(rng), hwdst=mac(rng),
                   psrc="10.0.0.%d" % rng.randrange(256),
                   pdst="10.0.0.%d" % rng.randrange(256))
    family, ip = inner_ip(rng)
    data = Raw(rng.randbytes(rng.choice((0, 1, 5, 64, 500, 1300))))
    if kind < 0.2:
        if family == 4:
            ip.flags |= rng.choice(("MF", ""))
            ip.frag = rng.randrange(3)
        else:
            ip /= IPv6ExtHdrFragment(offset=rng.randrange(3),
                                     m=rng.randrange(2))
    if kind < 0.6:
        return ip / TCP(sport=rng.randrange(65536), dport=rng.choice(
            (22, 80, 443)), flags=rng.choice(("S", "SA", "A", "PA", "F", "R")),
            seq=rng.randrange(1 << 32), options=rng.choice(
                ([], [("MSS", 9000)], [("NOP", None), ("NOP", None),
                                       ("Timestamp", (1, 2))]))) / data
    if kind < 0.85:
        return ip / UDP(sport=rng.randrange(65536),
                        dport=rng.choice((53, 67, 123, 9999))) / data
    if family == 4:
        return ip / ICMP(type=rng.choice((0, 3, 8)), code=rng.randrange(4))
    return ip / rng.choice((ICMPv6EchoRequest(), ICMPv6ND_NS(tgt="fd00::7")))


def inner_frame(rng):
    kind = rng.random()
    if kind < 0.03:
        return Dot3(src=mac(rng), dst=mac(rng)) / LLC() / Raw(bytes(9))
    frame = Ether(src=mac(rng), dst=mac(rng))
    if kind < 0.08:
        frame.type = rng.choice((0x88b5, 0x1234, 0x0800, 0x86dd))
        return frame / Raw(rng.randbytes(rng.randrange(80)))
    tags = rng.choice(((), (), (), (Dot1Q,), (Dot1AD,), (Dot1AD, Dot1Q),
                       (Dot1Q, Dot1Q), (Dot1AD, Dot1Q, Dot1Q)))
    for tag in tags:
        frame /= tag(vlan=rng.randrange(4096), prio=rng.randrange(8))
    return frame / inner_packet(rng)


def nested(rng, kind, family, src):
    """What would go round: a tunnel's packet in a tunnel, to `src` or to us."""
    dst = rng.choice((src, OURS[family], OURS[family]))
    frame = Ether(src=mac(rng), dst=mac(rng))
    if rng.random() < 0.3:
        frame /= Dot1Q(vlan=7)
    frame /= (IP if family == 4 else IPv6)(src=src, dst=dst)
    if rng.choice((kind, "gre")) == "gre":
        return frame / GRE(proto=TEB) / Raw(bytes(20))
    return frame / UDP(sport=5, dport=rng.choice(
        (4789, 6081))) / VXLAN(flags=8, vni=5) / Raw(bytes(20))


def flip(rng, data, first=0, end=None):
    """One bit of data[first:end]."""
    end = len(data) if end is None else min(end, len(data))
    if first >= end:
        return data
    at = rng.randrange(first, end)
    return (data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),))
            + data[at + 1:])


class Frames:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.inner = []

    # --- Tunnels' headers --------------------------------------------------

    def options(self):
        rng = self.rng
        options = []
        room = rng.choice((0, 0, 8, 40, 63 * 4))
        while room >= 4 and rng.random() < 0.8:
            words = min(rng.choice((0, 1, 1, 4, 4, 31)), room // 4 - 1)
            known = {1: 0x03, 4: 0x84}.get(words, 0x17)
            options.append(GeneveOptions(
                classid=rng.choice((0x0102, 0x0102, 0x0102, 0xffff)),
                type=known if rng.random() < 0.8 else rng.randrange(256),
                reserved=rng.choice((0, 0, 0, 5)), length=words,
                data=rng.randbytes(4 * words)))
            room -= 4 + 4 * words
        return options

    def header(self, kind):
        rng = self.rng
        key = rng.choice((0, 77, 77, 5001, 0xffffff, rng.randrange(1 << 24)))
        if kind == "vxlan":
            return VXLAN(flags=8 if rng.random() < 0.9
                         else rng.randrange(256), vni=key,
                         reserved2=rng.choice((0, 0, 0, 255)))
        if kind == "geneve":
            options = self.options()
            # The length is said: scapy loses a bit of those above 15 words.
            return GENEVE(
                vni=key, options=options, oam=rng.randrange(2),
                optionlen=sum(1 + o.length for o in options),
                critical=any(o.type & 0x80 for o in options),
                reserved=rng.choice((0, 0, 63)),
                version=rng.choice((0,) * 20 + (1,)),
                proto=rng.choice((TEB,) * 20 + (0x0800, 0x86dd, 0x880b)))
        gre = GRE(proto=rng.choice((TEB,) * 20 + (0x0800, 0x6559)))
        if rng.random() < 0.6:
            gre.key_present, gre.key = 1, key | rng.choice((0, 1 << 31))
        if rng.random() < 0.5:
            gre.seqnum_present = 1
            gre.sequence_number = rng.choice((5, 1 << 31, rng.randrange(100),
                                              rng.randrange(1 << 32)))
        if rng.random() < 0.5:
            gre.chksum_present, gre.offset = 1, 0
        if rng.random() < 0.1:
            gre.setfieldval(rng.choice(("recursion_control", "flags",
                                        "version", "strict_route_source",
                                        "routing_present")), 1)
            if rng.random() < 0.5:
                gre.recursion_control = rng.randrange(8)
        return gre

    # --- Outer headers -----------------------------------------------------

    def ip(self, family, src):
        rng = self.rng
        tos = rng.choice((0, 0, 1, 2, 3, 0xb8, rng.randrange(256)))
        if family == 4:
            return IP(src=src, dst=OURS[4], tos=tos,
                      ttl=rng.randrange(1, 256), id=rng.randrange(65536),
                      flags=rng.choice(("", "DF")),
                      options=[IPOption_NOP()] * rng.choice((0, 0, 0, 0, 4)))
        ip = IPv6(src=src, dst=OURS[6], tc=tos, hlim=rng.randrange(1, 256),
                  fl=rng.randrange(1 << 20))
        for ext in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt):
            if rng.random() < 0.05:
                ip /= ext()
        return ip

    def next_inner(self, kind, family, src):
        rng = self.rng
        if not self.inner:
            self.inner = [bytes(inner_frame(rng)) for _ in range(N_INNER)]
            self.n_used = 0
        self.n_used += 1
        frame = rng.choice(self.inner)
        if self.n_used == 8 * N_INNER:
            self.inner = []
        chance = rng.random()
        if chance < 0.05:
            return bytes(nested(rng, kind, family, src))
        if chance < 0.12:
            return frame[:rng.randrange(rng.choice((16, 64)))]
        if chance < 0.25:
            return flip(rng, frame, 12, 80)
        return frame + (bytes(rng.randrange(8)) if chance < 0.35 else b"")

    def __iter__(self):
        """IP packets, for ever."""
        while True:
            yield from self.some()

    def some(self):
        """One, or the pieces of one."""
        rng = self.rng
        kind, family = rng.choice(KINDS), rng.choice((4, 4, 6))
        src = remote(rng, family)
        tunnel = bytes(self.header(kind)
                       / Raw(self.next_inner(kind, family, src)))
        wrong = rng.random() if rng.random() < 0.25 else 1
        if wrong < 0.4:
            tunnel = flip(rng, tunnel, 0, 24)
        elif wrong < 0.5:
            tunnel = tunnel[:rng.randrange(24)]
        packet = self.ip(family, src)
        if kind != "gre":
            packet /= UDP(sport=rng.randrange(49152, 65536),
                          dport=UDP_PORTS[kind])
            if rng.random() < 0.2:
                packet[UDP].chksum = 0
            if 0.5 <= wrong < 0.6:
                packet[UDP].len = max(1, 8 + len(tunnel)
                                      + rng.randrange(-20, 20))
        elif family == 4:
            packet.proto = 47
        else:
            packet.lastlayer().nh = 47
        packet /= Raw(tunnel)
        if (0.6 <= wrong < 0.7 and len(tunnel) > 60
                and not packet.haslayer(IPv6ExtHdrHopByHop)
                and not packet.haslayer(IPv6ExtHdrDestOpt)):
            yield from self.pieces(bytes(packet), family)
            return
        data = bytes(packet)
        if 0.7 <= wrong < 0.8:
            data = data[:rng.randrange(1, len(data))]
        elif 0.8 <= wrong < 0.9:
            data = flip(rng, data, 0, 12 if family == 4 else 8)
        elif 0.9 <= wrong < 1:
            data += bytes(rng.randrange(1, 20))     # of a link with padding
        yield data

    def pieces(self, data, family):
        """Two, which the kernel puts together."""
        if family == 4:
            header = 4 * (data[0] & 15)
            for first, last in ((0, 24), (24, len(data) - header)):
                flags = (first // 8) | (0 if first else 0x2000)
                ip = (data[:2] + struct.pack("!H", header + last - first)
                      + data[4:6] + struct.pack("!H", flags)
                      + data[8:10] + bytes(2) + data[12:header])
                sum_ = struct.pack("!H", checksum(ip))
                yield (ip[:10] + sum_ + ip[12:]
                       + data[header + first:header + last])
            return
        ident = self.rng.randrange(1 << 32)
        for first, end, more in ((40, 64, 1), (64, len(data), 0)):
            ext = struct.pack("!BBHI", data[6], 0, (first - 40) | more, ident)
            yield (data[:4] + struct.pack("!H", 8 + end - first) + b"\x2c"
                   + data[7:40] + ext + data[first:end])
