/* Addresses that guests chose, behind packet-ins, with the store. */
#include "controller/serve_binding.h"

#include "controller/service_lab.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/nd.h"
#include "unit.h"

static const char networks[] = "  blue: {subnet6: 'fd00::/64'}\n"
                               "  red: {subnet6: 'fd01::/64', ra: stateful}\n";
static const char ports[]
    = "  web: {network: blue, tap: web, mac: '02:00:00:00:00:01'}\n"
      "  db: {network: blue, tap: db, mac: '02:00:00:00:00:02',\n"
      "       address6: 'fd00::20'}\n"
      "  one: {network: red, tap: one, mac: '02:00:00:00:00:03'}\n";

static struct ip6_addr
ip6(const char *text)
{
    struct ip6_addr addr = { { 0 } };

    CHECK(ip6_parse(text, &addr));
    return addr;
}

/* "Is this address free?", by the NIC with this last byte. */
static void
announce(struct service_lab *lab, const char *port, uint8_t mac,
         const char *address)
{
    uint8_t frame[14 + 40 + ND_HEADER_LEN] = { 0x33, 0x33, 0xff, [6] = 2,
                                               [11] = mac };
    struct ip6_addr target = ip6(address), dst = ip6("ff02::1:ff00:0");
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28),
        .payload_len = htobe16(ND_HEADER_LEN), .next = IP_PROTO_ICMPV6,
        .hop_limit = 255,
    };
    uint8_t *icmp = frame + 54;

    memcpy(ip.dst, &dst, sizeof dst);
    put_be16(frame + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(frame + 14, &ip, sizeof ip);
    icmp[0] = ND_SOLICIT;
    memcpy(icmp + ND_TARGET_OFS, &target, sizeof target);
    put_be16(icmp + ICMP_CSUM_OFS, checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6, ND_HEADER_LEN),
        icmp, ND_HEADER_LEN)));
    service_lab_receive(lab, SERVICE_BINDING, port, frame, sizeof frame);
    service_lab_settle(lab);
}

static bool
has(const struct service_lab *lab, const char *port, const char *address)
{
    const struct topology_member *member = service_lab_member(lab, port);
    struct ip6_addr addr = ip6(address);

    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        if (ip6_addr_eq(member->addresses6[i], addr)) {
            return true;
        }
    }
    return false;
}

static struct serve_binding *
start(struct service_lab *lab)
{
    struct serve_binding *s = serve_binding_create(&lab->host, lab->store);

    serve_binding_changed(s);
    service_lab_settle(lab);
    return s;
}

TEST(what_a_guest_announces_is_its_own_and_no_others)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_binding *s = start(lab);
    const uint64_t *n = serve_binding_counters(s);

    announce(lab, "web", 1, "fd00::cafe");
    CHECK(has(lab, "web", "fd00::cafe") && n[BINDING_NEW] == 1);
    CHECK(service_lab_count(lab, "binding/") == 1);
    announce(lab, "web", 1, "fe80::cafe");
    CHECK(has(lab, "web", "fe80::cafe") && has(lab, "web", "fd00::cafe"));
    announce(lab, "db", 2, "fd00::cafe");
    CHECK(!has(lab, "db", "fd00::cafe") && n[BINDING_TAKEN] == 1);
    announce(lab, "web", 1, "fd00::20");
    announce(lab, "web", 1, "fd00::1");
    CHECK(n[BINDING_TAKEN] == 3);
    announce(lab, "db", 2, "fd00::20");
    CHECK(n[BINDING_PLANNED] == 1);
    announce(lab, "web", 1, "fd99::5");
    CHECK(n[BINDING_OUTSIDE] == 1);
    announce(lab, "web", 9, "fd00::5");
    CHECK(n[BINDING_NOT_OWN] == 1 && !has(lab, "web", "fd00::5"));
    serve_binding_destroy(s);
    service_lab_close(lab);
}

TEST(where_addresses_are_given_only_link_local_ones_are_chosen)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_binding *s = start(lab);

    announce(lab, "one", 3, "fd01::cafe");
    announce(lab, "one", 3, "fe80::cafe");
    CHECK(!has(lab, "one", "fd01::cafe") && has(lab, "one", "fe80::cafe"));
    serve_binding_destroy(s);
    service_lab_close(lab);
}

TEST(what_is_bound_outlives_a_restart_and_ends_with_its_port_or_prefix)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_binding *s = start(lab);

    announce(lab, "web", 1, "fd00::cafe");
    announce(lab, "db", 2, "fd00::d");
    serve_binding_destroy(s);
    service_lab_apply(lab, networks, ports);
    CHECK(!has(lab, "web", "fd00::cafe"));
    s = start(lab);
    CHECK(has(lab, "web", "fd00::cafe") && has(lab, "db", "fd00::d"));
    service_lab_apply(lab, networks,
                      "  web: {network: blue, tap: web,\n"
                      "        mac: '02:00:00:00:00:01'}\n");
    serve_binding_changed(s);
    service_lab_settle(lab);
    CHECK(service_lab_count(lab, "binding/") == 1);
    service_lab_apply(lab, "  blue: {subnet6: 'fd02::/64'}\n",
                      "  web: {network: blue, tap: web,\n"
                      "        mac: '02:00:00:00:00:01'}\n");
    serve_binding_changed(s);
    service_lab_settle(lab);
    CHECK(!service_lab_count(lab, "binding/"));
    CHECK(!has(lab, "web", "fd00::cafe"));
    serve_binding_destroy(s);
    service_lab_close(lab);
}

TEST(a_plan_takes_an_address_back)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_binding *s = start(lab);

    announce(lab, "web", 1, "fd00::30");
    service_lab_apply(lab, networks,
                      "  web: {network: blue, tap: web,\n"
                      "        mac: '02:00:00:00:00:01'}\n"
                      "  db: {network: blue, tap: db, address6: 'fd00::30'}\n");
    serve_binding_changed(s);
    CHECK(!has(lab, "web", "fd00::30") && has(lab, "db", "fd00::30"));
    service_lab_settle(lab);
    serve_binding_destroy(s);
    service_lab_close(lab);
}

TEST(leased_and_announced_addresses_stand_beside_each_other)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    const struct topology_member *member = service_lab_member(lab, "web");
    struct ip6_addr leased[] = { ip6("fd00::51"), ip6("fd00::52") };
    struct ip6_addr own = ip6("fd00::61");

    service_bind6(&lab->host, member, BOUND_ANNOUNCED, &own, 1);
    service_bind6(&lab->host, member, BOUND_LEASED, leased, 2);
    CHECK(has(lab, "web", "fd00::51") && has(lab, "web", "fd00::52"));
    CHECK(has(lab, "web", "fd00::61") && member->n_addresses6 == 5);
    service_bind6(&lab->host, member, BOUND_LEASED, leased + 1, 1);
    CHECK(!has(lab, "web", "fd00::51") && has(lab, "web", "fd00::61"));
    service_bind6(&lab->host, member, BOUND_ANNOUNCED, &own, 0);
    CHECK(!has(lab, "web", "fd00::61") && member->n_addresses6 == 3);
    service_lab_close(lab);
}

TESTS(
    RUN(what_a_guest_announces_is_its_own_and_no_others),
    RUN(where_addresses_are_given_only_link_local_ones_are_chosen),
    RUN(what_is_bound_outlives_a_restart_and_ends_with_its_port_or_prefix),
    RUN(a_plan_takes_an_address_back),
    RUN(leased_and_announced_addresses_stand_beside_each_other),
)
