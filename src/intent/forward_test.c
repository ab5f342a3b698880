/* What a forward may say, an uplink by which networks leave, and what follows
 * of them. */
#include "intent/forward_value.h"
#include "intent/intent_lab.h"
#include "packet/address.h"
#include "unit.h"

#define HEAD                                                                 \
    "version: 1\n"                                                           \
    "uplinks:\n"                                                             \
    "  out: {device: eth1, address: 203.0.113.5/24, gateway: 203.0.113.1}\n" \
    "  wan: {host: true}\n"                                                  \
    "networks:\n"                                                            \
    "  blue: {subnet: 10.1.0.0/24, subnet6: fd00:1::/64, nat: out}\n"        \
    "  red: {subnet: 10.2.0.0/24, nat: wan}\n"                               \
    "  shut: {subnet: 10.3.0.0/24}\n"                                        \
    "ports:\n"                                                               \
    "  web: {network: blue, tap: web}\n"                                     \
    "  db: {network: red, tap: db}\n"                                        \
    "  in: {network: shut, tap: in}\n"                                       \
    "  fw: {tap: fw, trunk: {10: blue, 20: red}}\n"                          \
    "forwards:\n"

/* Rows begin in line 15. */
static void
said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, HEAD "%s", rows);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

static struct intent *
sealed(const char *rows)
{
    struct str text = STR_INIT;
    struct intent *set;

    str_addf(&text, HEAD "%s", rows);
    set = lab_sealed(str_text(&text));
    str_fini(&text);
    return set;
}

static const struct intent_forward *
forward_named(const struct intent *set, const char *name)
{
    return intent_forward_cast(intent_find(set, INTENT_FORWARD, name));
}

