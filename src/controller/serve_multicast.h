/* Multicast in every network that wants it snooped (service/multicast.h).
 *
 *     packet-ins of IGMP and MLD -> who hears what -> units of flows
 *                                                     (stage_multicast.c)
 *     time, and others' queries  -> our queries, port by port
 *
 * Listeners are remembered by the switch: at the first connection its flows are
 * read back, and stay until everybody has been asked anew.  So a restart takes
 * no group from anybody.  While there is no connection nobody expires. */
#ifndef WEFT_CONTROLLER_SERVE_MULTICAST_H
#define WEFT_CONTROLLER_SERVE_MULTICAST_H

#include "controller/flow_set.h"
#include "controller/service_host.h"
#include "service/multicast.h"

struct serve_multicast;

struct serve_multicast *serve_multicast_create(uv_loop_t *);
/* Accepts NULL.  Handles are closed by the loop's next turns. */
void serve_multicast_destroy(struct serve_multicast *);
/* The topology needs to know it before there are services.  The host is
 * borrowed. */
const struct multicast *serve_multicast_state(const struct serve_multicast *);
void serve_multicast_open(struct serve_multicast *,
                          const struct service_host *);

/* Another set of intents is in the topology. */
void serve_multicast_changed(struct serve_multicast *);
/* Other hosts said otherwise who listens there. */
void serve_multicast_follow_hosts(struct serve_multicast *);
/* The host's dirty units are about to be computed: adds those of groups that go
 * with them. */
void serve_multicast_follow(struct serve_multicast *);
/* The switch is there, with these flows; or it is not any more. */
void serve_multicast_ready(struct serve_multicast *, const struct flow_set *);
void serve_multicast_lost(struct serve_multicast *);

/* A port that hears a group, or all of them. */
struct multicast_row {
    const struct topology_network *network;
    const struct ip6_addr *group;         /* NULL: a router port, all */
    const char *port;                     /* or the uplink */
    msec left;
};
void serve_multicast_visit(const struct serve_multicast *,
                           void (*visit)(void *aux,
                                         const struct multicast_row *),
                           void *aux);

#endif
