/* One reply: a status, a body, or a job that will make the body.
 *
 * Refusals are made by api_fail() only and have one shape:
 *
 *     {"error": {"code": "not-found", "what": "there is no port 'wbe'",
 *                "where": "port", "hint": "did you mean 'web'?"}}
 *
 * code is for programs, what and hint are for people, where names the member,
 * parameter or place in a text that is at fault (null: the whole request). */
#ifndef WEFT_API_REPLY_H
#define WEFT_API_REPLY_H

#include <jansson.h>

#include "lib/str.h"

/* X(ID, code, HTTP status).  The manual's table of exit statuses is made of the
 * status: weft(1). */
#define API_ERRORS(X)                                                        \
    X(API_BAD_REQUEST, "bad-request", 400)                                   \
    X(API_FORBIDDEN, "forbidden", 403)                                       \
    X(API_NOT_FOUND, "not-found", 404)                                       \
    X(API_BAD_METHOD, "bad-method", 405)                                     \
    X(API_CONFLICT, "conflict", 409)                                         \
    X(API_TOO_LARGE, "too-large", 413)                                       \
    X(API_REFUSED, "refused", 422)                                           \
    X(API_INTERNAL, "internal", 500)                                         \
    X(API_BUSY, "busy", 503)                                                 \
    X(API_FULL, "full", 507)

enum api_error {
#define X(ID, CODE, STATUS) ID,
    API_ERRORS(X)
#undef X
    N_API_ERRORS
};

struct api;
struct api_reply;
struct api_request;

/* The handler did its part; the rest is the business of another thread: of
 * `owner` (enum api_owner).  See api_relay(). */
struct api_relay {
    void (*go_on)(struct api *, struct api_request *, msec now,
                  struct api_reply *);      /* NULL: there is no rest */
    unsigned int owner;
    void *state;                  /* of the handlers; owned by the reply */
    void (*destroy)(void *state);
};

/* The part of a request that may take long: reads under RCU, fills the reply. */
struct api_job {
    void (*run)(struct api_job *, struct api_reply *);
    void (*destroy)(struct api_job *);
};

struct api_reply {
    unsigned int status;          /* HTTP; 0: not decided yet */
    const char *content_type;
    struct str body;
    struct api_job *job;          /* owned */
    struct api_relay relay;
    struct stream *stream;        /* the body is what it says; not owned */
    /* The handler fills it in later, on its thread, and then calls
     * api_reply_finish(). */
    bool is_deferred;
    void (*finish)(struct api_reply *); /* who waits for that */
};

void api_reply_finish(struct api_reply *);

void api_reply_fini(struct api_reply *);

/* The last thing that a handler does: `go_on` is called on the other thread, with
 * what relay.state holds. */
void api_relay(struct api_reply *, unsigned int owner,
               void (*go_on)(struct api *, struct api_request *, msec now,
                             struct api_reply *));

/* Takes `json` over; NULL (no memory) is an internal error. */
void api_reply_json(struct api_reply *, unsigned int status, json_t *json);
/* {} */
void api_reply_done(struct api_reply *);
/* `where` and `hint` may be NULL. */
void api_fail(struct api_reply *, enum api_error, const char *where,
              const char *hint, const char *format, ...) PRINTF_FORMAT(5, 6);

/* Appends a list to a body without holding all of it as JSON values: each takes
 * `json` over. */
void api_list_begin(struct api_reply *, const char *name);
void api_list_add(struct api_reply *, json_t *json);
void api_list_end(struct api_reply *);

#endif
