#include "switch/stat_trigger.h"

#include "unit.h"

static struct action_stat_trigger
at(uint64_t ns, uint64_t packets, uint64_t bytes)
{
    return (struct action_stat_trigger) {
        .present = (uint8_t) ((ns ? 1 << STAT_DURATION : 0)
                              | (packets ? 1 << STAT_PACKETS : 0)
                              | (bytes ? 1 << STAT_BYTES : 0)),
        .threshold = { ns, packets, bytes },
    };
}

static struct stat_trigger
armed(const struct action_stat_trigger *action)
{
    struct stat_triggers all = { 0 };
    struct stat_trigger t = { .action = action };

    stat_trigger_link(&all, &t);
    CHECK(all.n == 1 && all.first == &t && all.last == &t);
    stat_trigger_unlink(&all, &t);
    CHECK(!all.n && !all.first && !all.last);
    return t;
}

TEST(a_threshold_is_crossed_once)
{
    struct action_stat_trigger action = at(0, 10, 0);
    struct stat_trigger t = armed(&action);

    CHECK(!stat_trigger_crosses(&t, 0, 0, 0));
    CHECK(!stat_trigger_crosses(&t, 9, 900, 100));
    CHECK(stat_trigger_crosses(&t, 10, 1000, 200));
    CHECK(!stat_trigger_crosses(&t, 11, 1100, 300));
    CHECK(!stat_trigger_crosses(&t, 100, 9999, 400));
}

TEST(counters_that_begin_anew_cross_it_again)
{
    struct action_stat_trigger action = at(0, 10, 0);
    struct stat_trigger t = armed(&action);

    CHECK(!stat_trigger_crosses(&t, 0, 0, 0));
    CHECK(stat_trigger_crosses(&t, 12, 0, 0));
    CHECK(!stat_trigger_crosses(&t, 3, 0, 0));
    CHECK(stat_trigger_crosses(&t, 10, 0, 0));
}

TEST(what_was_counted_before_crossed_nothing)
{
    struct action_stat_trigger action = at(0, 10, 0);
    struct stat_trigger t = armed(&action);

    CHECK(!stat_trigger_crosses(&t, 55, 0, 0));
    CHECK(!stat_trigger_crosses(&t, 56, 0, 0));
    action.is_periodic = true;
    t = armed(&action);
    CHECK(!stat_trigger_crosses(&t, 55, 0, 0));
    CHECK(!stat_trigger_crosses(&t, 59, 0, 0));
    CHECK(stat_trigger_crosses(&t, 60, 0, 0));
}

TEST(multiples_are_crossed_if_it_is_periodic)
{
    struct action_stat_trigger action = at(0, 0, 100);
    struct stat_trigger t;

    action.is_periodic = true;
    t = armed(&action);
    CHECK(!stat_trigger_crosses(&t, 0, 0, 0));
    CHECK(stat_trigger_crosses(&t, 1, 100, 0));
    CHECK(!stat_trigger_crosses(&t, 1, 199, 0));
    /* Several at once are told of once. */
    CHECK(stat_trigger_crosses(&t, 1, 520, 0));
    CHECK(!stat_trigger_crosses(&t, 1, 599, 0));
    CHECK(stat_trigger_crosses(&t, 1, 600, 0));
}

TEST(the_first_that_is_crossed_may_be_the_only_one)
{
    struct action_stat_trigger action = at(UINT64_C(2000000000), 10, 0);
    struct stat_trigger t;

    action.is_periodic = action.only_first = true;
    t = armed(&action);
    CHECK(!stat_trigger_crosses(&t, 0, 0, 0));
    CHECK(stat_trigger_crosses(&t, 5, 0, 2000));
    CHECK(!stat_trigger_crosses(&t, 15, 0, 3000));
    CHECK(stat_trigger_crosses(&t, 15, 0, 4000));

    action.only_first = false;
    t = armed(&action);
    CHECK(!stat_trigger_crosses(&t, 0, 0, 0));
    CHECK(stat_trigger_crosses(&t, 5, 0, 2000));
    CHECK(stat_trigger_crosses(&t, 15, 0, 3000));
}

TESTS(
    RUN(a_threshold_is_crossed_once),
    RUN(counters_that_begin_anew_cross_it_again),
    RUN(what_was_counted_before_crossed_nothing),
    RUN(multiples_are_crossed_if_it_is_periodic),
    RUN(the_first_that_is_crossed_may_be_the_only_one),
)
