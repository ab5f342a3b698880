/* Outside zones: tenants with the same inside addresses share external ones, and
 * what comes back is led by its destination's mapping. */
#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "lib/rng.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "unit.h"

enum { NEW = FLOW_CT_NEW | FLOW_CT_TRK, EST = FLOW_CT_EST | FLOW_CT_TRK,
       RPL = FLOW_CT_EST | FLOW_CT_RPL | FLOW_CT_TRK,
       SNAT = FLOW_CT_SNAT, DNAT = FLOW_CT_DNAT };

enum {
    A = 0x0a000001, B = 0x0a000002,               /* inside, of each tenant */
    E = 0xc6336401,                               /* our external address */
    X = 0xcb007105, Y = 0xcb007106,               /* outside */
    RED = 0xe001, BLUE = 0xe002, WAN = 0xf001,    /* zones */
};

static struct conntrack *ct;
static struct packet_pool *pool;
static struct packet *last;
static enum ct_verdict verdict;
static msec now;

static int
begin(void **state)
{
    struct ct_config config = { .max_connections = 70000,
                                .outside_zone_min = 0xf000 };

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
    assert_int_equal(packet_pool_in_use(pool), 0);
    packet_pool_destroy(pool);
    return 0;
}

/* Once more, as it is now. */
static struct lab_frame
again(const struct ct_request *req)
{
    struct flow_key key;

    flow_key_extract(last, &key);
    conntrack_execute(ct, 0, &last, 1, req, now, &verdict);
    return lab_read(last);
}

static struct lab_frame
pass(const struct lab_frame *f, const struct ct_request *req)
{
    if (last) {
        packet_free(last);
    }
    last = lab_packet(pool, f);
    return again(req);
}

static struct ct_request
leave(uint16_t zone, uint32_t external)
{
    struct ct_request req = {
        .zone = zone, .commit = true, .mark = zone, .mark_mask = UINT32_MAX,
        .nat = { .kind = CT_NAT_SRC, .family = 4 },
    };

    put_be32(req.nat.min.b, htobe32(external));
    req.nat.max = req.nat.min;
    return req;
}

static struct lab_frame
out(const struct lab_frame *f, uint16_t zone)
{
    struct ct_request req = leave(zone, E);

    return pass(f, &req);
}

static struct lab_frame
in(const struct lab_frame *f)
{
    return pass(f, &(struct ct_request) { .zone = WAN,
                                          .nat.kind = CT_NAT_EXISTING });
}

static struct lab_frame
udp(uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port)
{
    return (struct lab_frame) {
        .proto = IP_PROTO_UDP, .src = src, .dst = dst, .src_port = src_port,
        .dst_port = dst_port, .payload = 24,
    };
}

TEST(answers_find_their_tenant)
{
    struct lab_frame f = udp(A, 5000, X, 53), red, blue, got;

    red = out(&f, RED);
    blue = out(&f, BLUE);
    CHECK(red.src == E && red.src_port == 5000);
    CHECK(blue.src == E && blue.src_port != 5000);
    f = lab_reverse(&blue);
    got = in(&f);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL);
    CHECK(last->ct.zone == BLUE && last->ct.mark == BLUE);
    CHECK(got.dst == A && got.dst_port == 5000);
    f = lab_reverse(&red);
    got = in(&f);
    CHECK(last->ct.zone == RED && last->ct.mark == RED && got.dst == A);
    /* Asked for in its own zone then, it counts no more. */
    again(&(struct ct_request) { .zone = RED });
    CHECK(last->ct.mark == RED && lab_read(last).dst == A);
    CHECK(conntrack_count(ct) == 2 && !conntrack_zone_count(ct, WAN));
}

