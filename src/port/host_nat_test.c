/* The host's NAT: its rules, and that they stay.
 *
 * Runs as root in a network namespace of its own. */
#include "unit.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "lib/clock.h"
#include "packet/address.h"
#include "port/helper.h"
#include "port/host_nat_keep.h"
#include "port/nft_table.h"
#include "port/sysctl.h"

enum { EVENT_MS = 5000 };

static const char forwarding[] = "ipv4/ip_forward";

static bool
succeeds(const char *command)
{
    return system(command) == 0;
}

static be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

static struct host_nat_forward
forward_of(const char *listen, uint8_t protocol, uint16_t first,
           uint16_t last)
{
    return (struct host_nat_forward) {
        .listen = listen ? ip4(listen) : 0, .protocol = protocol,
        .first = first, .last = last,
    };
}

/* One leg, `wan`. */
static struct host_nat
nat_of(unsigned int n, struct host_nat_forward *forwards)
{
    return (struct host_nat) {
        .n_legs = 1, .legs = { { "weft-wan", ip4("169.254.7.2"), { { 0 } } } },
        .n_forwards = n, .forwards = forwards,
    };
}

static uint64_t
fingerprint(const char *name)
{
    uint64_t result = 1;

    CHECK(!nft_table_fingerprint(name, &result));
    return result;
}

static void
set(struct host_nat_keep *keep, const struct host_nat *nat)
{
    struct str error = STR_INIT;
    int err = host_nat_keep_set(keep, nat, &error);

    CHECK_MSG(!err, "%s", str_text(&error));
    str_fini(&error);
}

/* Until it has dealt with what somebody did just now. */
static void
run(struct host_nat_keep *keep)
{
    struct pollfd fd = { .fd = host_nat_keep_fd(keep), .events = POLLIN };
    msec now = clock_msec(), next;

    CHECK(poll(&fd, 1, EVENT_MS) == 1);
    while ((next = host_nat_keep_run(keep, now)) != INT64_MAX) {
        now = next;
    }
}

TEST(what_would_be_more_than_a_rule_is_refused)
{
    static const char *const devices[] = {
        "", "a b", "a\"b", "a;b", "a\nb", "a{b", "a/b",
    };
    struct host_nat_leg leg = { "weft-wan", ip4("169.254.7.2"), { { 0 } } };
    struct host_nat_forward good = forward_of(NULL, 6, 80, 81), bad;

    CHECK(host_nat_leg_is_valid(&leg));
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        strcpy(leg.device, devices[i]);
        CHECK_MSG(!host_nat_leg_is_valid(&leg), "%zu", i);
    }
    memset(leg.device, 'x', sizeof leg.device);
    CHECK(!host_nat_leg_is_valid(&leg));

    CHECK(host_nat_forward_is_valid(&good, 1));
    CHECK(!host_nat_forward_is_valid(&good, 0));
    bad = forward_of(NULL, 47, 80, 80);
    CHECK(!host_nat_forward_is_valid(&bad, 1));
    bad = forward_of(NULL, 17, 81, 80);
    CHECK(!host_nat_forward_is_valid(&bad, 1));
    bad = forward_of(NULL, 17, 0, 80);
    CHECK(!host_nat_forward_is_valid(&bad, 1));
    bad = good;
    bad.listen = 1;
    bad.listen6.b[0] = 1;
    CHECK(!host_nat_forward_is_valid(&bad, 1));
}

TEST(each_forward_leads_to_its_leg_and_only_our_address_is_masqueraded)
{
    struct host_nat_forward forwards[] = {
        forward_of("203.0.113.5", 6, 443, 443),
        forward_of(NULL, 17, 5000, 5010),
        forward_of(NULL, 132, 7, 7),
        { .listen6 = { { 0x20, 1, 0xd, 0xb8, [15] = 5 } }, .protocol = 6,
          .first = 443, .last = 443 },
    };
    struct host_nat nat = nat_of(ARRAY_SIZE(forwards), forwards);
    struct host_nat_keep *keep = host_nat_keep_create("lab");
    static const char *const lines[] = {
        "comment \"weft:lab forward=0 forward6=",
        "ip daddr 203.0.113.5 tcp dport 443 dnat ip to 169.254.7.2",
        "fib daddr type local meta nfproto ipv4 udp dport 5000-5010 dnat ip"
            " to 169.254.7.2",
        "sctp dport 7 dnat ip to 169.254.7.2",
        "ip6 daddr 2001:db8::5 tcp dport 443 dnat ip6 to fd00::2",
        "ip saddr 169.254.7.2 masquerade",
        "ip6 saddr fd00::2 masquerade",
        "iifname \"weft-wan\" drop",
        "oifname \"weft-wan\" drop",
    };
    struct str command = STR_INIT;

    nat.legs[0].ours6 = (struct ip6_addr) { { 0xfd, [15] = 2 } };
    set(keep, &nat);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        str_setf(&command, "nft list table inet weft-lab | grep -qF '%s'",
                 lines[i]);
        CHECK_MSG(succeeds(str_text(&command)), "%s", lines[i]);
    }
    CHECK(!succeeds("nft list table inet weft-lab | grep masquerade"
                    " | grep -qv saddr"));
    set(keep, &(struct host_nat) { 0 });
    str_fini(&command);
    host_nat_keep_destroy(keep);
}

