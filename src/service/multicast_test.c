/* Who hears which group: reports, leaves, queries, limits, time. */
#include "service/multicast.h"

#include "lib/str.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/igmp.h"
#include "packet/ip.h"
#include "packet/mld.h"
#include "unit.h"

enum { BLUE = 100, RED = 200, VM1 = 1, VM2 = 2, NESTED = 3, LAN = 9 };
enum { SECOND = 1000, HELD = 260 * SECOND };

static const char group[] = "239.1.2.3";

/* What the watch heard, in words. */
struct lab {
    struct multicast *m;
    struct str heard;
    msec now;
};

static void
on_group(void *aux, const struct multicast_group *g, uint64_t port)
{
    struct lab *lab = aux;
    char text[ADDRESS_TEXT_SIZE];

    str_addf(&lab->heard, "%s %s %u; ",
             ip6_is_mapped4(&g->address)
                 ? ip4_format(get_be32(&g->address.b[12]), text)
                 : ip6_format(g->address, text),
             multicast_hears(g, port) ? "joined by" : "left by",
             (unsigned int) port);
}

static void
on_hearer(void *aux, uint64_t network, uint64_t port)
{
    struct lab *lab = aux;

    str_addf(&lab->heard, "%u %s; ", (unsigned int) port,
             multicast_hears_all(lab->m, network, port) ? "hears all"
                                                        : "hears less");
}

static void
on_ask(void *aux, uint64_t network, uint64_t port,
       const struct membership_query *query)
{
    struct lab *lab = aux;
    bool is_ip6 = !ip6_is_mapped4(&query->src);
    bool is_general = is_ip6 ? !ip6_addr_is_set(query->group)
                             : !get_be32(&query->group.b[12]);

    (void) network;
    str_addf(&lab->heard, "ask %u %s %s; ", (unsigned int) port,
             is_ip6 ? "mld" : "igmp", is_general ? "all" : "one");
}

static void
on_pass(void *aux, const struct multicast_group *g, uint64_t from,
        const void *frame, size_t len)
{
    struct lab *lab = aux;

    (void) frame;
    (void) len;
    str_addf(&lab->heard, "pass from %u to %u; ", (unsigned int) from, g->n);
}

static struct multicast_network_config
config(uint64_t id, be32 address)
{
    return (struct multicast_network_config) {
        .id = id, .mac = { { 2, 0, 0, 0, 0, 1 } }, .address = address,
        .link_local = { { 0xfe, 0x80, [15] = 9 } },
    };
}

static void
lab_init(struct lab *lab, const struct multicast_limits *limits)
{
    struct multicast_watch watch = { on_group, on_hearer, on_ask, on_pass,
                                     lab };
    struct multicast_network_config blue = config(BLUE,
                                                  htobe32(0x0a010009));

    *lab = (struct lab) { .heard = STR_INIT, .now = 1 };
    lab->m = multicast_create(limits ? limits : &multicast_default_limits,
                              &watch);
    multicast_set_network(lab->m, &blue, lab->now);
}

static void
lab_fini(struct lab *lab)
{
    multicast_destroy(lab->m);
    str_fini(&lab->heard);
}

static void
check_heard(struct lab *lab, const char *wanted)
{
    CHECK_MSG(!strcmp(str_text(&lab->heard), wanted), "heard '%s', not '%s'",
              str_text(&lab->heard), wanted);
    str_clear(&lab->heard);
}

static void
pass_time(struct lab *lab, msec by)
{
    lab->now += by;
    multicast_run(lab->m, lab->now);
}

/* ---- Messages ---- */

static struct ip6_addr
address(const char *text)
{
    struct ip6_addr ip6;
    be32 ip4;

    if (ip4_parse(text, &ip4)) {
        return ip6_of_ip4(ip4);
    }
    CHECK(ip6_parse(text, &ip6));
    return ip6;
}

