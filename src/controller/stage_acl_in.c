/* What a port's security groups let it hear.  Only what is on its way to such a
 * port comes here; without a flow that knows the port, its IP ends here. */
#include "controller/acl.h"
#include "packet/eth.h"

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
