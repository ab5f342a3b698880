/* Messages as people read them: one line each. */
#ifndef WEFT_OPENFLOW_MESSAGE_TEXT_H
#define WEFT_OPENFLOW_MESSAGE_TEXT_H

#include "lib/str.h"
#include "openflow/message.h"

/* "FLOW_MOD", also of messages that are only sent; "?" for what is unknown. */
const char *of_wire_type_name(const struct of_protocol *, const void *message,
                              size_t len);

/* Appends what one whole message says besides its type: "add
 * priority=5,in_port=1 actions=output:2"; nothing where there is no more. */
void of_message_describe(const struct of_protocol *, const void *message,
                         size_t len, struct str *);

#endif
