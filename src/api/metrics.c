/* /v1/metrics: counters as Prometheus reads them (text format 0.0.4).
 *
 * Families come from the tables of counters and drop reasons, so that a new row
 * there is a new metric here. */

#include "api/routes.h"
#include "api/security.h"
#include "controller/controller.h"

#include <inttypes.h>

#include "controller/controller.h"

static void
family(struct str *out, const char *name, const char *type, const char *help)
{
    str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void
label(struct str *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') {
            str_add_char(out, '\\');
        }
        if (*value == '\n') {
            str_add(out, "\\n");
        } else {
            str_add_char(out, *value);
        }
    }
}

static void
port_sample(struct str *out, const char *name, const struct switch_port *sp,
            uint64_t value)
{
    str_addf(out, "%s{port=\"", name);
    label(out, sp->port->config.name);
    str_addf(out, "\"} %" PRIu64 "\n", value);
}

static void
add_ports(const struct api *api, struct str *out)
{
    const struct switch_port *sp;

    family(out, "weft_port_up", "gauge", "1 when the port carries frames");
    for (sp = switch_next_port(api->sw, NULL); sp;
         sp = switch_next_port(api->sw, sp)) {
        port_sample(out, "weft_port_up", sp, port_is_up(sp->port));
    }
#define X(NAME)                                                              \
    family(out, "weft_port_" #NAME "_total", "counter",                      \
           "port counter " #NAME);                                           \
    for (sp = switch_next_port(api->sw, NULL); sp;                           \
         sp = switch_next_port(api->sw, sp)) {                               \
        port_sample(out, "weft_port_" #NAME "_total", sp,                    \
                    atomic_load_explicit(&sp->port->counters.NAME,           \
                                         memory_order_relaxed));             \
    }
    PORT_COUNTERS(X)
#undef X
}

static void
add_drops(const struct api *api, struct str *out)
{
    uint64_t drops[N_DROP_REASONS] = { 0 };

    datapath_read_drops(switch_datapath(api->sw), NULL, drops);
    family(out, "weft_drops_total", "counter", "packets dropped, by reason");
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        str_addf(out, "weft_drops_total{reason=\"%s\"} %" PRIu64 "\n",
                 drop_reason_name(i), drops[i]);
    }
}

static void
add_datapath(const struct api *api, struct str *out)
{
    const struct datapath *dp = switch_datapath(api->sw);
    struct datapath_counters counters;
    struct dp_cache_size cache;

    datapath_read_counters(dp, &counters);
#define X(NAME, TEXT)                                                        \
    family(out, "weft_datapath_" #NAME "_total", "counter", TEXT);           \
    str_addf(out, "weft_datapath_" #NAME "_total %" PRIu64 "\n",             \
             counters.NAME);
    DATAPATH_COUNTERS(X)
#undef X

    datapath_cache_size(dp, &cache);
    family(out, "weft_cache_entries", "gauge", "cache entries in use");
    str_addf(out, "weft_cache_entries %" PRIu32 "\n", cache.n_entries);
    family(out, "weft_cache_max_entries", "gauge", "cache entries allowed");
    str_addf(out, "weft_cache_max_entries %" PRIu32 "\n", cache.max_entries);
    family(out, "weft_cache_masks", "gauge", "cache masks in use");
    str_addf(out, "weft_cache_masks %" PRIu32 "\n", cache.n_masks);
    family(out, "weft_cache_max_masks", "gauge", "cache masks allowed");
    str_addf(out, "weft_cache_max_masks %" PRIu32 "\n", cache.max_masks);
}

static void
table_sample(struct str *out, const char *name, unsigned int table,
             uint64_t value)
{
    str_addf(out, "%s{table=\"%u\"} %" PRIu64 "\n", name, table, value);
}

/* Only tables that hold or answered something: 255 rows of nothing help no
 * one. */
static void
add_tables(const struct api *api, struct str *out)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        { "weft_table_entries", "gauge", "flow entries" },
        { "weft_table_lookups_total", "counter", "packets looked up" },
        { "weft_table_matched_total", "counter", "packets that matched" },
    };
    struct tables *tables = switch_tables(api->sw);

    for (unsigned int f = 0; f < ARRAY_SIZE(families); f++) {
        family(out, families[f].name, families[f].type, families[f].help);
        for (unsigned int i = 0; i < N_TABLES; i++) {
            struct table_stats *stats = tables_stats(tables, (uint8_t) i);
            uint64_t values[] = {
                stats->n_visible,
                atomic_load_explicit(&stats->lookups, memory_order_relaxed),
                atomic_load_explicit(&stats->matched, memory_order_relaxed),
            };

            if (values[0] || values[1]) {
                table_sample(out, families[f].name, i, values[f]);
            }
        }
    }
    family(out, "weft_tables_bytes", "gauge", "memory behind the entries");
    str_addf(out, "weft_tables_bytes %zu\n", tables_memory(tables));
}

