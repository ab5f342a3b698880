/* Address share: which of a network's addresses this host may choose from.
 *
 * Of a network that spans hosts every one hands out addresses on its own, and
 * asks nobody.  So that no two of them ever choose the same, the addresses that
 * may be chosen at all are cut into as many equal pieces as there are hosts, in
 * order of their ranges, and the hosts, in order of their names, have one each.
 *
 * A host that joins or leaves moves the cuts.  Choices that were made stay; only
 * new ones come from the new piece.
 *
 * Pure. */
#ifndef WEFT_CONTROLLER_ADDRESS_SHARE_H
#define WEFT_CONTROLLER_ADDRESS_SHARE_H

#include "intent/intent.h"

/* Piece number `index` of `n`; n 0: all of it. */
struct address_share {
    unsigned int index, n;
};

/* All: the network is of one host, or nobody of that name (NULL) is in the
 * file. */
struct address_share address_share_of(const struct intent *,
                                      const struct intent_network *,
                                      const char *host);

struct address_piece {
    uint32_t first, n;            /* in host order; n > 0 */
};

/* The addresses of IPv4 that ports of the network may have, and of them the
 * share; the gateway may be among them.  Returns how many pieces. */
unsigned int address_share_pieces(const struct intent_network *,
                                  struct address_share,
                                  struct address_piece[NETWORK_MAX_RANGES]);

#endif
