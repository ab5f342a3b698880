/* What RFC 8415 asks of a server, section by section. */

#include <string.h>

#include "packet/address.h"
#include "service/dhcp6_lab.h"
#include "unit.h"

static bool
is(struct ip6_addr addr, const char *text)
{
    return ip6_addr_eq(addr, ip6(text));
}

static const char *const foreign[] = { "fd99::5", NULL };

/* --- 18.3.1, 18.3.9: Solicit, Advertise --------------------------------- */

TEST(a_solicit_is_answered_with_the_planned_address_and_keeps_nothing)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_options preference;

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_ADVERTISED);
    CHECK(lab->reply.type == DHCP6_ADVERTISE);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    CHECK(!lab->answer.changes.n && !lease6_count(lab->config.leases));
    preference = dhcp6_option_find(lab->reply.options, DHCP6_OPT_PREFERENCE);
    CHECK(preference.len == 1 && preference.p[0] == 255);
    CHECK(dhcp6_option_find(lab->reply.options,
                            DHCP6_OPT_CLIENT_ID).len == 10);
    lab6_close(lab);
}

TEST(rapid_commit_gives_the_address_in_two_messages)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(lab->reply.type == DHCP6_REPLY);
    CHECK(dhcp6_option_find(lab->reply.options, DHCP6_OPT_RAPID_COMMIT).p);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    CHECK(lab->answer.changes.n == 1);
    lab6_close(lab);
}

TEST(a_solicit_with_a_server_is_dropped)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    lab6_add_server_id(lab);
    CHECK(lab6_ask(lab) == DHCP6_INVALID);
    lab6_close(lab);
}

TEST(a_solicit_of_nobody_is_dropped)
{
    struct lab6 *lab = lab6_open();

    lab6_begin_bare(lab, DHCP6_SOLICIT, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_NO_CLIENT_ID);
    lab6_close(lab);
}

/* --- 18.3.2: Request ---------------------------------------------------- */

TEST(a_request_makes_a_lease_with_its_times)
{
    struct lab6 *lab = lab6_open();
    struct lease6_record *record = &lab->answer.changes.at[0].record;
    struct dhcp6_address a;
    struct dhcp6_ia ia;

    CHECK(is(lab6_lease(lab, 5, 77), "fd00::5"));
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
    CHECK(ia.iaid == 77);
    CHECK(dhcp6_address_decode(dhcp6_option_find(ia.options,
                                                 DHCP6_OPT_ADDRESS), &a));
    CHECK(a.valid == LAB6_LEASE && a.preferred < a.valid);
    CHECK(ia.t1 < ia.t2 && ia.t2 < a.preferred);
    CHECK(lab->answer.changes.n == 1 && record->iaid == 77);
    CHECK(record->expires == LAB6_NOW + LAB6_LEASE);
    CHECK(!strcmp(record->port, "p5"));
    lab6_close(lab);
}

TEST(a_request_to_another_server_is_dropped)
{
    static const uint8_t other[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, 0xfd };
    struct lab6 *lab = lab6_open();

    lab6_begin_bare(lab, DHCP6_REQUEST, 5);
    lab6_add_client_id(lab, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_SERVER_ID, other, sizeof other);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_OTHER_SERVER);
    CHECK(!lab->answer.changes.n);
    lab6_close(lab);
}

TEST(messages_that_need_a_server_are_dropped_without_one)
{
    static const uint8_t types[] = { DHCP6_REQUEST, DHCP6_RENEW,
                                     DHCP6_RELEASE, DHCP6_DECLINE };
    struct lab6 *lab = lab6_open();

    for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
        lab6_begin_bare(lab, types[i], 5);
        lab6_add_client_id(lab, 5);
        lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
        CHECK(lab6_ask(lab) == DHCP6_INVALID);
    }
    lab6_close(lab);
}

TEST(a_request_for_another_networks_address_is_told_not_on_link)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;

    lab6_begin(lab, DHCP6_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, foreign);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_GIVEN);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
    CHECK(lab6_status(ia.options) == DHCP6_NOT_ON_LINK);
    CHECK(!lab->answer.changes.n);
    lab6_close(lab);
}

