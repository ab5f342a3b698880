/* The link between the switch and the host's own stack, of `host: true`.
 *
 *     switch  ours, the uplink's MAC ---- host, `port`  the host's stack
 *             169.254.X.Y + 2             169.254.X.Y + 1
 *
 * The host's end is a port of the switch of type internal, of which the host
 * sees a device.  Weft translates what leaves to the address `ours`; the host
 * translates that to whatever it leaves by, and sends what it lets in to
 * `ours`.  Both ends follow from the uplink's id: the host's side (host/) and
 * the switch's (controller/) agree without a word.  All of them are IPv4
 * link-local (RFC 3927) and IPv6 unique local addresses (RFC 4193), which mean
 * nothing beyond this host; an operator who uses the same ones chooses others
 * by `transfer`. */
#ifndef WEFT_INTENT_TRANSFER_H
#define WEFT_INTENT_TRANSFER_H

#include "intent/object.h"

enum { TRANSFER_LEN = 30, TRANSFER_LEN6 = 126 };

struct transfer {
    char port[16];                /* the device, and the port in PORT_DESC;
                                     empty: no such link */
    be32 network;                 /* /TRANSFER_LEN */
    be32 host, ours;
    struct ip6_addr host6, ours6; /* /TRANSFER_LEN6 */
};

/* `chosen` is set: IPv4 addresses within it. */
void transfer_fill(struct transfer *, const struct intent_object *uplink,
                   const struct subnet4 *chosen);

#endif
