/* Security groups: what a rule may say, and with what words it is refused. */
#include "intent/export.h"
#include "intent/intent_lab.h"
#include "intent/security_rule.h"
#include "lib/str.h"
#include "unit.h"

/* Of a file with this one group, whose rows begin in line 3. */
static void
group_said(const char *row, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\nsecurity-groups:\n  web: %s\n", row);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

TEST(rules_are_read_as_people_write_them)
{
    group_said("{in: [{protocol: tcp, port: 443}, "
               "{protocol: tcp, port: 8000-8080, from: 10.0.0.0/8}, "
               "{protocol: icmp, type: 8}, {from: web}, "
               "{protocol: udp, port: 53, from: 2001:db8::/32}, "
               "{protocol: 47, from: 10.1.0.7, cut: true}, {protocol: any}], "
               "out: [{to: 10.2.0.0/16, protocol: tcp, port: 5432}], "
               "audit: true}", "");
    group_said("{in: {protocol: sctp, port: 0-65535}, out: []}", "");
    group_said("", "");
}

TEST(a_wrong_rule_is_told_where_and_why)
{
    group_said("{in: [{protocol: tpc}]}",
               "t:3:25: protocol: 'tpc' is not any, tcp, udp, sctp, icmp, "
               "icmp6 or a number from 0 to 255; did you mean 'tcp'?\n");
    group_said("{in: [{protocol: tcp, prot: 443}]}",
               "t:3:30: an 'in' rule has no 'prot'; did you mean 'port'?\n");
    group_said("{in: [{to: 10.0.0.0/8}]}",
               "t:3:19: to: an 'in' rule has 'from'\n");
    group_said("{out: [{from: 10.0.0.0/8}]}",
               "t:3:22: from: an 'out' rule has 'to'\n");
    group_said("{in: [{protocol: tcp, port: 90-80}]}",
               "t:3:36: port: '90-80' ends before it begins\n");
    group_said("{in: [{protocol: tcp, port: 70000}]}",
               "t:3:36: port: '70000' is not a port like 443, or several like "
               "8000-8080\n");
    group_said("{in: [{port: 80}]}",
               "t:3:21: port: only tcp, udp and sctp have ports\n");
    group_said("{in: [{protocol: tcp, type: 8}]}",
               "t:3:36: type: only icmp and icmp6 have types\n");
    group_said("{in: [{protocol: icmp, code: 8}]}",
               "t:3:37: code: means nothing without a type\n");
    group_said("{in: [{protocol: icmp, from: fd00::/8}]}",
               "t:3:37: from: is IPv6, where there is icmp6\n");
    group_said("{in: [{protocol: icmp6, from: 10.0.0.0/8}]}",
               "t:3:38: from: is IPv4, where there is icmp\n");
    group_said("{in: [{from: 10.0.0.1/8}]}",
               "t:3:21: from: '10.0.0.1/8' is an address within the network "
               "10.0.0.0/8\n");
    group_said("{in: [{}]}", "t:3:14: in: this rule says nothing; one that "
               "lets everything pass is {protocol: any}\n");
    group_said("{in: [{protocol: tcp}, {protocol: tcp, cut: true}]}",
               "t:3:31: in: this rule is there twice\n");
    group_said("{in: [{from: wep}]}", "t:3:13: in: there is no security-group "
               "'wep'; did you mean 'web'?\n");
}

TEST(a_port_names_its_security_groups)
{
    static const char start[] = "version: 1\nnetworks: {n: }\n"
                                "security-groups: {web: , ssh: }\nports:\n";
    static const struct {
        const char *row, *said;
    } cases[] = {
        { "[web, ssh]", "" },
        { "web", "" },
        { "[]", "" },
        { "[web, web]", "t:5:50: security-groups: 'web' is there twice\n" },
        { "wep", "t:5:44: security-groups: there is no security-group 'wep'; "
                 "did you mean 'web'?\n" },
        { "[a, b, c, d, e, f, g, h, i]", "t:5:69: security-groups: more than "
          "8 security groups\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct str text = STR_INIT;

        str_addf(&text, "%s  p: {network: n, tap: p, security-groups: %s}\n",
                 start, cases[i].row);
        lab_check_said(str_text(&text), cases[i].said);
        str_fini(&text);
    }
}

TEST(what_a_rule_is_called_depends_on_what_it_lets_pass)
{
    struct intent *set = lab_sealed(
        "version: 1\nsecurity-groups:\n"
        "  a: {in: [{protocol: tcp, port: 443}, {port: 443, protocol: udp}]}\n"
        "  b: {in: [{port: 443, protocol: udp, cut: true}, "
        "{protocol: tcp, port: 443}], out: [{protocol: tcp, port: 443}]}\n"
        "  c: {in: [{cut: true, port: 443, protocol: tcp}, {from: a}]}\n");
    const struct intent_security_group *a, *b, *c;

    a = intent_security_group_cast(intent_at(set, INTENT_SECURITY_GROUP, 0));
    b = intent_security_group_cast(intent_at(set, INTENT_SECURITY_GROUP, 1));
    c = intent_security_group_cast(intent_at(set, INTENT_SECURITY_GROUP, 2));
    CHECK(a->in.list[0].id != a->in.list[1].id);
    CHECK(a->in.list[0].id != b->in.list[1].id);
    CHECK(b->out.list[0].id != b->in.list[1].id);
    CHECK(c->in.list[0].is_cut && !a->in.list[0].is_cut);
    CHECK(c->in.list[1].peer == 1);
    CHECK(c->peers[0].id == a->object.id);
    /* Its place in the list, and `cut`, do not matter. */
    CHECK(security_rule_id(&c->in.list[0], true, "a") == a->in.list[0].id);
    intent_unref(set);
}

TEST(a_rule_is_written_as_a_command_takes_it)
{
    struct intent *set = lab_sealed(
        "version: 1\nsecurity-groups:\n"
        "  a: {in: [{from: 10.0.0.0/8, port: 80-81, protocol: tcp, "
        "cut: true}]}\n");
    const struct intent_security_group *a =
        intent_security_group_cast(intent_at(set, INTENT_SECURITY_GROUP, 0));
    struct str text = STR_INIT;

    security_rule_format(&a->in.list[0], &text);
    CHECK_MSG(!strcmp(str_text(&text),
                      "protocol=tcp port=80-81 from=10.0.0.0/8 cut=true"),
              "%s", str_text(&text));
    str_fini(&text);
    intent_unref(set);
}

/* Many ports name a group: they are the same objects when it changes. */
TEST(a_group_that_changes_leaves_who_names_it_alone)
{
    struct intent *set = lab_sealed(
        "version: 1\nnetworks: {n: }\nsecurity-groups:\n"
        "  a: {in: [{from: b}, {from: a}]}\n"
        "  b: {in: [{from: a, protocol: tcp}]}\n"
        "ports: {p: {network: n, tap: p, security-groups: a}}\n");
    struct diagnostics *diag = diag_create();
    struct intent *next = intent_copy(set);
    json_t *members = json_pack("{s:[{s:s}]}", "in", "from", "a");

    intent_set(next, intent_parse_object(INTENT_SECURITY_GROUP, "a", members,
                                         diag));
    CHECK(intent_seal(next, diag));
    CHECK(intent_at(next, INTENT_PORT, 0) == intent_at(set, INTENT_PORT, 0));
    CHECK(intent_at(next, INTENT_SECURITY_GROUP, 1)
          == intent_at(set, INTENT_SECURITY_GROUP, 1));
    intent_unref(set);

    set = intent_copy(next);
    CHECK(intent_remove(set, INTENT_SECURITY_GROUP, "a"));
    CHECK(!intent_seal(set, diag));
    CHECK(diag->n == 2);
    diag_destroy(diag);
    json_decref(members);
    intent_unref(next);
    intent_unref(set);
}

TESTS(
    RUN(rules_are_read_as_people_write_them),
    RUN(a_wrong_rule_is_told_where_and_why),
    RUN(a_port_names_its_security_groups),
    RUN(what_a_rule_is_called_depends_on_what_it_lets_pass),
    RUN(a_rule_is_written_as_a_command_takes_it),
    RUN(a_group_that_changes_leaves_who_names_it_alone),
)
