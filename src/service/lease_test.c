#include "service/lease.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "packet/address.h"
#include "unit.h"

enum { NOW = 1000000, HOUR = 3600 };

/* A client as a test names it: its identifier is its name, and its MAC is made
 * of the first letter. */
struct who {
    struct lease_client client;
    struct lease_holder holder;
};

static struct lease_holder *
who(const char *port, const char *name)
{
    static struct who slots[8];
    static unsigned int next;
    struct who *w = &slots[next++ % 8];

    w->client.len = (uint8_t) strlen(name);
    memcpy(w->client.bytes, name, w->client.len);
    w->holder = (struct lease_holder) {
        port, &w->client, { { 2, 0, 0, 0, 0, (uint8_t) name[0] } },
    };
    return &w->holder;
}

static be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

/* 10.0.0.10 to 10.0.0.19. */
static struct lease_table *
table(unsigned int max_per_port)
{
    struct lease_options options = { .key = { 1 },
                                     .max_per_port = max_per_port };
    struct lease_table *t = lease_table_create(&options);
    struct address_span range = { ip4("10.0.0.10"), ip4("10.0.0.19") };

    lease_set_ranges(t, &range, 1, NULL, 0);
    return t;
}

static void
done(struct lease_table *t)
{
    CHECK(lease_table_is_sound(t));
    lease_table_destroy(t);
}

static be32
offer(struct lease_table *t, const struct lease_holder *holder,
      const char *wanted, unix_sec now)
{
    struct lease_changes changes;
    be32 addr = 0;

    if (lease_offer(t, holder, wanted ? ip4(wanted) : 0, now, &addr,
                    &changes)) {
        return 0;
    }
    return addr;
}

static int
bind_at(struct lease_table *t, const struct lease_holder *holder, be32 addr,
        unix_sec now)
{
    struct lease_changes changes;

    return lease_bind(t, holder, addr, NULL, now, now + HOUR, &changes);
}

static be32
bound(struct lease_table *t, const struct lease_holder *holder,
      const char *wanted, unix_sec now)
{
    be32 addr = offer(t, holder, wanted, now);

    CHECK(addr && !bind_at(t, holder, addr, now));
    return addr;
}

static enum lease_state
state_at(const struct lease_table *t, const char *addr, unix_sec now)
{
    struct lease_record r;

    CHECK(lease_lookup(t, ip4(addr), now, &r));
    return r.state;
}

static void
reserve(struct lease_table *t, const char *addr, const char *port,
        const char *client, uint8_t mac)
{
    struct lease_reservation r = { .addr = ip4(addr) };

    if (port) {
        strcpy(r.port, port);
    }
    if (client) {
        r.client.len = (uint8_t) strlen(client);
        memcpy(r.client.bytes, client, r.client.len);
    }
    if (mac) {
        r.mac = (struct eth_addr) { { 2, 0, 0, 0, 0, mac } };
    }
    CHECK(!lease_reserve(t, &r, NULL, NULL));
}

/* What the caller was told. */
struct told {
    unsigned int n_set, n_removed;
    be32 addr;
};

static void
tell(const struct lease_change *change, void *told_)
{
    struct told *told = told_;

    *(change->is_removal ? &told->n_removed : &told->n_set) += 1;
    told->addr = change->record.addr;
}

TEST(a_client_is_offered_a_free_address_and_gets_it)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    struct lease_record r;
    be32 addr = offer(t, who("p1", "a"), NULL, NOW);

    CHECK(addr && lease_lookup(t, addr, NOW, &r));
    CHECK(r.state == LEASE_OFFERED && r.expires == NOW + LEASE_OFFER_HOLD);
    CHECK(!lease_bind(t, who("p1", "a"), addr, "host", NOW, NOW + HOUR,
                      &changes));
    CHECK(changes.n == 1 && !changes.at[0].is_removal);
    CHECK(changes.at[0].record.addr == addr);
    CHECK(changes.at[0].record.state == LEASE_BOUND);
    CHECK(changes.at[0].record.expires == NOW + HOUR);
    CHECK(!strcmp(changes.at[0].record.port, "p1"));
    CHECK(!strcmp(changes.at[0].record.hostname, "host"));
    CHECK(changes.at[0].record.client.len == 1);
    CHECK(lease_of(t, who("p1", "a"), NOW, &r) && r.addr == addr);
    done(t);
}

