#include "packet/dhcp.h"

#include "lib/rng.h"
#include "unit.h"

enum { BUFFER = 1600 };

static const struct dhcp_header no_header = { .op = DHCP_REPLY_OP };

/* A message of raw option bytes, and of overloaded fields if there are any. */
struct raw {
    uint8_t bytes[BUFFER];
    size_t len;
};

static struct raw
raw(const char *options, size_t n)
{
    static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };
    struct raw r = { .len = DHCP_OPTIONS_OFS + n };

    r.bytes[0] = DHCP_REQUEST_OP;
    memcpy(r.bytes + DHCP_HEADER_LEN, cookie, sizeof cookie);
    memcpy(r.bytes + DHCP_OPTIONS_OFS, options, n);
    return r;
}
#define RAW(OPTIONS) raw(OPTIONS, sizeof(OPTIONS) - 1)

static bool
option_is(const struct dhcp_message *msg, uint8_t code, const char *text)
{
    struct dhcp_value v = dhcp_option_find(msg, code);

    return v.p && v.len == strlen(text) && !memcmp(v.p, text, v.len);
}

TEST(header_fields_are_read_where_rfc_2131_section_2_puts_them)
{
    struct raw r = RAW("\x35\x01\x01\xff");
    struct dhcp_message msg;

    memcpy(r.bytes, "\1\1\6\3\xde\xad\xbe\xef\0\7\x80\0", 12);
    memcpy(r.bytes + 12, "\1\2\3\4" "\5\6\7\x8" "\x9\xa\xb\xc"
                         "\xd\xe\xf\x10" "\2\0\0\0\0\1", 22);
    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(msg.header.op == 1 && msg.header.htype == 1);
    CHECK(msg.header.hlen == 6 && msg.header.hops == 3);
    CHECK(msg.header.xid == 0xdeadbeef && msg.header.secs == 7);
    CHECK(msg.header.flags == DHCP_BROADCAST);
    CHECK(msg.header.ciaddr == htobe32(0x01020304));
    CHECK(msg.header.yiaddr == htobe32(0x05060708));
    CHECK(msg.header.siaddr == htobe32(0x090a0b0c));
    CHECK(msg.header.giaddr == htobe32(0x0d0e0f10));
    CHECK(msg.header.chaddr[0] == 2 && msg.header.chaddr[5] == 1);
}

TEST(what_is_no_dhcp_is_said_to_be_none)
{
    struct raw r = RAW("\xff");
    struct dhcp_message msg;

    CHECK(dhcp_decode(r.bytes, DHCP_OPTIONS_OFS - 1, &msg) == -EPROTO);
    r.bytes[DHCP_HEADER_LEN] ^= 1;
    CHECK(dhcp_decode(r.bytes, r.len, &msg) == -EPROTO);
}

TEST(pads_are_skipped_and_nothing_behind_the_end_is_read)
{
    struct raw r = RAW("\0\0\x35\x01\x03\0\0\x0c\x02hi\xff\x0c\x7f");
    struct dhcp_message msg;
    uint8_t type;

    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(dhcp_option_u8(&msg, DHCP_OPT_TYPE, &type) && type == DHCP_REQUEST);
    CHECK(option_is(&msg, DHCP_OPT_HOSTNAME, "hi"));
}

TEST(a_missing_end_option_is_forgiven)
{
    struct raw r = RAW("\x0c\x02hi");
    struct dhcp_message msg;

    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(option_is(&msg, DHCP_OPT_HOSTNAME, "hi"));
}

TEST(an_option_that_runs_past_the_end_is_refused)
{
    struct raw r = RAW("\x0c\x03hi");
    struct raw only_code = RAW("\x0c");
    struct dhcp_message msg;

    CHECK(dhcp_decode(r.bytes, r.len, &msg) == -EBADMSG);
    CHECK(dhcp_decode(only_code.bytes, only_code.len, &msg) == -EBADMSG);
}

