/* What a port's security groups let it send.  Ports without any go by. */
#include "controller/acl.h"
#include "packet/ip.h"

enum { PRIORITY_GATEWAY = 120, PRIORITY_MANY = 110 };

enum { ECHO_REQUEST = 8, ECHO6_REQUEST = 128 };

static void
begin_from(struct writer *w, uint16_t priority,
           const struct topology_member *member)
{
    stage_begin_from(w, STAGE_ACL_OUT, priority, member);
}

/* A packet for many has no answer that would need to be known. */
static void
member_flows(struct writer *w, const struct topology_member *member)
{
    acl_enter(w, &acl_out, member, begin_from, false);
    if (member->port->security->limits_out) {
        acl_enter(w, &acl_out, member, begin_from, true);
    } else {
        begin_from(w, PRIORITY_MANY, member);
        stage_match_group_address(w);
        writer_goto(w, acl_out.next);
        writer_end(w);
    }
}

static void
ping6(struct writer *w, const struct topology_network *network,
      const struct ip6_addr *gateway)
{
    stage_begin_network(w, STAGE_ACL_OUT, PRIORITY_GATEWAY, network);
    writer_match_icmp6(w, ECHO6_REQUEST);
    writer_match_ip6(w, FIELD_IPV6_DST, gateway);
    writer_goto(w, acl_out.next);
    writer_end(w);
}

/* Is there a gateway?  Whoever asks is told. */
static void
network_flows(struct writer *w, const struct topology_network *network)
{
    const struct intent_network *intent = network->intent;

    if (topology_has_gateway(network)) {
        stage_begin_network(w, STAGE_ACL_OUT, PRIORITY_GATEWAY, network);
        writer_match_icmp(w, ECHO_REQUEST);
        writer_match_ip4(w, FIELD_IPV4_DST, intent->gateway);
        writer_goto(w, acl_out.next);
        writer_end(w);
    }
    if (topology_has_gateway6(network)) {
        struct ip6_addr link_local = topology_link_local(intent->gateway_mac);

        ping6(w, network, &intent->gateway6);
        ping6(w, network, &link_local);
    }
}

void
stage_acl_out(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_ACL_OUT, (enum stage_table) acl_out.next);
    } else if (subject->kind == SUBJECT_NETWORK
               && subject->network->n_secured) {
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_MEMBER
               && subject->member->port->security) {
        member_flows(w, subject->member);
    }
}

void
stage_acl_out_state(struct writer *w, const struct subject *subject)
{
    acl_state(w, &acl_out, subject);
}

void
stage_acl_out_rules(struct writer *w, const struct subject *subject)
{
    acl_rules(w, &acl_out, subject);
}
