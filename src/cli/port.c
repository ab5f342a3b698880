/* weft port list, show, add, set, delete. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>

/* "10", "trunk", "trunk 10+20", "native 5": how the port takes part. */
static void
vlan_format(const json_t *port, struct str *text)
{
    const char *mode = json_string_value(json_object_get(port, "vlan_mode"));
    const char *trunks = json_string_value(json_object_get(port, "trunks"));
    json_int_t tag = json_integer_value(json_object_get(port, "tag"));

    str_add(text, mode ? mode : "-");
    if (tag) {
        str_addf(text, " %lld", (long long) tag);
    }
    if (trunks && strcmp(trunks, "all") && mode && strcmp(mode, "access")) {
        str_addf(text, " of %s", trunks);
    }
}

/* Of a lab switch: how it takes part. */
static void
add_lab_cells(struct table *table, const json_t *port)
{
    struct str vlan = STR_INIT;

    vlan_format(port, &vlan);
    table_add_json(table, port, "name");
    table_add_json(table, port, "type");
    table_add_json(table, port, "device");
    table_add_text(table, str_text(&vlan));
    str_fini(&vlan);
}

/* Of a cloud: what was asked for; the rest (uplinks, ports added by hand) have
 * no plan. */
static void
add_planned_cells(struct table *table, const json_t *port)
{
    const json_t *plan = json_object_get(port, "plan");
    bool is_v4 = json_is_string(json_object_get(plan, "address"));

    if (!plan) {
        table_add_json(table, port, "name");
        table_add_text(table, "-");
        table_add_text(table, "-");
        table_add_json(table, port, "mac");
        table_addf(table, "%s %s",
                   json_string_value(json_object_get(port, "type")) ?: "-",
                   json_string_value(json_object_get(port, "device")) ?: "");
        return;
    }
    table_add_json(table, plan, "name");
    table_add_json(table, plan, json_is_string(json_object_get(plan,
                                                               "network"))
                                ? "network" : "trunk");
    table_add_json(table, plan, is_v4 ? "address" : "address6");
    table_add_json(table, plan, "mac");
    table_add_json(table, plan, "where");
}

static void
add_port_row(struct table *table, const json_t *port, bool is_planned)
{
    const json_t *counters = json_object_get(port, "counters");

    table_add_port(table, port, "number");
    if (is_planned) {
        add_planned_cells(table, port);
    } else {
        add_lab_cells(table, port);
    }
    if (json_is_string(json_object_get(json_object_get(port, "plan"),
                                       "held"))) {
        table_add_text(table, "held");
    } else {
        table_add_json(table, port, "state");
    }
    table_add_json(table, counters, "rx_packets");
    table_add_json(table, counters, "rx_dropped");
    table_add_json(table, counters, "tx_packets");
    table_add_json(table, counters, "tx_dropped");
}

static void
print_ports(const json_t *ports, bool is_planned)
{
    struct table *table = table_create();
    size_t i;
    json_t *port;

    table_add_column(table, "PORT", COLUMN_RIGHT);
    table_add_column(table, "NAME", 0);
    if (is_planned) {
        table_add_column(table, "NETWORK", 0);
        table_add_column(table, "ADDRESS", 0);
        table_add_column(table, "MAC", 0);
        table_add_column(table, "WHERE", COLUMN_CUT);
    } else {
        table_add_column(table, "TYPE", 0);
        table_add_column(table, "DEVICE", COLUMN_CUT);
        table_add_column(table, "VLAN", COLUMN_CUT);
    }
    table_add_column(table, "STATE", 0);
    table_add_column(table, "RX", COLUMN_RIGHT);
    table_add_column(table, "DROPPED", COLUMN_RIGHT);
    table_add_column(table, "TX", COLUMN_RIGHT);
    table_add_column(table, "DROPPED", COLUMN_RIGHT);
    json_array_foreach (ports, i, port) {
        add_port_row(table, port, is_planned);
    }
    table_print(table);
    table_destroy(table);
}

/* Puts what was planned for a port beside what the switch says of it. */
static void
add_plans(json_t *ports, json_t *plans)
{
    json_t *by_name = json_object();
    json_t *plan, *port;
    size_t i;

    json_array_foreach (ports, i, port) {
        json_object_set(by_name, json_string_value(json_object_get(port,
                                                                   "name")),
                        port);
    }
    json_array_foreach (plans, i, plan) {
        port = json_object_get(by_name, json_string_value(
                                            json_object_get(plan,
                                                            "switch_name")));
        if (port) {
            json_object_set(port, "plan", plan);
            if (json_is_null(json_object_get(port, "number"))) {
                json_object_set(port, "number",
                                json_object_get(plan, "number"));
            }
        } else {
            json_array_append_new(ports, json_pack(
                "{s:n, s:O, s:s, s:O}", "number", "name",
                json_object_get(plan, "switch_name"), "state",
                "not plugged in", "plan", plan));
        }
    }
    json_decref(by_name);
}

