/* weft validate: is the file right?  No daemon is asked. */

#include <stdio.h>

#include "cli/commands.h"
#include "intent/export.h"
#include "intent/parse.h"

enum { OPTION_SCHEMA };

/* "3 networks, 1 port": what there is any of. */
static void
count_objects(const struct intent *set, struct str *text)
{
    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;
        unsigned int n = intent_count(set, kind);

        if (n) {
            str_addf(text, "%s%u %s", text->len ? ", " : "", n,
                     n == 1 ? intent_kind_noun(kind)
                            : intent_kind_section(kind));
        }
    }
    if (!text->len) {
        str_add(text, "nothing in it");
    }
}

static void
show_json(const char *file, const struct intent *set, bool is_good,
          struct diagnostics *diagnostics)
{
    json_t *answer = json_pack("{s:s, s:b}", "file", file, "ok", is_good);

    if (is_good) {
        for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
            enum intent_kind kind = (enum intent_kind) k;

            json_object_set_new(answer, intent_kind_section(kind),
                                json_integer(intent_count(set, kind)));
        }
    } else {
        json_object_set_new(answer, "errors", diag_json(diagnostics));
    }
    json_dumpf(answer, stdout, JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(answer);
}

static void
show_text(const char *file, const struct intent *set, bool is_good,
          struct diagnostics *diagnostics)
{
    struct str text = STR_INIT;

    if (is_good) {
        count_objects(set, &text);
        printf("%s: %s: ok\n", file, str_text(&text));
    } else {
        diag_format(diagnostics, &text);
        fputs(str_text(&text), stderr);
    }
    str_fini(&text);
}

static bool
validate_file(const struct cli *cli, const char *file)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    bool is_good = intent_parse_file(set, file, diagnostics)
                   && intent_seal(set, diagnostics);

    if (cli->is_json) {
        show_json(file, set, is_good, diagnostics);
    } else {
        show_text(file, set, is_good, diagnostics);
    }
    intent_unref(set);
    diag_destroy(diagnostics);
    return is_good;
}

static void
show_schema(void)
{
    json_t *schema = intent_schema();

    json_dumpf(schema, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(schema);
}

enum cli_status
validate_command(struct cli *cli, const struct cli_args *args)
{
    bool is_good = true;

    if (args->options[OPTION_SCHEMA]) {
        show_schema();
        return CLI_DONE;
    }
    if (!args->n) {
        return cli_fail(cli, CLI_USAGE, NULL, "weft validate FILE",
                        "which file?");
    }
    for (int i = 0; i < args->n; i++) {
        is_good = validate_file(cli, args->words[i]) && is_good;
    }
    return is_good ? CLI_DONE : CLI_NEGATIVE;
}
