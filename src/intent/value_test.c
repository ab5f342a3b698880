/* What each kind of value may be. */
#include "intent/value.h"

#include "intent/intent_lab.h"
#include "unit.h"

#define port_said lab_port_said
#define network_said lab_network_said
#define uplink_said lab_uplink_said

TEST(durations_have_units)
{
    static const struct {
        const char *text;
        uint64_t seconds;
        const char *back;
    } cases[] = {
        { "0s", 0, "0s" },         { "90", 90, "1m30s" },
        { "90s", 90, "1m30s" },    { "1h", 3600, "1h" },
        { "1h30m", 5400, "1h30m" }, { "7d", 604800, "7d" },
        { "1d1s", 86401, "1d1s" },
    };
    static const char *const wrong[] = {
        "", "s", "1x", "1h ", "-1s", "1m1h", "1s1s", "1h30", "99999999999s",
        "1.5h", "01",
    };
    char text[VALUE_TEXT_SIZE];
    uint64_t seconds;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_MSG(duration_parse(cases[i].text, &seconds)
                  && seconds == cases[i].seconds, "%s", cases[i].text);
        duration_format(seconds, text);
        assert_string_equal(text, cases[i].back);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK_MSG(!duration_parse(wrong[i], &seconds), "%s", wrong[i]);
    }
}

TEST(rates_have_units)
{
    static const struct {
        const char *text;
        uint64_t rate;
        const char *back;
    } cases[] = {
        { "0", 0, "0" },             { "1000", 1000, "1k" },
        { "500k", 500000, "500k" },  { "500K", 500000, "500k" },
        { "1.5G", 1500000000, "1.5G" }, { "1.125M", 1125000, "1125k" },
        { "100M", 100000000, "100M" }, { "1T", 1000000000000, "1T" },
        { "1234567", 1234567, "1234567" },
    };
    static const char *const wrong[] = {
        "", "M", "1.M", "1.5", "1.2345G", "-1", "1m", "1Mb", "1 M",
        "9999999T", "99999999999999999999",
    };
    char text[VALUE_TEXT_SIZE];
    uint64_t rate;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_MSG(rate_parse(cases[i].text, &rate)
                  && rate == cases[i].rate, "%s", cases[i].text);
        rate_format(rate, text);
        assert_string_equal(text, cases[i].back);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK_MSG(!rate_parse(wrong[i], &rate), "%s", wrong[i]);
    }
}

TEST(numbers_are_plain_decimals)
{
    static const char *const wrong[] = {
        "", "-1", "+1", "01", "1.0", "0x1", "1e3", " 1", "1 ", "101",
        "99999999999999999999999",
    };
    uint64_t n;

    CHECK(number_parse("0", 100, &n) && n == 0);
    CHECK(number_parse("100", 100, &n) && n == 100);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK_MSG(!number_parse(wrong[i], 100, &n), "%s", wrong[i]);
    }
    network_said("  n: {storm-cap: 0}\n", "t:6:18: storm-cap: '0' is not a "
                 "number from 1 to 1000000\n");
    network_said("  n: {mtu: [1500]}\n", "t:6:12: mtu: is a list, should be a "
                 "number from 576 to 65535\n");
}

TEST(yes_and_no_are_true_and_false)
{
    port_said("  p: {network: a, netns: x, veth: yes}\n",
              "t:7:35: veth: 'yes' is not true or false\n");
    port_said("  p: {network: a, netns: x, veth: }\n",
              "t:7:35: veth: nothing is said, should be true or false\n");
    port_said("  p: {network: a, netns: x, anti-spoof: \"false\"}\n", "");
    uplink_said("  u: {host: false}\n", "t:3:13: host: 'false' is not true\n");
    uplink_said("  u: {host: {}}\n",
                "t:3:13: host: is a map, should be true\n");
    uplink_said("  u: {device: e, take-over: no}\n",
                "t:3:29: take-over: 'no' is not true or false\n");
}

