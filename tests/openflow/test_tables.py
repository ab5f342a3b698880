"""Tables: limits, eviction and vacancy."""

import struct

import pytest

import peer as of
from conftest import Switch
from peer import Peer

FROM14 = pytest.mark.parametrize("version", Switch.VERSIONS[2:])
MULTIPART_REQUEST, MULTIPART_REPLY, TABLE_MOD, TABLE_STATUS = 18, 19, 17, 31
SET_CONFIG, FLOW_REMOVED, FLOW_MOD = 9, 11, 14
EVICTION, VACANCY = 4, 8
VACANCY_DOWN, VACANCY_UP = 3, 4
TABLE_FEATURES = struct.pack("!HHxxxx", 12, 0)
FIRST_EGRESS = 1 << 4
FAILED = 13                             # OFPET_TABLE_FEATURES_FAILED


def features(table, entries, command=1, kind=1, metadata=2 ** 64 - 1,
             capabilities=EVICTION | VACANCY, name=b"", more=b""):
    return struct.pack("!HBBI32sQQII", 64 + len(more), table, command, kind,
                       name, metadata, metadata, capabilities, entries) + more


def limit(switch, table, entries):
    """Only 1.5 sets how many entries a table takes."""
    with Peer(switch.mgmt) as peer:
        peer.hello(6)
        said = peer.ask(MULTIPART_REQUEST,
                        TABLE_FEATURES + features(table, entries))
        assert said.type == MULTIPART_REPLY


def priorities(ofctl, version):
    said = ofctl(version, "dump-flows", "--no-stats", "table=2")
    return sorted(int(line.split("priority=")[1].split()[0].split(",")[0])
                  for line in said.splitlines() if "table=2" in line)


def test_an_operator_limits_tables(lab):
    switch = Switch(lab, "--flow-limit", "5", "--flow-limit", "2=2",
                    "--flow-limit", "3=1:evict")

    def add(table, n, status=0):
        return switch.ofctl("OpenFlow14", "add-flow", "table=%d,priority=%d,"
                            "importance=%d,actions=drop" % (table, n, n),
                            status=status)

    add(2, 1)
    add(2, 2)
    assert "TABLE_FULL" in add(2, 3, status=1)
    add(3, 1)
    add(3, 2)
    assert len(lab.weft("flow", "list", "--table", "3")["flows"]) == 1
    add(4, 1)
    add(4, 2)
    assert "TABLE_FULL" in add(4, 3, status=1)


@FROM14
def test_a_full_table_refuses_or_evicts(switch, ofctl, version):
    def add(n, importance, **kwargs):
        return ofctl(version, "add-flow", "table=2,priority=%d,importance=%d,"
                     "actions=drop" % (n, importance), **kwargs)

    limit(switch, 2, 3)
    for n, importance in ((1, 5), (2, 3), (3, 3)):
        add(n, importance)
    assert "TABLE_FULL" in add(4, 9, status=1)
    assert priorities(ofctl, version) == [1, 2, 3]
    # Replacing needs no room.
    add(3, 3)
    said = ofctl(version, "dump-table-desc")
    assert said.count("eviction=off") == 255
    ofctl(version, "mod-table", "2", "evict")
    said = ofctl(version, "dump-table-desc")
    assert said.count("eviction=on eviction_flags=OTHER|IMPORTANCE") == 1
    # The least important goes, of two the older.
    add(4, 9)
    assert priorities(ofctl, version) == [1, 3, 4]
    add(5, 4)
    assert priorities(ofctl, version) == [1, 4, 5]
    # Who is less important than all does not come in.
    assert "TABLE_FULL" in add(6, 1, status=1)
    # Of a bundle that fails nothing has happened.
    ofctl(version, "add-flows", "--bundle", "-", status=1,
          stdin="table=2,priority=7,importance=9,actions=drop\n"
                "table=2,priority=8,actions=output:65000\n")
    assert priorities(ofctl, version) == [1, 4, 5]
    add(7, 4)
    assert priorities(ofctl, version) == [1, 4, 7]
    ofctl(version, "mod-table", "all", "noevict")
    assert "TABLE_FULL" in add(9, 99, status=1)
    assert "eviction=on" not in ofctl(version, "dump-table-desc")


def flow_mod(priority, command=0, importance=0, flags=0):
    return struct.pack("!QQBBHHHIIIHHHHxxxx", 0, 0, 2, command, 0, 0,
                       priority, 0xffffffff, 0xffffffff, 0xffffffff, flags,
                       importance, 1, 4)


