#include "packet/checksum.h"

#include "frames.h"
#include "packet/ip.h"
#include "unit.h"

static void
fill(uint8_t *p, size_t len, struct rng *rng)
{
    for (size_t i = 0; i < len; i++) {
        /* Many extremes: carries are what goes wrong. */
        p[i] = rng_one_in(rng, 3) ? 0xff : (uint8_t) rng_u32(rng);
    }
}

/* Both are sums; 0 and 0xffff are one number. */
static bool
same_sum(uint16_t a, uint16_t b)
{
    return a % 0xffff == b % 0xffff;
}

TEST(the_example_of_rfc_1071_comes_out)
{
    static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03,
                                    0xf4, 0xf5, 0xf6, 0xf7 };

    CHECK(checksum_reduce(checksum_add(0, data, sizeof data))
          == htobe16(0xddf2));
}

TEST(sums_agree_with_byte_by_byte_addition)
{
    struct rng rng = { 1 };
    static uint8_t data[70000];

    fill(data, sizeof data, &rng);
    for (int i = 0; i < 20000; i++) {
        size_t at = rng_below(&rng, 64);
        size_t len = rng_below(&rng, rng_one_in(&rng, 500) ? 65600 : 200);
        uint16_t sum = checksum_reduce(checksum_add(0, data + at, len));

        CHECK(same_sum(be16toh(sum), frame_sum(data + at, len)));
    }
}

TEST(a_copy_has_the_same_sum_and_nothing_around_it_changes)
{
    struct rng rng = { 7 };
    uint8_t data[700], copy[sizeof data + 64];

    for (int i = 0; i < 20000; i++) {
        size_t at = rng_below(&rng, 64), to = rng_below(&rng, 64);
        size_t len = rng_below(&rng, (uint32_t) (sizeof data - at) + 1);
        uint8_t around = (uint8_t) rng_u32(&rng);
        uint32_t sum;

        fill(data, sizeof data, &rng);
        len = MIN(len, sizeof copy - to);
        memset(copy, around, sizeof copy);
        sum = checksum_copy(5, copy + to, data + at, len);
        CHECK(same_sum(checksum_reduce(sum),
                       checksum_reduce(checksum_add(5, data + at, len))));
        CHECK(!memcmp(copy + to, data + at, len));
        for (size_t k = 0; k < sizeof copy; k++) {
            CHECK((k >= to && k < to + len) || copy[k] == around);
        }
    }
}

TEST(a_sum_can_be_made_in_pieces)
{
    struct rng rng = { 2 };
    uint8_t data[300];

    fill(data, sizeof data, &rng);
    for (int i = 0; i < 10000; i++) {
        size_t len = rng_below(&rng, sizeof data);
        size_t cut = rng_below(&rng, (uint32_t) len + 1) & ~(size_t) 1;
        uint32_t sum = checksum_add(checksum_add(0, data, cut), data + cut,
                                    len - cut);

        CHECK(same_sum(checksum_reduce(sum),
                       checksum_reduce(checksum_add(0, data, len))));
    }
}

TEST(an_update_equals_a_new_sum)
{
    struct rng rng = { 3 };

    for (int i = 0; i < 100000; i++) {
        uint8_t data[40], was[40];
        size_t at = 2 * rng_below(&rng, 12);
        size_t len = 2 * (1 + rng_below(&rng, 8));
        be16 sum, updated, made;

        fill(data, sizeof data, &rng);
        data[39] = 1;         /* all zero is no packet */
        memcpy(was, data, sizeof was);
        sum = checksum_fold(checksum_add(0, data, sizeof data));
        fill(data + at, len, &rng);
        made = checksum_fold(checksum_add(0, data, sizeof data));
        updated = checksum_update_bytes(sum, was + at, data + at, len);
        CHECK(updated == made);
        if (len == 2) {
            CHECK(checksum_update16(sum, get_be16(was + at),
                                    get_be16(data + at)) == made);
        } else if (len == 4) {
            CHECK(checksum_update32(sum, get_be32(was + at),
                                    get_be32(data + at)) == made);
        }
    }
}

