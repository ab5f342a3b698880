#include "unit.h"

#include "lib/rng.h"
#include "packet/field.h"

TEST(every_field_is_found_by_each_of_its_names)
{
    struct str name = STR_INIT;

    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);

        CHECK(field->id == i);
        CHECK(field_by_name(field->name) == field);
        CHECK(!field->alias || field_by_name(field->alias) == field);
        str_clear(&name);
        field_format_wire_name(field, &name);
        CHECK_MSG(field_by_name(str_text(&name)) == field, "%s",
                  str_text(&name));
    }
    CHECK(!field_by_name("nw_dts"));
    CHECK(!field_by_name("NXM_OF_"));
    CHECK(!field_by_name(""));
    str_fini(&name);
}

TEST(wire_names_are_spelt_as_the_field_spells_them)
{
    static const struct {
        enum field_id id;
        const char *name;
    } cases[] = {
        { FIELD_ETH_DST, "NXM_OF_ETH_DST" }, { FIELD_REG3, "NXM_NX_REG3" },
        { FIELD_IPV4_SRC, "NXM_OF_IP_SRC" }, { FIELD_IP_TTL, "NXM_NX_IP_TTL" },
        { FIELD_XREG2, "OXM_OF_PKT_REG2" }, { FIELD_XXREG1, "NXM_NX_XXREG1" },
        { FIELD_TUN_SRC, "NXM_NX_TUN_IPV4_SRC" },
        { FIELD_METADATA, "OXM_OF_METADATA" },
        { FIELD_ICMPV4_TYPE, "NXM_OF_ICMP_TYPE" },
        { FIELD_NW_TOS, "NXM_OF_IP_TOS" },
    };
    struct str name = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        str_clear(&name);
        field_format_wire_name(field_by_id(cases[i].id), &name);
        assert_string_equal(str_text(&name), cases[i].name);
    }
    str_fini(&name);
}

static void
check_text(enum field_id id, const char *in, const char *out)
{
    const struct field *field = field_by_id(id);
    struct str s = STR_INIT;
    u128 value, mask;

    CHECK_MSG(!field_parse(field, in, &value, &mask, &s), "%s: %s", in,
              str_text(&s));
    field_format(field, value, mask, &s);
    assert_string_equal(str_text(&s), out);
    str_fini(&s);
}

TEST(values_are_written_as_usual)
{
    check_text(FIELD_IPV4_DST, "10.1.2.3/255.255.255.0", "10.1.2.0/24");
    check_text(FIELD_IPV4_DST, "10.1.2.3/255.0.255.0", "10.0.2.0/255.0.255.0");
    check_text(FIELD_IPV6_SRC, "fd00::1/8", "fd00::/8");
    check_text(FIELD_ETH_DST, "01:00:00:00:00:01/01:00:00:00:00:00",
               "01:00:00:00:00:00/01:00:00:00:00:00");
    check_text(FIELD_TCP_DST, "0x50/0xfff0", "80/0xfff0");
    check_text(FIELD_IP_FRAG, "not_later", "not_later");
    check_text(FIELD_IN_PORT, "local", "LOCAL");
    check_text(FIELD_PACKET_TYPE, "(0x1,0x800)", "(1,0x800)");
}

TEST(flags_are_masked_with_signs_and_exact_with_bars)
{
    check_text(FIELD_TCP_FLAGS, "+syn-ack", "+syn-ack");
    check_text(FIELD_TCP_FLAGS, "syn|ack", "syn|ack");
    check_text(FIELD_TCP_FLAGS, "0x12", "syn|ack");
    check_text(FIELD_TCP_FLAGS, "0", "0x0");
    check_text(FIELD_TCP_FLAGS, "0x12/0x1f", "-fin+syn-rst-psh+ack");
    check_text(FIELD_CT_STATE, "+trk+est", "+est+trk");
    check_text(FIELD_CT_STATE, "new|trk", "new|trk");
}

TEST(nonsense_is_refused)
{
    static const struct {
        enum field_id id;
        const char *text;
    } cases[] = {
        { FIELD_PACKET_TYPE, "(1,0x10000)" }, { FIELD_TCP_FLAGS, "syn|" },
        { FIELD_TCP_FLAGS, "+syn+syn" },
        { FIELD_TCP_FLAGS, "" }, { FIELD_TCP_DST, "65536" },
        { FIELD_TCP_DST, "1/" }, { FIELD_IPV4_DST, "10.0.0.1/33" },
        { FIELD_ETH_SRC, "02:00:00:00:00" }, { FIELD_REG0, "0x1ffffffff" },
        /* Longer than any value: must not be cut and read as 0. */
        { FIELD_REG0, "0x00000000000000000000000000000000000000000000000000000"
          "00000000000000000000000000000000000000000000001" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct str error = STR_INIT;
        u128 value, mask;

        CHECK_MSG(field_parse(field_by_id(cases[i].id), cases[i].text, &value,
                              &mask, &error) == -EINVAL, "%s", cases[i].text);
        CHECK(error.len);
        str_fini(&error);
    }
}

TEST(every_value_of_every_field_survives_text)
{
    struct rng rng = { 3 };

    for (unsigned int i = 0; i < 200000; i++) {
        const struct field *field = field_by_id(rng_below(&rng, N_FIELDS));
        u128 value = (u128) rng_u64(&rng) << 64 | rng_u64(&rng);
        u128 mask = field_ones(field), v, m;
        struct str s = STR_INIT;

        value >>= rng_below(&rng, 128);
        if (field->flags & FIELD_MASKABLE) {
            mask &= (u128) rng_u64(&rng) << 64 | rng_u64(&rng);
        }
        value &= mask;
        field_format(field, value, mask, &s);
        CHECK_MSG(!field_parse(field, str_text(&s), &v, &m, NULL),
                  "%s=%s", field->name, str_text(&s));
        CHECK_MSG(v == value && m == mask, "%s=%s", field->name,
                  str_text(&s));
        str_fini(&s);
    }
}

TESTS(
    RUN(every_field_is_found_by_each_of_its_names),
    RUN(wire_names_are_spelt_as_the_field_spells_them),
    RUN(values_are_written_as_usual),
    RUN(flags_are_masked_with_signs_and_exact_with_bars),
    RUN(nonsense_is_refused),
    RUN(every_value_of_every_field_survives_text),
)
