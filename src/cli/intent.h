/* Changes of what was asked for, as commands of several files make them. */
#ifndef WEFT_CLI_INTENT_H
#define WEFT_CLI_INTENT_H

#include "cli/client.h"

/* The members that were given, as JSON; NULL: said why. */
json_t *intent_take_members(struct cli *, const struct cli_args *);
/* Makes ("PUT") or changes ("PATCH") the object of the command's noun; takes
 * `members`.  The command's --confirm and --dry-run are heeded. */
enum cli_status intent_send_object(struct cli *, const char *method,
                                   const char *name, json_t *members,
                                   const struct cli_args *);
/* The value of the command's option, by its name; NULL: not given. */
const char *intent_option(const struct cli *, const struct cli_args *,
                          const char *name);
/* {"h1": 5, ...}: how many ports say each name of that member. */
json_t *intent_count_ports(struct cli *, const char *member);
/* Forwards as a table (forward.c). */
void forward_print_all(const json_t *forwards);

#endif
