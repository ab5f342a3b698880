/* The inside of a container's NIC: addresses, default routes and resolver that
 * are set from outside, for containers without a DHCP client.
 *
 * What somebody else set there stays as it is: only what `was` says is taken
 * away.  Helper only. */
#ifndef WEFT_PORT_INSIDE_H
#define WEFT_PORT_INSIDE_H

#include "port/helper.h"

/* Every text ends, and is a list of what it should be. */
bool inside_is_valid(const struct helper_inside *);

/* From `was` to `is`, on a link of the socket's namespace, which `netns` names
 * as netns.h says.  `owner`: of the resolver's file, unique to the port.  A
 * default route that is there already is used as it is. */
int inside_change(struct netlink *, unsigned int ifindex, const char *netns,
                  const char *owner, const struct helper_inside *was,
                  const struct helper_inside *is, struct str *error);

#endif
