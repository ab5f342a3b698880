/* Peer own: what this host says of itself, as messages that are ready to send.
 *
 * Kept encoded, so that what is new is found by comparing and a peer that comes
 * back is told everything without asking anybody.
 *
 * One thread. */
#ifndef WEFT_PEER_PEER_OWN_H
#define WEFT_PEER_PEER_OWN_H

#include "controller/controller.h"
#include "lib/str.h"

struct peer_own;

struct peer_own *peer_own_create(void);
/* Accepts NULL. */
void peer_own_destroy(struct peer_own *);

/* Everything anew: begin, then each thing that there is, then end.  What is other
 * than it was is appended to `news`. */
void peer_own_begin(struct peer_own *);
void peer_own_port(struct peer_own *, const struct controller_own *,
                   struct str *news);
void peer_own_end(struct peer_own *, struct str *news);

/* The same of who listens. */
void peer_own_begin_listening(struct peer_own *);
void peer_own_listening(struct peer_own *,
                        const struct controller_listening *,
                        struct str *news);
void peer_own_end_listening(struct peer_own *, struct str *news);

/* Appends all of it, for somebody who knows nothing. */
void peer_own_add_all(const struct peer_own *, struct str *);

#endif
