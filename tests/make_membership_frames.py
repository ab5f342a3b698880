#!/usr/bin/python3
"""Prints tests/scapy_membership.h: messages of IGMP and MLD made by scapy, and
what must be read in them.

    tests/make_membership_frames.py > tests/scapy_membership.h

fuzz/make_corpus.py takes them as seeds."""

from scapy.all import IP, Ether, IPOption_Router_Alert, IPv6, Raw
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mq, IGMPv3mr
from scapy.layers.inet6 import (ICMPv6MLDMultAddrRec, ICMPv6MLDone,
                                ICMPv6MLQuery, ICMPv6MLQuery2,
                                ICMPv6MLReport, ICMPv6MLReport2,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop,
                                PadN, RouterAlert)

GROUP, GROUP6 = "239.1.2.3", "ff15::1"
E = Ether(src="02:00:00:00:00:01", dst="01:00:5e:00:00:16")
E6 = Ether(src="02:00:00:00:00:01", dst="33:33:00:00:00:16")
HOP = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])


def v4(dst, body, **fields):
    fields = {"src": "10.1.0.5", "ttl": 1, "proto": 2,
              "options": [IPOption_Router_Alert()], **fields}
    return E / IP(dst=dst, **fields) / body


def old(kind, group=GROUP, code=0):
    return IGMP(type=kind, gaddr=group, mrcode=code)


def records(*rows):
    return IGMPv3(type=0x22) / IGMPv3mr(records=[
        IGMPv3gr(rtype=kind, maddr=group, srcaddrs=sources)
        for kind, group, sources in rows])


def v6(dst, body, hop=HOP, **fields):
    fields = {"src": "fe80::5", "hlim": 1, **fields}
    return E6 / IPv6(dst=dst, **fields) / (hop / body if hop else body)


def report6(*rows):
    return ICMPv6MLReport2(records=[
        ICMPv6MLDMultAddrRec(rtype=kind, dst=group, sources=sources)
        for kind, group, sources in rows])


def query3(group, code, qrv, qqic, sources=()):
    return IGMPv3(type=0x11, mrcode=code) / IGMPv3mq(
        gaddr=group, qrv=qrv, qqic=qqic, srcaddrs=list(sources))


def bad_checksum(frame):
    data = bytearray(bytes(frame))
    data[-1] ^= 1
    return Raw(bytes(data))


def cut(frame, n):
    """The payload's last n bytes go; lengths of IP say so."""
    data = frame.copy()
    if IP in data:
        body = bytes(data[IP].payload)[:-n]
        body = body[:2] + b"\0\0" + body[4:]
        total = sum(int.from_bytes(body[i:i + 2].ljust(2, b"\0"), "big")
                    for i in range(0, len(body), 2))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        body = body[:2] + (total ^ 0xffff).to_bytes(2, "big") + body[4:]
        data[IP].remove_payload()
        del data[IP].len, data[IP].chksum
        return data / Raw(body)
    raise ValueError("only IPv4")


