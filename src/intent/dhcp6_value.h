/* The value of a network's `dhcp6`: what its DHCPv6 server hands out. */
#ifndef WEFT_INTENT_DHCP6_VALUE_H
#define WEFT_INTENT_DHCP6_VALUE_H

#include "intent/schema.h"

extern const struct value_type value_dhcp6;   /* struct network_dhcp6 */

void dhcp6_value_fill(struct network_dhcp6 *);

#endif
