/* DHCPv4 behind packet-ins, with its scopes and its store. */
#include "controller/serve_dhcp.h"

#include <stdlib.h>

#include "controller/lease_store.h"
#include "controller/service_lab.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/dhcp.h"
#include "packet/udp4.h"
#include "service/lease_record.h"
#include "unit.h"

static const char networks[]
    = "  blue: {subnet: 10.1.0.0/24, dhcp: {range: 10.1.0.100-10.1.0.110,\n"
      "         relays: [{subnet: 10.9.0.0/24,\n"
      "                   range: 10.9.0.50-10.9.0.60}]}}\n"
      "  red: {subnet: 10.2.0.0/24}\n";
static const char ports[]
    = "  web: {network: blue, tap: web, address: 10.1.0.10,\n"
      "        mac: '02:00:00:00:00:01'}\n"
      "  fw: {network: blue, tap: fw, mac: '02:00:00:00:00:02'}\n";

static be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

/* What a client with this last byte of its MAC sends; through a relay at
 * `giaddr` if that is not NULL.  Returns yiaddr of the answer, 0: none. */
static be32
ask(struct service_lab *lab, const char *port, uint8_t mac, uint8_t type,
    be32 wanted, const char *giaddr)
{
    uint8_t frame[LAB_FRAME_MAX], addr[6] = { 2, 0, 0, 0, 0, mac };
    struct dhcp_header h = { .op = 1, .htype = 1, .hlen = 6, .xid = mac };
    struct udp4 udp = { .ip_dst = UINT32_MAX, .src_port = 68,
                        .dst_port = 67 }, answer;
    be32 server = ip4("10.1.0.1");
    struct dhcp_item items[] = {
        { DHCP_OPT_TYPE, 1, &type },
        { DHCP_OPT_SERVER_ID, 4, &server },
        { DHCP_OPT_REQUESTED_ADDRESS, 4, &wanted },
    };
    struct dhcp_message msg;
    unsigned int n_left_out;

    memcpy(h.chaddr, addr, sizeof addr);
    memcpy(udp.eth_src.b, addr, sizeof addr);
    if (giaddr) {
        h.giaddr = udp.ip_src = ip4(giaddr);
        udp.ip_dst = server;
        udp.src_port = 67;
    }
    if (type == DHCP_RELEASE) {
        h.ciaddr = wanted;
    }
    udp.payload_len = dhcp_encode(&h, items, type == DHCP_DISCOVER ? 1 : 3,
                                  frame + UDP4_HEADERS_LEN, DHCP_MIN_LEN,
                                  &n_left_out);
    service_lab_receive(lab, SERVICE_DHCP, port, frame,
                        udp4_encode(frame, &udp));
    service_lab_settle(lab);
    if (!lab->n_sent) {
        return 0;
    }
    CHECK(lab->n_sent == 1);
    CHECK(lab->sent[0].member == service_lab_member(lab, port));
    CHECK(!udp4_decode(lab->sent[0].frame, lab->sent[0].len, &answer));
    CHECK(!dhcp_decode(answer.payload, answer.payload_len, &msg));
    return msg.header.yiaddr;
}

static be32
lease(struct service_lab *lab, const char *port, uint8_t mac,
      const char *giaddr)
{
    be32 addr = ask(lab, port, mac, DHCP_DISCOVER, 0, giaddr);

    CHECK(addr && ask(lab, port, mac, DHCP_REQUEST, addr, giaddr) == addr);
    return addr;
}

static struct serve_dhcp *
start(struct service_lab *lab)
{
    struct serve_dhcp *dhcp = serve_dhcp_create(&lab->host, lab->store);

    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    return dhcp;
}

