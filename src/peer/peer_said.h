/* Peer said: what one other host says, as it goes into `struct remote`.
 *
 * Between "begin" and "end" it says all that there is; what it does not repeat is
 * gone at "end".  A session that is lost in between takes nothing back.
 *
 * One thread. */
#ifndef WEFT_PEER_PEER_SAID_H
#define WEFT_PEER_PEER_SAID_H

#include "controller/remote.h"
#include "peer/peer_message.h"

struct peer_said;

/* `host`: its object's id.  The remote is borrowed. */
struct peer_said *peer_said_create(struct remote *, uint64_t host);
/* Everything that it said is forgotten.  Accepts NULL. */
void peer_said_destroy(struct peer_said *);

/* Does the remote change by it?  -ENOSPC, -EINVAL: it says too much. */
int peer_said_take(struct peer_said *, const struct peer_message *,
                   bool *is_news);

unsigned int peer_said_count(const struct peer_said *);

#endif
