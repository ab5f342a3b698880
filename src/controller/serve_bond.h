/* Bonds: which links of an uplink are used (service/bond.h), kept in step with
 * the switch.
 *
 *     the switch's ports, their links -> serve_bond_follow()   \
 *     LACPDUs, as packet-ins          -> the bond's machines     > the links of
 *     time                            -> the same              /  the topology
 *                                                                  -> flows
 *
 * LACPDUs leave as packet-outs.  The switch knows nothing of all this: it is
 * given entries that take frames from the links in use, and a bundle action
 * that leads to one of them which has a link.
 *
 * When another link takes over, the LAN is told by it where our guests are: a
 * frame from each. */
#ifndef WEFT_CONTROLLER_SERVE_BOND_H
#define WEFT_CONTROLLER_SERVE_BOND_H

#include "controller/controller.h"
#include "controller/service_host.h"

struct serve_bond;

/* The host is borrowed. */
struct serve_bond *serve_bond_create(const struct service_host *);
/* Accepts NULL.  Handles are closed by the loop's next turns. */
void serve_bond_destroy(struct serve_bond *);

/* Another set of intents is in the topology. */
void serve_bond_changed(struct serve_bond *);
/* The switch's ports are known, and flows are about to be computed. */
void serve_bond_follow(struct serve_bond *);

/* Every link of every uplink. */
void serve_bond_visit(const struct serve_bond *,
                      void (*visit)(void *aux,
                                    const struct controller_link *),
                      void *aux);

#endif
