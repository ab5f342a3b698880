/* internal: the host's own leg in the switch, a tap in the namespace in which
 * Weft was started.  from=DEVICE: it stands in for that device of the host
 * (take_over.h). */
#include "port/nic.h"
#include "port/port_class.h"
#include "port/tap.h"

static int
internal_open(struct port *port, struct str *error)
{
    struct helper_device_spec spec;
    int err = nic_parse(port, &spec, error);

    return err ? err : nic_open(port, HELPER_TAP, &spec, error);
}

static const char *const internal_options[] = {
    "mtu", "mac", "queues", "from", NIC_INSIDE_OPTIONS, NULL,
};

const struct port_class internal_class = {
    .type = "internal",
    .options = internal_options,
    .size = sizeof(struct nic),
    .open = internal_open,
    .close = nic_close,
    .configure = nic_configure,
    .rx = tap_rx,
    .tx = tap_tx,
    .rx_fd = nic_rx_fd,
    .has_link = tap_has_link,
};
