/* The intents in force: one sealed set, kept in the store.
 *
 *     apply: a new set -> what differs, as one transaction -> durable
 *                         -> it is in force: watchers are told
 *
 * A change that has to be confirmed is in force at once, and is taken back when
 * nobody confirms in time; also after a restart, for what to go back to is kept
 * in the store beside it.
 *
 * Always true:
 *   - The set in force is sealed and durable.
 *   - One change at a time: while one is being written, or waits to be
 *     confirmed, others are refused (-EBUSY, -EAGAIN).
 *   - What was kept but cannot be read any more is left where it is, said, and
 *     costs only itself (and what mentions it).
 *
 * Keys: `intent/KIND/NAME`; before a change to be confirmed, `before/KIND/NAME`
 * and `before/deadline`.  Values are JSON.  Owned by the store's loop. */
#ifndef WEFT_STORE_INTENTS_H
#define WEFT_STORE_INTENTS_H

#include "intent/intent.h"
#include "store/store.h"

struct intents;

/* Reads what is kept.  `store` and `loop` outlive it. */
struct intents *intents_create(uv_loop_t *, struct store *);
/* Waits for nothing: what is being written calls nobody back.  The loop runs once
 * more before the memory goes. */
void intents_destroy(struct intents *);

/* Never NULL.  Good until the loop runs again; keep it with intent_ref(). */
const struct intent *intents_current(const struct intents *);
/* Counts changes, from 1. */
uint64_t intents_generation(const struct intents *);
/* Called with each set that comes into force, from the loop. */
void intents_set_watch(struct intents *,
                       void (*changed)(void *aux, const struct intent *),
                       void *aux);

/* `err` 0: it is in force.  `text` is why not. */
typedef void intents_done(void *aux, int err, const char *text);

/* Makes `next` (sealed; a reference is taken) the set in force.  confirm_ms 0:
 * for good.  -EBUSY: another is being written; -EAGAIN: another waits to be
 * confirmed; then done() is not called. */
int intents_apply(struct intents *, const struct intent *next,
                  msec confirm_ms, intents_done *, void *aux);
/* When the change that waits is taken back, by the wall clock in msec; 0: none
 * waits. */
int64_t intents_deadline(const struct intents *);
/* -ENOENT: nothing waits to be confirmed; -EBUSY. */
int intents_confirm(struct intents *, intents_done *, void *aux);
/* Takes it back now; the same errors. */
int intents_roll_back(struct intents *, intents_done *, void *aux);

#endif
