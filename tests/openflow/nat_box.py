"""Boxes that translate, for the suite of requirements: they all do the same job,
and scapy is everybody else.

    A, B ... 10.0.0.0/24, 10.0.2.0/24       X, Y ... 203.0.113.0/24
          inside |                               | outside
             ----+----------- box ---------------+----
                          198.51.100.1, and for 10.0.2.0/24 .2 to .5

From outside only answers come in.  A box says what came out of it at either side;
nothing is waited for in vain, since behind the packets in question goes a canary
to and fro."""

import itertools
import os
import re

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import ovs
import weft
from netns import eventually, run

E, POOL = "198.51.100.1", ["198.51.100.%d" % i for i in range(2, 6)]
A, B, C = "10.0.0.2", "10.0.0.3", "10.0.0.99"
X, Y, GATEWAY = "203.0.113.5", "203.0.113.6", "198.51.100.254"
POOLED = ["10.0.2.%d" % i for i in range(10, 18)]
CANARY = b"canary"
# In zone 5, as our controller writes it: translated back if it is an answer, led
# to the inside that has the external port otherwise; then by what it is.
FLOWS = """\
priority=9,ip,in_port=1,actions=ct(zone=5,nat,table=1)
priority=9,ip,in_port=2,actions=ct(zone=5,nat,table=3)
table=1,priority=9,ct_state=+inv,actions=drop
table=1,priority=8,ip,ct_state=+new,nw_src=10.0.2.0/24,\
actions=ct(commit,zone=5,nat(src=198.51.100.2-198.51.100.5),table=2)
table=1,priority=7,ip,ct_state=+new,\
actions=ct(commit,zone=5,nat(src=198.51.100.1),table=2)
table=1,priority=1,ip,actions=goto_table:2
table=2,priority=9,ip,nw_dst=10.0.0.0/16,actions=in_port
table=2,priority=1,ip,actions=output:2
table=3,priority=9,ip,ct_state=+est-inv,actions=output:1
table=3,priority=9,ip,ct_state=+rel-inv,actions=output:1
"""


class Box:
    title = None
    E, pooled, hairpins = E, POOLED, True

    def __init__(self, build):
        self.lab = weft.Lab(build)
        # Packets that are handed on by two processors can overtake each other in
        # the kernel, and so could the canary.
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(self.processors)})
        self.nics = {}
        self.ports = itertools.count(20000, 16)
        self.canaries = itertools.count()
        self.plug()
        self.start()
        self.open()

    def plug(self):
        for name in ("inside", "outside"):
            self.lab.veth(name, "g-" + name)

    def start(self):
        raise NotImplementedError

    def open(self):
        """NICs of both sides."""
        self.nics = {name: self.lab.netns("g-" + name).nic("eth0")
                     for name in ("inside", "outside")}

    def stop(self):
        pass

    def close(self):
        try:
            for nic in self.nics.values():
                nic.close()
            self.stop()
        finally:
            os.sched_setaffinity(0, self.processors)
            self.lab.close()

    def nic(self, side, address):
        """Who sends, or gets, what is from or to that address."""
        return self.nics[side]

    def mac(self, side):
        """Of the box, at that side."""
        return "02:00:00:00:00:fe"

    def drained(self, side):
        """What has come to NICs at which no canary arrives."""
        return []

    def port(self):
        """An even one that no test had before, of 16."""
        return next(self.ports)

    def _send(self, side, packet):
        nic = self.nic(side, packet.src)
        nic.send(Ether(src=nic.mac, dst=self.mac(side)) / packet)

    def _until_canary(self, side, number, got):
        payload = CANARY + b"%06d" % number
        for raw in self.nic(side, C).raw_frames():
            frame = Ether(raw)
            if IP not in frame:
                continue
            if payload in raw:
                return frame[IP]
            if CANARY not in raw:
                got[side].append(frame[IP])

    def exchange(self, side, *packets):
        """What comes out of the box, at the inside and at the outside, of
        packets sent at that side."""
        got = {"inside": [], "outside": []}
        for packet in packets:
            self._send(side, packet)
        for number in itertools.islice(self.canaries, 2):
            payload = Raw(CANARY + b"%06d" % number)
            self._send("inside", IP(src=C, dst=X)
                       / UDP(sport=9999, dport=9) / payload)
            seen = self._until_canary("outside", number, got)
            self._send("outside", IP(src=X, dst=seen.src)
                       / UDP(sport=9, dport=seen.sport) / payload)
            self._until_canary("inside", number, got)
        got["inside"] += [f[IP] for f in self.drained("inside") if IP in f]
        return got["inside"], got["outside"]

    def out(self, packet):
        """The one packet that leaves for one from inside."""
        inside, outside = self.exchange("inside", packet)
        assert not inside and len(outside) == 1, (inside, outside,
                                                  self.account())
        return outside[0]

    def back(self, packet):
        """The one that comes inside for one from outside."""
        inside, outside = self.exchange("outside", packet)
        assert not outside and len(inside) == 1, (inside, outside,
                                                  self.account())
        return inside[0]

    def refused(self, packet):
        """From outside: nothing comes of it, at any side."""
        inside, outside = self.exchange("outside", packet)
        assert not inside and not outside, (inside, outside)

    def turned(self, packet):
        """The one that comes back inside for one from inside."""
        inside, outside = self.exchange("inside", packet)
        assert not outside and len(inside) == 1, (inside, outside,
                                                  self.account())
        return inside[0]

    def expires(self, proto, port):
        """In how many seconds that inside port's connection ends."""
        raise NotImplementedError

    def account(self):
        """What the box says of packets that did not come out."""
        return ""


