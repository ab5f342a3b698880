/* Frozen pipeline states, by recirculation id.
 *
 * When translation needs headers that the key does not show, it freezes what it
 * still has to do, gives the packet an id and sends it through the data path
 * again; the next translation finds the state by that id.  What a state holds
 * is translate_freeze.c's business, here it is a row of bytes.
 *
 * Equal states share one id, so that packets of one flow find one cache entry.
 * A state lives while an answer refers to it, and RECIRC_LINGER after that for
 * packets on their way.  One that a controller was told of, to resume from, is
 * kept for RECIRC_TOLD, unless states are more than half of what there may be.
 * Ids are not used again before 2^32 others were.
 *
 * Any thread that is an RCU reader may call everything but expire, create and
 * destroy. */
#ifndef WEFT_SWITCH_RECIRC_H
#define WEFT_SWITCH_RECIRC_H

#include "lib/types.h"

enum {
    RECIRC_MAX = 65536,
    RECIRC_LINGER = 10 * 1000,
    RECIRC_TOLD = 5 * 60 * 1000,
};

struct recirc;

struct recirc_state {
    uint32_t id;
    uint32_t len;
    uint64_t data[];
};

struct recirc *recirc_create(void);
/* Nobody uses it any more. */
void recirc_destroy(struct recirc *);

/* The id of a state with these bytes, made if there was none; 0 when there are
 * too many.  `now` keeps it for RECIRC_LINGER. */
uint32_t recirc_id(struct recirc *, const void *data, uint32_t len, msec now);
/* Valid until the thread's next quiescent state; NULL: gone. */
const struct recirc_state *recirc_find(const struct recirc *, uint32_t id);

/* A number that only this state's bytes and this process lead to: an id that
 * came back from outside is of the state that it was given out for. */
uint64_t recirc_token(const struct recirc *, const struct recirc_state *);

/* An answer refers to the state, or not any more.  False: it is gone. */
bool recirc_ref(struct recirc *, uint32_t id);
void recirc_unref(struct recirc *, uint32_t id, msec now);

/* A controller is told of the state now. */
void recirc_tell(struct recirc *, uint32_t id, msec now);

/* One thread: removes what nobody refers to.  Returns how many. */
unsigned int recirc_expire(struct recirc *, msec now);
unsigned int recirc_count(const struct recirc *);

#endif
