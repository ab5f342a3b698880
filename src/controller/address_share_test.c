/* Who may choose which addresses. */
#include "controller/address_share.h"

#include "intent/intent_lab.h"
#include "lib/str.h"
#include "packet/address.h"
#include "unit.h"

#define HOSTS                                                                \
    "version: 1\n"                                                           \
    "hosts:\n  h1: {tunnel: 192.0.2.1}\n  h2: {tunnel: 192.0.2.2}\n"          \
    "  h3: {tunnel: 192.0.2.3}\n"                                            \
    "uplinks: {dc: {device: eth2, at: h1}, lan: {device: eth1}}\n"

/* "10.1.0.1-10.1.0.84 ", piece by piece. */
static void
has(const char *network, const char *host, const char *expected)
{
    struct str text = STR_INIT, said = STR_INIT;
    struct address_piece pieces[NETWORK_MAX_RANGES];
    const struct intent_network *n;
    struct intent *intent;
    unsigned int n_pieces;

    str_addf(&text, HOSTS "networks: {n: %s}\n", network);
    intent = lab_sealed(str_text(&text));
    n = intent_network_cast(intent_find(intent, INTENT_NETWORK, "n"));
    n_pieces = address_share_pieces(n, address_share_of(intent, n, host),
                                    pieces);
    for (unsigned int i = 0; i < n_pieces; i++) {
        char first[ADDRESS_TEXT_SIZE], last[ADDRESS_TEXT_SIZE];

        str_addf(&said, "%s-%s ",
                 ip4_format(htobe32(pieces[i].first), first),
                 ip4_format(htobe32(pieces[i].first + pieces[i].n - 1),
                            last));
    }
    assert_string_equal(said.len ? str_text(&said) : "", expected);
    intent_unref(intent);
    str_fini(&text);
    str_fini(&said);
}

TEST(hosts_have_equal_pieces)
{
    static const char *const n = "{subnet: 10.1.0.0/24, segment: {vxlan: 1}}";

    has(n, "h1", "10.1.0.1-10.1.0.84 ");
    has(n, "h2", "10.1.0.85-10.1.0.169 ");
    has(n, "h3", "10.1.0.170-10.1.0.254 ");
}

TEST(ranges_are_cut_as_one)
{
    static const char *const n
        = "{subnet: 10.1.0.0/24, segment: {vxlan: 1}, dhcp: {range: "
          "[10.1.0.10-10.1.0.19, 10.1.0.30-10.1.0.31]}}";

    has(n, "h1", "10.1.0.10-10.1.0.13 ");
    has(n, "h2", "10.1.0.14-10.1.0.17 ");
    has(n, "h3", "10.1.0.18-10.1.0.19 10.1.0.30-10.1.0.31 ");
}

TEST(what_is_too_little_is_not_for_all)
{
    static const char *const n
        = "{subnet: 10.1.0.0/24, segment: {vxlan: 1}, dhcp: {range: "
          "[10.1.0.10-10.1.0.11]}}";

    has(n, "h1", "");
    has(n, "h2", "10.1.0.10-10.1.0.10 ");
    has(n, "h3", "10.1.0.11-10.1.0.11 ");
    has("{segment: {vxlan: 1}}", "h1", "");
}

TEST(the_largest_network_is_cut_right)
{
    static const char *const n = "{subnet: 10.0.0.0/8, segment: {vxlan: 1}, "
                                 "dhcp: off, gateway: none}";

    has(n, "h1", "10.0.0.1-10.85.85.84 ");
    has(n, "h3", "10.170.170.170-10.255.255.254 ");
}

TEST(a_network_of_one_host_is_its_own)
{
    static const char whole[] = "10.1.0.1-10.1.0.254 ";

    has("{subnet: 10.1.0.0/24}", "h2", whole);
    has("{subnet: 10.1.0.0/24, segment: {vlan: 5, uplink: dc}}", "h1", whole);
    has("{subnet: 10.1.0.0/24, segment: {vlan: 5, uplink: lan}}", "h1",
        "10.1.0.1-10.1.0.84 ");
    has("{subnet: 10.1.0.0/24, segment: {vxlan: 5}}", "elsewhere", whole);
    has("{subnet: 10.1.0.0/24, segment: {vxlan: 5}}", NULL, whole);
}

TESTS(
    RUN(hosts_have_equal_pieces),
    RUN(ranges_are_cut_as_one),
    RUN(what_is_too_little_is_not_for_all),
    RUN(the_largest_network_is_cut_right),
    RUN(a_network_of_one_host_is_its_own),
)
