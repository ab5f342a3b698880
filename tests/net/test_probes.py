"""What hosts find out about the way between them.

    h1: web 10.1.0.5        h2: db 10.1.0.6       h3: nobody

The underlay is a bridge; a port of it that has a smaller MTU drops what is
longer, without a word, as a provider's network does."""

import json

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

import overlay
from netns import eventually

SEGMENTS = {"vxlan": "{vxlan: 5001}", "gre": "{gre: 77}",
            "geneve": "{geneve: 9}"}
PROBE_KEY = 0xffffff

CLOUD = """\
version: 1
%snetworks:
  blue: {subnet: 10.1.0.0/24, segment: %s}
ports:
  web: {network: blue, host: h1, netns: web, address: 10.1.0.5,
        configure: true}
  db: {network: blue, host: h2, netns: db, address: 10.1.0.6,
       configure: true}
"""


def cloud(hosts, kind, family=4):
    return CLOUD % (hosts.hosts(family), SEGMENTS[kind])


@pytest.fixture
def hosts(request):
    yield from overlay.lend(request, "web", "db")


def tunnels(hosts, name="h1"):
    return hosts.labs[name].weft("tunnel", "list")["tunnels"]


def row(hosts, name="h1"):
    rows = tunnels(hosts, name)
    assert len(rows) == 1
    return rows[0]


def becomes(hosts, state, mtu, name="h1"):
    def is_so():
        found = row(hosts, name)
        return found["state"] == state and found["mtu"] == mtu and found
    return eventually(is_so, "%s says %s, %s" % (name, state, mtu))


def says(hosts, text, name="h1"):
    eventually(lambda: text in hosts.labs[name].log(),
               "%s says: %s" % (name, text))


def diagnosed(hosts, text):
    """The doctor's finding that says so."""
    def find():
        said = hosts.labs["h1"].weft("doctor", status=None).stdout
        return [f for f in json.loads(said) if f["name"] == "tunnel-probes"
                and text in f["what"]]
    return eventually(find, "the doctor says: " + text)[0]


def explained(hosts, text):
    eventually(lambda: text in hosts.labs["h1"].weft(
        "explain", "web", "db", status=None).stdout, "explain says: " + text)


def counter(hosts, result, name="h1"):
    head = 'weft_tunnel_probes_total{result="%s"} ' % result
    for line in hosts.labs[name].text("metrics").splitlines():
        if line.startswith(head):
            return int(line[len(head):])
    raise AssertionError(head)


def start(hosts, kind, family=4):
    hosts.start(cloud(hosts, kind, family),
                more=("--tunnel-probe-interval", "200ms"))


def narrow(hosts, kind, mtu):
    """What goes between them is no longer than that: on the way, or, with GRE,
    where it leaves."""
    if kind == "gre":
        hosts.labs["h1"].host.run("ip", "link", "set", "u0", "mtu", str(mtu))
    else:
        hosts.street.run("ip", "link", "set", "s2", "mtu", str(mtu))


@pytest.mark.parametrize("kind,family", (
    ("vxlan", 4), ("gre", 4), ("geneve", 6)))
def test_a_path_is_measured(hosts, kind, family):
    start(hosts, kind, family)
    full = 1500 - {"gre": 42}.get(kind, 50) - (20 if family == 6 else 0)
    for name, other in (("h1", "h2"), ("h2", "h1")):
        found = becomes(hosts, "up", full, name)
        assert found["host"] == other and found["type"] == kind
        assert found["address"] == overlay.ADDRESSES[family] % int(other[1:])
        assert found["mtu_wanted"] == full and found["underlay_mtu"] == 1500
        assert 0 < found["rtt_us"] and 0 < found["rtt_smoothed_us"]
        assert 0 <= found["loss_percent"] < 100 and found["heard"] >= 2
    narrow(hosts, kind, 1400)
    found = becomes(hosts, "mtu-too-small", full - 100)
    assert found["underlay_mtu"] == 1400
    says(hosts, "carries packets of %d bytes, and guests were told %d: a "
         "larger MTU between the hosts, or hosts: {h2: {mtu: 1400}}"
         % (full - 100, full))
    narrow(hosts, kind, 1500)
    becomes(hosts, "up", full)
    says(hosts, "carries packets of %d bytes again" % full)


