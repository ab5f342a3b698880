#include "packet/address.h"
#include "service/dhcp_lab.h"
#include "unit.h"

/* --- RFC 2131, 3.1: a new address --------------------------------------- */

TEST(a_discover_is_answered_by_an_offer__rfc_2131_4_3_1)
{
    struct lab *lab = lab_open();
    be32 addr = discover(lab, 1);

    CHECK(ip4_is_within(addr, ip4("10.0.0.0"), 24));
    CHECK(addr != ip4("10.0.0.0") && addr != ip4("10.0.0.255"));
    CHECK(addr != ip4("10.0.0.1"));
    CHECK(lab->answer.addr == addr && !lab->answer.changes.n);
    CHECK(lab->reply.header.xid == 0x1235);
    CHECK(!lab->reply.header.ciaddr && !lab->reply.header.hops);
    CHECK(lab->reply.header.htype == 1 && lab->reply.header.hlen == 6);
    CHECK(lab->reply.header.chaddr[5] == 1);
    CHECK(reply_ip4(lab, DHCP_OPT_SERVER_ID) == ip4("10.0.0.1"));
    CHECK(reply_u32(lab, DHCP_OPT_LEASE_TIME) == DHCP_DEFAULT_TIME);
    lab_close(lab);
}

TEST(the_offered_address_is_leased_when_it_is_requested__rfc_2131_4_3_2)
{
    struct lab *lab = lab_open();
    struct lease_record r;
    be32 addr = lease(lab, 1);

    CHECK(lab->answer.changes.n == 1);
    r = lab->answer.changes.at[0].record;
    CHECK(!lab->answer.changes.at[0].is_removal);
    CHECK(r.addr == addr && r.state == LEASE_BOUND);
    CHECK(r.expires == NOW + DHCP_DEFAULT_TIME && !strcmp(r.port, "p1"));
    CHECK(reply_u32(lab, DHCP_OPT_LEASE_TIME) == DHCP_DEFAULT_TIME);
    lab_close(lab);
}

TEST(the_address_asked_for_in_a_discover_is_offered_if_free__4_3_1)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_DISCOVER, 1);
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, "10.0.0.77");
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.yiaddr == ip4("10.0.0.77"));
    begin(lab, DHCP_DISCOVER, 2);
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, "10.0.0.77");
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.yiaddr != ip4("10.0.0.77"));
    lab_close(lab);
}

TEST(a_repeated_discover_is_offered_the_same__4_3_1)
{
    struct lab *lab = lab_open();
    be32 addr = discover(lab, 1);

    CHECK(discover(lab, 1) == addr);
    CHECK(lease(lab, 1) == addr);
    CHECK(discover(lab, 1) == addr);
    lab_close(lab);
}

TEST(an_offer_is_kept_for_its_client_and_not_for_ever)
{
    struct lab *lab = lab_open();
    be32 addr = discover(lab, 1);

    begin_selecting(lab, 2, addr);
    CHECK(ask(lab) == DHCP_REFUSED && answered(lab, DHCP_NAK));
    lab->now += LEASE_OFFER_HOLD;
    begin_selecting(lab, 2, addr);
    CHECK(ask(lab) == DHCP_LEASED);
    lab_close(lab);
}

TEST(a_request_for_another_server_frees_the_offer__4_3_2)
{
    struct lab *lab = lab_open();
    struct lease_record r;
    be32 addr = discover(lab, 1);

    begin(lab, DHCP_REQUEST, 1);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.66");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, "10.0.0.99");
    CHECK(ask(lab) == DHCP_OTHER_SERVER && !lab->answer.len);
    CHECK(!lease_lookup(lab->leases, addr, lab->now, &r));
    lab_close(lab);
}

TEST(a_request_that_selects_must_say_which_address__table_5)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_REQUEST, 1);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.1");
    CHECK(ask(lab) == DHCP_NO_ADDRESS && !lab->answer.len);
    begin(lab, DHCP_REQUEST, 1);
    CHECK(ask(lab) == DHCP_NO_ADDRESS);
    lab_close(lab);
}

