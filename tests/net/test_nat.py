"""The way out by an uplink with an address of its own, and in by forwards: on
Weft's switch and on Open vSwitch, by the kernel's sockets.

    web .10  db .20  vm .30  blue  10.1.0.0/24 --+
    twin .10 (the same)      red   10.1.0.0/24 --+-- out -- eth9 --- internet
    in .10                   shut  10.3.0.0/24   203.0.113.5     203.0.113.9
                                                 .7 is vm's      198.51.100.9

On Open vSwitch red is 10.2.0.0/24: there two such networks cannot leave by one
uplink."""

import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import threading

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import ovs
import weft
from netns import TIMEOUT, eventually

EXTERNAL, FLOATING = "203.0.113.5", "203.0.113.7"
PEER, BEYOND, NARROW = "203.0.113.9", "198.51.100.9", "198.51.101.9"
NARROW_MTU = 1300
GUESTS = {"web": ("10.1.0.10", "10.1.0.1"), "db": ("10.1.0.20", "10.1.0.1"),
          "vm": ("10.1.0.30", "10.1.0.1"), "twin": ("10.1.0.10", "10.1.0.1"),
          "in": ("10.3.0.10", "10.3.0.1")}
GUESTS6 = {"plain": ("2001:db8:6::10", "2001:db8:6::1"),
           "local": ("fd00:7::10", "fd00:7::1"),
           "own": ("fd00:8::10", "fd00:8::1")}
# What RFC 6296 makes of the last one's: fd00 + 8 - (2001 + db8 + 8) = cf47.
OWN6 = "2001:db8:8:cf47::10"
EXTERNAL6, PEER6, BEYOND6 = "2001:db8::5", "2001:db8::9", "2001:db8:99::9"
MAC = {name: "02:00:00:00:00:%02x" % (i + 1)
       for i, name in enumerate(list(GUESTS) + list(GUESTS6))}
CLOUD = """\
version: 1
uplinks:
  out: {device: eth9, address: 203.0.113.5/24, gateway: 203.0.113.9,
        address6: "2001:db8::5/64", gateway6: "2001:db8::9",
        take-over: false}
networks:
  blue: {subnet: 10.1.0.0/24, nat: out}
  six: {subnet6: "2001:db8:6::/64", nat: out}
  ula: {subnet6: "fd00:7::/64", nat: out, nat6: masquerade}
  npt: {subnet6: "fd00:8::/64", nat: out, nat6: prefix,
        prefix6: "2001:db8:8::/48"}
  red: {subnet: 10.1.0.0/24, nat: out}
  shut: {subnet: 10.3.0.0/24}
ports:
  web: {network: blue, device: web, mac: "02:00:00:00:00:01", address: 10.1.0.10}
  db: {network: blue, device: db, mac: "02:00:00:00:00:02", address: 10.1.0.20}
  vm: {network: blue, device: vm, mac: "02:00:00:00:00:03", address: 10.1.0.30}
  twin: {network: red, device: twin, mac: "02:00:00:00:00:04", address: 10.1.0.10}
  in: {network: shut, device: in, mac: "02:00:00:00:00:05", address: 10.3.0.10}
  plain: {network: six, device: plain, mac: "02:00:00:00:00:06",
          address6: "2001:db8:6::10"}
  local: {network: ula, device: local, mac: "02:00:00:00:00:07",
          address6: "fd00:7::10"}
  own: {network: npt, device: own, mac: "02:00:00:00:00:08",
        address6: "fd00:8::10"}
forwards:
  own6: {listen: "[2001:db8:8:cf47::10]:80/tcp", to: own}
  web6: {listen: "[2001:db8::5]:80/tcp", to: "local:8080"}
  https: {listen: 443/tcp, to: "web:8443"}
  names: {listen: 203.0.113.5:53/udp, to: db}
  range: {listen: 27000-27003/tcp, to: web}
  shifted: {listen: 28000-28001/udp, to: "db:9000-9001"}
  other: {listen: "203.0.113.8:80/tcp", to: twin}
  float: {listen: 203.0.113.7, to: vm}
"""
# What nothing here is about.
MORE = """\
  more: {listen: 29000-29009/tcp, to: db}
"""
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU, IP_RECVERR = 10, 2, 14, 11
MSG_ERRQUEUE = 0x2000


