#include "cli/cli.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "intent/schema.h"

static void
print_hint(FILE *to, const char *hint)
{
    if (hint && *hint) {
        fprintf(to, "      %s\n", hint);
    }
}

static const char *const status_codes[] = {
    [CLI_DONE] = "done",
    [CLI_NEGATIVE] = "negative",
    [CLI_USAGE] = "usage",
    [CLI_UNREACHABLE] = "unreachable",
    [CLI_REFUSED] = "refused",
    [CLI_CONFLICT] = "conflict",
};

enum cli_status
cli_fail(const struct cli *cli, enum cli_status status, const char *where,
         const char *hint, const char *format, ...)
{
    struct str what = STR_INIT;
    va_list args;

    if (cli->is_quiet) {
        return status;
    }
    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);
    if (cli->is_json) {
        json_t *json = json_pack("{s:{s:s, s:s, s:s?, s:s?}}", "error",
                                 "code", status_codes[status],
                                 "what", str_text(&what), "where", where,
                                 "hint", hint);

        json_dumpf(json, stdout, JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(json);
    } else {
        if (where) {
            fprintf(stderr, "weft: %s: %s\n", where, str_text(&what));
        } else {
            fprintf(stderr, "weft: %s\n", str_text(&what));
        }
        print_hint(stderr, hint);
    }
    str_fini(&what);
    return status;
}

bool
cli_shown_as_json(const struct cli *cli, const struct str *body)
{
    if (!cli->is_json) {
        return false;
    }
    fwrite(str_text(body), 1, body->len, stdout);
    if (!body->len || body->text[body->len - 1] != '\n') {
        putchar('\n');
    }
    return true;
}

/* ---- Which command is it? ---- */

/* The nearest of the table's nouns, or of a noun's verbs. */
static void
suggest(const char *word, const char *noun, struct str *hint)
{
    enum { MAX_NAMES = 64 };
    const char *names[MAX_NAMES + 1] = { 0 };
    const char *near;
    size_t n = 0;

    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        const char *name = noun ? c->verb : c->noun;

        if ((noun && strcmp(noun, c->noun)) || !name || n == MAX_NAMES
            || (n && !strcmp(names[n - 1], name))) {
            continue;
        }
        names[n++] = name;
    }
    near = word ? str_nearest(word, names) : NULL;
    if (near) {
        str_addf(hint, "did you mean '%s%s%s'?", noun ? noun : "",
                 noun ? " " : "", near);
        return;
    }
    str_add(hint, "known are:");
    for (size_t i = 0; i < n; i++) {
        str_addf(hint, " %s", names[i]);
    }
}

static const struct cli_command *
find_command(const char *noun, const char *verb, int *n_words,
             struct str *error, struct str *hint)
{
    bool is_noun = false;

    if (!noun) {
        str_add(error, "what shall be done?");
        str_add(hint, "weft help");
        return NULL;
    }
    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        if (strcmp(c->noun, noun)) {
            continue;
        }
        is_noun = true;
        if (!c->verb || (verb && !strcmp(c->verb, verb))) {
            *n_words = c->verb ? 2 : 1;
            return c;
        }
    }
    if (!is_noun) {
        str_addf(error, "there is no command '%s'", noun);
        suggest(noun, NULL, hint);
    } else if (!verb) {
        str_addf(error, "'%s' needs a verb", noun);
        suggest(NULL, noun, hint);
    } else {
        str_addf(error, "there is no command '%s %s'", noun, verb);
        suggest(verb, noun, hint);
    }
    return NULL;
}

/* ---- Options ---- */

static const struct cli_option global_options[CLI_MAX_OPTIONS] = {
    { "-j", NULL, "JSON, errors included" },
    { "--json", NULL, NULL },
    { "--run-dir", "DIRECTORY", "where the daemon's socket is" },
    { "-h", NULL, "help" },
    { "--help", NULL, NULL },
};
enum { GLOBAL_J, GLOBAL_JSON, GLOBAL_RUN_DIR, GLOBAL_H, GLOBAL_HELP };

/* Is `word` the option, perhaps as --name=value?  `*value` is then behind the
 * '=' or NULL. */
static bool
is_option(const struct cli_option *option, const char *word,
          const char **value)
{
    size_t len = strlen(option->name);

    if (strncmp(word, option->name, len)) {
        return false;
    }
    *value = word[len] == '=' ? word + len + 1 : NULL;
    return !word[len] || (word[len] == '=' && word[1] == '-');
}

