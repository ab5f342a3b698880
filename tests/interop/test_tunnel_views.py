"""Tunnel ports and scapy read the same in the same packets.

Random packets of all tunnels, outer IPv4 and IPv6, any frame inside, some of them
wrong in some way, come by a device to real tunnel ports (tunnel_views.c); what
they make of each has to be what scapy sees in it and the RFCs make of that.  What
they send back, scapy has to read in turn.

    ./dev test net -- tests/interop/test_tunnel_views.py        a few
    ./dev views 1048576                                         many
    WEFT_TUNNEL_SEED=7 ./dev views 4096                         those again

The seed is drawn, and printed when a packet is seen differently."""

import fcntl
import os
import random
import struct
import subprocess
import tempfile
from itertools import islice

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.utils import checksum

import tunnel_frames
from tunnel_inner import WORDS_SIZE, Inner, read_key
from tunnel_scapy import FRAME, NAMES, NOTHING, REASON, View, packed

N_PACKETS = int(os.environ.get("WEFT_TUNNEL_VIEWS", 1 << 12))
CHUNK = 1 << 13
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
OURS = tunnel_frames.OURS
UDP_PORTS = tunnel_frames.UDP_PORTS
REQUEST = "=IBBBx"
ANSWER = "=BBBBBBBBHHHHQ16s16s%ds32sII" % WORDS_SIZE
ANSWER_FIELDS = ("verdict port family tos ttl n_options is_owed "
                 "has_unknown_critical flags l3_ofs l4_ofs pad_len id src dst "
                 "key metadata len sent_len").split()
FLAGS = {"oam": 1, "df": 2, "csum": 4, "key": 8}


class Port:
    """One of the tool's; `remote` and `key` None: left to the flow, key "":
    none at all."""

    def __init__(self, kind, family, remote=None, key=None, flow=False,
                 csum=None, seq=False):
        self.kind, self.family, self.remote = kind, family, remote
        self.key, self.flow, self.seq = key, flow, seq
        self.csum = kind != "gre" if csum is None else csum
        self.last_seq = None
        self.n_sent = 0

    def __str__(self):
        return "%s:local=%s,remote=%s%s%s%s%s" % (
            self.kind, OURS[self.family],
            self.remote or "flow",
            "" if self.key == "" else ",key=%s" % (
                "flow" if self.key is None else self.key),
            ",csum=%s" % ("yes" if self.csum else "no"),
            ",seq=yes" if self.seq else "",
            ",ttl=flow,tos=flow,df=flow" if self.flow else "")

    def fits(self, view):
        """How well, or None."""
        outer = view.outer
        key = view.key if "key" in view.flags else ""
        if ((self.kind, self.family) != (outer.kind, outer.family)
                or self.remote not in (None, outer.src)
                or self.key not in (None, key)):
            return None
        return 2 * (self.key is not None) + (self.remote is not None)

    def is_in_order(self, seq):
        if not self.seq or seq is None:
            return True
        if (self.last_seq is not None
                and not 0 < (seq - self.last_seq) % (1 << 32) < 1 << 31):
            return False
        self.last_seq = seq
        return True


def ports():
    return [
        Port("vxlan", 4, flow=True), Port("vxlan", 6, csum=False),
        Port("vxlan", 4, remote="192.0.2.9", key=77),
        Port("geneve", 4), Port("geneve", 6, flow=True),
        Port("gre", 4, csum=True), Port("gre", 4, key="", flow=True),
        Port("gre", 6, key=77),
        Port("gre", 6, remote="2001:db8::9", key="", csum=True, seq=True),
    ]


class Disagreement(Exception):
    pass


def same(what, ours, scapys):
    if ours != scapys:
        raise Disagreement("%s: %r here, %r by scapy" % (what, ours, scapys))


# --- One packet -----------------------------------------------------------

