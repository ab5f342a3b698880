/* weft meter list, add, modify, delete. */

#include "cli/change.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

enum cli_status
meter_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    enum cli_status status;
    struct answer answer;
    struct table *table;
    size_t i;
    json_t *meter;

    status = client_ask(cli, "GET", "/v1/meters", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        table = table_create();
        table_add_column(table, "METER", COLUMN_RIGHT);
        table_add_column(table, "PACKETS", COLUMN_RIGHT);
        table_add_column(table, "BYTES", COLUMN_RIGHT);
        table_add_column(table, "AS ADDED", COLUMN_CUT);
        json_array_foreach (json_object_get(answer.json, "meters"), i,
                            meter) {
            table_add_json(table, meter, "id");
            table_add_json(table, meter, "packets");
            table_add_json(table, meter, "bytes");
            table_add_json(table, meter, "meter");
        }
        table_print(table);
        table_destroy(table);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
meter_add(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "meters", "add", args, NULL);
}

enum cli_status
meter_modify(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "meters", "modify", args, NULL);
}

enum cli_status
meter_delete(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status = number_path(cli, args, "meter", &path);

    if (status == CLI_DONE) {
        status = delete_command(cli, str_text(&path));
    }
    str_fini(&path);
    return status;
}
