/* Numbers in the store: `number/<kind>/<id>`. */
#ifndef WEFT_CONTROLLER_NUMBER_STORE_H
#define WEFT_CONTROLLER_NUMBER_STORE_H

#include "controller/numbers.h"
#include "store/store.h"

struct number_store;

/* The store is borrowed; NULL: nothing is kept.  `kind` is a word, borrowed,
 * too. */
struct number_store *number_store_create(struct store *, const char *kind);
/* Accepts NULL. */
void number_store_destroy(struct number_store *);

/* What numbers.h calls: changes are gathered. */
struct numbers_watch number_store_watch(struct number_store *);
/* Gives back what was kept. */
void number_store_load(const struct number_store *, struct numbers *);
/* Writes what was gathered, in one transaction. */
void number_store_commit(struct number_store *);

#endif
