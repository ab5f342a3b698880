"""Restarts: of weftd, and of containers.

      web 10.1.0.10        db 10.1.0.20        vm1 (a TAP)
       | tap                | tap               | in the host
    ---+--------------------+-------------------+---  blue

What intents made outlives weftd: a container's NIC stays where it is, and only
frames wait for the next start."""

import json
import os
import re
import signal
import socket
import subprocess

import pytest

from netns import eventually, run

CLOUD = """\
version: 1
networks: {blue: {subnet: 10.1.0.0/24}}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
  db: {network: blue, netns: db, address: 10.1.0.20, configure: true}
  vm1: {network: blue, tap: vm1}
"""


def apply(lab, text):
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(text)
    lab.weft("apply", path)


@pytest.fixture
def cloud(lab):
    web, db = lab.netns("web"), lab.netns("db")
    lab.start_daemon()
    apply(lab, CLOUD)
    eventually(lambda: web.ping("10.1.0.20", deadline=1), "web reaches db")
    yield lab
    # Of the daemon's end nothing goes; without intents all does.
    apply(lab, "version: 1\n")
    eventually(lambda: "vm1" not in lab.host.links(), "vm1 is gone")
    for netns in (web, db):
        if os.path.exists(netns.path):
            netns.wait_link("eth0", there=False)


def gap(lines):
    """The longest time between two replies of `ping -D`, in seconds."""
    times = [float(t) for t in re.findall(r"\[(\d+\.\d+)\] \d+ bytes", lines)]
    return max(b - a for a, b in zip(times, times[1:]))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_containers_nic_outlives_weftd(cloud, how):
    web = cloud.netns("web")
    index = web.links()["eth0"]
    vm1 = cloud.host.links()["vm1"]
    events = web.popen("ip", "monitor", "link", stdout=subprocess.PIPE,
                       text=True)
    ping = web.popen("ping", "-n", "-D", "-i", "0.01", "10.1.0.20",
                     stdout=subprocess.PIPE, text=True)
    try:
        first = [ping.stdout.readline() for _ in range(2)]
        assert "64 bytes" in first[1]
        getattr(cloud, how)()
        assert web.links()["eth0"] == index
        cloud.restart()
        eventually(lambda: web.ping("10.1.0.20", deadline=1), "as before")
    finally:
        ping.send_signal(2)
        lines = ping.communicate()[0]
        events.terminate()
        said = events.communicate()[0]
    assert web.links()["eth0"] == index
    assert cloud.host.links()["vm1"] == vm1
    assert "Deleted" not in said, said
    assert "10.1.0.10/24" in web.run("ip", "addr", "show", "eth0").stdout
    print("%s and start: %.0f ms without a reply" % (how, gap(first[1] + lines) * 1e3))


SEND = """\
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 5000))
for i in range(2000):
    s.send(b"%d" % i)
    if i == 99:
        print("begins", flush=True)
    time.sleep(0.002)
s.send(b"end")
"""

RECEIVE = """\
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind(("", 5000))
s.settimeout(20)
print("listens", flush=True)
seen, gap, last = [], 0, None
while (data := s.recv(64)) != b"end":
    now = time.monotonic()
    gap, last = max(gap, now - (last or now)), now
    seen.append(int(data))
print(len(seen), seen == sorted(seen), gap)
"""


def main_of(lab):
    """The pid of weftd's main process: the supervisor's child."""
    main, = set(lab.weftd_pids()) - {supervisor_of(lab)}
    return main


def supervisor_of(lab):
    pids = set(lab.weftd_pids())

    def parent(pid):
        with open("/proc/%s/stat" % pid) as f:
            return int(f.read().rpartition(")")[2].split()[1])

    return next(pid for pid in pids if parent(pid) not in pids)