/* An IGMPv3 report with n records, the groups one after another. */
static size_t
report3(uint8_t *frame, enum membership_kind kind, const char *first,
        unsigned int n, unsigned int n_sources)
{
    struct ip6_addr groups = address(first);
    uint32_t at = be32toh(get_be32(&groups.b[12]));
    uint8_t *l3 = frame + ETH_HEADER_LEN, *igmp = l3 + 20;
    size_t record_len = 8 + 4 * (size_t) n_sources, len = 8 + n * record_len;
    struct ip4_header ip = {
        .ver_ihl = 0x45, .ttl = 1, .proto = IP_PROTO_IGMP,
        .total_len = htobe16((uint16_t) (20 + len)),
        .src = { 10, 1, 0, 5 }, .dst = { 224, 0, 0, 22 },
    };

    memset(frame, 0, ETH_HEADER_LEN + 20 + len);
    put_be16(frame + 12, htobe16(ETH_TYPE_IP));
    ip.csum = checksum_fold(checksum_add(0, &ip, sizeof ip));
    memcpy(l3, &ip, sizeof ip);
    igmp[0] = 0x22;
    put_be16(igmp + 6, htobe16((uint16_t) n));
    for (unsigned int i = 0; i < n; i++) {
        uint8_t *record = igmp + 8 + i * record_len;

        record[0] = (uint8_t) kind;
        put_be16(record + 2, htobe16((uint16_t) n_sources));
        put_be32(record + 4, htobe32(at + i));
    }
    put_be16(igmp + 2, checksum_fold(checksum_add(0, igmp, len)));
    return ETH_HEADER_LEN + 20 + len;
}

static void
hear(struct lab *lab, unsigned int port, const void *frame, size_t len)
{
    struct multicast_origin origin = {
        .network = BLUE, .port = port, .is_single = port != NESTED,
        .is_lan = port == LAN,
    };

    multicast_hear(lab->m, &origin, frame, len, lab->now);
}

static void
say_many(struct lab *lab, unsigned int port, enum membership_kind kind,
         const char *first, unsigned int n, unsigned int n_sources)
{
    uint8_t frame[8192];

    hear(lab, port, frame, report3(frame, kind, first, n, n_sources));
}

static void
say(struct lab *lab, unsigned int port, enum membership_kind kind)
{
    say_many(lab, port, kind, group, 1, 0);
}

/* Older versions' messages. */
static void
say_old(struct lab *lab, unsigned int port, uint8_t type)
{
    uint8_t frame[64];
    uint8_t *l3 = frame + ETH_HEADER_LEN, *igmp = l3 + 20;
    struct ip6_addr to = address(group);

    report3(frame, IS_EXCLUDE, group, 0, 0);
    memcpy(l3 + 16, &to.b[12], 4);
    put_be16(l3 + 10, 0);
    put_be16(l3 + 10, checksum_fold(checksum_add(0, l3, 20)));
    memset(igmp, 0, 8);
    igmp[0] = type;
    memcpy(igmp + 4, &to.b[12], 4);
    put_be16(igmp + 2, checksum_fold(checksum_add(0, igmp, 8)));
    hear(lab, port, frame, ETH_HEADER_LEN + 28);
}

/* "" asks about all. */
static void
query(struct lab *lab, unsigned int port, const char *src, const char *about,
      msec max_response)
{
    uint8_t frame[MEMBERSHIP_QUERY_MAX];
    struct membership_query q = {
        .src = address(src), .group = address(*about ? about : "0.0.0.0"),
        .max_response = max_response, .interval = 125, .robustness = 2,
    };

    hear(lab, port, frame, igmp_encode_query(&q, frame));
}

/* Past the questions that a new network is asked. */
static void
settle(struct lab *lab)
{
    pass_time(lab, 0);
    pass_time(lab, 32 * SECOND);
    pass_time(lab, 126 * SECOND);
    str_clear(&lab->heard);
}

static bool
hears(const struct lab *lab, const char *text, unsigned int port)
{
    struct ip6_addr wanted = address(text);
    const struct multicast_group *g = multicast_find(lab->m, BLUE, &wanted);

    return g && multicast_hears(g, port);
}

