/* Topology: ports with the same security groups are one class.
 *
 * Flows match a class by its number, and the other end of a connection by that
 * of its own class: rules and members of groups do not multiply, and a port
 * that comes is one more flow for each of its addresses. */
#include <stdlib.h>

#include "controller/topology_impl.h"
#include "intent/security_rule.h"
#include "lib/str.h"

/* The classes that have a group. */
struct security_users {
    unsigned int n;
    struct topology_security **list;
};

/* ---- Classes ---- */

static int
compare_groups(const void *a, const void *b)
{
    const struct intent_security_group *const *x = a, *const *y = b;

    return (*x)->object.id < (*y)->object.id ? -1 : 1;
}

/* Fixed: the id is the same after every restart. */
static uint64_t
class_id(const struct topology_security *security)
{
    static const struct hash_key key = { UINT64_C(0x776566742d736563) };
    uint64_t ids[PORT_MAX_SECURITY_GROUPS];

    for (unsigned int i = 0; i < security->n_groups; i++) {
        ids[i] = security->groups[i]->object.id;
    }
    return hash_bytes(key, ids, security->n_groups * sizeof ids[0]) | 1;
}

static void
add_user(struct topology *t, uint64_t group, struct topology_security *class)
{
    struct security_users *users = id_map_find(&t->by_group, group);

    if (!users) {
        users = xzalloc(sizeof *users);
        id_map_set(&t->by_group, group, users);
    }
    users->list = xrealloc(users->list, (users->n + 1) * sizeof *users->list);
    users->list[users->n++] = class;
}

static void
add_class(struct topology *t, const struct topology_security *draft)
{
    struct topology_security *class = &t->securities[t->n_securities++];

    *class = *draft;
    class->number = numbers_assign(t->numbers->of[NUMBER_SECURITY], class->id);
    class->is_audit = true;
    for (unsigned int i = 0; i < class->n_groups; i++) {
        class->limits_out |= class->groups[i]->out.is_given;
        class->is_audit &= class->groups[i]->is_audit;
        add_user(t, class->groups[i]->object.id, class);
    }
    id_map_set(&t->by_security, class->id, class);
}

static const struct topology_security *
class_of(struct topology *t, const struct intent_port *port)
{
    struct topology_security draft = { .id = 0 };

    for (unsigned int i = 0; i < port->n_security_groups; i++) {
        draft.groups[draft.n_groups++] = intent_security_group_cast(
            intent_find_id(t->intent, port->security_groups[i].id));
    }
    qsort(draft.groups, draft.n_groups, sizeof draft.groups[0],
          compare_groups);
    draft.id = class_id(&draft);
    if (!id_map_find(&t->by_security, draft.id)) {
        add_class(t, &draft);
    }
    return id_map_find(&t->by_security, draft.id);
}

/* ---- The other end ---- */

static void
name_peers(struct topology *t, const struct intent_security_group *group,
           const struct security_rules *rules, bool is_in)
{
    for (unsigned int i = 0; i < rules->n; i++) {
        const struct security_users *users
            = rules->list[i].peer
              ? id_map_find(&t->by_group,
                            group->peers[rules->list[i].peer - 1].id)
              : NULL;

        for (unsigned int k = 0; users && k < users->n; k++) {
            if (is_in) {
                users->list[k]->is_peer_in = true;
            } else {
                users->list[k]->is_peer_out = true;
            }
        }
    }
}

static uint64_t
sign_peers(const struct topology *t, const struct topology_security *class)
{
    struct hash_key key = { 0 };
    uint64_t h = 0;

    for (unsigned int i = 0; i < class->n_groups; i++) {
        const struct intent_security_group *group = class->groups[i];

        for (unsigned int k = 0; k < group->n_peers; k++) {
            const struct topology_security *peer;

            for (unsigned int n = 0; (peer = topology_security_of(
                                          t, group->peers[k].id, n)); n++) {
                h = hash_step(key, h, peer->number);
            }
        }
    }
    return h;
}

void
topology_build_securities(struct topology *t)
{
    unsigned int n_ports = t->n_ports + t->n_aways, n = 0;

    for (unsigned int i = 0; i < n_ports; i++) {
        n += t->ports[i].intent->n_security_groups > 0;
    }
    t->securities = xcalloc(n + 1, sizeof *t->securities);
    for (unsigned int i = 0; i < n_ports; i++) {
        struct topology_port *port = &t->ports[i];

        if (port->intent->n_security_groups) {
            port->security = class_of(t, port->intent);
        }
        if (port->security && !port->host) {
            port->zone = numbers_assign(t->numbers->of[NUMBER_PORT_ZONE],
                                        port->id);
        }
    }
    for (unsigned int i = 0; i < t->n_securities; i++) {
        const struct topology_security *class = &t->securities[i];

        for (unsigned int k = 0; k < class->n_groups; k++) {
            name_peers(t, class->groups[k], &class->groups[k]->in, true);
            name_peers(t, class->groups[k], &class->groups[k]->out, false);
        }
    }
    for (unsigned int i = 0; i < t->n_securities; i++) {
        t->securities[i].peers = sign_peers(t, &t->securities[i]);
    }
}

