/* weft lease list. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static void
add_time_left(struct table *table, const json_t *lease)
{
    const json_t *left = json_object_get(lease, "seconds_left");

    if (json_is_null(left)) {
        table_add_text(table, "for ever");
    } else {
        table_add_seconds(table, json_number_value(left));
    }
}

static void
print_leases(const json_t *leases)
{
    struct table *table = table_create();
    json_t *lease;
    size_t i;

    table_add_column(table, "NETWORK", 0);
    table_add_column(table, "ADDRESS", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "PORT", 0);
    table_add_column(table, "MAC", 0);
    table_add_column(table, "HOSTNAME", COLUMN_CUT);
    table_add_column(table, "LEFT", COLUMN_RIGHT);
    json_array_foreach (leases, i, lease) {
        table_add_json(table, lease, "network");
        table_add_json(table, lease, "address");
        table_add_json(table, lease, "state");
        table_add_json(table, lease, "port");
        table_add_json(table, lease, "mac");
        table_add_json(table, lease, "hostname");
        add_time_left(table, lease);
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
lease_list(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_add(&path, "/v1/leases");
    if (args->options[0]) {
        str_add(&path, "?network=");
        client_escape(&path, args->options[0]);
    }
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_leases(json_object_get(answer.json, "leases"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
