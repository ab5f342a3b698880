/* weft complete: what could come next on a command line, for shells.
 *
 * The words behind `--` are what was typed, the last one still being typed (maybe
 * empty).  Prints one candidate per line.  Nouns, verbs and options come from
 * the table of commands, members from the table of the noun; names come from the
 * daemon, if it answers: which list holds them follows from the word in the
 * command's usage ("PORT"). */

#include "cli/client.h"
#include "cli/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "intent/schema.h"
#include "intent/value.h"

/* A word of usages, and where its names are: several rows may have some.  (What
 * a daemon does not know, as intents on a lab's switch, it does not list.) */
static const struct source {
    const char *word;
    const char *path;
    const char *list;             /* the answer's member */
} sources[] = {
    { "PORT", "/v1/ports", "ports" },
    { "PORT", "/v1/intent/port", "ports" },
    { "NETWORK", "/v1/intent/network", "networks" },
    { "UPLINK", "/v1/intent/uplink", "uplinks" },
    { "ROUTER", "/v1/intent/router", "routers" },
    { "FORWARD", "/v1/intent/forward", "forwards" },
    { "HOST", "/v1/intent/host", "hosts" },
    { "SECURITY_GROUP", "/v1/intent/security-group", "security-groups" },
    { "METHOD", "/v1/controllers", "controllers" },
};

/* Words of usages that stand for others, or for what is always so. */
static const struct {
    const char *word;
    const char *also;             /* a word of `sources`; NULL: none */
    const char *fixed[12];
} words_of[] = {
    { "FROM", "PORT", {} },
    { "TO", "PORT", { "gateway" } },
    { "WHAT", NULL, { "icmp", "tcp/", "udp/", "sctp/", "any", "arp", "icmp6",
                      "tcp6/", "udp6/", "sctp6/", "any6", "nd" } },
    { "MODE", NULL, { "secure", "standalone" } },
    { "DIRECTION", NULL, { "in", "out" } },
};

static void
offer(const char *candidate, const char *typed)
{
    if (!strncmp(candidate, typed, strlen(typed))) {
        puts(candidate);
    }
}

/* Those that are not in `seen` yet. */
static void
offer_names(const struct cli *cli, const struct source *source,
            json_t *seen, const char *typed)
{
    struct answer answer;
    json_t *item;
    size_t i;

    if (client_try(cli, "GET", source->path, NULL, &answer) != CLI_DONE) {
        answer_fini(&answer);
        return;
    }
    json_array_foreach (json_object_get(answer.json, source->list), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));

        if (name && !json_object_get(seen, name)) {
            offer(name, typed);
            json_object_set_new(seen, name, json_true());
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
offer_live(const struct cli *cli, const char *word, const char *typed)
{
    json_t *seen = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        if (!strcmp(sources[i].word, word)) {
            offer_names(cli, &sources[i], seen, typed);
        }
    }
    json_decref(seen);
}

static void
offer_for(const struct cli *cli, const char *word, const char *typed)
{
    offer_live(cli, word, typed);
    for (size_t i = 0; i < ARRAY_SIZE(words_of); i++) {
        if (strcmp(words_of[i].word, word)) {
            continue;
        }
        if (words_of[i].also) {
            offer_live(cli, words_of[i].also, typed);
        }
        for (size_t k = 0; k < ARRAY_SIZE(words_of[i].fixed)
                           && words_of[i].fixed[k]; k++) {
            offer(words_of[i].fixed[k], typed);
        }
    }
}

/* ---- Members of intents, which are options of their commands ---- */

static const struct member *
find_member(const struct cli_command *command, const char *word)
{
    const struct noun *noun = intent_of_command(command);
    int i = noun && !strncmp(word, "--", 2)
            ? member_index(noun->members, word + 2) : -1;

    return i < 0 ? NULL : &noun->members[i];
}

static void
offer_members(const struct cli_command *command, const char *typed)
{
    const struct noun *noun = intent_of_command(command);

    for (int i = 0; noun && noun->members[i].name; i++) {
        struct str option = STR_INIT;

        str_addf(&option, "--%s", noun->members[i].name);
        offer(str_text(&option), typed);
        str_fini(&option);
    }
}

static void
offer_values(const struct cli *cli, const struct member *member,
             const char *typed)
{
    if (member->type == &value_bool || member->type == &value_not) {
        offer("true", typed);
        offer("false", typed);
    }
    for (int i = 0; member->words && member->words[i]; i++) {
        offer(member->words[i], typed);
    }
    if (!strcmp(member->name, "network")
        || !strcmp(member->name, "networks")) {
        offer_live(cli, "NETWORK", typed);
    } else if (!strcmp(member->name, "mirror")
               || !strcmp(member->name, "to")) {
        offer_live(cli, "PORT", typed);
    } else if (!strcmp(member->name, "nat")
               || !strcmp(member->name, "uplink")) {
        offer_live(cli, "UPLINK", typed);
    }
}

static void
offer_options(const struct cli_command *command, const char *typed)
{
    for (int i = 0; i < CLI_MAX_OPTIONS && command->options[i].name; i++) {
        offer(command->options[i].name, typed);
    }
    offer_members(command, typed);
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
    const struct member *member;
    struct str word = STR_INIT;
    int n_words = 0;

    for (int i = 0; i < n - 1; i++) {
        option = find_option(command, words[i]);
        if ((option && option->value) || find_member(command, words[i])) {
            i++;
        } else if (words[i][0] != '-') {
            n_words++;
        }
    }
    option = n > 1 ? find_option(command, words[n - 2]) : NULL;
    member = n > 1 ? find_member(command, words[n - 2]) : NULL;
    if (member) {
        offer_values(cli, member, typed);
    } else if (option && option->value) {
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

        if (strcmp(words[0], "help") && n > used && !strcmp(c->noun, words[0])
            && (!c->verb || !strcmp(c->verb, words[1]))) {
            complete_arguments(cli, c, words + used, n - used);
            return CLI_DONE;
        }
    }
    if (!strcmp(words[0], "help")) {
        complete_command(n > 2 ? words[1] : NULL, words[n - 1]);
    } else if (n == 2) {
        complete_command(words[0], words[1]);
    }
    return CLI_DONE;
}
