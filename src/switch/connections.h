/* A switch's OpenFlow connections, on libuv's loop.
 *
 *     targets.c       controllers that we connect to, again and again
 *     connections.c   listeners; the switch's own `<run>/<switch>.mgmt` and
 *                     `.snoop`; sessions' descriptors on the loop
 *
 * What is said on them is control.h's business.
 *
 * A controller may have auxiliary connections beside its main one (1.3 section
 * 6.3.8): they are made when the main one is open and end with it.
 *
 * Owned by the control thread. */
#ifndef WEFT_SWITCH_CONNECTIONS_H
#define WEFT_SWITCH_CONNECTIONS_H

#include "openflow/method.h"
#include "openflow/tls.h"
#include "switch/control_counters.h"

struct switch_;
struct helper;
struct uv_loop_s;

struct connections;

enum { CONNECTIONS_MAX_TARGETS = 16, CONNECTIONS_MAX_AUXILIARY = 8 };

/* What can be changed while the switch runs. */
struct connection_settings {
    bool is_standalone;           /* the fail mode */
    msec probe_interval;          /* of controllers; 0: none */
    unsigned int n_auxiliary;     /* connections beside a controller's main */
    uint32_t packet_in_rate;      /* a second, of one port for one reason; 0:
                                     any number */
};

struct connections_config {
    struct uv_loop_s *loop;
    struct switch_ *sw;
    struct helper *helper;
    uint32_t versions;            /* as in control.h */
    struct connection_settings settings;
    struct of_tls_files tls;      /* NULL: no TLS */
    unsigned int n_controllers, n_listeners;
    const char *const *controllers, *const *listeners;      /* methods */
    /* Something came: call connections_run() and what belongs to a turn. */
    void (*turn)(void *aux);
    void *aux;
};

/* Listens and begins to connect.  0 or negative errno with words. */
int connections_start(const struct connections_config *,
                      struct connections **, struct str *error);
/* The loop runs once more afterwards. */
void connections_stop(struct connections *);

/* One turn, RCU-online; returns when the next is due, `now` for at once. */
msec connections_run(struct connections *, msec now);
/* Ends a turn: watches for what the sessions want now, and connects what is due.
 * Returns when the next is. */
msec connections_watch(struct connections *, msec now);

/* ---- Changes, by the operator ---- */

/* Exactly these controllers from now on; connections to those that stay, stay.
 * Nothing is changed on failure: -EINVAL, -ENOSPC. */
int connections_set_controllers(struct connections *, unsigned int n,
                                const char *const *methods,
                                struct str *error);
/* -ENOENT. */
int connections_delete_controller(struct connections *, const char *method);
void connections_get_settings(const struct connections *,
                              struct connection_settings *);
void connections_set_settings(struct connections *,
                              const struct connection_settings *, msec now);

/* ---- Who is there ---- */

enum connection_kind { CONNECTION_CONTROLLER, CONNECTION_TOOL,
                       CONNECTION_SNOOP, CONNECTION_LISTENER };

struct connection_info {
    enum connection_kind kind;
    const char *name;             /* a controller's or listener's method; who
                                     came: its address */
    unsigned int auxiliary_id;    /* 0: a main connection */
    const char *state;            /* "connected", "connecting", "waiting",
                                     "listening" */
    msec since;                   /* when that began */
    msec next_try;                /* when waiting */
    const char *version, *role;   /* when connected: "OpenFlow13", "master" */
    const char *tls;              /* as of_stream_describe(); "" */
    const char *last_error;       /* why it ended last, a sentence; "" */
    msec last_error_at;
    struct control_counters counters;
    size_t backlog;               /* bytes that its peer did not read yet */
};

typedef void connection_visit(void *aux, const struct connection_info *);
void connections_visit(const struct connections *, connection_visit *,
                       void *aux);
/* Shows every message, in words, while `watch` is not NULL. */
struct connection_message {
    const char *peer;
    bool is_sent;
    const char *version, *type;
    uint32_t xid;
    size_t len;                   /* bytes on the wire */
    const char *text;             /* cut when it is very long */
};
typedef void connection_watch(void *aux, const struct connection_message *);
void connections_set_watch(struct connections *, connection_watch *,
                           void *aux);

void connections_read_counters(const struct connections *,
                               struct control_counters *);

#endif