TEST(the_address_asked_for_is_given_if_it_is_free)
{
    struct lease_table *t = table(0);

    CHECK(offer(t, who("p1", "a"), "10.0.0.15", NOW) == ip4("10.0.0.15"));
    CHECK(offer(t, who("p2", "b"), "10.0.0.15", NOW) != ip4("10.0.0.15"));
    CHECK(offer(t, who("p3", "c"), "10.0.0.5", NOW) != ip4("10.0.0.5"));
    CHECK(offer(t, who("p3", "c"), "10.0.0.5", NOW));
    done(t);
}

TEST(an_offer_is_kept_aside_and_then_returns)
{
    struct lease_table *t = table(0);
    struct lease_record r;

    CHECK(offer(t, who("p1", "a"), "10.0.0.15", NOW));
    CHECK(bind_at(t, who("p2", "b"), ip4("10.0.0.15"),
                  NOW + LEASE_OFFER_HOLD - 1) == -EADDRINUSE);
    CHECK(!bind_at(t, who("p2", "b"), ip4("10.0.0.15"),
                   NOW + LEASE_OFFER_HOLD));
    CHECK(!lease_of(t, who("p1", "a"), NOW, &r));
    done(t);
}

TEST(who_chose_another_server_holds_nothing)
{
    struct lease_table *t = table(0);
    struct lease_record r;

    CHECK(offer(t, who("p1", "a"), "10.0.0.15", NOW));
    lease_withdraw(t, who("p1", "a"));
    CHECK(!lease_of(t, who("p1", "a"), NOW, &r));
    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    lease_withdraw(t, who("p1", "a"));
    CHECK(state_at(t, "10.0.0.15", NOW) == LEASE_BOUND);
    done(t);
}

TEST(a_returning_client_is_offered_its_old_address)
{
    struct lease_table *t = table(0);
    be32 addr = bound(t, who("p1", "a"), "10.0.0.15", NOW);

    CHECK(state_at(t, "10.0.0.15", NOW + HOUR) == LEASE_PAST);
    CHECK(offer(t, who("p1", "a"), "10.0.0.12", NOW + 9 * HOUR) == addr);
    /* And again when that offer came to nothing. */
    lease_sweep(t, NOW + 10 * HOUR, 100, NULL, NULL);
    CHECK(offer(t, who("p1", "a"), NULL, NOW + 11 * HOUR) == addr);
    done(t);
}

TEST(the_oldest_of_past_leases_is_given_away_first)
{
    struct lease_table *t = table(0);
    char name[2] = "a";
    be32 first, second;

    first = bound(t, who("p", "a"), NULL, NOW);
    second = bound(t, who("p", "b"), NULL, NOW + 1);
    for (name[0] = 'c'; name[0] < 'k'; name[0]++) {
        bound(t, who("p", name), NULL, NOW + 2);
    }
    CHECK(!offer(t, who("p", "x"), NULL, NOW + 3));
    CHECK(offer(t, who("p", "x"), NULL, NOW + 1 + HOUR) == first);
    CHECK(offer(t, who("p", "y"), NULL, NOW + 1 + HOUR) == second);
    CHECK(!offer(t, who("p", "z"), NULL, NOW + 1 + HOUR));
    done(t);
}

TEST(two_clones_with_one_identifier_are_two_holders)
{
    struct lease_table *t = table(0);

    CHECK(bound(t, who("p1", "clone"), NULL, NOW)
          != bound(t, who("p2", "clone"), NULL, NOW));
    done(t);
}

TEST(a_holder_has_one_address_and_the_store_is_told_of_the_old_one)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    struct lease_record r;

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    CHECK(!lease_bind(t, who("p1", "a"), ip4("10.0.0.16"), NULL, NOW,
                      NOW + HOUR, &changes));
    CHECK(changes.n == 2);
    CHECK(changes.at[0].is_removal
          && changes.at[0].record.addr == ip4("10.0.0.15"));
    CHECK(!changes.at[1].is_removal
          && changes.at[1].record.addr == ip4("10.0.0.16"));
    CHECK(!lease_lookup(t, ip4("10.0.0.15"), NOW, &r));
    done(t);
}

TEST(a_released_address_is_free_and_still_remembered)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    CHECK(lease_release(t, who("p2", "a"), ip4("10.0.0.15"), NOW, &changes)
          == -ENOENT);
    CHECK(lease_release(t, who("p1", "a"), ip4("10.0.0.16"), NOW, &changes)
          == -ENOENT);
    CHECK(!lease_release(t, who("p1", "a"), ip4("10.0.0.15"), NOW + 5,
                         &changes));
    CHECK(changes.n == 1 && changes.at[0].record.state == LEASE_PAST);
    CHECK(changes.at[0].record.expires == NOW + 5);
    CHECK(lease_release(t, who("p1", "a"), ip4("10.0.0.15"), NOW + 5,
                        &changes) == -ENOENT);
    CHECK(offer(t, who("p1", "a"), NULL, NOW + 6) == ip4("10.0.0.15"));
    lease_withdraw(t, who("p1", "a"));
    CHECK(!bind_at(t, who("p2", "b"), ip4("10.0.0.15"), NOW + 7));
    done(t);
}

