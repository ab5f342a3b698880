/* Security groups: what belongs to a connection, and who the other end is. */
#include "controller/acl.h"
#include "controller/writer_ct.h"
#include "intent/security_rule.h"
#include "packet/eth.h"
#include "packet/ip.h"

const struct acl_way acl_in = {
    true, STAGE_ACL_IN_STATE, STAGE_ACL_IN_RULES, STAGE_OUTPUT,
    FIELD_IPV4_SRC, FIELD_IPV6_SRC,
};
const struct acl_way acl_out = {
    false, STAGE_ACL_OUT_STATE, STAGE_ACL_OUT_RULES, STAGE_NAT_IN,
    FIELD_IPV4_DST, FIELD_IPV6_DST,
};

enum { ENTER = 100, ENTER_UNTRACKED = 110 };

enum { STATE_EXEMPT = 250, STATE_INVALID = 200, STATE_RELATED = 150,
       STATE_OURS = 100, STATE_OVER = 80, STATE_PEER = 60 };

/* ---- In ---- */

static void
enter(struct writer *w, const struct acl_way *way,
      const struct topology_member *member, acl_begin *begin,
      uint16_t eth_type, bool is_untracked)
{
    const struct topology_port *port = member->port;
    uint32_t class = port->security->number;

    begin(w, is_untracked ? ENTER_UNTRACKED : ENTER, member);
    writer_match(w, FIELD_ETH_TYPE, eth_type);
    if (is_untracked) {
        stage_match_group_address(w);
        writer_set(w, FIELD_REG9, class | ACL_UNTRACKED);
        writer_goto(w, way->state);
    } else {
        writer_set(w, FIELD_REG9, class);
        writer_end_ct(w, writer_begin_ct(w, (uint16_t) port->zone, way->state,
                                         CT_LOOK));
    }
    writer_end(w);
}

void
acl_enter(struct writer *w, const struct acl_way *way,
          const struct topology_member *member, acl_begin *begin,
          bool is_untracked)
{
    enter(w, way, member, begin, ETH_TYPE_IP, is_untracked);
    enter(w, way, member, begin, ETH_TYPE_IPV6, is_untracked);
}

/* What comes next is not told of the port's own connection. */
void
acl_leave(struct writer *w, const struct acl_way *way)
{
    if (!way->is_in) {
        writer_ct_clear(w);
    }
    writer_goto(w, way->next);
}

/* ---- What is never asked for ---- */

static void
pass_dhcp(struct writer *w, const struct acl_way *way, enum stage_table table,
          uint16_t priority, bool is_six)
{
    uint16_t client = is_six ? 546 : 68, server = is_six ? 547 : 67;
    uint16_t src = way->is_in ? server : client;
    uint16_t dst = way->is_in ? client : server;

    stage_begin_base(w, table, priority);
    if (is_six) {
        writer_match_udp6(w, src, dst);
    } else {
        writer_match_udp(w, src, dst);
    }
    if (way->is_in) {
        stage_match_flag(w, FROM_UPLINK, true);
    }
    acl_leave(w, way);
    writer_end(w);
}

void
acl_exempt(struct writer *w, const struct acl_way *way,
           enum stage_table table, uint16_t priority)
{
    /* MLD, and neighbour discovery. */
    static const uint8_t types[] = { 130, 131, 132, 133, 134, 135, 136, 137,
                                     143 };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        stage_begin_base(w, table, priority);
        writer_match_icmp6(w, types[i]);
        acl_leave(w, way);
        writer_end(w);
    }
    stage_begin_base(w, table, priority);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    acl_leave(w, way);
    writer_end(w);
    pass_dhcp(w, way, table, priority, false);
    pass_dhcp(w, way, table, priority, true);
}

/* ---- State ---- */

static void
match_state(struct writer *w, uint32_t state, uint32_t mask)
{
    writer_match_masked(w, FIELD_REG9, 0, ACL_UNTRACKED);
    writer_match_masked(w, FIELD_CT_STATE, FLOW_CT_TRK | state,
                        FLOW_CT_TRK | mask);
}

