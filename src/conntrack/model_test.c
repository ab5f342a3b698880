/* The tracker against a plain model of it: a list that is searched from end to
 * end, tuples compared member by member, no hash, no slabs, nothing lazy.  Random
 * packets of few hosts and ports must get the same states, marks and tuples.  (How
 * TCP's numbers fit is tcp_test.c's; here it only sends SYN, and answers.) */
#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "lib/rng.h"
#include "unit.h"

enum { MAX_MODEL = 2048, N_PACKETS = 60000 };

struct entry {
    bool alive, is_answered;
    uint16_t zone;
    struct lab_frame first;
    uint32_t mark;
    msec expires;
};

static struct entry model[MAX_MODEL];

static bool
same_frame(const struct lab_frame *a, const struct lab_frame *b)
{
    return a->is_ip6 == b->is_ip6 && a->proto == b->proto && a->src == b->src
           && a->dst == b->dst && a->src_port == b->src_port
           && a->dst_port == b->dst_port;
}

static struct entry *
find(const struct lab_frame *f, uint16_t zone, msec now, bool *is_reply)
{
    for (unsigned int i = 0; i < MAX_MODEL; i++) {
        struct entry *e = &model[i];
        struct lab_frame back = lab_reverse(&e->first);

        if (!e->alive || e->zone != zone || e->expires <= now) {
            continue;
        }
        *is_reply = same_frame(f, &back);
        if (*is_reply || same_frame(f, &e->first)) {
            return e;
        }
    }
    return NULL;
}

static msec
timeout_of(const struct entry *e)
{
    switch (e->first.proto) {
    case IP_PROTO_UDP: return e->is_answered ? 5000 : 3000;
    case IP_PROTO_GRE: return e->is_answered ? 7000 : 2000;
    default: return 4000;
    }
}

static uint8_t
model_track(const struct lab_frame *f, const struct ct_request *req, msec now,
            uint32_t *mark)
{
    bool is_reply = false, asks = true;
    struct entry *e = find(f, req->zone, now, &is_reply);
    uint8_t state = FLOW_CT_TRK;

    *mark = 0;
    if (e && req->force && is_reply) {
        e->alive = false;
        e = NULL;
    }
    if (f->proto == IP_PROTO_ICMP) {
        asks = f->dst_port == 0x0800;
    } else if (f->proto == IP_PROTO_ICMPV6) {
        asks = f->dst_port == 0x8000;
    }
    if (!e && !asks) {
        return state | FLOW_CT_INV;
    }
    if (e) {
        e->is_answered |= is_reply;
        state |= is_reply ? FLOW_CT_EST | FLOW_CT_RPL
                 : e->is_answered ? FLOW_CT_EST : FLOW_CT_NEW;
    } else {
        state |= FLOW_CT_NEW;
        for (unsigned int i = 0; req->commit && i < MAX_MODEL; i++) {
            if (!model[i].alive || model[i].expires <= now) {
                e = &model[i];
                *e = (struct entry) { .alive = true, .zone = req->zone,
                                      .first = *f };
                break;
            }
        }
    }
    if (e) {
        e->expires = now + timeout_of(e);
        e->mark = (e->mark & ~req->mark_mask) | (req->mark & req->mark_mask);
        *mark = e->mark;
    }
    return state;
}

static struct lab_frame
random_frame(struct rng *rng)
{
    static const uint8_t protos[] = { IP_PROTO_UDP, IP_PROTO_UDP,
                                      IP_PROTO_ICMP, IP_PROTO_GRE };
    struct lab_frame f = {
        .proto = protos[rng_below(rng, ARRAY_SIZE(protos))],
        .is_ip6 = rng_one_in(rng, 3), .src = rng_below(rng, 4),
        .dst = 4 + rng_below(rng, 4),
    };

    switch (f.proto) {
    case IP_PROTO_UDP:
        f.src_port = (uint16_t) (1 + rng_below(rng, 8));
        f.dst_port = (uint16_t) (1 + rng_below(rng, 8));
        break;
    case IP_PROTO_ICMP:
        f.proto = f.is_ip6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
        f.src_port = (uint16_t) rng_below(rng, 8);
        f.dst_port = f.is_ip6 ? 0x8000 : 0x0800;
        break;
    default:
        break;
    }
    return rng_one_in(rng, 2) ? lab_reverse(&f) : f;
}

static void
set_timeouts(struct conntrack *ct)
{
    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_NEW, 3000);
    conntrack_set_timeout(ct, CT_TIMEOUT_UDP_ESTABLISHED, 5000);
    conntrack_set_timeout(ct, CT_TIMEOUT_OTHER_NEW, 2000);
    conntrack_set_timeout(ct, CT_TIMEOUT_OTHER_ESTABLISHED, 7000);
    conntrack_set_timeout(ct, CT_TIMEOUT_ICMP_NEW, 4000);
    conntrack_set_timeout(ct, CT_TIMEOUT_ICMP_REPLIED, 4000);
}

TEST(the_tracker_says_what_the_model_says)
{
    struct ct_config config = { .max_connections = 65536, .hash_seed = 5 };
    struct conntrack *ct = conntrack_create(&config);
    struct packet_pool *pool = packet_pool_create(4, 0);
    struct rng rng = { 1 };
    msec now = 1000;
    unsigned int n_answers = 0;

    set_timeouts(ct);
    for (unsigned int i = 0; i < N_PACKETS; i++) {
        struct lab_frame f = random_frame(&rng);
        struct ct_request req = {
            .zone = (uint16_t) rng_below(&rng, 3),
            .commit = rng_one_in(&rng, 2), .mark = rng_u32(&rng),
            .mark_mask = rng_one_in(&rng, 3) ? rng_u32(&rng) : 0,
        };
        struct packet *pkt = lab_packet(pool, &f);
        enum ct_verdict verdict;
        uint32_t mark;
        uint8_t expected;

        req.force = req.commit && rng_one_in(&rng, 10);
        now += rng_below(&rng, 20);
        expected = model_track(&f, &req, now, &mark);
        conntrack_execute(ct, 0, &pkt, 1, &req, now, &verdict);
        CHECK_MSG(pkt->ct_state == expected && pkt->ct.mark == mark,
                  "packet %u: state 0x%x, expected 0x%x; mark 0x%x, 0x%x", i,
                  pkt->ct_state, expected, pkt->ct.mark, mark);
        n_answers += !!(expected & FLOW_CT_RPL);
        packet_free(pkt);
        if (rng_one_in(&rng, 50)) {
            conntrack_sweep(ct, 0, 500, now);
        }
    }
    CHECK(n_answers > N_PACKETS / 50);
    packet_pool_destroy(pool);
    conntrack_destroy(ct);
}

TESTS(
    RUN(the_tracker_says_what_the_model_says),
)
