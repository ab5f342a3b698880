/* What the classes of kernel devices (tap, netdev, veth, internal) share: they
 * are opened by the device helper, have one descriptor per queue, and lose
 * their device in the same ways. */
#ifndef WEFT_PORT_NIC_H
#define WEFT_PORT_NIC_H

#include "port/helper.h"
#include "port/port.h"

struct nic {
    struct port port;
    uint32_t handle;                  /* the helper's */
    unsigned int n_fds;               /* one per queue; 0: closed */
    int fds[PORT_MAX_QUEUES];
};

static inline struct nic *
nic_cast(const struct port *port)
{
    return (struct nic *) port;
}

enum {
    /* A batch of super-frames stops here, so that it is still in the second
     * level cache when it is sent. */
    NIC_BATCH_BYTES = 192 * 1024,
};

/* The options by which a device's inside is set: for a class's `options`. */
#define NIC_INSIDE_OPTIONS "addr", "gateway", "dns", "search"

/* Reads the options netns, mtu, mac, queues, user, group and those of the inside
 * of the port's configuration.  -EINVAL with a text. */
int nic_parse(const struct port *, struct helper_device_spec *,
              struct str *error);
int nic_open(struct port *, enum helper_kind,
             const struct helper_device_spec *, struct str *error);
void nic_close(struct port *);
/* port_class.configure. */
int nic_configure(struct port *, struct str *error);
int nic_rx_fd(const struct port *, unsigned int queue);

/* Whether an error of the device's descriptor means that the device is gone,
 * not merely down or full. */
static inline bool
nic_is_gone(int err)
{
    return err == -ENODEV || err == -ENXIO || err == -EBADFD
           || err == -EBADF;
}

#endif
