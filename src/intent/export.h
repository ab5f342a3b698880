/* Writes objects as they would be written by hand: what goes out comes in again
 * the same, and the same set is always the same text. */
#ifndef WEFT_INTENT_EXPORT_H
#define WEFT_INTENT_EXPORT_H

#include <jansson.h>

#include "intent/intent.h"
#include "lib/str.h"

/* The file that says what the set holds: what was given, not the defaults. */
void intent_export(const struct intent *, struct str *);
/* The same as JSON, for intent_parse_json(). */
json_t *intent_json(const struct intent *);

/* What was given, for intent_parse_object(). */
json_t *intent_object_json(const struct intent_object *);
/* All that holds of an object in a sealed set, defaults included. */
json_t *intent_object_effective(const struct intent_object *);

/* A value on one line: {vlan: 20, uplink: lan}. */
void intent_value_format(const json_t *, struct str *);

/* What a file may say, as JSON Schema: doc/intent.schema.json. */
json_t *intent_schema(void);

#endif