/* Takes words[*i] (and its value from the next word) when it is one of the
 * options.  1: taken; 0: not one of them; -1: error. */
static int
take_option(const struct cli_option *options, const char **values, int argc,
            char **argv, int *i, struct str *error)
{
    for (int k = 0; k < CLI_MAX_OPTIONS && options[k].name; k++) {
        const char *value;

        if (!is_option(&options[k], argv[*i], &value)) {
            continue;
        }
        if (!options[k].value && value) {
            str_addf(error, "%s takes no value", options[k].name);
            return -1;
        }
        if (options[k].value && !value) {
            if (*i + 1 >= argc) {
                str_addf(error, "%s needs a value: %s", options[k].name,
                         options[k].value);
                return -1;
            }
            value = argv[++*i];
        }
        values[k] = value ? value : "";
        return 1;
    }
    return 0;
}

/* The same for the members of an intent. */
static int
take_member(const struct noun *noun, struct cli_args *args, int argc,
            char **argv, int *i, struct str *error)
{
    const char *word = argv[*i], *value;

    for (const struct member *m = noun ? noun->members : NULL;
         m && m->name; m++) {
        size_t len = strlen(m->name);

        if (strncmp(word, "--", 2) || strncmp(word + 2, m->name, len)
            || (word[len + 2] && word[len + 2] != '=')) {
            continue;
        }
        value = word[len + 2] ? word + len + 3 : NULL;
        if (!value && *i + 1 >= argc) {
            str_addf(error, "--%s needs a value: %s", m->name,
                     m->type->what);
            return -1;
        }
        if (args->n_members == CLI_MAX_MEMBERS) {
            str_add(error, "too many options");
            return -1;
        }
        args->members[args->n_members++] = (struct cli_member) {
            m->name, value ? value : argv[++*i],
        };
        return 1;
    }
    return 0;
}

static void
unknown_option(const struct cli_command *command, const char *word,
               struct str *error, struct str *hint)
{
    const struct noun *noun = command ? intent_of_command(command) : NULL;
    const char *names[2 * CLI_MAX_OPTIONS + CLI_MAX_MEMBERS + 1] = { 0 };
    char members[CLI_MAX_MEMBERS][32];
    struct str bare = STR_INIT;
    const char *near;
    size_t n = 0;

    for (int k = 0; k < CLI_MAX_OPTIONS && command
                    && command->options[k].name; k++) {
        names[n++] = command->options[k].name;
    }
    for (int k = 0; k < CLI_MAX_OPTIONS && global_options[k].name; k++) {
        names[n++] = global_options[k].name;
    }
    for (int k = 0; noun && k < CLI_MAX_MEMBERS && noun->members[k].name;
         k++) {
        snprintf(members[k], sizeof members[k], "--%s",
                 noun->members[k].name);
        names[n++] = members[k];
    }
    str_add_bytes(&bare, word, strcspn(word, "="));
    str_addf(error, "unknown option '%s'", str_text(&bare));
    near = str_nearest(str_text(&bare), names);
    if (near) {
        str_addf(hint, "did you mean '%s'?", near);
    } else if (command) {
        str_addf(hint, "weft %s%s%s --help", command->noun,
                 command->verb ? " " : "", command->verb ? command->verb : "");
    } else {
        str_add(hint, "weft help");
    }
    str_fini(&bare);
}

/* "-" is a word (standard input), and so is everything behind "--". */
static bool
looks_like_option(const char *word)
{
    return word[0] == '-' && word[1];
}

static void
usage_line(const struct cli_command *command, struct str *text)
{
    str_addf(text, "weft %s", command->noun);
    if (command->verb) {
        str_addf(text, " %s", command->verb);
    }
    if (*command->usage) {
        str_addf(text, " %s", command->usage);
    }
}

static enum cli_status
check_words(const struct cli_command *command, int n, struct str *error,
            struct str *hint)
{
    if (n >= command->min_words
        && (command->max_words < 0 || n <= command->max_words)) {
        return CLI_DONE;
    }
    str_addf(error, "too %s words", n < command->min_words ? "few" : "many");
    str_add(hint, "usage: ");
    usage_line(command, hint);
    return CLI_USAGE;
}

/* Separates words (moved to the front of argv) from options.  The command's
 * options count only when the command is known, so that the words come first
 * to it: a first pass finds the command, a second all options. */
static int
sort_words(int argc, char **argv, const struct cli_command *command,
           const char **globals, struct cli_args *args, struct str *error,
           struct str *hint)
{
    const struct noun *noun = intent_of_command(command);
    bool only_words = false;
    int n_words = 0;

