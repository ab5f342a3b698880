/* The action set: what write-actions collects and the end of the pipeline
 * carries out (OpenFlow 1.3.5 section 5.10).  Group buckets are action sets
 * too. */
#ifndef WEFT_SWITCH_ACTION_SET_H
#define WEFT_SWITCH_ACTION_SET_H

#include "openflow/action.h"

/* Appends the set's actions as they are to be carried out: in the order that the
 * specification gives, of each type the last one written, but all set-fields (in
 * the order of writing); a group instead of an output. */
void action_set_order(struct action_list set, struct actions *ordered);
/* The port of the output, or OFPP_UNSET when there is none or a group. */
uint32_t action_set_output(struct action_list set);

/* Appends a copy of a list.  False: it would be longer than `max` bytes. */
bool actions_append(struct actions *, struct action_list, uint32_t max);

#endif
