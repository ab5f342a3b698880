/* Forward: what nobody inside has begun comes in by a forward, or not at all.
 *
 * The connection is tracked in the network's zone, where its answers are looked
 * for on the way out; the client's address stays. */
#include "controller/stage_nat.h"
#include "packet/address.h"

enum { PRIORITY_FORWARD = 100, PRIORITY_CLOSED = 10 };

static void
lead(struct writer *w, const struct topology_forward *forward,
     const struct ip6_addr *listen, struct port_block block)
{
    const struct forward_target *to = &forward->intent->to;
    struct port_range port = { 0, 0 };
    uint32_t mark;

    if (to->first) {
        port.first = intent_forward_port(forward->intent, block.value);
        port.last = port.first;
    }
    nat_begin(w, STAGE_FORWARD, PRIORITY_FORWARD, forward->id,
              forward->uplink);
    nat_match(w, false, listen);
    nat_match_ports(w, forward->intent, block);
    writer_set(w, FIELD_REG8, NAT_LED);
    mark = writer_begin_ct(w, forward->network->zone, STAGE_NAT_IN_STATE,
                           CT_COMMIT);
    writer_nat(w, NAT_DST, &forward->target, &port);
    writer_set(w, FIELD_CT_MARK, forward->network->mark);
    writer_end_ct(w, mark);
    writer_end(w);
}

/* Ports that stay what they are need no flow each. */
static void
at_address(struct writer *w, const struct topology_forward *forward,
           const struct ip6_addr *address)
{
    const struct forward_listen *listen = &forward->intent->listen;
    struct port_block blocks[NAT_MAX_BLOCKS];
    unsigned int n;

    if (forward->intent->to.first) {
        for (uint32_t port = listen->first; port <= listen->last; port++) {
            lead(w, forward, address,
                 (struct port_block) { (uint16_t) port, UINT16_MAX });
        }
        return;
    }
    n = nat_port_blocks(listen->first, listen->last, blocks);
    for (unsigned int i = 0; i < n; i++) {
        lead(w, forward, address, blocks[i]);
    }
}

static void
forward_flows(struct writer *w, const struct topology_forward *forward)
{
    struct ip6_addr arrival = intent_forward_arrival(forward->intent);
    struct ip6_addr address = intent_forward_address(forward->intent);

    if (intent_forward_is_floating(forward->intent)
        || !ip6_addr_is_set(forward->target)) {
        return;
    }
    at_address(w, forward, &arrival);
    /* From inside it is called as from outside, and the host is not asked. */
    if (!ip6_addr_eq(arrival, address)) {
        at_address(w, forward, &address);
    }
}

void
stage_forward(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_FORWARD, 0);
        writer_end(w);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        nat_begin(w, STAGE_FORWARD, PRIORITY_CLOSED, subject->uplink->id,
                  subject->uplink);
        writer_end(w);
    } else if (subject->kind == SUBJECT_FORWARD) {
        forward_flows(w, subject->forward);
    }
}
