/* The command: `weft NOUN VERB ARGUMENTS`.
 *
 * One row per command in commands.c; what it does is in the file of its noun.
 * A command asks the daemon by its API (client.h) and shows the answer: as a
 * table (table.h), or with -j as the JSON that came.
 *
 * Exit status, the same for every command:
 *
 *     0  done              3  the daemon cannot be reached
 *     1  the answer is no  4  the daemon refused
 *     2  wrong usage       5  conflict with what is there */
#ifndef WEFT_CLI_CLI_H
#define WEFT_CLI_CLI_H

#include <jansson.h>

#include "lib/str.h"

enum cli_status {
    CLI_DONE, CLI_NEGATIVE, CLI_USAGE, CLI_UNREACHABLE, CLI_REFUSED,
    CLI_CONFLICT,
};

enum { CLI_MAX_OPTIONS = 6, CLI_MAX_MEMBERS = 64 };

struct cli {
    const char *run_dir;
    bool is_json;
    bool is_quiet;                /* failures are not printed */
    const struct cli_command *command;
};

/* What was written behind the verb. */
struct cli_args {
    int n;
    char **words;
    /* By their place in the command's options; NULL: not given, "": without a
     * value. */
    const char *options[CLI_MAX_OPTIONS];
    /* Of commands that make or change an intent: its members that were given. */
    int n_members;
    struct cli_member {
        const char *name;
        const char *value;
    } members[CLI_MAX_MEMBERS];
};

struct cli_command {
    const char *noun;
    const char *verb;             /* NULL: the noun is the command */
    enum cli_status (*run)(struct cli *, const struct cli_args *);
    int min_words, max_words;     /* max -1: any number */
    const char *usage;
    const char *summary;
    struct cli_option {
        const char *name;         /* "--file", or "-w" */
        const char *value;        /* its value's name; NULL: takes none */
        const char *summary;
    } options[CLI_MAX_OPTIONS];
};

/* A NULL noun ends the table. */
const struct cli_command *cli_commands(void);

/* All of `weft`. */
int cli_main(int argc, char **argv);

/* Finds the command and sorts out options.  On failure CLI_USAGE, and `error`
 * has what, `hint` what next.  `words` of `args` is argv, reordered. */
enum cli_status cli_parse(int argc, char **argv, struct cli *,
                          struct cli_args *, struct str *error,
                          struct str *hint);

/* Prints an error in text or JSON and returns the status that goes with the
 * code; `where` and `hint` may be NULL. */
enum cli_status cli_fail(const struct cli *, enum cli_status,
                         const char *where, const char *hint,
                         const char *format, ...) PRINTF_FORMAT(5, 6);

/* Shows what the daemon answered when -j was given: true. */
bool cli_shown_as_json(const struct cli *, const struct str *body);

#endif
