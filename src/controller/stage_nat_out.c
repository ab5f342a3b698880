/* NAT out: what leaves a network by an uplink gets a source that is known
 * there.
 *
 * Routing has chosen the uplink (reg10): the network's default route is written
 * here, too.  What answers to somebody outside is translated as his connection
 * says, whatever the flow says of new ones.  With a prefix outside, each address
 * has one of its own there (npt6.h), so that answers and errors about them are
 * the tracker's, as ever.
 *
 * What is for a tunnel of one of our hosts does not leave at all: translated,
 * it would seem to come from the host, and be let in there with any key. */
#include "controller/stage_nat.h"
#include "controller/stage_routing.h"
#include "packet/address.h"
#include "packet/encap.h"
#include "packet/ip.h"
#include "packet/npt6.h"

enum { PRIORITY_TUNNEL = 300, PRIORITY_FLOATING = 200, PRIORITY_PREFIX = 120,
       PRIORITY_PROTOCOL = 110, PRIORITY_REST = 100,
       UPLINK_MTU = 1500 };

/* ---- Routes ---- */

/* What follows a match and the next hop. */
static void
leave(struct writer *w, const struct topology_network *network)
{
    const struct topology_uplink *uplink = network->nat;

    route_on(w);
    writer_set_eth(w, FIELD_ETH_SRC, uplink->intent->mac);
    writer_set(w, FIELD_REG0, 0);
    writer_set(w, FIELD_REG10, uplink->nat->number);
    route_check_mtu(w, network, UPLINK_MTU);
    writer_goto(w, network->intent->mtu > UPLINK_MTU ? STAGE_MTU
                                                     : STAGE_NAT_OUT);
    writer_end(w);
}

static void
routes4(struct writer *w, const struct topology_network *network)
{
    const struct subnet4 everywhere = { true, 0, 0 };
    const struct subnet4 link = { true, 16, htobe32(0xa9fe0000) };
    const struct intent_uplink *uplink = network->nat->intent;

    if (uplink->address.is_set) {
        struct subnet4 own = uplink->address;

        own.addr &= ip4_mask(own.len);
        route_begin4(w, network, network->id, ROUTE_UPLINK, &own);
        route_by_destination(w, false);
        leave(w, network);
    }
    if (intent_uplink_next_hop(uplink)) {
        route_begin4(w, network, network->id, ROUTE_UPLINK, &everywhere);
        route_by4(w, intent_uplink_next_hop(uplink));
        leave(w, network);
    }
    if (uplink->is_host) {
        const struct subnet4 link_to_host = {
            true, TRANSFER_LEN, uplink->transfer.network,
        };

        /* An answer to somebody inside, who came by the outside address; or to
         * the host, which comes to forwards and floating addresses by its end
         * of the link, and so does a guest that it sends back to one. */
        route_begin4(w, network, network->id, ROUTE_UPLINK, &link_to_host);
        route_by_destination(w, false);
        leave(w, network);
    }
    /* Other link-local addresses do not leave their link (RFC 3927, 7). */
    route_begin4(w, network, network->id, ROUTE_UPLINK, &link);
    stage_to_service(w, SERVICE_NO_ROUTE, network->id);
    writer_end(w);
}

static void
routes6(struct writer *w, const struct topology_network *network)
{
    const struct subnet6 everywhere = { .is_set = true };
    const struct intent_uplink *uplink = network->nat->intent;
    struct ip6_addr next_hop = intent_uplink_next_hop6(uplink);

    if (uplink->address6.is_set) {
        struct subnet6 own = uplink->address6;

        own.addr = ip6_masked(own.addr, own.len);
        route_begin6(w, network, network->id, ROUTE_UPLINK, &own);
        route_by_destination(w, true);
        leave(w, network);
    }
    if (ip6_addr_is_set(next_hop)) {
        route_begin6(w, network, network->id, ROUTE_UPLINK, &everywhere);
        route_by6(w, &next_hop);
        leave(w, network);
    }
}

/* ---- Translation ---- */

static void
begin(struct writer *w, uint16_t priority, uint64_t cookie,
      const struct topology_network *network)
{
    writer_begin(w, STAGE_NAT_OUT, priority, cookie);
    writer_match(w, FIELD_METADATA, network->id);
    writer_match(w, FIELD_REG10, network->nat->nat->number);
}

/* It is outside from here on. */
static void
translate(struct writer *w, const struct topology_network *network,
          const struct ip6_addr *source, const struct port_range *ports)
{
    uint32_t mark;

    writer_set(w, FIELD_METADATA, network->nat->id);
    mark = writer_begin_ct(w, source ? network->zone
                                     : network->nat->nat->zone,
                           STAGE_NAT_OUT_STATE, CT_COMMIT);
    if (source) {
        writer_nat(w, NAT_SRC, source, ports);
    }
    writer_set(w, FIELD_CT_MARK, network->mark);
    writer_end_ct(w, mark);
    writer_end(w);
}

