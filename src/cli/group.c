/* weft group list, add, modify, delete. */

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/table.h"

enum cli_status
group_list(struct cli *cli, const struct cli_args *args)
{
    static const struct list_column columns[] = {
        { "GROUP", "id", COLUMN_RIGHT },
        { "TYPE", "type", 0 },
        { "PACKETS", "packets", COLUMN_RIGHT },
        { "BYTES", "bytes", COLUMN_RIGHT },
        { "AS ADDED", "group", COLUMN_CUT },
        { NULL, NULL, 0 },
    };

    return list_command(cli, cli->is_json || args->options[0]
                             ? "/v1/groups" : "/v1/groups?names=yes",
                        "groups", columns);
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
