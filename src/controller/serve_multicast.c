#include "controller/serve_multicast.h"

#include <stdlib.h>

#include "controller/group_units.h"
#include "controller/stage_multicast.h"
#include "lib/clock.h"
#include "packet/address.h"
#include "packet/igmp.h"
#include "packet/mld.h"

/* msec: between two looks at all groups, and until the first after a packet,
 * which may be due no sooner (LAST_MEMBER_INTERVAL). */
enum { MIN_PAUSE = 100, LOOK_AFTER = 1000 };

/* Of more changes than these at once no port is asked by itself. */
enum { MAX_ASKED = 64 };

/* So many ports are asked in a turn of the loop. */
enum { BATCH = 256, BATCH_PAUSE = 5 };

/* A question to all of a network that is on its way. */
struct asking {
    struct asking *next;
    uint64_t network;
    unsigned int n_asked;         /* of its members */
    size_t len;
    uint8_t frame[MEMBERSHIP_QUERY_MAX];
};

struct serve_multicast {
    const struct service_host *host;      /* NULL: not open yet */
    struct multicast *multicast;
    struct id_map networks;       /* that are snooped, by id; any value */
    struct id_map ports;          /* places of those that are there, by id */
    struct id_map adopted;        /* networks whose listeners were read back;
                                     any value */
    struct asking *asking;        /* first in, first out */
    uv_timer_t *timer;
    bool is_ready;                /* the switch is there */
    bool is_adopted;              /* what it had, once, is known */
    msec next;                    /* the state wants to run */
};

/* ---- What the state tells ---- */

static void
on_group(void *aux, const struct multicast_group *group, uint64_t port)
{
    const struct serve_multicast *s = aux;

    group_units_touch(group, port, s->host->dirty);
    s->host->touched(s->host->aux);
}

static void
on_hearer(void *aux, uint64_t network, uint64_t port)
{
    const struct serve_multicast *s = aux;

    group_units_hearer(s->multicast, network, port, s->host->dirty);
    s->host->touched(s->host->aux);
}

static void run(struct serve_multicast *, msec at);

static void
on_ask(void *aux, uint64_t network, uint64_t port,
       const struct membership_query *query)
{
    struct serve_multicast *s = aux;
    struct asking *asking = xzalloc(sizeof *asking), **last = &s->asking;

    asking->network = network;
    asking->len = ip6_is_mapped4(&query->src)
                  ? igmp_encode_query(query, asking->frame)
                  : mld_encode_query(query, asking->frame);
    if (port) {
        const struct topology_member *member = topology_member_of(
            s->host->topology, network, port);

        if (member) {
            service_send(s->host, member, asking->frame, asking->len);
        }
        free(asking);
        return;
    }
    while (*last) {
        last = &(*last)->next;
    }
    *last = asking;
}

/* Who asked does not hear itself, nor does another isolated port. */
static void
on_pass(void *aux, const struct multicast_group *group, uint64_t from,
        const void *frame, size_t len)
{
    const struct serve_multicast *s = aux;
    const struct topology_port *sender = topology_port(s->host->topology,
                                                       from);
    bool is_isolated = sender && sender->intent->is_isolated;

    for (unsigned int i = 0; i < group->n; i++) {
        const struct topology_member *member = topology_member_of(
            s->host->topology, group->network, group->members[i].port);

        if (member && member->port->id != from
            && !(is_isolated && member->port->intent->is_isolated)) {
            service_send(s->host, member, frame, len);
        }
    }
}

/* ---- Time ---- */

/* True: all were told. */
static bool
ask_some(struct serve_multicast *s, struct asking *asking)
{
    const struct topology_network *network
        = topology_network(s->host->topology, asking->network);

    for (unsigned int n = 0;
         network && asking->n_asked < network->n_members;
         asking->n_asked++) {
        const struct topology_member *member
            = network->members[asking->n_asked];

        if (!member->port->number) {
            continue;
        }
        if (n++ == BATCH) {
            return false;
        }
        service_send(s->host, member, asking->frame, asking->len);
    }
    return true;
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_multicast *s = timer->data;
    msec now = clock_msec();

    if (s->next <= now) {
        s->next = multicast_run(s->multicast, now);
    }
    if (s->asking && ask_some(s, s->asking)) {
        struct asking *done = s->asking;

        s->asking = done->next;
        free(done);
    }
    run(s, s->next);
}