TEST(an_empty_option_is_there_and_empty)
{
    struct raw r = RAW("\x50\0\xff");
    struct dhcp_message msg;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;

    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(dhcp_option_is_there(&msg, DHCP_OPT_RAPID_COMMIT));
    CHECK(dhcp_option_find(&msg, DHCP_OPT_RAPID_COMMIT).p);
    CHECK(!dhcp_option_is_there(&msg, DHCP_OPT_TYPE));
    CHECK(!dhcp_option_find(&msg, DHCP_OPT_TYPE).p);
    CHECK(!dhcp_option_u8(&msg, DHCP_OPT_RAPID_COMMIT, &u8));
    CHECK(!dhcp_option_u16(&msg, DHCP_OPT_RAPID_COMMIT, &u16));
    CHECK(!dhcp_option_u32(&msg, DHCP_OPT_RAPID_COMMIT, &u32));
}

TEST(pieces_of_an_option_are_joined_in_order__rfc_3396_section_7)
{
    struct raw r = RAW("\x43\x02" "ab" "\x0c\x01h" "\x43\x03" "cde" "\xff");
    struct dhcp_message msg;

    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(option_is(&msg, DHCP_OPT_BOOT_FILE, "abcde"));
    CHECK(option_is(&msg, DHCP_OPT_HOSTNAME, "h"));
}

/* RFC 3396, section 5: the options field, then file, then sname. */
TEST(overloaded_fields_are_read_file_before_sname__rfc_2131_section_4_1)
{
    struct raw r = RAW("\x43\x01" "a" "\x34\x01\x03" "\xff");
    struct dhcp_message msg;

    memcpy(r.bytes + 108, "\x43\x01" "b" "\xff", 4);
    memcpy(r.bytes + 44, "\x0c\x01h" "\x43\x01" "c" "\xff", 7);
    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    CHECK(option_is(&msg, DHCP_OPT_BOOT_FILE, "abc"));
    CHECK(option_is(&msg, DHCP_OPT_HOSTNAME, "h"));
}

TEST(fields_that_are_not_overloaded_are_not_options)
{
    struct raw file_only = RAW("\x34\x01\x01\xff");
    struct raw none = RAW("\xff");
    struct dhcp_message msg;

    memcpy(file_only.bytes + 44, "\x0c\x01h\xff", 4);
    memcpy(file_only.bytes + 108, "\x0f\x01" "d\xff", 4);
    CHECK(!dhcp_decode(file_only.bytes, file_only.len, &msg));
    CHECK(!dhcp_option_is_there(&msg, DHCP_OPT_HOSTNAME));
    CHECK(option_is(&msg, DHCP_OPT_DOMAIN, "d"));

    memcpy(none.bytes + 44, "\x0c\x01h\xff", 4);
    CHECK(!dhcp_decode(none.bytes, none.len, &msg));
    CHECK(!dhcp_option_is_there(&msg, DHCP_OPT_HOSTNAME));
}

TEST(an_overload_that_says_nothing_known_is_refused)
{
    struct raw zero = RAW("\x34\x01\0\xff"), four = RAW("\x34\x01\4\xff");
    struct raw two_bytes = RAW("\x34\x02\1\1\xff");
    struct raw past = RAW("\x34\x01\1\xff");
    struct dhcp_message msg;

    CHECK(dhcp_decode(zero.bytes, zero.len, &msg) == -EBADMSG);
    CHECK(dhcp_decode(four.bytes, four.len, &msg) == -EBADMSG);
    CHECK(dhcp_decode(two_bytes.bytes, two_bytes.len, &msg) == -EBADMSG);
    past.bytes[108 + 126] = DHCP_OPT_HOSTNAME;
    past.bytes[108 + 127] = 5;
    CHECK(dhcp_decode(past.bytes, past.len, &msg) == -EBADMSG);
}

