/* Desired flows: what changes is what was touched, and the whole stays what it
 * would be if it were computed anew. */
#include "controller/desired.h"

#include "controller/group_units.h"
#include "controller/random_intents.h"
#include "controller/reconcile.h"
#include "packet/address.h"
#include "unit.h"

struct lab {
    struct ipam *ipam;
    struct multicast *multicast;  /* owned, unless a twin's */
    struct next_hops *hops;       /* so are these */
    struct number_set *numbers;
    bool is_other;                /* the switch is another program */
    struct topology *topology;
    struct desired desired;
    struct installed installed;
    struct unit_set dirty;
};

static void
on_group(void *aux, const struct multicast_group *group, uint64_t port)
{
    struct lab *lab = aux;

    group_units_touch(group, port, &lab->dirty);
}

static void
on_hearer(void *aux, uint64_t network, uint64_t port)
{
    struct lab *lab = aux;

    group_units_hearer(lab->multicast, network, port, &lab->dirty);
}

static void
on_ask(void *aux, uint64_t network, uint64_t port,
       const struct membership_query *query)
{
    (void) aux;
    (void) network;
    (void) port;
    (void) query;
}

static void
on_question(void *aux UNUSED, const struct next_hop *hop UNUSED,
            const struct eth_addr *alone UNUSED)
{
}

static void
on_hop(void *aux, const struct next_hop *hop)
{
    struct lab *lab = aux;

    unit_set_add(&lab->dirty, (struct unit) { hop->id, UNIT_NEXT_HOP, 0 });
}

static void
on_release(void *aux UNUSED, const struct next_hop *hop UNUSED,
           const struct next_hop_packet *packet UNUSED)
{
}

/* With what is borrowed filled in: a twin looks at what the other has. */
static void
lab_begin(struct lab *lab)
{
    struct topology_config config = { .ipam = lab->ipam,
                                      .multicast = lab->multicast,
                                      .next_hops = lab->hops,
                                      .numbers = lab->numbers,
                                      .names_are_devices = lab->is_other };

    lab->topology = topology_create(&config);
    desired_init(&lab->desired);
    installed_init(&lab->installed);
    unit_set_add(&lab->dirty, (struct unit) { 0, UNIT_BASE, 0 });
}

static void
lab_init(struct lab *lab, struct ipam *ipam, bool is_other)
{
    struct multicast_watch watch = { on_group, on_hearer, on_ask, NULL,
                                     lab };
    struct next_hops_watch hops = { on_question, on_hop, on_release, lab };

    memset(lab, 0, sizeof *lab);
    lab->ipam = ipam;
    lab->multicast = multicast_create(&multicast_default_limits, &watch);
    lab->hops = next_hops_create(&next_hops_default_limits, &hops);
    lab->numbers = number_set_create(NULL);
    lab->is_other = is_other;
    lab_begin(lab);
}

static void
lab_fini_twin(struct lab *lab)
{
    topology_destroy(lab->topology);
    desired_fini(&lab->desired);
    installed_fini(&lab->installed);
    unit_set_fini(&lab->dirty);
}

static void
lab_fini(struct lab *lab)
{
    lab_fini_twin(lab);
    multicast_destroy(lab->multicast);
    next_hops_destroy(lab->hops);
    number_set_destroy(lab->numbers);
}

/* What is dirty is computed and "sent"; returns how many flow-mods that was. */
static unsigned int
lab_sync(struct lab *lab)
{
    struct desired_touched touched;
    struct changes changes;
    unsigned int n;

    desired_touched_init(&touched);
    changes_init(&changes);
    group_units_follow(lab->topology, &lab->dirty);
    desired_update(&lab->desired, lab->topology, &lab->dirty, &touched);
    unit_set_clear(&lab->dirty);
    reconcile_touched(&lab->desired, &lab->installed, &touched, &changes);
    installed_apply(&lab->installed, &changes);
    n = changes.n + changes.n_meters;
    changes_fini(&changes);
    desired_touched_fini(&touched);
    return n;
}

static void
lab_set(struct lab *lab, struct intent *intent)
{
    topology_set_intent(lab->topology, intent, &lab->dirty);
    intent_unref(intent);
}

static void
lab_port(struct lab *lab, const char *name, uint32_t number)
{
    topology_set_switch_port(lab->topology, name, number, true, &lab->dirty);
}

