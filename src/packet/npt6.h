/* IPv6-to-IPv6 network prefix translation (RFC 6296): one address outside for
 * each inside, by computation alone.
 *
 * The prefix is replaced, and what that changes in the one's complement sum of
 * the address is taken back in one of its other words, so that no checksum
 * above IP changes:
 *
 *     external prefix of up to 48 bits   bits 48-63, the subnet (section 3.4)
 *     of 49 to 64                        the first word of the interface
 *                                        identifier that is not 0xffff (3.5)
 *
 * Pure. */
#ifndef WEFT_PACKET_NPT6_H
#define WEFT_PACKET_NPT6_H

#include "lib/types.h"

enum { NPT6_MAX_LEN = 64 };

/* How `inside` is called outside, where the first `len` bits (up to
 * NPT6_MAX_LEN) are those of `prefix`.  False: it cannot be translated, because
 * the words that could take the difference are all ones, or because its
 * identifier is zero (a router's anycast address). */
bool npt6_map(struct ip6_addr inside, struct ip6_addr prefix, uint8_t len,
              struct ip6_addr *outside);

#endif
