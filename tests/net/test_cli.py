"""The command, every noun and verb of it, against a running switch.

    web (10.0.0.1) --tap-- 1 [br0] 2 --tap-- db (10.0.0.2)
"""

import os
import re
import signal
import socket
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader

from netns import eventually, run
from weft import (CONFLICT, DONE, NEGATIVE, REFUSED, ROOT, UNREACHABLE,
                  USAGE)


@pytest.fixture
def pair(lab):
    """(lab, web, db), with the switch between them."""
    web, db = lab.netns("web"), lab.netns("db")
    lab.start("1=tap:web0,netns=web,addr=10.0.0.1/24",
              "2=tap:db0,netns=db,addr=10.0.0.2/24")
    return lab, web, db


def refused(lab, status, *args):
    """The error of a command that must fail, once as JSON, once as text."""
    error = lab.weft(*args, status=status)["error"]
    argv = [lab.program("weft"), "--run-dir", lab.run_dir, *args]
    text = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert text.returncode == status
    assert text.stderr.startswith("weft: ")
    assert error["what"] in text.stderr
    if error["hint"]:
        assert error["hint"] in text.stderr
    return error


def mac(netns, ifname):
    return netns.run("cat", "/sys/class/net/%s/address" % ifname).stdout.strip()


# --- status, switch, metrics ------------------------------------------------


def test_status_and_switch(pair):
    lab, _, _ = pair
    status = lab.weft("status")
    assert status["ports"] == 2 and status["ports_up"] == 2
    assert status["switch"] == "br0" and status["flows"] == 1
    assert os.path.exists("/proc/%d" % status["pid"])

    switch = lab.weft("switch", "show")
    assert switch["name"] == "br0"
    assert int(switch["datapath_id"], 16) > 0
    assert switch["fail_mode"] == "standalone"
    assert [t["table"] for t in switch["tables"]] == [0]
    assert "br0" in lab.text("switch", "show")
    assert "ports_up" in lab.text("status")


def test_metrics_are_prometheus_text(pair):
    lab, web, _ = pair
    assert web.ping("10.0.0.2")
    seen, types = {}, {}
    for line in lab.text("metrics").splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types
            types[name] = kind
        elif not line.startswith("#"):
            sample, value = line.rsplit(" ", 1)
            assert sample.split("{")[0] in types
            assert sample not in seen
            seen[sample] = float(value)
    assert seen['weft_port_up{port="web0"}'] == 1
    assert seen['weft_port_rx_packets_total{port="web0"}'] > 0
    assert 'weft_drops_total{reason="table-miss"}' in seen
    assert seen["weft_datapath_upcalls_total"] > 0
    assert seen["weft_cache_entries"] > 0
    samples = lab.weft("metrics")
    assert {"name": "weft_port_up", "labels": 'port="web0"',
            "value": "1"} in samples


# --- ports --------------------------------------------------------------------


def test_ports_come_and_go(pair):
    lab, web, _ = pair
    ports = lab.weft("port", "list")["ports"]
    assert [(p["number"], p["name"], p["state"]) for p in ports] == \
        [(1, "web0", "up"), (2, "db0", "up")]

    red = lab.netns("red")
    added = lab.weft("port", "add",
                     "red=tap:red0,netns=red,addr=10.0.0.3/24")
    assert added["number"] == 3 and added["name"] == "red"
    assert added["state"] == "up" and added["device"] == "red0"
    assert web.ping("10.0.0.3") and red.ping("10.0.0.1")

    by_name, by_number = lab.weft("port", "show", "red"), \
        lab.weft("port", "show", "3")
    assert by_name["mac"] == by_number["mac"]
    assert by_name["counters"]["rx_packets"] > 0

    lab.weft("port", "delete", "red")
    assert [p["name"] for p in lab.weft("port", "list")["ports"]] == \
        ["web0", "db0"]
    assert "red0" not in red.links()
    assert lab.weft("port", "add", "tap:red0,netns=red", "--number",
                    "9")["number"] == 9
    text = lab.text("port", "list")
    assert text.splitlines()[0].split()[:3] == ["PORT", "NAME", "TYPE"]
    assert "red0" in text


