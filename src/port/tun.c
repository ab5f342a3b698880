/* tun: a layer 3 NIC, made by Weft, which supplies the Ethernet side: whoever
 * uses the device sends and receives IP packets.
 *
 *     tun:tun0,mac=02:00:00:00:00:01,peer=02:00:00:00:00:fe
 *
 * mac= is the port's address on the segment, and peer= where all frames from it
 * go, unless flow entries know better; nobody behind it answers ARP or ND.
 * Frames towards it lose their header; what is not IP is dropped. */
#include "packet/eth.h"
#include "port/nic.h"
#include "port/options.h"
#include "port/port_class.h"
#include "port/tap.h"

enum { SRC_OFS = 6, TYPE_OFS = 12 };

struct tun {
    struct nic nic;
    struct eth_addr mac, peer;
};

static const struct tun *
tun_cast(const struct port *port)
{
    return (const struct tun *) port;
}

static int
tun_open(struct port *port, struct str *error)
{
    struct tun *tun = (struct tun *) port;
    struct helper_device_spec spec;
    int err = nic_parse(port, &spec, error);

    if (!err) {
        tun->mac = spec.mac;
        err = option_eth(port, "peer", &tun->peer, error);
    }
    if (!err && (!spec.has_mac || !port_config_get(&port->config, "peer"))) {
        str_setf(error, "port '%s': a tun needs mac= and peer=: its own and "
                 "its gateway's Ethernet address", port->config.name);
        err = -EINVAL;
    }
    if (err) {
        return err;
    }
    spec.has_mac = false;         /* the device knows of none */
    err = nic_open(port, HELPER_TUN, &spec, error);
    if (!err) {
        port->mac = tun->mac;
    }
    return err;
}

static bool
add_header(const struct port *port, struct packet *pkt)
{
    const struct tun *tun = tun_cast(port);
    uint8_t version = pkt->data[ETH_HEADER_LEN] >> 4;

    if (version != 4 && version != 6) {
        return false;
    }
    memcpy(pkt->data, tun->peer.b, sizeof tun->peer.b);
    memcpy(pkt->data + SRC_OFS, tun->mac.b, sizeof tun->mac.b);
    put_be16(pkt->data + TYPE_OFS,
             htobe16(version == 4 ? ETH_TYPE_IP : ETH_TYPE_IPV6));
    return true;
}

static bool
is_ip(const struct packet *pkt)
{
    be16 type = get_be16(pkt->data + TYPE_OFS);

    return pkt->len > ETH_HEADER_LEN
           && (type == htobe16(ETH_TYPE_IP)
               || type == htobe16(ETH_TYPE_IPV6));
}

static const struct tap_framing without_ethernet = {
    .header_len = ETH_HEADER_LEN,
    .min_len = 1,
    .add = add_header,
    .fits = is_ip,
};

static int
tun_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
       struct batch *batch)
{
    return tap_rx_framed(port, queue, pool, batch, &without_ethernet);
}

static void
tun_tx(struct port *port, unsigned int queue, struct batch *batch,
       bool borrow)
{
    tap_tx_framed(port, queue, batch, borrow, &without_ethernet);
}

static const char *const tun_options[] = {
    "netns", "mtu", "mac", "peer", "queues", NIC_INSIDE_OPTIONS, NULL,
};

const struct port_class tun_class = {
    .type = "tun",
    .options = tun_options,
    .size = sizeof(struct tun),
    .open = tun_open,
    .close = nic_close,
    .configure = nic_configure,
    .rx = tun_rx,
    .tx = tun_tx,
    .rx_fd = nic_rx_fd,
    .has_link = tap_has_link,
};
