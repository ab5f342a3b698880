/* Flow monitors: a session is told what becomes of the entries that it watches
 * (1.4 section 7.3.5.17).
 *
 * Changes are told when they become visible, so before the answer to a barrier
 * that made them so.  However many of a session's monitors see a change, it is
 * told once.  A session's own changes come as the xid of its request, unless it
 * wants them in full.
 *
 * A peer that does not read:
 *
 *     RUN       everything is told.  More than PAUSE_AT bytes wait: PAUSED is
 *               said.
 *     PAUSED    only removals are told.  Less than RESUME_AT wait: a list of
 *               what was made or changed since begins.
 *     RESUMING  everything is told again, beside that list; at its end RESUMED
 *               is said.
 *
 * So the peer knows all that there is when it hears RESUMED; it may have heard
 * twice of an entry, and of the removal of one that it never knew. */
#include <stdlib.h>

#include "switch/control_stats.h"
#include "switch/flow_entry.h"

enum {
    MAX_MONITORS = 1024,          /* of one session */
    PAUSE_AT = 128 * 1024, RESUME_AT = 8 * 1024,          /* bytes */
};

struct monitor {
    struct monitor *next;
    bool is_new;                  /* its first list is not sent yet */
    struct of_flow_monitor m;
};

/* ---- The session's monitors ---- */

static struct monitor **
find(struct session *s, uint32_t id)
{
    struct monitor **p = &s->monitors;

    while (*p && (*p)->m.id != id) {
        p = &(*p)->next;
    }
    return p;
}

static void
take_out(struct session *s, struct monitor **p)
{
    struct monitor *monitor = *p;
    struct control *control = s->control;

    *p = monitor->next;
    free(monitor);
    if (!--control->n_monitors) {
        tables_watch(switch_tables(control->sw), false);
    }
}

void
control_monitors_free(struct session *s)
{
    while (s->monitors) {
        take_out(s, &s->monitors);
    }
}

enum of_error
control_monitor_cancel(struct session *s, uint32_t id)
{
    struct monitor **p = find(s, id);

    if (!*p) {
        return OF_FLOW_MONITOR_FAILED_UNKNOWN_MONITOR;
    }
    take_out(s, p);
    return OF_OK;
}

static void
put_in(struct session *s, const struct of_flow_monitor *m)
{
    struct monitor *monitor = xzalloc(sizeof *monitor);

    monitor->m = *m;
    monitor->is_new = true;
    monitor->next = s->monitors;
    s->monitors = monitor;
    if (!s->control->n_monitors++) {
        tables_watch(switch_tables(s->control->sw), true);
    }
}

/* ---- What is told ---- */

static bool
watches(const struct of_flow_monitor *m, const struct flow_entry *e,
        const struct match *match)
{
    return (m->table == OFPTT_ALL || m->table == e->table)
           && match_covers(&m->match, match)
           && control_entry_outputs(e, m->out_port, m->out_group);
}

/* Who looks: one's own changes are for all monitors, others' not for those that
 * want only one's own; a first list is for new monitors. */
enum look { LOOK_OWN, LOOK_OTHERS, LOOK_FIRST };

/* The flags of all monitors that see the entry, together; 0: none does.
 * `wanted` is what a monitor must want. */
static unsigned int
flags_for(const struct session *s, const struct flow_entry *e,
          const struct match *match, unsigned int wanted, enum look look)
{
    unsigned int flags = 0;

    for (const struct monitor *i = s->monitors; i; i = i->next) {
        if (i->m.flags & wanted && (look != LOOK_FIRST || i->is_new)
            && (look != LOOK_OTHERS || !(i->m.flags & MONITOR_ONLY_OWN))
            && watches(&i->m, e, match)) {
            flags |= i->m.flags;
        }
    }
    return flags;
}

