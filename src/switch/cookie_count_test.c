#include "switch/cookie_count.h"

#include "lib/rcu.h"
#include "lib/rng.h"
#include "switch/tables_state.h"
#include "unit.h"

enum { N_COOKIES = 4, N_TABLES_USED = 2 };

PRINTF_FORMAT(3, 4)
static void
change(struct tables *t, enum flow_mod_command command, const char *format,
       ...)
{
    struct str text = STR_INIT, error = STR_INIT;
    struct flow_mod fm;
    va_list args;

    va_start(args, format);
    str_addv(&text, format, args);
    va_end(args);
    CHECK_MSG(!flow_mod_parse(str_text(&text), command, NULL, &fm, &error),
              "%s: %s", str_text(&text), str_text(&error));
    CHECK(!tables_flow_mod(t, &fm, 1000, NULL));
    flow_mod_fini(&fm);
    str_fini(&text);
    str_fini(&error);
}

struct naive {
    be64 cookie;
    uint32_t n;
};

static bool
count(void *naive_, const struct flow_entry *e)
{
    struct naive *naive = naive_;

    naive->n += e->cookie == naive->cookie;
    return true;
}

/* What is visible; when all is, also what the writer sees. */
static void
check_counts(struct tables *t, bool is_all_visible)
{
    for (uint8_t table = 1; table <= N_TABLES_USED; table++) {
        for (uint64_t cookie = 0; cookie < N_COOKIES; cookie++) {
            struct naive naive = { .cookie = htobe64(cookie) };

            tables_visit(t, table, NULL, count, &naive);
            CHECK(tables_count_cookie(t, table, naive.cookie,
                                      tables_version(t)) == naive.n);
            if (is_all_visible) {
                CHECK(tables_count_cookie(t, table, naive.cookie,
                                          TABLES_NEWEST) == naive.n);
            }
        }
    }
}

static void
random_change(struct tables *t, struct rng *rng)
{
    unsigned int table = 1 + rng_below(rng, N_TABLES_USED);
    unsigned int cookie = rng_below(rng, N_COOKIES);
    unsigned int which = rng_below(rng, 20);

    switch (rng_below(rng, 8)) {
    case 0: case 1: case 2: case 3:
        change(t, FLOW_MOD_ADD, "table=%u,cookie=%u,reg1=%u,actions=drop",
               table, cookie, which);
        break;
    case 4:
        change(t, FLOW_MOD_DELETE, "table=%u,cookie=%u/-1,reg1=%u", table,
               cookie, which);
        break;
    case 5:
        change(t, FLOW_MOD_ADD, "table=0,reg1=%u,"
               "actions=clone(learn(table=%u,cookie=%u,limit=9,"
               "NXM_OF_ETH_SRC[]))", which, table, cookie);
        break;
    case 6:
        change(t, FLOW_MOD_ADD, "table=%u,cookie=%u,reg1=77,"
               "actions=learn(table=1,cookie=%u,limit=9,NXM_OF_ETH_SRC[])",
               table, cookie, rng_below(rng, N_COOKIES));
        break;
    default:
        change(t, FLOW_MOD_DELETE, "table=0,reg1=%u", which);
        break;
    }
}

static unsigned int
n_counted(const struct tables *t)
{
    unsigned int n_counted = 0;
    uint32_t n;

    for (uint8_t table = 1; table <= N_TABLES_USED; table++) {
        for (uint64_t cookie = 0; cookie < N_COOKIES; cookie++) {
            n_counted += cookie_counts_read(&t->cookie_counts, table,
                                            htobe64(cookie), false, &n);
        }
    }
    return n_counted;
}

TEST(what_is_counted_is_what_is_there)
{
    const struct tables_config config = { 0 };
    struct tables *t = tables_create(&config);
    struct table_changes changes;
    struct rng rng = { 7 };
    unsigned int n_rounds_counted = 0;

    for (unsigned int round = 0; round < 2000; round++) {
        bool is_bundle = rng_below(&rng, 3) == 0;

        if (is_bundle) {
            tables_publish(t, &changes);
            tables_begin(t);
        }
        for (unsigned int n = rng_below(&rng, 10); n > 0; n--) {
            random_change(t, &rng);
        }
        check_counts(t, false);
        if (is_bundle && rng_below(&rng, 2)) {
            tables_discard(t);
        } else if (is_bundle) {
            tables_commit(t);
        }
        tables_publish(t, &changes);
        check_counts(t, true);
        n_rounds_counted += n_counted(t) > 0;
        rcu_quiescent();
    }
    CHECK(n_rounds_counted > 1000);
    change(t, FLOW_MOD_DELETE, "%s", "");
    tables_publish(t, &changes);
    CHECK(n_counted(t) == 0);
    tables_destroy(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_counted_is_what_is_there),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
