#include "datapath/datapath.h"

#include "lib/rcu.h"

#include "datapath/flow_cache.h"
#include "lib/clock.h"
#include "lib/rng.h"
#include "packet/eth.h"
#include "unit.h"

/* ---- A port in memory ---- */

struct mem_port {
    struct port port;
    struct batch in;                    /* what the next rx gives */
    unsigned int n_sent;
    uint8_t last[128];                  /* bytes of the last packet sent */
    uint32_t last_len;
};

static int
mem_rx(struct port *port, unsigned int queue UNUSED,
       struct packet_pool *pool, struct batch *batch)
{
    struct mem_port *m = (struct mem_port *) port;
    int n = (int) m->in.n;

    for (int i = 0; i < n; i++) {
        struct packet *pkt = packet_clone(pool, m->in.pkts[i]);

        pkt->in_port = port->id;
        batch_add(batch, pkt);
    }
    m->in.n = 0;
    return n;
}

static void
mem_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
       bool borrow)
{
    struct mem_port *m = (struct mem_port *) port;

    for (unsigned int i = 0; i < batch->n; i++) {
        struct packet *pkt = batch->pkts[i];

        m->n_sent++;
        m->last_len = pkt->len;
        memcpy(m->last, pkt->data, MIN(pkt->len, sizeof m->last));
        if (!borrow) {
            packet_free(pkt);
        }
    }
}

static usec
mem_next_rx(const struct port *port UNUSED, unsigned int queue UNUSED)
{
    return 0;
}

static const struct port_class mem_class = {
    .type = "mem", .rx = mem_rx, .tx = mem_tx, .next_rx = mem_next_rx,
};

/* ---- A switch of a few lines ---- */

struct rig {
    struct datapath *dp;
    struct packet_pool *pool;
    struct mem_port ports[5];           /* [1]..[4] */
    uint64_t version;
    unsigned int n_upcalls, n_packet_ins;
    uint64_t packets, bytes;            /* credited */
    /* What the next translations answer. */
    void (*translate)(struct rig *, struct upcall *);
    uint16_t out_tp_dst;
};

static void
rig_upcall(void *rig_, struct upcall *upcall)
{
    struct rig *rig = rig_;

    rig->n_upcalls++;
    upcall->version = rig->version;
    upcall->credit = 7;
    rig->translate(rig, upcall);
}

static bool
rig_packet_in(void *rig_, const struct packet *pkt UNUSED,
              const struct flow_key *key UNUSED,
              const struct dp_action_controller *a UNUSED)
{
    struct rig *rig = rig_;

    rig->n_packet_ins++;
    return true;
}

static void
rig_credit(void *rig_, uint64_t credit, uint64_t packets, uint64_t bytes,
           msec used UNUSED)
{
    struct rig *rig = rig_;

    CHECK(credit == 7);
    rig->packets += packets;
    rig->bytes += bytes;
}

static uint64_t
rig_version(void *rig_)
{
    return ((struct rig *) rig_)->version;
}

static struct rig *
rig_create(struct datapath_config config)
{
    struct rig *rig = xzalloc_aligned(sizeof *rig);
    struct datapath_calls calls = {
        .upcall = rig_upcall, .packet_in = rig_packet_in,
        .credit_done = rig_credit, .version = rig_version, .aux = rig,
    };

    config.inline_only = true;
    rig->dp = datapath_create(&config, &calls);
    CHECK(rig->dp);
    rig->pool = packet_pool_create(64, 4);
    for (unsigned int i = 1; i < ARRAY_SIZE(rig->ports); i++) {
        struct port *p = &rig->ports[i].port;

        p->class = &mem_class;
        p->id = i;
        p->n_rxq = p->n_txq = 1;
        p->state = PORT_UP;
        CHECK(!datapath_add_port(rig->dp, p));
    }
    return rig;
}

static void
rig_destroy(struct rig *rig)
{
    for (unsigned int i = 1; i < ARRAY_SIZE(rig->ports); i++) {
        datapath_remove_port(rig->dp, &rig->ports[i].port);
    }
    datapath_destroy(rig->dp);
    packet_pool_destroy(rig->pool);
    free(rig);
}

