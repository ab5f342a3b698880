/* Sets of objects: in order, shared, sealed. */
#include "intent/intent.h"

#include "intent/intent_lab.h"
#include "intent/schema.h"
#include "packet/address.h"
#include "unit.h"

static const char two_networks[] =
    "version: 1\n"
    "networks:\n"
    "  red: {subnet: 10.2.0.0/24, gateway: 10.2.0.254}\n"
    "  blue: {subnet: 10.1.0.0/24, subnet6: fd00:1::/64}\n"
    "ports:\n"
    "  web: {network: blue, netns: web}\n"
    "  db: {network: blue, netns: db, mirror: tap}\n"
    "  tap: {network: red, tap: vm1, mac: 02:00:00:00:01:01}\n";

static const struct intent_port *
port_of(const struct intent *set, const char *name)
{
    return intent_port_cast(intent_find(set, INTENT_PORT, name));
}

static const struct intent_network *
network_of(const struct intent *set, const char *name)
{
    return intent_network_cast(intent_find(set, INTENT_NETWORK, name));
}

TEST(objects_are_in_order_of_name)
{
    static const char *const names[] = { "db", "tap", "web" };
    struct intent *set = lab_sealed(two_networks);
    unsigned int i = 0;

    INTENT_FOR_EACH_PORT (port, set) {
        assert_string_equal(port->object.name, names[i++]);
    }
    CHECK(i == 3 && intent_count(set, INTENT_PORT) == 3);
    CHECK(intent_count(set, INTENT_UPLINK) == 0);
    CHECK(!intent_next(set, INTENT_UPLINK, NULL));
    CHECK(!intent_find(set, INTENT_PORT, "red"));
    intent_unref(set);
}

TEST(names_are_looked_up)
{
    struct intent *set = lab_sealed(two_networks);

    CHECK(port_of(set, "web")->network == network_of(set, "blue"));
    CHECK(port_of(set, "db")->mirror == port_of(set, "tap"));
    CHECK(!port_of(set, "web")->mirror);
    intent_unref(set);
}

TEST(defaults_are_filled_in)
{
    struct intent *set = lab_sealed(two_networks);
    const struct intent_network *blue = network_of(set, "blue");
    const struct intent_port *web = port_of(set, "web");
    char text[ADDRESS_TEXT_SIZE];

    assert_string_equal(ip4_format(blue->gateway, text), "10.1.0.1");
    assert_string_equal(ip6_format(blue->gateway6, text), "fd00:1::1");
    assert_string_equal(ip4_format(network_of(set, "red")->gateway, text),
                        "10.2.0.254");
    CHECK(blue->mtu == 1500 && blue->storm_cap == 500);
    CHECK(blue->dhcp.lease_time == 3600 && !blue->dhcp.is_off);
    CHECK(blue->ra == RA_SLAAC && blue->segment.type == SEGMENT_LOCAL);
    assert_string_equal(blue->domain, "blue.weft");
    CHECK(web->mac.b[0] == 2 && web->n_queues == 1);
    assert_string_equal(web->nic, "eth0");
    assert_string_equal(eth_addr_format(port_of(set, "tap")->mac, text),
                        "02:00:00:00:01:01");
    CHECK(object_has(&web->object, "netns"));
    CHECK(!object_has(&web->object, "mac"));
    intent_unref(set);
}

/* Cookies on switches, leases and guests' ARP caches are made of them. */
TEST(what_is_made_of_names_never_changes)
{
    struct intent *set = lab_sealed(two_networks);
    char text[ADDRESS_TEXT_SIZE];

    CHECK(intent_object_id(INTENT_PORT, "web")
          == UINT64_C(0x3b990050224ba621));
    assert_string_equal(eth_addr_format(port_of(set, "web")->mac, text),
                        "02:5d:28:69:0d:a6");
    CHECK(intent_object_id(INTENT_NETWORK, "web") >> 60
          == INTENT_NETWORK + 1);
    intent_unref(set);
}

