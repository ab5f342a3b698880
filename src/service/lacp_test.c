/* LACP against a second instance of itself, over wires that may lose frames. */
#include "service/lacp.h"

#include "lib/rng.h"
#include "unit.h"

enum { WIRES_MAX = 4096, SECOND = 1000 };

/* Two ends, A and B; link i of one is cabled to link i of the other, unless
 * `to` says otherwise. */
struct lab {
    struct lacp *end[2];
    struct end { struct lab *lab; unsigned int which; } ends[2];
    unsigned int n_links;
    unsigned int loss;            /* one in so many; 0: none */
    bool is_mute[2][LACP_MAX_LINKS];        /* what it sends is lost */
    struct rng rng;
    struct on_wire {
        unsigned int to, link;
        uint8_t frame[LACP_FRAME_LEN];
    } wire[WIRES_MAX];
    unsigned int n_wire;
    unsigned int n_sent[2][LACP_MAX_LINKS];
    msec now;
};

static void
on_send(void *aux, unsigned int link, const void *frame, size_t len)
{
    struct end *end = aux;
    struct lab *lab = end->lab;
    struct on_wire *w = &lab->wire[lab->n_wire];

    CHECK(len == LACP_FRAME_LEN);
    lab->n_sent[end->which][link]++;
    if (lab->is_mute[end->which][link]
        || (lab->loss && rng_one_in(&lab->rng, lab->loss))) {
        return;
    }
    CHECK(lab->n_wire < WIRES_MAX);
    w->to = !end->which;
    w->link = link;
    memcpy(w->frame, frame, len);
    lab->n_wire++;
}

static struct eth_addr
mac(unsigned int end, unsigned int link)
{
    return (struct eth_addr) { { 2, 0, 0, (uint8_t) end, 0,
                                 (uint8_t) link } };
}

static void
link_is(struct lab *lab, unsigned int end, unsigned int link, bool is_up)
{
    lacp_set_link(lab->end[end], link, is_up, (uint16_t) (link + 1),
                  mac(end, link), lab->now);
}

static struct lab *
lab_create(unsigned int n_links, bool is_fast, bool b_is_passive)
{
    struct lab *lab = calloc(1, sizeof *lab);

    lab->n_links = n_links;
    lab->now = 5 * SECOND;
    for (unsigned int e = 0; e < 2; e++) {
        struct lacp_config config = {
            .system = mac(e, 99), .key = (uint16_t) (7 + e),
            .n_links = n_links, .is_fast = is_fast,
            .is_passive = e && b_is_passive,
        };
        struct lacp_watch watch = { on_send, &lab->ends[e] };

        lab->ends[e] = (struct end) { lab, e };
        lab->end[e] = lacp_create(&config, &watch);
    }
    return lab;
}

static void
lab_destroy(struct lab *lab)
{
    lacp_destroy(lab->end[0]);
    lacp_destroy(lab->end[1]);
    free(lab);
}

static void
deliver(struct lab *lab)
{
    struct on_wire *frames = calloc(WIRES_MAX, sizeof *frames);
    unsigned int n = lab->n_wire;

    memcpy(frames, lab->wire, n * sizeof *frames);
    lab->n_wire = 0;
    for (unsigned int i = 0; i < n; i++) {
        CHECK(lacp_receive(lab->end[frames[i].to], frames[i].link,
                           frames[i].frame, LACP_FRAME_LEN, lab->now));
    }
    free(frames);
}

/* Time goes on, a frame taking a step. */
static void
run_for(struct lab *lab, msec time)
{
    enum { STEP = 50 };

    for (msec end = lab->now + time; lab->now < end; lab->now += STEP) {
        deliver(lab);
        for (unsigned int e = 0; e < 2; e++) {
            CHECK(lacp_run(lab->end[e], lab->now) > lab->now);
        }
    }
}

static void
all_up(struct lab *lab)
{
    for (unsigned int i = 0; i < lab->n_links; i++) {
        link_is(lab, 0, i, true);
        link_is(lab, 1, i, true);
    }
}