TEST(a_word_is_one_of_those)
{
    uplink_said("  u: {bond: [a, b], mode: lacpp}\n", "t:3:27: mode: 'lacpp' "
                "is not one of active-backup, lacp; did you mean 'lacp'?\n");
    network_said("  n: {ra: []}\n", "t:6:11: ra: is a list, should be one of "
                 "slaac, stateful, off\n");
}

TEST(texts_are_printable)
{
    port_said("  p: {network: a, tap: x, user: \"\"}\n",
              "t:7:33: user: is empty\n");
    port_said("  p: {network: a, tap: x, user: \"a\\tb\"}\n", "t:7:33: user: "
              "has a character that is no printable ASCII\n");
    port_said("  p: {network: a, tap: x, user: "
              "an-account-whose-name-is-too-long-for-us}\n",
              "t:7:33: user: is 40 bytes long, at most 31 fit\n");
    port_said("  p: {network: a, tap: x, user: []}\n",
              "t:7:33: user: is a list, should be a text\n");
}

TEST(names_are_names)
{
    port_said("  p: {network: A, tap: x}\n", "t:7:16: network: 'A' cannot be "
              "a name: only a-z, 0-9 and - can be in it\n");
    port_said("  p: {network: {}, tap: x}\n",
              "t:7:16: network: is a map, should be a name\n");
}

TEST(devices_have_names_that_the_kernel_takes)
{
    port_said("  p: {network: a, tap: a-name-of-16-xxx}\n", "t:7:24: tap: "
              "'a-name-of-16-xxx' is not the name of a network device\n");
    port_said("  p: {network: a, device: a/b}\n", "t:7:27: device: 'a/b' is "
              "not the name of a network device\n");
    port_said("  p: {network: a, tun: \"..\"}\n", "t:7:24: tun: '..' is not "
              "the name of a network device\n");
    port_said("  p: {network: a, netns: x, nic: \"a b\"}\n", "t:7:34: nic: "
              "'a b' is not the name of a network device\n");
    port_said("  p: {network: a, netns: x, nic: []}\n", "t:7:34: nic: is a "
              "list, should be the name of a network device\n");
    uplink_said("  u: {device: \"\"}\n",
                "t:3:15: device: '' is not the name of a network device\n");
    uplink_said("  u: {bond: [a]}\n", "t:3:13: bond: should be a list of two "
                "or more network devices\n");
    uplink_said("  u: {bond: [a, b, a]}\n",
                "t:3:20: bond: 'a' is there twice\n");
    uplink_said("  u: {bond: [a, b, c, d, e, f, g, h, i]}\n",
                "t:3:38: bond: more than 8 devices\n");
}

TEST(a_namespace_is_a_name_a_path_or_a_process)
{
    static const char wrong[] = "is not a namespace: a name, a path or pid:N";
    static const char *const names[] = { "pid:0", "pid:x", "a/b", "..", "/",
                                         "pid:99999999999" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct str row = STR_INIT, expected = STR_INIT;

        str_addf(&row, "  p: {network: a, netns: \"%s\"}\n", names[i]);
        str_addf(&expected, "t:7:26: netns: '%s' %s\n", names[i], wrong);
        port_said(str_text(&row), str_text(&expected));
        str_fini(&row);
        str_fini(&expected);
    }
    port_said("  p: {network: a, netns: pid:1}\n"
              "  q: {network: a, netns: /proc/1/ns/net}\n"
              "  r: {network: a, netns: \"10\"}\n", "");
}

TEST(domains_are_domains)
{
    static const char *const wrong[] = { "", "a..b", "-a", "a-", "a_b", ".a",
                                         "a." };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct str row = STR_INIT, expected = STR_INIT;

        str_addf(&row, "  n: {domain: \"%s\"}\n", wrong[i]);
        str_addf(&expected, "t:6:15: domain: '%s' is not a domain name\n",
                 wrong[i]);
        network_said(str_text(&row), str_text(&expected));
        str_fini(&row);
        str_fini(&expected);
    }
    network_said("  n: {domain: Shop-1.example.org}\n", "");
    network_said("  n: {domain: []}\n",
                 "t:6:15: domain: is a list, should be a domain name\n");
}

