#include "packet/udp4.h"

#include "frames.h"
#include "unit.h"

enum { PAYLOAD = 300 };

static const struct udp4 sample = {
    .eth_src = { { 2, 0, 0, 0, 0, 1 } },
    .eth_dst = { { 2, 0, 0, 0, 0, 2 } },
    .src_port = 67,
    .dst_port = 68,
    .payload_len = PAYLOAD,
};

static size_t
build(uint8_t *frame, struct rng *rng)
{
    struct udp4 u = sample;

    u.ip_src = rng_u32(rng);
    u.ip_dst = rng_u32(rng);
    for (unsigned int i = 0; i < PAYLOAD; i++) {
        frame[UDP4_HEADERS_LEN + i] = (uint8_t) rng_u32(rng);
    }
    u.payload_len = rng_below(rng, PAYLOAD + 1);
    return udp4_encode(frame, &u);
}

TEST(a_frame_that_was_written_is_whole_and_reads_the_same)
{
    uint8_t frame[UDP4_HEADERS_LEN + PAYLOAD];
    struct rng rng = { 1 };

    for (unsigned int i = 0; i < 1000; i++) {
        size_t len = build(frame, &rng);
        struct udp4 u;

        CHECK(frame_is_whole(frame, len, NULL));
        CHECK(!udp4_decode(frame, len, &u));
        CHECK(eth_addr_eq(u.eth_src, sample.eth_src));
        CHECK(eth_addr_eq(u.eth_dst, sample.eth_dst));
        CHECK(u.src_port == 67 && u.dst_port == 68);
        CHECK(u.payload == frame + UDP4_HEADERS_LEN);
        CHECK(u.payload_len == len - UDP4_HEADERS_LEN);
    }
}

/* RFC 768: a sum of 0 is sent as all ones, 0 says that there is none. */
TEST(a_checksum_of_zero_is_sent_as_all_ones_and_zero_is_not_checked)
{
    uint8_t frame[UDP4_HEADERS_LEN + 2];
    struct udp4 u = sample;
    be16 csum;

    u.payload_len = 2;
    put_be16(frame + UDP4_HEADERS_LEN, 0);
    udp4_encode(frame, &u);
    csum = get_be16(frame + 40);
    put_be16(frame + UDP4_HEADERS_LEN, csum);
    udp4_encode(frame, &u);
    CHECK(get_be16(frame + 40) == 0xffff);
    CHECK(!udp4_decode(frame, sizeof frame, &u));
    frame[UDP4_HEADERS_LEN] ^= 1;
    CHECK(udp4_decode(frame, sizeof frame, &u) == -EILSEQ);
    put_be16(frame + 40, 0);
    CHECK(!udp4_decode(frame, sizeof frame, &u));
}

TEST(a_flipped_bit_never_reads_as_the_same_datagram)
{
    uint8_t frame[UDP4_HEADERS_LEN + PAYLOAD];
    struct rng rng = { 2 };
    size_t len = build(frame, &rng);
    struct udp4 u;

    for (size_t bit = 14 * 8; bit < len * 8; bit++) {
        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
        CHECK_MSG(udp4_decode(frame, len, &u), "bit %zu", bit);
        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    CHECK(!udp4_decode(frame, len, &u));
}

TEST(fragments_and_other_protocols_are_told_apart_from_broken_frames)
{
    uint8_t frame[UDP4_HEADERS_LEN + PAYLOAD];
    struct rng rng = { 3 };
    size_t len = build(frame, &rng);
    struct udp4 u;

    for (size_t cut = 0; cut < len; cut++) {
        CHECK(udp4_decode(frame, cut, &u));
    }
    frame[20] = 0x20;             /* more fragments */
    CHECK(udp4_decode(frame, len, &u) == -EPROTO);
    frame[20] = 0;
    frame[23] = 6;                /* TCP */
    CHECK(udp4_decode(frame, len, &u) == -EPROTO);
    frame[23] = 17;
    frame[13] = 6;                /* ARP */
    CHECK(udp4_decode(frame, len, &u) == -EPROTO);
    frame[13] = 0;
    put_be16(frame + 38, htobe16(7));
    CHECK(udp4_decode(frame, len, &u) == -EBADMSG);
    put_be16(frame + 16, htobe16(27));
    CHECK(udp4_decode(frame, len, &u) == -EBADMSG);
}

TESTS(
    RUN(a_frame_that_was_written_is_whole_and_reads_the_same),
    RUN(a_checksum_of_zero_is_sent_as_all_ones_and_zero_is_not_checked),
    RUN(a_flipped_bit_never_reads_as_the_same_datagram),
    RUN(fragments_and_other_protocols_are_told_apart_from_broken_frames),
)
