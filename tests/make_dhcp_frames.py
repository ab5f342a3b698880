#!/usr/bin/python3
"""Prints tests/scapy_dhcp.h: what DHCP clients and relays send, and what they
must be answered, both made by scapy, which knows nothing of ours.

    tests/make_dhcp_frames.py > tests/scapy_dhcp.h

The server is that of service/dhcp_options_test.c, with 10.0.0.20 planned for the
client and the options of its configure_much().  The order matters: it is one
client's life."""

from scapy.all import BOOTP, DHCP, IP, UDP, Ether, Raw

CLIENT, RELAY = "02:00:00:00:00:01", "02:00:00:00:00:77"
SERVER = "02:00:00:00:00:fe"
ALL_ETH, ALL, NONE = "ff:ff:ff:ff:ff:ff", "255.255.255.255", "0.0.0.0"
GATEWAY, PLANNED = "10.0.0.1", "10.0.0.20"
CHADDR = bytes.fromhex("020000000001") + bytes(10)
BROADCAST = 0x8000
PXE_ID = b"\x00" + bytes(range(16))
CIRCUIT = b"\x01\x04eth1\x02\x02r7"


def client(options, src=NONE, dst=ALL, eth_dst=ALL_ETH, eth_src=CLIENT,
           sport=68, **header):
    return (Ether(src=eth_src, dst=eth_dst)
            / IP(src=src, dst=dst) / UDP(sport=sport, dport=67)
            / BOOTP(op=1, chaddr=CHADDR, xid=0x3903f326, **header)
            / DHCP(options=options + ["end"]))


def server(options, dst=PLANNED, eth_dst=CLIENT, dport=68, siaddr="10.0.0.3",
           file=b"pxelinux.0", **header):
    bootp = (BOOTP(op=2, chaddr=CHADDR, xid=0x3903f326, siaddr=siaddr,
                   file=file.ljust(128, b"\0"), **header)
             / DHCP(options=options + ["end"]))
    return (Ether(src=SERVER, dst=eth_dst)
            / IP(src=GATEWAY, dst=dst, id=0, flags="DF", ttl=64)
            / UDP(sport=67, dport=dport)
            / Raw(bytes(bootp).ljust(300, b"\0")))


