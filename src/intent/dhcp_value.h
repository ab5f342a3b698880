/* The value of a network's `dhcp`: off, or what its server hands out. */
#ifndef WEFT_INTENT_DHCP_VALUE_H
#define WEFT_INTENT_DHCP_VALUE_H

#include "intent/schema.h"

extern const struct value_type value_dhcp;    /* struct network_dhcp */

void dhcp_value_fill(struct network_dhcp *);

#endif
