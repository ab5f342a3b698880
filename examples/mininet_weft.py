"""Weft as a switch of Mininet (https://mininet.org).

    mn --custom examples/mininet_weft.py --switch weft --test pingall
    mn --custom examples/mininet_weft.py --switch weft --controller none
    mn --custom examples/mininet_weft.py --switch weft,failMode=secure \\
       --controller remote,ip=127.0.0.1,port=6653

Each switch is a weftd of its own, found on PATH or by the variable WEFTD, as
root.  Without a controller it is a learning bridge.  In Mininet's CLI:

    mininet> s1 weft --run-dir /run/weft/s1 port list
    mininet> dpctl dump-flows                       with ovs-ofctl
    mininet> link s1 h1 down

or, in a program of yours, Mininet(topo=..., switch=WeftSwitch)."""

import json
import os
import shutil
import signal
import subprocess
import time

from mininet.log import error
from mininet.moduledeps import pathCheck
from mininet.node import Switch

START_TIMEOUT = 20.0
STOP_TIMEOUT = 20.0
RUN_DIR = os.environ.get("WEFT_RUN_DIR", "/run/weft")


def program(name):
    return os.environ.get(name.upper()) or shutil.which(name) or name


class WeftSwitch(Switch):
    """failMode: standalone (a bridge while there is no controller) or secure;
    protocols: "OpenFlow10,OpenFlow13", all when not given; workers: forwarding
    threads; opts: more options of weftd."""

    def __init__(self, name, failMode="standalone", protocols=None,
                 workers=1, opts="", **params):
        Switch.__init__(self, name, opts=opts, **params)
        self.failMode = failMode
        self.protocols = protocols
        self.workers = workers
        self.runDir = os.path.join(RUN_DIR, name)
        self.log = os.path.join(self.runDir, "weftd.log")
        self.weftd = None
        self.controllers = []

    @classmethod
    def setup(cls):
        pathCheck(program("weftd"), program("weft"), moduleName="Weft")

    def options(self):
        """The command line, but for the program."""
        argv = ["--switch-only", "--switch", self.name,
                "--datapath-id", self.dpid, "--run-dir", self.runDir,
                "--state-dir", os.path.join(self.runDir, "state"),
                "--fail-mode", self.failMode, "--workers", str(self.workers)]
        for intf, number in sorted(self.ports.items(), key=lambda p: p[1]):
            if intf.name != "lo":
                argv += ["--port", "%d=netdev:%s" % (number, intf.name)]
        for controller in self.controllers:
            argv += ["--controller", "tcp:%s:%d" % (controller.IP(),
                                                    controller.port)]
        if self.listenPort:
            argv += ["--listen", "ptcp:%d" % self.listenPort]
        if self.protocols:
            argv += ["--openflow", self.protocols]
        return argv + self.opts.split()

    def start(self, controllers):
        """Returns when the switch forwards."""
        self.controllers = controllers
        os.makedirs(self.runDir, exist_ok=True)
        # Mininet's own way into a namespace loses its way in a chroot.
        popen = self.popen if self.inNamespace else subprocess.Popen
        with open(self.log, "w") as log:
            self.weftd = popen([program("weftd")] + self.options(),
                               stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while not self.weft("status"):
            if self.weftd.poll() is not None or time.monotonic() > deadline:
                with open(self.log) as log:
                    raise RuntimeError("weftd of %s: %s" % (self.name,
                                                            log.read()))
            time.sleep(0.01)

    def stop(self, deleteIntfs=True):
        if self.weftd:
            self.weftd.send_signal(signal.SIGTERM)
            try:
                self.weftd.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                error("weftd of %s does not end\n" % self.name)
                self.weftd.kill()
            self.weftd = None
        Switch.stop(self, deleteIntfs)

    def weft(self, *args):
        """`weft -j ARGS` of this switch, parsed; None when it failed."""
        done = subprocess.run(
            [program("weft"), "-j", "--run-dir", self.runDir] + list(args),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def connected(self):
        """For --wait: some controller is there, or none is needed."""
        if not self.controllers:
            return True
        said = self.weft("controller", "list") or {}
        return any(row["kind"] == "controller" and row["version"]
                   for row in said.get("controllers", []))

    def dpctl(self, *args):
        """ovs-ofctl, for those who know it."""
        return self.cmd("ovs-ofctl", args[0], "unix:%s/%s.mgmt" % (
            self.runDir, self.name), *args[1:])

    def attach(self, intf):
        self.weft("port", "add", "%d=netdev:%s" % (self.ports[intf],
                                                   intf.name))

    def detach(self, intf):
        self.weft("port", "delete", intf.name)


switches = {"weft": WeftSwitch}
