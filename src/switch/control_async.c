/* What the switch says without being asked: entries that went, ports that
 * changed.  (Packets for controllers: control_packet_in.c.) */
#include "switch/control_impl.h"

/* ---- Who wants what ---- */

/* 1.4 section 6.3.5.1, and what the earlier versions do. */
void
control_set_default_async(struct session *s)
{
    uint32_t *mine = s->async.mask[0], *slave = s->async.mask[1];

    memset(&s->async, 0, sizeof s->async);
    s->async.present[0] = s->async.present[1] = (1u << N_ASYNC) - 1;
    mine[ASYNC_PACKET_IN] = 1u << REASON_TABLE_MISS
                            | 1u << REASON_APPLY_ACTION
                            | 1u << REASON_ACTION_SET | 1u << REASON_GROUP
                            | 1u << REASON_PACKET_OUT;
    mine[ASYNC_PORT_STATUS] = slave[ASYNC_PORT_STATUS]
        = 1u << PORT_ADDED | 1u << PORT_DELETED | 1u << PORT_MODIFIED;
    mine[ASYNC_FLOW_REMOVED]
        = 1u << REMOVED_IDLE_TIMEOUT | 1u << REMOVED_HARD_TIMEOUT
          | 1u << REMOVED_DELETE | 1u << REMOVED_GROUP_DELETE
          | 1u << REMOVED_METER_DELETE | 1u << REMOVED_EVICTION;
    mine[ASYNC_TABLE_STATUS] = 1u << TABLE_VACANCY_DOWN
                               | 1u << TABLE_VACANCY_UP;
    mine[ASYNC_FLOW_STATS] = 1u << FLOW_STATS_TRIGGER;
    mine[ASYNC_ROLE_STATUS] = slave[ASYNC_ROLE_STATUS] = 7;
}

bool
session_wants_async(const struct session *s, enum of_async_type type,
                    unsigned int reason)
{
    if (!session_is_open(s) || s->kind == SESSION_SNOOP || s->main
        || (s->kind == SESSION_TOOL && !s->miss_send_len)) {
        return false;
    }
    return s->async.mask[s->role == ROLE_SLAVE][type] >> reason & 1;
}

bool
session_wants_misses(const struct session *s)
{
    return session_is_open(s) && session_protocol(s)->version == OF10
           && session_wants_async(s, ASYNC_PACKET_IN, REASON_TABLE_MISS);
}

/* ---- Entries and ports ---- */

static void
flow_removed(void *control_, const struct flow_entry *e,
             enum flow_removed_reason reason)
{
    struct control *control = control_;
    msec age = MAX(control->now - e->created, 0);
    struct of_message m = {
        .type = OFT_FLOW_REMOVED,
        .flow_removed = {
            .cookie = e->cookie, .priority = e->priority,
            .reason = (uint8_t) reason, .table = e->table,
            .duration_sec = (uint32_t) (age / 1000),
            .duration_nsec = (uint32_t) (age % 1000) * 1000000,
            .idle_timeout = e->idle_timeout,
            .hard_timeout = e->hard_timeout,
            .packets = atomic_load(&e->credit.packets),
            .bytes = atomic_load(&e->credit.bytes),
        },
    };

    if (!(e->flags & FLOW_MOD_SEND_FLOW_REM)) {
        return;
    }
    flow_entry_match(e, &m.flow_removed.match);
    for (struct session *s = control->sessions; s; s = s->next) {
        if (session_wants_async(s, ASYNC_FLOW_REMOVED, reason)) {
            m.version = session_protocol(s)->version;
            session_tell(s, &m);
        }
    }
}

/* A peer that does not read misses some: the next threshold tells as much. */
enum { TRIGGER_BACKLOG = 128 * 1024 };

static void
tell_stats(struct session *s, const struct of_flow_stats *stats)
{
    const struct of_multipart_request unasked = { .type = MP_FLOW_STATS };
    struct of_reply reply;

    of_reply_begin(&reply, session_out(s), session_protocol(s), 0, &unasked);
    of_reply_flow_only_stats(&reply, stats);
    of_reply_end(&reply);
    session_told(s);
}

static void
triggered(void *control_, const struct flow_entry *e)
{
    struct control *control = control_;
    msec age = MAX(control->now - e->created, 0);
    msec idle = MAX(control->now - atomic_load(&e->credit.used), 0);
    struct match match;
    const struct of_flow_stats stats = {
        .reason = FLOW_STATS_TRIGGER,
        .table = e->table, .priority = e->priority, .match = &match,
        .duration_sec = (uint32_t) (age / 1000),
        .duration_nsec = (uint32_t) (age % 1000) * 1000000,
        .idle_sec = (uint32_t) (idle / 1000),
        .packets = atomic_load(&e->credit.packets),
        .bytes = atomic_load(&e->credit.bytes),
    };

    flow_entry_match(e, &match);
    for (struct session *s = control->sessions; s; s = s->next) {
        if (session_wants_async(s, ASYNC_FLOW_STATS, FLOW_STATS_TRIGGER)
            && session_protocol(s)->version >= OF15
            && of_conn_backlog(s->conn) < TRIGGER_BACKLOG) {
            tell_stats(s, &stats);
        }
    }
}

static void
port_event(void *control_, enum switch_port_event event,
           const struct switch_port *port)
{
    static const enum of_port_reason reasons[] = {
        [SWITCH_PORT_ADDED] = PORT_ADDED,
        [SWITCH_PORT_DELETED] = PORT_DELETED,
        [SWITCH_PORT_CHANGED] = PORT_MODIFIED,
    };
    struct control *control = control_;
    struct of_message m = { .type = OFT_PORT_STATUS,
                            .port_status.reason = reasons[event] };

    control_describe_port(port, &m.port_status.desc);
    for (struct session *s = control->sessions; s; s = s->next) {
        if (session_wants_async(s, ASYNC_PORT_STATUS, reasons[event])) {
            m.version = session_protocol(s)->version;
            session_tell(s, &m);
        }
    }
}

static void
entry_changed(void *control, const struct table_event *event)
{
    control_monitor_event(control, event);
}

static void
vacancy(void *control, uint8_t table, bool is_tight)
{
    control_table_vacancy(control, table, is_tight);
}

void
control_watch_switch(struct control *control)
{
    const struct switch_watch watch = {
        .flow_removed = flow_removed, .triggered = triggered,
        .port_event = port_event,
        .entry_changed = entry_changed, .vacancy = vacancy,
        .aux = control,
    };

    switch_set_watch(control->sw, &watch);
}
