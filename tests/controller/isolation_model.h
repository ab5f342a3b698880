/* Who may hear a frame: what the intents say, and nothing else. */
#ifndef WEFT_TESTS_CONTROLLER_ISOLATION_MODEL_H
#define WEFT_TESTS_CONTROLLER_ISOLATION_MODEL_H

#include "controller/isolation_rig.h"

/* A frame as it was sent, and the network that it is in; NULL: none. */
struct sent {
    const struct intent_port *from;         /* NULL: the uplink */
    const struct intent_network *network;
    bool is_rightful;
    bool is_to_gateway;
    const struct intent_uplink *uplink;     /* from outside, by NAT, and sent
                                               to its MAC */
    uint32_t in_port;
    uint8_t ip_proto;
    uint16_t dport;
    be32 ip_dst;                  /* 0: no IPv4 */
    struct ip6_addr ip6_dst;      /* all zero: no IPv6 */
    const char *what;
};

/* Which network a frame with this tag is in when it comes or leaves by this
 * port; NULL: none.  `tag` -1: untagged. */
const struct intent_network *
model_network(const struct rig *, uint32_t number, int tag);
bool model_is_member(const struct intent_port *,
                     const struct intent_network *);
bool model_may_send_as(const struct intent_port *, struct eth_addr);
/* Might `port` hear a frame of this network that `from` (NULL: the uplink) sent
 * rightfully? */
bool model_may_hear(const struct intent_port *from,
                    const struct intent_port *port,
                    const struct intent_network *);
/* By which that port leads out; NULL. */
const struct intent_uplink *model_uplink(const struct rig *,
                                         uint32_t number);
/* Ends the test if somebody heard the frame who may not. */
void model_judge(struct rig *, const struct sent *);

#endif
