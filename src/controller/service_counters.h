/* What became of the messages that services saw, as metrics: the rows of each
 * service's own table, family by family. */
#ifndef WEFT_CONTROLLER_SERVICE_COUNTERS_H
#define WEFT_CONTROLLER_SERVICE_COUNTERS_H

#include "controller/controller.h"
#include "controller/packet_in.h"
#include "controller/serve_binding.h"
#include "controller/serve_dhcp.h"
#include "controller/serve_dhcp6.h"
#include "controller/serve_dns.h"
#include "controller/serve_multicast.h"
#include "controller/serve_nd.h"
#include "controller/serve_probe.h"
#include "controller/serve_route.h"
#include "service/next_hops.h"

struct services {
    const struct packet_in_table *packet_ins;
    const struct serve_dhcp *dhcp;
    const struct serve_dhcp6 *dhcp6;
    const struct serve_nd *nd;
    const struct serve_binding *bindings;
    const struct serve_dns *dns;
    const struct serve_multicast *multicast;
    const struct serve_route *route;
    const struct next_hops *next_hops;
    const struct serve_probe *probes;
};

void service_counters_visit(const struct services *,
                            service_counter_visitor *, void *aux);

#endif
