#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "unit.h"

enum { NEW = FLOW_CT_NEW | FLOW_CT_TRK, EST = FLOW_CT_EST | FLOW_CT_TRK,
       RPL = FLOW_CT_EST | FLOW_CT_RPL | FLOW_CT_TRK,
       INV = FLOW_CT_INV | FLOW_CT_TRK };

static struct conntrack *ct;
static struct packet_pool *pool;
static msec now;

static int
begin(void **state)
{
    struct ct_config config = { .max_connections = 1024 };

    (void) state;
    ct = conntrack_create(&config);
    pool = packet_pool_create(8, 0);
    now = 1000;
    return 0;
}

static int
end(void **state)
{
    (void) state;
    conntrack_destroy(ct);
    packet_pool_destroy(pool);
    return 0;
}

/* A segment of the one connection that every test looks at: by the client
 * (dir 0) or by the server. */
struct segment {
    unsigned int dir;
    uint8_t flags;
    uint32_t seq, ack;
    uint16_t len, window;
    uint8_t scale;
};

static uint8_t
send_as(const struct segment *s, bool commit)
{
    struct lab_frame f = {
        .proto = IP_PROTO_TCP, .src = 1, .dst = 2, .src_port = 1025,
        .dst_port = 80,
    };
    struct ct_request req = { .commit = commit };
    enum ct_verdict verdict;
    struct packet *pkt;
    uint8_t state;

    f = s->dir ? lab_reverse(&f) : f;
    f.flags = s->flags;
    f.seq = s->seq;
    f.ack = s->ack;
    f.payload = s->len;
    f.window = s->window;
    f.scale = s->scale;
    pkt = lab_packet(pool, &f);
    conntrack_execute(ct, 0, &pkt, 1, &req, now, &verdict);
    state = pkt->ct_state;
    packet_free(pkt);
    return state;
}

#define SEND(DIR, ...)                                                       \
    send_as(&(struct segment) { .dir = DIR, __VA_ARGS__ }, false)
#define COMMIT(DIR, ...)                                                     \
    send_as(&(struct segment) { .dir = DIR, __VA_ARGS__ }, true)

enum { C = 5000, S = 900000 };    /* the ends' first numbers */

static void
shake_hands(uint8_t scale)
{
    CHECK(COMMIT(0, LAB_SYN, C, 0, 0, 1000, scale) == NEW);
    CHECK(SEND(1, LAB_SYN | LAB_ACK, S, C + 1, 0, 1000, scale) == RPL);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 0, 1000) == EST);
}

static bool
copy_info(void *to, const struct ct_info *info)
{
    *(struct ct_info *) to = *info;
    return false;
}

static struct ct_info
only_one(void)
{
    struct ct_info info = { 0 };

    conntrack_visit(ct, now, copy_info, &info);
    return info;
}

TEST(a_handshake_and_data_and_an_end)
{
    shake_hands(0);
    CHECK(!strcmp(only_one().state, "established"));
    CHECK(only_one().expires == now + 86400 * 1000);
    CHECK(SEND(0, LAB_ACK | LAB_PSH, C + 1, S + 1, 100) == EST);
    CHECK(SEND(1, LAB_ACK, S + 1, C + 101, 0, 1000) == RPL);
    CHECK(SEND(0, LAB_FIN | LAB_ACK, C + 101, S + 1) == EST);
    CHECK(!strcmp(only_one().state, "closing"));
    CHECK(SEND(1, LAB_FIN | LAB_ACK, S + 1, C + 102) == RPL);
    CHECK(SEND(0, LAB_ACK, C + 102, S + 2) == EST);
    CHECK(!strcmp(only_one().state, "closed"));
    CHECK(only_one().expires == now + 240 * 1000);
}

TEST(a_syn_after_the_end_begins_another)
{
    a_handshake_and_data_and_an_end(NULL);
    CHECK(COMMIT(0, LAB_SYN, C + 90000, 0) == NEW);
    CHECK(!strcmp(only_one().state, "syn-sent"));
    CHECK(conntrack_count(ct) == 1);
}

TEST(a_repeated_syn_is_still_new)
{
    CHECK(COMMIT(0, LAB_SYN, C, 0) == NEW);
    CHECK(SEND(0, LAB_SYN, C, 0) == NEW);
}

TEST(an_answer_to_nothing_is_invalid)
{
    CHECK(SEND(1, LAB_SYN | LAB_ACK, S, C + 1) == INV);
}

TEST(flags_that_no_tcp_sends_are_invalid)
{
    CHECK(SEND(0, LAB_SYN | LAB_FIN, C, 0) == INV);
    CHECK(SEND(0, LAB_SYN | LAB_RST, C, 0) == INV);
    CHECK(SEND(0, 0, C, 0) == INV);
    CHECK(SEND(0, LAB_FIN, C, 0) == INV);
    CHECK(SEND(0, LAB_PSH | LAB_RST, C, 0) == INV);
    shake_hands(0);
    CHECK(SEND(0, LAB_FIN, C + 1, 0) == INV);
}

