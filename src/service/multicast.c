#include "service/multicast.h"

#include <stdlib.h>

#include "lib/str.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "packet/igmp.h"
#include "packet/mld.h"
#include "service/multicast_impl.h"

const struct multicast_limits multicast_default_limits = {
    .per_port = 128, .per_network = 1024, .rate = 128, .burst = 512,
};

static const char *const names[N_MULTICAST_EVENTS] = {
#define X(ID, NAME, TEXT) [ID] = NAME,
    MULTICAST_EVENTS(X)
#undef X
};

const char *
multicast_event_name(enum multicast_event event)
{
    return names[event];
}

static void
count(struct multicast *m, enum multicast_event event)
{
    atomic_fetch_add_explicit(&m->n_events[event], 1, memory_order_relaxed);
}

/* ---- Networks ---- */

struct multicast_network *
network_find(const struct multicast *m, uint64_t id)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_u64(m->key, id), &m->networks) {
        struct multicast_network *network
            = CONTAINER_OF(node, struct multicast_network, node);

        if (network->config.id == id) {
            return network;
        }
    }
    return NULL;
}

/* Where it is, or should be. */
static unsigned int
port_index(const struct multicast_network *network, uint64_t id)
{
    unsigned int first = 0, end = network->n_ports;

    while (first < end) {
        unsigned int middle = (first + end) / 2;

        if (network->ports[middle].id < id) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static struct multicast_port *
find_port(const struct multicast_network *network, uint64_t id)
{
    unsigned int i = port_index(network, id);

    return i < network->n_ports && network->ports[i].id == id
           ? &network->ports[i] : NULL;
}

struct multicast_port *
network_port(struct multicast_network *network, uint64_t id)
{
    unsigned int i = port_index(network, id);

    if (i < network->n_ports && network->ports[i].id == id) {
        return &network->ports[i];
    }
    if (network->n_ports == network->size) {
        network->size = MAX(8u, 2 * network->size);
        network->ports = xrealloc(network->ports,
                                  network->size * sizeof *network->ports);
    }
    memmove(&network->ports[i + 1], &network->ports[i],
            (network->n_ports - i) * sizeof *network->ports);
    network->n_ports++;
    network->ports[i] = (struct multicast_port) { .id = id,
                                                  .refilled = INT64_MIN };
    return &network->ports[i];
}

/* ---- Groups ---- */

static uint64_t
group_hash(const struct multicast *m, uint64_t network,
           const struct ip6_addr *address)
{
    return hash_step(m->key, hash_bytes(m->key, address, sizeof *address),
                     network);
}

static struct multicast_group *
find_group(const struct multicast *m, uint64_t network,
           const struct ip6_addr *address)
{
    HMAP_FOR_EACH_WITH_HASH (node, group_hash(m, network, address),
                             &m->by_address) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_address);

        if (group->network == network
            && ip6_addr_eq(group->address, *address)) {
            return group;
        }
    }
    return NULL;
}

static struct querier *
querier_of(struct multicast_network *network, const struct ip6_addr *group)
{
    return &network->queriers[!ip6_is_mapped4(group)];
}

static struct multicast_group *
create_group(struct multicast *m, struct multicast_network *network,
             const struct ip6_addr *address, msec now)
{
    struct multicast_group *group = xzalloc(sizeof *group);
    struct querier *querier = querier_of(network, address);

    group->id = ++m->last_id;
    group->network = network->config.id;
    group->address = *address;
    group->next = INT64_MAX;
    hmap_insert(&m->by_address, &group->by_address,
                group_hash(m, group->network, address));
    hmap_insert(&m->by_id, &group->by_id, hash_u64(m->key, group->id));
    querier->n_groups++;
    querier_has_listeners(querier, now);
    return group;
}

static void
free_group(struct multicast *m, struct multicast_group *group)
{
    hmap_remove(&m->by_address, &group->by_address);
    hmap_remove(&m->by_id, &group->by_id);
    free(group->members);
    free(group);
}

