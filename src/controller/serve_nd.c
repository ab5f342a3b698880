#include "controller/serve_nd.h"

static_assert((int) ND_MAX_SERVERS >= (int) NETWORK_MAX_SERVERS,
              "see set_servers()");

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
        .mtu = intent->mtu, .domain = intent->domain,
    };
    if (topology_has_gateway6(network)) {
        set_servers(intent, gateway);
    }
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_nd *s = aux;
    struct nd_gateway gateway;
    struct nd_reply reply;

    set_gateway(in->network, &gateway);
    s->n_events[nd_answer(&gateway, in->frame, in->len, &reply)]++;
    if (reply.len) {
        service_send(s->host, in->member, reply.frame, reply.len);
    }
}

void
serve_nd_init(struct serve_nd *s, const struct service_host *host)
{
    *s = (struct serve_nd) { .host = host };
    packet_in_serve(host->packet_ins, SERVICE_ND, on_packet, s);
    packet_in_serve(host->packet_ins, SERVICE_RA, on_packet, s);
}
