/* Small numbers outlive the controller, and used zones are flushed. */
#include "controller/kept_numbers.h"

#include <uv.h>

#include "unit.h"

struct rig {
    uv_loop_t loop;
    struct store *store;
};

static void
rig_init(struct rig *rig)
{
    struct store_options options = { .loop = &rig->loop };

    uv_loop_init(&rig->loop);
    CHECK(!store_open(&options, &rig->store, NULL));
}

static void
rig_fini(struct rig *rig)
{
    store_close(rig->store, NULL, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    CHECK(!uv_loop_close(&rig->loop));
}

static uint32_t
number(struct kept_numbers *k, enum number_kind kind, uint64_t id)
{
    return numbers_assign(kept_numbers_set(k)->of[kind], id);
}

TEST(who_had_a_number_has_it_after_a_restart)
{
    static const uint64_t ids[] = { 70, 80, 90 };
    uint32_t first[N_NUMBER_KINDS][ARRAY_SIZE(ids)];
    struct kept_numbers *k;
    struct rig rig;

    rig_init(&rig);
    k = kept_numbers_create(rig.store);
    for (unsigned int kind = 0; kind < N_NUMBER_KINDS; kind++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
            first[kind][i] = number(k, kind, ids[i]);
            CHECK(first[kind][i]);
        }
    }
    kept_numbers_commit(k);
    kept_numbers_destroy(k);
    while (!store_get(rig.store, "number/security/000000000000005a")) {
        uv_run(&rig.loop, UV_RUN_ONCE);
    }

    /* They are asked for in another order then. */
    k = kept_numbers_create(rig.store);
    for (unsigned int kind = 0; kind < N_NUMBER_KINDS; kind++) {
        for (unsigned int i = ARRAY_SIZE(ids); i-- > 0;) {
            CHECK(number(k, kind, ids[i]) == first[kind][i]);
        }
    }
    /* Nobody else's connections are in them. */
    CHECK(!kept_numbers_next_fresh(k));
    kept_numbers_destroy(k);
    rig_fini(&rig);
}

TEST(a_zone_that_is_new_to_its_owner_is_to_be_flushed_once)
{
    struct kept_numbers *k = kept_numbers_create(NULL);
    uint32_t network = number(k, NUMBER_NETWORK_ZONE, 70);

    CHECK(network >= FIRST_NUMBER_NETWORK_ZONE
          && network <= LAST_NUMBER_NETWORK_ZONE);
    CHECK(number(k, NUMBER_SECURITY, 70));
    CHECK(kept_numbers_next_fresh(k) == network);
    CHECK(!kept_numbers_next_fresh(k));
    CHECK(number(k, NUMBER_NETWORK_ZONE, 70) == network);
    CHECK(!kept_numbers_next_fresh(k));
    kept_numbers_destroy(k);
}

TESTS(
    RUN(who_had_a_number_has_it_after_a_restart),
    RUN(a_zone_that_is_new_to_its_owner_is_to_be_flushed_once),
)
