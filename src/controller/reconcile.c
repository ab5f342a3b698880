#include "controller/reconcile.h"

#include <stdlib.h>

#include "lib/str.h"

void
installed_init(struct installed *installed)
{
    flow_set_init(&installed->flows);
    flow_set_init(&installed->refused);
    id_map_init(&installed->refused_meters);
    id_map_init(&installed->meters);
    installed->n_groups = 0;
}

void
installed_clear(struct installed *installed)
{
    struct port_meter *meter;

    flow_set_fini(&installed->flows);
    ID_MAP_FOR_EACH (meter, &installed->meters) {
        free(meter);
    }
    id_map_fini(&installed->meters);
    installed->n_groups = 0;
}

void
installed_forgive(struct installed *installed)
{
    flow_set_fini(&installed->refused);
    id_map_fini(&installed->refused_meters);
}

void
installed_refuse_meter(struct installed *installed, uint32_t id)
{
    id_map_set(&installed->refused_meters, id, installed);
}

void
installed_fini(struct installed *installed)
{
    installed_clear(installed);
    installed_forgive(installed);
}

void
installed_add_meter(struct installed *installed, const struct port_meter *meter)
{
    free(id_map_remove(&installed->meters, meter->id));
    id_map_set(&installed->meters, meter->id, xmemdup(meter, sizeof *meter));
}

void
changes_init(struct changes *changes)
{
    memset(changes, 0, sizeof *changes);
}

void
changes_fini(struct changes *changes)
{
    for (unsigned int i = 0; i < changes->n; i++) {
        flow_rule_unref(changes->flows[i].rule);
    }
    free(changes->flows);
    free(changes->meters);
    changes_init(changes);
}

/* ---- Flows ---- */

static void
add_change(struct changes *changes, enum flow_mod_command command,
           struct flow_rule *rule)
{
    if (changes->n == changes->size) {
        changes->size = MAX(64u, changes->size * 2);
        changes->flows = xrealloc(changes->flows,
                                  changes->size * sizeof *changes->flows);
    }
    changes->flows[changes->n++]
        = (struct flow_change) { command, flow_rule_ref(rule) };
}

/* Only what it does is different: then its counters can stay. */
static bool
is_modification(const struct flow_rule *was, const struct flow_rule *is)
{
    return was->cookie == is->cookie && was->flags == is->flags
           && was->idle_timeout == is->idle_timeout
           && was->hard_timeout == is->hard_timeout;
}

static void
compare(const struct installed *installed, struct flow_rule *desired,
        struct flow_rule *was, struct changes *changes)
{
    const struct flow_rule *refused
        = desired ? flow_set_find(&installed->refused, desired) : NULL;

    if ((refused && flow_rule_same_effect(refused, desired))
        || (desired && desired->meter
            && id_map_find(&installed->refused_meters, desired->meter))) {
        desired = NULL;
    }
    if (!desired) {
        if (was) {
            add_change(changes, FLOW_MOD_DELETE_STRICT, was);
        }
    } else if (!was) {
        add_change(changes, FLOW_MOD_ADD, desired);
    } else if (!flow_rule_same_effect(was, desired)) {
        add_change(changes, is_modification(was, desired)
                            ? FLOW_MOD_MODIFY_STRICT : FLOW_MOD_ADD,
                   desired);
    }
}

/* ---- Meters ---- */

static void
add_meter(struct changes *changes, enum meter_mod_command command,
          const struct port_meter *meter)
{
    if (changes->n_meters == changes->meters_size) {
        changes->meters_size = MAX(16u, changes->meters_size * 2);
        changes->meters = xrealloc(changes->meters,
                                   changes->meters_size
                                       * sizeof *changes->meters);
    }
    port_meter_to_mod(meter, command, &changes->meters[changes->n_meters++]);
}

