"""weft explain: what it says is what packets meet, and why.

    web 10.1.0.10  db 10.1.0.20 (and 10.1.0.64/26 behind it)   blue, fd00:1::/64
    spy 10.2.0.30                                              red
    six-a, six-b                                               six: IPv6 alone
    flat-a, flat-b --- lan0                                    flat: VLAN 20
"""

import json
import os

import pytest

from netns import eventually
from weft import DONE, NEGATIVE, USAGE

CLOUD = """\
version: 1
uplinks:
  lan: {device: lan0}
networks:
  blue: {subnet: 10.1.0.0/24, subnet6: "fd00:1::/64"}
  red: {subnet: 10.2.0.0/24}
  six: {subnet6: "fd00:6::/64"}
  twin: {subnet: 10.1.0.0/24}
  flat: {segment: {vlan: 20, uplink: lan}}
  plan: {subnet: 10.4.0.0/24, segment: {vlan: 40, uplink: lan}}
  near: {subnet: 10.5.0.0/24, subnet6: "fd00:5::/64"}
  far: {subnet: 10.6.0.0/24, subnet6: "fd00:6:1::/64"}
routers:
  r1:
    networks: [near, far, plan]
    routes: [{to: 10.7.0.0/16, via: 10.6.0.20}, {to: 10.8.0.0/16, via: 10.4.0.9}]
ports:
  here: {network: near, netns: here, address: 10.5.0.10}
  there: {network: far, netns: there, address: 10.6.0.20,
          allow: [172.16.0.0/16, 10.7.1.0/24]}

  web: {network: blue, netns: web, address: 10.1.0.10}
  db: {network: blue, netns: db, address: 10.1.0.20, allow: 10.1.0.64/26}
  spy: {network: red, netns: spy, address: 10.2.0.30}
  ghost: {network: twin, netns: ghost, address: 10.1.0.30}
  six-a: {network: six, netns: six-a}
  six-b: {network: six, netns: six-b}
  flat-a: {network: flat, netns: flat-a}
  flat-b: {network: flat, netns: flat-b}
  fw: {trunk: {10: blue, 20: red}, netns: fw}
  gone: {network: blue, netns: gone, address: 10.1.0.40}
"""
GUESTS = ("web", "db", "spy", "ghost", "six-a", "six-b", "flat-a", "flat-b", "fw",
          "here", "there")

