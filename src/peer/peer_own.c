#include "peer/peer_own.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/id_map.h"
#include "peer/peer_message.h"

/* One thing that is said, under the id of its object. */
struct said {
    uint64_t id;
    bool is_there;
    char name[INTENT_NAME_MAX];
    struct str bytes;
};

struct peer_own {
    struct id_map ports;
};

struct peer_own *
peer_own_create(void)
{
    struct peer_own *own = xzalloc(sizeof *own);

    id_map_init(&own->ports);
    return own;
}

static void
free_said(struct said *said)
{
    str_fini(&said->bytes);
    free(said);
}

void
peer_own_destroy(struct peer_own *own)
{
    struct said *said;

    if (!own) {
        return;
    }
    ID_MAP_FOR_EACH (said, &own->ports) {
        free_said(said);
    }
    id_map_fini(&own->ports);
    free(own);
}

void
peer_own_begin(struct peer_own *own)
{
    struct said *said;

    ID_MAP_FOR_EACH (said, &own->ports) {
        said->is_there = false;
    }
}

/* Takes the bytes; they are news if they are others. */
static void
say(struct id_map *map, uint64_t id, const char *name, struct str *bytes,
    struct str *news)
{
    struct said *said = id_map_find(map, id);

    if (!said) {
        said = xzalloc(sizeof *said);
        said->id = id;
        snprintf(said->name, sizeof said->name, "%s", name);
        id_map_set(map, id, said);
    }
    said->is_there = true;
    if (said->bytes.len == bytes->len
        && !memcmp(str_text(&said->bytes), str_text(bytes), bytes->len)) {
        str_fini(bytes);
        return;
    }
    str_fini(&said->bytes);
    said->bytes = *bytes;
    str_add_bytes(news, str_text(bytes), bytes->len);
}

void
peer_own_port(struct peer_own *own, const struct controller_own *port,
              struct str *news)
{
    const struct intent_port *intent = port->intent;
    struct peer_message message = { .type = PEER_PORT };
    struct peer_port *said = &message.port;
    struct str bytes = STR_INIT;

    snprintf(said->name, sizeof said->name, "%s", intent->object.name);
    said->mac = intent->mac;
    said->generation = port->generation;
    said->n_security_groups = intent->n_security_groups;
    said->security_groups = xcalloc(said->n_security_groups + 1,
                                    sizeof *said->security_groups);
    for (unsigned int i = 0; i < said->n_security_groups; i++) {
        snprintf(said->security_groups[i], sizeof said->security_groups[i],
                 "%s", intent->security_groups[i].name);
    }
    said->n_members = port->n_members;
    said->networks = xcalloc(port->n_members + 1, sizeof *said->networks);
    said->members = xcalloc(port->n_members + 1, sizeof *said->members);
    for (unsigned int i = 0; i < port->n_members; i++) {
        snprintf(said->networks[i], sizeof said->networks[i], "%s",
                 port->networks[i]->object.name);
        said->members[i] = port->members[i];
    }
    if (!peer_message_encode(&message, &bytes)) {
        say(&own->ports, intent->object.id, intent->object.name, &bytes,
            news);
    }
    peer_message_fini(&message);
}

void
peer_own_end(struct peer_own *own, struct str *news)
{
    uint64_t *gone = xcalloc(own->ports.n + 1, sizeof *gone);
    struct peer_message message = { .type = PEER_GONE };
    unsigned int n = 0;
    struct said *said;

    ID_MAP_FOR_EACH (said, &own->ports) {
        if (!said->is_there) {
            gone[n++] = said->id;
        }
    }
    while (n--) {
        said = id_map_remove(&own->ports, gone[n]);
        snprintf(message.gone, sizeof message.gone, "%s", said->name);
        peer_message_encode(&message, news);
        free_said(said);
    }
    free(gone);
}

void
peer_own_add_all(const struct peer_own *own, struct str *out)
{
    const struct said *said;

    peer_message_encode(&(struct peer_message) { .type = PEER_BEGIN }, out);
    ID_MAP_FOR_EACH (said, &own->ports) {
        str_add_bytes(out, said->bytes.text, said->bytes.len);
    }
    peer_message_encode(&(struct peer_message) { .type = PEER_END }, out);
}
