/* Inside of netlink.c and of what else speaks rtnetlink. */
#ifndef WEFT_PORT_NETLINK_IMPL_H
#define WEFT_PORT_NETLINK_IMPL_H

#include <libmnl/libmnl.h>

#include "port/netlink.h"

enum { NETLINK_BUFFER_SIZE = 32768 };     /* what the kernel may put in one part
                                             of a dump */

/* A request in the socket's buffer, which the next one overwrites. */
struct nlmsghdr *netlink_request(struct netlink *, uint16_t type,
                                 uint16_t flags);
/* Sends and hands the answers to `answer` until the kernel says it is done. */
int netlink_transact(struct netlink *, const struct nlmsghdr *,
                     mnl_cb_t answer, void *aux);

#endif