static void
add_update(struct of_reply *reply, const struct flow_entry *e,
           const struct match *match, enum of_update_event event,
           unsigned int flags)
{
    const struct of_flow_update update = {
        .event = event, .table = e->table,
        .reason = event == UPDATE_REMOVED ? entry_cast(e)->reason : 0,
        .priority = e->priority, .idle_timeout = e->idle_timeout,
        .hard_timeout = e->hard_timeout, .cookie = e->cookie,
        .match = match,
        .instructions = flags & MONITOR_INSTRUCTIONS ? &e->instructions
                                                     : NULL,
    };

    of_reply_flow_update(reply, &update);
}

static void
begin_unasked(struct session *s, struct of_reply *reply)
{
    const struct of_multipart_request unasked = {
        .type = MP_FLOW_MONITOR,
        .is_nicira = session_protocol(s)->version < OF14,
    };

    of_reply_begin(reply, session_out(s), session_protocol(s), 0, &unasked);
}

static void
say_state(struct session *s, bool is_resumed)
{
    of_monitor_state_encode(session_out(s), session_protocol(s), is_resumed);
    session_sent(s);
}

/* False: this change is not for now. */
static bool
may_tell(struct session *s, enum table_event_kind kind)
{
    if (s->monitor_state == MONITORS_RUN
        && of_conn_backlog(s->conn) > PAUSE_AT) {
        s->monitor_state = MONITORS_PAUSED;
        s->paused_at = tables_version(switch_tables(s->control->sw));
        say_state(s, false);
    }
    return s->monitor_state != MONITORS_PAUSED || kind == ENTRY_REMOVED;
}

static void
tell(struct session *s, const struct table_event *event,
     const struct match *match)
{
    static const struct {
        unsigned int flag;
        enum of_update_event event;
    } kinds[] = {
        [ENTRY_ADDED] = { MONITOR_ADDED, UPDATE_ADDED },
        [ENTRY_REMOVED] = { MONITOR_REMOVED, UPDATE_REMOVED },
        [ENTRY_MODIFIED] = { MONITOR_MODIFIED, UPDATE_MODIFIED },
    };
    bool is_own = event->origin.who == s->serial;
    unsigned int flags = flags_for(s, event->entry, match,
                                   kinds[event->kind].flag,
                                   is_own ? LOOK_OWN : LOOK_OTHERS);
    bool is_short = is_own && !(flags & MONITOR_NO_ABBREV);
    struct of_reply reply;

    if (!flags || (is_short && s->abbreviated == event->origin.request)
        || !may_tell(s, event->kind)) {
        return;
    }
    begin_unasked(s, &reply);
    if (is_short) {
        s->abbreviated = event->origin.request;
        of_reply_flow_update_own(&reply, event->origin.xid);
    } else {
        add_update(&reply, event->entry, match, kinds[event->kind].event,
                   flags);
    }
    of_reply_end(&reply);
    session_told(s);
}

void
control_monitor_event(struct control *control,
                      const struct table_event *event)
{
    struct match match;

    flow_entry_match(event->entry, &match);
    for (struct session *s = control->sessions; s; s = s->next) {
        if (s->monitors && session_is_open(s)) {
            tell(s, event, &match);
        }
    }
}

/* ---- Requests, and the entries that are there ---- */

static bool
is_first_seen(struct session *s, const struct flow_entry *e)
{
    struct match match;

    flow_entry_match(e, &match);
    return flags_for(s, e, &match, MONITOR_INITIAL, LOOK_FIRST);
}

static void
add_initial(struct session *s, const struct flow_entry *e)
{
    struct match match;
    unsigned int flags;

    flow_entry_match(e, &match);
    flags = flags_for(s, e, &match, MONITOR_INITIAL, LOOK_FIRST);
    if (flags) {
        add_update(&s->dump.reply, e, &match, UPDATE_INITIAL, flags);
    }
}

static void
initial_done(struct session *s)
{
    for (struct monitor *i = s->monitors; i; i = i->next) {
        i->is_new = false;
    }
}