static unsigned int
member_index(const struct multicast_group *group, uint64_t port)
{
    unsigned int first = 0, end = group->n;

    while (first < end) {
        unsigned int middle = (first + end) / 2;

        if (group->members[middle].port < port) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static struct multicast_member *
find_member(const struct multicast_group *group, uint64_t port)
{
    unsigned int i = member_index(group, port);

    return i < group->n && group->members[i].port == port
           ? &group->members[i] : NULL;
}

static struct multicast_member *
add_member(struct multicast_group *group, uint64_t port)
{
    unsigned int i = member_index(group, port);

    if (group->n == group->size) {
        group->size = MAX(4u, 2 * group->size);
        group->members = xrealloc(group->members,
                                  group->size * sizeof *group->members);
    }
    memmove(&group->members[i + 1], &group->members[i],
            (group->n - i) * sizeof *group->members);
    group->n++;
    group->members[i] = (struct multicast_member) {
        .port = port, .ask_at = INT64_MAX,
    };
    return &group->members[i];
}

void
group_leave(struct multicast *m, struct multicast_network *network,
            struct multicast_group *group, struct multicast_member *member)
{
    uint64_t port = member->port;
    size_t i = (size_t) (member - group->members);

    memmove(member, member + 1,
            (group->n - i - 1) * sizeof *group->members);
    group->n--;
    find_port(network, port)->n_groups--;
    m->watch.group(m->watch.aux, group, port);
    if (!group->n) {
        querier_of(network, &group->address)->n_groups--;
        free_group(m, group);
    }
}

/* ---- What ports say ---- */

static void
hold(struct multicast_group *group, struct multicast_member *member,
     msec until)
{
    member->expires = until;
    member->ask_at = INT64_MAX;
    group->next = MIN(group->next, until);
}

struct multicast_member *
group_join(struct multicast *m, struct multicast_network *network,
           struct multicast_port *port, const struct ip6_addr *address,
           msec now, struct multicast_group **joined)
{
    struct multicast_group *group = find_group(m, network->config.id,
                                               address);

    if (!group) {
        group = create_group(m, network, address, now);
    }
    port->n_groups++;
    *joined = group;
    return add_member(group, port->id);
}

/* NULL: a limit is reached, and was counted. */
static struct multicast_member *
join(struct multicast *m, struct multicast_network *network,
     struct multicast_port *port, const struct ip6_addr *address, msec now,
     struct multicast_group **joined)
{
    unsigned int n_groups = network->queriers[0].n_groups
                            + network->queriers[1].n_groups;

    if (port->n_groups >= m->limits.per_port) {
        count(m, MULTICAST_PORT_FULL);
        return NULL;
    }
    if (n_groups >= m->limits.per_network
        && !find_group(m, network->config.id, address)) {
        count(m, MULTICAST_NETWORK_FULL);
        return NULL;
    }
    return group_join(m, network, port, address, now, joined);
}

static void
wants(struct multicast *m, struct multicast_network *network,
      struct multicast_port *port, const struct membership_message *said,
      const struct ip6_addr *address, msec now)
{
    struct multicast_group *group = find_group(m, network->config.id,
                                               address);
    struct multicast_member *member
        = group ? find_member(group, port->id) : NULL;
    msec until = now + querier_membership(querier_of(network, address), now);
    bool is_new = !member;

    if (is_new) {
        member = join(m, network, port, address, now, &group);
        if (!member) {
            return;
        }
    }
    hold(group, member, until);
    if (!said->is_ip6 && said->version == 1) {
        member->version1_until = until;
    }
    count(m, is_new ? MULTICAST_JOINED : MULTICAST_STAYED);
    if (is_new) {
        m->watch.group(m->watch.aux, group, port->id);
    }
}

/* `is_sure`: this host hears it no more; else it does, from some sources,
 * maybe. */
static void
leaves(struct multicast *m, struct multicast_network *network,
       const struct multicast_origin *origin, const struct ip6_addr *address,
       bool is_sure, msec now)
{
    struct multicast_group *group = find_group(m, network->config.id,
                                               address);
    struct multicast_member *member
        = group ? find_member(group, origin->port) : NULL;

    if (!member || member->version1_until > now) {
        return;
    }
    if (is_sure && origin->is_single) {
        count(m, MULTICAST_LEFT);
        group_leave(m, network, group, member);
        return;
    }
    count(m, MULTICAST_MAY_LEAVE);
    /* A second leave does not put the end off. */
    if (member->expires > now + ROBUSTNESS * LAST_MEMBER_INTERVAL) {
        member->expires = now + ROBUSTNESS * LAST_MEMBER_INTERVAL;
        member->ask_at = now + LAST_MEMBER_INTERVAL;
        group->next = MIN(group->next, member->ask_at);
        querier_ask(m, network, address, origin->port);
    }
}

static void
hear_record(struct multicast *m, struct multicast_network *network,
            const struct multicast_origin *origin,
            const struct membership_message *said,
            const struct membership_record *record, msec now)
{
    struct multicast_port *port = network_port(network, origin->port);

    if (membership_is_for_all(&record->group)) {
        count(m, MULTICAST_FOR_ALL);
        return;
    }
    switch (record->kind) {
    case IS_EXCLUDE: case TO_EXCLUDE:
        wants(m, network, port, said, &record->group, now);
        return;
    case TO_INCLUDE:
        if (!record->n_sources) {
            leaves(m, network, origin, &record->group, true, now);
            return;
        }
        wants(m, network, port, said, &record->group, now);
        return;
    case IS_INCLUDE: case ALLOW_SOURCES:
        if (record->n_sources) {
            wants(m, network, port, said, &record->group, now);
        }
        return;
    case BLOCK_SOURCES:
        if (record->n_sources) {
            leaves(m, network, origin, &record->group, false, now);
        }
        return;
    }
}

/* A bucket of records; false: it is empty. */
static bool
may_say(const struct multicast_limits *limits, struct multicast_port *port,
        unsigned int n, msec now)
{
    uint64_t full = 1000 * (uint64_t) limits->burst;
    uint64_t cost = 1000 * (uint64_t) MAX(n, 1u);

    if (port->refilled == INT64_MIN) {
        port->tokens = full;
    } else {
        uint64_t more = (uint64_t) MIN(now - port->refilled,
                                       (msec) 1000000) * limits->rate;

        port->tokens = MIN(full, port->tokens + more);
    }
    port->refilled = now;
    if (port->tokens < cost) {
        return false;
    }
    port->tokens -= cost;
    return true;
}

static void
hear_query(struct multicast *m, struct multicast_network *network,
           const struct multicast_origin *origin,
           const struct membership_message *said, const void *frame,
           size_t len, msec now)
{
    const struct multicast_group *group;

    if (said->max_response > QUERY_INTERVAL) {
        count(m, MULTICAST_ODD_QUERY);
        return;
    }
    count(m, MULTICAST_QUERY);
    querier_hear(m, network, origin, said, now);
    if (ip6_addr_is_set(said->group)) {
        group = find_group(m, network->config.id, &said->group);
        if (group) {
            m->watch.pass(m->watch.aux, group, origin->port, frame, len);
        }
    }
}

static int
decode(const void *frame, size_t len, struct membership_message *said)
{
    const uint8_t *eth = frame;

    if (len >= ETH_HEADER_LEN
        && get_be16(eth + 12) == htobe16(ETH_TYPE_IPV6)) {
        return mld_decode(frame, len, said);
    }
    return igmp_decode(frame, len, said);
}

static enum multicast_event
event_of_error(int err)
{
    switch (err) {
    case -EBADMSG: return MULTICAST_MALFORMED;
    case -EILSEQ: return MULTICAST_CHECKSUM;
    case -EXDEV: return MULTICAST_NOT_LOCAL;
    default: return MULTICAST_FOREIGN;
    }
}

void
multicast_hear(struct multicast *m, const struct multicast_origin *origin,
               const void *frame, size_t len, msec now)
{
    struct multicast_network *network = network_find(m, origin->network);
    struct membership_message said;
    struct membership_record record;
    int err;

    if (!network) {
        return;                   /* not snooped any more */
    }
    err = decode(frame, len, &said);
    if (err) {
        count(m, event_of_error(err));
        return;
    }
    if (!origin->is_lan
        && !may_say(&m->limits, network_port(network, origin->port),
                    said.n_records, now)) {
        count(m, MULTICAST_TOO_FAST);
        return;
    }
    if (said.is_query) {
        hear_query(m, network, origin, &said, frame, len, now);
        return;
    }
    if (origin->is_lan) {
        count(m, MULTICAST_OUTSIDE);
        return;
    }
    while (membership_next(&said, &record)) {
        hear_record(m, network, origin, &said, &record, now);
    }
}

/* ---- Time ---- */

static void
run_group(struct multicast *m, struct multicast_network *network,
          struct multicast_group *group, msec now)
{
    msec next = INT64_MAX;

    for (unsigned int i = group->n; i-- > 0;) {
        struct multicast_member *member = &group->members[i];

        if (member->expires <= now) {
            count(m, MULTICAST_EXPIRED);
            if (group->n == 1) {
                group_leave(m, network, group, member);
                return;           /* the group is gone */
            }
            group_leave(m, network, group, member);
            continue;
        }
        if (member->ask_at <= now) {
            member->ask_at = INT64_MAX;
            querier_ask(m, network, &group->address, member->port);
        }
        next = MIN(next, MIN(member->expires, member->ask_at));
    }
    group->next = next;
}

msec
multicast_run(struct multicast *m, msec now)
{
    msec next = INT64_MAX;

    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);

        if (group->next <= now) {
            run_group(m, network_find(m, group->network), group, now);
        }
    }
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        next = MIN(next, CONTAINER_OF(node, struct multicast_group,
                                      by_id)->next);
    }
    HMAP_FOR_EACH_SAFE (node, &m->networks) {
        msec at = querier_run(m, CONTAINER_OF(node, struct multicast_network,
                                              node), now);

        next = MIN(next, at);
    }
    return next;
}