# The question, "yes" or "no", and what is said: a part of why.
ROWS = [
    ("web db", "yes", None),
    ("web db tcp/443", "yes", None),
    ("web db tcp6/443", "yes", None),
    ("web db udp/53", "yes", None),
    ("web db sctp/9", "yes", None),
    ("web db sctp6/9", "yes", None),
    ("web db icmp6", "yes", None),
    ("web db any", "yes", None),
    ("web db any6", "yes", None),
    ("web db arp", "yes", None),
    ("web db nd", "yes", None),
    ("blue/web blue/db", "yes", None),
    ("web 10.1.0.20 tcp/80", "yes", None),
    ("10.1.0.20 web", "yes", None),
    ("web 10.1.0.70", "yes", None),
    ("db@10.1.0.70 web", "yes", None),
    ("blue/fw web", "yes", None),
    ("spy red/fw tcp/22", "yes", None),
    ("fw spy", "yes", None),
    ("blue/fw spy", "no", "no router joins"),
    ("six-a six-b", "yes", None),
    ("six-a six-b tcp/80", "yes", None),
    ("flat-a flat-b", "yes", None),
    ("flat-a 192.0.2.99 tcp/80", "yes", None),
    ("flat-a lan/192.0.2.99", "yes", None),
    ("lan/192.0.2.99 flat-b udp/9", "yes", None),
    ("web gateway", "yes", None),
    ("web gateway icmp6", "yes", None),
    ("web gateway udp/53", "yes", None),
    ("web 10.1.0.1", "yes", None),
    ("web gateway tcp/22", "no", "the gateway answers pings"),
    ("web spy", "no", "no-route: no router joins network 'blue' with "
                      "network 'red'"),
    ("web spy tcp/80", "no", "no-route"),
    ("web ghost", "no", "no router joins network 'blue' with network 'twin'"),
    # Whoever is new hears all groups at first.
    ("web 239.1.2.3 udp/5000", "yes", None),
    ("web ff15::7 udp/5000", "yes", None),
    # By way of a router.
    ("here there", "yes", None),
    ("here there tcp/80", "yes", None),
    ("there here udp6/80", "yes", None),
    ("here 10.6.0.20", "yes", None),
    ("here 172.16.1.1", "yes", None),
    ("here 10.7.1.1 tcp/80", "yes", None),
    ("here 10.7.2.1 tcp/80", "no", "10.7.2.1 is not an address of port "
                                   "'there'"),
    ("here 10.6.0.1", "yes", None),
    ("here fd00:6:1::1 icmp6", "yes", None),
    ("here 10.4.0.9 tcp/22", "yes", None),
    ("here 10.8.0.9", "yes", None),
    ("lan/10.4.0.9 here", "yes", None),
    ("here 10.6.0.1 tcp/22", "no", "the gateway answers pings"),
    ("here 10.6.0.99", "no", "nobody in network 'far' is known"),
    ("here web", "no", "no router joins network 'near' with network 'blue'"),
    ("here 192.0.2.1", "no", "no-route"),
    ("web 192.0.2.1", "no", "no router joins network 'blue' with 192.0.2.1"),
    ("web 10.1.0.30", "no", "nobody in network 'blue' has that address"),
    ("web fd00:1::99", "no", "nobody in network 'blue' has that address"),
    ("web@10.9.9.9 db", "no", "10.9.9.9 is not an address of port 'web'"),
    ("web@fd00:9::9 db", "no", "fd00:9::9 is not an address of port 'web'"),
    ("web gone", "no", "port 'gone' is down: namespace 'gone' is not there"),
    ("gone web", "no", "namespace 'gone' is not there"),
]
# Nobody can say: a part of what is said instead.
UNKNOWN = [
    ("web dbb", "there is no port 'dbb'; did you mean 'db'?"),
    ("blu/web db", "there is no network or uplink 'blu'; did you mean "
                   "'blue'?"),
    ("red/web db", "port 'web' is not in network 'red'"),
    ("web db tcp", "'tcp' is not like tcp/443"),
    ("web db tcp/0", "'tcp/0' is not like"),
    ("web db tcp/70000", "'tcp/70000' is not like"),
    ("web db tcp/-1", "'tcp/-1' is not like"),
    ("web db icmp/1", "'icmp/1' is not like"),
    ("web db arp6", "'arp6' is not like"),
    ("web 10.1.0.20 tcp6/80", "one says IPv4, another says IPv6"),
    ("web spy icmp6", "nobody knows an IPv6 address of 'spy'"),
    ("web web", "that is port 'web' twice"),
    ("8.8.8.8 web", "'8.8.8.8' is none of ours"),
    ("lan/192.0.2.1 web", "network 'blue' is not bridged by uplink 'lan'"),
    ("lan/web flat-a", "'web' is no address"),
    ("gateway gateway", "one of the two has to be a port"),
]


def cloud_lab(lab):
    for name in GUESTS:
        lab.netns(name)
    lab.veth("lan0", "lan")
    lab.start_daemon()
    path = os.path.join(lab.dir, "cloud.yaml")
    with open(path, "w") as f:
        f.write(CLOUD)
    lab.weft("apply", path)
    for name in GUESTS:
        lab.netns(name).wait_link("eth0")
    eventually(lambda: lab.weft("controller", "show")["synced"],
               "the flows are there")
    return lab


def ask(lab, question, status):
    return lab.weft("explain", *question.split(), status=status)


def test_what_is_said_of_everybody(lab):
    cloud_lab(lab)
    wrong = []
    for question, verdict, why in ROWS:
        said = lab.weft("explain", *question.split(), status=None)
        answer = json.loads(said.stdout)
        fits = (answer.get("verdict") == verdict
                and said.returncode == (DONE if verdict == "yes"
                                        else NEGATIVE)
                and (why or "") in (answer["why"] or ""))
        if not fits:
            wrong.append((question, verdict, why, said.stdout[:600]))
    assert not wrong
    for question, what in UNKNOWN:
        error = ask(lab, question, USAGE)["error"]
        if what not in error["what"]:
            wrong.append((question, what, error["what"]))
    assert not wrong


