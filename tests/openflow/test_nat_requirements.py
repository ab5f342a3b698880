"""What the RFCs ask of a NAT, requirement by requirement, with scapy as everybody
else: on Weft's switch with flow entries by hand, and with those that our controller
writes, where all of them must hold, and on nftables and Open vSwitch, of which is
only told.

The table in doc/nat.md is what this suite finds; with WEFT_UPDATE_DOC=1 it is
written."""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror
from scapy.packet import Raw

import nat_box
import ovs
import weft
from nat_box import A, B, POOL, X, Y

DOC = os.path.join(weft.ROOT, "doc", "nat.md")
BEGIN, END = "<!-- requirements -->", "<!-- /requirements -->"
REQUIREMENTS = []


def requirement(name, text):
    def add(check):
        REQUIREMENTS.append((name, text, check))
        return check
    return add


def udp(src, sport, dst, dport, payload=b"x" * 20, **ip):
    return IP(src=src, dst=dst, **ip) / UDP(sport=sport, dport=dport) \
        / Raw(payload)


def tcp(src, sport, dst, dport, flags, seq=0, ack=0, payload=b""):
    return IP(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags=flags,
                                      seq=seq, ack=ack, window=8192) \
        / Raw(payload)


def echo(src, dst, ident, kind="echo-request", payload=b"y" * 20):
    return IP(src=src, dst=dst) / ICMP(type=kind, id=ident, seq=1) \
        / Raw(payload)


def error(src, about, kind=3, code=3, dst=None):
    """An ICMP error about a packet as `dst`'s neighbour saw it."""
    inner = bytes(about[IP])[:28 if TCP not in about else 40]
    return IP(src=src, dst=dst or about.src) / ICMP(type=kind, code=code) \
        / Raw(inner)


def checked(packet):
    """Its sums are right."""
    again = IP(bytes(packet))
    layers = [IP] + [k for k in (UDP, TCP, ICMP) if k in packet][:1]
    for layer in layers:
        del again[layer].chksum
    again = IP(bytes(again))
    for layer in layers:
        assert packet[layer].chksum == again[layer].chksum, packet.summary()
    return packet


def mapped(box, src, sport, dst=X, dport=53):
    """The external (address, port) of a UDP source."""
    seen = checked(box.out(udp(src, sport, dst, dport)))
    assert (seen.dst, seen.dport) == (dst, dport)
    return seen.src, seen.sport


def connected(box, port, isn=100):
    """A TCP connection of A with X; returns the external port."""
    seen = checked(box.out(tcp(A, port, X, 80, "S", isn)))
    external = seen.sport
    box.back(tcp(X, 80, box.E, external, "SA", 900, isn + 1))
    box.out(tcp(A, port, X, 80, "A", isn + 1, 901))
    return external


# ---- RFC 4787: UDP ----


@requirement("RFC 4787 REQ-1", "the mapping does not depend on the other end")
def endpoint_independent_mapping(box):
    port = box.port()
    first = mapped(box, A, port)
    # Also where the port could not be kept.
    second = mapped(box, B, port)
    for dst, dport in ((Y, 53), (X, 54)):
        assert mapped(box, A, port, dst, dport) == first
        assert mapped(box, B, port, dst, dport) == second


@requirement("RFC 4787 REQ-2", "an inside host has one external address")
def paired_pooling(box):
    used = set()
    if not box.pooled:            # it has one external address
        used = {mapped(box, A, box.port(), dst)[0] for dst in (X, Y)}
        assert used == {box.E}
        return
    for host in box.pooled:
        mine = {mapped(box, host, box.port(), dst)[0] for dst in (X, Y)}
        mine.add(mapped(box, host, box.port())[0])
        assert len(mine) == 1 and mine <= set(POOL)
        used |= mine
    assert len(used) > 1


@requirement("RFC 4787 REQ-3", "no external port is two insides' at once")
def no_overloading(box):
    port = box.port()
    assert mapped(box, A, port, X) != mapped(box, B, port, Y)


@requirement("RFC 4787 REQ-3b", "system ports stay such, others others")
def ranges_are_preserved(box):
    low = [mapped(box, host, 600)[1] for host in (A, B)]
    assert len(set(low)) == 2 and max(low) < 1024
    port = box.port()
    assert min(mapped(box, host, port)[1] for host in (A, B)) >= 1024


@requirement("RFC 4787 REQ-4", "the parity of ports is kept")
def parity(box):
    # So many that who picks at random does not get it right by luck.
    for port in [box.port() + i % 2 for i in range(10)]:
        for host in (A, B):
            assert mapped(box, host, port)[1] % 2 == port % 2