def test_ports_are_refused_with_a_reason(pair):
    lab, _, _ = pair
    add = ("port", "add")
    error = refused(lab, USAGE, *add, "tpa:x0")
    assert "tpa" in error["what"] and "tap" in error["hint"]
    refused(lab, USAGE, *add, "tap:x0,tag=9999")
    refused(lab, USAGE, *add, "tap:x0,netnss=web")
    refused(lab, USAGE, *add, "tap:x0", "--number", "x")
    refused(lab, CONFLICT, *add, "web0=tap:x0")
    refused(lab, CONFLICT, *add, "1=tap:x0")
    error = refused(lab, NEGATIVE, "port", "show", "wbe0")
    assert error["hint"] == "did you mean 'web0'?"
    refused(lab, NEGATIVE, "port", "delete", "7")
    refused(lab, NEGATIVE, "port", "set", "7", "tag=1")
    error = refused(lab, USAGE, "port", "set", "1", "tga=1")
    assert error["hint"] == "tag"
    refused(lab, USAGE, "port", "set", "1", "tag=0")
    refused(lab, USAGE, "port", "set", "1", "tag")


def test_settings_take_effect(pair):
    lab, web, _ = pair
    shown = lab.weft("port", "set", "1", "tag=10")
    assert shown["tag"] == 10 and shown["vlan_mode"] == "access"
    assert not web.ping("10.0.0.2", deadline=1)
    lab.weft("port", "set", "db0", "tag=10")
    assert web.ping("10.0.0.2")
    lab.weft("port", "set", "1", "protected=yes")
    assert web.ping("10.0.0.2")
    lab.weft("port", "set", "2", "protected=yes")
    assert not web.ping("10.0.0.2", deadline=1)
    shown = lab.weft("port", "set", "1", "protected=no", "tag=none",
                     "trunks=10+20-30")
    assert shown["trunks"] == "10+20-30" and shown["vlan_mode"] == "trunk"
    lab.weft("port", "set", "1", "trunks=all")
    lab.weft("port", "set", "2", "tag=none")
    assert web.ping("10.0.0.2")
    lab.weft("port", "set", "2", "admin=down")
    assert not web.ping("10.0.0.2", deadline=1)
    lab.weft("port", "set", "2", "admin=up")
    assert web.ping("10.0.0.2")


# --- flows, groups, meters ----------------------------------------------------


def test_flows_are_added_listed_and_deleted(pair):
    lab, web, _ = pair
    assert [f["flow"] for f in lab.weft("flow", "list")["flows"]] == \
        [lab.text("flow", "list", "--text").strip()]

    lab.weft("flow", "add", "priority=100,icmp,nw_dst=10.0.0.2,actions=drop")
    assert not web.ping("10.0.0.2", deadline=1)
    flows = lab.weft("flow", "list", "icmp")["flows"]
    assert len(flows) == 1 and flows[0]["priority"] == 100
    assert flows[0]["packets"] > 0 and flows[0]["actions"] == "drop"
    assert flows[0]["match"] == "icmp,nw_dst=10.0.0.2"

    lab.weft("flow", "modify", "icmp,actions=NORMAL")
    assert web.ping("10.0.0.2")
    assert lab.weft("flow", "delete", "icmp")["deleted"] == 1
    assert not lab.weft("flow", "list", "icmp")["flows"]
    assert lab.weft("flow", "delete", "icmp")["deleted"] == 0
    assert lab.weft("flow", "delete", "--all")["deleted"] == 1
    assert not web.ping("10.0.0.2", deadline=1)


def test_a_batch_is_all_or_nothing(pair, tmp_path):
    lab, _, _ = pair
    rules = tmp_path / "rules"
    rules.write_text("# two good ones\n\npriority=7,tcp,actions=NORMAL\n"
                     "  priority=7,udp,actions=NORMAL  \n")
    assert lab.weft("flow", "add", "--file", str(rules)) == {"flows": 2}
    assert len(lab.weft("flow", "list")["flows"]) == 3

    rules.write_text("priority=8,tcp,actions=NORMAL\n\n"
                     "priority=8,nw_dts=10.0.0.1,actions=drop\n")
    error = refused(lab, USAGE, "flow", "add", "--file", str(rules))
    assert error["where"] == str(rules) + ":3"
    assert "nw_dts" in error["what"]
    assert len(lab.weft("flow", "list")["flows"]) == 3
    refused(lab, USAGE, "flow", "add", "--file", "/nowhere")
    refused(lab, USAGE, "flow", "add")


