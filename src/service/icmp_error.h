/* ICMP errors of a router: what became of a packet, told to who sent it.
 *
 *     it lived too long, nobody knows the way, the next hop does not answer, a
 *     closed port of the router's own, too large for the way on
 *
 * Never about an ICMP error, a group's or broadcast packet, a sender that is no
 * one station, a later fragment (RFC 1812 4.3.2.7, RFC 4443 2.4 e).  As much of
 * the packet is quoted as fits: 576 bytes of IPv4 (RFC 1812 4.3.2.3), 1280 of
 * IPv6.
 *
 * It comes from the gateway's address, or from that of a closed port.
 *
 * Pure: a frame in, a frame out. */
#ifndef WEFT_SERVICE_ICMP_ERROR_H
#define WEFT_SERVICE_ICMP_ERROR_H

#include "lib/types.h"

enum { ICMP_ERROR_FRAME_MAX = 14 + 1280 };

/* X(ID, name) */
#define ICMP_TROUBLES(X)                                                     \
    X(ICMP_EXPIRED, "expired")                                               \
    X(ICMP_NO_ROUTE, "no-route")                                             \
    X(ICMP_NO_ANSWER, "no-answer")                                           \
    X(ICMP_CLOSED, "closed")                                                 \
    X(ICMP_TOO_BIG, "too-big")

enum icmp_trouble {
#define X(ID, NAME) ID,
    ICMP_TROUBLES(X)
#undef X
    N_ICMP_TROUBLES
};

const char *icmp_trouble_name(enum icmp_trouble);

/* X(ID, name, what happened) */
#define ICMP_VERDICTS(X)                                                     \
    X(ICMP_TOLD, "told", "the sender was told")                              \
    X(ICMP_SHORT, "short", "the packet ends too early, or is no IP")         \
    X(ICMP_ABOUT_ERROR, "about-error", "it was an ICMP error itself")        \
    X(ICMP_ABOUT_OTHER, "about-other", "only of UDP's ports is it told that " \
      "they are closed")                                                     \
    X(ICMP_ABOUT_GROUP, "about-group", "it was for more than one station")   \
    X(ICMP_ABOUT_NOBODY, "about-nobody", "its sender is no one station")     \
    X(ICMP_ABOUT_FRAGMENT, "about-fragment", "it was a later fragment")      \
    X(ICMP_NO_ADDRESS, "no-address", "the gateway has no address to say it " \
      "from")

enum icmp_verdict {
#define X(ID, NAME, TEXT) ID,
    ICMP_VERDICTS(X)
#undef X
    N_ICMP_VERDICTS
};

const char *icmp_verdict_name(enum icmp_verdict);

/* Who tells. */
struct icmp_gateway {
    struct eth_addr mac;
    be32 address;                 /* 0: none of IPv4 */
    struct ip6_addr address6;     /* all zero: none of IPv6 */
};

struct icmp_reply {
    size_t len;                   /* 0: none */
    uint8_t frame[ICMP_ERROR_FRAME_MAX];
};

/* About this frame (Ethernet without a tag).  `mtu` is what would fit, of
 * ICMP_TOO_BIG.  Both addresses of Ethernet are the gateway's: the error finds
 * its way like any packet that it was sent. */
enum icmp_verdict icmp_error_make(const struct icmp_gateway *,
                                  enum icmp_trouble, uint16_t mtu,
                                  const void *frame, size_t len,
                                  struct icmp_reply *);

#endif
