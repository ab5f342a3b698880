"""The switch's own port, which OpenFlow calls LOCAL, as Open vSwitch's users
know it of a bridge.

    br0 (internal, LOCAL, 10.0.0.1) | c1 (10.0.0.2), c2: taps 1 and 2
"""

import shutil

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from conftest import Switch
from netns import eventually
from test_packets import Monitor

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
LOCAL = 0xfffffffe
FRAME = (Ether(src="02:00:00:00:00:21", dst="02:00:00:00:00:99")
         / IP(src="10.0.0.9", dst="10.0.0.8") / UDP(sport=7, dport=8)
         / b"to the switch itself")


@pytest.fixture
def switch(lab):
    if not shutil.which("ovs-ofctl"):
        pytest.skip("ovs-ofctl is missing (Debian openvswitch-switch)")
    lab.netns("c1")
    lab.netns("c2")
    return Switch(lab, ports=("local=internal:br0,addr=10.0.0.1/24",
                              "1=c1=tap:eth0,netns=c1,addr=10.0.0.2/24",
                              "2=c2=tap:eth0,netns=c2,addr=10.0.0.3/24"))


@VERSIONS
def test_the_port_is_described(switch, version):
    assert "LOCAL(br0)" in switch.ofctl(version, "show")
    assert "LOCAL(br0)" in switch.ofctl(version, "dump-ports-desc")
    said = switch.ofctl(version, "dump-ports")
    assert said.count("rx pkts=") == 3 and "LOCAL" in said
    said = switch.ofctl(version, "dump-ports", "LOCAL")
    assert said.count("rx pkts=") == 1 and "LOCAL" in said
    switch.ofctl(version, "queue-stats", "LOCAL")


@VERSIONS
def test_pings_go_both_ways_by_flows(lab, switch, version):
    switch.ofctl(version, "add-flows", "-", stdin="""
        in_port=LOCAL,actions=output:1
        in_port=1,actions=LOCAL
        """)
    said = switch.ofctl(version, "dump-flows", "--no-stats")
    assert "in_port=LOCAL actions=output:1" in said
    assert "in_port=1 actions=LOCAL" in said
    assert lab.host.ping("10.0.0.2", count=3)
    assert lab.netns("c1").ping("10.0.0.1", count=3)
    switch.ofctl(version, "del-flows", "out_port=LOCAL")
    assert "actions=LOCAL" not in switch.ofctl(version, "dump-flows")
    switch.ofctl(version, "mod-flows", "in_port=LOCAL,actions=drop")
    assert "in_port=LOCAL actions=drop" in switch.ofctl(
        version, "dump-flows", "--no-stats", "in_port=LOCAL")


@VERSIONS
def test_a_changed_port_is_not_used(lab, switch, version):
    switch.ofctl(version, "add-flow", "udp,actions=FLOOD")
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    c2 = lab.netns("c2").nic("eth0")
    mark = FRAME / b"from c2"

    def set_port(how):
        switch.ofctl(version, "mod-port", "br0", how)

    set_port("no-receive")
    host.send(FRAME)
    c2.send(mark)
    c1.absent(FRAME, behind=mark)
    set_port("receive")
    set_port("no-forward")
    c1.send(FRAME)
    c2.expect(FRAME)
    set_port("forward")
    c2.send(mark)
    host.absent(FRAME, behind=mark)
    set_port("down")
    host.send(FRAME)
    c2.send(mark)
    c1.absent(FRAME, behind=mark)
    set_port("up")
    host.send(FRAME)
    c1.expect(FRAME)


def test_the_bridge_learns_behind_it_and_floods_to_it(lab, switch):
    switch.ofctl("OpenFlow13", "add-flow", "actions=NORMAL")
    assert lab.netns("c1").ping("10.0.0.1")
    assert lab.netns("c2").ping("10.0.0.1")
    stations = lab.weft("fdb", "list")["fdb"]
    behind = [s for s in stations if s["number"] == LOCAL]
    assert [s["port"] for s in behind] == ["br0"]
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    for action in ("FLOOD", "ALL"):
        switch.ofctl("OpenFlow13", "add-flow", "udp,actions=" + action)
        c1.send(FRAME)
        host.expect(FRAME)
        host.send(FRAME)
        c1.expect(FRAME)