TEST(what_is_written_is_what_is_read)
{
    static const struct {
        const char *listen, *to;
    } rows[] = {
        { "203.0.113.5:443/tcp", "web:8443" }, { "443/tcp", "web" },
        { "203.0.113.9:1000-1009/udp", "web:2000-2009" },
        { "[2001:db8::5]:53/udp", "web:53" }, { "2001:db8::7", "web" },
        { "203.0.113.7", "web" }, { "3868/sctp", "web" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str text = STR_INIT;
        const struct intent_forward *forward;
        struct intent *set;
        json_t *json;

        str_addf(&text, "  f: {listen: '%s', to: '%s'}\n", rows[i].listen,
                 rows[i].to);
        set = sealed(str_text(&text));
        forward = forward_named(set, "f");
        json = member_json(&forward_noun.members[0], forward);
        assert_string_equal(json_string_value(json), rows[i].listen);
        json_decref(json);
        json = member_json(&forward_noun.members[1], forward);
        assert_string_equal(json_string_value(json), rows[i].to);
        json_decref(json);
        intent_unref(set);
        str_fini(&text);
    }
}

TEST(what_cannot_be_listened_on)
{
    said("  a: {listen: 203.0.113.5:443, to: web}\n", "t:15:15: listen: "
         "'203.0.113.5:443' does not say of which protocol: "
         "203.0.113.5:443/tcp, 203.0.113.5:443/udp\n");
    said("  a: {listen: 203.0.113.7/tcp, to: web}\n",
         "t:15:15: listen: '203.0.113.7/tcp' has no port\n");
    said("  a: {listen: 70000/tcp, to: web}\n", "t:15:15: listen: "
         "'70000/tcp' is not like 203.0.113.5:443/tcp, 443/tcp, or an "
         "address\n");
    said("  a: {listen: 20-10/tcp, to: web}\n", "t:15:15: listen: "
         "'20-10/tcp' is not like 203.0.113.5:443/tcp, 443/tcp, or an "
         "address\n");
    said("  a: {listen: 443/icmp, to: web}\n", "t:15:15: listen: 'icmp' is "
         "none of tcp, udp, sctp\n");
    said("  a: {listen: '[2001:db8::5:443/tcp', to: web}\n", "t:15:15: "
         "listen: '[2001:db8::5:443/tcp' is not like 203.0.113.5:443/tcp, "
         "443/tcp, or an address\n");
    said("  a: {listen: 224.0.0.1:443/tcp, to: web}\n", "t:15:15: listen: "
         "224.0.0.1 is no station's address\n");
    said("  a: {listen: 203.0.113.1:443/tcp, to: web}\n", "t:15:15: listen: "
         "203.0.113.1 is the gateway of uplink 'out'\n");
    said("  a: {listen: 10.1.0.9:443/tcp, to: web}\n", "t:15:15: listen: "
         "10.1.0.9 is inside of network 'blue', not outside\n");
    said("  a: {listen: 2001:db8::1, to: db}\n", "t:15:15: listen: network "
         "'red' has no subnet6\n");
}

TEST(a_forward_leads_to_a_port_that_leads_out)
{
    said("  a: {listen: 443/tcp, to: wob}\n", "t:15:28: to: there is no port "
         "'wob'; did you mean 'web'?\n");
    said("  a: {listen: 443/tcp, to: in}\n", "t:15:28: to: port 'in' is in no "
         "network that leads out: 'weft network set NETWORK --nat UPLINK'\n");
    said("  a: {listen: 443/tcp, to: web, uplink: wan}\n", "t:15:41: uplink: "
         "port 'web' is in no network that leads out by 'wan': 'weft network "
         "set NETWORK --nat wan'\n");
    said("  a: {listen: 443/tcp, to: web, uplink: elsewhere}\n",
         "t:15:41: uplink: "
         "there is no uplink 'elsewhere'\n");
    said("  a: {listen: 203.0.113.7, to: web:80}\n", "t:15:32: to: a floating "
         "address leads to all ports of 'web'; to forward one, say which "
         "'listen' means: ADDRESS:PORT/tcp\n");
    said("  a: {listen: 80-89/tcp, to: web:80}\n", "t:15:30: to: 10 ports "
         "cannot lead to 1\n");
    said("  a: {listen: 80/tcp}\n", "t:15:6: a: forward 'a' needs 'to'\n");
}

#define SIX                                                                  \
    "version: 1\n"                                                           \
    "uplinks: {wan: {host: true}}\n"                                         \
    "networks:\n"                                                            \
    "  old: {subnet6: 'fd00:1::/64', nat: wan}\n"                            \
    "  new: {subnet6: 'fd00:2::/64', nat: wan, nat6: masquerade}\n"          \
    "ports:\n"                                                               \
    "  a: {network: old, tap: a}\n"                                          \
    "  b: {network: new, tap: b}\n"                                          \
    "forwards:\n"

TEST(the_host_leads_ipv6_in_by_ports_only)
{
    lab_check_said(SIX "  f: {listen: '[2001:db8::5]:443/tcp', to: b}\n", "");
    lab_check_said(SIX "  f: {listen: '[2001:db8::5]:443/tcp', to: a}\n",
                   "t:10:15: listen: IPv6 comes through the host's stack only "
                   "to a network with nat6: masquerade\n");
    lab_check_said(SIX "  f: {listen: '2001:db8::5', to: b}\n",
                   "t:10:15: listen: the host's stack routes no floating "
                   "address of IPv6: forward its ports\n");
}

TEST(what_one_forward_has_no_other_has)
{
    said("  a: {listen: 443/tcp, to: web}\n"
         "  b: {listen: 203.0.113.5:443/tcp, to: web:80}\n",
         "t:16:15: listen: port 443/tcp of 203.0.113.5 is already "
         "used by forward 'a' (line 15)\n");
    said("  a: {listen: 443-450/tcp, to: web}\n"
         "  b: {listen: 450/tcp, to: web:80}\n",
         "t:16:15: listen: port 450/tcp of 203.0.113.5 is already "
         "used by forward 'a' (line 15)\n");
    said("  a: {listen: 443/tcp, to: web}\n"
         "  b: {listen: 443/udp, to: web}\n"
         "  c: {listen: 443/tcp, to: db}\n"
         "  d: {listen: 203.0.113.6:443/tcp, to: web}\n", "");
    /* The host leads both to the same address of ours. */
    said("  a: {listen: 198.51.100.1:443/tcp, to: db}\n"
         "  b: {listen: 198.51.100.2:443/tcp, to: db:8443}\n",
         "t:16:15: listen: port 443/tcp of 169.254.90.254 is already used by "
         "forward 'a' (line 15)\n");
    said("  a: {listen: 203.0.113.5, to: web}\n", "t:15:15: listen: address "
         "203.0.113.5 is already used by uplink 'out' (line 3)\n");
    said("  a: {listen: 203.0.113.7, to: web}\n"
         "  b: {listen: 203.0.113.7, to: fw, uplink: out}\n",
         "t:16:15: listen: address 203.0.113.7 is already used by forward "
         "'a' (line 15)\n");
    said("  a: {listen: 203.0.113.7, to: web}\n"
         "  b: {listen: 203.0.113.8, to: web}\n", "t:16:32: to: the floating "
         "address (IPv4) of port 'web' is already used by forward 'a' (line "
         "15)\n");
}

TEST(what_follows_of_a_forward)
{
    struct intent *set = sealed("  a: {listen: 443/tcp, to: web}\n"
                                "  b: {listen: 90-99/tcp, to: 'fw:190-199',"
                                " uplink: wan}\n"
                                "  c: {listen: 203.0.113.9, to: db}\n");
    const struct intent_forward *a = forward_named(set, "a"),
                                *b = forward_named(set, "b"),
                                *c = forward_named(set, "c");
    struct ip6_addr address = intent_forward_arrival(a);
    be32 ours = b->uplink->transfer.ours;

    assert_string_equal(intent_forward_uplink(a)->object.name, "out");
    assert_string_equal(intent_forward_network(a)->object.name, "blue");
    assert_string_equal(intent_forward_network(b)->object.name, "red");
    CHECK(get_be32(&address.b[12]) == htobe32(0xcb007105));
    CHECK(intent_forward_port(a, 443) == 443);
    CHECK(intent_forward_port(b, 97) == 197);

    /* The host's: ports at our end of the link, an address as it is. */
    address = intent_forward_arrival(b);
    CHECK(get_be32(&address.b[12]) == ours);
    address = intent_forward_arrival(c);
    CHECK(get_be32(&address.b[12]) == htobe32(0xcb007109));
    intent_unref(set);
}

TEST(the_link_to_the_host_s_stack_follows_from_the_name)
{
    struct intent *set = lab_sealed(
        "version: 1\nuplinks:\n  wan: {host: true}\n  b: {host: true}\n"
        "  a-very-long-name: {host: true, transfer: 169.254.7.8/30}\n");
    const struct transfer *wan, *b, *chosen;

    wan = &intent_uplink_cast(intent_find(set, INTENT_UPLINK, "wan"))
           ->transfer;
    b = &intent_uplink_cast(intent_find(set, INTENT_UPLINK, "b"))->transfer;
    chosen = &intent_uplink_cast(intent_find(set, INTENT_UPLINK,
                                             "a-very-long-name"))->transfer;
    assert_string_equal(wan->port, "weft-wan");
    CHECK(wan->network != b->network);
    CHECK(ip4_is_within(wan->network, htobe32(0xa9fe0000), 16));
    CHECK(!(be32toh(wan->network) & 3));
    CHECK(be32toh(wan->host) == be32toh(wan->network) + 1);
    CHECK(be32toh(wan->ours) == be32toh(wan->network) + 2);
    CHECK(ip6_is_within(wan->host6, wan->ours6, TRANSFER_LEN6));
    CHECK(chosen->ours == htobe32(0xa9fe070a));
    CHECK(strlen(chosen->port) < 16 && !strncmp(chosen->port, "weft-", 5));
    intent_unref(set);
}

TEST(an_address_of_an_uplink_is_a_station_s)
{
    lab_uplink_said("  a: {device: e, address: 203.0.113.0/24}\n", "t:3:27: "
                    "address: 203.0.113.0/24 is no station's\n");
    lab_uplink_said("  a: {device: e, address: 203.0.113.5/24, gateway: "
                    "203.0.114.1}\n", "t:3:52: gateway: 203.0.114.1 is no "
                    "other station's address within that of the uplink\n");
    lab_uplink_said("  a: {device: e, gateway: 203.0.113.1}\n", "t:3:27: "
                    "gateway: there is no address by which to reach it\n");
    lab_uplink_said("  a: {device: e, address6: 'ff02::1/64'}\n", "t:3:28: "
                    "address6: ff02::1/64 is no station's\n");
    lab_uplink_said("  a: {device: e, address6: '2001:db8::5/64', gateway6: "
                    "'2001:db9::1'}\n", "t:3:56: gateway6: 2001:db9::1 is "
                    "neither within the uplink's network nor link-local\n");
    lab_uplink_said("  a: {device: e, address6: '2001:db8::5/64', gateway6: "
                    "'fe80::1'}\n", "");
    lab_uplink_said("  a: {host: true, address: 203.0.113.5/24}\n", "t:3:28: "
                    "address: the host's own stack has its own addresses; an "
                    "address here needs device or bond\n");
    lab_uplink_said("  a: {device: e, transfer: 169.254.7.0/30}\n", "t:3:28: "
                    "transfer: only the way through the host's stack has "
                    "one\n");
    lab_uplink_said("  a: {host: true, transfer: 169.254.7.0/29}\n",
                    "t:3:29: transfer: a link of two stations has a prefix "
                    "of 30 bits here, not 29\n");
    lab_uplink_said("  a: {device: e, address: 203.0.113.5/24}\n"
                    "networks:\n  n: {segment: {vlan: 0, uplink: a}}\n",
                    "t:5:16: segment: untagged of uplink 'a' is already used "
                    "by uplink 'a' (line 3)\n");
}

TEST(a_network_leaves_by_an_uplink_that_routes)
{
    lab_network_said("  a: {subnet: 10.1.0.0/24, nat: lan}\n", "t:6:33: nat: "
                     "uplink 'lan' has neither an address nor 'host: "
                     "true'\n");
    lab_network_said("  a: {subnet: 10.1.0.0/24, gateway: none, nat: wan}\n",
                     "t:6:48: nat: network 'a' has no gateway that could lead "
                     "there\n");
    lab_network_said("  a: {subnet: 10.1.0.0/24, nat6: masquerade}\n",
                     "t:6:34: nat6: network 'a' has no nat: it leads "
                     "nowhere\n");
    lab_network_said("  a: {subnet: 10.1.0.0/24, nat: wam}\n", "t:6:33: nat: "
                     "there is no uplink 'wam'; did you mean 'wan'?\n");
}

static void
prefix_said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\nuplinks:\n"
             "  out: {device: eth1, address6: '2001:db8::5/64'}\n"
             "  wan: {host: true}\nnetworks:\n%s", rows);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

