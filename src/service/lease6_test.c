#include "service/lease6.h"

#include <string.h>

#include "packet/address.h"
#include "service/lease6_record.h"
#include "unit.h"

enum { NOW = 1000, TIME = 100 };

static const struct lease_client one = { 4, { 0, 3, 1, 1 } };
static const struct lease_client two = { 4, { 0, 3, 1, 2 } };

static struct ip6_addr
ip6(const char *text)
{
    struct ip6_addr addr = { { 0 } };

    CHECK(ip6_parse(text, &addr));
    return addr;
}

static bool
nothing_is_planned(void *aux UNUSED, const struct ip6_addr *addr UNUSED)
{
    return false;
}

static struct lease6_subnet
subnet(void)
{
    return (struct lease6_subnet) {
        .prefix = ip6("fd00::"), .len = 64, .gateway = ip6("fd00::1"),
        .seed = 3, .is_planned = nothing_is_planned,
    };
}

static struct lease6_table *
table(void)
{
    const struct lease6_options options = { { 1 }, 4, 2 };

    return lease6_table_create(&options);
}

static struct lease6_holder
holder(const char *port, const struct lease_client *client, uint32_t iaid)
{
    return (struct lease6_holder) { port, client, iaid,
                                    { { 2, 0, 0, 0, 0, 1 } } };
}

static struct ip6_addr
give(struct lease6_table *t, const struct lease6_holder *h,
     struct lease6_changes *changes)
{
    const struct lease6_subnet s = subnet();
    struct lease6_record r = {
        .state = LEASE_BOUND, .expires = NOW + TIME, .mac = h->mac,
        .iaid = h->iaid, .client = *h->client,
    };

    strcpy(r.port, h->port);
    CHECK(!lease6_choose(t, h, &s, NOW, &r.addr));
    lease6_bind(t, h, &r, changes);
    return r.addr;
}

TEST(an_address_follows_from_who_asks)
{
    struct lease6_holder h = holder("p", &one, 1), other = holder("p", &two, 1);
    struct lease6_changes c = { 0 };
    struct lease6_table *t = table(), *again = table();
    struct ip6_addr a = give(t, &h, &c);

    CHECK(ip6_addr_eq(a, give(t, &h, &c)));
    CHECK(!ip6_addr_eq(a, give(t, &other, &c)));
    CHECK(ip6_addr_eq(a, give(again, &h, &c)));
    CHECK(lease6_count(t) == 2);
    lease6_table_destroy(t);
    lease6_table_destroy(again);
}

TEST(a_failed_store_puts_back_what_was)
{
    struct lease6_holder h = holder("p", &one, 1);
    struct lease6_table *t = table();
    struct lease6_changes first = { 0 }, second = { 0 }, gone = { 0 };
    struct lease6_record r;
    struct ip6_addr a = give(t, &h, &first);

    give(t, &h, &second);
    lease6_undo(t, &second.at[0]);
    CHECK(lease6_of(t, &h, NOW, &r) && ip6_addr_eq(r.addr, a));
    CHECK(!lease6_release(t, &h, &a, NOW, &gone));
    CHECK(!lease6_of(t, &h, NOW, &r));
    lease6_undo(t, &gone.at[0]);
    CHECK(lease6_of(t, &h, NOW, &r));
    lease6_table_destroy(t);
}

TEST(a_newer_change_stays_when_an_older_one_fails)
{
    struct lease6_holder h = holder("p", &one, 1);
    struct lease6_table *t = table();
    struct lease6_changes first = { 0 }, second = { 0 };
    struct lease6_record r;

    give(t, &h, &first);
    give(t, &h, &second);
    lease6_undo(t, &first.at[0]);
    CHECK(lease6_of(t, &h, NOW, &r));
    lease6_table_destroy(t);
}

static void
count(const struct lease6_change *change, void *n)
{
    CHECK(change->is_removal);
    ++*(unsigned int *) n;
}

TEST(a_dead_ports_addresses_come_back)
{
    struct lease6_holder a = holder("p", &one, 1), b = holder("p", &one, 2);
    struct lease6_holder c = holder("q", &one, 1);
    struct lease6_table *t = table();
    struct lease6_changes changes = { 0 };
    struct lease6_record r;
    unsigned int n = 0;

    give(t, &a, &changes);
    give(t, &b, &changes);
    give(t, &c, &changes);
    lease6_release_port(t, "p", count, &n);
    CHECK(n == 2 && lease6_count(t) == 1);
    CHECK(lease6_of(t, &c, NOW, &r));
    lease6_table_destroy(t);
}

