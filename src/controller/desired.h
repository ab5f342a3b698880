/* Desired: the flows and meters that the switch shall have.
 *
 * A function of the topology, kept unit by unit (flow_unit.h) so that a change
 * costs what it touches.  Computing all units anew gives the same set: that is
 * the test.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_DESIRED_H
#define WEFT_CONTROLLER_DESIRED_H

#include "controller/flow_set.h"
#include "controller/port_meter.h"
#include "controller/topology.h"

struct desired {
    struct flow_set flows;
    struct id_map meters;         /* struct port_meter, by id */
    struct id_map units;          /* what each unit has, by its key */
};

/* What an update may have changed, to be compared with what is installed. */
struct desired_touched {
    struct flow_rules flows;      /* rules of the identities */
    struct id_map meters;         /* ids; any value */
};

void desired_init(struct desired *);
void desired_fini(struct desired *);

/* Computes these units anew.  `touched` may be NULL. */
void desired_update(struct desired *, const struct topology *,
                    const struct unit_set *, struct desired_touched *);

void desired_touched_init(struct desired_touched *);
void desired_touched_fini(struct desired_touched *);

#endif