TEST(an_object_is_found_by_its_id)
{
    struct intent *set = lab_sealed(two_networks);
    const struct intent_object *web = intent_find(set, INTENT_PORT, "web");

    CHECK(intent_find_id(set, web->id) == web);
    CHECK(intent_find_id(set, intent_object_id(INTENT_NETWORK, "red"))
          == intent_find(set, INTENT_NETWORK, "red"));
    CHECK(!intent_find_id(set, 0) && !intent_find_id(set, UINT64_MAX));
    intent_unref(set);
}

TEST(long_names_get_a_stable_short_one)
{
    struct intent *set = lab_sealed(
        "version: 1\n"
        "networks: {n: }\n"
        "ports:\n"
        "  frontend-of-the-shop: {network: n, netns: a}\n"
        "  exactly-15-long: {network: n, netns: b}\n");

    assert_string_equal(port_of(set, "frontend-of-the-shop")->switch_name,
                        "fronte-kb3rsnli");
    assert_string_equal(port_of(set, "exactly-15-long")->switch_name,
                        "exactly-15-long");
    intent_unref(set);
}

/* A set like `from` in which the network `name` is a new object. */
static struct intent *
with_new_network(const struct intent *from, const char *name)
{
    struct diagnostics *diagnostics = diag_create();
    json_t *members = json_pack("{s:s}", "subnet", "10.2.0.0/16");
    struct intent *set = intent_copy(from);

    intent_set(set, intent_parse_object(INTENT_NETWORK, name, members,
                                        diagnostics));
    CHECK(intent_seal(set, diagnostics));
    json_decref(members);
    diag_destroy(diagnostics);
    return set;
}

TEST(a_change_shares_what_stayed)
{
    struct intent *before = lab_sealed(two_networks);
    struct intent *after = with_new_network(before, "red");

    CHECK(network_of(after, "blue") == network_of(before, "blue"));
    CHECK(port_of(after, "web") == port_of(before, "web"));
    /* tap is in red, and db names tap. */
    CHECK(port_of(after, "tap") != port_of(before, "tap"));
    CHECK(port_of(after, "tap")->network == network_of(after, "red"));
    CHECK(port_of(after, "db")->mirror == port_of(after, "tap"));
    CHECK(port_of(before, "tap")->network == network_of(before, "red"));
    CHECK(port_of(before, "db")->mirror == port_of(before, "tap"));

    intent_unref(before);
    CHECK(port_of(after, "web")->network == network_of(after, "blue"));
    assert_string_equal(port_of(after, "tap")->object.place.file, "t");
    intent_unref(after);
}

static struct intent *
applied_again(const char *text, const struct intent *before)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();

    CHECK(intent_parse(set, "t", text, strlen(text), diagnostics));
    intent_share(set, before);
    CHECK(intent_seal(set, diagnostics));
    diag_destroy(diagnostics);
    return set;
}

static const char shop[] =
    "version: 1\n"
    "networks:\n"
    "  blue: {subnet: 10.1.0.0/24}\n"
    "  red: {subnet: 10.2.0.0/24}\n"
    "ports:\n"
    "  db: {network: blue, netns: db, mirror: tap}\n"
    "  tap: {network: red, tap: vm1}\n"
    "  web: {network: blue, netns: web}\n";

/* What another says at the same place is the same object, but for those that
 * point to something new. */
TEST(a_file_applied_again_shares_what_it_says_alike)
{
    struct intent *before = lab_sealed(shop);
    struct intent *same = applied_again(shop, before), *after, *moved;
    char *text = xstrdup(shop);

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        for (unsigned int i = 0;
             i < intent_count(before, (enum intent_kind) kind); i++) {
            CHECK(intent_at(same, (enum intent_kind) kind, i)
                  == intent_at(before, (enum intent_kind) kind, i));
        }
    }
    strstr(text, "10.2.0.0")[3] = '3';
    after = applied_again(text, before);
    CHECK(network_of(after, "blue") == network_of(before, "blue"));
    CHECK(network_of(after, "red") != network_of(before, "red"));
    CHECK(port_of(after, "web") == port_of(before, "web"));
    CHECK(port_of(after, "tap")->network == network_of(after, "red"));
    CHECK(port_of(after, "db")->mirror == port_of(after, "tap"));
    free(text);
    /* It is said elsewhere: the line would be wrong. */
    text = xstrdup("# A shop.\nversion: 1\nports:\n"
                   "  web: {network: blue, netns: web}\n"
                   "networks:\n  blue: {subnet: 10.1.0.0/24}\n");
    moved = applied_again(text, before);
    CHECK(port_of(moved, "web") != port_of(before, "web"));
    CHECK(port_of(moved, "web")->network == network_of(moved, "blue"));
    CHECK(intent_count(moved, INTENT_PORT) == 1);
    free(text);
    intent_unref(before);
    intent_unref(same);
    intent_unref(after);
    CHECK(port_of(moved, "web")->object.place.line == 4);
    intent_unref(moved);
}

