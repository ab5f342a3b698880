/* Chosen addresses in the store: `address/<network>/<port>`, both as ids. */
#ifndef WEFT_CONTROLLER_ADDRESS_STORE_H
#define WEFT_CONTROLLER_ADDRESS_STORE_H

#include "controller/ipam.h"
#include "store/store.h"

struct address_store;

/* The store is borrowed. */
struct address_store *address_store_create(struct store *);
/* Accepts NULL. */
void address_store_destroy(struct address_store *);

/* What ipam.h calls: changes are gathered. */
struct ipam_watch address_store_watch(struct address_store *);
/* Gives the choices made earlier back. */
void address_store_load(const struct address_store *, struct ipam *);
/* Writes what was gathered, in one transaction: after each set of intents, of
 * which a port's address is decided once. */
void address_store_commit(struct address_store *);

#endif
