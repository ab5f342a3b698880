/* The tables against a model that keeps a plain array and reads like the
 * specification. */
#include "switch/tables.h"

#include "lib/rcu.h"
#include "lib/rng.h"
#include "lib/str.h"
#include "unit.h"

/* ---- Requests in short ---- */

struct request {
    struct flow_mod fm;
};

/* Everything but the match; the action outputs to `port`, 0: none. */
static void
request_init(struct request *r, enum flow_mod_command command,
             uint16_t priority, uint32_t port)
{
    flow_mod_init(&r->fm);
    r->fm.command = command;
    r->fm.priority = priority;
    if (port) {
        actions_add_output(&r->fm.storage[0], port);
    }
    flow_mod_seal(&r->fm);
}

static void
request_dst(struct request *r, uint32_t dst, unsigned int prefix_len)
{
    match_set(&r->fm.match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&r->fm.match, FIELD_IPV4_DST, dst,
              prefix_len ? (u128) UINT32_MAX << (32 - prefix_len)
                           & UINT32_MAX : 0);
}

static enum of_error
request_send(struct tables *t, struct request *r, msec now)
{
    enum of_error error = tables_flow_mod(t, &r->fm, now, NULL);

    flow_mod_fini(&r->fm);
    return error;
}

static enum of_error
add_dst(struct tables *t, uint16_t priority, uint32_t dst,
        unsigned int prefix_len, uint32_t port)
{
    struct request r;

    request_init(&r, FLOW_MOD_ADD, priority, port);
    request_dst(&r, dst, prefix_len);
    return request_send(t, &r, 0);
}

static enum of_error
delete_all(struct tables *t)
{
    struct request r;

    request_init(&r, FLOW_MOD_DELETE, 0, 0);
    r.fm.table = OFPTT_ALL;
    return request_send(t, &r, 0);
}

static uint32_t
output_of(const struct flow_entry *e)
{
    const struct action_output *output =
        (const void *) e->instructions.apply.first;

    return e->instructions.apply.len ? output->port : 0;
}

static const struct flow_entry *
look(const struct tables *t, uint64_t version, uint32_t dst)
{
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    field_set(field_by_id(FIELD_ETH_TYPE), &flow, 0x0800, 0xffff);
    field_set(field_by_id(FIELD_IPV4_DST), &flow, dst, UINT32_MAX);
    return tables_lookup(t, 0, version, &flow, NULL);
}

/* The port that a packet to `dst` goes to by what is visible; 0: none. */
static uint32_t
port_of(const struct tables *t, uint32_t dst)
{
    const struct flow_entry *e = look(t, tables_version(t), dst);

    return e ? output_of(e) : 0;
}

static void
publish(struct tables *t)
{
    struct table_changes changes;

    tables_publish(t, &changes);
}

static struct tables *
create(void)
{
    return tables_create(&(struct tables_config) { .max_entries = 0 });
}

/* Lets what was removed go: grace periods pass only when we say so. */
static void
settle(struct tables *t)
{
    for (unsigned int i = 0; i < 3; i++) {
        rcu_quiescent();
        rcu_flush();
        tables_expire(t, 0);
    }
}

/* ---- The model ---- */

enum { MODEL_MAX = 400 };

struct model_entry {
    struct match match;
    uint8_t table;
    uint16_t priority;
    be64 cookie;
    uint32_t port;
    uint64_t packets;
};

struct model {
    unsigned int n;
    struct model_entry list[MODEL_MAX];
};

static bool
model_takes(const struct model_entry *e, const struct flow_mod *fm,
            uint32_t out_port_filter)
{
    bool is_strict = fm->command == FLOW_MOD_MODIFY_STRICT ||
                     fm->command == FLOW_MOD_DELETE_STRICT;

    return (fm->table == OFPTT_ALL || fm->table == e->table) &&
           !((e->cookie ^ fm->cookie) & fm->cookie_mask) &&
           (out_port_filter == OFPP_ANY || out_port_filter == e->port) &&
           (is_strict ? e->priority == fm->priority &&
                        match_equal(&e->match, &fm->match)
                      : match_covers(&fm->match, &e->match));
}

