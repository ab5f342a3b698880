"""OpenFlow as the field's tools and controllers speak it, and as those do who
mean no good.  Runs like tests/net, whose `lab` it uses."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

NET = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "net")
sys.path.insert(0, NET)
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

spec = importlib.util.spec_from_file_location(
    "net_conftest", os.path.join(NET, "conftest.py"))
net = importlib.util.module_from_spec(spec)
spec.loader.exec_module(net)

lab = net.lab
pytest_runtest_makereport = net.pytest_runtest_makereport
pytest_addoption = net.pytest_addoption
pytest_configure = net.pytest_configure


class Switch:
    """A lab switch, of two taps if not told otherwise, and ovs-ofctl to talk to
    it."""

    VERSIONS = ("OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15")

    def __init__(self, lab, *options, ports=("1=tap:of1", "2=tap:of2")):
        self.lab = lab
        lab.start(*ports,
                  options=("--fail-mode", "secure", "--datapath-id",
                           "00000000000000ab") + options)
        self.mgmt = os.path.join(lab.run_dir, "br0.mgmt")
        self.snoop = os.path.join(lab.run_dir, "br0.snoop")

    def ofctl(self, version, *args, target=None, status=0, stdin=None,
              timeout=30):
        """Standard output of `ovs-ofctl -O VERSION ARGS[0] TARGET ARGS[1:]`;
        options of the command begin with a dash."""
        options = [a for a in args if a.startswith("--")]
        words = [a for a in args if not a.startswith("--")]
        done = subprocess.run(
            ["ip", "netns", "exec", self.lab.host.name,
             "ovs-ofctl", "-O", version] + options + words[:1]
            + [target or "unix:" + self.mgmt] + words[1:],
            input=stdin, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=timeout)
        assert status is None or done.returncode == status, "%s: status %d\n%s" % (
            " ".join(done.args), done.returncode, done.stdout)
        return done.stdout


@pytest.fixture
def switch(lab):
    return Switch(lab)


@pytest.fixture
def ofctl(switch):
    if not shutil.which("ovs-ofctl"):
        pytest.skip("ovs-ofctl is missing (Debian openvswitch-switch)")
    return switch.ofctl
