/* netdev: any Ethernet device that exists, by packet sockets.
 *
 *     netdev:eth1      a physical NIC, a veth's end, a tap opened by others
 *
 * While it is a port, the device is promiscuous and isolated (isolate.h).  The
 * virtio-net header keeps super-frames whole in both directions; the kernel
 * segments them in front of a device that cannot. */
#include "port/netdev.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "packet/eth.h"
#include "port/options.h"
#include "port/port_class.h"
#include "port/vnet.h"

enum { MIN_BURST = 2 };

static int
netdev_open(struct port *port, struct str *error)
{
    struct helper_device_spec spec;
    int err = nic_parse(port, &spec, error);

    if (!err) {
        err = option_bool(port, "bare", &spec.must_be_bare, error);
    }
    return err ? err : nic_open(port, HELPER_NETDEV, &spec, error);
}

static int
vm_tap_open(struct port *port, struct str *error)
{
    struct helper_device_spec spec;
    int err = nic_parse(port, &spec, error);

    return err ? err : nic_open(port, HELPER_VM_TAP, &spec, error);
}

/* The kernel keeps the outermost VLAN tag beside the frame. */
static bool
restore_vlan_tag(struct packet *pkt, const struct tpacket_auxdata *aux)
{
    uint16_t tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID
                    ? aux->tp_vlan_tpid : ETH_TYPE_VLAN;

    if (packet_headroom(pkt) < VLAN_TAG_LEN) {
        return false;
    }
    pkt->data -= VLAN_TAG_LEN;
    pkt->len += VLAN_TAG_LEN;
    memmove(pkt->data, pkt->data + VLAN_TAG_LEN, 12);
    put_be16(pkt->data + 12, htobe16(tpid));
    put_be16(pkt->data + 14, htobe16(aux->tp_vlan_tci));
    return true;
}

/* The two packets into which a frame of unknown length is read: the small one's
 * room, then the big one's behind as much.  Only frames that need it touch a
 * big buffer. */
struct landing {
    struct packet *small, *big;
};

/* False: the pool is used up; what waits in the device may wait longer. */
static bool
landing_fill(struct landing *landing, struct packet_pool *pool)
{
    if (!landing->small) {
        landing->small = packet_alloc(pool, PACKET_SMALL_ROOM);
    }
    if (!landing->big) {
        landing->big = packet_alloc(pool, PACKET_MAX_LEN);
    }
    return landing->small && landing->big;
}

static void
landing_fini(struct landing *landing)
{
    if (landing->small) {
        packet_free(landing->small);
    }
    if (landing->big) {
        packet_free(landing->big);
    }
}

/* The frame of `len` bytes that has landed, as one packet. */
static struct packet *
landing_take(struct landing *landing, uint32_t len)
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

union aux_control {
    char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct cmsghdr align;
};

static const struct tpacket_auxdata *
find_auxdata(struct msghdr *msg)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

    if (cmsg && cmsg->cmsg_level == SOL_PACKET
        && cmsg->cmsg_type == PACKET_AUXDATA) {
        return (const void *) CMSG_DATA(cmsg);
    }
    return NULL;
}

static void
accept_frame(struct port *port, struct landing *landing,
             struct msghdr *msg, size_t n, struct batch *batch)
{
    const struct tpacket_auxdata *aux = find_auxdata(msg);
    struct vnet_header header;
    struct packet *pkt;

    if (UNLIKELY(n < sizeof header + ETH_HEADER_LEN
                 || msg->msg_flags & MSG_TRUNC)) {
        port_drop_rx(port, 1, &port->counters.rx_bad_length);
        return;
    }
    memcpy(&header, landing->small->data - sizeof header, sizeof header);
    pkt = landing_take(landing, (uint32_t) (n - sizeof header));
    pkt->in_port = port->id;
    if (aux && aux->tp_status & TP_STATUS_VLAN_VALID
        && restore_vlan_tag(pkt, aux)) {
        header.csum_start += VLAN_TAG_LEN;
    }
    if (UNLIKELY(!vnet_decode(&header, pkt))) {
        port_drop_rx(port, 1, &port->counters.rx_bad_offload);
        packet_free(pkt);
        return;
    }
    batch_add(batch, pkt);
}

