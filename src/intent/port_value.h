/* The values of a port that have forms of their own.  Each reads and writes the
 * whole struct intent_port. */
#ifndef WEFT_INTENT_PORT_VALUE_H
#define WEFT_INTENT_PORT_VALUE_H

#include "intent/schema.h"

extern const struct value_type
    value_attach,                 /* `min` says which: ATTACH_NETNS, ... */
    value_allow, value_security_groups, value_trunk, value_rate;

/* "netns", "tap", "tun" or "device". */
const char *attach_word(enum attach_type);

#endif