TEST(data_beyond_the_window_is_invalid)
{
    shake_hands(0);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 1000) == EST);
    CHECK(SEND(0, LAB_ACK, C + 1001, S + 1, 1) == INV);
    CHECK(SEND(1, LAB_ACK, S + 1, C + 1001, 0, 1000) == RPL);
    CHECK(SEND(0, LAB_ACK, C + 1001, S + 1, 1) == EST);
}

TEST(windows_are_scaled_when_both_ends_say_so)
{
    shake_hands(3);
    CHECK(SEND(1, LAB_ACK, S + 1, C + 1, 0, 1000) == RPL);
    for (uint32_t i = 0; i < 7; i++) {
        CHECK(SEND(0, LAB_ACK, C + 1 + i * 1000, S + 1, 1000) == EST);
    }
    CHECK(SEND(0, LAB_ACK, C + 7001, S + 1, 1400) == INV);
}

TEST(one_end_without_the_option_and_nobody_scales)
{
    COMMIT(0, LAB_SYN, C, 0, 0, 1000, 7);
    CHECK(SEND(1, LAB_SYN | LAB_ACK, S, C + 1, 0, 1000) == RPL);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 0, 1000) == EST);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 1400) == INV);
}

TEST(old_data_is_invalid_and_repeated_data_is_not)
{
    shake_hands(0);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 1000) == EST);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 1000) == EST);
    CHECK(SEND(0, LAB_ACK, C - 1000, S + 1, 10) == INV);
}

TEST(an_ack_of_what_was_never_sent_is_invalid)
{
    shake_hands(0);
    CHECK(SEND(1, LAB_ACK, S + 1, C + 1 + 100000) == INV);
    CHECK(SEND(1, LAB_ACK, S + 1, C - 100000) == INV);
}

TEST(a_reset_counts_only_in_its_place)
{
    shake_hands(0);
    CHECK(SEND(0, LAB_ACK, C + 1, S + 1, 500) == EST);
    CHECK(SEND(0, LAB_RST, C + 100, 0) == INV);
    CHECK(!strcmp(only_one().state, "established"));
    CHECK(SEND(0, LAB_RST, C + 501, 0) == EST);
    CHECK(!strcmp(only_one().state, "reset"));
    CHECK(only_one().expires == now + 30 * 1000);
}

TEST(a_refused_connection_is_reset)
{
    COMMIT(0, LAB_SYN, C, 0);
    CHECK(SEND(1, LAB_RST | LAB_ACK, 0, C + 1) == RPL);
    CHECK(!strcmp(only_one().state, "reset"));
}

TEST(a_connection_is_picked_up_in_the_middle)
{
    CHECK(COMMIT(0, LAB_ACK, C, S, 100) == NEW);
    CHECK(SEND(1, LAB_ACK, S, C + 100, 1400) == RPL);
    CHECK(SEND(0, LAB_ACK, C + 100, S + 1400, 1400) == EST);
    CHECK(!strcmp(only_one().state, "established"));
}

TEST(numbers_wrap_around)
{
    uint32_t c = UINT32_MAX - 10, s = UINT32_MAX;

    CHECK(COMMIT(0, LAB_SYN, c, 0, 0, 1000) == NEW);
    CHECK(SEND(1, LAB_SYN | LAB_ACK, s, c + 1, 0, 1000) == RPL);
    CHECK(SEND(0, LAB_ACK, c + 1, s + 1, 500) == EST);
    CHECK(SEND(1, LAB_ACK, s + 1, c + 501, 500) == RPL);
    CHECK(SEND(0, LAB_ACK, c + 501, s + 501, 600) == EST);
}

#define RUN_CT(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_CT(a_handshake_and_data_and_an_end),
    RUN_CT(a_syn_after_the_end_begins_another),
    RUN_CT(a_repeated_syn_is_still_new),
    RUN_CT(an_answer_to_nothing_is_invalid),
    RUN_CT(flags_that_no_tcp_sends_are_invalid),
    RUN_CT(data_beyond_the_window_is_invalid),
    RUN_CT(windows_are_scaled_when_both_ends_say_so),
    RUN_CT(one_end_without_the_option_and_nobody_scales),
    RUN_CT(old_data_is_invalid_and_repeated_data_is_not),
    RUN_CT(an_ack_of_what_was_never_sent_is_invalid),
    RUN_CT(a_reset_counts_only_in_its_place),
    RUN_CT(a_refused_connection_is_reset),
    RUN_CT(a_connection_is_picked_up_in_the_middle),
    RUN_CT(numbers_wrap_around),
)
