"""What NORMAL forgets: stations that are flushed, or whose port went.

The network is testbench.py's; tests/trace/bridge.trace and test_vlan.py have
what NORMAL does with frames."""

import pytest
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

import testbench
from netns import eventually
from testbench import A, B, C

EVERYBODY = {2, 3, 4, 5}


@pytest.fixture(scope="module")
def switch(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def bench(switch):
    switch.clear()
    switch.lab.api("DELETE", "/v1/fdb")
    switch.flows("actions=NORMAL")
    return switch


def frame(src, dst, vid=None):
    payload = Raw(bytes(60))
    if vid is None:
        return Ether(src=src, dst=dst, type=0x88b5) / payload
    return Ether(src=src, dst=dst) / Dot1Q(vlan=vid, type=0x88b5) / payload


def reach(bench, dst, vid=None):
    """The ports by which a frame from port 1 leaves, as trace says, too."""
    text = "dl_type=0x88b5,dl_src=%s,dl_dst=%s" % (A, dst)
    if vid is not None:
        text += ",dl_vlan=%d" % vid
    said = bench.trace(text)["actions"]
    ports = set(bench.send(frame(A, dst, vid)))
    assert ports == {number for number in testbench.PORT_NUMBERS
                     if "output(%s)" % testbench.PORTS[number - 1] in said}
    return ports


def learn(bench, mac, port, vid=None):
    bench.send(frame(mac, A, vid), port=port)


def test_a_station_is_found_until_it_is_flushed(bench):
    assert reach(bench, B) == EVERYBODY
    learn(bench, B, 3)
    assert reach(bench, B) == {3}
    bench.lab.weft("fdb", "flush")
    assert reach(bench, B) == EVERYBODY


def test_a_port_or_a_vlan_is_flushed_alone(bench):
    learn(bench, B, 3)
    learn(bench, C, 4)
    bench.lab.weft("fdb", "flush", "--port", "p3")
    assert reach(bench, B) == EVERYBODY
    assert reach(bench, C) == {4}
    learn(bench, B, 3, vid=7)
    learn(bench, C, 4, vid=8)
    bench.lab.weft("fdb", "flush", "--vlan", "7")
    assert reach(bench, B, vid=7) == EVERYBODY
    assert reach(bench, C, vid=8) == {4}


def test_a_station_is_another_in_another_vlan(bench):
    learn(bench, B, 3, vid=7)
    learn(bench, B, 4, vid=8)
    assert reach(bench, B, vid=7) == {3}
    assert reach(bench, B, vid=8) == {4}
    assert reach(bench, B) == EVERYBODY


def test_stations_move(bench):
    for port in (3, 4, 5, 3):
        learn(bench, B, port)
        assert reach(bench, B) == {port}


def test_stations_of_a_port_that_went_are_forgotten(bench):
    learn(bench, B, 5)
    assert reach(bench, B) == {5}
    learn(bench, C, 4)
    assert reach(bench, C) == {4}
    bench.lab.weft("port", "set", "p5", "admin=down")
    try:
        eventually(lambda: all(
            row["mac"] != B for row in bench.lab.weft("fdb", "list")["fdb"]),
            "the station is forgotten")
    finally:
        bench.lab.weft("port", "set", "p5", "admin=up")
        bench.lab.wait_port("p5", "up")
    assert reach(bench, B) == EVERYBODY
