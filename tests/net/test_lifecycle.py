"""Beginnings and ends: of ports, of devices, of weftd.

      a  10.0.0.1     b  10.0.0.2
       | CLASS         | tap
    ---+---------------+---  br0
"""

import os
import threading

import pytest
from scapy.all import Ether, wrpcap

from netns import eventually, move_file

KINDS = ["tap", "veth", "netdev"]
# A port without a device: ours alone, and quick.
IN_MEMORY = {
    "null": ["5=p=null:"],
    "ring": ["5=p=ring:"],
    "patch": ["5=p=patch:peer=q", "6=q=patch:peer=p"],
    "impair": ["5=p=impair:peer=q,loss=10%", "6=q=impair:peer=p"],
    "pcap": ["5=p=pcap:in=%(dir)s/in.pcap,out=%(dir)s/out.pcap"],
}
WITH_DEVICE = KINDS + ["vm", "internal"]
# A device's cycle takes 40 ms:  CYCLES=1000 ./dev test net -- -k come_and_go
CYCLES = int(os.environ.get("CYCLES", "100"))


def start(lab, kind):
    lab.start(lab.plug(kind, 1, "a", "10.0.0.1/24"),
              lab.plug("tap", 2, "b", "10.0.0.2/24"))
    return lab.netns("a"), lab.netns("b")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_in_traffic_it_leaves_nothing_the_next_does_not_own(lab, kind):
    a, b = start(lab, kind)
    traffic = a.popen("ping", "-q", "-f", "10.0.0.2",
                      stdout=-3, stderr=-3)
    try:
        assert a.ping("10.0.0.2")
        lab.kill()
        lab.restart()
        # b's NIC is a new one.  (Under the flood of pings the entry is back at
        # once, and ip complains.)
        a.run("ip", "neigh", "flush", "all", check=False)
        assert a.ping("10.0.0.2", deadline=10)
        assert move_file(a, b, "10.0.0.2")
    finally:
        traffic.kill()
        traffic.wait()
    # lab.close() checks that no device is left after SIGTERM.


def test_the_main_process_is_started_again(lab):
    a, _b = start(lab, "tap")
    main = lab.weft("status")["pid"]
    assert main != lab.weftd.pid
    os.kill(main, 9)
    eventually(lambda: lab.weft("status", status=None).returncode == 0
               and lab.weft("status")["pid"] != main, "main is back")
    assert lab.weft("status")["restarts"] == 1
    assert a.ping("10.0.0.2", deadline=10)


def test_main_has_no_capabilities(lab):
    start(lab, "tap")
    with open("/proc/%d/status" % lab.weft("status")["pid"]) as f:
        caps = dict(line.split(":\t") for line in f if line.startswith("Cap"))
    for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(caps[which], 16) == 0, which


def test_a_device_that_goes_and_returns(lab):
    a, _b = start(lab, "netdev")
    assert a.ping("10.0.0.2")
    lab.host.run("ip", "link", "del", "dev", "h-a")
    lab.wait_port("a", "down")
    lab.veth("h-a", "a", addr="10.0.0.1/24")
    lab.wait_port("a", "up")
    assert a.ping("10.0.0.2")


@pytest.mark.parametrize("kind", ["tap", "veth"])
def test_a_namespace_that_goes_and_returns(lab, kind):
    start(lab, kind)
    lab.netns("a").close()
    lab.wait_port("a", "down")
    del lab._netns["a"]
    a = lab.netns("a")
    lab.wait_port("a", "up")
    a.wait_link("eth0")
    assert a.ping("10.0.0.2")


def footprint(lab):
    """(open files, resident KB) of all of weftd."""
    files = memory = 0
    for pid in lab.weftd_pids():
        files += len(os.listdir("/proc/%d/fd" % pid))
        with open("/proc/%d/statm" % pid) as f:
            memory += int(f.read().split()[1]) * 4
    return files, memory


@pytest.mark.slow
@pytest.mark.parametrize("kind", WITH_DEVICE + list(IN_MEMORY))
def test_ports_come_and_go_and_leave_nothing(lab, kind):
    lab.start(lab.plug("tap", 1, "b"))
    if kind in IN_MEMORY:
        wrpcap(os.path.join(lab.dir, "in.pcap"), Ether() / b"hello")
        ports = [port % {"dir": lab.dir} if "%(" in port else port
                 for port in IN_MEMORY[kind]]
    elif kind == "internal":
        ports = ["5=p=internal:int0"]
    elif kind == "vm":
        ports = ["5=p=tap:vm0,vm=yes"]
    else:
        ports = [lab.plug(kind, 5, "p")]

    def cycle():
        for port in ports:
            lab.api("POST", "/v1/ports", {"port": port}, status=201)
        for port in reversed(ports):
            lab.api("DELETE", "/v1/ports/" + port.split("=")[1])

    for _ in range(20):
        cycle()
    links = lab.host.links().keys()
    files, memory = footprint(lab)
    for _ in range(CYCLES if kind in WITH_DEVICE else 400):
        cycle()
    assert lab.host.links().keys() == links
    # The last request's connection may still be open.
    eventually(lambda: footprint(lab)[0] <= files, "no file is left open")
    assert footprint(lab)[1] - memory < 1024, "KB gained"


def test_many_clients_at_once(lab):
    start(lab, "tap")
    failures = []

    def ask():
        for _ in range(20):
            try:
                lab.api("GET", "/v1/ports")
            except Exception as e:
                failures.append(e)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
