/* What connections.c and targets.c share.  See connections.h. */
#ifndef WEFT_SWITCH_CONNECTIONS_IMPL_H
#define WEFT_SWITCH_CONNECTIONS_IMPL_H

#include <uv.h>

#include "switch/connections.h"
#include "switch/control.h"

struct leg;
struct listener;

/* A session's descriptor on the loop. */
struct link {
    uv_poll_t poll;
    struct connections *connections;
    struct session *session;
    struct leg *leg;              /* NULL: came by a listener */
    struct listener *listener;    /* NULL: did not */
    unsigned int watched;         /* enum of_events */
    bool is_announced;
    char peer[160];               /* who it is, for people */
};

/* One connection to a controller.
 *
 *     waiting for next_try -> connecting (poll) -> a session (link)
 *           ^------------------------+--------------------'
 *
 * Leg 0 is the main one; others are tried while it is open. */
struct leg {
    struct target *target;
    unsigned int auxiliary_id;
    struct link *link;
    uv_poll_t *connecting;
    msec next_try, backoff;
    msec since;                   /* the present state */
    char last_error[OF_REASON_SIZE];
    msec last_error_at;
};

/* A controller that we keep connected to. */
struct target {
    struct connections *connections;
    char *text;
    struct of_method method;
    struct leg legs[1 + CONNECTIONS_MAX_AUXILIARY];
};

struct listener {
    uv_poll_t poll;
    struct connections *connections;
    enum session_kind kind;
    char *text;
    bool is_tls;
    int fd;
    msec since;
    char last_error[OF_REASON_SIZE + 80];
    msec last_error_at;
};

struct connections {
    struct connections_config config;
    struct connection_settings settings;
    struct control *control;
    struct of_tls *tls;
    connection_watch *watch;      /* NULL: nobody looks */
    void *watch_aux;
    unsigned int n_listeners, n_targets;
    struct listener **listeners;
    struct target *targets[CONNECTIONS_MAX_TARGETS];
};

/* ---- connections.c ---- */

/* Makes a session of a connected descriptor, which it takes, by that leg or
 * listener (the other is NULL).  NULL: refused, the reason was logged. */
struct link *link_create(struct connections *, int fd,
                         const struct session_config *, struct leg *,
                         struct listener *, msec now);
/* Ends the session. */
void link_destroy(struct link *);
/* The TLS that methods ask for; NULL with `error` when there is none. */
struct of_tls *connections_tls(struct connections *, const char *method,
                               struct str *error);
void connections_free_handle(uv_handle_t *);

/* ---- targets.c ---- */

/* NULL with `error`. */
struct target *target_create(struct connections *, const char *method,
                             struct str *error);
/* Ends its connections. */
void target_destroy(struct target *);
/* Connects what is due; returns when the next is. */
msec target_run(struct target *, msec now);
/* Its link's session is open. */
void target_connected(struct leg *);
/* Its link's session has ended and is about to go. */
void target_lost(struct leg *, msec now);
/* "tcp:10.0.0.1", or "... auxiliary connection 1". */
void target_name(const struct leg *, char *buf, size_t size);
void target_describe(const struct leg *, struct connection_info *);

#endif
