#include "port/impairment.h"

#include "frames.h"
#include "unit.h"

static const uint64_t PERCENT = IMPAIRMENT_ALWAYS / 100;

static struct packet *
make_packet(struct packet_pool *pool, uint32_t number)
{
    static const struct frame_spec spec = { .proto = 17, .payload_len = 40 };
    struct rng rng = { number };
    struct packet *pkt = packet_alloc(pool, 256);

    pkt->len = (uint32_t) frame_build(pkt->data, &spec, &rng);
    pkt->hash = number;
    return pkt;
}

/* Sends `n` packets, one each 100 usec; returns in `order` which came out.  */
static unsigned int
run(const struct impairment_config *config, uint32_t n, uint32_t *order)
{
    struct packet_pool *pool = packet_pool_create(512, 0);
    struct impairment *imp = impairment_create(config);
    unsigned int n_out = 0;
    usec now = 0;

    for (uint32_t i = 0; i < n || impairment_next(imp) != INT64_MAX; i++) {
        struct batch batch = { 0 };

        now += 100;
        if (i < n) {
            impairment_put(imp, make_packet(pool, i), pool, now);
        }
        do {
            batch_free_all(&batch);
            impairment_take(imp, &batch, now);
            for (unsigned int j = 0; j < batch.n; j++) {
                order[n_out++] = batch.pkts[j]->hash;
            }
        } while (batch.n);
    }
    impairment_destroy(imp);
    CHECK(!packet_pool_in_use(pool));
    packet_pool_destroy(pool);
    return n_out;
}

enum { N = 10000 };

TEST(a_perfect_line_passes_everything_in_order_at_once)
{
    struct impairment_config config = { .limit = 10 };
    static uint32_t order[N];

    CHECK(run(&config, N, order) == N);
    for (uint32_t i = 0; i < N; i++) {
        CHECK(order[i] == i);
    }
}

TEST(a_share_is_lost_and_a_share_comes_twice)
{
    struct impairment_config config = { .limit = 10, .loss = 10 * PERCENT };
    static uint32_t order[2 * N];
    unsigned int n = run(&config, N, order);

    CHECK(n > N * 88 / 100 && n < N * 92 / 100);
    config = (struct impairment_config) { .limit = 10,
                                          .duplicate = 5 * PERCENT };
    n = run(&config, N, order);
    CHECK(n > N * 104 / 100 && n < N * 106 / 100);
    config = (struct impairment_config) { .limit = 10,
                                          .loss = IMPAIRMENT_ALWAYS };
    CHECK(run(&config, N, order) == 0);
}

TEST(packets_wait_as_long_as_they_are_told)
{
    struct impairment_config config = { .limit = 10, .delay = 5000 };
    struct packet_pool *pool = packet_pool_create(4, 0);
    struct impairment *imp = impairment_create(&config);
    struct batch batch = { 0 };

    CHECK(impairment_next(imp) == INT64_MAX);
    impairment_put(imp, make_packet(pool, 1), pool, 100);
    impairment_put(imp, make_packet(pool, 2), pool, 200);
    CHECK(impairment_next(imp) == 5100);
    CHECK(impairment_take(imp, &batch, 5099) == 0);
    CHECK(impairment_take(imp, &batch, 5100) == 1);
    CHECK(batch.pkts[0]->hash == 1);
    CHECK(impairment_next(imp) == 5200);
    batch_free_all(&batch);
    impairment_destroy(imp);
    CHECK(!packet_pool_in_use(pool));
    packet_pool_destroy(pool);
}

TEST(jitter_and_reordering_change_the_order_and_lose_nothing)
{
    struct impairment_config config = { .limit = 400, .delay = 3000,
                                        .jitter = 2000 };
    static uint32_t order[N];
    static bool seen[N];
    unsigned int n_late = 0;

    for (int round = 0; round < 2; round++) {
        memset(seen, 0, sizeof seen);
        CHECK(run(&config, N, order) == N);
        for (uint32_t i = 0; i < N; i++) {
            CHECK(!seen[order[i]]);
            seen[order[i]] = true;
            n_late += i && order[i] < order[i - 1];
        }
        CHECK(n_late > N / 20);
        config.jitter = 0;
        config.reorder = 10 * PERCENT;
        n_late = 0;
    }
}

