"""OpenFlow's specification as Python, as far as packets meet it: which fields
and actions there are (1.3.5 section 7.2.3.7, 1.5.1 section 7.2.3.8), and what a
frame's fields are.  Written from the text, not from what the switch does."""

import ipaddress
import struct

VID_PRESENT = 0x1000                    # OFPVID_PRESENT

# name: (number in OFPXMC_OPENFLOW_BASIC, bits, maskable, settable, since)
FIELDS = {
    "in_port": (0, 32, False, False, 4),
    "in_phy_port": (1, 32, False, False, 4),
    "metadata": (2, 64, True, False, 4),
    "eth_dst": (3, 48, True, True, 4),
    "eth_src": (4, 48, True, True, 4),
    "eth_type": (5, 16, False, False, 4),
    "vlan_vid": (6, 13, True, True, 4),
    "vlan_pcp": (7, 3, False, True, 4),
    "ip_dscp": (8, 6, False, True, 4),
    "ip_ecn": (9, 2, False, True, 4),
    "ip_proto": (10, 8, False, False, 4),
    "ipv4_src": (11, 32, True, True, 4),
    "ipv4_dst": (12, 32, True, True, 4),
    "tcp_src": (13, 16, False, True, 4),
    "tcp_dst": (14, 16, False, True, 4),
    "udp_src": (15, 16, False, True, 4),
    "udp_dst": (16, 16, False, True, 4),
    "sctp_src": (17, 16, False, True, 4),
    "sctp_dst": (18, 16, False, True, 4),
    "icmpv4_type": (19, 8, False, True, 4),
    "icmpv4_code": (20, 8, False, True, 4),
    "arp_op": (21, 16, False, True, 4),
    "arp_spa": (22, 32, True, True, 4),
    "arp_tpa": (23, 32, True, True, 4),
    "arp_sha": (24, 48, True, True, 4),
    "arp_tha": (25, 48, True, True, 4),
    "ipv6_src": (26, 128, True, True, 4),
    "ipv6_dst": (27, 128, True, True, 4),
    "ipv6_flabel": (28, 20, True, True, 4),
    "icmpv6_type": (29, 8, False, True, 4),
    "icmpv6_code": (30, 8, False, True, 4),
    "ipv6_nd_target": (31, 128, False, True, 4),
    "ipv6_nd_sll": (32, 48, False, True, 4),
    "ipv6_nd_tll": (33, 48, False, True, 4),
    "mpls_label": (34, 20, False, True, 4),
    "mpls_tc": (35, 3, False, True, 4),
    "mpls_bos": (36, 1, False, False, 4),
    "pbb_isid": (37, 24, True, True, 4),
    "tunnel_id": (38, 64, True, True, 4),
    "ipv6_exthdr": (39, 9, True, False, 4),
    "pbb_uca": (41, 1, False, True, 5),
    "tcp_flags": (42, 12, True, False, 6),
    "actset_output": (43, 32, False, False, 6),
    "packet_type": (44, 32, False, False, 6),
}

# What must be matched as well, to what the frame has (the prerequisites).
NEEDS = {"vlan_pcp": ("vlan_vid",)}
NEEDS.update({name: ("eth_type",) for name in (
    "ip_dscp", "ip_ecn", "ip_proto", "ipv4_src", "ipv4_dst", "ipv6_src",
    "ipv6_dst", "ipv6_flabel", "arp_op", "arp_spa", "arp_tpa", "arp_sha",
    "arp_tha", "mpls_label", "mpls_tc", "mpls_bos", "pbb_isid", "pbb_uca",
    "ipv6_exthdr")})
NEEDS.update({name: ("eth_type", "ip_proto") for name in (
    "tcp_src", "tcp_dst", "udp_src", "udp_dst", "sctp_src", "sctp_dst",
    "icmpv4_type", "icmpv4_code", "icmpv6_type", "icmpv6_code",
    "tcp_flags")})
NEEDS.update({name: ("eth_type", "ip_proto", "icmpv6_type") for name in (
    "ipv6_nd_target", "ipv6_nd_sll", "ipv6_nd_tll")})

# {OFPAT_*: since}; 1.5.1 section 7.2.6, without experimenters'.
ACTIONS = {
    "OUTPUT": 4, "COPY_TTL_OUT": 4, "COPY_TTL_IN": 4, "SET_MPLS_TTL": 4,
    "DEC_MPLS_TTL": 4, "PUSH_VLAN": 4, "POP_VLAN": 4, "PUSH_MPLS": 4,
    "POP_MPLS": 4, "SET_QUEUE": 4, "GROUP": 4, "SET_NW_TTL": 4,
    "DEC_NW_TTL": 4, "SET_FIELD": 4, "PUSH_PBB": 4, "POP_PBB": 4,
    "COPY_FIELD": 6, "METER": 6,
}

# OFPIEH_*: next header's number to its bit in ipv6_exthdr.
EXTHDR = {59: 0x001, 50: 0x002, 51: 0x004, 60: 0x008, 44: 0x010, 43: 0x020,
          0: 0x040}
UNREP, UNSEQ = 0x080, 0x100
# RFC 8200 section 4.1; destination options have two places.
EXTHDR_ORDER = (0, 60, 43, 44, 51, 50, 60)


