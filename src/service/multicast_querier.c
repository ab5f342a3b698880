#include "packet/address.h"
#include "service/multicast_impl.h"

void
querier_init(struct querier *q, msec now)
{
    *q = (struct querier) {
        /* Ports are asked as they come; once more, for what was lost. */
        .interval = QUERY_INTERVAL, .next = now + STARTUP_INTERVAL,
        .n_startup = ROBUSTNESS - 1,
    };
}

void
querier_has_listeners(struct querier *q, msec now)
{
    if (q->next == INT64_MAX) {
        q->next = now + QUERY_INTERVAL;
    }
}

msec
querier_membership(const struct querier *q, msec now)
{
    msec interval = q->other_until > now ? q->interval : QUERY_INTERVAL;

    return ROBUSTNESS * interval + QUERY_RESPONSE;
}

/* All zero: we have none. */
static struct ip6_addr
own_address(const struct multicast_network *network, bool is_ip6)
{
    const struct multicast_network_config *config = &network->config;

    if (is_ip6) {
        return config->link_local;
    }
    return config->address ? ip6_of_ip4(config->address)
                           : (struct ip6_addr) { { 0 } };
}

static bool
is_lower(const struct ip6_addr *a, const struct ip6_addr *b)
{
    return memcmp(a, b, sizeof *a) < 0;
}

static void
elect(struct multicast_network *network,
      const struct multicast_origin *origin,
      const struct membership_message *said, msec now)
{
    struct querier *q = &network->queriers[said->is_ip6];
    struct ip6_addr own = own_address(network, said->is_ip6);

    if (!origin->is_lan && ip6_addr_is_set(own)
        && !is_lower(&said->src, &own)) {
        return;
    }
    if (q->other_until > now && is_lower(&q->other, &said->src)) {
        return;
    }
    q->other = said->src;
    q->other_until = now + OTHER_PRESENT;
    q->interval = QUERY_INTERVAL;
    /* A guest does not decide how soon others' memberships expire. */
    if (origin->is_lan && 1000 * (msec) said->interval > q->interval) {
        q->interval = MIN(1000 * (msec) said->interval, (msec) MAX_INTERVAL);
        q->other_until = now + ROBUSTNESS * q->interval
                         + QUERY_RESPONSE / 2;
    }
}

/* Who has no address asks on behalf of somebody else (RFC 4541, 2.1.1). */
void
querier_hear(struct multicast *m, struct multicast_network *network,
             const struct multicast_origin *origin,
             const struct membership_message *said, msec now)
{
    struct multicast_port *port;
    bool is_new;

    if (!ip6_addr_is_set(said->src)) {
        return;
    }
    elect(network, origin, said, now);
    port = network_port(network, origin->port);
    is_new = !port->router_until;
    port->router_until = now + OTHER_PRESENT;
    if (is_new) {
        m->watch.hearer(m->watch.aux, network->config.id, port->id);
    }
}

static void
send(struct multicast *m, const struct multicast_network *network,
     const struct ip6_addr *group, bool is_ip6, uint64_t port,
     msec max_response)
{
    static const struct ip6_addr all;
    struct membership_query query = {
        .mac = network->config.mac,
        .src = is_ip6 ? network->config.link_local
                      : ip6_of_ip4(network->config.address),
        .group = group ? *group : is_ip6 ? all : ip6_of_ip4(0),
        .max_response = max_response,
        .interval = QUERY_INTERVAL / 1000, .robustness = ROBUSTNESS,
    };

    m->watch.ask(m->watch.aux, network->config.id, port, &query);
}

void
querier_ask(struct multicast *m, const struct multicast_network *network,
            const struct ip6_addr *group, uint64_t port)
{
    send(m, network, group, !ip6_is_mapped4(group), port,
         LAST_MEMBER_INTERVAL);
}

void
querier_ask_all(struct multicast *m, const struct multicast_network *network,
                uint64_t port)
{
    send(m, network, NULL, false, port, NEW_RESPONSE);
    send(m, network, NULL, true, port, NEW_RESPONSE);
}

static msec
run_family(struct multicast *m, struct multicast_network *network,
           bool is_ip6, msec now)
{
    struct querier *q = &network->queriers[is_ip6];

    if (!q->n_groups && !q->n_startup) {
        q->next = INT64_MAX;
    }
    if (q->next > now) {
        return q->next;
    }
    if (q->n_startup || q->other_until <= now) {
        send(m, network, NULL, is_ip6, 0, QUERY_RESPONSE);
    }
    q->n_startup -= q->n_startup > 0;
    q->next = now + (q->n_startup ? STARTUP_INTERVAL : QUERY_INTERVAL);
    return q->next;
}

/* True: it was the last moment. */
static bool
is_over(msec *until, msec now, msec *next)
{
    if (!*until) {
        return false;
    }
    if (*until > now) {
        *next = MIN(*next, *until);
        return false;
    }
    *until = 0;
    return true;
}

/* A router that has not asked for long is none; a new port is not new for
 * ever. */
static msec
run_hearers(struct multicast *m, struct multicast_network *network, msec now)
{
    msec next = INT64_MAX;

    for (unsigned int i = 0; i < network->n_ports; i++) {
        struct multicast_port *port = &network->ports[i];
        bool was_router = is_over(&port->router_until, now, &next);
        bool was_new = is_over(&port->new_until, now, &next);

        if (was_router || was_new) {
            m->watch.hearer(m->watch.aux, network->config.id, port->id);
        }
    }
    return next;
}

msec
querier_run(struct multicast *m, struct multicast_network *network, msec now)
{
    msec next = run_hearers(m, network, now);

    for (unsigned int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        msec at = run_family(m, network, is_ip6, now);

        next = MIN(next, at);
    }
    return next;
}