static unsigned int
count_used(const struct lab *lab, unsigned int end)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < lab->n_links; i++) {
        n += lacp_distributes(lab->end[end], i);
        CHECK(!lacp_distributes(lab->end[end], i)
              || lacp_collects(lab->end[end], i));
    }
    return n;
}

TEST(two_ends_use_all_links_within_a_second)
{
    struct lab *lab = lab_create(3, true, false);

    all_up(lab);
    run_for(lab, SECOND);
    CHECK(count_used(lab, 0) == 3 && count_used(lab, 1) == 3);
    lab_destroy(lab);
}

TEST(one_end_may_be_passive)
{
    struct lab *lab = lab_create(2, true, true);

    all_up(lab);
    run_for(lab, 2 * SECOND);
    CHECK(count_used(lab, 0) == 2 && count_used(lab, 1) == 2);
    lab_destroy(lab);
}

TEST(nobody_is_sent_to_before_it_collects)
{
    struct lab *lab = lab_create(2, true, false);

    all_up(lab);
    for (unsigned int i = 0; i < 40; i++) {
        run_for(lab, 50);
        for (unsigned int j = 0; j < 2; j++) {
            for (unsigned int e = 0; e < 2; e++) {
                CHECK(!lacp_distributes(lab->end[e], j)
                      || lacp_collects(lab->end[!e], j));
            }
        }
    }
    CHECK(count_used(lab, 0) == 2);
    lab_destroy(lab);
}

TEST(a_lost_link_is_out_at_once_and_comes_back)
{
    struct lab *lab = lab_create(2, true, false);

    all_up(lab);
    run_for(lab, SECOND);
    link_is(lab, 0, 1, false);
    lacp_run(lab->end[0], lab->now);
    CHECK(lacp_distributes(lab->end[0], 0));
    CHECK(!lacp_distributes(lab->end[0], 1));
    CHECK(!lacp_collects(lab->end[0], 1));
    link_is(lab, 0, 1, true);
    run_for(lab, 2 * SECOND);
    CHECK(count_used(lab, 0) == 2 && count_used(lab, 1) == 2);
    lab_destroy(lab);
}

TEST(silence_of_three_seconds_ends_a_link_with_fast_lacpdus)
{
    struct lab *lab = lab_create(2, true, false);

    all_up(lab);
    run_for(lab, 2 * SECOND);
    lab->is_mute[1][1] = true;
    run_for(lab, 1500);
    CHECK(lacp_distributes(lab->end[0], 1));
    run_for(lab, 1600);
    CHECK(!lacp_distributes(lab->end[0], 1));
    CHECK(!lacp_collects(lab->end[0], 1));
    CHECK(lacp_distributes(lab->end[0], 0));
    /* The other end hears that we do not hear it. */
    run_for(lab, 100);
    CHECK(!lacp_distributes(lab->end[1], 1));
    lab_destroy(lab);
}

TEST(slow_lacpdus_bear_ninety_seconds_of_silence)
{
    struct lab *lab = lab_create(2, false, false);

    all_up(lab);
    run_for(lab, 5 * SECOND);
    CHECK(count_used(lab, 0) == 2);
    lab->is_mute[1][0] = lab->is_mute[1][1] = true;
    run_for(lab, 55 * SECOND);
    CHECK(count_used(lab, 0) == 2);
    for (unsigned int i = 0; i < 350 && count_used(lab, 0) == 2; i++) {
        run_for(lab, 100);
    }
    CHECK(count_used(lab, 0) < 2);
    lab_destroy(lab);
}