class WeftBox(Box):
    title = "Weft"

    def start(self):
        self.lab.start("1=inside=netdev:inside", "2=outside=netdev:outside",
                       options=("--fail-mode", "secure"))
        self.lab.api("POST", "/v1/flows", {
            "command": "add", "flows": FLOWS.splitlines()})

    def account(self):
        return self.lab.weft("drops")

    def expires(self, proto, port):
        one, = [c for c in self.lab.weft("connection", "list", "--protocol",
                                         proto)["connections"]
                if port in (c["original"].get("source_port"),
                            c["original"].get("icmp_id"))]
        return one["expires"]


class OvsBox(Box):
    title = "Open vSwitch `ct(nat)`"

    def start(self):
        self.ovs = ovs.Ovs(self.lab.host, os.path.join(self.lab.dir, "ovs"))
        self.ovs.start()
        for number, name in enumerate(("inside", "outside"), 1):
            self.ovs.add_port(name, number)
        path = os.path.join(self.lab.dir, "flows")
        with open(path, "w") as f:
            f.write(FLOWS)
        run("ovs-ofctl", "-O", "OpenFlow15", "replace-flows", self.ovs.method,
            path)
        self.ovs.settle()

    def stop(self):
        self.ovs.stop()
        for name in set(self.lab.host.links()) - {"inside", "outside", "lo"}:
            self.lab.host.run("ip", "link", "del", name)

    def expires(self, proto, port):
        text = self.ovs.appctl("dpctl/dump-conntrack", "-s")
        line, = [s for s in text.splitlines() if s.startswith(proto + ",")
                 and re.search(r"orig=\([^)]*(sport|id)=%d," % port, s)]
        return int(re.search(r"timeout=(\d+)", line).group(1))


NFT = """\
table ip nat {
    chain post {
        type nat hook postrouting priority srcnat;
        oifname outside ip saddr 10.0.2.0/24 \
snat to 198.51.100.2-198.51.100.5
        oifname outside masquerade
    }
}
table ip filter {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname inside ct state new accept
    }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
    }
}
"""


class NftBox(Box):
    title = "nftables `masquerade`"

    def start(self):
        host = self.lab.host
        path = os.path.join(self.lab.dir, "nft")
        with open(path, "w") as f:
            f.write(NFT)
        host.run("nft", "-f", path)
        for setting in ("ip_forward=1", "conf.all.rp_filter=0",
                        "conf.inside.rp_filter=0", "conf.all.send_redirects=0",
                        "conf.inside.send_redirects=0"):
            host.run("sysctl", "-qw", "net.ipv4." + setting)
        self._mac = {side: re.search(
            r"link/ether (\S+)", host.run("ip", "link", "show", side).stdout
        ).group(1) for side in ("inside", "outside")}
        script = ["addr add 10.0.0.1/24 dev inside",
                  "addr add 10.0.2.1/24 dev inside",
                  "addr add %s/24 dev outside" % E]
        script += ["addr add %s/24 dev outside" % a for a in POOL]
        script += ["neigh add %s lladdr 02:00:00:00:00:0a dev inside nud "
                   "permanent" % a for a in [A, B, C] + POOLED]
        script += ["neigh add %s lladdr 02:00:00:00:00:0b dev outside nud "
                   "permanent" % GATEWAY,
                   "route add default via %s" % GATEWAY]
        batch = os.path.join(self.lab.dir, "batch")
        with open(batch, "w") as f:
            f.write("\n".join(script) + "\n")
        host.run("ip", "-batch", batch)

    def mac(self, side):
        return self._mac[side]

    def expires(self, proto, port):
        text = self.lab.host.run("cat", "/proc/net/nf_conntrack").stdout
        line, = [s for s in text.splitlines() if proto in s.split()[:3]
                 and re.search(r"^[^=]*src=\S+ dst=\S+ (sport|type=8 code=0 id)"
                               r"=%d " % port, s)]
        return int(line.split()[4])