class Bench:
    def __init__(self, kind, build):
        self.kind = kind
        self.lab = weft.Lab(build)
        self.ovs = None
        self.guests = dict(GUESTS)
        self.cloud = CLOUD
        if kind == "ovs":
            self.guests["twin"] = ("10.2.0.10", "10.2.0.1")
            self.cloud = CLOUD.replace("red: {subnet: 10.1", "red: {subnet: "
                                       "10.2").replace(
                "04\", address: 10.1", "04\", address: 10.2")

    def start(self):
        lab = self.lab
        for name in self.guests:
            lab.veth(name, "g-" + name)
        for name in GUESTS6:
            lab.netns("g-" + name, ipv6=True)
            lab.veth(name, "g-" + name)
        lab.netns("internet", ipv6=True)
        self.internet = lab.veth("eth9", "internet", addr=PEER + "/24")
        self._dress_internet()
        if self.kind == "ovs":
            self.ovs = ovs.Ovs(lab.host, os.path.join(lab.dir, "ovs"))
            self.ovs.start(bridge=None)
            lab.start_daemon("--controller-only", "--ovsdb",
                             "unix:" + self.ovs.file("db.sock"))
        else:
            lab.start_daemon()
        self.apply(self.cloud)
        for name, (address, gateway) in self.guests.items():
            guest = self[name]
            guest.run("ip", "link", "set", "dev", "eth0", "address",
                      MAC[name])
            guest.run("ip", "addr", "add", address + "/24", "dev", "eth0")
            guest.run("ip", "link", "set", "dev", "eth0", "up")
            guest.run("ip", "route", "add", "default", "via", gateway)
        for name, (address, gateway) in GUESTS6.items():
            guest = self[name]
            guest.sysctl("net/ipv6/conf/eth0/accept_ra", "0")
            guest.run("ip", "link", "set", "dev", "eth0", "address",
                      MAC[name])
            guest.run("ip", "addr", "add", address + "/64", "dev", "eth0",
                      "nodad")
            guest.run("ip", "route", "add", "default", "via", gateway)
        self.nic = self.internet.nic("eth0")
        self.mac = self._ask(EXTERNAL)

        if self.ovs:
            for name in ["internet"] + list(MAC):
                own_checksums(self[name], "eth0")

    def _ask(self, address):
        """Its MAC, as a station outside asks for it."""
        self.nic.send(Ether(src=self.nic.mac, dst="ff:ff:ff:ff:ff:ff")
                      / ARP(op=1, hwsrc=self.nic.mac, psrc=PEER,
                            pdst=address))
        return self.nic.expect(lambda f: f.haslayer(ARP) and f[ARP].op == 2
                               and f[ARP].psrc == address)[ARP].hwsrc

    def _dress_internet(self):
        """It routes on, to a narrow link, too."""
        self.internet.sysctl("net/ipv4/ip_forward", "1")
        for argv in (("addr", "add", BEYOND + "/32", "dev", "lo"),
                     ("link", "add", "narrow", "mtu", str(NARROW_MTU),
                      "type", "veth", "peer", "name", "narrow0"),
                     ("link", "set", "narrow", "up"),
                     ("route", "add", "198.51.101.0/24", "dev", "narrow"),
                     ("addr", "add", BEYOND6 + "/128", "dev", "lo"),
                     ("addr", "add", PEER6 + "/64", "dev", "eth0", "nodad"),
                     ("route", "add", "2001:db8:6::/64", "via", EXTERNAL6),
                     ("route", "add", "2001:db8:8::/48", "via", EXTERNAL6),
                     ("route", "add", FLOATING + "/32", "dev", "eth0")):
            self.internet.run("ip", *argv)

    def __getitem__(self, name):
        return self.internet if name == "internet" \
            else self.lab.netns("g-" + name)

    def apply(self, text):
        path = os.path.join(self.lab.dir, "cloud.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.lab.weft("apply", path)
        eventually(self._is_in_force, "the intents are in force")
        if self.ovs:
            self.ovs.settle()

    def restart(self):
        """weftd's own, by an operator's signal."""
        main = self.lab.weft("status")["pid"]
        self.lab.weftd.send_signal(signal.SIGHUP)

        def is_another():
            said = self.lab.weft("status", status=None)
            return said.returncode == weft.DONE \
                and json.loads(said.stdout)["pid"] != main
        eventually(is_another, "another one has taken over")
        eventually(self._is_in_force, "the intents are in force")

    def _is_in_force(self):
        shown = self.lab.weft("controller", "show")
        return shown["connected"] and shown["synced"] \
            and not shown["ports_missing"] and shown["flows_desired"]

    def close(self):
        try:
            self.lab.stop()
            if self.ovs:
                self.ovs.vsctl("--if-exists", "del-br", "br0")
                self.ovs.stop()
                for name in set(self.lab.host.links()) - {"lo"} \
                        - set(self.lab._made):
                    self.lab.host.run("ip", "link", "del", name, check=False)
        finally:
            self.lab.close()


@pytest.fixture(scope="module", params=["weft", "ovs"])
def bench(request):
    if request.param == "ovs" and not ovs.is_installed():
        pytest.skip("ovs-vswitchd is missing (Debian openvswitch-switch)")
    bench = Bench(request.param, request.config.getoption("--build"))
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


def own_checksums(netns, ifname):
    """Open vSwitch's tracker takes a checksum that is still owed for a wrong
    one: the kernel shall not owe any."""
    SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
    value = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP16x", ifname.encode(),
                          ctypes.addressof(value))

    def set_it():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCETHTOOL, request)
    netns.call(set_it)