/* ---- Reports and leaves ---- */

TEST(a_report_joins_and_another_says_nothing_new)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, VM1, TO_EXCLUDE);
    check_heard(&lab, "239.1.2.3 joined by 1; ");
    say(&lab, VM1, IS_EXCLUDE);
    say_old(&lab, VM1, 0x16);
    check_heard(&lab, "");
    CHECK(hears(&lab, group, VM1) && !hears(&lab, group, VM2));
    CHECK(multicast_count(lab.m, MULTICAST_STAYED) == 2);
    lab_fini(&lab);
}

TEST(one_host_leaves_at_once)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, VM1, TO_EXCLUDE);
    say_old(&lab, VM2, 0x16);
    str_clear(&lab.heard);
    say(&lab, VM1, TO_INCLUDE);
    check_heard(&lab, "239.1.2.3 left by 1; ");
    say_old(&lab, VM2, 0x17);
    check_heard(&lab, "239.1.2.3 left by 2; ");
    CHECK(!multicast_next(lab.m, NULL));
    lab_fini(&lab);
}

TEST(where_there_may_be_others_they_are_asked)
{
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    say(&lab, NESTED, TO_EXCLUDE);
    str_clear(&lab.heard);
    say(&lab, NESTED, TO_INCLUDE);
    check_heard(&lab, "ask 3 igmp one; ");
    say(&lab, NESTED, TO_INCLUDE);
    pass_time(&lab, 1 * SECOND);
    check_heard(&lab, "ask 3 igmp one; ");
    /* Another says that it is there. */
    say(&lab, NESTED, IS_EXCLUDE);
    pass_time(&lab, 60 * SECOND);
    CHECK(hears(&lab, group, NESTED));
    say(&lab, NESTED, TO_INCLUDE);
    pass_time(&lab, 1 * SECOND);
    str_clear(&lab.heard);
    pass_time(&lab, 1 * SECOND);
    check_heard(&lab, "239.1.2.3 left by 3; ");
    lab_fini(&lab);
}

TEST(an_old_host_does_not_say_that_it_leaves)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say_old(&lab, NESTED, 0x12);
    say(&lab, NESTED, TO_INCLUDE);
    pass_time(&lab, 10 * SECOND);
    CHECK(hears(&lab, group, NESTED));
    pass_time(&lab, HELD);
    CHECK(!hears(&lab, group, NESTED));
    lab_fini(&lab);
}

/* RFC 3376, 4.2.12: what each kind of record says of an interest. */
TEST(sources_are_an_interest_or_its_end)
{
    static const struct {
        enum membership_kind kind;
        unsigned int n_sources;
        bool joins;
    } rows[] = {
        { IS_INCLUDE, 0, false }, { IS_INCLUDE, 2, true },
        { IS_EXCLUDE, 0, true }, { IS_EXCLUDE, 2, true },
        { TO_INCLUDE, 0, false }, { TO_INCLUDE, 1, true },
        { TO_EXCLUDE, 1, true }, { ALLOW_SOURCES, 1, true },
        { ALLOW_SOURCES, 0, false }, { BLOCK_SOURCES, 1, false },
    };
    struct lab lab;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        lab_init(&lab, NULL);
        say_many(&lab, VM1, rows[i].kind, group, 1, rows[i].n_sources);
        CHECK_MSG(hears(&lab, group, VM1) == rows[i].joins, "row %zu", i);
        lab_fini(&lab);
    }
    lab_init(&lab, NULL);
    say_many(&lab, VM1, ALLOW_SOURCES, group, 1, 1);
    say_many(&lab, VM1, BLOCK_SOURCES, group, 1, 1);
    CHECK(hears(&lab, group, VM1));
    pass_time(&lab, 2 * SECOND);
    CHECK(!hears(&lab, group, VM1));
    lab_fini(&lab);
}

TEST(everybody_s_groups_are_nobody_s)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say_many(&lab, VM1, TO_EXCLUDE, "224.0.0.251", 1, 0);
    CHECK(!multicast_next(lab.m, NULL));
    CHECK(multicast_count(lab.m, MULTICAST_FOR_ALL) == 1);
    lab_fini(&lab);
}

