/* IPv6 addresses that guests choose by themselves (service/binding.h): privacy
 * addresses (RFC 8981), opaque ones (RFC 7217).
 *
 *     a guest asks whether its address is free (RFC 4862, 5.4.2)
 *         -> packet-in; the question goes on to who might have it
 *         -> bound to its port -> flows: the port may send from it, and is
 *            led to
 *
 * Who comes first has it: an address of another port, planned or announced, is
 * not bound.  A guest announces what it will use in a second, so that the flows
 * are there in time.  What is bound is stored, outlives a restart, and ends
 * with its port.  A guest that does not ask (nodad) is not heard. */
#ifndef WEFT_CONTROLLER_SERVE_BINDING_H
#define WEFT_CONTROLLER_SERVE_BINDING_H

#include "controller/service_host.h"
#include "service/binding.h"
#include "store/store.h"

struct serve_binding;

/* Registers itself.  The host and the store are borrowed; without a store
 * (NULL) bindings end with the process. */
struct serve_binding *serve_binding_create(const struct service_host *,
                                           struct store *);
/* Accepts NULL. */
void serve_binding_destroy(struct serve_binding *);

/* Another set of intents is in the topology. */
void serve_binding_changed(struct serve_binding *);

/* By enum binding_result. */
const uint64_t *serve_binding_counters(const struct serve_binding *);

#endif
