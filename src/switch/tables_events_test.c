/* What the tables tell of their entries: who only listens knows what is there.
 * Random requests, in bundles that commit or not, several to a publish. */
#include "switch/tables.h"

#include "lib/rng.h"
#include "lib/str.h"
#include "unit.h"

enum { N_PRIORITIES = 6, N_PORTS = 3 };

/* What the listener believes. */
struct belief {
    struct tables *t;
    bool is_there[N_PRIORITIES];
    be64 cookie[N_PRIORITIES];
    unsigned int n_events;
};

static void
note(void *belief_, const struct table_event *event)
{
    struct belief *b = belief_;
    uint16_t i = event->entry->priority;

    CHECK(event->kind == ENTRY_ADDED || b->is_there[i]);
    CHECK(event->origin.xid == event->origin.request);
    if (event->kind == ENTRY_REMOVED) {
        CHECK(event->reason == REMOVED_DELETE);
    }
    b->is_there[i] = event->kind != ENTRY_REMOVED;
    b->cookie[i] = event->entry->cookie;
    b->n_events++;
}

static bool
take(void *belief_, const struct flow_entry *e)
{
    struct belief *b = belief_;

    CHECK(b->is_there[e->priority] && b->cookie[e->priority] == e->cookie);
    b->is_there[e->priority] = false;
    return true;
}

static void
compare(const struct belief *b)
{
    struct belief copy = *b;

    tables_visit(b->t, OFPTT_ALL, NULL, take, &copy);
    for (unsigned int i = 0; i < N_PRIORITIES; i++) {
        CHECK(!copy.is_there[i]);
    }
}

static void
random_change(struct tables *t, struct rng *rng, uint32_t number)
{
    const struct table_origin origin = { 1, number, number };
    struct flow_mod fm;

    flow_mod_init(&fm);
    fm.command = rng_below(rng, 5);
    fm.priority = (uint16_t) rng_below(rng, N_PRIORITIES);
    fm.cookie = fm.command == FLOW_MOD_ADD ? htobe64(number) : 0;
    fm.modify_cookie = fm.command == FLOW_MOD_MODIFY
                       || fm.command == FLOW_MOD_MODIFY_STRICT;
    fm.new_cookie = htobe64(number);
    fm.flags = rng_one_in(rng, 3) ? FLOW_MOD_RESET_COUNTS : 0;
    if (fm.command == FLOW_MOD_DELETE) {
        fm.out_port = 1 + rng_below(rng, N_PORTS);
    }
    actions_add_output(&fm.storage[0], 1 + rng_below(rng, N_PORTS));
    flow_mod_seal(&fm);
    tables_set_origin(t, &origin);
    CHECK(!tables_flow_mod(t, &fm, 0, NULL));
    flow_mod_fini(&fm);
}

TEST(who_listens_knows_the_entries)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rng rng = { seed };
        struct belief belief = { 0 };
        struct table_changes changes;
        uint32_t number = 0;

        belief.t = tables_create(&(struct tables_config) {
            .changed = note, .aux = &belief });
        tables_watch(belief.t, true);
        for (unsigned int round = 0; round < 100; round++) {
            bool has_bundle = rng_one_in(&rng, 2);

            if (has_bundle) {
                tables_begin(belief.t);
            }
            for (unsigned int n = rng_below(&rng, 5); n; n--) {
                random_change(belief.t, &rng, ++number);
            }
            if (has_bundle && rng_one_in(&rng, 3)) {
                tables_discard(belief.t);
            } else if (has_bundle) {
                tables_commit(belief.t);
            }
            if (rng_one_in(&rng, 2)) {
                tables_publish(belief.t, &changes);
                compare(&belief);
            }
        }
        CHECK(belief.n_events > 20);
        tables_destroy(belief.t);
    }
}

TEST(who_does_not_listen_is_told_nothing)
{
    struct belief belief = { 0 };
    struct table_changes changes;
    struct rng rng = { 1 };

    belief.t = tables_create(&(struct tables_config) { .changed = note,
                                                       .aux = &belief });
    for (uint32_t i = 1; i < 50; i++) {
        random_change(belief.t, &rng, i);
    }
    tables_publish(belief.t, &changes);
    CHECK(!belief.n_events);
    tables_destroy(belief.t);
}

TESTS(
    RUN(who_listens_knows_the_entries),
    RUN(who_does_not_listen_is_told_nothing),
)