@pytest.fixture
def pair(lab):
    for name in ("web", "db"):
        lab.netns(name)
    lab.start_daemon()
    path = os.path.join(lab.dir, "pair.yaml")
    with open(path, "w") as f:
        f.write("version: 1\nnetworks:\n  blue: {subnet: 10.1.0.0/24}\n"
                "ports:\n"
                "  web: {network: blue, netns: web, address: 10.1.0.10}\n"
                "  db: {network: blue, netns: db, address: 10.1.0.20}\n")
    lab.weft("apply", path)
    for name, address in (("web", "10.1.0.10/24"), ("db", "10.1.0.20/24")):
        lab.netns(name).wait_link("eth0")
        lab.netns(name).run("ip", "addr", "add", address, "dev", "eth0")
    return lab


def test_what_it_says_would_change_it_does(pair):
    web = pair.netns("web")
    assert web.ping("10.1.0.20")
    said = ask(pair, "web db", DONE)
    assert said["there"]["origin"].endswith("pair.yaml:6)")
    assert said["there"]["stage"] == "output" and said["back"]["passes"]
    assert "yes: web reaches db by tcp/443" in pair.text(
        "explain", "web", "db", "tcp/443")
    pair.weft("port", "set", "web", "--isolated", "true")
    pair.weft("port", "set", "db", "--isolated", "true")
    said = ask(pair, "web db", NEGATIVE)
    assert said["decided"] == "there" and said["stage"] == "output"
    assert said["origin"] == "port 'db'", "by a command: no line"
    assert not web.ping("10.1.0.20", deadline=1)
    pair.weft(*said["fix"].split()[1:])
    ask(pair, "web db", DONE)
    assert web.ping("10.1.0.20")
    # Somebody else's address, as it is seen on the wire.
    web.run("ip", "addr", "add", "10.1.0.99/24", "dev", "eth0")
    said = ask(pair, "web@10.1.0.99 db", NEGATIVE)
    assert said["stage"] == "address-security"
    pair.weft(*said["fix"].split()[1:])
    ask(pair, "web@10.1.0.99 db", DONE)
    web.run("ping", "-c1", "-W2", "-I", "10.1.0.99", "10.1.0.20")


def test_only_the_reply_may_fail(pair):
    """A flow of somebody's own, which the switch has until it is taken
    back."""
    number = {p["name"]: p["number"] for p in pair.weft("port", "list")[
        "ports"]}["db"]
    pair.weft("flow", "add", "table=0,priority=999,in_port=%d,tcp,"
              "tcp_src=443,actions=drop" % number)
    said = ask(pair, "web db tcp/443", NEGATIVE)
    assert said["there"]["passes"] and not said["back"]["passes"]
    assert said["decided"] == "back" and said["origin"] == "somebody else"
    text = pair.weft("explain", "db", "web", "tcp/80", status=DONE)
    assert text["verdict"] == "yes"


def test_notes_say_what_the_tables_do_not(pair):
    said = ask(pair, "web db", DONE)
    assert any("'db' has not asked for its address 10.1.0.20" in note
               for note in said["notes"])
    pair.weft("network", "set", "blue", "--storm-cap", "1")
    web = pair.netns("web")
    web.run("ping", "-b", "-c20", "-i0.01", "-w1", "10.1.0.255", check=False)

    def dropped():
        return [n for n in ask(pair, "web db", DONE)["notes"]
                if "the storm cap of port 'web' has dropped" in n]
    eventually(dropped, "the storm cap's drops are told")


def test_a_link_that_is_away_is_told(pair):
    pair.netns("db").run("ip", "link", "del", "eth0", check=False)

    def is_down():
        said = pair.weft("explain", "web", "db", status=None)
        return said.returncode == NEGATIVE and "port 'db' is down" \
            in said.stdout
    eventually(is_down, "the port is down, and it is said")


def test_another_host_has_it(lab):
    lab.netns("web")
    lab.start_daemon()
    lab.weft("network", "create", "blue", "--subnet", "10.1.0.0/24")
    lab.weft("port", "add", "web", "--network", "blue", "--netns", "web")
    lab.weft("port", "add", "far", "--network", "blue", "--netns", "far",
             "--host", "elsewhere")
    error = ask(lab, "web far", USAGE)["error"]
    assert error["what"] == "port 'far' is on host 'elsewhere': ask there"
