/* A subnet as the server uses it: its configuration with all defaults, and what
 * its clients are told as on the wire. */
#ifndef WEFT_SERVICE_DHCP_SERVED_H
#define WEFT_SERVICE_DHCP_SERVED_H

#include "packet/address.h"
#include "service/dhcp_options.h"

struct dhcp_served {
    be32 network;
    uint8_t prefix_len;
    bool is_rapid;
    uint16_t max_datagram;
    uint32_t default_time, min_time, max_time;
    struct lease_table *leases;
    struct dhcp_option_set options;
    be32 boot_server;             /* 0: none, or a name */
    uint8_t boot_file[128];       /* empty: none, or too long a name */
};

/* -EINVAL, with a text: as dhcp_server_configure(). */
int dhcp_served_init(struct dhcp_served *, const struct dhcp_subnet *,
                     struct str *error);
void dhcp_served_fini(struct dhcp_served *);
/* Tells the lease table which addresses it may give. */
void dhcp_served_set_ranges(const struct dhcp_subnet *, be32 server);

static inline bool
dhcp_served_has(const struct dhcp_served *subnet, be32 addr)
{
    return ip4_is_within(addr, subnet->network, subnet->prefix_len);
}

#endif