TEST(addresses_are_addresses)
{
    port_said("  p: {network: a, tap: x, address: 10.1.0.300}\n", "t:7:36: "
              "address: '10.1.0.300' is not an IPv4 address\n");
    port_said("  p: {network: a, tap: x, address: 0.0.0.0}\n",
              "t:7:36: address: '0.0.0.0' is not an IPv4 address\n");
    port_said("  p: {network: a, tap: x, address: []}\n",
              "t:7:36: address: is a list, should be an IPv4 address\n");
    port_said("  p: {network: b, tap: x, address6: 10.0.0.1}\n",
              "t:7:37: address6: '10.0.0.1' is not an IPv6 address\n");
    port_said("  p: {network: b, tap: x, address6: {}}\n",
              "t:7:37: address6: is a map, should be an IPv6 address\n");
    network_said("  n: {subnet: 10.0.0.0/24, gateway: no}\n", "t:6:37: "
                 "gateway: 'no' is not an IPv4 address, or none\n");
    network_said("  n: {subnet6: fd00::/64, gateway6: no}\n", "t:6:37: "
                 "gateway6: 'no' is not an IPv6 address, or none\n");
}

TEST(a_mac_is_a_station_s)
{
    port_said("  p: {network: a, tap: x, mac: 2:0:0:0:0:1}\n", "t:7:32: mac: "
              "'2:0:0:0:0:1' is not a MAC address like 02:00:00:00:00:01\n");
    port_said("  p: {network: a, tap: x, mac: 01:00:5e:00:00:01}\n",
              "t:7:32: mac: '01:00:5e:00:00:01' is no station's address: the "
              "lowest bit of its first byte says that it is a group's\n");
    port_said("  p: {network: a, tap: x, mac: 00:00:00:00:00:00}\n",
              "t:7:32: mac: '00:00:00:00:00:00' is no station's address: it "
              "is all zero\n");
    port_said("  p: {network: a, tap: x, mac: []}\n", "t:7:32: mac: is a "
              "list, should be a MAC address like 02:00:00:00:00:01\n");
}

TEST(a_subnet_has_a_prefix_and_no_host)
{
    network_said("  n: {subnet: 10.0.0.0}\n", "t:6:15: subnet: '10.0.0.0' is "
                 "not an IPv4 network like 10.1.0.0/24\n");
    network_said("  n: {subnet: 10.0.0.7/24}\n", "t:6:15: subnet: "
                 "'10.0.0.7/24' is an address within the network "
                 "10.0.0.0/24\n");
    network_said("  n: {subnet: []}\n", "t:6:15: subnet: is a list, should be "
                 "an IPv4 network like 10.1.0.0/24\n");
    network_said("  n: {subnet6: fd00::1/64}\n", "t:6:16: subnet6: "
                 "'fd00::1/64' is an address within the network fd00::/64\n");
    network_said("  n: {subnet6: 10.0.0.0/24}\n", "t:6:16: subnet6: "
                 "'10.0.0.0/24' is not an IPv6 network like fd00:1::/64\n");
    network_said("  n: {subnet6: {}}\n", "t:6:16: subnet6: is a map, should "
                 "be an IPv6 network like fd00:1::/64\n");
}

TEST(a_segment_is_local_or_a_vlan)
{
    network_said("  n: {segment: vxlan}\n", "t:6:16: segment: should be "
                 "local, or like {vlan: 20, uplink: lan}, or like "
                 "{vxlan: 5001}\n");
    network_said("  n: {segment: {vlan: 4095, uplink: lan}}\n", "t:6:23: "
                 "vlan: '4095' is not a number from 0 to 4094\n");
    network_said("  n: {segment: {vlan: 5}}\n",
                 "t:6:16: segment: a segment with a VLAN needs 'uplink'\n");
    network_said("  n: {segment: {vxlan: 5, uplink: lan}}\n",
                 "t:6:16: segment: a segment with an uplink needs 'vlan'\n");
    network_said("  n: {segment: {}}\n", "t:6:16: segment: a segment needs "
                 "'vlan', 'vxlan', 'gre' or 'geneve'\n");
    network_said("  n: {segment: {vlan: 0, uplink: lan, protocol: 802.1ad}}\n",
                 "t:6:16: segment: a service tag has a number from 1 on\n");
    network_said("  n: {segment: {vlan: 5, uplink: lan, protocol: qinq}}\n",
                 "t:6:49: protocol: 'qinq' is not one of 802.1q, 802.1ad\n");
}

