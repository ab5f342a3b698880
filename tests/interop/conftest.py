"""Weft under controllers and tools that others wrote, or that we wrote with
others' libraries.  Runs like tests/openflow, whose fixtures it shares."""

import importlib.util
import os
import sys

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
OPENFLOW = os.path.join(HERE, "..", "openflow")
sys.path.insert(0, OPENFLOW)
sys.path.insert(0, HERE)

spec = importlib.util.spec_from_file_location(
    "openflow_conftest", os.path.join(OPENFLOW, "conftest.py"))
openflow = importlib.util.module_from_spec(spec)
spec.loader.exec_module(openflow)

# What pytest and the tests of the three folders look for in "conftest".
lab = openflow.lab
switch = openflow.switch
ofctl = openflow.ofctl
Switch = openflow.Switch
pytest_addoption = openflow.pytest_addoption
pytest_configure = openflow.pytest_configure
pytest_runtest_makereport = openflow.pytest_runtest_makereport

import weft                                         # noqa: E402


@pytest.fixture
def second(lab, request):
    """A lab for a second switch on the same host."""
    second = weft.Lab(request.config.getoption("--build"), lab.host)
    yield second
    second.close()
