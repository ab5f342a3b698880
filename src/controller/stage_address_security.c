/* Address security: a port sends from its own addresses, or from those that its
 * intent allows; so do its ARP messages.
 *
 * Where a network has no plan of addresses (bridged, with no subnet of ours:
 * the LAN's own DHCP server gives them) only MACs are judged; but nobody is an end
 * of our hosts' tunnels, which let in whatever comes from one.  One drop for each
 * family, so that its counter says what was tried. */
#include "controller/stage.h"
#include "packet/address.h"
#include "packet/dhcp.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { PRIORITY_OWN = 100, PRIORITY_UNSPECIFIED = 90, PRIORITY_TUNNEL = 80,
       PRIORITY_ANY = 60, PRIORITY_REST = 50 };

static void
begin(struct writer *w, uint16_t priority,
      const struct topology_member *member, struct eth_addr mac)
{
    stage_begin_from(w, STAGE_ADDRESS_SECURITY, priority, member);
    writer_match_eth(w, FIELD_ETH_SRC, mac);
}

static void
pass(struct writer *w)
{
    writer_goto(w, STAGE_ND_SECURITY);
    writer_end(w);
}

/* IPv4 packets and ARP messages from these addresses. */
static void
own4(struct writer *w, uint16_t priority,
     const struct topology_member *member, struct eth_addr mac,
     const struct subnet4 *subnet)
{
    begin(w, priority, member, mac);
    writer_match_ip(w);
    writer_match_subnet4(w, FIELD_IPV4_SRC, subnet);
    pass(w);

    begin(w, priority, member, mac);
    writer_match_arp(w, 0);
    writer_match_eth(w, FIELD_ARP_SHA, mac);
    writer_match_subnet4(w, FIELD_ARP_SPA, subnet);
    pass(w);
}

static void
own6(struct writer *w, uint16_t priority,
     const struct topology_member *member, struct eth_addr mac,
     const struct subnet6 *subnet)
{
    begin(w, priority, member, mac);
    writer_match_ipv6(w);
    writer_match_subnet6(w, FIELD_IPV6_SRC, subnet);
    pass(w);
}

/* Is my address free? (RFC 5227 section 2.1.1) */
static void
probe(struct writer *w, const struct topology_member *member,
      struct eth_addr mac)
{
    static const struct subnet4 none = { .is_set = true, .len = 32 };

    begin(w, PRIORITY_OWN, member, mac);
    writer_match_arp(w, 1);
    writer_match_eth(w, FIELD_ARP_SHA, mac);
    writer_match_subnet4(w, FIELD_ARP_SPA, &none);
    pass(w);
}

static void
own_addresses(struct writer *w, const struct topology_member *member)
{
    static const struct subnet4 any4 = { .is_set = true };
    static const struct subnet6 any6 = { .is_set = true };
    const struct intent_network *network = member->network->intent;
    struct eth_addr mac = member->port->intent->mac;

    if (member->address) {
        struct subnet4 own = { true, 32, member->address };

        own4(w, PRIORITY_OWN, member, mac, &own);
        probe(w, member, mac);
    } else if (intent_network_is_bridged(network) && !network->subnet.is_set) {
        own4(w, PRIORITY_ANY, member, mac, &any4);
    }
    if (intent_network_is_bridged(network) && !network->subnet6.is_set) {
        own6(w, PRIORITY_ANY, member, mac, &any6);
        return;
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        struct subnet6 own = { true, 128, member->addresses6[i] };

        own6(w, PRIORITY_OWN, member, mac, &own);
    }
}

static void
allowed(struct writer *w, const struct topology_member *member,
        const struct port_allow *allow)
{
    struct eth_addr mac = allow->has_mac ? allow->mac
                                         : member->port->intent->mac;

    if (allow->subnet.is_set) {
        own4(w, PRIORITY_OWN, member, mac, &allow->subnet);
        probe(w, member, mac);
    }
    if (allow->subnet6.is_set) {
        own6(w, PRIORITY_OWN, member, mac, &allow->subnet6);
    }
    /* A MAC alone: a nested guest with any address. */
    if (!allow->subnet.is_set && !allow->subnet6.is_set) {
        begin(w, PRIORITY_OWN, member, mac);
        writer_goto(w, STAGE_GUARD);
        writer_end(w);
    }
}

