/* DHCPv6 behind packet-ins, with its scopes and its store. */
#include "controller/serve_dhcp6.h"

#include "controller/service_lab.h"
#include "controller/udp_frame.h"
#include "packet/address.h"
#include "unit.h"

static const char networks[]
    = "  red: {subnet6: 'fd02::/64', ra: stateful}\n"
      "  blue: {subnet6: 'fd01::/64'}\n";
static const char ports[]
    = "  web: {network: red, tap: web, address6: 'fd02::10',\n"
      "        mac: '02:00:00:00:00:01'}\n"
      "  db: {network: red, tap: db, mac: '02:00:00:00:00:02'}\n"
      "  own: {network: blue, tap: own, mac: '02:00:00:00:00:03'}\n";

static struct ip6_addr
ip6(const char *text)
{
    struct ip6_addr addr = { { 0 } };

    CHECK(ip6_parse(text, &addr));
    return addr;
}

/* A Request for one IA with rapid means: a Solicit with rapid commit.  The
 * address that it was given; all zero: none. */
static struct ip6_addr
lease(struct service_lab *lab, const char *port, uint8_t mac, uint32_t iaid)
{
    const uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, mac };
    uint8_t data[256], frame[UDP_FRAME_MAX];
    struct udp_frame f = {
        .eth_src = { { 2, 0, 0, 0, 0, mac } }, .is_ip6 = true,
        .src = { { 0xfe, 0x80, [15] = mac } }, .dst = ip6("ff02::1:2"),
        .src_port = DHCP6_CLIENT_PORT, .dst_port = DHCP6_SERVER_PORT,
        .data = data,
    }, answer;
    struct ip6_addr none = { { 0 } };
    struct dhcp6_message m;
    struct dhcp6_address a;
    struct dhcp6_writer w;
    struct dhcp6_ia ia;
    size_t start;

    dhcp6_writer_init(&w, data, sizeof data);
    dhcp6_put_u32(&w, (uint32_t) DHCP6_SOLICIT << 24 | 7);
    dhcp6_put_option(&w, DHCP6_OPT_CLIENT_ID, duid, sizeof duid);
    dhcp6_put_option(&w, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
    start = dhcp6_begin(&w, DHCP6_OPT_IA_NA);
    dhcp6_put_u32(&w, iaid);
    dhcp6_put_u32(&w, 0);
    dhcp6_put_u32(&w, 0);
    dhcp6_end(&w, start);
    f.len = w.len;
    service_lab_receive(lab, SERVICE_DHCP6, port, frame,
                        udp_frame_encode(&f, frame));
    service_lab_settle(lab);
    if (!lab->n_sent) {
        return none;
    }
    CHECK(udp_frame_decode(lab->sent[0].frame, lab->sent[0].len, &answer));
    CHECK(answer.dst_port == DHCP6_CLIENT_PORT);
    CHECK(ip6_addr_eq(answer.dst, f.src));
    CHECK(!dhcp6_decode(answer.data, answer.len, &m));
    if (m.type != DHCP6_REPLY
        || !dhcp6_ia_decode(dhcp6_option_find(m.options, DHCP6_OPT_IA_NA),
                            &ia)
        || !dhcp6_address_decode(dhcp6_option_find(ia.options,
                                                   DHCP6_OPT_ADDRESS), &a)) {
        return none;
    }
    return a.addr;
}

static unsigned int
n_bound(const struct service_lab *lab, const char *port)
{
    return service_lab_member(lab, port)->n_bound6[BOUND_LEASED];
}

static struct serve_dhcp6 *
start(struct service_lab *lab)
{
    struct serve_dhcp6 *s = serve_dhcp6_create(&lab->host, lab->store);

    serve_dhcp6_changed(s);
    service_lab_settle(lab);
    return s;
}

TEST(the_plan_is_leased_stored_and_needs_no_binding)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp6 *s = start(lab);
    uint64_t n[N_DHCP6_VERDICTS];

    CHECK(ip6_addr_eq(lease(lab, "web", 1, 5), ip6("fd02::10")));
    CHECK(store_get(lab->store, "lease6/red/fd02::10"));
    CHECK(!n_bound(lab, "web"));
    serve_dhcp6_count(s, n);
    CHECK(n[DHCP6_LEASED] == 1);
    serve_dhcp6_destroy(s);
    service_lab_close(lab);
}

TEST(what_is_leased_beside_it_is_bound_and_is_again_after_a_restart)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp6 *s = start(lab);
    struct ip6_addr second;

    lease(lab, "web", 1, 5);
    second = lease(lab, "web", 1, 6);
    CHECK(ip6_is_within(second, ip6("fd02::"), 64));
    CHECK(n_bound(lab, "web") == 1);
    /* A nested guest is judged by what its port allows. */
    CHECK(ip6_addr_is_set(lease(lab, "web", 99, 5)));
    CHECK(n_bound(lab, "web") == 1);
    serve_dhcp6_destroy(s);
    service_lab_apply(lab, networks, ports);
    CHECK(!n_bound(lab, "web"));
    s = start(lab);
    CHECK(n_bound(lab, "web") == 1);
    CHECK(ip6_addr_eq(lease(lab, "web", 1, 6), second));
    serve_dhcp6_destroy(s);
    service_lab_close(lab);
}

TEST(addresses_of_a_dead_port_come_back)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp6 *s = start(lab);

    lease(lab, "web", 1, 5);
    lease(lab, "db", 2, 5);
    CHECK(service_lab_count(lab, "lease6/red/") == 2);
    service_lab_apply(lab, networks,
                      "  db: {network: red, tap: db, address6: 'fd02::10',\n"
                      "       mac: '02:00:00:00:00:02'}\n");
    serve_dhcp6_changed(s);
    service_lab_settle(lab);
    CHECK(service_lab_count(lab, "lease6/red/") == 1);
    CHECK(ip6_addr_eq(lease(lab, "db", 2, 5), ip6("fd02::10")));
    serve_dhcp6_destroy(s);
    service_lab_close(lab);
}

TEST(where_guests_choose_nothing_is_leased_any_more)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp6 *s = start(lab);

    CHECK(!ip6_addr_is_set(lease(lab, "own", 3, 1)) && lab->n_sent == 1);
    lease(lab, "web", 1, 5);
    service_lab_apply(lab, "  red: {subnet6: 'fd02::/64'}\n"
                           "  blue: {subnet6: 'fd01::/64', ra: off}\n",
                      ports);
    serve_dhcp6_changed(s);
    service_lab_settle(lab);
    CHECK(!service_lab_count(lab, "lease6/"));
    CHECK(!ip6_addr_is_set(lease(lab, "own", 3, 1)) && !lab->n_sent);
    serve_dhcp6_destroy(s);
    service_lab_close(lab);
}

TEST(one_ia_said_twice_is_one_lease)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dhcp6 *s = start(lab);

    lease(lab, "web", 1, 5);
    lease(lab, "web", 1, 5);
    CHECK(service_lab_count(lab, "lease6/red/") == 1);
    serve_dhcp6_destroy(s);
    service_lab_close(lab);
}

TESTS(
    RUN(the_plan_is_leased_stored_and_needs_no_binding),
    RUN(what_is_leased_beside_it_is_bound_and_is_again_after_a_restart),
    RUN(addresses_of_a_dead_port_come_back),
    RUN(where_guests_choose_nothing_is_leased_any_more),
    RUN(one_ia_said_twice_is_one_lease),
)
