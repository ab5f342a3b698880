#include "controller/serve_nd.h"

#include <stdlib.h>

#include "controller/stage.h"
#include "lib/clock.h"

static_assert((int) ND_MAX_SERVERS >= (int) NETWORK_MAX_SERVERS,
              "see set_servers()");

/* Three of the longest intervals (RFC 4861 section 6.2.1); seconds. */
enum { LIFETIME = 1800 };

/* ---- Asked ---- */

/* Nobody else was named: then the gateway answers. */
static void
set_servers(const struct intent_network *network, struct nd_gateway *gateway)
{
    gateway->n_servers = network->n_dns6;
    memcpy(gateway->servers, network->dns6,
           network->n_dns6 * sizeof network->dns6[0]);
    if (!network->n_dns6) {
        gateway->servers[gateway->n_servers++] = network->gateway6;
    }
}

static void
set_gateway(const struct topology_network *network,
            struct nd_gateway *gateway)
{
    const struct intent_network *intent = network->intent;

    *gateway = (struct nd_gateway) {
        .mac = intent->gateway_mac,
        .link_local = topology_link_local(intent->gateway_mac),
        .address = intent->gateway6, .prefix = intent->subnet6.addr,
        .prefix_len = intent->subnet6.len,
        .is_slaac = intent->ra == RA_SLAAC,
        .is_stateful = intent->ra == RA_STATEFUL,
        .router_lifetime = topology_leads_somewhere6(network) ? LIFETIME : 0,
        .mtu = intent->mtu, .domain = intent->domain,
    };
    if (topology_has_gateway6(network)) {
        set_servers(intent, gateway);
    }
}

/* Outside, we are a station with these addresses. */
static void
answer_outside(struct serve_nd *s, const struct packet_in *in)
{
    const struct uplink_nat *nat = in->uplink->nat;
    struct nd_gateway station = {
        .mac = in->uplink->intent->mac,
        .link_local = topology_link_local(in->uplink->intent->mac),
    };
    struct nd_reply reply = { .len = 0 };
    enum nd_event event = ND_NOT_OURS;

    for (unsigned int i = 0; nat && i < nat->n_addresses && !reply.len;
         i++) {
        station.address = nat->addresses[i];
        event = nd_answer(&station, in->frame, in->len, &reply);
    }
    s->n_events[event]++;
    if (reply.len) {
        service_send_by(s->host, in->in_port, 0, 0, reply.frame, reply.len);
    }
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_nd *s = aux;
    struct nd_gateway gateway;
    struct nd_reply reply;

    if (in->uplink) {
        answer_outside(s, in);
        return;
    }
    set_gateway(in->network, &gateway);
    s->n_events[nd_answer(&gateway, in->frame, in->len, &reply)]++;
    if (reply.len && in->member) {
        service_send(s->host, in->member, reply.frame, reply.len);
    } else if (reply.len) {
        service_inject(s->host, &(struct packet_in_entry) {
            .table = STAGE_L2_LOOKUP, .place = in->network->id },
            reply.frame, reply.len);
    }
}

/* ---- Unasked ---- */

/* RFC 4861, 6.2.1 and 10; msec. */
enum { MIN_INTERVAL = 200000, MAX_INTERVAL = 600000, FAST_INTERVAL = 16000,
       MIN_DELAY = 3000, N_FAST = 3 };

/* So many ports hear it in a turn of the loop. */
enum { BATCH = 256, BATCH_PAUSE = 5 };

struct advertised {
    uint64_t network;
    msec next, last;              /* last: 0, never */
    unsigned int n_fast;          /* that will follow soon */
    unsigned int n_told;          /* members that have heard this one */
    struct nd_reply says;
};

static bool
is_advertised(const struct intent_network *network)
{
    return network->subnet6.is_set && network->ra != RA_OFF;
}

static msec
interval(struct serve_nd *s, const struct advertised *a)
{
    return a->n_fast ? FAST_INTERVAL
                     : MIN_INTERVAL + rng_below(&s->rng, MAX_INTERVAL
                                                         - MIN_INTERVAL + 1);
}

