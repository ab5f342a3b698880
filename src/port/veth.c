/* veth: a pair that we make.  Our end lives in a namespace of Weft's own, where
 * nobody has an address; the other becomes DEVICE in netns=.
 *
 * Of the ways to plug a container in, this is the second best: tap.c copies a
 * frame as often, but spares the kernel a device and a clone per frame.  It is
 * here for guests that insist on a veth. */
#include "port/netdev.h"
#include "port/nic.h"
#include "port/port_class.h"

static int
veth_open(struct port *port, struct str *error)
{
    struct helper_device_spec spec;
    int err = nic_parse(port, &spec, error);

    return err ? err : nic_open(port, HELPER_VETH, &spec, error);
}

static const char *const veth_options[] = {
    "netns", "mtu", "mac", "queues", NIC_INSIDE_OPTIONS, NULL,
};

const struct port_class veth_class = {
    .type = "veth",
    .options = veth_options,
    .size = sizeof(struct netdev),
    .open = veth_open,
    .close = nic_close,
    .configure = nic_configure,
    .rx = netdev_rx,
    .tx = netdev_tx,
    .rx_fd = nic_rx_fd,
    .is_gone = netdev_is_gone,
    .has_link = netdev_has_link,
    .describe = netdev_describe,
};
