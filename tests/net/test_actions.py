"""Every action, by the bytes that leave (testbench.py has the network).

A case is flow entries, a frame, and the frames that come out of it, made by
scapy with all lengths and checksums anew."""

import copy

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

import testbench
from netns import eventually
from testbench import A, B, C

DATA = Raw(bytes(range(64)))
UDP_DATA = UDP(sport=1, dport=2) / DATA
S, D = "10.0.0.1", "10.0.0.2"


@pytest.fixture(scope="module")
def switch(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def bench(switch):
    switch.clear()
    return switch


def eth(payload, **changes):
    return Ether(**dict({"src": A, "dst": B}, **changes)) / payload


def ip(payload=UDP_DATA, **changes):
    return IP(**dict({"src": S, "dst": D, "ttl": 64}, **changes)) / payload


def ip6(payload=UDP_DATA, **changes):
    return IPv6(**dict({"src": "fd00::1", "dst": "fd00::2", "hlim": 64},
                       **changes)) / payload


def vlan(vid, payload, prio=0):
    return Dot1Q(vlan=vid, prio=prio) / payload


def mpls(label, payload, cos=0, s=1, ttl=64):
    return MPLS(label=label, cos=cos, s=s, ttl=ttl) / payload


V4, V6 = eth(ip()), eth(ip6())

# (what, flow entries, frame, what leaves by port 3)
CASES = [
    # --- VLAN tags
    ("a tag is pushed",
     ["actions=push_vlan:0x8100,set_field:0x1005->vlan_vid,"
      "set_field:3->vlan_pcp,output:3"], V4, eth(vlan(5, ip(), 3))),
    ("mod_vlan_vid tags", ["actions=mod_vlan_vid:5,mod_vlan_pcp:2,output:3"],
     V4, eth(vlan(5, ip(), 2))),
    ("mod_vlan_vid keeps the priority", ["actions=mod_vlan_vid:5,output:3"],
     eth(vlan(7, ip(), 6)), eth(vlan(5, ip(), 6))),
    ("a tag is popped", ["vlan_tci=0x1000/0x1000,actions=pop_vlan,output:3"],
     eth(vlan(7, ip(), 6)), V4),
    ("strip_vlan of what has no tag", ["actions=strip_vlan,output:3"],
     V4, V4),
    ("an 802.1ad tag goes around",
     ["dl_vlan=7,actions=push_vlan:0x88a8,set_field:0x1009->vlan_vid,"
      "set_field:1->vlan_pcp,output:3"], eth(vlan(7, ip(), 6)),
     eth(Dot1AD(vlan=9, prio=1) / vlan(7, ip(), 6))),
    ("the outer of two tags is popped",
     ["dl_vlan=9,actions=pop_vlan,output:3"],
     eth(Dot1AD(vlan=9) / vlan(7, ip(), 6)), eth(vlan(7, ip(), 6))),
    ("both tags are popped", ["dl_vlan=9,actions=pop_vlan,pop_vlan,output:3"],
     eth(Dot1AD(vlan=9) / vlan(7, ip(), 6)), V4),
    ("the inner tag is matched once the outer is gone",
     ["dl_vlan=9,actions=pop_vlan,goto_table:1",
      "table=1,dl_vlan=7,actions=output:3", "table=1,priority=1,actions="],
     eth(Dot1AD(vlan=9) / vlan(7, ip(), 6)), eth(vlan(7, ip(), 6))),
    ("what is pushed is popped",
     ["actions=push_vlan:0x8100,set_field:0x1005->vlan_vid,pop_vlan,"
      "output:3"], V6, V6),
    ("the tag of ARP is popped", ["actions=pop_vlan,output:3"],
     eth(vlan(7, ARP(psrc=S, pdst=D, hwsrc=A))),
     eth(ARP(psrc=S, pdst=D, hwsrc=A))),

    # --- MPLS
    ("a label is pushed and set",
     ["ip,actions=push_mpls:0x8847,set_field:99->mpls_label,"
      "set_field:5->mpls_tc,output:3"],
     V4, eth(mpls(99, ip(), 5), type=0x8847)),
    ("a label goes around IPv6",
     ["ipv6,actions=push_mpls:0x8847,set_field:99->mpls_label,"
      "set_field:0->mpls_tc,output:3"],
     eth(ip6(hlim=9)), eth(mpls(99, ip6(hlim=9), 0, ttl=9), type=0x8847)),
    ("two labels are pushed",
     ["ip,actions=push_mpls:0x8847,set_field:1000->mpls_label,"
      "set_field:0->mpls_tc,push_mpls:0x8848,set_field:2000->mpls_label,"
      "output:3"],
     V4, eth(mpls(2000, mpls(1000, ip()), s=0), type=0x8848)),
    ("a label goes below a tag",
     ["ip,actions=push_mpls:0x8847,set_field:99->mpls_label,"
      "set_field:0->mpls_tc,output:3"],
     eth(vlan(7, ip(), 6)),
     eth(Dot1Q(vlan=7, prio=6, type=0x8847) / mpls(99, ip()))),
    ("the last label is popped", ["mpls,actions=pop_mpls:0x0800,output:3"],
     eth(mpls(99, ip(), 5), type=0x8847), V4),
    ("the last label is popped off IPv6",
     ["mpls,actions=pop_mpls:0x86dd,output:3"],
     eth(mpls(99, ip6(), 5), type=0x8847), V6),
    ("the outer label is popped", ["mpls,actions=pop_mpls:0x8847,output:3"],
     eth(mpls(5, mpls(99, ip()), s=0), type=0x8847),
     eth(mpls(99, ip()), type=0x8847)),
    ("all labels are popped",
     ["mpls,actions=pop_mpls:0x8847,pop_mpls:0x0800,output:3"],
     eth(mpls(5, mpls(99, ip()), s=0), type=0x8847), V4),
    ("what a label hid is matched",
     ["mpls,mpls_bos=1,actions=pop_mpls:0x0800,goto_table:1",
      "table=1,udp,nw_dst=10.0.0.2,tp_dst=2,actions=output:3",
      "table=1,priority=1,actions="],
     eth(mpls(99, ip(), 5), type=0x8847), V4),
    ("what a label hid is resubmitted, edited and sent",
     ["mpls,mpls_bos=1,actions=pop_mpls:0x0800,resubmit(,1),"
      "set_field:%s->eth_src,output:4" % C,
      "table=1,udp,tp_dst=2,actions=set_field:9->udp_dst,output:3"],
     eth(mpls(99, ip(), 5), type=0x8847),
     {3: eth(ip(UDP(sport=1, dport=9) / DATA)),
      4: eth(ip(UDP(sport=1, dport=9) / DATA), src=C)}),
    ("the second of two labels is matched",
     ["mpls,mpls_bos=0,actions=pop_mpls:0x8847,goto_table:1",
      "table=1,mpls,mpls_label=99,mpls_bos=1,actions=output:3"],
     eth(mpls(5, mpls(99, ip()), s=0), type=0x8847),
     eth(mpls(99, ip()), type=0x8847)),
    ("set_mpls_ttl", ["mpls,actions=set_mpls_ttl:7,output:3"],
     eth(mpls(5, ip()), type=0x8847), eth(mpls(5, ip(), ttl=7), type=0x8847)),
    ("dec_mpls_ttl", ["mpls,actions=dec_mpls_ttl,output:3"],
     eth(mpls(5, ip()), type=0x8847),
     eth(mpls(5, ip(), ttl=63), type=0x8847)),
    ("dec_mpls_ttl of an expired label",
     ["mpls,actions=dec_mpls_ttl,output:3"],
     eth(mpls(5, ip(), ttl=1), type=0x8847), {}),
    ("a label's TTL is matched once decremented",
     ["mpls,actions=dec_mpls_ttl,goto_table:1",
      "table=1,mpls,mpls_ttl=8,actions=output:3"],
     eth(mpls(5, ip(), ttl=9), type=0x8847),
     eth(mpls(5, ip(), ttl=8), type=0x8847)),
    ("copy_ttl_out to a label",
     ["mpls,actions=copy_ttl_out,output:3"],
     eth(mpls(5, ip(ttl=33)), type=0x8847),
     eth(mpls(5, ip(ttl=33), ttl=33), type=0x8847)),
    ("copy_ttl_in to IPv4", ["mpls,actions=copy_ttl_in,output:3"],
     eth(mpls(5, ip(), ttl=20), type=0x8847),
     eth(mpls(5, ip(ttl=20), ttl=20), type=0x8847)),
    ("copy_ttl_in to IPv6", ["mpls,actions=copy_ttl_in,output:3"],
     eth(mpls(5, ip6(), ttl=20), type=0x8847),
     eth(mpls(5, ip6(hlim=20), ttl=20), type=0x8847)),
    ("copy_ttl_in to the next label", ["mpls,actions=copy_ttl_in,output:3"],
     eth(mpls(5, mpls(6, ip(), ttl=9), s=0, ttl=20), type=0x8847),
     eth(mpls(5, mpls(6, ip(), ttl=20), s=0, ttl=20), type=0x8847)),
    ("copy_ttl_out from the next label", ["mpls,actions=copy_ttl_out,output:3"],
     eth(mpls(5, mpls(6, ip(), ttl=9), s=0, ttl=20), type=0x8847),
     eth(mpls(5, mpls(6, ip(), ttl=9), s=0, ttl=9), type=0x8847)),

    # --- TTL
    ("dec_ttl", ["ip,actions=dec_ttl,output:3"], V4, eth(ip(ttl=63))),
    ("dec_ttl of IPv6", ["ipv6,actions=dec_ttl,output:3"], V6,
     eth(ip6(hlim=63))),
    ("dec_ttl twice", ["ip,actions=dec_ttl,output:4,dec_ttl,output:3"], V4,
     {4: eth(ip(ttl=63)), 3: eth(ip(ttl=62))}),
    ("dec_ttl of the last hop", ["ip,actions=dec_ttl,output:3"],
     eth(ip(ttl=1)), {}),
    ("dec_ttl of zero", ["ip,actions=dec_ttl,output:3"], eth(ip(ttl=0)), {}),
    ("dec_ttl of IPv6's last hop", ["ipv6,actions=dec_ttl,output:3"],
     eth(ip6(hlim=1)), {}),
    ("what was sent before the TTL expired was sent",
     ["ip,actions=output:4,dec_ttl,output:3"], eth(ip(ttl=1)),
     {4: eth(ip(ttl=1))}),
    ("the TTL is matched once decremented",
     ["ip,actions=dec_ttl,goto_table:1",
      "table=1,ip,nw_ttl=63,actions=output:3",
      "table=1,priority=1,actions=output:4"], V4, eth(ip(ttl=63))),
    ("another TTL is matched once decremented",
     ["ip,actions=dec_ttl,goto_table:1",
      "table=1,ip,nw_ttl=63,actions=output:3",
      "table=1,priority=1,actions=output:4"], eth(ip(ttl=63)),
     {4: eth(ip(ttl=62))}),
    ("a TTL that was set is decremented",
     ["ip,actions=set_field:10->nw_ttl,dec_ttl,output:3"], V4,
     eth(ip(ttl=9))),
    ("mod_nw_ttl", ["ip,actions=mod_nw_ttl:10,output:3"], V4,
     eth(ip(ttl=10))),

    # --- The older way of setting
    ("mod_nw_src of TCP", ["actions=mod_nw_src:1.2.3.4,output:3"],
     eth(ip(TCP(sport=1, dport=2) / DATA)),
     eth(ip(TCP(sport=1, dport=2) / DATA, src="1.2.3.4"))),
    ("mod_nw_dst passes ARP by", ["actions=mod_nw_dst:1.2.3.4,output:3"],
     eth(ARP(psrc=S, pdst=D, hwsrc=A)), eth(ARP(psrc=S, pdst=D, hwsrc=A))),
    ("mod_tp_dst of TCP", ["tcp,actions=mod_tp_dst:80,output:3"],
     eth(ip(TCP(sport=1, dport=2) / DATA)),
     eth(ip(TCP(sport=1, dport=80) / DATA))),
    ("mod_tp_src of UDP", ["udp,actions=mod_tp_src:80,output:3"], V4,
     eth(ip(UDP(sport=80, dport=2) / DATA))),
    ("mod_tp_dst of SCTP", ["sctp,actions=mod_tp_dst:80,output:3"],
     eth(ip(SCTP(sport=1, dport=2) / DATA)),
     eth(ip(SCTP(sport=1, dport=80) / DATA))),
    ("mod_nw_tos", ["ip,actions=mod_nw_tos:184,output:3"], eth(ip(tos=3)),
     eth(ip(tos=0xbb))),
    ("mod_nw_ecn", ["ip,actions=mod_nw_ecn:2,output:3"], eth(ip(tos=0xb8)),
     eth(ip(tos=0xba))),
    ("mod_dl_src and mod_dl_dst",
     ["actions=mod_dl_src:%s,mod_dl_dst:%s,output:3" % (B, C)], V4,
     eth(ip(), src=B, dst=C)),
    ("a UDP checksum of zero stays", ["ip,actions=mod_nw_src:1.2.3.4,"
                                      "mod_tp_dst:9,output:3"],
     eth(ip(UDP(sport=1, dport=2, chksum=0) / DATA)),
     eth(ip(UDP(sport=1, dport=9, chksum=0) / DATA, src="1.2.3.4"))),

    # --- Bits, registers, the stack
    ("masked set_field",
     ["ip,actions=set_field:0.0.0.9/0.0.0.255->nw_dst,output:3"], V4,
     eth(ip(dst="10.0.0.9"))),
    ("load of some bits", ["ip,actions=load:0x7f->NXM_OF_IP_DST[8..15],"
                           "output:3"], V4, eth(ip(dst="10.0.127.2"))),
    ("load of one bit", ["actions=load:1->NXM_OF_ETH_DST[40],output:3"], V4,
     eth(ip(), dst="03:00:00:00:00:02")),
    ("addresses are swapped",
     ["ip,actions=push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],"
      "pop:NXM_OF_IP_SRC[],pop:NXM_OF_IP_DST[],output:3"], V4,
     eth(ip(src=D, dst=S))),
    ("addresses are swapped by way of a register",
     ["actions=move:NXM_OF_ETH_SRC[]->xxreg0[0..47],"
      "move:NXM_OF_ETH_DST[]->NXM_OF_ETH_SRC[],"
      "move:xxreg0[0..47]->NXM_OF_ETH_DST[],output:3"], V4,
     eth(ip(), src=B, dst=A)),
    ("bits are moved",
     ["ip,actions=move:NXM_OF_IP_SRC[0..7]->NXM_OF_IP_DST[24..31],output:3"],
     V4, eth(ip(dst="1.0.0.2"))),
    ("a value from one table is matched in another",
     ["ip,actions=move:NXM_OF_IP_DST[]->reg3[],goto_table:1",
      "table=1,reg3=0x0a000002,actions=output:3"], V4, V4),
    ("output by a register", ["actions=load:3->reg0[],output:reg0[]"], V4,
     V4),
    ("output by some bits of a register",
     ["actions=load:0x30000->reg5[],output:NXM_NX_REG5[16..31]"], V4, V4),
    ("output by a field of the packet", ["udp,actions=output:udp_src[]"],
     eth(ip(UDP(sport=3, dport=2) / DATA)),
     eth(ip(UDP(sport=3, dport=2) / DATA))),
    ("metadata is written in parts",
     ["actions=write_metadata:0xff00,goto_table:1",
      "table=1,actions=write_metadata:0xaa/0xff,goto_table:2",
      "table=2,metadata=0xffaa,actions=output:3"], V4, V4),
    ("registers keep their values below a label",
     ["mpls,actions=load:7->reg1[],load:1->xreg4[],pop_mpls:0x0800,"
      "goto_table:1",
      "table=1,ip,reg1=7,xreg4=1,actions=output:3"],
     eth(mpls(9, ip()), type=0x8847), V4),

    # --- Where to
    ("output to many", ["actions=output:3,output:4,output:5"], V4,
     {3: V4, 4: V4, 5: V4}),
    ("output by name", ["actions=output:p3,p4"], V4, {3: V4, 4: V4}),
    ("not back where it came from", ["actions=output:1,output:3"], V4, V4),
    ("in_port", ["actions=in_port"], V4, {1: V4}),
    ("in_port and onwards", ["actions=in_port,output:3"], V4,
     {1: V4, 3: V4}),
    ("flood", ["actions=flood"], V4, {n: V4 for n in (2, 3, 4, 5)}),
    ("all", ["actions=all"], V4, {n: V4 for n in (2, 3, 4, 5)}),
    ("the same port twice", ["actions=output:3,output:3"], V4,
     {3: [V4, V4]}),
    ("edits between outputs stay with what follows",
     ["ip,actions=output:3,mod_nw_dst:1.1.1.1,output:4,"
      "push_vlan:0x8100,output:5"], V4,
     {3: V4, 4: eth(ip(dst="1.1.1.1")), 5: eth(vlan(0, ip(dst="1.1.1.1")))}),
    ("controller and onwards", ["actions=controller:100,output:3"], V4, V4),
    ("drop", ["actions=drop"], V4, {}),
    ("a port that is not there", ["actions=output:77,output:3"], V4, V4),

    # --- Truncation, clones
    ("the first bytes", ["actions=output(port=3,max_len=50),output:4"], V4,
     {3: bytes(V4)[:50], 4: V4}),
    ("no more bytes than there are",
     ["actions=output(port=3,max_len=9000)"], V4, V4),
    ("a clone is apart",
     ["ip,actions=clone(mod_nw_dst:1.1.1.1,push_vlan:0x8100,output:3),"
      "output:4"], V4, {3: eth(vlan(0, ip(dst="1.1.1.1"))), 4: V4}),
    ("clones in clones",
     ["ip,actions=clone(dec_ttl,clone(dec_ttl,output:3),output:4),output:5"],
     V4, {3: eth(ip(ttl=62)), 4: eth(ip(ttl=63)), 5: V4}),
    ("a clone's TTL expires alone",
     ["ip,actions=clone(dec_ttl,output:3),output:4"], eth(ip(ttl=1)),
     {4: eth(ip(ttl=1))}),
    ("a clone below a label",
     ["mpls,actions=clone(pop_mpls:0x0800,resubmit(,1)),output:4",
      "table=1,ip,actions=output:3"],
     eth(mpls(9, ip()), type=0x8847),
     {3: V4, 4: eth(mpls(9, ip()), type=0x8847)}),

    # --- Tables
    ("resubmit", ["actions=resubmit(,1),output:3",
                  "table=1,actions=output:4"], V4, {3: V4, 4: V4}),
    ("resubmit keeps edits",
     ["ip,actions=resubmit(,1),output:3",
      "table=1,ip,actions=mod_nw_dst:1.1.1.1"], V4, eth(ip(dst="1.1.1.1"))),
    ("resubmit as if from another port",
     ["in_port=1,actions=resubmit:5", "in_port=5,actions=output:3"], V4, V4),
    ("in_port of a resubmit is where it really came from",
     ["in_port=1,actions=resubmit(4,1)", "table=1,in_port=4,actions=in_port"],
     V4, {1: V4}),
    ("a resubmit that misses", ["actions=resubmit(,1),output:3"], V4, V4),
    ("exit", ["actions=output:3,exit,output:4"], V4, V4),
    ("exit of a resubmit ends it all",
     ["actions=resubmit(,1),output:4", "table=1,actions=output:3,exit"], V4,
     V4),
    ("note", ["actions=note:00.11.22.33.44.55,output:3"], V4, V4),
    ("a table miss drops", ["actions=goto_table:1"], V4, {}),
    ("priorities", ["priority=5,actions=output:4",
                    "priority=6,ip,actions=output:3",
                    "priority=4,udp,actions=output:5"], V4, V4),

    # --- The action set
    ("the action set has an order of its own",
     ["ip,actions=write_actions(output:3,set_field:1.1.1.1->nw_dst,"
      "dec_ttl,push_vlan:0x8100)"], V4, eth(vlan(0, ip(dst="1.1.1.1",
                                                       ttl=63)))),
    ("a later write replaces an earlier one",
     ["actions=write_actions(output:4),goto_table:1",
      "table=1,actions=write_actions(output:3)"], V4, V4),
    ("clear_actions",
     ["actions=write_actions(output:4),goto_table:1",
      "table=1,actions=output:3,clear_actions"], V4, V4),
    ("clear and write again",
     ["ip,actions=write_actions(output:4,dec_ttl),goto_table:1",
      "table=1,actions=clear_actions,write_actions(output:3)"], V4, V4),
    ("actions that are applied come first",
     ["ip,actions=mod_nw_dst:1.1.1.1,output:4,write_actions(output:3),"
      "goto_table:1", "table=1,ip,nw_dst=1.1.1.1,actions=mod_nw_dst:2.2.2.2"],
     V4, {4: eth(ip(dst="1.1.1.1")), 3: eth(ip(dst="2.2.2.2"))}),
    ("an action set without output drops",
     ["ip,actions=write_actions(dec_ttl)"], V4, {}),
    ("a set below a label",
     ["mpls,actions=pop_mpls:0x0800,write_actions(output:3),goto_table:1",
      "table=1,ip,actions=dec_ttl"],
     eth(mpls(9, ip()), type=0x8847), eth(ip(ttl=63))),
]


@pytest.mark.parametrize("what,flows,frame,out", CASES,
                         ids=[c[0].replace(" ", "-") for c in CASES])
def test_an_action(bench, what, flows, frame, out):
    bench.flows(*flows)
    bench.check(frame, out if isinstance(out, dict) else {3: out}, what=what)


def dropped(bench, reason, before=0):
    return sum(row["packets"] for row in
               bench.lab.api("GET", "/v1/drops")["drops"]
               if row["reason"] == reason) - before


@pytest.mark.parametrize("flow,frame,reason", [
    ("ip,actions=dec_ttl,output:3", eth(ip(ttl=1)), "ttl-expired"),
    ("mpls,actions=dec_mpls_ttl,output:3",
     eth(mpls(5, ip(), ttl=1), type=0x8847), "ttl-expired"),
    ("actions=drop", V4, "drop-action"),
    ("actions=goto_table:1", V4, "table-miss"),
    ("actions=group:9", V4, None),
    ("actions=output:77", V4, "no-port"),
    ("actions=resubmit(,0)", V4, "translate-limit"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_dropped_is_counted(bench, flow, frame, reason):
    if reason is None:
        # A group that is not there cannot be asked for.
        bench.lab.api("POST", "/v1/flows",
                      {"command": "add", "flows": [flow]}, status=422)
        return
    bench.flows(flow)
    before = dropped(bench, reason)
    assert bench.send(frame, frame, frame) == {}
    eventually(lambda: dropped(bench, reason, before) == 3,
               "three are counted as " + reason)


# --- Groups -------------------------------------------------------------------


def test_a_group_of_all(bench):
    bench.groups("group_id=1,type=all,bucket=actions=mod_nw_dst:1.1.1.1,"
                 "output:3,bucket=actions=push_vlan:0x8100,output:4,"
                 "bucket=actions=output:5")
    bench.flows("ip,actions=group:1")
    bench.check(V4, {3: eth(ip(dst="1.1.1.1")), 4: eth(vlan(0, ip())),
                     5: V4})
    rows = bench.lab.api("GET", "/v1/groups")["groups"]
    eventually(lambda: bench.lab.api("GET", "/v1/groups")["groups"][0]
               ["packets"] == 2, "two packets are counted")
    assert len(rows) == 1 and len(rows[0]["buckets"]) == 3


def test_what_a_group_does_is_the_buckets_own(bench):
    bench.groups("group_id=1,type=all,bucket=actions=mod_nw_dst:1.1.1.1,"
                 "dec_ttl,output:3")
    bench.flows("ip,actions=group:1,output:4")
    bench.check(V4, {3: eth(ip(dst="1.1.1.1", ttl=63)), 4: V4})


def test_an_indirect_group_and_groups_of_groups(bench):
    bench.groups("group_id=1,type=indirect,bucket=actions=dec_ttl,output:3")
    bench.groups("group_id=2,type=all,bucket=actions=group:1,"
                 "bucket=actions=output:4")
    bench.flows("ip,actions=write_actions(group:2)")
    bench.check(V4, {3: eth(ip(ttl=63)), 4: V4})
    bench.lab.api("POST", "/v1/groups", {"command": "modify", "groups": [
        "group_id=1,type=indirect,bucket=actions=output:5"]})
    bench.check(V4, {5: V4, 4: V4})


def test_a_select_group_keeps_connections_together(bench):
    bench.groups("group_id=1,type=select,bucket=weight:1,actions=output:3,"
                 "bucket=weight:1,actions=output:4,"
                 "bucket=weight:2,actions=output:5")
    bench.flows("udp,actions=group:1")
    frames = [eth(ip(UDP(sport=1000 + i, dport=2) / DATA))
              for i in range(200)]
    first = bench.send(*frames)
    assert sum(map(len, first.values())) == 200
    # The weights say 50, 50 and 100; a hash is not that exact.
    assert 20 < len(first[3]) < 80 and 20 < len(first[4]) < 80
    assert 70 < len(first[5]) < 130
    assert bench.send(*frames) == first


def test_fast_failover_goes_to_the_first_that_lives(bench):
    bench.groups("group_id=1,type=ff,bucket=watch_port:3,actions=output:3,"
                 "bucket=watch_port:4,actions=output:4")
    bench.flows("actions=group:1")
    lab = bench.lab
    bench.check(V4, {3: V4})
    lab.weft("port", "set", "p3", "admin=down")
    bench.check(V4, {4: V4}, among=(2, 4, 5))
    lab.weft("port", "set", "p4", "admin=down")
    before = dropped(bench, "group-empty")
    bench.check(V4, {}, among=(2, 5))
    eventually(lambda: dropped(bench, "group-empty", before) == 2,
               "two found no bucket")
    for name in ("p3", "p4"):
        lab.weft("port", "set", name, "admin=up")
        lab.wait_port(name, "up")
    bench.check(V4, {3: V4})


# --- Meters -------------------------------------------------------------------


def test_a_meter_drops_what_is_too_much(bench):
    bench.meters("meter=1,pktps,burst,stats,"
                 "bands=type=drop,rate=1,burst_size=5")
    bench.flows("ip,actions=meter:1,output:3")
    before = dropped(bench, "meter")
    got = bench.send(*[V4] * 40)
    n = len(got[3])
    assert got == {3: [bytes(V4)] * n} and 5 <= n <= 10
    eventually(lambda: dropped(bench, "meter", before) == 40 - n,
               "the others are counted")
    row = bench.lab.api("GET", "/v1/meters")["meters"][0]
    assert row["packets"] == 40 and row["bands"][0]["packets"] == 40 - n


def test_a_meter_marks_what_is_too_much(bench):
    # AF11 (10) becomes AF12 (12): its drop precedence rises by one.
    bench.meters("meter=2,pktps,burst,stats,"
                 "bands=type=dscp_remark,rate=1,burst_size=5,prec_level=1")
    bench.flows("ip,actions=meter:2,output:3")
    frame, marked = eth(ip(tos=10 << 2)), eth(ip(tos=12 << 2))
    got = bench.send(*[frame] * 40)[3]
    n = got.count(bytes(frame))
    assert 5 <= n <= 10 and got.count(bytes(marked)) == 40 - n
    assert got[:5] == [bytes(frame)] * 5


# --- Ports' flags -------------------------------------------------------------


def test_flood_spares_ports_that_say_so(bench):
    bench.flows("actions=flood")
    bench.lab.weft("port", "set", "p4", "no_flood=yes")
    try:
        bench.check(V4, {2: V4, 3: V4, 5: V4})
    finally:
        bench.lab.weft("port", "set", "p4", "no_flood=no")
    bench.check(V4, {n: V4 for n in (2, 3, 4, 5)})


# --- Checksums ----------------------------------------------------------------

CHECKED = [
    eth(ip(TCP(sport=1, dport=2, flags="PA") / DATA)),
    eth(ip(UDP_DATA)), eth(ip(ICMP() / DATA)),
    eth(ip6(TCP(sport=1, dport=2) / DATA)), eth(ip6(UDP_DATA)),
    eth(ip6(ICMPv6EchoRequest() / DATA)),
    eth(ip6(ICMPv6ND_NS(tgt="fd00::9") / ICMPv6NDOptSrcLLAddr(lladdr=A),
            hlim=255)),
    eth(ip(SCTP(sport=1, dport=2) / DATA)),
    eth(vlan(9, ip(TCP(sport=1, dport=2) / Raw(b"odd")))),
    eth(ip(UDP(sport=1, dport=2) / Raw(b"odd"))),
]


@pytest.mark.parametrize("frame", CHECKED, ids=lambda f: f.lastlayer(
    ).underlayer.name if f.lastlayer().underlayer else "")
def test_checksums_after_many_edits(bench, frame):
    """The edits that touch checksums, all in one list."""
    bench.flows(
        "ip,actions=mod_nw_src:203.0.113.77,mod_nw_dst:198.51.100.1,"
        "mod_nw_tos:32,dec_ttl,mod_tp_src:4242,mod_tp_dst:80,output:3",
        "ipv6,actions=set_field:fd99::1->ipv6_src,set_field:fd98::5->ipv6_dst,"
        "set_field:0xabcde->ipv6_label,dec_ttl,mod_tp_src:4242,mod_tp_dst:80,"
        "output:3")
    got = bench.send(frame)
    assert list(got) == [3] and len(got[3]) == 1
    out = Ether(got[3][0])
    fresh = copy.deepcopy(out)
    for layer in (IP, TCP, UDP, SCTP, ICMP, ICMPv6EchoRequest, ICMPv6ND_NS):
        if fresh.haslayer(layer):
            for name in ("chksum", "cksum"):
                if name in fresh[layer].fields:
                    delattr(fresh[layer], name)
    assert bytes(fresh) == got[3][0]
    head = out[IP] if IP in out else out[IPv6]
    assert head.src in ("203.0.113.77", "fd99::1")
    for layer in (TCP, UDP, SCTP):
        if layer in out:
            assert (out[layer].sport, out[layer].dport) == (4242, 80)
