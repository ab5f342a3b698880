"""Controllers as processes beside weftd: os-ken's applications (apps/), and
Debian's ovs-testcontroller.

    with Controller.app(lab, "learning_switch", 4) as controller:
        lab.start(..., options=controller.options)
        controller.wait("switch")

An application tells the test what it saw by one JSON object a line; what it
logs besides is shown when it fails."""

import functools
import json
import os
import signal
import subprocess
import sys

from netns import eventually

HERE = os.path.dirname(os.path.realpath(__file__))
APPS = os.path.join(HERE, "apps")
PORT = 6653
TIMEOUT = 20.0
OF_NAMES = {1: "OpenFlow10", 4: "OpenFlow13", 5: "OpenFlow14",
            6: "OpenFlow15"}
TCP_LISTEN = "0A"


@functools.cache
def nursery():
    """The process that starts applications; ends with us."""
    return subprocess.Popen(
        ["/usr/bin/python3", os.path.join(APPS, "nursery.py")], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(
            os.environ, PYTHONPATH=APPS, PYTHONDONTWRITEBYTECODE="1"))


class Application:
    """A process that is not our child, as subprocess has those that are."""

    def __init__(self, **order):
        line = nursery()
        line.stdin.write(json.dumps(order) + "\n")
        line.stdin.flush()
        self.pid = int(line.stdout.readline())

    def poll(self):
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 1
        return None

    def kill(self):
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self):
        eventually(self.poll, "an application that was killed ends", TIMEOUT)


class Controller:
    def __init__(self, lab, start, options=()):
        """start(said's path, log's path) makes the process, in the host of
        `lab`; it listens before this returns."""
        self.lab = lab
        self.options = ("--fail-mode", "secure", "--controller",
                        "tcp:127.0.0.1:%d" % PORT) + tuple(options)
        self.said_path = os.path.join(lab.dir, "controller.said")
        self.log_path = os.path.join(lab.dir, "controller.log")
        for path in (self.said_path, self.log_path):
            open(path, "w").close()
        self.process = start(self.said_path, self.log_path)
        eventually(self._listens, "the controller listens", TIMEOUT)

    @classmethod
    def app(cls, lab, name, version, options=(), arguments=(), **settings):
        """One of apps/, by os-ken's manager.  The settings reach it as
        variables of its environment."""
        env = dict({key.upper(): str(value)
                    for key, value in settings.items()},
                   OF_VERSION=str(version))
        return cls(lab, lambda said, log: Application(
            netns=lab.host.path, env=env, out=said, err=log,
            arguments=["--ofp-listen-host", "127.0.0.1",
                       "--ofp-tcp-listen-port", str(PORT), *arguments,
                       name]), options)

    @classmethod
    def ovs(cls, lab, version, *arguments):
        def start(said, log):
            with open(said, "w") as out, open(log, "w") as err:
                return lab.host.popen(
                    "/usr/bin/ovs-testcontroller", "-O", OF_NAMES[version],
                    "-vconsole:info", *arguments,
                    "ptcp:%d:127.0.0.1" % PORT, stdout=out, stderr=err,
                    env=dict(os.environ, OVS_RUNDIR=lab.dir))
        return cls(lab, start)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.kill()
        self.process.wait()
        if kind:
            for path in (self.said_path, self.log_path):
                sys.stdout.write(open(path).read()[-6000:])

    def _listens(self):
        assert self.process.poll() is None, open(self.log_path).read()

        def read():
            with open("/proc/thread-self/net/tcp") as f:
                return f.read()
        return any(row.split()[1].endswith(":%04X" % PORT)
                   and row.split()[3] == TCP_LISTEN
                   for row in self.lab.host.call(read).splitlines()[1:])

    def events(self, what=None, **fields):
        """What the application said so far; of that kind, with that in it."""
        assert self.process.poll() is None, open(self.log_path).read()
        with open(self.said_path) as f:
            rows = [json.loads(line) for line in f if line.endswith("}\n")]
        return [row for row in rows if what in (None, row["event"])
                and fields.items() <= row.items()]

    def wait(self, what, count=1, **fields):
        """The events of that kind, once there are that many."""
        return eventually(
            lambda: len(got := self.events(what, **fields)) >= count and got,
            "%d times '%s' %s" % (count, what, fields), TIMEOUT)

    def log(self):
        with open(self.log_path) as f:
            return f.read()
