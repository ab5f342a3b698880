/* tap: Weft holds the character device and is the peer of the network device,
 * which is a container's NIC (or, without netns=, one of this host's).
 *
 *     tap:eth0,netns=web,addr=10.0.0.2/24    the NIC of a container
 *     tap:vm1,vm=yes,user=qemu               the other way round: the VM manager
 *                                            opens the character device, and
 *                                            we attach to the link (netdev.c)
 */
#include "port/tap.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "packet/eth.h"
#include "port/netdev.h"
#include "port/nic.h"
#include "port/options.h"
#include "port/port_class.h"
#include "port/vnet.h"

static int
is_vm_tap(const struct port *port, bool *result, struct str *error)
{
    static const char *const container_only[] = { "addr", "mac" };
    static const char *const vm_only[] = { "user", "group" };
    bool is_vm = false;
    int err = option_bool(port, "vm", &is_vm, error);

    if (err) {
        return err;
    }
    for (size_t i = 0; i < 2; i++) {
        const char *key = is_vm ? container_only[i] : vm_only[i];

        if (port_config_get(&port->config, key)) {
            str_setf(error, "port '%s': '%s' is only for a tap with%s"
                     " vm=yes", port->config.name, key, is_vm ? "out" : "");
            return -EINVAL;
        }
    }
    *result = is_vm;
    return 0;
}

static int
tap_open(struct port *port, struct str *error)
{
    struct helper_device_spec spec;
    bool is_vm = false;
    int err = is_vm_tap(port, &is_vm, error);

    if (!err) {
        err = nic_parse(port, &spec, error);
    }
    if (err) {
        return err;
    }
    if (is_vm) {
        /* From here on it is a network device like any other. */
        port->class = &vm_tap_class;
        return port->class->open(port, error);
    }
    return nic_open(port, HELPER_TAP, &spec, error);
}

/* One frame.  1, 0 when there is none, or a negative errno. */
static int
read_frame(struct port *port, int fd, struct nic_landing *landing,
           struct batch *batch)
{
    uint8_t *data = landing->small->data;
    struct vnet_header header;
    /* The header goes in front of the data: one piece less to copy to. */
    struct iovec iov[] = {
        { data - sizeof header, sizeof header + PACKET_SMALL_ROOM },
        { landing->big->data + PACKET_SMALL_ROOM,
          PACKET_MAX_LEN - PACKET_SMALL_ROOM },
    };
    ssize_t n = readv(fd, iov, ARRAY_SIZE(iov));
    struct packet *pkt;
    uint32_t len;

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (UNLIKELY((size_t) n < sizeof header + ETH_HEADER_LEN)) {
        port_drop_rx(port, 1, &port->counters.rx_bad_length);
        return 1;
    }
    memcpy(&header, data - sizeof header, sizeof header);
    len = (uint32_t) n - (uint32_t) sizeof header;
    pkt = nic_landing_take(landing, len);
    pkt->in_port = port->id;
    if (UNLIKELY(!vnet_decode(&header, pkt))) {
        port_drop_rx(port, 1, &port->counters.rx_bad_offload);
        packet_free(pkt);
        return 1;
    }
    batch_add(batch, pkt);
    return 1;
}

int
tap_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
       struct batch *batch)
{
    struct nic_landing landing = { 0 };
    unsigned int first = batch->n;
    int fd = nic_cast(port)->fds[queue];
    uint32_t n_bytes = 0;
    int err = 0;

    while (!batch_is_full(batch) && n_bytes < NIC_BATCH_BYTES) {
        unsigned int n = batch->n;

        if (!nic_landing_fill(&landing, pool)) {
            break;
        }
        err = read_frame(port, fd, &landing, batch);
        if (err <= 0) {
            break;
        }
        if (batch->n > n) {
            n_bytes += batch->pkts[n]->len;
        }
    }
    nic_landing_fini(&landing);

    if (UNLIKELY(err < 0)) {
        if (nic_is_gone(err)) {
            return batch->n > first ? (int) (batch->n - first) : err;
        }
        port_count(&port->counters.rx_errors, 1);
    }
    return (int) (batch->n - first);
}

static void
count_refused(struct port *port, const struct packet *pkt, int err)
{
    struct port_counters *c = &port->counters;

    switch (err) {
    case -EAGAIN:
    case -ENOBUFS:
    case -ENOMEM:
        port_drop_tx(port, pkt, &c->tx_full);
        break;
    case -EIO:                  /* the link is not up */
        port_drop_tx(port, pkt, &c->tx_link_down);
        break;
    case -EMSGSIZE:
        port_drop_tx(port, pkt, &c->tx_too_long);
        break;
    default:
        port_drop_tx(port, pkt, &c->tx_refused);
        if (nic_is_gone(err)) {
            port_fail(port, err);
        }
    }
}

static int
write_frame(int fd, const struct packet *pkt)
{
    struct vnet_header header;
    struct iovec iov[] = {
        { &header, sizeof header },
        { pkt->data, pkt->len },
    };

    vnet_encode(pkt, &header);
    return writev(fd, iov, ARRAY_SIZE(iov)) < 0 ? -errno : 0;
}

void
tap_tx(struct port *port, unsigned int queue, struct batch *batch,
       bool borrow)
{
    int fd = nic_cast(port)->fds[queue];

    for (unsigned int i = 0; i < batch->n; i++) {
        int err = write_frame(fd, batch->pkts[i]);

        if (UNLIKELY(err)) {
            count_refused(port, batch->pkts[i], err);
        }
    }
    if (!borrow) {
        batch_free_all(batch);
    }
}

static const char *const tap_options[] = {
    "netns", "mtu", "mac", "queues", "addr", "vm", "user", "group", NULL,
};

const struct port_class tap_class = {
    .type = "tap",
    .options = tap_options,
    .size = sizeof(struct netdev),
    .open = tap_open,
    .close = nic_close,
    .rx = tap_rx,
    .tx = tap_tx,
    .rx_fd = nic_rx_fd,
};