/* A UDP packet, 60 bytes. */
static void
send(struct rig *rig, unsigned int port, be32 src, be32 dst, uint16_t tp_dst)
{
    static const uint8_t head[] = {
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x10, 0, 0, 0, 0, 26, 0, 0,
    };
    struct packet *pkt = packet_alloc(rig->pool, 64);

    memset(pkt->data, 0, 60);
    memcpy(pkt->data, head, sizeof head);
    put_be32(pkt->data + 26, src);
    put_be32(pkt->data + 30, dst);
    put_be16(pkt->data + 36, htobe16(tp_dst));
    pkt->len = 60;
    batch_add(&rig->ports[port].in, pkt);
    datapath_poll_once(rig->dp);
    packet_free(pkt);
}

static uint64_t
counter(const struct rig *rig, size_t ofs)
{
    struct datapath_counters c;

    datapath_read_counters(rig->dp, &c);
    return *(uint64_t *) (void *) ((char *) &c + ofs);
}
#define COUNTER(RIG, NAME) \
    counter(RIG, offsetof(struct datapath_counters, NAME))

static uint64_t
drops(const struct rig *rig, enum drop_reason reason)
{
    uint64_t d[N_DROP_REASONS];

    datapath_read_drops(rig->dp, NULL, d);
    return d[reason];
}

static void
add_output(struct upcall *upcall, uint32_t port)
{
    struct dp_action_output *o = dp_actions_add(&upcall->actions,
                                                DP_ACTION_OUTPUT, sizeof *o);

    o->port = port;
}

/* By destination address: 10.0.0.N goes to port N. */
static void
route(struct rig *rig UNUSED, struct upcall *upcall)
{
    upcall->mask.bits.key.eth_type = 0xffff;
    upcall->mask.bits.key.nw_dst = 0xffffffff;
    upcall->tables[0] = 1;
    add_output(upcall, be32toh(upcall->key->f.nw_dst) & 0xff);
}

/* ---- Tests ---- */

TEST(one_translation_serves_all_packets_of_its_mask)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = route;
    for (uint32_t i = 0; i < 100; i++) {
        send(rig, 1, htobe32(i), htobe32(0x0a000002), (uint16_t) i);
    }
    CHECK(rig->ports[2].n_sent == 100);
    CHECK(rig->n_upcalls == 1);
    CHECK(COUNTER(rig, packets) == 100);
    rig_destroy(rig);
}

TEST(a_port_never_uses_the_entry_of_another)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = route;
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    send(rig, 3, 1, htobe32(0x0a000002), 1);
    CHECK(rig->n_upcalls == 2);
    rig_destroy(rig);
}

TEST(a_change_makes_exactly_the_touched_entries_stale)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });
    struct flow value = { 0 };
    struct flow_mask mask = { 0 };
    struct datapath_change change = { 0, &value, &mask };

    rig->translate = route;
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    send(rig, 1, 1, htobe32(0x0a000003), 1);
    value.key.nw_dst = htobe32(0x0a000003);
    mask.bits.key.nw_dst = 0xffffffff;
    rig->version++;
    datapath_invalidate(rig->dp, &change, 1);
    CHECK(COUNTER(rig, invalidations) == 1);
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    CHECK(rig->n_upcalls == 2);
    send(rig, 1, 1, htobe32(0x0a000003), 1);
    CHECK(rig->n_upcalls == 3);
    CHECK(COUNTER(rig, revalidations) == 1);

    /* Another table: nobody looked into it. */
    change.table = 1;
    datapath_invalidate(rig->dp, &change, 1);
    CHECK(COUNTER(rig, invalidations) == 1);
    /* The whole table. */
    change = (struct datapath_change) { 0, NULL, NULL };
    datapath_invalidate(rig->dp, &change, 1);
    CHECK(COUNTER(rig, invalidations) == 3);
    rig_destroy(rig);
}

