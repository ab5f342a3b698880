#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "unit.h"

enum { NEW = FLOW_CT_NEW | FLOW_CT_TRK, EST = FLOW_CT_EST | FLOW_CT_TRK,
       RPL = FLOW_CT_EST | FLOW_CT_RPL | FLOW_CT_TRK,
       INV = FLOW_CT_INV | FLOW_CT_TRK, REL = FLOW_CT_REL | FLOW_CT_TRK,
       REL_RPL = FLOW_CT_REL | FLOW_CT_RPL | FLOW_CT_TRK };

static struct conntrack *ct;
static struct packet_pool *pool;
static struct packet *last;       /* of track() */
static enum ct_verdict verdict;
static msec now;

static int
begin(void **state)
{
    struct ct_config config = { .max_connections = 2048 };

    (void) state;
    ct = conntrack_create(&config);
    pool = packet_pool_create(64, 0);
    now = 1000;
    return 0;
}

static int
end(void **state)
{
    (void) state;
    if (last) {
        packet_free(last);
        last = NULL;
    }
    conntrack_destroy(ct);
    packet_pool_destroy(pool);
    return 0;
}

static uint8_t
track_as(const struct lab_frame *f, const struct ct_request *req)
{
    if (last) {
        packet_free(last);
    }
    last = lab_packet(pool, f);
    conntrack_execute(ct, 0, &last, 1, req, now, &verdict);
    return last->ct_state;
}

static uint8_t
look(const struct lab_frame *f)
{
    return track_as(f, &(struct ct_request) { .zone = 0 });
}

static uint8_t
commit(const struct lab_frame *f)
{
    return track_as(f, &(struct ct_request) { .commit = true });
}

static const struct lab_frame udp = {
    .proto = IP_PROTO_UDP, .src = 0x0a000001, .dst = 0x0a000002,
    .src_port = 1000, .dst_port = 53, .payload = 20,
};

TEST(udp_is_new_until_it_is_answered)
{
    struct lab_frame answer = lab_reverse(&udp);

    CHECK(look(&udp) == NEW && !last->ct.generation);
    CHECK(!conntrack_count(ct));
    CHECK(commit(&udp) == NEW && last->ct.generation);
    CHECK(conntrack_count(ct) == 1);
    CHECK(look(&udp) == NEW);
    CHECK(look(&udp) == NEW);
    CHECK(look(&answer) == RPL);
    CHECK(look(&udp) == EST);
    CHECK(commit(&udp) == EST);
    CHECK(conntrack_count(ct) == 1);
}

TEST(the_original_tuple_is_told_of_both_directions)
{
    struct lab_frame answer = lab_reverse(&udp);
    struct flow_key key;

    commit(&udp);
    look(&answer);
    CHECK(last->ct.tp_src == htobe16(1000) && last->ct.tp_dst == htobe16(53));
    CHECK(last->ct.proto == IP_PROTO_UDP);
    flow_key_extract(last, &key);
    CHECK(key.f.ct_src4 == htobe32(0x0a000001));
    CHECK(key.f.ct_dst4 == htobe32(0x0a000002));
    CHECK(key.f.ct_state == htobe32(RPL));
}

TEST(zones_are_apart)
{
    struct lab_frame answer = lab_reverse(&udp);

    track_as(&udp, &(struct ct_request) { .zone = 7, .commit = true });
    CHECK(look(&answer) == NEW);
    CHECK(track_as(&answer, &(struct ct_request) { .zone = 7 }) == RPL);
    CHECK(conntrack_zone_count(ct, 7) == 1 && !conntrack_zone_count(ct, 0));
}

TEST(mark_and_label_belong_to_the_connection)
{
    struct lab_frame answer = lab_reverse(&udp);
    struct ct_request set = {
        .commit = true, .mark = 0x1234, .mark_mask = 0xffff,
        .label = { { 1, 2 } }, .label_mask = { { 0xff } },
    };

    track_as(&udp, &set);
    CHECK(last->ct.mark == 0x1234 && last->ct.label.b[0] == 1);
    look(&answer);
    CHECK(last->ct.mark == 0x1234);
    CHECK(last->ct.label.b[0] == 1 && !last->ct.label.b[1]);
    set.mark = 0x560000;
    set.mark_mask = 0xff0000;
    track_as(&answer, &set);
    CHECK(last->ct.mark == 0x561234);
}

TEST(what_was_tracked_in_this_zone_counts_once)
{
    struct ct_request set = { .mark = 5, .mark_mask = 7, .commit = true };

    commit(&udp);
    CHECK(last->ct_state == NEW);
    conntrack_execute(ct, 0, &last, 1, &set, now, &verdict);
    CHECK(last->ct_state == NEW && last->ct.mark == 5);
}

