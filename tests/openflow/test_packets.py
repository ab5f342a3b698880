"""Packets to and from controllers.

    a 10.0.0.1 | tap    b 10.0.0.2 | tap    on br0, which starts empty
"""

import os
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from conftest import Switch
from netns import eventually
from peer import Peer

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
FROM13 = pytest.mark.parametrize("version", Switch.VERSIONS[1:])
FRAME = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") \
    / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=7, dport=8) / b"weft"


@VERSIONS
def test_a_packet_out_leaves_by_its_port(lab, ofctl, version):
    nic = lab.host.nic("of2")
    ofctl(version, "packet-out", "in_port=controller,packet=%s,"
          "actions=output:2" % bytes(FRAME).hex())
    nic.expect(lambda got: bytes(got) == bytes(FRAME))


@VERSIONS
def test_a_packet_out_goes_through_the_tables(lab, ofctl, version):
    ofctl(version, "add-flow", "in_port=1,actions=output:2")
    nic = lab.host.nic("of2")
    ofctl(version, "packet-out", "in_port=1,packet=%s,actions=TABLE"
          % bytes(FRAME).hex())
    nic.expect(lambda got: bytes(got) == bytes(FRAME))


@VERSIONS
def test_a_packet_out_is_edited_as_what_it_is(lab, ofctl, version):
    """What its actions need is judged by the packet: there is no match."""
    nic = lab.host.nic("of2")
    ofctl(version, "packet-out", "in_port=controller,packet=%s,actions="
          "mod_nw_dst:10.0.0.7,mod_tp_dst:99,output:2" % bytes(FRAME).hex())
    nic.expect(lambda got: IP in got and got[IP].dst == "10.0.0.7"
               and got[UDP].dport == 99)
    arp = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / ARP()
    said = ofctl(version, "packet-out", "in_port=controller,packet=%s,actions="
                 "mod_nw_dst:10.0.0.7,output:2" % bytes(arp).hex(),
                 status=None)
    assert version == "OpenFlow10" or "MATCH_INCONSISTENT" in said


