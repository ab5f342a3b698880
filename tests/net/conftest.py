"""End-to-end tests: real devices, real guests, frames made by scapy.

    ./dev test net                          all of them
    ./dev test net -- -k trace -x           some
    tests/sandbox /usr/bin/python3 -m pytest tests/net     without building

Each test gets a fresh `lab` (weft.py).  The draft of a test draws its network
at the top of the file."""

import logging
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
logging.getLogger("scapy").setLevel(logging.ERROR)

import weft                                         # noqa: E402


def pytest_addoption(parser):
    try:
        parser.addoption("--build", default="build",
                         help="the build directory whose weftd is tested")
        parser.addoption("--write-traces", action="store_true",
                         help="tests/trace: write what trace says, to be read")
    except ValueError:
        pass                            # Run together with tests/openflow.


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "slow: takes long; not repeated under the sanitizers")
    if os.environ.get("WEFT_SANDBOX") != "1":
        pytest.exit("these tests make devices: run them in tests/sandbox",
                    returncode=2)


@pytest.fixture
def lab(request):
    """A place for one weftd; see weft.Lab."""
    lab = weft.Lab(request.config.getoption("--build"))
    request.node.weft_lab = lab
    yield lab
    lab.last_log = lab.log()
    lab.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what weftd said."""
    report = (yield).get_result()
    lab = getattr(item, "weft_lab", None)
    if report.failed and lab and hasattr(report.longrepr, "addsection"):
        said = lab.log() or getattr(lab, "last_log", "")
        lines = said.splitlines()
        report.longrepr.addsection("weftd's log, its last lines",
                                   "\n".join(lines[-60:]))
