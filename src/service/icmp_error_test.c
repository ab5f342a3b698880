/* ICMP errors: what they say, about what, and about what never. */
#include "service/icmp_error.h"

#include <stdlib.h>

#include "frames.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

static const struct icmp_gateway gateway = {
    .mac = { { 2, 0, 0, 0, 0, 0xfe } },
    .address = 0x0100010a,        /* 10.1.0.1, as it lies in memory */
    .address6 = { { 0xfd, [15] = 1 } },
};

enum { SRC_OFS = 26, DST_OFS = 30, ICMP_OFS = 34, ICMP6_OFS = 54 };

static size_t
build(uint8_t *frame, bool is_ip6, uint8_t proto, size_t payload_len)
{
    struct frame_spec spec = { .is_ip6 = is_ip6, .proto = proto,
                               .payload_len = payload_len };
    struct rng rng = { 5 };
    size_t len = frame_build(frame, &spec, &rng);

    frame[0] = 2;
    if (is_ip6) {
        frame[22] = frame[38] = 0xfd;
    } else {
        frame[SRC_OFS] = frame[DST_OFS] = 10;
    }
    return len;
}

static enum icmp_verdict
about(const uint8_t *frame, size_t len)
{
    struct icmp_reply reply;
    enum icmp_verdict verdict = icmp_error_make(&gateway, ICMP_EXPIRED, 0,
                                                frame, len, &reply);

    CHECK((verdict == ICMP_TOLD) == !!reply.len);
    return verdict;
}

TEST(what_is_told_is_whole_and_quotes_the_packet)
{
    static const struct {
        enum icmp_trouble trouble;
        uint8_t type, code, type6, code6;
    } rows[] = {
        { ICMP_EXPIRED, 11, 0, 3, 0 }, { ICMP_NO_ROUTE, 3, 0, 1, 0 },
        { ICMP_NO_ANSWER, 3, 1, 1, 3 }, { ICMP_CLOSED, 3, 3, 1, 4 },
        { ICMP_TOO_BIG, 3, 4, 2, 0 },
    };
    static const size_t sizes[] = { 0, 1, 100, 1400, 8000 };
    uint8_t frame[10000];

    for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(sizes) * 2; i++) {
        size_t size = sizes[i / 2 % ARRAY_SIZE(sizes)];
        size_t row = i / 2 / ARRAY_SIZE(sizes);
        bool is_ip6 = i % 2;
        size_t at = is_ip6 ? ICMP6_OFS : ICMP_OFS;
        size_t len = build(frame, is_ip6, IP_PROTO_UDP, size);
        struct icmp_reply reply;
        const uint8_t *from;
        const char *why;

        CHECK(icmp_error_make(&gateway, rows[row].trouble, 1400, frame, len,
                              &reply) == ICMP_TOLD);
        CHECK_MSG(frame_is_whole(reply.frame, reply.len, &why), "%s", why);
        CHECK(reply.len <= (is_ip6 ? 14u + 1280 : 14u + 576));
        CHECK(reply.len == at + 8 + MIN(len - 14, is_ip6 ? 1232u : 548u));
        CHECK(reply.frame[at] == (is_ip6 ? rows[row].type6 : rows[row].type));
        CHECK(reply.frame[at + 1] == (is_ip6 ? rows[row].code6
                                             : rows[row].code));
        CHECK(be16toh(get_be16(&reply.frame[at + 6]))
              == (rows[row].trouble == ICMP_TOO_BIG ? 1400 : 0));
        CHECK(!memcmp(reply.frame + at + 8, frame + 14, reply.len - at - 8));
        /* From the gateway, or from where it was sent; to the sender. */
        from = rows[row].trouble == ICMP_CLOSED
               ? frame + (is_ip6 ? 38 : DST_OFS)
               : is_ip6 ? gateway.address6.b
                        : (const uint8_t *) &gateway.address;
        CHECK(is_ip6 ? !memcmp(reply.frame + 22, from, 16)
                       && !memcmp(reply.frame + 38, frame + 22, 16)
                     : !memcmp(reply.frame + SRC_OFS, from, 4)
                       && !memcmp(reply.frame + DST_OFS, frame + SRC_OFS,
                                  4));
        CHECK(!memcmp(reply.frame, gateway.mac.b, 6)
              && !memcmp(reply.frame + 6, gateway.mac.b, 6));
    }
}

