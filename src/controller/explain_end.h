/* The ends of a question: from what was written to who that is (explain.h).
 *
 * Pointers into the topology: good until it changes. */
#ifndef WEFT_CONTROLLER_EXPLAIN_END_H
#define WEFT_CONTROLLER_EXPLAIN_END_H

#include "controller/topology.h"
#include "lib/str.h"

struct explain_end {
    const char *text;             /* borrowed */
    const struct topology_port *port;       /* NULL: none of ours */
    const struct topology_member *member;   /* of it; NULL: the same */
    const struct topology_network *network; /* NULL: outside of all */
    const struct topology_uplink *uplink;   /* a station behind it; NULL: no */
    const struct topology_uplink *outside;  /* somebody beyond it, by NAT */
    bool is_gateway, is_spoofed;
    bool is_group;                /* whoever hears that group */
    bool has_literal;             /* an address was written */
    bool is_v6;                   /* that one */
    bool is_stand_in;             /* `address` is made up: there is no plan */
    be32 address;                 /* 0: none */
    struct ip6_addr address6;     /* all zero: none */
    struct eth_addr mac;
    uint32_t tunnel;              /* of a port at another host: the number of the
                                     port by which it is reached; 0: none */
    const char *elsewhere;        /* the host that is to be asked instead; NULL:
                                     it is none of another host's ports */
};

/* -EINVAL, -ENOENT with `error`. */
int explain_ends_parse(const struct topology *, const char *from_text,
                       const char *to_text, struct explain_end *from,
                       struct explain_end *to, struct str *error);
/* By which address, of the family: false with `error` when there is none.  A
 * network without a plan gets addresses that stand in. */
bool explain_ends_address(struct explain_end *from, struct explain_end *to,
                          bool is_v6, struct str *error);
/* Do both have one? */
bool explain_ends_have(const struct explain_end *from,
                       const struct explain_end *to, bool is_v6);
/* May its port send from this address? */
bool explain_end_owns(const struct explain_end *, const char *address);
/* The number of its port; 0: the switch has none. */
uint32_t explain_end_number(const struct explain_end *);

#endif
