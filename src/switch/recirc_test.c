#include "switch/recirc.h"

#include "lib/rcu.h"
#include "unit.h"

TEST(equal_states_share_an_id)
{
    struct recirc *recirc = recirc_create();
    uint64_t a[2] = { 1, 2 }, b[2] = { 1, 3 };
    uint32_t id = recirc_id(recirc, a, sizeof a, 0);
    const struct recirc_state *found;

    CHECK(id);
    CHECK(recirc_id(recirc, a, sizeof a, 0) == id);
    CHECK(recirc_id(recirc, b, sizeof b, 0) != id);
    CHECK(recirc_id(recirc, a, 8, 0) != id);
    found = recirc_find(recirc, id);
    CHECK(found && found->len == sizeof a && found->data[1] == 2);
    CHECK(!recirc_find(recirc, id + 100));
    CHECK(recirc_count(recirc) == 3);
    recirc_destroy(recirc);
}

TEST(a_state_lives_while_it_is_referred_to_and_lingers)
{
    struct recirc *recirc = recirc_create();
    uint64_t a = 1, b = 2;
    uint32_t kept = recirc_id(recirc, &a, sizeof a, 0);
    uint32_t left = recirc_id(recirc, &b, sizeof b, 0);

    CHECK(recirc_ref(recirc, kept));
    CHECK(recirc_expire(recirc, RECIRC_LINGER - 1) == 0);
    CHECK(recirc_expire(recirc, RECIRC_LINGER) == 1);
    CHECK(recirc_find(recirc, kept) && !recirc_find(recirc, left));
    CHECK(!recirc_ref(recirc, left));

    recirc_unref(recirc, kept, 50000);
    CHECK(recirc_expire(recirc, 50000 + RECIRC_LINGER - 1) == 0);
    CHECK(recirc_expire(recirc, 50000 + RECIRC_LINGER) == 1);
    CHECK(recirc_count(recirc) == 0);

    /* The same state again is another one. */
    CHECK(recirc_id(recirc, &a, sizeof a, 60000) > left);
    rcu_flush();
    recirc_destroy(recirc);
}

TEST(a_controller_may_take_its_time_to_resume)
{
    enum { LATER = 20 * 1000 };
    struct recirc *recirc = recirc_create();
    uint64_t a = 1, b = 2;
    uint32_t told = recirc_id(recirc, &a, sizeof a, 0);
    uint32_t other = recirc_id(recirc, &b, sizeof b, 0);

    recirc_tell(recirc, told, 1000);
    CHECK(recirc_expire(recirc, RECIRC_LINGER) == 1);
    CHECK(recirc_find(recirc, told) && !recirc_find(recirc, other));
    CHECK(recirc_expire(recirc, 1000 + RECIRC_TOLD - 1) == 0);
    CHECK(recirc_expire(recirc, 1000 + RECIRC_TOLD) == 1);

    /* But not where states are many. */
    told = recirc_id(recirc, &a, sizeof a, 0);
    recirc_tell(recirc, told, 1000);
    for (uint64_t i = 100; recirc_count(recirc) <= RECIRC_MAX / 2; i++) {
        recirc_id(recirc, &i, sizeof i, LATER);
    }
    CHECK(recirc_expire(recirc, LATER) == 1 && !recirc_find(recirc, told));
    rcu_flush();
    recirc_destroy(recirc);
}

TEST(a_token_is_good_for_one_state_of_one_life)
{
    struct recirc *before = recirc_create(), *after = recirc_create();
    uint64_t a = 1, b = 2;
    uint32_t id = recirc_id(before, &a, sizeof a, 0);
    uint32_t other = recirc_id(before, &b, sizeof b, 0);
    uint32_t again = recirc_id(after, &a, sizeof a, 0);
    uint64_t token = recirc_token(before, recirc_find(before, id));

    CHECK(token != recirc_token(before, recirc_find(before, other)));
    CHECK(again == id);
    CHECK(token != recirc_token(after, recirc_find(after, again)));
    recirc_destroy(before);
    recirc_destroy(after);
}

TEST(there_are_never_too_many)
{
    struct recirc *recirc = recirc_create();

    for (uint64_t i = 0; i < RECIRC_MAX; i++) {
        CHECK(recirc_id(recirc, &i, sizeof i, 0));
    }
    CHECK(!recirc_id(recirc, "12345678", 8, 0));
    CHECK(recirc_expire(recirc, RECIRC_LINGER) == RECIRC_MAX);
    CHECK(recirc_id(recirc, "12345678", 8, RECIRC_LINGER));
    rcu_flush();
    recirc_destroy(recirc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(equal_states_share_an_id),
        RUN(a_state_lives_while_it_is_referred_to_and_lingers),
        RUN(a_controller_may_take_its_time_to_resume),
        RUN(a_token_is_good_for_one_state_of_one_life),
        RUN(there_are_never_too_many),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
