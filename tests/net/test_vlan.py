"""NORMAL as a VLAN-aware bridge, frame by frame.

      a            b            c            t
      | tag=10     | tag=10     | tag=20     | trunk
   ---+------------+------------+------------+---  br0
"""

import pytest
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def nics(lab):
    lab.start(lab.plug("tap", 1, "a") + ",tag=10",
              lab.plug("tap", 2, "b") + ",tag=10",
              lab.plug("tap", 3, "c") + ",tag=20",
              lab.plug("tap", 4, "t"))
    return [lab.netns(name).nic("eth0") for name in "abct"]


def plain(nic, text, dst=BROADCAST):
    return Ether(dst=dst, src=nic.mac, type=0x88b5) / Raw(text.ljust(46))


def tagged(nic, vid, text, dst=BROADCAST, prio=0):
    return (Ether(dst=dst, src=nic.mac) / Dot1Q(vlan=vid, prio=prio,
                                                type=0x88b5)
            / Raw(text.ljust(46)))


def test_a_broadcast_stays_in_its_vlan(nics):
    a, b, c, t = nics
    a.send(plain(a, "ten"))
    t.send(tagged(t, 20, "twenty"))
    b.expect(plain(a, "ten"))
    t.expect(tagged(a, 10, "ten"))
    c.expect(plain(t, "twenty"))
    # What c and b must not have seen would have come before these.
    t.send(tagged(t, 10, "end"))
    b.absent(plain(t, "twenty"), behind=plain(t, "end"))
    t.send(tagged(t, 20, "end"))
    c.absent(plain(a, "ten"), behind=plain(t, "end"))


def test_an_access_port_takes_no_foreign_tag(nics):
    a, b, _c, t = nics
    a.send(tagged(a, 20, "smuggled"))
    a.send(plain(a, "honest"))
    b.absent(lambda f: b"smuggled" in f.raw, behind=plain(a, "honest"))
    t.absent(lambda f: b"smuggled" in f.raw, behind=tagged(a, 10, "honest"))


def test_priority_tags_are_no_vlan(nics):
    a, b, _c, t = nics
    a.send(tagged(a, 0, "urgent", prio=5))
    b.expect(lambda f: b"urgent" in f.raw)
    got = t.expect(lambda f: b"urgent" in f.raw)
    assert got[Dot1Q].vlan == 10


def test_known_stations_get_their_frames_alone(nics):
    a, b, _c, t = nics
    b.send(plain(b, "here I am"))
    a.expect(plain(b, "here I am"))
    a.send(plain(a, "for b", dst=b.mac))
    a.send(plain(a, "for all"))
    b.expect(plain(a, "for b", dst=b.mac))
    t.absent(lambda f: b"for b" in f.raw, behind=tagged(a, 10, "for all"))


def test_a_trunk_carries_what_it_is_told_to(lab, nics):
    a, _b, c, t = nics
    lab.weft("port", "set", "t", "trunks=20")
    a.send(plain(a, "ten"))
    c.send(plain(c, "twenty"))
    t.absent(lambda f: b"ten" in f.raw.split(b"twenty")[0],
             behind=tagged(c, 20, "twenty"))


@pytest.mark.parametrize("mode", ["native-untagged", "native-tagged"])
def test_native_vlan(lab, nics, mode):
    a, _b, _c, t = nics
    lab.weft("port", "set", "t", "vlan_mode=" + mode, "tag=10")
    t.send(plain(t, "native"))
    a.expect(plain(t, "native"))
    a.send(plain(a, "back"))
    t.expect(plain(a, "back") if mode == "native-untagged"
             else tagged(a, 10, "back"))


def test_protected_ports_do_not_see_each_other(lab, nics):
    a, b, _c, t = nics
    lab.weft("port", "set", "a", "protected=yes")
    lab.weft("port", "set", "b", "protected=yes")
    a.send(plain(a, "private"))
    t.expect(tagged(a, 10, "private"))
    t.send(tagged(t, 10, "end"))
    b.absent(plain(a, "private"), behind=plain(t, "end"))


def test_a_station_that_moves_is_found_again(lab, nics):
    a, b, _c, t = nics
    a.send(plain(a, "here"))
    t.expect(tagged(a, 10, "here"))
    b.send(plain(a, "now here"))            # a's address, b's port
    t.expect(tagged(a, 10, "now here"))
    t.send(tagged(t, 10, "follow", dst=a.mac))
    b.expect(plain(t, "follow", dst=a.mac))
    ports = [s["port"] for s in lab.weft("fdb", "list")["fdb"]
             if s["mac"] == a.mac]
    assert ports == ["b"]


def test_bridges_do_not_forward_link_local_addresses(lab, nics):
    a, b, _c, _t = nics
    before = lab.drops("reserved-mac")
    a.send(plain(a, "bpdu", dst="01:80:c2:00:00:00"))
    a.send(plain(a, "end"))
    b.absent(lambda f: b"bpdu" in f.raw, behind=plain(a, "end"))
    assert lab.drops("reserved-mac") == before + 1


def test_group_sources_are_not_learned(lab, nics):
    a, b, _c, _t = nics
    frame = plain(a, "odd")
    frame.src = "03:00:00:00:00:01"
    a.send(frame)
    a.send(plain(a, "end"))
    b.absent(frame, behind=plain(a, "end"))
    assert all(s["mac"] != frame.src for s in lab.weft("fdb", "list")["fdb"])
