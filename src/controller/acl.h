/* Security groups in flow tables: what both directions share.
 *
 *     acl-out, acl-in               a port's packets meet the connection
 *                                   tracker, in the port's own zone
 *     acl-out-state, acl-in-state   what belongs to a connection that was
 *                                   allowed goes on; of the rest, the other end
 *                                   is looked up among the members of groups
 *     acl-out-rules, acl-in-rules   a rule lets it pass, and commits it; else
 *                                   it ends here, by the port's own flow
 *
 * What we commit bears a label, and that decides what is established: a
 * connection, from its first packet on, in both directions.
 *
 *     bit 31      only as long as there is a flow that knows the label: of a
 *                 rule with `cut`, or of an audit
 *     bit 30      it is one of ours
 *     bits 0-29   the rule's id (security_rule.h), or enum acl_label
 *
 * In reg9: the number of the port's class (topology_security) in bits 0-14;
 * bit 15 says that nothing is tracked (a broadcast or multicast packet is
 * judged by itself); the number of the other end's class in bits 16-31, or 0.
 *
 * Rules match the ports of the connection (ct_tp_dst), not of the packet: the
 * later fragments of a datagram have none.  Open vSwitch does not say the
 * connection of those either; it lets them through `commit` only with their
 * first fragment, which a rule lets pass or not. */
#ifndef WEFT_CONTROLLER_ACL_H
#define WEFT_CONTROLLER_ACL_H

#include "controller/stage.h"

enum {
    ACL_CLASS_MASK = 0x7fff, ACL_UNTRACKED = 0x8000, ACL_PEER_SHIFT = 16,
};

#define ACL_LABEL_CUT UINT32_C(0x80000000)
#define ACL_LABEL_OURS UINT32_C(0x40000000)

/* Behind all ids of rules. */
enum acl_label {
    ACL_LABEL_FRAGMENTS = 0x3ffffffd,
    ACL_LABEL_OPEN = 0x3ffffffe,  /* nothing limits what the port sends */
    ACL_LABEL_AUDIT = 0x3fffffff, /* no rule allows it */
};

struct acl_way {
    bool is_in;
    uint8_t state, rules, next;   /* tables */
    enum field_id peer4, peer6;   /* the other end's address */
};

extern const struct acl_way acl_in, acl_out;

/* A packet of the member's begins here: IP is tracked and goes to the way's
 * state stage.  `begin` begins a flow of that priority and matches the port. */
typedef void acl_begin(struct writer *, uint16_t priority,
                       const struct topology_member *);
void acl_enter(struct writer *, const struct acl_way *,
               const struct topology_member *, acl_begin *, bool is_untracked);

/* It was tracked, and goes on. */
void acl_leave(struct writer *, const struct acl_way *);

/* The flows of the way's state and rules stages. */
void acl_state(struct writer *, const struct acl_way *,
               const struct subject *);
void acl_rules(struct writer *, const struct acl_way *,
               const struct subject *);

/* What no security group is asked for: messages of IGMP and MLD, of neighbour
 * discovery, of DHCP clients (out) and from a LAN's DHCP servers (in).  Flows
 * for all, of that table and priority, that lead to `next`. */
void acl_exempt(struct writer *, const struct acl_way *,
                enum stage_table table, uint16_t priority);

#endif
