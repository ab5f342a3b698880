/* weft group list, add, modify, delete. */

#include "cli/change.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

enum cli_status
group_list(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status;
    struct answer answer;
    struct table *table;
    size_t i;
    json_t *group;

    status = client_ask(cli, "GET", cli->is_json || args->options[0]
                                    ? "/v1/groups" : "/v1/groups?names=yes",
                        NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        table = table_create();
        table_add_column(table, "GROUP", COLUMN_RIGHT);
        table_add_column(table, "TYPE", 0);
        table_add_column(table, "PACKETS", COLUMN_RIGHT);
        table_add_column(table, "BYTES", COLUMN_RIGHT);
        table_add_column(table, "AS ADDED", COLUMN_CUT);
        json_array_foreach (json_object_get(answer.json, "groups"), i,
                            group) {
            table_add_json(table, group, "id");
            table_add_json(table, group, "type");
            table_add_json(table, group, "packets");
            table_add_json(table, group, "bytes");
            table_add_json(table, group, "group");
        }
        table_print(table);
        table_destroy(table);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
group_add(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "groups", "add", args, NULL);
}

enum cli_status
group_modify(struct cli *cli, const struct cli_args *args)
{
    return change_command(cli, "groups", "modify", args, NULL);
}

enum cli_status
group_delete(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status = number_path(cli, args, "group", &path);

    if (status == CLI_DONE) {
        status = delete_command(cli, str_text(&path));
    }
    str_fini(&path);
    return status;
}
