#include "controller/serve_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "controller/dns_upstream.h"
#include "controller/udp_frame.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "service/dns.h"
#include "service/dns_forward.h"

enum { CACHE_SIZE = 4096, LOOK_INTERVAL = 2000 };  /* msec */

/* What a network knows, as it was when it was made. */
struct zone {
    uint64_t network;
    struct dns_zone *zone;
};

struct serve_dns {
    const struct service_host *host;
    struct id_map zones;          /* struct zone, by network */
    struct dns_name top;
    struct dns_upstream *upstream;
    struct dns_forward *forward;
    struct dns_counters counters;
    uv_timer_t *timer;
    char *resolv_conf;            /* NULL: none */
    uv_fs_poll_t *look;           /* at it, for changes; NULL: not */
};

/* ---- Zones ---- */

static void
clear_zones(struct serve_dns *s)
{
    struct zone *zone;

    ID_MAP_FOR_EACH (zone, &s->zones) {
        dns_zone_destroy(zone->zone);
        free(zone);
    }
    id_map_fini(&s->zones);
    id_map_init(&s->zones);
}

void
serve_dns_changed(struct serve_dns *s)
{
    clear_zones(s);
}

static void
add_member(struct dns_zone *zone, const struct topology_member *member)
{
    struct dns_host host = { .n_ip4 = 0 };

    snprintf(host.name, sizeof host.name, "%s",
             member->port->intent->object.name);
    if (member->address) {
        host.ip4[host.n_ip4++] = member->address;
    }
    /* Not the link-local one, which is no use to a resolver. */
    if (member->n_addresses6 > 1) {
        host.ip6[host.n_ip6++] = member->addresses6[1];
    }
    dns_zone_set(zone, &host);
}

static void
add_gateway(struct dns_zone *zone, const struct topology_network *network)
{
    struct dns_host host = { .name = "gateway" };

    if (topology_has_gateway(network)) {
        host.ip4[host.n_ip4++] = network->intent->gateway;
    }
    if (topology_has_gateway6(network)) {
        host.ip6[host.n_ip6++] = network->intent->gateway6;
    }
    dns_zone_set(zone, &host);
}

static struct dns_zone *
make_zone(const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;
    struct dns_zone_options options = {
        .domain = intent->domain,
        .subnet = { intent->subnet.addr, intent->subnet.len },
        .subnet6 = { intent->subnet6.addr, intent->subnet6.len },
    };
    struct dns_zone *zone;

    if (dns_zone_create(&options, &zone)) {
        return NULL;
    }
    add_gateway(zone, network);
    for (unsigned int i = 0; i < network->n_members; i++) {
        add_member(zone, network->members[i]);
    }
    for (unsigned int i = 0; i < network->n_aways; i++) {
        add_member(zone, network->aways[i]);
    }
    return zone;
}

static const struct dns_zone *
zone_of(struct serve_dns *s, const struct topology_network *network)
{
    struct zone *zone = id_map_find(&s->zones, network->id);

    if (!zone) {
        struct dns_zone *made = make_zone(network);

        if (!made) {
            return NULL;
        }
        zone = xzalloc(sizeof *zone);
        *zone = (struct zone) { network->id, made };
        id_map_set(&s->zones, network->id, zone);
    }
    return zone->zone;
}

/* ---- Answers ---- */

static void
send_reply(struct serve_dns *s, const struct topology_member *member,
           const struct dns_client *client, const struct dns_reply *reply)
{
    uint8_t frame[UDP_FRAME_MAX];
    struct udp_frame f = {
        .eth_src = member->network->intent->gateway_mac,
        .eth_dst = client->mac, .src = client->server, .dst = client->ip,
        .src_port = 53, .dst_port = client->udp_port, .data = reply->data,
        .len = reply->len,
    };
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    f.is_ip6 = memcmp(&client->ip, mapped, sizeof mapped) != 0;
    if (reply->len) {
        service_send(s->host, member, frame, udp_frame_encode(&f, frame));
    }
}

/* What a client asked of an upstream; it may be gone. */
static void
on_reply(const struct dns_client *client, const struct dns_reply *reply,
         void *aux)
{
    struct serve_dns *s = aux;
    const struct topology_port *port = topology_port(s->host->topology,
                                                     client->port);

    for (unsigned int i = 0; port && i < port->n_members; i++) {
        if (port->members[i].network->id == client->network) {
            send_reply(s, &port->members[i], client, reply);
        }
    }
}

static void
on_timer(uv_timer_t *timer);