def test_a_path_goes_and_comes_back(hosts):
    start(hosts, "vxlan")
    becomes(hosts, "up", 1450)
    text = hosts.labs["h1"].text("tunnel", "list")
    head, line = text.splitlines()
    assert head.split() == ["HOST", "TYPE", "ADDRESS", "STATE", "SINCE",
                            "RTT", "LOSS", "MTU", "WANTED"]
    assert line.split()[:4] == ["h2", "vxlan", "192.0.2.2", "up"]
    assert line.split()[-2:] == ["1450", "1450"]

    explained(hosts, "host 'h2' answers through vxlan, and packets of 1450 "
              "bytes get there")

    hosts.street.run("ip", "link", "set", "s2", "down")
    becomes(hosts, "down", None)
    says(hosts, "host 'h2' does not answer through vxlan at 192.0.2.2")
    diagnosed(hosts, "'h2' does not answer")
    explained(hosts, "host 'h2' does not answer through vxlan")

    # It comes back narrower, by the device that leads there: what is too long
    # does not even leave.
    hosts.labs["h1"].host.run("ip", "link", "set", "u0", "mtu", "1300")
    hosts.street.run("ip", "link", "set", "s2", "up")
    says(hosts, "host 'h2' answers through vxlan at 192.0.2.2 again")
    becomes(hosts, "mtu-too-small", 1250)
    finding = diagnosed(hosts, "packets of 1250 bytes reach host 'h2'")
    assert "weft host set h2 --mtu 1300" in finding["fix"]
    explained(hosts, "packets of more than 1250 bytes do not get there, and "
              "guests were told 1450")
    # As it says: guests are told less, and all is well.
    hosts.apply(cloud(hosts, "vxlan").replace(
        '{tunnel: "192.0.2.2"}', '{tunnel: "192.0.2.2", mtu: 1300}'))
    becomes(hosts, "up", 1250)
    assert row(hosts)["mtu_wanted"] == 1250
    # A host with which nothing is shared is not asked.
    hosts.apply(cloud(hosts, "vxlan").replace("db: {network: blue, host: h2",
                                              "db: {network: blue, host: h1"),
                ["h2", "h1"])
    assert not tunnels(hosts) and not tunnels(hosts, "h2")


def outer(src, key, inner):
    return (Ether(src="02:00:00:00:00:66")
            / IP(src=src, dst="192.0.2.1", flags="DF")
            / UDP(sport=40000, dport=4789, chksum=0)
            / VXLAN(vni=key, flags=8) / inner)


def test_nobody_else_is_answered(hosts):
    start(hosts, "vxlan")
    becomes(hosts, "up", 1450)
    h1 = hosts.labs["h1"].host
    mac = h1.run("cat", "/sys/class/net/u0/address").stdout.strip()
    lan = hosts.street.nic("lan")
    ask = (b"weFt\1\1" + (46).to_bytes(2, "big") + b"\7" * 8 + b"\3"
           ).ljust(46, b"\0")
    tell = b"weFt\1\2" + ask[6:]

    def probe(data):
        return Ether(src="02:70:61:74:68:00", dst="02:70:61:74:68:00",
                     type=0x88b5) / Raw(data)

    def send(src, key, data):
        frame = outer(src, key, probe(data))
        frame.dst = mac
        lan.send(frame)

    # Hosts of the file are answered: a forged question costs one small frame,
    # which goes to that host.
    answered = counter(hosts, "answered")
    send("192.0.2.2", PROBE_KEY, ask)
    eventually(lambda: counter(hosts, "unasked", "h2") >= 1,
               "what h2 did not ask came to it")
    assert counter(hosts, "answered") > answered
    # A stranger gets no further than the first table.
    send("192.0.2.66", PROBE_KEY, ask)
    send("192.0.2.66", PROBE_KEY, tell)
    # Forged answers, and what is cut, are told from ours.
    send("192.0.2.2", PROBE_KEY, tell)
    eventually(lambda: counter(hosts, "unasked") >= 1, "it was not asked for")
    send("192.0.2.2", PROBE_KEY, ask[:40])
    eventually(lambda: counter(hosts, "malformed") == 1, "it is cut")
    assert counter(hosts, "strange") == 0
    # A guest's frames stay in its network.
    web, db = hosts.guest("web").nic("eth0"), hosts.guest("db").nic("eth0")
    frame = probe(ask)
    frame.src, frame.dst = web.mac, db.mac
    web.send(frame)
    db.expect(lambda f: f.type == 0x88b5 and f.src == web.mac)
    assert counter(hosts, "malformed") == 1
    becomes(hosts, "up", 1450)
