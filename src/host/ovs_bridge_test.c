/* What is told to Open vSwitch's database, for what it says. */
#include "host/ovs_bridge.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/ovsdb.h"
#include "unit.h"

static void
tell(struct ovs_bridge *bridge, const char *text)
{
    json_t *updates = json_loads(text, 0, NULL);

    CHECK(updates);
    ovs_bridge_update(bridge, updates);
    json_decref(updates);
}

/* "insert Port web; mutate Bridge insert", one word group an operation. */
static char *
change(const struct ovs_bridge *bridge, unsigned int n,
       const struct ovs_wanted *wanted, bool is_whole, struct str *refusal)
{
    json_t *operations = ovs_bridge_change(bridge, n, wanted, is_whole,
                                           refusal);
    struct str said = STR_INIT;
    json_t *op;
    size_t i;

    json_array_foreach (operations, i, op) {
        const json_t *row = json_object_get(op, "row");
        const json_t *mutation = json_array_get(json_object_get(op,
                                                                "mutations"),
                                                0);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *verb = json_string_value(json_array_get(mutation, 1));

        str_addf(&said, "%s %s %s; ",
                 json_string_value(json_object_get(op, "op")),
                 json_string_value(json_object_get(op, "table")),
                 name ? name : verb ? verb : "-");
    }
    json_decref(operations);
    return str_steal(&said);
}

#define CHECK_CHANGE(BRIDGE, N, WANTED, IS_WHOLE, EXPECTED)                  \
    do {                                                                     \
        struct str refusal__ = STR_INIT;                                     \
        char *said__ = change(BRIDGE, N, WANTED, IS_WHOLE, &refusal__);      \
                                                                             \
        assert_string_equal(said__ ? said__ : "", EXPECTED);                 \
        free(said__);                                                        \
        str_fini(&refusal__);                                                \
    } while (0)

#define OURS(UUID, NAME) "\"" UUID "\": {\"new\": {\"name\": \"" NAME "\", "  \
    "\"interfaces\": [\"uuid\", \"i" UUID "\"], "                             \
    "\"external_ids\": [\"map\", [[\"weft\", \"br0\"]]]}}"
#define THEIRS(UUID, NAME) "\"" UUID "\": {\"new\": {\"name\": \"" NAME       \
    "\", \"interfaces\": [\"uuid\", \"i" UUID "\"], "                         \
    "\"external_ids\": [\"map\", []]}}"

/* br0, ours; web, ours; eth1, somebody's; old, ours. */
static const char full[] =
    "{\"Bridge\": {\"b\": {\"new\": {\"name\": \"br0\", "
    "\"fail_mode\": \"secure\", "
    "\"external_ids\": [\"map\", [[\"weft\", \"br0\"]]], "
    "\"ports\": [\"set\", [[\"uuid\", \"p0\"], [\"uuid\", \"p1\"], "
    "[\"uuid\", \"p2\"], [\"uuid\", \"p3\"]]]}}}, "
    "\"Port\": {" OURS("p0", "br0") ", " OURS("p1", "web") ", "
    THEIRS("p2", "eth1") ", " OURS("p3", "old") ", "
    THEIRS("p9", "far") "}, "
    "\"Interface\": {"
    "\"i0\": {\"new\": {\"name\": \"br0\", \"ofport\": 65534, "
    "\"error\": [\"set\", []]}}, "
    "\"i1\": {\"new\": {\"name\": \"web\", \"ofport\": 3, "
    "\"error\": [\"set\", []]}}, "
    "\"i2\": {\"new\": {\"name\": \"eth1\", \"ofport\": -1, "
    "\"error\": \"could not open it\"}}, "
    "\"i3\": {\"new\": {\"name\": \"old\", \"ofport\": [\"set\", []], "
    "\"error\": [\"set\", []]}}, "
    "\"i9\": {\"new\": {\"name\": \"far\", \"ofport\": 7, "
    "\"error\": [\"set\", []]}}}}";

static const struct ovs_wanted web = { "web", "", NULL, false };

TEST(a_bridge_that_is_missing_is_made)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    CHECK(!ovs_bridge_is_ours(bridge));
    CHECK_CHANGE(bridge, 1, &web, true,
                 "insert Interface br0; insert Port br0; insert Bridge br0; "
                 "mutate Open_vSwitch insert; ");
    ovs_bridge_destroy(bridge);
}

TEST(nothing_changes_when_it_is_as_wanted)
{
    const struct ovs_wanted wanted[] = {
        { "web", "", NULL, false }, { "eth1", "", NULL, false }, { "old", "", NULL, false },
    };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    tell(bridge, full);
    CHECK(ovs_bridge_is_ours(bridge));
    CHECK_CHANGE(bridge, 3, wanted, true, "");
    ovs_bridge_destroy(bridge);
}

TEST(only_what_is_ours_goes)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    tell(bridge, full);
    CHECK_CHANGE(bridge, 1, &web, false, "");
    CHECK_CHANGE(bridge, 1, &web, true,
                 "mutate Bridge delete; mutate Open_vSwitch +=; ");
    CHECK_CHANGE(bridge, 0, NULL, true,
                 "mutate Bridge delete; mutate Bridge delete; "
                 "mutate Open_vSwitch +=; ");
    ovs_bridge_destroy(bridge);
}