TEST(an_object_can_be_removed)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *before = lab_sealed(two_networks);
    struct intent *after = intent_copy(before);

    CHECK(intent_remove(after, INTENT_PORT, "web"));
    CHECK(!intent_remove(after, INTENT_PORT, "web"));
    CHECK(intent_seal(after, diagnostics));
    CHECK(!port_of(after, "web") && port_of(before, "web"));
    CHECK(intent_count(after, INTENT_PORT) == 2);
    intent_unref(after);
    intent_unref(before);
    diag_destroy(diagnostics);
}

TEST(a_set_without_what_is_named_is_not_sealed)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *before = lab_sealed(two_networks);
    struct intent *after = intent_copy(before);
    struct str said = STR_INIT;

    CHECK(intent_remove(after, INTENT_NETWORK, "red"));
    CHECK(!intent_seal(after, diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(str_text(&said), "t:8:18: network: there is no "
                        "network 'red'\n");
    intent_unref(after);
    CHECK(port_of(before, "tap")->network == network_of(before, "red"));
    intent_unref(before);
    diag_destroy(diagnostics);
    str_fini(&said);
}

TEST(an_object_that_is_set_again_is_replaced)
{
    struct diagnostics *diagnostics = diag_create();
    json_t *members = json_pack("{s:i}", "mtu", 1400);
    struct intent *set = intent_create();

    intent_set(set, intent_object_create(INTENT_NETWORK, "a"));
    intent_set(set, intent_parse_object(INTENT_NETWORK, "a", members,
                                        diagnostics));
    CHECK(intent_count(set, INTENT_NETWORK) == 1);
    CHECK(network_of(set, "a")->mtu == 1400);
    CHECK(!intent_parse_object(INTENT_NETWORK, "A", members, diagnostics));
    json_object_set_new(members, "mtu", json_real(1.5));
    CHECK(!intent_parse_object(INTENT_NETWORK, "a", members, diagnostics));
    intent_unref(set);
    json_decref(members);
    diag_destroy(diagnostics);
}

TEST(two_objects_with_one_id_are_refused)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct intent_object *a = intent_object_create(INTENT_NETWORK, "a");
    struct intent_object *b = intent_object_create(INTENT_NETWORK, "b");
    struct str said = STR_INIT;

    b->id = a->id;
    intent_set(set, b);
    intent_set(set, a);
    CHECK(!intent_seal(set, diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(str_text(&said), "networks.b: 'b' and 'a' happen to "
                        "have the same number: rename one\n");
    intent_unref(set);
    diag_destroy(diagnostics);
    str_fini(&said);
}

TESTS(
    RUN(objects_are_in_order_of_name),
    RUN(names_are_looked_up),
    RUN(defaults_are_filled_in),
    RUN(what_is_made_of_names_never_changes),
    RUN(an_object_is_found_by_its_id),
    RUN(long_names_get_a_stable_short_one),
    RUN(a_change_shares_what_stayed),
    RUN(a_file_applied_again_shares_what_it_says_alike),
    RUN(an_object_can_be_removed),
    RUN(a_set_without_what_is_named_is_not_sealed),
    RUN(an_object_that_is_set_again_is_replaced),
    RUN(two_objects_with_one_id_are_refused),
)
