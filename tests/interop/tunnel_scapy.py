"""What scapy sees in a tunnel's packet, and what a tunnel's end has to make of
that (RFC 7348, 8926, 2784, 2890, 6040)."""

import socket
import struct

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import GRE, IP, UDP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import Dot3, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import NoPayload, Padding
from scapy.utils import checksum

TEB = 0x6558
# As in tunnel_views.c.
NOTHING, FRAME = 0, 1
REASONS = ("bad length", "bad header", "bad checksum", "unknown key",
           "fragment", "nested", "congested", "out of order")
REASON = {name: 2 + i for i, name in enumerate(REASONS)}
NAMES = ("nothing", "a frame") + REASONS
KIND_OF_PORT = {4789: (VXLAN, "vxlan"), 6081: (GENEVE, "geneve")}


class Refused(Exception):
    """NOTHING, or why."""


def refuse(why):
    raise Refused(REASON[why])


def body(layer):
    """The bytes behind a layer, without what is padding to it."""
    payload = layer.payload
    if isinstance(payload, (NoPayload, Padding)):
        return b""
    return payload.original


# --- Outer headers --------------------------------------------------------

class Outer:
    """family, src, dst, tos, ttl; kind, and what is behind IP or UDP."""

    def __init__(self, data):
        version = data[0] >> 4
        if len(data) < {4: 20, 6: 40}.get(version, 0):
            raise Refused(NOTHING)
        if version == 4:
            self.read_ip4(IP(data), len(data))
        elif version == 6:
            self.read_ip6(IPv6(data), len(data))
        else:
            raise Refused(NOTHING)

    def read_ip4(self, ip, n):
        if (ip.ihl < 5 or ip.len > n
                or ip.len < 4 * ip.ihl or ip.flags.MF or ip.frag
                or checksum(ip.original[:4 * ip.ihl])):
            raise Refused(NOTHING)
        self.family, self.ip = 4, ip
        self.src, self.dst = ip.src, ip.dst
        self.tos, self.ttl = ip.tos, ip.ttl
        self.read_transport(ip.proto, ip, ip.len - 4 * ip.ihl)

    def read_ip6(self, ip, n):
        if ip.plen > n - 40:
            raise Refused(NOTHING)
        self.family, self.ip = 6, ip
        self.src, self.dst = ip.src, ip.dst
        self.tos, self.ttl = ip.tc, ip.hlim
        layer, left = ip, ip.plen
        while isinstance(layer.payload, (IPv6ExtHdrHopByHop,
                                         IPv6ExtHdrDestOpt)):
            layer = layer.payload
            left -= 8 * (layer.len + 1)
        if left < 0:                    # one is longer than the packet
            raise Refused(NOTHING)
        self.read_transport(layer.nh, layer, left)

    def read_transport(self, proto, layer, left):
        data = body(layer)[:left]
        if proto == 47:
            self.kind, self.layer = "gre", layer.payload
            self.data = data
            return
        udp = layer.payload
        if proto != 17 or not isinstance(udp, UDP) or len(data) < 8:
            raise Refused(NOTHING)
        # Length 0 is a jumbogram's (RFC 2675), or as long as IP says.
        length = udp.len if udp.len or self.family == 4 else left
        if length < 8 or length > left or udp.dport not in KIND_OF_PORT:
            raise Refused(NOTHING)
        data = data[:length]
        if udp.chksum:
            # The length in the pseudo-header is UDP's (RFC 768), whatever IP
            # says; scapy has IP's.
            family = socket.AF_INET if self.family == 4 else socket.AF_INET6
            if checksum(socket.inet_pton(family, self.src)
                        + socket.inet_pton(family, self.dst)
                        + struct.pack("!HH", 17, length) + data):
                raise Refused(NOTHING)
        self.data = data[8:]
        cls, self.kind = KIND_OF_PORT[udp.dport]
        if cls is VXLAN and self.data and self.data[0] & 0x84:
            # Scapy reads drafts (GPE, group policy), whose bits are reserved
            # in RFC 7348, 5: ignored.
            self.layer = cls((bytes((self.data[0] & 0x08,)) + self.data[1:])
                             .ljust(8, b"\0"))
        elif (isinstance(udp.payload, cls)
              and len(udp.payload.original) == len(self.data)):
            self.layer = udp.payload
        else:                           # Scapy goes by the source port, too.
            self.layer = cls(self.data) if len(self.data) >= 8 else None


