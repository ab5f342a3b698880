"""A peer that speaks OpenFlow byte by byte, and so may say anything.

    with Peer(switch.mgmt) as peer:
        peer.hello(4)
        peer.send(5)                    # FEATURES_REQUEST
        assert peer.receive().type == 6
"""

import collections
import select
import socket
import struct

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
FEATURES_REQUEST, FEATURES_REPLY = 5, 6
ROLE_REQUEST, ROLE_REPLY = 24, 25       # 1.3 and later
BARRIER_REQUEST, BARRIER_REPLY = 20, 21
EQUAL, MASTER, SLAVE = 1, 2, 3

Message = collections.namedtuple("Message", "version type xid body")


class Peer:
    """`where` is a Unix socket's path, or a connected socket."""

    def __init__(self, where, timeout=10.0):
        if isinstance(where, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(where)
        else:
            self.sock = where
        self.sock.settimeout(timeout)
        self.version = 4
        self.xid = 100
        self.buf = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send_bytes(self, data):
        self.sock.sendall(data)

    def send(self, kind, body=b"", version=None, xid=None):
        """Returns the xid."""
        self.xid += 1
        xid = self.xid if xid is None else xid
        self.send_bytes(struct.pack("!BBHI", version or self.version, kind,
                                    8 + len(body), xid) + body)
        return xid

    def hello(self, version):
        self.version = version
        self.send(HELLO)
        said = self.receive()
        assert said and said.type == HELLO, said
        return said

    def receive(self):
        """The next message; None at the end of the stream."""
        while True:
            if len(self.buf) >= 4:
                length = struct.unpack_from("!H", self.buf, 2)[0]
                if len(self.buf) >= length:
                    data, self.buf = self.buf[:length], self.buf[length:]
                    return Message(data[0], data[1],
                                   struct.unpack_from("!I", data, 4)[0],
                                   data[8:])
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.buf += more

    def ask(self, kind, body=b""):
        """The answer to a request, past what was not asked for."""
        xid = self.send(kind, body)
        while True:
            said = self.receive()
            if said is None or said.xid == xid:
                return said

    def error(self, kind, body=b""):
        """(type, code) of the error that a request is answered with."""
        said = self.ask(kind, body)
        assert said and said.type == ERROR, said
        return struct.unpack_from("!HH", said.body)

    def quiet(self, seconds):
        """True when nothing comes for so long."""
        return not self.buf and not select.select([self.sock], [], [],
                                                  seconds)[0]

    # --- 1.3 and later ------------------------------------------------

    def role(self, role, generation=0):
        return self.ask(ROLE_REQUEST, struct.pack("!IxxxxQ", role,
                                                  generation))

    def barrier(self):
        said = self.ask(BARRIER_REQUEST)
        assert said and said.type == BARRIER_REPLY, said
