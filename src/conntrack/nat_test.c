#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "unit.h"

enum { NEW = FLOW_CT_NEW | FLOW_CT_TRK, EST = FLOW_CT_EST | FLOW_CT_TRK,
       RPL = FLOW_CT_EST | FLOW_CT_RPL | FLOW_CT_TRK,
       SNAT = FLOW_CT_SNAT, DNAT = FLOW_CT_DNAT };

enum {
    A = 0x0a000001, B = 0x0a000002,               /* inside */
    E = 0xc6336401,                               /* our external address */
    X = 0xcb007105, Y = 0xcb007106,               /* outside */
};

static struct conntrack *ct;
static struct packet_pool *pool;
static struct packet *last;
static enum ct_verdict verdict;
static msec now;

static int
begin(void **state)
{
    struct ct_config config = { .max_connections = 70000 };

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

static void
run(const struct ct_request *req)
{
    struct flow_key key;

    flow_key_extract(last, &key);
    conntrack_execute(ct, 0, &last, 1, req, now, &verdict);
}

/* What becomes of the packet. */
static struct lab_frame
pass(const struct lab_frame *f, const struct ct_request *req)
{
    if (last) {
        packet_free(last);
    }
    last = lab_packet(pool, f);
    run(req);
    return lab_read(last);
}

static struct ct_request
source_nat(uint32_t min, uint32_t max)
{
    struct ct_request req = { .commit = true, .nat = { .kind = CT_NAT_SRC,
                                                       .family = 4 } };

    put_be32(req.nat.min.b, htobe32(min));
    put_be32(req.nat.max.b, htobe32(max));
    return req;
}

static struct lab_frame
out(const struct lab_frame *f)
{
    struct ct_request req = source_nat(E, E);

    return pass(f, &req);
}

static const struct ct_request bare = { .nat.kind = CT_NAT_EXISTING };

static struct lab_frame
udp(uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port)
{
    return (struct lab_frame) {
        .proto = IP_PROTO_UDP, .src = src, .dst = dst, .src_port = src_port,
        .dst_port = dst_port, .payload = 21,
    };
}

TEST(the_source_is_translated_and_back)
{
    struct lab_frame f = udp(A, 5000, X, 53), got, back;

    got = out(&f);
    CHECK(last->ct_state == (NEW | SNAT));
    CHECK(got.src == E && got.src_port == 5000 && got.dst == X);
    back = lab_reverse(&got);
    got = pass(&back, &bare);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL);
    CHECK(got.dst == A && got.dst_port == 5000 && got.src == X);
    got = pass(&f, &bare);
    CHECK(last->ct_state == (EST | SNAT) && got.src == E);
}

TEST(without_nat_in_the_action_nothing_is_translated)
{
    struct lab_frame f = udp(A, 5000, X, 53), got;

    out(&f);
    got = pass(&f, &(struct ct_request) { .commit = false });
    CHECK(got.src == A && last->ct_state == NEW);
}

TEST(a_packet_is_translated_once)
{
    struct lab_frame f = udp(A, 5000, X, 53);

    out(&f);
    run(&bare);
    CHECK(lab_read(last).src == E);
}

/* RFC 4787 REQ-1. */
TEST(mapping_does_not_depend_on_the_other_end)
{
    struct lab_frame f = udp(A, 5000, X, 53), g = udp(A, 5000, Y, 99);
    struct lab_frame other = udp(B, 5000, X, 53);
    uint16_t port;

    out(&other);
    port = out(&f).src_port;
    CHECK(port != 5000);
    CHECK(out(&g).src_port == port);
    CHECK(conntrack_count(ct) == 3 && conntrack_n_mappings(ct) == 2);
}

/* RFC 4787 REQ-3, REQ-4. */
TEST(ports_are_kept_where_free_and_parity_where_not)
{
    struct lab_frame f = udp(A, 5001, X, 53), g = udp(B, 5001, X, 53), got;

    CHECK(out(&f).src_port == 5001);
    got = out(&g);
    CHECK(got.src_port != 5001 && got.src_port & 1 && got.src_port >= 1024);
    f.src_port = g.src_port = 500;
    CHECK(out(&f).src_port == 500);
    got = out(&g);
    CHECK(got.src_port != 500 && !(got.src_port & 1) && got.src_port < 1024);
}

/* RFC 4787 REQ-8: endpoint-independent filtering is the flows' business. */
TEST(who_comes_from_outside_is_led_to_the_inside)
{
    struct lab_frame f = udp(A, 5000, X, 53), in, got;
    struct ct_request keep = bare;

    in = udp(Y, 7, E, 5000);
    got = pass(&in, &bare);
    CHECK(got.dst == E && last->ct_state == NEW);
    out(&f);
    got = pass(&in, &bare);
    CHECK(got.dst == A && got.dst_port == 5000);
    CHECK(last->ct_state == (NEW | DNAT));
    CHECK(conntrack_count(ct) == 1);
    /* And committed where the next table says so. */
    keep.commit = true;
    run(&keep);
    CHECK(lab_read(last).dst == A && conntrack_count(ct) == 2);
    got = pass(&in, &bare);
    CHECK(got.dst == A && last->ct_state == (NEW | DNAT));
    f = udp(A, 5000, Y, 7);
    got = pass(&f, &bare);
    CHECK(got.src == E && got.src_port == 5000 && got.dst == Y);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL);
}

