#include "packet/address.h"
#include "packet/eth.h"
#include "scapy_dhcp.h"
#include "service/dhcp_lab.h"
#include "unit.h"

/* --- Times -------------------------------------------------------------- */

TEST(the_lease_time_asked_for_is_given_within_bounds__4_3_1)
{
    static const struct {
        uint32_t asked, given;
    } cases[] = { { 1, 60 }, { 600, 600 }, { 7200, 7200 },
                  { 10000000, DHCP_MAX_TIME },
                  { UINT32_MAX, DHCP_MAX_TIME } };
    struct lab *lab = lab_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(lab, DHCP_DISCOVER, 1);
        add_u32(lab, DHCP_OPT_LEASE_TIME, cases[i].asked);
        CHECK(ask(lab) == DHCP_OFFERED);
        CHECK(reply_u32(lab, DHCP_OPT_LEASE_TIME) == cases[i].given);
    }
    lab_close(lab);
}

TEST(t1_is_half_and_t2_seven_eighths_of_the_time__4_4_5)
{
    struct lab *lab = lab_open();

    lease(lab, 1);
    CHECK(reply_u32(lab, DHCP_OPT_T1) == DHCP_DEFAULT_TIME / 2);
    CHECK(reply_u32(lab, DHCP_OPT_T2) == DHCP_DEFAULT_TIME * 7 / 8);
    lab_close(lab);
}

TEST(a_lease_for_ever_has_no_t1_and_never_ends)
{
    struct lab *lab = lab_open();

    lab->subnets[0].default_time = DHCP_TIME_FOREVER;
    configure(lab);
    lease(lab, 1);
    CHECK(reply_u32(lab, DHCP_OPT_LEASE_TIME) == UINT32_MAX);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_T1));
    CHECK(lab->answer.changes.at[0].record.expires == LEASE_FOREVER);
    lab_close(lab);
}

/* --- Options ------------------------------------------------------------ */

static void
configure_much(struct lab *lab)
{
    static const char *const search[] = { "blue.weft", "example.org." };
    static const struct dhcp_static_route routes[] = {
        { 0x000010ac, 12, 0x0500000a }, { 0x010200c0, 32, 0x0600000a },
    };
    static const struct dhcp_item extras[] = {
        { 43, 3, "abc" }, { DHCP_OPT_NTP, 4, "\xa\0\0\x9" },
    };
    static const be32 ntp = 0x0700000a;
    struct dhcp_subnet *s = &lab->subnets[0];

    s->mtu = 1450;
    s->ntp = &ntp;
    s->n_ntp = 1;
    s->search = search;
    s->n_search = 2;
    s->routes = routes;
    s->n_routes = 2;
    s->boot_server = "10.0.0.3";
    s->boot_file = "pxelinux.0";
    s->extras = extras;
    s->n_extras = 2;
    configure(lab);
}

/* The options' codes in the order in which they lie in the answer. */
static size_t
reply_order(const struct lab *lab, uint8_t *codes)
{
    const uint8_t *p = lab->reply_udp.payload + DHCP_OPTIONS_OFS;
    size_t n = 0;

    for (; *p != DHCP_OPT_END; p += 2 + p[1]) {
        codes[n++] = *p;
    }
    return n;
}

TEST(parameters_come_in_the_order_asked_for__rfc_2132_9_8)
{
    static const uint8_t wanted[] = { 15, 42, 3, 1, 51, 6, 200, 6 };
    static const uint8_t expected[] = { 53, 54, 51, 58, 59, 1, 15, 42, 3, 6,
                                        26 };
    struct lab *lab = lab_open();
    uint8_t codes[64];

    configure_much(lab);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(reply_order(lab, codes) == sizeof expected);
    CHECK(!memcmp(codes, expected, sizeof expected));
    lab_close(lab);
}

TEST(who_asks_for_nothing_is_told_what_is_usual)
{
    struct lab *lab = lab_open();

    configure_much(lab);
    discover(lab, 1);
    CHECK(reply_ip4(lab, DHCP_OPT_MASK) == ip4("255.255.255.0"));
    CHECK(reply_ip4(lab, DHCP_OPT_ROUTER) == ip4("10.0.0.1"));
    CHECK(reply_ip4(lab, DHCP_OPT_BROADCAST) == ip4("10.0.0.255"));
    CHECK(dhcp_option_find(&lab->reply, DHCP_OPT_DNS).len == 8);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_BOOT_FILE));
    lab_close(lab);
}

TEST(the_mtu_is_announced_unasked_where_it_is_not_1500)
{
    static const uint8_t wanted[] = { 1, 3 };
    struct lab *lab = lab_open();
    uint16_t mtu;

    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_MTU));
    lab->subnets[0].mtu = 1450;
    configure(lab);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(dhcp_option_u16(&lab->reply, DHCP_OPT_MTU, &mtu) && mtu == 1450);
    lab_close(lab);
}

