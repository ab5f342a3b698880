#include "switch/packet_in.h"

#include <pthread.h>

#include "openflow/action.h"
#include "packet/checksum.h"
#include "unit.h"

static const struct packet_in_extra none;

static bool
put(struct packet_in_queue *q, uint32_t port, uint16_t max_len, uint8_t mark)
{
    uint8_t frame[100] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame, .in_port = port,
        .buf_size = sizeof frame,
    };
    struct dp_action_controller action = {
        .max_len = max_len, .table = 7, .cookie = htobe64(5),
    };
    struct flow_key key;

    frame[14] = mark;
    flow_key_extract(&pkt, &key);
    return packet_in_put(q, &pkt, &key, &none, &action, 0);
}

TEST(a_packet_comes_out_as_it_went_in_and_no_longer_than_asked)
{
    struct packet_in_queue *q
        = packet_in_queue_create(&(struct packet_in_config) { 0 });
    struct packet_in *msg;

    CHECK(put(q, 3, 20, 9));
    msg = packet_in_take(q);
    CHECK(msg && msg->in_port == 3 && msg->table == 7);
    CHECK(msg->total_len == 100 && msg->len == 20 && msg->data[14] == 9);
    CHECK(msg->cookie == htobe64(5));
    CHECK(msg->flow.key.eth_type == htobe16(0x88b5));
    packet_in_free(msg);
    CHECK(!packet_in_take(q));
    packet_in_queue_destroy(q);
}

TEST(a_port_that_floods_loses_its_own_packets_only)
{
    struct packet_in_config config = { .max_per_port = 4, .max = 100 };
    struct packet_in_queue *q = packet_in_queue_create(&config);
    struct packet_in_counters c;
    struct packet_in *msg;
    unsigned int n = 0;

    for (unsigned int i = 0; i < 50; i++) {
        n += put(q, 1, OFPCML_NO_BUFFER, (uint8_t) i);
    }
    CHECK(n == 4);
    CHECK(put(q, 2, OFPCML_NO_BUFFER, 77));

    /* In turn: port 2 waits for one packet of port 1, not for four. */
    msg = packet_in_take(q);
    CHECK(msg->in_port == 1 && msg->data[14] == 0 && msg->len == 100);
    packet_in_free(msg);
    msg = packet_in_take(q);
    CHECK(msg->in_port == 2 && msg->data[14] == 77);
    packet_in_free(msg);
    for (uint8_t i = 1; i < 4; i++) {
        msg = packet_in_take(q);
        CHECK(msg->in_port == 1 && msg->data[14] == i);
        packet_in_free(msg);
    }
    CHECK(!packet_in_take(q));

    packet_in_read_counters(q, 1, &c);
    CHECK(c.queued == 4 && c.dropped == 46 && c.taken == 4);
    packet_in_read_counters(q, 0, &c);
    CHECK(c.queued == 5 && c.dropped == 46 && c.taken == 5);
    packet_in_queue_destroy(q);
}

static bool
put_at(struct packet_in_queue *q, uint32_t port, uint8_t reason, nsec now)
{
    uint8_t frame[14] = { 0 };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame, .in_port = port,
        .buf_size = sizeof frame,
    };
    struct dp_action_controller action = { .reason = reason };
    struct flow_key key;

    flow_key_extract(&pkt, &key);
    return packet_in_put(q, &pkt, &key, &none, &action, now);
}

