/* OVSDB: a client of Open vSwitch's database (RFC 7047), by its Unix socket.
 *
 * Only the wire: JSON values with nothing between them, requests and their
 * answers, and the tables that we monitor.  What they mean is ovs_bridge.h's.
 *
 *     IDLE     waits for the next attempt (0.25 s, doubled up to 8 s)
 *     READING  connected; the tables were asked for
 *     READY    what we know is what there is; it is told of changes
 *
 *     IDLE -> READING -> READY      and back, when the connection is lost
 *
 * It never waits: what cannot be written stays in a buffer, and the loop says
 * when there is something to read.
 *
 * One thread, the loop's. */
#ifndef WEFT_HOST_OVSDB_H
#define WEFT_HOST_OVSDB_H

#include <jansson.h>
#include <uv.h>

#include "lib/str.h"

/* A value larger than this is nobody's bridge. */
enum { OVSDB_MAX_VALUE = 256 << 20 };

struct ovsdb;

struct ovsdb_config {
    uv_loop_t *loop;
    const char *path;             /* of the socket; outlives it */
    const char *database;         /* "Open_vSwitch"; the same */
    /* Which columns of which tables: the third parameter of the request
     * `monitor`; borrowed during the call. */
    const json_t *monitored;
    /* READY: the tables began anew, what follows is all of them. */
    void (*begin)(void *aux);
    /* <table-updates>: borrowed. */
    void (*update)(void *aux, const json_t *updates);
    /* A transaction was answered: NULL, it is in the database; else why not. */
    void (*answered)(void *aux, const char *error);
    /* Any of these happened, or the connection was lost: there may be something
     * to do. */
    void (*woken)(void *aux);
    void *aux;
};

struct ovsdb *ovsdb_create(const struct ovsdb_config *);
/* Accepts NULL.  Its handles are closed by the loop's next turns. */
void ovsdb_destroy(struct ovsdb *);

bool ovsdb_is_ready(const struct ovsdb *);
/* Why it is not; "" at first. */
const char *ovsdb_reason(const struct ovsdb *);
/* A transaction was sent and has no answer yet. */
bool ovsdb_is_busy(const struct ovsdb *);
/* READY and not busy only.  Takes `operations` (an array) over. */
void ovsdb_transact(struct ovsdb *, json_t *operations);

/* How many of `len` bytes are the first whole JSON object (0: it is not whole
 * yet); -EPROTO: it does not begin with one. */
ssize_t ovsdb_frame(const char *bytes, size_t len);

#endif
