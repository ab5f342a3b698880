#include "api/port_setting.h"

#include "lib/rng.h"
#include "unit.h"

static void
check_spec_refused(const char *text, const char *why)
{
    struct str error = STR_INIT;
    struct port_spec spec;

    CHECK_MSG(port_spec_parse(text, &spec, &error) == -EINVAL, "%s", text);
    CHECK_MSG(strstr(str_text(&error), why), "%s: %s", text,
              str_text(&error));
    str_fini(&error);
}

static void
parse(const char *text, struct port_spec *spec)
{
    struct str error = STR_INIT;

    CHECK_MSG(!port_spec_parse(text, spec, &error), "%s", str_text(&error));
    str_fini(&error);
}

TEST(a_port_is_a_number_a_name_a_type_and_options)
{
    struct port_spec spec;

    parse("7=web=tap:web0,netns=web,tag=10,protected=yes,addr=10.0.0.1/24",
          &spec);
    CHECK(spec.number == 7);
    CHECK(!strcmp(spec.config.name, "web"));
    CHECK(!strcmp(spec.config.type, "tap"));
    CHECK(!strcmp(spec.config.device, "web0"));
    CHECK(spec.config.n_options == 2);
    CHECK(!strcmp(port_config_get(&spec.config, "netns"), "web"));
    CHECK(!strcmp(port_config_get(&spec.config, "addr"), "10.0.0.1/24"));
    CHECK(spec.settings.is_protected);
    CHECK(spec.settings.vlan.mode == VLAN_ACCESS);
    CHECK(spec.settings.vlan.vid == 10);

    parse("tap:web0,name=web", &spec);
    CHECK(!spec.number);
    CHECK(!strcmp(spec.config.name, "web"));
    CHECK(spec.settings.vlan.mode == VLAN_TRUNK);
}

TEST(bad_ports_are_told_why)
{
    check_spec_refused("", "expected TYPE");
    check_spec_refused("0=tap:a", "a port's number is");
    check_spec_refused("16384=tap:a", "a port's number is");
    check_spec_refused("123456=tap:a", "a port's number is");
    check_spec_refused("tap:a,name=12", "cannot be a port's name");
    check_spec_refused("tap:a/b", "cannot be a port's name");
    check_spec_refused("tap:a,name=", "expected 1 to");
    check_spec_refused("tap:a,tag=0", "tag=0: expected a VLAN");
    check_spec_refused("tap:a,tag=4095", "expected a VLAN");
    check_spec_refused("tap:a,tag=1x", "expected a VLAN");
    check_spec_refused("tap:a,trunks=10+", "expected VLANs like");
    check_spec_refused("tap:a,trunks=20-10", "expected VLANs like");
    check_spec_refused("tap:a,trunks=1+4095", "expected VLANs like");
    check_spec_refused("tap:a,vlan_mode=native-tagged", "needs a tag");
    check_spec_refused("tap:a,vlan_mode=trunk,tag=1", "a trunk has no tag");
    check_spec_refused("tap:a,vlan_mode=hybrid", "expected access, trunk");
    check_spec_refused("tap:a,protected=maybe", "expected yes or no");
    check_spec_refused("tap:a,admin=off", "expected up or down");
}

static const char *
text_of(const struct port_setting_values *values, const char *name,
        struct str *text)
{
    json_t *object = json_object();
    const json_t *json;

    port_settings_to_json(values, object);
    json = json_object_get(object, name);
    str_clear(text);
    if (json_is_string(json)) {
        str_add(text, json_string_value(json));
    } else if (json_is_integer(json)) {
        str_addf(text, "%d", (int) json_integer_value(json));
    } else {
        str_add(text, json_is_true(json)    ? "yes"
                      : json_is_false(json) ? "no"
                                            : "none");
    }
    json_decref(object);
    return str_text(text);
}

TEST(every_setting_reads_back_what_it_shows)
{
    static const char *const values[] = {
        "tag=10", "tag=none", "vlan_mode=native-tagged", "trunks=all",
        "trunks=0", "trunks=1+3-5+4094", "protected=yes", "no_flood=yes",
        "no_receive=yes", "no_forward=no", "no_packet_in=yes", "admin=down",
        "admin=up",
    };
    struct str text = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct port_setting_values v;
        char name[32];
        size_t len = strcspn(values[i], "=");

        memcpy(name, values[i], len);
        name[len] = '\0';
        CHECK(port_setting_exists(name));
        port_settings_init(&v);
        CHECK(!port_settings_set(&v, name, values[i] + len + 1, &text));
        CHECK_MSG(!strcmp(text_of(&v, name, &text), values[i] + len + 1),
                  "%s: %s", values[i], str_text(&text));
    }
    str_fini(&text);
}

TEST(trunks_of_any_set_read_back)
{
    struct rng rng = { 3 };
    struct str text = STR_INIT;

    for (int i = 0; i < 300; i++) {
        struct port_setting_values a, b;

        port_settings_init(&a);
        for (uint32_t n = 1 + rng_below(&rng, 200); n; n--) {
            uint32_t vid = rng_below(&rng, 4095);

            a.vlan.trunks[vid / 64] |= UINT64_C(1) << (vid % 64);
        }
        b = a;
        memset(b.vlan.trunks, 0, sizeof b.vlan.trunks);
        CHECK(!port_settings_set(&b, "trunks", text_of(&a, "trunks", &text),
                                 NULL));
        CHECK(!memcmp(&a, &b, sizeof a));
    }
    str_fini(&text);
}

TEST(a_tag_makes_an_access_port_and_its_end_a_trunk)
{
    struct port_setting_values v;

    port_settings_init(&v);
    CHECK(!port_settings_set(&v, "tag", "10", NULL));
    CHECK(!port_settings_check(&v, NULL));
    CHECK(v.vlan.mode == VLAN_ACCESS);
    CHECK(!port_settings_set(&v, "tag", "none", NULL));
    CHECK(!port_settings_check(&v, NULL));
    CHECK(v.vlan.mode == VLAN_TRUNK);

    v.vlan.mode = VLAN_NATIVE_TAGGED;
    CHECK(!port_settings_set(&v, "tag", "11", NULL));
    CHECK(!port_settings_check(&v, NULL));
    CHECK(v.vlan.mode == VLAN_NATIVE_TAGGED);
}

TESTS(
    RUN(a_port_is_a_number_a_name_a_type_and_options),
    RUN(bad_ports_are_told_why),
    RUN(every_setting_reads_back_what_it_shows),
    RUN(trunks_of_any_set_read_back),
    RUN(a_tag_makes_an_access_port_and_its_end_a_trunk),
)
