/* The switch's side of meters: which slots of the data path they have. */
#include "switch/switch_impl.h"

void
switch_settle_meters(struct switch_ *sw)
{
    datapath_quiesce(sw->dp);
    for (uint32_t slot = 0; slot < DP_MAX_METERS; slot++) {
        if (sw->meters.given_up[slot / 64] >> (slot % 64) & 1) {
            datapath_set_meter(sw->dp, slot, NULL);
        }
    }
    meter_map_settle(&sw->meters);
    sw->meters_changed = false;
}

static bool
release_meter(void *sw_, const struct meter *meter)
{
    struct switch_ *sw = sw_;

    meter_map_release(&sw->meters, meter->id);
    return true;
}

static void
configure_meter(struct switch_ *sw, uint32_t slot,
                const struct meter_mod *meter)
{
    struct dp_meter_config config = {
        .is_pktps = meter->flags & METER_PKTPS,
        .has_burst = meter->flags & METER_BURST,
        .n_bands = meter->n_bands,
    };

    for (unsigned int i = 0; i < meter->n_bands; i++) {
        const struct meter_band *band = &meter->bands[i];

        config.bands[i].is_dscp_remark = band->type == METER_BAND_DSCP_REMARK;
        config.bands[i].prec_level = band->prec_level;
        config.bands[i].rate = band->rate;
        config.bands[i].burst = band->burst_size;
    }
    datapath_set_meter(sw->dp, slot, &config);
}

static enum of_error
meter_delete(struct switch_ *sw, const struct meter_mod *mod, msec now,
             struct str *why)
{
    enum of_error error;

    /* The slots are looked up by the meters that still are there; what is
     * staged still uses them until the publish. */
    if (mod->id == OFPM_ALL) {
        tables_visit_meters(sw->tables, release_meter, sw);
    } else {
        meter_map_release(&sw->meters, mod->id);
    }
    sw->meters_changed = true;
    error = tables_meter_mod(sw->tables, mod, now, why);
    switch_stage(sw, now);
    return error;
}

enum of_error
switch_meter_mod(struct switch_ *sw, const struct meter_mod *mod, msec now,
                 struct str *why)
{
    uint32_t slot = meter_map_find(&sw->meters, mod->id);
    bool is_claimed = false;
    enum of_error error;

    if (mod->command == METER_MOD_DELETE) {
        return meter_delete(sw, mod, now, why);
    }
    if (mod->command == METER_MOD_ADD && slot == METER_NO_SLOT) {
        slot = meter_map_claim(&sw->meters, mod->id);
        if (slot == METER_NO_SLOT) {
            str_setf(why, "there are %u meters already", DP_MAX_METERS);
            return OF_METER_MOD_FAILED_OUT_OF_METERS;
        }
        is_claimed = true;
    }
    error = tables_meter_mod(sw->tables, mod, now, why);
    if (error && is_claimed) {
        /* The slot was for nothing. */
        meter_map_release(&sw->meters, mod->id);
        sw->meters_changed = true;
        switch_stage(sw, now);
    }
    if (!error) {
        /* A meter works before the first entry that names it is visible. */
        configure_meter(sw, slot, mod);
        /* What went to controllers without it now passes it. */
        sw->meters_changed |= is_claimed;
        switch_stage(sw, now);
    }
    return error;
}

bool
switch_meter_stats(const struct switch_ *sw, uint32_t meter,
                   struct dp_meter_stats *stats)
{
    uint32_t slot = meter_map_find(&sw->meters, meter);

    return slot != METER_NO_SLOT && datapath_meter_stats(sw->dp, slot, stats);
}
