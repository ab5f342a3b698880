#include "packet/encap.h"

#include "lib/rng.h"
#include "unit.h"

/* Headers as the standards draw them. */
TEST(bytes_of_the_standards)
{
    static const uint8_t vxlan[] = { 0x08, 0, 0, 0, 0x00, 0x13, 0x89, 0 };
    static const uint8_t geneve[] = {
        0x02, 0xc0, 0x65, 0x58, 0x00, 0x13, 0x89, 0,
        0x01, 0x02, 0x83, 0x01, 0xaa, 0xbb, 0xcc, 0xdd,
    };
    static const uint8_t gre[] = {
        0x30, 0x00, 0x65, 0x58, 0, 0, 0x13, 0x89, 0, 0, 0, 7,
    };
    struct tunnel_key key = { .family = 4 };
    struct encap_gre extra;
    uint8_t bytes[ENCAP_MAX_LEN];

    CHECK(vxlan_decode(vxlan, sizeof vxlan, &key) == 8);
    CHECK(key.id == htobe64(5001));
    CHECK(vxlan_encode(&key, bytes) == 8 && !memcmp(bytes, vxlan, 8));

    CHECK(geneve_decode(geneve, sizeof geneve, &key) == 16);
    CHECK(key.id == htobe64(5001) && key.n_options == 8
          && key.flags == htobe16(TUNNEL_F_KEY | TUNNEL_F_OAM));
    CHECK(geneve_encode(&key, bytes) == 16 && !memcmp(bytes, geneve, 16));

    CHECK(gre_decode(gre, sizeof gre, &key, &extra) == 12);
    CHECK(key.id == htobe64(5001) && extra.has_key && extra.has_seq
          && !extra.has_csum && extra.seq == 7);
    CHECK(gre_encode(&key, &extra, bytes) == 12 && !memcmp(bytes, gre, 12));
}

TEST(what_is_refused)
{
    uint8_t p[64] = { 0 };
    struct tunnel_key key;
    struct encap_gre gre;

    CHECK(vxlan_decode(p, 7, &key) == -ENCAP_SHORT);
    CHECK(vxlan_decode(p, 8, &key) == -ENCAP_FLAGS);
    p[0] = 0xf8;                                  /* reserved ones beside */
    CHECK(vxlan_decode(p, 8, &key) == 8);

    memcpy(p, (uint8_t[8]) { 0, 0, 0x65, 0x58 }, 8);
    CHECK(geneve_decode(p, 8, &key) == 8 && geneve_decode(p, 7, &key) < 0);
    p[0] = 0x40;
    CHECK(geneve_decode(p, 64, &key) == -ENCAP_FLAGS);
    p[0] = 1;
    CHECK(geneve_decode(p, 11, &key) == -ENCAP_SHORT);
    CHECK(geneve_decode(p, 12, &key) == 12);
    p[11] = 1;
    CHECK(geneve_decode(p, 64, &key) == -ENCAP_OPTIONS);
    memcpy(p, (uint8_t[8]) { 0, 0, 0x08, 0x00 }, 8);
    CHECK(geneve_decode(p, 64, &key) == -ENCAP_PROTOCOL);

    CHECK(gre_decode(p, 64, &key, &gre) == -ENCAP_PROTOCOL);
    for (unsigned int bit = 0; bit < 16; bit++) {
        uint16_t flags = (uint16_t) (0x8000 >> bit);

        memcpy(p, (uint8_t[4]) { (uint8_t) (flags >> 8), (uint8_t) flags,
                                 0x65, 0x58 }, 4);
        if (bit == 1 || bit == 4 || bit == 5 || bit >= 13) {
            CHECK(gre_decode(p, 64, &key, &gre) == -ENCAP_FLAGS);
        } else if (!bit) {
            CHECK(gre_decode(p, 64, &key, &gre) == -ENCAP_CHECKSUM);
            gre_complete(p, 63);
            CHECK(gre_decode(p, 63, &key, &gre) == 8);
        } else {
            CHECK(gre_decode(p, 64, &key, &gre) == (bit < 4 ? 8 : 4));
            CHECK((gre_decode(p, 7, &key, &gre) < 0) == (bit < 4));
        }
    }
}

/* Whatever is written is read, by whoever reads only so far. */
TEST(what_is_written_is_read)
{
    struct rng rng = { 7348 };

    for (unsigned int i = 0; i < 20000; i++) {
        struct tunnel_key out = { .family = 4 }, in = { .family = 4 };
        struct encap_gre gre = {
            rng_one_in(&rng, 2), rng_one_in(&rng, 2), rng_one_in(&rng, 2),
            rng_u32(&rng),
        }, read;
        uint8_t bytes[ENCAP_MAX_LEN + 100];
        uint32_t len;

        out.id = htobe64(rng_u32(&rng) & ENCAP_MAX_VNI);
        len = vxlan_encode(&out, bytes);
        CHECK(vxlan_decode(bytes, len, &in) == (int) len && in.id == out.id);

        while (out.n_options < 200 && !rng_one_in(&rng, 4)) {
            uint8_t *option = &out.options[out.n_options];
            uint8_t words = (uint8_t) rng_below(&rng, 9);

            for (unsigned int k = 0; k < 4u + 4 * words; k++) {
                option[k] = (uint8_t) rng_u32(&rng);
            }
            option[3] = words;
            out.n_options = (uint8_t) (out.n_options + 4 + 4 * words);
        }
        len = geneve_encode(&out, bytes);
        CHECK(geneve_decode(bytes, len, &in) == (int) len && in.id == out.id
              && in.n_options == out.n_options
              && !memcmp(in.options, out.options, out.n_options));

        len = gre_encode(&out, &gre, bytes);
        for (unsigned int k = 0; k < 100; k++) {
            bytes[len + k] = (uint8_t) rng_u32(&rng);
        }
        if (gre.has_csum) {
            gre_complete(bytes, len + 100);
        }
        CHECK(gre_decode(bytes, len + 100, &in, &read) == (int) len);
        CHECK(in.id == (gre.has_key ? out.id : 0)
              && (!gre.has_seq || read.seq == gre.seq));
    }
}

TESTS(
    RUN(bytes_of_the_standards),
    RUN(what_is_refused),
    RUN(what_is_written_is_read),
)
