#include "switch/switch.h"

#include "lib/clock.h"
#include "lib/rcu.h"
#include "port/ring.h"
#include "switch/switch_impl.h"
#include "unit.h"

/* A switch whose ports are rings: p1, p2, ... */
struct rig {
    struct switch_ *sw;
    struct packet_pool *pool;
    msec now;
    unsigned int n_ports;
    unsigned int got[8];          /* frames that port i sent last time */
    uint32_t len;                 /* of the last one */
    uint8_t bytes[256];
};

static void
rig_init(struct rig *rig, unsigned int n_ports, enum fail_mode fail_mode)
{
    struct switch_config config = {
        .name = "br0", .fail_mode = fail_mode, .fdb_age = 5000,
        .datapath = { .inline_only = true },
    };

    memset(rig, 0, sizeof *rig);
    rig->pool = packet_pool_create(256, 0);
    rig->now = clock_msec();      /* as workers read it */
    rig->sw = switch_create(&config, rig->now);
    rig->n_ports = n_ports;
    for (unsigned int i = 1; i <= n_ports; i++) {
        struct port_config port = { .type = "ring" };
        struct switch_port *added;

        snprintf(port.name, sizeof port.name, "p%u", i);
        CHECK(!switch_add_port(rig->sw, &port, 0, &added, NULL));
        CHECK(added->number == i);
    }
}

static void
rig_fini(struct rig *rig)
{
    switch_destroy(rig->sw);
    CHECK(packet_pool_in_use(rig->pool) == 0);
    packet_pool_destroy(rig->pool);
}

static void
collect(struct rig *rig)
{
    for (unsigned int i = 1; i <= rig->n_ports; i++) {
        struct switch_port *port = switch_port_by_number(rig->sw, i);
        struct batch batch = { .n = 0 };

        rig->got[i] = 0;
        if (!port) {
            continue;
        }
        ring_pop(port->port, &batch);
        rig->got[i] = batch.n;
        if (batch.n) {
            rig->len = MIN(batch.pkts[0]->len, sizeof rig->bytes);
            memcpy(rig->bytes, batch.pkts[0]->data, rig->len);
        }
        batch_free_all(&batch);
    }
}

static void
send_bytes(struct rig *rig, uint32_t in_port, const uint8_t *bytes,
           uint32_t len)
{
    struct packet *pkt = packet_alloc(rig->pool, len);

    memcpy(pkt->data, bytes, len);
    pkt->len = len;
    CHECK(ring_push(switch_port_by_number(rig->sw, in_port)->port, &pkt, 1)
          == 1);
    while (datapath_poll_once(switch_datapath(rig->sw))) {
    }
    collect(rig);
    switch_run(rig->sw, rig->now);
    rcu_quiescent();
}

/* From station `src` to `dst` (0: broadcast); `tci` -1: untagged. */
static void
send_frame(struct rig *rig, uint32_t in_port, uint8_t src, uint8_t dst,
           int tci)
{
    uint8_t frame[64] = { 2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src };
    unsigned int at = 12;

    if (!dst) {
        memset(frame, 0xff, 6);
    }
    if (tci >= 0) {
        frame[at] = 0x81;
        frame[at + 2] = (uint8_t) (tci >> 8);
        frame[at + 3] = (uint8_t) tci;
        at += 4;
    }
    frame[at] = 0x88;
    frame[at + 1] = 0xb5;
    send_bytes(rig, in_port, frame, sizeof frame);
}

/* "got 1, 3": from exactly these ports, one frame each. */
static bool
got_only(const struct rig *rig, unsigned int ports)
{
    for (unsigned int i = 1; i <= rig->n_ports; i++) {
        if (rig->got[i] != (ports >> i & 1)) {
            return false;
        }
    }
    return true;
}
#define PORT(N) (1u << (N))