TEST(networks_do_not_mix)
{
    struct multicast_network_config red = config(RED, 0);
    struct ip6_addr wanted = address(group);
    struct lab lab;

    lab_init(&lab, NULL);
    multicast_set_network(lab.m, &red, 0);
    say(&lab, VM1, TO_EXCLUDE);
    CHECK(multicast_find(lab.m, BLUE, &wanted)
          && !multicast_find(lab.m, RED, &wanted));
    str_clear(&lab.heard);
    multicast_remove_network(lab.m, BLUE);
    check_heard(&lab, "239.1.2.3 left by 0; ");
    CHECK(!multicast_next(lab.m, NULL));
    say(&lab, VM1, TO_EXCLUDE);
    CHECK(!multicast_next(lab.m, NULL));
    lab_fini(&lab);
}

/* ---- Time ---- */

TEST(who_is_silent_is_forgotten)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, VM1, TO_EXCLUDE);
    say(&lab, VM2, TO_EXCLUDE);
    pass_time(&lab, 100 * SECOND);
    say(&lab, VM2, IS_EXCLUDE);
    pass_time(&lab, HELD - 100 * SECOND - 1);
    CHECK(hears(&lab, group, VM1));
    pass_time(&lab, 1);
    CHECK(!hears(&lab, group, VM1) && hears(&lab, group, VM2));
    CHECK(multicast_count(lab.m, MULTICAST_EXPIRED) == 1);
    lab_fini(&lab);
}

TEST(a_network_is_asked_once_more_and_then_while_somebody_listens)
{
    struct lab lab;

    lab_init(&lab, NULL);
    pass_time(&lab, 31249);
    check_heard(&lab, "");
    pass_time(&lab, 1);
    check_heard(&lab, "ask 0 igmp all; ask 0 mld all; ");
    pass_time(&lab, 1000 * SECOND);
    check_heard(&lab, "");
    say(&lab, VM1, TO_EXCLUDE);
    str_clear(&lab.heard);
    for (unsigned int i = 0; i < 3; i++) {
        pass_time(&lab, 125 * SECOND);
        check_heard(&lab, "ask 0 igmp all; ");
        say(&lab, VM1, IS_EXCLUDE);
    }
    say(&lab, VM1, TO_INCLUDE);
    str_clear(&lab.heard);
    CHECK(multicast_run(lab.m, lab.now + 1000 * SECOND) == INT64_MAX);
    check_heard(&lab, "");
    lab_fini(&lab);
}

TEST(nothing_expires_that_was_not_asked)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, VM1, TO_EXCLUDE);
    lab.now += 1000 * SECOND;
    multicast_resume(lab.m, lab.now);
    str_clear(&lab.heard);
    pass_time(&lab, 0);
    check_heard(&lab, "ask 0 igmp all; ask 0 mld all; ");
    pass_time(&lab, 40 * SECOND);
    CHECK(hears(&lab, group, VM1));
    pass_time(&lab, 10 * SECOND);
    CHECK(!hears(&lab, group, VM1));
    lab_fini(&lab);
}

TEST(what_was_there_before_stays_until_it_was_asked)
{
    struct ip6_addr wanted = address(group);
    struct lab lab;

    lab_init(&lab, NULL);
    multicast_adopt(lab.m, BLUE, VM1, &wanted, lab.now);
    multicast_adopt(lab.m, BLUE, VM2, &wanted, lab.now);
    multicast_adopt(lab.m, BLUE, NESTED, NULL, lab.now);
    check_heard(&lab, "239.1.2.3 joined by 1; 239.1.2.3 joined by 2; "
                      "3 hears all; ");
    CHECK(multicast_hears_all(lab.m, BLUE, NESTED));
    pass_time(&lab, 40 * SECOND);
    say(&lab, VM2, IS_EXCLUDE);
    pass_time(&lab, 20 * SECOND);
    CHECK(!hears(&lab, group, VM1) && hears(&lab, group, VM2));
    CHECK(!multicast_hears_all(lab.m, BLUE, NESTED));
    lab_fini(&lab);
}

