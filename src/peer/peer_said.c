#include "peer/peer_said.h"

#include <stdlib.h>

#include "controller/id_map.h"

struct port {
    uint64_t id;
    unsigned int round;           /* in which it was said last */
};

struct peer_said {
    struct remote *remote;
    uint64_t host;
    unsigned int round;           /* counts "begin" */
    struct id_map ports;
};

struct peer_said *
peer_said_create(struct remote *remote, uint64_t host)
{
    struct peer_said *s = xzalloc(sizeof *s);

    s->remote = remote;
    s->host = host;
    id_map_init(&s->ports);
    return s;
}

void
peer_said_destroy(struct peer_said *s)
{
    struct port *port;

    if (!s) {
        return;
    }
    ID_MAP_FOR_EACH (port, &s->ports) {
        free(port);
    }
    id_map_fini(&s->ports);
    remote_forget_host(s->remote, s->host);
    free(s);
}

static int
take_port(struct peer_said *s, const struct peer_port *said, bool *is_news)
{
    uint64_t id = intent_object_id(INTENT_PORT, said->name);
    struct port *port = id_map_find(&s->ports, id);
    int err = remote_set_port(s->remote, s->host, &(struct remote_port) {
        id, said->generation, said->n_members, said->members });

    if (err < 0) {
        return err;
    }
    *is_news = err > 0;
    if (!port) {
        port = xzalloc(sizeof *port);
        port->id = id;
        id_map_set(&s->ports, id, port);
    }
    port->round = s->round;
    return 0;
}

static bool
take_gone(struct peer_said *s, uint64_t id)
{
    struct port *port = id_map_remove(&s->ports, id);

    free(port);
    remote_remove_port(s->remote, s->host, id);
    return port != NULL;
}

/* What was not repeated.  True: there was such. */
static bool
take_end(struct peer_said *s)
{
    uint64_t *gone = xcalloc(s->ports.n + 1, sizeof *gone);
    unsigned int n = 0;
    bool is_any;
    struct port *port;

    ID_MAP_FOR_EACH (port, &s->ports) {
        if (port->round != s->round) {
            gone[n++] = port->id;
        }
    }
    is_any = n > 0;
    while (n--) {
        take_gone(s, gone[n]);
    }
    free(gone);
    return is_any;
}

static int
take_listening(struct peer_said *s, const struct peer_listening *said,
               bool *is_news)
{
    int err = remote_set_listening(s->remote, s->host,
                                   &(struct remote_listening) {
        intent_object_id(INTENT_NETWORK, said->network), said->hears_all,
        said->n_groups, said->groups });

    *is_news = err > 0;
    return MIN(err, 0);
}

int
peer_said_take(struct peer_said *s, const struct peer_message *message,
               bool *is_news)
{
    *is_news = false;
    switch (message->type) {
    case PEER_BEGIN:
        s->round++;
        return 0;
    case PEER_PORT:
        return take_port(s, &message->port, is_news);
    case PEER_GONE:
        *is_news = take_gone(s, intent_object_id(INTENT_PORT,
                                                 message->gone));
        return 0;
    case PEER_END:
        *is_news = take_end(s);
        return 0;
    case PEER_LISTENING:
        return take_listening(s, &message->listening, is_news);
    default:
        return 0;
    }
}

unsigned int
peer_said_count(const struct peer_said *s)
{
    return s->ports.n;
}
