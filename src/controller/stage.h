/* Stages: the network on a page.
 *
 * Each stage is one flow table of the switch and one file, stage_NAME.c, which
 * writes the table's flows: for every network, for each network, uplink, port,
 * and for each member (a port in a network).
 *
 *     from a port                                  from an uplink
 *     ingress ----------------------------------------+
 *     port-security, address-security, nd-security    |
 *     guard  <----------------------------------------+
 *                      (what came by a tunnel goes on at arp-nd or l2-lookup:
 *     tunnel-in        the rest was done where it came from; what hosts ask
 *                      each other goes to the controller)
 *     service          to the controller: DHCP, DNS, solicitations, groups
 *     arp-nd           answered from the plan, or led to the one who knows
 *     acl-out          what the port's security groups let it send (acl.h)
 *     nat-in, nat-in-state, forward      from outside: what may come in
 *     routing          what is sent to a gateway: its own, and the way on
 *     mtu              what is too large for the way on
 *     nat-out, nat-out-state             what leaves has a source known there
 *     next-hop         the station that it goes to, by address
 *     l2-lookup        planned stations
 *     tunnel-to        stations at other hosts, if the packet fits
 *     foreign          learned stations at ends of tunnels that are no hosts
 *     multicast        groups, by who listens
 *     tunnel-out       other hosts whom it concerns
 *     flood            whoever it concerns
 *     acl-in           what the port's security groups let it hear (acl.h)
 *     output           tags; the last check of who may hear whom
 *
 * A packet moves on by goto, so that it never comes to a table twice; only
 * flood calls output, once for each of those who need a tag, and what leaves for
 * one of our own outside addresses comes in again (stage_nat.h).
 *
 * What a packet carries from stage to stage:
 *
 *     metadata   the network's object id; set at ingress, and by routing;
 *                outside, of what is translated, the uplink's
 *     reg0       enum stage_flags: where it came from
 *     reg4-7     (xxreg1) the next hop's address; IPv4: reg4
 *     reg8       enum nat_way (stage_nat.h)
 *     reg10      the number of the uplink by which it leaves
 *     reg9       acl.h: of whose security groups, and whose the other end is
 *     reg11      with a next network of smaller packets, the largest that it
 *                carries in the upper half; bit 0: this one is larger
 *     reg12      which chunk of a flood or group, + 1; 0: not yet; or one of
 *                enum multicast_list
 *     reg13      enum flood_kind
 *     reg14      the switch's number of the port that it came in by
 *     reg15      of the one that it shall leave by; in foreign, which segment is
 *                meant (stage_foreign.c)
 *
 * Cookies are the id of the intent object that asked for a flow.  Flows that no
 * intent asked for, because they hold for all, have the stage's: STAGE_COOKIE
 * and the table.
 *
 * Only what Weft's switch and Open vSwitch 3.1 both can is used. */
#ifndef WEFT_CONTROLLER_STAGE_H
#define WEFT_CONTROLLER_STAGE_H

#include "controller/topology.h"
#include "controller/userdata.h"
#include "controller/writer.h"

/* X(ID, table, name, function)  In the order of tables. */
#define STAGES(X)                                                            \
    X(INGRESS, 0, "ingress", stage_ingress)                                  \
    X(TUNNEL_IN, 2, "tunnel-in", stage_tunnel_in)                            \
    X(PORT_SECURITY, 4, "port-security", stage_port_security)                \
    X(ADDRESS_SECURITY, 8, "address-security", stage_address_security)       \
    X(ND_SECURITY, 12, "nd-security", stage_nd_security)                     \
    X(GUARD, 16, "guard", stage_guard)                                       \
    X(SERVICE, 20, "service", stage_service)                                 \
    X(ARP_ND, 24, "arp-nd", stage_arp_nd)                                    \
    X(ACL_OUT, 25, "acl-out", stage_acl_out)                                 \
    X(ACL_OUT_STATE, 26, "acl-out-state", stage_acl_out_state)               \
    X(ACL_OUT_RULES, 27, "acl-out-rules", stage_acl_out_rules)               \
    X(NAT_IN, 28, "nat-in", stage_nat_in)                                    \
    X(NAT_IN_STATE, 29, "nat-in-state", stage_nat_in_state)                  \
    X(FORWARD, 30, "forward", stage_forward)                                 \
    X(ROUTING, 32, "routing", stage_routing)                                 \
    X(MTU, 34, "mtu", stage_mtu)                                             \
    X(NAT_OUT, 36, "nat-out", stage_nat_out)                                 \
    X(NAT_OUT_STATE, 37, "nat-out-state", stage_nat_out_state)               \
    X(NEXT_HOP, 38, "next-hop", stage_next_hop)                              \
    X(L2_LOOKUP, 40, "l2-lookup", stage_l2_lookup)                           \
    X(TUNNEL_TO, 41, "tunnel-to", stage_tunnel_to)                           \
    X(FOREIGN, 42, "foreign", stage_foreign)                                 \
    X(MULTICAST, 44, "multicast", stage_multicast)                           \
    X(TUNNEL_OUT, 46, "tunnel-out", stage_tunnel_out)                        \
    X(FLOOD, 48, "flood", stage_flood)                                       \
    X(ACL_IN, 52, "acl-in", stage_acl_in)                                    \
    X(ACL_IN_STATE, 53, "acl-in-state", stage_acl_in_state)                  \
    X(ACL_IN_RULES, 54, "acl-in-rules", stage_acl_in_rules)                  \
    X(OUTPUT, 60, "output", stage_output)