/* At `at`, but not too often; sooner when somebody is to be asked. */
static void
run(struct serve_multicast *s, msec at)
{
    msec now = clock_msec();
    msec wait = MAX(at - now, (msec) MIN_PAUSE);

    s->next = at;
    if (!s->is_ready || (at == INT64_MAX && !s->asking)) {
        uv_timer_stop(s->timer);
        return;
    }
    uv_update_time(s->timer->loop);
    uv_timer_start(s->timer, on_timer,
                   (uint64_t) (s->asking ? BATCH_PAUSE : wait), 0);
}

/* Much may have happened: when is the state to run? */
static void
look_again(struct serve_multicast *s)
{
    if (s->is_ready) {
        run(s, multicast_run(s->multicast, clock_msec()));
    }
}

/* ---- Packets ---- */

/* Nested guests have MACs of their own. */
static bool
is_single(const struct intent_port *port)
{
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac) {
            return false;
        }
    }
    return !port->is_spoof_ok;
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_multicast *s = aux;
    msec now = clock_msec();
    struct multicast_origin origin = {
        .network = in->network->id,
        .port = in->member ? in->member->port->id : in->network->uplink->id,
        .is_single = in->member && is_single(in->member->port->intent),
        .is_lan = !in->member,
    };

    multicast_hear(s->multicast, &origin, in->frame, in->len, now);
    run(s, MIN(s->next, now + LOOK_AFTER));
}

/* ---- Intents and units ---- */

static void
forget_gone(struct serve_multicast *s)
{
    uint64_t *gone = xcalloc(s->networks.n + 1, sizeof *gone);
    unsigned int n = 0;

    for (unsigned int i = 0; i < s->networks.size; i++) {
        const struct id_slot *slot = &s->networks.slots[i];
        const struct topology_network *network
            = slot->value ? topology_network(s->host->topology, slot->id)
                          : NULL;

        if (slot->value
            && (!network
                || network->intent->multicast != MULTICAST_SNOOP)) {
            gone[n++] = slot->id;
        }
    }
    while (n > 0) {
        id_map_remove(&s->networks, gone[--n]);
        multicast_remove_network(s->multicast, gone[n]);
    }
    free(gone);
}

static void
follow_host(struct serve_multicast *s, const struct topology_network *network,
            const struct topology_host *host, msec now)
{
    const struct remote *remote = topology_remote(s->host->topology);
    const struct network_host *row = topology_network_host(network, host->id);
    const struct remote_listening *said
        = row && topology_is_listened(network)
          ? remote_listening(remote, host->id, network->id) : NULL;

    multicast_set_away(s->multicast, network->id, host->id,
                       said ? said->groups : NULL, said ? said->n_groups : 0,
                       now);
}

void
serve_multicast_follow_hosts(struct serve_multicast *s)
{
    unsigned int n_hosts;
    const struct topology_host *hosts = topology_hosts(s->host->topology,
                                                       &n_hosts);
    msec now = clock_msec();

    if (!topology_remote(s->host->topology)) {
        return;
    }
    for (unsigned int i = 0; i < s->networks.size; i++) {
        const struct topology_network *network
            = s->networks.slots[i].value
              ? topology_network(s->host->topology, s->networks.slots[i].id)
              : NULL;

        for (unsigned int k = 0; network && topology_is_overlay(network)
                                 && k < n_hosts; k++) {
            if (!hosts[k].is_here) {
                follow_host(s, network, &hosts[k], now);
            }
        }
    }
    look_again(s);
}

void
serve_multicast_changed(struct serve_multicast *s)
{
    const struct intent *intent = topology_intent(s->host->topology);
    msec now = clock_msec();

    forget_gone(s);
    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (network, intent) {
        struct multicast_network_config config = {
            .id = network->object.id, .mac = network->gateway_mac,
            .address = network->gateway,
            .link_local = topology_link_local(network->gateway_mac),
        };

        if (network->multicast == MULTICAST_SNOOP) {
            multicast_set_network(s->multicast, &config, now);
            id_map_set(&s->networks, config.id, s);
        }
    }
    serve_multicast_follow_hosts(s);
    look_again(s);
}

/* A port that is not there any more hears nothing. */
static void
forget_port(struct serve_multicast *s, uint64_t port)
{
    for (unsigned int i = 0; i < s->networks.size; i++) {
        const struct id_slot *slot = &s->networks.slots[i];

        if (slot->value && !topology_member_of(s->host->topology, slot->id,
                                               port)) {
            multicast_remove_port(s->multicast, slot->id, port);
        }
    }
}

