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
    struct id_map ports, listening;
};

struct peer_own *
peer_own_create(void)
{
    struct peer_own *own = xzalloc(sizeof *own);

    id_map_init(&own->ports);
    id_map_init(&own->listening);
    return own;
}

static void
free_said(struct said *said)
{
    str_fini(&said->bytes);
    free(said);
}

static void
free_all(struct id_map *map)
{
    struct said *said;

    ID_MAP_FOR_EACH (said, map) {
        free_said(said);
    }
    id_map_fini(map);
}

void
peer_own_destroy(struct peer_own *own)
{
    if (own) {
        free_all(&own->ports);
        free_all(&own->listening);
        free(own);
    }
}

static void
begin(struct id_map *map)
{
    struct said *said;

    ID_MAP_FOR_EACH (said, map) {
        said->is_there = false;
    }
}

void
peer_own_begin(struct peer_own *own)
{
    begin(&own->ports);
}

void
peer_own_begin_listening(struct peer_own *own)
{
    begin(&own->listening);
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
peer_own_listening(struct peer_own *own,
                   const struct controller_listening *listening,
                   struct str *news)
{
    const struct intent_object *network = &listening->network->object;
    struct peer_message message = { .type = PEER_LISTENING };
    struct peer_listening *said = &message.listening;
    struct str bytes = STR_INIT;

    snprintf(said->network, sizeof said->network, "%s", network->name);
    said->hears_all = listening->hears_all;
    said->n_groups = listening->n_groups;
    said->groups = listening->n_groups
                   ? xmemdup(listening->groups, listening->n_groups
                                                * sizeof said->groups[0])
                   : NULL;
    if (!peer_message_encode(&message, &bytes)) {
        say(&own->listening, network->id, network->name, &bytes, news);
    }
    peer_message_fini(&message);
}

/* Whatever was not said again is gone: `take_back` makes the message for it. */
static void
end(struct id_map *map, struct str *news,
    void (*take_back)(const char *name, struct str *news))
{
    uint64_t *gone = xcalloc(map->n + 1, sizeof *gone);
    unsigned int n = 0;
    struct said *said;

    ID_MAP_FOR_EACH (said, map) {
        if (!said->is_there) {
            gone[n++] = said->id;
        }
    }
    while (n--) {
        said = id_map_remove(map, gone[n]);
        take_back(said->name, news);
        free_said(said);
    }
    free(gone);
}

static void
take_port_back(const char *name, struct str *news)
{
    struct peer_message message = { .type = PEER_GONE };

    snprintf(message.gone, sizeof message.gone, "%s", name);
    peer_message_encode(&message, news);
}

static void
take_listening_back(const char *name, struct str *news)
{
    struct peer_message message = { .type = PEER_LISTENING };

    snprintf(message.listening.network, sizeof message.listening.network,
             "%s", name);
    peer_message_encode(&message, news);
}

void
peer_own_end(struct peer_own *own, struct str *news)
{
    end(&own->ports, news, take_port_back);
}

void
peer_own_end_listening(struct peer_own *own, struct str *news)
{
    end(&own->listening, news, take_listening_back);
}

void
peer_own_add_all(const struct peer_own *own, struct str *out)
{
    const struct said *said;

    peer_message_encode(&(struct peer_message) { .type = PEER_BEGIN }, out);
    ID_MAP_FOR_EACH (said, &own->ports) {
        str_add_bytes(out, said->bytes.text, said->bytes.len);
    }
    ID_MAP_FOR_EACH (said, &own->listening) {
        str_add_bytes(out, said->bytes.text, said->bytes.len);
    }
    peer_message_encode(&(struct peer_message) { .type = PEER_END }, out);
}