TEST(several_ias_of_one_client_get_an_address_each)
{
    struct lab6 *lab = lab6_open();
    struct ip6_addr second;

    lab6_begin(lab, DHCP6_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 2, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    second = lab6_address(lab, 1);
    CHECK(ip6_is_within(second, ip6("fd00::"), 64));
    CHECK(!is(second, "fd00::5") && lab->answer.changes.n == 2);
    /* And the same ones the next time. */
    lab6_begin(lab, DHCP6_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 2, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(ip6_addr_eq(lab6_address(lab, 0), second));
    lab6_close(lab);
}

TEST(one_station_cannot_use_up_the_network)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;

    lab6_begin(lab, DHCP6_REQUEST, 5);
    for (uint32_t iaid = 0; iaid < 5; iaid++) {
        lab6_add_ia(lab, DHCP6_OPT_IA_NA, iaid, NULL);
    }
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 3, &ia));
    CHECK(lab6_status(ia.options) < 0);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 4, &ia));
    CHECK(lab6_status(ia.options) == DHCP6_NO_ADDRS_AVAIL);
    lab6_close(lab);
}

TEST(more_ias_than_one_message_may_have_are_refused)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;
    unsigned int n = 0;

    lab->config.lease_time = DHCP6_INFINITY;
    dhcp6_server_init(&lab->server, &lab->config);
    lab6_begin(lab, DHCP6_REQUEST, 5);
    for (uint32_t iaid = 0; iaid < 2 * DHCP6_MAX_IAS; iaid++) {
        lab6_add_ia(lab, DHCP6_OPT_IA_NA, iaid % 2, NULL);
    }
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    while (lab6_ia(lab, DHCP6_OPT_IA_NA, n, &ia)
           && lab6_status(ia.options) < 0) {
        CHECK(ia.t1 == DHCP6_INFINITY);
        n++;
    }
    CHECK(n == DHCP6_MAX_IAS);
    CHECK(lease6_count(lab->config.leases) == 2);
    lab6_close(lab);
}

TEST(what_runs_behind_a_port_now_gets_its_plan)
{
    static const uint8_t other[] = { 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                                     12, 13, 14, 15, 16 };
    struct lab6 *lab = lab6_open();

    CHECK(is(lab6_lease(lab, 5, 1), "fd00::5"));
    lab6_begin_bare(lab, DHCP6_REQUEST, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, other, sizeof other);
    lab6_add_server_id(lab);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 9, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    CHECK(lease6_count(lab->config.leases) == 1);
    lab6_close(lab);
}

TEST(who_is_not_planned_gets_an_address_that_is_nobodys_plan)
{
    struct lab6 *lab = lab6_open();
    struct ip6_addr first;

    lab->is_planned = false;
    first = lab6_lease(lab, 40, 1);
    CHECK(ip6_is_within(first, ip6("fd00::"), 64) && !is(first, "fd00::1"));
    CHECK(!ip6_addr_eq(first, lab6_lease(lab, 41, 1)));
    CHECK(ip6_addr_eq(first, lab6_lease(lab, 40, 1)));
    lab6_close(lab);
}

TEST(a_small_subnet_is_used_up_to_its_last_address)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;

    lab->is_planned = false;
    lab->config.prefix = ip6("fd00::10");
    lab->config.prefix_len = 126;
    lab->config.gateway = ip6("fd00::11");        /* ::12, ::13 are left */
    dhcp6_server_init(&lab->server, &lab->config);
    lab6_lease(lab, 40, 1);
    lab6_begin(lab, DHCP6_SOLICIT, 41);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_ADVERTISED);
    lab6_lease(lab, 41, 1);
    lab6_begin(lab, DHCP6_SOLICIT, 42);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_GIVEN);
    CHECK(lab->reply.type == DHCP6_ADVERTISE);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
    CHECK(lab6_status(ia.options) == DHCP6_NO_ADDRS_AVAIL);
    /* One comes back. */
    lab->now += LAB6_LEASE + 1;
    lab6_lease(lab, 42, 1);
    lab6_close(lab);
}

/* --- 18.3.3: Confirm ---------------------------------------------------- */

TEST(a_confirm_on_this_link_is_a_success)
{
    static const char *const ours[] = { "fd00::5", NULL };
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_CONFIRM, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, ours);
    CHECK(lab6_ask(lab) == DHCP6_CONFIRMED);
    CHECK(lab6_status(lab->reply.options) == DHCP6_SUCCESS);
    lab6_close(lab);
}