/* Which port of the switch it is, and in which networks; 0: none. */
static uintptr_t
place_of(const struct topology_port *port)
{
    uintptr_t place = port->number;

    for (unsigned int i = 0; port->number && i < port->n_members; i++) {
        place = place * 31 + (uintptr_t) port->members[i].network->id;
    }
    return place;
}

/* A port that has come: it may have had listeners for long.  False: it is
 * there as it was. */
static bool
has_come(struct serve_multicast *s, const struct topology_port *port)
{
    uintptr_t place = place_of(port);

    if ((uintptr_t) id_map_find(&s->ports, port->id) == place) {
        return false;
    }
    if (!place) {
        id_map_remove(&s->ports, port->id);
        return false;
    }
    id_map_set(&s->ports, port->id, (void *) place);
    return true;
}

static void
add_port(struct serve_multicast *s, const struct topology_port *port,
         bool is_asked, msec now)
{
    for (unsigned int i = 0; i < port->n_members; i++) {
        uint64_t network = port->members[i].network->id;

        if (!id_map_find(&s->adopted, network)) {
            multicast_add_port(s->multicast, network, port->id, is_asked,
                               now);
        }
    }
}

/* With many at once, all are asked at once. */
static void
ask_everybody(struct serve_multicast *s)
{
    for (unsigned int i = 0; i < s->networks.size; i++) {
        if (s->networks.slots[i].value) {
            multicast_ask(s->multicast, s->networks.slots[i].id);
        }
    }
}

static void
follow_ports(struct serve_multicast *s, const struct unit_set *units)
{
    unsigned int n = units->n, n_come = 0;
    bool is_asked = n > MAX_ASKED;

    for (unsigned int i = 0; i < n; i++) {
        struct unit unit = units->units[i];
        const struct topology_port *port
            = unit.kind == UNIT_PORT ? topology_port(s->host->topology,
                                                     unit.id) : NULL;

        if (unit.kind == UNIT_PORT) {
            forget_port(s, unit.id);
        }
        if (unit.kind == UNIT_PORT && !port) {
            id_map_remove(&s->ports, unit.id);
        }
        if (port && has_come(s, port)) {
            add_port(s, port, is_asked, clock_msec());
            n_come++;
        }
    }
    if (n_come && is_asked) {
        ask_everybody(s);
    }
    if (n_come) {
        look_again(s);
    }
}

void
serve_multicast_follow(struct serve_multicast *s)
{
    if (s->is_ready) {
        follow_ports(s, s->host->dirty);
        id_map_fini(&s->adopted);
        id_map_init(&s->adopted);
    }
    group_units_follow(s->host->topology, s->host->dirty);
}

/* ---- The switch ---- */

struct adoption {
    struct serve_multicast *s;
    struct multicast_rule rule;
    msec now;
};

static void
adopt_port(void *aux, uint32_t number)
{
    struct adoption *a = aux;
    const struct topology_member *member = topology_member(
        a->s->host->topology, a->rule.network, number);

    if (!member) {
        return;
    }
    if (a->rule.kind == RULE_HEARERS) {
        multicast_add_port(a->s->multicast, a->rule.network,
                           member->port->id, true, a->now);
    } else {
        multicast_adopt(a->s->multicast, a->rule.network, member->port->id,
                        a->rule.kind == RULE_GROUP ? &a->rule.group : NULL,
                        a->now);
    }
}

void
serve_multicast_ready(struct serve_multicast *s, const struct flow_set *flows)
{
    struct adoption adoption = { .s = s, .now = clock_msec() };
    struct flow_rule *rule;

    if (!s->is_adopted) {
        FLOW_SET_FOR_EACH (rule, flows) {
            if (stage_multicast_read(rule, &adoption.rule)) {
                id_map_set(&s->adopted, adoption.rule.network, s);
                stage_multicast_visit_ports(rule, adopt_port, &adoption);
            }
        }
    }
    if (!s->is_ready) {
        multicast_resume(s->multicast, adoption.now);
    }
    s->is_ready = s->is_adopted = true;
    look_again(s);
}

void
serve_multicast_lost(struct serve_multicast *s)
{
    s->is_ready = false;
    uv_timer_stop(s->timer);
}

