/* What goes out comes in again the same. */
#include "intent/export.h"

#include "intent/intent_lab.h"
#include "intent/schema.h"
#include "unit.h"

static void
check_export(const char *text, const char *expected)
{
    struct str once = STR_INIT, twice = STR_INIT;
    struct intent *set = lab_sealed(text), *again;

    intent_export(set, &once);
    CHECK_MSG(!strcmp(str_text(&once), expected), "%s--- not:\n%s",
              str_text(&once), expected);
    again = lab_sealed(str_text(&once));
    intent_export(again, &twice);
    assert_string_equal(str_text(&twice), expected);
    intent_unref(again);
    intent_unref(set);
    str_fini(&once);
    str_fini(&twice);
}

/* Every member, each in each of its forms. */
static const char everything[] =
    "version: 1\n"
    "uplinks:\n"
    "  fat: {bond: [eth2, eth3], mode: active-backup}\n"
    "  lan: {device: eth1, take-over: false, at: h1}\n"
    "  wan: {host: true}\n"
    "networks:\n"
    "  10: {}\n"
    "  blue: {subnet: 10.1.0.0/24, segment: local, ra: stateful}\n"
    "  flat: {segment: {vlan: 0, uplink: lan}, dhcp: off}\n"
    "  gn: {segment: {geneve: 16777214, remotes: [192.0.2.8, 192.0.2.9]}}\n"
    "  gr: {segment: {gre: 4294967295, remotes: [192.0.2.9]}}\n"
    "  gw: {segment: {vlan: 30, uplink: lan, vxlan: 5001}}\n"
    "  mc: {segment: {vxlan: 5002, group: 239.1.1.1}}\n"
    "  mute: {subnet: 10.9.0.0/24, gateway: none, gateway6: none, ra: off}\n"
    "  qinq: {segment: {vlan: 100, uplink: fat, protocol: 802.1ad}}\n"
    "  red:\n"
    "    subnet: 10.2.0.0/24\n"
    "    gateway: 10.2.0.254\n"
    "    subnet6: fd00:2::/64\n"
    "    gateway6: fd00:2::fe\n"
    "    segment: {vlan: 20, uplink: lan}\n"
    "    mtu: 1400\n"
    "    domain: red.example.org\n"
    "    dns: [10.2.0.3, fd00:2::3]\n"
    "    dhcp:\n"
    "      range: [10.2.0.10-10.2.0.20, 10.2.0.30-10.2.0.40]\n"
    "      lease: 1h30m\n"
    "      ntp: [10.2.0.3]\n"
    "      routes: [{to: 10.9.0.0/16, via: 10.2.0.5}]\n"
    "      boot: {server: 10.2.0.5, file: \"a \\\"b\\\"\"}\n"
    "      options:\n"
    "        43: hex:0104c0a80001\n"
    "        150: [10.2.0.5, 10.2.0.6]\n"
    "        200: \"5\"\n"
    "        201: \"true\"\n"
    "        202: \"a text that is too long for a line of two options\"\n"
    "    multicast: flood\n"
    "    storm-cap: 50\n"
    "  six: {subnet6: fd00:6::/64}\n"
    "ports:\n"
    "  app: {network: blue, netns: /proc/1/ns/net, nic: net0, veth: true}\n"
    "  box: {tun: tun0, network: blue, rate: {in: 1.5G}}\n"
    "  db:\n"
    "    network: red\n"
    "    netns: pid:4711\n"
    "    configure: true\n"
    "    mac: \"12:34:56:12:34:56\"\n"
    "    address: 10.2.0.20\n"
    "    address6: fd00:2::20\n"
    "    allow:\n"
    "      - 10.2.0.64/28\n"
    "      - 10.2.0.99\n"
    "      - fd00:2:1::/64\n"
    "      - \"fd00::\"\n"
    "      - 02:00:00:00:00:0f\n"
    "      - {mac: 02:00:00:00:00:0e, address: 10.2.0.98}\n"
    "    anti-spoof: false\n"
    "    rate: 100M\n"
    "    mirror: ids\n"
    "  fw: {tap: fw0, user: qemu, group: kvm, queues: 4, trunk: {10: red}}\n"
    "  ids: {network: \"10\", device: tap7, isolated: true, host: h2}\n"
    "routers:\n"
    "  r1:\n"
    "    networks: [blue, red]\n"
    "    routes: [{to: 10.9.0.0/16, via: 10.1.0.77}, {to: \"::/0\", via: "
    "fd00:2::9}]\n"
    "  r2: {networks: [six]}\n"
    "hosts:\n"
    "  h1: {tunnel: 192.0.2.1}\n"
    "  h2:\n"
    "    tunnel: 192.0.2.2\n"
    "    mtu: 9000\n"
    "    certificate: sha256:000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f\n"
    "    peer: 198.51.100.2:7000\n";