TEST(each_port_has_a_rate_for_each_reason)
{
    const nsec second = 1000000000;
    struct packet_in_config config = { .max_per_port = 10000 };
    struct packet_in_queue *q = packet_in_queue_create(&config);
    struct packet_in_counters c;
    unsigned int n = 0;

    CHECK(!packet_in_has_rate(q));
    packet_in_set_rate(q, 1000);
    CHECK(packet_in_has_rate(q));
    /* A tenth of a second's at once, then one each millisecond. */
    for (unsigned int i = 0; i < 500; i++) {
        n += put_at(q, 1, 0, 5 * second);
    }
    CHECK(n == 100);
    CHECK(!put_at(q, 1, 0, 5 * second));
    CHECK(put_at(q, 1, 0, 5 * second + second / 1000));
    CHECK(!put_at(q, 1, 0, 5 * second + second / 1000));
    /* Another reason and another port have their own. */
    CHECK(put_at(q, 1, 1, 5 * second));
    CHECK(put_at(q, 2, 0, 5 * second));
    for (unsigned int i = 0; i < 3000; i++) {
        n += put_at(q, 1, 0, 6 * second + i * second / 3000);
    }
    CHECK_MSG(n >= 1199 && n <= 1202, "%u", n);
    packet_in_read_counters(q, 1, &c);
    CHECK(c.limited == 400 + 2 + 3000 - (n - 100) && !c.dropped);

    packet_in_set_rate(q, 0);
    CHECK(put_at(q, 1, 0, 6 * second) && put_at(q, 1, 0, 6 * second));
    packet_in_queue_destroy(q);
}

TEST(an_owed_checksum_is_completed)
{
    struct packet_in_queue *q
        = packet_in_queue_create(&(struct packet_in_config) { 0 });
    uint8_t frame[14 + 20 + 8 + 2] = {
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
        0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        0, 1, 0, 2, 0, 10, 0, 0, 'h', 'i',
    };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame, .in_port = 1,
        .buf_size = sizeof frame,
        .offload = { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 34,
                     .csum_offset = 6 },
    };
    struct dp_action_controller action = { .max_len = OFPCML_NO_BUFFER };
    uint32_t pseudo = checksum_pseudo4(get_be32(frame + 26),
                                       get_be32(frame + 30), 17, 10);
    struct packet_in *msg;
    struct flow_key key;

    put_be16(frame + 40, checksum_reduce(pseudo));
    flow_key_extract(&pkt, &key);
    CHECK(packet_in_put(q, &pkt, &key, &none, &action, 0));
    msg = packet_in_take(q);
    CHECK(msg && checksum_reduce(checksum_add(pseudo, msg->data + 34, 10))
                     == 0xffff);
    packet_in_free(msg);
    packet_in_queue_destroy(q);
}

struct putter {
    struct packet_in_queue *q;
    uint32_t port;
    unsigned int n_put;
};

static void *
put_many(void *aux)
{
    struct putter *p = aux;

    for (unsigned int i = 0; i < 20000; i++) {
        p->n_put += put(p->q, 1 + (p->port + i) % 3, 64, 0);
    }
    return NULL;
}

TEST(what_is_put_by_many_threads_is_taken_once)
{
    struct packet_in_config config = { .max_per_port = 64, .max = 128 };
    struct packet_in_queue *q = packet_in_queue_create(&config);
    struct putter putters[2] = { { q, 0, 0 }, { q, 1, 0 } };
    struct packet_in_counters c;
    pthread_t threads[2];
    unsigned int n_taken = 0;
    struct packet_in *msg;

    for (unsigned int i = 0; i < 2; i++) {
        CHECK(!pthread_create(&threads[i], NULL, put_many, &putters[i]));
    }
    for (unsigned int i = 0; i < 30000; i++) {
        msg = packet_in_take(q);
        n_taken += msg != NULL;
        packet_in_free(msg);
    }
    for (unsigned int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    while ((msg = packet_in_take(q))) {
        n_taken++;
        packet_in_free(msg);
    }
    CHECK(n_taken == putters[0].n_put + putters[1].n_put);
    packet_in_read_counters(q, 0, &c);
    CHECK(c.queued == n_taken && c.taken == n_taken);
    CHECK(c.queued + c.dropped == 40000);
    packet_in_queue_destroy(q);
}

TESTS(
    RUN(a_packet_comes_out_as_it_went_in_and_no_longer_than_asked),
    RUN(a_port_that_floods_loses_its_own_packets_only),
    RUN(each_port_has_a_rate_for_each_reason),
    RUN(an_owed_checksum_is_completed),
    RUN(what_is_put_by_many_threads_is_taken_once),
)
