/* Next hops: asked for, remembered, asked again, given up. */
#include "service/next_hops.h"

#include "packet/address.h"
#include "unit.h"

enum { BLUE = 7, RED = 8 };

struct seen {
    unsigned int n_asked, n_alone, n_changed, n_sent, n_lost;
    uint64_t last_from;
};

struct lab {
    struct next_hops *hops;
    struct seen seen;
    msec now;
};

static const struct eth_addr mac_a = { { 2, 0, 0, 0, 0, 1 } };
static const struct eth_addr mac_b = { { 2, 0, 0, 0, 0, 2 } };

static void
on_ask(void *aux, const struct next_hop *hop, const struct eth_addr *mac)
{
    struct seen *seen = aux;

    seen->n_asked++;
    seen->n_alone += mac != NULL;
    CHECK(!mac || eth_addr_eq(*mac, hop->mac));
}

static void
on_changed(void *aux, const struct next_hop *hop UNUSED)
{
    ((struct seen *) aux)->n_changed++;
}

static void
on_release(void *aux, const struct next_hop *hop,
           const struct next_hop_packet *packet)
{
    struct seen *seen = aux;

    if (next_hop_is_known(hop)) {
        seen->n_sent++;
    } else {
        seen->n_lost++;
    }
    seen->last_from = packet->from;
    CHECK(packet->len == 3 && !memcmp(packet->frame, "abc", 3));
}

static void
lab_init(struct lab *lab, const struct next_hops_limits *limits)
{
    struct next_hops_watch watch = { on_ask, on_changed, on_release,
                                     &lab->seen };

    *lab = (struct lab) { .now = 1000 };
    lab->hops = next_hops_create(limits, &watch);
}

static struct ip6_addr
address(unsigned int i)
{
    return ip6_of_ip4(htobe32(0x0a010000u + i));
}

static bool
send_to(struct lab *lab, uint64_t place, unsigned int i, uint64_t from)
{
    struct ip6_addr to = address(i);

    return next_hops_send(lab->hops, place, &to, "abc", 3, from, lab->now);
}

static void
hear(struct lab *lab, unsigned int i, struct eth_addr mac)
{
    struct ip6_addr who = address(i);

    next_hops_heard(lab->hops, BLUE, &who, mac, lab->now);
}

/* Lets time pass, turn by turn; so many questions came of it. */
static unsigned int
pass(struct lab *lab, msec time)
{
    msec end = lab->now + time, next;
    unsigned int n = lab->seen.n_asked;

    for (;;) {
        next = next_hops_run(lab->hops, lab->now);
        if (next > end) {
            lab->now = end;
            return lab->seen.n_asked - n;
        }
        lab->now = next;
    }
}

TEST(who_is_asked_for_gets_what_waited)
{
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    CHECK(send_to(&lab, BLUE, 1, 5));
    CHECK(send_to(&lab, BLUE, 1, 6));
    CHECK(lab.seen.n_asked == 1 && !lab.seen.n_sent);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_sent == 2 && lab.seen.last_from == 6);
    CHECK(lab.seen.n_changed == 1);
    CHECK(send_to(&lab, BLUE, 1, 7));
    CHECK(lab.seen.n_sent == 3 && lab.seen.n_asked == 1);
    next_hops_destroy(lab.hops);
}

TEST(nobody_is_learned_who_was_not_asked_for)
{
    struct ip6_addr who = address(1);
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    hear(&lab, 1, mac_a);
    CHECK(!next_hops_find(lab.hops, BLUE, &who) && !lab.seen.n_changed);
    send_to(&lab, RED, 1, 1);
    hear(&lab, 1, mac_a);
    CHECK(!lab.seen.n_sent);
    next_hops_destroy(lab.hops);
}

TEST(after_three_questions_it_does_not_answer)
{
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    send_to(&lab, BLUE, 1, 5);
    CHECK(pass(&lab, 2500) == 2 && !lab.seen.n_lost);
    CHECK(pass(&lab, 1000) == 0 && lab.seen.n_lost == 1);
    CHECK(lab.seen.n_asked == 3 && !lab.seen.n_changed);
    /* For a moment nobody asks again; then the next one who sends does. */
    send_to(&lab, BLUE, 1, 5);
    CHECK(lab.seen.n_lost == 2 && lab.seen.n_asked == 3);
    pass(&lab, 10000);
    CHECK(lab.seen.n_asked == 3);
    send_to(&lab, BLUE, 1, 5);
    CHECK(lab.seen.n_asked == 4);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_sent == 1);
    next_hops_destroy(lab.hops);
}

TEST(who_is_known_is_asked_again_alone_and_at_last_among_all)
{
    struct ip6_addr who = address(1);
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    send_to(&lab, BLUE, 1, 5);
    hear(&lab, 1, mac_a);
    CHECK(pass(&lab, 30500) == 1 && lab.seen.n_alone == 1);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_changed == 1);
    CHECK(pass(&lab, 32500) == 3 && lab.seen.n_alone == 3);
    /* It moved. */
    hear(&lab, 1, mac_b);
    CHECK(lab.seen.n_changed == 2);
    CHECK(eth_addr_eq(next_hops_find(lab.hops, BLUE, &who)->mac, mac_b));
    pass(&lab, 34000);
    CHECK(lab.seen.n_changed == 3);
    CHECK(!next_hop_is_known(next_hops_find(lab.hops, BLUE, &who)));
    next_hops_destroy(lab.hops);
}