TEST(forwarding_is_given_back_as_it_was)
{
    struct host_nat nat = nat_of(0, NULL), nothing = { 0 };
    struct host_nat_keep *keep = host_nat_keep_create("lab");

    for (char was = '0'; was <= '1'; was++) {
        CHECK(!sysctl_write(forwarding, was));
        set(keep, &nat);
        CHECK(sysctl_read(forwarding) == '1');
        CHECK(fingerprint("weft-lab"));
        set(keep, &nothing);
        CHECK(sysctl_read(forwarding) == was);
        CHECK(!fingerprint("weft-lab"));
    }
    CHECK(!sysctl_write(forwarding, '0'));
    host_nat_keep_destroy(keep);
}

TEST(what_a_killed_run_changed_is_given_back_by_the_next)
{
    struct host_nat nat = nat_of(0, NULL), nothing = { 0 };
    struct host_nat_keep *keep = host_nat_keep_create("lab");

    set(keep, &nat);
    host_nat_keep_destroy(keep);          /* nothing is undone, as by a kill */
    CHECK(fingerprint("weft-lab") && sysctl_read(forwarding) == '1');
    keep = host_nat_keep_create("lab");
    set(keep, &nat);
    host_nat_keep_destroy(keep);
    keep = host_nat_keep_create("lab");
    set(keep, &nothing);
    CHECK(!fingerprint("weft-lab") && sysctl_read(forwarding) == '0');
    host_nat_keep_destroy(keep);
}

static bool
ipv6_is(char forwards, char takes_ra)
{
    return sysctl_read("ipv6/conf/all/forwarding") == forwards
           && sysctl_read("ipv6/conf/e0/accept_ra") == takes_ra;
}

TEST(ipv6_is_forwarded_only_for_those_who_want_it)
{
    struct host_nat nat = nat_of(0, NULL), nothing = { 0 }, without = nat;
    struct host_nat_keep *keep = host_nat_keep_create("lab");

    nat.legs[0].ours6 = (struct ip6_addr) { { 0xfd, [15] = 2 } };
    CHECK(succeeds("ip link add e0 type veth peer e1"
                   " && ip link add ra0 type veth peer ra1"));
    CHECK(!sysctl_write("ipv6/conf/all/forwarding", '0'));
    CHECK(!sysctl_write("ipv6/conf/ra0/accept_ra", '0'));
    CHECK(!sysctl_write("ipv6/conf/e0/accept_ra", '1'));
    set(keep, &without);
    CHECK(ipv6_is('0', '1'));
    set(keep, &nat);
    CHECK(ipv6_is('1', '2'));
    CHECK(sysctl_read("ipv6/conf/ra0/accept_ra") == '0');
    set(keep, &without);
    CHECK(ipv6_is('0', '1') && sysctl_read(forwarding) == '1');
    set(keep, &nat);
    /* As by a kill; the next run finds out what was before. */
    host_nat_keep_destroy(keep);
    keep = host_nat_keep_create("lab");
    set(keep, &nat);
    host_nat_keep_destroy(keep);
    CHECK(ipv6_is('1', '2'));
    keep = host_nat_keep_create("lab");
    set(keep, &nothing);
    CHECK(ipv6_is('0', '1') && sysctl_read(forwarding) == '0');
    CHECK(succeeds("ip link del e0 && ip link del ra0"));
    host_nat_keep_destroy(keep);
}

TEST(of_two_daemons_the_last_gives_back_what_the_first_found)
{
    struct host_nat nat = nat_of(0, NULL), nothing = { 0 };
    struct host_nat_keep *a = host_nat_keep_create("a");
    struct host_nat_keep *b = host_nat_keep_create("b");

    set(a, &nat);
    set(b, &nat);
    set(a, &nothing);
    CHECK(sysctl_read(forwarding) == '1' && fingerprint("weft-b"));
    set(b, &nothing);
    CHECK(sysctl_read(forwarding) == '0' && !fingerprint("weft-b"));
    host_nat_keep_destroy(a);
    host_nat_keep_destroy(b);
}