TEST(a_port_that_is_missing_comes)
{
    const struct ovs_wanted wanted[] = {
        { "web", "", NULL, false }, { "db", "", NULL, false },
        { "old", "", NULL, false },
    };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    tell(bridge, full);
    CHECK_CHANGE(bridge, 3, wanted, true,
                 "insert Interface db; insert Port db; "
                 "mutate Bridge insert; ");
    ovs_bridge_destroy(bridge);
}

TEST(a_port_of_the_hosts_is_made_by_the_other_side)
{
    const struct ovs_wanted leg = { "weft-wan", "internal", NULL, false };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str refusal = STR_INIT;
    json_t *operations;
    const char *type;

    tell(bridge, full);
    operations = ovs_bridge_change(bridge, 1, &leg, false, &refusal);
    type = json_string_value(json_object_get(json_object_get(
        json_array_get(operations, 0), "row"), "type"));
    CHECK(type && !strcmp(type, "internal"));
    json_decref(operations);
    str_fini(&refusal);
    ovs_bridge_destroy(bridge);
}

/* One of ours whose options differ is changed in its row; a stranger's is not. */
TEST(a_tunnel_has_options)
{
    json_t *options = json_pack("{s:s, s:s}", "key", "flow", "local_ip",
                                "192.0.2.1");
    const struct ovs_wanted tunnel = { "old", "vxlan", options, false };
    const struct ovs_wanted theirs = { "eth1", "vxlan", options, false };
    const struct ovs_wanted fresh = { "vxlan", "vxlan", options, false };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str refusal = STR_INIT;
    json_t *operations;
    char *row;

    tell(bridge, full);
    CHECK_CHANGE(bridge, 1, &tunnel, false, "update Interface -; ");
    CHECK_CHANGE(bridge, 1, &theirs, false, "");
    operations = ovs_bridge_change(bridge, 1, &fresh, false, &refusal);
    row = json_dumps(json_object_get(json_array_get(operations, 0), "row"),
                     JSON_SORT_KEYS);
    assert_string_equal(row, "{\"name\": \"vxlan\", \"options\": [\"map\", "
                        "[[\"key\", \"flow\"], [\"local_ip\", "
                        "\"192.0.2.1\"]]], \"type\": \"vxlan\"}");
    free(row);
    json_decref(operations);
    tell(bridge, "{\"Interface\": {\"i3\": {\"new\": {\"name\": \"old\", "
         "\"ofport\": 8, \"error\": [\"set\", []], \"options\": [\"map\", "
         "[[\"local_ip\", \"192.0.2.1\"], [\"key\", \"flow\"]]]}}}}");
    CHECK_CHANGE(bridge, 1, &tunnel, false, "");
    tell(bridge, "{\"Interface\": {\"i3\": {\"new\": {\"name\": \"old\", "
         "\"ofport\": 8, \"error\": [\"set\", []], \"options\": [\"map\", "
         "[[\"local_ip\", \"192.0.2.7\"], [\"key\", \"flow\"]]]}}}}");
    CHECK_CHANGE(bridge, 1, &tunnel, false, "update Interface -; ");
    str_fini(&refusal);
    json_decref(options);
    ovs_bridge_destroy(bridge);
}

TEST(another_device_of_the_same_name_is_another_port)
{
    const struct ovs_wanted anew[] = {
        { "web", "", NULL, true }, { "old", "", NULL, false },
    };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    tell(bridge, full);
    CHECK_CHANGE(bridge, 2, anew, true,
                 "mutate Bridge delete; mutate Open_vSwitch +=; ");
    tell(bridge, "{\"Bridge\": {\"b\": {\"new\": {\"name\": \"br0\", "
         "\"fail_mode\": \"secure\", "
         "\"external_ids\": [\"map\", [[\"weft\", \"br0\"]]], "
         "\"ports\": [\"set\", [[\"uuid\", \"p0\"], [\"uuid\", \"p3\"]]]}}}, "
         "\"Open_vSwitch\": {\"o\": {\"new\": {\"next_cfg\": 4, "
         "\"cur_cfg\": 3}}}, "
         "\"Port\": {\"p1\": {\"old\": {}}}, "
         "\"Interface\": {\"i1\": {\"old\": {}}}}");
    CHECK(ovs_bridge_port(bridge, "web", NULL) == -ENOENT);
    /* Not before the other side has seen it go. */
    CHECK_CHANGE(bridge, 2, anew, true, "");
    tell(bridge, "{\"Open_vSwitch\": {\"o\": {\"new\": {\"next_cfg\": 4, "
         "\"cur_cfg\": 4}}}}");
    CHECK_CHANGE(bridge, 2, anew, true, "insert Interface web; "
                 "insert Port web; mutate Bridge insert; ");
    ovs_bridge_destroy(bridge);
}

