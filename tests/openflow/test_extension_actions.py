"""Actions that Open vSwitch adds, given by ovs-ofctl and met by packets.  The
entries that count are for IPv4: a tap may have something to say by IPv6.

    of1 | of2      two taps on br0, which starts empty
"""

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from conftest import Switch
from netns import eventually

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
ENDS = pytest.mark.parametrize("version", (Switch.VERSIONS[0],
                                           Switch.VERSIONS[-1]))
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def frame(src, dst, layer4, ip="10.0.0.1"):
    return Ether(src=src, dst=dst) / IP(src=ip, dst="10.0.0.9") / layer4 \
        / (b"weft" * 12)


def udp(src, dst, ip="10.0.0.1"):
    return frame(src, dst, UDP(sport=7, dport=8), ip)


class Nics:
    def __init__(self, lab):
        self.nics = {n: lab.host.nic("of%d" % n) for n in (1, 2)}

    def passes(self, packet, port=1, to=2):
        """The frame leaves by the other port."""
        self.nics[port].send(packet)
        self.nics[to].expect(lambda got: bytes(got) == bytes(packet))


def entries(ofctl, version, table):
    said = ofctl(version, "dump-flows", "table=%d" % table)
    return [line.strip() for line in said.splitlines() if "actions=" in line]


@VERSIONS
def test_a_bridge_of_learned_entries(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "table=0,udp,actions=learn(table=1,"
          "hard_timeout=60,cookie=0x5,NXM_OF_VLAN_TCI[0..11],"
          "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),"
          "resubmit(,1)")
    ofctl(version, "add-flow", "table=1,priority=0,actions=FLOOD")
    for _ in range(3):
        nics.passes(udp(A, B), port=1, to=2)
        nics.passes(udp(B, A), port=2, to=1)
    learned = [e for e in entries(ofctl, version, 1) if "cookie=0x5" in e]
    assert len(learned) == 2, learned
    by_port = {("dl_dst=" + mac): port for mac, port in ((A, 1), (B, 2))}
    for entry in learned:
        match, = [m for m in by_port if m in entry]
        assert "hard_timeout=60" in entry
        assert entry.endswith("actions=output:%d" % by_port[match])
    # What was answered met the entry: A heard of it by no flood.
    to_a, = [e for e in learned if "dl_dst=" + A in e]

    def counted():
        entry, = [e for e in entries(ofctl, version, 1) if "dl_dst=" + A in e]
        return "n_packets=3" in entry
    eventually(counted, "the entry counts its three packets: " + to_a)


@ENDS
def test_learned_entries_go_with_their_teacher(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "table=0,udp,in_port=1,actions=learn(table=1,"
          "cookie=0x5,delete_learned,limit=1,NXM_OF_ETH_SRC[]),output:2")
    nics.passes(udp(A, B))
    nics.passes(udp(B, A))
    assert len(entries(ofctl, version, 1)) == 1
    ofctl(version, "del-flows", "table=0")
    assert not entries(ofctl, version, 1)


@VERSIONS
def test_a_conjunction(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow",
          "priority=9,ip,nw_src=10.0.0.0/24,actions=conjunction(3,1/2)")
    ofctl(version, "add-flow",
          "priority=9,udp,tp_dst=8,actions=conjunction(3,2/2)")
    ofctl(version, "add-flow", "priority=9,ip,conj_id=3,actions=output:2")
    ofctl(version, "add-flow", "priority=1,ip,actions=IN_PORT")
    nics.passes(udp(A, B, "10.0.0.1"))
    nics.passes(udp(A, B, "10.0.1.1"), to=1)
    nics.passes(frame(A, B, UDP(sport=7, dport=9)), to=1)

    def counted():
        return sum("n_packets=1," in e and "conj" in e
                   for e in entries(ofctl, version, 0)) == 3
    eventually(counted, "its entry and both clauses count the packet")


@ENDS
def test_a_packet_s_length_decides(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "actions=check_pkt_larger(100)->"
          "NXM_NX_REG0[3],resubmit(,1)")
    ofctl(version, "add-flow", "table=1,reg0=0x8/0x8,actions=output:2")
    ofctl(version, "add-flow", "table=1,reg0=0/0x8,actions=IN_PORT")
    small = udp(A, B)
    assert len(small) == 90
    exact = bytes(small) + bytes(10)
    longer = bytes(small) + bytes(11)
    for _ in range(2):
        nics.passes(exact, to=1)
        nics.passes(longer, to=2)


@ENDS
def test_members_of_a_bundle(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "actions=bundle(eth_src,0,active_backup,"
          "ofport,members:77,2)")
    nics.passes(udp(A, B))
    ofctl(version, "add-flow", "actions=bundle_load(symmetric_l4,0,hrw,"
          "ofport,NXM_NX_REG1[0..15],members:2,78),output:NXM_NX_REG1[0..15]")
    nics.passes(udp(A, B))
    ofctl(version, "add-flow", "actions=multipath(symmetric_l4,0,modulo_n,1,"
          "0,NXM_NX_REG1[0..15]),load:2->NXM_NX_REG2[],"
          "output:NXM_NX_REG2[0..15]")
    nics.passes(udp(A, B))


@ENDS
def test_samples_are_counted(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "udp,actions=sample(probability=65535,"
          "collector_set_id=1,obs_domain_id=2,obs_point_id=3),output:2")
    for _ in range(3):
        nics.passes(udp(A, B))
    value, = [row["value"] for row in lab.weft("metrics")
              if row["name"] == "weft_datapath_samples_total"]
    assert value == "3"


@ENDS
def test_a_connection_s_end_shortens_its_entry(lab, ofctl, version):
    nics = Nics(lab)
    ofctl(version, "add-flow", "tcp,idle_timeout=600,actions=fin_timeout("
          "idle_timeout=30,hard_timeout=40),output:2")
    nics.passes(frame(A, B, TCP(sport=7, dport=8, flags="A")))
    assert "idle_timeout=600" in entries(ofctl, version, 0)[0]
    nics.passes(frame(A, B, TCP(sport=7, dport=8, flags="FA")))
    eventually(lambda: "idle_timeout=30, hard_timeout=40"
               in entries(ofctl, version, 0)[0], "its timeouts come down")
