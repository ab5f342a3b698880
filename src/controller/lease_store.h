/* Leases in the store: `lease/<network>/<address>`, each a record as bytes
 * (service/lease_record.h). */
#ifndef WEFT_CONTROLLER_LEASE_STORE_H
#define WEFT_CONTROLLER_LEASE_STORE_H

#include "controller/dhcp_scope.h"
#include "service/lease.h"
#include "store/store.h"

/* What the change says, as part of a transaction. */
void lease_store_add(struct store_txn *, const char *network,
                     const struct lease_change *);
/* Every lease of a network that is no more. */
void lease_store_forget(const struct store *, struct store_txn *,
                        const char *network);
/* Gives a network's leases back to its tables. */
void lease_store_load(const struct store *, const struct dhcp_scope *,
                      unix_sec now);

#endif
