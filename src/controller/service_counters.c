#include "controller/service_counters.h"

static void
count_packet_ins(const struct services *s, service_counter_visitor *visit,
                 void *aux)
{
    for (unsigned int i = 0; i < N_SERVICES; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_service_packets_total", "packets that a service was sent",
            "service", service_name(i), s->packet_ins->counters.n_seen[i],
        });
    }
}

static void
count_dhcp(const struct services *s, service_counter_visitor *visit, void *aux)
{
    uint64_t n[N_DHCP_VERDICTS], n6[N_DHCP6_VERDICTS];

    serve_dhcp_count(s->dhcp, n);
    for (unsigned int i = 0; i < N_DHCP_VERDICTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_dhcp_messages_total", "DHCPv4 messages, by what became of "
            "them", "result", dhcp_verdict_name(i), n[i],
        });
    }
    serve_dhcp6_count(s->dhcp6, n6);
    for (unsigned int i = 0; i < N_DHCP6_VERDICTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_dhcp6_messages_total", "DHCPv6 messages, by what became of "
            "them", "result", dhcp6_verdict_name(i), n6[i],
        });
    }
}

static void
count_nd(const struct services *s, service_counter_visitor *visit, void *aux)
{
    for (unsigned int i = 0; i < N_ND_EVENTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_nd_messages_total", "ND messages to gateways, by what "
            "became of them", "result", nd_event_name(i), s->nd->n_events[i],
        });
    }
    for (unsigned int i = 0; i < N_BINDING_RESULTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_bindings_total", "addresses that guests announced, by what "
            "became of them", "result", binding_result_name(i),
            serve_binding_counters(s->bindings)[i],
        });
    }
    visit(aux, &(struct controller_counter) {
        "weft_router_advertisements_total", "router advertisements that "
        "nobody asked for, by port", NULL, NULL, s->nd->n_unasked,
    });
}

static void
count_dns(const struct services *s, service_counter_visitor *visit, void *aux)
{
    const struct dns_counters *counters = serve_dns_counters(s->dns);

    for (unsigned int i = 0; i < N_DNS_EVENTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_dns_messages_total", "DNS messages, by what became of them",
            "result", dns_event_name(i), counters->n[i],
        });
    }
}

static void
count_multicast(const struct services *s, service_counter_visitor *visit,
                void *aux)
{
    const struct multicast *multicast = serve_multicast_state(s->multicast);

    for (enum multicast_event i = 0; i < N_MULTICAST_EVENTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_multicast_events_total", "what IGMP and MLD brought about",
            "event", multicast_event_name(i), multicast_count(multicast, i),
        });
    }
}

static void
count_routing(const struct services *s, service_counter_visitor *visit,
              void *aux)
{
    for (unsigned int i = 0; i < N_ICMP_TROUBLES; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_icmp_errors_total", "senders that were told by a gateway "
            "what became of a packet", "about", icmp_trouble_name(i),
            s->route->n_told[i],
        });
    }
    /* Of those that were told, some are limited. */
    for (unsigned int i = 0; i < N_ICMP_VERDICTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_icmp_verdicts_total", "packets that a gateway did not send "
            "on, by whether their senders may be told", "result",
            icmp_verdict_name(i), s->route->n_verdicts[i],
        });
    }
    visit(aux, &(struct controller_counter) {
        "weft_icmp_limited_total", "senders that were not told, because of "
        "too much of it", NULL, NULL, s->route->n_limited,
    });
    visit(aux, &(struct controller_counter) {
        "weft_ip_fragmented_total", "packets that a gateway cut into pieces",
        NULL, NULL, s->route->n_cut,
    });
    for (unsigned int i = 0; i < N_NEXT_HOPS_EVENTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_next_hops_total", "stations that are not planned, as next "
            "hops", "event", next_hops_event_name(i),
            next_hops_count(s->next_hops, i),
        });
    }
}

static void
count_probes(const struct services *s, service_counter_visitor *visit,
             void *aux)
{
    for (enum probe_result i = 0; i < N_PROBE_RESULTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_tunnel_probes_total", "frames by which hosts ask each other "
            "about the way between them, by what became of them", "result",
            probe_result_name(i), serve_probe_count(s->probes, i),
        });
    }
    for (enum path_event i = PATH_NO_EVENT + 1; i < N_PATH_EVENTS; i++) {
        visit(aux, &(struct controller_counter) {
            "weft_tunnel_events_total", "what changed on ways to other hosts",
            "event", path_event_name(i),
            serve_probe_count_event(s->probes, i),
        });
    }
}

void
service_counters_visit(const struct services *s,
                       service_counter_visitor *visit, void *aux)
{
    count_packet_ins(s, visit, aux);
    count_dhcp(s, visit, aux);
    count_nd(s, visit, aux);
    count_dns(s, visit, aux);
    count_multicast(s, visit, aux);
    count_routing(s, visit, aux);
    count_probes(s, visit, aux);
}
