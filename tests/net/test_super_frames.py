"""64 KB frames through every edit: whole to a TAP, in segments to a recorder.

      a          b        out.pcap      v          n
      | tap      | tap       |          | veth     | netdev
      1          2           3          4          5
    --+----------+-----------+----------+----------+--  br0

The frame leaves by both ports at once.  The TAP's guest must get it whole, its
checksum still owed; the recorder, which has no offloads, must get segments
that are sound in all that scapy can make anew."""

import os
import struct

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

import weft
from netns import (GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, NEEDS_CSUM, Vnet,
                   eventually)

PCAP_HEADER_LEN = 24
RECORD = struct.Struct("<IIII")         # seconds, fraction, length, original
A, B = "02:00:00:00:00:01", "02:00:00:00:00:02"
GSO_SIZE = 1400
DATA = os.urandom(60000)
N_SEGMENTS = -(-len(DATA) // GSO_SIZE)


class Place:
    """The switch, its guests and the recorder's file."""

    def __init__(self, lab):
        self.lab = lab
        self.path = os.path.join(lab.dir, "out.pcap")
        os.chmod(lab.dir, 0o777)
        lab.start(lab.plug("tap", 1, "a"), lab.plug("tap", 2, "b"),
                  "3=rec=pcap:out=" + self.path,
                  lab.plug("veth", 4, "v"), lab.plug("netdev", 5, "n"),
                  options=("--fail-mode", "secure"))
        self.tx = lab.netns("a").nic("eth0", vnet=True)
        self.rx = lab.netns("b").nic("eth0", vnet=True)
        self.others = {4: lab.netns("v").nic("eth0", vnet=True),
                       5: lab.netns("n").nic("eth0", vnet=True)}
        self.offset = PCAP_HEADER_LEN

    def flow(self, actions):
        self.lab.api("DELETE", "/v1/flows?flow=")
        self.lab.api("POST", "/v1/flows", {
            "command": "add", "flows": [
                "%s,in_port=1,actions=%s" % (match, text)
                for match, text in actions]})

    def recorded(self, n):
        """The next n frames in the file, which is still written."""
        def read():
            with open(self.path, "rb") as f:
                f.seek(self.offset)
                data = f.read()
            frames, at = [], 0
            while len(frames) < n and len(data) - at >= RECORD.size:
                length = RECORD.unpack_from(data, at)[2]
                at += RECORD.size + length
                if at > len(data):
                    break
                frames.append(data[at - length:at])
            return len(frames) == n and (frames, self.offset + at)
        frames, self.offset = eventually(read, "%d frames are recorded" % n)
        return [Ether(raw) for raw in frames]


@pytest.fixture(scope="module")
def place(request):
    lab = weft.Lab(request.config.getoption("--build"))
    try:
        yield Place(lab)
    finally:
        lab.close()


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(int.from_bytes(data[i:i + 2], "big")
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def owed(frame, layer):
    """The frame as a guest's driver hands it over: its checksum is the sum of
    the pseudo-header; and what is owed on it."""
    whole = Ether(bytes(frame))
    start = len(frame) - len(frame[layer])
    offset = 16 if layer is TCP else 6
    header = 20 if layer is TCP else 8
    raw = bytearray(bytes(frame))
    raw[start + offset:start + offset + 2] = b"\0\0"
    # Complete is ~(pseudo + the rest).
    pseudo = ones_sum((0xffff ^ whole[layer].chksum).to_bytes(2, "big")
                      + (0xffff ^ ones_sum(bytes(raw[start:])))
                      .to_bytes(2, "big"))
    raw[start + offset:start + offset + 2] = pseudo.to_bytes(2, "big")
    kind = GSO_UDP_L4 if layer is UDP else (
        GSO_TCPV4 if IP in frame else GSO_TCPV6)
    return bytes(raw), Vnet(NEEDS_CSUM, kind, hdr_len=start + header,
                            gso_size=GSO_SIZE, csum_start=start,
                            csum_offset=offset)


def frame_of(layer, version, tags=(), **changes):
    """A frame with DATA; changes: src, dst (of Ethernet: mac), ttl, tos,
    sport, dport."""
    frame = Ether(src=A, dst=changes.get("mac", B))
    for vid in tags:
        frame = frame / Dot1Q(vlan=vid)
    ttl, tos = changes.get("ttl", 64), changes.get("tos", 0)
    if version == 4:
        frame = frame / IP(src=changes.get("src", "10.0.0.1"), id=7,
                           dst="10.0.0.2", ttl=ttl, tos=tos)
    else:
        frame = frame / IPv6(src=changes.get("src", "fd00::1"),
                             dst="fd00::2", hlim=ttl, tc=tos)
    ports = {"sport": changes.get("sport", 7),
             "dport": changes.get("dport", 8)}
    if layer is TCP:
        ports.update(seq=changes.get("seq", 1000), flags="PA")
    return frame / layer(**ports) / Raw(changes.get("data", DATA))


# (what, actions for IPv4, for IPv6, tags before, tags after, changes)
EDITS = [
    ("none", "", "", (), (), {}),
    ("addresses", "mod_nw_src:192.0.2.1,", "set_field:fd09::1->ipv6_src,",
     (), (), {"src": ("192.0.2.1", "fd09::1")}),
    ("ports", "mod_tp_src:4242,mod_tp_dst:80,",
     "mod_tp_src:4242,mod_tp_dst:80,", (), (), {"sport": 4242, "dport": 80}),
    ("dec_ttl", "dec_ttl,", "dec_ttl,", (), (), {"ttl": 63}),
    ("tos", "mod_nw_tos:184,", "set_field:46->ip_dscp,", (), (),
     {"tos": 0xb8}),
    ("mac", "mod_dl_dst:02:00:00:00:00:09,", "mod_dl_dst:02:00:00:00:00:09,",
     (), (), {"mac": "02:00:00:00:00:09"}),
    ("a-tag", "mod_vlan_vid:5,", "mod_vlan_vid:5,", (), (5,), {}),
    ("tag-popped", "pop_vlan,", "pop_vlan,", (9,), (), {}),
    ("tag-kept", "dec_ttl,", "dec_ttl,", (9,), (9,), {"ttl": 63}),
    ("all", "mod_nw_src:192.0.2.1,mod_tp_dst:80,dec_ttl,mod_vlan_vid:6,",
     "set_field:fd09::1->ipv6_src,mod_tp_dst:80,dec_ttl,mod_vlan_vid:6,",
     (9,), (6,), {"src": ("192.0.2.1", "fd09::1"), "dport": 80, "ttl": 63}),
]


@pytest.mark.parametrize("version", (4, 6))
@pytest.mark.parametrize("layer", (TCP, UDP), ids=("tcp", "udp"))
@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e[0])
def test_a_super_frame_is_edited(place, edit, layer, version):
    _what, v4, v6, before, after, changes = edit
    word = layer.__name__.lower() + ("6" if version == 6 else "")
    changes = {key: value[version == 6] if isinstance(value, tuple) else value
               for key, value in changes.items()}
    place.flow([(word, (v4 if version == 4 else v6) + "output:2,output:3")])
    place.tx.send(*owed(frame_of(layer, version, before), layer))
    came_whole(place, layer, version, after, changes)


@pytest.mark.parametrize("version", (4, 6))
@pytest.mark.parametrize("layer", (TCP, UDP), ids=("tcp", "udp"))
def test_a_super_frame_is_translated_whole(place, layer, version):
    """By NAT, as the first of its connection, and as a later one."""
    word = layer.__name__.lower() + ("6" if version == 6 else "")
    source = "192.0.2.1:4242" if version == 4 else "[fd09::1]:4242"
    changes = {"src": "192.0.2.1" if version == 4 else "fd09::1",
               "sport": 4242}
    place.flow([(word, "ct(commit,zone=1,nat(src=%s),table=1)" % source),
                ("table=1," + word, "output:2,output:3")])
    for seq in (1000, 1000 + len(DATA)):
        place.tx.send(*owed(frame_of(layer, version, seq=seq), layer))
        came_whole(place, layer, version, (), dict(changes, seq=seq))


def came_whole(place, layer, version, after, changes):
    """To the TAP; to the recorder in segments."""
    raw, vnet = owed(frame_of(layer, version, after, **changes), layer)
    got = place.rx.expect(lambda f: len(f.raw) > 50000)
    segments = place.recorded(N_SEGMENTS)
    assert got.raw == raw
    # The guest's kernel keeps tags beside the frame and counts without them;
    # hdr_len is a hint.
    vnet.csum_start -= 4 * len(after)
    vnet.hdr_len = got.vnet.hdr_len
    assert vars(got.vnet) == vars(vnet)

    assert len(segments) == N_SEGMENTS
    for i, segment in enumerate(segments):
        data = DATA[i * GSO_SIZE:(i + 1) * GSO_SIZE]
        wanted = frame_of(layer, version, after, **dict(
            changes, data=data, seq=changes.get("seq", 1000) + i * GSO_SIZE))
        if version == 4:
            wanted[IP].id = 7 + i
        if layer is TCP and i < N_SEGMENTS - 1:
            wanted[TCP].flags = "A"             # PSH goes with the last.
        assert bytes(segment) == bytes(wanted), "segment %d" % i


def test_a_checksum_that_is_owed_is_completed_for_the_recorder(place):
    """Small frames without GSO, too."""
    place.flow([("udp", "output:2,output:3"), ("tcp", "output:2,output:3")])
    for layer in (TCP, UDP):
        frame = frame_of(layer, 4, data=DATA[:99])
        raw, vnet = owed(frame, layer)
        vnet.gso_type = vnet.gso_size = vnet.hdr_len = 0
        place.tx.send(raw, vnet)
        got = place.rx.expect(lambda f: f.haslayer(IP))
        assert got.raw == (raw if got.vnet.flags & NEEDS_CSUM
                           else bytes(frame))
        assert bytes(place.recorded(1)[0]) == bytes(frame)


@pytest.mark.parametrize("number", (2, 4, 5), ids=("tap", "veth", "netdev"))
def test_below_a_label_frames_are_cut(place, number):
    """No device takes labels and segments to be made; nothing is lost."""
    rx = place.others.get(number, place.rx)
    place.flow([("tcp", "push_mpls:0x8847,set_field:9->mpls_label,"
                 "set_field:0->mpls_tc,output:%d" % number)])
    place.tx.send(*owed(frame_of(TCP, 4), TCP))
    for i in range(N_SEGMENTS):
        data = DATA[i * GSO_SIZE:(i + 1) * GSO_SIZE]
        inner = frame_of(TCP, 4, data=data, seq=1000 + i * GSO_SIZE)
        inner[IP].id = 7 + i
        if i < N_SEGMENTS - 1:
            inner[TCP].flags = "A"
        wanted = (Ether(src=A, dst=B, type=0x8847)
                  / MPLS(label=9, s=1, ttl=64) / inner[IP])
        got = rx.expect(lambda f: MPLS in f)
        if got.vnet.flags & NEEDS_CSUM:         # Completed by who needs it.
            assert got.vnet.csum_start == 38
            del got[IP].chksum, got[TCP].chksum
            got = Ether(bytes(got))
        assert bytes(got) == bytes(wanted), "segment %d" % i