static enum of_error
try_flow(struct rig *rig, enum flow_mod_command command, const char *text)
{
    struct str error = STR_INIT;
    struct flow_mod mod;
    enum of_error refused;

    CHECK_MSG(!flow_mod_parse(text, command, switch_names(rig->sw), &mod,
                              &error), "%s", str_text(&error));
    refused = switch_flow_mod(rig->sw, &mod, rig->now, &error);
    flow_mod_fini(&mod);
    str_fini(&error);
    switch_barrier(rig->sw);
    return refused;
}

static void
flow(struct rig *rig, const char *text)
{
    CHECK(!try_flow(rig, FLOW_MOD_ADD, text));
}

static void
set_vlan(struct rig *rig, uint32_t number, enum vlan_mode mode, uint16_t vid,
         uint64_t trunks)
{
    struct port_vlan vlan = { mode, vid, { trunks } };

    CHECK(!switch_set_port_vlan(rig->sw,
                                switch_port_by_number(rig->sw, number),
                                &vlan));
    switch_barrier(rig->sw);
}

static uint64_t
drops(struct rig *rig, enum drop_reason reason)
{
    uint64_t all[N_DROP_REASONS];

    datapath_read_drops(switch_datapath(rig->sw), NULL, all);
    return all[reason];
}

static uint64_t
upcalls(struct rig *rig)
{
    struct datapath_counters c;

    datapath_read_counters(switch_datapath(rig->sw), &c);
    return c.upcalls;
}

/* ---- NORMAL ---- */

TEST(a_new_switch_learns_and_forwards)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_STANDALONE);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2) | PORT(3)));
    send_frame(&rig, 2, 2, 1, -1);
    CHECK(got_only(&rig, PORT(1)));
    /* What was cached as a flood is not any more. */
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    send_frame(&rig, 1, 1, 0, -1);
    CHECK(got_only(&rig, PORT(2) | PORT(3)));
    rig_fini(&rig);
}

TEST(its_default_entry_is_visible_and_can_be_deleted)
{
    struct rig rig;

    rig_init(&rig, 2, FAIL_STANDALONE);
    CHECK(tables_stats(switch_tables(rig.sw), 0)->n_entries == 1);
    CHECK(!try_flow(&rig, FLOW_MOD_DELETE, ""));
    CHECK(tables_stats(switch_tables(rig.sw), 0)->n_entries == 0);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, 0));
    CHECK(drops(&rig, DROP_TABLE_MISS) == 1);
    rig_fini(&rig);

    rig_init(&rig, 2, FAIL_SECURE);
    CHECK(tables_stats(switch_tables(rig.sw), 0)->n_entries == 0);
    rig_fini(&rig);
}

TEST(a_station_that_moves_takes_its_traffic_along)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_STANDALONE);
    send_frame(&rig, 2, 2, 1, -1);
    send_frame(&rig, 1, 1, 2, -1);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    send_frame(&rig, 3, 2, 1, -1);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(3)));
    /* And back, although its old frames are still cached. */
    send_frame(&rig, 2, 2, 1, -1);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    rig_fini(&rig);
}

TEST(a_silent_station_ages_and_is_learned_again)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_STANDALONE);
    send_frame(&rig, 2, 2, 1, -1);
    send_frame(&rig, 2, 2, 1, -1);
    send_frame(&rig, 2, 2, 1, -1);
    CHECK(fdb_count(switch_fdb(rig.sw)) == 1);
    rig.now += 6000;
    switch_run(rig.sw, rig.now);
    CHECK(fdb_count(switch_fdb(rig.sw)) == 0);

    /* Its frames were cached; the next is learned again all the same. */
    send_frame(&rig, 2, 2, 1, -1);
    CHECK(fdb_count(switch_fdb(rig.sw)) == 1);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    rig_fini(&rig);
}

TEST(thousands_of_stations_that_go_at_once_are_forgotten)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_STANDALONE);
    send_frame(&rig, 2, 2, 1, -1);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    for (unsigned int i = 0; i < 3000; i++) {
        struct fdb_key key = { { { 2, 9, 0, 0, (uint8_t) (i >> 8),
                                   (uint8_t) i } }, 0 };

        CHECK(fdb_learn(switch_fdb(rig.sw), key, 3, rig.now) == FDB_LEARNED);
    }
    CHECK(fdb_flush(switch_fdb(rig.sw), 0, -1, NULL) == 3002);
    switch_run(rig.sw, rig.now);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2) | PORT(3)));
    rig_fini(&rig);
}

