"""1.5's triggers of statistics: controllers hear of an entry whose counters
cross a threshold (1.5.1 section 7.2.5), without asking."""

import os

import pytest

import testbench
from osken import Session
from test_actions import V4, V6
from test_spec import HIT, reset

LENGTH = len(bytes(V4))
BAD_INSTRUCTION, DUP, UNSUPPORTED = 3, 9, 1
FLOW_STATS, BY_TRIGGER = 17, 1          # OFPMP_FLOW_STATS, OFPFSR_STAT_TRIGGER


@pytest.fixture(scope="module")
def bench(request):
    with testbench.bench(request.config.getoption("--build")) as bench:
        yield bench


@pytest.fixture
def of(bench):
    with Session(os.path.join(bench.lab.run_dir, "br0.mgmt"), 6) as of:
        # Such a connection hears of what it did not ask for from then on.
        of.tell(of.parser.OFPSetConfig(of.desc, 0, 128))
        yield of
        of.commit(*of.delete_all())


def trigger(of, flags=0, **thresholds):
    return of.parser.OFPInstructionStatTrigger(
        flags, of.parser.OFPStats(**thresholds))


def add(of, *instructions, **fields):
    return of.flow_mod(of.match(eth_type=0x800), *instructions,
                       priority=9, **fields)


def told(of):
    """The next that is told: (table, statistics)."""
    reply = of.await_type(of.ofp.OFPT_MULTIPART_REPLY)
    assert reply.type == FLOW_STATS and reply.xid == 0 and not reply.flags
    entry, = reply.body
    assert entry.reason == BY_TRIGGER and entry.priority == 9
    assert dict(entry.match.items()) == {"eth_type": 0x800}
    return entry.table_id, dict(entry.stats.items())


def test_packets_that_cross_a_threshold_are_told_of(bench, of):
    of.commit(*reset(of), of.flow_mod(of.match(), of.goto(4)),
              add(of, trigger(of, packet_count=10),
                  of.apply(of.output(HIT)), table_id=4))
    assert len(bench.send(*[V4] * 9)[HIT]) == 9
    bench.send(V6)                      # Of another entry.
    bench.send(V4)
    table, stats = told(of)
    assert table == 4 and stats["packet_count"] == 10
    assert stats["byte_count"] == 10 * LENGTH


def test_bytes_and_their_multiples_are_told_of(bench, of):
    of.commit(*reset(of), add(of, trigger(of, of.ofp.OFPSTF_PERIODIC,
                                          byte_count=5 * LENGTH),
                              of.apply(of.output(HIT))))
    for n in (5, 10, 20):
        bench.send(*[V4] * (n - n // 2 if n > 5 else n))
        assert told(of)[1]["packet_count"] == n


def test_age_is_told_of_and_the_first_is_the_only_one(bench, of):
    """What was crossed first is what goes on being told."""
    of.commit(*reset(of), add(of, trigger(
        of, of.ofp.OFPSTF_PERIODIC | of.ofp.OFPSTF_ONLY_FIRST,
        duration=(0, 600000000), packet_count=1000)))
    ages = [told(of)[1] for _ in range(2)]
    for n, stats in enumerate(ages, 1):
        sec, nsec = stats["duration"]
        assert sec * 1000 + nsec // 1000000 >= 600 * n


def test_a_trigger_is_shown_again(bench, of):
    of.commit(*reset(of), add(of, trigger(
        of, of.ofp.OFPSTF_ONLY_FIRST, duration=(5, 250000000),
        packet_count=7, byte_count=2 ** 40), of.apply(of.output(HIT))))
    of.tell(of.parser.OFPFlowDescStatsRequest(
        of.desc, 0, 0, of.ofp.OFPP_ANY, of.ofp.OFPG_ANY, 0, 0,
        of.match(eth_type=0x800)))
    flow, = of.await_type(of.ofp.OFPT_MULTIPART_REPLY).body
    shown = {type(i): i for i in flow.instructions}
    assert set(shown) == {of.parser.OFPInstructionStatTrigger,
                          of.parser.OFPInstructionActions}
    it = shown[of.parser.OFPInstructionStatTrigger]
    assert it.flags == of.ofp.OFPSTF_ONLY_FIRST
    assert dict(it.thresholds.items()) == {
        "duration": (5, 250000000), "packet_count": 7,
        "byte_count": 2 ** 40}
    row, = [row for row in bench.lab.weft("flow", "list")["flows"]
            if "stat_trigger" in row["flow"]]
    assert "stat_trigger(duration=5.250000000,packets=7,bytes=1099511627776," \
           "only_first)" in row["flow"]


def test_triggers_that_make_no_sense_are_refused(bench, of):
    for bad in (trigger(of), trigger(of, packet_count=0),
                trigger(of, idle_time=(5, 0)), trigger(of, flow_count=5),
                trigger(of, 4, packet_count=5)):
        assert of.refusal(add(of, bad)) == (BAD_INSTRUCTION, UNSUPPORTED)
    once = trigger(of, packet_count=5)
    assert of.refusal(add(of, once, once)) == (BAD_INSTRUCTION, DUP)
