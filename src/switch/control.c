#include "switch/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "openflow/message_text.h"
#include "switch/control_impl.h"

enum {
    REQUESTS_PER_TURN = 256,      /* of one session */
    HELD_MSEC = 1,                /* until a held session is looked at again */
    SNOOP_ROOM = OF_CONN_OUT_LIMIT,
};

/* ---- Sending ---- */

struct of_protocol *
session_protocol(const struct session *s)
{
    return of_conn_protocol(s->conn);
}

struct buf *
session_out(const struct session *s)
{
    return of_conn_begin_send(s->conn);
}

void
session_sent(const struct session *s)
{
    of_conn_end_send(s->conn);
}

void
session_send(const struct session *s, const struct of_message *message)
{
    if (of_message_encode(session_out(s), session_protocol(s), message)) {
        log_limited(LOG_LEVEL_DEBUG, "control", "%s has no %s",
                    of_version_name(session_protocol(s)->version),
                    of_type_name(message->type));
    }
    session_sent(s);
}

static void
end_if_deaf(const struct session *s)
{
    if (of_conn_backlog(s->conn) > SESSION_BACKLOG_MAX) {
        of_conn_close(s->conn, "the peer does not read what it asked to be "
                               "told");
    }
}

void
session_tell(const struct session *s, const struct of_message *message)
{
    session_send(s, message);
    end_if_deaf(s);
}

void
session_told(const struct session *s)
{
    session_sent(s);
    end_if_deaf(s);
}

void
session_refuse(struct session *s, enum of_error error)
{
    s->control->counters.errors++;
    s->counters.errors++;
    of_error_encode(session_out(s), session_protocol(s)->version, error,
                    s->request, s->request_len, NULL);
    session_sent(s);
}

/* ---- Snooping ---- */

static void
show_snoops(void *session, bool is_sent, const void *message, size_t len)
{
    const struct session *from = session;
    struct control *control = from->control;

    if (from->is_left) {
        return;
    }
    if (control->watch) {
        control->watch(control->watch_aux, from, is_sent, message, len);
    }
    for (struct session *s = control->n_snoops ? control->sessions : NULL; s;
         s = s->next) {
        if (s->kind == SESSION_SNOOP && s->is_open
            && of_conn_backlog(s->conn) < SNOOP_ROOM) {
            buf_put(session_out(s), message, len);
            session_sent(s);
        }
    }
}

void
control_set_watch(struct control *control, control_watch *watch, void *aux)
{
    control->watch = watch;
    control->watch_aux = aux;
}

/* ---- Fail mode ---- */

static void
default_entry(struct flow_mod *mod)
{
    flow_mod_init(mod);
    mod->priority = 0;
    actions_add_output(&mod->storage[0], OFPP_NORMAL);
    flow_mod_seal(mod);
}

/* Without a controller, what only asks one is of no use. */
static bool
asks_controller_only(const struct instructions *in)
{
    const struct action *first = in->apply.first;

    return in->apply.len && in->apply.len == first->len
           && first->type == ACTION_CONTROLLER && !in->write.len
           && !in->clear && !in->has_goto && !in->meter && !in->metadata_mask;
}

/* The entry of the controllers that has the default entry's place, to be put
 * back when one comes: many add it once and then rely on it. */
static void
set_aside(struct control *control, const struct flow_entry *entry)
{
    const struct action *asks = entry->instructions.apply.first;
    struct flow_mod *mod = &control->set_aside;

    flow_mod_init(mod);
    mod->cookie = entry->cookie;
    mod->priority = entry->priority;
    mod->idle_timeout = entry->idle_timeout;
    mod->hard_timeout = entry->hard_timeout;
    mod->importance = entry->importance;
    mod->flags = entry->flags;
    memcpy(actions_add(&mod->storage[0], ACTION_CONTROLLER, asks->len), asks,
           asks->len);
    flow_mod_seal(mod);
    control->has_set_aside = true;
}

static void
forget_set_aside(struct control *control)
{
    if (control->has_set_aside) {
        control->has_set_aside = false;
        flow_mod_fini(&control->set_aside);
    }
}

/* Somebody may have changed or replaced what was ours. */
static void
remove_default_entry(struct control *control)
{
    const struct flow_entry *entry;
    struct flow_mod mod;

    control->has_default_entry = false;
    default_entry(&mod);
    entry = tables_find(switch_tables(control->sw), &mod);
    if (entry && !entry->cookie
        && action_list_equal(entry->instructions.apply,
                             mod.instructions.apply)) {
        mod.command = FLOW_MOD_DELETE_STRICT;
        switch_flow_mod(control->sw,
                        control->has_set_aside ? &control->set_aside : &mod,
                        control->now, NULL);
        switch_barrier(control->sw);
    }
    forget_set_aside(control);
    flow_mod_fini(&mod);
}

static void
add_default_entry(struct control *control)
{
    const struct flow_entry *entry;
    struct flow_mod mod;

    default_entry(&mod);
    entry = tables_find(switch_tables(control->sw), &mod);
    if (entry && asks_controller_only(&entry->instructions)) {
        set_aside(control, entry);
        entry = NULL;
    }
    if (!entry) {
        control->has_default_entry
            = !switch_flow_mod(control->sw, &mod, control->now, NULL);
        switch_barrier(control->sw);
    }
    flow_mod_fini(&mod);
}

