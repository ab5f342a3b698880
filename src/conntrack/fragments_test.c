#include "conntrack/fragments.h"

#include "conntrack/conntrack_lab.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "unit.h"

enum { NEW = FLOW_CT_NEW | FLOW_CT_TRK, INV = FLOW_CT_INV | FLOW_CT_TRK,
       RPL = FLOW_CT_EST | FLOW_CT_RPL | FLOW_CT_TRK };

static struct conntrack *ct;
static struct packet_pool *pool;
static enum ct_verdict verdict;
static struct packet *released;
static msec now;

static int
begin(void **state)
{
    struct ct_config config = { .max_connections = 2048 };

    (void) state;
    ct = conntrack_create(&config);
    pool = packet_pool_create(2048, 0);
    now = 1000;
    return 0;
}

static int
end(void **state)
{
    (void) state;
    conntrack_destroy(ct);
    assert_int_equal(packet_pool_in_use(pool), 0);
    packet_pool_destroy(pool);
    return 0;
}

static const struct lab_frame udp = {
    .proto = IP_PROTO_UDP, .src = 0x0a000001, .dst = 0x0a000002,
    .src_port = 1000, .dst_port = 53, .payload = 1008, .id = 7,
};

/* Bytes first..end of the datagram (the UDP header is 0..8). */
static struct packet *
piece(const struct lab_frame *f, uint16_t first, uint16_t last)
{
    struct packet *pkt = lab_packet(pool, f);
    uint8_t *ip = pkt->data + ETH_HEADER_LEN, *l4 = ip + 20;
    bool is_more = last < 8u + f->payload;
    struct flow_key key;

    memmove(l4, l4 + first, last - first);
    pkt->len = ETH_HEADER_LEN + 20u + last - first;
    put_be16(ip + 2, htobe16((uint16_t) (20 + last - first)));
    put_be16(ip + 6, htobe16((uint16_t) (first / 8
                                         | (is_more ? IP4_FRAG_MORE : 0))));
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    flow_key_extract(pkt, &key);
    return pkt;
}

/* What it became; 0: it did not pass. */
static uint8_t
send_as(const struct lab_frame *f, uint16_t first, uint16_t last,
        const struct ct_request *req)
{
    struct packet *pkt = piece(f, first, last);
    uint8_t state;

    released = conntrack_execute(ct, 0, &pkt, 1, req, now, &verdict);
    state = verdict == CT_PASS ? pkt->ct_state : 0;
    if (verdict != CT_WAITS) {
        packet_free(pkt);
    }
    return state;
}

static uint8_t
look(uint16_t first, uint16_t last)
{
    return send_as(&udp, first, last, &(struct ct_request) { .zone = 0 });
}

static uint8_t
commit(uint16_t first, uint16_t last)
{
    return send_as(&udp, first, last, &(struct ct_request) { .commit = true });
}

static unsigned int
free_released(void)
{
    unsigned int n = 0;

    while (released) {
        struct packet *next = released->next;

        packet_free(released);
        released = next;
        n++;
    }
    return n;
}

TEST(later_fragments_are_what_the_first_was)
{
    CHECK(commit(0, 400) == NEW);
    CHECK(look(400, 800) == NEW && look(800, 1016) == NEW);
    CHECK(conntrack_count(ct) == 1);
}

TEST(a_later_fragment_waits_for_the_first)
{
    CHECK(!look(800, 1016) && verdict == CT_WAITS);
    CHECK(!look(400, 800) && verdict == CT_WAITS);
    CHECK(look(0, 400) == NEW);
    CHECK(released && released->ct_state == NEW);
    CHECK(free_released() == 2);
}

TEST(replies_in_fragments_are_replies)
{
    struct lab_frame back = lab_reverse(&udp);
    struct ct_request req = { .zone = 0 };

    commit(0, 1016);
    CHECK(send_as(&back, 0, 512, &req) == RPL);
    CHECK(send_as(&back, 512, 1016, &req) == RPL);
}

TEST(who_waits_too_long_is_given_up)
{
    struct packet *pkt = NULL;

    CHECK(!look(400, 800) && verdict == CT_WAITS);
    CHECK(!conntrack_give_up(ct, now));
    now += FRAGMENTS_TIME;
    for (unsigned int i = 0; i < FRAGMENTS_MAX && !pkt; i++) {
        pkt = conntrack_give_up(ct, now);
    }
    CHECK(pkt && !pkt->next);
    packet_free(pkt);
}

