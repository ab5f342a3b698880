#include "controller/serve_next_hop.h"

#include <stdlib.h>

#include "controller/stage_next_hop.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "service/neighbour.h"

struct serve_next_hop {
    struct next_hops *hops;
    const struct service_host *host;        /* NULL: not open yet */
    struct serve_route *route;
    uv_timer_t *timer;
    bool is_adopted;              /* what another controller knew */
};

static void
touch(struct serve_next_hop *s, const struct next_hop *hop)
{
    unit_set_add(s->host->dirty, (struct unit) { hop->id, UNIT_NEXT_HOP, 0 });
    s->host->touched(s->host->aux);
}

/* ---- Asking ---- */

static void
send_question(struct serve_next_hop *s, const struct neighbour_asker *asker,
              const struct next_hop *hop, const struct eth_addr *alone,
              const struct packet_in_entry *at)
{
    uint8_t frame[NEIGHBOUR_FRAME_MAX];
    size_t len = neighbour_ask(asker, &hop->address, alone, frame);

    service_inject(s->host, at, frame, len);
}

static void
on_ask(void *aux, const struct next_hop *hop, const struct eth_addr *alone)
{
    struct serve_next_hop *s = aux;
    const struct topology_network *network
        = topology_network(s->host->topology, hop->place);
    const struct topology_uplink *uplink
        = topology_uplink(s->host->topology, hop->place);

    if (network) {
        const struct intent_network *n = network->intent;
        const struct neighbour_asker asker = {
            n->gateway_mac, n->gateway, topology_link_local(n->gateway_mac),
        };

        send_question(s, &asker, hop, alone, &(struct packet_in_entry) {
            .table = alone ? STAGE_L2_LOOKUP : STAGE_FLOOD,
            .place = network->id, .flood = FLOOD_ASK });
    } else if (uplink) {
        const struct neighbour_asker asker = {
            uplink->intent->mac, intent_uplink_external(uplink->intent),
            topology_link_local(uplink->intent->mac),
        };

        send_question(s, &asker, hop, alone, &(struct packet_in_entry) {
            .table = STAGE_OUTPUT, .place = uplink->id,
            .port = uplink->number });
    }
}

static const char *
name_of(const struct serve_next_hop *s, uint64_t place)
{
    const struct intent *intent = topology_intent(s->host->topology);
    const struct intent_object *object = intent ? intent_find_id(intent,
                                                                 place)
                                                : NULL;

    return object ? object->name : "?";
}

static void
on_changed(void *aux, const struct next_hop *hop)
{
    struct serve_next_hop *s = aux;
    char text[ADDRESS_TEXT_SIZE];

    if (!next_hop_is_known(hop) && hop->is_kept) {
        log_limited(LOG_LEVEL_WARN, "controller",
                    "next hop %s in '%s' does not answer",
                    ip6_is_mapped4(&hop->address)
                    ? ip4_format(get_be32(&hop->address.b[12]), text)
                    : ip6_format(hop->address, text),
                    name_of(s, hop->place));
    }
    touch(s, hop);
}

/* ---- Packets that waited ---- */

static void
on_release(void *aux, const struct next_hop *hop,
           const struct next_hop_packet *packet)
{
    struct serve_next_hop *s = aux;
    const struct topology *t = s->host->topology;
    const struct topology_uplink *uplink = topology_uplink(t, hop->place);
    const struct topology_network *from = topology_network(t, packet->from);

    if (next_hop_is_known(hop)) {
        memcpy(packet->frame, hop->mac.b, sizeof hop->mac.b);
        service_inject(s->host, &(struct packet_in_entry) {
            .table = uplink ? STAGE_OUTPUT : STAGE_L2_LOOKUP,
            .place = hop->place, .port = uplink ? uplink->number : 0,
        }, packet->frame, packet->len);
    } else if (from) {
        serve_route_restore_ttl(packet->frame, packet->len);
        serve_route_tell(s->route, from, 0, ICMP_NO_ANSWER, 0, packet->frame,
                         packet->len);
    }
}