def table_mod(config, down=None, up=None):
    body = struct.pack("!BxxxI", 2, config)
    if down is not None:
        body += struct.pack("!HHBBBx", 3, 8, down, up, 0)
    return body


@pytest.mark.parametrize("version", (5, 6))
def test_tight_tables_and_evicted_entries_are_told(switch, version):
    limit(switch, 2, 10)
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        peer.send(SET_CONFIG, struct.pack("!HH", 0, 128))
        peer.send(TABLE_MOD, table_mod(EVICTION | VACANCY, 20, 50))
        peer.barrier()

        def told(*mods):
            """What comes before the answer to the barrier."""
            for mod in mods:
                peer.send(FLOW_MOD, mod)
            xid, out = peer.send(of.BARRIER_REQUEST), []
            while True:
                said = peer.receive()
                if said.xid == xid:
                    return out
                out.append(said)

        assert told(*(flow_mod(n, flags=1) for n in range(8))) == []
        status, = told(flow_mod(8, flags=1))
        assert status.type == TABLE_STATUS
        reason, length, table, config = struct.unpack_from(
            "!BxxxxxxxHBxI", status.body)
        assert (reason, table, config) == (VACANCY_DOWN, 2,
                                           EVICTION | VACANCY)
        assert status.body[-8:] == struct.pack("!HHBBBx", 3, 8, 20, 50, 10)
        # Told once; and who gives way is told as evicted.
        assert told(flow_mod(9, flags=1)) == []
        removed, = told(flow_mod(10, flags=1))
        assert removed.type == FLOW_REMOVED
        if version == 5:
            assert struct.unpack_from("!QHB", removed.body) == (0, 0, 5)
        else:
            assert struct.unpack_from("!BBH", removed.body) == (2, 5, 0)
        # Half of the places free is not more than half.
        assert [m.type for m in told(*(flow_mod(n, 4) for n in range(1, 6)))
                ] == [FLOW_REMOVED] * 5
        _, status = told(flow_mod(6, 4))
        assert status.type == TABLE_STATUS and status.body[0] == VACANCY_UP
        said = peer.error(TABLE_MOD, table_mod(VACANCY, 60, 50))
        assert said == (14, 2)                          # BAD_VALUE
        said = peer.error(TABLE_MOD, table_mod(VACANCY, 60, 101))
        assert said == (14, 2)
        said = peer.error(TABLE_MOD, table_mod(1 << 7))
        assert said == (8, 1)                           # BAD_CONFIG


def test_what_of_tables_can_be_set(switch):
    with Peer(switch.mgmt) as peer:
        peer.hello(6)

        def code(*args, **kwargs):
            kind, code = peer.error(MULTIPART_REQUEST, TABLE_FEATURES
                                    + features(*args, **kwargs))
            assert kind == FAILED
            return code

        assert code(255, 10) == 0                       # BAD_TABLE
        assert code(2, 10, metadata=5) == 1             # BAD_METADATA
        assert code(2, 10, command=0) == 5              # EPERM
        assert code(2, 10, command=3) == 5
        assert code(2, 10, name=b"mine") == 5
        assert code(2, 10, more=struct.pack("!HHxxxx", 0, 4)) == 5
        assert code(2, 10, capabilities=0) == 6
        assert code(2, 0) == 7
        assert code(2, 0xffffffff) == 7
        assert code(2, 10, kind=0) == 8                 # BAD_FEATURES
        assert code(2, 10, kind=2) == 8                 # It sees what comes in.
        assert code(2, 10, kind=1 << 2) == 8
        assert code(0, 10, kind=3) == 8                 # Where should it begin?
        assert code(0, 10, kind=1 | FIRST_EGRESS) == 8
        assert code(2, 10, kind=1 | FIRST_EGRESS) == 8
        assert code(2, 10, command=9) == 9
        # Nothing of a request is done unless all can be.
        kind, code = peer.error(MULTIPART_REQUEST, TABLE_FEATURES
                                + features(1, 10) + features(2, 0))
        assert (kind, code) == (FAILED, 7)
        assert (struct.unpack_from("!I", peer.ask(
            MULTIPART_REQUEST, TABLE_FEATURES).body, 8 + 60)[0]) > 10


@pytest.mark.parametrize("version", (4, 5))
def test_earlier_versions_set_no_features(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        assert peer.error(MULTIPART_REQUEST, TABLE_FEATURES
                          + features(0, 10)) == (FAILED, 5)
