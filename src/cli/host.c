#include "cli/host.h"

#include "cli/intent.h"
#include "cli/table.h"
#include "intent/host.h"

static void
add_host(struct table *table, const json_t *host, const char *own,
         const json_t *counts)
{
    const json_t *members = json_object_get(host, "members");
    const json_t *mtu = json_object_get(members, "mtu");
    const char *name = json_string_value(json_object_get(host, "name"));

    table_add_json(table, host, "name");
    table_add_text(table, name && own && !strcmp(name, own) ? "here" : "-");
    table_add_json(table, members, "tunnel");
    table_addf(table, "%lld", mtu ? (long long) json_integer_value(mtu)
                                  : (long long) HOST_DEFAULT_MTU);
    table_addf(table, "%lld", (long long) json_integer_value(
        json_object_get(counts, name)));
    table_add_json(table, host, "place");
}

void
host_print_all(struct cli *cli, const json_t *hosts)
{
    struct table *table = table_create();
    json_t *counts = intent_count_ports(cli, "host");
    struct answer status;
    const char *own = NULL;
    json_t *host;
    size_t i;

    if (client_try(cli, "GET", "/v1/status", NULL, &status) == CLI_DONE) {
        own = json_string_value(json_object_get(status.json, "host"));
    }
    table_add_column(table, "HOST", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "TUNNEL", 0);
    table_add_column(table, "MTU", COLUMN_RIGHT);
    table_add_column(table, "PORTS", COLUMN_RIGHT);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (hosts, i, host) {
        add_host(table, host, own, counts);
    }
    table_print(table);
    table_destroy(table);
    json_decref(counts);
    answer_fini(&status);
}
