"""Mininet with Weft as its switch, by the class that examples/ has."""

import os
import re
import shutil

import pytest

import weft
from netns import run

EXAMPLE = os.path.join(weft.ROOT, "examples", "mininet_weft.py")


@pytest.fixture
def mn(lab):
    """Runs mn(8) with these arguments; its output."""
    if not shutil.which("mn"):
        pytest.fail("mn is missing (Debian mininet)")

    def mn(*args, script=()):
        # A sandbox inside: when mn fails it kills by name, and removes what
        # is called *.log from /tmp.  (Where we may live ourselves.)
        said = run(os.path.join(weft.ROOT, "tests", "sandbox"), "sh", "-ec",
                   'mkdir /run/openvswitch /run/root; '
                   'mount --bind "$ROOT" /run/root; '
                   'mount -t tmpfs tmpfs /tmp; mkdir -p "$ROOT"; '
                   'mount --bind /run/root "$ROOT"; '
                   'echo "$SCRIPT" >/run/script; '
                   'exec "$@" --post /run/script', "sh",
                   "mn", "--custom", EXAMPLE, *args,
                   timeout=60, check=False, env=dict(
                       os.environ, ROOT=weft.ROOT, WEFTD=lab.program("weftd"),
                       WEFT=lab.program("weft"), WEFT_RUN_DIR="/run/weft",
                       SCRIPT="\n".join(script))).stdout
        assert "completed in" in said, said
        return said
    return mn


def dropped(said):
    """Of each pingall."""
    return [int(n) for n in re.findall(r"Results: (\d+)% dropped", said)]


def test_hosts_on_bridges(mn):
    said = mn("--switch", "weft", "--controller", "none", "--topo",
              "linear,3", "--test",
              "pingall+iperf,l4Type=UDP,udpBw=50M,seconds=1",
              # Its own test of TCP waits for a line that newer iperfs do not
              # print.
              # (Names in commands would be looked up by a program that leaves
              # a chroot.)
              script=["h3 iperf -s &",
                      "h3 until ss -ltn | grep -q :5001; do sleep 0.05; done",
                      "h1 iperf -t 1 -c 10.0.0.3"])
    assert dropped(said) == [0], said
    assert re.search(r"Results: \['50M', '[\d.]+ Mbits/sec', "
                     r"'[\d.]+ Mbits/sec'\]", said), said
    assert re.search(r"[\d.]+ [GM]bits/sec$", said, re.M), said


def test_a_link_goes_down_and_up(mn):
    said = mn("--switch", "weft", "--controller", "none", "--test", "none",
              script=["link s1 h2 down", "pingall 0.3", "dpctl show",
                      # The kernel takes a moment to use the link again.
                      "link s1 h2 up", "h1 ping -c 1 -w 5 10.0.0.2", "pingall 5",
                      "dpctl show"])
    assert dropped(said) == [100, 0], said
    assert said.count("LINK_DOWN") == 1, said


@pytest.mark.parametrize("protocol", ("OpenFlow10", "OpenFlow13"))
def test_under_a_controller(mn, protocol):
    """ovs-testcontroller, which Mininet finds by itself."""
    said = mn("--switch", "weft,failMode=secure,protocols=" + protocol,
              "--topo", "tree,2", "--test", "pingall",
              script=["s1 $WEFT --run-dir $WEFT_RUN_DIR/s1 flow list"])
    assert dropped(said) == [0], said
    assert "dl_dst" in said, said
