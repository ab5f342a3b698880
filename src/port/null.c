/* `null`: a source that never ends and a sink that takes everything.
 *
 *     --port a=null:frame=64,flows=1000     --port b=null:rx=no
 *
 * For benchmarks of the switch alone: frames are copied from one template, and
 * of a flow only the source address differs (flow i of UDP comes from 10.0.0.0 +
 * i).  Flows take turns in a scattered order, each as often as any other.
 *
 *     frame=N             bytes of a frame, 60 to 1514 (64)
 *     flows=N             how many flows, up to 2^24 (1)
 *     rx=no               only a sink
 *     eth_src=, eth_dst=  addresses of the frames */
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "port/options.h"
#include "port/port_class.h"

enum {
    COPY_STEP = 64,
    MAX_FRAME = 1514,
    IP_OFS = ETH_HEADER_LEN,
    UDP_OFS = IP_OFS + sizeof(struct ip4_header),
};

static const uint32_t FIRST_SRC = 0x0a000000;

struct null {
    struct port port;
    bool rx;
    uint32_t frame_len;
    uint32_t n_flows, flow, stride;
    uint32_t ip_sum;              /* of the IPv4 header without source */
    uint8_t frame[(MAX_FRAME + COPY_STEP - 1) / COPY_STEP * COPY_STEP]
        __attribute__((aligned(CACHE_LINE)));
};

static struct null *
null_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct null, port);
}

static void
make_template(struct null *null, struct eth_addr src, struct eth_addr dst)
{
    uint16_t ip_len = (uint16_t) (null->frame_len - IP_OFS);
    struct ip4_header ip = {
        .ver_ihl = 0x45, .total_len = htobe16(ip_len), .ttl = 64,
        .proto = IP_PROTO_UDP, .dst = { 192, 0, 2, 1 },
    };
    uint8_t *udp = null->frame + UDP_OFS;

    memset(null->frame, 0, sizeof null->frame);
    memcpy(null->frame, dst.b, sizeof dst.b);
    memcpy(null->frame + 6, src.b, sizeof src.b);
    put_be16(null->frame + 12, htobe16(ETH_TYPE_IP));
    memcpy(null->frame + IP_OFS, &ip, sizeof ip);
    null->ip_sum = checksum_add(0, &ip, sizeof ip);
    put_be16(udp, htobe16(1024));
    put_be16(udp + 2, htobe16(9));      /* discard (RFC 863) */
    put_be16(udp + 4, htobe16((uint16_t) (ip_len - sizeof ip)));
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* A step of about the golden ratio that visits every flow. */
static uint32_t
stride_of(uint32_t n)
{
    uint32_t stride = (uint32_t) ((uint64_t) n * 618 / 1000);

    while (common_divisor(stride, n) != 1) {
        stride++;
    }
    return stride;
}

static int
null_open(struct port *port, struct str *error)
{
    struct null *null = null_cast(port);
    struct eth_addr src = { { 2, 0, 0, 0, 0, 1 } };
    struct eth_addr dst = { { 2, 0, 0, 0, 0, 2 } };
    uint64_t frame = 64, flows = 1;
    int err;

    null->rx = true;
    err = option_bool(port, "rx", &null->rx, error);
    err = err ? err : option_number(port, "frame", ETH_MIN_LEN, MAX_FRAME,
                                    &frame, error);
    err = err ? err : option_number(port, "flows", 1, 1 << 24, &flows, error);
    err = err ? err : option_eth(port, "eth_src", &src, error);
    err = err ? err : option_eth(port, "eth_dst", &dst, error);
    if (err) {
        return err;
    }
    null->frame_len = (uint32_t) frame;
    null->n_flows = (uint32_t) flows;
    null->stride = stride_of(null->n_flows);
    make_template(null, src, dst);
    port->features = PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6 | PORT_F_USO
                     | PORT_F_TX_BORROWS;
    return 0;
}

static void
null_close(struct port *port UNUSED)
{
}

static void
write_source(const struct null *null, uint8_t *frame)
{
    struct ip4_header *ip = (void *) (frame + IP_OFS);
    be32 src = htobe32(FIRST_SRC + null->flow);

    put_be32(ip->src, src);
    ip->csum = checksum_fold(null->ip_sum + (src & 0xffff) + (src >> 16));
}

static int
null_rx(struct port *port, unsigned int queue UNUSED,
        struct packet_pool *pool, struct batch *batch)
{
    struct null *null = null_cast(port);
    unsigned int first = batch->n;

    if (!null->rx) {
        return 0;
    }
    while (!batch_is_full(batch)) {
        struct packet *pkt = packet_alloc(pool, null->frame_len);

        if (UNLIKELY(!pkt)) {
            port_drop_rx(port, 1, &port->counters.rx_no_buffer);
            break;
        }
        for (uint32_t i = 0; i < null->frame_len; i += COPY_STEP) {
            memcpy(pkt->data + i, null->frame + i, COPY_STEP);
        }
        write_source(null, pkt->data);
        null->flow += null->stride;
        null->flow -= null->flow >= null->n_flows ? null->n_flows : 0;
        pkt->len = null->frame_len;
        pkt->in_port = port->id;
        batch_add(batch, pkt);
    }
    return (int) (batch->n - first);
}

static void
null_tx(struct port *port UNUSED, unsigned int queue UNUSED,
        struct batch *batch, bool borrow)
{
    if (!borrow) {
        batch_free_all(batch);
    }
}

static int
null_rx_fd(const struct port *port UNUSED, unsigned int queue UNUSED)
{
    return -1;
}

static usec
null_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    return null_cast(port)->rx ? 0 : INT64_MAX;
}

static const char *const null_options[] = { "frame", "flows", "rx", "eth_src",
                                            "eth_dst", NULL };

const struct port_class null_class = {
    .type = "null",
    .options = null_options,
    .size = sizeof(struct null),
    .open = null_open,
    .close = null_close,
    .rx = null_rx,
    .tx = null_tx,
    .rx_fd = null_rx_fd,
    .next_rx = null_next_rx,
};
