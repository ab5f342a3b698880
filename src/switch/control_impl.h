/* Inside of control: what its files share.  See control.h. */
#ifndef WEFT_SWITCH_CONTROL_IMPL_H
#define WEFT_SWITCH_CONTROL_IMPL_H

#include "lib/str.h"
#include "switch/control.h"

struct bundle;
struct commit;
struct monitor;

enum { SESSION_BACKLOG_MAX = 64 << 20 };      /* bytes */

struct session;
struct table_cursor;

/* A list of flow entries, or their sum, that goes on in another turn. */
struct dump {
    bool is_active;
    struct of_reply reply;
    struct of_multipart_request what;
    struct table_cursor *cursor;
    struct of_aggregate total;
    const struct dump_class *class;
};

/* What such a list consists of. */
struct dump_class {
    /* Does it have the entry? */
    bool (*choose)(struct session *, const struct flow_entry *);
    /* Adds the entry to the dump's reply. */
    void (*add)(struct session *, const struct flow_entry *);
    /* Everything is added, and still to be sent; `done`: it is on its way.  Both
     * may be NULL. */
    void (*finish)(struct session *);
    void (*done)(struct session *);
};

/* What a session's flow monitors do: control_monitor.c. */
enum monitor_state { MONITORS_RUN, MONITORS_PAUSED, MONITORS_RESUMING };

struct session {
    struct session *next;
    struct control *control;
    enum session_kind kind;
    void *owner;
    struct of_conn *conn;
    bool is_open;                 /* its version is known, defaults are set */
    bool is_held;                 /* until there is room for packet-outs */
    bool is_left;                 /* its connection ended, and nobody knows it
                                     any more; its commit goes on */
    msec opened;
    struct session *main;         /* of an auxiliary connection; else NULL */
    uint8_t auxiliary_id;
    unsigned int n_auxiliary;     /* open ones beside this */
    struct control_counters counters;

    enum of_role_type role;
    uint16_t short_id;            /* that it gave itself (1.5) */
    char uri[80];                 /* of a controller */
    struct of_async async;
    uint16_t miss_send_len;
    uint16_t controller_id;

    /* The request in hand, for errors. */
    const void *request;
    size_t request_len;
    uint32_t xid;

    struct dump dump;
    uint64_t serial;              /* no other session ever has it */
    struct monitor *monitors;
    enum monitor_state monitor_state;
    uint64_t paused_at;           /* version of the tables: */
    uint64_t abbreviated;         /* last own request that was told */
    struct bundle *bundles;
    size_t bundled;               /* bytes in all of them */
};

/* Whose role and wishes count. */
static inline struct session *
session_channel(const struct session *s)
{
    return s->main ? s->main : (struct session *) (uintptr_t) s;
}

struct control {
    struct control_config config;
    struct switch_ *sw;
    struct session *sessions;
    unsigned int n_sessions, n_snoops;
    unsigned int n_controllers;   /* open ones */
    bool has_generation;
    uint64_t generation_id;
    uint16_t frag;
    uint64_t n_serials, n_changes;          /* sessions, changes so far */
    unsigned int n_monitors;      /* of all sessions */
    msec probe_interval;
    control_watch *watch;         /* NULL: nobody looks */
    void *watch_aux;
    struct commit *commit;        /* that is going on */
    bool has_default_entry;       /* ours is in table 0, */
    bool has_set_aside;           /* in the place of this one */
    struct flow_mod set_aside;
    bool default_entry_waits;     /* until the commit is done: it may have to
                                     come, or to go */
    msec now;                     /* of the present call */
    struct control_counters counters;
};

/* ---- control.c ---- */

struct of_protocol *session_protocol(const struct session *);
/* Where a message is appended; session_sent() afterwards. */
struct buf *session_out(const struct session *);
void session_sent(const struct session *);
void session_send(const struct session *, const struct of_message *);
/* The same for what was not asked for: a session whose peer has not read for so
 * long that SESSION_BACKLOG_MAX waits is ended. */
void session_tell(const struct session *, const struct of_message *);
/* session_sent() for such. */
void session_told(const struct session *);
/* Answers the request in hand with an error. */
void session_refuse(struct session *, enum of_error);
/* Adds the entry of a switch without controllers, or takes it away. */
void control_settle_default_entry(struct control *);
void control_free_session(struct session *);
/* What some session wants to be sent has changed. */
void control_update_unasked(struct control *);

