#include "packet/tunnel.h"

#include "lib/rng.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/flow.h"
#include "unit.h"

static const struct tunnel_option_map sample_map = {
    .mapped = 0x7,
    .options = {
        { .class = 0x0102, .type = 0x03, .len = 4, .ofs = 12 },
        { .class = 0x0102, .type = 0x84, .len = 16, .ofs = 16 },
        { .class = 0xffff, .type = 0x01, .len = 8, .ofs = 40 },
    },
};

static struct flow
flow_of(const struct tunnel_key *tun, bool *is_good)
{
    struct flow_key key = { .map = 7 };
    struct flow flow;

    /* What is not present may hold anything. */
    memset(key.w, 0xa5, sizeof key.w);
    tunnel_key_extract(tun, &key);
    *is_good = tunnel_key_extract_options(tun, &sample_map, &key);
    flow_from_key(&flow, &key);
    return flow;
}

TEST(what_flows_say_comes_back)
{
    struct rng rng = { 8926 };

    for (unsigned int i = 0; i < 10000; i++) {
        struct tunnel_key out, back;
        struct flow flow = { .w = { 0 } };
        uint32_t present = rng_u32(&rng) & 7;
        bool is_good;

        flow.key.tun_family = rng_one_in(&rng, 2) ? 4 : 6;
        flow.key.tun_id = rng_u32(&rng);
        flow.key.tun_tos = (uint8_t) rng_u32(&rng);
        flow.key.tun_ttl = (uint8_t) rng_u32(&rng);
        flow.key.tun_flags = htobe16(rng_u32(&rng) & 15);
        flow.key.tun_src = ip6_of_ip4(rng_u32(&rng));
        flow.key.tun_dst = ip6_of_ip4(rng_u32(&rng));
        for (unsigned int n = 0; n < 3; n++) {
            const struct tunnel_option *o = &sample_map.options[n];

            for (unsigned int k = 0; present >> n & 1 && k < o->len; k++) {
                flow.key.tun_metadata[o->ofs + k] = (uint8_t) rng_u32(&rng);
            }
        }
        tunnel_key_from_fields(&flow.key, &sample_map, present, &out);
        CHECK(out.n_options == 8 * (present & 1) + 20 * (present >> 1 & 1)
                               + 12 * (present >> 2));
        tunnel_key_copy(&back, &out);
        flow = flow_of(&back, &is_good);
        CHECK(is_good);
        tunnel_key_from_fields(&flow.key, &sample_map, present, &back);
        CHECK(!memcmp(&back, &out, tunnel_key_len(&out)));
    }
}

TEST(options_that_no_field_stands_for)
{
    struct tunnel_key tun = { .family = 4, .n_options = 8,
                              .options = { 0x01, 0x02, 0x05, 1, 1, 2, 3, 4 } };
    bool is_good;

    flow_of(&tun, &is_good);
    CHECK(is_good);
    tun.options[2] = 0x85;                        /* critical */
    flow_of(&tun, &is_good);
    CHECK(!is_good);
    tun.options[2] = 0x03;                        /* ours, and of our length */
    CHECK(flow_of(&tun, &is_good).key.tun_metadata[15] == 4 && is_good);
    tun.options[3] = 2;                           /* it ends behind the end */
    CHECK(!flow_of(&tun, &is_good).key.tun_metadata[15] && is_good);
}

TEST(without_an_address)
{
    struct flow flow = { .w = { 0 } };
    struct tunnel_key tun;
    struct str text = STR_INIT;
    bool is_good;

    flow.key.tun_id = htobe64(77);
    tunnel_key_from_fields(&flow.key, NULL, 0, &tun);
    CHECK(tun.family == TUNNEL_NO_ADDRESS);
    flow = flow_of(&tun, &is_good);
    CHECK(!flow.key.tun_family && flow.key.tun_id == htobe64(77));
    tun.dst = ip6_of_ip4(htobe32(0xc0000202));
    tun.flags = htobe16(TUNNEL_F_DF | TUNNEL_F_KEY);
    tunnel_key_format(&tun, &text);
    assert_string_equal(str_text(&text),
                        "-->192.0.2.2,id=77,tos=0,ttl=0,df,key");
    str_fini(&text);
}

TESTS(
    RUN(what_flows_say_comes_back),
    RUN(options_that_no_field_stands_for),
    RUN(without_an_address),
)
