#include "store/image.h"

#include "unit.h"

enum { N_KEYS = 500, N_STEPS = 20000 };

static void
make_key(char key[8], unsigned int i)
{
    snprintf(key, 8, "k%03u", i);
}

/* The twin: versions by number, since numbers are in order of key. */
static void
compare(const struct image *image, const uint64_t versions[N_KEYS])
{
    const struct image_entry *e = image->head[0];
    unsigned int n = 0;

    for (unsigned int i = 0; i < N_KEYS; i++) {
        char key[8];

        make_key(key, i);
        if (!versions[i]) {
            CHECK(!image_find(image, key));
            continue;
        }
        CHECK(e && !strcmp(e->shown.key, key));
        CHECK(e->shown.version == versions[i]);
        CHECK(image_find(image, key) == e);
        CHECK(image_seek(image, key) == e);
        e = e->next[0];
        n++;
    }
    CHECK(!e);
    CHECK(image->n_entries == n);
    CHECK(image->n_bytes == n * 5);
}

TEST(it_holds_what_a_plain_table_holds)
{
    uint64_t versions[N_KEYS] = { 0 };
    struct rng rng = { 7 };
    struct image image;

    image_init(&image);
    for (uint64_t step = 1; step <= N_STEPS; step++) {
        unsigned int i = rng_below(&rng, N_KEYS);
        struct image_entry *e;
        char key[8];

        make_key(key, i);
        e = image_insert(&image, key);
        if (rng_one_in(&rng, 2)) {
            image_put(&image, e, xmemdup("x", 1), 1, step);
            versions[i] = step;
        } else {
            image_delete(&image, e);
            image_tidy(&image, e);
            versions[i] = 0;
        }
        if (step % 1000 == 0) {
            compare(&image, versions);
        }
    }
    image_fini(&image);
}

TEST(an_entry_that_somebody_waits_for_stays)
{
    struct image_entry *e;
    struct image image;

    image_init(&image);
    e = image_insert(&image, "a");
    e->staged = (const struct store_txn *) &image;
    image_tidy(&image, e);
    CHECK(image_find(&image, "a") == e);
    e->staged = NULL;
    image_tidy(&image, e);
    CHECK(!image_find(&image, "a"));
    image_fini(&image);
}

TESTS(
    RUN(it_holds_what_a_plain_table_holds),
    RUN(an_entry_that_somebody_waits_for_stays),
)