def _transport(fields, proto, data):
    names = {6: "tcp", 17: "udp", 132: "sctp"}
    if proto in names and len(data) >= 4:
        for side, port in zip(("src", "dst"), struct.unpack("!HH", data[:4])):
            fields["%s_%s" % (names[proto], side)] = port
        if proto == 6 and len(data) >= 14:
            fields["tcp_flags"] = int.from_bytes(data[12:14], "big") & 0xfff
    elif proto == 1 and len(data) >= 2:
        fields["icmpv4_type"], fields["icmpv4_code"] = data[:2]
    elif proto == 58 and len(data) >= 2:
        fields["icmpv6_type"], fields["icmpv6_code"] = data[:2]
        if data[0] in (135, 136) and len(data) >= 24:
            fields["ipv6_nd_target"] = int.from_bytes(data[8:24], "big")
            wanted, name = {135: (1, "ipv6_nd_sll"),
                            136: (2, "ipv6_nd_tll")}[data[0]]
            if data[24:26] == bytes([wanted, 1]):
                fields[name] = int.from_bytes(data[26:32], "big")


def _ipv4(fields, data):
    header = (data[0] & 15) * 4
    fields.update(ip_dscp=data[1] >> 2, ip_ecn=data[1] & 3, ip_proto=data[9],
                  ipv4_src=int.from_bytes(data[12:16], "big"),
                  ipv4_dst=int.from_bytes(data[16:20], "big"))
    if not int.from_bytes(data[6:8], "big") & 0x1fff:
        _transport(fields, data[9], data[header:])


def _exthdr(chain):
    """ipv6_exthdr of a list of next headers."""
    bits, at, seen = 0, -1, []
    for kind in chain:
        bits |= EXTHDR[kind]
        if kind == 59:
            break
        seen.append(kind)
        if seen.count(kind) > (2 if kind == 60 else 1):
            bits |= UNREP
        places = [i for i, k in enumerate(EXTHDR_ORDER) if k == kind
                  and (i > at or i == at and (kind != 60 or i > 1))]
        if places:
            at = places[0]
        else:
            bits |= UNSEQ
    return bits


def _ipv6(fields, data):
    head = int.from_bytes(data[:4], "big")
    chain, kind, rest = [], data[6], data[40:]
    while kind in EXTHDR:
        chain.append(kind)
        if kind in (59, 50):
            break
        size = {44: 8, 51: rest[1] * 4 + 8}.get(kind, rest[1] * 8 + 8)
        kind, rest = rest[0], rest[size:]
    fields.update(ip_dscp=head >> 22 & 63, ip_ecn=head >> 20 & 3,
                  ip_proto=kind, ipv6_flabel=head & 0xfffff,
                  ipv6_exthdr=_exthdr(chain),
                  ipv6_src=int.from_bytes(data[8:24], "big"),
                  ipv6_dst=int.from_bytes(data[24:40], "big"))
    _transport(fields, kind, rest)


def fields_of(frame, in_port):
    """{field: number} of a frame that came in by that port; without what the
    frame has not.  Of IPv6, no later fragments."""
    f = {"in_port": in_port, "in_phy_port": in_port, "metadata": 0,
         "tunnel_id": 0, "vlan_vid": 0, "packet_type": 0,
         "eth_dst": int.from_bytes(frame[:6], "big"),
         "eth_src": int.from_bytes(frame[6:12], "big")}
    at, kind = 14, int.from_bytes(frame[12:14], "big")
    while kind in (0x8100, 0x88a8):
        tci = int.from_bytes(frame[at:at + 2], "big")
        if not f["vlan_vid"]:           # The outermost.
            f["vlan_vid"] = VID_PRESENT | tci & 0xfff
            f["vlan_pcp"] = tci >> 13
        kind = int.from_bytes(frame[at + 2:at + 4], "big")
        at += 4
    f["eth_type"] = kind
    data = frame[at:]
    if kind == 0x0800:
        _ipv4(f, data)
    elif kind == 0x86dd:
        _ipv6(f, data)
    elif kind == 0x0806:
        f.update(arp_op=int.from_bytes(data[6:8], "big"),
                 arp_sha=int.from_bytes(data[8:14], "big"),
                 arp_spa=int.from_bytes(data[14:18], "big"),
                 arp_tha=int.from_bytes(data[18:24], "big"),
                 arp_tpa=int.from_bytes(data[24:28], "big"))
    elif kind in (0x8847, 0x8848):
        label = int.from_bytes(data[:4], "big")
        f.update(mpls_label=label >> 12, mpls_tc=label >> 9 & 7,
                 mpls_bos=label >> 8 & 1)
    elif kind == 0x88e7:
        tag = int.from_bytes(data[:4], "big")
        f.update(pbb_isid=tag & 0xffffff, pbb_uca=tag >> 27 & 1)
    return f


def matches(match, fields):
    """`match` is {field: number or (number, mask)}."""
    for name, want in match.items():
        value, mask = want if isinstance(want, tuple) else (want, None)
        has = fields.get(name)
        if has is None or (has != value if mask is None
                           else has & mask != value & mask):
            return False
    return True


def needed(name, fields):
    """The prerequisites of a match of that field, as the frame has them."""
    return {need: fields[need] for need in NEEDS.get(name, ())}


def text(name, number):
    """As os-ken wants to be given it."""
    bits = FIELDS[name][1]
    if bits == 48:
        return ":".join("%02x" % b for b in number.to_bytes(6, "big"))
    if bits == 128:
        return str(ipaddress.IPv6Address(number))
    if name in ("ipv4_src", "ipv4_dst", "arp_spa", "arp_tpa"):
        return str(ipaddress.IPv4Address(number))
    return number


def texts(match):
    return {name: tuple(text(name, n) for n in want)
            if isinstance(want, tuple) else text(name, want)
            for name, want in match.items()}
