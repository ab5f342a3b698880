/* weft cache list. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static void
print_entries(const json_t *entries)
{
    struct table *table = table_create();
    size_t i;
    json_t *entry;

    table_add_column(table, "PACKETS", COLUMN_RIGHT);
    table_add_column(table, "BYTES", COLUMN_RIGHT);
    table_add_column(table, "IDLE", COLUMN_RIGHT);
    table_add_column(table, "MATCH", COLUMN_CUT);
    table_add_column(table, "ACTIONS", COLUMN_CUT);
    json_array_foreach (entries, i, entry) {
        table_add_json(table, entry, "packets");
        table_add_json(table, entry, "bytes");
        table_add_seconds(table,
                          json_real_value(json_object_get(entry, "idle")));
        table_add_json(table, entry, "match");
        table_add_json(table, entry, "actions");
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
cache_list(struct cli *cli, const struct cli_args *args)
{
    const char *port = args->options[0], *limit = args->options[1];
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_add(&path, "/v1/cache?limit=");
    client_escape(&path, limit ? limit : "10000");
    if (port) {
        str_add(&path, "&port=");
        client_escape(&path, port);
    }
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_entries(json_object_get(answer.json, "cache"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
