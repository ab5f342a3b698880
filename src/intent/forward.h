/* forward: an outside address, or ports of one, mapped to an inside port.
 *
 *     https: {listen: 203.0.113.5:443/tcp, to: web:8443}
 *     games: {listen: 203.0.113.5:27000-27100/udp, to: vm1}   the same ports
 *     mail:  {listen: 25/tcp, to: mail}      at the uplink's own address
 *     vm1:   {listen: 203.0.113.7, to: vm1}  a floating address, both ways
 *
 * The outside client's address is kept.  The target's network has `nat`, and
 * its uplink is where the forward listens: what answers leaves by the same way.
 * Where ports of an address are forwarded that floats, the forward of the port
 * is the one that counts.
 *
 * With `host: true` the address is the host's.  Its stack leads ports to our
 * end of the transfer link (transfer.h), the same ports; and a floating address
 * there as it is. */
#ifndef WEFT_INTENT_FORWARD_H
#define WEFT_INTENT_FORWARD_H

#include "intent/object.h"

struct intent_network;
struct intent_port;
struct intent_uplink;

/* Both families: IPv4 as ::ffff:a.b.c.d (packet/address.h). */
struct forward_listen {
    struct ip6_addr address;      /* all zero: the uplink's own, IPv4 */
    uint8_t protocol;             /* of IP; 0: all, a floating address */
    uint16_t first, last;
};

struct forward_target {
    char port_name[INTENT_NAME_MAX];
    const struct intent_port *port;       /* once sealed */
    uint16_t first, last;         /* 0: as it was sent */
};

struct intent_forward {
    struct intent_object object;
    struct forward_listen listen;
    struct forward_target to;
    char uplink_name[INTENT_NAME_MAX];
    const struct intent_uplink *uplink;   /* as said; NULL: the only one */
};

static inline const struct intent_forward *
intent_forward_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_forward, object)
                  : NULL;
}

/* ---- What follows, of a sealed set ---- */

static inline bool
intent_forward_is_floating(const struct intent_forward *forward)
{
    return !forward->listen.protocol;
}

/* The network in which the target is sent to: one with `nat`, by the uplink if
 * that was said.  NULL: there is none. */
const struct intent_network *
intent_forward_network(const struct intent_forward *);
/* Where it listens; NULL as above. */
const struct intent_uplink *
intent_forward_uplink(const struct intent_forward *);
/* At which address: what was said, or the uplink's own. */
struct ip6_addr intent_forward_address(const struct intent_forward *);
/* As packets come from the uplink: for ports of a host's address, our end of
 * the transfer link; else the same. */
struct ip6_addr intent_forward_arrival(const struct intent_forward *);
/* Which of the target's ports that one becomes. */
uint16_t intent_forward_port(const struct intent_forward *, uint16_t port);

#endif
