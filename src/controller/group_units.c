#include "controller/group_units.h"

/* After more changes than these all groups are looked at, once. */
enum { MAX_FOLLOWED = 64 };

static void
add(struct unit_set *units, const struct multicast_group *group,
    enum unit_kind kind, unsigned int chunk)
{
    unit_set_add(units, (struct unit) { group->id, (uint8_t) kind,
                                        (uint8_t) chunk });
}

/* The member that makes a group big or small again concerns all chunks. */
void
group_units_touch(const struct multicast_group *group, uint64_t port,
                  struct unit_set *units)
{
    bool is_chunked = topology_group_is_chunked(group->n);
    bool was_or_will = topology_group_is_chunked(group->n + 1);

    add(units, group, UNIT_GROUP, 0);
    if (port && is_chunked
        && topology_group_is_chunked(group->n - 1)) {
        add(units, group, UNIT_GROUP_CHUNK,
            (unsigned int) (port % FLOOD_N_CHUNKS));
    } else if (is_chunked || was_or_will || (!group->n && !port)) {
        for (unsigned int i = 0; i < FLOOD_N_CHUNKS; i++) {
            add(units, group, UNIT_GROUP_CHUNK, i);
        }
    }
}

/* 0: of all. */
static void
follow_network(const struct multicast *multicast, uint64_t network,
               struct unit_set *units)
{
    const struct multicast_group *group = NULL;

    while ((group = multicast_next(multicast, group)) != NULL) {
        if (!network || group->network == network) {
            group_units_touch(group, 0, units);
        }
    }
}

static void
follow_port(const struct topology *t, uint64_t id, bool is_one_of_few,
            struct unit_set *units)
{
    const struct multicast *multicast = topology_multicast(t);
    const struct topology_port *port = topology_port(t, id);
    const struct multicast_group *group = NULL;

    while (is_one_of_few
           && (group = multicast_next(multicast, group)) != NULL) {
        if (multicast_hears(group, id)) {
            group_units_touch(group, id, units);
        }
    }
    for (unsigned int i = 0; port && i < port->n_members; i++) {
        uint64_t network = port->members[i].network->id;

        if (multicast_hears_all(multicast, network, id)) {
            unit_set_add(units, (struct unit) { network, UNIT_HEARERS, 0 });
        }
    }
}

void
group_units_hearer(const struct multicast *multicast, uint64_t network,
                   uint64_t port, struct unit_set *units)
{
    const struct multicast_group *group = NULL;

    unit_set_add(units, (struct unit) { network, UNIT_HEARERS, 0 });
    while ((group = multicast_next(multicast, group)) != NULL) {
        if (group->network == network && multicast_hears(group, port)) {
            group_units_touch(group, port, units);
        }
    }
}

void
group_units_follow(const struct topology *t, struct unit_set *units)
{
    unsigned int n = units->n;

    for (unsigned int i = 0; i < n; i++) {
        struct unit unit = units->units[i];

        if (unit.kind == UNIT_PORT) {
            follow_port(t, unit.id, n <= MAX_FOLLOWED, units);
        } else if (unit.kind == UNIT_NETWORK && n <= MAX_FOLLOWED) {
            follow_network(topology_multicast(t), unit.id, units);
        }
    }
    if (n > MAX_FOLLOWED) {
        follow_network(topology_multicast(t), 0, units);
    }
}
