"""The API's socket against clients that do not behave.

A switch without ports; every test ends with the daemon answering as before."""

import json
import os
import pwd
import socket
import stat
import subprocess
import threading

import pytest

from netns import eventually

CHUNK = b"x" * 65536


@pytest.fixture
def api(lab):
    lab.start("1=null:")
    yield lab
    assert ask(lab, "GET", "/v1/status")[0] == 200


def connect(lab):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(os.path.join(lab.run_dir, "api.sock"))
    return s


def read_all(s):
    data = b""
    while True:
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return data
        data += piece


def raw(lab, data):
    """What is answered to bytes, to the connection's end."""
    with connect(lab) as s:
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_all(s)


def impatient(lab, data, patience=0.2):
    """What is answered at once."""
    with connect(lab) as s:
        s.settimeout(patience)
        try:
            s.sendall(data)
            return s.recv(65536)
        except OSError:
            return b""


def ask(lab, method, path, body=None):
    """(status, JSON or text) of one request."""
    head = "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (method,
                                                                   path)
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head += "Content-Length: %d\r\n" % len(data)
    answer = raw(lab, head.encode() + b"\r\n" + data)
    top, _, rest = answer.partition(b"\r\n\r\n")
    status = int(top.split()[1])
    if b"chunked" in top.lower():
        rest = unchunk(rest)
    return status, json.loads(rest) if b"/json" in top else rest.decode()


def unchunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        n = int(size, 16)
        out, data = out + data[:n], data[n + 2:]
    return out


def test_unknown_paths_and_methods(api):
    for method, path, status in (
            ("GET", "/", 404), ("GET", "/v1", 404), ("GET", "/v1/prots", 404),
            ("GET", "/v1/ports/1/x", 404), ("GET", "/v1/ports/", 404),
            ("POST", "/v1/status", 405), ("PUT", "/v1/ports", 405),
            ("DELETE", "/v1/ports", 405), ("GET", "/v1/trace", 405)):
        got, body = ask(api, method, path)
        assert (got, list(body)) == (status, ["error"]), path
        assert body["error"]["what"] and body["error"]["code"]


def test_parameters(api):
    for path, status in (
            ("/v1/flows?tabel=1", 400), ("/v1/flows?table=-1", 400),
            ("/v1/flows?table=300", 400), ("/v1/flows?match=%ff", 400),
            ("/v1/flows?table", 400), ("/v1/fdb?port=%00", 404),
            ("/v1/cache?limit=x", 400), ("/v1/capture", 400),
            ("/v1/capture?port=1&direction=up", 400),
            ("/v1/flows?" + "&".join("a%d=1" % i for i in range(99)), 400),
            ("/v1/ports/" + "a" * 200, 404),
            ("/v1/ports/" + "%2f" * 20, 404)):
        got, body = ask(api, "GET", path)
        assert got == status and body["error"]["what"], path


def test_bodies_that_are_refused(api):
    for body in (
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"{\"port\": 1}",
            b"{\"port\": \"a\", \"port\": \"b\"}", b"{\"prot\": \"a\"}",
            b"{\"port\": \"\\u0000\"}", b"[" * 100000,
            b"{\"port\": \"tap\"", b"{\"port\": \"=\"}",
            b"{\"port\": \"" + b"a" * 100000 + b"\"}",
            b"{\"port\": \"tap:\", \"number\": 4294967295}"):
        for path in ("/v1/ports", "/v1/flows", "/v1/groups", "/v1/meters",
                     "/v1/trace"):
            status, answer = ask(api, "POST", path, body)
            assert status in (400, 404), (path, body[:40])
            assert answer["error"]["what"]


