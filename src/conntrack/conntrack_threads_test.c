/* Several threads at one tracker: the same few hundred tuples, new connections,
 * ends by time, force and flush, in zones that share their external ports and one
 * outside of them, while others look.  The thread sanitizer watches;
 * and in the end everything adds up. */
#include <pthread.h>

#include "conntrack/conntrack.h"

#include "conntrack/conntrack_lab.h"
#include "lib/rng.h"
#include "unit.h"

enum { N_THREADS = 4, N_ROUNDS = 50000, N_PORTS = 300 };

enum { N_ZONES = 3 };
static const uint16_t zones[N_ZONES] = { 0, 1, 0xf001 };

struct thread {
    struct conntrack *ct;
    unsigned int slot;
    pthread_t id;
    uint64_t n_new, n_answers;
};

static bool
one_in_four(void *aux, const struct ct_info *info)
{
    (void) aux;
    return !(be16toh(info->original.src_port) & 3);
}

static bool
look_on(void *n, const struct ct_info *info)
{
    *(uint64_t *) n += info->bytes[0];
    return true;
}

static void
free_list(struct packet *list)
{
    while (list) {
        struct packet *next = list->next;

        packet_free(list);
        list = next;
    }
}

static void
one_round(struct thread *t, struct rng *rng, struct packet_pool *pool,
          msec now)
{
    struct lab_frame f = {
        .proto = rng_one_in(rng, 3) ? IP_PROTO_TCP : IP_PROTO_UDP,
        .is_ip6 = rng_one_in(rng, 4), .flags = LAB_SYN, .src = 1, .dst = 2,
        .src_port = (uint16_t) (1 + rng_below(rng, N_PORTS)),
        .dst_port = 80,
    };
    struct ct_request req = {
        .commit = rng_one_in(rng, 2), .zone = zones[rng_below(rng, N_ZONES)],
        .mark = t->slot, .mark_mask = 0xff,
    };
    enum ct_verdict verdict;
    struct packet *pkt;
    uint64_t n = 0;

    req.force = req.commit && rng_one_in(rng, 8);
    if (rng_one_in(rng, 2)) {
        req.nat.kind = !req.commit ? CT_NAT_EXISTING
                       : rng_one_in(rng, 4) ? CT_NAT_DST : CT_NAT_SRC;
        req.nat.family = req.commit ? 4 : 0;
        req.nat.min.b[0] = req.nat.max.b[0] = req.commit ? 9 : 0;
        f.frag = rng_one_in(rng, 8) ? IP4_FRAG_MORE : 0;
        f.id = (uint16_t) rng_below(rng, 50);
    }
    if (rng_one_in(rng, 8)) {
        f.dst = 9u << 24;             /* the external address */
        f.dst_port = (uint16_t) (1 + rng_below(rng, 2000));
    } else if (rng_one_in(rng, 2)) {
        f = lab_reverse(&f);
        f.flags = LAB_ACK;
    }
    pkt = lab_packet(pool, &f);
    free_list(conntrack_execute(t->ct, t->slot, &pkt, 1, &req, now,
                                &verdict));
    t->n_new += !!(pkt->ct_state & FLOW_CT_NEW);
    t->n_answers += !!(pkt->ct_state & FLOW_CT_RPL);
    CHECK(pkt->ct_state & FLOW_CT_TRK || verdict != CT_PASS);
    packet_free(pkt);
    if (rng_one_in(rng, 64)) {
        free_list(conntrack_give_up(t->ct, now));
        conntrack_sweep(t->ct, t->slot, 200, now);
    }
    if (rng_one_in(rng, 2000)) {
        conntrack_flush(t->ct, t->slot, now, one_in_four, NULL);
        conntrack_visit(t->ct, now, look_on, &n);
    }
}

static void *
run(void *t_)
{
    struct thread *t = t_;
    struct rng rng = { t->slot + 1 };
    struct packet_pool *pool = packet_pool_create(4, 0);

    for (unsigned int i = 0; i < N_ROUNDS; i++) {
        one_round(t, &rng, pool, 1000 + i);
    }
    packet_pool_destroy(pool);
    return NULL;
}

TEST(threads_share_a_tracker)
{
    struct ct_config config = { .n_slots = N_THREADS,
                                .max_connections = 4096,
                                .outside_zone_min = 0xf000 };
    struct conntrack *ct = conntrack_create(&config);
    struct thread threads[N_THREADS] = { 0 };
    struct ct_counters c;
    uint64_t n_new = 0, n_answers = 0;
    uint32_t n = 0;

    for (unsigned int i = 0; i < N_CT_TIMEOUTS; i++) {
        conntrack_set_timeout(ct, (enum ct_timeout) i, 700);
    }
    for (unsigned int i = 0; i < N_THREADS; i++) {
        threads[i] = (struct thread) { .ct = ct, .slot = i };
        CHECK(!pthread_create(&threads[i].id, NULL, run, &threads[i]));
    }
    for (unsigned int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        n_new += threads[i].n_new;
        n_answers += threads[i].n_answers;
    }
    conntrack_read_counters(ct, &c);
    CHECK(c.packets == (uint64_t) N_THREADS * N_ROUNDS);
    CHECK(n_new && n_answers && c.created && c.expired && c.ended);
    for (unsigned int i = 0; i < N_ZONES; i++) {
        CHECK(conntrack_zone_count(ct, zones[i]));
        n += conntrack_zone_count(ct, zones[i]);
    }
    CHECK(n == conntrack_count(ct));
    conntrack_flush(ct, 0, 0, NULL, NULL);
    CHECK(!conntrack_count(ct));
    for (unsigned int i = 0; i < N_ZONES; i++) {
        CHECK(!conntrack_zone_count(ct, zones[i]));
    }
    CHECK(!conntrack_n_mappings(ct));
    conntrack_destroy(ct);
}

TESTS(
    RUN(threads_share_a_tracker),
)
