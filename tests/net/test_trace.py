"""tests/trace/*.trace: what trace says, and that packets fare so.

A file is lines of a word and what belongs to it, in this order:

    # a comment
    port    NAME KEY=VALUE...  settings of a port of testbench.py
    flow    FLOW               flow entries and groups, as weft(1) takes them
    group   GROUP
    packet  PORT TEXT          what is traced, as a match; then, about it:
    frame   EXPRESSION         the same packet, as scapy makes it
    trace   STEP               what trace must say, indented by depth
    verdict TEXT
    match   TEXT               what the cache entry would match
    actions TEXT
    sent    NUMBER EXPRESSION  what then leaves by that port; nothing else does
    later   NUMBER EXPRESSION  what leaves by it when the switch has learned from
                               it, which may be behind other frames
    drop    REASON             the counter that goes up

Words that a file leaves out about a packet are not compared (what other files
left in the tables can show in "match").

A file has any number of packets; what one teaches the switch, the next one
finds.  --write-traces writes trace, verdict, match and actions anew, for a
person to read before they are committed."""

import glob
import os
import re

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

import testbench
import weft
from netns import eventually

FILES = sorted(glob.glob(os.path.join(weft.ROOT, "tests", "trace",
                                      "*.trace")))
SAID = ("trace", "verdict", "match", "actions")
LAYERS = {layer.__name__: layer for layer in (
    ARP, Dot1AD, Dot1Q, Ether, ICMP, ICMPv6EchoRequest, IP, IPv6, MPLS, Raw,
    TCP, UDP)}
LAYERS.update(A=testbench.A, B=testbench.B, C=testbench.C,
              DATA=Raw(bytes(range(64))))


@pytest.fixture(scope="module")
def switch(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def bench(switch):
    switch.clear()
    switch.lab.api("DELETE", "/v1/fdb")
    yield switch
    for name in testbench.PORTS:
        switch.lab.api("PATCH", "/v1/ports/" + name, PLAIN)


PLAIN = {"tag": None, "vlan_mode": "trunk", "trunks": "all",
         "protected": False}


def expression(text):
    """A frame; the files are the repository's own."""
    return eval(text, {"__builtins__": {}}, dict(LAYERS))


def read(path):
    """[(word, text)]; texts keep their indentation."""
    rows = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            assert line[7] == " ", "%s:%d: the text begins at column 9" % (
                path, number)
            rows.append((line[:7].rstrip(), line[8:].rstrip("\n")))
    return rows


def packets(rows):
    """[[row, ...]]: each from its 'packet' on."""
    parts = []
    for row in rows:
        if row[0] == "packet":
            parts.append([])
        if parts:
            parts[-1].append(row)
    return parts


def said(answer):
    """A trace as rows of a file.  Passes get numbers as they come."""
    rows = [("trace", "  " * step["depth"] + step["text"])
            for step in answer["steps"]]
    rows += [(word, answer[word]) for word in SAID[1:]]
    names = {}

    def rename(found):
        number = int(found.group(2), 0)
        return "%s%d" % (found.group(1),
                         names.setdefault(number, len(names) + 1))
    return [(word, re.sub(r"(pass |recirc\(|recirc_id=)(\w+)", rename, text))
            for word, text in rows]


def set_up(bench, rows):
    for word, text in rows:
        if word == "port":
            bench.lab.weft("port", "set", *text.split())
    groups = [text for word, text in rows if word == "group"]
    if groups:
        bench.groups(*groups)
    bench.flows(*[text for word, text in rows if word == "flow"])


def write(path, answers):
    """Puts what trace says in place of what the file has."""
    out, answers = [], iter(answers)
    with open(path) as f:
        for line in f:
            word = line.split(" ")[0]
            if word in SAID:
                continue
            out.append(line)
            if word == "frame":
                out += ["%-7s %s\n" % row for row in next(answers)]
    with open(path, "w") as f:
        f.writelines(out)


@pytest.mark.parametrize("path", FILES, ids=lambda p: os.path.basename(
    p)[:-len(".trace")])
def test_trace(bench, path, request):
    rows = read(path)
    set_up(bench, rows)
    answers = []
    for part in packets(rows):
        port, _, text = part[0][1].partition(" ")
        answers.append(said(bench.trace(text, port)))
        check_frame(bench, testbench.PORTS.index(port) + 1, part)
        if not request.config.getoption("--write-traces"):
            wanted = [row for row in part if row[0] in SAID]
            words = {row[0] for row in wanted}
            assert [row for row in answers[-1] if row[0] in words] == wanted
    if request.config.getoption("--write-traces"):
        write(path, answers)


def counted(bench, reason):
    return sum(row["packets"] for row in
               bench.lab.api("GET", "/v1/drops")["drops"]
               if row["reason"] == reason)


def check_frame(bench, port, part):
    """The frame leaves as the file says."""
    frame, = [expression(text) for word, text in part if word == "frame"]
    reasons = [text for word, text in part if word == "drop"]
    before = [counted(bench, reason) for reason in reasons]
    expected = {}
    for word, text in part:
        if word == "sent":
            number, _, what = text.partition(" ")
            expected.setdefault(int(number), []).append(
                bytes(expression(what)))
    got = bench.send(frame, port=port)
    for word, text in part:
        if word == "later":
            number, _, what = text.partition(" ")
            arrived = got.pop(int(number), None)
            if not arrived:
                arrived = [next(iter(bench.nics[int(number)].frames())).raw]
            assert arrived == [bytes(expression(what))]
    assert got == expected, testbench.difference(got, expected)
    for reason, was in zip(reasons, before):
        eventually(lambda: counted(bench, reason) == was + 1,
                   "one is counted as " + reason)