static enum of_error
check_filter(const struct of_flow_monitor *m)
{
    bool port_can_be = m->out_port < DP_MAX_PORTS || m->out_port > OFPP_MAX;
    bool group_can_be = m->out_group <= OFPG_MAX || m->out_group == OFPG_ANY;

    if (m->table != OFPTT_ALL && m->table >= N_TABLES) {
        return OF_FLOW_MONITOR_FAILED_BAD_TABLE_ID;
    }
    return port_can_be && group_can_be ? OF_OK
                                       : OF_FLOW_MONITOR_FAILED_BAD_OUT;
}

static unsigned int
count(const struct session *s)
{
    unsigned int n = 0;

    for (const struct monitor *i = s->monitors; i; i = i->next) {
        n++;
    }
    return n;
}

static enum of_error
carry_out(struct session *s, const struct of_flow_monitor *m)
{
    bool is_there = *find(s, m->id);
    enum of_error error;

    if (m->command == MONITOR_DELETE) {
        return control_monitor_cancel(s, m->id);
    }
    error = check_filter(m);
    if (error) {
        return error;
    }
    if (m->command == MONITOR_ADD) {
        if (is_there) {
            return OF_FLOW_MONITOR_FAILED_MONITOR_EXISTS;
        }
        if (count(s) == MAX_MONITORS) {
            return OF_FLOW_MONITOR_FAILED_INVALID_MONITOR;
        }
    } else {
        error = control_monitor_cancel(s, m->id);
    }
    if (!error) {
        put_in(s, m);
    }
    return error;
}

/* Of several monitors in one request those before the first bad one stay. */
enum of_error
stats_flow_monitor(struct stats_request *r)
{
    static const struct dump_class initial = {
        .choose = is_first_seen, .add = add_initial, .done = initial_done,
    };
    const struct of_protocol *protocol = session_protocol(r->s);
    struct of_bytes body = r->what->body;
    struct of_flow_monitor m;
    enum of_error error = OF_OK;

    switch_barrier(r->control->sw);
    while (!error && of_flow_monitor_next(protocol, r->what, &body, &m)) {
        error = carry_out(r->s, &m);
    }
    if (error) {
        initial_done(r->s);
        return error;
    }
    control_dump_begin(r->s, &r->reply, r->what, &initial);
    return OF_OK;
}

/* ---- Going on after a pause ---- */

static unsigned int
resumed_flags(const struct session *s, const struct flow_entry *e,
              const struct match *match)
{
    return flags_for(s, e, match, MONITOR_ADDED | MONITOR_MODIFIED,
                     LOOK_OTHERS);
}

static bool
is_new_since(struct session *s, const struct flow_entry *e)
{
    struct match match;

    if (entry_cast(e)->add_version < s->paused_at) {
        return false;
    }
    flow_entry_match(e, &match);
    return resumed_flags(s, e, &match);
}

static void
add_resumed(struct session *s, const struct flow_entry *e)
{
    struct match match;
    unsigned int flags;

    flow_entry_match(e, &match);
    flags = resumed_flags(s, e, &match);
    if (flags) {
        add_update(&s->dump.reply, e, &match,
                   entry_cast(e)->is_modified ? UPDATE_MODIFIED
                                              : UPDATE_ADDED, flags);
    }
}

static void
resumed(struct session *s)
{
    s->monitor_state = MONITORS_RUN;
    say_state(s, true);
}

void
control_monitor_run(struct session *s)
{
    static const struct dump_class missed = {
        .choose = is_new_since, .add = add_resumed, .done = resumed,
    };
    const struct of_multipart_request all = { .type = MP_FLOW_MONITOR,
                                              .table = OFPTT_ALL };
    struct of_reply reply;

    if (s->monitor_state != MONITORS_PAUSED || s->dump.is_active
        || of_conn_backlog(s->conn) > RESUME_AT) {
        return;
    }
    s->monitor_state = MONITORS_RESUMING;
    begin_unasked(s, &reply);
    control_dump_begin(s, &reply, &all, &missed);
}
