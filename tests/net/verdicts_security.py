"""What security groups promise (weft-intent(5)), for verdicts.py: who may open a
connection to whom, and what belongs to one that was opened."""

import ipaddress

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58, "sctp": 132}
ECHO = {8: "asks", 0: "answers", 128: "asks", 129: "answers"}
# Neighbour discovery, MLD.
LINK_TYPES = {130, 131, 132, 133, 134, 135, 136, 137, 143}


class Packet:
    """What of a frame matters here."""

    def __init__(self, frame):
        ip = frame.getlayer(IP) or frame.getlayer(IPv6)
        self.version = 4 if frame.haslayer(IP) else 6
        self.source = ipaddress.ip_address(ip.src)
        self.target = ipaddress.ip_address(ip.dst)
        self.protocol = ip.proto if self.version == 4 else ip.nh
        self.is_for_many = bool(int(frame.dst[:2], 16) & 1)
        self.sport = self.dport = self.type = self.code = None
        self.is_answer = False
        for layer in (TCP, UDP):
            if ip.haslayer(layer):
                self.sport, self.dport = ip[layer].sport, ip[layer].dport
        if ip.haslayer(TCP):
            self.is_answer = bool(ip[TCP].flags.S and ip[TCP].flags.A)
        echo = ip.getlayer(ICMPv6EchoRequest) or ip.getlayer(ICMPv6EchoReply)
        if self.protocol == 1 and ip.haslayer(ICMP):
            echo = ip[ICMP]
        if self.protocol in (1, 58):
            data = bytes(ip.payload)
            self.type, self.code = data[0], data[1]
            self.is_answer = ECHO.get(self.type) != "asks"
            self.sport = self.dport = echo.id if echo else None

    def key(self):
        kind = ECHO.get(self.type)
        return (self.protocol, self.source, self.sport, self.target,
                self.dport, kind)

    def reverse(self):
        kind = {"asks": "answers", "answers": "asks"}.get(ECHO.get(self.type))
        return (self.protocol, self.target, self.dport, self.source,
                self.sport, kind)

    def is_exempt(self, is_in):
        if self.protocol == 2 or self.protocol == 58 \
                and self.type in LINK_TYPES:
            return True
        ports = (self.sport, self.dport)
        return not is_in and ports in ((68, 67), (546, 547))


class Security:
    """`model`: verdict_model.Model."""

    def __init__(self, model, intents):
        self.model = model
        self.groups = intents.get("security-groups", {})
        self.known = {name: set() for name in intents["ports"]}

    def of(self, name):
        return [self.groups[g] for g in
                self.model.ports[name].get("security-groups", [])]

    def _is_member(self, group, address, network):
        return any(group in self.model.ports[p].get("security-groups", [])
                   and any(own and own.num_addresses == 1 and address in own
                           for own in self.model.own_addresses(p, n))
                   for n in self.model.joined(network)
                   for p in self.model.members(n))

    def _matches(self, rule, packet, other, network):
        protocol = rule.get("protocol", "any")
        if protocol != "any" \
                and PROTOCOLS.get(protocol, protocol) != packet.protocol:
            return False
        if "port" in rule:
            first, _, last = str(rule["port"]).partition("-")
            if not int(first) <= packet.dport <= int(last or first):
                return False
        if "type" in rule and rule["type"] != packet.type:
            return False
        peer = rule.get("from", rule.get("to"))
        if peer in self.groups:
            return self._is_member(peer, other, network)
        return peer is None or other in ipaddress.ip_network(peer)

    def passes(self, name, network, frame, is_in):
        """Does what `name` sends (or is to hear) pass?  What does is known of
        from then on."""
        groups = self.of(name)
        if not groups or not (frame.haslayer(IP) or frame.haslayer(IPv6)):
            return True
        packet = Packet(frame)
        way = "in" if is_in else "out"
        is_limited = is_in or any("out" in g for g in groups)
        other = packet.source if is_in else packet.target
        if packet.is_exempt(is_in):
            return True
        if packet.is_for_many and not is_limited:
            return True
        if not packet.is_for_many and packet.key() in self.known[name]:
            return True
        if packet.is_answer and not packet.is_for_many:
            return False
        if is_limited and not any(
                self._matches(rule, packet, other, network)
                for g in groups for rule in g.get(way, [])):
            return False
        if not packet.is_for_many:
            self.known[name] |= {packet.key(), packet.reverse()}
        return True


