#include "port/mailbox.h"

#include <poll.h>
#include <pthread.h>

#include "unit.h"

static bool
is_readable(const struct mailbox *m)
{
    struct pollfd fd = { .fd = mailbox_fd(m), .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

TEST(packets_come_out_in_order_and_a_full_ring_says_so)
{
    struct packet_pool *pool = packet_pool_create(16, 0);
    struct mailbox *m = mailbox_create(5);      /* 8 */
    struct packet *pkts[10];
    struct batch batch = { 0 };

    for (uint32_t i = 0; i < 10; i++) {
        pkts[i] = packet_alloc(pool, 0);
        pkts[i]->in_port = i;
    }
    for (int round = 0; round < 5; round++) {
        CHECK(mailbox_push(m, pkts, 10) == 8);
        CHECK(mailbox_push(m, pkts + 8, 2) == 0);
        CHECK(mailbox_pop(m, &batch) == 8);
        for (uint32_t i = 0; i < 8; i++) {
            CHECK(batch.pkts[i] == pkts[i]);
        }
        batch.n = 0;
        CHECK(mailbox_push(m, pkts, 3) == 3);
        CHECK(mailbox_pop(m, &batch) == 3);
        CHECK(mailbox_pop(m, &batch) == 0);
        batch.n = 0;
    }
    CHECK(mailbox_push(m, pkts, 4) == 4);
    mailbox_destroy(m);
    CHECK(packet_pool_in_use(pool) == 6);
    for (int i = 4; i < 10; i++) {
        packet_free(pkts[i]);
    }
    packet_pool_destroy(pool);
}

TEST(only_a_consumer_that_asked_is_woken)
{
    struct packet_pool *pool = packet_pool_create(4, 0);
    struct mailbox *m = mailbox_create(8);
    struct packet *pkt = packet_alloc(pool, 0);
    struct batch batch = { 0 };

    CHECK(mailbox_push(m, &pkt, 1) == 1);
    CHECK(!is_readable(m));
    CHECK(mailbox_next(m) == 0);
    CHECK(mailbox_pop(m, &batch) == 1);
    batch.n = 0;

    for (int i = 0; i < 3; i++) {
        CHECK(mailbox_next(m) == INT64_MAX);
        CHECK(mailbox_next(m) == INT64_MAX);
        CHECK(!is_readable(m));
        CHECK(mailbox_push(m, &pkt, 1) == 1);
        CHECK(is_readable(m));
        CHECK(mailbox_next(m) == 0);
        CHECK(mailbox_pop(m, &batch) == 1);
        CHECK(!is_readable(m));
        batch.n = 0;
    }

    /* It asked but looked again by itself: no wake-up is left over. */
    CHECK(mailbox_next(m) == INT64_MAX);
    CHECK(mailbox_pop(m, &batch) == 0);
    CHECK(mailbox_push(m, &pkt, 1) == 1);
    CHECK(!is_readable(m));
    mailbox_destroy(m);
    packet_pool_destroy(pool);
}

enum { N_PRODUCERS = 3, N_EACH = 50000, N_POOL = 256 };

struct producer {
    pthread_t thread;
    uint32_t id;
    struct mailbox *m;
};

static void *
produce(void *producer_)
{
    struct producer *producer = producer_;
    struct packet_pool *pool = packet_pool_create(N_POOL, 0);
    uint32_t n = 0;

    while (n < N_EACH) {
        struct packet *pkts[7];
        unsigned int n_pkts = 0, n_pushed = 0;

        while (n_pkts < 7 && n < N_EACH
               && (pkts[n_pkts] = packet_alloc(pool, 0))) {
            pkts[n_pkts]->in_port = producer->id;
            pkts[n_pkts++]->hash = n++;
        }
        while (n_pushed < n_pkts) {
            n_pushed += mailbox_push(producer->m, pkts + n_pushed,
                                     n_pkts - n_pushed);
        }
    }
    while (packet_pool_in_use(pool)) {
        sched_yield();
    }
    packet_pool_destroy(pool);
    return NULL;
}

TEST(many_producers_lose_nothing_and_each_keeps_its_order)
{
    struct mailbox *m = mailbox_create(64);
    struct producer producers[N_PRODUCERS];
    uint32_t next[N_PRODUCERS] = { 0 };
    unsigned int n = 0;

    for (uint32_t i = 0; i < N_PRODUCERS; i++) {
        producers[i] = (struct producer) { .id = i, .m = m };
        CHECK(!pthread_create(&producers[i].thread, NULL, produce,
                              &producers[i]));
    }
    while (n < N_PRODUCERS * N_EACH) {
        struct pollfd fd = { .fd = mailbox_fd(m), .events = POLLIN };
        struct batch batch = { 0 };

        n += mailbox_pop(m, &batch);
        for (unsigned int i = 0; i < batch.n; i++) {
            struct packet *pkt = batch.pkts[i];

            CHECK(pkt->hash == next[pkt->in_port]++);
        }
        /* A lost wake-up would end in this timeout. */
        if (!batch.n && mailbox_next(m) == INT64_MAX) {
            CHECK(poll(&fd, 1, 10000) == 1);
        }
        batch_free_all(&batch);
    }
    for (uint32_t i = 0; i < N_PRODUCERS; i++) {
        CHECK(!pthread_join(producers[i].thread, NULL));
        CHECK(next[i] == N_EACH);
    }
    mailbox_destroy(m);
}

TESTS(
    RUN(packets_come_out_in_order_and_a_full_ring_says_so),
    RUN(only_a_consumer_that_asked_is_woken),
    RUN(many_producers_lose_nothing_and_each_keeps_its_order),
)
