/* Meters: a port's storm cap and rates, and what tunnels bring to the
 * controller, as the switch is told them.
 *
 * A meter's number is its port's, plus what it is for (enum in stage.h), so
 * that nobody keeps a list of free ones. */
#ifndef WEFT_CONTROLLER_PORT_METER_H
#define WEFT_CONTROLLER_PORT_METER_H

#include "controller/topology.h"
#include "openflow/flow_mod.h"

struct port_meter {
    uint32_t id;
    unsigned int flags;           /* enum meter_flags */
    uint32_t rate, burst;         /* in the unit that the flags say */
};

/* A second, of questions and answers.  500 hosts send some hundred; and some
 * thousand when the way to this one has shrunk, and all look for what fits. */
enum { PROBE_CAP = 5000 };
enum { PORT_MAX_METERS = 3, UPLINK_STORM_CAP = 500 };

/* Those of a port; how many. */
unsigned int port_meters(const struct topology_port *,
                            struct port_meter out[PORT_MAX_METERS]);

/* The floods of an uplink's LAN, where they could go round. */
unsigned int uplink_meters(const struct topology_uplink *,
                           struct port_meter out[PORT_MAX_METERS]);

/* One for each tunnel that the switch has: what probes of a host that is let in
 * may cost at most (stage_tunnel_in.c). */
unsigned int tunnel_meters(const struct topology *,
                           struct port_meter out[PORT_MAX_METERS]);

bool port_meter_equal(const struct port_meter *, const struct port_meter *);
void port_meter_to_mod(const struct port_meter *, enum meter_mod_command,
                  struct meter_mod *);
/* What a switch has.  One that is not like ours equals none of ours. */
struct port_meter port_meter_from_mod(const struct meter_mod *);

#endif
