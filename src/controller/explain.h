/* From "can web reach db by tcp/443?" to the packets whose traces answer it: one
 * there, and one back.  Pure. */
#ifndef WEFT_CONTROLLER_EXPLAIN_H
#define WEFT_CONTROLLER_EXPLAIN_H

#include "controller/controller.h"
#include "controller/topology.h"

/* As controller_question(). */
int explain_question(const struct topology *, const char *from,
                     const char *to, const char *what,
                     struct controller_question *, struct str *error);

#endif
