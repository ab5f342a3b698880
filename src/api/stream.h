/* Replies without an end: what the control thread and others write, http.c's
 * thread reads and sends on as it comes.
 *
 * Life of a stream:
 *
 *     begun     by its handler; http.c reads until it is
 *     ended     the client went, what it shows went, or the daemon ends; then
 *     closed    http.c will not read again; its owner frees it in the next
 *               stream_run().
 *
 * Threads: read, wait and close are http.c's; stream_run() is the control
 * thread's; end is anybody's. */
#ifndef WEFT_API_STREAM_H
#define WEFT_API_STREAM_H

#include <stdatomic.h>

#include "lib/types.h"

enum { STREAM_PERIOD_MS = 20 };   /* how often owners call stream_run() */

struct stream;

struct stream_class {
    /* As stream_read(). */
    int (*read)(struct stream *, void *buf, size_t max);
    /* Would read() find something?  Asked while the reader waits. */
    bool (*has_news)(struct stream *);
};

struct stream {
    const struct stream_class *class;
    atomic_bool is_ended, is_closed;
    _Atomic(void *) reader;       /* waits; NULL: it does not */
};

void stream_init(struct stream *, const struct stream_class *);

/* Up to `max` bytes; 0: nothing now; -EPIPE: it has ended. */
int stream_read(struct stream *, void *buf, size_t max);
/* The reader sleeps until it is woken.  Call when it sleeps already.  False: the
 * stream ended meanwhile and nobody else will wake it. */
bool stream_wait(struct stream *, void *reader);
/* The next read that finds nothing ends. */
void stream_end(struct stream *);
void stream_close(struct stream *);

/* Calls `wake` (may be NULL) when its reader waits and has something to read.
 * False: it is closed and to be freed. */
bool stream_run(struct stream *, void (*wake)(void *reader));

#endif