TEST(a_declined_address_is_left_alone_and_comes_back)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    be32 addr = bound(t, who("p1", "a"), "10.0.0.15", NOW), other;

    CHECK(!lease_decline(t, who("p1", "a"), addr, NOW, &changes));
    CHECK(changes.n == 1 && changes.at[0].record.state == LEASE_DECLINED);
    CHECK(!changes.at[0].record.client.len);
    CHECK(bind_at(t, who("p1", "a"), addr, NOW + 1) == -EADDRINUSE);
    other = bound(t, who("p1", "a"), "10.0.0.15", NOW + 1);
    CHECK(other != addr);
    CHECK(!bind_at(t, who("p2", "b"), addr, NOW + LEASE_DECLINE_HOLD));
    done(t);
}

TEST(an_offer_can_be_declined_too)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    be32 addr = offer(t, who("p1", "a"), NULL, NOW);

    CHECK(!lease_decline(t, who("p1", "a"), addr, NOW, &changes));
    CHECK(changes.n == 1 && changes.at[0].record.state == LEASE_DECLINED);
    done(t);
}

TEST(a_reserved_address_goes_to_its_client_and_to_nobody_else)
{
    struct lease_table *t = table(0);

    reserve(t, "10.0.0.15", NULL, "vip", 0);
    reserve(t, "10.0.0.200", NULL, NULL, 'm');
    CHECK(offer(t, who("p1", "a"), "10.0.0.15", NOW) != ip4("10.0.0.15"));
    CHECK(bind_at(t, who("p1", "a"), ip4("10.0.0.15"), NOW) == -EADDRINUSE);
    CHECK(offer(t, who("p2", "vip"), "10.0.0.12", NOW) == ip4("10.0.0.15"));
    CHECK(bind_at(t, who("p2", "vip"), ip4("10.0.0.12"), NOW)
          == -EADDRNOTAVAIL);
    CHECK(offer(t, who("p3", "m"), NULL, NOW) == ip4("10.0.0.200"));
    CHECK(!bind_at(t, who("p3", "m"), ip4("10.0.0.200"), NOW));
    CHECK(bind_at(t, who("p4", "q"), ip4("10.0.0.201"), NOW)
          == -EADDRNOTAVAIL);
    done(t);
}

TEST(reservations_are_refused_twice_for_nobody_and_when_unknown)
{
    struct lease_table *t = table(0);
    struct lease_reservation r = { .addr = ip4("10.0.0.15") };

    CHECK(lease_reserve(t, &r, NULL, NULL) == -EINVAL);
    strcpy(r.port, "p1");
    CHECK(!lease_reserve(t, &r, NULL, NULL));
    CHECK(lease_reserve(t, &r, NULL, NULL) == -EEXIST);
    CHECK(lease_unreserve(t, ip4("10.0.0.16")) == -ENOENT);
    CHECK(lease_reserved_for(t, who("p1", "a")) == r.addr);
    CHECK(!lease_unreserve(t, r.addr));
    CHECK(!lease_reserved_for(t, who("p1", "a")));
    CHECK(offer(t, who("p2", "b"), "10.0.0.15", NOW) == r.addr);
    done(t);
}

/* A boot ROM and the system that it loads: one MAC, two identifiers. */
TEST(a_ports_planned_address_goes_to_whoever_asks_by_the_port)
{
    struct lease_table *t = table(0);

    reserve(t, "10.0.0.15", "p1", NULL, 'r');
    CHECK(bound(t, who("p1", "rom"), NULL, NOW) == ip4("10.0.0.15"));
    CHECK(bound(t, who("p1", "real"), NULL, NOW) == ip4("10.0.0.15"));
    /* A nested guest has another MAC, and another address. */
    CHECK(bound(t, who("p1", "nested"), NULL, NOW) != ip4("10.0.0.15"));
    /* The same MAC elsewhere does not help. */
    CHECK(bound(t, who("p2", "rogue"), NULL, NOW) != ip4("10.0.0.15"));
    done(t);
}

