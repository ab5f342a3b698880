#include "port/pair.h"

#include <stdlib.h>

#include "port/registry.h"

enum { MAILBOX_SIZE = 1024 };

struct pair {
    struct pair *next;            /* in the registry */
    char names[2][PORT_NAME_MAX];
    struct mailbox *inbox[2];
    atomic_bool is_open[2];
};

static struct pair *
find_pair(struct port_registry *registry, const char *name, const char *peer,
          unsigned int *side)
{
    for (struct pair *pair = registry->pairs; pair; pair = pair->next) {
        for (*side = 0; *side < 2; (*side)++) {
            if (!strcmp(pair->names[*side], name)
                && !strcmp(pair->names[!*side], peer)) {
                return pair;
            }
        }
    }
    return NULL;
}

static void
pair_free(struct pair *pair)
{
    mailbox_destroy(pair->inbox[0]);
    mailbox_destroy(pair->inbox[1]);
    free(pair);
}

static struct pair *
make_pair(struct port_registry *registry, const char *name, const char *peer)
{
    struct pair *pair = xzalloc(sizeof *pair);

    for (unsigned int i = 0; i < 2; i++) {
        pair->inbox[i] = mailbox_create(MAILBOX_SIZE);
        if (!pair->inbox[i]) {
            pair_free(pair);
            return NULL;
        }
    }
    strncpy(pair->names[0], name, PORT_NAME_MAX - 1);
    strncpy(pair->names[1], peer, PORT_NAME_MAX - 1);
    pair->next = registry->pairs;
    registry->pairs = pair;
    return pair;
}

int
pair_join(struct port *port, struct pair_end *end, struct str *error)
{
    const char *peer = port_config_get(&port->config, "peer");
    const char *name = port->config.name;
    struct pair *pair;
    unsigned int side;

    if (!peer || !port->registry) {
        str_setf(error, "port '%s': type '%s' needs peer=NAME", name,
                 port->class->type);
        return -EINVAL;
    }
    if (!strcmp(peer, name) || strlen(peer) >= PORT_NAME_MAX) {
        str_setf(error, "port '%s': '%s' cannot be its peer", name, peer);
        return -EINVAL;
    }
    pair = find_pair(port->registry, name, peer, &side);
    if (!pair) {
        side = 0;
        pair = make_pair(port->registry, name, peer);
        if (!pair) {
            str_setf(error, "port '%s': %s", name, strerror(errno));
            return -errno;
        }
    } else if (atomic_load(&pair->is_open[side])) {
        str_setf(error, "port '%s': there is another with peer=%s", name,
                 peer);
        return -EEXIST;
    }
    *end = (struct pair_end) { pair, side };
    atomic_store(&pair->is_open[side], true);
    return 0;
}

void
pair_leave(struct port_registry *registry, struct pair_end *end)
{
    struct pair **p = &registry->pairs;
    struct pair *pair = end->pair;
    struct batch batch = { 0 };

    atomic_store(&pair->is_open[end->side], false);
    end->pair = NULL;
    if (atomic_load(&pair->is_open[!end->side])) {
        /* No worker reads our mailbox any more; we may. */
        while (mailbox_pop(pair->inbox[end->side], &batch)) {
            batch_free_all(&batch);
        }
        return;
    }
    while (*p != pair) {
        p = &(*p)->next;
    }
    *p = pair->next;
    pair_free(pair);
}

bool
pair_is_linked(const struct pair_end *end)
{
    return atomic_load_explicit(&end->pair->is_open[!end->side],
                                memory_order_acquire);
}

struct mailbox *
pair_inbox(const struct pair_end *end)
{
    return end->pair->inbox[end->side];
}

void
pair_tx(struct port *port, const struct pair_end *end, struct batch *batch)
{
    bool linked = pair_is_linked(end);
    _Atomic uint64_t *reason = linked ? &port->counters.tx_full
                                      : &port->counters.tx_link_down;
    unsigned int n = !linked ? 0 : mailbox_push(end->pair->inbox[!end->side],
                                                batch->pkts, batch->n);

    for (; n < batch->n; n++) {
        port_drop_tx(port, batch->pkts[n], reason);
        packet_free(batch->pkts[n]);
    }
}

void
pair_describe(const struct port *port, const struct pair_end *end,
              struct str *s)
{
    str_addf(s, ", peer %s%s", port_config_get(&port->config, "peer"),
             pair_is_linked(end) ? "" : " (not there)");
}
