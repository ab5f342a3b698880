/* Where egress begins: by version, and what entries must agree. */
#include "switch/egress.h"

#include "lib/rcu.h"
#include "lib/str.h"
#include "unit.h"

static enum of_error
add(struct tables *t, uint8_t table, int goto_table, uint32_t write)
{
    struct table_changes changes;
    struct flow_mod fm;
    enum of_error error;

    flow_mod_init(&fm);
    fm.table = table;
    if (write) {
        actions_add_output(&fm.storage[1], write);
    }
    flow_mod_seal(&fm);
    fm.instructions.has_goto = goto_table > 0;
    fm.instructions.goto_table = (uint8_t) goto_table;
    error = tables_flow_mod(t, &fm, 1, NULL);
    flow_mod_fini(&fm);
    tables_publish(t, &changes);
    return error;
}

static struct tables *
make(void)
{
    return tables_create(&(struct tables_config) { 0 });
}

TEST(readers_of_an_older_version_see_what_was)
{
    struct table_changes changes;
    struct tables *t = make();
    uint64_t before = tables_version(t), between;

    CHECK(tables_first_egress(t, before) == NO_EGRESS);
    CHECK(!tables_set_first_egress(t, 5));
    CHECK(tables_first_egress(t, tables_version(t)) == NO_EGRESS);
    CHECK(tables_first_egress(t, TABLES_NEWEST) == 5);
    tables_publish(t, &changes);
    CHECK(changes.everything);
    between = tables_version(t);
    CHECK(between > before);
    CHECK(tables_first_egress(t, before) == NO_EGRESS);
    CHECK(tables_first_egress(t, between) == 5);
    CHECK(!tables_set_first_egress(t, NO_EGRESS));
    tables_publish(t, &changes);
    CHECK(tables_first_egress(t, between) == 5);
    CHECK(tables_first_egress(t, tables_version(t)) == NO_EGRESS);
    tables_destroy(t);
}

TEST(nothing_happens_when_it_is_so_already)
{
    struct tables *t = make();

    CHECK(!tables_set_first_egress(t, NO_EGRESS));
    CHECK(!tables_pending(t));
    tables_destroy(t);
}

TEST(entries_agree_with_the_border)
{
    struct table_changes changes;
    struct tables *t = make();

    CHECK(!tables_set_first_egress(t, 5));
    tables_publish(t, &changes);
    CHECK(add(t, 4, 5, 0) == OF_BAD_INSTRUCTION_BAD_TABLE_ID);
    CHECK(!add(t, 3, 4, 1));
    CHECK(!add(t, 5, 6, 0));
    CHECK(add(t, 5, 0, 1) == OF_BAD_ACTION_BAD_TYPE);
    CHECK(add(t, 254, 0, OFPP_FLOOD) == OF_BAD_ACTION_BAD_TYPE);
    tables_destroy(t);
}

TEST(the_border_agrees_with_entries)
{
    struct table_changes changes;
    struct tables *t = make();

    CHECK(!add(t, 3, 7, 0));
    CHECK(!add(t, 4, 0, 2));
    CHECK(tables_set_first_egress(t, 5)
          == OF_TABLE_FEATURES_FAILED_EPERM);   /* 3 leads beyond */
    CHECK(tables_set_first_egress(t, 3)
          == OF_TABLE_FEATURES_FAILED_EPERM);   /* 4 has an output */
    CHECK(!tables_pending(t));
    CHECK(tables_first_egress(t, TABLES_NEWEST) == NO_EGRESS);
    CHECK(!tables_set_first_egress(t, 8));
    tables_publish(t, &changes);
    tables_destroy(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(readers_of_an_older_version_see_what_was),
        RUN(nothing_happens_when_it_is_so_already),
        RUN(entries_agree_with_the_border),
        RUN(the_border_agrees_with_entries),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
