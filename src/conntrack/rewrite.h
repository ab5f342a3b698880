/* Translating a packet: from the tuple that it has to the one that it is to have.
 *
 * All checksums stay as right, or as owed, as they were (packet/edit.h). */
#ifndef WEFT_CONNTRACK_REWRITE_H
#define WEFT_CONNTRACK_REWRITE_H

#include "conntrack/tuple.h"

/* False: a header is cut short; some of it may be written. */
bool ct_rewrite(struct packet *, const struct ct_tuple *have,
                const struct ct_tuple *want);

/* An ICMP error: `have` is the tuple of packets that go its way, `want` what they
 * become.  The packet that it is about went the other way, so it is turned into
 * what its sender had sent.  Who tells of the error keeps its address, unless it
 * lies on the side whose addresses are not shown (RFC 5508 REQ-4, REQ-5). */
bool ct_rewrite_error(struct packet *, struct ct_packet *,
                      const struct ct_tuple *have,
                      const struct ct_tuple *want);

#endif