/* ---- Queriers ---- */

TEST(a_querier_s_port_hears_all)
{
    struct multicast_hearer hearer;
    unsigned int i = 0;
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    query(&lab, VM2, "10.1.0.20", "", 10000);
    check_heard(&lab, "2 hears all; ");
    query(&lab, VM2, "10.1.0.20", "", 10000);
    check_heard(&lab, "");
    CHECK(multicast_next_hearer(lab.m, BLUE, &i, &hearer));
    CHECK(hearer.port == VM2
          && hearer.router_until == lab.now + 255 * SECOND);
    CHECK(!multicast_next_hearer(lab.m, BLUE, &i, &hearer));
    pass_time(&lab, 255 * SECOND);
    check_heard(&lab, "2 hears less; ");
    lab_fini(&lab);
}

TEST(a_port_that_is_new_hears_all_until_it_had_time_to_answer)
{
    struct multicast_hearer hearer;
    unsigned int i = 0;
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    multicast_add_port(lab.m, BLUE, VM1, false, lab.now);
    check_heard(&lab, "1 hears all; ask 1 igmp all; ask 1 mld all; ");
    multicast_add_port(lab.m, BLUE, VM2, true, lab.now);
    check_heard(&lab, "2 hears all; ");
    CHECK(multicast_next_hearer(lab.m, BLUE, &i, &hearer)
          && hearer.port == VM1 && !hearer.router_until);
    pass_time(&lab, 2 * SECOND);
    say(&lab, VM1, IS_EXCLUDE);
    str_clear(&lab.heard);
    pass_time(&lab, 1 * SECOND);
    check_heard(&lab, "1 hears less; 2 hears less; ");
    CHECK(hears(&lab, group, VM1) && !hears(&lab, group, VM2));
    multicast_ask(lab.m, BLUE);
    check_heard(&lab, "ask 0 igmp all; ask 0 mld all; ");
    lab_fini(&lab);
}

/* RFC 4541, 2.1.1: it asks on behalf of somebody else. */
TEST(who_asks_without_an_address_is_no_querier)
{
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    query(&lab, VM2, "0.0.0.0", "", 10000);
    check_heard(&lab, "");
    lab_fini(&lab);
}

/* We are 10.1.0.9. */
static void
check_election(unsigned int port, const char *src, bool is_ours)
{
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    say(&lab, VM1, TO_EXCLUDE);
    query(&lab, port, src, "", 10000);
    str_clear(&lab.heard);
    pass_time(&lab, 125 * SECOND);
    check_heard(&lab, is_ours ? "ask 0 igmp all; " : "");
    say(&lab, VM1, IS_EXCLUDE);
    /* The other is silent: it is ours again. */
    pass_time(&lab, 131 * SECOND);
    str_clear(&lab.heard);
    pass_time(&lab, 125 * SECOND);
    check_heard(&lab, "ask 0 igmp all; ");
    lab_fini(&lab);
}

TEST(the_lowest_address_asks_and_one_on_the_lan_always_does)
{
    check_election(VM2, "10.1.0.5", false);
    check_election(VM2, "10.1.0.20", true);
    check_election(LAN, "10.1.0.20", false);
}

TEST(who_has_no_address_gives_way)
{
    struct multicast_network_config none = config(BLUE, 0);
    struct lab lab;

    lab_init(&lab, NULL);
    multicast_set_network(lab.m, &none, lab.now);
    settle(&lab);
    say(&lab, VM1, TO_EXCLUDE);
    query(&lab, VM2, "10.1.0.20", "", 10000);
    str_clear(&lab.heard);
    pass_time(&lab, 125 * SECOND);
    check_heard(&lab, "");
    lab_fini(&lab);
}

