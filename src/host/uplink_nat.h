/* What the host's own stack does for uplinks of `host: true`: translates what
 * leaves by them, and sends what forwards let in to the switch.
 *
 * Says what is wanted, by the intents, and has the helper put it into force
 * (port/host_nat.h); the devices are host.h's.
 *
 * Always true:
 *   - Without a network that leads out by such an uplink nothing is wanted: the
 *     host forwards nothing for us.
 *   - What did not change is not asked for again; a failure is told, and tried
 *     again with back-off.
 *
 * Owned by the thread that owns host.h. */
#ifndef WEFT_HOST_UPLINK_NAT_H
#define WEFT_HOST_UPLINK_NAT_H

#include "intent/intent.h"
#include "port/host_nat.h"

struct helper;
struct uplink_nat;

/* Both live on: the helper until it is destroyed; what is in force for good. */
struct uplink_nat *uplink_nat_create(struct helper *);
void uplink_nat_destroy(struct uplink_nat *);

/* Reads it now and keeps nothing of it. */
void uplink_nat_set_intent(struct uplink_nat *, const struct intent *,
                           const char *host_name);
/* Does what is due; returns when to call again. */
msec uplink_nat_run(struct uplink_nat *, msec now);
/* What is in force, or should be; `error`: why it is not, "" if it is. */
const struct host_nat *uplink_nat_state(const struct uplink_nat *, const char **error);

/* What is wanted is in force, but perhaps for an address that the host has
 * itself: a leg may be plugged in.  Without, a guest would reach the host. */
bool uplink_nat_is_in_force(const struct uplink_nat *);

/* Of the uplinks that are at this host.  Pure.  `forwards` are to be freed. */
void uplink_nat_wanted(const struct intent *, const char *host_name,
                       struct host_nat *);
/* Does a network lead out by it? */
bool uplink_nat_is_used(const struct intent *, const struct intent_uplink *);
/* Does a network lead IPv6 out by it? */
bool uplink_nat_has_ipv6(const struct intent *, const struct intent_uplink *);

#endif
