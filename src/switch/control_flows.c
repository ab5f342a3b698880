/* Lists of flow entries, and their sums (1.3.5 sections 7.3.5.2 and 7.3.5.3).
 *
 * They can be long, so each turn does a piece: looks through some of the
 * entries, then sends some of those that were asked for, as the peer reads, with
 * the counters of that moment.  What a session asks behind a list waits for it;
 * others do not. */
#include <stdlib.h>

#include "switch/control_stats.h"
#include "switch/flow_entry.h"
#include "switch/table_cursor.h"

enum {
    COLLECT_TURN = 4096,          /* entries looked at in one turn */
    SEND_TURN = 512,              /* entries sent in one turn */
};

/* ---- Any list ---- */

void
control_dump_begin(struct session *s, const struct of_reply *reply,
                   const struct of_multipart_request *what,
                   const struct dump_class *class)
{
    s->dump = (struct dump) {
        .is_active = true, .reply = *reply, .what = *what, .class = class,
        .cursor = table_cursor_create(switch_tables(s->control->sw),
                                      what->table, &what->match),
    };
}

void
control_dump_end(struct session *s)
{
    table_cursor_destroy(s->dump.cursor);
    s->dump = (struct dump) { 0 };
}

static bool
choose(void *session, const struct flow_entry *e)
{
    struct session *s = session;

    return s->dump.class->choose(s, e);
}

void
control_dump_more(struct session *s)
{
    const struct dump_class *class;
    struct dump *dump = &s->dump;
    uint32_t budget = SEND_TURN;
    const struct flow_entry *e;

    if (!of_conn_has_room(s->conn)
        || !table_cursor_collect(dump->cursor, COLLECT_TURN, choose, s)) {
        return;
    }
    while ((e = table_cursor_next(dump->cursor, &budget))) {
        dump->class->add(s, e);
    }
    if (!table_cursor_is_done(dump->cursor)) {
        of_reply_pause(&dump->reply);
        session_sent(s);
        return;
    }
    if (dump->class->finish) {
        dump->class->finish(s);
    }
    of_reply_end(&dump->reply);
    session_sent(s);
    class = dump->class;
    control_dump_end(s);
    if (class->done) {
        class->done(s);
    }
}

/* ---- Entries and their sum ---- */

bool
control_entry_outputs(const struct flow_entry *e, uint32_t port,
                      uint32_t group)
{
    const struct instructions *i = &e->instructions;

    return (port == OFPP_ANY || action_list_outputs(i->apply, port)
            || action_list_outputs(i->write, port))
           && (group == OFPG_ANY || action_list_groups(i->apply, group)
               || action_list_groups(i->write, group));
}

static bool
is_asked_for(struct session *s, const struct flow_entry *e)
{
    const struct of_multipart_request *what = &s->dump.what;

    return !((e->cookie ^ what->cookie) & what->cookie_mask)
           && control_entry_outputs(e, what->out_port, what->out_group);
}

static void
add_flow(struct session *s, const struct flow_entry *e)
{
    struct of_reply *reply = &s->dump.reply;
    const struct stats_request r = { .control = s->control };
    struct match match;
    struct of_flow_stats stats = {
        .table = e->table, .priority = e->priority,
        .idle_timeout = e->idle_timeout, .hard_timeout = e->hard_timeout,
        .importance = e->importance, .flags = e->flags, .cookie = e->cookie,
        .packets = atomic_load(&e->credit.packets),
        .bytes = atomic_load(&e->credit.bytes),
        .match = &match, .instructions = &e->instructions,
    };
    uint32_t rest;

    flow_entry_match(e, &match);
    stats_age(&r, e->created, &stats.duration_sec, &stats.duration_nsec);
    stats_age(&r, atomic_load(&e->credit.used), &stats.idle_sec, &rest);
    stats_age(&r, e->modified, &stats.modified_sec, &rest);
    if (reply->type == MP_FLOW_STATS) {
        of_reply_flow_only_stats(reply, &stats);
    } else {
        of_reply_flow(reply, &stats);
    }
}

static bool
add_to_sum(struct session *s, const struct flow_entry *e)
{
    struct of_aggregate *total = &s->dump.total;

    if (is_asked_for(s, e)) {
        total->flows++;
        total->packets += atomic_load(&e->credit.packets);
        total->bytes += atomic_load(&e->credit.bytes);
    }
    return false;
}

static void
finish_sum(struct session *s)
{
    of_reply_aggregate(&s->dump.reply, &s->dump.total);
}

static enum of_error
begin_dump(struct stats_request *r, const struct dump_class *class)
{
    switch_barrier(r->control->sw);
    switch_refresh_counters(r->control->sw);
    control_dump_begin(r->s, &r->reply, r->what, class);
    return OF_OK;
}

enum of_error
stats_flows(struct stats_request *r)
{
    static const struct dump_class flows = { .choose = is_asked_for,
                                             .add = add_flow };

    return begin_dump(r, &flows);
}

enum of_error
stats_aggregate(struct stats_request *r)
{
    static const struct dump_class sum = { .choose = add_to_sum,
                                           .finish = finish_sum };

    return begin_dump(r, &sum);
}
