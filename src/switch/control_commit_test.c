/* Bundles that are committed in many turns. */
#include "switch/control_rig_test.h"

#include <poll.h>
#include <unistd.h>

#include "lib/rcu.h"
#include "port/ring.h"

enum { N_MODS = 200000 };

/* A rig with ports p1..p3, and a peer `a` that has filled a bundle. */
struct bed {
    struct rig rig;
    struct packet_pool *pool;
    struct peer a, b;
};

static void
bed_init(struct bed *bed, enum fail_mode fail_mode)
{
    memset(bed, 0, sizeof *bed);
    rig_init(&bed->rig, fail_mode);
    bed->pool = packet_pool_create(16, 0);
    for (unsigned int i = 1; i <= 3; i++) {
        struct port_config port = { .type = "ring" };
        struct switch_port *added;

        snprintf(port.name, sizeof port.name, "p%u", i);
        CHECK(!switch_add_port(bed->rig.sw, &port, 0, &added, NULL));
    }
    peer_init(&bed->a, &bed->rig, SESSION_CONTROLLER, OF14, NULL);
    peer_init(&bed->b, &bed->rig, SESSION_TOOL, OF13, NULL);
}

static void
bed_fini(struct bed *bed)
{
    rig_fini(&bed->rig);
    CHECK(packet_pool_in_use(bed->pool) == 0);
    packet_pool_destroy(bed->pool);
}

/* As the daemon's loop does. */
static void
turn(struct bed *bed)
{
    rig_turn(&bed->rig);
    switch_run(bed->rig.sw, bed->rig.now);
    rcu_quiescent();
}

static bool
can_write(const struct peer *peer)
{
    struct pollfd pfd = { .fd = peer->fd, .events = POLLOUT };

    return poll(&pfd, 1, 0) > 0;
}

static void
parse(const char *text, struct flow_mod *fm)
{
    struct str error = STR_INIT;

    CHECK_MSG(!flow_mod_parse(text, FLOW_MOD_ADD, NULL, fm, &error),
              "%s: %s", text, str_text(&error));
    str_fini(&error);
}

static void
bundle_mod(struct bed *bed, struct flow_mod *fm)
{
    struct of_message mod = { .type = OFT_FLOW_MOD, .version = OF14 };
    struct of_message add = { .type = OFT_BUNDLE_ADD,
                              .bundle_add = { .id = 7 } };
    struct buf inner = BUF_INIT;

    mod.flow_mod = *fm;
    mod.xid = bed->a.xid + 1;
    CHECK(!of_message_encode(&inner, &bed->a.protocol, &mod));
    add.bundle_add.message = (struct of_bytes) { inner.data, inner.len };
    while (!can_write(&bed->a)) {
        rig_turn(&bed->rig);
    }
    peer_say(&bed->a, &add);
    buf_fini(&inner);
}

static void
bundle_text(struct bed *bed, const char *text)
{
    struct flow_mod fm;

    parse(text, &fm);
    bundle_mod(bed, &fm);
    flow_mod_fini(&fm);
}

static void
bundle_many(struct bed *bed, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct flow_mod fm;

        flow_mod_init(&fm);
        fm.table = 9;
        match_set(&fm.match, FIELD_METADATA, i, UINT64_MAX);
        flow_mod_seal(&fm);
        bundle_mod(bed, &fm);
        flow_mod_fini(&fm);
    }
}

/* The first turn of the commit is over afterwards. */
static void
begin_commit(struct bed *bed)
{
    struct of_message m = {
        .type = OFT_BUNDLE_CONTROL,
        .bundle_control = { .id = 7, .type = BUNDLE_COMMIT_REQUEST },
    };

    rig_settle(&bed->rig);
    peer_say(&bed->a, &m);
    turn(bed);
    CHECK(switch_has_bundle(bed->rig.sw));
}

static void
add_flow(struct bed *bed, const char *text)
{
    struct flow_mod fm;

    parse(text, &fm);
    CHECK(!switch_flow_mod(bed->rig.sw, &fm, bed->rig.now, NULL));
    flow_mod_fini(&fm);
    switch_barrier(bed->rig.sw);
}

