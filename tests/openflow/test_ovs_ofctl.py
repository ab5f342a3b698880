"""Debian's ovs-ofctl, command by command, in each version of OpenFlow.

    of1 | of2      two taps on br0, which starts empty
"""

import os
import shutil

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from conftest import Switch
from netns import eventually

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
FROM14 = pytest.mark.parametrize("version", Switch.VERSIONS[2:])
FROM13 = pytest.mark.parametrize("version", Switch.VERSIONS[1:])


def flows(ofctl, version, *args):
    """Entries as text, without what changes by itself."""
    said = ofctl(version, "dump-flows", "--no-stats", *args)
    return [line.strip() for line in said.splitlines()
            if "_REPLY" not in line and "OFPST" not in line]


@VERSIONS
def test_show(ofctl, version):
    said = ofctl(version, "show")
    assert "dpid:00000000000000ab" in said
    assert "1(of1)" in said and "2(of2)" in said
    assert "frags=normal" in said


@VERSIONS
def test_descriptions(ofctl, version):
    assert "Manufacturer: Weft" in ofctl(version, "dump-desc")
    said = ofctl(version, "dump-ports-desc")
    assert "1(of1)" in said and "2(of2)" in said


@VERSIONS
def test_port_statistics(ofctl, version):
    said = ofctl(version, "dump-ports")
    assert said.count("rx pkts=") == 2
    said = ofctl(version, "dump-ports", "1")
    assert said.count("rx pkts=") == 1


@FROM13
def test_statistics_of_a_port_that_is_not_there(ofctl, version):
    assert "BAD_PORT" in ofctl(version, "dump-ports", "77")


@VERSIONS
def test_tables(ofctl, version):
    assert "table 0" in ofctl(version, "dump-tables")


@FROM13
def test_table_features(ofctl, version):
    assert "table 0" in ofctl(version, "dump-table-features")


@VERSIONS
def test_entries_come_and_go(ofctl, version):
    ofctl(version, "add-flow", "priority=5,in_port=1,actions=output:2")
    ofctl(version, "add-flow", "priority=6,tcp,tp_dst=80,actions=drop")
    assert flows(ofctl, version) == [
        "priority=6,tcp,tp_dst=80 actions=drop",
        "priority=5,in_port=1 actions=output:2"]
    ofctl(version, "mod-flows", "in_port=1,actions=output:1,output:2")
    assert flows(ofctl, version, "in_port=1") == [
        "priority=5,in_port=1 actions=output:1,output:2"]
    ofctl(version, "del-flows", "tcp")
    assert len(flows(ofctl, version)) == 1
    ofctl(version, "del-flows", "--strict", "priority=4,in_port=1")
    assert len(flows(ofctl, version)) == 1
    ofctl(version, "del-flows", "--strict", "priority=5,in_port=1")
    assert flows(ofctl, version) == []


