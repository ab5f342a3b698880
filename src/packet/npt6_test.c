#include "packet/npt6.h"

#include "lib/rng.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "unit.h"

static struct ip6_addr
address(const char *text)
{
    struct ip6_addr addr;

    CHECK(ip6_parse(text, &addr));
    return addr;
}

static void
check(const char *inside, const char *prefix, uint8_t len,
      const char *expected)
{
    char text[ADDRESS_TEXT_SIZE];
    struct ip6_addr outside;

    CHECK(npt6_map(address(inside), address(prefix), len, &outside));
    assert_string_equal(ip6_format(outside, text), expected);
}

/* RFC 6296, 3.1 and its appendix; the longer ones by hand. */
TEST(addresses_of_the_standard)
{
    check("fd01:203:405:1::1234", "2001:db8:1::", 48,
          "2001:db8:1:d550::1234");
    check("fd01:203:405:7::1234", "2001:db8:1::", 48,
          "2001:db8:1:d556::1234");
    check("fd00::1", "2001:db8:0:1::", 64, "2001:db8:0:1:cf46::1");
    check("fd00::ffff:0:0:1", "2001:db8:0:1::", 64,
          "2001:db8:0:1:ffff:cf46:0:1");
    check("2001:db8::5", "2001:db8::", 48, "2001:db8::5");
}

TEST(what_has_no_room_for_the_difference)
{
    struct ip6_addr outside;

    CHECK(!npt6_map(address("fd00:0:0:ffff::1"), address("2001:db8::"), 48,
                    &outside));
    CHECK(!npt6_map(address("fd00::ffff:ffff:ffff:ffff"),
                    address("2001:db8::"), 64, &outside));
    CHECK(!npt6_map(address("fd00::"), address("2001:db8::"), 48, &outside));
}

/* No checksum changes, and nobody gets another's address. */
TEST(sums_stay_and_addresses_differ)
{
    struct rng rng = { 6296 };

    for (unsigned int i = 0; i < 20000; i++) {
        uint8_t len = (uint8_t) (16 + rng_below(&rng, NPT6_MAX_LEN - 15));
        struct ip6_addr inside, other, prefix, outside, outside2;

        for (unsigned int k = 0; k < sizeof inside.b; k++) {
            inside.b[k] = (uint8_t) rng_u32(&rng);
            prefix.b[k] = (uint8_t) rng_u32(&rng);
        }
        inside.b[15] |= 1;
        if (!npt6_map(inside, prefix, len, &outside)) {
            continue;
        }
        CHECK(ip6_is_within(outside, prefix, len));
        CHECK(checksum_reduce(checksum_add(0, outside.b, 16)) % 0xffff
              == checksum_reduce(checksum_add(0, inside.b, 16)) % 0xffff);
        other = inside;
        other.b[14] ^= (uint8_t) (1 + rng_below(&rng, 255));
        if (npt6_map(other, prefix, len, &outside2)) {
            CHECK(!ip6_addr_eq(outside, outside2));
        }
    }
}

TESTS(
    RUN(addresses_of_the_standard),
    RUN(what_has_no_room_for_the_difference),
    RUN(sums_stay_and_addresses_differ),
)