void
multicast_adopt(struct multicast *m, uint64_t network_id, uint64_t port_id,
                const struct ip6_addr *address, msec now)
{
    struct multicast_network *network = network_find(m, network_id);
    struct multicast_group *group;
    struct multicast_port *port;
    struct multicast_member *member;

    if (!network) {
        return;
    }
    port = network_port(network, port_id);
    if (!address) {
        port->router_until = MAX(port->router_until, now + ASKED_AFTER);
        m->watch.hearer(m->watch.aux, network_id, port_id);
        return;
    }
    group = find_group(m, network_id, address);
    if (group && find_member(group, port_id)) {
        return;
    }
    member = join(m, network, port, address, now, &group);
    if (member) {
        hold(group, member, now + ASKED_AFTER);
        m->watch.group(m->watch.aux, group, port_id);
    }
}

void
multicast_resume(struct multicast *m, msec now)
{
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);

        for (unsigned int i = 0; i < group->n; i++) {
            group->members[i].expires = MAX(group->members[i].expires,
                                            now + ASKED_AFTER);
        }
    }
    HMAP_FOR_EACH_SAFE (node, &m->networks) {
        struct multicast_network *network
            = CONTAINER_OF(node, struct multicast_network, node);

        for (unsigned int i = 0; i < 2; i++) {
            network->queriers[i].n_startup = ROBUSTNESS;
            network->queriers[i].next = now;
        }
    }
}

