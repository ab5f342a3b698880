"""Networks to measure: containers with eth0 on one switch, of each kind.

    weft-KIND      weftd with tap, veth or netdev ports
    bridge         the Linux bridge, and veth
    ovs-KIND       Open vSwitch's userspace datapath: tap (internal ports) or
                   veth, each also -tso (userspace TSO)
    wire-KIND      Weft's ports and data path, but no tables (weft-bench wire)
    relay          no switch: what one process that reads a tap and writes
                   another can do (traffic.c)

Every network has namespaces of its own, so that all of them can stand at the
same time and be measured in turn.  Container N is 10.0.0.N."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from bench import output, program

PATIENCE = 20.0


def ip(*argv):
    return output("ip", *argv)


def eventually(probe, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise RuntimeError("never happened: " + what)
        time.sleep(0.02)


class Network:
    """Sub-classes plug(); self.host is the namespace of the switch."""

    def __init__(self, label, n_containers=2):
        self.label = label
        self.dir = None
        self.processes = []
        prefix = label.replace(" ", "-")
        self.host = prefix + "-host"
        self.containers = ["%s-%d" % (prefix, i + 1)
                           for i in range(n_containers)]
        self.pids = []                  # Of the switch: whose CPU counts.

    def _add_netns(self, name):
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        # Router solicitations and MLD would be packets nobody asked for.
        output("ip", "netns", "exec", name, "sysctl", "-qw",
               "net.ipv6.conf.default.disable_ipv6=1",
               "net.ipv6.conf.all.disable_ipv6=1")

    def address(self, i):
        return "10.0.0.%d" % (i + 1)

    def mac(self, i):
        return output("ip", "netns", "exec", self.containers[i], "cat",
                      "/sys/class/net/eth0/address").strip()

    def spawn(self, netns, *argv, **kwargs):
        log = open(os.path.join(self.dir, "log"), "ab")
        kwargs.setdefault("stdout", log)
        kwargs.setdefault("stderr", log)
        process = subprocess.Popen(("ip", "netns", "exec", netns) + argv,
                                   stdin=subprocess.DEVNULL, **kwargs)
        log.close()
        self.processes.append(process)
        return process

    def run(self, i, *argv, **kwargs):
        """What a command prints inside container i."""
        return output("ip", "netns", "exec", self.containers[i], *argv,
                      **kwargs)

    def veth(self, i):
        """A pair: eth0 of container i, and its end in the host."""
        name = "v%d" % i
        ip("-n", self.host, "link", "add", name, "type", "veth", "peer",
           "name", "eth0", "netns", self.containers[i])
        ip("-n", self.host, "link", "set", name, "up")
        return name

    def configure(self, i):
        ip("-n", self.containers[i], "addr", "add", self.address(i) + "/24",
           "dev", "eth0")
        ip("-n", self.containers[i], "link", "set", "eth0", "up")

    def start(self):
        self.dir = tempfile.mkdtemp(prefix="bench-")
        for name in [self.host] + self.containers:
            self._add_netns(name)
        self.plug()
        for i in range(1, len(self.containers)):
            self.check(0, i)
        return self

    def check(self, i, k):
        def answers():
            return subprocess.run(
                ("ip", "netns", "exec", self.containers[i], "ping", "-q",
                 "-c", "1", "-W", "1", self.address(k)),
                stdout=subprocess.DEVNULL).returncode == 0
        eventually(answers, "%s: %s answers (%s)" % (
            self.label, self.address(k), self.said()))

    def said(self):
        try:
            with open(os.path.join(self.dir, "log"), errors="replace") as f:
                return f.read()[-1500:]
        except OSError:
            return ""

    def cpu_seconds(self):
        """Of the switch's processes, so far."""
        ticks = 0
        for pid in self.pids:
            with open("/proc/%d/stat" % pid) as f:
                text = f.read()
            fields = text[text.rindex(")") + 2:].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def pause(self, paused):
        """Stops a switch that polls while others are measured."""
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGSTOP if paused else signal.SIGCONT)
            except ProcessLookupError:
                pass

    def close(self):
        self.pause(False)
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.dir:
            for name in self.containers + [self.host]:
                subprocess.run(("ip", "netns", "del", name),
                               stderr=subprocess.DEVNULL)
            shutil.rmtree(self.dir, ignore_errors=True)


class Bridge(Network):
    def plug(self):
        ip("-n", self.host, "link", "add", "br0", "type", "bridge")
        ip("-n", self.host, "link", "set", "br0", "up")
        for i in range(len(self.containers)):
            ip("-n", self.host, "link", "set", self.veth(i), "master", "br0")
            self.configure(i)


class Relay(Network):
    def plug(self):
        process = self.spawn(self.host, program("traffic"), "relay",
                             *self.containers, stdout=subprocess.PIPE)
        process.stdout.readline()
        self.pids = [process.pid]
        for i in range(2):
            self.configure(i)