static void
model_add(struct model *m, const struct flow_mod *fm, uint32_t port)
{
    uint64_t packets = 0;
    unsigned int i;

    for (i = 0; i < m->n; i++) {
        if (m->list[i].table == fm->table &&
            m->list[i].priority == fm->priority &&
            match_equal(&m->list[i].match, &fm->match)) {
            packets = fm->flags & FLOW_MOD_RESET_COUNTS
                      ? 0 : m->list[i].packets;
            break;
        }
    }
    m->n += i == m->n;
    m->list[i] = (struct model_entry) { fm->match, fm->table, fm->priority,
                                        fm->cookie, port, packets };
}

static void
model_apply(struct model *m, const struct flow_mod *fm, uint32_t port)
{
    if (fm->command == FLOW_MOD_ADD) {
        model_add(m, fm, port);
        return;
    }
    for (unsigned int i = 0; i < m->n;) {
        struct model_entry *e = &m->list[i];
        bool deletes = fm->command == FLOW_MOD_DELETE ||
                       fm->command == FLOW_MOD_DELETE_STRICT;

        if (!model_takes(e, fm, deletes ? fm->out_port : OFPP_ANY)) {
            i++;
        } else if (deletes) {
            *e = m->list[--m->n];
        } else {
            e->port = port;
            e->cookie = fm->modify_cookie ? fm->new_cookie : e->cookie;
            e->packets = fm->flags & FLOW_MOD_RESET_COUNTS ? 0 : e->packets;
            i++;
        }
    }
}

struct compare {
    struct model *m;
    unsigned int n;
    int table, priority;
};

static bool
compare_entry(void *compare_, const struct flow_entry *e)
{
    struct compare *c = compare_;
    struct match match;
    unsigned int i;

    CHECK(e->table > c->table ||
          (e->table == c->table && e->priority <= c->priority));
    c->table = e->table;
    c->priority = e->priority;
    flow_entry_match(e, &match);
    for (i = 0; i < c->m->n; i++) {
        const struct model_entry *me = &c->m->list[i];

        if (me->table == e->table && me->priority == e->priority &&
            match_equal(&me->match, &match)) {
            break;
        }
    }
    CHECK(i < c->m->n);
    CHECK(c->m->list[i].cookie == e->cookie);
    CHECK(c->m->list[i].port == output_of(e));
    CHECK(c->m->list[i].packets == e->credit.packets);
    c->n++;
    return true;
}

static void
compare_all(struct tables *t, struct model *m)
{
    struct compare c = { m, 0, -1, 0 };

    tables_visit(t, OFPTT_ALL, NULL, compare_entry, &c);
    CHECK(c.n == m->n);
    CHECK(tables_stats(t, 0)->n_entries + tables_stats(t, 3)->n_entries
          == m->n);
}

/* Some packets for some visible entries. */
static void
credit_some(struct tables *t, struct model *m, struct rng *rng)
{
    for (unsigned int n = rng_below(rng, 4); n > 0 && m->n; n--) {
        struct model_entry *me = &m->list[rng_below(rng, m->n)];
        const struct flow_entry *e =
            tables_lookup(t, me->table, tables_version(t), &me->match.value,
                          NULL);

        /* The packet of zeros may belong to an entry above. */
        if (e && e->priority == me->priority) {
            struct match match;

            flow_entry_match(e, &match);
            if (match_equal(&match, &me->match)) {
                CHECK(tables_entry(t, e->id) == e);
                atomic_fetch_add(&tables_entry(t, e->id)->credit.packets, 5);
                me->packets += 5;
            }
        }
    }
}

