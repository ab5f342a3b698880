"""A weftd under test, and what hangs on it.

    def test_two_containers(lab):
        web, db = lab.netns("web"), lab.netns("db")
        lab.start("1=tap:web0,netns=web,addr=10.0.0.1/24",
                  "2=tap:db0,netns=db,addr=10.0.0.2/24")
        assert web.ping("10.0.0.2")
        assert lab.weft("fdb", "list")

A Lab has directories of its own and a namespace 'host' in which weftd runs,
so that devices "of the host" are the test's alone.  lab.close() ends weftd by
SIGTERM and checks that it ended well and took its devices with it."""

import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vm"))
from netns import Netns, eventually, run            # noqa: E402
from vm import Vm                                   # noqa: E402

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
START_TIMEOUT = 20.0
STOP_TIMEOUT = 20.0
SANITIZER_REPORT = re.compile(
    r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")

# `weft` exits with these.
DONE, NEGATIVE, USAGE, UNREACHABLE, REFUSED, CONFLICT = range(6)


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Lab:
    def __init__(self, build="build", host=None):
        """`host`: of another lab, for a second weftd beside its own."""
        self.build = os.path.join(ROOT, build)
        self.dir = tempfile.mkdtemp(prefix="weft-")
        self.run_dir = os.path.join(self.dir, "run")
        self.log_path = os.path.join(self.dir, "weftd.log")
        self.weftd = None
        self.args = []
        self.resolver = None            # What /etc/resolv.conf names.
        self._netns = {}
        self._vms = []
        self.host = host or self.netns("host")

    def program(self, name):
        for path in (os.path.join(self.build, name),
                     os.path.join(self.build, "cmd", name)):
            if os.path.isfile(path):
                return path
        raise AssertionError("%s is not built in %s" % (name, self.build))

    def netns(self, name, ipv6=False):
        """The namespace of that name, made when new."""
        if name not in self._netns:
            self._netns[name] = Netns(name, ipv6)
        return self._netns[name]

    # --- weftd ------------------------------------------------------------

    def start(self, *ports, options=(), switch="br0"):
        """Starts a lab switch with these --port arguments; returns when it
        answers."""
        args = ["--switch-only", "--switch", switch,
                "--run-dir", self.run_dir,
                "--state-dir", os.path.join(self.dir, "state")]
        for port in ports:
            args += ["--port", port]
        self.start_with(args + list(options))

    def start_daemon(self, *options, switch="br0"):
        """Starts the whole daemon, controller included."""
        self.start_with(["--switch", switch, "--run-dir", self.run_dir,
                         "--state-dir", os.path.join(self.dir, "state")]
                        + list(options))

    def start_with(self, args):
        assert not self.weftd, "weftd runs already"
        self.args = args
        with open(self.log_path, "a") as log:
            self.weftd = self.host.popen(*self._shows_resolvers(),
                                         self.program("weftd"), *args,
                                         stdout=log, stderr=log)
        eventually(self._answers, "weftd answers", START_TIMEOUT)

    def _shows_resolvers(self):
        """`ip netns exec` gives mounts of its own."""
        if not self.resolver:
            return ()
        path = os.path.join(self.dir, "resolv.conf")
        with open(path, "w") as f:
            f.write("nameserver %s\n" % self.resolver)
        return ("sh", "-c", 'mount --bind "$0" /etc/resolv.conf; exec "$@"',
                path)

    def restart(self):
        """Again, as it was started."""
        self.start_with(self.args)

    def _answers(self):
        if self.weftd.poll() is not None:
            status, self.weftd = self.weftd.returncode, None
            raise AssertionError("weftd ended with status %d:\n%s"
                                 % (status, self.log()))
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(os.path.join(self.run_dir, "api.sock"))
            except OSError:
                return False
        return self.weft("status", status=None).returncode == DONE

    def kill(self):
        """kill -9 of everything that is weftd; returns when all that it had
        open is closed, which is after its name is gone from /proc."""
        while pids := self.weftd_pids():
            fds = [os.pidfd_open(pid) for pid in pids]
            for fd in fds:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
            for fd in fds:
                select.select([fd], [], [], STOP_TIMEOUT)
                os.close(fd)
            self.weftd.wait()
        self.weftd = None

    def weftd_pids(self):
        """The supervisor's process and those that it forked."""
        wanted, found = self.program("weftd"), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                same = os.path.samefile("/proc/%s/exe" % pid, wanted)
                with open("/proc/%s/cmdline" % pid) as f:
                    ours = self.run_dir in f.read()
            except OSError:
                continue
            if same and ours:
                found.append(int(pid))
        return found

    def stop(self):
        """Ends weftd as an operator does."""
        if not self.weftd:
            return
        self.weftd.terminate()
        try:
            status = self.weftd.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("weftd did not end on SIGTERM") from None
        self.weftd = None
        log = self.log()
        report = SANITIZER_REPORT.search(log)
        assert not report, "weftd: " + log[report.start():]
        assert status == 0, "weftd ended with status %d" % status

    def close(self):
        try:
            for vm in self._vms:
                vm.stop()
            self.stop()
            self._take_kept_legs()
            left = set(self.host.links()) - {"lo"} - set(self._made)
            assert not left, "weftd left devices behind: %s" % sorted(left)
        finally:
            if self.weftd:
                self.kill()
            for netns in self._netns.values():
                netns.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def _take_kept_legs(self):
        """A daemon leaves the device of an uplink `host: true` for its next
        start.  (One that stands in for a NIC it does not: ",from=".)"""
        for link in json.loads(self.host.run("ip", "-j", "link").stdout):
            alias = link.get("ifalias", "")
            if alias.endswith(":" + link["ifname"]) \
                    and alias.startswith("weft:") \
                    and link["ifname"].startswith("weft-"):
                self.host.run("ip", "link", "del", link["ifname"])

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    # --- The operator's command -------------------------------------------

    def weft(self, *args, status=DONE, timeout=30):
        """`weft -j ARGS`, parsed.  With status=None the CompletedProcess,
        whatever it ended with; otherwise it must end with 'status'."""
        argv = (self.program("weft"), "-j", "--run-dir", self.run_dir) + args
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=timeout)
        if status is None:
            return done
        assert done.returncode == status, \
            "weft %s: status %d, wanted %d\n%s%s" % (
                " ".join(args), done.returncode, status, done.stdout,
                done.stderr)
        text = done.stdout or done.stderr
        return json.loads(text) if text.strip() else None

    def api(self, method, path, body=None, status=200):
        """One request as the API's own clients make it: for tests that make
        thousands, and for those of the API itself."""
        conn = UnixHttp(os.path.join(self.run_dir, "api.sock"))
        try:
            conn.request(method, path, json.dumps(body) if body else None,
                         {"Content-Type": "application/json"})
            reply = conn.getresponse()
            data = reply.read()
        finally:
            conn.close()
        assert reply.status == status, "%s %s: %d, wanted %d: %s" % (
            method, path, reply.status, status, data[:500])
        return json.loads(data) if data else None

    def text(self, *args):
        """What a person is told."""
        return run(self.program("weft"), "--run-dir", self.run_dir,
                   *args).stdout

    def trace(self, port, packet):
        """The trace as text; a dropped packet is no failure here."""
        return run(self.program("weft"), "--run-dir", self.run_dir, "trace",
                   port, packet, check=False).stdout

    def port(self, name):
        """What `weft port show` says."""
        return self.weft("port", "show", str(name))

    def wait_port(self, name, state):
        eventually(lambda: self.port(name)["state"] == state,
                   "port %s is %s" % (name, state))

    def drops(self, reason):
        rows = self.weft("drops")["drops"]
        return sum(r["packets"] for r in rows if r["reason"] == reason)

    # --- Devices and guests -----------------------------------------------

    @property
    def _made(self):
        return getattr(self, "_devices", [])

    def plug(self, kind, number, name, addr=None):
        """The --port argument for a guest of that class, whose namespace is
        called like the port, with a NIC called eth0."""
        self.netns(name)
        if kind == "netdev":
            self.veth("h-" + name, name, addr=addr)
            return "%d=%s=netdev:h-%s" % (number, name, name)
        return "%d=%s=%s:eth0,netns=%s%s" % (
            number, name, kind, name, ",addr=" + addr if addr else "")

    def veth(self, name, netns, peer="eth0", addr=None):
        """A veth pair as an operator makes it: 'name' in the host, for a
        netdev port, and its peer in a namespace."""
        inside = self.netns(netns)
        self.host.run("ip", "link", "add", "name", name, "type", "veth",
                      "peer", "name", peer, "netns", netns)
        self._devices = self._made + [name]
        self.host.run("ip", "link", "set", "dev", name, "up")
        inside.run("ip", "link", "set", "dev", peer, "up")
        if addr:
            inside.run("ip", "addr", "add", addr, "dev", peer)
        return inside

    def vm(self, ifname, addr, **kwargs):
        """Boots a guest behind a TAP that weftd made for it."""
        guest = Vm(os.path.join(self.dir, "vm-" + ifname))
        self._vms.append(guest)
        guest.start(ifname, addr, netns=self.host.name, **kwargs)
        return guest
