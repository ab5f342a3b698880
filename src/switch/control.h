/* Control: OpenFlow requests -> the switch -> replies.
 *
 * Holds the sessions of one switch: its controllers, the tools that came by a
 * listening socket, and those who only look on (snoop).
 *
 *     bytes -> openflow/conn -> control_request.c -> switch.h, tables.h
 *                             control_multipart.c    statistics, in pieces
 *                             control_bundle.c       all or nothing
 *     packets, entries, ports -> control_async.c -> sessions that want them
 *
 * There is no event loop inside.  Who has one watches session_fd() for what
 * session_wants() says, calls session_on_ready(), and control_run() after that
 * and when it asked for it.  Any call may change what any session wants, or
 * close one: look at all of them afterwards (there are few).
 *
 * One turn is bounded: so many requests per session, so many entries of a list,
 * so many packet-ins.  A session whose peer does not read gets no more requests
 * read, its lists wait, and its packet-ins are dropped (and counted), so memory
 * is bounded by the sessions' number.  Packet-ins are offered after requests.
 *
 * Auxiliary connections (1.3 section 6.3.8).  A controller's further connections
 * have the role and the wishes of its main one; requests are answered on the
 * connection that they came by.  Packet-ins are spread over all of them, those
 * of one ingress port always on the same; everything else that was not asked
 * for goes by the main one.  They end with it.
 *
 * Fail mode standalone: while no controller is connected the switch holds the
 * entry priority=0,actions=NORMAL.  Control takes away only the one that it or
 * the switch's start put there.
 *
 * Owned by the control thread, which is RCU-online in every call. */
#ifndef WEFT_SWITCH_CONTROL_H
#define WEFT_SWITCH_CONTROL_H

#include "openflow/conn.h"
#include "switch/control_counters.h"
#include "switch/switch.h"

struct control;
struct session;

enum { CONTROL_MAX_SESSIONS = 128 };

enum session_kind {
    SESSION_CONTROLLER,           /* configured: gets packet-ins at once */
    SESSION_TOOL,                 /* came by a listening socket: gets
                                     asynchronous messages once it has set
                                     miss_send_len */
    SESSION_SNOOP,                /* gets copies of the others' messages */
};

struct control_config {
    struct switch_ *sw;
    uint32_t versions;            /* offered, bit 1 << version; 0: all */
    msec probe_interval;          /* of controllers; 0: none */
};

struct session_config {
    enum session_kind kind;
    void *owner;
    const char *uri;              /* of a controller, for others to read; NULL:
                                     nobody knows */
    struct of_tls *tls;           /* NULL: plain */
    bool is_server;               /* the peer connected to us */
    /* Of an auxiliary connection: the one it stands beside, which is such that
     * session_may_have_auxiliary(), and its number from 1. */
    struct session *main;
    uint8_t auxiliary_id;
};

struct session_info {
    enum of_version version;      /* 0 until the hellos have met */
    enum of_role_type role;
    msec opened;
    struct control_counters counters;
    size_t backlog;               /* bytes that wait to be sent */
};

struct control *control_create(const struct control_config *);
void control_destroy(struct control *);

void control_set_fail_mode(struct control *, enum fail_mode, msec now);
void control_set_probe_interval(struct control *, msec);
/* Shows every message that sessions (but snoops) send or receive; NULL: none. */
typedef void control_watch(void *aux, const struct session *, bool is_sent,
                           const void *message, size_t len);
void control_set_watch(struct control *, control_watch *, void *aux);

/* Takes the connected descriptor over.  NULL: there are too many sessions (the
 * descriptor is closed). */
struct session *control_add_session(struct control *, int fd,
                                    const struct session_config *, msec now);
void control_remove_session(struct session *);
/* NULL begins and ends. */
struct session *control_next_session(const struct control *,
                                     const struct session *);

/* Moves on with everything; returns when to call again, `now` at once. */
msec control_run(struct control *, msec now);

int session_fd(const struct session *);
/* enum of_events. */
unsigned int session_wants(const struct session *);
void session_on_ready(struct session *, unsigned int events, msec now);
bool session_is_closed(const struct session *);
const char *session_reason(const struct session *);
/* As given to control_add_session(). */
void *session_owner(const struct session *);
/* True once the hellos have met, until it is closed. */
bool session_is_open(const struct session *);
/* The same, closed or not. */
bool session_was_open(const struct session *);
bool session_may_have_auxiliary(const struct session *);
void session_end(struct session *, const char *reason);
void session_describe(const struct session *, struct session_info *);
/* In words, for a watch; `text` is the caller's and gets them appended. */
struct session_message {
    const char *version, *type;
    uint32_t xid;
    struct str *text;
};
void session_describe_message(const struct session *, const void *message,
                              size_t len, struct session_message *);
/* As of_stream_describe(). */
bool session_describe_tls(const struct session *, struct str *);

void control_read_counters(const struct control *,
                           struct control_counters *);

#endif