class Judge:
    def __init__(self):
        self.ports = ports()
        self.first = None               # The piece that came last.
        self.counts = dict.fromkeys(NAMES, 0)

    def is_second_piece(self, packet):
        """Of one of which the first came just before?"""
        version = packet[0] >> 4
        first, self.first = self.first, None
        if version == 4 and len(packet) >= 20:
            ip = IP(packet)
            known = (4, ip.src, ip.id, ip.proto)
            more, later = ip.flags.MF, ip.frag
            if len(packet) != ip.len or checksum(packet[:4 * ip.ihl]):
                return False
        elif version == 6 and len(packet) >= 48 and packet[6] == 44:
            ip = IPv6(packet)
            if not isinstance(ip.payload, IPv6ExtHdrFragment):
                return False
            known = (6, ip.src, ip.payload.id, ip.payload.nh)
            more, later = ip.payload.m, ip.payload.offset
        else:
            return False
        if more and not later:
            self.first = known
        return bool(later) and not more and first == known

    def judge(self, packet, request, answer, options, frame, sent):
        view = View(packet)
        if view.verdict == NOTHING and self.is_second_piece(packet):
            view.verdict = REASON["fragment"]
        port = inner = None
        if view.verdict == FRAME:
            port, inner, view.verdict = self.receive(view)
        self.counts[NAMES[view.verdict]] += 1
        same("verdict", NAMES[answer["verdict"]], NAMES[view.verdict])
        if view.verdict != FRAME:
            return
        same("port", answer["port"], self.ports.index(port))
        self.compare_tunnel(view, answer, options)
        self.compare_frame(inner, answer, frame)
        self.compare_sent(view, port, inner, request, answer, frame, sent)

    def receive(self, view):
        fitting = [(p.fits(view), p) for p in self.ports
                   if p.fits(view) is not None]
        if not fitting:
            return None, None, REASON["unknown key"]
        port = max(fitting, key=lambda row: row[0])[1]
        if not port.is_in_order(view.seq):
            return port, None, REASON["out of order"]
        if len(view.frame) < 14:
            return port, None, REASON["bad length"]
        inner = Inner(view.frame)
        if inner.is_nested(port.kind, UDP_PORTS.get(port.kind), port.family,
                           view.outer.dst):
            return port, inner, REASON["nested"]
        marked = inner.decapsulated(view.outer.tos)
        if marked is None:
            return port, inner, REASON["congested"]
        if marked != view.frame:
            sum_at = getattr(inner, "sum_at", None)
            inner = Inner(marked)
            inner.sum_at = sum_at
        return port, inner, FRAME

    def compare_tunnel(self, view, answer, options):
        outer = view.outer
        same("family", answer["family"], outer.family)
        same("tos", answer["tos"], outer.tos)
        same("ttl", answer["ttl"], outer.ttl)
        same("source", answer["src"], packed(outer.family, outer.src))
        same("destination", answer["dst"], packed(outer.family, outer.dst))
        same("key", answer["id"], view.key)
        same("flags", answer["flags"], sum(FLAGS[f] for f in view.flags))
        same("options", options, view.options)
        metadata, is_unknown = view.metadata()
        same("unknown critical option", bool(answer["has_unknown_critical"]),
             is_unknown)
        if not is_unknown:
            same("tun_metadata", answer["metadata"], metadata)

    def compare_frame(self, inner, answer, frame):
        scapys = inner.frame
        at = getattr(inner, "sum_at", None)
        if at is not None:              # Wrong before, and after.
            frame = frame[:at] + frame[at + 2:]
            scapys = scapys[:at] + scapys[at + 2:]
        if answer["is_owed"]:           # By chance: what is behind is cut.
            scapys = scapys[:len(frame)]
            inner.pad_len = 0
        same("frame", frame.hex(), scapys.hex())
        key = read_key(answer["key"])
        for name, value in inner.key.items():
            same(name, key[name], value)
        same("l3_ofs", answer["l3_ofs"], inner.l3_ofs)
        if inner.l4_ofs is not None:
            same("l4_ofs", answer["l4_ofs"], inner.l4_ofs)
        same("pad_len", answer["pad_len"], inner.pad_len)

    def compare_sent(self, view, port, inner, request, answer, frame, sent):
        df, ttl, tos = request
        remote = view.outer.src
        if inner.is_nested(port.kind, UDP_PORTS.get(port.kind), port.family,
                           remote):
            return same("what was sent", sent, b"")
        ip = (IP if port.family == 4 else IPv6)(sent)
        same("sent from", ip.src, OURS[port.family])
        same("sent to", ip.dst, remote)
        same("sent ttl", ip.ttl if port.family == 4 else ip.hlim,
             ttl if port.flow and ttl else 64)
        same("sent tos", ip.tos if port.family == 4 else ip.tc,
             (tos & ~3 if port.flow else 0) | inner.tos() & 3)
        if port.family == 4:
            same("sent df", bool(ip.flags.DF), not port.flow or bool(df))
        again = View(sent)
        if answer["is_owed"]:
            return
        same("verdict of what was sent", NAMES[again.verdict],
             NAMES[FRAME])
        same("sent frame", again.frame.hex(), frame.hex())
        same("sent options", again.options, view.options
             if port.kind == "geneve" else b"")
        self.compare_sent_header(view, port, ip, again)

    def compare_sent_header(self, view, port, ip, again):
        tunnel = again.outer.layer
        if port.kind == "gre":
            same("sent flags", again.flags,
                 {name for name, is_there in (("key", port.key != ""),
                                              ("csum", port.csum))
                  if is_there})
            same("sent sequence", again.seq,
                 port.n_sent if port.seq else None)
            port.n_sent += 1
        else:
            udp = again.outer.ip[UDP]
            same("sent checksum", bool(udp.chksum), port.csum)
            same("sent port", udp.dport, UDP_PORTS[port.kind])
        same("sent key", again.key, view.key if port.key is None
             else port.key or 0)
        if port.kind == "vxlan":
            same("sent flags", (int(tunnel.flags), tunnel.reserved1,
                                tunnel.reserved2), (8, 0, 0))
        elif port.kind == "geneve":
            same("sent flags", (tunnel.oam, tunnel.critical, tunnel.reserved,
                                tunnel.reserved2),
                 ("oam" in view.flags,
                  any(o.type & 0x80 for o in view.list), 0, 0))