/* Up to here a packet is addressed to the gateway that its sender knows. */
static const struct topology_network *
sender_of(const struct topology_network *network, const uint8_t *frame)
{
    const struct topology_router *router = network->router;
    struct eth_addr to;

    memcpy(to.b, frame, sizeof to.b);
    for (unsigned int i = 0; router && i < router->n_networks; i++) {
        if (eth_addr_eq(router->networks[i]->intent->gateway_mac, to)) {
            return router->networks[i];
        }
    }
    return eth_addr_eq(network->intent->gateway_mac, to) ? network : NULL;
}

static struct ip6_addr
address_in(const struct packet_in *in)
{
    struct ip6_addr address;

    if (get_be16(in->frame + 12) == htobe16(ETH_TYPE_IP)) {
        return ip6_of_ip4(in->flow->regs[4]);
    }
    memcpy(address.b, &in->flow->regs[4], sizeof address.b);
    return address;
}

static void set_timer(struct serve_next_hop *);

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_next_hop *s = aux;
    const struct topology_network *from = in->network
        && in->len >= ETH_HEADER_LEN ? sender_of(in->network, in->frame)
                                     : NULL;
    uint64_t place = in->network ? in->network->id
                     : in->uplink ? in->uplink->id : 0;
    struct ip6_addr address;

    if (!place || in->len < ETH_HEADER_LEN) {
        return;
    }
    if (in->network && !topology_has_strangers(in->network)) {
        uint8_t *frame = xmemdup(in->frame, in->len);

        serve_route_restore_ttl(frame, in->len);
        if (from) {
            serve_route_tell(s->route, from, in->in_port, ICMP_NO_ANSWER, 0,
                             frame, in->len);
        }
        free(frame);
        return;
    }
    address = address_in(in);
    next_hops_send(s->hops, place, &address, in->frame, in->len,
                   from ? from->id : 0, clock_msec());
    set_timer(s);
}

static void
on_neighbour(void *aux, const struct packet_in *in)
{
    struct serve_next_hop *s = aux;
    uint64_t place = in->network ? in->network->id
                     : in->uplink ? in->uplink->id : 0;
    struct ip6_addr address;
    struct eth_addr mac;

    if (place && neighbour_told(in->frame, in->len, &address, &mac)) {
        next_hops_heard(s->hops, place, &address, mac, clock_msec());
        set_timer(s);
    }
}

/* ---- Time ---- */

static void
on_timer(uv_timer_t *timer)
{
    set_timer(timer->data);
}

static void
set_timer(struct serve_next_hop *s)
{
    msec now = clock_msec();
    msec next = next_hops_run(s->hops, now);

    if (next == INT64_MAX) {
        uv_timer_stop(s->timer);
    } else {
        uv_update_time(s->host->loop);
        uv_timer_start(s->timer, on_timer, (uint64_t) MAX(next - now, 1), 0);
    }
}

/* ---- What is wanted for good ---- */

struct wanted {
    unsigned int n, size;
    struct {
        uint64_t place;
        struct ip6_addr address;
    } *list;
};

static void
want(struct wanted *wanted, uint64_t place, struct ip6_addr address)
{
    if (wanted->n == wanted->size) {
        wanted->size = MAX(2 * wanted->size, 16u);
        wanted->list = xrealloc(wanted->list, wanted->size
                                              * sizeof wanted->list[0]);
    }
    wanted->list[wanted->n].place = place;
    wanted->list[wanted->n++].address = address;
}

static bool
is_planned(const struct topology_network *network,
           const struct router_route *route)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        const struct topology_member *member = network->members[i];

        if (route->via && member->address == route->via) {
            return true;
        }
        for (unsigned int k = 0; !route->via && k < member->n_addresses6;
             k++) {
            if (ip6_addr_eq(member->addresses6[k], route->via6)) {
                return true;
            }
        }
    }
    return false;
}

static void
want_routers(const struct topology *t, const struct intent_router *router,
             struct wanted *wanted)
{
    for (unsigned int i = 0; i < router->n_routes; i++) {
        const struct router_route *route = &router->routes[i];
        const struct topology_network *network = topology_network(
            t, router_network_of(router, route)->object.id);

        if (topology_has_strangers(network) && !is_planned(network, route)) {
            want(wanted, network->id, route->via ? ip6_of_ip4(route->via)
                                                 : route->via6);
        }
    }
}