TEST(many_changes_at_once_find_the_same_entries_as_one_by_one)
{
    struct rng rng = { 11 };

    for (unsigned int round = 0; round < 20; round++) {
        struct rig *rig = rig_create((struct datapath_config) { 0 });
        struct datapath_change changes[64];
        struct flow values[64] = { 0 };
        struct flow_mask masks[2] = { 0 };
        unsigned int expected = 0, n = 1 + rng_below(&rng, 64);
        bool touched[256] = { false };

        rig->translate = route;
        for (uint32_t i = 0; i < 256; i++) {
            send(rig, 1, 1, htobe32(0x0a000000 | i), 1);
        }
        masks[0].bits.key.nw_dst = 0xffffffff;
        masks[1].bits.key.nw_dst = htobe32(0xfffffff0);
        masks[1].bits.key.tp_dst = 0xffff;      /* not in the entries' mask */
        for (unsigned int i = 0; i < n; i++) {
            unsigned int m = rng_below(&rng, 2);
            uint32_t low = rng_below(&rng, 256);

            if (m) {
                low &= 0xf0;
            }
            values[i].key.nw_dst = htobe32(0x0a000000 | low);
            changes[i] = (struct datapath_change) { 0, &values[i],
                                                    &masks[m] };
            for (uint32_t k = 0; k < (m ? 16 : 1); k++) {
                touched[low + k] = true;
            }
        }
        for (unsigned int i = 0; i < 256; i++) {
            expected += touched[i];
        }
        datapath_invalidate(rig->dp, changes, n);
        CHECK(COUNTER(rig, invalidations) == expected);
        rig_destroy(rig);
    }
}

/* As route(), but the answer depends on the port as well. */
static void
route_by_port_too(struct rig *rig, struct upcall *upcall)
{
    route(rig, upcall);
    upcall->mask.bits.key.tp_dst = 0xffff;
}

TEST(a_stale_entry_gives_way_to_one_of_another_mask)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });
    struct dp_cache_size size;

    rig->translate = route;
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    datapath_invalidate_all(rig->dp);
    rig->translate = route_by_port_too;
    for (unsigned int i = 0; i < 5; i++) {
        send(rig, 1, 1, htobe32(0x0a000002), 1);
    }
    CHECK(rig->n_upcalls == 2);
    datapath_cache_size(rig->dp, &size);
    CHECK(size.n_entries == 1);
    rig_destroy(rig);
}

static void
route_while_tables_change(struct rig *rig, struct upcall *upcall)
{
    route(rig, upcall);
    rig->version++;
}

TEST(an_entry_made_from_old_tables_is_not_used_again)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = route_while_tables_change;
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    rig->translate = route;
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    CHECK(rig->n_upcalls == 2);
    send(rig, 1, 1, htobe32(0x0a000002), 1);
    CHECK(rig->n_upcalls == 2);
    CHECK(COUNTER(rig, races) == 1);
    rig_destroy(rig);
}

static void
exactly(struct rig *rig UNUSED, struct upcall *upcall)
{
    upcall->mask.bits.key.eth_type = 0xffff;
    upcall->mask.bits.key.nw_src = 0xffffffff;
    upcall->mask.bits.key.nw_dst = 0xffffffff;
    upcall->mask.bits.key.tp_dst = 0xffff;
    add_output(upcall, 2);
}

TEST(a_port_over_its_entry_quota_evicts_its_own_entries)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .max_entries = 1024 });
    struct dp_cache_size size;

    rig->translate = exactly;
    for (uint32_t i = 0; i < 100; i++) {
        send(rig, 3, htobe32(i), 1, 1);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        send(rig, 1, htobe32(i), 1, 1);
    }
    datapath_cache_size(rig->dp, &size);
    CHECK(size.n_entries == 100 + 1024 / 4);
    CHECK(COUNTER(rig, evictions) == 5000 - 1024 / 4);
    rig->n_upcalls = 0;
    for (uint32_t i = 0; i < 100; i++) {
        send(rig, 3, htobe32(i), 1, 1);
    }
    CHECK(rig->n_upcalls == 0);
    rig_destroy(rig);
}

static void
by_prefix(struct rig *rig UNUSED, struct upcall *upcall)
{
    unsigned int n = be32toh(upcall->key->f.nw_src) % 32;

    upcall->mask.bits.key.eth_type = 0xffff;
    upcall->mask.bits.key.nw_src = 0xffffffff;
    upcall->mask.bits.key.nw_dst = htobe32(UINT32_MAX << n);
    add_output(upcall, 2);
}

TEST(a_port_over_its_mask_quota_gets_exact_entries)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .max_masks = 16 });
    struct dp_cache_size size;

    rig->translate = by_prefix;
    for (uint32_t i = 0; i < 320; i++) {
        send(rig, 1, htobe32(i), htobe32(i * 7919), 1);
    }
    datapath_cache_size(rig->dp, &size);
    CHECK(size.n_masks <= 16 / 4 + 2);
    CHECK(COUNTER(rig, inserts_exact) > 0);
    CHECK(rig->ports[2].n_sent == 320);
    rig_destroy(rig);
}

