/* Service: packets that the controller answers, or learns from.
 *
 * Only from ports: what comes by an uplink asks the LAN's own servers.  But who
 * hears which multicast group is heard from both. */
#include "controller/stage.h"
#include "controller/userdata.h"
#include "packet/dhcp.h"
#include "packet/dhcp6.h"
#include "packet/ip.h"

enum { PRIORITY_SERVICE = 100 };

enum { DNS_PORT = 53, ROUTER_SOLICIT = 133, MLD_QUERY = 130,
       MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143 };

static void
begin(struct writer *w, const struct topology_network *network)
{
    stage_begin_network(w, STAGE_SERVICE, PRIORITY_SERVICE, network);
    stage_match_flag(w, FROM_UPLINK, false);
}

static void
to_service(struct writer *w, const struct topology_network *network,
           enum service_id service)
{
    struct userdata u = { service, network->id };
    uint8_t bytes[USERDATA_LEN];

    userdata_encode(&u, bytes);
    writer_controller(w, bytes, sizeof bytes);
    writer_end(w);
}

/* A discovery is for all, a renewal for the server that gave the lease. */
static void
dhcp(struct writer *w, const struct topology_network *network)
{
    const be32 to[] = { UINT32_MAX, network->intent->gateway };
    unsigned int n = topology_has_gateway(network) ? 2 : 1;

    for (unsigned int i = 0; i < n; i++) {
        begin(w, network);
        writer_match_udp(w, 0, DHCP_SERVER_PORT);
        writer_match_ip4(w, FIELD_IPV4_DST, to[i]);
        to_service(w, network, SERVICE_DHCP);
    }
}

/* Who hears which groups is said by ports and by the LAN.  It is heard on the
 * way, not taken away: the switch hands it on by itself, as RFC 4541 says. */
static void
listen(struct writer *w, const struct topology_network *network,
       enum service_id service)
{
    struct userdata u = { service, network->id };
    uint8_t bytes[USERDATA_LEN];

    userdata_encode(&u, bytes);
    stage_match_group_address(w);
    writer_controller(w, bytes, sizeof bytes);
    writer_goto(w, STAGE_ARP_ND);
    writer_end(w);
}

/* Guests that choose an address ask whether it is free: heard on the way, too,
 * so that the port may use it. */
static void
choices(struct writer *w, const struct topology_network *network)
{
    static const struct subnet6 link_local = {
        true, 64, { { 0xfe, 0x80 } },
    };
    static const struct ip6_addr unspecified;
    const struct subnet6 *chosen[] = { &link_local,
                                       &network->intent->subnet6 };
    unsigned int n = network->intent->ra == RA_SLAAC ? 2 : 1;

    for (unsigned int i = 0; i < n; i++) {
        begin(w, network);
        writer_match_icmp6(w, ND_SOLICIT);
        writer_match_ip6(w, FIELD_IPV6_SRC, &unspecified);
        writer_match_subnet6(w, FIELD_ND_TARGET, chosen[i]);
        listen(w, network, SERVICE_BINDING);
    }
}

static void
multicast(struct writer *w, const struct topology_network *network)
{
    static const uint8_t mld[] = { MLD_QUERY, MLD_REPORT, MLD_DONE,
                                   MLD2_REPORT };

    stage_begin_network(w, STAGE_SERVICE, PRIORITY_SERVICE, network);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    listen(w, network, SERVICE_IGMP);
    for (size_t i = 0; i < ARRAY_SIZE(mld); i++) {
        stage_begin_network(w, STAGE_SERVICE, PRIORITY_SERVICE, network);
        writer_match_icmp6(w, mld[i]);
        listen(w, network, SERVICE_MLD);
    }
}

/* By ports of the network, at the gateway of one that is joined, or its own. */
static void
dns(struct writer *w, const struct topology_network *network,
    const struct topology_network *at)
{
    if (topology_has_gateway(network) && topology_has_gateway(at)) {
        begin(w, network);
        writer_match_udp(w, 0, DNS_PORT);
        writer_match_ip4(w, FIELD_IPV4_DST, at->intent->gateway);
        to_service(w, network, SERVICE_DNS);
    }
    if (topology_has_gateway6(network) && topology_has_gateway6(at)) {
        begin(w, network);
        writer_match_udp6(w, 0, DNS_PORT);
        writer_match_ip6(w, FIELD_IPV6_DST, &at->intent->gateway6);
        to_service(w, network, SERVICE_DNS);
    }
}

static void
names(struct writer *w, const struct topology_network *network)
{
    const struct topology_router *other = network->router;

    dns(w, network, network);
    for (unsigned int i = 0; other && i < other->n_networks; i++) {
        if (other->networks[i] != network) {
            dns(w, network, other->networks[i]);
        }
    }
}

static void
router(struct writer *w, const struct topology_network *network)
{
    begin(w, network);
    writer_match_udp6(w, 0, DHCP6_SERVER_PORT);
    to_service(w, network, SERVICE_DHCP6);

    begin(w, network);
    writer_match_icmp6(w, ROUTER_SOLICIT);
    to_service(w, network, SERVICE_RA);
}

void
stage_service(struct writer *w, const struct subject *subject)
{
    const struct topology_network *network = subject->network;

    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_SERVICE, STAGE_ARP_ND);
        return;
    }
    if (subject->kind != SUBJECT_NETWORK) {
        return;
    }
    names(w, network);
    if (network->intent->subnet.is_set && !network->intent->dhcp.is_off) {
        dhcp(w, network);
    }
    if (topology_learns6(network->intent)) {
        choices(w, network);
    }
    if (network->intent->subnet6.is_set && network->intent->ra != RA_OFF) {
        router(w, network);
    }
    if (network->intent->multicast == MULTICAST_SNOOP) {
        multicast(w, network);
    }
}