TEST(a_confirm_from_another_link_is_told_so)
{
    static const char *const both[] = { "fd00::5", "fd99::5", NULL };
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_CONFIRM, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, both);
    CHECK(lab6_ask(lab) == DHCP6_CONFIRMED);
    CHECK(lab6_status(lab->reply.options) == DHCP6_NOT_ON_LINK);
    lab6_close(lab);
}

TEST(a_confirm_of_nothing_is_not_answered)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_CONFIRM, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_KNOWN);
    lab6_close(lab);
}

/* --- 18.3.4, 18.3.5: Renew, Rebind -------------------------------------- */

TEST(a_renewal_prolongs_the_lease)
{
    static const char *const ours[] = { "fd00::5", NULL };
    struct lab6 *lab = lab6_open();
    struct lease6_record r;
    struct lease_client duid = { 10, { 0, 3, 0, 1, 2, 0, 0, 0, 0, 5 } };
    struct lease6_holder h = { "p5", &duid, 1, { { 2, 0, 0, 0, 0, 5 } } };

    lab6_lease(lab, 5, 1);
    lab->now += 1000;
    lab6_begin(lab, DHCP6_RENEW, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, ours);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    CHECK(lease6_of(lab->config.leases, &h, lab->now, &r));
    CHECK(r.expires == lab->now + LAB6_LEASE);
    lab6_close(lab);
}

TEST(an_address_that_is_no_more_gets_lifetime_zero)
{
    static const char *const old[] = { "fd99::5", "fd00::99", NULL };
    static const uint8_t types[] = { DHCP6_RENEW, DHCP6_REBIND };
    struct lab6 *lab = lab6_open();

    for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
        struct dhcp6_option option;
        struct dhcp6_address a;
        struct dhcp6_ia ia;
        unsigned int n_zero = 0;

        lab6_begin(lab, types[i], 5);
        lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, old);
        CHECK(lab6_ask(lab) == DHCP6_LEASED);
        CHECK(is(lab6_address(lab, 0), "fd00::5"));
        CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
        while (dhcp6_options_next(&ia.options, &option)) {
            CHECK(dhcp6_address_decode(option.value, &a));
            n_zero += !a.valid && !a.preferred;
        }
        CHECK(n_zero == 2);
    }
    lab6_close(lab);
}

TEST(a_rebind_is_answered_by_who_knows_the_lease)
{
    static const char *const ours[] = { "fd00::5", NULL };
    struct lab6 *lab = lab6_open();

    lab6_lease(lab, 5, 1);
    lab6_begin(lab, DHCP6_REBIND, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, ours);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    lab6_begin(lab, DHCP6_REBIND, 5);
    lab6_add_server_id(lab);
    CHECK(lab6_ask(lab) == DHCP6_INVALID);
    lab6_close(lab);
}

/* --- 18.3.6, 18.3.7: Release, Decline ----------------------------------- */

TEST(a_release_frees_the_address)
{
    static const char *const ours[] = { "fd00::5", NULL };
    struct lab6 *lab = lab6_open();

    lab6_lease(lab, 5, 1);
    lab6_begin(lab, DHCP6_RELEASE, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, ours);
    CHECK(lab6_ask(lab) == DHCP6_RELEASED);
    CHECK(lab6_status(lab->reply.options) == DHCP6_SUCCESS);
    CHECK(lab->answer.changes.n == 1 && lab->answer.changes.at[0].is_removal);
    CHECK(!lease6_count(lab->config.leases));
    lab6_close(lab);
}

TEST(who_releases_what_it_does_not_hold_is_told_so)
{
    static const char *const ours[] = { "fd00::5", NULL };
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;

    lab6_lease(lab, 5, 1);
    lab6_begin(lab, DHCP6_RELEASE, 6);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, ours);
    CHECK(lab6_ask(lab) == DHCP6_RELEASED);
    CHECK(lab6_status(lab->reply.options) == DHCP6_SUCCESS);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
    CHECK(lab6_status(ia.options) == DHCP6_NO_BINDING);
    CHECK(lease6_count(lab->config.leases) == 1);
    lab6_close(lab);
}

