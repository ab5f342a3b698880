/* DHCPv6 for every network with an IPv6 subnet (service/dhcp6_server.h): where
 * addresses are given (`ra: stateful`) a port gets its planned one and further
 * IAs others; elsewhere guests are only told of servers and names.
 *
 *     packet-in -> dhcp6_server_handle() -> changes -> store -> durable: reply
 *                                        -> none: reply at once
 *
 * Durability and what dead ports held: as with IPv4 (serve_dhcp.h).  What a
 * guest's own NIC leases beside its planned address it may use: the port's
 * security lets it through until the lease ends. */
#ifndef WEFT_CONTROLLER_SERVE_DHCP6_H
#define WEFT_CONTROLLER_SERVE_DHCP6_H

#include "controller/service_host.h"
#include "service/dhcp6_server.h"
#include "store/store.h"

struct serve_dhcp6;

/* Registers itself.  The host and the store are borrowed; without a store
 * (NULL) leases end with the process. */
struct serve_dhcp6 *serve_dhcp6_create(const struct service_host *,
                                       struct store *);
/* Accepts NULL; handles are closed by the loop's next turns.  What is being
 * stored is stored. */
void serve_dhcp6_destroy(struct serve_dhcp6 *);

/* Another set of intents is in the topology. */
void serve_dhcp6_changed(struct serve_dhcp6 *);

/* In order of networks and addresses.  `seconds_left`: INT64_MAX is for
 * ever. */
typedef void lease6_visitor(void *aux, const char *network,
                            const struct lease6_record *,
                            int64_t seconds_left);
void serve_dhcp6_visit(const struct serve_dhcp6 *, lease6_visitor *,
                       void *aux);
/* Of all networks together, by enum dhcp6_verdict. */
void serve_dhcp6_count(const struct serve_dhcp6 *,
                       uint64_t n[N_DHCP6_VERDICTS]);

#endif
