#include "service/binding.h"

#include "packet/address.h"
#include "unit.h"

enum { NOW = 1000 };

static struct ip6_addr
numbered(unsigned int i)
{
    return (struct ip6_addr) { { 0xfd, [14] = (uint8_t) (i >> 8),
                                 [15] = (uint8_t) i } };
}

static enum binding_result
announce(struct binding_list *list, unsigned int i, unix_sec now)
{
    struct ip6_addr addr = numbered(i);

    return binding_announce(list, &addr, now);
}

TEST(who_announces_an_address_has_it)
{
    struct binding_list list = { 0 };

    CHECK(announce(&list, 1, NOW) == BINDING_NEW);
    CHECK(announce(&list, 1, NOW + 5) == BINDING_KNOWN);
    CHECK(list.n == 1 && list.at[0].announced == NOW + 5);
}

TEST(the_oldest_announcement_makes_room_but_not_at_once)
{
    struct binding_list list = { 0 };

    for (unsigned int i = 0; i < BINDING_MAX; i++) {
        CHECK(announce(&list, i, NOW + i) == BINDING_NEW);
    }
    CHECK(announce(&list, 0, NOW + 30) == BINDING_KNOWN);
    CHECK(announce(&list, 100, NOW + BINDING_HOLD) == BINDING_TOO_MANY);
    CHECK(announce(&list, 100, NOW + 1 + BINDING_HOLD) == BINDING_NEW);
    CHECK(list.n == BINDING_MAX);
    CHECK(announce(&list, 0, NOW + 1 + BINDING_HOLD) == BINDING_KNOWN);
    CHECK(announce(&list, 1, NOW + 1 + BINDING_HOLD) == BINDING_TOO_MANY);
}

TEST(guests_choose_in_their_prefix_and_on_the_link)
{
    static const struct {
        const char *addr;
        bool slaac, otherwise;
    } rows[] = {
        { "fd00::5", true, false }, { "fd00::", false, false },
        { "fd01::5", false, false }, { "fe80::5", true, true },
        { "fe80::", false, false }, { "fe80:0:0:1::5", false, false },
        { "ff02::1", false, false }, { "::", false, false },
    };
    struct ip6_addr prefix = { { 0xfd } }, addr;

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(ip6_parse(rows[i].addr, &addr));
        CHECK(binding_is_choice(&addr, &prefix, 64, true) == rows[i].slaac);
        CHECK(binding_is_choice(&addr, &prefix, 64, false)
              == rows[i].otherwise);
    }
}

TEST(lists_read_as_they_were_written)
{
    struct binding_list list = { 0 }, again;
    uint8_t bytes[BINDING_BYTES_MAX + 24];
    size_t len;

    for (unsigned int i = 0; i < BINDING_MAX; i++) {
        announce(&list, i, NOW + i);
    }
    len = binding_encode(&list, bytes);
    CHECK(!binding_decode(bytes, len, &again) && again.n == list.n);
    for (unsigned int i = 0; i < list.n; i++) {
        CHECK(ip6_addr_eq(again.at[i].addr, list.at[i].addr));
        CHECK(again.at[i].announced == list.at[i].announced);
    }
    CHECK(binding_decode(bytes, len - 1, &again) == -EBADMSG);
    CHECK(binding_decode(bytes, sizeof bytes, &again) == -EBADMSG);
    CHECK(!binding_decode(NULL, 0, &again) && !again.n);
}

TEST(results_have_names)
{
    for (unsigned int i = 0; i < N_BINDING_RESULTS; i++) {
        CHECK(*binding_result_name(i));
    }
}

TESTS(
    RUN(who_announces_an_address_has_it),
    RUN(the_oldest_announcement_makes_room_but_not_at_once),
    RUN(guests_choose_in_their_prefix_and_on_the_link),
    RUN(lists_read_as_they_were_written),
    RUN(results_have_names),
)