@requirement("RFC 4787 REQ-5", "a UDP mapping lasts two minutes")
def udp_timeout(box):
    port = box.port()
    external = mapped(box, A, port)[1]
    assert box.expires("udp", port) > 115
    box.back(udp(X, 53, box.E, external))
    assert box.expires("udp", port) > 115


@requirement("RFC 4787 REQ-8", "who was not spoken to does not come in")
def filtering(box):
    external = mapped(box, A, box.port())[1]
    box.refused(udp(Y, 53, box.E, external))
    box.refused(udp(X, 54, box.E, external))
    assert box.back(udp(X, 53, box.E, external)).dst == A


def punched(box):
    """Ports of A and B, inside and outside, who have both sent a packet to the
    external address of the other: filters are for them, too."""
    a, b = box.port(), box.port()
    to_a, to_b = mapped(box, A, a)[1], mapped(box, B, b)[1]
    box.exchange("inside", udp(A, a, box.E, to_b))
    box.exchange("inside", udp(B, b, box.E, to_a))
    return a, b, to_a, to_b


@requirement("RFC 4787 REQ-9", "two insides talk by their external addresses")
def hairpin(box):
    a, b, to_a, to_b = punched(box)
    seen = checked(box.turned(udp(A, a, box.E, to_b)))
    assert (seen.src, seen.sport) == (box.E, to_a)
    assert (seen.dst, seen.dport) == (B, b)
    seen = checked(box.turned(udp(B, b, box.E, to_a)))
    assert (seen.src, seen.sport) == (box.E, to_b)
    assert (seen.dst, seen.dport) == (A, a)


@requirement("RFC 4787 REQ-10", "what applications say to each other is theirs")
def no_alg(box):
    port = box.port()
    for dport, said in ((5060, b"Via: SIP/2.0/UDP 10.0.0.2:5060\r\n"),
                        (69, b"\0\1file\0octet\0")):
        assert bytes(box.out(udp(A, port, X, dport, said))[UDP].payload) \
            == said
    port = box.port()
    external = connected(box, port)
    said = b"PORT 10,0,0,2,78,32\r\n"
    assert bytes(box.out(tcp(A, port, X, 80, "PA", 101, 901, said))
                 [TCP].payload) == said and external


@requirement("RFC 4787 REQ-11", "it does not change when ports run into "
             "each other")
def deterministic(box):
    port = box.port()
    mapped(box, A, port)
    second = mapped(box, B, port)
    third = mapped(box, nat_box.C, port)
    assert mapped(box, B, port, Y) == second
    assert mapped(box, nat_box.C, port, Y) == third


@requirement("RFC 4787 REQ-12", "an ICMP error does not end a UDP mapping")
def error_ends_nothing(box):
    port = box.port()
    sent = box.out(udp(A, port, X, 53))
    box.back(error(X, sent))
    assert box.back(udp(X, 53, box.E, sent.sport)).dport == port


@requirement("RFC 4787 REQ-14", "fragments are translated, in any order")
def fragments(box):
    port = box.port()
    external = mapped(box, A, port)[1]
    whole = IP(bytes(udp(X, 53, box.E, external, b"z" * 2400, id=port)))
    first, second = whole.copy(), whole.copy()
    data = bytes(whole[UDP])
    for part, ofs, more, bytes_ in ((first, 0, "MF", data[:1208]),
                                    (second, 151, 0, data[1208:])):
        part.remove_payload()
        part.flags, part.frag = more, ofs
        part.len = part.chksum = None
        part.add_payload(Raw(bytes_))
    for order in ((first, second), (second, first)):
        inside, outside = box.exchange("outside", *order)
        assert not outside and inside and {p.dst for p in inside} == {A}
        got = {p.frag: bytes(p.payload) for p in inside}
        if len(inside) == 1:      # put together on the way
            assert len(got[0]) == len(data)
        else:
            assert len(got) == 2 and got[151] == data[1208:]
        assert got[0][2:4] == port.to_bytes(2, "big")
        for part in order:
            part.id += 1


# ---- RFC 5382: TCP ----


@requirement("RFC 5382 REQ-1", "the mapping of TCP does not depend on the "
             "other end")
def tcp_mapping(box):
    port = box.port()
    seen = {(p.src, p.sport) for p in (
        checked(box.out(tcp(A, port, dst, dport, "S", 1)))
        for dst, dport in ((X, 80), (Y, 80), (X, 81)))}
    other = {(p.src, p.sport) for p in (
        box.out(tcp(B, port, dst, 80, "S", 1)) for dst in (X, Y))}
    assert len(seen) == 1 and len(other) == 1 and seen != other