TEST(too_many_bytes_of_options_are_refused)
{
    static uint8_t bytes[DHCP_OPTIONS_OFS + 17 * 257];
    struct raw r = RAW("");
    struct dhcp_message msg;

    memcpy(bytes, r.bytes, DHCP_OPTIONS_OFS);
    for (unsigned int i = 0; i < 17; i++) {
        bytes[DHCP_OPTIONS_OFS + i * 257] = 43;
        bytes[DHCP_OPTIONS_OFS + i * 257 + 1] = 255;
    }
    CHECK(dhcp_decode(bytes, sizeof bytes, &msg) == -EMSGSIZE);
    CHECK(!dhcp_decode(bytes, sizeof bytes - 257, &msg));
    CHECK(dhcp_option_find(&msg, 43).len == 16 * 255);
}

TEST(sub_options_of_a_relay_are_found__rfc_3046)
{
    struct raw r = RAW("\x52\x0a\x01\x02" "ab" "\x05\x04\xa\0\0\x9" "\xff");
    struct dhcp_message msg;
    struct dhcp_value relay, v;

    CHECK(!dhcp_decode(r.bytes, r.len, &msg));
    relay = dhcp_option_find(&msg, DHCP_OPT_RELAY);
    v = dhcp_sub_option_find(relay, DHCP_RELAY_LINK);
    CHECK(v.len == 4 && get_be32(v.p) == htobe32(0x0a000009));
    CHECK(!dhcp_sub_option_find(relay, 7).p);
    relay.len--;
    CHECK(!dhcp_sub_option_find(relay, DHCP_RELAY_LINK).p);
}

TEST(a_short_message_is_padded_to_300_bytes__rfc_1542_section_2_1)
{
    static const uint8_t type = DHCP_ACK;
    struct dhcp_item item = { DHCP_OPT_TYPE, 1, &type };
    uint8_t out[BUFFER];
    unsigned int n_left_out;

    memset(out, 0xee, sizeof out);
    CHECK(dhcp_encode(&no_header, &item, 1, out, 548, &n_left_out)
          == DHCP_MIN_LEN);
    CHECK(!memcmp(out + DHCP_OPTIONS_OFS, "\x35\x01\x05\xff\0", 5));
    CHECK(!out[DHCP_MIN_LEN - 1] && out[DHCP_MIN_LEN] == 0xee);
    CHECK(!n_left_out);
}

TEST(a_relays_option_is_echoed_as_the_last__rfc_3046_section_2_2)
{
    static const uint8_t type = DHCP_ACK;
    struct dhcp_item items[] = { { DHCP_OPT_RELAY, 4, "\1\2ab" },
                                 { DHCP_OPT_TYPE, 1, &type } };
    uint8_t out[BUFFER];
    unsigned int n_left_out;

    dhcp_encode(&no_header, items, 2, out, 548, &n_left_out);
    CHECK(!memcmp(out + DHCP_OPTIONS_OFS,
                  "\x35\x01\x05\x52\x04\1\2ab\xff", 10));
}

TEST(a_relays_option_keeps_its_room_when_others_fill_the_message)
{
    static const uint8_t filler[400];
    struct dhcp_item items[] = { { 200, 230, filler }, { 201, 40, filler },
                                 { 202, 100, filler }, { 203, 50, filler },
                                 { DHCP_OPT_RELAY, 4, "\1\2ab" } };
    struct dhcp_message msg;
    uint8_t out[BUFFER];
    unsigned int n_left_out;
    size_t len;

    len = dhcp_encode(&no_header, items, 5, out, 548, &n_left_out);
    CHECK(len <= 548 && !n_left_out);
    CHECK(!dhcp_decode(out, len, &msg));
    CHECK(option_is(&msg, DHCP_OPT_RELAY, "\1\2ab"));
    CHECK(dhcp_option_is_there(&msg, DHCP_OPT_OVERLOAD));
    for (uint8_t code = 200; code < 204; code++) {
        CHECK(dhcp_option_is_there(&msg, code));
    }
    CHECK(out[len - 1] == DHCP_OPT_END && out[len - 7] == DHCP_OPT_RELAY);
}

