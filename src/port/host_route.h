/* Routes of this host: to which station of which link a packet goes, as its
 * kernel has it in rules, routes and neighbours.
 *
 * For who writes frames itself (underlay.h).  A thread of its own asks the
 * kernel by rtnetlink about each pair of addresses that somebody wanted, and
 * hears of what changes; workers read what it has published, without locks or
 * system calls.
 *
 * The kernel finds neighbours and no one else does: where it knows none, or is to
 * make sure of one that it has not heard of for some time, the answer is no, and
 * the packet that goes by a socket instead makes it ask on the link.
 *
 * Bounded: of HOST_ROUTES_MAX pairs all are forgotten when one more comes; those in
 * use are back at once. */
#ifndef WEFT_PORT_HOST_ROUTE_H
#define WEFT_PORT_HOST_ROUTE_H

#include "lib/str.h"
#include "lib/types.h"

enum { HOST_ROUTES_MAX = 4096 };

struct host_routes;

struct host_route {
    struct eth_addr dst;
    struct eth_addr src;          /* of the device by which the route leads */
};

/* Begins its thread.  Negative errno. */
int host_routes_create(struct host_routes **);
/* Nobody may still ask. */
void host_routes_destroy(struct host_routes *);

/* From our address to another one of the same family (IPv4 mapped).  Any thread
 * that reads by RCU (lib/rcu.h).  False: by a socket, this time; the first time
 * that somebody asks it is always so. */
bool host_route_find(struct host_routes *, const struct ip6_addr *from,
                   const struct ip6_addr *to, struct host_route *);

#endif
