/* Security groups: what a rule lets pass. */
#include "controller/acl.h"
#include "controller/writer_ct.h"
#include "intent/security_rule.h"
#include "packet/eth.h"
#include "packet/ip.h"

/* What a rule that stays allows is not to hang on one that can be cut. */
enum { RULE = 200, RULE_CUT = 150, RULE_OPEN = 100,
       RULE_FRAGMENT = 90, RULE_NONE = 20 };

/* One flow of a rule's, but for the ports. */
struct part {
    const struct acl_way *way;
    const struct topology_security *class;
    const struct security_rule *rule;
    uint64_t cookie;
    uint32_t peer;                /* a class's number; 0: any */
    int family;                   /* 4, 6; 0: any */
    bool is_untracked;
};

static uint32_t
label_of(const struct security_rule *rule)
{
    return ACL_LABEL_OURS | (rule->is_cut ? ACL_LABEL_CUT : 0) | rule->id;
}

static void
match_tracked(struct writer *w, const struct topology_security *class,
              bool is_untracked)
{
    writer_match_masked(w, FIELD_REG9,
                        class->number | (is_untracked ? ACL_UNTRACKED : 0),
                        ACL_CLASS_MASK | ACL_UNTRACKED);
    if (!is_untracked) {
        writer_match_masked(w, FIELD_CT_STATE, FLOW_CT_TRK,
                            FLOW_CT_TRK | FLOW_CT_INV);
    }
}

static void
commit_and_go(struct writer *w, const struct acl_way *way, uint32_t label)
{
    uint32_t mark = writer_begin_ct_again(w, CT_NO_TABLE, CT_COMMIT);

    writer_set(w, FIELD_CT_LABEL, label);
    writer_end_ct(w, mark);
    acl_leave(w, way);
}

/* ---- A rule ---- */

