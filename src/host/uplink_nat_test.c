/* Which intents make the host's own stack do what. */
#include "host/uplink_nat.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "intent/intent_lab.h"
#include "unit.h"

static void
want(const char *text, struct host_nat *nat)
{
    struct intent *intent = lab_sealed(text);

    uplink_nat_wanted(intent, "h1", nat);
    intent_unref(intent);
}

TEST(an_uplink_that_no_network_uses_has_the_host_do_nothing)
{
    struct host_nat nat;

    want("version: 1\n"
         "uplinks: {wan: {host: true}, lan: {device: eth1}}\n"
         "networks: {blue: {subnet: 10.1.0.0/24}}\n", &nat);
    CHECK(!nat.n_legs && !nat.n_forwards);
    free(nat.forwards);
}

TEST(each_uplink_in_use_has_a_leg_with_its_forwards)
{
    struct host_nat nat;

    want("version: 1\n"
         "uplinks:\n"
         "  a: {host: true, transfer: 169.254.9.0/30}\n"
         "  b: {host: true, transfer: 169.254.9.4/30}\n"
         "  c: {device: eth1, address: 192.0.2.5/24}\n"
         "networks:\n"
         "  blue: {subnet: 10.1.0.0/24, nat: a}\n"
         "  red: {subnet: 10.2.0.0/24, nat: b}\n"
         "  green: {subnet: 10.3.0.0/24, nat: c}\n"
         "ports:\n"
         "  web: {network: blue, netns: web}\n"
         "  db: {network: red, netns: db}\n"
         "  mx: {network: green, netns: mx}\n"
         "forwards:\n"
         "  https: {listen: 203.0.113.5:443/tcp, to: web:8443}\n"
         "  range: {listen: 5000-5010/udp, to: db}\n"
         "  mail: {listen: 25/tcp, to: mx}\n", &nat);
    assert_int_equal(nat.n_legs, 2);
    assert_string_equal(nat.legs[0].device, "weft-a");
    assert_int_equal(nat.legs[0].ours, htobe32(0xa9fe0902));
    assert_int_equal(nat.legs[1].ours, htobe32(0xa9fe0906));
    assert_int_equal(nat.n_forwards, 2);
    assert_int_equal(nat.forwards[0].leg, 0);
    assert_int_equal(nat.forwards[0].listen, htobe32(0xcb007105));
    assert_int_equal(nat.forwards[0].first, 443);
    assert_int_equal(nat.forwards[0].last, 443);
    assert_int_equal(nat.forwards[0].protocol, IPPROTO_TCP);
    assert_int_equal(nat.forwards[1].leg, 1);
    assert_int_equal(nat.forwards[1].listen, 0);
    assert_int_equal(nat.forwards[1].first, 5000);
    assert_int_equal(nat.forwards[1].last, 5010);
    assert_int_equal(nat.forwards[1].protocol, IPPROTO_UDP);
    free(nat.forwards);
}

TEST(ipv6_leaves_where_a_network_says_so)
{
    struct host_nat nat;

    want("version: 1\n"
         "uplinks: {a: {host: true}, b: {host: true}}\n"
         "networks:\n"
         "  x: {subnet: 10.1.0.0/24, subnet6: \"fd00:1::/64\", nat: a}\n"
         "  y: {subnet: 10.2.0.0/24, subnet6: \"fd00:2::/64\", nat: b, "
         "nat6: masquerade}\n", &nat);
    assert_int_equal(nat.n_legs, 2);
    assert_int_equal(nat.legs[0].ours6.b[0], 0);
    assert_int_equal(nat.legs[1].ours6.b[0], 0xfd);
    assert_int_equal(nat.legs[1].ours6.b[15], 2);
    free(nat.forwards);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_uplink_that_no_network_uses_has_the_host_do_nothing),
        RUN(each_uplink_in_use_has_a_leg_with_its_forwards),
        RUN(ipv6_leaves_where_a_network_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