TEST(two_messages_are_enough_where_both_sides_want_it__rfc_4039)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_RAPID_COMMIT, "", 0);
    CHECK(ask(lab) == DHCP_OFFERED);
    lab->subnets[0].is_rapid = true;
    configure(lab);
    begin(lab, DHCP_DISCOVER, 2);
    CHECK(ask(lab) == DHCP_OFFERED);
    begin(lab, DHCP_DISCOVER, 2);
    add_option(lab, DHCP_OPT_RAPID_COMMIT, "", 0);
    CHECK(ask(lab) == DHCP_LEASED && answered(lab, DHCP_ACK));
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_RAPID_COMMIT));
    CHECK(lab->answer.changes.n == 1 && lab->reply.header.yiaddr);
    /* Planned elsewhere meanwhile: the old one leaves the store first. */
    plan(lab, "10.0.0.20", "p1", 2);
    CHECK(ask(lab) == DHCP_LEASED && lab->answer.changes.n == 2);
    CHECK(lab->answer.changes.at[0].is_removal);
    CHECK(lab->answer.changes.at[1].record.addr == ip4("10.0.0.20"));
    lab_close(lab);
}

/* --- RFC 2131, 3.2: a known address ------------------------------------- */

TEST(a_client_that_reboots_gets_its_address_confirmed__init_reboot)
{
    struct lab *lab = lab_open();
    char text[ADDRESS_TEXT_SIZE];
    be32 addr = lease(lab, 1);

    lab->now += 100;
    begin_init_reboot(lab, 1, ip4_format(addr, text));
    CHECK(ask(lab) == DHCP_LEASED && answered(lab, DHCP_ACK));
    CHECK(lab->reply.header.yiaddr == addr);
    CHECK(lab->answer.changes.at[0].record.expires
          == NOW + 100 + DHCP_DEFAULT_TIME);
    lab_close(lab);
}

TEST(a_rebooting_client_with_another_address_is_refused__init_reboot)
{
    struct lab *lab = lab_open();

    lease(lab, 1);
    begin_init_reboot(lab, 1, "10.0.0.250");
    CHECK(ask(lab) == DHCP_REFUSED && answered(lab, DHCP_NAK));
    CHECK(!lab->reply.header.yiaddr && !lab->reply.header.ciaddr);
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_MESSAGE));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_LEASE_TIME));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_MASK));
    lab_close(lab);
}

TEST(a_rebooting_client_on_the_wrong_network_is_refused__init_reboot)
{
    struct lab *lab = lab_open();

    begin_init_reboot(lab, 1, "192.0.2.9");
    CHECK(ask(lab) == DHCP_REFUSED && answered(lab, DHCP_NAK));
    lab_close(lab);
}

TEST(a_rebooting_client_that_nobody_knows_gets_silence__4_3_2)
{
    struct lab *lab = lab_open();

    begin_init_reboot(lab, 1, "10.0.0.50");
    CHECK(ask(lab) == DHCP_UNKNOWN_CLIENT && !lab->answer.len);
    lab_close(lab);
}

TEST(a_lease_is_renewed_by_unicast__4_3_2_renewing)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    lab->now += 1800;
    begin_renewing(lab, 1, addr);
    CHECK(ask(lab) == DHCP_LEASED && answered(lab, DHCP_ACK));
    CHECK(lab->reply.header.ciaddr == addr);
    CHECK(lab->reply.header.yiaddr == addr);
    CHECK(lab->reply_udp.ip_dst == addr);
    CHECK(lab->answer.changes.at[0].record.expires
          == NOW + 1800 + DHCP_DEFAULT_TIME);
    lab_close(lab);
}

TEST(a_lease_is_renewed_by_broadcast__4_3_2_rebinding)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    begin_renewing(lab, 1, addr);
    lab->udp.ip_dst = UINT32_MAX;
    CHECK(ask(lab) == DHCP_LEASED && lab->reply_udp.ip_dst == addr);
    lab_close(lab);
}

