/* The controller's small numbers (number_set.h), in the store: they stay over
 * restarts, as connections do that were tracked in such a zone.
 *
 * A zone that somebody gets anew may have been another's: it is flushed first. */
#ifndef WEFT_CONTROLLER_KEPT_NUMBERS_H
#define WEFT_CONTROLLER_KEPT_NUMBERS_H

#include "controller/number_set.h"
#include "store/store.h"

struct kept_numbers;

/* The store is borrowed; NULL: numbers are kept as long as we live. */
struct kept_numbers *kept_numbers_create(struct store *);
/* Accepts NULL. */
void kept_numbers_destroy(struct kept_numbers *);

struct number_set *kept_numbers_set(struct kept_numbers *);
/* Writes what changed: after each set of intents. */
void kept_numbers_commit(struct kept_numbers *);
/* One of the zones to be flushed, each once; 0: no more. */
uint16_t kept_numbers_next_fresh(struct kept_numbers *);

#endif