TEST(vlans_keep_their_frames_and_tags)
{
    struct rig rig;

    rig_init(&rig, 5, FAIL_STANDALONE);
    set_vlan(&rig, 1, VLAN_ACCESS, 10, 0);
    set_vlan(&rig, 2, VLAN_ACCESS, 20, 0);
    set_vlan(&rig, 3, VLAN_TRUNK, 0, 0);
    set_vlan(&rig, 4, VLAN_NATIVE_UNTAGGED, 10, UINT64_C(1) << 20);
    set_vlan(&rig, 5, VLAN_NATIVE_TAGGED, 10, UINT64_C(1) << 30);

    send_frame(&rig, 1, 1, 0, -1);
    CHECK(got_only(&rig, PORT(3) | PORT(4) | PORT(5)));
    /* The last looked at is port 5: tagged. */
    CHECK(rig.len == 68 && rig.bytes[12] == 0x81 && rig.bytes[15] == 10);

    /* A tagged frame on an access port goes nowhere. */
    send_frame(&rig, 1, 1, 0, 10);
    CHECK(got_only(&rig, 0) && drops(&rig, DROP_VLAN) == 1);

    /* From the trunk to the access port, without its tag. */
    send_frame(&rig, 3, 3, 1, 0x6000 | 10);
    CHECK(got_only(&rig, PORT(1)) && rig.len == 60);
    /* Priority survives between tagged ports. */
    send_frame(&rig, 5, 5, 3, 0x6000 | 10);
    CHECK(got_only(&rig, PORT(3)) && rig.bytes[14] == 0x60);
    /* VLAN 20 reaches who carries it. */
    send_frame(&rig, 2, 2, 0, -1);
    CHECK(got_only(&rig, PORT(3) | PORT(4)));
    CHECK(rig.bytes[15] == 20);
    /* The native VLAN without a tag in, and without a tag out. */
    send_frame(&rig, 4, 4, 1, -1);
    CHECK(got_only(&rig, PORT(1)) && rig.len == 64);
    rig_fini(&rig);
}

TEST(what_a_bridge_does_not_forward_is_dropped_for_its_reason)
{
    static const uint8_t lldp[60] = { 1, 0x80, 0xc2, 0, 0, 0xe, 2, 0, 0, 0, 0,
                                      1, 0x88, 0xcc };
    static const uint8_t bad[60] = { 2, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 1, 0x88,
                                     0xb5 };
    struct rig rig;

    rig_init(&rig, 2, FAIL_STANDALONE);
    send_bytes(&rig, 1, lldp, sizeof lldp);
    CHECK(got_only(&rig, 0) && drops(&rig, DROP_RESERVED_MAC) == 1);
    send_bytes(&rig, 1, bad, sizeof bad);
    CHECK(got_only(&rig, 0) && drops(&rig, DROP_SRC_GROUP_MAC) == 1);
    CHECK(fdb_count(switch_fdb(rig.sw)) == 0);

    send_frame(&rig, 1, 1, 9, -1);
    send_frame(&rig, 1, 9, 1, -1);
    CHECK(got_only(&rig, 0) && drops(&rig, DROP_SAME_PORT) == 1);
    rig_fini(&rig);
}

TEST(protected_ports_never_talk_to_each_other)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_STANDALONE);
    for (uint32_t i = 1; i <= 2; i++) {
        switch_set_port_flags(rig.sw, switch_port_by_number(rig.sw, i), true,
                              false, false, false, false, false, false);
    }
    switch_barrier(rig.sw);
    send_frame(&rig, 1, 1, 0, -1);
    CHECK(got_only(&rig, PORT(3)));
    send_frame(&rig, 2, 2, 1, -1);
    CHECK(got_only(&rig, 0) && drops(&rig, DROP_PROTECTED) == 1);
    rig_fini(&rig);
}