TEST(a_stray_comes_to_the_inside_in_its_zone)
{
    struct lab_frame f = udp(A, 5000, X, 53), stray = udp(Y, 7, E, 5000), got;
    struct ct_request keep = { .zone = BLUE, .commit = true,
                               .nat.kind = CT_NAT_EXISTING };

    got = in(&stray);
    CHECK(got.dst == E && last->ct.zone == WAN && last->ct_state == NEW);
    out(&f, BLUE);
    got = in(&stray);
    CHECK(got.dst == A && last->ct_state == (NEW | DNAT));
    CHECK(last->ct.zone == BLUE && conntrack_count(ct) == 1);
    again(&keep);
    CHECK(conntrack_zone_count(ct, BLUE) == 2);
    in(&stray);
    CHECK(last->ct_state == (NEW | DNAT) && last->ct.zone == BLUE);
    f = udp(A, 5000, Y, 7);
    keep.commit = false;
    got = pass(&f, &keep);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL && got.src == E);
}

TEST(committed_from_outside_it_is_of_the_inside_zone)
{
    struct lab_frame f = udp(A, 5000, X, 53), stray = udp(Y, 7, E, 5000), got;

    out(&f, BLUE);
    got = pass(&stray, &(struct ct_request) { .zone = WAN, .commit = true,
                                              .nat.kind = CT_NAT_EXISTING });
    CHECK(got.dst == A && last->ct.zone == BLUE);
    CHECK(conntrack_zone_count(ct, BLUE) == 2);
    CHECK(!conntrack_zone_count(ct, WAN));
}

/* A packet that only another tenant's mapping fits is nothing to an inside zone. */
TEST(inside_zones_do_not_look_into_others)
{
    struct lab_frame f = udp(A, 5000, X, 53), g = udp(B, 6000, E, 5000), got;
    struct lab_frame back = udp(X, 53, E, 5000);

    out(&f, RED);
    got = pass(&g, &(struct ct_request) { .zone = BLUE,
                                          .nat.kind = CT_NAT_EXISTING });
    CHECK(got.dst == E && last->ct.zone == BLUE && last->ct_state == NEW);
    got = pass(&back, &(struct ct_request) { .zone = BLUE,
                                             .nat.kind = CT_NAT_EXISTING });
    CHECK(got.dst == E && last->ct.zone == BLUE && last->ct_state == NEW);
}

/* A tenant's packet to an external address leaves and comes in again. */
TEST(tenants_talk_by_their_external_addresses)
{
    struct lab_frame fa = udp(A, 5000, X, 53), fb = udp(A, 6000, X, 53), f, got;
    struct ct_request to_red = leave(RED, E);
    struct ct_request in_wan = { .zone = WAN, .nat.kind = CT_NAT_EXISTING };
    struct ct_request keep = { .zone = BLUE, .commit = true,
                               .nat.kind = CT_NAT_EXISTING };

    out(&fa, RED);
    out(&fb, BLUE);
    f = udp(A, 5000, E, 6000);
    got = pass(&f, &to_red);
    CHECK(got.src == E && got.dst == E);
    got = again(&in_wan);
    CHECK(got.src == E && got.src_port == 5000);
    CHECK(got.dst == A && got.dst_port == 6000 && last->ct.zone == BLUE);
    again(&keep);
    f = lab_reverse(&got);
    got = pass(&f, &(struct ct_request) { .zone = BLUE,
                                          .nat.kind = CT_NAT_EXISTING });
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL);
    CHECK(got.src == E && got.src_port == 6000 && got.dst == E);
    got = again(&in_wan);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL && last->ct.zone == RED);
    CHECK(got.src == E && got.src_port == 6000);
    CHECK(got.dst == A && got.dst_port == 5000);
}

TEST(errors_find_their_tenant)
{
    struct lab_frame f = udp(A, 5000, X, 53), sent, got;
    struct lab_frame ping = { .proto = IP_PROTO_ICMP, .src = A, .dst = X,
                              .src_port = 77, .dst_port = 0x0800 };
    struct lab_frame error = { .proto = IP_PROTO_ICMP, .src = Y, .dst = E,
                               .dst_port = 0x0b00, .about = &sent };

    out(&f, RED);
    sent = out(&f, BLUE);
    got = in(&error);
    CHECK(last->ct_state & FLOW_CT_REL && last->ct.zone == BLUE);
    CHECK(last->ct.mark == BLUE && got.src == Y && got.dst == A);
    got = lab_read_inner(last);
    CHECK(got.src == A && got.src_port == 5000 && got.dst == X);

    out(&ping, RED);
    sent = out(&ping, BLUE);
    CHECK(sent.src_port != 77);
    got = in(&error);
    CHECK(last->ct_state & FLOW_CT_REL && last->ct.zone == BLUE);
    CHECK(got.dst == A && lab_read_inner(last).src_port == 77);

    sent = udp(E, 9999, X, 53);
    got = in(&error);
    CHECK(last->ct_state & FLOW_CT_INV && got.dst == E);
}

