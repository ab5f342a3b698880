/* weft help, weft version. */

#include "cli/commands.h"

#include <stdio.h>

static void
print_usage(const struct cli_command *c)
{
    struct str left = STR_INIT;

    str_addf(&left, "%s%s%s %s", c->noun, c->verb ? " " : "",
             c->verb ? c->verb : "", c->usage);
    str_chomp(&left, " ");
    if (left.len > 26) {
        printf("  %s\n  %-26s  %s\n", str_text(&left), "", c->summary);
    } else {
        printf("  %-26s  %s\n", str_text(&left), c->summary);
    }
    str_fini(&left);
}

static void
print_options(const struct cli_command *c)
{
    for (int i = 0; i < CLI_MAX_OPTIONS && c->options[i].name; i++) {
        const struct cli_option *option = &c->options[i];

        printf("    %s %-*s  %s\n", option->name,
               (int) (23 - strlen(option->name)),
               option->value ? option->value : "", option->summary);
    }
}

static json_t *
command_json(const struct cli_command *c)
{
    json_t *options = json_array();

    for (int i = 0; i < CLI_MAX_OPTIONS && c->options[i].name; i++) {
        json_array_append_new(
            options, json_pack("{s:s, s:s?, s:s}", "name",
                               c->options[i].name, "value",
                               c->options[i].value, "summary",
                               c->options[i].summary));
    }
    return json_pack("{s:s, s:s?, s:s, s:s, s:o}", "noun", c->noun, "verb",
                     c->verb, "usage", c->usage, "summary", c->summary,
                     "options", options);
}

static bool
is_asked(const struct cli_command *c, const struct cli_args *args)
{
    return (args->n < 1 || !strcmp(c->noun, args->words[0]))
           && (args->n < 2 || (c->verb && !strcmp(c->verb, args->words[1])));
}

enum cli_status
help_command_run(struct cli *cli, const struct cli_args *args)
{
    json_t *list = json_array();
    unsigned int n = 0;

    if (!args->n && !cli->is_json) {
        printf("weft [-j] [--run-dir DIRECTORY] NOUN [VERB] ...\n\n");
    }
    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        if (!is_asked(c, args)) {
            continue;
        }
        n++;
        if (cli->is_json) {
            json_array_append_new(list, command_json(c));
            continue;
        }
        print_usage(c);
        if (args->n) {
            print_options(c);
        }
    }
    if (n && cli->is_json) {
        json_dumpf(list, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(list);
    if (!n) {
        return cli_fail(cli, CLI_USAGE, NULL, "weft help",
                        "there is no command '%s%s%s'", args->words[0],
                        args->n > 1 ? " " : "",
                        args->n > 1 ? args->words[1] : "");
    }
    if (!args->n && !cli->is_json) {
        printf("\nMore: weft help NOUN; weft(1).  Exit status: 0 done, "
               "1 the answer is no,\n2 usage, 3 daemon unreachable, "
               "4 refused, 5 conflict.\n");
    }
    return CLI_DONE;
}

enum cli_status
version_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    printf(cli->is_json ? "{\"version\": \"%s\"}\n" : "weft %s\n",
           WEFT_VERSION);
    return CLI_DONE;
}
