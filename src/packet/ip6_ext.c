#include "packet/ip6_ext.h"

#include "packet/ip.h"

/* A chain of hundreds of 8-byte headers is an attack. */
enum { MAX_EXTENSIONS = 16 };

/* Places in the order that RFC 8200 section 4.1 recommends.  Destination options
 * have two: before the routing header, and last of all. */
enum {
    RANK_HOP = 1, RANK_DEST, RANK_ROUTER, RANK_FRAG, RANK_AUTH, RANK_ESP,
    RANK_LAST_DEST,
};

struct order {
    unsigned int rank;        /* of the header before; 0: none */
    unsigned int n_dest;
};

/* Notes in chain->ext that header `next` is there. */
static void
note_header(struct ip6_chain *chain, struct order *order, uint8_t next)
{
    unsigned int rank;
    uint16_t bit;
    bool repeats;

    switch (next) {
    case IP_PROTO_HOPOPTS: bit = FLOW_EXT_HOP; rank = RANK_HOP; break;
    case IP_PROTO_ROUTING: bit = FLOW_EXT_ROUTER; rank = RANK_ROUTER; break;
    case IP_PROTO_FRAGMENT: bit = FLOW_EXT_FRAG; rank = RANK_FRAG; break;
    case IP_PROTO_AH: bit = FLOW_EXT_AUTH; rank = RANK_AUTH; break;
    case IP_PROTO_ESP: bit = FLOW_EXT_ESP; rank = RANK_ESP; break;
    case IP_PROTO_DSTOPTS:
        bit = FLOW_EXT_DEST;
        rank = order->rank < RANK_DEST ? RANK_DEST : RANK_LAST_DEST;
        break;
    default:
        chain->ext |= FLOW_EXT_NONEXT;
        return;
    }
    order->n_dest += bit == FLOW_EXT_DEST;
    repeats = bit == FLOW_EXT_DEST ? order->n_dest > 2 : chain->ext & bit;
    chain->ext |= bit | (repeats ? FLOW_EXT_UNREP : 0)
                  | (rank < order->rank ? FLOW_EXT_UNSEQ : 0);
    order->rank = MAX(order->rank, rank);
}

int
ip6_skip_extensions(struct cursor *c, uint8_t next, struct ip6_chain *chain)
{
    struct order order = { 0, 0 };

    *chain = (struct ip6_chain) { 0 };
    for (unsigned int i = 0; i <= MAX_EXTENSIONS; i++) {
        const uint8_t *ext = c->p;
        size_t len;

        if (!ip6_is_extension(next)) {
            if (ip6_is_last_extension(next)) {
                note_header(chain, &order, next);
            }
            return next;
        }
        if (cursor_left(c) < 8) {
            return -1;
        }
        len = next == IP_PROTO_FRAGMENT ? 8
              : next == IP_PROTO_AH ? (ext[1] + 2u) * 4
              : (ext[1] + 1u) * 8;
        if (!cursor_take(c, len)) {
            return -1;
        }
        note_header(chain, &order, next);
        if (next == IP_PROTO_FRAGMENT) {
            uint16_t frag = be16toh(get_be16(ext + 2));

            /* An atomic fragment (RFC 6946) is not a fragment. */
            if (frag & (IP6_FRAG_OFS | IP6_FRAG_MORE)) {
                chain->frag |= FLOW_FRAG_ANY;
            }
            if (frag & IP6_FRAG_OFS) {
                chain->frag |= FLOW_FRAG_LATER;
                return ext[0];
            }
        } else if (next == IP_PROTO_ROUTING && ext[3]) {
            chain->is_routed = true;
        }
        next = ext[0];
    }
    return -1;
}