TEST(a_stranger_s_bridge_is_refused)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "cloud");
    struct str refusal = STR_INIT;

    tell(bridge, full);
    CHECK(!ovs_bridge_is_ours(bridge));
    CHECK(!ovs_bridge_change(bridge, 1, &web, true, &refusal));
    CHECK(strstr(str_text(&refusal), "br-set-external-id br0 weft cloud"));
    str_fini(&refusal);
    ovs_bridge_destroy(bridge);
}

TEST(a_bridge_that_was_handed_over_is_secured)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");

    tell(bridge, "{\"Bridge\": {\"b\": {\"new\": {\"name\": \"br0\", "
         "\"fail_mode\": [\"set\", []], "
         "\"external_ids\": [\"map\", [[\"weft\", \"br0\"]]], "
         "\"ports\": [\"uuid\", \"p0\"]}}}, "
         "\"Port\": {" OURS("p0", "br0") "}}");
    CHECK_CHANGE(bridge, 0, NULL, true, "update Bridge -; ");
    ovs_bridge_destroy(bridge);
}

TEST(a_port_of_another_bridge_is_not_taken)
{
    const struct ovs_wanted far = { "far", "", NULL, false };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str refusal = STR_INIT;

    tell(bridge, full);
    CHECK(!ovs_bridge_change(bridge, 1, &far, false, &refusal));
    CHECK(strstr(str_text(&refusal), "'far'"));
    str_fini(&refusal);
    ovs_bridge_destroy(bridge);
}

TEST(a_port_is_there_when_it_has_a_number)
{
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str why = STR_INIT;

    tell(bridge, full);
    CHECK(!ovs_bridge_port(bridge, "web", &why) && !why.len);
    CHECK(ovs_bridge_port(bridge, "eth1", &why) == -ENODEV);
    CHECK(strstr(str_text(&why), "could not open it"));
    CHECK(ovs_bridge_port(bridge, "old", &why) == -ENODEV);
    CHECK(ovs_bridge_port(bridge, "far", &why) == -ENOENT);
    ovs_bridge_clear(bridge);
    CHECK(ovs_bridge_port(bridge, "web", &why) == -ENOENT);
    str_fini(&why);
    ovs_bridge_destroy(bridge);
}

/* Nothing that a database says may hurt: values of other shapes are left out. */
TEST(nonsense_is_left_out)
{
    static const char *const texts[] = {
        "{}", "{\"Bridge\": 5}", "{\"Bridge\": {\"b\": null}}",
        "{\"Bridge\": {\"b\": {\"new\": []}}}",
        "{\"Bridge\": {\"b\": {\"new\": {\"name\": 1, \"ports\": \"x\", "
        "\"external_ids\": [\"map\", [[], [1, 2], 3]]}}}}",
        "{\"Port\": {\"p\": {\"new\": {\"name\": \"web\"}}}}",
        "{\"Interface\": {\"p\": {\"new\": {\"name\": \"web\", "
        "\"ofport\": \"7\"}}}}",
        "{\"Bridge\": {\"b\": {\"new\": {\"name\": \"br0\", \"ports\": "
        "[\"set\", [1, [], [\"uuid\"], [\"uuid\", 7]]]}}}}",
    };
    struct ovs_bridge *bridge = ovs_bridge_create("br0", "br0");
    struct str refusal = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        tell(bridge, texts[i]);
        json_decref(ovs_bridge_change(bridge, 1, &web, true, &refusal));
        CHECK(ovs_bridge_port(bridge, "web", NULL) < 0);
    }
    str_fini(&refusal);
    ovs_bridge_destroy(bridge);
}

TEST(values_are_told_apart_without_anything_between_them)
{
    static const char two[] = "{\"a\": \"}\\\"]\", \"b\": [{}]}{\"c\": 1}";

    CHECK(ovsdb_frame(two, sizeof two - 1) == 24);
    CHECK(ovsdb_frame(two + 24, sizeof two - 1 - 24) == 8);
    for (size_t len = 0; len < 24; len++) {
        CHECK(!ovsdb_frame(two, len));
    }
    CHECK(ovsdb_frame(" \n{}", 4) == 4);
    CHECK(ovsdb_frame("[1]", 3) == -EPROTO);
    CHECK(ovsdb_frame("\0{}", 3) == -EPROTO);
}

TESTS(
    RUN(a_bridge_that_is_missing_is_made),
    RUN(nothing_changes_when_it_is_as_wanted),
    RUN(only_what_is_ours_goes),
    RUN(a_port_that_is_missing_comes),
    RUN(a_port_of_the_hosts_is_made_by_the_other_side),
    RUN(a_tunnel_has_options),
    RUN(another_device_of_the_same_name_is_another_port),
    RUN(a_stranger_s_bridge_is_refused),
    RUN(a_bridge_that_was_handed_over_is_secured),
    RUN(a_port_of_another_bridge_is_not_taken),
    RUN(a_port_is_there_when_it_has_a_number),
    RUN(nonsense_is_left_out),
    RUN(values_are_told_apart_without_anything_between_them),
)
