"""DHCP as guests see it: Debian's three clients, and the daemon's leases.

    web, planned 10.1.0.10 --+
    db, planned 10.1.0.20 ---+-- blue 10.1.0.0/24, gateway 10.1.0.1
    fw, allows a MAC more ---+
    spy, planned 10.1.0.10 ----- red, the same subnet
"""

import os
import signal
import subprocess

import pytest

from netns import eventually

NESTED = "02:00:00:00:aa:01"
CLOUD = """\
version: 1
networks:
  blue:
    subnet: 10.1.0.0/24
    mtu: 1400
    dhcp: {range: 10.1.0.100-10.1.0.110, lease: 10m, ntp: 10.1.0.20}
  red: {subnet: 10.1.0.0/24}
ports:
  web: {network: blue, netns: web, address: 10.1.0.10}
  db: {network: blue, netns: db, address: 10.1.0.20}
  fw: {network: blue, netns: fw, address: 10.1.0.30,
       allow: [{mac: "%s"}]}
  spy: {network: red, netns: spy, address: 10.1.0.10}
""" % NESTED

# The clients' names for what they were told: those of udhcpc, and of the other
# two.
TOLD = {
    "ip": "new_ip_address", "subnet": "new_subnet_mask",
    "router": "new_routers", "dns": "new_domain_name_servers",
    "mtu": "new_interface_mtu", "domain": "new_domain_name",
    "ntpsrv": "new_ntp_servers", "lease": "new_dhcp_lease_time",
}

# Writes down what it is told, and does it.  One for all three.
SCRIPT = """\
#!/bin/sh
case "${1:-$reason}" in
bound | renew | BOUND | REBOOT | RENEW)
    ip address flush dev eth0
    ip address add "${ip:-$new_ip_address}/${subnet:-$new_subnet_mask}" \\
        dev eth0
    ip link set dev eth0 mtu "${mtu:-$new_interface_mtu}"
    { echo "happened=${1:-$reason}"; env; } >$OUT.new
    mv $OUT.new $OUT ;;
PREINIT) ip link set dev eth0 up ;;
esac
"""

DHCLIENT_CONF = """\
request subnet-mask, routers, domain-name, domain-name-servers,
    interface-mtu, ntp-servers;
timeout 20;
"""


def write(lab, text, name="cloud.yaml"):
    path = os.path.join(lab.dir, name)
    with open(path, "w") as f:
        f.write(text)
    return path


class Client:
    """A client's files in the lab's directory, and how each is run."""

    def __init__(self, lab, guest):
        self.netns = lab.netns(guest)
        self.out = os.path.join(lab.dir, guest + ".told")
        self.dir = lab.dir
        self.script = write(lab, SCRIPT.replace("$OUT", self.out),
                            guest + ".script")
        os.chmod(self.script, 0o755)
        self.conf = write(lab, DHCLIENT_CONF, "dhclient.conf")
        self.plug()

    def plug(self, *settings):
        """Waits for the NIC, and brings it up with these."""
        self.netns.wait_link("eth0")
        self.netns.run("ip", "link", "set", "dev", "eth0", *settings, "up")

    def told(self):
        """What the script was given the last time, by udhcpc's names."""
        with open(self.out) as f:
            said = dict(line.rstrip("\n").split("=", 1) for line in f
                        if "=" in line)
        for name, other in TOLD.items():
            if other in said:
                said[name] = said[other]
        return said

    def udhcpc(self, *options):
        return ("udhcpc", "-f", "-i", "eth0", "-s", self.script, "-t", "10",
                "-T", "1", "-n", "-O", "mtu", "-O", "ntpsrv") + options

    def run_udhcpc(self, *options):
        self.netns.run(*self.udhcpc("-q", *options))
        return self.told()

    def run_dhclient(self):
        files = ["-cf", self.conf, "-sf", self.script,
                 "-lf", self.out + ".leases", "-pf", self.out + ".pid"]
        self.netns.run("dhclient", "-1", *files, "eth0")
        try:
            return self.told()
        finally:
            self.netns.run("dhclient", "-x", *files, "eth0")

    def run_dhcpcd(self):
        """In directories of its own: it keeps leases by the device's name."""
        self.netns.run(
            "sh", "-ec",
            "mkdir -p /run/dhcpcd /var/lib/dhcpcd\n"
            "mount -t tmpfs none /run/dhcpcd\n"
            "mount -t tmpfs none /var/lib/dhcpcd\n"
            "exec dhcpcd -1 -B -4 -A -t 20 -f /dev/null -c \"$0\" "
            "-o interface_mtu,domain_name,domain_name_servers,ntp_servers "
            "eth0", self.script)
        return self.told()


