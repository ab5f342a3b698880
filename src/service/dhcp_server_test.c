#include "service/dhcp_server.h"

#include "frames.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "scapy_dhcp.h"
#include "unit.h"

enum { NOW = 1000000 };

/* One network, 10.0.0.0/24, and a subnet behind a relay, 10.9.0.0/24. */
struct lab {
    struct dhcp_server *server;
    struct lease_table *leases, *relayed;
    struct dhcp_subnet subnets[2];
    struct dhcp_server_config config;
    unix_sec now;
    /* What a client sends next, and what it was answered. */
    struct dhcp_header header;
    struct udp4 udp;
    struct dhcp_item items[16];
    unsigned int n_items;
    const char *port;
    struct dhcp_answer answer;
    struct udp4 reply_udp;
    struct dhcp_message reply;
    enum dhcp_verdict verdict;
};

static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

static void
configure(struct lab *lab)
{
    struct str error = STR_INIT;

    CHECK_MSG(!dhcp_server_configure(lab->server, &lab->config, &error),
              "%s", str_text(&error));
    str_fini(&error);
}

static struct lab *
lab_open(void)
{
    static const be32 dns[] = { 0x01010101, 0x02020202 };
    struct lease_options options = { .key = { 1 } };
    struct lab *lab = xzalloc(sizeof *lab);

    lab->server = dhcp_server_create();
    lab->leases = lease_table_create(&options);
    lab->relayed = lease_table_create(&options);
    lab->subnets[0] = (struct dhcp_subnet) {
        .network = ip4("10.0.0.0"), .prefix_len = 24, .leases = lab->leases,
        .router = ip4("10.0.0.1"), .dns = dns, .n_dns = 2,
        .domain = "blue.weft", .mtu = 1500,
    };
    lab->subnets[1] = (struct dhcp_subnet) {
        .network = ip4("10.9.0.0"), .prefix_len = 24, .leases = lab->relayed,
        .router = ip4("10.9.0.1"),
    };
    lab->config = (struct dhcp_server_config) {
        .address = ip4("10.0.0.1"), .mac = { { 2, 0, 0, 0, 0, 0xfe } },
        .n_subnets = 2, .subnets = lab->subnets,
    };
    lab->now = NOW;
    lab->port = "p1";
    configure(lab);
    return lab;
}

static void
lab_close(struct lab *lab)
{
    CHECK(lease_table_is_sound(lab->leases));
    CHECK(lease_table_is_sound(lab->relayed));
    dhcp_server_destroy(lab->server);
    lease_table_destroy(lab->leases);
    lease_table_destroy(lab->relayed);
    free(lab);
}

static void
add_option(struct lab *lab, uint8_t code, const void *value, size_t len)
{
    lab->items[lab->n_items++] = (struct dhcp_item) { code, (uint16_t) len,
                                                      value };
}

static void
add_ip4(struct lab *lab, uint8_t code, const char *addr)
{
    static be32 slots[16];
    static unsigned int next;
    be32 *slot = &slots[next++ % 16];

    *slot = ip4(addr);
    add_option(lab, code, slot, sizeof *slot);
}

static void
add_u32(struct lab *lab, uint8_t code, uint32_t value)
{
    static be32 slots[16];
    static unsigned int next;
    be32 *slot = &slots[next++ % 16];

    *slot = htobe32(value);
    add_option(lab, code, slot, sizeof *slot);
}

/* Begins a message of the client with this last byte of its MAC. */
static void
begin(struct lab *lab, enum dhcp_type type, uint8_t mac)
{
    uint8_t addr[6] = { 2, 0, 0, 0, 0, mac };

    lab->n_items = 0;
    lab->header = (struct dhcp_header) {
        .op = DHCP_REQUEST_OP, .htype = 1, .hlen = 6, .xid = 0x1234 + mac,
    };
    memcpy(lab->header.chaddr, addr, 6);
    lab->udp = (struct udp4) {
        .ip_dst = UINT32_MAX, .src_port = 68, .dst_port = 67,
    };
    memcpy(lab->udp.eth_src.b, addr, 6);
    memset(lab->udp.eth_dst.b, 0xff, 6);
    if (type) {
        add_option(lab, DHCP_OPT_TYPE, &types[type], 1);
    }
}

