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
