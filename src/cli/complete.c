/* weft complete: what could come next on a command line, for shells.
 *
 * The words behind `--` are what was typed, the last one still being typed (maybe
 * empty).  Prints one candidate per line.  Nouns, verbs and options come from
 * the table of commands; names come from the daemon, if it answers: which list
 * holds them follows from the word in the command's usage ("PORT"). */

#include "cli/client.h"
#include "cli/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A word of usages, and where its names are. */
static const struct source {
    const char *word;
    const char *path;
    const char *list;             /* the answer's member */
    const char *member;           /* of each item; NULL: the item is it */
} sources[] = {
    { "PORT", "/v1/ports", "ports", "name" },
    { "METHOD", "/v1/controllers", "controllers", "name" },
};

static void
offer(const char *candidate, const char *typed)
{
    if (!strncmp(candidate, typed, strlen(typed))) {
        puts(candidate);
    }
}

static void
offer_names(const struct cli *cli, const struct source *source,
            const char *typed)
{
    struct answer answer;
    json_t *item;
    size_t i;

    if (client_try(cli, "GET", source->path, NULL, &answer) != CLI_DONE) {
        answer_fini(&answer);
        return;
    }
    json_array_foreach (json_object_get(answer.json, source->list), i, item) {
        const char *name = json_string_value(
            source->member ? json_object_get(item, source->member) : item);

        if (name) {
            offer(name, typed);
        }
    }
    answer_fini(&answer);
}

/* What the usage calls its `n`th word, as "PORT" for "[PORT...]"; a repeated last
 * one stands for all that follow.  "" when there is none. */
static void
usage_word(const char *usage, int n, struct str *word)
{
    for (const char *p = usage; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        bool is_repeated = len >= 3 && memmem(p, len, "...", 3);

        if (!n || is_repeated) {
            p += strspn(p, "[");
            str_add_bytes(word, p, strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));
            return;
        }
        n--;
        p += len;
    }
}

static void
offer_for(const struct cli *cli, const char *word, const char *typed)
{
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        if (!strcmp(sources[i].word, word)) {
            offer_names(cli, &sources[i], typed);
        }
    }
}

static void
offer_options(const struct cli_command *command, const char *typed)
{
    for (int i = 0; i < CLI_MAX_OPTIONS && command->options[i].name; i++) {
        offer(command->options[i].name, typed);
    }
    offer("--json", typed);
    offer("--help", typed);
}

static const struct cli_option *
find_option(const struct cli_command *command, const char *word)
{
    for (int i = 0; i < CLI_MAX_OPTIONS && command->options[i].name; i++) {
        if (!strcmp(command->options[i].name, word)) {
            return &command->options[i];
        }
    }
    return NULL;
}

/* Behind the command: options, their values, words. */
static void
complete_arguments(const struct cli *cli, const struct cli_command *command,
                   char **words, int n)
{
    const char *typed = words[n - 1];
    const struct cli_option *option;
    struct str word = STR_INIT;
    int n_words = 0;

    for (int i = 0; i < n - 1; i++) {
        option = find_option(command, words[i]);
        if (option && option->value) {
            i++;
        } else if (words[i][0] != '-') {
            n_words++;
        }
    }
    option = n > 1 ? find_option(command, words[n - 2]) : NULL;
    if (option && option->value) {
        offer_for(cli, option->value, typed);
    } else if (typed[0] == '-') {
        offer_options(command, typed);
    } else {
        usage_word(command->usage, n_words, &word);
        offer_for(cli, str_text(&word), typed);
    }
    str_fini(&word);
}

/* Nouns, each once, or a noun's verbs. */
static void
complete_command(const char *noun, const char *typed)
{
    const char *last = "";

    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        const char *name = noun ? c->verb : c->noun;

        if (name && (!noun || !strcmp(noun, c->noun))
            && strcmp(name, last)) {
            offer(name, typed);
            last = name;
        }
    }
}

enum cli_status
complete_command_run(struct cli *cli, const struct cli_args *args)
{
    char **words = args->words;
    int n = args->n;

    /* Somebody presses a key: no word about a daemon that is not there. */
    cli->is_quiet = true;
    if (n <= 1) {
        complete_command(NULL, n ? words[0] : "");
        return CLI_DONE;
    }
    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        int used = c->verb ? 2 : 1;

        if (n > used && !strcmp(c->noun, words[0])
            && (!c->verb || !strcmp(c->verb, words[1]))) {
            complete_arguments(cli, c, words + used, n - used);
            return CLI_DONE;
        }
    }
    if (n == 2) {
        complete_command(words[0], words[1]);
    }
    return CLI_DONE;
}