/* ---- Tables ---- */

TEST(a_resubmit_without_end_is_dropped_as_over_the_limit)
{
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow(&rig, "actions=output:2,resubmit(,0)");
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, 0));
    CHECK(drops(&rig, DROP_TRANSLATE_LIMIT) == 1);

    /* Two of them at each level: bounded by the number of lookups. */
    flow(&rig, "actions=resubmit(,1),resubmit(,1)");
    for (int i = 1; i < 60; i++) {
        struct str text = STR_INIT;

        str_addf(&text, "table=%d,actions=resubmit(,%d),resubmit(,%d)", i,
                 i + 1, i + 1);
        flow(&rig, str_text(&text));
        str_fini(&text);
    }
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(drops(&rig, DROP_TRANSLATE_LIMIT) == 2);
    rig_fini(&rig);
}

/* A flood of a big network: more than a cache entry may hold. */
TEST(what_is_for_thousands_is_sent_and_not_kept)
{
    enum { N_EACH = 50, N_LISTS = 100, N_FRAMES = 3 };
    struct port_config config = {
        .type = "null", .name = "sink", .n_options = 1,
        .options = { { "rx", "no" } },
    };
    struct str all = STR_INIT, some = STR_INIT;
    struct datapath_counters before, after;
    struct switch_port *sink;
    struct rig rig;

    rig_init(&rig, 1, FAIL_SECURE);
    CHECK(!switch_add_port(rig.sw, &config, 2, &sink, NULL));
    str_add(&all, "actions=");
    str_add(&some, "table=1,actions=");
    for (int i = 0; i < N_LISTS; i++) {
        str_add(&all, i ? ",resubmit(,1)" : "resubmit(,1)");
    }
    for (int i = 0; i < N_EACH; i++) {
        str_add(&some, i ? ",output:2" : "output:2");
    }
    flow(&rig, str_text(&all));
    flow(&rig, str_text(&some));

    datapath_read_counters(switch_datapath(rig.sw), &before);
    for (int i = 0; i < N_FRAMES; i++) {
        send_frame(&rig, 1, 1, 2, -1);
    }
    datapath_read_counters(switch_datapath(rig.sw), &after);
    CHECK(sink->port->counters.tx_packets == N_FRAMES * N_EACH * N_LISTS);
    CHECK(drops(&rig, DROP_TRANSLATE_LIMIT) == 0);
    CHECK(after.inserts == before.inserts);
    str_fini(&all);
    str_fini(&some);
    rig_fini(&rig);
}

TEST(a_deleted_port_is_not_sent_to_and_comes_back_under_its_number)
{
    struct port_config config = { .type = "ring", .name = "p2" };
    struct switch_port *port;
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow(&rig, "actions=output:2");
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    CHECK(!switch_delete_port(rig.sw, 2));
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(drops(&rig, DROP_NO_PORT) == 1);
    CHECK(switch_delete_port(rig.sw, 2) == -ENOENT);

    CHECK(!switch_add_port(rig.sw, &config, 0, &port, NULL));
    CHECK(port->number == 2);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    CHECK(switch_add_port(rig.sw, &config, 0, &port, NULL) == -EEXIST);
    rig_fini(&rig);
}

TEST(a_change_is_visible_after_a_millisecond_without_a_barrier)
{
    struct flow_mod mod;
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow_mod_init(&mod);
    actions_add_output(&mod.storage[0], 2);
    flow_mod_seal(&mod);
    CHECK(!switch_flow_mod(rig.sw, &mod, rig.now, NULL));
    flow_mod_fini(&mod);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, 0));
    CHECK(switch_run(rig.sw, rig.now) <= rig.now + SWITCH_PUBLISH_MS);
    rig.now += SWITCH_PUBLISH_MS;
    switch_run(rig.sw, rig.now);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    rig_fini(&rig);
}

/* ---- Counting ---- */