/* ---- control_request.c ---- */

/* Carries out one whole message. */
void control_request(struct session *, const void *message, size_t len);
void control_set_default_role(struct session *);

/* Does the message read the newest state of the tables, or change it? */
bool control_is_on_tables(struct session *, const void *message, size_t len);
/* A bundled message: OF_OK when bundles may hold its type. */
bool control_may_bundle(enum of_type);
enum of_error control_apply(struct session *, const struct of_message *,
                            struct str *why);

/* ---- control_multipart.c ---- */

enum of_error control_multipart(struct session *, const struct of_message *);
bool control_multipart_is_on_tables(enum of_multipart_type);

/* ---- control_flows.c ---- */

/* Goes on with a list. */
void control_dump_more(struct session *);
void control_dump_end(struct session *);

/* Begins a list; `reply` was begun.  Of `what` its table and match count, and
 * what the class looks at. */
void control_dump_begin(struct session *, const struct of_reply *reply,
                        const struct of_multipart_request *what,
                        const struct dump_class *);
/* Does the entry send to this port and group (OFPP_ANY, OFPG_ANY: any)? */
bool control_entry_outputs(const struct flow_entry *, uint32_t port,
                           uint32_t group);

/* ---- control_table.c ---- */

enum of_error control_table_mod(struct session *, const struct of_table_mod *,
                                struct str *why);
void control_table_vacancy(struct control *, uint8_t table, bool is_tight);

/* ---- control_others.c ---- */

/* A change of groups or meters is done: tells other controllers. */
void control_forward(struct session *from, const struct of_message *);
void control_controller_event(struct session *about,
                              enum of_controller_reason);
bool control_short_id_is_free(const struct session *, uint16_t short_id);

/* ---- control_monitor.c ---- */

enum of_error control_monitor_cancel(struct session *, uint32_t id);
void control_monitors_free(struct session *);
/* An entry changed, with or without monitors of anybody. */
void control_monitor_event(struct control *, const struct table_event *);
/* Goes on with monitors that paused, when there is room again. */
void control_monitor_run(struct session *);

/* ---- control_bundle.c ---- */

enum of_error control_bundle(struct session *,
                             const struct of_bundle_control *,
                             struct str *why);
enum of_error control_bundle_add(struct session *,
                                 const struct of_bundle_add *,
                                 struct str *why);
void control_bundles_free(struct session *);
void control_bundle_reply(struct session *,
                          const struct of_bundle_control *request);

/* ---- control_commit.c ---- */

/* Begins to carry out a bundle, by the request in hand, which is answered when it
 * is done.  Takes the messages over; `has_sequel`: some of them are packets, or
 * of interest to other controllers. */
void control_commit_begin(struct session *, const struct of_bundle_control *,
                          struct buf *messages, bool has_sequel);
/* Goes on with it, if there is one.  Returns when to call again. */
msec control_commit_run(struct control *);
/* Is a commit in the way of this message? */
bool control_must_wait(struct session *, const void *message, size_t len);
/* The session ended.  True: its commit goes on and frees it. */
bool control_commit_leave(struct session *);
/* The end of control. */
void control_commit_abort(struct control *);

/* ---- control_async.c ---- */

void control_set_default_async(struct session *);
void control_watch_switch(struct control *);
/* Is anything of this kind wanted, for this reason? */
bool session_wants_async(const struct session *, enum of_async_type,
                         unsigned int reason);
/* Is it told of packets that no entry matches?  In OpenFlow 1.0 by itself; later
 * ones write an entry that says so. */
bool session_wants_misses(const struct session *);

/* ---- control_packet_in.c ---- */

/* Offers waiting packets to the sessions; true: there may be more. */
bool control_send_packet_ins(struct control *);

/* ---- control_port.c ---- */

void control_describe_port(const struct switch_port *, struct of_port_desc *);
void control_port_stats(const struct switch_port *, struct of_port_stats *);
enum of_error control_port_mod(struct control *, enum of_version,
                               const struct of_port_mod *);

/* ---- control_ct.c ---- */

enum of_error control_ct_flush(struct session *, const struct of_message *,
                               struct str *why);

#endif