/* Nothing is missing, nothing too much, compared with `twin`. */
static void
check_same(const struct lab *lab, const struct desired *twin,
           unsigned int seed, unsigned int step)
{
    struct changes changes;

    changes_init(&changes);
    reconcile_all(twin, &lab->installed, &changes);
    if (changes.n) {
        struct str text = STR_INIT;

        flow_rule_format(changes.flows[0].rule, &text);
        print_error("command %d: %s\n", changes.flows[0].command,
                    str_text(&text));
        str_fini(&text);
    }
    CHECK_MSG(changes_are_none(&changes),
              "seed %u step %u: %u flows, %u meters differ", seed, step,
              changes.n, changes.n_meters);
    changes_fini(&changes);
}

/* Ports of uplinks: bridged, through the host's stack, with an address. */
static const char *const uplink_names[] = { "lan0", "weft-wan", "out0" };
enum { N_UPLINKS = ARRAY_SIZE(uplink_names) };

/* The same, read and computed from nothing: the addresses that were chosen and
 * the switch's ports are what is given. */
static void
check_against_twin(struct lab *lab, const struct random_intents *intents,
                   const uint32_t *numbers, const uint32_t *uplinks,
                   unsigned int seed, unsigned int step)
{
    struct lab twin = { .ipam = lab->ipam, .multicast = lab->multicast,
                        .hops = lab->hops, .numbers = lab->numbers,
                        .is_other = lab->is_other };
    struct unit_set all = { 0, 0, NULL, 0, NULL };

    lab_begin(&twin);
    for (unsigned int i = 0; i < intents->n_ports; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", i);
        if (numbers[i]) {
            lab_port(&twin, name, numbers[i]);
        }
    }
    for (unsigned int i = 0; i < N_UPLINKS; i++) {
        if (uplinks[i]) {
            lab_port(&twin, uplink_names[i], uplinks[i]);
        }
    }
    lab_set(&twin, random_intents_seal(intents, NULL));
    topology_units(twin.topology, &all);
    desired_update(&twin.desired, twin.topology, &all, NULL);
    check_same(lab, &twin.desired, seed, step);
    unit_set_fini(&all);
    lab_fini_twin(&twin);
}

/* A port joins a group, or becomes a router port; time makes some leave. */
static void
listen(struct lab *lab, struct rng *rng, unsigned int port, msec *now)
{
    const struct ip6_addr groups[] = {
        ip6_of_ip4(htobe32(0xef000001)), ip6_of_ip4(htobe32(0xef000002)),
        { { 0xff, 0x15, [15] = 1 } },
    };
    char name[16];
    uint64_t network, id;

    snprintf(name, sizeof name, "n%u", rng_below(rng, RANDOM_MAX_NETWORKS));
    network = intent_object_id(INTENT_NETWORK, name);
    snprintf(name, sizeof name, "p%u", port);
    id = intent_object_id(INTENT_PORT, name);
    multicast_set_network(lab->multicast, &(struct multicast_network_config) {
        .id = network }, *now);
    switch (rng_below(rng, 14)) {
    case 0:
        *now += 1000 * rng_below(rng, 30);
        multicast_run(lab->multicast, *now);
        break;
    case 1:
        multicast_adopt(lab->multicast, network, id, NULL, *now);
        break;
    case 2:
        multicast_remove_port(lab->multicast, network, id);
        break;
    case 4: case 5:
        multicast_add_port(lab->multicast, network, id, true, *now);
        break;
    case 3:
        /* As when the network's intent changes. */
        multicast_remove_network(lab->multicast, network);
        unit_set_add(&lab->dirty, (struct unit) { network, UNIT_HEARERS,
                                                  0 });
        break;
    default:
        multicast_adopt(lab->multicast, network, id,
                        &groups[rng_below(rng, ARRAY_SIZE(groups))], *now);
        break;
    }
}

/* A station of a network, or of one that is gone, is heard of; time makes some
 * silent. */
static void
meet(struct lab *lab, struct rng *rng, msec *now)
{
    struct ip6_addr who = ip6_of_ip4(htobe32(0x0a000050
                                             + rng_below(rng, 4)));
    struct eth_addr mac = { { 2, 0, 0, 0, 7, (uint8_t) rng_below(rng, 2) } };
    char name[16];
    uint64_t network;

    snprintf(name, sizeof name, "n%u", rng_below(rng, RANDOM_MAX_NETWORKS));
    network = intent_object_id(INTENT_NETWORK, name);
    switch (rng_below(rng, 6)) {
    case 0:
        *now += 1000 * rng_below(rng, 20);
        next_hops_run(lab->hops, *now);
        break;
    case 1:
        next_hops_forget_place(lab->hops, network);
        break;
    default:
        next_hops_send(lab->hops, network, &who, "x", 1, 0, *now);
        next_hops_heard(lab->hops, network, &who, mac, *now);
        break;
    }
}