struct counts {
    uint64_t packets, bytes;
};

static bool
take_counts(void *counts_, const struct flow_entry *entry)
{
    struct counts *counts = counts_;

    counts->packets += entry->credit.packets;
    counts->bytes += entry->credit.bytes;
    return true;
}

TEST(entries_count_every_packet_once)
{
    struct counts counts = { 0, 0 };
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow(&rig, "actions=output:2");
    for (int i = 0; i < 10; i++) {
        send_frame(&rig, 1, 1, 2, -1);
        if (i % 3 == 0) {
            switch_refresh_counters(rig.sw);
        }
    }
    switch_refresh_counters(rig.sw);
    switch_refresh_counters(rig.sw);
    tables_visit(switch_tables(rig.sw), OFPTT_ALL, NULL, take_counts,
                 &counts);
    CHECK(counts.packets == 10 && counts.bytes == 640);
    CHECK(tables_stats(switch_tables(rig.sw), 0)->lookups == 10);
    CHECK(tables_stats(switch_tables(rig.sw), 0)->matched == 10);
    CHECK(upcalls(&rig) == 1);

    /* The revalidator drops what is idle, and nothing is lost or doubled. */
    revalidate_once(rig.sw->revalidator, INT64_MAX / 2);
    datapath_poll_once(switch_datapath(rig.sw));
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(upcalls(&rig) == 2);
    switch_refresh_counters(rig.sw);
    counts = (struct counts) { 0, 0 };
    tables_visit(switch_tables(rig.sw), OFPTT_ALL, NULL, take_counts,
                 &counts);
    CHECK(counts.packets == 11);
    rig_fini(&rig);
}

/* ---- Packet-ins, recirculation, groups ---- */

TEST(a_packet_in_shows_registers_and_names_its_entry)
{
    struct packet_in *msg;
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow(&rig, "cookie=0x77,priority=9,actions=load:5->NXM_NX_REG1[],"
               "controller(max_len=20)");
    send_frame(&rig, 1, 1, 2, -1);
    msg = packet_in_take(switch_packet_ins(rig.sw));
    CHECK(msg && msg->in_port == 1 && msg->len == 20);
    CHECK(msg->flow.regs[1] == htobe32(5) && msg->cookie == htobe64(0x77));
    CHECK(msg->reason == REASON_APPLY_ACTION);
    packet_in_free(msg);

    flow(&rig, "priority=0,actions=controller");
    CHECK(!try_flow(&rig, FLOW_MOD_DELETE_STRICT, "priority=9"));
    send_frame(&rig, 1, 1, 2, -1);
    msg = packet_in_take(switch_packet_ins(rig.sw));
    CHECK(msg && msg->reason == REASON_TABLE_MISS);
    packet_in_free(msg);
    rig_fini(&rig);
}

TEST(a_packet_out_is_sent_or_goes_through_the_tables)
{
    static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1,
                                       0x88, 0xb5 };
    struct actions actions = { 0 };
    struct rig rig;

    rig_init(&rig, 3, FAIL_SECURE);
    flow(&rig, "in_port=1,actions=output:3");
    actions_add_output(&actions, 2);
    CHECK(!switch_packet_out(rig.sw, OFPP_CONTROLLER, NULL,
                             actions_list(&actions),
                             frame, sizeof frame));
    datapath_poll_once(switch_datapath(rig.sw));
    collect(&rig);
    CHECK(got_only(&rig, PORT(2)));

    actions_clear(&actions);
    actions_add_output(&actions, OFPP_TABLE);
    CHECK(!switch_packet_out(rig.sw, 1, NULL, actions_list(&actions), frame,
                             sizeof frame));
    datapath_poll_once(switch_datapath(rig.sw));
    collect(&rig);
    CHECK(got_only(&rig, PORT(3)));
    CHECK(switch_packet_out(rig.sw, 1, NULL, actions_list(&actions), frame, 5)
          == -EBADMSG);
    actions_fini(&actions);
    rig_fini(&rig);
}