def test_flow_text_goes_round(pair, tmp_path):
    lab, _, _ = pair
    lab.weft("flow", "add",
             "table=3,priority=9,tcp,nw_src=10.0.0.0/8,tp_dst=80,"
             "actions=set_field:02:00:00:00:00:09->eth_dst,output:2",
             "priority=8,vlan_tci=0x1000/0x1000,actions=pop_vlan,"
             "goto_table:3")
    lab.weft("group", "add", "group_id=1,type=all,bucket=watch_port:2,"
             "output:2")
    name = lab.weft("port", "show", "2")["name"]
    for listed in (lab.text("flow", "list"), lab.text("flow", "list", "--text"),
                   lab.text("group", "list")):
        assert "output:%s" % name in listed and "output:2" not in listed
    for listed in (lab.text("flow", "list", "--numbers", "--text"),
                   lab.text("group", "list", "--numbers"),
                   str(lab.weft("flow", "list"))):
        assert "output:2" in listed and name not in listed
    lab.weft("group", "modify", "group_id=1,type=all,bucket=output:" + name)
    assert lab.weft("group", "list")["groups"][0]["group"] == \
        "group_id=1,type=all,bucket=actions=output:2"
    saved = lab.text("flow", "list", "--text")
    rules = tmp_path / "rules"
    rules.write_text(saved)
    lab.weft("flow", "delete", "--all")
    lab.weft("flow", "add", "--file", str(rules))
    assert lab.text("flow", "list", "--text") == saved
    assert len(lab.weft("flow", "list", "--table", "3")["flows"]) == 1


def test_many_flows_need_many_requests(pair, tmp_path):
    lab, _, _ = pair
    rules = tmp_path / "rules"
    rules.write_text("".join(
        "priority=5,tcp,nw_dst=10.%d.%d.%d,tp_dst=443,actions=output:2\n"
        % (i >> 16, i >> 8 & 255, i & 255) for i in range(30000)))
    assert lab.weft("flow", "add", "--file", str(rules),
                    timeout=120) == {"flows": 30000}
    assert len(lab.weft("flow", "list", "tcp", timeout=120)["flows"]) \
        == 30000
    assert lab.weft("flow", "delete", "tcp",
                    timeout=120)["deleted"] == 30000


def test_flows_are_refused_with_a_reason(pair):
    lab, _, _ = pair
    error = refused(lab, USAGE, "flow", "add", "nw_dts=1.2.3.4,actions=drop")
    assert "nw_dts" in error["what"] and "nw_dst" in error["what"]
    refused(lab, USAGE, "flow", "add", "tcp")
    refused(lab, USAGE, "flow", "list", "tcq")
    refused(lab, USAGE, "flow", "delete")
    refused(lab, USAGE, "flow", "list", "--table", "255")
    refused(lab, REFUSED, "flow", "add", "actions=group:77")
    refused(lab, CONFLICT, "flow", "add",
            "check_overlap,priority=0,tcp,actions=drop")


def test_groups_and_meters(pair):
    lab, web, _ = pair
    lab.weft("group", "add", "group_id=1,type=all,bucket=output:2,"
             "bucket=output:1")
    lab.weft("flow", "add", "priority=9,in_port=1,actions=group:1")
    assert web.ping("10.0.0.2")
    group, = lab.weft("group", "list")["groups"]
    assert group["id"] == 1 and group["type"] == "all"
    assert len(group["buckets"]) == 2
    refused(lab, CONFLICT, "group", "add",
            "group_id=1,type=all,bucket=output:2")
    lab.weft("group", "modify", "group_id=1,type=indirect,bucket=output:2")
    assert web.ping("10.0.0.2")
    assert lab.weft("group", "delete", "1")["deleted"] == 1
    assert lab.weft("group", "list")["groups"] == []

    lab.weft("meter", "add", "meter=5 pktps bands=type=drop rate=1000")
    refused(lab, CONFLICT, "meter", "add",
            "meter=5 pktps bands=type=drop rate=1000")
    lab.weft("flow", "add", "priority=9,in_port=1,actions=meter:5,NORMAL")
    assert web.ping("10.0.0.2")
    meter, = lab.weft("meter", "list")["meters"]
    assert meter["id"] == 5 and meter["packets"] > 0
    assert "rate=1000" in lab.text("meter", "list")
    assert lab.weft("meter", "delete", "--all")["deleted"] == 1
    refused(lab, NEGATIVE, "meter", "modify",
            "meter=5 pktps bands=type=drop rate=1")


# --- fdb, cache, drops --------------------------------------------------------