static void
drop(struct writer *w, const struct topology_member *member,
     uint16_t eth_type)
{
    stage_begin_from(w, STAGE_ADDRESS_SECURITY, PRIORITY_REST, member);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    writer_end(w);
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    if (port->is_spoof_ok) {
        return;
    }
    own_addresses(w, member);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        allowed(w, member, &port->allow[i]);
    }
    drop(w, member, ETH_TYPE_IP);
    drop(w, member, ETH_TYPE_ARP);
    drop(w, member, ETH_TYPE_IPV6);
}

static void
begin_unspecified6(struct writer *w, uint8_t icmp6_type)
{
    static const struct ip6_addr unspecified;

    stage_begin_base(w, STAGE_ADDRESS_SECURITY, PRIORITY_UNSPECIFIED);
    writer_match_icmp6(w, icmp6_type);
    writer_match_ip6(w, FIELD_IPV6_SRC, &unspecified);
    pass(w);
}

/* ---- Where nobody plans addresses ---- */

static void
begin_tunnel(struct writer *w, const struct topology_network *network)
{
    stage_begin_network(w, STAGE_ADDRESS_SECURITY, PRIORITY_TUNNEL, network);
}

/* An end of tunnels is a host. */
static void
tunnel_end(struct writer *w, const struct topology_network *network,
           const struct ip6_addr *end)
{
    begin_tunnel(w, network);
    if (!ip6_is_mapped4(end)) {
        writer_match_ipv6(w);
        writer_match_ip6(w, FIELD_IPV6_SRC, end);
        writer_end(w);
        return;
    }
    writer_match_ip(w);
    writer_match_ip4(w, FIELD_IPV4_SRC, get_be32(&end->b[12]));
    writer_end(w);
    begin_tunnel(w, network);
    writer_match_arp(w, 0);
    writer_match_ip4(w, FIELD_ARP_SPA, get_be32(&end->b[12]));
    writer_end(w);
}

static void
network_flows(struct writer *w, const struct topology *t,
              const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;
    unsigned int n;
    const struct topology_host *hosts = topology_hosts(t, &n);

    if (!intent_network_is_bridged(intent)
        || (intent->subnet.is_set && intent->subnet6.is_set)) {
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        tunnel_end(w, network, &hosts[i].intent->tunnel);
    }
}

/* Who has no address yet asks for one, or whether it is free (RFC 4862 section
 * 5.4.2), and joins groups (RFC 3376 section 4.2.13, RFC 3810 section
 * 5.2.13). */
static void
base(struct writer *w)
{
    enum { ROUTER_SOLICIT = 133, MLD_REPORT = 131, MLD2_REPORT = 143 };

    stage_begin_base(w, STAGE_ADDRESS_SECURITY, PRIORITY_UNSPECIFIED);
    writer_match_udp(w, DHCP_CLIENT_PORT, DHCP_SERVER_PORT);
    writer_match_ip4(w, FIELD_IPV4_SRC, 0);
    writer_match_ip4(w, FIELD_IPV4_DST, UINT32_MAX);
    pass(w);

    stage_begin_base(w, STAGE_ADDRESS_SECURITY, PRIORITY_UNSPECIFIED);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    writer_match_ip4(w, FIELD_IPV4_SRC, 0);
    pass(w);

    begin_unspecified6(w, ND_SOLICIT);
    begin_unspecified6(w, ROUTER_SOLICIT);
    begin_unspecified6(w, MLD_REPORT);
    begin_unspecified6(w, MLD2_REPORT);
    stage_else(w, STAGE_ADDRESS_SECURITY, STAGE_ND_SECURITY);
}

void
stage_address_security(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        base(w);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->topology, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
