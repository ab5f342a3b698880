#!/usr/bin/python3
"""Writes the made part of the corpora: inputs that reach what luck would not.
Those of offload_fuzz and pcap_fuzz by scapy, those of of_message_fuzz and
of_session_fuzz by of_seeds.c, our own encoder, those of intent_fuzz by the unit
tests of intents: each text that they judge.

    ./dev build && tests/fuzz/make_corpus.py"""

import glob
import os
import struct
import subprocess
import sys
import tempfile

from scapy.all import (ARP, BOOTP, DHCP, ICMP, IP, SCTP, TCP, UDP, Dot1AD,
                       Dot1Q, Ether, ICMPv6EchoRequest, IPv6,
                       IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PcapNgWriter,
                       PcapWriter, Raw)
from scapy.contrib.mpls import MPLS
from scapy.layers.dhcp6 import (DHCP6_RelayForward, DHCP6_Solicit,
                                DHCP6OptClientId, DHCP6OptIA_NA,
                                DHCP6OptIA_PD, DHCP6OptIAAddress,
                                DHCP6OptIfaceId, DHCP6OptOptReq,
                                DHCP6OptRelayMsg, DUID_LL)
from scapy.layers.inet import IPOption
from scapy.utils import checksum
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6ND_NA,
                                 IPv6ExtHdrDestOpt,
                                ICMPv6NDOptDstLLAddr)
from scapy.layers.dns import (DNS, DNSQR, DNSRR, DNSRRMX, DNSRROPT, DNSRRSOA,
                              DNSRRSRV)

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import make_membership_frames                                   # noqa: E402

NEEDS_CSUM, DATA_VALID = 1, 2
TCPV4, TCPV6, UDP_L4, ECN = 1, 4, 5, 0x80

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IP4 = IP(src="10.0.0.1", dst="10.0.0.2")
IP6 = IPv6(src="fd00::1", dst="fd00::2")
DATA = Raw(bytes(range(256)) * 2)