TEST(name_servers_are_of_both_families)
{
    network_said("  n: {dns: [10.0.0.1, \"::1\"]}\n  m: {dns: fd00::1}\n", "");
    network_said("  n: {dns: [10.0.0.1, x]}\n",
                 "t:6:23: dns: 'x' is not an address\n");
    network_said("  n: {dns: [[]]}\n",
                 "t:6:13: dns: is a list, should be an address\n");
    network_said("  n: {dns: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5]}\n",
                 "t:6:49: dns: more than 4 servers of one family\n");
    network_said("  n: {dns: [\"::1\", \"::2\", \"::3\", \"::4\", \"::5\"]}\n",
                 "t:6:41: dns: more than 4 servers of one family\n");
}

/* Within dhcp of a network with the subnet 10.0.0.0/24; what is said is behind
 * the place. */
static void
dhcp_said(const char *members, const char *expected)
{
    struct str rows = STR_INIT;

    str_addf(&rows, "  n:\n    subnet: 10.0.0.0/24\n    dhcp:\n      %s\n",
             members);
    network_said(str_text(&rows), expected);
    str_fini(&rows);
}

TEST(dhcp_is_off_or_a_map)
{
    network_said("  n: {dhcp: on}\n", "t:6:13: dhcp: 'on' is not off, or a "
                 "map like {lease: 1h}\n");
    network_said("  n: {dhcp: []}\n",
                 "t:6:13: dhcp: 'dhcp' is a map, like {range: ...}\n");
    dhcp_said("leases: 5", "t:9:7: 'dhcp' has no 'leases'; did you mean "
              "'lease'?\n");
}

TEST(dhcp_ranges_are_in_order_and_apart)
{
    dhcp_said("range: 10.0.0.9-10.0.0.5",
              "t:9:14: range: '10.0.0.9-10.0.0.5' ends before it begins\n");
    dhcp_said("range: [10.0.0.5-10.0.0.9, 10.0.0.9-10.0.0.12]", "t:9:34: "
              "range: '10.0.0.9-10.0.0.12' overlaps the range before it\n");
    dhcp_said("range: 10.0.0.5", "t:9:14: range: '10.0.0.5' is not a range "
              "like 10.1.0.100-10.1.0.200\n");
    dhcp_said("range: 10.0.0.5-x", "t:9:14: range: '10.0.0.5-x' is not a "
              "range like 10.1.0.100-10.1.0.200\n");
    dhcp_said("range: {}", "t:9:14: range: is a map, should be a range like "
              "10.1.0.100-10.1.0.200\n");
}

TEST(dhcp_lists_have_an_end)
{
    struct str ranges = STR_INIT, routes = STR_INIT;

    str_add(&ranges, "range: [");
    str_add(&routes, "routes: [");
    for (int i = 0; i <= NETWORK_MAX_RANGES; i++) {
        str_addf(&ranges, "%s10.0.0.%d-10.0.0.%d", i ? ", " : "", i + 10,
                 i + 10);
    }
    for (int i = 0; i <= NETWORK_MAX_ROUTES; i++) {
        str_addf(&routes, "%s{to: 10.1.0.0/16, via: 10.0.0.2}",
                 i ? ", " : "");
    }
    str_add_char(&ranges, ']');
    str_add_char(&routes, ']');
    dhcp_said(str_text(&ranges), "t:9:351: range: more than 16 ranges\n");
    dhcp_said(str_text(&routes), "t:9:560: routes: more than 16 routes\n");
    dhcp_said("ntp: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5]",
              "t:9:49: ntp: more than 4 servers\n");
    dhcp_said("ntp: [pool.example.org]",
              "t:9:13: ntp: 'pool.example.org' is not an IPv4 address\n");
    str_fini(&ranges);
    str_fini(&routes);
}

