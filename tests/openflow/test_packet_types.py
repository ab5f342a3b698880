"""What Open vSwitch's tools know beyond Ethernet: types of packets, encap and
decap, NSH; and its fields of neighbour messages.

Every port brings Ethernet and takes nothing else.  So a match of another type of
packets is valid and matches none, while an action that would make such packets
is refused when it comes: it could do no more than lose them, of which nobody
would hear."""

import pytest

VERSIONS = pytest.mark.parametrize("version", ["OpenFlow1%d" % n
                                               for n in (0, 3, 4, 5)])
BAD_ACTION = "OFPBAC_BAD_VENDOR_TYPE"   # That is, of this experimenter.


def entries(ofctl, version):
    said = ofctl(version, "dump-flows", "--no-stats")
    return [line.strip() for line in said.splitlines() if "actions=" in line]


@VERSIONS
def test_types_of_packets_are_matched(ofctl, version):
    ofctl(version, "del-flows")
    for text in ("packet_type=(0,0),in_port=1", "packet_type=(1,0x800)",
                 "packet_type=(1,0x894f)"):
        ofctl(version, "add-flow", text + ",actions=drop")
    said = " ".join(entries(ofctl, version))
    assert "packet_type=(1,0x800)" in said and "(1,0x894f)" in said
    # Its fields are those of Ethernet's payload.
    said = ofctl(version, "add-flow",
                 "packet_type=(1,0x800),nw_dst=10.0.0.1,actions=drop",
                 status=1)
    assert "OFPBMC_BAD_PREREQ" in said
    ofctl(version, "del-flows")


@VERSIONS
@pytest.mark.parametrize("actions", [
    "encap(ethernet),output:1", "encap(nsh),output:1", "encap(mpls),output:1",
    "decap(),output:1", "decap(packet_type(ns=0,type=0)),output:1"])
def test_what_leaves_ethernet_is_refused(ofctl, version, actions):
    said = ofctl(version, "add-flow", "actions=" + actions, status=1)
    # 1.0 has no words for encap: the tool itself says so.
    assert BAD_ACTION in said or (version == "OpenFlow10" and "encap" in actions
                                  and "none of the usable" in said)


@VERSIONS
def test_nsh_is_refused(ofctl, version):
    said = ofctl(version, "add-flow", "dl_type=0x894f,nsh_spi=5,actions=drop",
                 status=1)
    assert "OFPBMC_BAD_FIELD" in said
    said = ofctl(version, "add-flow",
                 "dl_type=0x894f,actions=dec_nsh_ttl,output:1", status=1)
    assert BAD_ACTION in said


@VERSIONS
def test_fields_of_neighbour_messages(ofctl, version):
    ofctl(version, "del-flows")
    rest = "icmp6,icmp_type=136,icmp_code=0,"
    ofctl(version, "add-flow", rest + "nd_reserved=5,nd_options_type=2,"
          "actions=set_field:1610612736->nd_reserved,output:1")
    entry, = entries(ofctl, version)
    assert "nd_reserved=5" in entry and "nd_options_type=2" in entry
    assert "nd_reserved" in entry.split("actions=")[1].lower()
