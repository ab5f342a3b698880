"""A cable that makes a ring, and two stations with one address.

     host        p2           p3
       | eth0      \\ one bridge /
   ----+------------+----------+---  br0
"""

import re

import pytest
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from netns import eventually

BROADCAST = "ff:ff:ff:ff:ff:ff"
STATION = "02:00:00:00:00:77"


@pytest.fixture
def ring(lab):
    """A namespace joins its two ends by a bridge of the kernel's, which is
    down; the host's NIC."""
    beyond = lab.netns("beyond")
    lab.start(lab.plug("tap", 1, "host"), "p2=tap:p2,netns=beyond",
              "p3=tap:p3,netns=beyond")
    beyond.run("ip", "link", "add", "ring", "type", "bridge")
    for end in ("p2", "p3"):
        beyond.run("ip", "link", "set", end, "master", "ring", "up")
        # Nothing of the machine's own is to start it.
        beyond.run("sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % end)
    beyond.run("sysctl", "-qw", "net.ipv6.conf.ring.disable_ipv6=1")
    return lab.netns("host").nic("eth0")


def broadcast(nic, text, src=None):
    return (Ether(dst=BROADCAST, src=src or nic.mac, type=0x88b5)
            / Raw(text.ljust(46)))


def sent_by(lab, *names):
    return sum(lab.weft("port", "show", name)["counters"]["tx_packets"]
               for name in names)


def held(lab):
    return {p["name"]: p["held"]["why"]
            for p in lab.weft("port", "list")["ports"]
            if p["state"] == "held"}


def close_the_ring(lab, is_closed):
    lab.netns("beyond").run("ip", "link", "set", "ring",
                            "up" if is_closed else "down")


def test_a_loop_is_cut_after_few_frames(lab, ring):
    close_the_ring(lab, True)
    before = sent_by(lab, "p2", "p3")
    ring.send(broadcast(ring, "round and round"))
    why = eventually(lambda: held(lab), "one end of the ring is held",
                     timeout=1)
    assert len(why) == 1
    name, sentence = why.popitem()
    assert name in ("p2", "p3")
    assert re.fullmatch(
        "port '%s' is held for 5 s: station [0-9a-f:]{17} moved more than 5 "
        "times in 10 s between it and port '(host|p2|p3)'; there is a loop, "
        "or two stations have one address" % name, sentence)
    assert sent_by(lab, "p2", "p3") - before <= 1000
    assert sentence in lab.log()
    assert any(f["name"] == "loops" and f["verdict"] == "warning"
               for f in lab.weft("doctor"))

    # It stays quiet, and the host is where it is.
    quiet = sent_by(lab, "p2", "p3")
    for _ in range(10):
        ring.send(broadcast(ring, "still there"))
    lab.weft("fdb", "list")
    eventually(lambda: [s["port"] for s in lab.weft("fdb", "list")["fdb"]
                        if s["mac"] == ring.mac] == ["host"], "it is learned")
    assert sent_by(lab, "p2", "p3") - quiet <= 100
    assert lab.drops("port-held")


def test_a_ring_that_was_opened_works_again(lab, ring):
    close_the_ring(lab, True)
    ring.send(broadcast(ring, "round and round"))
    name = eventually(lambda: held(lab), "it is held").popitem()[0]
    assert "dropped: port %s is held" % name in lab.trace(
        name, "dl_src=" + STATION)
    close_the_ring(lab, False)
    eventually(lambda: not held(lab), "it is let go", timeout=10)
    end = lab.netns("beyond").nic(name)
    end.send(broadcast(end, "here again"))
    ring.expect(broadcast(end, "here again"))


def test_two_stations_with_one_address(lab, ring):
    """The one that was there first stays."""
    second = lab.netns("beyond").nic("p2")

    def claim():
        ring.send(broadcast(ring, "I am it", src=STATION))
        second.send(broadcast(second, "no, I am", src=STATION))
        return held(lab)

    ring.send(broadcast(ring, "I am it", src=STATION))
    second.expect(broadcast(ring, "I am it", src=STATION))
    why = eventually(claim, "one is held")
    assert list(why) == ["p2"]
    assert STATION in why["p2"] and "port 'host'" in why["p2"]


def test_moves_may_be_left_uncounted(lab):
    lab.start(lab.plug("tap", 1, "a"), lab.plug("tap", 2, "b"),
              options=["--fdb-max-moves", "0"])
    a, b = (lab.netns(name).nic("eth0") for name in "ab")
    for _ in range(10):
        a.send(broadcast(a, "me", src=STATION))
        b.expect(broadcast(a, "me", src=STATION))
        b.send(broadcast(b, "me", src=STATION))
        a.expect(broadcast(b, "me", src=STATION))
    assert not held(lab)


# ---- In networks that were planned ----

FILE = """\
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {segment: {vlan: 0, uplink: lan}}
ports:
  host: {network: blue, netns: host1}
  p2: {network: blue, device: p2, anti-spoof: false}
  p3: {network: blue, device: p3, anti-spoof: false}
"""


@pytest.fixture
def planned(lab):
    """A guest host; p2, p3 and the LAN's end, which a bridge may join."""
    lab.netns("host1")
    for ours, theirs in (("lan0", "l1"), ("p2", "l2"), ("p3", "l3")):
        lan = lab.veth(ours, "lan", peer=theirs)
    lab.start_daemon()
    path = lab.dir + "/cloud.yaml"
    with open(path, "w") as f:
        f.write(FILE)
    lab.weft("apply", path)
    lab.netns("host1").wait_link("eth0")
    return lan, lab.netns("host1").nic("eth0")


def join(lan, *devices):
    lan.run("ip", "link", "add", "ring", "type", "bridge")
    for device in devices:
        lan.run("sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % device)
        lan.run("ip", "link", "set", device, "master", "ring", "up")
    lan.run("sysctl", "-qw", "net.ipv6.conf.ring.disable_ipv6=1")
    lan.run("ip", "link", "set", "ring", "up")


def held_by_plan(lab):
    return {p["plan"]["name"]: p["plan"]["held"]
            for p in lab.weft("port", "list")["ports"]
            if p.get("plan", {}).get("held")}


@pytest.mark.parametrize("ends, names", [
    (("l2", "l3"), {"p2", "p3"}),         # two ports of guests
    (("l1", "l2"), {"p2"}),               # a port, and the uplink's LAN
])
def test_a_loop_in_a_planned_network(lab, planned, ends, names):
    lan, guest = planned
    # Probes go by themselves; what floods is bounded until they are back.
    join(lan, *ends)
    guest.send(broadcast(guest, "round and round"))
    why = eventually(lambda: held_by_plan(lab), "one end is held", timeout=3)
    assert len(why) == 1
    name, sentence = why.popitem()
    assert name in names and "there is a loop in network 'blue'" in sentence
    assert sent_by(lab, "p2", "p3", "lan0") <= 1000
    assert sentence in lab.log()
    assert "held" in lab.text("port", "list")
    quiet = sent_by(lab, "p2", "p3", "lan0")
    guest.send(broadcast(guest, "and now"))
    lab.weft("controller", "show")
    assert sent_by(lab, "p2", "p3", "lan0") - quiet <= 50

    lan.run("ip", "link", "set", "ring", "down")
    eventually(lambda: not held_by_plan(lab), "it is let go", timeout=10)
    end = lan.nic({"p2": "l2", "p3": "l3"}[name])
    eventually(lambda: guest_hears(guest, end), "it is heard again")


def guest_hears(guest, end):
    end.send(broadcast(end, "here again"))
    try:
        guest.expect(broadcast(end, "here again"), timeout=0.5)
    except AssertionError:
        return False
    return True


def test_one_way_in_is_not_probed(lab):
    """An unchecked port alone: nobody looks for loops there."""
    lab.netns("a")
    lab.start_daemon()
    lab.weft("network", "create", "blue", "--subnet", "10.1.0.0/24")
    lab.weft("port", "add", "a", "--network", "blue", "--netns", "a",
             "--anti-spoof", "false")
    a = lab.netns("a")
    a.wait_link("eth0")
    assert "dl_dst=03:00:57:45:46:54" not in str(lab.weft("flow", "list"))
    lab.weft("port", "add", "b", "--network", "blue", "--device", "not-there",
             "--anti-spoof", "false")
    eventually(lambda: "dl_dst=03:00:57:45:46:54"
               in str(lab.weft("flow", "list")), "two are probed")