def times(seconds):
    return [("lease_time", seconds), ("renewal_time", seconds // 2),
            ("rebinding_time", seconds * 7 // 8)]


MASK = ("subnet_mask", "255.255.255.0")
ROUTER, DOMAIN = ("router", GATEWAY), ("domain", b"blue.weft")
DNS = ("name_server", "1.1.1.1", "2.2.2.2")
MTU = (26, b"\x05\xaa")
FROM_US = ("server_id", GATEWAY)
ASKS = ("param_req_list", [1, 3, 6, 15])
TOLD = [MASK, ROUTER, DNS, DOMAIN, MTU]
ROUTES = (121, bytes.fromhex("0cac10 0a000005 20c0000201 0a000006"
                             "00 0a000001"))
SEARCH = (119, b"\x04blue\x04weft\x00\x07example\x03org\x00")

# (what happens, question, answer or None)
EXCHANGES = [
    ("a new client discovers",
     client([("message-type", "discover"), ASKS, ("hostname", b"vm")]),
     server([("message-type", "offer"), FROM_US] + times(3600) + TOLD,
            yiaddr=PLANNED)),
    ("it selects", client([("message-type", "request"), FROM_US,
                           ("requested_addr", PLANNED), ASKS]),
     server([("message-type", "ack"), FROM_US] + times(3600) + TOLD,
            yiaddr=PLANNED)),
    ("it renews, for two hours",
     client([("message-type", "request"), ("lease_time", 7200), ASKS],
            src=PLANNED, dst=GATEWAY, eth_dst=SERVER, ciaddr=PLANNED),
     server([("message-type", "ack"), FROM_US] + times(7200) + TOLD,
            ciaddr=PLANNED, yiaddr=PLANNED)),
    ("it rebinds",
     client([("message-type", "request"), ASKS], src=PLANNED,
            ciaddr=PLANNED),
     server([("message-type", "ack"), FROM_US] + times(3600) + TOLD,
            ciaddr=PLANNED, yiaddr=PLANNED)),
    ("it reboots",
     client([("message-type", "request"), ("requested_addr", PLANNED), ASKS],
            flags=BROADCAST),
     server([("message-type", "ack"), FROM_US] + times(3600) + TOLD,
            dst=ALL, eth_dst=ALL_ETH, yiaddr=PLANNED, flags=BROADCAST)),
    ("it comes back from another network",
     client([("message-type", "request"), ("requested_addr", "192.0.2.7")]),
     server([("message-type", "nak"), FROM_US,
             ("error_message", b"this address is of another network")],
            dst=ALL, eth_dst=ALL_ETH, siaddr=NONE, file=b"")),
    ("it informs itself",
     client([("message-type", "inform"), ("param_req_list", [121, 119, 42])],
            src="10.0.0.99", ciaddr="10.0.0.99"),
     server([("message-type", "ack"), FROM_US, MASK, ROUTES, SEARCH,
             ("NTP_server", "10.0.0.9"), MTU],
            dst="10.0.0.99", ciaddr="10.0.0.99")),
    ("its boot ROM discovers, by another identifier",
     client([("message-type", "discover"), ("client_id", PXE_ID),
             ("param_req_list", [66, 67, 150, 43]),
             ("max_dhcp_size", 1260)]),
     server([("message-type", "offer"), FROM_US, ("client_id", PXE_ID)]
            + times(3600)
            + [MASK, (66, b"10.0.0.3"), (67, b"pxelinux.0"),
               (150, b"\x0a\0\0\x03"), (43, b"abc"), MTU],
            yiaddr=PLANNED)),
    ("a relay passes it on, with what it knows of the circuit",
     client([("message-type", "discover"), ASKS, (82, CIRCUIT)],
            src="10.0.0.5", dst=GATEWAY, eth_dst=SERVER, eth_src=RELAY,
            sport=67, giaddr="10.0.0.5", hops=1),
     server([("message-type", "offer"), FROM_US] + times(3600) + TOLD
            + [(82, CIRCUIT)], dst="10.0.0.5", eth_dst=RELAY, dport=67,
            yiaddr=PLANNED, giaddr="10.0.0.5")),
    ("its options lie in pieces, in sname and in file",
     client([(53, b"\x01"), ("param_req_list", [1, 3]), (52, b"\x03")],
            file=(b"\x37\x01\x06\x0c\x01v\xff").ljust(128, b"\0"),
            sname=(b"\x37\x01\x0f\xff").ljust(64, b"\0")),
     server([("message-type", "offer"), FROM_US] + times(3600) + TOLD,
            yiaddr=PLANNED)),
    ("another server was chosen",
     client([("message-type", "request"), ("server_id", "10.0.0.66"),
             ("requested_addr", "10.0.0.67")]), None),
    ("it releases", client([("message-type", "release"), FROM_US],
                           src=PLANNED, dst=GATEWAY, eth_dst=SERVER,
                           ciaddr=PLANNED), None),
]


def c_string(data):
    rows = [data[i:i + 16] for i in range(0, len(data), 16)]
    return "\n".join('      "%s"' % "".join("\\x%02x" % x for x in row)
                     for row in rows) or '      ""'


def main():
    print("/* Made by tests/make_dhcp_frames.py: do not edit. */")
    print("static const struct scapy_exchange {")
    print("    const char *name, *question;")
    print("    size_t question_len;")
    print("    const char *answer;")
    print("    size_t answer_len;            /* 0: none */")
    print("} scapy_exchanges[] = {")
    for name, question, answer in EXCHANGES:
        q, a = bytes(question), bytes(answer) if answer else b""
        print('    { "%s",\n%s, %d,\n%s, %d },'
              % (name, c_string(q), len(q), c_string(a), len(a)))
    print("};")


main()
