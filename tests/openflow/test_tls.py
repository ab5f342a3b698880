"""TLS, with openssl's certificates, Debian's ovs-ofctl and Python's ssl."""

import os
import re
import socket
import ssl
import subprocess

import pytest

import peer as of
from conftest import Switch
from netns import eventually
from peer import Peer

PORT = 6640


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, capture_output=True)


class Authority:
    """A certificate authority in files, and whom it signed."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.cert = self._file(name, "crt")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", self._file(name, "key"), "-out", self.cert)

    def _file(self, name, kind):
        return os.path.join(self.folder, "%s.%s" % (name, kind))

    def sign(self, name, days=2, address=None):
        """(key, certificate) files of a new party."""
        key, request = self._file(name, "key"), self._file(name, "csr")
        cert = self._file(name, "crt")
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", key, "-out", request)
        extra = self._file(name, "ext")
        with open(extra, "w") as f:
            f.write("subjectAltName=IP:%s\n" % address if address else "")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey",
                self._file(self.name, "key"), "-CAcreateserial", "-days",
                str(days), "-extfile", extra, "-out", cert)
        return key, cert


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(str(tmp_path_factory.mktemp("tls")), "ca")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(str(tmp_path_factory.mktemp("tls")), "stranger")


@pytest.fixture(scope="module")
def identity(authority):
    return authority.sign("switch")


def tls_options(authority, identity):
    return ("--private-key", identity[0], "--certificate", identity[1],
            "--ca-cert", authority.cert)


@pytest.fixture
def switch(lab, authority, identity):
    return Switch(lab, "--listen", "pssl:%d:127.0.0.1" % PORT,
                  *tls_options(authority, identity))


def show(switch, authority, identity, version="OpenFlow13", status=0):
    return switch.ofctl(version, "show", "--private-key=" + identity[0],
                        "--certificate=" + identity[1],
                        "--ca-cert=" + authority.cert,
                        target="ssl:127.0.0.1:%d" % PORT, status=status)


def connections(lab, kind):
    return [c for c in lab.weft("controller", "list")["controllers"]
            if c["kind"] == kind]


def refusal(lab):
    """What the listener says about whom it refused last."""
    listener = [c for c in connections(lab, "listener") if c["tls"]][0]
    return listener["last_error"] or ""


@pytest.mark.parametrize("version", Switch.VERSIONS)
def test_ovs_ofctl_by_tls(switch, authority, version):
    said = show(switch, authority, authority.sign("tool"), version)
    assert "dpid:00000000000000ab" in said


def test_who_is_not_signed_is_refused(lab, switch, authority, stranger):
    show(switch, authority, stranger.sign("intruder"), status=1)
    eventually(lambda: re.search(
        r"127\.0\.0\.1:\d+: the peer's certificate is refused: unable to get "
        r"local issuer", refusal(lab)), "the stranger is refused")
    assert "unable to get local issuer" in lab.log()

    show(switch, authority, authority.sign("late", days=-1), status=1)
    eventually(lambda: "certificate has expired" in refusal(lab),
               "the expired certificate is refused")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    anonymous = context.wrap_socket(lab.host.call(
        socket.create_connection, ("127.0.0.1", PORT)))
    eventually(lambda: "showed no certificate" in refusal(lab),
               "who shows none is refused")
    anonymous.close()

    plain = lab.host.call(socket.create_connection, ("127.0.0.1", PORT))
    plain.sendall(bytes((4, 0, 0, 8, 0, 0, 0, 1)) * 2)
    eventually(lambda: "does not speak TLS" in refusal(lab),
               "who speaks no TLS is refused")
    plain.close()
    # And the one who may come still may.
    assert "dpid" in show(switch, authority, authority.sign("friend"))


class Server:
    """A controller's end, inside the namespace where weftd runs."""

    def __init__(self, lab, authority, identity, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity[1], identity[0])
        self.context.load_verify_locations(authority.cert)
        self.context.verify_mode = ssl.CERT_REQUIRED
        if version:
            self.context.maximum_version = version
        self.listener = lab.host.call(socket.create_server,
                                      ("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.method = "ssl:127.0.0.1:%d" % self.listener.getsockname()[1]

    def accept(self):
        return self.context.wrap_socket(self.listener.accept()[0],
                                        server_side=True)


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3))
def test_a_controller_by_tls(lab, authority, identity, version):
    server = Server(lab, authority, authority.sign("controller"), version)
    Switch(lab, "--controller", server.method,
           *tls_options(authority, identity))
    with Peer(server.accept()) as peer:
        peer.hello(4)
        assert peer.ask(of.FEATURES_REQUEST).type == of.FEATURES_REPLY
        # Requests and answers that are many TLS records long.
        echo = bytes(60000)
        for _ in range(20):
            assert peer.ask(of.ECHO_REQUEST, echo).body == echo
        said = connections(lab, "controller")[0]
        assert said["state"] == "connected" and said["role"] == "equal"
        assert said["version"] == "OpenFlow13"
        assert said["tls"].startswith(version.name.replace("_", "."))
        assert "CN=controller" in said["tls"]
    server.listener.close()


def test_a_false_controller_is_not_talked_to(lab, authority, stranger,
                                             identity):
    server = Server(lab, authority, stranger.sign("impostor"))
    Switch(lab, "--controller", server.method,
           *tls_options(authority, identity))
    with pytest.raises(OSError):
        server.accept()
    eventually(lambda: "the peer's certificate is refused" in (
        connections(lab, "controller")[0]["last_error"] or ""),
        "the impostor is refused")
    assert connections(lab, "controller")[0]["state"] != "connected"
    server.listener.close()


@pytest.mark.parametrize("address", ("127.0.0.1", "127.0.0.2", None))
def test_a_controllers_certificate_is_for_its_address(lab, authority,
                                                      identity, address):
    """Where that is asked for."""
    server = Server(lab, authority,
                    authority.sign("at-%s" % address, address=address))
    Switch(lab, "--controller", server.method, "--tls-check-address",
           *tls_options(authority, identity))
    if address == "127.0.0.1":
        with Peer(server.accept()) as peer:
            peer.hello(4)
            assert peer.ask(of.FEATURES_REQUEST).type == of.FEATURES_REPLY
    else:
        with pytest.raises(OSError):
            server.accept()
        eventually(lambda: "IP address mismatch" in (
            connections(lab, "controller")[0]["last_error"] or ""),
            "a certificate for elsewhere is refused")
    server.listener.close()


def test_a_controller_that_refuses_us_says_so(lab, authority, stranger,
                                              identity):
    server = Server(lab, stranger, authority.sign("controller"))
    Switch(lab, "--controller", server.method,
           *tls_options(authority, identity))
    with pytest.raises(ssl.SSLError):
        server.accept()
    eventually(lambda: "refused us by TLS: unknown CA" in (
        connections(lab, "controller")[0]["last_error"] or ""),
        "the reason is told")
    server.listener.close()


def test_files_that_cannot_be_used_are_named(lab, authority, identity):
    def said(*options):
        done = lab.host.run(lab.program("weftd"), "--switch-only",
                            "--run-dir", lab.run_dir, *options, check=False)
        assert done.returncode != 0
        return done.stdout

    key, cert = identity
    assert "/nowhere.pem: No such file" in said(
        *tls_options(authority, ("/nowhere.pem", cert)))
    assert cert + ": no private key" in said(
        *tls_options(authority, (cert, cert)))
    assert "needs --private-key" in said("--listen", "ptls:1:127.0.0.1")