static void
one_history(unsigned int seed, unsigned int n_ports)
{
    struct rng rng = { seed }, luck = { seed + 1000 };
    struct ipam *ipam = ipam_create(NULL);
    struct random_intents intents;
    uint32_t numbers[RANDOM_MAX_PORTS] = { 0 }, uplinks[N_UPLINKS] = { 0 };
    struct lab lab;
    msec now = 1, hop_now = 1;

    random_intents_init(&intents, &rng, n_ports);
    intents.has_groups = true;
    lab_init(&lab, ipam, seed % 2);
    for (unsigned int step = 0; step < 40; step++) {
        unsigned int port = rng_below(&rng, n_ports);
        char name[16];

        for (unsigned int i = 0; i < n_ports / 4; i++) {
            listen(&lab, &rng, rng_below(&rng, n_ports), &now);
        }
        meet(&lab, &luck, &hop_now);
        switch (rng_below(&rng, 4)) {
        case 0:
            /* Numbers are used again, but never by two at once. */
            snprintf(name, sizeof name, "p%u", port);
            numbers[port] = rng_one_in(&rng, 3)
                            ? 0 : 1 + port + 100 * rng_below(&rng, 3);
            lab_port(&lab, name, numbers[port]);
            break;
        case 1: {
            unsigned int which = rng_below(&rng, N_UPLINKS);

            uplinks[which] = rng_one_in(&rng, 2) ? 0 : 999 - which;
            lab_port(&lab, uplink_names[which], uplinks[which]);
            break;
        }
        default:
            random_intents_edit(&intents);
            lab_set(&lab, random_intents_seal(
                              &intents, rng_one_in(&rng, 3)
                                        ? NULL
                                        : topology_intent(lab.topology)));
            break;
        }
        if (!rng_one_in(&rng, 3)) {
            lab_sync(&lab);
            if (topology_intent(lab.topology)) {
                check_against_twin(&lab, &intents, numbers, uplinks, seed,
                                   step);
            }
        }
    }
    lab_fini(&lab);
    ipam_destroy(ipam);
}

TEST(what_is_computed_piece_by_piece_is_what_is_computed_whole)
{
    for (unsigned int seed = 1; seed <= 12; seed++) {
        one_history(seed, 10);
    }
}

/* Floods in chunks, and across the border between both kinds. */
TEST(so_it_is_with_many_ports)
{
    for (unsigned int seed = 100; seed < 103; seed++) {
        one_history(seed, RANDOM_MAX_PORTS);
    }
}

static const char two_networks[] =
    "version: 1\n"
    "networks:\n"
    "  blue: {subnet: 10.1.0.0/24, subnet6: \"fd00::/64\"}\n"
    "  red: {subnet: 10.2.0.0/24}\n"
    "ports:\n"
    "  db: {network: red, tap: db}\n"
    "  vm: {network: blue, tap: vm, address: 10.1.0.9}\n"
    "  web: {network: blue, tap: web}\n";

TEST(a_file_that_says_the_same_changes_nothing)
{
    struct ipam *ipam = ipam_create(NULL);
    struct lab lab;

    lab_init(&lab, ipam, false);
    lab_port(&lab, "web", 1);
    lab_port(&lab, "db", 2);
    lab_port(&lab, "vm", 3);
    lab_set(&lab, intent_of_text(two_networks));
    CHECK(lab_sync(&lab) > 50);
    lab_set(&lab, intent_of_text(two_networks));
    CHECK(lab.dirty.n > 0 && lab_sync(&lab) == 0);
    lab_fini(&lab);
    ipam_destroy(ipam);
}

TEST(without_intents_nothing_is_left_but_the_stages)
{
    struct ipam *ipam = ipam_create(NULL);
    unsigned int n_base;
    struct lab lab;

    lab_init(&lab, ipam, false);
    n_base = lab_sync(&lab);
    lab_port(&lab, "web", 1);
    lab_set(&lab, intent_of_text(two_networks));
    CHECK(lab_sync(&lab) > 0);
    topology_set_intent(lab.topology, NULL, &lab.dirty);
    CHECK(lab_sync(&lab) > 0);
    CHECK(lab.installed.flows.n == n_base && !lab.installed.meters.n);
    lab_fini(&lab);
    ipam_destroy(ipam);
}

