#include "port/ring.h"

#include <poll.h>

#include "port/mailbox.h"
#include "port/options.h"
#include "port/port_class.h"

struct ring {
    struct port port;
    struct mailbox *in, *out;     /* as the switch sees it */
};

static struct ring *
ring_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct ring, port);
}

unsigned int
ring_push(struct port *port, struct packet *const *pkts, unsigned int n)
{
    return mailbox_push(ring_cast(port)->in, pkts, n);
}

unsigned int
ring_pop(struct port *port, struct batch *batch)
{
    return mailbox_pop(ring_cast(port)->out, batch);
}

bool
ring_wait(struct port *port, msec timeout)
{
    struct mailbox *out = ring_cast(port)->out;
    struct pollfd fd = { .fd = mailbox_fd(out), .events = POLLIN };

    return mailbox_next(out) == 0
           || (poll(&fd, 1, (int) timeout) == 1 && mailbox_next(out) == 0);
}

static int
ring_open(struct port *port, struct str *error)
{
    struct ring *ring = ring_cast(port);
    uint64_t size = 1024;
    bool offload = true;
    int err = option_number(port, "size", 1, 1 << 20, &size, error);

    err = err ? err : option_bool(port, "offload", &offload, error);
    if (err) {
        return err;
    }
    port->features = offload ? PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6
                               | PORT_F_USO : 0;
    ring->in = mailbox_create((uint32_t) size);
    ring->out = mailbox_create((uint32_t) size);
    if (!ring->in || !ring->out) {
        err = -errno;
        str_setf(error, "port '%s': %s", port->config.name, strerror(errno));
        mailbox_destroy(ring->in);
        mailbox_destroy(ring->out);
        return err;
    }
    return 0;
}

static void
ring_close(struct port *port)
{
    mailbox_destroy(ring_cast(port)->in);
    mailbox_destroy(ring_cast(port)->out);
}

static int
ring_rx(struct port *port, unsigned int queue UNUSED,
        struct packet_pool *pool UNUSED, struct batch *batch)
{
    unsigned int first = batch->n;
    unsigned int n = mailbox_pop(ring_cast(port)->in, batch);

    for (unsigned int i = first; i < batch->n; i++) {
        packet_arrive(batch->pkts[i], port->id);
    }
    return (int) n;
}

static void
ring_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
        bool borrow UNUSED)
{
    unsigned int n = mailbox_push(ring_cast(port)->out, batch->pkts,
                                  batch->n);

    for (; n < batch->n; n++) {
        port_drop_tx(port, batch->pkts[n], &port->counters.tx_full);
        packet_free(batch->pkts[n]);
    }
}

static int
ring_rx_fd(const struct port *port, unsigned int queue UNUSED)
{
    return mailbox_fd(ring_cast(port)->in);
}

static usec
ring_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    return mailbox_next(ring_cast(port)->in);
}

static const char *const ring_options[] = { "size", "offload", NULL };

const struct port_class ring_class = {
    .type = "ring",
    .options = ring_options,
    .size = sizeof(struct ring),
    .open = ring_open,
    .close = ring_close,
    .rx = ring_rx,
    .tx = ring_tx,
    .rx_fd = ring_rx_fd,
    .next_rx = ring_next_rx,
};
