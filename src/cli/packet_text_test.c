#include "cli/packet_text.h"

#include "lib/rng.h"
#include "unit.h"

#define MACS "\2\0\0\0\0\2" "\2\0\0\0\0\1"

static void
check_text(const char *frame, uint32_t len, const char *expected)
{
    struct str text = STR_INIT;

    packet_format(frame, len, len, &text);
    CHECK_MSG(strstr(str_text(&text), expected), "'%s' lacks '%s'",
              str_text(&text), expected);
    str_fini(&text);
}

#define CHECK_TEXT(FRAME, EXPECTED) \
    check_text(FRAME, sizeof(FRAME) - 1, EXPECTED)

TEST(a_line_says_who_talks_to_whom)
{
    CHECK_TEXT(MACS "\x08\x00"
               "\x45\0\0\x28\0\0\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"
               "\x10\xe1\0\x50\0\0\0\0\0\0\0\0\x50\2\0\0\0\0\0\0",
               "02:00:00:00:00:01 > 02:00:00:00:00:02 IPv4 10.0.0.1.4321 > "
               "10.0.0.2.80 tcp SYN, length 54");
    CHECK_TEXT(MACS "\x81\0\0\x0a\x08\x00"
               "\x45\0\0\x1c\0\0\0\0\x40\1\0\0\x0a\0\0\1\x0a\0\0\2"
               "\x08\0\0\0\0\0\0\0",
               " vlan 10 IPv4 10.0.0.1 > 10.0.0.2 icmp echo request,");
    CHECK_TEXT(MACS "\x08\x06\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\0\1"
               "\0\0\0\0\0\0\x0a\0\0\2",
               " ARP who has 10.0.0.2, tell 10.0.0.1,");
    CHECK_TEXT(MACS "\x86\xdd\x60\0\0\0\0\x08\x3a\xff"
               "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
               "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2"
               "\x80\0\0\0\0\0\0\0",
               " IPv6 fe80::1 > fe80::2 icmp6 echo request,");
    CHECK_TEXT(MACS "\x88\xcc\0\0", " type 0x88cc,");
    CHECK_TEXT("short", "cut short, length 5");
}

TEST(random_bytes_always_make_a_line)
{
    struct rng rng = { 7 };

    for (int i = 0; i < 100000; i++) {
        uint8_t frame[96];
        uint32_t len = rng_below(&rng, sizeof frame + 1);
        struct str text = STR_INIT;
        static const uint16_t types[] = {
            0x0008, 0xdd86, 0x0608, 0x0081, 0x4788,
        };

        for (uint32_t k = 0; k < len; k++) {
            frame[k] = (uint8_t) rng_u32(&rng);
        }
        if (len > 14) {
            memcpy(frame + 12, &types[rng_below(&rng, ARRAY_SIZE(types))], 2);
        }
        packet_format(frame, len, len, &text);
        CHECK(text.len && text.len < 256);
        str_fini(&text);
    }
}

TESTS(
    RUN(a_line_says_who_talks_to_whom),
    RUN(random_bytes_always_make_a_line),
)
