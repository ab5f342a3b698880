/* The revalidator: keeps house in the flow cache.
 *
 * Every REVALIDATE_INTERVAL it visits all cache entries, passes their counts on
 * to whom they are credited (which refreshes idle timeouts and the fdb), and
 * asks workers to drop entries that were idle too long; sooner when the cache
 * fills up.  It also ends frozen states that nothing refers to.
 *
 * What changes of the tables made wrong is not its business: the control thread
 * marks that (datapath_invalidate) and the next packet translates anew. */
#ifndef WEFT_SWITCH_REVALIDATE_H
#define WEFT_SWITCH_REVALIDATE_H

#include "switch/credit.h"

enum {
    REVALIDATE_INTERVAL = 500,          /* msec */
    REVALIDATE_IDLE = 10 * 1000,        /* an entry may be idle so long, */
    REVALIDATE_IDLE_FULL = 1000,        /* or so, when the cache is full */
};

struct revalidator;

#define REVALIDATE_COUNTERS(X)                                               \
    X(rounds, "visits of the whole cache")                                   \
    X(idle_removed, "entries dropped because nobody used them")              \
    X(asked_again, "entries dropped because what they learn is gone")        \
    X(states_expired, "frozen states that ended")

struct revalidate_counters {
#define X(NAME, TEXT) uint64_t NAME;
    REVALIDATE_COUNTERS(X)
#undef X
};

/* Without a thread, when nobody but tests calls revalidate_once(). */
struct revalidator *revalidator_create(struct datapath *, struct credits *,
                                       struct recirc *, bool with_thread);
/* Ends the thread. */
void revalidator_destroy(struct revalidator *);

/* One round; the caller is an RCU reader. */
void revalidate_once(struct revalidator *, msec now);
/* Only passes the counts on; any RCU reader. */
void revalidate_push(struct revalidator *);
void revalidate_read_counters(const struct revalidator *,
                              struct revalidate_counters *);

#endif
