"""Groups and meters, by Debian's ovs-ofctl."""

import pytest

from conftest import Switch

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
FROM13 = pytest.mark.parametrize("version", Switch.VERSIONS[1:])


@VERSIONS
def test_groups(ofctl, version):
    ofctl(version, "add-group",
          "group_id=7,type=select,bucket=weight:2,output:1,"
          "bucket=weight:3,output:2")
    said = ofctl(version, "dump-groups")
    assert "group_id=7,type=select" in said and "weight:3" in said
    assert "GROUP_EXISTS" in ofctl(version, "add-group",
                                   "group_id=7,type=all,bucket=output:1",
                                   status=1)
    ofctl(version, "add-flow", "in_port=1,actions=group:7")
    ofctl(version, "mod-group", "group_id=7,type=all,bucket=output:2")
    assert "type=all" in ofctl(version, "dump-groups")
    said = ofctl(version, "dump-group-stats")
    assert "group_id=7" in said and "bucket0" in said
    assert "Group table" in ofctl(version, "dump-group-features")
    ofctl(version, "add-groups", "-",
          stdin="group_id=8,type=ff,bucket=watch_port:1,output:1\n"
                "group_id=9,type=indirect,bucket=output:2\n")
    said = ofctl(version, "dump-groups")
    assert "type=ff,bucket=" in said and "watch_port:1" in said
    assert "type=indirect" in said
    ofctl(version, "mod-group", "--may-create",
          "group_id=10,type=all,bucket=output:2")
    assert "UNKNOWN_GROUP" in ofctl(
        version, "mod-group", "group_id=11,type=all,bucket=output:2",
        status=1)
    ofctl(version, "del-groups", "group_id=7")
    said = ofctl(version, "dump-groups")
    assert "group_id=7" not in said and "group_id=10" in said
    # The entry that led to it went along.
    assert "group:7" not in ofctl(version, "dump-flows")
    assert "BAD_OUT_GROUP" in ofctl(
        version, "add-flow", "in_port=1,actions=group:7", status=1)
    assert "BAD_OUT_GROUP" in ofctl(
        version, "packet-out", "in_port=local,packet=ffffffffffff001122334455"
        "0800,actions=group:7", status=1)
    ofctl(version, "del-groups")
    assert "group_id" not in ofctl(version, "dump-groups")


NUMBERED = pytest.mark.parametrize("version", ("OpenFlow10", "OpenFlow15"))


@NUMBERED
def test_buckets_one_by_one(ofctl, version):
    ofctl(version, "add-group",
          "group_id=1,type=all,bucket=bucket_id:1,output:1")
    ofctl(version, "insert-buckets",
          "group_id=1,command_bucket_id=last,bucket=bucket_id:2,output:2")
    said = ofctl(version, "dump-groups", "1")
    assert said.index("bucket_id:1") < said.index("bucket_id:2")
    ofctl(version, "insert-buckets",
          "group_id=1,command_bucket_id=first,bucket=bucket_id:3,output:2")
    said = ofctl(version, "dump-groups", "1")
    assert said.index("bucket_id:3") < said.index("bucket_id:1")
    assert "UNKNOWN_BUCKET" in ofctl(
        version, "insert-buckets", "group_id=1,command_bucket_id=99,"
        "bucket=bucket_id:8,output:1", status=1)
    assert "BUCKET_EXISTS" in ofctl(
        version, "insert-buckets", "group_id=1,command_bucket_id=last,"
        "bucket=bucket_id:3,output:1", status=1)
    ofctl(version, "remove-buckets", "group_id=1,command_bucket_id=1")
    said = ofctl(version, "dump-groups")
    assert "bucket_id:1" not in said and "bucket_id:2" in said
    ofctl(version, "remove-buckets", "group_id=1,command_bucket_id=all")
    assert "bucket_id" not in ofctl(version, "dump-groups")


@NUMBERED
def test_how_a_bucket_is_chosen(ofctl, version):
    ofctl(version, "add-group", "group_id=1,type=select,"
          "selection_method=hash,fields(ip_dst,eth_src),bucket=output:1")
    ofctl(version, "add-group", "group_id=2,type=select,"
          "selection_method=dp_hash,bucket=output:1")
    said = ofctl(version, "dump-groups")
    assert "selection_method=hash,fields(eth_src,ip_dst)" in said
    assert "group_id=2,type=select,selection_method=dp_hash" in said


@FROM13
def test_meters(ofctl, version):
    ofctl(version, "add-meter", "meter=3,kbps,burst,bands=type=drop,rate=100,"
          "burst_size=20")
    said = ofctl(version, "dump-meters")
    assert "meter=3" in said and "rate=100" in said
    ofctl(version, "mod-meter", "meter=3,pktps,bands=type=drop,rate=9")
    assert "pktps" in ofctl(version, "dump-meters")
    assert "meter:3" in ofctl(version, "meter-stats")
    assert "max_meter" in ofctl(version, "meter-features")
    ofctl(version, "add-flow", "in_port=1,actions=meter:3,output:2")
    ofctl(version, "del-meter", "meter=3")
    assert "meter=3" not in ofctl(version, "dump-meters")
    assert "meter:3" not in ofctl(version, "dump-flows")
