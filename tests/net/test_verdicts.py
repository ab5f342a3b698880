"""One intent file, one table of verdicts, real frames: on Weft's own switch and
on Open vSwitch, with local networks and with overlays in their place.  At two
hosts: test_verdicts_hosts.py.

verdicts.py makes the rows, verdict_model.py says from the intents alone who
hears each frame, verdict_bench.py has the guests.  All rows are sent at once, each
sender's in order, and a marker behind them that everybody hears; then what was
heard is compared row by row."""

import pytest

import ovs
import verdict_bench
import verdicts
from weft import DONE, NEGATIVE


@pytest.fixture(scope="module", params=[
    "weft", "ovs", "weft-vxlan",
    pytest.param("weft-gre", marks=pytest.mark.slow),
    pytest.param("weft-geneve", marks=pytest.mark.slow)])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    yield from verdict_bench.lend(verdict_bench.Bench, request)


def describe(row, heard):
    wanted = set(row.verdict.heard.items())
    return "%5d %-6s %-40s wanted %s (%s), heard by %s" % (
        row.number, row.sender, row.about, sorted(wanted) or "nobody",
        row.verdict.reason or "passes", sorted(heard) or "nobody")


def test_everybody_hears_what_the_intents_say(bench):
    rows = verdicts.rows(bench.gateways)
    assert len(rows) >= 150
    passes = sum(bool(row.verdict.heard) for row in rows)
    assert passes >= 50 and len(rows) - passes >= 50
    heard = {}
    for phase in range(rows[-1].phase + 1):
        heard.update(bench.send([r for r in rows if r.phase == phase]))
    wanted = {verdicts.answer_key(row) for row in rows if row.verdict.heard}
    bench.wait_for(wanted, heard)
    wrong = []
    for row in rows:
        key = verdicts.answer_key(row)
        got = heard.get(key, set())
        if key != row.number and isinstance(key[-1], int):
            # Who is told does not arrive as well.
            got = got | heard.get(row.number, set())
        if got != set(row.verdict.heard.items()) and not bench.is_drawn(row):
            wrong.append(describe(row, got))
    assert not wrong, "%d of %d rows differ:\n%s" % (
        len(wrong), len(rows), "\n".join(wrong))


def test_explain_says_the_same(bench):
    asked = verdicts.questions_by_name(bench.gateways)
    assert len(asked) >= 50
    wrong = []
    for a, b, what, passes in asked:
        status = bench.lab_of(a).weft("explain", a, b, what,
                                      status=None).returncode
        if status != (DONE if passes else NEGATIVE):
            wrong.append("explain %s %s %s: status %d, %s" % (
                a, b, what, status, "it passes" if passes else "it does not"))
    assert not wrong, "\n".join(wrong)
