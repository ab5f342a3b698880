/* Which rules of others stop what the host forwards for us. */
#include "cli/firewall.h"

#include "unit.h"

#define BASE(NAME, POLICY)                                                   \
    "{'chain': {'family': 'ip', 'table': 'filter', 'name': '" NAME "', "     \
    "'hook': 'forward', 'policy': '" POLICY "'}}, "
#define RULE(CHAIN, EXPR)                                                    \
    "{'rule': {'family': 'ip', 'table': 'filter', 'chain': '" CHAIN "', "    \
    "'handle': 7, 'expr': [" EXPR "]}}, "
#define MATCH(OP, LEFT, RIGHT)                                               \
    "{'match': {'op': '" OP "', 'left': " LEFT ", 'right': " RIGHT "}}, "
#define META(KEY) "{'meta': {'key': '" KEY "'}}"
#define IP(FIELD) "{'payload': {'protocol': 'ip', 'field': '" FIELD "'}}"
#define ESTABLISHED                                                          \
    MATCH("in", "{'ct': {'key': 'state'}}", "['established', 'related']")
#define END "{'metainfo': {}}"

static const struct firewall_packet leaving = {
    .in = "weft-wan", .out = "eth0", .from = "169.254.7.2",
};
static const struct firewall_packet coming = {
    .in = "eth0", .out = "weft-wan", .to = "169.254.7.2", .status = "dnat",
};

static enum firewall_verdict
ask(const char *objects, const struct firewall_packet *packet,
    const char *said)
{
    struct str text = STR_INIT, who = STR_INIT;
    enum firewall_verdict verdict;
    json_error_t error;
    json_t *ruleset;

    str_addf(&text, "{'nftables': [%s]}", objects);
    for (char *p = text.text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ruleset = json_loads(str_text(&text), 0, &error);
    CHECK_MSG(ruleset, "%s", error.text);
    verdict = firewall_ask(ruleset, "forward", "weft-lab", packet, &who);
    assert_string_equal(str_text(&who), said);
    json_decref(ruleset);
    str_fini(&text);
    str_fini(&who);
    return verdict;
}

TEST(where_nobody_filters_everything_passes)
{
    CHECK(ask(END, &leaving, "") == FIREWALL_PASSES);
    CHECK(ask(BASE("FORWARD", "accept") END, &leaving, "")
          == FIREWALL_PASSES);
    /* Our own table, and another hook. */
    CHECK(ask("{'chain': {'family': 'inet', 'table': 'weft-lab', 'name': 'f',"
              " 'hook': 'forward', 'policy': 'drop'}}, "
              "{'chain': {'family': 'ip', 'table': 'filter', 'name': 'INPUT',"
              " 'hook': 'input', 'policy': 'drop'}}", &leaving, "")
          == FIREWALL_PASSES);
}

/* As Docker leaves it. */
#define DOCKER                                                               \
    BASE("FORWARD", "drop")                                                  \
    RULE("FORWARD", "{'jump': {'target': 'DOCKER-USER'}}")                   \
    RULE("FORWARD", MATCH("==", META("oifname"), "'docker0'")                \
         ESTABLISHED "{'accept': null}")                                     \
    RULE("FORWARD", MATCH("==", META("iifname"), "'docker0'")                \
         "{'counter': {}}, {'accept': null}")

TEST(a_policy_that_drops_stops_what_no_rule_accepts)
{
    CHECK(ask(DOCKER END, &leaving, "ip filter FORWARD (policy drop)")
          == FIREWALL_STOPS);
    CHECK(ask(DOCKER RULE("DOCKER-USER", "{'return': null}") END, &coming,
              "ip filter FORWARD (policy drop)") == FIREWALL_STOPS);
    CHECK(ask(DOCKER RULE("DOCKER-USER", MATCH("==", META("iifname"),
                                               "'weft-*'")
                          "{'accept': null}") END, &leaving, "")
          == FIREWALL_PASSES);
    /* By a chain that is left for good. */
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", "{'goto': {'target': 'x'}}")
              RULE("FORWARD", "{'drop': null}")
              RULE("x", MATCH("==", META("iifname"), "'eth0'")
                   "{'reject': {}}") END, &leaving, "") == FIREWALL_PASSES);
}

TEST(a_rule_is_told_by_its_place)
{
    static const char said[] = "ip filter FORWARD (rule of handle 7)";

    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", MATCH("==", IP("saddr"),
                                    "{'prefix': {'addr': '169.254.0.0', "
                                    "'len': 16}}") "{'drop': null}") END,
              &leaving, said) == FIREWALL_STOPS);
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", MATCH("!=", IP("saddr"),
                                    "{'range': ['169.254.7.0', "
                                    "'169.254.7.3']}") "{'drop': null}") END,
              &leaving, "") == FIREWALL_PASSES);
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", MATCH("==", META("oifname"),
                                    "{'set': ['a', 'weft-wan']}")
                   MATCH("in", "{'ct': {'key': 'status'}}", "'dnat'")
                   "{'reject': {'type': 'icmpx'}}") END, &coming, said)
          == FIREWALL_STOPS);
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", "{'vmap': {'key': {'ct': {'key': 'state'}}, "
                   "'data': {'set': [['established', {'accept': null}], "
                   "['new', {'drop': null}]]}}}") END, &coming, said)
          == FIREWALL_STOPS);
}

TEST(what_cannot_be_decided_may_stop_it)
{
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", MATCH("==", "{'payload': {'protocol': 'tcp', "
                                    "'field': 'dport'}}", "25")
                   "{'drop': null}") END, &leaving,
              "ip filter FORWARD (rule of handle 7)") == FIREWALL_MAY_STOP);
    CHECK(ask(BASE("FORWARD", "drop")
              RULE("FORWARD", MATCH("==", IP("saddr"), "'@friends'")
                   "{'accept': null}") END, &leaving,
              "ip filter FORWARD (policy drop)") == FIREWALL_MAY_STOP);
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", "{'xt': null}, {'drop': null}") END, &leaving,
              "ip filter FORWARD (rule of handle 7)") == FIREWALL_MAY_STOP);
}

TEST(chains_that_jump_in_a_circle_end)
{
    CHECK(ask(BASE("FORWARD", "accept")
              RULE("FORWARD", "{'jump': {'target': 'FORWARD'}}") END,
              &leaving, "") == FIREWALL_PASSES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(where_nobody_filters_everything_passes),
        RUN(a_policy_that_drops_stops_what_no_rule_accepts),
        RUN(a_rule_is_told_by_its_place),
        RUN(what_cannot_be_decided_may_stop_it),
        RUN(chains_that_jump_in_a_circle_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