def test_fdb(pair):
    lab, web, db = pair
    assert web.ping("10.0.0.2")
    stations = {s["mac"]: s for s in lab.weft("fdb", "list")["fdb"]}
    assert stations[mac(web, "web0")]["number"] == 1
    assert stations[mac(db, "db0")]["port"] == "db0"
    assert mac(web, "web0") in lab.text("fdb", "list")
    assert [s["mac"] for s in lab.weft("fdb", "list", "--port",
                                       "2")["fdb"]] == [mac(db, "db0")]
    assert lab.weft("fdb", "list", "--vlan", "9")["fdb"] == []
    assert lab.weft("fdb", "flush", "--port", "web0")["flushed"] == 1
    assert lab.weft("fdb", "flush")["flushed"] == 1
    refused(lab, NEGATIVE, "fdb", "list", "--port", "nobody")
    refused(lab, USAGE, "fdb", "list", "--vlan", "4096")


def test_a_zone_that_is_nearly_full_is_seen(lab):
    lab.start(lab.plug("tap", 1, "web"),
              options=("--fail-mode", "secure", "--zone-connections", "10"))
    lab.weft("flow", "add", "udp,actions=ct(commit,zone=3)")
    nic = lab.netns("web").nic("eth0")
    frames = [Ether(src=nic.mac, dst="02:00:00:00:00:99")
              / IP(src="10.0.0.1", dst="10.0.0.9")
              / UDP(sport=1000 + i, dport=53) for i in range(11)]

    def doctors():
        return [f for f in lab.weft("doctor")
                if f["name"] == "connections"]

    for frame in frames[:8]:
        nic.send(frame)
    eventually(lambda: lab.weft("connection", "count")["connections"] == 8,
               "eight are tracked")
    assert doctors()[0]["verdict"] == "ok"
    for frame in frames[8:]:
        nic.send(frame)
    eventually(lambda: lab.drops("ct-zone-full") == 1, "one is too many")
    count = lab.weft("connection", "count")
    assert count["crowded_zones"] == [{"zone": 3, "connections": 10,
                                       "limit": 10}]
    assert "zone 3: 10 of 10" in lab.text("connection", "count")
    one, = doctors()
    assert one["verdict"] == "warning" and "zone 3 has 10 of 10" in one["what"]
    metrics = lab.text("metrics")
    assert 'weft_crowded_zone_connections{zone="3"} 10' in metrics
    assert "weft_conntrack_zone_full_total 1" in metrics
    eventually(lambda: "zone 3 has more than 80 %" in lab.log(),
               "the log says so")
    lab.weft("connection", "flush")
    assert doctors()[0]["verdict"] == "ok"


def test_connections(pair):
    lab, web, db = pair
    lab.weft("flow", "add", "priority=9,ip,in_port=1,actions=ct(commit,zone=3,"
             "nat(src=10.0.0.77),exec(set_field:5->ct_mark)),output:2")
    lab.weft("flow", "add", "priority=9,arp,actions=NORMAL")
    with db.call(lambda: socket.socket(socket.AF_INET,
                                       socket.SOCK_DGRAM)) as there:
        there.bind(("10.0.0.2", 99))
        there.settimeout(10)
        with web.call(lambda: socket.socket(socket.AF_INET,
                                            socket.SOCK_DGRAM)) as here:
            here.bind(("10.0.0.1", 777))
            here.sendto(b"hello", ("10.0.0.2", 99))
            assert there.recvfrom(100) == (b"hello", ("10.0.0.77", 777))
    one, = lab.weft("connection", "list", "--protocol", "udp")["connections"]
    assert one["original"] == {"source": "10.0.0.1", "source_port": 777,
                               "destination": "10.0.0.2",
                               "destination_port": 99}
    assert one["reply"]["destination"] == "10.0.0.77"
    assert (one["zone"], one["mark"], one["answered"]) == (3, 5, False)
    assert "from 10.0.0.77:777" in lab.text("connection", "list")
    assert lab.weft("connection", "list", "--address",
                    "10.0.0.9")["connections"] == []
    count = lab.weft("connection", "count")
    assert count["connections"] >= 1 and count["counters"]["created"] >= 1
    assert lab.weft("connection", "count", "--zone",
                    "4")["connections"] == 0
    assert lab.weft("connection", "flush", "--zone", "3", "--protocol",
                    "udp")["flushed"] == 1
    assert lab.weft("connection", "list", "--protocol",
                    "17")["connections"] == []
    refused(lab, USAGE, "connection", "list", "--zone", "65536")
    refused(lab, USAGE, "connection", "flush", "--address", "nowhere")


