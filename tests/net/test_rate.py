"""A port's rate towards its guest holds for floods, and for nobody else: on
Weft's switch and on Open vSwitch.

    web                      sends to everybody
    db (limited)  iso  alone (isolated)  fw (a trunk, limited)
"""

import pytest
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import ovs
from netns import eventually
from test_controller import BROADCAST, MAC, Bench

INTENTS = """
version: 1
networks:
  blue: {subnet: 10.1.0.0/24, storm-cap: 100000}
ports:
  web: {network: blue, tap: web, mac: "02:00:00:00:00:01", address: 10.1.0.10}
  db: {network: blue, tap: db, mac: "02:00:00:00:00:02", address: 10.1.0.20,
       rate: {in: 100k}}
  iso: {network: blue, tap: iso, mac: "02:00:00:00:00:03",
        address: 10.1.0.30}
  alone: {network: blue, tap: alone, mac: "02:00:00:00:00:04",
          address: 10.1.0.31, isolated: true}
  fw: {trunk: {100: blue}, tap: fw, mac: "02:00:00:00:00:06",
       rate: {in: 100k}}
"""
# The bucket's 192 kB are some 130 frames; a second more is 9.
N_FRAMES, BURST, LEN, MOST = 500, 20, 1450, 250


@pytest.fixture(params=["weft", "ovs"])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"), INTENTS)
    bench.start()
    yield bench
    bench.close()


def received(bench, name):
    return int(bench.lab.netns("g-" + name).run(
        "cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)


def test_a_flood_is_limited_where_a_port_is_and_nowhere_else(bench):
    names = ("db", "iso", "alone", "fw")
    before = {name: received(bench, name) for name in names + ("web",)}
    frame = Ether(src=MAC["web"], dst=BROADCAST, type=0x88b5) \
        / Raw(bytes(LEN))
    # A few at a time: no socket on the way is to overflow.
    for n in range(BURST, N_FRAMES + 1, BURST):
        for _ in range(BURST):
            bench.nics["web"].send(frame)
        for name in ("iso", "alone"):
            eventually(lambda: received(bench, name) - before[name] >= n,
                       "%s hears all" % name)
    for name in ("db", "fw"):
        got = received(bench, name) - before[name]
        assert 50 < got < MOST, (name, got)
    assert received(bench, "web") - before["web"] < 50