TEST(a_lost_lease_is_given_again_to_who_renews_it_if_it_is_free)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, ip4("10.0.0.44"));
    CHECK(ask(lab) == DHCP_LEASED);
    CHECK(lab->reply.header.yiaddr == ip4("10.0.0.44"));
    begin_renewing(lab, 2, ip4("10.0.0.44"));
    CHECK(ask(lab) == DHCP_REFUSED && answered(lab, DHCP_NAK));
    begin_renewing(lab, 2, ip4("192.0.2.1"));
    CHECK(ask(lab) == DHCP_REFUSED);
    lab_close(lab);
}

TEST(a_renewal_meant_for_another_server_is_not_answered)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, lease(lab, 1));
    lab->udp.ip_dst = ip4("10.0.0.66");
    CHECK(ask(lab) == DHCP_OTHER_SERVER && !lab->answer.len);
    lab_close(lab);
}

/* --- DECLINE, RELEASE, INFORM ------------------------------------------- */

TEST(a_declined_address_is_not_offered_again_soon__4_3_3)
{
    struct lab *lab = lab_open();
    char text[ADDRESS_TEXT_SIZE];
    be32 addr = lease(lab, 1);

    begin(lab, DHCP_DECLINE, 1);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.1");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, ip4_format(addr, text));
    CHECK(ask(lab) == DHCP_DECLINED && !lab->answer.len);
    CHECK(lab->answer.changes.n == 1);
    CHECK(lab->answer.changes.at[0].record.state == LEASE_DECLINED);
    CHECK(lease(lab, 1) != addr);
    begin_selecting(lab, 2, addr);
    CHECK(ask(lab) == DHCP_REFUSED);
    lab->now += LEASE_DECLINE_HOLD;
    begin_selecting(lab, 2, addr);
    CHECK(ask(lab) == DHCP_LEASED);
    lab_close(lab);
}

TEST(nobody_declines_what_is_not_theirs)
{
    struct lab *lab = lab_open();
    char text[ADDRESS_TEXT_SIZE];
    be32 addr = lease(lab, 1);

    begin(lab, DHCP_DECLINE, 2);
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, ip4_format(addr, text));
    CHECK(ask(lab) == DHCP_NOT_HOLDER && !lab->answer.changes.n);
    begin(lab, DHCP_DECLINE, 1);
    CHECK(ask(lab) == DHCP_NO_ADDRESS);
    begin(lab, DHCP_DECLINE, 1);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.66");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, ip4_format(addr, text));
    CHECK(ask(lab) == DHCP_OTHER_SERVER);
    lab_close(lab);
}

TEST(a_released_address_is_free_and_remembered__4_3_4)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    begin_renewing(lab, 1, addr);
    lab->items[0].value = &lab_types[DHCP_RELEASE];
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.1");
    CHECK(ask(lab) == DHCP_RELEASED && !lab->answer.len);
    CHECK(lab->answer.changes.n == 1);
    CHECK(lab->answer.changes.at[0].record.state == LEASE_PAST);
    CHECK(discover(lab, 1) == addr);
    lab_close(lab);
}

TEST(nobody_releases_what_is_not_theirs)
{
    struct lab *lab = lab_open();
    struct lease_record r;
    be32 addr = lease(lab, 1);

    begin_renewing(lab, 2, addr);
    lab->items[0].value = &lab_types[DHCP_RELEASE];
    CHECK(ask(lab) == DHCP_NOT_HOLDER);
    CHECK(lease_lookup(lab->leases, addr, lab->now, &r));
    CHECK(r.state == LEASE_BOUND);
    begin(lab, DHCP_RELEASE, 1);
    CHECK(ask(lab) == DHCP_NO_ADDRESS);
    begin_renewing(lab, 1, addr);
    lab->items[0].value = &lab_types[DHCP_RELEASE];
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.66");
    CHECK(ask(lab) == DHCP_OTHER_SERVER);
    lab_close(lab);
}

