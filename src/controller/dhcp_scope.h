/* One network's DHCPv4: its server and leases, as its intent wants them. */
#ifndef WEFT_CONTROLLER_DHCP_SCOPE_H
#define WEFT_CONTROLLER_DHCP_SCOPE_H

#include "controller/topology.h"
#include "service/dhcp_server.h"

/* Who is plugged in, as the leases know it. */
struct dhcp_scope_member {
    char name[INTENT_NAME_MAX];
    struct eth_addr mac;
    be32 address;                 /* 0: not planned */
};

/* A subnet's leases: the network's own, or behind a relay. */
struct dhcp_scope_subnet {
    struct subnet4 subnet;
    struct lease_table *leases;
};

enum { DHCP_SCOPE_MAX_SUBNETS = 1 + NETWORK_MAX_RELAYS };

struct dhcp_scope {
    uint64_t id;
    char name[INTENT_NAME_MAX];
    struct dhcp_server *server;
    unsigned int n_subnets;
    struct dhcp_scope_subnet subnets[DHCP_SCOPE_MAX_SUBNETS];     /* the own
                                                                     first */
    unsigned int n_members;
    struct dhcp_scope_member *members;      /* by name, each once */
};

struct dhcp_scope *dhcp_scope_create(const struct topology_network *);
void dhcp_scope_destroy(struct dhcp_scope *);

/* What the intent says now: options, reservations; what is held by ports that
 * are not there any more is free.  -EINVAL: options that no message can carry;
 * then the old ones hold. */
int dhcp_scope_update(struct dhcp_scope *, const struct topology_network *,
                      lease_changed *changed, void *aux, struct str *error);
/* Where an address is kept: its subnet's, else the network's own. */
struct lease_table *dhcp_scope_leases(const struct dhcp_scope *, be32 addr);
/* NULL: there is none of that name. */
const struct dhcp_scope_member *dhcp_scope_member(const struct dhcp_scope *,
                                                  const char *name);

#endif