TEST(a_prefix_outside_is_the_network_s_alone)
{
#define INSIDE "subnet6: 'fd00:1::/64', nat: out"
    prefix_said("  a: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:1::/48'}\n"
                "  b: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:2::/64'}\n",
                "");
    prefix_said("  a: {" INSIDE ", nat6: prefix}\n", "t:6:47: nat6: nat6: "
                "prefix and prefix6 go together\n");
    prefix_said("  a: {" INSIDE ", prefix6: '2001:db8:1::/48'}\n",
                "t:6:50: prefix6: nat6: prefix and prefix6 go together\n");
    prefix_said("  a: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:1::/72'}\n",
                "t:6:64: prefix6: a prefix of 72 bits leaves no room for the "
                "addresses of a subnet of 64\n");
    prefix_said("  a: {" INSIDE ", nat6: prefix, prefix6: '2001:db8::/48'}\n",
                "t:6:64: prefix6: 2001:db8::5 is the address of uplink "
                "'out'\n");
    prefix_said("  a: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:1::/48'}\n"
                "  b: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:1::/48'}\n",
                "t:7:64: prefix6: prefix 2001:db8:1:cf47::/64 is already "
                "used by network 'a' (line 6)\n");
    prefix_said("  a: {" INSIDE ", nat6: prefix, prefix6: '2001:db8:1::/48'}\n"
                "  b: {subnet6: 'fd00:1:0:7::/64', nat: out, nat6: prefix, "
                "prefix6: '2001:db8:1::/48'}\n", "");
    prefix_said("  a: {subnet6: 'fd00:1::/64', nat: wan, nat6: prefix, "
                "prefix6: '2001:db8:1::/48'}\n", "t:6:64: prefix6: uplink "
                "'wan' has no address6 by which it could be reached\n");
#undef INSIDE
}

TESTS(
    RUN(what_is_written_is_what_is_read),
    RUN(what_cannot_be_listened_on),
    RUN(a_forward_leads_to_a_port_that_leads_out),
    RUN(the_host_leads_ipv6_in_by_ports_only),
    RUN(what_one_forward_has_no_other_has),
    RUN(what_follows_of_a_forward),
    RUN(the_link_to_the_host_s_stack_follows_from_the_name),
    RUN(an_address_of_an_uplink_is_a_station_s),
    RUN(a_network_leaves_by_an_uplink_that_routes),
    RUN(a_prefix_outside_is_the_network_s_alone),
)