TEST(inform_is_answered_without_a_lease__4_3_5)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, ip4("10.0.0.200"));
    lab->items[0].value = &lab_types[DHCP_INFORM];
    CHECK(ask(lab) == DHCP_INFORMED && answered(lab, DHCP_ACK));
    CHECK(!lab->reply.header.yiaddr && !lab->answer.changes.n);
    CHECK(lab->reply_udp.ip_dst == ip4("10.0.0.200"));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_LEASE_TIME));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_T1));
    CHECK(reply_ip4(lab, DHCP_OPT_ROUTER) == ip4("10.0.0.1"));
    /* Only the IP header says who it is. */
    lab->header.ciaddr = 0;
    CHECK(ask(lab) == DHCP_INFORMED);
    CHECK(lab->reply_udp.ip_dst == ip4("10.0.0.200"));
    lab->udp.ip_src = 0;
    CHECK(ask(lab) == DHCP_NO_ADDRESS);
    lab->udp.ip_src = ip4("192.0.2.1");
    CHECK(ask(lab) == DHCP_OTHER_SERVER);
    lab_close(lab);
}

/* --- RFC 2131, 4.1: whom an answer reaches ------------------------------ */

TEST(an_answer_goes_to_the_new_address_and_the_clients_mac__4_1)
{
    struct lab *lab = lab_open();
    be32 addr = discover(lab, 1);

    CHECK(lab->reply_udp.ip_dst == addr);
    CHECK(lab->reply_udp.eth_dst.b[5] == 1);
    CHECK(lab->reply_udp.ip_src == ip4("10.0.0.1"));
    CHECK(eth_addr_eq(lab->reply_udp.eth_src, lab->config.mac));
    CHECK(lab->reply_udp.src_port == 67 && lab->reply_udp.dst_port == 68);
    lab_close(lab);
}

TEST(the_broadcast_flag_is_obeyed_and_echoed__4_1)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_DISCOVER, 1);
    lab->header.flags = DHCP_BROADCAST;
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply_udp.ip_dst == UINT32_MAX);
    CHECK(eth_addr_is_group(lab->reply_udp.eth_dst));
    CHECK(lab->reply.header.flags == DHCP_BROADCAST);
    lab_close(lab);
}

TEST(a_refusal_is_broadcast__4_1)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, ip4("192.0.2.1"));
    CHECK(ask(lab) == DHCP_REFUSED);
    CHECK(lab->reply_udp.ip_dst == UINT32_MAX);
    CHECK(eth_addr_is_group(lab->reply_udp.eth_dst));
    lab_close(lab);
}

/* --- What an answer may say (table 3) ------------------------------------ */

TEST(an_offer_repeats_the_clients_header_and_not_its_wishes__table_3)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_DISCOVER, 1);
    lab->header.secs = 7;
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, "10.0.0.44");
    add_option(lab, DHCP_OPT_PARAMETERS, "\1\3", 2);
    add_option(lab, DHCP_OPT_MAX_SIZE, "\5\xdc", 2);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.xid == lab->header.xid);
    CHECK(lab->reply.header.htype == 1 && lab->reply.header.hlen == 6);
    CHECK(!lab->reply.header.hops && !lab->reply.header.secs);
    CHECK(!lab->reply.header.ciaddr && lab->reply.header.yiaddr);
    CHECK(!memcmp(lab->reply.header.chaddr, lab->header.chaddr, 16));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_REQUESTED_ADDRESS));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_PARAMETERS));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_MAX_SIZE));
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_LEASE_TIME));
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_SERVER_ID));
    lab_close(lab);
}

TEST(an_ack_repeats_the_address_in_use__table_3)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    begin_renewing(lab, 1, addr);
    CHECK(ask(lab) == DHCP_LEASED);
    CHECK(lab->reply.header.ciaddr == addr);
    CHECK(lab->reply.header.yiaddr == addr);
    lab_close(lab);
}