    for (int i = 0; i < argc; i++) {
        int taken;

        if (only_words || !looks_like_option(argv[i])) {
            argv[n_words++] = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "--")) {
            only_words = true;
            continue;
        }
        taken = take_option(command->options, args->options, argc, argv, &i,
                            error);
        if (!taken) {
            taken = take_member(noun, args, argc, argv, &i, error);
        }
        if (!taken) {
            taken = take_option(global_options, globals, argc, argv, &i,
                                error);
        }
        if (!taken) {
            unknown_option(command, argv[i], error, hint);
        }
        if (taken <= 0) {
            return -1;
        }
    }
    return n_words;
}

/* Global options in front of the noun. */
static int
skip_globals(int argc, char **argv, const char **globals, struct str *error,
             struct str *hint)
{
    int i;

    for (i = 0; i < argc && looks_like_option(argv[i]); i++) {
        int taken = take_option(global_options, globals, argc, argv, &i,
                                error);

        if (!taken) {
            unknown_option(NULL, argv[i], error, hint);
        }
        if (taken <= 0) {
            return -1;
        }
    }
    return i;
}

static const struct cli_command *
help_command(void)
{
    const struct cli_command *c = cli_commands();

    while (strcmp(c->noun, "help")) {
        c++;
    }
    return c;
}

/* A word that asks for JSON counts even when another is wrong. */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json")) {
            return true;
        }
    }
    return false;
}

/* "weft NOUN --help", where the noun has verbs. */
static bool
asks_about_noun(int argc, char **argv)
{
    return argc == 2
           && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

enum cli_status
cli_parse(int argc, char **argv, struct cli *cli, struct cli_args *args,
          struct str *error, struct str *hint)
{
    const char *globals[CLI_MAX_OPTIONS] = { 0 };
    const struct cli_command *command;
    int n_skip, n_command = 0, n;

    memset(args, 0, sizeof *args);
    cli->is_json = wants_json(argc, argv);
    n_skip = skip_globals(argc, argv, globals, error, hint);
    if (n_skip < 0) {
        return CLI_USAGE;
    }
    argc -= n_skip;
    argv += n_skip;
    if (globals[GLOBAL_H] || globals[GLOBAL_HELP]) {
        cli->command = help_command();
        return CLI_DONE;
    }
    if (asks_about_noun(argc, argv)) {
        args->words = argv;
        args->n = 1;
        cli->command = help_command();
        return CLI_DONE;
    }

    command = find_command(argc > 0 ? argv[0] : NULL,
                           argc > 1 ? argv[1] : NULL, &n_command, error,
                           hint);
    if (!command) {
        return CLI_USAGE;
    }
    argc -= n_command;
    argv += n_command;
    n = sort_words(argc, argv, command, globals, args, error, hint);
    if (n < 0) {
        return CLI_USAGE;
    }
    if (globals[GLOBAL_RUN_DIR]) {
        cli->run_dir = globals[GLOBAL_RUN_DIR];
    }
    if (globals[GLOBAL_H] || globals[GLOBAL_HELP]) {
        /* Of this command: its noun and verb are the help's words. */
        args->words = argv - n_command;
        args->n = n_command;
        cli->command = help_command();
        return CLI_DONE;
    }
    args->n = n;
    args->words = argv;
    cli->command = command;
    return check_words(command, n, error, hint);
}

static void
init(struct cli *cli)
{
    const char *run_dir = getenv("WEFT_RUN_DIR");

    memset(cli, 0, sizeof *cli);
    cli->run_dir = run_dir && *run_dir ? run_dir : "/run/weft";
}

int
cli_main(int argc, char **argv)
{
    struct str error = STR_INIT, hint = STR_INIT;
    enum cli_status status;
    struct cli_args args;
    struct cli cli;

    init(&cli);
    status = cli_parse(argc - 1, argv + 1, &cli, &args, &error, &hint);
    if (status != CLI_DONE) {
        cli_fail(&cli, status, NULL, str_text(&hint), "%s",
                 str_text(&error));
    } else {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        status = cli.command->run(&cli, &args);
        curl_global_cleanup();
    }
    str_fini(&error);
    str_fini(&hint);
    if (fflush(stdout) == EOF && status == CLI_DONE) {
        fprintf(stderr, "weft: cannot write: %s\n", strerror(errno));
        return CLI_REFUSED;
    }
    return (int) status;
}
