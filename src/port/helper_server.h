/* The helper's half of helper_proto.h: checks requests and carries them out.
 *
 * Knows nothing of processes: helper_start.c forks, and asks this file to serve
 * one request when the socket is readable. */
#ifndef WEFT_PORT_HELPER_SERVER_H
#define WEFT_PORT_HELPER_SERVER_H

#include "port/helper.h"

struct helper_server;

/* -EADDRINUSE: another daemon of this instance name runs in this namespace.
 * Cleans up what a killed one left. */
int helper_server_create(const struct helper_options *,
                         struct helper_server **, struct str *error);
/* Takes away everything that was made (options.keep_devices: except what is to
 * outlive us). */
void helper_server_destroy(struct helper_server *);

/* In a process forked off: closes its copies and frees, undoing nothing. */
void helper_server_abandon(struct helper_server *);

/* Main ends for another one to follow: what it releases from now on is held for
 * that. */
void helper_server_await_main(struct helper_server *);
/* A new main begins to ask: what it asks for again is handed to it. */
void helper_server_new_main(struct helper_server *);
/* Looks after what is held, now and then: returns when to be called again. */
msec helper_server_run(struct helper_server *, msec now);
/* Readable: it is to be called at once; -1: never. */
int helper_server_fd(const struct helper_server *);
/* Answers one request on `sock`.  -EPIPE: main is gone. */
int helper_serve(struct helper_server *, int sock);

#endif
