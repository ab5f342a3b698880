"""Multicast in the whole daemon, as an operator sees it.

    web 10.1.0.10, db 10.1.0.20 --- blue
"""

import os
import re
import socket
import struct

from netns import eventually
from weft import DONE, NEGATIVE

CLOUD = """\
version: 1
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
  db: {network: blue, netns: db, address: 10.1.0.20, configure: true}
"""


def metric(lab, event):
    return int(re.search(r'weft_multicast_events_total\{event="%s"\} (\d+)'
                         % event, lab.text("metrics")).group(1))


def rows(lab):
    return [(row["network"], row["group"], row["port"])
            for row in lab.weft("multicast", "list")["listeners"]]


def test_an_operator_sees_who_hears_what(lab):
    for name in ("web", "db"):
        lab.netns(name)
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(CLOUD)
    lab.start_daemon()
    lab.weft("apply", path)
    lab.netns("db").wait_link("eth0")
    asked = ("explain", "web", "239.1.2.3", "udp/5000")
    eventually(lambda: lab.weft(*asked, status=None).returncode == NEGATIVE,
               "db was asked")
    said = lab.weft(*asked, status=NEGATIVE)
    assert said["there"]["stage"] == "multicast"
    assert "asked for that group" in said["why"]

    def listen():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton("239.1.2.3")
                        + socket.inet_aton("10.1.0.20")
                        + struct.pack("@i", socket.if_nametoindex("eth0")))
        sock.bind(("239.1.2.3", 5000))
        sock.settimeout(10)
        return sock

    def talk():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                        socket.inet_aton("10.1.0.10"))
        return sock

    eventually(lambda: "10.1.0.20" in lab.netns("db").run(
        "ip", "addr", "show", "dev", "eth0").stdout, "db has its address")
    with lab.netns("db").call(listen) as sock, \
            lab.netns("web").call(talk) as sender:
        eventually(lambda: ("blue", "239.1.2.3", "db") in rows(lab),
                   "db's report is heard")
        eventually(lambda: lab.weft(*asked, status=None).returncode == DONE,
                   "the group's flow is there")
        assert lab.weft(*asked)["reached"] == ["db"]
        assert "heard by db" in lab.text(*asked)
        sender.sendto(b"hello", ("239.1.2.3", 5000))
        assert sock.recv(100) == b"hello"
        assert rows(lab) == [("blue", "239.1.2.3", "db")]
        assert metric(lab, "joined") == 1
        assert "239.1.2.3" in lab.text("multicast", "list", "--network",
                                       "blue")

        # The switch forgot all; db's kernel does not say it again by itself.
        lab.kill()
        lab.restart()
        eventually(lambda: ("blue", "239.1.2.3", "db") in rows(lab),
                   "db was asked")
        sender.sendto(b"again", ("239.1.2.3", 5000))
        assert sock.recv(100) == b"again"
    eventually(lambda: not rows(lab), "db left")
    eventually(lambda: lab.weft("explain", "web", "ff15::1", status=None)
               .returncode == NEGATIVE, "nobody hears that")