void
control_settle_default_entry(struct control *control)
{
    bool is_wanted = switch_config(control->sw)->fail_mode == FAIL_STANDALONE
                     && !control->n_controllers;

    if (!control->default_entry_waits || control->commit) {
        return;
    }
    control->default_entry_waits = false;
    if (is_wanted && !control->has_default_entry) {
        add_default_entry(control);
    } else if (!is_wanted && control->has_default_entry) {
        remove_default_entry(control);
    }
}

/* Whether it should be there may have changed. */
static void
review_default_entry(struct control *control)
{
    control->default_entry_waits = true;
    control_settle_default_entry(control);
}

void
control_set_fail_mode(struct control *control, enum fail_mode mode, msec now)
{
    if (switch_config(control->sw)->fail_mode == mode) {
        return;
    }
    control->now = now;
    switch_set_fail_mode(control->sw, mode);
    review_default_entry(control);
}

static void
controller_came(struct control *control)
{
    if (control->n_controllers++ == 0) {
        review_default_entry(control);
    }
}

static void
controller_went(struct control *control)
{
    if (--control->n_controllers == 0) {
        review_default_entry(control);
    }
}

/* ---- Packets that sessions get unasked ---- */

void
control_update_unasked(struct control *control)
{
    unsigned int what = 0;

    for (struct session *s = control->sessions; s; s = s->next) {
        what |= session_wants_misses(s) ? UNASKED_MISSES : 0u;
        what |= session_wants_async(s, ASYNC_PACKET_IN, REASON_INVALID_TTL)
                    ? UNASKED_EXPIRED : 0u;
    }
    switch_set_unasked(control->sw, what);
}

/* ---- Sessions ---- */

/* The highest version that the main connection speaks is its auxiliary
 * connections' only one. */
static uint32_t
versions_for(const struct control *control,
             const struct session_config *config)
{
    return config->main ? 1u << session_protocol(config->main)->version
                        : control->config.versions;
}

struct session *
control_add_session(struct control *control, int fd,
                    const struct session_config *config, msec now)
{
    struct of_conn_config conn = {
        .versions = versions_for(control, config),
        .tls = config->tls, .is_server = config->is_server,
    };
    struct session *s;

    if (control->n_sessions == CONTROL_MAX_SESSIONS) {
        close(fd);
        return NULL;
    }
    s = xzalloc(sizeof *s);
    s->control = control;
    s->kind = config->kind;
    s->owner = config->owner;
    snprintf(s->uri, sizeof s->uri, "%s", config->uri ? config->uri : "");
    s->serial = ++control->n_serials;
    s->main = config->main;
    s->auxiliary_id = config->auxiliary_id;
    if (s->kind == SESSION_CONTROLLER) {
        conn.probe_interval = control->probe_interval;
    }
    if (s->kind != SESSION_SNOOP) {
        conn.watch = show_snoops;
        conn.aux = s;
    }
    /* What is watched may be sent at once: the session is complete. */
    s->conn = of_conn_create(fd, &conn, now);
    if (!s->conn) {
        free(s);
        return NULL;
    }
    control->n_sessions++;
    control->n_snoops += s->kind == SESSION_SNOOP;
    s->next = control->sessions;
    control->sessions = s;
    return s;
}

/* Auxiliary connections do not outlive the main one. */
static void
end_auxiliary(struct session *main)
{
    for (struct session *s = main->control->sessions; s; s = s->next) {
        if (s->main == main) {
            s->main = NULL;
            session_end(s, "its main connection ended");
        }
    }
}

void
control_free_session(struct session *s)
{
    of_conn_destroy(s->conn);
    free(s);
}

void
control_remove_session(struct session *s)
{
    struct control *control = s->control;
    struct session **p = &control->sessions;

    while (*p != s) {
        p = &(*p)->next;
    }
    *p = s->next;
    control_controller_event(s, CONTROLLER_REMOVED);
    control->n_sessions--;
    control->n_snoops -= s->kind == SESSION_SNOOP;
    if (s->is_open && s->kind == SESSION_CONTROLLER && !s->auxiliary_id) {
        controller_went(control);
    }
    control_update_unasked(control);
    if (s->is_open && s->main) {
        s->main->n_auxiliary--;
    }
    end_auxiliary(s);
    control_bundles_free(s);
    control_monitors_free(s);
    control_dump_end(s);
    if (control_commit_leave(s)) {
        of_conn_close(s->conn, "ended here");
    } else {
        control_free_session(s);
    }
}

struct session *
control_next_session(const struct control *control, const struct session *s)
{
    return s ? s->next : control->sessions;
}

static void
open_session(struct session *s)
{
    s->is_open = true;
    s->opened = s->control->now;
    if (s->main) {
        /* Role and wishes are the main one's. */
        s->main->n_auxiliary++;
        return;
    }
    control_set_default_role(s);
    control_set_default_async(s);
    if (s->kind == SESSION_CONTROLLER) {
        controller_came(s->control);
    }
    control_update_unasked(s->control);
    control_controller_event(s, CONTROLLER_ADDED);
}

