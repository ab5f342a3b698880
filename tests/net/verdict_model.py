"""Who hears what: an independent model of networks.

`Model` says from a set of intents alone who has to hear a frame, and who does
not: it knows what weft-intent(5) promises, and nothing of stages or flow
entries.  verdicts.py makes frames to be judged."""

import ipaddress
from collections import namedtuple

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether

import verdicts_security

EXPERIMENTAL = 0x88b5
BROADCAST = "ff:ff:ff:ff:ff:ff"
NESTED = "02:00:00:00:0a:02"
STATION = "02:00:00:00:bb:01"         # on the LAN
STATION_IP = "192.168.0.9"
LAN = "lan0"
OUT = "out0"                          # beyond the uplink with an address
OUT_MAC, OUT_IP = "02:00:00:00:bb:02", "203.0.113.9"
EXTERNAL = "203.0.113.5"
EVERYBODY = ipaddress.ip_network("0.0.0.0/0")


def mac(number):
    return "02:00:00:00:00:%02x" % number


# `device` ports, so that one file does for every switch.
INTENTS = {
    "version": 1,
    "uplinks": {"lan": {"device": LAN},
                "out": {"device": OUT, "address": EXTERNAL + "/24",
                        "gateway": OUT_IP, "take-over": False}},
    "networks": {
        "blue": {"subnet": "10.1.0.0/24", "subnet6": "fd00:1::/64",
                 "multicast": "flood"},
        "red": {"subnet": "10.1.0.0/24"},
        "green": {"subnet": "10.3.0.0/24"},
        "six": {"subnet6": "fd00:6::/64"},
        "loose": {"subnet": "10.9.0.0/24"},
        "bare": {"subnet": "10.5.0.0/24", "gateway": "none", "dhcp": "off"},
        "east": {"segment": {"vlan": 20, "uplink": "lan"}},
        "west": {"segment": {"vlan": 30, "uplink": "lan"}},
        "plan": {"subnet": "10.4.0.0/24",
                 "segment": {"vlan": 40, "uplink": "lan"}},
        "flat": {"segment": {"vlan": 0, "uplink": "lan"}},
        "thin": {"subnet": "10.7.0.0/24", "subnet6": "fd00:7::/64",
                 "mtu": 1300},
        "cafe": {"subnet": "10.6.0.0/24", "nat": "out"},
        "pub": {"subnet": "10.8.0.0/24", "nat": "out"},
        "guard": verdicts_security.NETWORK,
    },
    "forwards": {
        "https": {"listen": "443/tcp", "to": "cafe1:8443"},
        "range": {"listen": EXTERNAL + ":7000-7009/udp", "to": "cafe2"},
        "names": {"listen": "203.0.113.8:53/udp", "to": "pub1"},
        "float": {"listen": "203.0.113.7", "to": "pub1"},
    },
    "security-groups": verdicts_security.GROUPS,
    "routers": {
        "r1": {"networks": ["blue", "green", "plan", "six", "thin",
                            "guard"],
               "routes": [
                   {"to": "10.20.0.0/16", "via": "10.1.0.20"},
                   {"to": "10.20.9.0/24", "via": "10.3.0.20"},
                   {"to": "10.21.0.0/16", "via": "10.3.0.99"},
                   {"to": "fd00:20::/32", "via": "fd00:1::9"}]},
        "r2": {"networks": ["red", "loose"]},
    },
    "ports": {
        "web": {"network": "blue", "address": "10.1.0.10"},
        "db": {"network": "blue", "address": "10.1.0.20",
               "allow": [{"mac": NESTED, "address": "10.1.0.21"},
                         "10.1.0.64/28", "fd00:1:0:0:64::/80"]},
        "iso": {"network": "blue", "address": "10.1.0.30", "isolated": True},
        "alone": {"network": "blue", "address": "10.1.0.31",
                  "isolated": True},
        "twin": {"network": "red", "address": "10.1.0.20"},
        "pal": {"network": "red", "address": "10.1.0.10"},
        "fw": {"trunk": {100: "blue", 101: "red"}, "allow": ["10.1.0.200"]},
        "tree": {"network": "green", "address": "10.3.0.10"},
        "leaf": {"network": "green", "address": "10.3.0.20",
                 "allow": ["172.16.5.0/24"]},
        "six1": {"network": "six"},
        "six2": {"network": "six"},
        "odd": {"network": "loose", "address": "10.9.0.10",
                "anti-spoof": False},
        "calm": {"network": "loose", "address": "10.9.0.20"},
        "bare1": {"network": "bare", "address": "10.5.0.10"},
        "bare2": {"network": "bare", "address": "10.5.0.20"},
        "far": {"network": "east"},
        "far2": {"network": "east"},
        "near": {"network": "west"},
        "plan1": {"network": "plan", "address": "10.4.0.10"},
        "flat1": {"network": "flat"},
        "thin1": {"network": "thin", "address": "10.7.0.10",
                  "address6": "fd00:7::10"},
        "hop": {"network": "blue", "address": "10.1.0.9",
                "address6": "fd00:1::9", "allow": ["fd00:20::/32"]},
        "cafe1": {"network": "cafe", "address": "10.6.0.10",
                  "security-groups": ["open"]},
        "cafe2": {"network": "cafe", "address": "10.6.0.20"},
        "pub1": {"network": "pub", "address": "10.8.0.10"},
        **verdicts_security.MEMBERS,
    },
}
for _number, (_name, _port) in enumerate(INTENTS["ports"].items(), 1):
    _port.update(device=_name, mac=mac(_number))