enum stage_table {
#define X(ID, TABLE, NAME, FUNCTION) STAGE_##ID = TABLE,
    STAGES(X)
#undef X
};

#define STAGE_COOKIE UINT64_C(0xf000000000000000)

/* In reg0. */
enum stage_flags {
    FROM_UPLINK = 1,
    FROM_ISOLATED = 2,            /* a port that other isolated ones do not
                                     hear */
    WITH_TAG = 4,                 /* a customer's own tag, inside of a service
                                     tag's network: nothing but stations is
                                     looked at */
    FROM_TUNNEL = 8,              /* another host's; never leaves by a tunnel */
};

/* In reg11. */
enum { MTU_SHIFT = 16, MTU_IS_LARGER = 1 };

/* In reg13: who hears it. */
enum flood_kind {
    FLOOD_ALL = 1,                /* the whole network */
    FLOOD_ASK,                    /* who may know an address that is not
                                     planned */
    FLOOD_UNKNOWN,                /* behind whom a station may be that is not
                                     planned */
};

/* In reg12, in the multicast stage: lists that flows there share. */
enum multicast_list {
    LIST_HEARERS = 0x1000,        /* who hears all groups; + 1 + a chunk */
    LIST_ROUTERS = 0x2000,        /* and reports; + 1 + a chunk */
};

/* Of frames that look for loops (serve_loop.h); IEEE 802's second type for local
 * experiments. */
#define STAGE_PROBE_MAC UINT64_C(0x030057454654)
#define STAGE_PROBE_TYPE 0x88b6

/* Meters are numbered by the port that they are for. */
enum {
    METER_STORM = 0x10000,        /* + number: broadcasts from it */
    METER_RATE_OUT = 0x20000,     /* from the guest */
    METER_RATE_IN = 0x30000,      /* towards it */
    METER_PROBE = 0x40000,        /* a tunnel's: what hosts ask each other */
};

/* What a stage is called for. */
enum subject_kind {
    SUBJECT_BASE, SUBJECT_UPLINK, SUBJECT_NETWORK, SUBJECT_FLOOD,
    SUBJECT_PORT, SUBJECT_MEMBER, SUBJECT_HEARERS, SUBJECT_GROUP,
    SUBJECT_FORWARD, SUBJECT_NEXT_HOP, SUBJECT_SECURITY,
    SUBJECT_AWAY,                 /* a member at another host */
};

struct subject {
    enum subject_kind kind;
    const struct topology *topology;
    const struct topology_uplink *uplink;
    const struct topology_network *network;   /* flood, group, too */
    const struct topology_port *port;
    const struct topology_member *member;
    const struct topology_forward *forward;
    const struct topology_security *security;
    const struct multicast_group *group;
    const struct next_hop *next_hop;
    int chunk;                    /* of a flood or group; -1: what leads there */
};

/* Appends the stage's flows for the subject. */
typedef void stage_function(struct writer *, const struct subject *);

#define X(ID, TABLE, NAME, FUNCTION) stage_function FUNCTION;
STAGES(X)
#undef X

/* All stages' flows of a unit; none for a unit that the topology lacks. */
void stage_compute(const struct topology *, struct unit, struct writer *);
/* NULL: not a stage's table. */
const char *stage_name(uint8_t table);

/* ---- What several stages write ---- */

/* Begins a flow of the network's, or of the member's: for packets that it sent
 * into that network. */
void stage_begin_network(struct writer *, enum stage_table, uint16_t priority,
                         const struct topology_network *);
void stage_begin_from(struct writer *, enum stage_table, uint16_t priority,
                      const struct topology_member *);
/* A flow of the stage's own, for all. */
void stage_begin_base(struct writer *, enum stage_table, uint16_t priority);
/* Up to that service, with the object that it is about. */
void stage_to_service(struct writer *, enum service_id, uint64_t object);
/* "Everything else goes on there." */
void stage_else(struct writer *, enum stage_table, enum stage_table next);
/* The packet goes to this port of the switch. */
void stage_send_to(struct writer *, uint32_t number);
/* The same, if the port's security groups let it hear it. */
void stage_send_to_member(struct writer *, const struct topology_member *);
/* It goes back where it came from. */
void stage_send_back(struct writer *);
void stage_flood_to(struct writer *, enum flood_kind);
/* A copy for one of many, in a list of such.  `is_allowed`: whoever gets to
 * this list may be heard by it; else output decides. */
void stage_copy_to(struct writer *, const struct topology_member *,
                   bool is_allowed);
/* To who is not planned: the LAN and the host that is in it; and other hosts, as
 * tunnel-out has them. */
void stage_copy_to_own_uplink(struct writer *,
                              const struct topology_network *);
void stage_copy_to_uplink(struct writer *, const struct topology_network *);
/* Matches frames for more than one station. */
void stage_match_group_address(struct writer *);
/* Matches on reg0: the flag is set, or not. */
void stage_match_flag(struct writer *, enum stage_flags, bool is_set);

#endif