def write(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def guest_frame(packet, start_of, offset, flags=NEEDS_CSUM, gso=0, size=0):
    """The frame behind a virtio-net header that owes the checksum `offset`
    bytes into layer `start_of`."""
    frame = bytes(packet)
    start = len(frame) - len(packet[start_of]) if start_of else 0
    return struct.pack("<BBHHHH", flags, gso, 0, size, start, offset) + frame


def routing_inputs():
    """What a gateway tells senders about, and what neighbours answer."""
    udp = UDP(sport=1, dport=2) / DATA
    options = [IPOption(b"\x94\x04\0\0"), IPOption(b"\x07\x07\x04\0\0\0\0")]
    frames = {
        "udp": IP4 / udp,
        "options": IP(src="10.0.0.1", dst="10.0.0.2", options=options) / udp,
        "fragment": IP(src="10.0.0.1", dst="10.0.0.2", flags="MF", frag=4)
        / udp,
        "dont-fragment": IP(src="10.0.0.1", dst="10.0.0.2", flags="DF") / udp,
        "group": IP(src="10.0.0.1", dst="224.0.0.1") / udp,
        "nobody": IP(src="0.0.0.0", dst="10.0.0.2") / udp,
        "echo": IP4 / ICMP(), "error": IP4 / ICMP(type=3) / IP4 / udp,
        "udp6": IP6 / udp, "group6": IPv6(src="fd00::1", dst="ff02::1") / udp,
        "nobody6": IPv6(src="::", dst="fd00::2") / udp,
        "fragment6": IP6 / IPv6ExtHdrFragment(offset=3) / udp,
        "echo6": IP6 / ICMPv6EchoRequest(),
        "error6": IP6 / ICMPv6DestUnreach() / IP6 / udp,
        "arp-reply": ARP(op=2, psrc="10.0.0.9", hwsrc="02:00:00:00:00:09"),
        "advertisement": IPv6(src="fd00::9", dst="fe80::1", hlim=255)
        / ICMPv6ND_NA(tgt="fd00::9")
        / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:09"),
        "advertisement-alone": IPv6(src="fd00::9", dst="fe80::1", hlim=255)
        / ICMPv6ND_NA(tgt="fd00::9"),
    }
    for name, packet in frames.items():
        yield name, bytes(ETHER / packet)


def offload_inputs():
    tcp = TCP(sport=1, dport=2, flags="FPA",
              options=[("Timestamp", (1, 2))]) / DATA
    udp = UDP(sport=1, dport=2) / DATA
    hop = IPv6ExtHdrHopByHop()
    route = IPv6ExtHdrRouting(addresses=["fd00::3"], segleft=1)
    yield "tcp4", guest_frame(ETHER / IP4 / tcp, TCP, 16)
    backbone = bytes(ETHER)[:12] + bytes.fromhex("88e700000005")
    behind = guest_frame(ETHER / IP4 / tcp, TCP, 16)
    start = struct.unpack_from("<H", behind, 6)[0] + len(backbone)
    yield "backbone", (behind[:6] + struct.pack("<H", start) + behind[8:10]
                       + backbone + behind[10:])
    yield "tcp6", guest_frame(ETHER / IP6 / tcp, TCP, 16)
    yield "udp4", guest_frame(ETHER / IP4 / udp, UDP, 6)
    yield "udp6", guest_frame(ETHER / IP6 / hop / udp, UDP, 6)
    yield "padded", guest_frame(ETHER / IP4 / udp, UDP, 6) + b"padding"
    yield "tso4", guest_frame(ETHER / IP4 / tcp, TCP, 16, gso=TCPV4, size=100)
    yield "tso4-ecn", guest_frame(ETHER / IP4 / tcp, TCP, 16,
                                  gso=TCPV4 | ECN, size=100)
    yield "tso4-tiny", guest_frame(ETHER / IP4 / tcp, TCP, 16, gso=TCPV4,
                                   size=1)
    yield "tso4-one", guest_frame(ETHER / IP4 / tcp, TCP, 16, gso=TCPV4,
                                  size=1000)
    yield "tso6", guest_frame(ETHER / IP6 / tcp, TCP, 16, gso=TCPV6, size=99)
    yield "tso6-routed", guest_frame(ETHER / IP6 / hop / route / tcp, TCP, 16,
                                     gso=TCPV6, size=99)
    yield "uso4", guest_frame(ETHER / IP4 / udp, UDP, 6, gso=UDP_L4, size=64)
    yield "uso6", guest_frame(ETHER / IP6 / udp, UDP, 6, gso=UDP_L4, size=64)
    yield "uso-ecn", guest_frame(ETHER / IP6 / udp, UDP, 6,
                                 gso=UDP_L4 | ECN, size=64)
    yield "tso-vlan", guest_frame(ETHER / Dot1AD(vlan=5) / Dot1Q(vlan=7)
                                  / Dot1Q(vlan=9) / IP4 / tcp, TCP, 16,
                                  gso=TCPV4, size=200)
    yield "tso-mpls", guest_frame(ETHER / MPLS(label=5, s=0)
                                  / MPLS(label=6, s=1) / IP6 / tcp, TCP, 16,
                                  gso=TCPV6, size=200)
    yield "unknown-type", guest_frame(ETHER / IP4 / udp, UDP, 6, gso=3,
                                      size=64)
    yield "no-csum", guest_frame(ETHER / IP4 / tcp, TCP, 16, flags=0,
                                 gso=TCPV4, size=100)
    yield "valid", guest_frame(ETHER / IP4 / tcp, None, 0, flags=DATA_VALID)
    yield "sctp", guest_frame(ETHER / IP4 / SCTP() / DATA, SCTP, 8)
    yield "icmp", guest_frame(ETHER / IP4 / ICMP() / DATA, ICMP, 2)
    yield "icmp6", guest_frame(ETHER / IP6 / ICMPv6EchoRequest() / DATA,
                               ICMPv6EchoRequest, 2)
    yield "tunnel", guest_frame(ETHER / IP4 / UDP(dport=4789) / bytes(8)
                                / ETHER / IP4 / udp, Raw, 50)
    yield "fragment4", guest_frame(ETHER / IP(flags="MF") / udp, UDP, 6)
    yield "fragment6", guest_frame(ETHER / IP6 / IPv6ExtHdrFragment(m=1)
                                   / udp, UDP, 6)
    yield "arp", guest_frame(ETHER / ARP(), ARP, 2)
    yield "in-ip", guest_frame(ETHER / IP4 / udp, IP, 10)
    yield "outside", guest_frame(ETHER / IP4 / udp, UDP, 60000)
    yield "cut", guest_frame(ETHER / IP4 / tcp, TCP, 16)[:50]


def capture(writer, **options):
    with tempfile.NamedTemporaryFile() as out:
        with writer(out.name, **options) as w:
            for i, time in enumerate((999, 1000.25, 999.5)):
                packet = ETHER / IP4 / UDP(sport=i) / bytes(20 * i)
                packet.time = time
                w.write(packet)
        return out.read()


def pcap_inputs():
    plain = capture(PcapWriter)
    yield "usec", plain
    yield "nsec", capture(PcapWriter, nano=True)
    yield "big-endian", capture(PcapWriter, endianness=">")
    yield "ng", capture(PcapNgWriter)
    yield "sll", capture(PcapWriter, linktype=113)
    yield "unknown-link", capture(PcapWriter, linktype=0x7777)
    yield "header-only", plain[:24]
    yield "header-cut", plain[:20]
    yield "record-cut", plain[:-1]
    yield "empty-frame", plain + bytes(16)
    yield "snapped", plain + struct.pack("<IIII", 1, 2, 14, 60) + bytes(14)
    yield "huge", plain + struct.pack("<IIII", 1, 2, 0x7fffffff, 0x7fffffff)
    yield "far-future", plain + struct.pack("<IIII", 0xffffffff, 0xffffffff,
                                            14, 14) + bytes(14)
    yield "many", plain + (struct.pack("<IIII", 9, 2, 14, 14)
                           + bytes(14)) * 40
    yield "text", b"no capture file\n"


def openflow_inputs():
    """Anew: what of_seeds names depends on what there is."""
    corpus = os.path.join(HERE, "corpus")
    for target in ("of_message", "of_reply", "of_session"):
        os.makedirs(os.path.join(corpus, target), exist_ok=True)
        for old in glob.glob(os.path.join(corpus, target, "seed-*")):
            os.unlink(old)
    subprocess.run([os.path.join(HERE, "..", "..", "build", "tests",
                                 "of_seeds"), corpus], check=True)


def flow_text_inputs():
    """What Open vSwitch adds, each argument once."""
    yield "ct", (b"atcp,actions=ct(commit,force,table=3,zone=reg0[0..15],"
                 b"alg=ftp,nat(src=10.0.0.1-10.0.0.9:5-7,persistent,random),"
                 b"exec(set_field:5->ct_mark,move:reg0[]->ct_mark[]))")
    yield "nat6", (b"aipv6,actions=ct(commit,nat(dst=[fe80::1]-[fe80::9]:80,"
                   b"hash),zone=7),ct(nat),ct_clear,ct()")
    yield "nat-port", b"audp,actions=ct(commit,alg=tftp,nat(src=:5))"
    yield "nat-bad", b"aip,actions=ct(commit,nat(src=1.2.3.4-fe80::1,what))"
    yield "ct-bad", b"aip,actions=ct(zone=reg0[0..3]),ct(exec),ct:5"
    yield "controller", (b"pcontroller(max_len=5,reason=group,id=7,"
                         b"userdata=01.02ff,pause,meter_id=3)")
    yield "backbone", (b"apbb,pbb_isid=5/0xf,pbb_uca=1,actions=pop_pbb,"
                       b"push_pbb:0x88e7,set_field:7->pbb_isid")
    yield "extension-headers", b"aipv6,ipv6_exthdr=+hop-unseq,actions=drop"
    yield "trigger", (b"aip,actions=stat_trigger(packets=5,bytes=7,duration="
                      b"1.25,periodic,only_first),output:3")
    yield "trigger-bad", b"aip,actions=stat_trigger(duration=1.x),stat_trigger()"
    yield "enqueue", b"penqueue:3:4,enqueue(local,5),dec_ttl(1,2,3)"
    yield "options", (b"atun_metadata0=5/0xf,actions=delete_field:"
                      b"tun_metadata3,resubmit(1,2,ct),set_tunnel64:5")
    group = b"ggroup_id=5,type=select,"
    bucket = b",bucket=weight:3,actions=output:1"
    yield "hash", (group + b"selection_method=hash,selection_method_param=7,"
                   b"fields(eth_dst,ip_src=255.255.0.0,tcp_dst)" + bucket)
    yield "hash-word", (group + b"selection_method=hash,fields=eth_dst"
                        + bucket)
    yield "dp_hash", group + b"selection_method=dp_hash" + bucket
    yield "hash-bad", group + b"selection_method=sum,fields(what)" + bucket
    yield "fields-bad", group + b"selection_method=hash,fields(what)" + bucket
    yield "mask-bad", (group + b"selection_method=hash,fields(eth_dst=5)"
                       + bucket)
    yield "param-alone", group + b"selection_method_param=7" + bucket
    yield "fields-alone", group + b"fields(eth_dst)" + bucket


def dns_records():
    """One answer with every kind of rdata that has names in it."""
    name = "www.example.org"
    return [DNSRR(rrname=name, type="CNAME", rdata="web.example.net", ttl=30),
            DNSRR(rrname="web.example.net", type="A", rdata="192.0.2.1"),
            DNSRR(rrname="web.example.net", type="AAAA", rdata="2001:db8::1"),
            DNSRRMX(rrname=name, preference=5, exchange="mx.example.org"),
            DNSRRSRV(rrname=name, target="a.example.org", port=5),
            DNSRR(rrname="example.org", type="DNAME", rdata="example.net"),
            DNSRR(rrname=name, type="TXT", rdata=b"text"),
            DNSRR(rrname=name, type="PTR", rdata="x.example.org")]


def dns_soa():
    return DNSRRSOA(rrname="example.org", mname="ns.example.org",
                    rname="host.example.org", minimum=60, ttl=60)


def chain(records):
    result = None
    for record in records:
        result = result / record if result else record
    return result


def dns_inputs():
    question = DNSQR(qname="www.example.org", qtype="A")
    opt = DNSRROPT(rclass=1232, z=0x8000)
    yield "query", DNS(id=7, rd=1, qd=question)
    yield "query-edns", DNS(id=7, rd=1, qd=question, ar=opt)
    yield "query-two-opts", DNS(id=7, rd=1, qd=question, ar=opt / opt)
    yield "query-opt-early", DNS(id=7, rd=1, qd=question, an=opt)
    yield "query-two", DNS(id=7, qd=question / question)
    yield "query-root", DNS(id=7, qd=DNSQR(qname=".", qtype="NS"))
    yield "query-odd", DNS(id=7, qd=DNSQR(qname=b"\x04a b\\\x00"))
    yield "answer", DNS(id=7, qr=1, qd=question, an=chain(dns_records()),
                        ns=dns_soa(), ar=opt)
    yield "negative", DNS(id=7, qr=1, rcode=3, qd=question, ns=dns_soa())


def dns_raw_inputs():
    for name, message in dns_inputs():
        data = bytes(message)
        yield name, b"\xff" + data
        yield name + "-small", b"\0" + data
    question = b"\0\7\x80\0\0\1\0\1\0\0\0\0\3www\0\0\1\0\1"
    record = b"\xc0\x0c\0\x01\0\1\0\0\0\5"
    yield "pointer", b"\xff" + question + record + b"\0\4abcd"
    yield "pointer-loop", b"\xff" + question + b"\xc0\x15" + record[2:]
    yield "bad-soa", (b"\xff" + question + b"\xc0\x0c\0\6" + record[4:]
                      + b"\0\2\0\0")
    yield "bad-mx", (b"\xff" + question + b"\xc0\x0c\0\x0f" + record[4:]
                     + b"\0\1a")
    yield "many", (b"\0" + question[:6] + b"\0\x40" + question[8:]
                   + (record + b"\0\4abcd") * 64)


def said(what, how, data=b""):
    return bytes([what, how, len(data)]) + data


def dns_conversations():
    """Programs for dns_forward_fuzz.c."""
    raw, query, answer, good_answer, wait, upstreams, zone = range(7)
    a = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4abcd"
    soa = (b"\xc0\x10\0\6\0\1\0\0\0\x3c\0\x18\xc0\x10\xc0\x10"
           + bytes(19) + b"\x3c")
    cname = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x10"
    www = bytes([5, 1, 0, 64])
    ok = good_answer, 0
    for name, message in dns_inputs():
        yield "raw-" + name, said(raw, 0, bytes(message)[:255])
    for i in range(8):
        for kind in (1, 2, 6, 12, 16, 28, 251, 255):
            yield ("ask-%d-%d" % (i, kind),
                   said(query, 0, bytes([i, kind, 8 * (i & 1), 255]))
                   + said(*ok, b"\0\0\1\0\0" + a))
    yield "class", said(query, 0, bytes([0, 1, 1, 1]))
    yield "cached", (said(query, 0, www) + said(*ok, b"\0\0\1\0\0" + a)
                     + said(query, 0, www) + said(wait, 255)
                     + said(query, 1, www) + said(query, 0, www))
    yield "joined", (said(query, 0, www) + said(query, 2, www)
                     + said(query, 0, www)
                     + said(*ok, b"\0\0\1\0\0" + a))
    yield "chain", (said(query, 0, www)
                    + said(*ok, b"\0\0\2\1\1" + cname
                           + b"\xc0\x2d" + a[2:] + soa + a))
    yield "negative", (said(query, 0, www) + said(*ok, b"\0\3\0\1\0" + soa)
                       + said(query, 0, www))
    yield "dnssec", (said(query, 0, bytes([5, 1, 28, 255]))
                     + said(*ok, b"\0\x20\2\2\0" + a + b"\xc0\x10\0\x2e"
                            + a[4:] + soa + b"\xc0\x10\0\x2f" + a[4:])
                     + said(query, 0, bytes([5, 1, 28, 255])))
    yield "dname", (said(query, 0, www)
                    + said(*ok, b"\0\0\2\0\0\xc0\x10\0\x27" + cname[4:]
                           + a))
    yield "extended", (said(query, 0, www)
                       + said(*ok, b"\0\0\0\0\1\0\0\x29\4\0\1\0\0\0\0\0"))
    yield "class-record", (said(query, 0, www)
                           + said(*ok, b"\0\0\1\0\0\xc0\x0c\0\1\0\3" + a[6:]))
    yield "bad", said(query, 0, www) + said(*ok, b"\0\0\1\0\0" + a[:9])
    yield "retried", (said(query, 0, www) + said(*ok, b"\0\2\0\0\0")
                      + said(*ok, b"\0\5\0\0\0") + said(*ok, b"\0\2\0\0\0"))
    yield "silence", (said(query, 0, www) + said(wait, 31) + said(wait, 31)
                      + said(wait, 31))
    yield "late", (said(query, 0, www) + said(wait, 31)
                   + said(good_answer, 1, b"\0\0\1\0\0" + a))
    yield "stray", said(answer, 0, bytes(20)) + said(answer, 0, bytes(5))
    yield "full", b"".join(said(query, 2 * port, bytes([4 + i, t, 0, 3]))
                           for port in range(4) for i in range(2)
                           for t in range(1, 4))
    yield "quota", b"".join(said(query, 0, bytes([4 + i, t, 0, k]))
                            for i in range(2) for t in range(1, 2)
                            for k in range(4))
    yield "nobody", (said(query, 0, www) + said(upstreams, 0)
                     + said(query, 0, bytes([4, 1, 0, 1])) + said(wait, 31)
                     + said(upstreams, 3) + said(query, 0, www))
    yield "zone", b"".join(
        [said(zone, 5, bytes([i, i]) + b"host%d" % i) for i in range(40)]
        + [said(zone, 21, b"\0\0host7"), said(zone, 5, b"\0\0a b"),
           said(raw, 0, bytes(DNS(qd=DNSQR(qname="host3.blue.weft")))),
           said(raw, 0, bytes(DNS(qd=DNSQR(qname="3.0.1.10.in-addr.arpa",
                                           qtype="PTR")))),
           said(raw, 0, bytes(DNS(qd=DNSQR(
               qname=".".join("3" + "0" * 29 + "df") + ".ip6.arpa",
               qtype="PTR"))))])
    for i, text in enumerate(["1.10.in-addr.arpa", "x.0.1.10.in-addr.arpa",
                              "1.5.0.1.10.in-addr.arpa", "0.d.f.ip6.arpa",
                              "g.ip6.arpa", "00.ip6.arpa", "in-addr.arpa",
                              "300.in-addr.arpa", "05.in-addr.arpa"]):
        yield ("reverse-%d" % i,
               said(raw, 0, bytes(DNS(qd=DNSQR(qname=text, qtype="PTR")))))


def intent_inputs():
    """Anew, like openflow_inputs(); and the examples."""
    folder = os.path.join(HERE, "corpus", "intent")
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(os.path.join(folder, "seed-*")):
        os.unlink(old)
    for test in ("parse", "value", "validate", "export"):
        subprocess.run([os.path.join(HERE, "..", "..", "build", "tests",
                                     "intent_%s_test" % test)], check=True,
                       env=dict(os.environ, WEFT_WRITE_CORPUS=folder),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for path in glob.glob(os.path.join(HERE, "..", "..", "examples",
                                       "*.yaml")):
        with open(path, "rb") as f:
            write("intent", "seed-" + os.path.basename(path)[:-5], f.read())
    for name, text in {
            "json": '{"version": 1, "networks": {"a": {"mtu": 1500, "dns": '
                    '["10.0.0.1"], "dhcp": false}, "b": null}, "ports": {"p": '
                    '{"network": "a", "tap": "x", "isolated": true}}}',
            "json-list": '[1, {"": 2}]',
            "json-empty-key": '{"version": 1, "": 2}',
            "json-real": '{"version": 1.5}',
            "json-nul": '{"version": "\\u0000"}',
            "json-deep": "[" * 20 + "]" * 20}.items():
        write("intent", "seed-" + name, text.encode())


def dhcp_inputs():
    options = bytes([53, 1, 1, 52, 1, 3, 55, 2, 1, 3, 82, 4, 1, 2, 97, 98,
                     82, 6, 5, 4, 10, 0, 0, 0])
    yield "options", bytes([0]) + options + b"\xff"
    yield "options-again", bytes([8]) + options
    yield "options-cut", bytes([0]) + options + bytes([61, 9, 1])
    yield "many", bytes([0]) + b"".join(bytes([i, 30]) + bytes(30)
                                        for i in range(60, 90))
    yield "relay", bytes([0]) + bytes([82, 255]) + bytes(255) + bytes([82, 99])
    message = IP() / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(
        options=[("message-type", "discover"), "end"])
    yield "message", bytes([4]) + bytes(message[BOOTP])
    record = struct.pack(">BB4sQ6s", 1, 1, bytes([10, 0, 0, 5]), 2000,
                         bytes([2, 0, 0, 0, 0, 1]))
    yield "record", bytes([2]) + record + b"\2p0\4host\3\1ab"
    yield "record-declined", (bytes([2]) + record[:1] + b"\3" + record[2:]
                              + bytes(3))
    lease = bytes([0, 1, 8, 1, 0, 3, 0x30, 1])
    yield "lives", bytes([1]) + b"".join(
        bytes([i << 4]) + lease[1:4] + bytes([i << 4]) + lease[5:]
        for i in range(8)) * 3
    # All discover in a hurry; the store is slow, and fails.
    rapid = b"".join(bytes([i << 4, 1, 0, 3]) for i in range(8))
    yield "store", (bytes([1]) + rapid + bytes([0x4a]) + rapid
                    + bytes([0x3d, 0x43]) + rapid + bytes([0x8a, 0x4f, 0x8f]))
    # Names: with a domain and without, of ports and of nested guests.
    named = b"".join(bytes([i << 4, 1, 0, flags]) for i in range(8)
                     for flags in (0x42, 0x62))
    yield "names", bytes([1]) + named + bytes([0x5f]) + named
    yield "ranges", bytes([1]) + rapid + bytes([0x5f, 11, 255, 11, 255, 0x4f,
                                                0x5f]) + rapid


def dhcp6_inputs():
    duid = DHCP6OptClientId(duid=DUID_LL(lladdr="02:00:00:00:00:01"))
    message = (DHCP6_Solicit(trid=1) / duid / DHCP6OptOptReq(reqopts=[23, 24])
               / DHCP6OptIA_NA(iaid=1, ianaopts=[
                   DHCP6OptIAAddress(addr="fd00::5")])
               / DHCP6OptIA_PD(iaid=2))
    relayed = (DHCP6_RelayForward(linkaddr="fd00::1", peeraddr="fe80::1")
               / DHCP6OptIfaceId(ifaceid=b"eth0")
               / DHCP6OptRelayMsg(message=message))
    yield "message", bytes([0]) + bytes(message)
    yield "relayed", bytes([0]) + bytes(relayed)
    twice = DHCP6_RelayForward(hopcount=1) / DHCP6OptRelayMsg(message=relayed)
    yield "datagrams", bytes([1]) + b"".join(
        bytes([0x0e, len(bytes(m))]) + bytes(m)
        for m in (message, relayed, twice))
    record = struct.pack(">BB16sQ6sI", 1, 1, bytes([0xfd] + [0] * 14 + [5]),
                         2000, bytes([2, 0, 0, 0, 0, 1]), 7)
    yield "record", bytes([2]) + record + b"\2p0\4host\4\0\3ab"
    yield "record-declined", (bytes([2]) + record[:1] + b"\3" + record[2:]
                              + b"\2p0\0\0")
    # Solicit, Request, Renew, Confirm, Release, Decline of all clients; then
    # the store fails, a port dies, the daemon starts anew.
    lives = b"".join(
        bytes([i << 4, 1, 13, 0, i << 4, 3, 27, 0, i << 4, 5, 27, 16,
               i << 4, 4, 1, 21, i << 4, 6, 9, 16, i << 4, 11, 8, 0])
        for i in range(8))
    ends = b"".join(bytes([i << 4, 3, 3, 0, i << 4, 8 + i % 2, 3, 16])
                    for i in range(8))
    yield "lives", bytes([1]) + lives + ends
    yield "plans", (bytes([1]) + lives + bytes([0x4a]) + lives
                    + bytes([0x4a, 0x3c, 0x0b, 255, 0x0b, 255, 0x0d, 0x0f])
                    + lives)
    named = b"".join(bytes([i << 4, 3, 11 + 16 * (i % 2), 32, i << 4, 3, 3,
                            32]) for i in range(8))
    yield "names", bytes([1]) + named + bytes([0x0b, 255, 0x0b, 255, 0x0d])
    yield "refused", bytes([1]) + b"".join(
        bytes([i << 4, 1 + i, 33 + i * 32 & 255, 128 + i]) for i in range(8))


def membership_inputs():
    for i, row in enumerate(make_membership_frames.FRAMES):
        yield "seed-%02d" % i, bytes([i % 8]) + bytes(row[1])


def path_frame(kind, size, length, magic=b"weFt", version=1):
    head = struct.pack(">6s6sH4sBBHQB", b"\2path\0", b"\2path\0", 0x88b5,
                       magic, version, kind, size, 0, 1)
    return head + bytes(14 + length - len(head))


def path_probe_inputs():
    """A frame, and behind it which sizes of each round are answered; the first
    two bytes are the size that is wanted, too."""
    yield "ask", path_frame(1, 200, 200)
    yield "cut", path_frame(1, 200, 199)
    yield "answer", path_frame(2, 1450, 46)
    yield "foreign", path_frame(2, 1450, 46, magic=b"WeFt")
    yield "newer", path_frame(1, 46, 46, version=2)
    yield "other", path_frame(3, 46, 46)
    jumbo = struct.pack(">H", 8950)
    yield "fits", jumbo + b"\3\0" * 8
    yield "search", jumbo + b"\1\0" * 4 + b"\x0d\0\x3d\0\1\0" * 6 \
        + b"\3\0"
    yield "shrinks", jumbo + b"\3\0" * 3 + b"\1\0" * 24 + b"\5\0" * 2 \
        + b"\1\0" * 4 + b"\xff\xff"
    yield "down", jumbo + bytes(12) + b"\1\0" * 6 + bytes(8)
    yield "tiny", b"\0\0" + b"\1\0" * 6


def lacp_frame(partner_state, knows_us=True):
    """An LACPDU of a partner of the target's link 0."""
    us = struct.pack(">H6sHHHB3x", 0x8000, bytes([2, 0, 0, 0, 0, 1]), 7,
                     0x8000, 5, 0x3d) if knows_us else bytes(18)
    actor = struct.pack(">H6sHHHB3x", 1, bytes([2, 0, 0, 0, 0, 9]), 3, 4, 5,
                        partner_state)
    return (b"\x01\x80\xc2\0\0\2\2\0\0\0\0\x09\x88\x09\1\1"
            + bytes([1, 20]) + actor + bytes([2, 20]) + us
            + bytes([3, 16]) + bytes(66))


def lacp_inputs():
    marker = (lacp_frame(0)[:14] + b"\2\1\1\x10\0\5\2\0\0\0\0\x09"
              + bytes(98))
    for i, state in enumerate((0x3d, 0x3f, 0x05, 0x0d, 0x39, 0xc7)):
        yield "agreed-%d" % i, bytes([0x1f & 5 * i]) + lacp_frame(state)
    yield "stranger", b"\x0c" + lacp_frame(0x3f, knows_us=False)
    yield "passive", b"\x13" + lacp_frame(0x3c)
    yield "marker", b"\x0d" + marker
    yield "cut", b"\x01" + lacp_frame(0x3f)[:50]
    yield "cut-marker", b"\x01" + marker[:60]
    yield "foreign", b"\x01" + b"\xff" * 60


def tracked(*steps):
    """Steps of conntrack_fuzz: (flags, how, IP packet or None)."""
    return b"".join(bytes([flags, how]) + (
        b"" if packet is None else bytes([len(bytes(packet))])
        + bytes(packet)) for flags, how, packet in steps)


def conntrack_inputs():
    commit, again, turn, wait, mark, sweep = 1, 16, 32, 4, 64, 128
    bare, src, dst = 1, 2, 3
    syn = IP4 / TCP(sport=1, dport=2, flags="S", seq=5,
                    options=[("WScale", 3)])
    ack = IP4 / TCP(sport=1, dport=2, flags="A", seq=6, ack=1) / Raw(b"x" * 9)
    udp = IP4 / UDP(sport=5, dport=6) / Raw(b"hello")
    echo = IP4 / ICMP(type=8, id=7)
    gone = IP(src="10.0.0.9", dst="198.51.100.1") / ICMP(type=3, code=3) \
        / IP(src="198.51.100.1", dst="10.0.0.2") / UDP(sport=5, dport=6)
    big = IP(src="10.0.0.1", dst="10.0.0.2", id=9) / UDP(sport=5, dport=6) \
        / Raw(bytes(300))
    first, second = IP(bytes(big)).fragment(fragsize=160)[:2]
    init = IP4 / SCTP(sport=1, dport=2) / Raw(
        bytes([1, 0, 0, 20]) + bytes(15) + b"7")
    yield "tcp", tracked((commit | mark, src, syn), (again | turn, bare, None),
                         (0, bare, ack), (commit, 0, ack), (sweep, 0, udp))
    yield "udp", tracked((commit, src, udp), (again | turn, bare, None),
                         (again, bare, None), (8 | sweep, bare, udp))
    yield "dst", tracked((commit, dst | 32, udp), (again | turn, bare, None))
    yield "echo", tracked((commit, src, echo), (again | turn, bare, None))
    yield "error", tracked((commit, src, udp), (0, bare, gone))
    yield "fragments", tracked((wait, 0, second), (commit, src, first),
                               (0, bare, second), (0, bare, first))
    yield "sctp", tracked((commit, src, init), (again | turn, bare, None))
    yield "ip6", tracked(
        (commit, src | 8, IP6 / UDP(sport=5, dport=6)),
        (again | turn, bare, None),
        (0, 0, IP6 / IPv6ExtHdrFragment(offset=2) / Raw(b"12345678")),
        (commit, src | 8, IP6 / ICMPv6EchoRequest(id=3)))
    yield "hairpin", tracked(
        (commit, src, udp),
        (0, bare, IP(src="10.0.0.3", dst="198.51.100.1")
         / UDP(sport=9, dport=5)), (commit | again, src, None))


def fragment(ident, first, units, more=True, zone=0, how=0, odd=0, wait=0):
    """A step of fragments_fuzz."""
    return bytes([ident | zone << 3 | wait, first, units - 1 | more << 5 | how,
                  odd])


def fragments_inputs():
    nat, long = 0x40, 0xc0
    a = fragment(1, 0, 10, how=nat, odd=0x80)
    b, c = fragment(1, 10, 10, how=nat), fragment(1, 20, 3, False, odd=5)
    yield "in-order", a + b + c
    yield "last-first", c + b + a + fragment(1, 0, 2)
    yield "overlap", a + fragment(1, 5, 10) + b + c
    yield "twice", a + a + b + b + c
    yield "too-late", b + fragment(1, 0, 10, wait=long) + c
    yield "never", b"".join(fragment(i, 20 + k * 2, 1, zone=z)
                            for z in range(3) for i in range(8)
                            for k in range(10))
    yield "outside", a + fragment(2, 0, 10, zone=2, how=nat) \
        + fragment(2, 10, 1, False, zone=3, how=nat)
    yield "beyond", fragment(1, 255, 32) + fragment(1, 255, 32, False)


def icmp_inside_inputs():
    e4, x4, a4 = "198.51.100.1", "203.0.113.5", "10.0.0.1"
    e6, x6, a6 = "2001:db8:100::1", "2001:db8::5", "fd00::1"
    ports = {"sport": 5000, "dport": 53}
    kinds = [("udp", lambda: UDP(**ports) / Raw(b"x" * 9)),
             ("tcp", lambda: TCP(**ports)),
             ("sctp", lambda: SCTP(**ports) / Raw(bytes(16)))]
    for name, l4 in kinds:
        for wrap, e, x, a, flag in ((IP, e4, x4, a4, 0),
                                    (IPv6, e6, x6, a6, 1)):
            kind = bytes([1 if flag else 3, 1])
            sent = bytes(wrap(src=e, dst=x) / l4())
            came = bytes(wrap(src=x, dst=a) / l4())
            came = came[:-len(bytes(l4()))] + swapped(bytes(l4()))
            yield "%s-%d" % (name, flag), bytes([flag]) + kind + sent
            yield "%s-back-%d" % (name, flag), bytes([flag | 2]) + kind + came
            yield "%s-cut-%d" % (name, flag), bytes([flag]) + kind \
                + sent[:-len(bytes(l4())) + 8]
    yield "ping", b"\0\x0b\0" + bytes(IP(src=e4, dst=x4)
                                      / ICMP(type=8, id=5000))
    yield "ping6", b"\1\3\0" + bytes(IPv6(src=e6, dst=x6)
                                     / ICMPv6EchoRequest(id=5000))
    yield "gre", b"\0\3\2" + bytes(IP(src=e4, dst=x4, proto=47)
                                   / Raw(bytes(8)))
    yield "options", b"\0\3\1" + bytes(IP(src=e4, dst=x4,
                                          options=IPOption(b"\1\1\1\0"))
                                       / UDP(**ports))
    yield "extensions", b"\1\1\0" + bytes(
        IPv6(src=e6, dst=x6) / IPv6ExtHdrDestOpt() / UDP(**ports))
    yield "an-error-inside", b"\0\3\1" + bytes(
        IP(src=e4, dst=x4) / ICMP(type=3) / IP(src=x4, dst=e4) / UDP(**ports))
    yield "echo", b"\x10\x08\0" + bytes(20)
    yield "wrong-sum", b"\4\3\1" + bytes(IP(src=e4, dst=x4) / UDP(**ports))


def encap_inputs():
    """Behind the byte that says which: vxlan, geneve, gre."""
    frame = bytes(ETHER / IP4 / UDP() / Raw(b"x" * 18))
    vni = struct.pack(">I", 5001 << 8)
    option, critical = b"\1\2\3\1abcd", b"\1\2\x84\4" + bytes(16)
    yield "vxlan", b"\0\x08\0\0\0" + vni + frame
    yield "vxlan-no-vni", b"\0\0\0\0\0" + vni + frame
    for name, options in (("bare", b""), ("option", option),
                          ("critical", critical), ("two", option + critical),
                          ("empty", b"\1\2\3\0")):
        yield "geneve-" + name, bytes([1, len(options) // 4]) \
            + b"\x40\x65\x58" + vni + options + frame
    yield "geneve-long", b"\1\x01\0\x65\x58" + vni + b"\1\2\3\5abcd"
    for flags, words in ((0, 0), (0x2000, 1), (0x1000, 1), (0x3000, 2),
                         (0x0800, 0), (1, 0)):
        yield "gre-%04x" % flags, b"\2" + struct.pack(">HH", flags, 0x6558) \
            + bytes(4 * words) + frame
    summed = struct.pack(">HHHHI", 0xa000, 0x6558, 0, 0, 77) + frame
    yield "gre-sum", b"\2" + summed[:4] + struct.pack(
        ">H", checksum(summed)) + summed[6:]
    yield "gre-wrong-sum", b"\2" + summed


def outer_inputs():
    """A tunnel's frames, and what looks like them."""
    for name, ip in (("ip4", IP4), ("ip6", IP6)):
        frame = ETHER / ip / UDP(sport=50000, dport=4789) / Raw(b"x" * 40)
        yield name + "-udp", bytes(frame)
        yield name + "-padded", bytes(frame) + bytes(9)
        frame[UDP].chksum = 0
        yield name + "-no-sum", bytes(frame)
        yield name + "-cut", bytes(frame)[:-10]
        ip = ip.copy()
        setattr(ip, "proto" if name == "ip4" else "nh", 47)
        yield name + "-gre", bytes(ETHER / ip / Raw(b"\x20\0\x65\x58" * 9))
    yield "fragment", bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2",
                                       flags="MF") / UDP())
    yield "options", bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2",
                                      options=IPOption(b"\1\1\1\0")) / UDP())
    yield "tagged", bytes(ETHER / Dot1Q(vlan=5) / IP4 / UDP())
    yield "mapped", bytes(ETHER / IPv6(src="fd00::1", dst="::ffff:10.0.0.1")
                          / UDP())


