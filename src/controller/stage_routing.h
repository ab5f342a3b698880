/* What routes have in common, whoever writes them: stage_routing.c those of
 * routers and of networks themselves; other stages those to an uplink.
 *
 *     route_begin4(w, network, cookie, ROUTE_UPLINK, &everywhere);
 *     route_by4(w, gateway's address);
 *     ... where to
 *     writer_end(w);
 *
 * The longest prefix counts; of two of one length, the nearer kind. */
#ifndef WEFT_CONTROLLER_STAGE_ROUTING_H
#define WEFT_CONTROLLER_STAGE_ROUTING_H

#include "controller/stage.h"

enum route_kind {
    ROUTE_UPLINK,                 /* out of here */
    ROUTE_ALLOWED,                /* behind a port */
    ROUTE_STATIC,                 /* by another router */
    ROUTE_JOINED,                 /* a network's own */
    N_ROUTE_KINDS
};

/* Begins the flow of packets that stations of the network send to its gateway's
 * MAC, for that prefix. */
void route_begin4(struct writer *, const struct topology_network *,
                  uint64_t cookie, enum route_kind, const struct subnet4 *);
void route_begin6(struct writer *, const struct topology_network *,
                  uint64_t cookie, enum route_kind, const struct subnet6 *);

/* The next hop is this one, or the packet's own destination. */
void route_by4(struct writer *, be32);
void route_by6(struct writer *, const struct ip6_addr *);
void route_by_destination(struct writer *, bool is_v6);

/* Largest packets of `from` do not fit where such of at most `mtu` do: asks
 * whether this one does. */
void route_check_mtu(struct writer *, const struct topology_network *from,
                     uint16_t mtu);
/* One hop on: the TTL, and out even by the port that it came in by. */
void route_on(struct writer *);

#endif
