/* DHCPv4 for every network with a subnet (service/dhcp_server.h): who has a
 * planned address is given that one, others behind a port get one of the rest.
 *
 *     packet-in -> dhcp_server_handle() -> changes -> store -> durable: reply
 *                                       -> none: reply at once
 *
 * A lease that a client was told of is in the store, and there when weftd is
 * killed (STORE_PROCESS).  If the store fails, the client is told nothing and
 * asks again.
 *
 * What a port held is free again when the port leaves its network; what a
 * network held, when it is gone or has no DHCP any more. */
#ifndef WEFT_CONTROLLER_SERVE_DHCP_H
#define WEFT_CONTROLLER_SERVE_DHCP_H

#include "controller/controller.h"
#include "controller/service_host.h"
#include "service/dhcp_verdict.h"
#include "service/lease.h"
#include "store/store.h"

struct serve_dhcp;

/* Registers itself.  The host and the store are borrowed; without a store
 * (NULL) leases end with the process. */
struct serve_dhcp *serve_dhcp_create(const struct service_host *,
                                     struct store *);
/* Accepts NULL; handles are closed by the loop's next turns.  What is being
 * stored is stored. */
void serve_dhcp_destroy(struct serve_dhcp *);

/* Another set of intents is in the topology. */
void serve_dhcp_changed(struct serve_dhcp *);

struct lease_record;
/* `seconds_left`: INT64_MAX is for ever. */
typedef void lease_visitor(void *aux, const char *network,
                           const struct lease_record *, int64_t seconds_left);
void serve_dhcp_visit(const struct serve_dhcp *, lease_visitor *, void *aux);
/* Of all networks together, by enum dhcp_verdict. */
void serve_dhcp_count(const struct serve_dhcp *, uint64_t n[N_DHCP_VERDICTS]);

#endif