/* Ports of forwards are not for those who begin a connection. */
static void
by_protocol(struct writer *w, const struct topology_network *network,
            const struct ip6_addr *source)
{
    static const uint8_t protocols[N_NAT_PROTOCOLS] = {
        [NAT_TCP] = IP_PROTO_TCP, [NAT_UDP] = IP_PROTO_UDP,
        [NAT_SCTP] = IP_PROTO_SCTP,
    };

    for (unsigned int i = 0; i < N_NAT_PROTOCOLS; i++) {
        struct port_range ports = { network->nat->nat->ports[i].first,
                                    network->nat->nat->ports[i].last };

        if (ports.first) {
            begin(w, PRIORITY_PROTOCOL, network->id, network);
            if (ip6_is_mapped4(source)) {
                writer_match_ip(w);
            } else {
                writer_match_ipv6(w);
            }
            writer_match(w, FIELD_IP_PROTO, protocols[i]);
            translate(w, network, source, &ports);
        }
    }
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_uplink *uplink = network->nat->intent;
    struct ip6_addr source = ip6_of_ip4(intent_uplink_external(uplink));
    struct ip6_addr source6 = intent_uplink_external6(uplink);

    if (intent_uplink_external(uplink) && topology_has_gateway(network)) {
        routes4(w, network);
        by_protocol(w, network, &source);
        begin(w, PRIORITY_REST, network->id, network);
        writer_match_ip(w);
        translate(w, network, &source, NULL);
    }
    if (ip6_addr_is_set(source6) && topology_has_gateway6(network)) {
        bool is_translated = network->intent->nat6 == NAT6_MASQUERADE;

        routes6(w, network);
        if (is_translated) {
            by_protocol(w, network, &source6);
        }
        begin(w, PRIORITY_REST, network->id, network);
        writer_match_ipv6(w);
        if (network->intent->nat6 == NAT6_PREFIX) {
            /* Of an address that is no port's. */
            writer_end(w);
        } else {
            translate(w, network, is_translated ? &source6 : NULL, NULL);
        }
    }
}

/* Each of its addresses, as it is called outside. */
static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_network *network = member->network->intent;

    if (network->nat6 != NAT6_PREFIX
        || !topology_has_gateway6(member->network)) {
        return;
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        const struct ip6_addr *inside = &member->addresses6[i];
        struct ip6_addr outside;

        if (ip6_is_within(*inside, network->subnet6.addr,
                          network->subnet6.len)
            && npt6_map(*inside, network->prefix6.addr, network->prefix6.len,
                        &outside)) {
            begin(w, PRIORITY_PREFIX, member->port->id, member->network);
            nat_match(w, true, inside);
            translate(w, member->network, &outside, NULL);
        }
    }
}

static void
forward_flows(struct writer *w, const struct topology_forward *forward)
{
    struct ip6_addr address = intent_forward_arrival(forward->intent);

    if (intent_forward_is_floating(forward->intent)
        && ip6_addr_is_set(forward->target)) {
        begin(w, PRIORITY_FLOATING, forward->id, forward->network);
        nat_match(w, true, &forward->target);
        translate(w, forward->network, &address, NULL);
    }
}

/* ---- Tunnels of our own ---- */

/* `port`: of UDP; 0: GRE. */
static void
drop_forged(struct writer *w, const struct topology_uplink *uplink,
            const struct ip6_addr *end, uint16_t port)
{
    writer_begin(w, STAGE_NAT_OUT, PRIORITY_TUNNEL, uplink->id);
    writer_match(w, FIELD_REG10, uplink->nat->number);
    nat_match(w, false, end);
    writer_match(w, FIELD_IP_PROTO, port ? IP_PROTO_UDP : IP_PROTO_GRE);
    if (port) {
        writer_match(w, FIELD_UDP_DST, port);
    }
    writer_end(w);
}

static void
uplink_flows(struct writer *w, const struct topology *t,
             const struct topology_uplink *uplink)
{
    unsigned int n;
    const struct topology_host *hosts = topology_hosts(t, &n);

    for (unsigned int i = 0; i < n; i++) {
        const struct ip6_addr *end = &hosts[i].intent->tunnel;

        drop_forged(w, uplink, end, VXLAN_PORT);
        drop_forged(w, uplink, end, GENEVE_PORT);
        drop_forged(w, uplink, end, 0);
    }
}

void
stage_nat_out(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_NAT_OUT, STAGE_NEXT_HOP);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->topology, subject->uplink);
    } else if (subject->kind == SUBJECT_NETWORK && subject->network->nat) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER
               && subject->member->network->nat) {
        member_flows(w, subject->member);
    } else if (subject->kind == SUBJECT_FORWARD) {
        forward_flows(w, subject->forward);
    }
}