class Weft(Network):
    """One weftd; kind is the class of its ports."""

    def __init__(self, label, kind, n_containers=2, options=()):
        super().__init__(label, n_containers)
        self.kind = kind
        self.options = options

    def plug(self):
        args = ["--switch-only", "--switch", "br0", "--run-dir", self.dir,
                "--state-dir", self.dir]
        for i, netns in enumerate(self.containers):
            if self.kind == "netdev":
                args += ["--port", "%d=netdev:%s" % (i + 1, self.veth(i))]
            else:
                args += ["--port", "%d=c%d=%s:eth0,netns=%s" % (
                    i + 1, i + 1, self.kind, netns)]
        process = self.spawn(self.host, program("weftd"), *args,
                             *self.options)
        try:
            eventually(self.answers, "weftd answers")
        except RuntimeError:
            raise RuntimeError("weftd: " + self.said())
        for i in range(len(self.containers)):
            self.configure(i)
        # The helper, and the main process it forked.
        self.pids = [process.pid] + [int(pid) for pid in open(
            "/proc/%d/task/%d/children" % (process.pid, process.pid)
        ).read().split()]

    def answers(self):
        return subprocess.run(
            (program("weft"), "--run-dir", self.dir, "status"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode == 0

    def weft(self, *argv, **kwargs):
        return output(program("weft"), "--run-dir", self.dir, *argv, **kwargs)

    def add_flow(self, flow):
        self.weft("flow", "add", flow)

    def delete_flows(self):
        self.weft("flow", "delete", "--all")


class Wire(Network):
    def __init__(self, label, kind):
        super().__init__(label)
        self.kind = kind

    def plug(self):
        if self.kind == "netdev":
            ports = ["netdev:" + self.veth(i) for i in range(2)]
        else:
            ports = ["%s:eth0,netns=%s" % (self.kind, netns)
                     for netns in self.containers]
        process = self.spawn(self.host, program("weft-bench"), "wire", *ports,
                             stdout=subprocess.PIPE)
        if not process.stdout.readline():
            raise RuntimeError(self.said())
        self.pids = [process.pid]
        for i in range(2):
            self.configure(i)


class Ovs(Network):
    """ovsdb-server and ovs-vswitchd by hand, in a namespace and a directory.

    kind is tap (internal ports of the bridge, moved into the containers) or
    veth; without TSO the containers behind veth must not offload either."""
    DAEMON = "ovs-vswitchd"

    def __init__(self, label, kind, tso=False, n_containers=2, **config):
        super().__init__(label, n_containers)
        self.kind = kind
        self.tso = tso
        self.config = dict(config)
        if tso:
            self.config["userspace-tso-enable"] = "true"

    def file(self, name):
        return os.path.join(self.dir, name)

    def vsctl(self, *argv):
        return output("ovs-vsctl", "--timeout=20",
                      "--db=unix:" + self.file("db.sock"), *argv,
                      env=self.environment())

    def appctl(self, *argv):
        return output("ovs-appctl", "-t", self.file("ctl"), *argv)

    def ofctl(self, verb, *argv, options=(), bridge="br0"):
        return output("ovs-ofctl", "-O", "OpenFlow13", *options, verb,
                      "unix:" + self.file(bridge + ".mgmt"), *argv)

    def environment(self):
        return dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir,
                    OVS_DBDIR=self.dir, OVS_SYSCONFDIR=self.dir)

    def start_daemons(self):
        output("ovsdb-tool", "create", self.file("conf.db"),
               "/usr/share/openvswitch/vswitch.ovsschema")
        self.spawn(self.host, "ovsdb-server", self.file("conf.db"),
                   "--remote=punix:" + self.file("db.sock"),
                   "--unixctl=" + self.file("db.ctl"), "-vconsole:off",
                   env=self.environment())
        eventually(lambda: os.path.exists(self.file("db.sock")),
                   "ovsdb-server listens")
        self.vsctl("--no-wait", "init")
        for key, value in self.config.items():
            self.vsctl("--no-wait", "set", "Open_vSwitch", ".",
                       "other_config:%s=%s" % (key, value))
        daemon = self.spawn(self.host, self.DAEMON,
                            "unix:" + self.file("db.sock"),
                            "--unixctl=" + self.file("ctl"), "-vconsole:err",
                            env=self.environment())
        self.pids = [daemon.pid]
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0",
                   "datapath_type=netdev", "fail_mode=secure",
                   "protocols=OpenFlow10,OpenFlow13")

    def plug(self):
        self.start_daemons()
        self.ofctl("add-flow", "priority=0,actions=normal")
        for i, netns in enumerate(self.containers):
            if self.kind == "tap":
                self.vsctl("add-port", "br0", "p%d" % i, "--", "set",
                           "interface", "p%d" % i, "type=internal",
                           "ofport_request=%d" % (i + 1))
                ip("-n", self.host, "link", "set", "p%d" % i, "netns", netns)
                ip("-n", netns, "link", "set", "p%d" % i, "name", "eth0")
            else:
                name = self.veth(i)
                if not self.tso:
                    self.run(i, "ethtool", "-K", "eth0", "tx", "off", "tso",
                             "off", "gso", "off")
                self.vsctl("add-port", "br0", name, "--", "set", "interface",
                           name, "ofport_request=%d" % (i + 1))
            self.configure(i)

    def add_flow(self, flow):
        self.ofctl("add-flow", flow)

    def delete_flows(self):
        self.ofctl("del-flows")


def weft_networks(bench, kinds, **kwargs):
    """Weft by each kind of port; none when there is no weftd yet."""
    networks = []
    if program("weftd"):
        networks += [Weft("weft " + kind, kind, **kwargs) for kind in kinds]
    else:
        bench.note("there is no weftd in build/: Weft itself is not measured")
    if bench.with_wires and not kwargs:
        networks += [Wire("wire " + kind, kind) for kind in kinds]
    return networks


class Standing:
    """Starts networks, and takes all of them away at the end:

        with Standing(bench, [Bridge("bridge"), ...]) as networks:

    Only those that the run was asked for."""

    def __init__(self, bench, networks):
        self.networks = [network for network in networks
                         if re.search(bench.only, network.label)]

    def __enter__(self):
        try:
            for network in self.networks:
                network.start()
        except BaseException:
            self.__exit__()
            raise
        return self.networks

    def __exit__(self, *_):
        for network in self.networks:
            network.close()