TEST(dhcp_routes_and_boot_are_whole)
{
    dhcp_said("routes: [{to: 10.1.0.0/16}]",
              "t:9:16: routes: a route needs 'via'\n");
    dhcp_said("routes: x",
              "t:9:15: routes: a route is a map, like {to: ...}\n");
    dhcp_said("boot: {server: s}", "t:9:13: boot: 'boot' needs 'file'\n");
    dhcp_said("lease: {}", "t:9:14: lease: is a map, should be a time like "
              "90s, 1h30m or 7d\n");
    dhcp_said("lease: soon", "t:9:14: lease: 'soon' is not a time like 90s, "
              "1h30m or 7d\n");
}

TEST(dhcp_options_are_bytes)
{
    dhcp_said("options: {43: \"hex:01:04:c0a80001\", 252: \"5\", "
              "150: 10.0.0.5, 224: [10.0.0.5]}", "");
    dhcp_said("options: {43: 5}", "t:9:21: 43: how many bytes is the number "
              "5? Write it as hex:..., or as a text in quotes\n");
    dhcp_said("options: {43: hex:0}", "t:9:21: 43: 'hex:0' is not hex: and 1 "
              "to 255 pairs of digits\n");
    dhcp_said("options: {43: \"hex:\"}", "t:9:21: 43: 'hex:' is not hex: and "
              "1 to 255 pairs of digits\n");
    dhcp_said("options: {43: \"\"}",
              "t:9:21: 43: is 0 bytes long, should be 1 to 255\n");
    dhcp_said("options: {43: \"\\xe4\"}", "t:9:21: 43: has a character that "
              "is no printable ASCII: write hex:...\n");
    dhcp_said("options: {43: []}", "t:9:21: 43: the list is empty\n");
    dhcp_said("options: {43: [x]}",
              "t:9:22: 43: 'x' is not an IPv4 address\n");
    dhcp_said("options: {43: {}}", "t:9:21: 43: is a map, should be a text, "
              "hex:... or a list of addresses\n");
    dhcp_said("options: []", "t:9:16: options: should be a map from numbers "
              "to texts, hex:... or lists of addresses, of at most 32\n");
}

TEST(dhcp_options_that_are_said_elsewhere_are_refused)
{
    dhcp_said("options: {3: 10.0.0.1, 53: hex:01, 255: x, name: x}",
              "t:9:17: option 3 is what 'gateway' says\n"
              "t:9:30: option 53 is the server's own\n"
              "t:9:42: '255' is not a DHCP option from 1 to 254\n"
              "t:9:50: 'name' is not a DHCP option from 1 to 254\n");
}

TEST(a_long_option_does_not_fit)
{
    struct str addresses = STR_INIT, hex = STR_INIT, expected = STR_INIT;

    str_add(&addresses, "options: {43: [");
    str_add(&hex, "options: {43: \"hex:");
    str_add(&expected, "t:9:21: 43: 'hex:");
    for (int i = 0; i < 256; i++) {
        if (i < 64) {
            str_addf(&addresses, "%s10.0.0.1", i ? ", " : "");
        }
        str_add(&hex, "00");
        str_add(&expected, "00");
    }
    str_add(&addresses, "]}");
    str_add(&hex, "\"}");
    str_add(&expected, "' is not hex: and 1 to 255 pairs of digits\n");
    dhcp_said(str_text(&addresses), "t:9:652: 43: more than 63 addresses\n");
    dhcp_said(str_text(&hex), str_text(&expected));
    str_fini(&addresses);
    str_fini(&hex);
    str_fini(&expected);
}

