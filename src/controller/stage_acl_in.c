/* What a port's security groups let it hear.  Only what is on its way to such a
 * port comes here; without a flow that knows the port, its IP ends here. */
#include "controller/acl.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { PRIORITY_TAGGED = 250, PRIORITY_EXEMPT = 200, PRIORITY_IP = 50 };

static void
begin_to(struct writer *w, uint16_t priority,
         const struct topology_member *member)
{
    writer_begin(w, STAGE_ACL_IN, priority, member->port->id);
    writer_match(w, FIELD_METADATA, member->network->id);
    writer_match(w, FIELD_REG15, member->port->number);
}

static void
drop(struct writer *w, uint16_t eth_type)
{
    stage_begin_base(w, STAGE_ACL_IN, PRIORITY_IP);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    writer_end(w);
}

/* What a gateway answers, or says of packets that go no further. */
static void
from_gateway6(struct writer *w, const struct topology_network *network,
              const struct ip6_addr *gateway)
{
    stage_begin_network(w, STAGE_ACL_IN, PRIORITY_EXEMPT, network);
    writer_match_ipv6(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_ICMPV6);
    writer_match_ip6(w, FIELD_IPV6_SRC, gateway);
    writer_goto(w, acl_in.next);
    writer_end(w);
}

/* A network's gateway is known by its address where it leads to, too. */
static void
from_gateway(struct writer *w, const struct topology_network *network,
             const struct topology_network *of)
{
    const struct intent_network *intent = of->intent;

    if (topology_has_gateway(of)) {
        stage_begin_network(w, STAGE_ACL_IN, PRIORITY_EXEMPT, network);
        writer_match_ip(w);
        writer_match(w, FIELD_IP_PROTO, IP_PROTO_ICMP);
        writer_match_ip4(w, FIELD_IPV4_SRC, intent->gateway);
        writer_goto(w, acl_in.next);
        writer_end(w);
    }
    if (topology_has_gateway6(of)) {
        struct ip6_addr link_local = topology_link_local(intent->gateway_mac);

        from_gateway6(w, network, &intent->gateway6);
        if (of == network) {
            from_gateway6(w, network, &link_local);
        }
    }
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct topology_network *of;

    for (unsigned int i = 0; (of = topology_reach(network, i)); i++) {
        from_gateway(w, network, of);
    }
}

void
stage_acl_in(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        /* What is inside of a customer's own tag is not looked at. */
        stage_begin_base(w, STAGE_ACL_IN, PRIORITY_TAGGED);
        stage_match_flag(w, WITH_TAG, true);
        writer_end(w);
        acl_exempt(w, &acl_in, STAGE_ACL_IN, PRIORITY_EXEMPT);
        drop(w, ETH_TYPE_IP);
        drop(w, ETH_TYPE_IPV6);
        stage_else(w, STAGE_ACL_IN, (enum stage_table) acl_in.next);
    } else if (subject->kind == SUBJECT_NETWORK
               && subject->network->n_secured) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER
               && subject->member->port->security
               && subject->member->port->security->number
               && subject->member->port->zone) {
        acl_enter(w, &acl_in, subject->member, begin_to, false);
        acl_enter(w, &acl_in, subject->member, begin_to, true);
    }
}

void
stage_acl_in_state(struct writer *w, const struct subject *subject)
{
    acl_state(w, &acl_in, subject);
}

void
stage_acl_in_rules(struct writer *w, const struct subject *subject)
{
    acl_rules(w, &acl_in, subject);
}