/* A socket says ENETDOWN once, when its link is set down, which is also the
 * first step of a link that is deleted.  Only the latter unbinds it, some time
 * after: a link that came back up is received from again. */
static bool
socket_is_unbound(int fd)
{
    struct sockaddr_ll sll;
    socklen_t len = sizeof sll;

    return !getsockname(fd, (struct sockaddr *) &sll, &len)
           && sll.sll_ifindex <= 0;
}

static int
error_of_socket(int fd, int err)
{
    return err == -ENETDOWN && socket_is_unbound(fd) ? -ENODEV : err;
}

bool
netdev_is_gone(const struct port *port)
{
    return socket_is_unbound(nic_cast(port)->fds[0]);
}

bool
netdev_has_link(const struct port *port)
{
    int fd = nic_cast(port)->fds[0];
    struct sockaddr_ll sll;
    socklen_t len = sizeof sll;
    struct ifreq req = { 0 };

    if (getsockname(fd, (struct sockaddr *) &sll, &len)
        || sll.sll_ifindex <= 0) {
        return false;
    }
    req.ifr_ifindex = sll.sll_ifindex;
    return !ioctl(fd, SIOCGIFNAME, &req) && !ioctl(fd, SIOCGIFFLAGS, &req)
           && req.ifr_flags & IFF_UP && req.ifr_flags & IFF_RUNNING;
}

/* Where the frames of one recvmmsg() land.  The call saves a third of what a
 * small frame costs with recvmsg(). */
struct landing_strip {
    struct landing landings[BATCH_MAX];
    union aux_control controls[BATCH_MAX];
    struct iovec iovs[BATCH_MAX][2];
    struct mmsghdr msgs[BATCH_MAX];
};

/* Readies up to `n` places; returns how many the pool had packets for. */
static unsigned int
strip_fill(struct landing_strip *strip, unsigned int n,
           struct packet_pool *pool)
{
    for (unsigned int i = 0; i < n; i++) {
        struct landing *landing = &strip->landings[i];
        struct iovec *iov = strip->iovs[i];

        *landing = (struct landing) { 0 };
        if (!landing_fill(landing, pool)) {
            landing_fini(landing);
            return i;
        }
        iov[0].iov_base = landing->small->data - sizeof(struct vnet_header);
        iov[0].iov_len = sizeof(struct vnet_header) + PACKET_SMALL_ROOM;
        iov[1].iov_base = landing->big->data + PACKET_SMALL_ROOM;
        iov[1].iov_len = PACKET_MAX_LEN - PACKET_SMALL_ROOM;
        strip->msgs[i].msg_hdr = (struct msghdr) {
            .msg_iov = iov,
            .msg_iovlen = 2,
            .msg_control = strip->controls[i].bytes,
            .msg_controllen = sizeof strip->controls[i].bytes,
        };
    }
    return n;
}

/* How many frames to ask for next time: as many as came, and twice that while
 * more wait, but no more than NIC_BATCH_BYTES of their kind. */
static unsigned int
plan_burst(unsigned int n_asked, unsigned int n_got, uint64_t n_bytes)
{
    unsigned int n = n_got == n_asked ? 2 * n_asked : n_got + 1;

    if (n_bytes) {
        n = MIN(n, NIC_BATCH_BYTES * n_got / n_bytes);
    }
    return MIN(MAX(n, MIN_BURST), BATCH_MAX);
}

int
netdev_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
          struct batch *batch)
{
    struct netdev *netdev = CONTAINER_OF(port, struct netdev, nic.port);
    struct landing_strip strip;
    unsigned int first = batch->n;
    int fd = netdev->nic.fds[queue];
    unsigned int n_places = MIN(MAX(netdev->burst[queue], MIN_BURST),
                                BATCH_MAX - batch->n);
    uint64_t n_bytes = 0;
    int n, err = 0;