TEST(equal_delays_keep_the_order)
{
    struct impairment_config config = { .limit = 400, .delay = 30000 };
    static uint32_t order[N];

    CHECK(run(&config, N, order) == N);
    for (uint32_t i = 0; i < N; i++) {
        CHECK(order[i] == i);
    }
}

TEST(more_than_the_limit_cannot_wait)
{
    struct impairment_config config = { .limit = 7, .delay = 1000 };
    struct packet_pool *pool = packet_pool_create(16, 0);
    struct impairment *imp = impairment_create(&config);
    struct batch batch = { 0 };

    for (uint32_t i = 0; i < 10; i++) {
        impairment_put(imp, make_packet(pool, i), pool, 0);
    }
    CHECK(packet_pool_in_use(pool) == 7);
    CHECK(impairment_read_counters(imp)->over_limit == 3);
    CHECK(impairment_take(imp, &batch, 1000) == 7);
    batch_free_all(&batch);
    impairment_destroy(imp);
    packet_pool_destroy(pool);
}

TEST(a_corrupted_packet_has_one_wrong_bit_and_a_wrong_checksum)
{
    struct impairment_config config = { .limit = 7,
                                        .corrupt = IMPAIRMENT_ALWAYS };
    struct packet_pool *pool = packet_pool_create(16, 0);
    struct impairment *imp = impairment_create(&config);
    unsigned int n_found = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        struct packet *pkt = make_packet(pool, i);
        struct batch batch = { 0 };
        uint8_t was[256];
        int n_bits = 0;

        memcpy(was, pkt->data, pkt->len);
        frame_owe_checksum(pkt);
        impairment_put(imp, pkt, pool, 0);
        CHECK(impairment_take(imp, &batch, 0) == 1);
        CHECK(!pkt->offload.flags);
        for (uint32_t j = 0; j < pkt->len; j++) {
            n_bits += __builtin_popcount(was[j] ^ pkt->data[j]);
        }
        CHECK(n_bits == 1);
        /* The Ethertype has no checksum, and lengths lead elsewhere. */
        n_found += !memcmp(was, pkt->data, 18)
                   && was[38] == pkt->data[38] && was[39] == pkt->data[39]
                   && !frame_is_whole(pkt->data, pkt->len, NULL);
        batch_free_all(&batch);
    }
    CHECK(n_found > 800);
    impairment_destroy(imp);
    packet_pool_destroy(pool);
}

TEST(the_same_seed_brings_the_same_luck)
{
    struct impairment_config config = {
        .limit = 100, .loss = 5 * PERCENT, .duplicate = 5 * PERCENT,
        .delay = 1000, .jitter = 900, .seed = 42,
    };
    static uint32_t first[2 * N], second[2 * N];
    unsigned int n = run(&config, N, first);

    CHECK(run(&config, N, second) == n);
    CHECK(!memcmp(first, second, n * sizeof first[0]));
    config.seed = 43;
    CHECK(run(&config, N, second) != n
          || memcmp(first, second, n * sizeof first[0]));
}

TESTS(
    RUN(a_perfect_line_passes_everything_in_order_at_once),
    RUN(a_share_is_lost_and_a_share_comes_twice),
    RUN(packets_wait_as_long_as_they_are_told),
    RUN(jitter_and_reordering_change_the_order_and_lose_nothing),
    RUN(equal_delays_keep_the_order),
    RUN(more_than_the_limit_cannot_wait),
    RUN(a_corrupted_packet_has_one_wrong_bit_and_a_wrong_checksum),
    RUN(the_same_seed_brings_the_same_luck),
)
