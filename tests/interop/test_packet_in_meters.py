"""Meters of packet-ins: that of an action, and the one of all of them.

What is too much goes to no controller, but wherever else the actions say."""

import os

import pytest

import testbench
from osken import Session
from test_actions import V4, eth, ip
from test_spec import HIT, VERSIONS, reset

RATE, BURST, N = 1, 5, 40
CONTROLLER = 0xfffffffe                 # OFPM_CONTROLLER


@pytest.fixture(scope="module")
def bench(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def of(bench, version):
    with Session(os.path.join(bench.lab.run_dir, "br0.mgmt"), version) as of:
        # Such a connection hears of packets once it asks for them.
        of.tell(of.parser.OFPSetConfig(of.desc, 0, 128))
        yield of
        of.commit(*of.delete_all())


def meter(of, number):
    return of.parser.OFPMeterMod(
        of.desc, of.ofp.OFPMC_ADD, of.ofp.OFPMF_PKTPS | of.ofp.OFPMF_BURST
        | of.ofp.OFPMF_STATS, number, [of.parser.OFPMeterBandDrop(RATE,
                                                                  BURST)])


def controller2(of, number):
    """Nicira's NXAST_CONTROLLER2 with a meter_id."""
    prop = b"\0\5\0\x08" + number.to_bytes(4, "big")
    return of.parser.OFPActionExperimenterUnknown(
        0x2320, b"\0\x25" + bytes(6) + prop)


def passed(bench, of, frame, outputs=True):
    """Sends many; how many came to the controller, and the meter's row."""
    got = bench.send(*[frame] * N)
    assert len(got.get(HIT, ())) == (N if outputs else 0)
    row, = bench.lab.api("GET", "/v1/meters")["meters"]
    assert row["packets"] == N
    n = N - row["bands"][0]["packets"]
    for _ in range(n):
        assert of.await_type(of.ofp.OFPT_PACKET_IN).data[:14] \
            == bytes(frame)[:14]
    return n


@VERSIONS
def test_the_meter_of_an_action(bench, of, version):
    of.commit(*reset(of), meter(of, 7), of.flow_mod(
        of.match(eth_type=0x800),
        of.apply(controller2(of, 7), of.output(HIT))))
    assert BURST <= passed(bench, of, V4) < N


@VERSIONS
def test_the_meter_of_all_packet_ins(bench, of, version):
    """Of an action's, which is there before the meter; of what misses."""
    to_controller = of.output(of.ofp.OFPP_CONTROLLER)
    of.commit(*reset(of), of.flow_mod(
        of.match(eth_type=0x800), of.apply(to_controller, of.output(HIT))))
    bench.send(*[V4] * N)
    for _ in range(N):
        of.await_type(of.ofp.OFPT_PACKET_IN)
    of.commit(meter(of, CONTROLLER))
    assert BURST <= passed(bench, of, V4) < N
    of.commit(of.parser.OFPMeterMod(of.desc, of.ofp.OFPMC_DELETE, 0,
                                    CONTROLLER))
    bench.send(*[V4] * N)
    for _ in range(N):
        of.await_type(of.ofp.OFPT_PACKET_IN)


@VERSIONS
def test_packets_whose_ttl_is_used_up_pass_it(bench, of, version):
    of.commit(*reset(of), meter(of, CONTROLLER), of.flow_mod(
        of.match(eth_type=0x800), of.apply(of.parser.OFPActionDecNwTtl(),
                                           of.output(HIT))))
    of.commit(of.parser.OFPSetAsync(of.desc, **asked(of)))
    assert BURST <= passed(bench, of, eth(ip(ttl=1)), outputs=False) < N


def asked(of):
    if of.version < 6:
        reasons = [1 << of.ofp.OFPR_INVALID_TTL, 0]
        return {"packet_in_mask": reasons, "port_status_mask": [0, 0],
                "flow_removed_mask": [0, 0]}
    return {"properties": [of.parser.OFPAsyncConfigPropReasons(
        of.ofp.OFPACPT_PACKET_IN_MASTER, 8,
        1 << of.ofp.OFPR_INVALID_TTL)]}
