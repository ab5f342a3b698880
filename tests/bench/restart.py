"""How long traffic stands still while the switch is started again: a ping every
millisecond, from one container to another, and what is missing of it.

    reload     SIGHUP, as `systemctl reload weft`: main alone, frames wait
    crash      kill -9 of main
    restart    stop and start, as `systemctl restart`
    ovs        stop and start of ovs-vswitchd, then its entry again"""

import os
import re
import signal
import subprocess
import tempfile
import time

from bench import output, program
from networks import Network, Ovs, Standing, eventually

SECONDS = 5
INTERVAL = 0.001
WHAT = "longest silence"

CLOUD = """\
version: 1
networks: {blue: {subnet: 10.0.0.0/24, gateway: none, dhcp: "off"}}
ports:
"""
PORT = ("  p%d: {network: blue, netns: %s, address: %s, configure: true}\n")


def gap(network, event):
    """Milliseconds without a reply, and how many never came."""
    n = int(SECONDS / INTERVAL)
    with tempfile.TemporaryFile("w+") as said:
        ping = network.spawn(network.containers[0], "ping", "-n", "-D", "-i",
                             str(INTERVAL), "-W", "1", "-c", str(n),
                             network.address(1), stdout=said)
        time.sleep(1)
        event()
        ping.wait(timeout=60)
        said.seek(0)
        text = said.read()
    times = [float(t) for t in re.findall(r"\[(\d+\.\d+)\] \d+ bytes", text)]
    if len(times) < 2:
        raise RuntimeError("%s: no replies: %s%s" % (network.label, text,
                                                   network.said()))
    times.append(max(times[-1], times[0] + SECONDS))
    return (1000 * max(b - a for a, b in zip(times, times[1:])),
            n - len(times) + 1)


class Cloud(Network):
    """weftd with its controller, by intents; `how` it is started again.  A switch
    of its own name, since what one leaves behind another of that name takes up."""

    def __init__(self, how):
        super().__init__("weft " + how)
        self.how = how
        self.daemon = None

    def start_daemon(self):
        self.daemon = self.spawn(self.host, program("weftd"), "--switch",
                                 self.how, "--run-dir",
                                 self.dir, "--state-dir", self.dir)
        self.pids = [self.daemon.pid]

    def weft(self, *argv):
        return output(program("weft"), "--run-dir", self.dir, *argv)

    def plug(self):
        self.start_daemon()
        eventually(lambda: subprocess.run(
            (program("weft"), "--run-dir", self.dir, "status"),
            capture_output=True).returncode == 0, "weftd answers")
        path = os.path.join(self.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(CLOUD + "".join(
                PORT % (i, name, self.address(i))
                for i, name in enumerate(self.containers)))
        self.weft("apply", path)

    def again(self):
        if self.how == "reload":
            self.daemon.send_signal(signal.SIGHUP)
        elif self.how == "crash":
            main = output("pgrep", "-P", str(self.daemon.pid)).split()[0]
            os.kill(int(main), signal.SIGKILL)
        else:
            self.daemon.terminate()
            self.daemon.wait()
            self.start_daemon()


class OvsAgain(Ovs):
    def again(self):
        os.kill(self.pids[0], signal.SIGTERM)
        self.processes[-1].wait()
        daemon = self.spawn(self.host, self.DAEMON,
                            "unix:" + self.file("db.sock"),
                            "--unixctl=" + self.file("ctl"), "-vconsole:err",
                            env=self.environment())
        self.pids = [daemon.pid]
        eventually(lambda: subprocess.run(
            ("ovs-ofctl", "-O", "OpenFlow13", "add-flow",
             "unix:" + self.file("br0.mgmt"), "priority=0,actions=normal"),
            capture_output=True).returncode == 0, "the bridge is back")


def run(bench):
    networks = [Cloud("reload"), Cloud("crash"), Cloud("restart"),
                OvsAgain("ovs restart", "veth")]
    with Standing(bench, networks) as networks:
        for _ in bench.rounds():
            for network in networks:
                silence, lost = gap(network, network.again)
                bench.add(network.label, WHAT, silence, "ms")
                bench.add(network.label, "pings lost", lost, "")
                network.check(0, 1)
    for how, budget in (("reload", 50), ("restart", 50), ("crash", 1000)):
        bench.limit("%s: %s" % (how, WHAT), ("weft " + how, WHAT),
                    at_most=budget)
