#include "packet/packet.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "lib/rng.h"
#include "packet/batch.h"
#include "unit.h"

TEST(a_new_packet_is_empty_with_headroom_in_front)
{
    struct packet_pool *pool = packet_pool_create(2, 1);
    struct packet *pkt = packet_alloc(pool, 100), *big;

    CHECK(pkt->len == 0 && packet_headroom(pkt) == PACKET_HEADROOM);
    CHECK(packet_tailroom(pkt) == PACKET_SMALL_ROOM);
    CHECK(pkt->l3_ofs == PACKET_NO_OFS && !pkt->offload.flags);
    big = packet_alloc(pool, PACKET_MAX_LEN);
    CHECK(packet_tailroom(big) >= PACKET_MAX_LEN);
    CHECK(!packet_alloc(pool, PACKET_MAX_LEN));
    CHECK(packet_pool_in_use(pool) == 2);
    packet_free(pkt);
    packet_free(big);
    packet_pool_destroy(pool);
}

TEST(nothing_of_its_former_life_stays_with_a_packet)
{
    struct packet_pool *pool = packet_pool_create(1, 0);
    struct packet *pkt = packet_alloc(pool, 1), *again;

    pkt->data += 7;
    pkt->len = 9;
    pkt->in_port = pkt->recirc_id = pkt->hash = pkt->n_trunc = 5;
    pkt->l2_5_ofs = pkt->l3_ofs = pkt->l4_ofs = pkt->pad_len = 5;
    memset(&pkt->offload, 5, sizeof pkt->offload);
    packet_free(pkt);
    again = packet_alloc(pool, 1);
    CHECK(again == pkt);
    CHECK(again->data == again->buf + PACKET_HEADROOM && !again->len);
    CHECK(!again->in_port && !again->recirc_id && !again->hash);
    CHECK(!again->n_trunc && !again->pad_len && !again->offload.gso_size);
    CHECK(!again->offload.flags && !again->offload.csum_start);
    CHECK(again->l2_5_ofs == PACKET_NO_OFS && again->l4_ofs == PACKET_NO_OFS);
    packet_free(again);
    packet_pool_destroy(pool);
}

TEST(small_packets_spill_into_big_buffers_when_small_ones_are_used_up)
{
    struct packet_pool *pool = packet_pool_create(2, 2);
    struct batch batch = { 0 };

    for (int i = 0; i < 4; i++) {
        struct packet *pkt = packet_alloc(pool, 64);

        CHECK(pkt);
        batch_add(&batch, pkt);
    }
    CHECK(!packet_alloc(pool, 64));
    CHECK(packet_pool_in_use(pool) == 4);
    batch_free_all(&batch);
    CHECK(packet_pool_in_use(pool) == 0);
    packet_pool_destroy(pool);
}

TEST(buffers_do_not_overlap)
{
    enum { N = 50 };
    struct packet_pool *pool = packet_pool_create(N, N);
    struct packet *pkts[2 * N];

    for (unsigned int i = 0; i < 2 * N; i++) {
        pkts[i] = packet_alloc(pool, i < N ? 64 : PACKET_MAX_LEN);
        memset(pkts[i]->buf, (int) i, pkts[i]->buf_size);
    }
    for (unsigned int i = 0; i < 2 * N; i++) {
        for (uint32_t j = 0; j < pkts[i]->buf_size; j++) {
            assert_int_equal(pkts[i]->buf[j], i);
        }
        packet_free(pkts[i]);
    }
    packet_pool_destroy(pool);
}

TEST(a_clone_is_the_same_and_independent)
{
    struct packet_pool *a = packet_pool_create(1, 1);
    struct packet_pool *b = packet_pool_create(1, 0);
    struct packet *pkt = packet_alloc(a, 64), *copy;

    pkt->len = 64;
    memset(pkt->data, 0x5a, 64);
    pkt->in_port = 7;
    pkt->l3_ofs = 14;
    pkt->offload.gso_size = 9;
    copy = packet_clone(b, pkt);
    CHECK(copy->pool == b && copy->len == 64 && copy->in_port == 7);
    CHECK(copy->l3_ofs == 14 && copy->offload.gso_size == 9);
    CHECK(!memcmp(copy->data, pkt->data, 64));
    copy->data[0] = 1;
    CHECK(pkt->data[0] == 0x5a);
    CHECK(!packet_clone(b, pkt));
    packet_free(copy);
    packet_free(pkt);
    packet_pool_destroy(a);
    packet_pool_destroy(b);
}

