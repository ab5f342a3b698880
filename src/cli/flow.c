/* weft flow list, add, modify, delete. */

#include "cli/change.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>

static void
print_flows(const json_t *flows)
{
    struct table *table = table_create();
    size_t i;
    json_t *flow;

    table_add_column(table, "TABLE", COLUMN_RIGHT);
    table_add_column(table, "PRIORITY", COLUMN_RIGHT);
    table_add_column(table, "PACKETS", COLUMN_RIGHT);
    table_add_column(table, "BYTES", COLUMN_RIGHT);
    table_add_column(table, "AGE", COLUMN_RIGHT);
    table_add_column(table, "MATCH", COLUMN_CUT);
    table_add_column(table, "ACTIONS", COLUMN_CUT);
    json_array_foreach (flows, i, flow) {
        const char *match = json_string_value(json_object_get(flow, "match"));

        table_add_json(table, flow, "table");
        table_add_json(table, flow, "priority");
        table_add_json(table, flow, "packets");
        table_add_json(table, flow, "bytes");
        table_add_seconds(table,
                          json_real_value(json_object_get(flow, "age")));
        table_add_text(table, match && *match ? match : "any");
        table_add_json(table, flow, "actions");
    }
    table_print(table);
    table_destroy(table);
}

static void
print_flow_texts(const json_t *flows)
{
    size_t i;
    json_t *flow;

    json_array_foreach (flows, i, flow) {
        puts(json_string_value(json_object_get(flow, "flow")));
    }
}

enum cli_status
flow_list(struct cli *cli, const struct cli_args *args)
{
    const char *table = args->options[0];
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;
    const json_t *flows;

    str_addf(&path, "/v1/flows?names=%s&match=",
             cli->is_json || args->options[2] ? "no" : "yes");
    client_escape(&path, args->n ? args->words[0] : "");
    if (table) {
        str_add(&path, "&table=");
        client_escape(&path, table);
    }
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    flows = json_object_get(answer.json, "flows");
    if (!cli_shown_as_json(cli, &answer.body)) {
        if (args->options[1]) {
            print_flow_texts(flows);
        } else {
            print_flows(flows);
        }
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
flow_add(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "flows", "add", args, args->options[0]);
}

enum cli_status
flow_modify(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "flows",
                          args->options[1] ? "modify_strict" : "modify", args,
                          args->options[0]);
}

enum cli_status
flow_delete(struct cli *cli, const struct cli_args *args)
{
    const char *strict = args->options[0], *all = args->options[1];
    struct str path = STR_INIT;
    enum cli_status status;

    if (!args->n == !all) {
        return cli_fail(cli, CLI_USAGE, NULL, "weft flow list",
                        "which entries?  Give a match, or --all");
    }
    str_add(&path, "/v1/flows?flow=");
    client_escape(&path, args->n ? args->words[0] : "");
    if (strict) {
        str_add(&path, "&strict=yes");
    }
    status = delete_command(cli, str_text(&path));
    str_fini(&path);
    return status;
}
