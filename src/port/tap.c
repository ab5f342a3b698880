/* tap: Weft holds the character device and is the peer of the network device,
 * which is a container's NIC (or, without netns=, one of this host's).
 *
 *     tap:eth0,netns=web,addr=10.0.0.2/24    the NIC of a container
 *     tap:vm1,vm=yes,user=qemu               the other way round: the VM's
 *                                            manager opens the character device,
 *                                            we attach to the link (netdev.c)
 */
#include "port/tap.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "packet/eth.h"
#include "port/netdev.h"
#include "port/nic.h"
#include "port/options.h"
#include "port/port_class.h"
#include "port/vnet.h"

/* -EINVAL when one of these options is given. */
static int
refuse(const struct port *port, const char *const *keys, const char *with,
       struct str *error)
{
    for (; *keys; keys++) {
        if (port_config_get(&port->config, *keys)) {
            str_setf(error, "port '%s': '%s' is only for a tap with%s"
                     " vm=yes", port->config.name, *keys, with);
            return -EINVAL;
        }
    }
    return 0;
}

static int
is_vm_tap(const struct port *port, bool *result, struct str *error)
{
    static const char *const container_only[] = {
        "mac", NIC_INSIDE_OPTIONS, NULL,
    };
    static const char *const vm_only[] = { "user", "group", NULL };
    bool is_vm = false;
    int err = option_bool(port, "vm", &is_vm, error);

    if (!err) {
        err = refuse(port, is_vm ? container_only : vm_only,
                     is_vm ? "out" : "", error);
    }
    if (!err) {
        *result = is_vm;
    }
    return err;
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

/* Reads land in a big buffer, and what is small moves on into a small one: one
 * read() costs less than a readv() of two pieces by more than that copy, and
 * few big buffers are touched.  The header lands in front of the frame. */
struct tap_landing {
    struct packet_pool *pool;
    struct packet *big;
};

static const struct tap_framing whole_frames = { .min_len = ETH_HEADER_LEN };

/* The frame of `len` bytes that has landed, as a packet; NULL when the pool is
 * used up. */
static struct packet *
take_landed(struct tap_landing *landing, uint32_t len)
{
    struct packet *pkt;

    if (len > PACKET_SMALL_ROOM) {
        pkt = landing->big;
        landing->big = NULL;
    } else {
        pkt = packet_alloc(landing->pool, PACKET_SMALL_ROOM);
        if (UNLIKELY(!pkt)) {
            return NULL;
        }
        memcpy(pkt->data, landing->big->data, len);
    }
    pkt->len = len;
    return pkt;
}

/* Offsets in a packet of the device, as offsets in the frame: by `shift`. */
static void
shift_offsets(struct vnet_header *header, int shift)
{
    if (header->flags & OFFLOAD_NEEDS_CSUM) {
        header->csum_start = (uint16_t) (header->csum_start + shift);
    }
    if (header->gso_type) {
        header->hdr_len = (uint16_t) (header->hdr_len + shift);
    }
}

/* One frame.  1, 0 when there is none, or a negative errno. */
static inline __attribute__((always_inline)) int
read_frame(struct port *port, int fd, struct tap_landing *landing,
           struct batch *batch, const struct tap_framing *framing)
{
    struct vnet_header header;
    uint8_t *start = landing->big->data + framing->header_len
                     - sizeof header;
    ssize_t n = read(fd, start, sizeof header + PACKET_MAX_LEN
                                    - framing->header_len);
    struct packet *pkt;

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (UNLIKELY((size_t) n < sizeof header + framing->min_len)) {
        port_drop_rx(port, 1, &port->counters.rx_bad_length);
        return 1;
    }
    memcpy(&header, start, sizeof header);
    pkt = take_landed(landing, (uint32_t) n - (uint32_t) sizeof header
                                   + framing->header_len);
    if (UNLIKELY(!pkt)) {
        port_drop_rx(port, 1, &port->counters.rx_no_buffer);
        return 1;
    }
    pkt->in_port = port->id;
    if (framing->add) {
        if (!framing->add(port, pkt)) {
            port_drop_rx(port, 1, &port->counters.rx_not_ip);
            packet_free(pkt);
            return 1;
        }
        shift_offsets(&header, (int) framing->header_len);
    }
    if (UNLIKELY(!vnet_decode(&header, pkt))) {
        port_drop_rx(port, 1, &port->counters.rx_bad_offload);
        packet_free(pkt);
        return 1;
    }
    batch_add(batch, pkt);
    return 1;
}

static inline __attribute__((always_inline)) int
rx_frames(struct port *port, unsigned int queue, struct packet_pool *pool,
          struct batch *batch, const struct tap_framing *framing)
{
    struct tap_landing landing = { pool, NULL };
    unsigned int first = batch->n;
    int fd = nic_cast(port)->fds[queue];
    uint32_t n_bytes = 0;
    int err = 0;

    while (!batch_is_full(batch) && n_bytes < NIC_BATCH_BYTES) {
        unsigned int n = batch->n;

        if (!landing.big
            && !(landing.big = packet_alloc(pool, PACKET_MAX_LEN))) {
            break;      /* what waits in the device may wait longer */
        }
        err = read_frame(port, fd, &landing, batch, framing);
        if (err <= 0) {
            break;
        }
        if (batch->n > n) {
            n_bytes += batch->pkts[n]->len;
        }
    }
    if (landing.big) {
        packet_free(landing.big);
    }

    if (UNLIKELY(err < 0)) {
        if (nic_is_gone(err)) {
            return batch->n > first ? (int) (batch->n - first) : err;
        }
        port_count(&port->counters.rx_errors, 1);
    }
    return (int) (batch->n - first);
}

int
tap_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
       struct batch *batch)
{
    return rx_frames(port, queue, pool, batch, &whole_frames);
}