/* ---- What flows lead to an inside ---- */

static struct lab_frame
forward(const struct lab_frame *f, uint16_t zone, uint32_t to)
{
    struct ct_request req = {
        .zone = zone, .commit = true, .mark = zone, .mark_mask = UINT32_MAX,
        .nat = { .kind = CT_NAT_DST, .family = 4, .has_ports = true,
                 .port_min = 8443, .port_max = 8443 },
    };

    put_be32(req.nat.min.b, htobe32(to));
    req.nat.max = req.nat.min;
    return pass(f, &req);
}

TEST(a_forward_is_found_from_outside_with_its_errors)
{
    struct lab_frame f = udp(X, 700, E, 443), got, back;
    struct lab_frame error = { .proto = IP_PROTO_ICMP, .src = Y, .dst = E,
                               .dst_port = 0x0304, .about = &back };
    struct lab_frame stranger = udp(Y, 700, E, 443);

    in(&f);
    CHECK(last->ct_state == NEW && last->ct.zone == WAN);
    got = forward(&f, BLUE, A);
    CHECK(got.dst == A && got.dst_port == 8443);
    got = in(&f);
    CHECK(last->ct_state == (NEW | DNAT) && last->ct.zone == BLUE);
    CHECK(last->ct.mark == BLUE && got.dst == A && got.dst_port == 8443);
    back = lab_reverse(&got);
    back = pass(&back, &(struct ct_request) { .zone = BLUE,
                                              .nat.kind = CT_NAT_EXISTING });
    CHECK(back.src == E && back.src_port == 443);
    got = in(&error);
    CHECK(last->ct_state & FLOW_CT_REL && last->ct.zone == BLUE);
    CHECK(got.dst == A && lab_read_inner(last).src_port == 8443);
    /* It opens the port to nobody: that is up to the flows. */
    got = in(&stranger);
    CHECK(last->ct_state == NEW && got.dst == E);
}

TEST(a_forwards_port_is_its_zones_while_it_has_sessions)
{
    struct lab_frame f = udp(X, 700, E, 8443), g = udp(Y, 700, E, 8443);
    struct lab_frame mine = udp(A, 8443, X, 53), theirs = udp(B, 8443, X, 53);

    forward(&f, BLUE, A);
    forward(&g, BLUE, B);
    CHECK(verdict == CT_PASS && conntrack_n_mappings(ct) == 1);
    CHECK(in(&g).dst == B);
    CHECK(out(&mine, BLUE).src_port == 8443);
    CHECK(out(&theirs, BLUE).src_port != 8443);
    CHECK(out(&theirs, RED).src_port != 8443);
    forward(&f, RED, A);
    CHECK(verdict == CT_NAT_NO_PORT);
    CHECK(conntrack_flush(ct, 0, now, NULL, NULL) == 5);
    CHECK(!conntrack_n_mappings(ct));
    forward(&f, RED, A);
    CHECK(verdict == CT_PASS && in(&f).dst == A && last->ct.zone == RED);
}

/* ---- In the next process ---- */

struct saved {
    uint8_t bytes[4096];
    size_t n;
};

static int
keep(void *saved_, const void *bytes, size_t n)
{
    struct saved *saved = saved_;

    CHECK(saved->n + n <= sizeof saved->bytes);
    memcpy(saved->bytes + saved->n, bytes, n);
    saved->n += n;
    return 0;
}