def coalesce_inputs():
    """Streams, each frame behind its length."""
    def stream(network, steps, **tcp):
        seq, out = 1000, b""
        for i, (size, flags) in enumerate(steps):
            packet = ETHER / network(i) / TCP(seq=seq, ack=7, flags=flags,
                                              **tcp) / Raw(b"x" * size)
            seq += size
            out += struct.pack("!H", len(packet)) + bytes(packet)
        return out

    def ip4(i):
        return IP(src="10.0.0.1", dst="10.0.0.2", id=50 + i)

    whole = [(100, "A")] * 3 + [(40, "PA")]
    options = [("Timestamp", (1, 2)), ("NOP", None), ("NOP", None)]
    yield "ip4", stream(ip4, whole)
    yield "ip4-df", stream(lambda i: IP(src="10.0.0.1", dst="10.0.0.2", id=0,
                                        flags="DF"), whole, options=options)
    yield "ip6", stream(lambda i: IP6, whole, options=options)
    yield "tagged", b"".join(
        struct.pack("!H", len(f)) + bytes(f) for f in (
            ETHER / Dot1Q(vlan=5) / ip4(i)
            / TCP(seq=1 + 9 * i, flags="A") / Raw(b"y" * 9)
            for i in range(4)))
    yield "ends", stream(ip4, [(10, "A"), (10, "PA"), (10, "A"), (10, "FA"),
                               (10, "SA"), (0, "A"), (20, "A")])
    yield "large", stream(ip4, [(1000, "A")] * 3)
    # Sums of the pseudo-header only, as a NIC would be given them.
    owed = [bytearray(bytes(ETHER / ip4(i) / TCP(seq=1 + 9 * i, flags="A")
                            / Raw(b"w" * 9))) for i in range(3)]
    for frame in owed:
        pseudo = frame[26:34] + b"\0\6" + struct.pack(">H", len(frame) - 34)
        frame[50:52] = struct.pack(">H", checksum(pseudo) ^ 0xffff)
    yield "owed", b"".join(struct.pack("!H", len(f)) + f for f in owed)
    yield "no-version", stream(lambda i: IP6, [(30, "A")] * 3).replace(
        b"\x86\xdd\x60", b"\x86\xdd\x40")
    yield "udp", struct.pack("!H", 56) + bytes(ETHER / IP4 / UDP()
                                               / Raw(b"z" * 14))


