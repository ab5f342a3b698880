/* Host NAT in force: one nft table, `weft-INSTANCE` of the family inet, the
 * kernel's forwarding, and routes for floating addresses.
 *
 *     OFF  no table, nothing to do
 *     ON   the table is there and forwarding on; the table's changes are
 *          watched, and undone when they were not ours; with floating
 *          addresses, links and addresses are watched, too
 *
 * Always true:
 *   - The table changes in one transaction, and only when what is wanted does.
 *   - Forwarding is switched on after the rules are there, and off before they
 *     go.
 *   - What forwarding was before us is in the table's comment, so that it is
 *     given back also after a kill: `weft:INSTANCE forward=0`, and as long as a
 *     leg has IPv6, ` forward6=0 ra=2,7` (forwarding6.h).  Of several daemons in
 *     one namespace the last gives back what the first found.
 *   - What a killed daemon left stays as it is until something is asked for, be
 *     it nothing.
 *
 * In the namespace the caller is in, always the same one.  Helper only. */
#ifndef WEFT_PORT_HOST_NAT_KEEP_H
#define WEFT_PORT_HOST_NAT_KEEP_H

#include "port/host_nat.h"

struct host_nat_keep;

/* `instance` outlives it. */
struct host_nat_keep *host_nat_keep_create(const char *instance);
/* Frees; the table and forwarding stay as they are.  Accepts NULL. */
void host_nat_keep_destroy(struct host_nat_keep *);

/* No legs: OFF.  -EADDRINUSE: ON, but for addresses that the host has itself
 * (floating.h): to be tried again. */
int host_nat_keep_set(struct host_nat_keep *, const struct host_nat *,
                      struct str *error);

/* Readable: host_nat_keep_run() is due; -1: never. */
int host_nat_keep_fd(const struct host_nat_keep *);
/* Returns when to be called again, whatever comes. */
msec host_nat_keep_run(struct host_nat_keep *, msec now);

#endif
