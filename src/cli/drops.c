/* weft drops. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>

static void
print_drops(const json_t *drops, bool is_all)
{
    struct table *table = table_create();
    unsigned int n_rows = 0;
    size_t i;
    json_t *drop;

    table_add_column(table, "PACKETS", COLUMN_RIGHT);
    table_add_column(table, "REASON", 0);
    table_add_column(table, "WHAT HAPPENED", COLUMN_CUT);
    json_array_foreach (drops, i, drop) {
        if (!is_all
            && !json_integer_value(json_object_get(drop, "packets"))) {
            continue;
        }
        n_rows++;
        table_add_json(table, drop, "packets");
        table_add_json(table, drop, "reason");
        table_add_json(table, drop, "text");
    }
    if (n_rows) {
        table_print(table);
    } else {
        puts("nothing was dropped");
    }
    table_destroy(table);
}

enum cli_status
drops_command(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_add(&path, "/v1/drops");
    if (args->n) {
        str_add(&path, "?port=");
        client_escape(&path, args->words[0]);
    }
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_drops(json_object_get(answer.json, "drops"), args->options[0]);
    }
    answer_fini(&answer);
    return CLI_DONE;
}