TEST(allow_takes_addresses_networks_and_macs)
{
    port_said("  p: {network: a, tap: x, allow: [10.9.0.0/16, 10.8.0.1, "
              "\"fd01::/64\", 02:00:00:00:00:09, {mac: 02:00:00:00:00:0a, "
              "address: fd00::9}]}\n", "");
    port_said("  p: {network: a, tap: x, allow: host}\n", "t:7:34: allow: "
              "'host' is not an address or network\n");
    port_said("  p: {network: a, tap: x, allow: [01:00:5e:00:00:01]}\n",
              "t:7:35: allow: '01:00:5e:00:00:01' is no station's address: "
              "the lowest bit of its first byte says that it is a group's\n");
    port_said("  p: {network: a, tap: x, allow: [{}]}\n", "t:7:35: allow: "
              "should be an address, a network, a MAC or a map like {mac: "
              "02:00:00:00:00:01, address: 10.1.0.9}\n");
    port_said("  p: {network: a, tap: x, allow: [{mac: x, address: []}]}\n",
              "t:7:41: mac: 'x' is not a MAC address like "
              "02:00:00:00:00:01\n"
              "t:7:53: address: is a list, should be an address or network\n");
    port_said("  p: {network: a, tap: x, allow: [[]]}\n", "t:7:35: allow: is "
              "a list, should be an address, a network, a MAC or a map like "
              "{mac: 02:00:00:00:00:01, address: 10.1.0.9}\n");
    port_said("  p: {network: a, tap: x, allow: [1.1.1.1, 1.1.1.1, 1.1.1.1, "
              "1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, "
              "1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, "
              "1.1.1.1, 1.1.1.1]}\n",
              "t:7:179: allow: more than 16 are allowed\n");
}

TEST(a_trunk_maps_vlans_to_networks)
{
    port_said("  p: {tap: x, trunk: {0: a, 4095: b, x: a, 5: []}}\n",
              "t:7:23: '0' is not a VLAN from 1 to 4094\n"
              "t:7:29: '4095' is not a VLAN from 1 to 4094\n"
              "t:7:38: 'x' is not a VLAN from 1 to 4094\n"
              "t:7:47: 5: is a list, should be a name\n");
    port_said("  p: {tap: x, trunk: {}}\n", "t:7:22: trunk: should be a map "
              "from VLANs to networks like {10: red, 20: blue}, of at most "
              "64\n");
}

TEST(a_rate_is_one_or_two)
{
    port_said("  p: {network: a, tap: x, rate: fast}\n", "t:7:33: rate: "
              "'fast' is not bits per second like 500k, 100M or 1.5G\n");
    port_said("  p: {network: a, tap: x, rate: 999}\n", "t:7:33: rate: '999' "
              "is less than 1k bit a second\n");
    port_said("  p: {network: a, tap: x, rate: {up: 1M}}\n",
              "t:7:34: 'rate' has no 'up'; it has in, out\n");
    port_said("  p: {network: a, tap: x, rate: []}\n", "t:7:33: rate: is a "
              "list, should be bits per second like 500k, 100M or 1.5G\n");
}

TESTS(
    RUN(durations_have_units),
    RUN(rates_have_units),
    RUN(numbers_are_plain_decimals),
    RUN(yes_and_no_are_true_and_false),
    RUN(a_word_is_one_of_those),
    RUN(texts_are_printable),
    RUN(names_are_names),
    RUN(devices_have_names_that_the_kernel_takes),
    RUN(a_namespace_is_a_name_a_path_or_a_process),
    RUN(domains_are_domains),
    RUN(addresses_are_addresses),
    RUN(a_mac_is_a_station_s),
    RUN(a_subnet_has_a_prefix_and_no_host),
    RUN(a_segment_is_local_or_a_vlan),
    RUN(name_servers_are_of_both_families),
    RUN(dhcp_is_off_or_a_map),
    RUN(dhcp_ranges_are_in_order_and_apart),
    RUN(dhcp_lists_have_an_end),
    RUN(dhcp_routes_and_boot_are_whole),
    RUN(dhcp_options_are_bytes),
    RUN(dhcp_options_that_are_said_elsewhere_are_refused),
    RUN(a_long_option_does_not_fit),
    RUN(allow_takes_addresses_networks_and_macs),
    RUN(a_trunk_maps_vlans_to_networks),
    RUN(a_rate_is_one_or_two),
)
