"""What a container's NIC is given from outside: address, route, resolver.

      web  10.0.0.2, default by 10.0.0.1, resolver      gw  10.0.0.1
       | tap or veth                                     | tap
    ---+-------------------------------------------------+---  br0
"""

import os
import re
import shutil
import subprocess

import pytest

from netns import run

INSIDE = ("addr=10.0.0.2/24+fd00::2/64,gateway=10.0.0.1+fd00::1,"
          "dns=10.0.0.1+fd00::1,search=blue.weft")


@pytest.fixture(autouse=True)
def own_etc_netns():
    """Files for named namespaces are this test's alone."""
    was_there = os.path.isdir("/etc/netns")
    os.makedirs("/etc/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/etc/netns")
    yield
    left = os.listdir("/etc/netns")
    run("umount", "/etc/netns")
    if not was_there:
        os.rmdir("/etc/netns")
    assert not left, "left in /etc/netns: %s" % left


def addresses(netns, dev="eth0"):
    text = netns.run("ip", "-o", "addr", "show", "dev", dev, "scope",
                     "global").stdout
    return sorted(re.findall(r"inet6? (\S+)", text))


def gateways(netns):
    text = (netns.run("ip", "route", "show", "default").stdout
            + netns.run("ip", "-6", "route", "show", "default").stdout)
    return sorted(re.findall(r"via (\S+)", text))


def resolver(netns):
    """As a program started inside reads it, without comments."""
    text = netns.run("cat", "/etc/resolv.conf").stdout
    return [line for line in text.splitlines() if not line.startswith("#")]


def start(lab, kind="tap"):
    web, gw = lab.netns("web", ipv6=True), lab.netns("gw", ipv6=True)
    lab.start("1=web=%s:eth0,netns=web,mtu=1400,%s" % (kind, INSIDE),
              "2=gw=tap:eth0,netns=gw,addr=10.0.0.1/24+fd00::1/64")
    return web, gw


def check_inside(web):
    assert addresses(web) == ["10.0.0.2/24", "fd00::2/64"]
    assert gateways(web) == ["10.0.0.1", "fd00::1"]
    assert resolver(web) == ["nameserver 10.0.0.1", "nameserver fd00::1",
                             "search blue.weft"]
    assert " mtu 1400 " in web.run("ip", "link", "show", "eth0").stdout


@pytest.mark.parametrize("kind", ["tap", "veth"])
def test_a_container_without_dhcp_has_all_it_needs(lab, kind):
    web, gw = start(lab, kind)
    gw.run("ip", "addr", "add", "192.0.2.1/32", "dev", "lo")
    check_inside(web)
    assert web.ping("192.0.2.1") and web.ping("fd00::1")

    # Removed and set anew, namespace and all.
    lab.api("DELETE", "/v1/ports/web")
    assert not os.path.exists("/etc/netns/web")
    lab.api("POST", "/v1/ports",
            {"port": "1=web=%s:eth0,netns=web,mtu=1400,%s" % (kind, INSIDE)},
            status=201)
    check_inside(web)


def test_it_is_set_again_when_the_namespace_comes_back(lab):
    start(lab)
    lab.netns("web").close()
    lab.wait_port("web", "down")
    del lab._netns["web"]
    web = lab.netns("web", ipv6=True)
    lab.wait_port("web", "up")
    check_inside(web)


def test_what_others_set_stays(lab):
    web = lab.netns("web", ipv6=True)
    run("ip", "netns", "exec", "web", "ip", "tuntap", "add", "eth0", "mode",
        "tap")
    web.run("ip", "addr", "add", "10.9.0.1/24", "dev", "eth0")
    os.mkdir("/etc/netns/web")
    with open("/etc/netns/web/resolv.conf", "w") as f:
        f.write("nameserver 9.9.9.9\n")
    start(lab)
    assert addresses(web) == ["10.0.0.2/24", "10.9.0.1/24", "fd00::2/64"]
    assert "nameserver 10.0.0.1" in resolver(web)
    lab.api("DELETE", "/v1/ports/web")
    assert addresses(web) == ["10.9.0.1/24"]
    assert gateways(web) == []
    with open("/etc/netns/web/resolv.conf") as f:
        assert f.read() == "nameserver 9.9.9.9\n"
    shutil.rmtree("/etc/netns/web")


class Container:
    """A process with namespaces of its own, and perhaps a root directory."""

    def __init__(self, root=None):
        shell = ["/bin/busybox", "sh", "-c", "echo ready; read x"]
        if root:
            shell = ["/bin/busybox", "chroot", root] + shell
        argv = ["unshare", "-n", "-m"] + shell
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        self.pid = self.process.pid

    def run(self, *argv, **kwargs):
        return run("nsenter", "-n", "-t", str(self.pid), *argv, **kwargs)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def test_a_processs_files_are_written_but_never_this_hosts(lab):
    with open("/etc/resolv.conf") as f:
        ours = f.read()
    root = os.path.join(lab.dir, "root")
    os.makedirs(root + "/etc")
    os.makedirs(root + "/bin")
    shutil.copy("/bin/busybox", root + "/bin/busybox")
    target = os.path.join(lab.dir, "outside")
    with open(target, "w") as f:
        f.write("precious\n")
    chrooted, plain = Container(root), Container()
    try:
        lab.start("1=a=tap:eth0,netns=pid:%d,%s" % (chrooted.pid, INSIDE),
                  "2=b=tap:eth0,netns=pid:%d,%s" % (plain.pid, INSIDE))
        with open(root + "/etc/resolv.conf") as f:
            assert "\nnameserver 10.0.0.1\n" in f.read()
        with open("/etc/resolv.conf") as f:
            assert f.read() == ours
        assert "10.0.0.2/24" in plain.run("ip", "addr").stdout

        # A link that leads out of the container leads nowhere.
        lab.api("DELETE", "/v1/ports/a")
        os.unlink(root + "/etc/resolv.conf")
        os.symlink("../../outside", root + "/etc/resolv.conf")
        lab.api("POST", "/v1/ports", {"port": "1=a=tap:eth0,netns=pid:%d,%s"
                                      % (chrooted.pid, INSIDE)}, status=201)
        with open(target) as f:
            assert f.read() == "precious\n"
        lab.api("DELETE", "/v1/ports/a")
        lab.api("DELETE", "/v1/ports/b")
    finally:
        chrooted.close()
        plain.close()
