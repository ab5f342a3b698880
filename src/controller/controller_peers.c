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

    if (!c->are_ports_heard) {
        topology_follow_listening(c->topology, &c->dirty);
        serve_multicast_follow_hosts(c->multicast);
        controller_schedule(c);
        return;
    }
    c->are_ports_heard = false;
    controller_rebuild(c);
    c->rebuild_took = clock_msec() - began;
}

void
controller_heard(struct controller *c)
{
    c->are_ports_heard = true;
    controller_heard_listening(c);
}

void
controller_heard_listening(struct controller *c)
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

void
controller_say_listening_changed(const struct controller *c)
{
    if (c->config.listening_changed) {
        c->config.listening_changed(c->config.aux);
    }
}

/* ---- What we say ---- */

/* Ports of ours that hear all, or the LAN. */
static bool
hears_all(const struct controller *c, const struct topology_network *network)
{
    const struct multicast *multicast = topology_multicast(c->topology);
    struct multicast_hearer hearer;
    unsigned int i = 0;

    return network->uplink || !multicast_is_snooped(multicast, network->id)
           || multicast_next_hearer(multicast, network->id, &i, &hearer);
}

/* Is it heard by a port of ours? */
static bool
is_heard_here(const struct controller *c, const struct multicast_group *group)
{
    for (unsigned int i = 0; i < group->n; i++) {
        if (topology_member_of(c->topology, group->network,
                               group->members[i].port)) {
            return true;
        }
    }
    return false;
}

static int
compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip6_addr));
}

void
controller_visit_listening(const struct controller *c,
                           void (*visit)(void *aux,
                                         const struct controller_listening *),
                           void *aux)
{
    const struct multicast *multicast = topology_multicast(c->topology);
    const struct intent *intent = topology_intent(c->topology);
    struct ip6_addr *groups;

    if (!intent) {
        return;
    }
    groups = xcalloc(REMOTE_MAX_GROUPS, sizeof *groups);
    INTENT_FOR_EACH_NETWORK (said, intent) {
        const struct topology_network *network
            = topology_network(c->topology, said->object.id);
        const struct multicast_group *group = NULL;
        struct controller_listening own = { .network = said,
                                            .groups = groups };

        if (!topology_concerns_us(network)) {
            continue;
        }
        own.hears_all = hears_all(c, network);
        while ((group = multicast_next(multicast, group)) != NULL
               && own.n_groups < REMOTE_MAX_GROUPS) {
            if (group->network == network->id && is_heard_here(c, group)) {
                groups[own.n_groups++] = group->address;
            }
        }
        qsort(groups, own.n_groups, sizeof *groups, compare_addresses);
        visit(aux, &own);
    }
    free(groups);
}

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