@pytest.fixture
def cloud(lab):
    for name in ("web", "db", "fw", "spy"):
        lab.netns(name)
    lab.start_daemon()
    lab.weft("apply", write(lab, CLOUD))
    return lab


def leases(lab, *options):
    return lab.weft("lease", "list", *options)["leases"]


@pytest.mark.parametrize("client", ["udhcpc", "dhclient", "dhcpcd"])
def test_a_client_gets_its_planned_address_and_works(cloud, client):
    web = Client(cloud, "web")
    told = getattr(web, "run_" + client)()
    assert told["ip"] == "10.1.0.10"
    assert told["subnet"] == "255.255.255.0"
    assert told["router"] == "10.1.0.1"
    assert told["dns"] == "10.1.0.1"
    assert told["domain"] == "blue.weft"
    assert told["mtu"] == "1400"
    assert told["ntpsrv"] == "10.1.0.20"
    assert told["lease"] == "600"
    Client(cloud, "db").run_udhcpc()
    assert web.netns.ping("10.1.0.20")
    assert web.netns.ping("10.1.0.1")
    [lease] = [r for r in leases(cloud) if r["address"] == "10.1.0.10"]
    assert lease["network"] == "blue" and lease["port"] == "web"
    assert lease["state"] == "bound" and 500 < lease["seconds_left"] <= 600


def test_two_tenants_with_one_subnet_have_two_servers(cloud):
    assert Client(cloud, "web").run_udhcpc()["domain"] == "blue.weft"
    told = Client(cloud, "spy").run_udhcpc()
    assert told["ip"] == "10.1.0.10" and told["domain"] == "red.weft"
    assert len(leases(cloud)) == 2
    assert [r["port"] for r in leases(cloud, "--network", "red")] == ["spy"]


def test_a_lease_is_renewed_and_released(cloud):
    web = Client(cloud, "web")
    running = web.netns.popen(*web.udhcpc("-R"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: os.path.exists(web.out), "a lease")
        running.send_signal(signal.SIGUSR1)
        eventually(lambda: web.told()["happened"] == "renew", "a renewal")
        assert web.told()["ip"] == "10.1.0.10"
    finally:
        running.terminate()
        running.wait()
    eventually(lambda: not leases(cloud), "the lease is over")


def test_a_client_comes_back_with_its_address(cloud):
    """INIT-REBOOT: dhclient asks for what its file says."""
    web = Client(cloud, "web")
    web.run_dhclient()
    told = web.run_dhclient()
    assert told["happened"] == "REBOOT" and told["ip"] == "10.1.0.10"


def test_a_nested_guest_gets_an_address_of_the_range(cloud):
    fw = Client(cloud, "fw")
    assert fw.run_udhcpc()["ip"] == "10.1.0.30"
    fw.plug("address", NESTED)
    told = fw.run_udhcpc()
    host = int(told["ip"].rsplit(".", 1)[1])
    assert 100 <= host <= 110
    assert fw.netns.ping("10.1.0.1")
    assert [r["port"] for r in leases(cloud)] == ["fw", "fw"]


def test_leases_outlive_a_kill(cloud):
    fw = Client(cloud, "fw")
    fw.plug("address", NESTED)
    address = fw.run_udhcpc()["ip"]
    before = leases(cloud)
    cloud.kill()
    cloud.restart()
    after = leases(cloud)
    assert [r["address"] for r in after] == [address]
    for row in before + after:
        row.pop("seconds_left")
    assert before == after
    fw.plug("address", NESTED)        # It is another NIC.
    assert fw.run_udhcpc("-r", address)["ip"] == address


def test_what_a_deleted_port_held_is_free(cloud):
    fw = Client(cloud, "fw")
    fw.plug("address", NESTED)
    fw.run_udhcpc()
    Client(cloud, "web").run_udhcpc()
    cloud.weft("port", "delete", "fw")
    assert [r["port"] for r in leases(cloud)] == ["web"]
    cloud.kill()
    cloud.restart()
    assert [r["port"] for r in leases(cloud)] == ["web"]


def test_another_planned_address_is_given_at_the_next_renewal(cloud):
    web = Client(cloud, "web")
    web.run_udhcpc()
    cloud.weft("port", "set", "web", "--address", "10.1.0.11")
    assert web.run_udhcpc()["ip"] == "10.1.0.11"
    assert web.netns.ping("10.1.0.1")