/* How many flow-mods one port more costs, among so many. */
static unsigned int
cost_of_a_port(unsigned int n)
{
    struct ipam *ipam = ipam_create(NULL);
    struct str text = STR_INIT;
    char last[16];
    unsigned int cost;
    struct lab lab;

    lab_init(&lab, ipam, false);
    str_add(&text, "version: 1\nnetworks:\n  blue: {subnet: 10.0.0.0/16}\n"
                   "ports:\n");
    for (unsigned int i = 0; i <= n; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", i);
        str_addf(&text, "  %s: {network: blue, tap: %s}\n", name, name);
        if (i < n) {
            lab_port(&lab, name, i + 1);
        }
    }
    lab_set(&lab, intent_of_text(str_text(&text)));
    lab_sync(&lab);
    snprintf(last, sizeof last, "p%u", n);
    lab_port(&lab, last, n + 1);
    CHECK(lab.dirty.n == 2);
    cost = lab_sync(&lab);
    lab_fini(&lab);
    ipam_destroy(ipam);
    str_fini(&text);
    return cost;
}

TEST(a_port_costs_its_own_flows_and_one_of_the_floods)
{
    unsigned int few = cost_of_a_port(40), many = cost_of_a_port(2000);

    /* At most one entry less: its chunk may have been there already. */
    CHECK_MSG(many <= few + 1 && few <= many + 1 && many < 40,
              "%u and %u flow-mods", few, many);
}

/* Ports p0.. that are plugged in, of which the first n have a security group of
 * so many rules that each let its members in. */
static struct intent *
secured(unsigned int n, unsigned int n_rules)
{
    struct str text = STR_INIT;
    struct intent *set;

    str_add(&text, "version: 1\nnetworks:\n  blue: {subnet: 10.0.0.0/16}\n"
                   "security-groups:\n  g: {in: [");
    for (unsigned int i = 0; i < n_rules; i++) {
        str_addf(&text, "%s{protocol: tcp, port: %u, from: g}",
                 i ? ", " : "", i + 1);
    }
    str_add(&text, "]}\nports:\n");
    for (unsigned int i = 0; i < 20; i++) {
        str_addf(&text, "  p%u: {network: blue, tap: p%u%s}\n", i, i,
                 i < n ? ", security-groups: g" : "");
    }
    set = intent_of_text(str_text(&text));
    str_fini(&text);
    return set;
}

static unsigned int
n_flows(struct lab *lab, unsigned int n, unsigned int n_rules)
{
    lab_set(lab, secured(n, n_rules));
    lab_sync(lab);
    return lab->installed.flows.n;
}

TEST(members_and_rules_do_not_multiply)
{
    struct ipam *ipam = ipam_create(NULL);
    unsigned int none, one, two, three, more;
    struct lab lab;

    lab_init(&lab, ipam, false);
    for (unsigned int i = 0; i < 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", i);
        lab_port(&lab, name, i + 1);
    }
    none = n_flows(&lab, 0, 5);
    CHECK_MSG(n_flows(&lab, 0, 50) == none, "ports without cost something");
    one = n_flows(&lab, 1, 5);
    two = n_flows(&lab, 2, 5);
    three = n_flows(&lab, 3, 5);
    CHECK(one > none && three - two == two - one);
    /* A rule is an entry for each family, whoever has it; a member is its own
     * and its addresses', whatever they say. */
    more = n_flows(&lab, 3, 50);
    CHECK_MSG(more - three == 2 * 45, "%u", more - three);
    CHECK(n_flows(&lab, 20, 50) - more == 17 * (two - one));
    CHECK(n_flows(&lab, 0, 50) == none);
    lab_fini(&lab);
    ipam_destroy(ipam);
}

TESTS(
    RUN(what_is_computed_piece_by_piece_is_what_is_computed_whole),
    RUN(so_it_is_with_many_ports),
    RUN(a_file_that_says_the_same_changes_nothing),
    RUN(without_intents_nothing_is_left_but_the_stages),
    RUN(a_port_costs_its_own_flows_and_one_of_the_floods),
    RUN(members_and_rules_do_not_multiply),
)
