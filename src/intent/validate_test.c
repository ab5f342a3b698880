/* Each rule that a set keeps, with the very words of its breach. */
#include "intent/intent_lab.h"
#include "unit.h"

#define port_said lab_port_said
#define network_said lab_network_said
#define uplink_said lab_uplink_said

/* ---- Uplinks ---- */

TEST(an_uplink_is_made_of_one_thing)
{
    uplink_said("  lan: {}\n", "t:3:3: uplink 'lan' needs device, bond or "
                "host\n");
    uplink_said("  lan: {device: eth1, host: true}\n", "t:3:29: host: an "
                "uplink has one of device, bond, host\n");
    uplink_said("  lan: {bond: [eth1, eth2], device: eth3}\n", "t:3:37: "
                "device: an uplink has one of device, bond, host\n");
    uplink_said("  lan: {host: true, bond: [eth1, eth2]}\n", "t:3:27: bond: "
                "an uplink has one of device, bond, host\n");
}

TEST(a_device_leads_to_one_uplink)
{
    uplink_said("  b: {device: eth1}\n  a: {device: eth1}\n", "t:4:15: "
                "device: device 'eth1' is already used by uplink 'b' (line "
                "3)\n"
                "t:4:15: device: the switch's port name 'eth1' is already "
                "used by uplink 'b' (line 3)\n");
    uplink_said("  a: {bond: [eth1, eth2]}\n  b: {device: eth2}\n"
                "ports:\n  p: {network: n, device: eth1}\n"
                "networks: {n: }\n",
                "t:4:15: device: device 'eth2' is already used by uplink 'a' "
                "(line 3)\n"
                "t:4:15: device: the switch's port name 'eth2' is already "
                "used by uplink 'a' (line 3)\n"
                "t:6:27: device: device 'eth1' is already used by uplink 'a' "
                "(line 3)\n");
}

TEST(only_a_bond_has_a_mode)
{
    uplink_said("  a: {device: eth1, mode: lacp}\n",
                "t:3:27: mode: only a bond has one\n");
    uplink_said("  a: {host: true, take-over: true}\n",
                "t:3:30: take-over: there is no device to take over\n");
}

TEST(two_uplinks_into_one_segment_are_a_bond)
{
    network_said("  flat: {segment: {vlan: 0, uplink: [lan, wan]}}\n",
                 "t:6:37: uplink: two uplinks into one segment are a loop; one "
                 "uplink of several devices is a bond: {bond: [eth1, "
                 "eth2]}\n");
}

TEST(what_a_bond_says_fits_its_mode)
{
    uplink_said("  a: {bond: [eth1, eth2], mode: lacp, lacp-rate: slow}\n"
                "  b: {bond: [eth3, eth4], primary: eth4, fail-back: 1m}\n",
                "");
    uplink_said("  a: {bond: [eth1, eth2], mode: lacp, primary: eth1}\n",
                "t:3:48: primary: only an active-backup bond has one\n");
    uplink_said("  a: {bond: [eth1, eth2], primary: eth3}\n",
                "t:3:36: primary: 'eth3' is not one of the bond's devices\n");
    uplink_said("  a: {bond: [eth1, eth2], fail-back: 5s}\n",
                "t:3:38: fail-back: there is no primary to go back to\n");
    uplink_said("  a: {bond: [eth1, eth2], lacp-rate: fast}\n",
                "t:3:38: lacp-rate: only a bond with lacp has one\n");
}

/* ---- Networks ---- */

TEST(a_subnet_has_room_for_guests)
{
    network_said("  n: {subnet: 10.0.0.0/31}\n", "t:6:15: subnet: a prefix "
                 "has 8 to 30 bits here, not 31\n");
    network_said("  n: {subnet: 10.0.0.0/7}\n", "t:6:15: subnet: a prefix "
                 "has 8 to 30 bits here, not 7\n");
    network_said("  n: {subnet: 10.0.0.0/8}\n  m: {subnet: 10.0.0.0/30}\n",
                 "");
    network_said("  n: {subnet6: fd00::/127}\n", "t:6:16: subnet6: a prefix "
                 "has 16 to 126 bits here, not 127\n");
    network_said("  n: {subnet6: fd00::/80}\n", "t:6:16: subnet6: guests "
                 "choose their own address only in a /64: say 'ra: "
                 "stateful'\n");
    network_said("  n: {subnet6: fd00::/80, ra: stateful}\n", "");
}