TEST(who_has_an_address_loses_it_when_it_is_planned_for_another)
{
    struct lease_table *t = table(0);
    struct lease_reservation r = { .addr = ip4("10.0.0.15"), .port = "p2" };
    struct told told = { 0 };

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    CHECK(!lease_reserve(t, &r, tell, &told));
    CHECK(told.n_removed == 1 && told.addr == r.addr);
    CHECK(bind_at(t, who("p1", "a"), r.addr, NOW) == -EADDRINUSE);
    CHECK(bound(t, who("p2", "b"), NULL, NOW) == r.addr);
    /* A second plan for the same client: its lease stays until it renews. */
    reserve(t, "10.0.0.12", NULL, "c", 0);
    CHECK(bound(t, who("p3", "c"), NULL, NOW) == ip4("10.0.0.12"));
    done(t);
}

TEST(a_client_with_a_new_plan_is_moved_when_it_asks_again)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    be32 addr;

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    reserve(t, "10.0.0.12", "p1", NULL, 0);
    CHECK(bind_at(t, who("p1", "a"), ip4("10.0.0.15"), NOW)
          == -EADDRNOTAVAIL);
    CHECK(!lease_offer(t, who("p1", "a"), ip4("10.0.0.15"), NOW, &addr,
                       &changes));
    CHECK(addr == ip4("10.0.0.12"));
    CHECK(changes.n == 1 && changes.at[0].is_removal);
    CHECK(changes.at[0].record.addr == ip4("10.0.0.15"));
    done(t);
}

TEST(a_reservation_by_mac_that_another_port_uses_is_not_taken_away)
{
    struct lease_table *t = table(0);

    reserve(t, "10.0.0.15", NULL, NULL, 'm');
    CHECK(bound(t, who("p1", "m1"), NULL, NOW) == ip4("10.0.0.15"));
    CHECK(bound(t, who("p2", "m2"), NULL, NOW) != ip4("10.0.0.15"));
    CHECK(bound(t, who("p1", "m3"), NULL, NOW) == ip4("10.0.0.15"));
    done(t);
}

TEST(a_planned_address_is_not_put_into_quarantine)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;

    reserve(t, "10.0.0.15", "p1", NULL, 0);
    bound(t, who("p1", "a"), NULL, NOW);
    CHECK(!lease_decline(t, who("p1", "a"), ip4("10.0.0.15"), NOW, &changes));
    CHECK(changes.n == 1 && changes.at[0].is_removal);
    CHECK(bound(t, who("p1", "a"), NULL, NOW) == ip4("10.0.0.15"));
    CHECK(!lease_release(t, who("p1", "a"), ip4("10.0.0.15"), NOW, &changes));
    CHECK(changes.n == 1 && changes.at[0].is_removal);
    done(t);
}

TEST(one_port_cannot_use_up_the_network)
{
    struct lease_table *t = table(3);
    struct lease_changes changes;
    be32 addr;

    CHECK(offer(t, who("p1", "a"), NULL, NOW));
    bound(t, who("p1", "b"), NULL, NOW);
    addr = bound(t, who("p1", "c"), NULL, NOW);
    CHECK(lease_offer(t, who("p1", "d"), 0, NOW, &addr, &changes)
          == -EDQUOT);
    CHECK(bind_at(t, who("p1", "d"), ip4("10.0.0.19"), NOW) == -EDQUOT);
    CHECK(offer(t, who("p2", "d"), NULL, NOW));
    /* A declined one counts. */
    CHECK(!lease_decline(t, who("p1", "c"), addr, NOW, &changes));
    CHECK(lease_offer(t, who("p1", "d"), 0, NOW, &addr, &changes)
          == -EDQUOT);
    /* An offer that is over does not. */
    CHECK(offer(t, who("p1", "d"), NULL, NOW + LEASE_OFFER_HOLD));
    done(t);
}

TEST(a_port_that_comes_under_ever_new_names_is_forgotten_in_time)
{
    struct lease_table *t = table(2);
    struct told told = { 0 };
    struct lease_changes changes;
    char name[8];

    for (unsigned int i = 0; i < 50; i++) {
        be32 addr;

        snprintf(name, sizeof name, "n%u", i);
        addr = bound(t, who("p1", name), NULL, NOW);
        CHECK(!lease_release(t, who("p1", name), addr, NOW, &changes));
        lease_sweep(t, NOW, 10, tell, &told);
        CHECK(lease_table_counts(t).n_leases <= 3);
    }
    CHECK(told.n_removed >= 40);
    done(t);
}