def restarts(lab):
    """How often main was started again; None while it does not answer."""
    done = lab.weft("status", status=None)
    return None if done.returncode else json.loads(done.stdout)["restarts"]


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_frames_wait_for_the_next_main(cloud, how):
    """In their devices, until it has its flow entries."""
    web, db = cloud.netns("web"), cloud.netns("db")
    index = web.links()["eth0"]
    supervisor, main = supervisor_of(cloud), main_of(cloud)
    receiver = db.popen("python3", "-c", RECEIVE, stdout=subprocess.PIPE,
                        text=True)
    assert receiver.stdout.readline() == "listens\n"
    sender = web.popen("python3", "-c", SEND, "10.1.0.20",
                       stdout=subprocess.PIPE, text=True)
    assert sender.stdout.readline() == "begins\n"
    if how == "restart":
        os.kill(supervisor, signal.SIGHUP)
    else:
        os.kill(main, signal.SIGKILL)
    eventually(lambda: restarts(cloud) == 1, "it was restarted")
    assert sender.wait(30) == 0
    n, in_order, longest = receiver.communicate(timeout=30)[0].split()
    print("%s: %.0f ms without a frame" % (how, float(longest) * 1e3))
    assert supervisor_of(cloud) == supervisor and main_of(cloud) != main
    assert web.links()["eth0"] == index
    # A main that is killed has a batch in hand.
    assert in_order == "True"
    assert int(n) == 2000 or (how == "crash" and int(n) >= 2000 - 32)
    if how == "restart":
        assert "ended by signal" not in cloud.log()


def test_connections_outlive_weftd(lab):
    web, db = lab.netns("web"), lab.netns("db")
    state = os.path.join(lab.dir, "state", "connections")
    lab.start_daemon("--save-connections", "1")
    apply(lab, CLOUD)
    eventually(lambda: web.ping("10.1.0.20", deadline=1), "web reaches db")
    supervisor = supervisor_of(lab)
    lab.weft("flow", "add", "table=0,priority=65000,icmp,actions="
             "ct(commit,zone=7,exec(set_field:9->ct_mark)),NORMAL")
    assert web.ping("10.1.0.20")

    def kept(n_restarts):
        eventually(lambda: restarts(lab) == n_restarts, "it runs again")
        one, = lab.weft("connection", "list", "--zone", "7")["connections"]
        assert one["mark"] == 9 and one["original"]["source"] == "10.1.0.10"
        assert 0 < one["expires"] <= 60
        assert "go on" in lab.log()

    os.kill(supervisor, signal.SIGHUP)
    kept(1)
    # It is written again at once, for who is killed.
    eventually(lambda: os.path.exists(state), "they are in a file")
    os.kill(main_of(lab), signal.SIGKILL)
    kept(2)
    lab.stop()
    assert os.stat(state).st_mode & 0o777 == 0o600
    lab.restart()
    kept(0)

    lab.stop()
    with open(state, "r+b") as f:
        f.seek(30)
        f.write(b"damaged")
    lab.restart()
    line, = [s for s in lab.log().splitlines() if "is damaged" in s]
    assert state + ".damaged" in line and "lost" in line
    assert os.path.exists(state + ".damaged")
    assert lab.weft("connection", "list", "--zone", "7")["connections"] == []
    apply(lab, "version: 1\n")
    for netns in (web, db):
        netns.wait_link("eth0", there=False)
    eventually(lambda: "vm1" not in lab.host.links(), "vm1 is gone")


NAT = """\
version: 1
uplinks: {wan: {device: up0, address: 198.51.100.1/24, gateway: 198.51.100.254}}
networks: {blue: {subnet: 10.1.0.0/24, nat: wan}}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10, configure: true}
"""


@pytest.fixture
def way_out(lab):
    """web's connection with a server behind NAT."""
    web = lab.netns("web")
    outside = lab.veth("up0", "outside", addr="198.51.100.254/24")
    lab.start_daemon("--save-connections", "1")
    apply(lab, NAT)
    eventually(lambda: web.ping("198.51.100.254", deadline=1), "NAT works")
    with outside.call(lambda: socket.create_server(
            ("198.51.100.254", 5000))) as listener:
        listener.settimeout(10)
        here = web.call(lambda: socket.create_connection(
            ("198.51.100.254", 5000), 10))
        there, peer = listener.accept()
        assert peer[0] == "198.51.100.1"
        for end in (here, there):
            end.settimeout(20)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with here, there:
            yield here, there
    apply(lab, "version: 1\n")
    web.wait_link("eth0", there=False)


def transfer(sender, receiver, between):
    """Bytes, some of which are on their way while `between` happens."""
    data = os.urandom(300000)
    sender.sendall(data[:150000])
    between()
    sender.sendall(data[150000:])
    got = bytearray()
    while len(got) < len(data):
        more = receiver.recv(1 << 16)
        assert more, "the connection has ended"
        got += more
    assert got == data


