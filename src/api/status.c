/* /v1/status, /v1/switch, /v1/barrier. */

#include "api/routes.h"
#include "host/host.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void
count_ports(const struct api *api, int *n_ports, int *n_up, int *n_held)
{
    for (const struct switch_port *sp = switch_next_port(api->sw, NULL); sp;
         sp = switch_next_port(api->sw, sp)) {
        ++*n_ports;
        *n_up += port_is_up(sp->port);
        *n_held += sp->is_held;
    }
}

static void
count_state(void *counts_, const struct host_port_info *info)
{
    int *counts = counts_;

    counts[info->state]++;
}

static uint64_t
count_flows(const struct api *api)
{
    struct tables *tables = switch_tables(api->sw);
    uint64_t n = 0;

    for (unsigned int i = 0; i < N_TABLES; i++) {
        n += tables_stats(tables, (uint8_t) i)->n_visible;
    }
    return n;
}

/* What the host's own stack does for uplinks. */
static json_t *
nat_json(const struct api *api)
{
    const char *error = "";
    const struct host_nat *nat = api->host ? host_nat(api->host, &error)
                                           : NULL;
    json_t *legs = json_array();
    char table[64];

    for (unsigned int i = 0; nat && i < nat->n_legs; i++) {
        const struct host_nat_leg *leg = &nat->legs[i];
        bool has_ipv6 = leg->ours6.b[0];
        char address[INET_ADDRSTRLEN], address6[INET6_ADDRSTRLEN];

        inet_ntop(AF_INET, &leg->ours, address, sizeof address);
        inet_ntop(AF_INET6, &leg->ours6, address6, sizeof address6);
        json_array_append_new(
            legs, json_pack("{s:s, s:s, s:s?}", "device", leg->device,
                            "address", address, "address6",
                            has_ipv6 ? address6 : NULL));
    }
    snprintf(table, sizeof table, "weft-%s",
             api->instance ? api->instance : "");
    return json_pack("{s:o, s:s, s:s?}", "legs", legs, "table", table,
                     "error", *error ? error : NULL);
}

/* Of a daemon whose switch is another program. */
static void
show_without_switch(const struct api *api, msec now, struct api_reply *reply)
{
    int counts[N_HOST_STATES] = { 0 };
    int n_ports = 0;

    if (api->host) {
        host_for_each_port(api->host, count_state, counts);
    }
    for (int i = 0; i < N_HOST_STATES; i++) {
        n_ports += counts[i];
    }
    api_reply_json(
        reply, 200,
        json_pack("{s:s, s:s?, s:I, s:f, s:I, s:s, s:s, s:i, s:i, s:o}",
                  "version", api->version,
                  "host", api->host ? host_name(api->host) : NULL,
                  "pid", (json_int_t) getpid(),
                  "uptime", (double) (now - api->started) / 1000,
                  "restarts", (json_int_t) api->helper_generation,
                  "switch", api->switch_name,
                  "kind", "another program's",
                  "ports", n_ports,
                  "ports_up", counts[HOST_PLUGGED],
                  "host_nat", nat_json(api)));
}

void
status_show(struct api *api, struct api_request *request UNUSED, msec now,
            struct api_reply *reply)
{
    const struct switch_config *config;
    int n_ports = 0, n_up = 0, n_held = 0;

    if (!api->sw) {
        show_without_switch(api, now, reply);
        return;
    }
    config = switch_config(api->sw);
    count_ports(api, &n_ports, &n_up, &n_held);
    api_reply_json(
        reply, 200,
        json_pack("{s:s, s:s?, s:I, s:f, s:I, s:s, s:i, s:i, s:i, s:I, s:o}",
                  "version", api->version,
                  "host", api->host ? host_name(api->host) : NULL,
                  "pid", (json_int_t) getpid(),
                  "uptime", (double) (now - api->started) / 1000,
                  "restarts", (json_int_t) api->helper_generation,
                  "switch", config->name,
                  "ports", n_ports,
                  "ports_up", n_up,
                  "ports_held", n_held,
                  "flows", (json_int_t) count_flows(api),
                  "host_nat", nat_json(api)));
}

static json_t *
counters_json(const struct datapath *dp)
{
    struct datapath_counters counters;
    json_t *json = json_object();

    datapath_read_counters(dp, &counters);
#define X(NAME, TEXT)                                                        \
    json_object_set_new(json, #NAME,                                         \
                        json_integer((json_int_t) counters.NAME));
    DATAPATH_COUNTERS(X)
#undef X
    return json;
}

static json_t *
tables_json(const struct api *api)
{
    struct tables *tables = switch_tables(api->sw);
    json_t *json = json_array();

    for (unsigned int i = 0; i < N_TABLES; i++) {
        struct table_stats *stats = tables_stats(tables, (uint8_t) i);
        uint64_t lookups = atomic_load_explicit(&stats->lookups,
                                                memory_order_relaxed);

        if (!stats->n_visible && !lookups) {
            continue;
        }
        json_array_append_new(
            json, json_pack("{s:i, s:I, s:I, s:I}",
                            "table", (int) i,
                            "entries", (json_int_t) stats->n_visible,
                            "lookups", (json_int_t) lookups,
                            "matched", (json_int_t) atomic_load_explicit(
                                &stats->matched, memory_order_relaxed)));
    }
    return json;
}

static json_t *
first_egress_json(const struct api *api)
{
    struct tables *tables = switch_tables(api->sw);
    unsigned int first = tables_first_egress(tables, tables_version(tables));

    return first == N_TABLES ? json_null() : json_integer((json_int_t) first);
}

void
switch_show(struct api *api, struct api_request *request UNUSED,
            msec now UNUSED, struct api_reply *reply)
{
    const struct switch_config *config = switch_config(api->sw);
    const struct datapath *dp = switch_datapath(api->sw);
    struct dp_cache_size cache;
    int n_ports = 0, n_up = 0, n_held = 0;
    char dpid[17];

    datapath_cache_size(dp, &cache);
    count_ports(api, &n_ports, &n_up, &n_held);
    snprintf(dpid, sizeof dpid, "%016" PRIx64, config->datapath_id);
    api_reply_json(
        reply, 200,
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:I, s:I, s:f, "
                  "s:o, s:{s:I, s:I, s:I, s:I}}",
                  "name", config->name,
                  "datapath_id", dpid,
                  "fail_mode",
                  config->fail_mode == FAIL_SECURE ? "secure" : "standalone",
                  "workers", (int) config->datapath.n_workers,
                  "ports", n_ports,
                  "ports_up", n_up,
                  "tables", tables_json(api),
                  "first_egress_table", first_egress_json(api),
                  "tables_bytes",
                  (json_int_t) tables_memory(switch_tables(api->sw)),
                  "tables_version",
                  (json_int_t) tables_version(switch_tables(api->sw)),
                  "fdb_age", (double) config->fdb_age / 1000,
                  "counters", counters_json(dp),
                  "cache",
                  "entries", (json_int_t) cache.n_entries,
                  "max_entries", (json_int_t) cache.max_entries,
                  "masks", (json_int_t) cache.n_masks,
                  "max_masks", (json_int_t) cache.max_masks));
}

void
barrier_post(struct api *api, struct api_request *request UNUSED,
             msec now UNUSED, struct api_reply *reply)
{
    switch_barrier(api->sw);
    api_reply_done(reply);
}
