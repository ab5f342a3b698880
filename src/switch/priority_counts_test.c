/* The counts of priorities against a plain array of them. */
#include "switch/priority_counts.h"

#include "lib/rng.h"
#include "unit.h"

enum { MAX_LIST = 500 };

static int
highest_of(const uint16_t *list, unsigned int n)
{
    int highest = -1;

    for (unsigned int i = 0; i < n; i++) {
        highest = MAX(highest, list[i]);
    }
    return highest;
}

/* Priorities below `range`, up to the full list and back to none. */
static void
come_and_go(uint64_t seed, uint32_t range)
{
    struct priority_counts counts = { 0 };
    struct rng rng = { seed };
    uint16_t list[MAX_LIST];
    unsigned int n = 0;

    for (unsigned int i = 0; i < 4000; i++) {
        bool grows = i < 2000 ? rng_below(&rng, 3) : !rng_below(&rng, 3);

        if (grows && n < MAX_LIST) {
            list[n] = (uint16_t) (65535 - rng_below(&rng, range));
            priority_counts_add(&counts, list[n++]);
        } else if (!grows && n) {
            unsigned int which = rng_below(&rng, n);

            priority_counts_remove(&counts, list[which]);
            list[which] = list[--n];
        }
        CHECK(counts.n == n);
        CHECK(priority_counts_highest(&counts) == highest_of(list, n));
    }
    while (n) {
        priority_counts_remove(&counts, list[--n]);
    }
    CHECK(priority_counts_highest(&counts) == -1);
    CHECK(!counts.memory);
}

TEST(the_highest_is_that_of_a_scan)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        come_and_go(seed, 2);
        come_and_go(seed, 300);
        come_and_go(seed, 65536);
    }
}

TEST(one_priority_takes_no_memory)
{
    struct priority_counts counts = { 0 };

    priority_counts_add(&counts, 7);
    priority_counts_add(&counts, 7);
    CHECK(!counts.memory);
    CHECK(priority_counts_highest(&counts) == 7);
    priority_counts_remove(&counts, 7);
    CHECK(priority_counts_highest(&counts) == 7);
    priority_counts_remove(&counts, 7);
    CHECK(priority_counts_highest(&counts) == -1);
}

TESTS(
    RUN(the_highest_is_that_of_a_scan),
    RUN(one_priority_takes_no_memory),
)
