/* Placement: the generations of the ports that this host has.
 *
 * By the file a port is here; who else has an older or a newer file may think
 * otherwise.  So a port gets a generation when it comes to this host, higher
 * than any that was heard of it, and keeps it, over restarts too, until it
 * leaves.  It begins as the wall clock's milliseconds, so that a host that heard
 * nothing of the others is believed all the same.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_PLACEMENT_H
#define WEFT_CONTROLLER_PLACEMENT_H

#include "controller/remote.h"
#include "intent/intent.h"
#include "store/store.h"

struct placement;

/* The store is borrowed; NULL: generations are kept as long as we live.  What
 * is here is said to `remote` (borrowed) as well. */
struct placement *placement_create(struct store *, struct remote *);
/* Accepts NULL. */
void placement_destroy(struct placement *);

/* Another set of intents, and our name in it (NULL: none). */
void placement_follow(struct placement *, const struct intent *,
                      const char *host);
/* Of a port's object; 0: by our file it is not here. */
uint64_t placement_generation(const struct placement *, uint64_t port);

#endif