TEST(the_same_once_more_changes_nothing)
{
    struct host_nat_forward forwards[] = {
        forward_of(NULL, 6, 80, 80), forward_of(NULL, 6, 81, 81),
    };
    struct host_nat nat = nat_of(1, forwards);
    struct host_nat_keep *keep = host_nat_keep_create("lab");
    uint64_t was;

    set(keep, &nat);
    was = fingerprint("weft-lab");
    set(keep, &nat);
    CHECK(fingerprint("weft-lab") == was);
    nat.n_forwards = 2;
    set(keep, &nat);
    CHECK(fingerprint("weft-lab") != was);
    /* What we changed ourselves is noticed, and found to be right. */
    was = fingerprint("weft-lab");
    run(keep);
    CHECK(fingerprint("weft-lab") == was);
    set(keep, &(struct host_nat) { 0 });
    host_nat_keep_destroy(keep);
}

TEST(what_somebody_else_does_to_the_table_is_undone)
{
    static const char *const deeds[] = {
        "nft flush ruleset",
        "nft delete table inet weft-lab",
        "nft flush table inet weft-lab",
        "nft flush chain inet weft-lab input",
        "nft insert rule inet weft-lab forward accept",
        "nft 'chain inet weft-lab forward { policy drop; }'",
    };
    struct host_nat_forward forward = forward_of(NULL, 6, 80, 80);
    struct host_nat nat = nat_of(1, &forward);
    struct host_nat_keep *keep = host_nat_keep_create("lab");
    const char *save = "nft list table inet weft-lab >/tmp/weft-nat.$PPID";
    const char *compare = "nft list table inet weft-lab"
                          " | diff - /tmp/weft-nat.$PPID";

    set(keep, &nat);
    CHECK(succeeds(save));
    run(keep);
    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
        CHECK(succeeds(deeds[i]));
        CHECK(!succeeds("nft list table inet weft-lab 2>/dev/null"
                        " | cmp -s - /tmp/weft-nat.$PPID"));
        run(keep);
        CHECK_MSG(succeeds(compare), "%s", deeds[i]);
    }
    CHECK(succeeds("rm /tmp/weft-nat.$PPID"));
    set(keep, &(struct host_nat) { 0 });
    host_nat_keep_destroy(keep);
}

TEST(what_somebody_else_does_elsewhere_is_left_alone)
{
    struct host_nat nat = nat_of(0, NULL);
    struct host_nat_keep *keep = host_nat_keep_create("lab");
    uint64_t was;

    CHECK(succeeds("nft add table inet weft-labs"));
    set(keep, &nat);
    run(keep);
    was = fingerprint("weft-lab");
    CHECK(succeeds("nft 'add chain inet weft-labs forward"
                   " { type filter hook forward priority 0; }'"));
    run(keep);
    CHECK(fingerprint("weft-lab") == was && fingerprint("weft-labs"));
    set(keep, &(struct host_nat) { 0 });
    CHECK(fingerprint("weft-labs"));
    CHECK(succeeds("nft delete table inet weft-labs"));
    host_nat_keep_destroy(keep);
}

TEST(a_floating_address_is_routed_and_answered_for)
{
    static const char leg[] =
        "ip link add weft-wan type veth peer w1 && ip link set weft-wan up"
        " && ip link set w1 up && ip addr add 169.254.7.1/30 dev weft-wan";
    static const char routed[] = "ip route get 203.0.113.7"
                                 " | grep -q 'via 169.254.7.2 dev weft-wan'";
    static const char answered[] =
        "ip neigh show proxy | grep -q '203.0.113.7 dev e0 proxy'";
    static const char others[] =
        "ip neigh show proxy | grep -q '203.0.113.9 dev e0'";
    struct host_nat_forward forward = forward_of("203.0.113.7", 0, 0, 0);
    struct host_nat nat = nat_of(1, &forward), nothing = { 0 };
    struct host_nat_keep *keep = host_nat_keep_create("lab");

    CHECK(succeeds("ip link add e0 type veth peer e1 && ip link set e0 up"
                   " && ip addr add 203.0.113.5/24 dev e0"
                   " && ip neigh add proxy 203.0.113.9 dev e0"));
    set(keep, &nat);
    CHECK(!succeeds(routed));
    CHECK(succeeds(leg));         /* it comes later, */
    while (!succeeds(routed)) {
        run(keep);
    }
    CHECK(succeeds(answered));
    CHECK(succeeds("ip link del weft-wan"));
    run(keep);
    CHECK(succeeds(leg));         /* and comes again */
    while (!succeeds(routed)) {
        run(keep);
    }
    CHECK(succeeds("nft list table inet weft-lab"
                   " | grep -q 'ip daddr 203.0.113.7 accept'"));

    /* A killed run's are known by their protocol, others' stay. */
    host_nat_keep_destroy(keep);
    keep = host_nat_keep_create("lab");
    forward.listen = ip4("203.0.113.8");
    set(keep, &nat);
    CHECK(!succeeds(routed) && !succeeds(answered) && succeeds(others));
    set(keep, &nothing);
    CHECK(!succeeds("ip route | grep -q 203.0.113.8")
          && !succeeds("ip neigh show proxy | grep -q 203.0.113.8")
          && succeeds(others));
    CHECK(succeeds("ip link del weft-wan && ip link del e0"));
    host_nat_keep_destroy(keep);
}

