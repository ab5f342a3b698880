/* What a file may say, and what is said about one that cannot be. */
#include "intent/parse.h"

#include "intent/intent_lab.h"
#include "unit.h"

/* ---- The file ---- */

TEST(a_file_must_be_yaml)
{
    lab_check_said(
        "version: 1\nports: [a\n",
        "t:3:1: this is no YAML: did not "
        "find expected ',' or ']' (while parsing a flow sequence that "
        "began in line 2)\n");
    lab_check_said("a: b: c\n",
                   "t:1:5: this is no YAML: mapping values are not "
                   "allowed in this context\n");
    lab_check_said("a: \xff\n", "t: this is no YAML: byte 3: invalid leading "
                                "UTF-8 octet\n");
}

TEST(a_file_is_one_map_with_a_version)
{
    lab_check_said("", "t:1:1: there is nothing in it\n");
    lab_check_said("- a\n", "t:1:1: an intent is a map: version, uplinks, "
                            "networks, ports\n");
    lab_check_said("ports: {}\n", "t:1:1: the file needs 'version: 1'\n");
    lab_check_said("version: 2\n",
                   "t:1:10: version: this Weft knows version 1, "
                   "not '2'\n");
    lab_check_said("version: [1]\n", "t:1:10: version: is a list, should be a "
                                     "number\n");
    lab_check_said("version: 1\n---\nversion: 1\n", "t:2:1: a second document: "
                                                    "an intent is one\n");
    lab_check_said("version: 1\n", "");
    lab_check_said("version: 1\nports:\nnetworks: {}\n", "");
    lab_check_said("{\"version\": 1, \"networks\": {\"a\": {}}}", "");
}

TEST(what_yaml_can_do_beyond_maps_is_refused)
{
    lab_check_said("version: &a 1\n",
                   "t:1:10: anchors and aliases are not used "
                   "in intents: write it out\n");
    lab_check_said("version: *a\n", "t:1:10: anchors and aliases are not used "
                                    "in intents: write it out\n");
    lab_check_said("version: !!int 1\n",
                   "t:1:10: tags are not used in intents\n");
    lab_check_said("version: !x [1]\n",
                   "t:1:10: tags are not used in intents\n");
    lab_check_said("ports: &p {}\n",
                   "t:1:8: anchors and aliases are not used in "
                   "intents: write it out\n");
    lab_check_said("version: \"1\\0\"\n", "t:1:10: a NUL within a text\n");
    lab_check_said("? [a]\n: b\n", "t:1:3: a key must be a word\n");
    lab_check_said("a: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n",
                   "t:1:20: nested too deeply\n");
}

TEST(a_key_is_there_once)
{
    lab_check_said("version: 1\nports: {}\nports: {}\n",
                   "t:3:1: 'ports' is there twice (line 2)\n");
    lab_port_said("  p: {trunk: {10: a, 11: b, 10: b}, tap: x}\n",
                  "t:7:29: '10' is there twice (line 7)\n");
}

TEST(an_unknown_section_is_named_with_the_nearest)
{
    lab_check_said("version: 1\nnetwork: {}\n",
                   "t:2:1: unknown section "
                   "'network'; did you mean 'networks'?\n");
    lab_check_said("version: 1\nroters: {}\n",
                   "t:2:1: unknown section "
                   "'roters'; did you mean 'routers'?\n");
    lab_check_said("version: 1\nports: []\n", "t:2:8: ports: should be a map "
                                              "from names to ports\n");
}

TEST(a_name_is_a_dns_label)
{
    lab_network_said("  Blue: {}\n",
                     "t:6:3: 'Blue' cannot be a name: only a-z, "
                     "0-9 and - can be in it\n");
    lab_network_said("  -blue: {}\n",
                     "t:6:3: '-blue' cannot be a name: it begins "
                     "and ends with a letter or digit\n");
    lab_network_said("  b------------------------------------------------------"
                     "--------b: {}\n",
                     "t:6:3: 'b-----------------------------"
                     "---------------------------------b' cannot be a name: it "
                     "has 1 to 63 characters\n");
    lab_network_said("  10: {}\n", "");
}

/* ---- Members ---- */

TEST(an_unknown_member_is_named_with_the_nearest)
{
    lab_network_said("  blue: {subnt: 10.1.0.0/24}\n",
                     "t:6:10: network 'blue' "
                     "has no 'subnt'; did you mean 'subnet'?\n");
    lab_network_said("  blue:\n    vlanid: 5\n",
                     "t:7:5: network 'blue' has no "
                     "'vlanid'; it has subnet, gateway, subnet6, gateway6, "
                     "segment, nat, nat6, prefix6, mtu, domain, dns, dhcp, "
                     "dhcp6, ra, multicast, storm-cap\n");
    lab_network_said("  blue: text\n", "t:6:9: blue: network 'blue' is a map, "
                                       "like {subnet: ...}\n");
    lab_network_said("  blue: {subnet: 10.1.0.0/24, nax: wan}\n",
                     "t:6:31: "
                     "network 'blue' has no 'nax'; did you mean 'nat'?\n");
}