static void
set_timer(struct serve_dns *s)
{
    msec now = clock_msec(), next = dns_forward_expire(s->forward, now);

    if (next == INT64_MAX) {
        uv_timer_stop(s->timer);
    } else {
        uv_timer_start(s->timer, on_timer,
                       next > now ? (uint64_t) (next - now) : 0, 0);
    }
}

static void
on_timer(uv_timer_t *timer)
{
    set_timer(timer->data);
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_dns *s = aux;
    const struct dns_zone *zone = zone_of(s, in->network);
    struct dns_view view = { s->top, zone != NULL, &zone };
    struct dns_client client;
    struct dns_query query;
    struct dns_reply reply = { .len = 0 };
    struct udp_frame f;
    enum dns_event event;

    if (!udp_frame_decode(in->frame, in->len, &f)) {
        return;
    }
    client = (struct dns_client) {
        .network = in->network->id, .port = in->member->port->id,
        .mac = f.eth_src, .udp_port = f.src_port, .ip = f.src,
        .server = f.dst,
    };
    event = dns_answer(&view, f.data, f.len, &query, &reply);
    s->counters.n[event]++;
    if (event == DNS_FORWARD) {
        s->counters.n[dns_forward_query(s->forward, &query, &client,
                                        clock_msec())]++;
        set_timer(s);
    } else {
        send_reply(s, in->member, &client, &reply);
    }
}

static void
on_answer(void *aux, unsigned int upstream, unsigned int source,
          const void *data, size_t len)
{
    struct serve_dns *s = aux;

    s->counters.n[dns_forward_answer(s->forward, upstream, source, data, len,
                                     clock_msec())]++;
    set_timer(s);
}

static void
on_ask(unsigned int upstream, unsigned int source, const void *data,
       size_t len, void *aux)
{
    struct serve_dns *s = aux;

    dns_upstream_ask(s->upstream, upstream, source, data, len);
}

static uint32_t
random_u32(void *aux UNUSED)
{
    uint32_t value;

    while (getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return value;
}

const struct dns_counters *
serve_dns_counters(const struct serve_dns *s)
{
    return &s->counters;
}

/* ---- Making and ending ---- */

static struct dns_forward *
make_forward(struct serve_dns *s)
{
    struct dns_forward_options options = {
        .n_upstreams = dns_upstream_count(s->upstream),
        .n_sources = DNS_UPSTREAM_SOURCES, .cache_size = CACHE_SIZE,
        .random = random_u32, .reply = on_reply, .ask = on_ask, .aux = s,
        .counters = &s->counters,
    };

    return dns_forward_create(&options);
}

/* The file was changed, or replaced, or is there now. */
static void
on_resolv_conf(uv_fs_poll_t *look, int status,
               const uv_stat_t *was UNUSED, const uv_stat_t *is UNUSED)
{
    struct serve_dns *s = look->data;

    if (!status && dns_upstream_reload(s->upstream, s->resolv_conf)) {
        log_info("controller", "%s names other resolvers", s->resolv_conf);
        dns_forward_set_upstreams(s->forward,
                                  dns_upstream_count(s->upstream),
                                  clock_msec());
        set_timer(s);
    }
}

static void
look_at_resolv_conf(struct serve_dns *s, const char *path)
{
    s->resolv_conf = xstrdup(path);
    s->look = xzalloc(sizeof *s->look);
    s->look->data = s;
    uv_fs_poll_init(s->host->loop, s->look);
    uv_fs_poll_start(s->look, on_resolv_conf, path, LOOK_INTERVAL);
}

struct serve_dns *
serve_dns_create(const struct service_host *host, const char *resolv_conf)
{
    struct serve_dns *s = xzalloc(sizeof *s);

    s->host = host;
    id_map_init(&s->zones);
    dns_name_parse("weft", &s->top);
    s->upstream = dns_upstream_create(host->loop, resolv_conf, on_answer, s);
    s->forward = make_forward(s);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    if (resolv_conf) {
        look_at_resolv_conf(s, resolv_conf);
    }
    packet_in_serve(host->packet_ins, SERVICE_DNS, on_packet, s);
    return s;
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_dns_destroy(struct serve_dns *s)
{
    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    if (s->look) {
        uv_close((uv_handle_t *) s->look, free_handle);
    }
    free(s->resolv_conf);
    dns_forward_destroy(s->forward);
    dns_upstream_destroy(s->upstream);
    clear_zones(s);
    id_map_fini(&s->zones);
    free(s);
}