@requirement("RFC 5382 REQ-2", "both ends may begin at the same moment")
def simultaneous_open(box):
    port = box.port()
    external = box.out(tcp(A, port, X, 80, "S", 100)).sport
    assert box.back(tcp(X, 80, box.E, external, "S", 900)).dport == port
    box.out(tcp(A, port, X, 80, "SA", 100, 901))
    box.back(tcp(X, 80, box.E, external, "SA", 900, 101))
    box.out(tcp(A, port, X, 80, "PA", 101, 901, b"hello"))
    box.back(tcp(X, 80, box.E, external, "PA", 901, 106, b"hello"))


@requirement("RFC 5382 REQ-4", "a stranger's SYN is not answered at once")
def unsolicited_syn(box):
    external = connected(box, box.port())
    box.refused(tcp(Y, 80, box.E, external, "S", 7))


@requirement("RFC 5382 REQ-5", "4 minutes to open, 2 h 4 min when established")
def tcp_timeouts(box):
    port = box.port()
    box.out(tcp(A, port, X, 80, "S", 100))
    assert box.expires("tcp", port) > 235
    port = box.port()
    connected(box, port)
    assert box.expires("tcp", port) > 7435


@requirement("RFC 5382 REQ-7", "no external TCP port is two insides' at once")
def tcp_no_overloading(box):
    port = box.port()
    assert box.out(tcp(A, port, X, 80, "S", 1)).sport \
        != box.out(tcp(B, port, Y, 80, "S", 1)).sport


@requirement("RFC 5382 REQ-8", "two insides connect by their external "
             "addresses")
def tcp_hairpin(box):
    a, b = box.port(), box.port()
    to_b = box.out(tcp(B, b, X, 80, "S", 1)).sport
    to_a = box.out(tcp(A, a, Y, 80, "S", 1)).sport
    box.exchange("inside", tcp(A, a, box.E, to_b, "S", 100))
    seen = checked(box.turned(tcp(B, b, box.E, to_a, "S", 900)))
    assert (seen.src, seen.sport, seen.dst, seen.dport) == (box.E, to_b, A, a)
    seen = checked(box.turned(tcp(A, a, box.E, to_b, "SA", 100, 901)))
    assert (seen.src, seen.sport, seen.dst, seen.dport) == (box.E, to_a, B, b)
    box.turned(tcp(B, b, box.E, to_a, "SA", 900, 101))
    box.turned(tcp(A, a, box.E, to_b, "PA", 101, 901, b"hello"))


@requirement("RFC 5382 REQ-9", "errors about TCP find their way")
def tcp_errors(box):
    port = box.port()
    sent = box.out(tcp(A, port, X, 80, "S", 100))
    seen = checked(box.back(error(Y, sent, 3, 1)))
    assert (seen.src, seen.dst) == (Y, A)
    assert (seen[IPerror].src, seen[TCPerror].sport) == (A, port)


@requirement("RFC 5382 REQ-10", "an ICMP error does not end a TCP connection")
def tcp_error_ends_nothing(box):
    port = box.port()
    external = connected(box, port)
    sent = box.out(tcp(A, port, X, 80, "PA", 101, 901, b"abc"))
    box.back(error(X, sent, 3, 1))
    assert box.back(tcp(X, 80, box.E, external, "A", 901, 104)).dport == port


# ---- RFC 5508: ICMP ----


@requirement("RFC 5508 REQ-1", "pings of several insides, by their identifier")
def queries(box):
    ident = box.port()
    seen = [checked(box.out(echo(host, X, ident))) for host in (A, B)]
    assert seen[0][ICMP].id != seen[1][ICMP].id
    for host, packet in zip((A, B), seen):
        got = checked(box.back(echo(X, box.E, packet[ICMP].id, "echo-reply")))
        assert (got.dst, got[ICMP].id) == (host, ident)


@requirement("RFC 5508 REQ-1a", "the mapping of queries does not depend on "
             "the other end")
def query_mapping(box):
    ident = box.port()
    box.out(echo(A, X, ident))
    assert len({box.out(echo(B, dst, ident))[ICMP].id for dst in (X, Y)}) == 1


@requirement("RFC 5508 REQ-2", "a query's mapping lasts a minute")
def query_timeout(box):
    ident = box.port()
    box.out(echo(A, X, ident))
    assert box.expires("icmp", ident) > 55


