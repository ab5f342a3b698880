#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "lib/str.h"
#include "unit.h"

static struct packet_pool *pool;
static msec now = 1000;

static struct conntrack *
make(void)
{
    return conntrack_create(&(struct ct_config) { .max_connections = 4096 });
}

static int
add_bytes(void *to, const void *bytes, size_t len)
{
    str_add_bytes(to, bytes, len);
    return 0;
}

static uint8_t
track(struct conntrack *ct, const struct lab_frame *f,
      const struct ct_request *req, struct lab_frame *after)
{
    struct packet *pkt = lab_packet(pool, f);
    enum ct_verdict verdict;
    uint8_t state;

    conntrack_execute(ct, 0, &pkt, 1, req, now, &verdict);
    state = pkt->ct_state;
    if (after) {
        *after = lab_read(pkt);
    }
    packet_free(pkt);
    return state;
}

static struct lab_frame
udp(uint16_t src_port)
{
    return (struct lab_frame) {
        .proto = IP_PROTO_UDP, .src = 0x0a000001, .dst = 0xcb007105,
        .src_port = src_port, .dst_port = 53,
    };
}

static const struct ct_request snat = {
    .commit = true, .mark = 7, .mark_mask = 0xff,
    .nat = { .kind = CT_NAT_SRC, .family = 4,
             .min = { { 198, 51, 100, 1 } }, .max = { { 198, 51, 100, 1 } } },
};
static const struct ct_request bare = { .nat.kind = CT_NAT_EXISTING };

/* Some of every kind. */
static void
fill(struct conntrack *ct)
{
    struct lab_frame f = udp(5000), six = udp(6000);
    struct lab_frame syn = {
        .proto = IP_PROTO_TCP, .src = 1, .dst = 2, .src_port = 3,
        .dst_port = 4, .flags = LAB_SYN, .seq = 100, .scale = 3,
    };

    track(ct, &f, &snat, NULL);
    six.is_ip6 = true;
    track(ct, &six, &(struct ct_request) { .commit = true, .zone = 9 }, NULL);
    track(ct, &syn, &(struct ct_request) { .commit = true }, NULL);
}

static void
save(struct conntrack *ct, struct str *bytes)
{
    assert_int_equal(conntrack_save(ct, false, now, add_bytes, bytes), 0);
}

TEST(connections_go_on_in_another_process)
{
    struct conntrack *old = make(), *new = make();
    struct lab_frame f = udp(5000), back, got, syn;
    struct str bytes = STR_INIT;
    uint32_t n;

    fill(old);
    track(old, &f, &bare, &got);
    save(old, &bytes);
    now += 100000;
    CHECK(!conntrack_load(new, 0, bytes.text, bytes.len, 1000, now, &n));
    CHECK(n == 3 && conntrack_count(new) == 3);
    CHECK(conntrack_n_mappings(new) == 1 && conntrack_zone_count(new, 9) == 1);
    back = lab_reverse(&got);
    CHECK(track(new, &back, &bare, &got) & FLOW_CT_EST);
    CHECK(got.dst == 0x0a000001 && got.dst_port == 5000);
    /* The port stays taken. */
    f.src = 0x0a000002;
    track(new, &f, &snat, &got);
    CHECK(got.src_port != 5000);
    /* And TCP's windows are known. */
    syn = (struct lab_frame) {
        .proto = IP_PROTO_TCP, .src = 2, .dst = 1, .src_port = 4,
        .dst_port = 3, .flags = LAB_SYN | LAB_ACK, .seq = 9, .ack = 101,
    };
    CHECK(track(new, &syn, &bare, NULL) & FLOW_CT_EST);
    str_fini(&bytes);
    conntrack_destroy(old);
    conntrack_destroy(new);
}

static struct lab_frame
segment(bool is_answer, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct lab_frame f = {
        .proto = IP_PROTO_TCP, .src = 1, .dst = 2, .src_port = 3,
        .dst_port = 4, .flags = flags, .seq = seq, .ack = ack,
        .payload = flags & LAB_PSH ? 100 : 0,
    };
    struct lab_frame back = lab_reverse(&f);

    return is_answer ? back : f;
}

