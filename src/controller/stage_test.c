/* The stages' flows: each of them is sound, can be said in OpenFlow 1.4 and 1.5
 * and comes back as it was. */
#include "controller/stage.h"

#include "controller/desired.h"
#include "controller/random_intents.h"
#include "openflow/reply.h"
#include "unit.h"

/* What the switch would say of the rule, when it is asked. */
static struct flow_rule *
echo(const struct flow_rule *rule, enum of_version version)
{
    struct of_protocol p = { .version = version };
    struct of_multipart_request request = { .type = MP_FLOW };
    struct of_multipart_reply received;
    struct of_message msg = { .type = OFT_FLOW_MOD }, out;
    struct buf buf = BUF_INIT, answer = BUF_INIT;
    struct str why = STR_INIT;
    struct of_reply reply;
    struct of_flow_stats stats;
    struct flow_mod back;
    struct flow_rule *twin;
    enum of_error error;
    bool is_whole;

    flow_rule_to_mod(rule, &msg.flow_mod);
    CHECK(!of_message_encode(&buf, &p, &msg));
    error = of_message_decode(&p, buf.data, buf.len, &out, &why);
    CHECK_MSG(!error, "%s: %s", of_error_name(error), str_text(&why));
    stats = (struct of_flow_stats) {
        .table = out.flow_mod.table, .priority = out.flow_mod.priority,
        .cookie = out.flow_mod.cookie, .match = &out.flow_mod.match,
        .instructions = &out.flow_mod.instructions,
    };
    of_reply_begin(&reply, &answer, &p, 5, &request);
    of_reply_flow(&reply, &stats);
    of_reply_end(&reply);
    CHECK(of_is_multipart_reply(&p, answer.data, answer.len));
    CHECK(!of_multipart_reply_decode(&p, answer.data, answer.len, &received,
                                     NULL));
    CHECK(received.xid == 5 && received.type == MP_FLOW && !received.more);
    CHECK(of_next_flow(&p, &received.body, &back, &is_whole, &error));
    CHECK(is_whole && !received.body.len);
    twin = flow_rule_create(&back);
    flow_mod_fini(&back);
    of_message_fini(&out);
    buf_fini(&buf);
    buf_fini(&answer);
    str_fini(&why);
    return twin;
}

static void
check_sound(const struct flow_rule *rule, const char *text)
{
    struct str why = STR_INIT;
    struct flow_mod mod;
    enum of_error error;

    flow_rule_to_mod(rule, &mod);
    error = match_check(&mod.match, &why);
    CHECK_MSG(!error, "%s: %s", text, str_text(&why));
    error = instructions_check(&mod.instructions, &mod.match, mod.table,
                               &why);
    CHECK_MSG(!error, "%s: %s", text, str_text(&why));
    CHECK_MSG(stage_name(rule->table), "%s: no stage's table", text);
    CHECK_MSG(!rule->has_goto || stage_name(rule->goto_table),
              "%s: goes nowhere", text);
    str_fini(&why);
}

static void
check_rule(const struct topology *t, const struct flow_rule *rule)
{
    static const enum of_version versions[] = { OF14, OF15 };
    struct str text = STR_INIT;

    flow_rule_format(rule, &text);
    check_sound(rule, str_text(&text));
    CHECK_MSG(rule->cookie >> 60 == 0xf
              || intent_find_id(topology_intent(t), rule->cookie),
              "%s: nobody asked for it", str_text(&text));
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct flow_rule *twin = echo(rule, versions[i]);

        CHECK_MSG(flow_rule_same_identity(rule, twin)
                  && flow_rule_same_effect(rule, twin), "%s",
                  str_text(&text));
        flow_rule_unref(twin);
    }
    str_fini(&text);
}

static void
check_all(const struct topology *t)
{
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct desired desired;
    struct flow_rule *rule;

    topology_units(t, &units);
    desired_init(&desired);
    desired_update(&desired, t, &units, NULL);
    CHECK(desired.flows.n > 100);
    FLOW_SET_FOR_EACH (rule, &desired.flows) {
        check_rule(t, rule);
    }
    desired_fini(&desired);
    unit_set_fini(&units);
}