# --- Tunnels' headers -----------------------------------------------------

class View:
    """What is to come of a packet: `verdict`, and of a frame the rest."""

    def __init__(self, data):
        self.outer = None
        self.flags = {"key"}
        self.options = b""
        self.list = []
        self.seq = None
        try:
            outer = self.outer = Outer(data)
            getattr(self, "read_" + outer.kind)(outer.layer, outer.data)
            self.verdict = FRAME
        except Refused as e:
            self.verdict = e.args[0]

    def read_vxlan(self, vxlan, data):
        if len(data) < 8:
            refuse("bad length")
        if not vxlan.flags.Instance:
            refuse("bad header")
        self.key = vxlan.vni
        self.frame = data[8:]
        self.layer = vxlan.payload

    def read_geneve(self, geneve, data):
        if len(data) < 8:
            refuse("bad length")
        if geneve.version:
            refuse("bad header")
        n_options = 4 * geneve.optionlen
        if len(data) < 8 + n_options:
            refuse("bad length")
        if geneve.proto != TEB:
            refuse("bad header")
        self.list = self.split_options(data[8:8 + n_options])
        if geneve.oam:
            self.flags.add("oam")
        self.key = geneve.vni
        self.options = data[8:8 + n_options]
        self.frame = data[8 + n_options:]
        self.layer = geneve.payload

    @staticmethod
    def split_options(data):
        """All of them: to scapy the second one is what the first carries."""
        found = []
        while data:
            if len(data) < 4:
                refuse("bad header")
            option = GeneveOptions(data)
            if len(option.data) != 4 * option.length:
                refuse("bad header")
            found.append(option)
            data = data[4 + 4 * option.length:]
        return found

    def read_gre(self, gre, data):
        if len(data) < 4:
            refuse("bad length")
        if not isinstance(gre, GRE):
            # Too short for its own flags, or PPTP's.
            gre = GRE(data[:4] + bytes(16))
            if not gre.haslayer(GRE):
                refuse("bad header")
        # RFC 2784, 2.1: bits 1 to 5, less those of RFC 2890, and the version;
        # 6 to 12 are ignored.
        if (gre.routing_present or gre.strict_route_source
                or gre.recursion_control & 4 or gre.version):
            refuse("bad header")
        length = 4 + 4 * (gre.chksum_present + gre.key_present
                          + gre.seqnum_present)
        if len(data) < length:
            refuse("bad length")
        if gre.proto != TEB:
            refuse("bad header")
        if gre.chksum_present:
            if checksum(data):
                refuse("bad checksum")
            self.flags.add("csum")
        self.key = gre.key if gre.key_present else 0
        if not gre.key_present:
            self.flags.remove("key")
        if gre.seqnum_present:
            self.seq = gre.sequence_number
        self.frame = data[length:]
        self.layer = gre.payload

    # --- The frame ---------------------------------------------------------

    def inner(self):
        """Its layers: Ether, Dot3 or Raw."""
        layer = self.layer
        if not isinstance(layer, (Ether, Dot3)) \
                or layer.original != self.frame:
            layer = Ether(self.frame)
        return layer

    def metadata(self):
        """(tun_metadata that options are, whether an unknown one is
        critical)."""
        fields = bytearray(32)
        unknown = False
        for option in self.list:
            kind = (option.classid, option.type, option.length)
            if kind == (0x0102, 0x03, 1):
                fields[12:16] = option.data
            elif kind == (0x0102, 0x84, 4):
                fields[16:32] = option.data
            elif option.type & 0x80:
                return None, True
        return bytes(fields), unknown


def packed(family, address):
    if family == 4:
        return bytes(10) + b"\xff\xff" + socket.inet_pton(socket.AF_INET,
                                                          address)
    return socket.inet_pton(socket.AF_INET6, address)
