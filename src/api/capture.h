/* Captures: copies of what a port receives and sends, as a pcapng stream.
 *
 *     worker: datapath tap -> ring (capture_ring.h) -> http.c's thread -> client
 *
 * Workers never wait for a reader: a frame that does not fit the ring is counted
 * and left out, and the stream says how many (Interface Statistics Blocks).
 *
 * The tap is set from the handler until the stream (stream.h) is closed; it ends
 * when its port is deleted. */
#ifndef WEFT_API_CAPTURE_H
#define WEFT_API_CAPTURE_H

#include "api/stream.h"
#include "switch/switch.h"

enum { CAPTURES_MAX = 16 };

enum capture_direction { CAPTURE_BOTH, CAPTURE_RX, CAPTURE_TX };

struct captures;

struct captures *captures_create(struct datapath *);
/* Every capture must be closed. */
void captures_destroy(struct captures *);

/* -EBUSY: the port is captured already.  -ENOSPC: there are CAPTURES_MAX. */
int captures_begin(struct captures *, struct port *, enum capture_direction,
                   struct stream **);
/* The port is about to go. */
void captures_end_port(struct captures *, const struct port *);
void captures_end_all(struct captures *);
/* As stream_run(), for all.  False: there is no capture left. */
bool captures_run(struct captures *, void (*wake)(void *reader));

#endif