/* ---- Making and ending ---- */

struct serve_multicast *
serve_multicast_create(uv_loop_t *loop)
{
    struct serve_multicast *s = xzalloc(sizeof *s);
    struct multicast_watch watch = { on_group, on_hearer, on_ask, on_pass,
                                     s };

    s->multicast = multicast_create(&multicast_default_limits, &watch);
    id_map_init(&s->networks);
    id_map_init(&s->ports);
    id_map_init(&s->adopted);
    s->next = INT64_MAX;
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(loop, s->timer);
    return s;
}

const struct multicast *
serve_multicast_state(const struct serve_multicast *s)
{
    return s->multicast;
}

void
serve_multicast_open(struct serve_multicast *s,
                     const struct service_host *host)
{
    s->host = host;
    packet_in_serve(host->packet_ins, SERVICE_IGMP, on_packet, s);
    packet_in_serve(host->packet_ins, SERVICE_MLD, on_packet, s);
    packet_in_serve_lan(host->packet_ins, SERVICE_IGMP);
    packet_in_serve_lan(host->packet_ins, SERVICE_MLD);
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_multicast_destroy(struct serve_multicast *s)
{
    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    while (s->asking) {
        struct asking *next = s->asking->next;

        free(s->asking);
        s->asking = next;
    }
    multicast_destroy(s->multicast);
    id_map_fini(&s->networks);
    id_map_fini(&s->ports);
    id_map_fini(&s->adopted);
    free(s);
}

/* ---- For people ---- */

static const char *
name_of(const struct serve_multicast *s,
        const struct topology_network *network, uint64_t port)
{
    const struct topology_port *found = topology_port(s->host->topology,
                                                      port);

    const struct network_host *host = topology_network_host(network, port);

    if (found) {
        return found->intent->object.name;
    }
    if (host) {
        return host->host->intent->object.name;
    }
    return network->uplink && network->uplink->id == port
           ? network->uplink->intent->object.name : "";
}

static void
visit_routers(const struct serve_multicast *s,
              const struct topology_network *network, msec now,
              void (*visit)(void *aux, const struct multicast_row *),
              void *aux)
{
    struct multicast_hearer hearer;
    unsigned int i = 0;

    while (multicast_next_hearer(s->multicast, network->id, &i, &hearer)) {
        struct multicast_row row = {
            network, NULL, name_of(s, network, hearer.port),
            MAX(hearer.router_until - now, (msec) 0),
        };

        if (hearer.router_until) {
            visit(aux, &row);
        }
    }
}

static int
compare_groups(const void *a, const void *b)
{
    const struct multicast_group *const *x = a, *const *y = b;

    return memcmp(&(*x)->address, &(*y)->address, sizeof (*x)->address);
}

/* Of a network, in order of address. */
static const struct multicast_group **
sorted_groups(const struct serve_multicast *s, uint64_t network,
              unsigned int *n)
{
    const struct multicast_group *group = NULL, **groups;
    unsigned int size = 0;

    while ((group = multicast_next(s->multicast, group)) != NULL) {
        size += group->network == network;
    }
    groups = xcalloc(size + 1, sizeof *groups);
    *n = 0;
    while ((group = multicast_next(s->multicast, group)) != NULL) {
        if (group->network == network) {
            groups[(*n)++] = group;
        }
    }
    qsort(groups, *n, sizeof *groups, compare_groups);
    return groups;
}

void
serve_multicast_visit(const struct serve_multicast *s,
                      void (*visit)(void *aux, const struct multicast_row *),
                      void *aux)
{
    const struct intent *intent = topology_intent(s->host->topology);
    msec now = clock_msec();

    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (wanted, intent) {
        const struct topology_network *network = topology_network(
            s->host->topology, wanted->object.id);
        unsigned int n;
        const struct multicast_group **groups
            = sorted_groups(s, network->id, &n);

        visit_routers(s, network, now, visit, aux);
        for (unsigned int i = 0; i < n; i++) {
            for (unsigned int j = 0; j < groups[i]->n; j++) {
                const struct multicast_member *member
                    = &groups[i]->members[j];
                struct multicast_row row = {
                    network, &groups[i]->address,
                    name_of(s, network, member->port),
                    member->expires == INT64_MAX
                        ? INT64_MAX : MAX(member->expires - now, (msec) 0),
                };

                visit(aux, &row);
            }
        }
        free(groups);
    }
}
