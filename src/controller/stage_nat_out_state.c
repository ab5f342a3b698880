/* NAT out, state: does it have a source that is known outside?
 *
 * A packet whose connection could not be made, because there was no room or it
 * is none that could be, has its inside address still, and ends here. */
#include "controller/stage_nat.h"
#include "packet/address.h"

enum { PRIORITY_KNOWN = 100, PRIORITY_INSIDE = 10 };

enum { CT_STATE_REPLY = 1 << 3, CT_STATE_INVALID = 1 << 4,
       CT_STATE_TRACKED = 1 << 5 };

static void
on(struct writer *w)
{
    writer_goto(w, STAGE_NEXT_HOP);
    writer_end(w);
}

static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    const struct uplink_nat *nat = uplink->nat;

    for (unsigned int i = 0; i < nat->n_addresses; i++) {
        nat_begin(w, STAGE_NAT_OUT_STATE, PRIORITY_KNOWN, uplink->id, uplink);
        nat_match(w, true, &nat->addresses[i]);
        on(w);
    }
    nat_begin(w, STAGE_NAT_OUT_STATE, PRIORITY_INSIDE, uplink->id, uplink);
    writer_end(w);
}

/* IPv6 that is routed as it is, or has a prefix of its own outside. */
static void
network_flows(struct writer *w, const struct topology_network *network)
{
    if (network->intent->nat6 != NAT6_MASQUERADE
        && topology_has_gateway6(network)) {
        struct subnet6 outside = intent_network_outside6(network->intent);

        nat_begin(w, STAGE_NAT_OUT_STATE, PRIORITY_KNOWN, network->id,
                  network->nat);
        writer_match_ipv6(w);
        writer_match_subnet6(w, FIELD_IPV6_SRC,
                             network->intent->nat6 == NAT6_PREFIX
                             ? &outside
                             : &network->intent->subnet6);
        writer_match_masked(w, FIELD_CT_STATE, CT_STATE_TRACKED,
                            CT_STATE_TRACKED | CT_STATE_INVALID);
        on(w);
    }
}

/* An answer to somebody inside who came by the host's own address: it is not
 * ours, but his connection calls it so. */
static void
forward_flows(struct writer *w, const struct topology_forward *forward)
{
    struct ip6_addr address = intent_forward_address(forward->intent);
    struct ip6_addr arrival = intent_forward_arrival(forward->intent);

    if (!ip6_addr_eq(address, arrival)) {
        nat_begin(w, STAGE_NAT_OUT_STATE, PRIORITY_KNOWN, forward->id,
                  forward->uplink);
        nat_match(w, true, &address);
        writer_match_masked(w, FIELD_CT_STATE,
                            CT_STATE_TRACKED | CT_STATE_REPLY,
                            CT_STATE_TRACKED | CT_STATE_REPLY);
        on(w);
    }
}

void
stage_nat_out_state(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, STAGE_NAT_OUT_STATE, 0);
        writer_end(w);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_NETWORK && subject->network->nat) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_FORWARD) {
        forward_flows(w, subject->forward);
    }
}
