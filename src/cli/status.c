/* weft status, weft switch show, weft metrics. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdio.h>

/* Members of one object, one a line. */
static void
print_members(const json_t *object, const char *const *names)
{
    for (; *names; names++) {
        struct str text = STR_INIT;

        json_format(json_object_get(object, *names), &text);
        printf("%-16s %s\n", *names, str_text(&text));
        str_fini(&text);
    }
}

enum cli_status
status_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    static const char *const names[] = {
        "version", "pid", "restarts", "switch", "ports", "ports_up", "flows",
        NULL,
    };
    struct str uptime = STR_INIT;
    enum cli_status status;
    struct answer answer;

    status = client_ask(cli, "GET", "/v1/status", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_members(answer.json, names);
        seconds_format(
            json_real_value(json_object_get(answer.json, "uptime")), &uptime);
        printf("%-16s %s\n", "uptime", str_text(&uptime));
        str_fini(&uptime);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

static void
print_tables(const json_t *tables)
{
    struct table *table = table_create();
    size_t i;
    json_t *row;

    table_add_column(table, "TABLE", COLUMN_RIGHT);
    table_add_column(table, "ENTRIES", COLUMN_RIGHT);
    table_add_column(table, "LOOKUPS", COLUMN_RIGHT);
    table_add_column(table, "MATCHED", COLUMN_RIGHT);
    json_array_foreach (tables, i, row) {
        table_add_json(table, row, "table");
        table_add_json(table, row, "entries");
        table_add_json(table, row, "lookups");
        table_add_json(table, row, "matched");
    }
    table_print(table);
    table_destroy(table);
}

static void
print_counters(const json_t *counters)
{
    struct table *table = table_create();
    const char *name;
    json_t *value;

    table_add_column(table, "COUNTER", 0);
    table_add_column(table, "VALUE", COLUMN_RIGHT);
    json_object_foreach ((json_t *) (uintptr_t) counters, name, value) {
        table_add_text(table, name);
        table_add_json(table, counters, name);
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
switch_show(struct cli *cli, const struct cli_args *args UNUSED)
{
    static const char *const names[] = {
        "name", "datapath_id", "fail_mode", "workers", "ports", "ports_up",
        "first_egress_table", "tables_bytes", "tables_version", "fdb_age", NULL,
    };
    enum cli_status status;
    struct answer answer;
    const json_t *cache;

    status = client_ask(cli, "GET", "/v1/switch", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_members(answer.json, names);
        cache = json_object_get(answer.json, "cache");
        printf("%-16s %lld of %lld entries, %lld of %lld masks\n", "cache",
               (long long) json_integer_value(
                   json_object_get(cache, "entries")),
               (long long) json_integer_value(
                   json_object_get(cache, "max_entries")),
               (long long) json_integer_value(
                   json_object_get(cache, "masks")),
               (long long) json_integer_value(
                   json_object_get(cache, "max_masks")));
        putchar('\n');
        print_tables(json_object_get(answer.json, "tables"));
        putchar('\n');
        print_counters(json_object_get(answer.json, "counters"));
    }
    answer_fini(&answer);
    return CLI_DONE;
}

/* With -j: a list of {"name", "labels", "value"}. */
static json_t *
sample_json(const char *line)
{
    size_t name_len = strcspn(line, "{ ");
    const char *labels = line[name_len] == '{' ? line + name_len + 1 : "";
    const char *end = *labels ? strrchr(labels, '}') : NULL;
    const char *value = strrchr(line, ' ');

    if (!value) {
        return NULL;
    }
    return json_pack("{s:s%, s:s%, s:s}", "name", line, name_len, "labels",
                     labels, end ? (size_t) (end - labels) : (size_t) 0,
                     "value", value + 1);
}

static void
print_metrics_json(struct str *body)
{
    json_t *list = json_array();
    char *save = NULL;

    for (char *line = strtok_r(body->text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (line[0] != '#') {
            json_array_append_new(list, sample_json(line));
        }
    }
    json_dumpf(list, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(list);
}

enum cli_status
metrics_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    enum cli_status status;
    struct answer answer;

    status = client_ask(cli, "GET", "/v1/metrics", NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (cli->is_json) {
        print_metrics_json(&answer.body);
    } else {
        fwrite(str_text(&answer.body), 1, answer.body.len, stdout);
    }
    answer_fini(&answer);
    return CLI_DONE;
}