TEST(nobody_is_told_about_errors)
{
    static const uint8_t questions[] = { 0, 8, 9, 10, 13, 14, 17, 18 };
    uint8_t frame[256];
    size_t len = build(frame, false, IP_PROTO_ICMP, 40);

    for (unsigned int type = 0; type < 256; type++) {
        bool is_told = memchr(questions, (int) type, sizeof questions);

        frame[ICMP_OFS] = (uint8_t) type;
        CHECK_MSG((about(frame, len) == ICMP_TOLD)
                  == (is_told || type == 15 || type == 16), "%u", type);
    }
    len = build(frame, true, IP_PROTO_ICMPV6, 40);
    for (unsigned int type = 0; type < 256; type++) {
        frame[ICMP6_OFS] = (uint8_t) type;
        CHECK((about(frame, len) == ICMP_TOLD)
              == (type >= 128 && type != 137));
    }
}

TEST(nobody_is_told_about_groups_or_by_nobody)
{
    uint8_t frame[256];
    size_t len = build(frame, false, IP_PROTO_UDP, 40);

    CHECK(about(frame, len) == ICMP_TOLD);
    frame[DST_OFS] = 224;
    CHECK(about(frame, len) == ICMP_ABOUT_GROUP);
    frame[DST_OFS] = 255;
    CHECK(about(frame, len) == ICMP_ABOUT_GROUP);
    frame[DST_OFS] = 10;
    frame[0] = 255;
    CHECK(about(frame, len) == ICMP_ABOUT_GROUP);
    frame[0] = 2;
    frame[SRC_OFS] = 0;
    CHECK(about(frame, len) == ICMP_ABOUT_NOBODY);
    frame[SRC_OFS] = 127;
    CHECK(about(frame, len) == ICMP_ABOUT_NOBODY);
    frame[SRC_OFS] = 239;
    CHECK(about(frame, len) == ICMP_ABOUT_NOBODY);
    len = build(frame, true, IP_PROTO_UDP, 40);
    frame[38] = 0xff;
    CHECK(about(frame, len) == ICMP_ABOUT_GROUP);
    frame[38] = 0xfd;
    memset(&frame[22], 0, 16);
    CHECK(about(frame, len) == ICMP_ABOUT_NOBODY);
}

TEST(nobody_is_told_about_later_fragments)
{
    uint8_t frame[256];
    size_t len = build(frame, false, IP_PROTO_UDP, 40);

    frame[21] = 1;
    CHECK(about(frame, len) == ICMP_ABOUT_FRAGMENT);
    frame[20] = 0x20;
    frame[21] = 0;
    CHECK(about(frame, len) == ICMP_TOLD);
    len = build(frame, true, IP_PROTO_UDP, 40);
    frame[20] = IP_PROTO_FRAGMENT;
    memset(&frame[ICMP6_OFS], 0, 8);
    frame[ICMP6_OFS] = IP_PROTO_UDP;
    frame[ICMP6_OFS + 3] = 8;
    CHECK(about(frame, len) == ICMP_ABOUT_FRAGMENT);
}

TEST(what_is_cut_short_is_not_read)
{
    for (unsigned int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        uint8_t frame[256];
        size_t len = build(frame, is_ip6, IP_PROTO_ICMPV6, 40);

        for (size_t n = 0; n < len; n++) {
            uint8_t *cut = xmemdup(frame, n);

            CHECK(about(cut, n) == ICMP_SHORT);
            free(cut);
        }
    }
}

TEST(without_an_address_nothing_is_said)
{
    struct icmp_gateway mute = { .mac = gateway.mac };
    struct icmp_reply reply;
    uint8_t frame[256];

    for (unsigned int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        size_t len = build(frame, is_ip6, IP_PROTO_UDP, 40);

        CHECK(icmp_error_make(&mute, ICMP_EXPIRED, 0, frame, len, &reply)
              == ICMP_NO_ADDRESS && !reply.len);
    }
}

TESTS(
    RUN(what_is_told_is_whole_and_quotes_the_packet),
    RUN(nobody_is_told_about_errors),
    RUN(nobody_is_told_about_groups_or_by_nobody),
    RUN(nobody_is_told_about_later_fragments),
    RUN(what_is_cut_short_is_not_read),
    RUN(without_an_address_nothing_is_said),
)