TEST(a_declined_address_is_left_alone_unless_it_is_planned)
{
    struct lab6 *lab = lab6_open();
    char text[ADDRESS_TEXT_SIZE];
    const char *list[] = { text, NULL };
    struct ip6_addr first;

    lab->is_planned = false;
    first = lab6_lease(lab, 40, 1);
    ip6_format(first, text);
    lab6_begin(lab, DHCP6_DECLINE, 40);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, list);
    CHECK(lab6_ask(lab) == DHCP6_DECLINED);
    CHECK(lab->answer.changes.at[0].record.state == LEASE_DECLINED);
    CHECK(!ip6_addr_eq(lab6_lease(lab, 40, 1), first));
    lab->now += LEASE_DECLINE_HOLD + 1;
    CHECK(ip6_addr_eq(lab6_lease(lab, 43, 1), lab6_lease(lab, 43, 1)));

    lab->is_planned = true;
    lab6_lease(lab, 5, 1);
    lab6_begin(lab, DHCP6_DECLINE, 5);
    strcpy(text, "fd00::5");
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, list);
    CHECK(lab6_ask(lab) == DHCP6_DECLINED);
    CHECK(is(lab6_lease(lab, 5, 1), "fd00::5"));
    lab6_close(lab);
}

/* --- 18.3.8: Information-request; options ------------------------------- */

static const uint16_t all_options[] = {
    DHCP6_OPT_DNS, DHCP6_OPT_DOMAINS, DHCP6_OPT_NTP, DHCP6_OPT_BOOT_FILE,
};

TEST(who_only_asks_is_told_and_for_how_long)
{
    static const uint8_t name[] = "\4blue\4weft";
    struct lab6 *lab = lab6_open();
    struct dhcp6_options v, ntp;
    struct dhcp6_option server;
    unsigned int n = 0;

    lab->config.is_stateful = false;
    dhcp6_server_init(&lab->server, &lab->config);
    lab6_begin_bare(lab, DHCP6_INFORMATION_REQUEST, 5);
    lab6_add_oro(lab, all_options, ARRAY_SIZE(all_options));
    CHECK(lab6_ask(lab) == DHCP6_INFORMED);
    v = dhcp6_option_find(lab->reply.options, DHCP6_OPT_DNS);
    CHECK(v.len == 16 && v.p[15] == 1);
    v = dhcp6_option_find(lab->reply.options, DHCP6_OPT_DOMAINS);
    CHECK(v.len == sizeof name && !memcmp(v.p, name, sizeof name));
    ntp = dhcp6_option_find(lab->reply.options, DHCP6_OPT_NTP);
    while (dhcp6_options_next(&ntp, &server)) {
        CHECK(server.code == 1 && server.value.len == 16);
        n++;
    }
    CHECK(n == 2);
    v = dhcp6_option_find(lab->reply.options, DHCP6_OPT_BOOT_FILE);
    CHECK(v.len == strlen(lab->config.boot_file));
    v = dhcp6_option_find(lab->reply.options, DHCP6_OPT_REFRESH_TIME);
    CHECK(v.len == 4 && get_be32(v.p) == htobe32(86400));
    lab6_close(lab);
}

TEST(options_that_were_not_asked_for_are_not_told)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    lab6_add_oro(lab, all_options, 1);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_GIVEN);
    CHECK(dhcp6_option_find(lab->reply.options, DHCP6_OPT_DNS).p);
    CHECK(!dhcp6_option_find(lab->reply.options, DHCP6_OPT_DOMAINS).p);
    CHECK(!dhcp6_option_find(lab->reply.options, DHCP6_OPT_REFRESH_TIME).p);
    lab6_close(lab);
}

TEST(an_information_request_with_an_ia_is_dropped)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_INFORMATION_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_INVALID);
    lab6_close(lab);
}

TEST(where_guests_choose_addresses_none_is_given)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_ia ia;

    lab->config.is_stateful = false;
    dhcp6_server_init(&lab->server, &lab->config);
    lab6_begin(lab, DHCP6_SOLICIT, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_GIVEN);
    CHECK(lab->reply.type == DHCP6_ADVERTISE);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_NA, 0, &ia));
    CHECK(lab6_status(ia.options) == DHCP6_NO_ADDRS_AVAIL);
    lab6_close(lab);
}

/* --- 21.5, 21.21: what is not given ------------------------------------- */

