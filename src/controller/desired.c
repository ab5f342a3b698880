#include "controller/desired.h"

#include <stdlib.h>

#include "controller/stage.h"
#include "lib/str.h"

struct unit_flows {
    struct unit unit;
    struct flow_rules flows;
    unsigned int n_meters;
    struct port_meter meters[PORT_MAX_METERS];
};

void
desired_init(struct desired *d)
{
    flow_set_init(&d->flows);
    id_map_init(&d->meters);
    id_map_init(&d->units);
}

void
desired_fini(struct desired *d)
{
    struct unit_flows *flows;

    flow_set_fini(&d->flows);
    id_map_fini(&d->meters);
    ID_MAP_FOR_EACH (flows, &d->units) {
        flow_rules_fini(&flows->flows);
        free(flows);
    }
    id_map_fini(&d->units);
}

void
desired_touched_init(struct desired_touched *touched)
{
    touched->flows = (struct flow_rules) { 0, 0, NULL };
    id_map_init(&touched->meters);
}

void
desired_touched_fini(struct desired_touched *touched)
{
    flow_rules_fini(&touched->flows);
    id_map_fini(&touched->meters);
}

static void
touch(struct desired_touched *touched, const struct unit_flows *unit)
{
    if (!touched) {
        return;
    }
    for (unsigned int i = 0; i < unit->flows.n; i++) {
        flow_rules_add(&touched->flows, flow_rule_ref(unit->flows.rules[i]));
    }
    for (unsigned int i = 0; i < unit->n_meters; i++) {
        id_map_set(&touched->meters, unit->meters[i].id, touched);
    }
}

static void
take_out(struct desired *d, struct unit unit,
         struct desired_touched *touched)
{
    struct unit_flows *flows = id_map_remove(&d->units, unit_key(unit));

    if (!flows) {
        return;
    }
    touch(touched, flows);
    for (unsigned int i = 0; i < flows->flows.n; i++) {
        flow_set_remove(&d->flows, flows->flows.rules[i]);
    }
    for (unsigned int i = 0; i < flows->n_meters; i++) {
        id_map_remove(&d->meters, flows->meters[i].id);
    }
    flow_rules_fini(&flows->flows);
    free(flows);
}

static void
put_in(struct desired *d, const struct topology *t, struct unit unit,
       struct desired_touched *touched)
{
    struct unit_flows *flows = xzalloc(sizeof *flows);
    const struct topology_port *port
        = unit.kind == UNIT_PORT ? topology_port(t, unit.id) : NULL;
    const struct topology_uplink *uplink
        = unit.kind == UNIT_UPLINK ? topology_uplink(t, unit.id) : NULL;
    struct writer writer;

    flows->unit = unit;
    writer_init(&writer, &flows->flows);
    stage_compute(t, unit, &writer);
    writer_fini(&writer);
    flows->n_meters = port     ? port_meters(port, flows->meters)
                      : uplink ? uplink_meters(uplink, flows->meters)
                      : unit.kind == UNIT_BASE
                      ? tunnel_meters(t, flows->meters) : 0;
    if (!flows->flows.n && !flows->n_meters) {
        flow_rules_fini(&flows->flows);
        free(flows);
        return;
    }
    for (unsigned int i = 0; i < flows->flows.n; i++) {
        flow_set_insert(&d->flows, flows->flows.rules[i]);
    }
    for (unsigned int i = 0; i < flows->n_meters; i++) {
        id_map_set(&d->meters, flows->meters[i].id, &flows->meters[i]);
    }
    id_map_set(&d->units, unit_key(unit), flows);
    touch(touched, flows);
}

/* First all that was, then all that is: two ports may have changed numbers. */
void
desired_update(struct desired *d, const struct topology *t,
               const struct unit_set *units, struct desired_touched *touched)
{
    for (unsigned int i = 0; i < units->n; i++) {
        take_out(d, units->units[i], touched);
    }
    for (unsigned int i = 0; i < units->n; i++) {
        put_in(d, t, units->units[i], touched);
    }
}
