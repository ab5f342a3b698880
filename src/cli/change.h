/* What flow, group and meter commands share: lists of texts to the API. */
#ifndef WEFT_CLI_CHANGE_H
#define WEFT_CLI_CHANGE_H

#include "cli/cli.h"

/* Sends the words, and the lines of `file` (NULL: none, "-": standard input),
 * as the list `noun` with `command`.  Errors name the word or line. */
enum cli_status change_command(struct cli *, const char *noun,
                               const char *command, const struct cli_args *,
                               const char *file);
/* GET of a path whose answer is a list `noun`: a row for each, with these members;
 * a column without a name ends them. */
struct list_column {
    const char *heading, *member;
    unsigned int flags;           /* enum column_flags */
};
enum cli_status list_command(struct cli *, const char *path,
                             const char *noun, const struct list_column *);
/* DELETE of a path; says how many went. */
enum cli_status delete_command(struct cli *, const char *path);
/* The path of a group or meter: one by its number, or all.  On failure says
 * so. */
enum cli_status number_path(struct cli *, const struct cli_args *,
                            const char *noun, struct str *path);

#endif
