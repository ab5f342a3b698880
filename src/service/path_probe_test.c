/* Paths that carry less than they should, or nothing, or only now and then. */
#include "service/path_probe.h"

#include "lib/rng.h"
#include "unit.h"

enum { WANTED = 1450, RTT = 300 };

struct lab {
    struct path_probe probe;
    uint16_t carries;             /* packets of up to so many bytes; 0: none */
    unsigned int loss;            /* one in so many, besides; 0: none */
    struct rng rng;
    usec now;
    uint64_t token;
    unsigned int n_events[N_PATH_EVENTS];
    unsigned int n_most;          /* asked in a round */
};

static void
lab_init(struct lab *lab, uint16_t carries)
{
    *lab = (struct lab) { .carries = carries, .rng = { 1 } };
    path_probe_init(&lab->probe, WANTED);
}

static bool
answer(struct lab *lab, unsigned int index, uint16_t size, usec now)
{
    const struct path_frame f = { PATH_FRAME_ANSWER, size, lab->token,
                                  (uint8_t) index };

    return path_probe_hear(&lab->probe, &f, now);
}

static enum path_event
turn(struct lab *lab)
{
    uint16_t sizes[PATH_MAX_ASKED];
    enum path_event event;
    unsigned int n, n_answered = 0;

    lab->now += 10000000;
    n = path_probe_begin(&lab->probe, ++lab->token, lab->now, sizes);
    CHECK(n >= 2 && n <= PATH_MAX_ASKED);
    lab->n_most = MAX(lab->n_most, n);
    for (unsigned int i = 0; i < n; i++) {
        CHECK(sizes[i] >= PATH_FRAME_MIN && sizes[i] <= WANTED);
        if (sizes[i] <= lab->carries
            && !(lab->loss && rng_one_in(&lab->rng, lab->loss))) {
            CHECK(answer(lab, i, sizes[i], lab->now + RTT));
            n_answered++;
        }
    }
    CHECK(path_probe_is_answered(&lab->probe) == (n_answered == n));
    event = path_probe_end(&lab->probe);
    lab->n_events[event]++;
    CHECK(n_answered < n || !path_probe_is_in_doubt(&lab->probe));
    return event;
}

/* The event that ends it, within so many rounds. */
static enum path_event
run(struct lab *lab, unsigned int n)
{
    enum path_event event = PATH_NO_EVENT;

    while (!event && n-- > 0) {
        event = turn(lab);
    }
    return event;
}

TEST(a_path_that_carries_all_is_up_and_measured)
{
    struct lab lab;

    lab_init(&lab, 1500);
    CHECK(lab.probe.state == PATH_UNKNOWN
          && path_probe_loss(&lab.probe) == -1);
    CHECK(!run(&lab, 50));
    CHECK(lab.probe.state == PATH_UP && lab.probe.mtu == WANTED);
    CHECK(lab.probe.rtt == RTT && lab.probe.rtt_smoothed == RTT);
    CHECK(!path_probe_loss(&lab.probe) && lab.n_most == 2);
    CHECK(!path_probe_is_in_doubt(&lab.probe));
    lab.carries = 100;
    CHECK(!turn(&lab) && path_probe_is_in_doubt(&lab.probe));
    /* A round is short, but not too short for a way around the world. */
    CHECK(path_probe_patience(60000000) == 12000000);
    CHECK(path_probe_patience(2000000) == 1000000);
    CHECK(path_probe_patience(200000) == 200000);
}

/* All sizes: also the least, and one byte too little. */
TEST(how_much_a_path_carries_is_found_to_the_byte)
{
    for (uint16_t carries = PATH_FRAME_MIN; carries < WANTED; carries++) {
        struct lab lab;

        lab_init(&lab, carries);
        CHECK_MSG(run(&lab, 12) == PATH_SHRANK, "%u", carries);
        CHECK_MSG(lab.probe.mtu == carries && lab.probe.said == carries,
                  "%u, not %u", lab.probe.mtu, carries);
        CHECK(lab.probe.state == PATH_TOO_SMALL);
        /* It is said once. */
        CHECK_MSG(!run(&lab, 40), "%u", carries);
        CHECK(lab.probe.mtu == carries);
    }
}