/* RFC 4787 REQ-9. */
TEST(two_insides_talk_by_their_external_addresses)
{
    struct lab_frame fa = udp(A, 5000, X, 53), fb = udp(B, 6000, X, 53), f, got;
    struct ct_request req = source_nat(E, E);

    out(&fa);
    out(&fb);
    f = udp(A, 5000, E, 6000);
    got = pass(&f, &bare);
    CHECK(got.dst == B && got.src == A);
    run(&req);
    got = lab_read(last);
    CHECK(got.src == E && got.src_port == 5000);
    CHECK(got.dst == B && got.dst_port == 6000);
    f = lab_reverse(&got);
    got = pass(&f, &bare);
    CHECK(got.src == E && got.src_port == 6000);
    CHECK(got.dst == A && got.dst_port == 5000);
}

TEST(a_range_of_the_other_family_is_not_for_this_packet)
{
    struct ct_request req = source_nat(E, E);
    struct lab_frame f = udp(1, 5000, 2, 53), back;

    f.is_ip6 = true;
    CHECK(pass(&f, &req).src == 1 && last->ct_state == NEW);
    back = lab_reverse(&f);
    CHECK(pass(&back, &bare).dst == 1 && last->ct_state == RPL);
    CHECK(conntrack_flush(ct, 0, now, NULL, NULL) == 1);
}

TEST(a_mapping_lives_as_long_as_its_sessions)
{
    struct lab_frame f = udp(A, 5000, X, 53), g = udp(A, 5000, Y, 53);
    struct lab_frame in = udp(Y, 9, E, 5000);

    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_NEW, 1000);
    out(&f);
    now += 500;
    out(&g);
    now += 700;
    conntrack_sweep(ct, 0, 4096, now);
    CHECK(conntrack_count(ct) == 1 && conntrack_n_mappings(ct) == 1);
    CHECK(pass(&in, &bare).dst == A);
    now += 500;
    conntrack_sweep(ct, 0, 4096, now);
    CHECK(!conntrack_count(ct) && !conntrack_n_mappings(ct));
    CHECK(pass(&in, &bare).dst == E);
}

TEST(a_given_range_of_ports_is_used_up)
{
    struct ct_request req = source_nat(E, E);
    bool seen[4] = { false };

    req.nat.has_ports = true;
    req.nat.port_min = 9000;
    req.nat.port_max = 9003;
    for (unsigned int i = 0; i < 4; i++) {
        struct lab_frame f = udp(A + i, 5000, X, 53), got = pass(&f, &req);

        CHECK(verdict == CT_PASS);
        CHECK(got.src_port >= 9000 && got.src_port <= 9003);
        CHECK(!seen[got.src_port - 9000]);
        seen[got.src_port - 9000] = true;
    }
    pass(&(struct lab_frame) { .proto = IP_PROTO_UDP, .src = A + 9, .dst = X,
                               .src_port = 1, .dst_port = 2 }, &req);
    CHECK(verdict == CT_NAT_NO_PORT && conntrack_count(ct) == 4);
}

/* RFC 4787 REQ-2: and a second choice when the first is used up. */
TEST(a_host_has_one_external_address)
{
    struct ct_request req = source_nat(E, E + 7);
    unsigned int n_addresses = 0;
    bool seen[8] = { false };

    for (uint32_t host = 0; host < 32; host++) {
        uint32_t addr = 0;

        for (uint16_t port = 2000; port < 2010; port++) {
            struct lab_frame f = udp(A + host, port, X, 53);
            struct lab_frame got = pass(&f, &req);

            CHECK(got.src >= E && got.src <= E + 7);
            CHECK(!addr || got.src == addr);
            addr = got.src;
        }
        n_addresses += !seen[addr - E];
        seen[addr - E] = true;
    }
    CHECK(n_addresses > 3);
}

TEST(every_port_of_an_address_can_be_had)
{
    struct ct_request req = source_nat(E, E);
    static bool seen[65536];

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < 64512; i++) {
        struct lab_frame f = udp(A + i / 63, (uint16_t) (1024 + i % 63 * 7), X,
                                 53);
        struct lab_frame got = pass(&f, &req);

        CHECK(verdict == CT_PASS && !seen[got.src_port]);
        seen[got.src_port] = true;
    }
    pass(&(struct lab_frame) { .proto = IP_PROTO_UDP, .src = X, .dst = Y,
                               .src_port = 2000 }, &req);
    CHECK(verdict == CT_NAT_NO_PORT);
}

TEST(the_destination_is_translated_and_back)
{
    struct ct_request req = { .commit = true, .nat = {
        .kind = CT_NAT_DST, .family = 4, .has_ports = true, .port_min = 8080,
        .port_max = 8080,
    } };
    struct lab_frame f = udp(X, 700, E, 80), got, back;

    put_be32(req.nat.min.b, htobe32(A));
    req.nat.max = req.nat.min;
    got = pass(&f, &req);
    CHECK(last->ct_state == (NEW | DNAT));
    CHECK(got.dst == A && got.dst_port == 8080 && got.src == X);
    back = lab_reverse(&got);
    got = pass(&back, &bare);
    CHECK(got.src == E && got.src_port == 80 && got.dst == X);
}