int
tap_rx_framed(struct port *port, unsigned int queue,
              struct packet_pool *pool, struct batch *batch,
              const struct tap_framing *framing)
{
    return rx_frames(port, queue, pool, batch, framing);
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

/* Puts the header into the headroom: one write() costs a tenth less than a
 * writev() of two pieces. */
static inline __attribute__((always_inline)) int
write_frame(int fd, const struct packet *pkt,
            const struct tap_framing *framing)
{
    uint8_t *data = pkt->data + framing->header_len;
    size_t len = pkt->len - framing->header_len;
    struct vnet_header header;
    struct iovec iov[] = { { &header, sizeof header }, { data, len } };
    ssize_t n;

    vnet_encode(pkt, &header);
    if (framing->header_len) {
        shift_offsets(&header, -(int) framing->header_len);
    }
    /* A frame that others hold too keeps its bytes. */
    if (LIKELY(!framing->header_len
               && packet_headroom(pkt) >= sizeof header)) {
        uint8_t *start = data - sizeof header;

        memcpy(start, &header, sizeof header);
        n = write(fd, start, sizeof header + len);
    } else {
        n = writev(fd, iov, ARRAY_SIZE(iov));
    }
    return n < 0 ? -errno : 0;
}

static inline __attribute__((always_inline)) void
tx_frames(struct port *port, unsigned int queue, struct batch *batch,
          bool borrow, const struct tap_framing *framing)
{
    int fd = nic_cast(port)->fds[queue];

    for (unsigned int i = 0; i < batch->n; i++) {
        const struct packet *pkt = batch->pkts[i];
        int err;

        if (framing->fits && !framing->fits(pkt)) {
            port_drop_tx(port, pkt, &port->counters.tx_not_ip);
            continue;
        }
        err = write_frame(fd, pkt, framing);
        if (UNLIKELY(err)) {
            count_refused(port, pkt, err);
        }
    }
    if (!borrow) {
        batch_free_all(batch);
    }
}

void
tap_tx(struct port *port, unsigned int queue, struct batch *batch,
       bool borrow)
{
    tx_frames(port, queue, batch, borrow, &whole_frames);
}

void
tap_tx_framed(struct port *port, unsigned int queue, struct batch *batch,
              bool borrow, const struct tap_framing *framing)
{
    tx_frames(port, queue, batch, borrow, framing);
}

/* The kernel lets us write while the device is set up. */
bool
tap_has_link(const struct port *port)
{
    struct pollfd p = { .fd = nic_cast(port)->fds[0], .events = POLLOUT };

    return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

static const char *const tap_options[] = {
    "netns", "mtu", "mac", "queues", NIC_INSIDE_OPTIONS, "vm", "user", "group",
    NULL,
};

const struct port_class tap_class = {
    .type = "tap",
    .options = tap_options,
    .size = sizeof(struct netdev),
    .open = tap_open,
    .close = nic_close,
    .configure = nic_configure,
    .rx = tap_rx,
    .tx = tap_tx,
    .rx_fd = nic_rx_fd,
    .has_link = tap_has_link,
};
