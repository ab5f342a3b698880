/* Connections, of the control thread. */
#include "lib/log.h"
#include "switch/connection_file.h"
#include "switch/switch_impl.h"

enum {
    SWEEP_INTERVAL = 100,         /* msec */
    SWEEP_BUDGET = 16384,         /* places looked at in one */
};

struct conntrack *
switch_conntrack(const struct switch_ *sw)
{
    return datapath_conntrack(sw->dp);
}

unsigned int
switch_flush_connections(struct switch_ *sw,
                         bool (*is_it)(void *aux, const struct ct_info *),
                         void *aux)
{
    return conntrack_flush(switch_conntrack(sw), datapath_ct_slot(sw->dp),
                           sw->now, is_it, aux);
}

int
switch_load_connections(struct switch_ *sw, const char *path, msec now,
                        uint32_t *n)
{
    return connection_file_load(switch_conntrack(sw),
                                datapath_ct_slot(sw->dp), path, now, n);
}

static void
tell_alarms(struct switch_ *sw)
{
    uint16_t zones[8];
    unsigned int n = conntrack_take_alarms(switch_conntrack(sw), zones,
                                           ARRAY_SIZE(zones));

    for (unsigned int i = 0; i < n; i++) {
        log_warn("switch", "zone %u has more than 80 %% of the connections "
                 "that it may have; beyond, new ones are dropped as "
                 "ct-zone-full", zones[i]);
    }
}

/* Workers sweep while they work; who sleeps leaves it to us. */
msec
switch_sweep_connections(struct switch_ *sw, msec now)
{
    if (now >= sw->next_sweep) {
        conntrack_sweep(switch_conntrack(sw), datapath_ct_slot(sw->dp),
                        SWEEP_BUDGET, now);
        tell_alarms(sw);
        sw->next_sweep = now + SWEEP_INTERVAL;
    }
    return sw->next_sweep;
}
