/* Routing: what is sent to the gateway's MAC.
 *
 * The gateway answers pings.  Until networks are joined by routers all else
 * ends here, in one flow for each network: no-route. */
#include "controller/stage.h"
#include "packet/ip.h"

enum { PRIORITY_ANSWER = 100, PRIORITY_NO_ROUTE = 50 };

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO6_REQUEST = 128,
       ECHO6_REPLY = 129, REPLY_TTL = 64 };

static void
begin(struct writer *w, uint16_t priority,
      const struct topology_network *network)
{
    stage_begin_network(w, STAGE_ROUTING, priority, network);
    writer_match_eth(w, FIELD_ETH_DST, network->intent->gateway_mac);
}

static void
send_back(struct writer *w, const struct topology_network *network)
{
    writer_set(w, FIELD_IP_TTL, REPLY_TTL);
    writer_move(w, FIELD_ETH_SRC, FIELD_ETH_DST);
    writer_set_eth(w, FIELD_ETH_SRC, network->intent->gateway_mac);
    stage_send_back(w);
    writer_end(w);
}

/* Fragments are not put together: their later ones have no ICMP header. */
static void
ping(struct writer *w, const struct topology_network *network)
{
    be32 gateway = network->intent->gateway;

    begin(w, PRIORITY_ANSWER, network);
    writer_match_icmp(w, ECHO_REQUEST);
    writer_match_ip4(w, FIELD_IPV4_DST, gateway);
    writer_match(w, FIELD_IP_FRAG, 0);
    writer_set(w, FIELD_ICMPV4_TYPE, ECHO_REPLY);
    writer_move(w, FIELD_IPV4_SRC, FIELD_IPV4_DST);
    writer_set_ip4(w, FIELD_IPV4_SRC, gateway);
    send_back(w, network);
}

static void
ping6(struct writer *w, const struct topology_network *network,
      const struct ip6_addr *gateway)
{
    begin(w, PRIORITY_ANSWER, network);
    writer_match_icmp6(w, ECHO6_REQUEST);
    writer_match_ip6(w, FIELD_IPV6_DST, gateway);
    writer_match(w, FIELD_IP_FRAG, 0);
    writer_set(w, FIELD_ICMPV6_TYPE, ECHO6_REPLY);
    writer_move(w, FIELD_IPV6_SRC, FIELD_IPV6_DST);
    writer_set_ip6(w, FIELD_IPV6_SRC, gateway);
    send_back(w, network);
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;

    bool has_gateway = topology_has_gateway(network);
    bool has_gateway6 = topology_has_gateway6(network);

    if (has_gateway) {
        ping(w, network);
    }
    if (has_gateway6) {
        struct ip6_addr link_local
            = topology_link_local(intent->gateway_mac);

        ping6(w, network, &intent->gateway6);
        ping6(w, network, &link_local);
    }
    if (has_gateway || has_gateway6) {
        begin(w, PRIORITY_NO_ROUTE, network);
        writer_end(w);
    }
}

void
stage_routing(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_ROUTING, STAGE_L2_LOOKUP);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->network);
    }
}
