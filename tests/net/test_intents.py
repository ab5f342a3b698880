"""One file, and networks work: the whole daemon, its controller included.

    web 10.1.0.10 --+
                    +-- blue     spy 10.1.0.30 --- red   (the same subnet)
    db  10.1.0.20 --+
"""

import os

import pytest

from netns import eventually
from weft import CONFLICT, DONE, NEGATIVE, REFUSED, USAGE

CLOUD = """\
version: 1
networks:
  blue: {subnet: 10.1.0.0/24}
  red: {subnet: 10.1.0.0/24}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10}
  db: {network: blue, netns: db, address: 10.1.0.20}
  spy: {network: red, netns: spy, address: 10.1.0.30}
"""
ADDRESSES = {"web": "10.1.0.10", "db": "10.1.0.20", "spy": "10.1.0.30"}


def write(lab, text, name="cloud.yaml"):
    path = os.path.join(lab.dir, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def configure(lab, *names):
    """As DHCP will: the guests' addresses."""
    for name in names:
        netns = lab.netns(name)
        netns.wait_link("eth0")
        netns.run("ip", "addr", "add", ADDRESSES[name] + "/24", "dev", "eth0")
        netns.run("ip", "route", "add", "default", "via", "10.1.0.1")


@pytest.fixture
def cloud(lab):
    for name in ADDRESSES:
        lab.netns(name)
    lab.start_daemon()
    lab.weft("apply", write(lab, CLOUD))
    configure(lab, *ADDRESSES)
    return lab


def flow_mods(lab):
    return lab.weft("controller", "show")["flow_mods"]


def test_one_file_and_networks_work(cloud):
    web, spy = cloud.netns("web"), cloud.netns("spy")
    assert web.ping("10.1.0.20")
    assert web.ping("10.1.0.1"), "the gateway answers"
    assert spy.ping("10.1.0.1")
    assert not spy.ping("10.1.0.20", deadline=1)
    assert not web.ping("10.1.0.30", deadline=1)


def test_the_same_file_sends_no_flow_mod(cloud):
    before = flow_mods(cloud)
    path = write(cloud, CLOUD)
    assert cloud.text("apply", path) == "Nothing changes.\n"
    assert flow_mods(cloud) == before
    # A change to one port is a change of its flows.
    all_flows = cloud.weft("controller", "show")["flows_installed"]
    cloud.weft("port", "set", "web", "--isolated", "true")
    assert 0 < flow_mods(cloud) - before < all_flows / 2


def test_commands_and_files_are_the_same_objects(lab):
    for name in ("web", "db"):
        lab.netns(name)
    lab.start_daemon()
    lab.weft("network", "create", "blue", "--subnet", "10.1.0.0/24")
    lab.weft("port", "add", "web", "--network", "blue", "--netns", "web",
             "--address", "10.1.0.10")
    lab.weft("port", "add", "db", "--network", "blue", "--netns", "db",
             "--address", "10.1.0.20")
    configure(lab, "web", "db")
    assert lab.netns("web").ping("10.1.0.20")
    exported = lab.text("export")
    assert "web: {network: blue, netns: web, address: 10.1.0.10}" in exported
    assert lab.text("apply", write(lab, exported)) == "Nothing changes.\n"
    lab.weft("port", "delete", "web")
    lab.netns("web").wait_link("eth0", there=False)
    assert "web" not in lab.text("export")
    assert lab.weft("network", "delete", "blue", status=CONFLICT)[
        "error"]["what"] == "network 'blue' is used by port 'db'"


def test_lists_say_what_was_planned(lab):
    """Networks, addresses and places, and what a port waits for."""
    lab.netns("web")
    lab.start_daemon()
    lab.weft("network", "create", "blue", "--subnet", "10.1.0.0/24",
             "--subnet6", "fd00:1::/64")
    lab.weft("port", "add", "web", "--network", "blue", "--netns", "web",
             "--address", "10.1.0.10", "--mac", "02:00:00:00:00:01")
    added = lab.text("port", "add", "away", "--network", "blue", "--netns",
                     "nowhere")
    assert "port away is not there yet: namespace 'nowhere' is not there" \
        in added
    ports = {p["plan"]["name"]: p for p in lab.weft("port", "list")["ports"]}
    assert ports["web"]["plan"] == {
        "name": "web", "switch_name": "web", "network": "blue", "trunk": 0,
        "number": ports["web"]["number"], "address": "10.1.0.10",
        "address6": "fd00:1::ff:fe00:1", "mac": "02:00:00:00:00:01",
        "where": "netns web", "held": None}
    assert ports["away"]["state"] == "down"
    listed = lab.text("port", "list").splitlines()
    assert listed[0].split() == ["PORT", "NAME", "NETWORK", "ADDRESS", "MAC",
                                 "WHERE", "STATE", "RX", "DROPPED", "TX",
                                 "DROPPED"]
    assert "web  blue    10.1.0.10 " in listed[1]
    assert [line.split() for line in lab.text("network",
                                              "list").splitlines()] == [
        ["NETWORK", "SUBNET", "SUBNET6", "SEGMENT", "PORTS", "WHERE"],
        ["blue", "10.1.0.0/24", "fd00:1::/64", "local", "2", "-"]]


def test_a_wrong_file_changes_nothing(cloud):
    before = cloud.text("export")
    path = write(cloud, CLOUD.replace("network: red", "network: rad"))
    error = cloud.weft("apply", path, status=REFUSED)["error"]
    assert "cloud.yaml:8:18" in error["what"]
    assert "did you mean 'red'?" in error["what"]
    assert cloud.text("export") == before


def test_a_plan_says_what_is_interrupted_and_does_nothing(cloud):
    path = write(cloud, CLOUD.replace("10.1.0.20", "10.1.0.21"))
    said = cloud.text("plan", path)
    assert "~ port db" in said
    assert "10.1.0.20 -> 10.1.0.21" in said
    assert "10.1.0.20" in cloud.text("export")


def test_what_nobody_confirms_is_taken_back(cloud):
    path = write(cloud, CLOUD.replace("  spy: {network: red, netns: spy, "
                                      "address: 10.1.0.30}\n", ""))
    cloud.weft("apply", path, "--confirm", "1s")
    assert "spy" not in cloud.text("export")
    assert cloud.weft("apply", path, status=DONE)["text"]
    error = cloud.weft("network", "create", "green", status=CONFLICT)
    assert "waits to be confirmed" in error["error"]["what"]
    eventually(lambda: "spy" in cloud.text("export"), "it is taken back")
    cloud.weft("apply", path, "--confirm", "60s")
    cloud.weft("confirm")
    assert "spy" not in cloud.text("export")
    assert cloud.weft("apply", path, "--confirm", "soon",
                      status=USAGE)["error"]


def test_intents_outlive_the_daemon(cloud):
    web = cloud.netns("web")
    cloud.stop()
    cloud.restart()
    assert "netns: web" in cloud.text("export")
    configure_again = [n for n in ADDRESSES
                       if "10.1.0." not in cloud.netns(n).run(
                           "ip", "-4", "-o", "addr").stdout]
    configure(cloud, *configure_again)
    assert web.ping("10.1.0.20")
    assert not cloud.netns("spy").ping("10.1.0.20", deadline=1)


def test_a_guest_cannot_be_somebody_else(cloud):
    web, db = cloud.netns("web"), cloud.netns("db")
    assert web.ping("10.1.0.20")
    web.run("ip", "addr", "del", "10.1.0.10/24", "dev", "eth0")
    web.run("ip", "addr", "add", "10.1.0.99/24", "dev", "eth0")
    assert not web.ping("10.1.0.20", deadline=1)
    web.run("ip", "addr", "del", "10.1.0.99/24", "dev", "eth0")
    web.run("ip", "addr", "add", "10.1.0.10/24", "dev", "eth0")
    assert db.ping("10.1.0.10")
    web.run("ip", "link", "set", "eth0", "address", "02:00:00:00:00:99")
    assert not db.ping("10.1.0.10", deadline=1)


def test_a_port_waits_for_its_namespace(lab):
    lab.start_daemon()
    path = write(lab, "version: 1\nnetworks:\n"
                 "  blue: {subnet: 10.1.0.0/24}\n"
                 "ports:\n  web: {network: blue, netns: web}\n")
    lab.weft("apply", path)
    lab.netns("web").wait_link("eth0")
    eventually(lambda: lab.weft("port", "show", "web")["state"] == "up",
               "the port is up")


def test_an_mtu_changes_under_traffic(lab):
    """In place: NICs stay, with what hangs on them."""
    for name in ("web", "old"):
        lab.netns(name)
    text = ("version: 1\nnetworks:\n  blue: {subnet: 10.1.0.0/24, mtu: 1500}\n"
            "ports:\n  web: {network: blue, netns: web, configure: true}\n"
            "  old: {network: blue, netns: old, veth: true}\n"
            "  vm: {network: blue, tap: vm1}\n")
    lab.start_daemon()
    lab.weft("apply", write(lab, text))
    for name in ("web", "old"):
        lab.netns(name).wait_link("eth0")
    eventually(lambda: "vm1" in lab.host.links(), "the VM's tap is there")

    def look():
        return [(where.run("cat", "/sys/class/net/%s/ifindex" % nic).stdout.strip(),
                 where.run("cat", "/sys/class/net/%s/mtu" % nic).stdout.strip())
                for where, nic in ((lab.netns("web"), "eth0"),
                                   (lab.netns("old"), "eth0"),
                                   (lab.host, "vm1"))]
    before = look()
    assert {mtu for _, mtu in before} == {"1500"}
    wanted = write(lab, text.replace("1500", "1400"))
    assert "Interrupted: 0 of 3 ports" in lab.text("plan", wanted)
    lab.weft("apply", wanted)
    eventually(lambda: {mtu for _, mtu in look()} == {"1400"},
               "the MTU is another one")
    assert [index for index, _ in look()] == [index for index, _ in before]
    ports = {p["name"]: p for p in lab.weft("port", "list")["ports"]}
    assert {p["mtu"] for p in ports.values()} == {1400}
    lab.weft("apply", write(lab, "version: 1\n"))
    eventually(lambda: "vm1" not in lab.host.links(), "the tap is gone")


def test_live_names_complete(cloud):
    def after(*words):
        return cloud.text("complete", "--", *words).split()
    assert sorted(after("port", "show", "")) == ["db", "spy", "web"]
    assert after("network", "delete", "b") == ["blue"]
    assert after("uplink", "show", "") == []
    assert sorted(after("explain", "")) == ["db", "spy", "web"]
    assert "gateway" in after("explain", "web", "")
    assert after("explain", "web", "db", "tcp") == ["tcp/", "tcp6/"]
    assert after("port", "set", "web", "--iso") == ["--isolated"]
    assert after("port", "set", "web", "--isolated", "") == ["true", "false"]
    assert after("port", "set", "web", "--network", "") == ["blue", "red"]
    assert after("port", "set", "web", "--network", "red", "--mirror",
                 "s") == ["spy"]
    assert after("lease", "list", "--network", "r") == ["red"]
    assert after("help", "pla") == ["plan"]
    assert after("help", "uplink", "a") == ["add"]
    cloud.weft("port", "add", "late", "--network", "blue", "--netns", "none")
    assert after("port", "show", "la") == ["late"]
