/* How forwards write where they listen, and where they lead. */
#ifndef WEFT_INTENT_FORWARD_VALUE_H
#define WEFT_INTENT_FORWARD_VALUE_H

#include "intent/schema.h"

extern const struct value_type
    value_listen,                 /* struct forward_listen */
    value_target;                 /* struct forward_target */

/* "tcp"; of those that have ports to forward. */
const char *forward_protocol_name(uint8_t protocol);

#endif
