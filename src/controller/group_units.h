/* Which units of flows a change concerns that has to do with multicast groups
 * (flow_unit.h). */
#ifndef WEFT_CONTROLLER_GROUP_UNITS_H
#define WEFT_CONTROLLER_GROUP_UNITS_H

#include "controller/topology.h"

/* The port (0: each) hears the group from now on, or no more. */
void group_units_touch(const struct multicast_group *, uint64_t port,
                       struct unit_set *);
/* The port hears all of the network's groups from now on, or no more: it has
 * its copies from elsewhere. */
void group_units_hearer(const struct multicast *, uint64_t network,
                        uint64_t port, struct unit_set *);
/* These units will be computed anew: adds those of groups that say the same
 * about the ports and networks. */
void group_units_follow(const struct topology *, struct unit_set *);

#endif
