/* The timer wheel against an array that is scanned. */
#include "lib/timer_wheel.h"

#include "lib/rng.h"
#include "unit.h"

enum { N = 3000 };

static struct timer timers[N];

/* Lets time pass up to `now`; every timer fires in time, none early. */
static unsigned int
run_until(struct timer_wheel *wheel, msec now, unsigned int budget)
{
    struct timer *timer;
    unsigned int n = 0;

    while ((timer = timer_wheel_expire(wheel, now, &budget))) {
        CHECK(timer->due <= now);
        CHECK(!timer->link);
        n++;
    }
    return n;
}

TEST(timers_fire_in_time_and_never_early)
{
    static const msec spans[] = { 50, 5000, 200000, 20000000, 4000000000 };
    struct timer_wheel wheel;
    struct rng rng = { 3 };
    msec now = 123456;

    timer_wheel_init(&wheel, now);
    for (unsigned int round = 0; round < 3000; round++) {
        msec span = spans[rng_below(&rng, ARRAY_SIZE(spans))];
        struct timer *timer = &timers[rng_below(&rng, N)];
        msec next;

        if (rng_one_in(&rng, 4)) {
            timer_disarm(&wheel, timer);
        } else {
            timer_arm(&wheel, timer,
                      now + (msec) (rng_u64(&rng) % (uint64_t) span));
        }
        next = timer_wheel_next(&wheel);
        now += (msec) (rng_u64(&rng) % (rng_one_in(&rng, 50) ? 900000 : 300));
        run_until(&wheel, now, UINT32_MAX);
        for (unsigned int i = 0; i < N; i++) {
            CHECK(!timers[i].link ||
                  timers[i].due > now - TIMER_TICK_MSEC);
        }
        CHECK(next <= now || wheel.n == 0 || timer_wheel_next(&wheel) >= next);
    }
    for (unsigned int i = 0; i < N; i++) {
        timer_disarm(&wheel, &timers[i]);
    }
    CHECK(wheel.n == 0);
    CHECK(timer_wheel_next(&wheel) == INT64_MAX);
}

TEST(a_turn_does_no_more_than_its_budget)
{
    struct timer_wheel wheel;
    unsigned int n_fired = 0, n_turns = 0;

    timer_wheel_init(&wheel, 0);
    for (unsigned int i = 0; i < N; i++) {
        timer_arm(&wheel, &timers[i], 30 * 1000);
    }
    CHECK(timer_wheel_next(&wheel) <= 30 * 1000);
    CHECK(run_until(&wheel, 29 * 1000, UINT32_MAX) == 0);
    while (n_fired < N) {
        unsigned int n = run_until(&wheel, 40 * 1000, 100);

        CHECK(n <= 100);
        n_fired += n;
        CHECK(++n_turns < 100);
    }
    CHECK(wheel.n == 0);
}

TESTS(
    RUN(timers_fire_in_time_and_never_early),
    RUN(a_turn_does_no_more_than_its_budget),
)