TEST(every_flow_is_sound_and_comes_back_as_it_was)
{
    for (unsigned int seed = 1; seed <= 8; seed++) {
        struct rng rng = { seed };
        struct ipam *ipam = ipam_create(NULL);
        struct topology_config config = { .ipam = ipam };
        struct topology *t = topology_create(&config);
        struct unit_set units = { 0, 0, NULL, 0, NULL };
        unsigned int n_ports = seed % 4 ? 8 : 60;
        struct random_intents intents;
        struct intent *set;

        random_intents_init(&intents, &rng, n_ports);
        set = random_intents_seal(&intents, NULL);
        topology_set_intent(t, set, &units);
        intent_unref(set);
        for (unsigned int i = 0; i < n_ports; i++) {
            char name[16];

            snprintf(name, sizeof name, "p%u", i);
            topology_set_switch_port(t, name, i + 1, true, &units);
        }
        topology_set_switch_port(t, "lan0", 200, true, &units);
        topology_set_switch_port(t, "weft-wan", 201, true, &units);
        topology_set_switch_port(t, "out0", 202, true, &units);
        check_all(t);
        unit_set_fini(&units);
        topology_destroy(t);
        ipam_destroy(ipam);
    }
}

/* Every kind of overlay and of who is on it, over both families. */
TEST(so_are_those_of_overlays)
{
    static const char *const ends[][4] = {
        { "192.0.2.1", "192.0.2.2", "192.0.2.9", "239.1.1.1" },
        { "fd00::1", "fd00::2", "fd00::9", "ff05::101" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct ipam *ipam = ipam_create(NULL);
        struct topology_config config = { .host = "h1", .ipam = ipam };
        struct topology *t = topology_create(&config);
        struct unit_set units = { 0, 0, NULL, 0, NULL };
        struct str text = STR_INIT;
        struct intent *set;

        str_addf(&text, "version: 1\nhosts:\n  h1: {tunnel: \"%s\"}\n"
                 "  h2: {tunnel: \"%s\"}\nuplinks:\n"
                 "  lan: {device: lan0, at: h1}\nnetworks:\n"
                 "  a: {subnet: 10.1.0.0/24, subnet6: \"fd01::/64\", segment: "
                 "{vxlan: 1, remotes: [\"%s\"]}}\n"
                 "  b: {subnet: 10.2.0.0/24, segment: {vxlan: 2, group: "
                 "\"%s\"}}\n"
                 "  c: {segment: {gre: 4000000000, vlan: 5, uplink: lan}}\n"
                 "  d: {segment: {geneve: 7}}\n",
                 ends[i][0], ends[i][1], ends[i][2], ends[i][3]);
        str_add(&text, "routers:\n  r: {networks: [a, b]}\n"
                "security-groups:\n  g: {in: [{from: g}]}\nports:\n");
        for (unsigned int k = 0; k < 8; k++) {
            str_addf(&text, "  p%u: {network: %c, tap: p%u, host: h%u, "
                     "isolated: %s, security-groups: [g], "
                     "allow: [10.9.%u.0/24, 02:00:00:00:00:0%u]}\n",
                     k, "abcd"[k / 2], k, 1 + k % 2, k % 3 ? "true" : "false",
                     k, k);
        }
        set = intent_of_text(str_text(&text));
        topology_set_intent(t, set, &units);
        intent_unref(set);
        for (unsigned int k = 0; k < 8; k += 2) {
            char name[16];

            snprintf(name, sizeof name, "p%u", k);
            topology_set_switch_port(t, name, k + 1, true, &units);
        }
        topology_set_switch_port(t, "lan0", 200, true, &units);
        topology_set_switch_port(t, "vxlan", 300, true, &units);
        topology_set_switch_port(t, "gre", 301, true, &units);
        topology_set_switch_port(t, "geneve", 302, true, &units);
        check_all(t);
        unit_set_fini(&units);
        topology_destroy(t);
        ipam_destroy(ipam);
        str_fini(&text);
    }
}

TESTS(
    RUN(every_flow_is_sound_and_comes_back_as_it_was),
    RUN(so_are_those_of_overlays),
)