TEST(a_port_is_given_its_plan_and_the_lease_is_stored_first)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);

    CHECK(ask(lab, "web", 1, DHCP_DISCOVER, 0, NULL) == ip4("10.1.0.10"));
    CHECK(!service_lab_count(lab, "lease/"));
    CHECK(ask(lab, "web", 1, DHCP_REQUEST, ip4("10.1.0.10"), NULL));
    CHECK(store_get(lab->store, "lease/blue/10.1.0.10"));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(nothing_is_answered_before_the_store_has_it)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);
    uint64_t n[N_DHCP_VERDICTS];

    lease(lab, "web", 1, NULL);
    CHECK(lab->n_sent == 1);
    /* A store that takes nothing any more: the client hears nothing. */
    store_close(lab->store, NULL, NULL);
    {
        uint8_t frame[LAB_FRAME_MAX], type = DHCP_REQUEST;
        be32 wanted = ip4("10.1.0.10");
        struct dhcp_header h = { .op = 1, .htype = 1, .hlen = 6,
                                 .ciaddr = wanted,
                                 .chaddr = { 2, 0, 0, 0, 0, 1 } };
        struct udp4 udp = { .ip_dst = UINT32_MAX, .src_port = 68,
                            .dst_port = 67,
                            .eth_src = { { 2, 0, 0, 0, 0, 1 } } };
        struct dhcp_item item = { DHCP_OPT_TYPE, 1, &type };
        unsigned int n_left_out;

        udp.payload_len = dhcp_encode(&h, &item, 1, frame + UDP4_HEADERS_LEN,
                                      DHCP_MIN_LEN, &n_left_out);
        service_lab_receive(lab, SERVICE_DHCP, "web", frame,
                            udp4_encode(frame, &udp));
    }
    CHECK(!lab->n_sent);
    serve_dhcp_count(dhcp, n);
    CHECK(n[DHCP_LEASED] == 2);
    lab->store = NULL;
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(addresses_of_a_dead_port_come_back)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);
    be32 addr = lease(lab, "fw", 9, NULL);

    CHECK(be32toh(addr) >= be32toh(ip4("10.1.0.100")));
    lease(lab, "web", 1, NULL);
    CHECK(service_lab_count(lab, "lease/blue/") == 2);
    service_lab_apply(lab, networks,
                      "  web: {network: blue, tap: web, address: 10.1.0.10,\n"
                      "        mac: '02:00:00:00:00:01'}\n");
    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    CHECK(service_lab_count(lab, "lease/blue/") == 1);
    /* And whoever comes can have it. */
    CHECK(ask(lab, "web", 30, DHCP_DISCOVER, addr, NULL));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(leases_are_there_again_after_a_restart_unless_the_port_left_meanwhile)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);
    be32 addr = lease(lab, "fw", 9, NULL);

    serve_dhcp_destroy(dhcp);
    dhcp = start(lab);
    CHECK(lease(lab, "fw", 9, NULL) == addr);
    serve_dhcp_destroy(dhcp);
    service_lab_apply(lab, networks, "  web: {network: blue, tap: web}\n");
    dhcp = start(lab);
    CHECK(!service_lab_count(lab, "lease/blue/"));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(a_network_that_is_gone_or_not_served_any_more_forgets_its_leases)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);
    uint64_t n[N_DHCP_VERDICTS];

    lease(lab, "web", 1, NULL);
    service_lab_apply(lab, "  blue: {subnet: 10.1.0.0/24, dhcp: off}\n",
                      "  web: {network: blue, tap: web}\n");
    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    CHECK(!service_lab_count(lab, "lease/"));
    CHECK(!ask(lab, "web", 1, DHCP_DISCOVER, 0, NULL));
    /* What was counted stays counted. */
    serve_dhcp_count(dhcp, n);
    CHECK(n[DHCP_LEASED] == 1 && n[DHCP_OFFERED] == 1);
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

static void
count_visit(void *aux, const char *network,
            const struct lease_record *record UNUSED, int64_t left)
{
    CHECK(!strcmp(network, "blue") && left > 0);
    ++*(unsigned int *) aux;
}

TEST(a_relayed_subnet_has_leases_of_its_own)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);
    be32 addr = lease(lab, "fw", 40, "10.9.0.1");
    unsigned int n = 0;

    CHECK(be32toh(addr) >= be32toh(ip4("10.9.0.50"))
          && be32toh(addr) <= be32toh(ip4("10.9.0.60")));
    CHECK(!ask(lab, "fw", 41, DHCP_DISCOVER, 0, "10.77.0.1"));
    lease(lab, "web", 1, NULL);
    serve_dhcp_visit(dhcp, count_visit, &n);
    CHECK(n == 2);
    /* It is still his after a restart, and ends with its subnet. */
    serve_dhcp_destroy(dhcp);
    dhcp = start(lab);
    CHECK(lease(lab, "fw", 40, "10.9.0.1") == addr);
    service_lab_apply(lab, "  blue: {subnet: 10.1.0.0/24}\n", ports);
    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    CHECK(service_lab_count(lab, "lease/blue/") == 1);
    CHECK(!ask(lab, "fw", 40, DHCP_DISCOVER, 0, "10.9.0.1"));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(what_the_store_has_and_is_no_lease_is_passed_over)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct store_txn *txn = store_txn_create(STORE_PROCESS);
    struct serve_dhcp *dhcp;

    store_txn_put(txn, "lease/blue/10.1.0.10", "nonsense", 8, STORE_ANY);
    CHECK(!store_commit(lab->store, txn, NULL, NULL));
    service_lab_settle(lab);
    dhcp = start(lab);
    CHECK(lease(lab, "web", 1, NULL) == ip4("10.1.0.10"));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

