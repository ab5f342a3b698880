"""Network namespaces as hosts on a test network, and their NICs.

Frames are made and read by scapy, an implementation that is not ours, over
packet sockets opened inside the namespace.  Nothing here waits blindly: a test
waits for the frame it expects, and that a frame does *not* arrive is seen by
sending another one behind it (see Nic.absent)."""

import ctypes
import hashlib
import os
import select
import shlex
import socket
import struct
import subprocess
import threading
import time

from scapy.layers.l2 import Ether

TIMEOUT = 10.0                          # A lost frame fails a test, slowly.

ETH_P_ALL = 0x0003
CLONE_NEWNET = 0x40000000
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 0x10
TP_STATUS_VLAN_TPID_VALID = 0x40
RTMGRP_LINK = 1

# struct virtio_net_hdr.
VNET_FORMAT = "=BBHHHH"
VNET_SIZE = struct.calcsize(VNET_FORMAT)
NEEDS_CSUM = 1
GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 = 1, 4, 5

libc = ctypes.CDLL(None, use_errno=True)


class Vnet:
    """A virtio-net header: what is still owed on a frame."""

    def __init__(self, flags=0, gso_type=0, hdr_len=0, gso_size=0,
                 csum_start=0, csum_offset=0):
        self.flags = flags
        self.gso_type = gso_type
        self.hdr_len = hdr_len
        self.gso_size = gso_size
        self.csum_start = csum_start
        self.csum_offset = csum_offset

    def pack(self):
        return struct.pack(VNET_FORMAT, self.flags, self.gso_type,
                           self.hdr_len, self.gso_size, self.csum_start,
                           self.csum_offset)

    @classmethod
    def unpack(cls, data):
        return cls(*struct.unpack_from(VNET_FORMAT, data))

    def __repr__(self):
        return "Vnet(%s)" % ", ".join("%s=%d" % row
                                      for row in vars(self).items())


def run(*argv, check=True, timeout=30, **kwargs):
    """Runs a command; returns its CompletedProcess, with its output as text."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, **kwargs)
    if check and done.returncode:
        raise AssertionError("%s: status %d\n%s" % (
            shlex.join(argv), done.returncode, done.stdout))
    return done


def eventually(probe, what, timeout=TIMEOUT):
    """The first true value of probe().  For states that no event announces;
    how long it takes decides nothing, only that it happens at all."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("never happened: " + what)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


class Netns:
    """A network namespace with a name in /run/netns."""

    def __init__(self, name, ipv6=False):
        self.name = name
        self.path = "/run/netns/" + name
        self._open = []
        if os.path.exists(self.path):
            run("ip", "netns", "del", name)     # Of a test that failed.
        run("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        if not ipv6:
            # Neighbour discovery and MLD would be frames nobody sent.
            self.sysctl("net/ipv6/conf/default/disable_ipv6", "1")

    def close(self):
        for nic in self._open:
            nic.close()
        self._open = []
        if os.path.exists(self.path):
            run("ip", "netns", "del", self.name)

    def run(self, *argv, **kwargs):
        return run("ip", "netns", "exec", self.name, *argv, **kwargs)

    def popen(self, *argv, **kwargs):
        return subprocess.Popen(("ip", "netns", "exec", self.name) + argv,
                                stdin=subprocess.DEVNULL, **kwargs)

    def call(self, function, *args):
        """function(*args), called inside; sockets it makes stay inside."""
        result = []

        def inside():
            try:
                fd = os.open(self.path, os.O_RDONLY)
                try:
                    if libc.setns(fd, CLONE_NEWNET):
                        err = ctypes.get_errno()
                        raise OSError(err, os.strerror(err))
                finally:
                    os.close(fd)
                result.append((function(*args), None))
            except BaseException as e:
                result.append((None, e))

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        value, error = result[0]
        if error:
            raise error
        return value

    def sysctl(self, name, value):
        def write():
            with open("/proc/sys/" + name.replace(".", "/"), "w") as f:
                f.write(value)
        self.call(write)

    def links(self):
        """{name: index} of the devices here."""
        return dict((name, i) for i, name
                    in self.call(socket.if_nameindex))

    def wait_link(self, name, there=True, timeout=TIMEOUT):
        """Waits until a device appears (or is gone), woken by netlink."""
        def subscribe():
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                 socket.NETLINK_ROUTE)
            sock.bind((0, RTMGRP_LINK))
            return sock

        deadline = time.monotonic() + timeout
        with self.call(subscribe) as sock:
            while (name in self.links()) != there:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError("%s in %s: never %s" % (
                        name, self.name, "appeared" if there else "went"))
                if select.select([sock], [], [], left)[0]:
                    sock.recv(65536)

    def nic(self, ifname, vnet=False):
        nic = Nic(self, ifname, vnet)
        self._open.append(nic)
        return nic

    def ping(self, address, count=1, deadline=3, **kwargs):
        """Whether an echo reply came.  kwargs: size, df."""
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", "0.2",
                "-w", str(deadline)]
        if "size" in kwargs:
            argv += ["-s", str(kwargs["size"])]
        if kwargs.get("df"):
            argv += ["-M", "do"]
        return self.run(*argv, address, check=False).returncode == 0


