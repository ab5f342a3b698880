/* Explain, of what is translated: from a network by its uplink, or from outside
 * by a forward.
 *
 * The answers of such a conversation are those of its connection, which there
 * is not while one only asks: they are not asked about. */
#ifndef WEFT_CONTROLLER_EXPLAIN_NAT_H
#define WEFT_CONTROLLER_EXPLAIN_NAT_H

#include "controller/explain_end.h"

/* Settles ends of which one comes from outside: "192.0.2.9" to an address that
 * an uplink has, or "wan/192.0.2.9".  False: it is none such. */
bool explain_nat_settle(const struct topology *, struct explain_end *from,
                        struct explain_end *to);

/* The forward that leads there; NULL.  `to` is an address of the uplink's, or
 * the port of ours that is meant. */
const struct topology_forward *
explain_nat_forward(const struct topology_uplink *,
                    const struct explain_end *to, bool is_v6,
                    uint8_t protocol, uint16_t port);

/* As which address of IPv6 it leaves by the uplink of its network; all zero: it
 * has none outside. */
struct ip6_addr explain_nat_source6(const struct topology_uplink *,
                                    const struct explain_end *from);

/* Is it the address by which the uplink itself is known? */
bool explain_nat_is_own(const struct topology_uplink *,
                        const struct explain_end *);

#endif
