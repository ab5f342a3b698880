"""Open vSwitch with its user-space data path, as a second kind of switch.

Started by hand in a namespace and a directory of its own: nothing of the
machine's is touched, and no service is needed."""

import json
import os
import shutil
import signal

from netns import eventually, run

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def is_installed():
    return bool(shutil.which("ovs-vswitchd") and os.path.exists(SCHEMA))


class Ovs:
    def __init__(self, host, directory):
        """`host`: the namespace where the ports' devices are."""
        self.host = host
        self.dir = directory
        self.daemons = []
        os.makedirs(directory, exist_ok=True)

    def file(self, name):
        return os.path.join(self.dir, name)

    def environment(self):
        return dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir,
                    OVS_DBDIR=self.dir, OVS_SYSCONFDIR=self.dir)

    def start(self, bridge="br0"):
        """`bridge` None: without one."""
        env = self.environment()
        run("ovsdb-tool", "create", self.file("conf.db"), SCHEMA, env=env)
        self.start_database()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()
        if bridge:
            self.vsctl("add-br", bridge, "--", "set", "bridge", bridge,
                       "datapath_type=netdev", "fail_mode=secure",
                       "protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15")

    def start_database(self):
        self.daemons.append(self.host.popen(
            "ovsdb-server", self.file("conf.db"),
            "--remote=punix:" + self.file("db.sock"),
            "--unixctl=" + self.file("db.ctl"), "-vconsole:off",
            env=self.environment()))
        eventually(lambda: os.path.exists(self.file("db.sock")),
                   "ovsdb-server listens")

    def start_vswitchd(self):
        self.daemons.append(self.host.popen(
            "ovs-vswitchd", "unix:" + self.file("db.sock"),
            "--unixctl=" + self.file("ctl"), "-vconsole:off",
            env=self.environment()))

    def vsctl(self, *args):
        return run("ovs-vsctl", "--timeout=20",
                   "--db=unix:" + self.file("db.sock"), *args,
                   env=self.environment()).stdout

    def add_port(self, name, number):
        self.vsctl("add-port", "br0", name, "--", "set", "interface", name,
                   "ofport_request=%d" % number)

    def appctl(self, *args):
        return run("ovs-appctl", "-t", self.file("ctl"), *args,
                   env=self.environment()).stdout

    def settle(self):
        """Its caches follow its tables some milliseconds after it answered a
        barrier."""
        self.appctl("revalidator/wait")

    @property
    def method(self):
        return "unix:" + self.file("br0.mgmt")

    def numbers(self):
        """{port: its OpenFlow number}"""
        rows = json.loads(self.vsctl("-f", "json", "--columns", "name,ofport",
                                     "list", "interface"))["data"]
        return dict(map(tuple, rows))

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(20)
        self.daemons = []
