#include "api/capture_ring.h"

#include <pthread.h>
#include <sched.h>

#include "lib/rng.h"
#include "unit.h"

enum { RING_SIZE = 8192, N_WRITERS = 3, N_RECORDS = 20000 };

TEST(records_come_out_in_order_and_whole)
{
    struct capture_ring *ring = capture_ring_create(RING_SIZE);
    struct rng rng = { 1 };
    uint32_t n_in = 0, n_out = 0, len;

    while (n_out < N_RECORDS) {
        uint32_t want = 4 + rng_below(&rng, 2000);
        uint32_t *record = capture_ring_reserve(ring, want);
        const uint32_t *first;

        if (record) {
            memset(record, (int) n_in, want);
            memcpy(record, &n_in, sizeof n_in);
            n_in++;
            capture_ring_commit(record);
            continue;
        }
        first = capture_ring_first(ring, &len);
        CHECK(first && *first == n_out && len >= 4);
        for (uint32_t i = 4; i < len; i++) {
            CHECK(((const uint8_t *) first)[i] == (uint8_t) n_out);
        }
        n_out++;
        capture_ring_free_first(ring);
    }
    capture_ring_destroy(ring);
}

TEST(a_record_that_is_being_written_holds_back_later_ones)
{
    struct capture_ring *ring = capture_ring_create(RING_SIZE);
    void *a = capture_ring_reserve(ring, 10);
    void *b = capture_ring_reserve(ring, 20);
    uint32_t len;

    CHECK(!capture_ring_first(ring, &len));
    capture_ring_commit(b);
    CHECK(!capture_ring_first(ring, &len));
    capture_ring_commit(a);
    CHECK(capture_ring_first(ring, &len) == a && len == 10);
    capture_ring_free_first(ring);
    CHECK(capture_ring_first(ring, &len) == b && len == 20);
    capture_ring_destroy(ring);
}

TEST(what_does_not_fit_is_refused)
{
    struct capture_ring *ring = capture_ring_create(RING_SIZE);
    uint32_t len;

    CHECK(!capture_ring_reserve(ring, RING_SIZE));
    CHECK(!capture_ring_first(ring, &len));
    for (int i = 0; i < 4; i++) {
        CHECK(capture_ring_reserve(ring, RING_SIZE / 4 - 8));
    }
    CHECK(!capture_ring_reserve(ring, 1));
    capture_ring_destroy(ring);
}

/* Old bytes that look like a finished record must not be taken for one. */
TEST(freed_bytes_are_never_read_as_records)
{
    struct capture_ring *ring = capture_ring_create(RING_SIZE);
    uint32_t len;

    for (int turn = 0; turn < 100; turn++) {
        uint32_t size = 1000 + (uint32_t) turn * 16;
        uint32_t *bytes = capture_ring_reserve(ring, size);

        for (uint32_t i = 0; i < size / 4; i++) {
            bytes[i] = 1;
        }
        CHECK(!capture_ring_first(ring, &len));
        capture_ring_commit(bytes);
        CHECK(capture_ring_first(ring, &len) == bytes && len == size);
        capture_ring_free_first(ring);
    }
    capture_ring_destroy(ring);
}

struct writer {
    struct capture_ring *ring;
    uint32_t id;
};

static void *
write_records(void *aux)
{
    struct writer *writer = aux;
    struct rng rng = { writer->id + 1 };

    for (uint32_t i = 0; i < N_RECORDS;) {
        uint32_t len = 8 + rng_below(&rng, 500);
        uint32_t *record = capture_ring_reserve(writer->ring, len);

        if (!record) {
            sched_yield();
            continue;
        }
        memset(record, 0x55, len);
        record[0] = writer->id;
        record[1] = i++;
        capture_ring_commit(record);
    }
    return NULL;
}

TEST(many_writers_lose_nothing)
{
    struct capture_ring *ring = capture_ring_create(RING_SIZE);
    struct writer writers[N_WRITERS];
    pthread_t threads[N_WRITERS];
    uint32_t next[N_WRITERS] = { 0 };
    uint32_t n = 0, len;

    for (uint32_t i = 0; i < N_WRITERS; i++) {
        writers[i] = (struct writer) { ring, i };
        CHECK(!pthread_create(&threads[i], NULL, write_records,
                              &writers[i]));
    }
    while (n < N_WRITERS * N_RECORDS) {
        const uint32_t *record = capture_ring_first(ring, &len);

        if (!record) {
            sched_yield();
            continue;
        }
        CHECK(record[0] < N_WRITERS);
        CHECK(record[1] == next[record[0]]++);
        CHECK(((const uint8_t *) record)[len - 1] == 0x55 || len == 8);
        capture_ring_free_first(ring);
        n++;
    }
    for (uint32_t i = 0; i < N_WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    capture_ring_destroy(ring);
}

TESTS(
    RUN(records_come_out_in_order_and_whole),
    RUN(a_record_that_is_being_written_holds_back_later_ones),
    RUN(what_does_not_fit_is_refused),
    RUN(freed_bytes_are_never_read_as_records),
    RUN(many_writers_lose_nothing),
)