TEST(a_refusal_says_why_and_gives_nothing__table_3)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, ip4("192.0.2.1"));
    CHECK(ask(lab) == DHCP_REFUSED);
    CHECK(!lab->reply.header.yiaddr && !lab->reply.header.ciaddr);
    CHECK(!lab->reply.header.siaddr && !lab->reply.header.file[0]);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_LEASE_TIME));
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_MASK));
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_MESSAGE));
    CHECK(dhcp_option_is_there(&lab->reply, DHCP_OPT_SERVER_ID));
    lab_close(lab);
}

TEST(an_address_that_was_taken_meanwhile_is_refused__3_1_4)
{
    struct lab *lab = lab_open();
    be32 addr = discover(lab, 1);

    lab->now += LEASE_OFFER_HOLD + 1;
    begin(lab, DHCP_DISCOVER, 2);
    add_option(lab, DHCP_OPT_REQUESTED_ADDRESS, &addr, sizeof addr);
    CHECK(ask(lab) == DHCP_OFFERED && lab->reply.header.yiaddr == addr);
    begin_selecting(lab, 2, addr);
    CHECK(ask(lab) == DHCP_LEASED);
    begin_selecting(lab, 1, addr);
    CHECK(ask(lab) == DHCP_REFUSED);
    CHECK(answered(lab, DHCP_NAK));
    lab_close(lab);
}

TEST(a_servers_own_messages_are_not_answered__4_3)
{
    static const enum dhcp_type types[] = { DHCP_OFFER, DHCP_ACK, DHCP_NAK };
    struct lab *lab = lab_open();

    for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
        begin(lab, types[i], 1);
        CHECK(ask(lab) == DHCP_FROM_SERVER && !lab->answer.len);
    }
    lab_close(lab);
}

/* --- Relays ------------------------------------------------------------- */

static void
begin_relayed(struct lab *lab, enum dhcp_type type, uint8_t mac,
              const char *giaddr)
{
    begin(lab, type, mac);
    lab->header.giaddr = ip4(giaddr);
    lab->header.hops = 1;
    lab->udp.eth_src.b[5] = 0x77;
    lab->udp.ip_src = ip4(giaddr);
    lab->udp.ip_dst = ip4("10.0.0.1");
    lab->udp.src_port = 67;
}

TEST(a_relay_is_answered_at_its_address_and_port_67__4_1)
{
    struct lab *lab = lab_open();

    begin_relayed(lab, DHCP_DISCOVER, 1, "10.9.0.5");
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply_udp.ip_dst == ip4("10.9.0.5"));
    CHECK(lab->reply_udp.dst_port == 67);
    CHECK(lab->reply_udp.eth_dst.b[5] == 0x77);
    CHECK(lab->reply.header.giaddr == ip4("10.9.0.5"));
    lab_close(lab);
}

TEST(a_relays_address_chooses_the_subnet__4_3_1)
{
    struct lab *lab = lab_open();
    be32 addr;

    begin_relayed(lab, DHCP_DISCOVER, 1, "10.9.0.5");
    CHECK(ask(lab) == DHCP_OFFERED);
    addr = lab->reply.header.yiaddr;
    CHECK(ip4_is_within(addr, ip4("10.9.0.0"), 24));
    CHECK(reply_ip4(lab, DHCP_OPT_ROUTER) == ip4("10.9.0.1"));
    begin_relayed(lab, DHCP_DISCOVER, 1, "10.0.0.5");
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(ip4_is_within(lab->reply.header.yiaddr, ip4("10.0.0.0"), 24));
    begin_relayed(lab, DHCP_DISCOVER, 1, "10.8.0.5");
    CHECK(ask(lab) == DHCP_UNKNOWN_RELAY && !lab->answer.len);
    /* A renewal comes past the relay. */
    begin_renewing(lab, 1, addr);
    CHECK(ask(lab) == DHCP_LEASED && lab->reply.header.yiaddr == addr);
    lab_close(lab);
}

