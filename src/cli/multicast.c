/* weft multicast list. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static void
print_listeners(const json_t *listeners)
{
    struct table *table = table_create();
    json_t *listener;
    size_t i;

    table_add_column(table, "NETWORK", 0);
    table_add_column(table, "GROUP", 0);
    table_add_column(table, "PORT", 0);
    table_add_column(table, "LEFT", COLUMN_RIGHT);
    json_array_foreach (listeners, i, listener) {
        table_add_json(table, listener, "network");
        if (json_is_true(json_object_get(listener, "router"))) {
            table_add_text(table, "all (it asks)");
        } else {
            table_add_json(table, listener, "group");
        }
        table_add_json(table, listener, "port");
        table_add_seconds(table, json_number_value(
            json_object_get(listener, "seconds_left")));
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
multicast_list(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_add(&path, "/v1/multicast");
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
        print_listeners(json_object_get(answer.json, "listeners"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