TEST(lacpdus_come_as_often_as_the_partner_wants_and_no_more)
{
    struct lab *lab = lab_create(1, true, false);

    all_up(lab);
    run_for(lab, 5 * SECOND);
    lab->n_sent[0][0] = 0;
    run_for(lab, 10 * SECOND);
    CHECK(lab->n_sent[0][0] >= 9 && lab->n_sent[0][0] <= 11);
    lab_destroy(lab);

    lab = lab_create(1, false, false);
    all_up(lab);
    run_for(lab, 35 * SECOND);
    lab->n_sent[0][0] = 0;
    run_for(lab, 300 * SECOND);
    CHECK(lab->n_sent[0][0] >= 9 && lab->n_sent[0][0] <= 11);
    lab_destroy(lab);
}

TEST(where_nobody_answers_one_link_is_used)
{
    struct lab *lab = lab_create(3, true, false);

    lab->is_mute[1][0] = lab->is_mute[1][1] = lab->is_mute[1][2] = true;
    link_is(lab, 0, 1, true);
    link_is(lab, 0, 2, true);
    run_for(lab, 2900);
    CHECK(count_used(lab, 0) == 0);
    run_for(lab, SECOND);
    CHECK(count_used(lab, 0) == 1);
    CHECK(lacp_distributes(lab->end[0], 1));
    link_is(lab, 0, 1, false);
    run_for(lab, SECOND);
    CHECK(count_used(lab, 0) == 1);
    CHECK(lacp_distributes(lab->end[0], 2));
    /* And when somebody does, its links are. */
    memset(lab->is_mute, 0, sizeof lab->is_mute);
    all_up(lab);
    run_for(lab, 2 * SECOND);
    CHECK(count_used(lab, 0) == 3 && count_used(lab, 1) == 3);
    lab_destroy(lab);
}

/* Tells `lab`'s end A what a partner would. */
static void
hear_from(struct lab *lab, unsigned int link, unsigned int system)
{
    struct lacp_link_status status;
    struct lacp_pdu pdu;
    uint8_t frame[LACP_FRAME_LEN];

    lacp_link_status(lab->end[0], link, &status);
    pdu = (struct lacp_pdu) {
        .actor = { 1, mac(system, 99), 3, 1, (uint16_t) (link + 1),
                   LACP_ACTIVE | LACP_SHORT | LACP_AGGREGATES | LACP_SYNC
                   | LACP_COLLECTS | LACP_DISTRIBUTES },
        .partner = status.actor,
    };
    lacp_encode(&pdu, mac(system, link), frame);
    CHECK(lacp_receive(lab->end[0], link, frame, sizeof frame, lab->now));
}

TEST(links_to_two_partners_are_not_mixed)
{
    struct lab *lab = lab_create(3, true, false);

    memset(lab->is_mute, true, sizeof lab->is_mute);
    all_up(lab);
    for (unsigned int i = 0; i < 10; i++) {
        hear_from(lab, 0, 5);
        hear_from(lab, 1, 6);
        hear_from(lab, 2, 6);
        run_for(lab, 200);
    }
    CHECK(!lacp_distributes(lab->end[0], 0));
    CHECK(!lacp_collects(lab->end[0], 0));
    CHECK(lacp_distributes(lab->end[0], 1));
    CHECK(lacp_distributes(lab->end[0], 2));
    /* The aggregate in use stays when the other has as many links. */
    link_is(lab, 0, 2, false);
    for (unsigned int i = 0; i < 10; i++) {
        hear_from(lab, 0, 5);
        hear_from(lab, 1, 6);
        run_for(lab, 200);
    }
    CHECK(!lacp_distributes(lab->end[0], 0));
    CHECK(lacp_distributes(lab->end[0], 1));
    lab_destroy(lab);
}

TEST(a_link_that_leads_back_to_us_is_not_used)
{
    struct lab *lab = lab_create(2, true, false);

    memset(lab->is_mute, true, sizeof lab->is_mute);
    all_up(lab);
    for (unsigned int i = 0; i < 30; i++) {
        hear_from(lab, 0, 0);
        hear_from(lab, 1, 0);
        run_for(lab, 200);
    }
    CHECK(count_used(lab, 0) == 0);
    lab_destroy(lab);
}

