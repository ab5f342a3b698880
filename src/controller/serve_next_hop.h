/* Asks for next hops that are not planned (service/next_hops.h): stations of a
 * LAN, or behind ports that may be anybody's, and the gateways of uplinks. */
#ifndef WEFT_CONTROLLER_SERVE_NEXT_HOP_H
#define WEFT_CONTROLLER_SERVE_NEXT_HOP_H

#include "controller/flow_set.h"
#include "controller/serve_route.h"
#include "service/next_hops.h"

struct serve_next_hop;

/* Made before the topology, which reads what is known from it. */
struct serve_next_hop *serve_next_hop_create(void);
const struct next_hops *serve_next_hop_state(const struct serve_next_hop *);
/* Begins to serve.  Both are borrowed. */
void serve_next_hop_open(struct serve_next_hop *, const struct service_host *,
                         struct serve_route *);
/* Accepts NULL.  Handles are closed by the loop's next turns. */
void serve_next_hop_destroy(struct serve_next_hop *);

/* These flows were found on the switch: what is known of stations is among
 * them. */
void serve_next_hop_ready(struct serve_next_hop *, const struct flow_set *);
/* The flows by which questions go out are there. */
void serve_next_hop_synced(struct serve_next_hop *);
/* Another set of intents is in the topology. */
void serve_next_hop_changed(struct serve_next_hop *);

#endif
