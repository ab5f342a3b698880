/* Floating addresses behind the host's own stack: a route for each to our end of
 * the leg, and where its network is on a device of the host, a proxy neighbour
 * there, so that the host answers ARP for it.
 *
 *     outside --- eth0 | host | leg --- switch
 *        ARP for .7 -> proxy    route .7/32 via `ours`
 *
 * Always true:
 *   - Both carry the protocol number FLOATING_PROTOCOL: what does not is
 *     somebody else's and stays.
 *   - Routes go with their device; neighbours for which there is no such route
 *     go with the next floating_set(), whoever left them.
 *
 * Of the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_FLOATING_H
#define WEFT_PORT_FLOATING_H

#include "port/host_nat.h"

enum { FLOATING_PROTOCOL = 87 };

/* Makes it what the forwards of protocol 0 say.  -EADDRINUSE: all of it, but for
 * what the host has itself: one of them, or of the legs' networks, on another
 * device.  Legs that are not there yet, or not up, are passed over: to be called
 * again. */
int floating_set(const struct host_nat *, struct str *error);
/* A descriptor that is readable when links or addresses changed. */
int floating_monitor_open(void);

#endif
