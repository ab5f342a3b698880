#include "packet/crc32c.h"

#include "lib/rng.h"
#include "unit.h"

TEST(known_remainders_come_out)
{
    /* RFC 3720 appendix B.4. */
    uint8_t data[32];

    memset(data, 0, sizeof data);
    CHECK(crc32c_finish(crc32c_add(CRC32C_INIT, data, 32)) == 0x8a9136aa);
    memset(data, 0xff, sizeof data);
    CHECK(crc32c_finish(crc32c_add(CRC32C_INIT, data, 32)) == 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++) {
        data[i] = i;
    }
    CHECK(crc32c_finish(crc32c_add(CRC32C_INIT, data, 32)) == 0x46dd794e);
}

TEST(both_ways_agree_in_any_pieces)
{
    struct rng rng = { 1 };
    uint8_t data[200];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t) rng_u32(&rng);
    }
    for (int i = 0; i < 10000; i++) {
        size_t len = rng_below(&rng, sizeof data + 1);
        size_t cut = rng_below(&rng, (uint32_t) len + 1);
        uint32_t whole = crc32c_add_by_table(CRC32C_INIT, data, len);
        uint32_t first = crc32c_add(CRC32C_INIT, data, cut);

        CHECK(crc32c_add(first, data + cut, len - cut) == whole);
    }
}

TEST(an_sctp_checksum_does_not_depend_on_what_stood_there)
{
    uint8_t a[20] = { 0, 80, 0, 90 }, b[20] = { 0, 80, 0, 90 };

    b[8] = b[11] = 0x55;
    CHECK(crc32c_sctp(a, sizeof a) == crc32c_sctp(b, sizeof b));
    b[12] = 1;
    CHECK(crc32c_sctp(a, sizeof a) != crc32c_sctp(b, sizeof b));
}

TESTS(
    RUN(known_remainders_come_out),
    RUN(both_ways_agree_in_any_pieces),
    RUN(an_sctp_checksum_does_not_depend_on_what_stood_there),
)
