"""A frame that enters a port reaches Weft and nothing else.

    host: 10.0.0.100 on a device of its own, 10.0.0.101 on the guest's own
          link, a server on port 7, forwarding switched on

      a  10.0.0.1        b  10.0.0.2
       |                  | tap
    ---+------------------+---  br0

The guest asks for each address of the host, pings and connects to it, and
sends frames for elsewhere to the host's own MAC address.  Nothing answers,
and nothing is forwarded."""

import socket

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def temptation(lab):
    """A host that would like to answer."""
    host = lab.host
    host.sysctl("net/ipv4/ip_forward", "1")
    host.run("ip", "link", "add", "name", "own", "type", "veth",
             "peer", "name", "own-peer")
    host.run("ip", "link", "set", "dev", "own", "up")
    host.run("ip", "addr", "add", "10.0.0.100/32", "dev", "own")
    host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "own")

    def listen():
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", 7))
        server.listen(1)
        return server

    server = host.call(listen)
    yield host
    server.close()
    host.run("ip", "link", "del", "dev", "own")


@pytest.mark.parametrize("kind", ["tap", "veth", "netdev"])
def test_the_host_does_not_answer_a_guest(lab, temptation, kind):
    host = temptation
    a = lab.plug(kind, 1, "a", "10.0.0.1/24")
    targets = {BROADCAST}
    if kind == "netdev":
        host.run("ip", "addr", "add", "10.0.0.101/24", "dev", "h-a")
        targets.add(host.nic("h-a").mac)
    lab.start(a, lab.plug("tap", 2, "b", "10.0.0.2/24"))
    guest, other = lab.netns("a").nic("eth0"), lab.netns("b").nic("eth0")
    other.drain()

    for address in ("10.0.0.100", "10.0.0.101", "192.0.2.1"):
        guest.send(Ether(dst=BROADCAST, src=guest.mac)
                   / ARP(psrc="10.0.0.1", hwsrc=guest.mac, pdst=address))
        for mac in targets:
            to = Ether(dst=mac, src=guest.mac)
            ip = IP(src="10.0.0.1", dst=address)
            guest.send(to / ip / ICMP())
            guest.send(to / ip / TCP(sport=1000, dport=7, flags="S"))
    for mac in targets:
        # By way of the host to somebody else, and IPv6.
        guest.send(Ether(dst=mac, src=guest.mac)
                   / IP(src="10.0.0.1", dst="192.0.2.77") / ICMP())
        guest.send(Ether(dst=mac, src=guest.mac)
                   / IPv6(src="fe80::1", dst="ff02::1") / ICMPv6EchoRequest())
        guest.send(Ether(dst=mac, src=guest.mac)
                   / IPv6(src="fe80::1", dst="ff02::1:ff00:1")
                   / ICMPv6ND_NS(tgt="fe80::2"))

    # b's frame comes last, and only b ever sends any to a.
    end = Ether(dst=BROADCAST, src=other.mac, type=0x88b5) / Raw("end" * 20)
    other.expect(lambda f: f.haslayer(ICMPv6ND_NS))
    other.send(end)
    guest.absent(lambda f: f.src != other.mac, behind=end)


def test_a_device_gets_back_what_it_had(lab):
    lab.veth("h-a", "a")
    host = lab.host
    host.run("ip", "addr", "add", "10.0.0.101/24", "dev", "h-a")
    lab.netns("a").run("ip", "addr", "add", "10.0.0.1/24", "dev", "eth0")
    before = host.run("ip", "-d", "addr", "show", "dev", "h-a").stdout
    lab.start("1=a=netdev:h-a")
    assert not lab.netns("a").ping("10.0.0.101", deadline=1)
    lab.weft("port", "delete", "a")
    assert host.run("ip", "-d", "addr", "show", "dev", "h-a").stdout == before
    assert lab.netns("a").ping("10.0.0.101")
