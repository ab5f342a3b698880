/* The API's socket: HTTP by libmicrohttpd, in a thread of its own.
 *
 * The thread receives whole, bounded requests and suspends their connections;
 * the control thread's loop handles them one by one and resumes the connection
 * with the reply.  Nobody waits for a slow client but its own connection.
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

/* To be called on the loop's thread, like http_stop(). */
int http_start(const struct http_config *, struct http **,
               struct str *error);
/* Answers what was asked, ends captures, and runs the loop until all is done.
 * Accepts NULL. */
void http_stop(struct http *);

#endif
