"""Hosts as objects: who is joined, by which port, and what is in the way.

    weftd --host h1      u0 192.0.2.1 ------ u1, where nobody answers
"""

import json
import os

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

import ovs
from netns import eventually
from weft import REFUSED

CLOUD = """\
version: 1
hosts:
  h1: {tunnel: 192.0.2.1}
  h2: {tunnel: 192.0.2.2, mtu: 1450}
networks:
  blue: {subnet: 10.1.0.0/24, segment: {vxlan: 5001, group: 239.1.1.1}}
  red: {segment: {gre: 77, remotes: [192.0.2.9]}}
ports:
  web: {network: blue, netns: web, host: h1, configure: true}
  db: {network: blue, netns: db, host: h2}
"""


@pytest.fixture
def underlay(lab):
    lab.veth("u0", "street", peer="u1")
    lab.host.run("ip", "address", "add", "192.0.2.1/24", "dev", "u0")
    return lab


@pytest.fixture
def vswitch(underlay):
    """ovs-vswitchd without a bridge."""
    lab = underlay
    switch = ovs.Ovs(lab.host, os.path.join(lab.dir, "ovs"))
    switch.start(bridge=None)
    yield switch
    lab.stop()
    switch.vsctl("--if-exists", "del-br", "br0")
    switch.stop()
    for name in set(lab.host.links()) - {"lo", "u0"}:
        lab.host.run("ip", "link", "del", name, check=False)


def apply(lab, text=CLOUD):
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(text)
    lab.weft("apply", path)


def tunnels(lab, name):
    """What the doctor says of them, who looks at his own machine."""
    done = lab.host.run(lab.program("weft"), "-j", "--run-dir", lab.run_dir,
                        "doctor", check=False)
    return {f["name"]: (f["verdict"], f["what"])
            for f in json.loads(done.stdout)}["tunnel-" + name]


def is_joined(lab):
    return "010101EF" in lab.host.run("cat", "/proc/net/igmp").stdout


def test_a_port_for_each_kind_of_overlay(underlay):
    lab = underlay
    lab.netns("web")
    lab.start_daemon("--host", "h1")
    apply(lab)
    eventually(lambda: {"vxlan", "gre", "web"} == {
        p["name"] for p in lab.weft("port", "list")["ports"]
        if p["state"] == "up"}, "both are up, and our port")
    eventually(lambda: is_joined(lab), "the group is joined")
    # 1450 of h2, less 50.
    link = lab.netns("web").run("ip", "-o", "link", "show", "eth0").stdout
    assert "mtu 1400 " in link
    # Ours to choose are the lower half of the addresses.
    eventually(lambda: "10.1.0." in lab.netns("web").run(
        "ip", "-o", "-4", "address").stdout, "it has an address")
    shown = lab.netns("web").run("ip", "-o", "-4", "address").stdout
    assert int(shown.split("10.1.0.")[1].split("/")[0]) <= 127

    rows = [line.split()[:5] for line in
            lab.text("host", "list").splitlines()]
    assert rows == [["HOST", "STATE", "TUNNEL", "MTU", "PORTS"],
                    ["h1", "here", "192.0.2.1", "1500", "1"],
                    ["h2", "no-certificate", "192.0.2.2", "1450", "1"]]
    assert "vxlan 5001" in lab.text("network", "list")
    # A group less; the port stays as it is.
    number = lab.port("vxlan")["number"]
    lab.weft("network", "set", "blue", "--segment", "{vxlan: 5001}")
    eventually(lambda: not is_joined(lab), "the group is left")
    assert lab.port("vxlan")["number"] == number
    lab.weft("network", "delete", "red")
    eventually(lambda: "gre" not in [
        p["name"] for p in lab.weft("port", "list")["ports"]], "it is gone")


def test_hosts_are_objects_like_others(lab):
    lab.start_daemon("--host", "h1")
    lab.weft("host", "create", "h1", "--tunnel", "192.0.2.1")
    lab.weft("host", "create", "h2", "--tunnel", "192.0.2.2", "--mtu", "9000")
    lab.weft("network", "create", "blue", "--segment", "{vxlan: 1}")
    lab.weft("host", "set", "h2", "--mtu", "1400")
    assert lab.weft("network", "show", "blue")["members"] == {
        "segment": {"vxlan": 1}}
    refused = lab.weft("host", "create", "h3", "--tunnel", "192.0.2.2",
                       status=REFUSED)
    assert "already used by host 'h2'" in refused["error"]["what"]
    lab.weft("host", "delete", "h2")
    # The last one: the network would join nobody.
    refused = lab.weft("host", "delete", "h1", status=REFUSED)
    assert "vxlan joins hosts" in refused["error"]["what"]
    lab.weft("network", "delete", "blue")
    lab.weft("host", "delete", "h1")
    assert lab.weft("host", "list") == {"hosts": []}