# --- Sockets in namespaces ---------------------------------------------------

def tcp_listen(netns, port, address="0.0.0.0"):
    def make():
        sock = socket.socket(socket.AF_INET6 if ":" in address
                             else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(8)
        sock.settimeout(TIMEOUT)
        return sock
    return netns.call(make)


def udp_socket(netns, port=0, address="0.0.0.0"):
    def make():
        sock = socket.socket(socket.AF_INET6 if ":" in address
                             else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.settimeout(TIMEOUT)
        return sock
    return netns.call(make)


def tcp(bench, client, address, port, server, server_port):
    """Opens a connection, passes a word both ways: who the server saw."""
    own = "::" if ":" in address else "0.0.0.0"
    with tcp_listen(bench[server], server_port, own) as listener:
        with bench[client].call(socket.create_connection, (address, port),
                                TIMEOUT) as near:
            far, seen = listener.accept()
            with far:
                near.sendall(b"question")
                assert far.recv(64) == b"question"
                far.sendall(b"answer")
                assert near.recv(64) == b"answer"
    return seen


def udp(bench, client, address, port, server, server_port):
    anybody = "::" if ":" in address else "0.0.0.0"
    own = address if server == "internet" else anybody
    with udp_socket(bench[server], server_port, own) as far, \
            udp_socket(bench[client], address=anybody) as near:
        near.sendto(b"question", (address, port))
        data, seen = far.recvfrom(64)
        assert data == b"question"
        far.sendto(b"answer", seen)
        data, whose = near.recvfrom(64)
        assert (data, whose[:2]) == (b"answer", (address, port))
    return seen


# --- Out ---------------------------------------------------------------------

def test_guests_reach_the_outside_by_the_uplink_s_address(bench):
    assert tcp(bench, "web", PEER, 80, "internet", 80)[0] == EXTERNAL
    assert tcp(bench, "db", BEYOND, 80, "internet", 80)[0] == EXTERNAL
    assert udp(bench, "web", BEYOND, 53, "internet", 53)[0] == EXTERNAL
    assert bench["web"].ping(BEYOND) and bench["db"].ping(PEER)
    assert not bench["in"].ping(BEYOND, deadline=1)


def test_two_tenants_with_one_subnet_share_an_address(bench):
    """Each answer finds its own, whatever the ports are."""
    with udp_socket(bench.internet, 7) as far:
        near = {name: udp_socket(bench[name], 5000) for name in ("web",
                                                                 "twin")}
        seen = {}
        for name, sock in near.items():
            sock.sendto(name.encode(), (BEYOND, 7))
            data, seen[name] = far.recvfrom(64)
            assert data == name.encode()
        assert seen["web"] != seen["twin"]
        assert {a for a, _ in seen.values()} == {EXTERNAL}
        far.close()
        with udp_socket(bench.internet, 7, BEYOND) as far:
            for name in near:
                far.sendto(name.encode(), seen[name])
            for name, sock in near.items():
                assert sock.recv(64) == name.encode()
                sock.close()


def test_where_the_switch_cannot_tell_tenants_apart_they_are_refused(bench):
    """By the plan already, with the line."""
    path = os.path.join(bench.lab.dir, "same.yaml")
    with open(path, "w") as f:
        f.write(bench.cloud.replace("red: {subnet: 10.2", "red: {subnet: 10.1")
                .replace("address: 10.2.0.10", "address: 10.1.0.10"))
    said = bench.lab.weft("plan", path, status=None)
    if bench.ovs:
        assert said.returncode == weft.REFUSED
        assert "network 'blue' has the same addresses" in said.stdout
    else:
        assert said.returncode == weft.DONE


def test_errors_from_outside_find_who_they_are_for(bench):
    """Port unreachable, fragmentation needed, time exceeded."""
    with udp_socket(bench["web"]) as sock:
        sock.connect((BEYOND, 9))
        sock.send(b"nobody")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(64)
    with udp_socket(bench["web"]) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        sock.connect((NARROW, 9))
        sock.send(bytes(1400))

        def is_narrow():
            return sock.getsockopt(socket.IPPROTO_IP, IP_MTU) == NARROW_MTU
        eventually(is_narrow, "the path's MTU is known")
        with pytest.raises(OSError) as refused:
            sock.send(bytes(1400))
        assert refused.value.errno == errno.EMSGSIZE
    with udp_socket(bench["web"]) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 2)
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        sock.sendto(b"trace", (NARROW, 33434))
        assert offender(sock) == (11, PEER)


def offender(sock):
    """(ICMP type, who told it) of the first error."""
    def read():
        try:
            return sock.recvmsg(64, 512, MSG_ERRQUEUE)
        except OSError:
            return None
    _, ancillary, _, _ = eventually(read, "an error came")
    data = ancillary[0][2]
    kind = struct.unpack_from("=IBBBB", data)[2]
    return kind, socket.inet_ntoa(data[20:24])


# --- Forwards ----------------------------------------------------------------

def test_a_forward_keeps_the_client_s_address(bench):
    assert tcp(bench, "internet", EXTERNAL, 443, "web", 8443)[0] == PEER
    assert udp(bench, "internet", EXTERNAL, 53, "db", 53)[0] == PEER
    assert tcp(bench, "internet", EXTERNAL, 27002, "web", 27002)[0] == PEER
    assert udp(bench, "internet", EXTERNAL, 28001, "db", 9001)[0] == PEER
    assert tcp(bench, "internet", "203.0.113.8", 80, "twin", 80)[0] == PEER


def test_a_forward_works_from_inside_and_from_the_guest_itself(bench):
    assert tcp(bench, "db", EXTERNAL, 443, "web", 8443)[0] == EXTERNAL
    assert tcp(bench, "web", EXTERNAL, 443, "web", 8443)[0] == EXTERNAL
    assert tcp(bench, "twin", EXTERNAL, 443, "web", 8443)[0] == EXTERNAL
    assert udp(bench, "web", EXTERNAL, 53, "db", 53)[0] == EXTERNAL
    assert tcp(bench, "web", "203.0.113.8", 80, "twin", 80)[0] == EXTERNAL


def test_errors_from_inside_find_the_client_and_show_no_inside(bench):
    """Nobody listens at the guest."""
    with udp_socket(bench.internet) as sock:
        sock.connect((EXTERNAL, 28000))
        sock.send(b"nobody")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(64)
    with udp_socket(bench["web"]) as sock:
        sock.connect((EXTERNAL, 28000))
        sock.send(b"nobody")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(64)


def test_a_floating_address_is_the_guest_s_both_ways(bench):
    assert tcp(bench, "vm", BEYOND, 80, "internet", 80)[0] == FLOATING
    assert udp(bench, "vm", PEER, 53, "internet", 53)[0] == FLOATING
    assert tcp(bench, "internet", FLOATING, 22, "vm", 22)[0] == PEER
    assert udp(bench, "internet", FLOATING, 9, "vm", 9)[0] == PEER
    assert tcp(bench, "web", FLOATING, 22, "vm", 22)[0] == EXTERNAL
    assert tcp(bench, "vm", FLOATING, 22, "vm", 22)[0] == FLOATING
    assert tcp(bench, "vm", EXTERNAL, 443, "web", 8443)[0] == FLOATING
    for name in ("internet", "web", "vm"):
        assert bench[name].ping(FLOATING), name
    # One port both ways, as SIP and WireGuard have it.
    with udp_socket(bench["vm"], 5060) as near, \
            udp_socket(bench.internet, 5060) as far, \
            udp_socket(bench.internet, 5070) as third:
        near.sendto(b"out", (PEER, 5060))
        assert far.recvfrom(64) == (b"out", (FLOATING, 5060))
        third.sendto(b"in", (FLOATING, 5060))
        assert near.recvfrom(64) == (b"in", (PEER, 5070))


# --- IPv6 --------------------------------------------------------------------

def test_ipv6_is_routed_as_it_is_or_translated_by_choice(bench):
    assert tcp(bench, "plain", BEYOND6, 80, "internet", 80)[0] \
        == GUESTS6["plain"][0]
    assert tcp(bench, "local", BEYOND6, 80, "internet", 80)[0] == EXTERNAL6
    assert bench["plain"].ping(BEYOND6) and bench["local"].ping(BEYOND6)
    assert bench.internet.ping(EXTERNAL6)
    assert tcp(bench, "internet", EXTERNAL6, 80, "local", 8080)[0] == PEER6
    assert tcp(bench, "local", EXTERNAL6, 80, "local", 8080)[0] == EXTERNAL6
    # Routed, but closed all the same.
    assert not bench.internet.ping(GUESTS6["plain"][0], deadline=1)


def test_a_prefix_outside_is_an_address_for_each_inside(bench):
    assert tcp(bench, "own", BEYOND6, 80, "internet", 80)[0] == OWN6
    assert udp(bench, "own", BEYOND6, 53, "internet", 53)[0] == OWN6
    assert bench["own"].ping(BEYOND6)
    with udp_socket(bench["own"], address="::") as sock:
        sock.connect((BEYOND6, 7001))
        sock.send(b"nobody")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(64)
    # Closed, but for what a forward lets in; to others inside, too.
    assert not bench.internet.ping(OWN6, deadline=1)
    assert not bench["local"].ping(OWN6, deadline=1)
    assert tcp(bench, "internet", OWN6, 80, "own", 80)[0] == PEER6
    assert tcp(bench, "local", OWN6, 80, "own", 80)[0] == EXTERNAL6
    assert tcp(bench, "own", OWN6, 80, "own", 80)[0] == OWN6
    assert OWN6 in bench.lab.text("explain", "own", BEYOND6, "tcp/80")


# --- Closed ------------------------------------------------------------------

def test_the_uplink_s_address_answers_pings_and_nothing_else(bench):
    assert bench.internet.ping(EXTERNAL)
    assert bench["web"].ping(EXTERNAL) and bench["twin"].ping(EXTERNAL)
    # As soon as two have the same identifier, at the latest.
    for name in ("internet", "web", "db", "twin"):
        assert bench[name].ping(EXTERNAL)


def outside_frame(bench, packet):
    return Ether(src=bench.nic.mac, dst=bench.mac) / packet


def test_nothing_comes_in_without_a_forward(bench):
    """From outside, to each address by which a guest might be reached, while
    the guest has sent from that very port."""
    guest = bench["web"].nic("eth0")
    with udp_socket(bench["web"], 6000) as sock, \
            udp_socket(bench.internet, 7) as far:
        sock.sendto(b"out", (PEER, 7))
        _, (_, mapped) = far.recvfrom(64)
    guest.drain()
    for packet in (IP(src=BEYOND, dst=EXTERNAL) / UDP(sport=7, dport=mapped),
                   IP(src=PEER, dst=EXTERNAL) / UDP(sport=8, dport=mapped),
                   IP(src=PEER, dst="10.1.0.10") / UDP(sport=7, dport=6000),
                   IP(src=PEER, dst="10.1.0.10") / TCP(dport=8443),
                   IP(src=PEER, dst=EXTERNAL) / TCP(dport=8443),
                   IP(src=PEER, dst=EXTERNAL) / TCP(dport=22),
                   IP(src=PEER, dst=EXTERNAL) / UDP(dport=443),
                   IP(src="10.1.0.20", dst="10.1.0.10") / UDP(dport=9),
                   IP(src="10.1.0.20", dst=EXTERNAL) / TCP(dport=22)):
        bench.nic.send(outside_frame(bench, packet / Raw(b"knock")))
    bench.nic.send(outside_frame(bench, IP(src=PEER, dst=EXTERNAL)
                                 / TCP(sport=4, dport=443, flags="S")))
    guest.absent(lambda f: f.haslayer(Raw) and b"knock" in bytes(f[Raw]),
                 lambda f: f.haslayer(TCP) and f[TCP].dport == 8443
                 and f[TCP].sport == 4)


def test_we_answer_for_our_own_addresses_only(bench):
    def asked(address):
        bench.nic.send(Ether(src=bench.nic.mac, dst="ff:ff:ff:ff:ff:ff")
                       / ARP(op=1, hwsrc=bench.nic.mac, psrc=PEER,
                             pdst=address))

    bench.nic.drain()
    for address in ("203.0.113.6", "10.1.0.10", "10.1.0.1", EXTERNAL,
                    FLOATING, "203.0.113.8"):
        asked(address)
    told = []
    for frame in bench.nic.frames():
        if frame.haslayer(ARP) and frame[ARP].op == 2:
            told.append(frame[ARP].psrc)
        if len(told) == 3:
            break
    # Open vSwitch answers first packets in an order of its own.
    assert sorted(told) == [EXTERNAL, FLOATING, "203.0.113.8"]


# --- Explained ---------------------------------------------------------------

# The question, "yes" or "no", what is said, and the command that changes it.
EXPLAINED = [
    ("web 192.0.2.9 tcp/443", "yes", "leaves by uplink 'out' as 203.0.113.5",
     None),
    ("web 192.0.2.9", "yes", None, None),
    ("vm 192.0.2.9 udp/53", "yes", "as 203.0.113.7", None),
    ("in 192.0.2.9 tcp/443", "no", "network 'shut' does not lead outside",
     "weft network set shut --nat out"),
    ("192.0.2.9 203.0.113.5 tcp/443", "yes",
     "forward 'https' leads it to port 'web', 8443", None),
    ("192.0.2.9 203.0.113.5 tcp/22", "no",
     "closed from outside: no forward of uplink 'out'",
     "weft forward add 22/tcp PORT"),
    ("192.0.2.9 203.0.113.5", "yes", None, None),
    ("out/192.0.2.9 web tcp/443", "yes", "forward 'https'", None),
    ("out/192.0.2.9 web tcp/22", "no", "closed from outside",
     "weft forward add 22/tcp web"),
    ("out/192.0.2.9 db udp/53", "yes", "forward 'names'", None),
    ("out/192.0.2.9 vm tcp/22", "yes", "forward 'float'", None),
    ("192.0.2.9 203.0.113.8 tcp/80", "yes", "port 'twin'", None),
    ("192.0.2.9 203.0.113.8 tcp/81", "no", "closed from outside",
     "weft forward add 203.0.113.8:81/tcp PORT"),
    ("out/192.0.2.9 in tcp/80", "no", "closed from outside", None),
    ("web 203.0.113.5 tcp/443", "yes", "forward 'https'", None),
    ("db 203.0.113.5 tcp/443", "yes", "forward 'https'", None),
    ("db 203.0.113.5 tcp/22", "no", "closed from outside", None),
    ("db 203.0.113.5", "yes", "answers pings itself", None),
]


def test_it_is_explained(bench):
    assert bench["web"].ping(PEER)      # The gateway is known.
    wrong = []
    for question, verdict, what, fix in EXPLAINED:
        said = bench.lab.weft("explain", *question.split(), status=None)
        answer = json.loads(said.stdout)
        text = " ".join([answer.get("why") or ""] + answer.get("notes", []))
        if answer.get("verdict") != verdict or (what or "") not in text \
                or (fix and answer["fix"] != fix):
            wrong.append((question, said.stdout[:500]))
    assert not wrong


def test_connections_are_listed_with_their_network(bench):
    if bench.ovs:
        said = bench.lab.weft("connection", "list", status=None)
        assert said.returncode == weft.REFUSED     # Its tracker is its own.
        return
    with udp_socket(bench.internet, 4999, PEER) as far, \
            udp_socket(bench["twin"]) as near:
        near.sendto(b"out", (PEER, 4999))
        far.recvfrom(64)
        said = bench.lab.host.run(
            bench.lab.program("weft"), "--run-dir", bench.lab.run_dir,
            "connection", "list").stdout
    line = [w.split() for w in said.splitlines() if PEER + ":4999" in w][0]
    assert "red" in line and "from" in line


# --- Changes -----------------------------------------------------------------

def test_connections_live_through_changes_of_other_things(bench):
    with tcp_listen(bench.internet, 80) as outside, \
            tcp_listen(bench["web"], 8443) as inside:
        pairs = []
        for client, address, listener in (
                ("web", (BEYOND, 80), outside),
                ("internet", (EXTERNAL, 443), inside),
                ("db", (EXTERNAL, 443), inside)):
            near = bench[client].call(socket.create_connection, address,
                                      TIMEOUT)
            far = listener.accept()[0]
            far.settimeout(TIMEOUT)
            pairs.append((near, far))
        stop = threading.Event()
        failed = []
        moved = [0] * len(pairs)

        def move(i):
            near, far = pairs[i]
            try:
                while not stop.is_set():
                    near.sendall(bytes(20000))
                    left = 20000
                    while left:
                        got = len(far.recv(left))
                        assert got, "closed"
                        left -= got
                    moved[i] += 1
            except (OSError, AssertionError) as e:
                failed.append((i, e))

        threads = [threading.Thread(target=move, args=(i,))
                   for i in range(len(pairs))]
        for t in threads:
            t.start()
        for text in (bench.cloud + MORE,
                     bench.cloud.replace("  float:", "  drift:"),
                     bench.cloud.replace("  shut:", "  green: {subnet: "
                                         "10.4.0.0/24, nat: out}\n  shut:"),
                     bench.cloud):
            bench.apply(text)
            was = list(moved)
            eventually(lambda: failed or all(
                a > b for a, b in zip(moved, was)), "all of them go on")
            assert not failed
        bench.restart()
        was = list(moved)
        eventually(lambda: failed or all(
            a > b for a, b in zip(moved, was)), "after a restart, too")
        stop.set()
        for t in threads:
            t.join()
        for near, far in pairs:
            near.close()
            far.close()
        assert not failed


def test_a_forward_that_goes_is_closed(bench):
    bench.apply(bench.cloud.replace("  https: {listen: 443",
                                    "  https: {listen: 444"))
    try:
        assert tcp(bench, "internet", EXTERNAL, 444, "web", 8443)[0] == PEER
        guest = bench["web"].nic("eth0")
        for port in (443, 444):
            bench.nic.send(outside_frame(
                bench, IP(src=PEER, dst=EXTERNAL)
                / TCP(sport=1000 + port, dport=port, flags="S")))
        guest.absent(lambda f: f.haslayer(TCP) and f[TCP].sport == 1443,
                     lambda f: f.haslayer(TCP) and f[TCP].sport == 1444)
    finally:
        bench.apply(bench.cloud)


# --- Always ------------------------------------------------------------------

def test_nothing_inside_was_ever_seen_outside(bench):
    """Of all that the tests before have sent."""
    sources = {f[IP].src for f in bench.nic.drain() if f.haslayer(IP)}
    assert sources <= {EXTERNAL, FLOATING}
