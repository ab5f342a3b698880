"""What a peer does wrong, and the type and code that the specifications (1.0,
1.3.5, 1.5.1) have for it."""

import struct

import pytest

from peer import Peer

ANY = 0xffffffff
FROM13 = pytest.mark.parametrize("version", (4, 5, 6))


def p(layout, *values):
    return struct.pack("!" + layout, *values)


def h(text):
    return bytes.fromhex(text)


def pad8(data):
    return data + bytes(-len(data) % 8)


def match(fields=b"", kind=1, length=None):
    length = 4 + len(fields) if length is None else length
    return pad8(p("HH", kind, length) + fields)


def apply(*actions):
    body = b"".join(actions)
    return p("HHxxxx", 4, 8 + len(body)) + body


def flow_mod(rest=None, match=match(), table=0, command=0, priority=5,
             flags=0, buffer=ANY):
    return p("QQBBHHHIIIHH", 0, 0, table, command, 0, 0, priority, buffer,
             ANY, ANY, flags, 0) + match + (rest or b"")


OUT2 = h("0000 0010 00000002 0000 000000000000")
IPV4 = h("80000a02 0800")


def set_field(field, length=None):
    data = pad8(p("HH", 25, 0) + field)
    return p("HH", 25, length or len(data)) + data[4:]


FLOW_MOD, GROUP_MOD, PORT_MOD, TABLE_MOD, MULTIPART = 14, 15, 16, 17, 18
METER_MOD, PACKET_OUT, EXPERIMENTER, SET_CONFIG = 29, 13, 4, 9
ROLE_REQUEST, SET_ASYNC = 24, 28


def packet_out(version, port=ANY - 2, buffer=ANY, data=bytes(14),
               fields=b"", actions=b""):
    if version >= 6:
        return p("IHxx", buffer, len(actions)) + match(
            p("II", 0x80000004, port) + fields) + actions + data
    return p("IIHxxxxxx", buffer, port, len(actions)) + actions + data


def bucket(version, actions=b"", weight=0, port=ANY, group=ANY, number=1):
    if version < 6:
        return p("HHIIxxxx", 16 + len(actions), weight, port, group) + actions
    more = p("HHI", 1, 8, port) + p("HHI", 2, 8, group)
    if weight:
        more += p("HHHxx", 0, 8, weight)
    return p("HHI", 8 + len(actions) + len(more), len(actions),
             number) + actions + more


def group_mod(version, number, buckets=b"", command=0, kind=0):
    head = p("HBxI", command, kind, number)
    if version >= 6:
        head += p("HxxI", len(buckets), ANY)
    return head + buckets


def group_action(number):
    return p("HHI", 22, 8, number)


def meter(number, flags=1, command=0, *bands):
    return p("HHI", command, flags, number) + b"".join(bands)


BAND = h("0001 0010 00000005 00000000 00000000")

BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH = 1, 2, 3, 4
FLOW_FAILED, GROUP_FAILED, PORT_FAILED, TABLE_FAILED = 5, 6, 7, 8
CONFIG_FAILED, ROLE_FAILED, METER_FAILED, BAD_PROPERTY = 10, 11, 12, 14