/* The host's stack answers by itself; its MAC is known from its port. */
static void
want_gateways(const struct intent_uplink *uplink, struct wanted *wanted)
{
    if (uplink->is_host) {
        return;
    }
    if (uplink->gateway) {
        want(wanted, uplink->object.id, ip6_of_ip4(uplink->gateway));
    }
    if (ip6_addr_is_set(uplink->gateway6)) {
        want(wanted, uplink->object.id, uplink->gateway6);
    }
}

static bool
is_wanted(const struct wanted *wanted, const struct next_hop *hop)
{
    for (unsigned int i = 0; i < wanted->n; i++) {
        if (wanted->list[i].place == hop->place
            && ip6_addr_eq(wanted->list[i].address, hop->address)) {
            return true;
        }
    }
    return false;
}

/* May stations be there that are to be asked for? */
static bool
is_place(const struct topology *t, uint64_t place)
{
    const struct topology_network *network = topology_network(t, place);

    return network ? topology_is_gateway(network)
                     && topology_has_strangers(network)
                   : topology_uplink(t, place) != NULL;
}

/* A place that is gone, or not the same any more. */
static void
forget_gone(struct serve_next_hop *s)
{
    const struct next_hop *hop = NULL;
    bool is_any;

    do {
        is_any = false;
        while (!is_any && (hop = next_hops_next(s->hops, hop)) != NULL) {
            is_any = !is_place(s->host->topology, hop->place);
        }
        if (is_any) {
            next_hops_forget_place(s->hops, hop->place);
            hop = NULL;
        }
    } while (is_any);
}

void
serve_next_hop_changed(struct serve_next_hop *s)
{
    const struct intent *intent = topology_intent(s->host->topology);
    struct wanted wanted = { 0, 0, NULL };
    const struct next_hop *hop = NULL;
    msec now = clock_msec();

    forget_gone(s);
    if (intent) {
        INTENT_FOR_EACH_ROUTER (router, intent) {
            want_routers(s->host->topology, router, &wanted);
        }
        INTENT_FOR_EACH_UPLINK (uplink, intent) {
            want_gateways(uplink, &wanted);
        }
    }
    while ((hop = next_hops_next(s->hops, hop)) != NULL) {
        if (hop->is_kept && !is_wanted(&wanted, hop)) {
            next_hops_keep(s->hops, hop->place, &hop->address, false, now);
        }
    }
    for (unsigned int i = 0; i < wanted.n; i++) {
        next_hops_keep(s->hops, wanted.list[i].place,
                       &wanted.list[i].address, true, now);
    }
    free(wanted.list);
    set_timer(s);
}

void
serve_next_hop_ready(struct serve_next_hop *s, const struct flow_set *flows)
{
    struct learned_rule learned;
    struct flow_rule *rule;

    if (s->is_adopted) {
        return;
    }
    s->is_adopted = true;
    FLOW_SET_FOR_EACH (rule, flows) {
        if (stage_next_hop_read(rule, &learned)
            && is_place(s->host->topology, learned.place)) {
            next_hops_adopt(s->hops, learned.place, &learned.address,
                            learned.mac, clock_msec());
        }
    }
    set_timer(s);
}

void
serve_next_hop_synced(struct serve_next_hop *s)
{
    next_hops_again(s->hops, clock_msec());
    set_timer(s);
}

/* ---- Making and ending ---- */

struct serve_next_hop *
serve_next_hop_create(void)
{
    struct serve_next_hop *s = xzalloc(sizeof *s);
    struct next_hops_watch watch = { on_ask, on_changed, on_release, s };

    s->hops = next_hops_create(&next_hops_default_limits, &watch);
    return s;
}

const struct next_hops *
serve_next_hop_state(const struct serve_next_hop *s)
{
    return s->hops;
}

void
serve_next_hop_open(struct serve_next_hop *s, const struct service_host *host,
                    struct serve_route *route)
{
    s->host = host;
    s->route = route;
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    packet_in_serve_all(host->packet_ins, SERVICE_NEXT_HOP, on_packet, s);
    packet_in_serve_all(host->packet_ins, SERVICE_NEIGHBOUR, on_neighbour,
                        s);
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_next_hop_destroy(struct serve_next_hop *s)
{
    if (!s) {
        return;
    }
    if (s->timer) {
        uv_close((uv_handle_t *) s->timer, free_handle);
    }
    next_hops_destroy(s->hops);
    free(s);
}
