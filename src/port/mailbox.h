/* A mailbox: packets handed from any threads to one.
 *
 * A bounded ring without locks.  Producers claim a run of cells by one
 * compare-and-swap and fill them; the consumer takes what is filled, in order.
 * Packets stay their own pools'.
 *
 * The consumer may sleep on mailbox_fd().  It says so by asking mailbox_next()
 * and being told "nothing"; the next packet then makes the descriptor readable.
 * A consumer that never asks costs producers no system call. */
#ifndef WEFT_PORT_MAILBOX_H
#define WEFT_PORT_MAILBOX_H

#include "packet/batch.h"

struct mailbox;

/* `size` is rounded up to a power of two.  NULL: errno of eventfd(). */
struct mailbox *mailbox_create(uint32_t size);
/* Frees the packets inside.  Nobody may still use it. */
void mailbox_destroy(struct mailbox *);

/* Any thread.  Takes the first so many of `n` packets and returns how many: the
 * ring may be full. */
unsigned int mailbox_push(struct mailbox *, struct packet *const *,
                          unsigned int n);

/* ---- The consumer's thread ---- */

/* Appends to the batch; returns how many. */
unsigned int mailbox_pop(struct mailbox *, struct batch *);
/* When mailbox_pop() has something: 0 is now, INT64_MAX is when mailbox_fd()
 * becomes readable. */
usec mailbox_next(struct mailbox *);
int mailbox_fd(const struct mailbox *);

#endif
