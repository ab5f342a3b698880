/* Reads what an operator wrote into objects. */
#ifndef WEFT_INTENT_PARSE_H
#define WEFT_INTENT_PARSE_H

#include <jansson.h>

#include "intent/diag.h"
#include "intent/intent.h"

enum { INTENT_VERSION = 1 };

/* A whole file: YAML, or JSON, which looks the same to a reader of YAML.
 * Diagnostics call it `file`.  Objects replace those of the same name.  False:
 * `diagnostics` say why, and the set holds what could be read. */
bool intent_parse(struct intent *, const char *file, const void *text,
                  size_t len, struct diagnostics *);
/* Reads the file at `path` ("-": standard input).  A file that cannot be read
 * is a diagnostic, too. */
bool intent_parse_file(struct intent *, const char *path,
                       struct diagnostics *);
/* The same as a JSON value: {"version": 1, "networks": {...}, ...}. */
bool intent_parse_json(struct intent *, const json_t *, struct diagnostics *);

/* One object: `members` as behind its name in a file.  NULL: it cannot be. */
struct intent_object *intent_parse_object(enum intent_kind, const char *name,
                                          const json_t *members,
                                          struct diagnostics *);
/* A value as one writes it in a file, "{vlan: 20, uplink: lan}", as JSON: for
 * commands.  NULL: it cannot be read. */
json_t *intent_parse_value(const char *text, struct diagnostics *);

#endif
