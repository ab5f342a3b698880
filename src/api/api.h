/* The API: how an operator's tools reach the daemon.
 *
 * HTTP and JSON over the Unix socket `<run>/api.sock`.  What can be asked is
 * one table, routes.c; what is answered to each row is in the file of its noun.
 *
 *     client -> http.c (its own thread: libmicrohttpd)
 *                 | request, whole and bounded
 *                 v
 *            its owner's thread: routes.c -> ports.c, flows.c, ...  -> reply
 *                 | long lists: a job on the loop's pool, under RCU
 *                 | what two threads know (explain): handed from one to the
 *                 | other and back, each adding its part
 *                 v
 *            http.c -> client
 *
 * Always true:
 *   - Handlers run on the thread that owns their noun (the switch's or the
 *     controller's), one at a time; they never wait for a client or a device
 *     that may not answer.
 *   - A request is at most API_MAX_BODY bytes, and every list of parameters,
 *     connections and captures has an end.
 *   - Every refusal is a JSON object that says what, where and what to do next
 *     (reply.h).
 *   - Parsing needs no socket and no switch (body.h), handling needs no socket
 *     (api_dispatch): both are tested and fuzzed so. */
#ifndef WEFT_API_API_H
#define WEFT_API_API_H

#include "api/reply.h"
#include "api/request.h"
#include "switch/switch.h"

enum { API_MAX_BODY = 1 << 20 };

/* Whose threads handlers run on. */
enum api_owner { API_SWITCH, API_CONTROLLER, N_API_OWNERS };

/* What handlers work on. */
struct api {
    struct switch_ *sw;                 /* NULL: a controller only */
    const char *switch_name;            /* then: of the one that it drives */
    struct connections *connections;    /* NULL: none here (tests) */
    const char *version;
    const char *instance;               /* NULL: none (tests) */
    msec started;                       /* clock_msec() */
    unsigned int helper_generation;     /* how often main was restarted */
    struct captures *captures;          /* NULL: no captures here (tests) */
    struct snoops *snoops;              /* the same */
    struct host *host;                  /* NULL: a switch only */
    /* The controller's thread's; NULL: the same. */
    struct intents *intents;
    struct controller *controller;
    struct peer_mesh *mesh;             /* NULL: it could not be made, too */
};

/* Any thread: who owns what is at this path; API_SWITCH when nothing is. */
enum api_owner api_owner(const char *path);
/* On the owner's thread: is a bundle in the way, so that it cannot be dispatched
 * yet (switch_wait_for_bundle())? */
bool api_must_wait(const struct api *, const struct api_request *);
/* On the owner's thread: finds the route and runs its handler.
 * The reply may hold a job: then it is not finished until api_run_job(); or be
 * deferred: until api_reply_finish(); or be relayed: then it is dispatched again
 * on that owner's thread. */
void api_dispatch(struct api *, struct api_request *, msec now,
                  struct api_reply *);
/* Any thread that is a registered RCU reader. */
void api_run_job(struct api_reply *);

#endif