static uint32_t
random_request(struct rng *rng, struct request *r)
{
    static const unsigned int lengths[] = { 0, 8, 24, 32 };
    uint32_t port = 1 + rng_below(rng, 5);
    enum flow_mod_command command =
        rng_below(rng, 2) ? FLOW_MOD_ADD : rng_below(rng, 5);

    request_init(r, command, (uint16_t) rng_below(rng, 4), port);
    r->fm.table = rng_below(rng, 2) ? 0 : 3;
    if (command == FLOW_MOD_DELETE && rng_one_in(rng, 3)) {
        r->fm.table = OFPTT_ALL;
    }
    if (!rng_one_in(rng, 30)) {
        request_dst(r, 0x0a000000 + rng_below(rng, 4),
                    lengths[rng_below(rng, 4)]);
    }
    if (rng_below(rng, 2)) {
        match_set(&r->fm.match, FIELD_IN_PORT, rng_below(rng, 3), UINT32_MAX);
    }
    r->fm.cookie = rng_below(rng, 4);
    if (command != FLOW_MOD_ADD && rng_below(rng, 2)) {
        r->fm.cookie_mask = rng_below(rng, 4);
    }
    r->fm.modify_cookie = rng_below(rng, 2);
    r->fm.new_cookie = rng_below(rng, 4);
    if (rng_one_in(rng, 3)) {
        r->fm.out_port = 1 + rng_below(rng, 5);
    }
    if (rng_one_in(rng, 4)) {
        r->fm.flags |= FLOW_MOD_RESET_COUNTS;
    }
    return port;
}

static void
random_requests(struct tables *t, struct model *m, struct rng *rng)
{
    for (unsigned int n = rng_below(rng, 12); n > 0; n--) {
        struct request r;
        uint32_t port = random_request(rng, &r);

        model_apply(m, &r.fm, port);
        CHECK(request_send(t, &r, 0) == OF_OK);
    }
}

TEST(requests_do_what_the_model_does)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng rng = { seed };
        struct tables *t = create();
        struct model *m = xzalloc(sizeof *m);
        struct model *before = xzalloc(sizeof *m);

        for (unsigned int i = 0; i < 60; i++) {
            bool has_bundle = rng_below(&rng, 2);

            *before = *m;
            if (has_bundle) {
                tables_begin(t);
            }
            random_requests(t, m, &rng);
            if (has_bundle && rng_below(&rng, 2)) {
                tables_discard(t);
                *m = *before;
                CHECK(!tables_pending(t));
            } else if (has_bundle) {
                tables_commit(t);
            }
            publish(t);
            compare_all(t, m);
            credit_some(t, m, &rng);
            if (rng_one_in(&rng, 20)) {
                settle(t);
                compare_all(t, m);
            }
        }
        delete_all(t);
        publish(t);
        settle(t);
        CHECK(tables_memory(t) < 200000);
        tables_destroy(t);
        free(m);
        free(before);
    }
}

/* ---- Versions and bundles ---- */

TEST(nothing_is_visible_before_it_is_published)
{
    struct tables *t = create();
    struct table_changes changes;

    CHECK(!tables_pending(t));
    CHECK(add_dst(t, 10, 0x0a000001, 32, 1) == OF_OK);
    CHECK(tables_pending(t));
    CHECK(port_of(t, 0x0a000001) == 0);
    tables_publish(t, &changes);
    CHECK(port_of(t, 0x0a000001) == 1);
    CHECK(changes.n == 1 && !changes.everything);
    CHECK(changes.version == tables_version(t));
    CHECK(field_get(field_by_id(FIELD_IPV4_DST),
                    &changes.list[0].match->value) == 0x0a000001);
    CHECK(!tables_pending(t));
    tables_publish(t, &changes);
    CHECK(changes.n == 0);
    tables_destroy(t);
}

TEST(an_old_version_sees_what_was)
{
    struct tables *t = create();
    uint64_t old;

    add_dst(t, 10, 0x0a000001, 32, 1);
    add_dst(t, 10, 0x0a000002, 32, 2);
    publish(t);
    old = tables_version(t);
    add_dst(t, 10, 0x0a000001, 32, 7);
    CHECK(delete_all(t) == OF_OK);
    add_dst(t, 5, 0, 0, 9);
    publish(t);
    publish(t);
    CHECK(output_of(look(t, old, 0x0a000001)) == 1);
    CHECK(output_of(look(t, old, 0x0a000002)) == 2);
    CHECK(!look(t, old, 0x0a000003));
    CHECK(port_of(t, 0x0a000001) == 9);
    settle(t);
    CHECK(!look(t, old, 0x0a000002));
    tables_destroy(t);
}