@FROM13
def test_requests(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(kind, body=b""):
            error, code = peer.error(kind, body)
            assert error == BAD_REQUEST
            return code

        xid = peer.send(5, version=9)
        said = peer.receive()
        assert said.xid == xid and said.body[:4] == p("HH", BAD_REQUEST, 0)
        assert code(99) == 1                            # BAD_TYPE
        assert code(21) == 1                            # A reply.
        assert code(MULTIPART, p("HHxxxx", 99, 0)) == 2
        assert code(EXPERIMENTER, p("II", 0x1234, 0)) == 3
        assert code(MULTIPART, p("HHxxxxII", 0xffff, 0, 0x1234, 0)) == 3
        assert code(EXPERIMENTER, p("II", 0x2320, 999)) == 4
        assert code(EXPERIMENTER, p("II", 0x4f4e4600, 999)) == 4
        assert code(MULTIPART, p("HHxxxxII", 0xffff, 0, 0x2320, 999)) == 4
        assert code(EXPERIMENTER, p("III", 0x2320, 16, 77)) == 5   # EPERM
        assert code(5, b"more") == 6                    # BAD_LEN
        assert code(FLOW_MOD, bytes(7)) == 6
        assert code(MULTIPART, p("HHxxxxI", 4, 0, 1)) == 6
        assert code(PACKET_OUT, packet_out(version, buffer=5)) == 8
        assert code(FLOW_MOD, flow_mod(buffer=5)) == 8
        assert code(PACKET_OUT, packet_out(version, port=0xfffffff8)) == 11
        assert code(MULTIPART, p("HHxxxxIxxxx", 4, 0, 77)) == 11
        assert code(PACKET_OUT, packet_out(version, data=bytes(5))) == 12
        assert code(MULTIPART, p("HHxxxx", 0, 1)) == 13     # More to come.
        if version == 6:
            assert code(PACKET_OUT, packet_out(
                version, fields=h("80000606 020000000001"))) == 17


@FROM13
def test_actions(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(*actions, fields=b""):
            error, code = peer.error(FLOW_MOD, flow_mod(
                apply(*actions), match(fields)))
            assert error == BAD_ACTION
            return code

        assert code(h("0063 0008 00000000")) == 0       # BAD_TYPE
        assert code(h("0000 0008 00000002")) == 1       # BAD_LEN
        assert code(h("0000 0018 00000002 0000 000000000000")) == 1
        assert code(h("ffff 0010 00001234 0000000000000000")) == 2
        assert code(h("ffff 0010 00002320 03e7 000000000000")) == 3
        assert code(h("0000 0010 0000ffff 0000 000000000000")) == 4
        assert code(h("0000 0010 ffffff05 0000 000000000000")) == 4
        assert code(group_action(77)) == 9              # BAD_OUT_GROUP
        assert code(set_field(h("80001804 0a000001"))) == 10
        assert code(h("0011 0008 1234 0000")) == 12     # BAD_TAG
        assert code(h("0013 0008 0800 0000")) == 12
        assert code(set_field(h("8000fe04 00000000"))) == 13
        assert code(set_field(h("80000004 00000001"))) == 13    # in_port
        assert code(set_field(h("80000a02 0800"))) in (13, 15)
        assert code(set_field(h("80000803 020000000001"))) == 14
        assert code(set_field(h("80001001 ff"), 16),
                    fields=IPV4) in (14, 15)            # A DSCP of 8 bits.
        if version == 6:
            assert code(h("001d 0008 0000004d")) == 17  # BAD_METER
        else:
            assert code(h("001d 0008 0000004d")) == 0


@FROM13
def test_instructions(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def error(instructions, table=0):
            return peer.error(FLOW_MOD, flow_mod(instructions, table=table))

        assert error(h("0063 0008 00000000")) == (BAD_INSTRUCTION, 0)
        assert error(h("0001 0008 00 000000"), 3) == (BAD_INSTRUCTION, 2)
        assert error(h("0001 0008 ff 000000"), 3) == (BAD_INSTRUCTION, 2)
        assert error(h("ffff 0010 00001234 0000000000000000")
                     ) == (BAD_INSTRUCTION, 5)
        assert error(h("0001 0010 05 000000 0000000000000000")
                     ) == (BAD_INSTRUCTION, 7)
        assert error(h("0004 0007 00000000")) == (BAD_INSTRUCTION, 7)
        twice = error(h("0001 0008 05 000000") * 2)
        # 1.3 got the code as one of the ONF's.
        assert twice == ((0xffff, 2600) if version == 4
                         else (BAD_INSTRUCTION, 9))


@FROM13
def test_matches(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(fields=b"", **kwargs):
            error, code = peer.error(FLOW_MOD, flow_mod(match=match(
                fields, **kwargs)))
            assert error == BAD_MATCH
            return code

        assert code(kind=2) == 0                        # BAD_TYPE
        assert code(length=3) == 1                      # BAD_LEN
        assert code(h("80000004 0000")) == 1
        assert code(h("8000fe04 00000000")) == 6        # BAD_FIELD
        assert code(IPV4 + h("80001001 ff")) == 7       # BAD_VALUE
        assert code(h("80000908 0fff0fff")) in (1, 8)
        assert code(h("80000b04 0800ff00")) == 8        # BAD_MASK
        assert code(h("80001a02 0050")) == 9            # BAD_PREREQ
        assert code(IPV4 + h("80001c02 0050")) == 9
        assert code(IPV4 + IPV4) == 10                  # DUP_FIELD


@FROM13
def test_flow_mods(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        peer.send(FLOW_MOD, flow_mod(match=match(IPV4)))

        def code(*args, **kwargs):
            error, code = peer.error(FLOW_MOD, flow_mod(*args, **kwargs))
            assert error == FLOW_FAILED
            return code

        for command in (0, 1, 2):                       # Not a deletion.
            assert code(command=command, table=255) == 2
        assert code(command=9) == 6
        assert code(flags=0x8000) == 7
        assert code(flags=2) == 3                       # OVERLAP
        assert code(match=match(IPV4), flags=2) == 3


@FROM13
def test_groups(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(*args, expect=GROUP_FAILED, **kwargs):
            error, code = peer.error(GROUP_MOD, group_mod(version, *args,
                                                          **kwargs))
            assert error == expect, (error, code)
            return code

        one = bucket(version, OUT2)
        peer.send(GROUP_MOD, group_mod(version, 1, one))
        assert code(1, one) == 0                        # EXISTS
        assert code(ANY - 5, one) == 1                  # INVALID_GROUP
        assert code(2, one + bucket(version, OUT2, number=2), kind=2) == 1
        assert code(3, bucket(version, group_action(3))) == 7   # LOOP
        assert code(3, one, command=1) == 8             # UNKNOWN_GROUP
        peer.send(GROUP_MOD, group_mod(version, 4, bucket(
            version, group_action(1))))
        assert code(1, command=2) == 9                  # CHAINED_GROUP
        assert code(5, one, kind=9) == 10               # BAD_TYPE
        assert code(5, one, command=9) == 11            # BAD_COMMAND
        assert code(5, p("HHI", 7, 0, 0)) == 12         # BAD_BUCKET
        assert code(5, bucket(version, OUT2), kind=3) == 13     # BAD_WATCH
        assert code(5, bucket(version, OUT2, group=77), kind=3) == 13
        assert code(5, bucket(version, h("0063 0008 00000000")),
                    expect=BAD_ACTION) == 0
        assert code(5, bucket(version, group_action(9)),
                    expect=BAD_ACTION) == 9
        if version == 6:
            assert code(5, one + one) == 16             # BUCKET_EXISTS


@FROM13
def test_meters(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(*args):
            error, code = peer.error(METER_MOD, meter(*args))
            assert error == METER_FAILED
            return code

        peer.send(METER_MOD, meter(1, 1, 0, BAND))
        assert code(1, 1, 0, BAND) == 1                 # EXISTS
        assert code(0, 1, 0, BAND) == 2                 # INVALID_METER
        assert code(ANY, 1, 0, BAND) == 2
        assert code(7, 1, 1, BAND) == 3                 # UNKNOWN_METER
        assert code(7, 1, 9, BAND) == 4                 # BAD_COMMAND
        assert code(7, 3, 0, BAND) == 5                 # BAD_FLAGS
        assert code(7, 0x80, 0, BAND) == 5
        assert code(7, 1, 0, h("0001 0010 00000000 00000000 00000000")) == 6
        assert code(7, 1, 0, h("0009 0010 00000005 00000000 00000000")) == 8
        assert code(7, 1, 0, *[BAND] * 9) == 11         # OUT_OF_BANDS
        assert peer.error(MULTIPART, p("HHxxxxIxxxx", 9, 0, 7)
                          ) == (METER_FAILED, 3)


@FROM13
def test_ports_tables_settings_and_roles(lab, switch, version):
    mac = h(lab.host.nic("of1").mac.replace(":", ""))
    with Peer(switch.mgmt) as peer:
        peer.hello(version)
        [port] = [q for q in lab.weft("port", "list")["ports"]
                  if q["name"] == "of1"]
        mac = h(port["mac"].replace(":", ""))

        def port_mod(number=1, addr=mac, config=0, mask=0, advertise=0):
            tail = p("Ixxxx", advertise) if version == 4 else (
                p("HHI", 0, 8, advertise) if advertise else b"")
            error, code = peer.error(PORT_MOD, p("Ixxxx6sxxII", number, addr,
                                                 config, mask) + tail)
            assert error == PORT_FAILED
            return code

        assert port_mod(number=77) == 0
        assert port_mod(addr=bytes(6)) == 1
        assert port_mod(mask=1 << 30) == 2
        assert port_mod(advertise=1) == 3
        bad_table = peer.error(TABLE_MOD, p("BxxxI", 1, 1 << 7))
        assert bad_table == (TABLE_FAILED, 1)
        assert peer.error(SET_CONFIG, p("HH", 9, 128)) == (CONFIG_FAILED, 0)
        assert peer.error(ROLE_REQUEST, p("IxxxxQ", 9, 0)) == (ROLE_FAILED, 2)
        peer.role(2, 100)
        assert peer.error(ROLE_REQUEST, p("IxxxxQ", 2, 99)
                          ) == (ROLE_FAILED, 0)


@pytest.mark.parametrize("version", (5, 6))
def test_properties(switch, version):
    with Peer(switch.mgmt) as peer:
        peer.hello(version)

        def code(body):
            error, code = peer.error(SET_ASYNC, body)
            assert error == BAD_PROPERTY
            return code

        assert code(p("HHI", 77, 8, 1)) == 0            # BAD_TYPE
        assert code(p("HHI", 0, 9, 1)) == 1             # BAD_LEN
        assert code(p("HHI", 0, 3, 1)) == 1
        assert code(p("HHHxx", 0, 6, 1)) == 1
        assert code(p("HHII", 0xffff, 12, 0x1234, 0) + bytes(4)) == 5
        assert peer.error(33, p("IHH", 1, 9, 0)) == (17, 6)     # BAD_TYPE
        assert peer.error(33, p("IHH", 1, 0, 0x80)) == (17, 7)  # BAD_FLAGS
        # 1.5's schedule, of which nothing is done.
        assert peer.error(33, p("IHHHHIQQ", 1, 0, 0, 1, 24, 0, 0, 0)
                          ) == ((17, 16) if version == 6 else (14, 0))


def test_what_1_0_has_no_code_for_is_a_niciras(switch):
    with Peer(switch.mgmt) as peer:
        peer.hello(1)

        def nicira(kind, body):
            said = peer.ask(kind, body)
            assert said.type == 1
            head = struct.unpack_from("!HHIHH", said.body)
            assert head[:3] == (0xb0c2, 0, 0x2320)
            return head[3:]

        of10 = h("003820ff") + bytes(36)

        def flow_mod10(command=0, actions=b"", flags=0, buffer=ANY):
            return of10 + p("QHHHHIHH", 0, command, 0, 0, 5, buffer, 0xffff,
                            flags) + actions

        assert peer.error(99) == (1, 1)
        assert peer.error(16, p("HH", 99, 0)) == (1, 2)
        assert peer.error(4, p("II", 0x1234, 0)) == (1, 3)
        assert peer.error(4, p("II", 0x2320, 999)) == (1, 4)
        assert peer.error(5, b"more") == (1, 6)
        assert peer.error(14, flow_mod10(buffer=9)) == (1, 8)
        assert peer.error(14, flow_mod10(actions=h("0063 0008 00000000"))
                          ) == (2, 0)
        assert peer.error(14, flow_mod10(actions=h("0000 0010 00020000"
                                                   "0000000000000000"))
                          ) == (2, 1)
        assert peer.error(14, flow_mod10(actions=h("0000 0008 f000 0000"))
                          ) == (2, 4)
        peer.send(14, flow_mod10())
        assert peer.error(14, flow_mod10(flags=2)) == (3, 1)
        assert peer.error(14, flow_mod10(command=9)) == (3, 4)
        assert nicira(14, flow_mod10(flags=0x8000)) == (3, 258)
        assert peer.error(14, flow_mod10(flags=4)) == (3, 0)    # Emergency.
        assert peer.error(15, p("H6sIIIxxxx", 77, bytes(6), 0, 0, 0)
                          ) == (4, 0)
        assert peer.error(15, p("H6sIIIxxxx", 1, bytes(6), 0, 0, 0)
                          ) == (4, 1)
        assert peer.error(20, p("Hxx", 77)) == (5, 0)
        assert peer.error(20, p("Hxx", 0xffff)) == (5, 0)       # Not one port.
        assert nicira(16, p("HHHxxxxxx", 4, 0, 77)) == (1, 514)
        assert nicira(9, p("HH", 9, 128)) == (1, 521)
        # Groups, in Nicira's form.
        group = p("IIHBxIHxxI", 0x2320, 31, 1, 0, 7, 0, ANY)
        assert nicira(4, group) == (6, 8)
