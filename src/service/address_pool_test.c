#include "service/address_pool.h"

#include "lib/rng.h"
#include "packet/address.h"
#include "unit.h"

static be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

static struct address_span
span(const char *first, const char *last)
{
    return (struct address_span) { ip4(first), ip4(last) };
}

TEST(an_empty_pool_has_nothing)
{
    struct address_pool *pool = address_pool_create(NULL, 0, NULL, 0);
    be32 addr;

    CHECK(!address_pool_size(pool) && !address_pool_n_free(pool));
    CHECK(!address_pool_find(pool, 7, &addr));
    CHECK(!address_pool_has(pool, ip4("10.0.0.1")));
    address_pool_take(pool, ip4("10.0.0.1"));
    address_pool_give_back(pool, ip4("10.0.0.1"));
    address_pool_destroy(pool);
    address_pool_destroy(NULL);
}

TEST(ranges_are_joined_and_exclusions_are_cut_out)
{
    struct address_span ranges[] = { span("10.0.0.50", "10.0.0.60"),
                                     span("10.0.0.10", "10.0.0.19"),
                                     span("10.0.0.15", "10.0.0.25") };
    struct address_span holes[] = { span("10.0.0.24", "10.0.0.51"),
                                    span("10.0.0.12", "10.0.0.12"),
                                    span("10.0.0.60", "10.0.0.70") };
    struct address_pool *pool = address_pool_create(ranges, 3, holes, 3);

    CHECK(address_pool_size(pool) == 2 + 11 + 8);
    CHECK(address_pool_has(pool, ip4("10.0.0.10")));
    CHECK(!address_pool_has(pool, ip4("10.0.0.12")));
    CHECK(address_pool_has(pool, ip4("10.0.0.23")));
    CHECK(!address_pool_has(pool, ip4("10.0.0.24")));
    CHECK(!address_pool_has(pool, ip4("10.0.0.51")));
    CHECK(address_pool_has(pool, ip4("10.0.0.52")));
    CHECK(!address_pool_has(pool, ip4("10.0.0.60")));
    address_pool_destroy(pool);
}

TEST(the_search_begins_at_its_start_and_goes_around)
{
    struct address_span range = span("10.0.0.0", "10.0.0.9");
    struct address_pool *pool = address_pool_create(&range, 1, NULL, 0);
    be32 addr;

    CHECK(address_pool_find(pool, 14, &addr) && addr == ip4("10.0.0.4"));
    for (unsigned int i = 4; i < 10; i++) {
        address_pool_take(pool, htobe32(0x0a000000 + i));
    }
    CHECK(address_pool_find(pool, 4, &addr) && addr == ip4("10.0.0.0"));
    for (unsigned int i = 0; i < 4; i++) {
        address_pool_take(pool, htobe32(0x0a000000 + i));
    }
    CHECK(!address_pool_find(pool, 4, &addr));
    address_pool_give_back(pool, ip4("10.0.0.7"));
    CHECK(address_pool_find(pool, 8, &addr) && addr == ip4("10.0.0.7"));
    address_pool_destroy(pool);
}

TEST(the_last_address_of_a_slash_8_is_found_at_once)
{
    struct address_span range = span("10.0.0.0", "10.255.255.255");
    struct address_pool *pool = address_pool_create(&range, 1, NULL, 0);
    be32 addr, last = ip4("10.200.0.5");

    CHECK(address_pool_size(pool) == ADDRESS_POOL_MAX);
    for (uint32_t i = 0; i < ADDRESS_POOL_MAX; i++) {
        address_pool_take(pool, htobe32(0x0a000000 + i));
    }
    CHECK(!address_pool_find(pool, 1, &addr));
    address_pool_give_back(pool, last);
    for (uint64_t start = 0; start < ADDRESS_POOL_MAX; start += 99991) {
        CHECK(address_pool_find(pool, start, &addr) && addr == last);
    }
    address_pool_destroy(pool);
}

TEST(beyond_a_slash_8_the_rest_is_left_out)
{
    struct address_span range = span("10.0.0.0", "255.255.255.255");
    struct address_pool *pool = address_pool_create(&range, 1, NULL, 0);

    CHECK(address_pool_size(pool) == ADDRESS_POOL_MAX);
    CHECK(address_pool_has(pool, ip4("10.255.255.255")));
    CHECK(!address_pool_has(pool, ip4("11.0.0.0")));
    address_pool_destroy(pool);
}

/* Pools of all sizes around the words' beside an array of bools. */
TEST(it_finds_what_a_plain_walk_finds)
{
    struct rng rng = { 1 };

    for (unsigned int round = 0; round < 150; round++) {
        static bool taken[5000];
        uint32_t n = round < 130 ? round + 1 : 4000 + rng_below(&rng, 999);
        uint32_t n_free = n;
        struct address_span range = { htobe32(0x0a000001),
                                      htobe32(0x0a000000 + n) };
        struct address_pool *pool = address_pool_create(&range, 1, NULL, 0);

        memset(taken, 0, sizeof taken);
        for (unsigned int i = 0; i < 4 * n; i++) {
            uint32_t at = rng_below(&rng, n), start = rng_below(&rng, n), k;
            bool take = rng_below(&rng, 4) != 0;
            be32 addr = htobe32(0x0a000001 + at), found;

            n_free += taken[at];
            n_free -= take;
            taken[at] = take;
            if (take) {
                address_pool_take(pool, addr);
            } else {
                address_pool_give_back(pool, addr);
            }
            CHECK(address_pool_n_free(pool) == n_free);
            for (k = 0; k < n && taken[(start + k) % n]; k++) {
                continue;
            }
            CHECK(address_pool_find(pool, start, &found) == (k < n));
            CHECK_MSG(k == n || found == htobe32(0x0a000001
                                                 + (start + k) % n),
                      "round %u, step %u", round, i);
        }
        address_pool_destroy(pool);
    }
}

TESTS(
    RUN(an_empty_pool_has_nothing),
    RUN(ranges_are_joined_and_exclusions_are_cut_out),
    RUN(the_search_begins_at_its_start_and_goes_around),
    RUN(the_last_address_of_a_slash_8_is_found_at_once),
    RUN(beyond_a_slash_8_the_rest_is_left_out),
    RUN(it_finds_what_a_plain_walk_finds),
)