TEST(every_member_comes_back_as_it_was)
{
    /* Members are written in the order of the table. */
    struct str expected = STR_INIT;
    const char *box = strstr(everything, "  box:");
    const char *fw = strstr(everything, "  fw:");

    str_add_bytes(&expected, everything, (size_t) (box - everything));
    str_add(&expected, "  box: {network: blue, tun: tun0, rate: {in: 1.5G}}\n");
    str_add_bytes(&expected, strstr(box, "  db:"),
                  (size_t) (fw - strstr(box, "  db:")));
    str_add(&expected, fw);
    check_export(everything, str_text(&expected));
    str_fini(&expected);
}

TEST(json_says_the_same_as_yaml)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = lab_sealed(everything), *again = intent_create();
    struct str yaml = STR_INIT, back = STR_INIT;
    json_t *json = intent_json(set);

    CHECK(intent_parse_json(again, json, diagnostics));
    CHECK(intent_seal(again, diagnostics));
    intent_export(set, &yaml);
    intent_export(again, &back);
    assert_string_equal(str_text(&yaml), str_text(&back));
    json_decref(json);
    intent_unref(set);
    intent_unref(again);
    diag_destroy(diagnostics);
    str_fini(&yaml);
    str_fini(&back);
}

TEST(other_ways_to_say_it_are_written_in_one)
{
    check_export("ports: {}\nversion: \"1\"\n"
                 "networks: {a: {dhcp: {range: [10.0.0.3-10.0.0.4], lease: "
                 "5400, boot: {file: f, server: s}}, subnet: 10.0.0.0/24, "
                 "dns: 10.0.0.7, gateway: '10.0.0.1'}}\n",
                 "version: 1\nnetworks:\n"
                 "  a:\n"
                 "    subnet: 10.0.0.0/24\n"
                 "    gateway: 10.0.0.1\n"
                 "    dns: [10.0.0.7]\n"
                 "    dhcp: {range: 10.0.0.3-10.0.0.4, lease: 1h30m, "
                 "boot: {server: s, file: f}}\n");
    check_export("version: 1\nnetworks: {n: {dhcp: false, ra: false}}\nports:\n"
                 "  a: {network: n, tap: a, rate: {in: 2000, out: 2k}, "
                 "allow: 10.1.0.5/24, mac: 02:AA:00:00:00:01}\n"
                 "  b: {network: n, tap: b, rate: 1000001}\n"
                 "  c: {network: n, tap: \"0x1f\", rate: {out: 1.125M}}\n"
                 "  d: {network: n, netns: \"1e3\"}\n"
                 "  e: {network: n, netns: \"-x\"}\n"
                 "  f: {network: n, netns: \"No\"}\n",
                 "version: 1\nnetworks:\n  n: {dhcp: off, ra: off}\nports:\n"
                 "  a:\n    network: n\n    tap: a\n"
                 "    mac: 02:aa:00:00:00:01\n"
                 "    allow: [10.1.0.0/24]\n    rate: 2k\n"
                 "  b: {network: n, tap: b, rate: \"1000001\"}\n"
                 "  c: {network: n, tap: \"0x1f\", rate: {out: 1125k}}\n"
                 "  d: {network: n, netns: \"1e3\"}\n"
                 "  e: {network: n, netns: \"-x\"}\n"
                 "  f: {network: n, netns: \"No\"}\n");
}