TEST(addresses_of_a_dead_port_come_back)
{
    struct lease_table *t = table(0);
    struct lease_changes changes;
    struct told told = { 0 };
    char name[2] = "a";

    for (; name[0] < 'k'; name[0]++) {
        bound(t, who("p1", name), NULL, NOW);
    }
    CHECK(!lease_decline(t, who("p1", "a"),
                         offer(t, who("p1", "a"), NULL, NOW), NOW,
                         &changes));
    CHECK(!offer(t, who("p2", "x"), NULL, NOW));
    lease_release_port(t, "p1", tell, &told);
    CHECK(told.n_removed == 10 && !told.n_set);
    CHECK(!lease_table_counts(t).n_leases);
    CHECK(lease_table_counts(t).n_untouched == 10);
    CHECK(offer(t, who("p2", "x"), NULL, NOW));
    lease_release_port(t, "nobody", tell, &told);
    CHECK(told.n_removed == 10);
    done(t);
}

TEST(leases_outside_of_new_ranges_are_not_renewed)
{
    struct lease_table *t = table(0);
    struct address_span range = { ip4("10.0.0.10"), ip4("10.0.0.30") };
    struct address_span hole = { ip4("10.0.0.15"), ip4("10.0.0.15") };
    struct told told = { 0 };

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    bound(t, who("p2", "b"), "10.0.0.16", NOW);
    lease_set_ranges(t, &range, 1, &hole, 1);
    CHECK(bind_at(t, who("p1", "a"), ip4("10.0.0.15"), NOW)
          == -EADDRNOTAVAIL);
    CHECK(!bind_at(t, who("p2", "b"), ip4("10.0.0.16"), NOW));
    CHECK(offer(t, who("p3", "c"), "10.0.0.16", NOW) != ip4("10.0.0.16"));
    CHECK(offer(t, who("p1", "a"), "10.0.0.15", NOW) != ip4("10.0.0.15"));
    /* What is past when the ranges leave it is swept out of the store. */
    lease_set_ranges(t, &range, 1, &hole, 1);
    bound(t, who("p2", "b"), "10.0.0.16", NOW);
    hole.first = hole.last = ip4("10.0.0.16");
    lease_sweep(t, NOW + HOUR, 10, tell, &told);
    lease_set_ranges(t, &range, 1, &hole, 1);
    lease_sweep(t, NOW + HOUR, 10, tell, &told);
    CHECK(told.n_removed == 1 && told.addr == ip4("10.0.0.16"));
    done(t);
}

TEST(a_full_table_gives_away_what_is_past_and_then_says_so)
{
    struct lease_options options = { .max_leases = 2 };
    struct lease_table *t = lease_table_create(&options);
    struct address_span range = { ip4("10.0.0.10"), ip4("10.0.0.99") };
    struct lease_changes changes;
    be32 addr;

    lease_set_ranges(t, &range, 1, NULL, 0);
    addr = bound(t, who("p1", "a"), NULL, NOW);
    bound(t, who("p1", "b"), NULL, NOW);
    CHECK(lease_offer(t, who("p1", "c"), 0, NOW, &addr, &changes)
          == -ENOSPC);
    CHECK(bind_at(t, who("p1", "c"), ip4("10.0.0.98"), NOW) == -ENOSPC);
    CHECK(!lease_release(t, who("p1", "a"),
                         offer(t, who("p1", "a"), NULL, NOW), NOW,
                         &changes));
    CHECK(offer(t, who("p1", "c"), "10.0.0.77", NOW));
    CHECK(lease_table_counts(t).n_leases == 2);
    done(t);
}

