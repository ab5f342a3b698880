/* Relays in front of the DHCPv6 server (RFC 8415, 19). */

#include <string.h>

#include "packet/address.h"
#include "service/dhcp6_lab.h"
#include "unit.h"

/* Wraps what the lab will send; returns how long it is. */
static size_t
relay(uint8_t out[2000], uint8_t hops, const char *link, const void *inner,
      size_t len, const char *interface)
{
    struct ip6_addr link_addr = ip6(link), peer = ip6("fe80::5");
    struct dhcp6_writer w;

    dhcp6_writer_init(&w, out, 2000);
    dhcp6_put_u8(&w, DHCP6_RELAY_FORW);
    dhcp6_put_u8(&w, hops);
    dhcp6_put(&w, &link_addr, sizeof link_addr);
    dhcp6_put(&w, &peer, sizeof peer);
    if (interface) {
        dhcp6_put_option(&w, DHCP6_OPT_INTERFACE_ID, interface,
                         strlen(interface));
    }
    dhcp6_put_option(&w, DHCP6_OPT_RELAY_MSG, inner, len);
    return w.len;
}

/* Unwraps one envelope of the answer. */
static struct dhcp6_options
unwrap(struct dhcp6_options message, uint8_t hops, const char *interface)
{
    struct dhcp6_relay r;
    struct dhcp6_options id;

    CHECK(!dhcp6_relay_decode(message.p, message.len, &r));
    CHECK(r.type == DHCP6_RELAY_REPL && r.hops == hops);
    CHECK(ip6_addr_eq(r.peer, ip6("fe80::5")));
    id = dhcp6_option_find(r.options, DHCP6_OPT_INTERFACE_ID);
    CHECK(!id.p == !interface);
    CHECK(!id.p || !memcmp(id.p, interface, id.len));
    return dhcp6_option_find(r.options, DHCP6_OPT_RELAY_MSG);
}

TEST(a_relay_gets_its_envelope_back_with_the_answer)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_options inner;
    uint8_t out[2000];
    size_t len;

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    lab->question.is_unicast = true;
    len = relay(out, 0, "fd00::9", lab->bytes, lab->w.len, "eth7");
    CHECK(lab6_ask_bytes(lab, out, len) == DHCP6_ADVERTISED);
    CHECK(lab->answer.is_relayed);
    inner = unwrap((struct dhcp6_options) { lab->answer.data,
                                            lab->answer.len }, 0, "eth7");
    CHECK(!dhcp6_decode(inner.p, inner.len, &lab->reply));
    CHECK(lab->reply.type == DHCP6_ADVERTISE);
    /* The port's plan is for its own NIC. */
    CHECK(!ip6_addr_eq(lab6_address(lab, 0), ip6("fd00::5")));
    CHECK(ip6_is_within(lab6_address(lab, 0), ip6("fd00::"), 64));
    lab6_close(lab);
}

TEST(a_relay_behind_a_relay_gets_its_own_envelope_too)
{
    struct lab6 *lab = lab6_open();
    struct dhcp6_options m;
    uint8_t one[2000], two[2000];
    size_t len;

    lab6_begin(lab, DHCP6_REQUEST, 5);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, 1, NULL);
    len = relay(one, 0, "fd00::9", lab->bytes, lab->w.len, "inner");
    len = relay(two, 1, "::", one, len, NULL);
    CHECK(lab6_ask_bytes(lab, two, len) == DHCP6_LEASED);
    m = unwrap((struct dhcp6_options) { lab->answer.data, lab->answer.len },
               1, NULL);
    m = unwrap(m, 0, "inner");
    CHECK(!dhcp6_decode(m.p, m.len, &lab->reply));
    CHECK(lab->reply.type == DHCP6_REPLY);
    CHECK(lab->answer.changes.n == 1);
    lab6_close(lab);
}

TEST(a_relay_of_another_network_is_not_served)
{
    struct lab6 *lab = lab6_open();
    uint8_t out[2000];
    size_t len;

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    len = relay(out, 0, "fd99::1", lab->bytes, lab->w.len, NULL);
    CHECK(lab6_ask_bytes(lab, out, len) == DHCP6_UNKNOWN_LINK);
    lab6_close(lab);
}

TEST(too_many_relays_are_not_served)
{
    struct lab6 *lab = lab6_open();
    uint8_t out[2][2000];
    size_t len;

    lab6_begin(lab, DHCP6_SOLICIT, 5);
    len = relay(out[0], DHCP6_HOP_LIMIT, "::", lab->bytes, lab->w.len, NULL);
    CHECK(lab6_ask_bytes(lab, out[0], len) == DHCP6_HOPS);
    len = lab->w.len;
    memcpy(out[0], lab->bytes, len);
    for (unsigned int i = 0; i <= DHCP6_HOP_LIMIT; i++) {
        len = relay(out[(i + 1) % 2], 0, "::", out[i % 2], len, NULL);
    }
    CHECK(lab6_ask_bytes(lab, out[(DHCP6_HOP_LIMIT + 1) % 2], len)
          == DHCP6_HOPS);
    lab6_close(lab);
}

TESTS(
    RUN(a_relay_gets_its_envelope_back_with_the_answer),
    RUN(a_relay_behind_a_relay_gets_its_own_envelope_too),
    RUN(a_relay_of_another_network_is_not_served),
    RUN(too_many_relays_are_not_served),
)