def test_a_body_too_large(api):
    status, answer = ask(api, "POST", "/v1/flows", b" " * (1 << 20) + b"{}")
    assert status == 413 and answer["error"]["code"] == "too-large"
    with connect(api) as s:             # One that has no end.
        s.sendall(b"POST /v1/flows HTTP/1.1\r\nHost: x\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            s.sendall(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
        s.sendall(b"0\r\n\r\n")
        assert b" 413 " in s.recv(65536)


def test_garbage(api):
    """Answered by an error, or by nothing until its time is up."""
    post = b"POST /v1/flows HTTP/1.1\r\nHost: x\r\n"
    for data in (
            b"\0" * 1000, b"\r\n" * 1000, b"GET",
            b"GET / HTTP/9.9\r\n\r\n", b"GET /v1/status\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01", b"A" * 100000,
            b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
            post + b"Content-Length: -1\r\n\r\n",
            post + b"Content-Length: 99999999999999999999\r\n\r\n",
            post + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n"):
        answer = impatient(api, data)
        assert not answer or b"HTTP/1." in answer[:9], data[:40]


def test_random_garbage(api):
    import random
    rng = random.Random(5)
    words = [b"GET ", b"POST ", b"/v1/ports", b" HTTP/1.1", b"\r\n",
             b"Host: x\r\n", b"Content-Length: 5\r\n", b"\r\n\r\n", b"{}",
             b"%00", b"?", b"&", b"=", b"\0", b"Connection: close\r\n"]
    for _ in range(300):
        impatient(api, b"".join(rng.choice(words)
                                for _ in range(rng.randrange(1, 30))), 0.01)


def test_clients_that_go_away(api):
    request = b"GET /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for n in range(len(request) + 1):
        with connect(api) as s:
            s.sendall(request[:n])
    for _ in range(20):                 # While a job works for them.
        with connect(api) as s:
            s.sendall(b"GET /v1/flows HTTP/1.1\r\nHost: x\r\n\r\n")


def test_slow_clients_hold_up_nobody(api):
    slow = [connect(api) for _ in range(40)]
    for s in slow:
        s.sendall(b"POST /v1/flows HTTP/1.1\r\nHost: x\r\n"
                  b"Content-Length: 10\r\n\r\n{")
    assert ask(api, "GET", "/v1/status")[0] == 200
    for s in slow:
        s.close()


def test_more_clients_than_there_is_room_for(api):
    crowd = []
    with pytest.raises(BlockingIOError):    # The backlog is full, too.
        while len(crowd) < 1000:
            crowd.append(connect(api))
    assert len(crowd) >= 64
    for s in crowd:
        s.close()

    def answers():
        try:
            return ask(api, "GET", "/v1/status")[0] == 200
        except BlockingIOError:
            return False
    eventually(answers, "an answer")


def test_a_reader_that_does_not_read(api):
    """A long answer waits in its connection; the daemon does not."""
    flows = ["priority=5,tcp,nw_dst=10.0.%d.%d,actions=drop"
             % (i >> 8, i & 255) for i in range(8000)]
    assert ask(api, "POST", "/v1/flows", {"flows": flows})[0] == 200
    lazy = [connect(api) for _ in range(8)]
    for s in lazy:
        s.sendall(b"GET /v1/flows HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(10):
        assert ask(api, "GET", "/v1/status")[0] == 200
    assert len(ask(api, "GET", "/v1/flows")[1]["flows"]) == 8001
    for s in lazy:
        s.close()


def test_many_at_once(api):
    failures = []

    def work(n):
        for i in range(20):
            flow = "priority=%d,udp,nw_dst=10.%d.0.1,actions=drop" % (i + 1, n)
            for method, path, body in (
                    ("POST", "/v1/flows", {"flows": [flow]}),
                    ("GET", "/v1/flows?match=udp", None),
                    ("GET", "/v1/cache", None), ("GET", "/v1/metrics", None),
                    ("DELETE", "/v1/flows?flow=udp,nw_dst=10.%d.0.1" % n,
                     None)):
                status, _ = ask(api, method, path, body)
                if status != 200:
                    failures.append((path, status))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert len(ask(api, "GET", "/v1/flows")[1]["flows"]) == 1


def test_who_may_ask(api):
    """Root and the group; nobody else gets as far as connecting."""
    path = os.path.join(api.run_dir, "api.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    nobody = pwd.getpwnam("nobody")
    script = "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % path
    subprocess.run(["chmod", "755", api.dir], check=True)
    denied = subprocess.run(
        ["/usr/bin/python3", "-c", script], capture_output=True, text=True,
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert "PermissionError" in denied.stderr

    # One who connected by other means is told so.
    os.chmod(path, 0o666)
    script = ("import socket; s = socket.socket(socket.AF_UNIX); "
              "s.connect(%r); s.sendall(b'GET /v1/status HTTP/1.0\\r\\n\\r\\n');"
              "print(s.recv(9999).decode())" % path)
    told = subprocess.run(
        ["/usr/bin/python3", "-c", script], capture_output=True, text=True,
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert " 403 " in told.stdout


def test_a_second_daemon_does_not_take_the_socket(api):
    again = (api.program("weftd"), "--switch-only", "--run-dir", api.run_dir)
    done = api.host.run(*again, check=False)
    assert done.returncode == 1 and "--switch" in done.stdout
    done = api.host.run(*again, "--switch", "other", check=False)
    assert done.returncode == 1 and "listens there already" in done.stdout