TEST(a_relays_link_chooses_the_subnet_and_all_it_said_is_echoed__rfc_3527)
{
    static const uint8_t info[] = { 1, 2, 'c', '1', 5, 4, 10, 9, 0, 0 };
    struct lab *lab = lab_open();
    struct dhcp_value v;

    begin_relayed(lab, DHCP_DISCOVER, 1, "10.0.0.5");
    add_option(lab, DHCP_OPT_RELAY, info, sizeof info);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(ip4_is_within(lab->reply.header.yiaddr, ip4("10.9.0.0"), 24));
    v = dhcp_option_find(&lab->reply, DHCP_OPT_RELAY);
    CHECK(v.len == sizeof info && !memcmp(v.p, info, v.len));
    lab_close(lab);
}

TEST(a_relay_may_stand_in_for_the_server__rfc_5107)
{
    static const uint8_t info[] = { 11, 4, 10, 9, 0, 5 };
    struct lab *lab = lab_open();
    be32 addr;

    begin_relayed(lab, DHCP_DISCOVER, 1, "10.9.0.5");
    add_option(lab, DHCP_OPT_RELAY, info, sizeof info);
    CHECK(ask(lab) == DHCP_OFFERED);
    addr = lab->reply.header.yiaddr;
    CHECK(reply_ip4(lab, DHCP_OPT_SERVER_ID) == ip4("10.9.0.5"));
    begin_relayed(lab, DHCP_REQUEST, 1, "10.9.0.5");
    add_option(lab, DHCP_OPT_RELAY, info, sizeof info);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.9.0.5");
    add_option(lab, DHCP_OPT_REQUESTED_ADDRESS, &addr, sizeof addr);
    CHECK(ask(lab) == DHCP_LEASED);
    CHECK(reply_ip4(lab, DHCP_OPT_SERVER_ID) == ip4("10.9.0.5"));
    /* Who is no relay cannot rename us. */
    begin(lab, DHCP_DISCOVER, 2);
    add_option(lab, DHCP_OPT_RELAY, info, sizeof info);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(reply_ip4(lab, DHCP_OPT_SERVER_ID) == ip4("10.0.0.1"));
    lab_close(lab);
}

TEST(a_refusal_through_a_relay_has_the_broadcast_flag__4_3_2)
{
    struct lab *lab = lab_open();

    begin_relayed(lab, DHCP_REQUEST, 1, "10.9.0.5");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, "192.0.2.1");
    CHECK(ask(lab) == DHCP_REFUSED);
    CHECK(lab->reply_udp.ip_dst == ip4("10.9.0.5"));
    CHECK(lab->reply.header.flags & DHCP_BROADCAST);
    lab_close(lab);
}

TEST(too_many_hops_are_not_answered)
{
    struct lab *lab = lab_open();

    begin_relayed(lab, DHCP_DISCOVER, 1, "10.9.0.5");
    lab->header.hops = DHCP_MAX_HOPS;
    CHECK(ask(lab) == DHCP_OFFERED);
    lab->header.hops++;
    CHECK(ask(lab) == DHCP_HOPS && !lab->answer.len);
    lab_close(lab);
}

/* --- Who a client is ---------------------------------------------------- */

TEST(the_client_identifier_counts_before_the_hardware_address__4_2)
{
    struct lab *lab = lab_open();
    be32 addr;

    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_CLIENT_ID, "\xff" "duid", 5);
    CHECK(ask(lab) == DHCP_OFFERED);
    addr = lab->reply.header.yiaddr;
    begin(lab, DHCP_DISCOVER, 2);
    add_option(lab, DHCP_OPT_CLIENT_ID, "\xff" "duid", 5);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.yiaddr == addr);
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_CLIENT_ID, "\xff" "else", 5);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(lab->reply.header.yiaddr != addr);
    lab_close(lab);
}