TEST(a_bundle_is_visible_whole_or_not_at_all)
{
    struct tables *t = create();
    size_t memory;

    add_dst(t, 10, 0x0a000001, 32, 1);
    tables_begin(t);
    CHECK(tables_pending(t));           /* what came before */
    add_dst(t, 10, 0x0a000001, 32, 2);
    add_dst(t, 10, 0x0a000002, 32, 2);
    publish(t);
    CHECK(port_of(t, 0x0a000001) == 1);
    CHECK(port_of(t, 0x0a000002) == 0);
    CHECK(!tables_pending(t));
    tables_commit(t);
    CHECK(port_of(t, 0x0a000001) == 1);
    publish(t);
    CHECK(port_of(t, 0x0a000001) == 2);
    CHECK(port_of(t, 0x0a000002) == 2);

    settle(t);
    memory = tables_memory(t);
    tables_begin(t);
    for (uint32_t i = 0; i < 1000; i++) {
        add_dst(t, 10, 0x0a000000 + i, 32 - i % 9, 3);
    }
    tables_discard(t);
    CHECK(!tables_pending(t));
    settle(t);
    publish(t);
    CHECK(port_of(t, 0x0a000001) == 2);
    CHECK(port_of(t, 0x0a000003) == 0);
    CHECK(tables_stats(t, 0)->n_entries == 2);
    /* Only spare ids remain. */
    CHECK(tables_memory(t) < memory + 20000);
    tables_destroy(t);
}

TEST(many_changes_are_told_by_table)
{
    struct tables *t = create();
    struct table_changes changes;

    for (uint32_t i = 0; i < 10000; i++) {
        add_dst(t, 10, i, 32, 1);
    }
    tables_publish(t, &changes);
    CHECK(changes.n == 1 && !changes.everything);
    CHECK(changes.list[0].table == 0 && !changes.list[0].match);
    tables_destroy(t);
}

/* ---- Errors ---- */

TEST(overlapping_entries_are_refused_when_asked)
{
    struct tables *t = create();
    struct request r;

    add_dst(t, 10, 0x0a000000, 8, 1);
    request_init(&r, FLOW_MOD_ADD, 10, 1);
    match_set(&r.fm.match, FIELD_IN_PORT, 1, UINT32_MAX);
    r.fm.flags = FLOW_MOD_CHECK_OVERLAP;
    CHECK(request_send(t, &r, 0) == OF_FLOW_MOD_FAILED_OVERLAP);

    request_init(&r, FLOW_MOD_ADD, 11, 1);
    match_set(&r.fm.match, FIELD_IN_PORT, 1, UINT32_MAX);
    r.fm.flags = FLOW_MOD_CHECK_OVERLAP;
    CHECK(request_send(t, &r, 0) == OF_OK);

    request_init(&r, FLOW_MOD_ADD, 10, 1);
    request_dst(&r, 0x0b000000, 8);
    r.fm.flags = FLOW_MOD_CHECK_OVERLAP;
    CHECK(request_send(t, &r, 0) == OF_OK);

    request_init(&r, FLOW_MOD_ADD, 10, 1);
    request_dst(&r, 0x0a010203, 32);
    r.fm.flags = FLOW_MOD_CHECK_OVERLAP;
    CHECK(request_send(t, &r, 0) == OF_FLOW_MOD_FAILED_OVERLAP);
    tables_destroy(t);
}

