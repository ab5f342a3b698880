/* Underlays: ports of the switch that carry tunnels' packets as whole frames.
 *
 *     eth0=netdev:eth0     host0=internal:host0,from=eth0
 *     vxlan=vxlan:local=192.0.2.1,remote=flow,key=flow,underlay=eth0
 *
 * Where the switch has the host's only NIC, a tunnel's packet would go through the
 * kernel's IP, come back by the port that stands in for the NIC, and leave then;
 * and the same on its way in.  With `underlay` it goes from port to port:
 *
 *   - what is sent gets its outer headers here and is the underlay's at once, if
 *     the kernel's route leads by the device that has the underlay's address, and
 *     its neighbour is known (host_route.h);
 *   - what arrives there for the tunnel's own address is taken off before the
 *     flow tables.
 *
 * It is a short way beside the long one, never instead of it: the tunnel's
 * sockets stay open, and whatever is not plain goes by them: groups, fragments,
 * neighbours that the kernel has to ask for, packets longer than the underlay's
 * MTU.  So nothing depends on it but speed.  tx_underlay and rx_underlay of the
 * tunnel's port count what went the short way.
 *
 * Threads: find, join, leave on the control thread, in that an underlay once
 * found stays as long as the registry; rx on workers, each under the lock of its
 * queue, which is free unless a tunnel comes or goes. */
#ifndef WEFT_PORT_UNDERLAY_H
#define WEFT_PORT_UNDERLAY_H

#include "port/port.h"

struct outer;
struct tunnel_endpoint;
struct underlay;

/* The option's value; NULL: the port has none. */
const char *underlay_of(const struct port *);

/* The underlay that this port is for tunnels, perhaps later; NULL: it was for
 * none so far. */
struct underlay *underlay_find(const struct port *);

/* Worker: takes what is a tunnel's out of the batch, which `port` received. */
void underlay_take(struct underlay *, const struct port *, unsigned int queue,
                   struct packet_pool *, struct batch *);

/* Control thread: a port of the tunnels that take such a frame off `port`, if they
 * do (its checksums aside); NULL: nobody does. */
const struct port *underlay_taker(const struct port *, const struct outer *);

/* ---- For tunnel_endpoint.c ---- */

/* endpoint->underlay is set afterwards. */
int underlay_join(struct port_registry *, const char *name,
                  struct tunnel_endpoint *, struct str *error);
void underlay_leave(struct tunnel_endpoint *);
/* No worker is taking anything between these. */
void underlay_lock(struct underlay *);
void underlay_unlock(struct underlay *);
const char *underlay_name(const struct underlay *);
/* Of the first one that joined until the last one left. */
struct host_routes *underlay_routes(const struct underlay *);

/* ---- For registry.c ---- */

void underlays_destroy(struct underlay *list);

#endif
