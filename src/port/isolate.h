/* Isolation: what enters a device that is a port goes to Weft and nowhere else.
 *
 * A packet socket sees a frame before the ingress hook does, so an nft chain of
 * the `netdev` family which drops everything there leaves the frame to us and
 * hides it from the host: no ARP answer, no routing, no bridge.  IPv6 is
 * switched off on the device, so that the host does not speak there on its own
 * (router solicitations, MLD), unless the device carries IPv6 addresses that an
 * operator gave it: switching IPv6 off would lose them.
 *
 * One nft table per device, `weft/INSTANCE/IFINDEX[/ipv6]`: the name says all
 * that is needed to undo it, also for the next start after we were killed.
 * Until then the device stays isolated: closed is the safe side.
 *
 * Everything here works on the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_ISOLATE_H
#define WEFT_PORT_ISOLATE_H

#include "lib/str.h"
#include "port/netlink.h"

struct isolation {
    unsigned int ifindex;
    bool ipv6_was_on;
};

int isolate_begin(const char *instance, struct netlink *,
                  const struct link_info *, struct isolation *,
                  struct str *error);
void isolate_end(const char *instance, struct netlink *,
                 const struct isolation *);
/* Undoes all that `instance` left behind here, except on devices for which
 * `keep` says true (NULL: none); returns on how many devices. */
int isolate_clean(const char *instance, struct netlink *,
                  bool (*keep)(unsigned int ifindex, void *aux), void *aux);

#endif