TEST(what_a_label_hid_is_matched_in_another_pass)
{
    static const uint8_t frame[60] = {
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x47, 0, 1, 0x01, 64,
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        0, 9, 0, 80, 0, 8, 0, 0,
    };
    struct datapath_counters c;
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    flow(&rig, "mpls,actions=pop_mpls:0x0800,resubmit(,1)");
    flow(&rig, "table=1,udp,nw_dst=10.0.0.2,tp_dst=80,actions=output:2");
    for (int i = 0; i < 3; i++) {
        send_bytes(&rig, 1, frame, sizeof frame);
        CHECK(got_only(&rig, PORT(2)) && rig.len == 56);
    }
    datapath_read_counters(switch_datapath(rig.sw), &c);
    CHECK(c.recirculations == 3 && c.upcalls == 2);

    /* The state lives as long as the answers that lead to it. */
    recirc_expire(rig.sw->recirc, INT64_MAX / 2);
    send_bytes(&rig, 1, frame, sizeof frame);
    CHECK(got_only(&rig, PORT(2)));
    rig_fini(&rig);
}

static void
add_group(struct rig *rig, const char *text)
{
    struct str error = STR_INIT;
    struct group_mod mod;

    CHECK_MSG(!group_mod_parse(text, GROUP_MOD_ADD, switch_names(rig->sw),
                               &mod, &error), "%s", str_text(&error));
    CHECK(!switch_group_mod(rig->sw, &mod, rig->now, NULL));
    group_mod_fini(&mod);
    str_fini(&error);
}

TEST(a_failover_group_follows_the_links)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_SECURE);
    add_group(&rig, "group_id=1,type=fast_failover,"
                    "bucket=watch_port:2,actions=output:2,"
                    "bucket=watch_port:3,actions=output:3");
    flow(&rig, "actions=group:1");
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(2)));
    port_fail(switch_port_by_number(rig.sw, 2)->port, -EIO);
    rig.now += 100;
    switch_run(rig.sw, rig.now);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(rig.got[3] == 1);
    rig_fini(&rig);
}

static void
fail_link(struct rig *rig, uint32_t number)
{
    port_fail(switch_port_by_number(rig->sw, number)->port, -EIO);
}

TEST(a_bucket_lives_by_its_port_or_its_group)
{
    struct rig rig;

    rig_init(&rig, 4, FAIL_SECURE);
    add_group(&rig, "group_id=2,type=fast_failover,"
                    "bucket=watch_port:3,actions=output:3");
    add_group(&rig, "group_id=1,type=fast_failover,"
                    "bucket=watch_port:2,watch_group:2,actions=output:3,"
                    "bucket=watch_port:4,actions=output:4");
    flow(&rig, "actions=group:1");
    fail_link(&rig, 2);
    rig.now += 100;
    switch_run(rig.sw, rig.now);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(3)));
    fail_link(&rig, 2);           /* which was opened again */
    fail_link(&rig, 3);
    rig.now += 100;
    switch_run(rig.sw, rig.now);
    send_frame(&rig, 1, 1, 2, -1);
    CHECK(got_only(&rig, PORT(4)));
    rig_fini(&rig);
}

/* ---- Trace ---- */

static void
check_trace(struct rig *rig, const char *packet, const char *expected)
{
    struct str error = STR_INIT, got = STR_INIT;
    struct match match;
    struct trace trace;

    CHECK(!match_parse(packet, switch_names(rig->sw), &match, &error));
    CHECK(!switch_trace(rig->sw, &match.value, false, &trace, &error));
    for (unsigned int i = 0; i < trace.n_steps; i++) {
        str_addf(&got, "%*s%s\n", 2 * (int) trace.steps[i].depth, "",
                 trace.steps[i].text);
    }
    str_addf(&got, "megaflow: %s\nactions: %s\n%s\n",
             str_text(&trace.megaflow), str_text(&trace.actions),
             str_text(&trace.verdict));
    if (strcmp(str_text(&got), expected)) {
        print_error("%s", str_text(&got));
    }
    assert_string_equal(str_text(&got), expected);
    trace_fini(&trace);
    str_fini(&got);
    str_fini(&error);
}