static bool
fits(struct conntrack *ct, bool is_answer, uint8_t flags, uint32_t seq,
     uint32_t ack)
{
    static const struct ct_request commit = { .commit = true };
    struct lab_frame f = segment(is_answer, flags, seq, ack);

    return !(track(ct, &f, &commit, NULL) & FLOW_CT_INV);
}

/* A transfer of megabytes between the snapshot and the crash. */
TEST(a_tcp_that_went_on_says_where_it_is)
{
    enum { FAR = 50 << 20 };
    const uint8_t data = LAB_PSH | LAB_ACK;

    for (unsigned int goes_on = 0; goes_on < 2; goes_on++) {
        struct conntrack *old = make(), *new = make();
        struct str bytes = STR_INIT;
        uint32_t n;

        CHECK(fits(old, false, LAB_SYN, 100, 0));
        CHECK(fits(old, true, LAB_SYN | LAB_ACK, 500, 101));
        CHECK(fits(old, false, data, 101, 501));
        CHECK(fits(old, true, LAB_ACK, 501, 201));
        CHECK(!conntrack_save(old, goes_on, now, add_bytes, &bytes));
        CHECK(!conntrack_load(new, 0, bytes.text, bytes.len, 0, now, &n));
        CHECK(!fits(new, false, LAB_RST, FAR, 0));
        CHECK(fits(new, false, data, FAR, 501) == goes_on);
        CHECK(fits(new, true, LAB_ACK, 501, FAR + 100) == goes_on);
        CHECK(fits(new, true, LAB_ACK, 501, 201) != goes_on);
        CHECK(!fits(new, false, data, FAR / 2, 501));
        CHECK(!fits(new, false, data, 2u * FAR, 501));
        str_fini(&bytes);
        conntrack_destroy(old);
        conntrack_destroy(new);
    }
}

TEST(what_had_no_time_left_stays_behind)
{
    struct conntrack *old = make(), *new = make();
    struct str bytes = STR_INIT;
    uint32_t n;

    fill(old);
    save(old, &bytes);
    CHECK(!conntrack_load(new, 0, bytes.text, bytes.len, 130 * 1000, now,
                          &n));
    CHECK(n == 1);
    str_fini(&bytes);
    conntrack_destroy(old);
    conntrack_destroy(new);
}

TEST(damaged_bytes_change_nothing)
{
    struct conntrack *old = make(), *new = make();
    struct str bytes = STR_INIT;
    uint32_t n;

    fill(old);
    save(old, &bytes);
    for (size_t i = 0; i < bytes.len; i += 7) {
        bytes.text[i] ^= 1;
        CHECK(conntrack_load(new, 0, bytes.text, bytes.len, 0, now, &n)
              == -EBADMSG);
        bytes.text[i] ^= 1;
        CHECK(conntrack_load(new, 0, bytes.text, i, 0, now, &n) == -EBADMSG);
    }
    CHECK(!conntrack_count(new));
    str_fini(&bytes);
    conntrack_destroy(old);
    conntrack_destroy(new);
}

TEST(twice_is_once)
{
    struct conntrack *ct = make();
    struct str bytes = STR_INIT;
    uint32_t n;

    fill(ct);
    save(ct, &bytes);
    CHECK(!conntrack_load(ct, 0, bytes.text, bytes.len, 0, now, &n) && !n);
    CHECK(conntrack_count(ct) == 3 && conntrack_zone_count(ct, 0) == 2);
    conntrack_flush(ct, 0, now, NULL, NULL);
    CHECK(!conntrack_n_mappings(ct) && !conntrack_zone_count(ct, 0));
    str_fini(&bytes);
    conntrack_destroy(ct);
}

static int
make_pool(void **state)
{
    (void) state;
    pool = packet_pool_create(8, 0);
    return 0;
}

static int
drop_pool(void **state)
{
    (void) state;
    packet_pool_destroy(pool);
    return 0;
}

#define RUN_CT(NAME)                                                         \
    cmocka_unit_test_setup_teardown(NAME, make_pool, drop_pool)

TESTS(
    RUN_CT(connections_go_on_in_another_process),
    RUN_CT(a_tcp_that_went_on_says_where_it_is),
    RUN_CT(what_had_no_time_left_stays_behind),
    RUN_CT(damaged_bytes_change_nothing),
    RUN_CT(twice_is_once),
)
