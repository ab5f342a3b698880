"""Debian's ovs-ofctl, command by command, in each version of OpenFlow.

    of1 | of2      two taps on br0, which starts empty
"""

import pytest

from conftest import Switch

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
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


@VERSIONS
def test_ports_are_set(ofctl, version):
    ofctl(version, "mod-port", "of1", "down")
    assert "PORT_DOWN" in ofctl(version, "dump-ports-desc")
    ofctl(version, "mod-port", "of1", "up")
    assert "PORT_DOWN" not in ofctl(version, "dump-ports-desc")


@VERSIONS
def test_fragments_setting(ofctl, version):
    ofctl(version, "set-frags", "nx-match")
    assert "nx-match" in ofctl(version, "get-frags")