enum cli_status
port_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    enum cli_status status;
    struct answer answer, planned;
    json_t *plans = NULL;

    status = client_ask(cli, "GET", "/v1/ports", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    /* A lab switch has none. */
    if (client_try(cli, "GET", "/v1/controller/ports", NULL, &planned)
        == CLI_DONE) {
        plans = json_object_get(planned.json, "ports");
        add_plans(json_object_get(answer.json, "ports"), plans);
        answer_take_json(&answer);
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_ports(json_object_get(answer.json, "ports"),
                    json_array_size(plans));
    }
    answer_fini(&planned);
    answer_fini(&answer);
    return CLI_DONE;
}

static void
print_line(const char *name, const json_t *value)
{
    struct str text = STR_INIT;

    if (!strcmp(name, "number")) {
        port_number_format(value, &text);
    } else {
        json_format(value, &text);
    }
    printf("%-16s %s\n", name, str_text(&text));
    str_fini(&text);
}

/* Everything of one port, one fact a line; counters that are 0 are left out. */
static void
print_port(json_t *port)
{
    const char *name;
    json_t *value;

    json_object_foreach (port, name, value) {
        const char *sub_name;
        json_t *sub;

        if (!json_is_object(value)) {
            print_line(name, value);
            continue;
        }
        json_object_foreach (value, sub_name, sub) {
            struct str path = STR_INIT;

            if (json_is_integer(sub) && !json_integer_value(sub)) {
                continue;
            }
            if (!strcmp(name, "counters")) {
                str_add(&path, sub_name);
            } else {
                str_addf(&path, "%s.%s", name, sub_name);
            }
            print_line(str_text(&path), sub);
            str_fini(&path);
        }
    }
}

static void
port_path(struct str *path, const char *port)
{
    str_add(path, "/v1/ports/");
    client_escape(path, port);
}

enum cli_status
port_show(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    port_path(&path, args->words[0]);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_port(answer.json);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
port_add(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status;
    struct answer answer;
    json_t *body;

    if (args->n_members) {
        return object_create(cli, args);
    }
    body = json_pack("{s:s}", "port", args->words[0]);
    if (!body) {
        return cli_fail(cli, CLI_USAGE, NULL, NULL, "the port is not UTF-8");
    }
    if (args->options[0]) {
        char *end;
        unsigned long number = strtoul(args->options[0], &end, 10);

        if (!strcasecmp(args->options[0], "local")) {
            number = CLI_PORT_LOCAL;
        } else if (*end || end == args->options[0] || !number) {
            json_decref(body);
            return cli_fail(cli, CLI_USAGE, "--number", NULL,
                            "'%s' is not a port's number", args->options[0]);
        }
        json_object_set_new(body, "number", json_integer((json_int_t) number));
    }
    status = client_ask(cli, "POST", "/v1/ports", body, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        const json_t *error = json_object_get(answer.json, "error");

        struct str number = STR_INIT;

        port_number_format(json_object_get(answer.json, "number"), &number);
        printf("port %s is %s, %s%s%s\n", str_text(&number),
               json_string_value(json_object_get(answer.json, "name")),
               json_string_value(json_object_get(answer.json, "state")),
               json_is_string(error) ? ": " : "",
               json_is_string(error) ? json_string_value(error) : "");
        str_fini(&number);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
port_set(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;
    json_t *body;

    if (args->n_members) {
        return object_change(cli, args);
    }
    body = json_object();

    for (int i = 1; i < args->n; i++) {
        const char *eq = strchr(args->words[i], '=');
        struct str key = STR_INIT;

        if (!eq || eq == args->words[i]) {
            json_decref(body);
            return cli_fail(cli, CLI_USAGE, NULL,
                            "like: weft port set web tag=10 protected=yes",
                            "'%s' is not KEY=VALUE", args->words[i]);
        }
        str_add_bytes(&key, args->words[i], (size_t) (eq - args->words[i]));
        json_object_set_new(body, str_text(&key), json_string(eq + 1));
        str_fini(&key);
    }
    port_path(&path, args->words[0]);
    status = client_ask(cli, "PATCH", str_text(&path), body, &answer);
    str_fini(&path);
    if (status == CLI_DONE) {
        cli_shown_as_json(cli, &answer.body);
        answer_fini(&answer);
    }
    return status;
}

/* Was the port asked for as an intent? */
static bool
is_intent(struct cli *cli, const char *name)
{
    struct str path = STR_INIT;
    struct answer answer;
    bool is_there;

    str_add(&path, "/v1/intent/port/");
    client_escape(&path, name);
    cli->is_quiet = true;
    is_there = client_try(cli, "GET", str_text(&path), NULL, &answer)
               == CLI_DONE;
    cli->is_quiet = false;
    answer_fini(&answer);
    str_fini(&path);
    return is_there;
}

enum cli_status
port_delete(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status = CLI_DONE;

    for (int i = 0; i < args->n && status == CLI_DONE; i++) {
        struct str path = STR_INIT;
        struct answer answer;

        if (is_intent(cli, args->words[i])) {
            struct cli_args one = { .n = 1, .words = &args->words[i] };

            status = object_delete(cli, &one);
            continue;
        }
        port_path(&path, args->words[i]);
        status = client_ask(cli, "DELETE", str_text(&path), NULL, &answer);
        str_fini(&path);
        if (status == CLI_DONE) {
            if (i + 1 == args->n) {
                cli_shown_as_json(cli, &answer.body);
            }
            answer_fini(&answer);
        }
    }
    return status;
}
