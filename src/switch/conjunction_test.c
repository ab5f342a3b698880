/* Which entry a conjunction leads to; the property test (cache_tables_test.c)
 * compares with a naive twin on random tables. */
#include "switch/tables.h"

#include "lib/rcu.h"
#include "lib/str.h"
#include "unit.h"

static void
add(struct tables *t, const char *text)
{
    struct str why = STR_INIT;
    struct flow_mod fm;

    CHECK_MSG(!flow_mod_parse(text, FLOW_MOD_ADD, NULL, &fm, &why), "%s",
              str_text(&why));
    CHECK_MSG(tables_flow_mod(t, &fm, 1, &why) == OF_OK, "%s: %s", text,
              str_text(&why));
    flow_mod_fini(&fm);
    str_fini(&why);
}

static struct tables *
tables_of(const char *const *entries, size_t n)
{
    static const struct tables_config config = { 0 };
    struct tables *t = tables_create(&config);
    struct table_changes changes = { 0 };

    for (size_t i = 0; i < n; i++) {
        add(t, entries[i]);
    }
    tables_publish(t, &changes);
    return t;
}

/* The cookie of the entry that the packet finds, 0: none. */
static uint64_t
find(const struct tables *t, const char *packet, struct flow_mask *mask,
     struct conjunction *found)
{
    const struct flow_entry *entry;
    struct match match;

    CHECK(!match_parse(packet, NULL, &match, NULL));
    entry = tables_lookup_conjunction(t, 0, tables_version(t), &match.value,
                                      mask, found);
    return entry ? be64toh(entry->cookie) : 0;
}

static void
check_finds(const char *const *entries, size_t n, const char *packet,
            uint64_t cookie)
{
    struct tables *t = tables_of(entries, n);
    struct conjunction found;

    CHECK_MSG(find(t, packet, NULL, &found) == cookie, "%s", packet);
    tables_destroy(t);
}

#define FINDS(ENTRIES, PACKET, COOKIE)                                       \
    check_finds(ENTRIES, ARRAY_SIZE(ENTRIES), PACKET, COOKIE)

static const char *const two_clauses[] = {
    "priority=10,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)",
    "priority=10,ip,nw_src=10.0.0.2,actions=conjunction(7,1/2)",
    "priority=10,ip,nw_dst=10.0.0.3,actions=conjunction(7,2/2)",
    "priority=10,cookie=1,conj_id=7,ip,actions=output:1",
    "priority=5,cookie=2,ip,nw_src=10.0.0.1,actions=output:2",
};

TEST(all_clauses_match_or_none_does)
{
    FINDS(two_clauses, "ip,nw_src=10.0.0.1,nw_dst=10.0.0.3", 1);
    FINDS(two_clauses, "ip,nw_src=10.0.0.2,nw_dst=10.0.0.3", 1);
    FINDS(two_clauses, "ip,nw_src=10.0.0.1,nw_dst=10.0.0.4", 2);
    FINDS(two_clauses, "ip,nw_src=10.0.0.2,nw_dst=10.0.0.4", 0);
    FINDS(two_clauses, "ip,nw_src=10.0.0.9,nw_dst=10.0.0.3", 0);
}

TEST(an_entry_of_their_priority_comes_first)
{
    static const char *const entries[] = {
        "priority=10,in_port=1,actions=conjunction(7,1/2)",
        "priority=10,dl_dst=02:00:00:00:00:01,actions=conjunction(7,2/2)",
        "priority=20,cookie=1,conj_id=7,actions=output:1",
        "priority=10,cookie=2,dl_src=02:00:00:00:00:02,actions=output:2",
    };

    FINDS(entries, "in_port=1,dl_dst=02:00:00:00:00:01", 1);
    FINDS(entries, "in_port=1,dl_dst=02:00:00:00:00:01,"
          "dl_src=02:00:00:00:00:02", 2);
}

TEST(a_conjunction_without_an_entry_gives_way_to_the_next)
{
    static const char *const entries[] = {
        "priority=30,in_port=1,actions=conjunction(7,1/2)",
        "priority=30,dl_dst=02:00:00:00:00:01,actions=conjunction(7,2/2)",
        "priority=20,in_port=1,actions=conjunction(8,1/2)",
        "priority=20,dl_dst=02:00:00:00:00:01,actions=conjunction(8,2/2)",
        "priority=9,cookie=1,conj_id=8,actions=output:1",
    };

    FINDS(entries, "in_port=1,dl_dst=02:00:00:00:00:01", 1);
}

/* What lies behind a clause of the same match counts as if it stood alone. */
TEST(a_clause_hides_nothing_of_lower_priority)
{
    static const char *const entries[] = {
        "priority=30,in_port=1,actions=conjunction(7,1/2)",
        "priority=20,cookie=1,in_port=1,actions=output:1",
    };

    FINDS(entries, "in_port=1", 1);
}

TEST(one_entry_is_a_clause_of_several)
{
    static const char *const entries[] = {
        "priority=10,in_port=1,actions=conjunction(7,1/2),conjunction(8,2/3)",
        "priority=10,dl_src=02:00:00:00:00:02,actions=conjunction(8,1/3)",
        "priority=10,dl_dst=02:00:00:00:00:01,actions=conjunction(7,2/2),"
        "conjunction(8,3/3)",
        "priority=11,cookie=1,conj_id=7,actions=output:1",
        "priority=12,cookie=2,conj_id=8,actions=output:1",
    };

    FINDS(entries, "in_port=1,dl_dst=02:00:00:00:00:01", 1);
    FINDS(entries, "in_port=1,dl_dst=02:00:00:00:00:01,"
          "dl_src=02:00:00:00:00:02", 2);
}

TEST(the_answer_tells_its_clauses_and_every_bit_they_took)
{
    struct tables *t = tables_of(two_clauses, ARRAY_SIZE(two_clauses));
    struct flow_mask mask = { 0 };
    struct conjunction found;

    CHECK(find(t, "ip,nw_src=10.0.0.1,nw_dst=10.0.0.3", &mask, &found) == 1);
    CHECK(found.id == 7);
    CHECK(found.n_entries == 2);
    CHECK(mask.bits.key.nw_src == UINT32_MAX);
    CHECK(mask.bits.key.nw_dst == UINT32_MAX);
    CHECK(find(t, "arp", NULL, &found) == 0);
    CHECK(!found.n_entries);
    tables_destroy(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_clauses_match_or_none_does),
        RUN(an_entry_of_their_priority_comes_first),
        RUN(a_conjunction_without_an_entry_gives_way_to_the_next),
        RUN(a_clause_hides_nothing_of_lower_priority),
        RUN(one_entry_is_a_clause_of_several),
        RUN(the_answer_tells_its_clauses_and_every_bit_they_took),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