TEST(a_store_that_failed_leaves_what_was_before)
{
    struct lease_table *t = table(0);
    struct lease_changes one, two;
    struct lease_record r;
    be32 addr = offer(t, who("p1", "a"), "10.0.0.15", NOW);

    /* The first ACK: back to the offer. */
    CHECK(!lease_bind(t, who("p1", "a"), addr, NULL, NOW, NOW + HOUR, &one));
    lease_undo(t, &one.at[0]);
    CHECK(state_at(t, "10.0.0.15", NOW) == LEASE_OFFERED);

    /* A renewal: back to the old end. */
    CHECK(!lease_bind(t, who("p1", "a"), addr, NULL, NOW, NOW + HOUR, &one));
    CHECK(!lease_bind(t, who("p1", "a"), addr, NULL, NOW + 9,
                      NOW + 9 + HOUR, &two));
    lease_undo(t, &two.at[0]);
    CHECK(lease_lookup(t, addr, NOW, &r) && r.expires == NOW + HOUR);

    /* A move: back to the old address, the newest first. */
    CHECK(!lease_bind(t, who("p1", "a"), ip4("10.0.0.12"), NULL, NOW,
                      NOW + HOUR, &one));
    CHECK(one.n == 2);
    lease_undo(t, &one.at[1]);
    lease_undo(t, &one.at[0]);
    CHECK(lease_of(t, who("p1", "a"), NOW, &r) && r.addr == addr);
    CHECK(!lease_lookup(t, ip4("10.0.0.12"), NOW, &r));

    /* A move that was only offered: the offer goes. */
    reserve(t, "10.0.0.12", "p1", NULL, 0);
    CHECK(!lease_offer(t, who("p1", "a"), 0, NOW, &addr, &one) && one.n == 1);
    lease_undo(t, &one.at[0]);
    CHECK(!lease_unreserve(t, ip4("10.0.0.12")));
    addr = ip4("10.0.0.15");
    CHECK(lease_of(t, who("p1", "a"), NOW, &r) && r.addr == addr);
    CHECK(r.state == LEASE_BOUND);

    /* A release. */
    CHECK(!lease_release(t, who("p1", "a"), addr, NOW, &one));
    lease_undo(t, &one.at[0]);
    CHECK(state_at(t, "10.0.0.15", NOW) == LEASE_BOUND);
    /* A decline. */
    CHECK(!lease_decline(t, who("p1", "a"), addr, NOW, &one));
    lease_undo(t, &one.at[0]);
    CHECK(lease_of(t, who("p1", "a"), NOW, &r) && r.state == LEASE_BOUND);
    done(t);
}

TEST(an_undo_does_not_touch_what_changed_since)
{
    struct lease_table *t = table(0);
    struct lease_changes one, two;
    struct lease_record r;
    be32 addr = offer(t, who("p1", "a"), "10.0.0.15", NOW);

    CHECK(!lease_bind(t, who("p1", "a"), addr, NULL, NOW, NOW + HOUR, &one));
    CHECK(!lease_bind(t, who("p1", "a"), addr, NULL, NOW, NOW + 2 * HOUR,
                      &two));
    lease_undo(t, &one.at[0]);
    CHECK(lease_lookup(t, addr, NOW, &r) && r.expires == NOW + 2 * HOUR);

    /* Removed, and given to another meanwhile. */
    CHECK(!lease_bind(t, who("p1", "a"), ip4("10.0.0.12"), NULL, NOW,
                      NOW + HOUR, &one));
    CHECK(!bind_at(t, who("p2", "b"), addr, NOW));
    lease_undo(t, &one.at[0]);
    CHECK(lease_lookup(t, addr, NOW, &r) && !strcmp(r.port, "p2"));
    done(t);
}

TEST(an_undo_never_gives_a_holder_a_second_address)
{
    struct lease_table *t = table(0);
    struct lease_changes one;
    struct told told = { 0 };
    struct lease_record r;

    bound(t, who("p1", "a"), "10.0.0.15", NOW);
    CHECK(!lease_release(t, who("p1", "a"), ip4("10.0.0.15"), NOW, &one));
    CHECK(!bind_at(t, who("p1", "b"), ip4("10.0.0.15"), NOW));
    CHECK(!lease_release(t, who("p1", "b"), ip4("10.0.0.15"), NOW, &one));
    CHECK(!lease_bind(t, who("p1", "a"), ip4("10.0.0.15"), NULL, NOW,
                      NOW + HOUR, &one));
    CHECK(!bind_at(t, who("p1", "b"), ip4("10.0.0.16"), NOW));
    lease_undo(t, &one.at[0]);    /* Was b's once. */
    CHECK(lease_of(t, who("p1", "b"), NOW, &r));
    CHECK(r.addr == ip4("10.0.0.16"));
    lease_sweep(t, NOW, 10, tell, &told);
    CHECK(told.n_removed == 1 && told.addr == ip4("10.0.0.15"));
    done(t);
}

TEST(leases_outlive_the_process)
{
    struct lease_table *t = table(0), *next = table(0);
    struct lease_changes changes;
    struct lease_record r;
    be32 addr = offer(t, who("p1", "a"), NULL, NOW);

    CHECK(!lease_bind(t, who("p1", "a"), addr, "h", NOW, NOW + HOUR,
                      &changes));
    CHECK(!lease_import(next, &changes.at[0].record, NOW + 60));
    CHECK(lease_of(next, who("p1", "a"), NOW + 60, &r));
    CHECK(r.addr == addr && r.state == LEASE_BOUND);
    CHECK(r.expires == NOW + HOUR && !strcmp(r.hostname, "h"));
    CHECK(lease_import(next, &changes.at[0].record, NOW) == -EEXIST);
    /* What is over is remembered. */
    changes.at[0].record.addr = ip4("10.0.0.11");
    changes.at[0].record.client.bytes[0] = 'b';
    changes.at[0].record.expires = NOW;
    CHECK(!lease_import(next, &changes.at[0].record, NOW + 60));
    CHECK(offer(next, who("p1", "b"), NULL, NOW + 60) == ip4("10.0.0.11"));
    done(t);
    done(next);
}