/* Of 11 addresses h1 has the first 5, of 1 none. */
TEST(a_host_offers_of_its_share)
{
    static const char hosts[]
        = "hosts: {h1: {tunnel: 192.0.2.1}, h2: {tunnel: 192.0.2.2}}\n";
    static const char all_ports[]
        = "  fw: {network: blue, tap: fw, host: h1, address: 10.1.0.10}\n"
          "  ap: {network: red, tap: ap, host: h1, address: 10.2.0.10}\n";
    struct str text = STR_INIT;
    struct service_lab *lab;
    struct serve_dhcp *dhcp;
    unsigned int n = 0;
    be32 addr;

    str_addf(&text, "%s%s", all_ports, hosts);
    lab = service_lab_open("  blue: {subnet: 10.1.0.0/24, segment: {vxlan: 1},"
                           "\n         dhcp: {per-port: 20, range: "
                           "10.1.0.100-10.1.0.110}}\n"
                           "  red: {subnet: 10.2.0.0/24, segment: {vxlan: 2},"
                           "\n         dhcp: {range: 10.2.0.20-10.2.0.20}}\n",
                           str_text(&text));
    dhcp = start(lab);
    while ((addr = ask(lab, "fw", (uint8_t) (0x10 + n), DHCP_DISCOVER, 0,
                       NULL)) && n < 20) {
        CHECK(be32toh(addr) >= be32toh(ip4("10.1.0.100")));
        CHECK(be32toh(addr) <= be32toh(ip4("10.1.0.104")));
        n++;
    }
    CHECK(n == 5);
    CHECK(!ask(lab, "ap", 0x40, DHCP_DISCOVER, 0, NULL));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
    str_fini(&text);
}

/* The lease of an address that is another host's to offer now ends when it would
 * be renewed. */
TEST(a_host_that_joins_moves_the_cuts)
{
    static const char blue[]
        = "  blue: {subnet: 10.1.0.0/24, segment: {vxlan: 1},\n"
          "         dhcp: {range: 10.1.0.100-10.1.0.110}}\n";
    static const char fw[]
        = "  fw: {network: blue, tap: fw, host: h1, address: 10.1.0.10}\n";
    struct str before = STR_INIT, after = STR_INIT;
    struct service_lab *lab;
    struct serve_dhcp *dhcp;
    be32 addr;

    str_addf(&before, "%shosts: {h1: {tunnel: 192.0.2.1}, "
             "h2: {tunnel: 192.0.2.2}}\n", fw);
    str_addf(&after, "%shosts: {h1: {tunnel: 192.0.2.1}, "
             "h2: {tunnel: 192.0.2.2}, h0: {tunnel: 192.0.2.3},\n"
             "        g0: {tunnel: 192.0.2.4}}\n", fw);
    lab = service_lab_open(blue, str_text(&before));
    dhcp = start(lab);
    addr = lease(lab, "fw", 0x10, NULL);
    CHECK(be32toh(addr) <= be32toh(ip4("10.1.0.104")));
    CHECK(ask(lab, "fw", 0x10, DHCP_REQUEST, addr, NULL) == addr);
    service_lab_apply(lab, blue, str_text(&after));
    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    /* Third of four: 105 to 107. */
    CHECK(!ask(lab, "fw", 0x10, DHCP_REQUEST, addr, NULL));
    addr = lease(lab, "fw", 0x10, NULL);
    CHECK(be32toh(addr) >= be32toh(ip4("10.1.0.105")));
    CHECK(be32toh(addr) <= be32toh(ip4("10.1.0.107")));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
    str_fini(&before);
    str_fini(&after);
}

TEST(a_port_has_as_many_addresses_as_its_network_says)
{
    struct service_lab *lab = service_lab_open(
        "  blue: {subnet: 10.1.0.0/24, dhcp: {per-port: 2}}\n",
        "  fw: {network: blue, tap: fw}\n");
    struct serve_dhcp *dhcp = start(lab);

    lease(lab, "fw", 1, NULL);
    lease(lab, "fw", 2, NULL);
    CHECK(!ask(lab, "fw", 3, DHCP_DISCOVER, 0, NULL));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TEST(other_relays_do_not_touch_the_networks_own_leases)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp *dhcp = start(lab);

    lease(lab, "web", 1, NULL);
    service_lab_apply(lab, "  blue: {subnet: 10.1.0.0/24,\n"
                      "         dhcp: {relays: [{subnet: 10.9.0.0/24}]}}\n",
                      ports);
    serve_dhcp_changed(dhcp);
    service_lab_settle(lab);
    CHECK(lease(lab, "web", 1, NULL) == ip4("10.1.0.10"));
    serve_dhcp_destroy(dhcp);
    service_lab_close(lab);
}

TESTS(
    RUN(a_port_is_given_its_plan_and_the_lease_is_stored_first),
    RUN(nothing_is_answered_before_the_store_has_it),
    RUN(addresses_of_a_dead_port_come_back),
    RUN(leases_are_there_again_after_a_restart_unless_the_port_left_meanwhile),
    RUN(a_network_that_is_gone_or_not_served_any_more_forgets_its_leases),
    RUN(a_relayed_subnet_has_leases_of_its_own),
    RUN(what_the_store_has_and_is_no_lease_is_passed_over),
    RUN(a_host_offers_of_its_share),
    RUN(a_host_that_joins_moves_the_cuts),
    RUN(a_port_has_as_many_addresses_as_its_network_says),
    RUN(other_relays_do_not_touch_the_networks_own_leases),
)
