/* `patch`: what is sent to one end comes in at the other.
 *
 *     --port a=patch:peer=b --port b=patch:peer=a
 *
 * Super-frames and owed checksums pass as they are. */
#include "port/pair.h"
#include "port/port_class.h"

struct patch {
    struct port port;
    struct pair_end end;
};

static struct patch *
patch_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct patch, port);
}

static int
patch_open(struct port *port, struct str *error)
{
    port->features = PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6 | PORT_F_USO;
    return pair_join(port, &patch_cast(port)->end, error);
}

static void
patch_close(struct port *port)
{
    pair_leave(port->registry, &patch_cast(port)->end);
}

static int
patch_rx(struct port *port, unsigned int queue UNUSED,
         struct packet_pool *pool UNUSED, struct batch *batch)
{
    unsigned int first = batch->n;
    unsigned int n = mailbox_pop(pair_inbox(&patch_cast(port)->end), batch);

    for (unsigned int i = first; i < batch->n; i++) {
        packet_arrive(batch->pkts[i], port->id);
    }
    return (int) n;
}

static void
patch_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
         bool borrow UNUSED)
{
    pair_tx(port, &patch_cast(port)->end, batch);
}

static int
patch_rx_fd(const struct port *port, unsigned int queue UNUSED)
{
    return mailbox_fd(pair_inbox(&patch_cast(port)->end));
}

static usec
patch_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    return mailbox_next(pair_inbox(&patch_cast(port)->end));
}

static void
patch_describe(const struct port *port, struct str *s)
{
    pair_describe(port, &patch_cast(port)->end, s);
}

static const char *const patch_options[] = { "peer", NULL };

const struct port_class patch_class = {
    .type = "patch",
    .options = patch_options,
    .size = sizeof(struct patch),
    .open = patch_open,
    .close = patch_close,
    .rx = patch_rx,
    .tx = patch_tx,
    .rx_fd = patch_rx_fd,
    .next_rx = patch_next_rx,
    .describe = patch_describe,
};