class CloudBox(Box):
    """A whole weftd: what its controller makes of intents."""
    GUESTS = {A: "a", B: "b", C: "c"}
    pooled = []
    expires, account = WeftBox.expires, WeftBox.account

    def plug(self):
        for name in self.GUESTS.values():
            self.lab.netns(name)

    def start(self):
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write("version: 1\nuplinks: {wan: {%s}}\n" % self.UPLINK)
            f.write("networks: {blue: {subnet: 10.0.0.0/24, nat: wan}}\n")
            f.write("ports:\n")
            for address, name in self.GUESTS.items():
                f.write("  %s: {network: blue, netns: %s, address: %s}\n"
                        % (name, name, address))
        self.lab.start_daemon()
        self.lab.weft("apply", path)
        eventually(self._is_in_force, "the intents are in force")

    def _is_in_force(self):
        shown = self.lab.weft("controller", "show")
        return shown["synced"] and not shown["ports_missing"]

    def open(self):
        self.nics = {name: self.lab.netns(name).nic("eth0")
                     for name in self.GUESTS.values()}
        self.nics["outside"] = self.outside()
        self._mac = {"inside": self._ask("c", C, "10.0.0.1"),
                     "outside": self._ask("outside", self.NEXT, self.E)}

    def outside(self):
        raise NotImplementedError

    def _ask(self, nic, own, address):
        nic = self.nics[nic]
        nic.send(Ether(src=nic.mac, dst="ff:ff:ff:ff:ff:ff")
                 / ARP(hwsrc=nic.mac, psrc=own, pdst=address))
        return nic.expect(lambda f: ARP in f and f[ARP].op == 2
                          and f[ARP].psrc == address)[ARP].hwsrc

    def nic(self, side, address):
        return self.nics["outside" if side == "outside"
                         else self.GUESTS[address]]

    def mac(self, side):
        return self._mac[side]

    def drained(self, side):
        return [f for a in (A, B) for f in self.nic(side, a).drain()]

    def stop(self):
        path = os.path.join(self.lab.dir, "empty.yaml")
        with open(path, "w") as f:
            f.write("version: 1\n")
        self.lab.weft("apply", path)
        eventually(lambda: not set(self.lab.host.links())
                   - {"outside", "lo"}, "the devices are gone")


class UplinkBox(CloudBox):
    title = "Weft, uplink with an `address`"
    UPLINK = "device: outside, address: %s/24, gateway: %s" % (E, GATEWAY)
    NEXT = GATEWAY

    def plug(self):
        super().plug()
        # Who answers for the gateway's address.
        self.lab.veth("outside", "g-outside", addr=GATEWAY + "/24")

    def outside(self):
        return self.lab.netns("g-outside").nic("eth0")


class HostBox(CloudBox):
    """At the transfer address: what the host makes of it is not asked, and it
    hears nothing of what is."""
    title = "Weft, transfer address"
    UPLINK = "host: true, transfer: 169.254.7.0/30"
    NEXT, E = "169.254.7.1", "169.254.7.2"
    hairpins = False              # nobody has been told that address

    def outside(self):
        self.lab.host.run("nft", "add table netdev deaf; add chain netdev "
                          "deaf in { type filter hook ingress device "
                          "weft-wan priority 0; policy drop; }")
        return self.lab.host.nic("weft-wan")


BOXES = {"weft": WeftBox, "uplink": UplinkBox, "host": HostBox, "nft": NftBox,
         "ovs": OvsBox}