class Nic:
    """A network device seen as the guest's driver does: raw frames."""

    def __init__(self, netns, ifname, vnet=False):
        self.netns = netns
        self.ifname = ifname
        self.vnet = vnet
        self._sock = netns.call(self._open)
        self.mac = netns.call(self._mac)

    def _open(self):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        if self.vnet:
            sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        sock.bind((self.ifname, ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                        struct.pack("iHH8s", socket.if_nametoindex(
                            self.ifname), PACKET_MR_PROMISC, 0, b""))
        return sock

    def _mac(self):
        import fcntl
        SIOCGIFHWADDR = 0x8927
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            req = fcntl.ioctl(s, SIOCGIFHWADDR,
                              struct.pack("16s24x", self.ifname.encode()))
        return ":".join("%02x" % b for b in req[18:24])

    def close(self):
        self._sock.close()

    def send(self, frame, vnet=None):
        """Sends a scapy packet or bytes; vnet says what is still owed."""
        data = bytes(frame)
        if self.vnet:
            data = (vnet or Vnet()).pack() + data
        self._sock.send(data)

    def receive_raw(self):
        """One frame's bytes, VLAN tag put back, and what is owed on it."""
        data, ancillary, _flags, address = self._sock.recvmsg(
            VNET_SIZE + 65536 + 128, 256, socket.MSG_DONTWAIT)
        vnet = None
        if self.vnet:
            vnet, data = Vnet.unpack(data), data[VNET_SIZE:]
        for level, kind, aux in ancillary:
            if level != SOL_PACKET or kind != PACKET_AUXDATA:
                continue
            status, _len, _snap, _mac, _net, tci, tpid = struct.unpack_from(
                "IIIHHHH", aux)
            if status & TP_STATUS_VLAN_VALID:
                if not status & TP_STATUS_VLAN_TPID_VALID:
                    tpid = 0x8100
                data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
        return data, vnet

    def _receive(self):
        """One frame as scapy sees it."""
        data, vnet = self.receive_raw()
        frame = Ether(data)
        frame.vnet = vnet
        frame.raw = data
        return frame

    def frames(self, timeout=TIMEOUT, receive=None):
        """Yields frames as they come; raises when none came in time."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._sock], [], [], left)[0]:
                raise AssertionError("no such frame on %s in %s" % (
                    self.ifname, self.netns.name))
            yield receive() if receive else self._receive()

    def raw_frames(self):
        """Their bytes alone: scapy takes a millisecond for each."""
        return self.frames(receive=lambda: self.receive_raw()[0])

    def expect(self, match, timeout=TIMEOUT):
        """The first frame for which match(frame), or that equals the packet
        'match' byte for byte (and perhaps is padded)."""
        seen = []
        try:
            for frame in self.frames(timeout):
                if matches(frame, match):
                    return frame
                seen.append(frame.summary())
        except AssertionError as e:
            raise AssertionError("%s; others: %s" % (e, seen)) from None

    def absent(self, match, behind, timeout=TIMEOUT):
        """Checks that no frame matches 'match' up to the one that matches
        'behind', which was sent later by the same way."""
        for frame in self.frames(timeout):
            if matches(frame, match):
                raise AssertionError("unwanted on %s in %s: %s" % (
                    self.ifname, self.netns.name, frame.summary()))
            if matches(frame, behind):
                return

    def drain(self):
        """Everything that has arrived by now."""
        got = []
        while select.select([self._sock], [], [], 0)[0]:
            got.append(self._receive())
        return got


def matches(frame, match):
    if callable(match):
        return bool(match(frame))
    wanted = bytes(match)
    return frame.raw == wanted or (
        len(wanted) < 60 and frame.raw == wanted.ljust(len(frame.raw), b"\0"))


def move_file(source, target, address, size=1 << 20, port=5001):
    """Moves random bytes by TCP from one namespace to 'address' in another;
    returns True when their checksums agree."""
    def listen():
        sock = socket.socket(socket.AF_INET6 if ":" in address
                             else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(1)
        sock.settimeout(TIMEOUT)
        return sock

    def connect():
        return socket.create_connection((address, port), TIMEOUT)

    data = os.urandom(min(size, 1 << 20)) * max(1, size >> 20)
    received = hashlib.sha256()

    def receive(server):
        try:
            conn = server.accept()[0]
            conn.settimeout(TIMEOUT)
            with conn:
                while chunk := conn.recv(1 << 18):
                    received.update(chunk)
        except OSError:
            pass                # The checksum tells.

    with target.call(listen) as server:
        thread = threading.Thread(target=receive, args=(server,))
        thread.start()
        try:
            with source.call(connect) as conn:
                conn.sendall(data)
        finally:
            thread.join()
    return received.digest() == hashlib.sha256(data).digest()