def test_a_transfer_through_nat_outlives_weftd(lab, way_out):
    here, there = way_out
    supervisor = supervisor_of(lab)
    state = os.path.join(lab.dir, "state", "connections")

    def unrelated():
        apply(lab, NAT + "  later: {network: blue, address: 10.1.0.99, "
              "tap: later}\n")
        apply(lab, NAT)

    def reload():
        os.kill(supervisor, signal.SIGHUP)
        eventually(lambda: restarts(lab) == 1, "it runs again")

    def crash():
        os.kill(main_of(lab), signal.SIGKILL)
        eventually(lambda: restarts(lab) == 1, "it runs again")

    def restart():
        lab.stop()
        lab.restart()

    def nothing():
        pass

    for deed in (unrelated, reload, restart):
        transfer(here, there, deed)
        transfer(there, here, nothing)
    # The numbers in the file are old by megabytes then.
    eventually(lambda: os.path.exists(state), "connections are in a file")
    for _ in range(10):
        transfer(here, there, nothing)
    transfer(here, there, crash)
    transfer(there, here, nothing)
    # Who is outside speaks first: nothing from inside made it anew.
    restart()
    transfer(there, here, nothing)


def test_an_address_that_the_plan_chose_is_given_and_kept(cloud):
    db = cloud.netns("db")
    apply(cloud, CLOUD.replace("address: 10.1.0.20, ", ""))

    def chosen():
        text = db.run("ip", "-4", "-o", "addr", "show", "dev", "eth0").stdout
        return re.findall(r"inet (\S+)/24", text)

    eventually(lambda: len(chosen()) == 1
               and cloud.netns("web").ping(chosen()[0], deadline=1),
               "one address, which answers")
    assert "via 10.1.0.1" in db.run("ip", "route").stdout
    before = chosen()
    cloud.stop()
    cloud.restart()
    eventually(lambda: cloud.netns("web").ping(before[0], deadline=1),
               "it answers again")
    assert chosen() == before


def test_what_is_no_longer_wanted_goes_at_the_next_start(cloud):
    web = cloud.netns("web")
    cloud.stop()
    assert "eth0" in web.links()
    # As if the intents had changed meanwhile.
    for name in os.listdir(os.path.join(cloud.dir, "state")):
        os.unlink(os.path.join(cloud.dir, "state", name))
    cloud.restart()
    web.wait_link("eth0", there=False)
    assert "vm1" not in cloud.host.links()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_port_follows_its_containers_name(cloud, restarted):
    """Another namespace under the name, while the old one lives on; also when
    weftd itself keeps it alive, having adopted its NIC."""
    if restarted:
        cloud.stop()
        cloud.restart()
        eventually(lambda: cloud.netns("db").ping("10.1.0.10", deadline=1),
                   "as before")
    web = cloud.netns("web")
    old = None if restarted else web.popen(
        "sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE)
    if old:
        assert old.stdout.readline() == b"ready\n"
    try:
        run("ip", "netns", "del", "web")
        run("ip", "netns", "add", "web")
        web.wait_link("eth0")
        eventually(lambda: web.ping("10.1.0.20", deadline=1), "web is back")
        if old:
            there = run("nsenter", "-n", "-t", str(old.pid), "ip", "link")
            assert "eth0" not in there.stdout
    finally:
        if old:
            old.kill()
            old.wait()


def test_a_processs_port_goes_with_it_and_comes_with_the_next(lab):
    """netns: a path, which leads to a process that is started again."""
    path = os.path.join(lab.dir, "netns")
    db = lab.netns("db")

    def begin():
        process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo ready; exec sleep 1000"],
            stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        os.symlink("/proc/%d/ns/net" % process.pid, path)
        return process

    def end(process):
        os.unlink(path)
        process.kill()
        process.wait()

    process = begin()
    try:
        lab.start_daemon()
        apply(lab, CLOUD.replace("netns: web", "netns: " + path))
        for _ in range(2):
            eventually(lambda: db.ping("10.1.0.10", deadline=1), "it is there")
            end(process)
            process = None
            eventually(lambda: not db.ping("10.1.0.10", deadline=1), "gone")
            process = begin()
        eventually(lambda: db.ping("10.1.0.10", deadline=1), "it is back")
        apply(lab, "version: 1\n")
        eventually(lambda: "vm1" not in lab.host.links(), "vm1 is gone")
    finally:
        if process:
            end(process)