def test_cache_and_drops(pair):
    lab, web, _ = pair
    assert "nothing was dropped" in lab.text("drops", "web0")
    assert web.ping("10.0.0.2")
    entries = lab.weft("cache", "list")["cache"]
    assert {e["port"] for e in entries} == {"web0", "db0"}
    assert all(e["in_port"] in (1, 2) and e["match"] for e in entries)
    assert {e["port"] for e in lab.weft("cache", "list", "--port",
                                        "1")["cache"]} == {"web0"}
    assert len(lab.weft("cache", "list", "--limit", "1")["cache"]) == 1
    assert "db0" in lab.text("cache", "list")

    lab.weft("flow", "add", "priority=9,ip,actions=drop")
    assert not web.ping("10.0.0.2", deadline=1)
    drops = {d["reason"]: d["packets"]
             for d in lab.weft("drops", "1")["drops"]}
    assert drops["drop-action"] > 0
    assert lab.weft("port", "show", "1")["drops"]["drop-action"] > 0
    assert "drop-action" in lab.text("drops")
    assert "table-miss" not in lab.text("drops")
    assert "table-miss" in lab.text("drops", "--all")


# --- trace ----------------------------------------------------------------------


def test_trace_tells_what_becomes_of_a_packet(pair):
    lab, web, db = pair
    assert web.ping("10.0.0.2")
    packet = "icmp,dl_src=%s,dl_dst=%s,nw_src=10.0.0.1,nw_dst=10.0.0.2" % (
        mac(web, "web0"), mac(db, "db0"))
    trace = lab.weft("trace", "web0", packet)
    assert trace["forwarded"] and trace["drop_reason"] is None
    assert trace["steps"] and "db0" in trace["actions"]

    lab.weft("flow", "add", "priority=100,icmp,nw_src=10.0.0.1,actions=drop")
    trace = lab.weft("trace", "1", packet, status=NEGATIVE)
    assert not trace["forwarded"] and trace["drop_reason"] == "drop-action"
    assert any("nw_src=10.0.0.1" in step["text"] for step in trace["steps"])
    assert "nw_src=10.0.0.1" in trace["match"]
    error = refused(lab, USAGE, "trace", "1", "icmp,nw_dts=1.2.3.4")
    assert "nw_dts" in error["what"]
    refused(lab, NEGATIVE, "trace", "nobody", "icmp")


# --- capture --------------------------------------------------------------------


