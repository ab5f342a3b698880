#include "port/nic.h"

#include <unistd.h>

#include "port/options.h"

static int
parse_text(const struct port *port, const char *key, char *result,
           size_t size, struct str *error)
{
    const char *value = port_config_get(&port->config, key);

    if (value && strlen(value) >= size) {
        str_setf(error, "port '%s': %s=%s is longer than %zu characters",
                 port->config.name, key, value, size - 1);
        return -EINVAL;
    }
    if (value) {
        strcpy(result, value);
    }
    return 0;
}

static int
parse_mac(const struct port *port, struct helper_device_spec *spec,
          struct str *error)
{
    int err = option_eth(port, "mac", &spec->mac, error);

    spec->has_mac = port_config_get(&port->config, "mac");
    if (!err && eth_addr_is_group(spec->mac)) {
        str_setf(error, "port '%s': mac: is a group's address, no station's",
                 port->config.name);
        err = -EINVAL;
    }
    return err;
}

static int
parse_inside(const struct port *port, struct helper_inside *inside,
             struct str *error)
{
    int err;

    if ((err = parse_text(port, "addr", inside->addresses,
                          sizeof inside->addresses, error))
        || (err = parse_text(port, "gateway", inside->gateways,
                             sizeof inside->gateways, error))
        || (err = parse_text(port, "dns", inside->dns, sizeof inside->dns,
                             error))
        || (err = parse_text(port, "search", inside->search,
                             sizeof inside->search, error))) {
        return err;
    }
    return 0;
}

int
nic_parse(const struct port *port, struct helper_device_spec *spec,
          struct str *error)
{
    const struct port_config *config = &port->config;
    uint64_t mtu = 0, n_queues = 1;
    int err;

    memset(spec, 0, sizeof *spec);
    strcpy(spec->port, config->name);
    if (!config->device[0]
        || strlen(config->device) >= sizeof spec->device) {
        str_setf(error, "port '%s': expected the name of a network device"
                 " (1 to %zu characters) after '%s:'", config->name,
                 sizeof spec->device - 1, config->type);
        return -EINVAL;
    }
    strcpy(spec->device, config->device);

    if ((err = option_number(port, "mtu", 68, 65521, &mtu, error))
        || (err = option_number(port, "queues", 1, PORT_MAX_QUEUES,
                                &n_queues, error))
        || (err = parse_text(port, "netns", spec->netns, sizeof spec->netns,
                             error))
        || (err = parse_text(port, "from", spec->take_over,
                             sizeof spec->take_over, error))
        || (err = parse_inside(port, &spec->inside, error))
        || (err = parse_text(port, "user", spec->user, sizeof spec->user,
                             error))
        || (err = parse_text(port, "group", spec->group,
                             sizeof spec->group, error))) {
        return err;
    }
    spec->mtu = (uint32_t) mtu;
    spec->n_queues = (uint32_t) n_queues;
    return parse_mac(port, spec, error);
}

int
nic_open(struct port *port, enum helper_kind kind,
         const struct helper_device_spec *spec, struct str *error)
{
    struct nic *nic = nic_cast(port);
    struct helper_device device;
    int err = helper_open_device(port->helper, kind, spec, &device, error);

    if (err) {
        return err;
    }
    nic->handle = device.handle;
    nic->n_fds = device.n_fds;
    memcpy(nic->fds, device.fds, sizeof nic->fds);
    port->n_rxq = port->n_txq = device.n_fds;
    port->features = device.features;
    port->mtu = device.mtu;
    port->mac = device.mac;
    return 0;
}

int
nic_configure(struct port *port, struct str *error)
{
    uint32_t handle = nic_cast(port)->handle;
    struct helper_inside inside = { 0 };
    uint64_t mtu = 0;
    int err = parse_inside(port, &inside, error);

    if (!err) {
        err = option_number(port, "mtu", 68, 65521, &mtu, error);
    }
    if (!err && mtu && mtu != port->mtu) {
        err = helper_set_link(port->helper, handle, LINK_KEEP,
                              (uint32_t) mtu, NULL, error);
        if (!err) {
            __atomic_store_n(&port->mtu, (uint32_t) mtu, __ATOMIC_RELAXED);
        }
    }
    /* A VM's inside is its own. */
    return err || port_config_get(&port->config, "vm")
           ? err : helper_set_inside(port->helper, handle, &inside, error);
}

void
nic_close(struct port *port)
{
    struct nic *nic = nic_cast(port);

    /* The helper's duplicates first: then these are the last ones, and epoll
     * sets forget them. */
    helper_release_device(port->helper, nic->handle);
    for (unsigned int i = 0; i < nic->n_fds; i++) {
        close(nic->fds[i]);
    }
    nic->n_fds = 0;
}

int
nic_rx_fd(const struct port *port, unsigned int queue)
{
    return nic_cast(port)->fds[queue];
}
