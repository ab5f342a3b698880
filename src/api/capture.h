/* Captures: copies of what a port receives and sends, as a pcapng stream.
 *
 *     worker: datapath tap -> ring (capture_ring.h) -> http.c's thread -> client
 *
 * Workers never wait for a reader: a frame that does not fit the ring is counted
 * and left out, and the stream says how many (Interface Statistics Blocks).
 *
 * Life of a capture:
 *
 *     begun     by its handler: the tap is set; http.c reads until
 *     ended     the client went, the port is deleted, or the daemon ends; then
 *     closed    http.c will not read again; captures_run() frees it.
 *
 * Threads: capture_read() and capture_close() are http.c's; everything else is
 * the control thread's. */
#ifndef WEFT_API_CAPTURE_H
#define WEFT_API_CAPTURE_H

#include "switch/switch.h"

enum {
    CAPTURES_MAX = 16,
    CAPTURE_PERIOD_MS = 20,       /* how often captures_run() is called */
};

enum capture_direction { CAPTURE_BOTH, CAPTURE_RX, CAPTURE_TX };

struct capture;
struct captures;

struct captures *captures_create(struct datapath *);
/* Every capture must be closed. */
void captures_destroy(struct captures *);

/* -EBUSY: the port is captured already.  -ENOSPC: there are CAPTURES_MAX. */
int captures_begin(struct captures *, struct port *, enum capture_direction,
                   struct capture **);
/* The port is about to go. */
void captures_end_port(struct captures *, const struct port *);
void captures_end_all(struct captures *);
/* Frees what is closed; calls `wake` for each capture whose reader waits and
 * has something to read.  False: there is no capture left. */
bool captures_run(struct captures *, void (*wake)(void *reader));

/* ---- For the reader ---- */

/* Up to `max` bytes of the stream; 0: nothing now; -EPIPE: it has ended. */
int capture_read(struct capture *, void *buf, size_t max);
/* The reader sleeps until it is woken.  Call when it sleeps already.  False:
 * the stream ended meanwhile and nobody else will wake it. */
bool capture_wait(struct capture *, void *reader);
/* Its client went: the next read ends. */
void capture_end(struct capture *);
void capture_close(struct capture *);

#endif