TEST(the_next_process_leads_alike)
{
    struct lab_frame f = udp(A, 5000, X, 53), answer, got;
    struct lab_frame fwd = udp(X, 700, E, 443);
    struct lab_frame stranger = udp(Y, 700, E, 443);
    struct ct_config config = { .outside_zone_min = 0xf000 };
    struct saved saved = { .n = 0 };
    uint32_t n;

    answer = out(&f, BLUE);
    answer = lab_reverse(&answer);
    forward(&fwd, RED, A);
    CHECK(!conntrack_save(ct, false, now, keep, &saved));
    conntrack_destroy(ct);
    ct = conntrack_create(&config);
    now += 500000;
    CHECK(!conntrack_load(ct, 0, saved.bytes, saved.n, 50, now, &n) && n == 2);
    in(&answer);
    CHECK((last->ct_state & ~(SNAT | DNAT)) == RPL && last->ct.zone == BLUE);
    got = in(&fwd);
    CHECK(got.dst_port == 8443 && last->ct.zone == RED);
    got = in(&stranger);
    CHECK(got.dst == E && last->ct_state == NEW);
    stranger.dst_port = 5000;
    got = in(&stranger);
    CHECK(got.dst == A && last->ct.zone == BLUE);
}

/* ---- Fragments ---- */

/* The first fragment's bytes 0..16 behind the IP header, or what is left. */
static struct packet *
fragment(const struct lab_frame *f, bool is_first)
{
    struct packet *pkt = lab_packet(pool, f);
    uint8_t *ip = pkt->data + ETH_HEADER_LEN, *l4 = ip + 20;
    uint16_t len = is_first ? 16 : (uint16_t) (8 + f->payload - 16);
    struct flow_key key;

    memmove(l4, l4 + (is_first ? 0 : 16), len);
    pkt->len = ETH_HEADER_LEN + 20u + len;
    put_be16(ip + 2, htobe16((uint16_t) (20 + len)));
    put_be16(ip + 6, htobe16(is_first ? IP4_FRAG_MORE : 2));
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    flow_key_extract(pkt, &key);
    return pkt;
}

static bool
came_to_blue(struct packet *pkt)
{
    bool came = (pkt->ct_state & ~(SNAT | DNAT)) == RPL
                && pkt->ct.zone == BLUE && pkt->ct.mark == BLUE
                && get_be32(pkt->data + ETH_HEADER_LEN + 16) == htobe32(A);

    packet_free(pkt);
    return came;
}

TEST(fragments_find_their_tenant_in_any_order)
{
    struct lab_frame f = udp(A, 5000, X, 53), answer;
    struct ct_request req = { .zone = WAN, .nat.kind = CT_NAT_EXISTING };
    struct packet *released;

    out(&f, RED);
    answer = out(&f, BLUE);
    answer = lab_reverse(&answer);
    answer.id = 1;
    answer.payload = 24;
    for (unsigned int i = 0; i < 2; i++, answer.id++) {
        struct packet *one = fragment(&answer, !i);
        struct packet *other = fragment(&answer, i);

        CHECK(!conntrack_execute(ct, 0, &one, 1, &req, now, &verdict));
        CHECK(verdict == (i ? CT_WAITS : CT_PASS));
        CHECK(i || came_to_blue(one));
        released = conntrack_execute(ct, 0, &other, 1, &req, now, &verdict);
        CHECK(verdict == CT_PASS && came_to_blue(other));
        CHECK(i ? released == one && came_to_blue(one) : !released);
    }
}

/* ---- Against a plain model ---- */

enum { N_STEPS = 40000, N_SESSIONS = 512, LIFE = 4000, N_HOSTS = 4,
       N_PORTS = 6 };

/* What left; the tracker chose its outside. */
struct session {
    msec expires;
    uint16_t zone, port;
    struct lab_frame inside, outside;
};

static struct session sessions[N_SESSIONS];

static bool
is_alive(const struct session *s)
{
    return s->expires > now;
}

static bool
same_source(const struct lab_frame *a, const struct lab_frame *b)
{
    return a->src == b->src && a->src_port == b->src_port
           && a->proto == b->proto;
}