TEST(the_client_identifier_is_echoed__rfc_6842)
{
    struct lab *lab = lab_open();
    struct dhcp_value v;

    begin_init_reboot(lab, 1, "192.0.2.1");
    add_option(lab, DHCP_OPT_CLIENT_ID, "\0name", 5);
    CHECK(ask(lab) == DHCP_REFUSED);
    v = dhcp_option_find(&lab->reply, DHCP_OPT_CLIENT_ID);
    CHECK(v.len == 5 && !memcmp(v.p, "\0name", 5));
    discover(lab, 1);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_CLIENT_ID));
    lab_close(lab);
}

TEST(a_client_that_begins_to_send_its_mac_as_identifier_is_the_same)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_CLIENT_ID, "\1\2\0\0\0\0\1", 7);
    CHECK(ask(lab) == DHCP_OFFERED && lab->reply.header.yiaddr == addr);
    lab_close(lab);
}

TEST(clones_with_one_identifier_get_an_address_each)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    lab->port = "p2";
    CHECK(lease(lab, 1) != addr);
    lab_close(lab);
}

TEST(a_hardware_address_that_is_not_the_senders_is_refused)
{
    struct lab *lab = lab_open();

    begin(lab, DHCP_DISCOVER, 1);
    lab->header.chaddr[5] = 2;
    CHECK(ask(lab) == DHCP_FOREIGN_CHADDR && !lab->answer.len);
    lab_close(lab);
}

/* --- Plans -------------------------------------------------------------- */

TEST(a_planned_address_is_given_to_its_port_and_to_no_other)
{
    struct lab *lab = lab_open();

    lab->subnets[0].n_ranges = 1;
    lab->subnets[0].ranges = &(struct address_span) { ip4("10.0.0.20"),
                                                      ip4("10.0.0.21") };
    configure(lab);
    plan(lab, "10.0.0.20", "p1", 1);
    plan(lab, "10.0.0.99", "p3", 3);
    CHECK(lease(lab, 1) == ip4("10.0.0.20"));
    lab->port = "p2";
    CHECK(lease(lab, 2) == ip4("10.0.0.21"));
    begin(lab, DHCP_DISCOVER, 4);
    CHECK(ask(lab) == DHCP_POOL_EMPTY && !lab->answer.len);
    begin_selecting(lab, 4, ip4("10.0.0.99"));
    CHECK(ask(lab) == DHCP_REFUSED);
    lab->port = "p3";
    CHECK(lease(lab, 3) == ip4("10.0.0.99"));
    lab_close(lab);
}

TEST(a_plan_is_knowledge_enough_for_a_client_that_reboots)
{
    struct lab *lab = lab_open();

    plan(lab, "10.0.0.20", "p1", 1);
    begin_init_reboot(lab, 1, "10.0.0.20");
    CHECK(ask(lab) == DHCP_LEASED);
    begin_init_reboot(lab, 1, "10.0.0.21");
    CHECK(ask(lab) == DHCP_REFUSED);
    lab_close(lab);
}

TEST(a_new_plan_moves_the_client_at_its_next_renewal)
{
    struct lab *lab = lab_open();
    be32 addr = lease(lab, 1);

    plan(lab, "10.0.0.20", "p1", 1);
    begin_renewing(lab, 1, addr);
    CHECK(ask(lab) == DHCP_REFUSED);
    CHECK(lease(lab, 1) == ip4("10.0.0.20"));
    lab_close(lab);
}

TEST(a_port_has_its_share_of_addresses)
{
    struct lab *lab = lab_open();
    struct lease_options options = { .key = { 1 }, .max_per_port = 2 };

    lease_table_destroy(lab->leases);
    lab->leases = lease_table_create(&options);
    lab->subnets[0].leases = lab->leases;
    configure(lab);
    lease(lab, 1);
    lease(lab, 2);
    begin(lab, DHCP_DISCOVER, 3);
    CHECK(ask(lab) == DHCP_PORT_LIMIT && !lab->answer.len);
    begin_renewing(lab, 3, ip4("10.0.0.44"));
    CHECK(ask(lab) == DHCP_PORT_LIMIT);
    lab_close(lab);
}