static void
compare_meter(const struct desired *desired,
              const struct installed *installed, uint64_t id, bool is_before,
              struct changes *changes)
{
    const struct port_meter *is = id_map_find(&desired->meters, id);
    const struct port_meter *was = id_map_find(&installed->meters, id);

    if (is_before && id_map_find(&installed->refused_meters, id)) {
        return;
    }
    if (is_before && is && !was) {
        add_meter(changes, METER_MOD_ADD, is);
    } else if (is_before && is && !port_meter_equal(is, was)) {
        add_meter(changes, METER_MOD_MODIFY, is);
    } else if (!is_before && !is && was) {
        add_meter(changes, METER_MOD_DELETE, was);
    }
}

/* ---- All of it, or some ---- */

void
reconcile_all(const struct desired *desired,
              const struct installed *installed, struct changes *changes)
{
    struct flow_rule *rule;
    struct port_meter *meter;

    FLOW_SET_FOR_EACH (rule, &desired->flows) {
        if (flow_set_find(&desired->flows, rule) == rule) {
            compare(installed, rule, flow_set_find(&installed->flows, rule),
                    changes);
        }
    }
    FLOW_SET_FOR_EACH (rule, &installed->flows) {
        if (!flow_set_find(&desired->flows, rule)) {
            compare(installed, NULL, rule, changes);
        }
    }
    ID_MAP_FOR_EACH (meter, &desired->meters) {
        compare_meter(desired, installed, meter->id, true, changes);
    }
    changes->n_meters_before = changes->n_meters;
    ID_MAP_FOR_EACH (meter, &installed->meters) {
        compare_meter(desired, installed, meter->id, false, changes);
    }
    changes->groups = installed->n_groups;
}

static void
compare_meters_touched(const struct desired *desired,
                       const struct installed *installed,
                       const struct id_map *touched, bool is_before,
                       struct changes *changes)
{
    for (unsigned int i = 0; i < touched->size; i++) {
        if (touched->slots[i].value) {
            compare_meter(desired, installed, touched->slots[i].id,
                          is_before, changes);
        }
    }
}

void
reconcile_touched(const struct desired *desired,
                  const struct installed *installed,
                  const struct desired_touched *touched,
                  struct changes *changes)
{
    struct flow_set seen;

    flow_set_init(&seen);
    for (unsigned int i = 0; i < touched->flows.n; i++) {
        struct flow_rule *identity = touched->flows.rules[i];

        if (flow_set_find(&seen, identity)) {
            continue;
        }
        flow_set_insert(&seen, identity);
        compare(installed, flow_set_find(&desired->flows, identity),
                flow_set_find(&installed->flows, identity), changes);
    }
    flow_set_fini(&seen);
    compare_meters_touched(desired, installed, &touched->meters, true,
                           changes);
    changes->n_meters_before = changes->n_meters;
    compare_meters_touched(desired, installed, &touched->meters, false,
                           changes);
}

/* ---- Afterwards ---- */

static void
apply_flow(struct installed *installed, const struct flow_change *change)
{
    const struct flow_rule *was = flow_set_find(&installed->flows,
                                                change->rule);

    if (was) {
        flow_set_remove(&installed->flows, was);
    }
    if (change->command != FLOW_MOD_DELETE_STRICT) {
        flow_set_insert(&installed->flows, change->rule);
    }
}

static void
apply_meter(struct installed *installed, const struct meter_mod *mod)
{
    struct port_meter meter = port_meter_from_mod(mod);

    if (mod->command == METER_MOD_DELETE) {
        free(id_map_remove(&installed->meters, mod->id));
    } else {
        installed_add_meter(installed, &meter);
    }
}

void
installed_apply(struct installed *installed, const struct changes *changes)
{
    for (unsigned int i = 0; i < changes->n; i++) {
        apply_flow(installed, &changes->flows[i]);
    }
    for (unsigned int i = 0; i < changes->n_meters; i++) {
        apply_meter(installed, &changes->meters[i]);
    }
    if (changes->groups) {
        installed->n_groups = 0;
    }
}