TEST(force_begins_anew_from_the_other_side)
{
    struct lab_frame answer = lab_reverse(&udp);
    struct ct_request force = { .commit = true, .force = true };

    commit(&udp);
    CHECK(look(&answer) == RPL);
    CHECK(track_as(&answer, &force) == NEW);
    CHECK(look(&udp) == RPL);
    CHECK(conntrack_count(ct) == 1);
}

TEST(connections_end_when_their_time_is_over)
{
    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_NEW, 500);
    commit(&udp);
    now += 499;
    CHECK(look(&udp) == NEW && last->ct.generation);
    now += 500;
    CHECK(look(&udp) == NEW && !last->ct.generation);
    CHECK(!conntrack_count(ct));

    commit(&udp);
    CHECK(!conntrack_sweep(ct, 0, 4096, now));
    now += 500;
    CHECK(conntrack_sweep(ct, 0, 4096, now) == 1);
    CHECK(!conntrack_count(ct) && !conntrack_zone_count(ct, 0));
}

TEST(a_zone_has_as_many_as_it_may_and_says_so_before)
{
    struct lab_frame f = udp;
    uint16_t zones[4];

    conntrack_set_zone_limit(ct, 0, 10);
    for (unsigned int i = 0; i < 8; i++, f.src_port++) {
        commit(&f);
    }
    CHECK(!conntrack_take_alarms(ct, zones, 4));
    commit(&f);
    f.src_port++;
    CHECK(conntrack_take_alarms(ct, zones, 4) == 1 && zones[0] == 0);
    commit(&f);
    CHECK(verdict == CT_PASS);
    f.src_port++;
    commit(&f);
    CHECK(verdict == CT_ZONE_FULL);
    CHECK(!conntrack_take_alarms(ct, zones, 4));
    CHECK(conntrack_count(ct) == 10);
}

TEST(a_full_table_refuses_and_recovers)
{
    struct lab_frame f = udp;

    for (unsigned int i = 0; i < 2048; i++, f.src_port++) {
        commit(&f);
        CHECK(verdict == CT_PASS);
    }
    commit(&f);
    CHECK(verdict == CT_FULL);
    CHECK(conntrack_flush(ct, 0, now, NULL, NULL) == 2048);
    commit(&f);
    CHECK(verdict == CT_PASS);
    CHECK(conntrack_count(ct) == 1);
}

/* ---- ICMP ---- */

static const struct lab_frame ping = {
    .proto = IP_PROTO_ICMP, .src = 0x0a000001, .dst = 0x0a000002,
    .src_port = 77, .dst_port = 0x0800, .payload = 8,
};

TEST(an_echo_and_its_reply_are_a_connection)
{
    struct lab_frame answer = lab_reverse(&ping), other = ping;

    CHECK(look(&answer) == INV);
    commit(&ping);
    CHECK(last->ct.tp_src == htobe16(8) && !last->ct.tp_dst);
    CHECK(look(&answer) == RPL);
    CHECK(look(&ping) == EST);
    other.src_port++;
    CHECK(look(&other) == NEW);
    /* The other side's own ping is no reply. */
    other = ping;
    other.src = ping.dst;
    other.dst = ping.src;
    CHECK(look(&other) == NEW);
}

TEST(an_error_is_related_to_what_it_is_about)
{
    struct lab_frame error = {
        .proto = IP_PROTO_ICMP, .src = 0x0a0000fe, .dst = 0x0a000001,
        .dst_port = 0x0303, .about = &udp,
    };
    struct lab_frame answer = lab_reverse(&udp), to_server = error;

    CHECK(look(&error) == INV);
    commit(&udp);
    CHECK(look(&error) == REL_RPL);
    CHECK(last->ct.tp_dst == htobe16(53));
    to_server.about = &answer;
    to_server.dst = udp.dst;
    CHECK(look(&to_server) == REL);
    to_server.dst = 0x0a000009;
    CHECK(look(&to_server) == INV);
}

TEST(ipv6_has_the_same)
{
    struct lab_frame echo = {
        .is_ip6 = true, .proto = IP_PROTO_ICMPV6, .src = 1, .dst = 2,
        .src_port = 9, .dst_port = 0x8000,
    };
    struct lab_frame answer = lab_reverse(&echo);
    struct lab_frame error = {
        .is_ip6 = true, .proto = IP_PROTO_ICMPV6, .src = 3, .dst = 1,
        .dst_port = 0x0200, .about = &echo,
    };
    struct lab_frame solicit = echo;

    commit(&echo);
    CHECK(look(&answer) == RPL);
    CHECK(look(&error) == REL_RPL);
    CHECK(last->ct.src.b[0] == 0x20 && last->ct.src.b[15] == 1);
    solicit.dst_port = 0x8700;
    CHECK(look(&solicit) == INV);
}

