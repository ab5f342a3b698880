/* Statistics and descriptions of groups and meters. */
#include <stdlib.h>

#include "switch/control_stats.h"

/* ---- Groups ---- */

static struct of_counter
counter_of(const struct credit *credit)
{
    return (struct of_counter) { atomic_load(&credit->packets),
                                 atomic_load(&credit->bytes) };
}

static bool
add_group_stats(void *request, const struct group *g)
{
    struct stats_request *r = request;
    struct of_group_stats stats = {
        .id = g->id, .total = counter_of(g->credit),
        .ref_count = tables_group_users(switch_tables(r->control->sw),
                                        g->id),
        .n_buckets = g->n_buckets,
    };
    struct of_counter *buckets;

    if (r->what->group != OFPG_ALL && r->what->group != g->id) {
        return true;
    }
    buckets = xcalloc(MAX(g->n_buckets, 1u), sizeof *buckets);
    for (unsigned int i = 0; i < g->n_buckets; i++) {
        buckets[i] = counter_of(g->buckets[i].credit);
    }
    stats.buckets = buckets;
    stats_age(r, g->created, &stats.duration_sec, &stats.duration_nsec);
    of_reply_group_stats(&r->reply, &stats);
    free(buckets);
    return true;
}

enum of_error
stats_group_stats(struct stats_request *r)
{
    switch_barrier(r->control->sw);
    switch_refresh_counters(r->control->sw);
    tables_visit_groups(switch_tables(r->control->sw), add_group_stats, r);
    return OF_OK;
}

/* The bucket's actions are lent to the description. */
static bool
add_group_desc(void *request, const struct group *g)
{
    struct stats_request *r = request;
    struct group_mod desc = { .type = g->type, .id = g->id,
                              .n_buckets = g->n_buckets,
                              .selection = g->selection };

    if (r->what->group != OFPG_ALL && r->what->group != g->id) {
        return true;
    }
    desc.buckets = xcalloc(MAX(g->n_buckets, 1u), sizeof *desc.buckets);
    for (unsigned int i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *from = &g->buckets[i];

        desc.buckets[i] = (struct bucket) {
            .id = from->id, .weight = from->weight,
            .watch_port = from->watch_port,
            .watch_group = from->watch_group,
            .actions = { (char *) (uintptr_t) from->actions.first,
                         from->actions.len, from->actions.len },
        };
    }
    of_reply_group_desc(&r->reply, &desc);
    free(desc.buckets);
    return true;
}

enum of_error
stats_group_desc(struct stats_request *r)
{
    switch_barrier(r->control->sw);
    tables_visit_groups(switch_tables(r->control->sw), add_group_desc, r);
    return OF_OK;
}

enum of_error
stats_group_features(struct stats_request *r)
{
    struct of_group_features features = {
        .types = 1u << GROUP_ALL | 1u << GROUP_SELECT | 1u << GROUP_INDIRECT
                 | 1u << GROUP_FAST_FAILOVER,
        .capabilities = 1 | 2 | 4 | 8,
    };

    for (unsigned int i = 0; i < 4; i++) {
        features.max_groups[i] = TABLES_MAX_GROUPS;
        features.actions[i] = (UINT64_C(1) << N_ACTIONS) - 1;
    }
    of_reply_group_features(&r->reply, &features);
    return OF_OK;
}

/* ---- Meters ---- */

struct one_meter {
    struct stats_request *r;
    bool is_found;
    void (*add)(struct stats_request *, const struct meter *);
};

static bool
visit_meter(void *one_, const struct meter *meter)
{
    struct one_meter *one = one_;

    if (one->r->what->meter == OFPM_ALL || one->r->what->meter == meter->id) {
        one->is_found = true;
        one->add(one->r, meter);
    }
    return true;
}

static enum of_error
for_meters(struct stats_request *r,
           void (*add)(struct stats_request *, const struct meter *))
{
    struct one_meter one = { .r = r, .add = add };

    switch_barrier(r->control->sw);
    tables_visit_meters(switch_tables(r->control->sw), visit_meter, &one);
    return one.is_found || r->what->meter == OFPM_ALL
               ? OF_OK : OF_METER_MOD_FAILED_UNKNOWN_METER;
}

static void
add_meter_config(struct stats_request *r, const struct meter *meter)
{
    struct meter_mod config = { .id = meter->id, .flags = meter->flags,
                                .n_bands = meter->n_bands };

    memcpy(config.bands, meter->bands, sizeof config.bands);
    of_reply_meter_config(&r->reply, &config);
}

static void
add_meter_stats(struct stats_request *r, const struct meter *meter)
{
    struct of_meter_stats stats = { .id = meter->id,
                                    .n_bands = meter->n_bands };
    struct dp_meter_stats counted = { 0 };

    switch_meter_stats(r->control->sw, meter->id, &counted);
    stats.ref_count = tables_meter_users(switch_tables(r->control->sw),
                                         meter->id);
    stats.in.packets = counted.packets;
    stats.in.bytes = counted.bytes;
    for (unsigned int i = 0; i < meter->n_bands; i++) {
        stats.bands[i].packets = counted.bands[i].packets;
        stats.bands[i].bytes = counted.bands[i].bytes;
    }
    stats_age(r, meter->created, &stats.duration_sec, &stats.duration_nsec);
    of_reply_meter_stats(&r->reply, &stats);
}

enum of_error
stats_meter_stats(struct stats_request *r)
{
    return for_meters(r, add_meter_stats);
}

enum of_error
stats_meter_config(struct stats_request *r)
{
    return for_meters(r, add_meter_config);
}

enum of_error
stats_meter_features(struct stats_request *r)
{
    const struct of_meter_features features = {
        .max_meters = DP_MAX_METERS,
        .band_types = 1u << METER_BAND_DROP | 1u << METER_BAND_DSCP_REMARK,
        .flags = METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS,
        .max_bands = METER_MAX_BANDS,
    };

    of_reply_meter_features(&r->reply, &features);
    return OF_OK;
}
