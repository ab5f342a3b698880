/* ND security: who has an address is said only by its port.
 *
 * A solicitation's source link-layer address must be the sender's own, or not
 * be given; an advertisement must be about an address of the port's, with its
 * own MAC (RFC 4861 section 11.1 tells what happens else). */
#include "controller/stage.h"
#include "packet/ip.h"

enum { PRIORITY_OWN = 100, PRIORITY_REST = 50 };

static void
begin(struct writer *w, const struct topology_member *member, uint8_t type)
{
    stage_begin_from(w, STAGE_ND_SECURITY, PRIORITY_OWN, member);
    writer_match_icmp6(w, type);
}

static void
pass(struct writer *w)
{
    writer_goto(w, STAGE_GUARD);
    writer_end(w);
}

static void
solicit(struct writer *w, const struct topology_member *member,
        struct eth_addr mac)
{
    begin(w, member, ND_SOLICIT);
    writer_match_eth(w, FIELD_ETH_SRC, mac);
    writer_match_eth(w, FIELD_ND_SLL, mac);
    pass(w);
}

static void
advert(struct writer *w, const struct topology_member *member,
       struct eth_addr mac, const struct subnet6 *subnet)
{
    static const struct eth_addr none;

    begin(w, member, ND_ADVERT);
    writer_match_subnet6(w, FIELD_ND_TARGET, subnet);
    writer_match_eth(w, FIELD_ND_TLL, mac);
    pass(w);

    begin(w, member, ND_ADVERT);
    writer_match_eth(w, FIELD_ETH_SRC, mac);
    writer_match_subnet6(w, FIELD_ND_TARGET, subnet);
    writer_match_eth(w, FIELD_ND_TLL, none);
    pass(w);
}

static void
own(struct writer *w, const struct topology_member *member)
{
    static const struct subnet6 any = { .is_set = true };
    const struct intent_network *network = member->network->intent;
    struct eth_addr mac = member->port->intent->mac;

    solicit(w, member, mac);
    if (intent_network_is_bridged(network) && !network->subnet6.is_set) {
        advert(w, member, mac, &any);
        return;
    }
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        struct subnet6 one = { true, 128, member->addresses6[i] };

        advert(w, member, mac, &one);
    }
}

static void
drop(struct writer *w, const struct topology_member *member, uint8_t type)
{
    stage_begin_from(w, STAGE_ND_SECURITY, PRIORITY_REST, member);
    writer_match_icmp6(w, type);
    writer_end(w);
}

static void
member_flows(struct writer *w, const struct topology_member *member)
{
    const struct intent_port *port = member->port->intent;

    if (port->is_spoof_ok) {
        return;
    }
    own(w, member);
    for (unsigned int i = 0; i < port->n_allow; i++) {
        const struct port_allow *allow = &port->allow[i];
        struct eth_addr mac = allow->has_mac ? allow->mac : port->mac;

        if (allow->subnet6.is_set) {
            advert(w, member, mac, &allow->subnet6);
        }
        if (allow->subnet6.is_set && allow->has_mac) {
            solicit(w, member, mac);
        }
    }
    drop(w, member, ND_SOLICIT);
    drop(w, member, ND_ADVERT);
}

static void
base(struct writer *w)
{
    static const struct eth_addr none;

    stage_begin_base(w, STAGE_ND_SECURITY, PRIORITY_OWN);
    writer_match_icmp6(w, ND_SOLICIT);
    writer_match_eth(w, FIELD_ND_SLL, none);
    pass(w);
    stage_else(w, STAGE_ND_SECURITY, STAGE_GUARD);
}

void
stage_nd_security(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        base(w);
    } else if (subject->kind == SUBJECT_MEMBER) {
        member_flows(w, subject->member);
    }
}