    n_places = strip_fill(&strip, n_places, pool);
    n = recvmmsg(fd, strip.msgs, n_places, MSG_DONTWAIT, NULL);
    if (n < 0) {
        err = errno == EAGAIN || errno == EINTR
              ? 0 : error_of_socket(fd, -errno);
        n = 0;
    }
    for (unsigned int i = 0; i < (unsigned int) n; i++) {
        n_bytes += strip.msgs[i].msg_len;
        accept_frame(port, &strip.landings[i], &strip.msgs[i].msg_hdr,
                     strip.msgs[i].msg_len, batch);
    }
    netdev->burst[queue] = (uint8_t) plan_burst(n_places, (unsigned int) n,
                                                n_bytes);
    for (unsigned int i = 0; i < n_places; i++) {
        landing_fini(&strip.landings[i]);
    }

    if (UNLIKELY(err < 0)) {
        if (nic_is_gone(err)) {
            return err;
        }
        if (err != -ENETDOWN) {
            /* -EINVAL: a frame whose GSO the header cannot say. */
            port_count(&port->counters.rx_errors, 1);
        }
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
    case -ENETDOWN:
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

void
netdev_tx(struct port *port, unsigned int queue, struct batch *batch,
          bool borrow)
{
    struct vnet_header headers[BATCH_MAX];
    struct iovec iovs[BATCH_MAX][2];
    struct mmsghdr msgs[BATCH_MAX];
    int fd = nic_cast(port)->fds[queue];

    for (unsigned int i = 0; i < batch->n; i++) {
        const struct packet *pkt = batch->pkts[i];

        vnet_encode(pkt, &headers[i]);
        iovs[i][0] = (struct iovec) { &headers[i], sizeof headers[i] };
        iovs[i][1] = (struct iovec) { pkt->data, pkt->len };
        msgs[i].msg_hdr = (struct msghdr) {
            .msg_iov = iovs[i], .msg_iovlen = 2,
        };
    }
    for (unsigned int i = 0; i < batch->n;) {
        int n = sendmmsg(fd, msgs + i, batch->n - i, MSG_DONTWAIT);

        if (LIKELY(n > 0)) {
            i += (unsigned int) n;
        } else {
            /* It stopped at the first one. */
            count_refused(port, batch->pkts[i++],
                          error_of_socket(fd, -errno));
        }
    }
    if (!borrow) {
        batch_free_all(batch);
    }
}

void
netdev_describe(const struct port *port, struct str *s)
{
    struct netdev *netdev = (struct netdev *) port;

    for (unsigned int i = 0; i < netdev->nic.n_fds; i++) {
        struct tpacket_stats stats;
        socklen_t len = sizeof stats;

        /* Reading them clears them. */
        if (!getsockopt(netdev->nic.fds[i], SOL_PACKET, PACKET_STATISTICS,
                        &stats, &len)) {
            atomic_fetch_add(&netdev->n_overrun, stats.tp_drops);
        }
    }
    str_addf(s, ", rx_overrun %llu",
             (unsigned long long) atomic_load(&netdev->n_overrun));
}

static const char *const netdev_options[] = {
    "netns", "queues", "bare", NULL,
};

const struct port_class netdev_class = {
    .type = "netdev",
    .options = netdev_options,
    .size = sizeof(struct netdev),
    .open = netdev_open,
    .close = nic_close,
    .rx = netdev_rx,
    .tx = netdev_tx,
    .rx_fd = nic_rx_fd,
    .is_gone = netdev_is_gone,
    .has_link = netdev_has_link,
    .describe = netdev_describe,
};

static const char *const vm_tap_options[] = {
    "netns", "mtu", "queues", "vm", "user", "group", NULL,
};

const struct port_class vm_tap_class = {
    .type = "tap",
    .options = vm_tap_options,
    .size = sizeof(struct netdev),
    .open = vm_tap_open,
    .close = nic_close,
    .configure = nic_configure,
    .rx = netdev_rx,
    .tx = netdev_tx,
    .rx_fd = nic_rx_fd,
    .is_gone = netdev_is_gone,
    .has_link = netdev_has_link,
    .describe = netdev_describe,
};
