/* Random tunnels for property tests: what the outer headers of frames say, with
 * few distinct values, so that matches hit; and a port in memory by which they
 * come and go. */
#ifndef WEFT_SWITCH_RANDOM_TUNNELS_H
#define WEFT_SWITCH_RANDOM_TUNNELS_H

#include "lib/rng.h"
#include "packet/field.h"
#include "packet/tunnel.h"
#include "port/port_class.h"
#include "switch/switch.h"

/* Most often makes options tun_metadata0 to 2 in the switch; the last one is
 * critical.  `map` is what its data path knows then. */
void random_tunnel_map(struct rng *, struct switch_ *,
                       struct tunnel_option_map *map);

/* With options that are fields and such as are none, now and then a critical
 * one. */
void random_tunnel(struct rng *, struct tunnel_key *);
/* Another one that differs in something. */
void random_tunnel_vary(struct rng *, struct tunnel_key *);

/* If they are not the same, that is said when `is_verbose`. */
bool random_tunnel_is(const struct tunnel_key *,
                      const struct tunnel_key *expected, bool is_verbose);

/* One that entries write, to say where a packet leaves to. */
const struct field *random_tunnel_field(struct rng *);

/* A value that it has in some tunnel.  False: now and then, and for other
 * fields. */
bool random_tunnel_value(struct rng *, const struct field *, u128 *);

/* To be the class of a port of class "ring": frames that are pushed keep their
 * tunnel, whose family random_tunnel_arrive() noted. */
extern const struct port_class random_tunnel_class;
void random_tunnel_arrive(struct packet *, const struct tunnel_key *);

#endif
