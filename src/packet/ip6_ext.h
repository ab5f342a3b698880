/* IPv6 extension headers (RFC 8200 section 4). */
#ifndef WEFT_PACKET_IP6_EXT_H
#define WEFT_PACKET_IP6_EXT_H

#include "packet/cursor.h"
#include "packet/flow_key.h"

struct ip6_chain {
    uint8_t frag;             /* enum flow_frag */
    uint16_t ext;             /* enum flow_ext, as far as it was walked */
    /* A routing header has segments left: the pseudo-header's destination is
     * the last of them, not the one in the IPv6 header (section 8.1). */
    bool is_routed;
};

/* Walks the chain that begins with header `next`.  Returns the upper-layer
 * protocol with the cursor on its header (on the fragment's data when it is not
 * the first fragment), or -1 when the chain is cut short or too long. */
int ip6_skip_extensions(struct cursor *, uint8_t next, struct ip6_chain *);

#endif