void
topology_clear_securities(struct topology *t)
{
    struct security_users *users;

    ID_MAP_FOR_EACH (users, &t->by_group) {
        free(users->list);
        free(users);
    }
    id_map_fini(&t->by_group);
    id_map_fini(&t->by_security);
    free(t->securities);
}

/* ---- Changes ---- */

/* What the flows of a port are made of. */
static bool
same_class(const struct topology_security *a,
           const struct topology_security *b)
{
    return a == b
           || (a && b && a->id == b->id && a->number == b->number
               && a->limits_out == b->limits_out && a->is_audit == b->is_audit
               && a->is_peer_in == b->is_peer_in
               && a->is_peer_out == b->is_peer_out);
}

/* A peer is known where its network leads to. */
static bool
same_reach(const struct topology_port *a, const struct topology_port *b)
{
    if (!a->security || (!a->security->is_peer_in
                         && !a->security->is_peer_out)) {
        return true;
    }
    for (unsigned int i = 0; i < MIN(a->n_members, b->n_members); i++) {
        const struct topology_router *x = a->members[i].network->router;
        const struct topology_router *y = b->members[i].network->router;

        if ((x ? x->intent : NULL) != (y ? y->intent : NULL)) {
            return false;
        }
    }
    return true;
}

bool
topology_same_security(const struct topology_port *a,
                       const struct topology_port *b)
{
    return same_class(a->security, b->security) && a->zone == b->zone
           && same_reach(a, b);
}

static bool
same_rules(const struct topology_security *a,
           const struct topology_security *b)
{
    return same_class(a, b) && a->n_groups == b->n_groups
           && !memcmp(a->groups, b->groups,
                      a->n_groups * sizeof a->groups[0])
           && a->peers == b->peers;
}

static void
touch(const struct topology_security *class, struct unit_set *dirty)
{
    unit_set_add(dirty, (struct unit) { class->id, UNIT_SECURITY, 0 });
}

void
topology_compare_securities(const struct topology *was,
                            const struct topology *is, struct unit_set *dirty)
{
    for (unsigned int i = 0; i < is->n_securities; i++) {
        const struct topology_security *class = &is->securities[i];
        const struct topology_security *old = topology_security(was,
                                                                class->id);

        if (!old || !same_rules(old, class)) {
            touch(class, dirty);
        }
    }
    for (unsigned int i = 0; i < was->n_securities; i++) {
        if (!topology_security(is, was->securities[i].id)) {
            touch(&was->securities[i], dirty);
        }
    }
}

static bool
has_class(const void *t, uint64_t id)
{
    return topology_security(t, id) != NULL;
}

static bool
has_zone(const void *t, uint64_t id)
{
    const struct topology_port *port = topology_port(t, id);

    return port && port->security;
}

static bool
leads_out(const void *t, uint64_t id)
{
    const struct topology_network *network = topology_network(t, id);

    return network && network->nat;
}

static bool
is_transit(const void *t, uint64_t id)
{
    const struct topology_uplink *uplink = topology_uplink(t, id);

    return uplink && uplink->nat;
}

void
topology_sweep_numbers(struct topology *t)
{
    if (t->intent) {
        numbers_sweep(t->numbers->of[NUMBER_SECURITY], has_class, t);
        numbers_sweep(t->numbers->of[NUMBER_PORT_ZONE], has_zone, t);
        numbers_sweep(t->numbers->of[NUMBER_NETWORK_ZONE], leads_out, t);
        numbers_sweep(t->numbers->of[NUMBER_UPLINK_ZONE], is_transit, t);
    }
}

/* ---- Look-ups ---- */

const struct topology_security *
topology_security(const struct topology *t, uint64_t id)
{
    return id_map_find(&t->by_security, id);
}

const struct topology_security *
topology_security_of(const struct topology *t, uint64_t group, unsigned int i)
{
    const struct security_users *users = id_map_find(&t->by_group, group);

    return users && i < users->n ? users->list[i] : NULL;
}

const struct topology_network *
topology_reach(const struct topology_network *network, unsigned int i)
{
    const struct topology_router *router = network->router;

    if (!router) {
        return i ? NULL : network;
    }
    return i < router->n_networks ? router->networks[i] : NULL;
}
