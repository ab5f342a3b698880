"""Packets to and from controllers.

    a 10.0.0.1 | tap    b 10.0.0.2 | tap    on br0, which starts empty
"""

import os

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from conftest import Switch
from netns import eventually

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
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
def test_monitor_shows_packets(lab, switch, ofctl, version):
    """A session that asked for them by its miss_send_len."""
    ofctl(version, "add-flow", "udp,actions=controller")
    path = os.path.join(lab.dir, "monitor")
    with open(path, "w") as said:
        watch = lab.host.popen(
            "ovs-ofctl", "-O", version, "monitor", "unix:" + switch.mgmt,
            "65534", stdout=said, stderr=said,
            env=dict(os.environ, OVS_RUNDIR=lab.dir))
    nic = lab.host.nic("of1")

    def is_seen():
        nic.send(FRAME)
        with open(path) as f:
            return "PACKET_IN" in (text := f.read()) and "tp_dst=8" in text

    try:
        eventually(is_seen, "ovs-ofctl monitor prints the packet")
    finally:
        watch.kill()
        watch.wait()
