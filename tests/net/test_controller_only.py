"""weftd --controller-only: the networks of an intent file, on Open vSwitch.

    web .10 --+
              +-- blue (br0 of ovs-vswitchd)     spy .30 -- red
    db  .20 --+
    lan0: an uplink, VLAN 20 = east: far

Real ovsdb-server and ovs-vswitchd, started by hand; everything else is done by
weftd and its command, as an operator would."""

import json
import os

import pytest

import ovs
from netns import eventually, move_file, run
from weft import REFUSED

CLOUD = """\
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {subnet: 10.1.0.0/24}
  red: {subnet: 10.1.0.0/24}
  east: {segment: {vlan: 20, uplink: lan}}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
  db: {network: blue, netns: db, address: 10.1.0.20, configure: true}
  spy: {network: red, netns: spy, address: 10.1.0.30, configure: true}
  far: {network: east, netns: far}
  a-machine: {network: blue, tap: vm1}
"""

pytestmark = pytest.mark.skipif(
    not ovs.is_installed(),
    reason="ovs-vswitchd is missing (Debian openvswitch-switch)")


def write(lab, text):
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


@pytest.fixture
def vswitch(lab):
    """ovs-vswitchd without a bridge."""
    switch = ovs.Ovs(lab.host, os.path.join(lab.dir, "ovs"))
    switch.start(bridge=None)
    yield switch
    lab.stop()
    if switch.daemons:
        switch.vsctl("--if-exists", "del-br", "br0")
        switch.stop()
    for name in set(lab.host.links()) - {"lo"} - set(lab._made):
        lab.host.run("ip", "link", "del", name, check=False)


def start(lab, vswitch):
    lab.start_with(["--controller-only", "--switch", "br0",
                    "--ovsdb", "unix:" + vswitch.file("db.sock"),
                    "--run-dir", lab.run_dir,
                    "--state-dir", os.path.join(lab.dir, "state")])


def settled(lab):
    """All is plugged in and in force."""
    def probe():
        shown = lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]
    eventually(probe, "the controller is in sync")


@pytest.fixture
def cloud(lab, vswitch):
    for name in ("web", "db", "spy", "far"):
        lab.netns(name)
    lab.veth("lan0", "outside")
    start(lab, vswitch)
    lab.weft("apply", write(lab, CLOUD))
    settled(lab)
    vswitch.settle()
    return lab


def flow_mods(lab):
    return lab.weft("controller", "show")["flow_mods"]


def test_one_file_and_networks_work(cloud, vswitch):
    web, spy = cloud.netns("web"), cloud.netns("spy")
    assert web.ping("10.1.0.20")
    assert web.ping("10.1.0.1"), "the gateway answers"
    assert spy.ping("10.1.0.1")
    assert not spy.ping("10.1.0.20", deadline=1)
    assert not web.ping("10.1.0.30", deadline=1)
    assert sorted(vswitch.vsctl("list-ports", "br0").split()) == [
        "db", "far", "lan0", "spy", "vm1", "web"]
    bridge = json.loads(vswitch.vsctl("-f", "json", "--columns",
                                      "datapath_type,fail_mode", "list",
                                      "bridge", "br0"))
    assert bridge["data"] == [["netdev", "secure"]]


def test_containers_speak_tcp(cloud):
    """Checksums and segments are made by who sends: nobody else would."""
    web, db = cloud.netns("web"), cloud.netns("db")
    assert move_file(web, db, "10.1.0.20", size=4 << 20)


def test_the_same_file_sends_no_flow_mod(cloud):
    before = flow_mods(cloud)
    assert cloud.text("apply", write(cloud, CLOUD)) == "Nothing changes.\n"
    assert flow_mods(cloud) == before


def test_a_port_comes_and_goes(cloud, vswitch):
    cloud.weft("port", "delete", "spy")
    eventually(lambda: "spy" not in vswitch.vsctl("list-ports", "br0"),
               "its row is gone")
    cloud.netns("spy").wait_link("eth0", there=False)
    assert "spy" not in cloud.host.links()
    cloud.weft("apply", write(cloud, CLOUD))
    settled(cloud)
    assert cloud.netns("spy").ping("10.1.0.1")


def test_an_mtu_changes_and_the_nic_stays(cloud):
    web = cloud.netns("web")
    before = web.links()
    cloud.weft("network", "set", "blue", "--mtu", "1400")
    eventually(lambda: "mtu 1400" in web.run("ip", "link", "show",
                                             "eth0").stdout, "it is 1400")
    assert web.links() == before
    assert "mtu 1400" in cloud.host.run("ip", "link", "show", "web").stdout
    assert web.ping("10.1.0.20", size=1300, df=True)


def test_what_is_somebody_else_s_stays(cloud, vswitch):
    cloud.veth("theirs", "stranger")
    vswitch.add_port("theirs", 77)
    vswitch.vsctl("add-br", "br-theirs", "--", "set", "bridge", "br-theirs",
                  "datapath_type=netdev")
    cloud.weft("port", "delete", "spy")
    eventually(lambda: "spy" not in vswitch.vsctl("list-ports", "br0"),
               "our row is gone")
    cloud.stop()
    cloud.restart()
    settled(cloud)
    assert "theirs" in vswitch.vsctl("list-ports", "br0").split()
    assert "br-theirs" in vswitch.vsctl("list-br").split()
    vswitch.vsctl("del-br", "br-theirs")


