/* One frame in one line, as an operator wants to see it go by:
 *
 *     02:00:00:00:00:01 > 02:00:00:00:00:02 vlan 10 IPv4 10.0.0.1.4321 >
 *     10.0.0.2.80 tcp SYN, length 66 */
#ifndef WEFT_CLI_PACKET_TEXT_H
#define WEFT_CLI_PACKET_TEXT_H

#include "lib/str.h"

/* Any bytes are accepted. */
void packet_format(const void *frame, uint32_t len, uint32_t wire_len,
                   struct str *);

#endif
