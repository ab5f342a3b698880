/* Diagnostics: what is wrong with what an operator wrote, all of it at once.
 *
 *     cloud.yaml:12:9: network: there is no network 'blu'; did you mean 'blue'?
 *
 * A place is file:line:column; for what came by the API or a command it is the
 * path of the member ("ports.web.network"). */
#ifndef WEFT_INTENT_DIAG_H
#define WEFT_INTENT_DIAG_H

#include <jansson.h>

#include "intent/object.h"
#include "lib/str.h"

enum { DIAG_MAX = 100 };          /* more are only counted */

struct diagnostic {
    struct place place;           /* the file's name is its own */
    char *path;                   /* may be NULL */
    char *what;
    unsigned int order;           /* when it was found */
};

struct diagnostics {
    unsigned int n, n_more;
    struct diagnostic list[DIAG_MAX];
};

struct diagnostics *diag_create(void);
/* Accepts NULL. */
void diag_destroy(struct diagnostics *);

/* `place` and `path` may be NULL; with a line in `place`, the path is not
 * shown. */
void diag_add(struct diagnostics *, const struct place *, const char *path,
              const char *format, ...) PRINTF_FORMAT(4, 5);
void diag_addv(struct diagnostics *, const struct place *, const char *path,
               const char *format, va_list) PRINTF_FORMAT(4, 0);

/* For the end of a text: where the other of two is, " (line 4)" as seen from
 * `here`; nothing when it is in no file.  Both may be NULL. */
void diag_add_related(struct str *, const struct place *here,
                      const struct place *other);
/* For the end of a text: "; did you mean 'blue'?", or nothing.  `names` ends
 * with NULL. */
void diag_add_nearest(struct str *, const char *word,
                      const char *const *names);

/* In order of place: one a line. */
void diag_format(struct diagnostics *, struct str *);
/* [{"file", "line", "column", "path", "what"}...] */
json_t *diag_json(struct diagnostics *);

/* What comes now is only counted: no need to think of a hint. */
static inline bool
diag_is_full(const struct diagnostics *diagnostics)
{
    return diagnostics->n == DIAG_MAX;
}

static inline bool
diag_any(const struct diagnostics *diagnostics)
{
    return diagnostics->n > 0;
}

#endif