TEST(a_question_about_a_group_reaches_its_members)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, VM1, TO_EXCLUDE);
    say(&lab, VM2, TO_EXCLUDE);
    str_clear(&lab.heard);
    query(&lab, LAN, "10.1.0.1", group, 1000);
    check_heard(&lab, "9 hears all; pass from 9 to 2; ");
    query(&lab, LAN, "10.1.0.1", "239.7.7.7", 1000);
    check_heard(&lab, "");
    lab_fini(&lab);
}

TEST(reports_of_the_lan_are_no_port_s)
{
    struct lab lab;

    lab_init(&lab, NULL);
    say(&lab, LAN, TO_EXCLUDE);
    check_heard(&lab, "");
    CHECK(multicast_count(lab.m, MULTICAST_OUTSIDE) == 1);
    lab_fini(&lab);
}

/* ---- Those who say too much ---- */

TEST(a_port_hears_so_many_groups_and_no_more)
{
    struct multicast_limits limits = { 3, 5, 100, 100 };
    struct lab lab;

    lab_init(&lab, &limits);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.0.1", 5, 0);
    CHECK(hears(&lab, "239.0.0.3", VM1) && !hears(&lab, "239.0.0.4", VM1));
    CHECK(multicast_count(lab.m, MULTICAST_PORT_FULL) == 2);
    /* It costs nobody else. */
    say_many(&lab, VM2, TO_EXCLUDE, "239.0.0.4", 2, 0);
    CHECK(hears(&lab, "239.0.0.5", VM2));
    /* One less, one more. */
    say_many(&lab, VM1, TO_INCLUDE, "239.0.0.1", 1, 0);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.0.5", 1, 0);
    CHECK(hears(&lab, "239.0.0.5", VM1));
    lab_fini(&lab);
}

TEST(a_network_has_so_many_groups_and_no_more)
{
    struct multicast_limits limits = { 3, 5, 100, 100 };
    struct lab lab;

    lab_init(&lab, &limits);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.0.1", 3, 0);
    say_many(&lab, VM2, TO_EXCLUDE, "239.0.0.4", 3, 0);
    CHECK(multicast_count(lab.m, MULTICAST_NETWORK_FULL) == 1);
    /* Those that are there can be joined by others. */
    say_many(&lab, NESTED, TO_EXCLUDE, "239.0.0.1", 1, 0);
    CHECK(hears(&lab, "239.0.0.1", NESTED));
    lab_fini(&lab);
}

TEST(who_talks_too_fast_is_not_obeyed)
{
    struct multicast_limits limits = { 100, 100, 10, 20 };
    struct lab lab;

    lab_init(&lab, &limits);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.0.1", 20, 0);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.1.1", 1, 0);
    CHECK(!hears(&lab, "239.0.1.1", VM1));
    CHECK(multicast_count(lab.m, MULTICAST_TOO_FAST) == 1);
    say_many(&lab, VM2, TO_EXCLUDE, "239.0.1.1", 1, 0);
    CHECK(hears(&lab, "239.0.1.1", VM2));
    lab.now += 99;
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.1.1", 1, 0);
    CHECK(!hears(&lab, "239.0.1.1", VM1));
    lab.now += 1;
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.1.1", 1, 0);
    CHECK(hears(&lab, "239.0.1.1", VM1));
    lab_fini(&lab);
}

/* Memberships would expire before anybody had to answer. */
TEST(a_query_that_gives_too_much_time_is_ignored)
{
    struct lab lab;
    uint8_t frame[MEMBERSHIP_QUERY_MAX];
    struct membership_query q = {
        .src = address("10.1.0.5"), .group = ip6_of_ip4(0),
    };
    size_t len = igmp_encode_query(&q, frame);
    uint8_t *igmp = frame + ETH_HEADER_LEN + 24;

    lab_init(&lab, NULL);
    igmp[1] = 0xff;
    put_be16(igmp + 2, 0);
    put_be16(igmp + 2, checksum_fold(checksum_add(0, igmp, 12)));
    hear(&lab, VM2, frame, len);
    check_heard(&lab, "");
    CHECK(multicast_count(lab.m, MULTICAST_ODD_QUERY) == 1);
    lab_fini(&lab);
}

