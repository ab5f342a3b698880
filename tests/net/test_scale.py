"""What a change to one port of many costs: its own flows, and nobody else's.

Counted in flow-mods and not timed: see weft-bench controller for times."""

import os

import pytest

from netns import eventually

N_PORTS = 120                   # Floods are cut into chunks above 32.
OWN_FLOWS = 40                  # A port's, its chunks of floods, their heads.


def line(i, more=""):
    return "  p%d: {network: blue, tap: t%d%s}\n" % (i, i, more)


def text_of(ports):
    return ("version: 1\nnetworks:\n  blue: {subnet: 10.0.0.0/16}\n"
            "  red: {subnet: 10.1.0.0/16}\nports:\n" + "".join(ports))


def empty(lab):
    path = os.path.join(lab.dir, "empty.yaml")
    with open(path, "w") as f:
        f.write("version: 1\n")
    return path


def apply(lab, ports):
    path = os.path.join(lab.dir, "many.yaml")
    with open(path, "w") as f:
        f.write(text_of(ports))
    lab.weft("apply", path)


@pytest.fixture
def many(lab):
    lab.start_daemon()
    apply(lab, map(line, range(N_PORTS)))
    eventually(lambda: settled(lab)["flows_installed"] > 20 * N_PORTS,
               "all ports have their flows")
    yield lab
    # VMs' taps stay when the daemon ends, as long as they are wanted.
    lab.weft("apply", empty(lab))
    eventually(lambda: "t0" not in lab.host.links(), "the taps are gone")


def settled(lab):
    def ask():
        status = lab.weft("controller", "show")
        return status["synced"] and not status["ports_missing"] and status
    return eventually(ask, "everything is in force")


def cost(lab, change):
    before = settled(lab)["flow_mods"]
    change()
    return settled(lab)["flow_mods"] - before


def test_a_port_of_many_costs_its_own_flows(many):
    def weft(*args):
        return lambda: many.weft(*args)
    assert 0 < cost(many, weft("port", "set", "p60", "--isolated",
                               "true")) <= 8
    assert 0 < cost(many, weft("port", "set", "p60", "--address",
                               "10.0.9.9")) <= 10
    assert 0 < cost(many, weft("port", "set", "p60", "--network",
                               "red", "--address=")) <= 2 * OWN_FLOWS
    assert 0 < cost(many, weft("port", "delete", "p60")) <= OWN_FLOWS
    assert 0 < cost(many, weft("port", "add", "p60", "--network", "blue",
                               "--tap", "t60")) <= OWN_FLOWS


def test_a_file_of_many_costs_what_it_changes(many):
    lines = [line(i) for i in range(N_PORTS)]
    assert cost(many, lambda: apply(many, lines)) == 0
    # Every line below is another one now, and says the same.
    assert cost(many, lambda: apply(many, ["  # more\n"] + lines)) == 0
    lines[50] = line(50, ", isolated: true")
    assert 0 < cost(many, lambda: apply(many, lines)) <= 8
    lines[70:71] = []
    assert 0 < cost(many, lambda: apply(many, lines)) <= OWN_FLOWS
    lines.insert(30, line(70))
    assert 0 < cost(many, lambda: apply(many, lines)) <= OWN_FLOWS