static void
begin(struct writer *w, const struct part *part)
{
    const struct security_rule *rule = part->rule;

    writer_begin(w, part->way->rules, rule->is_cut ? RULE_CUT : RULE,
                 part->cookie);
    match_tracked(w, part->class, part->is_untracked);
    if (part->peer) {
        writer_match_masked(w, FIELD_REG9,
                            part->class->number
                            | (part->is_untracked ? ACL_UNTRACKED : 0)
                            | part->peer << ACL_PEER_SHIFT, UINT32_MAX);
    }
    if (part->family) {
        writer_match(w, FIELD_ETH_TYPE,
                     part->family == 4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    }
    if (rule->subnet.is_set) {
        writer_match_subnet4(w, part->way->peer4, &rule->subnet);
    }
    if (rule->subnet6.is_set) {
        writer_match_subnet6(w, part->way->peer6, &rule->subnet6);
    }
    if (!rule->is_any) {
        writer_match(w, FIELD_IP_PROTO, rule->protocol);
    }
    /* Open vSwitch does not tell of a connection's ports without it. */
    if (!part->is_untracked && (rule->has_ports || rule->has_type)) {
        writer_match(w, FIELD_CT_NW_PROTO, rule->protocol);
    }
}

static void
end(struct writer *w, const struct part *part)
{
    if (part->is_untracked) {
        writer_goto(w, part->way->next);
    } else {
        commit_and_go(w, part->way, label_of(part->rule));
    }
    writer_end(w);
}

static enum field_id
port_field(const struct part *part)
{
    return !part->is_untracked ? FIELD_CT_TP_DST : FIELD_UDP_DST;
}

/* The fewest masks whose values are first..last. */
static void
port_flows(struct writer *w, const struct part *part)
{
    uint32_t at = part->rule->first_port, last = part->rule->last_port;

    while (at <= last) {
        uint32_t size = 1;

        while (!(at & size) && at + 2 * size - 1 <= last
               && size < 0x10000) {
            size *= 2;
        }
        begin(w, part);
        writer_match_masked(w, port_field(part), at, 0x10000 - size);
        end(w, part);
        at += size;
    }
}

static void
plain_flow(struct writer *w, const struct part *part)
{
    const struct security_rule *rule = part->rule;
    bool is_six = rule->protocol == SECURITY_ICMP6;

    begin(w, part);
    if (rule->has_type) {
        writer_match(w, part->is_untracked
                        ? (is_six ? FIELD_ICMPV6_TYPE : FIELD_ICMPV4_TYPE)
                        : FIELD_CT_TP_SRC, rule->icmp_type);
    }
    if (rule->has_code) {
        writer_match(w, part->is_untracked
                        ? (is_six ? FIELD_ICMPV6_CODE : FIELD_ICMPV4_CODE)
                        : FIELD_CT_TP_DST, rule->icmp_code);
    }
    end(w, part);
}

static void
part_flows(struct writer *w, const struct part *part)
{
    if (part->rule->has_ports
        && (part->rule->first_port || part->rule->last_port < UINT16_MAX)) {
        port_flows(w, part);
    } else {
        plain_flow(w, part);
    }
}

/* A protocol is matched with its family, and only IP is tracked. */
static void
family_flows(struct writer *w, struct part *part)
{
    const struct security_rule *rule = part->rule;

    if (part->is_untracked && rule->is_any && !rule->subnet.is_set
        && !rule->subnet6.is_set) {
        part->family = 0;
        part_flows(w, part);
        return;
    }
    for (part->family = 4; part->family <= 6; part->family += 2) {
        if (security_rule_is_of(rule, part->family == 6)) {
            part_flows(w, part);
        }
    }
}

/* Nobody opens TCP or SCTP to many. */
static bool
is_for_many(const struct security_rule *rule)
{
    return rule->is_any || (rule->protocol != SECURITY_TCP
                            && rule->protocol != SECURITY_SCTP);
}

static void
rule_flows(struct writer *w, struct part *part)
{
    part->is_untracked = false;
    family_flows(w, part);
    if (is_for_many(part->rule)) {
        part->is_untracked = true;
        family_flows(w, part);
    }
}

static void
group_flows(struct writer *w, const struct acl_way *way,
            const struct topology *t, const struct topology_security *class,
            const struct intent_security_group *group)
{
    const struct security_rules *rules = way->is_in ? &group->in : &group->out;

    for (unsigned int i = 0; i < rules->n; i++) {
        const struct security_rule *rule = &rules->list[i];
        struct part part = {
            .way = way, .class = class, .rule = rule,
            .cookie = group->object.id,
        };
        const struct topology_security *peer;

        if (!rule->peer) {
            rule_flows(w, &part);
            continue;
        }
        for (unsigned int k = 0; (peer = topology_security_of(
                                      t, group->peers[rule->peer - 1].id, k));
             k++) {
            part.peer = peer->number;
            if (part.peer) {
                rule_flows(w, &part);
            }
        }
    }
}

static void
open_flow(struct writer *w, const struct acl_way *way,
          const struct topology_security *class, uint16_t eth_type)
{
    writer_begin(w, way->rules, RULE_OPEN, class->groups[0]->object.id);
    match_tracked(w, class, false);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    commit_and_go(w, way, ACL_LABEL_OURS | ACL_LABEL_OPEN);
    writer_end(w);
}

static void
class_flows(struct writer *w, const struct acl_way *way,
            const struct subject *subject)
{
    const struct topology_security *class = subject->security;

    for (unsigned int i = 0; i < class->n_groups; i++) {
        group_flows(w, way, subject->topology, class, class->groups[i]);
    }
    if (!way->is_in && !class->limits_out) {
        open_flow(w, way, class, ETH_TYPE_IP);
        open_flow(w, way, class, ETH_TYPE_IPV6);
    }
}

/* ---- Later fragments of which the switch does not know the connection ---- */

static void
fragment_flow(struct writer *w, const struct acl_way *way, uint16_t eth_type,
              uint8_t protocol)
{
    stage_begin_base(w, (enum stage_table) way->rules, RULE_FRAGMENT);
    writer_match_masked(w, FIELD_REG9, 0, ACL_UNTRACKED);
    writer_match_masked(w, FIELD_CT_STATE, FLOW_CT_TRK,
                        FLOW_CT_TRK | FLOW_CT_INV);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    writer_match(w, FIELD_IP_FRAG, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
    writer_match(w, FIELD_IP_PROTO, protocol);
    writer_match(w, FIELD_CT_NW_PROTO, protocol);
    writer_match(w, FIELD_CT_TP_SRC, 0);
    writer_match(w, FIELD_CT_TP_DST, 0);
    commit_and_go(w, way, ACL_LABEL_OURS | ACL_LABEL_FRAGMENTS);
    writer_end(w);
}

static void
fragment_flows(struct writer *w, const struct acl_way *way)
{
    static const uint8_t protocols[] = { IP_PROTO_TCP, IP_PROTO_UDP,
                                         IP_PROTO_SCTP };

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        fragment_flow(w, way, ETH_TYPE_IP, protocols[i]);
        fragment_flow(w, way, ETH_TYPE_IPV6, protocols[i]);
    }
    fragment_flow(w, way, ETH_TYPE_IP, IP_PROTO_ICMP);
    fragment_flow(w, way, ETH_TYPE_IPV6, IP_PROTO_ICMPV6);
}

/* ---- No rule ---- */

static void
begin_none(struct writer *w, const struct acl_way *way,
           const struct topology_port *port)
{
    writer_begin(w, way->rules, RULE_NONE, port->id);
    writer_match(w, way->is_in ? FIELD_REG15 : FIELD_IN_PORT, port->number);
}

static void
audit_flow(struct writer *w, const struct acl_way *way,
           const struct topology_port *port, uint16_t eth_type)
{
    begin_none(w, way, port);
    match_tracked(w, port->security, false);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    commit_and_go(w, way, ACL_LABEL_CUT | ACL_LABEL_OURS | ACL_LABEL_AUDIT);
    writer_end(w);
}

static void
port_flows_without(struct writer *w, const struct acl_way *way,
                   const struct topology_port *port)
{
    if (!port->security->is_audit) {
        begin_none(w, way, port);
        writer_end(w);
        return;
    }
    begin_none(w, way, port);
    match_tracked(w, port->security, true);
    writer_goto(w, way->next);
    writer_end(w);
    audit_flow(w, way, port, ETH_TYPE_IP);
    audit_flow(w, way, port, ETH_TYPE_IPV6);
}

void
acl_rules(struct writer *w, const struct acl_way *way,
          const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_begin_base(w, (enum stage_table) way->rules, 0);
        writer_end(w);
        fragment_flows(w, way);
    } else if (subject->kind == SUBJECT_SECURITY) {
        if (subject->security->number) {
            class_flows(w, way, subject);
        }
    } else if (subject->kind == SUBJECT_PORT && subject->port->security
               && (way->is_in || subject->port->security->limits_out)) {
        port_flows_without(w, way, subject->port);
    }
}