TEST(what_is_over_is_swept_and_free)
{
    struct lease6_holder h = holder("p", &one, 1);
    struct lease6_table *t = table();
    struct lease6_changes changes = { 0 };
    struct lease6_record r;
    unsigned int n = 0;

    give(t, &h, &changes);
    lease6_sweep(t, NOW + TIME - 1, count, &n);
    CHECK(n == 0 && lease6_of(t, &h, NOW + TIME - 1, &r));
    CHECK(!lease6_of(t, &h, NOW + TIME, &r));
    lease6_sweep(t, NOW + TIME, count, &n);
    CHECK(n == 1 && !lease6_count(t));
    lease6_table_destroy(t);
}

TEST(ports_and_stations_have_their_shares)
{
    struct lease6_table *t = table();
    struct lease6_changes changes = { 0 };
    const struct lease6_subnet s = subnet();
    struct ip6_addr addr;

    for (uint32_t i = 0; i < 4; i++) {
        struct lease6_holder h = holder("p", &one, i);

        h.mac.b[5] = (uint8_t) (1 + i / 2);
        give(t, &h, &changes);
        h.iaid = 100;
        CHECK(lease6_choose(t, &h, &s, NOW, &addr) == (i % 2 ? -EDQUOT : 0));
    }
    /* All of the port's; behind relays nobody's MAC is known. */
    CHECK(lease6_choose(t, &(struct lease6_holder) { "p", &one, 9,
                                                     { { 0 } } },
                        &s, NOW, &addr) == -EDQUOT);
    lease6_table_destroy(t);
}

TEST(a_record_is_what_it_was)
{
    struct lease6_record r = {
        .addr = ip6("fd00::5"), .state = LEASE_BOUND, .expires = 77,
        .mac = { { 2, 0, 0, 0, 0, 9 } }, .iaid = 0x01020304, .port = "web",
        .hostname = "host", .client = one,
    }, again;
    uint8_t bytes[LEASE6_RECORD_MAX];
    size_t len = lease6_record_encode(&r, bytes);

    CHECK(!lease6_record_decode(bytes, len, &again));
    CHECK(ip6_addr_eq(again.addr, r.addr) && again.expires == 77);
    CHECK(again.iaid == r.iaid && !strcmp(again.port, "web"));
    CHECK(!strcmp(again.hostname, "host") && again.client.len == one.len);
    for (size_t i = 0; i < len; i++) {
        CHECK(lease6_record_decode(bytes, i, &again));
    }
    bytes[0]++;
    CHECK(lease6_record_decode(bytes, len, &again) == -EPROTO);
}

TEST(records_that_cannot_be_are_not_taken)
{
    struct lease6_table *t = table();
    struct lease6_record good = {
        .addr = ip6("fd00::5"), .state = LEASE_BOUND, .expires = NOW + 1,
        .port = "p", .client = one,
    }, bad = good;

    bad.port[0] = '\0';
    CHECK(lease6_import(t, &bad) == -EINVAL);
    bad = good;
    bad.client.len = 0;
    CHECK(lease6_import(t, &bad) == -EINVAL);
    bad.state = LEASE_OFFERED;
    CHECK(lease6_import(t, &bad) == -EINVAL);
    CHECK(!lease6_import(t, &good));
    CHECK(lease6_import(t, &good) == -EEXIST);
    good.addr = ip6("fd00::6");
    CHECK(lease6_import(t, &good) == -EEXIST);
    lease6_table_destroy(t);
}

TESTS(
    RUN(an_address_follows_from_who_asks),
    RUN(a_failed_store_puts_back_what_was),
    RUN(a_newer_change_stays_when_an_older_one_fails),
    RUN(a_dead_ports_addresses_come_back),
    RUN(what_is_over_is_swept_and_free),
    RUN(ports_and_stations_have_their_shares),
    RUN(a_record_is_what_it_was),
    RUN(records_that_cannot_be_are_not_taken),
)
