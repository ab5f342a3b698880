/* Links and addresses of the kernel, by rtnetlink.
 *
 * A `struct netlink` is a socket in the network namespace in which it was
 * opened and stays there, wherever the thread goes.  All calls are synchronous.
 * Used by the device helper: what changes something needs CAP_NET_ADMIN.  Others
 * only ask. */
#ifndef WEFT_PORT_NETLINK_H
#define WEFT_PORT_NETLINK_H

#include <net/if.h>

#include "lib/types.h"

struct netlink;

int netlink_open(struct netlink **);
void netlink_close(struct netlink *);

struct link_info {
    unsigned int ifindex;
    char name[IFNAMSIZ];
    char alias[256];
    char kind[16];            /* "tun", "veth", ...; "" for a physical NIC */
    struct eth_addr mac;
    bool is_ethernet;         /* mac counts, frames have Ethernet headers */
    bool is_up;               /* by configuration */
    bool has_carrier;
    uint32_t mtu;
    uint32_t tx_queue_len;
};

/* -ENODEV when there is none of that name, or number. */
int link_get(struct netlink *, const char *name, struct link_info *);
int link_get_by_index(struct netlink *, unsigned int ifindex,
                      struct link_info *);
/* Calls `found` for every link; stops when it returns false. */
int link_for_each(struct netlink *, bool (*found)(const struct link_info *,
                                                  void *aux), void *aux);

/* What to change; NULL, 0 and LINK_KEEP leave as it is. */
enum link_admin { LINK_KEEP, LINK_UP, LINK_DOWN };
struct link_change {
    enum link_admin admin;
    uint32_t mtu;
    uint32_t tx_queue_len;
    const struct eth_addr *mac;
    const char *name;
    const char *alias;
    int netns_fd;             /* moves it there; 0: stays */
};

int link_change(struct netlink *, unsigned int ifindex,
                const struct link_change *);
/* Makes a pair: `name` here, `peer` in the namespace `peer_netns_fd`. */
int link_create_veth(struct netlink *, const char *name, const char *peer,
                     int peer_netns_fd);
int link_delete(struct netlink *, unsigned int ifindex);

/* "10.0.0.1/24" or "fd00::1/64"; an address that is there already is fine. */
int link_add_address(struct netlink *, unsigned int ifindex,
                     const char *address);
/* One that is not there is fine too. */
int link_remove_address(struct netlink *, unsigned int ifindex,
                        const char *address);
/* The default route of the gateway's family, by this link; it need not be within
 * the link's prefixes.  -EEXIST: there is another one. */
int link_add_gateway(struct netlink *, unsigned int ifindex,
                     const char *gateway);
int link_remove_gateway(struct netlink *, unsigned int ifindex,
                        const char *gateway);
/* Whether anybody gave the link an IPv6 address (one beyond link-local). */
/* Does it carry an address that reaches beyond the link, of this family
 * (AF_UNSPEC: of any)? */
int link_has_address(struct netlink *, unsigned int ifindex, int family,
                     bool *result);
int link_has_ipv6_address(struct netlink *, unsigned int ifindex,
                          bool *result);

#endif