TEST(temporary_addresses_and_prefixes_are_refused_by_name)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_options ta;
    struct dhcp6_ia ia;

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_TA, 3, NULL);
    lab6_add_ia(lab, DHCP6_OPT_IA_PD, 4, NULL);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 5, NULL);
    CHECK(lab6_ask(lab) == DHCP6_ADVERTISED);
    ta = dhcp6_option_find(lab->reply.options, DHCP6_OPT_IA_TA);
    CHECK(ta.len > 4 && get_be32(ta.p) == htobe32(3));
    ta.p += 4;
    ta.len -= 4;
    CHECK(lab6_status(ta) == DHCP6_NO_ADDRS_AVAIL);
    CHECK(lab6_ia(lab, DHCP6_OPT_IA_PD, 0, &ia) && ia.iaid == 4);
    CHECK(lab6_status(ia.options) == DHCP6_NO_PREFIX_AVAIL);
    CHECK(is(lab6_address(lab, 0), "fd00::5"));
    lab6_close(lab);
}

/* --- 16, 18.4: unicast -------------------------------------------------- */

TEST(unicast_is_refused_or_dropped)
{
    static const struct {
        uint8_t type;
        enum dhcp6_verdict verdict;
    } rows[] = {
        { DHCP6_SOLICIT, DHCP6_UNICAST },
        { DHCP6_CONFIRM, DHCP6_UNICAST },
        { DHCP6_REBIND, DHCP6_UNICAST },
        { DHCP6_INFORMATION_REQUEST, DHCP6_UNICAST },
        { DHCP6_REQUEST, DHCP6_TOLD_MULTICAST },
        { DHCP6_RENEW, DHCP6_TOLD_MULTICAST },
        { DHCP6_RELEASE, DHCP6_TOLD_MULTICAST },
        { DHCP6_DECLINE, DHCP6_TOLD_MULTICAST },
    };
    struct lab6 *lab = lab6_open();

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        lab6_begin(lab, rows[i].type, 5);
        lab->question.is_unicast = true;
        CHECK(lab6_ask(lab) == rows[i].verdict);
        CHECK(!lab->answer.changes.n);
        if (lab->answer.len) {
            CHECK(lab6_status(lab->reply.options) == DHCP6_USE_MULTICAST);
        }
    }
    lab6_close(lab);
}

/* --- 11: DUIDs ---------------------------------------------------------- */

TEST(every_kind_of_duid_is_a_client)
{
    static const struct {
        size_t len;
        uint8_t bytes[18];
    } duids[] = {
        { 14, { 0, 1, 0, 1, 1, 2, 3, 4, 2, 0, 0, 0, 0, 1 } },     /* LLT */
        { 8, { 0, 2, 0, 0, 0, 9, 1, 2 } },                        /* EN */
        { 10, { 0, 3, 0, 1, 2, 0, 0, 0, 0, 1 } },                 /* LL */
        { 18, { 0, 4, 1 } },                                      /* UUID */
        { 3, { 0x77, 0x77, 1 } },     /* of a kind that is not invented */
    };
    struct lab6 *lab = lab6_open();

    lab->is_planned = false;
    for (unsigned int i = 0; i < ARRAY_SIZE(duids); i++) {
        lab6_begin_bare(lab, DHCP6_REQUEST, (uint8_t) (40 + i));
        dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, duids[i].bytes,
                         duids[i].len);
        lab6_add_server_id(lab);
        lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
        CHECK(lab6_ask(lab) == DHCP6_LEASED);
        CHECK(dhcp6_option_find(lab->reply.options,
                                DHCP6_OPT_CLIENT_ID).len == duids[i].len);
    }
    CHECK(lease6_count(lab->config.leases) == ARRAY_SIZE(duids));
    lab6_close(lab);
}

TEST(a_duid_of_an_impossible_length_is_malformed)
{
    uint8_t bytes[DHCP6_DUID_MAX + 1] = { 0, 4 };
    struct lab6 *lab = lab6_open();

    lab6_begin_bare(lab, DHCP6_SOLICIT, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, bytes, sizeof bytes);
    CHECK(lab6_ask(lab) == DHCP6_MALFORMED);
    lab6_begin_bare(lab, DHCP6_SOLICIT, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, bytes, 2);
    CHECK(lab6_ask(lab) == DHCP6_MALFORMED);
    lab6_begin_bare(lab, DHCP6_SOLICIT, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, bytes,
                     DHCP6_DUID_MAX);
    CHECK(lab6_ask(lab) == DHCP6_NOTHING_GIVEN);
    lab6_close(lab);
}

/* --- What is no question at all ----------------------------------------- */

