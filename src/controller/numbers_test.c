#include "controller/numbers.h"

#include "unit.h"

struct told {
    unsigned int n;
    uint64_t id;
    uint32_t number;
};

static void
on_change(void *aux, uint64_t id, uint32_t number)
{
    struct told *told = aux;

    *told = (struct told) { told->n + 1, id, number };
}

TEST(an_object_keeps_its_number)
{
    struct told told = { 0 };
    struct numbers_watch watch = { on_change, &told };
    struct numbers *n = numbers_create(1, 9, &watch);

    CHECK(numbers_assign(n, 77) == 1 && numbers_assign(n, 88) == 2);
    CHECK(told.n == 2 && told.id == 88 && told.number == 2);
    CHECK(numbers_assign(n, 77) == 1 && numbers_find(n, 88) == 2);
    CHECK(told.n == 2 && !numbers_find(n, 99));
    numbers_forget(n, 77);
    CHECK(told.n == 3 && told.id == 77 && !told.number);
    numbers_forget(n, 77);
    CHECK(told.n == 3);
    numbers_destroy(n);
}

TEST(a_free_number_is_used_again_as_late_as_can_be)
{
    struct numbers *n = numbers_create(1, 3, NULL);

    CHECK(numbers_assign(n, 10) == 1);
    numbers_forget(n, 10);
    CHECK(numbers_assign(n, 11) == 2 && numbers_assign(n, 12) == 3);
    CHECK(numbers_assign(n, 13) == 1);
    CHECK(!numbers_assign(n, 14));
    numbers_forget(n, 12);
    CHECK(numbers_assign(n, 14) == 3);
    numbers_destroy(n);
}

TEST(what_was_kept_is_nobody_elses)
{
    struct numbers *n = numbers_create(5, 8, NULL);

    numbers_keep(n, 10, 6);
    numbers_keep(n, 11, 6);
    numbers_keep(n, 12, 4);
    numbers_keep(n, 13, 9);
    CHECK(numbers_find(n, 10) == 6 && !numbers_find(n, 11));
    CHECK(!numbers_find(n, 12) && !numbers_find(n, 13));
    CHECK(numbers_assign(n, 11) == 7 && numbers_assign(n, 12) == 8);
    CHECK(numbers_assign(n, 13) == 5 && !numbers_assign(n, 14));
    numbers_destroy(n);
}

static bool
is_even(const void *aux, uint64_t id)
{
    (void) aux;
    return !(id & 1);
}

TEST(what_is_not_used_is_swept)
{
    struct numbers *n = numbers_create(1, 100, NULL);

    for (uint64_t id = 1; id <= 50; id++) {
        numbers_assign(n, id);
    }
    numbers_sweep(n, is_even, NULL);
    for (uint64_t id = 1; id <= 50; id++) {
        CHECK(numbers_find(n, id) == (id & 1 ? 0 : id));
    }
    numbers_destroy(n);
}

TESTS(
    RUN(an_object_keeps_its_number),
    RUN(a_free_number_is_used_again_as_late_as_can_be),
    RUN(what_was_kept_is_nobody_elses),
    RUN(what_is_not_used_is_swept),
)
