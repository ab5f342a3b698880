/* What the multicast stage writes, read back: who heard what before we were
 * here. */
#ifndef WEFT_CONTROLLER_STAGE_MULTICAST_H
#define WEFT_CONTROLLER_STAGE_MULTICAST_H

#include "controller/flow_rule.h"

enum multicast_rule_kind { RULE_GROUP, RULE_HEARERS, RULE_ROUTERS };

struct multicast_rule {
    enum multicast_rule_kind kind;
    uint64_t network;
    struct ip6_addr group;        /* RULE_GROUP; IPv4: mapped */
};

/* Is it a rule about listeners, and about which?  They are its outputs. */
bool stage_multicast_read(const struct flow_rule *, struct multicast_rule *);
/* Calls `visit` with each number of a port that the rule sends to. */
void stage_multicast_visit_ports(const struct flow_rule *,
                                 void (*visit)(void *aux, uint32_t number),
                                 void *aux);

#endif