/* Carries out what came.  Returns when there is more to do. */
static msec
run_session(struct session *s)
{
    msec now = s->control->now;
    const void *message;
    size_t len;

    if (s->is_held) {
        s->is_held = !switch_has_packet_out_room(s->control->sw);
    }
    for (unsigned int i = 0; i < REQUESTS_PER_TURN && !s->is_held; i++) {
        if (s->dump.is_active) {
            control_dump_more(s);
            break;
        }
        message = of_conn_peek(s->conn, &len);
        if (!s->is_open && of_conn_state(s->conn) == OF_CONN_OPEN) {
            open_session(s);
        }
        if (!message || control_must_wait(s, message, len)) {
            break;
        }
        message = of_conn_next(s->conn, &len);
        if (s->kind != SESSION_SNOOP) {
            s->control->counters.requests++;
            s->counters.requests++;
            control_request(s, message, len);
        }
    }
    if (session_is_closed(s)) {
        return INT64_MAX;
    }
    control_monitor_run(s);
    if (s->is_held) {
        return now + HELD_MSEC;
    }
    return (s->dump.is_active ? of_conn_has_room(s->conn)
                              : of_conn_has_next(s->conn)) ? now : INT64_MAX;
}

int
session_fd(const struct session *s)
{
    return of_conn_fd(s->conn);
}

unsigned int
session_wants(const struct session *s)
{
    return of_conn_wants(s->conn);
}

void
session_on_ready(struct session *s, unsigned int events, msec now)
{
    of_conn_on_ready(s->conn, events, now);
}

bool
session_is_closed(const struct session *s)
{
    return of_conn_state(s->conn) == OF_CONN_CLOSED;
}

bool
session_is_open(const struct session *s)
{
    return s->is_open && !session_is_closed(s);
}

const char *
session_reason(const struct session *s)
{
    return of_conn_reason(s->conn);
}

void *
session_owner(const struct session *s)
{
    return s->owner;
}

bool
session_was_open(const struct session *s)
{
    return s->is_open;
}

bool
session_may_have_auxiliary(const struct session *s)
{
    return session_is_open(s) && s->kind == SESSION_CONTROLLER && !s->main
           && session_protocol(s)->version >= OF13;
}

void
session_end(struct session *s, const char *reason)
{
    of_conn_close(s->conn, reason);
}

void
session_describe(const struct session *s, struct session_info *info)
{
    *info = (struct session_info) {
        .version = session_protocol(s)->version,
        .role = session_channel(s)->role, .opened = s->opened,
        .counters = s->counters, .backlog = of_conn_backlog(s->conn),
    };
}

void
session_describe_message(const struct session *s, const void *message,
                         size_t len, struct session_message *said)
{
    const struct of_protocol none = { 0 };
    /* The first hello goes out while the session is made. */
    const struct of_protocol *protocol = s->conn ? session_protocol(s) : &none;
    const uint8_t *header = message;

    said->version = of_version_name((enum of_version) header[0]);
    said->type = of_wire_type_name(protocol, message, len);
    said->xid = be32toh(get_be32(header + 4));
    of_message_describe(protocol, message, len, said->text);
}

bool
session_describe_tls(const struct session *s, struct str *out)
{
    return of_conn_describe_tls(s->conn, out);
}

/* ---- Control ---- */

struct control *
control_create(const struct control_config *config)
{
    struct control *control = xzalloc(sizeof *control);

    control->config = *config;
    control->sw = config->sw;
    control->probe_interval = config->probe_interval;
    control->has_default_entry
        = switch_config(config->sw)->fail_mode == FAIL_STANDALONE;
    control_watch_switch(control);
    return control;
}

void
control_destroy(struct control *control)
{
    if (!control) {
        return;
    }
    switch_set_watch(control->sw, NULL);
    control_commit_abort(control);
    while (control->sessions) {
        control_remove_session(control->sessions);
    }
    forget_set_aside(control);
    free(control);
}

void
control_set_probe_interval(struct control *control, msec interval)
{
    control->probe_interval = interval;
    for (struct session *s = control->sessions; s; s = s->next) {
        if (s->kind == SESSION_CONTROLLER) {
            of_conn_set_probe_interval(s->conn, interval);
        }
    }
}

msec
control_run(struct control *control, msec now)
{
    msec next;

    control->now = now;
    next = control_commit_run(control);
    for (struct session *s = control->sessions; s; s = s->next) {
        msec due = run_session(s);

        next = MIN(next, due);
    }
    if (control_send_packet_ins(control)) {
        next = now;
    }
    for (struct session *s = control->sessions; s; s = s->next) {
        msec due = of_conn_tick(s->conn, now);

        of_conn_flush(s->conn);
        next = MIN(next, due);
    }
    return next;
}

void
control_read_counters(const struct control *control,
                      struct control_counters *counters)
{
    *counters = control->counters;
}