/* Sends a frame into p1.  Returns the port that it left by; 0: none. */
static uint32_t
way_of_frame(struct bed *bed)
{
    static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
                                       0x88, 0xb5 };
    struct packet *pkt = packet_alloc(bed->pool, sizeof frame);
    uint32_t way = 0;

    memcpy(pkt->data, frame, sizeof frame);
    pkt->len = sizeof frame;
    CHECK(ring_push(switch_port_by_number(bed->rig.sw, 1)->port, &pkt, 1)
          == 1);
    while (datapath_poll_once(switch_datapath(bed->rig.sw))) {
    }
    for (uint32_t i = 1; i <= 3; i++) {
        struct batch batch = { .n = 0 };

        ring_pop(switch_port_by_number(bed->rig.sw, i)->port, &batch);
        way = batch.n ? i : way;
        batch_free_all(&batch);
    }
    return way;
}

/* ---- While it goes on ---- */

TEST(nobody_sees_half_a_commit_or_waits_for_its_end)
{
    struct of_message echo = { .type = OFT_ECHO_REQUEST };
    struct of_message m;
    unsigned int n_turns = 0, n_echoes = 0;
    bool is_done = false;
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    add_flow(&bed, "in_port=1,actions=output:2");
    /* Half of it would lose the packet. */
    bundle_text(&bed, "in_port=1,actions=resubmit(,1)");
    bundle_many(&bed, N_MODS);
    bundle_text(&bed, "table=1,actions=output:3");
    begin_commit(&bed);
    while (!is_done) {
        CHECK(way_of_frame(&bed) == 2);
        CHECK(rig_n_flows(&bed.rig) == 1);
        CHECK(tables_stats(switch_tables(bed.rig.sw), 9)->n_visible == 0);
        peer_say(&bed.b, &echo);
        peer_say_plain(&bed.b, OFT_FEATURES_REQUEST);
        turn(&bed);
        n_echoes += peer_hear_type(&bed.b, OFT_FEATURES_REPLY);
        is_done = !switch_has_bundle(bed.rig.sw);
        CHECK(peer_hear(&bed.a, &m) == is_done);
        n_turns++;
    }
    CHECK(m.type == OFT_BUNDLE_CONTROL
          && m.bundle_control.type == BUNDLE_COMMIT_REPLY);
    CHECK(n_turns >= N_MODS / 1024 && n_echoes == n_turns);
    CHECK(way_of_frame(&bed) == 3);
    CHECK(rig_n_flows(&bed.rig) == N_MODS + 2);
    CHECK(tables_stats(switch_tables(bed.rig.sw), 9)->n_visible == N_MODS);
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

TEST(an_echo_is_answered_during_a_commit)
{
    struct of_message echo = { .type = OFT_ECHO_REQUEST };
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    peer_say(&bed.a, &echo);
    peer_say(&bed.b, &echo);
    turn(&bed);
    CHECK(switch_has_bundle(bed.rig.sw));
    CHECK(peer_hear_type(&bed.a, OFT_ECHO_REPLY));
    CHECK(peer_hear_type(&bed.b, OFT_ECHO_REPLY));
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

static void
ask_for_sum(struct peer *peer)
{
    struct of_message m = {
        .type = OFT_MULTIPART_REQUEST,
        .multipart = { .type = MP_AGGREGATE, .table = OFPTT_ALL,
                       .out_port = OFPP_ANY, .out_group = OFPG_ANY },
    };

    match_init(&m.multipart.match);
    peer_say(peer, &m);
}

TEST(who_asks_about_tables_waits_for_a_commit)
{
    struct of_message mod = { .type = OFT_FLOW_MOD };
    struct of_message m;
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    parse("table=9,priority=7,actions=drop", &mod.flow_mod);
    peer_say(&bed.b, &mod);
    flow_mod_fini(&mod.flow_mod);
    ask_for_sum(&bed.b);
    peer_say_plain(&bed.b, OFT_BARRIER_REQUEST);
    peer_say_plain(&bed.a, OFT_BARRIER_REQUEST);
    while (switch_has_bundle(bed.rig.sw)) {
        CHECK(rig_n_flows(&bed.rig) == 0);
        CHECK(!peer_hear(&bed.b, &m));
        turn(&bed);
    }
    rig_settle(&bed.rig);
    CHECK(rig_n_flows(&bed.rig) == 5001);
    CHECK(peer_hear(&bed.a, &m) && m.type == OFT_BUNDLE_CONTROL);
    CHECK(peer_hear(&bed.a, &m) && m.type == OFT_BARRIER_REPLY);
    CHECK(peer_hear_type(&bed.b, OFT_BARRIER_REPLY));
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

TEST(what_packets_teach_waits_for_a_commit)
{
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    add_flow(&bed, "in_port=1,actions=learn(table=8,eth_type=0x88b5),"
                   "output:2");
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    CHECK(way_of_frame(&bed) == 0);
    turn(&bed);
    CHECK(switch_has_bundle(bed.rig.sw) && rig_n_flows(&bed.rig) == 1);
    while (switch_has_bundle(bed.rig.sw)) {
        turn(&bed);
    }
    turn(&bed);
    CHECK(rig_n_flows(&bed.rig) == 5002);
    CHECK(way_of_frame(&bed) == 2);
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

struct note {
    struct switch_waiter waiter;
    unsigned int n;
};

static void
note_that_it_goes_on(struct switch_waiter *waiter)
{
    CONTAINER_OF(waiter, struct note, waiter)->n++;
}

TEST(others_are_told_that_a_bundle_is_over)
{
    struct note notes[2] = {
        { .waiter.go_on = note_that_it_goes_on },
        { .waiter.go_on = note_that_it_goes_on },
    };
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    switch_wait_for_bundle(bed.rig.sw, &notes[0].waiter);
    switch_wait_for_bundle(bed.rig.sw, &notes[1].waiter);
    while (switch_has_bundle(bed.rig.sw)) {
        CHECK(notes[0].n == 0 && notes[1].n == 0);
        turn(&bed);
    }
    CHECK(notes[0].n == 1 && notes[1].n == 1);
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

/* ---- How it ends ---- */

TEST(a_commit_that_fails_late_changes_nothing)
{
    struct of_message m;
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    add_flow(&bed, "in_port=1,actions=output:2");
    bundle_text(&bed, "in_port=1,actions=output:3");
    bundle_many(&bed, 10000);
    bundle_text(&bed, "table=1,actions=group:5");
    begin_commit(&bed);
    while (switch_has_bundle(bed.rig.sw)) {
        CHECK(way_of_frame(&bed) == 2 && rig_n_flows(&bed.rig) == 1);
        CHECK(!peer_hear(&bed.a, &m) || m.type == OFT_ERROR);
        turn(&bed);
    }
    peer_hear_error(&bed.a, OF_BUNDLE_FAILED_MSG_FAILED);
    CHECK(way_of_frame(&bed) == 2 && rig_n_flows(&bed.rig) == 1);
    CHECK(tables_stats(switch_tables(bed.rig.sw), 9)->n_entries == 0);
    add_flow(&bed, "in_port=1,actions=output:3");
    CHECK(way_of_frame(&bed) == 3);
    peer_fini(&bed.a);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

TEST(who_dies_in_a_commit_leaves_it_whole)
{
    struct bed bed;

    bed_init(&bed, FAIL_STANDALONE);
    CHECK(rig_n_flows(&bed.rig) == 0);
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    peer_fini(&bed.a);
    CHECK(switch_has_bundle(bed.rig.sw));
    while (switch_has_bundle(bed.rig.sw)) {
        CHECK(rig_n_flows(&bed.rig) == 0);
        turn(&bed);
    }
    /* And the bridge of a switch that nobody controls. */
    CHECK(rig_n_flows(&bed.rig) == 5001);
    peer_fini(&bed.b);
    bed_fini(&bed);
}

TEST(an_end_in_a_commit_leaves_nothing)
{
    struct bed bed;

    bed_init(&bed, FAIL_SECURE);
    bundle_many(&bed, 5000);
    begin_commit(&bed);
    close(bed.a.fd);
    close(bed.b.fd);
    buf_fini(&bed.a.in);
    buf_fini(&bed.b.in);
    bed_fini(&bed);
}

TESTS(
    RUN(nobody_sees_half_a_commit_or_waits_for_its_end),
    RUN(an_echo_is_answered_during_a_commit),
    RUN(who_asks_about_tables_waits_for_a_commit),
    RUN(what_packets_teach_waits_for_a_commit),
    RUN(others_are_told_that_a_bundle_is_over),
    RUN(a_commit_that_fails_late_changes_nothing),
    RUN(who_dies_in_a_commit_leaves_it_whole),
    RUN(an_end_in_a_commit_leaves_nothing),
)
