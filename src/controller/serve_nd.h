/* ND and router advertisements at every network's gateway (service/nd.h). */
#ifndef WEFT_CONTROLLER_SERVE_ND_H
#define WEFT_CONTROLLER_SERVE_ND_H

#include "controller/service_host.h"
#include "service/nd.h"

struct serve_nd {
    const struct service_host *host;
    uint64_t n_events[N_ND_EVENTS];
};

/* Registers itself.  The host is borrowed. */
void serve_nd_init(struct serve_nd *, const struct service_host *);

#endif
