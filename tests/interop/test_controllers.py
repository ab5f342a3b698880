"""Controllers written with os-ken's library, and hosts behind the switch that
they drive.

    h1 10.0.0.1 | tap    h2 10.0.0.2 | tap    h3 10.0.0.3 | tap    on br0
"""

import pytest

from controller import OF_NAMES, Controller
from netns import eventually

VERSIONS = pytest.mark.parametrize("version", OF_NAMES,
                                   ids=OF_NAMES.values())
HOSTS = ("h1", "h2", "h3")


def plug(lab, *addresses):
    """--port arguments for hosts with these addresses."""
    return [lab.plug("tap", number, name, address) for number, name, address
            in zip(range(1, 9), HOSTS, addresses)]


def start(lab, controller, *addresses):
    """The hosts, once the switch is under control."""
    lab.start(*plug(lab, *(addresses or ("10.0.0.1/24", "10.0.0.2/24",
                                         "10.0.0.3/24"))),
              options=controller.options)
    controller.wait("switch")
    return [lab.netns(name) for name in HOSTS]


@VERSIONS
def test_a_learning_switch(lab, version):
    with Controller.app(lab, "learning_switch", version) as controller:
        h1, h2, h3 = start(lab, controller)
        assert controller.events("switch")[0]["version"] == version
        for source, target in ((h1, "10.0.0.2"), (h2, "10.0.0.3"),
                               (h3, "10.0.0.1")):
            assert source.ping(target)
        # What is known passes the controller by.
        n = len(controller.wait("packet"))
        assert h1.ping("10.0.0.2", count=3)
        assert len(controller.events("packet")) == n
        assert not controller.events("error")