/* ---- Making and ending ---- */

struct multicast *
multicast_create(const struct multicast_limits *limits,
                 const struct multicast_watch *watch)
{
    struct multicast *m = xzalloc(sizeof *m);

    m->limits = *limits;
    m->watch = *watch;
    m->key = hash_key_random();
    return m;
}

static void
free_network(struct multicast *m, struct multicast_network *network)
{
    hmap_remove(&m->networks, &network->node);
    free(network->ports);
    free(network);
}

void
multicast_destroy(struct multicast *m)
{
    if (!m) {
        return;
    }
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        free_group(m, CONTAINER_OF(node, struct multicast_group, by_id));
    }
    HMAP_FOR_EACH_SAFE (node, &m->networks) {
        free_network(m, CONTAINER_OF(node, struct multicast_network, node));
    }
    hmap_fini(&m->networks);
    hmap_fini(&m->by_address);
    hmap_fini(&m->by_id);
    free(m);
}

void
multicast_set_network(struct multicast *m,
                      const struct multicast_network_config *config, msec now)
{
    struct multicast_network *network = network_find(m, config->id);

    if (!network) {
        network = xzalloc(sizeof *network);
        querier_init(&network->queriers[0], now);
        querier_init(&network->queriers[1], now);
        hmap_insert(&m->networks, &network->node,
                    hash_u64(m->key, config->id));
    }
    network->config = *config;
}

