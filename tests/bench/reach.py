"""From "a port is added" to "every host reaches it", among hosts of an overlay.

      new   g1     g2     g3     g4
        \\  /       |      |      |
         h1 ------ h2 --- h3 --- h4        a switch each, VXLAN between them

The clock starts when the first command does, and ends when a ping from the last
of the four guests got its answer; commands for several hosts run side by side.

    weft      the file with one port more, `weft apply` at each host
    kernel    a veth pair moved into the container, its address; at the other
              hosts a forwarding entry for the vxlan device (`bridge fdb`)
    ovs       the same with an internal port by ovs-vsctl, and an entry that sends
              to its MAC at the other hosts by ovs-ofctl; nobody writes these
              commands by hand, so that who computes them is not counted

Guests ask again for an address every 5 ms, not every second."""

import os
import re
import shutil
import subprocess
import tempfile
import time

from bench import output, program
from networks import PATIENCE, Network, Ovs, Standing, eventually, ip

N_HOSTS = 4
KEY = 5001
MTU = 1450
NEW_MAC = "02:00:00:00:00:99"
NEW = 98                                # 10.0.0.99
ASKING = ("retrans_time_ms=5", "mcast_solicit=3", "delay_first_probe_time=1")


def underlay(i):
    return "192.0.2.%d" % (i + 1)


def together(commands):
    """Runs them side by side; all must succeed."""
    running = [subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.STDOUT)
               for argv in commands]
    for process in running:
        said = process.communicate(timeout=PATIENCE)[0]
        if process.returncode:
            raise RuntimeError("%s: %s" % (" ".join(process.args), said))