TEST(lossy_wires_carry_it_all_the_same)
{
    struct lab *lab = lab_create(4, true, false);

    lab->loss = 4;
    lab->rng.state = 42;
    all_up(lab);
    run_for(lab, 20 * SECOND);
    /* Three in a row are lost one time in sixty-four. */
    for (unsigned int i = 0, n = 0; i < 100; i++) {
        run_for(lab, SECOND);
        n += count_used(lab, 0);
        CHECK(i < 99 || n > 300);
    }
    lab->loss = 0;
    run_for(lab, 4 * SECOND);
    CHECK(count_used(lab, 0) == 4 && count_used(lab, 1) == 4);
    lab_destroy(lab);
}

TEST(a_marker_is_answered_ten_frames_a_second_at_most)
{
    struct lab *lab = lab_create(1, true, false);
    uint8_t marker[LACP_FRAME_LEN] = { 0x01, 0x80, 0xc2, 0, 0, 0x02, 2, 0, 0,
                                       0, 0, 9, 0x88, 0x09, 2, 1, 1, 16, 0,
                                       5, 1, 2, 3 };

    link_is(lab, 0, 0, true);
    CHECK(lacp_receive(lab->end[0], 0, marker, sizeof marker, lab->now));
    CHECK(lab->n_wire == 1);
    CHECK(lab->wire[0].frame[16] == 2);     /* a response */
    CHECK(!memcmp(&lab->wire[0].frame[17], &marker[17],
                  sizeof marker - 17));
    CHECK(!memcmp(&lab->wire[0].frame[6], mac(0, 0).b, 6));
    for (unsigned int i = 0; i < 100; i++) {
        lacp_receive(lab->end[0], 0, marker, sizeof marker, lab->now);
    }
    CHECK(lab->n_wire <= 10);
    CHECK(!lacp_receive(lab->end[0], 0, marker, 60, lab->now));
    marker[14] = 9;
    CHECK(!lacp_receive(lab->end[0], 0, marker, sizeof marker, lab->now));
    lab_destroy(lab);
}

TEST(what_is_encoded_is_decoded)
{
    struct lacp_pdu pdu = {
        .actor = { 1, mac(1, 2), 3, 4, 5, 0x3d },
        .partner = { 6, mac(7, 8), 9, 10, 11, 0xc2 },
    }, again;
    uint8_t frame[LACP_FRAME_LEN], twin[LACP_FRAME_LEN];

    lacp_encode(&pdu, mac(0, 1), frame);
    CHECK(lacp_decode(frame, sizeof frame, &again) == SLOW_LACP);
    CHECK(again.actor.key == 3 && again.actor.state == 0x3d);
    CHECK(again.partner.port == 11 && again.partner.system_priority == 6);
    lacp_encode(&again, mac(0, 1), twin);
    CHECK(!memcmp(frame, twin, sizeof frame));
    /* Whole up to the partner is enough; less is not. */
    CHECK(lacp_decode(frame, 56, &again) == SLOW_LACP);
    CHECK(lacp_decode(frame, 55, &again) == SLOW_FOREIGN);
    frame[17] = 19;
    CHECK(lacp_decode(frame, sizeof frame, &again) == SLOW_FOREIGN);
}

TESTS(
    RUN(two_ends_use_all_links_within_a_second),
    RUN(one_end_may_be_passive),
    RUN(nobody_is_sent_to_before_it_collects),
    RUN(a_lost_link_is_out_at_once_and_comes_back),
    RUN(silence_of_three_seconds_ends_a_link_with_fast_lacpdus),
    RUN(slow_lacpdus_bear_ninety_seconds_of_silence),
    RUN(lacpdus_come_as_often_as_the_partner_wants_and_no_more),
    RUN(where_nobody_answers_one_link_is_used),
    RUN(links_to_two_partners_are_not_mixed),
    RUN(a_link_that_leads_back_to_us_is_not_used),
    RUN(lossy_wires_carry_it_all_the_same),
    RUN(a_marker_is_answered_ten_frames_a_second_at_most),
    RUN(what_is_encoded_is_decoded),
)
