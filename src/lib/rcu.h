/* Read-copy-update: readers without locks, over liburcu's QSBR flavour.
 *
 * A thread that reads shared structures registers, and says from time to time
 * that it holds no pointers into them: rcu_quiescent() between batches,
 * rcu_offline() before it may sleep.  What a writer took out of reach is freed
 * one grace period later: when every registered thread that is online has been
 * quiescent since.
 *
 * Everything goes through these names, so that the thread sanitizer learns of
 * the ordering too, which it cannot see inside liburcu. */
#ifndef WEFT_LIB_RCU_H
#define WEFT_LIB_RCU_H

#include "lib/types.h"

/* Called by a thread before its first read and after its last.  It is online
 * in between. */
void rcu_thread_begin(void);
void rcu_thread_end(void);

void rcu_quiescent(void);
void rcu_offline(void);
void rcu_online(void);
bool rcu_is_online(void);

/* Waits for a grace period; the caller may be registered, and holds nothing. */
void rcu_synchronize(void);

/* Calls `done` a grace period later, on a thread of liburcu's.  The caller is
 * registered and online, or not registered at all. */
struct rcu_later {
    void *head[2];                /* liburcu's struct rcu_head */
    void (*done)(struct rcu_later *);
};
void rcu_call(struct rcu_later *, void (*done)(struct rcu_later *));
/* free(), a grace period later, of memory that begins with `later`. */
void rcu_free(struct rcu_later *);
/* Waits until every earlier rcu_call() was answered. */
void rcu_flush(void);

/* An object goes from thread to thread by one of liburcu's structures (its
 * hash table, its queues): said before it is put in, and after it was found. */
void rcu_hand_over(const void *object);
void rcu_take_over(const void *object);

#endif