TEST(records_that_contradict_are_settled_or_refused)
{
    struct lease_table *t = table(0);
    struct lease_record r = {
        .addr = ip4("10.0.0.15"), .state = LEASE_BOUND,
        .expires = NOW + HOUR, .port = "p1", .client = { 1, { 'a' } },
    };
    struct lease_record bad = r;
    struct told told = { 0 };

    bad.state = LEASE_OFFERED;
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);
    bad.state = 7;
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);
    bad = r;
    bad.port[0] = '\0';
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);
    bad = r;
    bad.client.len = 0;
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);
    bad = r;
    bad.addr = 0;
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);
    bad = r;
    memset(bad.hostname, 'x', sizeof bad.hostname);
    CHECK(lease_import(t, &bad, NOW) == -EINVAL);

    /* One holder twice: what lasts longer counts. */
    CHECK(!lease_import(t, &r, NOW));
    r.addr = ip4("10.0.0.16");
    r.expires++;
    CHECK(!lease_import(t, &r, NOW));
    r.addr = ip4("10.0.0.17");
    r.expires = NOW + 5;
    CHECK(!lease_import(t, &r, NOW));
    CHECK(lease_of(t, who("p1", "a"), NOW, &r));
    CHECK(r.addr == ip4("10.0.0.16"));
    /* Planned for another meanwhile. */
    reserve(t, "10.0.0.18", "p9", NULL, 0);
    r.addr = ip4("10.0.0.18");
    r.client.bytes[0] = 'z';
    CHECK(!lease_import(t, &r, NOW));
    CHECK(bound(t, who("p9", "q"), NULL, NOW) == ip4("10.0.0.18"));
    lease_sweep(t, NOW, 10, tell, &told);
    CHECK(told.n_removed == 2);
    done(t);
}

static void
count_each(const struct lease_record *r, void *n)
{
    CHECK(r->addr);
    ++*(unsigned int *) n;
}

TEST(all_leases_can_be_listed_and_counted)
{
    struct lease_table *t = table(0);
    struct lease_counts counts;
    unsigned int n = 0;

    reserve(t, "10.0.0.19", "p9", NULL, 0);
    bound(t, who("p1", "a"), NULL, NOW);
    offer(t, who("p1", "b"), NULL, NOW);
    lease_for_each(t, NOW, count_each, &n);
    counts = lease_table_counts(t);
    CHECK(n == 2 && counts.n_leases == 2);
    CHECK(counts.n_bound == 1 && counts.n_offered == 1);
    CHECK(counts.n_addresses == 10 && counts.n_untouched == 7);
    CHECK(counts.n_reserved == 1);
    done(t);
}

/* --- Anything, in any order --------------------------------------------- */

enum { N_CLIENTS = 12, N_PORTS = 3 };

/* What the clients believe, beside the table: the naive twin. */
struct belief {
    be32 addr;                    /* of the newest ACK; 0: none */
    unix_sec until;
};

static void
check_beliefs(const struct belief *b, unix_sec now, unsigned int step)
{
    for (unsigned int i = 0; i < N_CLIENTS; i++) {
        for (unsigned int j = 0; j < i; j++) {
            CHECK_MSG(!b[i].addr || b[i].addr != b[j].addr
                      || b[i].until <= now || b[j].until <= now,
                      "step %u: clients %u and %u", step, i, j);
        }
    }
}