static void
exactly_after_a_while(struct rig *rig, struct upcall *upcall)
{
    /* As if another had the processor for so long. */
    nanosleep(&(struct timespec) { .tv_nsec = 6000000 }, NULL);
    rig->translate = exactly;
    exactly(rig, upcall);
}

TEST(a_worker_that_had_to_wait_translates_still)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .upcalls_per_second = 100000 });

    rig->translate = exactly_after_a_while;
    send(rig, 1, 1, 1, 1);
    send(rig, 1, 1, 1, 1);
    CHECK(COUNTER(rig, hits_l1) == 1);
    send(rig, 1, 2, 1, 1);
    CHECK(rig->ports[2].n_sent == 3 && !drops(rig, DROP_UPCALL_BUDGET));
    rig_destroy(rig);
}

static void
route_by_hard_work(struct rig *rig, struct upcall *upcall)
{
    nsec end = clock_thread_nsec() + 150 * 1000;

    while (clock_thread_nsec() < end) {
        continue;
    }
    route(rig, upcall);
}

/* All at once, as after a change of many flow entries: in less time than misses
 * may take, a slow machine aside, which has another look at them by then. */
TEST(what_tables_outdated_takes_nothing_from_new_flows)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .upcalls_per_second = 100000 });
    struct datapath_change all = { 0, NULL, NULL };

    rig->translate = route;
    for (uint32_t i = 0; i < 50; i++) {
        send(rig, 1, 1, htobe32(0x0a000002 + (i << 8)), 1);
    }
    rig->version++;
    datapath_invalidate(rig->dp, &all, 1);
    /* The window of time begins anew. */
    nanosleep(&(struct timespec) { .tv_nsec = 11000000 }, NULL);
    for (uint32_t i = 0; i < 50; i++) {
        rig->translate = route_by_hard_work;
        send(rig, 1, 1, htobe32(0x0a000002 + (i << 8)), 1);
        send(rig, 1, 1, htobe32(0x0a000002 + (i << 8)), 1);
        rig->translate = route;
        send(rig, 1, 1, htobe32(0x0b000002 + (i << 8)), 1);
    }
    CHECK(COUNTER(rig, revalidations) == 50);
    CHECK(rig->ports[2].n_sent == 200);
    CHECK(!drops(rig, DROP_UPCALL_BUDGET));
    rig_destroy(rig);
}

TEST(a_port_that_asks_too_often_is_stopped_by_its_budget)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .upcalls_per_second = 1000 });

    rig->translate = exactly;
    for (uint32_t i = 0; i < 3000; i++) {
        send(rig, 1, htobe32(i), 1, 1);
    }
    /* A burst of a tenth of a second, and what time gave meanwhile. */
    CHECK(rig->ports[2].n_sent >= 100 && rig->ports[2].n_sent < 1500);
    CHECK(drops(rig, DROP_UPCALL_BUDGET) == 3000 - rig->ports[2].n_sent);
    rig_destroy(rig);
}

static void
tag_and_flood(struct rig *rig UNUSED, struct upcall *upcall)
{
    struct dp_action_push_vlan *v;
    uint32_t mark;

    add_output(upcall, 2);
    mark = dp_actions_begin(&upcall->actions, DP_ACTION_CLONE);
    v = dp_actions_add(&upcall->actions, DP_ACTION_PUSH_VLAN, sizeof *v);
    v->tpid = ETH_TYPE_VLAN;
    v->tci = 10;
    add_output(upcall, 3);
    dp_actions_end(&upcall->actions, mark);
    add_output(upcall, 4);
}

TEST(a_clone_edits_its_own_copy)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = tag_and_flood;
    for (unsigned int i = 0; i < 3; i++) {
        send(rig, 1, 1, 2, 3);
    }
    CHECK(rig->ports[2].n_sent == 3 && rig->ports[2].last_len == 60);
    CHECK(rig->ports[3].n_sent == 3 && rig->ports[3].last_len == 64);
    CHECK(rig->ports[4].n_sent == 3 && rig->ports[4].last_len == 60);
    CHECK(rig->ports[3].last[12] == 0x81 && rig->ports[3].last[15] == 10);
    rig_destroy(rig);
}