TEST(wire_packets_are_counted_as_they_are_cut)
{
    static const struct {
        uint32_t len;
        uint16_t hdr_len, gso_size;
        uint32_t n, longest;
    } rows[] = {
        { 60, 0, 0, 1, 60 },           { 54, 54, 1000, 1, 54 },
        { 55, 54, 1000, 1, 55 },       { 1054, 54, 1000, 1, 1054 },
        { 1055, 54, 1000, 2, 1054 },   { 2054, 54, 1000, 2, 1054 },
        { 64054, 54, 1000, 64, 1054 }, { 64055, 54, 1000, 65, 1054 },
        { 64055, 54, 1, 64001, 55 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct packet pkt = {
            .len = rows[i].len,
            .offload = { .hdr_len = rows[i].hdr_len,
                         .gso_size = rows[i].gso_size },
        };

        CHECK(packet_n_wire(&pkt) == rows[i].n);
        CHECK(packet_wire_len(&pkt) == rows[i].longest);
    }
}

enum { N_THREADS = 3, N_POOL = 64, N_ROUNDS = 20000 };

/* One cell that hands packets from the owner to a thread. */
struct freer {
    pthread_t thread;
    _Atomic(struct packet *) cell;
    atomic_bool stop;
};

static void *
free_packets(void *freer_)
{
    struct freer *freer = freer_;

    while (!atomic_load(&freer->stop)) {
        struct packet *pkt = atomic_exchange(&freer->cell, NULL);

        if (pkt) {
            packet_free(pkt);
        } else {
            sched_yield();
        }
    }
    return NULL;
}

TEST(packets_freed_by_other_threads_find_their_way_home)
{
    struct packet_pool *pool = packet_pool_create(N_POOL, 0);
    struct freer freers[N_THREADS] = { 0 };
    struct rng rng = { 1 };

    for (int i = 0; i < N_THREADS; i++) {
        CHECK(!pthread_create(&freers[i].thread, NULL, free_packets,
                              &freers[i]));
    }
    for (int i = 0; i < N_ROUNDS; i++) {
        struct freer *freer = &freers[rng_below(&rng, N_THREADS)];
        struct packet *pkt;

        while (!(pkt = packet_alloc(pool, 64))) {
            sched_yield();
        }
        pkt->in_port = (uint32_t) i;
        if (rng_one_in(&rng, 4)) {
            packet_free(pkt);
        } else if ((pkt = atomic_exchange(&freer->cell, pkt))) {
            packet_free(pkt);     /* it had not come to the last one */
        }
    }
    for (int i = 0; i < N_THREADS; i++) {
        struct packet *pkt;

        atomic_store(&freers[i].stop, true);
        CHECK(!pthread_join(freers[i].thread, NULL));
        pkt = atomic_load(&freers[i].cell);
        if (pkt) {
            packet_free(pkt);
        }
    }
    CHECK(packet_pool_in_use(pool) == 0);
    packet_pool_destroy(pool);
}

static void *
use_adopted(void *pool_)
{
    struct packet_pool *pool = pool_;

    packet_pool_adopt(pool);
    for (int i = 0; i < 1000; i++) {
        struct packet *a = packet_alloc(pool, 64);
        struct packet *b = packet_alloc(pool, 64);

        packet_free(a);
        packet_free(b);
    }
    return NULL;
}

TEST(a_pool_can_change_its_owner)
{
    struct packet_pool *pool = packet_pool_create(2, 0);
    pthread_t thread;

    CHECK(!pthread_create(&thread, NULL, use_adopted, pool));
    CHECK(!pthread_join(thread, NULL));
    packet_pool_adopt(pool);
    use_adopted(pool);
    packet_pool_destroy(pool);
}

TESTS(
    RUN(a_new_packet_is_empty_with_headroom_in_front),
    RUN(nothing_of_its_former_life_stays_with_a_packet),
    RUN(small_packets_spill_into_big_buffers_when_small_ones_are_used_up),
    RUN(buffers_do_not_overlap),
    RUN(a_clone_is_the_same_and_independent),
    RUN(wire_packets_are_counted_as_they_are_cut),
    RUN(packets_freed_by_other_threads_find_their_way_home),
    RUN(a_pool_can_change_its_owner),
)
