/* weft controller list, set, delete. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>

static const char *
member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void
add_name(struct table *table, const json_t *row)
{
    int id = (int) json_integer_value(json_object_get(row, "auxiliary_id"));

    if (id) {
        table_addf(table, "%s (auxiliary %d)", member(row, "name"), id);
    } else {
        table_add_text(table, member(row, "name"));
    }
}

static void
add_last_error(struct table *table, const json_t *row)
{
    struct str age = STR_INIT;

    if (!*member(row, "last_error")) {
        table_add_text(table, "-");
        return;
    }
    seconds_format(json_real_value(json_object_get(row, "last_error_age")),
                   &age);
    table_addf(table, "%s ago: %s", str_text(&age),
               member(row, "last_error"));
    str_fini(&age);
}

static void
print_controllers(const json_t *answer)
{
    struct table *table = table_create();
    size_t i;
    json_t *row;

    table_add_column(table, "NAME", 0);
    table_add_column(table, "KIND", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "SINCE", COLUMN_RIGHT);
    table_add_column(table, "VERSION", 0);
    table_add_column(table, "ROLE", 0);
    table_add_column(table, "PACKET-INS", COLUMN_RIGHT);
    table_add_column(table, "DROPPED", COLUMN_RIGHT);
    table_add_column(table, "LAST ERROR", COLUMN_CUT);
    json_array_foreach (json_object_get(answer, "controllers"), i, row) {
        add_name(table, row);
        table_add_json(table, row, "kind");
        table_add_json(table, row, "state");
        table_add_seconds(table, json_real_value(json_object_get(row,
                                                                 "since")));
        table_add_json(table, row, "version");
        table_add_json(table, row, "role");
        table_add_json(table, row, "packet_ins");
        table_add_json(table, row, "packet_ins_dropped");
        add_last_error(table, row);
    }
    table_print(table);
    table_destroy(table);
    printf("\nfail mode %s, probes after %g s of silence\n",
           member(answer, "fail_mode"),
           json_real_value(json_object_get(answer, "probe_interval")));
}

enum cli_status
controller_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    enum cli_status status;
    struct answer answer;

    status = client_ask(cli, "GET", "/v1/controllers", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_controllers(answer.json);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

/* Options that are numbers become members of the same name. */
static enum cli_status
add_numbers(const struct cli *cli, const struct cli_args *args, json_t *body)
{
    static const char *const names[] = {
        NULL, "probe_interval", "auxiliary", "packet_ins_per_second",
    };

    for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
        const char *text = args->options[i];
        unsigned long long number;
        char *end;

        if (!text) {
            continue;
        }
        number = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || number > UINT32_MAX) {
            return cli_fail(cli, CLI_USAGE, cli->command->options[i].name,
                            NULL, "'%s' is not a number", text);
        }
        json_object_set_new(body, names[i],
                            json_integer((json_int_t) number));
    }
    return CLI_DONE;
}

enum cli_status
controller_set(struct cli *cli, const struct cli_args *args)
{
    json_t *body = json_object();
    enum cli_status status = add_numbers(cli, args, body);
    struct answer answer;

    if (status != CLI_DONE) {
        json_decref(body);
        return status;
    }
    if (args->options[0]) {
        json_object_set_new(body, "fail_mode", json_string(args->options[0]));
    }
    if (args->n) {
        json_t *list = json_array();

        for (int i = 0; i < args->n; i++) {
            json_array_append_new(list, json_string(args->words[i]));
        }
        json_object_set_new(body, "controllers", list);
    }
    if (!json_object_size(body)) {
        json_decref(body);
        return cli_fail(cli, CLI_USAGE, NULL,
                        "like: weft controller set tcp:192.0.2.1:6653",
                        "there is nothing to set");
    }
    status = client_ask(cli, "PATCH", "/v1/controllers", body, &answer);
    if (status == CLI_DONE) {
        cli_shown_as_json(cli, &answer.body);
        answer_fini(&answer);
    }
    return status;
}

enum cli_status
controller_delete(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status = CLI_DONE;

    if (!args->n == !args->options[0]) {
        return cli_fail(cli, CLI_USAGE, NULL, NULL,
                        "which controller?  Give it, or --all");
    }
    for (int i = 0; i < MAX(args->n, 1) && status == CLI_DONE; i++) {
        struct str path = STR_INIT;
        struct answer answer;

        str_add(&path, "/v1/controllers");
        if (args->n) {
            str_add(&path, "?controller=");
            client_escape(&path, args->words[i]);
        }
        status = client_ask(cli, "DELETE", str_text(&path), NULL, &answer);
        str_fini(&path);
        if (status == CLI_DONE) {
            if (i + 1 >= args->n) {
                cli_shown_as_json(cli, &answer.body);
            }
            answer_fini(&answer);
        }
    }
    return status;
}

/* ---- Our own ---- */

enum cli_status
controller_show(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct answer answer;
    enum cli_status status = client_ask(cli, "GET", "/v1/controller", NULL,
                                        &answer);
    const char *name;
    json_t *value;

    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        json_object_foreach (answer.json, name, value) {
            struct str text = STR_INIT;

            json_format(value, &text);
            printf("%-18s %s\n", name, str_text(&text));
            str_fini(&text);
        }
    }
    answer_fini(&answer);
    return CLI_DONE;
}
