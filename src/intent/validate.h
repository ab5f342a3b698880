/* Does a set hold together?  What one object cannot know by itself: addresses
 * inside subnets, nothing twice, no loops.  Names were looked up and defaults
 * filled in before; what is not there was said, and its pointer is NULL.
 *
 * Each noun checks its objects (`check` of struct noun): it says what is wrong
 * and claims what only one object may have. */
#ifndef WEFT_INTENT_VALIDATE_H
#define WEFT_INTENT_VALIDATE_H

#include "intent/diag.h"
#include "intent/intent.h"

struct validation;

/* The whole set, for what an object has to do with others. */
const struct intent *validation_intent(const struct validation *);
const struct intent_underlay *validation_underlay(const struct validation *);

/* Says all that is wrong, not only the first. */
bool validate(const struct intent *, struct diagnostics *);

/* For `check`: at the place of the member (NULL: of the name). */
void validation_error(struct validation *, const struct intent_object *,
             const char *member, const char *format, ...) PRINTF_FORMAT(4, 5);
/* A name of a kind whose names are free: there must be such an object, unless there
 * is none of the kind at all. */
void validation_name(struct validation *, const struct intent_object *,
                     const char *member, enum intent_kind, const char *name);
/* The object alone may have what the format says: "device 'eth1'".  The second
 * who claims it is told who was first. */
void validation_claim(struct validation *, const struct intent_object *,
           const char *member, const char *format, ...) PRINTF_FORMAT(4, 5);

#endif
