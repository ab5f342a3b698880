#include "packet/ip6_ext.h"

#include "packet/ip.h"

/* A chain of hundreds of 8-byte headers is an attack. */
enum { MAX_EXTENSIONS = 16 };

int
ip6_skip_extensions(struct cursor *c, uint8_t next, struct ip6_chain *chain)
{
    *chain = (struct ip6_chain) { 0 };
    for (unsigned int i = 0; i <= MAX_EXTENSIONS; i++) {
        const uint8_t *ext = c->p;
        size_t len;

        if (!ip6_is_extension(next)) {
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
