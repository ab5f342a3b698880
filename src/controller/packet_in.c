#include "controller/packet_in.h"

#include "packet/address.h"
#include "packet/eth.h"

void
packet_in_serve(struct packet_in_table *table, enum service_id service,
                packet_in_function *function, void *aux)
{
    table->services[service].function = function;
    table->services[service].aux = aux;
}

void
packet_in_serve_lan(struct packet_in_table *table, enum service_id service)
{
    table->services[service].is_lan_served = true;
}

void
packet_in_serve_all(struct packet_in_table *table, enum service_id service,
                    packet_in_function *function, void *aux)
{
    packet_in_serve(table, service, function, aux);
    table->services[service].is_all_served = true;
}

/* By the network's own uplink? */
static bool
is_from_lan(const struct topology_network *network, const struct flow *flow)
{
    return network && network->uplink && network->uplink->number
           && network->uplink->number == be32toh(flow->regs[14])
           && network->id == be64toh(flow->metadata);
}

void
packet_in_dispatch(struct packet_in_table *table, const struct topology *t,
                   const struct of_packet_in *in)
{
    const struct flow *flow = &in->match.value;
    struct packet_in event = { .flow = flow, .frame = in->data.data,
                               .len = in->data.len };
    struct userdata u;

    if (!userdata_decode(in->userdata.data, in->userdata.len, &u)) {
        table->counters.n_foreign++;
        return;
    }
    table->counters.n_seen[u.service]++;
    if (!table->services[u.service].function) {
        table->counters.n_unserved++;
        return;
    }
    event.uplink = topology_uplink(t, u.object);
    event.in_port = flow_in_port(flow);
    event.network = topology_network(t, u.object);
    event.member = topology_member(t, be64toh(flow->metadata),
                                   be32toh(flow->regs[14]));
    if (table->services[u.service].is_all_served) {
        /* A packet may have been in other networks on its way. */
        event.in_port = be32toh(flow->regs[14]);
    } else if (event.uplink
        ? u.service != SERVICE_LACP && u.service != SERVICE_ND
        : ((!event.network || !event.member
            || event.member->network != event.network)
           && !(table->services[u.service].is_lan_served
                && is_from_lan(event.network, flow)))) {
        table->counters.n_stale++;
        return;
    }
    table->services[u.service].function(table->services[u.service].aux,
                                        &event);
}

static void
write_actions(uint32_t number, uint16_t tpid, uint16_t vid,
              struct actions *actions)
{
    if (vid) {
        struct action_push *push = actions_add(actions, ACTION_PUSH_VLAN,
                                               sizeof *push);

        push->eth_type = tpid;
        actions_add_set_field(actions, FIELD_VLAN_VID,
                              FLOW_VLAN_PRESENT | vid,
                              field_ones(field_by_id(FIELD_VLAN_VID)));
    }
    actions_add_output(actions, number);
}

bool
packet_in_send_by(struct packet_in_table *table,
                  struct switch_session *session, uint32_t number,
                  uint16_t tpid, uint16_t vid, const void *frame, size_t len)
{
    struct actions actions = { NULL, 0, 0 };
    bool is_sent = false;

    if (number) {
        write_actions(number, tpid, vid, &actions);
        is_sent = switch_session_packet_out(session, OFPP_CONTROLLER,
                                            actions_list(&actions), frame,
                                            len);
        actions_fini(&actions);
    }
    table->counters.n_out += is_sent;
    table->counters.n_out_lost += !is_sent;
    return is_sent;
}

static void
set_field(struct actions *actions, enum field_id field, u128 value)
{
    actions_add_set_field(actions, field, value,
                          field_ones(field_by_id(field)));
}

bool
packet_in_send_tunnel(struct packet_in_table *table,
                      struct switch_session *session, uint32_t number,
                      uint32_t key, const struct ip6_addr *end,
                      const void *frame, size_t len)
{
    struct actions actions = { NULL, 0, 0 };
    bool is_sent;

    set_field(&actions, FIELD_TUN_ID, key);
    if (ip6_is_mapped4(end)) {
        set_field(&actions, FIELD_TUN_DST, be32toh(get_be32(&end->b[12])));
    } else {
        set_field(&actions, FIELD_TUN_IPV6_DST, ip6_value(end));
    }
    actions_add_output(&actions, number);
    is_sent = switch_session_packet_out(session, OFPP_CONTROLLER,
                                        actions_list(&actions), frame, len);
    actions_fini(&actions);
    table->counters.n_out += is_sent;
    table->counters.n_out_lost += !is_sent;
    return is_sent;
}

bool
packet_in_inject(struct packet_in_table *table, struct switch_session *session,
                 const struct packet_in_entry *at, const void *frame,
                 size_t len)
{
    struct actions actions = { NULL, 0, 0 };
    struct action_resubmit *resubmit;
    bool is_sent;

    set_field(&actions, FIELD_METADATA, at->place);
    if (at->flood) {
        set_field(&actions, FIELD_REG13, at->flood);
    }
    if (at->port) {
        set_field(&actions, FIELD_REG15, at->port);
    }
    resubmit = actions_add(&actions, ACTION_RESUBMIT, sizeof *resubmit);
    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table = at->table;
    is_sent = switch_session_packet_out(session, table->entrance,
                                        actions_list(&actions), frame, len);
    actions_fini(&actions);
    table->counters.n_out += is_sent;
    table->counters.n_out_lost += !is_sent;
    return is_sent;
}

bool
packet_in_send(struct packet_in_table *table, struct switch_session *session,
               const struct topology_member *member, const void *frame,
               size_t len)
{
    return packet_in_send_by(table, session, member->port->number,
                             ETH_TYPE_VLAN, member->vid, frame, len);
}