PORTS = INTENTS["ports"]
NETWORKS = INTENTS["networks"]
SENDERS = list(PORTS) + [LAN, OUT]

# `heard`: {name: the tag's VLAN, 0: none}; `reason`: why nobody else does.
Verdict = namedtuple("Verdict", "heard reason")
Row = namedtuple("Row", "number sender about frame wire verdict phase")


def eui64(prefix, address):
    b = bytes.fromhex(address.replace(":", ""))
    low = bytes([b[0] ^ 2]) + b[1:3] + b"\xff\xfe" + b[3:]
    high = ipaddress.ip_network(prefix).network_address.packed[:8]
    return str(ipaddress.ip_address(high + low))


def link_local(address):
    return eui64("fe80::/64", address)


def is_group(address):
    return bool(int(address[:2], 16) & 1)


class Dropped(Exception):
    pass


class Model:
    """`gateways`: {network: the gateway's MAC}, the only thing that the intents
    do not say."""

    def __init__(self, intents, gateways):
        self.networks = intents["networks"]
        self.ports = intents["ports"]
        self.gateways = gateways
        self.routers = intents["routers"]
        self.security = verdicts_security.Security(self, intents)
        self.forwards = [self._read_forward(f)
                         for f in intents["forwards"].values()]

    @staticmethod
    def _read_forward(forward):
        """(address, protocol, first port, last, target); a floating address has
        no protocol."""
        listen, _, protocol = forward["listen"].partition("/")
        address, _, ports = listen.rpartition(":")
        target = forward["to"].split(":")[0]
        if not protocol:
            return listen, None, 0, 0, target
        first, _, last = ports.partition("-")
        return (address or EXTERNAL, protocol, int(first), int(last or first),
                target)

    # --- What is planned ---

    def router_of(self, network):
        for router in self.routers.values():
            if network in router["networks"]:
                return router
        return None

    def joined(self, network):
        """The networks that a router joins with this one, itself included."""
        router = self.router_of(network)
        return router["networks"] if router else [network]

    def has_gateway(self, network, version):
        return bool(self.gateway(network) if version == 4
                    else self.gateways6(network))

    def subnet(self, network, version):
        net = self.networks[network].get("subnet" if version == 4
                                         else "subnet6")
        return net and ipaddress.ip_network(net)

    def networks_of(self, name):
        """[(network, vid)] that a port is in."""
        port = self.ports[name]
        plain = [(port["network"], 0)] if "network" in port else []
        return plain + [(n, vid) for vid, n in port.get("trunk", {}).items()]

    def members(self, network):
        """{port: vid}"""
        return {name: vid for name in self.ports
                for n, vid in self.networks_of(name) if n == network}

    def has_lan(self, network):
        return "segment" in self.networks[network]

    def lan_vid(self, network):
        return self.networks[network]["segment"]["vlan"]

    def gateway(self, network):
        """Its IPv4 address, or None."""
        n = self.networks[network]
        if n.get("gateway") == "none" or "subnet" not in n:
            return None
        return str(ipaddress.ip_network(n["subnet"])[1])

    def gateways6(self, network):
        n = self.networks[network]
        if n.get("gateway") == "none" or "subnet6" not in n:
            return []
        return [str(ipaddress.ip_network(n["subnet6"])[1]),
                link_local(self.gateways[network])]

    def allowed(self, name):
        """[(MAC, subnet or None)] that may send by the port, beside its own."""
        port = self.ports[name]
        for item in port.get("allow", []):
            item = item if isinstance(item, dict) else {"address": item}
            yield item.get("mac", port["mac"]), \
                ipaddress.ip_network(item["address"]) \
                if "address" in item else None

    def own_addresses(self, name, network):
        port = self.ports[name]
        n = self.networks[network]
        if port.get("network") == network and "address" in port:
            yield ipaddress.ip_network(port["address"])
        elif "subnet" not in n:
            yield EVERYBODY if self.has_lan(network) else None
        if port.get("network") == network and "address6" in port:
            yield ipaddress.ip_network(port["address6"])
        elif "subnet6" in n:
            yield ipaddress.ip_network(eui64(n["subnet6"], port["mac"]))
        elif self.has_lan(network):
            yield ipaddress.ip_network("::/0")
        yield ipaddress.ip_network(link_local(port["mac"]))

    def macs(self, name):
        return {self.ports[name]["mac"]} | {m for m, _ in self.allowed(name)}

    def may_use(self, name, network, source, address):
        """May the port say, with this MAC, that it has the address?"""
        address = ipaddress.ip_address(address)
        pairs = [(self.ports[name]["mac"], own)
                 for own in self.own_addresses(name, network) if own]
        return any(m == source and net and net.version == address.version
                   and address in net
                   for m, net in pairs + list(self.allowed(name)))

    def owner(self, network, address):
        """Whose planned address it is."""
        address = ipaddress.ip_address(address)
        for name in self.members(network):
            for own in self.own_addresses(name, network):
                if own and own.prefixlen == own.max_prefixlen \
                        and address in own:
                    return name
        return None

    def nested_behind(self, network, address):
        address = ipaddress.ip_address(address)
        for name in self.members(network):
            for _, net in self.allowed(name):
                if net and net.version == address.version and address in net:
                    return name
        return None

    # --- Who hears it ---

    def judge(self, sender, frame):
        try:
            return self._judge(sender, frame)
        except Dropped as e:
            return Verdict({}, str(e))

    def _judge(self, sender, frame):
        if sender == OUT:
            return self._from_outside(frame)
        network, frame = self._enter(sender, frame)
        self._guard(sender, network, frame)
        if sender != LAN:
            answer = self._served(sender, network, frame)
            if answer:
                return answer
        answer = self._asked(sender, network, frame)
        if answer:
            return answer
        self._leave(sender, network, frame)
        if self._is_to_gateway(network, frame):
            return self._routed(sender, network, frame)
        verdict = self._group(sender, network, frame) \
            if is_group(frame.dst) else self._station(sender, network, frame)
        return self._hear(network, frame, verdict)

    def _enter(self, sender, frame):
        if frame.dst.startswith("01:80:c2:00:00:0"):
            raise Dropped("bridges do not forward it")
        tag = frame.getlayer(Dot1Q)
        vid = tag.vlan if tag else 0
        if tag:
            frame = Ether(src=frame.src, dst=frame.dst, type=tag.type) \
                / tag.payload
        if sender == LAN:
            for name in self.networks:
                if self.has_lan(name) and self.lan_vid(name) == vid:
                    return name, frame
            raise Dropped("no network has the tag")
        for name, own in self.networks_of(sender):
            if own == vid:
                self._source(sender, name, frame)
                return name, frame
        raise Dropped("no network takes what it sends")

    def _source(self, sender, network, frame):
        if self.ports[sender].get("anti-spoof") is False:
            return
        if frame.src not in self.macs(sender):
            raise Dropped("not its MAC")

        def check(address):
            if not self.may_use(sender, network, frame.src, address):
                raise Dropped("not its address")
        if frame.haslayer(ARP):
            arp = frame[ARP]
            if arp.hwsrc != frame.src:
                raise Dropped("not its MAC in ARP")
            if not (arp.op == 1 and arp.psrc == "0.0.0.0"):
                check(arp.psrc)
        elif frame.haslayer(IP):
            if frame[IP].src == "0.0.0.0" and frame.haslayer(UDP) \
                    and (frame[UDP].sport, frame[UDP].dport) == (68, 67):
                return
            check(frame[IP].src)
        elif frame.haslayer(IPv6):
            self._source6(sender, network, frame, check)

    def _source6(self, sender, network, frame, check):
        asks = frame.haslayer(ICMPv6ND_NS) or frame.haslayer(ICMPv6ND_RS)
        if not (frame[IPv6].src == "::" and asks):
            check(frame[IPv6].src)
        if frame.haslayer(ICMPv6ND_NS):
            own = frame.getlayer(ICMPv6NDOptSrcLLAddr)
            if own and own.lladdr != frame.src:
                raise Dropped("not its MAC in ND")
        if frame.haslayer(ICMPv6ND_NA):
            own = frame.getlayer(ICMPv6NDOptDstLLAddr)
            if own and own.lladdr != frame.src:
                raise Dropped("not its MAC in ND")
            check(frame[ICMPv6ND_NA].tgt)

    def _guard(self, sender, network, frame):
        if sender == LAN:
            if frame.src in {self.ports[p]["mac"]
                             for p in self.members(network)}:
                raise Dropped("it came round a loop")
            return
        if frame.src == self.gateways.get(network):
            raise Dropped("it is not the gateway")
        n = self.networks[network]
        ports = frame.haslayer(UDP) and (frame[UDP].sport, frame[UDP].dport)
        serves4 = "subnet" in n and n.get("dhcp") != "off"
        if ports == (67, 68) and frame.haslayer(IP) \
                and (serves4 or self.has_lan(network)):
            raise Dropped("it is no DHCP server")
        if "subnet6" in n or self.has_lan(network):
            if ports == (547, 546) and frame.haslayer(IPv6) \
                    or frame.haslayer(ICMPv6ND_RA) \
                    or frame.haslayer(ICMPv6ND_Redirect):
                raise Dropped("it is no router")

    def _served(self, sender, network, frame):
        """What a service of ours answers; to the sender, by its own tag."""
        n = self.networks[network]
        back = Verdict({sender: self.members(network)[sender]}, "answered")
        port = frame[UDP].dport if frame.haslayer(UDP) else 0
        if frame.haslayer(IP):
            to = frame[IP].dst
            if port == 53 and to in map(self.gateway, self.joined(network)):
                return back
            if port == 67 and "subnet" in n and n.get("dhcp") != "off" \
                    and to in ("255.255.255.255", self.gateway(network)):
                return back
        if frame.haslayer(IPv6) and "subnet6" in n:
            if port == 547 or frame.haslayer(ICMPv6ND_RS):
                return back
        return None

    def _asked(self, sender, network, frame):
        """Questions for addresses."""
        if frame.haslayer(ARP) and frame[ARP].op == 1:
            target, answers = frame[ARP].pdst, True
        elif frame.haslayer(ICMPv6ND_NS):
            target, answers = frame[ICMPv6ND_NS].tgt, False
        else:
            return None
        vid = 0 if sender == LAN else self.members(network)[sender]
        if (sender != LAN or self.router_of(network)) \
                and (target == self.gateway(network)
                     or target in self.gateways6(network)):
            vid = self.lan_vid(network) if sender == LAN else vid
            return Verdict({sender: vid}, "answered")
        owner = self.owner(network, target)
        if owner == sender:
            if not self.has_lan(network):
                raise Dropped("it has the address itself")
            return self._unplanned(sender, network)
        if owner and answers:
            return Verdict({sender: self.lan_vid(network) if sender == LAN
                            else vid}, "answered")
        behind = owner or self.nested_behind(network, target)
        if behind:
            return self._to(sender, network, behind)
        if is_group(frame.dst):
            return self._unplanned(sender, network)
        return None

    def _unplanned(self, sender, network):
        """Those who may have an address that nobody planned."""
        heard = {name: vid for name, vid in self.members(network).items()
                 if self.ports[name].get("anti-spoof") is False
                 or "address" not in self.ports[name]
                 and ("subnet" not in self.networks[network])}
        return self._flood(sender, network, heard)

    def _leave(self, sender, network, frame):
        if sender == LAN:
            return
        pings = frame.haslayer(ICMPv6EchoRequest) \
            or (frame.haslayer(ICMP) and frame[ICMP].type == 8)
        own = [self.gateway(network)] + self.gateways6(network)
        ip = frame.getlayer(IP) or frame.getlayer(IPv6)
        if ip and pings and ip.dst in own:
            return
        if not self.security.passes(sender, network, frame, False):
            raise Dropped("no rule of its security groups lets it out")

    def _hear(self, network, frame, verdict):
        """Who of them may, by their security groups."""
        heard = {name: vid for name, vid in verdict.heard.items()
                 if name not in self.ports
                 or self.security.passes(name, network, frame, True)}
        return Verdict(heard, verdict.reason if heard or not verdict.heard
                       else "no rule of its security groups lets it in")

    def _is_to_gateway(self, network, frame):
        return frame.dst == self.gateways.get(network)

    def _routed(self, sender, network, frame):
        ip = frame.getlayer(IP) or frame.getlayer(IPv6)
        if not ip:
            raise Dropped("it is no IP")
        to = ipaddress.ip_address(ip.dst)
        vid = self.lan_vid(network) if sender == LAN \
            else self.members(network)[sender]
        own = self._own_gateways(network, to.version)
        if str(to) in own:
            pings = frame.haslayer(ICMPv6EchoRequest) \
                or (frame.haslayer(ICMP) and frame[ICMP].type == 8)
            if pings:
                return Verdict({sender: vid}, "answered")
            if frame.haslayer(UDP):
                return Verdict({sender: vid}, "told closed")
            raise Dropped("the gateway does not serve that")
        if to.is_multicast or str(to) == "255.255.255.255" \
                or to.is_link_local and to.version == 6:
            raise Dropped("it stays on the link")
        if sender == LAN and any(
                self.subnet(n, to.version)
                and ipaddress.ip_address(ip.src) in self.subnet(n, to.version)
                for n in self.joined(network) if n != network):
            raise Dropped("a LAN does not speak for other networks")
        if (ip.ttl if to.version == 4 else ip.hlim) < 2:
            return Verdict({sender: vid}, "told expired")
        route = self._route(network, to)
        if not route and self._leads_out(network, to):
            return self._translated(sender, vid, frame)
        if not route:
            return Verdict({sender: vid}, "told no-route")
        return self._forward(sender, network, frame, *route)

    # --- By NAT ---

    def _leads_out(self, network, to):
        return "nat" in self.networks[network] and to.version == 4 \
            and not to.is_link_local

    def _externals(self):
        return {EXTERNAL} | {forward[0] for forward in self.forwards}

    def _translated(self, sender, vid, frame):
        if frame[IP].dst in self._externals():
            return self._to_external(sender, vid, frame)
        return Verdict({OUT: 0}, "")

    def _from_outside(self, frame):
        if frame.haslayer(Dot1Q):
            raise Dropped("the uplink's address has no tag")
        if frame.haslayer(ARP):
            if frame[ARP].op == 1 and frame[ARP].pdst in self._externals():
                return Verdict({OUT: 0}, "answered")
            raise Dropped("not our address")
        if frame.dst != self.gateways["out"] or not frame.haslayer(IP) \
                or frame[IP].dst not in self._externals():
            raise Dropped("not for us")
        return self._to_external(OUT, 0, frame)

    def _to_external(self, sender, vid, frame):
        """To an outside address, from outside or inside."""
        to, kind = frame[IP].dst, None
        if to == EXTERNAL and frame.haslayer(ICMP) and frame[ICMP].type == 8:
            return Verdict({sender: vid}, "answered")
        for layer, name in ((TCP, "tcp"), (UDP, "udp")):
            if frame.haslayer(layer):
                kind = (name, frame[layer].dport)
        for floats in (False, True):
            for address, protocol, first, last, target in self.forwards:
                if address == to and (
                        not protocol if floats else kind
                        and kind[0] == protocol
                        and first <= kind[1] <= last):
                    return Verdict({target: 0}, "")
        raise Dropped("closed from outside")

    def _own_gateways(self, network, version):
        if version == 4:
            return {self.gateway(n) for n in self.joined(network)}
        return set(self.gateways6(network)) | {
            self.gateways6(n)[0] for n in self.joined(network)
            if self.gateways6(n)}

    def _route(self, network, to):
        """(the network that it goes into, the next hop's address)"""
        found = []
        if not self.has_gateway(network, to.version):
            return None
        for name in self.joined(network):
            if not self.has_gateway(name, to.version):
                continue
            subnet = self.subnet(name, to.version)
            if to in subnet:
                found.append((subnet.prefixlen, 3, name, to))
            for member in self.members(name):
                for _, net in self.allowed(member):
                    if net and net.version == to.version and to in net \
                            and not net.subnet_of(subnet):
                        found.append((net.prefixlen, 1, name, to))
        for route in (self.router_of(network) or {}).get("routes", []):
            net = ipaddress.ip_network(route["to"])
            via = ipaddress.ip_address(route["via"])
            if net.version == to.version and to in net:
                name = next(n for n in self.joined(network)
                            if self.subnet(n, to.version)
                            and via in self.subnet(n, to.version))
                found.append((net.prefixlen, 2, name, via))
        return max(found, key=lambda f: f[:2])[2:] if found else None

    def _forward(self, sender, network, frame, into, hop):
        vid = self.lan_vid(network) if sender == LAN \
            else self.members(network)[sender]
        mtu = self.networks[into].get("mtu", 1500)
        is_cut = frame.haslayer(IP) and not frame[IP].flags.DF
        if len(frame) - 14 > mtu and not is_cut \
                and mtu < self.networks[network].get("mtu", 1500):
            return Verdict({sender: vid}, "told too-big")
        subnet = self.subnet(into, hop.version)
        if hop.version == 4 and hop in (subnet[0], subnet[-1]):
            raise Dropped("nobody broadcasts elsewhere")
        name = self.owner(into, hop) or self.nested_behind(into, hop)
        if not name:
            return Verdict({sender: vid}, "told no-answer")
        if into == network and sender != LAN \
                and self.ports[sender].get("isolated") \
                and self.ports[name].get("isolated"):
            raise Dropped("both are isolated")
        return self._hear(into, frame,
                          Verdict({name: self.members(into)[name]}, ""))

    def _group(self, sender, network, frame):
        """Groups of the link, or of a network that does not snoop.  Who asked
        for other groups, and when, no intent says: test_multicast.py."""
        return self._flood(sender, network, self.members(network))

    def _flood(self, sender, network, heard):
        alone = sender != LAN and self.ports[sender].get("isolated")
        heard = {name: vid for name, vid in heard.items()
                 if name != sender
                 and not (alone and self.ports[name].get("isolated"))}
        if self.has_lan(network) and sender != LAN:
            heard[LAN] = self.lan_vid(network)
        return Verdict(heard, "")

    def _to(self, sender, network, name):
        if name == sender:
            raise Dropped("it is behind the port that sent it")
        if sender != LAN and self.ports[sender].get("isolated") \
                and self.ports[name].get("isolated"):
            raise Dropped("both are isolated")
        return Verdict({name: self.members(network)[name]}, "")

    def _station(self, sender, network, frame):
        for name in self.members(network):
            if frame.dst in self.macs(name):
                return self._to(sender, network, name)
        heard = {name: vid for name, vid in self.members(network).items()
                 if self.ports[name].get("anti-spoof") is False}
        verdict = self._flood(sender, network, heard)
        return verdict if verdict.heard else Verdict({}, "nobody has it")