TEST(a_full_switch_says_so)
{
    struct tables *t = tables_create(&(struct tables_config) {
        .max_entries = 2 });

    CHECK(add_dst(t, 10, 1, 32, 1) == OF_OK);
    CHECK(add_dst(t, 10, 2, 32, 1) == OF_OK);
    CHECK(add_dst(t, 10, 3, 32, 1) == OF_FLOW_MOD_FAILED_TABLE_FULL);
    CHECK(add_dst(t, 10, 2, 32, 4) == OF_OK);
    publish(t);
    CHECK(port_of(t, 2) == 4);
    delete_all(t);
    CHECK(add_dst(t, 10, 3, 32, 1) == OF_OK);
    tables_destroy(t);
}

TEST(actions_name_what_exists)
{
    struct tables *t = create();
    struct request r;
    struct action_number *group;

    request_init(&r, FLOW_MOD_ADD, 10, 0);
    group = actions_add(&r.fm.storage[0], ACTION_GROUP, sizeof *group);
    group->number = 5;
    flow_mod_seal(&r.fm);
    CHECK(request_send(t, &r, 0) == OF_BAD_ACTION_BAD_OUT_GROUP);

    request_init(&r, FLOW_MOD_ADD, 10, 1);
    r.fm.instructions.meter = 3;
    CHECK(request_send(t, &r, 0) == OF_BAD_ACTION_BAD_METER);
    CHECK(!tables_pending(t));
    tables_destroy(t);
}

/* ---- Timeouts ---- */

struct removed {
    unsigned int n;
    enum flow_removed_reason reason;
    be64 cookie;
};

static void
note_removed(void *removed_, const struct flow_entry *e,
             enum flow_removed_reason reason)
{
    struct removed *removed = removed_;

    removed->n++;
    removed->reason = reason;
    removed->cookie = e->cookie;
}

TEST(entries_time_out)
{
    struct removed removed = { 0 };
    struct tables *t = tables_create(&(struct tables_config) {
        .removed = note_removed, .aux = &removed });
    struct request r;
    const struct flow_entry *e;

    request_init(&r, FLOW_MOD_ADD, 10, 1);
    request_dst(&r, 1, 32);
    r.fm.hard_timeout = 60;
    request_send(t, &r, 1000);
    request_init(&r, FLOW_MOD_ADD, 10, 1);
    request_dst(&r, 2, 32);
    r.fm.idle_timeout = 10;
    request_send(t, &r, 1000);
    publish(t);
    CHECK(tables_expire(t, 1000) <= 11 * 1000 + 200);

    e = look(t, tables_version(t), 2);
    atomic_store(&tables_entry(t, e->id)->credit.used, 8 * 1000);
    tables_expire(t, 12 * 1000);
    CHECK(!tables_pending(t));
    tables_expire(t, 17900);
    CHECK(!tables_pending(t));
    tables_expire(t, 18200);
    publish(t);
    CHECK(removed.n == 1 && removed.reason == REMOVED_IDLE_TIMEOUT);
    CHECK(port_of(t, 2) == 0 && port_of(t, 1) == 1);
    tables_expire(t, 61200);
    publish(t);
    CHECK(removed.n == 2 && removed.reason == REMOVED_HARD_TIMEOUT);
    CHECK(port_of(t, 1) == 0);
    tables_destroy(t);
}

/* ---- Groups and meters ---- */

/* A group of `type` with one bucket that outputs to `port` or, if not 0, goes to
 * `group`. */
static enum of_error
send_group(struct tables *t, enum group_mod_command command,
           enum group_type type, uint32_t id, uint32_t port, uint32_t group)
{
    struct bucket bucket = { .id = 1, .watch_port = OFPP_ANY,
                             .watch_group = OFPG_ANY };
    struct group_mod gm = { .command = command, .type = type, .id = id,
                            .command_bucket = BUCKET_LAST };
    enum of_error error;

    if (port) {
        actions_add_output(&bucket.actions, port);
        bucket.id = port;
    }
    if (group) {
        struct action_number *a = actions_add(&bucket.actions, ACTION_GROUP,
                                              sizeof *a);
        a->number = group;
    }
    if (port || group) {
        gm.n_buckets = 1;
        gm.buckets = &bucket;
    }
    error = tables_group_mod(t, &gm, 0, NULL);
    actions_fini(&bucket.actions);
    return error;
}