TEST(relayed_subnets_are_others_and_whole)
{
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {relays: [{subnet: "
                 "10.9.0.0/24, range: 10.9.0.5-10.9.0.9}, {subnet: "
                 "10.8.0.0/24, router: none}]}}\n", "");
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {relays: [{subnet: "
                 "10.0.0.128/25}]}}\n", "t:6:34: dhcp: relays: 10.0.0.128/25 "
                 "overlaps another subnet of the network\n");
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {relays: [{subnet: "
                 "10.9.0.0/24, router: 10.8.0.1}]}}\n", "t:6:34: dhcp: "
                 "relays: router and range of 10.9.0.0/24 are hosts' "
                 "addresses within it\n");
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {relays: [{subnet: "
                 "10.9.0.0/31}]}}\n", "t:6:34: dhcp: relays: a prefix has 8 "
                 "to 30 bits here, not 31\n");
}

TEST(what_dhcp6_says_needs_an_ipv6_subnet)
{
    network_said("  n: {subnet: 10.0.0.0/24, dhcp6: {lease: 1h}}\n",
                 "t:6:35: dhcp6: network 'n' has no subnet6\n");
    network_said("  n: {subnet6: fd00::/64, dhcp6: {ntp: fd00::5}}\n", "");
}

TEST(a_subnet_is_for_guests)
{
    network_said("  n: {subnet: 224.0.0.0/24}\n",
                 "t:6:15: subnet: 224.0.0.0 is not for guests\n");
    network_said("  n: {subnet: 127.0.0.0/24}\n",
                 "t:6:15: subnet: 127.0.0.0 is not for guests\n");
    network_said("  n: {subnet: 0.0.0.0/8}\n",
                 "t:6:15: subnet: 0.0.0.0 is not for guests\n");
    network_said("  n: {subnet6: ff02::/64}\n",
                 "t:6:16: subnet6: ff02:: is not for guests\n");
    network_said("  n: {subnet6: fe80::/64}\n",
                 "t:6:16: subnet6: fe80:: is not for guests\n");
    network_said("  n: {subnet6: \"::/64\"}\n",
                 "t:6:16: subnet6: :: is not for guests\n");
}

TEST(a_gateway_is_a_host_of_the_subnet)
{
    network_said("  n: {subnet: 10.0.0.0/24, gateway: 10.0.1.1}\n", "t:6:37: "
                 "gateway: 10.0.1.1 is no host's address within the "
                 "subnet\n");
    network_said("  n: {subnet: 10.0.0.0/24, gateway: 10.0.0.255}\n",
                 "t:6:37: gateway: 10.0.0.255 is no host's address within the "
                 "subnet\n");
    network_said("  n: {subnet: 10.0.0.0/24, gateway: 10.0.0.0}\n",
                 "t:6:37: gateway: 10.0.0.0 is no host's address within the "
                 "subnet\n");
    network_said("  n: {gateway: 10.0.0.1}\n",
                 "t:6:16: gateway: network 'n' has no subnet\n");
    network_said("  n: {subnet6: fd00::/64, gateway6: fd01::1}\n", "t:6:37: "
                 "gateway6: fd01::1 is no host's address within the "
                 "subnet\n");
    network_said("  n: {subnet6: fd00::/64, gateway6: \"fd00::\"}\n",
                 "t:6:37: gateway6: fd00:: is no host's address within the "
                 "subnet\n");
    network_said("  n: {gateway6: fd00::1}\n",
                 "t:6:17: gateway6: network 'n' has no subnet6\n");
    network_said("  n: {gateway: none, gateway6: none}\n", "");
}

TEST(ipv6_needs_large_packets)
{
    network_said("  n: {subnet6: fd00::/64, mtu: 1200}\n",
                 "t:6:32: mtu: IPv6 needs 1280 at least\n");
    network_said("  n: {subnet: 10.0.0.0/24, mtu: 1200}\n", "");
}

TEST(what_dhcp_hands_out_is_within_the_subnet)
{
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {range: "
                 "10.0.0.9-10.0.1.9}}\n", "t:6:34: dhcp: range: 10.0.1.9 is "
                 "no host's address within the subnet\n");
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {range: "
                 "10.0.0.0-10.0.0.9}}\n", "t:6:34: dhcp: range: 10.0.0.0 is "
                 "no host's address within the subnet\n");
    network_said("  n: {subnet: 10.0.0.0/24, dhcp: {routes: {to: "
                 "10.9.0.0/16, via: 10.9.0.1}}}\n", "t:6:34: dhcp: routes: "
                 "10.9.0.1 is no host's address within the subnet\n");
    network_said("  n: {dhcp: {lease: 1h}}\n",
                 "t:6:13: dhcp: network 'n' has no subnet\n");
    network_said("  n: {dhcp: off}\n", "");
}

TEST(a_vlan_of_an_uplink_is_one_network)
{
    network_said("  red: {segment: {vlan: 20, uplink: lan}}\n"
                 "  blue: {segment: {vlan: 20, uplink: lan}}\n",
                 "t:7:19: segment: VLAN 20 of uplink 'lan' is already used by "
                 "network 'red' (line 6)\n");
    network_said("  a: {segment: {vlan: 0, uplink: lan}}\n"
                 "  b: {segment: {vlan: 0, uplink: lan}}\n",
                 "t:7:16: segment: untagged of uplink 'lan' is already used "
                 "by network 'a' (line 6)\n");
    network_said("  a: {segment: {vlan: 9, uplink: lan, protocol: 802.1ad}}\n"
                 "  b: {segment: {vlan: 9, uplink: lan, protocol: 802.1ad}}\n",
                 "t:7:16: segment: VLAN 9 of uplink 'lan' is already used by "
                 "network 'a' (line 6)\n");
    /* Whichever tag carries the number. */
    network_said("  a: {segment: {vlan: 9, uplink: lan, protocol: 802.1ad}}\n"
                 "  b: {segment: {vlan: 9, uplink: lan, protocol: 802.1q}}\n"
                 "  c: {segment: {vlan: 10, uplink: lan}}\n",
                 "t:7:16: segment: VLAN 9 of uplink 'lan' is already used by "
                 "network 'a' (line 6)\n");
}

TEST(a_segment_needs_an_uplink_with_a_device)
{
    network_said("  n: {segment: {vlan: 5, uplink: wan}}\n", "t:6:16: "
                 "segment: uplink 'wan' has no device that could carry it\n");
    network_said("  n: {segment: {vlan: 5, uplink: lam}}\n", "t:6:16: "
                 "segment: there is no uplink 'lam'; did you mean 'lan'?\n");
}

/* ---- Ports ---- */

TEST(a_port_is_on_a_network_that_there_is)
{
    port_said("  p: {tap: x}\n",
              "t:7:3: port 'p' needs a network, or a trunk\n");
    port_said("  p: {network: bar, tap: x}\n", "t:7:16: network: there is no "
              "network 'bar'; did you mean 'bare'?\n");
    port_said("  p: {trunk: {5: c}, tap: x}\n",
              "t:7:14: trunk: there is no network 'c'; did you mean 'a'?\n");
}

TEST(a_port_has_one_thing_plugged_in)
{
    port_said("  p: {network: a}\n",
              "t:7:3: port 'p' needs one of netns, tap, tun, device\n");
    port_said("  p: {network: a, tap: x, netns: y}\n", "t:7:34: netns: a port "
              "has one of netns, tap, tun, device; here it has 'tap', too\n");
    port_said("  p: {network: a, tap: x, nic: net0, veth: true}\n"
              "  q: {network: a, netns: x, user: root, group: kvm}\n",
              "t:7:32: nic: only with netns\n"
              "t:7:44: veth: only with netns\n"
              "t:8:35: user: only with tap or tun\n"
              "t:8:48: group: only with tap or tun\n");
    port_said("  p: {network: a, device: x, configure: true}\n",
              "t:7:41: configure: only with netns\n");
}

TEST(a_device_is_plugged_in_once)
{
    port_said("  p: {network: a, tap: x}\n  q: {network: a, device: x}\n",
              "t:8:27: device: device 'x' is already used by port 'p' (line "
              "7)\n");
    port_said("  p: {network: a, netns: x}\n  q: {network: a, netns: x}\n",
              "t:8:26: netns: 'eth0' in namespace 'x' is already used by port "
              "'p' (line 7)\n");
    port_said("  p: {network: a, netns: x}\n"
              "  q: {network: a, netns: x, nic: eth1}\n", "");
    /* Each host has devices of its own. */
    port_said("  p: {network: a, tap: x, host: h1}\n"
              "  q: {network: a, tap: x, host: h2}\n"
              "  r: {network: a, tap: x}\n", "");
    port_said("  p: {network: a, tap: x, host: h1}\n"
              "  q: {network: a, tap: x, host: h1}\n",
              "t:8:24: tap: device 'x' of host h1 is already used by port 'p' "
              "(line 7)\n");
}

TEST(an_address_is_a_guest_s_of_the_subnet)
{
    port_said("  p: {network: a, tap: x, address: 10.2.0.9}\n", "t:7:36: "
              "address: 10.2.0.9 is not within 10.1.0.0/24 of network 'a'\n");
    port_said("  p: {network: a, tap: x, address: 10.1.0.1}\n",
              "t:7:36: address: 10.1.0.1 is the gateway of network 'a'\n");
    port_said("  p: {network: a, tap: x, address: 10.1.0.0}\n", "t:7:36: "
              "address: 10.1.0.0 is the network's own address of network "
              "'a'\n");
    port_said("  p: {network: a, tap: x, address: 10.1.0.255}\n", "t:7:36: "
              "address: 10.1.0.255 is the broadcast address of network "
              "'a'\n");
    port_said("  p: {network: bare, tap: x, address: 10.1.0.5}\n",
              "t:7:39: address: network 'bare' has no subnet\n");
    port_said("  p: {trunk: {5: a}, tap: x, address: 10.1.0.5}\n",
              "t:7:39: address: without a network\n");
}

TEST(an_ipv6_address_is_a_guest_s_of_the_subnet)
{
    port_said("  p: {network: b, tap: x, address6: fd01::9}\n", "t:7:37: "
              "address6: fd01::9 is not within fd00::/64 of network 'b'\n");
    port_said("  p: {network: b, tap: x, address6: fd00::1}\n",
              "t:7:37: address6: fd00::1 is the gateway of network 'b'\n");
    port_said("  p: {network: b, tap: x, address6: \"fd00::\"}\n", "t:7:37: "
              "address6: fd00:: is every router's address of network 'b'\n");
    port_said("  p: {network: a, tap: x, address6: fd00::5}\n",
              "t:7:37: address6: network 'a' has no subnet6\n");
    port_said("  p: {trunk: {5: b}, tap: x, address6: fd00::5}\n",
              "t:7:40: address6: without a network\n");
    port_said("  p: {network: b, tap: x, address6: fd00::5}\n", "");
}

TEST(a_bridged_network_has_addresses_that_we_do_not_know)
{
    lab_check_said("version: 1\nuplinks: {lan: {device: eth1}}\n"
                   "networks: {flat: {segment: {vlan: 0, uplink: lan}}}\n"
                   "ports: {p: {network: flat, tap: x, address: 192.0.2.5, "
                   "address6: fd00::5}}\n", "");
}

TEST(an_address_is_given_once)
{
    port_said("  p: {network: b, tap: x, address: 10.1.0.5, "
              "address6: fd00::5}\n"
              "  o: {network: b, tap: y, address: 10.1.0.5, "
              "address6: fd00::5}\n",
              "t:8:36: address: 10.1.0.5 of network 'b' is already used by "
              "port 'p' (line 7)\n"
              "t:8:56: address6: fd00::5 of network 'b' is already used by "
              "port 'p' (line 7)\n");
    port_said("  p: {network: a, tap: x, address: 10.1.0.5}\n"
              "  q: {network: b, tap: y, address: 10.1.0.5}\n", "");
}

TEST(a_mac_is_given_once_in_a_network)
{
    port_said("  p: {network: a, tap: x, mac: 02:00:00:00:00:01}\n"
              "  q: {network: a, tap: y, mac: 02:00:00:00:00:01}\n",
              "t:8:32: mac: 02:00:00:00:00:01 of network 'a' is already used "
              "by port 'p' (line 7)\n");
    port_said("  p: {network: a, tap: x, mac: 02:00:00:00:00:01}\n"
              "  q: {trunk: {5: a}, tap: y, mac: 02:00:00:00:00:01}\n",
              "t:8:35: mac: 02:00:00:00:00:01 of network 'a' is already used "
              "by port 'p' (line 7)\n");
    port_said("  p: {network: a, tap: x, mac: 02:00:00:00:00:01}\n"
              "  q: {network: b, tap: y, mac: 02:00:00:00:00:01}\n", "");
}

TEST(a_mac_is_not_the_gateway_s)
{
    struct intent *set = lab_sealed("version: 1\nnetworks: {a: }\n");
    char mac[32];
    struct str rows = STR_INIT, expected = STR_INIT;
    const struct eth_addr *gateway = &intent_network_cast(
        intent_find(set, INTENT_NETWORK, "a"))->gateway_mac;

    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", gateway->b[0],
             gateway->b[1], gateway->b[2], gateway->b[3], gateway->b[4],
             gateway->b[5]);
    str_addf(&rows, "  p: {network: a, tap: x, mac: \"%s\"}\n", mac);
    str_addf(&expected, "t:7:32: mac: %s is the gateway's of network 'a'\n",
             mac);
    port_said(str_text(&rows), str_text(&expected));
    str_fini(&rows);
    str_fini(&expected);
    intent_unref(set);
}

TEST(a_trunk_carries_a_network_once)
{
    port_said("  p: {tap: x, trunk: {5: a, 6: a}}\n",
              "t:7:22: trunk: network 'a' is there twice\n");
    port_said("  p: {network: a, tap: x, trunk: {5: a}}\n",
              "t:7:34: trunk: network 'a' is there twice\n");
    port_said("  p: {tun: x, trunk: {5: a}}\n", "t:7:22: trunk: a tun has no "
              "Ethernet that could be tagged\n");
    port_said("  p: {network: bare, tap: x, trunk: {5: a, 6: b}}\n", "");
}

TEST(a_mirror_is_another_port_without_one)
{
    port_said("  p: {network: a, tap: x, mirror: p}\n",
              "t:7:35: mirror: a port cannot be its own mirror\n");
    port_said("  p: {network: a, tap: x, mirror: q}\n"
              "  q: {network: a, tap: y, mirror: p}\n",
              "t:7:35: mirror: port 'q' has a mirror itself: copies are not "
              "copied\n"
              "t:8:35: mirror: port 'p' has a mirror itself: copies are not "
              "copied\n");
    port_said("  p: {network: a, tap: x, mirror: q}\n"
              "  q: {network: a, tap: y}\n  r: {network: b, tap: z, "
              "mirror: q}\n", "");
    port_said("  p: {network: a, tap: x, mirror: qq}\n",
              "t:7:35: mirror: there is no port 'qq'\n");
}

TEST(the_switch_calls_each_port_differently)
{
    /* The short form of frontend-of-the-shop, taken by another. */
    port_said("  frontend-of-the-shop: {network: a, tap: x}\n"
              "  fronte-kb3rsnli: {network: a, tap: y}\n",
              "t:8:3: the switch's port name 'fronte-kb3rsnli' is already "
              "used by port 'frontend-of-the-shop' (line 7)\n");
}

TEST(without_a_file_the_path_is_said)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    json_t *json = json_pack("{s:i, s:{s:{}}, s:{s:{s:s, s:s}, s:{s:s, s:s}}}",
                             "version", 1, "networks", "n", "ports", "a",
                             "network", "n", "tap", "x", "b", "network", "n",
                             "tap", "x");
    struct str said = STR_INIT;

    CHECK(intent_parse_json(set, json, diagnostics));
    CHECK(!intent_seal(set, diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(str_text(&said), "ports.b.tap: device 'x' is already "
                        "used by port 'a'\n");
    json_decref(json);
    intent_unref(set);
    diag_destroy(diagnostics);
    str_fini(&said);
}

/* ---- Routers ---- */

#define router_said lab_router_said

TEST(a_router_joins_networks_that_have_gateways)
{
    router_said("  r: {networks: [blue, red]}\n", "");
    router_said("  r: {networks: blue}\n", "");
    router_said("  r: {networks: []}\n", "t:9:17: networks: a router joins one "
                "network at least\n");
    router_said("  r: {networks: [blue, bare]}\n", "t:9:17: networks: network "
                "'bare' has no gateway: give it a subnet\n");
    router_said("  r: {networks: [blue, rde]}\n", "t:9:17: networks: there is "
                "no network 'rde'; did you mean 'red'?\n");
    router_said("  r: {networks: [blue, blue]}\n", "t:9:24: networks: 'blue' "
                "is there twice\n");
}

TEST(a_network_is_in_one_router)
{
    router_said("  r: {networks: [blue, red]}\n  s: {networks: red}\n",
                "t:10:17: networks: network 'red' is already used by router 'r' "
                "(line 9)\n");
}

TEST(joined_networks_have_no_address_in_common)
{
    router_said("  r: {networks: [twin, blue, red]}\n", "t:9:17: networks: "
                "10.1.0.0/24 of network 'blue' overlaps 10.1.0.0/16 of "
                "network 'twin'\n");
    router_said("  r: {networks: [six, red]}\n", "t:9:17: networks: "
                "fd00:2::/64 of network 'red' overlaps fd00:2::/32 of network "
                "'six'\n");
}

TEST(a_route_leads_by_a_station_of_a_joined_network)
{
    router_said("  r: {networks: [blue, red], routes: [{to: 10.9.0.0/16, via: "
                "10.1.0.77}, {to: \"::/0\", via: \"fd00:2::9\"}]}\n", "");
    router_said("  r: {networks: blue, routes: {to: 10.9.0.0/16, via: "
                "10.2.0.7}}\n", "t:9:31: routes: 10.9.0.0/16: 10.2.0.7 is in "
                "none of the router's networks\n");
    router_said("  r: {networks: blue, routes: {to: 10.9.0.0/16, via: "
                "10.1.0.1}}\n", "t:9:31: routes: 10.9.0.0/16: 10.1.0.1 is the "
                "router itself, in network 'blue'\n");
    router_said("  r: {networks: blue, routes: {to: 10.1.0.0/24, via: "
                "10.1.0.7}}\n", "t:9:31: routes: 10.1.0.0/24 is network "
                "'blue', which the router joins\n");
    router_said("  r: {networks: blue, routes: [{to: 10.9.0.0/16, via: "
                "10.1.0.7}, {to: 10.9.0.0/16, via: 10.1.0.8}]}\n",
                "t:9:31: routes: 10.9.0.0/16 is there twice\n");
    router_said("  r: {networks: blue, routes: [{to: \"fd00::/16\", via: "
                "10.1.0.7}]}\n", "t:9:32: routes: 'to' and 'via' are of one "
                "family, IPv4 or IPv6\n");
    router_said("  r: {networks: blue, routes: [{to: 10.9.0.1/16, via: "
                "10.1.0.7}]}\n", "t:9:37: to: '10.9.0.1/16' is an "
                "address within the network 10.9.0.0/16\n");
}

TESTS(
    RUN(a_router_joins_networks_that_have_gateways),
    RUN(a_network_is_in_one_router),
    RUN(joined_networks_have_no_address_in_common),
    RUN(a_route_leads_by_a_station_of_a_joined_network),
    RUN(an_uplink_is_made_of_one_thing),
    RUN(a_device_leads_to_one_uplink),
    RUN(only_a_bond_has_a_mode),
    RUN(two_uplinks_into_one_segment_are_a_bond),
    RUN(what_a_bond_says_fits_its_mode),
    RUN(a_subnet_has_room_for_guests),
    RUN(relayed_subnets_are_others_and_whole),
    RUN(what_dhcp6_says_needs_an_ipv6_subnet),
    RUN(a_subnet_is_for_guests),
    RUN(a_gateway_is_a_host_of_the_subnet),
    RUN(ipv6_needs_large_packets),
    RUN(what_dhcp_hands_out_is_within_the_subnet),
    RUN(a_vlan_of_an_uplink_is_one_network),
    RUN(a_segment_needs_an_uplink_with_a_device),
    RUN(a_port_is_on_a_network_that_there_is),
    RUN(a_port_has_one_thing_plugged_in),
    RUN(a_device_is_plugged_in_once),
    RUN(an_address_is_a_guest_s_of_the_subnet),
    RUN(an_ipv6_address_is_a_guest_s_of_the_subnet),
    RUN(a_bridged_network_has_addresses_that_we_do_not_know),
    RUN(an_address_is_given_once),
    RUN(a_mac_is_given_once_in_a_network),
    RUN(a_mac_is_not_the_gateway_s),
    RUN(a_trunk_carries_a_network_once),
    RUN(a_mirror_is_another_port_without_one),
    RUN(the_switch_calls_each_port_differently),
    RUN(without_a_file_the_path_is_said),
)
