"""Several hosts, each a weftd in a namespace of its own, on one underlay.

    h1 192.0.2.1    h2 192.0.2.2    h3 192.0.2.3
       2001:db8::1     2001:db8::2     2001:db8::3
     | u0            | u0            | u0
     +---------- a bridge in 'street' ----------+

One file for all hosts; guests are containers, plugged in by their host."""

import os

import ovs
import weft
from netns import Netns, eventually

ADDRESSES = {4: "192.0.2.%d", 6: "2001:db8::%d"}


class Overlay:
    def __init__(self, build, n=2, mtu=1500):
        self.street = Netns("street")
        self.street.run("ip", "link", "add", "name", "lan", "type", "bridge")
        self.street.run("ip", "link", "set", "lan", "mtu", str(mtu), "up")
        self.labs, self._guests = {}, {}
        self.vswitches = {}             # Of hosts whose switch is another.
        for i in range(1, n + 1):
            self._add_host(build, i, mtu)

    def _add_host(self, build, i, mtu):
        host = Netns("h%d" % i, ipv6=True)
        lab = self.labs["h%d" % i] = weft.Lab(build, host=host)
        lab._netns["host"] = host
        lab._devices = ["u0"]
        self.street.run("ip", "link", "add", "s%d" % i, "mtu", str(mtu),
                        "type", "veth", "peer", "name", "u0", "mtu", str(mtu),
                        "netns", host.name)
        self.street.run("ip", "link", "set", "s%d" % i, "master", "lan", "up")
        host.run("ip", "link", "set", "u0", "up")
        host.run("ip", "addr", "add", ADDRESSES[4] % i + "/24", "dev", "u0")
        host.run("ip", "addr", "add", ADDRESSES[6] % i + "/64", "dev", "u0",
                 "nodad")

    def hosts(self, family=4, certificates=None):
        """The file's section; with certificates, hosts talk."""
        return "hosts:\n" + "".join(
            "  %s: {tunnel: \"%s\"%s}\n"
            % (name, ADDRESSES[family] % int(name[1:]),
               ", certificate: \"%s\"" % certificates[name]
               if certificates and name in certificates else "")
            for name in self.labs)

    def certificates(self):
        """What each host, started, is known by."""
        return {name: lab.weft("host", "certificate")["certificate"]
                for name, lab in self.labs.items()}

    def peers(self, name):
        """How that host's channels are, and how many ports it hears of."""
        return {p["host"]: (p["state"], p["ports"]) for p in
                self.labs[name].weft("host", "certificate")["peers"]}

    def guest(self, name):
        if name not in self._guests:
            self._guests[name] = Netns(name, ipv6=True)
        return self._guests[name]

    def start(self, text, names=None, more=()):
        """The same file for all, or for those; `more` options of weftd."""
        self.start_daemons(more)
        self.apply(text, names)

    def start_daemons(self, more=()):
        for name, lab in self.labs.items():
            options = ["--host", name, *more]
            if name in self.vswitches:
                options += ["--controller-only", "--ovsdb", "unix:"
                            + self.vswitches[name].file("db.sock")]
            lab.start_daemon(*options, switch=name)

    def use_ovs(self, name):
        """That host's switch is Open vSwitch; its userspace data path sends by
        a bridge that has the underlay's device."""
        lab, i = self.labs[name], int(name[1:])
        vswitch = self.vswitches[name] = ovs.Ovs(
            lab.host, os.path.join(lab.dir, "ovs"))
        vswitch.start(bridge=None)
        vswitch.vsctl("add-br", "phy", "--", "set", "bridge", "phy",
                      "datapath_type=netdev", "--", "add-port", "phy", "u0")
        # It takes checksums that a NIC is still to write for wrong ones.
        for other in self.labs.values():
            other.host.run("ethtool", "-K", "u0", "tx", "off")
        lab.host.run("ip", "addr", "flush", "dev", "u0")
        lab.host.run("ip", "addr", "add", ADDRESSES[4] % i + "/24", "dev",
                     "phy")
        lab.host.run("ip", "link", "set", "phy", "up")

    def apply(self, text, names=None):
        for name in names or self.labs:
            lab = self.labs[name]
            path = os.path.join(lab.dir, "cloud.yaml")
            with open(path, "w") as f:
                f.write(text)
            lab.weft("apply", path)
        for name in names or self.labs:
            eventually(lambda: self.is_settled(self.labs[name]),
                       "%s has what was asked for" % name)

    @staticmethod
    def is_settled(lab):
        shown = lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]

    def close(self):
        error = None
        for name, vswitch in self.vswitches.items():
            self.labs[name].stop()
            vswitch.vsctl("--if-exists", "del-br", name)
            vswitch.stop()
            for link in set(self.labs[name].host.links()) - {"lo", "u0"}:
                self.labs[name].host.run("ip", "link", "del", link,
                                         check=False)
        for lab in self.labs.values():
            try:
                lab.close()
            except AssertionError as e:
                error = e
        for netns in list(self._guests.values()) + [self.street]:
            netns.close()
        if error:
            raise error


def lend(request, *guests):
    """Two hosts that have these guests, for a fixture."""
    made = Overlay(request.config.getoption("--build"))
    for name in guests:
        made.guest(name)
    yield made
    made.close()