static void
base(struct writer *w, const struct acl_way *way)
{
    enum stage_table table = (enum stage_table) way->state;

    acl_exempt(w, way, table, STATE_EXEMPT);

    stage_begin_base(w, table, STATE_INVALID);
    match_state(w, FLOW_CT_INV, FLOW_CT_INV);
    writer_end(w);

    stage_begin_base(w, table, STATE_RELATED);
    match_state(w, FLOW_CT_REL, FLOW_CT_REL | FLOW_CT_INV);
    acl_leave(w, way);
    writer_end(w);

    stage_begin_base(w, table, STATE_OURS);
    match_state(w, 0, FLOW_CT_INV);
    writer_match_masked(w, FIELD_CT_LABEL, ACL_LABEL_OURS,
                        ACL_LABEL_OURS | ACL_LABEL_CUT);
    acl_leave(w, way);
    writer_end(w);

    /* An answer in a connection whose rule is gone.  What the other end says in
     * it is judged anew. */
    stage_begin_base(w, table, STATE_OVER);
    match_state(w, FLOW_CT_RPL, FLOW_CT_RPL | FLOW_CT_INV);
    writer_match_masked(w, FIELD_CT_LABEL, ACL_LABEL_CUT, ACL_LABEL_CUT);
    writer_end(w);

    stage_begin_base(w, table, 0);
    writer_goto(w, way->rules);
    writer_end(w);
}

static void
alive(struct writer *w, const struct acl_way *way,
      const struct topology_security *class, uint64_t cookie, uint32_t id)
{
    writer_begin(w, way->state, STATE_OURS, cookie);
    match_state(w, 0, FLOW_CT_INV);
    writer_match_masked(w, FIELD_REG9, class->number, ACL_CLASS_MASK
                                                      | ACL_UNTRACKED);
    writer_match_masked(w, FIELD_CT_LABEL,
                        ACL_LABEL_CUT | ACL_LABEL_OURS | id, UINT32_MAX);
    acl_leave(w, way);
    writer_end(w);
}

static void
alive_rules(struct writer *w, const struct acl_way *way,
            const struct topology_security *class,
            const struct intent_security_group *group,
            const struct security_rules *rules)
{
    for (unsigned int i = 0; i < rules->n; i++) {
        if (rules->list[i].is_cut) {
            alive(w, way, class, group->object.id, rules->list[i].id);
        }
    }
}

/* Both directions' rules: answers come by the other way. */
static void
class_flows(struct writer *w, const struct acl_way *way,
            const struct topology_security *class)
{
    for (unsigned int i = 0; i < class->n_groups; i++) {
        const struct intent_security_group *group = class->groups[i];

        alive_rules(w, way, class, group, &group->in);
        alive_rules(w, way, class, group, &group->out);
    }
    if (class->is_audit) {
        alive(w, way, class, class->groups[0]->object.id, ACL_LABEL_AUDIT);
    }
}

/* ---- The other end ---- */

static void
begin_peer(struct writer *w, const struct acl_way *way,
           const struct topology_member *member,
           const struct topology_network *seen_from)
{
    writer_begin(w, way->state, STATE_PEER, member->port->id);
    writer_match(w, FIELD_METADATA, seen_from->id);
}

static void
end_peer(struct writer *w, const struct acl_way *way,
         const struct topology_member *member)
{
    uint32_t mask = (uint32_t) ACL_CLASS_MASK << ACL_PEER_SHIFT;

    writer_set_masked(w, FIELD_REG9,
                      member->port->security->number << ACL_PEER_SHIFT, mask);
    writer_goto(w, way->rules);
    writer_end(w);
}

/* Where the port can be reached from.  A link-local address means nothing
 * elsewhere. */
static void
member_flows(struct writer *w, const struct acl_way *way,
             const struct topology_member *member)
{
    const struct topology_network *from;

    for (unsigned int i = 0; (from = topology_reach(member->network, i));
         i++) {
        if (member->address) {
            begin_peer(w, way, member, from);
            writer_match_ip(w);
            writer_match_ip4(w, way->peer4, member->address);
            end_peer(w, way, member);
        }
        for (unsigned int k = from == member->network ? 0 : 1;
             k < member->n_addresses6; k++) {
            begin_peer(w, way, member, from);
            writer_match_ipv6(w);
            writer_match_ip6(w, way->peer6, &member->addresses6[k]);
            end_peer(w, way, member);
        }
    }
}

void
acl_state(struct writer *w, const struct acl_way *way,
          const struct subject *subject)
{
    const struct topology_security *class;

    if (subject->kind == SUBJECT_BASE) {
        base(w, way);
    } else if (subject->kind == SUBJECT_SECURITY) {
        class_flows(w, way, subject->security);
    } else if (subject->kind == SUBJECT_MEMBER
               || subject->kind == SUBJECT_AWAY) {
        class = subject->member->port->security;
        if (class && class->number
            && (way->is_in ? class->is_peer_in : class->is_peer_out)) {
            member_flows(w, way, subject->member);
        }
    }
}