# (name, frame, what is read or the name of an error)
FRAMES = [
    ("an IGMPv1 report", v4(GROUP, old(0x12), options=[]),
     "report 1 from 10.1.0.5: is-exclude 239.1.2.3 0"),
    ("an IGMPv2 report", v4(GROUP, old(0x16)),
     "report 2 from 10.1.0.5: is-exclude 239.1.2.3 0"),
    ("an IGMPv2 leave", v4("224.0.0.2", old(0x17)),
     "report 2 from 10.1.0.5: to-include 239.1.2.3 0"),
    ("a leave that is sent to the group", v4(GROUP, old(0x17)),
     "report 2 from 10.1.0.5: to-include 239.1.2.3 0"),
    ("an IGMPv3 report",
     v4("224.0.0.22", records((4, GROUP, []), (3, "239.9.9.9", []),
                              (5, "232.0.0.1", ["10.0.0.9", "10.0.0.8"]),
                              (6, "232.0.0.2", ["10.0.0.9"]))),
     "report 3 from 10.1.0.5: to-exclude 239.1.2.3 0, to-include 239.9.9.9 "
     "0, allow 232.0.0.1 2, block 232.0.0.2 1"),
    ("a report without an address",
     v4("224.0.0.22", records((2, GROUP, [])), src="0.0.0.0"),
     "report 3 from nobody: is-exclude 239.1.2.3 0"),
    ("an IGMPv1 query", v4("224.0.0.1", old(0x11, "0.0.0.0")),
     "query 1 from 10.1.0.5: all 10000 ms 0 s 0"),
    ("an IGMPv2 query", v4("224.0.0.1", old(0x11, "0.0.0.0", 50)),
     "query 2 from 10.1.0.5: all 5000 ms 0 s 0"),
    ("an IGMPv2 query about a group", v4(GROUP, old(0x11, GROUP, 10)),
     "query 2 from 10.1.0.5: 239.1.2.3 1000 ms 0 s 0"),
    ("an IGMPv3 query", v4("224.0.0.1", query3("0.0.0.0", 100, 2, 125)),
     "query 3 from 10.1.0.5: all 10000 ms 125 s 2"),
    ("an IGMPv3 query with long times",
     v4("224.0.0.1", query3("0.0.0.0", 0x8f, 7, 0x9a)),
     "query 3 from 10.1.0.5: all 24800 ms 416 s 7"),
    ("an IGMPv3 query about sources",
     v4(GROUP, query3(GROUP, 10, 2, 125, ["10.0.0.1", "10.0.0.2"])),
     "query 3 from 10.1.0.5: 239.1.2.3 1000 ms 125 s 2"),
    ("a query without an address",
     v4("224.0.0.1", query3("0.0.0.0", 100, 2, 125), src="0.0.0.0"),
     "query 3 from nobody: all 10000 ms 125 s 2"),
    ("an MLDv1 report", v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6)),
     "report 1 from fe80::5: is-exclude ff15::1 0"),
    ("an MLDv1 done", v6("ff02::2", ICMPv6MLDone(mladdr=GROUP6)),
     "report 1 from fe80::5: to-include ff15::1 0"),
    ("an MLDv2 report",
     v6("ff02::16", report6((4, GROUP6, []), (1, "ff15::2", ["fd00::1"]))),
     "report 2 from fe80::5: to-exclude ff15::1 0, is-include ff15::2 1"),
    ("an MLDv2 report from nobody",
     v6("ff02::16", report6((4, GROUP6, [])), src="::"),
     "report 2 from nobody: to-exclude ff15::1 0"),
    ("options before the alert",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6), IPv6ExtHdrHopByHop(
         options=[PadN(optdata=b"\0" * 6), RouterAlert(value=0)])),
     "report 1 from fe80::5: is-exclude ff15::1 0"),
    ("an MLDv1 query", v6("ff02::1", ICMPv6MLQuery(mladdr="::", mrd=5000)),
     "query 1 from fe80::5: all 5000 ms 0 s 0"),
    ("an MLDv2 query",
     v6("ff02::1", ICMPv6MLQuery2(mladdr="::", mrd=0x8001, QRV=3, QQIC=20)),
     "query 2 from fe80::5: all 32776 ms 20 s 3"),
    ("an MLDv2 query about a group",
     v6(GROUP6, ICMPv6MLQuery2(mladdr=GROUP6, mrd=1000, QRV=2, QQIC=125,
                               sources=["fd00::1"])),
     "query 2 from fe80::5: ff15::1 1000 ms 125 s 2"),

    ("a wrong checksum", bad_checksum(v4(GROUP, old(0x16))), "checksum"),
    ("a wrong checksum in MLD",
     bad_checksum(v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6))), "checksum"),
    ("by way of a router", v4(GROUP, old(0x16), ttl=2), "not-local"),
    ("MLD by way of a router",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6), hlim=255), "not-local"),
    ("MLD without the alert",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6), None), "not-local"),
    ("another alert",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6),
        IPv6ExtHdrHopByHop(options=[RouterAlert(value=1)])), "not-local"),
    ("MLD from a global address",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6), src="fd00::5"), "not-local"),
    ("an MLD query from nobody",
     v6("ff02::1", ICMPv6MLQuery(mladdr="::", mrd=1), src="::"),
     "not-local"),
    ("a report to another address", v4("224.0.0.1", old(0x16)), "malformed"),
    ("a report about no group", v4("10.0.0.9", old(0x16, "10.0.0.9")),
     "malformed"),
    ("a report of records to the group",
     v4(GROUP, records((4, GROUP, []))), "malformed"),
    ("records about no group",
     v4("224.0.0.22", records((4, "10.0.0.1", []))), "malformed"),
    ("a record of no kind",
     v4("224.0.0.22", records((7, GROUP, []))), "malformed"),
    ("a query about a group to all",
     v4("224.0.0.1", old(0x11, GROUP, 10)), "malformed"),
    ("a short report", cut(v4(GROUP, old(0x16)), 2), "malformed"),
    ("a short record",
     cut(v4("224.0.0.22", records((4, GROUP, ["10.0.0.1"]))), 4),
     "malformed"),
    ("a query between two versions",
     cut(v4("224.0.0.1", query3("0.0.0.0", 100, 2, 125)), 2), "malformed"),
    ("an MLD record about no group",
     v6("ff02::16", report6((4, "fd00::1", []))), "malformed"),
    ("a message of another kind", v4(GROUP, old(0x13)), "foreign"),
    ("a fragment", v4(GROUP, old(0x16), flags="MF"), "foreign"),
    ("another protocol", v4(GROUP, Raw(bytes(8)), proto=17), "foreign"),
    ("other options in between",
     v6(GROUP6, ICMPv6MLReport(mladdr=GROUP6),
        HOP / IPv6ExtHdrDestOpt()), "foreign"),
    ("no options", v6(GROUP6, Raw(bytes(24)), IPv6ExtHdrDestOpt()),
     "foreign"),
]


def c_string(data):
    lines = [data[i:i + 16] for i in range(0, len(data), 16)]
    return "\n".join('      "%s"' % "".join("\\x%02x" % b for b in line)
                     for line in lines)


def main():
    print("/* Made by tests/make_membership_frames.py: do not edit. */")
    print("static const struct scapy_membership {\n"
          "    const char *name, *read, *frame;\n    size_t len;\n"
          "} scapy_memberships[] = {")
    for name, frame, read in FRAMES:
        data = bytes(frame)
        print('    { "%s",\n      "%s",\n%s, %d },'
              % (name, read, c_string(data), len(data)))
    print("};")


if __name__ == "__main__":
    main()