TEST(what_clients_do_not_send_is_dropped)
{
    static const struct {
        uint8_t type;
        enum dhcp6_verdict verdict;
    } rows[] = {
        { DHCP6_ADVERTISE, DHCP6_FROM_SERVER },
        { DHCP6_REPLY, DHCP6_FROM_SERVER },
        { DHCP6_RECONFIGURE, DHCP6_FROM_SERVER },
        { DHCP6_RELAY_REPL, DHCP6_FROM_SERVER },
        { 0, DHCP6_UNKNOWN_TYPE }, { 14, DHCP6_UNKNOWN_TYPE },
        { 255, DHCP6_UNKNOWN_TYPE },
    };
    struct lab6 *lab = lab6_open();

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        lab6_begin(lab, rows[i].type, 5);
        CHECK(lab6_ask(lab) == rows[i].verdict);
    }
    CHECK(lab6_ask_bytes(lab, NULL, 0) == DHCP6_NOT_DHCP);
    CHECK(lab6_ask_bytes(lab, "\1\0", 2) == DHCP6_MALFORMED);
    lab6_close(lab);
}

TEST(a_message_cut_anywhere_is_never_answered_wrongly)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, foreign);
    for (size_t len = 0; len < lab->w.len; len++) {
        lab6_ask_bytes(lab, lab->bytes, len);
        CHECK(!lab->answer.changes.n);
    }
    lab6_close(lab);
}

/* --- The name that a client gives itself -------------------------------- */

TEST(a_clients_name_is_remembered_with_its_lease)
{
    struct lab6 *lab = lab6_open();

    lab6_begin(lab, DHCP6_REQUEST, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_FQDN, "\0\3Web\7example", 13);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(!strcmp(lab->answer.changes.at[0].record.hostname, "web"));
    lab6_begin(lab, DHCP6_REQUEST, 5);
    dhcp6_put_option(&lab->w, DHCP6_OPT_FQDN, "\0\3a b", 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(!lab->answer.changes.at[0].record.hostname[0]);
    lab6_close(lab);
}

TEST(verdicts_have_names_and_sentences)
{
    for (unsigned int i = 0; i < N_DHCP6_VERDICTS; i++) {
        CHECK(*dhcp6_verdict_name(i) && *dhcp6_verdict_text(i));
    }
}

TESTS(
    RUN(a_solicit_is_answered_with_the_planned_address_and_keeps_nothing),
    RUN(rapid_commit_gives_the_address_in_two_messages),
    RUN(a_solicit_with_a_server_is_dropped),
    RUN(a_solicit_of_nobody_is_dropped),
    RUN(a_request_makes_a_lease_with_its_times),
    RUN(a_request_to_another_server_is_dropped),
    RUN(messages_that_need_a_server_are_dropped_without_one),
    RUN(a_request_for_another_networks_address_is_told_not_on_link),
    RUN(several_ias_of_one_client_get_an_address_each),
    RUN(one_station_cannot_use_up_the_network),
    RUN(more_ias_than_one_message_may_have_are_refused),
    RUN(what_runs_behind_a_port_now_gets_its_plan),
    RUN(who_is_not_planned_gets_an_address_that_is_nobodys_plan),
    RUN(a_small_subnet_is_used_up_to_its_last_address),
    RUN(a_confirm_on_this_link_is_a_success),
    RUN(a_confirm_from_another_link_is_told_so),
    RUN(a_confirm_of_nothing_is_not_answered),
    RUN(a_renewal_prolongs_the_lease),
    RUN(an_address_that_is_no_more_gets_lifetime_zero),
    RUN(a_rebind_is_answered_by_who_knows_the_lease),
    RUN(a_release_frees_the_address),
    RUN(who_releases_what_it_does_not_hold_is_told_so),
    RUN(a_declined_address_is_left_alone_unless_it_is_planned),
    RUN(who_only_asks_is_told_and_for_how_long),
    RUN(options_that_were_not_asked_for_are_not_told),
    RUN(an_information_request_with_an_ia_is_dropped),
    RUN(where_guests_choose_addresses_none_is_given),
    RUN(temporary_addresses_and_prefixes_are_refused_by_name),
    RUN(unicast_is_refused_or_dropped),
    RUN(every_kind_of_duid_is_a_client),
    RUN(a_duid_of_an_impossible_length_is_malformed),
    RUN(what_clients_do_not_send_is_dropped),
    RUN(a_message_cut_anywhere_is_never_answered_wrongly),
    RUN(a_clients_name_is_remembered_with_its_lease),
    RUN(verdicts_have_names_and_sentences),
)