TEST(classless_routes_have_short_prefixes_and_the_default__rfc_3442)
{
    static const uint8_t expected[] = {
        12, 172, 16, 10, 0, 0, 5, 32, 192, 0, 2, 1, 10, 0, 0, 6,
        0, 10, 0, 0, 1,
    };
    static const uint8_t wanted[] = { DHCP_OPT_ROUTES };
    struct lab *lab = lab_open();
    struct dhcp_value v;

    configure_much(lab);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
    CHECK(ask(lab) == DHCP_OFFERED);
    v = dhcp_option_find(&lab->reply, DHCP_OPT_ROUTES);
    CHECK(v.len == sizeof expected && !memcmp(v.p, expected, v.len));
    lab_close(lab);
}

TEST(domain_search_is_written_as_names__rfc_3397)
{
    static const char expected[] = "\4blue\4weft\0\7example\3org";
    static const uint8_t wanted[] = { DHCP_OPT_SEARCH };
    struct lab *lab = lab_open();
    struct dhcp_value v;

    configure_much(lab);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
    CHECK(ask(lab) == DHCP_OFFERED);
    v = dhcp_option_find(&lab->reply, DHCP_OPT_SEARCH);
    CHECK(v.len == sizeof expected && !memcmp(v.p, expected, v.len));
    lab_close(lab);
}

TEST(what_boots_is_told_where_from_in_header_and_options)
{
    static const uint8_t wanted[] = { 66, 67, 150, 43, 12 };
    struct lab *lab = lab_open();

    configure_much(lab);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.siaddr == ip4("10.0.0.3"));
    CHECK(!strcmp((const char *) lab->reply.header.file, "pxelinux.0"));
    CHECK(dhcp_option_find(&lab->reply, DHCP_OPT_BOOT_SERVER).len == 8);
    CHECK(dhcp_option_find(&lab->reply, DHCP_OPT_BOOT_FILE).len == 10);
    CHECK(reply_ip4(lab, DHCP_OPT_TFTP_SERVERS) == ip4("10.0.0.3"));
    CHECK(dhcp_option_find(&lab->reply, 43).len == 3);
    CHECK(dhcp_option_find(&lab->reply, DHCP_OPT_HOSTNAME).len == 3);
    lab_close(lab);
}

TEST(an_option_given_by_number_takes_the_place_of_the_named_one)
{
    struct lab *lab = lab_open();

    configure_much(lab);
    discover(lab, 1);
    CHECK(reply_ip4(lab, DHCP_OPT_NTP) == ip4("10.0.0.9"));
    lab_close(lab);
}

TEST(an_answer_is_no_longer_than_the_client_takes__rfc_2132_9_10)
{
    static const uint8_t wanted[] = { 201, 202, 203, 204 };
    static const uint8_t filler[200];
    static const uint8_t sizes[][2] = { { 0, 1 }, { 2, 64 }, { 4, 0 },
                                        { 0xff, 0xff } };
    struct lab *lab = lab_open();
    struct dhcp_item extras[] = { { 201, 200, filler }, { 202, 100, filler },
                                  { 203, 60, filler }, { 204, 200, filler } };

    lab->subnets[0].extras = extras;
    lab->subnets[0].n_extras = 4;
    configure(lab);
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t max = sizes[i][0] * 256u + sizes[i][1];

        begin(lab, DHCP_DISCOVER, 1);
        add_option(lab, DHCP_OPT_PARAMETERS, wanted, sizeof wanted);
        add_option(lab, DHCP_OPT_MAX_SIZE, sizes[i], 2);
        CHECK(ask(lab) == DHCP_OFFERED);
        CHECK(lab->answer.len - ETH_HEADER_LEN <= MAX(max, 576u));
        CHECK(lab->answer.len - ETH_HEADER_LEN <= 1500);
        CHECK(dhcp_option_is_there(&lab->reply, 203));
        CHECK(dhcp_option_is_there(&lab->reply, 204) == (max >= 1024));
        CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_OVERLOAD)
              == (max < 1024));
    }
    CHECK(dhcp_server_counters(lab->server)->n_options_left_out == 2);
    lab_close(lab);
}