TEST(a_boot_file_in_the_header_is_not_overloaded)
{
    static const uint8_t filler[400];
    struct dhcp_header h = { .op = DHCP_REPLY_OP, .file = "pxe.0" };
    struct dhcp_item items[] = { { 200, 255, filler }, { 201, 60, filler },
                                 { 202, 80, filler } };
    struct dhcp_message msg;
    uint8_t out[BUFFER];
    unsigned int n_left_out;
    size_t len;

    len = dhcp_encode(&h, items, 3, out, 548, &n_left_out);
    CHECK(n_left_out == 1);
    CHECK(!dhcp_decode(out, len, &msg));
    CHECK(!strcmp((const char *) msg.header.file, "pxe.0"));
    CHECK(dhcp_option_is_there(&msg, 200) && dhcp_option_is_there(&msg, 201));
    CHECK(!dhcp_option_is_there(&msg, 202));
}

/* Any options in any room: what was not left out reads as it was written. */
TEST(what_is_written_is_read_again)
{
    static uint8_t values[12][700];
    struct rng rng = { 3 };

    for (unsigned int round = 0; round < 5000; round++) {
        struct dhcp_header h = { .op = DHCP_REPLY_OP, .xid = round };
        unsigned int n = rng_below(&rng, 12), n_left_out, n_missing = 0;
        size_t max_len = DHCP_MIN_LEN + rng_below(&rng, 1200), len;
        struct dhcp_item items[12];
        struct dhcp_message msg;
        uint8_t out[BUFFER];

        for (unsigned int i = 0; i < n; i++) {
            items[i] = (struct dhcp_item) {
                .code = (uint8_t) (i == 7 ? DHCP_OPT_RELAY : 100 + i),
                .len = (uint16_t) rng_below(&rng, rng_one_in(&rng, 8) ? 700
                                                                      : 90),
                .value = values[i],
            };
            for (unsigned int j = 0; j < items[i].len; j++) {
                values[i][j] = (uint8_t) rng_u32(&rng);
            }
        }
        h.file[0] = rng_one_in(&rng, 2) ? 'f' : 0;
        h.sname[0] = rng_one_in(&rng, 2) ? 's' : 0;
        memset(out, 0xa5, sizeof out);
        len = dhcp_encode(&h, items, n, out, max_len, &n_left_out);
        CHECK(len >= DHCP_MIN_LEN && len <= max_len && out[max_len] == 0xa5);
        CHECK_MSG(!dhcp_decode(out, len, &msg), "round %u", round);
        CHECK(msg.header.xid == round);
        for (unsigned int i = 0; i < n; i++) {
            struct dhcp_value v = dhcp_option_find(&msg, items[i].code);

            n_missing += !v.p;
            CHECK_MSG(!v.p || (v.len == items[i].len
                               && !memcmp(v.p, items[i].value, v.len)),
                      "round %u, option %u", round, items[i].code);
        }
        CHECK_MSG(n_missing == n_left_out, "round %u", round);
    }
}

TESTS(
    RUN(header_fields_are_read_where_rfc_2131_section_2_puts_them),
    RUN(what_is_no_dhcp_is_said_to_be_none),
    RUN(pads_are_skipped_and_nothing_behind_the_end_is_read),
    RUN(a_missing_end_option_is_forgiven),
    RUN(an_option_that_runs_past_the_end_is_refused),
    RUN(an_empty_option_is_there_and_empty),
    RUN(pieces_of_an_option_are_joined_in_order__rfc_3396_section_7),
    RUN(overloaded_fields_are_read_file_before_sname__rfc_2131_section_4_1),
    RUN(fields_that_are_not_overloaded_are_not_options),
    RUN(an_overload_that_says_nothing_known_is_refused),
    RUN(too_many_bytes_of_options_are_refused),
    RUN(sub_options_of_a_relay_are_found__rfc_3046),
    RUN(a_short_message_is_padded_to_300_bytes__rfc_1542_section_2_1),
    RUN(a_relays_option_is_echoed_as_the_last__rfc_3046_section_2_2),
    RUN(a_relays_option_keeps_its_room_when_others_fill_the_message),
    RUN(a_boot_file_in_the_header_is_not_overloaded),
    RUN(what_is_written_is_read_again),
)