static void
recirc_then_output(struct rig *rig UNUSED, struct upcall *upcall)
{
    if (upcall->key->f.recirc_id < 3) {
        struct dp_action_recirc *r = dp_actions_add(&upcall->actions,
                                                    DP_ACTION_RECIRC,
                                                    sizeof *r);

        r->id = upcall->key->f.recirc_id + 1;
    } else {
        add_output(upcall, 2);
    }
}

static void
recirc_for_ever(struct rig *rig UNUSED, struct upcall *upcall)
{
    struct dp_action_recirc *r = dp_actions_add(&upcall->actions,
                                                DP_ACTION_RECIRC, sizeof *r);

    r->id = upcall->key->f.recirc_id + 1;
}

TEST(recirculation_goes_through_the_cache_and_ends)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = recirc_then_output;
    for (unsigned int i = 0; i < 5; i++) {
        send(rig, 1, 1, 2, 3);
    }
    CHECK(rig->ports[2].n_sent == 5);
    CHECK(rig->n_upcalls == 4);
    datapath_invalidate_all(rig->dp);
    rig->translate = recirc_for_ever;
    send(rig, 1, 1, 2, 3);
    CHECK(drops(rig, DROP_RECIRC_DEPTH) == 1);
    rig_destroy(rig);
}

static void
drop_it(struct rig *rig UNUSED, struct upcall *upcall)
{
    struct dp_action_drop *d = dp_actions_add(&upcall->actions,
                                              DP_ACTION_DROP, sizeof *d);

    d->reason = DROP_TABLE_MISS;
}

TEST(drops_are_counted_by_reason_and_port)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });
    uint64_t d[N_DROP_REASONS];

    rig->translate = drop_it;
    send(rig, 1, 1, 2, 3);
    send(rig, 1, 1, 2, 3);
    datapath_read_drops(rig->dp, &rig->ports[1].port, d);
    CHECK(d[DROP_TABLE_MISS] == 2);
    datapath_read_drops(rig->dp, &rig->ports[2].port, d);
    CHECK(d[DROP_TABLE_MISS] == 0);
    rig->translate = route;
    datapath_invalidate_all(rig->dp);
    send(rig, 1, 1, htobe32(0x0a000063), 3);
    CHECK(drops(rig, DROP_NO_PORT) == 1);
    rig_destroy(rig);
}

TEST(counters_of_an_entry_are_credited_when_it_goes)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });

    rig->translate = route;
    for (unsigned int i = 0; i < 9; i++) {
        send(rig, 1, 1, htobe32(0x0a000002), 3);
    }
    CHECK(rig->packets == 0);
    datapath_invalidate_all(rig->dp);
    send(rig, 1, 1, htobe32(0x0a000002), 3);
    CHECK(rig->packets == 9 && rig->bytes == 9 * 60);
    rig_destroy(rig);
}

static void
limit(struct rig *rig UNUSED, struct upcall *upcall)
{
    struct dp_action_meter *m = dp_actions_add(&upcall->actions,
                                               DP_ACTION_METER, sizeof *m);

    m->meter = 5;
    add_output(upcall, 2);
}

TEST(a_meter_lets_its_burst_through_and_drops_the_rest)
{
    struct rig *rig = rig_create((struct datapath_config) { 0 });
    struct dp_meter_config config = {
        .is_pktps = true, .has_burst = true, .n_bands = 1,
        .bands = { { .rate = 1, .burst = 10 } },
    };
    struct dp_meter_stats stats;

    rig->translate = limit;
    CHECK(!datapath_set_meter(rig->dp, 5, &config));
    for (unsigned int i = 0; i < 100; i++) {
        send(rig, 1, 1, 2, 3);
    }
    CHECK(rig->ports[2].n_sent == 10 || rig->ports[2].n_sent == 11);
    CHECK(datapath_meter_stats(rig->dp, 5, &stats));
    CHECK(stats.packets == 100);
    CHECK(stats.bands[0].packets == 100 - rig->ports[2].n_sent);
    CHECK(drops(rig, DROP_METER) == stats.bands[0].packets);
    CHECK(!datapath_set_meter(rig->dp, 5, NULL));
    rig_destroy(rig);
}

