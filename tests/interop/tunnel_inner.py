"""What scapy sees in a frame that a tunnel carried: its flow key, as
src/packet/flow_key.h words it, and what becomes of it on the way out."""

import socket
import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1AD, Dot1Q, Ether
from scapy.utils import checksum

NO_TYPE = 0x05ff
PRESENT = 0x1000
TPIDS = (0x8100, 0x88a8)
NO_OFS = 0xffff
NOT_ECT, ECT1, ECT0, CE = range(4)
EXTENSIONS = {0: (IPv6ExtHdrHopByHop, 0x40), 60: (IPv6ExtHdrDestOpt, 0x08),
              44: (IPv6ExtHdrFragment, 0x10)}
# Behind them lie headers that scapy and we name differently.
OTHER_EXTENSIONS = (43, 50, 51, 59)

KEY = "!II6s6sHHHHHH4s4sBBBBHHIHH16s16s"
KEY_FIELDS = ("in_port recirc_id eth_dst eth_src eth_type vlan_tci vlan_tpid "
              "inner_tpid inner_tci zero nw_src nw_dst nw_tos nw_proto nw_ttl "
              "nw_frag tp_src tp_dst ipv6_label tcp_flags ipv6_exthdr "
              "ipv6_src ipv6_dst").split()
KEY_SIZE = struct.calcsize(KEY)
WORDS_SIZE = 18 * 8


def read_key(words):
    key = dict(zip(KEY_FIELDS, struct.unpack_from(KEY, words)))
    for name in ("in_port", "recirc_id", "zero"):
        del key[name]
    return key


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def payload_bytes(layer):
    return getattr(layer.payload, "original", b"") or b""