/* ---- What is wrong ---- */

TEST(broken_packets_are_invalid)
{
    struct lab_frame f = udp;

    f.bad_sum = true;
    CHECK(look(&f) == INV);
    CHECK(!last->ct.proto);
    f.is_ip6 = true;
    CHECK(look(&f) == INV);
    f.bad_sum = false;
    CHECK(look(&f) == NEW);
    f.proto = IP_PROTO_IGMP;
    f.is_ip6 = false;
    CHECK(look(&f) == INV);
    f.proto = IP_PROTO_GRE;
    CHECK(look(&f) == NEW);
}

TEST(others_are_told_apart_by_address)
{
    struct lab_frame gre = { .proto = IP_PROTO_GRE, .src = 1, .dst = 2,
                             .payload = 30 };
    struct lab_frame back = lab_reverse(&gre);

    commit(&gre);
    CHECK(look(&back) == RPL);
    CHECK(look(&gre) == EST);
}

/* ---- SCTP ---- */

TEST(sctp_goes_by_its_tags)
{
    struct lab_frame init = {
        .proto = IP_PROTO_SCTP, .src = 1, .dst = 2, .src_port = 10,
        .dst_port = 20, .chunk = 1, .own_tag = 111,
    };
    struct lab_frame ack = lab_reverse(&init), data = init, f;

    CHECK(commit(&init) == NEW);
    ack.chunk = 2;
    ack.tag = 111;
    ack.own_tag = 222;
    CHECK(look(&ack) == RPL);
    data.chunk = 10;
    data.tag = 222;
    data.own_tag = 0;
    CHECK(look(&data) == EST);
    data.tag = 223;
    CHECK(look(&data) == INV);
    f = lab_reverse(&data);
    f.chunk = 6;
    f.tag = 1;
    CHECK(look(&f) == INV);
    f.tag = 111;
    CHECK(look(&f) == RPL);
    CHECK(look(&init) == NEW && !last->ct.generation);
    f = init;
    f.src_port++;
    f.bad_sum = true;
    CHECK(look(&f) == INV);
}

/* ---- Lists ---- */

static bool
count_one(void *n, const struct ct_info *info)
{
    CHECK(info->original.zone == 0);
    (*(unsigned int *) n)++;
    return true;
}

static bool
is_port_1001(void *aux, const struct ct_info *info)
{
    (void) aux;
    return info->original.src_port == htobe16(1001);
}

TEST(connections_are_listed_flushed_and_found)
{
    struct lab_frame f = udp;
    struct ct_tuple tuple = {
        .family = 4, .proto = IP_PROTO_UDP, .src_port = htobe16(53),
        .dst_port = htobe16(1000), .src = { { 10, 0, 0, 2 } },
        .dst = { { 10, 0, 0, 1 } },
    };
    struct ct_info info;
    unsigned int n = 0, dir = 9;

    for (unsigned int i = 0; i < 5; i++, f.src_port++) {
        commit(&f);
    }
    conntrack_visit(ct, now, count_one, &n);
    CHECK(n == 5);
    CHECK(conntrack_flush(ct, 0, now, is_port_1001, NULL) == 1);
    n = 0;
    conntrack_visit(ct, now, count_one, &n);
    CHECK(n == 4);
    CHECK(conntrack_find(ct, &tuple, now, &info, &dir) && dir == 1);
    CHECK(info.original.dst_port == htobe16(53) && !info.is_answered);
    tuple.dst_port = htobe16(1001);
    CHECK(!conntrack_find(ct, &tuple, now, &info, &dir));
}

#define RUN_CT(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_CT(udp_is_new_until_it_is_answered),
    RUN_CT(the_original_tuple_is_told_of_both_directions),
    RUN_CT(zones_are_apart),
    RUN_CT(mark_and_label_belong_to_the_connection),
    RUN_CT(what_was_tracked_in_this_zone_counts_once),
    RUN_CT(force_begins_anew_from_the_other_side),
    RUN_CT(connections_end_when_their_time_is_over),
    RUN_CT(a_zone_has_as_many_as_it_may_and_says_so_before),
    RUN_CT(a_full_table_refuses_and_recovers),
    RUN_CT(an_echo_and_its_reply_are_a_connection),
    RUN_CT(an_error_is_related_to_what_it_is_about),
    RUN_CT(ipv6_has_the_same),
    RUN_CT(broken_packets_are_invalid),
    RUN_CT(others_are_told_apart_by_address),
    RUN_CT(sctp_goes_by_its_tags),
    RUN_CT(connections_are_listed_flushed_and_found),
)