@VERSIONS
def test_many_entries_and_their_sum(ofctl, version):
    text = "".join("priority=9,ip,nw_dst=10.0.%d.%d,actions=output:2\n"
                   % (n // 256, n % 256) for n in range(3000))
    ofctl(version, "add-flows", "-", stdin=text)
    assert len(flows(ofctl, version)) == 3000
    assert len(flows(ofctl, version, "ip,nw_dst=10.0.3.0/24")) == 256
    assert "flow_count=3000" in ofctl(version, "dump-aggregate")
    assert "flow_count=256" in ofctl(version, "dump-aggregate",
                                     "ip,nw_dst=10.0.4.0/24")


@VERSIONS
def test_replace_and_diff(lab, ofctl, version):
    path = lab.dir + "/flows"
    with open(path, "w") as f:
        f.write("priority=1,in_port=1,actions=output:2\n"
                "priority=2,in_port=2,actions=output:1\n")
    ofctl(version, "add-flow", "priority=3,in_port=2,actions=drop")
    assert "+" in ofctl(version, "diff-flows", path, status=2)
    ofctl(version, "replace-flows", path)
    assert len(flows(ofctl, version)) == 2
    assert ofctl(version, "diff-flows", path) == ""


@VERSIONS
def test_a_mistake_is_refused_with_its_error(ofctl, version):
    assert "BAD_OUT_PORT" in ofctl(
        version, "add-flow", "priority=5,in_port=1,actions=output:65000",
        status=1)


FLAGS = {"no-receive": "NO_RECV", "no-forward": "NO_FWD",
         "no-packet-in": "NO_PACKET_IN"}
FLAGS10 = dict(FLAGS, **{"no-flood": "NO_FLOOD"})


@VERSIONS
def test_ports_are_set(ofctl, version):
    def config():
        said = ofctl(version, "dump-ports-desc")
        return said.split("2(of2)")[0].split("config:")[1].splitlines()[0]

    ofctl(version, "mod-port", "of1", "down")
    assert config().strip() == "PORT_DOWN"
    ofctl(version, "mod-port", "1", "up")
    assert config().strip() == "0"
    flags = FLAGS10 if version == "OpenFlow10" else FLAGS
    for word, flag in flags.items():
        ofctl(version, "mod-port", "of1", word)
        assert config().strip() == flag
        ofctl(version, "mod-port", "of1", word.replace("no-", ""))
        assert config().strip() == "0"
    assert "couldn't find" in ofctl(version, "mod-port", "of7", "up",
                                    status=1)


FRAGMENT = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") \
    / IP(src="10.0.0.1", dst="10.0.0.2", frag=9, proto=17) / b"part"
WHOLE = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") \
    / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=7, dport=8) / b"whole"


@VERSIONS
def test_fragments(lab, ofctl, version):
    """Not putting them together is said; dropping them is done."""
    ofctl(version, "add-flow", "in_port=1,actions=output:2")
    of1, of2 = lab.host.nic("of1"), lab.host.nic("of2")
    for mode in ("normal", "nx-match"):
        ofctl(version, "set-frags", mode)
        assert ofctl(version, "get-frags") == mode + "\n"
        of1.send(FRAGMENT)
        of2.expect(FRAGMENT)
    ofctl(version, "set-frags", "reassemble", status=1)
    assert ofctl(version, "get-frags") == "nx-match\n"
    ofctl(version, "set-frags", "drop")
    assert ofctl(version, "get-frags") == "drop\n"
    of1.send(FRAGMENT)
    of1.send(WHOLE)
    of2.absent(FRAGMENT, behind=WHOLE)
    drops = {d["reason"]: d["packets"]
             for d in lab.weft("drops", "1")["drops"]}
    assert drops["fragment"] == 1


@VERSIONS
def test_entries_are_chosen_and_sorted(ofctl, version):
    ofctl(version, "add-flows", "-", stdin="""
        table=1,priority=3,cookie=0x13,in_port=1,actions=output:2
        table=1,priority=1,cookie=0x11,in_port=2,actions=output:1
        table=2,priority=2,cookie=0x22,tcp,actions=output:1,output:2
        table=2,priority=7,cookie=0x27,udp,actions=drop
        """)

    def priorities(*args):
        return [int(line.split("priority=")[1].split(",")[0].split()[0])
                for line in ofctl(version, "dump-flows", *args).splitlines()
                if "priority=" in line]

    assert sorted(priorities()) == [1, 2, 3, 7]
    assert sorted(priorities("table=1")) == [1, 3]
    assert sorted(priorities("cookie=0x20/0x30")) == [2, 7]
    assert priorities("table=2,cookie=0x27/-1") == [7]
    assert sorted(priorities("out_port=2")) == [2, 3]
    assert priorities("udp") == [7]
    assert sorted(priorities("ip")) == [2, 7]
    assert priorities("--sort=priority") == [1, 2, 3, 7]
    assert priorities("--rsort") == [7, 3, 2, 1]
    assert priorities("--rsort", "table=1") == [3, 1]
    assert "flow_count=2" in ofctl(version, "dump-aggregate", "table=2")
    assert "flow_count=1" in ofctl(version, "dump-aggregate",
                                   "cookie=0x11/-1")
    named = ofctl(version, "dump-flows", "--names")
    assert "in_port=of1 actions=output:of2" in named and "table=1" in named
    # And they are changed and deleted by the same filters.
    ofctl(version, "mod-flows", "table=1,cookie=0x13/-1,actions=output:1")
    assert flows(ofctl, version, "cookie=0x13/-1") == [
        "cookie=0x13, table=1, priority=3,in_port=1 actions=output:1"]
    ofctl(version, "del-flows", "cookie=0x20/0x20")
    ofctl(version, "del-flows", "table=1,out_port=3")
    assert sorted(priorities()) == [1, 3]
    ofctl(version, "del-flows")
    assert priorities() == []


def test_a_modify_of_1_0_adds_and_gives_a_cookie(ofctl):
    ofctl("OpenFlow10", "mod-flows", "cookie=0x5,in_port=1,actions=output:2")
    assert flows(ofctl, "OpenFlow10") == [
        "cookie=0x5, in_port=1 actions=output:2"]
    ofctl("OpenFlow10", "mod-flows",
          "cookie=0x5/-1,cookie=0x9,actions=output:1")
    assert flows(ofctl, "OpenFlow10") == [
        "cookie=0x9, in_port=1 actions=output:1"]
    # Without one the tool says 0.
    ofctl("OpenFlow10", "mod-flows", "in_port=1,actions=output:2")
    assert flows(ofctl, "OpenFlow10") == ["in_port=1 actions=output:2"]


@VERSIONS
def test_errors_carry_the_request_that_failed(ofctl, version):
    said = ofctl(version, "add-flow", "table=4,priority=8,cookie=0x126,udp,"
                 "actions=group:5", status=1)
    assert "OFPBAC_BAD_OUT_GROUP" in said
    assert "ADD table:4 priority=8,udp cookie:0x126 actions=group:5" in said


@VERSIONS
def test_queues(ofctl, version):
    """No port has any."""
    assert "0 queues" in ofctl(version, "queue-stats")
    assert "0 queues" in ofctl(version, "queue-stats", "1")
    assert "OFPQOFC_BAD_QUEUE" in ofctl(version, "queue-stats", "1", "5")
    assert "OFPQOFC_BAD_PORT" in ofctl(version, "queue-stats", "77")
    said = ofctl(version, "queue-get-config", "1")
    assert "QUEUE" in said and "ERROR" not in said
    assert "OFPQOFC_BAD_PORT" in ofctl(version, "queue-get-config", "77")


@FROM14
def test_how_a_table_is_set_shows(ofctl, version):
    ofctl(version, "mod-table", "3", "vacancy:20,80")
    ofctl(version, "mod-table", "4", "evict")
    said = ofctl(version, "dump-table-desc").split("  table ")
    said = {part.split(":")[0]: part for part in said[1:]}
    assert "vacancy=on" in said["3"] and "20%" in said["3"]
    assert "eviction=on" in said["4"] and "vacancy=off" in said["4"]
    assert "eviction=off" in said["5"]
    ofctl(version, "mod-table", "3", "novacancy")
    assert "vacancy=on" not in ofctl(version, "dump-table-desc")


@VERSIONS
def test_a_file_of_everything_is_one_bundle(ofctl, version):
    ofctl(version, "bundle", "-", stdin="""
        flow add priority=4,in_port=1,actions=output:2
        group add group_id=3,type=all,bucket=output:1
        flow add priority=5,in_port=2,actions=group:3
        packet-out in_port=1 packet=ffffffffffff0011223344550800 actions=drop
        flow modify in_port=1,actions=output:1
        """)
    assert flows(ofctl, version) == [
        "priority=5,in_port=2 actions=group:3",
        "priority=4,in_port=1 actions=output:1"]
    assert "group_id=3" in ofctl("OpenFlow13", "dump-groups")
    said = ofctl(version, "bundle", "-", status=1, stdin="""
        flow delete
        group add group_id=3,type=all
        """)
    assert "OFPGMFC_GROUP_EXISTS" in said and "OFPBFC_MSG_FAILED" in said
    assert len(flows(ofctl, version)) == 2
    ofctl(version, "bundle", "-", stdin="flow delete\ngroup delete\n")
    assert flows(ofctl, version) == []
    assert "group_id" not in ofctl("OpenFlow13", "dump-groups")


@VERSIONS
def test_benchmark(ofctl, version):
    said = ofctl(version, "benchmark", "10", "20")
    assert "Sending 20 packets * 18 bytes" in said and "Finished" in said


@VERSIONS
def test_snoop_shows_what_others_say(lab, switch, ofctl, version):
    path = os.path.join(lab.dir, "snooped")
    with open(path, "w") as said:
        snoop = lab.host.popen(
            "stdbuf", "-oL", "ovs-ofctl", "-O", version, "snoop",
            "unix:" + switch.snoop, stdout=said, stderr=said,
            env=dict(os.environ, OVS_RUNDIR=lab.dir))

    def is_seen():
        ofctl(version, "add-flow", "in_port=1,actions=output:2")
        with open(path) as f:
            return "FLOW_MOD" in f.read()

    try:
        eventually(is_seen, "ovs-ofctl snoop prints the request")
    finally:
        snoop.kill()
        snoop.wait()


@pytest.fixture
def tcp(lab):
    """The same by TCP."""
    if not shutil.which("ovs-ofctl"):
        pytest.skip("ovs-ofctl is missing (Debian openvswitch-common)")
    switch = Switch(lab, "--listen", "ptcp:6634:127.0.0.1")
    lab.host.run("ip", "link", "set", "lo", "up")

    def ofctl(*args, **kwargs):
        return switch.ofctl(*args, target="tcp:127.0.0.1:6634", **kwargs)

    return ofctl


@VERSIONS
def test_by_tcp_everything_is_the_same(lab, tcp, version):
    test_show(tcp, version)
    test_descriptions(tcp, version)
    test_port_statistics(tcp, version)
    test_tables(tcp, version)
    test_entries_come_and_go(tcp, version)
    test_many_entries_and_their_sum(tcp, version)
    tcp(version, "del-flows")
    test_replace_and_diff(lab, tcp, version)
    tcp(version, "del-flows")
    test_entries_are_chosen_and_sorted(tcp, version)
    test_ports_are_set(tcp, version)
    test_queues(tcp, version)
    test_a_file_of_everything_is_one_bundle(tcp, version)
    test_benchmark(tcp, version)
    assert tcp(version, "probe") == ""
    assert tcp(version, "ping").count("64 bytes from") == 10