TEST(a_port_that_goes_takes_its_groups_along)
{
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    say_many(&lab, VM1, TO_EXCLUDE, "239.0.0.1", 2, 0);
    say_many(&lab, VM2, TO_EXCLUDE, "239.0.0.2", 1, 0);
    query(&lab, VM1, "10.1.0.5", "", 10000);
    str_clear(&lab.heard);
    multicast_remove_port(lab.m, BLUE, VM1);
    CHECK(strstr(str_text(&lab.heard), "1 hears less"));
    CHECK(!hears(&lab, "239.0.0.1", VM1) && !hears(&lab, "239.0.0.2", VM1));
    CHECK(hears(&lab, "239.0.0.2", VM2));
    CHECK(!multicast_hears_all(lab.m, BLUE, VM1));
    lab_fini(&lab);
}

TEST(who_is_told_of_stays_until_told_otherwise)
{
    struct ip6_addr groups[] = { ip6_of_ip4(htobe32(0xef010203)),
                                 ip6_of_ip4(htobe32(0xef000001)) };
    enum { AWAY = 77 };
    struct lab lab;

    lab_init(&lab, NULL);
    settle(&lab);
    str_clear(&lab.heard);
    multicast_set_away(lab.m, BLUE, AWAY, groups, 2, lab.now);
    check_heard(&lab, "239.0.0.1 joined by 77; 239.1.2.3 joined by 77; ");
    multicast_set_away(lab.m, BLUE, AWAY, groups, 2, lab.now);
    check_heard(&lab, "");
    /* Reports do not come from there, and nothing expires. */
    lab.now += 10 * HELD;
    multicast_run(lab.m, lab.now);
    CHECK(hears(&lab, group, AWAY) && hears(&lab, "239.0.0.1", AWAY));
    multicast_resume(lab.m, lab.now);
    str_clear(&lab.heard);
    multicast_set_away(lab.m, BLUE, AWAY, groups, 1, lab.now);
    check_heard(&lab, "239.0.0.1 left by 77; ");
    CHECK(hears(&lab, group, AWAY));
    multicast_set_away(lab.m, BLUE, AWAY, NULL, 0, lab.now);
    check_heard(&lab, "239.1.2.3 left by 77; ");
    multicast_set_away(lab.m, RED + 1, AWAY, groups, 2, lab.now);
    check_heard(&lab, "");
    CHECK(!multicast_hears_all(lab.m, BLUE, AWAY));
    lab_fini(&lab);
}

TESTS(
    RUN(who_is_told_of_stays_until_told_otherwise),
    RUN(a_report_joins_and_another_says_nothing_new),
    RUN(one_host_leaves_at_once),
    RUN(where_there_may_be_others_they_are_asked),
    RUN(an_old_host_does_not_say_that_it_leaves),
    RUN(sources_are_an_interest_or_its_end),
    RUN(everybody_s_groups_are_nobody_s),
    RUN(networks_do_not_mix),
    RUN(who_is_silent_is_forgotten),
    RUN(a_network_is_asked_once_more_and_then_while_somebody_listens),
    RUN(nothing_expires_that_was_not_asked),
    RUN(what_was_there_before_stays_until_it_was_asked),
    RUN(a_querier_s_port_hears_all),
    RUN(a_port_that_is_new_hears_all_until_it_had_time_to_answer),
    RUN(who_asks_without_an_address_is_no_querier),
    RUN(the_lowest_address_asks_and_one_on_the_lan_always_does),
    RUN(who_has_no_address_gives_way),
    RUN(a_question_about_a_group_reaches_its_members),
    RUN(reports_of_the_lan_are_no_port_s),
    RUN(a_port_hears_so_many_groups_and_no_more),
    RUN(a_network_has_so_many_groups_and_no_more),
    RUN(who_talks_too_fast_is_not_obeyed),
    RUN(a_query_that_gives_too_much_time_is_ignored),
    RUN(a_port_that_goes_takes_its_groups_along),
)