@requirement("RFC 5508 REQ-3", "errors with a wrong checksum are dropped")
def broken_errors(box):
    sent = box.out(udp(A, box.port(), X, 53))
    broken = IP(bytes(error(X, sent)))
    broken[ICMP].chksum ^= 0x5555
    box.refused(broken)


@requirement("RFC 5508 REQ-4", "errors from outside, about a packet of nobody's "
             "none")
def errors_from_outside(box):
    port = box.port()
    sent = box.out(udp(A, port, X, 53))
    for kind, code in ((3, 0), (3, 1), (3, 3), (3, 4), (11, 0)):
        seen = checked(box.back(error(Y, sent, kind, code)))
        assert (seen[ICMP].type, seen[ICMP].code) == (kind, code)
        assert (seen.src, seen.dst) == (Y, A)
        assert (seen[IPerror].src, seen[UDPerror].sport) == (A, port)
    nobodys = sent.copy()
    nobodys[UDP].sport = box.port() + 7
    nobodys[UDP].chksum = None
    box.refused(error(Y, IP(bytes(nobodys))))
    ident = box.port()
    sent = box.out(echo(A, X, ident))
    seen = checked(box.back(error(Y, sent, 11, 0)))
    assert seen.dst == A and seen.getlayer(IPerror).payload.id == ident


@requirement("RFC 5508 REQ-5", "errors from inside do not show inside "
             "addresses")
def errors_from_inside(box):
    port = box.port()
    external = mapped(box, A, port)[1]
    came = box.back(udp(X, 53, box.E, external))
    # A router of the inside, and the host itself.
    for src in (B, A):
        seen = checked(box.out(error(src, came, 3, 1, dst=X)))
        assert seen.src == box.E and (seen[IPerror].src, seen[IPerror].dst) == (X, box.E)
        assert seen[UDPerror].dport == external


@requirement("RFC 5508 REQ-6", "errors about a query do not end it")
def error_ends_no_query(box):
    ident = box.port()
    sent = box.out(echo(A, X, ident))
    box.back(error(X, sent, 3, 1))
    got = box.back(echo(X, box.E, sent[ICMP].id, "echo-reply"))
    assert (got.dst, got[ICMP].id) == (A, ident)


@requirement("RFC 5508 REQ-7", "errors between insides that talk by external "
             "addresses")
def hairpin_errors(box):
    a, b, to_a, to_b = punched(box)
    came = box.turned(udp(A, a, box.E, to_b))
    seen = checked(box.turned(error(B, came, 3, 3)))
    assert (seen.src, seen.dst) == (box.E, A)
    assert (seen[IPerror].src, seen[UDPerror].sport) == (A, a)
    assert (seen[IPerror].dst, seen[UDPerror].dport) == (box.E, to_b) and to_a


# ---- The suite ----

RESULTS = {}


@pytest.fixture(scope="module", params=sorted(nat_box.BOXES,
                                              key=list(nat_box.BOXES).index))
def box(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    box = nat_box.BOXES[request.param](request.config.getoption("--build"))
    box.kind = request.param
    yield box
    box.close()


@pytest.mark.parametrize("name,text,check", REQUIREMENTS,
                         ids=[r[2].__name__ for r in REQUIREMENTS])
def test(box, name, text, check):
    if not box.hairpins and "hairpin" in check.__name__:
        RESULTS[box.kind, name] = None
        return
    try:
        check(box)
        RESULTS[box.kind, name] = True
    except (AssertionError, IndexError):          # a layer is not there
        RESULTS[box.kind, name] = False
        if box.kind not in ("nft", "ovs"):
            raise


def table():
    kinds = list(nat_box.BOXES)
    lines = ["| requirement | %s |" % " | ".join(nat_box.BOXES[k].title
                                                  for k in kinds),
             "| --- |" + " --- |" * len(kinds)]
    for name, text, _ in REQUIREMENTS:
        lines.append("| %s: %s | %s |" % (name, text, " | ".join(
            {True: "yes", False: "no", None: "-"}[RESULTS[kind, name]]
            for kind in kinds)))
    return "\n".join(lines)


def test_the_table_in_doc_is_what_was_found():
    if len(RESULTS) < len(REQUIREMENTS) * len(nat_box.BOXES):
        pytest.skip("not all of it was run")
    with open(DOC) as f:
        before, _, rest = f.read().partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("WEFT_UPDATE_DOC"):
        with open(DOC, "w") as f:
            f.write("%s%s\n%s\n%s%s" % (before, BEGIN, table(), END, after))
    else:
        assert written.strip() == table(), "WEFT_UPDATE_DOC=1 writes it"
