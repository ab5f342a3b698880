/* Limits of tables: the entry that gives way, beside a search through all. */
#include "switch/tables.h"

#include "lib/rng.h"
#include "lib/str.h"
#include "unit.h"

enum { LIMIT = 20 };

/* Who would go: the least important, then the oldest. */
struct naive {
    const struct flow_entry *first;
    unsigned int n;
};

static bool
find_first(void *naive_, const struct flow_entry *e)
{
    struct naive *naive = naive_;
    const struct flow_entry *f = naive->first;

    if (!f || e->importance < f->importance
        || (e->importance == f->importance && e->created < f->created)) {
        naive->first = e;
    }
    naive->n++;
    return true;
}

static enum of_error
change(struct tables *t, enum flow_mod_command command, uint16_t priority,
       uint16_t importance, msec now)
{
    struct table_changes changes;
    struct flow_mod fm;
    enum of_error error;

    flow_mod_init(&fm);
    fm.command = command;
    fm.priority = priority;
    fm.importance = importance;
    error = tables_flow_mod(t, &fm, now, NULL);
    flow_mod_fini(&fm);
    tables_publish(t, &changes);
    return error;
}

static bool
has(const struct tables *t, uint16_t priority)
{
    struct flow_mod fm;
    bool found;

    flow_mod_init(&fm);
    fm.priority = priority;
    found = tables_find((struct tables *) (uintptr_t) t, &fm);
    flow_mod_fini(&fm);
    return found;
}

TEST(the_right_entry_gives_way)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng = { seed };
        struct tables *t = tables_create(&(struct tables_config) {
            .max_entries = 0 });
        struct table_policy policy = { .max_entries = LIMIT, .evicts = true };
        unsigned int n_evicted = 0;

        for (msec now = 1; now < 400; now++) {
            struct naive naive = { NULL, 0 };
            uint16_t priority = (uint16_t) rng_below(&rng, 2 * LIMIT);
            uint16_t importance = (uint16_t) rng_below(&rng, 4);
            bool was, is_full;
            uint16_t victim = 0;
            enum of_error error;

            if (now == 100) {
                tables_set_policy(t, 0, &policy);
            }
            if (rng_one_in(&rng, 4)) {
                change(t, FLOW_MOD_DELETE_STRICT, priority, 0, now);
                continue;
            }
            was = has(t, priority);
            tables_visit(t, 0, NULL, find_first, &naive);
            is_full = now >= 100 && naive.n >= LIMIT;
            victim = naive.first ? naive.first->priority : 0;
            if (naive.first && naive.first->importance > importance) {
                victim = UINT16_MAX;
            }
            if (naive.n > LIMIT) {
                continue;         /* from before the limit: not said here */
            }
            error = change(t, FLOW_MOD_ADD, priority, importance, now);
            if (was || !is_full) {
                CHECK(!error && has(t, priority));
            } else if (victim == UINT16_MAX) {
                CHECK(error == OF_FLOW_MOD_FAILED_TABLE_FULL);
            } else {
                CHECK(!error && has(t, priority) && !has(t, victim));
                n_evicted++;
            }
        }
        CHECK(n_evicted > 10);
        tables_destroy(t);
    }
}

TEST(a_table_over_its_new_limit_shrinks_at_the_next_add)
{
    struct tables *t = tables_create(&(struct tables_config) {
        .max_entries = 0 });
    const struct table_policy policy = { .max_entries = 3, .evicts = true };
    struct naive naive = { NULL, 0 };

    for (uint16_t i = 0; i < 10; i++) {
        CHECK(!change(t, FLOW_MOD_ADD, i, 0, i));
    }
    tables_set_policy(t, 0, &policy);
    CHECK(tables_max_entries(t, 0) == 3 && tables_vacancy(t, 0) == 0);
    CHECK(!change(t, FLOW_MOD_ADD, 20, 0, 20));
    tables_visit(t, 0, NULL, find_first, &naive);
    CHECK(naive.n == 3 && has(t, 20) && has(t, 9) && has(t, 8));
    tables_destroy(t);
}

TESTS(
    RUN(the_right_entry_gives_way),
    RUN(a_table_over_its_new_limit_shrinks_at_the_next_add),
)