class Inner:
    """key: {field: value}, without those of which scapy says nothing; l3_ofs,
    l4_ofs and pad_len; ip: the IP layer behind any tags, or None."""

    def __init__(self, frame):
        self.frame = frame
        self.key = dict.fromkeys(KEY_FIELDS, 0)
        for name in ("in_port", "recirc_id", "zero"):
            del self.key[name]
        for name in ("nw_src", "nw_dst"):
            self.key[name] = bytes(4)
        for name in ("ipv6_src", "ipv6_dst"):
            self.key[name] = bytes(16)
        self.l3_ofs = self.l4_ofs = NO_OFS
        self.pad_len = 0
        self.ip = self.ip_ofs = None
        self.read_ethernet(Ether(frame))

    def offset(self, layer):
        return len(self.frame) - len(layer.original)

    def read_ethernet(self, eth):
        self.key["eth_dst"] = mac_bytes(eth.dst)
        self.key["eth_src"] = mac_bytes(eth.src)
        layer, n_tags = eth, 0
        while (getattr(layer, "type", 0) in TPIDS
               and isinstance(layer.payload, (Dot1Q, Dot1AD))
               and len(layer.payload.original) >= 4):
            tpid, layer = layer.type, layer.payload
            # The key has no room for the bit between priority and VLAN: it
            # says that there is a tag.
            tci = layer.prio << 13 | layer.vlan | PRESENT
            if n_tags == 0:
                self.key["vlan_tpid"], self.key["vlan_tci"] = tpid, tci
            elif n_tags == 1:
                self.key["inner_tpid"], self.key["inner_tci"] = tpid, tci
            elif n_tags == 2:
                self.key["eth_type"] = tpid
            n_tags += 1
        ethertype = getattr(layer, "type", 0)
        below = layer.payload
        if n_tags <= 2:
            if ethertype < 0x600:
                below, ethertype = self.read_llc(layer)
            self.key["eth_type"] = ethertype
        if ethertype in (0x0800, 0x86dd) and isinstance(below, (IP, IPv6)):
            self.find_ip(below)
        if n_tags > 2:
            return
        if ethertype in (0x0800, 0x86dd, 0x0806, 0x8035):
            # Scapy may see nothing there that it knows.
            self.l3_ofs = (self.offset(below) if hasattr(below, "original")
                           and below.original else len(self.frame))
        if ethertype == 0x0800 and isinstance(below, IP):
            self.read_ip4(below)
        elif ethertype == 0x86dd and isinstance(below, IPv6):
            self.read_ip6(below)
        elif ethertype in (0x0806, 0x8035) and isinstance(below, ARP):
            self.read_arp(below)

    def find_ip(self, ip):
        """Is it one, as far as congestion marks need to know?"""
        version, least = (4, 20) if isinstance(ip, IP) else (6, 40)
        if ip.version == version and len(ip.original) >= least:
            self.ip, self.ip_ofs = ip, self.offset(ip)

    def read_llc(self, layer):
        llc = layer.payload
        if (isinstance(llc, LLC) and (llc.dsap, llc.ssap, llc.ctrl)
                == (0xaa, 0xaa, 3) and isinstance(llc.payload, SNAP)
                and llc.payload.OUI == 0 and llc.payload.code >= 0x600):
            return llc.payload.payload, llc.payload.code
        return llc, NO_TYPE

    def read_arp(self, arp):
        if (len(arp.original) < 28 or arp.hwtype != 1 or arp.ptype != 0x800
                or arp.hwlen != 6 or arp.plen != 4):
            return
        self.key["nw_tos"], self.key["nw_proto"] = divmod(arp.op, 256)
        self.key["nw_src"] = socket.inet_aton(arp.psrc)
        self.key["nw_dst"] = socket.inet_aton(arp.pdst)

    def read_ip4(self, ip):
        left = len(ip.original)
        if (left < 20 or ip.version != 4 or ip.ihl < 5
                or ip.len < 4 * ip.ihl or ip.len > left):
            return
        key = self.key
        self.pad_len = left - ip.len
        key["nw_src"] = socket.inet_aton(ip.src)
        key["nw_dst"] = socket.inet_aton(ip.dst)
        key["nw_tos"], key["nw_ttl"] = ip.tos, ip.ttl
        key["nw_proto"] = ip.proto
        if ip.flags.MF or ip.frag:
            key["nw_frag"] = 3 if ip.frag else 1
        if ip.frag:
            return
        self.l4_ofs = self.offset(ip) + 4 * ip.ihl
        self.read_transport(ip.proto, ip.payload,
                            ip.original[4 * ip.ihl:ip.len], False)

    def read_ip6(self, ip):
        left = len(ip.original)
        if left < 40 or ip.version != 6 or ip.plen > left - 40:
            return
        key = self.key
        self.pad_len = left - 40 - ip.plen
        key["ipv6_src"] = socket.inet_pton(socket.AF_INET6, ip.src)
        key["ipv6_dst"] = socket.inet_pton(socket.AF_INET6, ip.dst)
        key["nw_tos"], key["nw_ttl"] = ip.tc, ip.hlim
        key["ipv6_label"] = ip.fl
        data = ip.original[40:40 + ip.plen]
        proto, layer, seen = ip.nh, ip.payload, []
        while proto in EXTENSIONS:
            cls, bit = EXTENSIONS[proto]
            size = 8 if proto == 44 else None
            if len(data) >= 8 and size is None:
                size = 8 * (data[1] + 1)
            if not size or len(data) < size or not isinstance(layer, cls):
                seen.append(None)
                break
            seen.append(bit)
            if proto == 44 and (layer.offset or layer.m):
                key["nw_frag"] = 3 if layer.offset else 1
            proto, layer, data = layer.nh, layer.payload, data[size:]
        if seen != sorted(set(seen), key=(0x40, 0x08, 0x10).index
                          if None not in seen else str):
            # Out of order, or cut off: flow_key.h says how much of that a
            # key keeps, scapy nothing.
            self.forget("nw_proto", "nw_frag", "ipv6_exthdr", "tp_src",
                        "tp_dst", "tcp_flags")
            self.l4_ofs = None
            return
        if proto in OTHER_EXTENSIONS or None in seen:
            self.forget("nw_proto", "nw_frag", "ipv6_exthdr", "tp_src",
                        "tp_dst", "tcp_flags")
            self.l4_ofs = None
            return
        key["ipv6_exthdr"] = sum(seen)
        key["nw_proto"] = proto
        if key["nw_frag"] == 3:
            return
        self.l4_ofs = len(self.frame) - self.pad_len - len(data)
        self.read_transport(proto, layer, data, True)

    def forget(self, *names):
        for name in names:
            self.key.pop(name, None)

    def read_transport(self, proto, layer, data, is_ip6):
        key = self.key
        if proto == 6 and len(data) >= 20:
            # Options that contradict themselves make scapy give up.
            tcp = layer if isinstance(layer, TCP) else TCP(data[:12]
                                                           + b"\x50"
                                                           + data[13:20])
            key["tp_src"], key["tp_dst"] = tcp.sport, tcp.dport
            key["tcp_flags"] = (data[12] & 0x0f) << 8 | int(tcp.flags) & 0xff
        elif proto == 17 and len(data) >= 8:
            udp = layer if isinstance(layer, UDP) else UDP(data[:8])
            key["tp_src"], key["tp_dst"] = udp.sport, udp.dport
        elif proto == 132 and len(data) >= 12:
            key["tp_src"], key["tp_dst"] = struct.unpack_from("!HH", data)
        elif ((proto in (1, 2) and not is_ip6) or (proto == 58 and is_ip6)) \
                and len(data) >= 4:
            key["tp_src"] = data[0]
            key["tp_dst"] = 0 if proto == 2 else data[1]

    # --- On the way out of the tunnel ---------------------------------------

    def is_nested(self, kind, port, family, end):
        """Is it a packet of such a tunnel, to that end of it?"""
        ip = self.ip
        if ip is None or isinstance(ip, IP) != (family == 4) or ip.dst != end:
            return False
        if family == 4:
            if (ip.ihl < 5 or ip.len < 4 * ip.ihl
                    or ip.len > len(ip.original)):
                return False
            proto, data = ip.proto, ip.original[4 * ip.ihl:]
        else:
            if ip.plen > len(ip.original) - 40:
                return False
            proto, data = ip.nh, ip.original[40:]
        if kind == "gre":
            return proto == 47
        return (proto == 17 and len(data) >= 4
                and struct.unpack_from("!H", data, 2)[0] == port)

    def tos(self):
        return 0 if self.ip is None else (
            self.ip.tos if isinstance(self.ip, IP) else self.ip.tc)

    def decapsulated(self, outer_tos):
        """RFC 6040, 4.2: the frame with its mark; None: it is dropped."""
        outer, inner = outer_tos & 3, self.tos() & 3
        if self.ip is None or outer in (NOT_ECT, ECT0):
            return self.frame
        if outer == CE:
            if inner == NOT_ECT:
                return None
            return self.marked(CE)
        return self.marked(ECT1) if inner == ECT0 else self.frame

    def marked(self, ecn):
        frame, at = bytearray(self.frame), self.ip_ofs
        if isinstance(self.ip, IP):
            was_right = not checksum(bytes(frame[at:at + 4 * self.ip.ihl]))
            frame[at + 1] = frame[at + 1] & ~3 | ecn
            if was_right and len(self.ip.original) >= 4 * self.ip.ihl:
                frame[at + 10:at + 12] = bytes(2)
                frame[at + 10:at + 12] = struct.pack(
                    "!H", checksum(bytes(frame[at:at + 4 * self.ip.ihl])))
            else:
                self.sum_at = at + 10
        else:
            frame[at + 1] = frame[at + 1] & ~0x30 | ecn << 4
        return bytes(frame)
