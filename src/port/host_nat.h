/* Host NAT: what the host's own stack does for uplinks of `host: true`.
 *
 * Weft's data path has translated what comes out of a leg to one address, the
 * leg's `ours`.  The host masquerades that once more on its way out, and sends
 * what its forwards let in to that address:
 *
 *     guests -> switch, translates -> leg | host: masquerade -> eth0
 *     guests <- switch, forward    <- leg | host: dnat       <- eth0
 *
 * This file says which rules that takes: pure, a description in and the text of
 * one nft transaction out.  host_nat_keep.h puts it into force and keeps it.
 *
 * Always true of the rules:
 *   - Who comes in by a forward keeps his address: only what has `ours` as its
 *     source is masqueraded.
 *   - Nobody outside reaches a leg but by a forward, or as the answer to what
 *     left by it.
 *   - What comes out of a leg reaches nothing of the host itself: it is answered
 *     pings and what the host asked for, no more.
 *   - Nothing else of the host's traffic meets a verdict of ours. */
#ifndef WEFT_PORT_HOST_NAT_H
#define WEFT_PORT_HOST_NAT_H

#include <net/if.h>

#include "lib/str.h"
#include "packet/packet.h"

enum { HOST_NAT_MAX_LEGS = 16, HOST_NAT_MAX_FORWARDS = 4096 };

/* The device between the switch and the host's stack. */
struct host_nat_leg {
    char device[IFNAMSIZ];
    be32 ours;                    /* what comes out of it is from there */
    struct ip6_addr ours6;        /* unset: no IPv6 leaves by it */
};

/* Sent to `ours` with the ports that it has; or a floating address, which is
 * routed there as it is (floating.h). */
struct host_nat_forward {
    uint32_t leg;
    be32 listen;                  /* both unset: all addresses of the host */
    struct ip6_addr listen6;      /* set: IPv6, then the other is not */
    uint8_t protocol;             /* IPPROTO_TCP, UDP, SCTP; 0: `listen` floats */
    uint16_t first, last;         /* ports, in order */
};

struct host_nat {
    unsigned int n_legs, n_forwards;
    struct host_nat_leg legs[HOST_NAT_MAX_LEGS];
    struct host_nat_forward *forwards;
};

/* Nothing of it would be more in nft's language than it should. */
bool host_nat_leg_is_valid(const struct host_nat_leg *);
bool host_nat_forward_is_valid(const struct host_nat_forward *,
                               unsigned int n_legs);

/* The commands which make the table `name` as it shall be, whatever it was;
 * `comment` marks it. */
void host_nat_format(const struct host_nat *, const char *name,
                     const char *comment, struct str *);

#endif
