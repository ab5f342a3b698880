/* Actions and instructions on the wire.
 *
 * Actions that a version's standard lacks travel as Nicira's, which all four
 * versions know.  Some say more than one thing (1.0's enqueue is later set_queue,
 * output, pop_queue), and some that differ in name only become the same. */
#ifndef WEFT_OPENFLOW_WIRE_ACTION_H
#define WEFT_OPENFLOW_WIRE_ACTION_H

#include "openflow/wire.h"

/* Appends the actions, to the cursor's end.  `in` takes what only an instruction
 * can hold (1.0's write_metadata); NULL: not here. */
enum of_error actions_decode(enum of_version, struct cursor *,
                             struct actions *, struct instructions *in,
                             struct str *why);
/* False when some action cannot be said in this version; it is left out. */
bool actions_encode(struct buf *, enum of_version, struct action_list);

/* A flow-mod's whole instructions, to the cursor's end; in 1.0 the actions. */
enum of_error instructions_decode(enum of_version, struct cursor *,
                                  struct flow_mod *, struct str *why);
bool instructions_encode(struct buf *, enum of_version,
                         const struct instructions *);

#endif