TEST(no_two_clients_ever_believe_in_one_address)
{
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct rng rng = { seed };
        struct lease_table *t = table(seed % 3 ? 6 : 0);
        struct belief belief[N_CLIENTS] = { { 0 } };
        unix_sec now = NOW;

        for (unsigned int step = 0; step < 1500; step++) {
            static const char *const ports[] = { "p0", "p1", "p2" };
            unsigned int i = rng_below(&rng, N_CLIENTS);
            char name[2] = { (char) ('a' + i) };
            struct lease_holder *h = who(ports[i % N_PORTS], name);
            be32 addr = htobe32(0x0a000008 + rng_below(&rng, 14));
            struct lease_changes changes = { .n = 0 };
            struct told told = { 0 };

            switch (rng_below(&rng, 12)) {
            case 0: case 1: case 2:
                /* Who has a lease does not discover: it forgets the other. */
                if (!lease_offer(t, h, addr, now, &addr, &changes)
                    && addr != belief[i].addr) {
                    belief[i].addr = 0;
                }
                if (rng_below(&rng, 3)) {
                    addr = belief[i].addr ? belief[i].addr : addr;
                }
                /* fall through */
            case 3: case 4:
                if (!lease_bind(t, h, addr, NULL, now, now + 100,
                                &changes)) {
                    if (rng_one_in(&rng, 4)) {    /* The store fails. */
                        while (changes.n) {
                            lease_undo(t, &changes.at[--changes.n]);
                        }
                    } else {
                        belief[i] = (struct belief) { addr, now + 100 };
                    }
                }
                break;
            case 5:
                if (!lease_release(t, h, belief[i].addr, now, &changes)) {
                    belief[i].addr = 0;
                }
                break;
            case 6:
                if (!lease_decline(t, h, addr, now, &changes)
                    && belief[i].addr == addr) {
                    belief[i].addr = 0;
                }
                break;
            case 7:
                lease_sweep(t, now, rng_below(&rng, 5), tell, &told);
                break;
            case 8:
                now += rng_below(&rng, 60);
                break;
            case 9:
                if (rng_one_in(&rng, 20)) {
                    unsigned int p = rng_below(&rng, N_PORTS);

                    lease_release_port(t, ports[p], tell, &told);
                    for (unsigned int j = p; j < N_CLIENTS; j += N_PORTS) {
                        belief[j].addr = 0;
                    }
                }
                break;
            case 10:
                lease_withdraw(t, h);
                break;
            default:
                if (rng_one_in(&rng, 30)) {
                    struct lease_reservation r = { .addr = addr };

                    strcpy(r.port, ports[rng_below(&rng, N_PORTS)]);
                    r.mac.b[0] = 2;
                    r.mac.b[5] = (uint8_t) ('a' + rng_below(&rng, N_CLIENTS));
                    if (!lease_reserve(t, &r, tell, &told)) {
                        /* Static wins: whoever had it is cut off. */
                        for (unsigned int j = 0; j < N_CLIENTS; j++) {
                            if (belief[j].addr == addr) {
                                belief[j].addr = 0;
                            }
                        }
                    }
                } else if (rng_one_in(&rng, 10)) {
                    lease_unreserve(t, addr);
                }
            }
            CHECK_MSG(lease_table_is_sound(t), "seed %u, step %u",
                      (unsigned int) seed, step);
            check_beliefs(belief, now, step);
        }
        done(t);
    }
}

TESTS(
    RUN(a_client_is_offered_a_free_address_and_gets_it),
    RUN(the_address_asked_for_is_given_if_it_is_free),
    RUN(an_offer_is_kept_aside_and_then_returns),
    RUN(who_chose_another_server_holds_nothing),
    RUN(a_returning_client_is_offered_its_old_address),
    RUN(the_oldest_of_past_leases_is_given_away_first),
    RUN(two_clones_with_one_identifier_are_two_holders),
    RUN(a_holder_has_one_address_and_the_store_is_told_of_the_old_one),
    RUN(a_released_address_is_free_and_still_remembered),
    RUN(a_declined_address_is_left_alone_and_comes_back),
    RUN(an_offer_can_be_declined_too),
    RUN(a_reserved_address_goes_to_its_client_and_to_nobody_else),
    RUN(reservations_are_refused_twice_for_nobody_and_when_unknown),
    RUN(a_ports_planned_address_goes_to_whoever_asks_by_the_port),
    RUN(who_has_an_address_loses_it_when_it_is_planned_for_another),
    RUN(a_client_with_a_new_plan_is_moved_when_it_asks_again),
    RUN(a_reservation_by_mac_that_another_port_uses_is_not_taken_away),
    RUN(a_planned_address_is_not_put_into_quarantine),
    RUN(one_port_cannot_use_up_the_network),
    RUN(a_port_that_comes_under_ever_new_names_is_forgotten_in_time),
    RUN(addresses_of_a_dead_port_come_back),
    RUN(leases_outside_of_new_ranges_are_not_renewed),
    RUN(a_full_table_gives_away_what_is_past_and_then_says_so),
    RUN(a_store_that_failed_leaves_what_was_before),
    RUN(an_undo_does_not_touch_what_changed_since),
    RUN(an_undo_never_gives_a_holder_a_second_address),
    RUN(leases_outlive_the_process),
    RUN(records_that_contradict_are_settled_or_refused),
    RUN(all_leases_can_be_listed_and_counted),
    RUN(no_two_clients_ever_believe_in_one_address),
)
