/* weft fdb list, flush. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>

static void
fdb_path(struct str *path, const struct cli_args *args)
{
    const char *port = args->options[0], *vlan = args->options[1];

    str_add(path, "/v1/fdb");
    if (port) {
        str_add(path, "?port=");
        client_escape(path, port);
    }
    if (vlan) {
        str_addf(path, "%cvlan=", port ? '&' : '?');
        client_escape(path, vlan);
    }
}

static void
print_stations(const json_t *stations)
{
    struct table *table = table_create();
    size_t i;
    json_t *station;

    table_add_column(table, "PORT", COLUMN_RIGHT);
    table_add_column(table, "NAME", 0);
    table_add_column(table, "VLAN", COLUMN_RIGHT);
    table_add_column(table, "MAC", 0);
    table_add_column(table, "AGE", COLUMN_RIGHT);
    json_array_foreach (stations, i, station) {
        table_add_port(table, station, "number");
        table_add_json(table, station, "port");
        table_add_json(table, station, "vlan");
        table_add_json(table, station, "mac");
        table_add_seconds(table,
                          json_real_value(json_object_get(station, "age")));
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
fdb_list(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    fdb_path(&path, args);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_stations(json_object_get(answer.json, "fdb"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
fdb_flush(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    fdb_path(&path, args);
    status = client_ask(cli, "DELETE", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        printf("%lld forgotten\n",
               (long long) json_integer_value(
                   json_object_get(answer.json, "flushed")));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