def start_capture(lab, *args, **kwargs):
    return subprocess.Popen(
        [lab.program("weft"), "--run-dir", lab.run_dir, "capture", *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **kwargs)


def test_capture_as_lines(pair):
    lab, web, _ = pair
    capture = start_capture(lab, "web0", "icmp", "-c", "4", text=True)
    eventually(lambda: capture.poll() is not None or web.ping("10.0.0.2"),
               "a ping")
    eventually(lambda: web.ping("10.0.0.2") and capture.poll() is not None,
               "four frames")
    out, err = capture.communicate(timeout=10)
    lines = out.splitlines()
    assert capture.returncode == DONE and len(lines) == 4
    assert all("10.0.0." in line and "icmp echo" in line for line in lines)
    assert {line.split()[1] for line in lines} == {"rx", "tx"}
    assert err.startswith("4 frames")


def test_capture_as_pcap(pair, tmp_path):
    lab, web, _ = pair
    path = str(tmp_path / "web.pcap")
    capture = start_capture(lab, "1", "-w", path, "-c", "3", "--rx",
                            "icmp[icmptype] == icmp-echo")
    eventually(lambda: web.ping("10.0.0.2") and capture.poll() is not None,
               "three frames")
    assert capture.wait(10) == DONE
    capture.communicate()
    frames = list(PcapReader(path))
    assert len(frames) == 3
    assert all(f[IP].dst == "10.0.0.2" and f[ICMP].type == 8
               for f in frames)


def test_capture_into_a_pipe_ends_with_its_signal(pair):
    lab, web, _ = pair
    capture = start_capture(lab, "1", "-w", "-")
    reader = PcapReader(capture.stdout)
    eventually(lambda: web.ping("10.0.0.2"), "a ping")
    assert reader.read_packet() is not None
    capture.send_signal(signal.SIGINT)
    capture.stdout.read()
    assert capture.wait(10) == DONE
    capture.communicate()


def test_captures_are_refused_with_a_reason(pair):
    lab, _, _ = pair
    refused(lab, NEGATIVE, "capture", "nobody")
    refused(lab, USAGE, "capture", "1", "not a filter")
    refused(lab, USAGE, "capture", "1", "-c", "x")
    first = start_capture(lab, "1", "-w", "-")
    assert first.stdout.read(4) == b"\x4d\x3c\xb2\xa1"
    assert refused(lab, CONFLICT, "capture", "1")["where"] == "port"
    first.kill()
    first.communicate()
    # Its place is free again, and so is a captured port's name.
    again = start_capture(lab, "2", "-w", "-")
    assert again.stdout.read(4) == b"\x4d\x3c\xb2\xa1"
    lab.weft("port", "delete", "2")
    assert again.wait(10) == DONE
    again.communicate()
    eventually(lambda: start_and_kill(lab, "1"), "port 1 is free again")


def start_and_kill(lab, port):
    capture = start_capture(lab, port, "-w", "-")
    began = capture.stdout.read(4) == b"\x4d\x3c\xb2\xa1"
    capture.kill()
    capture.communicate()
    return began


def test_the_daemon_ends_under_a_capture(pair):
    lab, _, _ = pair
    capture = start_capture(lab, "1", "-w", "-")
    assert capture.stdout.read(4) == b"\x4d\x3c\xb2\xa1"
    lab.stop()
    capture.wait(10)
    capture.communicate()


# --- the command itself ---------------------------------------------------------


def test_an_unreachable_daemon(lab):
    for words in (("status",), ("port", "list"), ("capture", "1")):
        error = refused(lab, UNREACHABLE, *words)
        assert error["where"].endswith("/api.sock")


def test_usage(lab):
    assert refused(lab, USAGE, "prot", "list")["hint"] == \
        "did you mean 'port'?"
    assert refused(lab, USAGE, "port", "lsit")["hint"] == \
        "did you mean 'port list'?"
    assert refused(lab, USAGE, "flow", "list", "--tabel", "1")["hint"] == \
        "did you mean '--table'?"
    refused(lab, USAGE)
    refused(lab, USAGE, "port", "show")
    assert lab.weft("version")["version"]
    assert lab.weft("help", "capture")[0]["noun"] == "capture"
    assert "capture PORT" in lab.text("help")
    refused(lab, USAGE, "help", "nothing")


def test_what_comes_next_is_known(pair):
    lab = pair[0]

    def after(*words):
        return lab.text("complete", "--", *words).split()

    assert "port" in after("")
    assert after("po") == ["port"]
    assert after("port", "sh") == ["show"]
    assert after("port", "show", "") == ["web0", "db0"]
    assert after("port", "delete", "web0", "d") == ["db0"]
    assert after("fdb", "list", "--port", "") == ["web0", "db0"]
    assert "--vlan" in after("fdb", "list", "--")
    assert after("nonsense", "") == []


def test_bash_completes_by_it(pair):
    lab = pair[0]
    script = os.path.join(ROOT, "completion", "weft")
    program = lab.program("weft")
    out = run("bash", "-c", """
        . %s
        COMP_WORDS=(%s port show '')
        COMP_CWORD=3
        _weft
        printf '%%s\\n' "${COMPREPLY[@]}"
        """ % (script, program),
        env={**os.environ, "WEFT_RUN_DIR": lab.run_dir}).stdout
    assert out.split() == ["web0", "db0"]


def test_the_doctor_finds_a_healthy_switch(pair):
    found = {f["name"]: f for f in pair[0].weft("doctor")}
    assert found["daemon"]["verdict"] == "ok"
    assert found["ports"]["verdict"] in ("ok", "warning")
    assert all(f["fix"] or f["verdict"] in ("ok", "unknown")
               for f in found.values())
    assert re.search(r"^ok +tun +/dev/net/tun opens$",
                     pair[0].text("doctor"), re.M)


def test_the_doctor_says_what_is_wrong(pair):
    """A port whose guest is gone; then a daemon that does not answer."""
    lab = pair[0]
    lab.netns("db").run("ip", "link", "delete", "db0")
    eventually(lambda: [f for f in lab.weft("doctor")
                        if f["name"] == "ports"
                        and f["what"] == "1 of 2 ports are down"],
               "the doctor sees the port")
    said = subprocess.run([lab.program("weft"), "--run-dir", "/nonexistent",
                           "doctor"], capture_output=True, text=True,
                          timeout=30)
    assert said.returncode == NEGATIVE
    assert "no weftd answers in /nonexistent" in said.stdout
    assert not said.stderr
