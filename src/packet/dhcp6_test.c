#include "packet/dhcp6.h"

#include <string.h>

#include "unit.h"

TEST(a_message_is_its_type_its_number_and_its_options)
{
    static const uint8_t bytes[] = { 1, 0xab, 0xcd, 0xef, 0, 6, 0, 4, 0, 23,
                                     0, 24, 0, 14, 0, 0 };
    struct dhcp6_message m;
    struct dhcp6_options oro;

    CHECK(!dhcp6_decode(bytes, sizeof bytes, &m));
    CHECK(m.type == DHCP6_SOLICIT && m.xid == 0xabcdef);
    oro = dhcp6_option_find(m.options, DHCP6_OPT_ORO);
    CHECK(oro.len == 4);
    CHECK(dhcp6_is_wanted(oro, DHCP6_OPT_DOMAINS));
    CHECK(!dhcp6_is_wanted(oro, DHCP6_OPT_NTP));
    CHECK(dhcp6_option_find(m.options, DHCP6_OPT_RAPID_COMMIT).p);
    CHECK(!dhcp6_option_find(m.options, DHCP6_OPT_CLIENT_ID).p);
    for (size_t len = 0; len < sizeof bytes; len++) {
        bool is_whole = len == 4 || len == 12;

        CHECK(dhcp6_decode(bytes, len, &m) == (is_whole ? 0 : -EBADMSG));
    }
}

TEST(a_relays_message_is_told_from_a_clients)
{
    uint8_t bytes[DHCP6_RELAY_HEADER_LEN] = { DHCP6_RELAY_FORW, 3 };
    struct dhcp6_message m;
    struct dhcp6_relay r;

    bytes[17] = 9;
    bytes[33] = 7;
    CHECK(dhcp6_decode(bytes, sizeof bytes, &m) == -EPROTO);
    CHECK(!dhcp6_relay_decode(bytes, sizeof bytes, &r));
    CHECK(r.hops == 3 && r.link.b[15] == 9 && r.peer.b[15] == 7);
    CHECK(dhcp6_relay_decode(bytes, sizeof bytes - 1, &r) == -EBADMSG);
    CHECK(dhcp6_relay_decode(bytes, 0, &r) == -EBADMSG);
    bytes[0] = DHCP6_SOLICIT;
    CHECK(dhcp6_relay_decode(bytes, sizeof bytes, &r) == -EPROTO);
}

TEST(options_within_options_read_as_they_were_written)
{
    struct ip6_addr addr = { { 0xfd, [15] = 5 } };
    struct dhcp6_message m;
    struct dhcp6_address a;
    struct dhcp6_writer w;
    struct dhcp6_ia ia;
    uint8_t bytes[128];
    size_t outer, inner;

    dhcp6_writer_init(&w, bytes, sizeof bytes);
    dhcp6_put_u32(&w, (uint32_t) DHCP6_REPLY << 24 | 7);
    outer = dhcp6_begin(&w, DHCP6_OPT_IA_NA);
    dhcp6_put_u32(&w, 11);
    dhcp6_put_u32(&w, 12);
    dhcp6_put_u32(&w, 13);
    inner = dhcp6_begin(&w, DHCP6_OPT_ADDRESS);
    dhcp6_put(&w, &addr, sizeof addr);
    dhcp6_put_u32(&w, 14);
    dhcp6_put_u32(&w, 15);
    dhcp6_put_status(&w, DHCP6_SUCCESS, "fine");
    dhcp6_end(&w, inner);
    dhcp6_end(&w, outer);

    CHECK(!dhcp6_decode(bytes, w.len, &m) && m.xid == 7);
    CHECK(dhcp6_ia_decode(dhcp6_option_find(m.options, DHCP6_OPT_IA_NA),
                          &ia));
    CHECK(ia.iaid == 11 && ia.t1 == 12 && ia.t2 == 13);
    CHECK(dhcp6_address_decode(dhcp6_option_find(ia.options,
                                                 DHCP6_OPT_ADDRESS), &a));
    CHECK(!memcmp(&a.addr, &addr, sizeof addr));
    CHECK(a.preferred == 14 && a.valid == 15);
    CHECK(dhcp6_option_find(a.options, DHCP6_OPT_STATUS).len == 6);
}

TEST(an_option_that_does_not_fit_is_left_out_whole)
{
    uint8_t bytes[20];
    struct dhcp6_writer w;
    size_t outer, inner;

    dhcp6_writer_init(&w, bytes, sizeof bytes);
    dhcp6_put_u32(&w, 1);
    outer = dhcp6_begin(&w, DHCP6_OPT_IA_NA);
    inner = dhcp6_begin(&w, DHCP6_OPT_ADDRESS);
    dhcp6_put(&w, "a text that is too long", 23);
    dhcp6_end(&w, inner);
    dhcp6_end(&w, outer);
    CHECK(w.len == 4 && w.n_left_out == 1);
    dhcp6_put_option(&w, DHCP6_OPT_PREFERENCE, "\xff", 1);
    CHECK(w.len == 9 && w.n_left_out == 1);
}

TEST(an_ia_with_broken_insides_is_none)
{
    static const uint8_t broken[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0, 5, 0, 9, 1 };
    struct dhcp6_options value = { broken, sizeof broken };
    struct dhcp6_address a;
    struct dhcp6_ia ia;

    CHECK(!dhcp6_ia_decode(value, &ia));
    value.len = DHCP6_IA_HEADER_LEN;
    CHECK(dhcp6_ia_decode(value, &ia) && ia.iaid == 1);
    value.len--;
    CHECK(!dhcp6_ia_decode(value, &ia));
    CHECK(!dhcp6_address_decode(value, &a));
}

TEST(names_become_labels)
{
    static const struct {
        const char *name, *wire;
    } rows[] = {
        { "a.bc", "\1a\2bc" }, { "weft.", "\4weft" }, { "", NULL },
        { "a..b", NULL }, { ".a", NULL },
        { "a234567890123456789012345678901234567890123456789012345678901234",
          NULL },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t bytes[128];
        struct dhcp6_writer w;

        dhcp6_writer_init(&w, bytes, sizeof bytes);
        CHECK(dhcp6_put_name(&w, rows[i].name) == !!rows[i].wire);
        CHECK(w.len == (rows[i].wire ? strlen(rows[i].wire) + 1 : 0));
        CHECK(!rows[i].wire || !memcmp(bytes, rows[i].wire, w.len));
    }
}

TESTS(
    RUN(a_message_is_its_type_its_number_and_its_options),
    RUN(a_relays_message_is_told_from_a_clients),
    RUN(options_within_options_read_as_they_were_written),
    RUN(an_option_that_does_not_fit_is_left_out_whole),
    RUN(an_ia_with_broken_insides_is_none),
    RUN(names_become_labels),
)
