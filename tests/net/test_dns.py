"""DNS as guests see it: dig and the C library at the gateway's address.

    web 10.1.0.10 --+-- blue, gateway 10.1.0.1, fd01::1
    db  10.1.0.20 --+
    spy 10.1.0.30 ----- red, gateway 10.1.0.1

The host's resolver, which is asked all else, is written with scapy."""

import os
import re
import socket
import threading

import pytest
from scapy.layers.dns import DNS, DNSRR

from netns import eventually

CLOUD = """\
version: 1
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd01::/64"}
  red: {subnet: 10.1.0.0/24}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10}
  db: {network: blue, netns: db, address: 10.1.0.20, address6: "fd01::20"}
  spy: {network: red, netns: spy, address: 10.1.0.30}
"""
RESOLVER = "127.0.0.9"


class Resolver:
    """Knows www.example.net, and that nothing else exists."""

    def __init__(self, netns, address=RESOLVER):
        self.asked = []
        self.sock = netns.call(self._open, address)
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @staticmethod
    def _open(address):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 53))
        return sock

    def _serve(self):
        while True:
            data, client = self.sock.recvfrom(2048)
            if not data:
                return                    # close() sent it.
            query = DNS(data)
            name = query.qd.qname.decode().lower()
            self.asked.append(name)
            known = name == "www.example.net." and query.qd.qtype == 1
            answer = DNS(id=query.id, qr=1, rd=1, ra=1, qd=query.qd,
                         rcode=0 if known else 3,
                         an=DNSRR(rrname=name, ttl=300, rdata="192.0.2.80")
                         if known else None)
            self.sock.sendto(bytes(answer), client)

    def close(self):
        self.sock.sendto(b"", self.sock.getsockname())
        self.thread.join()
        self.sock.close()


@pytest.fixture
def cloud(lab):
    for name in ("web", "db", "spy"):
        lab.netns(name, ipv6=True)
    lab.resolver = RESOLVER
    lab.start_daemon()
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(CLOUD)
    lab.weft("apply", path)
    for name, addresses in (("web", ["10.1.0.10/24"]),
                            ("db", ["10.1.0.20/24", "fd01::20/64"]),
                            ("spy", ["10.1.0.30/24"])):
        netns = lab.netns(name)
        netns.wait_link("eth0")
        for address in addresses:
            netns.run("ip", "addr", "add", address, "dev", "eth0",
                      *(["nodad"] if ":" in address else []))
    return lab


@pytest.fixture
def resolver(cloud):
    resolver = Resolver(cloud.host)
    yield resolver
    resolver.close()


def dig(lab, guest, *question, server="10.1.0.1"):
    """(status, answers) of one question, asked once."""
    said = lab.netns(guest).run("dig", "@" + server, "+tries=1", "+timeout=10",
                                "+noall", "+comments", "+answer",
                                *question).stdout
    status = re.search(r"status: (\w+)", said).group(1)
    return status, [line.split(None, 4)[4] for line in said.splitlines()
                    if line and not line.startswith(";")]


def test_ports_have_names_and_addresses_have_ports(cloud):
    assert dig(cloud, "web", "db.blue.weft") == ("NOERROR", ["10.1.0.20"])
    assert dig(cloud, "web", "DB.Blue.WEFT", "AAAA") == (
        "NOERROR", ["fd01::20"])
    assert dig(cloud, "web", "gateway.blue.weft") == (
        "NOERROR", ["10.1.0.1"])
    assert dig(cloud, "web", "-x", "10.1.0.20") == (
        "NOERROR", ["db.blue.weft."])
    assert dig(cloud, "web", "-x", "fd01::20") == (
        "NOERROR", ["db.blue.weft."])


def test_what_is_ours_and_not_there_is_never_asked_elsewhere(cloud, resolver):
    for name in ("nobody.blue.weft", "spy.red.weft", "weft.weft"):
        assert dig(cloud, "web", name) == ("NXDOMAIN", [])
    assert dig(cloud, "web", "-x", "10.1.0.99") == ("NXDOMAIN", [])
    assert not resolver.asked


def test_a_changed_resolv_conf_is_read_again(cloud, resolver):
    assert dig(cloud, "web", "www.example.net")[0] == "NOERROR"
    other = Resolver(cloud.host, "127.0.0.10")
    try:
        with open(os.path.join(cloud.dir, "resolv.conf"), "w") as f:
            f.write("# Another network.\nnameserver 127.0.0.10\n")
        # Nothing that the old one said is believed any more.
        eventually(lambda: dig(cloud, "web", "www.example.net") == (
            "NOERROR", ["192.0.2.80"]) and other.asked, "the other is asked")
    finally:
        other.close()


def test_each_tenant_has_its_own_names(cloud):
    assert dig(cloud, "spy", "-x", "10.1.0.30") == (
        "NOERROR", ["spy.red.weft."])
    assert dig(cloud, "spy", "-x", "10.1.0.20") == ("NXDOMAIN", [])
    assert dig(cloud, "spy", "db.blue.weft") == ("NXDOMAIN", [])


def test_others_are_asked_of_the_hosts_resolver_once(cloud, resolver):
    for _ in range(2):
        assert dig(cloud, "web", "www.example.net") == (
            "NOERROR", ["192.0.2.80"])
    assert resolver.asked == ["www.example.net."]
    # What one tenant asked, another cannot tell.
    assert dig(cloud, "spy", "www.example.net")[0] == "NOERROR"
    assert len(resolver.asked) == 2
    assert dig(cloud, "web", "none.example.net") == ("NXDOMAIN", [])


def test_the_gateway_answers_in_ipv6(cloud):
    """The gateway's neighbour entry is asked for on the way."""
    assert dig(cloud, "db", "web.blue.weft", server="fd01::1") == (
        "NOERROR", ["10.1.0.10"])


def test_a_name_follows_its_port(cloud):
    cloud.weft("port", "set", "db", "--address", "10.1.0.21")
    assert dig(cloud, "web", "db.blue.weft") == ("NOERROR", ["10.1.0.21"])
    cloud.weft("port", "delete", "db")
    assert dig(cloud, "web", "db.blue.weft") == ("NXDOMAIN", [])
