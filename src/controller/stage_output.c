/* Output: the tag that the other side expects, and out.
 *
 * Port and network must belong together: whatever went wrong before, nothing
 * leaves by a port that is not in the packet's network, nor from one isolated
 * port to another.  The tag is taken off again afterwards, because a flood goes
 * on with the same packet. */
#include "controller/stage_tunnel.h"
#include "packet/address.h"
#include "packet/eth.h"

enum { PRIORITY_BACK = 120, PRIORITY_ISOLATED = 110, PRIORITY_PORT = 100 };

static void
begin(struct writer *w, uint16_t priority, uint64_t cookie,
      const struct topology_network *network, uint32_t number)
{
    writer_begin(w, STAGE_OUTPUT, priority, cookie);
    writer_match(w, FIELD_METADATA, network->id);
    writer_match(w, FIELD_REG15, number);
}

static void
with_tag(struct writer *w, uint16_t tpid, uint16_t vid, uint32_t number)
{
    if (vid) {
        writer_push_vlan(w, tpid, vid);
    }
    writer_output(w, number);
    if (vid) {
        writer_pop_vlan(w);
    }
}

static void
by_bond(struct writer *w, const struct uplink_links *links)
{
    writer_bundle(w, links->is_spread ? BUNDLE_HRW : BUNDLE_ACTIVE_BACKUP,
                  links->tx, links->n_tx);
}

static void
to_bond(struct writer *w, const struct topology_network *network)
{
    const struct segment *segment = &network->intent->segment;

    if (segment->vid) {
        writer_push_vlan(w, segment->is_service_tag ? ETH_TYPE_QINQ
                                                    : ETH_TYPE_VLAN,
                         segment->vid);
    }
    by_bond(w, &network->uplink->links);
    if (segment->vid) {
        writer_pop_vlan(w);
    }
}

/* A frame of the LAN's does not return by another member: the switch itself
 * only knows not to send it back by the one that it came by. */
static void
bond_flows(struct writer *w, const struct topology_network *network)
{
    begin(w, PRIORITY_BACK, network->id, network, BOND_NUMBER);
    stage_match_flag(w, FROM_UPLINK, true);
    writer_end(w);

    begin(w, PRIORITY_PORT, network->id, network, BOND_NUMBER);
    if (network->uplink->links.n_tx) {
        to_bond(w, network);
    }
    writer_end(w);
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct topology_port *port = member->port;

    if (port->intent->is_isolated) {
        begin(w, PRIORITY_ISOLATED, port->id, member->network, port->number);
        stage_match_flag(w, FROM_ISOLATED, true);
        writer_end(w);
    }
    begin(w, PRIORITY_PORT, port->id, member->network, port->number);
    if (port->intent->is_isolated) {
        stage_match_flag(w, FROM_ISOLATED, false);
    }
    if (port->intent->rate_in) {
        writer_meter(w, METER_RATE_IN + port->number);
    }
    with_tag(w, ETH_TYPE_VLAN, member->vid, port->number);
    if (port->mirror && port->mirror->number) {
        writer_output(w, port->mirror->number);
    }
    writer_end(w);
}

/* Answers of ours go back to the end that asked. */
static void
back_by_tunnel(struct writer *w, const struct topology_network *network,
               uint32_t number, const struct ip6_addr *own_end)
{
    bool is_ip6 = !ip6_is_mapped4(own_end);

    begin(w, PRIORITY_PORT, network->id, network, number);
    writer_move(w, is_ip6 ? FIELD_TUN_IPV6_SRC : FIELD_TUN_SRC,
                is_ip6 ? FIELD_TUN_IPV6_DST : FIELD_TUN_DST);
    writer_output(w, number);
    writer_end(w);
}

static void
network_flows(struct writer *w, const struct topology *t,
              const struct topology_network *network)
{
    const struct segment *segment = &network->intent->segment;

    if (tunnel_of(t, network)) {
        back_by_tunnel(w, network, tunnel_of(t, network),
                       topology_own_end(t));
    }

    if (network->uplink && network->uplink->number == BOND_NUMBER) {
        bond_flows(w, network);
    } else if (network->uplink && network->uplink->number) {
        begin(w, PRIORITY_PORT, network->id, network,
              network->uplink->number);
        with_tag(w, segment->is_service_tag ? ETH_TYPE_QINQ : ETH_TYPE_VLAN,
                 segment->vid, network->uplink->number);
        writer_end(w);
    }
    if (topology_host_number(network)) {
        begin(w, PRIORITY_PORT, network->id, network,
              topology_host_number(network));
        writer_output(w, topology_host_number(network));
        writer_end(w);
    }
}

/* Outside, of what is translated. */
static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    const uint32_t numbers[] = { uplink->number, uplink->host_number };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!numbers[i]) {
            continue;
        }
        writer_begin(w, STAGE_OUTPUT, PRIORITY_PORT, uplink->id);
        writer_match(w, FIELD_METADATA, uplink->id);
        writer_match(w, FIELD_REG15, numbers[i]);
        if (numbers[i] != BOND_NUMBER) {
            writer_output(w, numbers[i]);
        } else if (uplink->links.n_tx) {
            by_bond(w, &uplink->links);
        }
        writer_end(w);
    }
}

void
stage_output(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_OUTPUT, 0);
        writer_end(w);
    } else if (subject->kind == SUBJECT_NETWORK) {
        network_flows(w, subject->topology, subject->network);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
