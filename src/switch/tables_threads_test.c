/* Readers while the writer changes everything: bundles that always leave exactly
 * one entry of each pair, requests one by one, groups, expiry, and enough
 * entries that tables grow and shrink under the readers' feet. */
#include <pthread.h>
#include <sched.h>

#include "lib/rcu.h"
#include "lib/rng.h"
#include "lib/str.h"
#include "switch/tables.h"
#include "unit.h"

enum { N_READERS = 3, N_ROUNDS = 400, N_PAIRS = 16, N_CROWD = 3000 };

struct shared {
    struct tables *tables;
    _Atomic bool ends;
    _Atomic unsigned int n_lookups;
    _Atomic unsigned int n_wrong;
};

/* ---- Requests ---- */

static void
send(struct tables *t, enum flow_mod_command command, uint16_t priority,
     uint32_t dst, unsigned int prefix_len, uint32_t group, uint32_t port)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    fm.command = command;
    fm.priority = priority;
    match_set(&fm.match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&fm.match, FIELD_IPV4_DST, dst,
              (u128) UINT32_MAX << (32 - prefix_len) & UINT32_MAX);
    if (group) {
        struct action_number *a = actions_add(&fm.storage[0], ACTION_GROUP,
                                              sizeof *a);
        a->number = group;
    }
    if (port) {
        actions_add_output(&fm.storage[0], port);
    }
    flow_mod_seal(&fm);
    CHECK(tables_flow_mod(t, &fm, 0, NULL) == OF_OK);
    flow_mod_fini(&fm);
}

static void
send_group(struct tables *t, enum group_mod_command command, uint32_t port)
{
    struct bucket bucket = { .watch_port = OFPP_ANY, .watch_group = OFPG_ANY };
    struct group_mod gm = { .command = command, .type = GROUP_INDIRECT,
                            .id = 1, .n_buckets = 1, .buckets = &bucket };

    actions_add_output(&bucket.actions, port);
    CHECK(tables_group_mod(t, &gm, 0, NULL) == OF_OK);
    actions_fini(&bucket.actions);
}

/* ---- What readers see ---- */

static const struct flow_entry *
look(const struct tables *t, uint64_t version, uint32_t dst)
{
    struct flow_mask wc;
    struct flow flow;

    memset(&wc, 0, sizeof wc);
    memset(&flow, 0, sizeof flow);
    flow.key.eth_type = htobe16(0x0800);
    flow.key.nw_dst = htobe32(dst);
    return tables_lookup(t, 0, version, &flow, &wc);
}

static uint32_t
output_of(const struct flow_entry *e)
{
    const struct action_output *output =
        (const void *) e->instructions.apply.first;

    return e->instructions.apply.len ? output->port : 0;
}

/* Of each pair, 10.0.0.2n and 10.0.0.2n+1, exactly one is there, and all pairs
 * were last turned by the same bundle: they show one port. */
static bool
pairs_hold(const struct tables *t, uint64_t version)
{
    uint32_t port = 0;

    for (uint32_t i = 0; i < N_PAIRS; i++) {
        const struct flow_entry *a = look(t, version, 0x0a000000 + 2 * i);
        const struct flow_entry *b = look(t, version, 0x0a000000 + 2 * i + 1);
        const struct flow_entry *e = a ? a : b;

        if (!a == !b || (port && output_of(e) != port)) {
            return false;
        }
        port = output_of(e);
    }
    return true;
}

/* An entry that names the group sees it, in the version of the entry. */
static bool
group_holds(const struct tables *t, uint64_t version)
{
    const struct flow_entry *e = look(t, version, 0x0b000000);
    const struct group *group = tables_group(t, 1, version);

    return !e || (group && group->n_buckets == 1 &&
                  group->buckets[0].actions.len > 0);
}

