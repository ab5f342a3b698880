#include "unit.h"

#include "lib/rng.h"
#include "openflow/match.h"

static void
set(struct match *match, enum field_id id, u128 value)
{
    match_set(match, id, value, ~(u128) 0);
}

static enum of_error
check(const struct match *match)
{
    return match_check(match, NULL);
}

TEST(a_fresh_match_is_met_by_everything)
{
    struct match m;
    struct flow flow;

    match_init(&m);
    memset(&flow, 0xa5, sizeof flow);
    CHECK(match_holds(&m, &flow));
    CHECK(check(&m) == OF_OK);
}

TEST(only_masked_bits_count)
{
    struct match m;
    struct flow flow = { 0 };

    match_init(&m);
    set(&m, FIELD_ETH_TYPE, 0x0800);
    match_set(&m, FIELD_IPV4_DST, 0x0a0000ff, 0xffffff00);
    CHECK(field_get(field_by_id(FIELD_IPV4_DST), &m.value) == 0x0a000000);

    field_set(field_by_id(FIELD_ETH_TYPE), &flow, 0x0800, 0xffff);
    field_set(field_by_id(FIELD_IPV4_DST), &flow, 0x0a000007, 0xffffffff);
    CHECK(match_holds(&m, &flow));
    field_set(field_by_id(FIELD_IPV4_DST), &flow, 0x0a000107, 0xffffffff);
    CHECK(!match_holds(&m, &flow));
}

TEST(a_second_set_replaces_the_first)
{
    struct match a, b;

    match_init(&a);
    match_init(&b);
    set(&a, FIELD_IN_PORT, 7);
    set(&a, FIELD_IN_PORT, 8);
    set(&b, FIELD_IN_PORT, 8);
    CHECK(match_equal(&a, &b));
}

/* Random matches over two fields, so that all relations occur. */
static void
random_match(struct rng *rng, struct match *m)
{
    match_init(m);
    match_set(m, FIELD_METADATA, rng_below(rng, 4), rng_below(rng, 4));
    match_set(m, FIELD_REG0, rng_below(rng, 4), rng_below(rng, 4));
}

TEST(overlap_and_cover_agree_with_trying_every_packet)
{
    struct rng rng = { 1 };

    for (unsigned int i = 0; i < 20000; i++) {
        struct match a, b;
        bool overlaps = false, covers = true;

        random_match(&rng, &a);
        random_match(&rng, &b);
        for (unsigned int bits = 0; bits < 16; bits++) {
            struct flow flow = { 0 };

            flow.metadata = htobe64(bits & 3);
            flow.regs[0] = htobe32(bits >> 2);
            overlaps |= match_holds(&a, &flow) && match_holds(&b, &flow);
            covers &= match_holds(&a, &flow) || !match_holds(&b, &flow);
        }
        CHECK(match_overlaps(&a, &b) == overlaps);
        CHECK(match_covers(&a, &b) == covers);
    }
}

TEST(fields_without_their_prerequisites_are_named)
{
    struct str why = STR_INIT;
    struct match m;

    match_init(&m);
    set(&m, FIELD_IPV4_DST, 0x0a000001);
    CHECK(match_check(&m, &why) == OF_BAD_MATCH_BAD_PREREQ);
    assert_string_equal(str_text(&why), "nw_dst needs ip");

    set(&m, FIELD_ETH_TYPE, 0x0800);
    CHECK(check(&m) == OF_OK);
    set(&m, FIELD_TCP_DST, 80);
    CHECK(check(&m) == OF_BAD_MATCH_BAD_PREREQ);
    set(&m, FIELD_IP_PROTO, 6);
    CHECK(check(&m) == OF_OK);
    set(&m, FIELD_IP_FRAG, 3);
    CHECK(check(&m) == OF_BAD_MATCH_BAD_PREREQ);
    str_fini(&why);
}

TEST(masks_only_where_the_field_allows_them)
{
    struct match m;

    match_init(&m);
    match_set(&m, FIELD_ETH_TYPE, 0x0800, 0xff00);
    CHECK(check(&m) == OF_BAD_MATCH_BAD_MASK);
    match_init(&m);
    match_set(&m, FIELD_IN_PORT, 1, 0xff);
    CHECK(check(&m) == OF_BAD_MATCH_BAD_MASK);
    match_init(&m);
    match_set(&m, FIELD_ETH_DST, (u128) 1 << 40, (u128) 1 << 40);
    CHECK(check(&m) == OF_OK);
}

TEST(bits_of_no_field_are_refused)
{
    struct match m;

    match_init(&m);
    m.value.key.zero1 = m.mask.bits.key.zero1 = 1;
    CHECK(check(&m) == OF_BAD_MATCH_BAD_FIELD);
    match_init(&m);
    m.value.metadata = 1;
    CHECK(check(&m) == OF_BAD_MATCH_BAD_VALUE);
}