GROUPS = {
    "keep": {"in": [
        {"protocol": "tcp", "port": 443},
        {"protocol": "udp", "port": "9000-9010", "from": "10.30.0.0/24"},
        {"protocol": "udp", "port": 5353, "from": "pool"},
        {"protocol": "icmp", "type": 8, "from": "pool"},
        {"protocol": "tcp", "port": 80, "from": "10.1.0.0/24"},
        {"protocol": "icmp6", "type": 128, "from": "fe80::/10"},
        {"protocol": "udp", "port": 4444, "from": "10.30.0.40"}]},
    "pool": {"in": [{"from": "keep"}]},
    "open": {"in": [{"protocol": "any"}], "out": [{"protocol": "any"}]},
    "shut": {"in": [{"protocol": "any"}],
             "out": [{"protocol": "tcp", "port": 443, "to": "keep"},
                     {"protocol": "udp", "port": 53, "to": "10.30.0.40"}]},
}

NETWORK = {"subnet": "10.30.0.0/24", "subnet6": "fd00:30::/64",
           "multicast": "flood"}

MEMBERS = {
    "keep": {"network": "guard", "address": "10.30.0.10",
             "security-groups": ["keep"]},
    "pool": {"network": "guard", "address": "10.30.0.20",
             "security-groups": ["pool"]},
    "shut": {"network": "guard", "address": "10.30.0.30",
             "security-groups": ["shut"]},
    "idle": {"network": "guard", "address": "10.30.0.40"},
}

# Who asks whom what.  Answers come when all was asked.
ASKED = [
    (sender, target, kind, number)
    for sender in ("keep", "pool", "shut", "idle", "db")
    for target in ("keep", "pool", "shut", "idle")
    for kind, number in (("tcp", 443), ("tcp", 444), ("tcp", 80),
                         ("udp", 9000), ("udp", 9011), ("udp", 5353),
                         ("udp", 53), ("icmp", 8))
    if sender != target]


def packet(kind, number, is_back, port):
    if kind == "icmp":
        return ICMP(type=0 if is_back else 8, id=port)
    ports = {"sport": number if is_back else port,
             "dport": port if is_back else number}
    if kind == "udp":
        return UDP(**ports)
    return TCP(flags="SA", seq=5000, ack=1, **ports) if is_back \
        else TCP(flags="S", **ports)


def security(table, mac_of, address_of):
    """Each question, and then each answer: to who may ask, it comes back."""
    ports = table.model.ports

    def send(sender, target, about, payload):
        near = ports[sender]["network"] == ports[target]["network"]
        to = mac_of(target) if near \
            else table.gateways[ports[sender]["network"]]
        table.ip(sender, about, to,
                 IP(src=address_of(sender), dst=address_of(target)) / payload)

    for i, (a, b, kind, number) in enumerate(ASKED):
        send(a, b, "asks %s for %s/%d" % (b, kind, number),
             packet(kind, number, False, 30000 + i))
    table.phase += 1
    for i, (a, b, kind, number) in enumerate(ASKED):
        send(b, a, "answers %s of %s/%d" % (a, kind, number),
             packet(kind, number, True, 30000 + i))
    table.phase += 1
    for i, (a, b, kind, number) in enumerate(ASKED):
        if kind == "udp":
            send(a, b, "asks %s again for %s/%d" % (b, kind, number),
                 packet(kind, number, False, 30000 + i))