def swapped(l4):
    return l4[2:4] + l4[:2] + l4[4:]


def record(family, proto, nat, flags, src, dst, to, back):
    """One connection of snapshot_fuzz: addresses and ports of both ways."""
    def tuple_of(a, b):
        return a[0].ljust(16, b"\0") + b[0].ljust(16, b"\0") \
            + struct.pack(">HH", a[1], b[1])
    data = struct.pack(">BBHBBHQ", family, proto, 3, flags, nat, 0, 60000) \
        + tuple_of(src, dst) + tuple_of(to, back)
    return data.ljust(160, b"\0")


def snapshot_inputs():
    a, b, e = b"\x0a\0\0\1", b"\x0a\0\0\2", b"\xc6\x33\x64\1"
    six = b"\xfd".ljust(15, b"\0")
    plain = record(4, 17, 0, 1, (a, 5), (b, 6), (b, 6), (a, 5))
    nat = record(4, 17, 0x40, 3, (a, 5), (b, 6), (b, 6), (e, 5))
    back = record(4, 17, 0x80, 2, (b, 9), (e, 7), (a, 7), (b, 9))
    ip6 = record(6, 6, 0, 0, (six + b"1", 1), (six + b"2", 2),
                 (six + b"2", 2), (six + b"1", 1))
    yield "all", plain + nat + back + ip6
    yield "twice", nat + nat