class Monitor:
    """`ovs-ofctl monitor` in the background, and what it has said."""

    DEVICE = "of1"

    def __init__(self, lab, switch, version, *args):
        self.path = os.path.join(lab.dir, "monitor")
        args = list(args)
        options = [args.pop(0) for a in args[:] if a.startswith("-")]
        self.said = open(self.path, "w")
        self.process = lab.host.popen(
            "ovs-ofctl", "-O", version, *options, "monitor",
            "unix:" + switch.mgmt, *args, stdout=self.said, stderr=self.said,
            env=dict(os.environ, OVS_RUNDIR=lab.dir))
        self.nic = lab.host.nic(self.DEVICE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.said.close()

    def text(self):
        with open(self.path) as f:
            return f.read()

    def sees(self, frame, *words):
        """Sends the frame until a message has all the words."""
        def is_seen():
            self.nic.send(frame)
            return any(all(w in said for w in words)
                       for said in self.text().split("PACKET_IN")[1:])
        eventually(is_seen, "ovs-ofctl monitor prints " + " ".join(words))


@VERSIONS
def test_packet_outs_count_where_they_pass(lab, ofctl, version):
    """As frames of a port do."""
    ofctl(version, "add-flow", "udp,actions=output:2")
    nic = lab.host.nic("of2")
    for _ in range(3):
        ofctl(version, "packet-out", "in_port=1,packet=%s,actions=TABLE"
              % bytes(FRAME).hex())
        nic.expect(FRAME)
    said = ofctl(version, "dump-aggregate", "udp")
    assert "packet_count=3 byte_count=%d " % (3 * len(FRAME)) in said


def test_a_packet_out_of_1_5_brings_fields(lab, ofctl):
    ofctl("OpenFlow15", "add-flow", "metadata=5,reg3=7,tun_id=9,in_port=1,"
          "actions=output:2")
    ofctl("OpenFlow15", "add-flow", "priority=1,actions=drop")
    nic = lab.host.nic("of2")
    ofctl("OpenFlow15", "packet-out", "in_port=1,metadata=5,reg3=8,tun_id=9,"
          "packet=%s,actions=TABLE" % bytes(FRAME).hex())
    ofctl("OpenFlow15", "packet-out", "in_port=1,metadata=5,reg3=7,tun_id=9,"
          "packet=%s,actions=TABLE" % bytes(FRAME).hex())
    nic.expect(FRAME)
    assert "n_packets=1," in ofctl("OpenFlow15", "dump-flows", "metadata=5")


FORMATS = pytest.mark.parametrize(
    "form", ("standard", "nxt_packet_in", "nxt_packet_in2"))


@VERSIONS
@FORMATS
def test_monitor_asks_for_a_format(lab, switch, ofctl, version, form):
    ofctl(version, "add-flow", "udp,actions=set_field:5->reg1,controller")
    path = os.path.join(lab.dir, "monitor")
    with open(path, "w") as said:
        watch = lab.host.popen(
            "stdbuf", "-oL", "ovs-ofctl", "-O", version, "-P", form,
            "monitor", "unix:" + switch.mgmt, "65534", stdout=said,
            stderr=said, env=dict(os.environ, OVS_RUNDIR=lab.dir))
    nic = lab.host.nic("of1")

    def is_seen():
        nic.send(FRAME)
        with open(path) as f:
            return "tp_dst=8" in (text := f.read()) and text

    try:
        text = eventually(is_seen, "ovs-ofctl monitor prints the packet")
    finally:
        watch.kill()
        watch.wait()
    name = {"standard": "OFPT_PACKET_IN", "nxt_packet_in": "NXT_PACKET_IN (",
            "nxt_packet_in2": "NXT_PACKET_IN2"}[form]
    assert name in text
    # Only 1.0's own form shows no registers.
    assert ("reg1=0x5" in text) == (form != "standard"
                                    or version != "OpenFlow10")


@VERSIONS
def test_monitor_shows_packets(lab, switch, ofctl, version):
    """A session that asked for them by its miss_send_len."""
    ofctl(version, "add-flow", "udp,actions=controller")
    with Monitor(lab, switch, version, "65534") as monitor:
        monitor.sees(FRAME, "tp_dst=8")


@pytest.mark.parametrize("form", ["standard", "nxt_packet_in",
                                  "nxt_packet_in2"])
@VERSIONS
def test_each_format_of_packet_ins(lab, switch, ofctl, version, form):
    ofctl(version, "add-flow", "udp,actions=set_field:5->reg3,"
          "controller(userdata=01.02,max_len=20)")
    shown = {"standard": [] if version == "OpenFlow10" else ["reg3=0x5"],
             "nxt_packet_in": ["reg3=0x5"],
             "nxt_packet_in2": ["reg3=0x5", "userdata=01.02"]}[form]
    with Monitor(lab, switch, version, "--packet-in-format=" + form, "65534") as monitor:
        monitor.sees(FRAME, "total_len=46", "data_len=20", *shown)


@VERSIONS
def test_a_packet_that_is_paused_goes_on_when_resumed(lab, switch, ofctl,
                                                      version):
    """What is left: the rest of a list, of the entry that resubmitted, the
    stack, registers, and the action set."""
    ofctl(version, "add-flow", "udp,actions=load:7->reg0[],push:reg0[],"
          "resubmit(,1),pop:reg1[],resubmit(,2)")
    ofctl(version, "add-flow", "table=1,udp,actions=mod_nw_ttl:9,"
          "controller(userdata=aa,pause),load:2->reg2[]")
    ofctl(version, "add-flow", "table=2,udp,reg0=7,reg1=7,reg2=2,"
          "actions=output:2")
    left = FRAME.copy()
    left[IP].ttl = 9
    del left[IP].chksum
    nic = lab.host.nic("of2")
    with Monitor(lab, switch, version, "--packet-in-format=nxt_packet_in2", "65534",
                 "resume") as monitor:
        monitor.sees(FRAME, "userdata=aa", "reg0=0x7")
        nic.expect(lambda got: bytes(got) == bytes(left))
        assert "error" not in monitor.text().lower()


@VERSIONS
def test_a_paused_packet_waits(lab, switch, ofctl, version):
    ofctl(version, "add-flow", "udp,actions=controller(pause),output:2")
    nic = lab.host.nic("of2")
    with Monitor(lab, switch, version, "--packet-in-format=nxt_packet_in2",
                 "65534") as monitor:
        monitor.sees(FRAME, "via action")
    # What leaves now was not paused.
    ofctl(version, "mod-flows", "udp,actions=mod_nw_ttl:3,output:2")
    left = FRAME.copy()
    left[IP].ttl = 3
    del left[IP].chksum
    lab.host.nic("of1").send(FRAME)
    nic.absent(lambda got: bytes(got) == bytes(FRAME),
               behind=lambda got: bytes(got) == bytes(left))


@FROM13
def test_a_resume_of_what_was_not_paused_is_refused(switch, version):
    """NXT_RESUME with a continuation that is nobody's."""
    number = {"OpenFlow13": 4, "OpenFlow14": 5, "OpenFlow15": 6}[version]
    frame = bytes(FRAME)
    pad = -(4 + len(frame)) % 8
    packet = struct.pack("!HH", 0, 4 + len(frame)) + frame + bytes(pad)
    inner = struct.pack("!HHIIIQ", 0x7701, 24, 0, 99, 0, 5)
    outer = struct.pack("!HHI", 8, 8 + len(inner), 0) + inner
    with Peer(switch.mgmt) as peer:
        peer.hello(number)
        resume = struct.pack("!II", 0x2320, 28)
        said = peer.ask(4, resume + packet + outer)
        assert struct.unpack_from("!HHI", said.body) == (0xffff, 35, 0x2320)
        # Without one there is nothing to resume.
        assert peer.ask(4, resume + packet).type == 1
        peer.barrier()


@VERSIONS
def test_who_asked_hears_of_used_up_ttls(lab, switch, ofctl, version):
    ofctl(version, "add-flow", "udp,actions=load:3->reg1[],dec_ttl,output:2")
    frame = FRAME.copy()
    frame[IP].ttl = 1
    if version == "OpenFlow10":
        with Monitor(lab, switch, version, "--packet-in-format=nxt_packet_in2", "65534",
                     "invalid_ttl") as monitor:
            monitor.sees(frame, "invalid_ttl", "reg1=0x3")
        return
    number = {"OpenFlow13": 4, "OpenFlow14": 5, "OpenFlow15": 6}[version]
    with Peer(switch.mgmt) as peer:
        peer.hello(number)
        peer.send(9, struct.pack("!HH", 0, 0xffff))
        if number == 4:               # SET_ASYNC: master and slave, by type
            peer.send(28, struct.pack("!6I", 4, 0, 0, 0, 0, 0))
        else:                         # a property for packet-ins to a master
            peer.send(28, struct.pack("!HHI", 1, 8, 4))
        peer.barrier()
        lab.host.nic("of1").send(frame)
        said = peer.receive()
        assert (said.type, said.body[6]) == (10, 2), said


@FROM13
def test_who_did_not_ask_hears_nothing_of_ttls(lab, switch, ofctl, version):
    ofctl(version, "add-flow", "udp,nw_ttl=1,actions=dec_ttl,output:2")
    ofctl(version, "add-flow", "udp,nw_ttl=64,actions=controller")
    number = {"OpenFlow13": 4, "OpenFlow14": 5, "OpenFlow15": 6}[version]
    frame = FRAME.copy()
    frame[IP].ttl = 1
    with Peer(switch.mgmt) as peer:
        peer.hello(number)
        peer.send(9, struct.pack("!HH", 0, 0xffff))
        peer.barrier()
        nic = lab.host.nic("of1")
        nic.send(frame)
        nic.send(FRAME)
        said = peer.receive()
        assert (said.type, said.body[6]) == (10, 1), said
