#include "switch/port_hold.h"

#include "unit.h"

static const struct fdb_key station = { { { 2, 0, 0, 0, 0, 1 } }, 7 };

struct told {
    unsigned int n_begun, n_over;
    struct port_hold last;
};

static void
note(void *told_, const struct port_hold *hold)
{
    struct told *told = told_;

    *(hold->is_over ? &told->n_over : &told->n_begun) += 1;
    told->last = *hold;
}

TEST(a_port_is_held_and_let_go)
{
    struct port_holds *holds = port_holds_create();
    struct told told = { 0 };

    CHECK(!port_holds_has(holds, 70));
    CHECK(port_holds_begin(holds, 70, 3, station));
    CHECK(port_holds_has(holds, 70) && !port_holds_has(holds, 3));
    CHECK(!port_holds_begin(holds, 70, 3, station));
    CHECK(!port_holds_find(holds, 70));

    CHECK(port_holds_run(holds, 1000, note, &told)
          == 1000 + PORT_HOLD_FIRST_MS);
    CHECK(told.n_begun == 1 && told.n_over == 0);
    CHECK(told.last.port == 70 && told.last.kept == 3
          && told.last.station.vid == 7);
    CHECK(port_holds_find(holds, 70)->until == 1000 + PORT_HOLD_FIRST_MS);

    port_holds_run(holds, 999 + PORT_HOLD_FIRST_MS, note, &told);
    CHECK(port_holds_has(holds, 70) && told.n_over == 0);
    port_holds_run(holds, 1000 + PORT_HOLD_FIRST_MS, note, &told);
    CHECK(!port_holds_has(holds, 70) && told.n_over == 1);
    CHECK(!port_holds_find(holds, 70));
    port_holds_destroy(holds);
}

/* One more hold and its whole time; returns how long it was. */
static msec
hold_once(struct port_holds *holds, msec *now)
{
    struct told told = { 0 };

    CHECK(port_holds_begin(holds, 5, 1, station));
    port_holds_run(holds, *now, note, &told);
    *now += told.last.length;
    port_holds_run(holds, *now, note, &told);
    CHECK(told.n_begun == 1 && told.n_over == 1);
    return told.last.length;
}

TEST(each_time_is_twice_as_long_up_to_a_limit)
{
    struct port_holds *holds = port_holds_create();
    msec now = 0, length = PORT_HOLD_FIRST_MS;

    for (int i = 0; i < 10; i++) {
        CHECK(hold_once(holds, &now) == length);
        now += PORT_HOLD_QUIET_MS - 1;
        length = MIN(2 * length, PORT_HOLD_LONGEST_MS);
    }
    CHECK(length == PORT_HOLD_LONGEST_MS);
    port_holds_destroy(holds);
}

TEST(after_a_quiet_time_a_port_is_as_new)
{
    struct port_holds *holds = port_holds_create();
    struct told told = { 0 };
    msec now = 0;

    hold_once(holds, &now);
    CHECK(hold_once(holds, &now) == 2 * PORT_HOLD_FIRST_MS);
    now += PORT_HOLD_QUIET_MS;
    CHECK(port_holds_run(holds, now, note, &told) == INT64_MAX);
    CHECK(hold_once(holds, &now) == PORT_HOLD_FIRST_MS);
    port_holds_destroy(holds);
}

TEST(only_so_many_ports_are_held_and_places_are_used_again)
{
    struct port_holds *holds = port_holds_create();
    struct told told = { 0 };

    for (unsigned int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < PORT_HOLD_MAX; i++) {
            CHECK(port_holds_begin(holds, 1 + round * 1000 + i, 9999,
                                   station));
        }
        CHECK(!port_holds_begin(holds, 8000, 9999, station));
        CHECK(!port_holds_has(holds, 8000));
        port_holds_run(holds, round * 10000, note, &told);
        port_holds_run(holds, round * 10000 + 9000, note, &told);
    }
    CHECK(told.n_begun == 3 * PORT_HOLD_MAX);
    CHECK(told.n_over == 3 * PORT_HOLD_MAX);
    port_holds_destroy(holds);
}

TEST(a_port_that_goes_takes_its_hold_along)
{
    struct port_holds *holds = port_holds_create();
    struct told told = { 0 };

    port_holds_begin(holds, 5, 1, station);
    port_holds_begin(holds, 6, 1, station);
    port_holds_forget(holds, 5);          /* nobody was told yet */
    port_holds_run(holds, 0, note, &told);
    CHECK(told.n_begun == 1 && told.last.port == 6);
    port_holds_forget(holds, 6);
    CHECK(!port_holds_has(holds, 5) && !port_holds_has(holds, 6));
    CHECK(port_holds_run(holds, 0, note, &told) == INT64_MAX);
    CHECK(told.n_over == 0);
    port_holds_destroy(holds);
}

TESTS(
    RUN(a_port_is_held_and_let_go),
    RUN(each_time_is_twice_as_long_up_to_a_limit),
    RUN(after_a_quiet_time_a_port_is_as_new),
    RUN(only_so_many_ports_are_held_and_places_are_used_again),
    RUN(a_port_that_goes_takes_its_hold_along),
)
