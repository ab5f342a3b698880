/* weft meter list, add, modify, delete. */

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/table.h"

enum cli_status
meter_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    static const struct list_column columns[] = {
        { "METER", "id", COLUMN_RIGHT },
        { "PACKETS", "packets", COLUMN_RIGHT },
        { "BYTES", "bytes", COLUMN_RIGHT },
        { "AS ADDED", "meter", COLUMN_CUT },
        { NULL, NULL, 0 },
    };

    return list_command(cli, "/v1/meters", "meters", columns);
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
