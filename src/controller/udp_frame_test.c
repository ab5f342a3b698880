#include "controller/udp_frame.h"

#include "lib/rng.h"
#include "unit.h"

static void
random_bytes(struct rng *rng, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *) p)[i] = (uint8_t) rng_u32(rng);
    }
}

TEST(what_is_written_is_read)
{
    struct rng rng = { 1 };
    uint8_t data[4096], frame[UDP_FRAME_MAX];

    for (unsigned int i = 0; i < 2000; i++) {
        struct udp_frame f = { .is_ip6 = i % 2, .data = data }, out;
        size_t len;

        random_bytes(&rng, data, sizeof data);
        random_bytes(&rng, &f.eth_src, sizeof f.eth_src);
        random_bytes(&rng, &f.src, sizeof f.src);
        random_bytes(&rng, &f.dst, sizeof f.dst);
        if (!f.is_ip6) {
            f.src = udp_ip4_mapped(rng_u32(&rng));
            f.dst = udp_ip4_mapped(rng_u32(&rng));
        }
        f.src_port = (uint16_t) rng_u32(&rng);
        f.dst_port = (uint16_t) rng_u32(&rng);
        f.len = rng_below(&rng, sizeof data);
        len = udp_frame_encode(&f, frame);
        CHECK(len && udp_frame_decode(frame, len, &out));
        CHECK(out.is_ip6 == f.is_ip6 && out.src_port == f.src_port
              && out.dst_port == f.dst_port && out.len == f.len);
        CHECK(!memcmp(&out.src, &f.src, 16) && !memcmp(&out.dst, &f.dst, 16));
        CHECK(!memcmp(out.data, data, f.len));
        CHECK(!memcmp(&out.eth_src, &f.eth_src, 6));
        /* Padding does not matter, a bit of what was sent does. */
        CHECK(udp_frame_decode(frame, len, &out));
        frame[len - 1 - rng_below(&rng, (uint32_t) f.len + 1)] ^= 4;
        CHECK(!udp_frame_decode(frame, len, &out));
    }
}

TEST(what_is_too_long_is_not_written)
{
    static const uint8_t data[UDP_FRAME_MAX];
    uint8_t frame[UDP_FRAME_MAX];
    struct udp_frame f = { .data = data, .len = sizeof data };

    CHECK(!udp_frame_encode(&f, frame));
}

TEST(what_ends_too_early_is_nothing)
{
    uint8_t data[9] = { 0 }, frame[UDP_FRAME_MAX];
    struct udp_frame f = { .data = data, .len = sizeof data }, out;
    size_t len = udp_frame_encode(&f, frame);

    for (size_t i = 0; i < len; i++) {
        CHECK(!udp_frame_decode(frame, i, &out));
    }
    CHECK(udp_frame_decode(frame, len, &out));
    frame[14 + 6] |= 0x20;                  /* a fragment */
    CHECK(!udp_frame_decode(frame, len, &out));
}

TESTS(
    RUN(what_is_written_is_read),
    RUN(what_is_too_long_is_not_written),
    RUN(what_ends_too_early_is_nothing),
)
