"""Flow entries decide, and trace says why.

      a  10.0.0.1     b  10.0.0.2     c  10.0.0.3
       | tap           | tap           | tap
    ---+---------------+---------------+---  br0
"""

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.utils import rdpcap

import weft
from netns import eventually

BLOCK = "priority=100,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2"


@pytest.fixture
def guests(lab):
    lab.start(*[lab.plug("tap", n, name, "10.0.0.%d/24" % n)
                for n, name in enumerate("abc", 1)])
    return [lab.netns(name) for name in "abc"]


def test_a_new_switch_shows_the_entry_that_makes_it_a_bridge(lab, guests):
    flows = lab.weft("flow", "list")["flows"]
    assert len(flows) == 1
    assert flows[0]["priority"] == 0 and flows[0]["actions"] == "NORMAL"
    lab.weft("flow", "delete", "")
    assert lab.weft("flow", "list")["flows"] == []
    assert not guests[0].ping("10.0.0.2", deadline=1)
    assert lab.drops("table-miss") > 0


def test_a_secure_switch_starts_empty(lab):
    lab.start(lab.plug("tap", 1, "a", "10.0.0.1/24"),
              options=("--fail-mode", "secure"))
    assert lab.weft("flow", "list")["flows"] == []


def test_an_entry_blocks_one_pair_and_trace_says_so(lab, guests):
    a, _b, _c = guests
    assert a.ping("10.0.0.2")
    lab.weft("flow", "add", BLOCK + ",actions=drop")
    assert not a.ping("10.0.0.2", deadline=1)
    assert a.ping("10.0.0.3")
    assert lab.drops("drop-action") > 0

    packet = "icmp,nw_src=10.0.0.1,nw_dst=10.0.0.2"
    answer = lab.weft("trace", "a", packet, status=weft.NEGATIVE)
    assert answer["drop_reason"] == "drop-action"
    assert "priority 100 ip,nw_src=10.0.0.1" in lab.trace("a", packet)

    counted = [f for f in lab.weft("flow", "list")["flows"]
               if f["priority"] == 100]
    assert counted[0]["packets"] > 0
    lab.weft("flow", "delete", BLOCK.split(",", 1)[1])
    assert a.ping("10.0.0.2")


def test_trace_knows_the_cache_entry(lab, guests):
    lab.weft("flow", "add", BLOCK + ",actions=drop")
    guests[0].ping("10.0.0.2", deadline=1)
    cached = lab.weft("cache", "list")["cache"]
    drops = [e for e in cached if "drop" in e["actions"]]
    assert drops and "nw_dst=10.0.0.2" in drops[0]["match"]


@pytest.mark.parametrize("action,check", [
    ("set_field:02:00:00:00:00:99->eth_dst",
     lambda f: f.dst == "02:00:00:00:00:99"),
    ("set_field:192.0.2.9->ip_dst",
     lambda f: f[IP].dst == "192.0.2.9"),
    ("set_field:99->udp_dst", lambda f: f[UDP].dport == 99),
    ("set_field:12->ip_dscp", lambda f: f[IP].tos >> 2 == 12),
    ("push_vlan:0x8100,set_field:0x1005->vlan_vid",
     lambda f: f[Dot1Q].vlan == 5),
    ("dec_ttl", lambda f: f[IP].ttl == 63),
], ids=lambda v: v if isinstance(v, str) else "")
def test_actions_edit_and_keep_the_packet_sound(lab, guests, action, check):
    a, b, _c = [g.nic("eth0") for g in guests]
    lab.weft("flow", "add", "priority=200,udp,in_port=1,actions=%s,output:2"
             % action)
    sent = (Ether(dst=b.mac, src=a.mac)
            / IP(src="10.0.0.1", dst="10.0.0.2", ttl=64)
            / UDP(sport=7, dport=8) / b"payload of some length")
    a.send(sent)
    got = b.expect(lambda f: f.haslayer(UDP))
    assert check(got)
    # Made again by scapy, with fresh checksums, it is the same frame.
    again = got.__class__(got.raw)
    del again[IP].chksum, again[UDP].chksum
    assert bytes(again) == got.raw


def test_output_to_one_to_many_and_back(lab, guests):
    a, b, c = [g.nic("eth0") for g in guests]
    frame = (Ether(dst="02:00:00:00:00:77", src=a.mac)
             / IP(src="10.0.0.1", dst="10.0.0.9") / UDP() / (b"x" * 30))
    for actions, there, away in (("output:2", [b], [a, c]),
                                 ("output:2,output:3", [b, c], [a]),
                                 ("flood", [b, c], [a]),
                                 ("in_port", [a], [b, c])):
        lab.weft("flow", "add", "priority=300,udp,in_port=1,actions=" + actions)
        a.send(frame)
        for nic in there:
            nic.expect(frame)
        end = Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88b5, src=c.mac) \
            / (b"end" + actions.encode()).ljust(46)
        c.send(end)
        for nic in away:
            if nic is not c:
                nic.absent(frame, behind=end)


def test_capture_shows_both_ways(lab, guests, tmp_path):
    a, _b, _c = guests
    out = tmp_path / "a.pcap"
    assert a.ping("10.0.0.2")
    with open(out, "wb") as f:
        capture = lab.host.popen(lab.program("weft"), "--run-dir",
                                 lab.run_dir, "capture", "a", "icmp",
                                 "-w", "-", stdout=f)
    try:
        eventually(lambda: a.ping("10.0.0.2") and out.stat().st_size > 200,
                   "packets in the capture")
    finally:
        capture.terminate()
        capture.wait()
    kinds = {p[ICMP].type for p in rdpcap(str(out)) if p.haslayer(ICMP)}
    assert kinds == {0, 8}
