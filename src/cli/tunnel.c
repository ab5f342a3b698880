/* weft tunnel list. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static void
add_rtt(struct table *table, const json_t *tunnel)
{
    const json_t *rtt = json_object_get(tunnel, "rtt_smoothed_us");

    if (json_is_integer(rtt)) {
        table_addf(table, "%.2f ms", (double) json_integer_value(rtt) / 1e3);
    } else {
        table_add_text(table, "-");
    }
}

static void
add_percent(struct table *table, const json_t *percent)
{
    if (json_is_integer(percent)) {
        table_addf(table, "%lld %%", (long long) json_integer_value(percent));
    } else {
        table_add_text(table, "-");
    }
}

static void
print_tunnels(const json_t *tunnels)
{
    struct table *table = table_create();
    json_t *tunnel;
    size_t i;

    table_add_column(table, "HOST", 0);
    table_add_column(table, "TYPE", 0);
    table_add_column(table, "ADDRESS", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "SINCE", COLUMN_RIGHT);
    table_add_column(table, "RTT", COLUMN_RIGHT);
    table_add_column(table, "LOSS", COLUMN_RIGHT);
    table_add_column(table, "MTU", COLUMN_RIGHT);
    table_add_column(table, "WANTED", COLUMN_RIGHT);
    json_array_foreach (tunnels, i, tunnel) {
        table_add_json(table, tunnel, "host");
        table_add_json(table, tunnel, "type");
        table_add_json(table, tunnel, "address");
        table_add_json(table, tunnel, "state");
        table_add_seconds(table, json_number_value(
            json_object_get(tunnel, "seconds")));
        add_rtt(table, tunnel);
        add_percent(table, json_object_get(tunnel, "loss_percent"));
        table_add_json(table, tunnel, "mtu");
        table_add_json(table, tunnel, "mtu_wanted");
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
tunnel_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct answer answer;
    enum cli_status status = client_ask(cli, "GET", "/v1/controller/tunnels",
                                        NULL, &answer);

    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_tunnels(json_object_get(answer.json, "tunnels"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