TEST(the_clients_name_is_kept_if_it_can_be_a_name)
{
    static const struct {
        const char *said, *kept;
    } cases[] = { { "Web-1", "web-1" }, { "web.example.org", "web" },
                  { "-web", "" }, { "web-", "" }, { "w b", "" }, { "", "" },
                  { "a234567890123456789012345678901234567890123456789012345"
                    "67890123", "a234567890123456789012345678901234567890123"
                                "45678901234567890123" },
                  { "a234567890123456789012345678901234567890123456789012345"
                    "678901234", "" } };
    struct lab *lab = lab_open();

    for (uint8_t i = 0; i < ARRAY_SIZE(cases); i++) {
        be32 addr = discover(lab, (uint8_t) (i + 1));

        begin_selecting(lab, (uint8_t) (i + 1), addr);
        add_option(lab, DHCP_OPT_HOSTNAME, cases[i].said,
                   strlen(cases[i].said));
        CHECK(ask(lab) == DHCP_LEASED);
        CHECK_MSG(!strcmp(lab->answer.changes.at[0].record.hostname,
                          cases[i].kept), "%s", cases[i].said);
    }
    lab_close(lab);
}

/* --- What is not answered ----------------------------------------------- */

TEST(each_reason_for_silence_has_a_name_and_a_counter)
{
    struct lab *lab = lab_open();
    const struct dhcp_server_counters *counters;
    uint8_t frame[DHCP_FRAME_MAX] = { 0 };
    uint64_t n = 0;

    CHECK(ask_bytes(lab, frame, 60) == DHCP_NOT_DHCP);
    begin(lab, DHCP_DISCOVER, 1);
    lab->udp.dst_port = 53;
    CHECK(ask(lab) == DHCP_NOT_DHCP);
    begin(lab, 0, 1);
    CHECK(ask(lab) == DHCP_BOOTP);
    begin(lab, DHCP_DISCOVER, 1);
    lab->header.op = DHCP_REPLY_OP;
    CHECK(ask(lab) == DHCP_FROM_SERVER);
    begin(lab, DHCP_OFFER, 1);
    CHECK(ask(lab) == DHCP_FROM_SERVER);
    begin(lab, 10, 1);
    CHECK(ask(lab) == DHCP_UNKNOWN_TYPE);
    begin(lab, DHCP_DISCOVER, 1);
    lab->header.htype = 32;
    CHECK(ask(lab) == DHCP_HARDWARE);
    begin(lab, DHCP_DISCOVER, 1);
    lab->header.hlen = 16;
    CHECK(ask(lab) == DHCP_HARDWARE);
    begin(lab, 0, 1);
    add_option(lab, DHCP_OPT_TYPE, "\1\1", 2);
    CHECK(ask(lab) == DHCP_MALFORMED);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_CLIENT_ID, frame, 256);
    CHECK(ask(lab) == DHCP_MALFORMED);
    CHECK(!lab->answer.len);

    counters = dhcp_server_counters(lab->server);
    for (unsigned int i = 0; i < N_DHCP_VERDICTS; i++) {
        n += counters->n[i];
        CHECK(dhcp_verdict_name(i)[0] && dhcp_verdict_text(i)[0]);
    }
    CHECK(n == 10 && counters->n[DHCP_FROM_SERVER] == 2);
    lab_close(lab);
}

TEST(damaged_frames_are_not_answered)
{
    struct lab *lab = lab_open();
    uint8_t frame[DHCP_FRAME_MAX];
    unsigned int n_left_out;
    size_t len;

    begin(lab, DHCP_DISCOVER, 1);
    lab->udp.payload_len = dhcp_encode(&lab->header, lab->items, 1,
                                       frame + UDP4_HEADERS_LEN,
                                       DHCP_REPLY_MAX, &n_left_out);
    len = udp4_encode(frame, &lab->udp);
    frame[len - 1] ^= 1;
    CHECK(ask_bytes(lab, frame, len) == DHCP_BAD_CHECKSUM);
    frame[len - 1] ^= 1;
    for (size_t cut = 0; cut < len; cut++) {
        CHECK(ask_bytes(lab, frame, cut) == DHCP_NOT_DHCP);
    }
    frame[UDP4_HEADERS_LEN + DHCP_OPTIONS_OFS + 3] = 43;
    frame[UDP4_HEADERS_LEN + DHCP_OPTIONS_OFS + 4] = 255;
    udp4_encode(frame, &lab->udp);
    CHECK(ask_bytes(lab, frame, len) == DHCP_MALFORMED);
    lab_close(lab);
}

/* --- Configuration ------------------------------------------------------ */

TEST(a_server_without_a_configuration_answers_nobody)
{
    struct lab *lab = lab_open();

    lab->config.n_subnets = 0;
    configure(lab);
    begin(lab, DHCP_DISCOVER, 1);
    CHECK(ask(lab) == DHCP_NOT_DHCP);
    lab_close(lab);
}