void
multicast_remove_network(struct multicast *m, uint64_t id)
{
    struct multicast_network *network = network_find(m, id);

    if (!network) {
        return;
    }
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);

        if (group->network == id) {
            group->n = 0;
            m->watch.group(m->watch.aux, group, 0);
            free_group(m, group);
        }
    }
    free_network(m, network);
}

void
multicast_remove_port(struct multicast *m, uint64_t network_id,
                      uint64_t port_id)
{
    struct multicast_network *network = network_find(m, network_id);
    struct multicast_port *port = network ? find_port(network, port_id)
                                          : NULL;
    bool hears_all;

    if (!port) {
        return;
    }
    hears_all = port_hears_all(port);
    HMAP_FOR_EACH_SAFE (node, &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);
        struct multicast_member *member
            = group->network == network_id ? find_member(group, port_id)
                                           : NULL;

        if (member) {
            count(m, MULTICAST_LEFT);
            group_leave(m, network, group, member);
        }
    }
    memmove(port, port + 1,
            (size_t) (&network->ports[network->n_ports] - port - 1)
            * sizeof *port);
    network->n_ports--;
    if (hears_all) {
        m->watch.hearer(m->watch.aux, network_id, port_id);
    }
}

void
multicast_add_port(struct multicast *m, uint64_t network_id,
                   uint64_t port_id, bool is_asked, msec now)
{
    struct multicast_network *network = network_find(m, network_id);
    struct multicast_port *port;

    if (!network) {
        return;
    }
    port = network_port(network, port_id);
    port->new_until = now + NEW_UNTIL;
    m->watch.hearer(m->watch.aux, network_id, port_id);
    if (!is_asked) {
        querier_ask_all(m, network, port_id);
    }
}

void
multicast_ask(struct multicast *m, uint64_t network_id)
{
    const struct multicast_network *network = network_find(m, network_id);

    if (network) {
        querier_ask_all(m, network, 0);
    }
}

/* ---- What is so ---- */

bool
multicast_is_snooped(const struct multicast *m, uint64_t network)
{
    return network_find(m, network);
}

bool
multicast_hears(const struct multicast_group *group, uint64_t port)
{
    return find_member(group, port);
}

const struct multicast_group *
multicast_find(const struct multicast *m, uint64_t network,
               const struct ip6_addr *address)
{
    return find_group(m, network, address);
}

const struct multicast_group *
multicast_by_id(const struct multicast *m, uint64_t id)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash_u64(m->key, id), &m->by_id) {
        struct multicast_group *group
            = CONTAINER_OF(node, struct multicast_group, by_id);

        if (group->id == id) {
            return group;
        }
    }
    return NULL;
}

const struct multicast_group *
multicast_next(const struct multicast *m, const struct multicast_group *group)
{
    struct hmap_node *node = hmap_next(&m->by_id,
                                       group ? &group->by_id : NULL);

    return node ? CONTAINER_OF(node, struct multicast_group, by_id) : NULL;
}

bool
multicast_hears_all(const struct multicast *m, uint64_t network_id,
                    uint64_t port_id)
{
    const struct multicast_network *network = network_find(m, network_id);
    const struct multicast_port *port = network ? find_port(network, port_id)
                                                : NULL;

    return port && port_hears_all(port);
}

bool
multicast_next_hearer(const struct multicast *m, uint64_t network_id,
                      unsigned int *i, struct multicast_hearer *hearer)
{
    const struct multicast_network *network = network_find(m, network_id);

    while (network && *i < network->n_ports) {
        const struct multicast_port *port = &network->ports[(*i)++];

        if (port_hears_all(port)) {
            *hearer = (struct multicast_hearer) { port->id,
                                                  port->router_until };
            return true;
        }
    }
    return false;
}

uint64_t
multicast_count(const struct multicast *m, enum multicast_event event)
{
    return atomic_load_explicit(&m->n_events[event], memory_order_relaxed);
}