TEST(what_holds_includes_the_defaults)
{
    struct intent *set = lab_sealed("version: 1\nnetworks: {n: {subnet: "
                                "10.0.0.0/24}}\n"
                                "ports: {p: {network: n, netns: x}}\n");
    json_t *json = intent_object_effective(intent_find(set, INTENT_PORT, "p"));
    json_t *network = intent_object_effective(
        intent_find(set, INTENT_NETWORK, "n"));

    assert_string_equal(json_string_value(json_object_get(json, "nic")),
                        "eth0");
    CHECK(json_object_get(json, "mac"));
    assert_string_equal(json_string_value(json_object_get(network,
                                                          "gateway")),
                        "10.0.0.1");
    CHECK(json_integer_value(json_object_get(network, "mtu")) == 1500);
    json_decref(json);
    json_decref(network);
    intent_unref(set);
}

TEST(a_value_of_a_command_is_read_as_in_a_file)
{
    struct diagnostics *diagnostics = diag_create();
    json_t *json = intent_parse_value("{vlan: 20, uplink: [lan, null]}",
                                      diagnostics);
    struct str text = STR_INIT, said = STR_INIT;

    CHECK(json);
    json_array_clear(json_object_get(json, "uplink"));
    intent_value_format(json, &text);
    assert_string_equal(str_text(&text), "{vlan: \"20\", uplink: []}");
    json_decref(json);
    CHECK(!intent_parse_value("{", diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(str_text(&said), "2:1: this is no YAML: did not find "
                        "expected node content (while parsing a flow node "
                        "that began in line 2)\n");
    diag_destroy(diagnostics);
    str_fini(&text);
    str_fini(&said);
}

/* WEFT_WRITE_SCHEMA=1 writes it anew. */
TEST(the_published_schema_is_current)
{
    static const char path[] = SOURCE_ROOT "/doc/intent.schema.json";
    size_t flags = JSON_INDENT(2);
    json_t *now = intent_schema(), *published;

    CHECK(now);
    if (getenv("WEFT_WRITE_SCHEMA")) {
        FILE *out = fopen(path, "w");

        CHECK(out);
        CHECK(!json_dumpf(now, out, flags) && fputc('\n', out) == '\n');
        CHECK(!fclose(out));
    }
    published = json_load_file(path, 0, NULL);
    CHECK_MSG(json_equal(now, published), "%s is old: "
              "WEFT_WRITE_SCHEMA=1 build/tests/intent_export_test", path);
    json_decref(now);
    json_decref(published);
}

TEST(every_row_of_a_table_is_whole)
{
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct noun *noun = intent_noun((enum intent_kind) kind);
        unsigned int n = 0;

        CHECK(noun->doc);
        for (; noun->members[n].name; n++) {
            const struct member *m = &noun->members[n];

            CHECK_MSG(m->doc && m->type, "%s", m->name);
            CHECK_MSG(m->offset + m->size <= noun->size, "%s", m->name);
        }
        CHECK(n < SCHEMA_MAX_MEMBERS);
    }
}

TESTS(
    RUN(every_member_comes_back_as_it_was),
    RUN(json_says_the_same_as_yaml),
    RUN(other_ways_to_say_it_are_written_in_one),
    RUN(what_holds_includes_the_defaults),
    RUN(a_value_of_a_command_is_read_as_in_a_file),
    RUN(the_published_schema_is_current),
    RUN(every_row_of_a_table_is_whole),
)