TEST(a_failed_store_leaves_the_address_as_it_was)
{
    struct lab *lab = lab_open();
    struct lease_record r;
    be32 addr = discover(lab, 1);

    begin_selecting(lab, 1, addr);
    CHECK(ask(lab) == DHCP_LEASED);
    lease_undo(lab->leases, &lab->answer.changes.at[0]);
    CHECK(lease_lookup(lab->leases, addr, lab->now, &r));
    CHECK(r.state == LEASE_OFFERED);
    CHECK(ask(lab) == DHCP_LEASED);
    lab_close(lab);
}

TESTS(
    RUN(a_discover_is_answered_by_an_offer__rfc_2131_4_3_1),
    RUN(the_offered_address_is_leased_when_it_is_requested__rfc_2131_4_3_2),
    RUN(the_address_asked_for_in_a_discover_is_offered_if_free__4_3_1),
    RUN(a_repeated_discover_is_offered_the_same__4_3_1),
    RUN(an_offer_is_kept_for_its_client_and_not_for_ever),
    RUN(a_request_for_another_server_frees_the_offer__4_3_2),
    RUN(a_request_that_selects_must_say_which_address__table_5),
    RUN(two_messages_are_enough_where_both_sides_want_it__rfc_4039),
    RUN(a_client_that_reboots_gets_its_address_confirmed__init_reboot),
    RUN(a_rebooting_client_with_another_address_is_refused__init_reboot),
    RUN(a_rebooting_client_on_the_wrong_network_is_refused__init_reboot),
    RUN(a_rebooting_client_that_nobody_knows_gets_silence__4_3_2),
    RUN(a_lease_is_renewed_by_unicast__4_3_2_renewing),
    RUN(a_lease_is_renewed_by_broadcast__4_3_2_rebinding),
    RUN(a_lost_lease_is_given_again_to_who_renews_it_if_it_is_free),
    RUN(a_renewal_meant_for_another_server_is_not_answered),
    RUN(a_declined_address_is_not_offered_again_soon__4_3_3),
    RUN(nobody_declines_what_is_not_theirs),
    RUN(a_released_address_is_free_and_remembered__4_3_4),
    RUN(nobody_releases_what_is_not_theirs),
    RUN(inform_is_answered_without_a_lease__4_3_5),
    RUN(an_answer_goes_to_the_new_address_and_the_clients_mac__4_1),
    RUN(the_broadcast_flag_is_obeyed_and_echoed__4_1),
    RUN(a_refusal_is_broadcast__4_1),
    RUN(an_offer_repeats_the_clients_header_and_not_its_wishes__table_3),
    RUN(an_ack_repeats_the_address_in_use__table_3),
    RUN(a_refusal_says_why_and_gives_nothing__table_3),
    RUN(an_address_that_was_taken_meanwhile_is_refused__3_1_4),
    RUN(a_servers_own_messages_are_not_answered__4_3),
    RUN(a_relay_is_answered_at_its_address_and_port_67__4_1),
    RUN(a_relays_address_chooses_the_subnet__4_3_1),
    RUN(a_relays_link_chooses_the_subnet_and_all_it_said_is_echoed__rfc_3527),
    RUN(a_relay_may_stand_in_for_the_server__rfc_5107),
    RUN(a_refusal_through_a_relay_has_the_broadcast_flag__4_3_2),
    RUN(too_many_hops_are_not_answered),
    RUN(the_client_identifier_counts_before_the_hardware_address__4_2),
    RUN(the_client_identifier_is_echoed__rfc_6842),
    RUN(a_client_that_begins_to_send_its_mac_as_identifier_is_the_same),
    RUN(clones_with_one_identifier_get_an_address_each),
    RUN(a_hardware_address_that_is_not_the_senders_is_refused),
    RUN(a_planned_address_is_given_to_its_port_and_to_no_other),
    RUN(a_plan_is_knowledge_enough_for_a_client_that_reboots),
    RUN(a_new_plan_moves_the_client_at_its_next_renewal),
    RUN(a_port_has_its_share_of_addresses),
    RUN(a_failed_store_leaves_the_address_as_it_was),
)
