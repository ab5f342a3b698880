/* Sets of rules, against a plain list. */
#include "controller/flow_set.h"

#include "lib/rng.h"
#include "unit.h"

enum { N_IDENTITIES = 12, N_STEPS = 20000, MAX_RULES = 400 };

static struct flow_rule *
random_rule(struct rng *rng)
{
    struct flow_mod mod;
    unsigned int identity = rng_below(rng, N_IDENTITIES);

    flow_mod_init(&mod);
    mod.table = (uint8_t) (identity % 3);
    mod.priority = (uint16_t) (identity % 2);
    match_set(&mod.match, FIELD_METADATA, identity / 4, UINT64_MAX);
    mod.cookie = htobe64(rng_below(rng, 4));
    mod.instructions.has_goto = rng_one_in(rng, 2);
    mod.instructions.goto_table = 9;
    return flow_rule_create(&mod);
}

static const struct flow_rule *
naive_find(struct flow_rule *const *rules, unsigned int n,
           const struct flow_rule *identity)
{
    const struct flow_rule *best = NULL;

    for (unsigned int i = 0; i < n; i++) {
        if (flow_rule_same_identity(rules[i], identity)
            && (!best || flow_rule_compare_effect(rules[i], best) < 0)) {
            best = rules[i];
        }
    }
    return best;
}

TEST(a_set_is_as_a_list_would_be)
{
    struct rng rng = { 1 };
    struct flow_rule *rules[MAX_RULES], *rule;
    struct flow_set set;
    unsigned int n = 0, seen = 0;

    flow_set_init(&set);
    for (unsigned int step = 0; step < N_STEPS; step++) {
        if (n < MAX_RULES && rng_one_in(&rng, n < 100 ? 1 : 2)) {
            rules[n] = random_rule(&rng);
            flow_set_insert(&set, rules[n++]);
        } else {
            unsigned int i = rng_below(&rng, n);

            CHECK(flow_set_remove(&set, rules[i]));
            CHECK(!flow_set_remove(&set, rules[i]));
            flow_rule_unref(rules[i]);
            rules[i] = rules[--n];
        }
        rule = random_rule(&rng);
        if (naive_find(rules, n, rule)) {
            CHECK(flow_set_find(&set, rule)
                  && flow_rule_same_effect(flow_set_find(&set, rule),
                                           naive_find(rules, n, rule)));
        } else {
            CHECK(!flow_set_find(&set, rule));
        }
        flow_rule_unref(rule);
    }
    FLOW_SET_FOR_EACH (rule, &set) {
        seen++;
    }
    CHECK(seen == n && set.n == n);
    for (unsigned int i = 0; i < n; i++) {
        flow_rule_unref(rules[i]);
    }
    flow_set_fini(&set);
}

TEST(a_rule_says_what_it_was_made_of)
{
    static const char text[] =
        "cookie=0x7,table=3,priority=9,tcp,metadata=0x5,nw_dst=10.0.0.0/8,"
        "tp_dst=80,actions=meter:4,set_field:0x1->reg0,output:2,"
        "write_metadata:0x9/0xff,goto_table:7";
    struct str again = STR_INIT;
    struct flow_mod mod;
    struct flow_rule *rule;

    CHECK(!flow_mod_parse(text, FLOW_MOD_ADD, NULL, &mod, &again));
    rule = flow_rule_create(&mod);
    flow_mod_fini(&mod);
    flow_rule_format(rule, &again);
    CHECK(!flow_mod_parse(str_text(&again), FLOW_MOD_ADD, NULL, &mod, NULL));
    CHECK(rule->cookie == 7 && rule->table == 3 && rule->meter == 4);
    {
        struct flow_rule *twin = flow_rule_create(&mod);

        CHECK(flow_rule_same_identity(rule, twin)
              && flow_rule_same_effect(rule, twin));
        flow_rule_unref(twin);
    }
    flow_mod_fini(&mod);
    flow_rule_unref(rule);
    str_fini(&again);
}

TESTS(
    RUN(a_set_is_as_a_list_would_be),
    RUN(a_rule_says_what_it_was_made_of),
)