def test_the_doctor_knows_the_underlay(underlay):
    lab = underlay
    lab.start_daemon("--host", "h1")
    assert tunnels(lab, "address") == ("ok", "no overlay joins this host")
    apply(lab)
    assert tunnels(lab, "address") == ("ok", "192.0.2.1 is on u0")
    assert tunnels(lab, "path")[0] == "ok"
    lab.host.run("ip", "link", "set", "u0", "mtu", "1400")
    verdict, what = tunnels(lab, "path")
    assert verdict == "problem"
    assert "only packets of 1400 bytes reach host 'h2'" in what
    lab.host.run("ip", "link", "set", "u0", "mtu", "1500")
    lab.weft("host", "set", "h2", "--tunnel", "198.51.100.2")
    verdict, what = tunnels(lab, "path")
    assert verdict == "problem" and "no way to host 'h2'" in what
    lab.host.run("ip", "address", "del", "192.0.2.1/24", "dev", "u0")
    verdict, what = tunnels(lab, "address")
    assert verdict == "problem"
    assert "192.0.2.1, is no address of this machine" in what


def test_a_host_that_the_file_does_not_have(lab):
    lab.start_daemon("--host", "h7")
    apply(lab)
    verdict, what = tunnels(lab, "address")
    assert verdict == "warning" and "this host is 'h7'" in what
    assert lab.weft("port", "list")["ports"] == []


def test_open_vswitch_has_tunnel_ports_of_its_own(underlay, vswitch):
    lab = underlay

    def shown(port, column):
        return vswitch.vsctl("--if-exists", "get", "Interface", port,
                             column).strip()

    lab.netns("web")
    lab.start_daemon("--host", "h1", "--controller-only", "--ovsdb",
                     "unix:" + vswitch.file("db.sock"))
    apply(lab)
    eventually(lambda: shown("vxlan", "type") == "vxlan"
               and shown("gre", "type") == "gre", "both are there")
    assert shown("vxlan", "options") == \
        '{key=flow, local_ip="192.0.2.1", remote_ip=flow}'
    # What somebody else changes is put right.
    vswitch.vsctl("set", "Interface", "vxlan", "options:key=5")
    eventually(lambda: "key=flow" in shown("vxlan", "options"),
               "it is as it should be")
    lab.weft("host", "set", "h1", "--tunnel", "192.0.2.7")
    eventually(lambda: "192.0.2.7" in shown("vxlan", "options"),
               "the new address is used")
    lab.weft("network", "delete", "red")
    eventually(lambda: shown("gre", "type") == "", "it is gone")


def test_a_guest_of_the_lan_is_no_end_of_tunnels(underlay):
    """What comes from there is let into networks by what it says."""
    lab = underlay
    lab.veth("eth1", "floor")
    lab.netns("web"), lab.netns("any")
    lab.start_daemon("--host", "h1")
    apply(lab, """\
version: 1
hosts: {h1: {tunnel: 192.0.2.1}, h2: {tunnel: 192.0.2.2}}
uplinks: {lan: {device: eth1}}
networks: {floor: {segment: {vlan: 0, uplink: lan}}}
ports:
  web: {network: floor, netns: web, host: h1}
  any: {network: floor, netns: any, host: h1, anti-spoof: false}
""")
    eventually(lambda: all(lab.port(p)["state"] == "up"
                           for p in ("web", "any")), "they are up")
    floor = lab.netns("floor").nic("eth0")

    def sends(name, *sources):
        """UDP and ARP, as each of them; which of the former get out."""
        nic = lab.netns(name).nic("eth0")
        for source in sources:
            nic.send(Ether(src=nic.mac, dst="ff:ff:ff:ff:ff:ff")
                     / ARP(hwsrc=nic.mac, psrc=source, pdst="192.0.2.1"))
            nic.send(Ether(src=nic.mac, dst=floor.mac)
                     / IP(src=source, dst="192.0.2.1") / UDP(dport=4789))
        nic.close()
        seen = []
        for frame in floor.frames():
            if ARP in frame:
                seen.append(frame[ARP].psrc)
            elif UDP in frame and frame[UDP].dport == 4789:
                seen.append(frame[IP].src)
            if seen[-2:] == 2 * [sources[-1]]:
                return seen

    assert sends("web", "192.0.2.1", "192.0.2.2", "192.0.2.77") == \
        2 * ["192.0.2.77"]
    # Who may be anybody may be that, too.
    assert "192.0.2.2" in sends("any", "192.0.2.2", "192.0.2.77")
