"""One switch for hundreds of cases: a frame in, and what comes out of it.

      in      in2      p3      p4      p5
       1       2       3       4       5        TAPs, one guest's each
    ---+-------+-------+-------+-------+---  br0, empty at first

A case sets the tables, sends a frame and says exactly which frames leave by
which ports.  Nothing is waited for in vain: behind the case's frame goes a
marker that is flooded, and what a port got before the marker is all it got.

Every case is sent twice: the first frame is translated, the second one finds
the cache entry; both must fare alike."""

import contextlib
import itertools

from scapy.layers.l2 import Ether

import weft

PORTS = ("in", "in2", "p3", "p4", "p5")
PORT_NUMBERS = range(1, len(PORTS) + 1)
A, B, C = ("02:00:00:00:00:%02x" % i for i in (1, 2, 3))
MARKER_TYPE = 0x88b6
# Above whatever a case adds.
MARKER_FLOW = ("table=0,priority=65535,cookie=0x77,dl_type=0x%x,actions=all"
               % MARKER_TYPE)


class Bench:
    def __init__(self, lab):
        self.lab = lab
        # Netns names are short and the sandbox's own.
        self.nics = {number: lab.netns(name).nic("eth0")
                     for number, name in zip(PORT_NUMBERS, PORTS)}
        self._markers = itertools.count(1)
        self.clear()

    def clear(self):
        """Empty tables, but for the marker's entry."""
        self.lab.api("DELETE", "/v1/flows?flow=")
        for kind in ("group", "meter"):
            rows = self.lab.api("GET", "/v1/%ss" % kind)[kind + "s"]
            # Groups lead to others of lower numbers here.
            for number in sorted((row["id"] for row in rows), reverse=True):
                self.lab.api("DELETE", "/v1/%ss?%s=%d" % (kind, kind, number))
        self.flows(MARKER_FLOW)

    def flows(self, *flows):
        self.lab.api("POST", "/v1/flows",
                     {"command": "add", "flows": list(flows)})

    def only(self, *flows):
        """Tables with these entries."""
        self.lab.api("DELETE", "/v1/flows?flow=cookie%3D0/-1")
        if flows:
            self.flows(*flows)

    def groups(self, *groups):
        self.lab.api("POST", "/v1/groups",
                     {"command": "add", "groups": list(groups)})

    def meters(self, *meters):
        self.lab.api("POST", "/v1/meters",
                     {"command": "add", "meters": list(meters)})

    def send(self, *frames, port=1, among=PORT_NUMBERS):
        """Sends frames; returns {port number: [bytes, ...]} of all that came
        of them by these ports."""
        marker = bytes(Ether(src=A, dst=B, type=MARKER_TYPE)
                       / next(self._markers).to_bytes(46, "big"))
        for frame in frames:
            self.nics[port].send(frame)
        self.nics[port].send(marker)
        got = {}
        for number in among:
            if number == port:
                continue
            for frame in self.nics[number].frames():
                if frame.raw == marker:
                    break
                got.setdefault(number, []).append(frame.raw)
        # The way back is not the marker's: it was done with before the
        # marker left by the others, and lies in the socket by now.
        back = [f.raw for f in self.nics[port].drain()]
        if back:
            got[port] = back
        return got

    def check(self, frame, expected, port=1, what="", among=PORT_NUMBERS):
        """Sends the frame twice; 'expected' is {port: frame or [frames]}."""
        expected = {number: [bytes(f) for f in
                             (out if isinstance(out, list) else [out])]
                    for number, out in expected.items()}
        for attempt in ("translated", "cached"):
            got = self.send(frame, port=port, among=among)
            assert got == expected, "%s, %s:\n%s" % (
                what, attempt, difference(got, expected))

    def trace(self, packet, port="in", learn=False):
        return self.lab.api("POST", "/v1/trace", {
            "port": port, "packet": packet, "learn": learn})


def difference(got, expected):
    lines = []
    for number in sorted(set(got) | set(expected)):
        for title, frames in (("wanted", expected), ("got", got)):
            for raw in frames.get(number, []):
                lines.append("port %d %s: %s\n    %s" % (
                    number, title, Ether(raw).summary(), raw.hex()))
            if not frames.get(number):
                lines.append("port %d %s nothing" % (number, title))
    return "\n".join(lines)


@contextlib.contextmanager
def bench(build, *more_ports):
    lab = weft.Lab(build)
    try:
        lab.start(*[lab.plug("tap", number, name)
                    for number, name in zip(PORT_NUMBERS, PORTS)], *more_ports,
                  options=("--fail-mode", "secure"))
        yield Bench(lab)
    finally:
        lab.close()
