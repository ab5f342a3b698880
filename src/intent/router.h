/* router: joins networks, so that their ports reach each other by address.
 *
 *     r1: {networks: [blue, red], routes: [{to: 10.9.0.0/16, via: 10.1.0.77}]}
 *
 * It is at every gateway address of its networks at once.  A network is in one
 * router at most, and a router's networks have no address in common; so an
 * address says by itself which of them it is in. */
#ifndef WEFT_INTENT_ROUTER_H
#define WEFT_INTENT_ROUTER_H

#include "intent/object.h"

struct intent_network;

enum { ROUTER_MAX_NETWORKS = 64, ROUTER_MAX_ROUTES = 256 };

struct router_network {
    char name[INTENT_NAME_MAX];
    const struct intent_network *network;     /* once sealed */
};

/* Of one family, both ends of it. */
struct router_route {
    struct subnet4 to;
    struct subnet6 to6;
    be32 via;
    struct ip6_addr via6;
};

struct intent_router {
    struct intent_object object;
    unsigned int n_networks;
    struct router_network *networks;          /* owned; in order of name */
    unsigned int n_routes;
    struct router_route *routes;  /* owned */
};

static inline const struct intent_router *
intent_router_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_router, object)
                  : NULL;
}

/* The network that the route's next hop is in; NULL: in none of them. */
const struct intent_network *router_network_of(const struct intent_router *,
                                               const struct router_route *);

#endif
