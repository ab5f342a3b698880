"""The table of test_verdicts.py, with the same verdicts, for guests at two hosts:
by each kind of tunnel, and over both families."""

import pytest

import verdict_bench
from test_verdicts import (test_everybody_hears_what_the_intents_say,
                           test_explain_says_the_same)

__all__ = ["test_everybody_hears_what_the_intents_say",
           "test_explain_says_the_same"]


@pytest.fixture(scope="module", params=[
    "vxlan-4", "geneve-6",
    pytest.param("gre-4", marks=pytest.mark.slow),
    pytest.param("vxlan-6", marks=pytest.mark.slow),
    pytest.param("gre-6", marks=pytest.mark.slow),
    pytest.param("geneve-4", marks=pytest.mark.slow)])
def bench(request):
    yield from verdict_bench.lend(verdict_bench.TwoHosts, request)