def main():
    for name, data in dhcp_inputs():
        write("dhcp", "seed-" + name, data)
    for name, data in dhcp6_inputs():
        write("dhcp6", "seed-" + name, data)
    for name, data in dns_raw_inputs():
        write("dns", name, data)
    for name, data in dns_conversations():
        write("dns_forward", name, data)
    for name, data in flow_text_inputs():
        write("flow_text", "seed-" + name, data)
    for name, data in lacp_inputs():
        write("lacp", name, data)
    for name, data in path_probe_inputs():
        write("path_probe", name, data)
    for name, data in membership_inputs():
        write("membership", name, data)
    for name, data in conntrack_inputs():
        write("conntrack", name, data)
    for name, data in fragments_inputs():
        write("fragments", name, data)
    for name, data in icmp_inside_inputs():
        write("icmp_inside", name, data)
    for name, data in coalesce_inputs():
        write("coalesce", name, data)
    for name, data in encap_inputs():
        write("encap", name, data)
    for name, data in outer_inputs():
        write("outer", name, data)
    for name, data in snapshot_inputs():
        write("snapshot", name, data)
    for name, data in routing_inputs():
        write("routing", "seed-" + name, data)
    for name, data in offload_inputs():
        write("offload", name, data)
    for name, data in pcap_inputs():
        write("pcap", name, data)
    openflow_inputs()
    intent_inputs()


main()