class Street(Network):
    """Sub-classes start_host(i), add_guest(i, netns, address, mac), remove()."""

    def __init__(self, label):
        super().__init__(label, n_containers=N_HOSTS + 1)
        prefix = self.host[:-len("-host")]
        self.hosts = ["%s-h%d" % (prefix, i + 1) for i in range(N_HOSTS)]
        self.guests, self.new = self.containers[:N_HOSTS], self.containers[-1]

    def address(self, i):
        return "10.0.0.99" if i == NEW else super().address(i)

    def start(self):
        self.dir = tempfile.mkdtemp(prefix="bench-")
        for name in [self.host] + self.hosts + self.containers:
            self._add_netns(name)
        ip("-n", self.host, "link", "add", "name", "lan", "up", "type",
           "bridge")
        for i, host in enumerate(self.hosts):
            ip("-n", self.host, "link", "add", "s%d" % i, "type", "veth",
               "peer", "name", "u0", "netns", host)
            ip("-n", self.host, "link", "set", "s%d" % i, "master", "lan",
               "up")
            ip("-n", host, "link", "set", "u0", "up")
            ip("-n", host, "addr", "add", underlay(i) + "/24", "dev", "u0")
        self.plug()
        for i, guest in enumerate(self.guests):
            output("ip", "netns", "exec", guest, "sysctl", "-qw",
                   *("net.ipv4.neigh.eth0." + option for option in ASKING))
            if i:
                self.check(0, i)
        return self

    def measure(self):
        """Seconds."""
        pings = []
        for guest in self.guests:
            ip("-n", guest, "neigh", "flush", "dev", "eth0")
            pings.append(subprocess.Popen(
                ("ip", "netns", "exec", guest, "timeout", str(PATIENCE),
                 "ping", "-n", "-D", "-i", "0.005", self.address(NEW)),
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        time.sleep(0.2)                 # Until all of them ask.
        begin = time.time()
        self.add()
        answered = [self.first_answer(ping) for ping in pings]
        for ping in pings:
            ping.terminate()
            ping.communicate()
        self.remove()
        return max(answered) - begin

    def first_answer(self, ping):
        for line in ping.stdout:
            found = re.match(r"\[(\d+\.\d+)\] \d+ bytes", line)
            if found:
                return float(found[1])
        raise RuntimeError("%s: nobody answered (%s)" % (self.label,
                                                         self.said()))

    def close(self):
        directory, self.dir = self.dir, None
        super().close()
        for name in self.containers + self.hosts + [self.host]:
            subprocess.run(("ip", "netns", "del", name),
                           stderr=subprocess.DEVNULL)
        if directory:
            shutil.rmtree(directory, ignore_errors=True)


class WeftStreet(Street):
    CLOUD = """\
version: 1
hosts:
%s
networks:
  blue: {subnet: 10.0.0.0/24, gateway: none, dhcp: "off",
         segment: {vxlan: %d}}
ports:
%s"""

    def cloud(self, with_new):
        """The file for all hosts."""
        hosts = "".join("  h%d: {tunnel: %s}\n" % (i + 1, underlay(i))
                        for i in range(N_HOSTS))
        guests = [(i, i, guest) for i, guest in enumerate(self.guests)]
        guests += [(NEW, 0, self.new)] if with_new else []
        return self.CLOUD % (hosts, KEY, "".join(
            "  p%d: {network: blue, netns: %s, address: %s, host: h%d,"
            " configure: true}\n" % (i, netns, self.address(i), host + 1)
            for i, host, netns in guests))

    def run_dir(self, i):
        return os.path.join(self.dir, str(i))

    def weft(self, i, *argv):
        return (program("weft"), "--run-dir", self.run_dir(i)) + argv

    def plug(self):
        for i, host in enumerate(self.hosts):
            os.mkdir(self.run_dir(i))
            self.spawn(host, program("weftd"), "--switch", "h%d" % (i + 1),
                       "--host", "h%d" % (i + 1), "--run-dir",
                       self.run_dir(i), "--state-dir", self.run_dir(i))
        for i in range(N_HOSTS):
            eventually(lambda: subprocess.run(
                self.weft(i, "status"), capture_output=True
            ).returncode == 0, "weftd answers (%s)" % self.said())
        for name, with_new in ("without", False), ("with", True):
            with open(os.path.join(self.dir, name), "w") as f:
                f.write(self.cloud(with_new))
        self.apply("without")
        for guest in self.guests:
            eventually(lambda: self.has_eth0(guest), "a guest has its device")

    @staticmethod
    def has_eth0(netns):
        return subprocess.run(("ip", "-n", netns, "link", "show", "eth0"),
                              capture_output=True).returncode == 0

    def apply(self, name):
        together([self.weft(i, "apply", os.path.join(self.dir, name))
                  for i in range(N_HOSTS)])

    def add(self):
        self.apply("with")

    def remove(self):
        self.apply("without")
        eventually(lambda: not self.has_eth0(self.new), "its device is gone")


class KernelStreet(Street):
    def plug(self):
        for i, host in enumerate(self.hosts):
            ip("-n", host, "link", "add", "name", "br0", "up", "type",
               "bridge")
            ip("-n", host, "link", "add", "vx0", "type", "vxlan", "id",
               str(KEY), "dstport", "4789", "local", underlay(i), "dev", "u0")
            ip("-n", host, "link", "set", "vx0", "master", "br0", "mtu",
               str(MTU), "up")
            for k in range(N_HOSTS):
                if k != i:
                    output("bridge", "-n", host, "fdb", "append",
                           "00:00:00:00:00:00", "dev", "vx0", "dst",
                           underlay(k))
            together([self.plugs(i, "v%d" % i, self.guests[i],
                                 self.address(i), "02:00:00:00:01:%02x" % i)])

    def plugs(self, i, name, netns, address, mac):
        """One shell: as little of other programs as can be."""
        return ("sh", "-ec", """
            ip -n "$1" link add "$2" type veth peer name eth0 address "$5" \\
                mtu %d netns "$3"
            ip -n "$1" link set "$2" master br0 up
            ip -n "$3" addr add "$4/24" dev eth0
            ip -n "$3" link set eth0 up""" % MTU, "sh", self.hosts[i], name,
                netns, address, mac)

    def add(self):
        together([self.plugs(0, "new", self.new, self.address(NEW), NEW_MAC)]
                 + [("bridge", "-n", host, "fdb", "append", NEW_MAC, "dev",
                     "vx0", "dst", underlay(0)) for host in self.hosts[1:]])

    def remove(self):
        ip("-n", self.hosts[0], "link", "del", "new")
        for host in self.hosts[1:]:
            output("bridge", "-n", host, "fdb", "del", NEW_MAC, "dev", "vx0",
                   "dst", underlay(0))


class OvsHost(Ovs):
    """One host's daemons; its namespace is the street's."""

    def __init__(self, street, i):
        super().__init__(street.label, "tap", n_containers=0)
        self.host = street.hosts[i]
        self.dir = tempfile.mkdtemp(prefix="bench-")
        self.index = i

    def plug(self):
        self.start_daemons()
        self.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                   "datapath_type=netdev", "--", "add-port", "phy", "u0")
        # It takes checksums that a NIC is still to write for wrong ones.
        output("ip", "netns", "exec", self.host, "ethtool", "-K", "u0", "tx",
               "off")
        ip("-n", self.host, "addr", "flush", "dev", "u0")
        ip("-n", self.host, "addr", "add", underlay(self.index) + "/24",
           "dev", "phy")
        ip("-n", self.host, "link", "set", "phy", "up")
        self.vsctl("add-port", "br0", "t", "--", "set", "interface", "t",
                   "type=vxlan", "ofport_request=9", "options:remote_ip=flow",
                   "options:local_ip=" + underlay(self.index),
                   "options:key=%d" % KEY)
        self.ofctl("mod-port", "t", "no-flood")
        copies = "".join("load:0x%08x->NXM_NX_TUN_IPV4_DST[],output:9,"
                         % (0xc0000201 + k)
                         for k in range(N_HOSTS) if k != self.index)
        self.ofctl("add-flow", "priority=1,in_port=9,actions=flood")
        self.ofctl("add-flow", "priority=0,actions=%sflood" % copies)

    def close(self):
        """Its directory goes; the namespaces are the street's."""
        self.containers = []
        super().close()


class OvsStreet(Street):
    def plug(self):
        self.switches = [OvsHost(self, i) for i in range(N_HOSTS)]
        for switch in self.switches:
            switch.plug()
        for i in range(N_HOSTS):
            self.plug_guest(i, "p%d" % i, self.guests[i], self.address(i),
                            "02:00:00:00:01:%02x" % i)

    def vsctl_of(self, i, *argv):
        return ("ovs-vsctl", "--timeout=20",
                "--db=unix:" + self.switches[i].file("db.sock")) + argv

    def ofctl_of(self, i, *argv):
        return ("ovs-ofctl", "-O", "OpenFlow13", argv[0],
                "unix:" + self.switches[i].file("br0.mgmt")) + argv[1:]

    def plug_guest(self, i, name, netns, address, mac):
        output(*self.vsctl_of(i, "add-port", "br0", name, "--", "set",
                              "interface", name, "type=internal",
                              "mtu_request=%d" % MTU))
        output("sh", "-ec", """
            ip -n "$1" link set "$2" netns "$3"
            ip -n "$3" link set "$2" name eth0 address "$5"
            ip -n "$3" addr add "$4/24" dev eth0
            ip -n "$3" link set eth0 up""", "sh", self.hosts[i], name, netns,
               address, mac)
        together([self.ofctl_of(i, "add-flow", "priority=2,dl_dst=%s,"
                                "actions=output:%s" % (mac, name))]
                 + [self.ofctl_of(
                     k, "add-flow", "priority=2,dl_dst=%s,actions=load:0x%08x"
                     "->NXM_NX_TUN_IPV4_DST[],output:9" % (mac, 0xc0000201 + i))
                    for k in range(len(self.switches)) if k != i])

    def add(self):
        self.plug_guest(0, "new", self.new, self.address(NEW), NEW_MAC)

    def remove(self):
        output(*self.vsctl_of(0, "del-port", "br0", "new"))
        for i in range(N_HOSTS):
            output(*self.ofctl_of(i, "del-flows", "dl_dst=" + NEW_MAC))

    def close(self):
        for switch in getattr(self, "switches", []):
            switch.close()
        super().close()


WHAT = "reached from 4 hosts"


def run(bench):
    networks = [WeftStreet("weft reach")] if program("weftd") else []
    networks += [KernelStreet("kernel reach"), OvsStreet("ovs reach")]
    with Standing(bench, networks) as networks:
        for _ in bench.rounds():
            for network in networks:
                bench.add(network.label, WHAT, 1000 * network.measure(),
                          "ms")
    # The kernel's commands have no plan behind them: to compare.
    bench.compare(WHAT, ("weft reach", WHAT), [("ovs reach", WHAT)], 1.0,
                  less_is_better=True)