TEST(what_is_kept_is_asked_for_before_and_for_ever)
{
    struct ip6_addr who = address(1);
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    next_hops_keep(lab.hops, BLUE, &who, true, lab.now);
    CHECK(lab.seen.n_asked == 1);
    CHECK(pass(&lab, 100000) > 20 && lab.seen.n_changed == 1);
    hear(&lab, 1, mac_a);
    for (unsigned int i = 0; i < 100; i++) {
        pass(&lab, 31000);
        hear(&lab, 1, mac_a);
    }
    CHECK(next_hop_is_known(next_hops_find(lab.hops, BLUE, &who)));
    /* No more: then it is forgotten as others are. */
    next_hops_keep(lab.hops, BLUE, &who, false, lab.now);
    for (unsigned int i = 0; i < 45; i++) {
        pass(&lab, 31000);
        hear(&lab, 1, mac_a);
    }
    CHECK(!next_hops_find(lab.hops, BLUE, &who));
    next_hops_destroy(lab.hops);
}

TEST(hops_and_packets_that_wait_are_bounded)
{
    struct next_hops_limits limits = { 6, 4, 20 };
    struct lab lab;

    lab_init(&lab, &limits);
    for (unsigned int i = 0; i < 4; i++) {
        CHECK(send_to(&lab, BLUE, i, 1));
    }
    CHECK(!send_to(&lab, BLUE, 9, 1));
    CHECK(send_to(&lab, RED, 1, 1) && send_to(&lab, RED, 2, 1));
    CHECK(!send_to(&lab, RED, 3, 1));
    CHECK(next_hops_count(lab.hops, NEXT_HOPS_FULL) == 2);
    /* Six wait, of three bytes each: there is no room for a seventh. */
    CHECK(send_to(&lab, BLUE, 1, 1));
    CHECK(next_hops_count(lab.hops, NEXT_HOPS_QUEUE_FULL) == 1);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_sent == 1);
    next_hops_destroy(lab.hops);

    lab_init(&lab, &next_hops_default_limits);
    for (unsigned int i = 0; i < NEXT_HOP_MAX_WAITING + 2; i++) {
        send_to(&lab, BLUE, 1, i);
    }
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_sent == NEXT_HOP_MAX_WAITING);
    CHECK(lab.seen.last_from == NEXT_HOP_MAX_WAITING + 1);
    next_hops_destroy(lab.hops);
}

TEST(who_was_known_before_is_asked_whether_it_is_so)
{
    struct ip6_addr who = address(1);
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    next_hops_adopt(lab.hops, BLUE, &who, mac_a, lab.now);
    CHECK(next_hop_is_known(next_hops_find(lab.hops, BLUE, &who)));
    CHECK(lab.seen.n_changed == 1 && !lab.seen.n_asked);
    CHECK(send_to(&lab, BLUE, 1, 1) && lab.seen.n_sent == 1);
    CHECK(pass(&lab, 1500) == 1 && lab.seen.n_alone == 1);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_changed == 1);
    /* What we know ourselves is better. */
    next_hops_adopt(lab.hops, BLUE, &who, mac_b, lab.now);
    CHECK(lab.seen.n_changed == 1);
    next_hops_destroy(lab.hops);
}

TEST(what_nobody_could_hear_is_asked_again)
{
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    send_to(&lab, BLUE, 1, 1);
    send_to(&lab, BLUE, 2, 1);
    hear(&lab, 2, mac_a);
    next_hops_again(lab.hops, lab.now);
    CHECK(lab.seen.n_asked == 3);
    hear(&lab, 1, mac_a);
    CHECK(lab.seen.n_sent == 2);
    next_hops_destroy(lab.hops);
}

TEST(a_place_that_goes_takes_its_hops_along)
{
    struct lab lab;

    lab_init(&lab, &next_hops_default_limits);
    send_to(&lab, BLUE, 1, 1);
    send_to(&lab, BLUE, 2, 1);
    send_to(&lab, RED, 1, 1);
    hear(&lab, 1, mac_a);
    next_hops_forget_place(lab.hops, BLUE);
    CHECK(lab.seen.n_changed == 2 && lab.seen.n_lost == 1);
    CHECK(next_hops_next(lab.hops, NULL)->place == RED);
    CHECK(!next_hops_next(lab.hops, next_hops_next(lab.hops, NULL)));
    next_hops_destroy(lab.hops);
}

TESTS(
    RUN(who_is_asked_for_gets_what_waited),
    RUN(nobody_is_learned_who_was_not_asked_for),
    RUN(after_three_questions_it_does_not_answer),
    RUN(who_is_known_is_asked_again_alone_and_at_last_among_all),
    RUN(what_is_kept_is_asked_for_before_and_for_ever),
    RUN(hops_and_packets_that_wait_are_bounded),
    RUN(who_was_known_before_is_asked_whether_it_is_so),
    RUN(what_nobody_could_hear_is_asked_again),
    RUN(a_place_that_goes_takes_its_hops_along),
)