TEST(tcp_is_translated_with_its_state)
{
    struct lab_frame f = {
        .proto = IP_PROTO_TCP, .src = A, .dst = X, .src_port = 4000,
        .dst_port = 80, .flags = LAB_SYN, .seq = 5,
    };
    struct lab_frame got = out(&f), back = lab_reverse(&got);

    CHECK(got.src == E);
    back.flags = LAB_SYN | LAB_ACK;
    back.ack = 6;
    back.seq = 100;
    CHECK(pass(&back, &bare).dst == A);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL);
}

/* RFC 5508 REQ-1, REQ-3. */
TEST(pings_are_told_apart_by_their_identifier)
{
    struct lab_frame f = {
        .proto = IP_PROTO_ICMP, .src = A, .dst = X, .src_port = 77,
        .dst_port = 0x0800,
    };
    struct lab_frame g = f, got, back;

    g.src = B;
    CHECK(out(&f).src_port == 77);
    got = out(&g);
    CHECK(got.src == E && got.src_port != 77);
    back = lab_reverse(&got);
    got = pass(&back, &bare);
    CHECK(got.dst == B && got.src_port == 77);
}

/* RFC 5508 REQ-4. */
TEST(an_error_from_outside_is_translated_inside_and_out)
{
    struct lab_frame f = udp(A, 5000, X, 53), g = udp(B, 5000, X, 53);
    struct lab_frame error = { .proto = IP_PROTO_ICMP, .src = Y, .dst = E,
                               .dst_port = 0x0303 };
    struct lab_frame sent, got;

    out(&g);
    sent = out(&f);
    error.about = &sent;
    got = pass(&error, &bare);
    CHECK(last->ct_state & FLOW_CT_REL);
    CHECK(got.src == Y && got.dst == A);
    got = lab_read_inner(last);
    CHECK(got.src == A && got.src_port == 5000 && got.dst == X);
}

/* RFC 5508 REQ-5. */
TEST(an_error_from_inside_does_not_show_who_tells_it)
{
    struct lab_frame f = udp(A, 5000, X, 53), back, got;
    struct lab_frame error = { .proto = IP_PROTO_ICMP, .src = B, .dst = X,
                               .dst_port = 0x0301 };

    got = out(&f);
    back = lab_reverse(&got);
    got = pass(&back, &bare);
    error.about = &got;
    got = pass(&error, &bare);
    CHECK(got.src == E && got.dst == X);
    got = lab_read_inner(last);
    CHECK(got.src == X && got.dst == E && got.dst_port == 5000);
}

TEST(ipv6_and_other_protocols)
{
    struct ct_request req = { .commit = true, .nat = { .kind = CT_NAT_SRC,
                                                       .family = 6 } };
    static const uint8_t prefix[4] = { 0x20, 0x01, 0x0d, 0xb8 };
    struct lab_frame f = udp(1, 5000, 2, 53), gre, got, back;

    memcpy(req.nat.min.b, prefix, sizeof prefix);
    req.nat.min.b[15] = 99;
    req.nat.max = req.nat.min;
    f.is_ip6 = true;
    got = pass(&f, &req);
    CHECK(got.src == 99 && got.src_port == 5000);
    back = lab_reverse(&got);
    CHECK(pass(&back, &bare).dst == 1);

    gre = (struct lab_frame) { .proto = IP_PROTO_GRE, .src = A, .dst = X };
    CHECK(out(&gre).src == E);
    gre.src = B;
    out(&gre);
    CHECK(verdict == CT_NAT_NO_PORT);
}

#define RUN_CT(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_CT(the_source_is_translated_and_back),
    RUN_CT(without_nat_in_the_action_nothing_is_translated),
    RUN_CT(a_packet_is_translated_once),
    RUN_CT(mapping_does_not_depend_on_the_other_end),
    RUN_CT(ports_are_kept_where_free_and_parity_where_not),
    RUN_CT(who_comes_from_outside_is_led_to_the_inside),
    RUN_CT(two_insides_talk_by_their_external_addresses),
    RUN_CT(a_range_of_the_other_family_is_not_for_this_packet),
    RUN_CT(a_mapping_lives_as_long_as_its_sessions),
    RUN_CT(a_given_range_of_ports_is_used_up),
    RUN_CT(a_host_has_one_external_address),
    RUN_CT(every_port_of_an_address_can_be_had),
    RUN_CT(the_destination_is_translated_and_back),
    RUN_CT(tcp_is_translated_with_its_state),
    RUN_CT(pings_are_told_apart_by_their_identifier),
    RUN_CT(an_error_from_outside_is_translated_inside_and_out),
    RUN_CT(an_error_from_inside_does_not_show_who_tells_it),
    RUN_CT(ipv6_and_other_protocols),
)