/* Packets on their way to controllers, by ingress port. */
static void
add_packet_ins(const struct api *api, struct str *out)
{
    const struct packet_in_queue *queue = switch_packet_ins(api->sw);
    const struct switch_port *sp;
    struct packet_in_counters counters;

#define X(NAME, TEXT)                                                        \
    family(out, "weft_packet_ins_" #NAME "_total", "counter", TEXT);         \
    for (sp = switch_next_port(api->sw, NULL); sp;                           \
         sp = switch_next_port(api->sw, sp)) {                               \
        packet_in_read_counters(queue, sp->number, &counters);               \
        port_sample(out, "weft_packet_ins_" #NAME "_total", sp,              \
                    counters.NAME);                                          \
    }
    PACKET_IN_COUNTERS(X)
#undef X
}

/* Connections that are tracked; of zones, those that have nearly as many as they
 * may: others are many, and tell nothing. */
static void
add_tracked(const struct api *api, struct str *out)
{
    enum { MAX_ZONES = 256 };
    const struct conntrack *ct = switch_conntrack(api->sw);
    uint16_t zones[MAX_ZONES];
    unsigned int n = conntrack_crowded(ct, zones, MAX_ZONES);
    struct ct_counters c;

    conntrack_read_counters(ct, &c);
#define X(NAME, TEXT)                                                        \
    family(out, "weft_conntrack_" #NAME "_total", "counter", TEXT);          \
    str_addf(out, "weft_conntrack_" #NAME "_total %" PRIu64 "\n", c.NAME);
    CT_COUNTERS(X)
#undef X
    family(out, "weft_connections", "gauge", "connections tracked");
    str_addf(out, "weft_connections %" PRIu32 "\n", conntrack_count(ct));
    family(out, "weft_connections_max", "gauge", "connections allowed");
    str_addf(out, "weft_connections_max %" PRIu32 "\n", conntrack_max(ct));
    family(out, "weft_connections_bytes", "gauge", "memory behind them");
    str_addf(out, "weft_connections_bytes %" PRIu64 "\n",
             conntrack_memory(ct));
    family(out, "weft_nat_mappings", "gauge",
           "inside ports that have an external one");
    str_addf(out, "weft_nat_mappings %" PRIu32 "\n",
             conntrack_n_mappings(ct));
    family(out, "weft_crowded_zone_connections", "gauge",
           "connections of zones that came above 80 % of what they may have");
    for (unsigned int i = 0; i < n; i++) {
        str_addf(out, "weft_crowded_zone_connections{zone=\"%u\"} %" PRIu32
                 "\n", zones[i], conntrack_zone_count(ct, zones[i]));
    }
}

static void
add_connections(const struct api *api, struct str *out)
{
    struct control_counters counters;

    if (!api->connections) {
        return;
    }
    connections_read_counters(api->connections, &counters);
#define X(NAME, TEXT)                                                        \
    family(out, "weft_openflow_" #NAME "_total", "counter", TEXT);           \
    str_addf(out, "weft_openflow_" #NAME "_total %" PRIu64 "\n",             \
             counters.NAME);
    CONTROL_COUNTERS(X)
#undef X
}

struct service_family {
    struct str *out;
    const char *name;             /* of the family that was begun last */
};

static void
add_service(void *aux, const struct controller_counter *counter)
{
    struct service_family *f = aux;

    if (!f->name || strcmp(f->name, counter->family)) {
        f->name = counter->family;
        family(f->out, counter->family, "counter", counter->help);
    }
    str_add(f->out, counter->family);
    if (counter->label) {
        str_addf(f->out, "{%s=\"%s\"}", counter->label, counter->value);
    }
    str_addf(f->out, " %" PRIu64 "\n", counter->n);
}

/* What the networks' own DHCP, ND and DNS did. */
static void
add_services(const struct api *api, struct str *out)
{
    struct service_family f = { out, NULL };

    if (api->controller) {
        controller_visit_counters(api->controller, add_service, &f);
    }
}

/* What no rule of a port's security groups allowed. */
static void
add_security(struct api *api, struct str *out)
{
    static const char name[] = "weft_security_group_packets_total";
    struct security_counts counts;

    security_counts_read(api, &counts);
    family(out, name, "counter",
           "packets that no rule of a port's security groups allows");
    for (unsigned int i = 0; i < counts.n; i++) {
        const struct security_count *c = &counts.list[i];
        const struct switch_port *sp = c->rule
                                       ? NULL : switch_port_by_number(
                                           api->sw, c->port);

        if (!sp) {
            continue;
        }
        str_addf(out, "%s{port=\"", name);
        label(out, sp->port->config.name);
        str_addf(out, "\",direction=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                 c->is_in ? "in" : "out", c->is_audit ? "audited" : "dropped",
                 c->packets);
    }
    security_counts_fini(&counts);
}

void
metrics_show(struct api *api, struct api_request *request UNUSED, msec now,
             struct api_reply *reply)
{
    struct str *out = &reply->body;

    str_clear(out);
    family(out, "weft_info", "gauge", "the daemon's version");
    str_addf(out, "weft_info{version=\"%s\",switch=\"", api->version);
    label(out, switch_config(api->sw)->name);
    str_add(out, "\"} 1\n");
    family(out, "weft_uptime_seconds", "gauge", "since the daemon started");
    str_addf(out, "weft_uptime_seconds %.3f\n",
             (double) (now - api->started) / 1000);
    add_ports(api, out);
    add_drops(api, out);
    add_datapath(api, out);
    add_tables(api, out);
    add_packet_ins(api, out);
    add_connections(api, out);
    add_tracked(api, out);
    add_services(api, out);
    if (api->controller) {
        add_security(api, out);
    }
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