static void
model_leave(struct rng *rng)
{
    struct lab_frame f = udp(A + rng_below(rng, N_HOSTS),
                             (uint16_t) (2000 + rng_below(rng, N_PORTS)),
                             X + rng_below(rng, 2),
                             (uint16_t) (50 + rng_below(rng, 3)));
    uint16_t zone = (uint16_t) (RED + rng_below(rng, 3));
    struct lab_frame got = out(&f, zone);
    struct session *mine = NULL;

    CHECK(verdict == CT_PASS && got.src == E);
    for (unsigned int i = 0; i < N_SESSIONS; i++) {
        struct session *s = &sessions[i];

        if (!is_alive(s)) {
            mine = mine ? mine : s;
            continue;
        }
        /* One inside, one outside; and nobody else's. */
        CHECK((s->zone == zone && same_source(&s->inside, &f))
              == (s->outside.src_port == got.src_port));
        if (s->zone == zone && same_source(&s->inside, &f)
            && s->inside.dst == f.dst && s->inside.dst_port == f.dst_port) {
            s->expires = 0;
            mine = s;
        }
    }
    CHECK(mine);
    *mine = (struct session) { .expires = now + LIFE, .zone = zone,
                               .inside = f, .outside = got };
}

static void
model_come(struct rng *rng)
{
    const struct session *any = &sessions[rng_below(rng, N_SESSIONS)];
    struct lab_frame f = udp(X + rng_below(rng, 2),
                             (uint16_t) (50 + rng_below(rng, 3)), E,
                             any->outside.src_port ? any->outside.src_port
                                                   : 2000);
    const struct session *to = NULL, *answered = NULL;
    struct lab_frame got = in(&f);

    for (unsigned int i = 0; i < N_SESSIONS; i++) {
        const struct session *s = &sessions[i];

        if (!is_alive(s) || s->outside.src_port != f.dst_port) {
            continue;
        }
        to = s;
        if (s->outside.dst == f.src && s->outside.dst_port == f.src_port) {
            answered = s;
            sessions[i].expires = now + LIFE;
        }
    }
    if (!to) {
        CHECK(last->ct_state == NEW && last->ct.zone == WAN && got.dst == E);
        return;
    }
    CHECK((last->ct_state & ~(SNAT | DNAT)) == (answered ? RPL : NEW));
    CHECK(last->ct.zone == to->zone);
    CHECK(last->ct.mark == (answered ? to->zone : 0));
    CHECK(got.dst == to->inside.src && got.dst_port == to->inside.src_port);
}

TEST(the_tracker_leads_where_the_model_leads)
{
    struct rng rng = { 3 };
    unsigned int n = 0;

    memset(sessions, 0, sizeof sessions);
    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_NEW, LIFE);
    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_ESTABLISHED, LIFE);
    for (unsigned int i = 0; i < N_STEPS; i++) {
        now += rng_below(&rng, 60);
        /* Sessions end lazily, and so do mappings; the model's at once. */
        conntrack_sweep(ct, 0, 1024, now);
        if (rng_one_in(&rng, 2)) {
            model_leave(&rng);
        } else {
            model_come(&rng);
        }
        n += !!(last->ct_state & FLOW_CT_RPL);
    }
    CHECK(n > N_STEPS / 20);
}

#define RUN_CT(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

TESTS(
    RUN_CT(answers_find_their_tenant),
    RUN_CT(a_stray_comes_to_the_inside_in_its_zone),
    RUN_CT(committed_from_outside_it_is_of_the_inside_zone),
    RUN_CT(inside_zones_do_not_look_into_others),
    RUN_CT(tenants_talk_by_their_external_addresses),
    RUN_CT(errors_find_their_tenant),
    RUN_CT(a_forward_is_found_from_outside_with_its_errors),
    RUN_CT(a_forwards_port_is_its_zones_while_it_has_sessions),
    RUN_CT(the_next_process_leads_alike),
    RUN_CT(fragments_find_their_tenant_in_any_order),
    RUN_CT(the_tracker_leads_where_the_model_leads),
)
