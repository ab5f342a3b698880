/* Translation of whole connections: which tuples one is to have.
 *
 *     src   the source becomes an external address and port, the same for all
 *           that the inside (address, port) begins (nat_map.h)
 *     dst   the destination becomes one of the given; where there are outside
 *           zones, the inside's holds the external port meanwhile, so that they
 *           find the connection
 *     bare  a connection is translated as it was committed.  A packet of none, to
 *           an external port that somebody inside has, goes to him; when its
 *           connection is committed, with nat, that is kept.
 *
 * Both may be: what came in by a mapping (or by dst, in another zone) can leave
 * with another source, which is how two insides talk by their external
 * addresses. */
#ifndef WEFT_CONNTRACK_NAT_H
#define WEFT_CONNTRACK_NAT_H

#include "conntrack/conntrack_impl.h"

/* What a new connection is to be. */
struct ct_plan {
    struct ct_tuple original, reply;
    uint8_t nat;              /* FLOW_CT_SNAT, FLOW_CT_DNAT */
    uint32_t mapping;         /* of which a reference is held; 0 */
};

/* Before ct_nat_plan(), in this order. */
void ct_nat_prefetch(const struct conntrack *, const struct ct_tuple *);
void ct_nat_prefetch_mapping(const struct conntrack *,
                             const struct ct_tuple *);

/* False: no external port is free. */
bool ct_nat_plan(struct conntrack *, unsigned int slot, const struct packet *,
                 const struct ct_packet *, const struct ct_request *,
                 unsigned int attempt, struct ct_plan *);

/* Translates a packet of a connection, in its direction; `p` is its parsed form, or
 * NULL.  The packet's state tells of it. */
bool ct_nat_packet(struct packet *, struct ct_packet *p,
                   const struct ct_conn *, unsigned int dir);

/* In which zone the mapping is that the packet's destination has; false: it has
 * none. */
bool ct_nat_zone(struct conntrack *, const struct ct_tuple *, uint16_t *zone);

/* A packet of no connection: to whom the destination's mapping leads, if there is
 * one. */
void ct_nat_stray(struct conntrack *, struct packet *,
                  const struct ct_packet *);

#endif