TEST(what_waits_at_the_end_is_freed)
{
    CHECK(!look(400, 800) && verdict == CT_WAITS);
}

/* RFC 5722, RFC 8200 section 4.5. */
TEST(fragments_that_overlap_end_the_datagram)
{
    CHECK(look(0, 400) == NEW);
    CHECK(!look(392, 800) && verdict == CT_FRAGMENT_BAD);
    CHECK(!look(800, 1016) && verdict == CT_FRAGMENT_BAD);
}

TEST(the_same_fragment_twice_is_dropped_alone)
{
    CHECK(look(0, 400) == NEW);
    CHECK(!look(0, 400) && verdict == CT_FRAGMENT_BAD);
    CHECK(look(400, 1016) == NEW);
}

TEST(an_identification_can_be_used_again)
{
    CHECK(look(0, 400) == NEW && look(400, 1016) == NEW);
    CHECK(look(0, 400) == NEW && look(400, 1016) == NEW);
}

TEST(a_first_fragment_holds_the_whole_header)
{
    struct lab_frame tcp = udp;

    tcp.proto = IP_PROTO_TCP;
    tcp.flags = LAB_SYN;
    CHECK(send_as(&tcp, 0, 16, &(struct ct_request) { .zone = 0 }) == INV);
}

TEST(what_waited_too_long_is_not_of_the_next_datagram)
{
    CHECK(!look(400, 800) && verdict == CT_WAITS);
    now += FRAGMENTS_TIME;
    CHECK(!look(800, 1016) && verdict == CT_WAITS);
    CHECK(commit(0, 400) == NEW && free_released() == 1);
    CHECK(look(400, 800) == NEW);
    for (unsigned int i = 0; i < FRAGMENTS_MAX && !released; i++) {
        released = conntrack_give_up(ct, now);
    }
    CHECK(free_released() == 1);
}

TEST(so_many_wait_and_no_more)
{
    struct lab_frame f = udp;
    unsigned int n_waiting = 0;

    for (uint16_t i = 0; i < 100; i++) {
        f.id = i;
        for (uint16_t at = 8; at < 8 + 10 * 8; at += 8) {
            send_as(&f, at, at + 8, &(struct ct_request) { .zone = 0 });
            n_waiting += verdict == CT_WAITS;
            CHECK(verdict == CT_WAITS || verdict == CT_FRAGMENT_FULL);
        }
    }
    CHECK(n_waiting == FRAGMENTS_WAITING);
}

/* RFC 4787 REQ-14: out of order, too. */
TEST(fragments_are_translated)
{
    struct ct_request req = { .commit = true, .nat = { .kind = CT_NAT_SRC,
                                                       .family = 4 } };
    struct packet *pkts[2] = { piece(&udp, 400, 1016), piece(&udp, 0, 400) };
    enum ct_verdict verdicts[2];

    put_be32(req.nat.min.b, htobe32(0xc6336401));
    req.nat.max = req.nat.min;
    released = conntrack_execute(ct, 0, pkts, 2, &req, now, verdicts);
    CHECK(verdicts[0] == CT_WAITS && verdicts[1] == CT_PASS);
    CHECK(released == pkts[0]);
    for (unsigned int i = 0; i < 2; i++) {
        const uint8_t *ip = pkts[i]->data + ETH_HEADER_LEN;

        CHECK(pkts[i]->ct_state == (NEW | FLOW_CT_SNAT));
        CHECK(get_be32(ip + 12) == htobe32(0xc6336401));
        CHECK(!checksum_fold(checksum_add(0, ip, 20)));
        packet_free(pkts[i]);
    }
}

#define RUN_CT(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_CT(later_fragments_are_what_the_first_was),
    RUN_CT(a_later_fragment_waits_for_the_first),
    RUN_CT(replies_in_fragments_are_replies),
    RUN_CT(who_waits_too_long_is_given_up),
    RUN_CT(what_waits_at_the_end_is_freed),
    RUN_CT(fragments_that_overlap_end_the_datagram),
    RUN_CT(the_same_fragment_twice_is_dropped_alone),
    RUN_CT(an_identification_can_be_used_again),
    RUN_CT(a_first_fragment_holds_the_whole_header),
    RUN_CT(what_waited_too_long_is_not_of_the_next_datagram),
    RUN_CT(so_many_wait_and_no_more),
    RUN_CT(fragments_are_translated),
)
