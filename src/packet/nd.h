/* Neighbour discovery (RFC 4861): solicitations and advertisements. */
#ifndef WEFT_PACKET_ND_H
#define WEFT_PACKET_ND_H

#include "packet/ip.h"

enum {
    ND_HEADER_LEN = 24,           /* type to target; options follow */
    ND_RESERVED_OFS = 4,          /* an advertisement has its flags there */
    ND_TARGET_OFS = 8,
};

struct nd_options {
    const uint8_t *sll;           /* source link-layer address; NULL: none */
    const uint8_t *tll;           /* target link-layer address */
    uint8_t type;                 /* of the first of these; 0: none */
};

/* `icmp`: at least two bytes of an ICMPv6 message. */
static inline bool
nd_is_message(const uint8_t *icmp)
{
    return (icmp[0] == ND_SOLICIT || icmp[0] == ND_ADVERT) && !icmp[1];
}

/* False when an option has length zero, runs past the end, or says an address a
 * second time: hosts differ in which they believe, so nobody may. */
static inline bool
nd_options_decode(struct nd_options *options, const uint8_t *p, size_t left)
{
    *options = (struct nd_options) { NULL, NULL, 0 };
    while (left >= 8) {
        size_t len = p[1] * 8u;
        bool is_sll = p[0] == ND_OPTION_SLL && len == 8;
        bool is_tll = p[0] == ND_OPTION_TLL && len == 8;

        if (!len || len > left || (is_sll && options->sll)
            || (is_tll && options->tll)) {
            return false;
        }
        if (is_sll) {
            options->sll = p + 2;
        } else if (is_tll) {
            options->tll = p + 2;
        }
        if ((is_sll || is_tll) && !options->type) {
            options->type = p[0];
        }
        p += len;
        left -= len;
    }
    return true;
}

#endif