static enum dhcp_verdict
ask_bytes(struct lab *lab, const void *frame, size_t len)
{
    struct dhcp_question q = { frame, len, lab->port, "web", lab->now };
    const char *why = NULL;

    lab->verdict = dhcp_server_handle(lab->server, &q, &lab->answer);
    if (lab->answer.len) {
        CHECK_MSG(frame_is_whole(lab->answer.frame, lab->answer.len, &why),
                  "%s", why);
        CHECK(!udp4_decode(lab->answer.frame, lab->answer.len,
                           &lab->reply_udp));
        CHECK(!dhcp_decode(lab->reply_udp.payload,
                           lab->reply_udp.payload_len, &lab->reply));
        CHECK(lab->reply.header.op == DHCP_REPLY_OP);
    }
    return lab->verdict;
}

static enum dhcp_verdict
ask(struct lab *lab)
{
    uint8_t frame[DHCP_FRAME_MAX];
    unsigned int n_left_out;

    lab->udp.payload_len = dhcp_encode(&lab->header, lab->items,
                                       lab->n_items,
                                       frame + UDP4_HEADERS_LEN,
                                       DHCP_REPLY_MAX, &n_left_out);
    CHECK(!n_left_out);
    return ask_bytes(lab, frame, udp4_encode(frame, &lab->udp));
}

static bool
answered(const struct lab *lab, enum dhcp_type type)
{
    uint8_t said;

    return lab->answer.len && lab->answer.type == type
           && dhcp_option_u8(&lab->reply, DHCP_OPT_TYPE, &said)
           && said == type;
}

static be32
reply_ip4(const struct lab *lab, uint8_t code)
{
    be32 addr = 0;

    CHECK(dhcp_option_ip4(&lab->reply, code, &addr));
    return addr;
}

static uint32_t
reply_u32(const struct lab *lab, uint8_t code)
{
    return be32toh(reply_ip4(lab, code));
}

static be32
discover(struct lab *lab, uint8_t mac)
{
    begin(lab, DHCP_DISCOVER, mac);
    CHECK(ask(lab) == DHCP_OFFERED && answered(lab, DHCP_OFFER));
    return lab->reply.header.yiaddr;
}

static void
begin_selecting(struct lab *lab, uint8_t mac, be32 addr)
{
    char text[ADDRESS_TEXT_SIZE];

    begin(lab, DHCP_REQUEST, mac);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.1");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, ip4_format(addr, text));
}

/* All four messages. */
static be32
lease(struct lab *lab, uint8_t mac)
{
    be32 addr = discover(lab, mac);

    begin_selecting(lab, mac, addr);
    CHECK(ask(lab) == DHCP_LEASED && answered(lab, DHCP_ACK));
    CHECK(lab->reply.header.yiaddr == addr);
    return addr;
}

static void
begin_renewing(struct lab *lab, uint8_t mac, be32 addr)
{
    begin(lab, DHCP_REQUEST, mac);
    lab->header.ciaddr = addr;
    lab->udp.ip_src = addr;
    lab->udp.ip_dst = ip4("10.0.0.1");
    lab->udp.eth_dst = lab->config.mac;
}

static void
begin_init_reboot(struct lab *lab, uint8_t mac, const char *addr)
{
    begin(lab, DHCP_REQUEST, mac);
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, addr);
}

static void
plan(struct lab *lab, const char *addr, const char *port, uint8_t mac)
{
    struct lease_reservation r = { .addr = ip4(addr) };

    strcpy(r.port, port);
    if (mac) {
        r.mac = (struct eth_addr) { { 2, 0, 0, 0, 0, mac } };
    }
    CHECK(!lease_reserve(lab->leases, &r, NULL, NULL));
}

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
    lab->items[0].value = &types[DHCP_RELEASE];
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
    lab->items[0].value = &types[DHCP_RELEASE];
    CHECK(ask(lab) == DHCP_NOT_HOLDER);
    CHECK(lease_lookup(lab->leases, addr, lab->now, &r));
    CHECK(r.state == LEASE_BOUND);
    begin(lab, DHCP_RELEASE, 1);
    CHECK(ask(lab) == DHCP_NO_ADDRESS);
    begin_renewing(lab, 1, addr);
    lab->items[0].value = &types[DHCP_RELEASE];
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.66");
    CHECK(ask(lab) == DHCP_OTHER_SERVER);
    lab_close(lab);
}

TEST(inform_is_answered_without_a_lease__4_3_5)
{
    struct lab *lab = lab_open();

    begin_renewing(lab, 1, ip4("10.0.0.200"));
    lab->items[0].value = &types[DHCP_INFORM];
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
    RUN(a_relay_is_answered_at_its_address_and_port_67__4_1),
    RUN(a_relays_address_chooses_the_subnet__4_3_1),
    RUN(a_relays_link_chooses_the_subnet_and_all_it_said_is_echoed__rfc_3527),
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