/* Tells some of the members; true: all have heard it. */
static bool
tell(struct serve_nd *s, struct advertised *a,
     const struct topology_network *network)
{
    for (unsigned int n = 0; a->n_told < network->n_members; a->n_told++) {
        const struct topology_member *member = network->members[a->n_told];

        if (!member->port->number) {
            continue;
        }
        if (n++ == BATCH) {
            return false;
        }
        s->n_unasked += service_send(s->host, member, a->says.frame,
                                     a->says.len);
    }
    a->n_told = 0;
    return true;
}

static void
run_one(struct serve_nd *s, struct advertised *a, msec now)
{
    const struct topology_network *network
        = topology_network(s->host->topology, a->network);

    if (now < a->next) {
        return;
    }
    if (!tell(s, a, network)) {
        a->next = now + BATCH_PAUSE;
        return;
    }
    a->last = now;
    a->n_fast -= a->n_fast > 0;
    a->next = now + interval(s, a);
}

static void on_timer(uv_timer_t *);

static void
set_timer(struct serve_nd *s, msec now)
{
    struct advertised *a;
    msec next = INT64_MAX;

    ID_MAP_FOR_EACH (a, &s->advertised) {
        next = MIN(next, a->next);
    }
    if (next == INT64_MAX) {
        uv_timer_stop(s->timer);
    } else {
        uv_update_time(s->host->loop);
        uv_timer_start(s->timer, on_timer, (uint64_t) MAX(next - now, 1), 0);
    }
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_nd *s = timer->data;
    struct advertised *a;
    msec now = clock_msec();

    ID_MAP_FOR_EACH (a, &s->advertised) {
        run_one(s, a, now);
    }
    set_timer(s, now);
}

/* Guests of a network that is new ask for themselves as they come up. */
static void
update(struct serve_nd *s, const struct topology_network *network, msec now)
{
    struct advertised *a = id_map_find(&s->advertised, network->id);
    struct nd_gateway gateway;
    struct nd_reply says;

    set_gateway(network, &gateway);
    nd_advertise(&gateway, &says);
    if (!a) {
        a = xzalloc(sizeof *a);
        a->network = network->id;
        a->next = now + interval(s, a);
        id_map_set(&s->advertised, network->id, a);
    } else if (a->says.len != says.len
               || memcmp(a->says.frame, says.frame, says.len)) {
        a->n_fast = N_FAST;
        a->n_told = 0;
        a->next = a->last ? MAX(now, a->last + MIN_DELAY) : now;
    } else {
        return;
    }
    a->says = says;
}

static void
forget_gone(struct serve_nd *s)
{
    struct advertised *a, **gone = xcalloc(s->advertised.n + 1, sizeof *gone);
    unsigned int n = 0;

    ID_MAP_FOR_EACH (a, &s->advertised) {
        const struct topology_network *network
            = topology_network(s->host->topology, a->network);

        if (!network || !is_advertised(network->intent)) {
            gone[n++] = a;
        }
    }
    while (n > 0) {
        id_map_remove(&s->advertised, gone[--n]->network);
        free(gone[n]);
    }
    free(gone);
}

void
serve_nd_changed(struct serve_nd *s)
{
    const struct intent *intent = topology_intent(s->host->topology);
    msec now = clock_msec();

    forget_gone(s);
    if (intent) {
        INTENT_FOR_EACH_NETWORK (network, intent) {
            if (is_advertised(network)) {
                update(s, topology_network(s->host->topology,
                                           network->object.id), now);
            }
        }
    }
    set_timer(s, now);
}

/* ---- Making and ending ---- */

void
serve_nd_init(struct serve_nd *s, const struct service_host *host)
{
    *s = (struct serve_nd) { .host = host };
    id_map_init(&s->advertised);
    s->rng.state = hash_key_random().seed;
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    packet_in_serve(host->packet_ins, SERVICE_ND, on_packet, s);
    packet_in_serve_lan(host->packet_ins, SERVICE_ND);
    packet_in_serve(host->packet_ins, SERVICE_RA, on_packet, s);
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_nd_fini(struct serve_nd *s)
{
    struct advertised *a;

    uv_close((uv_handle_t *) s->timer, free_handle);
    ID_MAP_FOR_EACH (a, &s->advertised) {
        free(a);
    }
    id_map_fini(&s->advertised);
}
