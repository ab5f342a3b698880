/* ND and router advertisements at every network's gateway (service/nd.h).
 *
 * Router advertisements are sent to all of a network's ports every few minutes
 * (RFC 4861, 6.2.4), and at once when what they say has changed; then twice
 * more, since one may be lost.  Two of them are at least three seconds apart. */
#ifndef WEFT_CONTROLLER_SERVE_ND_H
#define WEFT_CONTROLLER_SERVE_ND_H

#include "controller/service_host.h"
#include "lib/rng.h"
#include "service/nd.h"

struct serve_nd {
    const struct service_host *host;
    struct id_map advertised;     /* by network */
    struct rng rng;               /* so that gateways do not speak in chorus */
    uv_timer_t *timer;
    uint64_t n_events[N_ND_EVENTS];
    uint64_t n_unasked;           /* advertisements sent to a port */
};

/* Registers itself.  The host is borrowed. */
void serve_nd_init(struct serve_nd *, const struct service_host *);
/* Handles are closed by the loop's next turns. */
void serve_nd_fini(struct serve_nd *);

/* Another set of intents is in the topology. */
void serve_nd_changed(struct serve_nd *);

#endif
