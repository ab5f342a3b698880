/* How frames pass a packet socket; for netdev, veth and a VM's tap. */
#ifndef WEFT_PORT_NETDEV_H
#define WEFT_PORT_NETDEV_H

#include "port/nic.h"

struct netdev {
    struct nic nic;
    uint8_t burst[PORT_MAX_QUEUES];   /* frames to ask for next; its worker's */
    _Atomic uint64_t n_overrun;   /* frames the sockets had no room for, as far
                                     as netdev_describe() has collected them */
};

int netdev_rx(struct port *, unsigned int queue, struct packet_pool *,
              struct batch *);
void netdev_tx(struct port *, unsigned int queue, struct batch *,
               bool borrow);
bool netdev_is_gone(const struct port *);
/* It is set up, and has a carrier. */
bool netdev_has_link(const struct port *);
void netdev_describe(const struct port *, struct str *);

/* What a port of type tap becomes with vm=yes. */
extern const struct port_class vm_tap_class;

#endif