TEST(what_cannot_be_sent_is_refused_and_changes_nothing)
{
    static const char *const search[] = { "a..b" };
    struct lab *lab = lab_open();
    struct dhcp_subnet *s = &lab->subnets[0];
    struct dhcp_item own = { DHCP_OPT_LEASE_TIME, 4, "\0\0\0\1" };
    struct dhcp_item huge[2] = { { 200, 40000, NULL }, { 201, 40000, NULL } };
    struct dhcp_static_route route = { .prefix_len = 33 };
    const struct dhcp_subnet good = *s;
    struct str error = STR_INIT;
    uint8_t *filler = xzalloc(40000);

    s->search = search;
    s->n_search = 1;
    CHECK(dhcp_server_configure(lab->server, &lab->config, &error)
          == -EINVAL);
    *s = good;
    s->extras = &own;
    s->n_extras = 1;
    CHECK(dhcp_server_configure(lab->server, &lab->config, &error)
          == -EINVAL);
    huge[0].value = huge[1].value = filler;
    s->extras = huge;
    s->n_extras = 2;
    CHECK(dhcp_server_configure(lab->server, &lab->config, &error)
          == -EINVAL);
    *s = good;
    s->routes = &route;
    s->n_routes = 1;
    CHECK(dhcp_server_configure(lab->server, &lab->config, &error)
          == -EINVAL);
    *s = good;
    lab->subnets[1].network = ip4("10.9.0.1");
    CHECK(dhcp_server_configure(lab->server, &lab->config, &error)
          == -EINVAL);
    CHECK(error.len);
    str_fini(&error);
    free(filler);
    discover(lab, 1);
    lab_close(lab);
}

TEST(ranges_stay_in_the_subnet_and_off_its_own_addresses)
{
    struct lab *lab = lab_open();
    struct address_span ranges[] = { { ip4("9.0.0.0"), ip4("10.0.0.2") },
                                     { ip4("10.0.0.254"),
                                       ip4("10.0.1.9") } };
    struct address_span hole = { ip4("10.0.0.254"), ip4("10.0.0.254") };

    lab->subnets[0].ranges = ranges;
    lab->subnets[0].n_ranges = 2;
    configure(lab);
    CHECK(lease_table_counts(lab->leases).n_addresses == 2);
    lab->subnets[0].exclusions = &hole;
    lab->subnets[0].n_exclusions = 1;
    configure(lab);
    CHECK(lease_table_counts(lab->leases).n_addresses == 1);
    CHECK(lease(lab, 1) == ip4("10.0.0.2"));
    lab_close(lab);
}

TEST(a_point_to_point_subnet_has_both_its_addresses)
{
    struct lab *lab = lab_open();

    lab->subnets[0].prefix_len = 31;
    configure(lab);
    CHECK(lease(lab, 1) == ip4("10.0.0.0"));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_BROADCAST));
    lab_close(lab);
}

/* --- As others write it ------------------------------------------------- */

TEST(a_client_as_scapy_writes_it_is_answered_as_scapy_would)
{
    struct lab *lab = lab_open();

    configure_much(lab);
    plan(lab, "10.0.0.20", "p1", 1);
    for (size_t i = 0; i < ARRAY_SIZE(scapy_exchanges); i++) {
        const struct scapy_exchange *x = &scapy_exchanges[i];

        ask_bytes(lab, x->question, x->question_len);
        CHECK_MSG(lab->answer.len == x->answer_len, "%s: %zu bytes, not %zu",
                  x->name, lab->answer.len, x->answer_len);
        for (size_t j = 0; j < x->answer_len; j++) {
            CHECK_MSG(lab->answer.frame[j] == (uint8_t) x->answer[j],
                      "%s: byte %zu", x->name, j);
        }
    }
    lab_close(lab);
}

TESTS(
    RUN(the_lease_time_asked_for_is_given_within_bounds__4_3_1),
    RUN(t1_is_half_and_t2_seven_eighths_of_the_time__4_4_5),
    RUN(a_lease_for_ever_has_no_t1_and_never_ends),
    RUN(parameters_come_in_the_order_asked_for__rfc_2132_9_8),
    RUN(who_asks_for_nothing_is_told_what_is_usual),
    RUN(the_mtu_is_announced_unasked_where_it_is_not_1500),
    RUN(classless_routes_have_short_prefixes_and_the_default__rfc_3442),
    RUN(domain_search_is_written_as_names__rfc_3397),
    RUN(what_boots_is_told_where_from_in_header_and_options),
    RUN(an_option_given_by_number_takes_the_place_of_the_named_one),
    RUN(an_answer_is_no_longer_than_the_client_takes__rfc_2132_9_10),
    RUN(the_clients_name_is_kept_if_it_can_be_a_name),
    RUN(each_reason_for_silence_has_a_name_and_a_counter),
    RUN(damaged_frames_are_not_answered),
    RUN(a_server_without_a_configuration_answers_nobody),
    RUN(what_cannot_be_sent_is_refused_and_changes_nothing),
    RUN(ranges_stay_in_the_subnet_and_off_its_own_addresses),
    RUN(a_point_to_point_subnet_has_both_its_addresses),
    RUN(a_client_as_scapy_writes_it_is_answered_as_scapy_would),
)
