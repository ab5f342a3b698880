#include "switch/table_cursor.h"

#include "lib/rcu.h"
#include "lib/rng.h"
#include "unit.h"

enum { N = 3000 };

static void
add(struct tables *t, uint8_t table, uint16_t priority, uint32_t ip,
    msec now)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    fm.table = table;
    fm.priority = priority;
    match_set(&fm.match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&fm.match, FIELD_IPV4_SRC, ip, UINT32_MAX);
    flow_mod_seal(&fm);
    CHECK(!tables_flow_mod(t, &fm, now, NULL));
    flow_mod_fini(&fm);
}

static void
publish(struct tables *t)
{
    struct table_changes changes;

    tables_publish(t, &changes);
}

static struct tables *
some_tables(void)
{
    static const struct tables_config config = { 0 };
    struct tables *t = tables_create(&config);
    struct rng rng = { 5 };

    for (uint32_t i = 0; i < N; i++) {
        add(t, (uint8_t) rng_below(&rng, 3), (uint16_t) rng_below(&rng, 20),
            i, rng_below(&rng, 50));
    }
    publish(t);
    return t;
}

struct expected {
    struct table_cursor *cursor;
    unsigned int n;
};

static bool
compare(void *expected_, const struct flow_entry *e)
{
    struct expected *x = expected_;
    uint32_t budget = 1;

    CHECK(table_cursor_next(x->cursor, &budget) == e);
    x->n++;
    return true;
}

static bool
count(void *n, const struct flow_entry *e UNUSED)
{
    ++*(unsigned int *) n;
    return true;
}

TEST(the_order_is_that_of_a_visit_whatever_the_pieces)
{
    static const uint32_t budgets[] = { 1, 7, 1000, 1 << 20 };
    struct tables *t;
    struct match subnet;

    rcu_thread_begin();
    t = some_tables();
    match_init(&subnet);
    match_set(&subnet, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&subnet, FIELD_IPV4_SRC, 0x100, 0xffffff00);
    for (size_t b = 0; b < ARRAY_SIZE(budgets); b++) {
        for (unsigned int k = 0; k < 3; k++) {
            const struct match *match = k == 1 ? &subnet : NULL;
            uint8_t table = k == 2 ? 1 : OFPTT_ALL;
            struct expected x = { table_cursor_create(t, table, match), 0 };
            unsigned int n = 0, turns = 0;
            uint32_t budget = 1;

            while (!table_cursor_collect(x.cursor, budgets[b], count, &n)) {
                turns++;
            }
            CHECK(turns == (N - 1) / budgets[b]);
            tables_visit(t, table, match, compare, &x);
            CHECK(x.n == n && (k != 1 || n == 256) && (k || n == N));
            CHECK(table_cursor_is_done(x.cursor));
            CHECK(!table_cursor_next(x.cursor, &budget));
            table_cursor_destroy(x.cursor);
        }
    }
    tables_destroy(t);
    rcu_thread_end();
}

static bool
odd(void *aux UNUSED, const struct flow_entry *e)
{
    return e->priority & 1;
}

/* An entry of table 5, which no other one is in. */
static void
change_other(struct tables *t, enum flow_mod_command command, uint32_t ip)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    fm.command = command;
    fm.table = 5;
    match_set(&fm.match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&fm.match, FIELD_IPV4_SRC, ip, UINT32_MAX);
    flow_mod_seal(&fm);
    CHECK(!tables_flow_mod(t, &fm, 100, NULL));
    flow_mod_fini(&fm);
}

static void
modify_all(struct tables *t)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    fm.command = FLOW_MOD_MODIFY;
    fm.table = OFPTT_ALL;
    actions_add_output(&fm.storage[0], 4);
    flow_mod_seal(&fm);
    CHECK(!tables_flow_mod(t, &fm, 200, NULL));
    flow_mod_fini(&fm);
    publish(t);
}

static bool
count_odd(void *n, const struct flow_entry *e)
{
    *(unsigned int *) n += e->table < 3 && e->priority & 1;
    return true;
}

TEST(who_stays_is_listed_once_whatever_changes_meanwhile)
{
    struct tables *t;
    struct table_cursor *cursor;
    const struct flow_entry *e;
    unsigned int n = 0, want = 0, n_turns = 0;

    rcu_thread_begin();
    t = some_tables();
    cursor = table_cursor_create(t, OFPTT_ALL, NULL);
    while (!table_cursor_collect(cursor, 100, odd, NULL)) {
        change_other(t, FLOW_MOD_ADD, n_turns);
        change_other(t, FLOW_MOD_DELETE_STRICT, n_turns / 2);
        publish(t);
        rcu_quiescent();
        n_turns++;
    }
    CHECK(n_turns > N / 200);
    modify_all(t);
    while (!table_cursor_is_done(cursor)) {
        uint32_t budget = 10;

        while ((e = table_cursor_next(cursor, &budget))) {
            CHECK(e->instructions.apply.len);     /* as it is now */
            n += e->table < 3;
        }
    }
    table_cursor_destroy(cursor);
    tables_visit(t, OFPTT_ALL, NULL, count_odd, &want);
    CHECK_MSG(n == want && n, "%u, not %u", n, want);
    tables_destroy(t);
    rcu_thread_end();
}

TESTS(
    RUN(the_order_is_that_of_a_visit_whatever_the_pieces),
    RUN(who_stays_is_listed_once_whatever_changes_meanwhile),
)
