"""Groups and meters, by Debian's ovs-ofctl."""

import pytest

from conftest import Switch

FROM13 = pytest.mark.parametrize("version", Switch.VERSIONS[1:])


@FROM13
def test_groups(ofctl, version):
    ofctl(version, "add-group",
          "group_id=7,type=select,bucket=weight:2,output:1,"
          "bucket=weight:3,output:2")
    said = ofctl(version, "dump-groups")
    assert "group_id=7,type=select" in said and "weight:3" in said
    ofctl(version, "add-flow", "in_port=1,actions=group:7")
    ofctl(version, "mod-group", "group_id=7,type=all,bucket=output:2")
    assert "type=all" in ofctl(version, "dump-groups")
    said = ofctl(version, "dump-group-stats")
    assert "group_id=7" in said and "bucket0" in said
    assert "Group table" in ofctl(version, "dump-group-features")
    ofctl(version, "del-groups", "group_id=7")
    assert "group_id" not in ofctl(version, "dump-groups")
    # The entry that led to it went along.
    assert "group:7" not in ofctl(version, "dump-flows")
    assert "BAD_OUT_GROUP" in ofctl(
        version, "add-flow", "in_port=1,actions=group:7", status=1)


def test_buckets_one_by_one(ofctl):
    ofctl("OpenFlow15", "add-group",
          "group_id=1,type=all,bucket=bucket_id:1,output:1")
    ofctl("OpenFlow15", "insert-buckets",
          "group_id=1,command_bucket_id=last,bucket=bucket_id:2,output:2")
    assert "bucket_id:2" in ofctl("OpenFlow15", "dump-groups")
    ofctl("OpenFlow15", "remove-buckets", "group_id=1,command_bucket_id=1")
    assert "bucket_id:1" not in ofctl("OpenFlow15", "dump-groups")


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