TEST(everything_that_is_wrong_is_said)
{
    lab_network_said("  blue: {subnet: 10.1.0.0/33, mtu: much}\n"
                 "  red: {dhcp: {lease: 0s, range: 5}, ra: slack}\n",
                 "t:6:18: subnet: '10.1.0.0/33' is not an IPv4 network like "
                 "10.1.0.0/24\n"
                 "t:6:36: mtu: 'much' is not a number from 576 to 65535\n"
                 "t:7:23: lease: '0s' is not between 1s and 365d\n"
                 "t:7:34: range: '5' is not a range like "
                 "10.1.0.100-10.1.0.200\n"
                 "t:7:42: ra: 'slack' is not one of slaac, stateful, off; did "
                 "you mean 'slaac'?\n");
}

TEST(a_complaint_has_an_end)
{
    struct str text = STR_INIT, expected = STR_INIT;

    str_add(&text, "version: 1\nnetworks:\n");
    for (int i = 0; i < DIAG_MAX + 7; i++) {
        str_addf(&text, "  n%d: {mtu: 1}\n", i);
        if (i < DIAG_MAX) {
            str_addf(&expected, "t:%d:%d: mtu: '1' is not a number from 576 "
                     "to 65535\n", i + 3, i < 10 ? 13 : 14);
        }
    }
    str_add(&expected, "(and 7 more)\n");
    lab_check_said(str_text(&text), str_text(&expected));
    str_fini(&text);
    str_fini(&expected);
}

TEST(json_has_paths_instead_of_places)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    json_t *json = json_loads(
        "{\"version\": 1, \"networks\": {\"a\": {\"mtu\": 5, "
        "\"dhcp\": {\"options\": {\"43\": 7}}, \"nax\": null}}, "
        "\"ports\": [], \"x\": {}}", 0, NULL);
    struct str said = STR_INIT;

    CHECK(!intent_parse_json(set, json, diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(
        str_text(&said),
        "networks.a.mtu: '5' is not a number from 576 to 65535\n"
        "networks.a.dhcp.options.43: how many bytes is the number 7? Write it "
        "as hex:..., or as a text in quotes\n"
        "networks.a.nax: network 'a' has no 'nax'; did you mean 'nat'?\n"
        "ports: should be a map from names to ports\n"
        "x: unknown section 'x'; there are version, uplinks, networks, "
        "ports, routers, forwards, security-groups, hosts\n");
    json_decref(json);
    intent_unref(set);
    diag_destroy(diagnostics);
    str_fini(&said);
}

TEST(json_that_is_no_intent_is_refused)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "[]", "an intent is a map: version, uplinks, networks, ports\n" },
        { "{\"\": 1}", "a key must be a word\n" },
        { "{\"version\": \"\\u0000\"}", "a NUL within a text\n" },
        { "{\"version\": 1.5}", "version: this Weft knows version 1, not "
          "'1.5'\n" },
        { "{\"version\": true}", "version: this Weft knows version 1, not "
          "'true'\n" },
        { "{\"version\": null}", "version: nothing is said, should be a "
          "number\n" },
        { "[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]", "nested too deeply\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct diagnostics *diagnostics = diag_create();
        struct intent *set = intent_create();
        json_t *json = json_loads(cases[i].text, JSON_ALLOW_NUL, NULL);
        struct str said = STR_INIT;

        CHECK(json && !intent_parse_json(set, json, diagnostics));
        diag_format(diagnostics, &said);
        assert_string_equal(str_text(&said), cases[i].said);
        json_decref(json);
        intent_unref(set);
        diag_destroy(diagnostics);
        str_fini(&said);
    }
}

TESTS(
    RUN(a_file_must_be_yaml),
    RUN(a_file_is_one_map_with_a_version),
    RUN(what_yaml_can_do_beyond_maps_is_refused),
    RUN(a_key_is_there_once),
    RUN(an_unknown_section_is_named_with_the_nearest),
    RUN(a_name_is_a_dns_label),
    RUN(an_unknown_member_is_named_with_the_nearest),
    RUN(everything_that_is_wrong_is_said),
    RUN(a_complaint_has_an_end),
    RUN(json_has_paths_instead_of_places),
    RUN(json_that_is_no_intent_is_refused),
)
