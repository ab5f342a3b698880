#include "cli/change.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/table.h"

/* What goes into one request: well below what the API takes. */
enum { MAX_REQUEST = 512 * 1024 };

struct change {
    struct cli *cli;
    const char *noun, *command;
    const char *file;             /* NULL: the texts are words */

    json_t *list;                 /* of the next request */
    size_t size;
    unsigned long *lines;         /* of each text in it, from a file */
    size_t n_lines, lines_size;
    json_int_t n_done;
};

static void
begin_request(struct change *change)
{
    change->list = json_array();
    change->size = 0;
    change->n_lines = 0;
}

/* "flows[3]" becomes "rules.txt:17". */
static void
name_the_line(const struct change *change, struct answer *answer)
{
    json_t *error = json_object_get(answer->json, "error");
    const char *where = json_string_value(json_object_get(error, "where"));
    const char *bracket = where ? strchr(where, '[') : NULL;
    struct str place = STR_INIT;
    unsigned long i;

    if (!bracket || !change->file) {
        return;
    }
    i = strtoul(bracket + 1, NULL, 10);
    if (i >= change->n_lines) {
        return;
    }
    str_addf(&place, "%s:%lu", change->file, change->lines[i]);
    json_object_set_new(error, "where", json_string(str_text(&place)));
    str_fini(&place);
    answer_take_json(answer);
}

static enum cli_status
send_request(struct change *change)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_addf(&path, "/v1/%s", change->noun);
    status = client_try(change->cli, "POST", str_text(&path),
                        json_pack("{s:s, s:o}", "command", change->command,
                                  change->noun, change->list),
                        &answer);
    str_fini(&path);
    if (status == CLI_DONE) {
        change->n_done += json_integer_value(
            json_object_get(answer.json, change->noun));
    } else if (status != CLI_UNREACHABLE) {
        name_the_line(change, &answer);
        client_show_refusal(change->cli, &answer);
        if (change->n_done && !change->cli->is_json) {
            fprintf(stderr, "      what came before line %lu is in force\n",
                    change->n_lines ? change->lines[0] : 0);
        }
    }
    answer_fini(&answer);
    begin_request(change);
    return status;
}

static enum cli_status
add_text(struct change *change, const char *text, unsigned long line)
{
    size_t len = strlen(text) + 8;
    enum cli_status status = CLI_DONE;
    json_t *json;

    if (change->size && change->size + len > MAX_REQUEST) {
        status = send_request(change);
        if (status != CLI_DONE) {
            return status;
        }
    }
    json = json_string(text);
    if (!json) {
        return cli_fail(change->cli, CLI_USAGE, change->file, NULL,
                        "line %lu is not UTF-8", line);
    }
    json_array_append_new(change->list, json);
    change->size += len;
    if (change->n_lines == change->lines_size) {
        change->lines_size = change->lines_size ? change->lines_size * 2
                                                : 1024;
        change->lines = xrealloc(change->lines, change->lines_size
                                                    * sizeof *change->lines);
    }
    change->lines[change->n_lines++] = line;
    return CLI_DONE;
}

static enum cli_status
add_file(struct change *change)
{
    bool is_stdin = !strcmp(change->file, "-");
    FILE *f = is_stdin ? stdin : fopen(change->file, "re");
    enum cli_status status = CLI_DONE;
    unsigned long line_number = 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (!f) {
        return cli_fail(change->cli, CLI_USAGE, change->file, NULL,
                        "cannot be read: %s", strerror(errno));
    }
    while (status == CLI_DONE && (len = getline(&line, &size, f)) >= 0) {
        char *start = line + strspn(line, " \t");

        line_number++;
        while (len > 0 && isspace((unsigned char) line[len - 1])) {
            line[--len] = '\0';
        }
        if (*start && *start != '#') {
            status = add_text(change, start, line_number);
        }
    }
    free(line);
    if (!is_stdin) {
        fclose(f);
    }
    return status;
}

enum cli_status
change_command(struct cli *cli, const char *noun, const char *command,
               const struct cli_args *args, const char *file)
{
    struct change change = {
        .cli = cli, .noun = noun, .command = command, .file = file,
    };
    enum cli_status status = CLI_DONE;

    if (!args->n == !file) {
        return cli_fail(cli, CLI_USAGE, NULL, "weft help",
                        "give %s as words, or in a file with --file",
                        noun);
    }
    begin_request(&change);
    for (int i = 0; i < args->n && status == CLI_DONE; i++) {
        status = add_text(&change, args->words[i], (unsigned long) i + 1);
    }
    if (file && status == CLI_DONE) {
        status = add_file(&change);
    }
    if (status == CLI_DONE && json_array_size(change.list)) {
        status = send_request(&change);
    }
    if (status == CLI_DONE && cli->is_json) {
        printf("{\"%s\":%lld}\n", noun, (long long) change.n_done);
    }
    json_decref(change.list);
    free(change.lines);
    return status;
}

static void
print_list(const json_t *list, const struct list_column *columns)
{
    struct table *table = table_create();
    size_t i;
    json_t *item;

    for (const struct list_column *c = columns; c->heading; c++) {
        table_add_column(table, c->heading, c->flags);
    }
    json_array_foreach (list, i, item) {
        for (const struct list_column *c = columns; c->heading; c++) {
            table_add_json(table, item, c->member);
        }
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
list_command(struct cli *cli, const char *path, const char *noun,
             const struct list_column *columns)
{
    enum cli_status status;
    struct answer answer;

    status = client_ask(cli, "GET", path, NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_list(json_object_get(answer.json, noun), columns);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
delete_command(struct cli *cli, const char *path)
{
    enum cli_status status;
    struct answer answer;

    status = client_ask(cli, "DELETE", path, NULL, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        printf("%lld deleted\n",
               (long long) json_integer_value(
                   json_object_get(answer.json, "deleted")));
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
number_path(struct cli *cli, const struct cli_args *args, const char *noun,
            struct str *path)
{
    const char *all = args->options[0];

    if (!args->n == !all) {
        return cli_fail(cli, CLI_USAGE, NULL, NULL,
                        "which %s?  Give its number, or --all", noun);
    }
    str_addf(path, "/v1/%ss", noun);
    if (args->n) {
        str_addf(path, "?%s=", noun);
        client_escape(path, args->words[0]);
    }
    return CLI_DONE;
}
