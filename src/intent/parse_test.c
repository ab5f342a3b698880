/* What a file may say, and what is said about one that cannot be. */
#include "intent/parse.h"

#include "intent/schema.h"
#include "packet/address.h"
#include "unit.h"

/* What is wrong with a file of that text, all of it. */
static void
complaints(const char *text, struct str *said)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();

    if (intent_parse(set, "t", text, strlen(text), diagnostics)) {
        CHECK_MSG(intent_seal(set, diagnostics) == !diag_any(diagnostics),
                  "%s", text);
    } else {
        CHECK_MSG(diag_any(diagnostics), "%s", text);
    }
    diag_format(diagnostics, said);
    intent_unref(set);
    diag_destroy(diagnostics);
}

static void
check_said(const char *text, const char *expected)
{
    struct str said = STR_INIT;

    complaints(text, &said);
    CHECK_MSG(!strcmp(str_text(&said), expected), "%s\n--- said:\n%s"
              "--- not:\n%s", text, str_text(&said), expected);
    str_fini(&said);
}

/* A file with these rows of networks. */
static void
network_said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\nuplinks:\n  lan: {device: eth1}\n"
             "  wan: {host: true}\nnetworks:\n%s", rows);
    check_said(str_text(&text), expected);
    str_fini(&text);
}

/* And with these ports, in networks a (10.1.0.0/24), b (the same and IPv6) and
 * bare (no subnet). */
static void
port_said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\nnetworks:\n  a: {subnet: 10.1.0.0/24}\n"
             "  b: {subnet: 10.1.0.0/24, subnet6: fd00::/64}\n  bare:\n"
             "ports:\n%s", rows);
    check_said(str_text(&text), expected);
    str_fini(&text);
}

/* ---- The file ---- */

TEST(a_file_must_be_yaml)
{
    check_said("version: 1\nports: [a\n", "t:3:1: this is no YAML: did not "
               "find expected ',' or ']' (while parsing a flow sequence that "
               "began in line 2)\n");
    check_said("a: b: c\n", "t:1:5: this is no YAML: mapping values are not "
               "allowed in this context\n");
    check_said("a: \xff\n", "t: this is no YAML: byte 3: invalid leading "
               "UTF-8 octet\n");
}

TEST(a_file_is_one_map_with_a_version)
{
    check_said("", "t:1:1: there is nothing in it\n");
    check_said("- a\n", "t:1:1: an intent is a map: version, uplinks, "
               "networks, ports\n");
    check_said("ports: {}\n", "t:1:1: the file needs 'version: 1'\n");
    check_said("version: 2\n", "t:1:10: version: this Weft knows version 1, "
               "not '2'\n");
    check_said("version: [1]\n", "t:1:10: version: is a list, should be a "
               "number\n");
    check_said("version: 1\n---\nversion: 1\n", "t:2:1: a second document: "
               "an intent is one\n");
    check_said("version: 1\n", "");
    check_said("version: 1\nports:\nnetworks: {}\n", "");
    check_said("{\"version\": 1, \"networks\": {\"a\": {}}}", "");
}

TEST(what_yaml_can_do_beyond_maps_is_refused)
{
    check_said("version: &a 1\n", "t:1:10: anchors and aliases are not used "
               "in intents: write it out\n");
    check_said("version: *a\n", "t:1:10: anchors and aliases are not used "
               "in intents: write it out\n");
    check_said("version: !!int 1\n", "t:1:10: tags are not used in intents\n");
    check_said("version: !x [1]\n", "t:1:10: tags are not used in intents\n");
    check_said("ports: &p {}\n", "t:1:8: anchors and aliases are not used in "
               "intents: write it out\n");
    check_said("version: \"1\\0\"\n", "t:1:10: a NUL within a text\n");
    check_said("? [a]\n: b\n", "t:1:3: a key must be a word\n");
    check_said("a: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n",
               "t:1:20: nested too deeply\n");
}

TEST(a_key_is_there_once)
{
    check_said("version: 1\nports: {}\nports: {}\n",
               "t:3:1: 'ports' is there twice (line 2)\n");
    port_said("  p: {trunk: {10: a, 11: b, 10: b}, tap: x}\n",
              "t:7:29: '10' is there twice (line 7)\n");
}

TEST(an_unknown_section_is_named_with_the_nearest)
{
    check_said("version: 1\nnetwork: {}\n", "t:2:1: unknown section "
               "'network'; did you mean 'networks'?\n");
    check_said("version: 1\nrouters: {}\n", "t:2:1: unknown section "
               "'routers'; there are version, uplinks, networks, ports\n");
    check_said("version: 1\nports: []\n", "t:2:8: ports: should be a map "
               "from names to ports\n");
}

TEST(a_name_is_a_dns_label)
{
    network_said("  Blue: {}\n", "t:6:3: 'Blue' cannot be a name: only a-z, "
                 "0-9 and - can be in it\n");
    network_said("  -blue: {}\n", "t:6:3: '-blue' cannot be a name: it begins "
                 "and ends with a letter or digit\n");
    network_said("  b------------------------------------------------------"
                 "--------b: {}\n", "t:6:3: 'b-----------------------------"
                 "---------------------------------b' cannot be a name: it "
                 "has 1 to 63 characters\n");
    network_said("  10: {}\n", "");
}

/* ---- Members ---- */

TEST(an_unknown_member_is_named_with_the_nearest)
{
    network_said("  blue: {subnt: 10.1.0.0/24}\n", "t:6:10: network 'blue' "
                 "has no 'subnt'; did you mean 'subnet'?\n");
    network_said("  blue:\n    vlanid: 5\n", "t:7:5: network 'blue' has no "
                 "'vlanid'; it has subnet, gateway, subnet6, gateway6, "
                 "segment, mtu, domain, dns, dhcp, ra, storm-cap\n");
    network_said("  blue: text\n", "t:6:9: blue: network 'blue' is a map, "
                 "like {subnet: ...}\n");
    /* Of what comes later: no word of it yet. */
    network_said("  blue: {subnet: 10.1.0.0/24, nat: wan}\n", "t:6:31: "
                 "network 'blue' has no 'nat'; did you mean 'ra'?\n");
}

TEST(everything_that_is_wrong_is_said)
{
    network_said("  blue: {subnet: 10.1.0.0/33, mtu: much}\n"
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
    struct str text = STR_INIT, said = STR_INIT;

    str_add(&text, "version: 1\nnetworks:\n");
    for (int i = 0; i < DIAG_MAX + 7; i++) {
        str_addf(&text, "  n%d: {mtu: 1}\n", i);
    }
    complaints(str_text(&text), &said);
    CHECK(strstr(str_text(&said), "\n(and 7 more)\n"));
    str_fini(&text);
    str_fini(&said);
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
)