# --- Many -----------------------------------------------------------------

@pytest.fixture
def device(lab):
    """A device of IP packets in a namespace, and its descriptor."""
    netns = lab.netns("views", ipv6=True)

    def open_device():
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"views0",
                                               IFF_TUN | IFF_NO_PI))
        return fd

    fd = netns.call(open_device)
    netns.sysctl("net/ipv4/conf/all/rp_filter", "0")
    netns.sysctl("net/ipv4/conf/views0/rp_filter", "0")
    netns.run("ip", "link", "set", "views0", "addrgenmode", "none", "mtu",
              "9000", "up")
    for family, length in ((4, 24), (6, 64)):
        netns.run("ip", "addr", "add", "%s/%d" % (OURS[family], length),
                  "dev", "views0", *(["nodad"] if family == 6 else []))
    yield netns, fd
    os.close(fd)


def ask(device, tool, judge, packets, requests):
    """The tool's answers to packets, as (answer, options, frame, sent)."""
    netns, fd = device
    with tempfile.TemporaryFile() as asked, \
            tempfile.TemporaryFile() as answered:
        for packet, (df, ttl, tos) in zip(packets, requests):
            asked.write(struct.pack(REQUEST, len(packet), tos, ttl, df)
                        + packet)
        asked.seek(0)
        subprocess.run(["ip", "netns", "exec", netns.name, tool, str(fd)]
                       + [str(port) for port in judge.ports], stdin=asked,
                       stdout=answered, pass_fds=[fd], check=True,
                       timeout=600)
        answered.seek(0)
        said = answered.read()
    at = 0
    while at < len(said):
        answer = dict(zip(ANSWER_FIELDS, struct.unpack_from(ANSWER, said,
                                                            at)))
        at += struct.calcsize(ANSWER)
        parts = []
        for name in ("n_options", "len", "sent_len"):
            parts.append(said[at:at + answer[name]])
            at += answer[name]
        yield (answer, *parts)


def test_ports_and_scapy_see_the_same(request, device):
    tool = os.path.join(request.config.getoption("--build"), "tests",
                        "tunnel_views")
    seed = int(os.environ.get("WEFT_TUNNEL_SEED",
                              random.randrange(1 << 32)))
    print("seed %d, %d packets" % (seed, N_PACKETS))
    counts = dict.fromkeys(NAMES, 0)
    wrong = []
    for first in range(0, N_PACKETS, CHUNK):
        judge = Judge()
        frames = tunnel_frames.Frames("%d+%d" % (seed, first))
        rng = random.Random(seed + first)
        packets = list(islice(frames, min(CHUNK, N_PACKETS - first)))
        requests = [(rng.randrange(2), rng.randrange(256),
                     rng.randrange(256)) for _ in packets]
        answers = list(ask(device, tool, judge, packets, requests))
        assert len(answers) == len(packets)
        for packet, asked, answer in zip(packets, requests, answers):
            try:
                judge.judge(packet, asked, *answer)
            except (Disagreement, struct.error) as e:
                # Scapy's own troubles with a packet are for a reader, too.
                wrong.append("%s\n    %s" % (e, packet.hex()))
        for name, n in judge.counts.items():
            counts[name] += n
    print(counts)
    assert not wrong, "%d of %d, seed %d:\n%s" % (
        len(wrong), N_PACKETS, seed, "\n".join(wrong[:20]))
    # Everything that may become of a packet became of some.
    assert N_PACKETS < 1 << 12 or all(counts.values()), counts