def test_a_bridge_that_is_not_marked_is_not_taken(lab, vswitch):
    lab.netns("web")
    vswitch.vsctl("add-br", "br0", "--", "set", "bridge", "br0",
                  "datapath_type=netdev", "fail_mode=standalone",
                  "protocols=OpenFlow10,OpenFlow15")
    run("ovs-ofctl", "add-flow", vswitch.method, "priority=7,actions=drop")
    start(lab, vswitch)
    lab.weft("network", "create", "blue", "--subnet", "10.1.0.0/24")
    lab.weft("port", "add", "web", "--network", "blue", "--netns", "web")
    port = eventually(
        lambda: [p for p in lab.weft("port", "list")["ports"]
                 if p.get("error")], "it says why")[0]
    assert "ovs-vsctl br-set-external-id br0 weft br0" in port["error"]
    assert "priority=7" in run("ovs-ofctl", "dump-flows",
                               vswitch.method).stdout
    assert not lab.weft("controller", "show")["connected"]
    vswitch.vsctl("br-set-external-id", "br0", "weft", "br0")
    settled(lab)
    eventually(lambda: lab.weft("port", "list")["ports"][0]["state"] == "up",
               "the port is told to be there")
    assert "priority=7" not in run("ovs-ofctl", "dump-flows",
                                   vswitch.method).stdout
    assert vswitch.vsctl("get-fail-mode", "br0").strip() == "secure"


def test_weftd_restarts_and_nothing_is_touched(cloud, vswitch):
    """The containers' NICs, Open vSwitch's ports and the flows are the same
    ones; traffic goes on meanwhile."""
    web = cloud.netns("web")
    assert web.ping("10.1.0.20")
    numbers = vswitch.numbers()
    before = web.links()
    cloud.stop()
    assert web.ping("10.1.0.20"), "while there is no weftd"
    cloud.restart()
    settled(cloud)
    assert flow_mods(cloud) == 0
    assert vswitch.numbers() == numbers
    assert web.links() == before
    assert web.ping("10.1.0.20")
    assert web.ping("10.1.0.1")
    cloud.kill()
    assert web.ping("10.1.0.20"), "while there is no weftd"
    cloud.restart()
    settled(cloud)
    assert flow_mods(cloud) == 0
    assert vswitch.numbers() == numbers
    assert web.ping("10.1.0.20")


def test_open_vswitch_restarts_and_everything_comes_back(cloud, vswitch):
    vswitch.stop()
    eventually(lambda: not cloud.weft("controller", "show")["connected"],
               "the connection is lost")
    eventually(lambda: {p["state"] for p in cloud.weft("port",
                                                       "list")["ports"]}
               == {"waiting"}, "its ports wait for it")
    vswitch.start_database()
    vswitch.start_vswitchd()
    settled(cloud)
    eventually(lambda: {p["state"] for p in cloud.weft("port",
                                                       "list")["ports"]}
               == {"up"}, "its ports are back")
    assert cloud.netns("web").ping("10.1.0.20")
    assert cloud.netns("web").ping("10.1.0.1")


def test_a_row_taken_out_by_hand_comes_back(cloud, vswitch):
    vswitch.vsctl("del-port", "br0", "web")
    eventually(lambda: "web" in vswitch.vsctl("list-ports", "br0").split(),
               "it is there again")
    settled(cloud)
    assert cloud.netns("web").ping("10.1.0.20")


def test_a_container_that_starts_again_is_plugged_in_again(cloud):
    cloud.netns("db").close()
    del cloud._netns["db"]
    cloud.netns("db").wait_link("eth0")
    eventually(lambda: cloud.netns("web").ping("10.1.0.20", deadline=1),
               "it is reached again")


def test_a_device_of_ours_that_was_set_down_is_set_up_again(cloud):
    """By hand here; ovs-vswitchd does it to one that came back quickly."""
    cloud.host.run("ip", "link", "set", "db", "down")
    eventually(lambda: cloud.netns("web").ping("10.1.0.20", deadline=1),
               "it is reached again")


def test_lists_and_refusals(cloud, vswitch):
    """What works everywhere, and what only the other program can say."""
    status = cloud.weft("status")
    assert status["switch"] == "br0" and status["ports"] == 6
    rows = {line.split()[1]: line.split() for line in
            cloud.text("port", "list").splitlines()}
    assert rows["web"][0] == str(vswitch.numbers()["web"])
    assert rows["web"][2:4] == ["blue", "10.1.0.10"]
    error = cloud.weft("trace", "web", "icmp", status=REFUSED)["error"]
    assert "ovs-appctl ofproto/trace br0" in error["hint"]
    error = cloud.weft("flow", "list", status=REFUSED)["error"]
    assert "ovs-ofctl -O OpenFlow15 dump-flows br0" in error["hint"]
    assert cloud.weft("lease", "list")["leases"] == []


def test_what_nobody_confirms_is_taken_back(cloud, vswitch):
    text = CLOUD.replace("  spy: {network: red, netns: spy, "
                         "address: 10.1.0.30, configure: true}\n", "")
    assert "- port spy" in cloud.text("plan", write(cloud, text))
    cloud.weft("apply", write(cloud, text), "--confirm", "1s")
    assert "spy" not in cloud.text("export")
    eventually(lambda: "spy" in cloud.text("export"), "it is back")
    eventually(lambda: "spy" in vswitch.vsctl("list-ports", "br0").split(),
               "and its port")


def test_only_what_enters_a_port_reaches_the_switch(cloud):
    """The host's own stack neither hears nor answers a guest."""
    cloud.host.run("ip", "addr", "add", "10.1.0.77/32", "dev", "lo")
    assert not cloud.netns("web").ping("10.1.0.77", deadline=1)
