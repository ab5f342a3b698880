/* Lists of flow entries, and their sums (1.3.5 sections 7.3.5.2 and 7.3.5.3).
 *
 * They can be long, so each turn does a piece: looks through some of the entries,
 * then sends some of those that were asked for, as the peer reads, with the
 * counters of that moment.  What a session asks behind a list waits for it;
 * others do not. */
#include <stdlib.h>

#include "switch/control_stats.h"
#include "switch/flow_entry.h"
#include "switch/table_cursor.h"

enum {
    COLLECT_TURN = 4096,          /* entries looked at in one turn */
    SEND_TURN = 512,              /* entries sent in one turn */
};

static bool
is_asked_for(const struct of_multipart_request *what,
             const struct flow_entry *e)
{
    const struct instructions *i = &e->instructions;

    return !((e->cookie ^ what->cookie) & what->cookie_mask)
           && (what->out_port == OFPP_ANY
               || action_list_outputs(i->apply, what->out_port)
               || action_list_outputs(i->write, what->out_port))
           && (what->out_group == OFPG_ANY
               || action_list_groups(i->apply, what->out_group)
               || action_list_groups(i->write, what->out_group));
}

static enum of_error
begin_dump(struct stats_request *r)
{
    struct dump *dump = &r->s->dump;

    switch_barrier(r->control->sw);
    switch_refresh_counters(r->control->sw);
    *dump = (struct dump) {
        .is_active = true, .reply = r->reply, .what = *r->what,
        .cursor = table_cursor_create(switch_tables(r->control->sw),
                                      r->what->table, &r->what->match),
    };
    return OF_OK;
}

enum of_error
stats_flows(struct stats_request *r)
{
    return begin_dump(r);
}

enum of_error
stats_aggregate(struct stats_request *r)
{
    return begin_dump(r);
}

void
control_dump_end(struct session *s)
{
    table_cursor_destroy(s->dump.cursor);
    s->dump = (struct dump) { 0 };
}

static bool
choose(void *dump_, const struct flow_entry *e)
{
    struct dump *dump = dump_;

    if (!is_asked_for(&dump->what, e)) {
        return false;
    }
    if (dump->what.type == MP_FLOW) {
        return true;
    }
    dump->total.flows++;
    dump->total.packets += atomic_load(&e->credit.packets);
    dump->total.bytes += atomic_load(&e->credit.bytes);
    return false;
}

static void
add_flow(struct session *s, const struct flow_entry *e)
{
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
    of_reply_flow(&s->dump.reply, &stats);
}

void
control_dump_more(struct session *s)
{
    struct dump *dump = &s->dump;
    uint32_t budget = SEND_TURN;
    const struct flow_entry *e;

    if (!of_conn_has_room(s->conn)
        || !table_cursor_collect(dump->cursor, COLLECT_TURN, choose, dump)) {
        return;
    }
    while ((e = table_cursor_next(dump->cursor, &budget))) {
        add_flow(s, e);
    }
    if (!table_cursor_is_done(dump->cursor)) {
        of_reply_pause(&dump->reply);
    } else {
        if (dump->what.type == MP_AGGREGATE) {
            of_reply_aggregate(&dump->reply, &dump->total);
        }
        of_reply_end(&dump->reply);
        control_dump_end(s);
    }
    session_sent(s);
}