@VERSIONS
def test_packets_come_up_and_go_out(lab, switch, version):
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    text = bytes(FRAME).hex()
    switch.ofctl(version, "packet-out",
                 "in_port=CONTROLLER,packet=%s,actions=LOCAL" % text)
    host.expect(FRAME)
    switch.ofctl(version, "add-flow", "in_port=LOCAL,udp,actions=output:1")
    switch.ofctl(version, "packet-out",
                 "in_port=LOCAL,packet=%s,actions=TABLE" % text)
    c1.expect(FRAME)
    # Not back to where it came from, unless that is asked for.
    switch.ofctl(version, "packet-out",
                 "in_port=LOCAL,packet=%s,actions=LOCAL,output:1" % text)
    switch.ofctl(version, "packet-out",
                 "in_port=LOCAL,packet=%s,actions=IN_PORT"
                 % bytes(FRAME / b"back").hex())
    c1.expect(FRAME)
    host.absent(FRAME, behind=FRAME / b"back")


class LocalMonitor(Monitor):
    DEVICE = "br0"


@VERSIONS
def test_messages_name_it(lab, switch, version):
    switch.ofctl(version, "add-flow", "in_port=LOCAL,udp,actions=CONTROLLER")
    with LocalMonitor(lab, switch, version, "65534") as monitor:
        monitor.sees(FRAME, "in_port=LOCAL")
        switch.ofctl(version, "mod-port", "br0", "no-receive")
        eventually(lambda: any(
            "LOCAL(br0)" in said and "NO_RECV" in said
            for said in monitor.text().split("PORT_STATUS")[1:]),
            "ovs-ofctl monitor prints the port's change")


@VERSIONS
def test_actions_with_its_number(lab, switch, version):
    """learn, registers and bundle carry it in 16 bits too."""
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    switch.ofctl(version, "add-flows", "-", stdin="""
        in_port=LOCAL,udp,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),output:1
        in_port=1,udp,actions=resubmit(,1)
        in_port=2,udp,actions=load:0xfffe->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]
        """)
    back = (Ether(src=FRAME[Ether].dst, dst=FRAME[Ether].src)
            / IP(src="10.0.0.8", dst="10.0.0.9") / UDP() / b"answer")
    host.send(FRAME)
    c1.expect(FRAME)
    assert "actions=LOCAL" in switch.ofctl(version, "dump-flows",
                                           "--no-stats", "table=1")
    c1.send(back)
    host.expect(back)
    lab.netns("c2").nic("eth0").send(FRAME)
    host.expect(FRAME)


def test_groups_watch_it(lab, switch):
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    c2 = lab.netns("c2").nic("eth0")
    lab.weft("group", "add", "group_id=1,type=ff,"
             "bucket=bucket_id=0,watch_port=LOCAL,actions=LOCAL,"
             "bucket=bucket_id=1,watch_port=2,actions=output:2")
    switch.ofctl("OpenFlow15", "add-flow", "in_port=1,actions=group:1")
    c1.send(FRAME)
    host.expect(FRAME)
    switch.ofctl("OpenFlow15", "mod-port", "br0", "down")
    c1.send(FRAME)
    c2.expect(FRAME)


def test_the_operator_sees_it(lab, switch):
    assert lab.port("br0")["number"] == LOCAL
    assert lab.text("port", "show", "LOCAL").startswith("number")
    assert "LOCAL" in lab.text("port", "list")
    switch.ofctl("OpenFlow13", "add-flow", "in_port=LOCAL,actions=output:1")
    trace = lab.trace("LOCAL", "icmp,nw_dst=10.0.0.2")
    assert "in_port=LOCAL" in trace and "sent to port c1 (1)" in trace
    host, c1 = lab.host.nic("br0"), lab.netns("c1").nic("eth0")
    host.send(FRAME)
    c1.expect(FRAME)
    matches = [e["match"] for e in lab.weft("cache", "list")["cache"]]
    assert any("in_port=LOCAL" in m for m in matches)


def test_it_comes_and_goes(lab, switch):
    said = switch.ofctl("OpenFlow13", "show")
    assert "LOCAL(br0)" in said
    lab.weft("port", "delete", "br0")
    assert "LOCAL" not in switch.ofctl("OpenFlow13", "show")
    switch.ofctl("OpenFlow13", "add-flow", "in_port=1,actions=LOCAL")
    assert "there is no port LOCAL" in lab.trace("c1", "udp")
    # A port called as the switch is its own.
    lab.weft("port", "add", "internal:br0,addr=10.0.0.1/24")
    assert lab.port("br0")["number"] == LOCAL
    lab.weft("port", "delete", "LOCAL")
    lab.weft("port", "add", "--number", "local", "own=internal:own0")
    assert lab.port("own")["number"] == LOCAL
    answer = lab.weft("port", "add", "local=x=internal:own1", status=None)
    assert answer.returncode and "LOCAL is taken" in answer.stdout
