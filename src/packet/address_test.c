#include "packet/address.h"

#include "unit.h"

TEST(an_ipv4_network_is_read_with_and_without_a_prefix)
{
    char text[ADDRESS_TEXT_SIZE];
    uint8_t len;
    be32 addr;

    CHECK(ip4_prefix_parse("10.1.0.0/24", &addr, &len));
    CHECK(len == 24);
    assert_string_equal(ip4_format(addr, text), "10.1.0.0");
    CHECK(ip4_prefix_parse("10.1.0.7", &addr, &len) && len == 32);
    CHECK(ip4_prefix_parse("0.0.0.0/0", &addr, &len) && len == 0);
}

TEST(what_is_no_ipv4_network_is_refused)
{
    static const char *const wrong[] = {
        "", "/", "10.1.0.0/", "10.1.0.0/33", "10.1.0.0/024", "10.1.0.0/2x",
        "10.1.0.0/-1", "10.1.0.0/1000", "10.1.0/24", "10.1.0.256/24",
        "10.1.0.0/24/24", "fd00::/64",
        "10.1.0.00000000000000000000000000000000000000000000000000000/24",
    };
    uint8_t len;
    be32 addr;

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK_MSG(!ip4_prefix_parse(wrong[i], &addr, &len), "%s", wrong[i]);
    }
}

TEST(an_ipv6_network_is_read_and_masked)
{
    char text[ADDRESS_TEXT_SIZE];
    struct ip6_addr addr;
    uint8_t len;

    CHECK(ip6_prefix_parse("fd00:2::1/60", &addr, &len) && len == 60);
    CHECK(ip6_prefix_parse("fd00:2:3:4567::1", &addr, &len) && len == 128);
    assert_string_equal(ip6_format(ip6_masked(addr, 60), text),
                        "fd00:2:3:4560::");
    assert_string_equal(ip6_format(ip6_masked(addr, 0), text), "::");
    assert_string_equal(ip6_format(ip6_masked(addr, 128), text),
                        "fd00:2:3:4567::1");
    CHECK(!ip6_prefix_parse("fd00::/129", &addr, &len));
    CHECK(!ip6_prefix_parse("10.0.0.0/8", &addr, &len));
}

TEST(within_counts_the_prefix_only)
{
    struct ip6_addr a, b;
    be32 addr, network;

    CHECK(ip4_parse("10.1.0.255", &addr) && ip4_parse("10.1.0.0", &network));
    CHECK(ip4_is_within(addr, network, 24));
    CHECK(!ip4_is_within(addr, network, 25));
    CHECK(ip4_is_within(addr, network, 0));
    CHECK(ip6_parse("fd00::ff", &a) && ip6_parse("fd00::", &b));
    CHECK(ip6_is_within(a, b, 120));
    CHECK(!ip6_is_within(a, b, 121));
    CHECK(ip6_addr_is_set(a) && !ip6_addr_is_set((struct ip6_addr) { { 0 } }));
}

TEST(a_mac_is_six_pairs)
{
    char text[ADDRESS_TEXT_SIZE];
    struct eth_addr mac = { { 0 } };

    CHECK(!eth_addr_is_set(mac));
    CHECK(eth_addr_parse("02:00:00:0A:bc:9f", &mac));
    assert_string_equal(eth_addr_format(mac, text), "02:00:00:0a:bc:9f");
    CHECK(eth_addr_is_set(mac));
    CHECK(!eth_addr_parse("2:0:0:0:0:1", &mac));
    CHECK(!eth_addr_parse("02:00:00:00:00", &mac));
    CHECK(!eth_addr_parse("02:00:00:00:00:0", &mac));
    CHECK(!eth_addr_parse("02:00:00:00:00:01:", &mac));
    CHECK(!eth_addr_parse("02-00-00-00-00-01", &mac));
    CHECK(!eth_addr_parse("02:00:00:00:00:0g", &mac));
}

TESTS(
    RUN(an_ipv4_network_is_read_with_and_without_a_prefix),
    RUN(what_is_no_ipv4_network_is_refused),
    RUN(an_ipv6_network_is_read_and_masked),
    RUN(within_counts_the_prefix_only),
    RUN(a_mac_is_six_pairs),
)
