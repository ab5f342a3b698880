/* `ring`: frames between a program and the switch in its memory.
 *
 * For benchmarks and tests: what ring_push() is given comes in at the port, what
 * the switch sends to it waits for ring_pop().  Packets stay their own pools';
 * either side may run on any thread, ring_pop() on one at a time. */
#ifndef WEFT_PORT_RING_H
#define WEFT_PORT_RING_H

#include "port/port.h"

/* `port` is of class "ring" and UP.  Takes the first so many packets and returns
 * how many: the ring may be full. */
unsigned int ring_push(struct port *, struct packet *const *,
                       unsigned int n);
/* Appends to the batch; returns how many. */
unsigned int ring_pop(struct port *, struct batch *);
/* Waits until ring_pop() has something.  False: `timeout` is over. */
bool ring_wait(struct port *, msec timeout);

#endif
