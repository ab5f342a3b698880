/* Questions for neighbours' MACs, and their answers: ARP (RFC 826) and
 * neighbour discovery (RFC 4861 7.2), as the one who asks sees them.
 *
 * Pure: a frame out, a frame in. */
#ifndef WEFT_SERVICE_NEIGHBOUR_H
#define WEFT_SERVICE_NEIGHBOUR_H

#include "lib/types.h"

enum { NEIGHBOUR_FRAME_MAX = 14 + 40 + 32 };

/* Who asks.  IPv4 addresses are mapped elsewhere (ip6_of_ip4), here not. */
struct neighbour_asker {
    struct eth_addr mac;
    be32 address;
    struct ip6_addr address6;
};

/* Who has the address?  Asks all, or (`alone`) one station.  Returns the
 * frame's length. */
size_t neighbour_ask(const struct neighbour_asker *, const struct ip6_addr *,
                     const struct eth_addr *alone,
                     uint8_t frame[NEIGHBOUR_FRAME_MAX]);
/* Does the frame answer: "I have that address, at this MAC"? */
bool neighbour_told(const void *frame, size_t len, struct ip6_addr *,
                    struct eth_addr *);

#endif