TEST(an_update_survives_the_cases_of_rfc_1624)
{
    /* Section 4: a header whose new checksum is zero. */
    CHECK(checksum_update16(htobe16(0xdd2f), htobe16(0x5555),
                            htobe16(0x3285)) == 0);
}

TEST(pseudo_headers_sum_as_their_bytes)
{
    struct rng rng = { 4 };

    for (int i = 0; i < 10000; i++) {
        uint8_t h4[12], h6[40];
        uint16_t len = (uint16_t) rng_u32(&rng);
        uint8_t proto = (uint8_t) rng_u32(&rng);

        fill(h4, 8, &rng);
        h4[8] = 0;
        h4[9] = proto;
        h4[10] = (uint8_t) (len >> 8);
        h4[11] = (uint8_t) len;
        CHECK(same_sum(be16toh(checksum_reduce(checksum_pseudo4(
                           get_be32(h4), get_be32(h4 + 4), proto, len))),
                       frame_sum(h4, sizeof h4)));

        fill(h6, 32, &rng);
        memset(h6 + 32, 0, 8);
        memcpy(h6 + 34, h4 + 10, 2);
        h6[39] = proto;
        CHECK(same_sum(be16toh(checksum_reduce(checksum_pseudo6(
                           h6, h6 + 16, proto, len))),
                       frame_sum(h6, sizeof h6)));
    }
}

TEST(an_owed_checksum_is_completed)
{
    struct rng rng = { 5 };
    uint8_t frame[1024], was[1024];

    for (int i = 0; i < 50000; i++) {
        struct frame_spec spec = frame_random_super_spec(&rng);
        size_t len = frame_build(frame, &spec, &rng);
        struct packet pkt = { .data = frame, .len = (uint32_t) len };

        memcpy(was, frame, len);
        frame_owe_checksum(&pkt);
        CHECK(packet_complete_checksum(&pkt));
        CHECK(!pkt.offload.flags);
        CHECK(!memcmp(frame, was, len));
        CHECK(packet_complete_checksum(&pkt));
        CHECK(!memcmp(frame, was, len));
    }
}

TEST(a_udp_checksum_of_zero_is_sent_as_ones)
{
    uint8_t frame[14 + 8] = { 0 };
    struct packet pkt = {
        .data = frame, .len = sizeof frame,
        .offload = { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 14,
                     .csum_offset = 6 },
    };

    frame[14] = frame[15] = 0xff;
    CHECK(packet_complete_checksum(&pkt));
    CHECK(frame[20] == 0xff && frame[21] == 0xff);

    pkt.offload = (struct offload) { .flags = OFFLOAD_NEEDS_CSUM,
                                     .csum_start = 14, .csum_offset = 2 };
    frame[20] = frame[21] = 0;
    CHECK(packet_complete_checksum(&pkt));
    CHECK(frame[16] == 0 && frame[17] == 0);
}

TEST(a_checksum_outside_of_the_packet_is_refused)
{
    uint8_t frame[60] = { 0 };
    static const struct offload bad[] = {
        { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 60 },
        { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 59 },
        { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 34, .csum_offset = 25 },
        { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 34,
          .csum_offset = 0xffff },
        { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 0xffff,
          .csum_offset = 0xffff },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct packet pkt = { .data = frame, .len = sizeof frame,
                              .offload = bad[i] };

        CHECK(!packet_complete_checksum(&pkt));
        CHECK(pkt.offload.flags == OFFLOAD_NEEDS_CSUM);
    }
}

TESTS(
    RUN(the_example_of_rfc_1071_comes_out),
    RUN(sums_agree_with_byte_by_byte_addition),
    RUN(a_copy_has_the_same_sum_and_nothing_around_it_changes),
    RUN(a_sum_can_be_made_in_pieces),
    RUN(an_update_equals_a_new_sum),
    RUN(an_update_survives_the_cases_of_rfc_1624),
    RUN(pseudo_headers_sum_as_their_bytes),
    RUN(an_owed_checksum_is_completed),
    RUN(a_udp_checksum_of_zero_is_sent_as_ones),
    RUN(a_checksum_outside_of_the_packet_is_refused),
)
