/* The controller among others: what other hosts say, and what it says to them. */
#include <stdlib.h>

#include "controller/controller_impl.h"
#include "lib/clock.h"
#include "lib/str.h"

/* How long what is said is gathered (msec): a little, so that a port that moves
 * is reached at once; while everybody speaks at once, so long that most of the
 * time is left for other things. */
enum { GATHER_MIN = 5, GATHER_FACTOR = 5 };

struct remote *
controller_remote(struct controller *c)
{
    return c->remote;
}

static void
on_heard(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    msec began = clock_msec();

    controller_rebuild(c);
    c->rebuild_took = clock_msec() - began;
}

void
controller_heard(struct controller *c)
{
    if (!uv_is_active((const uv_handle_t *) c->heard)) {
        uv_update_time(c->config.loop);
        uv_timer_start(c->heard, on_heard,
                       (uint64_t) MAX(GATHER_FACTOR * c->rebuild_took,
                                      (msec) GATHER_MIN), 0);
    }
}

void
controller_say_own_changed(const struct controller *c)
{
    if (c->config.own_changed) {
        c->config.own_changed(c->config.aux);
    }
}

/* ---- What we say ---- */

static void
add_member(struct controller_own *own, const struct intent_network **networks,
           struct remote_member *members,
           const struct topology_member *member)
{
    struct remote_member *said = &members[own->n_members];

    networks[own->n_members++] = member->network->intent;
    *said = (struct remote_member) {
        .network = member->network->id, .address = member->address,
    };
    for (unsigned int i = member->n_planned6;
         i < member->n_addresses6
         && said->n_addresses6 < REMOTE_MAX_ADDRESSES6; i++) {
        said->addresses6[said->n_addresses6++] = member->addresses6[i];
    }
}

void
controller_visit_own(const struct controller *c,
                     void (*visit)(void *aux, const struct controller_own *),
                     void *aux)
{
    const struct intent *intent = topology_intent(c->topology);
    const struct intent_network **networks;
    struct remote_member *members;

    if (!intent || !c->config.host) {
        return;
    }
    members = xcalloc(REMOTE_MAX_MEMBERS, sizeof *members);
    networks = xcalloc(REMOTE_MAX_MEMBERS, sizeof *networks);
    INTENT_FOR_EACH_PORT (said, intent) {
        const struct topology_port *port = topology_port(c->topology,
                                                         said->object.id);
        struct controller_own own = {
            .intent = said, .networks = networks, .members = members,
            .generation = placement_generation(c->placement,
                                               said->object.id),
        };

        for (unsigned int i = 0; own.generation && port
                                 && i < port->n_members; i++) {
            if (topology_is_overlay(port->members[i].network)
                && own.n_members < REMOTE_MAX_MEMBERS) {
                add_member(&own, networks, members, &port->members[i]);
            }
        }
        if (own.generation) {
            visit(aux, &own);
        }
    }
    free(members);
    free(networks);
}
