/* Asks the daemon: HTTP over the Unix socket in the run directory. */
#ifndef WEFT_CLI_CLIENT_H
#define WEFT_CLI_CLIENT_H

#include "cli/cli.h"

struct answer {
    struct str body;
    json_t *json;                 /* the body, when it is JSON; else NULL */
};

void answer_fini(struct answer *);

/* The json was changed: the body says it again. */
void answer_take_json(struct answer *);

/* `body` (taken over) NULL: none.  Returns CLI_DONE, or the status for what
 * went wrong, which was printed. */
enum cli_status client_ask(const struct cli *, const char *method,
                           const char *path, json_t *body, struct answer *);
/* The same without printing a refusal: the caller shows it with
 * client_show_refusal(), or reads it from the answer. */
enum cli_status client_try(const struct cli *, const char *method,
                           const char *path, json_t *body, struct answer *);
void client_show_refusal(const struct cli *, const struct answer *);

/* Feeds `take` with the answer as it comes, until it returns false, the daemon
 * ends the stream or *is_over becomes true. */
enum cli_status client_stream(const struct cli *, const char *path,
                              bool (*take)(void *aux, const void *data,
                                           size_t len),
                              void *aux, const volatile bool *is_over);

/* Appends text to a path or query, escaped. */
void client_escape(struct str *path, const char *text);

#endif
