/* Pairs: ports whose other end is a port too.
 *
 * `patch` and `impair` name their peer (peer=NAME).  Whichever of the two is
 * opened first leaves its half in the registry, and the other finds it there.
 * Workers send into the peer's mailbox while the control thread may be closing
 * the peer, so the mailboxes belong to the pair, which lives until both ends
 * have left.
 *
 * Join and leave: control thread.  The rest: as its names say. */
#ifndef WEFT_PORT_PAIR_H
#define WEFT_PORT_PAIR_H

#include "port/mailbox.h"
#include "port/port.h"

struct pair;

/* One port's view of its pair. */
struct pair_end {
    struct pair *pair;
    unsigned int side;            /* 0 or 1 */
};

/* Takes the place of `port`, named by its "peer" option.  -EINVAL: no such
 * option, or itself; -EEXIST: the peer's other end is taken. */
int pair_join(struct port *, struct pair_end *, struct str *error);
void pair_leave(struct port_registry *, struct pair_end *);

/* Worker: is somebody there to take what we send? */
bool pair_is_linked(const struct pair_end *);
struct mailbox *pair_inbox(const struct pair_end *);
/* Worker: sends the batch to the peer.  What cannot be sent is dropped and
 * counted. */
void pair_tx(struct port *, const struct pair_end *, struct batch *);
/* For describe(). */
void pair_describe(const struct port *, const struct pair_end *,
                   struct str *);

#endif
