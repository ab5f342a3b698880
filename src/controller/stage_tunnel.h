/* Tunnels in flow tables: what the stages share that lead to other hosts.
 *
 * One port of the switch stands for all far ends of a type; which one a packet
 * goes to, and in which network, is said by tun_dst and tun_id before it is sent
 * there.  What came by a tunnel (FROM_TUNNEL) never leaves by one: every host
 * sends to all that it concerns itself. */
#ifndef WEFT_CONTROLLER_STAGE_TUNNEL_H
#define WEFT_CONTROLLER_STAGE_TUNNEL_H

#include "controller/stage.h"

/* The switch's port by which the network's tunnels go; 0: it has none. */
uint32_t tunnel_of(const struct topology *, const struct topology_network *);
/* Whatever is sent by a tunnel from now on goes there. */
void tunnel_aim(struct writer *, const struct topology_network *,
                const struct ip6_addr *end);
/* A copy goes there. */
void tunnel_copy_to(struct writer *, uint32_t number,
                    const struct topology_network *,
                    const struct ip6_addr *end);
/* The packet goes to the host of a member that is away, and is done here. */
void tunnel_to_member(struct writer *, uint32_t number,
                      const struct topology_member *);
/* The switch learns where the sender is: behind the end that it came from, in
 * that network (stage_foreign.c). */
void tunnel_learn(struct writer *, uint32_t number,
                  const struct topology_network *, bool is_ip6);
/* On to what was learned so. */
void tunnel_to_learned(struct writer *, uint32_t number,
                       const struct topology_network *);
/* Matches what came from that end. */
void tunnel_match_end(struct writer *, const struct ip6_addr *end);

#endif