TEST(a_trace_tells_tables_entries_and_the_bridge)
{
    struct rig rig;

    rig_init(&rig, 3, FAIL_SECURE);
    flow(&rig, "priority=100,ip,nw_dst=10.0.0.0/24,actions=dec_ttl,"
               "goto_table:1");
    flow(&rig, "table=1,priority=0,actions=NORMAL");
    send_frame(&rig, 1, 7, 1, -1);
    fdb_learn(switch_fdb(rig.sw), (struct fdb_key) {
        { { 2, 0, 0, 0, 0, 7 } }, 0
    }, 2, rig.now);
    check_trace(&rig, "in_port=1,dl_src=02:00:00:00:00:01,"
                "dl_dst=02:00:00:00:00:07,tcp,nw_dst=10.0.0.5,nw_ttl=2",
        "table 0: priority 100 ip,nw_dst=10.0.0.0/24 (cookie 0x0)\n"
        "  dec_ttl\n"
        "goto_table:1\n"
        "table 1: priority 0 any packet (cookie 0x0)\n"
        "  NORMAL\n"
        "  vlan 0, source 02:00:00:00:00:01 would be learned behind port p1 "
        "(1)\n"
        "  vlan 0, destination 02:00:00:00:00:07 is behind port p2 (2)\n"
        "megaflow: ip,in_port=1,dl_dst=02:00:00:00:00:07,"
        "dl_src=02:00:00:00:00:01,vlan_vid=0x0,nw_dst=10.0.0.0/24\n"
        "actions: dec_ttl,output(p2)\n"
        "sent to port p2 (2)\n");
    CHECK(fdb_count(switch_fdb(rig.sw)) == 1);
    rig_fini(&rig);
}

TEST(a_trace_says_why_a_packet_is_dropped)
{
    struct str error = STR_INIT;
    struct trace trace;
    struct match match;
    struct rig rig;

    rig_init(&rig, 2, FAIL_SECURE);
    check_trace(&rig, "in_port=1,arp",
        "table 0: no entry matches\n"
        "megaflow: arp,in_port=1\n"
        "actions: drop(table-miss)\n"
        "dropped (table-miss): no flow entry matched\n");

    match_init(&match);
    match_set(&match, FIELD_IN_PORT, 9, UINT32_MAX);
    CHECK(switch_trace(rig.sw, &match.value, false, &trace, &error)
          == -ENODEV);
    assert_string_equal(str_text(&error), "there is no port 9");
    str_fini(&error);
    rig_fini(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_new_switch_learns_and_forwards),
        RUN(its_default_entry_is_visible_and_can_be_deleted),
        RUN(a_station_that_moves_takes_its_traffic_along),
        RUN(a_silent_station_ages_and_is_learned_again),
        RUN(thousands_of_stations_that_go_at_once_are_forgotten),
        RUN(vlans_keep_their_frames_and_tags),
        RUN(what_a_bridge_does_not_forward_is_dropped_for_its_reason),
        RUN(protected_ports_never_talk_to_each_other),
        RUN(a_resubmit_without_end_is_dropped_as_over_the_limit),
        RUN(what_is_for_thousands_is_sent_and_not_kept),
        RUN(a_deleted_port_is_not_sent_to_and_comes_back_under_its_number),
        RUN(a_change_is_visible_after_a_millisecond_without_a_barrier),
        RUN(entries_count_every_packet_once),
        RUN(a_packet_in_shows_registers_and_names_its_entry),
        RUN(a_packet_out_is_sent_or_goes_through_the_tables),
        RUN(what_a_label_hid_is_matched_in_another_pass),
        RUN(a_failover_group_follows_the_links),
        RUN(a_bucket_lives_by_its_port_or_its_group),
        RUN(a_trace_tells_tables_entries_and_the_bridge),
        RUN(a_trace_says_why_a_packet_is_dropped),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