TEST(a_path_may_shrink_again_and_come_back)
{
    struct lab lab;

    lab_init(&lab, 1500);
    CHECK(!run(&lab, 5));
    lab.carries = 1350;
    CHECK(run(&lab, 12) == PATH_SHRANK && lab.probe.mtu == 1350);
    lab.carries = 1200;
    CHECK(run(&lab, 12) == PATH_SHRANK && lab.probe.mtu == 1200);
    lab.carries = 1400;
    CHECK(run(&lab, 12) == PATH_SHRANK && lab.probe.mtu == 1400);
    lab.carries = 1500;
    CHECK(run(&lab, 2) == PATH_FITS_AGAIN && lab.probe.mtu == WANTED
          && lab.probe.state == PATH_UP);
    CHECK(!run(&lab, 20));
}

TEST(a_path_that_carries_nothing_is_down_until_it_does)
{
    struct lab lab;

    lab_init(&lab, 0);
    CHECK(run(&lab, PATH_LOST + 1) == PATH_WENT_DOWN);
    CHECK(lab.probe.state == PATH_DOWN && !lab.probe.mtu);
    CHECK(path_probe_loss(&lab.probe) == 100);
    CHECK(!run(&lab, 20));
    lab.carries = 1350;
    CHECK(run(&lab, 2) == PATH_CAME_BACK && lab.probe.state == PATH_UP);
    CHECK(run(&lab, 12) == PATH_SHRANK && lab.probe.mtu == 1350);
    lab.carries = 0;
    CHECK(run(&lab, PATH_LOST + 1) == PATH_WENT_DOWN);
}

TEST(loss_by_chance_is_counted_and_changes_nothing)
{
    struct lab lab;

    lab_init(&lab, 1500);
    lab.loss = 10;
    for (unsigned int i = 0; i < 2000; i++) {
        turn(&lab);
        CHECK(lab.probe.state != PATH_DOWN);
    }
    CHECK(!lab.n_events[PATH_SHRANK] && !lab.n_events[PATH_WENT_DOWN]);
    CHECK(path_probe_loss(&lab.probe) >= 0
          && path_probe_loss(&lab.probe) < 50);
    /* And where less passes, that is found all the same. */
    lab.carries = 1350;
    for (unsigned int i = 0; i < 100; i++) {
        turn(&lab);
    }
    CHECK(lab.probe.state == PATH_TOO_SMALL && lab.probe.mtu == 1350);
}

TEST(another_size_is_asked_for_anew)
{
    struct lab lab;

    lab_init(&lab, 1350);
    CHECK(run(&lab, 12) == PATH_SHRANK);
    path_probe_want(&lab.probe, WANTED);          /* the same: nothing new */
    CHECK(lab.probe.state == PATH_TOO_SMALL && lab.probe.mtu == 1350);
    path_probe_want(&lab.probe, 1350);
    CHECK(lab.probe.state == PATH_UP && !lab.probe.mtu);
    CHECK(!run(&lab, 3) && lab.probe.mtu == 1350);
}

TEST(only_what_was_asked_is_answered)
{
    uint16_t sizes[PATH_MAX_ASKED];
    struct lab lab;
    struct path_frame f;

    lab_init(&lab, 0);
    lab.token = 1;
    path_probe_begin(&lab.probe, lab.token, lab.now, sizes);
    CHECK(!answer(&lab, 1, WANTED - 1, lab.now));  /* cut on the way */
    CHECK(!answer(&lab, 2, WANTED, lab.now));
    lab.token++;
    CHECK(!answer(&lab, 0, PATH_FRAME_MIN, lab.now));
    lab.token--;
    f = (struct path_frame) { PATH_FRAME_ASK, PATH_FRAME_MIN, lab.token, 0 };
    CHECK(!path_probe_hear(&lab.probe, &f, lab.now));
    CHECK(answer(&lab, 0, PATH_FRAME_MIN, lab.now));
    CHECK(!answer(&lab, 0, PATH_FRAME_MIN, lab.now));       /* twice */
    CHECK(lab.probe.n_heard == 1);
    /* Of a round that is over. */
    path_probe_end(&lab.probe);
    CHECK(!answer(&lab, 1, WANTED, lab.now));
    path_probe_begin(&lab.probe, lab.token + 1, lab.now, sizes);
    CHECK(!answer(&lab, 1, WANTED, lab.now));
}

TESTS(
    RUN(a_path_that_carries_all_is_up_and_measured),
    RUN(how_much_a_path_carries_is_found_to_the_byte),
    RUN(a_path_may_shrink_again_and_come_back),
    RUN(a_path_that_carries_nothing_is_down_until_it_does),
    RUN(loss_by_chance_is_counted_and_changes_nothing),
    RUN(another_size_is_asked_for_anew),
    RUN(only_what_was_asked_is_answered),
)
