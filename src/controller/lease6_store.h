/* Leases of IPv6 in the store: `lease6/<network>/<address>`, each a record as
 * bytes (service/lease6_record.h). */
#ifndef WEFT_CONTROLLER_LEASE6_STORE_H
#define WEFT_CONTROLLER_LEASE6_STORE_H

#include "service/lease6.h"
#include "store/store.h"

/* What the change says, as part of a transaction. */
void lease6_store_add(struct store_txn *, const char *network,
                      const struct lease6_change *);
/* Every lease of a network that is no more. */
void lease6_store_forget(const struct store *, struct store_txn *,
                         const char *network);
/* Gives a network's leases back to its table. */
void lease6_store_load(const struct store *, const char *network,
                       struct lease6_table *);

#endif
