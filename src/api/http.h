/* The API's socket: HTTP by libmicrohttpd, in a thread of its own.
 *
 * The thread receives whole, bounded requests and suspends their connections;
 * the loop of the thread that owns the noun (its lane) handles them one by one
 * and resumes the connection with the reply.  Nobody waits for a slow client
 * but its own connection.
 *
 * Who may ask: root, the user that the daemon runs as, and members of one group
 * (the socket's file mode says so; SO_PEERCRED says it again, for a socket that
 * was handed on). */
#ifndef WEFT_API_HTTP_H
#define WEFT_API_HTTP_H

#include <sys/types.h>
#include <uv.h>

#include "api/api.h"

struct http_config {
    uv_loop_t *loop;
    struct api *api;
    int listen_fd;                /* taken over */
    gid_t gid;                    /* members may ask; (gid_t) -1: no group */
};

struct http;

/* Opens the switch's lane.  To be called on the loop's thread, like
 * http_stop(). */
int http_start(const struct http_config *, struct http **,
               struct str *error);
/* Another thread's nouns are answered from now on, and no more: by functions of
 * that thread, before http_stop().  Closing runs the loop until all that was
 * asked is answered; replies which handlers deferred are theirs to finish. */
int http_open_lane(struct http *, enum api_owner, uv_loop_t *);
void http_close_lane(struct http *, enum api_owner);
/* A question that comes from within the daemon and not from a client; of a GET
 * that is no stream.  `answered` is called once, on the thread that replies last,
 * with a reply that it may read; not when a lane is closed meanwhile.  False: the
 * first one is closed already. */
typedef void http_answered(void *aux, const struct api_reply *);
bool http_ask(struct http *, const char *path, const struct api_param *,
              unsigned int n_params, http_answered *, void *aux);
/* Answers what was asked, ends captures, and runs the loop until all is done.
 * Accepts NULL. */
void http_stop(struct http *);

#endif