static bool
remove_all(void *dp, const struct dp_entry_view *view)
{
    datapath_remove_entry(dp, view->worker, view->entry);
    return true;
}

TEST(removed_entries_go_and_their_memory_comes_back)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .max_entries = 256, .port_share = 1 });
    struct dp_cache_size size;

    rig->translate = exactly;
    for (unsigned int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 200; i++) {
            send(rig, 1, htobe32(i), 1, 1);
        }
        datapath_visit_entries(rig->dp, false, remove_all, rig->dp);
        datapath_poll_once(rig->dp);
        datapath_cache_size(rig->dp, &size);
        CHECK(size.n_entries == 0 && size.n_masks == 0);
    }
    CHECK(COUNTER(rig, evictions) == 0);
    CHECK(rig->n_upcalls == 2000);
    rig_destroy(rig);
}

/* The answer depends on random bits; the cache must never give another one. */
static const uint32_t property_masks[] = {
    0xffffffff, 0xffffff00, 0xffff0000, 0xff00ff00, 0x000000ff, 0xfff,
    0xff000000, 0xf0f0f0f0, 0x00ffff00, 0x0000ff0f, 0x12345678, 0x80000001,
};

static uint32_t
verdict(uint32_t src, uint32_t *looked_at)
{
    uint32_t mask = property_masks[(src & 0xf) % ARRAY_SIZE(property_masks)];

    *looked_at = mask | 0xf;
    return 2 + ((src & mask) * 2654435761u >> 16) % 3;
}

static void
by_verdict(struct rig *rig UNUSED, struct upcall *upcall)
{
    uint32_t looked_at;
    uint32_t port = verdict(be32toh(upcall->key->f.nw_src), &looked_at);

    upcall->mask.bits.key.eth_type = 0xffff;
    upcall->mask.bits.key.nw_src = htobe32(looked_at);
    add_output(upcall, port);
}

TEST(the_cache_answers_as_translation_does)
{
    struct rig *rig = rig_create((struct datapath_config) {
        .max_entries = 4096, .max_masks = 24 });
    struct rng rng = { 5 };
    uint64_t expected[5] = { 0 };

    rig->translate = by_verdict;
    for (unsigned int i = 0; i < 200000; i++) {
        uint32_t src = rng_u32(&rng) & (rng_one_in(&rng, 2) ? 0xfff : ~0u);
        uint32_t looked_at;

        expected[verdict(src, &looked_at)]++;
        send(rig, 1, htobe32(src), 2, 3);
        if (rng_one_in(&rng, 5000)) {
            datapath_invalidate_all(rig->dp);
        }
    }
    for (unsigned int i = 2; i <= 4; i++) {
        CHECK(rig->ports[i].n_sent == expected[i]);
    }
    CHECK_MSG(COUNTER(rig, hits_l1) > 5000 && COUNTER(rig, hits_l2) > 1000,
              "level 1: %llu, level 2: %llu",
              (unsigned long long) COUNTER(rig, hits_l1),
              (unsigned long long) COUNTER(rig, hits_l2));
    rig_destroy(rig);
}

TESTS(
    RUN(one_translation_serves_all_packets_of_its_mask),
    RUN(a_port_never_uses_the_entry_of_another),
    RUN(a_change_makes_exactly_the_touched_entries_stale),
    RUN(many_changes_at_once_find_the_same_entries_as_one_by_one),
    RUN(a_stale_entry_gives_way_to_one_of_another_mask),
    RUN(an_entry_made_from_old_tables_is_not_used_again),
    RUN(a_port_over_its_entry_quota_evicts_its_own_entries),
    RUN(a_port_over_its_mask_quota_gets_exact_entries),
    RUN(a_worker_that_had_to_wait_translates_still),
    RUN(what_tables_outdated_takes_nothing_from_new_flows),
    RUN(a_port_that_asks_too_often_is_stopped_by_its_budget),
    RUN(a_clone_edits_its_own_copy),
    RUN(recirculation_goes_through_the_cache_and_ends),
    RUN(drops_are_counted_by_reason_and_port),
    RUN(counters_of_an_entry_are_credited_when_it_goes),
    RUN(a_meter_lets_its_burst_through_and_drops_the_rest),
    RUN(removed_entries_go_and_their_memory_comes_back),
    RUN(the_cache_answers_as_translation_does),
)