static enum of_error
add_to_group(struct tables *t, uint32_t dst, uint32_t group_id)
{
    struct request r;
    struct action_number *a;

    request_init(&r, FLOW_MOD_ADD, 10, 0);
    request_dst(&r, dst, 32);
    a = actions_add(&r.fm.storage[0], ACTION_GROUP, sizeof *a);
    a->number = group_id;
    flow_mod_seal(&r.fm);
    return request_send(t, &r, 0);
}

TEST(a_deleted_group_takes_its_entries_along)
{
    struct removed removed = { 0 };
    struct tables *t = tables_create(&(struct tables_config) {
        .removed = note_removed, .aux = &removed });

    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_INDIRECT, 5, 1, 0) == OF_OK);
    CHECK(add_to_group(t, 1, 5) == OF_OK);
    CHECK(add_to_group(t, 2, 5) == OF_OK);
    add_dst(t, 10, 3, 32, 1);
    publish(t);
    CHECK(tables_group(t, 5, tables_version(t)));

    tables_begin(t);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 5, 0, 0) == OF_OK);
    CHECK(tables_stats(t, 0)->n_entries == 1);
    tables_discard(t);
    CHECK(tables_stats(t, 0)->n_entries == 3);
    publish(t);
    CHECK(removed.n == 0);

    CHECK(send_group(t, GROUP_MOD_DELETE, 0, OFPG_ALL, 0, 0) == OF_OK);
    publish(t);
    CHECK(removed.n == 2 && removed.reason == REMOVED_GROUP_DELETE);
    CHECK(!tables_group(t, 5, tables_version(t)));
    CHECK(tables_stats(t, 0)->n_entries == 1);
    settle(t);
    tables_destroy(t);
}

TEST(a_groups_users_are_entries_and_groups)
{
    struct tables *t = tables_create(&(struct tables_config) { 0 });
    struct flow_mod fm;

    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 1, 7, 0) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 2, 0, 1) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 3, 0, 1) == OF_OK);
    CHECK(add_to_group(t, 1, 1) == OF_OK);
    CHECK(!flow_mod_parse("reg1=1,actions=group:1,clone(group:2,group:1)",
                          FLOW_MOD_ADD, NULL, &fm, NULL));
    CHECK(tables_flow_mod(t, &fm, 0, NULL) == OF_OK);
    flow_mod_fini(&fm);
    CHECK(tables_group_users(t, 1) == 4 && tables_group_users(t, 2) == 1);

    tables_begin(t);
    CHECK(send_group(t, GROUP_MOD_MODIFY, GROUP_ALL, 2, 7, 0) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 3, 0, 0) == OF_OK);
    CHECK(tables_group_users(t, 1) == 2);
    tables_discard(t);
    CHECK(tables_group_users(t, 1) == 4);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 2, 0, 0) == OF_OK);
    CHECK(tables_group_users(t, 1) == 2 && tables_group_users(t, 2) == 0);
    tables_destroy(t);
}

TEST(groups_do_not_lead_to_themselves)
{
    struct tables *t = create();

    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 1, 0, 1)
          == OF_GROUP_MOD_FAILED_LOOP);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 1, 7, 0) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 2, 0, 1) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 3, 0, 2) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_MODIFY, GROUP_ALL, 1, 0, 3)
          == OF_GROUP_MOD_FAILED_LOOP);
    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_ALL, 4, 0, 99)
          == OF_BAD_ACTION_BAD_OUT_GROUP);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 2, 0, 0)
          == OF_GROUP_MOD_FAILED_CHAINED_GROUP);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 3, 0, 0) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_DELETE, 0, 2, 0, 0) == OF_OK);
    tables_destroy(t);
}