TEST(shared_bits_go_to_the_field_that_is_meant)
{
    struct match_field f[N_FIELDS];
    struct match m;

    match_init(&m);
    set(&m, FIELD_ETH_TYPE, 0x86dd);
    set(&m, FIELD_IP_PROTO, 17);
    set(&m, FIELD_UDP_DST, 53);
    CHECK(match_fields(&m, f) == 3);
    CHECK(f[2].field->id == FIELD_UDP_DST && f[2].value == 53);

    match_init(&m);
    set(&m, FIELD_ETH_TYPE, 0x0806);
    set(&m, FIELD_ARP_OP, 2);
    CHECK(match_fields(&m, f) == 2 && f[1].field->id == FIELD_ARP_OP);

    match_init(&m);
    set(&m, FIELD_VLAN_VID, 0x1005);
    set(&m, FIELD_VLAN_PCP, 3);
    CHECK(match_fields(&m, f) == 2);
    CHECK(f[0].field->id == FIELD_VLAN_VID && f[0].value == 0x1005);
    CHECK(f[1].field->id == FIELD_VLAN_PCP && f[1].value == 3);

    match_init(&m);
    set(&m, FIELD_VLAN_TCI, 0);
    CHECK(match_fields(&m, f) == 1 && f[0].field->id == FIELD_VLAN_TCI);
}

TEST(an_ipv4_tunnel_address_is_not_the_end_of_an_ipv6_one)
{
    struct match_field f[N_FIELDS];
    struct match m4, m6;
    struct flow flow = { 0 };

    match_init(&m4);
    set(&m4, FIELD_TUN_SRC, 0x0a000001);
    match_init(&m6);
    match_set(&m6, FIELD_TUN_IPV6_SRC, 0x0a000001, 0xffffffff);

    flow.key.tun_src4 = htobe32(0x0a000001);
    flow.key.tun_family = 6;
    CHECK(!match_holds(&m4, &flow) && match_holds(&m6, &flow));
    flow.key.tun_family = 4;
    CHECK(match_holds(&m4, &flow) && !match_holds(&m6, &flow));

    CHECK(match_fields(&m4, f) == 1 && f[0].field->id == FIELD_TUN_SRC);
    CHECK(match_fields(&m6, f) == 1 && f[0].field->id == FIELD_TUN_IPV6_SRC);
    CHECK(check(&m4) == OF_OK && check(&m6) == OF_OK);
}

/* Any random set of fields that passes match_check() is rebuilt from what
 * match_fields() takes apart. */
TEST(taking_apart_and_building_again_gives_the_same_match)
{
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x8847, 0x88cc };
    static const uint8_t protos[] = { 1, 6, 17, 58, 132, 47 };
    struct rng rng = { 7 };
    unsigned int n_ok = 0;

    for (unsigned int i = 0; i < 100000; i++) {
        struct match_field f[N_FIELDS];
        struct match a, b;
        unsigned int n;

        match_init(&a);
        set(&a, FIELD_ETH_TYPE, types[rng_below(&rng, ARRAY_SIZE(types))]);
        set(&a, FIELD_IP_PROTO, protos[rng_below(&rng, ARRAY_SIZE(protos))]);
        for (unsigned int k = rng_below(&rng, 4); k > 0; k--) {
            const struct field *field = field_by_id(rng_below(&rng, N_FIELDS));
            u128 value = (u128) rng_u64(&rng) << 64 | rng_u64(&rng);
            u128 mask = ~(u128) 0;

            if (field->flags & FIELD_MASKABLE && rng_one_in(&rng, 2)) {
                mask = (u128) rng_u64(&rng) << 64 | rng_u64(&rng);
            }
            match_set(&a, field->id, value, mask);
        }
        if (check(&a) != OF_OK) {
            continue;
        }
        n_ok++;
        n = match_fields(&a, f);
        match_init(&b);
        for (unsigned int k = 0; k < n; k++) {
            match_set(&b, f[k].field->id, f[k].value, f[k].mask);
        }
        CHECK_MSG(match_equal(&a, &b), "case %u: %s", i, f[n - 1].field->name);
    }
    CHECK(n_ok > 10000);
}

TESTS(
    RUN(a_fresh_match_is_met_by_everything),
    RUN(only_masked_bits_count),
    RUN(a_second_set_replaces_the_first),
    RUN(overlap_and_cover_agree_with_trying_every_packet),
    RUN(fields_without_their_prerequisites_are_named),
    RUN(masks_only_where_the_field_allows_them),
    RUN(bits_of_no_field_are_refused),
    RUN(shared_bits_go_to_the_field_that_is_meant),
    RUN(an_ipv4_tunnel_address_is_not_the_end_of_an_ipv6_one),
    RUN(taking_apart_and_building_again_gives_the_same_match),
)
