/* What intents cost the controller: all flows computed and compared, and one
 * port's change.
 *
 *     weft-bench controller [--ports=5000] [--networks=1] [--rounds=9]
 *                           [--rules=0]
 *
 *     full        topology, every unit's flows, all compared with nothing
 *     same        another set that says the same: nothing to send
 *     isolate     a set in which one port is isolated: its flows
 *     readdress   it gets another address
 *     move        it goes to another network (with --networks=2 or more)
 *     remove      it is no more
 *     add         it comes again
 *     rule        a rule is added (with --rules)
 *     link        its number changes
 *
 * Every port has IPv4, IPv6, a storm cap and a planned address.  With --rules,
 * there are security groups of a hundred rules each, which all say another
 * port, and one that lets their own members in; every port has one of them. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "controller/reconcile.h"
#include "intent/export.h"
#include "intent/parse.h"

enum { MAX_ROUNDS = 99 };

enum step { STEP_FULL, STEP_SAME, STEP_ISOLATE, STEP_READDRESS, STEP_MOVE,
            STEP_REMOVE, STEP_ADD, STEP_RULE, STEP_LINK, N_STEPS };

/* Those between are sets in which one port says something else: another member,
 * or in another network, or nothing. */
static const struct {
    const char *name;
    const char *member, *value;
    long network;
} steps[] = {
    [STEP_FULL] = { .name = "full" },
    [STEP_SAME] = { .name = "same" },
    [STEP_ISOLATE] = { "isolate", "isolated", "true", 0 },
    [STEP_READDRESS] = { "readdress", "address", "10.0.255.9", 0 },
    [STEP_MOVE] = { "move", NULL, NULL, 1 },
    [STEP_REMOVE] = { .name = "remove" },
    [STEP_ADD] = { .name = "add" },
    [STEP_RULE] = { .name = "rule" },
    [STEP_LINK] = { .name = "link" },
};

struct lab {
    struct ipam *ipam;
    struct topology *topology;
    struct desired desired;
    struct installed installed;
    struct unit_set dirty;
    double took[N_STEPS][MAX_ROUNDS];         /* ms */
    unsigned int n_changes[N_STEPS];
};

enum { GROUP_RULES = 100 };

static long
count_groups(long n_rules)
{
    return (n_rules + GROUP_RULES - 1) / GROUP_RULES;
}

static void
add_groups(struct str *text, long n_rules)
{
    str_add(text, "security-groups:\n");
    for (long i = 0; i < count_groups(n_rules); i++) {
        str_addf(text, "  g%ld: {in: [{from: g%ld}", i, i);
        for (long k = i * GROUP_RULES; k < MIN((i + 1) * GROUP_RULES, n_rules);
             k++) {
            str_addf(text, ", {protocol: tcp, port: %ld}", k + 1);
        }
        str_add(text, "]}\n");
    }
}

static void
make_file(struct str *text, long n_ports, long n_networks, long n_rules)
{
    str_add(text, "version: 1\nnetworks:\n");
    for (long i = 0; i < n_networks; i++) {
        str_addf(text, "  net-%ld: {subnet: 10.0.0.0/16, subnet6: "
                 "\"fd00:%lx::/64\"}\n", i, i);
    }
    str_add(text, "ports:\n");
    for (long i = 0; i < n_ports; i++) {
        str_addf(text, "  p%ld: {network: net-%ld, tap: p%ld", i,
                 i % n_networks, i);
        if (n_rules) {
            str_addf(text, ", security-groups: g%ld",
                     i % count_groups(n_rules));
        }
        str_add(text, "}\n");
    }
    if (n_rules) {
        add_groups(text, n_rules);
    }
}

static struct intent *
read_set(const struct str *text)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();

    if (!intent_parse(set, "bench.yaml", str_text(text), text->len,
                      diagnostics) || !intent_seal(set, diagnostics)) {
        fprintf(stderr, "weft-bench: the file is refused\n");
        exit(1);
    }
    diag_destroy(diagnostics);
    return set;
}

/* The same, but for the port in the middle. */
static struct intent *
change_one(const struct intent *from, enum step step, const char *port,
           long n_networks)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_copy(from);
    struct str network = STR_INIT;
    json_t *members;

    str_addf(&network, "net-%ld", steps[step].network % n_networks);
    members = json_pack("{s:s, s:s}", "network", str_text(&network), "tap",
                        port);
    if (intent_find(from, INTENT_SECURITY_GROUP, "g0")) {
        json_object_set_new(members, "security-groups", json_string("g0"));
    }
    if (steps[step].member) {
        json_object_set_new(members, steps[step].member,
                            json_string(steps[step].value));
    }
    if (step == STEP_REMOVE) {
        intent_remove(set, INTENT_PORT, port);
    } else {
        intent_set(set, intent_parse_object(INTENT_PORT, port, members,
                                            diagnostics));
    }
    if (!intent_seal(set, diagnostics)) {
        fprintf(stderr, "weft-bench: the change is refused\n");
        exit(1);
    }
    json_decref(members);
    str_fini(&network);
    diag_destroy(diagnostics);
    return set;
}