static void *
reader(void *shared_)
{
    struct shared *s = shared_;
    struct rng rng = { (uintptr_t) &rng };

    rcu_thread_begin();
    while (!atomic_load(&s->ends)) {
        uint64_t version = tables_version(s->tables);
        const struct flow_entry *e;

        if (!pairs_hold(s->tables, version) ||
            !group_holds(s->tables, version)) {
            atomic_fetch_add(&s->n_wrong, 1);
        }
        e = look(s->tables, version, 0x0c000000 + rng_below(&rng, N_CROWD));
        if (e) {
            struct flow_entry *same = tables_entry(s->tables, e->id);

            if (same) {
                atomic_fetch_add(&same->credit.packets, 1);
            }
        }
        atomic_fetch_add(&s->n_lookups, 1);
        rcu_quiescent();
        if (rng_one_in(&rng, 50)) {
            rcu_offline();
            sched_yield();
            rcu_online();
        }
    }
    rcu_thread_end();
    return NULL;
}

/* ---- The writer ---- */

/* Turns every pair over to the other one. */
static void
turn_pairs(struct tables *t, unsigned int round)
{
    uint32_t off = round % 2, on = 1 - off;

    tables_begin(t);
    for (uint32_t i = 0; i < N_PAIRS; i++) {
        send(t, FLOW_MOD_DELETE_STRICT, 5, 0x0a000000 + 2 * i + off, 32, 0,
             0);
        send(t, FLOW_MOD_ADD, 5, 0x0a000000 + 2 * i + on, 32, 0,
             1 + round % 7);
    }
    tables_commit(t);
}

/* The same in place, then thought better of. */
static void
waver(struct tables *t)
{
    tables_begin(t);
    for (uint32_t i = 0; i < N_PAIRS; i += 2) {
        send(t, FLOW_MOD_DELETE, 0, 0x0a000000 + 2 * i, 31, 0, 0);
        send(t, FLOW_MOD_ADD, 9, 0x0a000000 + 2 * i, 30, 0, 99);
    }
    tables_discard(t);
}

static void
turn_group(struct tables *t, unsigned int round)
{
    struct group_mod all = { .command = GROUP_MOD_DELETE, .id = 1 };

    if (round % 5 == 4) {
        CHECK(tables_group_mod(t, &all, 0, NULL) == OF_OK);
    } else {
        send_group(t, GROUP_MOD_ADD_OR_MODIFY, 1 + round % 3);
        send(t, FLOW_MOD_ADD, 5, 0x0b000000, 32, 1, 0);
    }
}

static void
crowd(struct tables *t, struct rng *rng, unsigned int round)
{
    for (unsigned int i = 0; i < 100; i++) {
        uint32_t dst = 0x0c000000 + rng_below(rng, N_CROWD);

        send(t, rng_below(rng, 100) < (round / 50 % 2 ? 20 : 80)
                ? FLOW_MOD_ADD : FLOW_MOD_DELETE_STRICT,
             (uint16_t) (1 + rng_below(rng, 3)), dst,
             32 - rng_below(rng, 12), 0, 3);
    }
    if (round % 100 == 99) {
        send(t, FLOW_MOD_DELETE, 0, 0x0c000000, 8, 0, 0);
    }
}

static void
publish(struct tables *t)
{
    struct table_changes changes;

    tables_publish(t, &changes);
    rcu_quiescent();
    tables_expire(t, 0);
}

TEST(readers_never_see_half_of_a_bundle)
{
    struct shared s = { .tables = tables_create(
        &(struct tables_config) { .max_entries = 100000 }) };
    struct rng rng = { 5 };
    pthread_t threads[N_READERS];

    turn_pairs(s.tables, 0);
    publish(s.tables);
    for (unsigned int i = 0; i < N_READERS; i++) {
        CHECK(!pthread_create(&threads[i], NULL, reader, &s));
    }
    for (unsigned int round = 1; round <= N_ROUNDS; round++) {
        turn_pairs(s.tables, round);
        if (round % 3 == 0) {
            publish(s.tables);
            waver(s.tables);
        }
        turn_group(s.tables, round);
        crowd(s.tables, &rng, round);
        publish(s.tables);
        while (atomic_load(&s.n_lookups) < 4 * round) {
            rcu_quiescent();
            sched_yield();
        }
    }
    atomic_store(&s.ends, true);
    rcu_offline();
    for (unsigned int i = 0; i < N_READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    rcu_online();
    CHECK(s.n_wrong == 0);
    tables_destroy(s.tables);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(readers_never_see_half_of_a_bundle),
    };
    int n_failed;

    rcu_thread_begin();
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return n_failed;
}
