"""Connections: greetings, probes, roles, fail modes, and peers that mean harm."""

import json
import os
import random
import select
import socket
import struct
import subprocess
import time

import pytest

import peer as of
from conftest import Switch
from netns import eventually
from peer import Peer


def features(switch):
    """The switch answers; returns how."""
    with Peer(switch.mgmt) as peer:
        peer.hello(4)
        return peer.ask(of.FEATURES_REQUEST)


def features_or_none(switch):
    try:
        return features(switch)
    except (AssertionError, OSError):
        return None


def rss_kb(lab):
    total = 0
    for pid in lab.weftd_pids():
        with open("/proc/%d/status" % pid) as f:
            total += sum(int(line.split()[1]) for line in f
                         if line.startswith("VmRSS"))
    return total


@pytest.mark.parametrize("version", Switch.VERSIONS)
def test_probe_ping_and_show(switch, ofctl, version):
    assert ofctl(version, "probe") == ""
    assert ofctl(version, "ping").count("64 bytes from") == 10
    if version == "OpenFlow10":
        said = ofctl(version, "show")
        assert "dpid:00000000000000ab" in said and "1(of1)" in said


def test_versions_that_are_not_offered_are_refused(lab):
    switch = Switch(lab, "--openflow", "OpenFlow13")
    with Peer(switch.mgmt) as peer:
        peer.version = 1
        peer.send(of.HELLO)
        assert peer.receive().type == of.HELLO
        said = peer.receive()
        assert said.type == of.ERROR
        assert struct.unpack_from("!HH", said.body) == (0, 0)
        assert peer.receive() is None
    assert features(switch).type == of.FEATURES_REPLY


@pytest.mark.parametrize("version", (4, 5, 6))
def test_one_master_and_its_generation(switch, version):
    with Peer(switch.mgmt) as a, Peer(switch.mgmt) as b:
        a.hello(version)
        b.hello(version)
        assert a.role(of.MASTER, 10).type == of.ROLE_REPLY
        assert b.role(of.MASTER, 11).type == of.ROLE_REPLY
        # The first is a slave now, and may not change anything.
        said = a.role(0)
        assert struct.unpack_from("!I", said.body)[0] == of.SLAVE
        assert a.error(16, bytes(32 if version == 4 else 24)) == (1, 10)
        # The generation that it has is not old, any other before it is.
        assert b.role(of.MASTER, 11).type == of.ROLE_REPLY
        said = a.role(of.MASTER, 10)
        assert said.type == of.ERROR
        assert struct.unpack_from("!HH", said.body) == (11, 0)
        said = b.role(0)
        assert struct.unpack_from("!I", said.body)[0] == of.MASTER


def test_a_controller_is_probed_and_connected_to_again(lab):
    lab.host.run("ip", "link", "set", "lo", "up")
    path = os.path.join(lab.dir, "controller")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(20)
    Switch(lab, "--controller", "unix:" + path, "--probe-interval", "1")
    first = Peer(listener.accept()[0])
    assert first.receive().type == of.HELLO
    first.send(of.HELLO)
    assert first.receive().type == of.ECHO_REQUEST
    # It says nothing: it is given up, and tried again.
    assert first.receive() is None
    with Peer(listener.accept()[0]) as again:
        assert again.receive().type == of.HELLO
    listener.close()


def test_a_standalone_switch_is_a_bridge_while_nobody_controls_it(lab):
    path = os.path.join(lab.dir, "controller")
    lab.start("1=tap:of1", options=("--controller", "unix:" + path))

    def flows():
        return [(f["priority"], f["actions"])
                for f in lab.weft("flow", "list")["flows"]]

    assert flows() == [(0, "NORMAL")]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(20)
    with Peer(listener.accept()[0]) as peer:
        peer.hello(4)
        peer.barrier()
        assert flows() == []
        lab.weft("flow", "add", "priority=7,actions=drop")
    listener.close()
    eventually(lambda: sorted(flows()) == [(0, "NORMAL"), (7, "drop")],
               "the bridge is back beside what the controller left")


def test_garbage_costs_the_session_and_nothing_else(switch):
    rng = random.Random(7)
    for n in range(50):
        with Peer(switch.mgmt, timeout=1) as peer:
            if n % 2:
                peer.hello(rng.choice((1, 4, 5, 6)))
            for _ in range(20):
                body = rng.randbytes(rng.choice((0, 1, 4, 8, 16, 40, 400)))
                length = rng.choice((len(body) + 8, len(body), 7, 65535))
                try:
                    peer.send_bytes(struct.pack(
                        "!BBHI", rng.choice((0, 1, 4, 5, 6, 255)),
                        rng.randrange(40), length, n) + body)
                except OSError:
                    break
    assert features(switch).type == of.FEATURES_REPLY


def test_a_peer_that_does_not_read_costs_bounded_memory(lab, switch):
    echo = struct.pack("!BBHI", 4, of.ECHO_REQUEST, 60000, 1) + bytes(59992)
    before = rss_kb(lab)
    with Peer(switch.mgmt) as deaf:
        deaf.hello(4)
        deaf.sock.settimeout(1)
        with pytest.raises(OSError):
            for _ in range(1000):
                deaf.send_bytes(echo)
        began = time.monotonic()
        assert features(switch).type == of.FEATURES_REPLY
        assert time.monotonic() - began < 1
    assert rss_kb(lab) - before < 20000


def test_sessions_have_a_number(switch):
    peers = [Peer(switch.mgmt) for _ in range(140)]
    assert features_or_none(switch) is None
    for peer in peers:
        peer.sock.close()
    eventually(lambda: features_or_none(switch), "others may come again")


def test_who_snoops_sees_what_others_say(switch):
    with Peer(switch.snoop) as snoop:
        snoop.hello(4)
        eventually(lambda: features(switch) and not snoop.quiet(0.2),
                   "the snoop hears")
        heard = set()
        while of.FEATURES_REPLY not in heard:
            heard.add(snoop.receive().type)
        assert of.FEATURES_REQUEST in heard


def test_weft_shows_what_is_said(lab, switch, ofctl):
    """`weft openflow snoop`: every message in words, both ways."""
    with lab.host.popen(lab.program("weft"), "--run-dir", lab.run_dir, "-j",
                        "openflow", "snoop", stdout=subprocess.PIPE,
                        text=True) as snoop:
        # Until it looks, what is said goes by unseen.
        seen = []
        wanted = (("HELLO", "received"), ("HELLO", "sent"),
                  ("FLOW_MOD", "received"), ("BARRIER_REQUEST", "received"),
                  ("MULTIPART_REPLY", "sent"), ("BARRIER_REPLY", "sent"))

        def types():
            return {(m["type"], m["direction"]) for m in seen}

        def is_seen():
            ofctl("OpenFlow13", "add-flow", "priority=5,in_port=1,actions=2")
            while select.select([snoop.stdout], [], [], 0.05)[0]:
                seen.append(json.loads(snoop.stdout.readline()))
                if seen[-1]["type"] == "BARRIER_REPLY":
                    # It may have begun to look in the middle.
                    return set(wanted) <= types()
            return False

        eventually(is_seen, "the conversation is seen to its end")
        snoop.terminate()
    mod = [m for m in seen if m["type"] == "FLOW_MOD"][0]
    assert mod["version"] == "OpenFlow13"
    assert "add" in mod["text"] and "priority=5" in mod["text"]
    assert "in_port=1" in mod["text"] and "output:2" in mod["text"]
    assert mod["peer"].startswith("process ")