TEST(buckets_come_and_go_and_keep_their_counters)
{
    struct tables *t = create();
    const struct group *group;
    struct group_mod gm;

    CHECK(send_group(t, GROUP_MOD_ADD, GROUP_SELECT, 1, 11, 0) == OF_OK);
    publish(t);
    group = tables_group(t, 1, tables_version(t));
    atomic_fetch_add(&group->buckets[0].credit->packets, 3);
    CHECK(send_group(t, GROUP_MOD_INSERT_BUCKET, 0, 1, 12, 0) == OF_OK);
    CHECK(send_group(t, GROUP_MOD_INSERT_BUCKET, 0, 1, 12, 0)
          == OF_GROUP_MOD_FAILED_BUCKET_EXISTS);
    CHECK(tables_group(t, 1, tables_version(t))->n_buckets == 1);
    publish(t);
    group = tables_group(t, 1, tables_version(t));
    CHECK(group->n_buckets == 2 && group->type == GROUP_SELECT);
    CHECK(group->buckets[0].id == 11 && group->buckets[1].id == 12);
    CHECK(group->buckets[0].credit->packets == 3);

    gm = (struct group_mod) { .command = GROUP_MOD_REMOVE_BUCKET, .id = 1,
                              .command_bucket = 11 };
    CHECK(tables_group_mod(t, &gm, 0, NULL) == OF_OK);
    CHECK(tables_group_mod(t, &gm, 0, NULL)
          == OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET);
    publish(t);
    settle(t);
    group = tables_group(t, 1, tables_version(t));
    CHECK(group->n_buckets == 1 && group->buckets[0].id == 12);
    tables_destroy(t);
}

TEST(a_deleted_meter_takes_its_entries_along)
{
    struct removed removed = { 0 };
    struct tables *t = tables_create(&(struct tables_config) {
        .removed = note_removed, .aux = &removed });
    struct meter_mod mm = { .command = METER_MOD_ADD, .id = 3,
                            .flags = METER_KBPS, .n_bands = 1,
                            .bands = { { METER_BAND_DROP, 1000, 0, 0 } } };
    struct request r;

    CHECK(tables_meter_mod(t, &mm, 0, NULL) == OF_OK);
    CHECK(tables_meter_mod(t, &mm, 0, NULL)
          == OF_METER_MOD_FAILED_METER_EXISTS);
    request_init(&r, FLOW_MOD_ADD, 10, 1);
    r.fm.instructions.meter = 3;
    CHECK(request_send(t, &r, 0) == OF_OK);
    publish(t);
    CHECK(tables_meter(t, 3)->bands[0].rate == 1000);
    mm.command = METER_MOD_MODIFY;
    mm.bands[0].rate = 5;
    CHECK(tables_meter_mod(t, &mm, 0, NULL) == OF_OK);
    CHECK(tables_meter(t, 3)->bands[0].rate == 1000);
    publish(t);
    CHECK(tables_meter(t, 3)->bands[0].rate == 5);
    mm.command = METER_MOD_DELETE;
    CHECK(tables_meter_mod(t, &mm, 0, NULL) == OF_OK);
    publish(t);
    CHECK(removed.n == 1 && removed.reason == REMOVED_METER_DELETE);
    CHECK(!tables_meter(t, 3));
    tables_destroy(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(requests_do_what_the_model_does),
        RUN(nothing_is_visible_before_it_is_published),
        RUN(an_old_version_sees_what_was),
        RUN(a_bundle_is_visible_whole_or_not_at_all),
        RUN(many_changes_are_told_by_table),
        RUN(overlapping_entries_are_refused_when_asked),
        RUN(a_full_switch_says_so),
        RUN(actions_name_what_exists),
        RUN(entries_time_out),
        RUN(a_deleted_group_takes_its_entries_along),
        RUN(a_groups_users_are_entries_and_groups),
        RUN(groups_do_not_lead_to_themselves),
        RUN(buckets_come_and_go_and_keep_their_counters),
        RUN(a_deleted_meter_takes_its_entries_along),
    };
    int n_failed;

    rcu_thread_begin();
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return n_failed;
}