TEST(what_the_host_has_itself_is_refused)
{
    struct host_nat_forward forward = forward_of("203.0.113.5", 0, 0, 0);
    struct host_nat nat = nat_of(1, &forward);
    struct host_nat_keep *keep = host_nat_keep_create("lab");
    struct str error = STR_INIT;

    CHECK(succeeds("ip link add e0 type veth peer e1"
                   " && ip addr add 203.0.113.5/24 dev e0"));
    CHECK(host_nat_keep_set(keep, &nat, &error) == -EADDRINUSE);
    CHECK(strstr(str_text(&error), "203.0.113.5 cannot float"));
    nat.n_forwards = 0;
    CHECK(succeeds("ip addr add 169.254.7.2/16 dev e0"));
    CHECK(host_nat_keep_set(keep, &nat, &error) == -EADDRINUSE);
    CHECK(strstr(str_text(&error), "--transfer"));
    /* All else is in force. */
    CHECK(fingerprint("weft-lab") && sysctl_read(forwarding) == '1');
    /* A network of others that ours is within is none of our business. */
    CHECK(succeeds("ip addr del 169.254.7.2/16 dev e0"
                   " && ip addr add 169.254.99.2/16 dev e0"));
    set(keep, &nat);
    set(keep, &(struct host_nat) { 0 });
    CHECK(succeeds("ip link del e0"));
    str_fini(&error);
    host_nat_keep_destroy(keep);
}

TEST(the_helper_keeps_it_for_main_and_mends_it)
{
    static const struct helper_options options = {
        .instance = "lab", .keep_devices = true,
    };
    struct host_nat_forward forwards[] = {
        forward_of(NULL, 6, 80, 80), forward_of(NULL, 99, 80, 80),
    };
    struct host_nat nat = nat_of(2, forwards);
    struct str error = STR_INIT;
    struct helper *helper = NULL;
    int monitor;
    struct pollfd fd = { .events = POLLIN };

    CHECK(!helper_spawn(&options, &helper, &error));
    CHECK(helper_set_host_nat(helper, &nat, &error) == -EINVAL);
    CHECK(!fingerprint("weft-lab"));
    nat.n_forwards = 1;
    CHECK_MSG(!helper_set_host_nat(helper, &nat, &error), "%s",
              str_text(&error));
    CHECK(fingerprint("weft-lab") && sysctl_read(forwarding) == '1');
    CHECK(!helper_settle(helper));
    CHECK(succeeds("nft flush ruleset"));
    monitor = fd.fd = nft_monitor_open();
    while (!fingerprint("weft-lab")) {
        CHECK(poll(&fd, 1, EVENT_MS) == 1);
        nft_monitor_read(monitor, "weft-lab");
    }
    close(monitor);
    helper_close(helper);
    /* With its devices. */
    CHECK(fingerprint("weft-lab"));
    helper = NULL;
    CHECK(!helper_spawn(&options, &helper, &error));
    CHECK(fingerprint("weft-lab"));
    CHECK(!helper_settle(helper));
    CHECK(!fingerprint("weft-lab") && sysctl_read(forwarding) == '0');
    helper_close(helper);
    str_fini(&error);
}

static int
set_up(void **state UNUSED)
{
    if (geteuid() || unshare(CLONE_NEWNET)) {
        print_message("needs root and network namespaces: skipped\n");
        exit(77);
    }
    return sysctl_write(forwarding, '0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_would_be_more_than_a_rule_is_refused),
        RUN(each_forward_leads_to_its_leg_and_only_our_address_is_masqueraded),
        RUN(forwarding_is_given_back_as_it_was),
        RUN(what_a_killed_run_changed_is_given_back_by_the_next),
        RUN(ipv6_is_forwarded_only_for_those_who_want_it),
        RUN(of_two_daemons_the_last_gives_back_what_the_first_found),
        RUN(the_same_once_more_changes_nothing),
        RUN(what_somebody_else_does_to_the_table_is_undone),
        RUN(what_somebody_else_does_elsewhere_is_left_alone),
        RUN(a_floating_address_is_routed_and_answered_for),
        RUN(what_the_host_has_itself_is_refused),
        RUN(the_helper_keeps_it_for_main_and_mends_it),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
