/* Cuts an IPv4 packet into pieces that fit (RFC 791 section 3.2), which is what
 * a router owes to packets that do not forbid it.
 *
 * Pure: a frame in, frames out, one after another. */
#ifndef WEFT_SERVICE_IP4_FRAGMENT_H
#define WEFT_SERVICE_IP4_FRAGMENT_H

#include "lib/types.h"

/* The frame may be cut: it is sound IPv4, and does not say "don't fragment". */
bool ip4_may_fragment(const void *frame, size_t len);

/* One piece after another; each is a whole frame. */
typedef void ip4_fragment_function(void *aux, const void *frame, size_t len);

/* Only what may be cut; `mtu` at least 68.  The options that say so are in
 * every piece. */
void ip4_fragment(const void *frame, size_t len, uint16_t mtu,
                  ip4_fragment_function *, void *aux);

#endif
