#include "port/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
refuse(const struct port *port, const char *key, const char *value,
       const char *expected, struct str *error)
{
    str_setf(error, "port '%s': %s=%s: expected %s", port->config.name, key,
             value, expected);
    return -EINVAL;
}

static int
parse_number(const struct port *port, const char *key, uint32_t min,
             uint32_t max, uint32_t *result, struct str *error)
{
    const char *value = port_config_get(&port->config, key);
    unsigned long n;
    char *end;

    if (!value) {
        return 0;
    }
    n = strtoul(value, &end, 10);
    if (*end || end == value || n < min || n > max || value[0] == '-') {
        char expected[64];

        snprintf(expected, sizeof expected, "a number from %u to %u", min,
                 max);
        return refuse(port, key, value, expected, error);
    }
    *result = (uint32_t) n;
    return 0;
}

static int
parse_text(const struct port *port, const char *key, char *result,
           size_t size, struct str *error)
{
    const char *value = port_config_get(&port->config, key);
    char expected[64];

    if (!value) {
        return 0;
    }
    if (strlen(value) >= size) {
        snprintf(expected, sizeof expected, "at most %zu characters",
                 size - 1);
        return refuse(port, key, value, expected, error);
    }
    strcpy(result, value);
    return 0;
}

static int
parse_mac(const struct port *port, struct helper_device_spec *spec,
          struct str *error)
{
    const char *value = port_config_get(&port->config, "mac");
    unsigned int b[6];
    int end = 0;

    if (!value) {
        return 0;
    }
    if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2],
               &b[3], &b[4], &b[5], &end) != 6 || value[end] || b[0] & 1) {
        return refuse(port, "mac", value, "a station's address as in"
                      " 02:00:00:00:00:01", error);
    }
    for (unsigned int i = 0; i < 6; i++) {
        spec->mac.b[i] = (uint8_t) b[i];
    }
    spec->has_mac = true;
    return 0;
}

int
nic_parse(const struct port *port, struct helper_device_spec *spec,
          struct str *error)
{
    const struct port_config *config = &port->config;
    int err;

    memset(spec, 0, sizeof *spec);
    spec->n_queues = 1;
    strcpy(spec->port, config->name);
    if (!config->device[0]
        || strlen(config->device) >= sizeof spec->device) {
        str_setf(error, "port '%s': expected the name of a network device"
                 " (1 to %zu characters) after '%s:'", config->name,
                 sizeof spec->device - 1, config->type);
        return -EINVAL;
    }
    strcpy(spec->device, config->device);

    if ((err = parse_number(port, "mtu", 68, 65521, &spec->mtu, error))
        || (err = parse_number(port, "queues", 1, PORT_MAX_QUEUES,
                               &spec->n_queues, error))
        || (err = parse_text(port, "netns", spec->netns, sizeof spec->netns,
                             error))
        || (err = parse_text(port, "addr", spec->addresses,
                             sizeof spec->addresses, error))
        || (err = parse_text(port, "user", spec->user, sizeof spec->user,
                             error))
        || (err = parse_text(port, "group", spec->group,
                             sizeof spec->group, error))) {
        return err;
    }
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

bool
nic_landing_fill(struct nic_landing *landing, struct packet_pool *pool)
{
    if (!landing->small) {
        landing->small = packet_alloc(pool, PACKET_SMALL_ROOM);
    }
    if (!landing->big) {
        landing->big = packet_alloc(pool, PACKET_MAX_LEN);
    }
    return landing->small && landing->big;
}

void
nic_landing_fini(struct nic_landing *landing)
{
    if (landing->small) {
        packet_free(landing->small);
    }
    if (landing->big) {
        packet_free(landing->big);
    }
}

struct packet *
nic_landing_take(struct nic_landing *landing, uint32_t len)
{
    struct packet *pkt = landing->small;

    if (LIKELY(len <= PACKET_SMALL_ROOM)) {
        landing->small = NULL;
    } else {
        /* Its first bytes landed in the small packet. */
        memcpy(landing->big->data, pkt->data, PACKET_SMALL_ROOM);
        pkt = landing->big;
        landing->big = NULL;
    }
    pkt->len = len;
    return pkt;
}
