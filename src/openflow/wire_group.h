/* How a select group chooses its bucket, on the wire: a property of 1.5's form
 * by an experimenter whose extension others took over. */
#ifndef WEFT_OPENFLOW_WIRE_GROUP_H
#define WEFT_OPENFLOW_WIRE_GROUP_H

#include "openflow/wire.h"

/* A group's properties, to the cursor's end. */
enum of_error group_selection_decode(struct cursor *, struct group_mod *,
                                     struct str *why);
/* Nothing for the method that has no name. */
void group_selection_encode(struct buf *, enum of_version,
                            const struct group_selection *);

#endif
