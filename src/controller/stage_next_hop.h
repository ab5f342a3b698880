/* What the stage next-hop wrote of stations that are not planned, read back
 * from a switch: a new controller knows them as the old one did. */
#ifndef WEFT_CONTROLLER_STAGE_NEXT_HOP_H
#define WEFT_CONTROLLER_STAGE_NEXT_HOP_H

#include "controller/stage.h"

struct learned_rule {
    uint64_t place;               /* a network's id, or an uplink's */
    struct ip6_addr address;      /* IPv4: mapped */
    struct eth_addr mac;
};

/* False: it is no such rule. */
bool stage_next_hop_read(const struct flow_rule *, struct learned_rule *);

#endif
