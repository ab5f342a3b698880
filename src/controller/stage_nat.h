/* What the stages of NAT share.  The way of a packet through them:
 *
 *     from an uplink                       out of a network
 *     nat-in        tracked in the         routing    the uplink's number
 *       |           uplink's zone            |        in reg10
 *     nat-in-state  an answer: in,         nat-out    tracked in the network's
 *       |           else                     |        zone, source translated
 *     forward       destination            nat-out-state  is it?
 *       |           translated               |
 *     nat-in-state  in                     next-hop   to one of our own
 *       |                                    |        addresses: to nat-in
 *     routing                              out
 *
 * Outside, a packet's metadata are the uplink's id, and inside the network's;
 * it enters a network only when a connection has that network's mark, and its
 * destination is an address there by then.  What leaves has a source that is
 * known outside, or it does not leave: a connection that could not be made, for
 * want of room, shows no inside address. */
#ifndef WEFT_CONTROLLER_STAGE_NAT_H
#define WEFT_CONTROLLER_STAGE_NAT_H

#include "controller/stage.h"
#include "controller/writer_ct.h"

/* In reg8. */
enum nat_way {
    NAT_LED = 1,                  /* by a forward, or an address that floats */
    NAT_HAIRPIN,                  /* it came from inside, and goes there */
};

/* Begins a flow of packets that are outside, by that uplink. */
void nat_begin(struct writer *, enum stage_table, uint16_t priority,
               uint64_t cookie, const struct topology_uplink *);
/* Matches an address of either family, IPv4 as ::ffff:a.b.c.d. */
void nat_match(struct writer *, bool is_source, const struct ip6_addr *);
void nat_set(struct writer *, bool is_source, const struct ip6_addr *);
/* Back to where it would come in. */
void nat_hairpin(struct writer *, const struct topology_uplink *);

/* The blocks of ports in a range: value and mask.  At most NAT_MAX_BLOCKS. */
enum { NAT_MAX_BLOCKS = 32 };
struct port_block {
    uint16_t value, mask;
};
unsigned int nat_port_blocks(uint16_t first, uint16_t last,
                             struct port_block[NAT_MAX_BLOCKS]);

/* Matches the protocol and destination ports that a forward listens on. */
void nat_match_ports(struct writer *, const struct intent_forward *,
                     struct port_block);

#endif
