"""Changes, a barrier, a packet: it meets the new tables, at once.

      1       2       3       4        taps, forwarding threads between them
    ---+-------+-------+-------+---  br0

Thousands of times something changes at random; when the barrier is answered a
frame is sent, and leaves by the port that the changed tables say, or by none.
Stations are few, so that nearly every frame finds a cached answer that the
change made wrong.  Behind the frame goes a marker to all: what a port got
before the marker is all it got."""

import random

import pytest
from scapy.layers.l2 import Ether

from osken import Session

PORTS = (1, 2, 3, 4)
STATIONS = ["02:00:00:00:01:%02x" % n for n in range(6)]
GROUPS = (1, 2)
NOWHERE = 0
MARKER_TYPE = 0x88b6


class Tables:
    """What was asked for: a few entries, in Python and as messages."""

    def __init__(self, of, rng):
        self.of, self.rng = of, rng
        self.first = {}                 # {station: ("port" | "group" | "goto",
        self.second = {}                #            number)}
        self.otherwise = NOWHERE        # What the lowest entry does.
        self.groups = {number: 1 for number in GROUPS}

    def begin(self):
        of = self.of
        marker = of.apply(of.output(of.ofp.OFPP_ALL))
        return [of.group_mod(n, of.ofp.OFPGT_INDIRECT, [[of.output(1)]])
                for n in GROUPS] + [
            of.flow_mod(of.match(eth_type=MARKER_TYPE), marker,
                        priority=65535),
            of.flow_mod(of.match(), priority=0)]

    def verdict(self, station, in_port):
        kind, number = self.first.get(station, ("port", self.otherwise))
        if kind == "goto":
            number = self.second.get(station, NOWHERE)
        elif kind == "group":
            number = self.groups[number]
        return NOWHERE if number == in_port else number

    def change(self):
        return getattr(self, "change_" + self.rng.choice((
            "first", "first", "first", "second", "group", "otherwise",
            "all")))()

    def change_first(self):
        of, rng, station = self.of, self.rng, self.rng.choice(STATIONS)
        match = of.match(eth_dst=station)
        if station in self.first and rng.random() < 0.3:
            del self.first[station]
            return of.flow_mod(match, command=of.ofp.OFPFC_DELETE_STRICT,
                               priority=9)
        command = of.ofp.OFPFC_MODIFY_STRICT if station in self.first \
            and rng.random() < 0.5 else of.ofp.OFPFC_ADD
        kind = rng.choice(("port", "port", "group", "goto"))
        if kind == "port":
            number = rng.choice(PORTS + (NOWHERE,))
            does = [of.apply(of.output(number))] if number else []
        elif kind == "group":
            number = rng.choice(GROUPS)
            does = [of.apply(of.parser.OFPActionGroup(number))]
        else:
            number, does = 1, [of.goto(1)]
        self.first[station] = kind, number
        return of.flow_mod(match, *does, command=command, priority=9)

    def change_second(self):
        of, station = self.of, self.rng.choice(STATIONS)
        number = self.second[station] = self.rng.choice(PORTS)
        return of.flow_mod(of.match(eth_dst=station),
                           of.write(of.output(number)), table_id=1)

    def change_group(self):
        of, group = self.of, self.rng.choice(GROUPS)
        number = self.groups[group] = self.rng.choice(PORTS)
        return of.group_mod(group, of.ofp.OFPGT_INDIRECT,
                            [[of.output(number)]], of.ofp.OFPGC_MODIFY)

    def change_otherwise(self):
        of = self.of
        number = self.otherwise = self.rng.choice(PORTS + (NOWHERE,))
        return of.flow_mod(of.match(), *[of.apply(of.output(number))]
                           if number else [], priority=0)

    def change_all(self):
        """Many entries at once: all stations', strictly by their match."""
        of = self.of
        number = self.rng.choice(PORTS)
        for station in self.first:
            self.first[station] = "port", number
        return of.flow_mod(of.match(eth_dst=("02:00:00:00:01:00",
                                             "ff:ff:ff:ff:ff:00")),
                           of.apply(of.output(number)),
                           command=of.ofp.OFPFC_MODIFY)


class Wires:
    def __init__(self, lab):
        self.socks = {number: lab.host.nic("b%d" % number)._sock
                      for number in PORTS}
        self.n = 0

    def send(self, station, in_port):
        """Where the frame came out."""
        self.n += 1
        count = self.n.to_bytes(46, "big")
        frame = bytes(Ether(src="02:00:00:00:02:%02x" % in_port, dst=station,
                            type=0x88b5)) + count
        marker = bytes(Ether(src="02:00:00:00:02:%02x" % in_port,
                             dst="02:00:00:00:03:01",
                             type=MARKER_TYPE)) + count
        self.socks[in_port].send(frame)
        self.socks[in_port].send(marker)
        out = []
        for number, sock in self.socks.items():
            while number != in_port:
                got = sock.recv(2048)
                if got == marker:
                    break
                assert got == frame, "another frame, on port %d" % number
                out.append(number)
        return out


def play(lab, version, workers, rounds, seed):
    rng = random.Random(seed)
    lab.start(*["%d=tap:b%d" % (number, number) for number in PORTS],
              options=("--workers", str(workers), "--fail-mode", "secure"))
    # A link that is not up yet is no matter of barriers.
    for number in PORTS:
        lab.wait_port("b%d" % number, "up")
    wires = Wires(lab)
    for sock in wires.socks.values():
        sock.settimeout(10)
    with Session(lab.run_dir + "/br0.mgmt", version) as of:
        tables = Tables(of, rng)
        of.commit(*tables.begin())
        for n in range(rounds):
            of.commit(*[tables.change() for _ in range(rng.randint(1, 3))])
            for _ in range(rng.randint(1, 2)):
                station, in_port = rng.choice(STATIONS), rng.choice(PORTS)
                want = tables.verdict(station, in_port)
                got = wires.send(station, in_port)
                assert got == ([want] if want else []), \
                    "round %d, seed %d: %s from port %d\n%s\n%s" % (
                        n, seed, station, in_port, lab.weft("drops"),
                        lab.weft("flow", "list"))


@pytest.mark.parametrize("version,workers", ((4, 1), (4, 3), (6, 3)))
def test_the_next_packet_meets_the_new_tables(lab, version, workers):
    play(lab, version, workers, 1500, random.randrange(1 << 30))


@pytest.mark.slow
def test_the_next_packet_meets_the_new_tables_for_long(lab):
    play(lab, 5, 4, 6000, random.randrange(1 << 30))