/* Another rule for the first group. */
static struct intent *
add_rule(const struct intent *from)
{
    const struct intent_object *group = intent_find(from,
                                                    INTENT_SECURITY_GROUP,
                                                    "g0");
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_copy(from);
    json_t *members = intent_object_json(group);

    json_array_append_new(json_object_get(members, "in"),
                          json_pack("{s:s, s:i}", "protocol", "udp", "port",
                                    53));
    intent_set(set, intent_parse_object(INTENT_SECURITY_GROUP, "g0", members,
                                        diagnostics));
    if (!intent_seal(set, diagnostics)) {
        fprintf(stderr, "weft-bench: the rule is refused\n");
        exit(1);
    }
    json_decref(members);
    diag_destroy(diagnostics);
    return set;
}

static void
sync(struct lab *lab, enum step step, unsigned int round, nsec began)
{
    struct desired_touched touched;
    struct changes changes;

    desired_touched_init(&touched);
    changes_init(&changes);
    desired_update(&lab->desired, lab->topology, &lab->dirty, &touched);
    unit_set_clear(&lab->dirty);
    reconcile_touched(&lab->desired, &lab->installed, &touched, &changes);
    lab->took[step][round] = (double) (bench_cpu_nsec() - began) / 1e6;
    lab->n_changes[step] = changes.n;
    installed_apply(&lab->installed, &changes);
    changes_fini(&changes);
    desired_touched_fini(&touched);
}

static void
plug(struct lab *lab, long port, uint32_t number)
{
    char name[32];

    snprintf(name, sizeof name, "p%ld", port);
    topology_set_switch_port(lab->topology, name, number, true, &lab->dirty);
}

static void
change_port(struct lab *lab, struct intent **set, long n_ports,
            long n_networks, unsigned int round)
{
    char port[32];

    snprintf(port, sizeof port, "p%ld", n_ports / 2 / n_networks * n_networks);
    for (enum step step = STEP_ISOLATE; step <= STEP_ADD; step++) {
        struct intent *next = change_one(*set, step, port, n_networks);
        nsec began = bench_cpu_nsec();

        topology_set_intent(lab->topology, next, &lab->dirty);
        sync(lab, step, round, began);
        intent_unref(*set);
        *set = next;
    }
}

static void
one_round(struct lab *lab, const struct str *text, long n_ports,
          long n_networks, unsigned int round)
{
    struct intent *set = read_set(text), *again = read_set(text);
    struct topology_config config = { .ipam = NULL };
    nsec began;

    lab->ipam = config.ipam = ipam_create(NULL);
    lab->topology = topology_create(&config);
    desired_init(&lab->desired);
    installed_init(&lab->installed);
    for (long i = 0; i < n_ports; i++) {
        plug(lab, i, (uint32_t) i + 1);
    }
    unit_set_add(&lab->dirty, (struct unit) { 0, UNIT_BASE, 0 });
    began = bench_cpu_nsec();
    topology_set_intent(lab->topology, set, &lab->dirty);
    sync(lab, STEP_FULL, round, began);
    began = bench_cpu_nsec();
    topology_set_intent(lab->topology, again, &lab->dirty);
    sync(lab, STEP_SAME, round, began);
    change_port(lab, &again, n_ports, n_networks, round);
    if (intent_find(again, INTENT_SECURITY_GROUP, "g0")) {
        struct intent *next = add_rule(again);

        began = bench_cpu_nsec();
        topology_set_intent(lab->topology, next, &lab->dirty);
        sync(lab, STEP_RULE, round, began);
        intent_unref(again);
        again = next;
    }
    began = bench_cpu_nsec();
    plug(lab, 0, (uint32_t) n_ports + 1);
    sync(lab, STEP_LINK, round, began);
    intent_unref(set);
    intent_unref(again);
}

static void
end_round(struct lab *lab)
{
    topology_destroy(lab->topology);
    ipam_destroy(lab->ipam);
    desired_fini(&lab->desired);
    installed_fini(&lab->installed);
}

int
bench_controller(int argc, char **argv)
{
    long n_ports = bench_option(argc, argv, "ports", 5000);
    long n_networks = bench_option(argc, argv, "networks", 1);
    long n_rounds = bench_option(argc, argv, "rounds", 9);
    long n_rules = bench_option(argc, argv, "rules", 0);
    struct lab *lab = xzalloc(sizeof *lab);
    struct str text = STR_INIT;
    size_t before;

    if (n_ports < 2 || n_ports > 60000 || n_networks < 1
        || n_networks > n_ports || n_rounds < 1 || n_rounds > MAX_ROUNDS
        || n_rules < 0 || n_rules > 65000) {
        fprintf(stderr, "weft-bench: --ports, --networks, --rounds or --rules "
                        "is out of range\n");
        return 2;
    }
    make_file(&text, n_ports, n_networks, n_rules);
    for (long round = 0; round < n_rounds; round++) {
        before = mallinfo2().uordblks;
        one_round(lab, &text, n_ports, n_networks, (unsigned int) round);
        if (round == n_rounds - 1) {
            printf("controller ports %ld networks %ld flows %u meters %u "
                   "memory_mb %.1f\n", n_ports, n_networks,
                   lab->installed.flows.n, lab->installed.meters.n,
                   (double) (mallinfo2().uordblks - before) / 1e6);
        }
        end_round(lab);
    }
    for (unsigned int step = 0; step < N_STEPS; step++) {
        if (step == STEP_RULE && !n_rules) {
            continue;
        }
        printf("controller %-9s ms %.3f flow_mods %u\n", steps[step].name,
               bench_median(lab->took[step], (unsigned int) n_rounds),
               lab->n_changes[step]);
    }
    unit_set_fini(&lab->dirty);
    str_fini(&text);
    free(lab);
    return 0;
}
