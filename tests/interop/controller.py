"""Controllers as processes beside weftd: os-ken's applications (apps/), and
Debian's ovs-testcontroller.

    with Controller.app(lab, "learning_switch", 4) as controller:
        lab.start(..., options=controller.options)
        controller.wait("switch")

An application tells the test what it saw by one JSON object a line; what it
logs besides is shown when it fails."""

import json
import os
import sys

from netns import eventually

HERE = os.path.dirname(os.path.realpath(__file__))
APPS = os.path.join(HERE, "apps")
PORT = 6653
TIMEOUT = 20.0
OF_NAMES = {1: "OpenFlow10", 4: "OpenFlow13", 5: "OpenFlow14",
            6: "OpenFlow15"}
TCP_LISTEN = "0A"


class Controller:
    def __init__(self, lab, argv, options=(), env=None):
        """Listens in the host of `lab` before this returns."""
        self.lab = lab
        self.options = ("--fail-mode", "secure", "--controller",
                        "tcp:127.0.0.1:%d" % PORT) + tuple(options)
        self.said_path = os.path.join(lab.dir, "controller.said")
        self.log_path = os.path.join(lab.dir, "controller.log")
        with open(self.said_path, "w") as said, \
                open(self.log_path, "w") as log:
            self.process = lab.host.popen(*argv, stdout=said, stderr=log,
                                          env=dict(os.environ, **(env or {})))
        eventually(self._listens, "the controller listens", TIMEOUT)

    @classmethod
    def app(cls, lab, name, version, options=(), arguments=(), **settings):
        """One of apps/ by os-ken's manager.  The settings reach it as
        variables of its environment."""
        env = dict({key.upper(): str(value)
                    for key, value in settings.items()},
                   OF_VERSION=str(version), PYTHONUNBUFFERED="1",
                   PYTHONPATH=APPS, PYTHONDONTWRITEBYTECODE="1")
        return cls(lab, ("/usr/bin/osken-manager", "--ofp-listen-host",
                         "127.0.0.1", "--ofp-tcp-listen-port", str(PORT),
                         *arguments, name), options, env)

    @classmethod
    def ovs(cls, lab, version, *arguments):
        return cls(lab, ("/usr/bin/ovs-testcontroller", "-O",
                         OF_NAMES[version], "-vconsole:info", *arguments,
                         "ptcp:%d:127.0.0.1" % PORT),
                   env={"OVS_RUNDIR": lab.dir})

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
