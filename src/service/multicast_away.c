/* Multicast: listeners that are not heard, but told of. */
#include <stdlib.h>

#include "lib/str.h"
#include "service/multicast_impl.h"

/* In order of bytes. */
static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip6_addr));
}

static struct multicast_member *
find_member(const struct multicast_group *group, uint64_t port)
{
    for (unsigned int i = 0; i < group->n; i++) {
        if (group->members[i].port == port) {
            return &group->members[i];
        }
    }
    return NULL;
}

static void
drop_others(struct multicast *m, struct multicast_network *network,
            uint64_t away, const struct ip6_addr *groups, unsigned int n)
{
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);
        struct multicast_member *member
            = group->network == network->config.id ? find_member(group, away)
                                                   : NULL;

        if (member && !bsearch(&group->address, groups, n, sizeof *groups,
                               compare)) {
            group_leave(m, network, group, member);
        }
    }
}

static void
add_one(struct multicast *m, struct multicast_network *network,
        uint64_t away, const struct ip6_addr *address, msec now)
{
    struct multicast_port *port = network_port(network, away);
    const struct multicast_group *there = multicast_find(
        m, network->config.id, address);
    struct multicast_group *group;
    struct multicast_member *member;

    if (there && multicast_hears(there, away)) {
        return;
    }
    member = group_join(m, network, port, address, now, &group);
    member->expires = INT64_MAX;
    m->watch.group(m->watch.aux, group, away);
}

void
multicast_set_away(struct multicast *m, uint64_t network_id, uint64_t away,
                   const struct ip6_addr *groups, unsigned int n, msec now)
{
    struct multicast_network *network = network_find(m, network_id);
    struct ip6_addr *sorted;

    /* Most hosts listen to nothing, before and after. */
    if (!network || (!n && !network_port(network, away)->n_groups)) {
        return;
    }
    sorted = xcalloc(n + 1, sizeof *sorted);
    if (n) {
        memcpy(sorted, groups, n * sizeof *sorted);
    }
    qsort(sorted, n, sizeof *sorted, compare);
    drop_others(m, network, away, sorted, n);
    for (unsigned int i = 0; i < n; i++) {
        add_one(m, network, away, &sorted[i], now);
    }
    free(sorted);
}
