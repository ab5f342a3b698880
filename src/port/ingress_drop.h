/* nft tables of the netdev family with one chain: whatever enters a device is
 * dropped.  By nfnetlink itself, one transaction each: what an operation costs
 * does not depend on how many tables there are.  (libnftables reads them all
 * first, which made the thousandth take a hundred times as long.)
 *
 * All work on the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_INGRESS_DROP_H
#define WEFT_PORT_INGRESS_DROP_H

#include "lib/types.h"

/* Makes the table, if need be, with a chain that drops what enters `device`. */
int ingress_drop_add(const char *table, const char *device);
/* -ENOENT: there was none. */
int ingress_drop_delete(const char *table);
/* Is there such a table? */
bool ingress_drop_exists(const char *table);
/* Calls `found` with the name of every table; 0 or an error.  `found` must not
 * change tables. */
int ingress_drop_for_each(void (*found)(const char *table, void *aux),
                          void *aux);

#endif
