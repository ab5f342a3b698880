"""Options of tunnels as fields, and the flushing of connections.

    of1 | of2      two taps on br0, which starts empty
"""

import struct

import pytest

from conftest import Switch
from peer import Peer

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
NICIRA = 0x2320


def flows(ofctl, version):
    said = ofctl(version, "dump-flows", "--no-stats")
    return [line.strip() for line in said.splitlines() if "actions=" in line]


@VERSIONS
def test_options_are_mapped(ofctl, version):
    ofctl(version, "add-tlv-map",
          "{class=0x102,type=0x80,len=4}->tun_metadata0,"
          "{class=0xffff,type=1,len=16}->tun_metadata7")
    said = ofctl(version, "dump-tlv-map")
    assert "max option space=256" in said and "max fields=32" in said
    rows = [line.split() for line in said.splitlines() if "tun_metadata" in
            line]
    assert ["0x102", "0x80", "4", "tun_metadata0"] in rows
    assert ["0xffff", "0x1", "16", "tun_metadata7"] in rows
    ofctl(version, "del-tlv-map", "{class=0xffff,type=1,len=16}"
          "->tun_metadata7")
    assert "tun_metadata7" not in ofctl(version, "dump-tlv-map")
    ofctl(version, "del-tlv-map")
    assert "tun_metadata0" not in ofctl(version, "dump-tlv-map")


@VERSIONS
def test_mistakes_in_the_map(ofctl, version):
    def refused(text):
        return ofctl(version, "add-tlv-map", text, status=1)

    ofctl(version, "add-tlv-map", "{class=1,type=1,len=4}->tun_metadata0")
    assert "ALREADY_MAPPED" in refused("{class=1,type=2,len=4}"
                                       "->tun_metadata0")
    assert "DUP_ENTRY" in refused("{class=1,type=1,len=4}->tun_metadata1")
    assert "BAD_OPT_LEN" in refused("{class=1,type=2,len=6}->tun_metadata1")
    assert "TABLE_FULL" in refused("{class=1,type=2,len=4}->tun_metadata40")
    assert "TABLE_FULL" in refused("{class=1,type=2,len=20}->tun_metadata1")


@VERSIONS
def test_entries_speak_of_mapped_options_only(ofctl, version):
    text = "tun_metadata0=0x1234,actions=set_field:0x55->tun_metadata1"
    assert "INVALID_TLV_FIELD" in ofctl(version, "add-flow", text, status=1)
    assert "INVALID_TLV_FIELD" in ofctl(
        version, "add-flow", "tun_metadata50=1,actions=drop", status=1)
    ofctl(version, "add-tlv-map", "{class=1,type=1,len=4}->tun_metadata0,"
          "{class=1,type=2,len=8}->tun_metadata1")
    ofctl(version, "add-flow", text)
    ofctl(version, "add-flow", "tun_metadata1=0x5/0xf,actions="
          "move:NXM_NX_TUN_METADATA0[0..15]->NXM_NX_REG0[0..15],"
          "delete_field:tun_metadata1")
    assert [f[f.index("tun_"):] for f in flows(ofctl, version)] == [
        "tun_metadata0=0x1234 actions=set_field:0x55->tun_metadata1",
        "tun_metadata1=0x5/0xf actions="
        "move:NXM_NX_TUN_METADATA0[0..15]->NXM_NX_REG0[0..15],"
        "delete_field:tun_metadata1"]
    assert "INVALID_TLV_DEL" in ofctl(version, "del-tlv-map", status=1)
    ofctl(version, "del-flows")
    ofctl(version, "del-tlv-map")


@VERSIONS
def test_there_are_no_connections_to_forget(ofctl, version):
    ofctl(version, "ct-flush-zone", "5")
    ofctl(version, "ct-flush", "zone=5")
    ofctl(version, "ct-flush", "zone=5",
          "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=6,ct_tp_src=1,"
          "ct_tp_dst=2", "ct_nw_src=10.0.0.2,ct_nw_proto=6")


def test_what_a_flush_must_not_say(switch):
    with Peer(switch.mgmt) as peer:
        peer.hello(4)

        def error(exp_type, body):
            said = peer.ask(4, struct.pack("!II", NICIRA, exp_type) + body)
            return struct.unpack_from("!HH", said.body)

        # Bits that must be zero; too short; a property that is unknown.
        assert error(29, struct.pack("!HIH", 1, 0, 5)) == (0xffff, 4)
        assert error(29, bytes(4)) == (1, 6)
        assert error(32, bytes(8) + struct.pack("!HHI", 9, 8, 0)) == (13, 2)
        peer.barrier()
